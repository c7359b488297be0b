"""What an explorer holds, without widgets or a browser: where it started, the scenario under its levers, and runs of it."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from painlab import catalog, parameters, population
from painlab.engine.execution import Cancelled
from painlab.errors import InputError
from painlab.fields import lever_of
from painlab.phrases import plan_difference
from painlab.plan import CarePlan
from painlab.projection import Projection
from painlab.scenario import Scenario
from painlab.simulation import simulate


class Size(NamedTuple):
    """How many patients are simulated for each of how many parameter draws."""

    patients: int
    draws: int


PREVIEW: Final = Size(10_000, 1)
"""Central parameter values; what a lever does to its means moves the band of the last full run (`moved`)."""
FULL: Final = Size(1000, 40)
"""The sizes that `simulate` and the terminal take by default, so that all print the same numbers."""


POPULATION: Final = "population"
ASSUMED: Final = "assume"
TAPER: Final = "taper"
TOGETHER: Final = 1.5  # seconds within which moves of one lever are one step
MOST_STEPS: Final = 200


def injections() -> tuple[str, ...]:
    """Names of the treatments that are injections, in the catalog's order."""
    return tuple(name for name, one in catalog.treatments().items() if one.kind == "injection")


class _Step(NamedTuple):
    """A state that can be returned to."""

    start: Scenario
    scenario: Scenario
    left_out: dict[str, dict[str, Any]]


class Exploration:
    """A scenario that is being changed, step by step, from where it started; each step can be undone.

    Parameters
    ----------
    scenario
        A Scenario, the name of one that ships, its code, or the path of a TOML file. Raises InputError as `Scenario.load` does.
    clock
        Seconds; moves of one lever that follow each other closely are one step.
    """

    def __init__(self, scenario: Scenario | str | Path = "early-pt", clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._past: list[_Step] = []
        self._future: list[_Step] = []
        self._moved: tuple[object, float] = (None, -math.inf)
        self._begin(scenario if isinstance(scenario, Scenario) else Scenario.load(scenario))

    def start_from(self, scenario: Scenario | str | Path) -> None:
        """Begin again with another scenario."""
        chosen = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
        self._remember("start")
        self._begin(chosen)

    def reset(self) -> None:
        """Return to the scenario as it was at the start."""
        if self.scenario != self.start:
            self._remember("reset")
        self._begin(self.start)

    # Steps

    @property
    def before(self) -> Scenario | None:
        """The scenario before the last step, if there is one that can be undone."""
        return self._past[-1].scenario if self._past else None

    @property
    def can_redo(self) -> bool:
        """Whether a step was undone and none made since."""
        return bool(self._future)

    def undo(self) -> None:
        """Take the last step back; without one nothing happens."""
        self._go(self._past, self._future)

    def redo(self) -> None:
        """Make the step again that was undone last; without one nothing happens."""
        self._go(self._future, self._past)

    # Levers

    def value(self, path: tuple[str, ...], scenario: Scenario | None = None) -> float:
        """Value under a lever in the present scenario or another one, by its path in `plan.levers()`, ("population", trait) or
        ("assume", parameter).

        Of a treatment or taper that is not ordered it is what its order would say; of a trait that is left out the condition's own.
        """
        of = scenario or self.scenario
        if path[0] == ASSUMED:
            return of.assumed(parameters.values())[0][path[1]]
        return _trait(of, path[1]) if path[0] == POPULATION else _value(self._completed(of.care, path[0]), path)

    def baseline_value(self, path: tuple[str, ...]) -> float | None:
        """Value of a lever in the baseline's plan, or None where the baseline does not order it; patients are the same in both.

        Of a parameter it is the model's own.
        """
        if path[0] == ASSUMED:
            return parameters.values()[path[1]]
        plan = self.scenario.baseline_plan()
        return None if path[0] == POPULATION or not _ordered(plan, path[0]) else _value(plan, path)

    def change(self, path: tuple[str, ...], value: float) -> None:
        """Set one lever. Raises InputError, and changes nothing, for a value outside its range or a treatment that is not ordered."""
        self._adopt(path, self.changed(path, value))

    def changed(self, path: tuple[str, ...], value: float) -> Scenario:
        """The scenario that `change` would make. Raises InputError as it does."""
        if path[0] == ASSUMED:
            return self._assuming(path[1], None if value == parameters.values()[path[1]] else value)
        if path[0] != POPULATION and not _ordered(self.scenario.care, path[0]):
            label = catalog.treatments()[path[0]].label if path[0] in catalog.treatments() else "A taper"
            raise InputError(f"{label} is not ordered in this plan", mend="Switch it on first.")
        whole: Any = int(value) if float(value).is_integer() else value
        for key in reversed(path):
            whole = {key: whole}
        return self._with(**(whole if path[0] == POPULATION else {"care": whole}))

    def ordered(self, name: str) -> bool:
        """Whether the plan orders a treatment, or a `taper`."""
        return _ordered(self.scenario.care, name)

    def order(self, name: str, wanted: bool) -> None:
        """Take a treatment or a `taper` into the plan, ordered as before, else as the baseline has it, else as usual, or take it out."""
        if wanted != self.ordered(name):
            left_out = self._leaving((name,))
            self._adopt(("order", name), self._with(care={name: self._order(name) if wanted else None}), left_out)

    @property
    def injection(self) -> str | None:
        """The injection in the plan; the first, if there are several."""
        return next((name for name in injections() if self.ordered(name)), None)

    def choose_injection(self, kind: str | None) -> None:
        """Replace the plan's injections by one of another kind, given when the present one would be; None gives none."""
        present = self.injection
        if kind == present:
            return
        left_out = self._leaving(injections())
        order = dict(left_out.get(present or kind) or self._order(kind)) if kind else {}
        none = {name: None for name in injections() if self.ordered(name)}
        self._adopt(("order", "injection"), self._with(care=none | ({kind: order} if kind else {})), left_out)

    # People and assumptions

    def choose(self, trait: str, name: str) -> None:
        """Choose the patients' `condition` or `goal` by its name."""
        self._adopt((POPULATION, trait), self._with(population={trait: name}))

    @property
    def cut(self) -> tuple[str, ...]:
        """Links of the cycle that are cut."""
        return tuple(self.scenario.assume.links_cut) if self.scenario.assume else ()

    def cut_link(self, link: str, wanted: bool) -> None:
        """Cut a link of the cycle, or join it again."""
        links = [one for one in parameters.LINKS if (wanted if one == link else one in self.cut)]
        self._adopt(("cut", link), self._with(assume=self._assumptions(links, self.assumed)))

    @property
    def assumed(self) -> dict[str, float]:
        """Values put in the place of parameters."""
        return dict(self.scenario.assume.values) if self.scenario.assume else {}

    def assume(self, name: str, value: float | None) -> None:
        """Put a value in the place of a parameter, or with None the model's own again. Raises InputError outside its prior's range."""
        self._adopt((ASSUMED, name), self._assuming(name, value))

    def _assuming(self, name: str, value: float | None) -> Scenario:
        values = self.assumed
        values.pop(name, None)
        if value is not None:
            values[name] = float(value)
        return self._with(assume=self._assumptions(list(self.cut), values))

    def differences(self) -> str:
        """Say in plain words how the plan differs from the baseline's."""
        return plan_difference(self.scenario.care, self.scenario.baseline_plan())

    def people(self) -> tuple[str, ...]:
        """Say what sets the patients, who are the same in both arms, apart from those at the start."""
        now, then = self.scenario.population, self.start.population
        told = []
        for trait in ("condition", "goal"):
            if getattr(now, trait) != getattr(then, trait):
                labels = {catalog.MIXED_GOALS: "goals of all kinds"} | catalog.labels(f"{trait}s")
                told.append(f"have the {trait} {labels[getattr(now, trait)].lower()}")
        for trait, field in population.Population.model_fields.items():
            if field.json_schema_extra and getattr(now, trait) != getattr(then, trait):
                lever = lever_of((POPULATION, trait), "Patients", field)
                told.append(lever.words.format(f"{self.value((POPULATION, trait)):g}"))
        return tuple(told)

    def others(self) -> tuple[str, ...]:
        """Labels of injections in the plan beside the one that levers move."""
        return tuple(catalog.treatments()[name].label.lower() for name in injections() if self.ordered(name) and name != self.injection)

    def _begin(self, scenario: Scenario) -> None:
        self.start = self.scenario = scenario
        self._left_out: dict[str, dict[str, Any]] = {}

    def _remember(self, moved: object) -> None:
        now = self._clock()
        together = moved == self._moved[0] and now - self._moved[1] < TOGETHER and self._past
        self._moved = (moved, now)
        self._future.clear()
        if not together:
            self._past.append(_Step(self.start, self.scenario, self._left_out))
            del self._past[:-MOST_STEPS]

    def _go(self, from_: list[_Step], to: list[_Step]) -> None:
        if from_:
            to.append(_Step(self.start, self.scenario, self._left_out))
            self.start, self.scenario, self._left_out = from_.pop()
            self._moved = (None, -math.inf)

    def _leaving(self, names: tuple[str, ...]) -> dict[str, dict[str, Any]]:
        """How treatments are ordered now, for when they are wanted again."""
        return self._left_out | {name: order for name, order in _orders(self.scenario.care).items() if name in names}

    def _order(self, name: str) -> dict[str, Any]:
        """How something is ordered when it is switched on: as before, else as the baseline has it, so that nothing else sets them apart."""
        kept = _orders(self.scenario.baseline_plan()) | self._left_out
        if name in kept:
            return dict(kept[name])
        return {} if name == TAPER else dict(catalog.treatments()[name].order)

    def _completed(self, care: CarePlan, name: str) -> CarePlan:
        """A plan with one more thing ordered, if it is not."""
        return care if _ordered(care, name) else CarePlan.model_validate({"coordination": care.coordination, name: self._order(name)})

    @staticmethod
    def _assumptions(links: list[str], values: dict[str, float]) -> Any:
        return {"links_cut": links, "values": values} if links or values else None

    def _with(self, **changes: Any) -> Scenario:
        """The scenario with some of its parts changed; it has another name than the one it started from, until it equals that again."""
        replaced = {"assume": None} if "assume" in changes else {}  # its lists and tables are not merged
        changed = self.scenario.model_copy(update=replaced).change(**changes)
        if changed == self.scenario:
            return self.scenario
        if all(getattr(changed, part) == getattr(self.start, part) for part in ("care", "population", "assume", "weeks")):
            return self.start
        return changed.change(**self.start.renamed()) if self.scenario.name == self.start.name else changed

    def _adopt(self, moved: object, scenario: Scenario, left_out: dict[str, dict[str, Any]] | None = None) -> None:
        """Make a step to a scenario."""
        if scenario == self.scenario:
            return
        self._remember(moved)
        self.scenario = scenario
        if left_out is not None:
            self._left_out = left_out


def project(scenario: Scenario, size: Size, cancelled: Callable[[], bool] | None = None) -> Projection:
    """Project a scenario; raises Cancelled as soon as `cancelled()` is true."""
    if cancelled and cancelled():
        raise Cancelled
    return simulate(scenario, patients=size.patients, draws=size.draws, cancelled=cancelled)


def comparable(one: Projection, other: Projection) -> bool:
    """Whether two projections have the same patients, horizon and baseline, so that only the plan tells them apart."""
    first, second = one.scenario, other.scenario
    same_people = first.population == second.population and one.weeks == other.weeks and first.assume == second.assume
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


def _orders(plan: CarePlan) -> dict[str, dict[str, Any]]:
    """How a plan orders its treatments, and its taper, if it has one."""
    orders = {name: order.model_dump() for name, order in plan.treatments.items()}
    return orders | ({TAPER: plan.taper.model_dump()} if plan.taper else {})


def _ordered(plan: CarePlan, name: str) -> bool:
    """Whether a plan has a section: treatments and a taper may be left out, the others are always there."""
    return name in plan.treatments if name in catalog.treatments() else getattr(plan, name) is not None


def _trait(scenario: Scenario, name: str) -> float:
    people = scenario.population
    own = getattr(people, name)
    if own is None:
        own = getattr(population.patients_condition(people, parameters.values()), name)
    return float(own)


def _value(plan: CarePlan, path: tuple[str, ...]) -> float:
    value: Any = plan
    for key in path:
        value = value.treatments[key] if isinstance(value, CarePlan) and key in value.treatments else getattr(value, key)
    if value is None:  # a handover that is left out is the plan's coordination; other gaps are filled by the model's parameters
        return plan.coordination if path[-1] == "handover" else math.nan
    return float(value)
