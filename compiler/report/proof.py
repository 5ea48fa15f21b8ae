"""What was run and compared, as figures of a Result and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..board import Board
from ..estimate.estimate import estimate_of_run
from ..graph import Graph, Op, Tensor
from ..planner.plan import Plan
from ..simulate.prove import Proof
from .result import Result, with_estimate
from .text import number

HOST_PROVES = "the host proves the plan and the C kernels, not the assembly"
WORDS = {"host": "this computer", "qemu": "QEMU", "unicorn": "unicorn"}


def measured(result: Result, proof: Proof, plan: Plan, board: Board) -> Result:
    """The result of a plan, with everything that running it has told, and an estimate of what was executed."""
    estimate = estimate_of_run(plan, board, proof.verification.profile)
    found = _measured(result, proof)
    return with_estimate(found, plan, estimate) if estimate else found


def _measured(result: Result, proof: Proof) -> Result:
    outcome, sizes = proof.verification, proof.sizes
    profile = outcome.profile
    differ = {layer.layer: layer.bytes_differ for layer in outcome.layers}
    counts = {layer.layer: profile.layers.get(layer.op) for layer in outcome.layers}
    layers = tuple(
        replace(layer, instructions=counts[layer.name], bytes_differ=differ[layer.name]) for layer in result.layers
    )
    result = replace(
        result,
        compiler=proof.compiler,
        simulator=outcome.simulator,
        bit_exact=outcome.bit_exact,
        inputs_checked=outcome.inputs_checked,
        macs_executed=profile.macs_executed,
        instructions=profile.instructions,
        stack_bytes=profile.stack_bytes,
        layers=layers,
    )
    if sizes is None:
        return result
    ram = None if profile.stack_bytes is None else result.arena_bytes + sizes.static_bytes + profile.stack_bytes
    return replace(result, code_bytes=sizes.code_bytes, flash_bytes=sizes.flash_bytes, ram_bytes=ram)


def proof_lines(proof: Proof, original: Graph, plan: Plan) -> tuple[str, ...]:
    """What was compared and what was not, where, and what differs."""
    return tuple(_lines(proof, original, plan))


def _lines(proof: Proof, original: Graph, plan: Plan) -> Iterator[str]:
    outcome = proof.verification
    count = sum(layer.bytes_checked for layer in outcome.layers)
    yield f"ran on {WORDS[outcome.simulator]}, built by {proof.compiler}"
    yield f"compared {count:,} bytes of {len(outcome.layers)} layers, each when it was computed, and all outputs"
    yield f"counted {number(outcome.profile.macs_executed)} MACs in the calls that were seen"
    if outcome.simulator == "host":
        yield HOST_PROVES
    if outcome.unchecked:
        yield f"not compared (their layout differs): {', '.join(outcome.unchecked)}"
    if gone := folded(original, plan):
        yield f"not compared, as they no longer exist: {', '.join(f'{name} ({into})' for name, into in gone)}"
    for layer in outcome.layers:
        if layer.bytes_differ:
            yield f"{layer.layer}: {layer.bytes_differ:,} bytes differ"
    if outcome.outputs_differ:
        yield f"outputs: {outcome.outputs_differ:,} bytes differ"
    if outcome.state_differs:
        yield f"state: {', '.join(outcome.state_differs)} differs"
    yield from outcome.violations
    if outcome.first:
        yield f"first: {outcome.first}"


def folded(original: Graph, plan: Plan) -> list[tuple[str, str]]:
    """Operators of the file whose result is no tensor of the plan, and what they became part of."""
    layers = {t.name: plan.layer_name(op) for op in plan.ops for t in op.outputs}
    readers = original.consumers()
    gone = [op for op in original.ops if op.outputs and all(t.name not in layers for t in op.outputs)]
    return [(op.label, _into(op.y, layers, readers)) for op in gone]


def _into(tensor: Tensor, layers: Mapping[str, str], readers: Mapping[Tensor, Sequence[Op]]) -> str:
    """The layer that makes the next tensor downstream that still exists."""
    waiting, seen = [tensor], set[Tensor]()
    while waiting:
        here = waiting.pop(0)
        if here.name in layers:
            return f"folded into {layers[here.name]}"
        seen.add(here)
        waiting += [t for op in readers.get(here, ()) for t in op.outputs if t not in seen]
    kept = any(not op.outputs for tensor in seen for op in readers.get(tensor, ()))
    return "kept as state" if kept else "the caller's conversion, or constant"
