"""A polynomial that stands in for the simulation, fitted to noisy runs and checked on runs it has not seen.

Polynomial chaos on Legendre polynomials (Sudret 2008, doi:10.1016/j.ress.2007.04.002): parameters come as shares of their own
distribution, so that each is uniform and the terms are orthonormal. Terms are taken in while the Bayesian information criterion gains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Powers = tuple[tuple[int, int], ...]
"""One term: (parameter's place, degree) for each factor; the empty one is the constant."""
FOLDS: Final = 5
DEGREE: Final = 4
LEADING: Final = 3  # parameters whose products with all others are looked at
UNLIKELY: Final = 4.0  # standard errors beyond which one of so many products is no chance


def legendre(shares: Array, degree: int) -> Array:
    """Legendre polynomials of degree 1 ... `degree`, orthonormal on shares from 0 to 1; shape (degree, *shares.shape)."""
    x = 2.0 * shares - 1.0
    every = [np.ones_like(x), x]
    for n in range(1, degree):
        every.append(((2 * n + 1) * x * every[n] - n * every[n - 1]) / (n + 1))
    return np.array([np.sqrt(2 * n + 1) * every[n] for n in range(1, degree + 1)])


def terms(parameters: int, degree: int = DEGREE) -> list[Powers]:
    """All candidates: the constant, each parameter up to `degree`, and products of two with a total degree of at most 3."""
    alone: list[Powers] = [((one, power),) for power in range(1, degree + 1) for one in range(parameters)]
    both = [
        ((one, first), (other, second))
        for one, other in combinations(range(parameters), 2)
        for first, second in ((1, 1), (1, 2), (2, 1))
        if max(first, second) <= degree
    ]
    return [(), *alone, *both]


def design(shares: Array, chosen: Sequence[Powers]) -> Array:
    """Values of terms, shape (sets, terms), at shares of shape (sets, parameters)."""
    degree = max((power for term in chosen for _, power in term), default=1)
    basis = legendre(shares, degree)
    made = np.ones((len(shares), len(chosen)))
    for place, term in enumerate(chosen):
        for one, power in term:
            made[:, place] *= basis[power - 1, :, one]
    return made


def correlations(shares: Array, values: Array) -> Array:
    """How strongly each parameter alone moves the values: the root of the variance that its own quadratic explains, beyond chance.

    shares: shape (sets, parameters); values: shape (sets,). Squared correlations are lowered by what two terms explain by chance.
    """
    centered = values - values.mean()
    total = float(centered @ centered)
    if total == 0.0:
        return np.zeros(shares.shape[1])
    basis = legendre(shares, 2)
    basis = basis - basis.mean(axis=1, keepdims=True)
    explained = ((basis * centered[:, None]).sum(axis=1) ** 2 / (basis**2).sum(axis=1)).sum(axis=0) / total
    return np.sqrt(np.maximum(0.0, explained - 2.0 / (len(values) - 1)))


def screen(shares: Array, values: Array, most: int) -> tuple[int, ...]:
    """Places of the parameters that move the values most, at most so many, the strongest first.

    A parameter counts by what it does alone and, where that is beyond chance, by what it does in a product with one of the strongest.
    """
    strength = correlations(shares, values)
    leading = np.argsort(-strength, kind="stable")[:LEADING]
    centered = values - values.mean()
    total = float(centered @ centered)
    if total > 0.0:
        x = legendre(shares, 1)[0]
        together = np.zeros_like(strength)
        for one in leading:
            products = x * x[:, [one]]
            products = products - products.mean(axis=0)
            explained = (centered @ products) ** 2 / (products**2).sum(axis=0) / total
            explained[one] = 0.0
            together = np.maximum(together, explained - UNLIKELY**2 / len(values))
        strength = np.sqrt(strength**2 + np.maximum(0.0, together))
    order = np.argsort(-strength, kind="stable")[:most]
    return tuple(int(place) for place in order if strength[place] > 0.0)


@dataclass(frozen=True)
class Polynomial:
    """A fitted polynomial: its terms, their coefficients, and the coefficients' covariance for one unit of residual variance."""

    terms: tuple[Powers, ...]
    coefficients: Array
    scatter: Array
    residuals: Array

    def at(self, shares: Array) -> Array:
        """Values at shares of shape (sets, parameters)."""
        return np.asarray(design(shares, self.terms) @ self.coefficients)


def fit(shares: Array, values: Array, *, degree: int = DEGREE, chosen: Sequence[Powers] | None = None) -> Polynomial:
    """Fit a polynomial by least squares; without `chosen` terms are taken in one by one while the information criterion falls.

    shares: shape (sets, parameters); values: shape (sets,).
    """
    kept = list(chosen) if chosen is not None else _forward(shares, values, terms(shares.shape[1], degree))
    made = design(shares, kept)
    scatter: Array = np.asarray(np.linalg.pinv(made.T @ made), dtype=np.float64)
    coefficients = scatter @ (made.T @ values)
    return Polynomial(tuple(kept), coefficients, scatter, values - made @ coefficients)


def _forward(shares: Array, values: Array, candidates: list[Powers]) -> list[Powers]:
    """Orthogonal matching pursuit: at each step the term that explains most of what is left, until n log(RSS) + log(n) terms rises.

    A term must gain as much as the best of all candidates would by chance, which is what 2 log(candidates) stands for.
    """
    count = len(values)
    columns = design(shares, candidates)
    basis = [columns[:, 0] / np.sqrt(count)]
    rest = values - basis[0] * float(basis[0] @ values)
    columns = columns - np.outer(basis[0], basis[0] @ columns)
    size = (columns**2).sum(axis=0)
    kept, open_ = [0], np.ones(len(candidates), dtype=bool)
    open_[0] = False
    price = np.log(count) + 2.0 * np.log(max(2, len(candidates)))
    while len(kept) < count // 5:
        left = float(rest @ rest)
        usable = open_ & (size > 1e-9 * count)
        if left <= 1e-20 * count or not usable.any():
            break
        gain = np.where(usable, (columns.T @ rest) ** 2 / np.where(usable, size, 1.0), 0.0)
        best = int(np.argmax(gain))
        after = left - float(gain[best])
        if after > 0.0 and count * np.log(left / after) < price:
            break
        direction = columns[:, best] / np.sqrt(size[best])
        rest = rest - direction * float(direction @ rest)
        columns = columns - np.outer(direction, direction @ columns)
        size = (columns**2).sum(axis=0)
        kept.append(best)
        open_[best] = False
    return [candidates[place] for place in kept]


def checked(shares: Array, halves: Array, most: int, *, seed: int, degree: int = DEGREE) -> tuple[float, float]:
    """Share of the variance that parameters cause which the polynomial foretells in runs that it has not seen, with its standard error.

    Sets are parted into `FOLDS`; screening and fitting are done without the fold that is foretold. With two independent cohorts f1, f2
    under each set and the foretold g, (f1 - g)(f2 - g) has the mean (F - g)^2, where F is what the set gives with endless patients; the
    same for the variance of F. So patients' chance neither helps nor hurts the polynomial.

    shares: shape (sets, parameters); halves: shape (2, sets).
    """
    count = halves.shape[1]
    fold = np.random.Generator(np.random.Philox(key=seed)).permutation(count) % FOLDS
    mean = halves.mean(axis=0)
    missed, spread = np.empty(count), np.empty(count)
    for number in range(FOLDS):
        out, inside = fold == number, fold != number
        places = screen(shares[inside], mean[inside], most)
        found = fit(shares[inside][:, places], mean[inside], degree=degree).at(shares[out][:, places])
        middle = mean[inside].mean()
        missed[out] = (halves[0, out] - found) * (halves[1, out] - found)
        spread[out] = (halves[0, out] - middle) * (halves[1, out] - middle)
    total = float(spread.mean())
    if total <= 0.0:
        return 0.0, float("inf")
    share = 1.0 - float(missed.mean()) / total
    error = (missed - (1.0 - share) * spread).std(ddof=1) / np.sqrt(count) / total  # of a ratio of means
    return share, float(error)
