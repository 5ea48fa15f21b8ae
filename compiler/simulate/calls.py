"""What the code was seen to call: which part of which operator, and the work in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from ..graph import Op, Part, Region, Run, Span
from ..planner.plan import Plan, Step, Unit

ARGUMENTS = ("r1", "r2", "r3")  # of an operator's function, behind the model


def called_region(step: Step, unit: Unit, registers: Sequence[int]) -> Part:
    """What a function is asked for, by its arguments."""
    a, b, c = (value - (value >> 31 << 32) for value in registers)
    if unit is Unit.PIXELS:
        return Run(a, b)
    return Region(Span(a, a + 1), Span(b, c)) if unit is Unit.PARTS else Region(Span(a, b), step.walked.whole.columns)


def macs_executed(calls: Iterable[Step]) -> int:
    """Multiplications with weights or between activations; pixels that are computed twice count twice."""
    pixels: Counter[Op] = Counter()
    totals: dict[Op, int] = {}
    for call in calls:
        pixels[call.op] += call.region.size
        totals[call.op] = call.walked.whole.size
    return sum(op.macs * count // totals[op] for op, count in pixels.items())


def call_name(plan: Plan, step: Step) -> str:
    return f"{plan.layer_name(step.op)} {region_name(step)}"


def region_name(step: Step) -> str:
    """`rows [0, 2)`, `row 3, columns [0, 8)`, `pixels [8, 16)`; `input rows [0, 1)` of a sink."""
    if isinstance(step.region, Run):
        return f"pixels [{step.region.start}, {step.region.stop})"
    rows, columns = step.region
    of = "input " if step.sink else ""
    if columns == step.walked.whole.columns:
        return f"{of}rows [{rows.start}, {rows.stop})"
    return f"{of}row {rows.start}, columns [{columns.start}, {columns.stop})"
