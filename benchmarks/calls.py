"""Times from the call of `simulate` to the weekly frame, in a process of its own, as a user's kernel has them.

`python -m benchmarks.calls SCENARIO WEEKS PATIENTS DRAWS REPETITIONS ...` takes sizes in threes; prints a list of seconds for each as JSON.
"""

import json
import sys
import time

import painlab
from painlab.scenario import Scenario


def measure(scenario: Scenario, weeks: int, sizes: list[tuple[int, int, int]]) -> list[list[float]]:
    """Seconds of each warm call, for each (patients, draws, repetitions)."""
    found = []
    for patients, draws, repetitions in sizes:
        seconds = []
        for _ in range(repetitions + 1):
            start = time.perf_counter()
            _ = painlab.simulate(scenario, patients=patients, draws=draws, weeks=weeks).weekly
            seconds.append(time.perf_counter() - start)
        found.append(seconds[1:])  # the first call loads code
    return found


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[3:]]
    threes = list(zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True))
    print(json.dumps(measure(Scenario.load(sys.argv[1]), int(sys.argv[2]), threes)))
