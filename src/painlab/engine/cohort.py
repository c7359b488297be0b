"""The compiled cohort: blocks of patients through the weeks under one or two care plans, sums by week and outcome.

All arms of a block live through a week before the next begins, on the same draws. Sums are integers, so that neither the order of patients
nor the number of threads changes a bit.
"""

import numpy as np

from painlab.care import OrderField
from painlab.engine import prescribing, week
from painlab.engine.arrival import begin_arm, meet_patients, refer
from painlab.engine.layout import ADDED, COUNTED, LANES, MOST, NOTED_AT_DESK, NOTED_IN_ALL, ROW, SCALES, Given, Own, Shared, at
from painlab.numerics import compiled, compiled_loop, single
from painlab.outcomes import Count, Recorded
from painlab.randomness import DRAWS

_FEW = 8
_SHARED, _OWN, _GIVEN, _COUNTED = len(Shared) * ROW, len(Own) * ROW, len(Given) * ROW, COUNTED * ROW


@compiled
def _in_units(value: float, most: float, scale: float) -> np.int32:
    return np.int32(min(value, most) * scale + np.float32(0.5))


@compiled
def _part(counted: np.ndarray, start: int, count: int, most: float, scale: float) -> np.int32:
    """Sum of `count` numbers from a place on; unsigned places spare a check for negative ones."""
    part, first = np.int32(0), np.uint64(start)
    for i in range(count):
        part = np.int32(part + _in_units(counted[first + np.uint64(i)], most, scale))
    return part


@compiled_loop
def _add(outcomes: np.ndarray, counted: np.ndarray, low: int, high: int, sums: np.ndarray, place: int) -> None:
    """Add lanes low ... high - 1 of some outcomes to the sums of a week, in the integer units of `SCALES`."""
    for n in range(outcomes.shape[0]):
        k = outcomes[n]
        scale, most = SCALES[k], MOST[k]
        start, end, total = at(k, low), at(k, high), 0
        while start + ADDED <= end:  # numbers of turns that are known when compiling are several times as fast
            total += _part(counted, start, ADDED, most, scale)  # type: ignore[assignment]
            start += ADDED
        while start + _FEW <= end:
            total += _part(counted, start, _FEW, most, scale)  # type: ignore[assignment]
            start += _FEW
        total += _part(counted, start, end - start, most, scale)  # type: ignore[assignment]
        sums[k, place] += total


@compiled_loop
def _keep(counted: np.ndarray, mine: np.ndarray, now: float, low: int, high: int, record: np.ndarray) -> None:
    """Keep lanes low ... high - 1 of the week in record, shape (len(Recorded), patients)."""
    for i in range(low, high):
        record[Recorded.PAIN, i] = counted[at(Count.PAIN, i)]
        record[Recorded.ACTIVITY, i] = counted[at(Count.ACTIVITY, i)]
        record[Recorded.STRENGTH, i] = counted[at(Count.STRENGTH, i)]
        record[Recorded.FUNCTION, i] = counted[at(Count.FUNCTION, i)]
        record[Recorded.DOSE, i] = mine[at(Own.DOSE, i)]
        record[Recorded.MME, i] = mine[at(Own.TAKEN, i)]
        record[Recorded.SESSIONS, i] = counted[at(Count.SESSIONS, i)]
        record[Recorded.TAPERED, i] = 1.0 if now <= mine[at(Own.RISK_UNTIL, i)] else 0.0


@compiled_loop
def _enter(
    now: float, arrivals: np.ndarray, start: int, counted: np.ndarray, noted: np.ndarray, lanes: np.ndarray, count: int, mine: np.ndarray,
    sums: np.ndarray, present: np.ndarray, first_arm: bool, records: np.ndarray,
) -> None:  # fmt: skip
    """Add a block's week to its calendar weeks: patients side by side who arrived together share one.

    counted holds everyone's outcomes by lane, noted those of the `count` patients at the desk, who are `lanes`.
    """
    low, first_noted, there = 0, 0, arrivals.shape[0]
    padded = prescribing.blank(count, noted)
    while low < there:
        high = there if arrivals[low] == arrivals[there - 1] else low + 1
        while high < there and arrivals[high] == arrivals[low]:
            high += 1
        last_noted = first_noted
        while last_noted < count and int(lanes[last_noted]) < high:
            last_noted += 1
        place = arrivals[low] + int(now)
        if 0 <= place < sums.shape[1]:
            _add(NOTED_IN_ALL, counted, low, high, sums, place)
            _add(NOTED_AT_DESK, noted, first_noted, padded if last_noted == count else last_noted, sums, place)
            if first_arm:
                present[place] += high - low
            if records.shape[0] > 0:
                _keep(counted, mine, now, low, high, records[0, place, :, start : start + there])
        low, first_noted = high, last_noted


@compiled_loop
def simulate_patients(
    seed: int,
    first: int,
    arrivals: np.ndarray,
    stay: int,
    condition: np.ndarray,
    people: np.ndarray,
    goals: np.ndarray,
    p: np.ndarray,
    rows: np.ndarray,
    orders: np.ndarray,
    plans: np.ndarray,
    sums: np.ndarray,
    present: np.ndarray,
    records: np.ndarray,
) -> None:
    """Take patients first, first + 1 ... through their weeks under each arm's plan and add calendar weeks 0 ... weeks to the sums.

    Parameters
    ----------
    arrivals
        Calendar week in which each arrives, in rising order, shape (patients,).
    stay
        Weeks for which each is followed.
    rows, orders
        Treatments' rows, shape (treatments, len(TreatmentField)), and each arm's orders, shape (arms, treatments, len(OrderField)).
    plans
        A plan for each of at most two arms; only as many are used as `orders` has.
    sums, present
        Integer sums by arm, outcome and week, shape (arms, len(Count), weeks + 1), and patients by week, shape (weeks + 1,); added to.
    records
        Each patient's own weeks, shape (arms, weeks + 1, len(Recorded), patients), or empty where nobody asks; written in place.
    """
    arms, treatments, weeks = orders.shape[0], rows.shape[0], sums.shape[2] - 1
    shared = np.empty(_SHARED, dtype=np.float32)
    own = np.empty((arms, _OWN), dtype=np.float32)
    counted, noted = np.empty(_COUNTED, dtype=np.float32), np.empty(_COUNTED, dtype=np.float32)
    shared_desk, desk = np.zeros(_SHARED, dtype=np.float32), np.zeros(_OWN, dtype=np.float32)
    lanes, chances = np.zeros(LANES, dtype=np.uint32), np.empty(DRAWS * ROW, dtype=np.float32)
    given = np.empty((arms, treatments, _GIVEN), dtype=np.float32)
    drawn = np.zeros((treatments + DRAWS - 1) // DRAWS, dtype=np.bool_)
    sessions = np.empty(drawn.shape[0] * DRAWS * ROW, dtype=np.float32)
    due = np.empty((arms, treatments), dtype=np.float32)
    for start in range(0, arrivals.shape[0], LANES):
        one, there = first + start, min(LANES, arrivals.shape[0] - start)
        meet_patients(seed, one, condition, people, goals, p, shared)
        for arm in range(arms):
            begin_arm(shared, own[arm], p)
            for j in range(treatments):
                due[arm, j] = np.inf
                if orders[arm, j, OrderField.ORDERED] > 0.0:
                    due[arm, j] = refer(seed, one, j + 1, rows[j], orders[arm, j], shared, given[arm, j], p)
        for t in range(min(stay, weeks - arrivals[start] + 1)):
            now = single(t)
            week.draw_week(seed, one, t, shared)
            drawn[:] = False
            week.hurt(now, shared, p)
            for arm in range(arms):
                mine, plan = own[arm], plans[arm]
                week.rest(mine, counted)
                for j in range(treatments):
                    if now > due[arm, j]:
                        week.relieve(given[arm, j], rows[j], condition, mine)
                week.feel(shared, mine, p)
                week.visit(now, shared, mine, plan, p)
                count = prescribing.gather(now, shared, mine, lanes, shared_desk, desk)
                prescribing.draw(seed, one, t, count, lanes, chances)
                prescribing.prescribe(t, count, chances, shared_desk, desk, noted, condition, people, plan, p)
                prescribing.scatter(count, lanes, desk, mine)
                for j in range(treatments):
                    if now < due[arm, j]:
                        continue
                    treated, row, order = given[arm, j], rows[j], orders[arm, j]
                    if week.coming(now, treated, order, mine) == 0:
                        week.wane(treated, row, order, shared, mine, p)
                        continue
                    if not drawn[j // DRAWS]:
                        week.draw_sessions(seed, one, t, j // DRAWS, sessions)
                        drawn[j // DRAWS] = True
                    week.treat(now, sessions[j * ROW : (j + 1) * ROW], treated, row, order, shared, mine, counted, plan, p)
                week.note(shared, mine, counted, p)
                arrived, record = arrivals[start : start + there], records[arm : arm + 1]
                _enter(now, arrived, start, counted, noted, lanes, count, mine, sums[arm], present, arm == 0, record)
                week.move(now, shared, mine, people, p)
                week.adapt(shared, mine, p)
