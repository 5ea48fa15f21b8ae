"""Fold PAD into the convolutions that read it: their own padding is the zero point as well.

Pools are left alone: their padding does not count, PAD's values do.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Op, Padding
from ..ops.conv2d import Conv2D
from ..ops.depthwise_conv2d import DepthwiseConv2D
from ..ops.pad import Pad


def fold_padding(graph: Graph) -> Graph:
    """A PAD that still has other readers stays for them. Several PADs in a row fold one after the other."""
    producers = graph.producers()

    def folded(op: Op) -> Op:
        while isinstance(op, (Conv2D, DepthwiseConv2D)):
            pad = producers.get(op.x)
            if not isinstance(pad, Pad) or not pad.only_rows_and_columns:
                break
            op = replace(op, inputs=(pad.x, *op.inputs[1:]), padding=_sum(op.padding, pad))
        return op

    ops = tuple(map(folded, graph.ops))
    return graph if ops == graph.ops else replace(graph, ops=ops)


def _sum(padding: Padding, pad: Pad) -> Padding:
    assert pad.amounts is not None
    (top, bottom), (left, right) = pad.amounts[1:3]
    return Padding(padding.top + top, padding.bottom + bottom, padding.left + left, padding.right + right)
