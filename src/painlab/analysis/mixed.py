"""Linear mixed models by restricted maximum likelihood, and what is asked of people, visits and arms before one is fitted."""

import warnings
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab.analysis.fit import FEWEST_PEOPLE, Array, Check, Refused
from painlab.errors import InputError
from painlab.tables import nearest

_BOUNDARY: Final = 1e-4  # of the residual variance: below it a variance between people is at its limit of zero
_SKEWED: Final = 1.0  # assumption: beyond it residuals are said to be skewed


class Mixed(NamedTuple):
    """A fitted mixed model: coefficients, their covariance, covariance of people's effects, residual variance, residuals."""

    coefficients: Array
    covariance: Array
    between: Array
    within: float
    residuals: Array
    loglik: float


def mixed_model(y: Array, design: Array, groups: Any, random: Array) -> Mixed | None:
    """A mixed model by restricted maximum likelihood; None if it does not converge by any of three methods."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    center, width = float(y.mean()), float(y.std())
    scaled = (y - center) / width
    for method in ("lbfgs", "bfgs", "powell"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found = MixedLM(scaled, design, groups, exog_re=random).fit(reml=True, method=method, maxiter=400)
            except (np.linalg.LinAlgError, ValueError, ZeroDivisionError):
                continue
        count = design.shape[1]
        covariance = np.asarray(found.cov_params())[:count, :count] * width**2
        if found.converged and np.all(np.isfinite(covariance)) and np.all(np.diag(covariance) > 0.0):
            coefficients = np.asarray(found.fe_params) * width
            coefficients = coefficients + center * np.linalg.lstsq(design, np.ones_like(y), rcond=None)[0]
            return Mixed(
                coefficients=coefficients,
                covariance=covariance,
                between=np.atleast_2d(np.asarray(found.cov_re)) * width**2,
                within=float(found.scale) * width**2,
                residuals=np.asarray(found.resid) * width,
                loglik=float(found.llf),
            )
    return None


def least_squares(y: Array, design: Array) -> Mixed:
    """Least squares in the form of a mixed model whose people do not differ otherwise."""
    coefficients = np.asarray(np.linalg.lstsq(design, y, rcond=None)[0], dtype=np.float64)
    residuals = y - design @ coefficients
    variance = float(residuals @ residuals) / (len(y) - design.shape[1])
    covariance = np.asarray(variance * np.linalg.inv(design.T @ design), dtype=np.float64)
    return Mixed(coefficients, covariance, np.zeros((1, 1)), variance, residuals, float("nan"))


def singular(fitted: Mixed) -> bool:
    """Whether a variance between people, or their correlation, lies at its limit."""
    eigenvalues = np.linalg.eigvalsh(fitted.between)
    return bool(eigenvalues.min() < _BOUNDARY * fitted.within)


def not_converged(where: str) -> Refused:
    """The refusal of a model that did not converge."""
    return Refused(
        "the likelihood has no clear maximum: three methods did not converge",
        where=where,
        expected="people who differ, seen more than once",
        mend="Look for a score that hardly varies, or for people with one visit only.",
    )


def seen_once(frame: pl.DataFrame, person: str, time: str, where: str) -> None:
    """Raise InputError for a person who has one time twice."""
    twice = frame.filter(pl.struct(person, time).is_duplicated())
    if twice.height:
        row = twice.row(0, named=True)
        raise InputError(f"person {row[person]} has {time} {row[time]} twice", where=where, mend="Keep one row for a person and visit.")


def arms_of(frame: pl.DataFrame, person: str, arm: str | None, where: str, reference: str | None = None) -> list[str]:
    """The arms in order; the first is what the others are held against."""
    if arm is None:
        return ["all"]
    moved = frame.group_by(person).agg(pl.col(arm).n_unique().alias("arms")).filter(pl.col("arms") > 1)
    if moved.height:
        raise InputError(f"person {moved[person][0]} is in more than one arm", where=where, expected="one arm for each person")
    sizes = frame.group_by(pl.col(arm).cast(pl.String)).agg(pl.col(person).n_unique().alias("people")).sort(arm)
    small = sizes.filter(pl.col("people") < FEWEST_PEOPLE // 2)
    if small.height:
        name, count = small.row(0)
        raise Refused(f'the arm "{name}" has {count} people', where=where, expected=f"{FEWEST_PEOPLE // 2} or more in each (assumption)")
    if sizes.height > FEWEST_PEOPLE:
        raise InputError(f'"{arm}" has {sizes.height} different values', where=where, expected=f"at most {FEWEST_PEOPLE} arms")
    names: list[str] = sizes[arm].to_list()
    if reference is None:
        return names
    if reference not in names:
        raise InputError(f'there is no arm "{reference}"{nearest(reference, names)}', where=where, expected=f"one of {', '.join(names)}")
    return [reference, *(name for name in names if name != reference)]


def must_vary(values: Array, name: str, where: str) -> None:
    """Refuse a column that has one value only."""
    if np.ptp(values) == 0.0:
        raise Refused(f'"{name}" is {values[0]:g} in every row', where=where, expected="values that differ")


def skew_check(residuals: Array) -> Check:
    """Whether residuals lean to one side."""
    from scipy.stats import skew

    value = float(skew(residuals))
    said = "about even" if abs(value) < _SKEWED else "skewed (beyond 1, assumption): intervals are approximate"
    return Check("skewness of residuals", value, said)
