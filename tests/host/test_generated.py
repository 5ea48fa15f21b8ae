"""The generated files as a user meets them: init, self-test, converters, hooks, C++, warnings, cores."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tecompile.backends.backend import lower_program
from tecompile.backends.native import NativeTarget
from tecompile.board import load_board
from tecompile.graph import Border, DType, Graph, Quant, Rounding, Tensor, Variable
from tecompile.interpret import run
from tecompile.ops.dequantize import Dequantize
from tecompile.ops.quantize import Quantize
from tecompile.planner.plan import Plan
from tecompile.render.flags import gcc_flags
from tecompile.render.model import selftest_inputs
from tecompile.render.project import render_project

from .build import GCC, ZIG, compile_c, compiler, model_files, write_files
from .chains import chain, conv, dw, pool, residual
from .ops import KINDS, Draw, one_op_graph
from .plans import plain_plan, pull_steps, streamed_plan, strip_candidate, strips

ARM = ("arm-none-eabi-gcc", "-mthumb")
KERNELS = Path(__file__).parents[2] / "kernels/c"
LIBRARY = {"memcpy", "memmove", "memset"}  # what compilers call on their own
TARGET = NativeTarget()
CHOOSE = strip_candidate(TARGET)
SMALL = chain([conv(3, 2), dw(3, 1), conv(1, 1, 4), pool(3, 2)], 12, 10, 3)


def golden(graph: Graph) -> tuple[bytes, ...]:
    return tuple(value.tobytes() for value in run(graph, selftest_inputs(graph)))


def streamed(graph: Graph) -> Plan:
    choices = {op: CHOOSE(op) for op in graph.ops}
    return streamed_plan(graph, choices, pull_steps(graph, choices, strips(1)))


def build_and_run(folder: Path, models: dict[str, Plan], main: str, options: Sequence[str] = ()) -> str:
    """Compile models and a main function into a program; what it prints."""
    for name, plan in models.items():
        write_files(folder, model_files(name, plan, golden(plan.graph)))
    write_files(folder, {"main.c": main})
    sources = [folder / f"{name}{part}.c" for name in models for part in ("", "_weights", "_selftest")]
    compile_c(GCC, ["-O1", *options, "-o", folder / "program", folder / "main.c", *sources])
    done = subprocess.run([folder / "program"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


MAIN = """
#include <stdio.h>
#include "NAME.h"
static UPPER_ATTR_ARENA uint8_t arena[UPPER_ARENA_BYTES];
static NAME_t m;
int main(void)
{
    const te_region region = {arena, sizeof arena};
BODY
    return 0;
}
"""


def main_of(name: str, body: str) -> str:
    return MAIN.replace("NAME", name).replace("UPPER", name.upper()).replace("BODY", body)


def test_selftest_and_weight_check_notice_damage(tmp_path: Path) -> None:
    body = """
    printf("%d ", tiny_init(&m, &region, 1));
    printf("%d %d\\n", tiny_selftest(&m), tiny_check_weights());
    ((int8_t *)(uintptr_t)tiny_L00_conv_weights)[5] ^= 64;
    printf("%d %d\\n", tiny_selftest(&m), tiny_check_weights());"""
    text = main_of("tiny", body).replace('#include "tiny.h"', '#include "tiny_weights.h"')
    writable = '-DTINY_ATTR_WEIGHTS=__attribute__((section(".data")))'
    out = build_and_run(tmp_path, {"tiny": streamed(SMALL)}, text, [writable])
    assert out == "0 0 0\n-5 -4\n"


def test_init_checks_its_regions(tmp_path: Path) -> None:
    body = """
    const te_region small = {arena, sizeof arena - 1}, odd = {arena + 1, sizeof arena}, none = {NULL, sizeof arena};
    printf("%d %d %d %d", tiny_init(NULL, &region, 1), tiny_init(&m, NULL, 1), tiny_init(&m, &region, 0), tiny_run(&m));
    printf(" %d %d %d", tiny_init(&m, &small, 1), tiny_init(&m, &odd, 1), tiny_init(&m, &none, 1));
    printf(" %d", tiny_input(&m, 1) == NULL && tiny_output(&m, -1) == NULL);"""
    assert build_and_run(tmp_path, {"tiny": streamed(SMALL)}, main_of("tiny", body)) == "-1 -1 -1 -1 -2 -3 -1 1"


def test_hook_sees_every_step_in_order(tmp_path: Path) -> None:
    plan = streamed(SMALL)
    body = "    return tiny_init(&m, &region, 1) || tiny_run(&m);"
    hook = """
void seen(const tiny_t *model, int32_t step, int32_t layer);
void seen(const tiny_t *model, int32_t step, int32_t layer) { (void)model; printf("%d:%d ", (int)step, (int)layer); }
"""
    out = build_and_run(tmp_path, {"tiny": plan}, main_of("tiny", body) + hook, ["-DTINY_LAYER_HOOK=seen"])
    assert out.split() == [f"{i}:{plan.ops.index(step.op)}" for i, step in enumerate(plan.steps)]


def test_two_models_share_one_program(tmp_path: Path) -> None:
    models = {"tiny": streamed(SMALL), "other": plain_plan(residual(9, 7, 3), CHOOSE)}
    body = """
    static OTHER_ATTR_ARENA uint8_t second[OTHER_ARENA_BYTES];
    static other_t n;
    const te_region region2 = {second, sizeof second};
    printf("%d%d", tiny_init(&m, &region, 1), other_init(&n, &region2, 1));
    printf("%d%d%d", tiny_selftest(&m), other_selftest(&n), tiny_selftest(&m));"""
    text = main_of("tiny", body).replace('#include "tiny.h"', '#include "tiny.h"\n#include "other.h"')
    assert build_and_run(tmp_path, models, text) == "00000"


def bordered() -> Graph:
    """Float pictures in, float scores out."""
    graph = one_op_graph(KINDS["conv2d"](Draw(np.random.default_rng(4))))
    x, y = graph.inputs[0], graph.outputs[0]
    real_x, real_y = (Tensor(f"real_{t.name}", t.shape, DType.FLOAT32) for t in (x, y))
    borders = (
        Border(x, real_x, Quantize(90, (real_x,), (x,), Rounding.DOUBLE)),
        Border(y, real_y, Dequantize(91, (y,), (real_y,))),
    )
    return replace(graph, borders=borders)


def test_real_converters(tmp_path: Path) -> None:
    graph = bordered()
    values = np.random.default_rng(2).normal(0, graph.inputs[0].scale * 60, graph.inputs[0].shape).astype(np.float32)
    inner = graph.borders[0].convert(values)
    (want,) = run(graph, [inner])
    body = f"""
    static const float values[] = {{ {", ".join(f"{float(v)!r}f" for v in values.reshape(-1))} }};
    static float scores[{want.size}];
    tiny_init(&m, &region, 1);
    tiny_input_0_from_f32(&m, values);
    for (int i = 0; i < {inner.size}; i++) printf("%d ", tiny_input_0(&m)[i]);
    tiny_run(&m);
    tiny_output_0_to_f32(&m, scores);
    for (int i = 0; i < {want.size}; i++) printf("%.9g ", (double)scores[i]);"""
    printed = build_and_run(tmp_path, {"tiny": plain_plan(graph, CHOOSE)}, main_of("tiny", body)).split()
    np.testing.assert_array_equal(np.array(printed[: inner.size], np.int8), inner.reshape(-1))
    real = graph.borders[1].convert(want).reshape(-1)
    np.testing.assert_array_equal(np.array(printed[inner.size :], np.float32), real)


@pytest.mark.parametrize("zero", [3, 131])
def test_byte_converters(tmp_path: Path, zero: int) -> None:
    """Shifted by 128 it is a subtraction, else a table; both are the border's own operator."""
    graph = one_op_graph(KINDS["relu"](Draw(np.random.default_rng(8))))
    x, y = replace(graph.inputs[0], quant=Quant((0.1,), (3,))), graph.outputs[0]
    graph = Graph("net", (replace(graph.ops[0], inputs=(x,)),), (x,), (y,))
    outer = Tensor("pixels", x.shape, DType.UINT8, Quant((0.1,), (zero,)))
    scores = Tensor("scores", y.shape, DType.UINT8, Quant((y.scale,), (y.zero_point + 128,)))
    quantize = [Quantize(0, (a,), (b,), Rounding.DOUBLE) for a, b in ((outer, x), (y, scores))]
    graph = replace(graph, borders=(Border(x, outer, quantize[0]), Border(y, scores, quantize[1])))
    values = np.random.default_rng(2).integers(0, 256, x.shape, dtype=np.uint8)
    (want,) = run(graph, [graph.borders[0].convert(values)])
    body = f"""
    static const uint8_t values[] = {{ {", ".join(map(str, values.reshape(-1)))} }};
    static uint8_t scores[{want.size}];
    tiny_init(&m, &region, 1);
    tiny_input_0_from_u8(&m, values);
    tiny_run(&m);
    tiny_output_0_to_u8(&m, scores);
    for (int i = 0; i < {want.size}; i++) printf("%d ", scores[i]);"""
    printed = build_and_run(tmp_path, {"tiny": plain_plan(graph, CHOOSE)}, main_of("tiny", body)).split()
    np.testing.assert_array_equal(np.array(printed, np.uint8), graph.borders[1].convert(want).reshape(-1))


def test_state_lives_in_the_struct(tmp_path: Path) -> None:
    state = Variable("h", (3,), DType.INT8, np.array([1, -2, 3], np.int8)), Variable("c", (2, 2), DType.INT16)
    plan = plain_plan(replace(SMALL, variables=state), CHOOSE)
    body = """
    tiny_init(&m, &region, 1);
    m.state_0[1] = 9, m.state_1[3] = 7;
    tiny_reset(&m);
    printf("%d %d %d %d", m.state_0[0], m.state_0[1], m.state_0[2], m.state_1[3]);"""
    assert build_and_run(tmp_path, {"tiny": plan}, main_of("tiny", body)) == "1 -2 3 0"


DRAWN = 2  # operators of each kind


def everything(folder: Path) -> Path:
    """One C file with a model for every kind of operator, a chain and their self-tests."""
    draw = Draw(np.random.default_rng(17))
    graphs = [*(one_op_graph(make(draw)) for make in KINDS.values() for _ in range(DRAWN)), SMALL, bordered()]
    plans = [
        *(
            plain_plan(g, lambda op, n=n: NativeTarget().candidates(op)[-n], False, strips(n))
            for n in (0, 1)
            for g in graphs
        ),
        streamed(SMALL),
    ]
    lines = ['#include "te_crc32.h"']
    for i, plan in enumerate(plans):
        write_files(folder, model_files(f"m{i}", plan, golden(plan.graph)))
        lines += [f"#define {name} m{i}_{name}" for name in ("fill_with_noise", "differs")]
        lines += [f'#include "m{i}{part}.c"' for part in ("", "_weights", "_selftest")]
        lines += [f"#undef {name}" for name in ("fill_with_noise", "differs")]
    lines += ["int run_all(void);", "int run_all(void)", "{"]
    lines += [TEST.replace("NAME", f"m{i}").replace("UPPER", f"M{i}") for i in range(len(plans))]
    write_files(folder, {"all.c": "\n".join([*lines, "return 0;", "}"])})
    return folder / "all.c"


TEST = """
    {
        static UPPER_ATTR_ARENA uint8_t arena[UPPER_ARENA_BYTES];
        static NAME_t m;
        const te_region region = {arena, sizeof arena};
        if (NAME_init(&m, &region, 1) || NAME_selftest(&m) || NAME_check_weights()) return __LINE__;
    }"""
MAIN_ALL = "int run_all(void);\nint main(void) { return run_all() != 0; }\n"


@pytest.fixture(scope="module")
def all_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return everything(tmp_path_factory.mktemp("all"))


def run_all(command: Sequence[str], source: Path, name: str, options: Sequence[str]) -> None:
    write_files(source.parent, {"main.c": MAIN_ALL})
    program = source.parent / name
    compile_c(command, [*options, "-o", program, source.parent / "main.c", source])
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_all_models_without_undefined_behaviour(all_models: Path) -> None:
    options = ("-O1", "-fsanitize=undefined,address", "-fno-sanitize-recover=all")
    run_all(GCC, all_models, "sanitized", options)


def test_all_models_without_gnu_extensions(all_models: Path) -> None:
    run_all(GCC, all_models, "plain", ("-O1", "-U__GNUC__"))


def test_all_models_through_zig(all_models: Path) -> None:
    pytest.importorskip("ziglang")
    run_all(ZIG, all_models, "through_zig", ("-O2",))


def check_arm(source: Path, command: Sequence[str], options: Sequence[str], name: str) -> None:
    """No warnings, and nothing is called but what every compiler calls on its own."""
    built = source.parent / name
    compile_c(command, [*options, "-c", "-o", built, source])
    listed = subprocess.run(["arm-none-eabi-nm", "-u", built], capture_output=True, text=True, check=True).stdout
    missing = {name for name in listed.split() if name != "U" and not name.startswith(("__aeabi_", "__gnu_thumb1_"))}
    assert missing <= LIBRARY


@pytest.mark.skipif(not compiler(ARM), reason="needs arm-none-eabi-gcc")
@pytest.mark.parametrize(
    ("cpu", "level"), [pytest.param("cortex-m7", "-O2", marks=pytest.mark.slow), ("cortex-m0plus", "-Os")]
)
def test_arm_compiles_without_warnings(all_models: Path, cpu: str, level: str) -> None:
    check_arm(all_models, ARM, [f"-mcpu={cpu}", level], f"{cpu}{level}.o")


@pytest.mark.slow
@pytest.mark.skipif(not compiler(ARM), reason="needs arm-none-eabi-gcc")
@pytest.mark.parametrize("cpu", ["cortex-m3", "cortex-m4", "cortex-m33", "cortex-m55"])
@pytest.mark.parametrize("level", ["-Og", "-O1", "-Os", "-O3", "-Ofast"])
def test_every_core_and_level_compiles_without_warnings(all_models: Path, cpu: str, level: str) -> None:
    check_arm(all_models, ARM, [f"-mcpu={cpu}", level], f"{cpu}{level}.o")


@pytest.mark.skipif(not compiler(ARM), reason="needs arm-none-eabi-gcc")
@pytest.mark.parametrize("name", ["stm32h743", "nucleo-f412zg", "qemu-m3"])
def test_files_of_a_board_are_standard_c(tmp_path: Path, name: str) -> None:
    board = load_board(name)
    program = lower_program("tiny", streamed(SMALL), [NativeTarget()])
    files = render_project("make", [program], board, model_files("tiny", streamed(SMALL)))
    for path, text in files.items():
        write_files((tmp_path / path).parent, {Path(path).name: text})
    folders = [f"-I{tmp_path / folder}" for folder in ("src", "board", "model")]
    sources = [tmp_path / path for path in files if path.startswith(("board/", "src/")) and path.endswith(".c")]
    assert tmp_path / "board/startup.c" in sources
    compile_c(ARM[:1], [*gcc_flags(board).cpu, "-Wpedantic", *folders, "-fsyntax-only", *sources])


def test_twins_compile_without_warnings_through_zig(tmp_path: Path) -> None:
    """clang knows conversions of which gcc says nothing."""
    pytest.importorskip("ziglang")
    headers = [path for path in KERNELS.glob("*.h") if "_twin(" in path.read_text("utf-8")]
    assert len(headers) > 10
    write_files(tmp_path, {"twins.c": "".join(f'#include "{path.name}"\n' for path in headers)})
    options = ["-Wno-unused-function", f"-I{KERNELS}", "-c", "-o", tmp_path / "twins.o"]
    compile_c(ZIG, [*options, tmp_path / "twins.c"])


@pytest.mark.slow
@pytest.mark.skipif(not compiler(ARM), reason="needs arm-none-eabi-nm")
@pytest.mark.parametrize("cpu", ["cortex_m0plus", "cortex_m7+fp_armv8d16", "cortex_m33+dsp"])
def test_zig_compiles_without_warnings(all_models: Path, cpu: str) -> None:
    pytest.importorskip("ziglang")
    target = ("-target", "thumb-freestanding-eabi", f"-mcpu={cpu}", "-fno-sanitize=all", "-O2")
    check_arm(all_models, ZIG, target, f"zig-{cpu}.o")


@pytest.mark.skipif(not compiler(ARM), reason="needs arm-none-eabi-gcc")
def test_without_hook_or_division(all_models: Path) -> None:
    """Each operator keeps its own symbol; Cortex-M7 needs no library (but for real numbers)."""
    name, built = f"m{len(KINDS) * DRAWN}", all_models.parent / "chain.o"
    source = all_models.parent / f"{name}.c"
    compile_c(ARM, ["-mcpu=cortex-m7", "-O2", "-ffunction-sections", "-c", "-o", built, source])
    symbols = subprocess.run(["arm-none-eabi-nm", built], capture_output=True, text=True, check=True).stdout
    for layer in ("L00_conv", "L01_dw", "L02_conv", "L03_avgpool"):
        assert f" t {name}_{layer}\n" in symbols
    assert {line.split()[-1] for line in symbols.splitlines() if "__aeabi" in line} <= {"__aeabi_fmul", "__aeabi_i2f"}


def test_header_is_clean_cpp(all_models: Path) -> None:
    source = all_models.parent / "use.cpp"
    text = '#include "m0.h"\n#include "m1.h"\nm0_t a;\nint main() { return m0_run(&a) == TE_OK; }\n'
    source.write_text(text, "utf-8")
    options = ("-std=c++17", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror", "-fsyntax-only")
    subprocess.run(["g++", *options, source], check=True)


def test_same_input_same_bytes() -> None:
    assert model_files("tiny", streamed(SMALL)) == model_files("tiny", streamed(SMALL))
