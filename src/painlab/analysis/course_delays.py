"""What a patient's weeks become when a course of care begins later than ordered: one simulation for each of some delays.

A delay is added to the week in which a course is ordered; the wait of its own referral, which comes from the plan's handover and the
parameters, follows as before. Between the delays that are simulated everything is taken as a mixture of the two next to it.
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import Final, NamedTuple

import numpy as np

from painlab import catalog
from painlab.analysis import side_by_side
from painlab.engine.execution import Values
from painlab.outcomes import OUTCOMES, Count
from painlab.plan import CarePlan
from painlab.scenario import Scenario

KINDS: Final = ("therapy", "procedure")
"""Slots for sessions of physical therapy, and for injections and ablations."""
_DELAYS: Final = (0, 1, 2, 3, 4, 6, 8, 10, 13, 17, 21, 26, 32, 39, 47, 56, 66, 78, 91)
_COARSE: Final = (0, 1, 2, 4, 8, 13, 20, 30, 45, 65, 90)
_PER_SESSION: Final = 100.0  # USD a session of the kind that is counted, nothing else costing anything


def treatments_of(kind: str, plan: CarePlan) -> list[str]:
    """Treatments of a plan that take slots of a kind."""
    known = catalog.treatments()
    if kind == "therapy":
        return [name for name in plan.treatments if name == "physical_therapy"]
    return [name for name in plan.treatments if known[name].kind == "injection"]


def own_wait(kind: str, plan: CarePlan, values: Values) -> float:
    """Weeks from arrival to the mean first session of the earliest course of a kind under a set of parameter values, without a queue."""
    known, found = catalog.treatments(), []
    for name in treatments_of(kind, plan):
        order = plan.treatments[name]
        handover = plan.coordination if order.handover is None else order.handover
        usual = values["wait_fragmented"] + handover * (values["wait_coordinated"] - values["wait_fragmented"])
        wait = usual if order.wait_weeks is None else order.wait_weeks
        found.append(order.start_week + (wait if known[name].referral else 0.0))
    return min(found, default=0.0)


class Profiles(NamedTuple):
    """A plan's patients by week since arrival, for each pair of delays.

    delays: weeks of each kind's delay, the last of which means never, equal to the follow-up. outcomes: shape (therapy delays, procedure
    delays, draws, outcomes, follow-up), in the outcomes' units. sessions: slots used by a patient, shape (2 kinds, therapy delays,
    procedure delays, draws, follow-up). asks: week since arrival in which a course's first session is asked for, shape (2, draws).
    """

    delays: tuple[np.ndarray, np.ndarray]
    outcomes: np.ndarray
    sessions: np.ndarray
    asks: np.ndarray


def profiles(
    scenario: Scenario,
    plan: CarePlan,
    values: Sequence[Values],
    limited: Sequence[bool],
    *,
    follow_up: int,
    patients: int,
    seed: int,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Profiles:
    """Simulate a plan's patients for their follow-up under every pair of delays; kinds that are not limited have no delay.

    Patients and random numbers are the same for all delays, and the same for all plans of a scenario. Raises `execution.Cancelled`.
    """
    both = all(one and treatments_of(kind, plan) for one, kind in zip(limited, KINDS, strict=True))
    delays = tuple(
        _delays(kind, plan, follow_up, _COARSE if both else _DELAYS) if one and treatments_of(kind, plan) else np.array([0.0])
        for one, kind in zip(limited, KINDS, strict=True)
    )
    closed = scenario.model_copy(update={"population": scenario.population.model_copy(update={"arrivals": None})})
    pairs = list(product(*delays))
    plans = [_delayed(plan, pair, follow_up) for pair in pairs]
    others = any(catalog.treatments()[name].kind == "program" and name != "physical_therapy" for name in plan.treatments)
    steps = 2 if others else 1

    def moved(step: int) -> Callable[[int, int], None] | None:
        return None if progress is None else lambda done, total: progress(step * total + done, steps * total)

    shape = (len(delays[0]), len(delays[1]), len(values))
    found = side_by_side.weekly_means(
        closed, plans, values, patients=patients, seed=seed, weeks=follow_up - 1, threads=threads, progress=moved(0), cancelled=cancelled
    ).reshape(*shape, len(OUTCOMES), follow_up)
    sessions = np.stack(
        [found[..., Count.SESSIONS, :] / OUTCOMES[Count.SESSIONS].scale, found[..., Count.INJECTIONS, :] / OUTCOMES[Count.INJECTIONS].scale]
    )
    if others:  # the engine counts the sessions of all programs together; a price on therapy alone tells them apart, and moves nothing else
        priced = [_priced(one) for one in values]
        assume = closed.assume and closed.assume.model_copy(
            update={"values": {name: value for name, value in closed.assume.values.items() if not _is_price(name)}}
        )
        counted = side_by_side.weekly_means(
            closed.model_copy(update={"assume": assume}),
            plans,
            priced,
            patients=patients,
            seed=seed,
            weeks=follow_up - 1,
            threads=threads,
            progress=moved(1),
            cancelled=cancelled,
        )
        sessions[0] = counted[:, :, Count.COST].reshape(*shape, follow_up) / _PER_SESSION
    asks = np.array([[own_wait(kind, plan, scenario.assumed(one)[0]) for one in values] for kind in KINDS])
    return Profiles((delays[0], delays[1]), found, sessions, asks)


def _delays(kind: str, plan: CarePlan, follow_up: int, grid: Sequence[int]) -> np.ndarray:
    """Delays after which a course can still begin within the follow-up and within what an order can state, and never."""
    first = min(plan.treatments[name].start_week for name in treatments_of(kind, plan))
    last = max(plan.treatments[name].start_week for name in treatments_of(kind, plan))
    return np.array([float(one) for one in grid if first + one < follow_up and last + one <= 104] + [float(follow_up)])


def _delayed(plan: CarePlan, delays: tuple[float, ...], follow_up: int) -> CarePlan:
    """The plan with its courses ordered so many weeks later, and without those that never begin."""
    orders = dict(plan.treatments)
    for kind, delay in zip(KINDS, delays, strict=True):
        for name in treatments_of(kind, plan):
            if delay >= follow_up:
                del orders[name]
            elif delay:
                orders[name] = orders[name].model_copy(update={"start_week": orders[name].start_week + int(delay)})
    return plan.model_copy(update={"treatments": orders})


def _is_price(name: str) -> bool:
    return name.endswith(".cost") or name in ("cost_visit", "cost_mme")


def _priced(values: Values) -> Values:
    return {name: 0.0 if _is_price(name) else value for name, value in values.items()} | {"physical_therapy.cost": _PER_SESSION}


def mixture(delays: np.ndarray, wait: np.ndarray, give_up: float = 0.0) -> np.ndarray:
    """Weights of the simulated delays that make up a wait, shape (*wait.shape, len(delays)); they sum to 1.

    wait: weeks, not negative; between two delays the mixture's mean is the wait. give_up: share of those who wait that leaves the line in a
    week; they are counted with those who never begin, the last delay.

    >>> mixture(np.array([0.0, 4.0, 52.0]), np.array([1.0]), 0.0).tolist()
    [[0.75, 0.25, 0.0]]
    """
    weights = np.zeros((*wait.shape, len(delays)))
    if len(delays) == 1:
        weights[..., 0] = 1.0
        return weights
    held = np.clip(wait, delays[0], delays[-1])
    upper = np.clip(np.searchsorted(delays, held, side="right"), 1, len(delays) - 1)
    share = (held - delays[upper - 1]) / (delays[upper] - delays[upper - 1])
    np.put_along_axis(weights, (upper - 1)[..., None], (1.0 - share)[..., None], axis=-1)
    np.put_along_axis(weights, upper[..., None], share[..., None], axis=-1)
    if give_up > 0.0:
        staying = (1.0 - give_up) ** held
        weights *= staying[..., None]
        weights[..., -1] += 1.0 - staying
    return weights
