"""Maps the repository's folders onto the import package `tecompile`."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
CODE = ["tecompile", *(f"tecompile.{name}" for name in find_packages(str(HERE / "compiler")))]
DATA = ["kernels", "templates", "boards"]


def data_files(folder: str) -> list[str]:
    """Every file below a data folder, relative to it."""
    root = HERE / folder
    return [str(f.relative_to(root)) for f in sorted(root.rglob("*")) if f.is_file() and f.suffix != ".pyc"]


setup(
    packages=[*CODE, *(f"tecompile.{name}" for name in DATA)],
    package_dir={"tecompile": "compiler", **{f"tecompile.{name}": name for name in DATA}},
    package_data={"tecompile": ["py.typed"], **{f"tecompile.{name}": data_files(name) for name in DATA}},
)
