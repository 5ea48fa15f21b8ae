"""Models with state on simulated chips and on this computer: every run finds what the one before has left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from tecompile.board import load_board
from tecompile.cases import random_cases
from tecompile.cli.app import app
from tecompile.pipeline import Compilation, Request, compile_model
from tecompile.simulate.prove import Inputs, Proof, prove_on_host
from tests.operators import edges
from tests.operators.recurrent import Kept, variable_net
from tests.tools.cases import Case

from .firmware import require_compiler, require_simulator

RUNS = 5
KINDS = ("READ_VARIABLE", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM int16")


def largest(kind: str) -> Case:
    return max(edges(kind), key=lambda case: len(case.model))


@pytest.mark.sim
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("board", "method"), [("stm32h743", "unicorn"), ("qemu-m7", "qemu")])
def test_verify_runs_on_with_the_state(kind: str, board: str, method: str, tmp_path: Path) -> None:
    require_simulator(method, board)
    require_compiler(board, "gcc")
    path = tmp_path / "kept.tflite"
    path.write_bytes(largest(kind).model)
    arguments = ["verify", path, "--board", board, "--verify", method, "--inputs", RUNS, "--poison", "--json"]
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert (found["bit_exact"], found["inputs_checked"]) == (True, RUNS)
    assert 0 < found["state_bytes"] < found["ram_bytes"]


def proven(compiled: Compilation, inputs: Inputs) -> Proof:
    shipped = {path.removeprefix("model/"): text for path, text in compiled.model_files.items()}
    return prove_on_host(compiled.program, shipped, inputs, toolchain=require_compiler("host", "gcc"))


def test_wrong_state_is_found() -> None:
    """Of types that follow each other with gaps."""
    kept = [Kept((3,), "int8", 1, "odd"), Kept((2,), "int16", 2, "even"), Kept((1,), "int32", 3, "wide")]
    compiled = compile_model(variable_net(kept), "net.tflite", Request(load_board("host")))
    made = random_cases(compiled.original, compiled.graph, RUNS, seed=1)
    right = [case.state for case in made]
    inputs = Inputs([case.inputs for case in made], [case.values for case in made], right)
    assert proven(compiled, inputs).verification.bit_exact
    for name in ("odd", "even", "wide"):
        wrong = [{**state, name: state[name] + (number == RUNS - 1)} for number, state in enumerate(right)]
        found = proven(compiled, replace(inputs, states=wrong)).verification
        assert found.state_differs == (name,)
        assert not found.bit_exact
