"""What can be wrong with a fill, what is set aside for it, and what a fill gives a day.

A row with a fatal problem counts nowhere and is listed; any other problem is a flag on a row that counts.
"""

import datetime
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import polars as pl

from painlab import evidence
from painlab.records import drugs, names

PERSON_MISSING: Final = "person is missing"
DATE_UNREADABLE: Final = "date is missing or unreadable"
DATE_FUTURE: Final = "date is in the future"
DATE_EARLY: Final = "date is before 1990"
NOT_OPIOID: Final = "drug is not recognized as an opioid"
STRENGTH_MISSING: Final = "strength is missing"
STRENGTH_RANGE: Final = "strength is not above 0, or above any product known"
QUANTITY_MISSING: Final = "quantity is missing or unreadable"
QUANTITY_ZERO: Final = "quantity is 0"
QUANTITY_NEGATIVE: Final = "quantity is negative: a return, perhaps; what it may cancel still counts"
QUANTITY_LARGE: Final = "quantity is above 5,000"
DAYS_NEGATIVE: Final = "days' supply is negative"
DAYS_LONG: Final = "days' supply is above 400"
DAYS_UNUSUAL: Final = "days' supply is above 120"
DAYS_ASSUMED: Final = "days' supply is missing or 0: the quantity is spread over an assumed supply"
DAYS_FROM_END: Final = "days' supply is taken from the end date"
UNITS_ASSUMED: Final = "quantity is missing or 0: units a day are assumed"
NO_DAILY_DOSE: Final = "buprenorphine by this route has no daily dose here"
NO_FACTOR: Final = "no MME factor in this version for the drug as given"
DOSE_HIGH: Final = "dose is above 1,000 MME a day"
DOSE_IMPOSSIBLE: Final = "dose is above 10,000 MME a day"
SHIFTED: Final = "the row has more cells than the header, and may be shifted"
DUPLICATE: Final = "exact duplicate of an earlier row"

FATAL: Final = frozenset(
    {
        PERSON_MISSING, DATE_UNREADABLE, DATE_FUTURE, DATE_EARLY, NOT_OPIOID, drugs.TWO_OPIOIDS, STRENGTH_MISSING, STRENGTH_RANGE,
        QUANTITY_MISSING, QUANTITY_ZERO, QUANTITY_NEGATIVE, DAYS_NEGATIVE, DAYS_LONG, NO_DAILY_DOSE, NO_FACTOR, DOSE_IMPOSSIBLE, DUPLICATE,
        SHIFTED,
    }
)  # fmt: skip
"""Problems for which a row is set aside."""

OF_VERSION: Final = (NO_FACTOR, DOSE_HIGH, DOSE_IMPOSSIBLE)
"""Problems that hang on the version of the factors."""

MOST_DAYS: Final = 400.0
UNUSUAL_DAYS: Final = 120.0
LARGE_QUANTITY: Final = 5_000.0
HIGH_DOSE: Final = 1_000.0
IMPOSSIBLE_DOSE: Final = 10_000.0
FIRST_DATE: Final = datetime.date(1990, 1, 1)
"""Bounds of what is plausible: assumptions of the software."""

FENTANYL_PATCH_DAYS: Final = 3.0
"""Days that a fentanyl patch is worn: the CDC's file of 2018 counts so."""
BUPRENORPHINE_PATCH_DAYS: Final = 7.0
"""Days that a buprenorphine patch is worn: assumption, the weekly patches' label; those worn 3 or 4 days give less in all."""

BUPRENORPHINE: Final = "buprenorphine"
_NO_DAILY_DOSE: Final = (names.INJECTION, "implant")


class Band(NamedTuple):
    """A factor that holds above `low` up to and with `high` mg a day."""

    low: float
    high: float
    factor: float


@cache
def factors_of(version: str) -> dict[tuple[str, str], float]:
    """MME per unit of strength and unit of quantity, by ingredient and route; for drugs whose factor hangs on the dose see `bands_of`.

    A patch counts for the days it is worn, so that quantity times this, parted over the days' supply, is MME a day.
    """
    found = {}
    for row in evidence.mme_factors(version).iter_rows(named=True):
        if row["dose_from"] is None:
            times = {"MME/mg": 1.0, "MME/mcg": 1000.0, "MME per mcg/h": FENTANYL_PATCH_DAYS}[row["unit"]]
            found[row["drug"], row["route"]] = row["factor"] * times
    return found


@cache
def bands_of(version: str) -> dict[tuple[str, str], tuple[Band, ...]]:
    """Bands of the daily dose, rising, by ingredient and route: methadone's of 2016. The whole dose takes the factor of its band."""
    found: dict[tuple[str, str], list[Band]] = {}
    for row in evidence.mme_factors(version).iter_rows(named=True):
        if row["dose_from"] is not None:
            high = float("inf") if row["dose_to"] is None else row["dose_to"]
            found.setdefault((row["drug"], row["route"]), []).append(Band(row["dose_from"], high, row["factor"]))
    return {key: tuple(sorted(bands)) for key, bands in found.items()}


def key() -> pl.Expr:
    """Ingredient and route in one text."""
    return pl.concat_str(pl.col("ingredient"), pl.lit("|"), pl.col("route"))


def banded(version: str) -> pl.Expr:
    """Whether a row's factor hangs on the dose of the day."""
    return key().is_in([f"{ingredient}|{route}" for ingredient, route in bands_of(version)]).fill_null(False)


def whole_days() -> pl.Expr:
    """Days' supply rounded up to whole days; the dose in all stays what it is."""
    return pl.col("days_supply").ceil()


def units_a_day() -> pl.Expr:
    """Strength times units a day: mg a day, for patches mcg/h a day."""
    return pl.col("strength") * pl.col("quantity") / whole_days()


def mme_of_band(dose: pl.Expr, bands: tuple[Band, ...]) -> pl.Expr:
    """MME a day of a dose in mg a day: the whole dose takes the factor of its band."""
    value = pl.lit(None, dtype=pl.Float64)
    for band in reversed(bands):
        value = pl.when(dose <= band.high).then(dose * band.factor).otherwise(value)
    return value


def mme_a_day(version: str) -> pl.Expr:
    """MME a day of a fill by itself, null where the version has no factor."""
    plain = factors_of(version)
    codes = {f"{ingredient}|{route}": factor for (ingredient, route), factor in plain.items()}
    value = units_a_day() * key().replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.Float64)
    for (ingredient, route), bands in bands_of(version).items():
        value = pl.when(key() == f"{ingredient}|{route}").then(mme_of_band(units_a_day(), bands)).otherwise(value)
    return value


def buprenorphine_a_day() -> pl.Expr:
    """Buprenorphine, mg a day: never MME, since no version gives it a factor. A patch gives its mcg/h for 24 hours a day."""
    patch = units_a_day() * BUPRENORPHINE_PATCH_DAYS * 24.0 / 1000.0
    return pl.when(pl.col("ingredient") == BUPRENORPHINE).then(pl.when(pl.col("route") == names.PATCH).then(patch).otherwise(units_a_day()))


def assumed_days(as_needed_days: float) -> pl.Expr:
    """Days' supply where none is stated: patches last as long as they are worn, all else is spread over `as_needed_days`."""
    patches = pl.when(pl.col("ingredient") == BUPRENORPHINE).then(BUPRENORPHINE_PATCH_DAYS).otherwise(FENTANYL_PATCH_DAYS)
    return pl.when(pl.col("route") == names.PATCH).then(pl.col("quantity") * patches).otherwise(as_needed_days)


def own_problems(today: datetime.date) -> dict[str, pl.Expr]:
    """What a row's own figures show, whatever the version: a condition for each problem, of which the first of a kind is told."""
    opioid, strength, quantity, days = pl.col("ingredient").is_not_null(), pl.col("strength"), pl.col("quantity"), pl.col("days_supply")
    patch = pl.col("route") == names.PATCH
    limits, hourly = (
        pl.col("ingredient").replace_strict(list(most), list(most.values()), default=float("inf"), return_dtype=pl.Float64)
        for most in (names.MOST_PER_UNIT, names.MOST_PER_HOUR)
    )
    most = pl.when(patch).then(hourly).otherwise(limits)
    return {
        PERSON_MISSING: pl.col("person").is_null(),
        DATE_UNREADABLE: pl.col("date").is_null(),
        DATE_FUTURE: pl.col("date") > today,
        DATE_EARLY: pl.col("date") < FIRST_DATE,
        NOT_OPIOID: ~opioid,
        STRENGTH_MISSING: opioid & strength.is_null() & ~pl.col("notes").list.contains(drugs.TWO_OPIOIDS),
        STRENGTH_RANGE: opioid & ((strength <= 0) | (strength > most)),
        QUANTITY_MISSING: opioid & quantity.is_null(),
        QUANTITY_ZERO: opioid & (quantity == 0),
        QUANTITY_NEGATIVE: opioid & (quantity < 0),
        QUANTITY_LARGE: opioid & (quantity > LARGE_QUANTITY),
        DAYS_NEGATIVE: opioid & (days < 0),
        DAYS_LONG: opioid & (days > MOST_DAYS),
        DAYS_UNUSUAL: opioid & (days > UNUSUAL_DAYS) & (days <= MOST_DAYS),
        NO_DAILY_DOSE: (pl.col("ingredient") == BUPRENORPHINE) & pl.col("route").is_in(_NO_DAILY_DOSE),
    }


def version_problems(version: str) -> dict[str, pl.Expr]:
    """What shows only with the factors of a version."""
    codes = [f"{ingredient}|{route}" for ingredient, route in (*factors_of(version), *bands_of(version))]
    opioid = (
        pl.col("ingredient").is_not_null() & (pl.col("ingredient") != BUPRENORPHINE) & ~pl.col("notes").list.contains(drugs.TWO_OPIOIDS)
    )
    sound = (pl.col("strength") > 0) & (pl.col("quantity") > 0) & (pl.col("days_supply") > 0)
    dose = mme_a_day(version)
    return {
        NO_FACTOR: opioid & ~key().is_in(codes),
        DOSE_HIGH: sound & (dose > HIGH_DOSE) & (dose <= IMPOSSIBLE_DOSE),
        DOSE_IMPOSSIBLE: sound & (dose > IMPOSSIBLE_DOSE),
    }


def marks(conditions: dict[str, pl.Expr]) -> pl.Expr:
    """The conditions that hold as bits of one number, the first condition the lowest."""
    bits = [condition.fill_null(False).cast(pl.UInt32) * (1 << place) for place, condition in enumerate(conditions.values())]
    return pl.sum_horizontal(bits).cast(pl.UInt32)


def fatal_marks(problems: Sequence[str]) -> int:
    """The bits of those problems for which a row is set aside."""
    return sum(1 << place for place, problem in enumerate(problems) if problem in FATAL)


def told(marked: pl.Expr, problems: Sequence[str], before: pl.Expr) -> pl.Expr:
    """The problems whose bit is set, as a list of texts, after those of a list of texts.

    Rows with the same bits have the same texts: they are put together once a batch, however many rows there are.
    """

    def batch(given: pl.Series) -> pl.Series:
        distinct = given.unique()
        lists = [[problem for place, problem in enumerate(problems) if bits >> place & 1] for bits in distinct.to_list()]
        table = pl.DataFrame([distinct.alias("bits"), pl.Series("problems", lists, dtype=pl.List(pl.String))])
        return given.to_frame("bits").join(table, on="bits", how="left", maintain_order="left")["problems"]

    return pl.concat_list(before, marked.map_batches(batch, return_dtype=pl.List(pl.String), is_elementwise=True))


def none_fatal(problems: pl.Expr) -> pl.Expr:
    """Whether a list of problems has none for which a row is set aside."""
    return problems.list.set_intersection(pl.lit(sorted(FATAL), dtype=pl.List(pl.String))).list.len() == 0


def restated(fills: pl.LazyFrame, version: str) -> pl.LazyFrame:
    """The fills with problems and `usable` as they are under a version, whichever they were read with.

    A row that was set aside for nothing but another version's factors is taken back; one set aside for a reason of its own stays so.
    """
    own = pl.col("problems").list.set_difference(pl.lit(list(OF_VERSION), dtype=pl.List(pl.String)))
    only_version = ~pl.col("usable") & (pl.col("problems").list.len() > own.list.len()) & none_fatal(own)
    fresh = version_problems(version)
    names_of = list(fresh)
    marked = fills.with_columns(notes=own, taken_back=only_version).with_columns(marks=marks(fresh))
    return marked.with_columns(
        problems=told(pl.col("marks"), names_of, pl.col("notes")),
        usable=(pl.col("usable") | pl.col("taken_back")) & (pl.col("marks") & fatal_marks(names_of) == 0),
    ).drop("notes", "taken_back", "marks")
