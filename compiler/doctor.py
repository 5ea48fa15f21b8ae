"""Which tools this machine has for building, simulating and proving, and how to get the rest."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata

PATIENCE = 20  # seconds for a program to say its version
_VERSION = re.compile(r"\d+\.\d+(\.\d+)?")


@dataclass(frozen=True)
class Tool:
    """Something tecompile can use; `version` is None where it is missing."""

    name: str
    purpose: str
    remedy: str
    version: str | None = None
    path: str | None = None


@dataclass(frozen=True)
class _Program:
    """A program on PATH, under the first of some names, and its package by system."""

    names: tuple[str, ...]
    purpose: str
    packages: Mapping[str, str]

    def find(self) -> Tool:
        path = next((found for name in self.names if (found := shutil.which(name))), None)
        remedy = self.packages.get(platform.system(), self.packages["Linux"])
        return Tool(self.names[0], self.purpose, remedy, _ask(path) if path else None, path)


@dataclass(frozen=True)
class _Package:
    """A Python package beside tecompile."""

    name: str
    purpose: str

    def find(self) -> Tool:
        try:
            version: str | None = metadata.version(self.name)
        except metadata.PackageNotFoundError:
            version = None
        return Tool(self.name, self.purpose, f"pip install {self.name}", version)


TOOLS: tuple[_Program | _Package, ...] = (
    _Program(
        ("arm-none-eabi-gcc",),
        "builds firmware",
        {
            "Linux": "apt install gcc-arm-none-eabi libnewlib-arm-none-eabi",
            "Darwin": "brew install --cask gcc-arm-embedded",
            "Windows": "winget install Arm.GnuArmEmbeddedToolchain",
        },
    ),
    _Package("ziglang", "builds firmware where arm-none-eabi-gcc is missing"),
    _Program(
        ("cc", "gcc", "clang"),
        "builds for this machine: --verify host",
        {"Linux": "apt install gcc", "Darwin": "xcode-select --install", "Windows": "pip install ziglang"},
    ),
    _Package("unicorn", "runs the firmware of real boards"),
    _Program(
        ("qemu-system-arm",),
        "runs the firmware of qemu boards",
        {
            "Linux": "apt install qemu-system-arm",
            "Darwin": "brew install qemu",
            "Windows": "winget install SoftwareFreedomConservancy.QEMU",
        },
    ),
    _Package("pyelftools", "reads sizes and symbols of firmware"),
    _Program(
        ("cmake",),
        "builds projects of kind cmake",
        {"Linux": "apt install cmake", "Darwin": "brew install cmake", "Windows": "winget install Kitware.CMake"},
    ),
    _Program(
        ("make",),
        "builds projects of kind make",
        {"Linux": "apt install make", "Darwin": "xcode-select --install", "Windows": "winget install ezwinports.make"},
    ),
)


def find_tools() -> tuple[Tool, ...]:
    return tuple(tool.find() for tool in TOOLS)


def _ask(path: str) -> str:
    """The version a program gives, or `present` if it will not tell."""
    try:
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "present"
    found = _VERSION.search(answer.stdout.split("\n")[0])
    return found.group() if found else "present"
