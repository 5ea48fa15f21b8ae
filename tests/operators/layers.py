"""Layers with weights, and products of matrices."""

from __future__ import annotations

from collections.abc import Mapping

from . import legacy_layers, parts, products, transposed, wide_layers
from .row import Row

ROWS: Mapping[str, Row] = {**legacy_layers.ROWS, **parts.ROWS, **products.ROWS, **transposed.ROWS, **wide_layers.ROWS}
