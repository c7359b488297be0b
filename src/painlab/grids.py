"""grid(): scenarios made from one by moving levers, every combination or a spread sample of them, each with a name of its own."""

import base64
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from painlab import lever_paths
from painlab.errors import InputError
from painlab.lever_paths import Placed
from painlab.scenario import Scenario
from painlab.tables import printable

MOST_SCENARIOS: Final = 2_000
MOST_LEVERS: Final = 40
_DESIGNS: Final = "full, or latin:200 for a spread sample of 200 points"
_LISTED: Final = 8  # values; more are counted
_FIGURES: Final = 6  # significant figures of a sampled value
Values = str | float | Sequence[Any]


@dataclass(frozen=True)
class Grid:
    """Scenarios that differ in their levers; `sweep` takes it in place of scenarios.

    scenarios: each under its own name. table: a row each, with columns name, `of` (the scenario it was made from) and one for each lever.
    design: `full` or `latin`. seed: of a sample. repeated: points of a sample that fell on one another and are there once.
    """

    scenarios: tuple[Scenario, ...]
    table: pl.DataFrame
    design: str = "full"
    seed: int = 1
    repeated: int = 0

    @property
    def levers(self) -> tuple[str, ...]:
        """Keys of the levers."""
        return tuple(self.table.columns[2:])

    def __iter__(self) -> Iterator[Scenario]:
        return iter(self.scenarios)

    def __len__(self) -> int:
        return len(self.scenarios)

    def record(self) -> dict[str, Any]:
        """The grid as JSON can hold it; `table_of` reads it back."""
        known = {key: lever_paths.find(key) for key in self.levers}
        told = {key: {"label": one.lever.label, "section": one.lever.section, "unit": one.lever.unit} for key, one in known.items()}
        return {"design": self.design, "seed": self.seed, "levers": told, "table": self.table.to_dict(as_series=False)}

    def __str__(self) -> str:
        origins = self.table["of"].unique(maintain_order=True).to_list()
        sampled = f", spread evenly over the ranges (Latin hypercube, seed {self.seed})" if self.design == "latin" else ""
        lines = [f"{len(self):,} scenarios made from {', '.join(origins)}{sampled}:"]
        for key in self.levers:
            placed = lever_paths.find(key)
            values = self.table[key].unique().sort().to_list()
            listed, span = ", ".join(f"{value:g}" for value in values), f"{len(values)} values, {values[0]:g} to {values[-1]:g}"
            said = listed if len(values) <= _LISTED else span
            unit = "" if placed.lever.unit in ("0-1", "1") else f" ({placed.lever.unit})"
            where = "" if placed.acts_on == lever_paths.CARE else ", in both arms"
            lines.append(f"{key}: {words_of(placed)}{unit}{where}: {said}.")
        if self.repeated:
            lines.append(f"{self.repeated:,} points of the sample fell on others and are run once.")
        return "\n".join(lines)


def grid(
    scenarios: Iterable[Scenario | str] | Scenario | str, levers: Mapping[str, Values], *, design: str = "full", seed: int = 1
) -> Grid:
    """Make scenarios from one or several by moving levers.

    Parameters
    ----------
    scenarios
        What to start from: scenarios, or their names, paths or codes.
    levers
        Values by lever (`painlab.levers` lists them): a list of numbers or named levels, or a text, `0,2,8` or `low:high:count`. A lever of
        a treatment that the plan does not order adds it with its usual order. Levers of care move only the plan; those of patients, horizon
        and model move the baseline's arm too.
    design
        `full`: every combination. `latin:200`: a Latin hypercube of 200 points for each scenario (McKay et al. 1979, doi:10.2307/1268522);
        a text `low:high` then means the whole range, and listed values are taken equally often.
    seed
        Of the sample; the same seed gives the same points.

    Returns
    -------
    A Grid. A scenario's name is its origin's with eight letters that stand for the values of its levers: the same values have the same name
    in every grid.

    Raises
    ------
    InputError
        For an unknown lever, level or design, a value outside its range, a value or lever named twice, values that exclude each other, and
        more than 2,000 scenarios.

    >>> print(grid("early-pt", {"physical_therapy.start_week": [0, 2, 8], "coordination": "0.2:1:2"}))
    6 scenarios made from early-pt:
    physical_therapy.start_week: physical therapy, ordered in week (weeks): 0, 2, 8.
    coordination: coordination: 0.2, 1.
    """
    every = [scenarios] if isinstance(scenarios, str | Scenario) else list(scenarios)
    origins = [one if isinstance(one, Scenario) else Scenario.load(one) for one in every]
    if not origins:
        raise InputError("there is no scenario whose levers could be moved", expected="at least one")
    kind, count = _design(design)
    if not levers:
        raise InputError("there is no lever to move", expected="at least one", mend="`painlab levers` lists them.")
    if len(levers) > MOST_LEVERS:
        raise InputError(f"there are {len(levers):,} levers", expected=f"at most {MOST_LEVERS}")
    placed: dict[str, Placed] = {}
    for key in levers:
        try:
            one = lever_paths.find(key)
        except InputError as error:
            raise _at(key, error) from None
        if one.key in placed:
            raise InputError(f"the lever {one.key} is named twice", where=f"lever {printable(key, 80)}", expected="each lever once")
        placed[one.key] = one
    specs = dict(zip(placed, levers.values(), strict=True))
    if kind == "full":
        columns = [_values(placed[key], spec) for key, spec in specs.items()]
        _few_enough(math.prod(map(len, columns)) * len(origins), "combinations")
        points = list(itertools.product(*columns))
    else:
        _few_enough(count * len(origins), "points")
        points = _latin(placed, specs, count, seed)
    return _made(origins, list(placed), points, kind, seed)


def _made(origins: Sequence[Scenario], keys: Sequence[str], points: Sequence[tuple[float, ...]], kind: str, seed: int) -> Grid:
    """Scenarios of the points, each under its name. Raises InputError where a scenario cannot take a point."""
    made: dict[str, tuple[Scenario, dict[str, Any]]] = {}
    for origin in origins:
        for point in points:
            values = dict(zip(keys, point, strict=True))
            name = name_of(origin.name, values)
            if name in made:
                continue
            said = ", ".join(f"{key} {value:g}" for key, value in values.items())
            title = ", ".join(f"{key} {value:g}" for key, value in sorted(values.items()))  # the same in whatever order levers are named
            own: dict[str, Any] = {"name": name, "title": printable(f"{origin.title}: {title}", 110)}
            if origin.baseline == origin.name:  # under its new name it would be held against itself
                own["baseline"] = origin.care.as_dict()
            try:
                made[name] = origin.change(**(own | lever_paths.changes(values))), {"name": name, "of": origin.name, **values}
            except InputError as error:
                problem = f"{error.problem} ({error.where.removeprefix(f'change of {origin.name}, ')})"
                mend = "Take these values out of the grid."
                raise InputError(problem, where=f"{origin.name} with {said}", expected=error.expected, mend=mend) from None
    table = pl.DataFrame([row for _, row in made.values()], infer_schema_length=None)
    return Grid(tuple(one for one, _ in made.values()), table, kind, seed, len(origins) * len(points) - len(made))


def words_of(placed: Placed) -> str:
    """A lever in words: its section, and what it sets there."""
    section, label = placed.lever.section, placed.lever.label
    return label if section.lower() == label else f"{section.lower() if section[1:].islower() or ' ' in section else section}, {label}"


def name_of(origin: str, values: Mapping[str, float]) -> str:
    """Name of a scenario with its levers at these values: the origin's and eight letters that stand for the values, in any order.

    >>> name_of("early-pt", {"coordination": 1.0, "weeks": 52}) == name_of("early-pt", {"weeks": 52, "coordination": 1})
    True
    """
    plain = {key: float(value) for key, value in values.items()}
    digest = hashlib.sha256(json.dumps([origin, plain], sort_keys=True).encode()).digest()
    return f"{origin[:48].rstrip('-')}-{base64.b32encode(digest[:5]).decode().lower()}"


def table_of(record: Mapping[str, Any]) -> pl.DataFrame:
    """The table of a grid from its `record`: columns name, of, and one for each lever."""
    whole = {key: pl.Int64 if lever_paths.find(key).whole else pl.Float64 for key in record["levers"]}
    return pl.DataFrame(record["table"], schema={"name": pl.String, "of": pl.String, **whole})


def _design(design: str) -> tuple[str, int]:
    kind, _, number = design.strip().partition(":")
    if kind == "full" and not number:
        return kind, 0
    if kind != "latin" or not re.fullmatch(r"[0-9]{1,9}", number) or int(number) < 2:
        raise InputError(f'the design is "{printable(design, 60)}"', where="design", expected=_DESIGNS, mend="Correct it.")
    return kind, int(number)


def _few_enough(count: int, what: str) -> None:
    if count > MOST_SCENARIOS:
        mend = "Take fewer values, or a spread sample with the design latin:200."
        raise InputError(f"the grid has {count:,} {what}", expected=f"at most {MOST_SCENARIOS:,} scenarios", mend=mend)


def _at(key: str, error: InputError) -> InputError:
    return InputError(error.problem, where=f"lever {printable(key, 80)}", expected=error.expected, mend=error.mend)


def _values(placed: Placed, spec: Values) -> list[float | int]:
    """Values of a lever from a list, or from `0,2,8` or `low:high:count`."""
    try:
        if isinstance(spec, str) and ":" in spec and spec.strip() not in placed.lever.levels:
            return _spaced(placed, spec)
        given = spec.split(",") if isinstance(spec, str) else [spec] if isinstance(spec, int | float) else list(spec)
        given = [one for one in given if not isinstance(one, str) or one.strip()]
        if not given:
            raise InputError("there is no value", expected=f"values such as {placed.lever.low:g},{placed.lever.high:g}, or low:high:count")
        _few_enough(len(given), "values of one lever")
        found = [lever_paths.checked(placed, one) for one in given]
        if twice := [one for one in found if found.count(one) > 1]:
            raise InputError(f"the value {twice[0]:g} is named twice", expected="each value once")
        return found
    except InputError as error:
        raise _at(placed.key, error) from None


def _ends(placed: Placed, spec: str, parts: int) -> tuple[float, float, list[str]]:
    """The two ends of `low:high` and what stands after them. Raises InputError unless there are as many parts as there should be."""
    words = [word.strip() for word in spec.split(":")]
    form = "low:high:count" if parts == 3 else "low:high"
    if len(words) != parts:
        mend = "Write it so, as in 0:8:5." if parts == 3 else "Write low:high, or values with commas between."
        raise InputError(f'"{printable(spec, 60)}" has {len(words)} parts', expected=form, mend=mend)
    low, high = (float(lever_paths.checked(placed, word)) for word in words[:2])
    if not low < high:
        raise InputError(f"{low:g} is not below {high:g}", expected=form, mend="Exchange the two ends.")
    return low, high, words[2:]


def _spaced(placed: Placed, spec: str) -> list[float | int]:
    """Evenly spaced values of `low:high:count`."""
    low, high, (number,) = _ends(placed, spec, 3)
    if not re.fullmatch(r"[0-9]{1,9}", number) or int(number) < 2:
        raise InputError(f'the count is "{printable(number, 30)}"', expected="a whole number, 2 or more")
    _few_enough(int(number), "values of one lever")
    spaced = [float(f"{low + (high - low) * place / (int(number) - 1):.12g}") for place in range(int(number))]
    if placed.whole and any(value != int(value) for value in spaced):
        span = int(high - low)
        counts = [str(1 + steps) for steps in range(1, span + 1) if span % steps == 0]
        reason = f"{number} values from {low:g} to {high:g} are not all whole numbers"
        raise InputError(reason, expected=f"a count of {', '.join(counts[:12])}", mend="Or list the values: 0,2,8.")
    return [lever_paths.checked(placed, value) for value in spaced]


def _latin(placed: Mapping[str, Placed], specs: Mapping[str, Values], count: int, seed: int) -> list[tuple[float, ...]]:
    """Points of a Latin hypercube: each lever's range in `count` equal slices, each slice once."""
    from scipy.stats import qmc  # slow to import

    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"seed is {seed!r}", expected=f"a whole number from 0 to {2**63 - 1:,}", mend="Change seed.")
    shares = qmc.LatinHypercube(len(placed), rng=np.random.Generator(np.random.Philox(seed))).random(count)
    columns: list[list[float | int]] = []
    for (key, one), share in zip(placed.items(), shares.T, strict=True):
        spec = specs[key]
        if isinstance(spec, str) and spec.count(":") == 1 and spec.strip() not in one.lever.levels:
            try:
                low, high, _ = _ends(one, spec, 2)
            except InputError as error:
                raise _at(key, error) from None
            if one.whole:  # each whole number has the same share of the range
                columns.append([int(low) + int(value) for value in np.minimum(share * (high - low + 1), high - low)])
            else:
                columns.append([min(high, max(low, float(f"{low + (high - low) * value:.{_FIGURES}g}"))) for value in share])
        else:
            listed = _values(one, spec)
            columns.append([listed[int(place)] for place in np.minimum(share * len(listed), len(listed) - 1)])
    return list(zip(*columns, strict=True))
