"""Every lever of a scenario by the words that name it in a file: care, patients, horizon, and what is assumed in place of the model."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final, NamedTuple

import polars as pl

from painlab import catalog, parameters
from painlab.arrivals import Arrivals
from painlab.errors import InputError
from painlab.fields import Lever, Strict, lever_of
from painlab.orders import TreatmentOrder
from painlab.plan import SECTIONS, CarePlan
from painlab.plan import levers as plan_levers
from painlab.population import Population
from painlab.scenario import MAX_WEEKS, Scenario
from painlab.tables import nearest, printable

CARE: Final = "plan"
BOTH: Final = "both arms"
_TRAITS_OF_CONDITION: Final = ("pain", "pain_sd", "weeks_before", "age")


class Placed(NamedTuple):
    """A lever and where it acts.

    key: its name, as `physical_therapy.start_week`, `population.pain`, `assume.weakness_pain` or `weeks`. whole: whether it takes whole
    numbers only. acts_on: `plan` if it changes only the scenario's care, `both arms` if it changes the baseline's patients or model too.
    """

    key: str
    lever: Lever
    whole: bool
    acts_on: str

    @property
    def range(self) -> str:
        """The values it takes, in words: `a whole number from 0 to 104 (weeks)`."""
        unit = "" if self.lever.unit in ("0-1", "share", "1") else f" ({self.lever.unit})"
        return f"{'a whole number' if self.whole else 'a number'} from {_figure(self.lever.low)} to {_figure(self.lever.high)}{unit}"


@cache
def known() -> dict[str, Placed]:
    """Every lever by its key, in the order of a scenario's file: the horizon, patients, care, and parameters of the model."""
    horizon = Lever(
        ("weeks",), "Horizon", "horizon", 1, MAX_WEEKS, 1, "weeks", "runs over {} weeks", "Weeks that are projected.", "assumption",
        {"half a year": 26, "one year": 52, "two years": 104},
    )  # fmt: skip
    found = [Placed("weeks", horizon, True, BOTH)]
    for model, path in ((Population, ("population",)), (Arrivals, ("population", "arrivals"))):
        fields = {name: field for name, field in model.model_fields.items() if field.json_schema_extra}
        for name, field in fields.items():
            one = lever_of((*path, name), "Arrivals" if model is Arrivals else "Patients", field)
            found.append(Placed(".".join(one.path), one, _whole(model, name), BOTH))
    for words, one in plan_levers().items():
        owner = CarePlan if len(words) == 1 else SECTIONS.get(words[0], TreatmentOrder)
        found.append(Placed(".".join(words), one._replace(path=("care", *words)), _whole(owner, words[-1]), CARE))
    for record in parameters.records().values():
        if record.low < record.high:
            levels = {"low": record.low, "central": record.value, "high": record.high}
            one = Lever(
                ("assume", "values", record.name), "The model", record.name.replace("_", " ").replace(".", ", "), record.low, record.high,
                (record.high - record.low) / 100.0, record.unit, f"assumes {record.name} of {{}}", record.meaning, record.source, levels,
            )  # fmt: skip
            found.append(Placed(f"assume.{record.name}", one, False, BOTH))
    return {one.key: one for one in found}


def find(key: str) -> Placed:
    """The lever of a name; `care.` before a plan's lever may be left out or said.

    Raises InputError with the nearest name for one that is not there, or that is no lever.

    >>> find("care.physical_therapy.start_week").range
    'a whole number from 0 to 104 (weeks)'
    """
    every = known()
    plain = key.strip()
    for name in (plain, plain.removeprefix("care.")):
        if name in every:
            return every[name]
    record = parameters.records().get(plain.removeprefix("assume."))
    shown = printable(plain, 80)
    if record is not None and record.low == record.high:
        raise InputError(f"{record.name} is fixed at {record.value:g}", expected="a parameter with a range", mend="Leave it out.")
    if record is not None:
        raise InputError(f'there is no lever "{shown}" (did you mean "assume.{record.name}"?)', expected="a name from `painlab levers`")
    raise InputError(
        f'there is no lever "{shown}"{nearest(plain[:80], every)}',
        expected="a name such as physical_therapy.start_week, population.pain, assume.weakness_pain or weeks",
        mend="`painlab levers` lists them all.",
    )


def checked(placed: Placed, value: Any) -> float | int:
    """A lever's value from a number, a number in words, or one of its named levels.

    Raises InputError with the range, or the nearest level, for anything else.

    >>> checked(find("physical_therapy.start_week"), "after 2 weeks"), checked(find("population.pain"), "severe")
    (2, 7.5)
    """
    levels = placed.lever.levels
    expected = f"{placed.range}, or a level ({', '.join(levels)})"
    given = value
    if isinstance(value, str):
        word = value.strip()
        try:
            given = levels[word] if word in levels else float(word)
        except ValueError:
            problem = f'"{printable(word, 60)}" is no number and no level{nearest(word[:60], levels)}'
            raise InputError(problem, expected=expected) from None
    if isinstance(given, bool) or not isinstance(given, int | float) or given != given:
        raise InputError(f"{printable(repr(value), 60)} is not a number", expected=expected)
    if not placed.lever.low <= given <= placed.lever.high:
        raise InputError(f"{given:g} is too {'small' if given < placed.lever.low else 'large'}", expected=expected)
    if not placed.whole:
        return float(given)
    if given != int(given):
        raise InputError(f"{given:g} is not a whole number", expected=expected)
    return int(given)


def value_in(scenario: Scenario, key: str) -> tuple[float | None, str]:
    """A lever's value in a scenario, and a remark where the scenario itself does not state it.

    The value is None where there is none: a treatment that is not ordered, no taper, a closed cohort's arrivals, a parameter that is drawn.
    """
    path = find(key).lever.path
    if path[0] == "weeks":
        return float(scenario.weeks), ""
    if path[0] == "assume":
        stated = {} if scenario.assume is None else scenario.assume.values
        return (stated[path[2]], "") if path[2] in stated else (None, "drawn")
    if path[0] == "care":
        plan = scenario.care.as_dict()
        if len(path) == 2:
            return float(plan[path[1]]), ""
        if path[1] not in plan:
            return None, "no taper" if path[1] == "taper" else "not ordered"
        held = plan[path[1]].get(path[2])
        return (None, "the plan's coordination" if path[2] == "handover" else "by the handover") if held is None else (float(held), "")
    if len(path) == 3:
        arrivals = scenario.population.arrivals
        return (None, "closed cohort") if arrivals is None else (float(getattr(arrivals, path[2])), "")
    held = getattr(scenario.population, path[1])
    if held is None and path[1] in _TRAITS_OF_CONDITION:
        return float(getattr(catalog.conditions()[scenario.population.condition], path[1])), "the condition's"
    return float(held), ""


def changes(values: dict[str, float | int]) -> dict[str, Any]:
    """Levers by key with their values, as the nested changes that `Scenario.change` takes."""
    nested: dict[str, Any] = {}
    for key, value in values.items():
        *tables, last = find(key).lever.path
        place = nested
        for table in tables:
            place = place.setdefault(table, {})
        place[last] = value
    return nested


def levers(scenario: Scenario | str | None = None, *, keys: Iterable[str] | None = None) -> pl.DataFrame:
    """Every lever that `painlab.grid` and `painlab sweep --lever` take.

    Parameters
    ----------
    scenario
        A Scenario, or the name, path or code of one, whose values are listed too.
    keys
        Only these levers.

    Returns
    -------
    Columns lever (its key), section, label, value and remark (with a scenario: its value, and why there is none or whose it is), low, high,
    unit, whole (whether only whole numbers fit), levels (its named levels), acts_on (`plan`, or `both arms`), meaning, source.

    Raises InputError for an unknown scenario or lever.

    >>> levers("early-pt", keys=["physical_therapy.start_week"]).select("value", "low", "high", "unit").row(0)
    (0.0, 0.0, 104.0, 'weeks')
    """
    chosen = Scenario.load(scenario) if isinstance(scenario, str) else scenario
    rows = []
    for placed in known().values() if keys is None else [find(key) for key in keys]:
        one = placed.lever
        value, remark = (None, "") if chosen is None else value_in(chosen, placed.key)
        rows.append(
            {
                "lever": placed.key,
                "section": one.section,
                "label": one.label,
                "value": value,
                "remark": remark,
                "low": float(one.low),
                "high": float(one.high),
                "unit": one.unit,
                "whole": placed.whole,
                "levels": ", ".join(f"{name} = {number:g}" for name, number in one.levels.items()),
                "acts_on": placed.acts_on,
                "meaning": one.meaning,
                "source": one.source,
            }
        )
    frame = pl.DataFrame(rows, schema_overrides={"value": pl.Float64}, infer_schema_length=None)
    return frame.drop("value", "remark") if chosen is None else frame


def _whole(model: type[Strict], name: str) -> bool:
    return model.model_fields[name].annotation in (int, int | None)


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:g}"
