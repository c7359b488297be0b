"""What is asked: a population, a horizon, a care plan and the baseline plan to hold it against."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Self

import polars as pl
import tomli_w
from pydantic import Field, ValidationError, field_serializer, field_validator, model_validator

from painlab import catalog, codes
from painlab.arrivals import Arrivals
from painlab.assumptions import Assumptions
from painlab.errors import InputError
from painlab.fields import Strict
from painlab.orders import TreatmentOrder
from painlab.phrases import plan_difference, plan_words
from painlab.plan import SECTIONS, CarePlan
from painlab.population import Population
from painlab.tables import data_folder, nearest, printable, read_toml

MAX_WEEKS: Final = 520
_EXAMPLE: Final = "`painlab show early-pt` has an example."
_CHANGE: Final = "Change the value."
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Scenario(Strict):
    """A question put to the model; a validated TOML file in writing.

    `baseline` is the name of a shipped scenario whose care plan is the comparison, or a care plan of its own. `assume` puts values of one's
    own in place of the model's, in both arms.
    """

    name: str
    title: Annotated[str, Field(min_length=1, max_length=120)]
    question: Annotated[str, Field(min_length=1, max_length=600)]
    weeks: Annotated[int, Field(ge=1, le=MAX_WEEKS)] = 104
    population: Population
    baseline: str | CarePlan
    care: CarePlan = CarePlan()
    assume: Assumptions | None = None

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name) or len(name) > 60:
            raise ValueError(f"{_shown(name)} is not a plain name; expected at most 60 lower-case letters, digits and single hyphens")
        return name

    @field_validator("title", "question")
    @classmethod
    def _plain_text(cls, text: str) -> str:
        if not text.replace("\n", " ").isprintable():  # a terminal would obey it
            raise ValueError("the text holds a control character")
        return text

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
        """Load a shipped scenario by its name, or any scenario from the path of a TOML file (ending in .toml) or from its code.

        Raises InputError naming file and key for anything that cannot be used.
        """
        text = str(name_or_path)
        if codes.is_code(text):
            return cls.from_code(text)
        path = Path(text) if text.endswith(".toml") or isinstance(name_or_path, Path) else _shipped_path(text)
        return cls.from_dict(read_toml(path), where=printable(str(path)) if text.endswith(".toml") else path.name)

    @classmethod
    def from_dict(cls, given: dict[str, Any], *, where: str = "scenario") -> "Scenario":
        """Validate a scenario given as nested dictionaries; raises InputError."""
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise explain(error, where) from None

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

    def assumed(self, values: Mapping[str, float], cut: Iterable[str] = ()) -> tuple[Mapping[str, float], tuple[str, ...]]:
        """Parameter values, and links to cut, with what this scenario assumes in their place or beside them."""
        links = (cut,) if isinstance(cut, str) else tuple(cut)
        if self.assume is None:
            return values, links
        return {**values, **self.assume.values}, tuple(dict.fromkeys((*links, *self.assume.links_cut)))

    def code(self) -> str:
        """A short code for the scenario; `Scenario.load` of it gives an equal one. What a shipped scenario has is not written again."""
        of = next((one for one in shipped() if self.name in (one.name, one.renamed()["name"])), None)
        if of is None:
            return codes.pack(self.model_dump(mode="json", exclude_none=True))
        like = of if self.name == of.name else of.change(**of.renamed())
        change = _changed(like.model_dump(mode="json", exclude_none=True), self.model_dump(mode="json", exclude_none=True))
        renamed = {} if self.name == of.name else {"new": 1}
        return codes.pack({"of": of.name, "is": of.fingerprint()[:6], **renamed, **({"change": change} if change else {})})

    @classmethod
    def from_code(cls, code: str) -> "Scenario":
        """The scenario of a code; raises InputError if it is damaged, or was made where the shipped scenario was another."""
        table = codes.unpack(code)
        if "of" not in table:
            return cls.from_dict(table, where="the scenario code")
        of = cls.load(str(table["of"]))
        if of.fingerprint()[:6] != table.get("is"):
            reason = f"the scenario code changes {of.name}, which is not the same in the version that made the code"
            mend = "Use that version, or have the scenario sent as a TOML file."
            raise InputError(reason, expected="a code from this version of PainLab", mend=mend)
        change = table.get("change", {})
        changes = (of.renamed() if table.get("new") else {}) | (change if isinstance(change, dict) else {})
        return cls.from_dict(_merge(of.model_dump(mode="json", exclude_none=True), changes), where="the scenario code")

    def renamed(self) -> dict[str, Any]:
        """Changes that name a changed copy of this scenario; a baseline is held against itself until it is changed."""
        names: dict[str, Any] = {"name": f"{self.name[:50].rstrip('-')}-changed", "title": f"{self.title[:100]}, changed"}
        return names | ({"baseline": self.care.as_dict()} if self.baseline == self.name else {})

    def baseline_plan(self) -> CarePlan:
        """The care plan that the scenario is held against."""
        if isinstance(self.baseline, CarePlan):
            return self.baseline
        # A changed copy of the baseline keeps its name: it is held against the one that ships, not against itself.
        path = data_folder() / "scenarios" / f"{self.baseline}.toml"
        return _shipped_care(path, path.stat().st_mtime_ns) if path.is_file() else self.care

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


def _changed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Changes that `_merge` turns the one into the other with."""
    changes: dict[str, Any] = {key: None for key in before if key not in after}
    for key, value in after.items():
        if isinstance(value, dict) and isinstance(before.get(key), dict):
            if inner := _changed(before[key], value):
                changes[key] = inner
        elif key not in before or before[key] != value:
            changes[key] = value
    return changes


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


@lru_cache(maxsize=64)
def _shipped_care(path: Path, _changed: int) -> CarePlan:
    """Care of a scenario that ships, read again only when its file has changed."""
    return Scenario.load(path).care


def _shipped_path(name: str) -> Path:
    folder = data_folder() / "scenarios"
    known = sorted(path.stem for path in folder.glob("*.toml"))
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{_shown(name)} is not the name of a scenario",
            expected="a plain name such as early-pt, or the path of a file that ends in .toml",
            mend="Names never hold a folder; see `painlab list` for those that ship.",
        )
    if name not in known:
        raise InputError(
            f"there is no scenario {_shown(name)}{nearest(name[:80], known)}",
            expected=f"one of {', '.join(known)}",
            mend="Choose one of them, or name a file that ends in .toml.",
        )
    return folder / f"{name}.toml"


def _shown(value: Any) -> str:
    """A value as TOML writes it, short and on one line."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return printable(f'"{value}"' if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value), 60)


def explain(error: ValidationError, where: str, models: dict[str, type[Strict]] | None = None, example: str = _EXAMPLE) -> InputError:
    """Turn pydantic's first complaint into an InputError that names the key, what was expected and the mend.

    models are those of tables that a scenario does not have, by their key, and the one of the whole file under an empty key. example says
    where one can be seen.
    """
    every = [one for one in error.errors() if one["loc"][-2:] != ("baseline", "str")] or error.errors()
    # A misspelt key is also a missing one: the spelling is said.
    first = next((one for one in every if one["type"] == "extra_forbidden"), every[0])
    kind, context = first["type"], first.get("ctx", {})
    location = tuple(str(part) for part in first["loc"] if part not in ("treatments", "CarePlan", "str"))
    if isinstance(context.get("error"), InputError):
        return InputError(
            context["error"].problem,
            where=f"{where}, key baseline",
            expected="the name of a scenario that ships, or a care plan as a table [baseline]",
            mend="See `painlab list` for the names.",
        )
    key = ".".join(location)
    place = f"{where}, key {printable(key)}" if key else where
    last = location[-1] if location else ""
    known = _known_keys(location, models)
    if kind == "extra_forbidden" and last not in known:
        problem = f"unknown key {_shown(last)}{nearest(last[:80], known)}"
        return InputError(problem, where=place, expected=f"one of {', '.join(known)}", mend="Correct the key, or take it out.")
    if kind == "missing":
        mend = 'Name the comparison: baseline = "usual-care".' if key == "baseline" else f"Add it; {example}"
        return InputError(f'the key "{last}" is missing', where=place, expected=_expected(location, models) or "a value", mend=mend)
    if kind == "literal_error":
        return InputError(
            f"{_shown(first['input'])} cannot stand here", where=place, expected=f"one of {context['expected']}", mend=_CHANGE
        )
    if kind == "greater_than":
        return InputError(f"{_shown(first['input'])} is too small", where=place, expected=f"a number above {context['gt']:g}", mend=_CHANGE)
    problem, _, expected = _problem(kind, first).partition("; expected ")
    return InputError(problem, where=place, expected=expected or _expected(location, models), mend=_CHANGE)


def _problem(kind: str, complaint: Any) -> str:
    """What is wrong with a value, by pydantic's kind of error."""
    shown = _shown(complaint["input"])
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"{shown} is too {'small' if kind.startswith('greater') else 'large'}"
    if kind in ("string_too_short", "string_too_long"):
        return f"the text has {len(complaint['input']):,} characters"
    if kind == "finite_number":
        return f"{shown} is not a finite number"
    if kind == "value_error":
        return printable(str(complaint["msg"]).removeprefix("Value error, "), 600)
    return f"{shown} cannot stand here"


def _model(location: tuple[str, ...], others: dict[str, type[Strict]] | None = None) -> type[Strict] | None:
    """The model that has the last part of a location as its key."""
    models: dict[str, type[Strict]] = {
        "population": Population,
        "arrivals": Arrivals,
        "assume": Assumptions,
        "care": CarePlan,
        "baseline": CarePlan,
        **SECTIONS,
    }
    models |= others or {}
    return models.get(location[-2], TreatmentOrder) if len(location) > 1 else models.get("", Scenario)


def _known_keys(location: tuple[str, ...], models: dict[str, type[Strict]] | None = None) -> list[str]:
    """Keys that are possible where the last part of a location stands."""
    model = _model(location, models)
    keys = list(model.model_fields) if model else []
    return [*(key for key in keys if key != "treatments"), *catalog.treatments()] if model is CarePlan else keys


def _expected(location: tuple[str, ...], models: dict[str, type[Strict]] | None = None) -> str:
    """What a key takes, from its field: a range with its unit, a text, or a table; an empty string where the problem says it."""
    model = _model(location, models)
    key = location[-1] if location else ""
    if model is CarePlan and key in catalog.treatments():
        return f"a table [{'.'.join(location)}]"
    field = model.model_fields.get(key) if model else None
    if field is None:
        return ""
    if key == "baseline":
        return "the name of a scenario that ships, or a care plan as a table [baseline]"
    extra: Any = field.json_schema_extra or {}
    number = "a whole number" if field.annotation is int else "a number"
    if "low" in extra:
        unit = "" if extra["unit"] in ("0-1", "share") else f" ({extra['unit']})"
        return f"{number} from {extra['low']:,} to {extra['high']:,}{unit}"
    if key == "weeks":
        return f"a whole number of weeks from 1 to {MAX_WEEKS}"
    if field.annotation is str:
        longest = next((one.max_length for one in field.metadata if hasattr(one, "max_length")), None)
        return f"a text of 1 to {longest} characters" if longest else "a text in quotes"
    return f"a table [{'.'.join(location)}]"


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
