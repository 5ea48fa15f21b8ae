"""Elementwise kernels and sums around generated assembly: rings in place, wrapping at any pixel; with their C twins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.backend import Chain
from tecompile.backends.native import NativeTarget

from .chains import (
    chain,
    conv,
    copy,
    double,
    dw,
    global_mean,
    global_pool,
    max_pool,
    plus_vector,
    pool,
    relu,
    residual,
)
from .plans import strip_candidate
from .test_more_rings import GRAPHS as BROADCASTS
from .test_rings import check, ring_plans, shared

BOTH = Chain((Armv7emBackend(), NativeTarget()))
GRAPHS = {
    "residual": residual(12, 7, 4),
    "elementwise": chain([copy, double, plus_vector, dw(3, 1), double, copy], 8, 5, 6),
    "pools": chain([conv(3, 1), pool(3, 1), max_pool(3, 2), pool(2, 2), copy], 14, 9, 4),
    "large pools": chain([copy, max_pool(5, 1), pool(4, 3), copy], 13, 12, 5),
    "mean": chain([conv(3, 1, 13), global_mean], 8, 5, 2),
    "average": chain([dw(3, 1), relu, global_pool], 7, 6, 9),
    **{name: graph for name, graph in BROADCASTS.items() if name.startswith(("gate", "bias", "attention", "products"))},
}


def test_these_kernels_are_generated() -> None:
    """Or the test below would not see them."""
    choose = strip_candidate(BOTH)
    kernels = {choose(op).kernel for graph in GRAPHS.values() for op in graph.ops}
    assert {"te_pair_words", "te_pair_words_constant", "te_pair_words_image"} <= kernels
    assert {"te_pool_sums", "te_pool_windows"} <= kernels


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    check(list(ring_plans(GRAPHS[name], rng, BOTH, some)), tmp_path, rng)
