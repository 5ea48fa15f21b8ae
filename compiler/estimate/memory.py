"""What memories add to the rules about cores: wait states of flash, lines of a data cache.

Instructions are taken to come from a cache, or from flash that has the next ones ready. Data:

Without a data cache, each line of flash that is loaded from waits once: the few lines that flash interfaces keep let
bytes of one line follow each other, and little more. With one, constants that fit into it are loaded once, others as
often as they are read; activations come and go once. Stores do not wait: they go through a buffer.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..backends.armv7em.instr import Instr, Unit
from ..board import Board, Memory
from ..graph import Op
from ..planner.plan import Plan
from ..simulate.blocks import CodeBlock, Executed
from .cores import CoreCosts
from .decode import CORE, decoded

CACHE_LINE = 32  # bytes, of the Cortex-M7


@dataclass(frozen=True)
class Traffic:
    """Bytes that a layer moves at least once."""

    constants: int = 0
    activations: int = 0

    @classmethod
    def of(cls, plan: Plan, op: Op) -> Traffic:
        tensors = {*op.activations, *op.outputs}
        return cls(plan.choices[op].weight_bytes, sum(tensor.nbytes for tensor in tensors))


def memory_cycles(board: Board, costs: CoreCosts, traffic: Traffic, loaded: int) -> float:
    """Of a layer that loads so many bytes from flash, again and again where it does."""
    flash = board.memory(board.code)
    if not board.data_cache:
        return loaded * flash.wait_states / flash.line_bytes
    constants = min(loaded, traffic.constants) if traffic.constants <= board.data_cache else loaded
    return costs.line_cycles * (constants + traffic.activations) / CACHE_LINE


def flash_bytes(board: Board, executed: Executed) -> int:
    """That were loaded."""
    flash = board.memory(board.code)
    return sum(times * loaded_from(flash, block) for block, times in executed.items())


def loaded_from(memory: Memory, block: CodeBlock) -> int:
    """By one execution, as the addresses tell with which the block was first entered."""
    pointers = {name for name, value in zip(CORE, block.registers, strict=False) if _lies_in(memory, value)}
    found = 0
    for one in decoded(block.code):
        instr = one.instr
        if instr.base in pointers or (not instr.base and _lies_in(memory, block.address)):
            found += one.loaded_bytes
        _follow(instr, pointers)
    return found


def _follow(instr: Instr, pointers: set[str]) -> None:
    """What is computed from an address points where that does; what is loaded might be anything."""
    kept = {instr.base} & pointers
    if instr.unit in (Unit.ALU, Unit.SHIFT) and instr.reads & pointers:
        kept |= instr.writes - {"flags"}
    pointers -= instr.writes
    pointers |= kept


def _lies_in(memory: Memory, address: int) -> bool:
    return memory.origin <= address < memory.end
