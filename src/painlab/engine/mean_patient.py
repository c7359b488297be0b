"""The mean patient: the same equations as an ordinary differential equation, for the classroom.

Where the cohort compares a chance with a draw, the mean patient multiplies by it. Users of opioids are shares of patients by time on them
(a chain of compartments) with one dose; spread among patients, flares' timing and single tapers are averaged away, so that demand differs
from the cohort's.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from painlab import care, catalog, dynamics, parameters, population
from painlab.care import OrderField, TreatmentField
from painlab.engine.arrival import arrival_signal
from painlab.engine.execution import inputs_of
from painlab.population import Traits
from painlab.scenario import Scenario

STATES: Final = ("activity", "strength", "sensitization", "flare", "dose", "tolerance", "withdrawal", "tapering", "driver_found")
USE_WEEKS: Final = np.array([2.0, 4.0, 7.0, 39.0, np.inf])  # width of each compartment of time on opioids
USE_MIDDLE: Final = np.array([1.0, 4.0, 9.5, 30.0, 150.0])  # weeks on opioids that stand for it
LONG_TERM: Final = np.array([False, False, False, True, True])
_HALF_LIVES: Final = ("flare_half_life", "withdrawal_half_life", "home_half_life")
_SCALARS: Final = len(STATES)
_BODY: Final = _SCALARS + len(USE_WEEKS)


class _Inputs(NamedTuple):
    p: parameters.Parameters
    condition: catalog.Condition
    traits: Traits
    signal: float
    plan: care.Plan
    rows: np.ndarray
    orders: np.ndarray
    ordered: tuple[int, ...]
    usual_dose: float  # MME/day of users before any taper


class _Now(NamedTuple):
    """What follows from the state at one moment."""

    pain: float
    sedation: float
    lift: float
    easing: float
    dose: float  # per patient


def typical_patient(scenario: Scenario, condition: catalog.Condition, p: parameters.Parameters) -> Traits:
    """Traits of the typical patient: the population's means, and the state in which the weeks before arrival leave such a patient."""
    still = p._replace(course_spread=0.0, course_time_spread=0.0, response_spread=0.0, stop_spread=0.0, trait_spread=0.0, dose_spread=0.0)
    people = population.mix(scenario.population)
    centered = people._replace(on_opioids=1.0 if people.on_opioids > 0.0 else 0.0, prior_treatment=0.0)
    traits = population.draw_traits(0, 0, condition._replace(pain_sd=1e-6, age_sd=0.0), centered, 1, still)
    return traits._replace(prior_treatment=people.prior_treatment, treatment_response=1.0 - p.prior_response_loss * people.prior_treatment)


def _now(t: float, state: np.ndarray, inputs: _Inputs) -> _Now:
    p, traits = inputs.p, inputs.traits
    _, strength, sensitization, flare, dose, tolerance, withdrawal, _, found = state[:_SCALARS]
    users = float(state[_SCALARS:_BODY].sum())
    effects = state[_BODY:].reshape(4, -1)[0]
    source_kept = felt_kept = 1.0
    lift = easing = 0.0
    for place, j in enumerate(inputs.ordered):
        row = inputs.rows[j]
        reached = care.referral_chance(inputs.orders[j], p)
        share = effects[place] * (reached if row[TreatmentField.REFERRAL] else 1.0)
        real = 1.0 - inputs.orders[j, OrderField.SHAM]
        response = real * row[TreatmentField.RESPONDERS] * traits.treatment_response
        targeted = care.targeted_share(row, *(getattr(inputs.condition, driver) for driver in catalog.DRIVERS))
        potency = found + (1.0 - found) * p.missed_driver_effect if row[TreatmentField.COUNTS_INJECTION] else 1.0
        source_kept *= 1.0 - care.source_relief(share, response, potency, targeted, row)
        felt_kept *= 1.0 - care.felt_relief(share, response, row)
        lift += care.activity_lift(share, response, row)
        easing += care.sensitization_easing(share, response, row)
    signal = dynamics.nociception(t, inputs.signal, traits.lasting_share * inputs.signal, traits.course_weeks) + flare
    unmodulated = dynamics.unmodulated_pain(signal, 1.0 - source_kept, strength, sensitization, p)
    relief = users * dynamics.opioid_relief(dose, tolerance, traits.opioid_response, p)
    pain = dynamics.felt_pain(unmodulated, relief, 1.0 - felt_kept, users * tolerance, users * withdrawal, 0.0, p)
    return _Now(pain, users * dynamics.sedation_chance(dose, p), lift, easing, users * dose)


def _in_course(t: float, order: np.ndarray, wait: float) -> bool:
    since = t - order[OrderField.START_WEEK] - wait
    if since < 0.0:
        return False
    course = int(since / order[OrderField.INTERVAL]) if order[OrderField.COURSES] > 1.0 else 0
    return bool(course < order[OrderField.COURSES] and since - course * order[OrderField.INTERVAL] < order[OrderField.WEEKS])


def change_per_week(t: float, state: np.ndarray, inputs: _Inputs) -> np.ndarray:
    """Right-hand side of the differential equation.

    state holds `STATES`, users by time on opioids, then effect, home habit, share still in the course and best effect so far by treatment.
    """
    p, traits, plan, condition = inputs.p, inputs.traits, inputs.plan, inputs.condition
    activity, strength, sensitization, flare, dose, tolerance, withdrawal, tapering, found = state[:_SCALARS]
    users = state[_SCALARS:_BODY]
    effects, habits, staying, bests = state[_BODY:].reshape(4, -1)
    now = _now(t, state, inputs)

    treated = np.zeros((4, len(inputs.ordered)))
    training = 0.0
    for place, j in enumerate(inputs.ordered):
        row, order = inputs.rows[j], inputs.orders[j]
        referral = bool(row[TreatmentField.REFERRAL])
        wait = care.wait_weeks(order, 0.5, p) if referral else 0.0
        offered = attended = 0.0
        if _in_course(t, order, wait):
            offered = order[OrderField.SESSIONS]
            due = population.normal_share((now.pain - order[OrderField.PAIN_THRESHOLD]) / condition.pain_sd)
            due = 1.0 if order[OrderField.PAIN_THRESHOLD] == 0.0 else due
            attended = staying[place] * due * care.attendance_chance(now.pain, traits.adherence, plan.coordination, row, p)
            treated[2, place] = -staying[place] * care.dropout_chance(now.pain, traits.adherence, plan.coordination, row, p)
        treated[0, place] = care.treatment_effect_change(effects[place], bests[place], attended, offered, habits[place], row, p)
        treated[3, place] = max(0.0, treated[0, place]) if effects[place] >= bests[place] - 1e-9 else 0.0
        real = 1.0 - order[OrderField.SHAM]
        treated[1, place] = real * care.home_habit_change(habits[place], attended, offered, traits.adherence, row, p)
        reached = care.referral_chance(order, p) if referral else 1.0
        training += real * reached * care.training_share(attended, offered, habits[place], row, p)

    visits = care.scheduled_visit_chance(plan.coordination, p) / plan.reassessment_weeks + care.unscheduled_visit_chance(now.pain, p)
    start = care.opioid_start_chance(now.pain, traits.distress, traits.prior_treatment, p.start_later, plan, p) * (1.0 - users.sum())
    supplied = plan.first_supply_days / 7.0
    stop = np.array([0.0 if w < supplied else care.stop_chance(w, now.pain, traits.distress, traits.stop_ease, p) for w in USE_MIDDLE])
    review = visits * plan.review * care.review_stop_chance(now.pain, traits.pain, p)
    accept = visits * care.taper_acceptance_chance(plan.taper_support, plan.taper_offer, p) if t >= plan.taper_start else 0.0
    back = care.taper_return_chance(withdrawal, now.pain, plan.taper_support, p)
    tapered = care.tapered_dose(dose, plan.taper_pace)
    finished = tapering / care.taper_weeks(dose, plan.taper_pace, p)
    onward = users / USE_WEEKS
    leaving = users * np.where(LONG_TERM, stop * (1.0 - tapering) + finished, stop + review)
    arriving = np.concatenate([[visits * start], onward[:-1]])
    long_term = float(users[LONG_TERM].sum() / max(users.sum(), 1e-9))
    step = care.raised_dose(dose, plan, p) - dose
    raised = visits * (1.0 - plan.review) * care.escalation_chance(now.pain, plan, p) * step
    target = dynamics.activity_target(now.pain, traits.distress, traits.comorbidity, now.sedation, now.lift, p)
    onset = long_term * tapering * dynamics.withdrawal_onset(dose, tapered, tolerance, plan.taper_support, p)
    body = (
        dynamics.activity_change(activity, target, p),
        dynamics.strength_change(strength, activity, p) + dynamics.training_gain(strength, training, traits.age, p),
        dynamics.sensitization_change(sensitization, now.pain, traits.distress, traits.poor_sleep, now.easing, p),
        dynamics.flare_change(flare, p) + dynamics.flare_chance(condition.flares_per_year, traits.work_demand, p) * p.flare_size,
        raised * (1.0 - tapering) - long_term * tapering * (dose - tapered - back * max(0.0, inputs.usual_dose - dose)),
        dynamics.tolerance_change(tolerance, dose, p),
        dynamics.withdrawal_change(withdrawal, p) + onset,
        (accept + review) * (1.0 - tapering) - back * tapering - finished * (1.0 - tapering),
        visits * care.diagnosis_chance(plan.coordination, p) * (1.0 - found),
    )
    return np.concatenate([body, arriving - onward - leaving, treated.ravel()])


def _for_a_steady_rate(half_life: float) -> float:
    """The half-life whose loss in a week, 1 - 2^(-1/h), equals the steady rate ln 2 / half-life; never faster than all in a week."""
    rate = dynamics.LN2 / half_life if half_life > 0.0 else 1.0
    return dynamics.LN2 / -np.log1p(-min(rate, 0.999999)) if rate > 0.0 else half_life


def trajectory(
    scenario: Scenario,
    *,
    arm: str = "scenario",
    weeks: int | None = None,
    cut: Iterable[str] = (),
    stepwise: bool = False,
    values: Mapping[str, float] | None = None,
) -> pl.DataFrame:
    """Follow the mean patient of a scenario, or of its baseline.

    Parameters
    ----------
    arm
        `scenario` or `baseline`.
    weeks
        Horizon in place of the scenario's.
    cut
        Links of the cycle set to zero, as in `simulate`.
    stepwise
        One explicit step a week, as the cohort does, in place of the adaptive integrator (LSODA of scipy).
    values
        Parameter values by name; the prior's central ones if left out.

    Returns
    -------
    Frame by week: week, pain (0-10), activity, strength and function (0-100), sensitization (0-1), on_opioids (%) and dose (MME/day per
    patient).
    """
    p, condition, rows = inputs_of(scenario.population, *scenario.assumed(parameters.values() if values is None else values, cut))
    if not stepwise:  # the equations give a week's loss; what loses at a steady rate halves in the same time with these
        p = p._replace(**{name: _for_a_steady_rate(getattr(p, name)) for name in _HALF_LIVES})
        rows[:, TreatmentField.HALF_LIFE] = [_for_a_steady_rate(half_life) for half_life in rows[:, TreatmentField.HALF_LIFE]]
    plan = scenario.baseline_plan() if arm == "baseline" else scenario.care
    orders = plan.engine_orders()
    ordered = tuple(int(j) for j in np.flatnonzero(orders[:, OrderField.ORDERED]))
    traits = typical_patient(scenario, condition, p)
    people, scalar = scenario.population, plan.engine_plan()
    dose = people.opioid_dose if people.on_opioids > 0.0 else min(scalar.start_dose, scalar.dose_cap)
    inputs = _Inputs(p, condition, traits, arrival_signal(traits, p), scalar, rows, orders, ordered, dose)
    usual = care.opioid_start_chance(traits.pain, traits.distress, traits.prior_treatment, condition.opioid_start, scalar, p)
    users = np.zeros(len(USE_WEEKS))
    users[-1] = people.on_opioids
    users[0] = (1.0 - people.on_opioids) * usual
    start = [traits.activity, traits.strength, traits.sensitization, 0.0, dose, traits.tolerance, 0.0, 0.0]
    start += [care.diagnosis_chance(scalar.coordination, p)]
    state = np.concatenate([start, users, np.zeros(2 * len(ordered)), np.ones(len(ordered)), np.zeros(len(ordered))])

    horizon = weeks or scenario.weeks
    times = np.arange(horizon + 1, dtype=float)
    if stepwise:
        states = [state]
        for t in times[:-1]:
            states.append(states[-1] + change_per_week(t, states[-1], inputs))
    else:
        from scipy.integrate import solve_ivp

        solved = solve_ivp(change_per_week, (0.0, times[-1]), state, "LSODA", times, args=(inputs,), max_step=1.0, rtol=1e-6, atol=1e-8)
        states = list(solved.y.T)
    records = []
    for t, one in zip(times, states, strict=True):
        now = _now(t, one, inputs)
        score = dynamics.function_score(one[0], one[1], now.pain, p)
        levels = {"pain": now.pain, "activity": 100 * one[0], "strength": 100 * one[1], "function": 100 * score, "sensitization": one[2]}
        records.append({"week": int(t), **levels, "on_opioids": 100 * one[_SCALARS:_BODY].sum(), "dose": now.dose})
    return pl.DataFrame(records, schema_overrides={"week": pl.Int32})
