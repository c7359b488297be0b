"""compare(): several scenarios beside each other on the same patients, which of them can be told apart, and what sets them apart."""

import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from painlab import projection, verdicts
from painlab.contrasts import contrast
from painlab.errors import InputError
from painlab.narrative import Compared
from painlab.outcomes import BY_NAME
from painlab.projection import LEVEL, Projection
from painlab.scenario import Scenario
from painlab.simulation import simulate_draws, whole_number

FEWEST: Final = 2
MOST: Final = 8
FROM_FIRST: Final = ("from_first", "from_first_low", "from_first_high")
_STEPS: Final = 1_000  # of one scenario's progress
_RUN: Final = (
    "painlab", "parameters", "parameters_kind", "seed", "patients_per_draw", "draws", "weeks", "band", "links_cut", "data_sha256", "python",
    "packages",
)  # fmt: skip
_FILES: Final = ("comparison.csv", "comparison.parquet", "provenance.json")


@dataclass(frozen=True)
class Comparison:
    """Scenarios beside each other.

    names: what each is called here; a number stands after a name that was there before. projections: each scenario against its own
    baseline. groups: places of the scenarios that have the same patients; only within one are differences paired, and only there are any
    taken.

    weekly: a row for each scenario, outcome and week (0 ... weeks), with columns name, paired (whether it has the first one's patients),
    those of `Projection.weekly`, and from_first, from_first_low, from_first_high: the scenario less the first one, of the same patients
    and random numbers; null where it is not paired. averages: the same over the horizon, without week. Bands hold `LEVEL` of the draws.

    pairs: each pair with the same patients and each outcome over the horizon, with columns name, against, outcome, unit, difference (name
    less against), low, high, told_apart (whether the band leaves zero out; null without a band).
    """

    names: tuple[str, ...]
    projections: tuple[Projection, ...]
    groups: tuple[tuple[int, ...], ...]
    weekly: pl.DataFrame
    averages: pl.DataFrame
    pairs: pl.DataFrame
    horizons: tuple[int, ...] = field(repr=False, default=())

    @property
    def weeks(self) -> int:
        """The horizon of all."""
        return self.projections[0].weeks

    @property
    def draws(self) -> int:
        """Parameter draws of each."""
        return self.projections[0].draws

    def pair(self, name: str, against: str, outcome: str) -> Compared | None:
        """Two scenarios in one outcome over the horizon, `against` as the baseline; None if they have not the same patients.

        Raises InputError for an unknown name or outcome.
        """
        for one in (name, against):
            if one not in self.names:
                raise InputError(f'there is no scenario "{one}" here', expected=f"one of {', '.join(self.names)}")
        if outcome not in BY_NAME:
            raise InputError(f'unknown outcome "{outcome}"', expected=f"one of {', '.join(BY_NAME)}")
        for first, second, sign in ((name, against, 1.0), (against, name, -1.0)):
            rows = self.pairs.filter(name=first, against=second, outcome=outcome)
            if rows.height:
                difference, *band = rows.select("difference", "low", "high").row(0)
                ends: list[float | None] = [*sorted(sign * end for end in band if end is not None)] or [None, None]
                before, after = (self.averages.filter(name=one, outcome=outcome)["scenario"][0] for one in (against, name))
                return Compared(outcome, before, after, sign * difference, ends[0], ends[1])
        return None

    @cached_property
    def contrasts(self) -> dict[str, tuple[str, ...]]:
        """What sets each scenario apart from the first, by name: sentences on care, patients, horizon, baseline and assumptions."""
        first = self.projections[0].scenario
        return {name: contrast(one.scenario, first) for name, one in zip(self.names[1:], self.projections[1:], strict=True)}

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """All that is needed to make these numbers again."""
        told = self.projections[0].provenance
        every = [
            {"name": name, **{key: one.provenance[key] for key in ("scenario", "scenario_sha256", "scenario_toml")}}
            for name, one in zip(self.names, self.projections, strict=True)
        ]
        same = [[self.names[place] for place in group] for group in self.groups]
        return {"compared": every, "same_patients": same, **{key: told[key] for key in _RUN}}

    def save(self, folder: str | Path, *, force: bool = False, pictures: Callable[[Path], None] | None = None) -> Path:
        """Write comparison.csv, comparison.parquet (the weekly frame) and provenance.json into a folder; `pictures(folder)` may add more.

        Raises InputError as `Projection.save` does.
        """
        target = projection.check_folder(folder, force=force)
        try:
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target, prefix=".unfinished-") as made:
                self.weekly.write_csv(Path(made) / _FILES[0])
                self.weekly.write_parquet(Path(made) / _FILES[1])
                (Path(made) / _FILES[2]).write_text(json.dumps(self.provenance, indent=2) + "\n", encoding="utf-8")
                if pictures:
                    pictures(Path(made))
                for path in sorted(Path(made).iterdir()):
                    path.replace(target / path.name)
        except OSError as error:
            reason = f"the output folder cannot be written ({error.strerror})"
            wanted = "a folder that you may write to"
            raise InputError(reason, where=str(target), expected=wanted, mend="Name another folder.") from None
        return target

    @property
    def sentences(self) -> tuple[str, ...]:
        """What can be told apart and what cannot, in plain sentences."""
        return tuple(verdicts.sentences(self))

    @property
    def headline(self) -> str:
        """The finding in one line, as a chart's title."""
        return verdicts.headline(self)

    def __str__(self) -> str:
        differences = [f"{name}, unlike {self.names[0]}: {' '.join(said)}" for name, said in self.contrasts.items()]
        return "\n".join([*differences, *self.sentences])


def compare(
    scenarios: Iterable[Scenario | str],
    *,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    cut: Iterable[str] = (),
    parameters: str = "posterior",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Comparison:
    """Put 2 to 8 scenarios beside each other.

    Scenarios with equal populations have the same patients, random numbers and parameter draws, so that their differences are paired. Where
    populations differ no difference is taken: each scenario is held against its own baseline alone.

    Parameters
    ----------
    scenarios
        Scenarios, or their names, paths or codes. The first is what the others are held against.
    weeks
        Horizon of all; the shortest of the scenarios' own if left out.
    patients, draws, seed, cut, parameters, threads, progress, cancelled
        As in `simulate`.

    Raises
    ------
    InputError
        For fewer than 2 or more than 8 scenarios, and all that `simulate` refuses.

    >>> found = compare(["early-pt", "late-pt"], patients=50, draws=2, weeks=8)
    >>> found.contrasts["late-pt"]
    ('Physical therapy is ordered in week 26 instead of 0.',)
    >>> found.weekly.filter(name="late-pt", outcome="pain", week=8)["paired"].item()
    True
    """
    every = [scenarios] if isinstance(scenarios, str | Scenario) else list(scenarios)
    if not FEWEST <= len(every) <= MOST:
        said = "there is no scenario to compare" if not every else f"there {'is' if len(every) == 1 else 'are'} {len(every):,} to compare"
        mend = "`simulate` (in the terminal `painlab project`) holds one against its baseline; `sweep` takes more."
        raise InputError(said, expected=f"{FEWEST} to {MOST} scenarios", mend=mend)
    chosen = [one if isinstance(one, Scenario) else Scenario.load(one) for one in every]
    horizon = min(one.weeks for one in chosen) if weeks is None else weeks
    whole_number("draws", draws, 1, 2_000)
    names = _told_apart([one.name for one in chosen])
    links = (cut,) if isinstance(cut, str) else tuple(cut)
    projections, levels, outcomes = [], [], []
    for place, scenario in enumerate(chosen):
        told = None if progress is None else _share_of(progress, place, len(chosen))
        made = simulate_draws(
            scenario, patients=patients, draws=draws, seed=seed, weeks=horizon, cut=links, parameters=parameters, threads=threads,
            progress=told, cancelled=cancelled,
        )  # fmt: skip
        counted, arms = projection.arms_of(scenario, made.means, made.present, patients)
        projections.append(made.projection)
        levels.append(arms[:, 1])  # what each draw gives under the scenario's own care
        outcomes.append([one.name for one in counted])
    groups = _groups(chosen)
    weekly, averages = [], []
    for place, (name, one) in enumerate(zip(names, projections, strict=True)):
        difference = levels[place] - levels[0] if place in groups[0] else None
        assert one.averages is not None
        weekly.append(_beside(name, one.weekly, difference))
        averages.append(_beside(name, one.averages, None if difference is None else difference.mean(axis=2, keepdims=True)))
    pairs = [
        _pair(names[second], names[first], outcomes[first], (levels[second] - levels[first]).mean(axis=2))
        for group in groups
        for first, second in itertools.combinations(group, 2)
    ]
    return Comparison(
        names, tuple(projections), groups, pl.concat(weekly), pl.concat(averages),
        pl.concat(pairs) if pairs else _pair("", "", [], np.empty((1, 0))), tuple(one.weeks for one in chosen),
    )  # fmt: skip


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Names of which none is there twice: the second early-pt becomes early-pt-2."""
    found: list[str] = []
    for name in names:
        other, number = name, 2
        while other in found or (other != name and other in names):
            other, number = f"{name}-{number}", number + 1
        found.append(other)
    return tuple(found)


def _share_of(progress: Callable[[int, int], None], place: int, count: int) -> Callable[[int, int], None]:
    return lambda done, total: progress(_STEPS * place + _STEPS * done // total, _STEPS * count)


def _groups(scenarios: Sequence[Scenario]) -> tuple[tuple[int, ...], ...]:
    """Places of the scenarios whose populations are equal, the first one's group first."""
    groups: list[list[int]] = []
    for place, scenario in enumerate(scenarios):
        for group in groups:
            if scenarios[group[0]].population == scenario.population:
                group.append(place)
                break
        else:
            groups.append([place])
    return tuple(map(tuple, groups))


def _band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Lower and upper end of the band of draws along the first axis; None for one draw."""
    if len(values) < 2:
        return None
    low, high = np.quantile(values, ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0), axis=0)
    return low, high


def _beside(name: str, frame: pl.DataFrame, difference: np.ndarray | None) -> pl.DataFrame:
    """A projection's frame under its name, with the difference from the first scenario: shape (draws, outcomes, weeks), or None."""
    columns: dict[str, Any] = dict.fromkeys(FROM_FIRST)
    if difference is not None:
        ends = _band(difference)
        columns[FROM_FIRST[0]] = difference.mean(axis=0).ravel()
        if ends is not None:
            columns |= {key: end.ravel() for key, end in zip(FROM_FIRST[1:], ends, strict=True)}
    added = [pl.Series(key, [None] * frame.height if one is None else one, dtype=pl.Float64) for key, one in columns.items()]
    return frame.select(pl.lit(name).alias("name"), pl.lit(difference is not None).alias("paired"), pl.all(), *added)


def _pair(name: str, against: str, outcomes: Sequence[str], difference: np.ndarray) -> pl.DataFrame:
    """Rows of `Comparison.pairs` from differences over the horizon, shape (draws, outcomes)."""
    ends = _band(difference)
    rows: list[dict[str, Any]] = []
    for place, outcome in enumerate(outcomes):
        mean = float(difference[:, place].mean())
        low, high = (None, None) if ends is None else (float(ends[0][place]), float(ends[1][place]))
        apart = None if low is None else Compared(outcome, 0.0, 0.0, mean, low, high).direction != 0
        rows.append(
            {"name": name, "against": against, "outcome": outcome, "unit": BY_NAME[outcome].unit, "difference": mean, "low": low,
             "high": high, "told_apart": apart}
        )  # fmt: skip
    texts = dict.fromkeys(("name", "against", "outcome", "unit"), pl.String)
    return pl.DataFrame(rows, schema={**texts, **dict.fromkeys(("difference", "low", "high"), pl.Float64), "told_apart": pl.Boolean})
