"""Comparisons and grids as pictures: every scenario and figure is there, colors never alone, drawn without a network."""

import itertools
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import painlab
from painlab import InputError
from painlab.views import charts, comparison_chart, grid_chart


@pytest.fixture(scope="module")
def found():
    return painlab.compare(["early-pt", "opioids-alone", "injection-alone"], patients=40, draws=3, weeks=8)


@pytest.fixture(scope="module")
def grids(tmp_path_factory: pytest.TempPathFactory):
    def swept(levers: dict[str, Any], of: Any = "early-pt", draws: int = 3, **how: Any):
        made = painlab.grid(of, levers, **how)
        return painlab.sweep(made, tmp_path_factory.mktemp("grid"), patients=40, draws=draws, weeks=6)

    return swept


def datasets(spec: Any) -> list[list[dict[str, Any]]]:
    """Every list of rows in a specification."""
    if isinstance(spec, dict):
        own = [spec["values"]] if isinstance(spec.get("values"), list) and spec["values"] and isinstance(spec["values"][0], dict) else []
        return own + [one for value in spec.values() for one in datasets(value)]
    return [one for value in spec for one in datasets(value)] if isinstance(spec, list) else []


def test_lines_are_the_levels_and_intervals_the_differences(found) -> None:
    lines = comparison_chart.rows(found)
    assert lines["letter"].unique(maintain_order=True).to_list() == ["A", "B", "C"]
    pain = found.weekly.filter(name="opioids-alone", outcome="pain")["scenario"]
    assert lines.filter(letter="B", outcome="pain")["level"].to_list() == pain.to_list()
    shown = comparison_chart.intervals(found)
    assert shown.filter(outcome="pain")["letter"].to_list() == ["B", "C"]  # the first is what the others are held against
    row = found.averages.row(by_predicate=(pl.col("name") == "opioids-alone") & (pl.col("outcome") == "pain"), named=True)
    assert shown.filter(letter="B", outcome="pain")["difference"].item() == row["from_first"]
    other = shown.row(by_predicate=(pl.col("letter") == "C") & (pl.col("outcome") == "pain"), named=True)
    assert (other["paired"], other["against"]) == (False, "its own baseline")
    own = found.averages.row(by_predicate=(pl.col("name") == "injection-alone") & (pl.col("outcome") == "pain"), named=True)
    assert other["difference"] == own["difference"]


def test_where_none_is_paired_all_stand_against_their_own_baselines() -> None:
    made = painlab.compare(["early-pt", "injection-alone"], patients=20, draws=2, weeks=4)
    assert comparison_chart.intervals(made).filter(outcome="pain")["letter"].to_list() == ["A", "B"]
    assert set(comparison_chart.intervals(made)["paired"]) == {False}


def test_the_picture_names_all_and_is_drawn_without_a_network(found, tmp_path: Path) -> None:
    comparison_chart.write(found, tmp_path)
    text = (tmp_path / "comparison.svg").read_text(encoding="utf-8")
    for words in ("A: early-pt", "B: opioids-alone", "C: injection-alone", "Opioid demand", "Pain", "Function", "squares: own baseline"):
        assert words in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")
    spec = comparison_chart.chart(found).to_dict()
    assert found.headline in spec["description"] and "injection-alone" in spec["description"]


@pytest.mark.parametrize(("dark", "large", "draws", "count"), [(True, True, 2, 8), (False, False, 1, 2)])
def test_it_is_drawn_for_any_page_with_eight_and_without_bands(tmp_path: Path, dark: bool, large: bool, draws: int, count: int) -> None:
    made = painlab.compare(["early-pt"] * (count - 1) + ["late-pt"], patients=10, draws=draws, weeks=3)
    drawn = comparison_chart.chart(made, dark=dark, large=large, title="Ours")
    charts.save(drawn, tmp_path / "one.svg")
    assert "Ours" in (tmp_path / "one.svg").read_text(encoding="utf-8")


def test_letters_keep_a_line_apart_and_stay_inside_the_axis() -> None:
    frame = pl.DataFrame({"letter": list("ABCDE"), "week": [9] * 5, "level": [0.0, 0.1, 5.0, 9.9, 10.0]})
    placed = {row["letter"]: row["place"] for row in comparison_chart._apart(frame, 10.0, 0.08)}
    heights = sorted(placed.values())
    assert min(b - a for a, b in itertools.pairwise(heights)) >= 0.8 - 1e-9
    assert placed["C"] == 5.0 and heights[0] >= 0.0 and heights[-1] <= 10.0
    assert [placed[letter] for letter in "ABCDE"] == heights


def test_colors_and_dashes_tell_eight_apart() -> None:
    for colors in (comparison_chart.COLORS, comparison_chart.DARK):
        assert len(set(colors)) == 8
    assert len({(color, str(dash)) for color, dash in zip(comparison_chart.COLORS, comparison_chart.DASHES, strict=True)}) == 8


# Grids


def test_one_lever_is_a_line_with_its_band(grids) -> None:
    made = grids({"physical_therapy.start_week": [0, 2, 8]})
    spec = grid_chart.chart(made).to_dict()
    pain = made.summary.filter(outcome="pain").sort("physical_therapy.start_week")
    drawn = [rows for rows in datasets(spec) if rows and "value" in rows[0]]
    expected = [(row["physical_therapy.start_week"], row["difference"]) for row in pain.iter_rows(named=True)]
    assert expected in [[(row["value"], row["difference"]) for row in rows] for rows in drawn]
    assert "95 % of the parameter draws" in spec["description"]


def test_two_levers_are_cells_with_figures_and_parentheses_where_it_is_unclear(grids) -> None:
    made = grids({"physical_therapy.start_week": [0, 8], "prescribing.opioid_start": [0, 1, 2]})
    spec = grid_chart.chart(made, dark=True, large=True).to_dict()
    cells = [rows for rows in datasets(spec) if rows and "figure" in rows[0]]
    assert [len(rows) for rows in cells[:3]] == [6, 6, 6]
    demand = made.summary.filter(outcome="mme_per_1000")
    for row in demand.iter_rows(named=True):
        clear = not row["difference_low"] <= 0.0 <= row["difference_high"] and round(row["difference"]) != 0
        found = [
            one["figure"]
            for rows in cells
            for one in rows
            if (one["across"], one["down"]) == (row["physical_therapy.start_week"], row["prescribing.opioid_start"])
            and one["difference"] == row["difference"]
        ]
        assert found and all(figure.startswith("(") != clear for figure in found)


def test_the_pictures_of_a_grid_are_written_beside_it(grids) -> None:
    made = grids({"coordination": [0, 1]}, draws=1)
    assert grid_chart.write(made) == ("levers.svg", "levers.png")
    text = (made.folder / "levers.svg").read_text(encoding="utf-8")
    assert "coordination" in text and "http" not in text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("levers", "how", "said"),
    [
        ({"coordination": [0, 1], "population.age": [30, 40], "population.pain": [3, 4]}, {}, "the grid has 3 levers"),
        ({"coordination": "0:1", "population.pain": "3:7"}, {"design": "latin:4"}, "two levers were sampled"),
        ({"coordination": [0, 1]}, {"of": ["early-pt", "late-pt"]}, "starts from 2 scenarios"),
    ],
)
def test_what_makes_no_picture_is_refused_with_the_reason(grids, levers: dict[str, Any], how: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        grid_chart.chart(grids(levers, **how))


def test_a_headline_says_only_what_is_clear(grids) -> None:
    made = grids({"prescribing.opioid_start": [0, 2]})
    assert grid_chart.headline(made).startswith("As prescribing.opioid_start rises: more opioid demand")
    once = grids({"reassessment.interval_weeks": [50, 52]})  # beyond the horizon
    assert grid_chart.headline(once) == "No lever clearly moves demand, pain or function"
