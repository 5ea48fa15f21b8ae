"""Cycles before anything was built or run: what the planner reckons kernels execute, at what that took elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..board import Board
from ..graph import Op
from ..planner.plan import Plan, Unit
from ..planner.search import CALL_INSTRUCTIONS, RUN_INSTRUCTIONS
from .cores import COSTS, CoreCosts
from .kernels import KERNELS, OTHERS
from .memory import Traffic, memory_cycles


def planned_cycles(plan: Plan, board: Board) -> Mapping[Op, float]:
    """By operator. Empty if nothing is known of the core, or of what a kernel executes."""
    costs = COSTS.get(board.core.name)
    if costs is None or not all(plan.choices[op].instructions for op in plan.ops):
        return {}
    counts = planned_instructions(plan)
    return {op: _cycles(plan, op, board, costs, counts[op]) for op in plan.ops}


def planned_instructions(plan: Plan) -> Mapping[Op, int]:
    """As the search prices them, but for parts of rows."""
    calls = Counter(step.op for step in plan.steps)
    found = {}
    for op, choice in plan.choices.items():
        each = RUN_INSTRUCTIONS if plan.units.get(op) is Unit.PIXELS else choice.call_instructions
        found[op] = choice.instructions + CALL_INSTRUCTIONS + (calls[op] - 1) * (CALL_INSTRUCTIONS + each)
    return found


def _cycles(plan: Plan, op: Op, board: Board, costs: CoreCosts, instructions: int) -> float:
    """Constants are taken to be loaded once."""
    each = KERNELS.get(plan.choices[op].kernel, OTHERS)
    traffic = Traffic.of(plan, op)
    return costs.factor * instructions * each.of(costs) + memory_cycles(board, costs, traffic, traffic.constants)
