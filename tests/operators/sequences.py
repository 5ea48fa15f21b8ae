"""Operators that keep state from one run to the next, and recurrent layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from tecompile.frontend import parse
from tecompile.graph import Op
from tests.host.ops import Draw
from tests.tools.cases import FILLS, Case, Quant, Source
from tests.tools.random_ops import powers, zero_points

from .recurrent import Kept, LstmQuants, Sizes, SvdfQuants, SvdfSizes, kept_case, lstm, svdf
from .row import Row

CLIPS = (0.0, 2.0**-9, 0.3, 1.0, 30.0, 1e30)


def _quants(low: float, high: float) -> st.SearchStrategy[Quant]:
    return st.builds(Quant, powers(low, high), zero_points())


SOURCES = st.builds(Source, st.integers(0, 1 << 30), st.sampled_from((*FILLS, "small", "uniform", "uniform")))


def _lstms() -> st.SearchStrategy[Case]:
    sizes = st.builds(Sizes, st.integers(1, 3), st.integers(1, 4), st.integers(1, 11), st.integers(1, 9))
    quants = st.builds(
        LstmQuants, _quants(-10, -3), _quants(-9, -5), powers(-10, -3), powers(-10, -3), st.integers(-18, 0)
    )
    return st.builds(lstm, sizes, quants, SOURCES, time_major=st.booleans(), cell_clip=st.sampled_from(CLIPS))


def _wide_lstms() -> st.SearchStrategy[Case]:
    sizes = st.builds(Sizes, st.integers(1, 3), st.integers(1, 4), st.integers(1, 11), st.integers(1, 9))
    x, hidden = st.builds(Quant, powers(-17, -9)), st.builds(Quant, powers(-16, -12))
    quants = st.builds(LstmQuants, x, hidden, powers(-10, -3), powers(-10, -3), st.integers(-18, 0))
    clips = st.sampled_from(CLIPS)
    return st.builds(lstm, sizes, quants, SOURCES, time_major=st.booleans(), cell_clip=clips, dtype=st.just("int16"))


def _wide_lstm_edges() -> Sequence[Case]:
    ends = (Source(1, "extremes"), Source(2, "low"), Source(3, "high"))
    steep = LstmQuants(Quant(2.0**-4), Quant(2.0**-15), 2.0**-4, 2.0**-4, 0)
    plain = LstmQuants(Quant(2.0**-15), Quant(2.0**-15))
    return [
        *(lstm(Sizes(2, 3, 7, 6), steep, s, time_major=first, dtype="int16") for s in ends for first in (False, True)),
        *(lstm(Sizes(1, 4, 5, 8), plain._replace(cell=p), Source(40 + p), dtype="int16") for p in (-18, -13, -11, 0)),
        lstm(Sizes(1, 1, 1, 1), plain, Source(4), dtype="int16"),
    ]


def _lstm_edges() -> Sequence[Case]:
    """All extremes saturate; scales where the argument of tanh is shifted left, right and not at all."""
    ends = (Source(1, "extremes"), Source(2, "low"), Source(3, "high"))
    steep = LstmQuants(Quant(2.0**6, -128), Quant(2.0**-8, 127), 2.0**7, 2.0**9, 0)
    return [
        *(lstm(Sizes(2, 3, 7, 6), steep, source, time_major=first) for source in ends for first in (False, True)),
        *(
            lstm(Sizes(1, 4, 5, 8), LstmQuants(cell=power), Source(power + 40))
            for power in (-18, -15, -13, -12, -11, 0)
        ),
        *(lstm(Sizes(1, 3, 4, 5), LstmQuants(cell=-9), Source(9), cell_clip=clip) for clip in CLIPS),
        lstm(Sizes(1, 1, 1, 1), LstmQuants(hidden=Quant(2.0**-15, -128)), Source(4)),
        lstm(Sizes(3, 1, 9, 2), LstmQuants(hidden=Quant(2.0, 0), weights=2.0**-20), Source(5), time_major=True),
    ]


@st.composite
def _svdfs(draw: st.DrawFn) -> Case:
    """Scales near those that spread over the types."""
    sizes = draw(
        st.builds(
            SvdfSizes,
            st.integers(1, 3),
            st.integers(1, 11),
            st.integers(1, 6),
            st.integers(1, 3),
            st.integers(1, 8),
        )
    )
    dtype = draw(st.sampled_from(("int8", "int16")))
    return svdf(sizes, _svdf_quants(draw, 8 if dtype == "int16" else 0), dtype, draw(SOURCES))


def _svdf_quants(draw: st.DrawFn, bits: int) -> SvdfQuants:
    """`bits` more than 8 of what is kept."""
    x, features, times = draw(_quants(-9, -3)), draw(powers(-9, -3)), draw(powers(-9, -3)) * 2.0**-bits
    seen = Quant(x.scale * features * draw(powers(0, 9)) * 2.0**-bits, 0 if bits else draw(zero_points()))
    y = Quant(seen.scale * times * draw(powers(2, 12)) * 4.0**bits, draw(zero_points()))
    return SvdfQuants(x, features, times, seen, y)


def _svdf_edges() -> Sequence[Case]:
    """What is kept wraps, saturates, or is all there is to see."""
    wrapping = SvdfQuants(Quant(0.5, -128), 0.5, 2.0**-7, Quant(0.25, 100), Quant(2.0, 3))
    wide = SvdfQuants(Quant(0.5, 127), 0.25, 2.0**-15, Quant(2.0**-10, 0), Quant(1.0, -128))
    between = SvdfQuants(Quant(0.0883883461356163), 0.125, 0.08464097168355579, Quant(0.011048543266952038),
                         Quant(0.003740637795999646))  # fmt: skip
    return [
        svdf(SvdfSizes(1, 1, 1, 2, 3), between, "int8", Source(0, "small")),  # another result in single precision
        *(svdf(SvdfSizes(2, 5, 3, 2, 4), wrapping, "int8", Source(n, fill)) for n, fill in enumerate(FILLS)),
        *(svdf(SvdfSizes(2, 6, 5, 1, 3), wide, "int16", Source(n, fill)) for n, fill in enumerate(FILLS)),
        svdf(SvdfSizes(1, 1, 1, 1, 1), wrapping, "int8", Source(7)),
        svdf(SvdfSizes(1, 9, 1, 4, 8), wide, "int16", Source(8)),
    ]


def _kept() -> st.SearchStrategy[Sequence[Kept]]:
    shapes = st.lists(st.integers(1, 5), max_size=4).map(tuple)
    one = st.builds(Kept, shapes, st.sampled_from(("int8", "int16")), st.none() | st.integers(-128, 127))
    one = st.builds(Kept._replace, one, step=st.integers(0, 3))
    return st.lists(one, min_size=1, max_size=3).map(
        lambda all_kept: [kept._replace(name=f"v{i}") for i, kept in enumerate(all_kept)]
    )


def _variables() -> st.SearchStrategy[Case]:
    return st.builds(kept_case, _kept(), SOURCES)


def _variable_edges() -> Sequence[Case]:
    shapes = ((), (1,), (7,), (2, 3), (1, 4, 1, 5), (2, 1, 3, 2, 1))
    values = (None, 0, -128, 5)
    return [kept_case([Kept(s, d, v)], Source(3)) for s in shapes for d in ("int8", "int16") for v in values]


def _draw_lstm(draw: Draw) -> Op:
    x, hidden = (Quant(draw.power(*ends), draw.number(-128, 127)) for ends in ((-10, -3), (-9, -5)))
    return _drawn_lstm(draw, x, hidden, "int8")


def _draw_wide_lstm(draw: Draw) -> Op:
    return _drawn_lstm(draw, Quant(draw.power(-17, -9)), Quant(draw.power(-16, -12)), "int16")


def _drawn_lstm(draw: Draw, x: Quant, hidden: Quant, dtype: str) -> Op:
    sizes = Sizes(draw.number(1, 3), draw.number(1, 4), draw.number(1, 11), draw.number(1, 9))
    quants = LstmQuants(x, hidden, draw.power(-10, -3), draw.power(-10, -3), draw.number(-18, 0))
    first, clip = draw.number(0, 1) == 1, draw.pick(*CLIPS)
    case = lstm(sizes, quants, _source(draw), time_major=first, cell_clip=clip, dtype=dtype)
    return parse(case.model, "net").ops[0]


def _draw_svdf(draw: Draw) -> Op:
    sizes = SvdfSizes(*(draw.number(1, most) for most in (3, 11, 6, 3, 8)))
    bits = draw.pick(0, 8)
    x, features, times = Quant(draw.power(-9, -3), draw.number(-128, 127)), draw.power(-9, -3), draw.power(-9, -3)
    seen = Quant(x.scale * features * draw.power(0, 9) * 2.0**-bits, 0 if bits else draw.number(-128, 127))
    y = Quant(seen.scale * times * draw.power(2, 12) * 2.0**bits, draw.number(-128, 127))
    quants = SvdfQuants(x, features, times * 2.0**-bits, seen, y)
    return parse(svdf(sizes, quants, "int16" if bits else "int8", _source(draw)).model, "net").ops[0]


def _source(draw: Draw) -> Source:
    return Source(draw.number(0, 1 << 30), draw.pick("uniform", "extremes", "small"))


ROWS: Mapping[str, Row] = {
    "ASSIGN_VARIABLE": Row(_variable_edges, _variables(), streams=False),
    "READ_VARIABLE": Row(_variable_edges, _variables(), streams=False),
    "SVDF": Row(_svdf_edges, _svdfs(), _draw_svdf, streams=False),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Row(_lstm_edges, _lstms(), _draw_lstm, streams=False),
    "UNIDIRECTIONAL_SEQUENCE_LSTM int16": Row(_wide_lstm_edges, _wide_lstms(), _draw_wide_lstm, streams=False),
}
