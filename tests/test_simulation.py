"""simulate() and refine(): seeds, common random numbers, and what they refuse."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from painlab import InputError, Scenario, posterior, projection, refine, scenarios, simulate
from painlab.engine.execution import Cancelled
from painlab.simulation import MAX_DRAWS, MAX_PATIENTS, simulate_draws

DIFFERENCES = ["difference", "difference_low", "difference_high"]


@pytest.mark.parametrize("name", scenarios()["name"].to_list())
def test_every_scenario_that_ships_can_be_projected(name: str) -> None:
    projected = simulate(name, patients=20, draws=2)
    assert projected.scenario == Scenario.load(name)
    assert projected.weekly["week"].max() == projected.scenario.weeks
    assert projected.weekly["scenario"].is_finite().all()


def test_a_scenario_against_itself_differs_by_exactly_nothing() -> None:
    usual = Scenario.load("usual-care")
    itself = usual.change(name="itself", baseline=usual.care.as_dict(), population={"on_opioids": 0.4})
    for scenario in (usual, itself, itself.change(population={"arrivals": {"people": 5000, "new_patients_per_1000_per_year": 30.0}})):
        projected = simulate(scenario, patients=80, draws=4, weeks=30)
        for frame in (projected.weekly, projected.averages):
            assert frame is not None
            assert (frame.select(DIFFERENCES).to_numpy() == 0.0).all()
        for column in ("", "_low", "_high"):
            assert (projected.weekly[f"baseline{column}"] == projected.weekly[f"scenario{column}"]).all()


def test_the_same_seed_gives_the_same_bits_whatever_the_threads() -> None:
    first = simulate("injection-then-pt", patients=50, draws=3, weeks=20, seed=11)
    for threads in (None, 1, 2, 3):
        again = simulate("injection-then-pt", patients=50, draws=3, weeks=20, seed=11, threads=threads)
        assert again.weekly.equals(first.weekly)
        assert again.averages is not None
        assert again.averages.equals(first.averages)


@pytest.mark.parametrize("draws", [1, 3])
def test_another_seed_gives_other_numbers(draws: int) -> None:
    first, second = (simulate("early-pt", patients=50, draws=draws, weeks=20, seed=seed) for seed in (0, 2**63 - 1))
    for outcome in ("pain", "strength", "visits"):
        assert not first.outcome(outcome)["scenario"].equals(second.outcome(outcome)["scenario"])


def test_a_longer_horizon_does_not_change_the_weeks_before() -> None:
    short, long = (simulate("early-pt", patients=50, draws=2, weeks=weeks).weekly for weeks in (15, 30))
    assert long.filter(pl.col("week") <= 15).equals(short)


def test_weeks_take_the_place_of_the_scenarios_own_horizon() -> None:
    assert simulate("early-pt", patients=10, draws=1, weeks=7).weeks == 7
    own = Scenario.load("early-pt").change(weeks=9)
    assert simulate(own, patients=10, draws=1).weekly["week"].max() == 9


def test_common_random_numbers_make_the_difference_less_uncertain_than_independent_ones() -> None:
    """The variance of a paired difference over seeds, against that of arms with seeds of their own."""
    runs = [simulate("pt-plus-injection", patients=150, draws=1, weeks=16, seed=seed) for seed in range(24)]
    for outcome in ("pain", "strength", "visits"):
        baseline, scenario = ([one.level_of(outcome, 16, arm).mean for one in runs] for arm in ("baseline", "scenario"))
        paired = np.var(np.subtract(scenario, baseline))
        independent = np.var(np.subtract(scenario, np.roll(baseline, 1)))
        assert paired < 0.75 * independent, outcome


def test_a_link_may_be_named_alone_or_in_a_list() -> None:
    run = {"patients": 30, "draws": 1, "weeks": 12}
    alone, listed = (simulate("early-pt", cut=cut, **run).weekly for cut in ("pain_to_activity", ["pain_to_activity"]))
    assert alone.equals(listed)
    assert not alone.equals(simulate("early-pt", **run).weekly)


def test_progress_is_told_and_a_cancelled_run_has_no_result() -> None:
    seen: list[tuple[int, int]] = []
    simulate("early-pt", patients=20, draws=3, weeks=4, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == len(seen)
    with pytest.raises(Cancelled):
        simulate("early-pt", patients=20, draws=3, weeks=4, cancelled=lambda: True)


# Draw by draw


@pytest.mark.parametrize("name", ["early-pt", "clinic-early-pt"])
def test_the_means_of_the_draws_are_what_the_projection_was_gathered_from(name: str) -> None:
    run = {"patients": 30, "draws": 3, "weeks": 6, "seed": 2}
    made = simulate_draws(name, **run)
    assert made.projection.weekly.equals(simulate(name, **run).weekly)
    assert made.means.shape[:2] == (3, 2) and made.present.shape == (3, 7)
    outcomes, arms = projection.arms_of(made.projection.scenario, made.means, made.present, 30)
    pain = [one.name for one in outcomes].index("pain")
    assert arms[:, 1, pain].mean(axis=0) == pytest.approx(made.projection.outcome("pain")["scenario"].to_numpy())


# What is refused

NUMBERS = {
    "patients": (1, MAX_PATIENTS),
    "draws": (1, MAX_DRAWS),
    "seed": (0, 2**63 - 1),
    "weeks": (1, 520),
    "threads": (1, 1024),
}
WRONG: dict[str, Callable[[int, int], object]] = {
    "too small": lambda low, high: low - 1,
    "too large": lambda low, high: high + 1,
    "a fraction": lambda low, high: 10.5,
    "a whole number as a fraction": lambda low, high: 10.0,
    "a truth value": lambda low, high: True,
    "a text": lambda low, high: "10",
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_outside_its_range_or_of_another_kind_is_refused_by_name(name: str, wrong: str) -> None:
    low, high = NUMBERS[name]
    with pytest.raises(InputError, match=rf"^{name} is .*a whole number from {low:,} to {high:,}\. Change {name}\.$"):
        simulate("early-pt", **{"patients": 5, "draws": 1, name: WRONG[wrong](low, high)})


def test_the_least_of_everything_is_a_projection() -> None:
    assert simulate("early-pt", patients=1, draws=1, seed=0, weeks=1, threads=1).weekly["week"].max() == 1


def test_an_unknown_scenario_or_link_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match='did you mean "early-pt"'):
        simulate("erly-pt")
    with pytest.raises(InputError, match=r'unknown link "weakness_to_pian" \(did you mean "weakness_to_pain"\?\)'):
        simulate("early-pt", cut=["weakness_to_pian"])


# Anytime refinement


def test_each_step_of_a_refinement_is_the_run_of_so_many_draws_and_the_last_is_the_whole() -> None:
    steps = list(refine("early-pt", patients=40, draws=24, weeks=8, threads=2))
    assert [step.draws for step in steps] == sorted({step.draws for step in steps})
    assert len(steps) >= 2
    assert 5 <= steps[0].draws < 24
    for step in (steps[0], steps[-1]):
        alone = simulate("early-pt", patients=40, draws=step.draws, weeks=8)
        assert step.weekly.equals(alone.weekly)
        assert step.provenance["parameters"] == alone.provenance["parameters"]
    assert steps[-1].draws == 24


def test_a_refinement_can_be_stopped_between_its_steps() -> None:
    steps = refine("early-pt", patients=40, draws=40, weeks=8, threads=1)
    assert next(steps).draws < 40
    steps.close()


def test_a_projection_knows_which_parameters_it_had() -> None:
    for kind in ("posterior", "prior"):
        assert simulate("early-pt", patients=20, draws=2, weeks=4, parameters=kind).kind == posterior.in_use(kind)
