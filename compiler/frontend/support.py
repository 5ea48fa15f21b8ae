"""What can't be compiled: found all at once, and said in words that help."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..errors import CannotMeet
from ..graph import DType, Graph, Op, Tensor
from ..ops.dequantize import Dequantize
from ..ops.quantize import Quantize
from ..ops.shapes import Shape
from ..ops.table import Table
from .records import printable

_MOST_NUMBERS = 6
_REQUANTISE = (
    "convert it again with full int8 post-training quantisation: a representative_dataset, "
    "supported_ops = [TFLITE_BUILTINS_INT8]"
)


@dataclass(frozen=True)
class Blocker:
    """One reason why a model can't be compiled; `op` is as in `op 7 COS`."""

    op: str
    reason: str


@dataclass(frozen=True)
class Scheme:
    """A kind of model that is refused as a whole."""

    what: str
    hint: str


FLOAT = Scheme("is a float32 model; only quantised models can be compiled", _REQUANTISE)
HYBRID = Scheme("is a hybrid model, int8 weights but float32 activations (dynamic range quantisation)", _REQUANTISE)
ACCELERATORS = {
    "edgetpu-custom-op": Scheme(
        "was compiled for the Edge TPU: its layers are no longer in the file",
        "give the int8 model that edgetpu_compiler was given",
    ),
    "ethos-u": Scheme(
        "was compiled for an Ethos-U by Vela: its layers are no longer in the file",
        "give the int8 model that Vela was given",
    ),
}


class UnsupportedModel(CannotMeet):
    """Valid, but nothing we can compile; `blockers` names every reason."""

    def __init__(self, name: str, blockers: Sequence[Blocker], scheme: Scheme | None = None) -> None:
        self.blockers = tuple(blockers)
        what = scheme.what if scheme is not None else _summary(self.blockers)
        hint = scheme.hint if scheme is not None else "`tecompile ops` lists what is supported, with its limits"
        super().__init__(f"{printable(name, ' ')}{' ' if scheme is not None else ': '}{what}", hint)


def check_supported(graph: Graph) -> None:
    """Raise UnsupportedModel; to be asked of a simplified graph."""
    blockers = [Blocker(op.label, reason) for op in graph.ops for reason in op.unsupported()]
    blockers += [*_unfolded(graph), *_floats(graph), *_constant_outputs(graph)]
    blockers = blockers or list(_unsigned(graph))
    if blockers:
        raise UnsupportedModel(graph.name, blockers)


def _unfolded(graph: Graph) -> Iterator[Blocker]:
    """What depends on no input was computed already, unless its result is too large to store."""
    for op in graph.ops:
        if not op.activations and not op.effects:
            yield Blocker(op.label, f"{op.y.describe()} depends on no input and is too large to store")


def _floats(graph: Graph) -> Iterator[Blocker]:
    """Real numbers may only cross the border: in by QUANTIZE, out by DEQUANTIZE."""
    crossing = {*graph.inputs, *graph.outputs}
    for op in graph.ops:
        for tensor in (*op.activations, *op.outputs):
            if tensor.dtype is DType.FLOAT32:
                where = "not at a border that can be lifted" if tensor in crossing else "inside the network"
                yield Blocker(op.label, f"{tensor.name} is float32 {where}")


def _unsigned(graph: Graph) -> Iterator[Blocker]:
    """Kernels compute on int8: a pass makes that of uint8, unless an operator can't be compiled."""
    for op in graph.ops:
        if not isinstance(op, (Quantize, Dequantize, Table)):
            for tensor in (*op.activations, *op.outputs):
                if tensor.dtype is DType.UINT8 and tensor.quant is not None:
                    yield Blocker(op.label, f"{tensor.name} is uint8 and could not be turned into int8")


def _constant_outputs(graph: Graph) -> Iterator[Blocker]:
    for number, tensor in enumerate(graph.outputs):
        if tensor.is_constant:
            yield Blocker(f"output {number}", f"{tensor.name} is a constant: nothing is computed")


def certain_blockers(ops: Iterable[Op]) -> Iterator[Blocker]:
    """The same before folding: leaves out operators that folding may remove or complete."""
    foldable: set[Tensor] = set()
    for op in ops:
        if isinstance(op, Shape) or (not op.effects and foldable.issuperset(op.activations)):
            foldable.update(op.outputs)
        elif foldable.isdisjoint(op.activations):
            yield from (Blocker(op.label, reason) for reason in op.unsupported())


def _summary(blockers: Sequence[Blocker]) -> str:
    count = len({b.op for b in blockers if b.op.startswith("op ")})
    by_reason: dict[str, dict[str, list[str]]] = {}
    for blocker in blockers:
        kind, number = _kind_and_number(blocker.op)
        by_reason.setdefault(blocker.reason, {}).setdefault(kind, []).append(number)
    groups = [f"{', '.join(_numbered(*item) for item in kinds.items())}: {why}" for why, kinds in by_reason.items()]
    subject = f"{count} operator{'s' * (count != 1)} " if count else ""
    return f"{subject}can't be compiled: {'; '.join(groups)}"


def _kind_and_number(label: str) -> tuple[str, str]:
    """`op 7 COS` as (COS, 7); whatever is not an operator is its own kind."""
    words = label.split(" ", 2)
    return (words[2], words[1]) if len(words) == 3 and words[0] == "op" else (label, "")


def _numbered(kind: str, numbers: list[str]) -> str:
    if numbers == [""]:
        return kind
    more = f" and {len(numbers) - _MOST_NUMBERS} more" if len(numbers) > _MOST_NUMBERS else ""
    return f"{kind} (op{'s' * (len(numbers) > 1)} {', '.join(numbers[:_MOST_NUMBERS])}{more})"
