"""State in files: variables, the subgraphs that set them up, operators with state of their own, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tecompile.cases import random_cases
from tecompile.errors import InvalidInput
from tecompile.frontend import check_supported, inspect_blockers, parse
from tecompile.frontend.support import UnsupportedModel
from tecompile.graph import Array, Graph, Span
from tecompile.interpret import initial_state, random_inputs, run
from tecompile.ops.strided_slice import StridedSlice
from tecompile.passes import simplify
from tecompile.passes.slice_state import contiguous
from tests.operators import edges
from tests.operators.recurrent import Kept, Sizes, lstm, rolling, sliding, variable_net
from tests.tools.cases import Case
from tests.tools.golden import run_tflm_frames
from tests.tools.tflite_writer import ModelSpec, OpSpec, SubgraphSpec, TensorSpec, single_op, write_model

HANDLE = TensorSpec((), "resource", name="handle")
VALUE = TensorSpec((2,), "int8", 1.0, 7, name="value")
OTHER = TensorSpec((3,), "int8", 1.0, name="other")
NAME = {"shared_name": "sum", "container": ""}


def variable(output: int, **options: str) -> OpSpec:
    return OpSpec("VAR_HANDLE", (), (output,), NAME | options)


def read(handle: int, output: int) -> OpSpec:
    return OpSpec("READ_VARIABLE", (handle,), (output,))


def assign(handle: int, value: int) -> OpSpec:
    return OpSpec("ASSIGN_VARIABLE", (handle, value), ())


def once(subgraph: int = 1) -> OpSpec:
    return OpSpec("CALL_ONCE", (), (), {"init_subgraph_index": subgraph})


def constant(*values: int) -> TensorSpec:
    return TensorSpec((len(values),), "int8", 1.0, 7, data=np.array(values, np.int8))


def setup(*ops: OpSpec, tensors: Sequence[TensorSpec] = (HANDLE, constant(3, 4))) -> SubgraphSpec:
    return SubgraphSpec(tuple(tensors), ops or (variable(0), assign(0, 1)), (), (), "once")


def model(*ops: OpSpec, others: Sequence[SubgraphSpec] = (), tensors: Sequence[TensorSpec] = ()) -> bytes:
    """Tensors: a handle, the input, the output, one more value."""
    return write_model(
        ModelSpec((HANDLE, VALUE, VALUE, VALUE, *tensors), ops, (1,), (2,), others=tuple(others)),
    )


def plain(*ops: OpSpec, **more: Sequence[SubgraphSpec]) -> bytes:
    """The output is what the variable was, which becomes the input."""
    return model(*ops, variable(0), read(0, 2), assign(0, 1), **more)


def frames_of(graph: Graph, count: int = 6) -> list[list[Array]]:
    return [random_inputs(graph, seed) for seed in range(count)]


def assert_equals_tflm(data: bytes) -> None:
    """The file's graph and the simplified one, over several inferences."""
    graph = parse(data, "net")
    simple = simplify(graph)
    check_supported(simple)
    frames = frames_of(graph)
    states = initial_state(graph), initial_state(simple)
    for frame, wanted in zip(frames, run_tflm_frames(data, frames), strict=True):
        for computed in (run(graph, frame, states[0]), run(simple, frame, states[1])):
            for got, want in zip(computed, wanted, strict=True):
                np.testing.assert_array_equal(got, want)


KINDS = ("READ_VARIABLE", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM int16")
CASES = [pytest.param(case.model, id=f"{kind}-{i}") for kind in KINDS for i, case in enumerate(edges(kind))]


@pytest.mark.parametrize("data", CASES)
def test_state_lasts_from_run_to_run(data: bytes) -> None:
    assert_equals_tflm(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(plain(), id="never set up: starts as the zero point"),
        pytest.param(plain(once(), others=[setup()]), id="set up"),
        pytest.param(plain(once(), once(), others=[setup()]), id="set up twice by the same subgraph"),
        pytest.param(
            plain(once(2), once(1), others=[setup(), setup(tensors=(HANDLE, constant(9, 9)))]), id="the last one counts"
        ),
        pytest.param(
            model(variable(0), assign(0, 1), read(0, 2)), id="assigned before it is read: no state at all"
        ),
        pytest.param(
            model(variable(0), read(0, 3), assign(0, 1), read(0, 2), OpSpec("ADD", (3, 2), (4,)), tensors=[VALUE]),
            id="read before and after",
        ),
        pytest.param(
            model(variable(0), variable(4), read(4, 2), assign(0, 1), tensors=[HANDLE]), id="two handles to one"
        ),
        pytest.param(
            model(variable(0), variable(4, shared_name="x"), read(4, 2), read(0, 3), assign(4, 3), assign(0, 1),
                  tensors=[HANDLE]), id="a delay of two runs",
        ),
    ],
)  # fmt: skip
def test_what_files_do_with_variables(data: bytes) -> None:
    assert_equals_tflm(data)


def test_state_is_set_up_by_computing() -> None:
    """The subgraph that runs once may use any operator."""
    tensors = (HANDLE, constant(3, 4), constant(10, 20), constant(0, 0))
    tensors = (*tensors[:3], replace(tensors[3], data=None))
    once_ops = setup(OpSpec("ADD", (1, 2), (3,)), variable(0), assign(0, 3), tensors=tensors)
    data = plain(once(), others=[once_ops])
    (kept,) = parse(data, "net").variables
    assert (kept.name, kept.shape) == ("sum", (2,))
    assert kept.initial is not None
    assert kept.initial.tolist() == [6, 17]
    assert_equals_tflm(data)


def test_variables_keep_apart_by_container_and_name() -> None:
    ops = (variable(0, container="a"), variable(4, container="b"), assign(0, 1), assign(4, 1), read(0, 2), read(4, 3))
    graph = parse(model(*ops, tensors=[HANDLE]), "net")
    assert [v.name for v in graph.variables] == ["sum", "sum_2"]


def test_state_that_nothing_touches_is_not_kept() -> None:
    data = model(variable(0), variable(4, shared_name="x"), assign(0, 1), read(0, 2), read(4, 3), assign(4, 1),
                 tensors=[HANDLE])  # fmt: skip
    assert [v.name for v in simplify(parse(data, "net")).variables] == ["sum", "x"]
    unused = model(variable(0), variable(4, shared_name="x"), assign(0, 1), read(0, 2), tensors=[HANDLE])
    assert [v.name for v in parse(unused, "net").variables] == ["sum"]


def test_state_is_read_right_before_its_use() -> None:
    kept = [Kept((5,), name=f"v{i}") for i in range(3)]
    kinds = [op.kind for op in simplify(parse(variable_net(kept), "net")).ops]
    assert kinds == ["READ_VARIABLE", "ASSIGN_VARIABLE"] * 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (plain(once(7), others=[setup()]), "op 0 CALL_ONCE calls subgraph 7 of 2"),
        (plain(once(-1), others=[setup()]), "op 0 CALL_ONCE calls subgraph -1 of 2"),
        (plain(once(0), others=[setup()]), "calls the graph in which it is itself"),
        (plain(replace(once(), inputs=(1,)), others=[setup()]), "op 0 CALL_ONCE has inputs or outputs"),
        (model(read(0, 2)), "op 0 READ_VARIABLE is not given a handle to a variable"),
        (model(variable(0), read(1, 2)), "op 1 READ_VARIABLE is not given a handle"),
        (model(variable(0), read(0, 2)), "reads variable sum, which nothing ever assigns"),
        (model(variable(0), replace(read(0, 2), outputs=())), "op 1 READ_VARIABLE has 1 inputs and 0 outputs"),
        (model(variable(0), assign(0, 0), read(0, 2)), "op 1 ASSIGN_VARIABLE assigns a handle where a value belongs"),
        (model(variable(0), OpSpec("ADD", (0, 1), (2,))), "op 1 ADD takes handle, a handle to a variable, for a value"),
        (model(variable(0), variable(0), read(0, 2)), "op 1 VAR_HANDLE gives handle, which is a handle already"),
        (model(variable(2)), "op 0 VAR_HANDLE does not give one handle"),
        (model(replace(variable(0), inputs=(1,))), "op 0 VAR_HANDLE does not give one handle"),
        (model(variable(0), assign(0, 1), read(0, 2), read(0, 4), tensors=[OTHER]),
         "sum is used in two shapes or types: value int8[2] in op 1 ASSIGN_VARIABLE, other int8[3]"),
        (plain(once(), others=[setup(variable(0), read(0, 1), tensors=(HANDLE, VALUE))]),
         "subgraph 1, op 1 READ_VARIABLE reads variable sum before it is assigned"),
        (plain(once(), others=[setup(tensors=(HANDLE, replace(OTHER, data=np.zeros(3, np.int8))))]),
         "variable sum is used in two shapes or types: value int8[2] in op 2 READ_VARIABLE, other int8[3]"),
        (plain(once(), others=[setup(variable(0), assign(0, 1), tensors=(HANDLE, VALUE))]),
         "subgraph 1, op 1 ASSIGN_VARIABLE reads value before anything has produced it"),
    ],
)  # fmt: skip
def test_what_contradicts_itself(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(data, "net")
    assert reason in caught.value.message


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (plain(others=[setup()]), "has 2 subgraphs (control flow)"),
        (plain(once(), others=[setup(), setup()]), "has 3 subgraphs (control flow)"),
        (plain(once(), others=[setup(once(2)), setup()]), "inside a subgraph that runs once itself"),
        (model(variable(0), read(0, 2), assign(0, 1), once(), others=[setup()]), "sets variables up that were used"),
        (plain(once(), others=[replace(setup(tensors=(HANDLE, VALUE)), inputs=(1,))]),
         "exchanges values with the main graph"),
        (plain(once(), others=[setup(OpSpec("WHILE", (1,), (2,)), tensors=(HANDLE, constant(1), VALUE))]),
         "not implemented"),
        (plain(OpSpec("IF", (1,), (3,), {"then_subgraph_index": 1}), others=[setup()]), "not implemented"),
        (write_model(ModelSpec((HANDLE,), (), (0,), (0,))), "has type resource"),
    ],
)  # fmt: skip
def test_what_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(UnsupportedModel) as caught:
        parse(data, "net")
    assert any(reason in blocker.reason for blocker in caught.value.blockers)


def test_kinds_of_state_that_are_refused() -> None:
    float_value = TensorSpec((2,), "float32", name="value")
    tensors = (HANDLE, float_value, float_value)
    data = write_model(ModelSpec(tensors, (variable(0), read(0, 2), assign(0, 1)), (1,), (2,)))
    assert "READ_VARIABLE takes int8 or uint8 or int16 or int32 here" in str(inspect_blockers(data))


def test_variables_belong_where_operators_keep_state() -> None:
    x = TensorSpec((1, 4), "int8", 0.5, name="x", is_variable=True)
    y = TensorSpec((1, 4), "int8", 0.5, name="y")
    (blocker,) = inspect_blockers(write_model(ModelSpec((x, y), (OpSpec("RELU", (0,), (1,)),), (), (1,))))
    assert blocker.reason == "x is a variable that keeps its value between inferences"


def test_the_state_of_an_operator_must_be_a_variable() -> None:
    plain_state = lstm(Sizes(), is_variable=False).model
    reasons = [blocker.reason for blocker in inspect_blockers(plain_state)]
    assert reasons == [
        f"{name} should be a variable that keeps its value between inferences" for name in ("hidden", "cell")
    ]


@pytest.mark.parametrize("initial", [0, 3, 255, None])
def test_unsigned_state_becomes_signed(initial: int | None) -> None:
    """For us; TFLM copies bytes of any type. `random_cases` compares both graphs over several runs."""
    data = variable_net([Kept((3,), "uint8", initial)], zero=100)
    graph = parse(data, "net")
    simple = simplify(graph)
    assert [v.dtype.value for v in simple.variables] == ["int8"]
    random_cases(graph, simple, 4, seed=0)
    frames, state = frames_of(graph), initial_state(graph)
    for frame, wanted in zip(frames, run_tflm_frames(data, frames), strict=True):
        np.testing.assert_array_equal(run(graph, frame, state)[0], wanted[0])


@pytest.mark.parametrize(("rows", "kept"), [(1, 3), (3, 1), (2, 2)])
@pytest.mark.parametrize("build", [sliding, rolling])
def test_the_last_rows_are_kept_without_a_slice(build: Callable[..., Case], rows: int, kept: int) -> None:
    data = build((2, 3), rows, kept).model
    kinds = [op.kind for op in simplify(parse(data, "net")).ops]
    assert kinds == ["READ_VARIABLE", "CONCATENATION", "ASSIGN_VARIABLE"]
    assert_equals_tflm(data)


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ((0, 1, 0), (2, 3, 3), None),  # two of three rows, twice
        ((1, 1, 0), (2, 3, 3), Span(12, 18)),
        ((1, 2, 1), (2, 3, 3), Span(16, 18)),
        ((0, 0, 0), (2, 3, 2), None),
        ((0, 0, 0), (2, 3, 3), Span(0, 18)),
    ],
)
def test_parts_that_lie_together(begin: Sequence[int], end: Sequence[int], expected: Span | None) -> None:
    tables = [TensorSpec((3,), "int32", data=np.array(t, np.int32)) for t in (begin, end, (1, 1, 1))]
    x = TensorSpec((2, 3, 3), "int8", 0.5)
    y = TensorSpec(tuple(b - a for a, b in zip(begin, end, strict=True)), "int8", 0.5)
    (op,) = parse(single_op("STRIDED_SLICE", [x, *tables], [y]), "net").ops
    assert isinstance(op, StridedSlice)
    assert contiguous(op) == expected
