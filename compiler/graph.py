"""What a network is: tensors, operators, and the graph they form.

Everything is immutable; a pass builds a new Graph from an old one. Tensors compare by identity and
operators hold their tensors directly, so an operator can be understood, checked and computed alone.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from math import prod
from typing import Any, ClassVar, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .errors import InternalError
from .regions import ImageShape as ImageShape
from .regions import Part as Part
from .regions import Region as Region
from .regions import Run as Run
from .regions import Span as Span

Array: TypeAlias = NDArray[Any]
OptionValue: TypeAlias = int | float | bool | str | tuple[int, ...] | None


class DType(Enum):
    """Element types that appear in TFLite files we read; the value is NumPy's name."""

    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT32 = "float32"
    BOOL = "bool"

    @property
    def numpy(self) -> np.dtype[Any]:
        return np.dtype(self.value)

    @property
    def size(self) -> int:
        return self.numpy.itemsize

    @property
    def bounds(self) -> tuple[int, int]:
        """Smallest and largest value of an integer type."""
        info = np.iinfo(self.numpy)
        return int(info.min), int(info.max)


@dataclass(frozen=True)
class Quant:
    """Affine quantisation: real = scale * (q - zero_point), per tensor or along `axis`.

    Scales are float32 values held exactly in Python floats.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int = 0

    @property
    def per_tensor(self) -> bool:
        return len(self.scales) == 1

    @property
    def scale(self) -> float:
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        return self.zero_points[0]

    def same_as(self, other: Quant | None) -> bool:
        return other is not None and (self.scales, self.zero_points) == (other.scales, other.zero_points)


@dataclass(frozen=True, eq=False)
class Tensor:
    """A value of the network; a constant if it carries data. Names are unique within a graph."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    quant: Quant | None = None
    data: Array | None = field(default=None, repr=False)

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def elements(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.elements * self.dtype.size

    @cached_property
    def image(self) -> ImageShape:
        """Rank 3 and more: the last two axes are columns and channels. Lower ranks are one pixel."""
        if len(self.shape) < 3:
            return ImageShape(1, 1, self.elements)
        return ImageShape(prod(self.shape[:-2]), self.shape[-2], self.shape[-1])

    @cached_property
    def pixel_bytes(self) -> int:
        return self.image.channels * self.dtype.size

    @cached_property
    def row_bytes(self) -> int:
        return self.image.columns * self.pixel_bytes

    @property
    def whole(self) -> Region:
        return Region(Span(0, self.image.rows), Span(0, self.image.columns))

    def rectangles(self, part: Part) -> Iterator[Region]:
        return iter((part,)) if isinstance(part, Region) else part.rectangles(self.image.columns)

    @property
    def scale(self) -> float:
        return self._quant.scale

    @property
    def zero_point(self) -> int:
        return self._quant.zero_point

    @property
    def _quant(self) -> Quant:
        if self.quant is None:
            raise InternalError(f"tensor {self.name} was used as quantised but carries no scale")
        return self.quant

    def describe(self) -> str:
        """`conv1 int8[1,20,20,96]`, as messages and reports print it."""
        return f"{self.name} {self.dtype.value}[{','.join(map(str, self.shape))}]"


class Rounding(Enum):
    """How an accumulator is scaled back to 8 bits (NUMERICS: TFLM rounds twice)."""

    DOUBLE = "double"
    SINGLE = "single"
    AWAY = "away"  # once, by a real factor, ties away from zero: LiteRT's FULLY_CONNECTED


class Clamp(NamedTuple):
    """Fused activation: bounds of the output in quantised units."""

    low: int
    high: int


class Padding(NamedTuple):
    """Explicit border in rows and columns, filled with the input's zero point."""

    top: int = 0
    bottom: int = 0
    left: int = 0
    right: int = 0


@dataclass(frozen=True)
class Node:
    """An operator as the file states it: what the frontend hands to `Op.from_options`."""

    index: int
    kind: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Mapping[str, OptionValue]
    resized: bool = False  # does the file state other shapes for its outputs, which only hold for another batch?


@dataclass(frozen=True)
class Variable:
    """A persistent buffer: lives in the model's struct, survives between inferences."""

    name: str
    shape: tuple[int, ...]
    dtype: DType
    initial: Array | None = field(default=None, repr=False)

    @property
    def nbytes(self) -> int:
        return prod(self.shape) * self.dtype.size


class Access(Enum):
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Effect:
    """An operator touches a Variable; effects on the same variable keep their order."""

    variable: str
    access: Access


State: TypeAlias = MutableMapping[str, Array]


@dataclass(frozen=True, eq=False)
class Op(ABC):
    """One operator. Subclasses live in ops/, one file each, and add typed attributes.

    `index` is the operator's position in the file, kept through all passes for messages.
    """

    index: int
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    kind: ClassVar[str]
    summary: ClassVar[str]  # what it does, and what of it is supported: `tecompile ops` prints them
    limits: ClassVar[str]
    types: ClassVar[tuple[DType, ...]] = (DType.INT8,)  # of the values that it computes on at run time
    short: ClassVar[str]  # as it appears in C function names
    arity: ClassVar[tuple[int, int]]  # fewest and most inputs
    results: ClassVar[tuple[int, int]] = (1, 1)  # fewest and most outputs
    activations_known: ClassVar[tuple[str, ...]] = ()  # beside clamps
    kept_inputs: ClassVar[tuple[int, ...]] = ()  # those that are state: variables which the operator itself updates

    @classmethod
    @abstractmethod
    def from_options(cls, node: Node) -> Self:
        """Build from the file's neutral form; shapes are not trusted yet."""

    def invalid(self) -> Iterator[str]:
        """Why the operator contradicts itself (shapes that cannot be): the file is broken."""
        return iter(())

    def unsupported(self) -> Iterator[str]:
        """Why a valid operator can't be compiled here."""
        return iter(())

    @abstractmethod
    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The operator's meaning in NumPy, bit for bit. Constants come in `inputs` too."""

    def evaluate(self, inputs: Sequence[Array | None], state: State) -> tuple[Array, ...]:
        """`reference` for all but operators with effects, which override this."""
        return self.reference(inputs)

    def window(self, index: int, region: Region) -> Region:
        """Which region of activation `index` is needed to compute `region` of the output.

        Monotone in rows. The default, the whole input, means: not computable row by row.
        """
        source = self.inputs[index]
        assert source is not None
        return source.whole

    @property
    def streams(self) -> bool:
        """May the output be produced row by row, through `window`?"""
        return False

    @property
    def is_view(self) -> bool:
        """Output 0 is input 0 under another shape: no code, no buffer of its own."""
        return False

    def simpler(self) -> tuple[Op, ...]:
        """The same said with simpler operators, in their order; nothing, if there are none."""
        return ()

    @property
    def macs(self) -> int:
        return 0

    @property
    def effects(self) -> tuple[Effect, ...]:
        return ()

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What the operator brings into the graph by itself."""
        return ()

    @property
    def activations(self) -> tuple[Tensor, ...]:
        """The inputs that are computed at run time, without duplicates."""
        return tuple(dict.fromkeys(t for t in self.inputs if t is not None and not t.is_constant))

    @property
    def constants(self) -> tuple[Tensor, ...]:
        return tuple(t for t in self.inputs if t is not None and t.is_constant)

    @property
    def x(self) -> Tensor:
        """The first input, which every operator that computes anything has."""
        return self.required(0)

    @property
    def y(self) -> Tensor:
        return self.outputs[0]

    @property
    def title(self) -> str:
        """As comments in the generated code name it."""
        return self.kind

    @property
    def label(self) -> str:
        """As messages name it: `op 7 CONV_2D`."""
        return f"op {self.index} {self.kind}"

    def required(self, index: int) -> Tensor:
        """An input that `arity` promises."""
        tensor = self.inputs[index]
        assert tensor is not None
        return tensor

    def input(self, index: int) -> Tensor | None:
        """Optional input: absent inputs at the end of the list are simply missing."""
        return self.inputs[index] if index < len(self.inputs) else None


@dataclass(frozen=True)
class Border:
    """A conversion lifted out of the network: callers see `outer`, the network computes on `inner`."""

    inner: Tensor
    outer: Tensor
    op: Op

    def convert(self, value: Array) -> Array:
        return self.op.reference([value])[0]


@dataclass(frozen=True, repr=False)
class Graph:
    """Operators in execution order. Validity is checked by rewriting.validate, between all passes."""

    name: str
    ops: tuple[Op, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    variables: tuple[Variable, ...] = ()
    borders: tuple[Border, ...] = ()  # lifted conversions at inputs and outputs

    def __repr__(self) -> str:
        return f"<{self.name}: {' '.join(op.kind for op in self.ops)}>"

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Every tensor once, in order of first appearance."""
        seen = dict.fromkeys(self.inputs)
        for op in self.ops:
            seen.update(dict.fromkeys(t for t in op.inputs if t is not None))
            seen.update(dict.fromkeys(op.outputs))
        seen.update(dict.fromkeys(self.outputs))
        return tuple(seen)

    @property
    def macs(self) -> int:
        return sum(op.macs for op in self.ops)

    def producers(self) -> dict[Tensor, Op]:
        return {t: op for op in self.ops for t in op.outputs}

    def consumers(self) -> dict[Tensor, tuple[Op, ...]]:
        found: dict[Tensor, tuple[Op, ...]] = dict.fromkeys(self.tensors, ())
        for op in self.ops:
            for t in dict.fromkeys(t for t in op.inputs if t is not None):
                found[t] += (op,)
        return found

    def input_border(self, tensor: Tensor) -> Border | None:
        return next((b for b in self.borders if b.inner is tensor and b.op.y is tensor), None)

    def output_border(self, tensor: Tensor) -> Border | None:
        return next((b for b in self.borders if b.inner is tensor and b.op.x is tensor), None)
