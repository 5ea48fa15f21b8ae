"""Operators that keep state from one run to the next, and recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping

from .row import Row

ROWS: Mapping[str, Row] = {}
