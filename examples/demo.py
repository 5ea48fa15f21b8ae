"""What `make demo` shows: the bundled network on a simulated STM32H743, looking at pictures it never saw.

Compiles examples/fashion_mnist/fashion.tflite, builds the firmware with arm-none-eabi-gcc (or else with
zig's clang), runs it on the test images and compares every tensor of every run with the reference.
"""

import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tecompile.board import load_board
from tecompile.cases import make_case
from tecompile.pipeline import Compilation, Request, compile_model, project_files
from tecompile.simulate.elf import read_elf
from tecompile.simulate.host_machine import HostSession, build_host_library
from tecompile.simulate.session import Session
from tecompile.simulate.simulators import choose_simulator, open_session
from tecompile.simulate.toolchain import find_toolchain
from tecompile.simulate.verify import verify

Array: TypeAlias = NDArray[Any]

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "examples" / "fashion_mnist" / "fashion.tflite"
IMAGES = MODEL.with_name("images.npz")
BOARD = "stm32h743"
OUTPUT = Path("out") / f"fashion-{BOARD}"

SHADES = " .:-=+*#%@"
SHOWN = 6  # pictures
ACROSS = 3


@dataclass(frozen=True)
class Picture:
    """One test image, what it shows, and what the firmware took it for."""

    pixels: Array
    truth: str
    seen: str
    exact: bool

    def lines(self) -> list[str]:
        """Every character stands for two pixels, one above the other; the outermost columns are left out."""
        grey = self.pixels[:, 1:-1, 0].reshape(14, 2, 26).mean(axis=1)
        art = ["".join(SHADES[int(v * (len(SHADES) - 1) / 255)] for v in row) for row in grey]
        verdict = "right" if self.truth == self.seen else f"wrong: {self.truth}"
        return [*art, f"{self.seen} ({verdict})".center(26)[:26]]


def main() -> None:
    compile_project()
    print()
    pictures = look(compile_model(MODEL.read_bytes(), MODEL.name, Request(load_board(BOARD))))
    shown = list({p.truth: p for p in reversed(pictures)}.values())[:SHOWN]  # the first of each class
    for first in range(0, SHOWN, ACROSS):
        blocks = [picture.lines() for picture in shown[first : first + ACROSS]]
        print("\n".join(" ".join(row).rstrip() for row in zip(*blocks, strict=True)) + "\n")
    right, exact = sum(p.truth == p.seen for p in pictures), sum(p.exact for p in pictures)
    print(f"{right} of {len(pictures)} pictures named right ({100 * right / len(pictures):.0f} %)")
    print(f"{exact} of {len(pictures)} runs equal to the reference in every byte of every tensor")
    sys.exit(exact < len(pictures))


def compile_project() -> None:
    """The command anyone would type."""
    command = [str(MODEL.relative_to(ROOT)), "--board", BOARD, "-o", str(OUTPUT), "--force"]
    print("$ tecompile", *command, flush=True)
    subprocess.run([sys.executable, "-m", "tecompile", *command], cwd=ROOT, check=True)


def look(compiled: Compilation) -> list[Picture]:
    """Run the firmware on every test image."""
    data = np.load(IMAGES)
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder, closing(start(compiled, Path(folder))) as session:
        print(f"{len(data['images'])} pictures, one after the other, through the firmware on {session.simulator} ...\n")
        names = [str(name) for name in data["names"]]
        pairs = zip(data["images"], data["labels"], strict=True)
        return [recognise(compiled, session, pixels, names, names[label]) for pixels, label in pairs]


def start(compiled: Compilation, folder: Path) -> Session:
    """The firmware in a simulator; where there is none, the same C code on this computer."""
    program, board = compiled.program, compiled.request.board
    simulator = choose_simulator(board)
    if simulator in (None, "host"):
        return HostSession(
            program, build_host_library(program, compiled.model_files, find_toolchain(load_board("host")), folder)
        )
    elf = find_toolchain(board).build(project_files([compiled], "make"), folder)
    return open_session(simulator, program, board, read_elf(elf))


def recognise(compiled: Compilation, session: Session, pixels: Array, names: list[str], truth: str) -> Picture:
    """One inference; the answer is read from the simulated memory."""
    value = (pixels.astype(np.int16) - 128).astype(np.int8)[np.newaxis]
    case = make_case(compiled.original, compiled.graph, [value])
    outcome = verify(compiled.program, session, [case.inputs], [case.values])
    place = compiled.program.plan.buffers[compiled.graph.outputs[0]]
    output = np.frombuffer(session.read(place.region, place.offset, place.nbytes), np.int8)
    return Picture(pixels, truth, names[int(output.argmax())], outcome.bit_exact)


if __name__ == "__main__":
    main()
