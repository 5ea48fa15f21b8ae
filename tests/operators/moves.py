"""What tests of operators that move values share: models with any tensors, and draws of any element type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from tecompile.graph import DType, Quant, Tensor
from tests.host.ops import Draw
from tests.tools.cases import Case, Shape, Source
from tests.tools.random_ops import sources
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op_spec, write_model

TFLM = ("int8", "int16")  # what most of TFLM's kernels move
ZERO_POINTS = {"int8": -7, "uint8": 121, "int16": 0}


def tensor(shape: Shape, dtype: str = "int8", scale: float = 0.5) -> TensorSpec:
    """An activation."""
    if dtype not in ZERO_POINTS:
        return TensorSpec(shape, dtype)
    return TensorSpec(shape, dtype, scale, ZERO_POINTS[dtype])


def table(*values: int, dtype: str = "int32") -> TensorSpec:
    return TensorSpec((len(values),), dtype, data=np.array(values, dtype))


def scalar(value: int) -> TensorSpec:
    return TensorSpec((), "int32", data=np.array(value, np.int32))


def pairs_table(pairs: Sequence[tuple[int, int]]) -> TensorSpec:
    return TensorSpec((len(pairs), 2), "int32", data=np.array(pairs, np.int32).reshape(-1, 2))


def case(
    kind: str,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[Shape],
    options: Mapping[str, OptionValue] | None = None,
    source: Source | None = None,
    like: TensorSpec | None = None,
) -> Case:
    """The outputs are of the type of `like`, or of the first input that is no table."""
    x = like or next(t for t in inputs if t.data is None)
    results = [replace(x, shape=shape, data=None) for shape in outputs]
    spec = single_op_spec(kind, inputs, results, options or {})
    fed = [spec.tensors[i] for i in spec.inputs]
    drawn = tuple((source or Source()).integers(t.shape, t.dtype, salt=i) for i, t in enumerate(fed))
    given = " ".join(f"{t.dtype}{list(t.shape)}{'' if t.data is None else t.data.tolist()}" for t in inputs)
    return Case(kind, write_model(spec), drawn, f"{given} -> {list(outputs)} {dict(options or {})}")


@st.composite
def inputs(
    draw: DrawFn, dtypes: Sequence[str] = TFLM, least: int = 1, most: int = 4, largest: int = 6
) -> tuple[TensorSpec, Source]:
    """An activation of any shape, more often an image than not, and what to feed."""
    shape = draw(st.lists(st.integers(1, largest), min_size=least, max_size=most).map(tuple))
    if most >= 4 and draw(st.booleans()):
        shape = (1, *draw(st.tuples(*[st.integers(1, largest)] * 3)))
    return tensor(shape, draw(st.sampled_from(dtypes))), draw(sources())


def axes_of(shape: Shape) -> SearchStrategy[int]:
    """Any axis, counted from either end."""
    return st.integers(-len(shape), len(shape) - 1)


def moved(draw: Draw, name: str, shape: Shape, dtype: DType | None = None) -> Tensor:
    """For draws of operators: a tensor of any element size."""
    made = draw.tensor(name, shape)
    dtype = dtype or draw.pick(DType.INT8, DType.INT8, DType.INT16, DType.INT32)
    if dtype is DType.INT8:
        return made
    return replace(made, dtype=dtype, quant=Quant((made.scale,), (0,)) if dtype is DType.INT16 else None)


def constant(name: str, values: Sequence[int], *shape: int) -> Tensor:
    data = np.array(values, np.int32).reshape(shape or (len(values),))
    return Tensor(name, data.shape, DType.INT32, None, data)
