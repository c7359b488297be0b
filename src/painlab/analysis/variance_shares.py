"""Sobol indices: which parameters' not being known makes an answer uncertain, alone (first order) and with all their company (total).

The simulation is run over all parameters at once; a polynomial of those that matter is fitted and checked on runs that it has not seen; and
SALib (Iwanaga et al. 2022, doi:10.18174/sesmo.18155; estimators of Saltelli et al. 2010, doi:10.1016/j.cpc.2009.09.018) takes the indices
from the polynomial. What the polynomial does not foretell is given as a share of its own.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from painlab import posterior, simulation
from painlab.analysis import emulator, paired
from painlab.errors import InputError
from painlab.outcomes import BY_NAME
from painlab.scenario import Scenario

Array = NDArray[np.float64]
LEAST: Final = 0.5  # a polynomial that foretells less of what parameters do says too little of them
REFITS: Final = 60
BASE: Final = 2048
_REFIT_BASE: Final = 512
_FEWEST_SETS: Final = 200
_ORDERS: Final = ("first", "total")
COLUMNS: Final = ("outcome", "parameter", "first", "first_low", "first_high", "total", "total_low", "total_high", "assumption")


def indices(evaluate: Callable[[Array], Array], parameters: int, *, base: int = BASE, seed: int = 1) -> Array:
    """First-order and total Sobol indices of a function of independent shares, by SALib's sampler and estimators.

    Parameters
    ----------
    evaluate
        Called with shares of shape (points, parameters), each from 0 to 1; returns values of shape (points,).
    base
        Points in the base sample, a power of two; the function is called at base x (parameters + 2) points.

    Returns
    -------
    Array, shape (2, parameters): first order, total.

    >>> indices(lambda u: 2.0 * u[:, 0] + u[:, 1], 2, base=1024).round(2).tolist()
    [[0.8, 0.2], [0.8, 0.2]]
    """
    points = _sample(parameters, base, seed)
    return _analyze(evaluate(points), parameters, seed)


def _problem(parameters: int) -> dict[str, Any]:
    return {"num_vars": parameters, "names": [f"x{one}" for one in range(parameters)], "bounds": [[0.0, 1.0]] * parameters}


def _sample(parameters: int, base: int, seed: int) -> Array:
    from SALib.sample import sobol as sampler

    return np.asarray(sampler.sample(_problem(parameters), base, calc_second_order=False, seed=seed))


def _analyze(values: Array, parameters: int, seed: int) -> Array:
    from SALib.analyze import sobol as estimator

    if float(np.ptp(values)) == 0.0:
        return np.zeros((2, parameters))
    found = estimator.analyze(_problem(parameters), values, calc_second_order=False, num_resamples=2, seed=seed + 1)
    return np.clip(np.array([found["S1"], found["ST"]]), 0.0, 1.0)


@dataclass(frozen=True)
class VarianceShares:
    """What share of the variance that parameters cause in a scenario's effect belongs to which of them.

    table: columns `COLUMNS`, one row an outcome and parameter, the largest total first, and for each outcome a row whose parameter is
    "all others": what its polynomial does not foretell. Shares are from 0 to 1 with 95 % intervals. foretold: outcome, share (of that
    variance which the polynomial foretells in runs that it has not seen), standard_error, terms, deviation (what parameters cause, in the
    outcome's unit), patients_deviation (what the patients' chance adds in one run). left_out: outcomes whose polynomial was too poor.
    """

    scenario: Scenario
    outcome: str
    when: str
    table: pl.DataFrame
    foretold: pl.DataFrame
    kind: str
    sets: int
    patients: int
    parameters: int
    seed: int
    left_out: tuple[str, ...] = ()
    closest: tuple[str, str, float] | None = field(default=None, repr=False)

    def of(self, outcome: str) -> pl.DataFrame:
        """The rows of one outcome."""
        return self.table.filter(pl.col("outcome") == outcome)

    @property
    def distribution(self) -> str:
        """Over which distribution parameters vary, and what that means."""
        if self.kind == "prior":
            return "Parameters vary over their prior ranges, independently of one another, before any trial has been seen."
        known = "Parameters vary over their own posterior ranges, each independently of the others."
        if self.closest is None or self.closest[2] == 0.0:
            return known
        first, second, size = self.closest
        pair = f"{paired.readable(first)} and {paired.readable(second)} (rank correlation {size:.2f})"
        return f"{known} The posterior also ties them together, which these shares leave out; among those named most closely {pair}."

    @property
    def sentence(self) -> str:
        """The finding for the outcome asked for, in words."""
        label = BY_NAME[self.outcome].label
        return f"{label} {self.when}: {self._words(self.outcome)}"

    def _words(self, outcome: str) -> str:
        rows = self.of(outcome)
        named = rows.filter(pl.col("parameter") != "all others")
        others = rows.filter(pl.col("parameter") == "all others").row(0, named=True)
        first = ", ".join(
            f"{paired.readable(row['parameter'])} {_share(row['total'], row['total_low'], row['total_high'])}"
            for row in named.head(3).iter_rows(named=True)
        )
        rest = _share(others["total"], others["total_low"], others["total_high"])
        return (
            f"of the variance that parameters cause in the difference from the baseline, most comes with {first}. The "
            f"{self.parameters - named.height} parameters that are not named, and what the emulator misses, hold {rest}."
        )

    def __str__(self) -> str:
        lines = [self.sentence]
        lines += [
            f"{BY_NAME[name].label}: {self._words(name)}" for name in self.foretold["outcome"].to_list()[1:] if name not in self.left_out
        ]
        lines += [f"{BY_NAME[name].label}: no shares; the emulator foretells too little of it." for name in self.left_out]
        return "\n".join([*lines, self.distribution])


def _share(value: float, low: float, high: float) -> str:
    return f"{100 * value:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def sobol(
    scenario: Scenario | str,
    *,
    outcome: str = "mme_per_1000",
    week: int | None = None,
    most: int = 12,
    sets: int = 1500,
    patients: int = 2000,
    seed: int = 1,
    parameters: str = "posterior",
    names: Sequence[str] | None = None,
    threads: int | None = None,
    executor: Executor | None = None,
    progress: paired.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> VarianceShares:
    """Take apart the variance that parameters cause in a scenario's effect, by parameter.

    All free parameters vary at once. Those that move the outcome most are kept by a screening, a polynomial of them is fitted, and its
    Sobol indices are scaled by what it foretells in runs that it has not seen; the remainder stands as "all others".

    Parameters
    ----------
    outcome, week
        The difference from the baseline that is asked about, averaged over the horizon or in one week; pain and function stand beside it.
    most
        Parameters that are named for each outcome.
    sets, patients
        Parameter sets that are run, and patients under each, in two independent halves.
    parameters
        `posterior`: each parameter over its own posterior draws; `prior`: over its range before the trials. Correlations among posterior
        draws are dropped in both, because indices of correlated parameters do not add up to a whole.
    names
        Vary only these, with all others at their central values.
    progress, cancelled, threads, executor
        As in `painlab.simulate`.

    Raises
    ------
    InputError
        For bad numbers or names, or if the polynomial foretells less than half of what parameters do to the outcome.

    >>> shares = sobol("early-pt", outcome="pain", sets=200, patients=512, names=["physical_therapy.relief", "physical_therapy.build"])
    >>> shares.table.columns == list(COLUMNS)
    True
    """
    asked = paired.request(scenario, outcome, week, patients, seed)
    simulation.whole_number("sets", sets, _FEWEST_SETS, 100_000)
    simulation.whole_number("most", most, 1, 40)
    free = paired.free(asked.scenario) if names is None else paired.known_parameters(names, asked.scenario)
    if not free:
        raise InputError("no parameter is left to vary", expected="one name or more", mend="Name some, or leave names out.")
    paired.central(parameters)
    shares = np.random.Generator(np.random.Philox(key=seed)).random((sets, len(free)))
    runs = paired.levels(
        asked, paired.independent_sets(free, shares, parameters), threads=threads, executor=executor, progress=progress, cancelled=cancelled
    )
    found = paired.differences(runs)
    kind = posterior.in_use(parameters)
    rows: list[tuple[Any, ...]] = []
    foretold: list[tuple[Any, ...]] = []
    left_out: list[str] = []
    for place, name in enumerate(asked.outcomes):
        halves = found[:, :, place]
        told = emulator.checked(shares, halves, most, seed=seed)
        caused = float(paired.caused_by_parameters(halves))
        by_patients = max(0.0, float(halves.mean(axis=0).var(ddof=1)) - caused)
        count = 0
        if told[0] < LEAST or caused <= 0.0:
            if name == outcome:
                raise _too_poor(asked, told[0], caused, by_patients)
            left_out.append(name)
        else:
            more, count = _rows(name, free, shares, halves.mean(axis=0), told, most, seed)
            rows += more
        foretold.append((name, told[0], told[1], count, max(0.0, caused) ** 0.5, by_patients**0.5))
    table = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    about = ("outcome", "share", "standard_error", "terms", "deviation", "patients_deviation")
    return VarianceShares(
        asked.scenario, outcome, asked.when, table, pl.DataFrame(foretold, schema=about, orient="row"), kind, sets, patients, len(free),
        seed, tuple(left_out), _closest(table, kind),
    )  # fmt: skip


def _rows(
    name: str, free: Sequence[str], shares: Array, values: Array, told: tuple[float, float], most: int, seed: int
) -> tuple[list[tuple[Any, ...]], int]:
    """Rows of one outcome, and how many terms its polynomial has."""
    places = emulator.screen(shares, values, most)
    mine = shares[:, places]
    polynomial = emulator.fit(mine, values)
    counted = len(places)
    points = _sample(counted, BASE, seed)
    share = min(1.0, told[0])
    central = share * _analyze(polynomial.at(points), counted, seed)
    generator = np.random.Generator(np.random.Philox(key=seed + 1))
    made, fewer = emulator.design(mine, polynomial.terms), points[: _REFIT_BASE * (counted + 2)]
    there = emulator.design(fewer, polynomial.terms)
    again, whole = np.empty((REFITS, 2, counted)), np.empty(REFITS)
    for turn in range(REFITS):
        chosen = generator.integers(len(values), size=len(values))
        coefficients = np.linalg.lstsq(made[chosen], values[chosen], rcond=None)[0]
        whole[turn] = np.clip(told[0] + told[1] * generator.standard_normal(), 0.0, 1.0)
        again[turn] = whole[turn] * _analyze(there @ coefficients, counted, seed)
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    low, high = np.minimum(low, central), np.maximum(high, central)
    order = np.argsort(-central[1], kind="stable")
    rows: list[tuple[Any, ...]] = []
    for one in order:
        if central[1, one] == 0.0:  # screened, but the polynomial has no use for it
            continue
        ends = [float(part[kind, one]) for kind in range(2) for part in (central, low, high)]
        parameter = free[places[one]]
        rows.append((name, parameter, *ends, paired.is_assumption(parameter)))
    rest, least, largest = (float(one) for one in (1.0 - share, *(1.0 - np.quantile(whole, [0.975, 0.025]))))
    rows.append((name, "all others", None, None, None, rest, min(rest, least), max(rest, largest), None))
    return rows, len(polynomial.terms)


def _too_poor(asked: paired.Request, share: float, caused: float, by_patients: float) -> InputError:
    if caused <= 0.0 or share <= 0.0:
        problem = f"parameters move {asked.outcome} no more than the patients' chance does in these runs"
    else:
        problem = (
            f"the emulator foretells {100 * share:.0f} % of what parameters do to {asked.outcome} in runs that it has not seen "
            f"(chance of the patients adds {by_patients / caused:.1f} times as much variance)"
        )
    mend = "Ask with more patients first, then with more sets, or with a larger `most` where many parameters matter a little."
    return InputError(problem, where=asked.scenario.name, expected=f"{100 * LEAST:.0f} % or more", mend=mend)


def _closest(table: pl.DataFrame, kind: str) -> tuple[str, str, float] | None:
    """The pair of named parameters that the posterior ties most closely, with their rank correlation."""
    draws = posterior.current()
    names = sorted(set(table["parameter"].to_list()) - {"all others"})
    if kind == "prior" or draws is None or len(names) < 2:
        return None
    matrix = np.corrcoef(draws.draws.select(pl.col(name).rank() for name in names).to_numpy().T)
    upper = np.triu(np.nan_to_num(matrix), 1)
    first, second = np.unravel_index(int(np.argmax(np.abs(upper))), upper.shape)
    return names[int(first)], names[int(second)], float(upper[first, second])
