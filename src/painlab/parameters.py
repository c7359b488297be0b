"""Every parameter of the model, once: value, range, distribution, unit, meaning and source from data/parameters.csv.

The same record gives the slider its range, the draw its prior, the tooltip its text and the document its citation.
"""

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from painlab import evidence
from painlab.errors import InputError
from painlab.randomness import parameter_uniform
from painlab.tables import data_folder, nearest, number, read_table

COLUMNS: Final = ("name", "symbol", "value", "low", "high", "distribution", "unit", "meaning", "source")
DISTRIBUTIONS: Final = ("pert", "lognormal", "fixed")
UNITS: Final = (
    "1",
    "share",
    "share per week",
    "share per decade",
    "weeks",
    "pain points",
    "MME/day",
    "log-odds",
    "log-odds per point",
    "log-odds per unit",
    "log units",
    "log units per point",
    "log units per unit",
    "per week",
    "per unit",
    "per patient-year",
    "per MME/day",
    "USD",
    "USD per MME",
)


class Parameter(NamedTuple):
    """One parameter record. A dot in the name marks a column of a treatment's row: `physical_therapy.relief`."""

    name: str
    symbol: str
    value: float
    low: float
    high: float
    distribution: str  # "pert", "lognormal" (low and high are a 95 % interval) or "fixed"
    unit: str
    meaning: str
    source: str  # evidence ids and citekeys, or "assumption"

    def quantile(self, u: float) -> float:
        """Value below which the prior has the share u (0 < u < 1)."""
        return float(self.quantiles(np.array(u)))

    def quantiles(self, shares: np.ndarray) -> np.ndarray:
        """Values below which the prior has these shares (0 < share < 1), same shape."""
        if self.distribution == "fixed" or self.low == self.high:
            return np.full(shares.shape, self.value)
        if self.distribution == "lognormal":
            from scipy.special import ndtri

            return np.asarray(self.value * np.exp(self._spread() * ndtri(shares)))
        from scipy.special import betaincinv

        return np.asarray(self.low + (self.high - self.low) * betaincinv(*self._shape(), shares))

    def share_below(self, of: np.ndarray) -> np.ndarray:
        """Share that the prior has below values, same shape: the inverse of `quantiles`."""
        if self.distribution == "fixed" or self.low == self.high:
            return np.full(of.shape, 0.5)
        if self.distribution == "lognormal":
            from scipy.special import ndtr

            return np.asarray(ndtr(np.log(of / self.value) / self._spread()))
        from scipy.special import betainc

        return np.asarray(betainc(*self._shape(), (of - self.low) / (self.high - self.low)))

    def _spread(self) -> float:
        """Standard deviation of a lognormal's logarithm: low and high are its 95 % interval."""
        return math.log(self.high / self.low) / (2.0 * 1.959963984540054)

    def _shape(self) -> tuple[float, float]:
        """Shape of a PERT distribution's beta: the value is the mode."""
        mode = (self.value - self.low) / (self.high - self.low)
        return 1.0 + 4.0 * mode, 1.0 + 4.0 * (1.0 - mode)


class Parameters(NamedTuple):
    """The model's scalar parameters, in the order of data/parameters.csv; compiled code takes them as they are."""

    flare_half_life: float
    flare_size: float
    flare_work_demand: float
    noise_size: float
    noise_persistence: float
    weakness_pain: float
    sensitization_pain: float
    opioid_relief_max: float
    opioid_half_dose: float
    tolerance_shift: float
    tolerance_half_dose: float
    tolerance_time: float
    hyperalgesia_pain: float
    withdrawal_pain: float
    withdrawal_free_fall: float
    withdrawal_support: float
    withdrawal_half_life: float
    activity_log_odds: float
    activity_pain_slope: float
    activity_distress: float
    activity_comorbidity: float
    activity_sedation: float
    activity_time: float
    strength_activity_slope: float
    strength_loss_time: float
    strength_gain_time: float
    training_age_loss: float
    sensitization_threshold: float
    sensitization_distress: float
    sensitization_sleep: float
    sensitization_time: float
    sedation_max: float
    constipation_max: float
    side_effect_half_dose: float
    overdose_base: float
    overdose_dose_slope: float
    overdose_dose_cap: float
    overdose_taper_ratio: float
    function_activity: float
    function_strength: float
    function_pain: float
    trait_spread: float
    response_spread: float
    prior_response_loss: float
    course_spread: float
    course_time_spread: float
    first_supply_spread: float
    dose_spread: float
    home_keeps: float
    home_half_life: float
    home_training: float
    attendance_pain: float
    attendance_adherence: float
    attendance_coordination: float
    referral_fragmented: float
    referral_coordinated: float
    wait_fragmented: float
    wait_coordinated: float
    diagnosis_fragmented: float
    diagnosis_coordinated: float
    missed_driver_effect: float
    visit_kept: float
    visit_coordination: float
    visit_spread: float
    unscheduled_visit: float
    unscheduled_visit_pain: float
    start_pain: float
    start_distress: float
    start_prior: float
    start_later: float
    escalation_usual: float
    escalation_pain: float
    escalation_step: float
    stop_scale: float
    stop_decay: float
    stop_pain: float
    stop_distress: float
    stop_spread: float
    review_stop: float
    taper_acceptance: float
    taper_acceptance_supported: float
    taper_return: float
    taper_return_withdrawal: float
    taper_return_pain: float
    taper_return_support: float
    taper_end_dose: float
    cost_visit: float
    cost_mme: float


@cache
def records(path: Path | None = None) -> dict[str, Parameter]:
    """Read and check the parameter table.

    Raises InputError with file and row for a missing source, evidence kept for validation, a value outside its range, an unknown unit or
    distribution, or a repeated name.
    """
    path = path or data_folder() / "parameters.csv"
    found: dict[str, Parameter] = {}
    for cells in read_table(path, COLUMNS).iter_rows(named=True):
        where = f"{path.name}, row {cells['row']}"
        name = cells["name"]
        if not name or name in found:
            raise InputError(
                f'the name "{name}" is {"repeated" if name else "empty"}', where=where, expected="a name of its own in each row"
            )
        value, low, high = (number(cells[column], where=where, column=column) for column in ("value", "low", "high"))
        if not low <= value <= high:
            raise InputError(f"{name} = {value:g} lies outside its range {low:g} to {high:g}", where=where, expected="low <= value <= high")
        for column, known in (("unit", UNITS), ("distribution", DISTRIBUTIONS)):
            if cells[column] not in known:
                raise InputError(
                    f'unknown {column} "{cells[column]}"{nearest(cells[column], known)}', where=where, expected=f"one of {', '.join(known)}"
                )
        if cells["distribution"] == "lognormal" and low <= 0.0:
            raise InputError(f"{name} has low = {low:g}", where=where, expected="a positive low for a lognormal distribution")
        if not cells["meaning"]:
            raise InputError(f"{name} has no meaning", where=where, expected="a sentence in plain words")
        evidence.check_value_source(cells["source"], f"{where}, {name}")
        found[name] = Parameter(
            name, cells["symbol"], value, low, high, cells["distribution"], cells["unit"], cells["meaning"], cells["source"]
        )
    return found


def record(name: str) -> Parameter:
    """Return the record of one parameter; raises InputError with the nearest name if there is none."""
    known = records()
    if name not in known:
        raise InputError(f'unknown parameter "{name}"{nearest(name, known)}', where="data/parameters.csv")
    return known[name]


def table() -> pl.DataFrame:
    """All records as a frame, one row a parameter."""
    return pl.DataFrame([one._asdict() for one in records().values()])


@cache
def values(draw: int | None = None, seed: int = 1) -> Mapping[str, float]:
    """Values by name: the central ones, or those of prior draw number `draw` (from 0) under a seed."""
    if draw is None:
        return MappingProxyType({name: one.value for name, one in records().items()})
    return MappingProxyType({name: one.quantile(parameter_uniform(seed, draw, name)) for name, one in records().items()})


def scalars(of: Mapping[str, float]) -> Parameters:
    """Pick the scalar parameters of a set of values, in the compiled code's order."""
    return Parameters(**{name: of[name] for name in Parameters._fields})


def treatment_values(of: Mapping[str, float], treatment: str, columns: tuple[str, ...]) -> np.ndarray:
    """A treatment's parameter columns, shape (len(columns),); a column without a row is 0: the treatment has no such part."""
    return np.array([of.get(f"{treatment}.{column}", 0.0) for column in columns])


LINKS: Final = {
    "pain_to_activity": "activity_pain_slope",
    "activity_to_strength": "strength_activity_slope",
    "weakness_to_pain": "weakness_pain",
}
"""Links of the cycle that can be cut, and the coefficient that a cut sets to zero."""


def cut_links(of: Parameters, links: tuple[str, ...]) -> Parameters:
    """Return the parameters with the named links of the cycle set to zero."""
    for link in links:
        if link not in LINKS:
            raise InputError(f'unknown link "{link}"{nearest(link, LINKS)}', expected=f"one of {', '.join(LINKS)}")
    return of._replace(**{LINKS[link]: 0.0 for link in links})
