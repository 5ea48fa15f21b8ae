"""Functions of one 8-bit value, and of vectors of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tecompile.graph import Node, Op, Tensor
from tecompile.graph import Quant as GraphQuant
from tecompile.ops import OPERATORS
from tests.host.ops import Draw
from tests.host.ops import shape as drawn_shape
from tests.tools import cases
from tests.tools.cases import Case, Quant, Shape, Source
from tests.tools.random_ops import powers, quants, shapes, sources
from tests.tools.tflite_writer import OptionValue, TensorSpec

from .row import Row

Options = Mapping[str, OptionValue]
ZERO_POINTS = {"int8": (-128, 0, 127), "uint8": (0, 128, 255), "int16": (0,)}
PLAIN: SearchStrategy[Options] = st.just({})


def case(
    kind: str, shape: Shape, dtype: str, x: Quant, y: Quant, source: Source, options: Options | None = None
) -> Case:
    """Any operator of one tensor that keeps its shape and type."""
    tensors = [TensorSpec(shape, dtype, quant.scale, quant.zero_point) for quant in (x, y)]
    return cases._case(kind, tensors[:1], tensors[1], options or {}, source)


def type_quants(dtype: str, scales: SearchStrategy[float]) -> SearchStrategy[Quant]:
    """Quantisations of a type; int16 is centred."""
    if dtype == "int16":
        return st.builds(Quant, scales)
    return quants(scales, ZERO_POINTS[dtype][0])


@dataclass(frozen=True)
class Unary:
    """What of an operator's inputs is possible: `ratio`, in powers of two, of the input's scale over the output's;
    or `y`, the one quantisation that the output can have, or none for that of the input."""

    kind: str
    dtype: str = "int8"
    scales: tuple[float, float] = (-12, 3)
    ratio: tuple[float, float] = (-6, 6)
    y: Quant | None = None
    same: bool = False
    zero: int | None = None  # the input's zero point
    options: SearchStrategy[Options] = PLAIN

    def outputs(self, x: Quant) -> SearchStrategy[Quant]:
        factors = powers(*self.ratio).map(lambda factor: x.scale / factor)
        return type_quants(self.dtype, factors)

    def edges(self) -> list[Case]:
        """Every byte at every nasty zero point, with scales from end to end."""
        return [self._edge(scale, zero, ratio) for scale in self._scales() for zero, ratio in self._zeros()]

    def _scales(self) -> Iterator[float]:
        low, high = self.scales
        yield from (2.0**low * 1.01, 2.0 ** ((low + high) / 2), 0.0471, 1 / 3, 2.0**high * 0.99)

    def _zeros(self) -> Iterator[tuple[int, float]]:
        zeros = ZERO_POINTS[self.dtype] if self.zero is None else (self.zero,)
        middle = sum(self.ratio) / 2
        yield from (
            (zero, ratio) for zero in zeros for ratio in (self.ratio[0], middle, 0.5849625, self.ratio[1] * 0.99)
        )

    def _edge(self, scale: float, zero: int, ratio: float) -> Case:
        x = Quant(scale, zero)
        y = x if self.same else self.y or Quant(x.scale / 2.0**ratio, ZERO_POINTS[self.dtype][-1] // 3)
        options = {"alpha": 0.3} if self.kind == "LEAKY_RELU" else {}
        return case(self.kind, (1, 600), self.dtype, x, y, Source(1), options)

    def row(self, golden: str = "tflm", draw: Callable[[Draw], Op] | None = None) -> Row:
        return Row(self.edges, unary_cases(self), draw, golden)


@st.composite
def unary_cases(draw: DrawFn, unary: Unary) -> Case:
    """Draw one of an operator's models."""
    x = draw(type_quants(unary.dtype, powers(*unary.scales)))
    x = x if unary.zero is None else Quant(x.scale, unary.zero)
    y = x if unary.same else unary.y or draw(unary.outputs(x))
    return case(unary.kind, draw(shapes(1, 4)), unary.dtype, x, y, draw(sources()), draw(unary.options))


SLOPES: SearchStrategy[Options] = st.one_of(st.sampled_from([0.0, 0.1, 0.2, 1.0, -0.3]), st.floats(0, 2, width=32)).map(
    lambda alpha: {"alpha": alpha}
)
APPROXIMATE: SearchStrategy[Options] = st.booleans().map(lambda approximate: {"approximate": approximate})
TANH = Quant(1 / 128)
UNARY = (
    Unary("ABS"),
    Unary("ELU", scales=(-20, 10), ratio=(-20, 21)),
    Unary("HARD_SWISH", scales=(-20, 10), ratio=(-7, 6.9)),
    Unary("LEAKY_RELU", ratio=(-20, 10), options=SLOPES),
    Unary("RSQRT", scales=(-12, 3), ratio=(-5, 6), zero=-128),
    Unary("TANH", scales=(-27.9, 34), y=TANH),
)
LITERT = (
    Unary("EXP", scales=(-20, 5)),
    Unary("GELU", options=APPROXIMATE),
    Unary("LOG", scales=(-20, 5)),
    Unary("NEG", same=True, zero=0),
    Unary("RELU_0_TO_1", ratio=(-20, 10)),
    Unary("RELU_N1_TO_1", ratio=(-20, 10)),
    Unary("SQRT", scales=(-20, 5), zero=-128),
)

# --- vectors --------------------------------------------------------------------------------------

UNIT, LOGARITHMS = Quant(1 / 128), Quant(1 / 16, 127)


@st.composite
def vectors(draw: DrawFn, kind: str, y: Quant, low: float, high: float) -> Case:
    """Draw one of those that work along the last axis."""
    shape = (*draw(shapes(0, 3, largest=4)), draw(st.one_of(st.integers(1, 40), st.integers(100, 400))))
    return case(kind, shape, "int8", draw(quants(powers(low, high))), y, draw(sources()))


def vector_edges(kind: str, y: Quant) -> list[Case]:
    fills = (Source(1), Source(2, "extremes"), Source(3, "low"), Source(4, "high"), Source(5, "small"))
    shapes_ = ((7,), (1, 1), (3, 10), (2, 1, 3, 5), (1, 1000))
    return [
        case(kind, shape, "int8", Quant(scale, zero), y, source)
        for shape, source in zip(shapes_ * 2, fills + fills[::-1], strict=True)
        for scale, zero in ((2.0**-20, 0), (0.03, -128), (0.7, 127), (100.0, 2))
    ]


def vector_draw(kind: str, y: GraphQuant) -> Callable[[Draw], Op]:
    def make(draw: Draw) -> Op:
        shape = (*drawn_shape(draw)[:-1], draw.pick(1, 2, 3, 10, 37, 300))
        tensors = draw.tensor("x", shape, draw.quant(-9, 2)), draw.tensor("y", shape, y)
        return made(kind, tensors[:1], tensors[1])

    return make


def made(
    kind: str, inputs: tuple[Tensor, ...], y: Tensor, options: Mapping[str, int | float | str] | None = None
) -> Op:
    """An operator as the frontend makes it."""
    return OPERATORS[kind].from_options(Node(0, kind, inputs, (y,), options or {}))


ROWS: Mapping[str, Row] = {
    **{unary.kind: unary.row() for unary in UNARY},
    **{unary.kind: unary.row("litert") for unary in LITERT},
    "L2_NORMALIZATION": Row(
        lambda: vector_edges("L2_NORMALIZATION", UNIT),
        vectors("L2_NORMALIZATION", UNIT, -12, 3),
        vector_draw("L2_NORMALIZATION", GraphQuant((1 / 128,), (0,))),
    ),
    "LOG_SOFTMAX": Row(
        lambda: vector_edges("LOG_SOFTMAX", LOGARITHMS),
        vectors("LOG_SOFTMAX", LOGARITHMS, -22, 6),
        vector_draw("LOG_SOFTMAX", GraphQuant((1 / 16,), (127,))),
    ),
}
