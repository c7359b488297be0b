"""The long run of one person's cycle: equilibria and their stability, nullclines, basin boundaries, tipping points, loop gain.

The system of `setting` is monotone: less activity, less strength and more sensitization each make the others worse, never better. Three
things follow. Equilibria are ordered from better to worse. One is stable if and only if less than one point of an added point of pain comes
back in the long run (its gain), whatever the two speeds of strength. And the starts that end on the worse side of a saddle lie on one side
of one surface. (M. W. Hirsch and H. Smith, Monotone dynamical systems, 2005, doi:10.1016/S1874-5725(05)80006-9.)
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab import parameters
from painlab.engine import setting as flow
from painlab.engine.setting import Setting
from painlab.errors import InputError
from painlab.parameters import Parameters
from painlab.scenario import Scenario
from painlab.tables import nearest

STATES: Final = ("activity", "strength", "sensitization")
PLANES: Final = ("strength", "activity")
MOST_PAIN: Final = 10.0
_GRID: Final = np.linspace(0.0, MOST_PAIN, 4001)
_NEAR: Final = 1e-5  # pain points or shares, for differences
_LOOPS: Final = ("weakness_pain", "sensitization_pain", "activity_pain_slope", "strength_activity_slope")


class Equilibrium(NamedTuple):
    """A state that stays as it is. Pain 0-10, the other levels 0-1; gains in points of an added point of pain; eigenvalues per week."""

    pain: float
    activity: float
    strength: float
    sensitization: float
    gain: float  # comes back in the long run
    strength_gain: float  # the part by way of activity and strength
    sensitization_gain: float  # the part by way of sensitization
    eigenvalues: tuple[complex, ...]  # while strength is lost, or under training
    eigenvalues_regaining: tuple[complex, ...]  # while strength is regained without training
    stable: bool  # otherwise a saddle: left in one direction, approached in the others

    def __str__(self) -> str:
        levels = f"pain {self.pain:.1f}, activity {self.activity:.0%}, strength {self.strength:.0%}, sensitization {self.sensitization:.0%}"
        return f"{'Stable' if self.stable else 'Saddle'} at {levels}; {self.gain:.2f} of an added point of pain comes back."


class Fold(NamedTuple):
    """Where two equilibria are born or vanish as one number moves, all others held."""

    parameter: str
    value: float
    below: int  # equilibria just below the value
    above: int
    pain: float  # at which they meet
    low: float | None  # range of the parameter's prior; none for a number of the setting
    high: float | None

    @property
    def within_prior(self) -> bool | None:
        """Whether the value lies in the prior's range; none for a number of the setting, which has no prior."""
        return None if self.low is None or self.high is None else self.low <= self.value <= self.high

    def __str__(self) -> str:
        change = "appear" if self.above > self.below else "vanish"
        where = ""
        if self.low is not None and self.high is not None:
            where = f", {'inside' if self.within_prior else 'outside'} the prior's range of {self.low:g} to {self.high:g}"
        return f"Two equilibria {change} near pain {self.pain:.1f} as {self.parameter} rises through {self.value:.3g}{where}."


def change(state: np.ndarray | tuple[float, float, float], setting: Setting, p: Parameters) -> np.ndarray:
    """Change per week of activity, strength and sensitization (each 0-1), shape (3,): the right-hand side that scipy integrates."""
    return flow.rates_at(np.asarray(state, dtype=float), setting, p)


def equilibria(setting: Setting, p: Parameters) -> tuple[Equilibrium, ...]:
    """All equilibria, from the least pain to the most.

    At rest activity, strength and sensitization follow from pain alone, so that equilibria are the fixed points of one function of pain.
    Its excess over pain is scanned on a grid of 1/400 point, its turning points between grid points are sought, and each change of sign
    is narrowed by Brent's method.

    Raises InputError where a coefficient of the cycle is negative, a share lies outside 0-1, or the threshold of sensitization outside
    0-10: there the system is not monotone, or leaves its range.
    """
    return tuple(_equilibrium(pain, setting, p) for pain in _fixed_points(setting, p))


def most_gain(setting: Setting, p: Parameters) -> float:
    """The most of an added point of pain that comes back, at any pain from 0 to 10 and so for any signal from the tissue.

    Below 1 there is one equilibrium whatever the signal: no tipping point.
    """
    _check(setting, p)
    return float(flow.steepest(_GRID, setting, p))


def cycle_gain(setting: Setting, p: Parameters) -> pl.DataFrame:
    """Loop gain at each equilibrium: points of an added point of pain that come back in the long run.

    Columns pain, stable, gain, and its two parts: strength_gain (pain, activity, strength, pain) and sensitization_gain (pain,
    sensitization, pain). A gain of g makes any lasting change of the signal 1 / (1 - g) times as large in the end.
    """
    columns = ("pain", "stable", "gain", "strength_gain", "sensitization_gain")
    return pl.DataFrame([{name: getattr(one, name) for name in columns} for one in equilibria(setting, p)])


def path(start: np.ndarray | tuple[float, float, float], setting: Setting, p: Parameters, *, weeks: int = 520) -> pl.DataFrame:
    """Follow one start (activity, strength, sensitization, each 0-1): columns week, pain, activity, strength, sensitization."""
    _check(setting, p)
    activity, strength, sensitization = (float(level) for level in start)
    found = flow.walk(activity, strength, sensitization, weeks, setting, p)
    return pl.DataFrame({"week": np.arange(weeks + 1, dtype=np.int32)} | dict(zip(("pain", *STATES), found.T, strict=True)))


def start_at(strength: float, sensitization: float, setting: Setting, p: Parameters) -> tuple[float, float, float]:
    """A state with this strength and sensitization, and activity as its pain leaves it: activity settles within weeks, these in months."""
    return flow.settled(flow.felt(strength, sensitization, setting, p), setting, p)[0], strength, sensitization


def nullclines(setting: Setting, p: Parameters, *, plane: str = "strength") -> pl.DataFrame:
    """The two curves whose crossings are the equilibria; columns curve, level (0-1), pain (0-10).

    Parameters
    ----------
    plane
        `strength`: the curve `strength` is the strength that a pain leaves (activity and strength at rest), the curve `pain` the pain
        that a strength leaves (sensitization at rest). `activity`: the curve `activity` is the activity that a pain leaves, the curve
        `pain` the pain that an activity leaves (strength and sensitization at rest).
    """
    if plane not in PLANES:
        raise InputError(f'unknown plane "{plane}"{nearest(plane, PLANES)}', expected=f"one of {', '.join(PLANES)}")
    rest = [one.pain for one in equilibria(setting, p)]
    by_activity = plane == "activity"
    place = STATES.index(plane)
    rows = [(plane, flow.settled(pain, setting, p)[place], float(pain)) for pain in np.unique([*_GRID[::40], *rest])]
    if p.weakness_pain == 0.0 or (by_activity and p.strength_activity_slope == 0.0):  # pain does not depend on the level
        rows += [("pain", level, pain) for pain in rest for level in (0.0, 1.0)]
    else:
        pains = np.unique([*_GRID, MOST_PAIN - 1e-9, *rest])  # at 10 itself, where pain is held, the curve stands upright
        levels = np.array([flow.share_with_pain(pain, by_activity, setting, p) for pain in pains])
        kept = np.flatnonzero(np.isfinite(levels))
        shown = kept[np.unique(np.r_[np.arange(0, kept.size, max(1, kept.size // 200)), kept.size - 1])]
        shown = np.union1d(shown, [i for i in kept if pains[i] in rest or pains[i] >= MOST_PAIN - 1e-9])
        rows += [("pain", float(levels[i]), float(pains[i])) for i in shown]
    return pl.DataFrame(rows, schema={"curve": pl.String, "level": pl.Float64, "pain": pl.Float64}, orient="row")


def basin_boundary(setting: Setting, p: Parameters, *, points: int = 41) -> pl.DataFrame | None:
    """What parts the starts that end in different states, or None where there is one equilibrium.

    Starts are those of `start_at`: a strength, a sensitization, and activity where its pain leaves it within weeks. For each of `points`
    strengths the sensitization at which the outcome flips is bisected with the full system of three equations; since it is monotone there
    is one. Columns saddle (from 0), activity, strength, sensitization, pain.
    """
    saddles = [one for one in equilibria(setting, p) if not one.stable]
    if not saddles:
        return None
    rows = []
    for number, saddle in enumerate(saddles):
        at = (saddle.activity, saddle.strength, saddle.sensitization)
        for strength in np.linspace(0.0, 1.0, points):
            flips = flow.last_better(float(strength), at, setting, p)
            if np.isfinite(flips):
                state = start_at(float(strength), flips, setting, p)
                rows.append((number, *state, flow.felt(state[1], state[2], setting, p)))
    return pl.DataFrame(rows, schema=["saddle", *STATES, "pain"], orient="row")


def bifurcation(setting: Setting, p: Parameters, parameter: str, low: float, high: float, *, steps: int = 100) -> pl.DataFrame:
    """Equilibria as one number moves from `low` to `high`, all others held, the tissue signal too.

    Columns parameter, value, branch, pain, activity, strength, sensitization, gain, stable, within_prior (null for a field of `Setting`). A
    branch is one equilibrium followed along; where two are born at a fold, both are new branches.
    `parameter` is a scalar parameter or a field of `Setting`; raises InputError for another name or an empty range.
    """
    prior = _prior(parameter)
    rows: list[dict[str, Any]] = []
    before: dict[int, Equilibrium] = {}
    branches = 0
    for value, changed in _along(setting, p, parameter, low, high, steps):
        within = None if prior is None else prior[0] <= value <= prior[1]
        found = equilibria(*changed)
        followed = dict(zip(before, found, strict=True)) if len(before) == len(found) else _nearest_pairs(before, found)
        for one in found:
            if one not in followed.values():
                followed[branches] = one
                branches += 1
        for branch, one in followed.items():
            levels = {name: getattr(one, name) for name in ("pain", *STATES, "gain", "stable")}
            rows.append({"parameter": parameter, "value": value, "branch": branch, **levels, "within_prior": within})
        before = dict(sorted(followed.items(), key=lambda item: item[1].pain))
    return pl.DataFrame(rows, schema_overrides={"within_prior": pl.Boolean})


def fold(setting: Setting, p: Parameters, parameter: str, low: float, high: float, *, steps: int = 200) -> tuple[Fold, ...]:
    """Values between `low` and `high` at which two equilibria appear or vanish; none if their number stays the same.

    The range is searched in `steps` steps, and each change of number is bisected; one that is undone within a step is missed.
    """
    prior = _prior(parameter)
    found = []
    before: tuple[float, int] | None = None
    for value, changed in _along(setting, p, parameter, low, high, steps):
        count = len(_fixed_points(*changed))
        if before is not None and count != before[1]:
            ends = [before[0], value]
            while ends[1] - ends[0] > 1e-9 * max(1.0, abs(high)):
                middle = 0.5 * sum(ends)
                ends[len(_fixed_points(*_moved(setting, p, parameter, middle))) != before[1]] = middle
            pains = [_fixed_points(*_moved(setting, p, parameter, end)) for end in ends]
            more = np.array(max(pains, key=len))
            closest = int(np.argmin(np.diff(more)))
            low_high = prior or (None, None)
            found.append(
                Fold(parameter, 0.5 * sum(ends), before[1], count, 0.5 * float(more[closest] + more[closest + 1]), low_high[0], low_high[1])
            )
        before = value, count
    return tuple(found)


def survey(scenario: Scenario, sets: Iterable[Mapping[str, float]], **choices: Any) -> pl.DataFrame:
    """Whether a scenario's typical patient has two stable states, for each of some sets of parameter values (as `parameters.values` gives).

    `choices` are those of `Setting.of`. Columns set (from 0), signal, pain (of the best stable state), stable_states, gain (at that state),
    most_gain (at any pain: if below 1, no signal gives two states).
    """
    rows = []
    for number, values in enumerate(sets):
        p = parameters.scalars(values)
        setting = Setting.of(scenario, values, **choices)
        stable = [one for one in equilibria(setting, p) if one.stable]
        row = {"set": number, "signal": setting.signal, "pain": stable[0].pain, "stable_states": len(stable)}
        rows.append(row | {"gain": stable[0].gain, "most_gain": most_gain(setting, p)})
    return pl.DataFrame(rows)


def outside_priors(p: Parameters) -> tuple[str, ...]:
    """Names of the parameters whose values lie outside the range of their prior: such a body is an exaggeration, not a projection."""
    ranges = ((name, parameters.record(name)) for name in Parameters._fields)
    return tuple(name for name, one in ranges if not one.low <= getattr(p, name) <= one.high)


def in_words(setting: Setting, p: Parameters) -> str:
    """The equilibria, whether there is a tipping point, and which parameters lie outside their priors, in sentences."""
    found = equilibria(setting, p)
    most = most_gain(setting, p)
    if len(found) > 1:
        last = f"There are {len(found)} equilibria: where a person ends depends on where the person starts."
    elif most < 1.0:
        last = f"There is no tipping point here, nor at any other signal: at no pain does more than {most:.2f} of an added point come back."
    else:
        last = f"There is one equilibrium at this signal; at another there may be more, for up to {most:.2f} of an added point comes back."
    outside = outside_priors(p)
    warning = [f"This body lies outside the priors: {', '.join(outside)}."] if outside else []
    return " ".join([*(str(one) for one in found), last, *warning])


def _check(setting: Setting, p: Parameters) -> None:
    negative = [name for name in _LOOPS if getattr(p, name) < 0.0]
    if negative:
        raise InputError(f"{negative[0]} is {getattr(p, negative[0]):g}", expected="a coefficient of at least 0")
    if p.strength_activity_slope > 1.0:
        raise InputError(f"strength_activity_slope is {p.strength_activity_slope:g}", expected="at most 1, so that strength stays in 0-1")
    if not 0.0 <= p.sensitization_threshold < MOST_PAIN:
        raise InputError(f"sensitization_threshold is {p.sensitization_threshold:g}", expected="a pain from 0 to below 10")
    for name in ("distress", "poor_sleep", "comorbidity", "source_relief", "relief", "easing", "training"):
        if not 0.0 <= getattr(setting, name) <= 1.0:
            raise InputError(f"{name} is {getattr(setting, name):g}", where="setting", expected="a share from 0 to 1")
    for name in ("signal", "dose", "opioid_response", "lift"):
        if not 0.0 <= getattr(setting, name) < np.inf:
            raise InputError(f"{name} is {getattr(setting, name):g}", where="setting", expected="a number of at least 0")


def _fixed_points(setting: Setting, p: Parameters) -> list[float]:
    """Pains that keep themselves up, in rising order."""
    from scipy.optimize import brentq, minimize_scalar

    _check(setting, p)
    pains = np.unique([*_GRID, p.sensitization_threshold])
    excess = flow.excesses(pains, setting, p)
    # Two fixed points may lie between neighbors of the grid: there the excess turns just before it would change its sign.
    inner = np.abs(excess[1:-1])
    turns = (
        (excess[:-2] * excess[1:-1] > 0.0)
        & (excess[1:-1] * excess[2:] > 0.0)
        & (inner < np.abs(excess[:-2]))
        & (inner < np.abs(excess[2:]))
    )
    for i in np.flatnonzero(turns) + 1:
        sign = np.sign(excess[i])
        turn = minimize_scalar(
            lambda x, sign=sign: sign * flow.excess(x, setting, p), bounds=(pains[i - 1], pains[i + 1]), method="bounded"
        )
        if turn.fun < 0.0:
            pains, excess = np.append(pains, turn.x), np.append(excess, sign * turn.fun)
    order = np.argsort(pains)
    pains, excess = pains[order], excess[order]
    roots = [float(pain) for pain in pains[excess == 0.0]]
    for i in np.flatnonzero(excess[:-1] * excess[1:] < 0.0):
        roots.append(float(brentq(flow.excess, pains[i], pains[i + 1], args=(setting, p), xtol=1e-14, rtol=1e-14)))
    return sorted(roots)


def _equilibrium(pain: float, setting: Setting, p: Parameters) -> Equilibrium:
    state = np.array(flow.settled(pain, setting, p))
    before, after = (np.array(flow.returned(pain + side * _NEAR, setting, p)) for side in (-1.0, 1.0))
    parts = (after - before) / (2.0 * _NEAR)
    losing, regaining = (np.linalg.eigvals(_jacobian(state, side, setting, p)) for side in (1.0, -1.0))
    if flow.felt(state[1] - _NEAR, state[2] + _NEAR, setting, p) == flow.felt(state[1] + _NEAR, state[2] - _NEAR, setting, p):
        parts = np.zeros(2)  # held at an end of the scale, or no link back to pain
    return Equilibrium(
        pain=pain,
        activity=float(state[0]),
        strength=float(state[1]),
        sensitization=float(state[2]),
        gain=float(parts.sum()),
        strength_gain=float(parts[0]),
        sensitization_gain=float(parts[1]),
        eigenvalues=_listed(losing),
        eigenvalues_regaining=_listed(regaining),
        stable=bool(max(losing.real) < 0.0),
    )


def _listed(eigenvalues: np.ndarray) -> tuple[complex, ...]:
    """From the slowest, or the one that grows, to the fastest."""
    return tuple(complex(one) for one in sorted(eigenvalues, key=lambda one: -one.real))


def _jacobian(state: np.ndarray, side: float, setting: Setting, p: Parameters) -> np.ndarray:
    """Derivatives of `change`, shape (3, 3), by differences.

    Without training an equilibrium lies where strength changes its speed, so the row of strength, linear on either side, is worked out on
    one: `side` 1 for losing, -1 for regaining.
    """
    steps = _NEAR * np.eye(3)
    columns = [(change(state + step, setting, p) - change(state - step, setting, p)) / (2.0 * _NEAR) for step in steps]
    jacobian = np.array(columns).T
    rest = flow.strength_rate(state[1], state[0], setting, p)
    jacobian[1] = 0.0
    jacobian[1, 0] = side * (rest - flow.strength_rate(state[1], state[0] - side * _NEAR, setting, p)) / _NEAR
    jacobian[1, 1] = side * (flow.strength_rate(state[1] + side * _NEAR, state[0], setting, p) - rest) / _NEAR
    return jacobian


def _nearest_pairs(before: Mapping[int, Equilibrium], found: Iterable[Equilibrium]) -> dict[int, Equilibrium]:
    """Equilibria that continue a branch: of the same kind, and nearest in pain both ways."""
    pairs = [(branch, new) for branch, old in before.items() for new in found if old.stable == new.stable]
    kept: dict[int, Equilibrium] = {}
    for branch, new in sorted(pairs, key=lambda pair: abs(before[pair[0]].pain - pair[1].pain)):
        if branch not in kept and new not in kept.values():
            kept[branch] = new
    return kept


def _prior(parameter: str) -> tuple[float, float] | None:
    """Range of a parameter's prior; none for a field of the setting. Raises InputError for any other name."""
    if parameter in Parameters._fields:
        one = parameters.record(parameter)
        return one.low, one.high
    if parameter not in Setting._fields:
        known = (*Parameters._fields, *Setting._fields)
        raise InputError(f'unknown parameter "{parameter}"{nearest(parameter, known)}', expected="a scalar parameter or a field of Setting")
    return None


def _moved(setting: Setting, p: Parameters, parameter: str, value: float) -> tuple[Setting, Parameters]:
    if parameter in Setting._fields:
        return setting._replace(**{parameter: value}), p
    return setting, p._replace(**{parameter: value})


def _along(
    setting: Setting, p: Parameters, parameter: str, low: float, high: float, steps: int
) -> Iterator[tuple[float, tuple[Setting, Parameters]]]:
    if not low < high or steps < 1:
        raise InputError(
            f"the range is {low:g} to {high:g} in {steps} steps", where=parameter, expected="a low below the high, a step or more"
        )
    for value in np.linspace(low, high, steps + 1):
        yield float(value), _moved(setting, p, parameter, float(value))
