"""sweep(): many scenarios, draws and patients into a folder, in finished parts that survive a kill."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from painlab import durable, posterior
from painlab.durable import Manifest
from painlab.engine import execution, machines
from painlab.engine.execution import ARMS, Cancelled, Piece
from painlab.engine.layout import LANES
from painlab.errors import InputError
from painlab.grids import Grid
from painlab.outcomes import OUTCOMES
from painlab.scenario import MAX_WEEKS, Scenario
from painlab.simulation import MAX_DRAWS, MAX_THREADS, parameter_sets, whole_number
from painlab.swept import KIND, Chunk, Sweep, chunks_of, frame_of

if TYPE_CHECKING:
    from distributed import Client

MAX_PATIENTS: Final = 1_000_000_000
MAX_PARTS: Final = 100_000
_PARTS: Final = 100  # in which a sweep is cut, where that is neither too fine nor too coarse
_MANY_PARTS: Final = 5_000
_LEAST_WEEKS: Final = 20_000_000  # patient-weeks in a part: under a second of work
_MOST_WEEKS: Final = 1_000_000_000  # half a minute on one core, which is what a kill may cost
_ERRANDS: Final = 100_000  # for other machines; a scheduler deals with some hundred in a second
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Request:
    """A checked request to sweep; `asked` makes one.

    weeks: horizon by scenario. values: a set of parameter values for each draw. chunk: patients in a part. grid: what the scenarios were
    made from, if they were.
    """

    scenarios: tuple[Scenario, ...]
    patients: int
    draws: int
    seed: int
    weeks: Mapping[str, int]
    cut: tuple[str, ...]
    parameters: str
    values: Sequence[Mapping[str, float]]
    chunk: int
    grid: Grid | None = None

    def manifest(self) -> Manifest:
        """What decides the results, how they are cut, and how they came about."""
        return Manifest(
            request={
                "scenarios": {one.name: one.fingerprint() for one in self.scenarios},
                "patients": self.patients,
                "draws": self.draws,
                "seed": self.seed,
                "weeks": dict(self.weeks),
                "links cut": list(self.cut),
                **durable.model_in_use(self.values),
            },
            cut={"order": [one.name for one in self.scenarios], "patients": self.chunk},
            about={
                **durable.made_with(),
                "parameters": posterior.words(self.draws, self.parameters),
                "parameters_kind": posterior.in_use(self.parameters),
                "scenarios": {one.name: one.to_toml() for one in self.scenarios},
                **({} if self.grid is None else {"grid": self.grid.record()}),
            },
        )


def asked(
    scenarios: Grid | Iterable[Scenario | str] | Scenario | str,
    *,
    patients: int = 10_000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    parameters: str = "posterior",
    chunk: int | None = None,
) -> Request:
    """Check what `sweep` is asked for. Raises InputError; warns with StalePosterior as `simulate` does."""
    made_from = scenarios if isinstance(scenarios, Grid) else None
    if made_from is not None and weeks is not None and "weeks" in made_from.levers:
        raise InputError("weeks is given, but weeks is a lever of the grid", expected="one of the two", mend="Leave one out.")
    every = [scenarios] if isinstance(scenarios, str | Scenario) else list(scenarios)
    chosen = tuple(one if isinstance(one, Scenario) else Scenario.load(one) for one in every)
    names = [one.name for one in chosen]
    if not names:
        raise InputError("there is no scenario to sweep", expected="at least one", mend="Name some; `painlab list` shows those that ship.")
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(f"the scenario {twice[0]} is named twice", expected="scenarios of different names", mend="Change its name.")
    whole_number("patients", patients, 1, MAX_PATIENTS)
    whole_number("draws", draws, 1, MAX_DRAWS)
    whole_number("seed", seed, 0, 2**63 - 1)
    horizons = {one.name: whole_number("weeks", one.weeks if weeks is None else weeks, 1, MAX_WEEKS) for one in chosen}
    links = (cut,) if isinstance(cut, str) else tuple(cut)
    execution.cohorts(chosen[0], [], patients=patients, seed=seed, weeks=1, cut=links)  # complains of an unknown link
    size = fitting(patients, draws, horizons.values()) if chunk is None else whole_number("chunk", chunk, 1, MAX_PATIENTS)
    values = parameter_sets(draws, seed, parameters, stacklevel=4)
    request = Request(chosen, patients, draws, seed, horizons, links, parameters, values, size, made_from)
    least = -(-len(names) * draws * patients // MAX_PARTS)
    if size < min(least, patients):
        wanted = f"at least {least:,}, so that there are no more than {MAX_PARTS:,} parts"
        raise InputError(f"chunk is {size:,}", expected=wanted, mend="Change chunk, or leave it out.")
    return request


def fitting(patients: int, draws: int, weeks: Iterable[int]) -> int:
    """Patients in a part: so many that a kill costs little, and not so few that there are more files than anyone wants."""
    horizons = list(weeks)
    total = sum(ARMS * (horizon + 1) * patients * draws for horizon in horizons)
    share = min(max(total // _PARTS, _LEAST_WEEKS), max(_MOST_WEEKS, total // _MANY_PARTS))
    return max(LANES, share // (ARMS * (max(horizons) + 1)) // LANES * LANES)


def sweep(
    scenarios: Grid | Iterable[Scenario | str] | Scenario | str,
    folder: str | Path,
    *,
    patients: int = 10_000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    parameters: str = "posterior",
    executor: "Executor | Client | None" = None,
    threads: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    chunk: int | None = None,
    force: bool = False,
) -> Sweep:
    """Project many scenarios into a folder, part by part, so that a kill, a full disk or Ctrl-C costs little: the same call goes on.

    Each scenario gives what `simulate` gives with the same numbers, to the bit, however the work was cut, stopped or spread.

    Parameters
    ----------
    scenarios
        Scenarios, or their names or paths, or a Grid (`painlab.grid`); each is held against its own baseline.
    folder
        Where finished parts go at once, and at the end `results.parquet` (columns `name` and those of `Projection.weekly`),
        `draws/NAME.parquet` (means of every draw) and `parameters.parquet` (its parameter values). `sweep.json` says what was asked. A
        grid has besides `levers.parquet` (values by scenario), `summary.parquet` (means over the horizon) and `effects.parquet` (what each
        lever does).
    patients
        Patients in each draw, 1 to 1,000,000,000; a large draw is cut into parts too.
    draws, seed, weeks, cut, parameters, executor, threads, cancelled
        As in `simulate`. When `cancelled()` is true the finished parts stay.
    progress
        Called as progress(done, total), counted in patients of all draws and scenarios, those of earlier runs among them.
    chunk
        Patients in a part, of one or several draws; fitting to the work if left out. It changes no result.
    force
        Begin anew in a folder that was used before; what an earlier sweep left there is taken away.

    Raises
    ------
    InputError
        For an unknown scenario or link, a number outside its range, a folder that holds another request, and a full disk.
    """
    wanted = asked(scenarios, patients=patients, draws=draws, seed=seed, weeks=weeks, cut=cut, parameters=parameters, chunk=chunk)
    numbers = f"patients={patients}, draws={draws}, seed={seed}, weeks={weeks}, cut={wanted.cut}, parameters={parameters!r}"
    again = f"painlab.sweep(scenarios, {str(folder)!r}, {numbers})"
    return carry_out(wanted, folder, executor=executor, threads=threads, progress=progress, cancelled=cancelled, force=force, again=again)


def carry_out(
    request: Request,
    folder: str | Path,
    *,
    executor: "Executor | Client | None" = None,
    threads: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    force: bool = False,
    again: str,
) -> Sweep:
    """Sweep as was asked, or go on with it. again is the call or command that goes on after a stop, for the message about one."""
    at_work = execution.workers(None if threads is None else whole_number("threads", threads, 1, MAX_THREADS))
    pool = None if executor is None else machines.executor_of(executor)
    finished: set[int] = set()
    with durable.opened(folder, KIND, request.manifest(), force=force) as (manifest, parts):
        chunks = chunks_of(manifest)

        def said() -> str:
            return f"{len(finished):,} of {len(chunks):,} parts are finished and kept in {folder}; to go on: {again}"

        with durable.told(folder, said):
            finished.update(number for number, chunk in enumerate(chunks) if parts.keep(number, chunk._asdict()))
            if len(finished) < len(chunks):
                here = pool or ThreadPoolExecutor(at_work, thread_name_prefix="painlab")
                try:
                    with closing(_simulated(request, chunks, finished, here, pool is not None, progress, cancelled)) as whole:
                        for number, frame in whole:
                            parts.write(number, frame, chunks[number]._asdict())
                            finished.add(number)
                finally:
                    if pool is None:
                        here.shutdown(wait=True, cancel_futures=True)
            made = Sweep(Path(folder), manifest, frozenset(finished))
            table = pl.DataFrame([{"draw": draw, **values} for draw, values in enumerate(request.values)])
            durable.write_whole(made.folder / "parameters.parquet", durable.parquet(table))
            made.write_results()
    return made


class _Gathering:
    """Sums of a part's draws while its pieces come in."""

    def __init__(self, chunk: Chunk, weeks: int) -> None:
        self.chunk = chunk
        self.sums = np.zeros((chunk.draws, ARMS, len(OUTCOMES), weeks + 1), dtype=np.int64)
        self.present = np.zeros((chunk.draws, weeks + 1), dtype=np.int64)
        self.left = chunk.patients


def _simulated(
    request: Request,
    chunks: Sequence[Chunk],
    finished: set[int],
    pool: Executor,
    remote: bool,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> Generator[tuple[int, pl.DataFrame], None, None]:
    """Parts that are not finished yet, as they become whole: number and frame. Raises Cancelled."""
    gathered: dict[int, _Gathering] = {}
    done, total = sum(chunks[number].patients for number in finished), sum(chunk.patients for chunk in chunks)
    pending = [number for number in range(len(chunks)) if number not in finished]
    if cancelled and cancelled():
        raise Cancelled
    if progress and done:
        progress(done, total)
    with closing(machines.finished(pool, execution.simulate_pieces, _errands(request, chunks, pending, remote))) as answers:
        for (number, places), found in answers:
            chunk = chunks[number]
            if number not in gathered:
                gathered[number] = _Gathering(chunk, request.weeks[chunk.scenario])
            one = gathered[number]
            for (place, count), part in zip(places, found, strict=True):
                one.sums[place] += part.sums
                one.present[place] += part.present
                one.left -= count
                done += count
            if not one.left:
                del gathered[number]
                yield number, frame_of(chunk, one.sums, one.present)
            if progress:
                progress(done, total)
            if cancelled and cancelled():
                raise Cancelled


def _errands(
    request: Request, chunks: Sequence[Chunk], pending: Sequence[int], remote: bool
) -> Iterator[tuple[tuple[int, list[tuple[int, int]]], list[Piece]]]:
    """Pieces of the pending parts, some together, each errand under its part's number and each piece's draw in the part and patients."""
    by_name = {one.name: one for one in request.scenarios}
    total = sum(ARMS * (request.weeks[chunks[number].scenario] + 1) * chunks[number].patients for number in pending)
    together = min(max(execution.REMOTE_WEEKS, total // _ERRANDS), _MOST_WEEKS)
    for number in pending:
        chunk = chunks[number]
        weeks = request.weeks[chunk.scenario]
        size = max(LANES, together // (ARMS * (weeks + 1)) // LANES * LANES) if remote else execution.MOST_PATIENTS
        cohorts = execution.cohorts(
            by_name[chunk.scenario],
            request.values[chunk.first_draw : chunk.first_draw + chunk.draws],
            patients=request.patients,
            seed=request.seed,
            weeks=weeks,
            cut=request.cut,
            first_draw=chunk.first_draw,
        )
        places: list[tuple[int, int]] = []
        pieces: list[Piece] = []
        room = size
        for place, cohort in enumerate(cohorts):
            for start in range(chunk.start, chunk.start + chunk.count, size):
                piece = Piece(cohort, start, min(size, chunk.start + chunk.count - start))
                if pieces and piece.count > room:
                    yield (number, places), pieces
                    places, pieces, room = [], [], size
                places.append((place, piece.count))
                pieces.append(piece)
                room -= piece.count
        yield (number, places), pieces
