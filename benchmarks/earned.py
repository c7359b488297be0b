"""Time and peak memory of what earned an effect: `python -m benchmarks.earned [--quick]` prints JSON.

Each question runs in a process of its own, warm (a tiny one is asked first), so that its peak memory is its own. `attribute_4` and
`attribute_8`: shares of four and of eight components (16 and 256 plans), 40 draws of 1,000 patients, 104 weeks. `frontier_2000`: the
frontier of 2,000 designed plans, 40 draws of 500 patients at the end; `survivors` are the plans of the last stage. `panel`: a clinic's
patients for every delay of therapy, 40 draws of 1,000; `solve_ms`: the queue for one number of slots on it, the median of seven;
`slots_s`: how many slots lower demand by five percent.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from benchmarks import machine
from benchmarks.scale import peak_mb

EIGHT = {
    "coordination": 0.7,
    "reassessment": {"interval_weeks": 8, "review": 0.5},
    "prescribing": {"dose_cap": 90.0},
    "taper": {"start_week": 13},
    "pain_psychology": {},
    "manual_therapy": {},
}


def attribution(components: int, patients: int, draws: int) -> dict[str, float]:
    """Seconds for the shares of four or eight components."""
    from painlab import Scenario
    from painlab.analysis.attribution import attribute

    care = dict(list(EIGHT.items())[: components - 2])
    asked = Scenario.load("pt-plus-injection").change(name="bundle", care=care)
    attribute(asked, patients=64, draws=1, weeks=4)
    start = time.perf_counter()
    found = attribute(asked, patients=patients, draws=draws)
    return {"seconds": time.perf_counter() - start, "components": len(found.components), "plans": 2 ** len(found.components)}


def frontier(plans: int, patients: int, draws: int) -> dict[str, float]:
    """Seconds for the frontier of so many designed plans."""
    from painlab.analysis.frontier import care_frontier

    care_frontier("pt-plus-injection", 4, patients=64, draws=1, weeks=4)
    start = time.perf_counter()
    found = care_frontier("pt-plus-injection", plans, patients=patients, draws=draws)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    found.choice_words({"cost": 1.0, "mme_per_1000": 1.0, "pain": 1.0, "function": 1.0})
    return {
        "seconds": seconds,
        "choice_ms": 1000 * (time.perf_counter() - start),
        "plans": found.table.height,
        "survivors": len(found.last),
        "on_frontier": found.on_frontier.height,
    }


def slots(patients: int, draws: int) -> dict[str, float]:
    """Seconds for a clinic's panel, milliseconds for one queue on it, and seconds for the number of slots."""
    from painlab.analysis.slot_target import slots_needed
    from painlab.analysis.slots import panel_of

    panel_of("clinic-early-pt", patients=64, draws=1, weeks=4)
    start = time.perf_counter()
    panel = panel_of("clinic-early-pt", patients=patients, draws=draws)
    made, solved = time.perf_counter() - start, []
    for _ in range(7):
        start = time.perf_counter()
        panel.solve((250.0, float("inf")))
        solved.append(1000 * (time.perf_counter() - start))
    start = time.perf_counter()
    slots_needed(panel, 5.0)
    return {"seconds": made, "solve_ms": statistics.median(solved), "slots_s": time.perf_counter() - start}


def questions(quick: bool) -> dict[str, Callable[[], dict[str, float]]]:
    """What is measured, by its name."""
    patients, draws, plans = (64, 2, 60) if quick else (1000, 40, 2000)
    return {
        "attribute_4": lambda: attribution(4, patients, draws),
        "attribute_8": lambda: attribution(8, patients, draws),
        "frontier_2000": lambda: frontier(plans, patients // 2, draws),
        "panel": lambda: slots(patients, draws),
    }


def main() -> None:
    """Print the figures as JSON; a question named on the command line runs here and alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    parser.add_argument("--only", choices=questions(True), help="one question, in this process")
    given = parser.parse_args()
    if given.only:
        print(json.dumps(questions(given.quick)[given.only]() | {"peak_mb": peak_mb()}))
        return
    about = machine.described()
    found = {}
    for name in questions(given.quick):
        command = [sys.executable, "-m", "benchmarks.earned", "--only", name, *(["--quick"] if given.quick else [])]
        found[name] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=machine.ROOT).stdout)
    print(json.dumps({"machine": about, "versions": machine.versions(("painlab", "numpy", "numba")), "results": found}, indent=2))


if __name__ == "__main__":
    main()
