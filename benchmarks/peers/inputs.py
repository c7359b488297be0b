"""What a peer is given: one arm's people, parameters and care plan as plain numbers, and all that stays the same for every patient."""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np

from painlab import catalog, parameters, population
from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.outcomes import OUTCOMES
from painlab.parameters import Parameters
from painlab.plan import CarePlan
from painlab.population import Mix
from painlab.scenario import Scenario

OUTCOME_COUNT: Final = len(OUTCOMES)
LONG_TERM_WEEKS: Final = 13
TAPER_PAUSE_WEEKS: Final = 26
TAPER_RISK_WEEKS: Final = 52
MOST_RELIEF: Final = 0.95
MOST_INHERITED_DOSE: Final = 400.0
LONGEST_FIRST_SUPPLY: Final = 90.0  # days
WEEKS_PER_MONTH: Final = 365.25 / 12.0 / 7.0


class Course(NamedTuple):
    """One treatment as it is ordered. `real` is 0 in a sham, whose sizes of effect are 0 but for the contextual one."""

    number: int  # place in the catalog, from 1
    completed: float  # chance that the referral is completed; 1 without one
    mean_wait: float  # weeks; 0 without a referral
    start_week: float
    weeks: float
    courses: float
    interval: float
    pain_threshold: float
    responders: float
    relief: float
    contextual: float
    source_relief: float  # over the drivers it targets
    plateau: float
    lift: float
    easing: float
    gain: float  # share of the missing effect that an attended week adds
    waning: float  # share of the effect lost in a week without sessions
    durable: float
    training: float  # share of the missing strength won in an attended week
    habit_gain: float  # share of the missing habit that an attended week adds
    real: float
    attendance: float
    dropout: float
    sessions: float  # counted in an attended week
    injections: float
    cost: float


class Arm(NamedTuple):
    """Everything one arm needs; constants of the week are worked out once."""

    p: Parameters
    condition: Condition
    people: Mix
    plan: Plan
    goals: np.ndarray  # thresholds of activity and strength, shape (goals, 2)
    courses: tuple[Course, ...]
    pain_quantiles: tuple[float, float]  # between which pain at arrival lies
    flare_kept: float
    withdrawal_kept: float
    habit_kept: float
    noise_step: float
    diagnosis: float  # chance at a visit
    visit_kept: float  # chance of a planned visit
    taper_acceptance: float
    tapered_share: float  # of the dose, after a week of a taper
    withdrawal_size: float  # pain points by tolerance and excess of the fall


def arms_of(scenario: Scenario, values: Mapping[str, float]) -> tuple[Arm, Arm]:
    """Both arms of a closed cohort, baseline first. Raises ValueError for an open one, which the peers do not simulate."""
    if scenario.population.arrivals:
        raise ValueError(f"{scenario.name} is an open cohort")
    return _arm(scenario, scenario.baseline_plan(), values), _arm(scenario, scenario.care, values)


def kept_in_a_week(half_life: float) -> float:
    """Share left after a week of what halves in half_life weeks."""
    return float(2.0 ** (-1.0 / half_life))


def _arm(scenario: Scenario, care: CarePlan, values: Mapping[str, float]) -> Arm:
    p, plan = parameters.scalars(values), care.engine_plan()
    condition, people = population.patients_condition(scenario.population, values), population.mix(scenario.population)
    bell = NormalDist(condition.pain, condition.pain_sd)
    supported = p.taper_acceptance + plan.taper_support * (p.taper_acceptance_supported - p.taper_acceptance)
    return Arm(
        p=p,
        condition=condition,
        people=people,
        plan=plan,
        goals=population.goal_thresholds(scenario.population),
        courses=_courses(care, condition, p, values),
        pain_quantiles=(bell.cdf(people.minimum_pain), bell.cdf(people.maximum_pain)),
        flare_kept=kept_in_a_week(p.flare_half_life),
        withdrawal_kept=kept_in_a_week(p.withdrawal_half_life),
        habit_kept=kept_in_a_week(p.home_half_life),
        noise_step=p.noise_size * math.sqrt(1.0 - p.noise_persistence**2),
        diagnosis=p.diagnosis_fragmented + plan.coordination * (p.diagnosis_coordinated - p.diagnosis_fragmented),
        visit_kept=p.visit_kept + plan.coordination * (1.0 - p.visit_kept) * p.visit_coordination,
        taper_acceptance=min(1.0, plan.taper_offer * supported),
        tapered_share=(1.0 - min(plan.taper_pace, 99.9) / 100.0) ** (1.0 / WEEKS_PER_MONTH),
        withdrawal_size=p.withdrawal_pain * (1.0 - p.withdrawal_support * plan.taper_support),
    )


def _courses(care: CarePlan, condition: Condition, p: Parameters, values: Mapping[str, float]) -> tuple[Course, ...]:
    found = []
    drivers = [getattr(condition, name) for name in catalog.DRIVERS]
    for treatment, order in zip(catalog.treatments().values(), care.engine_orders(), strict=True):
        if order[OrderField.ORDERED] == 0.0:
            continue
        row = dict(zip(TreatmentField, map(float, treatment.row(values, condition.exercise_response)), strict=True))
        stated = dict(zip(OrderField, map(float, order), strict=True))
        handover, sessions = stated[OrderField.HANDOVER], stated[OrderField.SESSIONS]
        completed, wait = stated[OrderField.COMPLETED], stated[OrderField.WAIT]
        if completed < 0.0:
            completed = p.referral_fragmented + handover * (p.referral_coordinated - p.referral_fragmented)
        if wait < 0.0:
            wait = p.wait_fragmented + handover * (p.wait_coordinated - p.wait_fragmented)
        referred, real = row[TreatmentField.REFERRAL] == 1.0, 1.0 - stated[OrderField.SHAM]
        targeted = sum(row[TreatmentField[f"TARGET_{name.upper()}"]] * share for name, share in zip(catalog.DRIVERS, drivers, strict=True))
        found.append(
            Course(
                number=treatment.number,
                completed=completed if referred else 1.0,
                mean_wait=wait if referred else 0.0,
                start_week=stated[OrderField.START_WEEK],
                weeks=stated[OrderField.WEEKS],
                courses=stated[OrderField.COURSES],
                interval=stated[OrderField.INTERVAL],
                pain_threshold=stated[OrderField.PAIN_THRESHOLD],
                responders=real * row[TreatmentField.RESPONDERS],
                relief=row[TreatmentField.RELIEF],
                contextual=row[TreatmentField.CONTEXTUAL],
                source_relief=row[TreatmentField.SOURCE_RELIEF] * targeted,
                plateau=row[TreatmentField.PLATEAU],
                lift=row[TreatmentField.ACTIVITY_LIFT],
                easing=row[TreatmentField.EASING],
                gain=1.0 - (1.0 - row[TreatmentField.BUILD]) ** sessions,
                waning=1.0 - kept_in_a_week(row[TreatmentField.HALF_LIFE]),
                durable=row[TreatmentField.DURABLE],
                training=real * sessions * row[TreatmentField.STRENGTH_GAIN],
                habit_gain=real * min(1.0, row[TreatmentField.HOME_HABIT] * sessions),
                real=real,
                attendance=row[TreatmentField.ATTENDANCE],
                dropout=row[TreatmentField.DROPOUT],
                sessions=sessions * row[TreatmentField.COUNTS_SESSION],
                injections=sessions * row[TreatmentField.COUNTS_INJECTION],
                cost=sessions * row[TreatmentField.COST],
            )
        )
    return tuple(found)
