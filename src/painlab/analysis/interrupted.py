"""Interrupted time series: what changed when a policy or program began, with autocorrelation, season and a check by false dates."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab.analysis.autocorrelation import METHODS, MOST, Regression, ljung_box, regress
from painlab.analysis.fit import (
    Array,
    Check,
    Fit,
    Refused,
    Table,
    Term,
    covariate_columns,
    full_rank,
    gather,
    numbers_of,
    predicted_frame,
    spoken,
    t_interval,
)
from painlab.analysis.periods import Periods, periods_of
from painlab.errors import InputError
from painlab.tables import nearest

FEWEST: Final = 5
"""Periods before and after, and at least one more than what is estimated of them (assumption)."""
ENOUGH: Final = 8
"""Periods before and after that Penfold and Zhang ask for (Academic Pediatrics 2013;13(6 Suppl):S38-S44)."""

_WHERE: Final = "interrupted series"
_TERMS: Final = ("level before", "slope before", "level change", "slope change")


class _Series(NamedTuple):
    y: Array
    periods: Periods
    start: int
    columns: Array  # season, then covariates less their means, shape (periods, columns); the rest of the design follows from start
    waves: int  # how many of them are season


def interrupted_series(
    series: Table,
    *,
    start: Any,
    value: str = "mme_per_1000",
    time: str = "week",
    control: str | None = None,
    covariates: Sequence[str] = (),
    season: bool | None = None,
    method: str = "reml",
    phase_in: int = 0,
    unit: str = "",
) -> Fit:
    """Segmented regression of one series: change of level at the start of a policy or program, change of slope after it.

    y(t) = level + slope t + change 1[t >= s] + bend (t - s) 1[t >= s] + season + covariates + e(t), with autocorrelated e (Wagner et al.,
    Journal of Clinical Pharmacy and Therapeutics 2002;27:299-309). The counterfactual is the line before the start carried on;
    the effect in a period is the change + bend (t - s). Intervals are by Student's t with periods less coefficients as degrees of freedom.

    Parameters
    ----------
    series
        One row a period: `time` (dates of months, weeks or days, or whole numbers such as years) and `value`; no gap.
    start
        First period with the policy or program: a date, "2018-01" or "2018-01-15", or a year.
    control
        Column of a series that the policy did not touch; what is analyzed is then value - control, which removes what both share
        (Bottomley, Scott and Isham, Epidemiologic Methods 2019;8:20180010).
    covariates
        Columns of numbers that move the series whatever the policy, such as a month's working days (`painlab.forecasting.working_days`).
    season
        Whether a season belongs to the model, as two harmonics of the year; if left out, where the unit has one and two years are there.
    method
        `reml`: errors autoregressive of order 1, by restricted maximum likelihood, which was best in simulations of series of 12 or more
        periods (Turner et al., BMC Medical Research Methodology 2021;21:181); `glsar`: the same by iterated least squares; `newey_west`:
        least squares with robust errors; `sarimax`: by maximum likelihood. All give intervals that are too narrow in short series.
    phase_in
        Periods from the start on that are left out because the change was still under way.

    Raises
    ------
    Refused
        Fewer than 5 periods before or after the start, a gap, a value that never varies, a season asked for with under two years.

    >>> from painlab.analysis.interrupted import interrupted_series
    >>> from datetime import date
    >>> months = [date(2015 + n // 12, n % 12 + 1, 1) for n in range(48)]
    >>> y = [100 - 0.5 * n - 20 * (n >= 24) + n * 7 % 5 for n in range(48)]
    >>> found = interrupted_series(pl.DataFrame({"month": months, "rate": y}), start="2017-01", time="month", value="rate", season=False)
    >>> round(found.term("level change").estimate)
    -20
    """
    if method not in METHODS:
        raise InputError(f'unknown method "{method}"{nearest(method, METHODS)}', where=_WHERE, expected=f"one of {', '.join(METHODS)}")
    frame, gaps = gather(series, [time, value, *([control] if control else []), *covariates], _WHERE)
    if gaps:
        raise Refused(f"{gaps} rows have no {value}", where=_WHERE, expected="a number in each period", mend="Say 0, or cut the series.")
    frame = frame.sort(time)
    periods = periods_of(frame[time], _WHERE)
    y = numbers_of(frame, value, _WHERE) - (numbers_of(frame, control, _WHERE) if control else 0.0)
    place = periods.place(start, _WHERE)
    _enough(len(y), place, phase_in, periods.unit)
    if np.ptp(y) == 0.0:
        raise Refused(f"{value} is {y[0]:g} in every period", where=_WHERE, expected="values that differ")
    waves = _season(len(y), place, periods, season)
    named, others = covariate_columns(frame, covariates, _WHERE)
    one = _Series(y, periods, place, np.column_stack([waves, others - others.mean(axis=0)]), waves.shape[1])
    kept = np.array([not place <= t < place + phase_in for t in range(len(y))])
    design = _design(one, place)
    full_rank(design[kept], [*_TERMS, *(f"season {n + 1}" for n in range(one.waves)), *named], _WHERE)
    found = regress(y[kept], design[kept], np.flatnonzero(kept).astype(np.float64), method)
    return _result(one, design, kept, found, value, unit or spoken(value), control)


def _result(one: _Series, design: Array, kept: Any, found: Regression, value: str, unit: str, control: str | None) -> Fit:
    y, place = one.y, one.start
    per = f"{unit} per {one.periods.unit}"
    units = (unit, per, unit, per)
    terms = [
        Term(name, float(found.coefficients[n]), *t_interval(found.coefficients[n], found.covariance[n, n] ** 0.5, found.freedom), units[n])
        for n, name in enumerate(_TERMS)
    ]
    effect = np.zeros_like(design)
    effect[place:, 2:4] = design[place:, 2:4]
    after = effect[kept & (np.arange(len(y)) >= place)].mean(axis=0)
    for name, weights in ((f"effect in {one.periods.say(len(y) - 1)}", effect[-1]), ("mean effect since the start", after)):
        estimate, low, high = _combined(found, weights)
        terms.append(Term(name, estimate, low, high, unit))
    without = design - effect
    expected = float((without @ found.coefficients)[place:].mean())
    if expected > 0.0 and not control:
        mean = terms[-1]
        percent = [100.0 * end / expected for end in (mean.estimate, mean.low, mean.high)]
        terms.append(Term("mean effect since the start, relative", percent[0], percent[1], percent[2], "% of what was expected"))
    return Fit(
        title=f"{spoken(value)} before and after {one.periods.say(place)}" + (f", less {spoken(control)}" if control else ""),
        sentence=_words(terms, one, unit),
        terms=tuple(terms),
        checks=(*_checks(one, found, kept), _false_dates(one, found)),
        predicted=_drawn(one, design, without, found, kept),
        kind="interrupted",
        x_title=one.periods.unit.capitalize(),
        y_title=unit,
        dated=one.periods.dated,
        assumptions=(
            "without the change, the line before it (and its season) would have gone on",
            "nothing else began at the same time" + ("" if control else "; a control series would show some of it"),
        ),
    )


def _enough(count: int, place: int, phase_in: int, unit: str) -> None:
    if not 0 <= phase_in <= 52:
        raise InputError(f"phase_in is {phase_in}", where=_WHERE, expected="0 to 52 periods")
    for side, there in (("before", place), ("from", count - place - phase_in)):
        if there < FEWEST:
            raise Refused(
                f"there {'is' if there == 1 else 'are'} {there} {unit}{'' if there == 1 else 's'} {side} the start",
                where=_WHERE,
                expected=f"{FEWEST} or more (assumption); {ENOUGH} are advised (Penfold and Zhang 2013)",
                mend="Take a longer series, or shorter periods.",
            )


def _season(count: int, place: int, periods: Periods, wanted: bool | None) -> Array:
    """Two harmonics of the year, shape (periods, 4), or none."""
    year = periods.season
    possible = year > 3 and count >= 2 * year and place >= year
    if wanted and not possible:
        raise Refused(
            f"a season cannot be told from {count} {periods.unit}s, {place} of them before the start",
            where=_WHERE,
            expected="periods with a season, two years of them, and a year before the start",
            mend="Take season=False, or a longer series.",
        )
    if not (possible if wanted is None else wanted):
        return np.empty((count, 0))
    length = 365.25 / 7.0 if periods.unit == "week" else float(year)
    angle = 2.0 * np.pi * np.arange(count) / length
    harmonics = (1,) if year == 4 else (1, 2)
    return np.column_stack([wave(k * angle) for k in harmonics for wave in (np.sin, np.cos)])


def _design(one: _Series, place: int) -> Array:
    t = np.arange(len(one.y), dtype=np.float64)
    since = (t >= place).astype(np.float64)
    return np.column_stack([np.ones_like(t), t, since, since * (t - place), one.columns])


def _combined(found: Regression, weights: Array) -> tuple[float, float, float]:
    estimate = float(weights @ found.coefficients)
    low, high = t_interval(estimate, float(weights @ found.covariance @ weights) ** 0.5, found.freedom)
    return estimate, low, high


def _checks(one: _Series, found: Regression, kept: Any) -> list[Check]:
    place, count = one.start, len(one.y)
    after = count - place
    few = min(place, after) < ENOUGH
    lags = max(1, min(2 * max(one.periods.season, 5) if one.periods.season > 1 else 5, count // 5))
    p = ljung_box(found.whitened, lags)
    left = "no sign of autocorrelation that is left" if p >= 0.05 else "autocorrelation is left: the intervals cannot be trusted fully"
    if found.method == "newey_west":
        left = "no sign of autocorrelation" if p >= 0.05 else "autocorrelated, which the robust errors allow for"
    return [
        Check("periods", float(kept.sum()), f"{place} before, {after} after; "
              + (f"few: under {ENOUGH} on one side" if few else f"{ENOUGH} or more on each side")),
        Check("autocorrelation of neighbors", found.rho, _rho_words(found)),
        Check(f"Ljung-Box p, {lags} lags", p, left),
        Check("season", float(one.waves), "harmonic terms" if one.waves else "none in the model"),
        Check("spread around the line", found.spread, "standard deviation"),
    ]  # fmt: skip


def _rho_words(found: Regression) -> str:
    if found.rho >= MOST:
        return "at its limit: a line and a random walk cannot be told apart, so trends say little"
    return "of the residuals" if found.method == "newey_west" else "estimated with the line"


def _false_dates(one: _Series, real: Regression) -> Check:
    """The same model at every possible date before the start, on the periods before it: how often does it find a change of level?"""
    name = "% of false dates with a change"
    before = one.y[: one.start]
    dates = range(FEWEST + 1, len(before) - FEWEST)
    if len(dates) < 5:
        return Check(name, None, "not possible: too few periods before the start")
    earlier = _Series(before, one.periods, 0, one.columns[: one.start], one.waves)
    own = abs(float(real.coefficients[2] / real.covariance[2, 2] ** 0.5))
    method = "reml" if real.method == "sarimax" else real.method  # by maximum likelihood, so many fits would take long
    found, fits, largest = 0, 0, 0.0
    for place in dates:
        design = _design(earlier, place)
        if np.linalg.matrix_rank(design) < design.shape[1]:
            continue
        try:
            fitted = regress(before, design, np.arange(len(before), dtype=np.float64), method)
        except Refused:
            continue
        low, high = t_interval(fitted.coefficients[2], fitted.covariance[2, 2] ** 0.5, fitted.freedom)
        found, fits = found + (low > 0.0 or high < 0.0), fits + 1
        largest = max(largest, abs(float(fitted.coefficients[2] / fitted.covariance[2, 2] ** 0.5)))
    if fits < 5:
        return Check(name, None, "not possible: too few periods before the start")
    share = 100.0 * found / fits
    said = "about what chance finds" if share <= 10.0 else "more than chance finds (5): changes come without a policy, so distrust this one"
    if largest >= own:
        said += "; a false date shows as large a change as the true one"
    return Check(name, share, said)


def _drawn(one: _Series, design: Array, without: Array, found: Regression, kept: Any) -> pl.DataFrame:
    rows = []
    x = one.periods.x
    for t in range(len(one.y)):
        row = {"series": "observed", "x": x[t], "observed": one.y[t]}
        if kept[t]:
            row["predicted"] = float(design[t] @ found.coefficients)
        rows.append(row)
    for t in range(one.start, len(one.y)):
        estimate, low, high = _combined(found, without[t])
        rows.append({"series": "without the change", "x": x[t], "predicted": estimate, "low": low, "high": high})
    return predicted_frame(rows)


def _words(terms: list[Term], one: _Series, unit: str) -> str:
    by = {term.term: term for term in terms}
    level, bend, mean = by["level change"], by["slope change"], by["mean effect since the start"]
    when, per = one.periods.say(one.start), one.periods.unit
    digits = max(0, min(4, 2 - int(np.floor(np.log10(max(float(np.ptp(one.y)), 1e-9))))))
    parts = []
    if level.settled():
        way = "fell" if level.estimate < 0.0 else "rose"
        parts.append(f"From {when} on the level {way} by {_magnitude(level, digits)} {unit}")
    else:
        parts.append(f"At {when} no change of level can be told from chance: {level.words(digits)} {unit}")
    if bend.settled():
        way = "downward" if bend.estimate < 0.0 else "upward"
        parts.append(f"the course then turned {way} by {_magnitude(bend, digits + 1)} a {per}")
    else:
        parts.append(f"no change of slope can be told from chance ({bend.words(digits + 1)} a {per})")
    said = ("; ".join(parts)) + ". "
    if mean.settled():
        side = "lower" if mean.estimate < 0.0 else "higher"
        said += f"On average since then it was {side} than the earlier line would have been by {_magnitude(mean, digits)}."
    else:
        said += f"On average since then it cannot be told apart from the earlier line carried on: {mean.words(digits)}."
    return said + " The line before may not have gone on as it was, and whatever else began then counts too."


def _magnitude(term: Term, digits: int) -> str:
    low, high = sorted((abs(term.low), abs(term.high)))
    return f"{abs(term.estimate):,.{digits}f} (95 % interval {low:,.{digits}f} to {high:,.{digits}f})"
