"""Turn uint8 into int8: value and zero point minus 128. No kernel ever sees uint8, callers still may.

Inputs and outputs of the network become int8, each with a border that says how it follows from the file's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..graph import Border, Clamp, DType, Graph, Op, Quant, Rounding, Tensor, Variable
from ..ops.dequantize import Dequantize
from ..ops.quantize import Quantize
from ..rewriting import substitute

OFFSET = 128


def recentre(graph: Graph) -> Graph:
    """What can't be compiled stays uint8, for the message."""
    twins = {t: _twin(t) for t in _unsigned(graph)}
    if not twins or any(reason for op in graph.ops if _touches(op, twins) for reason in op.unsupported()):
        return graph
    borders = (*(_input_border(t, twins[t]) for t in graph.inputs if t in twins),
               *(_output_border(t, twins[t]) for t in graph.outputs if t in twins))  # fmt: skip
    ops = tuple(_recentred(op, twins) for op in graph.ops)
    variables = tuple(map(_recentred_variable, graph.variables))
    recentred = replace(graph, ops=ops, variables=variables, borders=(*graph.borders, *borders))
    return substitute(recentred, twins)


def _unsigned(graph: Graph) -> list[Tensor]:
    """All but those that only conversions touch: these become borders, or tables of their own."""
    computed: set[Tensor | None] = set()
    for op in graph.ops:
        if not isinstance(op, (Quantize, Dequantize)):
            computed.update((*op.inputs, *op.outputs))
    return [t for t in graph.tensors if t in computed and t.dtype is DType.UINT8 and t.quant is not None]


def _touches(op: Op, twins: Mapping[Tensor, Tensor]) -> bool:
    return any(t in twins for t in (*op.inputs, *op.outputs) if t is not None)


def _twin(tensor: Tensor) -> Tensor:
    assert tensor.quant is not None
    quant = Quant(tensor.quant.scales, tuple(z - OFFSET for z in tensor.quant.zero_points), tensor.quant.axis)
    data = None if tensor.data is None else (tensor.data ^ OFFSET).view(DType.INT8.numpy)
    return replace(tensor, dtype=DType.INT8, quant=quant, data=data)


def _recentred_variable(variable: Variable) -> Variable:
    """What operators read and write of it has become int8 as well."""
    if variable.dtype is not DType.UINT8:
        return variable
    initial = np.zeros(variable.shape, np.uint8) if variable.initial is None else variable.initial
    return replace(variable, dtype=DType.INT8, initial=(initial ^ OFFSET).view(np.int8))


def _recentred(op: Op, twins: Mapping[Tensor, Tensor]) -> Op:
    """Bounds of a fused activation move with the output; everything else follows from the tensors."""
    if not any(t in twins for t in op.outputs) or all(f.name != "clamp" for f in fields(op)):
        return op
    clamp: Clamp = getattr(op, "clamp")  # noqa: B009 - not every operator has one
    change: dict[str, Any] = {"clamp": Clamp(clamp.low - OFFSET, clamp.high - OFFSET)}
    return replace(op, **change)


def _input_border(outer: Tensor, inner: Tensor) -> Border:
    return Border(inner, outer, Quantize(-1, (outer,), (inner,), Rounding.DOUBLE))


def _output_border(outer: Tensor, inner: Tensor) -> Border:
    return Border(inner, outer, Quantize(-1, (inner,), (outer,), Rounding.DOUBLE))
