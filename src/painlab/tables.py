"""Where the data files lie, and how a table is read so that a bad cell is named by file and row."""

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

from painlab.errors import InputError

MAX_FILE_BYTES: Final = 1_000_000
START: Final = "Start from one that ships: `painlab show early-pt --toml`."


@cache
def data_folder() -> Path:
    """Folder of the shipped data: inside an installed package, or `data/` beside `src/` in a checkout."""
    installed = Path(__file__).parent / "data"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "data"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean "...?")` for the closest known word, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f' (did you mean "{close[0]}"?)' if close else ""


def read_table(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """Read a CSV file as text columns, with `row` counting as a spreadsheet does (the header is row 1).

    Raises InputError if the file is missing, empty, not text, or lacks or has surplus columns.
    """
    try:
        frame = pl.read_csv(path, infer_schema=False, empty_string_is_null=False, glob=False)
    except FileNotFoundError:
        raise InputError("no such file", where=str(path), mend="Check the path.") from None
    except pl.exceptions.PolarsError as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"not a readable CSV file ({reason})", where=path.name, expected="comma-separated UTF-8 text with a header"
        ) from None
    for column in frame.columns:
        if column not in columns:
            raise InputError(
                f'unknown column "{column}"{nearest(column, columns)}',
                where=f"{path.name}, row 1",
                expected=f"the columns {', '.join(columns)}",
            )
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputError(f"missing column {', '.join(missing)}", where=f"{path.name}, row 1", expected=f"the columns {', '.join(columns)}")
    return frame.select(columns).with_row_index("row", offset=2)


def number(text: str, *, where: str, column: str) -> float:
    """Turn a cell into a finite number, or say which cell is not one.

    >>> number("0.5", where="parameters.csv, row 2", column="low")
    0.5
    """
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        raise InputError(f'{column} is "{text}"', where=where, expected="a finite number", mend=f"Correct the cell {column}.")
    return value


def _check_size(size: int, where: str, wanted: str) -> None:
    if size > MAX_FILE_BYTES:
        limit = f"{wanted} of at most {MAX_FILE_BYTES:,} bytes"
        raise InputError(f"the file has {size:,} bytes", where=where, expected=limit, mend="Name the file of a scenario.")


def read_toml(path: Path, wanted: str = "a scenario in TOML", start: str = START) -> dict[str, Any]:
    """Read a TOML file that a user wrote.

    wanted says what it should hold, start where an example is. Raises InputError with the line, or with what is wrong about the file.
    """
    where = printable(str(path))
    try:
        _check_size(path.stat().st_size, where, wanted)
        content = path.read_bytes()
    except FileNotFoundError:
        mend = "Check the path, or see `painlab list` for the scenarios that ship."
        raise InputError("there is no such file", where=where, expected=wanted, mend=mend) from None
    except InputError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path with a null in it
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"the file cannot be read ({reason})", where=where, expected=wanted, mend="Check the path.") from None
    return parse_toml(content, where, wanted, start)


def parse_toml(content: bytes, where: str, wanted: str = "a scenario in TOML", start: str = START) -> dict[str, Any]:
    """What a TOML file that a user wrote or handed in holds; `where` names it. Raises InputError as `read_toml` does."""
    _check_size(len(content), where, wanted)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("the file is not text", where=where, expected=f"{wanted}, as text in UTF-8", mend=start) from None
    if not text.strip():
        raise InputError("the file is empty", where=where, expected=wanted, mend=start)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, mend = f"the file is not TOML: {printable(str(error))}", f"Mend the line that is named. {start}"
    except RecursionError:
        reason, mend = "the file is not a scenario: its lists are nested too deeply", start
    except ValueError as error:
        reason, mend = f"the file cannot be used: {printable(str(error).partition(';')[0])}", "Shorten the number."
    raise InputError(reason, where=where, expected=wanted, mend=mend)


def printable(text: str, most: int = 200) -> str:
    """A text on one line and without control characters, cut short."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return plain if len(plain) <= most else f"{plain[:most]}..."
