"""Elementary functions from basic arithmetic, so that every machine and every thread count gives the same bits."""

import hashlib
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import numba
import numpy as np
import platformdirs

Function = TypeVar("Function", bound=Callable[..., Any])

_COMPILED_SOURCES: Final = (
    "numerics",
    "randomness",
    "parameters",
    "outcomes",
    "dynamics",
    "care",
    "catalog",
    "population",
    "engine/cohort",
)


@cache
def _cache_folder() -> Path:
    """Folder of compiled code, named by its sources: numba does not notice a change in a function that another file calls."""
    digest = hashlib.sha256()
    for name in _COMPILED_SOURCES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return platformdirs.user_cache_path("painlab") / "compiled" / digest.hexdigest()[:16]


def _compile(function: Function, inlined: bool) -> Function:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_cache_folder())
    try:
        return numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=inlined)(function)
    except (RuntimeError, OSError):
        return numba.njit(nogil=True, error_model="numpy", forceinline=inlined)(function)
    finally:
        numba.config.CACHE_DIR = before


def compiled(function: Function) -> Function:
    """Compile a pure function with numba, inlined where it is called; `.py_func` keeps the plain one.

    Inlining spares handing the 90 parameters over at each call. Machine code is cached on disk; where no folder can be written, it is
    compiled anew in each process.
    """
    return _compile(function, inlined=True)


def compiled_loop(function: Function) -> Function:
    """Compile a function that is long or called seldom, as `compiled` but not inlined."""
    return _compile(function, inlined=False)


_LN2_HIGH: Final = 6.93147180369123816490e-01
_LN2_LOW: Final = 1.90821492927058770002e-10
_INVERSE_LN2: Final = 1.44269504088896338700
_SQRT_HALF: Final = 0.70710678118654752440
_ODD_SHARES: Final = tuple(1.0 / n for n in range(1, 24, 2))
_TAYLOR: Final = tuple(1.0 / math.factorial(n) for n in range(13, -1, -1))


@compiled
def exp(x: float) -> float:
    """e to the power x, within 2 units in the last place; x is held to -700 ... 700.

    >>> round(exp(1.0), 12)
    2.718281828459
    """
    x = min(max(x, -700.0), 700.0)
    k = math.floor(x * _INVERSE_LN2 + 0.5)
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    # Estrin's scheme: the parts are worked out side by side, which halves the time of Horner's chain; |r| <= ln(2)/2.
    c, r2 = _TAYLOR, r * r
    r4 = r2 * r2
    low = ((c[13] + c[12] * r) + (c[11] + c[10] * r) * r2) + ((c[9] + c[8] * r) + (c[7] + c[6] * r) * r2) * r4
    high = ((c[5] + c[4] * r) + (c[3] + c[2] * r) * r2) + (c[1] + c[0] * r) * r4
    total = low + high * (r4 * r4)
    return math.ldexp(total, int(k))


@compiled
def log(x: float) -> float:
    """Natural logarithm of a positive x, by the series of the inverse hyperbolic tangent.

    >>> round(log(10.0), 12)
    2.302585092994
    """
    mantissa, exponent = math.frexp(x)
    if mantissa < _SQRT_HALF:
        mantissa *= 2.0
        exponent -= 1
    f = (mantissa - 1.0) / (mantissa + 1.0)
    f2 = f * f
    f4 = f2 * f2
    f8 = f4 * f4
    c = _ODD_SHARES
    low = (c[0] + c[1] * f2) + (c[2] + c[3] * f2) * f4
    middle = (c[4] + c[5] * f2) + (c[6] + c[7] * f2) * f4
    high = (c[8] + c[9] * f2) + (c[10] + c[11] * f2) * f4
    total = low + (middle + high * f8) * f8
    return exponent * _LN2_HIGH + (2.0 * f * total + exponent * _LN2_LOW)


@compiled
def logistic(x: float) -> float:
    """1 / (1 + e^-x): a chance from log-odds.

    >>> logistic(0.0)
    0.5
    """
    return 1.0 / (1.0 + exp(-x))


@compiled
def power(base: float, exponent: float) -> float:
    """A positive base to any power.

    >>> round(power(2.0, 0.5), 12)
    1.414213562373
    """
    return exp(exponent * log(base))


@compiled
def shifted(chance: float, log_odds: float) -> float:
    """A chance (0-1) whose log-odds are moved: c / (c + (1 - c) e^-x), which is logistic(logit(c) + x) without the logarithm.

    >>> round(shifted(0.5, 1.0), 4), shifted(0.0, 3.0)
    (0.7311, 0.0)
    """
    return chance / (chance + (1.0 - chance) * exp(-log_odds))


@compiled
def clip(x: float, low: float, high: float) -> float:
    """x held to low ... high."""
    return min(max(x, low), high)


@compiled
def standard_normal(u: float) -> float:
    """Standard normal quantile of 0 < u < 1 (Acklam's rational approximation, relative error below 1.2e-9).

    >>> round(standard_normal(0.975), 4)
    1.96
    """
    if 0.02425 <= u <= 0.97575:
        q = u - 0.5
        r = q * q
        top = -3.969683028665376e01
        for c in (2.209460984245205e02, -2.759285104469687e02, 1.383577518672690e02, -3.066479806614716e01, 2.506628277459239e00):
            top = top * r + c
        bottom = -5.447609879822406e01
        for c in (1.615858368580409e02, -1.556989798598866e02, 6.680131188771972e01, -1.328068155288572e01, 1.0):
            bottom = bottom * r + c
        return top * q / bottom
    tail = min(u, 1.0 - u)
    q = math.sqrt(-2.0 * log(tail))
    top = -7.784894002430293e-03
    for c in (-3.223964580411365e-01, -2.400758277161838e00, -2.549732539343734e00, 4.374664141464968e00, 2.938163982698783e00):
        top = top * q + c
    bottom = 7.784695709041462e-03
    for c in (3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00, 1.0):
        bottom = bottom * q + c
    value = top / bottom
    return value if u < 0.5 else -value


FIXED_POINT: Final = float(2**20)
"""Scale of the integer sums: a resolution of one millionth, exact in any order of adding."""


@compiled
def to_fixed(x: float) -> np.int64:
    """x as an integer number of 2^-20, so that a sum over patients does not depend on their order."""
    return np.int64(math.floor(x * FIXED_POINT + 0.5))
