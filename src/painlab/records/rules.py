"""What cannot be right in a table: rules on cells and on rows, each counted over the whole file, however large."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from painlab.records import tabular
from painlab.records.cells import day, filled, number, order_evidence, trimmed
from painlab.records.plausibility import FIRST_DATE, LARGE_QUANTITY, MOST_DAYS
from painlab.records.profiling import COUNTED, DATES, NUMBERS, PLACEHOLDER, SEX, WITH_UNIT, Seen
from painlab.records.tabular import Layout

SHOWN: Final = 5
"""Rows that a finding names."""

EARLIEST: Final = {"date": FIRST_DATE, "birth": datetime.date(1900, 1, 1), "other date": datetime.date(1900, 1, 1)}
"""Days before are taken for placeholders or slips: an assumption of the software, as are the bounds of numbers."""

BOUNDS: Final = {
    "days": (MOST_DAYS, "days' supply in one fill"),
    "quantity": (LARGE_QUANTITY, "units in one fill"),
    "strength": (1_000.0, "mg in one unit"),
    "dose": (5_000.0, "mg a day"),
    "pain": (100.0, "points of a pain score"),
    "age": (120.0, "years of age"),
}
_ABOVE_ZERO: Final = frozenset({"days", "quantity", "strength"})
_TOTALS: Final = (
    r"(?i)^\W*((grand |sub)?total\b|sum(me|ma)?\b|gesamt|totaal|total general|end of (report|file)|"
    r"[0-9][0-9,]* (rows?|records?)( (selected|affected))?\W*$|"
    r"(number of )?(rows|records)\b|report (run|generated|printed)|printed (on|by)|page [0-9]+( of [0-9]+)?\W*$|average\W*$|mean\W*$)"
)
_MOJIBAKE: Final = r"Ã[\u0080-\u00BF©¨«¤¶¼±³]|â€|Â[\u00A0-\u00BF]|\uFFFD"
_BROKEN: Final = r"^(#(REF|VALUE|NAME|DIV/0|NUM|NULL|N/A)[!?]?|#{3,})$"
_SHORTENED: Final = r"^[0-9]([.,][0-9]+)?[Ee]\+[0-9]+$"

_MONTH_NAMED: Final = r"^([0-9]{1,2}(st|nd|rd|th)?[-/. ]*[A-Za-z]{3,9}[-/., ]*[0-9]{2,4}|[A-Za-z]{3,9}[. ]+[0-9]{1,2}[, ]+[0-9]{4})($|[T ])"


class Rule(NamedTuple):
    """A rule: `broken` is true in the rows that break it."""

    key: str
    column: str
    broken: pl.Expr
    what: str
    mend: str
    grave: bool = True
    """Whether the row cannot be believed as it stands."""
    aside: bool = False
    """Whether a cleaned copy sets such rows aside, because they cannot be read."""


CELL: Final = "\x1fcell "
VALUE: Final = "\x1fvalue "
DAY: Final = "\x1fday "
"""Columns that rules share, so that each is worked out once; no column of a file is called so, since names hold no control letters."""


def cell(name: str) -> pl.Expr:
    """A column's cells, null where they are empty or hold a mark for "missing"."""
    return filled(pl.col(name).str.strip_chars().str.replace(PLACEHOLDER, ""))


def staged(frame: pl.LazyFrame, seen: Sequence[Seen], decimal: str) -> pl.LazyFrame:
    """A table with its cells as the rules need them: without marks for "missing", as numbers and as days."""
    figures = [one for one in seen if one.role in NUMBERS]
    cells = frame.with_columns(cell(one.column).alias(CELL + one.column) for one in seen)
    values = [number(pl.col(CELL + one.column), decimal).alias(VALUE + one.column) for one in figures]
    days = [day(pl.col(CELL + one.column), one.order).alias(DAY + one.column) for one in seen if one.role in DATES]
    return cells.with_columns(*values, *days).with_columns(_with_unit(one, decimal).alias(VALUE + one.column) for one in figures)


def _unread(name: str) -> pl.Expr:
    """The cells that are no number, null elsewhere, so that what is done to them costs little."""
    return pl.when(pl.col(VALUE + name).is_null()).then(pl.col(CELL + name))


def _with_unit(one: Seen, decimal: str) -> pl.Expr:
    """A column's numbers, also where a unit stands behind: "30 tablets", and "5 mg" where mg are meant."""
    behind = WITH_UNIT if one.role in {"strength", "dose"} else COUNTED
    return pl.col(VALUE + one.column).fill_null(number(_unread(one.column).str.extract(behind, 1), decimal))


def as_text(path: Path | str, layout: Layout) -> pl.LazyFrame:
    """A table whose columns are all text, without lists and structures."""
    frame = tabular.scan(path, layout)
    kept = [name for name, kind in frame.collect_schema().items() if not kind.is_nested() and kind not in (pl.Binary, pl.Object)]
    return frame.select(pl.col(name) if name == "row" else pl.col(name).cast(pl.String) for name in kept)


def prepared(frame: pl.LazyFrame, seen: Sequence[Seen], rules: Sequence[Rule], layout: Layout) -> pl.LazyFrame:
    """A table as the rules need it, with `unread`: whether a row is a total, a header or shifted, and is not looked at further."""
    unread = pl.any_horizontal(rule.broken.fill_null(False) for rule in rules if not rule.column and rule.aside)
    return staged(frame.with_columns(unread=unread), seen, layout.decimal)


def row_rules(names: Sequence[str], header: Mapping[str, str]) -> Iterator[Rule]:
    """Rules on whole rows."""
    first = pl.coalesce(*(trimmed(pl.col(name)) for name in names))
    filled = pl.sum_horizontal(pl.col(name).is_not_null() for name in names)
    yield Rule(
        "surplus", "", pl.col("surplus").is_not_null(), "more cells than the header: a cell with the delimiter in it has shifted the row",
        "Put such a cell in quotation marks, or take the delimiter out of it", aside=True,
    )  # fmt: skip
    if len(names) > 1:
        total = first.str.contains(_TOTALS) & (filled <= max(1, len(names) // 2, len(names) - 2))
        yield Rule(
            "totals", "", total, "a total or a footer, not data", "Delete it, or export without totals", aside=True,
        )  # fmt: skip
        written = [(name, text.strip()) for name, text in header.items() if text.strip()]
        if written:
            same = pl.sum_horizontal(trimmed(pl.col(name)) == text for name, text in written)
            again = same >= max(2, (len(written) + 1) // 2)
            yield Rule("header", "", again, "the header once more: several exports were joined", "Delete it", aside=True)


def column_rules(seen: Seen, key: bool, decimal: str, order: str, today: datetime.date, native: bool) -> Iterator[Rule]:
    """Rules on the cells of one column; `key` says whether it is the table's person, date, drug, quantity or days' supply."""
    name, role, text = seen.column, seen.role, pl.col(CELL + seen.column)
    if key and role in {"person", "date", "drug"}:
        yield Rule(
            f"no {role}", name, text.is_null(), f"no {seen.words}", "Fill it in at the source; the row cannot be used",
            aside=role == "person",
        )  # fmt: skip
    if role in {"person", "drug code", "code"}:
        yield Rule(
            "shortened", name, text.str.contains(_SHORTENED), "an identifier that a spreadsheet has shortened (such as 1.23E+11)",
            "Export again and load the column as text: the lost digits cannot be had back",
        )  # fmt: skip
    if role in {"date", "birth", "other date"}:
        yield from _date_rules(name, role, key, order, today)
    if role in NUMBERS:
        yield from _number_rules(name, role, decimal)
    if role == "sex" and not native:
        yield Rule("sex", name, text.is_not_null() & ~text.str.contains(SEX), "no sex that is known here", "Correct it", False)
    if not native:
        yield Rule(
            "mojibake", name, text.str.contains(_MOJIBAKE), "letters that were read in a wrong encoding (such as Ã©)",
            "Export again as UTF-8: what was wrong before the file was written is not guessed at", False,
        )  # fmt: skip
        yield Rule(
            "broken",
            name,
            pl.col(name).str.contains(_BROKEN),
            "a spreadsheet's error, or ####",
            "Mend the formula, widen the column, export again",
        )
        if role in {"text", "category", "code", "drug", "person", "private", "unit"}:
            formula = text.str.contains(r"^[=@＝＠]|^[+＋]\D|^-[A-Za-z(]")
            yield Rule(
                "formula", name, formula, "begins as a formula does (=, +, -, @)",
                "Nothing to do: PainLab never runs them, and writes them with an apostrophe before", False,
            )  # fmt: skip


def _date_rules(name: str, role: str, key: bool, order: str, today: datetime.date) -> Iterator[Rule]:
    text, when = pl.col(CELL + name), pl.col(DAY + name)
    waiting = text.str.contains(r"^[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ]([0-9]{4}|[0-9]{2})\b") if order not in {"dmy", "mdy"} else pl.lit(False)
    year_only = text.str.contains(r"^(19|20)[0-9]{2}$") if role == "birth" else pl.lit(False)
    yield Rule(
        "unreadable date", name, text.is_not_null() & when.is_null() & ~waiting & ~year_only, "no date that "
        "can be read, or no day of the calendar",
        "Write them as 2024-01-31", grave=key, aside=key,
    )  # fmt: skip
    yield Rule("future", name, when > today, f"after today ({today})", "Correct the year, or leave the row out")
    early = EARLIEST[role]
    yield Rule(
        "early", name, when < early, f"before {early}: a placeholder such as 1900-01-01, or a mistyped year", "Correct or empty it",
    )  # fmt: skip


def _number_rules(name: str, role: str, decimal: str) -> Iterator[Rule]:
    text, value = pl.col(CELL + name), pl.col(VALUE + name)
    other = "," if decimal == "." else "."
    crossed = number(_unread(name), other).is_not_null()
    sign = {",": "comma", ".": "point"}
    yield Rule(
        "decimal", name, crossed, f"a decimal {sign[other]}, where the others have decimal {sign[decimal]}s",
        f"Write all of them with decimal {sign[decimal]}s",
    )  # fmt: skip
    read_in_part = role == "strength"  # such as "5-325 mg", which the reader of fills reads
    unreadable = text.is_not_null() & value.is_null() & ~crossed
    if read_in_part:
        unreadable = unreadable & ~text.str.contains(r"[0-9]")
    yield Rule("unreadable number", name, unreadable, "no number", "Correct it; it counts as missing until then")
    if role in {"quantity", "days"}:
        thousands = text.str.contains(rf"^[0-9]{{1,3}}\{decimal}[0-9]{{3}}$") & ~text.str.ends_with(f"{decimal}000")
        what = f"a number such as 1{decimal}200, which may be 1.2 or one thousand two hundred; it is read as 1.2"
        yield Rule("thousands", name, thousands, what, "Write it without thousands separators")
    if role not in BOUNDS:
        return
    most, of = BOUNDS[role]
    if role in _ABOVE_ZERO:
        yield Rule("zero", name, value == 0.0, f"0 {of}", "Correct it: nothing was dispensed, or the figure is missing")
    yield Rule("negative", name, value < 0.0, f"below 0 {of}", "A reversal of an earlier fill, or a slip: find which")
    yield Rule("too large", name, value > most, f"above {most:,.0f} {of}", "Probably a slip, or two columns exchanged")


EITHER_ORDER: Final = r"^(0?[1-9]|1[0-2])[-/. ](0?[1-9]|1[0-2])[-/. ]([0-9]{4}|[0-9]{2})($|[T ])"
"""Dates that may be read both ways."""


def date_styles(column: str) -> dict[str, pl.Expr]:
    """How many of a column's cells are dates of each style, as expressions to aggregate."""
    text = pl.col(CELL + column)
    serial, compact = text.str.contains(r"^[2-6][0-9]{4}(\.[0-9]+)?$"), text.str.contains(r"^(19|20)[0-9]{6}$")
    return {
        "year first (2024-01-31)": text.str.contains(r"^[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}").sum(),
        "compact (20240131)": compact.sum(),
        "with the month's name (31 Jan 2024)": text.str.contains(_MONTH_NAMED).sum(),
        "Excel serial numbers (45322)": serial.sum(),
        "day and month as numbers (31/01/2024)": order_evidence(text)["three"],
    }
