"""A firmware without mistakes, in NumPy: every call computes from what is in memory, and writes what it should."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tecompile.graph import Array, Op, Part, Tensor
from tecompile.planner.plan import Plan, Step
from tecompile.simulate.session import MARGIN, OnStep, RunCost

Sabotage = Callable[["PerfectSession"], None]


class PerfectSession:
    """A Session. Mistakes come from the plan only, or from what is done to memory after the calls in `sabotage`."""

    simulator = "host"
    pointer_bytes = 8

    def __init__(self, plan: Plan, sabotage: Mapping[int, Sabotage] | None = None) -> None:
        self.plan, self.sabotage = plan, sabotage or {}
        self.memory = [np.zeros(region.nbytes + 2 * MARGIN, np.uint8) for region in plan.regions]
        self._sunk: dict[Op, Array] = {}  # the input of a sink, as far as it has seen it
        self._sums: dict[Op, bytes] = {}
        self._noise = np.random.default_rng(7)

    def read(self, region: int, offset: int, count: int) -> bytes:
        return self.memory[region][MARGIN + offset :][:count].tobytes()

    def write(self, region: int, offset: int, data: bytes) -> None:
        self.memory[region][MARGIN + offset :][: len(data)] = np.frombuffer(data, np.uint8)

    def margins(self, region: int) -> tuple[int, int]:
        return MARGIN, MARGIN

    def run(self, on_step: OnStep) -> RunCost:
        for number, step in enumerate(self.plan.steps):
            self._call(step)
            self.sabotage.get(number, lambda _session: None)(self)
            on_step(number)
        return RunCost(calls=self.plan.steps)

    def read_struct(self, offset: int, count: int) -> bytes:
        raise NotImplementedError

    def stop_counting(self) -> None: ...

    def close(self) -> None: ...

    def _call(self, step: Step) -> None:
        inputs = [
            None if t is None else t.data if t.is_constant else self._load(t, step.read(i))
            for i, t in enumerate(step.op.inputs)
        ]
        if step.sink:
            inputs = [self._sink(step, inputs[0])]
        result = step.op.reference(inputs)[0]
        if step.op in self.plan.scratch:
            self._use_scratch(step)
        self._store(step.op.y, step.written, result)

    def _sink(self, step: Step, value: Array | None) -> Array:
        """Its sums stand for the pixels it has seen: if they are lost, so are those."""
        assert value is not None
        scratch, op = self.plan.scratch[step.op], step.op
        kept = self._sunk.get(op)
        if kept is None or self.read(scratch.region, scratch.offset, scratch.nbytes) != self._sums[op]:
            kept = np.zeros_like(value)
        part = (slice(None), slice(*step.region.rows), slice(*step.region.columns))
        kept[part] = value[part]
        self._sunk[op] = kept
        if step.completes:
            del self._sunk[op]
        return kept

    def _use_scratch(self, step: Step) -> None:
        scratch = self.plan.scratch[step.op]
        self._sums[step.op] = self._noise.bytes(scratch.nbytes)
        self.write(scratch.region, scratch.offset, self._sums[step.op])

    def _load(self, tensor: Tensor, region: Part) -> Array:
        """That part of it; what a call does not read is noise."""
        buffer = self.plan.buffers[tensor]
        data = np.frombuffer(self._noise.bytes(tensor.nbytes), np.uint8).copy()
        for piece in buffer.pieces(region):
            found = np.frombuffer(self.read(buffer.region, piece.offset, piece.nbytes), np.uint8)
            data[piece.position : piece.position + piece.nbytes] = found
        return data.view(tensor.dtype.numpy).reshape(tensor.shape)

    def _store(self, tensor: Tensor, region: Part, value: Array) -> None:
        buffer, data = self.plan.buffers[tensor], np.ascontiguousarray(value).view(np.uint8).reshape(-1)
        for piece in buffer.pieces(region):
            self.write(buffer.region, piece.offset, data[piece.position : piece.position + piece.nbytes].tobytes())
