"""Models of operators that keep state, with random weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from tests.tools.cases import Array, Case, Quant, Source
from tests.tools.tflite_writer import ModelSpec, OpSpec, OptionValue, SubgraphSpec, TensorSpec, single_op, write_model

GATES = 4


class Sizes(NamedTuple):
    batches: int = 1
    steps: int = 2
    features: int = 3
    units: int = 2


class LstmQuants(NamedTuple):
    x: Quant = Quant(2.0**-7, -3)
    hidden: Quant = Quant(2.0**-7, 5)
    weights: float = 2.0**-6
    recurrent: float = 2.0**-6
    cell: int = -11  # log2 of its scale


LSTM_QUANTS, SOURCE = LstmQuants(), Source()


def lstm(
    sizes: Sizes,
    quants: LstmQuants = LSTM_QUANTS,
    source: Source = SOURCE,
    *,
    time_major: bool = False,
    cell_clip: float = 0.0,
    is_variable: bool = True,
    dtype: str = "int8",
    activation: str = "TANH",
    changes: Mapping[int, TensorSpec | None] | None = None,
) -> Case:
    """`changes` are inputs by their position, instead of what is usual there."""
    batches, steps, features, units = sizes
    first = (steps, batches) if time_major else (batches, steps)
    x = _activation("x", (*first, features), quants.x, dtype)
    y = _activation("y", (*first, units), quants.hidden, dtype)
    rng = np.random.default_rng((source.seed, 7))
    bias_scale = quants.x.scale * quants.weights
    largest = max(1, min(1 << 30, round(2 / bias_scale)))
    bias_type = "int32" if dtype == "int8" else "int64"
    biases = [
        TensorSpec((units,), bias_type, bias_scale, data=rng.integers(-largest, largest + 1, units).astype(bias_type))
        for _ in range(GATES)
    ]
    hidden = replace(_activation("hidden", (batches, units), quants.hidden, dtype), is_variable=is_variable)
    cell = TensorSpec((batches, units), "int16", 2.0**quants.cell, name="cell", is_variable=is_variable)
    inputs: list[TensorSpec | None] = [
        x,
        *(_weights((units, features), quants.weights, source, salt) for salt in range(1, 5)),
        *(_weights((units, units), quants.recurrent, source, salt) for salt in range(5, 9)),
        *(None,) * 3,
        *biases,
        *(None,) * 2,
        hidden,
        cell,
        *(None,) * 4,
    ]
    inputs = [(changes or {}).get(place, tensor) for place, tensor in enumerate(inputs)]
    options: dict[str, OptionValue] = {"fused_activation_function": activation, "cell_clip": cell_clip}
    model = single_op("UNIDIRECTIONAL_SEQUENCE_LSTM", inputs, [y], options | {"time_major": time_major})
    label = f"{tuple(sizes)} {quants} {source}{' time first' if time_major else ''} clip {cell_clip:g}"
    return Case("UNIDIRECTIONAL_SEQUENCE_LSTM", model, (source.integers(x.shape, dtype),), f"{dtype} {label}")


def _activation(name: str, shape: tuple[int, ...], quant: Quant, dtype: str = "int8") -> TensorSpec:
    return TensorSpec(shape, dtype, quant.scale, quant.zero_point, name=name)


def _weights(shape: tuple[int, ...], scale: float, source: Source, salt: int) -> TensorSpec:
    return TensorSpec(shape, "int8", scale, data=source.integers(shape, "int8", salt))


class SvdfSizes(NamedTuple):
    batches: int = 1
    features: int = 3
    units: int = 2
    rank: int = 1
    memory: int = 4


class SvdfQuants(NamedTuple):
    x: Quant = Quant(2.0**-5, 3)
    features: float = 2.0**-7
    times: float = 2.0**-7
    seen: Quant = Quant(2.0**-4)
    y: Quant = Quant(2.0**-4, -128)


def svdf(sizes: SvdfSizes, quants: SvdfQuants, dtype: str = "int8", source: Source = SOURCE) -> Case:
    """`dtype` is that of what is kept, and of the weights over time."""
    batches, features, units, rank, memory = sizes
    filters = units * rank
    bias = source.integers((units,), "int16", 3).astype(np.int32)
    bias_scale = float(np.float32(quants.seen.scale) * np.float32(quants.times))
    seen = replace(_activation("seen", (batches, filters * memory), quants.seen, dtype), is_variable=True)
    inputs = [
        _activation("x", (batches, features), quants.x),
        _weights((filters, features), quants.features, source, 1),
        TensorSpec((filters, memory), dtype, quants.times, data=source.integers((filters, memory), dtype, 2)),
        TensorSpec((units,), "int32", bias_scale, data=bias),
        seen,
    ]
    y = _activation("y", (batches, units), quants.y)
    model = single_op("SVDF", inputs, [y], {"rank": rank, "fused_activation_function": "RELU"})
    label = f"{tuple(sizes)} {quants} {dtype} {source}"
    return Case("SVDF", model, (source.integers((batches, features), "int8"),), label)


class Kept(NamedTuple):
    """A variable of `variable_net`."""

    shape: tuple[int, ...] = (4,)
    dtype: str = "int8"
    initial: int | None = 0  # None: nothing sets it up
    name: str = "memory"
    step: int = 0  # from one initial value to the next


HANDLE = TensorSpec((), "resource")


def kept_case(kept: Sequence[Kept], source: Source = SOURCE) -> Case:
    inputs = tuple(source.integers(k.shape, k.dtype, salt) for salt, k in enumerate(kept))
    return Case("READ_VARIABLE", variable_net(kept), inputs, str(kept))


def variable_net(kept: Sequence[Kept], zero: int = 0) -> bytes:
    """Each output is what its variable was; its input is what it becomes."""
    count = len(kept)
    values = [TensorSpec(k.shape, k.dtype, 0.5, zero, name=f"{role}{i}") for role in "xy" for i, k in enumerate(kept)]
    ops = [OpSpec("CALL_ONCE", (), (), {"init_subgraph_index": 1})] if _set_up(kept) else []
    for i, k in enumerate(kept):
        handle = 2 * count + i
        ops += [OpSpec("VAR_HANDLE", (), (handle,), {"shared_name": k.name, "container": ""})]
        ops += [OpSpec("READ_VARIABLE", (handle,), (count + i,)), OpSpec("ASSIGN_VARIABLE", (handle, i), ())]
    tensors = (*values, *(HANDLE for _ in kept))
    others = (_setting_up(_set_up(kept), zero),) if _set_up(kept) else ()
    return write_model(
        ModelSpec(tensors, tuple(ops), tuple(range(count)), tuple(range(count, 2 * count)), others=others)
    )


def _set_up(kept: Sequence[Kept]) -> list[Kept]:
    return [k for k in kept if k.initial is not None]


def _setting_up(kept: Sequence[Kept], zero: int) -> SubgraphSpec:
    tensors, ops = list[TensorSpec](), list[OpSpec]()
    for i, k in enumerate(kept):
        values = (k.initial or 0) + k.step * np.arange(np.prod(k.shape, dtype=int))
        data: Array = values.astype(k.dtype).reshape(k.shape)
        tensors += [HANDLE, TensorSpec(k.shape, k.dtype, 0.5, zero, data=data)]
        ops += [
            OpSpec("VAR_HANDLE", (), (2 * i,), {"shared_name": k.name, "container": ""}),
            OpSpec("ASSIGN_VARIABLE", (2 * i, 2 * i + 1), ()),
        ]
    return SubgraphSpec(tuple(tensors), tuple(ops), (), (), "once")


def sliding(shape: tuple[int, ...], rows: int, kept: int) -> Case:
    """Keeps the last `kept` of all rows that came along axis 1, `rows` at a time: those before are cut off."""
    names = (("x", rows), ("memory", kept), ("y", rows + kept), ("last", kept))
    tensors = [_activation(name, (1, size, *shape), Quant(0.25, -3)) for name, size in names]
    ops = (
        OpSpec("READ_VARIABLE", (4,), (1,)),
        OpSpec("CONCATENATION", (1, 0), (2,), {"axis": 1}),
        OpSpec("STRIDED_SLICE", (2, 5, 6, 7), (3,)),
        OpSpec("ASSIGN_VARIABLE", (4, 3), ()),
    )
    return _last_rows(f"sliding {shape} {rows} {kept}", tensors, ops, rows, kept)


def rolling(shape: tuple[int, ...], rows: int, kept: int) -> Case:
    """The same, but those before are cut off when they are read, and `rows` more are kept."""
    names = (("x", rows), ("memory", rows + kept), ("y", rows + kept), ("last", kept))
    tensors = [_activation(name, (1, size, *shape), Quant(0.25, -3)) for name, size in names]
    ops = (
        OpSpec("READ_VARIABLE", (4,), (1,)),
        OpSpec("STRIDED_SLICE", (1, 5, 6, 7), (3,)),
        OpSpec("CONCATENATION", (3, 0), (2,), {"axis": 1}),
        OpSpec("ASSIGN_VARIABLE", (4, 2), ()),
    )
    return _last_rows(f"rolling {shape} {rows} {kept}", tensors, ops, rows, kept)


def _last_rows(label: str, tensors: Sequence[TensorSpec], ops: tuple[OpSpec, ...], rows: int, kept: int) -> Case:
    """Tensors are followed by the handle, and by the tables of a slice that leaves out the first rows."""
    x = tensors[0]
    begin, rest = (0, rows, *(0,) * len(x.shape[2:])), x.shape[2:]
    tables = [np.array(t, np.int32) for t in (begin, (1, rows + kept, *rest), (1,) * len(begin))]
    own = OpSpec("VAR_HANDLE", (), (4,), {"shared_name": "rows", "container": ""})
    specs = (*tensors, HANDLE, *(TensorSpec(t.shape, "int32", data=t) for t in tables))
    model = write_model(ModelSpec(specs, (own, *ops), (0,), (2,)))
    return Case("ASSIGN_VARIABLE", model, (SOURCE.integers(x.shape, "int8"),), label)
