"""A demand baseline on real monthly prescribing: each month forecast from earlier months only, then compared with what happened.

It tests a statistical forecast, not the causal model. The patient model has no trend of its own: with care unchanged it claims constant
demand for each day. The method `constant` says what that claim would have forecast, beside forecasts that know trend and season.
"""

import calendar
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from painlab.errors import InputError
from painlab.tables import nearest, number, read_table

METHODS: Final = {
    "last": "last month",
    "seasonal_naive": "same month last year",
    "constant": "mean of the last 12 months",
    "seasonal_trend": "trend, season and working days",
    "ets": "exponential smoothing",
}
EARLIER: Final = 24  # months needed before the first forecast: two whole years, so that a season is seen twice
FILE: Final = "ccg_opioidome.csv"

_COLUMNS: Final = ("month", "code", "numerator", "denominator")
_READ: Final = {"month": pl.Date, "code": pl.String, "mg": pl.Float64, "list_size": pl.Float64, "row": pl.Int64}
_QUARTERS: Final = ("lowest quarter", "second quarter", "third quarter", "highest quarter")
_LEVEL: Final = 0.95
_YEAR: Final = 12
_SEASONAL_STATES: Final = 14  # estimated by seasonal smoothing: two weights, the first level, 11 free months of the first season

Array = NDArray[np.float64]
_Forecast = tuple[Array, Array, Array]  # predicted, low and high, for each month from the first one forecast to the end


class _Course(NamedTuple):
    """One group's demand in MME/day per 1,000 people, its months, and log(working days / days) of each."""

    demand: Array
    months: list[date]
    working: Array


def read_monthly(path: Path) -> pl.DataFrame:
    """Read monthly opioid prescribing of commissioning groups, in the form OpenPrescribing.net gives it.

    The numerator is oral morphine equivalent in mg, of all opioid prescribing but for addiction (OpenPrescribing, measure opioidome). Its
    factors are the United Kingdom's, so levels are not those of the CDC's MME. The denominator is the list size in thousands.

    Returns month, code, demand (mg for 1,000 patients a month), mme_per_1000 (mg/day per 1,000 patients), list_size (patients), by code and
    month. A list size that is empty or zero, as a regional hub's, leaves demand null; `left_out` names such groups.

    Raises InputError with file and row for a bad cell, a month and code that come twice, and a month missing between two others of a group.
    """
    path = Path(path)
    rows: list[tuple[date, str, float, float | None, int]] = []
    seen: dict[tuple[str, date], int] = {}
    for row, month, code, numerator, denominator in read_table(path, _COLUMNS).iter_rows():
        where = f"{path.name}, row {row}"
        if not code:
            raise InputError("code is empty", where=where, expected="the code of a commissioning group")
        first = _cell_month(month, where)
        if seen.setdefault((code, first), row) != row:
            raise InputError(f'group "{code}" has {month} twice, first in row {seen[code, first]}', where=where, mend="Remove one row.")
        size = _not_negative(denominator, where, "denominator") if denominator else 0.0
        rows.append((first, code, _not_negative(numerator, where, "numerator"), size * 1000 or None, row))
    if not rows:
        raise InputError("there are no rows", where=path.name, expected="one row for each group and month")
    frame = pl.DataFrame(rows, _READ, orient="row").sort("code", "month")
    _no_gap(frame, path.name)
    return frame.select(
        "month",
        "code",
        demand=pl.col("mg") * 1000 / pl.col("list_size"),
        mme_per_1000=pl.col("mg") * 1000 / pl.col("list_size") / pl.col("month").dt.month_end().dt.day(),
        list_size="list_size",
    )


def left_out(frame: pl.DataFrame, first_month: str = "2018-01") -> pl.DataFrame:
    """Groups of a frame from `read_monthly` that are not forecast: code and reason, one row for each, often none."""
    first = _asked_month(first_month)
    no_size, nothing = pl.col("demand").is_null().sum(), (pl.col("demand") == 0).sum()
    before = (pl.col("month") < first).sum()
    index = pl.col("month").dt.year().cast(pl.Int32) * 12 + pl.col("month").dt.month()
    gaps = index.max() - index.min() + 1 - pl.len()
    reason = (
        pl.when(no_size > 0).then(pl.format("no list size in {} of {} months, so no demand for each patient", no_size, pl.len()))
        .when(nothing > 0).then(pl.format("no opioids at all in {} of {} months", nothing, pl.len()))
        .when(gaps != 0).then(pl.lit("months are missing or come twice"))
        .when(before < EARLIER).then(pl.format(f"{{}} months before {first_month}, {EARLIER} are needed", before))
        .when(pl.col("month").max() < first).then(pl.format("ends in {}", pl.col("month").max().dt.strftime("%Y-%m")))
    )  # fmt: skip
    return frame.group_by("code", maintain_order=True).agg(reason=reason).filter(pl.col("reason").is_not_null()).sort("code")


def one_step(frame: pl.DataFrame, first_month: str = "2018-01", method: str = "ets") -> pl.DataFrame:
    """Forecast each group and month from `first_month` on, one month ahead, from months before it only.

    Demand is in MME/day per 1,000 people (`mme_per_1000`), as the patient model's is, so that long and short months compare. With d the
    demand, w the share of working days in the month and t the month, the methods are

    - `last`: d(t - 1); `seasonal_naive`: d(t - 12); `constant`: mean of d(t - 12) to d(t - 1)
    - `seasonal_trend`: log d = level + slope t + month of the year + b log w, by least squares, fitted anew for each month
    - `ets`: exponential smoothing of log d - c log w with additive errors and season, no trend (statsmodels ETSModel; Hyndman and
      Athanasopoulos, Forecasting: principles and practice, 3rd ed., ch. 8). Weights and first states are fitted once, on the months before
      `first_month`; level and season then follow each month that has passed. The elasticity c is one for all groups, by least squares on
      monthly changes before `first_month`. In 2017 a damped trend did worse (mase 0.84, not 0.78), and so did leaving out w.

    Intervals are t intervals from the method's own errors in earlier months; parameters and first states count as estimated.

    Returns code, month, observed, predicted, low, high (95 %, never below zero), method, and scale: the mean absolute change from the
    same month a year before, over all months before this one. Groups in `left_out` have no rows. Raises InputError for an unknown method, a
    month that is none or comes after the data, and when no group can be forecast.
    """
    if method not in METHODS:
        raise InputError(f'unknown method "{method}"{nearest(method, METHODS)}', where="forecast", expected=f"one of {', '.join(METHODS)}")
    start = _asked_month(first_month)
    courses = _courses(frame, first_month)
    elasticity = _elasticity(courses, start)
    columns: dict[str, list[Any]] = {name: [] for name in ("code", "month", "observed", "predicted", "low", "high", "scale")}
    for code, course in courses.items():
        first = course.months.index(start)
        predicted, low, high = _forecast(method, course, first, elasticity)
        change = np.abs(course.demand[_YEAR:] - course.demand[:-_YEAR])
        columns["code"] += [code] * len(predicted)
        columns["month"] += course.months[first:]
        columns["observed"] += course.demand[first:].tolist()
        columns["predicted"] += predicted.tolist()
        columns["low"] += np.maximum(low, 0).tolist()
        columns["high"] += high.tolist()
        columns["scale"] += [float(change[: month - _YEAR].mean()) for month in range(first, len(course.demand))]
    return pl.DataFrame(columns).select("code", "month", "observed", "predicted", "low", "high", pl.lit(method).alias("method"), "scale")


def accuracy(forecasts: pl.DataFrame) -> pl.DataFrame:
    """How far forecasts of `one_step`, of one or several methods, were from what happened.

    Returns, for all groups and for each quarter of the groups by observed demand (with four groups or more):

    - groups, method, n (forecasts)
    - mase: mean of |observed - predicted| / scale; below 1 is better than "same month last year" was in the earlier months
      (Hyndman and Koehler, International Journal of Forecasting 2006;22:679-688)
    - mase_10, mase_50, mase_90: the groups' own mase at the 10th, 50th and 90th percentile of the groups
    - median_ape: median of |observed - predicted| / observed, %
    - bias: mean of predicted - observed, % of mean observed; above zero is too high
    - coverage: % of months inside the 95 % interval

    Raises InputError if there are no forecasts, or if a group's demand never differed from the year before, which leaves no scale.
    """
    if forecasts.is_empty():
        raise InputError("there are no forecasts", where="accuracy", expected="at least one row of `one_step`")
    for code in forecasts.filter(pl.col("scale") <= 0)["code"]:
        raise InputError(f'demand of group "{code}" never differed from the year before', where="accuracy", mend="Leave it out.")
    miss = (pl.col("observed") - pl.col("predicted")).abs()
    scored = forecasts.with_columns(
        scaled=miss / pl.col("scale"),
        percent=100 * miss / pl.col("observed"),
        inside=pl.col("observed").is_between(pl.col("low"), pl.col("high")),
    )
    ranked = scored.group_by("code").agg(pl.col("observed").mean()).sort("observed", "code").with_row_index("place")
    quarter = scored.join(ranked.select("code", quarter=pl.col("place") * 4 // pl.len()), on="code")
    parts = [] if ranked.height < 4 else [_scores(quarter.filter(pl.col("quarter") == n), name) for n, name in enumerate(_QUARTERS)]
    return pl.concat([_scores(scored, "all"), *parts])


@dataclass(frozen=True)
class PredictiveValidity:
    """What `predictive_validity` found: `months` are the first and last one forecast, `left_out` the groups that were not, and why."""

    accuracy: pl.DataFrame
    forecasts: pl.DataFrame
    monthly: pl.DataFrame
    months: tuple[date, date]
    groups: int
    left_out: pl.DataFrame

    @property
    def sentence(self) -> str:
        """The result in plain words, with what it does not show."""
        score = {row["method"]: row for row in self.accuracy.filter(pl.col("groups") == "all").iter_rows(named=True)}
        ets, constant, naive = score["ets"], score["constant"], score["seasonal_naive"]
        left = f" ({self.left_out.height} left out)" if self.left_out.height else ""
        return (
            f"{self.groups} commissioning groups{left}, {self.months[0]:%Y-%m} to {self.months[1]:%Y-%m}, each month forecast from earlier "
            f"ones only: exponential smoothing missed by {ets['median_ape']:.1f} % at the median (scaled error {ets['mase']:.2f}, "
            f"{ets['coverage']:.0f} % of months inside its 95 % interval), the same month last year by {naive['median_ape']:.1f} % "
            f"({naive['mase']:.2f}). Constant demand, which is what the patient model claims for unchanged care, missed by "
            f"{constant['median_ape']:.1f} % ({constant['mase']:.2f}), on average {abs(constant['bias']):.1f} % too "
            f"{'high' if constant['bias'] > 0 else 'low'}: by scaled error exponential smoothing was "
            f"{'better' if ets['mase'] < constant['mase'] else 'no better'}. This tests forecasts of demand, not the causal model."
        )

    def __str__(self) -> str:
        return self.sentence


def predictive_validity(folder: Path, first_month: str = "2018-01") -> PredictiveValidity:
    """Forecast the held-out months of `ccg_opioidome.csv` in a folder by every method, and score the forecasts.

    The form of `ets` was chosen on 2017, forecast from 2014-12 to 2016-12; 2018 was scored after that and changed nothing.
    191 groups take about 10 seconds. Raises InputError as `read_monthly` and `one_step` do.
    """
    monthly = read_monthly(Path(folder) / FILE)
    forecasts = pl.concat([one_step(monthly, first_month, method) for method in METHODS])
    months = forecasts["month"]
    return PredictiveValidity(
        accuracy=accuracy(forecasts),
        forecasts=forecasts,
        monthly=monthly,
        months=(cast(date, months.min()), cast(date, months.max())),
        groups=forecasts["code"].n_unique(),
        left_out=left_out(monthly, first_month),
    )


def working_days(month: date) -> int:
    """Mondays to Fridays of a month that are no bank holiday in England and Wales (Banking and Financial Dealings Act 1971, schedule 1,
    with New Year's Day and the early May holiday by proclamation); single holidays, such as a jubilee, are not known to it.

    >>> working_days(date(2018, 5, 1))
    21
    """
    first = month.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    return int(np.busday_count(first, after, holidays=_bank_holidays(first.year)))


@cache
def _bank_holidays(year: int) -> list[date]:
    easter = _easter(year)
    days = [easter - timedelta(days=2), easter + timedelta(days=1)]
    may, august = ([date(year, month, day) for day in range(1, 32) if date(year, month, day).weekday() == 0] for month in (5, 8))
    days += [may[0], may[-1], august[-1]]
    for day in (date(year, 1, 1), date(year, 12, 25), date(year, 12, 26)):
        while day.weekday() >= 5 or day in days:
            day += timedelta(days=1)
        days.append(day)
    return days


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian algorithm (Nature, 20 April 1876; Meeus, Astronomical Algorithms, ch. 8)."""
    century, rest = divmod(year, 100)
    shift = (century - (century + 8) // 25 + 1) // 3
    moon = (19 * (year % 19) + century - century // 4 - shift + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    late = (year % 19 + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _forecast(method: str, course: _Course, first: int, elasticity: float) -> _Forecast:
    if method == "seasonal_trend":
        return _seasonal_trend(course, first)
    if method == "ets":
        return _ets(course, first, elasticity)
    demand = course.demand
    if method == "constant":
        known = np.convolve(demand, np.full(_YEAR, 1 / _YEAR), mode="valid")[:-1]
    else:
        known = demand[: -{"last": 1, "seasonal_naive": _YEAR}[method]]
    predicted = np.concatenate([np.full(len(demand) - len(known), np.nan), known])
    # A rule has no parameters: its own earlier errors, root mean square, say how far it is usually off.
    half = _half_width(demand - predicted, first, estimated=0)
    return predicted[first:], predicted[first:] - half, predicted[first:] + half


def _half_width(errors: Array, first: int, estimated: int) -> Array:
    """Half of a 95 % interval for each month from `first` on, from the errors before it (not a number where there was no forecast)."""
    from scipy.stats import t

    known = np.isfinite(errors)
    freedom = (np.cumsum(known) - estimated)[first - 1 : -1]
    squares = np.cumsum(np.where(known, errors, 0) ** 2)[first - 1 : -1]
    return cast(Array, t.ppf((1 + _LEVEL) / 2, freedom) * np.sqrt(squares / freedom))


def _seasonal_trend(course: _Course, first: int) -> _Forecast:
    from scipy.stats import t

    season = np.array([[month.month == other for other in range(2, 13)] for month in course.months], dtype=float)
    time = np.arange(len(course.months), dtype=float)
    every = np.column_stack([np.ones_like(time), time, course.working, season])
    logs = np.log(course.demand)
    center, half = np.empty((2, len(logs) - first))
    for place, month in enumerate(range(first, len(logs))):
        past, now = every[:month], every[month]
        weights, _, rank, _ = np.linalg.lstsq(past, logs[:month])
        variance = np.sum((logs[:month] - past @ weights) ** 2) / (month - rank)
        spread = np.sqrt(variance * (1 + now @ np.linalg.pinv(past.T @ past) @ now))
        center[place], half[place] = now @ weights, t.ppf((1 + _LEVEL) / 2, month - rank) * spread
    return np.exp(center), np.exp(center - half), np.exp(center + half)


def _ets(course: _Course, first: int, elasticity: float) -> _Forecast:
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    holidays = elasticity * course.working
    logs = np.log(course.demand) - holidays
    form: dict[str, Any] = {"error": "add", "trend": None, "seasonal": "add", "seasonal_periods": _YEAR}
    earlier = ETSModel(logs[:first], initialization_method="heuristic", **form)
    weights = earlier.fit(disp=False).params
    # The same first states for the whole course: left to itself, the model would estimate them from months that are still to come.
    states = {"initial_level": earlier.initial_level, "initial_seasonal": earlier.initial_seasonal}
    whole = ETSModel(logs, initialization_method="known", **states, **form)
    expected = np.asarray(whole.smooth(weights).fittedvalues)
    half = _half_width(logs - expected, first, _SEASONAL_STATES)
    center = (expected + holidays)[first:]
    return np.exp(center), np.exp(center - half), np.exp(center + half)


def _elasticity(courses: dict[str, _Course], start: date) -> float:
    """Change of log demand for each change of log(working days / days), over all groups before `start`; 0 without any change."""
    earlier = [(course, course.months.index(start)) for course in courses.values()]
    cause = np.concatenate([np.diff(course.working[:first]) for course, first in earlier])
    effect = np.concatenate([np.diff(np.log(course.demand[:first])) for course, first in earlier])
    return float(cause @ effect / (cause @ cause)) if cause.any() else 0.0


def _courses(frame: pl.DataFrame, first_month: str) -> dict[str, _Course]:
    """The groups that can be forecast."""
    missing = [name for name in ("month", "code", "demand", "mme_per_1000") if name not in frame.columns]
    if missing:
        raise InputError(f"missing column {', '.join(missing)}", where="forecast", expected="a frame from `read_monthly`")
    reasons = dict(left_out(frame, first_month).iter_rows())
    courses = {}
    for (code,), rows in frame.filter(~pl.col("code").is_in(list(reasons))).sort("code", "month").group_by("code", maintain_order=True):
        months = rows["month"].to_list()
        share = [working_days(month) / calendar.monthrange(month.year, month.month)[1] for month in months]
        courses[str(code)] = _Course(rows["mme_per_1000"].to_numpy(), months, np.log(share))
    if not courses:
        first = next(iter(reasons.items()), ("", "it is empty"))
        raise InputError(f"no group can be forecast (first: {' '.join(first)})", where=f"forecast from {first_month}")
    return courses


def _scores(scored: pl.DataFrame, name: str) -> pl.DataFrame:
    own = scored.group_by("method", "code").agg(pl.col("scaled").mean())
    spread = own.group_by("method").agg(pl.col("scaled").quantile(part / 100, "linear").alias(f"mase_{part}") for part in (10, 50, 90))
    totals = scored.group_by("method").agg(
        n=pl.len(),
        mase=pl.col("scaled").mean(),
        median_ape=pl.col("percent").median(),
        bias=100 * (pl.col("predicted").sum() / pl.col("observed").sum() - 1),
        coverage=100 * pl.col("inside").mean(),
    )
    order = pl.col("method").replace_strict({method: place for place, method in enumerate(METHODS)}, default=len(METHODS))
    columns = ("groups", "method", "n", "mase", "mase_10", "mase_50", "mase_90", "median_ape", "bias", "coverage")
    return totals.join(spread, on="method").with_columns(groups=pl.lit(name)).sort(order, "method").select(columns)


def _no_gap(frame: pl.DataFrame, name: str) -> None:
    before = pl.col("month").shift(1).over("code")
    gap = frame.with_columns(expected=before.dt.offset_by("1mo")).filter(pl.col("month") != pl.col("expected"))
    if gap.height:
        row = gap.row(0, named=True)
        raise InputError(
            f'group "{row["code"]}" has no row for {row["expected"]:%Y-%m-%d}, though it has earlier ones',
            where=f"{name}, row {row['row']}",
            expected="each month of a group from its first to its last",
            mend="Add the month, or remove the group.",
        )


def _cell_month(text: str, where: str) -> date:
    try:
        month = date.fromisoformat(text)
    except ValueError:
        month = date.max
    if month.day != 1 or month.isoformat() != text:
        raise InputError(f'month is "{text}"', where=where, expected="the first day of a month, such as 2018-01-01")
    return month


def _asked_month(text: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01")
    except (TypeError, ValueError):
        raise InputError(f'first_month is "{text}"', where="forecast", expected='a month, such as "2018-01"') from None


def _not_negative(text: str, where: str, column: str) -> float:
    value = number(text, where=where, column=column)
    if value < 0:
        raise InputError(f"{column} is {text}", where=where, expected="zero or more", mend=f"Correct the cell {column}.")
    return value
