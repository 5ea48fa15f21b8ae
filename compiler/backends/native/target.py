"""The native backend: which file of this folder lowers which operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...graph import Op
from ...ops.absolute import Abs, Neg
from ...ops.add import Add, SquaredDifference, Sub
from ...ops.arg_extreme import ArgMax, ArgMin
from ...ops.batch_matmul import BatchMatMul
from ...ops.blocks import DepthToSpace, SpaceToDepth
from ...ops.comparison import (
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    LogicalAnd,
    LogicalNot,
    LogicalOr,
    NotEqual,
)
from ...ops.concatenation import Concatenation
from ...ops.conv2d import Conv2D
from ...ops.cumsum import CumSum
from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...ops.fully_connected import FullyConnected
from ...ops.gather import Gather
from ...ops.hard_swish import HardSwish
from ...ops.leaky_relu import LeakyRelu
from ...ops.log_softmax import LogSoftmax
from ...ops.logistic import Logistic, Tanh
from ...ops.lstm import Lstm
from ...ops.maximum import Maximum, Minimum
from ...ops.mean import Mean, Sum
from ...ops.mul import Mul
from ...ops.pad import Pad, PadV2
from ...ops.pool2d import AveragePool2D, MaxPool2D
from ...ops.prelu import Prelu
from ...ops.quantize import Quantize
from ...ops.real_functions import Elu, Exp, Gelu, Log, Sqrt
from ...ops.reduce_extreme import ReduceMax, ReduceMin
from ...ops.reduce_truth import ReduceAll, ReduceAny
from ...ops.relu import Relu, Relu0To1, Relu6, ReluN1To1
from ...ops.repeat import BroadcastTo, Tile
from ...ops.resize_bilinear import ResizeBilinear
from ...ops.resize_nearest_neighbor import ResizeNearestNeighbor
from ...ops.rsqrt import L2Normalization, Rsqrt
from ...ops.select import Select, SelectV2
from ...ops.softmax import Softmax
from ...ops.strided import Rearrange
from ...ops.strided_slice import StridedSlice
from ...ops.svdf import Svdf
from ...ops.table import Table
from ...ops.transpose import ReverseV2, Transpose
from ...ops.transpose_conv import TransposeConv
from ...ops.variables import AssignVariable, ReadVariable
from ...planner.plan import Plan
from ...target import Candidate
from ..program import Call
from . import (
    arg_extreme,
    batch_matmul,
    concatenation,
    conv2d,
    cumsum,
    depthwise_conv2d,
    elementwise,
    fully_connected,
    gather,
    l2_norm,
    log_softmax,
    logistic,
    lstm,
    pad,
    pair,
    pool2d,
    reduction,
    resize_bilinear,
    resize_nearest_neighbor,
    scale,
    select,
    softmax,
    strided,
    strided_slice,
    svdf,
    transpose_conv,
    variables,
)
from .lowering import Lowering
from .sources import kernel_sources

OPERATORS_OF: Sequence[tuple[Lowering, Sequence[type[Op]]]] = (
    (arg_extreme.LOWERING, (ArgMax, ArgMin)),
    (batch_matmul.LOWERING, (BatchMatMul,)),
    (concatenation.LOWERING, (Concatenation,)),
    (conv2d.LOWERING, (Conv2D,)),
    (cumsum.LOWERING, (CumSum,)),
    (depthwise_conv2d.LOWERING, (DepthwiseConv2D,)),
    (elementwise.LOWERING, (Elu, Exp, Gelu, HardSwish, Log, LogicalNot, Neg, Rsqrt, Sqrt, Table)),
    (fully_connected.LOWERING, (FullyConnected,)),
    (gather.LOWERING, (Gather,)),
    (l2_norm.LOWERING, (L2Normalization,)),
    (log_softmax.LOWERING, (LogSoftmax,)),
    (logistic.LOWERING, (Logistic, Tanh)),
    (lstm.LOWERING, (Lstm,)),
    (pad.LOWERING, (Pad, PadV2)),
    (pair.LOWERING, (Add, LogicalAnd, LogicalOr, Maximum, Minimum, Mul, Prelu, SquaredDifference, Sub)),
    (pair.LOWERING, (Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual)),
    (pool2d.LOWERING, (AveragePool2D, MaxPool2D)),
    (reduction.LOWERING, (Mean, ReduceAll, ReduceAny, ReduceMax, ReduceMin, Sum)),
    (resize_bilinear.LOWERING, (ResizeBilinear,)),
    (resize_nearest_neighbor.LOWERING, (ResizeNearestNeighbor,)),
    (scale.LOWERING, (Abs, LeakyRelu, Quantize, Relu, Relu0To1, Relu6, ReluN1To1)),
    (select.LOWERING, (Select, SelectV2)),
    (softmax.LOWERING, (Softmax,)),
    (strided.LOWERING, (BroadcastTo, DepthToSpace, Rearrange, ReverseV2, SpaceToDepth, Tile, Transpose)),
    (strided_slice.LOWERING, (StridedSlice,)),
    (svdf.LOWERING, (Svdf,)),
    (transpose_conv.LOWERING, (TransposeConv,)),
    (variables.ASSIGN_LOWERING, (AssignVariable,)),
    (variables.READ_LOWERING, (ReadVariable,)),
)
LOWERINGS: Mapping[type[Op], Lowering] = {op: lowering for lowering, ops in OPERATORS_OF for op in ops}


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
            (header,),
            body.params,
            body.constants,
            kernel_sources(header),
            body.many_inputs,
            body.variables,
        )
