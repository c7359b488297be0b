"""Blocks over threads: how the work is cut changes no bit, and both arms meet the same patients and chances."""

import numpy as np
import pytest

from painlab import Scenario, parameters
from painlab.engine import execution
from painlab.engine.execution import Cancelled, Sums, run
from painlab.outcomes import OUTCOMES, Count

EARLY = Scenario.load("early-pt")
OPEN = Scenario.load("clinic-early-pt")
USUAL = EARLY.baseline_plan().as_dict()


def small(scenario: Scenario = EARLY, **changes: object) -> Sums:
    return run(scenario, **{"patients": 60, "draws": 1, "seed": 3, "weeks": 30, **changes})


def same(a: Sums, b: Sums) -> bool:
    return np.array_equal(a.means, b.means) and np.array_equal(a.present, b.present)


def against_usual(**care: object) -> Scenario:
    """Usual care without physical therapy, and the same with some of its care changed."""
    baseline = {name: table for name, table in USUAL.items() if name != "physical_therapy"}
    return EARLY.change(baseline=baseline, care={"physical_therapy": None}).change(care=care)


# How the work is cut


@pytest.mark.parametrize("scenario", [EARLY, OPEN], ids=["closed", "open"])
def test_neither_the_size_of_blocks_nor_the_threads_change_a_bit(scenario):
    whole = small(scenario, draws=2, threads=1)
    for block, threads in ((2000, 2), (7, 3), (1, 2), (59, 1)):
        assert same(whole, small(scenario, draws=2, block=block, threads=threads))


def test_means_have_the_shape_of_draws_arms_outcomes_and_weeks():
    sums = small(draws=3, weeks=12)
    assert sums.means.shape == (3, 2, len(OUTCOMES), 13)
    assert sums.present.tolist() == [[60] * 13] * 3


def test_each_draw_has_patients_of_its_own():
    """Draw 1 of 60 patients holds patients 60 to 119; with the central values fixed these are the second half of 120."""
    with pytest.MonkeyPatch.context() as patch:
        central = parameters.values()
        patch.setattr(parameters, "values", lambda draw=None, seed=1: central)
        one, two = small(patients=120), small(draws=2)
    assert np.allclose(one.means[0], two.means.mean(axis=0), rtol=1e-12, atol=1e-12)
    assert not np.array_equal(two.means[0], two.means[1])


def test_one_draw_uses_the_central_values_and_more_use_the_prior(monkeypatch):
    asked = []
    values = parameters.values
    monkeypatch.setattr(parameters, "values", lambda draw=None, seed=1: asked.append((draw, seed)) or values(draw, seed))
    small(weeks=1)
    small(weeks=1, draws=2, seed=9)
    assert asked == [(None, 3), (0, 9), (1, 9)]


# Progress and an early end


def test_progress_counts_every_block_once():
    seen = []
    small(draws=2, block=20, threads=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 12) for done in range(1, 13)]


def test_a_cancelled_run_has_no_result():
    with pytest.raises(Cancelled):
        small(cancelled=lambda: True)


def test_a_run_that_is_not_cancelled_is_not_changed_by_asking():
    assert same(small(), small(cancelled=lambda: False))


def test_a_run_cancelled_in_its_midst_never_returns_half_of_its_patients():
    answers = iter([False, True])
    with pytest.raises(Cancelled):
        small(block=20, threads=1, cancelled=lambda: next(answers, False))


def test_a_fault_in_progress_ends_the_run():
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(block=10, progress=stop)


# The two arms


def test_arms_are_the_same_until_their_plans_differ():
    sums = small(against_usual(physical_therapy={"start_week": 8, "handover": 1.0}), patients=200)
    baseline, changed = sums.means[0]
    assert np.array_equal(baseline[:, :8], changed[:, :8])
    assert np.array_equal(baseline[Count.PAIN, :9], changed[Count.PAIN, :9])
    assert changed[Count.SESSIONS, 8:].sum() > 0.0
    assert not np.array_equal(baseline[Count.PAIN], changed[Count.PAIN])


def test_an_open_cohort_is_the_same_in_both_arms_until_new_patients_can_differ():
    late = OPEN.change(baseline=against_usual().baseline_plan().as_dict(), care={"physical_therapy": {"start_week": 8, "handover": 1.0}})
    sums = small(late, patients=1500, weeks=40)
    baseline, changed = sums.means[0]
    assert np.array_equal(baseline[:, :8], changed[:, :8])
    assert not np.array_equal(baseline[Count.PAIN, 20:], changed[Count.PAIN, 20:])


def test_the_baseline_stock_of_an_open_cohort_is_stationary():
    sums = small(OPEN, patients=24_000, weeks=80)
    share = OPEN.population.arrivals.follow_up_weeks / (80 + 1 + OPEN.population.arrivals.follow_up_weeks)
    assert sums.present[0] / 24_000 == pytest.approx(np.full(81, share), rel=0.05)
    for count, tolerance in ((Count.PAIN, 0.03), (Count.STRENGTH, 0.01), (Count.VISITS, 0.06), (Count.ON_OPIOIDS, 0.12)):
        early, late = (sums.means[0, 0, count, weeks].mean() for weeks in (slice(0, 27), slice(54, 81)))
        assert late == pytest.approx(early, rel=tolerance)


def test_a_treatment_without_any_effect_shifts_no_other_draw(monkeypatch):
    values = parameters.values()
    idle = {name: value for name, value in values.items() if not name.startswith("pain_psychology.")}
    idle |= {"pain_psychology.attendance": 0.8, "pain_psychology.half_life": 4.0, "pain_psychology.responders": 1.0}
    monkeypatch.setattr(parameters, "values", lambda draw=None, seed=1: idle)
    baseline, changed = small(EARLY.change(baseline=EARLY.care.as_dict(), care={"pain_psychology": {}}), patients=300).means[0]
    moved = [OUTCOMES[place].name for place in Count if not np.array_equal(baseline[place], changed[place])]
    assert moved == ["sessions"]


def test_common_random_numbers_narrow_the_difference():
    """Paired arms differ with far less scatter over seeds than arms of independent patients would."""
    scenario = against_usual(physical_therapy={"start_week": 0, "handover": 1.0})
    pain = np.array([small(scenario, patients=40, weeks=16, seed=seed).means[0, :, Count.PAIN, 16] for seed in range(30)])
    paired = np.var(pain[:, 1] - pain[:, 0])
    assert paired < 0.5 * (np.var(pain[:, 0]) + np.var(pain[:, 1]))


def test_another_seed_is_another_cohort():
    assert not np.array_equal(small(seed=3).means, small(seed=4).means)
    assert np.array_equal(small(seed=3).means, small(seed=3).means)


def test_a_cut_link_reaches_the_engine():
    p, _ = execution._draw_inputs(EARLY, None, 1, ("weakness_to_pain",))
    assert p.weakness_pain == 0.0
    assert p == parameters.scalars(parameters.values())._replace(weakness_pain=0.0)
