"""Sums over a whole image as its parts arrive: what global pools and means share."""

from __future__ import annotations

from ...graph import Op
from ...target import Candidate, Form
from .lowering import CALL, candidate

SUM_BYTES = 4  # for each channel
PER_VALUE = 2.75
PER_CHANNEL = 20  # start and end
PER_CALL_AND_CHANNEL = 5.5


def sink(kernel: str, op: Op, weights: int = 0, value: float = PER_VALUE, channel: float = PER_CHANNEL) -> Candidate:
    """All pixels of each channel become one."""
    channels = op.x.image.channels
    return candidate(
        kernel,
        form=Form.SINK,
        scratch=SUM_BYTES * channels,
        weights=weights,
        instructions=op.x.elements * value + channels * channel,
        call=CALL + channels * PER_CALL_AND_CHANNEL,
        part=0,
    )
