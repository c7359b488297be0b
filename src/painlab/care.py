"""What a clinic does in a week: a treatment's row, attendance and waning, referral, visits, prescribing and tapering.

A treatment is a row of numbers (`TreatmentField`), not a class; opioids are the one exception. As in `dynamics`, each equation is one pure
function that returns a chance, a level or a change per week. The source of every coefficient is its row in data/parameters.csv.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from painlab.dynamics import waned_in_a_week
from painlab.numerics import compiled, exp, log, power, shifted
from painlab.parameters import Parameters

WEEKS_PER_MONTH = 365.25 / 12.0 / 7.0
MOST_RELIEF = 0.95  # no single treatment takes more (a guard for extreme draws)
LONG_TERM_WEEKS = 13  # 90 days, the usual definition of long-term opioid therapy


class TreatmentField(IntEnum):
    """Columns of a treatment's row. Those up to COST are parameters; the rest come from data/treatments.toml."""

    RESPONDERS = 0  # share of patients in whom it works at all
    RELIEF = 1  # share of felt pain taken away at full effect
    CONTEXTUAL = 2  # share of felt pain taken away by attention and expectation
    SOURCE_RELIEF = 3  # share taken from the targeted drivers at full effect
    BUILD = 4  # share of the missing effect that one session adds
    HALF_LIFE = 5  # weeks in which half of the effect wanes
    DURABLE = 6  # share of the best effect reached that does not wane
    PLATEAU = 7  # how long relief at the source keeps its size while the drug wanes (0: it falls with it; toward 1: it stays)
    ACTIVITY_LIFT = 8  # share of the missing activity won at full effect
    STRENGTH_GAIN = 9  # share of the missing strength won in one session
    EASING = 10  # share of sensitization eased in a week at full effect
    HOME_HABIT = 11  # share of the missing habit of home exercise that one session adds
    ATTENDANCE = 12  # chance that a week's sessions are attended, for a typical patient
    DROPOUT = 13  # weekly chance of leaving the course, for a typical patient
    COST = 14  # USD a session
    TARGET_MECHANICAL = 15
    TARGET_INFLAMMATORY = 16
    TARGET_NEUROPATHIC = 17
    TARGET_MUSCULAR = 18
    REFERRAL = 19  # 1 if it needs a referral and a wait
    COUNTS_SESSION = 20
    COUNTS_INJECTION = 21
    EXERCISE = 22  # 1 if the condition's response to exercise applies


PARAMETER_FIELDS = tuple(TreatmentField)[: TreatmentField.COST + 1]


class OrderField(IntEnum):
    """Columns of one treatment's order in a care plan."""

    ORDERED = 0  # 1 if the plan has it
    START_WEEK = 1
    WEEKS = 2
    SESSIONS = 3  # a week
    COURSES = 4
    INTERVAL = 5  # weeks from the start of one course to the next
    PAIN_THRESHOLD = 6  # given only once pain is at least this
    HANDOVER = 7  # coordination (0-1) of this referral
    COMPLETED = 8  # share of referrals completed if the plan states it, otherwise negative
    WAIT = 9  # mean wait in weeks if the plan states it, otherwise negative
    SHAM = 10  # 1 if only attention and expectation act


class Plan(NamedTuple):
    """The scalar part of a care plan, as the engine sees it."""

    coordination: float
    opioid_start: float
    start_dose: float
    first_supply_days: float
    escalation: float
    dose_cap: float
    reassessment_weeks: float
    review: float
    taper_start: float
    taper_pace: float
    taper_support: float
    taper_offer: float
    assigned_weeks: float = 0.0


@compiled
def treatment_effect_change(
    effect: float, best: float, attended: float, sessions: float, home_habit: float, row: np.ndarray, p: Parameters
) -> float:
    """Change per week of a treatment's effect (0-1): each attended session adds a share of what is missing; what is not durable wanes.

    de = attended (1 - e)(1 - (1 - build)^sessions) - (1 - attended)(e - durable b)(1 - 2^(-1 / half-life)), slower while home exercise goes
    on; b is the best effect reached so far.
    """
    waning = waned_in_a_week(row[TreatmentField.HALF_LIFE]) * (1.0 - p.home_keeps * home_habit)
    missing = 1.0 - row[TreatmentField.BUILD]
    built = 1.0 - (power(missing, sessions) if missing > 0.0 else 0.0)
    return attended * (1.0 - effect) * built - (1.0 - attended) * max(0.0, effect - row[TreatmentField.DURABLE] * best) * waning


@compiled
def targeted_share(row: np.ndarray, mechanical: float, inflammatory: float, neuropathic: float, muscular: float) -> float:
    """Share of a patient's pain drivers (which sum to 1) that a treatment targets."""
    return (
        row[TreatmentField.TARGET_MECHANICAL] * mechanical
        + row[TreatmentField.TARGET_INFLAMMATORY] * inflammatory
        + row[TreatmentField.TARGET_NEUROPATHIC] * neuropathic
        + row[TreatmentField.TARGET_MUSCULAR] * muscular
    )


@compiled
def source_relief(effect: float, response: float, potency: float, targeted: float, row: np.ndarray) -> float:
    """Share of the pain signal that a treatment takes at its source: in responders, as far as it meets the drivers it targets.

    The effect e is what is left of the drug; relief follows e / (1 - plateau (1 - e)), an Emax curve scaled to 1 at e = 1. response is the
    patient's multiplier (0 in a non-responder), potency what is left if the driver was missed.
    """
    kept = effect / (1.0 - row[TreatmentField.PLATEAU] * (1.0 - effect))
    return min(MOST_RELIEF, response * kept * potency * row[TreatmentField.SOURCE_RELIEF] * targeted)


@compiled
def felt_relief(effect: float, response: float, row: np.ndarray) -> float:
    """Share of felt pain that a treatment takes: its own part in responders, and the contextual part in everyone who attends."""
    return min(MOST_RELIEF, response * effect * row[TreatmentField.RELIEF] + effect * row[TreatmentField.CONTEXTUAL])


@compiled
def activity_lift(effect: float, response: float, row: np.ndarray) -> float:
    """Share of the missing activity that a treatment wins."""
    return response * effect * row[TreatmentField.ACTIVITY_LIFT]


@compiled
def sensitization_easing(effect: float, response: float, row: np.ndarray) -> float:
    """Share of sensitization that a treatment eases in a week."""
    return response * effect * row[TreatmentField.EASING]


@compiled
def training_share(attended: float, sessions: float, home_habit: float, row: np.ndarray, p: Parameters) -> float:
    """Share of the missing strength that a week's sessions and home exercise win, before age."""
    return attended * sessions * row[TreatmentField.STRENGTH_GAIN] + home_habit * p.home_training


@compiled
def home_habit_change(habit: float, attended: float, sessions: float, adherence: float, row: np.ndarray, p: Parameters) -> float:
    """Change per week of the habit of home exercise (0-1): sessions build it in those who adhere, and it decays after discharge."""
    gain = min(1.0, row[TreatmentField.HOME_HABIT] * sessions) * attended * max(0.0, adherence - habit)
    return gain - (1.0 - attended) * habit * waned_in_a_week(p.home_half_life)


@compiled
def attendance_chance(pain: float, adherence: float, coordination: float, row: np.ndarray, p: Parameters) -> float:
    """Chance that a week's sessions are attended: falls with pain, rises with adherence and coordination (both 0-1)."""
    readiness = p.attendance_adherence * (adherence - 0.5) + p.attendance_coordination * coordination
    return shifted(row[TreatmentField.ATTENDANCE], readiness - p.attendance_pain * (pain - 5.0))


@compiled
def dropout_chance(pain: float, adherence: float, coordination: float, row: np.ndarray, p: Parameters) -> float:
    """Weekly chance of leaving a course for good: the mirror image of attendance."""
    readiness = p.attendance_adherence * (adherence - 0.5) + p.attendance_coordination * coordination
    return shifted(row[TreatmentField.DROPOUT], p.attendance_pain * (pain - 5.0) - readiness)


@compiled
def referral_chance(order: np.ndarray, p: Parameters) -> float:
    """Chance that a referral is ever completed: the plan's own, or that of its handover, from fragmented (0) to coordinated (1)."""
    if order[OrderField.COMPLETED] >= 0.0:
        return order[OrderField.COMPLETED]
    return p.referral_fragmented + order[OrderField.HANDOVER] * (p.referral_coordinated - p.referral_fragmented)


@compiled
def wait_weeks(order: np.ndarray, u: float, p: Parameters) -> float:
    """Weeks from order to first session: between half and one and a half times the mean wait, by the uniform number u.

    The mean is the plan's own, or that of its handover, from fragmented (0) to coordinated (1).
    """
    mean = order[OrderField.WAIT]
    if mean < 0.0:
        mean = p.wait_fragmented + order[OrderField.HANDOVER] * (p.wait_coordinated - p.wait_fragmented)
    return mean * (0.5 + u)


@compiled
def diagnosis_chance(coordination: float, p: Parameters) -> float:
    """Chance that a visit finds what drives the pain, so that targeted care meets its target."""
    return p.diagnosis_fragmented + coordination * (p.diagnosis_coordinated - p.diagnosis_fragmented)


@compiled
def scheduled_visit_chance(coordination: float, p: Parameters) -> float:
    """Chance that a planned visit is kept."""
    return p.visit_kept + coordination * (1.0 - p.visit_kept) * p.visit_coordination


@compiled
def weeks_to_next_visit(interval: float, u: float, p: Parameters) -> float:
    """Whole weeks until the next planned visit: the interval, give or take `visit_spread` of it, by the uniform number u; at least 1."""
    return max(1.0, np.floor(interval * (1.0 + p.visit_spread * (2.0 * u - 1.0)) + 0.5))


@compiled
def unscheduled_visit_chance(pain: float, p: Parameters) -> float:
    """Weekly chance of an unplanned visit, rising with pain."""
    return shifted(p.unscheduled_visit, p.unscheduled_visit_pain * (pain - 5.0))


@compiled
def opioid_start_chance(pain: float, distress: float, prior_treatment: float, usual: float, plan: Plan, p: Parameters) -> float:
    """Chance that a visit starts an opioid: the usual chance, moved by pain, distress and earlier treatment, times the plan's readiness.

    usual is the chance at pain 5, distress 0.3 and no earlier treatment: the condition's at the first visit, `start_later` at later ones.
    """
    shift = p.start_pain * (pain - 5.0) + p.start_distress * (distress - 0.3) + p.start_prior * prior_treatment
    return min(1.0, shifted(usual, shift) * plan.opioid_start)


@compiled
def escalation_chance(pain: float, plan: Plan, p: Parameters) -> float:
    """Chance that a visit raises the dose, times the plan's readiness to do so (1 = usual practice)."""
    return min(1.0, plan.escalation * shifted(p.escalation_usual, p.escalation_pain * (pain - 5.0)))


@compiled
def raised_dose(dose: float, plan: Plan, p: Parameters) -> float:
    """Dose (MME/day) after a raise by `escalation_step`, up to the plan's cap; a dose above the cap stays."""
    return max(dose, min(dose * (1.0 + p.escalation_step), plan.dose_cap))


@compiled
def stop_chance(weeks_on: float, pain: float, distress: float, ease: float, p: Parameters) -> float:
    """Weekly chance that opioids end by themselves once a supply is used up.

    Hazard h = x c (w + 1)^-g e^(-b (pain - 5) - d distress): it falls with the weeks w on opioids, so that a longer first supply persists
    more; ease x is the condition's and the patient's own multiplier.
    """
    fall = p.stop_decay * log(weeks_on + 1.0) + p.stop_pain * (pain - 5.0) + p.stop_distress * (distress - 0.3)
    return 1.0 - exp(-ease * p.stop_scale * exp(-fall))


@compiled
def review_stop_chance(pain: float, pain_at_start: float, p: Parameters) -> float:
    """Chance that a review of benefit ends or tapers the opioid: high where pain fell by less than 30 %, or is mild by now."""
    without_benefit = pain > 0.7 * pain_at_start or pain <= 3.0
    return p.review_stop if without_benefit else 0.0


@compiled
def taper_acceptance_chance(support: float, offer: float, p: Parameters) -> float:
    """Chance that a patient on long-term opioids begins the offered taper at a visit; an offer of 1 is usual, more is pressure."""
    return min(1.0, offer * (p.taper_acceptance + support * (p.taper_acceptance_supported - p.taper_acceptance)))


@compiled
def tapered_dose(dose: float, pace: float) -> float:
    """Dose (MME/day) after one more week of a taper by `pace` percent a month."""
    return dose * power(1.0 - min(pace, 99.9) / 100.0, 1.0 / WEEKS_PER_MONTH)


@compiled
def taper_weeks(dose: float, pace: float, p: Parameters) -> float:
    """Weeks (at least 1) that an unbroken taper by `pace` percent a month takes from a dose to its end."""
    monthly = -log(1.0 - min(pace, 99.9) / 100.0)
    return max(1.0, log(max(dose, p.taper_end_dose) / p.taper_end_dose) / monthly * WEEKS_PER_MONTH)


@compiled
def taper_return_chance(withdrawal: float, pain: float, support: float, p: Parameters) -> float:
    """Weekly chance that a taper is given up and the earlier dose returns: rises with withdrawal and pain, falls with support."""
    shift = p.taper_return_withdrawal * withdrawal + p.taper_return_pain * (pain - 5.0) - p.taper_return_support * support
    return shifted(p.taper_return, shift)
