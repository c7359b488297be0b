"""The model's equations on NumPy arrays, one element a patient; plain NumPy and Starsim call the same.

Docstrings and sources stand in `painlab.dynamics` and `painlab.care`; here they are written as an analyst would, whole arrays at a time.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from benchmarks.peers.inputs import LONGEST_FIRST_SUPPLY, MOST_INHERITED_DOSE, MOST_RELIEF, Arm, Course
from painlab.parameters import Parameters

Drawn = Callable[[str], np.ndarray]  # a number for each patient, by the name of what it decides


class Traits(NamedTuple):
    """What stays the same in each patient, and the state at arrival; arrays of shape (patients,)."""

    signal_lasting: np.ndarray
    signal_passing: np.ndarray
    signal_kept: np.ndarray  # share of the passing signal left after a week
    readiness: np.ndarray  # log-odds of activity without pain
    sensitivity: np.ndarray
    trainability: np.ndarray
    willing: np.ndarray  # log-odds of attendance at pain 5
    distress: np.ndarray
    prior: np.ndarray
    adherence: np.ndarray
    response: np.ndarray
    opioid_response: np.ndarray
    stop_ease: np.ndarray
    flare_chance: np.ndarray
    goal_activity: np.ndarray
    goal_strength: np.ndarray
    start_dose: np.ndarray
    first_supply: np.ndarray  # weeks
    dose: np.ndarray
    pain: np.ndarray
    activity: np.ndarray
    strength: np.ndarray
    sensitization: np.ndarray
    tolerance: np.ndarray


def shifted(chance: float | np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """Chances whose log-odds are moved."""
    return chance / (chance + (1.0 - chance) * np.exp(-log_odds))


def activity_target(pain: np.ndarray, readiness: np.ndarray, p: Parameters) -> np.ndarray:
    """Activity toward which patients move, without sedation and care."""
    return 1.0 / (1.0 + np.exp(p.activity_pain_slope * pain - readiness))


def sensitized(pain: np.ndarray, sensitivity: np.ndarray, p: Parameters) -> np.ndarray:
    """Sensitization that a pain leads to."""
    above = np.maximum(pain - p.sensitization_threshold, 0.0) / (10.0 - p.sensitization_threshold)
    return np.minimum(above * sensitivity, 1.0)


def opioid_relief(dose: np.ndarray, tolerance: np.ndarray, response: np.ndarray, p: Parameters) -> np.ndarray:
    """Share of pain that opioids take away."""
    half = p.opioid_half_dose * (1.0 + p.tolerance_shift * tolerance)
    return np.minimum(response * p.opioid_relief_max * dose / (dose + half), 1.0)


def saturating(dose: np.ndarray, half: float) -> np.ndarray:
    """d / (d + half)."""
    return dose / (dose + half)


def draw_traits(arm: Arm, uniform: Drawn, normal: Drawn) -> Traits:
    """Draw the patients of an arm."""
    p, condition, people, plan = arm.p, arm.condition, arm.people, arm.plan

    def around(level: float, name: str) -> np.ndarray:
        return np.clip(level + p.trait_spread * normal(name), 0.0, 1.0)

    low, high = arm.pain_quantiles
    deviate = ndtri(np.clip(low + uniform("pain") * (high - low), 1e-7, 1.0 - 1e-7))
    pain = np.clip(condition.pain + condition.pain_sd * deviate, people.minimum_pain, people.maximum_pain)
    lasting = shifted(condition.lasting_share, p.course_spread * normal("lasting_share"))
    course = condition.course_weeks * np.exp(p.course_time_spread * normal("course_time"))
    age = np.clip(people.age + condition.age_sd * normal("age"), 18.0, 95.0)
    distress = around(people.distress, "distress")
    sleep = around(people.poor_sleep, "sleep")
    adherence = around(people.adherence, "adherence")
    work = around(people.work_demand, "work_demand")
    comorbidity = around(people.comorbidity, "comorbidity")
    prior = np.where(uniform("prior_treatment") < people.prior_treatment, 1.0, 0.0)
    response = np.exp(p.response_spread * normal("response") - 0.5 * p.response_spread**2) * (1.0 - p.prior_response_loss * prior)
    opioid_response = condition.opioid_response * np.exp(p.response_spread * normal("opioid_response") - 0.5 * p.response_spread**2)
    goal = arm.goals[np.minimum((uniform("goal") * len(arm.goals)).astype(int), len(arm.goals) - 1)]
    spread = np.exp(p.dose_spread * normal("dose"))
    inherits = uniform("on_opioids") < people.on_opioids
    dose = np.where(inherits, np.minimum(people.opioid_dose * spread, MOST_INHERITED_DOSE), 0.0)
    days = np.minimum(plan.first_supply_days * np.exp(p.first_supply_spread * normal("first_supply")), LONGEST_FIRST_SUPPLY)

    readiness = p.activity_log_odds - p.activity_distress * distress - p.activity_comorbidity * comorbidity
    sensitivity = 1.0 + p.sensitization_distress * distress + p.sensitization_sleep * sleep
    target, usual = activity_target(pain, readiness, p), activity_target(np.zeros_like(pain), readiness, p)
    before = condition.weeks_before
    sustained, healthy = 1.0 - p.strength_activity_slope * (1.0 - target), 1.0 - p.strength_activity_slope * (1.0 - usual)
    strength = sustained + (healthy - sustained) * np.exp(-before / p.strength_loss_time)
    sensitization = sensitized(pain, sensitivity, p) * (1.0 - np.exp(-before / p.sensitization_time))
    tolerance = saturating(dose, p.tolerance_half_dose) * (1.0 - np.exp(-people.opioid_weeks / p.tolerance_time))
    relief = np.minimum(opioid_relief(dose, tolerance, opioid_response, p), MOST_RELIEF)
    undamped = np.maximum(pain - p.hyperalgesia_pain * tolerance, 0.0) / (1.0 - relief)
    signal = np.maximum(undamped - p.weakness_pain * (1.0 - strength) - p.sensitization_pain * sensitization, 0.0)
    activity = target + (usual - target) * np.exp(-before / p.activity_time)
    return Traits(
        signal_lasting=lasting * signal,
        signal_passing=(1.0 - lasting) * signal,
        signal_kept=np.exp(-1.0 / course),
        readiness=readiness,
        sensitivity=sensitivity,
        trainability=np.maximum(1.0 - p.training_age_loss * np.maximum((age - 50.0) / 10.0, 0.0), 0.0),
        willing=p.attendance_adherence * (adherence - 0.5) + p.attendance_coordination * plan.coordination,
        distress=distress,
        prior=prior,
        adherence=adherence,
        response=response,
        opioid_response=opioid_response,
        stop_ease=condition.opioid_stop * np.exp(p.stop_spread * normal("stop_ease")),
        flare_chance=1.0 - np.exp(-condition.flares_per_year / 52.0 * (1.0 + p.flare_work_demand * work)),
        goal_activity=goal[:, 0],
        goal_strength=goal[:, 1],
        start_dose=np.minimum(plan.start_dose * spread, plan.dose_cap),
        first_supply=days / 7.0,
        dose=dose,
        pain=pain,
        activity=np.zeros_like(activity) if people.rest_weeks > 0.0 else activity,
        strength=strength,
        sensitization=sensitization,
        tolerance=tolerance,
    )


def felt_pain(level: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Pain on the scale, with the week's noise, which is smaller at low levels."""
    return np.clip(level + noise * np.minimum(level / 5.0, 1.0), 0.0, 10.0)


def source_relief(effect: np.ndarray, responds: np.ndarray, potency: np.ndarray | float, course: Course) -> np.ndarray:
    """Share of the pain signal that a treatment takes."""
    kept = effect / (1.0 - course.plateau * (1.0 - effect)) if course.plateau > 0.0 else effect
    return np.minimum(responds * kept * potency * course.source_relief, MOST_RELIEF)


def session(u: np.ndarray, pain: np.ndarray, willing: np.ndarray, course: Course, p: Parameters) -> tuple[np.ndarray, np.ndarray]:
    """Who leaves a course this week, and who attends it."""
    odds = np.exp(p.attendance_pain * (pain - 5.0) - willing)
    leaves = course.dropout / (course.dropout + (1.0 - course.dropout) / odds)
    attends = course.attendance / (course.attendance + (1.0 - course.attendance) * odds)
    left = u < leaves
    return left, ~left & (u < leaves + (1.0 - leaves) * attends)


def start_chance(pain: np.ndarray, distress: np.ndarray, prior: np.ndarray, usual: float, arm: Arm) -> np.ndarray:
    """Chance that a visit starts an opioid."""
    p = arm.p
    shift = p.start_pain * (pain - 5.0) + p.start_distress * (distress - 0.3) + p.start_prior * prior
    return shifted(usual, shift) * arm.plan.opioid_start


def escalation_chance(pain: np.ndarray, arm: Arm) -> np.ndarray:
    """Chance that a visit raises the dose."""
    return arm.plan.escalation * shifted(arm.p.escalation_usual, arm.p.escalation_pain * (pain - 5.0))


def stop_chance(weeks_on: np.ndarray, pain: np.ndarray, distress: np.ndarray, ease: np.ndarray, p: Parameters) -> np.ndarray:
    """Weekly chance that opioids end by themselves."""
    hazard = p.stop_scale * (weeks_on + 1.0) ** -p.stop_decay * np.exp(-p.stop_pain * (pain - 5.0) - p.stop_distress * (distress - 0.3))
    return -np.expm1(-ease * hazard)


def return_chance(withdrawal: np.ndarray, pain: np.ndarray, arm: Arm) -> np.ndarray:
    """Weekly chance that a taper is given up."""
    p = arm.p
    shift = p.taper_return_withdrawal * withdrawal + p.taper_return_pain * (pain - 5.0) - p.taper_return_support * arm.plan.taper_support
    return shifted(p.taper_return, shift)


def weeks_to_visit(u: np.ndarray, arm: Arm) -> np.ndarray:
    """Whole weeks to the next planned visit."""
    return np.maximum((arm.plan.reassessment_weeks * (1.0 + arm.p.visit_spread * (2.0 * u - 1.0)) + 0.5).astype(np.int64), 1)


def withdrawal_onset(before: np.ndarray, after: np.ndarray, tolerance: np.ndarray, arm: Arm) -> np.ndarray:
    """Pain points that a fall of the dose adds; before is above 0."""
    return arm.withdrawal_size * tolerance * np.maximum((before - after) / before - arm.p.withdrawal_free_fall, 0.0)


def overdose_hazard(dose: np.ndarray, tapered: np.ndarray, p: Parameters) -> np.ndarray:
    """Overdoses per patient-year of those on opioids or lately tapered."""
    hazard = p.overdose_base * np.exp(p.overdose_dose_slope * (np.clip(dose, 10.0, p.overdose_dose_cap) - 10.0))
    return np.where(tapered, hazard * p.overdose_taper_ratio, hazard)


def strength_change(strength: np.ndarray, activity: np.ndarray, p: Parameters) -> np.ndarray:
    """Change of strength per week without training."""
    gap = 1.0 - p.strength_activity_slope * (1.0 - activity) - strength
    return gap * np.where(gap > 0.0, 1.0 / p.strength_gain_time, 1.0 / p.strength_loss_time)
