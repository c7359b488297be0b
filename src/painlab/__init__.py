"""PainLab: see the cycle of pain, inactivity and weakness, change the care, and project opioid demand with honest uncertainty.

It teaches and explores. It advises no individual patient.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from painlab.errors import InputError

if TYPE_CHECKING:
    from painlab import analysis, estimate, records
    from painlab.comparison import compare
    from painlab.following import trajectories
    from painlab.grids import grid
    from painlab.lever_paths import levers
    from painlab.projection import Projection
    from painlab.scenario import Scenario, scenarios
    from painlab.simulation import refine, simulate
    from painlab.sweeps import sweep
    from painlab.swept import read as read_sweep
    from painlab.talk.figures import figure
    from painlab.talk.making import slides
    from painlab.views import charts
    from painlab.views.explorer import explore

__all__ = [
    "InputError", "Projection", "Scenario", "analysis", "charts", "compare", "estimate", "explore", "figure", "grid", "levers",
    "read_sweep", "records", "refine", "scenarios", "simulate", "slides", "sweep", "trajectories",
]  # fmt: skip

_HOMES = {
    "Projection": "projection.Projection",
    "Scenario": "scenario.Scenario",
    "scenarios": "scenario.scenarios",
    "compare": "comparison.compare",
    "grid": "grids.grid",
    "levers": "lever_paths.levers",
    "simulate": "simulation.simulate",
    "refine": "simulation.refine",
    "sweep": "sweeps.sweep",
    "read_sweep": "swept.read",
    "trajectories": "following.trajectories",
    "explore": "views.explorer.explore",
    "figure": "talk.figures.figure",
    "slides": "talk.making.slides",
}
_ROOMS = {"analysis": "analysis", "charts": "views.charts", "estimate": "estimate", "records": "records"}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is first used, so that `import painlab` stays quick."""
    if name in _HOMES:
        home, _, own = _HOMES[name].rpartition(".")
        return getattr(import_module(f"painlab.{home}"), own)
    if name in _ROOMS:
        return import_module(f"painlab.{_ROOMS[name]}")
    if name == "__version__":
        return import_module("importlib.metadata").version("painlab")
    raise AttributeError(f"module 'painlab' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
