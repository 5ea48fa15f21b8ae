"""Layers with weights, and products of matrices."""

from __future__ import annotations

from collections.abc import Mapping

from .row import Row

ROWS: Mapping[str, Row] = {}
