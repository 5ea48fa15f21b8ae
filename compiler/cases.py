"""Test cases: inputs as a caller gives them, and every value the planned graph must produce."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .errors import InternalError
from .graph import Array, Graph, State, Tensor
from .interpret import initial_state, interpret, random_inputs, run


@dataclass(frozen=True)
class Case:
    """One inference. `values` holds inputs, intermediates and outputs of the planned graph."""

    inputs: tuple[Array, ...]  # of the planned graph, borders applied
    values: Mapping[Tensor, Array]
    state: Mapping[str, Array] = field(default_factory=dict)  # of the planned graph, as it is left behind


def random_case(original: Graph, planned: Graph, seed: int) -> Case:
    return random_cases(original, planned, 1, seed)[0]


def random_cases(original: Graph, planned: Graph, count: int, seed: int) -> list[Case]:
    """One after the other: each finds the state that the one before has left."""
    states = initial_state(original), initial_state(planned)
    return [make_case(original, planned, random_inputs(original, seed + i), *states) for i in range(count)]


def make_case(
    original: Graph,
    planned: Graph,
    inputs: Sequence[Array],
    original_state: State | None = None,
    planned_state: State | None = None,
) -> Case:
    """Runs both graphs on inputs of the original; they must agree on every output byte. Updates the states."""
    planned_state = initial_state(planned) if planned_state is None else planned_state
    inner = tuple(_cross_input(planned, i, value) for i, value in enumerate(inputs))
    values = interpret(planned, inner, planned_state)
    expected = run(original, inputs, original_state)
    for index, (tensor, wanted) in enumerate(zip(planned.outputs, expected, strict=True)):
        border = planned.output_border(tensor)
        got = values[tensor] if border is None else border.convert(values[tensor])
        if not np.array_equal(got, wanted):
            raise InternalError(f"rewriting the graph changed output {index} ({original.outputs[index].describe()})")
    return Case(inner, values, {name: value.copy() for name, value in planned_state.items()})


def _cross_input(planned: Graph, index: int, value: Array) -> Array:
    border = planned.input_border(planned.inputs[index])
    return value if border is None else border.convert(value)
