"""What the rules about cores are worth in measured cycles, and how far to trust them.

Calibrated on public measurements of code that anyone can build, whose execution was counted by basic block:

    Cortex-M4, M33   MLPerf Tiny v1.0, closed division, OctoML: its generated C with CMSIS-NN of August 2022, gcc -O2;
                     NUCLEO-L4R5ZI at 120 MHz and nRF5340 DK at 128 MHz; vww, ic, kws and ad
    Cortex-M7        the README of TinyEngine: its generated C, gcc -Ofast; STM32H743, taken to run at
                     480 MHz; eleven networks

Factors and lines are what leaves the smallest relative errors: at most 3 % on the M4, 5 % on the others (6 % for
networks that are left out of the fit). Bands are twice to thrice as wide: where loads go is told by addresses, which
misses some in compiled code; lines of the cache are reckoned, not simulated; and our assembly was never timed.
A price for stores of single bytes did not bring the worst of the M7 any closer: there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..backends.armv7em.cycles import CAL, M4, Model


@dataclass(frozen=True)
class CoreCosts:
    """Cycles of one core, from the rules about it."""

    model: Model
    factor: float  # measured cycles for one of the rules
    band: int  # percent, of what was executed
    rules: str  # whose, and what they were calibrated on
    line_cycles: float = 0  # of a line that the data cache exchanges with memories


CALIBRATED = "the core's rules, calibrated on"
COSTS: Mapping[str, CoreCosts] = {
    "cortex-m3": CoreCosts(M4, 1.04, 30, "the Cortex-M4's rules, never calibrated for this core"),
    "cortex-m4": CoreCosts(M4, 1.04, 10, f"{CALIBRATED} MLPerf Tiny v1.0 (NUCLEO-L4R5ZI)"),
    "cortex-m7": CoreCosts(CAL, 0.89, 15, f"{CALIBRATED} TinyEngine's README (STM32H743)", line_cycles=8),
    "cortex-m33": CoreCosts(M4, 0.97, 10, f"{CALIBRATED} MLPerf Tiny v1.0 (nRF5340)"),
}
