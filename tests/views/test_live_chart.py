"""What a live chart sends to the browser; that it is drawn there is tested in tests/browser."""

import altair as alt
import numpy as np
import polars as pl
import pytest

from painlab.errors import InputError
from painlab.views import charts, live_chart
from painlab.views.live_chart import LiveChart

LINE = alt.Chart(alt.NamedData("trajectory")).mark_line().encode(x="week:Q", y="pain:Q")
COURSE = pl.DataFrame({"week": [0, 1, 2], "pain": [5.0, None, 4.0], "phase": ["a", "b", "c"]})


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache folder, and a bundle that is quick to make and counts how often it is made."""
    made = []
    monkeypatch.setattr(live_chart.platformdirs, "user_cache_path", lambda _: tmp_path / "painlab")
    monkeypatch.setattr(live_chart.vl_convert, "javascript_bundle", lambda snippet: made.append(snippet) or "export {};")
    live_chart._javascript.cache_clear()
    yield tmp_path / "painlab", made
    live_chart._javascript.cache_clear()


def test_numbers_travel_as_floats_with_nan_for_missing_and_words_as_lists():
    sent = LiveChart(LINE, {"trajectory": COURSE}).data["trajectory"]
    assert np.array_equal(np.frombuffer(sent["pain"], "<f8"), [5.0, np.nan, 4.0], equal_nan=True)
    assert sent["phase"] == ["a", "b", "c"]


def test_columns_in_a_dict_and_data_inside_the_chart_are_taken_too():
    from_dict = LiveChart(LINE, {"trajectory": {"week": [0, 1], "pain": [5.0, 4.0]}})
    inside = LiveChart(LINE.properties(datasets={"trajectory": [{"week": 0, "pain": 5.0}, {"week": 1, "pain": 4.0}]}))
    assert from_dict.data == inside.data
    assert "datasets" not in inside.spec


def test_an_update_keeps_the_specification_and_the_other_datasets():
    chart = LiveChart(LINE, {"trajectory": COURSE, "other": COURSE})
    spec, other = chart.spec, chart.data["other"]
    chart.update({"trajectory": COURSE.with_columns(pain=pl.lit(3.0))}, headline="Lower", summary="Pain is 3.")
    assert chart.spec is spec
    assert chart.data["other"] == other
    assert np.frombuffer(chart.data["trajectory"]["pain"], "<f8").tolist() == [3.0, 3.0, 3.0]
    assert (chart.headline, chart.summary) == ("Lower", "Pain is 3.")


def test_a_chart_of_painlab_has_colors_for_light_and_dark_pages_and_another_keeps_its_own():
    ours, other = LiveChart(charts.dashboard(large=True)), LiveChart(LINE.configure_axis(labelFontSize=30))
    assert (ours.light_config, ours.dark_config) == (charts.theme(False, True), charts.theme(True, True))
    assert other.light_config == other.dark_config
    assert other.light_config["axis"]["labelFontSize"] == 30


def test_only_rows_that_are_drawn_are_sent():
    frame = pl.DataFrame({"week": [0, 0], "outcome": ["pain", "cost"], "baseline": [5.0, 90.0], "scenario": [5.0, 80.0]})
    assert LiveChart(charts.panel(["pain"]), frame).data["weekly"]["outcome"] == ["pain"]


def test_all_charts_share_one_library():
    assert LiveChart(LINE).library is LiveChart(LINE).library


def test_a_chart_that_is_none_is_refused():
    with pytest.raises(InputError, match="cannot show a str"):
        LiveChart("chart")
    with pytest.raises(InputError, match="not tables"):
        LiveChart(LINE, {"trajectory": 3})


def test_the_script_is_made_once_and_then_read_from_the_cache_folder(cache):
    folder, made = cache
    assert live_chart.javascript() == live_chart.javascript() == "export {};"
    live_chart._javascript.cache_clear()
    live_chart.javascript()
    assert len(made) == 1
    assert [file.suffix for file in folder.iterdir()] == [".js"]


def test_a_cached_script_that_others_could_have_written_is_not_trusted(cache):
    folder, made = cache
    live_chart.javascript()
    (kept,) = folder.iterdir()
    kept.write_text("alert('not ours')")
    kept.chmod(0o666)
    live_chart._javascript.cache_clear()
    assert live_chart.javascript() == "export {};"
    assert len(made) == 2


def test_without_a_writable_folder_the_script_is_kept_in_memory(cache):
    folder, made = cache
    folder.write_text("a file where the folder should be")
    assert live_chart.javascript() == live_chart.javascript() == "export {};"
    assert len(made) == 1
