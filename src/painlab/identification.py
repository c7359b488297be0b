"""What the evidence says of each parameter, how strong the cycle is, and what each of its links earns in a scenario's benefit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import polars as pl

from painlab import parameters, posterior
from painlab.calibration.ensemble import free_parameters
from painlab.calibration.run import scores_of
from painlab.engine import execution, phase
from painlab.engine.setting import Setting
from painlab.errors import InputError
from painlab.outcomes import BY_NAME, OUTCOMES
from painlab.scenario import Scenario

INFORMED_SPREAD: Final = 0.9  # a posterior narrower than this share of the prior's spread, or
INFORMED_SHIFT: Final = 0.3  # one whose mean moved by this many of the prior's standard deviations, was informed by the trials
LEVEL: Final = 0.95
CUTS: Final = {
    "whole": "the whole model",
    "pain_to_activity": "without the link from pain to activity",
    "activity_to_strength": "without the link from activity to strength",
    "weakness_to_pain": "without the link from weakness to pain",
    "no_cycle": "without all three links",
    "direct": "physical therapy's direct effect alone",
}
_INDIRECT: Final = ("activity_lift", "strength_gain", "easing", "home_habit")
SHOWN: Final = ("mme_per_1000", "pain", "function")

Values = Mapping[str, float]


def _current() -> posterior.Posterior:
    found = posterior.load()
    if found is None or found.changed:
        problem = found.complaint() if found else "there is no posterior"
        raise InputError(problem, where=posterior.FILE, mend="Run `painlab calibrate`.")
    return found


def table() -> pl.DataFrame:
    """Prior against posterior, one row a free parameter, those that the trials informed most first.

    Columns: parameter, unit, prior_median, prior_low, prior_high, posterior_median, posterior_low, posterior_high (95 % intervals), spread
    (posterior standard deviation where the prior's is 1), shift (of the mean, in the prior's standard deviations), informed. Raises
    InputError without a current posterior.
    """
    found = _current()
    scores = scores_of(found.draws)
    tails = np.array([(1.0 - LEVEL) / 2.0, 0.5, (1.0 + LEVEL) / 2.0])
    rows = []
    for place, one in enumerate(free_parameters()):
        low, middle, high = one.quantiles(tails)
        after = np.quantile(found.draws[one.name].to_numpy(), tails)
        spread, shift = float(scores[:, place].std(ddof=1)), float(scores[:, place].mean())
        informed = spread < INFORMED_SPREAD or abs(shift) > INFORMED_SHIFT
        rows.append((one.name, one.unit, middle, low, high, after[1], after[0], after[2], spread, shift, informed))
    columns = (
        "parameter", "unit", "prior_median", "prior_low", "prior_high", "posterior_median", "posterior_low", "posterior_high", "spread",
        "shift", "informed",
    )  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row").sort("spread")


def sets(kind: str, draws: int, seed: int = 1) -> list[Values]:
    """Parameter sets of the prior or the posterior. Raises InputError for another kind, or without a current posterior."""
    if kind == "posterior":
        _current()
    return [posterior.values(draw, seed, kind) for draw in range(draws)]


def cycle_gain(scenario: Scenario, of: Sequence[Values]) -> pl.DataFrame:
    """How much of an added point of pain comes back through the cycle in the long run, in the typical patient of a scenario.

    Returns one row a part of the cycle: part (strength, sensitization, whole; most: the whole at the pain where it is largest), median,
    low, high (95 % interval over the sets), and zero (share of the sets in which it is below 0.01). Where a set has several long-run
    states, the one with least pain counts.
    """
    gains: dict[str, list[float]] = {part: [] for part in ("strength", "sensitization", "whole", "most")}
    for values in of:
        p = parameters.scalars(values)
        setting = Setting.of(scenario, values)
        at_rest = phase.cycle_gain(setting, p).row(0, named=True)
        for part, column in (("strength", "strength_gain"), ("sensitization", "sensitization_gain"), ("whole", "gain")):
            gains[part].append(at_rest[column])
        gains["most"].append(phase.most_gain(setting, p))
    rows = []
    for part, every in gains.items():
        found = np.array(every)
        low, middle, high = np.quantile(found, [(1.0 - LEVEL) / 2.0, 0.5, (1.0 + LEVEL) / 2.0])
        rows.append((part, float(middle), float(low), float(high), float((found < 0.01).mean())))
    return pl.DataFrame(rows, schema=("part", "median", "low", "high", "zero"), orient="row")


def benefit(scenarios: Iterable[Scenario], of: Sequence[Values], *, patients: int = 500, seed: int = 1) -> pl.DataFrame:
    """What each scenario's benefit becomes without a link of the cycle, and with the direct effect of physical therapy alone.

    Returns one row a scenario, cut (`CUTS`) and outcome (`SHOWN`): scenario less baseline averaged over the horizon, with its 95 % interval
    over the sets: scenario, cut, outcome, unit, difference, low, high. The direct effect is relief without lifted activity, training or
    eased sensitization, with all links cut.
    """
    rows = []
    for scenario in scenarios:
        for cut in CUTS:
            links = tuple(parameters.LINKS) if cut in ("no_cycle", "direct") else (cut,) if cut != "whole" else ()
            values = of
            if cut == "direct":
                without = {f"physical_therapy.{column}": 0.0 for column in _INDIRECT}
                values = [{**one, **without} for one in of]
            found = _differences(scenario, values, links, patients, seed)
            rows += [(scenario.name, cut, name, BY_NAME[name].unit, *found[name]) for name in SHOWN]
    return pl.DataFrame(rows, schema=("scenario", "cut", "outcome", "unit", "difference", "low", "high"), orient="row")


def change_of(outcome: str, scenario: Scenario, of: Sequence[Values], *, patients: int = 500, seed: int = 1) -> tuple[float, float, float]:
    """Scenario less baseline in one outcome, averaged over the horizon: mean, and low and high of the 95 % interval over the sets."""
    return _differences(scenario, of, (), patients, seed)[outcome]


def _differences(
    scenario: Scenario, of: Sequence[Values], links: tuple[str, ...], patients: int, seed: int
) -> dict[str, tuple[float, float, float]]:
    """Scenario less baseline over the horizon, by outcome: mean, low and high over the sets."""
    sums = execution.run(scenario, of, patients=patients, seed=seed, weeks=scenario.weeks, cut=links)
    found = {}
    for place, outcome in enumerate(OUTCOMES):
        arms = sums.means[:, :, place].mean(axis=2) * outcome.scale
        difference = arms[:, 1] - arms[:, 0]
        low, high = np.quantile(difference, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
        found[outcome.name] = (float(difference.mean()), float(low), float(high))
    return found
