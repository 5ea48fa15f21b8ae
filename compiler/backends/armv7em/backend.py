"""The backend of generated assembly, for cores with the DSP extension: which file of this folder lowers what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...graph import Op
from ...ops.conv2d import Conv2D
from ...planner.plan import Plan
from ...target import Candidate
from ...templating import render
from ..native.sources import kernel_sources
from ..program import Call, KernelSource
from . import pointwise
from .function import Routine
from .lowering import Lowering

LOWERINGS: Mapping[type[Op], Sequence[Lowering]] = {
    Conv2D: (pointwise.LOWERING,),
}


class Armv7emBackend:
    """Implements Target and Backend; what it has no kernel for is left to others."""

    name = "armv7em"

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        return tuple(c for lowering in LOWERINGS.get(type(op), ()) for c in lowering.candidates(op))

    def lower(self, op: Op, candidate: Candidate, plan: Plan, function: str) -> Call:
        (lowering,) = (one for one in LOWERINGS[type(op)] if one.kernel == candidate.kernel)
        made = lowering.lower(op, candidate, function)
        header = f"{candidate.kernel}.h"
        return Call(
            op,
            function,
            candidate.kernel,
            (header, *(routine.header for routine in made.routines)),
            made.params,
            made.constants,
            (*kernel_sources(header), *(s for routine in made.routines for s in _sources(routine))),
            made.many_inputs,
        )


def _sources(routine: Routine) -> tuple[KernelSource, ...]:
    return (
        *kernel_sources(routine.twin_header),
        KernelSource(routine.header, render("assembly/routine.h.j2", routine=routine)),
        KernelSource(f"{routine.name}.S", render("assembly/function.S.j2", function=routine.function)),
    )
