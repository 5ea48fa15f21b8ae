"""uint8 becomes int8 inside, and stays what callers see."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.cases import random_case
from tecompile.frontend import UnsupportedModel, check_supported, parse
from tecompile.graph import DType
from tecompile.passes import simplify
from tecompile.passes.recentre import recentre
from tests.operators import weighted
from tests.operators.weighted import Arithmetic
from tests.tools.cases import Quant, Window
from tests.tools.tflite_writer import TensorSpec, single_op

PLAIN = Arithmetic("uint8", Quant(0.5, 7), Quant(0.25, 200), (2.0**-7,), 90, "int32", 1000, "RELU6")


def test_a_layer_and_its_borders() -> None:
    original = parse(weighted.conv_2d((5, 4, 3), 2, Window((3, 3)), PLAIN).model, "net")
    graph = simplify(original)
    (op,) = graph.ops
    assert {t.dtype for t in (op.x, op.y, *graph.inputs, *graph.outputs)} == {DType.INT8}
    assert (op.x.zero_point, op.y.zero_point) == (7 - 128, 200 - 128)
    assert [border.outer.dtype for border in graph.borders] == [DType.UINT8] * 2
    assert random_case(original, graph, seed=1).inputs  # compares both graphs


def test_a_network_of_int8_is_left_alone() -> None:
    """uint8 only where it is converted at once."""
    x, y = TensorSpec((4,), "uint8", 0.5, 128), TensorSpec((4,), "int8", 0.5, 0)
    graph = parse(single_op("QUANTIZE", [x], [y], {}), "net")
    assert recentre(graph) is graph


def test_what_can_not_be_compiled_stays_for_the_message() -> None:
    by_channel = Arithmetic("uint8", PLAIN.x, PLAIN.y, (2.0**-7, 2.0**-8), 90)
    graph = parse(weighted.conv_2d((5, 4, 3), 2, Window((3, 3)), by_channel).model, "net")
    assert recentre(graph) is graph
    with pytest.raises(UnsupportedModel, match="weights is quantised per channel where one scale is needed"):
        check_supported(simplify(graph))


def test_constants_move_along() -> None:
    values = np.array([0, 127, 128, 255], np.uint8)
    inputs = [TensorSpec((4,), "uint8", 0.5, 3), TensorSpec((4,), "uint8", 0.5, 3, data=values)]
    graph = recentre(parse(single_op("CONCATENATION", inputs, [TensorSpec((8,), "uint8", 0.5, 3)], {"axis": 0}), "net"))
    constant = graph.ops[0].inputs[1]
    assert constant is not None
    assert constant.data is not None
    assert constant.data.tolist() == [-128, -1, 0, 127]
