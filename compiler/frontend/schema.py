"""Names and options of TFLite's schema, learnt from the generated code of the pip package `tflite`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import tflite

from ..graph import OptionValue
from .flatbuffer import Number, Table, damaged


def _names(enum: type) -> dict[int, str]:
    return {value: name for name, value in vars(enum).items() if isinstance(value, int)}


OPERATOR_NAMES = _names(tflite.BuiltinOperator)
TYPE_NAMES = {code: name.lower() for code, name in _names(tflite.TensorType).items()}
_OPTION_TABLES = _names(tflite.BuiltinOptions)

# Options that are codes of an enumeration.
_ENUMS = {
    "padding": _names(tflite.Padding),
    "fused_activation_function": _names(tflite.ActivationFunctionType),
    "weights_format": _names(tflite.FullyConnectedOptionsWeightsFormat),
}

# Operators that share an option table; the others' tables are named after them.
_SHARED_TABLES = {
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), "Pool2DOptions"),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), "ReducerOptions"),
    **dict.fromkeys(("REDUCE_ALL", "REDUCE_ANY"), "ReducerOptions"),
    **dict.fromkeys(("MAXIMUM", "MINIMUM"), "MaximumMinimumOptions"),
}


def option_table(kind: str) -> str | None:
    """The option table of an operator; None if the schema has none for it."""
    wanted = _SHARED_TABLES.get(kind, kind.replace("_", "") + "Options").lower()
    return next((name for name in _OPTION_TABLES.values() if name.lower() == wanted), None)


def read_options(kind: str, code: int, table: Table | None, where: str) -> Mapping[str, OptionValue]:
    """All options by name, with the schema's defaults where the file says nothing."""
    expected = option_table(kind)
    if expected is None:
        return {}
    found = _OPTION_TABLES.get(code, f"table {code}")
    if table is not None and found != expected:
        raise damaged(where, f"has {found} where {kind} has {expected}")
    reader = getattr(tflite, expected)()
    reader._tab = _Fields(table)
    return {name: _value(name, reader, method) for name, method in _accessors(expected)}


def _value(name: str, reader: Any, method: str) -> OptionValue:
    value = getattr(reader, method)()
    if method.endswith("AsNumpy"):
        return tuple(value.tolist()) if isinstance(value, np.ndarray) else ()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if name in _ENUMS:
        return _ENUMS[name].get(value, f"UNKNOWN_{value}")
    return None if value is None else _number(value)


def _number(value: Any) -> Number:
    assert isinstance(value, (bool, int, float))
    return value


_HELPER = re.compile("^GetRootAs|(Length|AsNumpy|IsNone|HasIdentifier)$")


@cache
def _accessors(table: str) -> tuple[tuple[str, str], ...]:
    """Option names and the methods that read them whole."""
    return tuple(_find_accessors(vars(getattr(tflite, table))))


def _find_accessors(methods: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name in methods:
        if name == "Init" or not name[0].isupper() or _HELPER.search(name):
            continue
        if f"{name}AsNumpy" in methods:
            yield _snake(name), f"{name}AsNumpy"
        elif f"{name}Length" not in methods:
            yield _snake(name), name


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Fields:
    """What generated accessors ask of a flatbuffers table, answered by a checked one (None: all absent)."""

    Pos = 0  # `Offset` below already counts from the start of the file

    def __init__(self, table: Table | None) -> None:
        self._table = table

    def Offset(self, entry: int) -> int:  # noqa: N802
        return 0 if self._table is None else self._table.find((entry - 4) // 2)

    def Get(self, flags: Any, position: int) -> Number:  # noqa: N802
        assert self._table is not None
        number = self._table.source.number(flags.packer_type.format, position, self._table.where)
        return _number(flags.py_type(number))

    def GetVectorAsNumpy(self, flags: Any, position: int) -> Any:  # noqa: N802
        assert self._table is not None
        return self._table.array(position, flags.packer_type.format)

    def String(self, position: int) -> bytes:  # noqa: N802
        assert self._table is not None
        return self._table.text(position).encode()
