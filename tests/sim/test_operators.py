"""Every operator on simulated chips: firmwares with many small models, which give the interpreter's bytes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tecompile.board import load_board
from tecompile.evidence import gather, random_cases
from tecompile.graph import Graph
from tecompile.pipeline import Compilation, Request, compile_model
from tecompile.simulate.toolchain import toolchains
from tests.operators import STRATEGIES, edges

from .firmware import require_simulator

TOGETHER = 10  # models in one firmware
KINDS = [kind for kind in sorted(STRATEGIES) if edges(kind)]
BOARDS = {"qemu-m7": "qemu", "stm32h743": "unicorn"}


def work(graph: Graph) -> int:
    return sum(tensor.elements for op in graph.ops for tensor in op.outputs)


def compiled(kind: str, board: str) -> Compilation:
    """The largest of the models at the edge of what the operator allows; of some nothing is left to compute."""
    name = f"m{KINDS.index(kind)}_{kind.lower().replace(' ', '_')}"
    request = Request(load_board(board), name=name)
    models = (compile_model(case.model, f"{name}.tflite", request) for case in edges(kind))
    return max(models, key=lambda model: work(model.graph))


def firmwares() -> list[list[str]]:
    return [KINDS[i : i + TOGETHER] for i in range(0, len(KINDS), TOGETHER)]


@pytest.mark.sim
@pytest.mark.parametrize("kinds", firmwares(), ids=lambda kinds: f"{kinds[0]}...{kinds[-1]}".replace(" ", "_"))
@pytest.mark.parametrize("board", BOARDS)
def test_operators(board: str, kinds: Sequence[str]) -> None:
    require_simulator(BOARDS[board], board)
    if not any(toolchains(load_board(board))):
        pytest.skip(f"no compiler for {board}")
    models = [compiled(kind, board) for kind in kinds]
    cases = [random_cases(model, 1, seed=3) for model in models]
    for model, evidence in zip(models, gather(models, BOARDS[board], cases), strict=True):
        found = evidence.verification
        assert found.first is None, f"{model.source}: {found.first}"
        assert found.outputs_differ == 0
        assert found.unchecked == ()
