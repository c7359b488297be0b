"""The frontier of care plans by cost, opioid demand and function, over thousands of plans.

Plans are screened with few patients and draws, and dropped when another plan beats them in every objective by more than chance explains;
those that are left are simulated again, with more of both and other patients. All plans of a stage meet the same patients and random
numbers. Lower demand counts as better here because it is asked for: that is a judgment of the user's, as are all weights.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from painlab import posterior
from painlab.analysis import side_by_side
from painlab.analysis.care_choice import OBJECTIVES, Frontier
from painlab.analysis.designs import Levers, plan_design
from painlab.errors import InputError
from painlab.outcomes import OUTCOMES
from painlab.plan import CarePlan
from painlab.scenario import MAX_WEEKS, Scenario, shipped
from painlab.simulation import MAX_PATIENTS, parameter_sets, whole_number

MOST_DRAWS: Final = 500
DEFAULT: Final = ("cost", "mme_per_1000", "function")
_CHUNK: Final = 256
_BLOCK: Final = 256  # patients in a block of the engine


class Stage(NamedTuple):
    """A stage of the race: draws, and patients in each; the last has what was asked for."""

    draws: int
    patients: int


def nondominated(points: np.ndarray) -> np.ndarray:
    """Which points no other point dominates, lower being better in every column.

    A point dominates another if it is nowhere worse and somewhere better; equal points do not dominate each other.

    Parameters
    ----------
    points
        Shape (points, objectives), finite.

    Returns a mask, shape (points,). Raises InputError for another shape or a number that is not finite.

    >>> nondominated(np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 4.0], [1.0, 3.0]])).tolist()
    [True, True, False, True]
    """
    points = np.asarray(points, dtype=float)
    if points.ndim != 2 or not np.isfinite(points).all():
        raise InputError(f"the points have shape {points.shape}", expected="finite numbers, a row a point and a column an objective")
    free = np.ones(len(points), dtype=bool)
    for start in range(0, len(points), _CHUNK):
        mine = points[start : start + _CHUNK, None]
        worse = (points[None] <= mine).all(axis=2) & (points[None] < mine).any(axis=2)
        free[start : start + _CHUNK] = ~np.any(worse, axis=1)
    return free


def clearly_dominated(levels: np.ndarray) -> np.ndarray:
    """Which plans another plan beats in every objective by more than chance explains.

    Parameters
    ----------
    levels
        Shape (plans, draws, objectives), lower being better; draws are paired.

    Plan j is clearly dominated if for some i the one-sided 97.5 % limit of the mean paired difference (i less j, by Student's t) is below
    zero in every objective. With one draw that is plain dominance in every objective.
    """
    plans, draws, _ = levels.shape
    means = levels.mean(axis=1)
    out = np.zeros(plans, dtype=bool)
    width = 0.0
    if draws > 1:
        from scipy.special import stdtrit

        width = float(stdtrit(draws - 1, 0.975)) / np.sqrt(draws)
    for i in np.flatnonzero(nondominated(means)):
        ahead = np.flatnonzero((means[i] < means).all(axis=1) & ~out)
        if len(ahead) and draws > 1:
            gaps = levels[i][None] - levels[ahead]
            limit = gaps.mean(axis=1) + width * gaps.std(axis=1, ddof=1)
            ahead = ahead[(limit < 0.0).all(axis=1)]
        out[ahead] = True
    return out


def care_frontier(
    scenario: Scenario | str,
    plans: int | Sequence[CarePlan] = 2000,
    *,
    levers: Levers | None = None,
    objectives: Sequence[str] = DEFAULT,
    most: int = 300,
    patients: int = 500,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    parameters: str = "posterior",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Frontier:
    """Find the care plans that no other plan beats in cost, opioid demand and function at once.

    Parameters
    ----------
    scenario
        A Scenario, or the name or path of one: its patients, horizon and baseline; its plan is what the levers start from.
    plans
        How many plans `plan_design` makes from `levers`, or plans of one's own. The scenario's plan, its baseline and the care plans that
        ship are always among them and are never dropped.
    objectives
        Of `mme_per_1000`, `pain`, `function` and `cost`; all four are reported. Two to four.
    most
        Plans in the last stage. If more are left, those farthest from the frontier of the race are left out, and the result says so.
    patients, draws, seed, weeks, parameters, threads, cancelled
        As in `painlab.simulate`, for the last stage; its numbers are those that `simulate` gives for each plan.
    progress
        Called as progress(done, 1000) through all stages.

    Costs are those of data/parameters.csv, all of them assumptions; what has none there (coordination, support of a taper, a real
    review) is free in the model.

    Raises
    ------
    InputError
        For an unknown scenario, lever or objective, or a number outside its range.
    Cancelled
        When `cancelled()` is true.

    >>> found = care_frontier("early-pt", 8, patients=64, draws=2)
    >>> 0 < found.on_frontier.height <= found.table.height
    True
    """
    asked = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    objectives = _objectives(objectives)
    patients, seed = whole_number("patients", patients, 1, MAX_PATIENTS), whole_number("seed", seed, 0, 2**63 - 1)
    draws, most = whole_number("draws", draws, 1, MOST_DRAWS), whole_number("most", most, 20, 5000)
    horizon = whole_number("weeks", asked.weeks if weeks is None else weeks, 1, MAX_WEEKS)
    designed = plan_design(asked, plans, levers=levers, seed=seed) if isinstance(plans, int) else list(plans)
    named = _named(asked)
    known = {plan.model_dump_json(): name for name, plan in named.items()}
    every = [*named.values(), *(plan for plan in designed if plan.model_dump_json() not in known)]
    names = [*named, *(f"plan-{number}" for number in range(1, len(every) - len(named) + 1))]
    values = parameter_sets(draws, seed, parameters)
    stages = _stages(len(every), patients, draws)
    left = np.arange(len(every))
    screened = np.full((len(every), len(OBJECTIVES)), np.nan)
    dropped, left_out = np.zeros(len(every), dtype=np.int64), 0
    shares = np.cumsum([0.0, *_shares(stages)])
    levels = np.empty((0, 0, 0))
    for number, stage in enumerate(stages):
        last = number == len(stages) - 1
        levels = _levels(
            side_by_side.horizon_means(
                asked,
                [every[k] for k in left],
                values[: stage.draws],
                patients=stage.patients,
                # Other patients than before, so that luck in one stage is not kept for the next.
                seed=seed if last else (seed + 7919 * (number + 1)) % 2**63,
                weeks=horizon,
                threads=threads,
                progress=_part_of(progress, shares[number], shares[number + 1]),
                cancelled=cancelled,
            )
        )
        screened[left] = levels.mean(axis=1)
        if last:
            break
        signed = _lower_better(levels, objectives)
        out = clearly_dominated(signed) & (left >= len(named))
        dropped[left[out]] = number + 1
        left, signed = left[~out], signed[~out]
        if number == len(stages) - 2 and len(left) > most:
            gap = _gap(signed.mean(axis=1))
            gap[left < len(named)] = -1.0
            keep = np.sort(np.argsort(gap, kind="stable")[:most])
            left_out = len(left) - most
            dropped[np.delete(left, keep)] = number + 1
            left = left[keep]
    signed = _lower_better(levels, objectives)
    share = np.mean([nondominated(signed[:, draw]) for draw in range(levels.shape[1])], axis=0)
    return Frontier.of(
        asked,
        plans=tuple(every),
        names=tuple(names),
        last=left,
        levels=levels,
        screened=screened,
        dropped=dropped,
        free=nondominated(signed.mean(axis=1)),
        share=share,
        objectives=objectives,
        left_out=left_out,
        patients=patients,
        draws=draws,
        seed=seed,
        weeks=horizon,
        origin=posterior.words(draws, parameters),
    )


def _objectives(names: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys((names,) if isinstance(names, str) else names))
    unknown = [name for name in found if name not in OBJECTIVES]
    if unknown or len(found) < 2:
        raise InputError(f"the objectives are {', '.join(map(str, found))}", expected=f"two to four of {', '.join(OBJECTIVES)}")
    return found


def _named(asked: Scenario) -> dict[str, CarePlan]:
    """Plans that are always there: the baseline, the scenario's own, and those that ship; equal plans once, by the first name."""
    found: dict[str, CarePlan] = {"baseline": asked.baseline_plan()}
    taken = asked.name == "baseline" or asked.name.startswith("plan-")
    for name, plan in (("as-asked" if taken else asked.name, asked.care), *((one.name, one.care) for one in shipped())):
        if plan not in found.values() and name not in found:
            found[name] = plan
    return found


def _stages(plans: int, patients: int, draws: int) -> list[Stage]:
    """Screen, race, and what was asked for; fewer where the race would cost as much as it saves."""
    first = Stage(min(8, draws), min(_BLOCK, patients))
    second = Stage(min(16, draws), min(2 * _BLOCK, patients))
    last = Stage(draws, patients)
    return [last] if plans < 40 else [*dict.fromkeys(one for one in (first, second) if one != last), last]


def _shares(stages: Sequence[Stage]) -> list[float]:
    """A guess of how the work is spread over the stages, for the progress alone."""
    return {1: [1.0], 2: [0.5, 0.5]}.get(len(stages), [0.3, 0.2, 0.5])


def _part_of(progress: Callable[[int, int], None] | None, low: float, high: float) -> Callable[[int, int], None] | None:
    if progress is None:
        return None
    return lambda done, total: progress(round(1000 * (low + (high - low) * done / total)), 1000)


def _levels(means: np.ndarray) -> np.ndarray:
    """Of all outcomes those of `OBJECTIVES`, in their order."""
    places = [next(k for k, one in enumerate(OUTCOMES) if one.name == name) for name in OBJECTIVES]
    return means[:, :, places]


def _lower_better(levels: np.ndarray, objectives: Sequence[str]) -> np.ndarray:
    """The objectives' columns, with those where more is better turned round."""
    names = list(OBJECTIVES)
    return np.stack([levels[..., names.index(name)] * -OBJECTIVES[name] for name in objectives], axis=-1)


def _gap(means: np.ndarray) -> np.ndarray:
    """How far each plan is from being undominated: the least, over plans, of its largest lead over that plan, by spread; at most 0 on the
    frontier.
    """
    scaled = means / np.where(means.std(axis=0) > 0.0, means.std(axis=0), 1.0)
    front = scaled[nondominated(means)]
    return np.array([max(0.0, (one - front).min(axis=1).max()) for one in scaled])
