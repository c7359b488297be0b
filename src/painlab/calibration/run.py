"""Calibration from start to file: the ensemble through its steps, saved as it goes, and written as data/posterior.parquet."""

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import platformdirs
import polars as pl

from painlab import posterior, trials, validation
from painlab.calibration.ensemble import Array, assimilate, free_parameters, perturbations, prior_scores, values_of
from painlab.errors import InputError
from painlab.parameters import records
from painlab.tables import data_folder
from painlab.trials import Trial

MEMBERS: Final = 500
PATIENTS: Final = 400
STEPS: Final = 8
FEWEST_MEMBERS: Final = 300  # fewer do not tell information from chance among so many parameters
CHUNK: Final = 20  # members between two savings

Progress = Callable[[int, int], None]


class Calibrated(NamedTuple):
    """What a calibration found.

    scores: normal scores of the posterior, shape (members, free parameters); path: where it was written, or None.
    """

    scores: Array
    path: Path | None


def observations(chosen: Sequence[Trial]) -> tuple[Array, Array]:
    """Published figures of trials and their standard errors, shape (trials,); odds ratios as logarithms."""
    figures = [trial.published.on_the_models_scale()[0] for trial in chosen]
    scaled = [math.log(figure) if trial.kind == "odds_ratio" else figure for trial, figure in zip(chosen, figures, strict=True)]
    return np.array(scaled), np.array([validation.standard_error(trial) for trial in chosen])


def on_the_scale_of_errors(chosen: Sequence[Trial], found: validation.Predictions) -> tuple[Array, Array]:
    """Predictions and their standard errors on the scale of `observations`."""
    values, errors = found.values.copy(), found.errors.copy()
    for place, trial in enumerate(chosen):
        if trial.kind == "odds_ratio":
            errors[:, place] /= values[:, place]
            values[:, place] = np.log(values[:, place])
    return values, errors


def smooth(
    predict: Callable[[int, Array], tuple[Array, Array]],
    scores: Array,
    observed: Array,
    errors: Array,
    names: Sequence[str],
    *,
    seed: int,
    steps: int,
) -> Array:
    """Take an ensemble of scores through all steps of the smoother.

    predict(step, scores) gives predictions and their standard errors, shape (members, observations) each. All members of a step should meet
    the same patients, and each step others: chance is then an error that the members share and that falls with the number of steps. It is
    added to the published error, since a finite cohort says no more than that.
    """
    for step in range(steps):
        predicted, noise = predict(step, scores)
        total = np.sqrt(errors**2 + np.nanmean(noise**2, axis=0) / steps)
        scores = assimilate(scores, predicted, observed, total, float(steps), perturbations(len(scores), seed, step, names))
    return scores


def calibrate(
    *,
    members: int = MEMBERS,
    patients: int = PATIENTS,
    steps: int = STEPS,
    seed: int = 1,
    path: Path | None = None,
    fresh: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
    chosen: Sequence[Trial] | None = None,
) -> Calibrated:
    """Calibrate all free parameters on the trials marked calibrate, and write the draws.

    Work is saved every few seconds in the user's cache; the same call after a kill goes on from there and gives the same draws.

    Parameters
    ----------
    members, patients, steps
        Size of the ensemble, patients in each arm and member, and assimilation steps.
    path
        Where to write; data/posterior.parquet if left out.
    fresh
        Begin anew, even if saved work is there.
    chosen
        Trials in place of those that ship.

    Raises
    ------
    InputError
        For too small an ensemble, or without any trial.
    """
    if members < FEWEST_MEMBERS:
        raise InputError(f"the ensemble has {members} members", expected=f"at least {FEWEST_MEMBERS}", mend="Raise the number of members.")
    chosen = trials.shipped("calibrate") if chosen is None else tuple(chosen)
    if not chosen:
        raise InputError("there is no trial marked calibrate", expected="at least one", mend="See data/trials.")
    settings = {"members": members, "patients": patients, "steps": steps, "seed": seed}
    origin = posterior.fingerprints()  # before the work: a change of the model meanwhile makes the result stale
    saved = _Saved(settings | origin | {"chosen": [trial.model_dump_json() for trial in chosen]})
    if fresh:
        saved.clear()
    total = members * steps

    def predict(step: int, scores: Array) -> tuple[Array, Array]:
        found = saved.predictions(step, members, len(chosen))
        values = values_of(scores)
        for start in range(0, members, CHUNK):
            stop = min(start + CHUNK, members)
            if not np.isnan(found.values[start:stop]).all():
                continue
            part = validation.predict(
                chosen, values[start:stop], patients=patients, seed=seed, first_set=step, same_patients=True, threads=threads
            )
            found.values[start:stop], found.errors[start:stop] = part
            saved.keep(step, found)
            if progress:
                progress(step * members + stop, total)
        return on_the_scale_of_errors(chosen, found)

    observed, errors = observations(chosen)
    scores = smooth(predict, prior_scores(members, seed), observed, errors, [trial.id for trial in chosen], seed=seed, steps=steps)
    target = data_folder() / posterior.FILE if path is None else path
    made = origin | {"method": "ES-MDA", **{name: str(value) for name, value in settings.items()}}
    posterior.write(as_table(scores), made, target)
    posterior.load.cache_clear()
    posterior.values.cache_clear()
    saved.clear()
    return Calibrated(scores, target)


def as_table(scores: Array) -> pl.DataFrame:
    """Parameter values of an ensemble: one row a member, one column a parameter, in the order of data/parameters.csv."""
    return pl.DataFrame(values_of(scores)).select(list(records()))


def scores_of(draws: pl.DataFrame) -> Array:
    """Normal scores of a table of draws, the inverse of `as_table`, shape (draws, free parameters)."""
    from scipy.special import ndtri

    return np.column_stack([ndtri(np.clip(one.share_below(draws[one.name].to_numpy()), 1e-9, 1 - 1e-9)) for one in free_parameters()])


class _Saved:
    """Predictions of a calibration under way, in the user's cache, under a name made from all that they depend on."""

    def __init__(self, depends_on: dict[str, Any]) -> None:
        digest = hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]
        self.folder = platformdirs.user_cache_path("painlab") / "calibration" / digest

    def predictions(self, step: int, members: int, count: int) -> validation.Predictions:
        """What is there of a step; NaN where nothing is."""
        path = self.folder / f"{step}.npy"
        if path.is_file():
            found = np.load(path)
            if found.shape == (2, members, count):
                return validation.Predictions(found[0], found[1])
        return validation.Predictions(*np.full((2, members, count), np.nan))

    def keep(self, step: int, found: validation.Predictions) -> None:
        """Save a step's predictions, replacing the file in one go."""
        self.folder.mkdir(parents=True, exist_ok=True)
        unfinished = self.folder / f"{step}.unfinished.npy"
        np.save(unfinished, np.array(found))
        unfinished.replace(self.folder / f"{step}.npy")

    def clear(self) -> None:
        """Remove what was saved."""
        for path in self.folder.glob("*.npy"):
            path.unlink()
        with suppress(OSError):
            self.folder.rmdir()
