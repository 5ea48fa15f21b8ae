from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where firmwares are built, once each."""
    return tmp_path_factory.mktemp("firmware")
