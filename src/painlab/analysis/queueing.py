"""A queue for a clinic's slots, week by week: first come, first served, as a fluid of sessions."""

from typing import NamedTuple

import numpy as np

from painlab.errors import InputError


class Line(NamedTuple):
    """A queue week by week, each of shape (weeks,): sessions used, sessions waiting at the end of the week, and the wait in weeks of a
    session that is asked for at the end of the week.
    """

    used: np.ndarray
    backlog: np.ndarray
    wait: np.ndarray


def fluid_queue(asked: np.ndarray, slots: float, backlog: float = 0.0) -> Line:
    """Serve sessions in the order in which they are asked for, with so many slots a week.

    used(t) = min(slots, backlog(t - 1) + asked(t)); backlog(t) = backlog(t - 1) + asked(t) - used(t); wait(t) = backlog(t) / slots. This is
    the fluid limit of a queue with a fixed time of service: nobody waits while fewer sessions are asked for than there are slots, and the
    wait grows by (asked - slots) / slots weeks a week while there are more. Waits that come of the chance unevenness of arrivals within
    a week are not in it (Kingman 1961, doi 10.1017/S0305004100036094), so that it is too kind to a clinic close to its limit.

    Parameters
    ----------
    asked
        Sessions asked for in each week, shape (weeks,), not negative.
    slots
        Slots a week, from 0; infinity for as many as are wanted.
    backlog
        Sessions that wait when the first week begins.

    Without slots the wait of whoever asks is infinite. Raises InputError for negative numbers or numbers that are none.

    >>> line = fluid_queue(np.array([12.0, 12.0, 4.0]), slots=10.0)
    >>> line.used.tolist(), line.backlog.tolist(), line.wait.tolist()
    ([10.0, 10.0, 8.0], [2.0, 4.0, 0.0], [0.2, 0.4, 0.0])
    """
    asked = np.asarray(asked, dtype=float)
    if asked.ndim != 1 or not np.isfinite(asked).all() or (asked < 0.0).any():
        raise InputError("the sessions asked for are not a row of weeks", expected="finite numbers from 0, one a week")
    if not slots >= 0.0 or not 0.0 <= backlog < np.inf:
        raise InputError(f"there are {slots} slots a week and {backlog} sessions waiting", expected="numbers from 0")
    # What waits is what was asked for less what could be served, counted anew whenever nobody waits (Lindley's recursion).
    if np.isinf(slots):
        return Line(asked.copy(), np.zeros_like(asked), np.zeros_like(asked))
    walked = backlog + np.cumsum(asked - slots)
    waiting = walked - np.minimum(0.0, np.minimum.accumulate(walked))
    before = np.r_[backlog, waiting[:-1]]
    wait = waiting / slots if slots > 0.0 else np.where(waiting > 0.0, np.inf, 0.0)
    return Line(np.minimum(before + asked - waiting, slots), waiting, wait)
