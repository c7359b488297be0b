"""Grids: every lever by its name, every combination or a spread sample, names that stay, and what a sweep of one says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import painlab
from painlab import InputError, Scenario, catalog, grid, lever_paths, levers, responses
from painlab.grids import MOST_SCENARIOS, Grid, name_of, table_of
from painlab.plan import levers as plan_levers

EARLY = Scenario.load("early-pt")
MODEST: dict[str, Any] = {"patients": 60, "draws": 3, "weeks": 8, "seed": 2}


# Levers by name


def test_every_field_with_a_range_and_every_uncertain_parameter_is_a_lever() -> None:
    known = lever_paths.known()
    assert {".".join(path) for path in plan_levers()} <= set(known)
    assert {"weeks", "population.pain", "population.arrivals.people", "assume.weakness_pain", "assume.physical_therapy.relief"} <= set(
        known
    )
    assert "assume.overdose_dose_cap" not in known  # its range is one value
    assert all(one.lever.low < one.lever.high for one in known.values())


@pytest.mark.parametrize("key", [key for key in lever_paths.known() if not key.startswith("assume.") and ".arrivals." not in key])
def test_a_lever_reaches_both_ends_of_its_range_in_a_scenario(key: str) -> None:
    placed = lever_paths.find(key)
    for end in (placed.lever.low, placed.lever.high):
        own = {"population.minimum_pain": {"maximum_pain": 10.0}, "population.maximum_pain": {"minimum_pain": 0.0}}.get(key, {})
        moved = EARLY.change(population=own).change(**lever_paths.changes({key: lever_paths.checked(placed, end)}))
        assert lever_paths.value_in(moved, key) == (end, "")


def test_values_are_those_of_the_scenario_and_a_remark_says_whose_they_are() -> None:
    assert lever_paths.value_in(EARLY, "physical_therapy.handover") == (0.7, "")
    assert lever_paths.value_in(EARLY, "pain_psychology.weeks") == (None, "not ordered")
    assert lever_paths.value_in(EARLY, "taper.support") == (None, "no taper")
    assert lever_paths.value_in(EARLY, "population.pain") == (5.5, "the condition's")
    assert lever_paths.value_in(EARLY, "assume.weakness_pain") == (None, "drawn")
    assert lever_paths.value_in(EARLY.change(assume={"values": {"weakness_pain": 1.5}}), "assume.weakness_pain") == (1.5, "")
    assert lever_paths.value_in(EARLY, "population.arrivals.people") == (None, "closed cohort")
    assert lever_paths.value_in(Scenario.load("clinic-early-pt"), "population.arrivals.people") == (100_000.0, "")


def test_the_list_has_a_row_for_each_lever_and_values_with_a_scenario() -> None:
    assert levers().height == len(lever_paths.known())
    assert "value" not in levers().columns
    row = levers("early-pt").row(by_predicate=pl.col("lever") == "prescribing.start_dose", named=True)
    assert (row["value"], row["low"], row["high"], row["unit"], row["whole"], row["acts_on"]) == (40.0, 5.0, 90.0, "MME/day", False, "plan")
    assert row["levels"] == "low = 20, usual = 40, high = 60"


# Grids


def test_a_full_grid_has_every_combination_with_the_values_it_names() -> None:
    made = grid(
        "early-pt", {"physical_therapy.start_week": "0,2,8", "prescribing.opioid_start": "0.5:1.5:5", "population.pain": ["severe"]}
    )
    assert len(made) == 15 and isinstance(made, Grid)
    for scenario, row in zip(made, made.table.iter_rows(named=True), strict=True):
        assert scenario.name == row["name"]
        assert scenario.care.treatments["physical_therapy"].start_week == row["physical_therapy.start_week"]
        assert scenario.care.prescribing.opioid_start == row["prescribing.opioid_start"]
        assert scenario.population.pain == row["population.pain"] == 7.5
    assert made.table["prescribing.opioid_start"].unique().sort().to_list() == [0.5, 0.75, 1.0, 1.25, 1.5]
    assert made.table.schema["physical_therapy.start_week"] == pl.Int64


def test_names_are_short_plain_and_the_same_in_every_grid_that_has_the_values() -> None:
    one = grid("early-pt", {"weeks": [26, 52], "coordination": [0.2, 0.6]})
    other = grid("early-pt", {"coordination": ["good", 1], "weeks": "52"})
    shared = set(one.table["name"]) & set(other.table["name"])
    assert shared == {name_of("early-pt", {"weeks": 52, "coordination": 0.6})} == {"early-pt-hm2vmtrx"}
    assert max(map(len, one.table["name"])) <= 60
    long = EARLY.change(name="a" * 60)
    assert len(grid(long, {"weeks": [5]}).scenarios[0].name) <= 60


@given(st.lists(st.integers(1, 520), min_size=1, max_size=40, unique=True))
def test_different_values_never_share_a_name(values: list[int]) -> None:
    assert len({name_of("early-pt", {"weeks": value}) for value in values}) == len(values)


def test_a_copy_of_a_baseline_is_held_against_the_baseline_and_not_against_itself() -> None:
    usual = Scenario.load("usual-care")
    (moved,) = grid(usual, {"coordination": [1.0]})
    assert moved.care.coordination == 1.0
    assert moved.baseline_plan() == usual.care


def test_care_moves_the_plan_alone_and_patients_move_both_arms() -> None:
    run = {"patients": 40, "draws": 1, "weeks": 6}
    baselines = [painlab.simulate(one, **run).outcome("pain")["baseline"].to_list() for one in grid(EARLY, {"coordination": [0, 1]})]
    assert baselines[0] == baselines[1]
    baselines = [painlab.simulate(one, **run).outcome("pain")["baseline"].to_list() for one in grid(EARLY, {"population.pain": [3, 7]})]
    assert baselines[0][0] < baselines[1][0]


def test_a_lever_of_a_treatment_that_is_not_ordered_adds_it_with_its_usual_order() -> None:
    (made,) = grid("opioids-alone", {"physical_therapy.start_week": [4]})
    order = made.care.treatments["physical_therapy"]
    usual = catalog.treatments()["physical_therapy"].order
    assert (order.start_week, order.weeks, order.sessions_per_week) == (4, usual["weeks"], usual["sessions_per_week"])


def test_several_scenarios_are_crossed_with_the_levers() -> None:
    made = grid(["early-pt", "late-pt"], {"coordination": [0, 1]})
    assert made.table["of"].to_list() == ["early-pt", "early-pt", "late-pt", "late-pt"]
    assert made.table["name"].n_unique() == 4


def test_what_is_recorded_is_read_back() -> None:
    made = grid("early-pt", {"weeks": [26, 52], "coordination": [0, 0.5], "assume.weakness_pain": [1]})
    assert_frame_equal(table_of(json.loads(json.dumps(made.record()))), made.table)


# A spread sample


def test_a_latin_hypercube_has_one_point_in_each_slice_of_each_lever() -> None:
    made = grid("early-pt", {"coordination": "0:1", "prescribing.start_dose": "20:60"}, design="latin:25", seed=9)
    assert len(made) == 25 and made.design == "latin"
    for key, low, high in (("coordination", 0.0, 1.0), ("prescribing.start_dose", 20.0, 60.0)):
        slices = np.floor((made.table[key].to_numpy() - low) / (high - low) * 25).astype(int)
        assert sorted(slices) == list(range(25))
    again, other = (
        grid("early-pt", {"coordination": "0:1", "prescribing.start_dose": "20:60"}, design="latin:25", seed=s) for s in (9, 10)
    )
    assert again.table.equals(made.table) and not other.table.equals(made.table)


def test_whole_numbers_and_listed_values_come_equally_often_and_no_point_twice() -> None:
    made = grid(
        "early-pt", {"physical_therapy.start_week": "0:3", "population.pain": "mild,severe", "coordination": "0:1"}, design="latin:40"
    )
    assert made.table["physical_therapy.start_week"].value_counts().sort("physical_therapy.start_week")["count"].to_list() == [10] * 4
    assert made.table["population.pain"].value_counts()["count"].to_list() == [20, 20]
    few = grid("early-pt", {"physical_therapy.start_week": "0:3"}, design="latin:40")
    assert len(few) == 4 and few.repeated == 36
    assert "36 points of the sample fell on others and are run once" in str(few)


# What is refused

REFUSED = [
    ({"physical_terapy.start_week": [1]}, 'did you mean "physical_therapy.start_week"'),
    ({"weakness_pain": [1]}, 'did you mean "assume.weakness_pain"'),
    ({"assume.overdose_dose_cap": [120]}, "overdose_dose_cap is fixed at 120"),
    ({"population.pain": "sever"}, r'"sever" is no number and no level \(did you mean "severe"\?\).*0 to 10 \(0-10 NRS\)'),
    ({"population.pain": "11"}, "11 is too large. Expected a number from 0 to 10"),
    ({"prescribing.opioid_start": "-1"}, "-1 is too small. Expected a number from 0 to 2"),
    ({"physical_therapy.start_week": "1.5"}, "1.5 is not a whole number"),
    ({"physical_therapy.start_week": "0:8:4"}, "not all whole numbers. Expected a count of 2, 3, 5, 9"),
    ({"coordination": "0:1:1"}, 'the count is "1"'),
    ({"coordination": "0:1"}, "has 2 parts. Expected low:high:count"),
    ({"coordination": "1:0:3"}, "1 is not below 0"),
    ({"coordination": "0,0.0"}, "the value 0 is named twice"),
    ({"coordination": []}, "there is no value"),
    ({"coordination": " , "}, "there is no value"),
    ({"coordination": [True]}, "True is not a number"),
    ({"coordination": ["nan"]}, "is not a number"),
    ({"coordination": ["inf"]}, "inf is too large"),
    ({"coordination": [None]}, "None is not a number"),
    ({"coordination": "0:1:2001"}, "at most 2,000"),
    ({"coordination": [0], "care.coordination": [1]}, "named twice"),
    ({"population.minimum_pain": [6], "population.maximum_pain": [4]}, r"early-pt with .*minimum_pain is 6 and maximum_pain 4"),
    ({"population.arrivals.people": [5000]}, "new_patients_per_1000_per_year"),
    ({}, "no lever to move"),
]


@pytest.mark.parametrize(("moves", "said"), REFUSED, ids=lambda one: str(one)[:40])
def test_what_cannot_be_a_lever_or_a_value_is_refused_by_name(moves: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        grid("early-pt", moves)


def test_no_more_than_the_stated_number_of_scenarios_is_made() -> None:
    with pytest.raises(InputError, match=r"2,025 combinations. Expected at most 2,000 scenarios"):
        grid("early-pt", {"coordination": "0:1:45", "prescribing.opioid_start": "0:2:45"})
    with pytest.raises(InputError, match=f"at most {MOST_SCENARIOS:,}"):
        grid(["early-pt", "late-pt"], {"coordination": "0:1"}, design="latin:1001")


@pytest.mark.parametrize("design", ["latin", "latin:", "latin:1", "latin:-3", "latin:1e3", "sobol:20", "full:3", ""])
def test_an_unknown_design_is_refused(design: str) -> None:
    with pytest.raises(InputError, match="design: the design is"):
        grid("early-pt", {"coordination": "0:1"}, design=design)


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1", 2**63])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(InputError, match="seed is"):
        grid("early-pt", {"coordination": "0:1"}, design="latin:5", seed=seed)


# Main effects, by hand


def test_main_effects_of_a_plane_are_its_slopes_and_shares_add_up() -> None:
    """y = 3a + 10b on a in {0, 1, 2} and b in {0, 1}: 6 and 10; variances 9 x 2/3 = 6 and 100 x 1/4 = 25."""
    table = pl.DataFrame([{"name": f"s{a}{b}", "of": "s", "a": float(a), "b": float(b)} for a in (0, 1, 2) for b in (0, 1)])
    y = np.array([3.0 * row["a"] + 10.0 * row["b"] for row in table.to_dicts()])
    means = {"pain": {"difference": np.column_stack([y, y, y])}}
    for design in ("full", "latin"):
        found = responses.main_effects(table, design, means)
        assert found["lever"].to_list() == ["a", "b"]
        np.testing.assert_allclose(found["change"], [6.0, 10.0], atol=1e-9)
        np.testing.assert_allclose(found["share"], [6 / 31, 25 / 31], atol=1e-9)
        np.testing.assert_allclose(found["low"], found["high"])


def test_the_band_of_an_effect_is_that_of_its_draws() -> None:
    table = pl.DataFrame({"name": ["x", "y"], "of": ["s", "s"], "a": [0.0, 1.0]})
    values = np.array([[0.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]])
    row = responses.main_effects(table, "full", {"pain": {"difference": values}}).row(0, named=True)
    assert (row["change"], row["low"], row["high"]) == pytest.approx((3.0, *np.quantile([1, 2, 3, 4, 5], (0.025, 0.975))))
    assert responses.main_effects(table, "full", {"pain": {"difference": values[:, :1]}})["low"].null_count() == 1
    assert responses.main_effects(table, "latin", {"pain": {"difference": values}}).is_empty()  # two points bear no line beside a mean


# A sweep of a grid


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory):
    made = grid("early-pt", {"physical_therapy.start_week": [0, 2], "prescribing.opioid_start": [0.0, 1.0]})
    return painlab.sweep(made, tmp_path_factory.mktemp("grid"), **MODEST)


def test_a_sweep_of_a_grid_writes_its_levers_a_summary_and_effects(swept) -> None:
    names = {path.name for path in swept.folder.iterdir()}
    assert {"levers.parquet", "summary.parquet", "effects.parquet", "results.parquet", "sweep.json"} <= names
    assert_frame_equal(pl.read_parquet(swept.folder / "levers.parquet"), swept.levers)
    summary = pl.read_parquet(swept.folder / "summary.parquet")
    name = swept.names[1]
    alone = painlab.simulate(swept.scenario(name), **MODEST)
    assert_frame_equal(summary.filter(name=name).select(alone.averages.columns), alone.averages, check_exact=True)
    assert summary.columns[:4] == ["name", "of", "physical_therapy.start_week", "prescribing.opioid_start"]
    assert pl.read_parquet_metadata(swept.folder / "levers.parquet")["painlab_request"] == swept.manifest.fingerprint()


def test_an_effect_is_the_difference_of_means_at_the_ends(swept) -> None:
    pain = swept.summary.filter(outcome="pain").group_by("physical_therapy.start_week").agg(pl.col("difference").mean())
    ends = dict(pain.rows())
    row = swept.effects.row(
        by_predicate=(pl.col("lever") == "physical_therapy.start_week")
        & (pl.col("outcome") == "pain")
        & (pl.col("quantity") == "difference"),
        named=True,
    )
    assert row["change"] == pytest.approx(ends[2] - ends[0], abs=1e-12)
    assert (row["from_value"], row["to_value"]) == (0.0, 2.0)


def test_the_sentences_name_where_demand_is_least_with_pain_and_function_beside_it(swept) -> None:
    said = swept.sentences
    assert "demand is least at" in said[0] and "pain" in said[0] and "function" in said[0]
    assert any(one.startswith("From 0 to 2, physical_therapy.start_week") and "(mean over the other levers)" in one for one in said)


@pytest.mark.parametrize(("pain", "warned"), [((0.3, 0.2, 0.4), True), ((0.3, -0.1, 0.7), False), ((-0.3, -0.4, -0.2), False)])
def test_where_least_demand_comes_with_more_pain_it_is_not_called_better(swept, pain: tuple[float, float, float], warned: bool) -> None:
    columns = ["difference", "difference_low", "difference_high"]
    figures = {"mme_per_1000": (-90.0, -100.0, -80.0), "pain": pain, "function": (0.0, -0.1, 0.1)}
    rows = [{**row, **dict(zip(columns, figures.get(row["outcome"], (0.0, 0.0, 0.0)), strict=True))} for row in swept.summary.to_dicts()]
    said = responses.sentences(swept.levers, "full", pl.DataFrame(rows), swept.effects)
    assert ("Less opioid is not by itself better health." in said[0]) == warned


def test_a_sweep_that_is_read_later_knows_its_levers_and_goes_on(swept) -> None:
    again = painlab.read_sweep(swept.folder)
    assert again.complete and again.levers.equals(swept.levers) and again.design == "full"
    made = grid("early-pt", {"prescribing.opioid_start": [0.0, 1.0], "physical_therapy.start_week": [0, 2]})  # in another order
    with pytest.raises(InputError, match="another sweep was begun"):
        painlab.sweep(grid("early-pt", {"weeks": [5]}), swept.folder, **{**MODEST, "weeks": None})
    assert set(made.table["name"]) == set(swept.names)
    assert painlab.sweep(made, swept.folder, **MODEST).complete


def test_beginning_anew_takes_the_tables_of_a_grid_away(tmp_path: Path) -> None:
    painlab.sweep(grid("early-pt", {"coordination": [0, 1]}), tmp_path, **MODEST)
    made = painlab.sweep("early-pt", tmp_path, **MODEST, force=True)
    assert made.levers is None and made.sentences == []
    assert not (tmp_path / "levers.parquet").exists() and not (tmp_path / "effects.parquet").exists()
    with pytest.raises(InputError, match="not made from a grid"):
        _ = made.effects


def test_a_horizon_may_be_a_lever_but_not_be_given_twice(tmp_path: Path) -> None:
    made = painlab.sweep(grid("early-pt", {"weeks": [3, 5]}), tmp_path, patients=20, draws=2)
    assert made.weekly.group_by("name", maintain_order=True).agg(pl.col("week").max())["week"].to_list() == [3, 5]
    with pytest.raises(InputError, match="weeks is a lever of the grid"):
        painlab.sweep(grid("early-pt", {"weeks": [3, 5]}), tmp_path, patients=20, draws=2, weeks=4)
