"""The operators we know, by their TFLite name. One file each (families share one)."""

from __future__ import annotations

from collections.abc import Mapping

from ..graph import Op
from .absolute import Abs, Neg
from .add import Add, SquaredDifference, Sub
from .arg_extreme import ArgMax, ArgMin
from .batch_matmul import BatchMatMul
from .batches import BatchToSpace, SpaceToBatch
from .blocks import DepthToSpace, SpaceToDepth
from .comparison import (
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
from .concatenation import Concatenation
from .conv2d import Conv2D
from .cumsum import CumSum
from .depthwise_conv2d import DepthwiseConv2D
from .dequantize import Dequantize
from .division import Div, FloorDiv, FloorMod
from .fully_connected import FullyConnected
from .gather import Gather
from .hard_swish import HardSwish
from .leaky_relu import LeakyRelu
from .log_softmax import LogSoftmax
from .logistic import Logistic, Tanh
from .lstm import Lstm
from .maximum import Maximum, Minimum
from .mean import Mean, Sum
from .mul import Mul
from .pad import MirrorPad, Pad, PadV2
from .pool2d import AveragePool2D, MaxPool2D
from .prelu import Prelu
from .quantize import Quantize
from .real_functions import Elu, Exp, Gelu, Log, Sqrt
from .real_only import Ceil, Cos, Floor, Round, Sin, Square
from .reduce_extreme import ReduceMax, ReduceMin
from .reduce_prod import ReduceProd
from .reduce_truth import ReduceAll, ReduceAny
from .relu import Relu, Relu0To1, Relu6, ReluN1To1
from .repeat import BroadcastTo, Tile
from .reshape import ExpandDims, Reshape, Squeeze
from .resize_bilinear import ResizeBilinear
from .resize_nearest_neighbor import ResizeNearestNeighbor
from .rsqrt import L2Normalization, Rsqrt
from .select import Select, SelectV2
from .shapes import Pack, Shape, Unpack
from .softmax import Softmax
from .split import Slice, Split, SplitV
from .strided_slice import StridedSlice
from .svdf import Svdf
from .transpose import ReverseV2, Transpose
from .transpose_conv import TransposeConv
from .variables import AssignVariable, ReadVariable

OPERATORS: Mapping[str, type[Op]] = {
    op.kind: op
    for op in (
        Abs, Add, ArgMax, ArgMin, AssignVariable, AveragePool2D, BatchMatMul, BatchToSpace, BroadcastTo, Ceil,
        Concatenation, Conv2D, Cos, CumSum, DepthToSpace, DepthwiseConv2D, Dequantize, Div, Elu, Equal, Exp,
        ExpandDims, Floor, FloorDiv, FloorMod, FullyConnected, Gather, Gelu, Greater, GreaterEqual, HardSwish,
        L2Normalization, LeakyRelu, Less, LessEqual, Log, LogSoftmax, LogicalAnd, LogicalNot, LogicalOr, Logistic,
        Lstm, MaxPool2D, Maximum, Mean, Minimum, MirrorPad, Mul, Neg, NotEqual, Pack, Pad, PadV2, Prelu, Quantize,
        ReadVariable, ReduceAll, ReduceAny, ReduceMax, ReduceMin, ReduceProd, Relu, Relu0To1, Relu6, ReluN1To1,
        Reshape, ResizeBilinear, ResizeNearestNeighbor, ReverseV2, Round, Rsqrt, Select, SelectV2, Shape, Sin, Slice,
        Softmax, SpaceToBatch, SpaceToDepth, Split, SplitV, Sqrt, Square, SquaredDifference, Squeeze, StridedSlice,
        Sub, Sum, Svdf, Tanh, Tile, Transpose, TransposeConv, Unpack,
    )
}  # fmt: skip
