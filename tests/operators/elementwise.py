"""Operators that make each value from the values at one place of their inputs."""

from __future__ import annotations

from collections.abc import Mapping

from . import elementwise_choices, elementwise_pairs, elementwise_unary, elementwise_wide
from .row import Row

FILES = (elementwise_choices, elementwise_pairs, elementwise_unary, elementwise_wide)
ROWS: Mapping[str, Row] = {key: row for file in FILES for key, row in file.ROWS.items()}
