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

WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")
GCC = ("gcc",)
ZIG = (sys.executable, "-m", "ziglang", "cc")
POISON = 0xA5


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
        """One inference in a poisoned arena; nothing outside of buffers and scratch may change."""
        arena = _aligned(self.plan.regions[0].nbytes)
        arena[:] = POISON
        model, region = (ctypes.c_void_p * 8)(), _Region(arena.ctypes.data, arena.size)
        assert self.call("init", ctypes.byref(model), ctypes.byref(region), ctypes.c_size_t(1)) == 0
        for index, value in enumerate(inputs):
            ctypes.memmove(self._port("input", model, index), value.tobytes(), value.nbytes)
        assert self.call("run", ctypes.byref(model)) == 0
        self._check_gaps(arena)
        return [self._output(model, i) for i in range(len(self.plan.graph.outputs))]

    def _output(self, model: ctypes.Array[ctypes.c_void_p], index: int) -> Array:
        tensor = self.plan.graph.outputs[index]
        data = ctypes.string_at(self._port("output", model, index), tensor.nbytes)
        return np.frombuffer(data, tensor.dtype.numpy).reshape(tensor.shape)

    def _port(self, kind: str, model: ctypes.Array[ctypes.c_void_p], index: int) -> int:
        function = getattr(self.library, f"{self.name}_{kind}")
        function.restype = ctypes.c_void_p
        address = function(ctypes.byref(model), index)
        assert address is not None
        return int(address)

    def _check_gaps(self, arena: Array) -> None:
        owned = np.zeros(arena.size, np.bool_)
        for place in (*self.plan.buffers.values(), *self.plan.scratch.values()):
            owned[place.offset : place.offset + place.nbytes] = True
        assert (arena[~owned] == POISON).all(), f"{self.name} writes outside its buffers"


class _Region(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


def _aligned(nbytes: int) -> Array:
    raw = np.empty(nbytes + 16, np.uint8)
    start = -raw.ctypes.data % 16
    return raw[start : start + nbytes]


def build_models(
    folder: Path, plans: Sequence[Plan], command: Sequence[str] = GCC, options: Sequence[str] = ("-O1",)
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
    info = np.iinfo(dtype)
    if ends:
        return rng.choice(np.array([info.min, info.max], dtype), shape)
    return rng.integers(info.min, int(info.max) + 1, shape, dtype)
