"""CONCATENATION: along rows, columns or channels strip by strip, along other axes whole."""

from __future__ import annotations

from itertools import accumulate
from math import prod

import numpy as np

from ...ops.concatenation import MOST_INPUTS, Along, Concatenation
from ...target import Candidate, Form
from ..program import ConstantArray, ParamValue
from .lowering import Body, Lowering, candidate, prefixed

PER_BYTE = 1.2
PER_PIECE = 14


def candidates(op: Concatenation) -> tuple[Candidate, ...]:
    along, image = op.along, op.y.image
    if len(op.parts) > MOST_INPUTS:
        return ()
    pieces = image.rows * (image.columns if along is Along.CHANNELS else 1) * len(op.parts)
    return (
        candidate(
            "te_concatenation" if along else "te_concatenation_any",
            form=Form.STRIP if along else Form.WHOLE,
            inputs=len(op.activations),
            places=_places(op),
            weights=sum(t.nbytes for t in op.parts if t.is_constant),
            instructions=op.y.nbytes * PER_BYTE + pieces * PER_PIECE,
        ),
    )


def _places(op: Concatenation) -> dict[int, int]:
    """What comes in one piece need not be copied, if it is computed where it belongs."""
    if prod(op.y.shape[: op.axis]) != 1:
        return {}
    starts = accumulate((t.nbytes for t in op.parts), initial=0)
    return {
        index: start
        for index, (tensor, start) in enumerate(zip(op.inputs, starts, strict=False))
        if tensor is not None and not tensor.is_constant and op.inputs.count(tensor) == 1
    }


def lower(op: Concatenation, _chosen: Candidate, function: str) -> Body:
    values = [np.ascontiguousarray(t.data).reshape(-1).view(np.int8) for t in op.parts if t.data is not None]
    tables: tuple[ConstantArray, ...] = ()
    if values:
        constants = np.concatenate(values)
        tables = (ConstantArray(f"{function}_constants", "int8_t", constants, "constant inputs, one after the other"),)
    how: dict[str, ParamValue] = {"rounds": prod(op.y.shape[: op.axis])}
    if op.along:
        how = {"along": f"TE_ALONG_{op.along.name}"}
    parts = part_params(op)
    parts["constants"] = tables[0].name if tables else "NULL"
    return Body({**how, **prefixed("parts", parts)}, tables, many_inputs=True)


def part_params(op: Concatenation) -> dict[str, ParamValue]:
    """Members of te_parts_t, but for the constants themselves."""
    numbers = accumulate((not t.is_constant for t in op.parts), initial=0)
    places = accumulate((t.nbytes if t.is_constant else 0 for t in op.parts), initial=0)
    sources = [-1 if t.is_constant else number for t, number in zip(op.parts, numbers, strict=False)]
    starts = [place if t.is_constant else 0 for t, place in zip(op.parts, places, strict=False)]
    return {"count": len(op.parts), "source": filled(sources), "start": filled(starts), "size": filled(sizes(op))}


def sizes(op: Concatenation) -> list[int]:
    """Of each input, in rows, columns or bytes of a pixel; for other axes the bytes that lie in one piece."""
    images = [t.image for t in op.parts]
    if op.along is Along.ROWS:
        return [image.rows for image in images]
    if op.along is Along.COLUMNS:
        return [image.columns for image in images]
    if op.along is Along.CHANNELS:
        return [t.pixel_bytes for t in op.parts]
    return [t.nbytes // prod(op.y.shape[: op.axis]) for t in op.parts]


def filled(values: list[int]) -> tuple[int, ...]:
    return (*values, *(0,) * (MOST_INPUTS - len(values)))


LOWERING = Lowering(candidates, lower)
