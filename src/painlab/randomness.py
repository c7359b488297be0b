"""A draw is a function of seed, patient, week, decision and treatment: nothing else moves it.

Random123's Philox 4x32-10 (Salmon 2011, doi:10.1145/2063384.2063405) turns such a counter into 128 random bits. Two arms therefore meet the
same chances (common random numbers), and a new treatment or patient shifts no other draw.
"""

import zlib
from enum import IntEnum
from typing import Final

import numpy as np

from painlab.numerics import compiled, single


class Block(IntEnum):
    """What a draw is for. Each block holds six numbers; new blocks go at the end.

    Decisions that never meet in one patient and week share a number.
    """

    BODY = 0  # each week: noise, flare onset, flare size, next appointment, scheduled visit kept, unscheduled visit
    PRESCRIBING = 1  # each week: diagnosis, benefit reviewed, start or escalation, stop or return to the earlier dose, taper, review stops
    SESSION = (
        2  # each week: of six treatments, whether it is attended or the course left; the sixth of the number takes the treatment's place
    )
    REFERRAL = 3  # once a patient and treatment: completed, wait, responder
    TRAITS_BODY = 4  # once a patient: baseline pain, lasting share, age, treatment response, opioid response, time constant of the course
    TRAITS_MIND = 5  # once a patient: distress, sleep, adherence, work demand, comorbidity, prior treatment
    TRAITS_OPIOID = 6  # once a patient: on opioids at the start, dose, first supply, ease of stopping, goal
    PARAMETERS = 10  # a parameter draw; the parameter's name takes the place of week and treatment


DRAWS: Final = 6
"""Numbers in a block."""

Word = int | np.uint32

_MULTIPLIER_0: Final = np.uint64(0xD2511F53)
_MULTIPLIER_1: Final = np.uint64(0xCD9E8D57)
_WEYL_0: Final = np.uint32(0x9E3779B9)
_WEYL_1: Final = np.uint32(0xBB67AE85)
_HIGH: Final = np.uint64(32)
_PARAMETER_UNIT: Final = 1.0 / 4294967296.0
_BITS: Final = 21
_UNIT: Final = np.float32(2.0**-_BITS)
_HALF: Final = np.float32(0.5)
_REST: Final = np.uint32(32 - _BITS)
_ODD: Final = np.uint32((1 << (32 - _BITS)) - 1)
_EVEN: Final = np.uint32((1 << (2 * _BITS - 32)) - 1)
_SHIFT: Final = np.uint32(2 * _BITS - 32)


@compiled
def philox(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Ten rounds of Philox 4x32: a counter of four words of 32 bits under a key of two gives four random words."""
    a, b, c, d = np.uint32(c0), np.uint32(c1), np.uint32(c2), np.uint32(c3)
    x, y = np.uint32(k0), np.uint32(k1)
    for _ in range(10):
        product_0 = _MULTIPLIER_0 * np.uint64(a)
        product_1 = _MULTIPLIER_1 * np.uint64(c)
        a = np.uint32(product_1 >> _HIGH) ^ b ^ x
        c = np.uint32(product_0 >> _HIGH) ^ d ^ y
        b, d = np.uint32(product_1), np.uint32(product_0)
        x, y = np.uint32(x + _WEYL_0), np.uint32(y + _WEYL_1)
    return a, b, c, d


@compiled
def _words(seed: int, patient: int, week: int, block: int, treatment: int) -> tuple[Word, Word, Word, Word]:
    s, p = np.uint64(seed), np.uint64(patient)
    place = np.uint32(np.uint32(week) * np.uint32(256) + np.uint32(block))
    return philox(np.uint32(p), np.uint32(p >> _HIGH), place, np.uint32(treatment), np.uint32(s), np.uint32(s >> _HIGH))


@compiled
def _unit(bits: Word) -> float:
    return single((np.float32(np.int32(bits)) + _HALF) * _UNIT)


@compiled
def uniforms(seed: int, patient: int, week: int, block: int, treatment: int) -> tuple[float, float, float, float, float, float]:
    """Return six independent uniform numbers of 21 bits, each strictly between 0 and 1, in single precision (and exact there).

    Four come from the first 21 bits of a random word each, two from what is left of two words.

    Parameters
    ----------
    seed, patient
        64-bit counts from 0.
    week, block, treatment
        Week since arrival (below 2^24), a `Block`, and the treatment's number (0 where none is meant), each part of the counter.
    """
    a, b, c, d = _words(seed, patient, week, block, treatment)
    return (
        _unit(a >> _REST),
        _unit(b >> _REST),
        _unit(c >> _REST),
        _unit(d >> _REST),
        _unit(((a & _ODD) << _SHIFT) | (b & _EVEN)),
        _unit(((c & _ODD) << _SHIFT) | (d & _EVEN)),
    )


def parameter_uniform(seed: int, draw: int, name: str) -> float:
    """Uniform number for one parameter in one draw; keyed by name, so that a new parameter shifts no other."""
    # As a plain int: numba takes 0.1 ms to see the type of an enum, once for each of thousands of parameters.
    word = _words(seed, draw, 0, int(Block.PARAMETERS), zlib.crc32(name.encode()))[0]
    return (int(word) + 0.5) * _PARAMETER_UNIT
