"""What comes out: weekly outcomes of scenario and baseline, their paired difference, bands, and how they were made."""

import hashlib
import json
import platform
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab import narrative
from painlab.errors import InputError
from painlab.outcomes import OPEN_COHORT_OUTCOMES, OUTCOMES, Outcome
from painlab.scenario import Scenario
from painlab.tables import data_folder, nearest

LEVEL: Final = 0.95
COLUMNS: Final = (
    "week", "outcome", "unit", "baseline", "baseline_low", "baseline_high", "scenario", "scenario_low", "scenario_high", "difference",
    "difference_low", "difference_high",
)  # fmt: skip


class Interval(NamedTuple):
    """A mean over parameter draws and its band; with one draw there is no band (None)."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Projection:
    """Weekly outcomes of a scenario and its baseline on the same patients.

    weekly: one row a week (0 ... weeks) and outcome, columns `COLUMNS`. Bands hold `level` of the parameter draws' means.
    averages: one row an outcome, the same columns without `week`: means over all weeks, with bands of each draw's mean.
    kind: which parameter values were drawn, `posterior` or `prior` (`posterior.in_use`); `other` for values of the caller's own.
    origin: the same in words.
    """

    scenario: Scenario
    weekly: pl.DataFrame
    patients: int
    draws: int
    seed: int
    weeks: int
    level: float = LEVEL
    cut: tuple[str, ...] = ()
    averages: pl.DataFrame | None = field(default=None, repr=False)
    kind: str = "other"
    origin: str = field(default="", repr=False)

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """All that is needed to make these numbers again: the scenario, run and parameters, and versions and hashes of what it rests on."""
        return {
            "painlab": _versions()["painlab"],
            "scenario": self.scenario.name,
            "scenario_sha256": self.scenario.fingerprint(),
            "scenario_toml": self.scenario.to_toml(),
            "parameters": self.origin,
            "parameters_kind": self.kind,
            "seed": self.seed,
            "patients_per_draw": self.patients,
            "draws": self.draws,
            "weeks": self.weeks,
            "band": self.level,
            "links_cut": list(self.cut),
            "data_sha256": dict(data_hashes()),
            "python": platform.python_version(),
            "packages": {name: made for name, made in _versions().items() if name != "painlab"},
        }

    @property
    def arms(self) -> pl.DataFrame:
        """The weekly frame in long form: week, outcome, unit, arm (`baseline`, `scenario`, `difference`), mean, low, high."""
        parts = [
            self.weekly.select("week", "outcome", "unit", arm=pl.lit(arm), mean=arm, low=f"{arm}_low", high=f"{arm}_high")
            for arm in ("baseline", "scenario", "difference")
        ]
        return pl.concat(parts)

    def outcome(self, name: str) -> pl.DataFrame:
        """Rows of one outcome by week. Raises InputError with the nearest name if there is none."""
        rows = self.weekly.filter(pl.col("outcome") == name)
        if rows.is_empty():
            known = self.weekly["outcome"].unique(maintain_order=True).to_list()
            raise InputError(f'unknown outcome "{name}"{nearest(name, known)}', expected=f"one of {', '.join(known)}")
        return rows

    def difference(self, name: str, week: int) -> Interval:
        """Scenario less baseline in one week, in the outcome's unit."""
        return self._interval(name, week, "difference")

    def level_of(self, name: str, week: int, arm: str = "scenario") -> Interval:
        """Level of one arm (`scenario` or `baseline`) in one week, in the outcome's unit."""
        return self._interval(name, week, arm)

    def _interval(self, name: str, week: int, column: str) -> Interval:
        row = self.outcome(name).filter(pl.col("week") == week)
        if row.is_empty():
            raise InputError(f"there is no week {week}", expected=f"0 to {self.weeks}")
        return Interval(*row.select(column, f"{column}_low", f"{column}_high").row(0))

    def save(self, folder: str | Path, *, force: bool = False, pictures: Callable[[Path], None] | None = None) -> Path:
        """Write weekly.csv, weekly.parquet and provenance.json into a folder; `pictures(folder)` may add more.

        All files are made first and moved in at the end. Raises InputError if the folder cannot be written, or holds files and force
        is false.
        """
        target = check_folder(folder, force=force)
        try:
            target.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=target, prefix=".unfinished-") as made:
                self.weekly.write_csv(Path(made) / "weekly.csv")
                self.weekly.write_parquet(Path(made) / "weekly.parquet")
                (Path(made) / "provenance.json").write_text(json.dumps(self.provenance, indent=2) + "\n", encoding="utf-8")
                if pictures:
                    pictures(Path(made))
                for path in sorted(Path(made).iterdir()):
                    path.replace(target / path.name)
        except OSError as error:
            raise _unwritable(target, error) from None
        return target

    def __str__(self) -> str:
        return narrative.summary(self.weekly, self.scenario.title, self.weeks, self.level, self.averages, kind=self.kind)

    def sentence(self) -> str:
        """What happens to opioid demand, in one plain sentence with its band."""
        return str(self).partition(". ")[0].rstrip(".") + "."

    def headline(self) -> str:
        """The finding in at most 90 characters, as a chart's title."""
        return narrative.headline(self.weekly, self.averages)


def check_folder(folder: str | Path, *, force: bool = False) -> Path:
    """Find out before a long run whether its results can be saved into a folder; what is made to find out is taken away again.

    Raises InputError if the folder cannot be written, or holds files and force is false.
    """
    target = Path(folder)
    try:
        if target.exists() and not target.is_dir():
            raise InputError(
                "the output folder is a file", where=str(target), expected="a folder", mend="Name another place for the output."
            )
        if target.is_dir() and any(target.iterdir()) and not force:
            raise InputError(
                "the output folder is not empty",
                where=str(target),
                expected="a new or an empty folder",
                mend="Name another folder, or allow overwriting with --force (in Python force=True).",
            )
        missing = [one for one in (target, *target.parents) if not one.exists()]
        target.mkdir(parents=True, exist_ok=True)
        try:
            tempfile.TemporaryDirectory(dir=target, prefix=".unfinished-").cleanup()
        finally:
            for made in missing:
                made.rmdir()
    except OSError as error:
        raise _unwritable(target, error) from None
    return target


def _unwritable(target: Path, error: OSError) -> InputError:
    reason = f"the output folder cannot be written ({error.strerror})"
    return InputError(reason, where=str(target), expected="a folder that you may write to", mend="Name another folder.")


def from_means(
    scenario: Scenario,
    means: np.ndarray,
    present: np.ndarray,
    *,
    patients: int,
    seed: int,
    weeks: int,
    cut: tuple[str, ...],
    origin: str,
    kind: str = "other",
) -> Projection:
    """Gather a projection from the draws' weekly means.

    means: shape (draws, 2 arms, outcomes, weeks + 1), baseline first, in patients' units. present: patients by draw and week. origin says
    in words where the parameter values came from; kind is as in `Projection`.
    """
    outcomes, arms = arms_of(scenario, means, present, patients)
    # Each outcome's draws side by side, so that they are added in pairs, whose rounding is least.
    over_weeks = np.asfortranarray(arms.mean(axis=3, keepdims=True))
    return Projection(
        scenario,
        weekly=_frame(outcomes, arms),
        patients=patients,
        draws=means.shape[0],
        seed=seed,
        weeks=weeks,
        cut=cut,
        averages=_frame(outcomes, over_weeks, COLUMNS[1:]),
        kind=kind,
        origin=origin,
    )


def arms_of(scenario: Scenario, means: np.ndarray, present: np.ndarray, patients: int) -> tuple[tuple[Outcome, ...], np.ndarray]:
    """Outcomes and the draws' weekly means in their units, shape (draws, 2 arms, outcomes, weeks + 1), from what `from_means` takes."""
    draws, weeks = present.shape
    arrivals = scenario.population.arrivals
    outcomes = (*OUTCOMES, *OPEN_COHORT_OUTCOMES) if arrivals else OUTCOMES
    arms = np.empty((draws, 2, len(outcomes), weeks))
    np.multiply(means, np.array([[one.scale] for one in OUTCOMES]), out=arms[:, :, : len(OUTCOMES)])
    if arrivals:
        real = arrivals.people / 1000 * arrivals.new_patients_per_1000_per_year / 52.0
        in_care = present[:, None] * real * (weeks + arrivals.follow_up_weeks) / patients
        arms[:, :, -2], arms[:, :, -1] = means[:, :, 0] * in_care, in_care
    return outcomes, arms


def _frame(outcomes: tuple[Outcome, ...], arms: np.ndarray, wanted: tuple[str, ...] = COLUMNS) -> pl.DataFrame:
    """Rows by outcome and week from draws, shape (draws, 2, outcomes, weeks), with the columns that are wanted."""
    columns = dict(_labels(outcomes, arms.shape[3]))
    nothing = columns.pop("nothing")
    for name, values in (("baseline", arms[:, 0]), ("scenario", arms[:, 1]), ("difference", arms[:, 1] - arms[:, 0])):
        columns[name] = pl.Series(name, values.mean(axis=0).ravel())
        low, high = (pl.Series(one.ravel()) for one in _band(values)) if len(values) > 1 else (nothing, nothing)
        columns[f"{name}_low"], columns[f"{name}_high"] = low, high
    return pl.DataFrame({name: columns[name] for name in wanted})


def _band(values: np.ndarray) -> list[np.ndarray]:
    """Lower and upper end of the band of two or more draws, which lie along the first axis.

    What np.quantile gives to the last bit, in a fraction of its time: one sort, and the line between the two draws next to each end.
    """
    ordered = np.sort(values, axis=0)
    ends = []
    for tail in ((1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0):
        place = (len(values) - 1) * tail
        share = place - int(place)
        below, above = ordered[int(place)], ordered[int(place) + 1]
        end = below + (above - below) * share if share < 0.5 else above - (above - below) * (1.0 - share)
        ends.append(np.where(np.isnan(ordered[-1]), np.nan, end))  # a draw that is no number is sorted last, and must not be hidden
    return ends


@lru_cache(maxsize=16)
def _labels(outcomes: tuple[Outcome, ...], weeks: int) -> dict[str, pl.Series]:
    """Columns that hold no result: `week`, `outcome` and `unit` row by row, and `nothing` where there is no band."""
    return {
        "week": pl.Series(np.tile(np.arange(weeks, dtype=np.int32), len(outcomes))),
        "outcome": pl.Series([one.name for one in outcomes for _ in range(weeks)]),
        "unit": pl.Series([one.unit for one in outcomes for _ in range(weeks)]),
        "nothing": pl.Series([None] * (len(outcomes) * weeks), dtype=pl.Float64),
    }


@cache
def _versions() -> dict[str, str]:
    """Versions of PainLab and of the packages that its numbers depend on."""
    return {name: version(name) for name in ("painlab", "numba", "numpy", "polars")}


@cache
def data_hashes() -> dict[str, str]:
    """SHA-256 of each shipped data file that numbers rest on, by its path under data/; lessons only use them."""
    folder = data_folder()
    files = sorted(path for path in folder.rglob("*") if path.suffix in {".csv", ".toml", ".parquet"} and path.parent.name != "lessons")
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
