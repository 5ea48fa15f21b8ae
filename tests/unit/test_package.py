"""What is installed is what is in the tree: wheel, editable install and source archive."""

import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

import tecompile

ROOT = Path(__file__).parents[2]
FOLDERS = {"compiler": "tecompile", "kernels": "tecompile/kernels", "templates": "tecompile/templates"}
FOLDERS |= {"boards": "tecompile/boards"}
LEAVE = shutil.ignore_patterns(
    "__pycache__", ".git", ".venv", ".*_cache", ".hypothesis", "build", "dist", "*.egg-info", "out", "*.pyc"
)


def in_the_tree() -> Iterator[str]:
    """Every file of the code and data folders, as it should be called in the wheel."""
    for folder, package in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
                yield f"{package}/{path.relative_to(ROOT / folder).as_posix()}"


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both archives, built from a copy: builds leave things behind."""
    work = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT, work / "tree", ignore=LEAVE)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(work), str(work / "tree")]
    subprocess.run(command, check=True, capture_output=True, timeout=300)  # the wheel is built from the archive
    return work


def test_the_wheel_holds_every_file_and_nothing_else(archives: Path) -> None:
    (wheel,) = archives.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
        info = {name.split("/", 1)[1] for name in opened.namelist() if ".dist-info/" in name}
    assert names == set(in_the_tree())
    assert {"licenses/LICENSE", "METADATA", "entry_points.txt"} <= info


def test_the_source_archive_can_be_built_from(archives: Path) -> None:
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.split("/", 1)[1] for name in opened.getnames() if "/" in name}
    assert {"LICENSE", "README.md", "setup.py", "pyproject.toml", "compiler/cli/app.py"} <= names


def test_the_wheel_works_where_nothing_else_is(archives: Path) -> None:
    """Installed in a new environment that sees this one's dependencies but not this tree."""
    home = archives / "venv"
    venv.create(home, with_pip=False)
    site = next(home.rglob("site-packages"))
    (wheel,) = archives.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(site)
    dependencies = Path(str(resources.files("click"))).parent
    (site / "dependencies.pth").write_text(str(dependencies))
    python = next(p for p in (home / "bin" / "python", home / "Scripts" / "python.exe") if p.exists())
    model = ROOT / "examples" / "fashion_mnist" / "fashion.tflite"
    command = [str(python), "-m", "tecompile", str(model), "--board", "stm32h743", "--verify", "none", "-o", "out"]
    done = subprocess.run(command, cwd=archives, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (archives / "out" / "CMakeLists.txt").is_file()
    where = subprocess.run(
        [str(python), "-c", "import tecompile; print(tecompile.__file__)"],
        cwd=archives,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(site)


def test_data_is_found_where_it_is_installed() -> None:
    for name in ("kernels", "templates", "boards"):
        assert any(resources.files(f"tecompile.{name}").iterdir())


def test_version_is_stated_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "version" in project["dynamic"]
    assert tecompile.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_the_licence_is_whole_and_frees_what_is_emitted() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert "EMITTED CODE" in text
