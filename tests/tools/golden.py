"""Golden outputs: what TensorFlow Lite Micro, or else LiteRT's reference kernels, compute.

Models are also fed here that the native libraries were never meant to see, and their answer to some
is a dead process. With `isolated=True` the run happens in a helper process, which may die alone.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import tflite

Array = npt.NDArray[Any]
Frame = Sequence[Array]
Details = Sequence[Mapping[str, Any]]

# Only pages that are used cost anything, so an arena for everything is no slower than a tight one.
_ARENA_BYTES = 1 << 28
_LOG_CHARACTERS = 400


class GoldenUnavailable(Exception):
    """The native library refuses the model, dies of it, or is not installed."""


def run_tflm(model: bytes, inputs: Frame, *, isolated: bool = False) -> list[Array]:
    """Run one inference of TensorFlow Lite Micro."""
    return run_tflm_frames(model, [inputs], isolated=isolated)[0]


def run_tflm_frames(model: bytes, frames: Sequence[Frame], *, isolated: bool = False) -> list[list[Array]]:
    """Run inferences one after another, in one interpreter: variables keep their values."""
    return _run(Tflm, model, frames, isolated)


def run_litert_ref(model: bytes, inputs: Frame, *, isolated: bool = False) -> list[Array]:
    """Run one inference of LiteRT's reference kernels."""
    return run_litert_ref_frames(model, [inputs], isolated=isolated)[0]


def run_litert_ref_frames(model: bytes, frames: Sequence[Frame], *, isolated: bool = False) -> list[list[Array]]:
    """Run inferences of LiteRT's reference kernels one after another, in one interpreter."""
    return _run(LiteRtRef, model, frames, isolated)


def input_details(model: bytes) -> list[dict[str, Any]]:
    """Read name, shape and dtype of the model's inputs, without loading it anywhere."""
    graph = tflite.Model.GetRootAs(model).Subgraphs(0)
    tensors = [graph.Tensors(graph.Inputs(i)) for i in range(graph.InputsLength())]
    return [
        {
            "name": (tensor.Name() or b"").decode(),
            "shape": tuple(tensor.Shape(i) for i in range(tensor.ShapeLength())),
            "dtype": np.dtype(_type_names()[tensor.Type()]),
        }
        for tensor in tensors
    ]


def seeded_inputs(details: Details, seed: int) -> list[Array]:
    """Draw the inputs that the stored golden outputs belong to.

    Takes what any interpreter's `get_input_details` returns, or `input_details` above.
    """
    rng = np.random.default_rng(seed)
    return [_draw(rng, np.dtype(entry["dtype"]), tuple(entry["shape"])) for entry in details]


# Integer types draw from [low, high); what is missing here is drawn as a real number.
_RANGES = {
    "int8": (-128, 128),
    "uint8": (0, 256),
    "int16": (-32768, 32768),
    "int32": (0, 10),
    "int64": (0, 10),
    "bool": (0, 2),
}


def _draw(rng: np.random.Generator, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    if dtype.name not in _RANGES:
        return rng.uniform(-1, 1, shape).astype(dtype)
    low, high = _RANGES[dtype.name]
    return rng.integers(low, high, shape, dtype=dtype)


@cache
def _type_names() -> dict[int, str]:
    return {code: name.lower() for name, code in vars(tflite.TensorType).items() if name.isupper()}


# --- the two libraries (imported late: neither exists for every platform) -------------------------


class _Session(Protocol):
    """A loaded model."""

    def __init__(self, model: bytes) -> None: ...

    def __call__(self, inputs: Frame) -> list[Array]: ...


class Tflm:
    """A model in TensorFlow Lite Micro."""

    def __init__(self, model: bytes) -> None:
        from tflite_micro.python.tflite_micro import runtime

        graph = tflite.Model.GetRootAs(model).Subgraphs(0)
        self._outputs = range(graph.OutputsLength())
        self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=_ARENA_BYTES)

    def __call__(self, inputs: Frame) -> list[Array]:
        for index, value in enumerate(inputs):
            self._interpreter.set_input(value, index)
        self._interpreter.invoke()
        return [self._interpreter.get_output(index) for index in self._outputs]


class LiteRtRef:
    """A model in LiteRT's reference kernels."""

    def __init__(self, model: bytes) -> None:
        from ai_edge_litert import interpreter as litert

        self._interpreter = litert.Interpreter(
            model_content=model,
            experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF,
            num_threads=1,
        )
        self._interpreter.allocate_tensors()

    def __call__(self, inputs: Frame) -> list[Array]:
        for entry, value in zip(self._interpreter.get_input_details(), inputs, strict=True):
            self._interpreter.set_tensor(entry["index"], value)
        self._interpreter.invoke()
        outputs = self._interpreter.get_output_details()
        return [self._interpreter.get_tensor(entry["index"]) for entry in outputs]


# --- running them ---------------------------------------------------------------------------------


def _run(library: type[_Session], model: bytes, frames: Sequence[Frame], isolated: bool) -> list[list[Array]]:
    if not isolated:
        return _run_here(library, model, frames)
    try:
        return _helper().submit(_run_here, library, model, frames).result()
    except BrokenProcessPool as error:
        _helper.cache_clear()
        raise GoldenUnavailable(f"{library.__name__} died of the model") from error


def _run_here(library: type[_Session], model: bytes, frames: Sequence[Frame]) -> list[list[Array]]:
    with _captured_stderr() as log:
        try:
            session = library(model)
        except Exception as error:  # broken files and missing libraries fail in many ways
            raise _unavailable(library, error, log()) from error
        try:
            return [session(frame) for frame in frames]
        except RuntimeError as error:  # a ValueError would be an input of the wrong shape or type
            raise _unavailable(library, error, log()) from error


def _unavailable(library: type[_Session], error: Exception, log: str) -> GoldenUnavailable:
    return GoldenUnavailable(f"{library.__name__}: {error} {log[-_LOG_CHARACTERS:]}".strip())


@cache
def _helper() -> ProcessPoolExecutor:
    """Start the helper process; it serves many runs, as starting one takes half a second."""
    # A forked child would inherit this process's threads' locks.
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


@contextmanager
def _captured_stderr() -> Iterator[Callable[[], str]]:
    """Keep native code from writing to the terminal; yields a way to read what it wrote."""
    with tempfile.TemporaryFile() as log:
        saved = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield lambda: os.pread(log.fileno(), 1 << 20, 0).decode(errors="replace").strip()
        finally:
            os.dup2(saved, 2)
            os.close(saved)
