"""Tables that lie together in a folder or a zip file, found by their name whatever its case and read within stated bounds."""

import atexit
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple

import polars as pl

from painlab.errors import InputError
from painlab.records import tabular
from painlab.tables import printable

ENDINGS: Final = (".parquet", ".csv", ".tsv", ".txt")
"""Kinds of files that are read, the first preferred where a table is there twice."""
MOST_MEMBERS: Final = 10_000
MOST_BYTES: Final = 200 * 10**9
"""Bytes that a zip file may unpack to in all."""
MOST_RATIO: Final = 200
RATIO_FROM: Final = 50_000_000
"""A member beyond this size may be at most MOST_RATIO times its packed size: tables of records pack 5 to 30 times."""
_CHUNK: Final = 1 << 20


class Place(NamedTuple):
    """Where a table lies: a file, a folder of Parquet files, or a member of the zip file `path`."""

    path: Path
    member: str
    size: int

    @property
    def name(self) -> str:
        """The file's name, for errors."""
        return self.member or self.path.name


def found(path: Path, known: Sequence[str]) -> dict[str, Place]:
    """Those of the `known` tables that are in a folder (or one folder down) or in a zip file, by name in lower case.

    Raises InputError if there is no such folder or file, it is no zip file, or it holds none of them.
    """
    try:
        everything = list(_in_folder(path) if path.is_dir() else _in_zip(path))
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror or error})", where=printable(str(path)), mend="Check the path.") from None
    places: dict[str, Place] = {}
    for ending in ENDINGS:
        for place in everything:
            stem, own = _stem(place.name)
            if own == ending and stem in known:
                places.setdefault(stem, place)
    if not places:
        raise InputError(
            f"none of the tables {', '.join(known[:5])} ... is there", where=printable(str(path)),
            expected="a folder or zip file of tables named as in the OMOP CDM, as CSV or Parquet", mend="Check the path.",
        )  # fmt: skip
    return places


def _stem(name: str) -> tuple[str, str]:
    file = PurePosixPath(name.replace("\\", "/"))
    return file.stem.lower(), file.suffix.lower()


def _in_folder(folder: Path) -> list[Place]:
    places = []
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "__")):
            continue
        if entry.is_file():
            places.append(Place(entry, "", entry.stat().st_size))
        elif entry.is_dir():
            inside = [one for one in sorted(entry.iterdir()) if one.is_file() and not one.name.startswith((".", "_"))]
            parts = [one for one in inside if one.suffix.lower() == ".parquet"]
            if parts:  # a table written in parts: drug_exposure/part-0.parquet
                places.append(Place(entry.with_name(f"{entry.name}.parquet"), "", sum(one.stat().st_size for one in parts)))
            places.extend(Place(one, "", one.stat().st_size) for one in inside)
    return places


def _in_zip(path: Path) -> list[Place]:
    where = printable(str(path))
    if not path.exists():
        raise InputError("there is no such folder or file", where=where, mend="Check the path.")
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        raise InputError(
            "it is neither a folder nor a zip file", where=where, expected="tables of the OMOP CDM", mend="Check the path."
        ) from None
    if len(members) > MOST_MEMBERS:
        raise InputError(f"the zip file has {len(members):,} members", where=where, expected=f"at most {MOST_MEMBERS:,}")
    files = [one for one in members if not one.is_dir() and not _hidden(one.filename)]
    return [Place(path, one.filename, one.file_size) for one in sorted(files, key=lambda one: one.filename)]


def _hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def scan(place: Place, *, quoted: bool = True) -> pl.LazyFrame:
    """A table's rows as `tabular.scan` gives them: text (Parquet keeps its types) and `row`; names of columns in lower case.

    quoted is false for vocabulary files in which a quotation mark is a letter like any other. A member of a zip file is unpacked into a
    temporary folder that lasts as long as the process. Raises InputError for a file that cannot be read or unpacks beyond the bounds.
    """
    file = _unpacked(place) if place.member else place.path
    if not file.exists() and file.suffix == ".parquet":
        frame = pl.scan_parquet(file.with_suffix("") / "*.parquet").with_row_index("row", offset=2)
    elif not quoted and file.suffix.lower() != ".parquet" and _tabbed(file):
        frame = pl.scan_csv(
            file, separator="\t", quote_char=None, infer_schema=False, encoding="utf8-lossy", glob=False, truncate_ragged_lines=True
        )
        frame = frame.with_row_index("row", offset=2)
    else:
        frame = tabular.scan(file)
    return frame.rename(lambda name: name.strip().lower())


def _tabbed(file: Path) -> bool:
    with file.open("rb") as opened:
        return b"\t" in opened.readline(_CHUNK)


def _unpacked(place: Place) -> Path:
    return _unpack(place, place.path.stat().st_mtime_ns)


@cache
def _unpack(place: Place, changed: int) -> Path:
    """Unpack one member, counting what really comes out: what a zip file says of itself may be false."""
    del changed
    where = f"{place.path.name}, {printable(place.member)}"
    folder = Path(tempfile.mkdtemp(prefix="painlab-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    target = folder / PurePosixPath(place.member).name
    try:
        with zipfile.ZipFile(place.path) as archive:
            member = archive.getinfo(place.member)
            if member.flag_bits & 1:
                raise InputError("it is locked by a password", where=where, mend="Unpack it first.")
            most = min(MOST_BYTES, max(RATIO_FROM, member.compress_size * MOST_RATIO))
            with archive.open(member) as source, target.open("wb") as out:
                written = 0
                while chunk := source.read(_CHUNK):
                    written += len(chunk)
                    if written > most:
                        expected = f"at most {most:,} bytes from {member.compress_size:,} packed ones"
                        raise InputError(
                            "it unpacks to far more than tables do", where=where, expected=expected, mend="Unpack it yourself."
                        )
                    out.write(chunk)
    except (zipfile.BadZipFile, RuntimeError, EOFError, zlib.error) as error:
        raise InputError(f"it cannot be unpacked ({printable(str(error))})", where=where, mend="Zip the tables anew.") from None
    except OSError as error:
        mend = "Make room, or set TMPDIR to a folder on a larger disk."
        raise InputError(f"it cannot be unpacked ({error.strerror or error})", where=where, mend=mend) from None
    return target
