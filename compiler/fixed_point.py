"""Exponential, logarithm, reciprocal, roots and sigmoids in 32-bit fixed point, as TFLite's integer kernels compute
them."""

from __future__ import annotations

import numpy as np

from .arith import INT32_MAX, INT32_MIN, high_mul, round_shift
from .graph import Array

ONE = INT32_MAX  # 1.0 in Q0.31
EXP_MINUS_EIGHTH = 1895147668
ONE_THIRD = 715827883
# exp(-2^k) in Q0.31 for k = -2 ... 4: one factor for each bit of the argument above a quarter
EXP_OF_BITS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
FORTY_EIGHT_SEVENTEENTHS = 1515870810  # Q2.29
MINUS_THIRTY_TWO_SEVENTEENTHS = -1010580540  # Q2.29
ROOT_OF_HALF = 1518500250  # Q0.31, as those below
FOURTH_ROOT_OF_HALF = 1805811301
LOG_OF_TWO = 1488522236
# A rational function for the logarithm near 1, centred at the fourth root of a half.
LOG_NUMERATOR = 117049297
LOG_SQUARE, LOG_CONSTANT, LOG_LINEAR = 127690142, 1057819769, 638450708  # of its denominator minus 1


def _saturate(value: Array) -> Array:
    return np.clip(value, INT32_MIN, INT32_MAX)


def _exp_of_fraction(low: Array) -> Array:
    """exp of a Q0.31 number in [-1/4, 0): Taylor's series around -1/8."""
    x = low + (1 << 28)
    x2 = high_mul(x, x)
    x3_x4 = high_mul(x2, x) + round_shift(high_mul(x2, x2), 2)
    series = round_shift(high_mul(x3_x4, ONE_THIRD) + x2, 1)
    return _saturate(EXP_MINUS_EIGHTH + high_mul(EXP_MINUS_EIGHTH + 0 * x, x + series))


def exp_on_negative_values(value: Array, integer_bits: int = 5) -> Array:
    """exp of numbers <= 0 with so many bits before the point (at most 5), as Q0.31."""
    first = 29 - integer_bits  # the bit that counts quarters
    quarter = 1 << first
    low = (value & (quarter - 1)) - quarter
    result = _exp_of_fraction(_saturate(low << integer_bits))
    for bit, factor in enumerate(EXP_OF_BITS[: 2 + integer_bits], start=first):
        result = np.where((low - value) >> bit & 1, high_mul(result, factor), result)
    return np.where(value == 0, ONE, result)


def reciprocal_of_sum(total: Array, integer_bits: int) -> tuple[Array, Array]:
    """1 / total as Q0.31 in (1/2, 1], and how many bits `total` is above one."""
    headroom = 32 - np.frexp(total.astype(np.float64))[1].astype(np.int64)
    return _one_over_one_plus((total << headroom) - (1 << 31)), integer_bits - headroom


def logistic(value: Array, integer_bits: int) -> Array:
    """1 / (1 + exp(-value)), as Q0.31."""
    upper = _one_over_one_plus(exp_on_negative_values(-np.abs(value), integer_bits))
    return np.where(value == 0, 1 << 30, np.where(value > 0, upper, ONE - upper))


def _one_over_one_plus(fraction: Array) -> Array:
    """1 / (1 + fraction) for Q0.31 numbers of 0 ... 1."""
    return _saturate(_reciprocal_of_half(fraction) << 1)


def _reciprocal_of_half(fraction: Array) -> Array:
    """2 / (1 + fraction) in Q2.29: Newton's method from a straight line."""
    half = (fraction + ONE + 1) >> 1  # (1 + fraction) / 2, rounded; the sum is never negative
    x = FORTY_EIGHT_SEVENTEENTHS + high_mul(half, MINUS_THIRTY_TWO_SEVENTEENTHS)
    for _ in range(3):
        error = (1 << 29) - high_mul(half, x)
        x = x + _saturate(high_mul(x, error) << 2)
    return x


def tanh(value: Array, integer_bits: int) -> Array:
    """As Q0.31; (1 - exp(-2x)) / (1 + exp(-2x)) is 2 / (1 + exp(-2x)) - 1."""
    double = exp_on_negative_values(-np.abs(value), integer_bits + 1)
    magnitude = _saturate((_reciprocal_of_half(double) - (1 << 29)) << 2)
    return np.where(value == 0, 0, np.sign(value) * magnitude)


def inverse_root(value: Array) -> tuple[Array, Array]:
    """1 / sqrt(value) of integers as mantissas and shifts; nothing and less count as 1."""
    one = value <= 1
    bits = np.frexp(np.where(one, 2, value).astype(np.float64))[1].astype(np.int64)
    pairs = (31 - bits) // 2 - 1  # -1 for 30 bits and more
    scaled = np.where(one, 2, value)
    scaled = np.where(pairs < 0, scaled >> 2, scaled << 2 * np.maximum(pairs, 0))
    x = high_mul(_newton_inverse_root(scaled >> 1), ROOT_OF_HALF)
    right = 11 - pairs
    mantissa = x << np.maximum(-right, 0)
    return np.where(one, ONE, mantissa), np.where(one, 0, -np.maximum(right, 0))


def _newton_inverse_root(value: Array) -> Array:
    """1 / sqrt(value), both Q3.28, for values of 1/4 ... 1."""
    half, x = round_shift(value, 1), np.full_like(value, 1 << 28)
    for _ in range(5):
        cube = _saturate(high_mul(high_mul(x, x), x) << 6)
        x = _saturate((high_mul(x, (1 << 28) + (1 << 27)) - high_mul(half, cube)) << 3)
    return x


def logarithm(value: Array, integer_bits: int) -> Array:
    """log of numbers >= 1 with so many bits before the point, as Q5.26."""
    headroom = _headroom(value)
    low = _saturate(high_mul(value << headroom, ROOT_OF_HALF) << 1)
    low_power = ((integer_bits - 1 - headroom) << 25) + (1 << 23)
    other = _headroom(high_mul(value, ROOT_OF_HALF))
    high = _saturate(value << other)
    high_power = ((integer_bits - other) << 25) - (1 << 23)
    power = high_mul(np.maximum(low_power, high_power), LOG_OF_TWO)
    return _saturate((power + _log_of_fraction(np.minimum(low, high))) << 1)


def _headroom(value: Array) -> Array:
    """How far positive numbers can be shifted to the left in 31 bits."""
    return np.asarray(31 - np.frexp(value.astype(np.float64))[1].astype(np.int64))


def _log_of_fraction(value: Array) -> Array:
    """log of Q0.31 numbers near the fourth root of a half, relative to it, as Q6.25."""
    middle = (value + FOURTH_ROOT_OF_HALF + 1) >> 1
    distance = (value - FOURTH_ROOT_OF_HALF) << 1
    square = high_mul(distance, distance)
    above = high_mul(distance, value) + high_mul(high_mul(distance, square), LOG_NUMERATOR)
    bracket = LOG_CONSTANT + distance + high_mul(square, LOG_SQUARE)
    below = high_mul(middle, bracket) + high_mul(distance, LOG_LINEAR)
    return high_mul(round_shift(above, 6), _one_over_one_plus(below))


# 65536 / (1 + exp(-i / 24)), as TFLite's kernels for 16 bits have it: up to 2 above the nearest integer.
# fmt: off
SIGMOIDS = (
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688,
    43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409,
    51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
    57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110,
    61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186,
    63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
    64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900,
    64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208,
    65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
    65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449,
    65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
    65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
    65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530,
    65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
)
# fmt: on
LAST = len(SIGMOIDS) - 1


def _from_table(value: Array, bits: int) -> Array:
    """Between the table's entries, which are 2^bits apart, along straight lines."""
    table = np.array(SIGMOIDS, np.int64)
    place = np.minimum(value >> bits, LAST - 1)
    low, high = table[place], table[place + 1]
    between = (low << bits) + (value & ((1 << bits) - 1)) * (high - low)
    return np.where(value >> bits >= LAST, 0xFFFF << bits, between)


def logistic_of_16_bits(value: Array) -> Array:
    """1 / (1 + exp(-value)) as Q0.15; the argument counts in steps of 1 / (3 * 4096)."""
    result = np.minimum(_from_table(np.abs(value), 9), 0x7FFF << 10)
    return np.where(value >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1) >> 10


def tanh_of_16_bits(value: Array) -> Array:
    """The same for tanh, as Q0.15: twice the logistic function of twice the argument, minus one."""
    result = _from_table(np.abs(value), 8) - (1 << 23)
    return np.where(value >= 0, result + (1 << 7), -result + (1 << 7) - 1) >> 8
