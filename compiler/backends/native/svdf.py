"""SVDF: what filters remember lives in the model's struct, with 8 or 16 bits."""

from __future__ import annotations

import numpy as np

from ...arith import wrap32
from ...graph import Array, Tensor
from ...ops.svdf import Svdf
from ...target import Candidate, Form
from ..program import ConstantArray, ParamValue
from .factor import factor_params, largest_sum
from .lowering import Body, Lowering, candidate, prefixed
from .packing import weight_table

PER_MAC, PER_MEMORY = 2.6, 6  # of features, of time
PER_FILTER, PER_UNIT = 30, 30


def candidates(op: Svdf) -> tuple[Candidate, ...]:
    filters, units = op.batches * op.filters, op.batches * op.units
    features = filters * (op.x.shape[1] * PER_MAC + PER_FILTER)
    instructions = features + filters * op.memory * PER_MEMORY + units * PER_UNIT
    weights = op.features.nbytes + op.times.nbytes + 4 * (op.filters + op.units)
    return (candidate("te_svdf", form=Form.WHOLE, weights=weights, instructions=instructions),)


def lower(op: Svdf, _chosen: Candidate, function: str) -> Body:
    features, times = _values(op.features), _values(op.times)
    feature_bias = wrap32(-op.x.zero_point * features.sum(axis=1))
    over_time = times.reshape(op.units, op.rank * op.memory)
    bias = wrap32(_values(op.bias) - op.seen.zero_point * over_time.sum(axis=1))
    ctype = f"{op.times.dtype.value}_t"
    tables = (
        weight_table(features, f"{function}_features", "[filters][features]"),
        _table(f"{function}_feature_bias", "int32_t", feature_bias, "what the input's zero point contributes"),
        _table(f"{function}_times", ctype, times, "[filters][memory]"),
        _table(f"{function}_bias", "int32_t", bias, "of each unit"),
    )
    low, high = op.seen.dtype.bounds
    filters: dict[str, ParamValue] = {
        "weights": tables[0].name,
        "bias": tables[1].name,
        "depth": op.x.shape[1],
        "filters": op.filters,
        "zero": op.seen.zero_point,
        **factor_params("factor", op.seen_factor(), largest_sum(features, feature_bias, -128, 127)),
    }
    units: dict[str, ParamValue] = {
        "bias": tables[3].name,
        "units": op.units,
        "rank": op.rank,
        "zero": op.y.zero_point,
        **factor_params("factor", op.output_factor(), largest_sum(over_time, bias, low, high)),
    }
    own: dict[str, ParamValue] = {
        "batches": op.batches,
        "memory": op.memory,
        "bytes": op.seen.dtype.size,
        "times": tables[2].name,
    }
    params = {**own, **prefixed("filters", filters), **prefixed("units", units)}
    return Body(params, tables, variables=(op.seen.name,))


def _values(tensor: Tensor) -> Array:
    assert tensor.data is not None
    return tensor.data.astype(np.int64)


def _table(name: str, ctype: str, values: Array, comment: str) -> ConstantArray:
    return ConstantArray(name, ctype, values.astype(np.dtype(ctype.removesuffix("_t"))), comment)


LOWERING = Lowering(candidates, lower)
