"""Forecasts of demand for the next weeks or months, tested from many earlier dates against forecasts that know nothing."""

import warnings
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab.analysis.fit import Array, Check, Fit, Refused, Table, Term, gather, numbers_of, predicted_frame, spoken
from painlab.analysis.periods import Periods, periods_of
from painlab.errors import InputError
from painlab.forecasting import accuracy
from painlab.outcomes import BY_NAME
from painlab.tables import nearest

METHODS: Final = {
    "structural": "state space: level, trend and season",
    "ets": "exponential smoothing with a damped trend",
    "naive": "the last figure again",
    "seasonal_naive": "the same period last year",
}
FEWEST: Final = 24
"""Periods before the first date that is tested (assumption: two years of months, half a year of weeks)."""
LEVELS: Final = (0.8, 0.95)

_WHERE: Final = "demand forecast"
_LONGEST: Final = 104


class _Ahead(NamedTuple):
    """A forecast of the next periods: mean, and its standard error, of the logarithm where the model is one of logarithms."""

    mean: Array
    error: Array
    log: bool

    def interval(self, level: float) -> tuple[Array, Array]:
        """Lower and upper ends, never below zero."""
        from scipy.stats import norm

        half = float(norm.ppf(0.5 + level / 2.0)) * self.error
        if self.log:
            return np.exp(self.mean - half), np.exp(self.mean + half)
        return np.maximum(self.mean - half, 0.0), self.mean + half

    @property
    def center(self) -> Array:
        """The median forecast."""
        return np.exp(self.mean) if self.log else np.maximum(self.mean, 0.0)


def forecast_demand(
    demand: Table,
    *,
    value: str = "mme_per_1000",
    time: str = "week",
    horizon: int = 12,
    method: str = "structural",
    origins: int = 12,
    unit: str = BY_NAME["mme_per_1000"].unit,
) -> Fit:
    """Forecast demand for the next periods, and test the same method from earlier dates, each time from what was known by then.

    `structural` is a local linear trend, with a season of two harmonics where two years are known at the first tested date (Harvey,
    Forecasting, structural time series models and the Kalman filter, 1989; statsmodels UnobservedComponents), `ets` exponential smoothing
    with a damped additive trend (Hyndman and Athanasopoulos, Forecasting: principles and practice, 3rd ed., ch. 8), both of the logarithm
    where no figure is zero. The rolling test forecasts up to `horizon` periods from each of `origins` dates and scores method, `naive` and
    `seasonal_naive` by `forecasting.accuracy`: mase is the mean error over what the naive rule missed by in earlier periods, one step ahead
    (Hyndman and Koehler 2006), so it grows with the horizon for all; what counts is the method's against the naive rules' own. Coverage is
    the share of tested periods inside the intervals.

    Parameters
    ----------
    demand
        One row a period, such as `painlab.records.demand` gives: `time` (weeks or months without gap) and `value`.
    origins
        Dates that the test starts from, as late as possible, evenly spread.

    Returns a Fit whose `further` holds `scores` (method, mase, bias, coverage_80, coverage_95, periods) and `backtest` (each forecast).

    Raises
    ------
    Refused
        Fewer than 24 periods before the earliest tested date, a gap, demand that never varies, no convergence.

    >>> from painlab.analysis.demand_forecast import forecast_demand
    >>> from datetime import date, timedelta
    >>> weeks = [date(2024, 1, 1) + timedelta(weeks=n) for n in range(40)]
    >>> y = [100 + 0.5 * n + n * 7 % 5 for n in range(40)]
    >>> found = forecast_demand(pl.DataFrame({"week": weeks, "mme_per_1000": y}), horizon=4, origins=3)
    >>> found.predicted.filter(pl.col("series") == "forecast").height
    4
    """
    if method not in METHODS:
        raise InputError(f'unknown method "{method}"{nearest(method, METHODS)}', where=_WHERE, expected=f"one of {', '.join(METHODS)}")
    for name, number, most in (("horizon", horizon, _LONGEST), ("origins", origins, 200)):
        if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
            raise InputError(f"{name} is {number}", where=_WHERE, expected=f"a whole number from 1 to {most}")
    frame, gaps = gather(demand, [time, value], _WHERE)
    if gaps:
        raise Refused(f"{gaps} rows have no {value}", where=_WHERE, expected="a number in each period", mend="Say 0, or cut the series.")
    frame = frame.sort(time)
    periods, y = periods_of(frame[time], _WHERE), numbers_of(frame, value, _WHERE)
    if np.any(y < 0.0):
        raise InputError(f"{value} is below zero in a period", where=_WHERE, expected="demand of zero or more")
    if np.ptp(y) == 0.0:
        raise Refused(f"{value} is {y[0]:g} in every period", where=_WHERE, expected="demand that differs")
    starts = _origins(len(y), horizon, origins, periods.unit)
    if np.ptp(y[: starts[0]]) == 0.0:
        raise Refused(
            f"{value} never changed in the {starts[0]} {periods.unit}s before the first test",
            where=_WHERE,
            expected="demand that differs, so that an error has something to be measured by",
            mend="Cut what comes before the first change.",
        )
    waves = _has_season(starts[0], periods)  # the model that is tested is the one that is used
    ahead = _forecast(y, horizon, method, periods, waves)
    seasonal = starts[0] >= periods.season + 2 and periods.season > 1
    rivals = [one for one in ("naive", "seasonal_naive") if one != method and (one == "naive" or seasonal)]
    tested = pl.concat([_tested(y, periods, starts, horizon, one, waves) for one in (method, *rivals)])
    scores = _scores(tested)
    own = scores.row(by_predicate=pl.col("method") == method, named=True)
    best = scores.filter(pl.col("method").is_in(rivals)).sort("mase").row(0, named=True) if rivals else None
    terms = []
    low, high = ahead.interval(0.95)
    for step in sorted({0, horizon // 2, horizon - 1}):
        terms.append(Term(f"{periods.after(horizon).say(step)}", float(ahead.center[step]), float(low[step]), float(high[step]), unit))
    return Fit(
        title=f"{BY_NAME[value].label if value in BY_NAME else spoken(value)}: the next {horizon} {periods.unit}s",
        sentence=_words(own, best, terms[-1], periods.unit, unit),
        terms=tuple(terms),
        checks=_checks(own, scores, rivals, len(y), periods, seasonal, waves),
        predicted=_drawn(y, periods, ahead, horizon),
        kind="forecast",
        x_title=periods.unit.capitalize(),
        y_title=unit,
        dated=periods.dated,
        assumptions=("what moved demand so far goes on: no new policy, no new prescriber, no change of who comes",),
        further={"scores": scores, "backtest": tested},
    )


def _origins(count: int, horizon: int, wanted: int, unit: str) -> list[int]:
    """Numbers of periods known at each date of the test, rising; the last leaves a whole horizon to compare with."""
    last = count - horizon
    if last < FEWEST + 1:
        raise Refused(
            f"there are {count} {unit}s, too few to forecast {horizon} and to test it",
            where=_WHERE,
            expected=f"{FEWEST + horizon + 1} or more ({FEWEST} before the first test, assumption)",
            mend="Take a shorter horizon, or a longer series.",
        )
    first = max(FEWEST, min(last - wanted + 1, int(0.6 * count)))
    return sorted({round(one) for one in np.linspace(first, last, min(wanted, last - first + 1)).tolist()})


def _forecast(y: Array, horizon: int, method: str, periods: Periods, waves: bool) -> _Ahead:
    year = periods.season
    if method == "naive" or (method == "seasonal_naive" and len(y) <= year):
        errors = np.diff(y)
        return _Ahead(np.full(horizon, y[-1]), float(np.sqrt(np.mean(errors**2))) * np.sqrt(np.arange(1.0, horizon + 1.0)), log=False)
    if method == "seasonal_naive":
        errors = y[year:] - y[:-year]
        cycles = np.arange(horizon) // year + 1
        return _Ahead(y[len(y) - year + np.arange(horizon) % year], float(np.sqrt(np.mean(errors**2))) * np.sqrt(cycles), log=False)
    log = bool(np.all(y > 0.0))
    values = np.log(y) if log else y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mean, error = (_structural if method == "structural" else _smoothed)(values, horizon, periods, waves)
        except (np.linalg.LinAlgError, ValueError) as fault:
            raise Refused(
                f"the model cannot be fitted ({str(fault).partition(chr(10))[0]})", where=_WHERE, mend="Take another method."
            ) from None
    if not (np.all(np.isfinite(mean)) and np.all(np.isfinite(error))):
        raise Refused("the model did not converge", where=_WHERE, mend="Take another method, or a longer series.")
    return _Ahead(mean, error, log)


def _has_season(count: int, periods: Periods) -> bool:
    """Whether two years are known, so that a season can be told from a trend."""
    return periods.season > 3 and count >= 2 * periods.season


def _structural(values: Array, horizon: int, periods: Periods, seasonal: bool) -> tuple[Array, Array]:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    width = float(values.std()) or 1.0
    length = 365.25 / 7.0 if periods.unit == "week" else float(periods.season)
    waves: dict[str, Any] = {}
    if seasonal:
        waves = {"freq_seasonal": [{"period": length, "harmonics": 1 if periods.season == 4 else 2}], "stochastic_freq_seasonal": [False]}
    model = UnobservedComponents(values / width, level="local linear trend", **waves)
    found = model.fit(disp=False, maxiter=200)
    ahead = found.get_forecast(horizon)
    return np.asarray(ahead.predicted_mean) * width, np.asarray(ahead.se_mean) * width


def _smoothed(values: Array, horizon: int, periods: Periods, seasonal: bool) -> tuple[Array, Array]:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    season: dict[str, Any] = {}
    if seasonal and periods.season <= 12:
        season = {"seasonal": "add", "seasonal_periods": periods.season}
    found = ETSModel(values, error="add", trend="add", damped_trend=True, **season).fit(disp=False)
    # Variance h periods ahead (Hyndman, Koehler, Ord and Snyder 2008, table 6.1): what each later error still moves, squared and summed.
    later = np.arange(1, horizon)
    moved = found.alpha + found.beta * np.cumsum(found.phi**later)
    if season:
        moved = moved + found.gamma * (later % periods.season == 0)
    freedom = max(len(values) - len(found.params), 1)
    variance = float(np.sum(np.asarray(found.resid) ** 2)) / freedom
    return np.asarray(found.forecast(horizon)), np.sqrt(variance * (1.0 + np.concatenate([[0.0], np.cumsum(moved**2)])))


def _tested(y: Array, periods: Periods, starts: list[int], horizon: int, method: str, waves: bool) -> pl.DataFrame:
    """Each forecast of a method from each date, with what happened, in the columns of `forecasting.accuracy` and 80 % ends."""
    parts = []
    for known in starts:
        ahead = _forecast(y[:known], horizon, method, periods, waves)
        (low_80, high_80), (low, high) = (ahead.interval(level) for level in LEVELS)
        scale = max(float(np.mean(np.abs(np.diff(y[:known])))), 1e-12)
        columns: dict[str, Any] = {"code": "all", "method": method, "known": known, "ahead": np.arange(1, horizon + 1)}
        columns |= {"observed": y[known : known + horizon], "predicted": ahead.center, "low": low, "high": high}
        parts.append(pl.DataFrame(columns | {"low_80": low_80, "high_80": high_80, "scale": scale}))
    return pl.concat(parts)


def _scores(tested: pl.DataFrame) -> pl.DataFrame:
    inside = tested.group_by("method").agg(coverage_80=100.0 * pl.col("observed").is_between("low_80", "high_80").mean(), periods=pl.len())
    whole = accuracy(tested).filter(pl.col("groups") == "all").select("method", "mase", "bias", coverage_95="coverage")
    return whole.join(inside, on="method").select("method", "mase", "bias", "coverage_80", "coverage_95", "periods").sort("mase")


def _checks(
    own: dict[str, Any], scores: pl.DataFrame, rivals: list[str], count: int, periods: Periods, seasonal: bool, waves: bool
) -> tuple[Check, ...]:
    checks = [Check("periods", float(count), f"{periods.unit}s; {own['periods']} forecasts tested, from overlapping dates")]
    for row in scores.iter_rows(named=True):
        checks.append(Check(f"mase, {row['method'].replace('_', ' ')}", row["mase"], METHODS[row["method"]]))
    for level in (80, 95):
        found = own[f"coverage_{level}"]
        said = "about as stated" if abs(found - level) <= 10 else "too narrow" if found < level else "too wide"
        checks.append(Check(f"% inside the {level} % interval", found, f"{said} (within 10 of {level} counts as stated, assumption)"))
    checks.append(Check("bias", own["bias"], "% of observed; above zero is too high"))
    if not seasonal and periods.season > 1:
        checks.append(Check("season", None, "not compared with last year: too few periods before the first test"))
    elif not waves and periods.season > 1:
        checks.append(Check("season", None, "none in the model: under two years are known at the first tested date"))
    return tuple(checks)


def _drawn(y: Array, periods: Periods, ahead: _Ahead, horizon: int) -> pl.DataFrame:
    later = periods.after(horizon).x
    rows = [{"series": "observed", "x": x, "observed": value} for x, value in zip(periods.x, y, strict=True)]
    for name, level in (("forecast", 0.95), ("forecast, 80 %", 0.8)):
        low, high = ahead.interval(level)
        rows += [
            {"series": name, "x": later[n], "predicted": float(ahead.center[n]), "low": float(low[n]), "high": float(high[n])}
            for n in range(horizon)
        ]
    return predicted_frame(rows)


def _words(own: dict[str, Any], best: dict[str, Any] | None, last: Term, period: str, unit: str) -> str:
    when = {"week": "In the week of", "day": "On", "quarter": "In the quarter from", "step": "In step"}.get(period, "In")
    said = f"{when} {last.term} demand is forecast at {last.words(0)} {unit}."
    if best is not None:
        rule = METHODS[best["method"]]
        if own["mase"] < best["mase"]:
            said += f" Tested from earlier dates it missed by {100 * (1 - own['mase'] / best['mase']):.0f} % less than {rule}."
        else:
            said += f" Tested from earlier dates it did not beat {rule}: take that instead, or no forecast."
    narrow = own["coverage_95"] < 85.0
    said += f" {own['coverage_95']:.0f} % of the tested periods lay inside its 95 % intervals"
    return said + (", so the intervals are too narrow: read them as wider." if narrow else ".") + " It is a forecast, not a cause."
