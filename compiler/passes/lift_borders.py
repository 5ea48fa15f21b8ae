"""Take conversions at the border out of the network: the caller converts, or feeds integers at once.

Float QUANTIZE and DEQUANTIZE become documented converters of the generated code. A uint8 input whose
int8 twin has the same scale is the same pixels minus 128, which a camera's driver can do for free.
What the file computes in float32 behind the last DEQUANTIZE (a softmax, say) is left to the caller.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Border, DType, Graph, Op, Tensor
from ..ops.chain import Chain
from ..ops.dequantize import Dequantize
from ..ops.quantize import Quantize
from ..ops.real import RealOp


def lift_borders(graph: Graph) -> Graph:
    graph = _without_tails(graph)
    for op in graph.ops:
        if _is_input_border(graph, op):
            graph = _lift_input(graph, op)
        elif _is_output_border(graph, op):
            graph = _lift_output(graph, op)
    return graph


def _without_tails(graph: Graph) -> Graph:
    """Each chain of real operators up to an output becomes one operator, together with its DEQUANTIZE."""
    for output in graph.outputs:
        parts = tuple(_tail(graph, output))
        if len(parts) > 1 and isinstance(parts[0], Dequantize):
            chain = Chain(parts[-1].index, (parts[0].x,), (output,), parts)
            rest = (chain if op is parts[-1] else op for op in graph.ops if op is parts[-1] or op not in parts[1:])
            graph = replace(graph, ops=tuple(rest))
    return graph


def _tail(graph: Graph, output: Tensor) -> list[Op]:
    """Real operators that nobody but the output needs, the first of them first, and what comes before."""
    makers, readers = graph.producers(), graph.consumers()
    op = makers.get(output)
    if not isinstance(op, RealOp) or not op.in_real or readers[output]:
        return []
    found: list[Op] = [op]
    while isinstance(found[0], RealOp) and found[0].in_real and found[0].x in makers:
        x = found[0].x
        shared = readers[x] != (found[0],) or x in graph.outputs
        if shared and not isinstance(makers[x], Dequantize):
            return []
        found.insert(0, makers[x])
    return found


def _is_input_border(graph: Graph, op: Op) -> bool:
    if not isinstance(op, Quantize) or op.x not in graph.inputs or op.x in graph.outputs:
        return False
    alone = graph.consumers()[op.x] == (op,)
    return alone and (op.x.dtype is DType.FLOAT32 or _shifted_by_128(op.x, op.y))


def _is_output_border(graph: Graph, op: Op) -> bool:
    if not isinstance(op, (Quantize, Dequantize, Chain)) or op.y not in graph.outputs:
        return False
    unused = not graph.consumers()[op.y] and op.x not in graph.outputs and not op.x.is_constant
    return unused and (not isinstance(op, Quantize) or _shifted_by_128(op.y, op.x))


def _shifted_by_128(unsigned: Tensor, signed: Tensor) -> bool:
    types = (unsigned.dtype, signed.dtype) == (DType.UINT8, DType.INT8)
    return types and unsigned.scale == signed.scale and unsigned.zero_point == signed.zero_point + 128


def _lift_input(graph: Graph, op: Op) -> Graph:
    return replace(
        graph,
        ops=tuple(o for o in graph.ops if o is not op),
        inputs=tuple(op.y if t is op.x else t for t in graph.inputs),
        borders=(*graph.borders, Border(inner=op.y, outer=op.x, op=op)),
    )


def _lift_output(graph: Graph, op: Op) -> Graph:
    return replace(
        graph,
        ops=tuple(o for o in graph.ops if o is not op),
        outputs=tuple(op.x if t is op.y else t for t in graph.outputs),
        borders=(*graph.borders, Border(inner=op.x, outer=op.y, op=op)),
    )
