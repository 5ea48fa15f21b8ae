"""EQUAL, LESS... and LOGICAL_AND, LOGICAL_OR, with broadcasting; LOGICAL_NOT."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale
from ..graph import Array, DType, Node
from .broadcast import PairOp
from .checks import INDEX_TYPES, wrong_types
from .elementwise import ElementwiseOp, differing_types, have_quant

BOOL = (DType.BOOL,)


@dataclass(frozen=True, eq=False)
class ComparisonOp(PairOp):
    """Both operands are brought to a scale of 1, with 8 spare bits."""

    limits = "per tensor, scales below 1; int32 and int64 constants, folded when compiling"
    result = "comparison"
    types: ClassVar[tuple[DType, ...]] = (DType.INT8,)
    left_shift: ClassVar[int] = 8

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def scales(self) -> tuple[Multiplier, Multiplier]:
        return quantize_multiplier(self.x.scale), quantize_multiplier(self.b.scale)

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from wrong_types(self, (self.y,), BOOL)
        if not self.activations and self.x.dtype in INDEX_TYPES:
            yield from wrong_types(self, self.operands, (self.x.dtype,))
            return
        yield from differing_types(self, self.operands, self.types)
        for tensor in self.operands if have_quant(*self.operands) else ():
            if tensor.scale >= 1 or quantize_multiplier(tensor.scale).shift > 0:
                yield f"{tensor.name} has scale {tensor.scale:g}; {self.kind} takes scales below 1"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        a, b = (np.asarray(v, np.int64) for v in inputs)
        if self.x.dtype is DType.INT8:
            scales = self.scales()
            a = rescale((a - self.x.zero_point) << self.left_shift, *scales[0])
            b = rescale((b - self.b.zero_point) << self.left_shift, *scales[1])
        return (np.asarray(self.compare(a, b)),)

    @abstractmethod
    def compare(self, a: Array, b: Array) -> Array:
        """Of integers."""


@dataclass(frozen=True, eq=False)
class Equal(ComparisonOp):
    kind = "EQUAL"
    summary = "where two tensors are equal, with broadcasting"
    short = "equal"

    def compare(self, a: Array, b: Array) -> Array:
        return np.equal(a, b)


@dataclass(frozen=True, eq=False)
class NotEqual(ComparisonOp):
    kind = "NOT_EQUAL"
    summary = "where two tensors differ, with broadcasting"
    short = "not_equal"

    def compare(self, a: Array, b: Array) -> Array:
        return np.not_equal(a, b)


@dataclass(frozen=True, eq=False)
class Greater(ComparisonOp):
    kind = "GREATER"
    summary = "where the first tensor is larger, with broadcasting"
    short = "greater"

    def compare(self, a: Array, b: Array) -> Array:
        return np.greater(a, b)


@dataclass(frozen=True, eq=False)
class GreaterEqual(ComparisonOp):
    kind = "GREATER_EQUAL"
    summary = "where the first tensor is not smaller, with broadcasting"
    short = "greater_equal"

    def compare(self, a: Array, b: Array) -> Array:
        return np.greater_equal(a, b)


@dataclass(frozen=True, eq=False)
class Less(ComparisonOp):
    kind = "LESS"
    summary = "where the first tensor is smaller, with broadcasting"
    short = "less"

    def compare(self, a: Array, b: Array) -> Array:
        return np.less(a, b)


@dataclass(frozen=True, eq=False)
class LessEqual(ComparisonOp):
    kind = "LESS_EQUAL"
    summary = "where the first tensor is not larger, with broadcasting"
    short = "less_equal"

    def compare(self, a: Array, b: Array) -> Array:
        return np.less_equal(a, b)


def truth(value: Array | None) -> Array:
    """What is not 0."""
    return np.asarray(value, np.bool_)


@dataclass(frozen=True, eq=False)
class LogicalOp(PairOp):
    limits = "as TFLM"
    result = "combination"
    types: ClassVar[tuple[DType, ...]] = BOOL

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from wrong_types(self, (*self.operands, self.y), self.types)


@dataclass(frozen=True, eq=False)
class LogicalAnd(LogicalOp):
    kind = "LOGICAL_AND"
    summary = "where both tensors are true, with broadcasting"
    short = "and"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        a, b = map(truth, inputs)
        return (np.asarray(a & b),)


@dataclass(frozen=True, eq=False)
class LogicalOr(LogicalOp):
    kind = "LOGICAL_OR"
    summary = "where one of two tensors is true, with broadcasting"
    short = "or"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        a, b = map(truth, inputs)
        return (np.asarray(a | b),)


@dataclass(frozen=True, eq=False)
class LogicalNot(ElementwiseOp):
    kind = "LOGICAL_NOT"
    summary = "where a tensor is not true"
    limits = "as TFLM"
    short = "not"
    types: ClassVar[tuple[DType, ...]] = BOOL

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (self.x, self.y), self.types)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (~truth(inputs[0]),)
