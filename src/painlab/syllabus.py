"""What the file of a lesson says: its explorers, predictions, exercises and evidence, read and checked.

data/README.md documents the keys.
"""

import hashlib
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_validator, model_validator

from painlab import evidence, parameters
from painlab.errors import InputError
from painlab.fields import Strict
from painlab.outcomes import BY_NAME, OPEN_COHORT_OUTCOMES
from painlab.scenario import Scenario
from painlab.tables import nearest, read_toml

VIEWS: Final = ("difference", "demand", "body", "lives", "phase")
GROUPS: Final = ("refer", "move", "inject", "prescribe", "taper", "other", "people")
WHOLE_HORIZON: Final = -1
"""In place of a week: the mean over all weeks."""
_START: Final = "data/lessons/*.toml of PainLab are examples; data/README.md documents the keys."
_NAMES: Final = ("truth", "low", "high", "guess", "size")

Text = Annotated[str, Field(min_length=1, description="a text in quotes that is not empty")]
Texts = Annotated[tuple[Text, ...], Field(strict=False, description='a list of texts, such as ["one", "another"]')]
Ids = Annotated[tuple[str, ...], Field(strict=False, description="a list of ids in data/evidence.csv")]
Links = Annotated[tuple[str, ...], Field(strict=False, description=f"a list of {', '.join(parameters.LINKS)}")]
Number = Annotated[float, Field(description="a number")]
Positive = Annotated[float, Field(gt=0.0, description="a number above 0")]
Week = Annotated[int, Field(ge=WHOLE_HORIZON, description="a whole week from 0 to the end of the scenario, or -1 for the mean over all")]
Change = Annotated[dict[str, Any], Field(description="nested values, as Scenario.change takes; false takes a treatment or the taper out")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9]+([_-][a-z0-9]+)*$", description="lower-case letters, digits and single hyphens")]


class Asked(Strict):
    """A scenario that ships, changed, perhaps with links of the cycle cut."""

    scenario: Annotated[str, Field(description="the name of a scenario that ships")]
    change: Change = Field(default_factory=dict)
    cut: Links = ()

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        self.asked()
        _all_known("link of the cycle", self.cut, parameters.LINKS)
        return self

    def asked(self) -> Scenario:
        """The scenario, changed."""
        if self.scenario.endswith(".toml"):
            raise InputError(f'"{self.scenario}" is a file', expected="the name of a scenario that ships, such as early-pt")
        shipped = Scenario.load(self.scenario)
        return shipped.change(**_removals(self.change)) if self.change else shipped


class Truth(Asked):
    """What a run says: one outcome in one week, of both arms or of one.

    `of`: `difference` from the baseline; the same as `percent` of the baseline; level of the `scenario` or of the `baseline`; or `cut`, the
    plan with the links cut less the same plan with the whole cycle.
    """

    outcome: Annotated[str, Field(description="the name of an outcome")]
    week: Week
    of: Annotated[Literal["difference", "percent", "scenario", "baseline", "cut"], Field(description="what is compared")]

    @model_validator(mode="after")
    def _is_counted(self) -> Self:
        scenario = self.asked()
        _all_known("outcome", [self.outcome], BY_NAME)
        if scenario.population.arrivals is None and self.outcome in {one.name for one in OPEN_COHORT_OUTCOMES}:
            raise InputError(f'"{self.outcome}" is only counted where patients arrive', expected="a scenario with arrivals")
        if self.week > scenario.weeks:
            raise InputError(f"week {self.week} is after the end", expected=f"a week from 0 to {scenario.weeks}, or -1")
        if self.of == "cut" and not self.cut:
            raise InputError('of = "cut", but no link is cut', expected="the links to cut, under the key cut")
        return self


class Goal(Strict):
    """What a plan made in an explorer has to reach: one limit on one outcome, and perhaps a second."""

    explorer: Name
    outcome: Annotated[str, Field(description="the name of an outcome")]
    week: Week
    of: Literal["difference", "percent", "scenario"] = "difference"
    at_most: Number | None = None
    at_least: Number | None = None
    and_outcome: Annotated[str, Field(description="the name of an outcome")] | None = None
    and_week: Week | None = None
    and_of: Literal["difference", "percent", "scenario"] = "difference"
    and_at_most: Number | None = None
    and_at_least: Number | None = None

    @model_validator(mode="after")
    def _has_limits(self) -> Self:
        for first in (True, False):
            name = self.outcome if first else self.and_outcome
            limits = (self.at_most, self.at_least) if first else (self.and_at_most, self.and_at_least)
            if name is not None:
                _all_known("outcome", [name], BY_NAME)
            start = "" if first else "and_"
            if (name is None) != (limits == (None, None)):
                raise InputError(f"{start}outcome and its limit do not go together", expected=f"{start}at_most or {start}at_least with it")
        return self

    def parts(self) -> tuple[tuple[str, int, str, float | None, float | None], ...]:
        """Each limit as outcome, week, of, at most, at least."""
        first = (self.outcome, self.week, self.of, self.at_most, self.at_least)
        if self.and_outcome is None:
            return (first,)
        week = self.week if self.and_week is None else self.and_week
        return first, (self.and_outcome, week, self.and_of, self.and_at_most, self.and_at_least)


class Explorer(Asked):
    """An explorer preset to the point: scenario, first view, groups of levers that are shown, and what to try."""

    id: Name
    view: Literal["difference", "demand", "body", "lives", "phase"] = "difference"
    groups: Annotated[tuple[str, ...], Field(strict=False, description=f"a list of {', '.join(GROUPS)}")] | None = None
    tries: Annotated[str, Field(alias="try", min_length=1, description="what to do with it, in a few sentences")]

    @field_validator("groups")
    @classmethod
    def _known_groups(cls, groups: tuple[str, ...] | None) -> tuple[str, ...] | None:
        _all_known("group of levers", groups or (), GROUPS)
        return groups


class Prediction(Strict):
    """A number that is guessed before the model says it; within `close` of its mean is close."""

    id: Name
    ask: Text
    unit: Annotated[str, Field(description="a text in quotes")]
    low: Number
    high: Number
    step: Positive
    truth: Truth
    close: Positive
    reveal: Text
    note: str = ""

    @field_validator("reveal")
    @classmethod
    def _known_names(cls, text: str) -> str:
        try:
            used = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        except ValueError as error:
            raise InputError(f"the braces do not match ({error})", expected="{truth} and the like, with both braces") from None
        for name in used:
            if name not in _NAMES:
                raise InputError(f'unknown name "{{{name}}}"', expected=f"one of {', '.join(f'{{{one}}}' for one in _NAMES)}")
        return text

    @model_validator(mode="after")
    def _has_a_range(self) -> Self:
        if not self.low < self.high or self.step > self.high - self.low:
            raise InputError(
                f"low {self.low:g}, high {self.high:g} and step {self.step:g} make no range", expected="low < high, and a step that fits"
            )
        return self


class Exercise(Strict):
    """A task that checks itself: one of several options, a number, or a plan made in an explorer."""

    id: Name
    kind: Literal["choice", "number", "plan"]
    ask: Text
    options: Texts = ()
    answer: Annotated[int, Field(ge=0, description="the place of the right option, from 0")] | None = None
    truth: Truth | None = None
    close: Positive | None = None
    unit: Annotated[str, Field(description="a text in quotes")] = ""
    step: Positive = 0.1
    goal: Goal | None = None
    why: Text
    hint: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needed = {"choice": ("options", "answer"), "number": ("truth", "close"), "plan": ("goal",)}
        for kind, keys in needed.items():
            for key in keys:
                there = getattr(self, key) not in (None, ())
                if there != (kind == self.kind):
                    wanted = f"the key {key}" if kind == self.kind else f"no key {key}, which goes with {kind}"
                    raise InputError(f'an exercise of kind "{self.kind}" {"has" if there else "lacks"} the key {key}', expected=wanted)
        if self.kind == "choice" and not (len(self.options) > 1 and (self.answer or 0) < len(self.options)):
            raise InputError(f"answer = {self.answer} with {len(self.options)} options", expected="two options or more, counted from 0")
        return self

    def order(self) -> tuple[int, ...]:
        """The order in which options are shown, as places in `options`: mixed, and always the same, so that no place is the likely one."""
        return tuple(sorted(range(len(self.options)), key=lambda place: hashlib.sha256(self.options[place].encode()).digest()))


class Facilitator(Strict):
    """What only the instructor's version shows."""

    before: Text
    after: Text
    misconceptions: Texts = ()


class Outline(Strict):
    """One lesson: what is asked, shown, predicted, tried and held against it."""

    stem: str
    title: Text
    question: Text
    minutes: Annotated[int, Field(ge=20, le=40, description="a whole number of minutes from 20 to 40")]
    objectives: Annotated[Texts, Field(min_length=1)]
    against: Annotated[Ids, Field(min_length=1)]
    against_words: Text
    reading: Annotated[Ids, Field(min_length=1)]
    facilitator: Facilitator
    explorers: tuple[Explorer, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    exercises: tuple[Exercise, ...] = ()

    @field_validator("against", "reading")
    @classmethod
    def _known_ids(cls, ids: tuple[str, ...]) -> tuple[str, ...]:
        _all_known("id of the evidence", ids, evidence.estimates()["id"].to_list())
        return ids

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for parts in (self.explorers, self.predictions, self.exercises):
            ids = [one.id for one in parts]
            twice = next((one for one in ids if ids.count(one) > 1), None)
            if twice is not None:
                raise InputError(f'the id "{twice}" is there twice', expected="an id of its own for each of a kind", mend="Rename one.")
        for exercise in self.exercises:
            if exercise.goal is not None:
                explorer = self.part("explorers", exercise.goal.explorer)
                weeks = explorer.asked().weeks
                if any(week > weeks for _, week, *_ in exercise.goal.parts()):
                    raise InputError(f'the goal of "{exercise.id}" lies after the explorer\'s end', expected=f"a week from -1 to {weeks}")
        return self

    def part(self, kind: Literal["explorers", "predictions", "exercises"], id_: str) -> Any:
        """One explorer, prediction or exercise by its id. Raises InputError with the nearest one."""
        known = {one.id: one for one in getattr(self, kind)}
        if id_ not in known:
            raise InputError(
                f'there is no {kind[:-1]} "{id_}"{nearest(id_, known)}',
                where=f"{self.stem}.toml",
                expected=f"one of {', '.join(known)}" if known else f"a [[{kind}]] in the file",
                mend="Correct the id, or add it to the lesson's file.",
            )
        return known[id_]


_PARTS: Final[dict[str, type[Strict]]] = {"explorers": Explorer, "predictions": Prediction, "exercises": Exercise}
_INNER: Final[dict[str, type[Strict]]] = {"truth": Truth, "goal": Goal, "facilitator": Facilitator}
_Model = TypeVar("_Model", bound=Strict)


def read(path: Path) -> Outline:
    """Read and check a lesson's file. Raises InputError naming file, key, what was expected and how to mend it."""
    given = dict(read_toml(path, "a lesson in TOML", _START))
    for key, model in _PARTS.items():
        rows = given.get(key, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InputError(f"{key} is no list of tables", where=path.name, expected=f"[[{key}]] above each", mend=_START)
        places = [f'{path.name}, [[{key}]] "{row.get("id", number)}"' for number, row in enumerate(rows, 1)]
        given[key] = tuple(_checked(model, row, place) for row, place in zip(rows, places, strict=True))
    if "stem" in given:
        raise InputError('unknown key "stem"', where=path.name, expected="no such key: it is the file's name", mend="Take it out.")
    return _checked(Outline, {"stem": path.stem} | given, path.name)


def _checked(model: type[_Model], given: dict[str, Any], where: str) -> _Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise _explain(error, model, where) from None


def _explain(error: ValidationError, model: type[Strict], where: str) -> InputError:
    """Turn pydantic's first complaint into an InputError with the key, what was expected and the mend; a misspelt key is said first."""
    every = error.errors()
    first = next((one for one in every if one["type"] == "extra_forbidden"), every[0])
    location = [str(part) for part in first["loc"] if isinstance(part, str)]
    place = f"{where}, key {'.'.join(location)}" if location else where
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, InputError):
        return InputError(cause.problem, where=place, expected=cause.expected, mend=cause.mend or f"Change it. {_START}")
    owner = _INNER.get(location[-2], model) if len(location) > 1 else model
    fields = {field.alias or name: field for name, field in owner.model_fields.items() if name != "stem"}
    last = location[-1] if location else ""
    if first["type"] == "extra_forbidden":
        problem = f'unknown key "{last}"{nearest(last, fields)}'
        return InputError(problem, where=place, expected=f"one of {', '.join(fields)}", mend="Correct the key, or take it out.")
    expected = _expected(first, fields[last].description if last in fields else None, last)
    if first["type"] == "missing":
        return InputError(f'the key "{last}" is missing', where=place, expected=expected, mend=f"Add it. {_START}")
    shown = repr(first["input"])
    return InputError(
        f"{shown if len(shown) <= 60 else shown[:60] + '...'} cannot stand here", where=place, expected=expected, mend="Change the value."
    )


def _expected(complaint: Any, described: str | None, key: str) -> str:
    context = complaint.get("ctx", {})
    if complaint["type"] == "literal_error":
        return f"one of {context['expected']}"
    if key in _INNER:
        return f"a table with the keys {', '.join(_INNER[key].model_fields)}"
    return described or "a value as in the lessons that ship"


def _removals(change: dict[str, Any]) -> dict[str, Any]:
    """A change in which false, for TOML has no null, takes a treatment or the taper out; a trial's switch `sham` stays what it is."""

    def one(key: str, value: Any) -> Any:
        return _removals(value) if isinstance(value, dict) else None if value is False and key != "sham" else value

    return {key: one(key, value) for key, value in change.items()}


def _all_known(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    every = list(known)
    for name in names:
        if name not in every:
            shown = f"one of {', '.join(every)}" if len(every) <= 30 else "an id that is there; `painlab evidence` lists them"
            raise InputError(f'unknown {what} "{name}"{nearest(name, every)}', expected=shown, mend="Correct it.")
