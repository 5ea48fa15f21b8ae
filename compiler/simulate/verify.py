"""The proof: all that a model computes, compared with the reference at the moment it is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..backends.program import Program
from ..graph import Array, Op, Part, Tensor
from ..planner.plan import Piece, Plan
from ..target import Layout
from .poison import Poisoner
from .profile import Profile
from .session import RunCost, Session, state_places

VIOLATIONS_KEPT = 8


@dataclass(frozen=True)
class Difference:
    """The first value that is not what the reference says."""

    frame: int  # which of the input sets
    layer: str
    tensor: str
    row: int
    column: int
    channel: int
    expected: int | float
    got: int | float

    def __str__(self) -> str:
        place = f"row {self.row}, column {self.column}, channel {self.channel}"
        return f"{self.layer} ({self.tensor}), {place}: {self.got} instead of {self.expected} (input {self.frame})"


@dataclass(frozen=True)
class LayerResult:
    """What was compared of one operator, over all inputs."""

    layer: str
    op: Op
    bytes_checked: int
    bytes_differ: int


@dataclass(frozen=True)
class Verification:
    """The outcome of `verify`."""

    simulator: str  # unicorn, qemu or host
    inputs_checked: int
    layers: tuple[LayerResult, ...]
    first: Difference | None
    outputs_differ: int  # bytes of the final outputs
    violations: tuple[str, ...]  # writes to memory that the writer does not own
    unchecked: tuple[str, ...]  # layers whose layout can't be compared
    profile: Profile
    state_differs: tuple[str, ...] = ()  # variables that were ever left with other values

    @property
    def bit_exact(self) -> bool:
        differ = self.outputs_differ + sum(layer.bytes_differ for layer in self.layers)
        return differ == 0 and not self.violations and not self.state_differs


def verify(
    program: Program,
    session: Session,
    inputs: Sequence[Sequence[Array]],
    expected: Sequence[Mapping[Tensor, Array]],
    poison: bool = False,
    states: Sequence[Mapping[str, Array]] | None = None,
) -> Verification:
    """Run every set of inputs in turn (state is kept) and compare each with its tensors in `expected`, and the state
    that it leaves with `states`."""
    checker = _Checker(program.plan, session, poison)
    for number, (frame, tensors) in enumerate(zip(inputs, expected, strict=True)):
        checker.check(number, frame, tensors)
        if states is not None:
            checker.check_state(states[number])
    return checker.result()


class _Checker:
    """Counts up over the input sets."""

    def __init__(self, plan: Plan, session: Session, poison: bool) -> None:
        self._plan, self._session, self._poison, self._steps = plan, session, poison, plan.steps
        self._names = {op: plan.layer_name(op) for op in plan.ops}
        self._frames = 0
        self._checked: Counter[Op] = Counter()
        self._differ: Counter[Op] = Counter()
        self._outputs_differ = 0
        self._first: Difference | None = None
        self._state_differs: dict[str, None] = {}
        self._violations: list[str] = []
        self._costs: list[RunCost] = []

    def check(self, number: int, frame: Sequence[Array], tensors: Mapping[Tensor, Array]) -> None:
        poisoner = Poisoner(self._plan, self._session, seed=number) if self._poison else None
        if poisoner:
            poisoner.fill()
        for tensor, value in zip(self._plan.graph.inputs, frame, strict=True):
            self._put(tensor, value)
        if poisoner:
            poisoner.begin()

        def on_step(step: int) -> None:
            self._check_step(step, tensors)
            if poisoner:
                self._violations += poisoner.after(step)

        self._costs.append(self._session.run(on_step))
        self._session.stop_counting()  # one run tells it all, and counting is slow
        self._frames += 1
        for tensor in self._plan.graph.outputs:
            self._outputs_differ += self._differing_output(tensor, tensors[tensor])

    def check_state(self, expected: Mapping[str, Array]) -> None:
        variables = self._plan.graph.variables
        for variable, place in zip(variables, state_places(self._plan, self._session.pointer_bytes), strict=True):
            wanted = np.ascontiguousarray(expected[variable.name], variable.dtype.numpy.newbyteorder("<")).tobytes()
            if self._session.read_struct(place, variable.nbytes) != wanted:
                self._state_differs[variable.name] = None

    def result(self) -> Verification:
        layers = [LayerResult(name, op, self._checked[op], self._differ[op]) for op, name in self._names.items()]
        unchecked = [name for op, name in self._names.items() if not all(map(self._comparable, op.outputs))]
        return Verification(
            simulator=self._session.simulator,
            inputs_checked=self._frames,
            layers=tuple(layers),
            first=self._first,
            outputs_differ=self._outputs_differ,
            violations=tuple(self._violations[:VIOLATIONS_KEPT]),
            unchecked=tuple(unchecked),
            profile=Profile.of(self._plan, self._costs),
            state_differs=tuple(self._state_differs),
        )

    def _put(self, tensor: Tensor, value: Array) -> None:
        buffer, data = self._plan.buffers[tensor], _bytes(tensor, value)
        for piece in buffer.pieces(tensor.whole):
            self._session.write(buffer.region, piece.offset, _part(data, piece).tobytes())

    def _check_step(self, number: int, tensors: Mapping[Tensor, Array]) -> None:
        step = self._steps[number]
        for tensor in filter(self._comparable, step.op.outputs):
            for piece, wanted, got in self._compare(tensor, step.written, tensors[tensor]):
                self._checked[step.op] += piece.nbytes
                wrong = np.flatnonzero(got != wanted)
                if wrong.size:
                    self._differ[step.op] += wrong.size
                    self._note(step.op, tensor, piece.position + int(wrong[0]), wanted, got, int(wrong[0]))

    def _compare(self, tensor: Tensor, region: Part, value: Array) -> Iterator[tuple[Piece, Array, Array]]:
        """What should be in memory and what is, piece by piece."""
        buffer, data = self._plan.buffers[tensor], _bytes(tensor, value)
        for piece in buffer.pieces(region):
            got = np.frombuffer(self._session.read(buffer.region, piece.offset, piece.nbytes), np.uint8)
            yield piece, _part(data, piece), got

    def _note(self, op: Op, tensor: Tensor, position: int, wanted: Array, got: Array, byte: int) -> None:
        """`position` counts the tensor's bytes, `byte` those that are compared here."""
        if self._first is None:
            dtype, image = tensor.dtype.numpy, tensor.image
            pixel, channel = divmod(position // dtype.itemsize, image.channels)
            row, column = divmod(pixel, image.columns)
            values = (a.view(dtype)[byte // dtype.itemsize].item() for a in (wanted, got))
            self._first = Difference(self._frames, self._names[op], tensor.name, row, column, channel, *values)

    def _differing_output(self, tensor: Tensor, value: Array) -> int:
        if tensor not in self._plan.buffers:  # a constant
            return 0
        compared = self._compare(tensor, tensor.whole, value)
        return sum(int(np.count_nonzero(got != wanted)) for _, wanted, got in compared)

    def _comparable(self, tensor: Tensor) -> bool:
        return self._plan.buffers[tensor].layout is Layout.NHWC8


def _bytes(tensor: Tensor, value: Array) -> Array:
    """A value as the target holds it."""
    return np.ascontiguousarray(value, tensor.dtype.numpy.newbyteorder("<")).view(np.uint8).reshape(-1)


def _part(data: Array, piece: Piece) -> Array:
    return data[piece.position : piece.position + piece.nbytes]
