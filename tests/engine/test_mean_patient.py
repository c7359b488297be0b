"""The mean patient: the cohort's equations without spread, as a differential equation."""

import polars as pl
import pytest

from painlab import Scenario, parameters, posterior, simulate
from painlab.engine import mean_patient
from painlab.engine.mean_patient import trajectory

QUIET = {
    "noise_size": 0.0,
    "flare_size": 0.0,
    "trait_spread": 0.0,
    "course_spread": 0.0,
    "course_time_spread": 0.0,
    "response_spread": 0.0,
    "dose_spread": 0.0,
}


@pytest.fixture
def without_opioids() -> Scenario:
    """Sciatica without opioids, care or earlier treatment: nothing is left to chance but pain and age at arrival."""
    return Scenario.from_dict(
        {
            "name": "quiet",
            "title": "Quiet",
            "question": "What does the body do by itself?",
            "weeks": 52,
            "population": {"condition": "sciatica", "prior_treatment": 0.0},
            "baseline": {"prescribing": {"opioid_start": 0.0}},
            "care": {"prescribing": {"opioid_start": 0.0}},
        }
    )


def test_one_step_a_week_meets_the_cohort_as_spread_goes_to_zero(without_opioids: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    central = parameters.values()
    quiet = {**central, **QUIET}
    monkeypatch.setattr(posterior, "values", lambda draw=None, seed=1, kind="posterior": quiet)
    known = mean_patient.catalog.conditions()
    still = {"sciatica": known["sciatica"]._replace(pain_sd=1e-6, age_sd=0.0)}
    monkeypatch.setattr(mean_patient.catalog, "conditions", lambda: known | still)
    mean = trajectory(without_opioids, stepwise=True, values=quiet)
    cohort = simulate(without_opioids, patients=3, draws=1).weekly
    for outcome in ("pain", "activity", "strength", "function"):
        levels = cohort.filter(pl.col("outcome") == outcome)["scenario"]
        assert mean[outcome].to_list() == pytest.approx(levels.to_list(), abs=2e-4)


@pytest.mark.parametrize("name", ["early-pt", "injection-alone", "coordinated-care", "monitored-taper"])
def test_a_step_a_week_and_the_adaptive_integrator_agree(name: str) -> None:
    scenario = Scenario.load(name)
    adaptive, weekly = trajectory(scenario), trajectory(scenario, stepwise=True)
    # In the week of an injection the step has all of its effect at once, the integrator bit by bit: pain parts for that week alone.
    for outcome, tolerance in (("pain", 0.45), ("activity", 4.0), ("strength", 1.0), ("sensitization", 0.02)):
        assert (adaptive[outcome] - weekly[outcome]).abs().max() < tolerance
    assert (adaptive["pain"] - weekly["pain"]).abs().mean() < 0.12


def test_the_mean_patient_follows_the_cohort_in_pain_and_strength() -> None:
    scenario = Scenario.load("injection-alone")
    cohort = simulate(scenario, patients=2000, draws=1)
    mean = trajectory(scenario)
    for week in (0, 12, 52):
        assert mean["pain"][week] == pytest.approx(cohort.level_of("pain", week).mean, abs=0.5)
        assert mean["strength"][week] == pytest.approx(cohort.level_of("strength", week).mean, abs=3.0)


def test_cutting_weakness_to_pain_leaves_activity_to_strength_alone() -> None:
    scenario = Scenario.load("coordinated-care")
    whole, cut = trajectory(scenario), trajectory(scenario, cut=["weakness_to_pain"])
    assert whole["pain"][0] == pytest.approx(cut["pain"][0], abs=0.01)  # the arrival pain is given
    assert (whole["pain"] - cut["pain"]).abs().max() > 0.01
    no_loss = trajectory(scenario, cut=["activity_to_strength"])
    assert no_loss["strength"].to_list() == pytest.approx([100.0] * no_loss.height)


def test_the_baseline_arm_uses_the_baseline_plan() -> None:
    scenario = Scenario.load("early-pt")
    assert trajectory(scenario, arm="baseline").equals(trajectory(Scenario.load("usual-care")))
    assert not trajectory(scenario).equals(trajectory(scenario, arm="baseline"))


def test_the_frame_has_a_row_a_week_and_stays_in_bounds() -> None:
    frame = trajectory(Scenario.load("rapid-taper"), weeks=30)
    assert frame["week"].to_list() == list(range(31))
    assert frame["pain"].is_between(0, 10).all()
    for share in ("activity", "strength", "function", "on_opioids"):
        assert frame[share].is_between(0, 100).all()
    assert frame["dose"][-1] < frame["dose"][0]
