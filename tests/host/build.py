"""Compiles generated models for the machine the tests run on, and calls them."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.backend import lower_program
from tecompile.backends.native import NativeTarget
from tecompile.graph import Array, Graph
from tecompile.planner.plan import Plan
from tecompile.render.model import ModelInfo, render_model
from tecompile.simulate.session import state_places

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")
GCC = ("gcc",)
ZIG = (sys.executable, "-m", "ziglang", "cc")
POISON = 0xA5
GUARD = 0x5A5A5A5A5A5A5A5A  # behind a model's struct
POINTER = ctypes.sizeof(ctypes.c_void_p)


def compiler(command: Sequence[str]) -> bool:
    """Is it there?"""
    return shutil.which(command[0]) is not None


def model_files(name: str, plan: Plan, golden: tuple[bytes, ...] = ()) -> dict[str, str]:
    program = lower_program(name, plan, [Armv7emBackend(), NativeTarget()])
    return render_model(program, ModelInfo("test.tflite", "0" * 64, golden))


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")


def compile_c(command: Sequence[str], arguments: Sequence[object]) -> None:
    done = subprocess.run([*command, *WARNINGS, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:5000]


@dataclass(frozen=True)
class Model:
    """One model inside a shared library."""

    library: ctypes.CDLL
    name: str
    plan: Plan

    def call(self, function: str, *arguments: object) -> int:
        return int(getattr(self.library, f"{self.name}_{function}")(*arguments))

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """One inference from the initial state."""
        return Instance(self).run(inputs)


class Instance:
    """A model's struct and a poisoned arena: several may exist of one model."""

    def __init__(self, model: Model) -> None:
        self._model, self._plan = model, model.plan
        self._arena = _aligned(self._plan.regions[0].nbytes)
        variables = self._plan.graph.variables
        kept = list(zip(variables, state_places(self._plan, POINTER), strict=True))
        nbytes = max([POINTER, *(place + variable.nbytes for variable, place in kept)])
        self._struct = (ctypes.c_uint64 * (nbytes // 8 + 3))(*[GUARD] * (nbytes // 8 + 3))
        region = _Region(self._arena.ctypes.data, self._arena.size)
        assert self._call("init", ctypes.byref(region), ctypes.c_size_t(1)) == 0

    def run(self, inputs: Sequence[Array]) -> list[Array]:
        """Nothing outside of buffers, scratch and state may change."""
        self._arena[:] = POISON
        for index, value in enumerate(inputs):
            ctypes.memmove(self._port("input", index), value.tobytes(), value.nbytes)
        assert self._call("run") == 0
        self._check_gaps()
        return [self._output(i) for i in range(len(self._plan.graph.outputs))]

    def reset(self) -> None:
        assert self._call("reset") == 0

    def _call(self, function: str, *arguments: object) -> int:
        return self._model.call(function, ctypes.byref(self._struct), *arguments)

    def _output(self, index: int) -> Array:
        tensor = self._plan.graph.outputs[index]
        data = ctypes.string_at(self._port("output", index), tensor.nbytes)
        return np.frombuffer(data, tensor.dtype.numpy).reshape(tensor.shape)

    def _port(self, kind: str, index: int) -> int:
        function = getattr(self._model.library, f"{self._model.name}_{kind}")
        function.restype = ctypes.c_void_p
        address = function(ctypes.byref(self._struct), index)
        assert address is not None
        return int(address)

    def _check_gaps(self) -> None:
        owned = np.zeros(self._arena.size, np.bool_)
        for place in (*self._plan.buffers.values(), *self._plan.scratch.values()):
            owned[place.offset : place.offset + place.nbytes] = True
        assert (self._arena[~owned] == POISON).all(), f"{self._model.name} writes outside its buffers"
        assert list(self._struct)[-2:] == [GUARD] * 2, f"{self._model.name} writes behind its struct"


class _Region(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


def _aligned(nbytes: int) -> Array:
    raw = np.empty(nbytes + 16, np.uint8)
    start = -raw.ctypes.data % 16
    return raw[start : start + nbytes]


def build_models(
    folder: Path, plans: Sequence[Plan], command: Sequence[str] = GCC, options: Sequence[str] = ("-Og",)
) -> list[Model]:
    """All plans as models m0, m1, ... of one shared library, compiled as one file."""
    names = [f"m{i}" for i in range(len(plans))]
    for name, plan in zip(names, plans, strict=True):
        write_files(folder, model_files(name, plan))
    lines = [f'#include "{name}{part}.c"' for name in names for part in ("", "_weights")]
    (folder / "all.c").write_text("\n".join(lines), "utf-8")
    library = folder / "all.so"
    compile_c(command, [*options, "-shared", "-fPIC", "-o", library, folder / "all.c"])
    loaded = ctypes.CDLL(str(library))
    return [Model(loaded, name, plan) for name, plan in zip(names, plans, strict=True)]


def random_inputs(graph: Graph, rng: np.random.Generator) -> list[Array]:
    """Full range, now and then only the ends of it."""
    ends = rng.integers(0, 4) == 0
    return [_noise(rng, t.shape, t.dtype.numpy, ends) for t in graph.inputs]


def _noise(rng: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[np.generic], ends: bool) -> Array:
    if dtype == np.bool_:
        return rng.integers(0, 2, shape).astype(np.bool_)
    info = np.iinfo(dtype)
    if ends:
        return rng.choice(np.array([info.min, info.max], dtype), shape)
    return rng.integers(info.min, int(info.max) + 1, shape, dtype)
