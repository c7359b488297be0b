"""What ships as data beside the parameters: conditions, personal goals and treatments, read from data/*.toml and checked."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from painlab import evidence
from painlab.care import PARAMETER_FIELDS, TreatmentField
from painlab.errors import InputError
from painlab.parameters import treatment_values, values
from painlab.tables import data_folder, nearest

DRIVERS: Final = ("mechanical", "inflammatory", "neuropathic", "muscular")
KINDS: Final = ("program", "injection", "drug")
MIXED_GOALS: Final = "mixed"


class Condition(NamedTuple):
    """Numbers of one condition, as compiled code takes them; units and sources are in data/conditions.toml and parameters.csv."""

    pain: float
    pain_sd: float
    weeks_before: float
    lasting_share: float
    course_weeks: float
    flares_per_year: float
    mechanical: float
    inflammatory: float
    neuropathic: float
    muscular: float
    age: float
    age_sd: float
    opioid_start: float
    opioid_response: float
    exercise_response: float
    opioid_stop: float


UNCERTAIN: Final = ("lasting_share", "course_weeks", "opioid_start", "opioid_response", "exercise_response", "opioid_stop")
"""Columns of a condition that are parameters, named `condition.column`."""
_STATED: Final = tuple(field for field in Condition._fields if field not in UNCERTAIN)
_BOUNDS: Final = {
    "pain": (0, 10),
    "pain_sd": (0, 5),
    "weeks_before": (0, 1000),
    "age": (0, 110),
}


_ORDER: Final = {"start_week": (0, 104), "weeks": (1, 104), "sessions_per_week": (0.25, 5)}


class Treatment(NamedTuple):
    """What a treatment is, apart from its sizes of effect."""

    name: str
    number: int  # place in the catalog from 1; part of the random numbers' key
    label: str
    kind: str
    targets: tuple[str, ...]
    referral: bool
    exercise: bool
    evidence: str
    known: str
    order: dict[str, float]

    def row(self, of: Mapping[str, float], exercise_response: float) -> np.ndarray:
        """Return the treatment's row for the engine, shape (len(TreatmentField),), from a set of parameter values.

        The condition's response to exercise scales what exercise does to pain: its direct and its contextual relief.
        """
        row = np.zeros(len(TreatmentField))
        row[: len(PARAMETER_FIELDS)] = treatment_values(of, self.name, tuple(field.name.lower() for field in PARAMETER_FIELDS))
        for driver in self.targets:
            row[TreatmentField[f"TARGET_{driver.upper()}"]] = 1.0
        row[TreatmentField.REFERRAL] = self.referral
        row[TreatmentField.COUNTS_SESSION] = self.kind == "program"
        row[TreatmentField.COUNTS_INJECTION] = self.kind == "injection"
        row[TreatmentField.EXERCISE] = self.exercise
        if self.exercise:
            row[TreatmentField.RELIEF] *= exercise_response
            row[TreatmentField.CONTEXTUAL] *= exercise_response
        return row


def _tables(name: str, path: Path | None) -> tuple[Path, dict[str, Any]]:
    path = path or data_folder() / name
    try:
        return path, tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not readable as TOML ({error})", where=path.name) from None


def _check_keys(table: dict[str, Any], expected: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in expected:
            raise InputError(f'unknown key "{key}"{nearest(key, expected)}', where=where, expected=f"the keys {', '.join(expected)}")
    for key in expected:
        if key not in table:
            raise InputError(f"missing key {key}", where=where, expected=f"the keys {', '.join(expected)}")


def _check_number(value: Any, key: str, low: float, high: float, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{key} is {value!r}", where=where, expected=f"a number from {low} to {high}")


@cache
def conditions(path: Path | None = None) -> dict[str, Condition]:
    """Conditions by name, at the central values of their parameters.

    Raises InputError naming file, condition and key for a missing source, a missing parameter or an impossible value.
    """
    path, tables = _tables("conditions.toml", path)
    central = values()
    found = {}
    for name, table in tables.items():
        where = f"{path.name}, [{name}]"
        _check_keys(table, ("label", *_STATED, "sources"), where)
        _check_keys(table["sources"], _STATED, f"{where} sources")
        for field in _STATED:
            low, high = _BOUNDS.get(field, (0.0, 100.0 if field in ("flares_per_year", "age_sd") else 2.0))
            value = table[field]
            _check_number(value, field, low, high, where)
            evidence.check_value_source(table["sources"][field], f"{where}, {field}")
        if abs(sum(table[driver] for driver in DRIVERS) - 1.0) > 1e-9:
            raise InputError("the drivers do not sum to 1", where=where, expected=f"{', '.join(DRIVERS)} with a sum of 1")
        for field in UNCERTAIN:
            if f"{name}.{field}" not in central:
                mend = "Add the row; another condition's is an example."
                raise InputError(
                    f"the condition has no {field}", where=where, expected=f"a row {name}.{field} in parameters.csv", mend=mend
                )
        found[name] = Condition(**{field: float(central.get(f"{name}.{field}", table.get(field))) for field in Condition._fields})
    return found


def condition(name: str, of: Mapping[str, float]) -> Condition:
    """A condition under a set of parameter values."""
    return conditions()[name]._replace(**{field: of[f"{name}.{field}"] for field in UNCERTAIN})


@cache
def labels(kind: str) -> dict[str, str]:
    """Readable labels by name of the shipped `conditions`, `goals` or `treatments`."""
    return {name: table["label"] for name, table in _tables(f"{kind}.toml", None)[1].items()}


@cache
def goals(path: Path | None = None) -> dict[str, tuple[float, float]]:
    """Personal goals by name: thresholds on activity and on strength (0-1). Raises InputError as `conditions` does."""
    path, tables = _tables("goals.toml", path)
    for name, table in tables.items():
        where = f"{path.name}, [{name}]"
        _check_keys(table, ("label", "activity", "strength", "source"), where)
        for key in ("activity", "strength"):
            _check_number(table[key], key, 0, 1, where)
        evidence.check_value_source(table["source"], where)
    return {name: (float(table["activity"]), float(table["strength"])) for name, table in tables.items()}


@cache
def treatments(path: Path | None = None) -> dict[str, Treatment]:
    """Treatments by name, in the catalog's order."""
    path, tables = _tables("treatments.toml", path)
    found = {}
    for number, (name, table) in enumerate(tables.items(), start=1):
        where = f"{path.name}, [{name}]"
        _check_keys(table, tuple(field for field in Treatment._fields if field not in ("name", "number")), where)
        for driver in table["targets"]:
            if driver not in DRIVERS:
                raise InputError(
                    f'unknown target "{driver}"{nearest(driver, DRIVERS)}', where=where, expected=f"some of {', '.join(DRIVERS)}"
                )
        for flag in ("referral", "exercise"):
            if not isinstance(table[flag], bool):
                raise InputError(f"{flag} is {table[flag]!r}", where=where, expected="true or false")
        _check_keys(table["order"], tuple(_ORDER), f"{where}, order")
        for key, (low, high) in _ORDER.items():
            _check_number(table["order"][key], key, low, high, f"{where}, order")
        if not isinstance(table["kind"], str) or table["kind"] not in KINDS:
            raise InputError(
                f'unknown kind "{table["kind"]}"{nearest(str(table["kind"]), KINDS)}', where=where, expected=f"one of {', '.join(KINDS)}"
            )
        evidence.check_source(table["evidence"], where)
        found[name] = Treatment(name=name, number=number, **{**table, "targets": tuple(table["targets"])})
    return found
