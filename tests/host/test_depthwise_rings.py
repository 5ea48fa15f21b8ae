"""Planes filled from rings and outputs written to rings that wrap at any pixel; here with C twins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.backend import Chain
from tecompile.backends.native import NativeTarget

from .chains import chain, copy, dw
from .test_rings import check, ring_plans, shared

GRAPHS = {
    "in place": chain([copy, dw(3, 1), copy, dw(5, 1), dw(3, 2), copy], 12, 8, 5),
    "groups": chain([copy, dw(3, 1), dw(7, 1), copy], 11, 9, 8),
    "even kernels": chain([copy, dw(4, 1), dw(2, 2), dw(1, 1), copy], 9, 7, 6),
}


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    plans = list(ring_plans(GRAPHS[name], rng, Chain((Armv7emBackend(), NativeTarget())), some))
    kernels = [choice.kernel for choice in plans[0].choices.values()]
    assert kernels.count("te_depthwise_planes") == sum(op.kind == "DEPTHWISE_CONV_2D" for op in GRAPHS[name].ops)
    check(plans, tmp_path, rng)
