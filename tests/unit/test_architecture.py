"""The rules of the house, checked on the sources."""

import ast
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "compiler"

# Top-level modules in the order data flows: each may import only those before it, and itself.
FLOW = [
    *(
        "__init__",
        "errors",
        "templating",
        "regions",
        "graph",
        "rewriting",
        "arith",
        "fixed_point",
        "ops",
        "board",
        "target",
    ),
    *("frontend", "passes", "interpret", "cases", "planner", "backends", "render", "simulate"),
    *("estimate", "report"),
    *("output", "config", "doctor", "pipeline", "evidence", "cli", "__main__"),
]

CODE_FOLDERS = ("compiler", "tests", "examples")
DATA_FOLDERS = ("kernels", "templates", "boards")
MODULES = sorted(PACKAGE.rglob("*.py"))


def top(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    """Top-level modules of our package that a file imports, however it spells them."""
    package = ("tecompile", *path.relative_to(PACKAGE).parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            full = (*base, *(node.module or "").split(".")) if node.module else base
            names = [full] if len(full) > 1 else [(*full, alias.name) for alias in node.names]
            yield from (name[1] for name in names if name[0] == "tecompile")
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("tecompile."))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_only_backwards(path: Path) -> None:
    here = FLOW.index(top(path))
    late = [name for name in imported(path) if name in FLOW and FLOW.index(name) > here]
    assert not late, f"{path.relative_to(ROOT)} imports {', '.join(late)}, which comes later"


def test_the_flow_names_every_module() -> None:
    assert {top(path) for path in MODULES} == set(FLOW)


def test_the_planner_knows_no_backend() -> None:
    assert not [p for p in (PACKAGE / "planner").rglob("*.py") if "backends" in imported(p)]


def test_python_lives_in_code_folders_only() -> None:
    found = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in DATA_FOLDERS)
    assert sorted(found) == [ROOT / folder / "__init__.py" for folder in sorted(DATA_FOLDERS)]
    assert {p.name for p in ROOT.glob("*.py")} == {"setup.py"}
    for folder in DATA_FOLDERS:
        assert len((ROOT / folder / "__init__.py").read_text().splitlines()) == 1


def test_no_board_is_known_by_name_in_python() -> None:
    names = [p.stem for p in (ROOT / "boards").glob("*.toml") if p.stem != "host"]
    assert names
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value:
                assert node.value not in names, f"{path} knows {node.value}"


def function_lengths() -> list[int]:
    nodes = chain.from_iterable(ast.walk(ast.parse(p.read_text("utf-8"))) for p in MODULES)
    return [(n.end_lineno or 0) - n.lineno + 1 for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_functions_and_files_stay_small() -> None:
    lengths = function_lengths()
    assert median(lengths) <= 8
    assert quantiles(lengths, n=20)[-1] <= 35
    assert max(lengths) <= 60
    long = {p.relative_to(ROOT): n for p in MODULES if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert not long


def test_what_python_imports_is_a_dependency() -> None:
    """A clean install must not fail on an import: third-party packages are imported where they are optional."""
    core = {"click", "numpy", "jinja2", "flatbuffers", "tflite", "tecompile"}
    for path in MODULES:
        for node in ast.parse(path.read_text("utf-8")).body:
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                module = name.split(".")[0]
                assert module in core or module in sys.stdlib_module_names, f"{path} imports {module} at its top"
