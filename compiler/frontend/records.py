"""A TFLite file as plain records: nothing is interpreted yet, but every index in it is valid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..errors import InvalidInput
from ..graph import OptionValue
from ..ops import OPERATORS
from .flatbuffer import Children, Table, damaged
from .schema import OPERATOR_NAMES, TYPE_NAMES, read_options

CUSTOM = 32
HANDLE, ONCE = "VAR_HANDLE", "CALL_ONCE"  # they vanish when a file is read
_SCHEMA_VERSION = 3
_BYTE, _UBYTE, _LONG = "<b", "<B", "<I"

# What people also hand over, by its first bytes.
_OTHER_FORMATS = {
    b"\x89HDF": "a Keras HDF5 file",
    b"PK\x03\x04": "a zip archive (.keras, .pt or a packed model)",
    b"\x08\x01\x12": "a TensorFlow protocol buffer",
    b"\x08\x07\x12": "an ONNX model",
}


@dataclass(frozen=True)
class RawQuant:
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class RawTensor:
    """`trouble` is why a valid tensor can't be used at all."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    quant: RawQuant | None
    content: memoryview | None
    trouble: str | None
    kept: bool = False  # a variable of the operator that reads it
    dynamic: bool = False  # does its shape depend on what it is fed, as that of a batch does?


@dataclass(frozen=True, eq=False)
class RawOp:
    """An operator; absent optional inputs are None. `custom` tells operators outside the schema."""

    index: int
    kind: str
    custom: bool
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, OptionValue]
    where: str = ""  # for operators of other subgraphs: which one

    @property
    def label(self) -> str:
        return f"{self.where}op {self.index} {self.kind}"

    @property
    def touched(self) -> tuple[int, ...]:
        """What it reads and writes."""
        return tuple(i for i in (*self.inputs, *self.outputs) if i is not None)


TensorMap: TypeAlias = Mapping[int, RawTensor]


@dataclass(frozen=True)
class RawGraph:
    """One subgraph; `tensors` are those it uses."""

    tensors: TensorMap
    ops: tuple[RawOp, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class RawModel(RawGraph):
    """The first subgraph, which calls some of the others once. `subgraphs` counts all."""

    subgraphs: int
    once: Mapping[int, RawGraph]


def read_records(data: bytes) -> RawModel:
    _check_identifier(data)
    model = Table.root(data, "the model")
    version = model.integer(0, _LONG)
    if version != _SCHEMA_VERSION:
        raise damaged("the model", f"has schema version {version} instead of {_SCHEMA_VERSION}")
    subgraphs = model.children(2)
    if not subgraphs.count:
        raise damaged("the model", "has no subgraph")
    reader = _Reader(data, model.children(1), model.children(4))
    main = reader.subgraph(subgraphs.at(0, "subgraph 0"))
    called = dict.fromkeys(_called_once(main, subgraphs.count))
    once = {i: reader.subgraph(subgraphs.at(i, f"subgraph {i}"), f"subgraph {i}, ") for i in called}
    return RawModel(main.tensors, main.ops, main.inputs, main.outputs, subgraphs.count, once)


def _called_once(main: RawGraph, subgraphs: int) -> Iterator[int]:
    """The subgraphs that set the state up."""
    for op in main.ops:
        if op.kind != ONCE or op.custom:
            continue
        index = op.options.get("init_subgraph_index")
        if op.inputs or op.outputs:
            raise damaged(op.label, "has inputs or outputs")
        if not isinstance(index, int) or not 0 <= index < subgraphs:
            raise damaged(op.label, f"calls subgraph {index} of {subgraphs}")
        if index == 0:
            raise damaged(op.label, "calls the graph in which it is itself")
        yield index


def _check_identifier(data: bytes) -> None:
    if data[4:8] == b"TFL3":
        return
    found = next((what for magic, what in _OTHER_FORMATS.items() if data.startswith(magic)), None)
    if found is None:
        what = "is empty" if not data else f"is not a TFLite model ({len(data)} bytes without TFLite's identifier)"
        raise InvalidInput(f"the file {what}", "give a .tflite file, as tf.lite.TFLiteConverter writes it")
    raise InvalidInput(f"the file is {found}", "convert it first: tf.lite.TFLiteConverter with full int8 quantisation")


@dataclass(frozen=True)
class _Reader:
    data: bytes
    opcodes: Children
    buffers: Children

    def subgraph(self, table: Table, where: str = "") -> RawGraph:
        tensors, operators = table.children(0), table.children(3)
        inputs = _checked("a graph input", table.integers(1), tensors)
        outputs = _checked("a graph output", table.integers(2), tensors)
        ops = tuple(self.operator(operators.at(i, f"{where}op {i}"), i, tensors, where) for i in range(operators.count))
        used = dict.fromkeys([*inputs, *outputs])
        for op in ops:
            used.update(dict.fromkeys(op.touched))
        records = {i: self.tensor(tensors.at(i, f"tensor {i}"), i) for i in used}
        return RawGraph(records, ops, inputs, outputs)

    def operator(self, table: Table, index: int, tensors: Children, graph: str) -> RawOp:
        kind, custom = self.opcode(table.integer(0, _LONG), table.where)
        where = f"{graph}op {index} {kind}"
        inputs = tuple(None if i == -1 else i for i in table.integers(1))
        _checked(where, (i for i in inputs if i is not None), tensors)
        outputs = _checked(where, table.integers(2), tensors)
        known = not custom and (kind in OPERATORS or kind in (HANDLE, ONCE))
        code = table.integer(3, _UBYTE)
        options = read_options(kind, code, table.child(4, "options") if code else None, where) if known else {}
        return RawOp(index, kind, custom, inputs, outputs, options, graph)

    def opcode(self, index: int, where: str) -> tuple[str, bool]:
        """Codes up to 127 were once a byte: files hold either field, or both."""
        if index >= self.opcodes.count:
            raise damaged(where, f"has operator code {index} of {self.opcodes.count}")
        table = self.opcodes.at(index, f"operator code {index}")
        code = max(table.integer(0, _BYTE), table.integer(3))
        if code == CUSTOM:
            return printable(table.text(table.find(1))) or "CUSTOM", True
        return OPERATOR_NAMES.get(code, f"BUILTIN_{code}"), False

    def tensor(self, table: Table, index: int) -> RawTensor:
        name = printable(table.text(table.find(3)))
        if name:
            table = replace(table, where=f"{table.where} ({name})")
        code = table.integer(1, _BYTE)
        return RawTensor(
            index=index,
            name=name,
            shape=table.integers(0),
            dtype=TYPE_NAMES.get(code, f"type {code}"),
            quant=_quantization(table.child(4, "quantization")),
            content=self.content(table.integer(2, _LONG), table.where),
            trouble=_trouble(table),
            kept=bool(table.integer(5, _BYTE)),
            dynamic=-1 in table.integers(7),
        )

    def content(self, index: int, where: str) -> memoryview | None:
        """A constant's bytes; None for what is computed."""
        if index >= self.buffers.count:
            raise damaged(where, f"has buffer {index} of {self.buffers.count}")
        return self.buffers.at(index, f"buffer {index}").content(0)


def _quantization(table: Table | None) -> RawQuant | None:
    """None where there are no scales: converters leave such tables behind for floats."""
    scales = table.array(table.find(2), "<f4").tolist() if table is not None else []
    if table is None or not scales:
        return None
    zeros = table.array(table.find(3), "<i8").tolist() or [0]
    if len(zeros) == 1:
        zeros *= len(scales)
    if len(zeros) != len(scales):
        raise damaged(table.where, f"has {len(scales)} scales but {len(zeros)} zero points")
    return RawQuant(tuple(scales), tuple(zeros), table.integer(6))


def _trouble(table: Table) -> str | None:
    if table.find(6):
        return "is stored sparsely"
    quantization = table.child(4, "quantization")
    return "is quantised in a custom way" if quantization is not None and quantization.integer(4, _UBYTE) else None


def _checked(where: str, indices: Iterable[int], tensors: Children) -> tuple[int, ...]:
    found = tuple(indices)
    for index in found:
        if not 0 <= index < tensors.count:
            raise damaged(where, f"refers to tensor {index} of {tensors.count}")
    return found


def printable(text: str, allowed: str = "") -> str:
    """A name fit for one line of a report."""
    return "".join(c if (c.isprintable() and not c.isspace()) or c in allowed else "_" for c in text[:96])
