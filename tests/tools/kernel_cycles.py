"""What kernels take of the cores' cycles for each instruction that the planner reckons with: run and recorded.

`python -m tests.tools.kernel_cycles [MODEL.tflite...]` writes the table of compiler/estimate/kernels.py, from the
networks of the tests and from models of your own, with assembly and without.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tecompile.board import Board, load_board
from tecompile.estimate.cores import COSTS
from tecompile.estimate.executed import rule_cycles
from tecompile.estimate.planned import planned_instructions
from tecompile.evidence import gather, random_cases
from tecompile.pipeline import Request, compile_model
from tests.models.networks import NETWORKS

FASHION = Path(__file__).parents[2] / "examples" / "fashion_mnist" / "fashion.tflite"
BOARDS = ("qemu-m4", "qemu-m7")  # one for each kind of rules
LEAST = 2000  # instructions of a kernel, to say anything about it


@dataclass
class Found:
    """All layers that a kernel computed, added up."""

    planned: int = 0
    cycles: int = 0  # by the rules

    @property
    def each(self) -> float:
        return self.cycles / self.planned


def layers(data: bytes, name: str, board: Board, kernels: str) -> Iterator[tuple[str, int, int]]:
    """The kernel of each, planned instructions, cycles by the rules."""
    compiled = compile_model(data, f"{name}.tflite", Request(board, kernels=kernels))
    (proof,) = gather([compiled], "unicorn", [random_cases(compiled, 1, 1)])
    plan, costs = compiled.program.plan, COSTS[board.core.name]
    for op, count in planned_instructions(plan).items():
        executed = proof.verification.profile.executed[op]
        cycles = sum(times * rule_cycles(block, costs) for block, times in executed.items())
        yield plan.choices[op].kernel, count, cycles


def kernel_cycles(models: Mapping[str, bytes], board: Board) -> Mapping[str, Found]:
    found: defaultdict[str, Found] = defaultdict(Found)
    for name, data in models.items():
        for kernels in ("native", "portable"):
            for kernel, planned, cycles in layers(data, name, board, kernels):
                found[kernel].planned += planned
                found[kernel].cycles += cycles
    return {kernel: one for kernel, one in sorted(found.items()) if one.planned > LEAST}


def own_models() -> dict[str, bytes]:
    return {**{name: make() for name, make in NETWORKS.items()}, "fashion": FASHION.read_bytes()}


def main(paths: list[str]) -> None:
    models = own_models() | {Path(path).stem: Path(path).read_bytes() for path in paths}
    single, dual = (kernel_cycles(models, load_board(name)) for name in BOARDS)
    for kernel in single:
        print(f'    "{kernel}": PerInstruction({single[kernel].each:.2f}, {dual[kernel].each:.2f}),')


if __name__ == "__main__":
    main(sys.argv[1:])
