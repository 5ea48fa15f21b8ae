"""Makes planner and kernel mistakes visible: noise wherever nothing is alive, an eye on every other byte."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from ..graph import Array
from ..planner.plan import Plan
from .liveness import BEFORE, LiveRow, live_rows, scratch_of, written_rows
from .session import Session


class Poisoner:
    """Follows one run: overwrites what has died, reports writes to where a call has no business."""

    def __init__(self, plan: Plan, session: Session, seed: int) -> None:
        self._plan, self._session, self._steps = plan, session, plan.steps
        self._noise = np.random.default_rng(seed)
        self._sizes = [region.nbytes for region in plan.regions]
        self._margins = [session.margins(i) for i in range(len(self._sizes))]
        self._born: defaultdict[int, list[LiveRow]] = defaultdict(list)
        self._dying: defaultdict[int, list[LiveRow]] = defaultdict(list)
        for row in live_rows(plan):
            self._born[row.birth].append(row)
            self._dying[row.death].append(row)
        self._users = [np.zeros(size, np.int32) for size in self._sizes]  # how many live rows hold each byte
        self._seen: list[Array] = []  # all regions with their margins, as they must still be

    def fill(self) -> None:
        """Noise everywhere; the inputs are written after this."""
        for users in self._users:
            users[:] = 0
        for region, (size, (before, after)) in enumerate(zip(self._sizes, self._margins, strict=True)):
            self._session.write(region, -before, self._noise.bytes(before + size + after))

    def begin(self) -> None:
        """The inputs are in place."""
        self._seen = [self._window(region) for region in range(len(self._sizes))]
        self._turn_over(BEFORE)

    def after(self, number: int) -> list[str]:
        """After a call: what it did wrong; then its scratch and the rows that have died become noise."""
        wrong = self._stray_writes(number)
        self._turn_over(number)
        return wrong

    def _turn_over(self, number: int) -> None:
        for row in self._born[number]:
            self._users[row.region][row.offset : row.offset + row.nbytes] += 1
        for row in self._dying[number]:
            self._users[row.region][row.offset : row.offset + row.nbytes] -= 1
            self._poison(row.region, row.offset, row.nbytes)
        if number != BEFORE:
            for region, offset, nbytes in scratch_of(self._plan, self._steps[number].op):
                self._poison(region, offset, nbytes)

    def _poison(self, region: int, offset: int, nbytes: int) -> None:
        """Noise on those bytes of the range that no live row holds."""
        dead = self._users[region][offset : offset + nbytes] == 0
        if not dead.any():
            return
        start = offset + self._margins[region][0]
        view = self._seen[region][start : start + nbytes]
        view[dead] = np.frombuffer(self._noise.bytes(nbytes), np.uint8)[dead]
        self._session.write(region, offset, view.tobytes())

    def _stray_writes(self, number: int) -> list[str]:
        step = self._steps[number]
        now = [self._window(region) for region in range(len(self._sizes))]
        for region, offset, nbytes in self._allowed(number):
            start = offset + self._margins[region][0]
            self._seen[region][start : start + nbytes] = now[region][start : start + nbytes]
        wrong = []
        for region, (seen, is_now) in enumerate(zip(self._seen, now, strict=True)):
            changed = np.flatnonzero(seen != is_now) - self._margins[region][0]
            if changed.size:
                who = f"{self._plan.layer_name(step.op)} rows [{step.first}, {step.last})"
                wrong.append(f"{who} writes {changed.size} bytes it does not own, the first at {region}:{changed[0]}")
        self._seen = now
        return wrong

    def _allowed(self, number: int) -> list[tuple[int, int, int]]:
        """Where a call may write: its output rows and its scratch."""
        step = self._steps[number]
        allowed = list(scratch_of(self._plan, step.op))
        for tensor in step.op.outputs:
            buffer = self._plan.buffers[tensor]
            rows = written_rows(step, tensor)
            allowed += [(buffer.region, buffer.row_offset(row), buffer.slot_bytes) for row in rows]
        return allowed

    def _window(self, region: int) -> Array:
        before, after = self._margins[region]
        data = self._session.read(region, -before, before + self._sizes[region] + after)
        return np.frombuffer(data, np.uint8).copy()
