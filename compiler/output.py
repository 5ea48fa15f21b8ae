"""The output folder: appears whole or not at all, and never swallows what a user wrote.

`report.json` lists the hash of every file we wrote. By it a later run recognises its own folder, sees
what was edited since, and replaces the rest. An edited file that is the user's stays listed, with the hash
of what we once wrote, even while the chosen project has no such file.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import CannotMeet, InvalidInput

MANIFEST = "report.json"
USERS_FILES = ("main.c", "link.ld")  # ours the first time, the user's from the first edit on
USERS_FOLDER = "board"  # and all in it


@dataclass(frozen=True)
class Written:
    """What became of an output folder."""

    folder: Path
    files: tuple[str, ...]
    kept: tuple[str, ...]  # edited by the user, left as they were


def check_folder(folder: Path, force: bool) -> None:
    """Refuses a folder that can't be written to, before any long work is done."""
    for place in (folder, *folder.parents):
        if place.exists() and not place.is_dir():
            raise InvalidInput(f"{place} is a file, not a folder", "choose another folder with -o")
    if force or _is_vacant(folder):
        return
    if not (hashes := _read_hashes(folder)):
        raise InvalidInput(
            f"folder {folder} exists and was not written by tecompile",
            "choose another one with -o, or write into it with --force",
        )
    edited = [name for name in hashes if _edited(folder, name, hashes) and not _belongs_to_user(name)]
    if edited:
        raise InvalidInput(
            f"{', '.join(edited)} in {folder} changed since tecompile wrote it",
            "choose another folder with -o, or overwrite the changes with --force",
        )


def write_folder(folder: Path, files: Mapping[str, str], report: Mapping[str, Any], force: bool) -> Written:
    """Writes all files and their manifest; an edited file of the user's survives unless forced."""
    check_folder(folder, force)
    _check_targets(folder, [*files, MANIFEST])
    contents = {name: text.encode() for name, text in sorted(files.items())}
    hashes = {name: _sha256(content) for name, content in contents.items()} | _left_behind(folder, files)
    manifest = json.dumps({**report, "files": hashes}, indent=2) + "\n"
    with _readable_failures(folder):
        kept = _write(folder.resolve(), {**contents, MANIFEST: manifest.encode()}, force)
    return Written(folder.resolve(), (*contents, MANIFEST), kept)


def _write(folder: Path, contents: Mapping[str, bytes], force: bool) -> tuple[str, ...]:
    """Aside first, then in place; what was kept."""
    staging = _staging_folder(folder)
    try:
        _write_all(staging, contents)
        if not _is_vacant(folder):
            return _update(staging, folder, force)
        _appear(staging, folder)
        return ()
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _check_targets(folder: Path, names: Iterable[str]) -> None:
    """Nothing is written if one file can't be."""
    for name in names:
        path = folder / name
        ways = [folder / parent for parent in PurePosixPath(name).parents]
        if path.is_dir():
            raise InvalidInput(f"{path} is a folder, but a file of that name must go there", "move it away")
        if blocked := [way for way in ways if way.exists() and not way.is_dir()]:
            raise InvalidInput(f"{blocked[0]} is a file, but a folder of that name must go there", "move it away")


def _left_behind(folder: Path, files: Collection[str]) -> dict[str, str]:
    """Edited files of the user's that this kind of project does not have: they stay, and stay the user's."""
    old = _read_hashes(folder)
    return {n: old[n] for n in old if n not in files and _belongs_to_user(n) and _edited(folder, n, old)}


@contextmanager
def _readable_failures(target: Path) -> Iterator[None]:
    """A full disk or a missing permission, without the names of temporary files."""
    try:
        yield
    except OSError as error:
        hint = "check that it may be written to and has space left"
        raise CannotMeet(f"can't write {target}: {error.strerror or error}", hint) from error


def _appear(staging: Path, folder: Path) -> None:
    if folder.exists():
        folder.rmdir()  # empty; Windows does not rename onto it
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging.replace(folder)


def _update(staging: Path, folder: Path, force: bool) -> tuple[str, ...]:
    """File by file, so that a user's own files, build folders and shells in there are left in peace."""
    old = _read_hashes(folder)
    fresh = {path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()}
    edited = {name for name in old if _edited(folder, name, old)}
    kept = () if force else tuple(sorted(name for name in edited & fresh if _belongs_to_user(name)))
    if foreign := [name for name in sorted(fresh - old.keys() - {MANIFEST}) if (folder / name).exists()]:
        _refuse_foreign(folder, foreign, force)
    for name in sorted(fresh - set(kept), key=lambda name: name == MANIFEST):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).replace(folder / name)
    for path in (folder / name for name in old.keys() - fresh - edited):
        if path.is_file():
            path.unlink()
            _remove_empty(folder, path.parent)
    return kept


def _refuse_foreign(folder: Path, names: list[str], force: bool) -> None:
    if not force:
        raise InvalidInput(
            f"{', '.join(names)} in {folder} would be overwritten, but was not written by tecompile",
            "choose another folder with -o, or overwrite with --force",
        )


def _remove_empty(top: Path, folder: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _staging_folder(folder: Path) -> Path:
    """A new folder on the same file system: renaming it into place is one step."""
    home = next(parent for parent in folder.parents if parent.exists())
    staging = home / f".{folder.name}.{os.getpid()}.tmp"
    staging.mkdir()
    return staging


def _write_all(folder: Path, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _is_vacant(folder: Path) -> bool:
    return not folder.exists() or not any(folder.iterdir())


def _belongs_to_user(name: str) -> bool:
    """main.c, link.ld and all of board/, in whichever project folder."""
    path = PurePosixPath(name)
    return path.name in USERS_FILES or path.parent.name == USERS_FOLDER


def _edited(folder: Path, name: str, hashes: Mapping[str, str]) -> bool:
    path = folder / name
    return path.is_file() and _sha256(path.read_bytes()) != hashes[name]


def _read_hashes(folder: Path) -> Mapping[str, str]:
    """What our own manifest says; empty if there is none, or if it is someone else's."""
    try:
        report = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(report, dict) or "tecompile" not in report or not isinstance(report.get("files"), dict):
        return {}
    return {name: str(value) for name, value in report["files"].items() if _is_inside(name)}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, text: str) -> None:
    """One file, whole or not at all."""
    check_file(path)
    staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with _readable_failures(path):
        try:
            staging.write_bytes(text.encode())
            staging.replace(path)
        finally:
            staging.unlink(missing_ok=True)


def check_file(path: Path) -> None:
    """Refuses a file that can't be written, before any long work is done."""
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder", "give the name of a file with -o")
    if not path.parent.is_dir():
        raise InvalidInput(f"{path.parent} is not a folder", "give the name of a file in a folder that exists")
