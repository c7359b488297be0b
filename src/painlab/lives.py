"""One and the same patient many times: how far chance alone carries lives apart that begin alike."""

from typing import Final

import numpy as np
import polars as pl

from painlab import parameters
from painlab.engine import execution
from painlab.outcomes import Recorded
from painlab.scenario import Scenario

LIVES: Final = 200
_LEVELS: Final = {"mme": (Recorded.MME, 1.0), "pain": (Recorded.PAIN, 1.0), "function": (Recorded.FUNCTION, 100.0)}


def lives(scenario: Scenario, *, arm: str = "scenario", number: int = LIVES, seed: int = 1, weeks: int | None = None) -> pl.DataFrame:
    """Live the typical patient of a scenario's population many times, under one plan, with the central parameter values.

    Parameters
    ----------
    arm
        `scenario` or `baseline`; the same life has the same draws in both.
    number
        How often.

    Returns
    -------
    Frame with columns life (from 0), week (0 ... weeks), mme (MME/day taken), pain (0-10) and function (0-100).
    """
    horizon = scenario.weeks if weeks is None else weeks
    values, cut = scenario.assumed(parameters.values())
    plan = scenario.baseline_plan() if arm == "baseline" else scenario.care
    found = execution.follow(scenario.population, plan, values, first=0, patients=number, seed=seed, weeks=horizon, cut=cut, alike=True)
    life, week = np.meshgrid(np.arange(number, dtype=np.int32), np.arange(horizon + 1, dtype=np.int32), indexing="ij")
    levels = {name: scale * found[:, :, place].astype(float).ravel() for name, (place, scale) in _LEVELS.items()}
    return pl.DataFrame({"life": life.ravel(), "week": week.ravel(), **levels})
