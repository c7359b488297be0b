"""The evidence ledger, read and checked: sources, published estimates and MME conversion factors.

Three tables under `data/` hold what was published. A bad cell is named by file and row, so that no figure
enters the model without a source.
"""

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from painlab.errors import InputError
from painlab.tables import data_folder, nearest, number, read_table

KIND_WORDS: Final = {
    "meta": "pooled studies",
    "RCT": "randomized trial",
    "cohort": "observational",
    "surveillance": "counts",
    "guideline": "guideline",
    "model": "another model",
    "review": "review",
}
"""Kinds of study in plain words."""
KINDS: Final = tuple(KIND_WORDS)
USES: Final = ("calibrate", "validate", "context")
CHECKED_WORDS: Final = {
    "table": "figure read in a table",
    "page": "figure read on the page",
    "abstract": "read in the abstract",
    "summary": "read in a summary",
    "listed": "listed, not read again",
    "not found": "not found in the paper",
}
"""What was read of a publication for a figure, in plain words."""
CHECKED: Final = tuple(CHECKED_WORDS)
TOPICS: Final = (
    "natural_course", "opioid_efficacy", "persistence", "tapering", "exercise", "pt_and_opioids", "injections", "other_care",
    "deconditioning", "demand", "guideline", "pathway", "harms", "important_change", "models",
)  # fmt: skip
UNITS: Final = (
    "points", "T points", "cm", "SMD", "r", "beta", "utility", "%", "percentage points", "%/month", "OR", "RR", "HR", "IRR",
    "per 100 person-years", "per 100 persons", "million/year", "count", "days", "weeks", "sessions", "steps/day", "kg", "USD",
    "MME", "MME/day", "MME/person/year", "MME/mg", "MME per mcg/h", "direction",
)  # fmt: skip
MME_UNITS: Final = ("MME/mg", "MME/mcg", "MME per mcg/h")
MME_VERSIONS: Final = ("CDC 2016", "CDC 2018", "CDC 2022")
OPIOID_CLASSES: Final = ("full agonist", "partial agonist", "mixed agonist-antagonist", "dual action")

_UNSEEN: Final = "Authors not seen"  # in the column authors
_SOURCE_COLUMNS: Final = ("id", "authors", "year", "title", "journal", "doi", "pmid", "kind", "note")
_ESTIMATE_COLUMNS: Final = (
    "id", "topic", "population", "condition", "intervention", "comparator", "outcome", "scale", "time_weeks", "n",
    "estimate", "low", "high", "unit", "direction_note", "source", "quality", "use", "checked",
)  # fmt: skip
_FACTOR_COLUMNS: Final = ("drug", "factor", "unit", "version", "dose_from", "dose_to", "class", "route", "source", "note")


@cache
def sources(path: Path | None = None) -> pl.DataFrame:
    """Every publication cited: id (citekey), authors, year, title, journal, doi, pmid, kind, note.

    All columns are text but `year` (Int32). Each source has a DOI or a PMID, or its note says why not
    ("publisher report", or "not found"). Raises InputError naming file and row.
    """
    file = path or data_folder() / "sources.csv"
    table = read_table(file, _SOURCE_COLUMNS)
    _unique(table, file)
    for row in table.iter_rows(named=True):
        where = _where(file, row)
        _filled(row, ("authors", "title"), where)
        _known(row, "kind", KINDS, where)
        year = number(row["year"], where=where, column="year")
        if not 1900 <= year <= 2100 or year != int(year):
            raise InputError(f"year is {row['year']}", where=where, expected="a year, such as 2021", mend="Correct the cell year.")
        if not (row["doi"] or row["pmid"] or "publisher report" in row["note"] or "not found" in row["note"]):
            raise InputError(
                f'source "{row["id"]}" has no identifier',
                where=where,
                expected='a DOI, a PMID, or a note that says "publisher report" or "not found"',
                mend="Look the identifier up, or say in the note that it was not found.",
            )
        if row["doi"] and not row["doi"].startswith("10."):
            raise InputError(f'doi is "{row["doi"]}"', where=where, expected="a DOI without its address, such as 10.1136/bmj.h444")
    return table.drop("row").with_columns(pl.col("year").cast(pl.Int32))


@cache
def estimates(path: Path | None = None, sources_path: Path | None = None) -> pl.DataFrame:
    """Every published figure, one a row.

    Text columns, but time_weeks, estimate, low, high (Float64) and n (Int64), null where the paper gives none. `unit`
    is the unit of estimate, low and high; the unit "direction" marks a finding without a number. `use` says whether a
    figure may set parameters (calibrate), only test them (validate), or neither (context); `checked` says what was read.
    A figure that was not found may only be context, and one that calibrates needs a source that others can find.
    Raises InputError naming file and row.
    """
    file = path or data_folder() / "evidence.csv"
    table = read_table(file, _ESTIMATE_COLUMNS)
    _unique(table, file)
    cited = {row["id"]: row for row in sources(sources_path).iter_rows(named=True)}
    for row in table.iter_rows(named=True):
        where = _where(file, row)
        _filled(row, ("outcome", "condition"), where)
        for column, known in (("topic", TOPICS), ("unit", UNITS), ("quality", KINDS), ("use", USES), ("checked", CHECKED)):
            _known(row, column, known, where)
        _cited(row["source"], cited, where)
        _figures(row, where)
        if row["checked"] == "not found" and row["use"] != "context":
            raise InputError(
                f"{row['id']} was not found in its paper, yet its use is {row['use']}",
                where=where,
                expected="use = context",
                mend="Find the figure, or set use to context.",
            )
        source = cited[row["source"]]
        if row["use"] == "calibrate" and not (source["doi"] or source["pmid"] or "publisher report" in source["note"]):
            raise InputError(
                f'{row["id"]} calibrates, but its source "{row["source"]}" has no identifier',
                where=where,
                expected="a source with a DOI, a PMID or a publisher report",
                mend="Complete sources.csv, or set use to validate or context.",
            )
    return table.drop("row").with_columns(_optional("time_weeks", "estimate", "low", "high"), _optional("n").cast(pl.Int64))


@cache
def mme_factors(version: str = "CDC 2022", path: Path | None = None, sources_path: Path | None = None) -> pl.DataFrame:
    """Conversion factors to oral morphine milligram equivalents (MME) of one CDC version.

    Columns: drug, factor (Float64), unit (MME/mg; MME/mcg; MME per mcg/h worn), version, dose_from and dose_to (Float64,
    mg/day, null without a band; the factor holds above dose_from up to and with dose_to), class, route, source, note.
    Raises InputError for an unknown version, or naming file and row.
    """
    file = path or data_folder() / "mme_factors.csv"
    if version not in MME_VERSIONS:
        raise InputError(f'unknown version of MME factors "{version}"{nearest(version, MME_VERSIONS)}', expected=" or ".join(MME_VERSIONS))
    table = read_table(file, _FACTOR_COLUMNS)
    cited = frozenset(sources(sources_path)["id"])
    for row in table.iter_rows(named=True):
        where = _where(file, row)
        _filled(row, ("drug", "route"), where)
        for column, known in (("unit", MME_UNITS), ("version", MME_VERSIONS), ("class", OPIOID_CLASSES)):
            _known(row, column, known, where)
        _cited(row["source"], cited, where)
        if number(row["factor"], where=where, column="factor") <= 0:
            raise InputError(f"factor is {row['factor']}", where=where, expected="a number above 0", mend="Correct the cell factor.")
        band = [number(row[column], where=where, column=column) for column in ("dose_from", "dose_to") if row[column]]
        if any(dose < 0 for dose in band) or (len(band) == 2 and band[0] >= band[1]):
            raise InputError(
                f"the dose band runs from {row['dose_from']} to {row['dose_to']} mg/day",
                where=where,
                expected="0 or more, rising",
                mend="Correct dose_from and dose_to.",
            )
    keys = ("version", "drug", "route", "dose_from")
    _unique(table, file, keys)
    return table.drop("row").filter(pl.col("version") == version).with_columns(_optional("factor", "dose_from", "dose_to"))


def citation(key: str) -> str:
    """One line for a tooltip: "Hayden 2021, Cochrane Database Syst Rev, doi:10...". `key` is a citekey or an evidence id.

    Of a source whose authors nobody has looked up the journal, or else the title, stands first.

    Raises InputError for an unknown key, with the nearest known one.
    """
    row = _cited_row(key)
    identifier = f"doi:{row['doi']}" if row["doi"] else f"PMID {row['pmid']}" if row["pmid"] else "no identifier found"
    if row["authors"] == _UNSEEN:
        title = row["title"].removesuffix(" (short title)")
        first = (f"{row['journal']} {row['year']}", title) if row["journal"] else (f"{title} {row['year']}",)
        return ", ".join((*first, identifier))
    words = row["authors"].split(",")[0].removesuffix(" et al.").split()
    if len(words) > 1 and words[-1].isupper() and len(words[-1]) <= 4:  # initials after a family name
        words = words[:-1]
    if "publisher report" in row["note"] and identifier == "no identifier found":
        identifier = row["title"]
    return ", ".join(part for part in (f"{' '.join(words)} {row['year']}", row["journal"], identifier) if part)


def grade(key: str) -> str:
    """How good a piece of evidence is: its kind of study and what was read of it. `key` is a citekey or an evidence id.

    Of a citekey, which stands for no single figure, the kind alone. Raises InputError for an unknown key.

    >>> grade("T05-03")
    'pooled studies, read in the abstract'
    """
    row = _estimate_rows().get(key)
    return f"{KIND_WORDS[row['quality']]}, {CHECKED_WORDS[row['checked']]}" if row else KIND_WORDS[_cited_row(key)["kind"]]


def check_source(text: str, where: str) -> None:
    """Accept what a parameter may give as its source: evidence ids and citekeys parted by semicolons, or "assumption ...".

    Raises InputError with `where` (file and row) and the nearest known id.
    """
    parts = [part.strip() for part in text.split(";")]
    for part in parts:
        if not part:
            raise InputError("source is empty" if not text.strip() else "source has an empty part", where=where, expected=_SOURCE_FORMS)
        if part.startswith("assumption"):
            return  # what follows is prose, semicolons included
        if part not in _known_keys():
            raise InputError(f'unknown source "{part}"{nearest(part, _known_keys())}', where=where, expected=_SOURCE_FORMS)


def check_value_source(text: str, where: str) -> None:
    """Accept the source of a number that the model uses: as `check_source`, but no figure that is kept for validation.

    Raises InputError with `where`.
    """
    check_source(text, where)
    kept = sorted(_held_out() & {part.strip() for part in text.split(";")})
    if kept:
        raise InputError(
            f"the source cites {', '.join(kept)}, kept for validation",
            where=where,
            expected="evidence whose use is calibrate or context",
            mend="Cite what set the value, or say assumption.",
        )


@cache
def _held_out() -> frozenset[str]:
    return frozenset(estimates().filter(pl.col("use") == "validate")["id"])


_SOURCE_FORMS: Final = 'ids of evidence.csv or sources.csv parted by semicolons, or a text that starts with "assumption"'


@cache
def _source_rows() -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in sources().iter_rows(named=True)}


def _cited_row(key: str) -> dict[str, str]:
    row = _source_rows().get(_citekey(key))
    if row is None:
        raise InputError(f'unknown source "{key}"{nearest(key, _known_keys())}', expected="an id in evidence.csv or sources.csv")
    return row


@cache
def _estimate_rows() -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in estimates().iter_rows(named=True)}


def _citekey(key: str) -> str:
    """The publication of an evidence id; a citekey is one itself."""
    row = _estimate_rows().get(key)
    return row["source"] if row else key


@cache
def _known_keys() -> frozenset[str]:
    return frozenset(_estimate_rows()) | frozenset(_source_rows())


def _where(file: Path, row: dict[str, str]) -> str:
    return f"{file.name}, row {row['row']}"


def _unique(table: pl.DataFrame, file: Path, keys: tuple[str, ...] = ("id",)) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for row in table.iter_rows(named=True):
        key = tuple(row[column] for column in keys)
        if not key[0]:
            raise InputError(f"{keys[0]} is empty", where=_where(file, row), mend=f"Fill the cell {keys[0]}.")
        if key in seen:
            name = ", ".join(part for part in key if part)
            raise InputError(f'"{name}" stands in row {seen[key]} already', where=_where(file, row), mend="Give it an id of its own.")
        seen[key] = row["row"]


def _filled(row: dict[str, str], columns: tuple[str, ...], where: str) -> None:
    for column in columns:
        if not row[column].strip():
            raise InputError(f"{column} is empty", where=where, mend=f"Fill the cell {column}.")


def _known(row: dict[str, str], column: str, known: tuple[str, ...], where: str) -> None:
    if row[column] not in known:
        raise InputError(f'unknown {column} "{row[column]}"{nearest(row[column], known)}', where=where, expected=", ".join(known))


def _cited(key: str, cited: Collection[str], where: str) -> None:
    if not key:
        raise InputError("source is missing", where=where, expected="an id in sources.csv", mend="Fill the cell source.")
    if key not in cited:
        raise InputError(f'unknown source "{key}"{nearest(key, cited)}', where=where, expected="an id in sources.csv")


def _figures(row: dict[str, str], where: str) -> None:
    figure = {c: number(row[c], where=where, column=c) for c in ("time_weeks", "n", "estimate", "low", "high") if row[c]}
    if ("estimate" in figure) == (row["unit"] == "direction"):
        raise InputError("estimate is missing or not wanted", where=where, expected='a number, or none where the unit is "direction"')
    if figure.get("time_weeks", 0) < 0 or figure.get("n", 1) < 1 or figure.get("n", 1) % 1:
        given = f"time_weeks is {row['time_weeks']}, n is {row['n']}"
        raise InputError(given, where=where, expected="weeks of 0 or more, and n whole and positive")
    value = figure.get("estimate", 0.0)
    if not figure.get("low", value) <= value <= figure.get("high", value):
        raise InputError(
            f"{row['id']} is {row['estimate']}, outside {row['low']} to {row['high']}",
            where=where,
            expected="low <= estimate <= high",
            mend="Compare the three cells with the paper.",
        )


def _optional(*columns: str) -> pl.Expr:
    return pl.col(columns).replace("", None).cast(pl.Float64)
