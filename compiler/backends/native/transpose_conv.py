"""TRANSPOSE_CONV: each output pixel gathers the inputs that reach it; the weights are packed by phase of the stride."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...graph import Array, DType, Region, Span
from ...ops.transpose_conv import TransposeConv
from ...target import Candidate
from ..program import ConstantArray
from .finish import layer_finish_instructions
from .lowering import Body, Lowering, Params, candidate, prefixed
from .packing import (
    CHANNEL_BYTES,
    FINISH_WIDE_INSTRUCTIONS,
    PER_WIDE_MAC,
    channel_table,
    differences,
    kept_zero,
    output_params,
    pack_channels,
    summed_instructions,
    weight_bytes,
    weight_table,
    wide_output_params,
    wide_table,
)

WEIGHTS = "[phases][channels out][rows][columns][channels in]"
PER_MAC = 2.4
PER_PIXEL = 90
PER_GATHERED_ROW = 40  # of a phase's kernel
PER_GATHERED_BYTE = 1


def candidates(op: TransposeConv) -> tuple[Candidate, ...]:
    rows, columns = (-(-k // s) for k, s in zip(op.kernel, op.stride, strict=True))  # of the largest phase
    scratch = rows * columns * op.x.pixel_bytes
    pixels = op.y.image.rows * op.y.image.columns
    gathered = pixels * (PER_PIXEL + rows * PER_GATHERED_ROW + scratch * PER_GATHERED_BYTE)
    if op.x.dtype is DType.INT16:
        products = _products(op, _reached_rows(op))
        instructions = products * PER_WIDE_MAC + op.y.elements * FINISH_WIDE_INSTRUCTIONS + gathered
        found = candidate("te_transpose_conv_16", scratch=scratch, weights=weight_bytes(op), instructions=instructions)
        return (found,)
    products = _products(op, op.y.image.rows * op.kernel.rows / op.stride.rows)
    instructions = products * PER_MAC + op.y.elements * layer_finish_instructions(op) + gathered
    instructions += summed_instructions(op, products / op.channels)
    weights = op.weights.nbytes + CHANNEL_BYTES * op.channels * op.stride.rows * op.stride.columns
    return (candidate("te_transpose_conv", scratch=scratch, weights=weights, instructions=instructions),)


def _products(op: TransposeConv, rows: float) -> float:
    """If the pixels of a column meet so many rows of taps; beside the image, zeros count."""
    across = op.y.image.columns * op.kernel.columns / op.stride.columns
    return rows * across * op.x.image.channels * op.channels


def _reached_rows(op: TransposeConv) -> int:
    """Rows of taps inside the image, of all rows of the output."""
    columns = Span(0, op.y.image.columns)
    spans = (op.window(2, Region(Span(row, row + 1), columns)).rows for row in range(op.y.image.rows))
    return sum(span.stop - span.start for span in spans)


def phases(op: TransposeConv) -> Iterator[Array]:
    """The weights [channels, depth] of each phase: every stride-th tap, from the last to the first."""
    weights = differences(op)
    for row in range(op.stride.rows):
        for column in range(op.stride.columns):
            taps = weights[:, row :: op.stride.rows, column :: op.stride.columns]
            yield taps[:, ::-1, ::-1].reshape(op.channels, -1)


def lower(op: TransposeConv, _chosen: Candidate, function: str) -> Body:
    matrix, constants = _matrix_16(op, function) if op.x.dtype is DType.INT16 else _matrix(op, function)
    params: Params = {**prefixed("window", _window(op)), "depth": op.x.image.channels, **prefixed("matrix", matrix)}
    return Body(params, constants)


def _matrix(op: TransposeConv, function: str) -> tuple[Params, tuple[ConstantArray, ...]]:
    """With a table of channels for each phase, as the input's zero point counts in each tap that there is."""
    packed = [pack_channels(op, weights) for weights in phases(op)]
    weights = np.concatenate([channels.weights.reshape(-1) for channels in packed])
    zero = kept_zero(op, weights)
    values = np.concatenate([channels.values for channels in packed])
    table = channel_table(function, values, "bias, mantissa and shift of each channel, for each phase")
    found = weight_table(weights + zero, function, WEIGHTS)
    params: Params = {
        "weights": found.name,
        "weight_zero": zero,
        "depth": 0,
        "channels": op.channels,
        **prefixed("output", output_params(op, table)),
    }
    return params, (found, table)


def _matrix_16(op: TransposeConv, function: str) -> tuple[Params, tuple[ConstantArray, ...]]:
    weights = np.concatenate([phase.reshape(-1) for phase in phases(op)])
    found, table = weight_table(weights, function, WEIGHTS), wide_table(op, function)
    output = prefixed("output", wide_output_params(op, table))
    return {"weights": found.name, "depth": 0, "step": 0, "channels": op.channels, **output}, (found, table)


def _window(op: TransposeConv) -> Params:
    """Members of te_window_t, in their order."""
    return {
        "in_cols": op.x.image.columns,
        "pixel_bytes": op.x.pixel_bytes,
        "in_zero": op.x.zero_point,
        "kernel_rows": op.kernel.rows,
        "kernel_cols": op.kernel.columns,
        "stride_rows": op.stride.rows,
        "stride_cols": op.stride.columns,
        "dilation_rows": 1,
        "dilation_cols": 1,
        "pad_top": op.padding.top,
        "pad_left": op.padding.left,
    }


LOWERING = Lowering(candidates, lower)
