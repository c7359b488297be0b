"""Regression of a short series whose errors are autocorrelated, by four methods, and a test of what autocorrelation is left."""

import warnings
from typing import Final, NamedTuple

import numpy as np

from painlab.analysis.fit import Array, Refused

METHODS: Final = ("reml", "glsar", "newey_west", "sarimax")
MOST: Final = 0.98
"""Autocorrelation is looked for up to here; beyond, a line and a random walk cannot be told apart."""

_WHERE: Final = "interrupted series"


class Regression(NamedTuple):
    """Coefficients and their covariance, degrees of freedom, autocorrelation of neighbors, residuals with and without it, and by what."""

    coefficients: Array
    covariance: Array
    freedom: float
    rho: float
    residuals: Array
    whitened: Array
    spread: float
    method: str


def regress(y: Array, design: Array, places: Array, method: str = "reml") -> Regression:
    """Regression with autoregressive errors of order 1: e(t) = rho e(t - 1) + noise.

    Parameters
    ----------
    y, design
        Shapes (periods,) and (periods, coefficients).
    places
        Each row's whole-numbered place in time; over a gap of k periods the correlation is rho^k (only by `reml`; the other methods take
        the rows as neighbors).
    method
        One of `METHODS`.

    Raises Refused if there are too few rows for the coefficients, or no convergence.

    >>> t = np.arange(30.0)
    >>> found = regress(2.0 + 0.5 * t + np.sin(t * 2.4), np.column_stack([np.ones(30), t]), t)
    >>> [round(float(one), 1) for one in found.coefficients]
    [2.0, 0.5]
    """
    count, terms = design.shape
    if count - terms < 3:
        raise Refused(f"there are {count} periods for {terms} coefficients", where=_WHERE, expected=f"{terms + 3} or more")
    if method == "reml":
        return _reml(y, design, np.asarray(places, dtype=np.float64))
    return _by_statsmodels(y, design, method)


def ljung_box(residuals: Array, lags: int) -> float:
    """The p value that residuals are not autocorrelated up to so many lags (Ljung and Box, Biometrika 1978;65:297-303).

    >>> ljung_box(np.array([1.0, -1.0] * 20), 3) < 0.001
    True
    """
    from scipy.stats import chi2

    centered = residuals - residuals.mean()
    count, total = len(centered), float(centered @ centered)
    if total == 0.0:
        return 1.0
    shares = [float(centered[lag:] @ centered[:-lag]) / total for lag in range(1, min(lags, count - 1) + 1)]
    statistic = count * (count + 2.0) * sum(share**2 / (count - lag) for lag, share in enumerate(shares, start=1))
    return float(chi2.sf(statistic, len(shares)))


def _whiten(values: Array, rho: float, steps: Array) -> Array:
    """Rows whose errors no longer correlate: the first as it is, each other less what the one before foretells, all of one variance."""
    kept = rho**steps
    scale = np.sqrt(1.0 - kept**2)
    if values.ndim == 2:
        kept, scale = kept[:, None], scale[:, None]
    return np.concatenate([values[:1], (values[1:] - kept * values[:-1]) / scale])


def _reml(y: Array, design: Array, places: Array) -> Regression:
    """Profile restricted likelihood in the autocorrelation (Harville, Journal of the American Statistical Association 1977;72:320-338)."""
    from scipy.optimize import minimize_scalar

    count, terms = design.shape
    steps = np.diff(places)

    def solved(rho: float) -> tuple[Array, Array, Array, float]:
        x, z = _whiten(design, rho, steps), _whiten(y, rho, steps)
        inner = x.T @ x
        coefficients: Array = np.asarray(np.linalg.solve(inner, x.T @ z), dtype=np.float64)
        rest = z - x @ coefficients
        return coefficients, inner, rest, float(rest @ rest)

    def deviance(rho: float) -> float:
        _, inner, _, squares = solved(rho)
        determinant = float(np.sum(np.log(1.0 - rho ** (2.0 * steps))))
        return (count - terms) * float(np.log(squares)) + determinant + float(np.linalg.slogdet(inner)[1])

    if solved(0.0)[3] <= 1e-20 * float(y @ y):
        raise Refused("the series lies on the line without any scatter", where=_WHERE, expected="observed figures, not computed ones")
    # From the best of a grid, since a short series can have two maxima.
    grid = np.linspace(-0.9, MOST, 48)
    best = float(grid[int(np.argmin([deviance(float(rho)) for rho in grid]))])
    rho = float(minimize_scalar(deviance, bounds=(max(-0.95, best - 0.05), min(MOST, best + 0.05)), method="bounded").x)
    rho = MOST if MOST - rho < 1e-3 else rho
    coefficients, inner, rest, squares = solved(rho)
    variance = squares / (count - terms)
    return Regression(
        coefficients=coefficients,
        covariance=np.asarray(variance * np.linalg.inv(inner), dtype=np.float64),
        freedom=float(count - terms),
        rho=rho,
        residuals=y - design @ coefficients,
        whitened=rest,
        spread=variance**0.5,
        method="reml",
    )


def _by_statsmodels(y: Array, design: Array, method: str) -> Regression:
    import statsmodels.api as sm

    count, terms = design.shape
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if method == "glsar":
            model = sm.GLSAR(y, design, rho=1)
            found = model.fit() if count < terms + 4 else model.iterative_fit(maxiter=50)
            coefficients, covariance, rho = found.params, found.cov_params(), float(np.atleast_1d(model.rho)[0])
            residuals = y - design @ coefficients
            whitened, freedom = residuals[1:] - rho * residuals[:-1], float(count - 1 - terms)
        elif method == "newey_west":
            lags = max(1, int(np.floor(4.0 * (count / 100.0) ** (2.0 / 9.0))))  # Newey and West, Review of Economic Studies 1994;61:631-653
            found = sm.OLS(y, design).fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
            coefficients, covariance, residuals = found.params, found.cov_params(), np.asarray(found.resid)
            whitened, freedom = residuals, float(count - terms)
            rho = float(residuals[1:] @ residuals[:-1] / (residuals @ residuals))
        else:
            width, sizes = float(y.std()), np.abs(design).max(axis=0)
            state = sm.tsa.SARIMAX(y / width, exog=design / sizes, order=(1, 0, 0)).fit(disp=False, maxiter=500)
            if not state.mle_retvals["converged"]:
                raise Refused("maximum likelihood did not converge", where=_WHERE, mend="Take method='reml'.")
            coefficients = state.params[:terms] * width / sizes
            covariance = np.asarray(state.cov_params())[:terms, :terms] * width**2 / np.outer(sizes, sizes)
            rho, freedom = float(state.params[terms]), float(count - terms - 1)
            residuals = y - design @ coefficients
            whitened = residuals[1:] - rho * residuals[:-1]
    covariance = np.asarray(covariance, dtype=np.float64)
    if not np.all(np.isfinite(covariance)) or np.any(np.diag(covariance) <= 0.0):
        raise Refused("the errors of the coefficients cannot be worked out", where=_WHERE, mend="Take method='reml', or a longer series.")
    return Regression(
        coefficients=np.asarray(coefficients, dtype=np.float64),
        covariance=covariance,
        freedom=freedom,
        rho=rho,
        residuals=np.asarray(residuals, dtype=np.float64),
        whitened=np.asarray(whitened, dtype=np.float64),
        spread=float(np.std(residuals, ddof=min(terms, count - 1))),
        method=method,
    )
