"""Games of coalitions: exact Shapley values and interaction indices from the worth of every coalition."""

from math import factorial

import numpy as np

from painlab.errors import InputError


def shapley(worth: np.ndarray) -> np.ndarray:
    """Shapley value of each player from the worth of every coalition.

    Parameters
    ----------
    worth
        Shape (2**n, ...): place s holds the worth of the players whose bits are set in s, so that 0 is nobody and the last everyone.

    Returns
    -------
    Shape (n, ...): share of player i = sum over coalitions S without i of |S|! (n - |S| - 1)! / n! (worth(S with i) - worth(S)). The
    shares sum to worth(everyone) - worth(nobody).

    Raises InputError if the number of coalitions is no power of two.

    >>> shapley(np.array([0.0, 1.0, 2.0, 7.0]))  # 1 and 2 alone, 4 more together
    array([3., 4.])
    """
    worth, n = _players(worth)
    sizes = np.array([int(s).bit_count() for s in range(1 << n)])
    shares = np.zeros((n, *worth.shape[1:]))
    for i in range(n):
        without = np.array([s for s in range(1 << n) if not s >> i & 1], dtype=np.int64)
        weights = np.array([factorial(int(k)) * factorial(n - int(k) - 1) / factorial(n) for k in sizes[without]])
        shares[i] = np.tensordot(weights, worth[without | 1 << i] - worth[without], axes=1)
    return shares


def interaction_indices(worth: np.ndarray) -> np.ndarray:
    """Shapley interaction index of each pair of players (Grabisch and Roubens 1999, doi 10.1007/s001820050125).

    I(i, j) = sum over coalitions S without i and j of |S|! (n - |S| - 2)! / (n - 1)! times
    worth(S, i, j) - worth(S, i) - worth(S, j) + worth(S). Zero where two players only add up; `worth` as in `shapley`.

    Returns shape (n, n, ...), symmetric, with zeros on the diagonal.

    >>> float(interaction_indices(np.array([0.0, 1.0, 2.0, 7.0]))[0, 1])
    4.0
    """
    worth, n = _players(worth)
    found = np.zeros((n, n, *worth.shape[1:]))
    for i in range(n):
        for j in range(i):
            one, other = 1 << i, 1 << j
            without = np.array([s for s in range(1 << n) if not s & (one | other)], dtype=np.int64)
            sizes = [int(s).bit_count() for s in without]
            weights = np.array([factorial(k) * factorial(n - k - 2) / factorial(n - 1) for k in sizes])
            more = worth[without | one | other] - worth[without | one] - worth[without | other] + worth[without]
            found[i, j] = found[j, i] = np.tensordot(weights, more, axes=1)
    return found


def _players(worth: np.ndarray) -> tuple[np.ndarray, int]:
    worth = np.asarray(worth, dtype=float)
    n = max(0, worth.shape[0].bit_length() - 1) if worth.ndim else 0
    if n < 1 or worth.shape[0] != 1 << n:
        places = worth.shape[0] if worth.ndim else 0
        raise InputError(f"the worth of {places} coalitions is given", expected="one for every coalition: 2, 4, 8 ... along the first axis")
    return worth, n
