"""The portable C kernels of kernels/c: they run on every core, and prove the plan on the host."""

from __future__ import annotations

from .target import NativeTarget

__all__ = ["NativeTarget"]
