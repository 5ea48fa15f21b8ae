"""Each pass, as text before and after; and all of them by the values they must preserve."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tecompile.graph import DType, Graph, Padding, Rounding, Tensor
from tecompile.interpret import random_inputs, run
from tecompile.ops.concatenation import Concatenation
from tecompile.ops.conv2d import Conv2D
from tecompile.ops.mul import Mul
from tecompile.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tecompile.ops.strided_slice import StridedSlice
from tecompile.passes import PIPELINE, simplify
from tecompile.passes.drop_identities import drop_identities
from tecompile.passes.fold_padding import fold_padding
from tecompile.passes.fuse_activations import fuse_activations
from tecompile.rewriting import format_graph, validate
from tests.tools.graphs import FULL, Builder


def same_values(before: Graph, after: Graph) -> bool:
    inputs = random_inputs(before, 7)
    pairs = zip(run(before, inputs), run(after, inputs), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def padded_convolutions() -> Graph:
    """One PAD read by a convolution, and one that a pool reads too."""
    b = Builder()
    x = b.input(1, 9, 7, 3)
    first = b.conv(b.pad(x, 1, 0, 2, 3), 4, 3, 2, same=False)
    padded = b.pad(first, 0, 1, 1, 0)
    return b.graph(b.conv(padded, 2, 2, 1), b.maxpool(padded))


def test_padding_is_folded_into_convolutions_and_stays_for_pools() -> None:
    before = padded_convolutions()
    after = simplify(before)
    assert [op.kind for op in after.ops] == ["CONV_2D", "PAD", "CONV_2D", "MAX_POOL_2D"]
    first, second = (op for op in after.ops if isinstance(op, Conv2D))
    assert first.padding == Padding(1, 0, 2, 3)
    assert second.padding == Padding(0, 2, 1, 1)  # its own SAME padding and PAD's
    assert same_values(before, after)


def test_fold_padding_alone_leaves_the_dead_pad() -> None:
    after = fold_padding(padded_convolutions())
    assert [op.kind for op in after.ops].count("PAD") == 2
    validate(after)


def test_relu_is_fused_only_when_it_is_the_sole_reader() -> None:
    b = Builder()
    x = b.input(1, 5, 5, 3)
    alone = b.relu(b.conv(x, 4))
    shared = b.conv(alone, 4)
    before = b.graph(b.add(b.relu(shared), shared))
    after = fuse_activations(before)
    assert [op.kind for op in after.ops] == ["CONV_2D", "CONV_2D", "RELU", "ADD"]
    first = after.ops[0]
    assert isinstance(first, Conv2D)
    assert first.clamp == (3, 127)
    assert same_values(before, after)


def test_identities_disappear_and_outputs_keep_their_names() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    y = b.conv(b.pad(x, 0, 0, 0, 0), 3)
    z = b.pad(y, 0, 0, 0, 0)
    after = drop_identities(b.graph(z))
    assert format_graph(after).splitlines()[-1] == f"out  {z.describe()}"
    assert [op.kind for op in after.ops] == ["CONV_2D"]
    assert after.ops[0].x is x


def test_an_identity_between_input_and_output_stays() -> None:
    b = Builder()
    x = b.input(1, 4, 4, 2)
    graph = b.graph(b.pad(x, 0, 0, 0, 0))
    assert drop_identities(graph) == graph


@pytest.mark.parametrize("rewrite", PIPELINE, ids=lambda f: f.__name__)
def test_every_pass_alone_is_valid_and_changes_no_value(rewrite: Callable[[Graph], Graph]) -> None:
    before = padded_convolutions()
    after = rewrite(before)
    validate(after)
    assert same_values(before, after)


def test_copies_are_dropped() -> None:
    """A resize to the same size, a concatenation of one tensor, a slice of all; none of them is an output."""
    b = Builder()
    x = b.input(1, 3, 4, 2)
    kinds = ("t_resized", "t_joined", "t_all", "t_turned")
    resized, joined, everything, turned = (Tensor(name, x.shape, x.dtype, x.quant) for name in kinds)
    size = Tensor("size", (2,), DType.INT32, None, np.array([3, 4], np.int32))
    b.ops += [
        ResizeNearestNeighbor(0, (x, size), (resized,), True, False),
        Concatenation(1, (resized,), (joined,), 3, "NONE"),
        StridedSlice(
            2, (joined, *slice_tables((0, 0, 0, 0), (1, 3, 4, 2), (1, 1, 1, 1))), (everything,), 0, 0, 0, 0, 0
        ),
        StridedSlice(
            3, (everything, *slice_tables((0, 2, 0, 0), (1, -4, 4, 2), (1, -1, 1, 1))), (turned,), 0, 0, 0, 0, 0
        ),
    ]
    before = b.graph(b.conv(turned, 2))
    after = drop_identities(before)
    assert [op.kind for op in after.ops] == ["STRIDED_SLICE", "CONV_2D"]
    assert same_values(before, after)


def slice_tables(*bounds: tuple[int, ...]) -> tuple[Tensor, ...]:
    return tuple(
        Tensor(f"bound{bounds}{i}", (len(b),), DType.INT32, None, np.array(b, np.int32)) for i, b in enumerate(bounds)
    )


def test_relu_is_fused_into_a_product() -> None:
    b = Builder()
    x, y = b.input(1, 3, 4, 2), b.tensor(1, 3, 4, 2)
    b.ops.append(Mul(0, (x, x), (y,), FULL, Rounding.DOUBLE))
    before = b.graph(b.relu(y))
    after = fuse_activations(before)
    assert [op.kind for op in after.ops] == ["MUL"]
    assert same_values(before, after)
