"""Time and memory by the number of patients, in a process of its own: `python -m benchmarks.scale SCENARIO WEEKS SIZE...` prints JSON."""

import json
import sys
import time
from pathlib import Path

from painlab import parameters
from painlab.engine import execution
from painlab.scenario import Scenario


def peak_mb() -> float | None:
    """Most memory that this process has held so far, in MB; None where the system does not say."""
    told = Path("/proc/self/status")
    if told.is_file():  # `resource` would count what the parent held when it started this process
        lines = told.read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def measure(scenario: Scenario, weeks: int, sizes: list[int]) -> dict[str, object]:
    """Seconds and peak memory of a run of both arms, by size in rising order; `base_mb` is the peak before, with the model loaded."""
    central = parameters.values()
    execution.run(scenario, [central], patients=2, seed=1, weeks=weeks)
    base = peak_mb()
    rows = []
    for patients in sizes:
        seconds = []
        for _ in range(1 if patients > 1_000_000 else 3):
            start = time.perf_counter()
            execution.run(scenario, [central], patients=patients, seed=1, weeks=weeks)
            seconds.append(time.perf_counter() - start)
        rows.append({"patients": patients, "seconds": min(seconds), "peak_mb": peak_mb()})
    return {"base_mb": base, "sizes": rows}


if __name__ == "__main__":
    print(json.dumps(measure(Scenario.load(sys.argv[1]), int(sys.argv[2]), [int(text) for text in sys.argv[3:]])))
