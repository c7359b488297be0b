"""Tornado: each parameter at the ends of its range while all others keep their central value, on the same patients."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from painlab import posterior
from painlab.analysis import paired
from painlab.errors import InputError
from painlab.outcomes import BY_NAME
from painlab.scenario import Scenario

COHORTS: Final = 8
SCREENED: Final = 8  # all parameters are looked at with this part of the patients, in so many cohorts:
FEWER_COHORTS: Final = 4
_CLEAR: Final = 2.0  # standard errors
COLUMNS: Final = (
    "outcome", "unit", "parameter", "low_value", "high_value", "at_low", "at_high", "swing", "standard_error", "clear", "assumption",
)  # fmt: skip


@dataclass(frozen=True)
class Tornado:
    """What one parameter at a time does to a scenario's effect.

    table: columns `COLUMNS`, a row for each outcome and parameter, those that swing the outcome asked for most first. at_low and at_high
    are the difference from the baseline with the parameter at low_value and high_value; swing is the second less the first, with the
    standard error that the patients' chance leaves; clear says that it is more than two of them. central: outcome, unit, difference,
    standard_error with all parameters at their central values.
    """

    scenario: Scenario
    outcome: str
    when: str
    table: pl.DataFrame
    central: pl.DataFrame
    kind: str
    shares: tuple[float, float]
    patients: int
    seed: int = field(default=1, repr=False)

    def of(self, outcome: str) -> pl.DataFrame:
        """The rows of one outcome, in the table's order of parameters."""
        return self.table.filter(pl.col("outcome") == outcome)

    @property
    def sentence(self) -> str:
        """Which parameters swing the outcome asked for most, with pain and function beside it."""
        low, high = (f"{100 * share:.0f}" for share in self.shares)
        rows = self.of(self.outcome).filter(pl.col("clear")).head(3)
        label = BY_NAME[self.outcome].label.lower()
        at = ", ".join(
            f"{BY_NAME[row['outcome']].label.lower()} {paired.figures(row['difference'])}" for row in self.central.iter_rows(named=True)
        )
        start = f"With all parameters at their central values the differences from the baseline {self.when} are: {at}."
        if rows.is_empty():
            return f"{start} No single parameter moves {label} by more than the patients' chance."
        said = "; ".join(self._words(row) for row in rows.iter_rows(named=True))
        return f"{start} From percentile {low} to {high} of one {self.kind} at a time, what moves {label} most is {said}."

    def _words(self, row: dict[str, Any]) -> str:
        beside = self.table.filter((pl.col("parameter") == row["parameter"]) & (pl.col("outcome") != self.outcome))
        others = ", ".join(
            f"{BY_NAME[one['outcome']].label.lower()} {paired.figures(one['at_low'])} to {paired.figures(one['at_high'])}"
            for one in beside.iter_rows(named=True)
        )
        tail = f" ({others})" if others else ""
        return f"{paired.readable(row['parameter'])}: {paired.figures(row['at_low'])} to {paired.figures(row['at_high'])}{tail}"

    def __str__(self) -> str:
        clear = self.of(self.outcome)["clear"].sum()
        hidden = self.of(self.outcome).height - int(clear)
        note = f" {hidden} of the parameters shown are not told from the patients' chance; more patients would." if hidden else ""
        return f"{self.sentence}\nOne parameter at a time says nothing of what two do together; Sobol indices do.{note}"


def tornado(
    scenario: Scenario | str,
    *,
    outcome: str = "mme_per_1000",
    week: int | None = None,
    shares: tuple[float, float] = (0.05, 0.95),
    most: int = 15,
    patients: int = 32_000,
    seed: int = 1,
    parameters: str = "posterior",
    names: Sequence[str] | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: paired.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Tornado:
    """Move one parameter at a time to the ends of its range, the others central, and see how far the effect swings.

    Parameters
    ----------
    shares
        The ends, as shares of the parameter's posterior draws or of its prior.
    most
        Parameters that are kept.
    patients
        Patients in every run, the same ones (common random numbers), in eight independent cohorts from which standard errors come.
        Among many parameters the likely ones are found with an eighth of them, who are others.
    names
        Look only at these parameters.
    outcome, week, seed, parameters, threads, executor, progress, cancelled
        As in `sensitivity`.

    Raises InputError for an unknown scenario, outcome or parameter, or a number outside its range.

    >>> swings = tornado("early-pt", outcome="pain", names=["physical_therapy.relief"], patients=512)
    >>> swings.of("pain").height
    1
    """
    asked = paired.request(scenario, outcome, week, patients, seed, least=COHORTS)
    if not 0.0 < shares[0] < shares[1] < 1.0:
        raise InputError(
            f"shares are {shares[0]:g} and {shares[1]:g}", expected="two rising numbers between 0 and 1", mend="Change shares."
        )
    middle = paired.central(parameters)
    every = paired.free(asked.scenario) if names is None else paired.known_parameters(names, asked.scenario)
    ends = {name: paired.quantiles(name, np.array(shares), parameters) for name in every}

    def run(of: Sequence[str], among: int, cohorts: int, first: int, done: int, total: int) -> paired.Array:
        sets = [middle, *({**middle, name: float(end)} for name in of for end in ends[name])]
        told = paired.stage(progress, done, total)
        few = asked._replace(patients=among)
        return paired.differences(
            paired.levels(
                few, sets, cohorts=cohorts, common=True, first=first, threads=threads, executor=executor, progress=told, cancelled=cancelled
            )
        )

    kept, few, done, kept_most = every, max(COHORTS, patients // SCREENED), 0, 2 * most
    if len(every) > kept_most:
        done = FEWER_COHORTS * (2 * len(every) + 1)
        swing, error = _swings(run(every, few, FEWER_COHORTS, patients, 0, done + COHORTS * (2 * kept_most + 1)))
        kept = tuple(every[one] for one in _ranked(swing, error)[:kept_most])
    found = run(kept, patients, COHORTS, 0, done, done + COHORTS * (2 * len(kept) + 1))
    at = found.mean(axis=0)[1:].reshape(len(kept), 2, -1)
    swing, error = _swings(found)
    order = _ranked(swing, error)[:most]
    rows = [
        (
            name, BY_NAME[name].unit, kept[one], *map(float, ends[kept[one]]), *map(float, at[one, :, place]), float(swing[one, place]),
            float(error[one, place]), bool(abs(swing[one, place]) > _CLEAR * error[one, place]), paired.is_assumption(kept[one]),
        )
        for place, name in enumerate(asked.outcomes)
        for one in order
    ]  # fmt: skip
    means, spread = found[:, 0].mean(axis=0), found[:, 0].std(axis=0, ddof=1) / COHORTS**0.5
    central = [(name, BY_NAME[name].unit, float(means[place]), float(spread[place])) for place, name in enumerate(asked.outcomes)]
    return Tornado(
        asked.scenario,
        outcome,
        asked.when,
        pl.DataFrame(rows, schema=COLUMNS, orient="row"),
        pl.DataFrame(central, schema=("outcome", "unit", "difference", "standard_error"), orient="row"),
        posterior.in_use(parameters),
        shares,
        patients,
        seed,
    )


def _swings(found: paired.Array) -> tuple[paired.Array, paired.Array]:
    """Swings and their standard errors, shape (parameters, outcomes), from differences of the central set and two ends for each."""
    cohorts, _, outcomes = found.shape
    ends = found[:, 1:].reshape(cohorts, -1, 2, outcomes)
    swings = ends[:, :, 1] - ends[:, :, 0]
    return np.asarray(swings.mean(axis=0)), np.asarray(swings.std(axis=0, ddof=1) / cohorts**0.5)


def _ranked(swing: paired.Array, error: paired.Array) -> list[int]:
    """Places of parameters by the first outcome; a swing that chance explains does not lead, however large it looks."""
    size = np.sqrt(np.maximum(0.0, swing[:, 0] ** 2 - error[:, 0] ** 2))
    return [int(one) for one in np.argsort(-size, kind="stable")]
