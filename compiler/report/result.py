"""What is known about one model on one board: the JSON of the contract. None is: not known (yet)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .. import __version__
from ..backends.program import Program
from ..board import Board
from ..estimate.estimate import Estimate, estimate_of_plan
from ..planner.plan import Plan


@dataclass(frozen=True)
class LayerResult:
    """One planned operator."""

    name: str
    op: str
    stage: int
    macs: int
    kernel: str
    instructions: int | None = None
    cycles_estimate: int | None = None
    bytes_differ: int | None = None


@dataclass(frozen=True)
class PlanResult:
    peak: int
    lower_bound: int
    stages: int
    regions: Mapping[str, int]


@dataclass(frozen=True)
class Result:
    """Field names and order are the contract's: scripts read them."""

    tecompile: str
    model: str
    model_sha256: str
    board: str
    compiler: str | None
    simulator: str | None  # where it ran: unicorn, qemu or host
    kernels: str
    optimize: str
    bit_exact: bool | None
    inputs_checked: int | None
    macs: int
    macs_live: int | None
    macs_executed: int | None  # counted from the calls that were seen in the run
    instructions: int | None
    cycles_estimate: int | None
    ms_estimate: float | None
    estimate_band_percent: int | None  # the truth is taken to lie within, of the totals
    estimate_basis: str | None
    arena_bytes: int
    input_bytes: int
    state_bytes: int  # in the model's struct, kept between inferences
    ram_bytes: int | None
    stack_bytes: int | None
    flash_bytes: int | None
    weights_bytes: int
    code_bytes: int | None
    plan: PlanResult
    layers: tuple[LayerResult, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Source:
    """Where a program came from: file name, its hash, MACs as the file states them, the settings."""

    model: str
    sha256: str
    macs: int
    kernels: str
    optimize: str


def planned_result(program: Program, board: Board, source: Source) -> Result:
    """All that a plan tells, estimates with it; the rest is None until something was built and run."""
    plan = program.plan
    result = Result(
        tecompile=__version__,
        model=source.model,
        model_sha256=source.sha256,
        board=board.name,
        compiler=None,
        simulator=None,
        kernels=source.kernels,
        optimize=source.optimize,
        bit_exact=None,
        inputs_checked=None,
        macs=source.macs,
        macs_live=None,
        macs_executed=None,
        instructions=None,
        cycles_estimate=None,
        ms_estimate=None,
        estimate_band_percent=None,
        estimate_basis=None,
        arena_bytes=plan.arena_bytes,
        input_bytes=sum(t.nbytes for t in plan.graph.inputs),
        state_bytes=sum(v.nbytes for v in plan.graph.variables),
        ram_bytes=None,
        stack_bytes=None,
        flash_bytes=None,
        weights_bytes=program.weights_bytes,
        code_bytes=None,
        plan=plan_result(plan),
        layers=_layers(plan),
    )
    estimate = estimate_of_plan(plan, board)
    return with_estimate(result, plan, estimate) if estimate else result


def with_estimate(result: Result, plan: Plan, estimate: Estimate) -> Result:
    cycles = {plan.layer_name(op): count for op, count in estimate.layers.items()}
    return replace(
        result,
        cycles_estimate=estimate.cycles,
        ms_estimate=estimate.ms,
        estimate_band_percent=estimate.band,
        estimate_basis=estimate.basis,
        layers=tuple(replace(layer, cycles_estimate=cycles.get(layer.name)) for layer in result.layers),
    )


def plan_result(plan: Plan) -> PlanResult:
    regions = {region.memory: region.nbytes for region in plan.regions}
    return PlanResult(plan.arena_bytes, plan.lower_bound, len(plan.stages), regions)


def _layers(plan: Plan) -> tuple[LayerResult, ...]:
    return tuple(
        LayerResult(plan.layer_name(op), op.kind, number, op.macs, plan.choices[op].kernel)
        for number, stage in enumerate(plan.stages)
        for op in stage.ops
    )
