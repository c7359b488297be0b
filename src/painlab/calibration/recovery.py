"""Parameter recovery: synthetic trials from known parameters are calibrated as the real ones are; do the intervals cover what is known?"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from painlab import trials, validation
from painlab.calibration.ensemble import Array, free_parameters, perturbations, prior_scores, values_of
from painlab.calibration.run import observations, on_the_scale_of_errors, smooth
from painlab.tables import data_folder

TRUTHS: Final = 8
MEMBERS: Final = 300
PATIENTS: Final = 150
STEPS: Final = 4
TRUTH_PATIENTS: Final = 3000
_FIRST_TRUTH: Final = 1_000_000  # prior draws far from those of any ensemble
LEVELS: Final = (0.5, 0.8, 0.95)
FOLDER: Final = "validity"

Progress = Callable[[int, int], None]


def ranks(
    *,
    truths: int = TRUTHS,
    members: int = MEMBERS,
    patients: int = PATIENTS,
    steps: int = STEPS,
    seed: int = 1,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Draw known parameters from the prior, make the trials' figures from them with the published errors, calibrate, and look.

    Returns a frame with one row a truth and free parameter: truth, parameter, rank (share of the ensemble below the known value), spread
    (standard deviation of the ensemble where the prior's is 1). If intervals cover at their nominal rate, ranks are uniform
    (simulation-based calibration, Talts 2018, arXiv:1804.06788).
    """
    chosen = trials.shipped("calibrate")
    names = [trial.id for trial in chosen]
    _, errors = observations(chosen)
    total, done = truths * members * (steps - 1) + members, 0

    def predict(first_set: int, scores: Array) -> tuple[Array, Array]:
        nonlocal done
        before = done

        def tell(now: int, _: int) -> None:
            if progress:
                progress(before + now, total)

        found = validation.predict(
            chosen, values_of(scores), patients=patients, seed=seed, first_set=first_set, same_patients=True, progress=tell
        )
        done += len(scores)
        return on_the_scale_of_errors(chosen, found)

    first = predict(0, prior_scores(members, seed))  # the prior's predictions are the same for all truths
    rows = []
    for truth in range(truths):
        known = prior_scores(1, seed, _FIRST_TRUTH + truth)
        made = validation.predict(chosen, values_of(known), patients=TRUTH_PATIENTS, seed=seed, first_set=_FIRST_TRUTH + truth)
        exact, own = on_the_scale_of_errors(chosen, made)
        observed = exact[0] + np.hypot(errors, own[0]) * perturbations(1, seed, truth, [f"truth {name}" for name in names])[0]
        usable = np.isfinite(observed)

        def of(step: int, scores: Array, truth: int = truth, usable: np.ndarray = usable) -> tuple[Array, Array]:
            predicted, noise = first if step == 0 else predict(1 + truth * steps + step, scores)
            return predicted[:, usable], noise[:, usable]

        kept = [name for name, use in zip(names, usable, strict=True) if use]
        scores = smooth(of, prior_scores(members, seed), observed[usable], errors[usable], kept, seed=seed + 1 + truth, steps=steps)
        below, spread = (scores < known).mean(axis=0), scores.std(axis=0, ddof=1)
        rows += [(truth, one.name, float(below[i]), float(spread[i])) for i, one in enumerate(free_parameters())]
    return pl.DataFrame(rows, schema={"truth": pl.Int64, "parameter": pl.String, "rank": pl.Float64, "spread": pl.Float64}, orient="row")


def coverage(found: pl.DataFrame, informed_below: float = 0.9) -> pl.DataFrame:
    """Share of known values inside the central intervals: columns parameters (all, informed), level, covered, n, all shares 0-1.

    Informed are those whose spread fell below `informed_below` of the prior's.
    """
    rows = []
    for words, part in (("all", found), ("informed", found.filter(pl.col("spread") < informed_below))):
        for level in LEVELS:
            inside = part.filter((pl.col("rank") - 0.5).abs() <= level / 2.0)
            rows.append((words, level, inside.height / part.height if part.height else None, part.height))
    return pl.DataFrame(rows, schema={"parameters": pl.String, "level": pl.Float64, "covered": pl.Float64, "n": pl.Int64}, orient="row")


def file() -> Path:
    """Where the result of the last test is kept, for the documents."""
    return data_folder() / FOLDER / "recovery.csv"


def write(*, seed: int = 1, progress: Progress | None = None) -> Path:
    """Run the test and keep its ranks in data/validity/recovery.csv."""
    path = file()
    found = ranks(seed=seed, progress=progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    found.with_columns(pl.col("rank", "spread").round(4)).write_csv(path)
    return path
