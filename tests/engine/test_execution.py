"""Blocks, draws and threads: how the work is cut changes no bit, and it can be watched and stopped."""

from typing import Any

import numpy as np
import pytest

from painlab import catalog, parameters, population
from painlab.engine import execution
from painlab.engine.cohort import simulate_block
from painlab.engine.execution import Cancelled
from painlab.numerics import FIXED_POINT
from painlab.outcomes import OUTCOMES
from painlab.scenario import Scenario

WEEKS = 30


def run(scenario: Scenario, *, draws: int, seed: int, **how: Any) -> execution.Sums:
    """The engine on draws of the prior."""
    values = [parameters.values(None if draws == 1 else draw, seed) for draw in range(draws)]
    return execution.run(scenario, values, seed=seed, **how)


@pytest.fixture(scope="module", params=["coordinated-care", "clinic-early-pt"])
def scenario(request: pytest.FixtureRequest) -> Scenario:
    return Scenario.load(request.param)


def by_hand(scenario: Scenario, first: int, count: int, values: dict[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Means of both arms, shape (2, outcomes, weeks + 1), and the patients present, from one block with these parameters."""
    people = scenario.population
    condition = catalog.condition(people.condition, values)
    rows = np.array([one.row(values, condition.exercise_response) for one in catalog.treatments().values()])
    plans = [scenario.baseline_plan(), scenario.care]
    arms = [(plan.engine_orders(), plan.engine_plan()) for plan in plans]
    follow_up = people.arrivals.follow_up_weeks if people.arrivals else -1
    means = []
    for arm in arms:
        sums, present = np.zeros((len(OUTCOMES), WEEKS + 1), dtype=np.int64), np.zeros(WEEKS + 1, dtype=np.int64)
        simulate_block(
            7, first, count, WEEKS, follow_up, condition, population.mix(people), population.goal_thresholds(people),
            parameters.scalars(values), rows, *arm, *arms[0], sums, present,
        )  # fmt: skip
        means.append(sums / FIXED_POINT / np.maximum(present, 1))
    return np.array(means), present


@pytest.mark.parametrize("threads", [1, 2, 3, None])
@pytest.mark.parametrize("block", [1, 7, 2000])
def test_means_depend_neither_on_threads_nor_on_the_size_of_a_block(scenario: Scenario, threads: int | None, block: int) -> None:
    whole = run(scenario, patients=45, draws=2, seed=7, weeks=WEEKS, threads=1, block=45)
    cut = run(scenario, patients=45, draws=2, seed=7, weeks=WEEKS, threads=threads, block=block)
    assert np.array_equal(whole.means, cut.means)
    assert np.array_equal(whole.present, cut.present)


def test_each_draw_has_its_own_patients_and_its_own_parameters(scenario: Scenario) -> None:
    found = run(scenario, patients=40, draws=3, seed=7, weeks=WEEKS, block=15)
    assert found.means.shape == (3, 2, len(OUTCOMES), WEEKS + 1)
    assert found.present.shape == (3, WEEKS + 1)
    for draw in range(3):
        means, present = by_hand(scenario, draw * 40, 40, parameters.values(draw, 7))
        assert np.array_equal(found.means[draw], means)
        assert np.array_equal(found.present[draw], present)


def test_one_draw_takes_the_central_values(scenario: Scenario) -> None:
    means, present = by_hand(scenario, 0, 40, parameters.values())
    found = run(scenario, patients=40, draws=1, seed=7, weeks=WEEKS)
    assert np.array_equal(found.means[0], means)
    assert np.array_equal(found.present[0], present)


def test_a_closed_cohort_is_present_in_every_week() -> None:
    found = run(Scenario.load("early-pt"), patients=23, draws=2, seed=1, weeks=5, block=10)
    assert found.present.tolist() == [[23] * 6] * 2


def test_a_cut_link_is_cut_in_every_draw(scenario: Scenario) -> None:
    found = run(scenario, patients=40, draws=2, seed=7, weeks=WEEKS, cut=("weakness_to_pain",))
    for draw in range(2):
        means, _ = by_hand(scenario, draw * 40, 40, parameters.values(draw, 7) | {"weakness_pain": 0.0})
        assert np.array_equal(found.means[draw], means)


def test_progress_counts_every_block_up_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    run(Scenario.load("early-pt"), patients=25, draws=3, seed=1, weeks=4, block=10, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 18) for done in range(1, 19)]  # 3 draws, 3 blocks, 2 arms


@pytest.mark.parametrize("after", [0, 3])
def test_a_cancelled_run_ends_with_cancelled_and_has_no_result(after: int) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > after

    with pytest.raises(Cancelled):
        run(Scenario.load("early-pt"), patients=25, draws=3, seed=1, weeks=4, threads=1, block=10, cancelled=cancelled)


def test_a_run_told_to_end_only_once_does_not_pass_off_the_other_blocks_as_a_result() -> None:
    answers = iter([False, True])
    with pytest.raises(Cancelled):
        run(
            Scenario.load("early-pt"), patients=25, draws=3, seed=1, weeks=4, threads=1, block=10, cancelled=lambda: next(answers, False)
        )  # fmt: skip


def test_a_run_that_is_not_cancelled_ends_as_if_it_had_not_been_asked() -> None:
    scenario = Scenario.load("early-pt")
    asked = run(scenario, patients=25, draws=2, seed=1, weeks=4, cancelled=lambda: False)
    assert np.array_equal(asked.means, run(scenario, patients=25, draws=2, seed=1, weeks=4).means)


def test_an_interrupt_in_the_progress_reaches_the_caller() -> None:
    def interrupted(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(Scenario.load("early-pt"), patients=25, draws=3, seed=1, weeks=4, block=10, progress=interrupted)


def test_an_error_in_a_block_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(execution, "simulate_block", fails)
    with pytest.raises(ZeroDivisionError):
        run(Scenario.load("early-pt"), patients=5, draws=1, seed=1, weeks=4)
