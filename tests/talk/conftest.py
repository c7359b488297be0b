"""Talks made by hand, small and without a model, for tests of what draws a talk."""

from dataclasses import replace
from typing import Any

import pytest

from painlab.scenario import Scenario
from painlab.talk.story import Figure, LeverAxis, LiveGrid, Native, Page, Said, Series, Story, Table

WEEKS = (0, 4, 8)
HOSTILE = '<script>alert("x")</script> & "quotes" \'single\' =1+1 </style> 😀🇳🇴 مرحبا بالعالم שלום \\u003c {{x}} '
LONG = (HOSTILE + "and so on, ") * 6


def _spec(dark: bool) -> dict[str, Any]:
    values = [
        {"week": week, "arm": arm, "value": 100 - week * (2 if arm == "Plan" else 1)} for week in WEEKS for arm in ("Baseline", "Plan")
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": "Opioid demand by week, baseline and plan",
        "background": "#111111" if dark else "#ffffff",
        "width": 400,
        "height": 220,
        "data": {"values": values},
        "mark": {"type": "line", "strokeWidth": 3},
        "encoding": {
            "x": {"field": "week", "type": "quantitative"},
            "y": {"field": "value", "type": "quantitative"},
            "strokeDash": {"field": "arm", "type": "nominal"},
        },
    }


def _figure(name: str, native: Native | None = None) -> Figure:
    return Figure(
        name, _spec(False), _spec(True), "Opioid demand falls from 100 to 84 with the plan.", "PainLab 0.0, code X, seed 1.", native
    )


def _grid() -> LiveGrid:
    levers = (
        LeverAxis("physical_therapy.start_week", "Therapy starts", "week", (0.0, 2.0, 8.0), ("at once", "week 2", "week 8"), 1),
        LeverAxis("prescribing.opioid_start", "Opioids at the first visit", "%", (5.0, 20.0, 40.0), ("few", "some", "many"), 2),
    )
    outcomes = []
    for name, label, unit, digits, better in (
        ("mme_per_1000", "Opioid demand", "MME/day per 1,000", 0, -1),
        ("pain", "Pain", "0-10", 1, -1),
        ("function", "Function", "0-100", 0, 1),
    ):
        baseline = tuple(tuple(10.0 + week for week in WEEKS) for _ in range(9))
        difference = tuple(tuple(-place * week / 10.0 for week in WEEKS) for place in range(9))
        scenario = tuple(tuple(b + d for b, d in zip(*both, strict=True)) for both in zip(baseline, difference, strict=True))
        low = tuple(tuple(one - 1.0 for one in row) for row in difference)
        high = tuple(tuple(one + 1.0 for one in row) for row in difference)
        outcomes.append(Series(name, label, unit, digits, better, baseline, scenario, difference, low, high))
    headlines = tuple(f"Over 8 weeks: combination {place}" for place in range(9))
    return LiveGrid(levers, WEEKS, tuple(outcomes), headlines, "PainLab 0.0, made by hand.")


def _story(title: str, words: str, scenario: Scenario) -> Story:
    said = (Said(words, "text"), Said("Demand is 84 MME a day.", "run:mme_per_1000/week 8/scenario"))
    native = Native(
        "line",
        "Opioid demand",
        tuple(str(week) for week in WEEKS),
        (
            ("Baseline", (100.0, 96.0, 92.0)),
            ("Plan", (100.0, 92.0, 84.0)),
            ("Plan (low)", (100.0, 90.0, 80.0)),
            ("Plan (high)", (100.0, None, 88.0)),
        ),
        "MME/day per 1,000",
    )
    bars = Native("bar", "What earned it", ("Therapy", "Opioids"), (("Share", (12.0, -3.0)),), "MME/day")
    table = Table(("What", "Baseline", "Plan"), (("Therapy", "none", words), ("Opioids", "20 %", "5 %")), "Made by hand.")
    every: dict[str, Any] = {"notes": f"Say this. {words}", "sources": ("Hayden 2021, Cochrane Database Syst Rev",)}
    pages = (
        Page("title", "title", title, (Said("What the model says", "text"),), **every),
        Page("question", "words", title, said, **every),
        Page("cycle", "figure", title, said, _figure("cycle"), **every),
        Page("care", "table", title, said, table=table, **every),
        Page("demand", "figure", title, said, _figure("demand", native), **every),
        Page("live", "live", title, said, _figure("live", native), live=_grid(), **every),
        Page("earned", "figure", title, said, _figure("earned", bars), **every),
        Page("limits", "words", title, said, **every),
        Page("appendix-parameters", "appendix", title, (), table=replace(table, rows=table.rows * 12), **every),
        Page("appendix-provenance", "appendix", title, said, table=table, **every),
    )
    provenance = {
        "painlab": "0.0",
        "title": title,
        "audience": "clinicians",
        "minutes": 15,
        "evidence_date": "2026-11-27",
        "runs": [
            {
                "scenario": scenario.name,
                "code": scenario.code(),
                "seed": 1,
                "patients_per_draw": 20,
                "draws": 2,
                "weeks": 8,
                "parameters_kind": "posterior",
                "links_cut": [],
                "scenario_sha256": scenario.fingerprint(),
            }
        ],
    }
    return Story(title, "clinicians", 15, pages, provenance, (scenario,), ())


@pytest.fixture(scope="session")
def story() -> Story:
    """A talk with a page of every kind."""
    return _story("Early physical therapy lowers opioid demand", "Therapy starts in week 2.", Scenario.load("early-pt"))


@pytest.fixture(scope="session")
def hostile_story() -> Story:
    """The same talk with markup, quotes, emoji, right-to-left script and a title of 500 characters."""
    return _story(LONG[:500], HOSTILE, Scenario.load("early-pt"))
