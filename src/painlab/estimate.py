"""plan(): time, memory, disk and cost of a large sweep, from a second's measurement on this machine."""

import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from painlab import posterior, scenario, sweeps
from painlab.engine import execution
from painlab.engine.execution import ARMS, Piece
from painlab.engine.layout import LANES
from painlab.errors import InputError
from painlab.outcomes import OUTCOMES, Count, Outcome
from painlab.scenario import MAX_WEEKS, Scenario
from painlab.simulation import MAX_DRAWS, MAX_THREADS, whole_number

MAX_SCENARIOS: Final = 1_000
MAX_WORKERS: Final = 100_000
_SECONDS: Final = 0.5  # of measuring on one thread, and again on several
_PATIENTS: Final = 8 * LANES  # in a measured piece
_DRAWS: Final = 30  # behind what is said of chance, each on two groups of so many patients
_GROUP: Final = 8_192
_OUTCOMES: Final = (Count.MME, Count.PAIN)
_EXAMPLE: Final = "early-pt"  # for what is said of chance where no scenario is named
_TOO_MANY: Final = 100_000_000
_DRAWS_ON_DISK: Final = 8
_BYTES_GATHERED: Final = 350_000  # of memory for each draw of two years where results are put together
_BUSY: Final = 0.15  # share of lost time from which the machine counts as busy
_WIDER: Final = 0.01  # of a band: what chance among patients may add without anyone seeing it


class Speed(NamedTuple):
    """What was measured on this machine.

    rates: patient-weeks in a second on one thread, by scenario. threads, efficiency: with so many threads, the share of so many times that.
    busy: whether other work kept this machine from giving its full speed. memory: bytes of this process at its peak, None where the system
    does not say. parts, draws: bytes on the disk for each draw of one scenario, of finished parts and of its means; results: for each
    scenario.
    """

    rates: dict[str, float]
    threads: int
    efficiency: float
    busy: bool
    memory: int | None
    parts: float
    draws: float
    results: float
    machine: str


class Chance(NamedTuple):
    """Why more patients in a draw stop to matter, for the difference of one outcome from the baseline, averaged over the horizon.

    mean: the difference, in the outcome's unit. parameters: its standard deviation among parameter draws. patient: its standard deviation
    among single patients, which N patients in a draw divide by the root of N.
    """

    scenario: str
    outcome: Outcome
    mean: float
    parameters: float
    patient: float

    def error(self, patients: int) -> float:
        """Standard error that chance among so many patients gives a draw's mean."""
        return self.patient / math.sqrt(patients)

    def wider(self, patients: int) -> float:
        """By which share so many patients in each draw widen the band beyond that of infinitely many."""
        return math.hypot(1.0, self.error(patients) / self.parameters) - 1.0 if self.parameters else math.inf

    def enough(self, wider: float = _WIDER) -> float:
        """Patients in each draw that widen the band by this share."""
        return (self.patient / self.parameters) ** 2 / ((1.0 + wider) ** 2 - 1.0) if self.parameters else math.inf


@dataclass(frozen=True)
class Estimate:
    """What a sweep would take; `str()` says it in words, with what it rests on.

    patient_weeks: of both arms. core_seconds: work, at the efficiency that was measured. seconds: from start to end on so many workers.
    memory: bytes in a worker, None where the system does not say; gathering: bytes where results are put together. disk: bytes of parts
    and results. cost: core-hours times the given price, None without one. chance: for one scenario, opioid demand and pain; empty for one
    draw.
    """

    patients: int
    draws: int
    scenarios: int
    weeks: int
    workers: int
    threads_per_worker: int
    patient_weeks: int
    core_seconds: float
    seconds: float
    memory: int | None
    gathering: int
    disk: int
    price: float | None
    cost: float | None
    measured: Speed
    chance: tuple[Chance, ...]

    def __str__(self) -> str:
        return "\n".join(_sentences(self))


def plan(
    patients: int = 10_000,
    draws: int = 40,
    scenarios: int | Iterable[Scenario | str] = 1,
    *,
    weeks: int = 104,
    workers: int = 1,
    threads_per_worker: int | None = None,
    cost_per_core_hour: float | None = None,
    parameters: str = "posterior",
) -> Estimate:
    """Estimate what a sweep would take, from about two seconds of measuring here (and half a minute more if nothing is compiled yet).

    Parameters
    ----------
    patients, draws, weeks
        As for `painlab.sweep`.
    scenarios
        How many, or which: those that are named are measured, otherwise all that ship.
    workers, threads_per_worker
        Processes or machines at work, each with so many threads (as many as this machine has cores, if left out).
    cost_per_core_hour
        Price of an hour of one core; the currency is yours.

    Raises InputError for an unknown scenario or a number outside its range.
    """
    whole_number("patients", patients, 1, sweeps.MAX_PATIENTS)
    whole_number("draws", draws, 1, MAX_DRAWS)
    whole_number("weeks", weeks, 1, MAX_WEEKS)
    whole_number("workers", workers, 1, MAX_WORKERS)
    threads = whole_number("threads_per_worker", threads_per_worker or execution.workers(), 1, MAX_THREADS)
    if cost_per_core_hour is not None and not 0.0 <= cost_per_core_hour < math.inf:
        raise InputError(f"cost_per_core_hour is {cost_per_core_hour}", expected="a price of 0 or more", mend="Change it.")
    if isinstance(scenarios, int):
        count, chosen = whole_number("scenarios", scenarios, 1, MAX_SCENARIOS), list(scenario.shipped())
    else:
        named = [scenarios] if isinstance(scenarios, str | Scenario) else scenarios
        chosen = [one if isinstance(one, Scenario) else Scenario.load(one) for one in named]
        count = whole_number("scenarios", len(chosen), 1, MAX_SCENARIOS)
    measured = measure(chosen, weeks=weeks, threads=threads, parameters=parameters)
    each = ARMS * (weeks + 1) * patients * draws
    seconds_of_one = sum(each / rate for rate in measured.rates.values()) / len(measured.rates) * count
    core_seconds = seconds_of_one / measured.efficiency
    ranges = -(-patients // sweeps.fitting(patients, draws, [weeks] * count))
    changed = [one for one in chosen if one.care != one.baseline_plan()]
    if isinstance(scenarios, int):
        changed.sort(key=lambda one: one.name != _EXAMPLE)
    return Estimate(
        patients=patients,
        draws=draws,
        scenarios=count,
        weeks=weeks,
        workers=workers,
        threads_per_worker=threads,
        patient_weeks=each * count,
        core_seconds=core_seconds,
        seconds=core_seconds / (workers * threads),
        memory=measured.memory,
        gathering=(measured.memory or 0) + round(_BYTES_GATHERED * draws * (weeks + 1) / 105),
        disk=round(count * (draws * (measured.parts * ranges + measured.draws) + measured.results)),
        price=cost_per_core_hour,
        cost=None if cost_per_core_hour is None else core_seconds / 3600.0 * cost_per_core_hour,
        measured=measured,
        chance=chance(changed[0], weeks=weeks, parameters=parameters) if draws > 1 and changed else (),
    )


def measure(scenarios: Sequence[Scenario], *, weeks: int, threads: int, parameters: str = "posterior") -> Speed:
    """Measure this machine on scenarios: their speed on one thread and on several, memory and disk."""
    values = [posterior.values(draw, 1, parameters) for draw in range(_DRAWS_ON_DISK)]
    pieces = []
    for one in scenarios:
        cohorts = execution.cohorts(one, values, patients=_PATIENTS, seed=1, weeks=weeks)
        pieces += [(one.name, Piece(cohort, 0, _PATIENTS)) for cohort in cohorts]
    for name in dict.fromkeys(name for name, _ in pieces):  # compiles, and prepares what a long run prepares once
        execution.simulate_piece(next(piece for other, piece in pieces if other == name))
    work, rates = ARMS * (weeks + 1) * _PATIENTS, {}
    clocks = _Clocks()
    for one in scenarios:
        mine = cycle([piece for name, piece in pieces if name == one.name])
        began, done = time.perf_counter(), 0
        while done == 0 or time.perf_counter() - began < _SECONDS / len(scenarios):
            execution.simulate_piece(next(mine))
            done += 1
        rates[one.name] = done * work / (time.perf_counter() - began)
    busy = clocks.idle_share(1) > _BUSY
    together, efficiency = min(threads, execution.workers()), 1.0
    if together > 1:
        alone = sum(work / rates[name] for name, _ in pieces)  # seconds for all of them
        rounds = max(1, round(_SECONDS * together / alone))
        with ThreadPoolExecutor(together) as pool:
            list(pool.map(execution.simulate_piece, [piece for _, piece in pieces[:together]]))  # so that the threads stand
            clocks = _Clocks()
            list(pool.map(execution.simulate_piece, [piece for _, piece in pieces] * rounds))
            efficiency = min(1.0, alone * rounds / together / clocks.seconds())
        busy = busy or clocks.idle_share(together) > _BUSY
    memory = _peak()
    return Speed(rates, together, efficiency, busy, memory, *_on_disk(scenarios[0], weeks, parameters), _machine())


class _Clocks:
    """Time on the wall beside the processor's time that this process got."""

    def __init__(self) -> None:
        self.wall, self.own = time.perf_counter(), time.process_time()

    def seconds(self) -> float:
        return time.perf_counter() - self.wall

    def idle_share(self, threads: int) -> float:
        """Share of the time in which work that was ready had no processor."""
        return 1.0 - (time.process_time() - self.own) / (threads * self.seconds())


def _on_disk(one: Scenario, weeks: int, parameters: str) -> tuple[float, float, float]:
    """Bytes on the disk: of parts and of means for each draw of a scenario, and of the rest."""
    with tempfile.TemporaryDirectory() as folder:
        request = sweeps.asked(one, patients=_PATIENTS, draws=_DRAWS_ON_DISK, weeks=weeks, parameters=parameters)
        sweeps.carry_out(request, folder, again="")
        sizes = {path: path.stat().st_size for path in Path(folder).rglob("*.parquet")}
    parts, draws = (sum(size for path, size in sizes.items() if path.parent.name == name) for name in ("parts", "draws"))
    return parts / _DRAWS_ON_DISK, draws / _DRAWS_ON_DISK, sum(sizes.values()) - parts - draws


def chance(one: Scenario, *, weeks: int, parameters: str = "posterior") -> tuple[Chance, ...]:
    """Hold chance among patients against the parameters' uncertainty: each parameter set on two groups of patients of its own."""
    values = [posterior.values(draw, 1, parameters) for draw in range(_DRAWS)]
    groups = np.empty((2, _DRAWS, len(_OUTCOMES)))
    for group, found in enumerate(groups):
        cohorts = execution.cohorts(one, values, patients=_GROUP, seed=1, weeks=weeks, first_draw=group * _DRAWS)
        for draw, part in execution.parts(cohorts):
            means = execution.means_of(part)[:, _OUTCOMES].mean(axis=2)
            found[draw] = means[1] - means[0]
    within = np.var(groups[0] - groups[1], axis=0) / 2.0  # of a group's mean
    between = np.maximum(0.0, np.var(groups.mean(axis=0), axis=0, ddof=1) - within / 2.0)
    made = []
    for place, number in enumerate(_OUTCOMES):
        outcome, mean = OUTCOMES[number], float(groups[:, :, place].mean())
        spread, patient = math.sqrt(between[place]), math.sqrt(within[place] * _GROUP)
        made.append(Chance(one.name, outcome, mean * outcome.scale, spread * outcome.scale, patient * outcome.scale))
    return tuple(made)


def _peak() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _machine() -> str:
    """This machine in words: processor, cores for this process, system, Python."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.is_file() else ""
    models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    cores = execution.workers()
    of_all = f" of {os.cpu_count()}" if os.cpu_count() != cores else ""
    return f"{processor}, {cores}{of_all} cores, {platform.system()}, Python {platform.python_version()}"


def _sentences(one: Estimate) -> list[str]:
    """An estimate in words."""
    speed = one.measured
    rates = [rate / 1e6 for rate in speed.rates.values()]
    mean = len(rates) / sum(1.0 / rate for rate in rates)
    what = f"{len(rates)} scenarios, from {min(rates):.0f} to {max(rates):.0f}" if len(rates) > 1 else next(iter(speed.rates))
    threads = f"{one.threads_per_worker} thread{'s' * (one.threads_per_worker > 1)}"
    workers = f"{one.workers:,} worker{'s' * (one.workers > 1)} with {threads}{' each' * (one.workers > 1)}"
    lines = [
        f"{one.patients:,} patients x {one.draws:,} draws x {one.scenarios:,} scenario{'s' * (one.scenarios > 1)} x {one.weeks} weeks, "
        f"in both arms: {one.patient_weeks:,} patient-weeks.",
        f"Measured just now on this machine ({speed.machine}): {mean:.0f} million patient-weeks a second on one thread ({what})"
        + (f"; {speed.threads} threads reach {speed.efficiency:.0%} of {speed.threads} times that." if speed.threads > 1 else "."),
        *(["This machine was busy with other work meanwhile: measure again when it is not."] if speed.busy else []),
        f"Work: {_core_time(one.core_seconds)}.",
        f"Time: {duration(one.seconds)} on {workers}. {_assumption(one)}",
        f"Memory: {_size(one.memory)} in each worker, whatever the number of patients; {_size(one.gathering)} where results are put "
        "together.",
        f"Disk: {_size(one.disk)} of finished parts and results.",
    ]
    if one.cost is not None:
        lines.append(f"Cost: {one.cost:,.2f} at {one.price:g} per core-hour, a price that you gave; storage and idle time are not in it.")
    lines += [_chance_words(found, one.patients) for found in one.chance]
    return [line.replace("%", " %").replace("  %", " %") for line in lines]


def _chance_words(found: Chance, patients: int) -> str:
    """What chance among patients adds to a band."""
    outcome, share, enough = found.outcome, found.wider(patients), found.enough()
    level = f"mean difference of {_short(found.mean)} {outcome.unit} in {outcome.label.lower()}"
    if enough < _TOO_MANY:
        wider = f"{share:.1%}" if share >= 0.0005 else "less than 0.1 %"
        said = f"which widens its band by {wider}; about {_patients(enough)} patients keep that to {_WIDER:.0%}"
    else:
        said = "more than the parameters leave open in it"
    error = _short(found.error(patients))
    return f"Chance: with {patients:,} patients a draw, {found.scenario}'s {level} has a standard error of {error}, {said}."


def _short(number: float) -> str:
    """A number with two digits that count."""
    return f"{float(f'{number:.2g}'):,g}"


def _assumption(one: Estimate) -> str:
    """What the time takes for granted."""
    base = "This assumes that every thread of every worker is as fast as here"
    if one.threads_per_worker > one.measured.threads:
        base += f" (no more than {one.measured.threads} could be tried)"
    return f"{base}, and leaves out start-up, compiling (half a minute once on each machine) and the network."


def _core_time(seconds: float) -> str:
    return f"{seconds / 3600.0:,.1f} core-hours" if seconds >= 3600.0 else f"{seconds:,.1f} core-seconds"


def duration(seconds: float) -> str:
    """Seconds in the unit that a person would use."""
    for unit, length in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2.0 * length:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:,.1f} seconds"


def _size(count: int | None) -> str:
    if count is None:
        return "an unknown amount"
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e3:,.0f} kB"


def _patients(count: float) -> str:
    """A number of patients with the one or two digits that a short measurement gives."""
    digits = max(0, len(str(round(count))) - 2)
    return f"{math.ceil(count / 10**digits) * 10**digits:,}"
