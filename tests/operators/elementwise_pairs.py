"""Functions of two values that broadcast."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tecompile.graph import DType, Op, Tensor
from tecompile.graph import Quant as GraphQuant
from tests.host.more_ops import operand_shapes
from tests.host.ops import Draw
from tests.host.ops import shape as drawn_shape
from tests.tools import cases
from tests.tools.cases import Case, Quant, Shape, Source
from tests.tools.random_ops import ACTIVATIONS, powers, shapes, sources
from tests.tools.tflite_writer import OptionValue, TensorSpec

from .elementwise_unary import made, type_quants
from .row import Row

FUSED = ("ADD", "SUB", "MUL")
LOWEST = {"int8": -128, "uint8": 0, "int16": 0}


@dataclass(frozen=True)
class Side:
    """An operand."""

    shape: Shape
    quant: Quant | None = None
    constant: bool = False


def pair(
    kind: str, dtype: str, sides: tuple[Side, Side], y: Quant | None, source: Source, activation: str = "NONE"
) -> Case:
    """Two tensors, either of which may be broadcast or constant; without quantisation the output is bool."""
    shape = np.broadcast_shapes(*(side.shape for side in sides))
    if (kind, dtype) == ("PRELU", "uint8"):
        sides = (replace(sides[0], shape=shape), sides[1])  # LiteRT wants it so
    tensors = []
    for number, side in enumerate(sides):
        data = numbers(source, side.shape, dtype, 9 + number) if side.constant else None
        quant = side.quant
        tensors.append(
            TensorSpec(side.shape, dtype, quant and quant.scale, quant.zero_point if quant else 0, data=data)
        )
    output = TensorSpec(shape, dtype, y.scale, y.zero_point) if y else TensorSpec(shape, "bool")
    options: dict[str, OptionValue] = {"fused_activation_function": activation} if kind in FUSED else {}
    arrays = tuple(numbers(source, t.shape, dtype, i) for i, t in enumerate(tensors) if t.data is None)
    return cases._case(kind, tensors, output, options, source, arrays)


def numbers(source: Source, shape: Shape, dtype: str, salt: int) -> cases.Array:
    if dtype == "bool":
        return source.integers(shape, "int8", salt) > 0
    return source.integers(shape, dtype, salt)


@dataclass(frozen=True)
class Pair:
    """What is possible of an operator. The output's steps are `natural` ones times 2^`ratio`."""

    kind: str
    dtype: str = "int8"
    ratio: tuple[float, float] = (-3, 10)
    scales: tuple[float, float] = (-12, 3)

    def natural(self, a: float, b: float) -> float:
        """A scale that suits the output."""
        full = 256 if self.dtype == "int16" else 1
        product = {"MUL": a * b * full, "SQUARED_DIFFERENCE": max(a, b) ** 2 * full, "PRELU": a}
        return product.get(self.kind, max(a, b))

    def quants(self) -> SearchStrategy[Quant]:
        return type_quants(self.dtype, powers(*self.scales))

    def edges(self) -> list[Case]:
        """Every way of broadcasting, zero points at the ends, few and many output steps."""
        low, high = (Quant(2.0 ** self.scales[0] * 2, 0), Quant(0.3, 0)) if self.dtype == "int16" else self._ends()
        y_zero = {"int8": -7, "uint8": 100}.get(self.dtype, 0)
        found = [self._edge(a, b, low, high, y_zero, Source(i)) for i, (a, b) in enumerate(WAYS)]
        same = Side((1, 40)), Side((1, 40))
        for source in (Source(1, "extremes"), Source(2, "low"), Source(3, "high")):
            found += [self._edge(*same, quant, quant, y_zero, source) for quant in (low, high)]
        return found

    def _ends(self) -> tuple[Quant, Quant]:
        lowest = LOWEST[self.dtype]
        return Quant(0.5, lowest), Quant(0.25, lowest + 255)

    def _edge(self, a: Side, b: Side, first: Quant, second: Quant, zero: int, source: Source) -> Case:
        sides = replace(a, quant=first), replace(b, quant=second)
        y = Quant(self.natural(first.scale, second.scale) * 3, zero)
        return pair(self.kind, self.dtype, sides, y, source, "RELU6" if source.seed == 1 else "NONE")

    def row(self, golden: str = "tflm") -> Row:
        draw = None if self.dtype == "uint8" else pair_draw(self)
        return Row(self.edges, pair_cases(self), draw, golden)


IMAGE = (1, 3, 4, 2)
WAYS = (
    (Side(IMAGE), Side(IMAGE)),
    (Side(IMAGE), Side((2,), constant=True)),
    (Side((1, 1, 1, 2), constant=True), Side(IMAGE)),
    (Side(IMAGE), Side(IMAGE, constant=True)),
    (Side(IMAGE), Side((1, 3, 4, 1))),
    (Side((1, 1, 1, 2)), Side(IMAGE)),
    (Side((1, 3, 1, 2)), Side((4, 1))),
    (Side(IMAGE), Side((), constant=True)),
    (Side((1,), constant=True), Side(IMAGE)),
    (Side((2, 1, 3, 1, 2)), Side((1, 3, 1, 4, 1))),
    (Side((2, 1, 3, 1, 2)), Side((1, 3, 1, 4, 1), constant=True)),
)


@st.composite
def operand_pairs(draw: DrawFn) -> tuple[Side, Side]:
    """Draw two shapes that broadcast, and whether one is constant."""
    shape = draw(shapes(1, 5, largest=5))
    full = tuple(draw(st.sampled_from([1, n])) for n in shape) if draw(st.integers(0, 3)) == 0 else shape
    thin = tuple(draw(st.sampled_from([1, n])) for n in shape)[draw(st.integers(0, len(shape) - 1)) :]
    sides = [Side(full), Side(draw(st.sampled_from([shape, thin])))]
    constant = draw(st.sampled_from([None, None, 1]))
    if constant is not None:
        sides[constant] = replace(sides[constant], constant=True)
    return (sides[0], sides[1]) if draw(st.booleans()) else (sides[1], sides[0])


@st.composite
def pair_cases(draw: DrawFn, row: Pair) -> Case:
    """Draw one of an operator's models."""
    a, b = (replace(side, quant=draw(row.quants())) for side in draw(operand_pairs()))
    assert a.quant is not None and b.quant is not None
    natural = row.natural(a.quant.scale, b.quant.scale)
    y = draw(type_quants(row.dtype, powers(*row.ratio).map(lambda factor: natural * factor)))
    return pair(row.kind, row.dtype, (a, b), y, draw(sources()), draw(st.sampled_from(ACTIVATIONS)))


def pair_draw(row: Pair) -> Callable[[Draw], Op]:
    """A random operator for its kernels."""

    def make(draw: Draw) -> Op:
        a, b = drawn_sides(draw, DType(row.dtype), lambda: draw_quant(draw, row))
        natural = row.natural(a.scale, b.scale) * draw.power(*row.ratio)
        y = Tensor("y", np.broadcast_shapes(a.shape, b.shape), a.dtype, replaced(draw_quant(draw, row), natural))
        op = replace(made(row.kind, (a, b), y), rounding=draw.rounding())
        return replace(op, clamp=draw.clamp()) if row.dtype == "int8" else op

    return make


def draw_quant(draw: Draw, row: Pair) -> GraphQuant:
    return draw.quant(-9, 0.9, 0 if row.dtype == "int16" else None)


def replaced(quant: GraphQuant, scale: float) -> GraphQuant:
    return replace(quant, scales=(float(np.float32(scale)),))


def drawn_sides(draw: Draw, dtype: DType, quant: Callable[[], GraphQuant | None]) -> tuple[Tensor, Tensor]:
    full = draw.pick(drawn_shape(draw), (1, *drawn_shape(draw, 3, 3)), drawn_shape(draw, 5, 6, 3))
    sides = [Tensor(name, s, dtype, quant()) for name, s in zip("ab", operand_shapes(draw, full), strict=True)]
    if draw.number(0, 2) == 0:
        index = draw.number(0, 1)
        low, high = (0, 1) if dtype is DType.BOOL else dtype.bounds
        values = draw.rng.integers(low, high + 1, sides[index].shape).astype(dtype.numpy)
        sides[index] = replace(sides[index], data=values)
    return sides[0], sides[1]


# --- truth ----------------------------------------------------------------------------------------

COMPARISONS = ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL")


@st.composite
def comparisons(draw: DrawFn, kind: str) -> Case:
    """Draw a comparison; scales must be below 1, and often are alike."""
    quant = draw(type_quants("int8", powers(-20, -0.1)))
    other = draw(st.one_of(st.just(quant), type_quants("int8", powers(-20, -0.1))))
    a, b = draw(operand_pairs())
    return pair(kind, "int8", (replace(a, quant=quant), replace(b, quant=other)), None, draw(sources()))


@st.composite
def combinations(draw: DrawFn, kind: str) -> Case:
    """Draw a LOGICAL_AND or LOGICAL_OR."""
    return pair(kind, "bool", draw(operand_pairs()), None, draw(sources()))


@st.composite
def negations(draw: DrawFn) -> Case:
    """Draw a LOGICAL_NOT."""
    shape, source = draw(shapes(1, 4)), draw(sources())
    tensors = TensorSpec(shape, "bool"), TensorSpec(shape, "bool")
    return cases._case("LOGICAL_NOT", tensors[:1], tensors[1], {}, source, (numbers(source, shape, "bool", 0),))


def comparison_edges(kind: str) -> list[Case]:
    quants = (Quant(0.5, -128), Quant(0.5, 127)), (Quant(2.0**-20), Quant(2.0**-20)), (Quant(0.3, 5), Quant(0.9999, 3))
    return [
        pair(kind, "int8", (replace(a, quant=first), replace(b, quant=second)), None, Source(i, fill))
        for i, (a, b) in enumerate(WAYS[:7])
        for first, second in quants
        for fill in ("uniform", "small")
    ]


def truth_draw(kind: str, dtype: DType) -> Callable[[Draw], Op]:
    def make(draw: Draw) -> Op:
        a, b = drawn_sides(draw, dtype, lambda: draw.quant(-9, -0.6) if dtype is DType.INT8 else None)
        return made(kind, (a, b), Tensor("y", np.broadcast_shapes(a.shape, b.shape), DType.BOOL))

    return make


def logical(kind: str) -> Row:
    return Row(list, combinations(kind), truth_draw(kind, DType.BOOL))


PAIRS = (
    *(Pair(kind) for kind in ("MAXIMUM", "MINIMUM", "PRELU")),
    Pair("SUB", ratio=(-18, 12)),
    Pair("SQUARED_DIFFERENCE", ratio=(-10, 16)),
    *(Pair(kind, "int16") for kind in ("MAXIMUM", "MINIMUM")),
    *(Pair(kind, "int16", ratio=(-13, 8)) for kind in ("ADD", "SUB")),
    *(Pair(kind, "int16", ratio=(-6, 12)) for kind in ("MUL", "SQUARED_DIFFERENCE")),
)
LEGACY = tuple(Pair(kind, "uint8") for kind in ("ADD", "SUB", "MUL", "MAXIMUM", "MINIMUM", "PRELU"))


def rows() -> Iterator[tuple[str, Row]]:
    for row in PAIRS:
        yield row.kind if row.dtype == "int8" else f"{row.kind} {row.dtype}", row.row()
    for row in LEGACY:
        yield f"{row.kind} {row.dtype}", row.row("litert")
    for kind in COMPARISONS:
        yield kind, Row(lambda kind=kind: comparison_edges(kind), comparisons(kind), truth_draw(kind, DType.INT8))


ROWS: Mapping[str, Row] = {
    **dict(rows()),
    "LOGICAL_AND": logical("LOGICAL_AND"),
    "LOGICAL_OR": logical("LOGICAL_OR"),
    "LOGICAL_NOT": Row(list, negations()),
}
