"""Kernels that stream read and write rings of rows: the smallest that the schedule allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.native import NativeTarget
from tecompile.graph import Graph, Tensor
from tecompile.interpret import run
from tecompile.planner.plan import Plan, Step

from .build import build_models, random_inputs
from .chains import chain, conv, double, dw, pad, plus_vector, pool, relu, residual, softmax
from .plans import first_candidate, pull_steps, streamed_plan

BORDER = ((0, 0), (1, 2), (3, 0), (0, 0))
GRAPHS = {
    "convs": chain([conv(3, 1), conv(1, 1, 7), conv(3, 2, 4)], 13, 7, 3),
    "inverted bottleneck": chain([conv(1, 1, 8), dw(3, 1), conv(1, 1, 4)], 9, 6, 3),
    "depthwise": chain([dw(3, 2), dw(5, 1, 2), dw(3, 1)], 17, 9, 3),
    "strided pointwise": chain([dw(3, 1), conv(1, 2, 6), relu], 11, 9, 5),
    "elementwise": chain([relu, double, plus_vector, relu, softmax], 8, 5, 6),
    "pools": chain([conv(3, 1), pool(3, 1), pad(BORDER), pool(2, 2)], 14, 6, 4),
    "residual": residual(12, 7, 4),
}


def ring_slots(graph: Graph, steps: Sequence[Step]) -> dict[Tensor, int]:
    """How many rows each inner tensor needs: from its oldest row still to be read to its newest."""
    inner = [t for op in graph.ops for t in op.outputs if t not in graph.outputs]
    return {t: max(_span(steps, t), 1) for t in inner}


def _span(steps: Sequence[Step], tensor: Tensor) -> int:
    newest, widest = 0, 0
    for number, step in enumerate(steps):
        newest = step.last if tensor in step.op.outputs else newest
        reads = [r for later in steps[number:] for r in _reads(later, tensor)]
        widest = max(widest, newest - min(reads, default=newest))
    return widest


def _reads(step: Step, tensor: Tensor) -> list[int]:
    whole = step.op.y.whole
    region = whole._replace(rows=whole.rows._replace(start=step.first, stop=step.last))
    rows = [step.op.window(i, region).rows for i, t in enumerate(step.op.inputs) if t is tensor]
    return [r.start for r in rows if r.size]


def ring_plans(graph: Graph) -> list[Plan]:
    choose, plans = first_candidate(NativeTarget()), []
    for rows, extra, pad_bytes in ((1, 0, 0), (2, 0, 0), (1, 1, 3)):
        steps = pull_steps(graph, rows)
        slots = {t: min(n + extra, t.image.rows) for t, n in ring_slots(graph, steps).items()}
        plans.append(streamed_plan(graph, choose, steps, slots, pad_bytes))
    return plans


@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, tmp_path: Path) -> None:
    graph, rng = GRAPHS[name], np.random.default_rng(1)
    for model in build_models(tmp_path, ring_plans(graph)):
        for _ in range(3):
            inputs = random_inputs(graph, rng)
            np.testing.assert_array_equal(model.run(inputs)[0], run(graph, inputs)[0])
