"""Write TFLite files from plain descriptions, so that tests need no converter.

The pip package `tflite` only holds what flatc generates: one `<Table>Start`, `<Table>Add<Field>`
and `<Table>End` function per table. Everything here finds those by name, so an operator needs no
code of its own; only names that do not follow the rule are listed.

Nothing checks that a model makes sense: tests of the frontend also need senseless ones.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
import tflite

Array = npt.NDArray[Any]
OptionValue = int | float | bool | str | Sequence[int] | Sequence[float]

BUFFER_ALIGNMENT = 16
# Codes from here on do not fit the original int8 field, which then holds this placeholder.
_PLACEHOLDER_CODE = 127


@dataclass(frozen=True, eq=False)
class TensorSpec:
    """One tensor; `axis` is the dimension that a tuple of scales runs along. Data of an int4 tensor are int8."""

    shape: tuple[int, ...]
    dtype: str
    scale: float | tuple[float, ...] | None = None
    zero_point: int | tuple[int, ...] = 0
    axis: int = 0
    data: Array | None = None
    name: str = ""
    shape_signature: tuple[int, ...] | None = None
    is_variable: bool = False

    def __post_init__(self) -> None:
        """Refuse data that native readers would run past."""
        if self.data is None:
            return
        if self.data.shape != self.shape or self.data.dtype.name != {"int4": "int8"}.get(self.dtype, self.dtype):
            raise ValueError(
                f"data is {self.data.dtype.name}{self.data.shape}, but the tensor is {self.dtype}{self.shape}"
            )


@dataclass(frozen=True)
class OpSpec:
    """One operator; tensor index -1 stands for an absent optional input."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    custom_code: str | None = None
    custom_options: bytes = b""
    version: int = 1
    intermediates: tuple[int, ...] = ()


@dataclass(frozen=True)
class SubgraphSpec:
    """One subgraph, as CALL_ONCE, IF and WHILE refer to."""

    tensors: tuple[TensorSpec, ...]
    ops: tuple[OpSpec, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    name: str = "main"


@dataclass(frozen=True)
class ModelSpec(SubgraphSpec):
    """A model: its main subgraph, and others that follow it in the file."""

    description: str = "tecompile test model"
    others: tuple[SubgraphSpec, ...] = ()


def single_op(
    kind: str,
    inputs: Sequence[TensorSpec | None],
    outputs: Sequence[TensorSpec],
    options: Mapping[str, OptionValue] | None = None,
) -> bytes:
    """Write a model of one operator; its inputs are those tensors that hold no data."""
    return write_model(single_op_spec(kind, inputs, outputs, options))


def single_op_spec(
    kind: str,
    inputs: Sequence[TensorSpec | None],
    outputs: Sequence[TensorSpec],
    options: Mapping[str, OptionValue] | None = None,
    order: Sequence[int] | None = None,
) -> ModelSpec:
    """Describe what `single_op` writes; None among the inputs is an absent one.

    With `order` the operator reads its inputs in that order, some of them several times.
    """
    present = [tensor for tensor in inputs if tensor is not None]
    indices = itertools.count()
    op_inputs = tuple(-1 if tensor is None else next(indices) for tensor in inputs)
    op_inputs = op_inputs if order is None else tuple(op_inputs[i] for i in order)
    op_outputs = tuple(next(indices) for _ in outputs)
    return ModelSpec(
        tensors=(*present, *outputs),
        ops=(OpSpec(kind, op_inputs, op_outputs, options or {}),),
        inputs=tuple(i for i, tensor in enumerate(present) if _is_fed(tensor)),
        outputs=op_outputs,
    )


def write_model(spec: ModelSpec) -> bytes:
    """Serialise the model."""
    builder = flatbuffers.Builder(1024)
    graphs = (spec, *spec.others)
    codes = _opcodes(graphs)
    buffer_ids = itertools.count(1)
    subgraphs = [_subgraph(builder, graph, codes, buffer_ids) for graph in graphs]
    root = _table(
        builder,
        "Model",
        version=3,
        operator_codes=_offsets(builder, [_opcode(builder, *code) for code in codes]),
        subgraphs=_offsets(builder, subgraphs),
        description=builder.CreateString(spec.description),
        buffers=_offsets(builder, [_buffer(builder, data) for data in _payloads(graphs)]),
    )
    builder.Finish(root, file_identifier=b"TFL3")
    return bytes(builder.Output())


def options_table(kind: str) -> str | None:
    """Name the option table of an operator, or None if it has none."""
    named = _SHARED_TABLES.get(kind, kind.replace("_", "") + "Options")
    return next((name for name in _unions() if name.lower() == named.lower()), None)


@cache
def option_names(table: str) -> list[str]:
    """List the options a table has, spelled as in the schema."""
    prefix = f"{table}Add"
    found = [name.removeprefix(prefix) for name in dir(tflite) if name.startswith(prefix)]
    return [_snake(name) for name in found]


# --- options --------------------------------------------------------------------------------------

# Several operators share one of these tables; every other table is named after its operator.
_SHARED_TABLES = {
    **dict.fromkeys(["AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"], "Pool2DOptions"),
    **dict.fromkeys(["MEAN", "SUM", "REDUCE_PROD", "REDUCE_MAX"], "ReducerOptions"),
    **dict.fromkeys(["REDUCE_MIN", "REDUCE_ANY", "REDUCE_ALL"], "ReducerOptions"),
    **dict.fromkeys(["MAXIMUM", "MINIMUM"], "MaximumMinimumOptions"),
    **dict.fromkeys(["RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL", "MULTINOMIAL"], "RandomOptions"),
    "CONV_3D_TRANSPOSE": "Conv3DOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "UNIDIRECTIONAL_SEQUENCE_RNN": "SequenceRNNOptions",
}

# Which enumeration a name given for an option belongs to.
_ENUMS = {
    "padding": "Padding",
    "fused_activation_function": "ActivationFunctionType",
    "mode": "MirrorPadMode",
    "weights_format": "FullyConnectedOptionsWeightsFormat",
    "kernel_type": "LSTMKernelType",
    "combiner": "CombinerType",
    "type": "LSHProjectionType",
    **dict.fromkeys(["out_type", "output_type", "idx_out_type", "in_data_type"], "TensorType"),
    **dict.fromkeys(["out_data_type", "quantized_bias_type"], "TensorType"),
}
_TEXT_OPTIONS = frozenset({"container", "shared_name"})


@cache
def _unions() -> dict[str, tuple[str, int]]:
    """Map each option table to the operator's field that holds it, and its number there."""
    places = {}
    for union, prefix in ((tflite.BuiltinOptions, ""), (tflite.BuiltinOptions2, "2")):
        for name, number in vars(union).items():
            if name.endswith("Options"):
                places[name] = (f"builtin_options{prefix}", number)
    return places


def _option_fields(builder: Any, kind: str, options: Mapping[str, OptionValue]) -> dict[str, int]:
    """Write the option table, and return the operator's fields that refer to it."""
    table = options_table(kind)
    if table is None:
        if options:
            raise KeyError(f"{kind} takes no options, got {sorted(options)}")
        return {}
    values = {name: _option(builder, table, name, value) for name, value in options.items()}
    place, number = _unions()[table]
    return {f"{place}_type": number, place: _table(builder, table, **values)}


def _option(builder: Any, table: str, name: str, value: OptionValue) -> Any:
    """Turn one option into what its `Add` function takes, writing vectors and texts on the way."""
    if name not in option_names(table):
        raise KeyError(f"{table} has no option {name!r}; it has {option_names(table)}")
    start_vector = getattr(tflite, f"{table}Start{_camel(name)}Vector", None)
    if start_vector is not None:
        return _numbers(builder, value, start_vector(_ElementSize(), 0))
    if name in _TEXT_OPTIONS:
        return builder.CreateString(value)
    return _enum_value(_ENUMS.get(name), value) if isinstance(value, str) else value


class _ElementSize:
    """A stand-in for the builder that answers how wide a vector's elements are."""

    def StartVector(self, size: int, _count: int, _alignment: int) -> int:  # noqa: N802
        return size


def _numbers(builder: Any, values: Any, width: int) -> int:
    array = np.asarray(values)
    kind = "f" if array.dtype.kind == "f" else "i"
    return _vector(builder, array, f"{kind}{width}")


def _enum_value(enum: str | None, name: str) -> int:
    values: dict[str, int] = vars(getattr(tflite, enum)) if enum else {}
    if name not in values:
        known = [key for key in values if not key.startswith("_")]
        raise ValueError(f"{name!r} is not a {enum or 'number'}; known names: {known}")
    return values[name]


# --- tables ---------------------------------------------------------------------------------------


def _subgraph(builder: Any, spec: SubgraphSpec, codes: Sequence[Opcode], buffer_ids: Iterator[int]) -> int:
    tensors = [_tensor(builder, tensor, buffer_ids) for tensor in spec.tensors]
    operators = [_operator(builder, op, codes) for op in spec.ops]
    return _table(
        builder,
        "SubGraph",
        tensors=_offsets(builder, tensors),
        inputs=_vector(builder, spec.inputs, "int32"),
        outputs=_vector(builder, spec.outputs, "int32"),
        operators=_offsets(builder, operators),
        name=builder.CreateString(spec.name),
    )


def _tensor(builder: Any, spec: TensorSpec, buffer_ids: Iterator[int]) -> int:
    signature = spec.shape_signature
    return _table(
        builder,
        "Tensor",
        shape=_vector(builder, spec.shape, "int32"),
        type=_enum_value("TensorType", spec.dtype.upper()),
        buffer=0 if spec.data is None else next(buffer_ids),
        name=builder.CreateString(spec.name),
        quantization=None if spec.scale is None else _quantization(builder, spec),
        is_variable=spec.is_variable,
        shape_signature=None if signature is None else _vector(builder, signature, "int32"),
        has_rank=True,
    )


def _quantization(builder: Any, spec: TensorSpec) -> int:
    scales = np.atleast_1d(np.asarray(spec.scale, np.float32))
    zero_points = np.broadcast_to(spec.zero_point, scales.shape)
    return _table(
        builder,
        "QuantizationParameters",
        scale=_vector(builder, scales, "float32"),
        zero_point=_vector(builder, zero_points, "int64"),
        quantized_dimension=spec.axis,
    )


def _operator(builder: Any, op: OpSpec, codes: Sequence[Opcode]) -> int:
    custom = _vector(builder, np.frombuffer(op.custom_options, np.uint8), "uint8")
    intermediates = _vector(builder, op.intermediates, "int32")
    return _table(
        builder,
        "Operator",
        opcode_index=codes.index(_opcode_key(op)),
        inputs=_vector(builder, op.inputs, "int32"),
        outputs=_vector(builder, op.outputs, "int32"),
        custom_options=custom if op.custom_options else None,
        intermediates=intermediates if op.intermediates else None,
        **_option_fields(builder, op.kind, op.options),
    )


Opcode = tuple[str, str | None, int]


def _opcode_key(op: OpSpec) -> Opcode:
    return op.kind, op.custom_code, op.version


def _opcodes(graphs: Iterable[SubgraphSpec]) -> list[Opcode]:
    return list(dict.fromkeys(_opcode_key(op) for graph in graphs for op in graph.ops))


def _opcode(builder: Any, kind: str, custom_code: str | None, version: int) -> int:
    code = _enum_value("BuiltinOperator", kind)
    return _table(
        builder,
        "OperatorCode",
        deprecated_builtin_code=min(code, _PLACEHOLDER_CODE),
        custom_code=None if custom_code is None else builder.CreateString(custom_code),
        version=version,
        builtin_code=code,
    )


def _payloads(graphs: Iterable[SubgraphSpec]) -> list[bytes]:
    """List the buffers' contents; by convention buffer 0 is the empty one."""
    constants = [t for graph in graphs for t in graph.tensors if t.data is not None]
    return [b"", *map(_payload, constants)]


def _payload(tensor: TensorSpec) -> bytes:
    """Values of int4 lie two in a byte, the first in the lower half."""
    assert tensor.data is not None
    if tensor.dtype != "int4":
        return tensor.data.tobytes()
    nibbles = np.append(tensor.data.reshape(-1), np.zeros(tensor.data.size % 2, np.int8)).astype(np.uint8) & 15
    return (nibbles[0::2] | nibbles[1::2] << 4).tobytes()


def _buffer(builder: Any, payload: bytes) -> int:
    data = _aligned_bytes(builder, payload) if payload else None
    return _table(builder, "Buffer", data=data)


# --- flatbuffers ----------------------------------------------------------------------------------


def _table(builder: Any, table: str, **fields: Any) -> int:
    """Write one table; a field given as None is left out."""
    getattr(tflite, f"{table}Start")(builder)
    for name, value in fields.items():
        if value is not None:
            getattr(tflite, f"{table}Add{_camel(name)}")(builder, value)
    end: int = getattr(tflite, f"{table}End")(builder)
    return end


def _vector(builder: Any, values: npt.ArrayLike, dtype: str) -> int:
    offset: int = builder.CreateNumpyVector(np.asarray(values, dtype=dtype))
    return offset


def _offsets(builder: Any, items: Sequence[int]) -> int:
    builder.StartVector(4, len(items), 4)
    for item in reversed(items):
        builder.PrependUOffsetTRelative(item)
    offset: int = builder.EndVector()
    return offset


def _aligned_bytes(builder: Any, payload: bytes) -> int:
    # Aligning first makes the byte vector's own, weaker alignment a no-op.
    builder.Prep(BUFFER_ALIGNMENT, len(payload))
    offset: int = builder.CreateByteVector(payload)
    return offset


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def _is_fed(tensor: TensorSpec) -> bool:
    return tensor.data is None and not tensor.is_variable
