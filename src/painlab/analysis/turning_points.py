"""Which assumption flips the conclusion: the value of one parameter at which the effect changes its sign, or another option is preferred.

All other parameters keep their central values. Runs are paired on the same patients; a parameter that comes near to turning the conclusion
in a first look is looked at again with more patients, and the value is found by halving the interval in which the sign changes.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab import parameters as records
from painlab import posterior
from painlab.analysis import paired
from painlab.analysis.decision import BASELINE, Decision
from painlab.errors import InputError
from painlab.outcomes import BY_NAME
from painlab.scenario import Scenario

COHORTS: Final = 8
GRID: Final = (0.0, 0.25, 0.5, 0.75, 1.0)
HALVINGS: Final = 5
SCREENED: Final = 8  # the first look takes this part of the patients, in so many cohorts:
FEWER_COHORTS: Final = 4
MOST_CANDIDATES: Final = 25
_CLEAR: Final = 2.0
_SAID: Final = 5  # parameters that the sentence names
COLUMNS: Final = (
    "parameter", "unit", "central", "low", "high", "at_low", "at_high", "flips", "at", "standard_error", "side", "turns_to", "clear",
    "posterior_share", "mme_per_1000", "pain", "function", "assumption", "source",
)  # fmt: skip


class _Measured(NamedTuple):
    """margin: what the conclusion rests on, shape (cohorts, sets); beside: shape (cohorts, sets, outcomes); options: (cohorts, sets, n)."""

    margin: paired.Array
    beside: paired.Array
    options: paired.Array | None


@dataclass(frozen=True)
class TurningPoints:
    """Values of single parameters at which a conclusion flips.

    table: columns `COLUMNS`, one row a parameter, those that flip it first. low and high are the prior's range; at_low and at_high what the
    conclusion rests on (the difference from the baseline, or the preferred option's lead in net benefit) at its ends. Where flips is true:
    `at` is the value where it happens, with its standard error from the patients' chance; side (`above` or `below`) is where the
    conclusion is another, namely turns_to; clear says that the far end is told from zero; posterior_share is the share of the posterior's
    draws beyond `at`; mme_per_1000, pain and function are the differences from the baseline at that value. flips is null where the
    conclusion itself is not told from zero. margin: what it rests on at central values.
    """

    scenario: Scenario
    conclusion: str
    margin: float
    standard_error: float
    unit: str
    table: pl.DataFrame
    parameters: int
    assumptions: int
    kind: str
    notes: tuple[str, ...] = ()
    seed: int = field(default=1, repr=False)

    @property
    def found(self) -> pl.DataFrame:
        """The rows of parameters that flip the conclusion."""
        return self.table.filter("flips")

    @property
    def sentence(self) -> str:
        """What flips the conclusion, in words."""
        lead = f"{paired.figures(self.margin)} {self.unit} (standard error {paired.figures(self.standard_error, 2)})"
        start = f"At central values {self.conclusion}: {lead}."
        if abs(self.margin) <= _CLEAR * self.standard_error:
            return (
                f"{start} That is not told from zero, so there is no conclusion yet that an assumption could flip; ask with more patients."
            )
        marked = "all" if self.assumptions == self.parameters else str(self.assumptions)
        one = self.parameters == 1
        kind = ("an assumption" if self.assumptions else "no assumption") if one else f"{marked} of them assumptions"
        looked = f"the {self.parameters} parameter{'' if one else 's'} looked at, {kind},"
        rows = self.found.filter("clear")
        unclear = self.found.height - rows.height
        if rows.is_empty():
            rest = f" {unclear} might, but chance could explain that." if unclear else ""
            return f"{start} None of {looked} is seen to flip it alone within its prior range.{rest} Several together still could."
        said = "; ".join(self._words(row) for row in rows.head(_SAID).iter_rows(named=True))
        said += f"; and {rows.height - _SAID} more" if rows.height > _SAID else ""
        rest = f" {unclear} more might, but chance could explain that." if unclear else ""
        theirs = "its" if rows.height == 1 else "their"
        return f"{start} Of {looked} {rows.height} can flip it alone within {theirs} prior range: {said}.{rest}"

    def _words(self, row: dict[str, Any]) -> str:
        unit = "" if row["unit"] == "1" else f" {row['unit']}"
        where = f"{paired.readable(row['parameter'])} {row['side']} {paired.figures(row['at'])}{unit}"
        share = "" if row["posterior_share"] is None else f", where {100 * row['posterior_share']:.0f} % of the posterior lies"
        return f"{where} ({row['turns_to']}{share})"

    def __str__(self) -> str:
        lines = [self.sentence]
        beside = [
            f"At that value of {paired.readable(row['parameter'])}: opioid demand {paired.figures(row['mme_per_1000'])}, "
            f"pain {paired.figures(row['pain'])}, function {paired.figures(row['function'])} (differences from the baseline)."
            for row in self.found.filter("clear").head(3).iter_rows(named=True)
        ]
        return "\n".join([*lines, *beside, *self.notes])


def flips(
    scenario: Scenario | str | None = None,
    *,
    outcome: str = "mme_per_1000",
    week: int | None = None,
    decision: Decision | None = None,
    names: Sequence[str] | None = None,
    patients: int = 16_000,
    seed: int = 1,
    parameters: str = "posterior",
    threads: int | None = None,
    executor: Executor | None = None,
    progress: paired.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> TurningPoints:
    """Look for single parameters that flip a conclusion within the range of their prior.

    Parameters
    ----------
    scenario, outcome, week
        The conclusion is the sign of this difference from the baseline, over the horizon or in one week.
    decision
        In place of a scenario: the conclusion is which option is preferred.
    names
        Look at these parameters; left out, at all that are marked as assumptions, wholly or in part.
    patients
        Patients in the second look and in halving, the same in all runs; the first look takes an eighth of them.
    parameters
        Where the central values come from, `posterior` or `prior`.
    seed, threads, executor, progress, cancelled
        As in `painlab.simulate`.

    Raises InputError for a missing or unknown scenario, outcome or parameter, or a number outside its range.

    >>> found = flips("early-pt", outcome="pain", names=["weakness_pain"], patients=512)
    >>> found.table["flips"].to_list()
    [False]
    """
    if (scenario is None) == (decision is None):
        raise InputError("a scenario and a decision do not go together", expected="one of them", mend="Leave one out.")
    asked = paired.request(decision.scenarios[0] if decision else scenario or "", outcome, week, patients, seed, least=COHORTS)
    asked = asked._replace(outcomes=(*asked.outcomes, *({"cost"} - {*asked.outcomes})), week=None if decision else week)
    free = paired.free(asked.scenario)
    every = tuple(name for name in free if paired.is_assumption(name)) if names is None else paired.known_parameters(names, asked.scenario)
    middle = paired.central(parameters)
    done = [0]

    def measure(sets: Sequence[paired.Values], among: int, cohorts: int = COHORTS) -> _Measured:
        def stage(now: int, total: int) -> None:
            if progress:
                progress(done[0] + now, done[0] + total)

        found = _measure(asked._replace(patients=among), decision, sets, cohorts, threads, executor, stage, cancelled)
        done[0] += cohorts * len(sets) * (len(decision.scenarios) if decision else 1)
        return found

    start = measure([middle], patients)
    preferred = _preferred(start)
    central = _margins(start, preferred)
    margin, error = float(central.mean()), _error(central)[0]
    side = 1.0 if margin >= 0.0 else -1.0
    told = abs(margin) > _CLEAR * error
    few = max(COHORTS, patients // SCREENED)
    places = [{**middle, name: value} for name in every for value in _values(name, GRID)]
    looked = _margins(measure([middle, *places], few, FEWER_COHORTS), preferred)
    shift = (looked[:, 1:] - looked[:, :1]).reshape(FEWER_COHORTS, len(every), len(GRID))
    near = side * (margin + shift.mean(axis=0)) - _CLEAR * _error(shift)
    order = [int(one) for one in np.argsort(near.min(axis=1), kind="stable") if near[one].min() < 0.0]
    notes = []
    if told and len(order) > MOST_CANDIDATES:
        notes.append(
            f"{len(order) - MOST_CANDIDATES} parameters that came near to flipping it were not looked at again; more patients would."
        )
    again = [every[one] for one in order[:MOST_CANDIDATES]]
    turned = _turned(again, middle, preferred, side, patients, measure) if again and told else {}
    rows = []
    for place, name in enumerate(every):
        one = records.record(name)
        ends = [float(margin + shift[:, place, end].mean()) for end in (0, -1)]
        about = (name, one.unit, middle[name], one.low, one.high, *ends)
        source = (paired.is_assumption(name), one.source)
        hit = turned.get(name)
        if hit is None:
            rows.append((*about, False if told else None, *[None] * 9, *source))
            continue
        share = _share_beyond(name, hit.at, hit.above, parameters)
        goes = _goes(hit, side, asked, decision)
        rows.append((*about, True, hit.at, hit.error, "above" if hit.above else "below", goes, hit.clear, share, *hit.beside, *source))
    kinds: Any = dict.fromkeys(("at", "standard_error", "posterior_share", *paired.BESIDE), pl.Float64)
    kinds |= {"flips": pl.Boolean, "clear": pl.Boolean, "side": pl.String, "turns_to": pl.String}
    table = pl.DataFrame(rows, schema=COLUMNS, orient="row", infer_schema_length=None).cast(kinds)
    table = table.sort(["flips", "clear", "posterior_share"], descending=True, nulls_last=True, maintain_order=True)
    words, unit = _conclusion(asked, decision, preferred, margin)
    counted = sum(map(paired.is_assumption, every))
    kind = posterior.in_use(parameters)
    return TurningPoints(asked.scenario, words, margin, error, unit, table, len(every), counted, kind, tuple(notes), seed)


class _Turn(NamedTuple):
    """Where one parameter flips the conclusion: value, its error, whether beyond means above, whether the end is clear, what is beside."""

    at: float
    error: float
    above: bool
    clear: bool
    beside: tuple[float, ...]
    to: int


def _turned(
    again: list[str], middle: paired.Values, preferred: int, side: float, patients: int,
    measure: Callable[[Sequence[paired.Values], int], _Measured],
) -> dict[str, _Turn]:  # fmt: skip
    """Second look at the candidates with all patients, and the values at which they flip the conclusion."""
    grids = {name: sorted({*_values(name, GRID), float(middle[name])}) for name in again}
    sets = [{**middle, name: value} for name in again for value in grids[name]]
    seen = measure(sets, patients)
    margins = side * _margins(seen, preferred)
    held: dict[str, tuple[float, float, int]] = {}  # last value with the conclusion, first without, place of the end beyond
    first = 0
    for name in again:
        grid = grids[name]
        mean = margins[:, first : first + len(grid)].mean(axis=0)
        start = grid.index(float(middle[name]))
        if mean[start] > 0.0:
            for step in (1, -1):
                path = range(start, len(grid) if step > 0 else -1, step)
                lost = next((one for one in path if mean[one] < 0.0), None)
                if lost is not None:
                    worst = min((one for one in path if (one - lost) * step >= 0), key=lambda one: float(mean[one]))
                    held[name] = (grid[lost - step], grid[lost], first + worst)
                    break
        first += len(grid)
    if not held:
        return {}
    ends = {name: (inside, outside) for name, (inside, outside, _) in held.items()}
    for _ in range(HALVINGS):
        halves = {name: (inside + outside) / 2.0 for name, (inside, outside) in ends.items()}
        found = side * _margins(measure([{**middle, name: value} for name, value in halves.items()], patients), preferred).mean(axis=0)
        for place, (name, value) in enumerate(halves.items()):
            inside, outside = ends[name]
            ends[name] = (value, outside) if found[place] > 0.0 else (inside, value)
    last = measure([{**middle, name: (inside + outside) / 2.0} for name, (inside, outside) in ends.items()], patients)
    turned = {}
    here = side * _margins(last, preferred)
    flat = {place: (name, value) for place, (name, value) in enumerate((name, value) for name in again for value in grids[name])}
    for place, (name, (inside, outside)) in enumerate(ends.items()):
        at, (_, _, beyond) = (inside + outside) / 2.0, held[name]
        drop = float((here[:, place] - margins[:, beyond]).mean())
        far = abs(flat[beyond][1] - at)
        error = float(_error(here)[place]) * far / drop if drop > 0.0 else float("nan")
        clear = bool(margins[:, beyond].mean() < -_CLEAR * float(_error(margins)[beyond]))
        beside = tuple(float(one) for one in last.beside[:, place].mean(axis=0))
        to = -1 if seen.options is None else int(seen.options[:, beyond].mean(axis=0).argmax())
        turned[name] = _Turn(at, error, flat[beyond][1] > at, clear, beside, to)
    return turned


def _measure(
    asked: paired.Request, decision: Decision | None, sets: Sequence[paired.Values], cohorts: int, threads: int | None,
    executor: Executor | None, progress: paired.Progress, cancelled: Callable[[], bool] | None,
) -> _Measured:  # fmt: skip
    options = decision.scenarios if decision else (asked.scenario,)
    levels: dict[str, paired.Array] = {}
    total = cohorts * len(sets) * len(options)
    for number, option in enumerate(options):
        found = paired.levels(
            asked._replace(scenario=option), sets, cohorts=cohorts, common=True, alone=number > 0, threads=threads, executor=executor,
            progress=paired.stage(progress, cohorts * len(sets) * number, total), cancelled=cancelled,
        )  # fmt: skip
        if number == 0:
            levels[BASELINE] = found[:, :, 0]
        levels[option.name] = found[:, :, 1]
    differences = levels[options[0].name] - levels[BASELINE]
    beside = differences[:, :, [asked.outcomes.index(name) for name in paired.BESIDE]]
    if decision is None:
        return _Measured(differences[:, :, 0], beside, None)
    return _Measured(differences[:, :, 0], beside, decision.benefits(asked, levels))


def _preferred(of: _Measured) -> int:
    return -1 if of.options is None else int(of.options.mean(axis=(0, 1)).argmax())


def _margins(of: _Measured, preferred: int) -> paired.Array:
    """What the conclusion rests on: the difference, or the preferred option's lead over the best of the others, which all cohorts share."""
    if of.options is None:
        return of.margin
    others = np.delete(of.options, preferred, axis=2)
    rival = others.mean(axis=0).argmax(axis=1)
    return np.asarray(of.options[:, :, preferred] - np.take_along_axis(others, rival[None, :, None], axis=2)[:, :, 0])


def _error(of: paired.Array) -> paired.Array:
    return np.asarray(of.std(axis=0, ddof=1) / len(of) ** 0.5)


def _values(name: str, shares: Sequence[float]) -> list[float]:
    """Values at even distances over a parameter's prior range."""
    one = records.record(name)
    return [float(one.low + share * (one.high - one.low)) for share in shares]


def _share_beyond(name: str, at: float, above: bool, kind: str) -> float | None:
    found = posterior.current() if kind == "posterior" else None
    if found is None:
        below = float(records.record(name).share_below(np.array(at)))
        return 1.0 - below if above else below
    draws = found.draws[name].to_numpy()
    return float((draws > at).mean() if above else (draws < at).mean())


def _goes(hit: _Turn, side: float, asked: paired.Request, decision: Decision | None) -> str:
    if decision is not None:
        return f"{decision.names[hit.to]} is preferred"
    return f"{BY_NAME[asked.outcome].label.lower()} is {'lower' if side > 0.0 else 'higher'} than the baseline's"


def _conclusion(asked: paired.Request, decision: Decision | None, preferred: int, margin: float) -> tuple[str, str]:
    """The conclusion in words, and the unit of what it rests on."""
    if decision is not None:
        return f"{decision.names[preferred]} is preferred, and its lead in net benefit is", f"{decision.worth.currency} per patient"
    way = "higher" if margin > 0.0 else "lower"
    return f"{BY_NAME[asked.outcome].label.lower()} is {way} than the baseline's {asked.when}, by a difference of", asked.unit
