"""Commands that build and run: what they report, and what they do where tools are missing or bytes differ."""

import importlib.util
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tecompile import evidence
from tecompile.board import load_board
from tecompile.cases import Case
from tecompile.cli.app import app
from tecompile.evidence import choose_method
from tecompile.pipeline import Compilation
from tecompile.simulate.elf import Elf
from tecompile.simulate.prove import Proof
from tecompile.simulate.toolchain import Files, Toolchain
from tecompile.simulate.verify import Difference

MODEL = Path(__file__).parents[2] / "examples" / "fashion_mnist" / "fashion.tflite"
HERE = {name: choose_method("auto", load_board(name)) for name in ("host", "stm32h743")}
needs_host = pytest.mark.skipif(HERE["host"] is None, reason="no C compiler")
needs_unicorn = pytest.mark.skipif(HERE["stm32h743"] != "unicorn", reason="no cross compiler or no unicorn")


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def read_json(*arguments: object) -> dict[str, Any]:
    result = call(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    data = json.loads(result.stdout)
    assert isinstance(data, dict)
    return data


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def built() -> dict[int, Path]:
    """What was built before, by all that went into it."""
    return {}


@pytest.fixture(autouse=True)
def build_once(
    built: dict[int, Path], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most commands here build the same."""
    really = Toolchain.build_library

    def build_library(toolchain: Toolchain, files: Files, folder: Path, defines: Sequence[str]) -> Path:
        key = hash((toolchain.name, *sorted(files.items()), *defines))
        if key not in built:
            built[key] = really(toolchain, files, tmp_path_factory.mktemp("built"), defines)
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(built[key], folder))

    monkeypatch.setattr(Toolchain, "build_library", build_library)


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither compilers nor simulators."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)


@needs_host
def test_verify_on_the_host() -> None:
    data = read_json("verify", MODEL, "--board", "stm32h743", "--verify", "host", "--inputs", 2)
    assert (data["bit_exact"], data["inputs_checked"], data["simulator"]) == (True, 2, "host")
    assert all(layer["bytes_differ"] == 0 for layer in data["layers"])
    assert data["flash_bytes"] is None
    assert data["macs_executed"] == data["macs"]
    text = call("verify", MODEL, "--board", "host").stdout
    assert "every byte equals the reference" in text
    assert "not the assembly" in text
    assert f"counted {data['macs']:,} MACs in the calls that were seen" in text
    assert "op 0 PAD (folded into L00_conv)" in text


@needs_host
def test_poison_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def gather(
        compilations: Sequence[Compilation], method: str, cases: Sequence[Sequence[Case]], poison: bool
    ) -> list[Proof]:
        asked.append(poison)
        return evidence.gather(compilations, method, cases, poison)

    monkeypatch.setattr("tecompile.cli.proof.gather", gather)
    assert "noise" in call("verify", MODEL, "--board", "host", "--poison").stdout
    read_json("verify", MODEL, "--board", "host")
    assert asked == [True, False]


@needs_host
def test_without_pyelftools_auto_takes_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "elftools" else real(name))
    data = read_json("verify", MODEL, "--board", "stm32h743")
    assert (data["simulator"], data["bit_exact"]) == ("host", True)
    for method in ("unicorn", "qemu"):
        result = call("verify", MODEL, "--board", "qemu-m7", "--verify", method)
        assert result.exit_code == 1
        assert "pyelftools" in result.stderr
        assert "pip install tecompile[sim]" in result.stderr


@pytest.mark.sim
@needs_unicorn
def test_a_layer_that_the_compiler_removed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = Elf.find
    monkeypatch.setattr(Elf, "find", lambda elf, name: None if name == "fashion_L02_dw" else real(elf, name))
    result = call("verify", MODEL, "--board", "stm32h743", "--verify", "unicorn")
    assert result.exit_code == 1
    assert "verification differs: the compiler removed layer fashion_L02_dw" in result.stderr


@pytest.mark.sim
@needs_unicorn
def test_verify_and_bench_on_the_simulated_board() -> None:
    data = read_json("bench", MODEL, "--board", "stm32h743")
    assert (data["bit_exact"], data["simulator"]) == (True, "unicorn")
    assert data["compiler"]
    assert data["macs_executed"] == data["macs"]
    counts = [layer["instructions"] for layer in data["layers"]]
    assert 0.9 * data["instructions"] < sum(counts) <= data["instructions"]
    assert data["flash_bytes"] >= data["weights_bytes"] + data["code_bytes"]
    assert data["ram_bytes"] >= data["arena_bytes"] + data["stack_bytes"]
    assert 0.5 < data["cycles_estimate"] / data["instructions"] < 1
    assert data["ms_estimate"] == data["cycles_estimate"] / 480_000
    assert data["estimate_basis"].startswith("the instructions that were executed")
    assert all(layer["cycles_estimate"] > 0 for layer in data["layers"])
    text = call("bench", MODEL, "--board", "stm32h743").stdout
    assert "per MAC" in text
    assert f"cycles (estimate, +-{data['estimate_band_percent']} %)" in text


@pytest.mark.sim
@needs_unicorn
def test_the_page_shows_what_was_measured() -> None:
    assert call("report", MODEL, "--board", "stm32h743", "-o", "r.html").exit_code == 0
    text = Path("r.html").read_text("utf-8")
    assert "every byte equals the reference" in text
    assert "share of instructions" in text
    assert "cycles (estimate, +-" in text and "it rests on the instructions that were executed" in text


@needs_host
def test_compile_verifies_and_says_so() -> None:
    result = call(MODEL, "--board", "host", "-o", "out")
    assert result.exit_code == 0, result.stderr
    assert "every byte equals the reference" in result.stdout
    report = json.loads(Path("out/report.json").read_text())
    assert report["bit_exact"] is True
    assert report["macs_executed"] == report["macs"]


@needs_host
def test_two_models_are_verified_together() -> None:
    second = Path("second.tflite")
    second.write_bytes(MODEL.read_bytes())
    data = read_json(MODEL, second, "--board", "host", "-o", "out")
    assert [m["bit_exact"] for m in data["models"]] == [True, True]


@pytest.mark.usefixtures("no_tools")
def test_without_tools_compile_warns_and_goes_on() -> None:
    result = call(MODEL, "--board", "stm32h743", "-o", "out")
    assert result.exit_code == 0
    warning, hint = result.stderr.splitlines()
    assert warning.startswith("warning: nothing was verified")
    assert hint.startswith("hint: ")
    report = json.loads(Path("out/report.json").read_text())
    assert (report["bit_exact"], report["macs_executed"]) == (None, None)


@pytest.mark.usefixtures("no_tools")
@pytest.mark.parametrize("method", ["host", "unicorn", "qemu"])
def test_a_tool_that_was_asked_for_must_be_there(workplace: Path, method: str) -> None:
    result = call(MODEL, "--board", "qemu-m7", "--verify", method)
    assert result.exit_code == 1
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "hint"]
    assert list(workplace.iterdir()) == []


@needs_host
@pytest.mark.parametrize("command", ["compile", "verify"])
def test_code_that_differs_is_never_written(workplace: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    def differ(
        compilations: Sequence[Compilation], method: str, cases: Sequence[Sequence[Case]], poison: bool
    ) -> list[Proof]:
        return [wrong(found) for found in evidence.gather(compilations, method, cases, poison)]

    def wrong(found: Proof) -> Proof:
        first = Difference(0, "L03_conv", "t40", 2, 1, 0, 5, 6)
        return replace(found, verification=replace(found.verification, first=first, outputs_differ=1))

    monkeypatch.setattr("tecompile.cli.proof.gather", differ)
    result = call(command, MODEL, "--board", "host")
    assert result.exit_code == 1
    error, hint = result.stderr.splitlines()
    assert "L03_conv (t40), row 2, column 1, channel 0: 6 instead of 5" in error
    assert "report" in hint
    assert list(workplace.iterdir()) == []
