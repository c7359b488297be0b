"""Forecasts use earlier months only; rules, intervals and scores by hand; what a file must be; and the real prescribing of 2018."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from painlab.errors import InputError
from painlab.forecasting import METHODS, accuracy, left_out, one_step, predictive_validity, read_monthly, working_days

REAL = Path(__file__).parents[2] / "shared" / "data" / "nhs_ccg_opioids"
HEADER = "month,code,numerator,denominator\n"


def months(n, start=(2016, 1)):
    year, month = start
    return [date(year + (month - 1 + k) // 12, (month - 1 + k) % 12 + 1, 1) for k in range(n)]


def monthly(start=(2016, 1), **groups):
    """A frame as `read_monthly` returns it, from demand in MME/day per 1,000 people by group."""
    rows = [
        (month, code, float(value) * 30, float(value), 1000.0)
        for code, course in groups.items()
        for month, value in zip(months(len(course), start), course, strict=True)
    ]
    return pl.DataFrame(rows, ["month", "code", "demand", "mme_per_1000", "list_size"], orient="row")


def noisy(n=42, level=1000.0, seed=1):
    """A plausible course: a slow fall, a season and noise."""
    noise = np.random.default_rng(seed).normal(0, 0.02, n)
    k = np.arange(n)
    return level * np.exp(-0.002 * k + 0.03 * np.sin(2 * np.pi * k / 12) + noise)


def file(tmp_path, text, name="ccg_opioidome.csv"):
    path = tmp_path / name
    path.write_text(HEADER + text)
    return path


def test_demand_is_milligrams_for_a_thousand_patients_and_for_each_day_of_the_month(tmp_path):
    frame = read_monthly(file(tmp_path, "2018-02-01,07P,2800000,200\n2018-01-01,07P,3100000,100\n"))
    assert frame.rows() == [(date(2018, 1, 1), "07P", 31_000, 1000, 100_000), (date(2018, 2, 1), "07P", 14_000, 500, 200_000)]


def test_the_last_month_is_forecast_to_come_again_give_or_take_its_usual_change():
    forecast = one_step(monthly(A=[100, 110] * 12 + [104]), "2018-01", "last").row(0, named=True)
    assert (forecast["code"], forecast["month"], forecast["observed"], forecast["predicted"]) == ("A", date(2018, 1, 1), 104, 110)
    # 23 changes of 10: root mean square 10, and t with 23 degrees of freedom is 2.0687.
    assert forecast["low"] == pytest.approx(110 - 20.687, abs=1e-3)
    assert forecast["high"] == pytest.approx(110 + 20.687, abs=1e-3)


def test_the_same_month_of_last_year_is_forecast_to_come_again():
    year = [100, 90, 110, 105, 95, 120, 80, 100, 115, 100, 90, 130]
    forecast = one_step(monthly(A=[*year, *(value + 6 for value in year), 100, 100]), "2018-01", "seasonal_naive")
    assert forecast["predicted"].to_list() == [106, 96]
    # 12 errors of 6; t with 12 degrees of freedom is 2.1788.
    assert forecast["high"][0] == pytest.approx(106 + 6 * 2.1788, abs=1e-3)


def test_constant_demand_is_the_mean_of_the_last_twelve_months():
    course = [50] * 12 + [100] * 6 + [110] * 6 + [129, 90]
    forecast = one_step(monthly(A=course), "2018-01", "constant")
    assert forecast["predicted"].to_list() == pytest.approx([105, (5 * 100 + 6 * 110 + 129) / 12])
    # The twelve errors before 2018: 50 to begin with, then less by 1/12 of what came in.
    errors = [value - np.mean(course[12 + k - 12 : 12 + k]) for k, value in enumerate(course[12:24])]
    assert forecast["high"][0] - 105 == pytest.approx(2.17881 * np.sqrt(np.mean(np.square(errors))), rel=1e-4)


def test_an_interval_never_goes_below_no_demand_at_all():
    assert one_step(monthly(A=[1, 99] * 12 + [1]), "2018-01", "last")["low"][0] >= 0


def test_the_scale_is_the_mean_change_from_the_year_before_over_earlier_months():
    course = [100.0] * 12 + [104.0] * 6 + [98.0] * 6 + [108.0, 500.0]
    scale = one_step(monthly(A=course), "2018-01", "last")["scale"]
    assert scale.to_list() == pytest.approx([(6 * 4 + 6 * 2) / 12, (6 * 4 + 6 * 2 + 4) / 13])


@pytest.mark.parametrize("method", METHODS)
def test_a_forecast_never_uses_a_month_that_is_not_earlier(method):
    course = noisy()
    frame = monthly(A=course, B=noisy(level=400, seed=2))
    changed = course.copy()
    changed[30:] *= np.linspace(0.4, 3, len(course) - 30)
    other = monthly(A=changed, B=noisy(level=400, seed=2))
    seen = pl.col("month") <= months(31)[-1]  # the first changed month is itself forecast without being seen
    forecasts = ("predicted", "low", "high", "scale")
    before, after = (one_step(each, "2018-01", method).filter(seen).select(forecasts) for each in (frame, other))
    assert before.height == 14
    assert before.equals(after)


@pytest.mark.parametrize("method", METHODS)
def test_forecasts_do_not_depend_on_where_the_data_end(method):
    whole = one_step(monthly(A=noisy(42)), "2018-01", method)
    shorter = one_step(monthly(A=noisy(42)[:30]), "2018-01", method)
    assert whole.head(6).equals(shorter)


@pytest.mark.parametrize("method", METHODS)
def test_twice_the_demand_has_twice_the_forecast(method):
    once, twice = (one_step(monthly(A=noisy() * factor), "2018-01", method) for factor in (1, 2))
    for column in ("predicted", "low", "high"):
        assert twice[column].to_numpy() == pytest.approx(2 * once[column].to_numpy(), rel=2e-3)


def test_a_steady_fall_with_a_season_is_forecast_exactly_by_trend_and_season():
    season = [0, 0.1, -0.05, 0.02, 0.07, -0.1, 0, 0.03, 0.01, -0.02, 0.05, 0.04]
    course = np.exp([7 - 0.01 * k + season[k % 12] for k in range(40)])
    forecast = one_step(monthly(A=course), "2018-01", "seasonal_trend")
    assert forecast["predicted"].to_numpy() == pytest.approx(course[24:], rel=1e-9)


@pytest.mark.parametrize("method", ["seasonal_trend", "ets"])
def test_fewer_working_days_are_known_before_the_month_comes(method):
    when = months(48, (2015, 1))
    share = np.array([working_days(month) / ((b - month).days) for month, b in pairwise(months(49, (2015, 1)))])
    course = 1000 * np.sqrt(share) * np.exp(np.random.default_rng(3).normal(0, 0.001, 48))
    forecast = one_step(monthly((2015, 1), A=course), "2018-01", method)
    assert forecast["month"].to_list() == when[36:]
    assert forecast["predicted"].to_numpy() == pytest.approx(course[36:], rel=0.01)


def test_exponential_smoothing_keeps_within_its_interval_about_as_often_as_it_says():
    groups = {f"G{k}": noisy(48, seed=k) for k in range(40)}
    score = accuracy(one_step(monthly((2015, 1), **groups), "2018-01", "ets")).row(0, named=True)
    assert 90 < score["coverage"] < 99


def scored(rows):
    columns = ["code", "month", "observed", "predicted", "low", "high", "method", "scale"]
    return pl.DataFrame([(code, date(2018, 1, 1), *numbers, "last", scale) for code, *numbers, scale in rows], columns, orient="row")


def test_errors_are_scaled_by_the_earlier_change_from_year_to_year():
    frame = scored([("A", 100.0, 102.0, 99.0, 105.0, 4.0), ("B", 50.0, 46.0, 40.0, 49.0, 4.0), ("C", 200.0, 200.0, 190.0, 210.0, 5.0)])
    score = accuracy(frame).row(0, named=True)
    assert score["groups"] == "all"
    assert score["n"] == 3
    assert score["mase"] == pytest.approx((2 / 4 + 4 / 4 + 0) / 3)
    assert score["median_ape"] == pytest.approx(2)  # of 2, 8 and 0 %
    assert score["coverage"] == pytest.approx(100 * 2 / 3)  # 50 is above 49
    assert score["bias"] == pytest.approx(100 * (348 / 350 - 1))
    assert (score["mase_10"], score["mase_50"], score["mase_90"]) == pytest.approx((0.1, 0.5, 0.9))


def test_quarters_of_the_groups_go_by_observed_demand_and_cover_all_groups():
    rows = [
        (code, demand, demand + miss, 0.0, 1e6, 1.0)
        for code, demand, miss in (("A", 400.0, 4), ("B", 100.0, 1), ("C", 300.0, 3), ("D", 200.0, 2))
    ]
    table = accuracy(scored(rows))
    assert table["groups"].to_list() == ["all", "lowest quarter", "second quarter", "third quarter", "highest quarter"]
    assert table["mase"].to_list() == pytest.approx([2.5, 1, 2, 3, 4])
    assert table["n"].to_list() == [4, 1, 1, 1, 1]


def test_methods_are_scored_side_by_side_in_their_order():
    frame = monthly(A=noisy(), B=noisy(seed=5))
    table = accuracy(pl.concat([one_step(frame, "2018-01", method) for method in reversed(METHODS)]))
    assert table["method"].to_list() == list(METHODS)
    assert (table["n"] == 36).all()


def test_groups_that_cannot_be_forecast_are_named_with_the_reason():
    frame = pl.concat([monthly(A=noisy(30), Z=[0.0] + [5.0] * 29), monthly((2017, 1), LATE=noisy(18)), monthly(GONE=noisy(24))])
    hub = monthly(HUB=noisy(30)).with_columns(demand=pl.lit(None, pl.Float64), mme_per_1000=pl.lit(None, pl.Float64))
    torn = monthly(TORN=noisy(30)).filter(pl.col("month") != date(2016, 5, 1))
    frame = pl.concat([frame, hub, torn])
    assert dict(left_out(frame).iter_rows()) == {
        "GONE": "ends in 2017-12",
        "HUB": "no list size in 30 of 30 months, so no demand for each patient",
        "LATE": "12 months before 2018-01, 24 are needed",
        "TORN": "months are missing or come twice",
        "Z": "no opioids at all in 1 of 30 months",
    }
    assert one_step(frame, method="last")["code"].unique().to_list() == ["A"]


@pytest.mark.parametrize("size", ["", "0", "0.0"])
def test_a_hub_without_a_list_size_is_kept_without_demand_and_left_out(tmp_path, size):
    rows = "".join(f"{month},{code},{number},{s}\n" for month in months(26) for code, number, s in (("A", 5000, 1), ("14K", 70, size)))
    frame = read_monthly(file(tmp_path, rows))
    hub = frame.filter(pl.col("code") == "14K")
    assert hub.height == 26
    assert hub["demand"].null_count() == hub["mme_per_1000"].null_count() == hub["list_size"].null_count() == 26
    assert left_out(frame)["code"].to_list() == ["14K"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("2018-01-01,07P,many,200\n", r'row 2: numerator is "many"'),
        ("2018-01-01,07P,,200\n", r'row 2: numerator is ""'),
        ("2018-01-01,07P,1,-200\n", r"row 2: denominator is -200"),
        ("2018-01-01,07P,-1,200\n", r"row 2: numerator is -1"),
        ("2018-01-01,07P,1,inf\n", r'row 2: denominator is "inf"'),
        ("2018-01-01,,1,200\n", r"row 2: code is empty"),
        ("2018-01-01,07P,1,2\n2018-13-01,07P,1,2\n", r'row 3: month is "2018-13-01"'),
        ("2018-01-15,07P,1,2\n", r'row 2: month is "2018-01-15".*first day of a month'),
        ("20180101,07P,1,2\n", r'row 2: month is "20180101"'),
        ("2018-01-01,07P,1,2\n2018-01-01,07Q,1,2\n2018-01-01,07P,1,2\n", r'row 4: group "07P" has 2018-01-01 twice, first in row 2'),
        ("2018-03-01,07P,1,2\n2018-01-01,07P,1,2\n", r'row 2: group "07P" has no row for 2018-02-01'),
        ("", "no rows"),
    ],
)
def test_a_bad_cell_a_repeated_and_a_missing_month_are_named_by_file_and_row(tmp_path, rows, message):
    with pytest.raises(InputError, match=f"ccg_opioidome.csv.*{message}|ccg_opioidome.csv: there are {message}"):
        read_monthly(file(tmp_path, rows))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"method": "ats"}, 'unknown method "ats" .did you mean'),
        ({"first_month": "2018"}, 'first_month is "2018"'),
        ({"first_month": "2018-14"}, 'first_month is "2018-14"'),
        ({"first_month": "2030-01"}, "no group can be forecast .first: A ends in 2019-06"),
        ({"first_month": "2017-01"}, "no group can be forecast .first: A 12 months before 2017-01, 24 are needed"),
    ],
)
def test_a_forecast_that_cannot_be_made_says_why(choices, message):
    with pytest.raises(InputError, match=message):
        one_step(monthly(A=noisy()), **choices)


def test_another_frame_is_refused():
    with pytest.raises(InputError, match="missing column mme_per_1000"):
        one_step(monthly(A=noisy()).drop("mme_per_1000"))


def test_no_forecasts_and_flat_demand_have_no_score():
    with pytest.raises(InputError, match="no forecasts"):
        accuracy(scored([("A", 1.0, 1.0, 1.0, 1.0, 1.0)]).clear())
    with pytest.raises(InputError, match='group "A" never differed'):
        accuracy(one_step(monthly(A=[100] * 30), method="last"))


def test_the_result_says_what_it_tests_and_what_not(tmp_path):
    courses = {"07P": noisy(30), "07Q": noisy(30, seed=2), "14K": noisy(30)}
    sizes = {"07P": "1", "07Q": "1", "14K": ""}
    rows = [f"{months(30)[k]},{code},{courses[code][k] * 30},{sizes[code]}\n" for code in courses for k in range(30)]
    file(tmp_path, "".join(rows))
    result = predictive_validity(tmp_path)
    assert result.groups == 2
    assert result.months == (date(2018, 1, 1), date(2018, 6, 1))
    assert result.left_out["code"].to_list() == ["14K"]
    assert set(result.forecasts["method"]) == set(METHODS)
    assert str(result).startswith("2 commissioning groups (1 left out), 2018-01 to 2018-06")
    assert "not the causal model" in str(result)
    assert "claims for unchanged care" in str(result)


def test_a_folder_without_the_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"ccg_opioidome.csv: no such file"):
        predictive_validity(tmp_path)


@pytest.mark.parametrize(
    ("month", "days"),
    [
        (date(2018, 1, 1), 22),
        (date(2018, 3, 1), 21),  # Good Friday on the 30th
        (date(2018, 4, 1), 20),  # Easter Monday on the 2nd
        (date(2018, 5, 1), 21),
        (date(2018, 12, 1), 19),
        (date(2015, 12, 1), 21),  # Boxing Day on a Saturday, its holiday on Monday the 28th
        (date(2016, 12, 1), 20),  # Christmas on a Sunday: Monday the 26th and Tuesday the 27th
        (date(2017, 1, 1), 21),  # New Year on a Sunday
    ],
)
def test_working_days_leave_out_weekends_and_bank_holidays(month, days):
    assert working_days(month) == days


@pytest.fixture(scope="module")
def real():
    if not (REAL / "ccg_opioidome.csv").is_file():
        pytest.skip("the English prescribing data are not in the repository (licence): no ../shared/data/nhs_ccg_opioids here")
    return predictive_validity(REAL)


def test_2018_is_forecast_for_every_group_and_month_of_the_real_file(real):
    assert (real.groups, real.left_out.height) == (191, 0)
    assert real.months == (date(2018, 1, 1), date(2018, 12, 1))
    assert real.forecasts.height == 191 * 12 * len(METHODS)
    assert real.forecasts.null_count().sum_horizontal().item() == 0


def test_smoothing_and_constant_demand_forecast_2018_better_than_the_same_month_last_year(real):
    score = {row["method"]: row for row in real.accuracy.filter(pl.col("groups") == "all").iter_rows(named=True)}
    for method in ("ets", "constant", "last"):
        assert score[method]["mase"] < 1 < score["seasonal_naive"]["mase"]
    assert 85 < score["ets"]["coverage"] < 99
    assert 85 < score["constant"]["coverage"] < 99


def test_constant_demand_was_too_high_in_2018_because_prescribing_fell(real):
    bias = dict(real.accuracy.filter(pl.col("groups") == "all").select("method", "bias").iter_rows())
    assert bias["constant"] > 1
    assert bias["constant"] > bias["ets"] > 0
