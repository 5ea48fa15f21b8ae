"""The operators we know, by their TFLite name. One file each (families share one)."""

from __future__ import annotations

from collections.abc import Mapping

from ..graph import Op
from .add import Add
from .concatenation import Concatenation
from .conv2d import Conv2D
from .depthwise_conv2d import DepthwiseConv2D
from .dequantize import Dequantize
from .fully_connected import FullyConnected
from .logistic import Logistic
from .mean import Mean
from .mul import Mul
from .pad import Pad
from .pool2d import AveragePool2D, MaxPool2D
from .quantize import Quantize
from .relu import Relu, Relu6
from .reshape import Reshape
from .resize_nearest_neighbor import ResizeNearestNeighbor
from .shapes import Pack, Shape
from .softmax import Softmax
from .strided_slice import StridedSlice

OPERATORS: Mapping[str, type[Op]] = {
    op.kind: op
    for op in (
        Add, AveragePool2D, Concatenation, Conv2D, DepthwiseConv2D, Dequantize, FullyConnected, Logistic, MaxPool2D,
        Mean, Mul, Pack, Pad, Quantize, Relu, Relu6, Reshape, ResizeNearestNeighbor, Shape, Softmax, StridedSlice,
    )
}  # fmt: skip
