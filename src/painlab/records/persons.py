"""A long table within bounded memory: worked out batch by batch, or in pieces that each hold all rows of some persons."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from painlab.errors import InputError
from painlab.tables import printable

HELD_ROWS: Final = 2_000_000
"""Rows kept in memory before they go to disk."""
PARTS: Final = 64
"""Files by person, of which one at a time is read."""
BATCH_ROWS: Final = 200_000


def streamed(frame: pl.LazyFrame, step: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.LazyFrame:
    """A frame on which a step is done batch by batch: one that looks at each row alone, such as reading cells.

    The streaming engine would do some such expressions (a replacement, membership in a list) on the whole table at once, and hold it.
    """
    schema = step(pl.LazyFrame(schema=frame.collect_schema())).collect_schema()
    return frame.map_batches(
        lambda batch: step(batch.lazy()).collect(),
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
        streamable=True,
        schema=schema,
    )


def by_person(table: Iterable[pl.DataFrame], rows: int, *, held: int = HELD_ROWS) -> Iterator[pl.DataFrame]:
    """Yield a table that comes in `batches` anew in pieces: all rows of a person are in one, sorted by person and row.

    The table has the columns `person` and `row`. rows is about how many rows a piece may have; a person with more gets a piece of that size
    alone. held is how many rows stay in memory; a longer table is written to a temporary folder, which is removed at the end. Within each
    of its parts pieces come in order of person.
    """
    waiting: list[pl.DataFrame] = []
    count = 0
    with tempfile.TemporaryDirectory(prefix="painlab-", ignore_cleanup_errors=True) as folder:
        spilled = 0
        for batch in table:
            waiting.append(batch)
            count += batch.height
            if count > held:
                _spill(pl.concat(waiting), Path(folder), spilled)
                spilled, waiting, count = spilled + 1, [], 0
        if not spilled:
            if waiting:
                yield from _pieces(pl.concat(waiting), rows)
            return
        if waiting:
            _spill(pl.concat(waiting), Path(folder), spilled)
            waiting = []
        for part in range(PARTS):
            files = sorted(Path(folder).glob(f"{part}-*.parquet"))
            if files:
                yield from _pieces(pl.read_parquet(files), rows)


def batches(frame: pl.LazyFrame) -> Iterator[pl.DataFrame]:
    """Work a frame out batch by batch, in no set order. Raises InputError where its file cannot be read to its end."""
    try:
        yield from frame.collect_batches(chunk_size=BATCH_ROWS, maintain_order=False, lazy=True)
    except pl.exceptions.PolarsError as error:
        reason = printable(str(error).splitlines()[0] if str(error) else type(error).__name__)
        mend = "Look at it with `painlab doctor`, or export it again."
        raise InputError(f"the table cannot be read to its end ({reason})", expected="a whole table", mend=mend) from None


def _spill(frame: pl.DataFrame, folder: Path, number: int) -> None:
    """Write one file a part; a person is always in the same part."""
    try:
        for (part,), some in frame.group_by(pl.col("person").hash(0) % PARTS):
            some.write_parquet(folder / f"{part}-{number:05}.parquet", compression="lz4", statistics=False)
    except OSError as error:
        raise InputError(
            f"the temporary folder cannot take the rows ({error.strerror or error})",
            where=str(folder.parent),
            expected="room for about 60 bytes a row",
            mend="Make room, or set TMPDIR to a folder on a larger disk",
        ) from None


def _pieces(frame: pl.DataFrame, rows: int) -> Iterator[pl.DataFrame]:
    """Cut a frame where the person changes, about every so many rows."""
    frame = frame.sort("person", "row")
    start, height = 0, frame.height
    if height <= rows:
        yield frame
        return
    ends = frame.select((pl.col("person") != pl.col("person").shift(-1)).fill_null(True).arg_true())["person"].to_numpy() + 1
    while start < height:
        end = int(ends[min(int(ends.searchsorted(start + rows)), len(ends) - 1)])
        yield frame[start:end]
        start = end
