"""Who runs: the shipped engine on one and two threads, and the peers, each as a call that takes a number of patients."""

import importlib
from collections.abc import Callable
from typing import Final, NamedTuple

from painlab import parameters
from painlab.engine import execution
from painlab.scenario import Scenario

Run = Callable[[int], object]

LABELS: Final = {
    "engine_2": "PainLab, two threads",
    "engine_1": "PainLab, one thread",
    "c": "C, one thread",
    "numpy": "NumPy",
    "starsim": "Starsim",
    "mesa": "Mesa",
    "simpy": "SimPy",
}
PEERS: Final = tuple(name for name in LABELS if not name.startswith("engine"))
BY_SIZE: Final = ("numpy", "starsim")
"""Peers whose speed depends much on the number of patients: they also run at the size of an interactive call."""
PACKAGES: Final = ("painlab", "numba", "numpy", "starsim", "mesa", "simpy")


class Sizes(NamedTuple):
    """How much is run. Each peer has the size at which it is at its best, or one that ends in reasonable time."""

    peers: dict[str, int]
    natural: int  # the engine's own
    rounds: int
    least_seconds: float  # of one timing; a short run is repeated until then
    interactive: tuple[int, int]  # patients, repetitions
    draws: tuple[int, int, int]  # draws, patients, repetitions
    scale: tuple[int, ...]
    replicates: tuple[int, int]  # replicates, patients


FULL: Final = Sizes(
    peers={"c": 100_000, "numpy": 20_000, "starsim": 100_000, "mesa": 1_000, "simpy": 1_000},
    natural=100_000,
    rounds=5,
    least_seconds=0.4,
    interactive=(10_000, 30),
    draws=(300, 2_000, 3),
    scale=(10_000, 100_000, 1_000_000, 10_000_000),
    replicates=(200, 200),
)
QUICK: Final = Sizes(
    peers=dict.fromkeys(PEERS, 60),
    natural=200,
    rounds=1,
    least_seconds=0.0,
    interactive=(100, 2),
    draws=(3, 20, 1),
    scale=(100, 1_000),
    replicates=(20, 20),
)


def engine(scenario: Scenario, weeks: int, threads: int) -> Run:
    """The shipped engine on so many threads."""
    central = parameters.values()
    return lambda patients: execution.run(scenario, [central], patients=patients, seed=1, weeks=weeks, threads=threads)


def peer(name: str, scenario: Scenario, weeks: int) -> Run:
    """A peer. Raises ImportError if it is not installed, or RuntimeError saying what it lacks."""
    module = importlib.import_module(f"benchmarks.peers.with_{name}")
    central = dict(parameters.values())
    return lambda patients: module.simulate(scenario, central, patients, 1, weeks)
