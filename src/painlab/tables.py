"""Where the data files lie, and how a table is read so that a bad cell is named by file and row."""

import difflib
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import polars as pl

from painlab.errors import InputError


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
