"""Elementary functions from basic arithmetic, so that every machine and every thread count gives the same bits."""

import hashlib
import math
from collections.abc import Callable
from enum import IntEnum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeVar

import numba
import numpy as np
import platformdirs
from numba.core import ir, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import build_definitions, get_definition, guard
from numba.core.lowering import Lower
from numba.core.typed_passes import BaseNativeLowering, NativeLowering
from numba.core.untyped_passes import IRProcessing
from numba.extending import intrinsic, overload

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
    "engine/layout",
    "engine/arrival",
    "engine/week",
    "engine/prescribing",
    "engine/cohort",
)


@cache
def _cache_folder() -> Path:
    """Folder of compiled code, named by its sources: numba does not notice a change in a function that another file calls."""
    digest = hashlib.sha256()
    for name in _COMPILED_SOURCES:
        digest.update((Path(__file__).parent / f"{name}.py").read_bytes())
    return platformdirs.user_cache_path("painlab") / "compiled" / digest.hexdigest()[:16]


def _is_single(kind: types.Type) -> bool:
    if isinstance(kind, types.BaseTuple):  # type: ignore[attr-defined]
        return any(_is_single(one) for one in kind)
    return (kind.dtype if isinstance(kind, types.Array) else kind) == types.float32


@register_pass(mutates_CFG=False, analysis_only=False)
class _PlainConstants(FunctionPass):  # type: ignore[misc]
    """Members of an IntEnum become the integers they are, so that tuples too can be indexed by them; in a function that is given single
    precision, literals become single, since one `1.0` would make all of it double.
    """

    _name = "painlab_plain_constants"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        single = any(_is_single(kind) for kind in state.args)
        for block in state.func_ir.blocks.values():
            for one in block.find_insts(ir.Assign):
                made = one.value
                if isinstance(made, ir.Expr) and made.op == "getattr":
                    holder = guard(get_definition, state.func_ir, made.value)
                    known = isinstance(holder, ir.Global | ir.FreeVar) and isinstance(holder.value, type | ModuleType)
                    found = getattr(holder.value, made.attr, None) if known else None
                    if isinstance(found, IntEnum):
                        one.value = ir.Const(int(found), one.loc)
                    elif single and isinstance(found, float):
                        one.value = ir.Const(np.float32(found), one.loc)
                elif single and isinstance(made, ir.Const | ir.Global | ir.FreeVar):
                    made.value = _as_single(made.value)
        state.func_ir._definitions = build_definitions(state.func_ir.blocks)
        return True


def _as_single(literal: Any) -> Any:
    if isinstance(literal, float):
        return np.float32(literal)
    if isinstance(literal, tuple) and literal and all(isinstance(one, float) for one in literal):
        return tuple(np.float32(one) for one in literal)
    return literal


class _Compiler(CompilerBase):  # type: ignore[misc]
    """numba's own steps, and `_PlainConstants` before types are worked out."""

    def define_pipelines(self) -> list[Any]:
        self.state.flags.no_cfunc_wrapper = True
        steps = DefaultPassBuilder.define_nopython_pipeline(self.state)
        steps.add_pass_after(_PlainConstants, IRProcessing)
        steps.finalize()
        return [steps]


class _ApartLower(Lower):  # type: ignore[misc]
    def setup_function(self, fndesc: Any) -> None:
        super().setup_function(fndesc)
        self.function.attributes.add("noinline")


@register_pass(mutates_CFG=True, analysis_only=False)
class _ApartLowering(BaseNativeLowering):  # type: ignore[misc]
    """Keep a loop's function apart: inlined into its caller, its arrays would no longer be known not to overlap."""

    _name = "painlab_apart_lowering"

    @property
    def lowering_class(self) -> type[Lower]:
        return _ApartLower


class _LoopCompiler(_Compiler):
    def define_pipelines(self) -> list[Any]:
        self.state.flags.noalias = True
        steps = super().define_pipelines()[0]
        steps.passes = [(_ApartLowering if one is NativeLowering else one, says) for one, says in steps.passes]
        return [steps]


_OPTIONS: Final = {"nogil": True, "error_model": "numpy"}
_INLINED: Final = {**_OPTIONS, "forceinline": True}


def _compile(function: Function, **options: Any) -> Function:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(_cache_folder())
    try:
        return numba.njit(cache=True, **options)(function)
    except (RuntimeError, OSError):
        return numba.njit(**options)(function)
    finally:
        numba.config.CACHE_DIR = before


def compiled(function: Function) -> Function:
    """Compile a pure function with numba, inlined where it is called; `.py_func` keeps the plain one.

    It takes the precision of its arguments: single in the cohort, double from Python. Machine code is cached on disk; where no folder can
    be written, it is compiled anew in each process.
    """
    return _compile(function, pipeline_class=_Compiler, **_INLINED)


def compiled_loop(function: Function) -> Function:
    """Compile a loop over arrays, as `compiled` but kept a function of its own. Its arrays must not overlap."""
    return _compile(function, pipeline_class=_LoopCompiler, **_OPTIONS)


@compiled
def single(x: float | np.floating[Any]) -> float:
    """x in single precision."""
    return np.float32(x)  # type: ignore[return-value]


_ROUNDING: Final = 12582912.0  # 1.5 x 2^23: adding it to a small number rounds away the fraction
_INVERSE_LN2: Final = 1.44269504088896341
_LN2_HIGH: Final = 0.693359375
_LN2_LOW: Final = -2.12194440e-4
_EXPONENT_BITS: Final = np.int32(23)
_EXPONENT_BIAS: Final = np.int32(127)
_MANTISSA: Final = np.int32(0x007FFFFF)
_SQRT_HALF_BITS: Final = np.int32(0x3F3504F3)
_EXP_TERMS: Final = tuple(1.0 / math.factorial(n) for n in range(2, 8))
_LOG_TERMS: Final = tuple(1.0 / n for n in range(3, 10, 2))


@intrinsic
def _bits(context, x):  # type: ignore[no-untyped-def]
    """The 32 bits of a single-precision number as an integer."""

    def lower(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), lower


@intrinsic
def _from_bits(context, x):  # type: ignore[no-untyped-def]
    """The single-precision number that has these 32 bits."""

    def lower(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), lower


@compiled
def _exp_single(x: float) -> float:
    x = min(max(x, -87.0), 88.0)
    k = (x * _INVERSE_LN2 + _ROUNDING) - _ROUNDING
    r = (x - k * _LN2_HIGH) - k * _LN2_LOW
    c, r2 = _EXP_TERMS, r * r
    tail = (c[0] + c[1] * r) + (c[2] + c[3] * r) * r2 + (c[4] + c[5] * r) * (r2 * r2)
    scale = _from_bits(np.int32(np.int32(k) + _EXPONENT_BIAS) << _EXPONENT_BITS)
    return (1.0 + (r + tail * r2)) * scale


@compiled
def _log_single(x: float) -> float:
    bits = np.int32(_bits(x) - _SQRT_HALF_BITS)
    exponent = np.float32(np.int32(bits >> _EXPONENT_BITS))
    mantissa = _from_bits(np.int32((bits & _MANTISSA) + _SQRT_HALF_BITS))  # from sqrt(1/2) to sqrt(2)
    f = (mantissa - 1.0) / (mantissa + 1.0)
    f2 = f * f
    c = _LOG_TERMS
    series = f2 * ((c[0] + c[1] * f2) + (c[2] + c[3] * f2) * (f2 * f2))
    return exponent * _LN2_HIGH + (2.0 * (f + f * series) + exponent * _LN2_LOW)


def exp(x: float) -> float:
    """e to the power x, held to where it neither overflows nor vanishes: the library's in double precision.

    In single precision (-87 ... 88) from basic arithmetic, within 2 units in the last place.

    >>> round(exp(1.0), 12)
    2.718281828459
    """
    return math.exp(min(max(x, -700.0), 700.0))


def log(x: float) -> float:
    """Natural logarithm of a positive x: the library's in double precision, in single precision by the series of the inverse
    hyperbolic tangent, within 3 units in the last place.

    >>> round(log(10.0), 12)
    2.302585092994
    """
    return math.log(x)


@overload(exp, jit_options=_INLINED)
def _exp_by_precision(x):  # type: ignore[no-untyped-def]
    if x == types.float32:
        return lambda x: _exp_single(x)
    return lambda x: math.exp(min(max(x, -700.0), 700.0))


@overload(log, jit_options=_INLINED)
def _log_by_precision(x):  # type: ignore[no-untyped-def]
    if x == types.float32:
        return lambda x: _log_single(x)
    return lambda x: math.log(x)


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


_CENTER: Final = (
    -3.969683028665376e01, 2.209460984245205e02, -2.759285104469687e02, 1.383577518672690e02, -3.066479806614716e01, 2.506628277459239e00,
)  # fmt: skip
_CENTER_BELOW: Final = (-5.447609879822406e01, 1.615858368580409e02, -1.556989798598866e02, 6.680131188771972e01, -1.328068155288572e01)
_TAIL: Final = (
    -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e00, -2.549732539343734e00, 4.374664141464968e00,
    2.938163982698783e00,
)  # fmt: skip
_TAIL_BELOW: Final = (7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e00, 3.754408661907416e00)


_NEAR: Final = (
    2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164, 0.246640727, 1.50140941,
)  # fmt: skip
_FAR: Final = (
    -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047, 1.00167406, 2.83297682,
)  # fmt: skip
_SQRT_2: Final = math.sqrt(2.0)


@compiled
def _normal_double(u: float) -> float:
    c, d = _CENTER, _CENTER_BELOW
    q = u - 0.5
    r = q * q
    top = ((((c[0] * r + c[1]) * r + c[2]) * r + c[3]) * r + c[4]) * r + c[5]
    bottom = ((((d[0] * r + d[1]) * r + d[2]) * r + d[3]) * r + d[4]) * r + 1.0
    if abs(q) <= 0.47575:
        return top * q / bottom
    e, f = _TAIL, _TAIL_BELOW
    r = math.sqrt(-2.0 * log(min(u, 1.0 - u)))
    top = ((((e[0] * r + e[1]) * r + e[2]) * r + e[3]) * r + e[4]) * r + e[5]
    bottom = (((f[0] * r + f[1]) * r + f[2]) * r + f[3]) * r + 1.0
    return top / bottom if u < 0.5 else -(top / bottom)


@compiled
def _normal_single(u: float) -> float:
    x = 2.0 * u - 1.0
    w = -log((1.0 - x) * (1.0 + x))
    near, c, far, d = w - 2.5, _NEAR, math.sqrt(w) - 3.0, _FAR
    low, high = c[0], d[0]
    low, high = low * near + c[1], high * far + d[1]
    low, high = low * near + c[2], high * far + d[2]
    low, high = low * near + c[3], high * far + d[3]
    low, high = low * near + c[4], high * far + d[4]
    low, high = low * near + c[5], high * far + d[5]
    low, high = low * near + c[6], high * far + d[6]
    low, high = low * near + c[7], high * far + d[7]
    low, high = low * near + c[8], high * far + d[8]
    return _SQRT_2 * x * (low if w < 5.0 else high)


def standard_normal(u: float) -> float:
    """Standard normal quantile of 0 < u < 1.

    In double precision Acklam's rational approximation (relative error below 1.2e-9); in single precision the polynomials of Giles 2010
    ("Approximating the erfinv function"), within 2e-6.

    >>> round(standard_normal(0.975), 4)
    1.96
    """
    return _normal_double(u)


@overload(standard_normal, jit_options=_INLINED)
def _normal_by_precision(u):  # type: ignore[no-untyped-def]
    if u == types.float32:
        return lambda u: _normal_single(u)
    return lambda u: _normal_double(u)
