"""A model as people read it: operators, shapes, MACs, parameters, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..frontend import Blocker, OperatorLine
from ..graph import Graph, Op, Tensor, Variable
from .text import Table, number, pairs, shorten

LONGEST_NAME = 40


def model_lines(graph: Graph, width: int | None) -> list[str]:
    header = ("op", "kind", "from", "to", "MACs", "parameters")
    rows = [
        (str(op.index), op.kind, _types(op.activations), _types(op.outputs), number(op.macs), number(parameters(op)))
        for op in graph.ops
    ]
    ends = [("input", tensor_text(t)) for t in graph.inputs] + [("output", tensor_text(t)) for t in graph.outputs]
    ends += [("state", variable_text(v)) for v in graph.variables]
    total = sum(map(parameters, graph.ops))
    totals = [("total", f"{len(graph.ops)} operators, {graph.macs:,} MACs, {total:,} parameters")]
    return [*Table(header, rows).lines(width), "", *pairs(ends + totals)]


def tensor_text(tensor: Tensor) -> str:
    """`image int8[1,28,28,1], scale 0.00392157, zero point -128`."""
    shape = ",".join(map(str, tensor.shape))
    text = f"{shorten(tensor.name, LONGEST_NAME)} {tensor.dtype.value}[{shape}]"
    if tensor.quant is None or not tensor.quant.per_tensor:
        return text
    return f"{text}, scale {tensor.scale:.6g}, zero point {tensor.zero_point}"


def variable_text(variable: Variable) -> str:
    """`stream/states int8[1,2,1,40]`."""
    return f"{shorten(variable.name, LONGEST_NAME)} {variable.dtype.value}[{','.join(map(str, variable.shape))}]"


def parameters(op: Op) -> int:
    """Values the file brings along: weights and biases."""
    return sum(t.elements for t in op.constants)


def refusal_lines(operators: Sequence[OperatorLine], blockers: Sequence[Blocker], width: int | None) -> list[str]:
    """A model that can't be compiled: its operators, then every reason."""
    rows = [(str(o.index), o.kind, _first_of(o.inputs), _first_of(o.outputs)) for o in operators]
    reasons = Table(("unsupported", "why"), [(b.op, b.reason) for b in blockers])
    return [*Table(("op", "kind", "from", "to"), rows).lines(width), "", *reasons.lines(width)]


def model_json(graph: Graph) -> dict[str, Any]:
    return {
        "inputs": [_tensor_json(t) for t in graph.inputs],
        "outputs": [_tensor_json(t) for t in graph.outputs],
        "state": [{"name": v.name, "dtype": v.dtype.value, "shape": list(v.shape)} for v in graph.variables],
        "macs": graph.macs,
        "parameters": sum(map(parameters, graph.ops)),
        "ops": [
            {
                "index": op.index,
                "kind": op.kind,
                "inputs": [t.describe() for t in op.activations],
                "outputs": [t.describe() for t in op.outputs],
                "macs": op.macs,
                "parameters": parameters(op),
            }
            for op in graph.ops
        ],
    }


def refusal_json(operators: Sequence[OperatorLine]) -> dict[str, Any]:
    """The same keys, as far as a model that can't be read completely has them."""
    ops = [
        {"index": o.index, "kind": o.kind, "inputs": list(o.inputs), "outputs": list(o.outputs),
         "macs": None, "parameters": None}
        for o in operators
    ]  # fmt: skip
    return {"inputs": None, "outputs": None, "state": None, "macs": None, "parameters": None, "ops": ops}


def blockers_json(blockers: Iterable[Blocker]) -> list[dict[str, str]]:
    return [{"op": b.op, "why": b.reason} for b in blockers]


def _tensor_json(tensor: Tensor) -> dict[str, Any]:
    quant = tensor.quant if tensor.quant is not None and tensor.quant.per_tensor else None
    return {
        "name": tensor.name,
        "dtype": tensor.dtype.value,
        "shape": list(tensor.shape),
        "scale": None if quant is None else quant.scale,
        "zero_point": None if quant is None else quant.zero_point,
    }


def _types(tensors: Iterable[Tensor]) -> str:
    return " ".join(f"{t.dtype.value}[{'x'.join(map(str, t.shape))}]" for t in tensors) or "state"


def _first_of(names: Sequence[str]) -> str:
    """Name and type as the file states them; weights and biases are left out."""
    return names[0] if names else "-"
