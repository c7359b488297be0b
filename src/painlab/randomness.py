"""A draw is a function of seed, patient, week, decision and treatment: nothing else moves it.

Random123's Philox 4x32-10 (Salmon 2011, doi:10.1145/2063384.2063405) turns such a counter into four uniform numbers. Two arms therefore
meet the same chances (common random numbers), and a new treatment or patient shifts no other draw.
"""

import zlib
from enum import IntEnum
from typing import Final

import numpy as np

from painlab.numerics import compiled


class Block(IntEnum):
    """What a draw is for. Each block holds four numbers; new blocks go at the end."""

    BODY = 0  # each week: noise, flare onset, flare size, next appointment
    VISIT = 1  # each week: scheduled visit kept, unscheduled visit, diagnosis, benefit reviewed
    PRESCRIBING = 2  # each week: start, escalate, stop, taper accepted
    TAPER = 3  # each week: return to the earlier dose, spare
    SESSION = 4  # each week and treatment: attended, dropped out, spare, spare
    REFERRAL = 5  # once a patient and treatment: completed, wait, responder, spare
    TRAITS_BODY = 6  # once a patient: baseline pain, course, age, treatment response
    TRAITS_MIND = 7  # once a patient: distress, sleep, adherence, opioid response
    TRAITS_LIFE = 8  # once a patient: work demand, comorbidity, prior treatment, goal
    TRAITS_OPIOID = 9  # once a patient: on opioids at the start, dose, first supply, arrival
    PARAMETERS = 10  # a parameter draw; the parameter's name takes the place of week and treatment
    TRAITS_COURSE = 11  # once a patient: time constant of the course, ease of stopping opioids, spare


Word = int | np.uint64  # 32 bits held in 64

_MULTIPLIER_0: Final = np.uint64(0xD2511F53)
_MULTIPLIER_1: Final = np.uint64(0xCD9E8D57)
_WEYL_0: Final = np.uint64(0x9E3779B9)
_WEYL_1: Final = np.uint64(0xBB67AE85)
_MASK: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)
_TO_UNIT: Final = 1.0 / 4294967296.0


@compiled
def philox(c0: Word, c1: Word, c2: Word, c3: Word, k0: Word, k1: Word) -> tuple[Word, Word, Word, Word]:
    """Ten rounds of Philox 4x32 on 32-bit words held in uint64."""
    a, b, c, d = np.uint64(c0), np.uint64(c1), np.uint64(c2), np.uint64(c3)
    x, y = np.uint64(k0), np.uint64(k1)
    for _ in range(10):
        product_0 = _MULTIPLIER_0 * a
        product_1 = _MULTIPLIER_1 * c
        a, b, c, d = (product_1 >> _SHIFT) ^ b ^ x, product_1 & _MASK, (product_0 >> _SHIFT) ^ d ^ y, product_0 & _MASK
        x = (x + _WEYL_0) & _MASK
        y = (y + _WEYL_1) & _MASK
    return a, b, c, d


@compiled
def uniforms(seed: int, patient: int, week: int, block: int, treatment: int) -> tuple[float, float, float, float]:
    """Return four independent uniform numbers, each strictly between 0 and 1.

    Parameters
    ----------
    seed, patient
        64-bit counts from 0.
    week, block, treatment
        Week since arrival (below 2^24), a `Block`, and the treatment's number (0 where none is meant), each part of the counter.
    """
    s, p = np.uint64(seed), np.uint64(patient)
    w = np.uint64(week) * np.uint64(256) + np.uint64(block)
    a, b, c, d = philox(p & _MASK, p >> _SHIFT, w & _MASK, np.uint64(treatment), s & _MASK, s >> _SHIFT)
    return (float(a) + 0.5) * _TO_UNIT, (float(b) + 0.5) * _TO_UNIT, (float(c) + 0.5) * _TO_UNIT, (float(d) + 0.5) * _TO_UNIT


def parameter_uniform(seed: int, draw: int, name: str) -> float:
    """Uniform number for one parameter in one draw; keyed by name, so that a new parameter shifts no other."""
    # As a plain int: numba takes 0.1 ms to see the type of an enum, once for each of thousands of parameters.
    return float(uniforms(seed, draw, 0, int(Block.PARAMETERS), zlib.crc32(name.encode()))[0])
