"""Elementary functions are accurate to what they state, and sums do not depend on their order."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import norm

from painlab import numerics
from painlab.numerics import clip, exp, log, logistic, power, shifted, standard_normal, to_fixed

GRID = np.concatenate([np.linspace(-700.0, 700.0, 4001), np.linspace(-1.0, 1.0, 2001)])
POSITIVE = np.concatenate([10.0 ** np.linspace(-300.0, 300.0, 3001), np.linspace(0.5, 2.0, 3001)])
SHARES = np.concatenate(
    [np.linspace(0.001, 0.999, 1999), 10.0 ** np.linspace(-15.0, -3.0, 200), 1.0 - 10.0 ** np.linspace(-12.0, -3.0, 200)]
)


def units_in_the_last_place(found: float, true: float) -> float:
    return abs(found - true) / math.ulp(true) if true else abs(found)


def test_exp_of_known_numbers():
    assert exp(0.0) == 1.0
    assert exp(math.log(2.0)) == pytest.approx(2.0, rel=1e-15)
    assert exp(-1.0) == pytest.approx(0.36787944117144233, rel=1e-15)


def test_exp_is_within_two_units_in_the_last_place():
    assert max(units_in_the_last_place(exp(x), math.exp(x)) for x in GRID) <= 2.0


def test_exp_is_held_where_it_would_overflow():
    assert exp(1e9) == exp(700.0) < math.inf
    assert exp(-math.inf) == exp(-700.0) > 0.0


def test_log_of_known_numbers():
    assert log(1.0) == 0.0
    assert log(math.e) == pytest.approx(1.0, rel=1e-15)
    assert log(1024.0) == pytest.approx(10.0 * 0.6931471805599453, rel=1e-15)


def test_log_agrees_with_the_library():
    assert max(units_in_the_last_place(log(x), math.log(x)) for x in POSITIVE) <= 4.0


def test_log_undoes_exp():
    assert max(abs(log(exp(x)) - x) for x in GRID) < 2e-13


def test_logistic_turns_log_odds_into_a_chance():
    assert logistic(0.0) == 0.5
    assert logistic(math.log(3.0)) == pytest.approx(0.75, rel=1e-15)
    assert logistic(-2000.0) == pytest.approx(0.0, abs=1e-300)
    assert logistic(2000.0) == 1.0


def test_shifting_a_chance_moves_its_log_odds():
    assert shifted(0.5, math.log(3.0)) == pytest.approx(0.75, rel=1e-15)
    assert shifted(0.2, 0.0) == pytest.approx(0.2, rel=1e-15)
    assert [shifted(certain, 2.5) for certain in (0.0, 1.0)] == [0.0, 1.0]
    expected = [1.0 / (1.0 + math.exp(-(math.log(u / (1.0 - u)) + 0.7))) for u in SHARES]
    assert max(abs(shifted(u, 0.7) - one) for u, one in zip(SHARES, expected, strict=True)) < 1e-14


def test_a_power_is_the_exponential_of_a_logarithm():
    assert power(9.0, 0.5) == pytest.approx(3.0, rel=1e-14)
    assert power(0.9, 12.0) == pytest.approx(0.9**12, rel=1e-14)
    assert power(3.7, 0.0) == 1.0


def test_clip_holds_a_number_to_its_range():
    assert [clip(x, 0.0, 10.0) for x in (-0.1, 0.0, 4.2, 10.0, 11.0)] == [0.0, 0.0, 4.2, 10.0, 10.0]


def test_normal_quantiles_of_known_shares():
    assert standard_normal(0.5) == 0.0
    assert standard_normal(0.975) == pytest.approx(1.959963984540054, rel=1.2e-9)
    assert standard_normal(0.001) == pytest.approx(-3.090232306167813, rel=1.2e-9)


def test_normal_quantiles_agree_with_the_library():
    true = ndtri(SHARES)
    found = np.array([standard_normal(u) for u in SHARES])
    assert np.all(np.abs(found - true) <= 1.2e-9 * np.abs(true) + 1e-15)


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


@pytest.mark.parametrize("function", [exp, log, logistic, standard_normal])
def test_compiled_and_plain_functions_give_the_same_bits(function):
    for x in (0.001, 0.02, 0.3, 0.5, 0.7, 0.98, 0.9999):
        assert function(x) == function.py_func(x)


def test_a_fixed_point_number_counts_millionths():
    assert to_fixed(1.0) == 2**20 == numerics.FIXED_POINT
    assert to_fixed(0.0) == 0
    assert to_fixed(-1.5) == -3 * 2**19
    assert all(abs(to_fixed(x) / 2**20 - x) <= 0.5 / 2**20 for x in np.linspace(-3.0, 500.0, 1001))


def test_a_fixed_point_sum_does_not_depend_on_its_order():
    numbers = np.random.default_rng(1).lognormal(3.0, 2.0, 5000)
    forward = sum(to_fixed(x) for x in numbers)
    assert forward == sum(to_fixed(x) for x in numbers[::-1]) == sum(to_fixed(x) for x in np.sort(numbers))
    assert forward / 2**20 == pytest.approx(math.fsum(numbers), rel=1e-7)


def test_compiled_code_is_filed_under_every_file_it_is_made_from():
    """A record's field that moves must never meet machine code compiled for the old order."""
    made_from = {"numerics", "randomness", "parameters", "outcomes", "dynamics", "care", "catalog", "population", "engine/cohort"}
    assert made_from <= set(numerics._COMPILED_SOURCES)


@pytest.mark.skipif(os.name == "nt", reason="a device file stands in for a folder that cannot be made")
def test_equations_still_run_where_no_cache_folder_can_be_written():
    script = "from painlab.numerics import exp; print(exp(0.0))"
    environment = os.environ | {"XDG_CACHE_HOME": os.devnull, "HOME": os.devnull}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1.0"
