"""Bytes to Graph: the one way into the compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from ..errors import InvalidInput
from ..graph import Graph, Node, Op, Tensor, Variable
from ..ops import OPERATORS
from ..ops.options import unknown_activation
from ..rewriting import validate
from .flatbuffer import damaged
from .records import RawGraph, RawModel, RawOp, TensorMap, printable, read_records
from .schemes import refused_scheme
from .settle import settled
from .state import Setup, find_variables, resolved, run_once, state_blockers
from .support import Blocker, Scheme, UnsupportedModel, certain_blockers
from .tensors import trouble, typed_tensors

KEPT = "is a variable that keeps its value between inferences"
_LARGEST_FILE = 1 << 31  # offsets in a flatbuffer can't reach further


def read_model(path: str | Path) -> tuple[bytes, Graph]:
    """The file's bytes, and the graph they mean; its name is the file's without the ending."""
    path = Path(path)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InvalidInput(f"{path} has more than 2 GiB", "no microcontroller holds that: is it the right file?")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidInput(f"can't read {path}: {reason}", "give the path of a .tflite file") from None
    return data, parse(data, path.stem)


def parse(data: bytes, name: str) -> Graph:
    """Raises InvalidInput for what is broken, UnsupportedModel for operators and types nobody here knows.

    Limits of known operators are left to `check_supported`, as folding constants may remove them.
    """
    draft = _draft(data, name)
    if draft.blockers or draft.scheme is not None:
        raise UnsupportedModel(name, [*draft.blockers, *certain_blockers(draft.ops)], draft.scheme)
    model = draft.model
    graph = Graph(
        name,
        draft.ops,
        tuple(draft.tensors[i] for i in model.inputs),
        tuple(draft.tensors[i] for i in model.outputs),
        draft.variables,
    )
    validate(graph)
    return graph


def inspect_blockers(data: bytes, name: str = "the model") -> tuple[Blocker, ...]:
    """Everything that keeps a model from being compiled, without failing for it."""
    draft = _draft(data, name)
    return (*draft.blockers, *certain_blockers(draft.ops))


@dataclass(frozen=True)
class OperatorLine:
    """An operator as the file states it, known here or not."""

    index: int
    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def outline(data: bytes, name: str = "the model") -> tuple[OperatorLine, ...]:
    """What a model consists of, even if it can't be compiled."""
    model = _draft(data, name).model

    def described(indices: tuple[int | None, ...]) -> tuple[str, ...]:
        raws = [None if i is None else model.tensors[i] for i in indices]
        return tuple("-" if t is None else f"{t.name} {t.dtype}[{','.join(map(str, t.shape))}]" for t in raws)

    return tuple(OperatorLine(op.index, op.kind, described(op.inputs), described(op.outputs)) for op in model.ops)


@dataclass(frozen=True)
class _Draft:
    """What could be made of a file: `ops` are those that are known."""

    model: RawModel
    tensors: Mapping[int, Tensor]
    ops: tuple[Op, ...]
    blockers: tuple[Blocker, ...]
    scheme: Scheme | None
    variables: tuple[Variable, ...] = ()


def _draft(data: bytes, name: str) -> _Draft:
    try:
        return _build(bytes(data))
    except InvalidInput as error:
        raise InvalidInput(f"{printable(name, ' ')}: {error.message}", error.hint) from None


def _build(data: bytes) -> _Draft:
    model = read_records(data)
    plain = resolved(model)
    if not model.outputs:
        raise damaged("the model", "has no outputs")
    parts = {index: _part(graph) for index, graph in plain.once.items()}
    main = _part(plain)
    blockers = (*state_blockers(model), *main.blockers, *chain.from_iterable(part.blockers for part in parts.values()))
    setup = run_once([(f"subgraph {i}, ", part.ops) for i, part in parts.items()]) if not blockers else Setup()
    blockers += setup.blockers
    variables = find_variables(main.ops, setup) if not blockers else ()
    return _Draft(model, main.tensors, main.ops, blockers, refused_scheme(plain), variables)


@dataclass(frozen=True)
class _Part:
    """What could be made of one subgraph."""

    tensors: Mapping[int, Tensor]
    ops: tuple[Op, ...]
    blockers: tuple[Blocker, ...]


def _part(graph: RawGraph) -> _Part:
    _check_dataflow(graph)
    reasons = {raw: tuple(_op_blockers(graph, raw)) for raw in graph.ops}
    known = [raw for raw, found in reasons.items() if not found]
    blockers = (*_border_blockers(graph), *chain.from_iterable(reasons.values()))
    # What only unknown operators touch may look strange without being wrong.
    used = dict.fromkeys(chain.from_iterable(raw.touched for raw in known))
    used.update(dict.fromkeys(() if blockers else (*graph.inputs, *graph.outputs)))
    make = partial(_unjudged, graph.tensors)
    tensors = settled(known, graph.tensors, typed_tensors([graph.tensors[i] for i in used]), make)
    return _Part(tensors, tuple(_judged(raw, make(raw, tensors)) for raw in known), blockers)


def _border_blockers(model: RawGraph) -> Iterator[Blocker]:
    for role, indices in (("graph input", model.inputs), ("graph output", model.outputs)):
        for raw in (model.tensors[i] for i in indices):
            reason = trouble(raw) or (KEPT if raw.kept else None)
            if reason is not None:
                yield Blocker(f"{role} {raw.name}", reason)


def _op_blockers(model: RawGraph, op: RawOp) -> Iterator[Blocker]:
    if op.custom or op.kind not in OPERATORS:
        yield Blocker(op.label, "custom operator" if op.custom else "not implemented")
        return
    for raw in (model.tensors[i] for i in op.touched):
        reason = trouble(raw, op)
        if reason is not None:
            yield Blocker(op.label, f"{raw.name or f't{raw.index}'} {reason}")
    yield from _kept_blockers(model, op)
    activation = unknown_activation(op.options)
    if activation is not None and activation not in OPERATORS[op.kind].activations_known:
        yield Blocker(op.label, f"fused activation {activation}")


def _kept_blockers(model: RawGraph, op: RawOp) -> Iterator[Blocker]:
    """Variables may only be where the operator expects its state, and there nothing else."""
    expected = OPERATORS[op.kind].kept_inputs
    kept = {op.inputs[place] for place in expected if place < len(op.inputs)}
    for raw in (model.tensors[i] for i in op.touched):
        name = raw.name or f"t{raw.index}"
        if raw.kept and (raw.index not in kept or raw.content is not None):
            yield Blocker(op.label, f"{name} {KEPT}")
        elif raw.index in kept and not raw.kept:
            yield Blocker(op.label, f"{name} should be a variable that keeps its value between inferences")


def _judged(raw: RawOp, op: Op) -> Op:
    for reason in op.invalid():
        raise damaged(raw.label, f"contradicts itself: {reason}")
    return op


def _unjudged(raws: TensorMap, raw: RawOp, tensors: Mapping[int, Tensor]) -> Op:
    """Whatever its shapes are."""
    cls = OPERATORS[raw.kind]
    (low, high), (fewest, most) = cls.arity, cls.results
    if not (low <= len(raw.inputs) <= high and fewest <= len(raw.outputs) <= most) or None in raw.inputs[:low]:
        given = f"{len(raw.inputs)} inputs and {len(raw.outputs)} outputs"
        wanted = f"{low} to {high} inputs and {'one output' if most == 1 else f'{fewest} to {most} outputs'}"
        raise damaged(raw.label, f"has {given}; {raw.kind} has {wanted}")
    inputs = tuple(None if i is None else tensors[i] for i in raw.inputs)
    outputs = tuple(tensors[i] for i in raw.outputs)
    resized = any(tensors[i].shape != raws[i].shape for i in raw.outputs)
    return cls.from_options(Node(raw.index, raw.kind, inputs, outputs, raw.options, resized))


def _check_dataflow(model: RawGraph) -> None:
    """Operators come in order, and every value has one origin."""
    known: set[int] = set()
    for index in model.inputs:
        _produce(model, index, known, "the graph's input")
    for op in model.ops:
        for i in op.inputs:
            # Custom operators may be handed scratch memory this way: Vela's is.
            if i is not None and i not in known and _is_computed(model, i) and not op.custom:
                raise damaged(op.label, f"reads {model.tensors[i].name} before anything has produced it")
        for i in op.outputs:
            _produce(model, i, known, op.label)
    for i in model.outputs:
        if i not in known and _is_computed(model, i):
            raise damaged("the model", f"never computes its output {model.tensors[i].name}")


def _produce(model: RawGraph, index: int, known: set[int], producer: str) -> None:
    name = model.tensors[index].name
    if model.tensors[index].content is not None:
        raise damaged(producer, f"{name} is a constant that should be computed")
    if index in known:
        raise damaged(producer, f"produces {name}, which has a value already")
    known.add(index)


def _is_computed(model: RawGraph, index: int) -> bool:
    """Not constant; variables and lists without numbers have a value from the start."""
    raw = model.tensors[index]
    return raw.content is None and raw.shape != (0,) and trouble(raw) is None and not raw.kept
