"""The cycle in a fixed setting: activity, strength and sensitization as an autonomous system of three equations.

The mean patient's equations with tissue signal, treatment and dose held, flares at their mean, tolerance where the dose leaves it, and no
noise. Every rate and level is a function of `painlab.dynamics`; what follows from the system is in `phase`.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from painlab import care, catalog, dynamics, parameters
from painlab.care import TreatmentField
from painlab.engine.arrival import arrival_signal
from painlab.engine.execution import inputs_of
from painlab.engine.mean_patient import typical_patient as typical_patient
from painlab.errors import InputError
from painlab.numerics import compiled, compiled_loop
from painlab.parameters import Parameters
from painlab.scenario import Scenario
from painlab.tables import nearest

_STEPS_A_WEEK: Final = 4  # of the integrator; activity, the fastest state, takes about two weeks
_LONGEST: Final = 20_000  # weeks after which a start that has not decided goes by its pain
_AT_REST: Final = 1e-11  # change in one step below which a state has arrived


class Setting(NamedTuple):
    """What is held fixed while the cycle settles. Shares and traits are 0-1 unless stated."""

    signal: float  # pain points from the tissue, with flares at their mean
    distress: float = 0.3
    poor_sleep: float = 0.3
    comorbidity: float = 0.3
    age: float = 50.0  # years
    dose: float = 0.0  # opioids, MME/day
    opioid_response: float = 1.0  # multiplier
    source_relief: float = 0.0  # share of the signal that treatment takes
    relief: float = 0.0  # share of felt pain that treatment takes
    lift: float = 0.0  # share of the missing activity that treatment wins
    easing: float = 0.0  # share of sensitization that treatment eases in a week
    training: float = 0.0  # share of the missing strength that training wins in a week, before age

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        values: Mapping[str, float] | None = None,
        *,
        p: Parameters | None = None,
        held: Mapping[str, float] | Iterable[str] = (),
        dose: float = 0.0,
    ) -> "Setting":
        """The setting in which a scenario's typical patient ends: the lasting part of the signal, the population's mean traits.

        Parameters
        ----------
        values
            Parameter values, central if left out.
        p
            Scalar parameters in place of those of `values`, as after `parameters.cut_links`.
        held
            Treatments held up for good, in full or at the given share of it. The driver counts as found, responders as a share, and for
            programs the usual sessions go on with the habit of home exercise at its most: a limit that no trial has kept up for long.
        dose
            Opioid dose held, in MME/day.

        Raises InputError for an unknown treatment, or a share outside 0 to 1.
        """
        central, condition, rows = inputs_of(scenario.population, *scenario.assumed(parameters.values() if values is None else values))
        p = p or central
        traits = typical_patient(scenario, condition, p)
        onsets = dynamics.flare_chance(condition.flares_per_year, traits.work_demand, p) * p.flare_size
        flares = _level_at_rest(onsets, onsets + dynamics.flare_change(1.0, p))
        known = catalog.treatments()
        source_kept = felt_kept = 1.0
        lift = easing = training = 0.0
        for name, share in (held if isinstance(held, Mapping) else dict.fromkeys(held, 1.0)).items():
            if name not in known:
                raise InputError(f'unknown treatment "{name}"{nearest(name, known)}', where="held", expected=f"some of {', '.join(known)}")
            if not 0.0 <= share <= 1.0:
                raise InputError(f"{name} is held at {share:g}", where="held", expected="a share from 0 to 1")
            row = rows[known[name].number - 1]
            response = row[TreatmentField.RESPONDERS] * traits.treatment_response
            targeted = care.targeted_share(row, *(getattr(condition, driver) for driver in catalog.DRIVERS))
            source_kept *= 1.0 - care.source_relief(share, response, 1.0, targeted, row)
            felt_kept *= 1.0 - care.felt_relief(share, response, row)
            lift += care.activity_lift(share, response, row)
            easing += care.sensitization_easing(share, response, row)
            habit = traits.adherence if row[TreatmentField.HOME_HABIT] > 0.0 else 0.0
            training += care.training_share(share, known[name].order["sessions_per_week"], share * habit, row, p)
        return cls(
            signal=traits.lasting_share * arrival_signal(traits, p) + flares,
            distress=traits.distress,
            poor_sleep=traits.poor_sleep,
            comorbidity=traits.comorbidity,
            age=traits.age,
            dose=dose,
            opioid_response=traits.opioid_response,
            source_relief=1.0 - source_kept,
            relief=1.0 - felt_kept,
            lift=lift,
            easing=easing,
            training=training,
        )


@compiled
def _level_at_rest(change_at_0: float, change_at_1: float) -> float:
    """Level at which a change that is linear in the level vanishes."""
    return change_at_0 / (change_at_0 - change_at_1)


@compiled
def _shares(setting: Setting, p: Parameters) -> tuple[float, float]:
    """Tolerance at rest, and the share of pain that the dose then takes away."""
    tolerance = _level_at_rest(dynamics.tolerance_change(0.0, setting.dose, p), dynamics.tolerance_change(1.0, setting.dose, p))
    return tolerance, dynamics.opioid_relief(setting.dose, tolerance, setting.opioid_response, p)


@compiled
def _pain(strength: float, sensitization: float, setting: Setting, p: Parameters) -> float:
    tolerance, opioid_share = _shares(setting, p)
    unmodulated = dynamics.unmodulated_pain(setting.signal, setting.source_relief, strength, sensitization, p)
    return dynamics.felt_pain(unmodulated, opioid_share, setting.relief, tolerance, 0.0, 0.0, p)


@compiled
def _activity(pain: float, setting: Setting, p: Parameters) -> float:
    """Activity that a pain leaves in the long run."""
    sedation = dynamics.sedation_chance(setting.dose, p)
    return dynamics.activity_target(pain, setting.distress, setting.comorbidity, sedation, setting.lift, p)


@compiled
def strength_rate(strength: float, activity: float, setting: Setting, p: Parameters) -> float:
    """Change of strength per week, training included."""
    return dynamics.strength_change(strength, activity, p) + dynamics.training_gain(strength, setting.training, setting.age, p)


@compiled
def _strength(activity: float, setting: Setting, p: Parameters) -> float:
    """Strength that an activity sustains with the training held: where its change, which falls with strength, vanishes."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        if strength_rate(middle, activity, setting, p) > 0.0:
            low = middle
        else:
            high = middle
    return high


@compiled
def _sensitization_rate(sensitization: float, pain: float, setting: Setting, p: Parameters) -> float:
    return dynamics.sensitization_change(sensitization, pain, setting.distress, setting.poor_sleep, setting.easing, p)


@compiled
def _sensitization(pain: float, setting: Setting, p: Parameters) -> float:
    """Sensitization that a pain leaves in the long run."""
    return _level_at_rest(_sensitization_rate(0.0, pain, setting, p), _sensitization_rate(1.0, pain, setting, p))


@compiled
def _rates(a: float, s: float, z: float, setting: Setting, p: Parameters) -> tuple[float, float, float]:
    pain = _pain(s, z, setting, p)
    activity_rate = dynamics.activity_change(a, _activity(pain, setting, p), p)
    return activity_rate, strength_rate(s, a, setting, p), _sensitization_rate(z, pain, setting, p)


@compiled
def _step(a: float, s: float, z: float, weeks: float, setting: Setting, p: Parameters) -> tuple[float, float, float]:
    """One step of the classical Runge-Kutta method, written as a loop so that the equations are compiled once."""
    da = ds = dz = 0.0
    a_sum = s_sum = z_sum = 0.0
    for stage in range(4):
        ahead = weeks * (0.0 if stage == 0 else 1.0 if stage == 3 else 0.5)
        weight = weeks * (1.0 if stage in (0, 3) else 2.0) / 6.0
        da, ds, dz = _rates(a + ahead * da, s + ahead * ds, z + ahead * dz, setting, p)
        a_sum += weight * da
        s_sum += weight * ds
        z_sum += weight * dz
    return a + a_sum, s + s_sum, z + z_sum


@compiled_loop
def rates_at(state: np.ndarray, setting: Setting, p: Parameters) -> np.ndarray:
    """Change per week of activity, strength and sensitization, shape (3,)."""
    return np.array(_rates(state[0], state[1], state[2], setting, p))


@compiled_loop
def felt(strength: float, sensitization: float, setting: Setting, p: Parameters) -> float:
    """Felt pain (0-10) with this strength and sensitization."""
    return _pain(strength, sensitization, setting, p)


@compiled_loop
def settled(pain: float, setting: Setting, p: Parameters) -> tuple[float, float, float]:
    """Activity, strength and sensitization that a pain leaves in the long run."""
    activity = _activity(pain, setting, p)
    return activity, _strength(activity, setting, p), _sensitization(pain, setting, p)


@compiled_loop
def excess(pain: float, setting: Setting, p: Parameters) -> float:
    """Pain that comes of a pain in the long run, less that pain: zero at equilibria."""
    _, strength, sensitization = settled(pain, setting, p)
    return _pain(strength, sensitization, setting, p) - pain


@compiled_loop
def excesses(pains: np.ndarray, setting: Setting, p: Parameters) -> np.ndarray:
    """`excess` at each of some pains."""
    return np.array([excess(pain, setting, p) for pain in pains])


@compiled_loop
def returned(pain: float, setting: Setting, p: Parameters) -> tuple[float, float]:
    """Points of pain that weakness, and that sensitization, give back in the long run of a pain."""
    _, strength, sensitization = settled(pain, setting, p)
    _, opioid_share = _shares(setting, p)
    damped = dynamics.felt_pain(1.0, opioid_share, setting.relief, 0.0, 0.0, 0.0, p)
    by_weakness = dynamics.unmodulated_pain(0.0, 0.0, strength, 0.0, p)
    by_sensitization = dynamics.unmodulated_pain(0.0, 0.0, 1.0, sensitization, p)
    return damped * by_weakness, damped * by_sensitization


@compiled_loop
def steepest(pains: np.ndarray, setting: Setting, p: Parameters) -> float:
    """Largest share of an added pain that comes back, between neighbors among some pains in rising order."""
    most = 0.0
    before = returned(pains[0], setting, p)
    for i in range(1, pains.size):
        after = returned(pains[i], setting, p)
        most = max(most, (after[0] + after[1] - before[0] - before[1]) / (pains[i] - pains[i - 1]))
        before = after
    return most


@compiled_loop
def walk(a: float, s: float, z: float, weeks: int, setting: Setting, p: Parameters) -> np.ndarray:
    """Pain, activity, strength and sensitization by week, shape (weeks + 1, 4)."""
    found = np.empty((weeks + 1, 4))
    for week in range(weeks + 1):
        found[week] = _pain(s, z, setting, p), a, s, z
        for _ in range(_STEPS_A_WEEK):
            a, s, z = _step(a, s, z, 1.0 / _STEPS_A_WEEK, setting, p)
    return found


@compiled_loop
def _ends_worse(s: float, z: float, saddle: tuple[float, float, float], setting: Setting, p: Parameters) -> bool:
    """Whether a start, with activity as its pain leaves it, ends on the worse side of a saddle.

    In a monotone system a state that is worse than the saddle in all three stays so.
    """
    a = _activity(_pain(s, z, setting, p), setting, p)
    for _ in range(_LONGEST * _STEPS_A_WEEK):
        if a <= saddle[0] and s <= saddle[1] and z >= saddle[2]:
            return True
        if a >= saddle[0] and s >= saddle[1] and z <= saddle[2]:
            return False
        before = a, s, z
        a, s, z = _step(a, s, z, 1.0 / _STEPS_A_WEEK, setting, p)
        if abs(a - before[0]) + abs(s - before[1]) + abs(z - before[2]) < _AT_REST:
            break
    return _pain(s, z, setting, p) > _pain(saddle[1], saddle[2], setting, p)


@compiled_loop
def last_better(s: float, saddle: tuple[float, float, float], setting: Setting, p: Parameters) -> float:
    """Sensitization up to which a start at this strength ends on the better side of a saddle; not a number if all or none do."""
    if _ends_worse(s, 0.0, saddle, setting, p) or not _ends_worse(s, 1.0, saddle, setting, p):
        return np.nan
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _ends_worse(s, middle, saddle, setting, p):
            high = middle
        else:
            low = middle
    return 0.5 * (low + high)


@compiled
def _felt_at(share: float, by_activity: bool, sensitization: float, setting: Setting, p: Parameters) -> float:
    return _pain(_strength(share, setting, p) if by_activity else share, sensitization, setting, p)


@compiled_loop
def share_with_pain(pain: float, by_activity: bool, setting: Setting, p: Parameters) -> float:
    """Strength (or activity) at which a pain keeps itself up, once sensitization (and strength) has settled; not a number if none does."""
    sensitization = _sensitization(pain, setting, p)
    low, high = 0.0, 1.0
    if _felt_at(high, by_activity, sensitization, setting, p) > pain or _felt_at(low, by_activity, sensitization, setting, p) < pain:
        return np.nan
    for _ in range(50):
        middle = 0.5 * (low + high)
        if _felt_at(middle, by_activity, sensitization, setting, p) > pain:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)
