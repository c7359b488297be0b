"""Blocks of patients and parameter draws over threads; the result does not depend on how they are cut."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import NamedTuple

import numpy as np

from painlab import catalog, parameters, population
from painlab.care import TreatmentField
from painlab.engine.cohort import simulate_block
from painlab.numerics import FIXED_POINT
from painlab.outcomes import OUTCOMES
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


def _draw_inputs(scenario: Scenario, draw: int | None, seed: int, cut: tuple[str, ...]) -> tuple[parameters.Parameters, np.ndarray]:
    """Scalar parameters and treatments' rows, shape (treatments, len(TreatmentField)), of one draw; None is the central set."""
    values = parameters.values(draw, seed)
    exercise_response = catalog.conditions()[scenario.population.condition].exercise_response
    rows = np.array([one.row(values, exercise_response) for one in catalog.treatments().values()])
    assert rows.shape[1] == len(TreatmentField)
    return parameters.cut_links(parameters.scalars(values), cut), rows


def run(
    scenario: Scenario,
    *,
    patients: int,
    draws: int,
    seed: int,
    weeks: int,
    cut: tuple[str, ...] = (),
    threads: int | None = None,
    block: int = BLOCK_PATIENTS,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sums:
    """Run both arms on the same patients and random numbers; draw d holds patients d x patients onward.

    One draw uses the central parameter values, more draws use the prior's. Raises Cancelled when `cancelled()` is true between blocks.
    """
    condition = catalog.conditions()[scenario.population.condition]
    people = population.mix(scenario.population)
    goals = population.goal_thresholds(scenario.population)
    arrivals = scenario.population.arrivals
    follow_up = arrivals.follow_up_weeks if arrivals else -1
    baseline, changed = scenario.baseline_plan(), scenario.care
    arms = [(baseline.engine_orders(), baseline.engine_plan()), (changed.engine_orders(), changed.engine_plan())]
    inputs = [_draw_inputs(scenario, None if draws == 1 else draw, seed, cut) for draw in range(draws)]
    totals = np.zeros((draws, len(arms), len(OUTCOMES), weeks + 1), dtype=np.int64)
    present = np.zeros((draws, len(arms), weeks + 1), dtype=np.int64)

    def work(draw: int, arm: int, start: int) -> tuple[int, int, np.ndarray, np.ndarray]:
        part, there = np.zeros_like(totals[0, 0]), np.zeros_like(present[0, 0])
        if cancelled and cancelled():  # asked once and for all: a later "no" must not pass half of the patients off as a result
            raise Cancelled
        p, rows = inputs[draw]
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
