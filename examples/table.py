"""Rows of README's table of measurements: `python examples/table.py NAME=MODEL.tflite ...`."""

import json
import subprocess
import sys
from typing import Any

BOARD = "stm32h743"
HEADER = ("model", "MACs", "instructions", "portable C", "RAM", "flash", "equals the reference")


def bench(path: str, kernels: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tecompile", "bench", path, "--board", BOARD, "--kernels", kernels, "--json"]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return found


def row(name: str, path: str) -> tuple[str, ...]:
    native, portable = bench(path, "native"), bench(path, "portable")
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
    print("|", " | ".join(HEADER), "|")
    print("|---|" + "---:|" * (len(HEADER) - 2) + "---|")
    for argument in arguments:
        name, _, path = argument.rpartition("=")
        print("|", " | ".join(row(name or path, path)), "|", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
