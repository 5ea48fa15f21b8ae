"""Operators that move values and change none."""

from __future__ import annotations

from collections.abc import Mapping

from .row import Row

ROWS: Mapping[str, Row] = {}
