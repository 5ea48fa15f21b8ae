"""The report's picture of memory over time: rectangles in the units of its SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from math import log2

from .memory import Memory, Slab, Stretch
from .text import number

LEFT, RIGHT, TOP = 64, 12, 14  # margins
HEIGHT = 380  # of the plotted area
STAGE_WIDTH = 26  # of one call; more calls make a stage wider, but not by as much
WIDTH = 920  # at least of the plotted area
LETTER = 6.6  # width of a character in a label
LEAST_HEIGHT = 13  # of a shape with a label
LEAST_STEP = 0.4  # of stairs, what eyes can't tell from a slope
LEAST_PAUSE = 3.0  # that is shown: scratch comes and goes with each call
TICKS = 5
LEVELS = 12  # heights at which room for a label is looked for


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Shape:
    """One buffer: what it occupies over time as an SVG path, where a label fits into it, what is said about it."""

    path: str
    kind: str
    label: str
    at: Box  # room for the label
    title: str


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Picture:
    """One memory region over all calls."""

    memory: str
    width: float
    height: float
    plot: Box
    shapes: tuple[Shape, ...]
    peak: Box
    bytes: tuple[Tick, ...]
    stages: tuple[Tick, ...]
    borders: tuple[float, ...]  # between stages


def pictures(found: Memory) -> tuple[Picture, ...]:
    return tuple(_Drawing(found, region).picture() for region, use in enumerate(found.plan.regions) if use.nbytes)


class _Drawing:
    def __init__(self, found: Memory, region: int) -> None:
        self.memory, self.region = found, region
        self.plan = found.plan
        self.scale = HEIGHT / self.plan.regions[region].nbytes
        sizes = [b - a for a, b in pairwise(found.borders)]
        widths = [STAGE_WIDTH * (1 + log2(max(1, size))) for size in sizes]
        zoom = max(1.0, WIDTH / sum(widths))
        self.edges = [LEFT + zoom * sum(widths[:i]) for i in range(len(widths) + 1)]

    def picture(self) -> Picture:
        stages = self._stage_ticks()
        wide = self.edges[-1] - LEFT
        longest = max((len(tick.label) for tick in stages), default=0)
        return Picture(
            self.plan.regions[self.region].memory,
            round(LEFT + wide + RIGHT, 1),
            round(TOP + HEIGHT + 16 + LETTER * longest, 1),
            Box(LEFT, TOP, round(wide, 1), HEIGHT),
            tuple(self._shape(s) for s in self.memory.slabs if s.region == self.region),
            self._peak(),
            tuple(self._byte_ticks()),
            stages,
            tuple(round(x, 1) for x in self.edges[1:-1]),
        )

    def x(self, call: float) -> float:
        """Stages have their widths; inside of one, calls are equally wide."""
        borders = self.memory.borders
        stage = min(self.memory.stage_of(call), len(borders) - 2)
        first, last = borders[stage], borders[stage + 1]
        share = (call - first) / max(1, last - first)
        return self.edges[stage] + share * (self.edges[stage + 1] - self.edges[stage])

    def y(self, offset: float) -> float:
        return TOP + HEIGHT - offset * self.scale

    def _shape(self, slab: Slab) -> Shape:
        where = f"bytes {slab.offset:,} to {slab.offset + slab.nbytes:,} ({slab.nbytes:,})"
        first, last = self.memory.stages_of(slab)
        rows = "" if slab.rows is None else f" of {slab.rows:.3g} rows"
        room = self._room(slab)
        return Shape(
            path=" ".join(self._outline(run) for run in self._runs(slab)),
            kind=slab.kind,
            label=_label(slab, room),
            at=room,
            title=f"{slab.owner}, {slab.kind}{rows}: {slab.name}\n{where}, stages {first} to {last}",
        )

    def _room(self, slab: Slab) -> Box:
        """Where it is wide enough for a line of text for the longest time, tried at some heights."""
        line = LEAST_HEIGHT / self.scale
        wide = [Stretch(0, 0, slab.offset, slab.offset)]
        for level in range(1, LEVELS):
            low = slab.offset + (slab.nbytes - line) * level / LEVELS
            inside = (s for run in self._runs(slab) for s in _unbroken(run, low, low + line))
            wide.append(max(inside, key=self._width, default=wide[0]))
        best = max(wide, key=self._width)
        middle = min(
            wide, key=lambda s: (self._width(s) < 0.9 * self._width(best), abs(s.low - slab.offset - slab.nbytes / 2))
        )
        return self._box(middle)

    def _runs(self, slab: Slab) -> Iterator[list[Stretch]]:
        """Stretches that follow each other without a pause that could be seen."""
        run: list[Stretch] = []
        for stretch in slab.stretches:
            if run and self.x(stretch.start) - self.x(run[-1].stop) > LEAST_PAUSE:
                yield run
                run = []
            run.append(stretch)
        yield run

    def _width(self, s: Stretch) -> float:
        return self.x(s.stop) - self.x(s.start)

    def _box(self, s: Stretch) -> Box:
        x, y = self.x(s.start), self.y(s.high)
        return Box(round(x, 1), round(y, 1), round(self.x(s.stop) - x, 1), round(self.y(s.low) - y, 1))

    def _outline(self, run: Sequence[Stretch]) -> str:
        """Along the upper edge, and back along the lower one."""
        upper = [(self.x(t), self.y(s.high)) for s in run for t in (s.start, s.stop)]
        lower = [(self.x(t), self.y(s.low)) for s in reversed(run) for t in (s.stop, s.start)]
        return f"M{' '.join(f'{x:.1f},{y:.1f}' for x, y in (*_thinned(upper), *_thinned(lower)))}Z"

    def _peak(self) -> Box:
        stage = self.memory.peak.stage
        return Box(round(self.edges[stage], 1), TOP, round(self.edges[stage + 1] - self.edges[stage], 1), HEIGHT)

    def _byte_ticks(self) -> Iterator[Tick]:
        total = self.plan.regions[self.region].nbytes
        step = next(s for e in range(12) for s in (10**e, 2 * 10**e, 5 * 10**e) if s * TICKS >= total)
        for value in (*range(0, total - step // 2, step), total):
            yield Tick(round(self.y(value), 1), number(value))

    def _stage_ticks(self) -> tuple[Tick, ...]:
        middles = ((a + b) / 2 for a, b in pairwise(self.edges))
        return tuple(
            Tick(round(middle, 1), stage_label([self.plan.layer_name(op) for op in stage.ops]))
            for middle, stage in zip(middles, self.plan.stages, strict=False)
        )


def stage_label(layers: Sequence[str]) -> str:
    """`L03_dw`, or `L03-L05` for a streamed stage."""
    return layers[0] if len(layers) == 1 else f"{layers[0].split('_')[0]}-{layers[-1].split('_')[0]}"


def _unbroken(run: Sequence[Stretch], low: float, high: float) -> Iterator[Stretch]:
    """As long as it occupies all of [low, high)."""
    for inside, group in groupby(run, lambda s: s.low <= low and high <= s.high):
        if inside:
            together = list(group)
            yield Stretch(together[0].start, together[-1].stop, round(low), round(high))


def _thinned(points: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Stairs too fine to be seen become a slope."""
    last: tuple[float, float] | None = None
    for point in points[:-1]:
        if last is None or max(abs(point[0] - last[0]), abs(point[1] - last[1])) >= LEAST_STEP:
            yield point
            last = point
    yield points[-1]


def _label(slab: Slab, box: Box) -> str:
    """As much as fits: `L03_dw 2,352`, `L03_dw` or `L03`."""
    if slab.kind == "scratch":
        return ""
    room = int((box.width - 8) / LETTER)
    labels = (f"{slab.owner} {slab.nbytes:,}", slab.owner, slab.owner.split("_")[0])
    return next((label for label in labels if len(label) <= room), "")
