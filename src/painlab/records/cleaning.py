"""A cleaned copy of a table: what can be read written in one way, what cannot set aside with the reason, and each change listed."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from painlab.errors import InputError
from painlab.records import tabular
from painlab.records.cells import number, trimmed
from painlab.records.export import check_target, write_csv
from painlab.records.profiling import COUNTED, DATES, NUMBERS, Seen
from painlab.records.rules import CELL, DAY, as_text, prepared
from painlab.tables import printable

if TYPE_CHECKING:
    from painlab.records.doctor import Examination

_PLAIN_NUMBER: Final = {".": r"^-?[0-9]+(\.[0-9]+)?$", ",": r"^-?[0-9]+$"}
_WITH_TIME: Final = r"\d{1,2}:\d{2}"
_WITHOUT_PLACEHOLDERS: Final = NUMBERS | DATES | {"person", "drug"}


@dataclass(frozen=True)
class Cleaned:
    """A cleaned copy, lazily; made by `Examination.cleaned`."""

    source: Path
    frame: pl.LazyFrame
    """The table's columns, and `source_row`: the row in the file it came from."""
    set_aside: pl.LazyFrame
    """Rows that cannot be read: source_row, reason, and their cells as written; `surplus` is what stood beyond the last column."""
    changes: pl.LazyFrame
    """Each cell that was changed: source_row, column, was, now."""

    def write(self, path: Path | str, *, force: bool = False) -> dict[Path, int]:
        """Write OUT.csv, OUT.set-aside.csv and OUT.changes.csv; the rows of each.

        Text is neutralized as `painlab.records.write_csv` does. Raises InputError if a file is there and `force` is false, or if one of
        them is the table that was examined.
        """
        target = Path(path)
        stem = target.with_suffix("") if target.suffix.lower() == ".csv" else target
        written = {target: self.frame, _beside(stem, "set-aside"): self.set_aside, _beside(stem, "changes"): self.changes}
        for one in written:
            if one.exists() and self.source.exists() and one.samefile(self.source):
                mend = "Name another file for the cleaned copy"
                raise InputError("this is the table itself, which is never written over", where=printable(str(one)), mend=mend)
            check_target(one, force=force)
        counts: dict[Path, int] = {}
        for one, frame in written.items():
            write_csv(frame, one, force=force)
            counts[one] = int(tabular.collected(frame.select(pl.len()), self.source).item())
        return counts

    def summary(self) -> pl.DataFrame:
        """Changes by column: column, cells, first_row, was, now (of the first)."""
        first = pl.col("source_row").arg_min()
        every = self.changes.group_by("column").agg(
            cells=pl.len(), first_row=pl.col("source_row").min(), was=pl.col("was").get(first), now=pl.col("now").get(first)
        )
        return tabular.collected(every.sort("first_row", "column"), self.source)


def _beside(stem: Path, what: str) -> Path:
    return stem.with_name(f"{stem.name}.{what}.csv")


def cleaned(examined: "Examination") -> Cleaned:
    """A cleaned copy of an examined table, not yet written.

    Dates become 2024-01-31, numbers plain with a decimal point ("1,200" 1200, "7,5" 7.5, "30 tablets" 30), marks for "missing" empty in
    columns of people, dates, drugs and numbers, and spaces around cells are taken off. Rows that cannot be read (totals, repeated headers,
    shifted cells, no person, an unreadable date of the fill) are set aside. What is impossible but readable is kept as it is: which of two
    figures is wrong no software knows.

    Raises InputError while the order of day and month is ambiguous or mixed.
    """
    if examined.questions:
        raise InputError(
            "the cleaned copy waits for an answer", where=printable(str(examined.path)), mend=" ".join(examined.questions)
        )  # fmt: skip
    frame = as_text(examined.path, examined.layout)
    frame = prepared(frame, examined.seen, examined.rules, examined.layout)
    names = [one.column for one in examined.seen]
    key = "source_row" if "source_row" not in names else "row"
    aside = [rule for rule in examined.rules if rule.aside]
    reasons = pl.concat_str(
        [pl.when(rule.broken.fill_null(False)).then(pl.lit(_reason(rule.column, rule.what))) for rule in aside],
        separator="; ",
        ignore_nulls=True,
    )
    judged = frame.with_columns(reason=reasons)
    unread = pl.col("reason").fill_null("") != ""
    kept = judged.filter(~unread)
    roles = frozenset(examined.roles.values())
    now = {one.column: _mended(one, one.column in roles, examined.layout.decimal) for one in examined.seen}
    changed = [
        pl.when(pl.col(name).fill_null("") != expr.fill_null("")).then(
            pl.struct(pl.lit(name).alias("column"), pl.col(name).alias("was"), expr.alias("now"))
        )
        for name, expr in now.items()
    ]
    changes = kept.select(pl.col("row").alias("source_row"), change=pl.concat_list(changed).list.drop_nulls())
    changes = changes.filter(pl.col("change").list.len() > 0).explode("change").unnest("change")
    return Cleaned(
        examined.path,
        kept.select(*(expr.alias(name) for name, expr in now.items()), pl.col("row").alias(key)),
        judged.filter(unread).select(pl.col("row").alias(key), "reason", *names, "surplus"),
        changes,
    )


def _reason(column: str, what: str) -> str:
    return f"{column}: {what}" if column else what


def _mended(one: Seen, key: bool, decimal: str) -> pl.Expr:
    """A column's cells as a cleaned copy writes them; what cannot be read stays as it is."""
    text = pl.col(CELL + one.column) if one.role in _WITHOUT_PLACEHOLDERS else trimmed(pl.col(one.column))
    if one.role in DATES:
        when = pl.col(DAY + one.column).dt.to_string("%Y-%m-%d")
        timed = text.str.contains(_WITH_TIME) if one.role == "other date" else pl.lit(False)
        return pl.when(timed).then(text).otherwise(when.fill_null(text))
    if one.role in NUMBERS:
        value = number(text, decimal)
        if one.role not in {"strength", "dose", "number"}:
            value = value.fill_null(number(text.str.extract(COUNTED, 1), decimal))
        whole = value.is_not_null() & (value == value.floor()) & (value.abs() < 1e15)
        written = pl.when(whole).then(value.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(value.cast(pl.String))
        return pl.when(text.str.contains(_PLAIN_NUMBER[decimal])).then(text).otherwise(written.fill_null(text))
    return text
