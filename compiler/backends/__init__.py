"""Plan to Program: each backend offers kernels to the planner and lowers those it chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..board import Core
from .armv7em.backend import Armv7emBackend
from .armv7em.cores import order_for
from .backend import Backend, Chain
from .native import NativeTarget


def backend_chain(kernels: str, core: Core) -> Chain:
    """The backends behind `--kernels`, the preferred one first, as far as the core can run them."""
    return Chain(tuple(BACKENDS[kernels](core)))


def _native(core: Core) -> Sequence[Backend]:
    return (Armv7emBackend(order_for(core)), NativeTarget()) if core.dsp else (NativeTarget(),)


def _portable(_core: Core) -> Sequence[Backend]:
    return (NativeTarget(),)


BACKENDS: Mapping[str, Callable[[Core], Sequence[Backend]]] = {"native": _native, "portable": _portable}
