"""Where an inference spends its instructions, what it computes, and how deep its stack goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..graph import Op
from ..planner.plan import Plan
from .blocks import CodeBlock, Executed
from .calls import macs_executed
from .session import RunCost


@dataclass(frozen=True)
class Profile:
    """Measured, not estimated; None where the simulator does not tell."""

    instructions: int | None  # of the first input; the calls between operators included
    layers: Mapping[Op, int]  # entry to return of the operator's calls; empty if not counted
    stack_bytes: int | None  # most of all inputs
    macs_executed: int | None = None  # of the first input, by the calls that were seen; None if nothing ran
    executed: Mapping[Op | None, Executed] = field(default_factory=dict)  # code of the first input; None: between calls

    @classmethod
    def of(cls, plan: Plan, costs: Sequence[RunCost]) -> Profile:
        layers: Counter[Op] = Counter()
        first = costs[0] if costs else RunCost()
        for step, count in zip(plan.steps, first.steps, strict=False):
            layers[step.op] += count
        stacks = [cost.stack_bytes for cost in costs if cost.stack_bytes is not None]
        macs = macs_executed(first.calls) if costs else None
        return cls(first.instructions, dict(layers), max(stacks, default=None), macs, _executed(plan, first))


def _executed(plan: Plan, cost: RunCost) -> Mapping[Op | None, Executed]:
    if not cost.executed:
        return {}
    found: dict[Op | None, Counter[CodeBlock]] = {None: Counter(cost.between)}
    for step, blocks in zip(plan.steps, cost.executed, strict=True):
        found.setdefault(step.op, Counter()).update(blocks)
    return found
