"""The operators we know, by their TFLite name. One file each (families share one)."""

from __future__ import annotations

from collections.abc import Mapping

from ..graph import Op
from .add import Add
from .conv2d import Conv2D
from .depthwise_conv2d import DepthwiseConv2D
from .dequantize import Dequantize
from .fully_connected import FullyConnected
from .mean import Mean
from .pad import Pad
from .pool2d import AveragePool2D, MaxPool2D
from .quantize import Quantize
from .relu import Relu, Relu6
from .reshape import Reshape
from .shapes import Pack, Shape, StridedSlice
from .softmax import Softmax

OPERATORS: Mapping[str, type[Op]] = {
    op.kind: op
    for op in (
        Add, AveragePool2D, Conv2D, DepthwiseConv2D, Dequantize, FullyConnected, MaxPool2D, Mean, Pack, Pad, Quantize,
        Relu, Relu6, Reshape, Shape, Softmax, StridedSlice,
    )
}  # fmt: skip
