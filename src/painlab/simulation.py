"""simulate() and compare(): the only door into the engine."""

import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import polars as pl

from painlab import posterior, projection
from painlab.engine import execution
from painlab.errors import InputError
from painlab.projection import Projection
from painlab.scenario import MAX_WEEKS, Scenario

MAX_PATIENTS: Final = 10_000_000
MAX_DRAWS: Final = 2_000
MAX_THREADS: Final = 1_024


def whole_number(name: str, value: int, low: int, high: int) -> int:
    """Return a whole number within its range; raises InputError otherwise."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        given = f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else repr(value)
        raise InputError(f"{name} is {given}", expected=f"a whole number from {low:,} to {high:,}", mend=f"Change {name}.")
    return value


def simulate(
    scenario: Scenario | str,
    *,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    parameters: str = "posterior",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Projection:
    """Project a scenario and its baseline on the same patients and random numbers.

    Parameters
    ----------
    scenario
        A Scenario, or the name or path of one.
    patients
        Patients in each parameter draw, 1 to 10,000,000.
    draws
        Sets of parameter values. One uses the central values and gives no band.
    seed
        Same seed, same numbers, whatever the threads.
    weeks
        Horizon in place of the scenario's.
    cut
        Links of the cycle set to zero: `pain_to_activity`, `activity_to_strength`, `weakness_to_pain`.
    parameters
        `posterior`: sets that the calibration's trials allow; `prior`: the ranges before it (data/parameters.csv). If the posterior belongs
        to another state of model or evidence, a StalePosterior warning says so and the prior is used.
    threads
        Threads at work; all cores if left out.
    progress
        Called as progress(done, total) as blocks of work finish.
    cancelled
        Asked between blocks; when it returns true, the run ends with `painlab.engine.execution.Cancelled`.

    Raises
    ------
    InputError
        For an unknown scenario or link, or a number outside its range.
    """
    chosen = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    links = (cut,) if isinstance(cut, str) else tuple(cut)
    whole_number("patients", patients, 1, MAX_PATIENTS)
    whole_number("draws", draws, 1, MAX_DRAWS)
    whole_number("seed", seed, 0, 2**63 - 1)
    horizon = whole_number("weeks", chosen.weeks if weeks is None else weeks, 1, MAX_WEEKS)
    if threads is not None:
        whole_number("threads", threads, 1, MAX_THREADS)
    values = parameter_sets(draws, seed, parameters)
    sums = execution.run(
        chosen, values, patients=patients, seed=seed, weeks=horizon, cut=links, threads=threads, progress=progress, cancelled=cancelled
    )
    origin = posterior.words(draws, parameters)
    return projection.from_means(chosen, sums.means, sums.present, patients=patients, seed=seed, weeks=horizon, cut=links, origin=origin)


class StalePosterior(UserWarning):
    """The posterior that ships belongs to another state of the model, its trials or its evidence."""


def parameter_sets(draws: int, seed: int, kind: str = "posterior") -> list[Mapping[str, float]]:
    """Sets of parameter values for a run: the central one for one draw, otherwise as many as are asked for.

    Raises InputError for an unknown kind. Warns with StalePosterior if the posterior is stale, and gives the prior's.
    """
    found = posterior.load() if kind == "posterior" else None
    if found and found.changed:
        warnings.warn(found.complaint(), StalePosterior, stacklevel=3)
    return [posterior.values(None if draws == 1 else draw, seed, kind) for draw in range(draws)]


def compare(
    scenarios: Iterable[Scenario | str] | Scenario | str, *, patients: int = 1000, draws: int = 40, seed: int = 1, weeks: int | None = None
) -> pl.DataFrame:
    """Project several scenarios; each is held against its own baseline.

    Returns a frame with the column `name` (of the scenario) before the columns of `Projection.weekly`.
    """
    frames = []
    for one in [scenarios] if isinstance(scenarios, str | Scenario) else scenarios:
        projected = simulate(one, patients=patients, draws=draws, seed=seed, weeks=weeks)
        frames.append(projected.weekly.select(pl.lit(projected.scenario.name).alias("name"), pl.all()))
    if not frames:
        raise InputError("there is no scenario to compare", expected="at least one")
    return pl.concat(frames)
