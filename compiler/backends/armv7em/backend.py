"""The backend of generated assembly, for cores with the DSP extension: which file of this folder lowers what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...graph import Op
from ...ops.add import Add, Sub
from ...ops.conv2d import Conv2D
from ...ops.depthwise_conv2d import DepthwiseConv2D
from ...ops.fully_connected import FullyConnected
from ...ops.mean import Mean, Sum
from ...ops.mul import Mul
from ...ops.pool2d import AveragePool2D, MaxPool2D
from ...planner.plan import Plan
from ...target import Candidate
from ...templating import render
from ..native.sources import kernel_sources
from ..program import Call, KernelSource
from . import (
    depthwise,
    fully_connected,
    linear_pair,
    pointwise,
    pool_whole,
    pool_windows,
    pooling,
    product_pair,
    wide_depthwise,
    wide_fc,
    wide_pointwise,
    wide_window,
    window,
)
from .cores import Order, assembled_in
from .function import Routine
from .lowering import Lowering

FLASH_PRICES = (10, 20, 100, 500)
"""Instructions that an inference must save for each byte of flash: where speed counts, where both do, where there is
less room, and where there is none to spare."""

LOWERINGS: Mapping[type[Op], Sequence[Lowering]] = {
    Conv2D: (
        *(pointwise.LOWERING, window.LOWERING, fully_connected.LOWERING),
        *(wide_pointwise.LOWERING, wide_window.LOWERING, wide_fc.LOWERING),
    ),
    DepthwiseConv2D: (depthwise.LOWERING, wide_depthwise.LOWERING),
    FullyConnected: (fully_connected.LOWERING, wide_fc.LOWERING, wide_pointwise.ROWS_LOWERING),
    Add: linear_pair.LOWERINGS,
    Sub: linear_pair.LOWERINGS,
    Mul: product_pair.LOWERINGS,
    AveragePool2D: (pool_whole.LOWERING, pooling.LOWERING, pool_windows.LOWERING),
    MaxPool2D: (pool_windows.LOWERING,),
    Mean: (pool_whole.LOWERING, pooling.LOWERING),
    Sum: (pool_whole.LOWERING, pooling.LOWERING),
}


class Armv7emBackend:
    """Implements Target and Backend; what it has no kernel for is left to others."""

    name = "armv7em"

    def __init__(self, order: Order = Order.GENERATED, flash_price: int = FLASH_PRICES[0]) -> None:
        self._order, self._flash_price = order, flash_price

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        return tuple(c for lowering in LOWERINGS.get(type(op), ()) for c in lowering.candidates(op, self._flash_price))

    def lower(self, op: Op, candidate: Candidate, plan: Plan, function: str) -> Call:
        (lowering,) = (one for one in LOWERINGS[type(op)] if one.kernel == candidate.kernel)
        made = assembled_in(self._order, lowering.lower(op, candidate, function, self._flash_price))
        header = f"{candidate.kernel}.h"
        return Call(
            op,
            function,
            candidate.kernel,
            (header, *(routine.header for routine in made.routines)),
            made.params,
            made.constants,
            (*kernel_sources(header), *(s for routine in made.routines for s in _sources(routine))),
            made.many_inputs,
        )


def _sources(routine: Routine) -> tuple[KernelSource, ...]:
    return (
        *kernel_sources(routine.twin_header),
        KernelSource(routine.header, render("assembly/routine.h.j2", routine=routine)),
        KernelSource(
            f"{routine.name}.S",
            render("assembly/function.S.j2", function=routine.function),
            routine.function.code_bytes,
        ),
    )
