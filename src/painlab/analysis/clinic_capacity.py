"""What a clinic's slots make of waits, opioid demand, pain and function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from painlab.analysis.course_delays import KINDS, treatments_of
from painlab.analysis.slots import MOST_SLOTS, SHOWN, Panel, Solution, band, panel_of
from painlab.errors import InputError
from painlab.narrative import Compared, banded, plain, signed
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.projection import COLUMNS, LEVEL
from painlab.scenario import Scenario

APPROXIMATION: Final = (
    "The queue is a fluid, first come, first served: chance unevenness within a week is not in it, a missed session's slot is taken to be "
    "used by someone else, and everyone who arrives in one week waits alike."
)
LABELS: Final = {"therapy": "therapy slots", "procedure": "procedure slots"}


@dataclass(frozen=True)
class Capacity:
    """A clinic under a number of slots a week.

    queue: one row a kind (`therapy`, `procedure`) and week: kind, week, slots (null if as many as wanted), asked, used, backlog
    (sessions), wait (weeks in line of a session asked for in this week, at most the follow-up), utilization (used / slots), and `_low` and
    `_high` of asked, used and wait. weekly: columns of `Projection.weekly` for opioid demand, pain, function, cost and share on opioids:
    baseline (today's plan with the waits that the parameters state), scenario (the plan with these slots). unlimited: the same with as
    many slots as are wanted. converged: share of the draws in which waits and demand agree to within a fiftieth of a week. mismatch:
    difference between the sessions that the projection's patients have and those that the queue serves, mean over the weeks, as a
    share of the slots.
    """

    panel: Panel
    slots: tuple[float | None, float | None]
    give_up: float
    queue: pl.DataFrame
    weekly: pl.DataFrame
    unlimited: pl.DataFrame
    converged: float
    mismatch: float

    @property
    def scenario(self) -> Scenario:
        """The scenario that was asked about."""
        return self.panel.scenario

    @property
    def level(self) -> float:
        """Share of the draws that the bands hold."""
        return LEVEL

    @property
    def sentence(self) -> str:
        """Waits and use at the end of the horizon, and what they make of demand, pain and function."""
        last = self.panel.weeks
        said = []
        for kind, slots in zip(KINDS, self.slots, strict=True):
            row = self.queue.row(by_predicate=(pl.col("kind") == kind) & (pl.col("week") == last), named=True)
            if slots is None:
                if row["asked"] > 0.0:
                    said.append(f"{plain(row['asked'])} {LABELS[kind]} a week are asked for, and there are as many as wanted")
                continue
            wait = _wait_words(row["wait"], row["wait_low"], row["wait_high"], self.panel.follow_up)
            use = "" if row["utilization"] is None else f", {100 * row['utilization']:.0f} % are used"
            said.append(f"with {plain(slots)} {LABELS[kind]} a week {plain(row['asked'])} are asked for{use} {wait}")
        demand, *beside = (_difference(self.weekly, name, last) for name in ("mme_per_1000", "pain", "function"))
        health = " and ".join(change_words(one) for one in beside)
        return f"In week {last}: {'; '.join(said) or 'no slots are asked for'}. Against today's plan {change_words(demand)}, {health}."

    def __str__(self) -> str:
        lines = [f"{self.scenario.title}: {self.sentence}"]
        today = [
            f"{plain(float(used.mean()))} {LABELS[kind]} a week"
            for kind, used in zip(KINDS, self.panel.today_sessions, strict=True)
            if used.mean() > 0.0
        ]
        lines.append(f"Today's plan uses {' and '.join(today) or 'no slots'}, with the waits that the parameters state.")
        if self.converged < 1.0:
            lines.append(
                f"In {100 * (1 - self.converged):.0f} % of the draws waits and demand do not settle: there the weeks are those of the last "
                "turn, and not to be relied on."
            )
        if self.mismatch > 0.1:
            lines.append(
                f"The projection's sessions differ from the queue's by up to {100 * self.mismatch:.0f} % of the slots: read waits as rough."
            )
        gives = (
            f"{100 * self.give_up:.0f} % of those in line give up each week (an assumption)."
            if self.give_up
            else "Nobody gives up while in line (an assumption)."
        )
        lines.append(f"{APPROXIMATION} {gives}")
        return "\n".join(lines)


def capacity(
    scenario: Scenario | str | Panel,
    *,
    pt_slots: float | None = None,
    procedure_slots: float | None = None,
    give_up: float = 0.0,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    parameters: str = "posterior",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Capacity:
    """Project a clinic with so many slots a week for its whole population.

    Parameters
    ----------
    scenario
        A Scenario with arrivals, or the name or path of one; or a `Panel` of `panel_of`, for which the engine is not needed again.
    pt_slots, procedure_slots
        Sessions of physical therapy, and injections and ablations, that can be held in a week; as many as are wanted if left out.
    give_up
        Share of those in line who leave it for good in a week, 0 to 1: an assumption, for which there is no figure here.
    patients, draws, seed, weeks, parameters, threads, progress, cancelled
        As in `painlab.simulate`; patients are followed once for each of some delays.

    The wait in line is added to that of the referral. Those who came before week 0 have the baseline's plan and stand in the same line from
    week 0 on. Sessions are first come, first served (`queueing.fluid_queue`).

    Raises
    ------
    InputError
        For a scenario without arrivals, or a number outside its range.
    Cancelled
        When `cancelled()` is true.

    >>> found = capacity("clinic-early-pt", pt_slots=200.0, patients=64, draws=2, weeks=26)
    >>> found.queue.filter(pl.col("kind") == "therapy")["used"].max() <= 200.0
    True
    """
    asked = tuple(checked_slots(name, value) for name, value in (("pt_slots", pt_slots), ("procedure_slots", procedure_slots)))
    if isinstance(give_up, bool) or not isinstance(give_up, int | float) or not 0.0 <= give_up <= 1.0:
        raise InputError(f"give_up is {give_up!r}", expected="a share of those in line, 0 to 1, that leaves in a week")
    if isinstance(scenario, Panel):
        panel = scenario
        for kind, value in enumerate(asked):
            if value is not None and len(panel.new.delays[kind]) == 1 and treatments_of(KINDS[kind], panel.scenario.care):
                raise InputError(
                    f"the clinic was made without delays of {LABELS[KINDS[kind]]}", mend="Name the kind in panel_of(limited=...)."
                )
    else:
        limited = (asked[0] is not None, asked[1] is not None)
        panel = panel_of(
            scenario,
            limited,
            patients=patients,
            draws=draws,
            seed=seed,
            weeks=weeks,
            parameters=parameters,
            threads=threads,
            progress=progress,
            cancelled=cancelled,
        )
    free = panel.solve((np.inf, np.inf))
    found = panel.solve((or_all(asked[0]), or_all(asked[1])), float(give_up))
    mismatch = 0.0
    for kind, value in enumerate(asked):
        if value:
            mismatch = max(mismatch, float(np.abs(found.held[kind].mean(axis=0) - found.used[kind].mean(axis=0)).mean()) / value)
    return Capacity(
        panel,
        (asked[0], asked[1]),
        float(give_up),
        queue=_queue_frame(found, asked),
        weekly=_weekly(panel, found),
        unlimited=_weekly(panel, free),
        converged=float(found.converged.mean()),
        mismatch=mismatch,
    )


def checked_slots(name: str, value: float | None) -> float | None:
    """A number of slots, checked; None for as many as are wanted."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= MOST_SLOTS:
        raise InputError(f"{name} is {value!r}", expected=f"slots a week, 0 to {MOST_SLOTS:,.0f}, or nothing for as many as are wanted")
    return float(value)


def or_all(slots: float | None) -> float:
    """Slots as a number; infinity where there are as many as are wanted."""
    return np.inf if slots is None else slots


def _queue_frame(found: Solution, slots: tuple[float | None, ...]) -> pl.DataFrame:
    rows = []
    for place, kind in enumerate(KINDS):
        for week in range(found.asked.shape[2]):
            asked, used, wait = (band(one[place, :, week]) for one in (found.asked, found.used, found.wait))
            of = slots[place]
            use = used[0] / of if of else None
            rows.append((kind, week, of, *asked, *used, float(found.backlog[place, :, week].mean()), *wait, use))
    numbers = [f"{name}{end}" for name in ("asked", "used") for end in ("", "_low", "_high")]
    numbers += ["backlog", "wait", "wait_low", "wait_high", "utilization"]
    schema = {"kind": pl.String, "week": pl.Int32, "slots": pl.Float64, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _weekly(panel: Panel, found: Solution) -> pl.DataFrame:
    rows = []
    for place, name in enumerate(SHOWN):
        today = panel.today[:, place]
        for week in range(panel.weeks + 1):
            level = found.outcomes[:, place, week]
            rows.append((week, name, BY_NAME[name].unit, *band(today), *band(level), *band(level - today)))
    kinds = {"week": pl.Int32, "outcome": pl.String, "unit": pl.String}
    return pl.DataFrame(rows, schema={name: kinds.get(name, pl.Float64) for name in COLUMNS}, orient="row")


def _difference(weekly: pl.DataFrame, name: str, week: int) -> Compared:
    row = weekly.row(by_predicate=(pl.col("outcome") == name) & (pl.col("week") == week), named=True)
    return Compared(name, row["baseline"], row["scenario"], row["difference"], row["difference_low"], row["difference_high"])


def change_words(one: Compared) -> str:
    """A change with its band, and whether it is clear."""
    outcome = BY_NAME[one.name]
    clear = "" if one.direction or one.low is None else ", not distinguishable from zero"
    percent = f" ({signed(100 * one.difference / one.baseline, 1)} %)" if one.name == "mme_per_1000" and one.baseline > 0.0 else ""
    name = outcome.label.lower()
    amount = f"{banded(one.difference, one.low, one.high, outcome.digits)} {spoken_unit(outcome.unit)}"
    return f"{name} changes by {amount}{percent}{clear}"


def _wait_words(wait: float, low: float | None, high: float | None, most: int) -> str:
    if wait >= most:
        return f"and the wait in line is longer than the {most} weeks that a patient is followed"
    if round(wait, 1) == 0.0 and (high is None or round(high, 1) == 0.0):
        return "and nobody waits in line"
    ends = "" if low is None or high is None else f" ({low:.1f} to {high:.1f})"
    return f"and the wait in line is {wait:.1f}{ends} weeks"
