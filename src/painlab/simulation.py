"""simulate(), simulate_draws() and refine(): the only door into the engine."""

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from painlab import posterior, projection
from painlab.engine import execution, machines
from painlab.errors import InputError
from painlab.outcomes import OUTCOMES
from painlab.projection import Projection
from painlab.scenario import MAX_WEEKS, Scenario

if TYPE_CHECKING:
    from distributed import Client

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
    executor: "Executor | Client | None" = None,
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
    executor
        Any concurrent.futures Executor, or a Client of Dask, to work elsewhere; threads of this process if left out.
    progress
        Called as progress(done, total) as pieces of work finish.
    cancelled
        Asked between pieces; when it returns true, the run ends with `painlab.engine.execution.Cancelled`.

    Raises
    ------
    InputError
        For an unknown scenario or link, or a number outside its range.
    """
    run = _Run(scenario, patients, draws, seed, weeks, cut, parameters, threads)
    return run.projection(*run.whole(executor, progress, cancelled))


class Draws(NamedTuple):
    """A projection and what it was gathered from.

    means: weekly means of every draw, shape (draws, 2 arms, outcomes, weeks + 1), baseline first, in patients' units; present: patients by
    draw and week. `projection.arms_of` brings them to the outcomes' units.
    """

    projection: Projection
    means: np.ndarray
    present: np.ndarray


def simulate_draws(
    scenario: Scenario | str,
    *,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    parameters: str = "posterior",
    threads: int | None = None,
    executor: "Executor | Client | None" = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Draws:
    """Project a scenario as `simulate` does, and keep the means of every draw: for what is worked out draw by draw.

    Parameters and errors are those of `simulate`.

    >>> simulate_draws("early-pt", patients=20, draws=2, weeks=4).means.shape
    (2, 2, 19, 5)
    """
    run = _Run(scenario, patients, draws, seed, weeks, cut, parameters, threads)
    means, present = run.whole(executor, progress, cancelled)
    return Draws(run.projection(means, present), means, present)


def refine(
    scenario: Scenario | str,
    *,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    parameters: str = "posterior",
    threads: int | None = None,
    executor: "Executor | Client | None" = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[Projection]:
    """Project a scenario as `simulate` does, and yield what is known so far: after 5 draws, after 10, 20, 40 ..., at last after all.

    Each projection is the one that `simulate` gives with so many draws; the last is that of the whole run. For a band on the screen
    while the rest is worked out.
    """
    run = _Run(scenario, patients, draws, seed, weeks, cut, parameters, threads)
    means, present = run.empty()
    there = np.zeros(draws, dtype=bool)
    whole, shown = 0, _FIRST_BAND
    for draw, part in run.parts(executor, progress, cancelled):
        means[draw], present[draw] = execution.means_of(part), part.present
        there[draw] = True
        while whole < draws and there[whole]:
            whole += 1
        if shown <= whole < draws:
            yield run.projection(means[:whole], present[:whole])
            while shown <= whole:
                shown *= 2
    yield run.projection(means, present)


_FIRST_BAND: Final = 5


class _Run:
    """A checked request to simulate."""

    def __init__(
        self,
        scenario: Scenario | str,
        patients: int,
        draws: int,
        seed: int,
        weeks: int | None,
        cut: Iterable[str],
        parameters: str,
        threads: int | None,
    ) -> None:
        self.scenario = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
        _, self.cut = self.scenario.assumed({}, cut)
        self.patients = whole_number("patients", patients, 1, MAX_PATIENTS)
        self.draws = whole_number("draws", draws, 1, MAX_DRAWS)
        self.seed = whole_number("seed", seed, 0, 2**63 - 1)
        self.weeks = whole_number("weeks", self.scenario.weeks if weeks is None else weeks, 1, MAX_WEEKS)
        self.threads = threads if threads is None else whole_number("threads", threads, 1, MAX_THREADS)
        self.parameters = parameters
        self.values = parameter_sets(draws, seed, parameters, stacklevel=4)

    def empty(self) -> tuple[np.ndarray, np.ndarray]:
        """Room for the draws' means and the patients present."""
        return np.empty((self.draws, 2, len(OUTCOMES), self.weeks + 1)), np.empty((self.draws, self.weeks + 1), dtype=np.int64)

    def parts(
        self, executor: Any, progress: Callable[[int, int], None] | None, cancelled: Callable[[], bool] | None
    ) -> Iterator[tuple[int, execution.Part]]:
        """Draws as they finish."""
        whole = execution.cohorts(self.scenario, self.values, patients=self.patients, seed=self.seed, weeks=self.weeks, cut=self.cut)
        pool = None if executor is None else machines.executor_of(executor)
        return execution.parts(whole, threads=self.threads, executor=pool, progress=progress, cancelled=cancelled, keep=True)

    def whole(
        self, executor: Any, progress: Callable[[int, int], None] | None, cancelled: Callable[[], bool] | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """All draws' means and patients present."""
        means, present = self.empty()
        for draw, part in self.parts(executor, progress, cancelled):
            means[draw], present[draw] = execution.means_of(part), part.present
        return means, present

    def projection(self, means: np.ndarray, present: np.ndarray) -> Projection:
        """The projection of the first draws, as many as there are."""
        draws = means.shape[0]
        return projection.from_means(
            self.scenario,
            means,
            present,
            patients=self.patients,
            seed=self.seed,
            weeks=self.weeks,
            cut=self.cut,
            origin=posterior.words(draws, self.parameters),
            kind=posterior.in_use(self.parameters),
        )


class StalePosterior(UserWarning):
    """The posterior that ships belongs to another state of the model, its trials or its evidence."""


def parameter_sets(draws: int, seed: int, kind: str = "posterior", stacklevel: int = 3) -> list[Mapping[str, float]]:
    """Sets of parameter values for a run: the central one for one draw, otherwise as many as are asked for.

    Raises InputError for an unknown kind. Warns with StalePosterior if the posterior is stale, and gives the prior's.
    """
    found = posterior.load() if kind == "posterior" else None
    if found and found.changed:
        warnings.warn(found.complaint(), StalePosterior, stacklevel=stacklevel)
    return [posterior.values(None if draws == 1 else draw, seed, kind) for draw in range(draws)]
