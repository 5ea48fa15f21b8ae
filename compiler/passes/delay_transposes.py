"""Transpose later: behind operators that treat all places alike, until the values are turned back.

Networks that were converted from NCHW turn each image for a convolution and back for what follows it. Where only
activations, paddings, sums and concatenations lie between, nothing needs to be turned at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from ..graph import Graph, Op, Tensor
from ..ops.broadcast import BroadcastOp
from ..ops.concatenation import Concatenation
from ..ops.elementwise import ElementwiseOp
from ..ops.pad import FilledPad
from ..ops.strided import MOVED, StridedOp
from ..ops.strided_slice import index_table
from ..ops.transpose import Transpose

Order = tuple[int, ...]
Alike = (BroadcastOp, Concatenation, ElementwiseOp, FilledPad)


def delay_transposes(graph: Graph) -> Graph:
    """A transposition stays where something else reads its result."""
    delay = _Delay(graph.consumers(), set(graph.outputs))
    ops = tuple(new for op in graph.ops for new in delay.said_anew(op))
    return graph if ops == graph.ops else replace(graph, ops=ops)


@dataclass(frozen=True)
class _Delay:
    readers: Mapping[Tensor, tuple[Op, ...]]
    outputs: set[Tensor]
    turned: dict[Tensor, tuple[Tensor, Order]] = field(default_factory=dict)  # from what, and in which order

    def said_anew(self, op: Op) -> Iterator[Op]:
        order = self._order(op)
        if order is None:
            if isinstance(op, Transpose) and op.order is not None and not any(op.unsupported()):
                self.turned[op.y] = (op.x, op.order)
            yield op
            return
        plain = self._plain(op, order)
        table = index_table(f"{op.y.name}:order", order)
        yield plain
        yield Transpose(op.index, (plain.y, table), op.outputs)
        self.turned[op.y] = (plain.y, order)

    def _order(self, op: Op) -> Order | None:
        """The one in which all its inputs are, if they could as well be as they were before."""
        if not isinstance(op, Alike) or op.y.dtype not in MOVED or any(op.unsupported()):
            return None
        constants_too = isinstance(op, Concatenation)
        values = [t for t in op.inputs if t is not None and (constants_too or not t.is_constant)]
        orders = {self.turned[t][1] for t in values if self._is_free(t)}
        if len(orders) != 1 or not all(map(self._is_free, values)):
            return None
        same = isinstance(op, (Concatenation, FilledPad)) or all(t.shape == op.y.shape for t in values)
        return next(iter(orders)) if same else None

    def _is_free(self, tensor: Tensor) -> bool:
        """Is it turned only for such as do not care?"""
        alike = all(isinstance(reader, (*Alike, StridedOp)) for reader in self.readers[tensor])
        return tensor in self.turned and alike and tensor not in self.outputs

    def _plain(self, op: Op, order: Order) -> Op:
        """The operator on what was not turned yet."""
        back = tuple(order.index(i) for i in range(len(order)))
        y = replace(op.y, name=f"{op.y.name}:unturned", shape=tuple(op.y.shape[i] for i in back))
        inputs = tuple(self.turned[t][0] if t in self.turned else t for t in op.inputs if t is not None)
        if isinstance(op, BroadcastOp):
            inputs = tuple(_turned_back(t, y, back) if t.is_constant else t for t in inputs)
        moved = replace(op, inputs=inputs, outputs=(y,))
        if isinstance(moved, Concatenation):
            return replace(moved, axis=order[moved.axis])
        if isinstance(moved, FilledPad):
            assert moved.amounts is not None
            amounts = tuple(moved.amounts[i] for i in back)
            table = index_table(f"{y.name}:amounts", tuple(n for pair in amounts for n in pair))
            return replace(moved, inputs=(inputs[0], table, *inputs[2:]), amounts=amounts)
        return moved


def _turned_back(constant: Tensor, y: Tensor, back: Order) -> Tensor:
    """A factor for each channel, say, wherever the channels are."""
    assert constant.data is not None
    full = constant.data.reshape((1,) * (len(back) - len(constant.shape)) + constant.shape)
    data = np.ascontiguousarray(full.transpose(back))
    return replace(constant, name=f"{y.name}:{constant.name}", shape=data.shape, data=data)
