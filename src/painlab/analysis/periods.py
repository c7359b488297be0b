"""The periods of a time series: months, weeks, days or years in a column, without gap or repeat, as evenly spaced numbers."""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl

from painlab.analysis.fit import Array, Refused
from painlab.errors import InputError

YEAR: Final = {"month": 12, "week": 52, "quarter": 4}
"""Periods in a year, where a year has a season; a year of weeks has 52.18, which matters after some years only."""
_DAYS: Final = {7: "week", 1: "day"}
_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True)
class Periods:
    """Evenly spaced periods: their unit (month, quarter, week, day, year or step), and each as it stood in the table."""

    unit: str
    values: tuple[Any, ...]

    @property
    def dated(self) -> bool:
        """Whether periods are dates."""
        return isinstance(self.values[0], date)

    @property
    def x(self) -> Array:
        """Each period as a chart takes it: days since 1970-01-01, or the number itself."""
        return np.array([_number(one) for one in self.values], dtype=np.float64)

    @property
    def season(self) -> int:
        """Periods in a year; 1 where the unit knows no season."""
        return YEAR.get(self.unit, 1)

    def place(self, value: Any, where: str) -> int:
        """Place of the first period that does not lie before a date or number. Raises InputError if it is neither or lies outside."""
        asked = _asked(value, self.dated, where)
        found = next((place for place, one in enumerate(self.values) if one >= asked), None)
        if found is None or asked < self.values[0]:
            problem = f"{value} is not among the periods"
            raise InputError(problem, where=where, expected=f"{self.say(0)} to {self.say(len(self.values) - 1)}")
        return found

    def say(self, place: int) -> str:
        """A period in words."""
        value = self.values[place]
        return f"{value:%Y-%m}" if self.unit in ("month", "quarter") else str(value)

    def after(self, count: int) -> "Periods":
        """The next periods after the last."""
        last = self.values[-1]
        if self.unit in ("month", "quarter"):
            step = {"month": 1, "quarter": 3}[self.unit]
            months = [last.year * 12 + last.month - 1 + step * number for number in range(1, count + 1)]
            return Periods(self.unit, tuple(date(month // 12, month % 12 + 1, last.day) for month in months))
        apart: Any = timedelta(days={"week": 7, "day": 1}[self.unit]) if self.dated else _step(self.values)
        return Periods(self.unit, tuple(last + apart * number for number in range(1, count + 1)))


def periods_of(column: pl.Series, where: str) -> Periods:
    """The periods of a sorted column of dates or whole numbers.

    Raises InputError for one that comes twice or is no date and no number, Refused for a gap or for uneven steps.

    >>> periods_of(pl.Series([date(2024, 1, 1), date(2024, 2, 1), date(2024, 3, 1)]), "example").unit
    'month'
    >>> periods_of(pl.Series([2010, 2011, 2012]), "example").after(2).values
    (2013, 2014)
    """
    if column.dtype.is_temporal():
        column = column.cast(pl.Date)
    elif not column.dtype.is_numeric():
        mend = "Turn it into dates first (painlab.records reads a file's dates)."
        raise InputError(f'"{column.name}" holds {column.dtype}', where=where, expected="dates or whole numbers", mend=mend)
    elif (column % 1 != 0).any():
        raise InputError(f'"{column.name}" holds fractions', where=where, expected="dates or whole numbers, such as years")
    else:
        column = column.cast(pl.Int64)
    values = column.to_list()
    if len(values) < 2:
        raise Refused(f"there {'is one period' if values else 'are no periods'}", where=where, expected="a series over time")
    for before, after in pairwise(values):
        if after == before:
            mend = "Name the column of groups, or sum them up first."
            raise InputError(f"{before} comes twice", where=where, expected="one row for each period", mend=mend)
    if column.dtype == pl.Date:
        return Periods(_unit(values, where), tuple(values))
    steps = set(np.diff(values).tolist())
    if len(steps) > 1:
        raise _gap(values, int(min(steps)), where)
    return Periods("year" if 1900 <= values[0] <= 2200 and steps == {1} else "step", tuple(values))


def _unit(values: list[date], where: str) -> str:
    if len({one.day for one in values}) == 1 and (values[1] - values[0]).days > 27:
        months = [one.year * 12 + one.month for one in values]
        steps = set(np.diff(months).tolist())
        for step, unit in ((1, "month"), (3, "quarter")):
            if steps == {step}:
                return unit
        if 1 in steps or 3 in steps:
            place = next(n for n, step in enumerate(np.diff(months).tolist()) if step != min(steps))
            raise Refused(
                f"there is no row between {values[place]:%Y-%m} and {values[place + 1]:%Y-%m}",
                where=where,
                expected="each period from the first to the last",
                mend="Add what is missing; if nothing was prescribed, say 0.",
            )
        if steps == {12}:
            raise Refused("the dates are a year apart", where=where, expected="years as whole numbers", mend="Give the year, such as 2012.")
    days = np.diff([one.toordinal() for one in values]).tolist()
    if set(days) <= {7} or set(days) <= {1}:
        return _DAYS[days[0]]
    raise _gap(values, int(min(days)), where)


def _gap(values: list[Any], step: int, where: str) -> Refused:
    place = next(n for n in range(len(values) - 1) if _number(values[n + 1]) - _number(values[n]) != step)
    unit = "days " if isinstance(values[0], date) else ""
    return Refused(
        f"there is no row between {values[place]} and {values[place + 1]}, though others are {step} {unit}apart",
        where=where,
        expected="evenly spaced periods",
        mend="Add what is missing; if nothing was prescribed, say 0.",
    )


def _number(value: Any) -> float:
    return float((value - _EPOCH).days) if isinstance(value, date) else float(value)


def _step(values: tuple[Any, ...]) -> int:
    return int(values[1] - values[0])


def _asked(value: Any, dated: bool, where: str) -> Any:
    try:
        if dated:
            return value if isinstance(value, date) else date.fromisoformat(str(value) if len(str(value)) > 7 else f"{value}-01")
        return int(value)
    except ValueError:
        wanted = "a date such as 2018-01-01, or a month such as 2018-01" if dated else "a whole number such as 2018"
        raise InputError(f'the start is "{value}"', where=where, expected=wanted) from None
