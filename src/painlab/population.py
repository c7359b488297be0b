"""Who the patients are: the population a scenario states, and each one's traits, drawn from it, the condition and the seed."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple, Self

import numpy as np
from pydantic import field_validator, model_validator

from painlab import catalog
from painlab.arrivals import Arrivals
from painlab.catalog import Condition
from painlab.dynamics import activity_target
from painlab.fields import SHARES, Strict, lever
from painlab.numerics import clip, compiled, exp, shifted, standard_normal
from painlab.parameters import Parameters
from painlab.randomness import Block, uniforms
from painlab.tables import nearest


class Population(Strict):
    """Who the patients are. Traits are means among them, on scales of 0 to 1 unless stated."""

    condition: str
    minimum_pain: Annotated[
        float,
        lever(
            0,
            9,
            0.5,
            label="pain at least",
            unit="0-10 NRS",
            words="had pain of at least {}",
            meaning="Least pain at arrival, as trials require it.",
        ),
    ] = 1.0
    maximum_pain: Annotated[
        float,
        lever(
            1,
            10,
            0.5,
            label="pain at most",
            unit="0-10 NRS",
            words="had pain of at most {}",
            meaning="Most pain at arrival, as trials require it.",
        ),
    ] = 10.0
    pain: Annotated[
        float | None,
        lever(
            0,
            10,
            0.1,
            label="pain at arrival",
            unit="0-10 NRS",
            words="had pain of {}",
            meaning="Center of pain at arrival before the limits; the condition's own if left out.",
            levels={"mild": 3, "moderate": 5, "severe": 7.5},
        ),
    ] = None
    pain_sd: Annotated[
        float | None,
        lever(
            0.1,
            5,
            0.1,
            label="spread of pain",
            unit="0-10 NRS",
            words="had pain spread by {}",
            meaning="Standard deviation of pain at arrival before the limits; the condition's own if left out.",
        ),
    ] = None
    weeks_before: Annotated[
        int | None,
        lever(
            0,
            520,
            1,
            label="weeks of pain before",
            unit="weeks",
            words="had pain for {} weeks before",
            meaning="Weeks of pain before arrival; the condition's own if left out.",
        ),
    ] = None
    diagnosed: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="driver known",
            unit="share",
            words="had a known driver of pain in a share of {}",
            meaning="Share of patients in whom the driver of pain is known at the first visit, as trials of injections require it.",
        ),
    ] = 0.0
    rest_weeks: Annotated[
        int,
        lever(
            0,
            26,
            1,
            label="weeks of bed rest",
            unit="weeks",
            words="kept to bed for {} weeks",
            meaning="Weeks from arrival without any activity, as in bed rest or a cast.",
        ),
    ] = 0
    on_opioids: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="on opioids at the start",
            unit="share",
            words="had a share of {} on opioids at the start",
            meaning="Share of patients already on long-term opioid therapy when they arrive.",
            levels={"nobody": 0, "half": 0.5, "all": 1},
        ),
    ] = 0.0
    opioid_dose: Annotated[
        float,
        lever(
            5,
            200,
            5,
            label="their dose",
            unit="MME/day",
            words="had a median dose of {} MME a day",
            meaning="Median dose of those already on opioids. In the I-WOTCH trial it was 46 MME a day.",
            source="T04-01",
            levels={"low": 20, "50 MME": 50, "90 MME": 90},
        ),
    ] = 45.0
    opioid_weeks: Annotated[
        int,
        lever(
            13,
            1000,
            1,
            label="their weeks on opioids",
            unit="weeks",
            words="had been on opioids for {} weeks",
            meaning="Weeks on opioids of those already on them.",
        ),
    ] = 150
    age: Annotated[
        float | None,
        lever(
            18,
            95,
            1,
            label="age",
            unit="years",
            words="were {} years old",
            meaning="Mean age; the condition's own if left out.",
            levels={"young": 30, "middle": 50, "old": 75},
        ),
    ] = None
    distress: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="distress",
            unit="0-1",
            words="had distress of {}",
            meaning="Depression, anxiety and fear of movement.",
            levels=SHARES,
        ),
    ] = 0.3
    poor_sleep: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="poor sleep",
            unit="0-1",
            words="had poor sleep of {}",
            meaning="From sound (0) to very poor sleep (1).",
            levels=SHARES,
        ),
    ] = 0.3
    work_demand: Annotated[
        float,
        lever(
            0, 1, 0.05, label="work demand", unit="0-1", words="had work demand of {}", meaning="Physical demand of work.", levels=SHARES
        ),
    ] = 0.4
    comorbidity: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="comorbidity",
            unit="0-1",
            words="had comorbidity of {}",
            meaning="Other disease that limits activity.",
            levels=SHARES,
        ),
    ] = 0.3
    prior_treatment: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="earlier treatment",
            unit="share",
            words="had earlier treatment in a share of {}",
            meaning="Share of patients in whom earlier treatment has not helped.",
        ),
    ] = 0.2
    adherence: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="adherence",
            unit="0-1",
            words="had adherence of {}",
            meaning="Readiness to attend and to exercise at home.",
            source="T05-09",
            levels={"low": 0.2, "usual": 0.5, "high": 0.9},
        ),
    ] = 0.5
    goal: str = catalog.MIXED_GOALS
    arrivals: Arrivals | None = None

    @field_validator("condition")
    @classmethod
    def _known_condition(cls, name: str) -> str:
        known = catalog.conditions()
        if name not in known:
            raise ValueError(f'unknown condition "{name}"{nearest(name, known)}; expected one of {", ".join(known)}')
        return name

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if self.minimum_pain >= self.maximum_pain:
            raise ValueError(f"minimum_pain is {self.minimum_pain:g} and maximum_pain {self.maximum_pain:g}; expected a range between them")
        return self

    @field_validator("goal")
    @classmethod
    def _known_goal(cls, name: str) -> str:
        known = [catalog.MIXED_GOALS, *catalog.goals()]
        if name not in known:
            raise ValueError(f'unknown goal "{name}"{nearest(name, known)}; expected one of {", ".join(known)}')
        return name


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
    maximum_pain: float = 10.0
    diagnosed: float = 0.0
    rest_weeks: float = 0.0


class Traits(NamedTuple):
    """What stays the same in a patient, and the state in which the patient arrives."""

    pain: float  # 0-10 at arrival
    lasting_share: float  # of the pain signal at arrival
    course_weeks: float  # time constant of the rest
    age: float
    distress: float
    poor_sleep: float
    work_demand: float
    comorbidity: float
    prior_treatment: float  # 0 or 1
    adherence: float
    treatment_response: float  # multiplier
    opioid_response: float  # multiplier
    stop_ease: float  # multiplier of the hazard of stopping opioids
    goal: float  # its number among the population's goals, from 0
    dose_factor: float  # multiplier of a starting dose
    supply_factor: float  # multiplier of the first supply
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


def patients_condition(population: Population, values: Mapping[str, float]) -> Condition:
    """The condition under a set of parameter values, with what the population states of its own pain."""
    stated = population.model_dump(include={"pain", "pain_sd", "weeks_before"}, exclude_none=True)
    return catalog.condition(population.condition, values)._replace(**{name: float(one) for name, one in stated.items()})


def goal_thresholds(population: Population) -> np.ndarray:
    """Thresholds of the goals in play, shape (goals, 2): activity and strength; patients take each goal equally often."""
    known = catalog.goals()
    chosen = known.values() if population.goal == catalog.MIXED_GOALS else [known[population.goal]]
    return np.array(list(chosen))


@compiled
def _around(level: float, u: float, spread: float) -> float:
    return clip(level + spread * standard_normal(u), 0.0, 1.0)


@compiled
def _multiplier(u: float, p: Parameters) -> float:
    """A patient's own multiplier of a response, with mean 1."""
    return exp(p.response_spread * standard_normal(u) - 0.5 * p.response_spread * p.response_spread)


@compiled
def draw_traits(seed: int, patient: int, condition: Condition, people: Mix, goals: float, p: Parameters) -> Traits:
    """Draw one patient's traits and state at arrival.

    Activity, strength and sensitization at arrival are where the weeks of pain before arrival would have brought a healthy
    person who had the arrival pain throughout, by the same equations as later (time constants of `dynamics`).
    """
    body = uniforms(seed, patient, 0, Block.TRAITS_BODY, 0)
    mind = uniforms(seed, patient, 0, Block.TRAITS_MIND, 0)
    opioid = uniforms(seed, patient, 0, Block.TRAITS_OPIOID, 0)

    # a normal distribution cut at the eligibility limit and at 10, by its quantiles
    low = normal_share((people.minimum_pain - condition.pain) / condition.pain_sd)
    high = normal_share((people.maximum_pain - condition.pain) / condition.pain_sd)
    deviate = standard_normal(clip(low + body[0] * (high - low), 2e-7, 1.0 - 2e-7))
    pain = clip(condition.pain + condition.pain_sd * deviate, people.minimum_pain, people.maximum_pain)
    lasting = shifted(condition.lasting_share, p.course_spread * standard_normal(body[1]))
    age = clip(people.age + condition.age_sd * standard_normal(body[2]), 18.0, 95.0)
    response = _multiplier(body[3], p)
    opioid_response = condition.opioid_response * _multiplier(body[4], p)
    course = condition.course_weeks * exp(p.course_time_spread * standard_normal(body[5]))
    distress = _around(people.distress, mind[0], p.trait_spread)
    sleep = _around(people.poor_sleep, mind[1], p.trait_spread)
    adherence = _around(people.adherence, mind[2], p.trait_spread)
    work = _around(people.work_demand, mind[3], p.trait_spread)
    comorbidity = _around(people.comorbidity, mind[4], p.trait_spread)
    prior = 1.0 if mind[5] < people.prior_treatment else 0.0
    dose_factor = exp(p.dose_spread * standard_normal(opioid[1]))
    dose = min(people.opioid_dose * dose_factor, 400.0) if opioid[0] < people.on_opioids else 0.0
    supply_factor = exp(p.first_supply_spread * standard_normal(opioid[2]))
    stop_ease = condition.opioid_stop * exp(p.stop_spread * standard_normal(opioid[3]))
    goal = min(goals - 1.0, np.floor(opioid[4] * goals))

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
        pain, lasting, course, age, distress, sleep, work, comorbidity, prior, adherence, response * (1.0 - p.prior_response_loss * prior),
        opioid_response, stop_ease, goal, dose_factor, supply_factor, dose, people.opioid_weeks if dose > 0.0 else 0.0, activity, strength,
        sensitization, tolerance,
    )  # fmt: skip


@compiled
def normal_share(x: float) -> float:
    """Standard normal distribution function, within 7.5e-8 (Abramowitz and Stegun 26.2.17)."""
    t = 1.0 / (1.0 + 0.2316419 * abs(x))
    series = 0.319381530 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    tail = exp(-0.5 * x * x) * 0.3989422804014327 * t * series
    return 1.0 - tail if x > 0.0 else tail
