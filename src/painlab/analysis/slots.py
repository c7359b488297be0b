"""A clinic with so many slots a week for therapy and procedures: waits come out of the queue, and outcomes out of the waits.

Patients of an open cohort differ only in when they come, so the clinic's weeks are a sum over arrival weeks of what one patient's weeks
are under the wait that this week's arrivals meet. How long they wait depends on how many sessions everybody asks for, and how many
are asked for depends on the waits, because pain passes, courses begin too late for the follow-up, or people give up. Both are solved
together by turns until they agree (`converged`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np

from painlab import posterior
from painlab.analysis.course_delays import Profiles, mixture, profiles
from painlab.analysis.queueing import Line, fluid_queue
from painlab.errors import InputError
from painlab.outcomes import OUTCOMES
from painlab.projection import LEVEL
from painlab.scenario import MAX_WEEKS, Scenario
from painlab.simulation import MAX_PATIENTS, parameter_sets, whole_number

SHOWN: Final = ("mme_per_1000", "pain", "function", "cost", "on_opioids")
_PLACES: Final = [next(k for k, one in enumerate(OUTCOMES) if one.name == name) for name in SHOWN]
MOST_SLOTS: Final = 1e9
MOST_DRAWS: Final = 200
_TOLERANCE: Final = 0.02  # weeks of wait
_TURNS: Final = 300
_DAMPING: Final = 0.6  # share of a new answer that is taken


class Solution(NamedTuple):
    """Where waits and demand agree: by kind, draw and week from 0.

    wait: weeks in line of a session asked for in this week, at most the follow-up, after which nobody is called any more.
    delay: weeks that those who arrive in a week wait beyond their referral's own wait. outcomes: shape (draws, len(SHOWN), weeks + 1).
    held: sessions a week that the patients of the projection have, to be held against `used`: above it for about the length of a course
    after a line begins to form, because who has begun a course goes on with it; about equal later. converged: by draw.
    """

    asked: np.ndarray
    used: np.ndarray
    backlog: np.ndarray
    wait: np.ndarray
    delay: np.ndarray
    held: np.ndarray
    outcomes: np.ndarray
    converged: np.ndarray
    turns: int


@dataclass(frozen=True)
class Panel:
    """An open cohort whose patients were simulated for every delay: any number of slots is worked out from them without the engine.

    new: profiles of those who come from week 0 on, old: of those who came before. arrivals: new patients a week.
    """

    scenario: Scenario
    new: Profiles
    old: Profiles
    values: list[Any] = field(repr=False)
    arrivals: float
    follow_up: int
    weeks: int
    patients: int
    seed: int
    origin: str = ""

    @property
    def draws(self) -> int:
        """Sets of parameter values."""
        return len(self.values)

    def solve(self, slots: tuple[float, float], give_up: float = 0.0) -> Solution:
        """Find the waits at which demand for slots and their use agree, for so many slots of each kind."""
        span = self.weeks + self.follow_up  # the last to come in the horizon may be called later
        weeks = np.arange(1 - self.follow_up, span)
        delay = np.zeros((2, self.draws, len(weeks)))
        limited = [k for k in range(2) if np.isfinite(slots[k])]
        open_ = np.ones(self.draws, dtype=bool)
        lines: list[list[Line]] = []
        asked: list[np.ndarray] = []
        turns = 0
        while turns < _TURNS:
            turns += 1
            asked = [self._sessions(k, delay, give_up, dated_back=True)[:, -span:] for k in range(2)]
            lines = [[fluid_queue(one, slots[k]) for one in asked[k]] for k in range(2)]
            newer = np.zeros_like(delay)
            for k in limited:
                for draw, line in enumerate(lines[k]):
                    called = weeks + np.where(weeks < 0, self.old.asks[k, draw], self.new.asks[k, draw])
                    finite = np.minimum(line.wait, self.follow_up)
                    newer[k, draw] = np.where(called < 0.0, 0.0, np.interp(called, np.arange(span), finite))
            moved = np.abs(newer - delay)[:, :, : self.follow_up + self.weeks].max(axis=(0, 2), initial=0.0)
            open_ = moved > _TOLERANCE
            if not open_.any():
                break
            delay += _DAMPING * (newer - delay)
        held = np.stack([self._sessions(k, delay, give_up, dated_back=False)[:, -span:] for k in range(2)])
        shown = slice(0, self.weeks + 1)
        used, backlog, wait = (
            np.array([[getattr(one, name) for one in each] for each in lines])[..., shown] for name in ("used", "backlog", "wait")
        )
        wait = np.minimum(wait, float(self.follow_up))
        here = slice(self.follow_up - 1, self.follow_up + self.weeks)
        outcomes = self._outcomes(delay, give_up)
        return Solution(np.stack(asked)[..., shown], used, backlog, wait, delay[..., here], held[..., shown], outcomes, ~open_, turns)

    def _weights(self, people: Profiles, delay: np.ndarray, give_up: float) -> np.ndarray:
        """Weights of a plan's pairs of delays for each draw and arrival week, shape (draws, weeks, therapy delays, procedure delays)."""
        one, other = (mixture(people.delays[k], delay[k], give_up) for k in range(2))
        return one[..., :, None] * other[..., None, :]

    def _sum(self, delay: np.ndarray, give_up: float, of: Callable[[Profiles], np.ndarray]) -> np.ndarray:
        """Sum over everyone in care of something by week since arrival, shape (therapy delays, procedure delays, draws, follow-up).

        Returns shape (draws, arrival weeks + follow-up - 1), from the first arrival week on, for one arrival a week.
        """
        arrivals, split = delay.shape[2], self.follow_up - 1
        total = np.zeros((self.draws, arrivals + self.follow_up - 1))
        for people, part in ((self.old, slice(0, split)), (self.new, slice(split, arrivals))):
            weights = self._weights(people, delay[:, :, part], give_up)
            each = np.einsum("daij,ijds->das", weights, of(people), optimize=True)
            for s in range(self.follow_up):
                total[:, part.start + s : part.stop + s] += each[:, :, s]
        return total[:, :arrivals]

    def _sessions(self, kind: int, delay: np.ndarray, give_up: float, *, dated_back: bool) -> np.ndarray:
        """Sessions of a kind by week for the clinic's arrivals: when they are held, or dated back to when they were without the queue."""

        def of(people: Profiles) -> np.ndarray:
            sessions = people.sessions[kind]
            if not dated_back:
                return sessions
            back = np.zeros_like(sessions)
            for place, wait in enumerate(people.delays[kind]):
                d = int(wait)
                if d < self.follow_up:
                    source = (place, slice(None)) if kind == 0 else (slice(None), place)
                    back[source][..., : self.follow_up - d] = sessions[source][..., d:]
            return back

        return self.arrivals * self._sum(delay, give_up, of)

    def _outcomes(self, delay: np.ndarray, give_up: float) -> np.ndarray:
        """Means of `SHOWN` over the people in care by week, shape (draws, len(SHOWN), weeks + 1)."""
        start, found = self.follow_up - 1, np.empty((self.draws, len(SHOWN), self.weeks + 1))
        for place, k in enumerate(_PLACES):
            every = self._sum(delay, give_up, lambda people, k=k: people.outcomes[..., k, :])  # type: ignore[misc]
            found[:, place] = every[:, start : start + self.weeks + 1] / self.follow_up
        return found

    @cached_property
    def today(self) -> np.ndarray:
        """Outcomes under the baseline with the waits that the parameters state, the same in every week, shape (draws, len(SHOWN))."""
        return np.asarray(self.old.outcomes[0, 0][:, _PLACES].mean(axis=2))

    @cached_property
    def today_sessions(self) -> np.ndarray:
        """Slots a week that the baseline uses, shape (2 kinds, draws)."""
        return np.asarray(self.arrivals * self.old.sessions[:, 0, 0].sum(axis=2))


def panel_of(
    scenario: Scenario | str,
    limited: tuple[bool, bool] = (True, False),
    *,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    parameters: str = "posterior",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Panel:
    """Simulate an open cohort's patients for every delay of the kinds that are limited, in the order of `course_delays.KINDS`.

    The other arguments, and what is raised, are those of `capacity`.
    """
    asked = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    arrivals = asked.population.arrivals
    if arrivals is None:
        raise InputError(
            "slots a week mean something only for patients who keep coming",
            where=asked.name,
            expected="a population with arrivals, as in clinic-early-pt",
            mend='Add them: scenario.change(population={"arrivals": {"people": 100000, "new_patients_per_1000_per_year": 40.0}}).',
        )
    patients, seed = whole_number("patients", patients, 1, MAX_PATIENTS), whole_number("seed", seed, 0, 2**63 - 1)
    draws = whole_number("draws", draws, 1, MOST_DRAWS)
    horizon = whole_number("weeks", asked.weeks if weeks is None else weeks, 1, MAX_WEEKS)
    values = parameter_sets(draws, seed, parameters)

    def moved(step: int) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, total: progress(step * total + done, 2 * total)

    plans = (asked.care, asked.baseline_plan())
    new, old = (
        profiles(
            asked,
            plan,
            values,
            limited,
            follow_up=arrivals.follow_up_weeks,
            patients=patients,
            seed=seed,
            threads=threads,
            progress=moved(step),
            cancelled=cancelled,
        )
        for step, plan in enumerate(plans)
    )
    weekly = arrivals.people / 1000 * arrivals.new_patients_per_1000_per_year / 52.0
    origin = posterior.words(draws, parameters)
    return Panel(asked, new, old, values, weekly, arrivals.follow_up_weeks, horizon, patients, seed, origin)


def band(values: np.ndarray) -> tuple[float, float | None, float | None]:
    """Mean over the draws, and the ends of their band, none with one draw."""
    if len(values) == 1:
        return float(values[0]), None, None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(values.mean()), float(low), float(high)
