"""Diagnosis codes (ICD-10-CM) to the conditions that PainLab knows, and the one that most patients of a table have."""

from typing import Final, NamedTuple

import polars as pl

from painlab import catalog
from painlab.analysis.fit import Refused, Table, gather

BEGINNINGS: Final = {
    "sciatica": ("M54.3", "M54.4", "M54.15", "M54.16", "M54.17", "M51.1"),
    "low_back_pain_persistent": ("M54.5",),
    "neck_pain": ("M54.2", "M54.12"),
    "shoulder_pain": ("M75", "M25.51"),
    "knee_osteoarthritis": ("M17",),
    "hip_osteoarthritis": ("M16",),
    "nerve_pain": ("M79.2", "G57", "G62", "E11.4", "B02.2"),
    "muscle_strain": ("S39.01", "M62.6"),
    "surgery": ("G89.12", "G89.18"),
    "injury": ("G89.11", "S", "T14"),
}
"""Beginnings of codes by condition; the longest that fits a code counts. An assumption of PainLab: a code says where it hurts and seldom
for how long, so low back pain is taken for persistent unless the user states the condition."""


class Found(NamedTuple):
    """The condition that most people have, their share of those with a code that PainLab knows, and how many have none."""

    condition: str
    share: float
    people: int
    unknown: int
    counts: pl.DataFrame


def condition_of_codes(diagnoses: Table, *, person: str = "person", code: str = "code") -> Found:
    """The condition that most people of a table of diagnoses have, by ICD-10-CM codes with or without a point.

    A person counts once for each condition. Raises Refused if no code is known.

    >>> found = condition_of_codes(pl.DataFrame({"person": [1, 2, 2, 3], "code": ["M54.50", "M5441", "M54.5", "Z00.0"]}))
    >>> found.condition, found.people, found.unknown
    ('low_back_pain_persistent', 2, 1)
    """
    frame, _ = gather(diagnoses, [person, code], "diagnoses")
    plain = pl.col(code).cast(pl.String).str.to_uppercase().str.replace_all(r"[.\s]", "")
    known = pl.lit(None, dtype=pl.String)
    pairs = [(start, condition) for condition, starts in BEGINNINGS.items() for start in starts]
    for start, condition in sorted(pairs, key=lambda pair: len(pair[0])):  # the longest comes last, and so outermost
        known = pl.when(plain.str.starts_with(start.replace(".", ""))).then(pl.lit(condition)).otherwise(known)
    told = frame.with_columns(condition=known)
    coded = told.drop_nulls("condition")
    counts = coded.group_by("condition").agg(people=pl.col(person).n_unique()).sort("people", "condition", descending=True)
    if counts.is_empty():
        raise Refused(
            f"none of the {frame.height:,} codes is one that PainLab knows a condition for",
            where="diagnoses",
            expected="ICD-10-CM codes such as M54.5 (low back pain)",
            mend=f"State the condition: one of {', '.join(catalog.conditions())}.",
        )
    people = int(coded[person].n_unique())
    first = counts.row(0, named=True)
    return Found(str(first["condition"]), first["people"] / people, people, int(told[person].n_unique()) - people, counts)
