"""Move integers where the file moves real numbers: DEQUANTIZE goes behind what only moves values, QUANTIZE before it.

Converters leave some operators in float32 between the two, and some people reshape at the border. What is moved
are the same values either way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..graph import DType, Graph, Op, Tensor
from ..ops.blocks import BlockOp
from ..ops.dequantize import Dequantize
from ..ops.gather import Gather
from ..ops.pad import MirrorPad, Pad
from ..ops.quantize import Quantize
from ..ops.reshape import ViewOp
from ..ops.shapes import Unpack
from ..ops.split import Slice, SplitOp
from ..ops.strided import StridedOp
from ..rewriting import substitute, with_free_names

MOVING = (BlockOp, Gather, MirrorPad, Pad, Slice, SplitOp, StridedOp, Unpack, ViewOp)


def carry_integers(graph: Graph) -> Graph:
    return with_free_names(graph, _once(_quantized_early(_dequantized_late(graph))))


def _once(graph: Graph) -> Graph:
    """One QUANTIZE for all that want the same integers of the same real numbers."""
    made: dict[object, Tensor] = {}
    alike: dict[Tensor, Tensor] = {}
    for op in graph.ops:
        if isinstance(op, Quantize) and op.from_float and op.y.quant is not None and op.y not in graph.outputs:
            first = made.setdefault((op.x, op.y.dtype, op.y.quant.scales, op.y.quant.zero_points), op.y)
            alike |= {op.y: first} if first is not op.y else {}
    ops = tuple(op for op in graph.ops if not (isinstance(op, Quantize) and op.y in alike))
    return substitute(replace(graph, ops=ops), alike) if alike else graph


def _dequantized_late(graph: Graph) -> Graph:
    """Each DEQUANTIZE steps over the next operator, then over the one behind, ..."""
    integers: dict[Tensor, Tensor] = {}  # of which integers a tensor holds the real numbers
    ops: list[Op] = []
    for op in graph.ops:
        moved = list(_on_integers(op, integers))
        ops += moved or [op]
        integers.update((o.y, o.x) for o in moved or [op] if isinstance(o, Dequantize) and _is_plain(o.x))
    return replace(graph, ops=tuple(ops)) if len(ops) > len(graph.ops) else graph


def _on_integers(op: Op, integers: dict[Tensor, Tensor]) -> Iterator[Op]:
    real = _moved(op)
    if real is None or real not in integers:
        return
    source = integers[real]
    made = tuple(_as_integers(t, source) for t in op.outputs)
    yield _with_input(op, real, source, made)
    yield from (Dequantize(op.index, (inner,), (outer,)) for inner, outer in zip(made, op.outputs, strict=True))


def _quantized_early(graph: Graph) -> Graph:
    """From the end on: each QUANTIZE steps over the operator before it, if that has no other reader."""
    for op in reversed(graph.ops):
        graph = _over(graph, op)
    return graph


def _over(graph: Graph, op: Op) -> Graph:
    real = _moved(op)
    if real is None or len(op.outputs) != 1 or op.y in graph.outputs:
        return graph
    readers = graph.consumers()[op.y]
    if len(readers) != 1 or not isinstance(readers[0], Quantize):
        return graph
    quantize = readers[0]
    inner = _as_integers(real, quantize.y)
    early = replace(quantize, inputs=(real,), outputs=(inner,))
    moved = _with_input(op, real, inner, quantize.outputs)
    ops = (new for old in graph.ops for new in ((early, moved) if old is op else () if old is quantize else (old,)))
    return replace(graph, ops=tuple(ops))


def _moved(op: Op) -> Tensor | None:
    """The real numbers that an operator moves."""
    if not isinstance(op, MOVING) or len(op.activations) != 1:
        return None
    (x,) = op.activations
    return x if x.dtype is DType.FLOAT32 else None


def _is_plain(tensor: Tensor) -> bool:
    return tensor.quant is not None and tensor.quant.per_tensor


def _as_integers(tensor: Tensor, like: Tensor) -> Tensor:
    return replace(tensor, name=f"{tensor.name}:integers", dtype=like.dtype, quant=like.quant)


def _with_input(op: Op, old: Tensor, new: Tensor, outputs: tuple[Tensor, ...]) -> Op:
    return replace(op, inputs=tuple(new if t is old else t for t in op.inputs), outputs=outputs)
