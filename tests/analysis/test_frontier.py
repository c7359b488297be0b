"""The frontier of care plans: nondominated sets against brute force, an honest race, weights that choose, designs that fill the space."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import painlab
from painlab.analysis.care_choice import OBJECTIVES
from painlab.analysis.designs import plan_design, usual_levers
from painlab.analysis.frontier import care_frontier, clearly_dominated, nondominated
from painlab.analysis.side_by_side import horizon_means
from painlab.engine.execution import Cancelled
from painlab.errors import InputError
from painlab.outcomes import OUTCOMES
from painlab.scenario import Scenario
from painlab.simulation import parameter_sets

EQUAL = dict.fromkeys(OBJECTIVES, 1.0)
# Few values, so that ties and duplicates are common.
clouds = st.tuples(st.integers(1, 30), st.integers(1, 4)).flatmap(
    lambda shape: hnp.arrays(float, shape, elements=st.integers(-3, 3).map(float))
)


@given(clouds)
def test_the_nondominated_set_is_that_of_brute_force(points):
    def dominates(a, b):
        return all(x <= y for x, y in zip(a, b, strict=True)) and any(x < y for x, y in zip(a, b, strict=True))

    assert nondominated(points).tolist() == [not any(dominates(other, one) for other in points) for one in points]


def test_a_thousand_points_are_worked_out_in_pieces_as_at_once():
    points = np.random.default_rng(1).normal(size=(700, 3))
    free = nondominated(points)
    assert 0 < free.sum() < 700
    assert nondominated(points[free]).all()


@pytest.mark.parametrize("points", [np.zeros(3), np.array([[1.0, np.nan]])])
def test_points_that_are_none_are_refused(points):
    with pytest.raises(InputError, match="finite"):
        nondominated(points)


def test_only_a_lead_beyond_chance_in_every_objective_drops_a_plan():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(8, 2))
    clear = np.array([[0.0, 0.0], [5.0, 5.0], [5.0, -0.1], [0.1, 0.1]])
    levels = clear[:, None] + 0.3 * rng.normal(size=(4, 8, 2)) + noise
    # 1 is far behind in both; 2 leads in one; 3 is behind by less than its own chance
    assert clearly_dominated(levels).tolist() == [False, True, False, False]


def test_what_all_plans_share_in_a_draw_does_not_hide_a_lead():
    shared = 100.0 * np.random.default_rng(3).normal(size=(1, 8, 2))
    levels = shared + np.array([0.0, 1.0])[:, None, None]
    assert clearly_dominated(levels).tolist() == [False, True]


def test_a_design_fills_every_lever_and_more_plans_begin_with_the_same():
    early = Scenario.load("early-pt")
    levers = {
        "physical_therapy.start_week": (0, 8),
        "reassessment.review": (0.2, 0.4, 0.8),
        "pain_psychology": True,
        "pain_psychology.weeks": (4, 6),
    }
    plans = plan_design(early, 128, levers=levers, seed=5)
    assert {plan.treatments["physical_therapy"].start_week for plan in plans} == set(range(9))
    assert {plan.reassessment.review for plan in plans} == {0.2, 0.4, 0.8}
    there = [plan for plan in plans if "pain_psychology" in plan.treatments]
    assert 0.3 < len(there) / len(plans) < 0.8
    assert {plan.treatments["pain_psychology"].weeks for plan in there} == {4, 5, 6}
    assert {plan.prescribing for plan in plans} == {early.care.prescribing}
    assert plans[: len(plan_design(early, 32, levers=levers, seed=5))] == plan_design(early, 32, levers=levers, seed=5)
    assert plans != plan_design(early, 128, levers=levers, seed=6)
    assert len({plan.model_dump_json() for plan in plans}) == len(plans)


def test_the_usual_levers_are_those_of_the_scenarios_treatments():
    levers = usual_levers(Scenario.load("injection-alone"))
    assert {"epidural_steroid", "physical_therapy.weeks", "taper", "coordination"} <= set(levers)
    assert "nerve_block" not in levers


@pytest.mark.parametrize(
    ("levers", "words"),
    [
        ({}, "no lever"),
        ({"physical_therapy.strat_week": (0, 8)}, "did you mean"),
        ({"reassessment.review": (0.2, 1.5)}, "values from 0 to 1"),
        ({"reassessment.review": 0.5}, "two ends"),
        ({"reassessment.review": (0.5, float("nan"))}, "two ends"),
        ({"reassessment": True}, "no lever"),
        ({"nerve_block.start_week": (0, 8)}, '"nerve_block": True'),
    ],
)
def test_a_lever_that_is_none_is_refused(levers, words):
    with pytest.raises(InputError, match=words):
        plan_design(Scenario.load("early-pt"), 8, levers=levers)


@pytest.fixture(scope="module")
def found():
    return care_frontier(Scenario.load("pt-plus-injection").change(weeks=26), 100, patients=300, draws=10, seed=2)


def test_the_figures_of_the_last_stage_are_those_of_simulate(found):
    name = found.on_frontier["name"][0]
    averages = painlab.simulate(found.scenario_of(name), patients=300, draws=10, seed=2).averages
    row = found.table.row(found.number(name), named=True)
    for outcome in OBJECTIVES:
        expected = averages.row(by_predicate=pl.col("outcome") == outcome, named=True)
        assert row[outcome] == pytest.approx(expected["scenario"], abs=1e-9)
        assert row[f"{outcome}_difference"] == pytest.approx(expected["difference"], abs=1e-9)
        assert row[f"{outcome}_difference_low"] == pytest.approx(expected["difference_low"], abs=1e-9)


def test_the_frontier_is_that_of_the_means_and_its_share_that_of_the_draws(found):
    last = found.table.filter(pl.col("state") != "dropped")
    points = np.stack([last["cost"], last["mme_per_1000"], -last["function"]], axis=1)
    assert (nondominated(points) == (last["state"] == "frontier").to_numpy()).all()
    assert last["share"].is_between(0.0, 1.0).all()
    assert found.levels.shape == (last.height, 10, 4)
    first = found.levels[:, 0, [0, 1, 3]] * [1, 1, -1]
    assert ((last["share"].to_numpy() > 0) | ~nondominated(first)).all()


def test_the_baseline_the_scenarios_plan_and_those_that_ship_are_never_dropped(found):
    kept = found.table.filter(pl.col("state") != "dropped")["name"].to_list()
    assert {"baseline", "pt-plus-injection", "coordinated-care", "opioids-alone"} <= set(kept)
    assert found.table.filter(state="dropped").height > 0
    assert found.table.filter(state="dropped")["share"].null_count() == found.table.filter(state="dropped").height


def test_the_race_drops_no_plan_that_a_full_run_has_on_its_frontier_most_of_the_time(found):
    means = horizon_means(found.scenario, found.plans, parameter_sets(10, 2), patients=300, seed=2, weeks=26)
    places = [next(k for k, one in enumerate(OUTCOMES) if one.name == name) for name in found.objectives]
    points = means[:, :, places] * [1.0, 1.0, -1.0]
    share = np.mean([nondominated(points[:, draw]) for draw in range(10)], axis=0)
    dropped = (found.table["state"] == "dropped").to_numpy()
    assert dropped.sum() > 20
    assert share[dropped].max() < 0.5
    assert set(np.flatnonzero(nondominated(points.mean(axis=1)))) == set(found.on_frontier["plan"])


def test_weights_choose_the_best_weighted_sum_and_proportions_alone_count(found):
    choice = found.choose(EQUAL)
    assert choice == found.choose(dict.fromkeys(OBJECTIVES, 7.0))
    last = found.table.filter(pl.col("state") != "dropped")
    scores = np.zeros(last.height)
    for name, sign in OBJECTIVES.items():
        values = sign * last[name].to_numpy()
        scores += (values - values.min()) / (values.max() - values.min())
    assert last["name"][int(scores.argmax())] == choice.name
    assert 0.0 <= choice.runner_up_best_in <= 1.0 and choice.best_in + choice.runner_up_best_in <= 1.0 + 1e-9
    cheapest = last.sort("cost")["name"][0]
    assert found.choose({"cost": 1.0}).name == cheapest
    assert found.table.filter(name=choice.name)["state"][0] == "frontier"


def test_sensitivity_covers_each_weight_from_end_to_end(found):
    frame = found.sensitivity(EQUAL)
    for outcome in OBJECTIVES:
        rows = frame.filter(outcome=outcome)
        assert rows["low"][0] == 0.0 and rows["high"][-1] == 1.0
        assert rows["low"][1:].to_list() == rows["high"][:-1].to_list()
        here = rows.filter((pl.col("low") <= 0.25) & (pl.col("high") >= 0.25))["name"].to_list()
        assert found.choose(EQUAL).name in here
        assert rows["name"][-1] == found.choose({outcome: 1.0}).name


def test_the_words_say_whose_judgment_it_is_and_that_costs_are_assumptions(found):
    words = found.choice_words(EQUAL)
    assert "your value judgments" in words and "less opioid is not by itself better health" in words
    assert "assumptions" in str(found) and "free in the model" in str(found)
    said = found.words("baseline")
    assert "It is the baseline" in said and "Pain" in said and "Function" in said
    assert "Against the baseline" in found.words(found.on_frontier["name"][0])


@pytest.mark.parametrize("weights", [{}, {"cost": 0.0}, {"cots": 1.0}, {"cost": -1.0}, {"cost": float("inf")}, {"cost": True}])
def test_weights_that_choose_nothing_are_refused(found, weights):
    with pytest.raises(InputError):
        found.choose(weights)


def test_a_plan_opens_as_a_scenario_with_a_code(found):
    name = found.on_frontier["name"][-1]
    scenario = found.scenario_of(name)
    again = Scenario.from_code(scenario.code())
    assert (again.care, again.baseline_plan()) == (scenario.care, found.scenario.baseline_plan())
    assert again.population == found.scenario.population
    with pytest.raises(InputError, match="no plan"):
        found.number("plan-99999")


def test_more_plans_than_the_last_stage_takes_are_left_out_and_counted():
    found = care_frontier(Scenario.load("pt-plus-injection").change(weeks=4), 120, most=20, patients=64, draws=9)
    assert found.left_out > 0
    assert "left out for time" in found.sentence


def test_a_frontier_can_be_watched_cancelled_and_made_again():
    seen = []
    one = care_frontier("early-pt", 60, patients=32, draws=9, weeks=4, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (1000, 1000)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert one.table.equals(care_frontier("early-pt", 60, patients=32, draws=9, weeks=4, threads=1).table)
    with pytest.raises(Cancelled):
        care_frontier("early-pt", 60, patients=32, draws=9, weeks=4, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("key", "value"), [("objectives", ("cost",)), ("objectives", ("cost", "mme")), ("most", 1), ("draws", 0), ("plans", 0)]
)
def test_what_is_asked_is_checked(key, value):
    with pytest.raises(InputError):
        care_frontier("early-pt", **{key: value})
