"""State in files. Handles to variables, and the subgraphs that set them up, become variables of the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod

from ..errors import InvalidInput
from ..graph import Array, Op, Tensor, Variable
from ..ops.variables import AssignVariable, ReadVariable, VariableOp, blank
from .flatbuffer import damaged
from .records import HANDLE, ONCE, RawGraph, RawModel, RawOp, printable
from .support import Blocker

READ, ASSIGN = ReadVariable.kind, AssignVariable.kind
MOST_ELEMENTS = 1 << 24  # of one variable: a small file must not be able to ask for all memory

Names = dict[tuple[str, str], str]  # of variables, by container and name in the file


def resolved(model: RawModel) -> RawModel:
    """The same without handles: who was given one has an option `variable` instead."""
    names: Names = {}
    main = _Handles(model, names).graph()
    once = {i: _Handles(graph, names).graph() for i, graph in model.once.items()}
    return replace(model, ops=main.ops, once=once)


class _Handles:
    """Follows the handles through one subgraph."""

    def __init__(self, graph: RawGraph, names: Names) -> None:
        self._graph, self._names = graph, names
        self._held: dict[int, str] = {}  # by the handle's tensor: the variable

    def graph(self) -> RawGraph:
        return replace(self._graph, ops=tuple(self._ops()))

    def _ops(self) -> Iterator[RawOp]:
        for op in self._graph.ops:
            if op.kind == HANDLE and not op.custom:
                self._hold(op)
                continue
            taken = [i for i in op.inputs if i in self._held]
            if op.kind in (READ, ASSIGN) and not op.custom:
                yield self._named(op)
            elif taken:
                raise damaged(op.label, f"takes {self._name(taken[0])}, a handle to a variable, for a value")
            elif op.kind != ONCE or op.custom:
                yield op

    def _hold(self, op: RawOp) -> None:
        if op.inputs or len(op.outputs) != 1 or self._graph.tensors[op.outputs[0]].dtype != "resource":
            raise damaged(op.label, "does not give one handle to a variable")
        if op.outputs[0] in self._held:
            raise damaged(op.label, f"gives {self._name(op.outputs[0])}, which is a handle already")
        key = (str(op.options.get("container") or ""), str(op.options.get("shared_name") or ""))
        if key not in self._names:
            self._names[key] = _free(printable(key[1]) or "variable", self._names.values())
        self._held[op.outputs[0]] = self._names[key]

    def _named(self, op: RawOp) -> RawOp:
        wanted = (1, 1) if op.kind == READ else (2, 0)
        if (len(op.inputs), len(op.outputs)) != wanted:
            raise damaged(op.label, f"has {len(op.inputs)} inputs and {len(op.outputs)} outputs")
        handle, values = op.inputs[0], op.inputs[1:]
        if handle not in self._held:
            raise damaged(op.label, "is not given a handle to a variable")
        if any(i in self._held for i in values):
            raise damaged(op.label, "assigns a handle where a value belongs")
        return replace(op, inputs=values, options={"variable": self._held[handle]})

    def _name(self, index: int) -> str:
        return self._graph.tensors[index].name or f"t{index}"


def _free(name: str, taken: Iterable[str]) -> str:
    used = set(taken)
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, len(used) + 3))) if n not in used)


def state_blockers(model: RawModel) -> Iterator[Blocker]:
    """Of the file as it is, handles included: what of its state and subgraphs can't be compiled."""
    if model.subgraphs > 1 + len(model.once):
        yield Blocker("the model", f"has {model.subgraphs} subgraphs (control flow)")
    used = False
    for op in model.ops:
        used |= op.kind in (READ, ASSIGN)
        if op.kind == ONCE and used:
            yield Blocker(op.label, "sets variables up that were used before")
    for graph in model.once.values():
        if graph.inputs or graph.outputs:
            yield Blocker("the model", "has a subgraph that runs once and exchanges values with the main graph")
        for op in graph.ops:
            if op.kind == ONCE:
                yield Blocker(op.label, "inside a subgraph that runs once itself")


@dataclass(frozen=True)
class Setup:
    """What the subgraphs that run once leave behind."""

    ops: tuple[VariableOp, ...] = ()
    state: Mapping[str, Array] = field(default_factory=dict)
    blockers: tuple[Blocker, ...] = ()


def run_once(graphs: Sequence[tuple[str, Sequence[Op]]]) -> Setup:
    """Each with what messages put before its operators."""
    state: dict[str, Array] = {}
    blockers: list[Blocker] = []
    for where, ops in graphs:
        blockers += [Blocker(f"{where}{op.label}", reason) for op in ops for reason in _reasons(op)]
    for where, ops in graphs if not blockers else ():
        _run(where, ops, state)
    found = tuple(op for _, ops in graphs for op in ops if isinstance(op, VariableOp))
    return Setup(found, state, tuple(blockers))


def _reasons(op: Op) -> Iterator[str]:
    yield from op.unsupported()
    if op.variables:
        yield "keeps state inside a subgraph that runs once"
    for tensor in op.outputs:
        if tensor.elements > MOST_ELEMENTS:
            yield f"{tensor.describe()} is too large to be computed in advance"


def _run(where: str, ops: Sequence[Op], state: dict[str, Array]) -> None:
    values: dict[Tensor, Array] = {}
    for op in ops:
        if isinstance(op, ReadVariable) and op.variable not in state:
            raise damaged(f"{where}{op.label}", f"reads variable {op.variable} before it is assigned")
        values.update({t: t.data for t in op.inputs if t is not None and t.data is not None})
        results = op.evaluate([None if t is None else values[t] for t in op.inputs], state)
        values.update(zip(op.outputs, results, strict=True))


def find_variables(ops: Sequence[Op], setup: Setup) -> tuple[Variable, ...]:
    """All that the main graph's operators touch, as they are before the first inference."""
    users = [op for op in ops if isinstance(op, VariableOp)]
    found: dict[str, Variable] = {}
    for op in users:
        if op.variable not in found:
            found[op.variable] = _variable(op, [*users, *setup.ops], setup.state)
    for variable in (v for op in ops for v in op.variables):
        if variable.name in found:
            raise damaged("the model", f"has two variables called {variable.name}")
        found[variable.name] = variable
    for variable in found.values():
        if prod(variable.shape) > MOST_ELEMENTS:
            raise InvalidInput(f"variable {variable.name} has {prod(variable.shape):,} values", "is the file damaged?")
    return tuple(found.values())


def _variable(first: VariableOp, users: Sequence[VariableOp], state: Mapping[str, Array]) -> Variable:
    kept = _value(first)
    own = [op for op in users if op.variable == first.variable]
    for op in own:
        value = _value(op)
        if (value.shape, value.dtype) != (kept.shape, kept.dtype):
            uses = f"{kept.describe()} in {first.label}, {value.describe()} in {op.label}"
            raise damaged(f"variable {op.variable}", f"is used in two shapes or types: {uses}")
    assigned = next((op.x for op in own if isinstance(op, AssignVariable)), None)
    if assigned is None:
        raise damaged(first.label, f"reads variable {first.variable}, which nothing ever assigns")
    return Variable(first.variable, kept.shape, kept.dtype, state.get(first.variable, blank(assigned)))


def _value(op: VariableOp) -> Tensor:
    return op.outputs[0] if op.outputs else op.x
