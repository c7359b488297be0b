"""What the notebooks show: findings with their sources, and runs held against one another."""

import polars as pl
import pytest

import painlab
from painlab import InputError, evidence
from painlab.engine import mean_patient
from painlab.views import lessons

OUTCOMES = ("pain", "strength", "function")


@pytest.fixture(scope="module")
def runs():
    """A short run with the whole cycle, and one with a link cut."""
    return [painlab.simulate("early-pt", patients=30, draws=2, weeks=6, cut=cut) for cut in ((), ("weakness_to_pain",))]


def test_a_finding_has_its_figure_and_its_source():
    row = evidence.estimates().filter(pl.col("id") == "T09-16").row(0, named=True)
    text = lessons.findings("T09-16", "T09-10").data
    first, second = text.splitlines()
    assert f"{row['estimate']:g} %" in first
    assert evidence.citation("T09-16") in first
    assert evidence.citation("T09-10") in second


def test_an_unknown_finding_is_refused_with_the_nearest():
    with pytest.raises(InputError, match="T09-16"):
        lessons.findings("T09-166")


def test_a_number_says_where_it_comes_from():
    assert "unmodulated_pain" in lessons.source("weakness_pain").data


def test_two_plans_stand_side_by_side_with_their_bands(runs):
    whole, cut = runs
    chart = lessons.side_by_side(whole, cut, labels=("whole cycle", "link cut"))
    sent = chart.data["weekly"]
    pain = [i for i, name in enumerate(sent["outcome"]) if name == "pain"]
    as_numbers = {name: memoryview(sent[name]).cast("d") for name in ("baseline", "scenario", "scenario_low")}
    assert [as_numbers["baseline"][i] for i in pain] == whole.outcome("pain")["scenario"].to_list()
    assert [as_numbers["scenario"][i] for i in pain] == cut.outcome("pain")["scenario"].to_list()
    assert [as_numbers["scenario_low"][i] for i in pain] == cut.outcome("pain")["scenario_low"].to_list()


def test_runs_of_different_length_are_not_compared(runs):
    longer = painlab.simulate("early-pt", patients=30, draws=2, weeks=7)
    with pytest.raises(InputError, match="horizon"):
        lessons.side_by_side(runs[0], longer, labels=("one", "other"))


def test_gains_have_a_row_for_each_run_and_a_column_for_each_outcome(runs):
    lines = lessons.gains({"whole cycle": runs[0], "link cut": runs[1]}, 6, OUTCOMES).data.splitlines()
    assert [line.count("|") for line in lines] == [5] * 4
    assert lines[2].startswith("| whole cycle | ")


def test_a_mean_patient_lies_at_no_distance_from_itself():
    scenario = painlab.Scenario.load("early-pt")
    one = mean_patient.trajectory(scenario, weeks=8)
    sent = lessons.distance(one, one).data["weekly"]["difference"]
    assert set(memoryview(sent).cast("d")) == {0.0}


def test_sentences_in_a_table_are_whole():
    frame = painlab.scenarios().select("name", "question")
    text = lessons.table(frame).data
    assert all(question in text for question in frame["question"])
    assert str(painlab.Scenario.load("early-pt")).splitlines()[1] in lessons.words(painlab.Scenario.load("early-pt")).data
