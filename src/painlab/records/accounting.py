"""What became of every row: counted, counted with a flag, or set aside, and why."""

import datetime
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from painlab.records import plausibility
from painlab.records.fills import SCHEMA, as_fills
from painlab.records.persons import batches, by_person, streamed
from painlab.tables import printable

_IDENTITY: Final = ("person", "date", "drug", "strength", "quantity", "days_supply")
_ROWS: Final = 400_000
_NAMES_TOLD: Final = 5


@dataclass(frozen=True)
class Coverage:
    """How much of a table counts, in numbers and in plain sentences (`print` it).

    `reasons` has one row for each problem: problem, rows, set_aside (whether such rows are set aside). A row may have several.
    `unrecognized` has the names that were not recognized as opioids, with their rows, most frequent first.
    """

    factors: str
    rows: int
    counted: int
    buprenorphine: int
    people: int
    first: datetime.date | None
    last: datetime.date | None
    reasons: pl.DataFrame
    unrecognized: pl.DataFrame

    @property
    def set_aside(self) -> int:
        """Rows that count nowhere."""
        return self.rows - self.counted

    def __str__(self) -> str:
        if not self.rows:
            return "The table has no rows: there is nothing to count."
        aside = f"{self.set_aside:,} {'is' if self.set_aside == 1 else 'are'} set aside" if self.set_aside else "none is set aside"
        lines = [f"{_rows(self.rows)} read; {self.counted:,} {'counts' if self.counted == 1 else 'count'} under {self.factors}; {aside}."]
        if self.counted:
            who = "1 person" if self.people == 1 else f"{self.people:,} people"
            lines.append(f"What counts is of {who}, filled from {self.first} to {self.last}.")
        else:
            lines.append("No row counts: no dose can be worked out from this table as it is.")
        if self.buprenorphine:
            lines.append(f"{_rows(self.buprenorphine)} of what counts is buprenorphine, shown apart in mg and in no MME.")
        for aside_too, start in ((True, "Set aside, by reason"), (False, "Counted, but flagged")):
            told = self.reasons.filter(pl.col("set_aside") == aside_too)
            if told.height:
                parts = "; ".join(f"{row['problem']} ({_rows(row['rows'])})" for row in told.iter_rows(named=True))
                lines.append(f"{start}: {parts}.")
        if self.unrecognized.height:
            some = ", ".join(
                f"{printable(row['drug'] or 'no name', 60)} ({row['rows']:,})" for row in self.unrecognized.iter_rows(named=True)
            )
            lines.append(f"Most frequent names not recognized as opioids: {some}. Look for an opioid among them.")
        return "\n".join(lines)


def coverage(fills: pl.LazyFrame | pl.DataFrame, factors: str = "CDC 2022") -> Coverage:
    """Count what a table of fills gives to doses under a version of the factors, and what it does not, and why.

    Raises InputError for an unknown version, or fills without a needed column.

    >>> table = pl.DataFrame({"person": ["a", "b"], "date": ["2024-01-31", "2024-02-01"], "drug": ["oxycodone 5 mg", "morphine 15 mg"],
    ...                       "quantity": [60, 0], "days": [30, 30]})
    >>> from painlab.records import read
    >>> print(coverage(read(table)))
    2 rows read; 1 counts under CDC 2022; 1 is set aside.
    What counts is of 1 person, filled from 2024-01-31 to 2024-01-31.
    Set aside, by reason: quantity is 0 (1 row).
    """
    plausibility.factors_of(factors)
    frame = streamed(as_fills(fills), lambda rows: plausibility.restated(rows, factors))
    tally = _Tally()
    counted = buprenorphine = people = repeated = 0
    first: datetime.date | None = None
    last: datetime.date | None = None
    for piece in by_person(map(tally.sound, batches(frame.select("row", "ingredient", "usable", "problems", *_IDENTITY))), _ROWS):
        once = piece.unique(_IDENTITY, keep="first")
        repeated += piece.height - once.height
        counted += once.height
        buprenorphine += int((once["ingredient"] == plausibility.BUPRENORPHINE).sum())
        people += once["person"].n_unique()
        low, high = once.select(low=pl.col("date").min(), high=pl.col("date").max()).row(0) if once.height else (None, None)
        first, last = _outer(min, first, low), _outer(max, last, high)
    tally.problems.update({plausibility.DUPLICATE: repeated} if repeated else {})
    reasons = pl.DataFrame(list(tally.problems.items()), schema={"problem": pl.String, "rows": pl.Int64}, orient="row")
    frequent = sorted(tally.unrecognized.items(), key=lambda one: (-one[1], one[0] or ""))[:_NAMES_TOLD]
    unrecognized = pl.DataFrame(frequent, schema={"drug": pl.String, "rows": pl.Int64}, orient="row")
    aside = pl.col("problem").is_in([*plausibility.FATAL, _UNTOLD])
    reasons = reasons.with_columns(set_aside=aside).sort("set_aside", "rows", "problem", descending=[True, True, False])
    return Coverage(factors, tally.rows, counted, buprenorphine, people, first, last, reasons, unrecognized)


def problems(fills: pl.LazyFrame | pl.DataFrame, factors: str = "CDC 2022") -> pl.DataFrame:
    """Every row with something wrong, one line for each problem, in the order of the table.

    Returns
    -------
    DataFrame
        `row` (as a spreadsheet numbers it), `person`, `date`, `drug`, `problem`, `set_aside` (true where the problem is one for which a row
        counts nowhere). A row that is not here counts.

    Raises
    ------
    InputError
        For an unknown version, or fills without a needed column.

    >>> table = pl.DataFrame({"person": ["a", "a"], "date": ["2024-01-31"] * 2, "drug": ["oxycodone 5 mg"] * 2, "quantity": [60, 60],
    ...                       "days": [30, 30]})
    >>> from painlab.records import read
    >>> problems(read(table)).select("row", "problem", "set_aside").rows()
    [(3, 'exact duplicate of an earlier row', True)]
    """
    plausibility.factors_of(factors)
    frame = streamed(as_fills(fills), lambda rows: plausibility.restated(rows, factors))
    untold = ~(pl.col("usable") & (pl.col("days_supply") > 0).fill_null(False)) & plausibility.none_fatal(pl.col("problems"))
    columns = ["row", "person", "date", "drug", "problem"]

    def listed(rows: pl.LazyFrame) -> pl.LazyFrame:
        every = pl.when(untold).then(pl.concat_list("problems", pl.lit(_UNTOLD))).otherwise(pl.col("problems"))
        told = rows.with_columns(problem=every).filter(pl.col("problem").list.len() > 0)
        return told.explode("problem", empty_as_null=False).select(columns)

    parts = [pl.concat([listed(pl.LazyFrame(schema=SCHEMA)).collect(), *batches(streamed(frame, listed))])]
    for piece in by_person(batches(_sound(frame)), _ROWS):
        repeated = piece.filter(~pl.struct(_IDENTITY).is_first_distinct())
        parts.append(repeated.with_columns(problem=pl.lit(plausibility.DUPLICATE)).select(columns))
    aside = pl.col("problem").is_in([*plausibility.FATAL, _UNTOLD])
    return pl.concat(parts).with_columns(set_aside=aside).sort("row", "problem")


_UNTOLD: Final = "marked as not usable, or without days' supply"


class _Tally:
    """Counts over the batches of a table, which pass through it once."""

    def __init__(self) -> None:
        self.rows = 0
        self.problems: Counter[str] = Counter()
        self.unrecognized: Counter[str | None] = Counter()

    def sound(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Count a batch, and give on those of its rows that count."""
        self.rows += batch.height
        counts = pl.col("usable") & (pl.col("days_supply") > 0).fill_null(False)
        told = batch.filter(pl.col("problems").list.len() > 0).select(counts.alias("counts"), "drug", problem="problems")
        each = told.explode("problem", empty_as_null=False)
        fatal = pl.col("problem").is_in(sorted(plausibility.FATAL))
        self.problems.update(dict(each.filter(fatal | pl.col("counts")).group_by("problem").len().iter_rows()))
        self.unrecognized.update(dict(each.filter(problem=plausibility.NOT_OPIOID).group_by("drug").len().iter_rows()))
        untold = batch.filter(~counts & plausibility.none_fatal(pl.col("problems"))).height
        self.problems.update({_UNTOLD: untold} if untold else {})
        return batch.filter(counts).drop("usable", "problems")


def _sound(frame: pl.LazyFrame) -> pl.LazyFrame:
    return frame.filter(pl.col("usable") & (pl.col("days_supply") > 0)).select("row", "ingredient", *_IDENTITY)


def _outer(which: Callable[..., datetime.date], *days: datetime.date | None) -> datetime.date | None:
    known = [day for day in days if day is not None]
    return which(known) if known else None


def _rows(count: int) -> str:
    return f"{count:,} {'row' if count == 1 else 'rows'}"
