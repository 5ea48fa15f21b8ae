"""Offsets by OR-tools' CP-SAT, where it is installed (`pip install tecompile[exact]`): proves what first fit can't."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import CannotMeet
from .allocate import Block, Packing, distances

SECONDS = 20.0  # of deterministic time, so that the same input gives the same bytes


def pack_exactly(blocks: Sequence[Block], known: Packing) -> Packing:
    """The smallest arena there is, or the smallest found in the time given; never larger than `known`."""
    try:
        from ortools.sat.python import cp_model
    except ImportError:
        raise CannotMeet(
            "placing buffers exactly needs OR-tools, which is not installed", "pip install 'tecompile[exact]'"
        ) from None
    model = cp_model.CpModel()
    arena = model.new_int_var(known.lower_bound, known.size, "arena")
    at = [model.new_int_var(0, known.size // b.alignment, f"block{i}") for i, b in enumerate(blocks)]
    offsets = [b.alignment * variable for b, variable in zip(blocks, at, strict=True)]
    for block, offset, variable, hint in zip(blocks, offsets, at, known.offsets, strict=True):
        model.add(offset + block.top <= arena)
        model.add_hint(variable, hint // block.alignment)
    for i, j, below, above in distances(blocks):
        first = model.new_bool_var("")
        model.add(offsets[j] >= offsets[i] + below).only_enforce_if(first)
        model.add(offsets[i] >= offsets[j] + above).only_enforce_if(first.negated())
    model.minimize(arena)
    solver = cp_model.CpSolver()
    solver.parameters.max_deterministic_time = SECONDS
    solver.parameters.num_workers = 1
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return known
    found = tuple(block.alignment * solver.value(variable) for block, variable in zip(blocks, at, strict=True))
    bound = max(known.lower_bound, int(solver.best_objective_bound))
    return Packing(found, int(solver.objective_value), bound)
