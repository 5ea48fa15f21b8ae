"""Rewrites of the graph, each a pure function in a file of its own."""

from __future__ import annotations

from collections.abc import Callable

from ..graph import Graph
from ..rewriting import validate
from .carry_integers import carry_integers
from .compose_tables import compose_tables
from .decompose import decompose
from .delay_transposes import delay_transposes
from .drop_identities import drop_identities
from .fold_constants import fold_constants
from .fold_padding import fold_padding
from .fuse_activations import fuse_activations
from .fuse_dilation import fuse_dilation
from .fuse_moves import fuse_moves
from .late_reads import late_reads
from .lift_borders import lift_borders
from .recentre import recentre
from .remove_dead import remove_dead
from .slice_state import slice_state

PIPELINE: tuple[Callable[[Graph], Graph], ...] = (
    fold_constants,
    remove_dead,
    fuse_dilation,
    recentre,
    carry_integers,
    decompose,
    delay_transposes,
    fuse_moves,
    drop_identities,
    lift_borders,
    fuse_activations,
    compose_tables,
    drop_identities,
    fold_padding,
    slice_state,
    remove_dead,
    late_reads,
)


def simplify(graph: Graph) -> Graph:
    """All passes in order; the graph is re-validated after each."""
    validate(graph)
    for rewrite in PIPELINE:
        graph = rewrite(graph)
        validate(graph)
    return graph
