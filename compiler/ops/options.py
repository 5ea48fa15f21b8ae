"""Typed access to the neutral option mapping of a Node; names are the schema's, in snake case."""

from __future__ import annotations

from collections.abc import Mapping

from ..arith import activation_clamp
from ..errors import InvalidInput
from ..graph import Clamp, DType, Node, OptionValue, Quant


def _wrong(node: Node, name: str, value: object) -> InvalidInput:
    return InvalidInput(
        f"op {node.index} {node.kind}: option {name} is {value!r}", "the file is damaged: export the model again"
    )


def option_int(node: Node, name: str, default: int) -> int:
    value = node.options.get(name, default)
    if not isinstance(value, int):
        raise _wrong(node, name, value)
    return value


def option_bool(node: Node, name: str, default: bool = False) -> bool:
    return bool(option_int(node, name, int(default)))


def option_float(node: Node, name: str, default: float) -> float:
    value = node.options.get(name, default)
    if not isinstance(value, (int, float)):
        raise _wrong(node, name, value)
    return float(value)


def option_str(node: Node, name: str, default: str) -> str:
    """Enumerations arrive as their names (padding, fused_activation_function)."""
    value = node.options.get(name, default)
    if not isinstance(value, str):
        raise _wrong(node, name, value)
    return value


def fused_clamp(node: Node) -> Clamp:
    """Output bounds of `fused_activation_function`; the type's own bounds where there is none."""
    y, name = node.outputs[0], option_str(node, "fused_activation_function", "NONE")
    if y.dtype in (DType.INT32, DType.INT64):
        return activation_clamp(name, Quant((1.0,), (0,)), y.dtype)
    if y.quant is None or y.dtype not in (DType.INT8, DType.UINT8, DType.INT16):
        return Clamp(-128, 127)
    return activation_clamp(name, y.quant, y.dtype)


def unknown_activation(options: Mapping[str, OptionValue]) -> str | None:
    """A fused activation other than a clamp; TFLM ignores those, so the models are broken there."""
    name = options.get("fused_activation_function", "NONE")
    return None if name in ("NONE", "RELU", "RELU6", "RELU_N1_TO_1") else str(name)
