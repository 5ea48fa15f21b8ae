"""A plan as people read it: stages, buffers, and what the arena's size hangs on."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from ..graph import Op, Tensor
from ..planner.plan import Plan
from ..target import Candidate
from .memory import Peak, Slab, peak, slabs
from .text import Table, number, pairs, shorten, size

LONGEST_NAME = 48


def stage_lines(plan: Plan, width: int | None) -> list[str]:
    header = ("stage", "layer", "kernel", "form", "from", "to", "MACs", "live bytes")
    rows = [
        (
            f"{number_} streamed" if stage.streamed else str(number_),
            plan.layer_name(op),
            plan.choices[op].kernel,
            form(plan.choices[op]),
            shape_of(op.x),
            shape_of(op.y),
            number(op.macs),
            number(plan.live_bytes[number_]),
        )
        for number_, stage in enumerate(plan.stages)
        for op in stage.ops
    ]
    return Table(header, rows).lines(width)


def form(candidate: Candidate) -> str:
    """`strip of 2`, `whole`: how the kernel walks its output."""
    return f"strip of {candidate.strip_rows}" if candidate.form.value == "strip" else candidate.form.value


def shape_of(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape[1:] or tensor.shape))


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
    return [f"{op.label}: {shape_of(op.x)} to {shape_of(op.y)}", *Table(header, rows).lines(width)]


def buffer_lines(plan: Plan, width: int | None) -> list[str]:
    header = ("buffer", "kind", "memory", "offset", "bytes", "stages", "tensor")
    rows = [
        (
            slab.owner,
            slab.kind,
            plan.regions[slab.region].memory,
            number(slab.offset),
            number(slab.nbytes),
            life(slab),
            shorten(slab.name, LONGEST_NAME),
        )
        for slab in slabs(plan)
    ]
    return Table(header, rows).lines(width)


def life(slab: Slab) -> str:
    first, last = int(slab.start), ceil(slab.stop) - 1
    return str(first) if first == last else f"{first} to {last}"


def peak_lines(plan: Plan, alternatives: Sequence[tuple[str, int]]) -> list[str]:
    """What pins the arena's size, and what would make it smaller: `alternatives` were really planned."""
    top = peak(plan)
    gap = plan.arena_bytes - plan.lower_bound
    placed = "the least these stages allow" if gap == 0 else f"{gap:,} above the lower bound of {plan.lower_bound:,}"
    return pairs(
        [
            ("arena", f"{size(plan.arena_bytes)}, {placed}"),
            ("pinned by", pinned(plan, top)),
            ("would help", "; ".join(advice(plan, top, alternatives))),
        ]
    )


def pinned(plan: Plan, top: Peak) -> str:
    names = ", ".join(plan.layer_name(op) for stage in plan.stages[top.stage :][:1] for op in stage.ops)
    held = ", ".join(f"{s.owner} {s.nbytes:,}" for s in top.slabs)
    where = f"stage {top.stage} ({names})" if names else "the input"
    return f"{where}, {top.live_bytes:,} bytes live: {held}"


def advice(plan: Plan, top: Peak, alternatives: Sequence[tuple[str, int]]) -> list[str]:
    best: dict[int, str] = {}
    for flags, nbytes in alternatives:
        if nbytes < min([plan.arena_bytes, *best]):
            best[nbytes] = flags
    found = [f"{flags} ({nbytes:,} bytes)" for nbytes, flags in best.items()]
    tensors = [s for s in top.slabs if s.kind != "scratch"]
    if tensors:
        found.append(f"fewer rows, columns or channels in {_of(tensors[0].owner)}")
    return found


def _of(owner: str) -> str:
    return f"the {owner}" if owner.startswith("input") else f"the output of {owner}"


def plan_json(plan: Plan, alternatives: Sequence[tuple[str, int]]) -> dict[str, object]:
    """What `plan --json` adds to the keys all commands share."""
    top = peak(plan)
    return {
        "buffers": [_buffer_json(slab, plan) for slab in slabs(plan)],
        "live_bytes": list(plan.live_bytes),
        "pinned_by": {"stage": top.stage, "buffers": [slab.owner for slab in top.slabs]},
        "would_help": advice(plan, top, alternatives),
    }


def _buffer_json(slab: Slab, plan: Plan) -> dict[str, object]:
    return {
        "buffer": slab.owner,
        "tensor": slab.name or None,
        "kind": slab.kind,
        "memory": plan.regions[slab.region].memory,
        "offset": slab.offset,
        "bytes": slab.nbytes,
        "first_stage": int(slab.start),
        "last_stage": ceil(slab.stop) - 1,
    }
