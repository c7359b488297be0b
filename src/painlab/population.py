"""Who the patients are: each one's traits, drawn from the condition, the scenario's population and the seed."""

from typing import NamedTuple

import numpy as np

from painlab import catalog
from painlab.catalog import Condition
from painlab.dynamics import activity_target
from painlab.numerics import clip, compiled, exp, logistic, logit, standard_normal
from painlab.parameters import Parameters
from painlab.randomness import Block, uniforms
from painlab.scenario import Population


class Mix(NamedTuple):
    """The population's means, as compiled code takes them."""

    minimum_pain: float
    on_opioids: float
    opioid_dose: float
    opioid_weeks: float
    age: float
    distress: float
    poor_sleep: float
    work_demand: float
    comorbidity: float
    prior_treatment: float
    adherence: float


class Traits(NamedTuple):
    """What stays the same in a patient, and the state in which the patient arrives."""

    pain: float  # 0-10 at arrival
    lasting_share: float  # of the pain signal at arrival
    age: float
    distress: float
    poor_sleep: float
    work_demand: float
    comorbidity: float
    prior_treatment: float  # 0 or 1
    adherence: float
    treatment_response: float  # multiplier
    opioid_response: float  # multiplier
    goal: int
    dose: float  # MME/day inherited at arrival
    weeks_on: float
    activity: float
    strength: float
    sensitization: float
    tolerance: float


def mix(population: Population) -> Mix:
    """The population's means for compiled code; an age that is left out is the condition's."""
    values = population.model_dump(include=set(Mix._fields))
    values["age"] = population.age if population.age is not None else catalog.conditions()[population.condition].age
    return Mix(**{name: float(values[name]) for name in Mix._fields})


def goal_thresholds(population: Population) -> np.ndarray:
    """Thresholds of the goals in play, shape (goals, 2): activity and strength; patients take each goal equally often."""
    known = catalog.goals()
    chosen = known.values() if population.goal == catalog.MIXED_GOALS else [known[population.goal]]
    return np.array(list(chosen))


@compiled
def _around(level: float, u: float, spread: float) -> float:
    return clip(level + spread * standard_normal(u), 0.0, 1.0)


@compiled
def draw_traits(seed: int, patient: int, condition: Condition, people: Mix, goals: int, p: Parameters) -> Traits:
    """Draw one patient's traits and state at arrival.

    Activity, strength and sensitization at arrival are where the weeks of pain before arrival would have brought a healthy
    person who had the arrival pain throughout, by the same equations as later (time constants of `dynamics`).
    """
    body = uniforms(seed, patient, 0, Block.TRAITS_BODY, 0)
    mind = uniforms(seed, patient, 0, Block.TRAITS_MIND, 0)
    life = uniforms(seed, patient, 0, Block.TRAITS_LIFE, 0)
    opioid = uniforms(seed, patient, 0, Block.TRAITS_OPIOID, 0)

    # a normal distribution cut at the eligibility limit and at 10, by its quantiles
    low = _normal_share((people.minimum_pain - condition.pain) / condition.pain_sd)
    high = _normal_share((10.0 - condition.pain) / condition.pain_sd)
    pain = clip(condition.pain + condition.pain_sd * standard_normal(clip(low + body[0] * (high - low), 1e-9, 1.0 - 1e-9)), people.minimum_pain, 10.0)
    lasting = logistic(logit(clip(condition.lasting_share, 0.001, 0.999)) + p.course_spread * standard_normal(body[1]))
    age = clip(people.age + condition.age_sd * standard_normal(body[2]), 18.0, 95.0)
    response = exp(p.response_spread * standard_normal(body[3]) - 0.5 * p.response_spread**2)
    distress = _around(people.distress, mind[0], p.trait_spread)
    sleep = _around(people.poor_sleep, mind[1], p.trait_spread)
    adherence = _around(people.adherence, mind[2], p.trait_spread)
    opioid_response = condition.opioid_response * exp(p.response_spread * standard_normal(mind[3]) - 0.5 * p.response_spread**2)
    work = _around(people.work_demand, life[0], p.trait_spread)
    comorbidity = _around(people.comorbidity, life[1], p.trait_spread)
    prior = 1.0 if life[2] < people.prior_treatment else 0.0
    goal = min(goals - 1, int(life[3] * goals))
    dose = people.opioid_dose * exp(p.dose_spread * standard_normal(opioid[1])) if opioid[0] < people.on_opioids else 0.0
    dose = min(dose, 400.0)

    target = activity_target(pain, distress, comorbidity, 0.0, 0.0, p)
    usual = activity_target(0.0, distress, comorbidity, 0.0, 0.0, p)
    activity = target + (usual - target) * exp(-condition.weeks_before / p.activity_time)
    sustained = 1.0 - p.strength_activity_slope * (1.0 - target)
    healthy = 1.0 - p.strength_activity_slope * (1.0 - usual)
    strength = sustained + (healthy - sustained) * exp(-condition.weeks_before / p.strength_loss_time)
    above = max(0.0, pain - p.sensitization_threshold) / (10.0 - p.sensitization_threshold)
    sensitized = min(1.0, above * (1.0 + p.sensitization_distress * distress + p.sensitization_sleep * sleep))
    sensitization = sensitized * (1.0 - exp(-condition.weeks_before / p.sensitization_time))
    tolerance = dose / (dose + p.tolerance_half_dose) * (1.0 - exp(-people.opioid_weeks / p.tolerance_time))
    return Traits(
        pain, lasting, age, distress, sleep, work, comorbidity, prior, adherence, response * (1.0 - p.prior_response_loss * prior),
        opioid_response, goal, dose, people.opioid_weeks if dose > 0.0 else 0.0, activity, strength, sensitization, tolerance,
    )  # fmt: skip


@compiled
def _normal_share(x: float) -> float:
    """Standard normal distribution function, within 7.5e-8 (Abramowitz and Stegun 26.2.17)."""
    t = 1.0 / (1.0 + 0.2316419 * abs(x))
    tail = exp(-0.5 * x * x) * 0.3989422804014327 * t * (0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
    return 1.0 - tail if x > 0.0 else tail
