"""Operators that make each value from the values at one place of their inputs."""

from __future__ import annotations

from collections.abc import Mapping

from .row import Row

ROWS: Mapping[str, Row] = {}
