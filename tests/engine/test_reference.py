"""The compiled cohort patient by patient against one that is written in plain Python, floats and branches, on the same draws."""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

from painlab import parameters
from painlab.engine import execution
from painlab.outcomes import OUTCOMES, Count, Recorded
from painlab.randomness import DRAWS, Block, uniforms
from painlab.scenario import Scenario

PATIENTS, SEED, WEEKS = 400, 3, 60
PARTED = 0.005  # share of patients whom single precision may send another way: a chance that lies next to its draw
MEANS = 0.005  # share by which means over patients may part for it, beside one patient's worth
WITHIN = {  # how far a number may be off in a patient who went the same way
    Recorded.PAIN: 1e-3,
    Recorded.ACTIVITY: 1e-4,
    Recorded.STRENGTH: 1e-4,
    Recorded.FUNCTION: 1e-4,
    Recorded.DOSE: 2e-2,
    Recorded.MME: 1e-1,  # in the week in which a first supply runs out
    Recorded.SESSIONS: 0.0,
    Recorded.TAPERED: 0.0,
}
"""A normal quantile in single precision is up to 0.0003 off, and a dose of 60 MME/day by that much of its spread, 0.01."""

DECISIONS = {
    Block.TRAITS_BODY: "pain lasting_share age response opioid_response course_time",
    Block.TRAITS_MIND: "distress sleep adherence work_demand comorbidity prior_treatment",
    Block.TRAITS_OPIOID: "on_opioids dose first_supply stop_ease goal",
    Block.REFERRAL: "completed wait responder",
    Block.BODY: "noise flare flare_size appointment kept sought",
    Block.PRESCRIBING: "diagnosed reviewed start stop accept review_stop",
}
PLACES = {name: (int(block), place) for block, names in DECISIONS.items() for place, name in enumerate(names.split())}
PLACES |= {"escalate": PLACES["start"], "return": PLACES["stop"]}  # they never meet in one patient and week

COMBINED: dict[str, dict[str, Any]] = {
    "courses": {
        "population": {"condition": "sciatica", "diagnosed": 0.3, "minimum_pain": 3.0, "maximum_pain": 9.0, "prior_treatment": 0.5},
        "care": {
            "coordination": 0.4,
            "epidural_steroid": {"start_week": 1, "courses": 4, "interval_weeks": 9, "only_if_pain_at_least": 4.0},
            "radiofrequency_ablation": {"start_week": 8, "only_if_pain_at_least": 5.0},
            "physical_therapy": {"start_week": 4, "courses": 2, "interval_weeks": 20, "weeks": 8},
            "acupuncture": {"start_week": 10, "weeks": 5, "completed": 0.8, "wait_weeks": 2.5},
            "anti_inflammatory": {"start_week": 0, "courses": 3},
        },
    },
    "sham": {
        "population": {"condition": "low_back_pain_persistent", "rest_weeks": 3, "goal": "gym"},
        "care": {
            "physical_therapy": {"start_week": 1, "weeks": 8, "sessions_per_week": 2.0, "sham": True},
            "manual_therapy": {"start_week": 2, "sessions_per_week": 2.0},
            "pain_psychology": {"start_week": 3},
        },
    },
    "assigned": {
        "population": {"condition": "low_back_pain_persistent", "on_opioids": 0.3, "opioid_weeks": 30},
        "care": {
            "prescribing": {"assigned_weeks": 12, "start_dose": 30.0, "dose_cap": 90.0, "escalation": 2.0, "first_supply_days": 14.0},
            "reassessment": {"interval_weeks": 3, "review": 0.5},
            "taper": {"start_week": 20, "percent_per_month": 40.0, "support": 0.3, "offer": 4.0},
        },
    },
}
NAMES = ("early-pt", "coordinated-care", "monitored-taper", "opioids-alone", *COMBINED)


class Lives(NamedTuple):
    """Patients' own weeks, shape (patients, weeks + 1, len(Recorded)); outcomes' means by week, shape (outcomes, weeks + 1), and largest
    values in one patient and week.
    """

    records: np.ndarray
    means: np.ndarray
    largest: np.ndarray


def drawing(patient: int) -> Callable[[str, int, int], float]:
    """The engine's draws of one patient, by the decision's name, week and treatment."""
    met = cache(lambda week, block, place: uniforms(SEED, patient, week, block, place))

    def draw(decision: str, week: int, treatment: int) -> float:
        if decision == "session":
            return met(week, int(Block.SESSION), (treatment - 1) // DRAWS)[(treatment - 1) % DRAWS]
        block, place = PLACES[decision]
        return met(week, block, treatment)[place]

    return draw


@pytest.fixture(scope="module")
def plain(root) -> Callable[[Scenario], Lives]:
    """Lives under a scenario's plan in plain Python: the patient that the benchmarks give to Mesa and SimPy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        inputs, peer = (importlib.import_module(f"benchmarks.peers.{name}") for name in ("inputs", "patient"))

    def lives(scenario: Scenario) -> Lives:
        arm = inputs.arms_of(scenario, parameters.values())[1]
        records = np.empty((PATIENTS, WEEKS + 1, len(Recorded)))
        counts = np.empty((PATIENTS, len(OUTCOMES), WEEKS + 1))
        for i in range(PATIENTS):
            one = peer.Patient(arm, drawing(i))
            for week in range(WEEKS + 1):
                activity, strength = one.activity, one.strength
                one.live()
                counts[i, :, week] = one.counts
                function, sessions = one.counts[Count.FUNCTION], one.counts[Count.SESSIONS]
                records[i, week] = (
                    one.pain, activity, strength, function, one.dose, one.taken, sessions, float(week <= one.taper_risk_until),
                )  # fmt: skip
        return Lives(records, counts.mean(axis=0), counts.max(axis=(0, 2)))

    return lives


def compiled(scenario: Scenario) -> Lives:
    """Lives under a scenario's plan in the compiled cohort."""
    values = parameters.values()
    records = execution.follow(scenario.population, scenario.care, values, first=0, patients=PATIENTS, seed=SEED, weeks=WEEKS)
    means = execution.run(scenario, [values], patients=PATIENTS, seed=SEED, weeks=WEEKS).means[0, 1]
    return Lives(records, means, means.max(axis=1))


def scenario_named(name: str) -> Scenario:
    if name not in COMBINED:
        return Scenario.load(name)
    said = {"name": name, "title": name, "question": "Does each patient live alike?", "weeks": WEEKS, "baseline": {}}
    return Scenario.from_dict(said | COMBINED[name])


@pytest.fixture(scope="module", params=NAMES)
def both(request: pytest.FixtureRequest, plain: Callable[[Scenario], Lives]) -> tuple[Lives, Lives]:
    scenario = scenario_named(request.param)
    return plain(scenario), compiled(scenario)


def test_each_patient_lives_as_in_plain_python(both: tuple[Lives, Lives]) -> None:
    expected, found = both
    within = np.array([WITHIN[one] for one in Recorded])
    apart = (np.abs(found.records - expected.records) > within).any(axis=(1, 2))
    assert apart.mean() <= PARTED, f"patients {np.flatnonzero(apart)} live otherwise"


def test_every_outcome_has_the_means_of_the_patients_in_plain_python(both: tuple[Lives, Lives]) -> None:
    expected, found = both
    for outcome, theirs, ours, largest in zip(OUTCOMES, expected.means, found.means, expected.largest, strict=True):
        assert ours == pytest.approx(theirs, abs=MEANS * theirs.max() + 1.01 * largest / PATIENTS + 1e-6), outcome.name


def test_the_scenarios_meet_what_a_plan_can_hold(both: tuple[Lives, Lives]) -> None:
    """So that agreement is not that of patients to whom nothing happens."""
    records = both[1].records
    assert records[:, :, Recorded.PAIN].std() > 1.0
    assert (records[:, :, [Recorded.SESSIONS, Recorded.DOSE]] > 0.0).any()
