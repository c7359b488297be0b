"""The compiled cohort: blocks of patients through the weeks under one or two care plans, sums by week and outcome.

All arms of a block live through a week before the next begins, on the same draws. Sums are integers, so that neither the order of patients
nor the number of threads changes a bit.
"""

import numpy as np

from painlab.care import OrderField
from painlab.engine import prescribing, week
from painlab.engine.arrival import begin_arm, meet_patients, refer
from painlab.engine.layout import ADDED, COUNTED, LANES, MOST, ROW, SCALES, Given, Own, Shared, at
from painlab.numerics import compiled, compiled_loop, single
from painlab.outcomes import Count, Recorded
from painlab.randomness import DRAWS

_SHARED, _OWN, _GIVEN, _COUNTED = len(Shared) * ROW, len(Own) * ROW, len(Given) * ROW, COUNTED * ROW


@compiled
def _in_units(value: float, most: float, scale: float) -> np.int32:
    return np.int32(min(value, most) * scale + np.float32(0.5))


@compiled_loop
def _add(counted: np.ndarray, low: int, high: int, sums: np.ndarray, place: int) -> None:
    """Add lanes low ... high - 1 of each outcome to the sums of a week, in the integer units of `SCALES`."""
    for k in range(COUNTED):
        row = counted[k * ROW : (k + 1) * ROW]
        scale, most = SCALES[k], MOST[k]
        if high - low == LANES:  # numbers of turns that are known when compiling are several times as fast
            for start in range(0, LANES, ADDED):
                together = row[start : start + ADDED]
                part = np.int32(0)
                for i in range(ADDED):
                    part = np.int32(part + _in_units(together[i], most, scale))
                sums[k, place] += part
        else:
            for i in range(low, high):
                sums[k, place] += _in_units(row[i], most, scale)


@compiled_loop
def _keep(counted: np.ndarray, mine: np.ndarray, now: float, low: int, high: int, record: np.ndarray) -> None:
    """Keep lanes low ... high - 1 of the week in record, shape (len(Recorded), patients)."""
    for i in range(low, high):
        record[Recorded.PAIN, i] = counted[at(Count.PAIN, i)]
        record[Recorded.ACTIVITY, i] = counted[at(Count.ACTIVITY, i)]
        record[Recorded.STRENGTH, i] = counted[at(Count.STRENGTH, i)]
        record[Recorded.FUNCTION, i] = counted[at(Count.FUNCTION, i)]
        record[Recorded.DOSE, i] = mine[at(Own.DOSE, i)]
        record[Recorded.MME, i] = counted[at(Count.MME, i)]
        record[Recorded.SESSIONS, i] = counted[at(Count.SESSIONS, i)]
        record[Recorded.TAPERED, i] = 1.0 if now <= mine[at(Own.RISK_UNTIL, i)] else 0.0


@compiled_loop
def _enter(
    now: float, arrivals: np.ndarray, start: int, counted: np.ndarray, mine: np.ndarray, sums: np.ndarray, present: np.ndarray,
    first_arm: bool, records: np.ndarray,
) -> None:  # fmt: skip
    """Add a block's week to its calendar weeks: patients side by side who arrived together share one."""
    low, there = 0, arrivals.shape[0]
    while low < there:
        high = there if arrivals[low] == arrivals[there - 1] else low + 1
        while high < there and arrivals[high] == arrivals[low]:
            high += 1
        place = arrivals[low] + int(now)
        if 0 <= place < sums.shape[1]:
            _add(counted, low, high, sums, place)
            if first_arm:
                present[place] += high - low
            if records.shape[0] > 0:
                _keep(counted, mine, now, low, high, records[0, place, :, start : start + there])
        low = high


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
    counted = np.empty(_COUNTED, dtype=np.float32)
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
                prescribing.prescribe(t, count, chances, shared_desk, desk, condition, people, plan, p)
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
                _enter(now, arrivals[start : start + there], start, counted, mine, sums[arm], present, arm == 0, records[arm : arm + 1])
                week.move(now, shared, mine, people, p)
                week.adapt(shared, mine, counted, p)
