"""The cohort's two arms as a whole: when they may differ, what may not disturb them, and the open cohort's baseline."""

import numpy as np
import pytest

from painlab import Scenario, catalog, posterior, simulate


def test_a_later_treatment_without_effect_changes_nothing_but_sessions_and_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = Scenario.load("coordinated-care")
    before = simulate(scenario, patients=150, draws=2, weeks=60).weekly
    known, shipped = catalog.treatments(), posterior.values
    added = known["physical_therapy"]._replace(name="placebo_course", number=len(known) + 1, targets=(), referral=False)
    monkeypatch.setattr(catalog, "treatments", lambda: known | {"placebo_course": added})
    inert = {"placebo_course.attendance": 0.8, "placebo_course.dropout": 0.05, "placebo_course.cost": 50.0}
    monkeypatch.setattr(posterior, "values", lambda draw=None, seed=1, kind="posterior": {**shipped(draw, seed), **inert})
    unordered = simulate(scenario, patients=150, draws=2, weeks=60).weekly
    assert unordered.equals(before)
    ordered = simulate(scenario.change(care={"placebo_course": {"start_week": 1}}), patients=150, draws=2, weeks=60).weekly
    for outcome in before["outcome"].unique(maintain_order=True):
        rows, same = ordered.filter(outcome=outcome), before.filter(outcome=outcome)
        assert rows.equals(same) == (outcome not in ("sessions", "cost")), outcome


def test_arms_are_equal_before_anything_can_differ() -> None:
    plan = {"coordination": 0.4, "prescribing": {"opioid_start": 1.0}, "physical_therapy": {"start_week": 0, "weeks": 6, "handover": 1.0}}
    late = plan | {"pain_psychology": {"start_week": 9}, "taper": {"start_week": 12}}
    scenario = Scenario.from_dict(
        {
            "name": "later", "title": "Later", "question": "When do the arms part?", "weeks": 40, "baseline": plan, "care": late,
            "population": {"condition": "low_back_pain_persistent", "on_opioids": 0.5},
        }
    )  # fmt: skip
    weekly = simulate(scenario, patients=300, draws=2).weekly
    differs = weekly.filter(weekly["difference"] != 0.0)["week"].unique().sort().to_list()
    assert differs[0] >= 9
    assert differs[-1] == 40


@pytest.fixture(scope="module")
def clinic() -> Scenario:
    plan = {"coordination": 0.4, "physical_therapy": {"start_week": 2}}
    arrivals = {"people": 50_000, "new_patients_per_1000_per_year": 26.0, "follow_up_weeks": 20}
    return Scenario.from_dict(
        {
            "name": "clinic", "title": "Clinic", "question": "Is the clinic steady?", "weeks": 59, "baseline": plan,
            "care": plan | {"prescribing": {"opioid_start": 0.0}},
            "population": {"condition": "low_back_pain_acute", "arrivals": arrivals},
        }
    )  # fmt: skip


def test_patients_in_care_are_scaled_to_the_stated_population(clinic: Scenario) -> None:
    steady = 50_000 / 1000 * 26.0 / 52.0 * 20  # arrivals a week times weeks of follow-up
    projected = simulate(clinic, patients=4000, draws=1)
    in_care = projected.outcome("patients_in_care")
    sampled = 4000 * 20 / 80  # of the 4,000, those present in a week
    assert in_care["baseline"].to_numpy() == pytest.approx(steady, rel=5.0 / np.sqrt(sampled))
    assert in_care["baseline"].mean() == pytest.approx(steady, rel=0.05)
    assert in_care["difference"].abs().max() == 0.0
    total = projected.outcome("mme_total")["scenario"] - projected.outcome("mme_per_1000")["scenario"] / 1000 * in_care["scenario"]
    assert total.abs().max() < 1e-9


def test_the_baseline_of_an_open_cohort_is_stationary(clinic: Scenario) -> None:
    drifts = []
    for seed in range(12):
        weekly = simulate(clinic, patients=1500, draws=1, seed=seed).weekly
        drifts.append(
            [
                weekly.filter(outcome=outcome)["baseline"][40:].mean() - weekly.filter(outcome=outcome)["baseline"][:20].mean()
                for outcome in ("pain", "strength", "mme_per_1000", "on_opioids", "visits", "sessions", "patients_in_care")
            ]
        )
    errors = np.std(drifts, axis=0, ddof=1) / np.sqrt(len(drifts))
    assert (np.abs(np.mean(drifts, axis=0)) < 5.0 * errors).all()
