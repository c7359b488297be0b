"""The engine's algorithm in C (c/kernel.c), compiled when first asked for: the limit of what this machine gives it.

It draws the engine's own random numbers, so that its means are ours but for rounding.
"""

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from painlab import catalog, parameters, population
from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.outcomes import OUTCOMES, Count
from painlab.parameters import Parameters
from painlab.population import Mix
from painlab.scenario import Scenario

LANES: Final = 256
# Beyond -O3 -march=native: leave to gcc to choose minimum and maximum, and keep it from jumping where it can choose between values.
FLAGS: Final = (
    *("-std=gnu11", "-shared", "-fPIC", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffinite-math-only"),
    *("-fno-signed-zeros", "-fno-tree-pre", "-fno-thread-jumps", "-fno-tree-sink"),
)
# Names that C would otherwise have twice.
_ROW_NAMES: Final = {"REFERRAL": "NEEDS_REFERRAL", "COST": "TREATMENT_COST"}
_ORDER_NAMES: Final = {"SESSIONS": "SESSIONS_A_WEEK"}
STEPS: Final = (
    *("arrivals", "random numbers for all", "signal, noise and flares", "relief by treatments", "pain", "visits"),
    *("bringing together for prescribing", "random numbers for prescribing", "prescribing", "sessions and their effects"),
    *("outcomes", "sums", "body moves on"),
)
"""What kernel.c times when it is asked for a profile, in its order."""
_ROOM: Final = 2.0**31 / LANES / 2.0


def simulate(scenario: Scenario, values: Mapping[str, float], patients: int, seed: int, weeks: int) -> np.ndarray:
    """Weekly means of both arms, shape (2, outcomes, weeks + 1). Raises RuntimeError saying why where C cannot be compiled."""
    return _run(_compiled(), scenario, values, patients, seed, weeks)


def profile(scenario: Scenario, values: Mapping[str, float], patients: int, weeks: int) -> dict[str, float]:
    """Nanoseconds a patient-week by step. Reading the clock adds a little to each. Raises as `simulate`."""
    library = _compiled("-DPROFILE")
    spent = (ctypes.c_double * len(STEPS)).in_dll(library, "profile")
    spent[:] = [0.0] * len(STEPS)
    _run(library, scenario, values, patients, 1, weeks)
    return {step: taken / (2 * patients * (weeks + 1)) for step, taken in zip(STEPS, spent, strict=True)}


def _run(library: ctypes.CDLL, scenario: Scenario, values: Mapping[str, float], patients: int, seed: int, weeks: int) -> np.ndarray:
    condition, people = population.patients_condition(scenario.population, values), population.mix(scenario.population)
    plans = [scenario.baseline_plan(), scenario.care]
    most = np.array([one.most for one in OUTCOMES], dtype=np.float32)
    scales = (2.0 ** np.floor(np.log2(_ROOM / most.astype(float)))).astype(np.float32)
    goals = _single(population.goal_thresholds(scenario.population))
    sums = np.zeros((2, len(OUTCOMES), weeks + 1), dtype=np.int64)
    given = [
        _single(parameters.scalars(values)),
        _single(condition),
        _single(people),
        goals,
        ctypes.c_int(len(goals)),
        _single([one.row(values, condition.exercise_response) for one in catalog.treatments().values()]),
        _single([plan.engine_orders() for plan in plans]),
        _single([plan.engine_plan() for plan in plans]),
        most,
        scales,
        sums,
    ]
    handed = [one if not isinstance(one, np.ndarray) else one.ctypes.data_as(ctypes.c_void_p) for one in given]
    if library.simulate(ctypes.c_uint64(seed), ctypes.c_int64(patients), ctypes.c_int(weeks), *handed):
        raise MemoryError("kernel.c found no memory")
    return sums / scales[:, None].astype(float) / patients


def _single(numbers: object) -> np.ndarray:
    return np.ascontiguousarray(numbers, dtype=np.float32)


@cache
def _compiled(*extra: str) -> ctypes.CDLL:
    compiler = shutil.which("gcc")
    if not compiler:
        raise RuntimeError("there is no gcc on the path")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:  # a loaded library stays on Windows
        folder = Path(name)
        (folder / "model.h").write_text(header(), encoding="utf-8")
        target = folder / "kernel.so"
        source = Path(__file__).parent / "c" / "kernel.c"
        command = [compiler, *FLAGS, *extra, f"-DLANES={LANES}", "-I", name, str(source), "-o", str(target), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"gcc did not compile kernel.c: {done.stderr.strip().splitlines()[-1]}")
        return ctypes.CDLL(str(target))


def header() -> str:
    """PainLab's records and enums by their names, for kernel.c."""
    lines = ["/* written by with_c.py */"]
    for record in (Parameters, Plan, Condition, Mix):
        lines.append(f"typedef struct {{ float {', '.join(record._fields)}; }} {record.__name__};")
    for fields, names in ((Count, {}), (TreatmentField, _ROW_NAMES), (OrderField, _ORDER_NAMES)):
        lines.append(f"enum {{ {', '.join(f'{names.get(one.name, one.name)} = {one.value}' for one in fields)} }};")
    counts = {"ARMS": 2, "OUTCOMES": len(OUTCOMES), "TREATMENTS": len(catalog.treatments())}
    counts |= {"ROW_FIELDS": len(TreatmentField), "ORDER_FIELDS": len(OrderField)}
    return "\n".join([*lines, *(f"#define {name} {value}" for name, value in counts.items())]) + "\n"
