"""Examines a stranger's table: what each column seems to be, what is missing, which rows cannot be right, and how to mend it."""

import datetime
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from painlab.errors import InputError
from painlab.records import findings, tabular
from painlab.records.cells import order_evidence, settled_order, trimmed
from painlab.records.findings import Finding
from painlab.records.profiling import DATES, NUMBERS, SAMPLED, Seen, plain_name, role_of, shares
from painlab.records.rules import CELL, EITHER_ORDER, Rule, as_text, column_rules, date_styles, prepared, row_rules, staged
from painlab.records.tabular import Layout
from painlab.tables import printable

if TYPE_CHECKING:
    from painlab.records.cleaning import Cleaned

_KEYS: Final = (
    "person",
    "date",
    "drug",
    "strength",
    "quantity",
    "days",
    "pain",
    "dose",
    "birth",
    "sex",
    "age",
    "condition",
    "drug code",
    "unit",
    "route",
)
_FIELDS: Final = {
    "person": "person", "date": "date", "drug": "drug", "strength": "strength", "unit": "strength_unit", "route": "route",
    "quantity": "quantity", "days": "days_supply",
}  # fmt: skip
_COLUMNS_AT_ONCE: Final = 40
_PREFERRED_DATE: Final = ("fill", "disp", "sold", "supply", "exposure", "service", "svc", "issue", "date", "presc", "order")
USES: Final = (
    ("Prescriptions to MME", ("person", "date", "drug", "quantity", "days")),
    ("Pain over time", ("person", "date", "pain")),
    ("Demand over time, before and after a change", ("date", "any number")),
    ("Who the patients are", ("person", "age or date of birth", "sex", "condition")),
)
_CALLED: Final = {
    "days": "days' supply",
    "drug": "drug name",
    "pain": "pain score",
    "condition": "condition code",
    "person": "person identifier",
}


@dataclass(frozen=True)
class Examination:
    """What is known of a table after it was read; made by `examine`."""

    path: Path
    layout: Layout
    rows: int
    """Rows of data, blank ones not counted."""
    seen: tuple[Seen, ...]
    found: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    roles: Mapping[str, str]
    """The column that plays each part: {"person": "PAT_ID", ...}; to be given to `painlab.records.read` as its columns."""

    @property
    def columns(self) -> pl.DataFrame:
        """A row for each column: column, seems, filled (share of rows), example, by (what it was told by)."""
        rows = [(one.column, one.words, one.filled, one.example, one.by) for one in self.seen]
        schema = {"column": pl.String, "seems": pl.String, "filled": pl.Float64, "example": pl.String, "by": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")

    @property
    def findings(self) -> pl.DataFrame:
        """A row for each finding: key, column, what, rows, first_rows, mend, grave (the rows cannot be believed as they stand)."""
        schema: dict[str, Any] = {
            "key": pl.String, "column": pl.String, "what": pl.String, "rows": pl.Int64, "first_rows": pl.List(pl.UInt32),
            "mend": pl.String, "grave": pl.Boolean,
        }  # fmt: skip
        return pl.DataFrame([tuple(one) for one in self.found], schema=schema, orient="row")

    @property
    def mapping(self) -> dict[str, str]:
        """The columns of a fill, as `painlab.records.read` takes them: {"person": "PAT_ID", ...}."""
        return {field: column for field, column in ((_FIELDS.get(role, ""), column) for role, column in self.roles.items()) if field}

    @property
    def questions(self) -> tuple[str, ...]:
        """What only a person can settle."""
        return tuple(f"{one.column}: {one.what}. {one.mend}." for one in self.found if one.key in {"ambiguous", "mixed order"})

    @property
    def uses(self) -> pl.DataFrame:
        """What the table can be used for: use, ready, lacks."""
        rows = [(use, not (lacks := self._lacking(needed)), ", ".join(lacks)) for use, needed in USES]
        return pl.DataFrame(rows, schema={"use": pl.String, "ready": pl.Boolean, "lacks": pl.String}, orient="row")

    def _lacking(self, needed: Iterable[str]) -> list[str]:
        lacking = []
        for one in needed:
            has = {
                "any number": any(seen.role in NUMBERS for seen in self.seen),
                "age or date of birth": "age" in self.roles or "birth" in self.roles,
            }.get(one, one in self.roles)
            if not has:
                lacking.append(_CALLED.get(one, one))
        return lacking

    def text(self) -> str:
        """The whole examination in plain words."""
        lines = [self.heading(), "", "Columns"]
        lines += [
            f"  {one.column}: {one.words}, {one.filled:.0%} filled{f', such as {one.example}' if one.example else ''}" for one in self.seen
        ]
        lines += ["", "What it can be used for", *(f"  {line}" for line in self.readiness())]
        for title, grave in (("Rows that cannot be right", True), ("Worth knowing", False)):
            told = [str(one) for one in self.found if one.grave is grave]
            lines += ["", title, *(f"  {one}" for one in told or ["Nothing found."])]
        return "\n".join(lines)

    def heading(self) -> str:
        """File, size and how it is written, in a line."""
        return f"{printable(str(self.path))}: {self.rows:,} rows, {len(self.seen)} columns; {self.layout}."

    def readiness(self) -> list[str]:
        """For each use a sentence: ready, or what is missing."""
        told = []
        for use, ready, lacks in self.uses.rows():
            sentence = f"{use}: {'every column it needs is there' if ready else f'missing: {lacks}'}."
            if use == USES[0][0] and ready:
                sentence += (
                    "" if "strength" in self.roles else " There is no strength: it must stand in the drug's name (oxycodone 5 mg tablet)."
                )
                told += [sentence, f"Read it by {self.reading()}"]
            else:
                told.append(sentence)
        if "drug_exposure_id" in {one.column.lower() for one in self.seen}:
            told.append(
                "This seems to be drug_exposure of the OMOP common data model: painlab.records.omop(FOLDER) reads it with its companions."
            )
        return told

    def reading(self) -> str:
        """The line of Python that reads the table as fills."""
        orders = {one.order for one in self.seen if one.column == self.roles.get("date")} & {"dmy", "mdy"}
        columns = ", ".join(f"{json.dumps(field)}: {json.dumps(column, ensure_ascii=False)}" for field, column in self.mapping.items())
        return f'painlab.records.read("{self.path.name}", columns={{{columns}}}{"".join(f", dates={json.dumps(one)}" for one in orders)})'

    def __str__(self) -> str:
        return self.text()

    def as_dict(self) -> dict[str, Any]:
        """The examination as plain lists and mappings, for JSON."""
        return {
            "file": str(self.path), "rows": self.rows, "layout": self.layout._asdict() | {"in_words": str(self.layout)},
            "columns": self.columns.to_dicts(), "roles": dict(self.roles), "uses": self.uses.to_dicts(),
            "questions": list(self.questions), "findings": self.findings.to_dicts(),
        }  # fmt: skip

    def cleaned(self) -> "Cleaned":
        """A cleaned copy, not yet written; raises InputError while dates are ambiguous."""
        from painlab.records.cleaning import cleaned

        return cleaned(self)


def examine(path: Path | str, *, dates: str | None = None) -> Examination:
    """Read a table that nobody has described, and tell what is in it.

    What a column seems to be is told from its name and its first 20,000 values; counts and findings are over all rows, by streaming. Equal
    rows are looked for among the first 20 million.

    Parameters
    ----------
    path
        A CSV or Parquet file (see `painlab.records.tabular.sniff`).
    dates
        "dmy" or "mdy" for dates such as 03/04/2024; left out, the values settle it or it is asked about.

    Raises
    ------
    InputError
        If the file is no table, or has no rows.

    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "fills.csv"
    >>> rows = ["PAT_ID,fill_date,drug,qty,days", "7,2024-01-31,oxycodone 5 mg,60,15000", "7,2024-02-28,oxycodone 5 mg,-6,30"]
    >>> written = table.write_text("\\n".join(rows))
    >>> for finding in examine(table).found:
    ...     print(finding)
    qty, row 3: below 0 units in one fill. A reversal of an earlier fill, or a slip: find which.
    days, row 2: above 400 days' supply in one fill. Probably a slip, or two columns exchanged.
    """
    if dates not in {None, "dmy", "mdy"}:
        raise InputError(f'dates is "{dates}"', expected='"dmy" (31/01/2024) or "mdy" (01/31/2024)', mend="Leave it out to be asked")
    layout = tabular.sniff(path)
    frame = as_text(path, layout)
    names = [name for name in frame.collect_schema() if name not in {"row", "surplus"}]
    sample = tabular.collected(frame.head(SAMPLED), path)
    if sample.is_empty():
        columns = ", ".join(layout.names[:8]) + (" and more" if len(layout.names) > 8 else "")
        raise InputError(
            "there is a header and no row of data", where=f"{printable(str(path))}, row {layout.header_row}", expected="rows of data",
            mend=f"Export it again; the columns are {columns}",
        )  # fmt: skip
    told = {name: role_of(name, shares(sample, name, layout.decimal)) for name in names}
    roles = parts({name: role for name, (role, _) in told.items()})
    for name, (role, by) in told.items():
        if role == "date" and name != roles["date"]:
            told[name] = ("other date", by)
        elif name in {roles.get("date"), roles.get("person")}:
            told[name] = ("date" if name == roles.get("date") else "person", by)
    seen, rows, styles = _over_all(frame, path, told, sample)
    seen = tuple(one._replace(order=dates) if dates and one.role in DATES else one for one in seen)
    today, native = datetime.date.today(), layout.encoding == "parquet"
    written = {} if native else dict(zip(layout.names, layout.header, strict=True))
    rules = list(row_rules(names, written))
    for one in seen:
        of_column = column_rules(one, one.column in roles.values(), layout.decimal, one.order, today, native)
        rules += [rule._replace(broken=rule.broken & ~pl.col("unread")) for rule in of_column]
    found = [*findings.file_findings(path, layout, rows), *findings.broken(prepared(frame, seen, rules, layout), path, rules)]
    found += findings.order_findings(seen, styles, dates)
    found += [*findings.people(frame, path, roles), *findings.equal_rows(frame, path, names, rows), *findings.private_findings(seen)]
    return Examination(Path(path), layout, rows, seen, tuple(found), tuple(rules), roles)


def parts(told: dict[str, str]) -> dict[str, str]:
    """Which column plays each part; of several dates the one whose name speaks of dispensing, else the first.

    >>> parts({"prescribed_date": "date", "fill_date": "date", "id": "number", "qty": "quantity"})
    {'person': 'id', 'date': 'fill_date', 'quantity': 'qty'}
    """
    chosen: dict[str, str] = {}
    for role in _KEYS:
        named = [name for name, one in told.items() if one == role]
        if role == "date":
            named = named or [name for name, one in told.items() if one == "other date"]
            named.sort(
                key=lambda name: next((at for at, word in enumerate(_PREFERRED_DATE) if word in plain_name(name)), len(_PREFERRED_DATE))
            )
        if role == "person" and not named:
            named = [
                name for name, one in told.items() if plain_name(name) in {"id", "uid"} and one in {"number", "code", "row number", "text"}
            ]
        if named:
            chosen[role] = named[0]
    return chosen


def _over_all(
    frame: pl.LazyFrame, path: Path | str, told: Mapping[str, tuple[str, str]], sample: pl.DataFrame
) -> tuple[tuple[Seen, ...], int, dict[str, dict[str, int]]]:
    """What each column seems to be, with counts over all rows; how many rows; and the styles of dates."""
    seen: list[Seen] = []
    rows, styles, names = 0, dict[str, dict[str, int]](), list(told)
    for at in range(0, len(names), _COLUMNS_AT_ONCE):
        some = names[at : at + _COLUMNS_AT_ONCE]
        asked: list[pl.Expr] = [pl.len().alias("rows")]
        for index, name in enumerate(some):
            text = trimmed(pl.col(name))
            asked += [text.is_not_null().sum().alias(f"filled {index}"), text.max().alias(f"last {index}")]
            if told[name][0] in DATES:
                asked += [expr.alias(f"style {index} {style}") for style, expr in date_styles(name).items()]
                asked += [expr.alias(f"order {index} {count}") for count, expr in order_evidence(pl.col(CELL + name)).items()]
        dated = [Seen(name, "text", 0.0, "", "", "") for name in some if told[name][0] in DATES]
        got = tabular.collected(staged(frame, dated, ".").select(asked), path).row(0, named=True)
        rows = int(got["rows"])
        for index, name in enumerate(some):
            role, by = told[name]
            styles[name] = {key.removeprefix(f"style {index} "): int(got[key] or 0) for key in got if key.startswith(f"style {index} ")}
            counts = [int(got.get(f"order {index} {count}") or 0) for count in ("three", "day_first", "month_first", "either")]
            order = settled_order(*counts)
            example = _example(sample[name], order == "ambiguous") or got[f"last {index}"] or ""
            seen.append(Seen(name, role, int(got[f"filled {index}"] or 0) / max(rows, 1), printable(example, 40), order, by))
    return tuple(seen), rows, styles


def _example(cells: pl.Series, ambiguous: bool) -> str | None:
    """The first value of a sample; the first date that may be read both ways where that is the question."""
    values = cells.str.strip_chars()
    some = values.filter(values.str.contains(EITHER_ORDER if ambiguous else ".").fill_null(False)).head(1)
    return some[0] if len(some) else None
