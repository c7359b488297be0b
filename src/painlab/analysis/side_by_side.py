"""Many care plans side by side, on the same patients, random numbers and parameter values."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from painlab.engine import execution
from painlab.engine.execution import Part, Values
from painlab.errors import InputError
from painlab.outcomes import OUTCOMES
from painlab.plan import CarePlan
from painlab.scenario import Scenario

_SCALES = np.array([one.scale for one in OUTCOMES])


def parts_of(
    scenario: Scenario,
    plans: Sequence[CarePlan],
    values: Sequence[Values],
    *,
    patients: int,
    seed: int,
    weeks: int,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[tuple[int, int, Part]]:
    """Sums of each plan and draw as they finish: number of the plan, of the draw, and the part, of which only arm 1 is filled.

    Patients, baseline (which those who came before week 0 have in an open cohort) and assumptions are the scenario's. Each plan's numbers
    are those that `simulate` gives for it with the same patients, draws and seed. Raises `execution.Cancelled` when `cancelled()` is true.
    """
    if not plans:
        raise InputError("there is no care plan to simulate", expected="at least one")
    pinned = scenario.model_copy(update={"baseline": scenario.baseline_plan()})
    whole = [
        cohort._replace(alone=True)
        for plan in plans
        for cohort in execution.cohorts(pinned.model_copy(update={"care": plan}), values, patients=patients, seed=seed, weeks=weeks)
    ]
    for number, part in execution.parts(whole, threads=threads, progress=progress, cancelled=cancelled):
        plan, draw = divmod(number, len(values))
        yield plan, draw, part


def means_of_plan(part: Part) -> np.ndarray:
    """Weekly means of the plan of a part of `parts_of` in patients' units, shape (len(OUTCOMES), weeks + 1)."""
    return np.asarray(execution.means_of(part)[1])


def weekly_means(
    scenario: Scenario,
    plans: Sequence[CarePlan],
    values: Sequence[Values],
    *,
    patients: int,
    seed: int,
    weeks: int,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> np.ndarray:
    """Weekly means of each plan and draw in the outcomes' units, shape (plans, draws, len(OUTCOMES), weeks + 1)."""
    found = np.empty((len(plans), len(values), len(OUTCOMES), weeks + 1))
    every = parts_of(
        scenario, plans, values, patients=patients, seed=seed, weeks=weeks, threads=threads, progress=progress, cancelled=cancelled
    )
    for plan, draw, part in every:
        found[plan, draw] = means_of_plan(part) * _SCALES[:, None]
    return found


def horizon_means(
    scenario: Scenario,
    plans: Sequence[CarePlan],
    values: Sequence[Values],
    *,
    patients: int,
    seed: int,
    weeks: int,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> np.ndarray:
    """Means over the weeks of each plan and draw in the outcomes' units, shape (plans, draws, len(OUTCOMES))."""
    found = np.empty((len(plans), len(values), len(OUTCOMES)))
    every = parts_of(
        scenario, plans, values, patients=patients, seed=seed, weeks=weeks, threads=threads, progress=progress, cancelled=cancelled
    )
    for plan, draw, part in every:
        found[plan, draw] = means_of_plan(part).mean(axis=1) * _SCALES
    return found
