"""What all pages of a talk start from: its runs, for whom and how long it is, how it tells of its progress, and what it worked out."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import polars as pl

from painlab import narrative, posterior
from painlab.engine.execution import Cancelled
from painlab.narrative import Compared
from painlab.projection import Projection
from painlab.scenario import Scenario
from painlab.talk.story import Said

Progress = Callable[[int, int], None]
Row = tuple[str, float | None, float | None, float | None]  # key, value, low and high of what was worked out
BESIDE: Final = ("mme_per_1000", "pain", "function")
MOST_PATIENTS: Final = 1000
MOST_DRAWS: Final = 40
FEW_DRAWS: Final = 20  # with fewer a band of 95 % is hardly one
_STEPS: Final = 1000


@dataclass
class Brief:
    """A talk in the making. weights: the share of the time that each stage of the work takes, by its name."""

    projections: tuple[Projection, ...]
    audience: str
    minutes: int
    progress: Progress | None = None
    cancelled: Callable[[], bool] | None = None
    weights: dict[str, float] = field(default_factory=dict)
    analyses: dict[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def lead(self) -> Projection:
        """The first run, which the talk is about."""
        return self.projections[0]

    @property
    def scenario(self) -> Scenario:
        """The first run's scenario."""
        return self.lead.scenario

    @cached_property
    def asked(self) -> Scenario:
        """The scenario as it was run: with the run's horizon, and its cut links as assumptions."""
        return as_run(self.lead)

    @property
    def same_care(self) -> bool:
        """Whether the plan is the baseline's, so that nothing can differ."""
        return self.scenario.care == self.scenario.baseline_plan()

    @property
    def kind(self) -> str:
        """Where parameters of further runs come from; the posterior if the run's own values came from the caller."""
        return self.lead.kind if self.lead.kind in posterior.KINDS else posterior.in_use()

    @property
    def patients(self) -> int:
        """Patients of further runs."""
        return min(self.lead.patients, MOST_PATIENTS)

    @property
    def draws(self) -> int:
        """Draws of further runs."""
        return min(self.lead.draws, MOST_DRAWS)

    @property
    def when(self) -> str:
        """The horizon in words."""
        return f"over {narrative.horizon_words(self.lead.weeks)}"

    def stage(self, name: str) -> Progress:
        """What tells of the progress of one stage, as a part of the whole. Raises Cancelled if that is wished."""
        if self.cancelled and self.cancelled():
            raise Cancelled
        total = sum(self.weights.values()) or 1.0
        before = sum(list(self.weights.values())[: list(self.weights).index(name)]) if name in self.weights else 0.0
        own = self.weights.get(name, 0.0)

        def tell(done: int, of: int) -> None:
            if self.progress:
                self.progress(int(_STEPS * (before + own * done / max(1, of)) / total), _STEPS)

        tell(0, 1)
        return tell

    def keep(self, name: str, rows: Iterable[Row]) -> pl.DataFrame:
        """Keep what was worked out, by key: value, low, high."""
        schema = {"key": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
        self.analyses[name] = pl.DataFrame(list(rows), schema=schema, orient="row")
        return self.analyses[name]


def as_run(projection: Projection) -> Scenario:
    """A run's scenario with the run's horizon, and its cut links as assumptions."""
    scenario = projection.scenario
    changes: dict[str, Any] = {}
    if projection.weeks != scenario.weeks:
        changes["weeks"] = projection.weeks
    assumed = scenario.assume
    if set(projection.cut) != set(assumed.links_cut if assumed else ()):
        changes["assume"] = {"links_cut": list(projection.cut), "values": dict(assumed.values) if assumed else {}}
    return scenario.change(**changes) if changes else scenario


def averages(projection: Projection) -> pl.DataFrame:
    """Means over the horizon by outcome."""
    return narrative.horizon_averages(projection.weekly) if projection.averages is None else projection.averages


def mean(projection: Projection, outcome: str) -> Compared:
    """Both arms of one outcome, averaged over the horizon."""
    return narrative.compared(averages(projection), outcome)


def at(projection: Projection, outcome: str, week: int) -> Compared:
    """Both arms of one outcome in one week."""
    return narrative.compared(projection.weekly, outcome, week)


def widest(projection: Projection, outcome: str) -> int:
    """The week in which an outcome differs most from the baseline."""
    rows = projection.outcome(outcome)
    return int(rows["week"][rows["difference"].abs().arg_max() or 0])


def trace(outcome: str, place: str, *columns: str, run: int = 1) -> str:
    """Where figures of a run stand, as in `Said`.

    >>> trace("pain", "week 52", "difference", run=2)
    'run 2:pain/week 52/difference'
    """
    which = "run" if run == 1 else f"run {run}"
    return "; ".join(f"{which}:{outcome}/{place}/{column}" for column in columns or ("difference", "difference_low", "difference_high"))


def traces(*parts: str) -> str:
    """Several traces as one."""
    return "; ".join(dict.fromkeys(one for part in parts for one in part.split("; ") if one and one != "text")) or "text"


def fixed(*texts: str) -> tuple[Said, ...]:
    """Sentences without figures of their own."""
    return tuple(Said(text) for text in texts)


def side(one: Compared) -> str:
    """A difference in words: which way, how much and its band; or that it cannot be told from zero.

    >>> side(Compared("pain", 3.0, 2.5, -0.5, -0.7, -0.3))
    '0.50 lower (-0.70 to -0.30)'
    >>> side(Compared("pain", 3.0, 2.9, -0.1, -0.7, 0.3))
    'not distinguishable from the baseline (-0.10; -0.70 to +0.30)'
    """
    if one.same:
        return "as in the baseline"
    band = narrative.interval(one.low, one.high, one.digits)
    if one.direction == 0:
        shown = narrative.signed(one.difference, one.digits)
        return f"not distinguishable from the baseline ({shown}{f'; {band}' if band else ''})"
    words = f"{narrative.plain(abs(one.difference), one.digits)} {'lower' if one.difference < 0.0 else 'higher'}"
    return f"{words} ({band})" if band else f"{words} (one run, no band)"


def change(one: Compared) -> str:
    """A difference with its band and its unit's name left out, for a table."""
    if one.same:
        return "no difference"
    return narrative.banded(one.difference, one.low, one.high, one.digits) + ("" if one.direction or one.low is None else ", not clear")
