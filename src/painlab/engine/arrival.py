"""Patients arrive: a block's traits, the state in which each arm begins, and referrals."""

import numpy as np

from painlab import care, dynamics
from painlab.care import OrderField, TreatmentField
from painlab.engine.layout import LANES, Given, Own, Shared, at, condition_of, order_of, parameters_of, people_of, row_of
from painlab.numerics import compiled, compiled_loop, single
from painlab.parameters import Parameters
from painlab.population import Traits, draw_traits
from painlab.randomness import Block, uniforms

NEVER = -1.0  # for weeks and courses that have not come


@compiled
def arrival_signal(traits: Traits, p: Parameters) -> float:
    """Pain signal (0-10) that, with the patient's weakness, sensitization and dose at arrival, gives the arrival pain."""
    relief = dynamics.opioid_relief(traits.dose, traits.tolerance, traits.opioid_response, p)
    unmodulated = max(0.0, traits.pain - p.hyperalgesia_pain * traits.tolerance) / (1.0 - min(relief, care.MOST_RELIEF))
    return max(0.0, unmodulated - dynamics.unmodulated_pain(0.0, 0.0, traits.strength, traits.sensitization, p))


@compiled_loop
def meet_patients(
    seed: int, first: int, condition_: np.ndarray, people_: np.ndarray, goals: np.ndarray, p_: np.ndarray, shared: np.ndarray
) -> None:
    """Draw the traits of patients first ... first + LANES - 1 into the rows of `Shared`."""
    p = parameters_of(p_)
    people = people_of(people_)
    condition = condition_of(condition_)
    count = single(goals.shape[0])
    for i in range(LANES):
        traits = draw_traits(seed, first + i, condition, people, count, p)
        signal = arrival_signal(traits, p)
        goal = int(traits.goal)
        shared[at(Shared.DISTRESS, i)] = traits.distress
        shared[at(Shared.POOR_SLEEP, i)] = traits.poor_sleep
        shared[at(Shared.COMORBIDITY, i)] = traits.comorbidity
        shared[at(Shared.PRIOR_TREATMENT, i)] = traits.prior_treatment
        shared[at(Shared.ADHERENCE, i)] = traits.adherence
        shared[at(Shared.AGE, i)] = traits.age
        shared[at(Shared.RESPONSE, i)] = traits.treatment_response
        shared[at(Shared.OPIOID_RESPONSE, i)] = traits.opioid_response
        shared[at(Shared.STOP_EASE, i)] = traits.stop_ease
        shared[at(Shared.GOAL_ACTIVITY, i)] = goals[goal, 0]
        shared[at(Shared.GOAL_STRENGTH, i)] = goals[goal, 1]
        shared[at(Shared.COURSE_WEEKS, i)] = traits.course_weeks
        shared[at(Shared.SIGNAL_START, i)] = signal
        shared[at(Shared.FLOOR, i)] = traits.lasting_share * signal
        shared[at(Shared.FLARE_CHANCE, i)] = dynamics.flare_chance(condition.flares_per_year, traits.work_demand, p)
        shared[at(Shared.DOSE_FACTOR, i)] = traits.dose_factor
        shared[at(Shared.SUPPLY_FACTOR, i)] = traits.supply_factor
        shared[at(Shared.CAME_WITHOUT, i)] = 1.0 if traits.dose == 0.0 else 0.0
        shared[at(Shared.PAIN_AT_ARRIVAL, i)] = traits.pain
        shared[at(Shared.DOSE_AT_ARRIVAL, i)] = traits.dose
        shared[at(Shared.WEEKS_ON_AT_ARRIVAL, i)] = traits.weeks_on
        shared[at(Shared.ACTIVITY_AT_ARRIVAL, i)] = 0.0 if people.rest_weeks > 0.0 else traits.activity
        shared[at(Shared.STRENGTH_AT_ARRIVAL, i)] = traits.strength
        shared[at(Shared.SENSITIZATION_AT_ARRIVAL, i)] = traits.sensitization
        shared[at(Shared.TOLERANCE_AT_ARRIVAL, i)] = traits.tolerance
        shared[at(Shared.NOISE, i)] = 0.0
        shared[at(Shared.FLARE, i)] = 0.0


@compiled_loop
def begin_arm(shared: np.ndarray, mine: np.ndarray, p_: np.ndarray) -> None:
    """Put an arm's patients, shape (rows of Own x LANES,), into the state in which they arrive."""
    p = parameters_of(p_)
    mine[:] = 0.0
    for i in range(LANES):
        mine[at(Own.ACTIVITY, i)] = shared[at(Shared.ACTIVITY_AT_ARRIVAL, i)]
        mine[at(Own.STRENGTH, i)] = shared[at(Shared.STRENGTH_AT_ARRIVAL, i)]
        mine[at(Own.SENSITIZATION, i)] = shared[at(Shared.SENSITIZATION_AT_ARRIVAL, i)]
        mine[at(Own.TOLERANCE, i)] = shared[at(Shared.TOLERANCE_AT_ARRIVAL, i)]
        mine[at(Own.DOSE, i)] = shared[at(Shared.DOSE_AT_ARRIVAL, i)]
        mine[at(Own.TAKEN, i)] = shared[at(Shared.DOSE_AT_ARRIVAL, i)]
        mine[at(Own.WEEKS_ON, i)] = shared[at(Shared.WEEKS_ON_AT_ARRIVAL, i)]
        mine[at(Own.PAIN_AT_START, i)] = shared[at(Shared.PAIN_AT_ARRIVAL, i)]
        mine[at(Own.RISK_UNTIL, i)] = NEVER
        mine[at(Own.SEDATION, i)] = dynamics.sedation_chance(shared[at(Shared.DOSE_AT_ARRIVAL, i)], p)


@compiled_loop
def refer(
    seed: int, first: int, number: int, row_: np.ndarray, order_: np.ndarray, shared: np.ndarray, given: np.ndarray, p_: np.ndarray
) -> float:
    """Order a treatment, by its number from 1: who comes, when, and in whom it works; given has shape (rows of Given x LANES,).

    Returns the earliest week in which anybody is due.
    """
    p = parameters_of(p_)
    row = row_of(row_)
    order = order_of(order_)
    chance = care.referral_chance(order, p)
    referral = row[TreatmentField.REFERRAL] == 1.0
    for i in range(LANES):
        completed, waited, responder, _, _, _ = uniforms(seed, first + i, 0, Block.REFERRAL, number)
        wait = care.wait_weeks(order, waited, p) if referral else 0.0
        works = (responder < row[TreatmentField.RESPONDERS]) & (order[OrderField.SHAM] == 0.0)
        given[at(Given.RESPONDS, i)] = shared[at(Shared.RESPONSE, i)] if works else 0.0
        given[at(Given.DUE, i)] = np.inf if referral & (completed >= chance) else order[OrderField.START_WEEK] + wait
        given[at(Given.BEGAN, i)] = NEVER
        given[at(Given.LEFT, i)] = NEVER
        given[at(Given.EFFECT, i)] = 0.0
        given[at(Given.HABIT, i)] = 0.0
        given[at(Given.POTENCY, i)] = 1.0
        given[at(Given.BEST, i)] = 0.0
    earliest = given[at(Given.DUE, 0)]
    for i in range(LANES):
        earliest = min(earliest, given[at(Given.DUE, i)])
    return earliest
