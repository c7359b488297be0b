"""Tables written for others to open: CSV in which no cell is a formula, and which is whole or not there."""

import os
import tempfile
from pathlib import Path
from typing import Final

import polars as pl

from painlab.errors import InputError
from painlab.tables import printable

# What a spreadsheet takes for the beginning of a formula, also after blanks and in full width; then the same after a mark at which a
# spreadsheet of another country may break a cell in two. Apostrophes that are there already get one more, so that all come off again.
_FORMULA: Final = r"[=+\-@\uFF1D\uFF0B\uFF0D\uFF20\u2212]"
_BEGINS: Final = rf"^'*([\s\p{{C}}]*{_FORMULA}|[\t\r\n])"
_INSIDE: Final = rf"([;|\t\r\n][\s\p{{C}}]*)('*{_FORMULA})"
_NUMBER: Final = r"^[-+]?(\d+([.,]\d+)*|[.,]\d+)([eE][-+]?\d+)?$"
_GUARDED: Final = rf"^'+([\s\p{{C}}]*{_FORMULA}|[\t\r\n])"
_GUARDED_INSIDE: Final = rf"([;|\t\r\n][\s\p{{C}}]*)'('*{_FORMULA})"


def neutralized(expr: pl.Expr) -> pl.Expr:
    """Cells of text that no spreadsheet takes for a formula.

    A cell that begins with =, +, - or @ (also after blanks, in full width, or after a tab or a line's end) gets an apostrophe before it,
    which spreadsheets read as "this is text"; so does what follows a semicolon, a bar, a tab or a line's end inside a cell, where
    spreadsheets of other countries may begin a new one. A plain number such as -5 stays. `restored` takes the apostrophes off, exactly.

    >>> cells = pl.Series("note", ["=1+1", " @sum", "-5", "calm; =2", "fine"])
    >>> pl.DataFrame(cells).select(neutralized(pl.col("note")))["note"].to_list()
    ["'=1+1", "' @sum", '-5', "calm; '=2", 'fine']
    """
    inside = expr.str.replace_all(_INSIDE, "${1}'${2}")
    guarded = expr.str.contains(_BEGINS) & ~expr.str.contains(_NUMBER)
    return pl.when(guarded.not_()).then(inside).otherwise(pl.lit("'") + inside)


def restored(expr: pl.Expr) -> pl.Expr:
    """Cells as they were before `neutralized`.

    >>> pl.DataFrame({"note": ["'=1+1", "calm; '=2", "-5"]}).select(restored(pl.col("note")))["note"].to_list()
    ['=1+1', 'calm; =2', '-5']
    """
    text = expr.str.replace_all(_GUARDED_INSIDE, "${1}${2}")
    return pl.when(text.str.contains(_GUARDED)).then(text.str.slice(1)).otherwise(text)


def write_csv(frame: pl.DataFrame | pl.LazyFrame, path: Path | str, *, force: bool = False) -> Path:
    """Write a table as CSV in UTF-8 with commas, safe to open in a spreadsheet.

    Text, and the columns' names, are neutralized (see `neutralized`); columns of numbers, dates and truth values are written as they are;
    lists of text are joined by "; ". To read it back unchanged: `polars.read_csv(path)` and `restored` on columns of text. A lazy table is
    written in streaming. The file appears when it is whole: what fails on the way leaves the old state.

    Parameters
    ----------
    frame
        The table.
    path
        The file to write; its folder must be there.
    force
        Overwrite a file of this name.

    Raises
    ------
    InputError
        If the file is there and `force` is false, if a column cannot stand in a CSV, or if the disk does not take it.

    >>> folder = Path(tempfile.mkdtemp())
    >>> written = write_csv(pl.DataFrame({"note": ["=1+1"], "change": [-5.0]}), folder / "out.csv")
    >>> written.read_text()
    "note,change\\n'=1+1,-5.0\\n"
    """
    target = Path(path)
    where = printable(str(target))
    check_target(target, force=force)
    lazy = frame.lazy()
    made: Path | None = None
    try:
        safe = lazy.select(_cells(lazy.collect_schema(), where))
        handle, name = tempfile.mkstemp(suffix=".csv", prefix=".unfinished-", dir=target.parent)
        os.close(handle)
        made = Path(name)
        safe.sink_csv(made, engine="streaming")
        made.chmod(0o666 & ~_umask())
        made.replace(target)
    except (OSError, ValueError) as error:  # ValueError: a path with a null in it
        raise _unwritable(where, (error.strerror if isinstance(error, OSError) else None) or str(error)) from None
    except pl.exceptions.PolarsError as error:
        raise _unwritable(where, printable(str(error).splitlines()[0])) from None
    finally:
        if made is not None:
            made.unlink(missing_ok=True)
    return target


def check_target(path: Path, *, force: bool = False) -> None:
    """Find out before long work whether a file can be written here; raises InputError if not."""
    where = printable(str(path))
    try:
        if path.is_dir():
            raise InputError("this is a folder", where=where, expected="the name of a file to write", mend="Add a file's name")
        if path.exists() and not force:
            mend = "Name another file, or allow overwriting with --force (in Python force=True)"
            raise InputError("the file is there already", where=where, expected="a new file", mend=mend)
        if not path.parent.is_dir():
            raise InputError("the folder to write into is not there", where=where, expected="a folder that exists", mend="Make it first")
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise _unwritable(where, (error.strerror if isinstance(error, OSError) else None) or str(error)) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(where: str, reason: str) -> InputError:
    mend = "Free some room, or name a place where you may write; close the file if it is open in Excel"
    return InputError(f"the file cannot be written ({reason})", where=where, mend=mend)


def _cells(schema: pl.Schema, where: str) -> list[pl.Expr]:
    names = pl.Series(list(schema), dtype=pl.String).to_frame("name").select(neutralized(pl.col("name")))["name"]
    cells: list[pl.Expr] = []
    for (name, kind), safe in zip(schema.items(), names, strict=True):
        one = pl.col(name)
        if kind in (pl.String, pl.Categorical, pl.Enum):
            one = neutralized(one.cast(pl.String))
        elif isinstance(kind, pl.List) and kind.inner == pl.String:
            one = neutralized(one.list.join("; "))
        elif kind.is_nested() or kind in (pl.Binary, pl.Object):
            mend = "Leave it out, or split it into columns of numbers and text"
            raise InputError(f'column "{name}" holds {kind}', where=where, expected="numbers, text, dates or truth values", mend=mend)
        cells.append(one.alias(safe))
    return cells
