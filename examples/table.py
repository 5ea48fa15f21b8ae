"""Rows of README's tables of measurements: `python examples/table.py --board stm32h743 NAME=MODEL.tflite ...`."""

import argparse
import json
import subprocess
import sys
from typing import Any

HEADER = ("model", "MACs", "instructions", "portable C", "RAM", "flash", "equals the reference")


def bench(path: str, kernels: str, wanted: argparse.Namespace) -> dict[str, Any]:
    options = ["--board", wanted.board, "--optimize", wanted.optimize, "--kernels", kernels, "--json"]
    command = [sys.executable, "-m", "tecompile", "bench", path, *options]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def row(name: str, path: str, wanted: argparse.Namespace) -> tuple[str, ...]:
    native, portable = bench(path, "native", wanted), bench(path, "portable", wanted)
    counts = [
        native["macs"],
        native["instructions"],
        portable["instructions"],
        native["ram_bytes"],
        native["flash_bytes"],
    ]
    exact = native["bit_exact"] and portable["bit_exact"]
    return (name, *(f"{count:,}" for count in counts), "yes" if exact else "NO")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--board", default="stm32h743")
    parser.add_argument("--optimize", default="balanced")
    parser.add_argument("models", nargs="+", metavar="NAME=MODEL.tflite")
    wanted = parser.parse_args(arguments)
    print("|", " | ".join(HEADER), "|")
    print("|---|" + "---:|" * (len(HEADER) - 2) + "---|")
    for argument in wanted.models:
        name, _, path = argument.rpartition("=")
        print("|", " | ".join(row(name or path, path, wanted)), "|", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
