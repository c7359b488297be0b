"""Where pieces of work can be sent: threads, other processes and, with Dask, other machines."""

import hashlib
import multiprocessing
import os
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from functools import cache, partial
from importlib.metadata import version
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from painlab.errors import InputError
from painlab.tables import data_folder

if TYPE_CHECKING:
    from distributed import Client

Key = TypeVar("Key")
Errand = TypeVar("Errand")
Result = TypeVar("Result")

RETRIES: Final = 3
MOST_PROCESSES: Final = 1_024
_AHEAD: Final = 4  # errands handed out for each thread at work, so that none waits
_UNKNOWN: Final = 64  # threads taken to stand behind an Executor that does not say
_COUNTED_EVERY: Final = 5.0  # seconds between looks at how many workers a cluster has
_DATA: Final = ("parameters.csv", "conditions.toml", "goals.toml", "treatments.toml", "scenarios/*.toml")
_CODE: Final = (
    "numerics.py", "randomness.py", "parameters.py", "outcomes.py", "dynamics.py", "care.py", "catalog.py", "plan.py", "population.py",
    "scenario.py", "engine/*.py",
)  # fmt: skip
_clients: "WeakKeyDictionary[Executor, Client]" = WeakKeyDictionary()


class Differs(NamedTuple):
    """A worker's answer if its PainLab is another one than that of who asked."""

    theirs: dict[str, str]


def executor_of(one: Any) -> Executor:
    """Return an Executor as it is, and for a Client of Dask its executor, once its workers are known to have the same PainLab.

    Raises InputError for anything else, and for workers with another version or other data.
    """
    if isinstance(one, Executor):
        return one
    if hasattr(one, "get_executor"):
        check(one)
        pool: Executor = one.get_executor(pure=False, retries=RETRIES)
        _clients[pool] = one
        return pool
    raise InputError(
        f"the executor is {one!r}",
        expected="a concurrent.futures Executor or a Client of dask.distributed",
        mend="Leave it out to use this machine's cores.",
    )


def processes(count: int) -> ProcessPoolExecutor:
    """An Executor of so many new processes of this machine. They end with this one, however it ends, and leave Ctrl-C to it.

    In a script its use belongs under `if __name__ == "__main__":`, as for every Executor of processes.
    """
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_process)


def _begin_process() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)  # nobody is left to take a result


def connect(address: str, seconds: float = 5.0) -> "Client":
    """Connect to a Dask scheduler by its address, such as tcp://10.0.0.5:8786, or by the path of its scheduler file (.json).

    Raises InputError if Dask is not installed, if nothing answers in time, if no worker is there, or if a worker has another PainLab.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise InputError(
            "Dask is not installed here",
            expected="the package distributed",
            mend="`pip install 'painlab[dask]'` or `conda install -c conda-forge distributed` installs it.",
        ) from None
    named = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    try:
        if address.endswith(".json"):
            Path(address).stat()
        else:
            _knock(address, seconds)
        client: Client = Client(**named, timeout=seconds, set_as_default=False)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        reason = (error.strerror if isinstance(error, OSError) else None) or " ".join(str(error).split()) or "no answer"
        raise InputError(
            f"no Dask scheduler answers ({reason})",
            where=f"--dask {address}",
            expected="the address of a scheduler, such as tcp://10.0.0.5:8786, or the path of its scheduler file (.json)",
            mend="`dask scheduler` prints its address; docs/many-machines.md shows how to start one.",
        ) from None
    try:
        check(client)
        if not client.nthreads():
            raise InputError(
                "the Dask scheduler has no workers",
                where=f"--dask {address}",
                expected="at least one worker",
                mend=f"Start one with `dask worker {address}`, or wait until the cluster has started.",
            )
    except BaseException:
        client.close()
        raise
    return client


def _knock(address: str, seconds: float) -> None:
    """Raise OSError at once if nothing listens there: a Client would try again until its time is up, and complain when it is dropped."""
    from distributed.comm.addressing import parse_host_port

    scheme, _, place = address.rpartition("://")
    if scheme in ("", "tcp", "tls"):
        socket.create_connection(parse_host_port(place), timeout=seconds).close()


@cache
def installed() -> dict[str, str]:
    """What a worker must have in common with who asks it: PainLab's version, and SHA-256 of the model's code and its data."""
    here = Path(__file__).parents[1]
    return {
        "version of PainLab": version("painlab"),
        "code of the model": _sha256(here, _CODE),
        "data of the model": _sha256(data_folder(), _DATA),
    }


def _sha256(folder: Path, patterns: Iterable[str]) -> str:
    found = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in folder.glob(pattern)):
        lines = path.read_text(encoding="utf-8").splitlines()  # whatever ends a line on that system
        found.update("\n".join([path.name, *lines, ""]).encode())
    return found.hexdigest()


def check(client: "Client") -> None:
    """Ask the workers of a Dask cluster once for their PainLab. Raises InputError that says which differs, and in what."""
    try:
        answers = client.run(installed, on_error="return")
    except Exception as error:
        answers = {"its scheduler": error}
    for where, theirs in answers.items():
        if isinstance(theirs, Exception):
            reason = " ".join(str(theirs).split()) or type(theirs).__name__
            raise InputError(
                f"PainLab does not run there ({reason})",
                where=f"Dask worker {where}",
                expected="PainLab as it is here",
                mend=f"Install PainLab {version('painlab')} in the workers' environment.",
            )
        if theirs != installed():
            raise _differing(theirs, f"Dask worker {where}")


def _differing(theirs: dict[str, str], where: str) -> InputError:
    """The complaint about another PainLab somewhere."""
    said = []
    for what, ours in installed().items():
        there = theirs.get(what, "unknown")
        if there != ours:
            said.append(f"{what} ({there} there, {ours} here)" if what.startswith("version") else what)
    return InputError(
        f"another PainLab works there: it differs in the {', the '.join(said)}",
        where=where,
        expected="the same version, code and data as here, so that the results are the same",
        mend="Install the same PainLab in the workers' environment, then start the workers again.",
    )


def at_work(pool: Executor) -> int:
    """Threads or processes behind an Executor, as far as it says; a cluster's as they are now."""
    client = _clients.get(pool)
    if client is not None:
        return max(1, sum(client.nthreads().values()))
    return int(getattr(pool, "_max_workers", None) or _UNKNOWN)


def _same_installation(expected: dict[str, str], work: Callable[[Errand], Result], errand: Errand) -> Result | Differs:
    """Do an errand elsewhere, unless the PainLab there is another one: workers may join after `check`."""
    return work(errand) if installed() == expected else Differs(installed())


def finished(
    pool: Executor, work: Callable[[Errand], Result], errands: Iterable[tuple[Key, Errand]]
) -> Generator[tuple[Key, Result], None, None]:
    """Hand out errands and yield each one's key and result in the order in which they finish; only so many are out at a time.

    work and errands must be such as can be sent to another process unless the pool is one of threads. Whoever leaves early closes the
    iterator, so that errands that have not begun are called back. Raises InputError if an errand met another PainLab.
    """
    coming = iter(errands)
    waiting: dict[Future[Any], Key] = {}
    local = isinstance(pool, ThreadPoolExecutor)
    do = work if local else partial(_same_installation, installed(), work)
    room, counted = 0, -_COUNTED_EVERY
    try:
        while True:
            if time.monotonic() - counted >= _COUNTED_EVERY:
                room, counted = _AHEAD * at_work(pool), time.monotonic()
            while len(waiting) < room and (following := next(coming, None)) is not None:
                waiting[pool.submit(do, following[1])] = following[0]
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                key, result = waiting.pop(future), future.result()
                if isinstance(result, Differs):
                    raise _differing(result.theirs, "a worker")
                yield key, result
    finally:  # an interrupt should not wait for what has not begun
        for future in waiting:
            future.cancel()
