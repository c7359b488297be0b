"""One step of the ensemble smoother with multiple data assimilation (ES-MDA), and the scale on which it works.

Emerick and Reynolds 2013, doi:10.1016/j.cageo.2012.03.011. An ensemble drawn from the prior is moved to the observations in a few steps,
each with the observation errors inflated by alpha, the inverses of which sum to 1. For a linear model with normal errors the result is
a sample of the posterior; for others an approximation, which is why recovery of known parameters is tested (`calibration.recovery`).

The step is eight lines of linear algebra and is written here: of the two libraries that have it, one is under the GPL, which PainLab's
license rules out, and the other owns the loop over simulations, so that it can be neither resumed after a kill nor seeded by counter.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from painlab import parameters
from painlab.randomness import parameter_uniform

Array = NDArray[np.float64]
FARTHEST: Final = 4.0  # scores are held within four standard deviations of the prior
SPURIOUS: Final = 2.0  # correlations below this many standard errors of a correlation count as chance


def free_parameters() -> tuple[parameters.Parameter, ...]:
    """The parameters that have a range."""
    return tuple(one for one in parameters.records().values() if one.distribution != "fixed" and one.low < one.high)


def prior_scores(members: int, seed: int, first: int = 0) -> Array:
    """Normal scores of prior draws first ... first + members - 1, shape (members, free parameters): those of `parameters.values`."""
    uniforms = [[parameter_uniform(seed, first + draw, one.name) for one in free_parameters()] for draw in range(members)]
    from scipy.special import ndtri

    return np.asarray(ndtri(np.array(uniforms)), dtype=np.float64)


def values_of(scores: Array) -> list[Mapping[str, float]]:
    """Parameter values by name for each row of normal scores; a score of z is the prior's quantile at the normal share of z."""
    from scipy.special import ndtr

    shares = ndtr(np.clip(scores, -FARTHEST, FARTHEST))
    columns = {one.name: one.quantiles(shares[:, place]) for place, one in enumerate(free_parameters())}
    fixed = parameters.values()
    return [{**fixed, **{name: float(column[row]) for name, column in columns.items()}} for row in range(scores.shape[0])]


def perturbations(members: int, seed: int, step: int, names: Sequence[str]) -> Array:
    """Standard normal numbers for the observations of a step, shape (members, observations), each a function of what it is for."""
    from scipy.special import ndtri

    uniforms = [[parameter_uniform(seed, member, f"observation {step} {name}") for name in names] for member in range(members)]
    return np.asarray(ndtri(np.array(uniforms)), dtype=np.float64)


def assimilate(scores: Array, predicted: Array, observed: Array, errors: Array, alpha: float, noise: Array) -> Array:
    """Move an ensemble toward the observations by one step.

    Parameters
    ----------
    scores
        Parameters on the normal scale, shape (members, parameters).
    predicted
        What each member predicts, shape (members, observations). A NaN says nothing of that member, a column of them nothing of any.
    observed, errors
        Observations and their standard errors, shape (observations,).
    alpha
        Inflation of the errors' variance in this step.
    noise
        Standard normal numbers, shape (members, observations).

    Returns
    -------
    Array, shape (members, parameters):
        z + C_zy (C_yy + alpha R)^-1 (d + sqrt(alpha) R^(1/2) e - y), where entries of C_zy that belong to correlations within
        `SPURIOUS` standard errors of zero are left out, so that chance does not pass for information.
    """
    members = scores.shape[0]
    told = np.isfinite(predicted)
    heard = told.any(axis=0)
    predicted, told = predicted[:, heard], told[:, heard]
    observed, errors, noise = observed[heard], errors[heard], noise[:, heard]
    filled = np.where(told, predicted, np.nanmean(predicted, axis=0))
    z, y = scores - scores.mean(axis=0), filled - filled.mean(axis=0)
    across = z.T @ y / (members - 1)
    spread = np.outer(z.std(axis=0, ddof=1), y.std(axis=0, ddof=1))
    correlation = np.divide(across, spread, out=np.zeros_like(across), where=spread > 0.0)
    across = np.where(np.abs(correlation) * np.sqrt(members) >= SPURIOUS, across, 0.0)
    within = y.T @ y / (members - 1) + alpha * np.diag(errors**2)
    missed = np.where(told, observed + np.sqrt(alpha) * errors * noise - filled, 0.0)
    return np.asarray(scores + missed @ np.linalg.solve(within, across.T), dtype=np.float64)
