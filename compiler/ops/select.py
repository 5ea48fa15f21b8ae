"""SELECT_V2 and SELECT: values of one tensor or of another, as a third tells, with broadcasting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..graph import Array, DType, Node, Op, Region, Tensor
from .broadcast import image_shape, repeated
from .checks import differing_quant, wrong_types
from .elementwise import differing_types


@dataclass(frozen=True, eq=False)
class SelectV2(Op):
    kind = "SELECT_V2"
    summary = "values of one tensor where a condition is true, of another elsewhere, with broadcasting"
    limits = "one scale for all; repeats along rows, columns or channels"
    short = "select"
    arity = (3, 3)
    types: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.INT16)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs)

    @property
    def operands(self) -> tuple[Tensor, ...]:
        """The condition, what is taken where it is true, and elsewhere."""
        return tuple(t for t in self.inputs if t is not None)

    @property
    def streams(self) -> bool:
        return True

    def window(self, index: int, region: Region) -> Region:
        source = self.inputs[index]
        assert source is not None
        return repeated(source, self.y, region)

    def invalid(self) -> Iterator[str]:
        names = ", ".join(t.describe() for t in self.operands)
        try:
            shape = np.broadcast_shapes(*(t.shape for t in self.operands))
        except ValueError:
            yield f"{names} do not broadcast"
            return
        if shape != self.y.shape:
            yield f"{self.y.describe()} is not what {names} give"

    def unsupported(self) -> Iterator[str]:
        condition, yes, no = self.operands
        yield from wrong_types(self, (condition,), (DType.BOOL,))
        yield from differing_types(self, (yes, no, self.y), self.types)
        yield from differing_quant(self, (yes, no))
        for tensor in self.operands:
            if image_shape(tensor, self.y) is None:
                yield f"{tensor.describe()} repeats along other axes of {self.y.name} than rows, columns or channels"

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        condition, yes, no = (np.asarray(value) for value in inputs)
        return (np.where(condition, yes, no),)


@dataclass(frozen=True, eq=False)
class Select(SelectV2):
    """The older form, in which a condition of one dimension goes by the first axis."""

    kind = "SELECT"
    summary = "values of one tensor where a condition is true, of another elsewhere"
    limits = "one scale and one shape for all; TFLM has none: as LiteRT's reference kernel"

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        for tensor in self.operands:
            if tensor.shape != self.y.shape:
                yield f"{tensor.describe()} has another shape than {self.y.describe()}"
