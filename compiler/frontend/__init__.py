"""Bytes to Graph: the only place that knows flatbuffers, and where hostile input stops."""

from .parse import OperatorLine, inspect_blockers, outline, parse, read_model
from .rounding import POLICIES, with_rounding
from .support import Blocker, UnsupportedModel, check_supported

__all__ = [
    "POLICIES",
    "Blocker",
    "OperatorLine",
    "UnsupportedModel",
    "check_supported",
    "inspect_blockers",
    "outline",
    "parse",
    "read_model",
    "with_rounding",
]
