"""Bytes to Graph: the one way into the compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from ..errors import InvalidInput
from ..graph import Graph, Node, Op, Tensor
from ..ops import OPERATORS
from ..ops.options import unknown_activation
from ..rewriting import validate
from .flatbuffer import damaged
from .records import RawModel, RawOp, printable, read_records
from .schemes import refused_scheme
from .support import Blocker, Scheme, UnsupportedModel, certain_blockers
from .tensors import trouble, typed_tensors

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


def _draft(data: bytes, name: str) -> _Draft:
    try:
        return _build(bytes(data))
    except InvalidInput as error:
        raise InvalidInput(f"{printable(name, ' ')}: {error.message}", error.hint) from None


def _build(data: bytes) -> _Draft:
    model = read_records(data)
    _check_dataflow(model)
    reasons = {raw: tuple(_op_blockers(model, raw)) for raw in model.ops}
    known = [raw for raw, found in reasons.items() if not found]
    blockers = (*_graph_blockers(model), *chain.from_iterable(reasons.values()))
    # What only unknown operators touch may look strange without being wrong.
    used = dict.fromkeys(chain.from_iterable(raw.touched for raw in known))
    used.update(dict.fromkeys(() if blockers else (*model.inputs, *model.outputs)))
    tensors = typed_tensors([model.tensors[i] for i in used])
    return _Draft(model, tensors, tuple(_operator(raw, tensors) for raw in known), blockers, refused_scheme(model))


def _graph_blockers(model: RawModel) -> Iterator[Blocker]:
    if model.subgraphs > 1:
        yield Blocker("the model", f"has {model.subgraphs} subgraphs (control flow or state)")
    for role, indices in (("graph input", model.inputs), ("graph output", model.outputs)):
        for raw in (model.tensors[i] for i in indices):
            reason = trouble(raw)
            if reason is not None:
                yield Blocker(f"{role} {raw.name}", reason)


def _op_blockers(model: RawModel, op: RawOp) -> Iterator[Blocker]:
    if op.custom or op.kind not in OPERATORS:
        yield Blocker(op.label, "custom operator" if op.custom else "not implemented")
        return
    for raw in (model.tensors[i] for i in op.touched):
        reason = trouble(raw)
        if reason is not None:
            yield Blocker(op.label, f"{raw.name or f't{raw.index}'} {reason}")
    activation = unknown_activation(op.options)
    if activation is not None:
        yield Blocker(op.label, f"fused activation {activation}")


def _operator(raw: RawOp, tensors: Mapping[int, Tensor]) -> Op:
    cls = OPERATORS[raw.kind]
    (low, high), (fewest, most) = cls.arity, cls.results
    if not (low <= len(raw.inputs) <= high and fewest <= len(raw.outputs) <= most) or None in raw.inputs[:low]:
        given = f"{len(raw.inputs)} inputs and {len(raw.outputs)} outputs"
        wanted = f"{low} to {high} inputs and {'one output' if most == 1 else f'{fewest} to {most} outputs'}"
        raise damaged(raw.label, f"has {given}; {raw.kind} has {wanted}")
    inputs = tuple(None if i is None else tensors[i] for i in raw.inputs)
    node = Node(raw.index, raw.kind, inputs, tuple(tensors[i] for i in raw.outputs), raw.options)
    op = cls.from_options(node)
    for reason in op.invalid():
        raise damaged(raw.label, f"contradicts itself: {reason}")
    return op


def _check_dataflow(model: RawModel) -> None:
    """Operators come in order, and every value has one origin."""
    if not model.outputs:
        raise damaged("the model", "has no outputs")
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


def _produce(model: RawModel, index: int, known: set[int], producer: str) -> None:
    name = model.tensors[index].name
    if model.tensors[index].content is not None:
        raise damaged(producer, f"{name} is a constant that should be computed")
    if index in known:
        raise damaged(producer, f"produces {name}, which has a value already")
    known.add(index)


def _is_computed(model: RawModel, index: int) -> bool:
    """Not constant; variables and lists without numbers have a value from the start."""
    raw = model.tensors[index]
    return raw.content is None and raw.shape != (0,) and trouble(raw) is None
