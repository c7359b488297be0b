"""Opens a stranger's table: what it is written in, where its header stands, and its rows, lazily."""

import csv
import io
import math
import os
import re
import stat
import statistics
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from painlab.errors import InputError
from painlab.records import encodings
from painlab.records.cells import date_order, day, number
from painlab.records.disguises import WANTED, refuse_disguise, refuse_markup
from painlab.tables import printable

__all__ = ["Layout", "collected", "date_order", "day", "number", "scan", "sniff"]

LARGEST_FILE: Final = 200_000_000_000
MOST_COLUMNS: Final = 1_000
SAMPLED_RECORDS: Final = 300
_SEARCHED_FOR_HEADER: Final = 40
_DELIMITERS: Final = ",;\t|"
_RESERVED: Final = ("row", "surplus", "unread", "reason")
_DATELIKE: Final = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")
_NUMERIC: Final = re.compile(r"^[-+(]?[\d.,\s]*\d[\d.,\s]*\)?%?$")


class Layout(NamedTuple):
    """How a table is written.

    `header_row` is the row of the header as a spreadsheet numbers it (title lines may stand above), 0 where there is none. `names` are the
    columns as PainLab calls them: spaces around a name are taken off, a missing name becomes column_3, a second "dose" becomes dose_2, and
    a column of the file called "row", "surplus", "unread" or "reason" becomes row_2 and so on: these are PainLab's own. `header` is what
    the file has there; both are empty until read. For Parquet, `encoding` is "parquet" and `delimiter` empty.
    """

    encoding: str
    delimiter: str
    decimal: str
    header_row: int
    names: tuple[str, ...] = ()
    header: tuple[str, ...] = ()
    nulls: int = 0
    """NUL bytes, which are left out."""
    quoted: bool = False
    """Whether there are quotation marks in the file."""
    stray_quotes: tuple[int, ...] = ()
    """Rows whose quotation marks are not paired and are read as letters; at most 1,000."""

    def __str__(self) -> str:
        """In words.

        >>> print(Layout("cp1252", ";", ",", 3))
        Windows-1252 (Western European), semicolons between the columns, decimal commas, header in row 3
        """
        if self.encoding == "parquet":
            return "Parquet"
        between = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars (|)"}[self.delimiter]
        header = f"header in row {self.header_row}" if self.header_row else "no header"
        decimal = "decimal commas, " if self.decimal == "," else ""
        return f"{encodings.called(self.encoding)}, {between} between the columns, {decimal}{header}"


def sniff(path: Path | str) -> Layout:
    """Tell how a table is written.

    The whole file is read once, in chunks, for its encoding; delimiter, header and decimal sign are told from its first 300 rows.

    Parameters
    ----------
    path
        A CSV file (UTF-8, UTF-16, Windows-1252 or Latin-1; comma, semicolon, tab or | between the columns) or a Parquet file.

    Raises
    ------
    InputError
        If the file is missing, a folder, unreadable, empty, no table at all (a workbook, a PDF, a web page, JSON; the error says how to
        save it as CSV), or beyond the bounds: 200 GB, lines of a million bytes, 1,000 columns.

    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "fills.csv"
    >>> written = table.write_text("Dispensed;Qty\\n31.01.2024;7,5\\n", encoding="utf-16")
    >>> layout = sniff(table)
    >>> print(layout)
    UTF-16, semicolons between the columns, decimal commas, header in row 1
    >>> layout.names
    ('Dispensed', 'Qty')
    """
    return _opened(*_identity(path))[0]


def scan(path: Path | str, layout: Layout | None = None) -> pl.LazyFrame:
    """The rows of a table, lazily, however large it is.

    Columns are called by `Layout.names`. Those of a CSV are all String with empty cells null; those of Parquet keep their types. Two more
    are added: `row` (UInt32), the row in the file as a spreadsheet numbers it, title lines and blank lines counted (a Parquet's first row
    is 2, as that of a CSV with its header on top); and `surplus` (String), what stands in a row beyond the header's last column, null in
    nearly all rows: such a row has probably been shifted, and is not to be believed unread. Rows that are wholly empty are left out. A
    file that is not plain UTF-8 is first copied, in chunks, into a temporary one.

    Raises InputError as `sniff` does; collect by `collected` so that what goes wrong later is said in the same way.

    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "fills.csv"
    >>> written = table.write_bytes(b"Fills of 2024\\n\\nperson,dose\\na,5\\n\\nb,7,9\\n")
    >>> scan(table).collect().rows()
    [('a', '5', 4, None), ('b', '7', 6, '9')]
    """
    identity = _identity(path)
    found, readable = _opened(*identity)
    layout = layout if layout is not None and layout.names else found
    if layout.encoding == "parquet":
        frame = pl.scan_parquet(readable, glob=False)
        frame = frame.rename(dict(zip(layout.header, layout.names, strict=True))).with_row_index("row", offset=2)
        return frame.select(*layout.names, pl.col("row").cast(pl.UInt32), pl.lit(None, pl.String).alias("surplus"))
    inner = [f"c{index}" for index in range(len(layout.names))]
    beyond = [f"x{index}" for index in range(_WIDTH_BEYOND)]
    frame = _parsed(readable, layout.delimiter, inner + beyond, layout.header_row)
    cells = pl.all_horizontal(pl.col(inner + beyond).is_null())
    extra = pl.concat_str([pl.col(name).fill_null("") for name in beyond], separator=layout.delimiter).str.strip_chars_end(layout.delimiter)
    return frame.filter(~cells).select(
        *(pl.col(one).alias(name) for one, name in zip(inner, layout.names, strict=True)),
        pl.col("row").cast(pl.UInt32),
        pl.when(extra != "").then(pl.when(pl.col(beyond[-1]).is_null()).then(extra).otherwise(extra + "...")).alias("surplus"),
    )


_WIDTH_BEYOND: Final = 8
_WIDEST_SEARCHED: Final = 60


def _parsed(readable: Path, delimiter: str, names: Sequence[str], skipped: int) -> pl.LazyFrame:
    return pl.scan_csv(
        readable,
        has_header=False,
        separator=delimiter,
        schema=dict.fromkeys(names, pl.String),
        skip_rows=skipped,
        row_index_name="row",
        row_index_offset=skipped + 1,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
    ).with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in names)


def short_rows(path: Path | str) -> tuple[int, list[int]]:
    """How many rows of a CSV have fewer cells than the header, and the first five; only where the file has no quotation marks.

    >>> import tempfile
    >>> table = Path(tempfile.mkdtemp()) / "fills.csv"
    >>> written = table.write_bytes(b"person,dose,days\\na,5,7\\nb,7\\n")
    >>> short_rows(table)
    (1, [3])
    """
    layout, readable = _opened(*_identity(path))
    if not layout.delimiter or layout.quoted or len(layout.names) < 2:
        return 0, []
    lines = pl.scan_csv(
        readable, has_header=False, separator="\x1f", quote_char=None, schema={"line": pl.String}, skip_rows=layout.header_row,
        row_index_name="row", row_index_offset=layout.header_row + 1, glob=False, extra_columns="ignore",
    )  # fmt: skip
    cells = pl.col("line").str.count_matches(layout.delimiter, literal=True) + 1
    short = pl.col("line").is_not_null() & (cells < len(layout.names)) & (pl.col("line").str.strip_chars() != "")
    count = int(collected(lines.select(short.sum()), path).item())
    return count, collected(lines.filter(short).select("row").head(5), path)["row"].to_list() if count else []


def collected(frame: pl.LazyFrame, path: Path | str) -> pl.DataFrame:
    """Collect by the streaming engine; what goes wrong while reading becomes an InputError that names the file.

    >>> collected(pl.LazyFrame({"a": [1]}), "fills.csv").height
    1
    """
    try:
        return frame.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(error, printable(str(path))) from None


def _unreadable(error: Exception, where: str) -> InputError:
    reason = printable(str(error).splitlines()[0] if str(error) else type(error).__name__)
    return InputError(f"the file cannot be read as a table ({reason})", where=where, expected=WANTED, mend="Export it again")


def _identity(path: Path | str) -> tuple[Path, int, int]:
    """Path, size and time of change; raises InputError if there is no file to read."""
    where = printable(str(path))
    try:
        path = Path(path)
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise InputError("this is a folder", where=where, expected=WANTED, mend="Name a file in it")
        if not stat.S_ISREG(found.st_mode):
            raise InputError("this is not a regular file", where=where, expected=WANTED, mend="Write it into a file first")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise InputError("there is no such file", where=where, expected=WANTED, mend="Check the path") from None
    except PermissionError:
        mend = "Change its permissions, or copy it to where you may read it; if it is open in Excel, close it there"
        raise InputError("you may not read this file", where=where, expected=WANTED, mend=mend) from None
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null in it
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"the file cannot be read ({reason})", where=where, expected=WANTED, mend="Check the path") from None
    if not found.st_size:
        raise InputError("the file is empty", where=where, expected=WANTED, mend="Export it again")
    if found.st_size > LARGEST_FILE:
        limit = f"at most {LARGEST_FILE / 1e9:.0f} GB"
        raise InputError(f"the file has {found.st_size / 1e9:.0f} GB", where=where, expected=limit, mend="Split it by year")
    return path, found.st_size, found.st_mtime_ns


@lru_cache(maxsize=64)
def _opened(path: Path, size: int, changed: int) -> tuple[Layout, Path]:
    """The layout, and the file to read: the file itself or a copy in UTF-8."""
    where = printable(str(path))
    try:
        with path.open("rb") as file:
            start = file.read(4096)
            file.seek(-min(4, size), os.SEEK_END)
            if start.startswith(b"PAR1") and file.read() == b"PAR1":
                return _parquet(path, where), path
        refuse_disguise(path, start, where)
        letters = encodings.letters(path, where)
        sample = encodings.decoded(path, letters.encoding)
    except OSError as error:
        raise _unreadable(error, where) from None
    refuse_markup(sample, where)
    if not sample.strip():
        raise InputError("the file holds only blank lines", where=where, expected=WANTED, mend="Export it again")
    stated = _stated(sample)
    delimiter = stated or delimiter_of(sample)
    records = read_records(sample, delimiter)
    header_row = header_of(records[1:] if stated else records)
    header_row += 1 if stated and header_row else 0
    first = header_row or (2 if stated else 1)
    header = tuple(records[header_row - 1]) if header_row else ("",) * max(len(one) for one in records[first - 1 :])
    while header_row and len(header) > 1 and not header[-1].strip() and all(len(one) < len(header) for one in records[first:] if any(one)):
        header = header[:-1]
    if len(header) > MOST_COLUMNS:
        raise InputError(
            f"the header has {len(header):,} columns", where=f"{where}, row {first}", expected=f"at most {MOST_COLUMNS:,}",
            mend="Export only the columns that are needed, one row for each fill or measurement",
        )  # fmt: skip
    readable, stray = path, list[int]()
    if not letters.plain:
        readable = encodings.as_utf8(path, letters, where)
    if letters.quotes and not _parses(readable, delimiter, len(header), header_row):
        readable, stray = encodings.with_quotes_mended(readable, delimiter, len(header), where)
    decimal = decimal_of(records[first:], delimiter)
    layout = Layout(letters.encoding, delimiter, decimal, header_row, named(header), header, letters.nulls, letters.quotes, tuple(stray))
    return layout, readable


def _parses(readable: Path, delimiter: str, width: int, header_row: int) -> bool:
    """Whether the quotation marks of a file are paired, as polars reads them, and none has swallowed rows."""
    names = [f"c{index}" for index in range(width + _WIDTH_BEYOND)]
    frame = _parsed(readable, delimiter, names, header_row)
    sign = re.escape(delimiter)
    row = rf"(?m)^[^{sign}\n]*(?:{sign}[^{sign}\n]*){{{width - 1}}}$"
    broken = [pl.when(pl.col(name).str.contains("\n", literal=True)).then(pl.col(name)) for name in names]
    rows = [one.str.count_matches(row).max().alias(str(at)) for at, one in enumerate(broken)] if 1 < width <= _WIDEST_SEARCHED else []
    try:
        found = frame.select(pl.col(names).null_count(), *rows).collect(engine="streaming")
    except pl.exceptions.PolarsError:
        return False
    return max((int(found[str(at)][0] or 0) for at in range(len(rows))), default=0) < encodings.swallowed(width)


def _parquet(path: Path, where: str) -> Layout:
    try:
        header = tuple(pl.read_parquet_schema(path))
        pl.scan_parquet(path, glob=False).select(pl.len()).collect()
    except (pl.exceptions.PolarsError, OSError, RuntimeError) as error:
        raise InputError(
            f"the Parquet file is damaged ({printable(str(error).splitlines()[0])})", where=where, expected=WANTED, mend="Write it again"
        ) from None
    if not header or len(header) > MOST_COLUMNS:
        raise InputError(f"the table has {len(header):,} columns", where=where, expected=f"1 to {MOST_COLUMNS:,}")
    return Layout("parquet", "", ".", 1, named(header), header)


def _stated(sample: str) -> str:
    """The delimiter that a first line `sep=;` states, as Excel writes it."""
    first = sample.partition("\n")[0].strip().strip('"')
    found = re.fullmatch(r"sep=(.)", first, flags=re.IGNORECASE)
    return found[1] if found and found[1] in _DELIMITERS else ""


def read_records(sample: str, delimiter: str) -> list[list[str]]:
    """The first 300 records of a text, blank lines among them as empty lists."""
    found: list[list[str]] = []
    try:
        for record in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter):
            found.append(record)
            if len(found) >= SAMPLED_RECORDS:
                break
    except csv.Error:  # a cell beyond csv's own bound: an open quotation mark
        found = [line.split(delimiter) for line in sample.splitlines()[:SAMPLED_RECORDS]]
    return found


def delimiter_of(sample: str) -> str:
    """The delimiter by which most rows have the same, and the largest, number of cells; a comma where there is one column.

    >>> delimiter_of("drug;dose\\noxycodone;7,5\\nmorphine;15,0\\n")
    ';'
    """
    best, delimiter = 0.0, ","
    for one in _DELIMITERS:
        widths = [len(record) for record in read_records(sample, one) if any(cell.strip() for cell in record)]
        wide = [width for width in widths if width > 1]
        if wide:
            mode = statistics.mode(wide)
            score = wide.count(mode) / len(widths) * (1.0 + math.log2(mode))
            if score > best:
                best, delimiter = score, one
    return delimiter


def header_of(records: Sequence[Sequence[str]]) -> int:
    """The row of the header: the first that is about as wide as the table and holds words; 0 where data come first.

    >>> header_of([["Fills of 2024", "", ""], [], ["person", "date", "dose"], ["a", "2024-01-31", "5"]])
    3
    """
    filled = [sum(bool(cell.strip()) for cell in record) for record in records]
    width = statistics.median([count for count in filled if count] or [1])
    for row, (record, count) in enumerate(zip(records[:_SEARCHED_FOR_HEADER], filled, strict=False), start=1):
        if count < max(1.0, 0.6 * width):
            continue
        cells = [cell.strip() for cell in record if cell.strip()]
        values = sum(bool(_DATELIKE.match(cell)) or (bool(_NUMERIC.match(cell)) and not _is_year(cell)) for cell in cells)
        return row if values <= 0.2 * len(cells) else 0
    return 0


def _is_year(cell: str) -> bool:
    return len(cell) == 4 and cell.isdigit() and "1900" <= cell <= "2100"


def decimal_of(records: Sequence[Sequence[str]], delimiter: str) -> str:
    """The decimal sign that more cells speak for; a point where none does.

    >>> decimal_of([["7,5"], ["1.250,75"], ["03.04.2024"]], ";")
    ','
    """
    cells = [cell.strip() for record in records for cell in record]
    comma = sum(bool(re.fullmatch(r"[-+]?(\d+,(\d{1,2}|\d{4,})|\d{1,3}(\.\d{3})+,\d+|0,\d+)", cell)) for cell in cells)
    point = sum(bool(re.fullmatch(r"[-+]?(\d+\.(\d{1,2}|\d{4,})|\d{1,3}(,\d{3})+(\.\d+)?|0\.\d+)", cell)) for cell in cells)
    return "," if comma > point else "."


def named(header: Sequence[str]) -> tuple[str, ...]:
    """Names of columns that are there, and each only once.

    >>> named([" dose ", "", "dose", "row"])
    ('dose', 'column_2', 'dose_2', 'row_2')
    """
    taken, names = set(_RESERVED), list[str]()
    written = {" ".join(printable(cell, 200).split()) for cell in header}
    for index, cell in enumerate(header, start=1):
        name = plain = " ".join(printable(cell, 200).split()) or f"column_{index}"
        again = 2
        while name in taken or (name != plain and name in written):
            name, again = f"{plain}_{again}", again + 1
        taken.add(name)
        names.append(name)
    return tuple(names)
