"""What a backend is, how several are chained, and how a Plan becomes a Program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import InternalError
from ..graph import Op
from ..planner.plan import Plan
from ..target import Candidate
from .program import Call, KernelSource, Program


class Backend(Protocol):
    """One family of kernels: offers Candidates under its name and lowers those that were chosen."""

    @property
    def name(self) -> str: ...

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        """Ways to compute `op`, best first; empty if this family has none."""
        ...

    def lower(self, op: Op, candidate: Candidate, plan: Plan, function: str) -> Call:
        """Exactly that candidate as a call; `function` prefixes the names of its tables."""
        ...


@dataclass(frozen=True)
class Chain:
    """Several backends as one Target: the candidates of all, those of the first backend first."""

    backends: tuple[Backend, ...]

    def candidates(self, op: Op) -> tuple[Candidate, ...]:
        return tuple(c for backend in self.backends for c in backend.candidates(op))


def lower_program(name: str, plan: Plan, backends: Sequence[Backend]) -> Program:
    """Lower every operator of the plan with the backend whose candidate was chosen."""
    by_name = {backend.name: backend for backend in backends}
    calls = tuple(_lower(op, f"{name}_{plan.layer_name(op)}", plan, by_name) for op in plan.ops)
    return Program(name, plan, calls, unique_sources(s for call in calls for s in call.sources))


def unique_sources(sources: Iterable[KernelSource]) -> tuple[KernelSource, ...]:
    """Each file once, by name; two different texts under one name are a mistake."""
    found: dict[str, KernelSource] = {}
    for source in sources:
        if found.setdefault(source.name, source) != source:
            raise InternalError(f"two kernels are called {source.name}")
    return tuple(found[name] for name in sorted(found))


def _lower(op: Op, function: str, plan: Plan, backends: dict[str, Backend]) -> Call:
    candidate = plan.choices[op]
    if candidate.backend not in backends:
        raise InternalError(f"{op.label} was planned for backend {candidate.backend}, which is not in use")
    return backends[candidate.backend].lower(op, candidate, plan, function)
