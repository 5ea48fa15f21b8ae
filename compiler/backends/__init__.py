"""Plan to Program: each backend offers kernels to the planner and lowers those it chose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from ..board import Core
from .armv7em.backend import FLASH_PRICES, Armv7emBackend
from .armv7em.cores import order_for
from .backend import Backend, Chain
from .native import NativeTarget


def backend_chain(kernels: str, core: Core) -> Chain:
    """The backends behind `--kernels`, the preferred one first, as far as the core can run them."""
    return backend_chains(kernels, core)[0]


def backend_chains(kernels: str, core: Core) -> tuple[Chain, ...]:
    """The same at rising prices of flash: the first is the fastest, the last takes least flash."""
    return tuple(map(Chain, BACKENDS[kernels](core)))


def _native(core: Core) -> Iterable[tuple[Backend, ...]]:
    if not core.dsp:
        return _portable(core)
    return ((Armv7emBackend(order_for(core), price), NativeTarget()) for price in FLASH_PRICES)


def _portable(_core: Core) -> Iterable[tuple[Backend, ...]]:
    return ((NativeTarget(),),)


BACKENDS: Mapping[str, Callable[[Core], Iterable[tuple[Backend, ...]]]] = {"native": _native, "portable": _portable}
