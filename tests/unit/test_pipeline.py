"""From bytes to files: names, refusals, determinism, and that rewriting is proven on every case."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tecompile.board import load_board
from tecompile.cases import make_case, random_case
from tecompile.errors import CannotMeet, InternalError, InvalidInput
from tecompile.graph import Clamp
from tecompile.ops.conv2d import Conv2D
from tecompile.pipeline import Compilation, Request, c_name, check_names, compile_model, project_files
from tecompile.planner.planner import Optimize
from tecompile.render.project import STACK_BYTES
from tests.models.networks import NETWORKS

FASHION = Path(__file__).parents[2] / "examples" / "fashion_mnist" / "fashion.tflite"
H743 = Request(load_board("stm32h743"))


def fashion(request: Request = H743) -> Compilation:
    return compile_model(FASHION.read_bytes(), FASHION.name, request)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("vww_96_int8", "vww_96_int8"),
        ("My Model (v2).final", "my_model_v2_final"),
        ("96_person", "model_96_person"),
        ("int", "model_int"),
        ("größe", "gr_e"),
    ],
)
def test_names_become_c_identifiers(given: str, name: str) -> None:
    assert c_name(given) == name


@pytest.mark.parametrize(
    "name",
    [
        *("int8", "uint8", "int16", "int32", "int64", "uint_fast8", "intptr", "uintptr", "intmax", "size", "ssize"),
        *("wchar", "ptrdiff", "board", "chip", "stm32", "main", "run", "startup", "stdint", "stddef", "features"),
        *("te", "te_common", "te_x", "class", "unix", "aux", "com1"),
    ],
)
def test_names_that_mean_something_else_get_a_prefix(name: str) -> None:
    assert c_name(name.upper()) == f"model_{name}"


@pytest.mark.parametrize("name", ["int8_vww", "sizes", "tea", "boards", "mainly", "runner"])
def test_names_that_only_look_like_it_do_not(name: str) -> None:
    assert c_name(name) == name


@pytest.mark.parametrize(
    "names", [("kws", "kws_weights"), ("fashion_selftest", "fashion"), ("a", "x", "a_run"), ("a", "a")]
)
def test_models_whose_symbols_would_mix_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput):
        check_names(names)


def test_other_models_may_be_together() -> None:
    check_names(("kws", "kws2", "vww", "vww2_weights", "my_kws"))
    one, two = fashion(replace(H743, name="kws")), fashion(replace(H743, name="kws_weights"))
    with pytest.raises(InvalidInput, match="models kws and kws_weights can't share a firmware"):
        project_files([one, two], "make")


def test_one_file_has_one_text() -> None:
    one, two = fashion(), fashion(replace(H743, name="other"))
    clash = replace(two, model_files={**two.model_files, "te_common.h": "something else"})
    with pytest.raises(InternalError, match=r"different files called te_common\.h"):
        project_files([one, clash], "make")


def test_the_stack_must_fit_beside_the_arena() -> None:
    board = load_board("nucleo-f412zg")
    arena = fashion(Request(board)).program.plan.arena_bytes

    def with_ram(nbytes: int) -> Request:
        memories = tuple(replace(m, nbytes=nbytes) if m.name == "SRAM" else m for m in board.memories)
        return Request(replace(board, memories=memories))

    fashion(with_ram(arena + STACK_BYTES))
    with pytest.raises(CannotMeet, match="does not fit"):
        fashion(with_ram(arena + STACK_BYTES - 1))


def test_a_name_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no C name"):
        c_name("模型")


def test_same_input_same_files() -> None:
    first, second = project_files([fashion()], "make"), project_files([fashion()], "make")
    assert first == second
    assert {"src/main.c", "model/fashion.c", "model/fashion.h", "Makefile"} <= set(first)


def test_ram_is_an_upper_bound() -> None:
    """More memory than is wanted changes nothing; less makes a smaller plan, down to the smallest."""
    arena = fashion().program.plan.arena_bytes
    assert fashion(replace(H743, ram=arena)).program.plan.arena_bytes == arena
    least = fashion(replace(H743, optimize=Optimize.RAM)).program.plan.arena_bytes
    assert fashion(replace(H743, optimize=Optimize.SPEED, ram=least + 300)).program.plan.arena_bytes <= least + 300
    with pytest.raises(CannotMeet, match=r"needs [\d,]+ bytes of arena, --ram allows 1,000"):
        fashion(replace(H743, ram=1000))


def with_flash(nbytes: int) -> Request:
    board = load_board("stm32h743")
    memories = tuple(replace(m, nbytes=nbytes) if m.name == board.code else m for m in board.memories)
    return Request(replace(board, memories=memories))


def test_kernels_are_as_fast_as_the_flash_allows() -> None:
    fast = fashion().program
    thrifty = fashion(with_flash(fast.likely_flash_bytes - 1)).program
    assert thrifty.flash_bytes < fast.flash_bytes == fashion(with_flash(fast.likely_flash_bytes)).program.flash_bytes
    instructions = [sum(choice.instructions for choice in p.plan.choices.values()) for p in (fast, thrifty)]
    assert instructions[0] < instructions[1]
    least = fashion(with_flash(thrifty.flash_bytes)).program
    with pytest.raises(CannotMeet, match=r"does not fit: needs .* of FLASH"):
        fashion(with_flash(least.flash_bytes - 1))


def test_what_does_not_fit_is_refused_before_anything_is_built() -> None:
    board = H743.board
    memories = tuple(replace(m, nbytes=1024) if m.name == "AXI" else m for m in board.memories)
    with pytest.raises(CannotMeet, match=r"does not fit: needs .* of AXI"):
        fashion(Request(replace(board, memories=memories)))


def test_portable_kernels_need_no_assembly() -> None:
    portable, native = fashion(replace(H743, kernels="portable")), fashion()
    assert not [name for name in portable.model_files if name.endswith(".S")]
    assert [name for name in native.model_files if name.endswith(".S")]


def test_a_core_without_dsp_gets_no_assembly() -> None:
    board = replace(H743.board, core=load_board("host").core)
    assert not [name for name in fashion(Request(board)).model_files if name.endswith(".S")]


@pytest.mark.parametrize("name", NETWORKS)
def test_borders_lead_from_the_callers_values_to_the_planned_graph(name: str) -> None:
    """Float and uint8 ends included: make_case compares both graphs on every output byte."""
    compilation = compile_model(NETWORKS[name](), name, H743)
    case = random_case(compilation.original, compilation.graph, seed=3)
    assert [v.shape for v in case.inputs] == [t.shape for t in compilation.graph.inputs]
    assert all(v.dtype == t.dtype.numpy for v, t in zip(case.inputs, compilation.graph.inputs, strict=True))


def test_a_pass_that_changed_a_value_would_be_noticed() -> None:
    compilation = fashion()
    graph = compilation.graph
    first = graph.ops[0]
    assert isinstance(first, Conv2D)
    wrong = replace(graph, ops=(replace(first, clamp=Clamp(-128, -120)), *graph.ops[1:]))
    image = np.random.default_rng(0).integers(-128, 128, graph.inputs[0].shape, np.int8)
    with pytest.raises(InternalError, match="rewriting the graph changed output 0"):
        make_case(compilation.original, wrong, [image])
