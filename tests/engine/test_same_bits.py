"""The same integers however the work is cut, wherever it runs and whatever the width of the processor's registers, and as before.

`python tests/engine/test_same_bits.py renew "words of the entry in CHANGELOG.md that says why"` writes tests/baselines/engine.json anew.
"""

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llvmlite import binding

from painlab import parameters, population
from painlab.engine import cohort, execution
from painlab.engine.execution import Cohort, Part, Piece
from painlab.engine.layout import packed
from painlab.outcomes import OUTCOMES
from painlab.scenario import Scenario

ROOT = Path(__file__).parents[2]
BASELINE = ROOT / "tests" / "baselines" / "engine.json"
PATIENTS, SEED, WEEKS = 320, 1, 40  # a whole block and a part of one
SHOWN = (0, 1, 4, 13, 26, 40)  # weeks whose sums stand in the baseline; the others are in its digest
CASES = ("early-pt", "coordinated-care", "monitored-taper", "opioids-alone", "clinic-early-pt")
ARMS = ("baseline", "scenario")


def asked(name: str, draws: int = 1) -> list[Cohort]:
    """Cohorts of a shipped scenario with the prior's values: the central ones in the first."""
    values = [parameters.values(draw or None, SEED) for draw in range(draws)]
    return execution.cohorts(Scenario.load(name), values, patients=PATIENTS, seed=SEED, weeks=WEEKS)


@cache
def sums(name: str) -> Part:
    """Integer sums of both arms in one piece, here and in one thread."""
    return execution.simulate_piece(Piece(asked(name)[0], 0, PATIENTS))


def same(found: Part, expected: Part) -> bool:
    return np.array_equal(found.sums, expected.sums) and np.array_equal(found.present, expected.present)


# However it is cut


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("size", [1, 7, 64, 255, 256, 257, 1000])
def test_sums_do_not_depend_on_the_size_of_a_piece(name: str, size: int) -> None:
    [(_, found)] = execution.parts(asked(name), size=size, threads=2)
    assert same(found, sums(name))


@pytest.mark.parametrize("name", ["coordinated-care", "clinic-early-pt"])
@pytest.mark.parametrize("threads", [1, 2, 3, 8, None])
def test_sums_do_not_depend_on_the_number_of_threads(name: str, threads: int | None) -> None:
    whole = asked(name, draws=4)
    found = dict(execution.parts(whole, threads=threads))
    for draw, one in enumerate(whole):
        assert same(found[draw], execution.simulate_piece(Piece(one, 0, PATIENTS)))


@pytest.mark.parametrize("name", ["coordinated-care", "clinic-early-pt"])
def test_sums_do_not_depend_on_the_executor(name: str) -> None:
    whole = asked(name, draws=3)
    expected = dict(execution.parts(whole, threads=1))
    for executor in (ThreadPoolExecutor(2), ProcessPoolExecutor(2, mp_context=get_context("spawn"))):
        with executor:
            found = dict(execution.parts(whole, executor=executor, size=150))
        assert all(same(found[draw], expected[draw]) for draw in range(3)), type(executor).__name__


def test_a_closed_cohorts_patient_does_not_depend_on_how_many_there_are() -> None:
    """A larger run holds the smaller one: the sums of the first patients are the same integers."""
    few, many = (
        execution.cohorts(Scenario.load("coordinated-care"), [parameters.values()], patients=count, seed=SEED, weeks=WEEKS)[0]
        for count in (70, PATIENTS)
    )
    assert same(execution.simulate_piece(Piece(few, 0, 70)), execution.simulate_piece(Piece(many, 0, 70)))


# Wherever it runs


X86 = platform.machine().lower() in ("x86_64", "amd64")


def settings() -> dict[str, dict[str, str]]:
    """Settings of numba by the registers that they leave, of those that are narrower than this machine's own.

    NUMBA_ENABLE_AVX=0 is none of them: it leaves the feature fma, which brings AVX back.
    """
    narrower = {"SSE2": {"NUMBA_CPU_NAME": "generic"}}
    if X86 and binding.get_host_cpu_features().get("avx512f"):
        narrower["AVX2"] = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": ""}
    return narrower


@pytest.fixture(scope="module", params=settings())
def elsewhere(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `report` says in a process of its own, whose code is compiled anew (half a minute) for other registers."""
    if not X86:
        pytest.skip("the settings are those of x86 processors")
    environment = os.environ | settings()[request.param] | {"XDG_CACHE_HOME": str(tmp_path_factory.mktemp("compiled"))}
    command = [sys.executable, str(Path(__file__).resolve()), "report"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {"registers": request.param, **json.loads(done.stdout)}


def test_sums_do_not_depend_on_the_width_of_the_processors_registers(elsewhere: dict[str, Any]) -> None:
    too_wide = {"SSE2": ("ymm", "zmm"), "AVX2": ("zmm",)}[elsewhere["registers"]]
    assert elsewhere["used"]["xmm"] > 1000
    assert not any(elsewhere["used"][one] for one in too_wide)
    for name in CASES:
        assert elsewhere["sums"][name] == sums(name).sums.tolist(), name


def test_the_compiled_weeks_hold_no_double_precision(elsewhere: dict[str, Any]) -> None:
    """A single literal in double precision makes all that it meets double, and half as fast; nobody would notice."""
    assert elsewhere["double"] == {}


def function_named(head: str) -> str:
    """painlab.engine.week.feel from _ZN7painlab6engine4week4feelB2v1..., or what stands there."""
    found = re.search(r"@\"?_ZN([^(]*)", head)
    parts, rest = [], found.group(1) if found else ""
    while length := re.match(r"\d+", rest):
        end = length.end() + int(length.group())
        parts.append(rest[length.end() : end])
        rest = rest[end:]
    return ".".join(parts) or head


def report() -> dict[str, Any]:
    """Sums of every case in this process, and of the freshly compiled code: how often it names which registers, and where it computes in
    double precision, line by line by function.
    """
    found = {name: sums(name).sums.tolist() for name in CASES}
    simulate: Any = cohort.simulate_patients
    assert not simulate.stats.cache_hits, "code from the cache cannot be looked into"
    [listing], [machine] = simulate.inspect_llvm().values(), simulate.inspect_asm().values()
    double = {}
    for function in re.findall(r"^define .*?^}", listing, re.MULTILINE | re.DOTALL):
        head, *lines = function.splitlines()
        lines = [line.strip() for line in lines if re.search(r"\bdouble\b", line)]
        if lines and "cpython" not in head:  # which takes Python's numbers apart
            double[function_named(head)] = lines
    return {"sums": found, "double": double, "used": {one: len(re.findall(one, machine)) for one in ("xmm", "ymm", "zmm")}}


# As before


def inputs(name: str) -> str:
    """Digest of the numbers that a case hands to the compiled code: whether data or engine changed."""
    scenario, values = Scenario.load(name), parameters.values()
    people = scenario.population
    made = execution.inputs_of(people, values)
    numbers = [packed(made.p), packed(made.condition), made.rows, packed(population.mix(people)), population.goal_thresholds(people)]
    for plan in (scenario.baseline_plan(), scenario.care):
        numbers += [packed(plan.engine_plan()), plan.engine_orders()]
    return hashlib.sha256(b"".join(one.astype(np.float32).tobytes() for one in numbers)).hexdigest()


def record(name: str) -> dict[str, Any]:
    """A case as it stands in the baseline."""
    part = sums(name)
    arms = {
        arm: {outcome.name: part.sums[place, row, SHOWN].tolist() for row, outcome in enumerate(OUTCOMES)} for place, arm in enumerate(ARMS)
    }
    every_week = hashlib.sha256(part.sums.astype("<i8").tobytes() + part.present.astype("<i8").tobytes()).hexdigest()
    return {"inputs": inputs(name), "present": part.present[list(SHOWN)].tolist(), **arms, "every_week": every_week}


def kept() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(BASELINE.read_text(encoding="utf-8"))
    return known


@pytest.mark.parametrize("name", CASES)
def test_the_engine_gives_the_integers_it_gave_before(name: str) -> None:
    expected, found = kept()["cases"][name], record(name)
    if found == expected:
        return
    apart = [
        f"{arm}, {outcome}, week {week}: {now}, before {then}"
        for arm in ARMS
        for outcome, series in expected[arm].items()
        for week, now, then in zip(SHOWN, found[arm].get(outcome, series), series, strict=True)
        if now != then
    ]
    moved = "data or a scenario" if found["inputs"] != expected["inputs"] else "the engine (its inputs are the same)"
    pytest.fail(
        f"{name}: results are no longer those of tests/baselines/engine.json, since {moved} changed.\n"
        + "\n".join(apart[:8] or ["in weeks or outcomes that it does not show"])
        + "\nIf that is meant, say why in CHANGELOG.md, then write the file anew with"
        '\n    python tests/engine/test_same_bits.py renew "words of that entry"'
    )


def test_the_changelog_says_why_the_baseline_was_last_renewed() -> None:
    changelog = " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split())
    assert kept()["changelog"] in changelog


def renew(reason: str) -> None:
    """Write the baseline anew. Exits if the changelog does not hold the reason."""
    reason = " ".join(reason.split())
    changelog = " ".join((ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split())
    if not reason or reason not in changelog:
        sys.exit(f'CHANGELOG.md does not say "{reason}". Say there why results change, and give words of that entry.')
    whole = {
        "about": "Exact integer sums of the engine, which tests/engine/test_same_bits.py compares; it says how to write them anew.",
        "changelog": reason,
        "patients": PATIENTS,
        "seed": SEED,
        "weeks": list(SHOWN),
        "cases": {name: record(name) for name in CASES},
    }
    lists_on_a_line = re.sub(r"\[[^\[\]]*\]", lambda one: re.sub(r"\s+", " ", one.group()), json.dumps(whole, indent=1))
    BASELINE.write_text(lists_on_a_line + "\n", encoding="utf-8")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["report"]:
            print(json.dumps(report()))
        case ["renew", words]:
            renew(words)
        case _:
            sys.exit(__doc__)
