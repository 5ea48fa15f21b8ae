"""Merge operators that together are a function of one byte into a table of 256 bytes.

x times LOGISTIC(x), a clamp after an addition of a constant, an ELU that the converter left in float32 between
DEQUANTIZE and QUANTIZE: whatever such operators compute on the way, there are only 256 inputs. What lies between
vanishes, with its memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..graph import Array, DType, Graph, Op, Tensor
from ..ops.broadcast import PairOp
from ..ops.checks import BYTES
from ..ops.dequantize import Dequantize
from ..ops.elementwise import ElementwiseOp
from ..ops.quantize import Quantize
from ..ops.real import RealOp
from ..ops.table import Table

RESULTS = (*BYTES, DType.BOOL)
TAKES_REAL = (Dequantize, Quantize, RealOp)
COUNT = 256


def compose_tables(graph: Graph) -> Graph:
    """The operators between stay where others need them; if nobody does, they are dead."""
    functions = _Functions(graph)
    ops = tuple(functions.composed(op) for op in graph.ops)
    return graph if ops == graph.ops else replace(graph, ops=ops)


class _Functions:
    """Of which byte tensor each tensor is a function: its root."""

    def __init__(self, graph: Graph) -> None:
        self._graph, self._makers = graph, graph.producers()
        self._computable = {op for op in graph.ops if _is_computable(op)}
        self._roots: dict[Tensor, Tensor] = {}
        self._ends: set[Tensor] = set()  # bytes that others need: functions of them begin anew
        while more := self._found_ends() - self._ends:  # which may leave others without a common root
            self._ends |= more

    def composed(self, op: Op) -> Op:
        """The table that replaces an operator, or the operator."""
        root = self._root(op)
        if root is None or op.y not in self._ends or op.y.dtype not in RESULTS:
            return op
        chain = self._chain(op, root)
        values = () if len(chain) == 1 and isinstance(op, ElementwiseOp) else _values(chain, root)
        kinds = tuple(dict.fromkeys(o.kind for o in chain))
        return Table(op.index, (root,), op.outputs, values, kinds) if values else op

    def _found_ends(self) -> set[Tensor]:
        """Bytes that are needed by others than those who compute functions of the same root."""
        self._roots = {}
        for op in self._graph.ops:
            root = self._root(op)
            if root is not None and op.y not in self._ends:
                self._roots[op.y] = root
        found = {t for t in self._graph.outputs if t in self._roots}
        for op in self._graph.ops:
            root = self._root(op)
            found.update(t for t in op.activations if t in self._roots and self._roots[t] is not root)
        return {t for t in found if t.dtype in RESULTS}

    def _root(self, op: Op) -> Tensor | None:
        """The one tensor of bytes that this operator computes a function of, if it does."""
        if op not in self._computable:
            return None
        first, *others = {self._roots.get(t, t) for t in op.activations}
        alone = not others and all(t.elements == 1 for t in op.constants)
        return first if alone and first.dtype in BYTES and first.shape == op.y.shape else None

    def _chain(self, op: Op, root: Tensor) -> list[Op]:
        """All operators between the root and this one's output, in order."""
        needed, todo = set[Op](), [op]
        while todo:
            current = todo.pop()
            makers = (self._makers[t] for t in current.activations if t is not root)
            needed.add(current)
            todo += [maker for maker in makers if maker not in needed]
        return [o for o in self._graph.ops if o in needed]


def _is_computable(op: Op) -> bool:
    """Real numbers only where the reference takes them: a table holds what float32 makes of them."""
    if not isinstance(op, (ElementwiseOp, PairOp)) or not op.activations:
        return False
    real = any(t.dtype is DType.FLOAT32 for t in (*op.activations, *op.outputs))
    return isinstance(op, TAKES_REAL) if real else not any(op.unsupported())


def _values(chain: Sequence[Op], root: Tensor) -> tuple[int, ...]:
    """None if one goes through what is infinite or no number: C does not say what that quantises to."""
    low, high = root.dtype.bounds
    found: dict[Tensor, Array] = {root: np.arange(low, high + 1).astype(root.dtype.numpy)}
    for op in chain:
        listed = replace(op, inputs=tuple(map(_listed, op.inputs)), outputs=(replace(op.y, shape=(COUNT,)),))
        values = [None if t is None else found.get(t, _single(t)) for t in op.inputs]
        found[op.y] = listed.evaluate(values, {})[0]
        if not np.isfinite(found[op.y]).all():
            return ()
    return tuple(int(v) for v in found[chain[-1].y])


def _listed(tensor: Tensor | None) -> Tensor | None:
    """The same tensor, for all values of a byte in a row."""
    if tensor is None:
        return None
    return replace(tensor, shape=(COUNT,)) if tensor.data is None else replace(tensor, shape=(1,), data=_single(tensor))


def _single(tensor: Tensor) -> Array | None:
    return None if tensor.data is None else tensor.data.reshape(1)
