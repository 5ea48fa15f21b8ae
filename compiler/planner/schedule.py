"""The steps of a stage: which operator produces which rows, when. All sizes are measured on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..graph import Op, Region, Span, Tensor
from ..target import Candidate, Form
from .plan import Step


def schedule(ops: Sequence[Op], choices: Mapping[Op, Candidate]) -> tuple[Step, ...]:
    """Pull rows through the stage: the last operator asks, each input is produced just in time."""
    if len(ops) == 1:
        return (Step(ops[0], 0, ops[0].y.image.rows),)
    puller = _Puller(ops, choices)
    puller.pull(ops[-1], ops[-1].y.image.rows)
    return tuple(puller.steps)


class _Puller:
    def __init__(self, ops: Sequence[Op], choices: Mapping[Op, Candidate]) -> None:
        self.choices = choices
        self.makers = {t: op for op in ops for t in op.outputs}
        self.done = dict.fromkeys(ops, 0)
        self.steps: list[Step] = []

    def pull(self, op: Op, upto: int) -> None:
        """Make sure rows [0, upto) of `op` exist, a strip at a time."""
        while self.done[op] < upto:
            first = self.done[op]
            last = min(first + self.strip(op), op.y.image.rows)
            for index, tensor in enumerate(op.inputs):
                if tensor in self.makers:
                    self.pull(self.makers[tensor], rows_needed(op, index, first, last).stop)
            self.steps.append(Step(op, first, last))
            self.done[op] = last

    def strip(self, op: Op) -> int:
        choice = self.choices[op]
        return choice.strip_rows if choice.form is Form.STRIP else op.y.image.rows


def rows_needed(op: Op, index: int, first: int, last: int) -> Span:
    """Rows of input `index` that output rows [first, last) read."""
    return op.window(index, Region(Span(first, last), op.y.whole.columns)).rows


def ring_slots(tensor: Tensor, steps: Sequence[Step]) -> int:
    """Fewest slots in which no row is overwritten before its last use."""
    made = 0
    after: list[int] = []  # rows that exist once step i has run
    for step in steps:
        made = step.last if tensor in step.op.outputs else made
        after.append(made)
    slots, oldest = 1, made
    for step, produced in zip(reversed(steps), reversed(after), strict=True):
        oldest = min([oldest, *_oldest_row(tensor, step)])
        slots = max(slots, produced - oldest)
    return slots


def _oldest_row(tensor: Tensor, step: Step) -> list[int]:
    """The first row of `tensor` that the step reads or writes."""
    written = [step.first] if tensor in step.op.outputs else []
    spans = [rows_needed(step.op, i, step.first, step.last) for i, t in enumerate(step.op.inputs) if t is tensor]
    return written + [span.start for span in spans if span.size]
