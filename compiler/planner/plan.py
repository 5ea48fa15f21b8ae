"""What the planner decides: stages, steps, the place of every tensor, one Candidate per operator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from ..graph import Graph, Op, Tensor
from ..target import Candidate, Layout


@dataclass(frozen=True)
class Full:
    """A whole tensor in memory. Views and in-place results share the place of their source."""

    tensor: Tensor
    region: int
    offset: int
    layout: Layout = Layout.NHWC8

    @property
    def slots(self) -> int:
        return self.tensor.image.rows

    @property
    def slot_bytes(self) -> int:
        return self.tensor.row_bytes

    @property
    def nbytes(self) -> int:
        return self.tensor.nbytes

    def row_offset(self, row: int) -> int:
        return self.offset + row * self.slot_bytes


@dataclass(frozen=True)
class Ring:
    """The last few rows of a tensor inside a stage: row r lives in slot r mod slots."""

    tensor: Tensor
    region: int
    offset: int
    slots: int
    slot_bytes: int
    layout: Layout = Layout.NHWC8

    @property
    def nbytes(self) -> int:
        return self.slots * self.slot_bytes

    def row_offset(self, row: int) -> int:
        return self.offset + (row % self.slots) * self.slot_bytes


Buffer: TypeAlias = Full | Ring


@dataclass(frozen=True)
class Scratch:
    """Working memory of one kernel, live only during its calls."""

    region: int
    offset: int
    nbytes: int


@dataclass(frozen=True)
class Step:
    """One kernel call: `op` produces its output rows [first, last)."""

    op: Op
    first: int
    last: int


@dataclass(frozen=True)
class Stage:
    """Operators executed together, strip by strip. One operator: ordinary layer-by-layer."""

    ops: tuple[Op, ...]
    steps: tuple[Step, ...]

    @property
    def streamed(self) -> bool:
        return len(self.ops) > 1


@dataclass(frozen=True)
class RegionUse:
    """How much of one memory the plan takes."""

    memory: str
    nbytes: int


@dataclass(frozen=True)
class Plan:
    """Everything a backend needs to lower a graph. Views appear in `graph` but in no stage."""

    graph: Graph
    stages: tuple[Stage, ...]
    choices: Mapping[Op, Candidate]
    buffers: Mapping[Tensor, Buffer]
    scratch: Mapping[Op, Scratch]
    regions: tuple[RegionUse, ...]
    lower_bound: int  # no placement of these stages can be smaller
    live_bytes: tuple[int, ...]  # by stage

    @property
    def arena_bytes(self) -> int:
        return sum(region.nbytes for region in self.regions)

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """The operators that compute, in the order of the generated code."""
        return tuple(op for stage in self.stages for op in stage.ops)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for stage in self.stages for step in stage.steps)

    def layer_name(self, op: Op) -> str:
        """`L07_dw`: the operator's name in generated code, reports and profiles."""
        return f"L{self._numbers[op]:02d}_{op.short}"

    @cached_property
    def _numbers(self) -> Mapping[Op, int]:
        return {op: number for number, op in enumerate(self.ops)}
