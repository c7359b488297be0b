"""Folders whose finished parts survive a kill: what was asked stands in a manifest, and a part is there whole or not at all."""

import contextlib
import errno
import hashlib
import json
import os
import platform
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from painlab import posterior, projection
from painlab.errors import InputError

FORMAT: Final = 1
SET_ASIDE: Final = "set-aside"
_UNFINISHED: Final = ".unfinished"
_TOLD: Final = 6  # differences of two requests; more are counted
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_NO_LOCKS: Final = (errno.ENOLCK, errno.EOPNOTSUPP, errno.EBADF, errno.EINVAL, errno.EACCES)


class SetAside(UserWarning):
    """A part was truncated, or is none of this folder's; it was moved away and is made again."""


class NotWritten(Exception):
    """A file could not be written; what was there before is still there. The message says why, as `the disk is full`."""


@contextlib.contextmanager
def told(folder: str | Path, said: Callable[[], str]) -> Iterator[None]:
    """Have whatever ends the work tell what is kept and how to go on, as `said()` says it at that moment.

    Raises KeyboardInterrupt with those words, InputError where a file could not be written, and other errors with them as a note.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"stopped: {said()}") from None
    except NotWritten as error:
        raise InputError(f"{error}; {said()}", where=str(folder), mend="Mend that first, then go on") from None
    except Exception as error:
        error.add_note(said())
        raise


class Manifest(NamedTuple):
    """What a folder was begun for.

    request: what decides the results, by plain words, compared when the folder is used again. cut: how the work is cut into parts, which
    decides nothing else. about: how it came about, for readers.
    """

    request: Mapping[str, Any]
    cut: Mapping[str, Any]
    about: Mapping[str, Any]

    def fingerprint(self) -> str:
        """SHA-256 of the request."""
        return sha256_of(self.request)


class Kind(NamedTuple):
    """What a folder holds: the manifest's name, the parts' subfolder, what else is made at the end, and the word for one such run."""

    manifest: str
    parts: str
    results: tuple[str, ...]
    word: str


def sha256_of(content: Any) -> str:
    """SHA-256 of what JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def model_in_use(values: Sequence[Mapping[str, float]]) -> dict[str, str]:
    """The part of a request that is the model: hashes of sets of parameter values, of the equations, and of the tables they read."""
    found = posterior.fingerprints()
    return {
        "the parameter values": sha256_of([list(one.values()) for one in values]),
        "the model's equations": found["model"],
        "its conditions, goals and treatments": found["prior"],
    }


def made_with() -> dict[str, Any]:
    """The part of `about` that says with what results were made."""
    packages = {name: version(name) for name in ("numba", "numpy", "polars")}
    data = dict(projection.data_hashes())
    return {"painlab": version("painlab"), "data_sha256": data, "python": platform.python_version(), "packages": packages}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that after a kill or a loss of power it is there whole or as it was before. Raises NotWritten."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}{_UNFINISHED}")
    try:
        path.parent.mkdir(exist_ok=True)
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        reason = "the disk is full" if error.errno in _FULL else f"{path.name} cannot be written ({error.strerror or error})"
        raise NotWritten(reason) from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Have a folder's entries on the disk; not every system opens a folder."""
    with contextlib.suppress(OSError):
        held = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(held)
        finally:
            os.close(held)


def parquet(frame: pl.DataFrame, metadata: Mapping[str, str] | None = None) -> bytes:
    """A frame as the content of a Parquet file."""
    made = BytesIO()
    frame.write_parquet(made, compression="zstd", metadata=dict(metadata or {}))
    return made.getvalue()


def read_manifest(folder: Path, kind: Kind) -> Manifest:
    """Read a folder's manifest. Raises InputError if there is none, or none that this version understands."""
    path = folder / kind.manifest
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise InputError(
                f"the manifest has format {found['format']}",
                where=str(path),
                expected=f"format {FORMAT}",
                mend=f"Use the version of PainLab that made it ({found['about']['painlab']}), or another folder.",
            )
        return Manifest(found["request"], found["cut"], found["about"])
    except FileNotFoundError:
        raise InputError(f"there is no {kind.word} in this folder", where=str(folder), expected=f"a folder with {kind.manifest}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"the manifest cannot be read ({' '.join(str(error).split())})",
            where=str(path),
            expected=f"a {kind.manifest} as PainLab wrote it",
            mend="Use another folder, or begin anew with --force (in Python force=True).",
        ) from None


class Parts:
    """The finished parts of a folder, each with its number, and what it holds as metadata."""

    def __init__(self, folder: Path, kind: Kind, manifest: Manifest) -> None:
        self.folder = folder / kind.parts
        self.aside = folder / SET_ASIDE
        self.mark = manifest.fingerprint()

    def path(self, number: int) -> Path:
        """Where a part stands once it is finished."""
        return self.folder / f"part-{number:07d}.parquet"

    def write(self, number: int, frame: pl.DataFrame, holds: Mapping[str, Any]) -> None:
        """Write a finished part. Raises NotWritten."""
        write_whole(self.path(number), parquet(frame, {"painlab": self._label(holds), "sha256": _digest(frame)}))

    def read(self, number: int, holds: Mapping[str, Any]) -> pl.DataFrame | None:
        """A part's frame, or None if it is not there, is damaged or belongs to another request."""
        return self._look(number, holds)[0]

    def keep(self, number: int, holds: Mapping[str, Any]) -> bool:
        """Whether a part is there and is what it should be; one that is not is set aside with a warning. Raises NotWritten."""
        frame, complaint = self._look(number, holds)
        if complaint:
            self._set_aside(self.path(number), complaint)
        return frame is not None

    def _look(self, number: int, holds: Mapping[str, Any]) -> tuple[pl.DataFrame | None, str]:
        path = self.path(number)
        if not path.is_file():
            return None, ""
        try:
            told = pl.read_parquet_metadata(path)
            frame = pl.read_parquet(path, glob=False)
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            return None, f"it cannot be read ({(str(error) or type(error).__name__).splitlines()[0]})"
        if told.get("painlab") != self._label(holds):
            return None, "it belongs to another run"
        return (frame, "") if told.get("sha256") == _digest(frame) else (None, "its numbers have changed")

    def _label(self, holds: Mapping[str, Any]) -> str:
        return json.dumps({"format": FORMAT, "request": self.mark, **holds}, sort_keys=True)

    def _set_aside(self, path: Path, complaint: str) -> None:
        try:
            self.aside.mkdir(exist_ok=True)
            target = self.aside / f"{path.stem}-{sum(1 for _ in self.aside.iterdir())}{path.suffix}"
            path.replace(target)
        except OSError as error:
            raise NotWritten(f"{path.name} is damaged ({complaint}) and cannot be moved ({error.strerror})") from None
        warnings.warn(f"{path} was set aside as {target} and is made again: {complaint}.", SetAside, stacklevel=2)


def _digest(frame: pl.DataFrame) -> str:
    """SHA-256 of a frame's columns: names, types and numbers."""
    found = hashlib.sha256(str(frame.schema).encode())
    for column in frame:
        found.update(column.to_physical().to_numpy().tobytes())
    return found.hexdigest()


@contextlib.contextmanager
def opened(folder: str | Path, kind: Kind, manifest: Manifest, *, force: bool = False) -> Iterator[tuple[Manifest, Parts]]:
    """Begin, or go on with, the work of a folder, and yield the manifest that stands there and the parts. One run at a time may.

    With force whatever an earlier run left is taken away. Raises InputError if the folder cannot be written, holds other files or another
    request, or if another run is at work in it.
    """
    target = Path(folder)
    if target.exists() and not target.is_dir():
        raise InputError("the output folder is a file", where=str(target), expected="a folder", mend="Name another place for the output.")
    begun = (target / kind.manifest).is_file()
    if target.is_dir() and not (begun or force) and any(not one.name.endswith(_UNFINISHED) for one in target.iterdir()):
        raise InputError(
            f"the output folder is not empty, and no {kind.word} was begun in it",
            where=str(target),
            expected=f"a new or an empty folder, or one with a {kind.manifest}",
            mend="Name another folder, or allow its use with --force (in Python force=True).",
        )
    with contextlib.ExitStack() as held:
        try:
            target.mkdir(parents=True, exist_ok=True)
            held.enter_context(_alone(target, kind.word))
            stands = _begun(target, kind, manifest, anew=force or not begun)
            (target / kind.parts).mkdir(exist_ok=True)
        except NotWritten as error:
            raise InputError(f"{error}, before anything was done", where=str(target), mend="Make room, or name another folder.") from None
        except OSError as error:
            reason, wanted = f"the output folder cannot be written ({error.strerror or error})", "a folder that you may write to"
            raise InputError(reason, where=str(target), expected=wanted, mend="Name another folder.") from None
        yield stands, Parts(target, kind, stands)


def _begun(target: Path, kind: Kind, manifest: Manifest, *, anew: bool) -> Manifest:
    """The manifest that stands in a folder: the one of an earlier run that asked the same, or this one once it is written."""
    for place in (target, target / kind.parts, *(target / name for name in kind.results)):
        if place.is_dir():
            for one in place.glob(f".*{_UNFINISHED}"):
                one.unlink(missing_ok=True)
    if anew:
        if (target / kind.manifest).is_file():  # what lies in a folder of the user's own is not ours to take away
            _empty(target, kind)
        content = {"format": FORMAT, **manifest._asdict()}
        write_whole(target / kind.manifest, (json.dumps(content, indent=1) + "\n").encode())
    stands = read_manifest(target, kind)
    if differences := _differences(stands.request, json.loads(json.dumps(manifest.request))):
        more = f"; and {len(differences) - _TOLD:,} more" if len(differences) > _TOLD else ""
        raise InputError(
            f"another {kind.word} was begun in this folder: {'; '.join(differences[:_TOLD])}{more}",
            where=str(target / kind.manifest),
            expected=f"the request of that {kind.word}, to go on with it",
            mend="Name another folder, or begin anew with --force (in Python force=True), which takes away what is there.",
        )
    return stands


def _empty(folder: Path, kind: Kind) -> None:
    """Take away what an earlier run left, and nothing else; its manifest is written over after that."""
    for path in (folder / name for name in kind.results):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for path in (folder / kind.parts).glob("part-*.parquet"):
        path.unlink()


@contextlib.contextmanager
def _alone(folder: Path, word: str) -> Iterator[None]:
    """Hold a folder for this process; the system lets go when it ends, however it ends. Does nothing where folders have no locks."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise InputError(
            f"another {word} is at work in this folder", where=str(folder), mend="Wait until it has ended, or name another folder."
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            os.close(held)
            raise
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # a child made by fork holds it too, and would go on doing so
            fcntl.flock(held, fcntl.LOCK_UN)
        os.close(held)


def _differences(there: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say in words how two requests differ."""
    said = []
    for what in dict.fromkeys([*there, *now]):
        old, new = there.get(what), now.get(what)
        if isinstance(old, dict) and isinstance(new, dict):
            said += [
                f"{what}: {name} ({_other(old.get(name), new.get(name))})" for name in {**old, **new} if old.get(name) != new.get(name)
            ]
        elif old != new:
            said.append(f"{what} ({_other(old, new)})")
    return said


def _other(old: Any, new: Any) -> str:
    if old is None or new is None:
        return "only there" if new is None else "only in this request"
    if isinstance(old, str) and len(old) == 64:  # a hash says nothing to a reader
        return "changed since"
    return f"{_plain(old)} there, {_plain(new)} in this request"


def _plain(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return (", ".join(map(str, value)) or "none") if isinstance(value, list) else str(value)
