"""Fills: what was dispensed to whom and when, read from a table of one row a fill into columns of one meaning and unit."""

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from painlab.errors import InputError
from painlab.records import drugs, plausibility, tabular
from painlab.records.columns import columns_of
from painlab.records.persons import streamed
from painlab.tables import nearest

ORDERS: Final = ("iso", "dmy", "mdy")
AS_NEEDED_DAYS: Final = 30.0
"""Days over which a quantity is spread where no days' supply is stated: an assumption of the software."""

SCHEMA: Final = {
    "person": pl.String(), "date": pl.Date(), "drug": pl.String(), "ingredient": pl.String(), "route": pl.String(),
    "strength": pl.Float64(), "strength_unit": pl.String(), "quantity": pl.Float64(), "days_supply": pl.Float64(), "row": pl.UInt32(),
    "problems": pl.List(pl.String), "usable": pl.Boolean(),
}  # fmt: skip
"""The columns of fills, in order."""

_LOOKED_AT: Final = 200_000


def read(
    table: str | Path | pl.DataFrame | pl.LazyFrame,
    columns: Mapping[str, str] | None = None,
    *,
    dates: str | None = None,
    factors: str = "CDC 2022",
    as_needed_days: float = AS_NEEDED_DAYS,
) -> pl.LazyFrame:
    """Read fills from a CSV or Parquet file, or from a frame, lazily.

    Parameters
    ----------
    table
        Path of a table with one row a fill (any encoding, delimiter and decimal sign that `scan` reads), or a frame.
    columns
        What the table calls each field, such as `{"person": "PAT_ID", "date": "FILL_DT"}`. Fields: person, date, drug, quantity (these
        four are needed), days_supply, strength, strength_unit, route. Common names are recognized where a field is left out; strength and
        route are read from the drug's name where they have no column.
    dates
        "dmy" or "mdy" for dates such as 03/04/2024, "iso" where none is written so. Told from the dates themselves if left out; where they
        do not tell, that is an error and no guess.
    factors
        Version of the MME factors with which doses are judged: "CDC 2016", "CDC 2018" or "CDC 2022".
    as_needed_days
        Days over which a quantity is spread where no days' supply is stated (as-needed use), 1 to 400; the row is flagged. The 30 days are
        an assumption. Patches last as long as they are worn instead: 3 days each (CDC 2018), of buprenorphine 7 (assumption).

    Returns
    -------
    LazyFrame
        One row for each row of the table, in columns `person` (String), `date` (Date), `drug` (as written), `ingredient` (lower case,
        null where no opioid is named), `route`, `strength` (mg per unit or per mL; mcg/h for patches), `strength_unit` ("mg", "mg/mL",
        "mcg/h"), `quantity` (units, mL or patches), `days_supply` (days, as counted), `row` (row in the file as a spreadsheet numbers it),
        `problems` (list of texts, [] where nothing is wrong) and `usable` (false where a problem sets the row aside). Exact duplicates show
        only where all rows of a person are together: in `problems`, `coverage` and the doses.

    Raises
    ------
    InputError
        If the file cannot be read, a needed column is missing, or the order of day and month is not clear.

    >>> table = pl.DataFrame({"patient": ["a", "a"], "date": ["2024-01-31", "2024-02-28"], "qty": [60, 30], "days": [30, 30],
    ...                       "drug": ["oxyCODONE 5 MG Oral Tablet", "aspirin"]})
    >>> read(table).select("ingredient", "strength", "problems", "usable").collect().rows()
    [('oxycodone', 5.0, [], True), (None, None, ['drug is not recognized as an opioid'], False)]
    """
    plausibility.factors_of(factors)
    check_days(as_needed_days)
    if dates is not None and dates not in ORDERS:
        raise InputError(f'dates is "{dates}"{nearest(str(dates), ORDERS)}', expected='"dmy", "mdy" or "iso"')
    if isinstance(table, (pl.DataFrame, pl.LazyFrame)):
        frame, decimal, where = numbered(table.lazy()), ".", "the table"
    else:
        path = Path(table)
        layout = tabular.sniff(path)
        frame, decimal, where = tabular.scan(path, layout), layout.decimal, path.name
    schema = frame.collect_schema()
    named = columns_of([name for name in schema if name not in {"row", "surplus"}], columns, where)
    order = dates or _order(frame, named["date"], schema[named["date"]], where)

    def cell(field: str) -> pl.Expr:
        return text(pl.col(named[field]), schema[named[field]]) if field in named else pl.lit(None, dtype=pl.String)

    def figure(field: str) -> pl.Expr:
        return numeric(pl.col(named[field]), schema[named[field]], decimal) if field in named else pl.lit(None, dtype=pl.Float64)

    date = dated(pl.col(named["date"]), schema[named["date"]], order)
    shifted = pl.col("surplus").is_not_null() if "surplus" in schema else pl.lit(False)

    def step(rows: pl.LazyFrame) -> pl.LazyFrame:
        raw = rows.select(
            product=drugs.recognized(cell("drug"), cell("strength"), cell("strength_unit"), cell("route")),
            person=cell("person"),
            date=date,
            drug=cell("drug"),
            quantity=figure("quantity"),
            days_supply=figure("days_supply"),
            row=pl.col("row").cast(pl.UInt32),
            shifted=shifted,
        )
        return canonical(raw.with_columns(pl.col("product").struct.unnest()).drop("product"), factors, as_needed_days)

    needed = [*dict.fromkeys([*named.values(), "row", *(["surplus"] if "surplus" in schema else [])])]
    return streamed(frame.select(needed), step)


def canonical(raw: pl.LazyFrame, factors: str, as_needed_days: float) -> pl.LazyFrame:
    """Fills with their problems, from a frame that has all of their columns but `problems` and `usable`, and `notes` on the drug."""
    opioid = pl.col("ingredient").is_not_null()
    assumed = opioid & (pl.col("days_supply").is_null() | (pl.col("days_supply") == 0)) & (pl.col("quantity") > 0)
    filled = raw.with_columns(
        days_supply=pl.when(assumed).then(plausibility.assumed_days(as_needed_days)).otherwise(pl.col("days_supply")),
        notes=pl.concat_list(pl.col("notes").fill_null([]), pl.when(assumed).then(pl.lit(plausibility.DAYS_ASSUMED))).list.drop_nulls(),
    )
    conditions = plausibility.own_problems(datetime.date.today()) | plausibility.version_problems(factors)
    if "shifted" in raw.collect_schema():
        conditions[plausibility.SHIFTED] = pl.col("shifted")
    problems = list(conditions)
    return (
        filled.with_columns(marks=plausibility.marks(conditions))
        .with_columns(
            problems=plausibility.told(pl.col("marks"), problems, pl.col("notes")),
            usable=(pl.col("marks") & plausibility.fatal_marks(problems) == 0) & ~pl.col("notes").list.contains(drugs.TWO_OPIOIDS),
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())
    )


def as_fills(fills: pl.LazyFrame | pl.DataFrame) -> pl.LazyFrame:
    """Fills that someone made or changed, with the columns that a dose needs checked and those that may be missing filled in.

    Raises InputError if a column is missing or of another type.
    """
    frame = fills.lazy()
    schema = frame.collect_schema()
    needed = ("person", "date", "ingredient", "strength", "quantity", "days_supply")
    missing = [name for name in needed if name not in schema]
    if missing:
        mend = "Read the table with painlab.records.read."
        raise InputError(f"the fills have no column {' or '.join(missing)}", expected=f"the columns {', '.join(SCHEMA)}", mend=mend)
    frame = frame if "row" in schema else numbered(frame)
    stand_ins = {
        "drug": pl.col("ingredient"),
        "route": pl.lit("oral"),
        "strength_unit": pl.lit("mg"),
        "problems": pl.lit([], dtype=pl.List(pl.String)),
        "usable": pl.lit(True),
    }
    frame = frame.with_columns(**{name: value for name, value in stand_ins.items() if name not in schema})
    if schema["date"] != pl.Date:
        raise InputError(
            f"the column date is {schema['date']}", where="fills", expected="dates", mend="Read the table with painlab.records.read."
        )
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def numbered(frame: pl.LazyFrame) -> pl.LazyFrame:
    """A frame with `row` as a spreadsheet would number it, unless it has that column."""
    return frame if "row" in frame.collect_schema() else frame.with_row_index("row", offset=2)


def text(cells: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Cells as text without blanks around, null where empty; whole numbers stored as fractions lose their ".0"."""
    if dtype.is_float():
        whole = cells.cast(pl.Int64, strict=False)
        cells = pl.when(whole == cells).then(whole.cast(pl.String)).otherwise(cells.cast(pl.String))
    stripped = cells.cast(pl.String).str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def numeric(cells: pl.Expr, dtype: pl.DataType, decimal: str) -> pl.Expr:
    """Cells as numbers, null where unreadable."""
    if dtype.is_numeric():
        value = cells.cast(pl.Float64)
        return pl.when(value.is_finite()).then(value)
    return _by_value(cells, lambda one: tabular.number(one, decimal), pl.Float64())


def dated(cells: pl.Expr, dtype: pl.DataType, order: str) -> pl.Expr:
    """Cells as days, null where unreadable."""
    if isinstance(dtype, (pl.Date, pl.Datetime)):
        return cells.cast(pl.Date)
    return _by_value(cells, lambda one: tabular.day(one, order), pl.Date())


def _by_value(cells: pl.Expr, read_cells: Callable[[pl.Expr], pl.Expr], dtype: pl.DataType) -> pl.Expr:
    """Read each text once a batch: dates and quantities are few, however many the rows."""

    def batch(given: pl.Series) -> pl.Series:
        frame = given.cast(pl.String).to_frame("cell")
        values = frame.unique().with_columns(read_cells(pl.col("cell")).cast(dtype).alias("value"))
        return frame.join(values, on="cell", how="left", nulls_equal=True, maintain_order="left")["value"]

    return cells.map_batches(batch, return_dtype=dtype, is_elementwise=True)


def _order(frame: pl.LazyFrame, column: str, dtype: pl.DataType, where: str) -> str:
    """Whether day or month stands first, told from the first rows, then from all; never guessed."""
    if dtype != pl.String:
        return "iso"
    cells = frame.select(pl.col(column))
    order = tabular.date_order(cells.head(_LOOKED_AT).collect(engine="streaming")[column])
    if order == "ambiguous":
        order = tabular.date_order(cells.unique().collect(engine="streaming")[column])
    if order in ORDERS:
        return order
    why = "no date tells whether day or month stands first" if order == "ambiguous" else "some dates have the day first, others the month"
    raise InputError(
        f'in column "{column}" {why}',
        where=where,
        expected="dates such as 2024-01-31, or one order throughout",
        mend='Say dates="dmy" or dates="mdy"; what the order cannot hold is then listed as unreadable',
    )


def check_days(days: float) -> None:
    """Raise InputError unless the days over which an as-needed quantity is spread are within bounds."""
    if isinstance(days, bool) or not isinstance(days, (int, float)) or not 1 <= days <= plausibility.MOST_DAYS:
        raise InputError(
            f"as_needed_days is {days!r}", expected=f"a number from 1 to {plausibility.MOST_DAYS:g}", mend="Change as_needed_days."
        )
