"""Estimated cycles of code that was executed, counted by basic block in a simulator."""

from __future__ import annotations

from collections.abc import Mapping

from ..board import Board
from ..graph import Op
from ..planner.plan import Plan
from ..simulate.blocks import CodeBlock, Executed
from .cores import COSTS, CoreCosts
from .decode import decoded
from .memory import Traffic, flash_bytes, memory_cycles


def executed_cycles(plan: Plan, board: Board, executed: Mapping[Op | None, Executed]) -> Mapping[Op | None, float]:
    """By operator; None is what runs between them. Empty if nothing was counted, or nothing is known of the core."""
    costs = COSTS.get(board.core.name)
    if costs is None:
        return {}
    traffic: dict[Op | None, Traffic] = {op: Traffic.of(plan, op) for op in plan.ops}
    return {
        op: core_cycles(blocks, costs)
        + memory_cycles(board, costs, traffic.get(op, Traffic()), flash_bytes(board, blocks))
        for op, blocks in executed.items()
    }


def core_cycles(executed: Executed, costs: CoreCosts) -> float:
    return costs.factor * sum(times * rule_cycles(block, costs) for block, times in executed.items())


def rule_cycles(block: CodeBlock, costs: CoreCosts) -> int:
    """As the rules have it."""
    return costs.model.cycles([one.instr for one in decoded(block.code)])
