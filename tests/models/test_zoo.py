"""Real models, if TECOMPILE_MODELS names a folder of them: every byte of the interpreter against golden outputs.

Nothing is copied into this repository; without the folder everything here is skipped.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tecompile.errors import CannotMeet, InvalidInput, TecompileError
from tecompile.frontend import UnsupportedModel, check_supported, read_model
from tecompile.frontend.records import HANDLE, ONCE
from tecompile.graph import Graph
from tecompile.interpret import random_inputs, run
from tecompile.ops import OPERATORS
from tecompile.passes import simplify

Entry = dict[str, Any]

FOLDER = Path(os.environ.get("TECOMPILE_MODELS", Path(__file__).parents[3] / "shared" / "models"))
INDEX = FOLDER / "index.json"
MANY_MACS = 300e6
SEED = 1  # of the inputs that the golden outputs belong to

REFUSED = {  # though there are golden outputs
    "mlperf_tiny/kws_ref_model_float32",  # hybrid
    "mlonmcu/MNIST_model_quantized",
    "mlonmcu/model_data_pruned",
    "silabs_mltk/keyword_spotting_heygecko.float32",
    "misc/expressions",  # float
    "mlonmcu_unit_ops/model_with_multiple_outputs",
    "mlonmcu_unit_ops/model_with_multiple_scratch_buffers",
    "tflm/audio_preprocessor_float",  # signal processing by custom operators
    "tflm/audio_preprocessor_int8",
    "mlonmcu_unit_ops/model_with_detection_postprocess_static",  # computes in float
    "mlonmcu_unit_ops/model_with_reverse_sequence",  # no int8 form
}

pytestmark = pytest.mark.skipif(not INDEX.is_file(), reason=f"no models: {INDEX} is not there")


def entries() -> list[Entry]:
    found: list[Entry] = json.loads(INDEX.read_text()) if INDEX.is_file() else []
    return [entry for entry in found if path_of(entry).is_file()]


def path_of(entry: Entry) -> Path:
    return FOLDER / "tflite" / f"{entry['id']}.tflite"


def golden_of(entry: Entry) -> Path:
    return FOLDER / "golden" / f"{entry['id']}.npz"


def is_ours(entry: Entry) -> bool:
    """With an answer to compare with."""
    return entry["id"] not in REFUSED and golden_of(entry).is_file()


def is_possible(entry: Entry) -> bool:
    """Too large for an answer of TFLM or LiteRT in reasonable time, but of a kind that compiles."""
    return entry["kind"] == "uint8_legacy"


def parameters(ours: bool) -> list[Any]:
    chosen = [entry for entry in entries() if is_ours(entry) == ours and (ours or not is_possible(entry))]
    slow = {True: [pytest.mark.slow], False: []}
    return [pytest.param(e, id=e["id"], marks=slow[(e["macs"] or 0) > MANY_MACS]) for e in chosen]


def load(entry: Entry) -> Graph:
    """The graph as in the file; refused as the command line would."""
    _, graph = read_model(path_of(entry))
    check_supported(simplify(graph))
    return graph


def differing_bytes(graph: Graph, entry: Entry) -> int:
    with np.load(golden_of(entry)) as stored:
        golden = [stored[f"arr_{i}"] for i in range(len(stored.files))]
    ours = run(graph, random_inputs(graph, SEED))
    assert [(a.shape, a.dtype) for a in ours] == [(a.shape, a.dtype) for a in golden]
    views = ((a.reshape(-1).view(np.uint8), b.reshape(-1).view(np.uint8)) for a, b in zip(ours, golden, strict=True))
    return sum(int((a != b).sum()) for a, b in views)


@pytest.mark.parametrize("entry", parameters(ours=True))
def test_equals_golden(entry: Entry) -> None:
    assert differing_bytes(load(entry), entry) == 0


@pytest.mark.parametrize("entry", parameters(ours=False))
def test_everything_else_is_refused_with_a_reason(entry: Entry) -> None:
    with pytest.raises(TecompileError) as caught:
        load(entry)
    error = caught.value
    assert isinstance(error, CannotMeet if entry["kind"] != "malformed" else InvalidInput)
    assert error.hint
    if entry["kind"] in SENTENCES:
        assert SENTENCES[entry["kind"]] in error.message


SENTENCES = {
    "float": "is a float32 model",
    "hybrid": "is a hybrid model",
    "accelerator_compiled": "was compiled for",
}


def test_no_model_we_should_compile_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with_answers = [e for e in entries() if golden_of(e).is_file()]
    ours = [e for e in with_answers if is_ours(e)]
    with capsys.disabled():
        print(f"\n{len(ours)} of {len(with_answers)} models compared")
    assert len(ours) == len(with_answers) - len(REFUSED)


def test_reasons_name_every_unknown_operator() -> None:
    for entry in entries():
        unknown = set(entry["ops"] or ()) - {*OPERATORS, HANDLE, ONCE}
        if entry["kind"] == "int8" and unknown:
            with pytest.raises(UnsupportedModel) as caught:
                load(entry)
            assert all(kind.removeprefix("CUSTOM:") in caught.value.message for kind in unknown)
