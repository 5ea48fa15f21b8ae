"""The report's picture of memory over time: rectangles in the units of its SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from ..planner.plan import Plan
from .memory import Slab, peak, slabs, stages_drawn
from .text import number

LEFT, RIGHT, TOP = 64, 12, 14  # margins
HEIGHT = 380  # of the plotted area
STAGE_WIDTH = (26, 72)  # least and most units per stage
WIDTH = 920  # wanted for the plotted area
LETTER = 6.6  # width of a character in a label
LEAST_HEIGHT = 13  # of a box with a label
TICKS = 5


@dataclass(frozen=True)
class Box:
    """One buffer: where it is drawn, and what is said about it."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    label: str
    title: str


@dataclass(frozen=True)
class Tick:
    at: float
    label: str


@dataclass(frozen=True)
class Picture:
    """One memory region over all stages."""

    memory: str
    width: float
    height: float
    plot: Box
    boxes: tuple[Box, ...]
    peak: Box
    bytes: tuple[Tick, ...]
    stages: tuple[Tick, ...]


def pictures(plan: Plan) -> tuple[Picture, ...]:
    return tuple(_Drawing(plan, region).picture() for region, use in enumerate(plan.regions) if use.nbytes)


class _Drawing:
    def __init__(self, plan: Plan, region: int) -> None:
        self.plan = plan
        self.region = region
        self.unit = max(STAGE_WIDTH[0], min(STAGE_WIDTH[1], WIDTH / stages_drawn(plan)))
        self.scale = HEIGHT / plan.regions[region].nbytes

    def picture(self) -> Picture:
        stages = self._stage_ticks()
        wide = self.unit * stages_drawn(self.plan)
        longest = max((len(tick.label) for tick in stages), default=0)
        return Picture(
            self.plan.regions[self.region].memory,
            round(LEFT + wide + RIGHT, 1),
            round(TOP + HEIGHT + 16 + LETTER * longest, 1),
            Box(LEFT, TOP, round(wide, 1), HEIGHT, "plot", "", ""),
            tuple(self._box(s) for s in slabs(self.plan) if s.region == self.region),
            self._peak(),
            tuple(self._byte_ticks()),
            stages,
        )

    def _box(self, slab: Slab) -> Box:
        width, height = (slab.stop - slab.start) * self.unit, slab.nbytes * self.scale
        where = f"bytes {slab.offset:,} to {slab.offset + slab.nbytes:,} ({slab.nbytes:,})"
        when = f"stages {int(slab.start)} to {ceil(slab.stop) - 1}"
        return Box(
            round(LEFT + slab.start * self.unit, 1),
            round(self._y(slab.offset + slab.nbytes), 1),
            round(width, 1),
            round(height, 1),
            slab.kind,
            _label(slab, width, height),
            f"{slab.owner}, {slab.kind}: {slab.name}\n{where}, {when}",
        )

    def _peak(self) -> Box:
        top = peak(self.plan)
        x = LEFT + top.stage * self.unit
        return Box(round(x, 1), TOP, round(self.unit, 1), HEIGHT, "peak", "", f"peak: {top.live_bytes:,} bytes live")

    def _y(self, offset: float) -> float:
        return TOP + HEIGHT - offset * self.scale

    def _byte_ticks(self) -> Iterator[Tick]:
        total = self.plan.regions[self.region].nbytes
        step = next(s for e in range(12) for s in (10**e, 2 * 10**e, 5 * 10**e) if s * TICKS >= total)
        for value in (*range(0, total - step // 2, step), total):
            yield Tick(round(self._y(value), 1), number(value))

    def _stage_ticks(self) -> tuple[Tick, ...]:
        return tuple(
            Tick(round(LEFT + (i + 0.5) * self.unit, 1), stage_label([self.plan.layer_name(op) for op in stage.ops]))
            for i, stage in enumerate(self.plan.stages)
        )


def stage_label(layers: Sequence[str]) -> str:
    """`L03_dw`, or `L03-L05` for a streamed stage."""
    return layers[0] if len(layers) == 1 else f"{layers[0].split('_')[0]}-{layers[-1].split('_')[0]}"


def _label(slab: Slab, width: float, height: float) -> str:
    """As much as fits into the box: `L03_dw 2,352`, `L03_dw` or `L03`."""
    if height < LEAST_HEIGHT or slab.kind == "scratch":
        return ""
    room = int((width - 8) / LETTER)
    labels = (f"{slab.owner} {slab.nbytes:,}", slab.owner, slab.owner.split("_")[0])
    return next((label for label in labels if len(label) <= room), "")
