"""Where a sentence's figures come from: finds what stands at a trace, and the figures that no trace explains."""

import math
import re
from collections.abc import Iterable
from typing import Any, Final

import polars as pl

from painlab import catalog, evidence, parameters
from painlab.errors import InputError
from painlab.phrases import plan_difference, plan_words
from painlab.projection import Projection
from painlab.talk.brief import averages
from painlab.talk.origin import validity
from painlab.talk.story import Page, Said, Story

Found = tuple[float | str, ...]
_NUMBER: Final = re.compile(r"(?<![\w.])[+-]?\d[\d,]*(?:\.\d+)?")
# What a scale or a unit is called, in which figures are names.
_NAMES: Final = re.compile(
    r"\b0-1(?:0|00)?\b|\bof 10(?:0)?\b(?![,\d])|\bper 1,000\b|\bfor (?:every )?1,000\b|\bT\d\d-\d\d\w*|\bCDC \d{4}\b|\bPL1-\S+"
)


def resolve(trace: str, story: Story) -> Found:
    """What stands at a trace (`Said.trace`): numbers and texts, in the order named; nothing for `text` and assumptions.

    Raises InputError for a trace that leads nowhere.
    """
    found: list[float | str] = []
    for part in trace.split("; "):
        kind, _, rest = part.partition(":")
        found += _AT[kind.partition(" ")[0]](kind, rest, story) if kind.partition(" ")[0] in _AT else _nowhere(part)
    return tuple(found)


def sentences(page: Page) -> tuple[Said, ...]:
    """All that a page says with a trace of its own: its title, then its sentences."""
    return (Said(page.title, page.title_trace), *page.said)


def unexplained(said: Said, story: Story) -> list[str]:
    """Figures of a sentence that are neither what stands at its trace, rounded, nor part of a text that stands there.

    >>> from painlab.talk.story import Story
    >>> unexplained(Said("It falls by 12."), Story("", "", 5, (), {}, (), ()))
    ['12']
    """
    found = resolve(said.trace, story)
    numbers = [one for one in found if isinstance(one, float)]
    words = {token.rstrip(",") for one in found if isinstance(one, str) for token in _NUMBER.findall(one)}
    words |= {token.lstrip("+-") for token in words}
    left = []
    for token in _NUMBER.findall(_NAMES.sub("", said.text)):
        bare = token.rstrip(",")
        if bare not in words and bare.lstrip("+-") not in words and not any(_is(bare, one) for one in numbers):
            left.append(bare)
    return left


def _is(token: str, number: float) -> bool:
    """Whether a figure is a number, rounded to the figure's decimals or to three figures, with or without its sign, or in percent."""
    digits = len(token.partition(".")[2])
    shown = abs(float(token.replace(",", "")))
    for one in (abs(number), abs(100.0 * number)):
        rounded = [round(one, digits)]
        if digits == 0 and one >= 1.0:
            rounded.append(round(one, min(0, 2 - math.floor(math.log10(one)))))
        if any(math.isclose(shown, value, abs_tol=1e-9) for value in rounded):
            return True
    return False


def _nowhere(part: str) -> Found:
    raise InputError(f'the trace "{part}" leads nowhere', expected="a trace as `Said` describes it")


def _run(kind: str, rest: str, story: Story) -> Found:
    number = int(kind.partition(" ")[2] or 1)
    projection: Projection = story.projections[number - 1]
    parts = rest.split("/")
    if len(parts) == 1:
        value = getattr(projection.scenario if parts[0] in ("title", "question") else projection, parts[0])
        return (value if isinstance(value, str) else float(value),)
    outcome, place, column = parts
    if place == "horizon":
        rows = averages(projection).filter(pl.col("outcome") == outcome)
        where: Found = (float(projection.weeks),)
    else:
        week = int(place.removeprefix("week "))
        rows = projection.outcome(outcome).filter(pl.col("week") == week)
        where = (float(week),)
    if column == "percent":
        row = rows.row(0, named=True)
        return (*where, 100.0 * row["difference"] / row["baseline"])
    value = rows[column][0]
    return (*where, *(() if value is None else (float(value),)))


def _scenario(kind: str, rest: str, story: Story) -> Found:
    number = int(kind.partition(" ")[2] or 1)
    one = story.scenarios[number - 1]
    if rest == "care":
        return (plan_words(one.care), plan_words(one.baseline_plan()), plan_difference(one.care, one.baseline_plan()))
    value: Any = one.model_dump()
    for key in rest.split("/"):
        value = value[key]
    return _plain(value)


def _plain(value: Any) -> Found:
    if isinstance(value, dict | list):
        return (str(value),)
    return () if value is None else (value,) if isinstance(value, str) else (float(value),)


def _parameter(_: str, rest: str, __: Story) -> Found:
    one = parameters.record(rest)
    return (one.value, one.low, one.high, one.meaning, one.source)


def _evidence(_: str, rest: str, __: Story) -> Found:
    from painlab.views import ledger

    finding, source = ledger.finding(rest)
    row = evidence.estimates().row(by_predicate=pl.col("id") == rest, named=True)
    numbers = (row[name] for name in ("estimate", "low", "high", "time_weeks"))
    return (finding, source, *(float(one) for one in numbers if one is not None))


def _condition(_: str, rest: str, __: Story) -> Found:
    name, _, column = rest.partition("/")
    return (float(getattr(catalog.conditions()[name], column)),)


def _analysis(_: str, rest: str, story: Story) -> Found:
    name, _, key = rest.partition("/")
    rows = story.analyses[name].filter(pl.col("key") == key)
    if rows.is_empty():
        return _nowhere(f"analysis:{rest}")
    return tuple(float(one) for one in rows.row(0)[1:] if one is not None)


def _provenance(_: str, rest: str, story: Story) -> Found:
    value: Any = story.provenance
    for key in rest.split("/"):
        value = value[int(key)] if isinstance(value, list) else value[key]
    return _plain(value)


_AT: Final = {
    "text": lambda *_: (),
    "assumption": lambda *_: (),
    "run": _run,
    "scenario": _scenario,
    "evidence": _evidence,
    "source": lambda _, rest, __: (evidence.citation(rest),),
    "parameter": _parameter,
    "treatment": lambda _, rest, __: (catalog.treatments()[rest].known,),
    "condition": _condition,
    "analysis": _analysis,
    "validity": lambda _, rest, __: (float(validity()[rest]) if validity()[rest].isdigit() else validity()[rest],),
    "provenance": _provenance,
}


def untraced(pages: Iterable[Page], story: Story) -> dict[str, list[str]]:
    """Figures that no trace explains, by the sentence they stand in; empty if every one is explained."""
    return {said.text: left for page in pages for said in sentences(page) if (left := unexplained(said, story))}
