"""What every fit to data returns, and how it refuses: estimates with intervals, diagnostics, what its chart shows, a plain sentence.

Here too is what all fits need of a table: its columns found, rows with a gap counted, covariates turned into numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from painlab.errors import InputError
from painlab.narrative import plain
from painlab.tables import nearest

LEVEL: Final = 0.95
MOST_ROWS: Final = 5_000_000
"""Rows that a fit takes into memory; longer tables are to be summed up by person and week first."""
MOST_CATEGORIES: Final = 20
FEWEST_PEOPLE: Final = 10
"""Assumption: under ten people the spread between people is not estimated but guessed."""

Array = NDArray[np.float64]
Table = pl.DataFrame | pl.LazyFrame
KINDS: Final = ("course", "change", "interrupted", "forecast", "survival", "terms")
_PREDICTED: Final = {
    "series": pl.String, "x": pl.Float64, "observed": pl.Float64, "predicted": pl.Float64, "low": pl.Float64, "high": pl.Float64,
}  # fmt: skip


class Refused(InputError):
    """The data cannot bear the fit that was asked for; the message says why, by which rule, and what could be done instead.

    >>> print(Refused("there are 4 people", where="trajectories", expected="10 or more (assumption)", mend="Gather more."))
    trajectories: there are 4 people. Expected 10 or more (assumption). Gather more.
    """


class Term(NamedTuple):
    """One estimate with its 95 % interval, in a unit."""

    term: str
    estimate: float
    low: float
    high: float
    unit: str

    def words(self, digits: int = 1) -> str:
        """The estimate with its interval.

        >>> Term("slope", -0.42, -0.61, -0.2, "points").words(2)
        '-0.42 (95 % interval -0.61 to -0.20)'
        """
        return f"{plain(self.estimate, digits)} (95 % interval {plain(self.low, digits)} to {plain(self.high, digits)})"

    def settled(self, none: float = 0.0) -> bool:
        """Whether the whole interval lies on one side of no effect."""
        return bool(self.low > none or self.high < none)


class Check(NamedTuple):
    """One diagnostic: its value (None where there is no number) and what it says of the fit, in words."""

    check: str
    value: float | None
    verdict: str


@dataclass(frozen=True)
class Fit:
    """A statistical fit to data.

    estimates: term, estimate, low, high (95 % interval), unit. diagnostics: check, value, verdict. predicted: what the chart shows, by
    series and x (a number, or days since 1970-01-01 where `dated`): observed, predicted, low, high. kind: one of `KINDS`, the chart's form.
    sentence: the result in plain words. assumptions: what was taken for granted. further: other tables that belong to the result, by name.

    >>> one = Fit("Example", "Nothing changed.", (Term("change", 0.1, -1.0, 1.2, "points"),), (Check("people", 12.0, "enough"),))
    >>> one.estimates.row(0)
    ('change', 0.1, -1.0, 1.2, 'points')
    >>> print(one)
    Example
    Nothing changed.
    change: 0.10 (95 % interval -1.00 to 1.20) points
    people: 12; enough
    """

    title: str
    sentence: str
    terms: tuple[Term, ...] = field(repr=False)
    checks: tuple[Check, ...] = field(repr=False)
    predicted: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_PREDICTED), repr=False)
    kind: str = "terms"
    x_title: str = ""
    y_title: str = ""
    dated: bool = False
    assumptions: tuple[str, ...] = ()
    further: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def estimates(self) -> pl.DataFrame:
        """Estimates with their 95 % intervals: term, estimate, low, high, unit."""
        return pl.DataFrame(
            list(self.terms),
            {"term": pl.String, "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64, "unit": pl.String},
            orient="row",
        )

    @property
    def diagnostics(self) -> pl.DataFrame:
        """What was checked: check, value, verdict."""
        return pl.DataFrame(list(self.checks), {"check": pl.String, "value": pl.Float64, "verdict": pl.String}, orient="row")

    def term(self, name: str) -> Term:
        """One estimate by its term. Raises InputError with the nearest name if there is none."""
        found = next((one for one in self.terms if one.term == name), None)
        if found is None:
            known = [one.term for one in self.terms]
            raise InputError(
                f'there is no estimate "{name}"{nearest(name, known)}', where=self.title, expected=f"one of {', '.join(known)}"
            )
        return found

    def __str__(self) -> str:
        lines = [self.title, self.sentence]
        lines += [f"{one.term}: {one.words(2)} {one.unit}".rstrip() for one in self.terms]
        lines += [f"{one.check}: {'' if one.value is None else f'{one.value:.4g}; '}{one.verdict}" for one in self.checks]
        return "\n".join([*lines, *(f"Assumption: {one}" for one in self.assumptions)])


def predicted_frame(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Rows as a frame of what a chart shows: series, x, observed, predicted, low, high.

    >>> predicted_frame([{"series": "all", "x": 1, "observed": 2.0}]).row(0)
    ('all', 1.0, 2.0, None, None, None)
    """
    columns = {name: [row.get(name) for row in rows] for name in _PREDICTED}
    return pl.DataFrame(columns, schema=_PREDICTED, strict=False)


def gather(table: Table, columns: Sequence[str], where: str, most: int | None = None) -> tuple[pl.DataFrame, int]:
    """The columns that a fit needs, without rows that have a gap in one of them, and how many those were; at most `most` rows.

    Raises InputError for a column that is not there, a table that is empty, and one that is too long to fit.

    >>> gather(pl.DataFrame({"a": [1, None], "b": [2, 3]}), ("a",), "example")[1]
    1
    """
    if not isinstance(table, pl.DataFrame | pl.LazyFrame):
        raise InputError(f"the data are a {type(table).__name__}", where=where, expected="a polars frame")
    lazy = table.lazy()
    there = lazy.collect_schema()
    for name in columns:
        if name not in there:
            mend = "Name the column that holds it, or rename it."
            raise InputError(f'there is no column "{name}"{nearest(name, there)}', where=where, expected=f"{', '.join(columns)}", mend=mend)
    most = MOST_ROWS if most is None else most
    chosen = lazy.select(list(dict.fromkeys(columns))).head(most + 1).collect()  # once: a lazy table may be long in the making
    rows = chosen.height
    if rows > most:
        mend = "Sum it up by person and week first, or draw a sample of people."
        raise InputError(f"the table has more than {most:,} rows", where=where, expected=f"at most {most:,}", mend=mend)
    numbers = [name for name in chosen.columns if chosen.schema[name].is_float()]
    whole = chosen.with_columns(pl.col(numbers).fill_nan(None)).drop_nulls()
    infinite = [name for name in numbers if whole[name].is_infinite().any()]
    if infinite:
        raise InputError(f'the column "{infinite[0]}" holds an infinite number', where=where, expected="finite numbers")
    if whole.is_empty():
        raise Refused(f"no row has all of {', '.join(columns)}", where=where, expected="at least one whole row")
    return whole, rows - whole.height


def numbers_of(frame: pl.DataFrame, name: str, where: str) -> Array:
    """A column as an array of numbers; raises InputError if it holds something else."""
    column = frame[name]
    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        mend = "Turn it into numbers first (painlab.records reads a file's numbers)."
        raise InputError(f'the column "{name}" holds {column.dtype}, no numbers', where=where, expected="numbers", mend=mend)
    return np.asarray(column.cast(pl.Float64), dtype=np.float64)


def covariate_columns(frame: pl.DataFrame, names: Sequence[str], where: str) -> tuple[list[str], Array]:
    """Covariates as columns of numbers, shape (rows, columns), with their terms: numbers as they are, texts as indicators against the
    first in order of the alphabet. Raises InputError for a text column of more than 20 different values, Refused for a constant one.

    >>> covariate_columns(pl.DataFrame({"sex": ["f", "m", "f"], "age": [40, 50, 60]}), ("sex", "age"), "example")[0]
    ['sex m', 'age']
    """
    terms: list[str] = []
    columns: list[Array] = []
    for name in names:
        values = frame[name]
        if values.n_unique() < 2:
            raise Refused(f'the covariate "{name}" never varies', where=where, expected="a covariate with at least two values")
        if values.dtype.is_numeric() or values.dtype == pl.Boolean:
            terms.append(name)
            columns.append(numbers_of(frame, name, where))
            continue
        levels = [str(one) for one in values.cast(pl.String).unique().sort()]
        if len(levels) > MOST_CATEGORIES:
            raise InputError(
                f'the covariate "{name}" has {len(levels)} different values',
                where=where,
                expected=f"at most {MOST_CATEGORIES}",
                mend="Group them, or give a number.",
            )
        for level in levels[1:]:
            terms.append(f"{name} {level}")
            columns.append(np.asarray((values.cast(pl.String) == level).cast(pl.Float64), dtype=np.float64))
    return terms, np.column_stack(columns) if columns else np.empty((frame.height, 0))


def full_rank(matrix: Array, terms: Sequence[str], where: str) -> None:
    """Refuse a design in which one column is a sum of the others, naming the first such term.

    >>> full_rank(np.array([[1.0, 0.0], [1.0, 1.0]]), ("level", "arm"), "example")
    """
    scaled = matrix / np.maximum(np.abs(matrix).max(axis=0), 1e-300)
    if np.linalg.matrix_rank(scaled) == matrix.shape[1]:
        return
    first = next(n for n in range(1, matrix.shape[1] + 1) if np.linalg.matrix_rank(scaled[:, :n]) < n)
    raise Refused(
        f'"{terms[first - 1]}" says nothing that the terms before it do not say already, so it cannot be told apart from them',
        where=where,
        expected="terms of which none is a combination of others",
        mend="Leave one of them out.",
    )


def t_interval(estimate: float, error: float, freedom: float, level: float = LEVEL) -> tuple[float, float]:
    """An estimate's interval by Student's t.

    >>> [round(end, 2) for end in t_interval(1.0, 0.5, 10.0)]
    [-0.11, 2.11]
    """
    from scipy.stats import t

    half = float(t.ppf(0.5 + level / 2.0, max(freedom, 1.0))) * error
    return float(estimate - half), float(estimate + half)


def left_out_check(rows: int) -> tuple[Check, ...]:
    """The diagnostic that says how many rows were left out for a gap; none if there were none."""
    return (Check("rows left out", float(rows), "a needed value is missing in them"),) if rows else ()


def spoken(name: str) -> str:
    """A column's name as words.

    >>> spoken("mme_per_1000")
    'MME per 1000'
    """
    words = name.replace("_", " ").strip()
    return " ".join("MME" if word.lower() == "mme" else word for word in words.split(" "))
