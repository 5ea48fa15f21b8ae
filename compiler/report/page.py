"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..board import Board
from ..graph import Graph, Op
from ..planner.plan import Plan
from ..planner.planner import Point
from ..templating import environment
from .memory import Memory, memory
from .model import tensor_text
from .picture import pictures
from .plan import Entry, advice, life, pinned, rows_text, schedule, shapes_of
from .result import LayerResult, Result
from .summary import cycles_title, estimated, optimality, verdict
from .text import number, percent

TEMPLATE = "report/page.html.j2"


@dataclass(frozen=True)
class Meter:
    """How much of something is used."""

    name: str
    used: int
    total: int
    note: str

    @property
    def share(self) -> float:
        return round(min(100.0, 100 * self.used / self.total), 1) if self.total else 0.0


@dataclass(frozen=True)
class LayerRow:
    layer: LayerResult
    entry: Entry
    shape: str
    share: float  # in percent of all instructions, or of all MACs where nothing was measured
    bar: float  # the same in percent of the largest


def render_page(
    result: Result,
    original: Graph,
    plan: Plan,
    board: Board,
    details: Sequence[str],
    front: Sequence[Point],
) -> str:
    found = memory(plan)
    top = found.peak
    context = {
        "result": result,
        "board": board,
        "inputs": [tensor_text(t) for t in original.inputs],
        "outputs": [tensor_text(t) for t in original.outputs],
        "meters": meters(result, board),
        "pictures": pictures(found),
        "layers": layer_rows(result, found),
        "slabs": [(slab, rows_text(slab), life(found, slab)) for slab in found.slabs],
        "regions": [use.memory for use in plan.regions],
        "pinned": pinned(plan, top),
        "advice": advice(plan, top, front),
        "front": front,
        "fastest": min((point.instructions for point in front), default=1) or 1,
        "verdict": verdict(result),
        "estimate": estimated(result),
        "cycles_title": f"cycles ({cycles_title(result.estimate_band_percent)})",
        "optimality": optimality(result),
        "details": details,
    }
    pages = environment(autoescape=True)
    pages.filters |= {"number": number, "percent": percent}
    return pages.get_template(TEMPLATE).render(context)


def meters(result: Result, board: Board) -> list[Meter]:
    """What is used of the memories that matter."""
    found = [
        Meter(f"arena in {name}", used, board.memory(name).nbytes, "rings, buffers, scratch")
        for name, used in result.plan.regions.items()
    ]
    if result.flash_bytes is not None and result.code_bytes is not None:
        note = f"weights {result.weights_bytes:,}, code {result.code_bytes:,}"
        found.append(Meter(f"flash in {board.code}", result.flash_bytes, board.memory(board.code).nbytes, note))
    else:
        found.append(Meter(f"weights in {board.code}", result.weights_bytes, board.memory(board.code).nbytes, "packed"))
    if result.stack_bytes is not None:
        memory = board.memory(board.stack)
        found.append(Meter(f"stack in {board.stack}", result.stack_bytes, memory.nbytes, "measured while running"))
    return found


def layer_rows(result: Result, placed: Memory) -> list[LayerRow]:
    plan, measured = placed.plan, any(layer.instructions for layer in result.layers)
    costs = [(layer.instructions or 0) if measured else layer.macs for layer in result.layers]
    total, most = sum(costs) or 1, max(costs, default=0) or 1
    return [
        LayerRow(layer, entry, _shapes(op), _percent(cost, total), _percent(cost, most))
        for layer, entry, op, cost in zip(result.layers, schedule(placed), plan.ops, costs, strict=True)
    ]


def _shapes(op: Op) -> str:
    return f"{shapes_of(op.activations[:1])} → {shapes_of(op.outputs)}"


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1)
