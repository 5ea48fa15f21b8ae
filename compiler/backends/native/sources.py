"""The files of kernels/c, each with what it includes."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from ..program import KernelSource

_ROOT = __package__.split(".")[0]
_INCLUDE = re.compile(r'^#include "(te_\w+\.h)"', re.MULTILINE)


@cache
def kernel_sources(header: str) -> tuple[KernelSource, ...]:
    """A header of kernels/c and every header it needs, those first."""
    text = (resources.files(f"{_ROOT}.kernels") / "c" / header).read_text("utf-8")
    needed = [source for name in _INCLUDE.findall(text) for source in kernel_sources(name)]
    return tuple(dict.fromkeys([*needed, KernelSource(header, text)]))
