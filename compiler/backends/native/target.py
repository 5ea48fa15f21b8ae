"""The native backend: which file of this folder lowers which operator."""

from __future__ import annotations

from collections.abc import Mapping

from ...graph import Op
from ...ops.add import Add
from ...ops.concatenation import Concatenation
from ...ops.conv2d import Conv2D
from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...ops.fully_connected import FullyConnected
from ...ops.logistic import Logistic
from ...ops.mean import Mean
from ...ops.mul import Mul
from ...ops.pad import Pad
from ...ops.pool2d import AveragePool2D, MaxPool2D
from ...ops.quantize import Quantize
from ...ops.relu import Relu, Relu6
from ...ops.resize_nearest_neighbor import ResizeNearestNeighbor
from ...ops.softmax import Softmax
from ...ops.strided_slice import StridedSlice
from ...planner.plan import Plan
from ...target import Candidate
from ..program import Call
from . import (
    add,
    concatenation,
    conv2d,
    depthwise_conv2d,
    elementwise,
    fully_connected,
    mean,
    mul,
    pad,
    pool2d,
    resize_nearest_neighbor,
    softmax,
    strided_slice,
)
from .lowering import Lowering
from .sources import kernel_sources

LOWERINGS: Mapping[type[Op], Lowering] = {
    Add: add.LOWERING,
    AveragePool2D: pool2d.LOWERING,
    Concatenation: concatenation.LOWERING,
    Conv2D: conv2d.LOWERING,
    DepthwiseConv2D: depthwise_conv2d.LOWERING,
    FullyConnected: fully_connected.LOWERING,
    Logistic: elementwise.LOWERING,
    MaxPool2D: pool2d.LOWERING,
    Mean: mean.LOWERING,
    Mul: mul.LOWERING,
    Pad: pad.LOWERING,
    Quantize: elementwise.LOWERING,
    Relu: elementwise.LOWERING,
    Relu6: elementwise.LOWERING,
    ResizeNearestNeighbor: resize_nearest_neighbor.LOWERING,
    Softmax: softmax.LOWERING,
    StridedSlice: strided_slice.LOWERING,
}


class NativeTarget:
    """Portable C99; implements Target and Backend."""

    name = "native"

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        lowering = LOWERINGS.get(type(op))
        return lowering.candidates(op) if lowering else ()

    def lower(self, op: Op, candidate: Candidate, plan: Plan, function: str) -> Call:
        body = LOWERINGS[type(op)].lower(op, candidate, function)
        header = f"{candidate.kernel}.h"
        return Call(
            op,
            function,
            candidate.kernel,
            header,
            body.params,
            body.constants,
            kernel_sources(header),
            body.many_inputs,
        )
