"""Converters at the model's border: what they compute, taken from the operators that were lifted out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..graph import Border, DType, Tensor
from ..ops.chain import left_to_caller
from ..ops.checks import BYTES, QUANTISED


@dataclass(frozen=True)
class ByteConverter:
    """A byte to a byte: a table, or the simple rule the table would spell out."""

    comment: str
    table: tuple[int, ...] = ()
    flip: bool = False  # int8 = uint8 - 128


@dataclass(frozen=True)
class RealConverter:
    """Real numbers in units of `scale`, relative to the zero point."""

    scale_bits: int
    low: int
    high: int
    left_to_caller: tuple[str, ...] = ()  # what the model file goes on with


@dataclass(frozen=True)
class Converters:
    bytes: ByteConverter | None = None
    real: RealConverter | None = None


def input_converters(tensor: Tensor, border: Border | None) -> Converters:
    if tensor.dtype not in QUANTISED or tensor.quant is None or not tensor.quant.per_tensor:
        return Converters()
    return Converters(_from_bytes(tensor, border) if tensor.dtype in BYTES else None, _real(tensor))


def output_converters(tensor: Tensor, border: Border | None) -> Converters:
    if tensor.dtype not in QUANTISED or tensor.quant is None or not tensor.quant.per_tensor:
        return Converters()
    unsigned = border is not None and border.outer.dtype is DType.UINT8
    table = ByteConverter("as the model file", _table(border, tensor.dtype)) if border and unsigned else None
    left = () if border is None else left_to_caller(border)
    return Converters(table, replace(_real(tensor), left_to_caller=left))


def _from_bytes(tensor: Tensor, border: Border | None) -> ByteConverter:
    if border is not None and border.outer.dtype is DType.UINT8:
        table = _table(border, DType.UINT8)
        if table != tuple(range(-128, 128)):
            return ByteConverter("the unsigned input of the model file", table)
    if tensor.dtype is DType.UINT8:
        return ByteConverter("copied as they are")
    return ByteConverter("value - 128, for models trained on pixels", flip=True)


def _table(border: Border, dtype: DType) -> tuple[int, ...]:
    """The border's operator on all 256 values, in the order of their bit patterns."""
    values = np.arange(256, dtype=np.uint8).view(dtype.numpy)
    return tuple(int(v) for v in border.convert(values))


def _real(tensor: Tensor) -> RealConverter:
    return RealConverter(int(np.float32(tensor.scale).view(np.uint32)), *tensor.dtype.bounds)
