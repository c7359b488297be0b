"""Charts of what earned an effect and of a frontier: what they draw, that they can be drawn, and what the explorer says and hands on."""

import re

import polars as pl
import pytest

from painlab.analysis.attribution import attribute
from painlab.analysis.care_choice import OBJECTIVES
from painlab.analysis.clinic_capacity import capacity
from painlab.analysis.frontier import care_frontier
from painlab.analysis.slot_target import slots_needed
from painlab.analysis.slots import panel_of
from painlab.scenario import Scenario
from painlab.views import charts, earned, frontier_chart
from painlab.views.frontier_explorer import STARTS, FrontierExplorer


@pytest.fixture(scope="module")
def shares():
    return attribute(Scenario.load("injection-then-pt").change(weeks=12), ("cost",), patients=64, draws=4)


@pytest.fixture(scope="module")
def panel():
    return panel_of("clinic-early-pt", patients=64, draws=3, weeks=30)


@pytest.fixture(scope="module")
def frontier():
    return care_frontier(Scenario.load("early-pt").change(weeks=13), 45, patients=64, draws=10)


@pytest.mark.parametrize(("dark", "large"), [(False, False), (True, True)])
def test_every_chart_can_be_drawn_for_every_page(shares, panel, frontier, tmp_path, dark, large):
    equal = dict.fromkeys(OBJECTIVES, 1.0)
    made = {
        "shares": earned.shares(shares, dark=dark, large=large),
        "queue": earned.queue(capacity(panel, pt_slots=150.0), dark=dark, large=large),
        "unlimited": earned.queue(capacity(panel), dark=dark, large=large),
        "slots": earned.slots(slots_needed(panel, 50.0, steps=4), dark=dark, large=large),
        "scatter": frontier_chart.scatter(frontier, "baseline", dark=dark, large=large),
        "strips": frontier_chart.strips(frontier, equal, dark=dark, large=large),
    }
    for name, chart in made.items():
        assert len(chart.to_dict()["description"]) > 40
        picture = charts.save(chart, tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        sizes = {float(size) for size in re.findall(r'font-size="([\d.]+)px"', picture)}
        assert min(sizes) >= 13.0, name


def test_the_chart_of_shares_has_pain_and_function_beside_demand_and_the_whole_beneath(shares):
    spec = earned.shares(shares).to_dict()
    assert [cell["title"]["text"] for cell in spec["concat"]] == ["Opioid demand", "Pain", "Function", "Cost of care"]
    rows = (
        spec["concat"][1]["layer"][-1]["data"]["values"]
        if "data" in spec["concat"][1]["layer"][-1]
        else spec["concat"][1]["data"]["values"]
    )
    assert [row["component"] for row in rows] == ["Epidural steroid injection", "Physical therapy", "Whole plan"]
    assert sum(row["share"] for row in rows[:2]) == pytest.approx(rows[2]["share"])
    assert all(row["kind"] in row["words"] for row in rows)


def test_every_plan_is_drawn_once_in_each_panel_with_words_for_who_cannot_see_it(frontier):
    rows = frontier_chart.plan_rows(frontier)
    assert rows.height == 3 * frontier.table.height
    assert rows.filter(pl.col("words").str.contains(r"cost \d")).height == rows.height
    assert rows.filter(pl.col("label") == "baseline").height == 3
    assert rows["state"].to_list() == sorted(rows["state"].to_list(), key=["dropped", "dominated", "frontier"].index)


def test_titles_have_their_bands_and_units_and_the_share_of_draws(shares, panel):
    def title(chart):
        return " ".join(chart.to_dict()["title"]["text"])

    assert re.search(r"wait in line is \d+ weeks \(\d+ to \d+\)", title(earned.queue(capacity(panel, pt_slots=50.0))))
    assert re.search(r"^No number of slots lowers demand by 99 % on average; .* in 0 % of the draws$", title(
        earned.slots(slots_needed(panel, 99.0, steps=4))
    ))  # fmt: skip
    said = title(earned.shares(shares))
    assert "distinguishable" in said or re.search(r"\(.+ to .+\) MME/day per 1,000 patients", said)
    assert "0-10 NRS" not in str(shares) and "points of 10" in str(shares)


def test_a_name_leans_toward_the_middle_and_is_written_once(frontier):
    rows = frontier_chart.plan_rows(frontier)
    dearest = rows.sort("cost")
    assert (dearest["side"][0], dearest["side"][-1]) == ("left", "right")
    assert set(frontier_chart.chosen_rows(frontier, "baseline")["label"]) == {""}
    plain = frontier.table.filter(pl.col("name").str.starts_with("plan-"))["name"][0]
    assert set(frontier_chart.chosen_rows(frontier, plain)["label"]) == {plain}


def test_strips_color_the_chosen_plan_alone_and_in_every_row(frontier):
    weights = dict.fromkeys(OBJECTIVES, 1.0)
    rows = frontier_chart.strip_rows(frontier, weights)
    chosen = rows.filter(part="the choice")
    assert set(chosen["name"]) == {frontier.choose(weights).name}
    assert chosen["outcome"].n_unique() == len(OBJECTIVES)
    assert frontier.choose(weights).name not in rows.filter(part="another")["name"].to_list()


def test_the_words_of_a_choice_say_what_each_share_of_draws_is(frontier):
    words = frontier.choice_words(dict.fromkeys(OBJECTIVES, 1.0))
    assert "On average over the draws it scores best; taken one by one" in words
    assert " is 0 to " in words or "No weight alone" in words


def test_the_explorer_says_what_is_chosen_and_hands_it_on(frontier):
    explorer = FrontierExplorer(frontier)
    assert explorer.picked == frontier.choose(STARTS["alike"][1]).name == explorer.plan.value
    assert "value judgments" in explorer.judgment.value
    assert explorer.words.value.startswith(f"<p>{explorer.picked}:")
    again = Scenario.from_code(explorer.code.value)
    assert again.care == explorer.scenario.care == frontier.plans[frontier.number(explorer.picked)]
    assert explorer.chart.order == frontier.on_frontier["name"].to_list()


def test_weights_starts_clicks_and_the_list_move_the_same_plan(frontier):
    explorer = FrontierExplorer(frontier)
    for name in OBJECTIVES:
        explorer.controls[name].value = 100.0 if name == "cost" else 0.0
    assert explorer.picked == frontier.choose({"cost": 1.0}).name
    explorer.start.value = "health"
    assert explorer.weights == STARTS["health"][1]
    assert explorer.picked == frontier.choose(STARTS["health"][1]).name
    explorer.chart.picked = "baseline"
    assert explorer.plan.value == "baseline" and "It is the baseline" in explorer.words.value
    explorer.plan.value = frontier.on_frontier["name"][0]
    assert explorer.chart.picked == frontier.on_frontier["name"][0]
    dropped = frontier.table.filter(state="dropped")["name"]
    if len(dropped):
        explorer.chart.picked = dropped[0]
        assert "Dropped as clearly dominated" in explorer.words.value


def test_no_weight_at_all_is_said_and_nothing_is_chosen(frontier):
    explorer = FrontierExplorer(frontier)
    before = explorer.picked
    for control in explorer.controls.values():
        control.value = 0.0
    assert "All weights are zero" in explorer.judgment.value
    assert frontier.number(explorer.picked) >= 0 and before
