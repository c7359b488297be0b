"""Charts hold no numbers until they are given some, and show pain and function beside demand."""

import json
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import vl_convert

from painlab.errors import InputError
from painlab.outcomes import BY_NAME
from painlab.views import charts

COURSES = {
    "mme_per_1000": (14_000, 23_000),
    "on_opioids": (12, 22),
    "pain": (6.5, 3.6),
    "activity": (50, 70),
    "strength": (64, 72),
    "function": (45, 68),
}
STYLES = ("baseline-band", "scenario-band", "baseline-line", "scenario-line", "baseline-label", "scenario-label", "zero-line")


def weekly(weeks=104, effect=-0.1, bands=True):
    """A weekly frame as a Projection has it: exponential courses, the scenario a tenth lower."""
    week = np.arange(weeks + 1, dtype="int32")
    frames = []
    for name, (start, end) in COURSES.items():
        baseline = end + (start - end) * np.exp(-week / 14)
        columns = {"baseline": baseline, "scenario": baseline * (1 + effect), "difference": baseline * effect}
        for column, values in list(columns.items()):
            columns[f"{column}_low"] = values - 0.05 * baseline if bands else np.full(weeks + 1, np.nan)
            columns[f"{column}_high"] = values + 0.05 * baseline if bands else np.full(weeks + 1, np.nan)
        unit = pl.lit(BY_NAME[name].unit).alias("unit")
        frames.append(pl.DataFrame({"week": week, **columns}, nan_to_null=True).with_columns(pl.lit(name).alias("outcome"), unit))
    return pl.concat(frames)


def projection(**choices):
    return SimpleNamespace(
        weekly=weekly(**choices), scenario=SimpleNamespace(title="Physical therapy early", baseline="usual-care"), level=0.95
    )


def picture(chart):
    return vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])


def axis_tops(chart):
    """The highest y value on each small chart's scale, from Vega's own evaluation."""
    graph = vl_convert.vegalite_to_scenegraph(chart.to_dict(), allowed_base_urls=[])
    tops = []

    def visit(node):
        if node.get("role") == "axis-label":
            words = [item["text"] for item in node["items"]]
            figures = [float(word.replace(",", "").replace("\u2212", "-")) for word in words if word[-1].isdigit()]
            if len(figures) == len(words):
                tops.append(max(figures))
        for child in node.get("items", []):
            visit(child)

    visit(graph["scenegraph"])
    return tops


def test_pain_and_function_stand_beside_demand_in_every_grid():
    for chart in (
        charts.demand(projection()),
        charts.outcomes(projection(), ["on_opioids"]),
        charts.differences(projection(), ["on_opioids"]),
    ):
        drawn = picture(chart)
        for name in ("mme_per_1000", "pain", "function"):
            assert BY_NAME[name].label in drawn
            assert BY_NAME[name].unit in drawn


def test_lines_are_named_at_their_ends_and_not_in_a_legend():
    drawn = picture(charts.demand(projection()))
    assert drawn.count(">usual care<") == drawn.count(">this plan<") == 3
    assert "role-legend" not in drawn


def test_the_title_is_the_finding_or_else_the_name_of_the_scenario():
    assert "Demand falls by a tenth" in picture(charts.demand(projection(), title="Demand falls by a tenth"))
    assert "Physical therapy early" in picture(charts.demand(projection()))


def test_a_long_finding_is_broken_into_lines():
    title = "Physical therapy in the first two weeks lowers opioid demand by a tenth over two years " * 2
    assert len(charts.demand(projection(), title=title).to_dict()["title"]["text"]) >= 2


def test_a_specification_holds_no_numbers_and_is_left_as_it_was_when_filled():
    panel = charts.panel(["pain", "function"])
    before = panel.to_dict()
    filled = charts.with_data(panel, weekly()).to_dict()
    assert "datasets" not in before
    assert panel.to_dict() == before
    assert {row["outcome"] for row in filled["datasets"]["weekly"]} == {"pain", "function"}


def test_only_needed_rows_and_columns_go_into_a_chart():
    drawn = charts.rows(charts.dashboard(), weekly())
    assert drawn.height == 3 * 105
    assert "unit" not in drawn.columns


def test_a_projection_without_bands_draws_lines_only():
    chart = charts.outcomes(projection(bands=False))
    assert "Shaded" not in picture(chart)
    assert "NaN" not in picture(chart)
    assert picture(chart).count('class="mark-line') == 6


def test_bands_are_explained_by_their_level():
    assert "Shaded: 95% of the parameter draws" in picture(charts.demand(projection()))


def test_the_scale_of_demand_starts_at_zero_and_stays_when_the_plan_changes_a_little():
    tops = [axis_tops(charts.outcomes(projection(effect=effect))) for effect in (-0.15, -0.1, -0.02, 0.0, 0.05)]
    assert tops[0] == [30_000, 10, 100]
    assert all(each == tops[0] for each in tops)


def test_differences_show_zero_and_the_last_difference_in_figures():
    chart = charts.differences(projection())
    assert picture(chart).count('stroke="#222222" stroke-width="1.5"') == 3
    assert ">\u22122,299<" in picture(chart)  # a tenth of 23,000 less what the course still lacks after 104 weeks


def test_a_label_stays_below_the_top_of_its_scale_so_that_headings_stand_on_one_line():
    full = weekly().with_columns(pl.when(pl.col("outcome") == "function").then(100.0).otherwise(pl.col("scenario")).alias("scenario"))
    full = full.with_columns(pl.when(pl.col("outcome") == "function").then(100.0).otherwise(pl.col("baseline")).alias("baseline"))
    graph = vl_convert.vegalite_to_scenegraph(charts.with_data(charts.panel(("function",)), full).to_dict(), allowed_base_urls=[])
    heights = []

    def visit(node):
        if node.get("marktype") == "text" and node.get("role") == "mark":
            heights.extend(item["y"] for item in node["items"] if item["text"] in charts.LABELS)
        for child in node.get("items", []):
            visit(child)

    visit(graph["scenegraph"])
    assert len(heights) == 2
    assert min(heights) >= -1e-9


def test_a_difference_of_nothing_has_no_sign():
    drawn = picture(charts.differences(projection(effect=0.0)))
    assert ">0<" in drawn
    assert ">+0<" not in drawn and ">\u22120<" not in drawn


def test_the_cycle_shows_pain_activity_and_strength_of_the_mean_patient():
    course = weekly(52).pivot("outcome", index="week", values="scenario")
    alone, both = picture(charts.cycle(course)), picture(charts.cycle(course, course.with_columns(pain=pl.col("pain") + 1)))
    for name in ("pain", "activity", "strength"):
        assert BY_NAME[name].label in alone
    assert "usual care" not in alone
    assert both.count(">usual care<") == 3


def test_the_cycle_asks_for_its_columns():
    with pytest.raises(InputError, match="missing column strength"):
        charts.cycle(pl.DataFrame({"week": [0], "pain": [5.0], "activity": [50.0]}))


def test_an_unknown_outcome_is_answered_with_the_nearest_one():
    with pytest.raises(InputError, match='did you mean "function"'):
        charts.panel(["functions"])


@pytest.mark.parametrize("weeks", [0, -1])
def test_a_horizon_of_no_weeks_cannot_be_drawn(weeks):
    with pytest.raises(InputError, match="horizon"):
        charts.dashboard(weeks=weeks)


@pytest.mark.parametrize(("weeks", "word"), [(3, "2 wk"), (12, "12 wk"), (52, "9 mo"), (104, "18 mo"), (520, "10 yr")])
def test_time_is_told_in_words_that_fit_the_horizon(weeks, word):
    assert f">{word}<" in picture(charts.outcomes(projection(weeks=weeks)))


def test_every_style_has_a_color_on_light_and_dark_pages_and_type_is_at_least_14_pixels():
    for dark in (False, True):
        for large in (False, True):
            theme = charts.theme(dark, large)
            assert set(theme["style"]) == set(STYLES)
            assert min(value for key, value in [*theme["axis"].items(), *theme["title"].items()] if key.lower().endswith("fontsize")) >= 14
    assert charts.theme(dark=True)["style"]["scenario-line"] != charts.theme()["style"]["scenario-line"]


def test_pictures_are_written_without_a_network(tmp_path):
    chart = charts.demand(projection(weeks=12))
    svg, png = (charts.save(chart, tmp_path / name).read_bytes() for name in ("demand.svg", "demand.png"))
    assert svg.startswith(b"<svg") and b"Opioid demand" in svg
    assert b"@import" not in svg and b"@font-face" not in svg
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) > 2_000


def test_another_kind_of_file_or_a_missing_folder_is_refused(tmp_path):
    chart = charts.outcomes(projection(weeks=4))
    with pytest.raises(InputError, match=r"\.gif"):
        charts.save(chart, tmp_path / "demand.gif")
    with pytest.raises(InputError, match="cannot be written"):
        charts.save(chart, tmp_path / "missing" / "demand.svg")


def test_specifications_are_plain_json_without_addresses():
    text = json.dumps({key: value for key, value in charts.demand(projection()).to_dict().items() if key != "$schema"})
    assert "http" not in text
