"""A grid of runs over the few levers that matter, so that a slide can answer a question from the audience without the model."""

import itertools
from collections.abc import Sequence
from typing import Any, Final

from painlab.fields import Lever
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.plan import levers
from painlab.projection import Projection
from painlab.scenario import Scenario
from painlab.simulation import simulate
from painlab.talk.brief import BESIDE, Brief, Progress, as_run, fixed, mean
from painlab.talk.drawings import both, levels, native_lines
from painlab.talk.opening import headline_trace, labels
from painlab.talk.origin import caption
from painlab.talk.story import LeverAxis, LiveGrid, Page, Said, Series

SCENARIO: Final = "scenario"
CUT: Final = "cut.weakness_to_pain"
MOST_COMBINATIONS: Final = 64
_WEEKS: Final = 30  # about so many of the horizon's weeks are kept
_BETTER: Final = {"lower": -1, "neither": 0, "higher": 1}
_LINK: Final = "weakness_to_pain"
_SCREEN: Final = (300, 10)
_EVERYWHERE: Final = (("prescribing", "opioid_start"), ("prescribing", "first_supply_days"), ("reassessment", "review"), ("coordination",))
_OF_TREATMENT: Final = ("start_week", "weeks", "sessions_per_week")
Path = tuple[str, ...]


def value_of(scenario: Scenario, path: Path) -> float | None:
    """What a plan has under a lever; None where it does not order it."""
    found: Any = scenario.care.as_dict()
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None else float(found)


def changed(scenario: Scenario, path: Path, value: float) -> Scenario:
    """A copy of a scenario with one lever of its plan moved."""
    number: Any = int(value) if float(value).is_integer() else float(value)
    for key in reversed(path):
        number = {key: number}
    return scenario.change(care=number)


def three(lever: Lever, own: float) -> tuple[float, ...]:
    """The plan's own value and two others of the lever's named levels, one on each side where there is room; rising.

    >>> three(levers()["physical_therapy", "start_week"], 0.0), three(levers()["coordination",], 0.2)
    ((0.0, 8.0, 26.0), (0.0, 0.2, 1.0))
    """
    others = sorted({float(one) for one in (*lever.levels.values(), lever.low, lever.high)} - {own})
    named = sorted({float(one) for one in lever.levels.values()} - {own})
    others = named if len(named) >= 2 else others
    below, above = [one for one in others if one < own], [one for one in others if one > own]
    middle = others[(len(others) - 1) // 2] if above else others[len(others) // 2]
    chosen = (below[0], above[-1]) if below and above else (middle, others[-1]) if above else (others[0], middle)
    return tuple(sorted({own, *chosen}))


def candidates(scenarios: Sequence[Scenario]) -> list[Path]:
    """Levers that may be moved: those that every plan has, at one and the same value."""
    first = scenarios[0]
    treatments = list(first.care.treatments)
    paths: list[Path] = [(name, key) for name in treatments for key in _OF_TREATMENT]
    paths += [("taper", "percent_per_month"), ("taper", "support"), *_EVERYWHERE]
    kept = []
    for path in paths:
        own = {value_of(one, path) for one in scenarios}
        if len(own) == 1 and None not in own:
            kept.append(path)
    return kept


def that_matter(brief: Brief, most: int, progress: Progress) -> list[Path]:
    """The levers that move demand, pain and function most, looked at with few patients; of one treatment at most one.

    First comes the one that moves most among those of a treatment or table that the plan changes: it is what will be asked about. Each is
    moved from its least to its most of three values; its score is the share of demand it moves, and of two points of pain and twenty of
    function.
    """
    patients, draws = min(brief.patients, _SCREEN[0]), min(brief.draws, _SCREEN[1])
    known, scores = levers(), []
    every = candidates([one.scenario for one in brief.projections])
    for place, path in enumerate(every):
        own = value_of(brief.scenario, path)
        assert own is not None
        values = three(known[path], own)
        ends = []
        for value in (values[0], values[-1]):
            moved = changed(brief.asked, path, value)
            run = simulate(moved, patients=patients, draws=draws, seed=brief.lead.seed, parameters=brief.kind, cancelled=brief.cancelled)
            ends.append({name: mean(run, name) for name in BESIDE})
        progress(place + 1, len(every))
        scale = {"mme_per_1000": max(1.0, abs(mean(brief.lead, "mme_per_1000").baseline)), "pain": 2.0, "function": 20.0}
        scores.append((sum(abs(ends[1][name].scenario - ends[0][name].scenario) / scale[name] for name in BESIDE), path))
    plan, baseline = brief.scenario.care.as_dict(), brief.scenario.baseline_plan().as_dict()
    order = [path for _, path in sorted(scores, key=lambda one: -one[0])]
    own_change = [path for path in order if plan.get(path[0]) != baseline.get(path[0])][:1]
    chosen: list[Path] = []
    for path in (*own_change, *order):
        if len(chosen) < most and not any(path[0] == other[0] for other in chosen):
            chosen.append(path)
    return sorted(chosen, key=every.index)


def live_grid(brief: Brief) -> LiveGrid:
    """Run every combination of the levers that matter, of the plans where there are several, and of the cycle whole and cut.

    Raises Cancelled between runs.
    """
    stage = brief.stage("live")
    several = len(brief.projections) > 1
    most = 1 if several and len(brief.projections) > 2 else 3 if brief.minutes == 40 and not several else 2
    chosen = that_matter(brief, most, lambda done, total: stage(done, 4 * total))
    known = levers()
    axes = []
    if several:
        titles = _told_apart([one.scenario.title for one in brief.projections])
        axes.append(LeverAxis(SCENARIO, "Plan", "", tuple(float(i) for i in range(len(titles))), titles, 0))
    for path in chosen:
        own = value_of(brief.scenario, path)
        assert own is not None
        axes.append(_axis(known[path], three(known[path], own), own))
    linked = all(_LINK not in (as_run(one).assume.links_cut if (as_run(one).assume) else ()) for one in brief.projections)  # type: ignore[union-attr]
    if linked:
        axes.append(LeverAxis(CUT, "Does weakness bring pain?", "", (0.0, 1.0), ("as estimated", "no: link cut"), 0))
    combinations = list(itertools.product(*(range(len(axis.values)) for axis in axes)))
    assert len(combinations) <= MOST_COMBINATIONS
    runs = []
    for number, choice in enumerate(combinations):
        runs.append(_run(brief, axes, chosen, choice))
        stage(len(combinations) + 3 * (number + 1), 4 * len(combinations))
    horizon = min(one.weeks for one in brief.projections)
    step = max(1, round(horizon / _WEEKS))
    weeks = tuple(sorted({*range(0, horizon + 1, step), horizon}))
    return LiveGrid(
        tuple(axes), weeks, tuple(_series(name, runs, weeks) for name in BESIDE), tuple(one.headline() for one in runs),
        caption(brief.lead, f"{len(combinations)} runs"),
    )  # fmt: skip


def _told_apart(titles: Sequence[str]) -> tuple[str, ...]:
    return tuple(title if titles.count(title) == 1 else f"{title} ({place + 1})" for place, title in enumerate(titles))


def _axis(lever: Lever, values: tuple[float, ...], own: float) -> LeverAxis:
    named = {float(value): words for words, value in lever.levels.items()}
    starts = lever.path[-1] == "start_week"  # its label says "in week", so that the number needs no unit
    unit = "" if starts or lever.unit in ("0-1", "share") else spoken_unit(lever.unit)
    shown = {value: f"{100 * value:.0f} %" if lever.unit == "share" else f"{value:g}{f' {unit}' if unit else ''}" for value in values}
    words = tuple(_level(named.get(value), shown[value], first=not starts) for value in values)
    label = lever.section if lever.section.lower() == lever.label else f"{lever.section}: {lever.label}"
    return LeverAxis(".".join(lever.path), label, lever.unit, values, words, values.index(own))


def _level(words: str | None, shown: str, *, first: bool) -> str:
    """A level by its words and its number, each once; first says that the words come first."""
    if words is None or words == shown or words.split()[0] == shown.split()[0]:
        return shown
    return f"{words} ({shown})" if first else f"{shown} ({words})"


def _run(brief: Brief, axes: Sequence[LeverAxis], chosen: Sequence[Path], choice: Sequence[int]) -> Projection:
    """The run of one combination: the talk's own where no lever is moved and it is no larger than the others."""
    picked = {axis.name: axis.values[place] for axis, place in zip(axes, choice, strict=True)}
    own = brief.projections[int(picked.get(SCENARIO, 0.0))]
    still = all(place == axis.at for axis, place in zip(axes, choice, strict=True) if axis.name != SCENARIO)
    if still and (own.patients, own.draws, own.seed) == (brief.patients, brief.draws, brief.lead.seed):
        return own
    scenario = as_run(own)
    for path in chosen:
        name = ".".join(path)
        if picked[name] != value_of(scenario, path):
            scenario = changed(scenario, path, picked[name])
    cut = [_LINK] if picked.get(CUT) else []
    return simulate(
        scenario, patients=brief.patients, draws=brief.draws, seed=brief.lead.seed, cut=cut, parameters=brief.kind,
        cancelled=brief.cancelled,
    )  # fmt: skip


def _series(name: str, runs: Sequence[Projection], weeks: Sequence[int]) -> Series:
    outcome = BY_NAME[name]
    digits = outcome.digits + 1

    def every(column: str) -> tuple[tuple[float, ...], ...]:
        rows = []
        for run in runs:
            values = run.outcome(name)[column]
            rows.append(tuple(round(float(values[week]), digits) + 0.0 for week in weeks))
        return tuple(rows)

    banded = all(run.draws > 1 for run in runs)
    low, high = (every("difference_low"), every("difference_high")) if banded else (None, None)
    better = _BETTER[outcome.better]
    return Series(
        name,
        outcome.label,
        spoken_unit(outcome.unit),
        outcome.digits,
        better,
        every("baseline"),
        every("scenario"),
        every("difference"),
        low,
        high,
    )


def live_page(brief: Brief) -> Page:
    """The grid, and a still figure where nothing can move."""
    grid = live_grid(brief)
    projection, names = brief.lead, labels(brief)
    moved = [axis.label for axis in grid.levers if axis.name not in (SCENARIO, CUT)]
    said = [Said(f"As planned: {projection.headline()}.", headline_trace(projection))]
    if moved:
        said.append(Said(f"Move: {'; '.join(moved)}.", "scenario:care"))
    if any(axis.name == CUT for axis in grid.levers):
        said.append(Said("Cut the contested link, from weakness to pain, and see what of the difference is left."))
    said += fixed("The baseline stays gray beside whatever you choose.")
    alt = f"Opioid demand, pain and function by week under {names[0]} and under this plan. {said[0].text}"
    figure = both(
        "live", lambda dark: levels(projection, BESIDE, names, dark=dark, size=(270, 240)), alt, caption(projection),
        native_lines(projection, "mme_per_1000", names),
    )  # fmt: skip
    notes = (
        "In the HTML deck this page answers: move a lever, and the charts and the headline follow. All combinations were run beforehand, "
        "so it needs no network and no Python. In PowerPoint and PDF it is a picture.\n"
        "Ask the audience what would happen before you move anything.\n"
        f"What was run: {grid.caption}. Levers were chosen by what moves demand, pain and function most: "
        f"{'; '.join(axis.label for axis in grid.levers)}."
    )
    return Page("live", "live", "What if? Ask the model", tuple(said), figure, live=grid, notes=notes)
