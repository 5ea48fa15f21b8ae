"""Kernels that take elements of several sizes ask for rows that begin at a multiple of theirs."""

from __future__ import annotations

from dataclasses import replace

from ...graph import Op
from ...target import Candidate


def element_aligned(op: Op, candidate: Candidate) -> Candidate:
    inputs = max((t.dtype.size for t in op.activations), default=1)
    return replace(candidate, alignment=inputs, output_alignment=max((t.dtype.size for t in op.outputs), default=1))
