"""Virtual trials run by the model: what was published beside what is predicted, with intervals, the gap and a verdict."""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab import trials
from painlab.engine import execution
from painlab.plan import CarePlan
from painlab.population import Population
from painlab.trials import MEASURES, Measured, Trial

Values = Mapping[str, float]
Progress = Callable[[int, int], None]

COLUMNS: Final = (
    "id", "use", "kind", "week", "published", "published_low", "published_high", "predicted", "predicted_low", "predicted_high", "gap",
    "inside", "source", "title", "outcome", "unit",
)  # fmt: skip
LEVEL: Final = 0.95
MORE_PATIENTS: Final = 4


class Predictions(NamedTuple):
    """Predicted outcomes of trials, on the model's scale.

    values: shape (sets of parameter values, trials); errors: standard errors by the number of patients, same shape.
    """

    values: np.ndarray
    errors: np.ndarray


class _Arm(NamedTuple):
    """What is simulated once for all trials that share it."""

    population: Population
    plan: CarePlan
    cut: tuple[str, ...]
    weeks: int
    times: int  # how many times as many patients as usual, for the sake of trials that look at few of them


def _arms(chosen: Sequence[Trial]) -> tuple[list[_Arm], list[list[int]]]:
    """Arms to simulate, each once and as long as any trial needs it, and for each trial the places of its arms.

    A trial of a mediated share has its arms a second time, with the link cut.
    """
    places: dict[str, int] = {}
    arms: list[_Arm] = []
    needed: list[list[int]] = []
    for trial in chosen:
        mine = []
        for cut in [()] if trial.through is None else [(), (trial.through,)]:
            for plan in trial.arms.values():
                key = f"{trial.population.model_dump_json()} {plan.model_dump_json()} {cut}"
                place = places.setdefault(key, len(arms))
                if place == len(arms):
                    arms.append(_Arm(trial.population, plan, cut, 0, 1))
                longest, most = max(arms[place].weeks, trial.last_week), max(arms[place].times, _times(trial))
                arms[place] = arms[place]._replace(weeks=longest, times=most)
                mine.append(place)
        needed.append(mine)
    return arms, needed


def _times(trial: Trial) -> int:
    return MORE_PATIENTS if trial.among or trial.kind == "odds_ratio" else 1


def predict(
    chosen: Sequence[Trial],
    values: Sequence[Values],
    *,
    patients: int = 1000,
    seed: int = 1,
    first_set: int = 0,
    same_patients: bool = False,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Run trials under sets of parameter values.

    Set d has patients of its own, or with `same_patients` those of set 0, so that sets differ by their parameters alone; first_set counts
    the sets before. All arms of a set have the same patients and random numbers. Trials that look at few patients (a subgroup by opioids,
    or odds of them) have `MORE_PATIENTS` times as many. The numbers depend neither on threads nor on which other trials or sets are run.
    """
    arms, needed = _arms(chosen)
    asked_of = [[(i, n) for i, places in enumerate(needed) for n, place in enumerate(places) if place == j] for j in range(len(arms))]

    def one_set(d: int) -> tuple[int, list[tuple[float, float]]]:
        found: list[dict[int, Measured]] = [{} for _ in chosen]
        for arm, asked in zip(arms, asked_of, strict=True):
            count = arm.times * patients
            first = (first_set + (0 if same_patients else d)) * MORE_PATIENTS * patients
            records = execution.follow(
                arm.population, arm.plan, values[d], first=first, patients=count, seed=seed, weeks=arm.weeks, cut=arm.cut
            )
            for i, n in asked:
                mine = records[: _times(chosen[i]) * patients]
                found[i][n] = trials.measured(chosen[i], mine)
                if chosen[i].kind == "percent_change" and len(needed[i]) == 1:
                    found[i][1] = trials.measured(chosen[i], mine, (chosen[i].from_week, chosen[i].from_week))
        return d, [_compared(trial, [of[n] for n in sorted(of)]) for trial, of in zip(chosen, found, strict=True)]

    results = np.full((2, len(values), len(chosen)), np.nan)
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        try:
            for done, future in enumerate(as_completed([pool.submit(one_set, d) for d in range(len(values))]), start=1):
                d, found = future.result()
                results[:, d] = np.array(found).T
                if progress:
                    progress(done, len(values))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return Predictions(results[0], results[1])


def _compared(trial: Trial, arms: list[Measured]) -> tuple[float, float]:
    """A trial's figure from its arms' means, and its standard error by the number of patients (delta method on paired influences)."""
    first, second = arms[0], arms[-1]
    if not all(np.isfinite(arm.mean) for arm in arms):
        return math.nan, math.nan
    if trial.kind in ("level", "share"):
        return first.mean, _error(first.influence)
    if trial.kind == "difference":
        return first.mean - second.mean, _error(first.influence - second.influence)
    if trial.kind == "percent_change":
        if second.mean == 0.0:
            return math.nan, math.nan
        ratio = first.mean / second.mean
        return 100.0 * (ratio - 1.0), _error(100.0 * (first.influence - ratio * second.influence) / second.mean)
    if trial.kind == "odds_ratio":
        odds = [arm.mean / (100.0 - arm.mean) if 0.0 < arm.mean < 100.0 else math.nan for arm in arms]
        moves = [
            100.0 * arm.influence / (arm.mean * (100.0 - arm.mean)) if odd == odd else 0.0 for arm, odd in zip(arms, odds, strict=True)
        ]
        return odds[0] / odds[1], odds[0] / odds[1] * _error(np.asarray(moves[0] - moves[1]))
    whole, without = arms[0].mean - arms[1].mean, arms[2].mean - arms[3].mean
    if whole == 0.0:
        return math.nan, math.nan
    lost = (arms[2].influence - arms[3].influence) / whole - without / whole**2 * (arms[0].influence - arms[1].influence)
    return 100.0 * (1.0 - without / whole), _error(100.0 * lost)


def _error(influence: np.ndarray) -> float:
    """Standard error of a figure to which each patient contributes this much."""
    return float(influence.std(ddof=1) / math.sqrt(influence.size)) if influence.size > 1 else math.nan


def standard_error(trial: Trial) -> float:
    """Standard error of the published figure from its interval; of the logarithm for an odds ratio."""
    _, low, high = trial.published.on_the_models_scale()
    width = math.log(high / low) if trial.kind == "odds_ratio" else high - low
    return width / (2.0 * 1.959963984540054)


def gap(trial: Trial, predicted: float) -> float:
    """Predicted less published, in standard errors of the published figure; of logarithms for an odds ratio."""
    estimate, _, _ = trial.published.on_the_models_scale()
    error = standard_error(trial)
    if error == 0.0:
        return math.nan
    if trial.kind == "odds_ratio":
        return math.log(predicted / estimate) / error if predicted > 0.0 else math.nan
    return (predicted - estimate) / error


def table(chosen: Iterable[Trial], predictions: Predictions) -> pl.DataFrame:
    """One row a trial: published and predicted with intervals, the gap, and whether the predicted mean lies in the published interval.

    Columns `COLUMNS`, figures on the model's scale. The predicted interval holds the middle 95 % of the sets; with one set it is null. A
    trial that the model cannot answer (an empty subgroup) has nulls and is not inside.
    """
    rows = []
    for place, trial in enumerate(chosen):
        estimate, low, high = trial.published.on_the_models_scale()
        found = predictions.values[:, place]
        found = found[np.isfinite(found)]
        mean = float(found.mean()) if found.size else None
        spread = np.quantile(found, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if found.size > 1 else None
        weeks = f"{trial.weeks[0]}" if trial.weeks[0] == trial.weeks[1] else f"{trial.weeks[0]}-{trial.weeks[1]}"
        measure = MEASURES[trial.outcome]
        points = trial.kind == "difference" and measure.share
        unit = (
            "percentage points"
            if points
            else {"odds_ratio": "odds ratio", "percent_change": "%", "percent_through": "%"}.get(trial.kind, measure.unit)
        )
        rows.append(
            {
                "id": trial.id, "use": trial.use, "kind": trial.kind, "week": weeks, "published": estimate, "published_low": low,
                "published_high": high, "predicted": mean, "predicted_low": None if spread is None else float(spread[0]),
                "predicted_high": None if spread is None else float(spread[1]), "gap": None if mean is None else gap(trial, mean),
                "inside": mean is not None and low <= mean <= high, "source": trials.citation(trial), "title": trial.title,
                "outcome": trial.outcome, "unit": unit,
            }
        )  # fmt: skip
    floats = {name: pl.Float64 for name in COLUMNS if name.startswith(("published", "predicted", "gap"))}
    return pl.DataFrame(rows, schema_overrides=floats).select(COLUMNS)


def figures(row: Mapping[str, Any]) -> tuple[str, str]:
    """A row's published and predicted figure with their intervals, as every table and plot prints them."""
    digits = 2 if abs(row["published"]) < 10 else 1
    said = []
    for name in ("published", "predicted"):
        mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
        band = "" if low is None else f" ({low:.{digits}f} to {high:.{digits}f})"
        said.append("none" if mean is None else f"{mean:.{digits}f}{band}")
    return said[0], said[1]


def summary(of: pl.DataFrame) -> pl.DataFrame:
    """Trials, those inside and their share in percent, by use: columns use, trials, inside, share."""
    grouped = of.group_by("use", maintain_order=True).agg(trials=pl.len(), inside=pl.col("inside").sum())
    return grouped.with_columns(share=100.0 * pl.col("inside") / pl.col("trials"))
