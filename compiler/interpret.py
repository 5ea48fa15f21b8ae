"""The meaning of a graph: every tensor's value, computed by the operators' NumPy references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from .errors import InvalidInput
from .graph import Array, Graph, State, Tensor

Values: TypeAlias = dict[Tensor, Array]


def initial_state(graph: Graph) -> State:
    """Variables as they are before the first inference."""
    return {
        v.name: np.zeros(v.shape, v.dtype.numpy) if v.initial is None else v.initial.copy() for v in graph.variables
    }


def interpret(graph: Graph, inputs: Sequence[Array], state: State | None = None) -> Values:
    """All values of one inference; `state` is updated in place."""
    state = initial_state(graph) if state is None else state
    values: Values = {t: t.data for t in graph.tensors if t.data is not None}
    values.update(zip(graph.inputs, checked_inputs(graph, inputs), strict=True))
    for op in graph.ops:
        results = op.evaluate([None if t is None else values[t] for t in op.inputs], state)
        values.update(zip(op.outputs, results, strict=True))
    return values


def run(graph: Graph, inputs: Sequence[Array], state: State | None = None) -> list[Array]:
    """The outputs of one inference."""
    values = interpret(graph, inputs, state)
    return [values[t] for t in graph.outputs]


def checked_inputs(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """The inputs as they are, or one clear error about the first that does not fit."""
    if len(inputs) != len(graph.inputs):
        raise InvalidInput(
            f"{graph.name} has {len(graph.inputs)} inputs, {len(inputs)} were given",
            "`tecompile inspect` lists the inputs with shape and type",
        )
    for tensor, value in zip(graph.inputs, inputs, strict=True):
        if value.shape != tensor.shape or value.dtype != tensor.dtype.numpy:
            raise InvalidInput(
                f"input {tensor.describe()} was given {value.dtype}{list(value.shape)}",
                "`tecompile inspect` lists the inputs with shape and type",
            )
    return list(inputs)


def random_inputs(graph: Graph, seed: int) -> list[Array]:
    """Seeded inputs over the full range of their type, drawn in order from one generator."""
    generator = np.random.default_rng(seed)
    return [_draw(generator, tensor) for tensor in graph.inputs]


def _draw(generator: np.random.Generator, tensor: Tensor) -> Array:
    if tensor.dtype.value == "float32":
        return generator.uniform(-1, 1, tensor.shape).astype(np.float32)
    if tensor.dtype.value == "bool":
        return generator.integers(0, 2, tensor.shape).astype(np.bool_)
    low, high = (0, 9) if tensor.dtype.value in ("int32", "int64") else tensor.dtype.bounds
    return generator.integers(low, high + 1, tensor.shape, dtype=tensor.dtype.numpy)
