"""FULLY_CONNECTED: a matrix product with few rows."""

from __future__ import annotations

import numpy as np

from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from .lowering import Body, Lowering, candidate, prefixed
from .packing import CHANNEL_BYTES, FINISH_INSTRUCTIONS, channel_table, folded_bias, matrix_params, weight_table

PER_MAC = 2.6


def candidates(op: FullyConnected) -> tuple[Candidate, ...]:
    instructions = op.macs * PER_MAC + op.y.elements * FINISH_INSTRUCTIONS
    weights = op.weights.nbytes + CHANNEL_BYTES * op.channels
    return (candidate("te_fully_connected", form=Form.WHOLE, weights=weights, instructions=instructions),)


def lower(op: FullyConnected, _chosen: Candidate, function: str) -> Body:
    centred = op.weight_values().astype(np.int64) - op.weights.zero_point
    table = channel_table(op, folded_bias(op, centred), function)
    fits = centred.min(initial=0) >= -128 and centred.max(initial=0) <= 127
    weights = weight_table(centred if fits else op.weight_values(), function, "[outputs][inputs]")
    params = {
        "batches": op.batches,
        "weight_zero": 0 if fits else op.weights.zero_point,
        **prefixed("matrix", matrix_params(op, centred, weights, table)),
    }
    return Body(params, (weights, table))


LOWERING = Lowering(candidates, lower)
