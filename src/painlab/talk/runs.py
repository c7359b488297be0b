"""What a talk is asked to be about, as runs: scenarios are run, a run's folder is read."""

import json
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from painlab import codes, swept
from painlab.errors import InputError
from painlab.projection import COLUMNS, Projection
from painlab.scenario import Scenario
from painlab.simulation import simulate
from painlab.tables import printable
from painlab.talk.brief import Progress

MOST: Final = 4
What = Scenario | Projection | str | Path
_RUN: Final = "provenance.json"
_MOST_BYTES: Final = 50_000_000
_RUN_AGAIN: Final = 400_000  # patients of all draws: up to so many a stored run is run again, for the bands of its means over the horizon


def projections_of(
    what: What | Sequence[What],
    *,
    patients: int,
    draws: int,
    seed: int,
    weeks: int | None = None,
    parameters: str = "posterior",
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[Projection, ...]:
    """The runs of one to four scenarios, runs or folders, in their order.

    Raises InputError for none, for more than four, and for anything that cannot be read.
    """
    given = [what] if isinstance(what, Scenario | Projection | str | Path) else list(what)
    if not 1 <= len(given) <= MOST:
        raise InputError(f"{len(given)} scenarios are given", expected=f"one to {MOST}", mend="Leave some out; the first one leads.")
    found: list[Projection | Scenario] = []
    for one in given:
        found += _read(one) if isinstance(one, str | Path) else [one]
    if len(found) > MOST:
        raise InputError(f"the folder and what stands beside it hold {len(found)} scenarios", expected=f"at most {MOST}")
    runs = []
    for number, one in enumerate(found):

        def tell(done: int, total: int, number: int = number) -> None:
            if progress:
                progress(number * total + done, len(found) * total)

        runs.append(
            one
            if isinstance(one, Projection)
            else simulate(
                one, patients=patients, draws=draws, seed=seed, weeks=weeks, parameters=parameters, progress=tell, cancelled=cancelled
            )
        )
    return tuple(runs)


def _read(what: str | Path) -> list[Projection | Scenario]:
    folder = Path(what)
    if not codes.is_code(str(what)) and len(str(what)) < 1000 and folder.is_dir():
        if (folder / swept.KIND.manifest).is_file():
            sweep = swept.read(folder)
            return [sweep.projection(name) for name in sweep.names]
        if (folder / _RUN).is_file():
            return [stored(folder)]
        if isinstance(what, Path) or len(folder.parts) > 1:
            raise InputError(
                "the folder holds no run",
                where=printable(str(folder)),
                expected=f"{_RUN} or {swept.KIND.manifest} in it, as `painlab project --out` and `painlab sweep` write them",
                mend="Name the folder that was given to --out.",
            )
    return [Scenario.load(what)]


def stored(folder: Path) -> Projection:
    """The run that `painlab project --out` wrote into a folder. Raises InputError naming the file that cannot be used."""
    made = _provenance(folder / _RUN)
    try:
        scenario = Scenario.from_dict(tomllib.loads(made["scenario_toml"]), where=printable(str(folder / _RUN)))
        size = {key: int(made[key]) for key in ("draws", "seed", "weeks")} | {"patients": int(made["patients_per_draw"])}
        about = {
            "level": float(made["band"]),
            "cut": tuple(made["links_cut"]),
            "kind": made["parameters_kind"],
            "origin": made["parameters"],
        }
    except (KeyError, TypeError, ValueError, tomllib.TOMLDecodeError) as error:
        raise _unreadable(folder / _RUN, f"{type(error).__name__}: {error}") from None
    weekly = _weekly(folder / "weekly.parquet")
    found = Projection(scenario, weekly, **size, **about)  # type: ignore[arg-type]
    if size["patients"] * size["draws"] <= _RUN_AGAIN and about["kind"] in ("posterior", "prior"):
        again = simulate(scenario, **size, cut=about["cut"], parameters=str(about["kind"]))  # type: ignore[arg-type]
        if again.weekly.equals(weekly):
            return again
    then: dict[str, Any] = {key: made[key] for key in ("painlab", "python", "packages", "data_sha256", "scenario_sha256") if key in made}
    found.provenance.update(then)
    return found


def _provenance(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise _unreadable(path, f"more than {_MOST_BYTES:,} bytes")
        made = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _unreadable(path, str(error)) from None
    if not isinstance(made, dict):
        raise _unreadable(path, "no table")
    return made


def _weekly(path: Path) -> pl.DataFrame:
    try:
        weekly = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise _unreadable(path, str(error)) from None
    missing = [name for name in COLUMNS if name not in weekly.columns]
    if missing or weekly.is_empty():
        raise _unreadable(path, f"no column {', '.join(missing)}" if missing else "no rows")
    return weekly


def _unreadable(path: Path, reason: str) -> InputError:
    return InputError(
        f"the run cannot be read ({printable(reason, 200)})",
        where=printable(str(path)),
        expected="a folder that `painlab project --out` wrote",
        mend="Run it again.",
    )
