"""Draws are Philox's, uniform, independent, and keyed so that nothing else moves them."""

import itertools
import zlib

import numpy as np
import pytest
from scipy import stats

from painlab import parameters
from painlab.randomness import Block, parameter_uniform, philox, uniforms

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


def test_the_counter_is_patient_week_block_and_treatment_under_the_seed():
    seed, patient, week, block, treatment = 0x0000000500000003, 0x0000000900000002, 17, int(Block.SESSION), 6
    words = philox(2, 9, 17 * 256 + 4, 6, 3, 5)
    expected = tuple((int(word) + 0.5) / 2**32 for word in words)
    assert uniforms(seed, patient, week, block, treatment) == expected


def test_a_draw_lies_strictly_between_0_and_1():
    assert MANY.min() > 0.0
    assert MANY.max() < 1.0


def test_draws_have_the_moments_of_a_uniform_distribution():
    n = MANY.size
    assert MANY.mean() == pytest.approx(1 / 2, abs=4.0 * np.sqrt(1 / 12 / n))
    assert MANY.var() == pytest.approx(1 / 12, abs=4.0 * np.sqrt(1 / 180 / n))


@pytest.mark.parametrize("place", range(4))
def test_each_of_the_four_draws_follows_a_uniform_distribution(place):
    assert stats.kstest(MANY[:, place], "uniform").pvalue > 0.001


def test_the_four_draws_of_a_block_do_not_go_together():
    for a, b in itertools.combinations(range(4), 2):
        assert abs(correlation(MANY[:, a], MANY[:, b])) < 4.0 / np.sqrt(len(MANY))


def test_neighbors_in_patient_week_block_treatment_or_seed_do_not_go_together():
    def draws(seed=7, patient=0, week=0, block=Block.BODY, treatment=0):
        return np.array([uniforms(seed, patient + i, week, block, treatment)[0] for i in range(4000)])

    alone = draws()
    others = [draws(seed=8), draws(patient=10_000), draws(week=1), draws(block=Block.VISIT), draws(treatment=1)]
    for other in others:
        assert abs(correlation(alone, other)) < 4.0 / np.sqrt(4000)
        assert not np.any(alone == other)
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
    names = [
        "BODY",
        "VISIT",
        "PRESCRIBING",
        "TAPER",
        "SESSION",
        "REFERRAL",
        "TRAITS_BODY",
        "TRAITS_MIND",
        "TRAITS_LIFE",
        "TRAITS_OPIOID",
        "PARAMETERS",
        "TRAITS_COURSE",
    ]
    assert [block.name for block in Block][: len(names)] == names
    assert [int(block) for block in Block] == list(range(len(Block)))
    assert max(Block) < 256


def test_a_parameters_draw_is_keyed_by_its_name():
    key = zlib.crc32(b"noise_size")
    assert parameter_uniform(4, 11, "noise_size") == uniforms(4, 11, 0, Block.PARAMETERS, key)[0]
    assert parameter_uniform(4, 11, "noise_size") != parameter_uniform(4, 11, "flare_size")
    assert parameter_uniform(4, 11, "noise_size") != parameter_uniform(4, 12, "noise_size")


def test_no_two_parameters_share_a_key():
    names = list(parameters.records())
    assert len({zlib.crc32(name.encode()) for name in names}) == len(names)
