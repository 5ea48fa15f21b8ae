"""Layers that are computed in parts: batches of images, groups of channels."""

from __future__ import annotations

import math
from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from tests.tools.cases import Case
from tests.tools.random_ops import images, pairs, windows

from . import transposed, weighted
from .row import Row


@st.composite
def batches(draw: DrawFn) -> Case:
    """Draw a convolution of several images."""
    window, batch = draw(windows(dilation=2)), draw(st.integers(2, 5))
    image, dtype = draw(images(window)), draw(st.sampled_from(["int8", "int16"]))
    a = draw(transposed.arithmetics(dtype, 4, math.prod(window.kernel) * image[2], biases=("int64", None)))
    return weighted.conv_2d(image, 4, window, a, batch=batch)


@st.composite
def groups(draw: DrawFn) -> Case:
    """Draw a convolution of groups, often of one channel each."""
    window, count, each = draw(windows(dilation=2)), draw(st.integers(2, 5)), draw(st.integers(1, 3))
    depth, dtype = draw(st.sampled_from([1, 2, 3])), draw(st.sampled_from(["int8", "int16"]))
    image = (*draw(images(window))[:2], depth * count)
    a = draw(transposed.arithmetics(dtype, each * count, math.prod(window.kernel) * depth, biases=("int64", None)))
    return weighted.conv_2d(image, each * count, window, a, groups=count, batch=draw(st.sampled_from([1, 1, 2])))


@st.composite
def depthwise_batches(draw: DrawFn) -> Case:
    window, batch = draw(windows(dilation=2)), draw(st.integers(2, 5))
    image = draw(images(window))
    a = draw(transposed.arithmetics("int8", image[2] * 2, math.prod(window.kernel)))
    return weighted.depthwise_conv_2d(image, 2, window, a, batch=batch)


@st.composite
def transposed_batches(draw: DrawFn) -> Case:
    kernel, stride, image = draw(pairs(4)), draw(pairs(3)), (*draw(pairs(5)), draw(st.integers(1, 4)))
    a = draw(transposed.arithmetics("int8", 3, kernel[0] * kernel[1] * image[2]))
    padding = draw(st.sampled_from(["SAME", "VALID"]))
    return weighted.transpose_conv(image, 3, kernel, stride, padding, a, batch=draw(st.integers(2, 4)))


ROWS: Mapping[str, Row] = {
    "CONV_2D batches": Row(list, batches(), streams=False),
    "CONV_2D groups": Row(list, groups(), streams=False),
    "DEPTHWISE_CONV_2D batches": Row(list, depthwise_batches(), streams=False),
    "TRANSPOSE_CONV batches": Row(list, transposed_batches(), streams=False),
}
