"""Change of pain from baseline by arm, with the baseline as covariate: analysis of covariance, or a mixed model of several visits."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from painlab.analysis.fit import (
    FEWEST_PEOPLE,
    Array,
    Check,
    Fit,
    Refused,
    Table,
    Term,
    covariate_columns,
    full_rank,
    gather,
    left_out_check,
    numbers_of,
    predicted_frame,
    t_interval,
)
from painlab.analysis.mixed import arms_of, least_squares, mixed_model, must_vary, not_converged, seen_once, skew_check
from painlab.errors import InputError

_CHANGE: Final = "change from baseline"


def pain_change(
    visits: Table,
    *,
    person: str = "person",
    time: str = "week",
    pain: str = "pain",
    arm: str = "arm",
    reference: str | None = None,
    at: float | None = None,
    covariates: Sequence[str] = (),
    unit: str = "points",
) -> Fit:
    """Change from baseline by arm with the baseline as covariate: the difference between arms at each later visit.

    The first time is the baseline. With y at visit v after it,
    y(i, v) = visit(v) + slope(v) (baseline(i) - mean) + difference(v) arm(i) + covariates + u(i) + e(i, v),
    by restricted maximum likelihood with a random intercept; with one later visit it is an analysis of covariance by least squares, the
    same formula without u. Adjusting for the baseline is what Vickers and Altman advise (BMJ 2001;323:1123-1124). Whoever has the baseline
    and one later visit counts; whoever has no baseline is left out, and a diagnostic says how many.

    Parameters
    ----------
    visits
        One row a person and visit: person, time, pain, arm (text or number, the same in all of a person's rows) and covariates.
    reference
        The arm that the others are held against; the first in order if left out.
    at
        The later visit that the sentence is about; the last if left out.
    covariates
        Columns that are the same in all of a person's rows, such as what a randomization was stratified by.

    Raises
    ------
    Refused
        As `pain_trajectories`, and if no person has a baseline and a later visit, or the arms are not two or more.

    >>> from painlab.analysis.change_from_baseline import pain_change
    >>> rows = [{"person": n, "week": w, "pain": 5 + n % 4 - (w > 0) * (1 + n % 2) + n * 5 % 7 * 0.1 * w / 6, "arm": "ab"[n % 2]}
    ...         for n in range(20) for w in (0, 6)]
    >>> pain_change(pl.DataFrame(rows)).terms[0].term
    'b less a at 6'
    """
    frame, gaps = gather(visits, [person, time, pain, arm, *covariates], _CHANGE)
    seen_once(frame, person, time, _CHANGE)
    arms = arms_of(frame, person, arm, _CHANGE, reference)
    if len(arms) < 2:
        raise Refused(f'everyone is in the arm "{arms[0]}"', where=_CHANGE, expected="two arms or more", mend="Name the column of the arm.")
    start = frame[time].min()
    baseline = frame.filter(pl.col(time) == start).select(person, _start=pl.col(pain).cast(pl.Float64))
    later = frame.filter(pl.col(time) != start).sort(person, time)
    rows = later.join(baseline, on=person, how="inner", maintain_order="left")
    without = later[person].n_unique() - rows[person].n_unique()
    if rows[person].n_unique() < FEWEST_PEOPLE:
        raise Refused(
            f"{rows[person].n_unique()} people have a baseline and a later visit",
            where=_CHANGE,
            expected=f"{FEWEST_PEOPLE} or more (assumption)",
        )
    y, before = numbers_of(rows, pain, _CHANGE), numbers_of(rows, "_start", _CHANGE)
    must_vary(y, pain, _CHANGE)
    must_vary(before, f"{pain} at the baseline", _CHANGE)
    times = sorted(rows[time].unique().to_list())
    target = times[-1] if at is None else at
    if target not in times:
        known = ", ".join(f"{one:g}" for one in times)
        raise InputError(f"there is no later visit at {target:g}", where=_CHANGE, expected=f"one of {known}")
    design, terms = _change_design(rows, time, arm, arms, times, before)
    extra_terms, extra = covariate_columns(rows, covariates, _CHANGE)
    design, terms = np.column_stack([design, extra]), [*terms, *extra_terms]
    full_rank(design, terms, _CHANGE)
    groups = rows[person].cast(pl.String).to_numpy()
    people = int(rows[person].n_unique())
    freedom = people - design.shape[1] // len(times) - len(extra_terms)
    if freedom < FEWEST_PEOPLE:
        raise Refused(f"{people} people are too few for {design.shape[1]} coefficients", where=_CHANGE, mend="Take fewer covariates.")
    fitted = mixed_model(y, design, groups, np.ones((len(y), 1))) if len(times) > 1 else least_squares(y, design)
    if fitted is None:
        raise not_converged(_CHANGE)
    found = []
    for visit in sorted(times, key=lambda one: one != target):  # the one the sentence is about first
        for name in arms[1:]:
            place = terms.index(f"{name} at {visit:g}")
            value, error = float(fitted.coefficients[place]), float(fitted.covariance[place, place] ** 0.5)
            found.append(Term(f"{name} less {arms[0]} at {visit:g}", value, *t_interval(value, error, freedom), unit))
    counted = {name: rows.filter(pl.col(arm).cast(pl.String) == name)[person].n_unique() for name in arms}
    checks = [
        Check("people", float(people), ", ".join(f"{name} {count}" for name, count in counted.items())),
        *_missing(frame, person, time, arm, arms, target),
        Check("without a baseline", float(without), "left out" if without else "none"),
        _parallel(rows, y, before, arm, arms, time, target),
        skew_check(fitted.residuals),
        *left_out_check(gaps),
    ]
    return Fit(
        title="Change from baseline by arm, adjusted for the baseline",
        sentence=_change_words(found, arms, target, unit),
        terms=tuple(found),
        checks=tuple(checks),
        predicted=_adjusted(frame, person, time, pain, arm, arms, start, found),
        kind="change",
        x_title=time.capitalize(),
        y_title=f"Pain ({unit})",
        assumptions=("whether a visit is missing depends only on what was seen before it and on the covariates",),
    )


def _missing(frame: pl.DataFrame, person: str, time: str, arm: str, arms: list[str], target: float) -> list[Check]:
    """Share of each arm that has no visit at the time the sentence is about."""
    checks = []
    for name in arms:
        mine = frame.filter(pl.col(arm).cast(pl.String) == name)
        share = 100.0 * (1.0 - mine.filter(pl.col(time) == target)[person].n_unique() / mine[person].n_unique())
        said = "% without this visit" + ("; many: the result leans on the assumption below" if share > 20.0 else "")
        checks.append(Check(f"missing at {target:g}, {name}", share, said))
    return checks


def _parallel(rows: pl.DataFrame, y: Array, before: Array, arm: str, arms: list[str], time: str, target: float) -> Check:
    """Whether the difference between arms depends on the baseline: their product added at one visit, by its t value."""
    here = np.asarray(rows[time] == target)
    inside = np.asarray((rows[arm].cast(pl.String) == arms[1]).cast(pl.Float64))[here]
    start = before[here] - before[here].mean()
    with_product = least_squares(y[here], np.column_stack([np.ones_like(start), start, inside, inside * start]))
    value = float(with_product.coefficients[3] / with_product.covariance[3, 3] ** 0.5)
    said = "no sign that the difference depends on the baseline"
    return Check(
        "difference by baseline", value, said if abs(value) < 1.96 else "it depends on the baseline: the difference is one for the mean"
    )


def _change_design(rows: pl.DataFrame, time: str, arm: str, arms: list[str], times: list[float], before: Array) -> tuple[Array, list[str]]:
    columns: list[Array] = []
    terms: list[str] = []
    centered = before - before.mean()
    for visit in times:
        here = np.asarray((rows[time] == visit).cast(pl.Float64))
        columns += [here, here * centered]
        terms += [f"visit {visit:g}", f"baseline at {visit:g}"]
        for name in arms[1:]:
            columns.append(here * np.asarray((rows[arm].cast(pl.String) == name).cast(pl.Float64)))
            terms.append(f"{name} at {visit:g}")
    return np.column_stack(columns), terms


def _adjusted(
    frame: pl.DataFrame, person: str, time: str, pain: str, arm: str, arms: list[str], start: Any, found: list[Term]
) -> pl.DataFrame:
    """Mean pain seen by arm; beside it the first arm's mean plus the adjusted difference, with the difference's interval."""
    seen = {
        (name, at): value
        for name, at, value in frame.group_by(pl.col(arm).cast(pl.String), time).agg(pl.col(pain).mean()).sort(arm, time).iter_rows()
    }
    by = {one.term: one for one in found}
    rows = []
    order = {name: place for place, name in enumerate(arms)}
    for (name, at), value in sorted(seen.items(), key=lambda one: order[one[0][0]]):
        row = {"series": name, "x": float(at), "observed": value, "predicted": value, "low": None, "high": None}
        one = by.get(f"{name} less {arms[0]} at {at:g}")
        if one is not None and (arms[0], at) in seen:
            first = seen[arms[0], at]
            row |= {"predicted": first + one.estimate, "low": first + one.low, "high": first + one.high}
        rows.append(row)
    return predicted_frame(rows)


def _change_words(found: list[Term], arms: list[str], target: float, unit: str) -> str:
    parts = []
    for name in arms[1:]:
        one = next(term for term in found if term.term == f"{name} less {arms[0]} at {target:g}")
        ends = sorted((abs(one.low), abs(one.high)))
        if one.settled():
            side = "lower" if one.estimate < 0.0 else "higher"
            parts.append(
                f"At {target:g}, with equal baselines, pain in {name} was {side} than in {arms[0]} by {abs(one.estimate):.1f} {unit} "
                f"(95 % interval {ends[0]:.1f} to {ends[1]:.1f})."
            )
        else:
            parts.append(
                f"At {target:g}, with equal baselines, pain in {name} cannot be told apart from that in {arms[0]}: "
                f"difference {one.words(1)} {unit}."
            )
    return " ".join(parts)
