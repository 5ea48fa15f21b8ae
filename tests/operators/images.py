"""Operators that see windows or whole axes: resizing, reductions, pools."""

from __future__ import annotations

from collections.abc import Mapping

from .row import Row

ROWS: Mapping[str, Row] = {}
