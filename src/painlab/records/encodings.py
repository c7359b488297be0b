"""The letters of a table: in which encoding a file is written, and a copy in UTF-8 where it is another."""

import atexit
import codecs
import csv
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from painlab.errors import InputError

LONGEST_LINE: Final = 1_000_000
"""Bytes in a line; a table's line has a few hundred."""

CHUNK: Final = 262_144
QUOTED_LINES: Final = 200
"""Lines a quoted cell may span, in a file with stray quotation marks, before its own is taken for a letter."""


def swallowed(width: int) -> int:
    """How many lines in one quoted cell, each with as many cells as the table has columns, tell that it is no cell but swallowed rows."""
    return 3 if width > 2 else 20


MIXED: Final = "mixed"
"""UTF-8 with some bytes that are not: two sources glued together. Those are read as Windows-1252."""

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CALLED: Final = {
    "utf-8": "UTF-8", "utf-8-sig": "UTF-8 with a byte-order mark", "utf-16": "UTF-16", "utf-16-le": "UTF-16 (little-endian, unmarked)",
    "utf-16-be": "UTF-16 (big-endian, unmarked)", "utf-32": "UTF-32", "cp1252": "Windows-1252 (Western European)",
    "latin-1": "Latin-1", MIXED: "UTF-8 mixed with Windows-1252", "parquet": "Parquet",
}  # fmt: skip
_UNDEFINED_IN_CP1252: Final = (0x81, 0x8D, 0x8F, 0x90, 0x9D)


class Letters(NamedTuple):
    """What reading a file once, in chunks, tells of its text."""

    encoding: str
    nulls: int
    """NUL bytes in a text that is not UTF-16."""
    quotes: bool
    lone_returns: bool
    """Whether lines end with CR alone, as old Macs wrote."""

    @property
    def plain(self) -> bool:
        """Whether the file can be read as it lies there."""
        return self.encoding in {"utf-8", "utf-8-sig"} and not self.nulls and not self.lone_returns


def called(encoding: str) -> str:
    """An encoding's name for a reader."""
    return _CALLED.get(encoding, encoding)


def _two_byte(start: bytes) -> str:
    """utf-16-le or utf-16-be if every other byte is mostly NUL, else an empty text."""
    even, odd = start[0::2], start[1::2]
    if not odd:
        return ""
    low, high = even.count(0) / len(even), odd.count(0) / len(odd)
    if high > 0.4 and low < 0.1:
        return "utf-16-le"
    return "utf-16-be" if low > 0.4 and high < 0.1 else ""


def letters(path: Path, where: str) -> Letters:
    """Read a file once, in chunks, and tell its encoding. Raises InputError for a line that is too long and for what is no text."""
    with path.open("rb") as file:
        start = file.read(CHUNK)
        file.seek(0)
        encoding = next((name for mark, name in _MARKS if start.startswith(mark)), "") or _two_byte(start)
        wide = encoding.startswith(("utf-16", "utf-32"))
        controls = sum(start.count(bytes([byte])) for byte in (*range(1, 9), *range(14, 27)))
        if not wide and (controls > 0.02 * len(start) or start.count(0) > 0.3 * len(start)):
            raise InputError("the file is not text", where=where, expected="a table as text (CSV) or as Parquet", mend="Export it as CSV")
        return _read_through(file, encoding, wide, where)


def _read_through(file: BinaryIO, encoding: str, wide: bool, where: str) -> Letters:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    valid, multibyte, undefined, quotes, returns = True, False, False, False, False
    nulls, newlines, since, line = 0, 0, 0, 1
    while chunk := file.read(CHUNK):
        newlines += chunk.count(b"\n")
        returns = returns or b"\r" in chunk
        end = b"\n" if newlines or not returns else b"\r"
        first = chunk.find(end)
        if since + (first if first >= 0 else len(chunk)) > LONGEST_LINE:
            raise _too_long(line, where)
        since = since + len(chunk) if first < 0 else len(chunk) - chunk.rfind(end) - 1
        line += chunk.count(end)
        quotes = quotes or b'"' in chunk
        if wide:
            continue
        nulls += chunk.count(0)
        if not chunk.isascii():
            undefined = undefined or any(byte in chunk for byte in _UNDEFINED_IN_CP1252)
            multibyte = multibyte or _has_utf8(chunk)
        if valid and (not chunk.isascii() or decoder.getstate()[0]):
            valid = _decodes(decoder, chunk)
    if not wide and not (valid and _decodes(decoder, b"", final=True)):
        encoding = MIXED if multibyte or encoding else "latin-1" if undefined else "cp1252"
    return Letters(encoding or "utf-8", 0 if wide else nulls, quotes, returns and not newlines)


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _too_long(line: int, where: str) -> InputError:
    return InputError(
        f"line {line:,} is longer than {LONGEST_LINE:,} bytes",
        where=where,
        expected="a line for each row, of a few hundred bytes",
        mend="Export it again with one row to a line",
    )


def _has_utf8(chunk: bytes) -> bool:
    """Whether some letters beyond ASCII are valid UTF-8: typical pairs of Western European text."""
    return any(bytes([lead, follow]) in chunk for lead in (0xC3, 0xC2) for follow in range(0x80, 0xC0))


def _rest_as_cp1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    byte = error.object[error.start : error.start + 1]
    return byte.decode("cp1252", errors="ignore") or byte.decode("latin-1"), error.start + 1


codecs.register_error("painlab-cp1252", _rest_as_cp1252)


def decoded(path: Path, encoding: str, most: int = CHUNK) -> str:
    """The beginning of a file as text, up to the last whole line within `most` bytes."""
    with path.open("rb") as file:
        start = file.read(most)
        whole = not file.read(1)
    text = codecs.getincrementaldecoder(_codec(encoding))(_errors(encoding, "replace")).decode(start, final=whole)
    text = text.removeprefix("\ufeff").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return text if whole or "\n" not in text else text[: text.rindex("\n") + 1]


def _codec(encoding: str) -> str:
    return "utf-8" if encoding == MIXED else encoding


def _errors(encoding: str, otherwise: str) -> str:
    return "painlab-cp1252" if encoding == MIXED else otherwise


@cache
def _own_folder() -> Path:
    made = tempfile.TemporaryDirectory(prefix="painlab-table-")
    atexit.register(made.cleanup)
    return Path(made.name)


def _new_file() -> Path:
    handle, name = tempfile.mkstemp(suffix=".csv", dir=_own_folder())
    os.close(handle)
    return Path(name)


def as_utf8(path: Path, found: Letters, where: str) -> Path:
    """A copy of a file in UTF-8 without NUL bytes, with lines that end with LF; written in chunks, removed when Python ends."""
    decoder = codecs.getincrementaldecoder(_codec(found.encoding))(_errors(found.encoding, "replace"))
    target = _new_file()
    try:
        with path.open("rb") as source, target.open("w", encoding="utf-8", newline="") as sink:
            while chunk := source.read(CHUNK):
                sink.write(_cleaner(decoder.decode(chunk), found.lone_returns))
            sink.write(_cleaner(decoder.decode(b"", final=True), found.lone_returns))
    except OSError as error:
        target.unlink(missing_ok=True)
        raise _no_room(error, where) from None
    return target


def _cleaner(text: str, lone_returns: bool) -> str:
    text = text.replace("\0", "").replace("\ufeff", "")
    return text.replace("\r", "\n") if lone_returns else text


def _no_room(error: OSError, where: str) -> InputError:
    return InputError(
        f"a copy in UTF-8 cannot be written ({error.strerror or error})", where=where,
        expected=f"room for it in {tempfile.gettempdir()}", mend="Free some room there, or point TMPDIR to another disk",
    )  # fmt: skip


def with_quotes_mended(path: Path, delimiter: str, width: int, where: str) -> tuple[Path, list[int]]:
    """A copy whose stray quotation marks are letters, and the rows they stand in, as a spreadsheet numbers them (at most 1,000)."""
    target, rows = _new_file(), list[int]()
    try:
        with path.open(encoding="utf-8-sig", newline="") as source, target.open("w", encoding="utf-8", newline="") as sink:
            writer = csv.writer(sink, delimiter=delimiter, lineterminator="\n")
            for row, (cells, stray) in enumerate(_records(iter(source), delimiter, width), start=1):
                writer.writerow(cells)
                if stray and len(rows) < 1_000:
                    rows.append(row)
    except OSError as error:
        target.unlink(missing_ok=True)
        raise _no_room(error, where) from None
    return target, rows


def _records(lines: Iterator[str], delimiter: str, width: int) -> Iterator[tuple[list[str], bool]]:
    """Records with a mark where quotation marks were astray."""
    waiting: list[str] = []
    while line := waiting.pop(0) if waiting else next(lines, ""):
        held = [line]
        cells = _cells(held, delimiter)
        rows = 0
        while cells is None and len(held) < QUOTED_LINES and rows < swallowed(width):
            more = waiting.pop(0) if waiting else next(lines, "")
            if not more:
                break
            held.append(more)
            rows += more.count(delimiter) == width - 1 and '"' not in more
            cells = _cells(held, delimiter)
        if cells and rows < swallowed(width):
            yield cells, False
            continue
        waiting[:0] = held[1:]
        yield line.rstrip("\r\n").split(delimiter), bool(line.strip())


def _cells(held: list[str], delimiter: str) -> list[str] | None:
    """The cells of a record, null while a quotation mark is open, and none where one is astray."""
    try:
        return next(csv.reader(held, delimiter=delimiter, strict=True), [""])
    except csv.Error as error:
        return None if "unexpected end" in str(error) else []
