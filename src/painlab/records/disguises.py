"""Files that are called tables and are something else: what they are, and how to make a table of them."""

import zipfile
from pathlib import Path
from typing import Final

from painlab.errors import InputError

WANTED: Final = "a table as CSV (comma, semicolon, tab or | between the columns) or Parquet"
SAVE_AS_CSV: Final = 'Open it in the program that wrote it, choose the sheet, and save as "CSV UTF-8 (comma delimited)"'

_STARTS: Final = (
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook or another Office file", SAVE_AS_CSV),
    (b"%PDF", "a PDF, a page to print", "Ask for the table itself: the system that made the page can export CSV"),
    (b"\x1f\x8b", "compressed by gzip", "Unpack it first: `gunzip FILE`"),
    (b"\xfd7zXZ", "compressed by xz", "Unpack it first: `xz -d FILE`"),
    (b"(\xb5/\xfd", "compressed by zstd", "Unpack it first: `zstd -d FILE`"),
    (b"BZh", "compressed by bzip2", "Unpack it first: `bunzip2 FILE`"),
    (b"7z\xbc\xaf'\x1c", "a 7-Zip archive", "Unpack it and name the CSV inside"),
    (b"Rar!", "a RAR archive", "Unpack it and name the CSV inside"),
    (b"SQLite format 3", "a SQLite database", "Export the table: `sqlite3 -header -csv FILE 'select * from TABLE' > table.csv`"),
    (b"$FL2", "an SPSS file", "In SPSS choose Save As, type CSV; or read it with pyreadstat and write CSV"),
    (b"$FL3", "an SPSS file", "In SPSS choose Save As, type CSV; or read it with pyreadstat and write CSV"),
    (b"<stata_dta>", "a Stata file", "In Stata: `export delimited using table.csv`"),
    (b"ARROW1", "an Arrow (Feather) file", "Write it as Parquet: `polars.read_ipc(FILE).write_parquet('table.parquet')`"),
    (b"RDX", "an R data file", "In R: `write.csv(DATA, 'table.csv', row.names = FALSE)`"),
    (b"\x89PNG", "a picture", "Ask for the table itself, as CSV"),
    (b"\xff\xd8\xff", "a picture", "Ask for the table itself, as CSV"),
    (b"GIF8", "a picture", "Ask for the table itself, as CSV"),
    (b"\x7fELF", "a program", "Name the table"),
    (b"MZ\x90", "a program", "Name the table"),
    (b"{\\rtf", "a text with formatting (RTF)", "Ask for the table itself, as CSV"),
)
_SAS: Final = b"\xc2\xea\x81\x60\xb3\x14\x11\xcf"
_LISTED: Final = 3


def refuse_disguise(path: Path, start: bytes, where: str) -> None:
    """Raise InputError if the first bytes of a file, of which `start` holds some hundreds, are those of something that is no text."""
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise _archive(path, where)
    for magic, what, mend in _STARTS:
        if start.startswith(magic):
            raise _refusal(what, mend, where)
    if _SAS in start[:64]:
        mend = "In SAS: `proc export data=DATA outfile='table.csv' dbms=csv;`"
        raise _refusal("a SAS data set", mend, where)


def refuse_markup(text: str, where: str) -> None:
    """Raise InputError if a text begins as a page, as XML or as JSON does."""
    start = text.lstrip("\ufeff \t\r\n")[:2000].lower()
    if start.startswith(("<!doctype html", "<html", "<table", "<head", "<body")):
        mend = f"Some systems write a page and call it .xls or .csv. {SAVE_AS_CSV}; if the page is a sign-in form, sign in and export again"
        raise _refusal("a web page (HTML)", mend, where)
    if start.startswith(("<?xml", "<workbook")):
        excel = "urn:schemas-microsoft-com:office:spreadsheet" in start
        raise _refusal("an Excel workbook written as XML" if excel else "XML", SAVE_AS_CSV, where)
    if start.startswith("{") or (start.startswith("[") and start[1:].lstrip()[:1] in {"{", "[", '"'}):
        mend = "Have the system export CSV; a list of flat objects can be converted by `polars.read_json(FILE).write_csv('table.csv')`"
        raise _refusal("JSON", mend, where)


def _refusal(what: str, mend: str, where: str) -> InputError:
    return InputError(f"the file is {what}, whatever it is called", where=where, expected=WANTED, mend=mend)


def _archive(path: Path, where: str) -> InputError:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:10_000]
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError):
        return _refusal("a damaged zip archive or workbook", "Fetch or export it again", where)
    if any(name.startswith("xl/") for name in names):
        return _refusal("an Excel workbook", SAVE_AS_CSV, where)
    if "content.xml" in names:
        return _refusal("an OpenDocument sheet or text", SAVE_AS_CSV, where)
    if any(name.startswith("word/") for name in names):
        return _refusal("a Word document", "Ask for the table itself, as CSV", where)
    inside = [name for name in names if name.lower().endswith((".csv", ".tsv", ".txt", ".parquet"))]
    listed = ", ".join(inside[:_LISTED]) + (" and others" if len(inside) > _LISTED else "")
    mend = f"Unpack it and name one of the tables inside ({listed})" if inside else "Unpack it and name the table inside"
    return _refusal("a zip archive", mend, where)
