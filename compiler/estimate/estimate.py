"""Cycles and time of one inference, and how far to trust them. Nothing here was measured on the board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..board import Board
from ..graph import Op
from ..planner.plan import Plan
from ..simulate.profile import Profile
from .cores import COSTS
from .executed import executed_cycles
from .kernels import BAND
from .planned import planned_cycles


@dataclass(frozen=True)
class Estimate:
    """The truth is taken to lie within `band` percent of the totals; single layers may be further off."""

    layers: Mapping[Op, int]
    cycles: int
    ms: float | None  # None where no clock is known
    band: int
    basis: str


def estimate_of_run(plan: Plan, board: Board, profile: Profile) -> Estimate | None:
    """From the very code that ran; None if its blocks were not counted, or nothing is known of the core."""
    found = executed_cycles(plan, board, profile.executed)
    return _estimate(found, board, "the instructions that were executed", 0) if found else None


def estimate_of_plan(plan: Plan, board: Board) -> Estimate | None:
    """From a plan alone."""
    found = planned_cycles(plan, board)
    return _estimate(found, board, "the planner's count of instructions", BAND) if found else None


def _estimate(cycles: Mapping[Op, float] | Mapping[Op | None, float], board: Board, of: str, band: int) -> Estimate:
    costs, total = COSTS[board.core.name], round(sum(cycles.values()))
    layers = {op: round(value) for op, value in cycles.items() if op is not None}
    basis = f"{of}, by {costs.rules}"
    return Estimate(layers, total, total / board.mhz / 1000 if board.mhz else None, max(band, costs.band), basis)
