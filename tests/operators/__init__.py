"""The table of operators: each kind (and type, where it has kernels of its own) is one row, in one file by family.

A key is the operator's name, then the element type if it is not int8: `LEAKY_RELU int16`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from hypothesis.strategies import SearchStrategy

from tecompile.graph import Op
from tests.host.ops import KINDS, Draw
from tests.tools.cases import Case
from tests.tools.golden import run_litert_ref, run_tflm
from tests.tools.random_ops import OPERATOR_STRATEGIES, edge_cases

from . import elementwise, images, layers, movement, sequences
from .row import Row

FAMILIES: Sequence[Mapping[str, Row]] = (elementwise.ROWS, images.ROWS, layers.ROWS, movement.ROWS, sequences.ROWS)
ROWS: Mapping[str, Row] = {key: row for family in FAMILIES for key, row in family.items()}

STRATEGIES: Mapping[str, SearchStrategy[Case]] = OPERATOR_STRATEGIES | {key: row.strategy for key, row in ROWS.items()}
DRAWS: Mapping[str, Callable[[Draw], Op]] = {
    **KINDS,
    **{key: row.draw for key, row in ROWS.items() if row.draw is not None},
}
STREAMING = [
    kind for kind in STRATEGIES if kind not in ("MEAN", "RESHAPE") and (kind not in ROWS or ROWS[kind].streams)
]


@cache
def edges(key: str) -> Sequence[Case]:
    return ROWS[key].edges() if key in ROWS else edge_cases(key)


def golden_runner(key: str) -> Callable[..., list[object]]:
    """What computes the outputs that this row's operator has to give."""
    return run_litert_ref if key in ROWS and ROWS[key].golden == "litert" else run_tflm
