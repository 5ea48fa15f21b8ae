"""`--rounding`: whose arithmetic the outputs have to equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..errors import InvalidInput
from ..graph import DType, Graph, Op, Rounding
from ..ops import OPERATORS

# Which operators round once, and how; all others round twice. LiteRT's reference kernels do in one operator only.
POLICIES: Mapping[str, Mapping[str, Rounding]] = {
    "tflm": {},
    "litert": {"FULLY_CONNECTED": Rounding.AWAY},
    "single": dict.fromkeys(OPERATORS, Rounding.SINGLE),
}


def with_rounding(graph: Graph, policy: str) -> Graph:
    if policy not in POLICIES:
        raise InvalidInput(f"unknown rounding {policy!r}", f"choose one of {', '.join(POLICIES)}")
    once = POLICIES[policy]
    ops = tuple(_rounded(op, once.get(op.kind, Rounding.DOUBLE)) for op in graph.ops)
    return replace(graph, ops=ops)


def _rounded(op: Op, rounding: Rounding) -> Op:
    """Operators on uint8 have one authority only, which they follow already."""
    if all(f.name != "rounding" for f in fields(op)) or any(t.dtype is DType.UINT8 for t in op.activations):
        return op
    change: dict[str, Any] = {"rounding": rounding}
    return replace(op, **change)
