"""The function of one operator, as the templates see it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..backends.program import Call, ParamValue
from ..graph import Tensor
from ..planner.plan import Buffer, Full, Plan, Ring, Scratch, Step, Unit, share_place
from ..target import Form


@dataclass(frozen=True)
class RowsView:
    """One te_rows of an operator's function."""

    name: str
    buffer: Buffer

    @property
    def base(self) -> str:
        return f"m->region[{self.buffer.region}] + {self.buffer.offset}"

    @property
    def members(self) -> dict[str, int]:
        """Those of the struct that are not 0, behind `base`."""
        buffer, image = self.buffer, self.buffer.tensor.image
        members = {
            "rows": image.rows,
            "columns": image.columns,
            "pixel_bytes": buffer.tensor.pixel_bytes,
            "row_step": buffer.row_step,
        }
        if isinstance(buffer, Ring):
            members |= {"shift": buffer.shift, "ring_bytes": buffer.nbytes, "wraps": int(buffer.wraps)}
        return {name: value for name, value in members.items() if value}


@dataclass(frozen=True)
class LayerView:
    """The function of one operator."""

    call: Call
    plan: Plan
    steps: tuple[Step, ...]
    members: Mapping[str, str]  # of the model's struct: its variables

    @property
    def function(self) -> str:
        return self.call.function

    @property
    def kernel(self) -> str:
        return self.call.kernel

    @property
    def params(self) -> Mapping[str, ParamValue]:
        return self.call.params

    @property
    def scratch(self) -> Scratch | None:
        return self.plan.scratch.get(self.call.op)

    @property
    def inputs(self) -> tuple[RowsView, ...]:
        """In the operator's order; constants are tables."""
        tensors = [t for t in self.call.op.inputs if t is not None and not t.is_constant]
        names = ["in" if i == 1 else f"in{i}" for i in range(1, len(tensors) + 1)]
        return tuple(RowsView(name, self.plan.buffers[t]) for name, t in zip(names, tensors, strict=True))

    @property
    def outputs(self) -> tuple[RowsView, ...]:
        """One, or none."""
        return tuple(RowsView("out", self.plan.buffers[t]) for t in self.call.op.outputs)

    @property
    def given(self) -> str:
        """What the kernel is given."""
        inputs = ("in", str(len(self.inputs))) if self.call.many_inputs else tuple(rows.name for rows in self.inputs)
        rest = (*(rows.name for rows in self.outputs), "strip", "scratch" if self.scratch else "NULL")
        return ", ".join(("&op", *inputs, *rest, *(f"m->{self.members[name]}" for name in self.call.variables)))

    @property
    def unit(self) -> Unit:
        return self.plan.units[self.call.op]

    @property
    def arguments(self) -> str:
        """Of its C function, behind the model."""
        return ", ".join(f"int32_t {name}" for name in self.argument_names)

    @property
    def argument_names(self) -> tuple[str, ...]:
        return ("row", "from", "to") if self.unit is Unit.PARTS else ("first", "last")

    @property
    def ignored(self) -> tuple[str, ...]:
        """Arguments that the kernel may make no use of: of a single pixel there are no parts."""
        image = self.steps[0].walked.image
        whole = self.plan.choices[self.call.op].form is Form.WHOLE or image.rows * image.columns == 1
        return self.argument_names if whole else ()

    @property
    def strip(self) -> str:
        """What the kernel is asked for, made of the arguments."""
        columns = self.steps[0].walked.image.columns
        if self.unit is Unit.PARTS:
            return "{row, row + 1, from, to}"
        if self.unit is Unit.PIXELS:
            rows = f"first / {columns}, (last - 1) / {columns} + 1"
            return f"{{{rows}, first % {columns}, (last - 1) % {columns} + 1}}"
        return f"{{first, last, 0, {columns}}}"

    @property
    def title(self) -> str:
        op, candidate = self.call.op, self.plan.choices[self.call.op]
        inputs = " + ".join(map(_shape, op.activations)) or "state"
        outputs = " + ".join(map(_shape, op.outputs)) or "state"
        macs = f"{op.macs} MACs, " if op.macs else ""
        return f"{op.title} {inputs} -> {outputs}, {macs}{candidate.kernel} ({candidate.form.value})"

    @property
    def places(self) -> str:
        places = [f"{rows.name}: {_place(rows.buffer)}" for rows in self.inputs]
        for out in self.outputs:
            sharing = next((rows.name for rows in self.inputs if share_place(rows.buffer, out.buffer)), None)
            places.append(f"out: in place of {sharing}" if sharing else f"out: {_place(out.buffer)}")
        places += [f"{self.members[name]}: {comment_text(name)}" for name in self.call.variables]
        if self.scratch:
            places.append(f"scratch: {self.scratch.nbytes} bytes at {self.scratch.region}:{self.scratch.offset}")
        return "; ".join(places)


def comment_text(name: str) -> str:
    """Names come from the file: nothing that would end a comment, or that compilers warn of in one."""
    return re.sub(r"[^\w/.:;,-]|/(?=[*/])", "_", name, flags=re.ASCII)


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _place(buffer: Buffer) -> str:
    where = f"at {buffer.region}:{buffer.offset}"
    if isinstance(buffer, Full):
        return f"full {where}"
    return f"ring of {buffer.nbytes} bytes ({buffer.nbytes / buffer.tensor.row_bytes:.3g} rows) {where}"
