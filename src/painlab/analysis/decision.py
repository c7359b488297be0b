"""A decision as a user states it: the plans that are open, and what each outcome is worth. The weights are value judgments."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from painlab.analysis import paired
from painlab.errors import InputError
from painlab.scenario import Scenario

BASELINE: Final = "baseline"
_DAYS: Final = 7.0


@dataclass(frozen=True)
class Worth:
    """What outcomes are worth to whoever decides, in one currency; value judgments, which no data give.

    mme: of one MME less (of one MME/day on one day, in one patient). pain: of one point of pain less for one week. function: of one point
    of function (0-100) more for one week. cost: of one USD not spent on care. currency: the name of the unit.

    >>> print(Worth(pain=20.0))
    1 pain point less for a week is worth 20 USD; 1 USD of care counts as 1 USD
    """

    mme: float = 0.0
    pain: float = 0.0
    function: float = 0.0
    cost: float = 1.0
    currency: str = "USD"

    def __post_init__(self) -> None:
        for name in ("mme", "pain", "function", "cost"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0.0:
                raise InputError(f"the worth of {name} is {value!r}", expected="a number of 0 or more", mend=f"Change {name}.")
        if not any((self.mme, self.pain, self.function, self.cost)):
            raise InputError("nothing is worth anything", expected="one worth above 0", mend="State what the decision is for.")

    def per_outcome(self, weeks: int) -> dict[str, float]:
        """Worth of one more unit of each outcome's mean over the horizon, for one patient."""
        return {
            "mme_per_1000": -self.mme * _DAYS * weeks / 1000.0,
            "pain": -self.pain * weeks,
            "function": self.function * weeks,
            "cost": -self.cost * weeks,
        }

    def __str__(self) -> str:
        parts = (
            (self.mme, "1 MME less"),
            (self.pain, "1 pain point less for a week"),
            (self.function, "1 point of function more for a week"),
        )
        said = [f"{what} is worth {value:g} {self.currency}" for value, what in parts if value]
        return "; ".join([*said, f"1 USD of care counts as {self.cost:g} {self.currency}"])


@dataclass(frozen=True)
class Decision:
    """Which of several plans to take for the same patients.

    options: scenarios (or names of those that ship) for one population and one horizon; their baseline is an option too, unless
    `with_baseline` is false. worth: what outcomes are worth. people: how many patients the decision is for, if totals are wanted.

    >>> Decision(["early-pt", "late-pt"], Worth(pain=10.0)).names
    ('baseline', 'early-pt', 'late-pt')
    """

    options: Sequence[Scenario | str] | Scenario | str
    worth: Worth
    people: int = 1
    with_baseline: bool = True
    scenarios: tuple[Scenario, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        given = [self.options] if isinstance(self.options, Scenario | str) else list(self.options)
        found = tuple(one if isinstance(one, Scenario) else Scenario.load(one) for one in given)
        object.__setattr__(self, "scenarios", found)
        if not isinstance(self.people, int) or isinstance(self.people, bool) or self.people < 1:
            raise InputError(f"people is {self.people!r}", expected="a whole number of 1 or more", mend="Change people.")
        if len(found) + self.with_baseline < 2:
            raise InputError("there is nothing to choose between", expected="two options or more, or the baseline as one of them")
        names = [one.name for one in found]
        twice = next((name for name in names if names.count(name) > 1 or name == BASELINE), None)
        if twice is not None:
            raise InputError(f'the name "{twice}" is not one of its own', expected="an own name for each option", mend="Rename one.")
        first = found[0]
        for one in found[1:]:
            for what, mine, other in (
                ("patients", first.population, one.population),
                ("horizon", first.weeks, one.weeks),
                ("assumptions", first.assume, one.assume),
            ):
                if mine != other:
                    problem = f"{one.name} and {first.name} differ in their {what}, not only in their care"
                    mend = f"Make one from the other with change(care=...), or give both the same {what}."
                    raise InputError(problem, expected="options for the same patients over the same weeks", mend=mend)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the options, the baseline first if it is one."""
        return (*((BASELINE,) if self.with_baseline else ()), *(one.name for one in self.scenarios))

    def benefits(self, asked: paired.Request, levels: Mapping[str, paired.Array]) -> paired.Array:
        """Net benefit of one patient over the horizon, less that of the first option.

        levels: by option, shape (cohorts, sets, outcomes of `asked`). Returns shape (cohorts, sets, options).
        """
        each = self.worth.per_outcome(asked.scenario.weeks)
        weights = np.array([each.get(name, 0.0) for name in asked.outcomes])
        start = levels[self.names[0]]
        return np.stack([(levels[name] - start) @ weights for name in self.names], axis=2)
