"""A Program as C: the model's header, code, weights and self-test, and the kernels they use."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from .. import __version__
from ..backends.backend import unique_sources
from ..backends.loops import Affine, Item, StepCall, compress
from ..backends.native.sources import kernel_sources
from ..backends.program import ConstantArray, ParamValue, Program
from ..errors import InternalError
from ..graph import Array, DType, Graph, Op, Tensor, Variable
from ..planner.plan import Full, Plan, RegionUse, Stage, Step, Unit
from ..templating import render
from .border import Converters, input_converters, output_converters
from .layer import LayerView, comment_text

SELFTEST_SEED = 0x7EC0DE01
STORED_BYTES = 64  # outputs up to this size are stored as they are, larger ones as their CRC-32
SELFTEST = "selftest.c.j2"
TEMPLATES: Mapping[str, str] = {
    ".h": "model.h.j2",
    ".c": "model.c.j2",
    "_weights.h": "weights.h.j2",
    "_weights.c": "weights.c.j2",
    "_selftest.c": SELFTEST,
}
BORDER_HEADERS = ("te_border.h", "te_common.h", "te_crc32.h", "te_rows.h")

CTYPES: Mapping[DType, str] = {
    DType.INT8: "int8_t",
    DType.UINT8: "uint8_t",
    DType.INT16: "int16_t",
    DType.INT32: "int32_t",
    DType.INT64: "int64_t",
    DType.FLOAT32: "float",
    DType.BOOL: "uint8_t",
}


@dataclass(frozen=True)
class ModelInfo:
    """What generated files say about the model beyond its Program."""

    source: str  # name of the model file
    sha256: str
    golden: tuple[bytes, ...] = ()  # all outputs for `selftest_inputs`; empty: no self-test
    arena_align: int = 8


def render_model(program: Program, info: ModelInfo) -> dict[str, str]:
    """Every file of the model by name: `<model>.h`, `<model>.c`, ..., and the kernels."""
    model, helpers = ModelView(program, info), {"c_float": c_float, "c_value": c_value, "c_operand": c_operand}
    files = {
        f"{program.name}{suffix}": render(f"model/{template}", model=model, **helpers)
        for suffix, template in TEMPLATES.items()
        if template != SELFTEST or info.golden
    }
    kernels = [*program.sources, *(s for header in BORDER_HEADERS for s in kernel_sources(header))]
    return files | {source.name: source.text for source in unique_sources(kernels)}


def selftest_inputs(graph: Graph) -> list[Array]:
    """The inputs that the generated self-test feeds: see templates/model/selftest.c.j2."""
    state, made = SELFTEST_SEED, []
    for tensor in graph.inputs:
        noise = np.empty(tensor.nbytes, np.uint8)
        for i in range(tensor.nbytes):
            state ^= state << 13 & 0xFFFFFFFF
            state ^= state >> 17
            state ^= state << 5 & 0xFFFFFFFF
            noise[i] = state & 0xFF
        made.append(noise.view(tensor.dtype.numpy).reshape(tensor.shape))
    return made


def c_float(value: float) -> str:
    """The shortest decimal that reads back as the same float32."""
    return f"{np.float32(value)!s}f"


def c_value(value: ParamValue) -> str:
    return "{" + ", ".join(map(str, value)) + "}" if isinstance(value, tuple) else str(value)


def c_operand(value: int) -> str:
    """A number that may follow a minus sign."""
    return f"({value})" if value < 0 else str(value)


@dataclass(frozen=True)
class StageView:
    """A stage as loops; a single call needs no function of its own."""

    function: str
    layers: tuple[int, ...]
    items: tuple[Item, ...]
    how: str

    @property
    def single(self) -> bool:
        return len(self.layers) == 1


@dataclass(frozen=True)
class PortView:
    """A graph input or output."""

    macro: str  # IN0, OUT0
    tensor: Tensor
    buffer: Full
    converters: Converters

    @property
    def ctype(self) -> str:
        return CTYPES[self.tensor.dtype]

    @property
    def shape(self) -> str:
        return ", ".join(map(str, self.tensor.shape)) or "1"

    @property
    def scale(self) -> float:
        return self.tensor.scale

    @property
    def title(self) -> str:
        return f"{'Input' if self.macro.startswith('IN') else 'Output'} {self.macro.lstrip('INOUT')}"


@dataclass(frozen=True)
class VariableView:
    """A member of the model's struct."""

    name: str
    member: str
    ctype: str
    elements: int
    initial: tuple[int, ...]  # empty: `fill` everywhere
    fill: int


@dataclass(frozen=True)
class GoldenView:
    """One expected output of the self-test."""

    index: int
    bytes: tuple[int, ...]  # empty if too many
    crc: int


@dataclass(frozen=True)
class ModelView:
    """What the templates see."""

    program: Program
    info: ModelInfo
    version: str = __version__
    seed: int = SELFTEST_SEED

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def upper(self) -> str:
        return self.name.upper()

    @property
    def plan(self) -> Plan:
        return self.program.plan

    @property
    def regions(self) -> tuple[RegionUse, ...]:
        return self.plan.regions or (RegionUse("unused", 0),)

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(sorted({"te_border.h", "te_rows.h", *(h for call in self.program.calls for h in call.headers)}))

    @property
    def tables(self) -> tuple[ConstantArray, ...]:
        return self.program.constants

    @property
    def weights_crc(self) -> int:
        crc = 0
        for table in self.tables:
            crc = zlib.crc32(_little_endian(table.values), crc)
        return crc

    @cached_property
    def layers(self) -> tuple[LayerView, ...]:
        steps: dict[Op, list[Step]] = {}
        for step in self.plan.steps:
            steps.setdefault(step.op, []).append(step)
        graph = self.plan.graph
        members = {v.name: view.member for v, view in zip(graph.variables, self.variables, strict=True)}
        return tuple(LayerView(call, self.plan, tuple(steps[call.op]), members) for call in self.program.calls)

    @cached_property
    def stages(self) -> tuple[StageView, ...]:
        views, position = [], 0
        for number, stage in enumerate(self.plan.stages):
            views.append(self._stage(number, stage, position))
            position += len(stage.steps)
        return tuple(views)

    @property
    def inputs(self) -> tuple[PortView, ...]:
        graph = self.plan.graph
        return tuple(
            PortView(f"IN{i}", t, self._full(t), input_converters(t, graph.input_border(t)))
            for i, t in enumerate(graph.inputs)
        )

    @property
    def outputs(self) -> tuple[PortView, ...]:
        graph = self.plan.graph
        return tuple(
            PortView(f"OUT{i}", t, self._full(t), output_converters(t, graph.output_border(t)))
            for i, t in enumerate(graph.outputs)
        )

    @property
    def variables(self) -> tuple[VariableView, ...]:
        return tuple(_variable(i, v) for i, v in enumerate(self.plan.graph.variables))

    @property
    def golden(self) -> tuple[GoldenView, ...]:
        return tuple(
            GoldenView(i, tuple(data) if len(data) <= STORED_BYTES else (), zlib.crc32(data))
            for i, data in enumerate(self.info.golden)
        )

    def function(self, op: Op) -> str:
        return self.program.calls[self.layer(op)].function

    def layer(self, op: Op) -> int:
        return self._numbers[op]

    def arguments(self, call: StepCall) -> tuple[Affine, ...]:
        """Of the layer's function: rows or pixels, or one row and some of its columns."""
        parts = self.plan.units[call.op] is Unit.PARTS
        return (call.first, call.left, call.right) if parts else (call.first, call.last)

    @cached_property
    def _numbers(self) -> dict[Op, int]:
        return {op: i for i, op in enumerate(self.plan.ops)}

    def _stage(self, number: int, stage: Stage, position: int) -> StageView:
        layers = tuple(self.layer(op) for op in stage.ops)
        how = "in parts of rows" if any(self.layers[i].unit is Unit.PARTS for i in layers) else "row by row"
        return StageView(f"{self.name}_stage_{number:02d}", layers, compress(stage.steps, position), how)

    def _full(self, tensor: Tensor) -> Full:
        buffer = self.plan.buffers[tensor]
        if not isinstance(buffer, Full):
            raise InternalError(f"{tensor.name} is an input or output of the model but lies in a ring")
        return buffer


def _variable(index: int, variable: Variable) -> VariableView:
    values = [0] if variable.initial is None else variable.initial.reshape(-1).tolist()
    initial = tuple(values) if len(set(values)) > 1 else ()
    name, elements = comment_text(variable.name), prod(variable.shape)
    return VariableView(name, f"state_{index}", CTYPES[variable.dtype], elements, initial, values[0])


def _little_endian(values: Array) -> bytes:
    return values.astype(values.dtype.newbyteorder("<")).tobytes()
