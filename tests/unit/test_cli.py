"""The command line as scripts and people meet it: outputs, exit codes, two-line errors, nothing left behind."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tecompile import __version__, cli
from tecompile.board import all_boards
from tecompile.cli.app import app
from tecompile.ops import OPERATORS

from ..tools.tflite_writer import ModelSpec, OpSpec, TensorSpec, write_model

MODEL = Path(__file__).parents[2] / "examples" / "fashion_mnist" / "fashion.tflite"
COMMANDS = ["compile", "inspect", "plan", "run", "verify", "bench", "compare", "report", "boards", "ops", "doctor"]


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def done(*arguments: object) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def read_json(*arguments: object) -> dict[str, Any]:
    data = json.loads(done(*arguments, "--json"))
    assert isinstance(data, dict)
    return data


def refused(code: int, *arguments: object) -> str:
    """Exactly two lines on stderr, nothing on stdout; both lines joined."""
    result = call(*arguments)
    error, hint = result.stderr.splitlines()
    assert error.startswith("error: ")
    assert hint.startswith("hint: ")
    assert len(error) > 10
    assert len(hint) > 10
    assert result.stdout == ""
    assert result.exit_code == code, result.stderr
    return f"{error}\n{hint}"


def activation_model(*kinds: str, dtype: str = "int8") -> bytes:
    """A chain of operators that change nothing but values."""
    scale = None if dtype == "float32" else 0.1
    tensors = tuple(TensorSpec((1, 4), dtype, scale, name=f"t{i}") for i in range(len(kinds) + 1))
    ops = tuple(OpSpec(kind, (i,), (i + 1,)) for i, kind in enumerate(kinds))
    return write_model(ModelSpec(tensors, ops, (0,), (len(kinds),)))


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_lists_every_command_and_only_what_works() -> None:
    for arguments in ((), ("--help",), ("-h",)):
        text = done(*arguments)
        assert all(f"\n  {command} " in text for command in COMMANDS)
        assert "trec" not in text
    text = done("compile", "--help")
    assert "--board" in text
    for later in ("--stream-input", "--no-prune-dead", "--trec", "cmsis-nn", "zephyr"):
        assert later not in text


def test_version() -> None:
    assert done("--version") == f"tecompile {__version__}\n"


def test_boards_by_any_name() -> None:
    everything = read_json("boards")["boards"]
    assert {"stm32h743", "nucleo-f412zg", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "host"} <= {
        b["name"] for b in everything
    }
    (board,) = read_json("boards", "NUCLEO_H743ZI2")["boards"]
    assert board["name"] == "stm32h743"
    assert "nucleo-h743zi2" in board["aliases"]
    assert {"name": "AXI", "origin": 0x24000000, "bytes": 512 * 1024} in board["memories"]
    assert "0x24000000" in done("boards", "stm32h743")
    assert "stm32h743" in done("boards")


def test_the_page_of_operators_is_what_the_code_says() -> None:
    """`tecompile ops --markdown > OPERATORS.md` brings it up to date."""
    assert (Path(__file__).parents[2] / "OPERATORS.md").read_text("utf-8") == done("ops", "--markdown")


def test_ops() -> None:
    listed = read_json("ops")["ops"]
    assert [op["name"] for op in listed] == sorted(OPERATORS)
    assert all(op["summary"] for op in listed)
    assert "dilation" in done("ops", "conv-2d")
    assert "native" in read_json("ops", "--board", "host")["backends"]
    assert read_json("ops", "conv-2d")["ops"][0]["types"] == ["int8", "int16", "uint8"]
    assert "did you mean CONV_2D" in refused(2, "ops", "CONV2D")


def test_doctor() -> None:
    tools = {tool["name"]: tool for tool in read_json("doctor")["tools"]}
    assert {"arm-none-eabi-gcc", "ziglang", "unicorn", "qemu-system-arm"} <= set(tools)
    assert all(tool["install"] for tool in tools.values())
    done("doctor")


def test_doctor_without_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "to get the rest:" in done("doctor")


def test_inspect() -> None:
    text = done("inspect", MODEL)
    assert "686,370 MACs" in text
    data = read_json("inspect", MODEL)
    assert data["unsupported"] == []
    assert data["macs"] == 686_370 == sum(op["macs"] for op in data["ops"])
    assert data["inputs"][0]["shape"] == [1, 28, 28, 1]


def test_inspect_lists_everything_unsupported_at_once() -> None:
    Path("m.tflite").write_bytes(activation_model("SIN", "RELU", "COS", "SIN"))
    result = call("inspect", "m.tflite", "--json")
    assert result.exit_code == 1
    data = json.loads(result.stdout)
    assert [op["kind"] for op in data["ops"]] == ["SIN", "RELU", "COS", "SIN"]
    assert {b["op"] for b in data["unsupported"]} == {"op 0 SIN", "op 2 COS", "op 3 SIN"}
    assert all(b["why"] for b in data["unsupported"])
    text = call("inspect", "m.tflite")
    assert text.exit_code == 1
    assert len(text.stderr.splitlines()) == 2
    assert "SIN" in text.stderr
    assert "COS" in text.stderr
    message = refused(1, "m.tflite", "--board", "host")
    assert "SIN" in message
    assert "COS" in message


def test_plan() -> None:
    text = done("plan", MODEL, "--board", "stm32h743")
    for word in ("stage", "offset", "pinned by", "would help", "L00_conv"):
        assert word in text
    data = read_json("plan", MODEL, "--board", "stm32h743")
    assert data["plan"]["peak"] >= data["plan"]["lower_bound"] > 0
    assert data["bit_exact"] is None
    assert len(data["live_bytes"]) == data["plan"]["stages"]
    assert data["buffers"][0].keys() >= {"buffer", "offset", "bytes", "first_stage", "last_stage"}
    assert "scratch" in done("plan", MODEL, "--board", "stm32h743", "-v")


def test_an_options_value_is_no_command() -> None:
    for arguments in (("--name", "report", MODEL), ("--name", "plan", "-o", "verify", MODEL), ("--json", MODEL)):
        done(*arguments, "--board", "host", "--verify", "none", "--force")
    assert Path("verify/model/plan.c").is_file()


def test_boards_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tecompile.cli.lists.terminal_width", lambda: 40)
    lines = done("boards").splitlines()
    assert max(map(len, lines)) <= 40
    for board in all_boards():
        (line,) = (line for line in lines if line.startswith(f"{board.name} "))
        assert board.core.name in line
        assert board.is_host or "KiB" in line
    assert "…" not in "".join(lines)


def test_compile_is_the_default_command() -> None:
    text = done(MODEL, "--board", "nucleo-h743zi2", "--verify", "none")
    assert "not verified" in text
    folder = Path("fashion-stm32h743")
    assert (folder / "CMakeLists.txt").is_file()
    assert json.loads((folder / "report.json").read_text())["board"] == "stm32h743"
    assert done("compile", "--board", "stm32h743", "--verify", "none", MODEL, "-q") == ""


def test_compile_twice_gives_the_same_bytes() -> None:
    for name in ("a", "b"):
        done(MODEL, "--board", "stm32h743", "--verify", "none", "-o", name)
    a, b = ({p.relative_to(n): p.read_bytes() for p in sorted(Path(n).rglob("*")) if p.is_file()} for n in ("a", "b"))
    assert a == b


def test_compile_prints_one_json_object() -> None:
    data = read_json(MODEL, "--board", "host", "--verify", "none", "-o", "out")
    assert data["output"] == "out"
    assert data["bit_exact"] is None
    assert {"tecompile", "model_sha256", "arena_bytes", "plan", "layers"} <= set(data)
    assert all((Path("out") / name).is_file() for name in data["files"])


def test_several_project_kinds_lie_side_by_side() -> None:
    done(MODEL, "--board", "stm32h743", "--verify", "none", "--project", "make", "--project", "sources", "-o", "two")
    assert {p.name for p in Path("two").iterdir()} == {"make", "sources", "report.json"}
    done(MODEL, "--board", "stm32h743", "--verify", "none", "--project", "all", "-o", "all")
    assert {p.name for p in Path("all").iterdir()} == {"cmake", "make", "sources", "report.json"}
    told = done(MODEL, "--board", "stm32h743", "--verify", "none", "--project", "all", "-o", "all").splitlines()[-1]
    for kind in ("cmake", "make", "sources"):
        assert str(Path("all", kind, "README.md")) in told
    assert str(Path("all", "README.md")) not in told


def test_two_models_share_a_project() -> None:
    Path("other.tflite").write_bytes(activation_model("RELU"))
    data = read_json(MODEL, "other.tflite", "--board", "host", "--verify", "none", "-o", "out")
    assert [m["model"] for m in data["models"]] == ["fashion.tflite", "other.tflite"]
    names = {p.name for p in Path("out").rglob("*.h")}
    assert {"fashion.h", "other.h"} <= names
    assert "--name was given" in refused(2, MODEL, "other.tflite", "--board", "host", "--name", "x")
    assert "fashion.tflite was given more than once" in refused(2, MODEL, MODEL, "--board", "host", "-o", "again")
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "m.tflite").write_bytes(activation_model("RELU"))
    assert "two models are called m" in refused(2, "a/m.tflite", "b/m.tflite", "--board", "host")
    Path("fashion_selftest.tflite").write_bytes(activation_model("RELU"))
    assert "can't share a firmware" in refused(2, MODEL, "fashion_selftest.tflite", "--board", "host")


def test_an_edited_main_survives() -> None:
    done(MODEL, "--board", "stm32h743", "--verify", "none", "-o", "out")
    main = Path("out/src/main.c")
    main.write_text("mine")
    result = call(MODEL, "--board", "stm32h743", "--verify", "none", "-o", "out", "--optimize", "ram")
    assert result.exit_code == 0
    assert "kept" in result.stderr
    assert main.read_text() == "mine"
    done(MODEL, "--board", "stm32h743", "--verify", "none", "-o", "out", "--force")
    assert main.read_text() != "mine"


def test_config_gives_defaults_and_flags_win() -> None:
    Path("c.toml").write_text(
        'board = "stm32h743"\noptimize = "ram"\nverify = "none"\nproject = "make"\noutput = "o"\n'
    )
    data = read_json(MODEL, "--config", "c.toml")
    assert (data["board"], data["optimize"], data["output"]) == ("stm32h743", "ram", "o")
    assert Path("o/Makefile").is_file()
    data = read_json("plan", MODEL, "--config", "c.toml", "--optimize", "speed")
    assert (data["board"], data["optimize"]) == ("stm32h743", "speed")
    Path("c.toml").write_text('bord = "host"\n')
    assert "did you mean board?" in refused(2, MODEL, "--config", "c.toml")
    for line in ("output = 5", "ram = 1.5", "ram = true", "inputs = true", "seed = true", "name = 1", "json = 1"):
        Path("c.toml").write_text(line)
        assert f"'{line.split()[0]}' is" in refused(2, MODEL, "--board", "host", "--config", "c.toml")
    Path("c.toml").write_text('output = "y.npz"\n')
    done("run", MODEL, "--config", "c.toml")
    assert Path("y.npz").is_file()
    Path("c.toml").write_text('board = "host"\noptimize = "fast"\n')
    assert "fast" in refused(2, MODEL, "--config", "c.toml")


def test_report() -> None:
    done("report", MODEL, "--board", "stm32h743", "--verify", "none", "-o", "r.html")
    assert Path("r.html").read_text("utf-8").startswith("<!doctype html>")
    assert [p.name for p in Path().iterdir()] == ["r.html"]
    assert "is a folder" in refused(2, "report", MODEL, "--board", "host", "--verify", "none", "-o", ".")


BAD_FILES: dict[str, bytes] = {
    "empty": b"",
    "text": b"this is not a model",
    "wrong identifier": MODEL.read_bytes()[:4] + b"NOPE" + MODEL.read_bytes()[8:],
    "head only": MODEL.read_bytes()[:64],
    "truncated": MODEL.read_bytes()[:-1000],
    "zeros": bytes(1000),
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.parametrize("command", ["compile", "inspect", "run"])
def test_a_broken_file_is_invalid(workplace: Path, content: bytes, command: str) -> None:
    Path("m.tflite").write_bytes(content)
    board = ("--board", "host") if command == "compile" else ()
    refused(2, command, "m.tflite", *board)
    assert [p.name for p in workplace.iterdir()] == ["m.tflite"]


def test_a_float_model_cannot_be_met() -> None:
    Path("m.tflite").write_bytes(activation_model("RELU", dtype="float32"))
    assert "float" in refused(1, "m.tflite", "--board", "host")


REFUSALS: list[tuple[int, tuple[object, ...], str]] = [
    (2, (MODEL, "--board", "stm32h74"), "did you mean stm32h743"),
    (2, (MODEL, "--board", "zzzzzz"), "unknown board 'zzzzzz'"),
    (2, ("boards", "qemu_m"), "did you mean"),
    (2, (MODEL,), "no board given"),
    (2, ("missing.tflite", "--board", "host"), "can't read missing.tflite"),
    (2, (".", "--board", "host"), "can't read ."),
    (2, ("inspekt", MODEL), "did you mean `tecompile inspect`"),
    (2, ("frobnicate",), "no such command: frobnicate"),
    (2, ("inspect",), "missing argument 'MODEL'"),
    (2, ("inspect", MODEL, "--jsn"), "did you mean --json"),
    (2, ("--frob",), "no such option: --frob"),
    (2, (MODEL, "--board"), "requires an argument"),
    (2, (MODEL, "--board", "host", "--optimize", "sped"), "did you mean speed"),
    (2, (MODEL, "--board", "host", "--ram", "lots"), "'lots' is not a whole number of at least 1"),
    (2, (MODEL, "--board", "host", "--ram", "0"), "'0' is not a whole number of at least 1"),
    (2, ("run", MODEL, "--seed", "-1"), "'-1' is not a whole number of at least 0"),
    (2, ("verify", MODEL, "--board", "host", "--seed", "-1"), "--seed"),
    (2, ("compare", MODEL, MODEL, "--tolerance", "nan"), "'nan' is not a number of at least 0"),
    (2, ("report", MODEL, "--board", "host", "-o", "no/r.html"), "no is not a folder"),
    (2, (MODEL, "--board", "host", "--project", "eclipse"), "--project"),
    (2, (MODEL, "--board", "host", "--name", "+++"), "choose one with --name"),
    (2, (MODEL, "--board", "host", "--config", "no.toml"), "no.toml"),
    (2, ("compare", "no.json", "no.json"), "can't read no.json"),
    (1, (MODEL, "--board", "host", "--ram", "100"), "--ram allows 100"),
    (1, (MODEL, "--board", "host", "--kernels", "cmsis-nn"), "is not available in this version"),
    (1, (MODEL, "--board", "host", "--kernels", "trec"), "is not available in this version"),
    (1, (MODEL, "--board", "host", "--project", "zephyr"), "is not available in this version"),
    (1, (MODEL, "--board", "host", "--stream-input"), "is not available in this version"),
    (1, (MODEL, "--board", "host", "--no-prune-dead"), "is not available in this version"),
    (1, (MODEL, "--board", "host", "--trec", "x.npz"), "is not available in this version"),
]


@pytest.mark.parametrize(("code", "arguments", "words"), REFUSALS, ids=[words for _, _, words in REFUSALS])
def test_refusals(workplace: Path, code: int, arguments: tuple[object, ...], words: str) -> None:
    assert words in refused(code, *arguments)
    assert list(workplace.iterdir()) == []


def test_a_folder_in_the_way_is_refused_before_any_work(workplace: Path) -> None:
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")
    assert "--force" in refused(2, MODEL, "--board", "host", "-o", "out")
    Path("file").write_text("x")
    assert "is a file" in refused(2, MODEL, "--board", "host", "-o", "file")
    assert sorted(p.name for p in workplace.rglob("*")) == ["file", "notes.txt", "out"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_place_that_may_not_be_written() -> None:
    Path("locked").mkdir(mode=0o500)
    refused(1, MODEL, "--board", "host", "--verify", "none", "-o", "locked/out")


def test_our_own_mistakes_are_two_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_data: bytes, _name: str) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr("tecompile.cli.inspect.parse", broken)
    message = refused(1, "inspect", MODEL)
    assert "internal error: ZeroDivisionError: oh" in message
    assert "please report" in message
    assert "Traceback" in call("inspect", MODEL, "-v").stderr


def test_hostile_names_do_not_reach_the_terminal() -> None:
    tensors = (TensorSpec((1, 4), "int8", 0.1, name="a\x1b[31m"), TensorSpec((1, 4), "int8", 0.1, name="b\x07"))
    Path("m.tflite").write_bytes(write_model(ModelSpec(tensors, (OpSpec("RELU", (0,), (1,)),), (0,), (1,))))
    text = done("inspect", "m.tflite") + done("plan", "m.tflite", "--board", "host") + done("run", "m.tflite")
    assert all(c.isprintable() or c == "\n" for c in text)


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "tecompile", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env={**os.environ, **environment}, check=False, timeout=120)


def test_as_a_program_of_its_own() -> None:
    done_ = python("boards", "host", "--json")
    assert done_.returncode == 0
    assert json.loads(done_.stdout)["boards"][0]["name"] == "host"
    failed = python(MODEL, "--board", "nope")
    assert (failed.returncode, failed.stdout) == (2, b"")
    assert len(failed.stderr.splitlines()) == 2


def test_output_that_only_takes_ascii() -> None:
    result = python("plan", MODEL, "--board", "host", PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert result.stdout.decode("ascii")


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f'"{sys.executable}" -m tecompile plan "{MODEL}" --board host -v | head -n 1'
    result = subprocess.run(command, shell=True, capture_output=True, check=False, timeout=120)
    assert b"Traceback" not in result.stderr
    assert b"Exception" not in result.stderr


def test_main_is_the_console_script() -> None:
    assert callable(cli.main)
