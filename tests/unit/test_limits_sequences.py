"""What recurrent layers are refused for."""

from __future__ import annotations

import numpy as np
import pytest

from tecompile.errors import InvalidInput
from tecompile.frontend import inspect_blockers, parse
from tests.operators.recurrent import LstmQuants, Sizes, SvdfQuants, SvdfSizes, lstm, svdf
from tests.tools.cases import Quant
from tests.tools.tflite_writer import OptionValue, TensorSpec, single_op

SIZES = Sizes(1, 2, 3, 2)


def weights(*shape: int, dtype: str = "int8", scale: float | None = 0.01, zero: int = 0) -> TensorSpec:
    return TensorSpec(shape, dtype, scale, zero, data=np.zeros(shape, dtype), name="w")


def kept(dtype: str = "int16", scale: float | None = 2.0**-11, zero: int = 0, size: int = 2) -> TensorSpec:
    return TensorSpec((1, size), dtype, scale, zero, name="kept", is_variable=True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({1: None, 5: None, 12: None}, "a gate has no weights or no bias of its own (CIFG)"),
        ({13: None}, "a gate has no weights or no bias of its own (CIFG)"),
        ({9: weights(2, dtype="int16")}, "it has peephole connections"),
        ({16: weights(2, 2)}, "it has a projection"),
        ({20: weights(2, dtype="int16")}, "it has layer normalisation"),
        ({2: weights(2, 3, zero=3)}, "w has a zero point other than 0"),
        ({2: weights(2, 3, scale=None)}, "w carries no quantisation"),
        ({2: weights(2, 3, dtype="int16")}, "w is int16; UNIDIRECTIONAL_SEQUENCE_LSTM takes int8 here"),
        ({2: TensorSpec((2, 3), "int8", (0.1, 0.2), (0, 0), data=np.zeros((2, 3), np.int8), name="w")},
         "w is quantised per channel where one scale is needed"),
        ({12: weights(2, dtype="int64")}, "w is int64; UNIDIRECTIONAL_SEQUENCE_LSTM takes int32 here"),
        ({19: kept("int8")}, "kept is int8; UNIDIRECTIONAL_SEQUENCE_LSTM takes int16 here"),
        ({19: kept(scale=0.001)}, "kept has scale 0.001, zero point 0; a power of two up to 1 and 0 are needed"),
        ({19: kept(scale=2.0)}, "kept has scale 2, zero point 0; a power of two up to 1 and 0 are needed"),
        ({19: kept(zero=1)}, "kept has scale 0.000488281, zero point 1; a power of two up to 1 and 0 are needed"),
        ({19: kept(scale=None)}, "kept carries no quantisation"),
    ],
)  # fmt: skip
def test_lstm(changes: dict[int, TensorSpec | None], reason: str) -> None:
    found = [blocker.reason for blocker in inspect_blockers(lstm(SIZES, changes=changes).model)]
    assert reason in found


def test_lstm_of_other_functions() -> None:
    (blocker,) = inspect_blockers(lstm(SIZES, activation="RELU").model)
    assert blocker.reason == "activation RELU"
    (blocker,) = inspect_blockers(lstm(SIZES, activation="SIGN_BIT").model)
    assert blocker.reason == "fused activation SIGN_BIT"
    (blocker,) = inspect_blockers(lstm(SIZES, cell_clip=-1.0).model)
    assert blocker.reason == "cell clip -1"


def test_wide_lstm() -> None:
    zero = lstm(SIZES, LstmQuants(Quant(2.0**-15, 1), Quant(2.0**-15)), dtype="int16")
    assert "x has a zero point other than 0" in [b.reason for b in inspect_blockers(zero.model)]
    plain = LstmQuants(Quant(2.0**-15), Quant(2.0**-15))
    large = TensorSpec((2,), "int64", 0.01, data=np.array([0, -(1 << 63)]), name="bias")
    (blocker,) = inspect_blockers(lstm(SIZES, plain, dtype="int16", changes={12: large}).model)
    assert blocker.reason == "bias has values of more than 46 bits"
    steep = LstmQuants(Quant(1.0), Quant(2.0**-15), weights=1.0)
    reasons = {blocker.reason for blocker in inspect_blockers(lstm(SIZES, steep, dtype="int16").model)}
    assert "scales of weights are more than 2^7 times those of the gates" in reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({1: weights(2, 4)}, "w is [2,4] but its inputs give [2,3]"),
        ({5: weights(3, 2)}, "w is [3,2] but its inputs give [2,2]"),
        ({18: kept("int8", size=3)}, "kept int8[1,3] is no state of 1 times 2 values"),
        ({18: None}, "has 1 tensors for its state instead of 2"),
    ],
)
def test_broken_lstm(changes: dict[int, TensorSpec | None], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(lstm(SIZES, changes=changes).model, "net")
    assert reason in caught.value.message


def changed_svdf(place: int, tensor: TensorSpec | None, **options: OptionValue) -> bytes:
    seen = TensorSpec((1, 8), "int8", 0.1, name="seen", is_variable=True)
    inputs = [TensorSpec((1, 3), "int8", 0.1, name="x"), weights(2, 3), weights(2, 4),
              TensorSpec((2,), "int32", 0.001, data=np.zeros(2, np.int32)), seen]  # fmt: skip
    changed = [tensor if number == place else usual for number, usual in enumerate(inputs)]
    return single_op("SVDF", changed, [TensorSpec((1, 2), "int8", 0.1, name="y")], {"rank": 1} | options)


NOWHERE = 9


@pytest.mark.parametrize(
    ("place", "tensor", "reason"),
    [
        (3, None, "it has no bias"),
        (2, weights(2, 4, dtype="int16"), " is int16 but seen int8"),
        (1, weights(2, 3, zero=2), "weights have a zero point other than 0"),
        (1, weights(2, 3, scale=None), "w carries no quantisation"),
        (4, TensorSpec((1, 8), "int32", 0.1, name="seen", is_variable=True), "seen is int32; SVDF takes int8 or int16"),
        (4, TensorSpec((1, 8), "int8", 1e-30, name="seen", is_variable=True), "the scale of seen is more than 2^30"),
        (0, TensorSpec((1, 3), "int16", 0.1, name="x"), "x is int16; SVDF takes int8 here"),
    ],
)
def test_svdf(place: int, tensor: TensorSpec | None, reason: str) -> None:
    found = [blocker.reason for blocker in inspect_blockers(changed_svdf(place, tensor))]
    assert any(reason in given for given in found), found


@pytest.mark.parametrize(
    ("place", "tensor", "options", "reason"),
    [
        (NOWHERE, None, {"rank": 3}, "rank is 3"),
        (NOWHERE, None, {"rank": 0}, "rank is 0"),
        (2, weights(3, 4), {}, " is [3,4] but its inputs give [2,4]"),
        (1, None, {}, "has 5 inputs, or no weights"),
        (4, TensorSpec((1, 9), "int8", 0.1, name="seen", is_variable=True), {}, "seen is [1,9]"),
        (4, None, {}, "has 0 tensors for its state instead of 1"),
    ],
)
def test_broken_svdf(place: int, tensor: TensorSpec | None, options: dict[str, OptionValue], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(changed_svdf(place, tensor, **options), "net")
    assert reason in caught.value.message


def test_svdf_is_taken_as_it_is() -> None:
    assert not inspect_blockers(changed_svdf(NOWHERE, None))
    assert not inspect_blockers(svdf(SvdfSizes(), SvdfQuants()).model)
