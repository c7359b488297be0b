"""What a scenario changes under many parameter sets, each on cohorts of patients that are independent of one another.

Two cohorts under each set part what parameters do from what chance does: the covariance of the two is the variance that parameters cause,
without bias, however few patients there are; the rest of the variance is patients and their luck.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from painlab import parameters, posterior, projection, simulation
from painlab.engine import execution
from painlab.errors import InputError
from painlab.outcomes import BY_NAME, OUTCOMES, Outcome, spoken_unit
from painlab.scenario import Scenario
from painlab.tables import nearest

Array = NDArray[np.float64]
Progress = Callable[[int, int], None]
Values = Mapping[str, float]
BESIDE: Final = ("mme_per_1000", "pain", "function")
"""Outcomes that always stand beside each other."""


class Request(NamedTuple):
    """A checked request: whose care, which outcome, when, on how many patients.

    outcomes: the one asked for first, and those that stand beside it. week: None for the mean over all weeks.
    """

    scenario: Scenario
    outcomes: tuple[str, ...]
    week: int | None
    patients: int
    seed: int

    @property
    def outcome(self) -> str:
        """The outcome that is asked for."""
        return self.outcomes[0]

    @property
    def unit(self) -> str:
        """Its unit."""
        return spoken_unit(BY_NAME[self.outcome].unit)

    @property
    def when(self) -> str:
        """The time in words."""
        return f"over {self.scenario.weeks} weeks" if self.week is None else f"in week {self.week}"


def request(scenario: Scenario | str, outcome: str, week: int | None, patients: int, seed: int, least: int = 2) -> Request:
    """Check what all analyses ask. Raises InputError for an unknown scenario or outcome, or a number outside its range."""
    asked = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    known = [one.name for one in outcomes_of(asked)]
    if outcome not in known:
        raise InputError(f'unknown outcome "{outcome}"{nearest(outcome, known)}', expected=f"one of {', '.join(known)}")
    if week is not None:
        simulation.whole_number("week", week, 0, asked.weeks)
    simulation.whole_number("patients", patients, least, simulation.MAX_PATIENTS)
    simulation.whole_number("seed", seed, 0, 2**63 - 1)
    return Request(asked, tuple(dict.fromkeys((outcome, *BESIDE))), week, patients, seed)


def outcomes_of(scenario: Scenario) -> tuple[Outcome, ...]:
    """Outcomes that are counted in a scenario."""
    means: Array = np.zeros((1, 2, len(OUTCOMES), 2))
    return projection.arms_of(scenario, means, np.ones((1, 2)), 1)[0]


def levels(
    asked: Request,
    sets: Sequence[Values],
    *,
    cohorts: int = 2,
    common: bool = False,
    first: int = 0,
    alone: bool = False,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Array:
    """Run both arms under every set, on so many cohorts of `asked.patients` / cohorts patients each.

    Parameters
    ----------
    common
        The same cohorts under all sets (common random numbers), for a comparison of sets; otherwise each set has patients of its own.
    first
        Number of the first patient.
    alone
        The scenario's arm alone; the baseline's levels are then 0.

    Returns
    -------
    Array, shape (cohorts, sets, 2 arms, outcomes), baseline first, in the outcomes' units.

    Raises `execution.Cancelled` when `cancelled()` is true between pieces.
    """
    each, weeks = max(1, asked.patients // cohorts), asked.scenario.weeks
    whole = []
    for place, one in enumerate(execution.cohorts(asked.scenario, sets, patients=each, seed=asked.seed, weeks=weeks)):
        start = first + (0 if common else place * cohorts * each)
        whole += [one._replace(first=start + number * each, alone=alone) for number in range(cohorts)]
    every = [one.name for one in outcomes_of(asked.scenario)]
    places = [every.index(name) for name in asked.outcomes]
    found = np.empty((len(whole), 2, len(places)))
    parts = execution.parts(whole, threads=threads, executor=executor, progress=progress, cancelled=cancelled)
    for number, part in parts:
        _, arms = projection.arms_of(asked.scenario, execution.means_of(part)[None], part.present[None], each)
        chosen = arms[0][:, places]
        found[number] = chosen.mean(axis=2) if asked.week is None else chosen[:, :, asked.week]
    return np.moveaxis(found.reshape(len(sets), cohorts, 2, len(places)), 1, 0)


def differences(of: Array) -> Array:
    """Scenario less baseline from `levels`, shape (cohorts, sets, outcomes)."""
    return np.asarray(of[:, :, 1] - of[:, :, 0])


def caused_by_parameters(of: Array) -> Array:
    """Variance over sets that parameters cause: the mean covariance between pairs of cohorts, shape (...); without bias, may be negative.

    of: shape (cohorts, sets, ...).
    """
    centered = of - of.mean(axis=1, keepdims=True)
    cohorts, sets = of.shape[:2]
    together = centered.sum(axis=0) ** 2 - (centered**2).sum(axis=0)
    return np.asarray(together.sum(axis=0) / (cohorts * (cohorts - 1) * (sets - 1)))


def free(scenario: Scenario) -> tuple[str, ...]:
    """Parameters that have a range and that the scenario does not set itself."""
    set_by = (
        set() if scenario.assume is None else {*scenario.assume.values, *(parameters.LINKS[link] for link in scenario.assume.links_cut)}
    )
    every = parameters.records().values()
    return tuple(one.name for one in every if one.distribution != "fixed" and one.low < one.high and one.name not in set_by)


def is_assumption(name: str) -> bool:
    """Whether a parameter's value or size is assumed rather than published."""
    return "assumption" in parameters.record(name).source


def quantiles(name: str, shares: Array, kind: str) -> Array:
    """Quantiles of a parameter's prior, or of its posterior draws if there is a current posterior, same shape as `shares`."""
    found = posterior.current() if kind == "posterior" else None
    if found is None:
        return parameters.record(name).quantiles(np.clip(shares, 1e-9, 1.0 - 1e-9))
    return np.quantile(found.draws[name].to_numpy(), shares)


def independent_sets(names: Sequence[str], shares: Array, kind: str) -> list[Values]:
    """Sets whose named parameters are their own quantiles at `shares`, shape (sets, names); all others have their central value."""
    middle = central(kind)
    columns = {name: quantiles(name, shares[:, place], kind) for place, name in enumerate(names)}
    return [{**middle, **{name: float(column[row]) for name, column in columns.items()}} for row in range(len(shares))]


def central(kind: str) -> Values:
    """The central values. Raises InputError for an unknown kind, and warns if the posterior is stale."""
    return simulation.parameter_sets(1, 1, kind, stacklevel=5)[0]


def known_parameters(names: Sequence[str], scenario: Scenario) -> tuple[str, ...]:
    """Check names of parameters. Raises InputError for one that is unknown, has no range, or is set by the scenario."""
    possible = free(scenario)
    for name in names:
        if name not in possible:
            parameters.record(name)
            problem = f'"{name}" has one value only in this scenario'
            raise InputError(problem, expected="a parameter with a range that the scenario leaves free")
    return tuple(dict.fromkeys(names))


def figures(value: float, most: int = 3) -> str:
    """A number with three significant figures and a plain minus sign.

    >>> figures(-64.04), figures(0.04449), figures(12345.6), figures(0.0)
    ('-64.0', '0.0445', '12,346', '0')
    """
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else str(value)
    decimals = max(0, most - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{decimals}f}"


def ranged(value: float, low: float, high: float) -> str:
    """A value with its interval, to the decimals of the wider of them.

    >>> ranged(-0.0384, -0.061, -0.0102)
    '-0.038 (-0.061 to -0.010)'
    """
    size = max(abs(low), abs(high), abs(value))
    decimals = max(0, 1 - math.floor(math.log10(size))) if size > 0.0 else 0
    return f"{value:,.{decimals}f} ({low:,.{decimals}f} to {high:,.{decimals}f})"


def stage(progress: Progress | None, done: int, total: int) -> Progress | None:
    """Progress of one stage that counts `done` pieces before it and `total` in all."""
    if progress is None:
        return None
    whole = progress
    return lambda now, _all: whole(done + now, total)


def readable(name: str) -> str:
    """A parameter's name in words.

    >>> readable("physical_therapy.relief")
    'physical therapy: relief'
    """
    return name.replace(".", ": ").replace("_", " ")
