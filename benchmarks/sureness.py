"""Times of the analyses that say how sure an answer is, at their defaults, and how well their numbers repeat.

`python -m benchmarks.sureness [--quick] [--out FILE]` prints a table and writes JSON. Measure on an idle machine; the first call of each
kind loads what it imports (SALib takes about three seconds) and is timed apart.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import machine
from painlab.analysis import learning, one_at_a_time, probabilistic, separated, turning_points, variance_shares
from painlab.analysis.decision import Decision, Worth

SCENARIO = "early-pt"
SMALL = {
    "sensitivity": {"draws": 60, "patients": 200},
    "tornado": {"patients": 512},
    "sobol": {"outcome": "pain", "sets": 300, "patients": 400},
    "spread": {"draws": 20, "patients": 200, "lived": 256},
    "flips": {"patients": 256},
    "value_of_information": {"draws": 100, "patients": 200},
}


def questions(quick: bool) -> dict[str, Callable[[int], Any]]:
    """Each analysis as a function of its seed."""
    sizes: dict[str, dict[str, Any]] = SMALL if quick else {name: {} for name in SMALL}
    decision = Decision([SCENARIO, "late-pt"], Worth(pain=70.0, function=2.0))
    return {
        "sensitivity": lambda seed: probabilistic.sensitivity(SCENARIO, seed=seed, **sizes["sensitivity"]),
        "tornado": lambda seed: one_at_a_time.tornado(SCENARIO, seed=seed, **sizes["tornado"]),
        "sobol": lambda seed: variance_shares.sobol(SCENARIO, seed=seed, **sizes["sobol"]),
        "spread": lambda seed: separated.spread(SCENARIO, seed=seed, **sizes["spread"]),
        "flips": lambda seed: turning_points.flips(decision=decision, seed=seed, **sizes["flips"]),
        "value_of_information": lambda seed: learning.value_of_information(decision, seed=seed, **sizes["value_of_information"]),
    }


def measure(quick: bool, seeds: int) -> dict[str, Any]:
    """Seconds of the first and of later calls, and what repeats: the foretold share of Sobol's emulator and the perfect information."""
    found: dict[str, Any] = {
        "machine": machine.described(),
        "versions": machine.versions(("painlab", "SALib", "numpy", "scipy")),
        "rows": [],
    }
    for name, ask in questions(quick).items():
        seconds, told = [], []
        for seed in range(1, seeds + 2):
            start = time.perf_counter()
            result = ask(seed)
            seconds.append(time.perf_counter() - start)
            told.append(_told(result))
        found["rows"].append({"analysis": name, "first_s": seconds[0], "later_s": seconds[1:], "told": told})
    return found


def _told(result: Any) -> dict[str, float]:
    """One figure or two of a result, whose scatter over seeds shows how well it repeats."""
    if isinstance(result, variance_shares.VarianceShares):
        return {"foretold": float(result.foretold["share"][0]), "largest_total": float(result.table["total"][0])}
    if isinstance(result, learning.ValueOfInformation):
        return {"perfect": result.perfect, "standard_error": result.standard_error}
    if isinstance(result, one_at_a_time.Tornado):
        return {"largest_swing": float(result.table["swing"][0]), "standard_error": float(result.table["standard_error"][0])}
    if isinstance(result, separated.Separated):
        return {name: result.deviation("mme_per_1000", name) for name in separated.SOURCES}
    if isinstance(result, turning_points.TurningPoints):
        return {"flips": float(result.found.height), "margin": result.margin}
    return {"by_parameters": float(result.summary["by_parameters"][0])}


def main() -> None:
    """Measure, print and write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    asked.add_argument("--seeds", type=int, default=2, help="calls after the first")
    asked.add_argument("--out", type=Path, help="JSON file to write")
    given = asked.parse_args()
    found = measure(given.quick, given.seeds)
    for row in found["rows"]:
        later = sorted(row["later_s"])[len(row["later_s"]) // 2]
        print(f"{row['analysis']:22} first {row['first_s']:6.1f} s, later {later:6.1f} s  {row['told']}")
    if given.out:
        given.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
