"""Commands that read what users bring, and write what they asked for: run and compare, on good and hostile files."""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tecompile.cli.console import Console
from tecompile.interpret import random_inputs
from tecompile.interpret import run as run_graph
from tecompile.pipeline import load_graph
from tests.operators.recurrent import Kept, variable_net

from .test_cli import MODEL, call, done, read_json, refused


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test runs in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_run_refuses_inputs_that_do_not_fit() -> None:
    np.save("wrong.npy", np.zeros((1, 2), np.int8))
    np.savez("names.npz", other=np.zeros(1))
    Path("text.npy").write_text("no")
    Path("empty.npz").write_bytes(b"")
    assert "was given int8[1, 2]" in refused(2, "run", MODEL, "--input", "wrong.npy")
    assert "has no arr_0" in refused(2, "run", MODEL, "--input", "names.npz")
    for name in ("text.npy", "empty.npz", "missing.npz"):
        assert "can't read" in refused(2, "run", MODEL, "--input", name)


def test_run_refuses_hostile_inputs() -> None:
    with zipfile.ZipFile("member.npz", "w") as archive:
        archive.writestr("arr_0", b"not an array")
    np.savez_compressed("corrupt.npz", np.zeros(1000, np.int8))
    data = bytearray(Path("corrupt.npz").read_bytes())
    data[60:70] = b"\xff" * 10
    Path("corrupt.npz").write_bytes(data)
    np.save("objects.npy", np.array([{}], object), allow_pickle=True)
    Path("pickle.npy").write_bytes(b"\x80\x04junk")
    headers = {
        "huge": "{'descr': '|i1', 'fortran_order': False, 'shape': (1000000000000000,), }",
        "beyond": "{'descr': '|i1', 'fortran_order': False, 'shape': (99999999999999999999999,), }",
        "open": "{'descr': '|i1', 'fortran_order': False, 'shape': (1,",
        "deep": "(" * 3000,
        "type": "{'descr': 5, 'fortran_order': False, 'shape': (1,), }",
        "keys": "{1: 2}",
        "list": "[]",
        "minus": "{'descr': '|i1', 'fortran_order': False, 'shape': (-1,), }",
    }
    for name, header in headers.items():
        text = header.encode()
        Path(f"{name}.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    for name in ("corrupt.npz", "objects.npy", "pickle.npy", *(f"{name}.npy" for name in headers)):
        assert "can't read" in refused(2, "run", MODEL, "--input", name)
    assert "has no arr_0" in refused(2, "run", MODEL, "--input", "member.npz")


def test_run_refuses_its_output_before_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tecompile.cli.reference.run_graph", lambda *_: pytest.fail("computed"))
    assert "neither .npz nor .npy" in refused(2, "run", MODEL, "--output", "y.txt")
    assert "is not a folder" in refused(2, "run", MODEL, "--output", "no/y.npz")


def test_json_has_no_infinities(capsys: pytest.CaptureFixture[str]) -> None:
    Console().json({"values": [float("inf"), -float("inf"), float("nan"), 1.5]})
    data = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert data == {"values": ["inf", "-inf", "nan", 1.5]}


def test_run_equals_the_reference() -> None:
    graph = load_graph(MODEL.read_bytes(), "m")
    inputs = random_inputs(graph, 7)
    (expected,) = run_graph(graph, inputs)
    np.savez("x.npz", *inputs)
    np.savez("named.npz", **{graph.inputs[0].name: inputs[0]})
    np.save("x.npy", inputs[0])
    for source in (("--seed", 7), ("--input", "x.npz"), ("--input", "named.npz"), ("--input", "x.npy")):
        data = read_json("run", MODEL, *source)
        assert data["outputs"][0]["values"] == expected.reshape(-1).tolist()
    done("run", MODEL, "--seed", 7, "--output", "y.npz")
    done("run", MODEL, "--seed", 7, "--output", "y.npy")
    assert np.array_equal(np.load("y.npz")["arr_0"], expected)
    assert np.array_equal(np.load("y.npy"), expected)


def test_compare_saved_results() -> None:
    for optimize in ("balanced", "ram"):
        output = done("plan", MODEL, "--board", "stm32h743", "--optimize", optimize, "--json")
        Path(f"{optimize}.json").write_text(output)
    assert "arena_bytes" in done("compare", "balanced.json", "ram.json", "--tolerance", 100)
    data = json.loads(Path("balanced.json").read_text())
    data["arena_bytes"] += 1000
    Path("worse.json").write_text(json.dumps(data))
    result = call("compare", "balanced.json", "worse.json", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["worse"] == ["arena_bytes"]
    assert "is worse: arena_bytes" in result.stderr
    done("compare", "balanced.json", "worse.json", "--tolerance", 100)
    data["instructions"], data["cycles_estimate"] = 1000, 10**9  # of a run: nothing to compare with a plan's
    Path("run.json").write_text(json.dumps({**data, "arena_bytes": 1}))
    assert json.loads(done("compare", "balanced.json", "run.json", "--json"))["worse"] == []
    data["bit_exact"] = False
    Path("wrong.json").write_text(json.dumps(data))
    assert call("compare", "balanced.json", "wrong.json", "--tolerance", 100).exit_code == 1


def test_compare_tells_files_of_one_name_apart() -> None:
    text = done("plan", MODEL, "--board", "stm32h743", "--json")
    for folder in ("old", "new"):
        Path(folder).mkdir()
        Path(folder, "report.json").write_text(text)
    assert "old/report.json  new/report.json" in done("compare", "old/report.json", "new/report.json")


def test_compare_refuses_what_no_result_can_hold() -> None:
    text = done("plan", MODEL, "--board", "stm32h743", "--json")
    Path("good.json").write_text(text)
    arena = json.loads(text)["arena_bytes"]
    for value in ("true", "NaN", "Infinity", "1e999", "-5", "1" + "0" * 400, '"7200"', "[" * 100_000):
        Path("bad.json").write_text(text.replace(f'"arena_bytes": {arena}', f'"arena_bytes": {value}'))
        assert "bad.json is not" in refused(2, "compare", "good.json", "bad.json")


def test_compare_models() -> None:
    done("compare", MODEL, MODEL, "--board", "host", "--verify", "none")
    assert "no board given" in refused(2, "compare", MODEL, MODEL)


def test_run_goes_through_a_sequence_where_there_is_state() -> None:
    """One more axis in front; without it, and in models without state, an input is one inference."""
    Path("kept.tflite").write_bytes(variable_net([Kept((3,), "int8", 7)]))
    frames = np.arange(12, dtype=np.int8).reshape(4, 3)
    np.save("frames.npy", frames)
    done("run", "kept.tflite", "--input", "frames.npy", "--output", "out.npy")
    np.testing.assert_array_equal(np.load("out.npy"), [[7, 7, 7], *frames[:3]])
    assert "int8[4,3]: 7, 7, 7, 0, 1" in done("run", "kept.tflite", "--input", "frames.npy")
    np.save("one.npy", frames[1])
    assert "int8[3]: 7, 7, 7" in done("run", "kept.tflite", "--input", "one.npy")
    np.save("images.npy", np.zeros((2, 1, 28, 28, 1), np.int8))
    assert "was given int8[2, 1, 28, 28, 1]" in refused(2, "run", MODEL, "--input", "images.npy")


def test_state_is_listed() -> None:
    Path("kept.tflite").write_bytes(variable_net([Kept((3,), "int8", 7)]))
    assert "state   memory int8[3]" in done("inspect", "kept.tflite")
    assert read_json("inspect", "kept.tflite")["state"] == [{"name": "memory", "dtype": "int8", "shape": [3]}]
    assert "3 bytes, kept between runs" in done("compile", "kept.tflite", "--board", "host", "--verify", "none")
    plan = done("plan", "kept.tflite", "--board", "host")
    assert "te_read" in plan
    assert "te_assign" in plan
