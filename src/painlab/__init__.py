"""PainLab: see the cycle of pain, inactivity and weakness, change the care, and project opioid demand with honest uncertainty.

It teaches and explores. It advises no individual patient.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from painlab.errors import InputError

if TYPE_CHECKING:
    from painlab.projection import Projection
    from painlab.scenario import Scenario, scenarios
    from painlab.simulation import compare, simulate
    from painlab.views import charts
    from painlab.views.explorer import explore

__all__ = ["InputError", "Projection", "Scenario", "charts", "compare", "explore", "scenarios", "simulate"]

_HOMES = {
    "Projection": "projection",
    "Scenario": "scenario",
    "scenarios": "scenario",
    "compare": "simulation",
    "simulate": "simulation",
    "explore": "views.explorer",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is first used, so that `import painlab` stays quick."""
    if name in _HOMES:
        return getattr(import_module(f"painlab.{_HOMES[name]}"), name)
    if name == "charts":
        return import_module("painlab.views.charts")
    if name == "__version__":
        return import_module("importlib.metadata").version("painlab")
    raise AttributeError(f"module 'painlab' has no attribute '{name}'")


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
