"""Generated code against the interpreter, every planned tensor, with all dead memory overwritten at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tecompile.board import load_board
from tecompile.evidence import gather, random_cases
from tecompile.interpret import initial_state, random_inputs, run
from tecompile.pipeline import Request, compile_model
from tecompile.simulate.prove import Proof
from tecompile.simulate.simulators import why_not
from tecompile.simulate.toolchain import toolchains
from tests.models.networks import NETWORKS
from tests.models.test_zoo import FOLDER, Entry, parameters, path_of
from tests.tools.golden import run_tflm_frames

FASHION = Path(__file__).parents[2] / "examples" / "fashion_mnist" / "fashion.tflite"
OWN = {**{name: make() for name, make in NETWORKS.items()}, "fashion": FASHION.read_bytes()}
BOARDS = {"stm32h743": "unicorn", "nucleo-f412zg": "unicorn", **{f"qemu-m{n}": "qemu" for n in (3, 4, 7, 33)}}
SHOWN = (
    "mcunet/mcunet-vww0_10fps_vww",
    "mlperf_tiny/kws_ref_model",
    "mlperf_tiny/pretrainedResnet_quant",
    "mlperf_tiny/ad01_int8",
    "mlperf_tiny/vww_96_int8",
    "tflm/hello_world_int8",
)


def prove(data: bytes, name: str, board: str, method: str, kernels: str = "native", inputs: int = 1) -> Proof:
    compilation = compile_model(data, f"{name}.tflite", Request(load_board(board), kernels=kernels))
    cases = random_cases(compilation, inputs, seed=1)
    (evidence,) = gather([compilation], method, [cases], poison=True)
    return evidence


def assert_exact(evidence: Proof) -> None:
    proof = evidence.verification
    assert proof.first is None, str(proof.first)
    assert proof.violations == ()
    assert proof.unchecked == ()
    assert proof.outputs_differ == 0
    assert proof.state_differs == ()
    assert all(layer.bytes_checked > 0 for layer in proof.layers if layer.op.outputs)
    assert all(layer.bytes_differ == 0 for layer in proof.layers)


def needs(board: str, method: str) -> None:
    """Skip where this machine has no tools for the board."""
    found = load_board(board)
    reason = None if method == "host" else why_not(method, found)
    if reason or not any(toolchains(load_board("host") if method == "host" else found)):
        pytest.skip(reason or f"no compiler for {board}")


def in_turn(common: Sequence[str], others: Sequence[str], names: Iterable[str] = OWN) -> list[Any]:
    """Every network with what is common to all and with one of the others; with the rest of them in long sweeps."""
    found = []
    for number, name in enumerate(names):
        found += [pytest.param(name, value, id=f"{name}-{value}") for value in common]
        for place, value in enumerate(others):
            marks = [] if place == number % len(others) else [pytest.mark.slow]
            found.append(pytest.param(name, value, id=f"{name}-{value}", marks=marks))
    return found


@pytest.mark.parametrize(("name", "kernels"), in_turn([], ["native", "portable"]))
def test_own_networks_on_the_host(name: str, kernels: str) -> None:
    needs("qemu-m7", "host")
    assert_exact(prove(OWN[name], name, "qemu-m7", "host", kernels, inputs=3))


@pytest.mark.sim
@pytest.mark.parametrize(("name", "board"), in_turn(["stm32h743"], [board for board in BOARDS if board != "stm32h743"]))
def test_own_networks_in_simulators(name: str, board: str) -> None:
    needs(board, BOARDS[board])
    evidence = prove(OWN[name], name, board, BOARDS[board])
    assert_exact(evidence)
    stack = evidence.verification.profile.stack_bytes
    assert stack is not None
    assert 0 < stack <= 1024


@pytest.mark.slow
@pytest.mark.parametrize("entry", parameters(ours=True))
def test_real_models_on_the_host(entry: Entry) -> None:
    needs("qemu-m7", "host")
    assert_exact(prove(path_of(entry).read_bytes(), "model", "qemu-m7", "host"))


STREAMING = [p.values[0] for p in parameters(ours=True) if "VAR_HANDLE" in p.values[0]["ops"]]
FRAMES = 20
EVERY = 3  # of those models, which resemble each other


@pytest.mark.parametrize(
    "entry",
    [pytest.param(e, id=e["id"], marks=[pytest.mark.slow] if n % EVERY else []) for n, e in enumerate(STREAMING)],
)
def test_streaming_models_keep_their_state(entry: Entry) -> None:
    """Over consecutive inputs: TFLM, the interpreter, and the C code, which is compared with the planned graph."""
    needs("qemu-m7", "host")
    data = path_of(entry).read_bytes()
    compilation = compile_model(data, "model.tflite", Request(load_board("qemu-m7")))
    frames = [random_inputs(compilation.original, seed) for seed in range(FRAMES)]
    state = initial_state(compilation.original)
    for frame, golden in zip(frames, run_tflm_frames(data, frames), strict=True):
        np.testing.assert_array_equal(run(compilation.original, frame, state)[0], golden[0])
    (evidence,) = gather([compilation], "host", [random_cases(compilation, FRAMES, seed=1)])
    assert_exact(evidence)


def shown() -> list[Any]:
    return [name for name in SHOWN if (FOLDER / "tflite" / f"{name}.tflite").is_file()]


@pytest.mark.sim
@pytest.mark.parametrize(("name", "board"), in_turn([], ["stm32h743", "qemu-m7"], shown()))
def test_real_models_in_simulators(name: str, board: str) -> None:
    needs(board, BOARDS[board])
    assert_exact(prove((FOLDER / "tflite" / f"{name}.tflite").read_bytes(), "model", board, BOARDS[board]))


@pytest.mark.sim
def test_two_models_share_one_firmware_and_one_arena() -> None:
    """The same assembly kernels in both: linked once, but each model counts all that it needs, and nothing else."""
    needs("stm32h743", "unicorn")
    board = load_board("stm32h743")
    both = [compile_model(OWN[name], f"{name}.tflite", Request(board)) for name in ("fashion", "mobile")]
    together = gather(both, "unicorn", [random_cases(c, 2, seed=5) for c in both], poison=True)
    for evidence in together:
        assert_exact(evidence)
    assert together[1].sizes == prove(OWN["mobile"], "mobile", "stm32h743", "unicorn").sizes


@pytest.mark.sim
@pytest.mark.parametrize("name", ["two_heads", pytest.param("fashion", marks=pytest.mark.slow)])
def test_the_second_compiler_gives_the_same_bytes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """zig's clang and lld, where gcc is usually preferred. Unlike gcc it leaves out arguments that nobody reads."""
    needs("stm32h743", "unicorn")
    board = load_board("stm32h743")
    zig = next((t for t in toolchains(board) if t.name.startswith("zig")), None)
    if zig is None:
        pytest.skip("ziglang is not installed")
    monkeypatch.setattr("tecompile.evidence.find_toolchain", lambda _board: zig)
    evidence = prove(OWN[name], name, "stm32h743", "unicorn")
    assert evidence.compiler.startswith("zig")
    assert_exact(evidence)
