"""Networks converted from NCHW: what was turned for nothing is not turned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tecompile.graph import DType, Graph, Tensor
from tecompile.interpret import random_inputs, run
from tecompile.ops.concatenation import Concatenation
from tecompile.ops.pad import Pad
from tecompile.ops.transpose import Transpose
from tecompile.passes import simplify
from tecompile.passes.delay_transposes import delay_transposes
from tecompile.rewriting import validate
from tests.tools.graphs import Builder

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def turn(b: Builder, x: Tensor, order: tuple[int, ...]) -> Tensor:
    number = len(b.ops)
    table = Tensor(f"order{number}", (4,), DType.INT32, None, np.array(order, np.int32))
    y = replace(x, name=f"turned{number}", shape=tuple(x.shape[i] for i in order))
    b.ops.append(Transpose(number, (x, table), (y,)))
    return y


def conv(b: Builder, x: Tensor, channels: int, kernel: int = 3) -> Tensor:
    """As a network that lives in NCHW has it."""
    return turn(b, b.conv(turn(b, x, TO_NHWC), channels, kernel, same=False), TO_NCHW)


def pad(b: Builder, x: Tensor) -> Tensor:
    amounts = ((0, 0), (0, 0), (1, 2), (0, 1))
    shape = tuple(n + before + after for n, (before, after) in zip(x.shape, amounts, strict=True))
    y = replace(x, name=f"padded{len(b.ops)}", shape=shape)
    table = Tensor(f"amounts{len(b.ops)}", (4, 2), DType.INT32, None, np.array(amounts, np.int32))
    b.ops.append(Pad(len(b.ops), (x, table), (y,), amounts))
    return y


def joined(b: Builder, *parts: Tensor) -> Tensor:
    y = replace(parts[0], name=f"joined{len(b.ops)}", shape=(1, sum(t.shape[1] for t in parts), *parts[0].shape[2:]))
    b.ops.append(Concatenation(len(b.ops), parts, (y,), 1, "NONE"))
    return y


def same_values(before: Graph, after: Graph) -> bool:
    inputs = random_inputs(before, 7)
    validate(after)
    return all(np.array_equal(a, c) for a, c in zip(run(before, inputs), run(after, inputs), strict=True))


def kinds(graph: Graph) -> list[str]:
    return [op.kind for op in graph.ops]


def test_only_the_borders_are_turned() -> None:
    """Activations, paddings, sums and concatenations between convolutions."""
    b = Builder()
    first = conv(b, b.input(1, 3, 9, 8), 4)
    padded = pad(b, b.relu(first))
    second = conv(b, padded, 4, 1)
    total = b.add(second, padded)
    before = b.graph(conv(b, joined(b, total, b.relu(total)), 2))
    after = simplify(before)
    assert kinds(after).count("TRANSPOSE") == 2
    assert isinstance(after.ops[0], Transpose)
    assert isinstance(after.ops[-1], Transpose)
    assert same_values(before, after)
    assert same_values(before, delay_transposes(before))


def test_constants_are_turned_back() -> None:
    """A factor for each channel, and one for each row and column."""
    b = Builder()
    x = turn(b, b.relu(b.input(1, 4, 5, 6)), TO_NCHW)
    for shape in ((6, 1, 1), (4, 5), ()):
        data = np.random.default_rng(1).integers(-128, 128, shape, dtype=np.int8)
        x = b.mul(x, Tensor(f"factor{len(b.ops)}", shape, DType.INT8, x.quant, np.asarray(data)))
    before = b.graph(turn(b, x, TO_NHWC))
    after = simplify(before)
    assert kinds(after) == ["RELU", "MUL", "MUL", "TABLE"]
    assert same_values(before, after)


def test_other_orders_are_not_mixed() -> None:
    b = Builder()
    x, y = (b.relu(b.input(1, 4, 4, 4)) for _ in range(2))
    before = b.graph(b.relu(b.add(turn(b, x, TO_NCHW), turn(b, y, TO_NHWC))))
    assert delay_transposes(before) == before


def test_what_is_read_as_it_is_stays() -> None:
    """Turned once for all, as long as one of them needs it."""
    b = Builder()
    turned = turn(b, b.relu(b.input(1, 4, 5, 4)), TO_NCHW)
    before = b.graph(b.relu(turned), b.conv(turned, 3))
    assert delay_transposes(before) == before
    outside = b.graph(turned, b.relu(turned))
    assert delay_transposes(outside) == outside


def test_operands_of_other_shapes_stay() -> None:
    b = Builder()
    x, y = b.relu(b.input(1, 4, 5, 6)), b.relu(b.input(1, 4, 1, 6))
    before = b.graph(b.add(turn(b, x, TO_NCHW), turn(b, y, TO_NCHW)))
    assert delay_transposes(before) == before
