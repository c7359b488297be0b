"""Tables and charts of how far the model may be believed, in lessons 08 to 10."""

import polars as pl
import pytest

from painlab import identification, trials, validation
from painlab.scenario import Scenario
from painlab.views import checks, validity
from painlab.views.live_chart import LiveChart


@pytest.fixture(scope="module")
def found() -> pl.DataFrame:
    chosen = trials.shipped()
    return validation.table(chosen, validation.predict(chosen, identification.sets("posterior", 2), patients=50))


def test_the_counts_of_trials_are_those_of_the_table(found):
    lines = checks.inside(found).data.splitlines()
    assert len(lines) == 4
    held_out = found.filter(pl.col("use") == "validate")
    assert f"| held out | {held_out.height} | {held_out['inside'].sum()} |" in lines[3]


def test_each_miss_has_a_row_with_a_reason(found):
    said = checks.misses(found).data
    missed = found.filter(~pl.col("inside"))["title"].to_list()
    assert missed
    assert all(f"| {title} |" in said for title in missed)
    assert checks.misses(found.filter(pl.col("inside"))).data.startswith("No trial is outside")


def test_the_forest_plot_says_its_finding_in_words(found):
    chart = checks.published(found)
    assert isinstance(chart, LiveChart)
    assert f"{found['inside'].sum()} of {found.height}" in chart.summary


def test_what_the_trials_taught_is_listed_and_drawn():
    table = identification.table()
    blank = table.filter(~pl.col("informed")).height
    assert checks.uninformed(table).data.startswith(f"**{blank} of {table.height} parameters")
    assert "attendance pain" in checks.one_parameter(table, "attendance_pain").data
    assert isinstance(checks.learned(table), LiveChart)


def test_what_each_link_earns_has_a_row_for_each_cut():
    sets = identification.sets("posterior", 2)
    said = checks.links(identification.benefit([Scenario.load("early-pt")], sets, patients=30)).data
    assert all(words in said for words in identification.CUTS.values())
    gain = identification.cycle_gain(Scenario.load("early-pt"), sets)
    assert checks.gain(gain, gain).data.count("\n") == 1 + gain.height


def test_forecasts_are_those_that_were_kept_or_are_said_to_be_missing(tmp_path, monkeypatch):
    assert checks.forecasts().data.count("\n|") == 1 + pl.read_csv(validity.forecasts_file()).height
    monkeypatch.setattr(validity, "forecasts_file", lambda: tmp_path / "forecasts.csv")
    assert "No forecasts have been kept" in checks.forecasts().data


def test_plans_side_by_side_are_a_scenario_changed_or_held_against_itself_without_something():
    rows = {"as it is": {}, "therapy alone": {"against": {"physical_therapy": None}}}
    lines = checks.compare("early-pt", rows, week=13, outcomes=("pain",)).data.splitlines()
    assert lines[0] == "| Difference in week 13 | Pain (0-10 NRS) |"
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| as it is", "| therapy alone"]
    assert lines[2] != lines[3]
    nothing = checks.compare("early-pt", {"nothing": {"against": {}}}, week=13, outcomes=("pain",)).data
    assert nothing.endswith("| nothing | 0.00 (0.00 to 0.00) |")


def test_levels_stand_beside_their_difference():
    last = checks.levels("early-pt", {"walk": {"population": {"goal": "walk"}}}, "goal_reached", week=13).data.splitlines()[-1]
    before, after = (float(cell) for cell in last.split(" | ")[1:3])
    assert last.startswith("| walk")
    assert float(last.split(" | ")[3].split(" ")[0]) == pytest.approx(after - before, abs=0.11)
