"""What learning would be worth: expected value of perfect information (EVPI), of all parameters and of some (EVPPI), for a decision.

EVPPI by regression of net benefit on the parameters in question (Strong, Oakley and Brennan 2014, doi:10.1177/0272989X13505910), with
polynomials in place of splines. With E[max over options of the expected net benefit given the parameters] less the maximum of its mean, it
is what would be gained per decision, on average, by deciding after the parameters have become known. It is never below zero.
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
from painlab.analysis.decision import Decision
from painlab.errors import InputError

Array = NDArray[np.float64]
COLUMNS: Final = ("parameters", "value", "standard_error", "bias", "clear", "share", "assumption")
_SIMULATED: Final = 300
_RESAMPLES: Final = 300
_FEWEST: Final = 100
_LARGEST_GROUP: Final = 12
_CLEAR: Final = 2.0
_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class ValueOfInformation:
    """What it would be worth to a decision to know parameters, per patient of the decision, in the currency of its worth.

    options: option, net_benefit (less that of the first option), standard_error, best (share of the sets in which it is best, without the
    patients' chance). perfect: value of knowing all parameters, with standard_error, and bounds: `lower` takes the option by one cohort
    and values it by another, `upper` counts the patients' chance as if it could be known. table: columns `COLUMNS`, the value of knowing
    one parameter or group, the largest first: value (after the bias that a fit to noise brings is taken off, and not below zero), its
    standard error, that bias, whether it is more than two standard errors from zero, and its share of the perfect one.
    """

    decision: Decision
    options: pl.DataFrame
    perfect: float
    standard_error: float
    lower: float
    upper: float
    table: pl.DataFrame
    kind: str
    sets: int
    patients: int
    notes: tuple[str, ...] = field(default=(), repr=False)

    @property
    def best(self) -> str:
        """The option with the largest mean net benefit."""
        return str(self.options.sort("net_benefit", descending=True)["option"][0])

    @property
    def sentence(self) -> str:
        """What is preferred now, and what learning could gain."""
        money = self.decision.worth.currency
        row = self.options.filter(pl.col("option") == self.best).row(0, named=True)
        now = f"With these value judgments {self.best} is preferred now, and is best in {100 * row['best']:.0f} % of the {self.kind} sets"
        if self.perfect <= _CLEAR * self.standard_error:
            return f"{now}. Knowing every parameter would gain nothing that can be told from zero, so the choice does not wait on them."
        error = paired.figures(self.standard_error, 2)
        gain = f"Knowing every parameter would gain {paired.figures(self.perfect)} {money} per patient (standard error {error})"
        clear = self.table.filter("clear").head(3)
        if clear.is_empty():
            return f"{now}. {gain}; no single parameter or group asked about is told from zero."
        named = ", ".join(f"{row['parameters']} {paired.figures(row['value'])}" for row in clear.iter_rows(named=True))
        return f"{now}. {gain}; most of what one of them alone would gain: {named} {money}."

    def __str__(self) -> str:
        lines = [self.sentence, f"Value judgments: {self.decision.worth}. Others may weigh otherwise."]
        if self.decision.people > 1:
            whole = paired.figures(self.perfect * self.decision.people)
            lines.append(
                f"For {self.decision.people:,} patients perfect information is worth {whole} {self.decision.worth.currency} at most."
            )
        return "\n".join([*lines, *self.notes])


def value_of_information(
    decision: Decision,
    *,
    about: Sequence[str | Sequence[str]] | None = None,
    most: int = 12,
    draws: int = 500,
    patients: int = 4000,
    seed: int = 1,
    parameters: str = "posterior",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: paired.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> ValueOfInformation:
    """Say what it would be worth to a decision to know its parameters: all of them, one, or a group.

    Parameters
    ----------
    about
        Names of parameters, or groups of names; left out, the `most` that move the net benefit most.
    draws, patients
        Parameter sets, and patients under each in two independent cohorts.
    seed, parameters, threads, executor, progress, cancelled
        As in `painlab.simulate`.

    Raises InputError for an unknown parameter, too large a group, or a number outside its range.

    >>> from painlab.analysis.decision import Decision, Worth
    >>> asked = Decision("early-pt", Worth(pain=5.0))
    >>> found = value_of_information(asked, about=["physical_therapy.relief"], draws=100, patients=256)
    >>> found.options["option"].to_list()
    ['baseline', 'early-pt']
    """
    asked = paired.request(decision.scenarios[0], "mme_per_1000", None, patients, seed)
    asked = asked._replace(outcomes=(*asked.outcomes, "cost"))
    kind = posterior.in_use(parameters) if parameters in posterior.KINDS else parameters
    there = posterior.current()
    limit = there.draws.height if kind == "posterior" and there is not None else simulation.MAX_DRAWS
    simulation.whole_number("draws", draws, _FEWEST, limit)
    free = paired.free(asked.scenario)
    groups = None if about is None else _groups(about, asked)
    sets = simulation.parameter_sets(draws, seed, parameters)
    levels: dict[str, Array] = {}
    total = 2 * draws * len(decision.scenarios)
    for number, option in enumerate(decision.scenarios):
        found = paired.levels(
            asked._replace(scenario=option), sets, alone=number > 0, threads=threads, executor=executor,
            progress=paired.stage(progress, 2 * draws * number, total), cancelled=cancelled,
        )  # fmt: skip
        if number == 0:
            levels["baseline"] = found[:, :, 0]
        levels[option.name] = found[:, :, 1]
    benefits = decision.benefits(asked, levels)
    values = np.array([[one[name] for name in free] for one in sets])
    return of_benefits(decision, benefits, values, free, groups, kind=kind, patients=patients, most=most, seed=seed)


def _groups(about: Sequence[str | Sequence[str]], asked: paired.Request) -> list[tuple[str, ...]]:
    made = [paired.known_parameters((one,) if isinstance(one, str) else tuple(one), asked.scenario) for one in about]
    for group in made:
        if not 1 <= len(group) <= _LARGEST_GROUP:
            raise InputError(f"a group has {len(group)} parameters", expected=f"1 to {_LARGEST_GROUP}", mend="Ask about fewer at once.")
    return made


def of_benefits(
    decision: Decision,
    benefits: Array,
    values: Array,
    free: Sequence[str],
    groups: Sequence[Sequence[str]] | None,
    *,
    kind: str,
    patients: int,
    most: int,
    seed: int,
) -> ValueOfInformation:
    """Gather the analysis from net benefits, shape (2 cohorts, sets, options), and parameter values, shape (sets, parameters)."""
    mean = benefits.mean(axis=0)
    shares = _shares(values)
    still = _without_chance(benefits)
    generator = np.random.Generator(np.random.Philox(key=seed))
    perfect, lower, upper = _perfect(benefits)
    again = np.array([_perfect(benefits[:, generator.integers(len(mean), size=len(mean))])[0] for _ in range(_RESAMPLES)])
    chosen = groups if groups is not None else [(free[one],) for one in _moving(shares, mean, most)]
    rows: list[tuple[Any, ...]] = []
    below = []
    for group in chosen:
        places = [list(free).index(name) for name in group]
        value, error, bias = partial_value(shares[:, places], mean, generator)
        label = ", ".join(paired.readable(name) for name in group)
        if value - bias < 0.0:
            below.append(label)
        worth = max(0.0, value - bias)
        share = min(1.0, worth / perfect) if perfect > 0.0 else 0.0
        rows.append((label, worth, error, bias, worth > _CLEAR * error, share, all(map(paired.is_assumption, group))))
    notes: tuple[str, ...] = ()
    if below:
        notes = (f"Below zero once the bias of a fit to noise is taken off, and counted as zero: {'; '.join(below)}.",)
    table = pl.DataFrame(rows, schema=COLUMNS, orient="row").sort("value", descending=True, maintain_order=True)
    errors = mean.std(axis=0, ddof=1) / len(mean) ** 0.5
    best = np.bincount(still.argmax(axis=1), minlength=mean.shape[1]) / len(mean)
    options = pl.DataFrame({"option": list(decision.names), "net_benefit": mean.mean(axis=0), "standard_error": errors, "best": best})
    return ValueOfInformation(decision, options, perfect, float(again.std(ddof=1)), lower, upper, table, kind, len(mean), patients, notes)


def _shares(values: Array) -> Array:
    """Parameters as shares of their own draws, between 0 and 1, so that polynomials in them are well behaved; shape as given."""
    from scipy.stats import rankdata

    return (np.asarray(rankdata(values, axis=0), dtype=np.float64) - 0.5) / len(values)


def _moving(shares: Array, benefits: Array, most: int) -> list[int]:
    """Places of the parameters that move any option's net benefit most."""
    strength = np.max([emulator.correlations(shares, benefits[:, one]) for one in range(benefits.shape[1])], axis=0)
    return [int(one) for one in np.argsort(-strength, kind="stable")[:most]]


def _without_chance(benefits: Array) -> Array:
    """Net benefits by set, shape (sets, options), pulled together until only the variance that parameters cause is left.

    The pull is by matrices: with S the covariance of the two cohorts (what parameters cause) and T that of their mean, it is S^1/2 T^-1/2.
    For normal net benefits the result has exactly the distribution that endless patients would give.
    """
    mean = benefits.mean(axis=0)
    middle = mean.mean(axis=0)
    first, second = (one - one.mean(axis=0) for one in benefits)
    across = first.T @ second / (len(mean) - 1)
    signal = _root((across + across.T) / 2.0)
    whole = np.atleast_2d(np.cov(mean.T))
    return np.asarray(middle + (mean - middle) @ np.linalg.pinv(_root(whole), hermitian=True) @ signal)


def _root(matrix: Array) -> Array:
    """The symmetric root of a matrix; directions of negative variance, which chance brings, count as none."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T)


def _gain(of: Array) -> float:
    """Mean of the best option's benefit in each set less the best option's mean, shape (sets, options), or 0 for rounding."""
    found = float(of.max(axis=1).mean() - of.mean(axis=0).max())
    return found if found > _ROUNDING * float(np.abs(of).max()) else 0.0


def _perfect(benefits: Array) -> tuple[float, float, float]:
    """Value of perfect information without the patients' chance, and bounds on either side."""
    mean = benefits.mean(axis=0)
    rows = np.arange(len(mean))
    crossed = np.mean([benefits[1 - one][rows, benefits[one].argmax(axis=1)].mean() for one in (0, 1)])
    return _gain(_without_chance(benefits)), max(0.0, float(crossed - mean.mean(axis=0).max())), _gain(mean)


def partial_value(shares: Array, benefits: Array, generator: np.random.Generator) -> tuple[float, float, float]:
    """Value of knowing some parameters, its standard error, and the bias that fitting noise brings.

    shares: parameters as shares, shape (sets, parameters); benefits: shape (sets, options). The fit's coefficients are drawn again from
    their normal distribution, which gives the standard error; the bias is how much larger the value then is on average. Straight lines are
    always in the fit, so that a parameter that seems worth nothing has a standard error too.
    """
    options = benefits.shape[1]
    fits = [emulator.fit(shares, benefits[:, one]) for one in range(options)]
    straight: list[emulator.Powers] = [(), *(((one, 1),) for one in range(shares.shape[1]))]
    terms = list(dict.fromkeys([*straight, *(term for one in fits for term in one.terms)]))
    made = emulator.design(shares, terms)
    coefficients, *_ = np.linalg.lstsq(made, benefits, rcond=None)
    residuals = benefits - made @ coefficients
    scatter = residuals.T @ residuals / max(1, len(made) - len(terms))
    inner, outer = _root(np.asarray(np.linalg.pinv(made.T @ made), dtype=np.float64)), _root(scatter)

    value = _gain(made @ coefficients)
    drawn = np.array(
        [_gain(made @ (coefficients + inner @ generator.standard_normal(coefficients.shape) @ outer)) for _ in range(_SIMULATED)]
    )
    return value, float(drawn.std(ddof=1)), float(drawn.mean() - value)
