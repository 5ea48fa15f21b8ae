"""UNIDIRECTIONAL_SEQUENCE_LSTM: a long short-term memory, step by step over time, in 8 and 16 bits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from ..arith import Multiplier, quantize_multiplier, reduced_multiplier, rescale, rescale64, wrap32
from ..fixed_point import logistic_of_16_bits, tanh_of_16_bits
from ..graph import Array, DType, Node, Rounding, Tensor
from .checks import not_constant, not_per_tensor, too_steep, wrong_shape, wrong_types
from .options import option_bool, option_float, option_str
from .scaled import BIAS_LIMIT, LARGEST_WIDE_SHIFT, exact_dot
from .variables import KeepingOp, split_kept

INPUTS = 24
GATES = 4
WEIGHTS, RECURRENT, BIASES = 1, 5, 12  # the first of four: input, forget, cell and output gate
FEATURES = {
    "peephole connections": (9, 10, 11),
    "a projection": (16, 17),
    "layer normalisation": (20, 21, 22, 23),
}
ARGUMENT = 2.0**-12  # scale of what goes into the gates' functions, and of what comes out of them
RESULT = 2.0**-15
LEAST_POWER = -30  # of two, that the cell's scale may be; the largest is 0
LOW, HIGH = -(1 << 15), (1 << 15) - 1


class Gate(NamedTuple):
    weights: Tensor
    recurrent: Tensor
    bias: Tensor


class TanhArgument(NamedTuple):
    """How the cell's state becomes the table's argument: (state * factor + half) >> shift."""

    factor: int
    shift: int

    def of(self, value: Array) -> Array:
        return (value * self.factor + ((1 << self.shift) >> 1)) >> self.shift


@dataclass(frozen=True, eq=False)
class Lstm(KeepingOp):
    """The last output is also the hidden state; gates are computed with 16 bits, as the cell's state."""

    activation: str
    cell_clip: float
    time_major: bool

    kind = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    summary = "long short-term memory over a sequence; its state goes on with the next inference"
    limits = (
        "int8 and int16 with int8 weights; cell state int16 with a power of two for a scale; "
        "no peepholes, projection, layer norm, CIFG"
    )
    types = (DType.INT8, DType.INT16)
    short = "lstm"
    arity = (1, INPUTS)
    kept_inputs = (18, 19)
    activations_known = ("TANH",)

    @classmethod
    def from_options(cls, node: Node) -> Self:
        inputs, kept = split_kept(node, cls.kept_inputs)
        activation = option_str(node, "fused_activation_function", "NONE")
        clip, time_major = option_float(node, "cell_clip", 0.0), option_bool(node, "time_major")
        return cls(node.index, inputs, node.outputs, kept, activation, clip, time_major)

    @property
    def hidden(self) -> Tensor:
        return self.kept[0]

    @property
    def cell(self) -> Tensor:
        return self.kept[1]

    @property
    def batches(self) -> int:
        return self.x.shape[1 if self.time_major else 0]

    @property
    def steps(self) -> int:
        return self.x.shape[0 if self.time_major else 1]

    @property
    def depth(self) -> int:
        return self.x.shape[2]

    @property
    def units(self) -> int:
        return self.y.shape[2]

    @property
    def macs(self) -> int:
        return GATES * self.units * (self.depth + self.units) * self.batches * self.steps

    @property
    def gates(self) -> tuple[Gate, ...]:
        """Input, forget, cell and output gate."""
        return tuple(Gate(*self._four(g)) for g in range(GATES))

    def _four(self, gate: int) -> Iterator[Tensor]:
        for first in (WEIGHTS, RECURRENT, BIASES):
            yield self.required(first + gate)

    def invalid(self) -> Iterator[str]:
        yield from super().invalid()
        if len(self.inputs) != INPUTS:
            yield f"has {len(self.inputs)} inputs instead of {INPUTS}"
        elif len(self.x.shape) != 3 or len(self.y.shape) != 3:
            yield f"{self.x.describe()} or {self.y.describe()} has no batch, time and features"
        else:
            yield from self._wrong_shapes()

    def _wrong_shapes(self) -> Iterator[str]:
        yield from wrong_shape(self.y, (*self.x.shape[:2], self.units))
        shapes = {WEIGHTS: (self.units, self.depth), RECURRENT: (self.units, self.units), BIASES: (self.units,)}
        for first, shape in shapes.items():
            for tensor in self.inputs[first : first + GATES]:
                if tensor is not None:
                    yield from wrong_shape(tensor, shape)
        for tensor in self.kept:
            if tensor.elements != self.batches * self.units:
                yield f"{tensor.describe()} is no state of {self.batches} times {self.units} values"

    def unsupported(self) -> Iterator[str]:
        reasons = list(self._other_kinds())
        yield from reasons
        if not reasons:
            yield from self._wrong_types()
            yield from self._wrong_scales()

    def _other_kinds(self) -> Iterator[str]:
        """Networks that TFLM does not compute either."""
        if len(self.inputs) != INPUTS or len(self.kept) != len(self.kept_inputs):
            yield "inputs are missing"
            return
        for feature, places in FEATURES.items():
            if any(self.inputs[place] is not None for place in places):
                yield f"it has {feature}"
        own = [self.inputs[first + gate] for first in (WEIGHTS, RECURRENT, BIASES) for gate in range(GATES)]
        if None in own:
            yield "a gate has no weights or no bias of its own (CIFG)"
        if self.activation != "TANH":
            yield f"activation {self.activation}"
        if self.cell_clip < 0:
            yield f"cell clip {self.cell_clip:g}"

    def _wrong_types(self) -> Iterator[str]:
        weights = tuple(t for gate in self.gates for t in gate[:2])
        biases = tuple(gate.bias for gate in self.gates)
        yield from wrong_types(self, (self.x,), self.types)
        yield from wrong_types(self, (self.y, self.hidden), (DType.INT16 if self.is_wide else DType.INT8,))
        yield from wrong_types(self, weights, (DType.INT8,))
        yield from wrong_types(self, (self.cell,), (DType.INT16,))
        yield from wrong_types(self, biases, (DType.INT64 if self.is_wide else DType.INT32,))
        yield from not_constant((*weights, *biases), "weights or bias")
        yield from not_per_tensor((self.x, self.hidden, self.cell, *weights))
        for tensor in (*weights, *((self.x, self.hidden) if self.is_wide else ())):
            if tensor.quant is not None and any(tensor.quant.zero_points):
                yield f"{tensor.name} has a zero point other than 0"
        for tensor in biases if self.is_wide else ():
            if tensor.data is not None and np.abs(tensor.data.astype(np.float64)).max() >= BIAS_LIMIT:
                yield f"{tensor.name} has values of more than 46 bits"

    def _wrong_scales(self) -> Iterator[str]:
        quantised = (self.x, self.hidden, self.cell, *(t for gate in self.gates for t in gate[:2]))
        if any(t.quant is None or not t.quant.per_tensor for t in quantised):
            unscaled = (t for t in (self.x, *self.kept) if t.quant is None and t.dtype is DType.INT16)
            yield from (f"{tensor.name} carries no quantisation" for tensor in unscaled)
            return
        power = math.frexp(self.cell.scale)
        if power[0] != 0.5 or not LEAST_POWER <= power[1] - 1 <= 0 or self.cell.zero_point:
            given = f"scale {self.cell.scale:g}, zero point {self.cell.zero_point}"
            yield f"{self.cell.name} has {given}; a power of two up to 1 and 0 are needed"
        factors = (*self.input_factors(), *self.recurrent_factors())
        for pair in (*factors, *self.cell_factors()):
            yield from too_steep(self.cell, pair)
        if self.is_wide and max(pair.shift for pair in factors) > LARGEST_WIDE_SHIFT:
            yield f"scales of weights are more than 2^{LARGEST_WIDE_SHIFT} times those of the gates"

    @property
    def is_wide(self) -> bool:
        """Inputs and outputs with 16 bits, whose sums take 64."""
        return self.x.dtype is DType.INT16

    def input_factors(self) -> tuple[Multiplier, ...]:
        return tuple(self._gate_factor(self.x.scale * g.weights.scale) for g in self.gates)

    def recurrent_factors(self) -> tuple[Multiplier, ...]:
        return tuple(self._gate_factor(self.hidden.scale * g.recurrent.scale) for g in self.gates)

    def _gate_factor(self, scale: float) -> Multiplier:
        return (reduced_multiplier if self.is_wide else quantize_multiplier)(scale / ARGUMENT)

    def cell_factors(self) -> tuple[Multiplier, Multiplier, Multiplier]:
        """Of forget gate times state, of input gate times cell gate, of output gate times tanh."""
        scale = self.cell.scale
        pairs = (RESULT * scale / scale, RESULT * RESULT / scale, RESULT * RESULT / self.hidden.scale)
        forget, new, output = map(quantize_multiplier, pairs)
        return forget, new, output

    @property
    def clip(self) -> int:
        """In units of the cell's state, either side; beyond its type if there is none."""
        return int(min(self.cell_clip / self.cell.scale, HIGH)) if self.cell_clip > 0 else HIGH + 1

    @property
    def tanh_argument(self) -> TanhArgument:
        """TFLM means to multiply by 3 and shift; where it would have to shift left, it does so with the factor."""
        left = 15 - 3 + math.frexp(self.cell.scale)[1] - 1
        return TanhArgument(3 << left, 0) if left >= 0 else TanhArgument(3, -left)

    def advance(self, inputs: Sequence[Array | None], kept: Sequence[Array]) -> tuple[Array, tuple[Array, ...]]:
        x = inputs[0]
        assert x is not None
        steps = x if self.time_major else x.swapaxes(0, 1)
        hidden, cell = (value.reshape(self.batches, self.units).astype(np.int64) for value in kept)
        outputs = []
        for step in steps:
            hidden, cell = self._step(step.astype(np.int64), hidden, cell)
            outputs.append(hidden)
        y = np.stack(outputs, axis=0 if self.time_major else 1).astype(self.y.dtype.numpy)
        states = (hidden.astype(self.hidden.dtype.numpy), cell.astype(np.int16))
        return y, tuple(s.reshape(t.shape) for s, t in zip(states, self.kept, strict=True))

    def _step(self, x: Array, hidden: Array, cell: Array) -> tuple[Array, Array]:
        """New hidden state and new cell, for all batches at once."""
        new, forget, candidate, output = (self._argument(g, x, hidden) for g in range(GATES))
        by_forget, by_new, by_output = self.cell_factors()
        kept = _product(logistic_of_16_bits(3 * forget), cell, by_forget)
        added = _product(logistic_of_16_bits(3 * new), tanh_of_16_bits(3 * candidate), by_new)
        cell = np.clip(np.clip(kept, LOW, HIGH) + np.clip(added, LOW, HIGH), LOW, HIGH)
        cell = np.clip(cell, -self.clip, self.clip)
        shown = tanh_of_16_bits(self.tanh_argument.of(cell))
        result = _product(shown, logistic_of_16_bits(3 * output), by_output) + self.hidden.zero_point
        return np.clip(result, *self.hidden.dtype.bounds), cell

    def _argument(self, number: int, x: Array, hidden: Array) -> Array:
        """Of the gate's function: two layers, each rounded to 16 bits."""
        weights, recurrent, bias = self.gates[number]
        assert weights.data is not None and recurrent.data is not None and bias.data is not None
        seen = exact_dot(x - self.x.zero_point, weights.data.T.astype(np.int64)) + bias.data
        heard = exact_dot(hidden - self.hidden.zero_point, recurrent.data.T.astype(np.int64))
        parts = (
            np.clip(self._rescaled(seen, self.input_factors()[number]), LOW, HIGH),
            np.clip(self._rescaled(heard, self.recurrent_factors()[number]), LOW, HIGH),
        )
        return np.clip(sum(parts), LOW, HIGH)

    def _rescaled(self, acc: Array, factor: Multiplier) -> Array:
        return rescale64(acc, *factor) if self.is_wide else rescale(wrap32(acc), *factor)


def _product(a: Array, b: Array, factor: Multiplier) -> Array:
    return rescale(wrap32(a * b), *factor, Rounding.DOUBLE)
