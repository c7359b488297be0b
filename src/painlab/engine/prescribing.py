"""One week of prescribing for those whom it concerns: patients on opioids or lately tapered, and patients at a visit.

They are few in most weeks. So their numbers are brought together first, at the "desk": the same rows as the block's, without gaps.
"""

import numpy as np

from painlab import care, dynamics
from painlab.engine.layout import (
    ADDED,
    CHANGED_AT_DESK,
    LANES,
    MADE_AT_DESK,
    NOTED_AT_DESK,
    OWN_AT_DESK,
    SHARED_AT_DESK,
    Own,
    Shared,
    at,
    condition_of,
    parameters_of,
    people_of,
    plan_of,
)
from painlab.numerics import compiled, compiled_loop, single
from painlab.outcomes import Count
from painlab.randomness import Block, uniforms

TAPER_PAUSE_WEEKS = 26.0  # a taper that was given up is not offered again for half a year (assumption)
TAPER_RISK_WEEKS = 52.0  # the raised overdose hazard lasts for a year after a taper began, as in T04-05
_TOGETHER = 8  # patients worked on at once; the last ones are filled up with leftovers


@compiled_loop
def gather(week: float, shared: np.ndarray, mine: np.ndarray, lanes: np.ndarray, shared_desk: np.ndarray, desk: np.ndarray) -> int:
    """Bring those who are concerned to the desk. Returns how many; lanes, shape (LANES,), says who."""
    concerned = mine[at(Own.CONCERNED, 0) : at(Own.CONCERNED, LANES)]
    for i in range(LANES):
        at_risk = (mine[at(Own.DOSE, i)] > 0.0) | (week <= mine[at(Own.RISK_UNTIL, i)])
        concerned[i] = 1.0 if at_risk | (mine[at(Own.SEEN, i)] > 0.0) else 0.0
        mine[at(Own.WITHDRAWN, i)] = 0.0
        mine[at(Own.DROWSY, i)] = 0.0
    count = 0
    for i in range(LANES):
        lanes[count] = i
        count += int(concerned[i])
    for row in range(SHARED_AT_DESK):
        full, short = shared[at(row, 0) : at(row, LANES)], shared_desk[at(row, 0) : at(row, LANES)]
        for k in range(count):
            short[k] = full[lanes[k]]
    for row in range(MADE_AT_DESK, OWN_AT_DESK):
        full, short = mine[at(row, 0) : at(row, LANES)], desk[at(row, 0) : at(row, LANES)]
        for k in range(count):
            short[k] = full[lanes[k]]
    return count


@compiled_loop
def scatter(count: int, lanes: np.ndarray, desk: np.ndarray, mine: np.ndarray) -> None:
    """Bring what prescribing changed back from the desk."""
    for row in range(CHANGED_AT_DESK):
        full, short = mine[at(row, 0) : at(row, LANES)], desk[at(row, 0) : at(row, LANES)]
        for k in range(count):
            full[lanes[k]] = short[k]


@compiled
def _filled(count: int) -> int:
    return (count + _TOGETHER - 1) // _TOGETHER * _TOGETHER


@compiled
def first_supply_weeks(supply_factor: float, first_supply_days: float) -> float:
    """Weeks that a patient's first supply lasts, at most 90 days."""
    return min(90.0, first_supply_days * supply_factor) * (1.0 / 7.0)


@compiled_loop
def draw(seed: int, first: int, t: int, count: int, lanes: np.ndarray, chances: np.ndarray) -> None:
    """Draw the week's chances of those at the desk: chances has the six rows of Block.PRESCRIBING, shape (6 x LANES,)."""
    for k in range(_filled(count)):
        six = uniforms(seed, first + int(lanes[k]), t, Block.PRESCRIBING, 0)
        chances[at(0, k)], chances[at(1, k)], chances[at(2, k)] = six[0], six[1], six[2]
        chances[at(3, k)], chances[at(4, k)], chances[at(5, k)] = six[3], six[4], six[5]


@compiled_loop
def prescribe(
    t: int, count: int, chances: np.ndarray, shared: np.ndarray, mine: np.ndarray, noted: np.ndarray, condition_: np.ndarray,
    people_: np.ndarray, plan_: np.ndarray, p_: np.ndarray,
) -> None:  # fmt: skip
    """The week at the desk: the driver of pain may be found; opioids end, are tapered, started, reviewed or raised.

    noted receives the outcomes `NOTED_AT_DESK`, in rows by `Count`.
    """
    p, plan = parameters_of(p_), plan_of(plan_)
    condition, people = condition_of(condition_), people_of(people_)
    week = single(t)
    finds = care.diagnosis_chance(plan.coordination, p)
    finds = max(finds, people.diagnosed) if t == 0 else finds
    usual = condition.opioid_start if t == 0 else p.start_later
    later = t > 0
    assigned = week < plan.assigned_weeks  # a trial's protocol keeps everyone on the opioid
    offered = week >= plan.taper_start
    accepting = care.taper_acceptance_chance(plan.taper_support, plan.taper_offer, p)
    for k in range(_filled(count)):
        diagnosing, reviewing, starting = chances[at(0, k)], chances[at(1, k)], chances[at(2, k)]
        stopping, agreeing, ending = chances[at(3, k)], chances[at(4, k)], chances[at(5, k)]
        pain, seen, distress = mine[at(Own.PAIN, k)], mine[at(Own.SEEN, k)] > 0.0, shared[at(Shared.DISTRESS, k)]
        before, weeks_on, supply = mine[at(Own.DOSE, k)], mine[at(Own.WEEKS_ON, k)], mine[at(Own.SUPPLY, k)]
        tapering, return_dose = mine[at(Own.TAPERING, k)] > 0.0, mine[at(Own.DOSE_BEFORE_TAPER, k)]
        withdrawal, again, start_pain = mine[at(Own.WITHDRAWAL, k)], mine[at(Own.TAPER_AGAIN, k)], mine[at(Own.PAIN_AT_START, k)]
        found = seen & (diagnosing < finds)

        # a taper goes on, is completed or given up; without one, opioids may end by themselves once the supply is used up
        moves = (before > 0.0) & later & (not assigned)
        lower = care.tapered_dose(before, plan.taper_pace)
        completes = moves & tapering & (lower < p.taper_end_dose)
        returning = care.taper_return_chance(withdrawal, pain, plan.taper_support, p)
        returns = moves & tapering & (not completes) & (stopping < returning)
        chance = care.stop_chance(weeks_on, pain, distress, shared[at(Shared.STOP_EASE, k)], p)
        stops = moves & (not tapering) & (supply <= 0.0) & (stopping < chance)
        dose = lower if moves & tapering else before
        dose = return_dose if returns else dose
        dose = 0.0 if completes | stops else dose
        felt_dose = lower if completes else 0.0  # the last small step of a completed taper is no sudden stop
        tapering = tapering & (not completes) & (not returns)
        again = week + TAPER_PAUSE_WEEKS if returns else again

        # a start
        chance = care.opioid_start_chance(pain, distress, shared[at(Shared.PRIOR_TREATMENT, k)], usual, plan, p)
        starts = seen & (before == 0.0) & ((starting < chance) | (assigned & (not later)))
        dose = min(plan.start_dose * shared[at(Shared.DOSE_FACTOR, k)], plan.dose_cap) if starts else dose
        supply = first_supply_weeks(shared[at(Shared.SUPPLY_FACTOR, k)], plan.first_supply_days) if starts else supply
        weeks_on = 0.0 if starts else weeks_on
        start_pain = pain if starts else start_pain

        # a real review ends what does not help, and does not raise a dose by habit
        asked = seen & (before > 0.0) & (dose > 0.0) & (not tapering) & (not assigned)
        reviewed = asked & (reviewing < plan.review)
        ends = reviewed & (ending < care.review_stop_chance(pain, start_pain, p))
        raised = asked & (not reviewed) & (starting < care.escalation_chance(pain, plan, p))
        long_term = weeks_on >= care.LONG_TERM_WEEKS
        dose = 0.0 if ends & (not long_term) else dose
        dose = care.raised_dose(dose, plan, p) if raised else dose
        tapers = asked & long_term & (week >= again) & (ends | (offered & (agreeing < accepting)))

        # what is taken this week
        on = dose > 0.0
        supplied = supply > 0.0
        covered = min(1.0, supply) if supplied else 1.0
        covered = covered if on else 0.0
        persistent = (shared[at(Shared.CAME_WITHOUT, k)] > 0.0) & on & long_term
        mine[at(Own.DOSE, k)] = dose
        taken = dose * covered
        mine[at(Own.TAKEN, k)] = taken
        mine[at(Own.COVERED, k)] = covered
        mine[at(Own.WEEKS_ON, k)] = weeks_on if on else 0.0
        mine[at(Own.SUPPLY, k)] = (supply - 1.0 if supplied else supply) if on else 0.0
        mine[at(Own.PAIN_AT_START, k)] = start_pain
        mine[at(Own.TAPERING, k)] = 1.0 if on & (tapering | tapers) else 0.0
        mine[at(Own.DOSE_BEFORE_TAPER, k)] = dose if tapers else return_dose
        mine[at(Own.TAPER_AGAIN, k)] = again
        risk_until = week + TAPER_RISK_WEEKS if tapers else mine[at(Own.RISK_UNTIL, k)]
        mine[at(Own.RISK_UNTIL, k)] = risk_until
        mine[at(Own.PERSISTENT, k)] = 1.0 if persistent else mine[at(Own.PERSISTENT, k)]
        mine[at(Own.FOUND, k)] = 1.0 if found else mine[at(Own.FOUND, k)]
        mine[at(Own.WITHDRAWN, k)] = dynamics.withdrawal_onset(
            before, max(dose, felt_dose), mine[at(Own.TOLERANCE, k)], plan.taper_support, p
        )

        drowsy, constipated = dynamics.sedation_chance(taken, p), dynamics.constipation_chance(taken, p)
        mine[at(Own.DROWSY, k)] = drowsy
        noted[at(Count.MME, k)] = taken
        noted[at(Count.ON_OPIOIDS, k)] = 1.0 if on else 0.0
        noted[at(Count.DOSE_50_PLUS, k)] = 1.0 if dose >= 50.0 else 0.0
        noted[at(Count.DOSE_90_PLUS, k)] = 1.0 if dose >= 90.0 else 0.0
        noted[at(Count.LONG_TERM_THERAPY, k)] = 1.0 if on & long_term else 0.0
        noted[at(Count.SEDATION, k)] = drowsy
        noted[at(Count.CONSTIPATION, k)] = constipated
        noted[at(Count.SIDE_EFFECTS, k)] = 1.0 - (1.0 - drowsy) * (1.0 - constipated)
        noted[at(Count.OVERDOSE_HAZARD, k)] = dynamics.overdose_hazard(dose, bool(week <= risk_until), p)
        noted[at(Count.VISITS, k)] = 1.0 if seen else 0.0


@compiled_loop
def blank(count: int, noted: np.ndarray) -> int:
    """Note nothing in the places after the `count` at the desk, up to a number that adds up quickly; returns that number."""
    end = (count + ADDED - 1) // ADDED * ADDED
    for row in NOTED_AT_DESK:
        places = noted[at(row, count) : at(row, end)]
        for k in range(places.shape[0]):
            places[k] = 0.0
    return end
