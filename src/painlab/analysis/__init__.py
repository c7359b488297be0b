"""Analyses: statistical fits to a clinic's own data, how sure a projection is, and what earned its effect.

    ours = painlab.analysis.clinic(painlab.records.read("fills.csv"), patients=4_000, condition="low_back_pain_persistent")
    print(ours)                                                        # demand, and what in the scenario is assumed
    projection = painlab.simulate(ours.scenario)
    print(ours.agreement(projection))                                  # how far the model's level is from the observed one
    painlab.analysis.forecast_demand(ours.observed)                    # and what would happen if all went on
    painlab.analysis.spread(ours.scenario)                             # chance, patients, parameters

A fit returns a `Fit`: estimates with intervals, diagnostics, a plain sentence, and what its chart shows (`painlab.views.fitted`). Where the
data cannot bear it, it is `Refused`, with the reason.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from painlab.analysis.attribution import Attribution, attribute
    from painlab.analysis.care_choice import Choice, Frontier
    from painlab.analysis.change_from_baseline import pain_change
    from painlab.analysis.clinic_capacity import Capacity, capacity
    from painlab.analysis.clinics import Clinic, clinic
    from painlab.analysis.decision import Decision, Worth
    from painlab.analysis.demand_forecast import forecast_demand
    from painlab.analysis.designs import plan_design
    from painlab.analysis.diagnoses import condition_of_codes
    from painlab.analysis.episodes import episode_survival, opioid_episodes
    from painlab.analysis.fit import Fit, Refused
    from painlab.analysis.frontier import care_frontier
    from painlab.analysis.interrupted import interrupted_series
    from painlab.analysis.learning import ValueOfInformation, value_of_information
    from painlab.analysis.one_at_a_time import Tornado, tornado
    from painlab.analysis.opioid_use import opioid_odds
    from painlab.analysis.pain_course import pain_trajectories
    from painlab.analysis.probabilistic import Sensitivity, sensitivity
    from painlab.analysis.separated import Separated, spread
    from painlab.analysis.slot_target import SlotsNeeded, slots_needed
    from painlab.analysis.turning_points import TurningPoints, flips
    from painlab.analysis.variance_shares import VarianceShares, sobol

__all__ = [
    "Attribution", "Capacity", "Choice", "Clinic", "Decision", "Fit", "Frontier", "Refused", "Sensitivity", "Separated", "SlotsNeeded",
    "Tornado", "TurningPoints", "ValueOfInformation", "VarianceShares", "Worth", "attribute", "capacity", "care_frontier", "clinic",
    "condition_of_codes", "episode_survival", "flips", "forecast_demand", "interrupted_series", "opioid_episodes", "opioid_odds",
    "pain_change", "pain_trajectories", "plan_design", "sensitivity", "slots_needed", "sobol", "spread", "tornado",
    "value_of_information",
]  # fmt: skip

_HOMES = {
    "Attribution": "attribution", "Capacity": "clinic_capacity", "Choice": "care_choice", "Clinic": "clinics", "Decision": "decision",
    "Fit": "fit", "Frontier": "care_choice", "Refused": "fit", "Sensitivity": "probabilistic", "Separated": "separated",
    "SlotsNeeded": "slot_target", "Tornado": "one_at_a_time", "TurningPoints": "turning_points", "ValueOfInformation": "learning",
    "VarianceShares": "variance_shares", "Worth": "decision", "attribute": "attribution", "capacity": "clinic_capacity",
    "care_frontier": "frontier", "clinic": "clinics", "condition_of_codes": "diagnoses", "episode_survival": "episodes",
    "flips": "turning_points", "forecast_demand": "demand_forecast", "interrupted_series": "interrupted", "opioid_episodes": "episodes",
    "opioid_odds": "opioid_use", "pain_change": "change_from_baseline", "pain_trajectories": "pain_course", "plan_design": "designs",
    "sensitivity": "probabilistic", "slots_needed": "slot_target", "sobol": "variance_shares", "spread": "separated",
    "tornado": "one_at_a_time", "value_of_information": "learning",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is first used, so that the import stays quick."""
    if name in _HOMES:
        return getattr(import_module(f"painlab.analysis.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'painlab.analysis' has no attribute '{name}'")


def __dir__() -> list[str]:
    return list(__all__)
