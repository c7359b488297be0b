"""Virtual trials: a published estimate with who was studied, under which care, which outcome, when, and how the scales meet.

A trial is a table in a TOML file of data/trials or of a reader's own; data/README.md documents the keys.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field, ValidationError, field_validator, model_validator

from painlab import evidence, parameters
from painlab.errors import InputError
from painlab.fields import Strict
from painlab.outcomes import Recorded
from painlab.plan import CarePlan
from painlab.population import Population
from painlab.scenario import MAX_WEEKS, Scenario, explain
from painlab.tables import data_folder, nearest, read_toml

Week = Annotated[int, Field(ge=0, le=MAX_WEEKS)]


_START: Final = "data/trials/*.toml of PainLab are examples; data/README.md documents the keys."


class Measure(NamedTuple):
    """What can be compared: unit, meaning, and whether it is a share of patients."""

    unit: str
    meaning: str
    share: bool = False
    threshold: bool = False


MEASURES: Final = {
    "pain": Measure("0-10", "mean pain in the weeks"),
    "function": Measure("0-100", "mean function in the weeks"),
    "activity": Measure("% of habitual", "mean activity in the weeks"),
    "strength": Measure("% of healthy", "mean strength in the weeks"),
    "dose": Measure("MME/day", "mean prescribed dose in the weeks on opioids"),
    "mme": Measure("MME/day", "mean dose over all of the weeks"),
    "days_on_opioids": Measure("days", "days on opioids in the weeks"),
    "sessions": Measure("sessions", "sessions attended in the weeks"),
    "on_opioids": Measure("%", "share with an opioid in any of the weeks", share=True),
    "kept_on_opioids": Measure("%", "share with an opioid in every one of the weeks", share=True),
    "off_opioids": Measure("%", "share without an opioid in all of the weeks", share=True),
    "persisting": Measure(
        "%", "share without a break from opioids of at least the threshold (weeks) in the weeks", share=True, threshold=True
    ),
    "dose_at_least": Measure("%", "share whose mean dose while on opioids is at least the threshold", share=True, threshold=True),
    "pain_at_least": Measure("%", "share whose mean pain is at least the threshold", share=True, threshold=True),
    "pain_at_most": Measure("%", "share whose mean pain is at most the threshold", share=True, threshold=True),
    "improved": Measure("%", "share whose pain fell by at least the threshold (0-1) since week 0", share=True, threshold=True),
    "attended": Measure("%", "share with a session in any of the weeks", share=True),
}
KINDS: Final = {
    "level": "the outcome in the one arm",
    "share": "the share of patients in the one arm, in %",
    "difference": "first arm less second; of shares in percentage points",
    "odds_ratio": "odds in the first arm over odds in the second",
    "percent_change": "first arm against second, or the one arm against its own week `from_week`, in %",
    "percent_through": "share of the difference between the arms that goes when the link `through` is cut, in %",
}


class Published(Strict):
    """The published figure as printed; factor and offset bring it to the model's scale: model = offset + factor x printed."""

    estimate: float
    low: float | None = None
    high: float | None = None
    tolerance: Annotated[float, Field(gt=0)] | None = None
    scale: Annotated[str, Field(min_length=1)]
    factor: float = 1.0
    offset: float = 0.0
    rule: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _has_an_interval(self) -> Self:
        if (self.low is None) != (self.high is None):
            raise ValueError("only one limit of the interval is given; expected low and high, or tolerance")
        if (self.low is None) == (self.tolerance is None):
            raise ValueError("there is no interval, or an interval and a tolerance; expected low and high, or else tolerance")
        if self.low is not None and self.high is not None and not self.low <= self.estimate <= self.high:
            raise ValueError(f"the estimate {self.estimate:g} lies outside {self.low:g} to {self.high:g}; expected low <= estimate <= high")
        if self.factor == 0.0:
            raise ValueError("the factor is 0; expected what a printed unit is on the model's scale")
        return self

    def on_the_models_scale(self) -> tuple[float, float, float]:
        """Estimate, low and high on the model's scale; a tolerance is printed units either side."""
        low = self.estimate - (self.tolerance or 0.0) if self.low is None else self.low
        high = self.estimate + (self.tolerance or 0.0) if self.high is None else self.high
        estimate, one, other = (self.offset + self.factor * value for value in (self.estimate, low, high))
        return estimate, min(one, other), max(one, other)


class Among(Strict):
    """A subgroup by use of opioids: with an opioid in `any` or in `every` one of the weeks."""

    on_opioids: Literal["any", "every"]
    weeks: tuple[Week, Week]


class Trial(Strict):
    """One virtual trial. `arms` holds one or two care plans; the first is held against the second."""

    id: str
    title: Annotated[str, Field(min_length=1, max_length=120)]
    source: Annotated[str, Field(min_length=1)]
    use: Literal["calibrate", "validate"]
    population: Population
    arms: dict[str, CarePlan]
    kind: Literal["level", "share", "difference", "odds_ratio", "percent_change", "percent_through"]
    outcome: str
    weeks: tuple[Week, Week]
    threshold: float | None = None
    from_week: Week = 0
    through: str | None = None
    among: Among | None = None
    published: Published
    why: str = ""

    @field_validator("outcome")
    @classmethod
    def _known_outcome(cls, name: str) -> str:
        if name not in MEASURES:
            raise ValueError(f'unknown outcome "{name}"{nearest(name, MEASURES)}; expected one of {", ".join(MEASURES)}')
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        measure, arms = MEASURES[self.outcome], len(self.arms)
        if self.weeks[0] > self.weeks[1] or (self.among and self.among.weeks[0] > self.among.weeks[1]):
            raise ValueError("the weeks run backward; expected the first week, then the last")
        if measure.threshold != (self.threshold is not None):
            wanted = "a threshold" if measure.threshold else "no threshold"
            raise ValueError(f'the outcome "{self.outcome}" goes with {wanted}; expected {wanted}')
        threshold = self.threshold or 0.0
        if self.outcome == "persisting" and not (threshold.is_integer() and 1 <= threshold <= self.weeks[1] - self.weeks[0] + 1):
            raise ValueError(
                f"a break of {threshold:g} weeks in {self.weeks[0]} to {self.weeks[1]}; expected whole weeks that fit into them"
            )
        if self.outcome == "improved" and not 0.0 < threshold < 1.0:
            raise ValueError(f"an improvement of {threshold:g}; expected a share between 0 and 1")
        if self.from_week and (self.kind != "percent_change" or arms != 1):
            raise ValueError(f'kind "{self.kind}" with {arms} arms has from_week; expected it for percent_change in one arm alone')
        wanted_arms = {"level": (1,), "share": (1,), "percent_change": (1, 2)}.get(self.kind, (2,))
        if arms not in wanted_arms:
            raise ValueError(f'kind "{self.kind}" has {arms} arms; expected {" or ".join(map(str, wanted_arms))}')
        if self.kind in ("share", "odds_ratio") and not measure.share:
            shares = ", ".join(name for name, one in MEASURES.items() if one.share)
            raise ValueError(f'kind "{self.kind}" with the outcome "{self.outcome}"; expected a share: {shares}')
        if self.kind == "level" and measure.share:
            raise ValueError(f'kind "level" with the outcome "{self.outcome}"; expected kind "share"')
        if (self.kind == "percent_through") != (self.through is not None) or (self.through or "weakness_to_pain") not in parameters.LINKS:
            raise ValueError(f"through is {self.through}; expected, for percent_through alone, one of {', '.join(parameters.LINKS)}")
        if self.kind == "odds_ratio" and min(self.published.on_the_models_scale()) <= 0.0:
            raise ValueError("an odds ratio is not positive; expected ratios above 0")
        if self.population.arrivals is not None:
            raise ValueError("the population is an open cohort; expected a closed one, without arrivals")
        return self

    @property
    def last_week(self) -> int:
        """Last week that must be simulated."""
        return max(self.weeks[1], self.from_week, self.among.weeks[1] if self.among else 0)


_MODELS: Final[dict[str, type[Strict]]] = {"": Trial, "published": Published, "among": Among}


class Measured(NamedTuple):
    """An outcome in one arm: its mean, and how much each patient moves it (the influence, shape (patients,), mean 0).

    Influences of arms with the same patients can be combined, so that what patients share cancels in a comparison.
    """

    mean: float
    influence: np.ndarray


def measured(trial: Trial, records: np.ndarray, weeks: tuple[int, int] | None = None) -> Measured:
    """Mean of a trial's outcome in one arm, over its subgroup; shares in percent.

    records: the arm's patients and weeks, shape (patients, weeks + 1, len(Recorded)). Without anybody in the subgroup the mean is NaN.
    """
    first, last = weeks or trial.weeks
    window = records[:, first : last + 1]
    on = np.asarray(window[:, :, Recorded.DOSE] > 0.0)
    among = np.ones(records.shape[0], dtype=bool)
    if trial.among:
        used = np.asarray(records[:, trial.among.weeks[0] : trial.among.weeks[1] + 1, Recorded.DOSE] > 0.0)
        among = np.any(used, axis=1) if trial.among.on_opioids == "any" else np.all(used, axis=1)
    if trial.outcome in ("dose", "dose_at_least"):
        among = among & np.any(on, axis=1)
    if not among.any():
        return Measured(float("nan"), np.zeros(records.shape[0]))
    values = _per_patient(trial, window, on, records[:, 0, Recorded.PAIN]).astype(float)
    mean = float(values[among].mean())
    return Measured(mean, np.where(among, values - mean, 0.0) / among.mean())


def _per_patient(trial: Trial, window: np.ndarray, on: np.ndarray, pain_at_first: np.ndarray) -> np.ndarray:
    """A trial's outcome of each patient, shape (patients,)."""
    name, threshold = trial.outcome, trial.threshold or 0.0
    if name in ("pain", "mme"):
        return np.asarray(window[:, :, Recorded[name.upper()]].mean(axis=1, dtype=float))
    if name in ("function", "activity", "strength"):
        return np.asarray(100.0 * window[:, :, Recorded[name.upper()]].mean(axis=1, dtype=float))
    if name == "days_on_opioids":
        return 7.0 * on.sum(axis=1)
    if name == "sessions":
        return np.asarray(window[:, :, Recorded.SESSIONS].sum(axis=1, dtype=float))
    dose = window[:, :, Recorded.DOSE].sum(axis=1, dtype=float) / np.maximum(on.sum(axis=1), 1)
    if name == "dose":
        return np.asarray(dose)
    pain = window[:, :, Recorded.PAIN].mean(axis=1, dtype=float)
    met: dict[str, Callable[[], np.ndarray]] = {
        "dose_at_least": lambda: dose >= threshold,
        "on_opioids": lambda: np.any(on, axis=1),
        "kept_on_opioids": lambda: np.all(on, axis=1),
        "off_opioids": lambda: ~np.any(on, axis=1),
        "persisting": lambda: ~np.any(np.all(np.lib.stride_tricks.sliding_window_view(~on, int(threshold), axis=1), axis=2), axis=1),
        "pain_at_least": lambda: pain >= threshold,
        "pain_at_most": lambda: pain <= threshold,
        "improved": lambda: pain <= (1.0 - threshold) * pain_at_first,
        "attended": lambda: np.any(window[:, :, Recorded.SESSIONS] > 0.0, axis=1),
    }
    return np.asarray(100.0 * met[name]())


def read(path: Path) -> tuple[Trial, ...]:
    """Read a file of trials, in its order. Raises InputError naming file, trial and key."""
    tables = read_toml(path, "virtual trials in TOML", _START)
    if not tables:
        raise InputError("the file holds no trial", where=str(path), expected="a table for each trial", mend=_START)
    found = []
    for name, table in tables.items():
        where = f"{path.name}, [{name}]"
        if not isinstance(table, dict):
            raise InputError(f'the key "{name}" stands outside of a trial', where=str(path), expected="a table for each trial", mend=_START)
        found.append(_trial(name, _whole(name, tables, where), where))
    return tuple(found)


def _whole(name: str, tables: dict[str, Any], where: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """A trial's table, completed from the one that `like` names."""
    table = dict(tables[name])
    other = table.pop("like", None)
    if other is None:
        return table
    if not isinstance(other, str) or not isinstance(tables.get(other), dict) or other in (name, *seen):
        known = [key for key in tables if key not in (name, *seen)]
        hint = "" if other in (name, *seen) else nearest(str(other), known)
        ring = ", which leads back to this trial" if other in (name, *seen) else ""
        problem = f'like names "{other}"{ring}{hint}'
        raise InputError(problem, where=where, expected="another trial of the same file", mend="Correct the name.")
    base = _whole(other, tables, where, (name, *seen))
    for replaced, by in (("week", "weeks"), ("weeks", "week")):  # a trial has one or the other
        if by in table:
            base.pop(replaced, None)
    return base | table


def _trial(name: str, table: dict[str, Any], where: str) -> Trial:
    given = {**table, "id": name}
    if "week" in given:
        if "weeks" in given:
            raise InputError("both week and weeks are given", where=where, expected="one of them", mend="Take one out.")
        given["weeks"] = (given["week"], given.pop("week"))
    arms = given.get("arms")
    if not isinstance(arms, dict) or not arms:
        raise InputError("there are no arms", where=where, expected=f"one or two care plans, [{name}.arms.NAME]")
    given["arms"] = {arm: _plan(plan, f"{where}, arm {arm}") for arm, plan in arms.items()}
    if given.get("weeks") is not None:
        given["weeks"] = _weeks(given["weeks"], f"{where}, key {'week' if 'week' in table else 'weeks'}")
    if isinstance(given.get("among"), dict) and "weeks" in given["among"]:
        given["among"] = given["among"] | {"weeks": _weeks(given["among"]["weeks"], f"{where}, key among.weeks")}
    try:
        return Trial.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        raise explain(error, where, _MODELS, _START) from None


def _weeks(given: Any, where: str) -> tuple[int, int]:
    """First and last week, from a list of two."""
    pair = list(given) if isinstance(given, list | tuple) else [given]
    whole = all(isinstance(week, int) and not isinstance(week, bool) and 0 <= week <= MAX_WEEKS for week in pair)
    if len(pair) != 2 or not whole:
        expected = f"a whole number from 0 to {MAX_WEEKS} (key week), or a list of the first and the last (key weeks)"
        said = ", ".join(str(week) for week in pair)
        raise InputError(f"the weeks are {said}", where=where, expected=expected, mend="Change the value.")
    return pair[0], pair[1]


def _plan(given: Any, where: str) -> CarePlan:
    """An arm's care plan: a table, or the name of a shipped scenario whose plan it takes."""
    try:
        return Scenario.load(given).care if isinstance(given, str) else CarePlan.model_validate(given)
    except ValidationError as error:
        raise explain(error, where, {"": CarePlan}, _START) from None
    except InputError as error:
        mend = "See `painlab list` for the names, or write a care plan."
        raise InputError(error.problem, where=where, expected="the name of a scenario that ships, or a care plan", mend=mend) from None


def files() -> tuple[Path, ...]:
    """Files of the trials that ship."""
    return tuple(sorted((data_folder() / "trials").glob("*.toml")))


@cache
def shipped(use: str | None = None) -> tuple[Trial, ...]:
    """The trials that ship, all or those of one use. Raises InputError for an id that two files have."""
    found: dict[str, Trial] = {}
    for path in files():
        for trial in read(path):
            if trial.id in found:
                raise InputError(f'the trial "{trial.id}" is there twice', where=path.name, expected="an id of its own for each trial")
            found[trial.id] = trial
    return tuple(trial for trial in found.values() if use in (None, trial.use))


def citation(trial: Trial) -> str:
    """The trial's source in one line: from the ledger where it has the id, otherwise as the file says it."""
    try:
        return evidence.citation(trial.source)
    except InputError:
        return trial.source
