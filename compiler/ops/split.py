"""SLICE, SPLIT, SPLIT_V: parts of a tensor, each the same as a STRIDED_SLICE."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, Self

import numpy as np

from ..graph import Array, DType, Node, Op, Tensor
from .checks import INDEX_TYPES, WrongShape, integers, not_constant, wrong_shape, wrong_types
from .concatenation import alike_but_along
from .strided import MOVED, unmovable
from .strided_slice import slice_of


@dataclass(frozen=True, eq=False)
class Slice(Op):
    """A size of -1 means: up to the end."""

    kind = "SLICE"
    summary = "x[begin:begin + size]"
    limits = "constant bounds; without rescaling; as LiteRT for types that TFLM refuses"
    short = "slice"
    types: ClassVar[tuple[DType, ...]] = MOVED
    arity = (3, 3)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    def begin(self) -> tuple[int, ...] | None:
        table = integers(self.inputs[1])
        return None if table is None else tuple(table.reshape(-1).tolist())

    @property
    def sizes(self) -> tuple[int, ...] | None:
        table, begin = integers(self.inputs[2]), self.begin
        if table is None or begin is None:
            return None
        wanted = table.reshape(-1).tolist()
        if len(wanted) != len(self.x.shape) or len(begin) != len(wanted):
            return tuple(wanted)
        return tuple(n - b if w == -1 else w for n, b, w in zip(self.x.shape, begin, wanted, strict=True))

    def invalid(self) -> Iterator[str]:
        begin, sizes = self.begin, self.sizes
        if self.x.dtype is not self.y.dtype:
            yield f"{self.y.describe()} is no slice of {self.x.describe()}"
        if begin is None or sizes is None:
            return
        if {len(begin), len(sizes)} != {len(self.x.shape)}:
            yield f"begin and size do not speak of every axis of {self.x.describe()}"
        elif any(b < 0 or n < 1 or b + n > size for b, n, size in zip(begin, sizes, self.x.shape, strict=True)):
            yield f"begin {list(begin)} and size {list(sizes)} do not fit {self.x.describe()}"
        else:
            yield from wrong_shape(self.y, sizes)

    def unsupported(self) -> Iterator[str]:
        yield from not_constant(self.inputs[1:], "slice bounds")
        yield from wrong_types(self, self.inputs[1:], INDEX_TYPES)
        yield from unmovable(self, (self.x, self.y))

    def simpler(self) -> tuple[Op, ...]:
        assert self.begin is not None and self.sizes is not None
        return (slice_of(self.index, self.x, self.y, self.begin, self.sizes),)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None and self.begin is not None and self.sizes is not None
        return (x[tuple(slice(b, b + n) for b, n in zip(self.begin, self.sizes, strict=True))].copy(),)


@dataclass(frozen=True, eq=False)
class SplitOp(Op):
    """Outputs follow each other along an axis; their shapes say where each begins."""

    results = (1, 1 << 16)
    types: ClassVar[tuple[DType, ...]] = tuple(t for t in MOVED if t is not DType.BOOL)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    @abstractmethod
    def source(self) -> Tensor:
        """What is split."""

    @property
    @abstractmethod
    def axis_table(self) -> Tensor | None:
        """The input that says along which axis."""

    @property
    def axis(self) -> int | None:
        """Not negative; None while unknown, or where there is none such."""
        table, rank = integers(self.axis_table), len(self.source.shape)
        if table is None or table.size != 1 or not -rank <= table.item() < rank:
            return None
        return int(table.item()) % rank

    @property
    def starts(self) -> tuple[int, ...]:
        """Where each output begins, and where the last ends."""
        assert self.axis is not None
        return tuple(accumulate((y.shape[self.axis] for y in self.outputs), initial=0))

    def invalid(self) -> Iterator[str]:
        x, axis = self.source, self.axis
        if {y.dtype for y in self.outputs} != {x.dtype}:
            yield f"the input and the outputs of {self.kind} differ in type"
        elif axis is None:
            if integers(self.axis_table) is not None:
                yield f"the axis does not exist in {x.describe()}"
        elif not all(alike_but_along(y, x, axis) for y in self.outputs):
            yield from self._wrong_outputs(x, axis)
        elif self.starts[-1] != x.shape[axis]:
            yield f"the outputs do not add up to {x.describe()}"

    def _wrong_outputs(self, x: Tensor, axis: int) -> Iterator[str]:
        text = f"the outputs do not fit {x.describe()} along axis {axis}"
        for y in self.outputs:
            if len(y.shape) != len(x.shape):
                yield text
            elif not alike_but_along(y, x, axis):
                yield WrongShape.of(y, (*x.shape[:axis], y.shape[axis], *x.shape[axis + 1 :]), text)

    def unsupported(self) -> Iterator[str]:
        yield from not_constant((self.axis_table,), "axis")
        yield from wrong_types(self, (self.axis_table,), (DType.INT32,))
        yield from unmovable(self, (self.source, *self.outputs), self.types)

    def simpler(self) -> tuple[Op, ...]:
        axis, rank = self.axis, len(self.source.shape)
        begins = (tuple(start if i == axis else 0 for i in range(rank)) for start in self.starts)
        pairs = zip(self.outputs, begins, strict=False)
        return tuple(slice_of(self.index, self.source, y, begin, y.shape) for y, begin in pairs)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[self.inputs.index(self.source)]
        assert x is not None and self.axis is not None
        return tuple(part.copy() for part in np.split(x, self.starts[1:-1], self.axis))


@dataclass(frozen=True, eq=False)
class Split(SplitOp):
    """Into equal parts; the axis comes first."""

    kind = "SPLIT"
    summary = "a tensor in equal parts along an axis"
    limits = "constant axis; without rescaling; as LiteRT for types that TFLM refuses"
    short = "split"
    arity = (2, 2)

    @property
    def source(self) -> Tensor:
        return self.required(1)

    @property
    def axis_table(self) -> Tensor | None:
        return self.inputs[0]

    def invalid(self) -> Iterator[str]:
        yield from super().invalid()
        if len({y.shape for y in self.outputs}) != 1:
            yield "the outputs of SPLIT differ in shape"


@dataclass(frozen=True, eq=False)
class SplitV(SplitOp):
    """Into parts of given sizes, of which one may be -1."""

    kind = "SPLIT_V"
    summary = "a tensor in parts of given sizes along an axis"
    limits = "constant axis and sizes; without rescaling; as LiteRT for types that TFLM refuses"
    short = "split"
    arity = (3, 3)

    @property
    def source(self) -> Tensor:
        return self.x

    @property
    def axis_table(self) -> Tensor | None:
        return self.inputs[2]

    def invalid(self) -> Iterator[str]:
        yield from super().invalid()
        sizes = integers(self.inputs[1])
        if sizes is None or self.axis is None:
            return
        given = [y.shape[self.axis] if self.axis < len(y.shape) else 0 for y in self.outputs]
        wanted = sizes.reshape(-1).tolist()
        if len(wanted) != len(given) or any(w not in (-1, g) for w, g in zip(wanted, given, strict=True)):
            yield f"outputs of {given} where sizes {wanted} are asked for"

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from not_constant((self.inputs[1],), "table of sizes")
        yield from wrong_types(self, (self.inputs[1],), INDEX_TYPES)
