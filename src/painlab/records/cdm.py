"""The OMOP common data model (5.4): fills, people, conditions, procedures, measurements and visits, lazily."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from painlab.errors import InputError
from painlab.records import archive, drugs, plausibility, strengths
from painlab.records.archive import Place
from painlab.records.fills import AS_NEEDED_DAYS, canonical, check_days, dated, numeric, text
from painlab.records.names import PATCH
from painlab.records.persons import streamed
from painlab.tables import nearest, printable

TABLES: Final = (
    "person", "drug_exposure", "condition_occurrence", "procedure_occurrence", "measurement", "visit_occurrence", "observation_period",
    "death", "concept", "drug_strength",
)  # fmt: skip
"""What is read; a folder may hold more."""
_SEXES: Final = {"8507": "male", "8532": "female"}
_NO_CONCEPT: Final = "0"
_NOT_BEFORE: Final = 1900


@dataclass(frozen=True)
class Omop:
    """The tables of a folder or zip file; each method reads one of them lazily, and `print` says what is there.

    Columns of all: `person` (String), dates as Date, `concept_id` (Int64), `name` (of the concept, null without a vocabulary), `source`
    (the source value) and `row` (as a spreadsheet numbers the file's rows). Columns that a table lacks come out null.
    """

    path: Path
    places: dict[str, Place] = field(repr=False)

    def fills(
        self, factors: str = "CDC 2022", *, as_needed_days: float = AS_NEEDED_DAYS, units_per_day: float | None = None
    ) -> pl.LazyFrame:
        """Fills from DRUG_EXPOSURE, in the columns that `read` gives; every exposure is a row, opioid or not, with its problems.

        A drug is read from its concept's name in CONCEPT, or, where that says less, from the source value; its strength comes from
        DRUG_STRENGTH where that has it. Days' supply that is missing or 0 is taken from the end date, flagged; where there is none either,
        the quantity is spread over `as_needed_days`. A missing quantity stays missing, so that its row is set aside, unless
        `units_per_day` says how many tablets (or mL) a day to assume; patches then follow one another. Such rows are flagged: their dose
        is an assumption. Refills that a prescription allows are not counted: in OMOP each dispensing is a row of its own.

        Raises InputError if the table, its person or its start date is missing.
        """
        plausibility.factors_of(factors)
        check_days(as_needed_days)
        if units_per_day is not None and not (
            isinstance(units_per_day, (int, float)) and math.isfinite(units_per_day) and units_per_day > 0
        ):
            raise InputError(f"units_per_day is {units_per_day!r}", expected="a number above 0, or None to assume nothing")
        table = _Table(self, "drug_exposure", ("person_id",))
        concept, own = table.identity("drug_concept_id"), table.identity("drug_source_concept_id")
        name = self._name_of(table, concept, "drug_concept_id")
        own_name = self._name_of(table, own, "drug_source_concept_id")
        start, end = table.day("drug_exposure_start_date", needed=True), table.day("drug_exposure_end_date")
        route, source, nothing = table.text("route_source_value"), table.text("drug_source_value"), pl.lit(None, dtype=pl.String)
        quantity, stated_days = table.number("quantity"), table.number("days_supply")
        measured = self._measured(table.distinct(concept)).lazy()

        def step(rows: pl.LazyFrame) -> pl.LazyFrame:
            given = rows.select(
                person=table.text("person_id"), date=start, end=end, concept=concept, name=pl.coalesce(name, own_name), source=source,
                quantity=quantity, stated_days=stated_days, row=pl.col("row").cast(pl.UInt32),
                by_concept=drugs.recognized(pl.coalesce(name, own_name), nothing, nothing, route),
                by_source=drugs.recognized(source, nothing, nothing, route),
            )  # fmt: skip
            product = pl.when(_source_says_more()).then(pl.col("by_source")).otherwise(pl.col("by_concept"))
            fills = given.select(
                "person", "date", "end", "concept", "quantity", "stated_days", "row", product.struct.unnest(), _drug_as_written()
            )
            fills = fills.join(measured, on=["concept", "ingredient"], how="left", maintain_order="left").with_columns(
                strength=pl.coalesce("measured", "strength"), strength_unit=pl.coalesce("measured_unit", "strength_unit")
            )
            return canonical(_with_supply(fills, units_per_day), factors, as_needed_days)

        return streamed(table.frame, step)

    def persons(self) -> pl.LazyFrame:
        """PERSON: `person`, `sex` ("male", "female" or the source value), `born` (year, Int32), `died`, `observed_from`, `observed_to`, ...

        The last three are dates from DEATH and OBSERVATION_PERIOD, null where those are missing; `source` and `row` follow.
        """
        table = _Table(self, "person", ("person_id",))
        year = table.number("year_of_birth").cast(pl.Int32, strict=False)
        frame = table.frame.select(
            person=table.text("person_id"),
            sex=table.identity("gender_concept_id").replace_strict(_SEXES, default=table.text("gender_source_value").str.to_lowercase()),
            born=pl.when(year >= _NOT_BEFORE).then(year),
            source=table.text("person_source_value"),
            row=pl.col("row").cast(pl.UInt32),
        )
        frame = frame.join(self._of_person("death", {"died": ("death_date", "min")}), on="person", how="left", maintain_order="left")
        period = {"observed_from": ("observation_period_start_date", "min"), "observed_to": ("observation_period_end_date", "max")}
        frame = frame.join(self._of_person("observation_period", period), on="person", how="left", maintain_order="left")
        return frame.select("person", "sex", "born", "died", "observed_from", "observed_to", "source", "row")

    def conditions(self) -> pl.LazyFrame:
        """CONDITION_OCCURRENCE: `person`, `date`, `end`, `concept_id`, `name`, `source`, `row`."""
        return self._events("condition_occurrence", "condition", "condition_start_date", "condition_end_date")

    def procedures(self) -> pl.LazyFrame:
        """PROCEDURE_OCCURRENCE: `person`, `date`, `end`, `concept_id`, `name`, `source`, `quantity` (Float64), `row`."""
        return self._events("procedure_occurrence", "procedure", "procedure_date", "procedure_end_date", quantity="quantity")

    def measurements(self) -> pl.LazyFrame:
        """MEASUREMENT: `person`, `date`, `concept_id`, `name`, `value` (Float64), `unit` (the source's), `source`, `row`."""
        frame = self._events("measurement", "measurement", "measurement_date", None, value="value_as_number", unit="unit_source_value")
        return frame.select("person", "date", "concept_id", "name", "value", "unit", "source", "row")

    def visits(self) -> pl.LazyFrame:
        """VISIT_OCCURRENCE: `person`, `date`, `end`, `concept_id`, `name`, `source`, `row`."""
        return self._events("visit_occurrence", "visit", "visit_start_date", "visit_end_date")

    @property
    def tables(self) -> pl.DataFrame:
        """What was found: table, file, bytes (unpacked)."""
        rows = [(name, place.name, place.size) for name, place in sorted(self.places.items())]
        return pl.DataFrame(rows, schema={"table": pl.String, "file": pl.String, "bytes": pl.Int64}, orient="row")

    def __str__(self) -> str:
        events = [name for name in TABLES[:8] if name in self.places]
        absent = [name for name in TABLES[:6] if name not in self.places]
        lines = [f"{printable(self.path.name)}: OMOP tables {', '.join(events) or 'none but the vocabulary'}."]
        if absent:
            lines.append(f"Not there: {', '.join(absent)}.")
        if "concept" not in self.places:
            lines.append("There is no CONCEPT table, so drugs are read from their source values alone.")
        elif "drug_strength" not in self.places:
            lines.append("There is no DRUG_STRENGTH table, so strengths are read from the drugs' names.")
        return "\n".join(lines)

    def concepts(self, ids: pl.DataFrame) -> pl.DataFrame:
        """Those of CONCEPT whose id is in the column `concept`: concept (text), name."""
        empty = pl.DataFrame(schema={"concept": pl.String, "name": pl.String})
        if "concept" not in self.places or not ids.height:
            return empty
        table = _Table(self, "concept", ("concept_id", "concept_name"))
        frame = table.frame.select(concept=table.identity("concept_id"), name=table.text("concept_name"))
        wanted = ids.lazy().select("concept").filter(pl.col("concept").is_not_null() & (pl.col("concept") != _NO_CONCEPT)).unique()
        return frame.join(wanted, on="concept", how="semi").unique("concept", keep="any").collect(engine="streaming")

    def _name_of(self, table: "_Table", concept: pl.Expr, column: str) -> pl.Expr:
        """The name of a concept column's concepts, as an expression."""
        if column not in table.schema:
            return pl.lit(None, dtype=pl.String)
        names = self.concepts(table.distinct(concept))
        if not names.height:
            return pl.lit(None, dtype=pl.String)
        return concept.replace_strict(names["concept"], names["name"], default=None, return_dtype=pl.String)

    def _measured(self, ids: pl.DataFrame) -> pl.DataFrame:
        """Strengths of the concepts by DRUG_STRENGTH; no rows where that or CONCEPT is missing or empty."""
        if "drug_strength" not in self.places or not ids.height:
            return pl.DataFrame(schema=strengths.MEASURED)
        table = _Table(self, "drug_strength", ("drug_concept_id", "ingredient_concept_id"))
        frame = table.frame.select(
            concept=table.identity("drug_concept_id"),
            substance=table.identity("ingredient_concept_id"),
            **{name: table.number(name) for name in strengths.AMOUNTS},
            **{name: table.identity(f"{name}_concept_id") for name in strengths.UNITS},
        )
        wanted = ids.lazy().filter(pl.col("concept") != _NO_CONCEPT)
        found = frame.join(wanted, on="concept", how="semi").collect(engine="streaming")
        return strengths.measured(found, self.concepts(found.select(concept="substance")))

    def _events(self, name: str, kind: str, start: str, end: str | None, **more: str) -> pl.LazyFrame:
        table = _Table(self, name, ("person_id",))
        concept = table.identity(f"{kind}_concept_id")
        columns: dict[str, pl.Expr] = {
            "person": table.text("person_id"),
            "date": table.day(start, needed=True),
            **({"end": table.day(end)} if end else {}),
            "concept_id": concept.cast(pl.Int64, strict=False),
            "name": self._name_of(table, concept, f"{kind}_concept_id"),
            "source": table.text(f"{kind}_source_value"),
            **{mine: table.text(theirs) if mine == "unit" else table.number(theirs) for mine, theirs in more.items()},
            "row": pl.col("row").cast(pl.UInt32),
        }
        return streamed(table.frame, lambda rows: rows.select(**columns))

    def _of_person(self, name: str, columns: dict[str, tuple[str, str]]) -> pl.LazyFrame:
        """First or last date of each person in a table that may be missing."""
        if name not in self.places:
            return pl.LazyFrame(schema={"person": pl.String(), **dict.fromkeys(columns, pl.Date())})
        table = _Table(self, name, ("person_id",))
        dates: dict[str, Any] = {mine: table.day(theirs) for mine, (theirs, _) in columns.items()}
        frame = table.frame.select(person=table.text("person_id"), **dates)
        ends = [pl.col(mine).min() if which == "min" else pl.col(mine).max() for mine, (_, which) in columns.items()]
        return frame.group_by("person").agg(ends)


def omop(path: str | Path) -> Omop:
    """Open tables of the OMOP common data model: a folder or a zip file of CSV or Parquet, in any case, tab- or comma-separated.

    Nothing is read before it is asked for. A vocabulary (CONCEPT, DRUG_STRENGTH) is used where it is there. Zip files are unpacked table by
    table into a temporary folder, within bounds.

    Raises InputError if there is nothing of the kind at the path.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> written = (folder / "DRUG_EXPOSURE.csv").write_text("person_id,drug_exposure_start_date,quantity,days_supply,drug_source_value\\n"
    ...     "1,20240131,60,30,oxycodone 5 mg\\n")
    >>> omop(folder).fills().select("date", "ingredient", "usable").collect().rows()
    [(datetime.date(2024, 1, 31), 'oxycodone', True)]
    """
    where = Path(path)
    return Omop(where, archive.found(where, TABLES))


class _Table:
    """One table: its rows, and its columns as expressions, null where a column is not there."""

    def __init__(self, data: Omop, name: str, needed: tuple[str, ...]) -> None:
        if name not in data.places:
            raise InputError(
                f"there is no table {name.upper()}", where=printable(str(data.path)), expected=f"{name}.csv or {name}.parquet",
                mend=f"Add it; there are {', '.join(sorted(data.places))}.",
            )  # fmt: skip
        self.place = data.places[name]
        self.frame = archive.scan(self.place, quoted=name not in {"concept", "drug_strength"})
        self.schema = self.frame.collect_schema()
        self._needed(*needed)

    def _needed(self, *names: str) -> None:
        missing = [name for name in names if name not in self.schema]
        if missing:
            close = nearest(missing[0], self.schema.names())
            raise InputError(
                f"there is no column {' or '.join(missing)}{close}", where=printable(self.place.name), expected="OMOP's columns"
            )

    def text(self, name: str) -> pl.Expr:
        return text(pl.col(name), self.schema[name]) if name in self.schema else pl.lit(None, dtype=pl.String)

    def identity(self, name: str) -> pl.Expr:
        """An id as text; "1154062.0" is 1154062."""
        return self.text(name).str.replace(r"\.0+$", "")

    def number(self, name: str) -> pl.Expr:
        return numeric(pl.col(name), self.schema[name], ".") if name in self.schema else pl.lit(None, dtype=pl.Float64)

    def day(self, name: str, *, needed: bool = False) -> pl.Expr:
        """A date, or where there is none the date of its column with the time."""
        names = [one for one in (name, f"{name}time") if one in self.schema]
        if needed and not names:
            self._needed(name)
        return pl.coalesce([dated(pl.col(one), self.schema[one], "iso") for one in names] or [pl.lit(None, dtype=pl.Date)])

    def distinct(self, identity: pl.Expr) -> pl.DataFrame:
        return self.frame.select(concept=identity).unique().collect(engine="streaming")


def _source_says_more() -> pl.Expr:
    """Whether the source value names an opioid where the concept's name does not, or the strength that it leaves out."""
    one, other = pl.col("by_concept").struct, pl.col("by_source").struct
    same = one.field("ingredient") == other.field("ingredient")
    return one.field("ingredient").is_null() | (same & one.field("strength").is_null() & other.field("strength").is_not_null())


def _drug_as_written() -> pl.Expr:
    return pl.coalesce("name", "source").alias("drug")


def _with_supply(fills: pl.LazyFrame, units_per_day: float | None) -> pl.LazyFrame:
    """Days' supply, and if wanted the quantity, where none is stated; what was done is noted."""
    opioid, stated = pl.col("ingredient").is_not_null(), pl.col("stated_days")
    spanned = (pl.col("end") - pl.col("date")).dt.total_days().cast(pl.Float64)
    from_end = opioid & (stated.is_null() | (stated == 0)) & (spanned > 0)
    fills = fills.with_columns(days_supply=pl.when(from_end).then(spanned).otherwise(stated))
    notes = [pl.col("notes").fill_null([]), pl.when(from_end).then(pl.lit(plausibility.DAYS_FROM_END))]
    if units_per_day is not None:
        worn = pl.when(pl.col("ingredient") == plausibility.BUPRENORPHINE).then(plausibility.BUPRENORPHINE_PATCH_DAYS)
        patch = pl.col("route") == PATCH
        a_day = pl.when(patch).then(1.0 / worn.otherwise(plausibility.FENTANYL_PATCH_DAYS)).otherwise(units_per_day)
        assumed = opioid & (pl.col("quantity").is_null() | (pl.col("quantity") == 0)) & (pl.col("days_supply") > 0)
        quantity = pl.when(assumed).then(a_day * pl.col("days_supply")).otherwise(pl.col("quantity"))
        notes.append(pl.when(assumed).then(pl.lit(plausibility.UNITS_ASSUMED)))
        return fills.with_columns(quantity=quantity, notes=pl.concat_list(notes).list.drop_nulls())
    return fills.with_columns(notes=pl.concat_list(notes).list.drop_nulls())
