"""A model ready to run, wherever it runs: its memory by region, and a stop after every operator call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..backends.program import Call, Program
from ..board import Board
from ..errors import CannotMeet
from ..planner.plan import Plan, Step
from .blocks import CodeBlock, Executed
from .calls import ARGUMENTS, called_region, region_name
from .elf import Elf
from .machine import REGISTERS, Machine, SimulationError

MARGIN = 64  # bytes around a region that are watched, where they are free
PAINT = b"\xa5"
POINTER = 4  # bytes of an address

OnStep = Callable[[int], None]


@dataclass(frozen=True)
class RunCost:
    """What one inference took; None where nobody counted."""

    instructions: int | None = None  # of <model>_run
    steps: tuple[int, ...] = ()  # of each operator call, entry to return; empty if not counted
    executed: tuple[Executed, ...] = ()  # code of each operator call; empty if not counted
    between: Executed = field(default_factory=dict)  # code of <model>_run itself
    stack_bytes: int | None = None
    calls: tuple[Step, ...] = ()  # as they were seen, whatever the plan says


@dataclass(frozen=True)
class Seen:
    """One operator call."""

    call: Step
    instructions: int | None
    executed: Executed | None


class Session(Protocol):
    """One initialised model. Runs follow each other: state is kept between them."""

    @property
    def simulator(self) -> str: ...

    def read(self, region: int, offset: int, count: int) -> bytes: ...

    def write(self, region: int, offset: int, data: bytes) -> None: ...

    def margins(self, region: int) -> tuple[int, int]:
        """How many bytes before and after the region may be read and written too."""
        ...

    @property
    def pointer_bytes(self) -> int: ...

    def read_struct(self, offset: int, count: int) -> bytes:
        """Bytes of <model>_t, which holds the state."""
        ...

    def run(self, on_step: OnStep) -> RunCost:
        """One inference; `on_step(n)` at the return of the n-th operator call."""
        ...

    def stop_counting(self) -> None:
        """Costs of further runs are not wanted: they may be faster."""
        ...

    def close(self) -> None: ...


def state_places(plan: Plan, pointer_bytes: int) -> Iterator[int]:
    """Where each variable lies in <model>_t: behind the addresses of the regions, aligned as its type."""
    place = pointer_bytes * max(1, len(plan.regions))
    for variable in plan.graph.variables:
        place += -place % variable.dtype.size
        yield place
        place += variable.nbytes


class MachineSession:
    """A firmware stopped where its main calls `<model>_run` for the first time."""

    def __init__(self, simulator: str, program: Program, board: Board, elf: Elf, machine: Machine) -> None:
        self._simulator, self._program, self._elf, self._machine = simulator, program, elf, machine
        self._steps, self._units = program.plan.steps, program.plan.units
        self._names = {call.op: call.function.removeprefix(f"{program.name}_") for call in program.calls}
        self._functions = {call.op: _entry(elf, call) for call in program.calls}
        entry = elf.address(f"{program.name}_run")
        machine.run_until({entry})
        self._registers = {name: machine.register(name) for name in REGISTERS}
        self._return = self._registers["lr"] & ~1
        self._between = {*self._functions.values(), self._return}  # where to stop between two calls
        self._bases = _words(machine.read(self._registers["r0"], POINTER * max(1, len(program.plan.regions))))
        self._ends = {memory.name: memory.end for memory in board.memories}

    @property
    def simulator(self) -> str:
        return self._simulator

    def read(self, region: int, offset: int, count: int) -> bytes:
        return self._machine.read(self._bases[region] + offset, count)

    def write(self, region: int, offset: int, data: bytes) -> None:
        self._machine.write(self._bases[region] + offset, data)

    def margins(self, region: int) -> tuple[int, int]:
        """After the arena up to the next section or the end of the memory; before it is never free."""
        use = self._program.plan.regions[region]
        end = self._bases[region] + use.nbytes
        limits = [self._ends[use.memory], *(s.address for s in self._elf.sections if s.address >= end)]
        return 0, min(MARGIN, min(limits) - end)

    @property
    def pointer_bytes(self) -> int:
        return POINTER

    def read_struct(self, offset: int, count: int) -> bytes:
        return self._machine.read(self._registers["r0"] + offset, count)

    def run(self, on_step: OnStep) -> RunCost:
        for name, value in self._registers.items():
            self._machine.set_register(name, value)
        stack = self._paint_stack()
        begin, between = self._machine.instructions, Counter[CodeBlock]()
        self._machine.take_executed()
        seen = [self._step(number, on_step, between) for number in range(len(self._steps))]
        if self._machine.register("pc") != self._return:  # unless the last call was run's own tail
            self._expect(self._return, self._between, "the return of run")
        self._check_status()
        between.update(self._machine.take_executed() or {})
        return RunCost(
            self._elapsed(begin),
            tuple(one.instructions for one in seen if one.instructions is not None),
            tuple(one.executed for one in seen if one.executed is not None),
            between,
            self._stack_bytes(stack),
            tuple(one.call for one in seen),
        )

    def stop_counting(self) -> None:
        self._machine.stop_counting()

    def close(self) -> None:
        self._machine.close()

    def _step(self, number: int, on_step: OnStep, between: Counter[CodeBlock]) -> Seen:
        step = self._steps[number]
        call = f"call {number}, {self._names[step.op]}"
        if self._machine.register("pc") == self._return:
            raise SimulationError(f"run returned before {call}")
        self._expect(self._functions[step.op], self._between, call)
        between.update(self._machine.take_executed() or {})
        as_called = self._arguments(step, call)
        begin, back = self._machine.instructions, self._machine.register("lr") & ~1
        self._expect(back, {back}, f"the return of {call}")
        seen = Seen(as_called, self._elapsed(begin), self._machine.take_executed())
        on_step(number)
        return seen

    def _arguments(self, step: Step, call: str) -> Step:
        """What the function that begins here was asked for, which must be what is planned."""
        registers = [self._machine.register(name) for name in ARGUMENTS]
        seen = replace(step, region=called_region(step, self._units[step.op], registers))
        if seen != step:
            raise SimulationError(f"{call}, computes {region_name(seen)}, but the plan's is {region_name(step)}")
        return seen

    def _expect(self, address: int, stops: Set[int], what: str) -> None:
        reached = self._machine.run_until(stops)
        if reached != address:
            there = self._elf.describe(reached)
            raise SimulationError(
                f"the plan's next stop is {what}, but the firmware is at {there}", self._machine.console
            )

    def _elapsed(self, begin: int | None) -> int | None:
        now = self._machine.instructions
        return None if begin is None or now is None else now - begin

    def _check_status(self) -> None:
        status = self._machine.register("r0")
        if status:
            raise SimulationError(f"{self._program.name}_run returned {status - (status >> 31 << 32)}")

    def _paint_stack(self) -> int | None:
        """Fill what lies below the stack pointer; returns the lowest address painted."""
        bottom = self._elf.find("_stack")
        if bottom is None or bottom.address >= self._registers["sp"]:
            return None
        self._machine.write(bottom.address, PAINT * (self._registers["sp"] - bottom.address))
        return bottom.address

    def _stack_bytes(self, bottom: int | None) -> int | None:
        if bottom is None:
            return None
        painted = self._machine.read(bottom, self._registers["sp"] - bottom)
        return len(painted.lstrip(PAINT))


def _entry(elf: Elf, call: Call) -> int:
    """Layers are functions of their own (noinline): without one, nothing can be compared."""
    symbol = elf.find(call.function)
    if symbol is None:
        raise CannotMeet(
            f"verification differs: the compiler removed layer {call.function} ({call.op.label})",
            "this is a bug in tecompile or the compiler: please report it with the model, and try another compiler",
        )
    return symbol.address


def _words(data: bytes) -> Sequence[int]:
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
