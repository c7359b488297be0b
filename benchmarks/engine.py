"""Measure the engine beside its peers and write the results: `python -m benchmarks.engine`, or `make bench`.

Writes engine.json, engine.md (the table it prints) and engine.svg. README.md says what is measured and how.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final

# One thread for each peer, before NumPy is loaded. (None of them multiplies matrices; this makes sure.)
os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))

import numpy as np

from benchmarks import contenders, machine, report
from benchmarks.contenders import BY_SIZE, FULL, LABELS, PEERS, QUICK, Sizes
from painlab import parameters
from painlab.engine import execution
from painlab.outcomes import Count
from painlab.scenario import Scenario

ROOT: Final = Path(__file__).parents[1]
WEEKS: Final = 104
ARMS: Final = 2
WATCHED: Final = {"mme": Count.MME, "pain": Count.PAIN, "function": Count.FUNCTION}
WATCHED_WEEK: Final = 52

Say = Callable[[str], None]


def seconds(call: Callable[[], object], least: float = 0.0) -> float:
    """Median time of a call, repeated until `least` seconds have passed."""
    times: list[float] = []
    while not times or sum(times) < least:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return median(times)


def speeds(scenario: Scenario, weeks: int, sizes: Sizes, say: Say) -> dict[str, Any]:
    """Patient-weeks per second of all who can run, in interleaved rounds; the engine at its own size and at each peer's.

    `rounds` has one row a round with `name@patients`; `missing` says who could not run, and why.
    """
    runs = {"engine_1": contenders.engine(scenario, weeks, 1), "engine_2": contenders.engine(scenario, weeks, 2)}
    missing: dict[str, str] = {}
    for name in PEERS:
        say(f"loading {LABELS[name]}")
        try:
            runs[name] = contenders.peer(name, scenario, weeks)
            runs[name](20)
        except (ImportError, RuntimeError) as reason:
            runs.pop(name, None)
            missing[name] = str(reason)
            say(f"{LABELS[name]} is left out: {reason}")
    for name in ("engine_1", "engine_2"):
        runs[name](20)
    peers = [(name, sizes.peers[name]) for name in PEERS if name in runs]
    peers += [(name, sizes.interactive[0]) for name in BY_SIZE if name in runs]
    at = dict.fromkeys([sizes.natural, *(size for _, size in peers)])
    plan = [*((name, size) for size in at for name in ("engine_1", "engine_2")), *peers]
    rounds: list[dict[str, float]] = []
    for number in range(sizes.rounds):
        rounds.append({})
        for name, patients in plan:
            took = seconds(lambda name=name, patients=patients: runs[name](patients), sizes.least_seconds)
            rounds[-1][f"{name}@{patients}"] = speed = ARMS * patients * (weeks + 1) / took
            who = f"round {number + 1} of {sizes.rounds}: {LABELS[name]}, {patients:,} patients"
            say(f"{who}: {speed / 1e6:,.3f} million patient-weeks a second")
    return {"rounds": rounds, "missing": missing}


def profiled(scenario: Scenario, weeks: int, sizes: Sizes) -> dict[str, float] | None:
    """Nanoseconds a patient-week by step of the algorithm, from its version in C; None without a compiler."""
    from benchmarks.peers import with_c

    try:
        return with_c.profile(scenario, parameters.values(), sizes.natural, weeks)
    except RuntimeError:
        return None


def ratios(rounds: list[dict[str, float]], missing: dict[str, str], sizes: dict[str, int]) -> dict[str, float | None]:
    """How many times a peer's speed the engine's is at the same size, by peer: the median over rounds."""

    def ratio(threads: int, name: str) -> float | None:
        if name in missing:
            return None
        size = sizes[name]
        return median(one[f"engine_{threads}@{size}"] / one[f"{name}@{size}"] for one in rounds)

    found = {"numpy_1_thread": ratio(1, "numpy"), "numpy_2_threads": ratio(2, "numpy")}
    return found | {name: ratio(1, name) for name in sizes if name != "numpy"}


def alone(module: str, *arguments: object) -> Any:
    """What a module of the benchmarks prints as JSON in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def projections(scenario: str, weeks: int, sizes: Sizes) -> dict[str, list[float]]:
    """Times from the call of `simulate` to the weekly frame, warm (see `benchmarks.calls`)."""
    draws, patients, repetitions = sizes.draws
    found: dict[str, list[float]] = alone("calls", scenario, weeks, *sizes.interactive, draws, patients, repetitions)
    return found


def scale(scenario: str, weeks: int, sizes: Sizes) -> dict[str, Any]:
    """Time and memory by number of patients, from a process of its own, and the slope of log time on log patients."""
    found: dict[str, Any] = alone("scale", scenario, weeks, *sizes.scale)
    patients, took = zip(*((one["patients"], one["seconds"]) for one in found["sizes"]), strict=True)
    slope = float(np.polyfit(np.log(patients), np.log(took), 1)[0])
    return found | {"slope": slope}


def variance_reduction(scenario: Scenario, weeks: int, sizes: Sizes) -> dict[str, float]:
    """Variance of the scenario's difference from the baseline with independent seeds, divided by that with common random numbers."""
    replicates, patients = sizes.replicates
    week = min(WATCHED_WEEK, weeks)
    same, other = (
        execution.run(scenario, [parameters.values()] * replicates, patients=patients, seed=seed, weeks=weeks).means for seed in (1, 2)
    )
    common = same[:, 1, :, week] - same[:, 0, :, week]
    independent = other[:, 1, :, week] - same[:, 0, :, week]
    return {name: float(independent[:, place].var(ddof=1) / common[:, place].var(ddof=1)) for name, place in WATCHED.items()}


def measure(sizes: Sizes, weeks: int, say: Say) -> dict[str, Any]:
    """Everything that engine.json holds."""
    scenario = Scenario.load("early-pt")
    state = machine.described()
    compared = speeds(scenario, weeks, sizes, say)
    say(f"calls of simulate() in a process of their own: {sizes.interactive[0]:,} patients; {sizes.draws[0]} draws of {sizes.draws[1]:,}")
    called = projections(scenario.name, weeks, sizes)
    say(f"{sizes.scale[0]:,} to {sizes.scale[-1]:,} patients in a process of their own")
    scaled = scale(scenario.name, weeks, sizes)
    say("steps of the algorithm")
    steps = profiled(scenario, weeks, sizes)
    say("common random numbers")
    reduction = variance_reduction(scenario, weeks, sizes)
    medians = {key: median(one[key] for one in compared["rounds"]) for key in compared["rounds"][0]}
    return {
        "ratio": ratios(compared["rounds"], compared["missing"], sizes.peers),
        "ratio_at_interactive_size": ratios(compared["rounds"], compared["missing"], dict.fromkeys(BY_SIZE, sizes.interactive[0])),
        "interactive_ms": 1000.0 * median(called["lever"]),
        "interactive_both_arms_ms": 1000.0 * median(called["both"]),
        "psa_s": median(called["draws"]),
        "peak_mb_1e7": scaled["sizes"][-1]["peak_mb"],
        "slope": scaled["slope"],
        "crn_variance_reduction": reduction,
        "patient_weeks_per_second": medians,
        "nanoseconds_per_patient_week": {key: 1e9 / speed for key, speed in medians.items()},
        "missing": compared["missing"],
        "profile_c_ns": steps,
        "scale": scaled,
        "raw": {
            "rounds": compared["rounds"],
            "interactive_s": called["lever"],
            "interactive_both_arms_s": called["both"],
            "psa_s": called["draws"],
        },
        "sizes": sizes._asdict(),
        "scenario": scenario.name,
        "weeks": weeks,
        "quick": sizes is QUICK,
        "machine": state | {"load_after": machine.load()},
        "versions": machine.versions(contenders.PACKAGES),
    }


def progress() -> Say:
    """Print a line with the minutes since the start."""
    start = time.perf_counter()

    def say(line: str) -> None:
        print(f"{(time.perf_counter() - start) / 60:5.1f} min  {line}", file=sys.stderr, flush=True)

    return say


def outputs(out: Path | None, quick: bool) -> Iterator[Path]:
    """Folders of the results and of the chart. A trial run leaves the real results alone."""
    if out is None and not quick:
        yield ROOT / "benchmarks" / "results"
        yield ROOT / "docs" / "pictures"
    else:
        folder = out or ROOT / "out" / "bench"
        yield folder
        yield folder


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description="Measure the engine beside its peers.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works; the figures mean nothing")
    parser.add_argument("--out", type=Path, help="folder for engine.json, engine.md and engine.svg")
    given = parser.parse_args(arguments)
    folder, pictures = outputs(given.out, given.quick)
    results = measure(QUICK if given.quick else FULL, 20 if given.quick else WEEKS, progress())
    for place in (folder, pictures):
        place.mkdir(parents=True, exist_ok=True)
    table = report.table(results)
    (folder / "engine.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (folder / "engine.md").write_text(table, encoding="utf-8")
    report.draw(results, pictures / "engine.svg")
    print(table)


if __name__ == "__main__":
    main()
