"""The cohort's two arms as a whole: when they may differ, what may not disturb them, and the open cohort's baseline."""

import numpy as np
import pytest

from painlab import Scenario, catalog, parameters, simulate
from painlab.engine import execution
from painlab.outcomes import Count

WITHOUT_EFFECT = {"attendance": 0.8, "dropout": 0.05, "cost": 50.0}


def with_more_treatments(monkeypatch: pytest.MonkeyPatch, count: int) -> dict[str, float]:
    """Let the catalog end with so many treatments that are attended and do nothing; returns the central values with them."""
    treatments, records, values = catalog.treatments(), parameters.records(), dict(parameters.values())
    model = treatments["physical_therapy"]
    for number in range(len(treatments) + 1, len(treatments) + count + 1):
        name = f"placebo_{number}"
        treatments = treatments | {name: model._replace(name=name, number=number, targets=(), referral=False)}
        rows = {f"{name}.{column}": value for column, value in WITHOUT_EFFECT.items()}
        records = records | {row: records["physical_therapy.cost"]._replace(name=row, value=value) for row, value in rows.items()}
        values |= rows
    monkeypatch.setattr(catalog, "treatments", lambda: treatments)
    monkeypatch.setattr(parameters, "records", lambda: records)
    return values


def sums_of(scenario: Scenario, values: dict[str, float]) -> np.ndarray:
    """Integer sums of 300 patients by arm, outcome and week."""
    whole = execution.cohorts(scenario, [values], patients=300, seed=1, weeks=60)
    return dict(execution.parts(whole))[0].sums


@pytest.mark.parametrize("name", ["coordinated-care", "opioids-alone", "clinic-early-pt"])
@pytest.mark.parametrize("count", [1, 7])  # with seven the last one draws from a block of its own
def test_a_later_treatment_without_effect_changes_nothing_but_sessions_and_cost(
    monkeypatch: pytest.MonkeyPatch, name: str, count: int
) -> None:
    """Common random numbers: to order another treatment moves no draw of any other decision, not by a bit."""
    scenario = Scenario.load(name)
    before = sums_of(scenario, dict(parameters.values()))
    values = with_more_treatments(monkeypatch, count)
    assert np.array_equal(sums_of(scenario, values), before)
    more = {f"placebo_{len(catalog.treatments())}": {"start_week": 1}}
    ordered = sums_of(scenario.change(care=more), values)
    assert np.array_equal(ordered[0], before[0])  # the baseline did not order it
    changed = {outcome for outcome in Count if not np.array_equal(ordered[1, outcome], before[1, outcome])}
    assert changed == {Count.SESSIONS, Count.COST}
    assert (ordered[1, Count.SESSIONS] >= before[1, Count.SESSIONS]).all()


def test_an_order_before_another_moves_no_draw_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two treatments without effect, each is attended by the same patients in the same weeks whether the other is ordered or not."""
    values = with_more_treatments(monkeypatch, 8)
    first, second = list(catalog.treatments())[-8], list(catalog.treatments())[-1]
    scenario = Scenario.load("early-pt")
    orders = [{first: {"start_week": 1}}, {second: {"start_week": 3, "sessions_per_week": 2.0}}]
    none, one, other, both = (sums_of(scenario.change(care=more), values)[1] for more in ({}, *orders, orders[0] | orders[1]))
    assert np.array_equal(both - none, (one - none) + (other - none))


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
    assert in_care["baseline"].to_numpy() == pytest.approx(steady, rel=1.5 / sampled)  # patients arrive evenly
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
    assert (np.abs(np.mean(drifts, axis=0)) <= 5.0 * errors).all()
