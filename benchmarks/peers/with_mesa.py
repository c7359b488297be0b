"""The model in Mesa: an agent for each patient, activated each week; the model's totals go to a DataCollector."""

from collections.abc import Mapping

import mesa
import numpy as np

from benchmarks.peers.inputs import OUTCOME_COUNT, Arm, arms_of
from benchmarks.peers.patient import Patient
from painlab.outcomes import OUTCOMES
from painlab.scenario import Scenario


class PatientAgent(mesa.Agent):
    """A patient who adds each week to the cohort's totals."""

    def __init__(self, model: "Cohort") -> None:
        super().__init__(model)
        chance = model.random.random

        def draw(decision: str, week: int, treatment: int) -> float:
            return chance()

        self.patient = Patient(model.arm, draw)

    def step(self) -> None:
        """Live a week."""
        self.patient.live()
        totals = self.model.totals
        for place, count in enumerate(self.patient.counts):
            totals[place] += count


class Cohort(mesa.Model):
    """The patients of one arm. They do not meet, so that their order in a week does not matter and is not shuffled."""

    def __init__(self, arm: Arm, patients: int, seed: int) -> None:
        super().__init__(seed=seed)
        self.arm = arm
        self.totals = [0.0] * OUTCOME_COUNT
        self.datacollector = mesa.DataCollector(
            model_reporters={one.name: [self._mean, [place, patients]] for place, one in enumerate(OUTCOMES)}
        )
        PatientAgent.create_agents(self, patients)

    def _mean(self, place: int, patients: int) -> float:
        return self.totals[place] / patients

    def step(self) -> None:
        """One week of all patients."""
        self.totals = [0.0] * OUTCOME_COUNT
        self.agents.do("step")
        self.datacollector.collect(self)


def simulate(scenario: Scenario, values: Mapping[str, float], patients: int, seed: int, weeks: int) -> np.ndarray:
    """Weekly means of both arms, shape (2, outcomes, weeks + 1)."""
    means = []
    for number, arm in enumerate(arms_of(scenario, values)):
        model = Cohort(arm, patients, 2 * seed + number)
        for _ in range(weeks + 1):
            model.step()
        means.append(model.datacollector.get_model_vars_dataframe()[[one.name for one in OUTCOMES]].to_numpy().T)
    return np.array(means)
