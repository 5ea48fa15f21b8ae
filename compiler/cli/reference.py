"""`tecompile run`: the NumPy reference on the network as the file states it, borders included."""

from __future__ import annotations

import lzma
import pickle
import struct
import tokenize
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from ..errors import InvalidInput
from ..frontend import POLICIES, check_supported, parse, with_rounding
from ..graph import Array, Graph, Tensor
from ..interpret import initial_state, random_inputs
from ..interpret import run as run_graph
from ..output import check_file
from ..passes import simplify
from ..report.text import shorten
from .console import Console
from .options import Name, common_options, model_argument, seed_option
from .work import read_bytes

MOST_VALUES = 4096  # of one output in --json; more belong into --output
SHOWN_VALUES = 10
SOURCE_HELP = "Default: random. With state, one more axis in front is a sequence of inputs."

# What np.load raises on files that are none, cut short or made to hurt.
UNREADABLE = (
    *(OSError, ValueError, EOFError, MemoryError, OverflowError, RecursionError, NotImplementedError, RuntimeError),
    *(KeyError, AttributeError, TypeError, SyntaxError, tokenize.TokenError, pickle.UnpicklingError),
    *(zipfile.BadZipFile, zlib.error, struct.error, lzma.LZMAError),
)


@click.command()
@model_argument
@click.option("--input", "source", type=click.Path(path_type=Path), metavar="FILE", help=SOURCE_HELP)
@click.option("--output", "target", type=click.Path(path_type=Path), metavar="FILE", help=".npz or .npy.")
@click.option("--rounding", type=Name(tuple(POLICIES)), default="tflm", show_default=True, help="Whose arithmetic.")
@seed_option
@common_options
def run(
    console: Console, as_json: bool, model: Path, source: Path | None, target: Path | None, rounding: str, seed: int
) -> None:
    """The NumPy reference, float and uint8 borders included."""
    if target is not None:
        _check_target(target)
    graph = with_rounding(parse(read_bytes(model), model.stem), rounding)
    check_supported(simplify(graph))
    if target is not None and target.suffix == ".npy" and len(graph.outputs) > 1:
        raise InvalidInput(f"{len(graph.outputs)} outputs don't fit into one .npy", "end the name in .npz")
    inputs = random_inputs(graph, seed) if source is None else _load(source, graph)
    with console.working("computing"):
        outputs = _outputs(graph, inputs)
    if target is not None:
        _save(target, outputs)
    if as_json:
        console.json(
            {"model": model.name, "outputs": [_json(*pair) for pair in zip(graph.outputs, outputs, strict=True)]}
        )
    else:
        console.data([_line(*pair) for pair in zip(graph.outputs, outputs, strict=True)])


def _outputs(graph: Graph, inputs: Sequence[Array]) -> list[Array]:
    """Of one inference from the initial state; of as many as the inputs have entries along one more axis in front."""
    lengths = {
        value.shape[0] if value.shape[1:] == tensor.shape and value.ndim else 0
        for tensor, value in zip(graph.inputs, inputs, strict=True)
    }
    if not graph.variables or len(lengths) != 1 or 0 in lengths:
        return run_graph(graph, inputs)
    state = initial_state(graph)
    runs = [run_graph(graph, list(frame), state) for frame in zip(*inputs, strict=True)]
    return [np.stack(values) for values in zip(*runs, strict=True)]


def _load(path: Path, graph: Graph) -> list[Array]:
    """By the inputs' names, or arr_0, arr_1, ... in order; a .npy file is the only input."""
    arrays = _read_arrays(path)
    names = [t.name for t in graph.inputs]
    if not set(names) <= arrays.keys():
        names = [f"arr_{i}" for i in range(len(names))]
    if missing := [name for name in names if name not in arrays]:
        raise InvalidInput(
            f"{path} has no {', '.join(missing)}",
            f"save inputs in order with np.savez, or by name: {', '.join(t.name for t in graph.inputs)}",
        )
    return [arrays[name] for name in names]


def _read_arrays(path: Path) -> Mapping[str, Array]:
    try:
        with path.open("rb") as stream, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NumPy: about headers that only it minds
            loaded = np.load(stream, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return {"arr_0": loaded}
            arrays = {name: loaded[name] for name in loaded.files}
        return {name: value for name, value in arrays.items() if isinstance(value, np.ndarray)}  # not raw members
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error).split("\n")[0] or type(error).__name__
        raise InvalidInput(
            f"can't read {path}: {reason}", "give a .npz or .npy file as np.savez or np.save write it"
        ) from None


def _check_target(path: Path) -> None:
    if path.suffix not in (".npz", ".npy"):
        raise InvalidInput(f"--output {path} is neither .npz nor .npy", "end the name in .npz")
    check_file(path)


def _save(path: Path, outputs: Sequence[Array]) -> None:
    if path.suffix == ".npy":
        np.save(path, outputs[0])
    else:
        np.savez(path, *outputs)


def _json(tensor: Tensor, value: Array) -> dict[str, Any]:
    values = value.reshape(-1).tolist() if value.size <= MOST_VALUES else None
    return {"name": tensor.name, "dtype": tensor.dtype.value, "shape": list(value.shape), "values": values}


def _line(tensor: Tensor, value: Array) -> str:
    flat = value.reshape(-1)
    digits = ", ".join(f"{v:.6g}" if value.dtype.kind == "f" else str(v) for v in flat[:SHOWN_VALUES])
    more = ", …" if flat.size > SHOWN_VALUES else ""
    shape = ",".join(map(str, value.shape))
    return f"{shorten(tensor.name, 40)} {tensor.dtype.value}[{shape}]: {digits}{more}"
