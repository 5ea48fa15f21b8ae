"""DEPTHWISE_CONV_2D on int16 values: rows in blocks of neighbours, with code of their own at the borders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ...graph import Array, DType
from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...target import Candidate, Form
from ..native.lowering import CALL, Params, prefixed
from ..native.packing import differences, window_params
from ..program import ConstantArray
from .cycles import executed
from .function import Routine
from .lowering import Assembled, Lowering
from .matrix_stream import halves, words_of
from .wide_depthwise_block import DepthwiseBlock, Window, block_routine
from .wide_weights import WideLayer, wide_layer

KERNEL = "te_wide_depthwise"
MOST_OUTPUTS = 4
POINTER_BYTES = 8  # on the largest machine that runs the C
PER_ROW = 20  # instructions of the C
PER_BLOCK = 12
PER_BLOCK_ROW = 6  # of the kernel
PER_LAST = 12  # channel of an odd number


@dataclass(frozen=True, eq=False)
class Depthwise:
    """An operator's blocks and stream."""

    op: DepthwiseConv2D
    layer: WideLayer
    outputs: int

    @property
    def columns(self) -> int:
        return self.op.y.image.columns

    @property
    def pairs(self) -> int:
        """Of channels."""
        return self.op.channels // 2

    @cached_property
    def touching(self) -> tuple[int, int]:
        """How many outputs of a row see the left border, and how many the right one."""
        op = self.op
        starts = np.arange(self.columns) * op.stride.columns - op.padding.left
        ends = starts + (op.kernel.columns - 1) * op.dilation.columns
        return int((starts < 0).sum()), int((ends >= op.x.image.columns).sum())

    @property
    def inner_limit(self) -> int:
        return self.columns - self.touching[1] - self.outputs

    @property
    def right_outputs(self) -> int:
        """Of the last block: what is left over, if that is all that sees the right border."""
        left = (self.columns - 1) % self.outputs + 1
        return left if left >= self.touching[1] else self.outputs

    @property
    def starts(self) -> tuple[int, ...]:
        """Of the blocks of a row."""
        last = self.columns - self.right_outputs
        inner = (min(column, self.inner_limit) for column in range(self.outputs, last, self.outputs))
        return (0, *inner, last) if last else (0,)

    def blocks(self) -> Iterator[DepthwiseBlock]:
        """Of a row."""
        for number, start in enumerate(self.starts):
            yield self.block(start, self.right_outputs if number and number == len(self.starts) - 1 else self.outputs)

    def block(self, start: int, outputs: int) -> DepthwiseBlock:
        op = self.op
        window = Window(op.kernel.rows, op.kernel.columns, op.stride.columns, op.dilation.columns)
        left = start * op.stride.columns - op.padding.left
        seen = max(left, 0)
        columns = op.x.image.columns - seen
        block = DepthwiseBlock(window, self.layer.requant, op.x.pixel_bytes, outputs, left - seen, columns, self.pairs)
        if block.has_border:
            return block
        return self._inner(window, outputs)

    def _inner(self, window: Window, outputs: int) -> DepthwiseBlock:
        reach = (outputs - 1) * window.stride + (window.taps - 1) * window.dilation + 1
        return DepthwiseBlock(window, self.layer.requant, self.op.x.pixel_bytes, outputs, 0, reach, self.pairs)

    @property
    def single(self) -> DepthwiseBlock:
        """For windows gathered without holes."""
        return self._inner(Window(self.op.kernel.rows, self.op.kernel.columns, 1, 1), 1)

    @cached_property
    def members(self) -> dict[str, DepthwiseBlock]:
        """Of te_wide_depthwise_t."""
        left, *others = self.blocks()
        found = {"left": left, "single": self.single}
        if others:
            found["right"] = others[-1]
        if len(others) > 1:
            found["inner"] = others[0]
        return found

    @property
    def is_possible(self) -> bool:
        """Is there room for inner blocks between those at the borders?"""
        inner_fit = len(self.starts) < 3 or self.inner_limit >= self.touching[0]
        covered = max(self.touching) <= self.outputs or len(self.starts) < 3
        return inner_fit and covered

    @cached_property
    def routines(self) -> dict[str, Routine]:
        return {name: block_routine(block) for name, block in self.members.items()}

    @cached_property
    def stream(self) -> Array:
        """Of each two channels biases, weights, requantisation; an odd last one goes with the one before again."""
        channels = self.op.channels
        firsts = [*range(0, channels - 1, 2), *([channels - 2] if channels % 2 else [])]
        return words_of(np.concatenate([part for c in firsts for part in self._two(slice(c, c + 2))]))

    def _two(self, two: slice) -> tuple[Array, ...]:
        channels = self.layer.channels
        taps = self.op.kernel.rows * self.op.kernel.columns  # behind them the layer may have a 0
        weights = halves(channels.weights[two, :taps].T)
        return channels.bias[two], weights, self.layer.finish[two].reshape(-1)

    @property
    def zero_bytes(self) -> int:
        """What a block sees of a row."""
        return self.op.x.pixel_bytes * max(block.last_column + 1 for block in self.members.values())

    @property
    def patch_bytes(self) -> int:
        """A window, or those zeros."""
        window = self.op.kernel.rows * self.op.kernel.columns * self.op.x.pixel_bytes
        return -(-max(window, self.zero_bytes) // 8) * 8

    @property
    def zero_instructions(self) -> int:
        padding = self.op.padding
        return self.zero_bytes if padding.top or padding.bottom else 0

    def instructions(self) -> float:
        """Of one row."""
        around = PER_BLOCK + PER_BLOCK_ROW * self.op.kernel.rows
        found: float = PER_ROW
        for block in self.blocks():
            found += around + executed(block_routine(block).function.lines)
            if self.op.channels % 2:
                found += self._of_last(block)
        return found

    def of_a_pixel(self) -> float:
        """Gathered."""
        taps = self.op.kernel.rows * self.op.kernel.columns
        gathered = self.op.kernel.rows * 40 + 0.8 * taps * self.op.x.pixel_bytes
        return gathered + executed(block_routine(self.single).function.lines)

    def _of_last(self, block: DepthwiseBlock) -> float:
        return PER_LAST + 3 * self.op.kernel.rows + executed(block_routine(block).function.lines) / max(self.pairs, 1)


@lru_cache(maxsize=256)
def depthwise_of(op: DepthwiseConv2D) -> Depthwise | None:
    """With as many outputs at a time as is best."""
    if op.x.dtype is not DType.INT16 or op.multiplier != 1 or op.channels < 2:
        return None
    layer = wide_layer(op, differences(op).reshape(-1, op.channels).T)
    if layer is None or not _halves_fit(layer.channels.weights):
        return None
    return min(_possible(op, layer), key=Depthwise.instructions, default=None)


def _possible(op: DepthwiseConv2D, layer: WideLayer) -> Iterator[Depthwise]:
    for outputs in range(min(MOST_OUTPUTS, op.y.image.columns), 0, -1):
        made = Depthwise(op, layer, outputs)
        if made.is_possible:
            yield made


def _halves_fit(weights: Array) -> bool:
    return bool(np.abs(weights).max(initial=0) < 1 << 15)


def candidates(op: DepthwiseConv2D) -> tuple[Candidate, ...]:
    made = depthwise_of(op)
    if made is None:
        return ()
    row = made.instructions()
    return (
        Candidate(
            backend="armv7em",
            kernel=KERNEL,
            form=Form.STRIP,
            scratch_bytes=made.patch_bytes + POINTER_BYTES * op.kernel.rows,
            alignment=4 if op.channels % 2 == 0 else 1,  # word accesses of any address are slower
            scratch_alignment=8,
            weight_bytes=int(made.stream.nbytes),
            code_bytes=sum({r.name: r.function.code_bytes for r in made.routines.values()}.values()),
            instructions=round(op.y.image.rows * row + made.zero_instructions),
            call_instructions=CALL,
            part_instructions=max(round(op.y.image.columns * made.of_a_pixel() - row), 0),
            spec={"outputs": made.outputs},
        ),
    )


def lower(op: DepthwiseConv2D, _chosen: Candidate, function: str) -> Assembled:
    made = depthwise_of(op)
    assert made is not None
    comment = "biases, weights, requantisation of each two channels"
    table = ConstantArray(f"{function}_stream", "uint32_t", made.stream, comment, 8)
    last = made.pairs * made.single.stream_words
    params: Params = {
        **prefixed("window", window_params(op)),
        "channels": op.channels,
        "outputs": made.outputs,
        "last_column": made.starts[-1],
        "inner_limit": made.inner_limit,
        "zero_bytes": made.zero_bytes,
        "patch_bytes": made.patch_bytes,
        "stream": table.name,
        "last": f"{table.name} + {last}",
        "stream_end": f"{table.name} + {len(made.stream)}",
        **{name: made.routines[name].name if name in made.routines else 0 for name in MEMBERS},
    }
    return Assembled(params, (table,), tuple(dict.fromkeys(made.routines.values())))


MEMBERS = ("left", "inner", "right", "single")
LOWERING = Lowering.at_any_price(KERNEL, candidates, lower)
