"""Where a block of patients keeps its numbers: one flat array of single precision for what arms share, one for each arm.

A row holds one number of each of `LANES` patients, side by side, so that a loop over them works on 4, 8 or 16 at once. A flat array, and
rows known when the code is compiled, let the compiler see that rows do not overlap.
"""

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic

from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.numerics import compiled
from painlab.outcomes import OUTCOMES, Count
from painlab.parameters import Parameters
from painlab.population import Mix

LANES: Final = 256
"""Patients in a block: their rows fit into the processor's second cache, and calls cost little beside loops."""


class Shared(IntEnum):
    """Rows that all arms share: traits, the week's draws, and what no care changes. Units are those of `Traits`; flags are 0 or 1.

    The first `SHARED_AT_DESK` are what prescribing needs.
    """

    DISTRESS = 0
    PRIOR_TREATMENT = 1
    STOP_EASE = 2
    DOSE_FACTOR = 3
    SUPPLY_FACTOR = 4
    CAME_WITHOUT = 5  # opioids
    POOR_SLEEP = 6
    COMORBIDITY = 7
    ADHERENCE = 8
    AGE = 9
    RESPONSE = 10  # to treatment
    OPIOID_RESPONSE = 11
    GOAL_ACTIVITY = 12
    GOAL_STRENGTH = 13
    COURSE_WEEKS = 14
    SIGNAL_START = 15  # pain signal at arrival
    FLOOR = 16  # its lasting part
    FLARE_CHANCE = 17
    PAIN_AT_ARRIVAL = 18
    DOSE_AT_ARRIVAL = 19
    WEEKS_ON_AT_ARRIVAL = 20
    ACTIVITY_AT_ARRIVAL = 21
    STRENGTH_AT_ARRIVAL = 22
    SENSITIZATION_AT_ARRIVAL = 23
    TOLERANCE_AT_ARRIVAL = 24
    NOISE = 25
    FLARE = 26
    SIGNAL = 27  # this week's, with flares
    # this week's uniform numbers, in the order of Block.BODY
    U_NOISE = 28
    U_FLARE = 29
    U_FLARE_SIZE = 30
    U_APPOINTMENT = 31
    U_KEPT = 32
    U_SOUGHT = 33


class Own(IntEnum):
    """Rows of one arm: prescribing, the body, and what this week's treatments add up to.

    The first `OWN_AT_DESK` are what prescribing deals with: of these it makes the first `MADE_AT_DESK` anew and changes the first
    `CHANGED_AT_DESK`.
    """

    TAKEN = 0  # MME/day, less where the supply covers a part of the week
    COVERED = 1  # share of the week that the supply covers, 0 without opioids
    WITHDRAWN = 2  # withdrawal pain that this week's fall of the dose adds
    DROWSY = 3  # chance of sedation by what is taken this week
    DOSE = 4  # MME/day prescribed
    WEEKS_ON = 5
    SUPPLY = 6  # weeks left of the first supply
    PAIN_AT_START = 7  # of opioids
    TAPERING = 8
    DOSE_BEFORE_TAPER = 9
    TAPER_AGAIN = 10  # first week in which a taper may be offered again
    RISK_UNTIL = 11  # last week of the raised overdose hazard
    PERSISTENT = 12
    FOUND = 13  # the driver of pain
    TOLERANCE = 14
    WITHDRAWAL = 15
    PAIN = 16
    SEEN = 17
    ACTIVITY = 18
    STRENGTH = 19
    SENSITIZATION = 20
    NEXT_VISIT = 21
    SOURCE_KEPT = 22  # share of the signal that treatments leave
    FELT_KEPT = 23  # share of felt pain that treatments leave
    LIFT = 24
    EASING = 25
    TRAINING = 26
    SEDATION = 27  # chance by what was taken in the week before
    CONCERNED = 28  # whether the patient is at the desk


SHARED_AT_DESK: Final = int(Shared.CAME_WITHOUT) + 1
MADE_AT_DESK: Final = int(Own.DROWSY) + 1
CHANGED_AT_DESK: Final = int(Own.FOUND) + 1
OWN_AT_DESK: Final = int(Own.SEEN) + 1


class Given(IntEnum):
    """Rows of one ordered treatment in one arm."""

    RESPONDS = 0  # the patient's multiplier, 0 in a non-responder
    DUE = 1  # week of the first session, infinite if the referral is never completed
    BEGAN = 2  # week, or -1
    LEFT = 3  # number of the course that was left, or -1
    EFFECT = 4
    HABIT = 5
    POTENCY = 6
    BEST = 7


COUNTED: Final = len(Count)
NOTED_AT_DESK: Final = np.array([
    Count.MME, Count.ON_OPIOIDS, Count.DOSE_50_PLUS, Count.DOSE_90_PLUS, Count.LONG_TERM_THERAPY, Count.SEDATION, Count.CONSTIPATION,
    Count.SIDE_EFFECTS, Count.OVERDOSE_HAZARD, Count.VISITS,
])  # fmt: skip
"""Outcomes that are 0 in everyone who is not at the desk."""
NOTED_IN_ALL: Final = np.array([int(one) for one in Count if one not in NOTED_AT_DESK])

ROW: Final = LANES + 16
"""Numbers from one row to the next; with a power of two all rows would compete for the same places in the cache."""
ADDED: Final = 64
"""Patients whose integers are added in 32 bits before they go on in 64."""
_ROOM: Final = 2**31 / ADDED / 2.0


def _scale(most: float) -> float:
    """Power of two by which a number up to `most` becomes an integer whose sum over `ADDED` patients fits into 32 bits."""
    return float(2.0 ** np.floor(np.log2(_ROOM / most)))


MOST: Final = np.array([one.most for one in OUTCOMES], dtype=np.float32)
"""Largest value of each outcome in one patient and week; more is held there."""
SCALES: Final = np.array([_scale(one.most) for one in OUTCOMES], dtype=np.float32)
"""Integer units of each outcome's sums: sums of integers do not depend on their order."""


@compiled
def at(row: int, lane: int) -> int:
    """Place of a row's lane in a flat array."""
    return row * ROW + lane


def packed(numbers: Parameters | Plan | Mix | Condition) -> np.ndarray:
    """Numbers of a record as the compiled loops take them, shape (fields,): handing over a hundred by themselves would take as long as
    the loop.
    """
    return np.array(numbers, dtype=np.float32)


def _unpacking(record: type | None, count: int) -> Any:
    """A function for compiled code that undoes `packed`; without a record it gives a plain tuple."""

    @intrinsic
    def unpack(context, numbers):  # type: ignore[no-untyped-def]
        one = numbers.dtype
        whole = types.NamedUniTuple(one, count, record) if record else types.UniTuple(one, count)  # type: ignore[attr-defined]

        def lower(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
            loaded = [builder.load(cgutils.gep_inbounds(builder, data, k)) for k in range(count)]
            return context.make_tuple(builder, signature.return_type, loaded)

        return whole(numbers), lower

    return unpack


parameters_of = _unpacking(Parameters, len(Parameters._fields))
plan_of = _unpacking(Plan, len(Plan._fields))
people_of = _unpacking(Mix, len(Mix._fields))
condition_of = _unpacking(Condition, len(Condition._fields))
row_of = _unpacking(None, len(TreatmentField))
order_of = _unpacking(None, len(OrderField))
