"""What the file of one kernel family in this folder provides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol, Self

from ...target import Candidate
from ..native.lowering import Params
from ..program import ConstantArray
from .function import Routine


@dataclass(frozen=True)
class Assembled:
    """What a kernel is given besides its buffers, and the routines that its struct points to."""

    params: Params
    constants: tuple[ConstantArray, ...]
    routines: tuple[Routine, ...]
    many_inputs: bool = False  # as in Call


class Layer(Protocol):
    """An operator as one kernel computes it."""

    @property
    def candidate(self) -> Candidate: ...

    def assembled(self, function: str) -> Assembled: ...


@dataclass(frozen=True)
class Lowering:
    """Ways to compute one kind of operator with kernels/c/`kernel`.h around generated assembly.

    Both functions are given the price of flash: the instructions that an inference must save for each byte.
    """

    kernel: str
    candidates: Callable[[Any, int], tuple[Candidate, ...]]  # best first; empty where the proofs fail
    lower: Callable[[Any, Candidate, str, int], Assembled]

    @classmethod
    def at_any_price(
        cls,
        kernel: str,
        candidates: Callable[[Any], tuple[Candidate, ...]],
        lower: Callable[[Any, Candidate, str], Assembled],
    ) -> Self:
        """Of a family without a choice between speed and flash."""
        return cls(
            kernel,
            lambda op, _price: candidates(op),
            lambda op, chosen, function, _price: lower(op, chosen, function),
        )

    @classmethod
    def of_layers(cls, kernel: str, layers: Callable[[Any, int], Sequence[Layer]]) -> Self:
        """Of a family with a choice, which `spec` names: `layers` are those of an operator, best first."""
        known = lru_cache(maxsize=256)(layers)  # offered first, lowered later

        def candidates(op: Any, flash_price: int) -> tuple[Candidate, ...]:
            return tuple(layer.candidate for layer in known(op, flash_price))

        def lower(op: Any, chosen: Candidate, function: str, flash_price: int) -> Assembled:
            (layer,) = (one for one in known(op, flash_price) if one.candidate.spec == chosen.spec)
            return layer.assembled(function)

        return cls(kernel, candidates, lower)
