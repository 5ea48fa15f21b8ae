"""Values of one tensor or of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tecompile.graph import DType, Op, Tensor
from tecompile.graph import Quant as GraphQuant
from tests.host.ops import Draw
from tests.host.ops import shape as drawn_shape
from tests.tools import cases
from tests.tools.cases import Case, Quant, Source
from tests.tools.random_ops import powers, shapes, sources
from tests.tools.tflite_writer import TensorSpec

from .elementwise_pairs import Side, numbers
from .elementwise_unary import made, type_quants
from .row import Row

DOTS = ((1, 3, 4, 2), (1, 3, 4, 1), (1, 1, 4, 2), (1, 3, 1, 1), (1, 1, 1, 2), (2,), (1,), (1, 4, 2))


def choice(dtype: str, sides: tuple[Side, ...], quant: Quant, source: Source, kind: str = "SELECT_V2") -> Case:
    """The first side is the condition."""
    tensors = []
    for number, side in enumerate(sides):
        element = dtype if number else "bool"
        data = numbers(source, side.shape, element, 9 + number) if side.constant else None
        scale, zero = (quant.scale, quant.zero_point) if number else (None, 0)
        tensors.append(TensorSpec(side.shape, element, scale, zero, data=data))
    shape = np.broadcast_shapes(*(side.shape for side in sides))
    output = TensorSpec(shape, dtype, quant.scale, quant.zero_point)
    arrays = tuple(numbers(source, t.shape, t.dtype, i) for i, t in enumerate(tensors) if t.data is None)
    return cases._case(kind, tensors, output, {}, source, arrays)


@st.composite
def choices(draw: DrawFn) -> Case:
    """Draw operands of which one has the full shape and is computed at run time; others may be constant."""
    dtype, some = draw(st.sampled_from(["int8", "int16"])), st.sampled_from(DOTS)
    others = [Side(draw(some), None, draw(st.booleans()) and len(draw(some)) < 4) for _ in range(2)]
    sides = draw(st.permutations([Side(DOTS[0]), *others]))
    return choice(dtype, tuple(sides), draw(type_quants(dtype, powers(-8, 3))), draw(sources()))


@st.composite
def equal_choices(draw: DrawFn) -> Case:
    """Draw a SELECT, whose shapes are all alike; the condition may be constant."""
    dtype, side = draw(st.sampled_from(["int8", "int16"])), Side(draw(shapes(1, 4)))
    sides = Side(side.shape, None, draw(st.booleans())), side, side
    return choice(dtype, sides, draw(type_quants(dtype, powers(-8, 3))), draw(sources()), "SELECT")


def choice_edges() -> list[Case]:
    full, flat, one = Side(DOTS[0]), Side((5,)), Side((), None, True)
    ways = [(full, Side(s), Side(t, None, True)) for s in DOTS for t in DOTS[:3]]
    ways += [(Side(s), full, one) for s in DOTS]
    ways += [(flat, flat, flat), (flat, one, flat), (Side((1,), None, True), flat, flat)]
    return [choice(dtype, way, Quant(0.5), Source(i)) for i, way in enumerate(ways) for dtype in ("int8", "int16")]


def draw_choice(draw: Draw) -> Op:
    full = draw.pick((1, *drawn_shape(draw, 3, 3)), drawn_shape(draw, 3, 3), drawn_shape(draw, 2, 2))
    thin = [(*full[:-1], 1), full[-1:], full] if len(full) > 2 else [full]
    dtype, whole = draw.pick(DType.INT8, DType.INT16), draw.number(0, 2)
    quant = GraphQuant((0.5,), (0,))
    tensors = [
        Tensor(name, full if i == whole else draw.pick((1,), *thin), dtype if i else DType.BOOL, quant if i else None)
        for i, name in enumerate("cab")
    ]
    if draw.number(0, 1):
        fixed = (whole + 1) % 3
        values = draw.rng.integers(0, 2, tensors[fixed].shape).astype(tensors[fixed].dtype.numpy)
        tensors[fixed] = replace(tensors[fixed], data=values)
    return made("SELECT_V2", tuple(tensors), Tensor("y", full, dtype, quant))


ROWS: Mapping[str, Row] = {
    "SELECT": Row(list, equal_choices(), golden="litert"),
    "SELECT_V2": Row(choice_edges, choices(), draw_choice),
}
