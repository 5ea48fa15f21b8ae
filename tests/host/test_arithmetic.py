"""te_requant.h and te_border.h against arith.py and ops/quantize.py: corners, ties and millions of values."""

from __future__ import annotations

import ctypes
from pathlib import Path

import numpy as np
import pytest

from tecompile.arith import Multiplier, rescale
from tecompile.backends.native.packing import BOUND, FAR, safe_multiplier
from tecompile.backends.native.sources import kernel_sources
from tecompile.graph import Array, DType, Quant, Rounding, Tensor
from tecompile.ops.quantize import Quantize

from .build import GCC, compile_c, write_files

HARNESS = """
#include "te_border.h"
#include "te_requant.h"
static int32_t scale_one(int32_t rounding, uint32_t acc, int32_t mantissa, int32_t shift)
{
    switch (rounding) {
    case TE_DOUBLE_RIGHT:
        return te_rescale_right(acc, mantissa, shift, 0);
    case TE_SINGLE:
        return te_rescale_single(acc, mantissa, shift);
    case TE_SINGLE_RIGHT:
        return te_rescale_single_right(acc, mantissa, shift);
    default:
        return te_rescale(acc, mantissa, shift);
    }
}
void scale(int32_t n, const uint32_t *acc, const int32_t *mantissa, const int32_t *shift, int32_t rounding, int32_t *y)
{
    for (int32_t i = 0; i < n; i++) {
        y[i] = scale_one(rounding, acc[i], mantissa[i], shift[i]);
    }
}
void finish(int32_t n, const uint32_t *acc, const int32_t *mantissa, const int32_t *shift, int32_t rounding,
            int32_t zero, int32_t low, int32_t high, int32_t *y)
{
    const te_output_t out = {NULL, zero, low, high, (te_rounding)rounding};
    for (int32_t i = 0; i < n; i++) {
        y[i] = te_finish(&out, acc[i], mantissa[i], shift[i]);
    }
}
void from_real(int32_t n, const uint32_t *x, uint32_t scale, int32_t *y)
{
    for (int32_t i = 0; i < n; i++) {
        y[i] = te_from_real(x[i], scale);
    }
}
"""
MODES = ("TE_DOUBLE", "TE_DOUBLE_RIGHT", "TE_SINGLE", "TE_SINGLE_RIGHT")
COUNT = 300_000


def build(folder: Path, level: str) -> ctypes.CDLL:
    sources = {s.name: s.text for name in ("te_border.h", "te_requant.h") for s in kernel_sources(name)}
    write_files(folder, {**sources, "harness.c": HARNESS})
    # Two steps: linked with -Ofast, a library makes the whole process flush small numbers to zero.
    compile_c(GCC, [level, "-fPIC", "-c", "-o", folder / "harness.o", folder / "harness.c"])
    compile_c(GCC, ["-shared", "-o", folder / "harness.so", folder / "harness.o"])
    return ctypes.CDLL(str(folder / "harness.so"))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return build(tmp_path_factory.mktemp("arithmetic"), "-O2")


def pointer(values: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(values.ctypes.data)


def draw(rng: np.random.Generator, mode: str, count: int) -> tuple[Array, Array, Array]:
    """Accumulators of all sizes, many of them ties; mantissas with the ends; every shift the mode allows."""
    size = rng.integers(0, 30 if mode == "TE_DOUBLE_RIGHT" else 32, count)
    acc = rng.integers(-(1 << 31), 1 << 31, count) >> (31 - size)
    acc[: count // 4] = (acc[: count // 4] >> 12) << 12
    corners = [-(1 << 31), -(1 << 31) + 1, -1, 0, 1, (1 << 31) - 1, 1 << 30, -(1 << 30)]
    acc[:800] = rng.choice(corners if mode != "TE_DOUBLE_RIGHT" else [-(1 << 30), 0, (1 << 30) - 1, -1], 800)
    mantissa = rng.integers(1 << 30, 1 << 31, count)
    mantissa[::5] = rng.choice([0, 1 << 30, (1 << 31) - 1, 3 << 29, 1, 12345], len(mantissa[::5]))
    mantissa[::7] *= -1
    mantissa[:1600:11] = -(1 << 31)
    shift = rng.integers(-31, 0 if mode.endswith("RIGHT") else 32, count)
    return acc, mantissa.astype(np.int32), shift.astype(np.int32)


@pytest.mark.parametrize("mode", MODES)
def test_rescale_is_exact(library: ctypes.CDLL, mode: str) -> None:
    rng = np.random.default_rng(7)
    rounding = Rounding.SINGLE if "SINGLE" in mode else Rounding.DOUBLE
    for _ in range(4):
        acc, mantissa, shift = draw(rng, mode, COUNT)
        raw, got = acc.astype(np.int32), np.empty(COUNT, np.int32)
        library.scale(COUNT, pointer(raw), pointer(mantissa), pointer(shift), MODES.index(mode), pointer(got))
        want = rescale(acc, mantissa.astype(np.int64), shift.astype(np.int64), rounding)
        if rounding is Rounding.SINGLE:
            got, want = (np.clip(v, -(1 << 30), 1 << 30) for v in (got, want))
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("zero", "low", "high"), [(-128, -128, 127), (127, -128, 127), (3, -5, 90), (0, 0, 255)])
def test_finish_is_exact(library: ctypes.CDLL, mode: str, zero: int, low: int, high: int) -> None:
    acc, mantissa, shift = draw(np.random.default_rng(11), mode, COUNT)
    raw, got = acc.astype(np.int32), np.empty(COUNT, np.int32)
    far = (mode == "TE_DOUBLE") & (shift < 0) & ((acc < -BOUND) | (acc >= BOUND) | (acc % 3 == 0))
    marked = np.where(far, shift + FAR, shift).astype(np.int32)
    arrays = (pointer(raw), pointer(mantissa), pointer(marked))
    library.finish(COUNT, *arrays, MODES.index(mode), zero, low, high, pointer(got))
    rounding = Rounding.SINGLE if "SINGLE" in mode else Rounding.DOUBLE
    want = rescale(acc, mantissa.astype(np.int64), shift.astype(np.int64), rounding) + zero
    np.testing.assert_array_equal(got, np.clip(want, low, high))


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("shift", [31, 32, 40, 60])
def test_huge_factors_keep_their_meaning(rounding: Rounding, shift: int) -> None:
    """The packer replaces shifts that C can't execute; clamped to 8 bits nothing changes."""
    acc = np.array([-(1 << 31), -5, -1, 0, 1, 7, (1 << 31) - 1])
    safe = safe_multiplier(Multiplier(3 << 29, shift), rounding)
    assert -31 <= safe.shift <= 31
    if rounding is Rounding.DOUBLE:
        np.testing.assert_array_equal(rescale(acc, safe.mantissa, safe.shift), rescale(acc, 3 << 29, shift))


def floats(rng: np.random.Generator, scale: np.float32) -> Array:
    """Bit patterns of every kind, values near every tie, and what is not a number."""
    random = rng.integers(0, 1 << 32, 200_000, dtype=np.uint32)
    near = ((np.arange(-600, 600)[:, None] / 2) * np.float64(scale)).astype(np.float32).view(np.uint32)
    ties = (near.astype(np.int64) + np.arange(-20, 21)).clip(0, (1 << 32) - 1).astype(np.uint32).reshape(-1)
    usual = (rng.uniform(-400, 400, 200_000) * scale).astype(np.float32).view(np.uint32)
    wide = (rng.integers(-80_000, 80_000, 200_000) / 2 * np.float64(scale)).astype(np.float32).view(np.uint32)
    special = np.array([0, 1 << 31, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFFFFFFF, 1, 0x80000001, 0x7FFFFF], np.uint32)
    return np.concatenate([random, ties, usual, wide, special])


@pytest.mark.parametrize("level", ["-O2", "-Ofast"])
def test_from_real_is_exact(tmp_path: Path, level: str) -> None:
    library, rng = build(tmp_path, level), np.random.default_rng(3)
    for value in (1.0, 0.5, 1 / 255, 0.007843137, 2.0**-20, 3e-39, 1.17e38, *(2.0 ** rng.uniform(-30, 10, 12))):
        scale = np.float32(value)
        with np.errstate(all="ignore"):
            bits = floats(rng, scale)
        got = np.empty(bits.size, np.int32)
        library.from_real(bits.size, pointer(bits), ctypes.c_uint32(int(scale.view(np.uint32))), pointer(got))
        for dtype, zero in ((DType.INT8, -128), (DType.INT8, 0), (DType.INT8, 77), (DType.INT16, 0)):
            x = Tensor("x", bits.shape, DType.FLOAT32)
            y = Tensor("y", bits.shape, dtype, Quant((float(scale),), (zero,)))
            with np.errstate(all="ignore"):
                (want,) = Quantize(0, (x,), (y,), Rounding.DOUBLE).reference([bits.view(np.float32)])
            np.testing.assert_array_equal(np.clip(got + zero, *dtype.bounds).astype(dtype.numpy), want)
