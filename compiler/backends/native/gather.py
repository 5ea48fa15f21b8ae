"""GATHER: rows and columns as RESIZE_NEAREST_NEIGHBOR takes them, channels by a table of their own."""

from __future__ import annotations

import numpy as np

from ...ops.gather import Gather
from ...target import Candidate, Form
from ..program import ConstantArray, ParamValue
from . import resize_nearest_neighbor as pick
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate

PER_PIXEL, PER_CHANNEL, PER_PLACE = 6, 4, 9


def candidates(op: Gather) -> tuple[Candidate, ...]:
    if op.table is None:
        return (_by_input(op),)
    if op.channels is None:
        return pick.candidates(op)
    image = op.y.image
    each = PER_CHANNEL + copy_instructions(op.y.dtype.size)
    instructions = image.rows * image.columns * (PER_PIXEL + image.channels * each)
    weights = image.channels * pick.INDEX_BYTES
    return (candidate("te_gather_channels", weights=weights, instructions=instructions, part=pick.PART),)


def _by_input(op: Gather) -> Candidate:
    """The places are an input."""
    piece = op.piece * op.y.dtype.size
    instructions = op.y.nbytes // piece * (PER_PLACE + copy_instructions(piece))
    weights = op.x.nbytes if op.x.is_constant else 0
    inputs = len(op.activations)
    return candidate("te_gather_any", form=Form.WHOLE, inputs=inputs, weights=weights, instructions=instructions)


def lower(op: Gather, chosen: Candidate, function: str) -> Body:
    if op.table is None:
        return _body_by_input(op, function)
    if op.channels is None:
        return pick.lower(op, chosen, function)
    channels = op.channels.astype(np.uint16)
    table = ConstantArray(f"{function}_places", "uint16_t", channels, "the input's channels that are copied")
    return Body({"places": table.name, "size": op.y.dtype.size}, (table,))


def _body_by_input(op: Gather, function: str) -> Body:
    """Members of te_gather_any_t."""
    tables: tuple[ConstantArray, ...] = ()
    if op.x.data is not None:
        values = np.ascontiguousarray(op.x.data).reshape(-1).view(np.int8)
        tables = (ConstantArray(f"{function}_values", "int8_t", values, "what is chosen from"),)
    (batches, groups), size = op.groups, op.x.shape[op.axis]
    params: dict[str, ParamValue] = {"values": tables[0].name if tables else "NULL", "batches": batches}
    count = op.y.elements // (batches * groups * op.piece)
    params |= {"groups": groups, "size": size, "count": count, "piece": op.piece * op.y.dtype.size}
    return Body(params, tables, many_inputs=True)


LOWERING = Lowering(candidates, lower)
