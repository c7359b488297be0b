"""Care plans spread evenly over chosen levers: a seeded, space-filling design."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from painlab import catalog
from painlab.errors import InputError
from painlab.fields import Lever
from painlab.plan import CarePlan
from painlab.plan import levers as plan_levers
from painlab.scenario import Scenario
from painlab.simulation import whole_number
from painlab.tables import nearest

MOST_PLANS: Final = 20_000
Levers = Mapping[str, Sequence[float] | bool]

# Ranges from usual practice to what trials have tried; each is a choice of this software (an assumption), to be replaced by one's own.
_PROGRAM: Final[dict[str, tuple[float, float]]] = {
    "start_week": (0, 26),
    "weeks": (4, 12),
    "sessions_per_week": (0.5, 2),
    "only_if_pain_at_least": (0, 6),
}
_INJECTION: Final[dict[str, tuple[float, float]]] = {"start_week": (1, 26), "courses": (1, 3), "only_if_pain_at_least": (0, 7)}
_SECTIONS: Final[dict[str, tuple[float, float]]] = {
    "coordination": (0.2, 1),
    "prescribing.opioid_start": (0.5, 1),
    "prescribing.start_dose": (20, 40),
    "prescribing.first_supply_days": (3, 7),
    "prescribing.dose_cap": (50, 120),
    "reassessment.interval_weeks": (4, 26),
    "reassessment.review": (0.15, 1),
    "taper.start_week": (0, 26),
    "taper.percent_per_month": (5, 20),
    "taper.support": (0, 1),
}
FREE: Final = ("coordination", "handover", "support", "review")
"""Levers for which data/parameters.csv has no unit cost, so that more of them costs nothing in the model."""


def usual_levers(scenario: Scenario) -> dict[str, Sequence[float] | bool]:
    """Levers that a design moves unless told otherwise: those of prescribing, follow-up, a taper and coordination, physical therapy, pain
    psychology, and every treatment that the scenario's plan or its baseline has. A treatment or a taper may be left out altogether.
    """
    known = catalog.treatments()
    found: dict[str, Sequence[float] | bool] = {"taper": True, **_SECTIONS}
    for name in dict.fromkeys(("physical_therapy", "pain_psychology", *scenario.care.treatments, *scenario.baseline_plan().treatments)):
        found[name] = True
        ranges = {"program": _PROGRAM, "injection": _INJECTION}.get(known[name].kind, {})
        found |= {f"{name}.{key}": ends for key, ends in ranges.items()}
    return found


def plan_design(scenario: Scenario, plans: int = 2000, *, levers: Levers | None = None, seed: int = 1) -> list[CarePlan]:
    """Care plans that fill the space of some levers evenly; everything else is as in the scenario's plan.

    Parameters
    ----------
    plans
        How many, 1 to 20,000; equal ones are given once, so there may be fewer. More plans with the same seed begin with the same ones.
    levers
        By the lever's key (`physical_therapy.start_week`, `coordination`): its two ends, or a list of three or more values. The key of a
        treatment or the taper with true: it is in one half of the plans and left out of the other; its levers then count only where it
        is in. `usual_levers` if left out.
    seed
        Of the scrambled Sobol sequence.

    Raises InputError for an unknown lever or a value outside its range.

    >>> early = Scenario.load("early-pt")
    >>> made = plan_design(early, 16, levers={"physical_therapy.start_week": (0, 8), "reassessment.review": (0.2, 0.4, 0.8)})
    >>> sorted({plan.reassessment.review for plan in made}) == [0.2, 0.4, 0.8]
    True
    """
    count = whole_number("plans", plans, 1, MOST_PLANS)
    whole_number("seed", seed, 0, 2**63 - 1)
    axes = _checked(usual_levers(scenario) if levers is None else levers, scenario)
    from scipy.stats import qmc

    sampler = qmc.Sobol(d=len(axes), scramble=True, rng=np.random.Generator(np.random.Philox(seed)))
    places = sampler.random_base2(max(0, (count - 1).bit_length()))[:count]
    start = scenario.care.as_dict()
    made: dict[str, CarePlan] = {}
    for place in places:
        plan = CarePlan.model_validate(_moved(start, axes, place))
        made.setdefault(plan.model_dump_json(), plan)
    return list(made.values())


def _checked(asked: Levers, scenario: Scenario) -> dict[tuple[str, ...], np.ndarray | None]:
    """Possible values of each lever by its path, None for a table that is in or out, which come first."""
    known = plan_levers()
    optional = [*catalog.treatments(), "taper"]
    if not asked:
        raise InputError("no lever is named", expected="at least one, such as physical_therapy.start_week")
    tables: dict[tuple[str, ...], np.ndarray | None] = {(key,): None for key, value in asked.items() if value is True and key in optional}
    axes: dict[tuple[str, ...], np.ndarray | None] = dict(tables)
    for key, ends in asked.items():
        path = tuple(key.split("."))
        if path in tables:
            continue
        if path not in known:
            names = [*(".".join(one) for one in known), *optional]
            raise InputError(
                f'"{key}" is no lever of a care plan{nearest(key, names)}', expected="its key, such as reassessment.review or taper"
            )
        if len(path) > 1 and path[:1] not in tables and path[0] in optional and path[0] not in scenario.care.as_dict():
            raise InputError(
                f"the plan of {scenario.name} has no {path[0]}, whose lever {key} should move",
                mend=f'Let it be in the plans: "{path[0]}": True.',
            )
        axes[path] = _possible(key, known[path], ends)
    return axes


def _possible(key: str, lever: Lever, ends: Sequence[float] | bool) -> np.ndarray:
    try:
        given = np.asarray(ends, dtype=float)
    except (TypeError, ValueError):
        given = np.empty(0)
    if isinstance(ends, bool) or given.ndim != 1 or len(given) < 2 or not np.isfinite(given).all():
        raise InputError(f"the values of {key} are {ends!r}", expected="its two ends, or a list of three or more values")
    if given.min() < lever.low or given.max() > lever.high:
        raise InputError(f"{key} runs from {given.min():g} to {given.max():g}", expected=f"values from {lever.low:g} to {lever.high:g}")
    if len(given) > 2:
        return given
    low, high = sorted(given)
    steps = round((high - low) / lever.step)
    return np.round(low + lever.step * np.arange(steps + 1), 10)


def _moved(start: Mapping[str, Any], axes: Mapping[tuple[str, ...], np.ndarray | None], place: np.ndarray) -> dict[str, Any]:
    """The plan's tables with every lever at its place, 0 to 1."""
    table = {key: dict(value) if isinstance(value, dict) else value for key, value in start.items()}
    out: set[str] = set()
    for (path, possible), u in zip(axes.items(), place, strict=True):
        if possible is None:
            if u < 0.5:
                out.add(path[0])
                table.pop(path[0], None)
            else:
                table.setdefault(path[0], {})
        elif path[0] not in out:
            value = float(possible[min(int(u * len(possible)), len(possible) - 1)])
            number = int(value) if value.is_integer() else value
            if len(path) == 1:
                table[path[0]] = number
            else:
                table.setdefault(path[0], {})[path[1]] = number
    return table
