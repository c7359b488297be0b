"""What is asked: a population, a horizon, a care plan and the baseline plan to hold it against."""

import hashlib
import json
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Self

import polars as pl
import tomli_w
from pydantic import Field, ValidationError, field_serializer, field_validator, model_validator

from painlab import catalog
from painlab.errors import InputError
from painlab.plan import SECTIONS, CarePlan, Lever, Strict, TreatmentOrder, levers
from painlab.population import Arrivals, Population
from painlab.tables import data_folder, nearest

MAX_WEEKS: Final = 520
MAX_FILE_BYTES: Final = 1_000_000
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Scenario(Strict):
    """A question put to the model; a validated TOML file in writing.

    `baseline` is the name of a shipped scenario whose care plan is the comparison, or a care plan of its own.
    """

    name: str
    title: Annotated[str, Field(min_length=1, max_length=120)]
    question: Annotated[str, Field(min_length=1, max_length=600)]
    weeks: Annotated[int, Field(ge=1, le=MAX_WEEKS)] = 104
    population: Population
    baseline: str | CarePlan
    care: CarePlan = CarePlan()

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name) or len(name) > 60:
            raise ValueError(f'"{name}" is not a plain name; expected lower-case letters, digits and single hyphens, at most 60')
        return name

    @model_validator(mode="after")
    def _known_baseline(self) -> Self:
        if isinstance(self.baseline, str) and self.baseline != self.name:
            _shipped_path(self.baseline)
        return self

    @field_serializer("care")
    def _serialize_care(self, plan: CarePlan) -> dict[str, Any]:
        return plan.as_dict()

    @field_serializer("baseline")
    def _serialize_baseline(self, baseline: str | CarePlan) -> str | dict[str, Any]:
        return baseline if isinstance(baseline, str) else baseline.as_dict()

    @classmethod
    def load(cls, name_or_path: str | Path) -> "Scenario":
        """Load a shipped scenario by its name, or any scenario from the path of a TOML file (ending in .toml).

        Raises InputError naming file and key for anything that cannot be used.
        """
        text = str(name_or_path)
        path = Path(text) if text.endswith(".toml") or isinstance(name_or_path, Path) else _shipped_path(text)
        return cls.from_dict(_read(path), where=path.name)

    @classmethod
    def from_dict(cls, given: dict[str, Any], *, where: str = "scenario") -> "Scenario":
        """Validate a scenario given as nested dictionaries; raises InputError."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise _explain(error, where) from None

    def change(self, **changes: Any) -> "Scenario":
        """Return a copy with nested values changed; None takes a treatment or the taper out of the plan.

        >>> late = Scenario.load("early-pt").change(name="late", care={"physical_therapy": {"start_week": 8}})
        >>> late.care.treatments["physical_therapy"].start_week
        8
        """
        return Scenario.from_dict(_merge(self.model_dump(exclude_none=True), changes), where=f"change of {self.name}")

    def to_toml(self) -> str:
        """Write the scenario as TOML, complete: `Scenario.load` of the text gives an equal scenario."""
        return tomli_w.dumps(self.model_dump(exclude_none=True))

    def baseline_plan(self) -> CarePlan:
        """The care plan that the scenario is held against."""
        if isinstance(self.baseline, CarePlan):
            return self.baseline
        return self.care if self.baseline == self.name else Scenario.load(self.baseline).care

    def fingerprint(self) -> str:
        """SHA-256 of the scenario with its baseline plan written out; equal content gives equal text."""
        content = self.model_dump(mode="json", exclude_none=True) | {"baseline_plan": self.baseline_plan().as_dict()}
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def difference(self, other: "Scenario") -> str:
        """Say in plain words how this scenario's care differs from another's."""
        return plan_difference(self.care, other.care)

    def __str__(self) -> str:
        condition = catalog.labels("conditions")[self.population.condition]
        lines = [f"{self.title} ({condition}, {self.weeks} weeks)", self.question]
        difference = plan_difference(self.care, self.baseline_plan())
        return "\n".join([*lines, f"The plan: {plan_words(self.care)}", f"Against the baseline: {difference}"])


def _flat(plan: CarePlan) -> dict[tuple[str, ...], float]:
    flat: dict[tuple[str, ...], float] = {}
    for name, value in plan.as_dict().items():
        if isinstance(value, dict):
            flat |= {(name, key): one for key, one in value.items()}
        else:
            flat[name,] = value
    return flat


def _say(value: float) -> str:
    return f"{value:g}"


def _phrases(table: dict[tuple[str, ...], float]) -> str:
    """Say a plan's table: its start, then what is not usual."""
    known = levers()
    telling = {path: value for path, value in table.items() if path[-1] == "start_week" or not _is_usual(path, value)}
    said = [known[path].words.format(_say(value)) for path, value in telling.items()]
    return f"{known[next(iter(table))].section} {', '.join(said) or 'is usual'}."


def _is_usual(path: tuple[str, ...], value: float) -> bool:
    """Whether a value is the treatment's usual order, or the default of its field; prescribing and follow-up are always said."""
    if path[0] in catalog.treatments():
        usual = catalog.treatments()[path[0]].order
        return value == usual.get(path[1], TreatmentOrder.model_fields[path[1]].default)
    return False


def _tables(plan: CarePlan) -> dict[str, dict[tuple[str, ...], float]]:
    tables: dict[str, dict[tuple[str, ...], float]] = {}
    for path, value in _flat(plan).items():
        tables.setdefault(path[0], {})[path] = value
    return tables


def plan_words(plan: CarePlan) -> str:
    """Say a whole care plan in sentences."""
    return " ".join(_phrases(table) for table in _tables(plan).values())


def plan_difference(new: CarePlan, old: CarePlan) -> str:
    """Differences of two care plans as sentences; says so if there are none."""
    known: dict[tuple[str, ...], Lever] = levers()
    after, before = _tables(new), _tables(old)
    sentences = []
    for name in dict.fromkeys([*after, *before]):
        ours, theirs = after.get(name, {}), before.get(name, {})
        section = known[next(iter(ours or theirs))].section
        if not theirs:
            sentences.append(_phrases(ours))
        elif not ours:
            sentences.append(f"{section} is left out.")
        else:
            changed = {path: value for path, value in ours.items() if value != theirs.get(path)}
            said = [known[p].words.format(_say(v)) + (f" instead of {_say(theirs[p])}" if p in theirs else "") for p, v in changed.items()]
            if said:
                sentences.append(f"{section} {', '.join(said)}.")
    return " ".join(sentences) or "The care is the same."


def _merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def _shipped_path(name: str) -> Path:
    folder = data_folder() / "scenarios"
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if not _NAME.fullmatch(name):
        raise InputError(
            f'"{name}" is not the name of a scenario',
            expected="a plain name such as early-pt, or the path of a file that ends in .toml",
            mend="Names never hold a folder; see `painlab list` for those that ship.",
        )
    if name not in known:
        raise InputError(f'there is no scenario "{name}"{nearest(name, known)}', expected=f"one of {', '.join(known)}")
    return folder / f"{name}.toml"


def _read(path: Path) -> dict[str, Any]:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(f"the file has {size:,} bytes", where=path.name, expected=f"a scenario of at most {MAX_FILE_BYTES:,} bytes")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise InputError(
            "no such file", where=str(path), mend="Check the path, or see `painlab list` for the scenarios that ship."
        ) from None
    except UnicodeDecodeError:
        raise InputError("not a text file", where=path.name, expected="a scenario in TOML, UTF-8") from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", where=str(path), expected="a readable TOML file") from None
    if not text.strip():
        raise InputError(
            "the file is empty", where=path.name, expected="a scenario in TOML", mend="Start from one that ships: `painlab show early-pt`."
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not readable as TOML ({error})", where=path.name, mend="Mend the line that is named.") from None


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """Keys that were possible at the place of an unknown one."""
    models: dict[str, type[Strict]] = {"population": Population, "arrivals": Arrivals, **SECTIONS}
    parents = [part for part in location[:-1] if isinstance(part, str)]
    if not parents:
        return list(Scenario.model_fields)
    last = parents[-1]
    if last in ("care", "baseline", "CarePlan"):
        return [*(key for key in CarePlan.model_fields if key != "treatments"), *catalog.treatments()]
    return list(models.get(last, TreatmentOrder).model_fields)


def _explain(error: ValidationError, where: str) -> InputError:
    """Turn pydantic's first complaint into one paragraph that names the key, what was expected and the mend."""
    first = next((one for one in error.errors() if one["loc"][-2:] != ("baseline", "str")), error.errors()[0])
    if isinstance(first.get("ctx", {}).get("error"), InputError):
        inner = first["ctx"]["error"]
        return InputError(inner.problem, where=f"{where}, key baseline", expected=inner.expected, mend=inner.mend)
    location = first["loc"]
    key = ".".join(str(part) for part in location if part not in ("treatments", "CarePlan", "str"))
    place = f"{where}, key {key}" if key else where
    given = first["input"]
    if first["type"] == "extra_forbidden":
        known = _known_keys(location)
        return InputError(
            f'unknown key "{location[-1]}"{nearest(str(location[-1]), known)}', where=place, expected=f"one of {', '.join(known)}"
        )
    if first["type"] == "missing":
        extra = ' Name the comparison, for example baseline = "usual-care".' if key == "baseline" else ""
        return InputError(f'the key "{location[-1]}" is missing', where=place, mend=f"Add it.{extra}")
    message = first["msg"].removeprefix("Value error, ")
    shown = repr(given) if not isinstance(given, dict | list) else type(given).__name__
    bounds = _bounds(location)
    return InputError(
        f"{shown[:80]} cannot be used: {message[0].lower()}{message[1:]}", where=place, expected=bounds, mend="Change the value."
    )


def _bounds(location: tuple[int | str, ...]) -> str:
    if location == ("weeks",):
        return f"a whole number of weeks from 1 to {MAX_WEEKS}"
    path = tuple(str(part) for part in location if part not in ("treatments", "CarePlan", "care", "baseline"))
    if path in levers():
        one = levers()[path]
        return f"{_say(one.low)} to {_say(one.high)} ({one.unit})"
    return ""


@cache
def shipped() -> tuple[Scenario, ...]:
    """The scenarios that ship, the baseline first."""
    folder = data_folder() / "scenarios"
    every = [Scenario.load(path) for path in sorted(folder.glob("*.toml"))]
    return tuple(sorted(every, key=lambda one: (one.baseline != one.name, one.name)))


def scenarios() -> pl.DataFrame:
    """Scenarios that ship: columns name, condition, title, question."""
    return pl.DataFrame(
        [{"name": s.name, "condition": s.population.condition, "title": s.title, "question": s.question} for s in shipped()]
    )
