"""The generated C as a library in this process: proves the plan and the C kernels, not the assembly."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..backends.program import Program
from ..graph import Array
from ..planner.plan import Step
from ..templating import render
from .machine import SimulationError
from .session import MARGIN, OnStep, RunCost
from .toolchain import Toolchain

ALIGNMENT = 64


class Region(ctypes.Structure):
    """te_region."""

    _fields_ = (("data", ctypes.c_void_p), ("size", ctypes.c_size_t))


Hook = ctypes.CFUNCTYPE(None, ctypes.c_int32, ctypes.c_int32)


def build_host_library(
    program: Program, model_files: Mapping[str, str | bytes], toolchain: Toolchain, folder: Path
) -> Path:
    """The model and a hook that is called after every operator call."""
    files = {f"model/{path}": content for path, content in model_files.items()}
    files["src/host_trace.c"] = render("simulate/host_trace.c.j2", model=program.name)
    return toolchain.build_library(files, folder, [f"{program.name.upper()}_LAYER_HOOK=te_host_step"])


class _Watcher:
    """Called after every operator call; ctypes would only print what is raised here, so errors are kept."""

    def __init__(self, program: Program, on_step: OnStep) -> None:
        layers = {op: number for number, op in enumerate(program.plan.ops)}
        self._steps = program.plan.steps
        self._layers = [layers[step.op] for step in self._steps]
        self._on_step, self._done = on_step, 0
        self._error: Exception | None = None

    def __call__(self, step: int, layer: int) -> None:
        if self._error is not None:
            return
        try:
            if step != self._done or layer != self._layers[step]:
                raise SimulationError(f"call {step}, layer {layer}, came where the plan has call {self._done}")
            self._done += 1
            self._on_step(step)
        except Exception as error:
            self._error = error

    def finish(self) -> tuple[Step, ...]:
        """All calls that were seen; their arguments do not show here."""
        if self._error is not None:
            raise self._error
        if self._done != len(self._layers):
            raise SimulationError(f"run returned after {self._done} of {len(self._layers)} calls")
        return self._steps[: self._done]


class HostSession:
    """A Session on a library that `build_host_library` made."""

    simulator = "host"

    def __init__(self, program: Program, library: Path) -> None:
        self._program = program
        self._library = ctypes.CDLL(str(library.resolve()))
        self._library.te_host_model_bytes.restype = ctypes.c_size_t
        self._model = (ctypes.c_uint64 * (self._library.te_host_model_bytes() // 8 + 1))()
        sizes = [region.nbytes for region in program.plan.regions] or [0]
        self._memory = [_aligned(nbytes) for nbytes in sizes]
        regions = (Region * len(sizes))(
            *(Region(memory.ctypes.data + MARGIN, size) for memory, size in zip(self._memory, sizes, strict=True))
        )
        self._call("init", regions, ctypes.c_size_t(len(sizes)))

    def read(self, region: int, offset: int, count: int) -> bytes:
        return self._memory[region][MARGIN + offset :][:count].tobytes()

    def write(self, region: int, offset: int, data: bytes) -> None:
        self._memory[region][MARGIN + offset :][: len(data)] = np.frombuffer(data, np.uint8)

    def margins(self, region: int) -> tuple[int, int]:
        return MARGIN, MARGIN

    @property
    def pointer_bytes(self) -> int:
        return ctypes.sizeof(ctypes.c_void_p)

    def read_struct(self, offset: int, count: int) -> bytes:
        return bytes(self._model)[offset : offset + count]

    def run(self, on_step: OnStep) -> RunCost:
        watcher = _Watcher(self._program, on_step)
        callback = Hook(watcher)
        self._library.te_host_watch(callback)
        self._call("run")
        self._library.te_host_watch(Hook())
        return RunCost(calls=watcher.finish())

    def stop_counting(self) -> None:
        """Nothing is counted here."""

    def close(self) -> None:
        """The library stays loaded: there is no safe way to take it out of the process."""

    def _call(self, name: str, *arguments: object) -> None:
        function = getattr(self._library, f"{self._program.name}_{name}")
        status = function(ctypes.byref(self._model), *arguments)
        if status:
            raise SimulationError(f"{self._program.name}_{name} returned {status}")


def _aligned(nbytes: int) -> Array:
    """Room for a region and its margins; the region itself is aligned, as MARGIN is."""
    memory = np.zeros(nbytes + 2 * MARGIN + ALIGNMENT, np.uint8)
    return memory[-memory.ctypes.data % ALIGNMENT :]
