"""Broken files end in one clear error: never in a traceback, a hang, or memory without bound."""

from __future__ import annotations

import math
import os
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import flatbuffers  # type: ignore[import-untyped,unused-ignore]
import numpy as np
import pytest
import tflite  # type: ignore[import-untyped,unused-ignore]

from tecompile.errors import InternalError, InvalidInput, TecompileError
from tecompile.frontend import check_supported, inspect_blockers, outline, parse
from tecompile.frontend.flatbuffer import Table
from tecompile.passes import simplify
from tests.operators import edges
from tests.tools.random_ops import edge_cases
from tests.tools.tflite_writer import ModelSpec, OpSpec, TensorSpec, write_model

MALFORMED = Path(os.environ.get("TECOMPILE_MODELS", Path(__file__).parents[3] / "shared" / "models")) / "malformed"
SECONDS = 2.0  # far more than any file here needs

Change = Callable[[bytearray], object]


def tensor(shape: tuple[int, ...] = (1, 4, 4, 2), name: str = "t") -> TensorSpec:
    return TensorSpec(shape, "int8", 0.5, 3, name=name)


WEIGHTS = TensorSpec((2, 3, 3, 2), "int8", (0.5, 0.25), data=np.ones((2, 3, 3, 2), np.int8), name="w")
BIAS = TensorSpec((2,), "int32", data=np.zeros(2, np.int32), name="b")
CONV = OpSpec("CONV_2D", (0, 1, 2), (3,), {"stride_h": 1, "stride_w": 1, "padding": "SAME"})
RELU = OpSpec("RELU", (3,), (4,))
SPEC = ModelSpec((tensor(name="x"), WEIGHTS, BIAS, tensor(name="y"), tensor(name="z")), (CONV, RELU), (0,), (4,))


def refused(data: bytes) -> str:
    start = time.process_time()
    with pytest.raises(InvalidInput) as caught:
        parse(data, "net")
    assert time.process_time() - start < SECONDS
    assert caught.value.exit_code == 2
    assert caught.value.hint
    assert caught.value.message.startswith("net: ")
    assert caught.value.message.isprintable()
    return caught.value.message


def failure(read: Callable[[bytes], object], data: bytes) -> TecompileError | None:
    try:
        read(data)
    except TecompileError as error:
        return error
    return None


def endures(data: bytes) -> None:
    """Whatever the bytes are: a graph, or an error we meant."""
    start = time.process_time()
    for read in (inspect_blockers, outline, lambda d: check_supported(simplify(parse(d, "net")))):
        error = failure(read, data)
        assert error is None or (error.hint and "\n" not in error.message)
        assert not isinstance(error, InternalError)
    assert time.process_time() - start < SECONDS


# --- not even a TFLite file -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"TFL3", "is not a TFLite model"),
        (b"\0" * 4 + b"TFL3", "the model has no valid list of fields"),
        (b"\xff" * 4 + b"TFL3" + b"\0" * 64, "the model reaches beyond the file's 72 bytes"),
        (write_model(SPEC).replace(b"TFL3", b"TFL2"), "is not a TFLite model"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "is a Keras HDF5 file"),
        (b"PK\x03\x04" + b"\0" * 100, "is a zip archive"),
        (b"<!DOCTYPE html><html>404</html>", "is not a TFLite model"),
    ],
)
def test_not_a_model(data: bytes, message: str) -> None:
    assert message in refused(data)


# --- specifications that make no sense ------------------------------------------------------------


def with_tensor(index: int, **changes: object) -> ModelSpec:
    tensors = list(SPEC.tensors)
    tensors[index] = replace(tensors[index], **changes)  # type: ignore[arg-type]
    return replace(SPEC, tensors=tuple(tensors))


def with_conv(**changes: object) -> ModelSpec:
    return replace(SPEC, ops=(replace(CONV, **changes), RELU))  # type: ignore[arg-type]


def with_options(**changes: int | str) -> ModelSpec:
    return with_conv(options={**CONV.options, **changes})


def several(count: int) -> tuple[float, ...]:
    return (0.5,) * count


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (replace(SPEC, outputs=()), "has no outputs"),
        (replace(SPEC, outputs=(9,)), "a graph output refers to tensor 9 of 5"),
        (replace(SPEC, inputs=(-2,)), "a graph input refers to tensor -2 of 5"),
        (replace(SPEC, inputs=(0, 0)), "the graph's input produces x, which has a value already"),
        (replace(SPEC, inputs=(0, 1)), "the graph's input w is a constant that should be computed"),
        (replace(SPEC, inputs=()), "op 0 CONV_2D reads x before anything has produced it"),
        (replace(SPEC, ops=(CONV,)), "never computes its output z"),
        (replace(SPEC, ops=(RELU, CONV)), "op 0 RELU reads y before anything has produced it"),
        (replace(SPEC, ops=(CONV, CONV, RELU)), "op 1 CONV_2D produces y, which has a value already"),
        (replace(SPEC, ops=(CONV, replace(RELU, outputs=(0,)))), "op 1 RELU produces x, which has a value"),
        (with_conv(inputs=(0, 1, 5)), "op 0 CONV_2D refers to tensor 5 of 5"),
        (with_conv(inputs=(0, -2, 2)), "op 0 CONV_2D refers to tensor -2 of 5"),
        (with_conv(outputs=(1,)), "op 0 CONV_2D w is a constant that should be computed"),
        (with_conv(inputs=(3, 1, 2)), "op 0 CONV_2D reads y before anything has produced it"),
        (with_conv(inputs=(0,)), "op 0 CONV_2D has 1 inputs and 1 outputs"),
        (with_conv(inputs=(0, -1, 2)), "op 0 CONV_2D has 3 inputs and 1 outputs"),
        (with_conv(inputs=(0, 1, 2, 2)), "op 0 CONV_2D has 4 inputs and 1 outputs"),
        (with_options(stride_h=0), "kernel, stride and dilation must be positive"),
        (with_options(dilation_w_factor=-1), "kernel, stride and dilation must be positive"),
        (with_options(stride_w=2), "y is [1,4,4,2] but its inputs give [1,4,2,2]"),
        (with_tensor(0, shape=(1, 0, 4, 2)), "tensor 0 (x) has shape [1, 0, 4, 2]"),
        (with_tensor(0, shape=(-1, 4, 4, 2)), "tensor 0 (x) has shape [-1, 4, 4, 2]"),
        (with_tensor(0, shape=(1, 1 << 16, 1 << 16, 2)), "more than 2^31 values"),
        (with_tensor(0, shape=(1,) * 9), "tensor 0 (x) has 9 dimensions"),
        (with_tensor(0, shape=(4, 4, 2)), "x has rank 3 instead of 4"),
        (with_tensor(0, scale=0.0), "tensor 0 (x) has scale 0.0"),
        (with_tensor(0, scale=-0.5), "tensor 0 (x) has scale -0.5"),
        (with_tensor(0, scale=math.nan), "tensor 0 (x) has scale nan"),
        (with_tensor(1, scale=(0.5, math.inf)), "tensor 1 (w) has scale inf"),
        (with_tensor(0, zero_point=128), "tensor 0 (x) has zero point 128, outside int8"),
        (with_tensor(0, zero_point=-(1 << 40)), "tensor 0 (x) has zero point -1099511627776"),
        (with_tensor(1, axis=4), "tensor 1 (w) is quantised along axis 4 of shape [2, 3, 3, 2]"),
        (with_tensor(1, axis=-1), "tensor 1 (w) is quantised along axis -1"),
        (with_tensor(1, axis=1), "tensor 1 (w) has 2 scales for the 3 values of axis 1"),
        (with_tensor(1, scale=several(3)), "tensor 1 (w) has 3 scales for the 2 values of axis 0"),
        (with_tensor(2, shape=(3,), data=np.zeros(3, np.int32)), "bias b has 3 values for 2 channels"),
    ],
)
def test_contradictions(spec: ModelSpec, message: str) -> None:
    assert message in refused(write_model(spec))


# --- bytes that make no sense ---------------------------------------------------------------------


def at(data: bytearray, *path: int) -> Table:
    """A table: slot and index, again and again, from the root."""
    found = Table.root(bytes(data), "model")
    for slot, index in zip(path[::2], path[1::2], strict=True):
        found = found.children(slot).at(index, "table")
    return found


def put(layout: str, value: float, slot: int, *path: int) -> Change:
    """Overwrite a number that the file states."""
    return lambda data: struct.pack_into(layout, data, at(data, *path).find(slot), value)


def put_element(layout: str, value: float, index: int, slot: int, *path: int) -> Change:
    """Overwrite a number in a vector; index -1 is its length."""

    def change(data: bytearray) -> None:
        found = at(data, *path)
        start, _ = found.vector(found.find(slot), 1)
        struct.pack_into(layout, data, start + index * struct.calcsize(layout), value)

    return change


def put_option(layout: str, value: float, slot: int) -> Change:
    def change(data: bytearray) -> None:
        options = at(data, 2, 0, 3, 0).child(4, "options")
        assert options is not None
        struct.pack_into(layout, data, options.find(slot), value)

    return change


def put_offset_table(value: int, *path: int) -> Change:
    """Overwrite where a table says its list of fields is."""
    return lambda data: struct.pack_into("<i", data, at(data, *path).position, value)


GRAPH, X, W, B, OP = (2, 0), (2, 0, 0, 0), (2, 0, 0, 1), (2, 0, 0, 2), (2, 0, 3, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("<I", 2, 0), "the model has schema version 2 instead of 3"),
        (put_element("<I", 0, -1, 2), "the model has no subgraph"),
        (put_element("<I", 0xFFFFFFFF, -1, 2), "the model reaches beyond the file's"),
        (put("<I", 0x7FFFFFFF, 2), "the model reaches beyond the file's"),
        (put_element("<I", 0x7FFFFFFF, 0, 2), "subgraph 0 reaches beyond the file's"),
        (put_offset_table(0x7FFFFFFF, *GRAPH), "subgraph 0 reaches beyond"),
        (put_offset_table(-0x7FFFFFFF, *GRAPH), "subgraph 0 reaches beyond"),
        (put_offset_table(0, *OP), "op 0 has no valid list of fields"),
        (put("<I", 7, 0, 2, 0, 3, 1), "op 1 has operator code 7 of 2"),
        (put("<I", 7, 2, *W), "tensor 1 (w) has buffer 7 of 3"),
        (put("<I", 2, 2, *W), "tensor 1 (w) holds 8 bytes where its shape and type need 36"),
        (put_element("<I", 0x40000000, -1, 0, *X), "tensor 0 (x) reaches beyond the file's"),
        (put_element("<I", 0x40000000, -1, 3, *X), "tensor 0 reaches beyond the file's"),
        (put_element("<i", 0x7FFFFFFF, 1, 0, *X), "more than 2^31 values"),
        (put("<b", 2, 1, *W), "tensor 1 (w) holds 36 bytes where its shape and type need 144"),
        (put("<B", 5, 3, *OP), "op 0 CONV_2D has Pool2DOptions where CONV_2D has Conv2DOptions"),
        (put("<B", 250, 3, *OP), "op 0 CONV_2D has table 250"),
        (put("<I", 0x7FFFFFF0, 4, *OP), "op 0: options reaches beyond the file's"),
    ],
)
def test_damages(change: Change, message: str) -> None:
    data = bytearray(write_model(SPEC))
    change(data)
    assert message in refused(bytes(data))


def test_an_unknown_padding() -> None:
    data = bytearray(write_model(with_options(padding="VALID")))
    put_option("<b", 9, 0)(data)
    assert "op 0 CONV_2D has padding UNKNOWN_9" in refused(bytes(data))


def test_zero_points_must_match_the_scales() -> None:
    spec = with_tensor(1, zero_point=(0, 0))
    data = bytearray(write_model(spec))
    quantization = at(data, *W).child(4, "quantization")
    assert quantization is not None
    start, count = quantization.vector(quantization.find(2), 4)
    assert count == 2
    struct.pack_into("<I", data, start - 4, 1)  # one scale, two zero points
    assert "has 1 scales but 2 zero points" in refused(bytes(data))


# --- files that mean much work --------------------------------------------------------------------


def repeated(operators: int, inputs: int) -> bytes:
    """One operator table, listed over and over, with a long list of inputs."""
    builder = flatbuffers.Builder(1 << 20)
    numbers = builder.CreateNumpyVector(np.zeros(inputs, np.int32))
    tflite.OperatorStart(builder)
    tflite.OperatorAddInputs(builder, numbers)
    operator = tflite.OperatorEnd(builder)
    shape = builder.CreateNumpyVector(np.ones(1, np.int32))
    tflite.TensorStart(builder)
    tflite.TensorAddShape(builder, shape)
    vectors = [offsets(builder, [tflite.TensorEnd(builder)]), offsets(builder, [operator] * operators)]
    tflite.OperatorCodeStart(builder)
    codes = offsets(builder, [tflite.OperatorCodeEnd(builder)])
    tflite.BufferStart(builder)
    buffers = offsets(builder, [tflite.BufferEnd(builder)])
    tflite.SubGraphStart(builder)
    tflite.SubGraphAddTensors(builder, vectors[0])
    tflite.SubGraphAddOperators(builder, vectors[1])
    graphs = offsets(builder, [tflite.SubGraphEnd(builder)])
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddOperatorCodes(builder, codes)
    tflite.ModelAddSubgraphs(builder, graphs)
    tflite.ModelAddBuffers(builder, buffers)
    builder.Finish(tflite.ModelEnd(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def offsets(builder: flatbuffers.Builder, items: list[int]) -> int:
    builder.StartVector(4, len(items), 4)
    for item in items:
        builder.PrependUOffsetTRelative(item)
    return int(builder.EndVector())


def test_a_small_file_can_not_demand_much_work() -> None:
    """20,000 operators of 20,000 inputs each, in 160 kB."""
    data = repeated(20_000, 20_000)
    assert len(data) < 200_000
    assert "refers to the same bytes over and over" in refused(data)


def test_sharing_in_moderation_is_no_crime() -> None:
    assert "the model has no outputs" in refused(repeated(3, 3))


# --- seeded damage --------------------------------------------------------------------------------

BASES = {kind: edge_cases(kind)[0].model for kind in ("CONV_2D", "MEAN", "ADD", "PAD", "SOFTMAX")}
BASES["network"] = write_model(SPEC)
BASES |= {kind: edges(kind)[1].model for kind in ("READ_VARIABLE", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")}


@pytest.mark.parametrize("name", BASES)
def test_truncated_anywhere(name: str) -> None:
    data = BASES[name]
    for step in range(50):
        refused(data[: len(data) * step // 50])


@pytest.mark.parametrize("name", BASES)
def test_any_byte_changed(name: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        data = bytearray(BASES[name])
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        endures(bytes(data))


@pytest.mark.parametrize("name", BASES)
def test_any_word_changed(name: str) -> None:
    rng = np.random.default_rng(8)
    values = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000]
    for _ in range(300):
        data = bytearray(BASES[name])
        struct.pack_into("<I", data, 4 * int(rng.integers(len(data) // 4)), values[rng.integers(len(values))])
        endures(bytes(data))


@pytest.mark.slow
@pytest.mark.parametrize("name", BASES)
def test_many_changes(name: str) -> None:
    rng = np.random.default_rng(9)
    for _ in range(20_000):
        data = bytearray(BASES[name])
        for position in rng.integers(len(data), size=rng.integers(1, 6)):
            data[position] = rng.integers(256)
        endures(bytes(data))


@pytest.mark.skipif(not MALFORMED.is_dir(), reason=f"{MALFORMED} is not here")
def test_broken_files_found_elsewhere() -> None:
    """Among them shapes whose sizes overflow 32 bits."""
    paths = sorted(MALFORMED.glob("*.tflite"))
    assert paths
    for path in paths:
        endures(path.read_bytes())
