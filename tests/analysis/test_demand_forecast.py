"""Forecasts of demand: what goes on is carried on, the rolling test looks at nothing later, and a forecast that is no better says so."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from painlab import InputError
from painlab.analysis import Refused, forecast_demand
from painlab.analysis.demand_forecast import _forecast, _origins, _tested
from painlab.analysis.periods import periods_of


def months(count: int) -> list[date]:
    return [date(2014 + n // 12, n % 12 + 1, 1) for n in range(count)]


def weeks(count: int) -> list[date]:
    return [date(2023, 1, 2) + timedelta(weeks=n) for n in range(count)]


def made(count: int = 72, trend: float = -1.0, season: float = 12.0, spread: float = 3.0, seed: int = 1) -> pl.DataFrame:
    chance = np.random.Generator(np.random.Philox(key=seed))
    t = np.arange(count)
    y = 400.0 + trend * t + season * np.sin(2 * np.pi * t / 12) + spread * chance.normal(size=count)
    return pl.DataFrame({"month": months(count), "mme_per_1000": y})


@pytest.mark.parametrize("method", ["structural", "ets"])
def test_a_trend_and_a_season_are_carried_on_and_beat_the_naive_rules(method):
    found = forecast_demand(made(), time="month", horizon=6, method=method, origins=3)
    t = np.arange(72, 78)
    expected = 400.0 - t + 12.0 * np.sin(2 * np.pi * t / 12)
    ahead = found.predicted.filter(pl.col("series") == "forecast")
    assert np.abs(ahead["predicted"].to_numpy() - expected).max() < 10.0
    scores = found.further["scores"]
    assert scores["method"][0] == method
    assert "less than" in found.sentence
    wide, narrow = (found.predicted.filter(pl.col("series") == name) for name in ("forecast", "forecast, 80 %"))
    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).all()


def test_on_a_random_walk_the_sentence_says_that_it_did_not_beat_the_last_figure():
    said = []
    for seed in range(3):
        walk = 300.0 + np.cumsum(np.random.Generator(np.random.Philox(key=seed)).normal(size=50))
        frame = pl.DataFrame({"week": weeks(50), "mme_per_1000": walk})
        said.append(forecast_demand(frame, horizon=3, origins=3, method="ets").sentence)
    assert any("did not beat the last figure again" in one for one in said)


def test_a_test_from_an_earlier_date_knows_nothing_of_what_came_later():
    frame = made()
    periods = periods_of(frame["month"], "test")
    y = frame["mme_per_1000"].to_numpy().copy()
    before = _tested(y, periods, [40], 6, "ets", True).drop("observed")
    y[60:] = 5000.0
    assert _tested(y, periods, [40], 6, "ets", True).drop("observed").equals(before)


def test_the_naive_rules_and_their_spreads_are_those_of_the_textbook():
    y = np.array([*range(30)], dtype=float) % 12 + np.arange(30) * 0.5
    periods = periods_of(pl.Series(months(30)), "test")
    last = _forecast(y, 3, "naive", periods, False)
    error = np.sqrt(np.mean(np.diff(y) ** 2))
    assert last.center.tolist() == [y[-1]] * 3
    assert last.error == pytest.approx(error * np.sqrt([1, 2, 3]))
    season = _forecast(y, 14, "seasonal_naive", periods, False)
    assert season.center.tolist() == [*y[18:30], *y[18:20]]
    assert season.error == pytest.approx([6.0] * 12 + [6.0 * np.sqrt(2)] * 2)  # 0.5 a month for 12 months


def test_mase_is_the_mean_error_over_the_naive_rule_s_in_earlier_months():
    found = forecast_demand(made(), time="month", horizon=4, origins=5, method="naive")
    tested = found.further["backtest"].filter(pl.col("method") == "naive")
    by_hand = ((tested["observed"] - tested["predicted"]).abs() / tested["scale"]).mean()
    scores = found.further["scores"].filter(pl.col("method") == "naive")
    assert scores["mase"][0] == pytest.approx(by_hand)
    assert scores["periods"][0] == 20
    inside = tested["observed"].is_between(tested["low_80"], tested["high_80"]).mean()
    assert scores["coverage_80"][0] == pytest.approx(100 * inside)


def test_intervals_that_were_too_narrow_in_the_test_are_said_to_be():
    y = np.concatenate([np.full(40, 200.0), np.full(20, 200.0)]) + np.arange(60) % 3
    y[44:] += np.arange(16) * 25.0  # demand turns at once, as no model of the past can know
    found = forecast_demand(pl.DataFrame({"week": weeks(60), "mme_per_1000": y}), horizon=6, origins=5, method="ets")
    assert "too narrow" in found.sentence


def test_zero_demand_is_allowed_and_no_forecast_is_below_it():
    y = [0.0 if n % 5 == 0 else 3.0 + n % 4 for n in range(48)]
    found = forecast_demand(pl.DataFrame({"month": months(48), "mme_per_1000": y}), time="month", horizon=6, origins=4)
    ahead = found.predicted.filter(pl.col("series") != "observed")
    assert ahead["low"].min() == 0.0


def test_tested_dates_are_late_and_leave_a_whole_horizon():
    assert _origins(49, 6, 12, "month")[-1] == 43
    assert len(_origins(49, 6, 12, "month")) == 12
    assert _origins(31, 6, 12, "month") == [24, 25]


@pytest.mark.parametrize(
    ("frame", "options", "words"),
    [
        (made(30), {"horizon": 6}, "30 months, too few.*31 or more"),
        (made().with_columns(mme_per_1000=pl.lit(2.0)), {}, "is 2 in every period"),
        (made().with_columns(pl.col("mme_per_1000") - 500.0), {}, "below zero"),
        (made().filter(pl.col("month") != date(2016, 2, 1)), {}, "no row between 2016-01 and 2016-03"),
        (made().with_columns(mme_per_1000=pl.int_range(72) // 60 * 1.0), {}, "never changed in the 43 months"),
        (made(), {"horizon": 0}, "horizon is 0"),
        (made(), {"method": "arima"}, "one of structural, ets, naive, seasonal_naive"),
        (made().rename({"mme_per_1000": "mme"}), {}, 'no column "mme_per_1000"'),
    ],
)
def test_what_cannot_be_forecast_is_refused_with_the_reason(frame, options, words):
    with pytest.raises(InputError, match=words):
        forecast_demand(frame, time="month", **options)


def test_a_refusal_is_an_input_error_that_says_what_to_do():
    with pytest.raises(Refused) as caught:
        forecast_demand(made(20), time="month")
    assert caught.value.mend


def test_weeks_are_forecast_week_by_week():
    y = 100.0 + np.random.Generator(np.random.Philox(key=5)).normal(size=60)
    found = forecast_demand(pl.DataFrame({"week": weeks(60), "mme_per_1000": y}), horizon=4, origins=3)
    assert [one.term for one in found.terms] == ["2024-02-26", "2024-03-11", "2024-03-18"]
    assert next(one for one in found.checks if one.check == "season").value is None
    assert found.sentence.startswith("In the week of 2024-03-18 demand is forecast")
    assert found.title == "Opioid demand: the next 4 weeks" and found.y_title == "MME/day per 1,000 patients"
