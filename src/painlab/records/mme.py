"""From fills to a dose: daily and weekly morphine milligram equivalents (MME) of each person, and the demand of a population.

Each fill is an interval of days with a dose a day; a week's dose is worked out from the days by which intervals and week overlap, so that
no day is written out. Doses are added in billionths of a unit, as whole numbers: the sum is the same whatever the order, and 50 is 50. MME
say how much is dispensed in a common unit: exposure as prescribed, never a guide for changing a drug.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import polars as pl
from polars.io.plugins import register_io_source

from painlab.errors import InputError
from painlab.records import plausibility
from painlab.records.fills import as_fills
from painlab.records.persons import batches, by_person, streamed
from painlab.tables import nearest

OVERLAPS: Final = ("add", "extend")
_WEEKLY_ROWS: Final = 400_000
_DAILY_ROWS: Final = 60_000
_IDENTITY: Final = ("person", "day", "drug", "strength", "quantity", "days_supply")
_MOST_PEOPLE: Final = 1_000_000_000
_BILLIONTHS: Final = 1_000_000_000
_MONDAY: Final = 3
"""Days by which 1 January 1970, a Thursday, follows a Monday."""


def daily_mme(fills: pl.LazyFrame | pl.DataFrame, factors: str = "CDC 2022", *, overlaps: str = "add") -> pl.LazyFrame:
    """MME of each person on each day with an opioid, lazily.

    Parameters
    ----------
    fills
        Fills as `read` or `Omop.fills` give them; rows that are not `usable` and exact duplicates do not count (`coverage` tells them).
    factors
        "CDC 2016", "CDC 2018" or "CDC 2022". In 2016 methadone's factor goes by its whole dose of the day.
    overlaps
        "add": a fill counts from its date, and fills that overlap add up. "extend": a refill of the same drug, route and strength that
        comes early starts when the supply before it ends; fills of different drugs or strengths still add up. Which holds is an assumption
        either way: among 9.4 million prescriptions 42 % overlapped, and mean daily MME varied threefold by such definitions (Dasgupta
        2021, doi:10.1097/AJP.0000000000000948).

    Returns
    -------
    LazyFrame
        `person`, `date`, `mme` (MME/day), `buprenorphine_mg` (mg/day, set apart, since no version gives it a factor). Days without either
        are left out. Days' supply is taken as whole days, rounded up, with the dose in all unchanged.

    Raises
    ------
    InputError
        For an unknown version or rule, or fills without a needed column.

    >>> import datetime
    >>> fills = pl.DataFrame({"person": ["a"], "date": [datetime.date(2024, 1, 31)], "ingredient": ["oxycodone"], "strength": [5.0],
    ...                       "quantity": [8.0], "days_supply": [2.0]})
    >>> daily_mme(fills).collect().rows()  # 5 mg, 4 a day, 1.5 MME a mg
    [('a', datetime.date(2024, 1, 31), 30.0, 0.0), ('a', datetime.date(2024, 2, 1), 30.0, 0.0)]
    """
    return _lazily("date", _days, _counted(fills, factors, overlaps), factors, overlaps, _DAILY_ROWS)


def weekly_mme(fills: pl.LazyFrame | pl.DataFrame, factors: str = "CDC 2022", *, overlaps: str = "add") -> pl.LazyFrame:
    """Mean MME/day of each person in each week with an opioid, lazily.

    Parameters, rules and errors are those of `daily_mme`.

    Returns
    -------
    LazyFrame
        `person`, `week` (its Monday), `mme` (mean MME/day over the seven days), `buprenorphine_mg` (mean mg/day, apart). Weeks without
        either are left out. A long table goes by person through a temporary folder and never lies in memory as a whole: collect with
        `engine="streaming"`, sink it to a file, or hand it to `demand`.

    >>> import datetime
    >>> fills = pl.DataFrame({"person": ["a"], "date": [datetime.date(2024, 2, 1)], "ingredient": ["oxycodone"], "strength": [5.0],
    ...                       "quantity": [56.0], "days_supply": [14.0]})
    >>> weekly_mme(fills).select("week", "mme").collect().rows()[0]  # from Thursday: 30 MME on four of the seven days
    (datetime.date(2024, 1, 29), 17.142857143)
    """
    return _lazily("week", _weeks, _counted(fills, factors, overlaps), factors, overlaps, _WEEKLY_ROWS)


def demand(weekly: pl.LazyFrame | pl.DataFrame, people: int) -> pl.DataFrame:
    """What a population of `people` is dispensed, week by week.

    Parameters
    ----------
    weekly
        What `weekly_mme` gives.
    people
        How many people the records cover: not only those with a fill, but everyone who would be in them. At least as many as have one.

    Returns
    -------
    DataFrame
        From the first week with an opioid to the last, without gaps: `week` (Monday), `mme_per_1000` (MME/day per 1,000 people),
        `on_opioids`, `dose_50_plus`, `dose_90_plus` (% of the people with any MME in the week, and with a mean of 50 and 90 MME/day or
        more over it), `patients` (how many had any). Buprenorphine counts in none. The first weeks lack what was dispensed before the
        records begin, the last ones what was dispensed after they end: leave out a month or two at either end before you read a trend.

    Raises
    ------
    InputError
        If `people` is not a whole number from 1, or is less than the patients of a week.

    >>> import datetime
    >>> weekly = pl.DataFrame({"person": ["a", "b"], "week": [datetime.date(2024, 1, 1)] * 2, "mme": [60.0, 20.0]})
    >>> demand(weekly, people=100).rows()
    [(datetime.date(2024, 1, 1), 800.0, 2.0, 1.0, 0.0, 2)]
    """
    if isinstance(people, bool) or not isinstance(people, int) or not 1 <= people <= _MOST_PEOPLE:
        raise InputError(f"people is {people!r}", expected=f"a whole number from 1 to {_MOST_PEOPLE:,}", mend="Change people.")
    frame = weekly.lazy()
    missing = [name for name in ("person", "week", "mme") if name not in frame.collect_schema()]
    if missing:
        raise InputError(f"the weekly doses have no column {' or '.join(missing)}", mend="Hand in what weekly_mme gives.")
    with_any = pl.col("mme") > 0
    sums = frame.group_by("week").agg(
        total=_billionths("mme").sum(), patients=with_any.sum(), high=(pl.col("mme") >= 50).sum(), higher=(pl.col("mme") >= 90).sum()
    )
    found = sums.filter(pl.col("patients") > 0).sort("week").collect(engine="streaming")
    most = int(found["patients"].max() or 0)  # type: ignore[arg-type]
    if most > people:
        mend = "Say how many people the records cover, those without a fill too."
        raise InputError(f"people is {people:,}, but {most:,} had an opioid in one week", expected=f"{most:,} or more", mend=mend)
    if found.height:
        weeks = pl.DataFrame({"week": pl.date_range(found["week"][0], found["week"][-1], "1w", eager=True)})
        found = weeks.join(found, on="week", how="left", maintain_order="left").with_columns(pl.exclude("week").fill_null(0))
    return found.select(
        "week",
        mme_per_1000=pl.col("total") / _BILLIONTHS * 1000.0 / people,
        on_opioids=pl.col("patients") * 100.0 / people,
        dose_50_plus=pl.col("high") * 100.0 / people,
        dose_90_plus=pl.col("higher") * 100.0 / people,
        patients=pl.col("patients").cast(pl.Int64),
    )


def _counted(fills: pl.LazyFrame | pl.DataFrame, factors: str, overlaps: str) -> pl.LazyFrame:
    """The usable fills in the few columns that doses need."""
    if overlaps not in OVERLAPS:
        raise InputError(f'overlaps is "{overlaps}"{nearest(str(overlaps), OVERLAPS)}', expected='"add" or "extend"')
    plausibility.factors_of(factors)
    dose = pl.when(~plausibility.banded(factors)).then(plausibility.mme_a_day(factors)).fill_null(0.0)

    def step(rows: pl.LazyFrame) -> pl.LazyFrame:
        counted = plausibility.restated(rows, factors).filter(pl.col("usable") & (pl.col("days_supply") > 0))
        return counted.select(
            "person",
            "row",
            "strength",
            "quantity",
            "days_supply",
            day=pl.col("date").cast(pl.Int32),
            days=plausibility.whole_days().cast(pl.Int32),
            drug=pl.col("drug").hash(0),
            product=pl.concat_str(plausibility.key(), pl.col("strength").cast(pl.String), separator="|").hash(0),
            band=pl.when(plausibility.banded(factors)).then(plausibility.key()),
            mg=plausibility.units_a_day(),
            mme=dose,
            buprenorphine_mg=plausibility.buprenorphine_a_day().fill_null(0.0),
        )

    return streamed(as_fills(fills), step)


def _lazily(
    time: str, spread: Callable[[pl.DataFrame], pl.DataFrame], counted: pl.LazyFrame, factors: str, overlaps: str, rows: int
) -> pl.LazyFrame:
    """A frame that works the doses out piece by piece when it is read."""

    def pieces(
        with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        del batch_size
        left = n_rows
        for fills in by_person(batches(counted), rows):
            persons = fills["person"].unique(maintain_order=True)
            numbered = fills.with_columns(person=pl.col("person").rle_id())  # a piece is sorted by person, and numbers group faster
            doses = spread(_intervals(numbered, factors, overlaps))
            doses = doses.with_columns(persons.gather(doses["person"]).alias("person"))
            if predicate is not None:
                doses = doses.filter(predicate)
            if with_columns is not None:
                doses = doses.select(with_columns)
            if left is not None:
                doses = doses.head(left)
                left -= doses.height
            yield doses
            if left == 0:
                return

    schema: dict[str, Any] = {"person": pl.String(), time: pl.Date(), "mme": pl.Float64(), "buprenorphine_mg": pl.Float64()}
    return register_io_source(pieces, schema=schema)


def _intervals(fills: pl.DataFrame, factors: str, overlaps: str) -> pl.DataFrame:
    """person, start and end (days from 1970, end not included), mme and buprenorphine_mg a day; duplicates out, early refills moved."""
    fills = fills.unique(_IDENTITY, keep="first", maintain_order=True)
    if overlaps == "extend":
        fills = fills.sort("person", "product", "day", "row")
        before = pl.col("days").cum_sum() - pl.col("days")
        start = ((pl.col("day") - before).cum_max() + before).over("person", "product")
    else:
        start = pl.col("day")
    fills = fills.with_columns(start=start).with_columns(end=pl.col("start") + pl.col("days"))
    plain = fills.filter(pl.col("band").is_null()).select("person", "start", "end", "mme", "buprenorphine_mg")
    bands = plausibility.bands_of(factors)
    parts = [plain, *(_banded(fills, f"{ingredient}|{route}", bands[ingredient, route]) for ingredient, route in bands)]
    return pl.concat(part for part in parts if part.height or part is plain)


def _banded(fills: pl.DataFrame, band: str, bands: tuple[plausibility.Band, ...]) -> pl.DataFrame:
    """Stretches of days with one total dose of a drug whose factor goes by the dose of the day."""
    own = fills.filter(pl.col("band") == band)
    steps = pl.concat([own.select("person", day="start", change="mg"), own.select("person", day="end", change=-pl.col("mg"))])
    steps = steps.group_by("person", "day").agg(pl.col("change").sum()).sort("person", "day")
    dose = pl.col("change").cum_sum().over("person").round(9)  # so that 40 mg made of 13.3 and 26.7 stays in its band
    stretches = steps.select("person", start="day", end=pl.col("day").shift(-1).over("person"), mg=dose).filter(pl.col("mg") > 0)
    return stretches.select("person", "start", "end", mme=plausibility.mme_of_band(pl.col("mg"), bands), buprenorphine_mg=pl.lit(0.0))


def _billionths(column: str) -> pl.Expr:
    return (pl.col(column) * _BILLIONTHS).round().cast(pl.Int64)


def _days(intervals: pl.DataFrame) -> pl.DataFrame:
    doses = intervals.lazy().with_columns(day=pl.int_ranges("start", "end", dtype=pl.Int32)).explode("day", empty_as_null=False)
    return _summed(doses, "day", 1).rename({"day": "date"})


def _weeks(intervals: pl.DataFrame) -> pl.DataFrame:
    """Days of overlap of interval and week, over seven, times the dose a day."""
    first, beyond = (pl.col("start") + _MONDAY) // 7, (pl.col("end") - 1 + _MONDAY) // 7 + 1
    doses = intervals.lazy().with_columns(number=pl.int_ranges(first, beyond, dtype=pl.Int32)).explode("number", empty_as_null=False)
    doses = doses.with_columns(week=pl.col("number") * 7 - _MONDAY)
    days = pl.min_horizontal(pl.col("end"), pl.col("week") + 7) - pl.max_horizontal(pl.col("start"), pl.col("week"))
    return _summed(doses.with_columns(days=days), "week", 7)


def _summed(doses: pl.LazyFrame, time: str, days: int) -> pl.DataFrame:
    """Mean doses a day over so many days, by person and day or week."""
    times = pl.col("days").cast(pl.Int64) if days > 1 else 1
    sums = doses.group_by("person", time).agg((_billionths(dose) * times).sum().alias(dose) for dose in ("mme", "buprenorphine_mg"))
    means = [(pl.col(dose) / (_BILLIONTHS * days)).round(9) for dose in ("mme", "buprenorphine_mg")]
    return sums.sort("person", time).select("person", pl.col(time).cast(pl.Date), *means).collect()
