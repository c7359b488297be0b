"""Fills that the software makes up, for examples, lessons and tests: no real person is behind them."""

import datetime
from typing import Final

import numpy as np
import polars as pl

from painlab.errors import InputError
from painlab.records import drugs
from painlab.records.fills import AS_NEEDED_DAYS, canonical

MOST_PEOPLE: Final = 1_000_000
_FIRST: Final = datetime.date(2023, 1, 2)
_DAYS: Final = 728

_PRODUCTS: Final = (
    ("HYDROCODONE-ACETAMINOPHEN 5-325 MG PO TABS", 4.0),
    ("oxyCODONE 5 MG Oral Tablet", 4.0),
    ("tramadol hydrochloride 50 MG Oral Tablet", 4.0),
    ("Percocet 10-325 mg", 3.0),
    ("acetaminophen-codeine 300-30 mg tablet", 4.0),
    ("morphine sulfate ER 15 mg tablet", 2.0),
    ("oxyCODONE ER 20 MG tablet", 2.0),
    ("FENTANYL 25 MCG/HR TD PT72", 1.0 / 3.0),
    ("METHADONE HCL 10 MG TABS", 2.0),
    ("Suboxone 8-2 mg film", 2.0),
)
"""A drug as an exporter would write it, and how many a day."""
_SHARES: Final = (0.28, 0.24, 0.18, 0.08, 0.10, 0.04, 0.03, 0.02, 0.01, 0.02)


def sample_fills(people: int = 200, seed: int = 1) -> pl.DataFrame:
    """Made-up fills of two years, in the columns that `read` gives: every person is called "made-up-..." and none exists.

    Three in five have one short course, one in four a few fills in a row, the rest monthly fills that go on for up to two years. Shares and
    doses are assumptions of the software, chosen to exercise it; they describe no population.

    Raises InputError unless people is a whole number from 1 to 1,000,000.

    >>> fills = sample_fills(people=3)
    >>> fills["person"].unique().sort().to_list()
    ['made-up-0000001', 'made-up-0000002', 'made-up-0000003']
    """
    if isinstance(people, bool) or not isinstance(people, int) or not 1 <= people <= MOST_PEOPLE:
        raise InputError(f"people is {people!r}", expected=f"a whole number from 1 to {MOST_PEOPLE:,}", mend="Change people.")
    chance = np.random.Generator(np.random.Philox(key=seed))
    kind = chance.choice(3, size=people, p=(0.6, 0.25, 0.15))
    fills = np.select([kind == 0, kind == 1], [1, chance.integers(2, 5, people)], chance.integers(6, 25, people))
    first = chance.integers(0, _DAYS, people)
    long_term = kind == 2
    product = np.where(long_term, chance.choice(len(_PRODUCTS), people), chance.choice(len(_PRODUCTS), people, p=_SHARES))
    per_day = np.array([units for _, units in _PRODUCTS])[product] * chance.choice((0.5, 1.0, 1.0, 1.5), people)
    person = np.repeat(np.arange(people), fills)
    place = np.arange(len(person)) - np.repeat(np.cumsum(fills) - fills, fills)
    patch = np.array(["TD PT72" in name for name, _ in _PRODUCTS])[product][person]
    supply = np.where(long_term[person] | patch, 30, chance.choice((3, 5, 7, 10, 14, 30), len(person)))
    gap = np.where(place == 0, 0, np.where(long_term[person], 30, 21) + chance.integers(-4, 8, len(person)))
    since = np.cumsum(gap)
    day = first[person] + since - np.repeat(since[np.cumsum(fills) - fills], fills)
    quantity = np.maximum(1, np.ceil(per_day[person] * supply))
    raw = pl.DataFrame(
        {
            "person": np.char.add("made-up-", np.char.zfill((person + 1).astype(str), 7)),
            "date": np.datetime64(_FIRST) + day.astype("timedelta64[D]"),
            "drug": np.array([name for name, _ in _PRODUCTS])[product[person]],
            "quantity": quantity,
            "days_supply": supply.astype(float),
        }
    ).filter(pl.col("date").cast(pl.Date) < _FIRST + datetime.timedelta(days=_DAYS))
    nothing = pl.lit(None, dtype=pl.String)
    named = raw.sort("date", "person").with_row_index("row", offset=2).lazy()
    named = named.with_columns(drugs.recognized(pl.col("drug"), nothing, nothing, nothing).struct.unnest())
    return canonical(named.with_columns(pl.col("date").cast(pl.Date)), "CDC 2022", AS_NEEDED_DAYS).collect()
