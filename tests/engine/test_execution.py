"""Pieces, draws and workers: how the work is cut changes no bit, and it can be watched and stopped."""

from collections.abc import Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import painlab
from painlab import catalog, parameters, population, posterior
from painlab.engine import execution
from painlab.engine.cohort import simulate_patients
from painlab.engine.execution import Cancelled, Cohort, Part, Piece
from painlab.engine.layout import SCALES, packed
from painlab.outcomes import OUTCOMES, Count
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
    """Means of both arms, shape (2, outcomes, weeks + 1), and the patients present, one patient at a time with these parameters.

    Those who arrive before week 0 have the baseline plan in both arms.
    """
    people = scenario.population
    condition = catalog.condition(people.condition, values)
    rows = np.array([one.row(values, condition.exercise_response) for one in catalog.treatments().values()], dtype=np.float32)
    goals = population.goal_thresholds(people).astype(np.float32)
    follow_up = people.arrivals.follow_up_weeks if people.arrivals else None
    nobody = np.empty((0, 0, 0, 0), dtype=np.float32)
    sums, present = np.zeros((2, len(OUTCOMES), WEEKS + 1), dtype=np.int64), np.zeros(WEEKS + 1, dtype=np.int64)
    for i in range(count):
        arrival = i * (WEEKS + 1 + follow_up) // count - follow_up if follow_up else 0
        for arm, plan in enumerate((scenario.baseline_plan(), scenario.baseline_plan() if arrival < 0 else scenario.care)):
            orders, there = plan.engine_orders()[None].astype(np.float32), np.zeros_like(present)
            simulate_patients(
                7, first + i, np.array([arrival]), follow_up or WEEKS + 1, packed(condition), packed(population.mix(people)), goals,
                packed(parameters.scalars(values)), rows, orders, packed(plan.engine_plan())[None], sums[arm : arm + 1], there, nobody,
            )  # fmt: skip
        present += there
    return sums / SCALES.astype(float)[:, None] / np.maximum(present, 1), present


@pytest.mark.parametrize("threads", [1, 2, 3, None])
@pytest.mark.parametrize("block", [1, 7, 2000])
def test_means_depend_neither_on_threads_nor_on_the_size_of_a_piece(scenario: Scenario, threads: int | None, block: int) -> None:
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


def test_progress_counts_every_piece_up_to_the_total() -> None:
    seen: list[tuple[int, int]] = []
    run(Scenario.load("early-pt"), patients=25, draws=3, seed=1, weeks=4, block=10, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(done, 9) for done in range(1, 10)]  # 3 draws, 3 pieces


@pytest.mark.parametrize("after", [0, 3])
def test_a_cancelled_run_ends_with_cancelled_and_has_no_result(after: int) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > after

    with pytest.raises(Cancelled):
        run(Scenario.load("early-pt"), patients=25, draws=3, seed=1, weeks=4, threads=1, block=10, cancelled=cancelled)


def test_a_run_told_to_end_only_once_does_not_pass_off_the_other_pieces_as_a_result() -> None:
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


def test_an_error_in_a_piece_reaches_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(execution, "simulate_patients", fails)
    with pytest.raises(ZeroDivisionError):
        run(Scenario.load("early-pt"), patients=5, draws=1, seed=1, weeks=4)


# An open cohort


@pytest.fixture(scope="module")
def clinic() -> Cohort:
    """A clinic in which each week is a visit, everyone is started by the scenario's plan and nobody by the baseline's."""
    arrivals = {"people": 1000, "new_patients_per_1000_per_year": 10.0, "follow_up_weeks": 20}
    weekly = {"reassessment": {"interval_weeks": 1}}
    scenario = Scenario.from_dict(
        {
            "name": "clinic", "title": "Clinic", "question": "Who gets which plan?", "weeks": WEEKS,
            "population": {"condition": "sciatica", "arrivals": arrivals}, "baseline": weekly | {"prescribing": {"opioid_start": 0.0}},
            "care": weekly | {"prescribing": {"assigned_weeks": 104}},
        }
    )  # fmt: skip
    values = parameters.values() | {"visit_kept": 1.0, "visit_spread": 0.0}
    return execution.cohorts(scenario, [values], patients=60, seed=1, weeks=WEEKS)[0]


def test_patients_who_arrived_before_week_0_keep_the_baseline_plan(clinic: Cohort) -> None:
    earlier = later = 0
    for i, arrival in enumerate(execution.arrival_weeks(0, 60, 60, WEEKS, 20)):
        part = execution.simulate_piece(Piece(clinic, i, 1))
        there = np.flatnonzero(part.present).tolist()
        assert there == list(range(max(arrival, 0), min(arrival + 20, WEEKS + 1)))
        assert np.flatnonzero(part.sums[0, Count.VISITS]).tolist() == there
        assert not part.sums[0, Count.MME].any()
        if arrival < 0:
            earlier += 1
            assert np.array_equal(part.sums[0], part.sums[1])
        else:
            later += 1
            assert np.flatnonzero(part.sums[1, Count.MME]).tolist() == there
    assert min(earlier, later) > 10


# Pieces and errands


def added(parts: Sequence[Part]) -> Part:
    return Part(np.sum([one.sums for one in parts], axis=0), np.sum([one.present for one in parts], axis=0))


def same(found: Part, expected: Part) -> None:
    assert np.array_equal(found.sums, expected.sums)
    assert np.array_equal(found.present, expected.present)


def test_pieces_cover_each_patient_once() -> None:
    cohort = execution.cohorts(Scenario.load("early-pt"), [parameters.values()], patients=1000, seed=1, weeks=4)[0]
    for size in (1, 256, 999, 1000, 5000):
        pieces = execution.pieces_of(cohort, size)
        assert [i for one in pieces for i in range(one.start, one.start + one.count)] == list(range(1000))
        assert max(one.count for one in pieces) <= size


def test_a_cohort_is_the_sum_of_its_pieces_and_of_its_errands(scenario: Scenario) -> None:
    cohort = execution.cohorts(scenario, [parameters.values()], patients=50, seed=7, weeks=WEEKS)[0]
    whole = execution.simulate_piece(Piece(cohort, 0, 50))
    pieces = execution.pieces_of(cohort, 13)
    same(added([execution.simulate_piece(one) for one in pieces]), whole)
    same(added(execution.simulate_pieces(pieces)), whole)
    means = run(scenario, patients=50, draws=1, seed=7, weeks=WEEKS).means[0]
    assert np.array_equal(execution.means_of(whole), means)


def test_a_draw_may_be_run_by_itself_later(scenario: Scenario) -> None:
    """So that a sweep can go on where it was stopped."""
    values = [parameters.values(draw, 7) for draw in range(3)]
    all_three = execution.cohorts(scenario, values, patients=20, seed=7, weeks=WEEKS)
    last = execution.cohorts(scenario, values[2:], patients=20, seed=7, weeks=WEEKS, first_draw=2)
    assert last == all_three[2:]


def test_each_draw_is_handed_over_as_soon_as_it_is_whole(scenario: Scenario) -> None:
    values = [parameters.values(draw, 7) for draw in range(3)]
    whole = execution.cohorts(scenario, values, patients=30, seed=7, weeks=WEEKS)
    found = dict(execution.parts(whole, threads=2, size=11))
    assert sorted(found) == [0, 1, 2]
    for draw, cohort in enumerate(whole):
        same(found[draw], execution.simulate_piece(Piece(cohort, 0, 30)))


class Recorder(ThreadPoolExecutor):
    """An executor that remembers how many pieces each errand had and how many errands were out at once."""

    def __init__(self) -> None:
        super().__init__(2)
        self.errands: list[int] = []
        self.open: list[Future[Any]] = []
        self.most_open = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.errands.append(len(args[0]))
        future = super().submit(fn, *args, **kwargs)
        self.open = [one for one in self.open if not one.done()] + [future]
        self.most_open = max(self.most_open, len(self.open))
        return future


def test_small_cohorts_go_to_other_processes_together_and_not_all_at_once(scenario: Scenario) -> None:
    values = [parameters.values(draw, 7) for draw in range(40)]
    with Recorder() as executor:
        executor._max_workers = 1  # as the library's own executors say how many they are
        found = execution.run(scenario, values, patients=3, seed=7, weeks=WEEKS, executor=executor, block=10)
    assert sum(executor.errands) == 40
    assert set(executor.errands[:-1]) == {3}  # three cohorts of 3 are as many as fit into 10
    assert executor.most_open <= execution.WAITING
    assert np.array_equal(found.means, execution.run(scenario, values, patients=3, seed=7, weeks=WEEKS).means)


def test_the_callers_own_executor_stays_open(scenario: Scenario) -> None:
    with ThreadPoolExecutor(1) as executor:
        run(scenario, patients=5, draws=1, seed=7, weeks=4, executor=executor)
        assert executor.submit(int, "3").result() == 3


def test_work_that_was_stopped_hands_out_no_more() -> None:
    def cancelled() -> bool:
        return len(executor.errands) > 0

    executor: Executor
    with Recorder() as executor, pytest.raises(Cancelled):
        run(Scenario.load("early-pt"), patients=5, draws=50, seed=1, weeks=4, executor=executor, cancelled=cancelled, block=1)
    assert len(executor.errands) <= execution.WAITING * execution.workers()


@pytest.mark.parametrize("name", ["early-pt", "clinic-early-pt"])
def test_a_baseline_that_was_kept_gives_the_bits_of_one_worked_out_anew(name):
    scenario = Scenario.load(name)
    changed = scenario.change(care={"prescribing": {"opioid_start": 0.4}})
    values = [parameters.values(), posterior.values(3, 1)]

    def both(one, keep):
        whole = execution.cohorts(one, values, patients=600, seed=5, weeks=30)
        return dict(execution.parts(whole, size=256, keep=keep))

    execution.forget()
    for one in (scenario, changed, scenario):
        anew, kept = both(one, False), both(one, True)
        for number in range(2):
            assert (anew[number].sums == kept[number].sums).all()
            assert (anew[number].present == kept[number].present).all()
    assert len(execution._kept) == 2


def test_a_kept_baseline_is_not_taken_for_other_people_or_another_baseline():
    execution.forget()
    scenario = Scenario.load("early-pt")
    others = (scenario.change(population={"distress": 0.9}), scenario.change(baseline={"coordination": 0.9}))
    for one in (scenario, *others):
        kept = painlab.simulate(one, patients=300, draws=1, weeks=20)
        execution.forget()
        assert kept.weekly.equals(painlab.simulate(one, patients=300, draws=1, weeks=20).weekly)
