"""Cycles for each instruction that the planner reckons with, by kernel: written by tests/tools/kernel_cycles.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..backends.armv7em.cycles import CAL
from .cores import CoreCosts

BAND = 25  # percent


@dataclass(frozen=True)
class PerInstruction:
    """By the rules for cores that issue one instruction at a time, and by those for the Cortex-M7."""

    single: float
    dual: float

    def of(self, costs: CoreCosts) -> float:
        return self.dual if costs.model is CAL else self.single


OTHERS = PerInstruction(1.35, 0.85)
KERNELS: Mapping[str, PerInstruction] = {
    "te_average_pool": PerInstruction(1.51, 0.69),
    "te_concatenation": PerInstruction(0.52, 0.29),
    "te_conv2d": PerInstruction(1.35, 0.68),
    "te_conv_gemm": PerInstruction(1.40, 0.75),
    "te_depthwise": PerInstruction(1.27, 0.71),
    "te_depthwise_planes": PerInstruction(1.37, 0.75),
    "te_depthwise_whole": PerInstruction(1.31, 0.68),
    "te_fc_blocks": PerInstruction(1.81, 1.00),
    "te_fully_connected": PerInstruction(1.30, 0.70),
    "te_gemm_pointwise": PerInstruction(1.40, 0.78),
    "te_global_mean": PerInstruction(1.48, 0.76),
    "te_lut": PerInstruction(1.14, 0.68),
    "te_pair": PerInstruction(0.82, 0.81),
    "te_pair_image": PerInstruction(1.11, 0.93),
    "te_pair_words": PerInstruction(1.09, 0.64),
    "te_pair_words_image": PerInstruction(1.13, 0.68),
    "te_pointwise": PerInstruction(1.25, 0.68),
    "te_reduce_axes": PerInstruction(1.45, 0.73),
    "te_resize_nearest": PerInstruction(1.49, 0.94),
    "te_softmax": PerInstruction(1.39, 0.84),
}
