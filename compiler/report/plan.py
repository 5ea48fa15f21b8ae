"""A plan as people read it: stages, buffers, and what the arena's size hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..graph import Op, Region, Tensor
from ..planner.plan import Plan, Ring, Step, share_place
from ..planner.planner import Point
from ..target import Candidate
from .memory import Memory, Peak, Slab
from .result import Result
from .summary import cycles_title
from .text import Table, number, pairs, shorten, size

LONGEST_NAME = 48
MOST_HELD = 8  # buffers that are named


def stage_lines(found: Memory, width: int | None, result: Result | None = None) -> list[str]:
    plan, cycles = found.plan, {layer.name: layer.cycles_estimate for layer in result.layers} if result else {}
    title = f"cycles ({cycles_title(result.estimate_band_percent if result else None)})"
    header = ("stage", "layer", "kernel", "calls", "from", "to", "output", "MACs", title, "live bytes")
    live = {stage.ops[0]: nbytes for stage, nbytes in zip(plan.stages, plan.live_bytes, strict=False)}
    rows = [
        (
            str(entry.stage),
            entry.layer,
            plan.choices[op].kernel,
            entry.how,
            shapes_of(op.activations[:1]),
            shapes_of(op.outputs),
            entry.place,
            number(op.macs),
            number(cycles.get(entry.layer)),
            number(live[op]) if op in live else "",
        )
        for op, entry in zip(plan.ops, schedule(found), strict=True)
    ]
    return Table(header, rows, optional=("from", "kernel", "to", "MACs")).lines(width)


@dataclass(frozen=True)
class Entry:
    """How one layer runs, read off its calls, and where its output goes."""

    layer: str
    stage: int
    calls: int
    walk: str
    place: str

    @property
    def how(self) -> str:
        return self.walk if self.calls == 1 else f"{self.calls:,} {self.walk}"


def schedule(placed: Memory) -> tuple[Entry, ...]:
    plan, found = placed.plan, list[Entry]()
    for number_, stage in enumerate(plan.stages):
        calls: dict[Op, list[Step]] = {}
        for step in stage.steps:
            calls.setdefault(step.op, []).append(step)
        found += [
            Entry(plan.layer_name(op), number_, len(calls[op]), walk(calls[op]), place(placed, op)) for op in stage.ops
        ]
    return tuple(found)


def walk(steps: Sequence[Step]) -> str:
    """`at once`, `by row`, `by 2 rows`, `by 1/4 row, upwards`, `by 8 pixels`; `input by row` of a sink."""
    of = "input " if steps[0].sink else ""
    if len(steps) == 1:
        return f"{of}at once"
    first, last = steps[0].region, steps[-1].region
    return f"{of}by {_unit(steps)}{', upwards' if tuple(first) > tuple(last) else ''}"


def _unit(steps: Sequence[Step]) -> str:
    regions = [step.region for step in steps if isinstance(step.region, Region)]
    if not regions:
        return f"{max(step.region.size for step in steps)} pixels"
    parts = sum(region.rows.start == regions[0].rows.start for region in regions)
    height = max(region.rows.size for region in regions)
    return f"1/{parts} row" if parts > 1 else "row" if height == 1 else f"{height} rows"


def place(placed: Memory, op: Op) -> str:
    """`whole 4,096`, `ring 1,152 (3 rows)`, `in place of L02`, `whole 4,096 over input`."""
    if not op.outputs:
        return "state"
    plan, owner = placed.plan, placed.owner
    buffer = plan.buffers[op.y]
    source = next((t for t in op.activations if share_place(plan.buffers[t], buffer)), None)
    if source is not None:
        return f"in place of {_short(owner.get(source, source.name))}"
    if isinstance(buffer, Ring):
        return f"ring {buffer.nbytes:,} ({buffer.nbytes / op.y.row_bytes:.3g} rows)"
    under = ", ".join(_short(slab.owner) for slab in placed.under(plan.layer_name(op)))
    return f"whole {buffer.nbytes:,}{f' over {under}' if under else ''}"


def _short(owner: str) -> str:
    """`L02` of `L02_conv`."""
    return owner.split("_")[0]


def form(candidate: Candidate) -> str:
    """`strip of 2`, `whole`: how the kernel walks its output."""
    return f"strip of {candidate.strip_rows}" if candidate.form.value == "strip" else candidate.form.value


def shape_of(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape[1:] or tensor.shape))


def shapes_of(tensors: Sequence[Tensor]) -> str:
    """Operators that read or write state may have no input or no output."""
    return " ".join(map(shape_of, tensors)) or "state"


def candidate_lines(op: Op, offers: Sequence[Candidate], chosen: Candidate, width: int | None) -> list[str]:
    """Every way to compute one operator, the chosen one marked."""
    header = ("", "kernel", "form", "in place", "scratch", "weights", "code", "instructions")
    rows = [
        (
            "*" if offer == chosen else "",
            f"{offer.backend}/{offer.kernel}",
            form(offer),
            "yes" if offer.in_place else "no",
            number(offer.scratch_bytes),
            number(offer.weight_bytes),
            number(offer.code_bytes or None),
            number(offer.instructions or None),
        )
        for offer in offers
    ]
    title = f"{op.label}: {shapes_of(op.activations[:1])} to {shapes_of(op.outputs)}"
    return [title, *Table(header, rows).lines(width)]


def buffer_lines(found: Memory, width: int | None) -> list[str]:
    header = ("buffer", "kind", "memory", "offset", "bytes", "rows", "stages", "tensor")
    rows = [
        (
            slab.owner,
            slab.kind,
            found.plan.regions[slab.region].memory,
            number(slab.offset),
            number(slab.nbytes),
            rows_text(slab),
            life(found, slab),
            shorten(slab.name, LONGEST_NAME),
        )
        for slab in found.slabs
    ]
    return Table(header, rows, optional=("memory",)).lines(width)


def rows_text(slab: Slab) -> str:
    return "-" if slab.rows is None else f"{slab.rows:.3g}"


def life(found: Memory, slab: Slab) -> str:
    first, last = found.stages_of(slab)
    return str(first) if first == last else f"{first} to {last}"


def front_lines(plan: Plan, front: Sequence[Point], width: int | None) -> list[str]:
    """What memory costs: plans of which none is both smaller and faster than another."""
    header = ("", "arena", "instructions", "than fastest", "calls", "stages")
    fastest = min((point.instructions for point in front), default=1) or 1
    rows = [
        (
            "*" if point.arena_bytes == plan.arena_bytes else "",
            number(point.arena_bytes),
            number(point.instructions),
            f"+{100 * (point.instructions / fastest - 1):.1f} %",
            number(point.calls),
            number(point.stages),
        )
        for point in front
    ]
    title = "what less memory costs (estimated; * this plan; --optimize speed --ram BYTES takes one)"
    return [title, *Table(header, rows).lines(width)]


def peak_lines(found: Memory, front: Sequence[Point]) -> list[str]:
    """What pins the arena's size, and what would make it smaller: the plans of the front were really made."""
    plan, top = found.plan, found.peak
    gap = plan.arena_bytes - plan.lower_bound
    placed = "the least these stages allow" if gap == 0 else f"{gap:,} above the lower bound of {plan.lower_bound:,}"
    return pairs(
        [
            ("arena", f"{size(plan.arena_bytes)}, {placed}"),
            ("pinned by", pinned(plan, top)),
            ("would help", "; ".join(advice(plan, top, front))),
        ]
    )


def pinned(plan: Plan, top: Peak) -> str:
    names = [plan.layer_name(op) for stage in plan.stages[top.stage :][:1] for op in stage.ops]
    span = f"{names[0]} to {names[-1]}" if len(names) > 1 else "".join(names)
    at = f" in call {top.call:,}, {plan.layer_name(plan.steps[top.call].op)}" if len(names) > 1 else ""
    where = f"stage {top.stage} ({span}){at}" if names else "the input"
    held = [f"{h.slab.owner} {h.nbytes:,}" for h in top.held]
    rest = [f"{len(held) - MOST_HELD} more"] if len(held) > MOST_HELD else []
    return f"{where}, {top.live_bytes:,} bytes live: {'; '.join([*held[:MOST_HELD], *rest])}"


def advice(plan: Plan, top: Peak, front: Sequence[Point]) -> list[str]:
    """The smallest plan there is, if it is smaller; what to change in the network."""
    smaller = [point.arena_bytes for point in front if point.arena_bytes < plan.arena_bytes]
    found = [f"--ram {min(smaller)}"] if smaller else []
    tensors = [h.slab for h in top.held if h.slab.kind != "scratch"]
    if tensors:
        found.append(f"fewer rows, columns or channels in {_of(tensors[0].owner)}")
    return found


def _of(owner: str) -> str:
    return f"the {owner}" if owner.startswith("input") else f"the output of {owner}"


def plan_json(found: Memory, front: Sequence[Point]) -> dict[str, object]:
    """What `plan --json` adds to the keys all commands share."""
    plan, top = found.plan, found.peak
    return {
        "schedule": [asdict(entry) for entry in schedule(found)],
        "buffers": [_buffer_json(slab, found) for slab in found.slabs],
        "live_bytes": list(plan.live_bytes),
        "pinned_by": {
            "stage": top.stage,
            "call": top.call,
            "buffers": [h.slab.owner for h in top.held],
            "bytes": [h.nbytes for h in top.held],
        },
        "front": [asdict(point) for point in front],
        "would_help": advice(plan, top, front),
    }


def _buffer_json(slab: Slab, found: Memory) -> dict[str, object]:
    first, last = found.stages_of(slab)
    return {
        "buffer": slab.owner,
        "tensor": slab.name or None,
        "kind": slab.kind,
        "memory": found.plan.regions[slab.region].memory,
        "offset": slab.offset,
        "bytes": slab.nbytes,
        "rows": slab.rows,
        "first_stage": first,
        "last_stage": last,
    }
