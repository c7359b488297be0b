"""Groups of patients are those of the run; the grid behind a live slide is the model's own runs."""

import itertools

import numpy as np
import pytest

import painlab
from painlab import Scenario
from painlab.fields import Lever
from painlab.plan import levers
from painlab.talk.benefit import split
from painlab.talk.brief import BESIDE, Brief
from painlab.talk.levers_grid import CUT, MOST_COMBINATIONS, SCENARIO, candidates, changed, live_grid, three, value_of
from painlab.talk.story import LiveGrid

RUN = {"patients": 80, "draws": 3, "weeks": 12}


@pytest.fixture(scope="module")
def run() -> painlab.Projection:
    return painlab.simulate("early-pt", **RUN)


@pytest.fixture(scope="module")
def grid(run) -> LiveGrid:
    return live_grid(Brief((run,), "clinicians", 15))


def test_the_two_halves_of_a_split_add_up_to_the_run(run):
    found = split(Scenario.load("early-pt").change(weeks=12), patients=80, draws=3, seed=1)
    assert run.averages is not None
    for trait in found[:3]:
        shares = np.array(trait.shares)
        for place, name in enumerate(BESIDE):
            whole = float((trait.differences[:, :, place].mean(axis=0) * shares).sum())
            expected = run.averages.filter(run.averages["outcome"] == name)["difference"][0]
            # halves of single draws are not all exactly half as large; single precision
            assert whole == pytest.approx(expected, abs=0.06 * abs(expected) + 0.01), (trait.name, name)


def test_patients_with_more_pain_at_arrival_are_those_with_more_pain():
    (pain, *_) = split(Scenario.load("early-pt").change(weeks=4), patients=200, draws=2, seed=1)
    assert pain.name == "pain" and pain.middle == pytest.approx(5.5, abs=0.4)
    assert pain.shares == pytest.approx((0.5, 0.5), abs=0.01)


def test_nobody_gains_where_the_care_is_the_same():
    for trait in split(Scenario.load("usual-care").change(weeks=6), patients=60, draws=2, seed=1):
        assert not trait.differences.any()


def test_who_is_on_opioids_is_split_where_some_are_and_varied_where_none_or_all_are():
    names = {}
    for share in (0.0, 0.5, 1.0):
        scenario = Scenario.load("monitored-taper").change(weeks=4, population={"on_opioids": share})
        names[share] = next(one for one in split(scenario, patients=120, draws=2, seed=1) if one.name == "opioids").groups
    assert "If all came" in names[0.0][1] and "If nobody came" in names[1.0][1]
    assert names[0.5] == ("Without opioids at arrival", "On long-term opioids at arrival")


def test_a_group_too_small_is_left_out():
    assert [one.name for one in split(Scenario.load("early-pt").change(weeks=2), patients=12, draws=2, seed=1)] == ["opioids"]


def test_the_scenarios_own_combination_is_its_own_run(run, grid):
    assert grid.headlines[grid.at] == run.headline()
    for series in grid.outcomes:
        rows = run.outcome(series.name)
        for column in ("baseline", "scenario", "difference"):
            expected = [round(rows[column][week], series.digits + 1) + 0.0 for week in grid.weeks]
            assert list(getattr(series, column)[grid.at]) == expected


def test_every_combination_is_in_its_place(run, grid):
    """A moved lever and a cut link, against runs of their own."""
    axis = next(one for one in grid.levers if one.name not in (SCENARIO, CUT))
    place = grid.levers.index(axis)
    moved = next(k for k in range(len(axis.values)) if k != axis.at)
    choice = [one.at for one in grid.levers]
    choice[place] = moved
    choice[[one.name for one in grid.levers].index(CUT)] = 1
    scenario = changed(Scenario.load("early-pt"), tuple(axis.name.split(".")), axis.values[moved])
    own = painlab.simulate(scenario, cut=["weakness_to_pain"], **RUN)
    pain = next(one for one in grid.outcomes if one.name == "pain")
    assert list(pain.scenario[grid.place(*choice)]) == [round(own.outcome("pain")["scenario"][week], 3) for week in grid.weeks]
    assert grid.headlines[grid.place(*choice)] == own.headline()


def test_places_count_every_combination_once(grid):
    choices = itertools.product(*(range(len(axis.values)) for axis in grid.levers))
    assert [grid.place(*choice) for choice in choices] == list(range(grid.combinations))
    assert grid.combinations <= MOST_COMBINATIONS
    for series in grid.outcomes:
        assert len(series.baseline) == len(series.low or ()) == grid.combinations
        assert all(len(row) == len(grid.weeks) for row in series.scenario)
    assert grid.weeks[0] == 0 and grid.weeks[-1] == 12


def test_a_lever_of_what_the_plan_changes_is_there(grid):
    assert any(axis.name.startswith("physical_therapy.") for axis in grid.levers)


def test_several_plans_are_toggled_and_each_is_its_own_run(run):
    other = painlab.simulate("opioids-alone", **RUN)
    found = live_grid(Brief((run, other), "clinicians", 5))
    assert found.levers[0].name == SCENARIO and found.levers[0].levels == (run.scenario.title, other.scenario.title)
    still = [axis.at for axis in found.levers]
    assert found.headlines[found.place(*still)] == run.headline()
    assert found.headlines[found.place(1, *still[1:])] == other.headline()


def test_plans_of_one_title_are_told_apart(run):
    found = live_grid(Brief((run, run), "clinicians", 5))
    assert len(set(found.levers[0].levels)) == 2


@pytest.mark.parametrize("path", list(levers()), ids=".".join)
def test_three_values_of_a_lever_are_rising_and_hold_the_plans_own(path):
    lever: Lever = levers()[path]
    for own in (lever.low, lever.high, *lever.levels.values()):
        values = three(lever, float(own))
        assert float(own) in values and list(values) == sorted(set(values)) and 2 <= len(values) <= 3
        assert all(lever.low <= value <= lever.high for value in values)


def test_only_levers_that_all_plans_share_are_moved():
    early, alone = Scenario.load("early-pt"), Scenario.load("opioids-alone")
    assert ("physical_therapy", "start_week") in candidates([early])
    assert ("physical_therapy", "start_week") not in candidates([early, alone])
    assert value_of(alone, ("physical_therapy", "start_week")) is None
    assert value_of(changed(early, ("coordination",), 1.0), ("coordination",)) == 1.0
