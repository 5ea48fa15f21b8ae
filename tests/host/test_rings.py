"""Kernels that stream read and write rings: the smallest that the schedule allows, wrapping at any pixel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.backend import Chain
from tecompile.backends.native import NativeTarget
from tecompile.graph import Graph, Op, Tensor
from tecompile.interpret import run
from tecompile.planner.plan import Plan, Ring
from tecompile.target import Candidate, Form, Target

from .build import build_models, random_inputs
from .chains import (
    chain,
    conv,
    copy,
    double,
    dw,
    global_mean,
    global_pool,
    max_pool,
    pad,
    plus_vector,
    pool,
    relu,
    residual,
    softmax,
)
from .plans import Cutter, chunks, pull_steps, streamed_plan, strip_candidate, strips
from .rings import Lie, Play, Spot

ALL = slice(None)
REST = pytest.param(slice(1, None, 2), marks=pytest.mark.slow)
HALF = slice(0, None, 2)
shared = pytest.mark.parametrize("some", [HALF, REST], ids=["half", "rest"])  # every cut, each in one direction
BORDER = ((0, 0), (1, 2), (3, 0), (0, 0))
GRAPHS = {
    "convs": chain([conv(3, 1), conv(1, 1, 7), conv(3, 2, 4), copy], 13, 7, 3),
    "inverted bottleneck": chain([conv(1, 1, 8), dw(3, 1), conv(1, 1, 4)], 9, 6, 3),
    "depthwise": chain([dw(3, 2), dw(5, 1, 2), dw(3, 1), copy], 17, 9, 3),
    "depthwise in place": chain([copy, dw(3, 1), copy, dw(5, 1), dw(3, 2), copy], 12, 8, 3),
    "four channels at a time": chain([copy, dw(3, 1), copy, dw(5, 2, 2), dw(3, 1), copy], 13, 9, 4),
    "strided pointwise": chain([dw(3, 1), conv(1, 2, 6), relu, copy], 11, 9, 5),
    "elementwise": chain([relu, double, plus_vector, relu, softmax, copy], 8, 5, 6),
    "pools": chain([conv(3, 1), pool(3, 1), max_pool(3, 2), pad(BORDER), pool(2, 2), copy], 14, 6, 4),
    "residual": residual(12, 7, 4),
    "mean": chain([conv(3, 1, 7), global_mean], 8, 5, 2),
    "average": chain([dw(3, 1), relu, global_pool], 7, 6, 5),
}


def spots(graph: Graph, play: Play, rng: np.random.Generator) -> Iterator[Spot]:
    """Rings for the inner tensors: pairs in place as far as they go, else each its own, beginning anywhere."""
    inner = {t for op in graph.ops for t in op.outputs if t not in graph.outputs}
    taken: set[Tensor] = set()
    for x, y in in_place_pairs(graph, play.choices):
        if not taken & {x, y} and inner >= {x, y} and rng.integers(0, 4):
            spot = play.shared(x, y, rng)
            if spot:
                taken |= {x, y}
                yield spot
    for t in (t for op in graph.ops for t in op.outputs if t in inner - taken):
        first = int(rng.integers(0, t.image.columns)) * t.pixel_bytes
        yield play.smallest(t, Lie(t.row_bytes, first), t.pixel_bytes)


def in_place_pairs(graph: Graph, choices: Mapping[Op, Candidate]) -> Iterator[tuple[Tensor, Tensor]]:
    for op in graph.ops:
        for index in (*choices[op].in_place, *choices[op].by_channel):
            tensor = op.inputs[index]
            assert tensor is not None
            yield tensor, op.y


def with_gaps(graph: Graph, play: Play, gap: int) -> Iterator[Spot]:
    """Rings of whole rows, each `gap` bytes longer than needed."""
    for t in (t for op in graph.ops for t in op.outputs if t not in graph.outputs):
        yield play.smallest(t, Lie(t.row_bytes + gap), t.row_bytes + gap)


def ring_plans(
    graph: Graph, rng: np.random.Generator, target: Target | None = None, some: slice = ALL
) -> Iterator[Plan]:
    """Whole rows and parts of rows, downwards and upwards; at last, if the first is wanted, with gaps."""
    choose = strip_candidate(target or NativeTarget())
    choices = {op: choose(op) for op in graph.ops}
    cutters: list[Cutter] = [strips(1), strips(2), chunks(rng), chunks(rng, 3)]
    turned = [(False, True), (True, False)] if all(c.form is not Form.SINK for c in choices.values()) else [(False,)]
    ways = [(cut, upwards) for n, cut in enumerate(cutters) for upwards in turned[n % len(turned)]]
    for cut, upwards in ways[some]:
        steps = pull_steps(graph, choices, cut, upwards)
        yield streamed_plan(graph, choices, steps, list(spots(graph, Play(steps, choices), rng)))
    if not some.start:
        steps = pull_steps(graph, choices, strips(1))
        yield streamed_plan(graph, choices, steps, list(with_gaps(graph, Play(steps, choices), 3)))


def check(plans: Sequence[Plan], folder: Path, rng: np.random.Generator) -> None:
    for model in build_models(folder, plans):
        for _ in range(3):
            inputs = random_inputs(model.plan.graph, rng)
            np.testing.assert_array_equal(model.run(inputs)[0], run(model.plan.graph, inputs)[0])


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    check(list(ring_plans(GRAPHS[name], rng, some=some)), tmp_path, rng)


def test_rings_of_generated_kernels(tmp_path: Path) -> None:
    """Blocks of four pixels that do not lie in one piece; here their C twins."""
    rng = np.random.default_rng(2)
    graph = chain([conv(1, 1, 8), conv(1, 1, 4), dw(3, 1), conv(1, 1, 6), copy], 7, 11, 4)
    plans = list(ring_plans(graph, rng, Chain((Armv7emBackend(), NativeTarget())), HALF))
    assert [c.kernel for c in plans[0].choices.values()].count("te_gemm_pointwise") == 3
    check(plans, tmp_path, rng)


def test_these_rings_wrap_and_are_shared() -> None:
    """Or the test above would not test much."""
    rng = np.random.default_rng(1)
    plans = [plan for graph in GRAPHS.values() for plan in ring_plans(graph, rng, some=HALF)]
    rings = [b for plan in plans for b in plan.buffers.values() if isinstance(b, Ring)]
    assert sum(ring.wraps for ring in rings) > len(rings) // 4
    assert sum(ring.shift > 0 for ring in rings) > len(rings) // 8
