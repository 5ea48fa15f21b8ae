"""Pointwise kernels on runs of pixels that begin and end anywhere, in whole tensors and in rings."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.backend import Chain
from tecompile.backends.native import NativeTarget
from tecompile.backends.program import Call
from tecompile.graph import Array, Graph, Tensor
from tecompile.interpret import run
from tecompile.target import Candidate

from .build import GCC, POISON, compile_c, write_files
from .chains import chain, conv
from .plans import plain_plan
from .test_rings import HALF, ring_plans
from .test_rings import check as check_rings

SHAPES = [(4, 2), (12, 6), (8, 8), (6, 3), (3, 1)]  # channels in and out
ROWS, COLUMNS = 6, 7
RUNS = 150
GAP = 2  # pixels between rows, in some tensors
CALL = """
void call(const te_rows *in, const te_rows *out, const te_strip *run, void *scratch);
void call(const te_rows *in, const te_rows *out, const te_strip *run, void *scratch)
{
    te_gemm_pointwise(&op, *in, *out, *run, scratch);
}
"""


class Rows(ctypes.Structure):
    """te_rows."""

    _fields_ = (
        ("base", ctypes.c_void_p),
        *((n, ctypes.c_int32) for n in ("rows", "columns", "pixel_bytes", "row_step", "shift", "ring_bytes", "wraps")),
    )


@dataclass(frozen=True)
class Held:
    """A tensor in memory, in pixels: whole, or in a ring."""

    tensor: Tensor
    row_pixels: int
    shift: int = 0
    ring: int = 0

    @cached_property
    def memory(self) -> Array:
        size = self.ring or ROWS * self.row_pixels
        return np.full((size, self.tensor.pixel_bytes), POISON, np.uint8).view(np.int8)

    def places(self, pixels: Array) -> Array:
        row, column = np.divmod(pixels, COLUMNS)
        place = row * self.row_pixels + column + self.shift
        return place % self.ring if self.ring else place

    @property
    def view(self) -> Rows:
        size, starts = self.tensor.pixel_bytes, self.places(np.arange(ROWS) * COLUMNS)
        wraps = bool(self.ring) and int(starts.max()) + COLUMNS > self.ring
        numbers = [size, self.row_pixels * size, self.shift * size, self.ring * size, wraps]
        return Rows(self.memory.ctypes.data, ROWS, COLUMNS, *numbers)


def library(folder: Path, call: Call) -> ctypes.CDLL:
    (stream,) = call.constants
    words = ", ".join(f"{int(w)}u" for w in stream.values)
    members = ", ".join(f".{name} = {value}" for name, value in call.params.items())
    text = [
        *(f'#include "{header}"' for header in call.headers),
        f"static const uint32_t {stream.name}[] = {{{words}}};",
        f"static const te_gemm_pointwise_t op = {{{members}}};",
        CALL,
    ]
    write_files(folder, {s.name: s.text for s in call.sources if s.name.endswith(".h")} | {"call.c": "\n".join(text)})
    compile_c(GCC, ["-O1", "-shared", "-fPIC", "-o", folder / "call.so", folder / "call.c"])
    return ctypes.CDLL(str(folder / "call.so"))


def holders(tensor: Tensor, pixels: int, rng: np.random.Generator) -> Iterator[Held]:
    """Everywhere that a run of so many pixels may lie."""
    yield Held(tensor, COLUMNS)
    yield Held(tensor, COLUMNS + GAP)
    ring = pixels + int(rng.integers(0, 9))
    yield Held(tensor, COLUMNS, int(rng.integers(0, 99)), ring)
    yield Held(tensor, COLUMNS, 0, (-(-pixels // COLUMNS) + 1) * COLUMNS)  # of whole rows
    yield Held(tensor, COLUMNS + GAP, int(rng.integers(0, 99)), ring + ROWS * GAP)


class Strip(ctypes.Structure):
    """te_strip."""

    _fields_ = tuple((name, ctypes.c_int32) for name in ("first", "last", "from", "to"))


def strip(pixels: Array) -> Strip:
    (first, start), (last, stop) = divmod(int(pixels[0]), COLUMNS), divmod(int(pixels[-1]), COLUMNS)
    return Strip(first, last + 1, start, stop + 1)


def check(call: ctypes.CDLL, candidate: Candidate, graph: Graph, pixels: Array, rng: np.random.Generator) -> None:
    """Of a random image only these pixels are there; nothing but theirs may be written."""
    (op,) = graph.ops
    x = rng.integers(-128, 128, op.x.shape, dtype=np.int8)
    source, target = (rng.choice(np.array(list(holders(t, len(pixels), rng)), object)) for t in (op.x, op.y))
    source.memory[source.places(pixels)] = x.reshape(-1, op.x.image.channels)[pixels]
    wanted = target.memory.copy()
    wanted[target.places(pixels)] = run(graph, [x])[0].reshape(-1, op.y.image.channels)[pixels]
    scratch = np.full(candidate.scratch_bytes + 8, POISON, np.uint8)
    structs = (source.view, target.view, strip(pixels))
    call.call(*map(ctypes.byref, structs), ctypes.c_void_p(scratch.ctypes.data))
    np.testing.assert_array_equal(target.memory, wanted, f"{source} {target} {pixels}")
    assert (scratch[candidate.scratch_bytes :] == POISON).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_runs(shape: tuple[int, int], tmp_path: Path) -> None:
    graph, backend = chain([conv(1, 1, shape[1])], ROWS, COLUMNS, shape[0]), Armv7emBackend()
    (op,) = graph.ops
    candidate = backend.candidates(op)[0]
    assert candidate.run_pixels == 4
    call = library(tmp_path, backend.lower(op, candidate, plain_plan(graph, lambda _: candidate), "f"))
    rng = np.random.default_rng(shape)
    for _ in range(RUNS):
        first, count = rng.integers(0, ROWS * COLUMNS), rng.choice([1, 2, 3, 4, 5, 8, 12, ROWS * COLUMNS])
        check(call, candidate, graph, np.arange(first, min(first + count, ROWS * COLUMNS)), rng)


@pytest.mark.parametrize("channels", [5, 12])
def test_strided_rows_in_rings(channels: int, tmp_path: Path) -> None:
    """Parts of rows and rows that wrap; depths and channels that fill no word and no pair."""
    rng = np.random.default_rng(channels)
    graph = chain([conv(1, 1, channels), conv(1, 2, 7), conv(1, 1, 3), conv(1, 2, channels), conv(1, 1, 1)], 13, 17, 3)
    plans = list(ring_plans(graph, rng, Chain((Armv7emBackend(), NativeTarget())), HALF))
    assert [c.kernel for c in plans[0].choices.values()].count("te_gemm_pointwise") >= 4
    check_rings(plans, tmp_path, rng)
