"""contrast(): what sets one scenario apart from another, in plain sentences, all of it: care, patients, horizon, baseline, assumptions."""

from typing import Any, Final

from painlab import catalog, parameters
from painlab.arrivals import Arrivals
from painlab.assumptions import Assumptions
from painlab.fields import Strict
from painlab.narrative import horizon_words
from painlab.phrases import plan_difference
from painlab.population import Population
from painlab.scenario import Scenario

SAME_CARE: Final = "The care is the same."
ALIKE: Final = "Nothing differs: it is the same question under another name."


def contrast(new: Scenario, old: Scenario) -> tuple[str, ...]:
    """Say how a scenario differs from another; names, titles and questions do not count. One sentence if nothing does.

    >>> from painlab import Scenario
    >>> early = Scenario.load("early-pt")
    >>> contrast(early.change(weeks=52, population={"distress": 0.7}, care={"physical_therapy": {"start_week": 8}}), early)
    ('Physical therapy is ordered in week 8 instead of 0.', 'The patients had distress of 0.7 instead of 0.3.',
     'It runs over one year instead of two years.')
    """
    care = plan_difference(new.care, old.care)
    said = [] if new.care == old.care else [care if care != SAME_CARE else "The care differs in a trial's switches alone."]
    said += patients_differ(new.population, old.population)
    if new.weeks != old.weeks:
        said.append(f"It runs over {horizon_words(new.weeks)} instead of {horizon_words(old.weeks)}.")
    said += _baselines(new, old)
    said += assumptions_differ(new.assume, old.assume)
    return tuple(said) or (ALIKE,)


def patients_differ(new: Population, old: Population) -> list[str]:
    """Sentences on the patients and on how they arrive; none if both are the same."""
    said = []
    if new.condition != old.condition:
        labels = catalog.labels("conditions")
        said.append(f"The patients have {_inside(labels[new.condition])} instead of {_inside(labels[old.condition])}.")
    told = _fields(new, old)
    if new.goal != old.goal:
        told.append(f"had {_goal(new)} instead of {_goal(old)}")
    if told:
        said.append(f"The patients {', '.join(told)}.")
    return said + _arrivals(new.arrivals, old.arrivals)


def assumptions_differ(new: Assumptions | None, old: Assumptions | None) -> list[str]:
    """Sentences on links cut and parameters set; none if both are the same."""
    ours, theirs = new or Assumptions(), old or Assumptions()
    said = []
    for links, verb in (
        ([one for one in ours.links_cut if one not in theirs.links_cut], "cuts"),
        ([one for one in theirs.links_cut if one not in ours.links_cut], "does not cut"),
    ):
        if links:
            said.append(f"It {verb} the link{'s' if links[1:] else ''} {', '.join(links)}.")
    for name in dict.fromkeys([*ours.values, *theirs.values]):
        values = [one.values.get(name) for one in (ours, theirs)]
        if values[0] != values[1]:
            here, there = ("the model's" if value is None else f"{value:g}" for value in values)
            said.append(f"It assumes {name} of {here} instead of {there} ({parameters.record(name).unit}).")
    return said


def _fields(new: Strict, old: Strict) -> list[str]:
    """Fields with words that differ, each with both values; one that is left out is the condition's own."""
    told = []
    for name, field in type(new).model_fields.items():
        extra: Any = field.json_schema_extra
        values = getattr(new, name), getattr(old, name)
        if extra and values[0] != values[1]:
            here, there = ("the condition's own" if value is None else f"{value:,}" if value >= 1000 else f"{value:g}" for value in values)
            told.append(f"{extra['words'].format(here)} instead of {there}")
    return told


def _arrivals(new: Arrivals | None, old: Arrivals | None) -> list[str]:
    if new == old:
        return []
    if new is None:
        return ["It follows one group of patients from the first visit, instead of patients who keep arriving."]
    if old is None:
        shown = f"{new.new_patients_per_1000_per_year:g} new patients per 1,000 people a year among {new.people:,} people"
        return [f"Patients keep arriving ({shown}), instead of one group from the first visit."]
    return [f"The clinic {', '.join(_fields(new, old))}."]


def _baselines(new: Scenario, old: Scenario) -> list[str]:
    ours, theirs = new.baseline_plan(), old.baseline_plan()
    if ours == theirs:
        return []
    names = [one.baseline if isinstance(one.baseline, str) else "a plan of its own" for one in (new, old)]
    difference = plan_difference(ours, theirs)
    said = f"It is held against {names[0]}" + (f" instead of {names[1]}" if names[0] != names[1] else ", which differs")
    return [f"{said}. In the baseline: {difference}" if difference != SAME_CARE else f"{said}."]


def _goal(population: Population) -> str:
    if population.goal == catalog.MIXED_GOALS:
        return "mixed goals"
    return f'the goal "{catalog.labels("goals")[population.goal]}"'


def _inside(label: str) -> str:
    """A label inside a sentence."""
    return label[0].lower() + label[1:] if label[1:2].islower() else label
