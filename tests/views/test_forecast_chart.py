"""The chart of forecasts shows what happened, what was forecast and how sure, and every method's error, without a network."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import vl_convert

from painlab.errors import InputError
from painlab.forecasting import METHODS, accuracy, one_step
from painlab.views.appearance import theme
from painlab.views.forecast import held_out


def course(level, seed):
    k = np.arange(30)
    return level * np.exp(0.03 * np.sin(k / 2) + np.random.default_rng(seed).normal(0, 0.02, 30))


@pytest.fixture(scope="module")
def history():
    rows = [
        (date(2016 + k // 12, k % 12 + 1, 1), code, value * 30, value, 1000.0)
        for seed, (code, level) in enumerate([("LOW", 300), ("MID", 900), ("HIGH", 1500)])
        for k, value in enumerate(course(level, seed).tolist())
    ]
    return pl.DataFrame(rows, ["month", "code", "demand", "mme_per_1000", "list_size"], orient="row")


@pytest.fixture(scope="module")
def forecasts(history):
    return pl.concat([one_step(history, "2018-01", method) for method in METHODS if method != "ets"])


@pytest.fixture(scope="module")
def scores(forecasts):
    return accuracy(forecasts)


def picture(chart):
    return vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])


def drawn_groups(chart):
    """Of each group's chart the title, the rows of its forecasts and the rows of what was observed."""
    spec = chart.to_dict()
    courses, _ = spec["concat"]
    rows = [[spec["datasets"][layer["data"]["name"]] for layer in part["layer"]] for part in courses["hconcat"]]
    return [(part["title"]["text"], layers[0], layers[1]) for part, layers in zip(courses["hconcat"], rows, strict=True)]


def test_each_group_shows_what_happened_and_what_was_forecast(forecasts, scores):
    chart = held_out(forecasts, scores, codes=["MID"], method="constant")
    ((_, expected, observed),) = drawn_groups(chart)
    rows = forecasts.filter((pl.col("code") == "MID") & (pl.col("method") == "constant"))
    assert [row["value"] for row in observed] == rows["observed"].to_list()
    assert [(row["predicted"], row["low"], row["high"]) for row in expected] == rows.select("predicted", "low", "high").rows()


def test_the_lowest_the_middle_and_the_highest_group_are_drawn_unless_others_are_named(forecasts, scores):
    assert [title for title, *_ in drawn_groups(held_out(forecasts, scores, method="last"))] == ["LOW", "MID", "HIGH"]
    named = held_out(forecasts, scores, method="last", codes=["HIGH"], names={"HIGH": "NHS Somewhere CCG"})
    assert [title for title, *_ in drawn_groups(named)] == ["NHS Somewhere CCG"]


def test_two_earlier_years_lead_up_to_the_forecasts(history, forecasts, scores):
    ((_, _, observed),) = drawn_groups(held_out(forecasts, scores, history=history, codes=["LOW"], method="last"))
    assert len(observed) == 30
    assert observed[0]["month"].startswith("2016-01")
    assert [row["value"] for row in observed] == history.filter(pl.col("code") == "LOW")["mme_per_1000"].to_list()


def test_every_method_is_named_with_its_error_and_its_coverage(forecasts, scores):
    drawn = picture(held_out(forecasts, scores, method="last"))
    for row in scores.filter(pl.col("groups") == "all").iter_rows(named=True):
        assert METHODS[row["method"]] in drawn
        assert f"{row['median_ape']:.1f} % off at the median, {row['coverage']:.1f} % inside" in drawn


def test_the_chart_says_the_unit_and_that_its_axes_do_not_start_at_zero(forecasts, scores):
    drawn = picture(held_out(forecasts, scores, method="seasonal_trend", title="Demand fell"))
    for words in ("MME/day per 1,000 people", "do not start at zero", METHODS["seasonal_trend"], "95 % interval", "Demand fell"):
        assert words in drawn


@pytest.mark.parametrize("dark", [False, True])
def test_forecast_and_observed_differ_in_color_as_scenario_and_baseline_do(forecasts, scores, dark):
    drawn = picture(held_out(forecasts, scores, method="last", dark=dark, large=dark))
    for arm in ("baseline", "scenario"):
        assert theme(dark)["style"][f"{arm}-line"]["color"].lower() in drawn.lower()


def test_nothing_is_fetched_from_a_network(forecasts, scores):
    chart = held_out(forecasts, scores, method="last")
    assert '"url"' not in str(chart.to_dict()).replace("'", '"')


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"method": "ets"}, 'no forecasts by method "ets"'),
        ({"method": "constnt"}, 'did you mean "constant"'),
        ({"method": "last", "codes": ["NONE"]}, 'group "NONE" has no forecast'),
    ],
)
def test_what_was_not_forecast_cannot_be_drawn(forecasts, scores, choices, message):
    with pytest.raises(InputError, match=message):
        held_out(forecasts, scores, **choices)


def test_a_missing_column_is_named(forecasts, scores):
    with pytest.raises(InputError, match="forecasts: missing column low"):
        held_out(forecasts.drop("low"), scores)
    with pytest.raises(InputError, match="accuracy: missing column mase"):
        held_out(forecasts, scores.drop("mase"))
