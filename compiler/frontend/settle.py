"""Shapes that only hold for another batch: worked out anew, in the order of the operators.

Converters write 1 for a size that is unknown when they run. Where SPACE_TO_BATCH_ND or RESHAPE moves rows into
the batch, that is wrong, and so is every shape from there on, until another operator takes the batch apart again.
The interpreters that resize tensors do the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from math import prod
from typing import TypeAlias

from ..graph import Op, Tensor
from ..ops.checks import INDEX_TYPES, WrongShape
from ..ops.shapes import Shape
from .records import RawOp, TensorMap
from .tensors import MOST_DIMENSIONS, MOST_ELEMENTS

MOST_VALUES = 64  # of a tensor that may hold a shape

Make: TypeAlias = Callable[[RawOp, Mapping[int, Tensor]], Op]


def settled(ops: Iterable[RawOp], raws: TensorMap, tensors: Mapping[int, Tensor], make: Make) -> Mapping[int, Tensor]:
    """The tensors with shapes that agree, as far as operators know them. `make` builds operators without judging."""
    return _Settling(raws, tensors, make).run(ops)


class _Settling:
    def __init__(self, raws: TensorMap, tensors: Mapping[int, Tensor], make: Make) -> None:
        self._raws, self._make = raws, make
        self._tensors = dict(tensors)
        self._probes = dict(tensors)  # the same, with values where those follow from shapes

    def run(self, ops: Iterable[RawOp]) -> Mapping[int, Tensor]:
        if any(raw.dynamic for raw in self._raws.values()):
            for raw in ops:
                self._settle(raw)
        return self._tensors

    def _settle(self, raw: RawOp) -> None:
        op = self._make(raw, self._probes)
        for _ in raw.outputs:
            if not self._repaired(raw, op):
                break
            op = self._make(raw, self._probes)
        self._keep_values(raw, op)

    def _repaired(self, raw: RawOp, op: Op) -> bool:
        """Has one of the outputs got another shape?"""
        outputs = {self._probes[i]: i for i in raw.outputs if self._raws[i].dynamic}
        for reason in op.invalid():
            if isinstance(reason, WrongShape) and reason.tensor in outputs and _is_possible(reason.expected):
                index = outputs[reason.tensor]
                self._tensors[index] = self._probes[index] = replace(reason.tensor, shape=reason.expected)
                return True
        return False

    def _keep_values(self, raw: RawOp, op: Op) -> None:
        """Shapes are computed with, too."""
        small = all(t.dtype in INDEX_TYPES and t.elements <= MOST_VALUES for t in op.outputs)
        known = isinstance(op, Shape) or not (op.activations or op.effects)
        if small and known and not any(op.invalid()) and not any(op.unsupported()):
            values = op.reference([None if t is None else t.data for t in op.inputs])
            for index, value in zip(raw.outputs, values, strict=True):
                self._probes[index] = replace(self._probes[index], data=value)


def _is_possible(shape: tuple[int, ...]) -> bool:
    return len(shape) <= MOST_DIMENSIONS and min(shape, default=1) > 0 and prod(shape) <= MOST_ELEMENTS
