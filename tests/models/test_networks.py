"""Networks of our own: the interpreter against TFLM, before and after all passes."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.frontend import check_supported, parse
from tecompile.graph import Graph
from tecompile.interpret import random_inputs, run
from tecompile.passes import simplify
from tests.models.networks import NETWORKS
from tests.tools.golden import run_tflm


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_equals_tflm(name: str, seed: int) -> None:
    data = NETWORKS[name]()
    graph = parse(data, name)
    inputs = random_inputs(graph, seed)
    for mine, golden in zip(run(graph, inputs), run_tflm(data, inputs), strict=True):
        assert (mine.dtype, mine.shape) == (golden.dtype, golden.shape)
        np.testing.assert_array_equal(mine, golden)
        assert len(np.unique(mine)) > min(3, mine.size - 1)  # saturated outputs would prove little


@pytest.mark.parametrize("name", NETWORKS)
def test_passes_keep_the_values(name: str) -> None:
    graph = parse(NETWORKS[name](), name)
    simple = simplify(graph)
    check_supported(simple)
    inputs = random_inputs(graph, 2)
    for mine, original in zip(run_simplified(simple, inputs), run(graph, inputs), strict=True):
        np.testing.assert_array_equal(mine, original)


def run_simplified(graph: Graph, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Through the conversions that were lifted out."""
    entries = [graph.input_border(t) for t in graph.inputs]
    converted = [x if b is None else b.convert(x) for b, x in zip(entries, inputs, strict=True)]
    exits = [graph.output_border(t) for t in graph.outputs]
    return [y if b is None else b.convert(y) for b, y in zip(exits, run(graph, converted), strict=True)]
