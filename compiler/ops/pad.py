"""PAD, PADV2, MIRROR_PAD: a border around any axes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self, TypeAlias

import numpy as np

from ..graph import Array, DType, Node, Op, Region, Span, Tensor
from .checks import INDEX_TYPES, differing_quant, integers, not_constant, not_per_tensor, wrong_shape, wrong_types
from .gather import MOST_PLACES, Gather
from .options import option_int
from .reshape import Reshape
from .strided_slice import between, index_table

Amounts: TypeAlias = tuple[tuple[int, int], ...]
MOST_AXES = 5  # with a border
REFLECT = 0  # mode of MIRROR_PAD; the other one is symmetric


@dataclass(frozen=True, eq=False)
class BorderOp(Op):
    """`amounts[axis]` is how many values come before and after; None until its table is known."""

    amounts: Amounts | None

    short = "pad"
    types: ClassVar[tuple[DType, ...]] = (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.BOOL)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, None)

    def __post_init__(self) -> None:
        """The table may become known later, when a pass has folded what computes it."""
        table = integers(self.inputs[1])
        if self.amounts is None and table is not None and table.size % 2 == 0:
            amounts = tuple((int(before), int(after)) for before, after in table.reshape(-1, 2))
            object.__setattr__(self, "amounts", amounts)

    def invalid(self) -> Iterator[str]:
        if self.x.dtype is not self.y.dtype:
            yield f"{self.y.describe()} is not {self.x.describe()} with a border"
        if self.amounts is None:
            table = integers(self.inputs[1])
            if table is not None:
                yield "the table of paddings holds an odd number of values"
            return
        if len(self.amounts) != len(self.x.shape) or min((min(pair) for pair in self.amounts), default=0) < 0:
            yield f"paddings {self.amounts} do not fit {self.x.describe()}"
            return
        expected = tuple(n + before + after for n, (before, after) in zip(self.x.shape, self.amounts, strict=True))
        yield from wrong_shape(self.y, expected)

    def unsupported(self) -> Iterator[str]:
        if self.activations:
            yield from wrong_types(self, (self.x, self.y), self.types)
            yield from not_per_tensor((self.x, self.y))
            yield from differing_quant(self, (self.x,))
        yield from not_constant((self.inputs[1],), "padding table")
        yield from wrong_types(self, (self.inputs[1],), INDEX_TYPES)


@dataclass(frozen=True, eq=False)
class FilledPad(BorderOp):
    """The border holds one value everywhere."""

    @property
    @abstractmethod
    def value(self) -> int:
        """In quantised units."""

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if self.activations and sum(map(any, self.amounts or ())) > MOST_AXES:
            yield f"a border along more than {MOST_AXES} axes"

    @property
    def only_rows_and_columns(self) -> bool:
        amounts = self.amounts or ()
        return len(amounts) == 4 and amounts[0] == (0, 0) and amounts[3] == (0, 0)

    @property
    def image_amounts(self) -> tuple[tuple[int, int], ...] | None:
        """Those of rows, columns and channels, if there is but one image."""
        amounts = self.amounts or ()
        fits = len(amounts) >= 3 and not any(map(any, amounts[:-3])) and set(self.x.shape[:-3]) <= {1}
        return amounts[-3:] if fits else None

    @property
    def streams(self) -> bool:
        return self.image_amounts is not None

    def window(self, index: int, region: Region) -> Region:
        if self.image_amounts is None:
            return self.x.whole
        image, (rows, columns, _) = self.x.image, self.image_amounts
        return Region(
            _shifted(region.rows, rows[0], image.rows),
            _shifted(region.columns, columns[0], image.columns),
        )

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None and self.amounts is not None
        return (np.pad(x, self.amounts, constant_values=self.value),)


@dataclass(frozen=True, eq=False)
class Pad(FilledPad):
    """The border is the zero point, which stands for zero."""

    kind = "PAD"
    summary = "a border of zeros on any axis"
    limits = "constant amounts; input and output quantised alike; as LiteRT for types that TFLM refuses"
    arity = (2, 2)

    @property
    def value(self) -> int:
        return 0 if self.y.quant is None else self.y.zero_point


@dataclass(frozen=True, eq=False)
class PadV2(FilledPad):
    """The third input is the border's value, in the units of the output."""

    kind = "PADV2"
    summary = "a border of any value on any axis"
    limits = "constant amounts and value; input, output and an 8-bit value quantised alike; as LiteRT for uint8"
    arity = (3, 3)

    @property
    def filler(self) -> Tensor:
        return self.required(2)

    @property
    def value(self) -> int:
        return 0 if self.filler.data is None else int(self.filler.data.item())

    def invalid(self) -> Iterator[str]:
        yield from super().invalid()
        if self.filler.elements != 1 or self.filler.dtype is not self.y.dtype:
            yield f"{self.filler.describe()} is not one value of the type of {self.y.describe()}"

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        yield from not_constant((self.filler,), "value")
        yield from wrong_types(self, (self.filler,), self.types)
        if self.y.dtype in (DType.INT8, DType.UINT8):
            yield from differing_quant(self, (self.filler,))
        if self.y.dtype is DType.FLOAT32 or self.filler.dtype is DType.FLOAT32:
            yield f"{self.filler.name} is float32"

    def simpler(self) -> tuple[Op, ...]:
        plain = Pad(self.index, self.inputs[:2], self.outputs, self.amounts)
        return (plain,) if self.value == plain.value else ()


@dataclass(frozen=True, eq=False)
class MirrorPad(BorderOp):
    """The border repeats what lies inside, backwards; `symmetric`: the outermost values too."""

    symmetric: bool

    kind = "MIRROR_PAD"
    summary = "a border that mirrors what it surrounds"
    limits = "constant amounts; input and output quantised alike; as LiteRT for types that TFLM refuses"
    arity = (2, 2)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, None, option_int(node, "mode", REFLECT) != REFLECT)

    def invalid(self) -> Iterator[str]:
        """Nothing is mirrored twice."""
        yield from super().invalid()
        pairs = zip(self.x.shape, self.amounts or (), strict=False)
        if any(max(pair) > n - (not self.symmetric) for n, pair in pairs):
            yield f"paddings {self.amounts} reach beyond the mirror image of {self.x.describe()}"

    def unsupported(self) -> Iterator[str]:
        yield from super().unsupported()
        if max(self.y.shape, default=0) > MOST_PLACES:
            yield f"{self.y.describe()} has more than {MOST_PLACES} places along an axis"

    def places(self, axis: int) -> Array:
        """Of each place along the axis that in the input."""
        assert self.amounts is not None
        return np.pad(np.arange(self.x.shape[axis]), self.amounts[axis], mode=self._mode)

    @property
    def _mode(self) -> Literal["symmetric", "reflect"]:
        return "symmetric" if self.symmetric else "reflect"

    def simpler(self) -> tuple[Op, ...]:
        """Along one axis after the other, each time what GATHER does."""
        padded = [axis for axis, pair in enumerate(self.amounts or ()) if any(pair)]
        made, x = list[Op](), self.x
        for axis in padded:
            shape = tuple(self.y.shape[i] if i <= axis else n for i, n in enumerate(self.x.shape))
            y = self.y if axis == padded[-1] else between(self.y, f"axis{axis}", shape)
            table = index_table(f"{self.y.name}:places{axis}", tuple(self.places(axis).tolist()))
            made.append(Gather(self.index, (x, table), (y,), axis))
            x = y
        return tuple(made) or (Reshape(self.index, (self.x,), self.outputs),)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        x = inputs[0]
        assert x is not None and self.amounts is not None
        return (np.pad(x, self.amounts, mode=self._mode),)


def _shifted(span: Span, before: int, size: int) -> Span:
    return Span(min(max(span.start - before, 0), size), min(max(span.stop - before, 0), size))
