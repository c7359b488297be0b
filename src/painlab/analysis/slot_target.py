"""How many slots a week a wished fall of opioid demand takes, or that no number does."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from painlab.analysis.clinic_capacity import APPROXIMATION, LABELS, change_words, checked_slots, or_all
from painlab.analysis.course_delays import KINDS, treatments_of
from painlab.analysis.slots import Panel, Solution, band, panel_of
from painlab.engine.execution import Cancelled
from painlab.errors import InputError
from painlab.narrative import Compared, plain, signed
from painlab.scenario import Scenario
from painlab.simulation import whole_number


@dataclass(frozen=True)
class SlotsNeeded:
    """How many slots a wished change of opioid demand takes, if any number does.

    slots: the least whole number of slots a week that reaches it on average over the draws, or None. curve: demand, pain and function
    against slots: slots, wait (weeks in line at the end), utilization, and for `mme_percent`, `pain` and `function` the change from
    today's plan with `_low` and `_high`. most: the change of demand in percent with as many slots as are wanted, with its band.
    reached_in: share of the draws in which that many slots, or all that are wanted, reach the wish. since: first week of the means.
    """

    panel: Panel
    kind: str
    percent: float
    slots: int | None
    curve: pl.DataFrame
    most: tuple[float, float | None, float | None]
    reached_in: float
    since: int

    @property
    def sentence(self) -> str:
        """The answer, or that there is none in this model and what the most is."""
        label, wish = LABELS[self.kind], f"{self.percent:g} %"
        ends = "" if self.most[1] is None or self.most[2] is None else f" ({signed(self.most[1], 1)} to {signed(self.most[2], 1)} %)"
        most = f"with as many as are wanted it changes by {signed(self.most[0], 1)} %{ends}"
        reached = f"{wish} is reached in {100 * self.reached_in:.0f} % of the draws" if self.panel.draws > 1 else ""
        if self.slots is None:
            text = f"No number of {label} lowers opioid demand by {wish} in this model: {most}" + (f"; {reached}" if reached else "")
            row = self.curve.row(-1, named=True)
        else:
            text = f"{plain(self.slots)} {label} a week lower opioid demand by {wish} on average" + (f" ({reached})" if reached else "")
            text += f"; {most}"
            row = self.curve.filter(pl.col("slots") >= self.slots).row(0, named=True)
        beside = [
            change_words(Compared(name, 0.0, 0.0, row[name], row[f"{name}_low"], row[f"{name}_high"])) for name in ("pain", "function")
        ]
        over = f"mean over weeks {self.since} to {self.panel.weeks}, against today's plan"
        return f"{text} ({over}). There {' and '.join(beside)}."

    def __str__(self) -> str:
        return f"{self.panel.scenario.title}: {self.sentence}\n{APPROXIMATION}"


def slots_needed(
    scenario: Scenario | str | Panel,
    percent: float = 5.0,
    kind: str = "therapy",
    *,
    other_slots: float | None = None,
    give_up: float = 0.0,
    since: int | None = None,
    steps: int = 12,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    parameters: str = "posterior",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> SlotsNeeded:
    """Find how many slots a week lower opioid demand by so many percent of today's, or say that no number does.

    Parameters
    ----------
    percent
        The wished fall, above 0 to 100.
    kind
        `therapy` or `procedure`; of the other there are `other_slots`, or as many as are wanted.
    since
        First week of the mean; by default that from which everyone in care has the new plan, if the horizon reaches it, otherwise its half.
    steps
        Numbers of slots on the curve, 4 to 60; between two of them the answer is halved in to a whole slot.
    patients, draws, seed, weeks, parameters, threads, progress, cancelled, give_up
        As in `capacity`.

    Raises InputError for a scenario without arrivals, an unknown kind, or a number outside its range.

    >>> found = slots_needed("clinic-early-pt", 90.0, patients=64, draws=2, weeks=52, steps=4)
    >>> found.slots is None
    True
    """
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0.0 < percent <= 100.0:
        raise InputError(f"the wished fall is {percent!r} %", expected="above 0 to 100")
    if kind not in KINDS:
        raise InputError(f'unknown kind of slots "{kind}"', expected=" or ".join(KINDS))
    other, place = checked_slots("other_slots", other_slots), KINDS.index(kind)
    if isinstance(scenario, Panel):
        panel = scenario
    else:
        limited = (place == 0 or other is not None, place == 1 or other is not None)
        panel = panel_of(
            scenario, limited, patients=patients, draws=draws, seed=seed, weeks=weeks, parameters=parameters, threads=threads,
            progress=progress, cancelled=cancelled,
        )  # fmt: skip
    start = min(panel.follow_up, panel.weeks // 2) if since is None else since
    if not 0 <= start <= panel.weeks:
        raise InputError(f"since is week {start}", expected=f"0 to {panel.weeks}")
    if not treatments_of(kind, panel.scenario.care):
        raise InputError(
            f"the plan of {panel.scenario.name} orders nothing that takes {LABELS[kind]}", mend="Order it, or ask about the other kind."
        )

    def solved(slots: float) -> tuple[Solution, np.ndarray]:
        if cancelled and cancelled():
            raise Cancelled
        both = (slots, or_all(other)) if place == 0 else (or_all(other), slots)
        found = panel.solve(both, float(give_up))
        return found, _changes(panel, found, start)

    free, all_changes = solved(np.inf)
    # The last point has as many slots as are ever asked for in any draw.
    grid = np.unique(np.ceil(np.linspace(0.0, float(free.asked[place].max()), whole_number("steps", steps, 4, 60))))
    rows, mean = [], []
    for slots in grid:
        found, changes = solved(float(slots))
        mean.append(float(changes[0].mean()))
        rows.append(_curve_row(found, changes, place, float(slots)))
    wished, answer = -float(percent), None
    crossed = next((k for k, value in enumerate(mean) if value <= wished), None)
    if crossed is None:
        reached = all_changes[0] <= wished
    else:
        low, high = float(grid[crossed - 1]) if crossed else -1.0, float(grid[crossed])
        while high - low > 1.0:
            middle = np.floor((low + high) / 2.0)
            low, high = (low, middle) if solved(middle)[1][0].mean() <= wished else (middle, high)
        answer, reached = int(high), solved(high)[1][0] <= wished
    return SlotsNeeded(panel, kind, float(percent), answer, pl.DataFrame(rows), band(all_changes[0]), float(reached.mean()), start)


def _changes(panel: Panel, found: Solution, since: int) -> np.ndarray:
    """Change from today's plan of demand in percent, of pain and of function, by draw, shape (3, draws), averaged from a week on."""
    level = found.outcomes[:, :3, since:].mean(axis=2)
    demand, today = panel.today[:, 0], panel.today[:, :3]
    if (demand <= 0.0).any():
        raise InputError("today's plan has no opioid demand, so that it cannot fall", where=panel.scenario.name)
    changes = (level - today).T
    changes[0] *= 100.0 / demand
    return np.asarray(changes)


def _curve_row(found: Solution, changes: np.ndarray, place: int, slots: float) -> dict[str, float | None]:
    used, wait = float(found.used[place, :, -1].mean()), float(found.wait[place, :, -1].mean())
    row: dict[str, float | None] = {"slots": slots, "wait": wait, "utilization": used / slots if slots else None}
    for name, values in zip(("mme_percent", "pain", "function"), changes, strict=True):
        row |= dict(zip((name, f"{name}_low", f"{name}_high"), band(values), strict=True))
    return row
