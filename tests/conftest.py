"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)  # machines may be busy
settings.load_profile("patient")
