"""Raw tensors to typed ones: shapes, constants and quantisation are checked here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain

import numpy as np

from ..errors import InvalidInput
from ..graph import Array, DType, Quant, Tensor
from ..ops.checks import QUANTISED
from .flatbuffer import damaged
from .records import RawOp, RawQuant, RawTensor

MOST_ELEMENTS = 1 << 31
MOST_DIMENSIONS = 8  # TFLite's own limit is 6 in most kernels

PACKED = "int4"
_TAKE_PACKED_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")  # as TFLM or LiteRT do
_TYPES = {d.value: d for d in DType}


def trouble(raw: RawTensor, reader: RawOp | None = None) -> str | None:
    """Why no Tensor can be made of a valid record, or none that this operator could read."""
    if raw.dtype == PACKED and raw.content is not None and (reader is None or _takes_packed(reader, raw.index)):
        return raw.trouble
    return raw.trouble if raw.dtype in _TYPES else f"has type {raw.dtype}"


def _takes_packed(op: RawOp, index: int) -> bool:
    return op.kind in _TAKE_PACKED_WEIGHTS and [i for i, t in enumerate(op.inputs) if t == index] == [1]


def typed_tensors(raws: Iterable[RawTensor]) -> Mapping[int, Tensor]:
    """Tensors by their index in the file, without those in trouble."""
    usable = [raw for raw in raws if trouble(raw) is None]
    names = unique_names(usable)
    return {raw.index: _typed(raw, names[raw.index]) for raw in usable}


def unique_names(raws: Iterable[RawTensor]) -> Mapping[int, str]:
    """The file's names; `t12` for the nameless, and `name_t12` where another tensor had it first."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    for raw in raws:
        options = chain([raw.name or f"t{raw.index}"], (f"{raw.name}_t{raw.index}{'_' * n}" for n in range(1 << 20)))
        names[raw.index] = next(name for name in options if name not in taken)
        taken.add(names[raw.index])
    return names


def _typed(raw: RawTensor, name: str) -> Tensor:
    where = f"tensor {raw.index} ({name})"
    if raw.dtype == PACKED:
        raw = _unpacked(raw, where)
    dtype = _TYPES[raw.dtype]
    _check_shape(raw, where)
    counts = raw.quant is not None and (dtype in QUANTISED or _is_scaled_int32(raw, raw.quant))
    quant = _quant(raw, raw.quant, dtype, where) if raw.quant is not None and counts else None
    return Tensor(name, raw.shape, dtype, quant, _constant(raw, dtype, where))


def _is_scaled_int32(raw: RawTensor, quant: RawQuant) -> bool:
    """What QUANTIZE makes or takes. Biases follow from their layers, and some indices come with a scale of 0."""
    return raw.dtype == "int32" and raw.content is None and len(quant.scales) == 1 and 0 < quant.scales[0] < math.inf


def _unpacked(raw: RawTensor, where: str) -> RawTensor:
    """Four bits each, two in a byte, the first in the lower half: as int8."""
    assert raw.content is not None
    count, packed = math.prod(raw.shape), np.frombuffer(raw.content, np.uint8)
    if packed.size != (count + 1) // 2:
        raise damaged(where, f"holds {packed.size} bytes where its shape and type need {(count + 1) // 2}")
    nibbles = np.stack([packed << 4, packed & 0xF0], axis=-1).reshape(-1)[:count].view(np.int8) >> 4
    return replace(raw, dtype=DType.INT8.value, content=memoryview(nibbles.tobytes()))


def _check_shape(raw: RawTensor, where: str) -> None:
    shape = list(raw.shape)
    if len(shape) > MOST_DIMENSIONS:
        raise InvalidInput(f"{where} has {len(shape)} dimensions", f"at most {MOST_DIMENSIONS} are possible")
    if _is_empty_list(raw):
        return
    if any(n < 1 for n in shape):
        hint = "convert the model with fixed, positive input sizes (batch 1)"
        raise InvalidInput(f"{where} has shape {shape}", hint)
    if math.prod(shape) > MOST_ELEMENTS:
        raise damaged(where, f"has shape {shape}: more than 2^31 values")


def _is_empty_list(raw: RawTensor) -> bool:
    """The shape of a scalar, as RESHAPE is given it: a list of no numbers."""
    return raw.shape == (0,) and raw.dtype in ("int32", "int64")


def _constant(raw: RawTensor, dtype: DType, where: str) -> Array | None:
    content = memoryview(b"") if raw.content is None and _is_empty_list(raw) else raw.content
    if content is None:
        return None
    expected = math.prod(raw.shape) * dtype.size
    if len(content) != expected:
        raise damaged(where, f"holds {len(content)} bytes where its shape and type need {expected}")
    little = np.frombuffer(content, dtype.numpy.newbyteorder("<"))
    return little.astype(dtype.numpy, copy=False).reshape(raw.shape)


def _quant(raw: RawTensor, quant: RawQuant, dtype: DType, where: str) -> Quant:
    for scale in quant.scales:
        # Folding a negative batch normalisation leaves negative scales of weights in real files (MCUNet).
        if not math.isfinite(scale) or scale == 0 or (scale < 0 and raw.content is None):
            raise damaged(where, f"has scale {scale}")
    low, high = dtype.bounds
    for zero_point in quant.zero_points:
        if not low <= zero_point <= high:
            raise damaged(where, f"has zero point {zero_point}, outside {dtype.value}")
    if len(quant.scales) > 1:
        _check_axis(quant, raw.shape, where)
    return Quant(quant.scales, quant.zero_points, quant.axis)


def _check_axis(quant: RawQuant, shape: tuple[int, ...], where: str) -> None:
    if not 0 <= quant.axis < len(shape):
        raise damaged(where, f"is quantised along axis {quant.axis} of shape {list(shape)}")
    if shape[quant.axis] != len(quant.scales):
        raise damaged(where, f"has {len(quant.scales)} scales for the {shape[quant.axis]} values of axis {quant.axis}")
