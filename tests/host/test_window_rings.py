"""Convolutions by generated kernels between rings: blocks that go on across rows, cut lines, parts of rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.armv7em.backend import Armv7emBackend
from tecompile.backends.backend import Chain
from tecompile.backends.native import NativeTarget
from tecompile.graph import Graph
from tecompile.planner.plan import Ring

from .chains import chain, conv, copy
from .test_rings import check, ring_plans, shared

TARGET = Chain((Armv7emBackend(), NativeTarget()))
GRAPHS: dict[str, Callable[[], Graph]] = {
    "wide": lambda: chain([conv(3, 1), conv(3, 2), conv(5, 1, 3), conv(2, 1, 6), copy], 9, 11, 4),
    "narrow": lambda: chain([conv(3, 1), conv(3, 1, 3), conv(2, 1, 6), copy], 11, 3, 5),
}


@shared
@pytest.mark.parametrize("name", GRAPHS)
def test_rings(name: str, some: slice, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    graph = GRAPHS[name]()
    plans = list(ring_plans(graph, rng, TARGET, some))
    kernels = [c.kernel for c in plans[0].choices.values()]
    assert kernels.count("te_conv_gemm") == len(kernels) - 1
    assert any(isinstance(b, Ring) and b.wraps for plan in plans for b in plan.buffers.values())
    check(plans, tmp_path, rng)
