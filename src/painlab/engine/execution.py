"""Blocks of patients and parameter draws over threads; the result does not depend on how they are cut."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple

import numpy as np

from painlab import catalog, parameters, population
from painlab.care import TreatmentField
from painlab.catalog import Condition
from painlab.engine.cohort import follow_block, simulate_block
from painlab.numerics import FIXED_POINT
from painlab.outcomes import OUTCOMES, Recorded
from painlab.plan import CarePlan
from painlab.scenario import Scenario

BLOCK_PATIENTS = 2000
Progress = Callable[[int, int], None]


class Cancelled(Exception):
    """The caller asked for the run to end; there is no result."""


class Sums(NamedTuple):
    """Weekly means of every draw.

    means: shape (draws, 2 arms, outcomes, weeks + 1), baseline first, in patients' units; present: patients by draw and week.
    """

    means: np.ndarray
    present: np.ndarray


Values = Mapping[str, float]


class Inputs(NamedTuple):
    """What a set of parameter values makes of a population: scalar parameters, the condition, and treatments' rows.

    rows: shape (treatments, len(TreatmentField)).
    """

    p: parameters.Parameters
    condition: Condition
    rows: np.ndarray


def inputs_of(people: population.Population, values: Values, cut: tuple[str, ...] = ()) -> Inputs:
    """Inputs of compiled code for a population under a set of parameter values, with the named links cut."""
    condition = population.patients_condition(people, values)
    rows = np.array([one.row(values, condition.exercise_response) for one in catalog.treatments().values()])
    assert rows.shape[1] == len(TreatmentField)
    return Inputs(parameters.cut_links(parameters.scalars(values), cut), condition, rows)


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
) -> np.ndarray:
    """Follow a closed cohort's patients first ... first + patients - 1 one by one, under one plan and one set of parameter values.

    Returns each patient's own weeks, shape (patients, weeks + 1, len(Recorded)).
    """
    records = np.zeros((patients, weeks + 1, len(Recorded)))
    one = inputs_of(people, values, cut)
    mix, goals = population.mix(people), population.goal_thresholds(people)
    follow_block(seed, first, weeks, one.condition, mix, goals, one.p, one.rows, plan.engine_orders(), plan.engine_plan(), records)
    return records


def run(
    scenario: Scenario,
    values: Sequence[Values],
    *,
    patients: int,
    seed: int,
    weeks: int,
    cut: tuple[str, ...] = (),
    threads: int | None = None,
    block: int = BLOCK_PATIENTS,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sums:
    """Run both arms on the same patients and random numbers, once for each set of parameter values; set d has patients d x patients onward.

    Raises Cancelled when `cancelled()` is true between blocks.
    """
    draws = len(values)
    people = population.mix(scenario.population)
    goals = population.goal_thresholds(scenario.population)
    arrivals = scenario.population.arrivals
    follow_up = arrivals.follow_up_weeks if arrivals else -1
    baseline, changed = scenario.baseline_plan(), scenario.care
    arms = [(baseline.engine_orders(), baseline.engine_plan()), (changed.engine_orders(), changed.engine_plan())]
    inputs = [inputs_of(scenario.population, one, cut) for one in values]
    totals = np.zeros((draws, len(arms), len(OUTCOMES), weeks + 1), dtype=np.int64)
    present = np.zeros((draws, len(arms), weeks + 1), dtype=np.int64)

    def work(draw: int, arm: int, start: int) -> tuple[int, int, np.ndarray, np.ndarray]:
        part, there = np.zeros_like(totals[0, 0]), np.zeros_like(present[0, 0])
        if cancelled and cancelled():  # asked once and for all: a later "no" must not pass half of the patients off as a result
            raise Cancelled
        p, condition, rows = inputs[draw]
        orders, plan = arms[arm]
        count = min(block, patients - start)
        first = draw * patients + start
        simulate_block(seed, first, count, weeks, follow_up, condition, people, goals, p, rows, orders, plan, *arms[0], part, there)
        return draw, arm, part, there

    jobs = [(draw, arm, start) for draw in range(draws) for start in range(0, patients, block) for arm in range(len(arms))]
    with ThreadPoolExecutor(threads or min(len(jobs), os.cpu_count() or 1)) as pool:
        try:
            for done, future in enumerate(as_completed([pool.submit(work, *job) for job in jobs]), start=1):
                draw, arm, part, there = future.result()
                totals[draw, arm] += part
                present[draw, arm] += there
                if progress:
                    progress(done, len(jobs))
        except BaseException:  # an interrupt should not wait for the blocks that have not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if cancelled and cancelled():
        raise Cancelled
    return Sums(totals / FIXED_POINT / np.maximum(present, 1)[:, :, None, :], present[:, 0])
