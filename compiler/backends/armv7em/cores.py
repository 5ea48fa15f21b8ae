"""Which order of instructions a core is given: the generator's, or one scheduled for two issue slots.

A scheduled function has a name of its own, so that both can be linked into one firmware. It ships only where
the estimate promises enough for the instructions that it adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from fractions import Fraction
from functools import lru_cache, partial

from ...board import Core
from .cycles import OPT, PESS, estimate, executed
from .function import Function
from .lowering import Assembled
from .schedule import least, scheduled, taken_apart

LEAST_GAIN = 1.05  # of estimated cycles
LARGEST_GROWTH = 1.26  # of executed instructions
TAKEN_APART = (Fraction(1), Fraction(3, 4), Fraction(1, 2), Fraction(0))  # of LDRD and LDM, as far as that allows


class Order(Enum):
    """What may ship."""

    GENERATED = ""  # fewest instructions: for cores that issue one at a time
    M7 = "m7"  # this, or the scheduled one where that gains; also the suffix of its name


ORDERS: Mapping[str, Order] = {"cortex-m7": Order.M7}


def order_for(core: Core) -> Order:
    return ORDERS.get(core.name, Order.GENERATED)


@lru_cache(maxsize=1024)
def function_in(order: Order, function: Function) -> Function:
    """What ships of a generated function."""
    if order is Order.GENERATED:
        return function
    apart = (taken_apart(function.lines, part) for part in TAKEN_APART)
    lines = next(lines for lines in apart if executed(lines) <= LARGEST_GROWTH * executed(function.lines))
    orders = scheduled(function.lines), scheduled(lines)
    best = least(orders, partial(estimate, model=OPT), partial(estimate, model=PESS))
    gains = LEAST_GAIN * estimate(best, OPT) < estimate(function.lines, OPT)
    return function.reordered(order.value, best) if gains else function


def assembled_in(order: Order, made: Assembled) -> Assembled:
    """The same with what ships of each routine, whose names the parameters of the kernel mention."""
    routines = tuple(replace(r, function=function_in(order, r.function)) for r in made.routines)
    names = {old.name: new.name for old, new in zip(made.routines, routines, strict=True)}
    params = {key: names.get(value, value) if isinstance(value, str) else value for key, value in made.params.items()}
    return replace(made, params=params, routines=routines)
