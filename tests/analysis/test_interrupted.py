"""Interrupted series: changes that were put in are found, autocorrelation is reckoned with, and short or broken series refused."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from painlab import InputError, forecasting
from painlab.analysis import Refused, interrupted_series
from painlab.analysis.autocorrelation import METHODS, ljung_box, regress

DATA = Path(__file__).parents[3] / "shared" / "data"


def noise(count: int, rho: float, spread: float, seed: int) -> np.ndarray:
    chance = np.random.Generator(np.random.Philox(key=seed))
    errors = np.empty(count)
    errors[0] = chance.normal() / np.sqrt(1.0 - rho**2)
    for t in range(1, count):
        errors[t] = rho * errors[t - 1] + chance.normal()
    return spread * errors


def months(count: int) -> list[date]:
    return [date(2012 + n // 12, n % 12 + 1, 1) for n in range(count)]


def made(count: int = 96, start: int = 48, level: float = -30.0, bend: float = -0.6, rho: float = 0.5, seed: int = 1) -> pl.DataFrame:
    t = np.arange(count)
    y = 300.0 + 0.4 * t + (level + bend * (t - start)) * (t >= start) + 8.0 * np.sin(2 * np.pi * t / 12) + noise(count, rho, 4.0, seed)
    return pl.DataFrame({"month": months(count), "rate": y})


ASKED = {"time": "month", "value": "rate", "start": "2016-01"}


@pytest.mark.parametrize("method", METHODS)
def test_changes_of_level_and_slope_are_found_by_every_method(method):
    found = interrupted_series(made(), method=method, **ASKED)
    assert found.term("level change").estimate == pytest.approx(-30.0, abs=8.0)
    assert found.term("slope change").estimate == pytest.approx(-0.6, abs=0.35)
    last = found.term("effect in 2019-12")
    assert last.estimate == pytest.approx(found.term("level change").estimate + 47 * found.term("slope change").estimate)
    assert "the level fell by" in found.sentence
    assert found.term("mean effect since the start, relative").high < 0.0


def test_without_autocorrelation_the_coefficients_are_those_of_least_squares():
    t = np.arange(40.0)
    design = np.column_stack([np.ones(40), t, t >= 20, (t >= 20) * (t - 20)]).astype(float)
    y = design @ np.array([10.0, 0.2, 3.0, -0.1]) + noise(40, 0.0, 0.5, 3)
    by_hand = np.linalg.lstsq(design, y, rcond=None)[0]
    assert regress(y, design, t, "newey_west").coefficients == pytest.approx(by_hand)
    found = regress(y, design, t, "reml")
    assert found.coefficients == pytest.approx(by_hand, abs=0.2)
    assert abs(found.rho) < 0.45
    assert found.freedom == 36.0


def test_restricted_likelihood_agrees_with_generalized_least_squares_at_its_autocorrelation():
    t = np.delete(np.arange(40.0), [11, 12])  # two periods are not there
    design = np.column_stack([np.ones(38), t])
    y = 5.0 + 0.3 * t + noise(40, 0.6, 1.0, 5)[t.astype(int)]
    found = regress(y, design, t, "reml")
    correlation = found.rho ** np.abs(t[:, None] - t[None, :])
    inverse = np.linalg.inv(correlation)
    expected = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ y)
    rest = y - design @ expected
    covariance = rest @ inverse @ rest / 36.0 * np.linalg.inv(design.T @ inverse @ design)
    assert found.coefficients == pytest.approx(expected)
    assert found.covariance == pytest.approx(covariance)


def test_autocorrelated_errors_widen_the_interval_and_hold_the_truth_more_often_than_least_squares():
    t = np.arange(60.0)
    design = np.column_stack([np.ones(60), t, t >= 30, (t >= 30) * (t - 30)]).astype(float)
    held = {"reml": 0, "plain": 0}
    for seed in range(60):
        y = noise(60, 0.6, 1.0, 100 + seed)
        found = regress(y, design, t, "reml")
        held["reml"] += abs(found.coefficients[2]) < 2.0 * found.covariance[2, 2] ** 0.5
        coefficients, squares, *_ = np.linalg.lstsq(design, y, rcond=None)
        error = np.sqrt(squares[0] / 56 * np.linalg.inv(design.T @ design)[2, 2])
        held["plain"] += abs(coefficients[2]) < 2.0 * error
    assert held["reml"] >= 51 > held["plain"] + 5


def test_a_series_without_a_change_is_said_to_have_none():
    found = interrupted_series(made(level=0.0, bend=0.0, seed=8), **ASKED)
    assert "no change of level can be told from chance" in found.sentence
    checks = {one.check: one for one in found.checks}
    assert checks["% of false dates with a change"].value <= 15.0
    assert checks["autocorrelation of neighbors"].value == pytest.approx(0.5, abs=0.25)


def test_a_control_series_takes_out_what_both_share():
    shared = -40.0 * (np.arange(96) >= 48) + noise(96, 0.3, 2.0, 9)
    frame = made(level=0.0, bend=0.0, rho=0.1).with_columns(pl.col("rate") + shared, control=pl.lit(200.0) + shared)
    assert interrupted_series(frame, **ASKED).term("level change").high < 0.0
    assert not interrupted_series(frame, control="control", **ASKED).term("level change").settled()


def test_a_season_and_covariates_belong_to_the_model_where_they_can():
    frame = made(rho=0.0).with_columns(days=pl.col("month").map_elements(forecasting.working_days, return_dtype=pl.Int64))
    frame = frame.with_columns(pl.col("rate") + 6.0 * pl.col("days"))
    plain, with_days = (interrupted_series(frame, covariates=names, **ASKED) for names in ((), ("days",)))
    spread = [next(one.value for one in fit.checks if one.check == "spread around the line") for fit in (plain, with_days)]
    assert spread[1] < 0.7 * spread[0]
    with pytest.raises(Refused, match="season cannot be told from 20 months"):
        interrupted_series(made(20, 10), start="2012-11", time="month", value="rate", season=True)


def test_periods_under_way_are_left_out_but_the_slope_is_counted_from_the_start():
    frame = made(bend=0.0, rho=0.0)
    damaged = frame.with_columns(rate=pl.when(pl.col("month").is_between(date(2016, 1, 1), date(2016, 3, 1))).then(900.0).otherwise("rate"))
    found = interrupted_series(damaged, phase_in=3, **ASKED)
    assert found.term("level change").estimate == pytest.approx(-30.0, abs=5.0)
    assert found.predicted.filter(pl.col("series") == "observed")["predicted"].null_count() == 3


@pytest.mark.parametrize(
    ("frame", "options", "words"),
    [
        (made(96), {"start": "2012-04"}, "3 months before the start.*5 or more"),
        (made(96), {"start": "2019-12"}, "1 month from the start"),
        (made(96), {"start": "2025-01"}, "2025-01 is not among the periods.*2012-01 to 2019-12"),
        (made(96), {"start": "June"}, 'the start is "June"'),
        (made(96).filter(pl.col("month") != date(2014, 5, 1)), {}, "no row between 2014-04 and 2014-06"),
        (pl.concat([made(96), made(96).tail(1)]), {}, "2019-12-01 comes twice"),
        (made(96).with_columns(rate=pl.lit(3.0)), {}, "rate is 3 in every period"),
        (made(96).with_columns(rate=2.0 * pl.int_range(96)), {"season": False}, "without any scatter"),
        (made(96).with_columns(rate=pl.when(pl.col("rate") > 320).then("rate")), {}, "rows have no rate"),
        (made(96), {"method": "arima"}, "one of reml, glsar, newey_west, sarimax"),
        (made(96).with_columns(month=pl.col("month").cast(pl.String)), {}, "dates or whole numbers"),
    ],
)  # fmt: skip
def test_what_a_series_cannot_bear_is_refused_with_the_reason(frame, options, words):
    with pytest.raises(InputError, match=words):
        interrupted_series(frame, **{**ASKED, **options})


def test_weeks_and_years_are_periods_too():
    weeks = pl.DataFrame({"week": [date(2020, 1, 6) + timedelta(weeks=n) for n in range(130)]})
    y = 100.0 - 15.0 * (np.arange(130) >= 65) + noise(130, 0.2, 2.0, 2)
    found = interrupted_series(weeks.with_columns(mme_per_1000=pl.Series(y)), start="2021-04-05")
    assert found.term("level change").estimate == pytest.approx(-15.0, abs=3.0)
    assert found.title.startswith("MME per 1000 before and after 2021-04-05")
    years = pl.DataFrame({"year": range(2000, 2020), "rate": 50.0 + noise(20, 0.0, 1.0, 6) - 9.0 * (np.arange(20) >= 10)})
    assert interrupted_series(years, start=2010, time="year", value="rate").term("effect in 2019").high < 0.0


def test_autocorrelation_is_tested_by_ljung_and_box():
    alternating = np.array([1.0, -1.0] * 20)
    # by hand: r(1) = -39/40, Q = 40 * 42 * r^2 / 39
    from scipy.stats import chi2

    assert ljung_box(alternating, 1) == pytest.approx(chi2.sf(40 * 42 * (39 / 40) ** 2 / 39, 1))


def test_the_real_series_of_england_and_florida_are_taken():
    if not (DATA / "nhs_ccg_opioids").is_dir():
        pytest.skip("the real series are not in the repository (licence): no ../shared/data here")
    monthly = forecasting.read_monthly(DATA / "nhs_ccg_opioids" / "ccg_opioidome.csv").drop_nulls()
    total = (pl.col("mme_per_1000") * pl.col("list_size")).sum() / pl.col("list_size").sum()
    england = monthly.group_by("month").agg(rate=total).sort("month")
    found = interrupted_series(england, time="month", value="rate", start="2017-01")
    assert found.term("slope change").high < 0.0  # prescribing began to fall in these years, for reasons that the series does not tell
    states = pl.read_csv(DATA / "us_state_opioid_rx_optic" / "overdoses.csv", infer_schema_length=None, null_values="NA")
    states = states.drop_nulls("opioid_rx")
    others = states.filter(pl.col("state") != "Florida").group_by("year").agg(others=pl.col("opioid_rx").mean())
    florida = states.filter(pl.col("state") == "Florida").join(others, on="year")
    found = interrupted_series(florida, time="year", value="opioid_rx", control="others", start=2011)
    assert "few: under 8" in found.checks[0].verdict
    with pytest.raises(Refused, match="4 years before the start"):
        interrupted_series(florida, time="year", value="opioid_rx", start=2010)
