"""Whatever moves values at equal distances: images strip by strip where rows come from rows, all else whole."""

from __future__ import annotations

from ...ops.regroup import Regroup
from ...ops.strided import MOST_AXES, StridedOp
from ...ops.traversal import Axis
from ...target import Candidate, Form
from ..program import ParamValue
from .axes import padded
from .copies import copy_instructions
from .lowering import Body, Lowering, candidate, prefixed

AXES = MOST_AXES
PER_ROW, PER_PIXEL, PER_PART, PER_SOURCE_PIXEL, PER_COPY = 25, 3, 5, 1, 1
PER_PIECE, PER_BYTE, PER_LINE = 4, 2.5, 20


def candidates(op: StridedOp) -> tuple[Candidate, ...]:
    if op.regroup is not None:
        return (candidate("te_regroup", instructions=_regroup_instructions(op, op.regroup)),)
    return (candidate("te_rearrange", form=Form.WHOLE, instructions=_rearrange_instructions(op)),)


def _regroup_instructions(op: StridedOp, how: Regroup) -> float:
    image, sources = op.y.image, how.down.size * how.across.size
    pieces = how.outer.size * how.inner.size
    source = PER_SOURCE_PIXEL + pieces * (copy_instructions(how.piece * op.y.dtype.size) + PER_COPY)
    pixel = how.down.size * (PER_PIXEL + PER_PART * (how.column_parts.size > 1)) + sources * source
    return image.rows * (how.down.size * PER_ROW + image.columns * pixel)


def _rearrange_instructions(op: StridedOp) -> float:
    axes, piece = _axes_and_piece(op)
    each = PER_BYTE if piece == 1 else PER_PIECE + copy_instructions(piece)
    pieces = op.y.nbytes // piece
    return pieces * each + PER_LINE * pieces / (axes[-1].size if axes else 1)


def _axes_and_piece(op: StridedOp) -> tuple[tuple[Axis, ...], int]:
    """Merged axes with steps in bytes, and the bytes that stay together."""
    assert op.traversal is not None
    merged, size = op.traversal.merged, op.y.dtype.size
    whole = bool(merged) and merged[-1].step == 1
    axes = tuple(Axis(axis.size, axis.step * size) for axis in (merged[:-1] if whole else merged))
    return axes, merged[-1].size * size if whole else size


def lower(op: StridedOp, chosen: Candidate, _function: str) -> Body:
    if chosen.kernel == "te_regroup":
        assert op.regroup is not None
        return Body(_regroup_params(op.regroup, op.y.dtype.size))
    return Body(_rearrange_params(op))


def _regroup_params(how: Regroup, size: int) -> dict[str, ParamValue]:
    """Members of te_regroup_t."""
    row, column, channel = how.first
    params: dict[str, ParamValue] = {"row": row, "column": column, "channel": channel * size}
    params |= {"row_step": how.rows.step, **_axis("row_parts", how.row_parts, size)}
    params |= {"column_step": how.columns.step, **_axis("column_parts", how.column_parts, size)}
    params |= _axis("down", how.down, 1) | _axis("across", how.across, 1)
    params |= _axis("outer", how.outer, size) | _axis("inner", how.inner, size)
    return params | {"piece": how.piece * size}


def _axis(name: str, axis: Axis, unit: int) -> dict[str, ParamValue]:
    return prefixed(name, {"count": axis.size, "step": axis.step * unit})


def _rearrange_params(op: StridedOp) -> dict[str, ParamValue]:
    """Members of te_rearrange_t."""
    axes, piece = _axes_and_piece(op)
    assert op.traversal is not None
    walk: dict[str, ParamValue] = {
        "size": padded([axis.size for axis in axes], AXES, 1),
        "step_a": padded([axis.step for axis in axes], AXES, 0),
    }
    return {"first": op.traversal.first * op.y.dtype.size, "piece": piece, **prefixed("axes", walk)}


LOWERING = Lowering(candidates, lower)
