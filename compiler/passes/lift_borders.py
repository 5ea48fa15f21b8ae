"""Take conversions at the border out of the network: the caller converts, or feeds integers at once.

Float QUANTIZE and DEQUANTIZE become documented converters of the generated code. A uint8 input whose
int8 twin has the same scale is the same pixels minus 128, which a camera's driver can do for free.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Border, DType, Graph, Op, Tensor
from ..ops.dequantize import Dequantize
from ..ops.quantize import Quantize


def lift_borders(graph: Graph) -> Graph:
    for op in graph.ops:
        if _is_input_border(graph, op):
            graph = _lift_input(graph, op)
        elif _is_output_border(graph, op):
            graph = _lift_output(graph, op)
    return graph


def _is_input_border(graph: Graph, op: Op) -> bool:
    if not isinstance(op, Quantize) or op.x not in graph.inputs or op.x in graph.outputs:
        return False
    alone = graph.consumers()[op.x] == (op,)
    return alone and (op.x.dtype is DType.FLOAT32 or _shifted_by_128(op.x, op.y))


def _is_output_border(graph: Graph, op: Op) -> bool:
    if not isinstance(op, (Quantize, Dequantize)) or op.y not in graph.outputs:
        return False
    unused = not graph.consumers()[op.y] and op.x not in graph.outputs and not op.x.is_constant
    return unused and (isinstance(op, Dequantize) or _shifted_by_128(op.y, op.x))


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
