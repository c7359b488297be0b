"""Draws are Philox's, uniform, independent, and keyed so that nothing else moves them."""

import itertools
import zlib

import numpy as np
import pytest
from scipy import stats

from painlab import parameters
from painlab.numerics import compiled
from painlab.randomness import DRAWS, Block, parameter_uniform, philox, uniforms

ONES = 0xFFFFFFFF
# Known answers of Random123 (Salmon 2011), philox 4x32, 10 rounds: counter, key, answer.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES, ONES, ONES, ONES), (ONES, ONES), (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
MANY = np.array([uniforms(7, patient, week, Block.BODY, 0) for patient in range(2000) for week in range(5)])


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
@pytest.mark.parametrize("function", [philox, philox.py_func], ids=["compiled", "plain"])
def test_philox_gives_the_published_answers(function, counter, key, answer):
    assert tuple(int(word) for word in function(*counter, *key)) == answer


def six(words: tuple[int, ...]) -> tuple[float, ...]:
    """The six numbers of 21 bits in four random words, by hand: the first 21 bits of each, and 10 and 11 of those left in two pairs."""
    a, b, c, d = (int(word) for word in words)
    first = [word // 2**11 for word in (a, b, c, d)]
    left = [(one % 2**11) * 2**10 + other % 2**10 for one, other in ((a, b), (c, d))]
    return tuple((bits + 0.5) / 2**21 for bits in (*first, *left))


def test_the_counter_is_patient_week_block_and_treatment_under_the_seed():
    seed, patient, week, block, treatment = 0x0000000500000003, 0x0000000900000002, 17, int(Block.SESSION), 6
    assert uniforms(seed, patient, week, block, treatment) == six(philox(2, 9, 17 * 256 + 2, 6, 3, 5))


def test_the_compiled_and_the_plain_draw_are_the_same():
    for patient in range(50):
        place = (7, patient, 3, int(Block.BODY), 0)
        assert uniforms(*place) == uniforms.py_func(*place) == six(philox(patient, 0, 3 * 256, 0, 7, 0))


@compiled
def _first_of(seed, patient):
    return uniforms(seed, patient, 0, Block.BODY, 0)[0]


def test_a_draw_is_exact_in_single_precision():
    """So that a chance is compared with the same number in the cohort and in a test."""
    assert (MANY.astype(np.float32) == MANY).all()
    assert (np.floor(MANY * 2**22) == MANY * 2**22).all()
    _first_of(7, 0)
    assert str(_first_of.nopython_signatures[0].return_type) == "float32"


def test_a_draw_lies_strictly_between_0_and_1():
    assert MANY.min() > 0.0
    assert MANY.max() < 1.0


def test_draws_have_the_moments_of_a_uniform_distribution():
    n = MANY.size
    assert MANY.mean() == pytest.approx(1 / 2, abs=4.0 * np.sqrt(1 / 12 / n))
    assert MANY.var() == pytest.approx(1 / 12, abs=4.0 * np.sqrt(1 / 180 / n))


@pytest.mark.parametrize("place", range(DRAWS))
def test_each_of_the_six_draws_follows_a_uniform_distribution(place):
    assert stats.kstest(MANY[:, place], "uniform").pvalue > 0.001


def test_the_six_draws_of_a_block_do_not_go_together():
    """Nor do their last bits, where two of the numbers are put together from what is left of two words."""
    for a, b in itertools.combinations(range(DRAWS), 2):
        assert abs(correlation(MANY[:, a], MANY[:, b])) < 4.0 / np.sqrt(len(MANY))
        last = (MANY[:, [a, b]] * 2**10) % 1.0
        assert abs(correlation(last[:, 0], last[:, 1])) < 4.0 / np.sqrt(len(MANY))


@pytest.mark.parametrize("place", range(DRAWS))
def test_each_bit_of_each_draw_is_set_half_of_the_time(place):
    whole = np.floor(MANY[:, place] * 2**21).astype(np.int64)
    shares = [((whole >> bit) & 1).mean() for bit in range(21)]
    assert shares == pytest.approx([0.5] * 21, abs=4.5 * 0.5 / np.sqrt(len(MANY)))


def test_neighbors_in_patient_week_block_treatment_or_seed_do_not_go_together():
    def draws(seed=7, patient=0, week=0, block=Block.BODY, treatment=0):
        return np.array([uniforms(seed, patient + i, week, block, treatment)[0] for i in range(4000)])

    alone = draws()
    others = [draws(seed=8), draws(patient=10_000), draws(week=1), draws(block=Block.PRESCRIBING), draws(treatment=1)]
    for other in others:
        assert abs(correlation(alone, other)) < 4.0 / np.sqrt(4000)
        assert np.mean(alone == other) < 0.002  # among 2^21 numbers two are seldom the same
    assert abs(correlation(alone[:-1], alone[1:])) < 4.0 / np.sqrt(4000)


def test_a_draw_is_a_function_of_its_place_alone():
    before = uniforms(1, 5, 3, Block.PRESCRIBING, 0)
    for patient in range(100):
        uniforms(1, patient, 3, Block.PRESCRIBING, 0)
    assert uniforms(1, 5, 3, Block.PRESCRIBING, 0) == before


def test_the_whole_range_of_seeds_and_patients_counts():
    keys = [(1, 1), (1 + 2**32, 1), (1, 1 + 2**32), (2**63 - 1, 1)]
    assert len({uniforms(seed, patient, 0, Block.BODY, 0) for seed, patient in keys}) == len(keys)


def test_decision_points_keep_their_numbers():
    """A number that moved would give old seeds new lives: new blocks go at the end."""
    numbers = {
        "BODY": 0, "PRESCRIBING": 1, "SESSION": 2, "REFERRAL": 3, "TRAITS_BODY": 4, "TRAITS_MIND": 5, "TRAITS_OPIOID": 6, "PARAMETERS": 10,
    }  # fmt: skip
    assert {block.name: int(block) for block in Block}.items() >= numbers.items()
    assert len({int(block) for block in Block}) == len(Block)
    assert max(Block) < 256


def test_a_parameters_draw_is_keyed_by_its_name():
    """And has all 32 bits of its word, so that prior draws did not move when the cohort's became shorter."""
    key = zlib.crc32(b"noise_size")
    word = philox(11, 0, int(Block.PARAMETERS), key, 4, 0)[0]
    assert parameter_uniform(4, 11, "noise_size") == (int(word) + 0.5) / 2**32
    assert parameter_uniform(4, 11, "noise_size") == pytest.approx(uniforms(4, 11, 0, Block.PARAMETERS, key)[0], abs=2**-21)
    assert parameter_uniform(4, 11, "noise_size") != parameter_uniform(4, 11, "flare_size")
    assert parameter_uniform(4, 11, "noise_size") != parameter_uniform(4, 12, "noise_size")
    assert parameter_uniform(4, 11, "noise_size") != parameter_uniform(5, 11, "noise_size")


def test_no_two_parameters_share_a_key():
    names = list(parameters.records())
    assert len({zlib.crc32(name.encode()) for name in names}) == len(names)
