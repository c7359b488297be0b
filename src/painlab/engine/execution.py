"""Pieces of work over threads, processes or machines; the result does not depend on how it is cut or where it runs."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from painlab import catalog, parameters, population
from painlab.catalog import Condition
from painlab.engine import machines
from painlab.engine.cohort import simulate_patients
from painlab.engine.layout import COUNTED, LANES, SCALES, packed
from painlab.outcomes import Recorded
from painlab.plan import CarePlan
from painlab.scenario import Scenario

ARMS = 2
MOST_PATIENTS = 64 * LANES  # in one piece, so that progress moves and an interrupt is heard
REMOTE_WEEKS = 20_000_000  # patient-weeks in one piece for another process or machine: about a second of work
WAITING = 4  # pieces handed out for each worker, so that none waits
Progress = Callable[[int, int], None]
Values = Mapping[str, float]


class Cancelled(Exception):
    """The caller asked for the run to end; there is no result."""


class Inputs(NamedTuple):
    """What a set of parameter values makes of a population: scalar parameters, the condition, and treatments' rows.

    rows: shape (treatments, len(TreatmentField)).
    """

    p: parameters.Parameters
    condition: Condition
    rows: np.ndarray


class Cohort(NamedTuple):
    """All that one draw's patients depend on, as text and numbers that can be sent anywhere."""

    scenario: str  # as JSON
    values: tuple[float, ...]  # of all parameters, in the order of data/parameters.csv
    first: int  # number of the first patient; each draw has its own
    patients: int
    seed: int
    weeks: int
    cut: tuple[str, ...] = ()
    alone: bool = False  # only the scenario's arm is wanted, the baseline's sums being known


class Piece(NamedTuple):
    """Patients start ... start + count - 1 of a cohort."""

    cohort: Cohort
    start: int
    count: int  # type: ignore[assignment]


class Part(NamedTuple):
    """Integer sums of some patients: by arm (baseline first), outcome and week, in the units of `SCALES`; patients by week."""

    sums: np.ndarray
    present: np.ndarray


class Sums(NamedTuple):
    """Weekly means of every draw.

    means: shape (draws, 2 arms, outcomes, weeks + 1), baseline first, in patients' units; present: patients by draw and week.
    """

    means: np.ndarray
    present: np.ndarray


def inputs_of(people: population.Population, values: Values, cut: tuple[str, ...] = ()) -> Inputs:
    """Inputs of the equations for a population under a set of parameter values, with the named links cut."""
    condition = population.patients_condition(people, values)
    rows = np.array([one.row(values, condition.exercise_response) for one in catalog.treatments().values()])
    return Inputs(parameters.cut_links(parameters.scalars(values), cut), condition, rows)


def cohorts(
    scenario: Scenario, values: Sequence[Values], *, patients: int, seed: int, weeks: int, cut: tuple[str, ...] = (), first_draw: int = 0
) -> list[Cohort]:
    """A cohort for each set of values; draw d has patients d x patients onward. What the scenario assumes takes the place of its values.

    Raises InputError for an unknown link.
    """
    _, cut = scenario.assumed({}, cut)
    parameters.cut_links(parameters.scalars(parameters.values()), cut)
    text, names = scenario.model_dump_json(), tuple(parameters.records())
    numbers = (tuple(float(one[name]) for name in names) for one, _ in map(scenario.assumed, values))
    return [Cohort(text, one, (first_draw + draw) * patients, patients, seed, weeks, cut) for draw, one in enumerate(numbers)]


@lru_cache(maxsize=32)
def _scenario(text: str) -> Scenario:
    return Scenario.model_validate_json(text)


class _Prepared(NamedTuple):
    """Arguments of simulate_patients, and the follow-up in weeks (-1 in a closed cohort)."""

    condition: np.ndarray
    people: np.ndarray
    goals: np.ndarray
    p: np.ndarray
    rows: np.ndarray
    orders: np.ndarray
    plans: np.ndarray
    follow_up: int

    def simulate(
        self, seed: int, first: int, arrivals: np.ndarray, stay: int, arms: slice, sums: np.ndarray, present: np.ndarray,
        records: np.ndarray,
    ) -> None:  # fmt: skip
        """Call simulate_patients with some of the plans."""
        simulate_patients(
            seed, first, arrivals, stay, self.condition, self.people, self.goals, self.p, self.rows, self.orders[arms], self.plans[arms],
            sums, present, records,
        )  # fmt: skip


SPREADS: Final = (
    "trait_spread",
    "response_spread",
    "course_spread",
    "course_time_spread",
    "stop_spread",
    "first_supply_spread",
    "dose_spread",
)
"""Parameters by which patients of one population differ."""


def _alike(one: Inputs, mix: population.Mix) -> tuple[Inputs, population.Mix]:
    """Inputs in which all patients are the typical one, and only chance tells their weeks apart."""
    still = one.p._replace(**dict.fromkeys(SPREADS, 0.0))
    condition = one.condition._replace(pain_sd=1e-6, age_sd=0.0)
    use = 1.0 if mix.on_opioids > 0.0 else 0.0
    return one._replace(p=still, condition=condition), mix._replace(on_opioids=use, prior_treatment=float(round(mix.prior_treatment)))


def prepare(
    people: population.Population, plans: Sequence[CarePlan], values: Values, cut: tuple[str, ...], *, alike: bool = False
) -> _Prepared:
    """What the compiled patients need of a population, plans and parameter values; with `alike` all of them are the typical one."""
    one, mixed = inputs_of(people, values, cut), population.mix(people)
    if alike:
        one, mixed = _alike(one, mixed)
    goals, rows = population.goal_thresholds(people).astype(np.float32), one.rows.astype(np.float32)
    orders = np.array([plan.engine_orders() for plan in plans], dtype=np.float32)
    follow_up = people.arrivals.follow_up_weeks if people.arrivals else -1
    packed_plans = np.array([packed(plan.engine_plan()) for plan in plans])
    mix = packed(mixed)
    return _Prepared(packed(one.condition), mix, goals, packed(one.p), rows, orders, packed_plans, follow_up)


@lru_cache(maxsize=64)
def _prepared(cohort: Cohort) -> _Prepared:
    scenario = _scenario(cohort.scenario)
    values = dict(zip(parameters.records(), cohort.values, strict=True))
    return prepare(scenario.population, (scenario.baseline_plan(), scenario.care), values, cohort.cut)


def arrival_weeks(start: int, count: int, patients: int, weeks: int, follow_up: int) -> np.ndarray:
    """Calendar weeks in which patients start ... start + count - 1 of so many arrive, shape (count,), in rising order.

    In an open cohort evenly from -follow_up to the horizon; in a closed one (follow_up -1) all in week 0.
    """
    if follow_up < 0:
        return np.zeros(count, dtype=np.int64)
    return np.arange(start, start + count, dtype=np.int64) * (weeks + 1 + follow_up) // patients - follow_up


def simulate_piece(piece: Piece) -> Part:
    """Simulate some patients, here and in one thread: both arms, or the scenario's alone with zeros for the baseline."""
    cohort, start, count = piece
    made = _prepared(cohort._replace(first=0, patients=0, seed=0, weeks=0, alone=False))  # the same for any patients
    weeks = cohort.weeks
    part = Part(np.zeros((ARMS, COUNTED, weeks + 1), dtype=np.int64), np.zeros(weeks + 1, dtype=np.int64))
    arrivals = arrival_weeks(start, count, cohort.patients, weeks, made.follow_up)
    stay = weeks + 1 if made.follow_up < 0 else made.follow_up
    nobody = np.empty((0, 0, 0, 0), dtype=np.float32)
    early = int(np.searchsorted(arrivals, 0))  # those who arrive before week 0 have the baseline's care in both arms
    wanted = slice(1, ARMS) if cohort.alone else slice(0, ARMS)
    for low, high, arms in ((0, early, slice(0, 1)), (early, count, wanted)):
        if high > low:
            sums = np.zeros((arms.stop - arms.start, *part.sums.shape[1:]), dtype=np.int64)
            made.simulate(cohort.seed, cohort.first + start + low, arrivals[low:high], stay, arms, sums, part.present, nobody)
            part.sums[wanted] += sums
    return part


def simulate_pieces(pieces: Sequence[Piece]) -> list[Part]:
    """Simulate some pieces one after the other: one errand for another process or machine."""
    return [simulate_piece(piece) for piece in pieces]


def pieces_of(cohort: Cohort, size: int) -> list[Piece]:
    """Cut a cohort into pieces of at most `size` patients."""
    return [Piece(cohort, start, min(size, cohort.patients - start)) for start in range(0, cohort.patients, size)]


def means_of(part: Part) -> np.ndarray:
    """Weekly means in patients' units, shape (2 arms, outcomes, weeks + 1); 0 where nobody is present."""
    return part.sums / SCALES.astype(float)[:, None] / np.maximum(part.present, 1)


def workers(threads: int | None = None) -> int:
    """Threads at work: as many as are asked for, or as there are processors for this process."""
    if threads:
        return threads
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parts(
    whole: Sequence[Cohort],
    *,
    threads: int | None = None,
    executor: Executor | None = None,
    size: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    keep: bool = False,
) -> Iterator[tuple[int, Part]]:
    """Simulate cohorts and yield each one's number and sums as soon as it is whole.

    Parameters
    ----------
    threads
        Threads at work here.
    executor
        Any concurrent.futures Executor, of processes or other machines; threads of this process if left out.
    size
        Patients in a piece; fitting to the work if left out.
    progress
        Called as progress(done, total) as pieces finish.
    cancelled
        Asked between pieces; when it returns true, `Cancelled` is raised.
    keep
        Keep the baselines' sums, and take those kept by an earlier call: where a lever moves, only the scenario's arm is worked out anew.
    """
    if keep:
        keys = [_baseline_of(cohort) for cohort in whole]
        known = {number: _kept[key] for number, key in enumerate(keys) if key in _kept}
        rest = [cohort._replace(alone=number in known) for number, cohort in enumerate(whole)]
        finished = parts(rest, threads=threads, executor=executor, size=size, progress=progress, cancelled=cancelled)
        with closing(finished):  # type: ignore[type-var]
            for number, whole_part in finished:
                if number in known:
                    whole_part.sums[0] = known[number]
                _keep(keys[number], whole_part.sums[0])
                yield number, whole_part
        return
    at_work = workers(threads)
    errands = _errands(whole, size or _size(whole, at_work, executor is not None), remote=executor is not None)
    totals: dict[int, Part] = {}
    left = Counter(place for errand in errands for place, _ in errand)
    done, total = 0, left.total()
    pool = executor or ThreadPoolExecutor(min(at_work, max(1, len(errands))), thread_name_prefix="painlab")
    try:
        if cancelled and cancelled():
            raise Cancelled
        keyed = (([place for place, _ in errand], [piece for _, piece in errand]) for errand in errands)
        with closing(machines.finished(pool, simulate_pieces, keyed)) as answers:
            for places, found in answers:
                for place, part in zip(places, found, strict=True):
                    before = totals.get(place)
                    totals[place] = part if before is None else Part(before.sums + part.sums, before.present + part.present)
                    left[place] -= 1
                    done += 1
                    if progress:
                        progress(done, total)
                    if not left[place]:
                        yield place, totals.pop(place)
                if cancelled and cancelled():
                    raise Cancelled
    finally:
        if executor is None:
            pool.shutdown(wait=True, cancel_futures=True)


_MOST_KEPT = 600  # baselines of about ten kilobytes
_kept: dict[tuple[str, Cohort], np.ndarray] = {}


def _baseline_of(cohort: Cohort) -> tuple[str, Cohort]:
    """All that the sums of a cohort's baseline depend on: its scenario counts only by its people and the baseline's plan."""
    return _baseline_text(cohort.scenario), cohort._replace(scenario="")


@lru_cache(maxsize=32)
def _baseline_text(text: str) -> str:
    scenario = _scenario(text)
    return json.dumps([scenario.population.model_dump(mode="json"), scenario.baseline_plan().as_dict()], sort_keys=True)


def _keep(key: tuple[str, Cohort], sums: np.ndarray) -> None:
    _kept.pop(key, None)
    _kept[key] = sums.copy()
    while len(_kept) > _MOST_KEPT:
        _kept.pop(next(iter(_kept)), None)


def forget() -> None:
    """Forget all baselines that were kept."""
    _kept.clear()


def _size(whole: Sequence[Cohort], at_work: int, remote: bool) -> int:
    one = whole[0]
    if remote:
        return max(LANES, REMOTE_WEEKS // (ARMS * (one.weeks + 1)))
    shared_out = -(-one.patients * len(whole) // (WAITING * at_work))  # some pieces for each worker, in whole blocks
    return min(-(-shared_out // LANES) * LANES, MOST_PATIENTS)


def _errands(whole: Sequence[Cohort], size: int, *, remote: bool) -> list[list[tuple[int, Piece]]]:
    """Pieces by errand, each with its cohort's number: one by one for threads, about `size` patients together for others."""
    every = [(number, piece) for number, cohort in enumerate(whole) for piece in pieces_of(cohort, size)]
    if not remote:
        return [[one] for one in every]
    together: list[list[tuple[int, Piece]]] = []
    room = 0
    for number, piece in every:
        if piece.count > room:
            together.append([])
            room = size
        together[-1].append((number, piece))
        room -= piece.count
    return together


def run(
    scenario: Scenario,
    values: Sequence[Values],
    *,
    patients: int,
    seed: int,
    weeks: int,
    cut: tuple[str, ...] = (),
    threads: int | None = None,
    executor: Executor | None = None,
    block: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sums:
    """Run both arms on the same patients and random numbers, once for each set of parameter values; set d has patients d x patients onward.

    block is the number of patients in a piece of work. Raises Cancelled when `cancelled()` is true between pieces.
    """
    whole = cohorts(scenario, values, patients=patients, seed=seed, weeks=weeks, cut=cut)
    means = np.empty((len(whole), ARMS, COUNTED, weeks + 1))
    present = np.empty((len(whole), weeks + 1), dtype=np.int64)
    for draw, part in parts(whole, threads=threads, executor=executor, size=block, progress=progress, cancelled=cancelled):
        means[draw], present[draw] = means_of(part), part.present
    return Sums(means, present)


def follow(
    people: population.Population,
    plan: CarePlan,
    values: Values,
    *,
    first: int,
    patients: int,
    seed: int,
    weeks: int,
    cut: tuple[str, ...] = (),
    alike: bool = False,
) -> np.ndarray:
    """Follow a closed cohort's patients first ... first + patients - 1 one by one, under one plan and one set of parameter values.

    alike: all are the population's typical patient, so that chance alone tells them apart.

    Returns each patient's own weeks, shape (patients, weeks + 1, len(Recorded)), in single precision.
    """
    made = prepare(people, (plan,), values, cut, alike=alike)
    records = np.zeros((1, weeks + 1, len(Recorded), patients), dtype=np.float32)
    sums, present = np.zeros((1, COUNTED, weeks + 1), dtype=np.int64), np.zeros(weeks + 1, dtype=np.int64)
    made.simulate(seed, first, np.zeros(patients, dtype=np.int64), weeks + 1, slice(0, 1), sums, present, records)
    return np.moveaxis(records[0], 2, 0)
