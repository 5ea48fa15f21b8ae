"""State of the network: READ_VARIABLE and ASSIGN_VARIABLE copy it, operators of other kinds have some of their own."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from ..errors import InternalError
from ..graph import Access, Array, DType, Effect, Node, Op, Span, State, Tensor, Variable
from .checks import wrong_types
from .options import option_str

KEPT_TYPES = (DType.INT8, DType.UINT8, DType.INT16, DType.INT32)


@dataclass(frozen=True, eq=False)
class VariableOp(Op):
    """`variable` is its name in the graph; the file's handle to it is gone. `part` is what is taken: of the state to
    read it, of the input to assign it."""

    variable: str
    part: Span | None = None  # elements, in their order; None: all

    access: ClassVar[Access]

    @classmethod
    def from_options(cls, node: Node) -> Self:
        return cls(node.index, node.inputs, node.outputs, option_str(node, "variable", ""))

    @property
    def effects(self) -> tuple[Effect, ...]:
        return (Effect(self.variable, self.access),)

    def unsupported(self) -> Iterator[str]:
        yield from wrong_types(self, (*self.inputs, *self.outputs), self.types)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        raise InternalError(f"{self.label} has no meaning without state")


@dataclass(frozen=True, eq=False)
class ReadVariable(VariableOp):
    kind = "READ_VARIABLE"
    summary = "state as the last inference, or an operator before, left it"
    limits = "a VAR_HANDLE names the variable, ASSIGN_VARIABLE or CALL_ONCE sets it"
    types = KEPT_TYPES
    short = "read"
    arity = (0, 0)
    access = Access.READ

    def evaluate(self, inputs: Sequence[Array | None], state: State) -> tuple[Array, ...]:
        taken = slice(*self.part) if self.part is not None else slice(None)
        return (state[self.variable].reshape(-1)[taken].reshape(self.y.shape).copy(),)


@dataclass(frozen=True, eq=False)
class AssignVariable(VariableOp):
    kind = "ASSIGN_VARIABLE"
    summary = "state for the next inference, or for operators behind"
    limits = "its variable has one shape and type"
    types = KEPT_TYPES
    short = "assign"
    arity = (1, 1)
    results = (0, 0)
    access = Access.WRITE

    @property
    def taken(self) -> Span:
        return self.part or Span(0, self.x.elements)

    def evaluate(self, inputs: Sequence[Array | None], state: State) -> tuple[Array, ...]:
        (value,) = inputs
        assert value is not None
        shape = value.shape if self.part is None else state[self.variable].shape
        state[self.variable] = value.reshape(-1)[slice(*self.taken)].reshape(shape).copy()
        return ()


@dataclass(frozen=True, eq=False)
class KeepingOp(Op):
    """`kept` are the variables that only this operator reads and writes, in the order of `kept_inputs`.

    They are no inputs any more.
    """

    kept: tuple[Tensor, ...]

    @abstractmethod
    def advance(self, inputs: Sequence[Array | None], kept: Sequence[Array]) -> tuple[Array, tuple[Array, ...]]:
        """The output, and what is kept for the next inference."""

    @property
    def effects(self) -> tuple[Effect, ...]:
        return tuple(Effect(tensor.name, access) for tensor in self.kept for access in (Access.READ, Access.WRITE))

    @property
    def variables(self) -> tuple[Variable, ...]:
        return tuple(Variable(t.name, t.shape, t.dtype, blank(t)) for t in self.kept)

    def evaluate(self, inputs: Sequence[Array | None], state: State) -> tuple[Array, ...]:
        output, kept = self.advance(inputs, [state[t.name] for t in self.kept])
        state.update(zip((t.name for t in self.kept), kept, strict=True))
        return (output,)

    def reference(self, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Of the first inference."""
        first = (np.zeros(v.shape, v.dtype.numpy) if v.initial is None else v.initial for v in self.variables)
        return (self.advance(inputs, list(first))[0],)

    def invalid(self) -> Iterator[str]:
        if len(self.kept) != len(self.kept_inputs):
            yield f"has {len(self.kept)} tensors for its state instead of {len(self.kept_inputs)}"


def split_kept(node: Node, places: tuple[int, ...]) -> tuple[tuple[Tensor | None, ...], tuple[Tensor, ...]]:
    """The inputs without those that are state, and these."""
    kept = (tensor for place, tensor in enumerate(node.inputs) if place in places)
    inputs = tuple(None if place in places else tensor for place, tensor in enumerate(node.inputs))
    return inputs, tuple(tensor for tensor in kept if tensor is not None)


def blank(tensor: Tensor) -> Array | None:
    """What TFLM fills new variables with: each byte is the zero point's lowest. None: zeros."""
    zero = tensor.quant.zero_points[0] & 0xFF if tensor.quant is not None else 0
    if not zero:
        return None
    return np.full(tensor.nbytes, zero, np.uint8).view(tensor.dtype.numpy).reshape(tensor.shape)
