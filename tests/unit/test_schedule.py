"""Other orders of the same instructions: what depends on each other stays in order, and who ships what."""

from __future__ import annotations

import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tecompile.backends.armv7em import isa
from tecompile.backends.armv7em.cores import LARGEST_GROWTH, Order, assembled_in, function_in, order_for
from tecompile.backends.armv7em.cycles import CAL, OPT, PESS, DualIssue, estimate, executed
from tecompile.backends.armv7em.function import Function, Routine, check, specified
from tecompile.backends.armv7em.instr import Instr, Label, Line, Unit
from tecompile.backends.armv7em.lowering import Assembled
from tecompile.backends.armv7em.schedule import Issue, reordered, scheduled, taken_apart
from tecompile.board import CORES

DATA = st.sampled_from(["r2", "r3", "r4", "r5", "r12"])
BASES = st.sampled_from(["r0", "r1", "sp"])
POINTERS = st.sampled_from(["r0", "r1"])
OFFSETS = st.sampled_from([0, 4, 8])


@st.composite
def instructions(draw: st.DrawFn) -> Instr:
    """One of every kind that the rules tell apart."""
    a, b, c, d = draw(DATA), draw(DATA), draw(DATA), draw(DATA)
    base, pointer, offset = draw(BASES), draw(POINTERS), draw(OFFSETS)
    choices = [
        isa.ldr(a, base, offset),
        isa.ldr_next(a, pointer),
        isa.str_(a, base, offset),
        isa.strb_next(a, pointer),
        isa.smlad(a, b, c, d),
        isa.smmlar(a, a, b, c),
        isa.sxtb16(a, b),
        isa.asr_by(a, b, c),
        isa.ssat8(a, b),
        isa.add(a, b, offset),
        isa.add(pointer, pointer, offset),
        isa.cmp_value(a, 7),
        isa.move_if("gt", a, 7),
        isa.ldr(pointer, "sp", 4),
    ]
    if a != b:
        choices += [isa.ldrd(a, b, base, offset), isa.ldrd_next(a, b, pointer), isa.smlal(a, b, c, d)]
        choices += [isa.ldm_next(pointer, [a, b]), isa.stm_next(pointer, [a, b])]
    return draw(st.sampled_from(choices))


BLOCKS = st.lists(instructions(), max_size=24)


def depends(first: Instr, second: Instr) -> bool:
    """May the second not go before the first? As the head of schedule.py has it, for registers of one name."""
    if first.writes & (second.reads | second.writes) or first.reads & second.writes:
        return True
    if not (first.touches_memory and second.touches_memory):
        return False
    if second.unit is Unit.STORE:
        return True
    return first.unit is Unit.STORE and first.base == second.base


def places(order: Sequence[Instr], block: Sequence[Instr]) -> list[int]:
    """Where each instruction of `block` has gone; of equal ones the first to the first."""
    found: defaultdict[str, Iterator[int]] = defaultdict(lambda: iter(()))
    for text in {instr.text for instr in block}:
        found[text] = iter([place for place, instr in enumerate(order) if instr.text == text])
    return [next(found[instr.text]) for instr in block]


def assert_same_work(order: Sequence[Instr], block: Sequence[Instr]) -> None:
    assert Counter(order) == Counter(block)
    at = places(order, block)
    for second in range(len(block)):
        for first in range(second):
            assert at[first] < at[second] or not depends(block[first], block[second]), (block[first], block[second])


@given(BLOCKS, st.sampled_from([CAL, OPT, PESS]))
def test_what_depends_stays_in_order(block: list[Instr], model: DualIssue) -> None:
    assert_same_work(Issue(block, model).order(), block)


@given(BLOCKS)
def test_never_worse_than_the_given_order(block: list[Instr]) -> None:
    order = reordered(block)
    assert_same_work(order, block)
    assert OPT.cycles(order) <= OPT.cycles(block)


@given(BLOCKS)
def test_a_schedule_is_no_shorter_than_slot_0_allows(block: list[Instr]) -> None:
    """The model itself: one multiplication or SIMD instruction, one access, and two of anything a cycle."""
    alone = sum(instr.unit in (Unit.MULTIPLY, Unit.SIMD) for instr in block)
    accesses = sum(instr.touches_memory for instr in block)
    assert OPT.cycles(reordered(block)) >= max(alone, accesses, len(block) / 2)


def block_of(*lines: Line) -> list[Instr]:
    return [line for line in lines if isinstance(line, Instr)]


def test_loads_pass_stores_through_other_registers_only() -> None:
    late = isa.ldr("r3", "r1"), isa.smlad("r4", "r3", "r3", "r4"), isa.ssat8("r4", "r4")
    store = isa.strb("r2", "r0")
    assert reordered([store, *late])[0] == late[0]
    same = isa.ldr("r3", "r0", 4), *late[1:]
    assert reordered([store, *same])[0] == store


def test_stepping_keeps_a_pointer_related_to_its_copies() -> None:
    block = [isa.move("r5", "r0"), isa.ldr_next("r2", "r0"), isa.str_("r3", "r5", 4), isa.ldr("r4", "r0")]
    order = reordered([*block, *(isa.smlad(f"r{n}", "r4", "r4", f"r{n}") for n in (6, 7, 8))])
    assert order.index(block[2]) < order.index(block[3])


@pytest.mark.parametrize("derive", [isa.move("r1", "r0"), isa.add("r1", "r0", 4), isa.add_register("r1", "r2", "r0")])
def test_loads_stay_behind_stores_through_what_their_address_comes_from(derive: Instr) -> None:
    late = isa.smlad("r2", "r5", "r5", "r2"), isa.ssat8("r2", "r2")
    block = [derive, *late, isa.strb("r2", "r0"), isa.ldr("r3", "r1"), isa.smlad("r4", "r3", "r3", "r4")]
    order = Issue(block, OPT).order()
    assert order.index(block[3]) < order.index(block[4])
    free = Issue(block[1:], OPT).order()
    assert free.index(block[3]) > free.index(block[4])


def test_stores_stay_behind_all_loads_before_them() -> None:
    """In place: the output overwrites what is not needed any more."""
    block = [isa.smlad("r4", "r5", "r5", "r4"), isa.ldr("r2", "r0", 8), isa.str_("r3", "r1")]
    order = reordered(block)
    assert order.index(block[1]) < order.index(block[2])


def test_nothing_crosses_labels_branches_and_the_stack_pointer() -> None:
    label = Label(1)
    load = isa.ldr("r2", "r0")
    lines = [load, isa.grow_stack(8), load, label, load, isa.bne_back(label), load, isa.shrink_stack(8)]
    assert scheduled(lines) == tuple(lines)


def test_pairs_become_the_same_single_loads() -> None:
    assert isa.ldrd("r2", "r3", "r0", 8).singles == (isa.ldr("r2", "r0", 8), isa.ldr("r3", "r0", 12))
    assert isa.ldrd("r0", "r3", "r0", 8).singles == (isa.ldr("r3", "r0", 12), isa.ldr("r0", "r0", 8))
    assert isa.ldrd("r2", "r3", "r0", -256).singles == ()  # no encoding
    assert isa.ldrd_next("r2", "r3", "r0", 16).singles == (isa.ldr_next("r2", "r0"), isa.ldr_next("r3", "r0", 12))
    assert isa.ldrd_next("r2", "r3", "r0", 264).singles == ()
    assert isa.ldm("r0", ["r2", "r3"]).singles == (isa.ldr("r2", "r0"), isa.ldr("r3", "r0", 4))
    assert isa.ldm("r0", ["r0", "r3"]).singles == ()  # loads its own base
    assert isa.ldm_next("r0", ["r2", "r3"]).singles == (isa.ldr_next("r2", "r0"), isa.ldr_next("r3", "r0"))


@pytest.mark.parametrize(("quarters", "pairs"), [(0, 8), (2, 4), (3, 2), (4, 0)])
def test_a_part_of_the_pairs_is_taken_apart(quarters: int, pairs: int) -> None:
    lines = taken_apart([isa.ldrd("r2", "r3", "r0", 8 * i) for i in range(8)], Fraction(quarters, 4))
    assert [line.words for line in block_of(*lines)].count(2) == pairs
    assert sum(line.words for line in block_of(*lines)) == 16


# --- what the order is derived from: registers that instructions state, against those in their text ------------


NOT_WRITTEN = ("st", "ldm", "cmp", "tst", "b", "push")  # mnemonics that do not write what they name first
WORDS = {"halves": "bb", "half": "b", "condition": "ne", "how": "lsl"}


def example(constructor: Callable[..., object]) -> object:
    """Of any constructor: a register of its own for each, and numbers that all encodings have."""
    registers = iter(["r0", "r1", "r2", "r3", "r4"])
    arguments: list[object] = []
    for parameter in inspect.signature(constructor).parameters.values():
        if parameter.annotation == "str":
            arguments.append(WORDS.get(parameter.name) or next(registers))
        elif parameter.annotation == "Iterable[str]":
            arguments.append(["r6", "r7"])
        elif parameter.annotation == "Label":
            arguments.append(Label(1))
        elif parameter.default is inspect.Parameter.empty:
            arguments.append(8)
    return constructor(*arguments)


def constructors() -> dict[str, Callable[..., object]]:
    return {n: f for n, f in vars(isa).items() if inspect.isfunction(f) and not n.startswith("_") and n != "replace"}


@pytest.mark.parametrize("name", constructors())
def test_instructions_state_the_registers_of_their_text(name: str) -> None:
    made = example(constructors()[name])
    for instr in made if isinstance(made, tuple) else (made,):
        assert isinstance(instr, Instr)
        named = re.findall(r"\b(r\d+|sp|lr|pc)\b", instr.text)
        implied = {"flags"} | ({"sp"} if instr.text.startswith(("push", "pop")) else set())
        assert set(named) == (instr.reads | instr.writes) - implied
        assert instr.text.startswith(NOT_WRITTEN) or named[0] in instr.writes or instr.steps
        mnemonic = instr.text.split()[0]
        assert ("flags" in instr.writes) == bool(re.fullmatch(r"cmp|tst|(add|sub|lsl|lsr|asr)s", mnemonic))
        assert ("flags" in instr.reads) == (mnemonic in ("it", "bne"))
        assert (instr.base in named) == instr.touches_memory or implied >= {"sp"}


# --- who ships what ------------------------------------------------------------------------------------------


def multiplying(groups: int) -> Function:
    """A block of 2 x 4 sums in the order in which one thinks of it: loads, then what they are for."""
    turn, saved = Label(1), isa.CALLEE_SAVED
    lines: list[Line] = [isa.push([*saved, "lr"]), turn]
    for group in range(groups):
        lines.append(isa.ldrd("r2", "r3", "r1", 8 * group))
        for pair in (0, 1):
            lines.append(isa.ldrd("r12", "lr", "r0", 16 * group + 8 * pair))
            sums = [(f"r{4 + 4 * pair + i}", ("r2", "r3")[i % 2], ("r12", "lr")[i // 2]) for i in range(4)]
            lines += [isa.smlad(acc, weight, x, acc) for acc, weight, x in sums]
    lines += [isa.add("r1", "r1", 8 * groups), isa.cmp("r0", "r1"), isa.bne_back(turn), isa.pop_return(saved)]
    return specified("te_test", "a test", lines, arguments=2)


def moving() -> Function:
    """There is nothing to gain."""
    lines = [isa.push(["r4", "lr"]), isa.ldr("r2", "r0"), isa.str_("r2", "r1"), isa.pop_return(["r4"])]
    return specified("te_moving", "a test", lines, arguments=2)


def test_cores_and_their_orders() -> None:
    orders = {name: order_for(core) for name, core in CORES.items() if core.dsp}
    assert orders.pop("cortex-m7") is Order.M7
    assert set(orders.values()) == {Order.GENERATED}


@pytest.mark.parametrize("groups", [1, 4, 12])
def test_the_m7_is_given_the_schedule_where_it_gains(groups: int) -> None:
    function = multiplying(groups)
    made = function_in(Order.M7, function)
    check(made, arguments=2)
    assert made.name.startswith("te_test_m7_") and made.purpose == function.purpose
    assert estimate(made.lines, OPT) * 1.05 < estimate(function.lines, OPT)
    assert executed(function.lines) < executed(made.lines) <= LARGEST_GROWTH * executed(function.lines)


def test_the_generated_order_ships_everywhere_else() -> None:
    function = multiplying(4)
    assert function_in(Order.GENERATED, function) is function
    assert function_in(Order.M7, moving()) == moving()


def test_same_instructions_same_name() -> None:
    made, again = function_in(Order.M7, multiplying(3)), function_in(Order.M7, multiplying(3))
    assert made == again and made.name != function_in(Order.M7, multiplying(4)).name


def test_kernels_are_given_what_ships() -> None:
    routines = [Routine(f, ("int x",), "te_twin", (), "te_twin.h") for f in (multiplying(4), moving())]
    params = {"inputs": 4, "block": routines[0].name, "move": routines[1].name, "table": (1, 2), "stream": "x_stream"}
    made = assembled_in(Order.M7, Assembled(params, (), tuple(routines)))
    names = [routine.name for routine in made.routines]
    assert "_m7_" in names[0] and names[1] == routines[1].name
    assert made.params == params | {"block": names[0]}
    assert [routine.twin for routine in made.routines] == ["te_twin", "te_twin"]
