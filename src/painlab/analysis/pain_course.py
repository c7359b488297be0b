"""The course of pain: a mixed model in which each person has a level and a slope of their own."""

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
    full_rank,
    gather,
    left_out_check,
    numbers_of,
    predicted_frame,
    t_interval,
)
from painlab.analysis.mixed import Mixed, arms_of, mixed_model, must_vary, not_converged, seen_once, singular, skew_check

_TRAJECTORIES: Final = "pain trajectories"


def pain_trajectories(
    visits: Table,
    *,
    person: str = "person",
    time: str = "week",
    pain: str = "pain",
    arm: str | None = None,
    reference: str | None = None,
    unit: str = "points",
) -> Fit:
    """Pain over time with a random intercept and a random slope for each person, by arm if one is named.

    y(i, t) = a + b t + (da + db t) arm(i) + u0(i) + u1(i) t + e(i, t), with (u0, u1) normal with any covariance, e normal, by restricted
    maximum likelihood (Laird and Ware, Biometrics 1982;38:963-974; statsmodels MixedLM). People without some visits stay in; the estimates
    hold if what is missing depends only on what was seen. Intervals are by Student's t with people less coefficients as degrees of freedom.
    Where the slopes turn out not to differ between people, the model keeps the random intercept alone and a diagnostic says so.

    Parameters
    ----------
    visits
        One row a person and visit: person, time (a number; its column's name, such as week, is the unit of time in words), pain (0-10 or
        another score), and the arm (text) if one is named.
    reference
        The arm that the others are held against; the first in order if left out.
    unit
        What pain is counted in, for the words.

    Raises
    ------
    Refused
        Fewer than 10 people, or fewer than 10 with two visits, in an arm under 5 people, no variation of time or pain, or no convergence.

    >>> from painlab.analysis.pain_course import pain_trajectories
    >>> week = [0, 4, 8, 12] * 12
    >>> course = [6 - 0.2 * t + n // 4 % 5 * (0.3 + 0.02 * t) + n * 7 % 3 * 0.4 for n, t in enumerate(week)]
    >>> rows = [{"person": n // 4, "week": t, "pain": score} for n, (t, score) in enumerate(zip(week, course, strict=True))]
    >>> pain_trajectories(pl.DataFrame(rows)).term("slope per week").estimate < 0
    True
    """
    frame, gaps = gather(visits, [person, time, pain, *([arm] if arm else [])], _TRAJECTORIES)
    seen_once(frame, person, time, _TRAJECTORIES)
    y, t = numbers_of(frame, pain, _TRAJECTORIES), numbers_of(frame, time, _TRAJECTORIES)
    groups = frame[person].cast(pl.String).to_numpy()
    arms = arms_of(frame, person, arm, _TRAJECTORIES, reference)
    _enough_people(frame, person, time, _TRAJECTORIES)
    must_vary(y, pain, _TRAJECTORIES)
    scale = float(t.max() - t.min())
    s = t / scale  # slopes on the scale of the whole time, so that all variances are of one size
    columns, terms = [np.ones_like(y), s], [f"level at {time} 0", f"slope per {time}"]
    for name in arms[1:]:
        inside = np.asarray((frame[str(arm)].cast(pl.String) == name).cast(pl.Float64))
        columns += [inside, inside * s]
        terms += [f"{name}: level at {time} 0", f"{name}: slope per {time}"]
    design = np.column_stack(columns)
    full_rank(design, terms, _TRAJECTORIES)
    times = len(np.unique(t))
    fitted, random = None, "intercept and slope"
    if times >= 3:
        fitted = mixed_model(y, design, groups, np.column_stack([np.ones_like(s), s]))
    if fitted is None or singular(fitted):
        fitted, random = mixed_model(y, design, groups, np.ones((len(y), 1))), "intercept only"
    if fitted is None:
        raise not_converged(_TRAJECTORIES)
    people = int(frame[person].n_unique())
    freedom = people - design.shape[1]
    to_time = np.where(np.arange(len(terms)) % 2, 1.0 / scale, 1.0)
    found = []
    for place, term in enumerate(terms):
        value = float(fitted.coefficients[place] * to_time[place])
        error = float(fitted.covariance[place, place] ** 0.5 * to_time[place])
        against = f", difference from {arms[0]}" if place > 1 else ""
        found.append(Term(term, value, *t_interval(value, error, freedom), unit + (f" per {time}" if place % 2 else "") + against))
    spread = np.sqrt(np.diag(fitted.between))
    checks = [
        Check("people", float(people), "enough for a spread between people" if people >= 30 else "few: intervals are rough"),
        Check("visits", float(len(y)), f"{len(y) / people:.1f} a person, at {times} times"),
        Check("spread of people's levels", float(spread[0]), f"standard deviation, {unit}"),
        _slope_check(spread, scale, random, times, f"{unit} per {time}"),
        Check("spread within a person", fitted.within**0.5, f"standard deviation of a visit around its person's line, {unit}"),
        _straight(y, design, groups, s, random),
        skew_check(fitted.residuals),
        *left_out_check(gaps),
    ]
    return Fit(
        title="Pain over time, each person with a level and a slope",
        sentence=_course_words(found, arms, unit, time),
        terms=tuple(found),
        checks=tuple(checks),
        predicted=_course(frame, arm, arms, time, pain, fitted, terms, scale, freedom),
        kind="course",
        x_title=time.capitalize(),
        y_title=f"Pain ({unit})",
        assumptions=("whether a visit is missing depends only on what was seen before it",),
    )


def _enough_people(frame: pl.DataFrame, person: str, time: str, where: str) -> None:
    visits = frame.group_by(person).agg(pl.col(time).n_unique().alias("visits"))
    again = visits.filter(pl.col("visits") > 1).height
    if again < FEWEST_PEOPLE:
        raise Refused(
            f"{again} of {visits.height} people have two visits or more",
            where=where,
            expected=f"{FEWEST_PEOPLE} or more (assumption: with fewer, the spread between people is a guess)",
            mend="Gather more people, or describe these one by one.",
        )


def _slope_check(spread: Array, scale: float, random: str, times: int, unit: str) -> Check:
    if random == "intercept and slope":
        return Check("spread of people's slopes", float(spread[1]) / scale, f"standard deviation, {unit}")
    why = "two times cannot tell it from the spread within a person" if times < 3 else "estimated as none; left out of the model"
    return Check("spread of people's slopes", None, why)


def _straight(y: Array, design: Array, groups: Any, s: Array, random: str) -> Check:
    """Whether the course is a straight line: a quadratic term added, judged by its z value."""
    name = "is the course straight"
    if len(np.unique(s)) < 3:
        return Check(name, None, "two times only: cannot be seen")
    effects = np.ones((len(y), 1)) if random == "intercept only" else np.column_stack([np.ones_like(s), s])
    bent = mixed_model(y, np.column_stack([design, s * s]), groups, effects)
    if bent is None:
        return Check(name, None, "not found out: the curved model did not converge")
    z = float(bent.coefficients[-1] / bent.covariance[-1, -1] ** 0.5)
    return Check(name, z, "no sign of a bend" if abs(z) < 1.96 else "it bends (|z| of 1.96 or more): one slope is an average")


def _course(
    frame: pl.DataFrame,
    arm: str | None,
    arms: list[str],
    time: str,
    pain: str,
    fitted: Mixed,
    terms: list[str],
    scale: float,
    freedom: int,
) -> pl.DataFrame:
    """Mean pain seen at each time and the fitted mean course with its interval, by arm."""
    rows = []
    for number, name in enumerate(arms):
        mine = frame if arm is None else frame.filter(pl.col(arm).cast(pl.String) == name)
        for at, seen in mine.group_by(time).agg(pl.col(pain).mean()).sort(time).iter_rows():
            weights = np.zeros(len(terms))
            weights[:2] = 1.0, at / scale
            if number:
                weights[2 * number : 2 * number + 2] = 1.0, at / scale
            value, error = float(weights @ fitted.coefficients), float(weights @ fitted.covariance @ weights) ** 0.5
            low, high = t_interval(value, error, freedom)
            rows.append({"series": name, "x": float(at), "observed": seen, "predicted": value, "low": low, "high": high})
    return predicted_frame(rows)


def _course_words(found: list[Term], arms: list[str], unit: str, time: str) -> str:
    slope = found[1]
    way = "fell" if slope.high < 0.0 else "rose" if slope.low > 0.0 else ""
    who = "" if len(arms) == 1 else f" in {arms[0]}"
    said = (
        f"Pain{who} {way} by {abs(slope.estimate):.2f} {unit} a {time} "
        f"(95 % interval {min(abs(slope.low), abs(slope.high)):.2f} to {max(abs(slope.low), abs(slope.high)):.2f})."
        if way
        else f"Pain{who} did not clearly rise or fall: {slope.words(2)} {unit} a {time}."
    )
    for name in arms[1:]:
        more = next(one for one in found if one.term == f"{name}: slope per {time}")
        if more.settled():
            side = "lower" if more.estimate < 0.0 else "higher"
            said += f" In {name} the slope was {side} by {abs(more.estimate):.2f} a {time} ({more.low:.2f} to {more.high:.2f})."
        else:
            said += f" The slope in {name} cannot be told apart from that in {arms[0]}: difference {more.words(2)} a {time}."
    return said
