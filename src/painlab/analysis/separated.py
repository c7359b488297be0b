"""Bands that keep apart what a clinic of so many patients does not know: chance, who happens to come, and parameters.

The difference that a clinic of N patients will see varies as V(parameters) + V(patients) / N + V(chance) / N. The parts come from a nested
design without bias (Searle, Casella and McCulloch 1992, Variance Components): parameter sets, patients within each, and each patient lived
twice, with the same traits and other luck. A part may come out below zero by chance; it then counts as zero, and a note says so.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from types import FunctionType
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from painlab import posterior, simulation
from painlab.analysis import paired
from painlab.engine import cohort, execution
from painlab.engine.arrival import meet_patients
from painlab.engine.layout import COUNTED, LANES
from painlab.errors import InputError
from painlab.outcomes import BY_NAME, Recorded
from painlab.scenario import Scenario

Array = NDArray[np.float64]
LIVES: Final = 2
SOURCES: Final = {
    "chance": "the same patients again",
    "patients": "other patients of the same kind",
    "parameters": "what the evidence leaves open",
}
COLUMNS: Final = ("outcome", "unit", "source", "variance", "standard_error", "deviation", "share", "low", "high")
_KEPT: Final = {"mme_per_1000": (Recorded.MME, 1000.0), "pain": (Recorded.PAIN, 1.0), "function": (Recorded.FUNCTION, 100.0)}
_ORDINARY: Final = (
    "The band of a projection is another: it holds 95 % of the parameter draws, but each draw's mean is one of N patients, so that their "
    "chance is in that band, too. With fewer patients than the clinic has it can be wider than all that is not known here. All parts are "
    "estimates with errors of their own (`standard_error` in the table), and need not add up to a band found in another way."
)
_Z: Final = 1.959963984540054
_RESAMPLES: Final = 400


@dataclass(frozen=True)
class Separated:
    """Parts of what a clinic does not know of the difference it will see.

    table: columns `COLUMNS`, a row an outcome and source (`SOURCES`): the variance that the source adds for a clinic of so many patients
    with its standard error, its root, its share of the whole; low and high are the ends of the 95 % band of this source and those before
    it together, around the mean, as if normal. means: outcome, unit, mean. notes: parts that came out below zero.
    """

    scenario: Scenario
    clinic: int
    arm: str
    table: pl.DataFrame
    means: pl.DataFrame
    kind: str
    notes: tuple[str, ...] = ()
    seed: int = field(default=1, repr=False)

    def deviation(self, outcome: str, source: str) -> float:
        """Standard deviation that one source adds, in the outcome's unit."""
        rows = self.table.filter((pl.col("outcome") == outcome) & (pl.col("source") == source))
        if rows.is_empty():
            raise InputError(f'there is no "{outcome}" with the source "{source}"', expected=f"{', '.join(_KEPT)}; {', '.join(SOURCES)}")
        return float(rows["deviation"][0])

    @property
    def sentence(self) -> str:
        """What is most uncertain for demand, with pain and function beside it."""
        what = "the difference from the baseline" if self.arm == "difference" else f"the level under the {self.arm}"
        said = []
        for row in self.means.iter_rows(named=True):
            rows = self.table.filter(pl.col("outcome") == row["outcome"])
            shares = " / ".join(f"{100 * share:.0f} %" for share in rows["share"])
            band = paired.ranged(row["mean"], rows["low"][-1], rows["high"][-1])
            said.append(f"{BY_NAME[row['outcome']].label.lower()} {band}, {shares}")
        return (
            f"For a clinic of {self.clinic:,} patients over {self.scenario.weeks} weeks, {what} with all that is not known, and the shares "
            f"of chance / patients / parameters in its variance: {'; '.join(said)}."
        )

    def __str__(self) -> str:
        more = (
            "With four times as many patients the variances of chance and of patients are a quarter, so that the widths of their bands are "
            f"halved; only evidence makes the part of parameters smaller ({self.kind} sets)."
        )
        return "\n".join([self.sentence, more, _ORDINARY, *self.notes])


def spread(
    scenario: Scenario | str,
    clinic: int = 500,
    *,
    arm: str = "difference",
    draws: int = 200,
    patients: int = 4000,
    lived: int = 512,
    seed: int = 1,
    parameters: str = "posterior",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: paired.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Separated:
    """Part the uncertainty of a clinic's own result into chance, patients and parameters.

    Parameters
    ----------
    clinic
        Patients of the clinic.
    arm
        `difference` from the baseline, or the level of the `scenario` or of the `baseline`; over the whole horizon.
    draws, patients
        Parameter sets, and patients under each in two independent cohorts, for the part of parameters.
    lived
        Patients under each set who are lived twice, for the parts of chance and patients; rounded up to a multiple of 256.
    seed, parameters, threads, executor, progress, cancelled
        As in `painlab.simulate`.

    Where patients go on arriving, so many of them are followed from their arrival to the end of their follow-up, and a note says so.

    Raises InputError for an unknown arm, or a number outside its range.

    >>> parts = spread("early-pt", 400, draws=20, patients=256, lived=256)
    >>> parts.table["source"].unique(maintain_order=True).to_list()
    ['chance', 'patients', 'parameters']
    """
    asked = paired.request(scenario, "mme_per_1000", None, patients, seed)
    asked, arriving = _closed(asked)
    if arm not in ("difference", "scenario", "baseline"):
        raise InputError(f'unknown arm "{arm}"', expected="difference, scenario or baseline")
    for name, value, low, high in (("clinic", clinic, 1, 10_000_000), ("draws", draws, 10, 2_000), ("lived", lived, 2, 100_000)):
        simulation.whole_number(name, value, low, high)
    sets = simulation.parameter_sets(draws, seed, parameters)
    blocks = -(-lived // LANES)
    total = draws * (2 + blocks)
    runs = paired.levels(asked, sets, threads=threads, executor=executor, progress=paired.stage(progress, 0, total), cancelled=cancelled)
    between = runs[:, :, 1] - runs[:, :, 0] if arm == "difference" else runs[:, :, 1 if arm == "scenario" else 0]
    within = np.empty((draws, LIVES, blocks * LANES, len(_KEPT)))
    for place in range(draws * blocks):
        if cancelled and cancelled():
            raise execution.Cancelled
        number, block = divmod(place, blocks)
        first = 2 * draws * patients + place * LANES
        for turn in range(LIVES):
            arms = live(asked.scenario, sets[number], first=first, traits=seed, luck=seed + turn)
            one = arms[1] - arms[0] if arm == "difference" else arms[1 if arm == "scenario" else 0]
            within[number, turn, block * LANES : (block + 1) * LANES] = one
        if progress:
            progress(2 * draws + place + 1, total)
    order = [asked.outcomes.index(name) for name in _KEPT]
    found = parted(asked.scenario, clinic, arm, between[:, :, order], within, posterior.in_use(parameters), seed)
    return replace(found, notes=(*arriving, *found.notes))


def _closed(asked: paired.Request) -> tuple[paired.Request, tuple[str, ...]]:
    """The request for a closed group, with a note where patients would go on arriving."""
    arrivals = asked.scenario.population.arrivals
    if arrivals is None:
        return asked, ()
    weeks = min(asked.scenario.weeks, arrivals.follow_up_weeks)
    closed = asked.scenario.change(weeks=weeks, population={"arrivals": None})
    note = f"Patients go on arriving in this scenario; here those of the clinic are followed for {weeks} weeks from their arrival."
    return asked._replace(scenario=closed), (note,)


def live(scenario: Scenario, values: paired.Values, *, first: int, traits: int, luck: int, patients: int = LANES) -> Array:
    """Live patients first, first + 1 ... under both plans, with traits drawn under one seed and their luck under another.

    It is the engine's own loop over weeks, run as plain Python around its compiled steps, in which patients are met under the seed of
    traits. With one seed for both it gives what `simulate` counts.

    Returns means over the horizon, shape (2 arms, patients, 3): demand, pain and function in the outcomes' units, baseline first.
    """
    own, cut = scenario.assumed(values)
    plans = (scenario.baseline_plan(), scenario.care)
    made = execution.prepare(scenario.population, plans, own, cut)
    weeks = scenario.weeks
    records = np.zeros((2, weeks + 1, len(Recorded), patients), dtype=np.float32)
    sums = np.zeros((2, COUNTED, weeks + 1), dtype=np.int64)
    _loop(traits)(
        luck, first, np.zeros(patients, dtype=np.int64), weeks + 1, made.condition, made.people, made.goals, made.p, made.rows, made.orders,
        made.plans, sums, np.zeros(weeks + 1, dtype=np.int64), records,
    )  # fmt: skip
    means = records.mean(axis=1, dtype=np.float64)
    return np.stack([means[:, place] * scale for place, scale in _KEPT.values()], axis=2)


def _loop(traits: int) -> Callable[..., None]:
    """The engine's loop in which patients are met under a seed of their own."""
    plain: Any = cohort.simulate_patients

    def met(_luck: int, *rest: Any) -> None:
        meet_patients(traits, *rest)

    names = {**plain.py_func.__globals__, "meet_patients": met, "single": np.float32}
    return partial(FunctionType(plain.py_func.__code__, names))


def components(lived: Array) -> tuple[Array, Array]:
    """Variances among patients' own expectations and of one patient's luck, shape (sets, outcomes) each, without bias.

    lived: shape (sets, lives, patients, outcomes). Chance is the mean variance of one patient's lives; patients the variance of patients'
    means less the chance that is in them.
    """
    lives = lived.shape[1]
    chance = lived.var(axis=1, ddof=1).mean(axis=1)
    among = lived.mean(axis=1).var(axis=1, ddof=1) - chance / lives
    return np.asarray(chance), np.asarray(among)


def parted(scenario: Scenario, clinic: int, arm: str, between: Array, lived: Array, kind: str, seed: int) -> Separated:
    """Gather the parts from clinics' means, shape (2 cohorts, sets, outcomes), and lives, shape (sets, lives, patients, outcomes)."""
    chance, among = components(lived)
    generator = np.random.Generator(np.random.Philox(key=seed))
    found = np.stack([chance.mean(axis=0) / clinic, among.mean(axis=0) / clinic, paired.caused_by_parameters(between)])
    again = np.empty((_RESAMPLES, *found.shape))
    for turn in range(_RESAMPLES):
        few = generator.integers(len(chance), size=len(chance))
        many = generator.integers(between.shape[1], size=between.shape[1])
        again[turn] = chance[few].mean(axis=0) / clinic, among[few].mean(axis=0) / clinic, paired.caused_by_parameters(between[:, many])
    error = again.std(axis=0, ddof=1)
    held = np.maximum(found, 0.0)
    middle = between.mean(axis=(0, 1))
    rows: list[tuple[Any, ...]] = []
    notes = []
    for place, name in enumerate(_KEPT):
        whole = float(held[:, place].sum())
        for source, part in enumerate(SOURCES):
            wide = _Z * float(held[: source + 1, place].sum()) ** 0.5
            variance = float(held[source, place])
            share = variance / whole if whole > 0.0 else 0.0
            ends = float(middle[place]) - wide, float(middle[place]) + wide
            rows.append((name, BY_NAME[name].unit, part, variance, float(error[source, place]), variance**0.5, share, *ends))
            if found[source, place] < 0.0:
                notes.append(f"{BY_NAME[name].label}: the part of {part} came out below zero by chance and counts as zero.")
    means = [(name, BY_NAME[name].unit, float(middle[place])) for place, name in enumerate(_KEPT)]
    frame = pl.DataFrame(rows, schema=COLUMNS, orient="row")
    return Separated(
        scenario, clinic, arm, frame, pl.DataFrame(means, schema=("outcome", "unit", "mean"), orient="row"), kind, tuple(notes), seed
    )
