"""What one operator's file in this folder provides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...target import Candidate, Form, Layout
from ..program import ConstantArray, ParamValue

Params: TypeAlias = Mapping[str, ParamValue]
CALL = 25  # instructions of a call that does nothing, and of one more part of a row
PART = 50


@dataclass(frozen=True)
class Body:
    """What a kernel is given besides its buffers: the members of its struct, and tables in flash."""

    params: Params
    constants: tuple[ConstantArray, ...] = ()
    many_inputs: bool = False  # as in Call
    variables: tuple[str, ...] = ()  # as in Call


@dataclass(frozen=True)
class Lowering:
    """Both functions take the operator class that the table of NativeTarget names."""

    candidates: Callable[[Any], tuple[Candidate, ...]]
    lower: Callable[[Any, Candidate, str], Body]


# Of one layer on a Cortex-M4, as kernels are inlined into it: medians of real models. Others are about as long.
CODE_BYTES: Mapping[str, int] = {
    "te_conv2d": 450,
    "te_depthwise": 740,
    "te_depthwise_whole": 560,
    "te_max_pool": 240,
    "te_pair": 260,
    "te_pair_constant": 140,
    "te_pointwise": 400,
}
OTHER_CODE_BYTES = 300


def candidate(
    kernel: str,
    *,
    form: Form = Form.STRIP,
    inputs: int = 1,
    scratch: int = 0,
    in_place: tuple[int, ...] = (),
    places: Mapping[int, int] | None = None,
    by_channel: tuple[int, ...] = (),
    weights: int = 0,
    instructions: float = 0,
    call: float = CALL,
    part: float = PART,
) -> Candidate:
    """A portable kernel: NHWC, any alignment."""
    return Candidate(
        "native",
        kernel,
        form,
        layouts_in=(Layout.NHWC8,) * inputs,
        scratch_bytes=scratch,
        in_place=in_place,
        places=places or {},
        by_channel=by_channel,
        weight_bytes=weights,
        code_bytes=CODE_BYTES.get(kernel, OTHER_CODE_BYTES),
        instructions=round(instructions),
        call_instructions=round(call),
        part_instructions=round(part),
    )


def prefixed(prefix: str, params: Params) -> dict[str, ParamValue]:
    """The members of a nested struct, as C's designated initialisers name them."""
    return {f"{prefix}.{name}": value for name, value in params.items()}
