"""What a trial's protocol asks of the cohort: everyone on the opioid, bed rest, a known driver, a sham, referrals that are taken up."""

from typing import Any

import numpy as np
import pytest

from painlab import parameters
from painlab.engine import execution
from painlab.outcomes import Recorded
from painlab.plan import CarePlan
from painlab.population import Population

PATIENTS, WEEKS = 200, 30
VALUES = dict(parameters.values())
NO_OPIOIDS = {"prescribing": {"opioid_start": 0.0}}
THERAPY = {"start_week": 0, "weeks": 12, "sessions_per_week": 2.0, "completed": 1.0, "wait_weeks": 0.0}


def lives(care: dict[str, Any], values: dict[str, float] | None = None, **people: Any) -> np.ndarray:
    """Patients' own weeks, shape (patients, weeks + 1, len(Recorded))."""
    population = Population.model_validate({"condition": "low_back_pain_persistent", **people})
    plan = CarePlan.model_validate(care)
    return execution.follow(population, plan, VALUES | (values or {}), first=0, patients=PATIENTS, seed=3, weeks=WEEKS)


def users(records: np.ndarray) -> np.ndarray:
    """Share on opioids by week."""
    return np.asarray((records[:, :, Recorded.DOSE] > 0.0).mean(axis=0))


def test_a_trial_keeps_everyone_on_the_opioid_for_as_long_as_it_assigns_it_and_no_longer() -> None:
    stopping = {"stop_scale": 1e9, "start_later": 0.0}
    assigned = users(lives({"prescribing": {"assigned_weeks": 14}}, stopping))
    assert (assigned[:14] == 1.0).all()
    assert not assigned[14:].any()
    assert users(lives({}, stopping))[0] < 0.9  # without a protocol a visit decides


def test_an_assigned_dose_is_neither_raised_nor_reviewed_nor_tapered() -> None:
    care = {
        "prescribing": {"assigned_weeks": 27, "start_dose": 40.0, "dose_cap": 200.0, "escalation": 2.0},
        "reassessment": {"interval_weeks": 1, "review": 1.0},
        "taper": {"offer": 10.0, "percent_per_month": 50.0},
    }
    dose = lives(care)[:, :, Recorded.DOSE]
    assert (dose[:, :27] == dose[:, :1]).all()
    assert not (dose == dose[:, :1]).all()


def test_in_bed_rest_nobody_moves_and_strength_goes_as_its_equation_says() -> None:
    resting = lives(NO_OPIOIDS, rest_weeks=3)
    assert not resting[:, :3, Recorded.ACTIVITY].any()
    assert (resting[:, 4:, Recorded.ACTIVITY] > 0.0).all()
    up_and_about = lives(NO_OPIOIDS)
    assert (resting[:, 0, Recorded.STRENGTH] == up_and_about[:, 0, Recorded.STRENGTH]).all()
    sustained = max(0.0, 1.0 - VALUES["strength_activity_slope"])  # at no activity at all
    strength = resting[:, 0, Recorded.STRENGTH]
    by_hand = strength + (sustained - strength) / VALUES["strength_loss_time"]
    assert resting[:, 1, Recorded.STRENGTH] == pytest.approx(by_hand, rel=1e-6)
    assert (resting[:, 3, Recorded.STRENGTH] < up_and_about[:, 3, Recorded.STRENGTH]).all()


def test_where_the_driver_of_pain_is_known_an_injection_meets_it() -> None:
    injection = {"coordination": 0.0, "joint_steroid": {"start_week": 0, "completed": 1.0, "wait_weeks": 0.0}, **NO_OPIOIDS}
    blind = {"diagnosis_fragmented": 0.0, "missed_driver_effect": 0.0}
    known, unknown, none = (
        lives(care, blind, condition="knee_osteoarthritis", diagnosed=share)[:, 3, Recorded.PAIN].mean()
        for care, share in ((injection, 1.0), (injection, 0.0), ({"coordination": 0.0, **NO_OPIOIDS}, 0.0))
    )
    assert known < unknown <= none + 1e-6


@pytest.mark.parametrize("treatment", ["physical_therapy", "acupuncture", "manual_therapy"])
def test_a_sham_acts_by_attention_and_expectation_alone(treatment: str) -> None:
    real, sham = ({**NO_OPIOIDS, treatment: THERAPY | {"sham": flag}} for flag in (False, True))
    bare = dict.fromkeys((f"{treatment}.contextual",), 0.0)
    nothing, empty_sham = lives(NO_OPIOIDS, bare), lives(sham, bare)
    for outcome in (Recorded.PAIN, Recorded.ACTIVITY, Recorded.STRENGTH, Recorded.FUNCTION):
        np.testing.assert_array_equal(empty_sham[:, :, outcome], nothing[:, :, outcome])
    with_context = {f"{treatment}.contextual": 0.2}
    pain = [lives(care, with_context)[:, 12, Recorded.PAIN].mean() for care in (NO_OPIOIDS, sham, real)]
    assert pain[0] > pain[1] > pain[2]


def test_a_sham_is_attended_as_the_real_one_is() -> None:
    flat = {"attendance_pain": 0.0}  # who hurts less would attend more
    real, sham = (
        lives({**NO_OPIOIDS, "physical_therapy": THERAPY | {"sham": flag}}, flat)[:, :, Recorded.SESSIONS] for flag in (False, True)
    )
    np.testing.assert_array_equal(real, sham)


@pytest.mark.parametrize("completed", [0.0, 0.4, 1.0])
def test_the_stated_share_of_referrals_is_taken_up_after_the_stated_wait(completed: float) -> None:
    order = THERAPY | {"completed": completed, "wait_weeks": 4.0, "weeks": 8}
    everyone = {"physical_therapy.attendance": 1.0, "physical_therapy.dropout": 0.0}
    sessions = lives({**NO_OPIOIDS, "physical_therapy": order}, everyone)[:, :, Recorded.SESSIONS] > 0.0
    assert sessions.any(axis=1).mean() == pytest.approx(completed, abs=0.1)
    first = np.argmax(sessions, axis=1)[sessions.any(axis=1)]
    assert set(first) <= {2, 3, 4, 5, 6}  # half to one and a half times the mean wait of 4
    if completed == 1.0:
        assert first.mean() == pytest.approx(4.5, abs=0.3)  # in the week after the wait has run out


def test_what_is_stated_of_a_referral_does_not_depend_on_the_handover() -> None:
    slip, booked = ({**NO_OPIOIDS, "physical_therapy": THERAPY | {"handover": handover}} for handover in (0.0, 1.0))
    np.testing.assert_array_equal(lives(slip), lives(booked))


def test_following_patients_one_by_one_gives_the_cohorts_means() -> None:
    from painlab.outcomes import OUTCOMES
    from painlab.scenario import Scenario

    scenario = Scenario.load("early-pt")
    sums = execution.run(scenario, [VALUES], patients=PATIENTS, seed=3, weeks=WEEKS).means[0, 1]
    records = execution.follow(scenario.population, scenario.care, VALUES, first=0, patients=PATIENTS, seed=3, weeks=WEEKS)
    names = [one.name for one in OUTCOMES]
    for outcome in ("PAIN", "ACTIVITY", "STRENGTH", "FUNCTION", "SESSIONS"):
        assert records[:, :, Recorded[outcome]].mean(axis=0) == pytest.approx(sums[names.index(outcome.lower())], abs=1e-5), outcome
