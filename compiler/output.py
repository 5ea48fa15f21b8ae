"""The output folder: appears whole or not at all, and never swallows what a user wrote.

`report.json` lists the hash of every file we wrote. By it a later run recognises its own folder, sees
what was edited since, and replaces the rest.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import InvalidInput

MANIFEST = "report.json"
USERS_OWN = "main.c"  # ours the first time, the user's from the first edit on


@dataclass(frozen=True)
class Written:
    """What became of an output folder."""

    folder: Path
    files: tuple[str, ...]
    kept: tuple[str, ...]  # edited by the user, left as they were


def check_folder(folder: Path, force: bool) -> None:
    """Refuses a folder that can't be written to, before any long work is done."""
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file, not a folder", "choose another folder with -o")
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
    """Writes all files and their manifest; an edited main.c survives unless forced."""
    check_folder(folder, force)
    contents = {name: text.encode() for name, text in sorted(files.items())}
    hashes = {name: _sha256(content) for name, content in contents.items()}
    manifest = json.dumps({**report, "files": hashes}, indent=2) + "\n"
    folder = folder.resolve()
    staging = _staging_folder(folder)
    try:
        _write_all(staging, {**contents, MANIFEST: manifest.encode()})
        if _is_vacant(folder):
            kept: tuple[str, ...] = ()
            _appear(staging, folder)
        else:
            kept = _update(staging, folder, force)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Written(folder, (*contents, MANIFEST), kept)


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
    for name in old.keys() - fresh - edited:
        (folder / name).unlink(missing_ok=True)
        _remove_empty(folder, (folder / name).parent)
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
    return PurePosixPath(name).name == USERS_OWN


def _edited(folder: Path, name: str, hashes: Mapping[str, str]) -> bool:
    path = folder / name
    return path.is_file() and _sha256(path.read_bytes()) != hashes[name]


def _read_hashes(folder: Path) -> Mapping[str, str]:
    """What our own manifest says; empty if there is none, or if it is someone else's."""
    try:
        report = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
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
    if path.is_dir():
        raise InvalidInput(f"{path} is a folder", "give the name of a file with -o")
    staging = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        staging.write_bytes(text.encode())
        staging.replace(path)
    finally:
        staging.unlink(missing_ok=True)
