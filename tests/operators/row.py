"""What the tests need to know of one operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis.strategies import SearchStrategy

from tecompile.graph import Op
from tests.host.ops import Draw
from tests.tools.cases import Case


@dataclass(frozen=True)
class Row:
    """`golden` names the authority: TFLM, or LiteRT's reference kernels for what TFLM refuses."""

    edges: Callable[[], Sequence[Case]]  # deterministic models at the edge of what is possible
    strategy: SearchStrategy[Case]  # random models of it
    draw: Callable[[Draw], Op] | None = None  # a random operator for its kernels; None if simpler ones compute it
    golden: str = "tflm"
    streams: bool = True  # may it be computed row by row?
