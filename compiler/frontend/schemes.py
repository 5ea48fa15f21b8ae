"""Which kind of quantisation a model uses, judged by its layers with weights."""

from __future__ import annotations

from .records import RawModel, RawOp
from .support import ACCELERATORS, FLOAT, HYBRID, Scheme

_WITH_WEIGHTS = (
    "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "CONV_3D", "SVDF", "BATCH_MATMUL", "LSTM",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
)  # fmt: skip


def refused_scheme(model: RawModel) -> Scheme | None:
    """The sentence for models that are refused as a whole; None for integers and everything unclear."""
    for op in model.ops:
        if op.custom and op.kind in ACCELERATORS:
            return ACCELERATORS[op.kind]
    layers = [op for op in model.ops if op.kind in _WITH_WEIGHTS]
    layers = layers or list(model.ops)
    activations = {dtype for op in layers for dtype in _types(model, op, constant=False)}
    if activations & {"int8", "uint8", "int16"}:
        return None
    if "float32" in activations:
        weights = {dtype for op in layers for dtype in _types(model, op, constant=True)}
        return HYBRID if weights & {"int4", "int8", "uint8"} else FLOAT
    return None


def _types(model: RawModel, op: RawOp, constant: bool) -> set[str]:
    tensors = (model.tensors[i] for i in op.touched)
    return {t.dtype for t in tensors if (t.content is not None) == constant}
