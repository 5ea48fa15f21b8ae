"""Tables, results, pictures and the page."""

import json
import re
from dataclasses import fields
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tecompile.board import load_board
from tecompile.errors import InvalidInput
from tecompile.pipeline import Compilation, Request, compile_model
from tecompile.report.compare import Change, change_json, change_lines, changes, read_result
from tecompile.report.memory import peak, slabs
from tecompile.report.page import render_page
from tecompile.report.picture import pictures
from tecompile.report.plan import buffer_lines, peak_lines, plan_json, stage_lines
from tecompile.report.result import Result, Source, planned_result
from tecompile.report.summary import layer_lines, summary_lines
from tecompile.report.text import Table, clean, encodable, number, one_line, percent, shorten, size

MODEL = Path(__file__).parents[2] / "examples" / "fashion_mnist" / "fashion.tflite"

CONTRACT = [
    *("tecompile", "model", "model_sha256", "board", "compiler", "simulator", "kernels", "optimize", "bit_exact"),
    *("inputs_checked", "macs", "macs_live", "macs_executed", "instructions", "cycles_estimate", "ms_estimate"),
    *("arena_bytes", "input_bytes", "ram_bytes", "stack_bytes", "flash_bytes", "weights_bytes", "code_bytes"),
    *("plan", "layers"),
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
    assert (result.bit_exact, result.instructions, result.flash_bytes, result.ms_estimate) == (None,) * 4
    assert result.macs == 686_370
    assert result.macs_executed == result.macs  # nothing is computed twice
    assert result.input_bytes == 784
    assert result.arena_bytes == sum(result.plan.regions.values()) >= result.plan.lower_bound
    assert "not verified" in "\n".join(summary_lines(result))


def test_layers_are_all_listed(result: Result) -> None:
    lines = layer_lines(result, None)
    assert len(lines) == len(result.layers) + 1
    assert all("n/a" in line for line in lines[1:])


def test_slabs_cover_exactly_what_is_live(compiled: Compilation) -> None:
    """What the picture shows at a stage is what the planner counted there, in-place results once."""
    plan = compiled.program.plan
    for stage, live in enumerate(plan.live_bytes):
        held = [s for s in slabs(plan) if s.lives_in(stage)]
        covered = {byte for s in held for byte in range(s.offset, s.offset + s.nbytes)}
        assert len(covered) == live
        ends = max(s.offset + s.nbytes for s in held)
        assert ends <= plan.arena_bytes


def test_slabs_that_meet_in_time_do_not_meet_in_space(compiled: Compilation) -> None:
    found = slabs(compiled.program.plan)
    for i, a in enumerate(found):
        for b in found[i + 1 :]:
            together = a.start < b.stop and b.start < a.stop
            assert not (together and a.touches(b)), (a, b)


def test_plan_tells_what_pins_the_peak(compiled: Compilation) -> None:
    plan = compiled.program.plan
    top = peak(plan)
    assert top.live_bytes == max(plan.live_bytes) == plan.lower_bound
    text = "\n".join(peak_lines(plan, [("--optimize ram", plan.arena_bytes - 1), ("--kernels portable", 10**9)]))
    assert f"{top.live_bytes:,} bytes live" in text
    assert "--optimize ram" in text
    assert "--kernels portable" not in text
    assert len(stage_lines(plan, None)) == len(plan.ops) + 1
    assert len(buffer_lines(plan, None)) == len(slabs(plan)) + 1
    json.dumps(plan_json(plan, []))


def test_boxes_stay_inside_the_picture(compiled: Compilation) -> None:
    (picture,) = pictures(compiled.program.plan)
    area = picture.plot
    for box in picture.boxes:
        assert area.x <= box.x
        assert box.x + box.width <= area.x + area.width + 0.2
        assert area.y - 0.2 <= box.y
        assert box.y + box.height <= area.y + area.height + 0.2
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
    return render_page(result, compiled.original, plan, board, details, [("--optimize ram", 1)])


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
