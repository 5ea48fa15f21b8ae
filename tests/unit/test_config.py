"""--config: TOML defaults, checked by name."""

from pathlib import Path

import pytest

from tecompile.config import load_config
from tecompile.errors import InvalidInput

KNOWN = ("board", "optimize", "no_prune_dead")


def test_reads_settings_by_flag_name(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('board = "host"\nno-prune-dead = true\n')
    assert load_config(path, KNOWN) == {"board": "host", "no_prune_dead": True}


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("bord = 1", "unknown setting 'bord'", "did you mean board?"),
        ("zzz = 1", "unknown setting 'zzz'", "known are board"),
        ("board =", "not valid TOML", "write settings as"),
        ("[board]\nx = 1", "'board' is a table", "top level"),
        ("\xff", "not valid TOML", "write settings as"),
    ],
)
def test_refuses_what_it_does_not_understand(tmp_path: Path, text: str, message: str, hint: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(InvalidInput, match=message) as caught:
        load_config(path, KNOWN)
    assert hint in caught.value.hint


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"c\.toml: No such file"):
        load_config(tmp_path / "c.toml", KNOWN)
