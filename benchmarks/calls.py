"""Times from the call of `simulate` to the weekly frame, in a process of its own, as a user's kernel has them.

`python -m benchmarks.calls SCENARIO WEEKS PATIENTS REPETITIONS DRAWS PATIENTS REPETITIONS` prints lists of seconds as JSON.
"""

import json
import sys
import time
from collections.abc import Iterator

import painlab
from painlab.engine import execution
from painlab.scenario import Scenario


def moved(scenario: Scenario) -> Iterator[Scenario]:
    """The scenario with one of its levers at another place each time."""
    while True:
        for percent in range(100, 0, -1):
            yield scenario.change(care={"prescribing": {"opioid_start": percent / 100}})


def seconds(scenario: Scenario, patients: int, draws: int, weeks: int) -> float:
    """Time of one call."""
    start = time.perf_counter()
    _ = painlab.simulate(scenario, patients=patients, draws=draws, weeks=weeks).weekly
    return time.perf_counter() - start


def measure(scenario: Scenario, weeks: int, patients: int, calls: int, draws: int, each: int, runs: int) -> dict[str, list[float]]:
    """Warm calls: `lever`, each of another plan against the same baseline; `both`, both arms anew; `draws`, both arms of many draws."""
    found: dict[str, list[float]] = {"lever": [], "both": [], "draws": []}
    plans = moved(scenario)
    seconds(next(plans), patients, 1, weeks)  # the first call loads code
    for _ in range(calls):
        execution.forget()
        found["both"].append(seconds(next(plans), patients, 1, weeks))
        found["lever"].append(seconds(next(plans), patients, 1, weeks))
    for _ in range(runs):
        execution.forget()
        found["draws"].append(seconds(scenario, each, draws, weeks))
    return found


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[2:]]
    print(json.dumps(measure(Scenario.load(sys.argv[1]), *numbers)))
