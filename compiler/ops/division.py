"""DIV, FLOOR_DIV and FLOOR_MOD of the integers that shape arithmetic is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..arith import INT32_MIN, truncated_divide
from ..graph import Array, DType
from .broadcast import BroadcastOp
from .checks import wrong_types


@dataclass(frozen=True, eq=False)
class DivisionOp(BroadcastOp):
    """Computed when compiling, or not at all."""

    types = (DType.INT32,)

    def unsupported(self) -> Iterator[str]:
        a, b = self.x.data, self.b.data
        yield from wrong_types(self, (*self.operands, self.y), self.types)
        if a is None or b is None:
            yield f"it divides what is computed at run time; {self.kind} takes constants"
        elif (b == 0).any():
            yield f"{self.b.name} holds a 0 to divide by"
        elif (a == INT32_MIN).any() and (b == -1).any():
            yield f"{self.x.name} may be divided by -1 where the result needs more than 32 bits"

    def scaled(self, a: Array, b: Array) -> Array:
        return self.exact(a, b)


@dataclass(frozen=True, eq=False)
class Div(DivisionOp):
    kind = "DIV"
    summary = "the quotient of two tensors, rounded towards zero, with broadcasting and a fused activation"
    limits = "int32 constants, folded when compiling"
    short = "div"
    result = "quotient"

    def exact(self, a: Array, b: Array) -> Array:
        return np.asarray(truncated_divide(a, np.abs(b)) * np.sign(b))


@dataclass(frozen=True, eq=False)
class FloorDiv(DivisionOp):
    kind = "FLOOR_DIV"
    summary = "the quotient of two tensors, rounded down, with broadcasting"
    limits = "int32 constants, folded when compiling; TFLM has none: as LiteRT's reference kernel"
    short = "floor_div"
    result = "quotient"

    def exact(self, a: Array, b: Array) -> Array:
        return np.asarray(a // b)


@dataclass(frozen=True, eq=False)
class FloorMod(DivisionOp):
    kind = "FLOOR_MOD"
    summary = "what dividing two tensors leaves, with the divisor's sign, with broadcasting"
    limits = "int32 constants, folded when compiling; TFLM has none: as LiteRT's reference kernel"
    short = "floor_mod"
    result = "remainder"

    def exact(self, a: Array, b: Array) -> Array:
        return np.asarray(a % b)
