"""UNIDIRECTIONAL_SEQUENCE_LSTM: unit by unit, the four gates of each side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...arith import Multiplier, wrap32
from ...fixed_point import SIGMOIDS
from ...graph import Array, Tensor
from ...ops.lstm import GATES, HIGH, LOW, Lstm
from ...target import Candidate, Form
from ..program import ConstantArray, ParamValue
from .factor import factor_params, largest_sum
from .lowering import Body, Lowering, Params, candidate, prefixed
from .packing import weight_table

NAMES = ("input", "forget", "cell", "output")
PER_MAC, PER_UNIT = 2.6, 330  # of each step: a unit's scaling, sigmoids, products
PER_WIDE_MAC, PER_WIDE_UNIT = 3.0, 520
PRODUCT = ((1 << 15) - 1) << 15  # of a gate, which is not negative, and another number of 16 bits


def candidates(op: Lstm) -> tuple[Candidate, ...]:
    per_gate = op.depth + op.units + (32 if op.is_wide else 8)
    weights = GATES * op.units * per_gate + 2 * len(SIGMOIDS)
    per_mac, per_unit = (PER_WIDE_MAC, PER_WIDE_UNIT) if op.is_wide else (PER_MAC, PER_UNIT)
    instructions = op.macs * per_mac + op.batches * op.steps * op.units * per_unit
    kernel = "te_lstm_16" if op.is_wide else "te_lstm"
    return (candidate(kernel, form=Form.WHOLE, weights=weights, instructions=instructions),)


def lower(op: Lstm, _chosen: Candidate, function: str) -> Body:
    gates, nothing = op.gates, np.zeros((op.units, GATES), np.int64)
    seen_bias = np.stack([_values(g.bias) for g in gates], axis=1)
    side = _wide_side if op.is_wide else _side
    seen, seen_tables = side(f"{function}_seen", [g.weights for g in gates], op.x, seen_bias, op.input_factors())
    heard, heard_tables = side(
        f"{function}_heard", [g.recurrent for g in gates], op.hidden, nothing, op.recurrent_factors()
    )
    sigmoids = ConstantArray(f"{function}_sigmoids", "uint16_t", np.array(SIGMOIDS, np.uint16), "of i / 24, Q0.16")
    params = {
        **prefixed("walk", _walk(op)),
        **prefixed("seen", seen),
        **prefixed("heard", heard),
        **prefixed("cell", _cell(op, sigmoids.name)),
    }
    tables = (*seen_tables, *heard_tables, sigmoids)
    return Body(params, tables, variables=tuple(tensor.name for tensor in op.kept))


def _walk(op: Lstm) -> Params:
    return {
        "batches": op.batches,
        "steps": op.steps,
        "units": op.units,
        "batch_step": 1 if op.time_major else op.steps,
        "time_step": op.batches if op.time_major else 1,
    }


def _cell(op: Lstm, sigmoids: str) -> Params:
    low, high = op.hidden.dtype.bounds
    kept, added, shown = op.cell_factors()
    return {
        **factor_params("kept", kept, PRODUCT),
        **factor_params("added", added, PRODUCT),
        **factor_params("shown", shown, PRODUCT),
        "zero": op.hidden.zero_point,
        "low": low,
        "high": high,
        "clip": op.clip,
        "tanh_factor": op.tanh_argument.factor,
        "tanh_shift": op.tanh_argument.shift,
        "sigmoids": sigmoids,
    }


def _packed(weights: Sequence[Tensor]) -> Array:
    """[units, gates, depth]"""
    return np.stack([_values(w) for w in weights], axis=1)


def _side(
    name: str, weights: Sequence[Tensor], vector: Tensor, biases: Array, factors: Sequence[Multiplier]
) -> tuple[Params, tuple[ConstantArray, ...]]:
    """Members of te_gates_t, and its tables."""
    packed = _packed(weights)
    bias = wrap32(biases - vector.zero_point * packed.sum(axis=2))
    comment = "bias of each unit's gates: input, forget, cell, output"
    tables = (
        weight_table(packed, name, "[units][gates][depth]"),
        ConstantArray(f"{name}_bias", "int32_t", bias.astype(np.int32), comment),
    )
    params: dict[str, ParamValue] = {"weights": tables[0].name, "bias": tables[1].name, "depth": packed.shape[2]}
    for gate, (part, factor) in enumerate(zip(NAMES, factors, strict=True)):
        params |= factor_params(part, factor, largest_sum(packed[:, gate], bias[:, gate], -128, 127))
    return params, tables


def _wide_side(
    name: str, weights: Sequence[Tensor], _vector: Tensor, biases: Array, factors: Sequence[Multiplier]
) -> tuple[Params, tuple[ConstantArray, ...]]:
    """Members of te_matrix_16_t, and its tables; wide zero points are 0."""
    packed, bias = _packed(weights), biases.reshape(-1)
    units = len(packed)
    mantissas, shifts = (np.tile(values, units) for values in zip(*factors, strict=True))
    columns = np.stack([bias, bias >> 32, mantissas, 15 - shifts], axis=1) & 0xFFFFFFFF
    comment = "of each unit's gates: bias in two halves, mantissa and shift"
    tables = (
        weight_table(packed, name, "[units][gates][depth]"),
        ConstantArray(f"{name}_channels", "int32_t", columns.astype(np.uint32).view(np.int32), comment),
    )
    output: Params = {"channels": tables[1].name, "low": LOW, "high": HIGH, "rounding": "TE_WIDE"}
    sizes: Params = {"weights": tables[0].name, "depth": packed.shape[2], "channels": units * GATES}
    return {**sizes, **prefixed("output", output)}, tables


def _values(tensor: Tensor) -> Array:
    assert tensor.data is not None
    return tensor.data.astype(np.int64)


LOWERING = Lowering(candidates, lower)
