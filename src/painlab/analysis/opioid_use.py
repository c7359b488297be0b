"""Being on opioids week by week or month by month: generalized estimating equations, odds ratios and percentage points."""

import warnings
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
from painlab.errors import InputError

STRUCTURES: Final = ("exchangeable", "ar1", "independence")
EVENTS_A_TERM: Final = 10
"""People on opioids, and people not on them, for each coefficient (Peduzzi et al., Journal of Clinical Epidemiology 1996;49:1373-1379)."""
FEW_CLUSTERS: Final = 40
"""Below it the plain robust errors are too small (Mancl and DeRouen, Biometrics 2001;57:126-134)."""

_WHERE: Final = "opioid odds"
_FARTHEST: Final = 10.0  # a log odds ratio beyond it means that a term tells users from others without a fault


def opioid_odds(
    panel: Table,
    *,
    person: str = "person",
    period: str = "week",
    on: str = "on_opioids",
    exposure: str,
    covariates: Sequence[str] = (),
    trend: bool = True,
    structure: str = "exchangeable",
    cluster: str | None = None,
) -> Fit:
    """Odds and percentage points of being on opioids by an exposure, from repeated yes or no of the same people.

    logit P(on(i, t)) = a + b exposure(i, t) + c t + covariates, averaged over people, not for one person, with a working correlation within
    people (Liang and Zeger, Biometrika 1986;73:13-22; statsmodels GEE). Errors are robust to the wrong correlation and corrected for few
    clusters (Mancl and DeRouen 2001); intervals are by Student's t with clusters less coefficients as degrees of freedom. The average
    marginal effect is the mean, over all rows, of the chance with the exposure less that without it (for a number: per unit more, from
    where each row is), by the delta method.

    Parameters
    ----------
    panel
        One row a person and period: person, period (a date or a whole number), on (0 or 1, or a truth value), exposure and covariates.
    exposure
        The column whose effect is asked for, such as 1 from a program's start on for those in it.
    trend
        Whether a straight course of the log odds over the periods belongs to the model.
    structure
        `exchangeable`: any two periods of a person correlate alike; `ar1`: the less the farther apart; `independence`.
    cluster
        The column of clusters in place of people, where the exposure was given to whole clinics.

    Raises
    ------
    Refused
        Fewer than 10 clusters, fewer than 10 people ever on opioids or ever off them for each coefficient, an exposure that is the same
        throughout, separation, or no convergence.

    >>> from painlab.analysis.opioid_use import opioid_odds
    >>> rows = [{"person": n, "week": w, "on_opioids": (n * 7 + w * w) % 11 < 6 - 3 * (n % 2), "program": n % 2}
    ...         for n in range(80) for w in range(4)]
    >>> print(opioid_odds(pl.DataFrame(rows), exposure="program", trend=False).term("program, odds ratio").words(2))
    0.31 (95 % interval 0.21 to 0.46)
    """
    if structure not in STRUCTURES:
        raise InputError(f'unknown structure "{structure}"', where=_WHERE, expected=f"one of {', '.join(STRUCTURES)}")
    if structure == "ar1" and cluster is not None:
        raise InputError("ar1 is a correlation through one person's time", where=_WHERE, mend="Take exchangeable with clusters.")
    frame, gaps = gather(panel, [person, period, on, exposure, *covariates, *([cluster] if cluster else [])], _WHERE)
    frame = frame.sort(person, period)
    if frame.select(pl.struct(person, period).is_duplicated().any()).item():
        raise InputError(f"a person has one {period} twice", where=_WHERE, mend="Keep one row for a person and period.")
    y = numbers_of(frame, on, _WHERE)
    if not np.isin(y, (0.0, 1.0)).all():
        raise InputError(f'"{on}" holds more than 0 and 1', where=_WHERE, expected="0 or 1", mend="Say what counts as being on opioids.")
    terms, columns = covariate_columns(frame, [exposure, *covariates], _WHERE)
    if len(covariate_columns(frame, [exposure], _WHERE)[0]) > 1:
        raise InputError(f'"{exposure}" has more than two values', where=_WHERE, expected="a number, or a text of two values")
    numbers = _period_numbers(frame, period)
    design, names = np.column_stack([np.ones_like(y), columns]), ["level", *terms]
    if trend and np.ptp(numbers) > 0:
        design, names = np.column_stack([design, numbers / np.ptp(numbers)]), [*names, f"trend over all {period}s"]
    full_rank(design, names, _WHERE)
    clusters = (frame[cluster] if cluster else frame[person]).cast(pl.String)
    count = clusters.n_unique()
    _enough(frame, person, on, count, design.shape[1], cluster)
    found = _estimated(y, design, clusters.to_numpy(), numbers, structure)
    coefficients, covariance = np.asarray(found.params), np.asarray(found.cov_params())
    errors = np.sqrt(np.diag(covariance))
    if not np.all(np.isfinite(errors)) or np.any(np.abs(coefficients[1:]) > _FARTHEST):
        worst = names[int(np.nanargmax(np.abs(coefficients[1:]))) + 1]
        raise Refused(
            f'"{worst}" tells those on opioids from the others without a fault (separation), so its odds ratio has no limit',
            where=_WHERE,
            mend="Leave the term out, or group its values.",
        )
    freedom = count - design.shape[1]
    answers = []
    for place, name in enumerate(names[1:], start=1):
        low, high = t_interval(coefficients[place], errors[place], freedom)
        odds = [float(np.exp(one)) for one in (coefficients[place], low, high)]
        answers.append(Term(f"{name}, odds ratio", odds[0], odds[1], odds[2], "times the odds"))
    effect, error = _marginal(coefficients, covariance, design, 1)
    low, high = t_interval(effect, error, freedom)
    answers.insert(1, Term(f"{terms[0]}, average marginal effect", 100 * effect, 100 * low, 100 * high, "percentage points"))
    correlation = _correlation(found, structure)
    naive = np.sqrt(np.diag(np.asarray(found.cov_naive)))[1]
    checks = [
        Check("clusters", float(count), _cluster_words(count, cluster)),
        Check("rows", float(len(y)), f"{len(y) / frame[person].n_unique():.1f} a person"),
        Check(f"% of rows on opioids, {on}", 100.0 * float(y.mean()), "observed"),
        Check("working correlation", correlation, _correlation_words(structure)),
        Check("robust over model-based error", float(errors[1] / naive), "near 1: the working correlation fits"
              if 0.67 < errors[1] / naive < 1.5 else "far from 1: the robust error is used, the working correlation fits badly"),
        _ends(frame, person, period),
        *left_out_check(gaps),
    ]  # fmt: skip
    return Fit(
        title=f"Being on opioids by {exposure}",
        sentence=_words(answers[0], answers[1], terms[0]),
        terms=tuple(answers),
        checks=tuple(checks),
        predicted=_course(frame, period, on, exposure, found),
        kind="course",
        x_title=period.capitalize(),
        y_title="On opioids (%)",
        dated=frame.schema[period].is_temporal(),
        assumptions=(
            "nothing else differs by the exposure but what the covariates hold",
            "whether a row is missing does not depend on what is modeled",
        ),
    )


def _period_numbers(frame: pl.DataFrame, period: str) -> Array:
    """Periods as numbers from 0: months where all are the first of a month, otherwise steps of the shortest distance."""
    values = frame[period]
    if values.dtype.is_temporal():
        days = values.cast(pl.Date)
        monthly = bool((days.dt.day() == 1).all())
        counted = days.dt.year().cast(pl.Int32) * 12 + days.dt.month() if monthly else days.cast(pl.Int32)
    else:
        counted = values
    numbers = np.asarray(counted.cast(pl.Float64), dtype=np.float64)
    steps = np.diff(np.unique(numbers))
    return np.asarray((numbers - numbers.min()) / (steps.min() if steps.size else 1.0), dtype=np.float64)


def _enough(frame: pl.DataFrame, person: str, on: str, clusters: int, coefficients: int, cluster: str | None) -> None:
    if clusters < FEWEST_PEOPLE:
        raise Refused(
            f"there are {clusters} {'clusters' if cluster else 'people'}",
            where=_WHERE,
            expected=f"{FEWEST_PEOPLE} or more (assumption: robust errors rest on many)",
            mend="Gather more, or describe them one by one.",
        )
    ever = frame.group_by(person).agg(pl.col(on).cast(pl.Float64).max().alias("most"), pl.col(on).cast(pl.Float64).min().alias("least"))
    for count, what in (
        (ever.filter(pl.col("most") == 1).height, "ever on opioids"),
        (ever.filter(pl.col("least") == 0).height, "ever off"),
    ):
        if count < EVENTS_A_TERM * max(1, coefficients - 1):
            raise Refused(
                f"{count} people were {what}, for {coefficients - 1} coefficients",
                where=_WHERE,
                expected=f"{EVENTS_A_TERM} or more for each coefficient (Peduzzi 1996)",
                mend="Take fewer covariates, or gather more people.",
            )
    if clusters - coefficients < 5:
        raise Refused(f"{clusters} clusters are too few for {coefficients} coefficients", where=_WHERE, mend="Take fewer covariates.")


def _estimated(y: Array, design: Array, clusters: Any, numbers: Array, structure: str) -> Any:
    import statsmodels.api as sm

    working = {
        "exchangeable": sm.cov_struct.Exchangeable,
        "ar1": lambda: sm.cov_struct.Autoregressive(grid=True),
        "independence": sm.cov_struct.Independence,
    }[structure]()
    order = np.lexsort((numbers, clusters))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = sm.GEE(
                y[order], design[order], clusters[order], time=numbers[order][:, None], family=sm.families.Binomial(), cov_struct=working
            )
            found = model.fit(maxiter=100, cov_type="bias_reduced")
        except (np.linalg.LinAlgError, ValueError, FloatingPointError) as error:
            reason = f"the equations cannot be solved ({str(error).partition(chr(10))[0]})"
            raise Refused(reason, where=_WHERE, mend="Try structure='independence', or fewer covariates.") from None
    if not found.converged:
        raise Refused("the equations did not converge", where=_WHERE, mend="Try structure='independence', or fewer covariates.")
    return found


def _marginal(coefficients: Array, covariance: Array, design: Array, place: int) -> tuple[float, float]:
    """Average marginal effect of one term and its standard error: a difference for 0 and 1, a derivative for other numbers."""
    values = design[:, place]
    if np.isin(values, (0.0, 1.0)).all():
        gradients, means = [], []
        for value in (0.0, 1.0):
            there = design.copy()
            there[:, place] = value
            chance = 1.0 / (1.0 + np.exp(-there @ coefficients))
            means.append(float(chance.mean()))
            gradients.append((chance * (1.0 - chance)) @ there / len(there))
        effect, gradient = means[1] - means[0], gradients[1] - gradients[0]
    else:
        chance = 1.0 / (1.0 + np.exp(-design @ coefficients))
        steep = chance * (1.0 - chance)
        effect = float(coefficients[place] * steep.mean())
        gradient = coefficients[place] * ((steep * (1.0 - 2.0 * chance)) @ design) / len(design)
        gradient[place] += steep.mean()
    return effect, float(gradient @ covariance @ gradient) ** 0.5


def _correlation(found: Any, structure: str) -> float | None:
    if structure == "independence":
        return None
    return float(np.atleast_1d(found.cov_struct.dep_params)[0])


def _correlation_words(structure: str) -> str:
    return {
        "exchangeable": "between any two periods of one cluster",
        "ar1": "between one period and the next",
        "independence": "none assumed; the robust error allows for it",
    }[structure]


def _cluster_words(count: int, cluster: str | None) -> str:
    what = "clusters" if cluster else "people"
    return f"{what}; few: errors rest on the correction for few clusters" if count < FEW_CLUSTERS else f"{what}, enough for robust errors"


def _ends(frame: pl.DataFrame, person: str, period: str) -> Check:
    """People who have no row in the last period: they left, and the model takes it that this says nothing of their opioids."""
    last = frame.group_by(person).agg(pl.col(period).max())
    share = 100.0 * last.filter(pl.col(period) < frame[period].max()).height / last.height
    return Check("% of people without the last period", share, "many left: see the assumption" if share > 20.0 else "few left")


def _course(frame: pl.DataFrame, period: str, on: str, exposure: str, found: Any) -> pl.DataFrame:
    """Share on opioids by period and exposure (two groups, or all together), seen and fitted."""
    order = np.lexsort((_period_numbers(frame, period), frame.get_column(frame.columns[0]).cast(pl.String).to_numpy()))
    placed = frame[order.tolist()].with_columns(pl.Series("fitted", np.asarray(found.fittedvalues, dtype=np.float64)))
    two = frame[exposure].n_unique() == 2
    series = pl.format("{} {}", pl.lit(exposure), pl.col(exposure).cast(pl.String)) if two else pl.lit("all")
    means = placed.group_by(series.alias("series"), period).agg(
        seen=100 * pl.col(on).cast(pl.Float64).mean(), fitted=100 * pl.col("fitted").mean()
    )
    at = pl.col(period).cast(pl.Date).cast(pl.Int32) if frame.schema[period].is_temporal() else pl.col(period)
    rows = means.sort("series", period).select("series", x=at, observed="seen", predicted="fitted").to_dicts()
    return predicted_frame(rows)


def _words(odds: Term, points: Term, name: str) -> str:
    if not points.settled():
        return (
            f"Being on opioids cannot be told apart with and without {name}: {points.words(1)} percentage points, "
            f"odds ratio {odds.words(2)}. No difference, and a difference within that interval, both agree with the data."
        )
    side = "fewer" if points.estimate < 0.0 else "more"
    ends = sorted((abs(points.low), abs(points.high)))
    return (
        f"With {name}, {abs(points.estimate):.1f} percentage points {side} were on opioids (95 % interval {ends[0]:.1f} to {ends[1]:.1f}); "
        f"odds ratio {odds.words(2)}. It is an association, adjusted for the covariates alone."
    )
