"""The command line: one file per group of commands, wired together in app.py."""

from .app import main

__all__ = ["main"]
