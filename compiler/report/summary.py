"""Results as people read them: the summary `compile` ends with, and the table of layers."""

from __future__ import annotations

from .result import LayerResult, Result
from .text import Table, number, pairs, percent, size

VERDICTS = {True: "every byte equals the reference", False: "DIFFERS from the reference", None: "not verified"}


def summary_lines(result: Result, costs: bool = False) -> list[str]:
    """What matters on a screen; `costs` asks for the time it takes, known or not, and what that rests on."""
    return pairs(
        [
            ("model", f"{result.model}: {number(result.macs)} MACs in {len(result.layers)} layers"),
            ("board", f"{result.board}, {result.kernels} kernels, optimised for {result.optimize}"),
            ("arena", f"{size(result.arena_bytes)}, {optimality(result)}"),
            *([("state", f"{size(result.state_bytes)}, kept between runs")] if result.state_bytes else []),
            ("weights", size(result.weights_bytes)),
            *_measured(result),
            *([("estimate", estimated(result))] if costs or result.cycles_estimate is not None else []),
            *([("rests on", result.estimate_basis)] if costs and result.estimate_basis else []),
            ("verified", verdict(result)),
        ]
    )


def verdict(result: Result) -> str:
    if result.bit_exact is None:
        return VERDICTS[None]
    checked = result.inputs_checked or 0
    return f"{VERDICTS[result.bit_exact]} ({checked} input{'s' * (checked != 1)}, on {result.simulator})"


def estimated(result: Result) -> str:
    """Never a measurement, and it says so."""
    if result.cycles_estimate is None:
        return "n/a: nothing is known of this core's cycles"
    ms = result.ms_estimate
    time = "" if ms is None else f"{ms:.3g} ms, " if ms < 100 else f"{ms:,.0f} ms, "
    return f"{time}{number(result.cycles_estimate)} cycles ({cycles_title(result.estimate_band_percent)})"


def cycles_title(band: int | None) -> str:
    return "estimate" if band is None else f"estimate, +-{band} %"


def optimality(result: Result) -> str:
    if result.plan.peak == result.plan.lower_bound:
        return "the least these stages allow"
    return f"lower bound {result.plan.lower_bound:,}"


def _measured(result: Result) -> list[tuple[str, str]]:
    """Only what is known: nobody wants a column of n/a."""
    data = "data with the state" if result.state_bytes else "data"
    rows = (
        ("code", size(result.code_bytes), result.code_bytes),
        ("flash", f"{size(result.flash_bytes)} for weights and code", result.flash_bytes),
        ("RAM", f"{size(result.ram_bytes)} for arena, {data} and stack", result.ram_bytes),
        ("executed", f"{number(result.macs_executed)} MACs", result.macs_executed),
        ("instructions", number(result.instructions), result.instructions),
        ("compiler", result.compiler or "", result.compiler),
    )
    return [(name, text) for name, text, value in rows if value is not None]


def layer_lines(result: Result, width: int | None) -> list[str]:
    """One line per planned operator, with the share of all instructions."""
    title = f"cycles ({cycles_title(result.estimate_band_percent)})"
    header = ("layer", "op", "stage", "kernel", "MACs", "instructions", "share", "per MAC", title)
    total = sum(layer.instructions or 0 for layer in result.layers)
    rows = [layer_row(layer, total) for layer in result.layers]
    return Table(header, rows, optional=("stage", "op")).lines(width)


def layer_row(layer: LayerResult, total: int) -> tuple[str, ...]:
    instructions = layer.instructions
    return (
        layer.name,
        layer.op,
        str(layer.stage),
        layer.kernel,
        number(layer.macs),
        number(instructions),
        "n/a" if instructions is None else percent(instructions, total),
        f"{instructions / layer.macs:.2f}" if instructions and layer.macs else "-",
        number(layer.cycles_estimate),
    )
