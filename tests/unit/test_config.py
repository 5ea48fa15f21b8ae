"""--config: TOML defaults, checked by name."""

from pathlib import Path

import pytest

from tecompile.config import Kind, load_config
from tecompile.errors import InvalidInput

KNOWN = {
    "board": Kind.TEXT,
    "optimize": Kind.TEXT,
    "no_prune_dead": Kind.SWITCH,
    "ram": Kind.WHOLE,
    "tolerance": Kind.NUMBER,
    "project": Kind.TEXTS,
}


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


@pytest.mark.parametrize(
    "text",
    [
        *("board = 5", "board = true", 'board = ["host"]', "ram = 1.5", "ram = true", 'ram = "5"', "no-prune-dead = 1"),
        *("tolerance = true", "tolerance = 1979-05-27", "project = [1]", "project = 1"),
    ],
)
def test_refuses_values_of_another_type(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    key = text.split(" ")[0].replace("-", "_")
    with pytest.raises(InvalidInput, match=f"'{key}' is .*, which is not "):
        load_config(path, KNOWN)


def test_takes_values_of_the_right_type(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('ram = 1\ntolerance = 2\nproject = ["make", "cmake"]\n')
    assert load_config(path, KNOWN) == {"ram": 1, "tolerance": 2, "project": ["make", "cmake"]}


def test_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"c\.toml: No such file"):
        load_config(tmp_path / "c.toml", KNOWN)
