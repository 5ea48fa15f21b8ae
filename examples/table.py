"""README's tables of measurements, beside what other tools need: `python examples/table.py FOLDER_OF_MODELS`.

The networks, their files and the others' figures are in peers.toml.
"""

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PEERS = Path(__file__).with_name("peers.toml")
OTHERS = {"tinyengine": "TinyEngine", "tflm": "TFLM, CMSIS-NN", "xcubeai": "X-CUBE-AI", "heliaaot": "heliaAOT"}

Figures = Mapping[str, Any]  # of one network: of `bench --json`, and of the others


def measured(network: Figures, folder: Path, options: Sequence[str]) -> Figures:
    command = [sys.executable, "-m", "tecompile", "bench", str(folder / network["file"]), "--json", *options]
    print(network["name"], file=sys.stderr)
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    if not found["bit_exact"]:
        raise SystemExit(f"{network['name']} differs from the reference")
    return {**network, **found, "ram": found["ram_bytes"] - found["stack_bytes"]}


def speed(networks: Sequence[Figures]) -> Iterable[Sequence[str]]:
    yield "executed instructions", "MACs", "tecompile", "per MAC", *others("instructions", networks)
    for n in networks:
        own, macs = n["instructions"], n["macs"]
        yield n["name"], f"{macs:,}", f"{own:,}", f"{own / macs:.2f}", *theirs("instructions", n, networks, in_millions)


def memory(networks: Sequence[Figures]) -> Iterable[Sequence[str]]:
    yield "bytes of RAM", "tecompile", *others("ram", networks)
    for n in networks:
        yield n["name"], f"{n['ram']:,}", *theirs("ram", n, networks, in_full)


def flash(networks: Sequence[Figures]) -> Iterable[Sequence[str]]:
    yield "bytes of flash", "tecompile", *others("flash", networks)
    for n in networks:
        yield n["name"], f"{n['flash_bytes']:,}", *theirs("flash", n, networks, in_full)


def others(figure: str, networks: Sequence[Figures]) -> list[str]:
    return [title for key, title in OTHERS.items() if any(figure in n.get(key, {}) for n in networks)]


def theirs(figure: str, network: Figures, networks: Sequence[Figures], show: Callable[[int], str]) -> Iterable[str]:
    wanted = others(figure, networks)
    found = {title: network.get(key, {}).get(figure) for key, title in OTHERS.items() if title in wanted}
    return (show(value) if value else "" for value in found.values())


def in_millions(value: int) -> str:
    return f"{value / 1e6:.4g} M"


def in_full(value: int) -> str:
    return f"{value:,}"


def markdown(lines: Iterable[Sequence[str]]) -> Iterable[str]:
    head, *body = lines
    yield f"| {' | '.join(head)} |"
    yield "|---|" + "---:|" * (len(head) - 1)
    yield from (f"| {' | '.join(line)} |" for line in body)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, help="the folder where the files that peers.toml names are")
    parser.add_argument("--board", default="qemu-m4")
    parser.add_argument("--optimize", default="balanced")
    wanted = parser.parse_args()
    options = ["--board", wanted.board, "--optimize", wanted.optimize]
    networks = tomllib.loads(PEERS.read_text("utf-8"))["network"]
    found = [measured(network, wanted.models, options) for network in networks]
    for table in (speed, memory, flash):
        print(*markdown(table(found)), "", sep="\n")


if __name__ == "__main__":
    main()
