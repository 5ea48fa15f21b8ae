"""FULLY_CONNECTED: a matrix product with few rows."""

from __future__ import annotations

import numpy as np

from ...ops.fully_connected import FullyConnected
from ...target import Candidate, Form
from .lowering import Body, Lowering, candidate, prefixed
from .packing import CHANNEL_BYTES, FINISH_INSTRUCTIONS, matrix_params, pack_channels, weight_table

PER_MAC = 2.6


def candidates(op: FullyConnected) -> tuple[Candidate, ...]:
    instructions = op.macs * PER_MAC + op.y.elements * FINISH_INSTRUCTIONS
    weights = op.weights.nbytes + CHANNEL_BYTES * op.channels
    return (candidate("te_fully_connected", form=Form.WHOLE, weights=weights, instructions=instructions),)


def lower(op: FullyConnected, _chosen: Candidate, function: str) -> Body:
    channels = pack_channels(op, op.weight_values().astype(np.int64) - op.weights.zero_point)
    table = channels.table(function)
    fits = channels.weights.min(initial=0) >= -128 and channels.weights.max(initial=0) <= 127
    zero = 0 if fits else op.weights.zero_point
    weights = weight_table(channels.weights + zero, function, "[outputs][inputs]")
    params = {
        "batches": op.batches,
        "weight_zero": zero,
        **prefixed("matrix", matrix_params(op, weights, table)),
    }
    return Body(params, (weights, table))


LOWERING = Lowering(candidates, lower)
