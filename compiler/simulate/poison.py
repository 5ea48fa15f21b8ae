"""Makes planner and kernel mistakes visible: noise wherever nothing is alive, an eye on every other byte."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from ..graph import Array
from ..planner.plan import Plan
from .calls import call_name
from .liveness import BEFORE, Life, Place, lives
from .session import Session


class Poisoner:
    """Follows one run: overwrites what has died, reports writes to where a call has no business."""

    def __init__(self, plan: Plan, session: Session, seed: int) -> None:
        self._plan, self._session = plan, session
        self._noise = np.random.default_rng(seed)
        self._sizes = [region.nbytes for region in plan.regions]
        self._margins = [session.margins(i) for i in range(len(self._sizes))]
        self._born: defaultdict[int, list[Life]] = defaultdict(list)
        self._dying: defaultdict[int, list[Life]] = defaultdict(list)
        for life in lives(plan):
            self._born[life.birth].append(life)
            self._dying[life.death].append(life)
        self._holders = [np.zeros(size, np.int16) for size in self._sizes]  # how many lives need each byte
        self._seen: list[Array] = []  # all regions with their margins, as they must still be

    def fill(self) -> None:
        """Noise everywhere; the inputs are written after this."""
        for region, (size, (before, after)) in enumerate(zip(self._sizes, self._margins, strict=True)):
            self._session.write(region, -before, self._noise.bytes(before + size + after))

    def begin(self) -> None:
        """The inputs are in place."""
        self._seen = [self._window(region) for region in range(len(self._sizes))]
        self._turn_over(BEFORE)

    def after(self, number: int) -> list[str]:
        """After a call: what it did wrong; then what nobody needs any more becomes noise."""
        self._hold((life for life in self._dying[number] if life.birth < number), -1)
        wrong = self._stray_writes(number)
        self._turn_over(number)
        return wrong

    def _turn_over(self, number: int) -> None:
        self._hold((life for life in self._born[number] if life.death > number), 1)
        for place in _places(self._dying[number]):
            self._poison(place)

    def _hold(self, lives: Iterable[Life], change: int) -> None:
        for place in _places(lives):
            self._holders[place.region][place.offset : place.offset + place.nbytes] += change

    def _poison(self, place: Place) -> None:
        """Noise on those bytes that no life holds."""
        dead = self._holders[place.region][place.offset : place.offset + place.nbytes] == 0
        if not dead.any():
            return
        view = self._in_sight(self._seen, place)
        view[dead] = np.frombuffer(self._noise.bytes(place.nbytes), np.uint8)[dead]
        self._session.write(place.region, place.offset, view.tobytes())

    def _stray_writes(self, number: int) -> list[str]:
        """A call may change what is born with it, unless that lies where something else lives on."""
        now = [self._window(region) for region in range(len(self._sizes))]
        own = [np.zeros(len(window), np.bool_) for window in now]
        for place in _places(self._born[number]):
            free = self._holders[place.region][place.offset : place.offset + place.nbytes] == 0
            self._in_sight(own, place)[:] |= free
        wrong = []
        for region, (seen, is_now, mine) in enumerate(zip(self._seen, now, own, strict=True)):
            changed = np.flatnonzero((seen != is_now) & ~mine) - self._margins[region][0]
            if changed.size:
                who = call_name(self._plan, self._plan.steps[number])
                wrong.append(f"{who} writes {changed.size} bytes it does not own, the first at {region}:{changed[0]}")
        self._seen = now
        return wrong

    def _in_sight(self, windows: list[Array], place: Place) -> Array:
        """A place in arrays that include the margins."""
        start = place.offset + self._margins[place.region][0]
        return windows[place.region][start : start + place.nbytes]

    def _window(self, region: int) -> Array:
        before, after = self._margins[region]
        data = self._session.read(region, -before, before + self._sizes[region] + after)
        return np.frombuffer(data, np.uint8).copy()


def _places(lives: Iterable[Life]) -> Iterable[Place]:
    return (place for life in lives for place in life.places)
