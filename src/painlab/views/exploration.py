"""What an explorer holds, without widgets or a browser: where it started, the scenario under its levers, and runs of it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from painlab import catalog
from painlab.engine.execution import Cancelled
from painlab.errors import InputError
from painlab.plan import CarePlan
from painlab.projection import Projection
from painlab.scenario import Scenario, plan_difference
from painlab.simulation import simulate


class Size(NamedTuple):
    """How many patients are simulated for each of how many parameter draws."""

    patients: int
    draws: int


PREVIEW: Final = Size(300, 12)
FULL: Final = Size(1000, 40)
"""The sizes that `simulate` and the terminal take by default, so that all print the same numbers."""


def injections() -> tuple[str, ...]:
    """Names of the treatments that are injections, in the catalog's order."""
    return tuple(name for name, one in catalog.treatments().items() if one.kind == "injection")


class Exploration:
    """A scenario that is being changed, step by step, from where it started.

    Parameters
    ----------
    scenario
        A Scenario, the name of one that ships, or the path of a TOML file. Raises InputError as `Scenario.load` does.
    """

    def __init__(self, scenario: Scenario | str | Path = "early-pt") -> None:
        self.start_from(scenario)

    def start_from(self, scenario: Scenario | str | Path) -> None:
        """Begin again with another scenario."""
        self.start = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
        self.reset()

    def reset(self) -> None:
        """Return to the scenario as it was at the start."""
        self.scenario = self.start
        self._left_out: dict[str, dict[str, Any]] = {}

    def value(self, path: tuple[str, ...]) -> float:
        """Value under a lever, by its path in `plan.levers()`; of a treatment that is not ordered, what its order would say."""
        name = path[0]
        if name in catalog.treatments() and name not in self.scenario.care.treatments:
            order = CarePlan.model_validate({name: self._order(name)})
            return _value(order, path)
        return _value(self.scenario.care, path)

    def baseline_value(self, path: tuple[str, ...]) -> float | None:
        """Value of a lever in the baseline's plan, or None where the baseline does not order that treatment."""
        plan = self.scenario.baseline_plan()
        return None if path[0] in catalog.treatments() and path[0] not in plan.treatments else _value(plan, path)

    def change(self, path: tuple[str, ...], value: float) -> None:
        """Set one lever. Raises InputError, and changes nothing, for a value outside its range or a treatment that is not ordered."""
        name = path[0]
        if name in catalog.treatments() and name not in self.scenario.care.treatments:
            raise InputError(f"{catalog.treatments()[name].label} is not ordered in this plan", mend="Switch it on first.")
        whole: Any = int(value) if float(value).is_integer() else value
        for key in reversed(path):
            whole = {key: whole}
        self._change(whole)

    def ordered(self, treatment: str) -> bool:
        """Whether the plan orders a treatment."""
        return treatment in self.scenario.care.treatments

    def order(self, treatment: str, wanted: bool) -> None:
        """Take a treatment into the plan, as it was ordered before or as it usually is, or take it out."""
        if wanted != self.ordered(treatment):
            self._leave_out((treatment,))
            self._change({treatment: self._order(treatment) if wanted else None})

    @property
    def injection(self) -> str | None:
        """The injection in the plan; the first, if there are several."""
        return next((name for name in injections() if self.ordered(name)), None)

    def choose_injection(self, kind: str | None) -> None:
        """Replace the plan's injections by one of another kind, given when the present one would be; None gives none."""
        present = self.injection
        if kind == present:
            return
        self._leave_out(injections())
        order = self._order(present or kind) if kind else {}
        self._change({name: None for name in injections() if self.ordered(name)} | ({kind: order} if kind else {}))

    def differences(self) -> str:
        """Say in plain words how the plan differs from the baseline's."""
        return plan_difference(self.scenario.care, self.scenario.baseline_plan())

    def others(self) -> tuple[str, ...]:
        """Labels of what the plan holds beside physical therapy, injections and the levers of every plan."""
        treatments = catalog.treatments()
        shown = {"physical_therapy", *injections()}
        labels = [treatments[name].label.lower() for name in self.scenario.care.treatments if name not in shown]
        return (*labels, "a taper") if self.scenario.care.taper else tuple(labels)

    def _leave_out(self, names: tuple[str, ...]) -> None:
        """Remember how treatments are ordered now, for when they are wanted again."""
        orders = self.scenario.care.treatments
        self._left_out |= {name: orders[name].model_dump() for name in names if name in orders}

    def _order(self, treatment: str) -> dict[str, Any]:
        order: dict[str, Any] = self._left_out.get(treatment) or catalog.treatments()[treatment].order
        return dict(order)

    def _change(self, care: dict[str, Any]) -> None:
        changed = self.scenario.change(care=care)
        if changed.care == self.start.care:
            self.scenario = self.start
            return
        names: dict[str, Any] = {"name": f"{self.start.name[:50].rstrip('-')}-changed", "title": f"{self.start.title[:100]}, changed"}
        if self.start.baseline == self.start.name:  # a baseline is held against itself until it is changed
            names["baseline"] = self.start.care.as_dict()
        self.scenario = changed.change(**names)


def project(scenario: Scenario, size: Size, cancelled: Callable[[], bool] | None = None) -> Projection:
    """Project a scenario; raises Cancelled as soon as `cancelled()` is true."""
    if cancelled and cancelled():
        raise Cancelled
    return simulate(scenario, patients=size.patients, draws=size.draws, cancelled=cancelled)


def comparable(one: Projection, other: Projection) -> bool:
    """Whether two projections have the same patients, horizon and baseline, so that only the plan tells them apart."""
    first, second = one.scenario, other.scenario
    same_people = first.population == second.population and one.weeks == other.weeks
    return same_people and first.baseline_plan() == second.baseline_plan()


def moved(full: Projection, then: Projection, now: Projection) -> pl.DataFrame:
    """A full run's weekly frame, moved by what a change of plan does in two previews of the same size.

    `then` is a preview of the scenario of `full`, `now` one of the changed scenario. The previews share patients and random
    numbers, so that the chance in them cancels, and lines do not jump between a preview and the run that follows it.
    """
    shift = now.weekly["scenario"] - then.weekly["scenario"]
    ends = ("", "_low", "_high")
    levels = [(pl.col(f"scenario{end}") + shift).clip(lower_bound=0.0) for end in ends]
    return full.weekly.with_columns(*levels, *(pl.col(f"difference{end}") + shift for end in ends))


def _value(plan: CarePlan, path: tuple[str, ...]) -> float:
    value: Any = plan
    for key in path:
        value = value.treatments[key] if isinstance(value, CarePlan) and key in value.treatments else getattr(value, key)
    if value is None:  # a handover that is left out is the plan's coordination; other gaps are filled by the model's parameters
        return plan.coordination if path[-1] == "handover" else math.nan
    return float(value)
