"""Rewrites of the graph, each a pure function in a file of its own."""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Graph
from ..rewriting import validate
from .decompose import decompose
from .drop_identities import drop_identities
from .fold_constants import fold_constants
from .fold_padding import fold_padding
from .fuse_activations import fuse_activations
from .lift_borders import lift_borders
from .remove_dead import remove_dead

PIPELINE: tuple[Callable[[Graph], Graph], ...] = (
    fold_constants,
    decompose,
    drop_identities,
    lift_borders,
    fuse_activations,
    fold_padding,
    remove_dead,
)


def simplify(graph: Graph) -> Graph:
    """All passes in order; the graph is re-validated after each."""
    validate(graph)
    for rewrite in PIPELINE:
        graph = rewrite(graph)
        validate(graph)
    return graph
