"""Elementary functions are accurate to what they state, in the double precision of Python and in the single precision of the cohort."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.special import expit, ndtri
from scipy.stats import norm

from painlab import numerics
from painlab.numerics import clip, compiled, compiled_loop, exp, log, logistic, power, shifted, single, standard_normal

GRID = np.concatenate([np.linspace(-700.0, 700.0, 4001), np.linspace(-1.0, 1.0, 2001)])
POSITIVE = np.concatenate([10.0 ** np.linspace(-300.0, 300.0, 3001), np.linspace(0.5, 2.0, 3001)])
SHARES = np.concatenate(
    [np.linspace(0.001, 0.999, 1999), 10.0 ** np.linspace(-15.0, -3.0, 200), 1.0 - 10.0 ** np.linspace(-12.0, -3.0, 200)]
)
SINGLE_GRID = np.concatenate([np.linspace(-87.0, 88.0, 20_001), np.linspace(-1.0, 1.0, 10_001)]).astype(np.float32)
SINGLE_POSITIVE = np.concatenate([10.0 ** np.linspace(-37.0, 38.0, 20_001), np.linspace(0.5, 2.0, 20_001)]).astype(np.float32)
DRAWS = ((np.arange(0, 2**21, 97) + 0.5) * 2.0**-21).astype(np.float32)
"""Of the uniform numbers that a draw can be, one in 97."""


@compiled
def exp_of(x):
    """exp as compiled code has it, in the precision of x."""
    return exp(x)


@compiled
def normal_of(x):
    return standard_normal(x)


@compiled
def log_of(x):
    """log as compiled code has it, in the precision of x."""
    return log(x)


def each(function, numbers: np.ndarray) -> np.ndarray:
    """The function of each number, in the numbers' own precision."""
    return np.array([function(x) for x in numbers], dtype=numbers.dtype)


def units_in_the_last_place(found: np.ndarray, true: np.ndarray) -> float:
    """Largest error of single-precision numbers, in units of the last place."""
    unit = np.spacing(np.maximum(np.abs(true), np.finfo(np.float32).tiny).astype(np.float32)).astype(float)
    return float(np.max(np.abs(found.astype(float) - true) / unit))


def test_exp_of_known_numbers():
    assert exp(0.0) == exp_of(np.float32(0.0)) == 1.0
    assert exp(math.log(2.0)) == pytest.approx(2.0, rel=1e-15)
    assert exp(-1.0) == pytest.approx(0.36787944117144233, rel=1e-15)
    assert exp_of(np.float32(-1.0)) == pytest.approx(0.36787944117144233, rel=1e-7)


def test_exp_agrees_with_the_library():
    assert [exp(x) for x in GRID] == [math.exp(x) for x in GRID]
    assert each(exp_of, GRID) == pytest.approx(np.exp(GRID), rel=1e-15)


def test_exp_in_single_precision_is_within_two_units_in_the_last_place():
    assert units_in_the_last_place(each(exp_of, SINGLE_GRID), np.exp(SINGLE_GRID.astype(float))) <= 2.0


def test_exp_is_held_where_it_would_overflow():
    assert exp(1e9) == exp(700.0) < math.inf
    assert exp(-math.inf) == exp(-700.0) > 0.0
    assert exp_of(np.float32(1e9)) == exp_of(np.float32(88.0)) < math.inf
    assert exp_of(np.float32(-math.inf)) == exp_of(np.float32(-87.0)) > 0.0


def test_log_of_known_numbers():
    assert log(1.0) == log_of(np.float32(1.0)) == 0.0
    assert log(math.e) == pytest.approx(1.0, rel=1e-15)
    assert log(1024.0) == pytest.approx(10.0 * 0.6931471805599453, rel=1e-15)
    assert log_of(np.float32(1024.0)) == pytest.approx(10.0 * 0.6931471805599453, rel=1e-7)


def test_log_agrees_with_the_library():
    assert [log(x) for x in POSITIVE] == [math.log(x) for x in POSITIVE]
    assert each(log_of, POSITIVE) == pytest.approx(np.log(POSITIVE), rel=1e-15)


def test_log_in_single_precision_is_within_three_units_in_the_last_place():
    assert units_in_the_last_place(each(log_of, SINGLE_POSITIVE), np.log(SINGLE_POSITIVE.astype(float))) <= 3.0


def test_log_undoes_exp():
    assert max(abs(log(exp(x)) - x) for x in GRID) < 2e-13
    undone = each(log_of, each(exp_of, SINGLE_GRID)).astype(float)
    assert np.max(np.abs(undone - SINGLE_GRID)) < 1e-5


def test_logistic_turns_log_odds_into_a_chance():
    assert logistic(0.0) == logistic(np.float32(0.0)) == 0.5
    assert logistic(math.log(3.0)) == pytest.approx(0.75, rel=1e-15)
    assert logistic(-2000.0) == pytest.approx(0.0, abs=1e-300)
    assert logistic(2000.0) == logistic(np.float32(2000.0)) == 1.0
    assert each(logistic, SINGLE_GRID) == pytest.approx(expit(SINGLE_GRID.astype(float)), rel=1e-6, abs=1e-30)


def test_shifting_a_chance_moves_its_log_odds():
    assert shifted(0.5, math.log(3.0)) == pytest.approx(0.75, rel=1e-15)
    assert shifted(0.2, 0.0) == pytest.approx(0.2, rel=1e-15)
    assert [shifted(certain, 2.5) for certain in (0.0, 1.0)] == [0.0, 1.0]
    assert [shifted(np.float32(certain), np.float32(2.5)) for certain in (0.0, 1.0)] == [0.0, 1.0]
    expected = [1.0 / (1.0 + math.exp(-(math.log(u / (1.0 - u)) + 0.7))) for u in SHARES]
    assert max(abs(shifted(u, 0.7) - one) for u, one in zip(SHARES, expected, strict=True)) < 1e-14
    assert max(abs(shifted(np.float32(u), np.float32(0.7)) - one) for u, one in zip(SHARES, expected, strict=True)) < 3e-7


def test_a_power_is_the_exponential_of_a_logarithm():
    assert power(9.0, 0.5) == pytest.approx(3.0, rel=1e-14)
    assert power(0.9, 12.0) == pytest.approx(0.9**12, rel=1e-14)
    assert power(np.float32(0.9), np.float32(12.0)) == pytest.approx(0.9**12, rel=1e-6)
    assert power(3.7, 0.0) == power(np.float32(3.7), np.float32(0.0)) == 1.0


def test_clip_holds_a_number_to_its_range():
    assert [clip(x, 0.0, 10.0) for x in (-0.1, 0.0, 4.2, 10.0, 11.0)] == [0.0, 0.0, 4.2, 10.0, 10.0]


def test_normal_quantiles_of_known_shares():
    assert standard_normal(0.5) == normal_of(np.float32(0.5)) == 0.0
    assert standard_normal(0.975) == pytest.approx(1.959963984540054, rel=1.2e-9)
    assert standard_normal(0.001) == pytest.approx(-3.090232306167813, rel=1.2e-9)


def test_normal_quantiles_agree_with_the_library():
    true = ndtri(SHARES)
    found = np.array([standard_normal(u) for u in SHARES])
    assert np.all(np.abs(found - true) <= 1.2e-9 * np.abs(true) + 1e-15)


def test_normal_quantiles_of_draws_are_right_to_five_digits_after_the_point_in_single_precision():
    found = each(normal_of, DRAWS).astype(float)
    true = ndtri(DRAWS.astype(float))
    assert np.max(np.abs(found - true)) < 4e-6
    assert np.sqrt(np.mean((found - true) ** 2)) < 1e-6
    assert found.mean() == pytest.approx(true.mean(), abs=1e-5)
    assert found.std() == pytest.approx(true.std(), rel=1e-5)


def test_normal_quantiles_are_odd_about_one_half_and_rise():
    shares = np.linspace(1e-6, 1.0 - 1e-6, 5001)
    found = np.array([standard_normal(u) for u in shares])
    assert np.all(np.diff(found) > 0.0)
    assert np.allclose(found, -found[::-1], rtol=1e-7, atol=1e-9)


def test_normal_quantiles_of_even_shares_have_mean_zero_and_spread_one():
    found = np.array([standard_normal((i + 0.5) / 20_000) for i in range(20_000)])
    assert found.mean() == pytest.approx(0.0, abs=1e-9)
    assert found.std() == pytest.approx(1.0, abs=2e-3)
    assert np.max(np.abs(norm.cdf(found) - (np.arange(20_000) + 0.5) / 20_000)) < 1e-8


@pytest.mark.parametrize("function", [exp_of, log_of, logistic, normal_of])
def test_compiled_and_plain_functions_say_the_same_in_double_precision(function):
    for x in (0.001, 0.02, 0.3, 0.5, 0.7, 0.98, 0.9999):
        assert function(x) == pytest.approx(function.py_func(x), rel=1e-14, abs=1e-16)


# Precision


TERMS = (0.3, 0.7)


@compiled
def with_literals(x):
    """A third of x and a little, held: every kind of literal that an equation has."""
    return min(max(x / 3.0 + 0.1, -1.5), 2.0) * TERMS[0]


@compiled_loop
def halve(numbers: np.ndarray, halves: np.ndarray) -> None:
    for i in range(numbers.shape[0]):
        halves[i] = numbers[i] * 0.5


@pytest.mark.parametrize("function", [with_literals, exp_of, log_of, logistic, normal_of])
def test_an_equation_has_the_precision_of_what_it_is_given(function):
    """One double-precision literal would make all of a loop double, and half as fast."""
    for kind in (np.float32, np.float64):
        function(kind(0.3))
    returned = {str(one.signature.args[0]): str(one.signature.return_type) for one in function.overloads.values()}
    assert returned == {"float32": "float32", "float64": "float64"}


def test_literals_are_rounded_to_the_precision_that_they_meet():
    x = np.float32(0.3)
    in_single = np.float32(x / np.float32(3.0) + np.float32(0.1)) * np.float32(0.3)
    assert with_literals(x) == in_single
    assert with_literals(0.3) == with_literals.py_func(0.3)


def test_a_loop_writes_into_the_arrays_it_is_given():
    numbers, halves = np.arange(5, dtype=np.float32), np.empty(5, dtype=np.float32)
    halve(numbers, halves)
    assert halves.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_single_rounds_to_single_precision():
    assert single(0.1) == float(np.float32(0.1)) != 0.1


# The folder of compiled code


def test_compiled_code_is_filed_under_every_file_it_is_made_from(root):
    """A record's field that moves must never meet machine code compiled for the old order."""
    made_from = {"numerics", "randomness", "parameters", "outcomes", "dynamics", "care", "catalog", "population"}
    made_from |= {f"engine/{name}" for name in ("layout", "arrival", "week", "prescribing", "cohort")}
    assert made_from <= set(numerics._COMPILED_SOURCES)
    package = root / "src" / "painlab"
    compiles = {
        path.relative_to(package).with_suffix("").as_posix()
        for path in package.rglob("*.py")
        if any(line.startswith("@compiled") for line in path.read_text(encoding="utf-8").splitlines())
    }
    called_by_no_other_file = {"engine/setting"}  # numba does notice a change in the file itself
    assert compiles - called_by_no_other_file <= set(numerics._COMPILED_SOURCES)


@pytest.mark.skipif(os.name == "nt", reason="a device file stands in for a folder that cannot be made")
def test_equations_still_run_where_no_cache_folder_can_be_written():
    script = "from painlab.numerics import logistic; print(logistic(0.0))"
    environment = os.environ | {"XDG_CACHE_HOME": os.devnull, "HOME": os.devnull}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0.5"
