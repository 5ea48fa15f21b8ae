"""`--rounding`: whose arithmetic the outputs have to equal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from ..errors import InvalidInput
from ..graph import Graph, Op, Rounding
from ..ops import OPERATORS

# Which operators round once. TFLM rounds twice everywhere; LiteRT's reference kernels once, in FULLY_CONNECTED only.
POLICIES: Mapping[str, frozenset[str]] = {
    "tflm": frozenset(),
    "litert": frozenset({"FULLY_CONNECTED"}),
    "single": frozenset(OPERATORS),
}


def with_rounding(graph: Graph, policy: str) -> Graph:
    if policy not in POLICIES:
        raise InvalidInput(f"unknown rounding {policy!r}", f"choose one of {', '.join(POLICIES)}")
    once = POLICIES[policy]
    ops = tuple(_rounded(op, Rounding.SINGLE if op.kind in once else Rounding.DOUBLE) for op in graph.ops)
    return replace(graph, ops=ops)


def _rounded(op: Op, rounding: Rounding) -> Op:
    if all(f.name != "rounding" for f in fields(op)):
        return op
    change: dict[str, Any] = {"rounding": rounding}
    return replace(op, **change)
