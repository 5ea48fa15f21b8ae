"""Errors a user can act on: what is wrong and where, and what to do next."""

from __future__ import annotations

from typing import ClassVar


class TecompileError(Exception):
    """Base of everything reported as `error: ...` / `hint: ...` instead of a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InvalidInput(TecompileError):
    """What was given is broken: a file, a name, a flag."""

    exit_code = 2


class CannotMeet(TecompileError):
    """What was asked is valid but can't be had: unsupported, does not fit, a tool is missing."""


class InternalError(TecompileError):
    """Our own mistake, caught by a check: never the user's."""

    def __init__(self, message: str) -> None:
        super().__init__(f"internal: {message}", "this is a bug in tecompile: please report it with the model file")
