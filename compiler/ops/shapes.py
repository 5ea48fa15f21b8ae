"""SHAPE, PACK and UNPACK: shape arithmetic, folded away when its inputs are known, and at run time mere moves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from ..graph import Array, DType, Node, Op, Tensor
from .checks import INDEX_TYPES, differing_quant, wrong_shape
from .concatenation import MOST_INPUTS, Concatenation
from .options import option_int
from .reshape import Reshape
from .strided import MOVED, unmovable
from .strided_slice import between, slice_of


@dataclass(frozen=True, eq=False)
class Shape(Op):
    """Known at compile time, whatever its input holds."""

    kind = "SHAPE"
    summary = "the shape of a tensor"
    limits = "folded when compiling"
    short = "shape"
    types: ClassVar[tuple[DType, ...]] = tuple(DType)
    arity = (1, 1)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    def invalid(self) -> Iterator[str]:
        yield from wrong_shape(self.y, (len(self.x.shape),))
        if self.y.dtype not in INDEX_TYPES:
            yield f"{self.y.name} is {self.y.dtype.value}, not int32 or int64"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.array(self.x.shape, self.y.dtype.numpy),)


@dataclass(frozen=True, eq=False)
class Pack(Op):
    """Stacks its inputs along a new axis."""

    axis: int

    kind = "PACK"
    summary = "stacks tensors along a new axis"
    limits = f"at most {MOST_INPUTS} inputs at run time, all quantised alike; any constants, folded when compiling"
    short = "pack"
    types: ClassVar[tuple[DType, ...]] = tuple(t for t in MOVED if t is not DType.BOOL)
    arity = (1, 64)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_int(node, "axis", 0))

    def invalid(self) -> Iterator[str]:
        sources = [t for t in self.inputs if t is not None]
        if len({t.shape for t in sources}) != 1 or len(sources) != len(self.inputs):
            yield "the inputs of PACK differ in shape"
        elif {t.dtype for t in sources} != {self.y.dtype}:
            yield "the inputs and the output of PACK differ in type"
        elif not -len(self.y.shape) <= self.axis < len(self.y.shape):
            yield f"axis {self.axis} does not exist in {self.y.describe()}"
        else:
            kept = list(self.x.shape)
            kept.insert(self.axis % len(self.y.shape), len(sources))
            yield from wrong_shape(self.y, tuple(kept))

    @property
    def parts(self) -> tuple[Tensor, ...]:
        return tuple(t for t in self.inputs if t is not None)

    def unsupported(self) -> Iterator[str]:
        yield from unmovable(self, (*self.parts, self.y), self.types)
        if self.activations:
            yield from differing_quant(self, self.parts)
            if len(self.parts) > MOST_INPUTS:
                yield f"{len(self.parts)} inputs; at most {MOST_INPUTS} are possible"

    def simpler(self) -> tuple[Op, ...]:
        """Each input with the new axis, one after the other."""
        if not self.activations:
            return ()
        axis = self.axis % len(self.y.shape)
        shape = (*self.y.shape[:axis], 1, *self.y.shape[axis + 1 :])
        sources = dict.fromkeys(self.parts)
        lifted = {t: between(self.y, f"part{i}", shape) for i, t in enumerate(sources)}
        views = (Reshape(self.index, (t,), (lifted[t],)) for t in sources if not t.is_constant)
        flat = {t: replace(t, name=lifted[t].name, shape=shape, data=_shaped(t, shape)) for t in self.constants}
        parts = tuple(flat.get(t, lifted[t]) for t in self.parts)
        return (*views, Concatenation(self.index, parts, self.outputs, axis, "NONE"))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        return (np.stack([v for v in inputs if v is not None], axis=self.axis),)


def _shaped(tensor: Tensor, shape: tuple[int, ...]) -> Array:
    assert tensor.data is not None
    return tensor.data.reshape(shape)


@dataclass(frozen=True, eq=False)
class Unpack(Op):
    """Takes its input apart along an axis, which disappears."""

    axis: int

    kind = "UNPACK"
    summary = "takes a tensor apart along an axis"
    limits = "without rescaling; as LiteRT for types that TFLM refuses; any constants, folded when compiling"
    short = "unpack"
    types: ClassVar[tuple[DType, ...]] = tuple(t for t in MOVED if t is not DType.INT64)
    arity = (1, 1)
    results = (1, 1 << 16)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_int(node, "axis", 0))

    def invalid(self) -> Iterator[str]:
        rank = len(self.x.shape)
        if not -rank <= self.axis < rank:
            yield f"axis {self.axis} does not exist in {self.x.describe()}"
        elif self.x.shape[self.axis] != len(self.outputs):
            yield f"{self.x.describe()} has {self.x.shape[self.axis]} parts along axis {self.axis}"
        elif {t.dtype for t in self.outputs} != {self.x.dtype}:
            yield "the input and the outputs of UNPACK differ in type"
        else:
            axis = self.axis % rank
            for y in self.outputs:
                yield from wrong_shape(y, (*self.x.shape[:axis], *self.x.shape[axis + 1 :]))

    def unsupported(self) -> Iterator[str]:
        yield from unmovable(self, (self.x, *self.outputs), self.types)

    def simpler(self) -> tuple[Op, ...]:
        return tuple(op for number in range(len(self.outputs)) for op in self._part(number))

    def _part(self, number: int) -> tuple[Op, Op]:
        """A slice of one, and its shape without the axis."""
        axis, y = self.axis % len(self.x.shape), self.outputs[number]
        begin = tuple(number if i == axis else 0 for i in range(len(self.x.shape)))
        sizes = tuple(1 if i == axis else n for i, n in enumerate(self.x.shape))
        part = between(y, "part", sizes)
        return slice_of(self.index, self.x, part, begin, sizes), Reshape(self.index, (part,), (y,))

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None
        parts = np.moveaxis(x, self.axis, 0)
        return tuple(np.ascontiguousarray(part).reshape(y.shape) for part, y in zip(parts, self.outputs, strict=True))
