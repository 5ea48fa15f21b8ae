"""The estimate of cycles against sequences counted by hand."""

from __future__ import annotations

import pytest

from tecompile.backends.armv7em import isa
from tecompile.backends.armv7em.cycles import CAL, M4, OPT, PESS, Model, blocks, estimate, executed
from tecompile.backends.armv7em.instr import Instr, Label, Line, Unit

LOAD = isa.ldr("r2", "r0")
LOAD_NEXT = isa.ldr("r3", "r1", 4)
PAIR = isa.ldrd("r2", "r3", "r0", 8)
SUM = isa.smlad("r4", "r8", "r9", "r4")
OTHER_SUM = isa.smlad("r5", "r8", "r9", "r5")


@pytest.mark.parametrize(
    ("model", "block", "cycles"),
    [
        (M4, [], 0),
        (M4, [SUM, SUM, isa.add("r0", "r0", 1)], 3),
        (M4, [LOAD, LOAD_NEXT, SUM, LOAD], 2 + 1 + 1 + 2),
        (M4, [isa.strb("r2", "r0"), LOAD], 1 + 1),
        (M4, [PAIR, LOAD], 3 + 2),
        (M4, [isa.ldm_next("r0", ["r2", "r3", "r4"]), isa.stm_next("r1", ["r2", "r3"])], 4 + 3),
        (M4, [isa.cmp_value("r2", 1), isa.move_if("lt", "r2", 0), isa.bne_back(Label(1))], 1 + 2 + 3),
        # the M7: two at a time, one multiplication, one access, one shift
        (OPT, [isa.add("r0", "r0", 1), isa.add("r1", "r1", 1)], 1),
        (OPT, [isa.add("r0", "r0", 1), isa.add("r1", "r0", 1)], 2),
        (OPT, [isa.add("r0", "r0", 1), isa.add("r0", "r1", 1)], 2),
        (OPT, [SUM, OTHER_SUM], 2),
        (OPT, [SUM, LOAD], 1),
        (OPT, [LOAD, SUM], 2),
        (OPT, [LOAD, LOAD_NEXT], 2),
        (CAL, [LOAD, LOAD_NEXT], 1),
        (OPT, [isa.lsl("r0", "r0", 1), isa.lsl("r1", "r1", 1)], 2),
        (OPT, [SUM, isa.move_if("lt", "r2", 0)], 2),
        # results: sums go on at once, others wait
        (OPT, [SUM, SUM, SUM], 3),
        (OPT, [SUM, isa.smlad("r5", "r4", "r9", "r5")], 3),
        (PESS, [SUM, isa.smlad("r5", "r4", "r9", "r5")], 4),
        (CAL, [SUM, isa.smlad("r5", "r4", "r9", "r5")], 2),
        (OPT, [SUM, isa.ssat8("r4", "r4")], 4),
        (OPT, [LOAD, isa.add("r3", "r2", 1)], 3),
        (OPT, [LOAD, isa.sxtb16("r3", "r2")], 4),
        (OPT, [LOAD, isa.ldr("r3", "r2")], 4),
        (OPT, [isa.add("r0", "r0", 4), LOAD], 3),
        (OPT, [isa.ldr_next("r2", "r0"), isa.ldr_next("r3", "r0")], 2),
        # several words
        (OPT, [SUM, PAIR], 1),
        (PESS, [SUM, PAIR], 2),
        (OPT, [isa.ldm_next("r0", ["r2", "r3", "r6"]), SUM], 3),
        (PESS, [isa.ldm_next("r0", ["r2", "r3", "r6"]), SUM], 4),
        # branches
        (OPT, [SUM, isa.bne_back(Label(1))], 1),
        (PESS, [SUM, isa.bne_back(Label(1))], 2),
        (OPT, [isa.sub_flags("r0", "r0", 1), isa.bne_back(Label(1))], 2),
    ],
)
def test_known_sequences(model: Model, block: list[Instr], cycles: int) -> None:
    assert model.cycles(block) == cycles


def loop(label: Label, *body: Line) -> list[Line]:
    return [label, *body, isa.sub_flags("r0", "r0", 1), isa.bne_back(label)]


def test_loops_weigh_as_often_as_their_labels_say() -> None:
    inner = loop(Label(2, turns=24), SUM)
    lines = [LOAD, *loop(Label(1, turns=3), LOAD, *inner, OTHER_SUM), LOAD]
    assert [(block.turns, len(block.instructions)) for block in blocks(lines)] == [
        (1, 1),
        (3, 1),
        (72, 3),
        (3, 3),
        (1, 1),
    ]
    assert executed(lines) == 1 + 3 + 72 * 3 + 3 * 3 + 1
    assert estimate(lines, M4) == 2 + 3 * 2 + 72 * 5 + 3 * 5 + 2


def test_loops_that_tell_nothing_still_count_more_than_what_is_around_them() -> None:
    lines = [LOAD, *loop(Label(1), SUM)]
    assert [block.turns for block in blocks(lines)] == [1, 8]


def test_a_label_may_be_used_again() -> None:
    lines = [*loop(Label(1, turns=2), SUM), *loop(Label(1, turns=5), SUM)]
    assert [block.turns for block in blocks(lines)] == [2, 5]


def test_a_label_that_is_skipped_to_is_no_loop() -> None:
    end = Label(1)
    lines: list[Line] = [isa.branch("eq", end, forward=True), LOAD, end, SUM]
    assert [block.turns for block in blocks(lines)] == [1, 1, 1]


def test_units_of_instructions_that_the_rules_tell_apart() -> None:
    assert isa.smlal("r0", "r1", "r2", "r3").accumulators == {"r0", "r1"}
    assert isa.smmla("r4", "r4", "r2", "r3").accumulators == {"r3"}
    assert isa.smlad("r4", "r2", "r4", "r4").accumulators == set()  # a factor too: needed early
    assert isa.ssat8("r0", "r0").unit is Unit.SIMD
