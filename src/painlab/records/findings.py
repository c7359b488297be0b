"""What is amiss with a table as a whole: how it is written, dates that may mean two days, rows and people that stand there twice."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from painlab.records import encodings, tabular
from painlab.records.cells import trimmed
from painlab.records.profiling import DATES, Seen
from painlab.records.rules import SHOWN, Rule, cell
from painlab.records.tabular import Layout

DUPLICATES_WITHIN: Final = 20_000_000
"""Rows among which equal rows are looked for; their hashes are held in memory, 12 bytes each."""

_COUNTED_AT_ONCE: Final = 200
_NAMES_SHOWN: Final = 5


class Finding(NamedTuple):
    """What was found amiss."""

    key: str
    column: str
    what: str
    rows: int
    """How many rows; 0 where the whole file is meant."""
    first_rows: tuple[int, ...]
    """The first few, as a spreadsheet numbers them."""
    mend: str
    grave: bool
    """Whether these rows cannot be believed as they stand."""

    def __str__(self) -> str:
        named = ", ".join(f"{row:,}" for row in self.first_rows)
        more = f" and {self.rows - len(self.first_rows):,} more" if self.rows > len(self.first_rows) else ""
        which = f"{self.rows:,} rows ({named}{more})" if self.rows > 1 else f"row {named}" if self.rows else ""
        where = ", ".join(part for part in (self.column, which) if part)
        return f"{where}{': ' if where else ''}{self.what}. {self.mend.rstrip('.')}."


def file_findings(path: Path | str, layout: Layout, rows: int) -> list[Finding]:
    """What is unusual in how the file is written."""
    found: list[Finding] = []

    def note(key: str, what: str, mend: str, *, count: int = 0, first: Sequence[int] = (), grave: bool = False) -> None:
        found.append(Finding(key, "", what, count, tuple(first[:SHOWN]), mend, grave))

    if layout.encoding not in {"utf-8", "utf-8-sig", "parquet"}:
        note("encoding", f"the file is written in {encodings.called(layout.encoding)}", "It is read so; a cleaned copy is UTF-8")
    if layout.nulls:
        note("nulls", f"the file holds {layout.nulls:,} NUL bytes", "They are left out; if names look cut off, export again")
    if layout.stray_quotes:
        stray = layout.stray_quotes
        what = "a quotation mark that opens or closes nothing; it is read as a letter"
        mend = 'Look at the row; a quotation mark inside a cell is written twice ("5"" needle")'
        note("stray quotes", what, mend, count=len(stray), first=stray, grave=True)
    if layout.header_row > 1:
        note("title lines", f"above the header, which is in row {layout.header_row}, stand lines that are left out", "Nothing to do")
    if not layout.header_row:
        mend = "Write a line of names above the data; until then the columns are called column_1, column_2 and so on"
        note("no header", "the first row holds data: there is no header", mend, grave=True)
    elif layout.header:
        _names_changed(layout, note)
    short, first = tabular.short_rows(path)
    if short:
        some = short <= rows // 2
        mend = (
            "Look whether a cell is missing in the middle"
            if some
            else "Nothing to do, if your system leaves out empty cells at a row's end"
        )
        note("short rows", "fewer cells than the header; the rest counts as empty", mend, count=short, first=first, grave=some)
    return found


def _names_changed(layout: Layout, note: object) -> None:
    assert callable(note)
    without = [name for name, text in zip(layout.names, layout.header, strict=True) if not text.strip()]
    if without:
        note("names missing", f"columns without a name are called {_listed(without)}", "Name them, if they are needed")
    again = [name for name, text in zip(layout.names, layout.header, strict=True) if text.strip() and name != " ".join(text.split())]
    if again:
        note(
            "names twice", f"columns whose name is there twice, or is PainLab's own, are called {_listed(again)}", "Give each its own name"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else "")


def broken(frame: pl.LazyFrame, path: Path | str, rules: Sequence[Rule]) -> list[Finding]:
    """The rules that rows break, each with its count and its first rows.

    Counts come first, for all rules in one pass or a few; then the rows of those that are broken, each until five are found.
    """
    counts: list[tuple[Rule, int]] = []
    for at in range(0, len(rules), _COUNTED_AT_ONCE):
        some = rules[at : at + _COUNTED_AT_ONCE]
        got = tabular.collected(frame.select(rule.broken.fill_null(False).sum().alias(str(i)) for i, rule in enumerate(some)), path)
        counts += [(rule, int(count)) for rule, count in zip(some, got.row(0), strict=True) if count]
    found: list[Finding] = []
    for rule, count in counts:
        rows = tabular.collected(frame.filter(rule.broken.fill_null(False)).select("row").head(SHOWN), path)["row"]
        found.append(Finding(rule.key, rule.column, rule.what, count, tuple(rows.to_list()), rule.mend, rule.grave))
    return found


def order_findings(seen: Sequence[Seen], styles: Mapping[str, Mapping[str, int]], dates: str | None) -> list[Finding]:
    """Dates that may mean two days, and columns in which dates are written in several ways."""
    found: list[Finding] = []
    settled = next((one for one in seen if one.role in DATES and one.order in {"dmy", "mdy"}), None)
    for one in seen:
        if one.role not in DATES:
            continue
        counts = {style: count for style, count in styles[one.column].items() if count}
        if len(counts) > 1:
            what = "dates are written in several ways: " + ", ".join(f"{count:,} {style}" for style, count in counts.items())
            found.append(Finding("date styles", one.column, what, 0, (), "A cleaned copy writes all of them as 2024-01-31", False))
        count = sum(count for style, count in counts.items() if style.startswith("day and month"))
        if one.order == "ambiguous":
            hint = f" In column {settled.column} the {'day' if settled.order == 'dmy' else 'month'} stands first" if settled else ""
            mend = f"Say --dates dmy if 03/04/2024 is the 3rd of April, --dates mdy if it is March 4 (in Python dates=...).{hint}"
            what = f"{count:,} dates such as {one.example} may mean two days, and no value settles which"
            found.append(Finding("ambiguous", one.column, what, 0, (), mend, True))
        if one.order == "mixed":
            what = f"of {count:,} dates with day and month as numbers some can only have the day first, others only the month"
            mend = "Two sources were joined: separate them, and export each with one order"
            found.append(Finding("mixed order", one.column, what, 0, (), mend, True))
    return found


def equal_rows(frame: pl.LazyFrame, path: Path | str, names: Sequence[str], rows: int) -> list[Finding]:
    """Rows that are equal to an earlier one in every cell."""
    whole = pl.struct(trimmed(pl.col(name)) for name in names).hash().alias("hash")
    held = tabular.collected(frame.head(DUPLICATES_WITHIN).select("row", whole), path)
    again = held.filter(~pl.col("hash").is_first_distinct())["row"]
    if again.is_empty():
        return []
    within = f" (looked for in the first {DUPLICATES_WITHIN:,})" if rows > DUPLICATES_WITHIN else ""
    mend = "A cleaned copy keeps them, and painlab.records.read counts such a fill once: see whether exports that overlap were joined"
    first = tuple(again.head(SHOWN).to_list())
    return [Finding("equal rows", "", f"equal to an earlier row in every cell{within}", len(again), first, mend, False)]


def people(frame: pl.LazyFrame, path: Path | str, roles: Mapping[str, str]) -> list[Finding]:
    """People written in several ways, and people who stand twice in a table with a row for each."""
    if "person" not in roles:
        return []
    name = roles["person"]
    each = frame.select("row", person=cell(name)).drop_nulls().group_by("person").agg(n=pl.len(), first=pl.col("row").min())
    alike = pl.col("person").str.to_lowercase().str.replace(r"\.0+$", "").str.replace_all(r"[\s\-_]", "").str.replace(r"^0+(\w)", "${1}")
    held = tabular.collected(each.with_columns(alike=alike), path)
    found: list[Finding] = []
    several = held.group_by("alike").agg(pl.len().alias("ways"), pl.col("person").sort(), pl.col("first").max()).filter(pl.col("ways") > 1)
    if several.height:
        several = several.sort("first")
        example = " and ".join(several["person"][0].head(2).to_list())
        whom = f"{several.height:,} people seem" if several.height > 1 else "one person seems"
        what = f"{whom} to be written in several ways, such as {example}"
        mend = "If they are the same people, write each in one way: PainLab takes them for different people"
        found.append(Finding("people alike", name, what, several.height, tuple(several["first"].head(SHOWN).to_list()), mend, True))
    twice = held.filter(pl.col("n") > 1)
    if not {"date", "drug"} & roles.keys() and twice.height and held.height >= 0.9 * int(held["n"].sum()):
        whom = f"{twice.height:,} people stand" if twice.height > 1 else "one person stands"
        what = f"{whom} there more than once, in a table that seems to have a row for each"
        first = tuple(twice["first"].sort().head(SHOWN).to_list())
        found.append(Finding("people twice", name, what, twice.height, first, "Keep one row for each", True))
    return found


def private_findings(seen: Sequence[Seen]) -> list[Finding]:
    """Columns that name people outright."""
    found = []
    for one in seen:
        if one.role in {"private", "birth"}:
            what = "this column tells who somebody is" if one.role == "private" else "dates of birth help to tell who somebody is"
            mend = "PainLab needs no names, addresses or full dates of birth (an age does): leave the column out before you share the file"
            found.append(Finding("private", one.column, what, 0, (), mend, False))
    return found
