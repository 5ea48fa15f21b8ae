"""Has compiled models proven, and puts what was measured into their results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import CannotMeet, TecompileError
from ..evidence import HOST, choose_method, gather, random_cases
from ..pipeline import Compilation
from ..report.proof import measured, proof_lines
from ..report.result import Result
from ..simulate.prove import Proof
from .console import Console
from .work import planned

POISONED = "noise went wherever nothing was alive; every other byte of the arena and its margins was watched"


@dataclass(frozen=True)
class Wanted:
    """What to run: where, on how many seeded inputs, and whether with noise wherever nothing is alive."""

    method: str
    inputs: int = 1
    seed: int = 1
    poison: bool = False


@dataclass(frozen=True)
class Outcome:
    """A result with all that was measured, and in words what was compared and what differs."""

    result: Result
    lines: tuple[str, ...] = ()
    difference: TecompileError | None = None

    def demanded(self) -> Outcome:
        """For those who can't go on with code that is wrong."""
        if self.difference is not None:
            raise self.difference
        return self


def prove(console: Console, compiled: Compilation, wanted: Wanted) -> Outcome:
    return prove_all(console, [compiled], wanted)[0]


def prove_all(console: Console, compiled: Sequence[Compilation], wanted: Wanted) -> list[Outcome]:
    """Each model in the firmware of all; without a way to run it, what is planned is all that is known."""
    if wanted.method == "none":
        return [Outcome(planned(c)) for c in compiled]
    method = choose_method(wanted.method, compiled[0].request.board)
    if method is None:
        hint = "`tecompile doctor` tells how to get them"
        console.warn("nothing was verified: no compiler and simulator were found", hint)
        return [Outcome(planned(c)) for c in compiled]
    with console.working("computing the reference"):
        cases = [random_cases(c, wanted.inputs, wanted.seed) for c in compiled]
    with console.working(f"building, and running on {method}"):
        found = gather(compiled, method, cases, wanted.poison)
    return [_outcome(c, evidence, wanted.poison) for c, evidence in zip(compiled, found, strict=True)]


def _outcome(compiled: Compilation, evidence: Proof, poison: bool) -> Outcome:
    result = measured(planned(compiled), evidence, compiled.program.plan, compiled.request.board)
    lines = proof_lines(evidence, compiled.original, compiled.program.plan)
    lines = (*lines, POISONED) if poison else lines
    return Outcome(result, lines, None if evidence.verification.bit_exact else _difference(evidence))


def _difference(evidence: Proof) -> CannotMeet:
    """Wrong code is never the user's fault."""
    found = evidence.verification
    what = str(found.first) if found.first else "; ".join(found.violations) or "an output or the state differs"
    other = "" if found.simulator == HOST else "; `--kernels portable` or another compiler may do meanwhile"
    return CannotMeet(
        f"verification differs on {found.simulator} ({evidence.compiler}): {what}",
        f"this is a bug in tecompile or the compiler: please report it with the model{other}",
    )
