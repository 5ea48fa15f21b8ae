"""Every operator on simulated chips: firmwares with many small models, which give the interpreter's bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tecompile.board import load_board
from tecompile.evidence import gather, random_cases
from tecompile.graph import Graph
from tecompile.passes import simplify
from tecompile.pipeline import Compilation, Request, compile_model, load_graph
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
    largest = max(edges(kind), key=lambda case: work(simplify(load_graph(case.model, name))))
    return compile_model(largest.model, f"{name}.tflite", Request(load_board(board), name=name))


def firmwares() -> Iterator[Any]:
    """On every board; always, on one after the other."""
    for number, begin in enumerate(range(0, len(KINDS), TOGETHER)):
        kinds = KINDS[begin : begin + TOGETHER]
        for place, board in enumerate(BOARDS):
            marks = [] if number % len(BOARDS) == place else [pytest.mark.slow]
            yield pytest.param(board, kinds, id=f"{board}-{kinds[0]}...{kinds[-1]}".replace(" ", "_"), marks=marks)


@pytest.mark.sim
@pytest.mark.parametrize(("board", "kinds"), list(firmwares()))
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
