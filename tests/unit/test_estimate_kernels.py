"""Estimates of whole networks: from a plan alone, and from what was executed."""

from __future__ import annotations

import pytest

from tecompile.board import Board, load_board
from tecompile.estimate.cores import COSTS
from tecompile.estimate.estimate import estimate_of_plan, estimate_of_run
from tecompile.estimate.kernels import BAND, KERNELS
from tecompile.evidence import gather, random_cases
from tecompile.pipeline import Compilation, Request, compile_model
from tecompile.simulate.prove import Proof
from tecompile.simulate.simulators import why_not
from tecompile.simulate.toolchain import toolchains
from tests.tools.kernel_cycles import BOARDS, FASHION, kernel_cycles, own_models


def compiled(board: Board) -> Compilation:
    return compile_model(FASHION.read_bytes(), FASHION.name, Request(board))


def need(board: Board, simulator: str) -> None:
    if why_not(simulator, board) or next(toolchains(board), None) is None:
        pytest.skip(f"no compiler or no {simulator} for {board.name}")


def proven(compilation: Compilation, simulator: str = "unicorn") -> Proof:
    need(compilation.request.board, simulator)
    (proof,) = gather([compilation], simulator, [random_cases(compilation, 1, 1)])
    return proof


@pytest.mark.parametrize("name", ["stm32h743", "nucleo-f412zg", "qemu-m3", "qemu-m33"])
def test_a_plan_alone_tells_cycles_and_time(name: str) -> None:
    board = load_board(name)
    made = compiled(board)
    found = estimate_of_plan(made.program.plan, board)
    assert found is not None
    assert found.cycles == pytest.approx(sum(found.layers.values()), abs=len(found.layers))
    assert set(found.layers) == set(made.program.plan.ops)
    assert found.ms == found.cycles / board.mhz / 1000
    assert found.band >= BAND


def test_nothing_is_said_of_unknown_cores() -> None:
    board = load_board("host")
    assert estimate_of_plan(compiled(board).program.plan, board) is None


@pytest.mark.sim
@pytest.mark.parametrize("name", ["stm32h743", "nucleo-f412zg", "qemu-m3"])
def test_what_ran_confirms_what_was_planned(name: str) -> None:
    board = load_board(name)
    made = compiled(board)
    proof, plan = proven(made), made.program.plan
    profile = proof.verification.profile
    ran, planned = estimate_of_run(plan, board, profile), estimate_of_plan(plan, board)
    assert ran is not None and planned is not None
    counted = sum(block.instructions * n for blocks in profile.executed.values() for block, n in blocks.items())
    assert counted == profile.instructions
    for op, count in profile.layers.items():
        assert sum(block.instructions * n for block, n in profile.executed[op].items()) == count
    assert ran.band == COSTS[board.core.name].band
    assert planned.cycles == pytest.approx(ran.cycles, rel=0.1)


@pytest.mark.sim
def test_both_simulators_tell_the_same_blocks() -> None:
    """But for where they divide them."""
    board = load_board("qemu-m33")
    made = compiled(board)
    plan, found = made.program.plan, []
    for simulator in ("unicorn", "qemu"):
        profile = proven(made, simulator).verification.profile
        counts = {op: sum(b.instructions * n for b, n in blocks.items()) for op, blocks in profile.executed.items()}
        assert {op: counts[op] for op in profile.layers} == profile.layers
        assert sum(counts.values()) == profile.instructions
        estimate = estimate_of_run(plan, board, profile)
        assert estimate is not None
        found.append(estimate.cycles)
    assert found[0] == pytest.approx(found[1], rel=0.01)


@pytest.mark.sim
@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
def test_kernels_take_what_is_recorded(name: str) -> None:
    """If not, `python -m tests.tools.kernel_cycles` writes the table anew."""
    board, costs = load_board(name), COSTS[load_board(name).core.name]
    need(board, "unicorn")
    found = kernel_cycles(own_models(), board)
    recorded = {kernel: KERNELS[kernel].of(costs) for kernel in found}
    assert recorded == pytest.approx({kernel: one.each for kernel, one in found.items()}, rel=0.04)
