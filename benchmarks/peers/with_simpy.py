"""The model in SimPy: a process for each patient, which waits a week between two weeks of its life."""

import random
from collections.abc import Generator, Mapping

import numpy as np
import simpy

from benchmarks.peers.inputs import OUTCOME_COUNT, Arm, arms_of
from benchmarks.peers.patient import Patient
from painlab.scenario import Scenario


def simulate(scenario: Scenario, values: Mapping[str, float], patients: int, seed: int, weeks: int) -> np.ndarray:
    """Weekly means of both arms, shape (2, outcomes, weeks + 1)."""
    return np.array([_run(arm, patients, random.Random(f"{seed} {number}"), weeks) for number, arm in enumerate(arms_of(scenario, values))])


def _run(arm: Arm, patients: int, source: random.Random, weeks: int) -> np.ndarray:
    chance = source.random
    totals = [[0.0] * OUTCOME_COUNT for _ in range(weeks + 1)]

    def draw(decision: str, week: int, treatment: int) -> float:
        return chance()

    def life(env: simpy.Environment, patient: Patient) -> Generator[simpy.Event, None, None]:
        while True:
            patient.live()
            total = totals[int(env.now)]
            for place, count in enumerate(patient.counts):
                total[place] += count
            yield env.timeout(1)

    env = simpy.Environment()
    for _ in range(patients):
        env.process(life(env, Patient(arm, draw)))
    env.run(until=weeks + 0.5)
    return np.array(totals).T / patients
