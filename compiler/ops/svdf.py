"""SVDF: a layer that sees the last inputs, by weights over features and then over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, rescale, wrap32
from ..graph import Array, DType, Node, Tensor
from .checks import not_constant, not_per_tensor, too_steep, wrong_rank, wrong_shape, wrong_types
from .options import option_int
from .scaled import exact_dot
from .variables import KeepingOp, split_kept

INPUTS = 5
KEPT_TYPES = (DType.INT8, DType.INT16)


@dataclass(frozen=True, eq=False)
class Svdf(KeepingOp):
    """Each filter sees one input and keeps what it saw; `rank` filters, weighted over time, make one output."""

    rank: int

    kind = "SVDF"
    summary = "sees the last inputs, by weights over features and over time; keeps what it saw for the next inference"
    limits = "with a bias; what it keeps and its weights over time both int8 or both int16"
    short = "svdf"
    arity = (1, INPUTS)
    kept_inputs = (4,)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        inputs, kept = split_kept(node, cls.kept_inputs)
        return cls(node.index, inputs, node.outputs, kept, option_int(node, "rank", 0))

    @property
    def seen(self) -> Tensor:
        """[batches, filters * memory]: the oldest first."""
        return self.kept[0]

    @property
    def features(self) -> Tensor:
        return self._constant(1)

    @property
    def times(self) -> Tensor:
        return self._constant(2)

    @property
    def bias(self) -> Tensor:
        return self._constant(3)

    def _constant(self, place: int) -> Tensor:
        return self.required(place)

    @property
    def batches(self) -> int:
        return self.x.shape[0]

    @property
    def filters(self) -> int:
        return self.features.shape[0]

    @property
    def memory(self) -> int:
        return self.times.shape[1]

    @property
    def units(self) -> int:
        return self.filters // self.rank

    @property
    def macs(self) -> int:
        return self.batches * self.filters * (self.x.shape[1] + self.memory)

    def invalid(self) -> Iterator[str]:
        yield from super().invalid()
        if len(self.inputs) != INPUTS or None in self.inputs[:3]:
            yield f"has {len(self.inputs)} inputs, or no weights"
            return
        tensors = (self.x, self.y, self.features, self.times, *self.kept)
        wrong = [reason for tensor in tensors for reason in wrong_rank(tensor, 2)]
        yield from wrong
        if self.rank < 1 or (not wrong and self.filters % self.rank):
            yield f"rank is {self.rank}"
        elif not wrong:
            yield from self._wrong_shapes()

    def _wrong_shapes(self) -> Iterator[str]:
        yield from wrong_shape(self.y, (self.batches, self.units))
        yield from wrong_shape(self.features, (self.filters, self.x.shape[1]))
        yield from wrong_shape(self.times, (self.filters, self.memory))
        if self.inputs[3] is not None:
            yield from wrong_shape(self.bias, (self.units,))
        for tensor in self.kept:
            yield from wrong_shape(tensor, (self.batches, self.filters * self.memory))

    def unsupported(self) -> Iterator[str]:
        if len(self.inputs) != INPUTS or None in self.inputs[:4] or not self.kept:
            yield "it has no bias"
            return
        tensors = (self.x, self.y, self.features, self.times, self.seen)
        yield from wrong_types(self, (self.x, self.features, self.y), self.types)
        yield from wrong_types(self, (self.times, self.seen), KEPT_TYPES)
        yield from wrong_types(self, (self.bias,), (DType.INT32,))
        if self.times.dtype is not self.seen.dtype:
            yield f"{self.times.name} is {self.times.dtype.value} but {self.seen.name} {self.seen.dtype.value}"
        yield from not_constant((self.features, self.times, self.bias), "weights or bias")
        yield from not_per_tensor(tensors)
        unscaled = [t for t in tensors if t.quant is None]
        if unscaled:
            yield f"{unscaled[0].name} carries no quantisation"
        elif all(t.quant is not None and t.quant.per_tensor for t in tensors):
            yield from self._wrong_scales()

    def _wrong_scales(self) -> Iterator[str]:
        if self.features.zero_point or self.times.zero_point:
            yield "weights have a zero point other than 0"
        yield from too_steep(self.seen, self.seen_factor())
        yield from too_steep(self.y, self.output_factor())

    def seen_factor(self) -> Multiplier:
        """From sums over features to what is kept.

        In double precision, as TFLM's package of October 2026 has it; its sources have single.
        """
        return quantize_multiplier(self.x.scale * self.features.scale / self.seen.scale)

    def output_factor(self) -> Multiplier:
        return quantize_multiplier(self.seen.scale * self.times.scale / self.y.scale)

    def advance(self, inputs: Sequence[Array | None], kept: Sequence[Array]) -> tuple[Array, tuple[Array, ...]]:
        x, features, times, bias = (np.asarray(value, np.int64) for value in inputs[:4])
        sums = wrap32(exact_dot(x - self.x.zero_point, features.T))
        new = self._narrowed(rescale(sums, *self.seen_factor()))
        old = kept[0].reshape(self.batches, self.filters, self.memory)
        seen = np.concatenate([old[:, :, 1:], new[:, :, None]], axis=2)
        totals = ((seen.astype(np.int64) - self.seen.zero_point) * times).sum(axis=2)
        totals = wrap32(totals.reshape(self.batches, self.units, self.rank).sum(axis=2) + bias)
        y = np.clip(rescale(totals, *self.output_factor()) + self.y.zero_point, *self.y.dtype.bounds)
        return y.astype(self.y.dtype.numpy), (seen.reshape(self.seen.shape),)

    def _narrowed(self, value: Array) -> Array:
        """What is kept wraps where the zero point takes it beyond the type's ends.

        So it does in TFLM's package of October 2026; sources since then add the zero point before they clamp.
        """
        return (np.clip(value, *self.seen.dtype.bounds) + self.seen.zero_point).astype(self.seen.dtype.numpy)
