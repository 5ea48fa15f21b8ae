"""Tables, results, pictures and the page."""

import json
import re
from dataclasses import fields
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest

from tecompile.board import load_board
from tecompile.errors import InvalidInput
from tecompile.graph import Graph, Region, Span
from tecompile.ops.reshape import Reshape
from tecompile.pipeline import Compilation, Request, compile_model
from tecompile.planner.plan import Full, Plan, RegionUse, Step
from tecompile.planner.planner import Point
from tecompile.report.compare import Change, change_json, change_lines, changes, read_result
from tecompile.report.memory import Memory, memory
from tecompile.report.page import render_page
from tecompile.report.picture import pictures
from tecompile.report.plan import buffer_lines, peak_lines, plan_json, schedule, stage_lines
from tecompile.report.result import Result, Source, planned_result
from tecompile.report.summary import layer_lines, summary_lines
from tecompile.report.text import Table, clean, encodable, number, one_line, percent, shorten, size
from tecompile.simulate.liveness import lives
from tests.sim import fake
from tests.sim.fake import Layout, fake_plan
from tests.sim.test_liveness import in_place_plan, make_plan, tensor

MODEL = Path(__file__).parents[2] / "examples" / "fashion_mnist" / "fashion.tflite"

CONTRACT = [
    *("tecompile", "model", "model_sha256", "board", "compiler", "simulator", "kernels", "optimize", "bit_exact"),
    *("inputs_checked", "macs", "macs_live", "macs_executed", "instructions", "cycles_estimate", "ms_estimate"),
    *("estimate_band_percent", "estimate_basis"),
    *("arena_bytes", "input_bytes", "state_bytes", "ram_bytes", "stack_bytes", "flash_bytes", "weights_bytes"),
    *("code_bytes", "plan", "layers"),
]


@pytest.fixture(scope="module")
def compiled() -> Compilation:
    return compile_model(MODEL.read_bytes(), MODEL.name, Request(load_board("stm32h743")))


@pytest.fixture(scope="module")
def result(compiled: Compilation) -> Result:
    source = Source(compiled.source, compiled.sha256, compiled.original.macs, "native", "balanced")
    return planned_result(compiled.program, compiled.request.board, source)


def test_table_aligns_numbers_right_and_text_left() -> None:
    assert Table(("name", "bytes"), [("a", "1,000"), ("long", "2")]).lines() == [
        "name  bytes",
        "a     1,000",
        "long      2",
    ]


def test_table_shortens_text_on_narrow_terminals() -> None:
    rows = [("L00", "model/block_3/expand/BiasAdd", "1,000"), ("L01", "two words and a few more", "2")]
    lines = Table(("layer", "name", "bytes"), rows).lines(width=30)
    assert all(len(line) <= 30 for line in lines)
    assert "…/BiasAdd" in lines[1]
    assert lines[2].startswith("L01    two words and")


def test_table_gives_up_before_it_loses_everything() -> None:
    line = Table(("a", "b"), [("x" * 30, "y" * 30)]).lines(width=5)[1]
    assert line == f"{'x' * 30}  yy…yyy"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (number(1234567), "1,234,567"),
        (number(1.5), "1.50"),
        (number(None), "n/a"),
        (size(12), "12 bytes"),
        (size(2048), "2,048 bytes (2.0 KiB)"),
        (size(None), "n/a"),
        (percent(1, 8), "12.5 %"),
        (percent(1, 0), "n/a"),
        (shorten("short", 9), "short"),
        (shorten("abcdefghij", 5), "ab…ij"),
        (clean("a\x1b[31mb\n"), r"a\x1b[31mb\n"),
        (one_line("first:\n  second\n"), "first: second"),
        (encodable("a … ×", "utf-8"), "a … ×"),
        (encodable("a … × 中", "ascii"), r"a ... x \u4e2d"),
        (encodable("plain", "no such encoding"), "plain"),
    ],
)
def test_small_text(text: str, expected: str) -> None:
    assert text == expected


def test_result_has_the_contracts_keys_in_order(result: Result) -> None:
    assert [f.name for f in fields(Result)] == CONTRACT
    data = json.loads(json.dumps(result.to_json()))
    assert list(data["plan"]) == ["peak", "lower_bound", "stages", "regions"]
    wanted = {"name", "op", "stage", "macs", "instructions", "cycles_estimate", "kernel", "bytes_differ"}
    assert all(set(layer) == wanted for layer in data["layers"])


def test_result_of_a_plan_is_null_where_nothing_ran(result: Result) -> None:
    assert (result.bit_exact, result.instructions, result.flash_bytes, result.stack_bytes) == (None,) * 4
    assert result.macs == 686_370
    assert result.macs_executed is None
    assert result.input_bytes == 784
    assert result.arena_bytes == sum(result.plan.regions.values()) >= result.plan.lower_bound
    assert "not verified" in "\n".join(summary_lines(result))


def test_layers_are_all_listed(result: Result) -> None:
    lines = layer_lines(result, None)
    assert len(lines) == len(result.layers) + 1
    assert all("n/a" in line for line in lines[1:])


LAYOUTS = {
    "rows": Layout(),
    "an output over dead input": Layout(z_offset=0),
    "halves of rows upwards": Layout(parts=2, upwards=True, ring_bytes=5 * fake.ROW // 2, z_offset=0),
    "a sink": Layout(sink=True),
}


@pytest.fixture(params=[*LAYOUTS, "compiled"])
def plan(request: pytest.FixtureRequest) -> Plan:
    """By hand, and as the planner makes them."""
    if request.param == "compiled":
        compiled: Compilation = request.getfixturevalue("compiled")
        return compiled.program.plan
    return fake_plan("AXI", "fake", fake.NOTHING, LAYOUTS[request.param])


def bytes_at(found: Memory, call: float) -> list[set[int]]:
    """What each slab occupies."""
    stretches = (slab.at(call) for slab in found.slabs)
    return [set(range(s.low, s.high)) for s in stretches if s is not None]


def test_slabs_cover_all_that_is_alive(plan: Plan) -> None:
    found, alive = memory(plan), [set[int]() for _ in plan.steps]
    for life in lives(plan):
        for held in alive[max(0, life.birth) : life.death + 1]:
            held.update(b for place in life.places for b in range(place.offset, place.offset + place.nbytes))
    for call, held in enumerate(alive):
        assert held <= set.union(*bytes_at(found, call), *bytes_at(found, call + 0.75))
    for slab in found.slabs:
        assert all(slab.offset <= s.low < s.high <= slab.offset + slab.nbytes for s in slab.stretches)
        assert slab.offset + slab.nbytes <= plan.arena_bytes
        assert 0 <= slab.start < slab.stop <= len(plan.steps)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
def test_slabs_that_meet_in_time_do_not_meet_in_space(layout: Layout) -> None:
    made = fake_plan("AXI", "fake", fake.NOTHING, layout)
    found = memory(made)
    for call in range(len(made.steps)):
        held = bytes_at(found, call)
        assert sum(map(len, held)) == len(set.union(*held))


def test_a_result_in_place_takes_over_in_the_middle_of_the_call() -> None:
    found = {slab.owner: slab for slab in memory(in_place_twice()).slabs}
    assert [(slab.start, slab.stop) for slab in found.values()] == [(0, 0.5), (0.5, 1.5), (1.5, 2)]
    assert memory(in_place_twice()).peak.live_bytes == 24


def test_tensors_that_share_a_ring_are_one_slab() -> None:
    made = in_place_plan(5 * fake.ROW // 2, 0, upwards=False)
    (ring,) = (slab for slab in memory(made).slabs if slab.kind == "ring")
    assert (ring.owner, ring.name, ring.rows) == ("L00_inc, L01_inc", "a, b", 2.5)
    entries = schedule(memory(made))
    assert [entry.place for entry in entries[:2]] == ["ring 30 (2.5 rows)", "in place of L00"]
    assert [entry.how for entry in entries] == ["16 by 1/2 row"] * 3 + ["8 input by row"]


def test_how_layers_run_is_read_off_their_calls() -> None:
    found = {}
    for name, layout in LAYOUTS.items():
        made = fake_plan("AXI", "fake", fake.NOTHING, layout)
        found[name] = [(entry.how, entry.place) for entry in schedule(memory(made))]
    assert found["rows"] == [("8 by row", "ring 36 (3 rows)"), ("8 by row", "whole 96")]
    assert found["an output over dead input"][1] == ("8 by row", "whole 96 over input")
    assert found["halves of rows upwards"][0] == ("16 by 1/2 row, upwards", "ring 30 (2.5 rows)")
    assert found["a sink"][2] == ("8 input by row", "whole 3")


def in_place_twice() -> Plan:
    """x --inc--> y --inc--> z, all in one place, each at once."""
    x, y, z = (tensor(name, (2, 4, 3)) for name in "xyz")
    ops = (fake.Inc(0, (x,), (y,)), fake.Inc(1, (y,), (z,)))
    steps = tuple(Step(op, op.y.whole) for op in ops)
    return make_plan(ops, steps, {t: Full(t, 0, 0) for t in (x, y, z)}, 24)


def test_plan_tells_what_pins_the_peak(plan: Plan) -> None:
    top = memory(plan).peak
    assert top.live_bytes == max(plan.live_bytes)
    assert plan.steps[top.call] in plan.stages[top.stage].steps
    assert sum(held.nbytes for held in top.held) <= plan.arena_bytes
    text = "\n".join(peak_lines(memory(plan), [Point(10**9, 1, 1, 1), Point(plan.arena_bytes - 1, 2, 3, 1)]))
    assert f"{top.live_bytes:,} bytes live" in text
    assert all(f"{held.slab.owner} {held.nbytes:,}" in text for held in top.held[:8])
    assert f"--ram {plan.arena_bytes - 1}" in text
    assert "--kernels portable" not in text
    assert len(stage_lines(memory(plan), None)) == len(plan.ops) + 1
    assert len(buffer_lines(memory(plan), None)) == len(memory(plan).slabs) + 1
    json.dumps(plan_json(memory(plan), []))


def test_a_network_of_views_alone_has_a_picture_too() -> None:
    x, y = tensor("x", (2, 2, 6)), tensor("y", (1, 4, 6))
    graph = Graph("views", (Reshape(0, (x,), (y,)),), (x,), (y,))
    made = Plan(graph, (), {}, {x: Full(x, 0, 0), y: Full(y, 0, 0)}, {}, (RegionUse("AXI", 24),), 24, ())
    assert peak_lines(memory(made), [])[1].endswith("the input, 24 bytes live: input 24")
    assert len(stage_lines(memory(made), None)) == 1
    assert [shape.label for shape in pictures(memory(made))[0].shapes] == ["input 24"]


def test_a_large_plan_is_described_at_once() -> None:
    """60 buffers, 6,000 calls."""
    rows, layers = 100, 60
    tensors = [tensor(f"t{i}", (rows, 8, 4)) for i in range(layers + 1)]
    ops = tuple(fake.Inc(i, (x,), (y,)) for i, (x, y) in enumerate(pairwise(tensors)))
    steps = tuple(Step(op, Region(Span(row, row + 1), Span(0, 8))) for op in ops for row in range(rows))
    buffers = {t: Full(t, 0, 3200 * (i % 2)) for i, t in enumerate(tensors)}
    made, began = make_plan(ops, steps, buffers, 6400), process_time()
    (picture,) = pictures(memory(made))
    assert len(picture.shapes) == layers + 1
    assert sum(len(shape.path) for shape in picture.shapes) < 400_000
    assert process_time() - began < 10


def test_shapes_stay_inside_the_picture(plan: Plan) -> None:
    (picture,) = pictures(memory(plan))
    area = picture.plot
    for shape in picture.shapes:
        for x, y in re.findall(r"([\d.]+),([\d.]+)", shape.path):
            assert area.x <= float(x) <= area.x + area.width + 0.2
            assert area.y - 0.2 <= float(y) <= area.y + area.height + 0.2
        assert shape.path.startswith("M") and shape.path.endswith("Z")
        if shape.label:
            assert shape.at.width >= 6 * len(shape.label)
            assert area.y - 0.2 <= shape.at.y <= shape.at.y + shape.at.height <= area.y + area.height + 0.2
    assert len(picture.stages) == len(plan.stages) == len(picture.borders) + 1
    assert picture.width > area.x + area.width


class _Page(HTMLParser):
    """Checks that tags close, and collects what a browser would load from elsewhere."""

    VOID = {"meta", "rect", "line", "br", "i"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.external: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.external += [str(value) for name, value in attrs if name in ("src", "href", "srcset")]
        if tag in ("script", "link", "iframe", "img"):
            self.external.append(tag)
        if tag not in ("meta", "line", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.external += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(compiled: Compilation, result: Result, details: tuple[str, ...] = ()) -> str:
    board, plan = compiled.request.board, compiled.program.plan
    return render_page(result, compiled.original, plan, board, details, [Point(10**9, 1, 1, 1), Point(1, 2, 3, 1)])


def test_page_is_one_well_formed_file_without_outside_resources(compiled: Compilation, result: Result) -> None:
    text = page(compiled, result)
    parser = _Page()
    parser.feed(text)
    assert parser.open == []
    assert parser.external == []
    assert not re.search(r"https?://|@import|url\(", text)
    assert all(layer.name in text for layer in result.layers)
    assert text == page(compiled, result)


def test_page_escapes_hostile_names(compiled: Compilation, result: Result) -> None:
    assert "<script>" not in page(compiled, result, ("<script>alert(1)</script>",))


def test_changes_know_better_from_worse() -> None:
    found = {c.metric: c for c in changes({"arena_bytes": 100, "macs": 0}, {"arena_bytes": 103, "macs": 5})}
    assert found["arena_bytes"].percent == pytest.approx(3)
    assert found["arena_bytes"].worse(2)
    assert not found["arena_bytes"].worse(3)
    assert found["macs"].worse(1000)
    assert not found["instructions"].worse(0)
    assert not Change("macs", 0, 0).worse(0)
    lines = change_lines(("a", "b"), tuple(found.values()), None)
    assert any("+3.0 %" in line for line in lines)
    assert "Infinity" not in json.dumps(change_json(tuple(found.values())))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"arena_bytes": "many"}', '{"arena_bytes": NaN'])
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(InvalidInput):
        read_result(path)
