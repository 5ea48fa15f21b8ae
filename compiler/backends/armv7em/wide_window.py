"""Convolutions of int16 values with any kernel: window.py with the blocks of wide_block.py.

Each row of a window is a segment that ends with a 0 if its inputs are an odd number.
"""

from __future__ import annotations

import numpy as np

from ...graph import Array, DType
from ...ops.conv2d import Conv2D
from ..native.conv2d import is_pointwise
from ..native.packing import differences
from . import isa
from .gemm import Gemm, wide_gemms
from .lowering import Lowering
from .wide_expand import Windows, windows_routine
from .window import WindowLayer, has_inner

KERNEL = "te_wide_conv"


def _layers(op: Conv2D, flash_price: int) -> tuple[WindowLayer, ...]:
    if op.x.dtype is not DType.INT16 or is_pointwise(op) or op.groups != 1:
        return ()
    return tuple(_layer(op, gemm) for gemm in wide_gemms(op, segmented(op), flash_price))


def segmented(op: Conv2D) -> Array:
    """[channels, operands]: the weights with a 0 behind each segment that is odd."""
    weights = differences(op).reshape(op.channels, op.kernel.rows, -1)
    return np.pad(weights, ((0, 0), (0, 0), (0, weights.shape[2] % 2))).reshape(op.channels, -1)


def _layer(op: Conv2D, gemm: Gemm) -> WindowLayer:
    rows, inputs, pitch = op.kernel.rows, op.depth // op.kernel.rows, op.stride.columns * op.x.pixel_bytes
    is_near = has_inner(op) and pitch <= isa.LARGEST_OFFSET
    near = windows_routine(Windows(rows, inputs, pitch)) if is_near else None
    return WindowLayer(KERNEL, op, gemm, windows_routine(Windows(rows, inputs, 0)), near)


LOWERING = Lowering.of_layers(KERNEL, _layers)
