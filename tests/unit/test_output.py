"""The output folder: whole or not at all, recognised, and gentle to what users wrote."""

import json
import os
from pathlib import Path

import pytest

from tecompile.errors import CannotMeet, InvalidInput
from tecompile.output import check_folder, write_file, write_folder

FILES = {"src/main.c": "int main;\n", "model/net.c": "one\n", "README.md": "read\n"}
REPORT = {"tecompile": "0.1.0", "model": "net.tflite"}


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def write(folder: Path, files: dict[str, str] = FILES, force: bool = False) -> tuple[str, ...]:
    return write_folder(folder, files, REPORT, force).kept


def test_writes_every_file_and_the_report(tmp_path: Path) -> None:
    written = write_folder(tmp_path / "out", FILES, REPORT, force=False)
    found = contents(tmp_path / "out")
    assert set(found) == {*FILES, "report.json"} == set(written.files)
    assert found["model/net.c"] == b"one\n"
    report = json.loads(found["report.json"])
    assert report["model"] == "net.tflite"
    assert set(report["files"]) == set(FILES)


def test_makes_missing_parents_and_leaves_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert [p.name for p in (tmp_path / "a" / "b").iterdir()] == ["out"]


def test_same_input_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "a")
    write(tmp_path / "b", dict(reversed(FILES.items())))
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_takes_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out")
    assert "report.json" in contents(tmp_path / "out")


def test_refuses_a_file_and_a_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInput, match="is a file"):
        write(tmp_path / "file")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match="was not written by tecompile"):
        check_folder(tmp_path / "theirs", force=False)
    for force in (False, True):
        with pytest.raises(InvalidInput, match="file is a file, not a folder"):
            check_folder(tmp_path / "file" / "out", force)
    assert contents(tmp_path / "theirs") == {"notes.txt": b"mine"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"tecompile": 1}', '{"tecompile": "1", "files": []}', "\xff"])
def test_someone_elses_report_is_foreign(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text, encoding="latin-1")
    with pytest.raises(InvalidInput):
        check_folder(tmp_path, force=False)


def test_force_writes_into_a_foreign_folder_beside_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "README.md").write_text("theirs")
    write(tmp_path, force=True)
    found = contents(tmp_path)
    assert found["notes.txt"] == b"mine"
    assert found["README.md"] == b"read\n"


def test_updates_its_own_folder_and_drops_what_is_gone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, {**FILES, "model/old/kernel.h": "old"})
    (out / "build").mkdir()
    (out / "build" / "net.o").write_text("object")
    write(out, {**FILES, "model/net.c": "two\n"})
    found = contents(out)
    assert found["model/net.c"] == b"two\n"
    assert found["build/net.o"] == b"object"
    assert not (out / "model" / "old").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_keeps_an_edited_main_until_forced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    (out / "src" / "main.c").write_text("mine\n")
    for _ in range(2):
        assert write(out, {**FILES, "src/main.c": "int other;\n"}) == ("src/main.c",)
        assert (out / "src" / "main.c").read_text() == "mine\n"
    assert write(out, force=True) == ()
    assert (out / "src" / "main.c").read_text() == FILES["src/main.c"]


@pytest.mark.parametrize("name", ["link.ld", "board/board.c", "make/board/chip.h", "cmake/src/main.c"])
def test_what_is_the_users_is_kept_when_edited(tmp_path: Path, name: str) -> None:
    files = {**FILES, name: "ours\n"}
    write(tmp_path, files)
    (tmp_path / name).write_text("mine\n")
    assert write(tmp_path, {**files, name: "ours again\n"}) == (name,)
    assert (tmp_path / name).read_text() == "mine\n"
    assert write(tmp_path, files, force=True) == ()
    assert (tmp_path / name).read_text() == "ours\n"


def test_ownership_outlives_a_project_without_the_file(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "src" / "main.c").write_text("mine\n")
    assert write(tmp_path, {"model/net.c": "one\n"}) == ()
    assert write(tmp_path) == ("src/main.c",)
    assert (tmp_path / "src" / "main.c").read_text() == "mine\n"


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_where_a_file_must_go_stops_everything(tmp_path: Path, force: bool) -> None:
    write(tmp_path)
    (tmp_path / "README.md").unlink()
    (tmp_path / "README.md").mkdir()
    (tmp_path / "model" / "net.c").unlink()
    before = contents(tmp_path)
    with pytest.raises(InvalidInput, match=r"README\.md is a folder"):
        write(tmp_path, force=force)
    assert contents(tmp_path) == before


def test_a_file_where_a_folder_must_go_stops_everything(tmp_path: Path) -> None:
    (tmp_path / "src").write_text("mine")
    with pytest.raises(InvalidInput, match="src is a file"):
        write(tmp_path, force=True)
    assert contents(tmp_path) == {"src": b"mine"}


def test_what_the_user_removed_is_no_obstacle(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "model/old/a.h": "old", "model/b.h": "old"})
    (tmp_path / "model" / "old" / "a.h").unlink()
    (tmp_path / "model" / "old").rmdir()
    (tmp_path / "model" / "b.h").unlink()
    (tmp_path / "model" / "b.h").mkdir()
    write(tmp_path)
    assert contents(tmp_path).keys() == {*FILES, "report.json"}


def test_refuses_to_lose_other_edits(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "model" / "net.c").write_text("patched\n")
    before = contents(tmp_path)
    with pytest.raises(InvalidInput, match=r"model/net\.c .* changed since"):
        write(tmp_path)
    assert contents(tmp_path) == before
    write(tmp_path, force=True)
    assert (tmp_path / "model" / "net.c").read_text() == "one\n"


def test_refuses_to_overwrite_a_users_new_file(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "Makefile").write_text("mine\n")
    with pytest.raises(InvalidInput, match="Makefile"):
        write(tmp_path, {**FILES, "Makefile": "all:\n"})
    assert (tmp_path / "Makefile").read_text() == "mine\n"


def test_hashes_cannot_point_outside(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text(json.dumps({"tecompile": "0", "files": {"../victim": "0", str(victim): "0"}}))
    with pytest.raises(InvalidInput):
        write(out)
    write(out, force=True)
    assert victim.read_text() == "precious"


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, _data: bytes) -> int:
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CannotMeet, match=r"out: No space") as caught:
        write(tmp_path / "a" / "out")
    assert ".tmp" not in caught.value.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege on Windows")
def test_writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert "report.json" in contents(tmp_path / "real")


def test_write_file_is_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "report.html"
    write_file(target, "old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("no")))
    with pytest.raises(CannotMeet, match=r"report\.html: no"):
        write_file(target, "new")
    assert contents(tmp_path) == {"report.html": b"old"}
    with pytest.raises(InvalidInput, match="is a folder"):
        write_file(tmp_path, "x")
