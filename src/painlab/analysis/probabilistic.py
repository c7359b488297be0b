"""Probabilistic sensitivity: the answer under many parameter sets that the evidence allows, and which parameters go with it.

Rank correlations say how closely an answer goes with a parameter; partial ones, given the other parameters named, part those that the
posterior ties together. Intervals by Fisher's z with the variance of Bonett and Wright 2000 (doi:10.1007/BF02294183).
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from painlab import posterior, simulation
from painlab.analysis import paired
from painlab.errors import InputError
from painlab.outcomes import BY_NAME
from painlab.scenario import Scenario

Array = NDArray[np.float64]
COLUMNS: Final = ("outcome", "parameter", "rank", "rank_low", "rank_high", "partial", "partial_low", "partial_high", "clear", "assumption")
SUMMARY: Final = ("outcome", "unit", "mean", "low", "high", "below_zero", "by_parameters", "run_low", "run_high")
_FEWEST: Final = 50
_TAILS: Final = (0.025, 0.975)


@dataclass(frozen=True)
class Sensitivity:
    """The answer under many parameter sets.

    draws: one row a set: `draw`, the difference from the baseline in each outcome, then every free parameter. summary: columns `SUMMARY`,
    a row an outcome: mean; low and high (95 % of the sets) and below_zero (share of them) without the patients' chance; by_parameters
    (share of the variance among runs that parameters cause, the rest being that chance); run_low and run_high (95 % of the runs with it).
    table: columns `COLUMNS`, the parameters named for each outcome, the closest first; `clear` says
    that the rank correlation is told from zero although so many parameters were looked at.
    """

    scenario: Scenario
    outcome: str
    when: str
    draws: pl.DataFrame
    summary: pl.DataFrame
    table: pl.DataFrame
    kind: str
    patients: int
    parameters: int
    seed: int = field(default=1, repr=False)

    @property
    def sentence(self) -> str:
        """What the sets say of the outcomes, and what goes with the one asked for."""
        said = []
        for row in self.summary.iter_rows(named=True):
            lower = round(100 * row["below_zero"])
            side = f"below zero in {lower} % of the sets" if row["low"] != row["high"] else "the same in all sets"
            said.append(f"{BY_NAME[row['outcome']].label.lower()} differs by {paired.ranged(row['mean'], row['low'], row['high'])}, {side}")
        return f"Over {self.draws.height} {self.kind} sets, {self.when}, against the baseline: {'; '.join(said)}. {self._goes_with()}"

    def _goes_with(self) -> str:
        rows = self.table.filter((pl.col("outcome") == self.outcome) & pl.col("clear")).head(3)
        label = BY_NAME[self.outcome].label.lower()
        if rows.is_empty():
            return f"No parameter is told from chance in what it does to {label}."
        named = ", ".join(f"{paired.readable(row['parameter'])} ({row['rank']:+.2f})" for row in rows.iter_rows(named=True))
        return f"The difference in {label} goes most closely with {named} (rank correlations)."

    def __str__(self) -> str:
        share = float(self.summary["by_parameters"][0])
        chance = f"Of the variance among runs in {BY_NAME[self.outcome].label.lower()}, about {100 * share:.0f} % comes from parameters"
        weak = " More patients would show correlations more clearly." if share < 0.8 else ""
        return f"{self.sentence}\n{chance}, the rest from which patients came and their luck.{weak}"


def sensitivity(
    scenario: Scenario | str,
    *,
    outcome: str = "mme_per_1000",
    week: int | None = None,
    draws: int = 500,
    patients: int = 2000,
    most: int = 12,
    seed: int = 1,
    parameters: str = "posterior",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: paired.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sensitivity:
    """Run a scenario under many parameter sets and say which parameters its effect goes with.

    Parameters
    ----------
    outcome, week
        The difference from the baseline that is asked about, averaged over the horizon or in one week; pain and function stand beside it.
    draws
        Parameter sets, at least 50 and at most as many as the posterior holds.
    patients
        Patients under each set, its own ones.
    most
        Parameters that are named for each outcome.
    parameters, progress, cancelled, threads, executor, seed
        As in `painlab.simulate`.

    Raises InputError for an unknown scenario or outcome, or a number outside its range.

    >>> found = sensitivity("early-pt", draws=50, patients=256, most=5)
    >>> found.summary["outcome"].to_list()
    ['mme_per_1000', 'pain', 'function']
    """
    asked = paired.request(scenario, outcome, week, patients, seed)
    kind = posterior.in_use(parameters) if parameters in posterior.KINDS else parameters
    there = posterior.current()
    limit = there.draws.height if kind == "posterior" and there is not None else simulation.MAX_DRAWS
    simulation.whole_number("draws", draws, _FEWEST, limit)
    free = paired.free(asked.scenario)
    simulation.whole_number("most", most, 1, min(len(free), draws // 4))
    sets = simulation.parameter_sets(draws, seed, parameters)
    found = paired.levels(asked, sets, threads=threads, executor=executor, progress=progress, cancelled=cancelled)
    halves = paired.differences(found)
    values = np.array([[one[name] for name in free] for one in sets])
    return of_draws(asked, values, halves, free, kind, most)


def of_draws(asked: paired.Request, values: Array, halves: Array, free: tuple[str, ...], kind: str, most: int) -> Sensitivity:
    """Gather the analysis from parameter values, shape (sets, parameters), and differences, shape (cohorts, sets, outcomes)."""
    effects = halves.mean(axis=0)
    caused, whole = paired.caused_by_parameters(halves), effects.var(axis=0, ddof=1)
    rows: list[tuple[Any, ...]] = []
    for place, name in enumerate(asked.outcomes):
        rows += _rows(name, values, effects[:, place], free, most)
    share = np.clip(np.divide(caused, whole, out=np.zeros_like(caused), where=whole > 0.0), 0.0, 1.0)
    middle = effects.mean(axis=0)
    # pulled together until only what parameters cause is left of the variance; the shape is taken to be that of the runs
    theirs = middle + np.sqrt(share) * (effects - middle)
    low, high = np.quantile(theirs, _TAILS, axis=0)
    run_low, run_high = np.quantile(effects, _TAILS, axis=0)
    about = [
        (
            name, BY_NAME[name].unit, *(float(one[place]) for one in (middle, low, high)), float((theirs[:, place] < 0.0).mean()),
            float(share[place]), float(run_low[place]), float(run_high[place]),
        )
        for place, name in enumerate(asked.outcomes)
    ]  # fmt: skip
    columns = {"draw": np.arange(len(values))} | {name: effects[:, place] for place, name in enumerate(asked.outcomes)}
    frame = pl.DataFrame(columns | {name: values[:, place] for place, name in enumerate(free)})
    summary = pl.DataFrame(about, schema=SUMMARY, orient="row")
    table = pl.DataFrame(rows, schema=COLUMNS, orient="row", infer_schema_length=None)
    return Sensitivity(asked.scenario, asked.outcome, asked.when, frame, summary, table, kind, asked.patients, len(free), asked.seed)


def _rows(name: str, values: Array, effect: Array, free: tuple[str, ...], most: int) -> list[tuple[Any, ...]]:
    """The parameters whose ranks go most closely with an effect's, the closest first."""
    from scipy.special import ndtri

    if float(np.ptp(effect)) == 0.0:
        return []
    ranks, outcome = ranked(values), ranked(effect[:, None])[:, 0]
    plain = ranks.T @ outcome / len(outcome)
    order = np.argsort(-np.abs(plain), kind="stable")[:most]
    partial = partial_correlations(ranks[:, order], outcome)
    strict = float(ndtri(1.0 - 0.025 / len(free)))  # Bonferroni: so many were looked at
    rows = []
    for position, place in enumerate(order):
        simple = interval(float(plain[place]), len(outcome), 0)
        given = interval(float(partial[position]), len(outcome), len(order) - 1)
        bounds = interval(float(plain[place]), len(outcome), 0, strict)
        clear = bounds[1] > 0.0 or bounds[2] < 0.0
        rows.append((name, free[place], *simple, *given, clear, paired.is_assumption(free[place])))
    return rows


def ranked(values: Array) -> Array:
    """Ranks of each column (ties share their mean), with mean 0 and variance 1; a constant column is 0. Shape (sets, columns)."""
    from scipy.stats import rankdata

    ranks = np.asarray(rankdata(values, axis=0), dtype=np.float64)
    ranks -= ranks.mean(axis=0)
    spread = ranks.std(axis=0)
    return np.asarray(np.divide(ranks, spread, out=np.zeros_like(ranks), where=spread > 0.0))


def partial_correlations(columns: Array, outcome: Array) -> Array:
    """Correlation of each column with the outcome, both less what the other columns foretell linearly; shape (columns,).

    From the inverse of the correlation matrix: -p_jy / sqrt(p_jj p_yy).
    """
    matrix = np.corrcoef(np.column_stack([columns, outcome]).T)
    inverse = np.linalg.pinv(np.nan_to_num(matrix))
    size = np.sqrt(np.maximum(inverse[:-1, :-1].diagonal() * inverse[-1, -1], 1e-300))
    return np.clip(-inverse[:-1, -1] / size, -1.0, 1.0)


def interval(rank: float, count: int, others: int, z: float = 1.959963984540054) -> tuple[float, float, float]:
    """A rank correlation with its interval, given so many other parameters: tanh(atanh r -+ z sqrt((1 + r^2 / 2) / (n - others - 3))).

    >>> tuple(round(one, 2) for one in interval(0.5, 103, 0))
    (0.5, 0.33, 0.64)
    """
    if count - others - 3 < 1:
        raise InputError("too few sets for an interval", expected="more draws than parameters named")
    held = min(max(rank, -0.999999), 0.999999)
    wide = z * ((1.0 + held**2 / 2.0) / (count - others - 3)) ** 0.5
    return rank, float(np.tanh(np.arctanh(held) - wide)), float(np.tanh(np.arctanh(held) + wide))
