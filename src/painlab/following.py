"""trajectories(): each patient's own weeks, followed one by one and written to Parquet part by part."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from painlab import durable, posterior
from painlab.durable import Kind, Manifest
from painlab.engine import execution
from painlab.engine.layout import LANES
from painlab.errors import InputError
from painlab.outcomes import Recorded
from painlab.scenario import MAX_WEEKS, Scenario
from painlab.simulation import MAX_DRAWS, parameter_sets, whole_number

ARMS: Final = ("baseline", "scenario")
KIND: Final = Kind("trajectories.json", "patients", (), "set of trajectories")
MAX_PATIENTS: Final = 10_000_000
_ROWS: Final = 1_000_000  # in a part, at most: some 100 MB while it is made
_ARM: Final = pl.Enum(ARMS)
Progress = Callable[[int, int], None]
UNITS: Final[Mapping[str, str]] = {
    "pain": "0-10 NRS, felt",
    "activity": "share of habitual, 0-1",
    "strength": "share of healthy, 0-1",
    "function": "0-1",
    "dose": "MME/day prescribed",
    "mme": "MME/day taken, less in a week that the supply covers in part",
    "sessions": "attended this week, of all programs of care",
    "tapered": "1 in a taper and the year after",
}
"""What each column of a trajectory holds."""


class Block(NamedTuple):
    """What one part holds: patients start ... start + count - 1 in some arms."""

    arms: tuple[str, ...]
    start: int
    count: int  # type: ignore[assignment]


class Request(NamedTuple):
    """A checked request to follow patients; `asked` makes one."""

    scenario: Scenario
    patients: int
    draw: int | None
    seed: int
    weeks: int
    cut: tuple[str, ...]
    arms: tuple[str, ...]
    parameters: str
    values: Mapping[str, float]

    def manifest(self) -> Manifest:
        """What decides the trajectories, how they are cut, and how they came about."""
        which = "central values" if self.draw is None else f"draw {self.draw}"
        return Manifest(
            request={
                "scenario": {self.scenario.name: self.scenario.fingerprint()},
                "patients": self.patients,
                "parameters": which,
                "seed": self.seed,
                "weeks": self.weeks,
                "arms": list(self.arms),
                "links cut": list(self.cut),
                **durable.model_in_use([self.values]),
            },
            cut={"patients": max(LANES, _ROWS // ((self.weeks + 1) * len(self.arms)) // LANES * LANES)},
            about={
                **durable.made_with(),
                "parameters": f"{which} of the {posterior.in_use(self.parameters)}",
                "scenario": self.scenario.to_toml(),
                "units": dict(UNITS),
            },
        )


def asked(
    scenario: Scenario | str,
    *,
    patients: int = 1000,
    draw: int | None = None,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    arms: Iterable[str] = ARMS,
    parameters: str = "posterior",
) -> Request:
    """Check what `trajectories` is asked for. Raises InputError; warns with StalePosterior as `simulate` does."""
    chosen = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    if chosen.population.arrivals:
        raise InputError(
            f"patients of {chosen.name} arrive week by week, and only those of a closed cohort can be followed one by one",
            expected="a scenario without population.arrivals",
            mend=f"Take population.arrivals out of a copy: `painlab show {chosen.name} --toml` prints one.",
        )
    whole_number("patients", patients, 1, MAX_PATIENTS)
    whole_number("seed", seed, 0, 2**63 - 1)
    horizon = whole_number("weeks", chosen.weeks if weeks is None else weeks, 1, MAX_WEEKS)
    wanted = (arms,) if isinstance(arms, str) else tuple(arms)
    if not wanted or set(wanted) - set(ARMS):
        raise InputError(f"the arms are {', '.join(wanted) or 'none'}", expected="baseline, scenario, or both", mend="Change arms.")
    links = (cut,) if isinstance(cut, str) else tuple(cut)
    execution.cohorts(chosen, [], patients=1, seed=seed, weeks=1, cut=links)  # complains of an unknown link
    (values,) = parameter_sets(1, seed, parameters, stacklevel=4)
    if draw is not None:
        values = posterior.values(whole_number("draw", draw, 0, MAX_DRAWS - 1), seed, parameters)
    values, links = chosen.assumed(values, links)
    return Request(chosen, patients, draw, seed, horizon, links, tuple(one for one in ARMS if one in wanted), parameters, values)


def trajectories(
    scenario: Scenario | str,
    folder: str | Path,
    *,
    patients: int = 1000,
    draw: int | None = None,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    arms: Iterable[str] = ARMS,
    parameters: str = "posterior",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    force: bool = False,
) -> pl.LazyFrame:
    """Follow patients one by one and write their weeks into a folder; no other run keeps anybody's own weeks.

    The patients are those whose means `simulate` gives with the same numbers: of its one draw if it has one (the central values), of
    draw number `draw` if it has more.

    Parameters
    ----------
    scenario
        A Scenario, or the name or path of one, with a closed cohort.
    folder
        Parts go to its subfolder `patients` as they are finished, and at most some 100 MB are in memory at a time. After a stop the same
        call goes on. `trajectories.json` says what was asked, and the unit of each column.
    patients
        Patients to follow, 1 to 10,000,000; a year of one takes about 0.7 kB on the disk in each arm.
    draw
        Number of the parameter draw from 0; the central values if left out.
    seed, weeks, cut, parameters, cancelled
        As in `simulate`. When `cancelled()` is true the finished parts stay.
    arms
        `baseline`, `scenario`, or both.
    progress
        Called as progress(done, total) in patients.
    force
        Begin anew in a folder that was used before; what earlier trajectories left there is taken away.

    Returns
    -------
    What `polars.scan_parquet(folder / "patients")` gives: a row for each arm, patient and week, columns `arm`, `patient`, `week` (from 0)
    and those of `UNITS`.

    Raises
    ------
    InputError
        For an open cohort, an unknown scenario, arm or link, a number outside its range, a folder that holds another request, and a full
        disk.
    """
    wanted = asked(scenario, patients=patients, draw=draw, seed=seed, weeks=weeks, cut=cut, arms=arms, parameters=parameters)
    numbers = f"patients={patients}, draw={draw}, seed={seed}, weeks={weeks}, cut={wanted.cut}, arms={wanted.arms}"
    again = f"painlab.trajectories(scenario, {str(folder)!r}, {numbers}, parameters={parameters!r})"
    return carry_out(wanted, folder, progress=progress, cancelled=cancelled, force=force, again=again)


def carry_out(
    request: Request,
    folder: str | Path,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    force: bool = False,
    again: str,
) -> pl.LazyFrame:
    """Follow patients as was asked, or go on with it. again is the call or command that goes on after a stop, for the message about one."""
    done = 0

    def said() -> str:
        return f"{done:,} of {request.patients:,} patients are finished and kept in {folder}; to go on: {again}"

    with durable.opened(folder, KIND, request.manifest(), force=force) as (manifest, parts):
        size = manifest.cut["patients"]
        with durable.told(folder, said):
            for number, start in enumerate(range(0, request.patients, size)):
                if cancelled and cancelled():
                    raise execution.Cancelled
                block = Block(request.arms, start, min(size, request.patients - start))
                if not parts.keep(number, block._asdict()):
                    parts.write(number, _followed(request, block), block._asdict())
                done += block.count
                if progress:
                    progress(done, request.patients)
    return pl.scan_parquet(parts.folder)


def _followed(request: Request, block: Block) -> pl.DataFrame:
    """A part's content: each arm's patients and weeks in long form."""
    plans = {"baseline": request.scenario.baseline_plan(), "scenario": request.scenario.care}
    first = (request.draw or 0) * request.patients + block.start
    rows, weeks = block.count * (request.weeks + 1), request.weeks + 1
    frames = []
    for arm in block.arms:
        own = execution.follow(
            request.scenario.population,
            plans[arm],
            request.values,
            first=first,
            patients=block.count,
            seed=request.seed,
            weeks=request.weeks,
            cut=request.cut,
        )
        columns = {
            "arm": pl.repeat(arm, rows, dtype=_ARM, eager=True),
            "patient": np.repeat(np.arange(first, first + block.count, dtype=np.int64), weeks),
            "week": np.tile(np.arange(weeks, dtype=np.int32), block.count),
        }
        frames.append(pl.DataFrame(columns | {one.name.lower(): own[:, :, one].ravel() for one in Recorded}))
    return pl.concat(frames)
