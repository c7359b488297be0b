"""Figures of a talk: lines over time with both arms, and dots with bands; for light and dark pages, and as office software draws them."""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from painlab.narrative import banded
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.projection import Projection
from painlab.talk.story import HIGH, LOW, Figure, Native
from painlab.views import charts, panels
from painlab.views.appearance import theme, type_size

Spec = dict[str, Any]
SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
CLEAR, UNCLEAR, WHOLE = "#0072B2", "#8a8a8a", "#D55E00"  # Okabe and Ito's; shapes say it again
CLEAR_DARK: Final = "#56B4E9"
KINDS: Final = ("clear", "not clear", "whole")
_POINTS: Final = 40  # of a line that office software draws
_ROW: Final = 46


class Dot(NamedTuple):
    """A row of a chart of dots: what, which outcome, its value and band, and whether it is told from zero."""

    label: str
    outcome: str
    value: float
    low: float | None
    high: float | None
    kind: str = "clear"


def both(name: str, make: Callable[[bool], Spec], alt: str, caption: str, native: Native | None = None) -> Figure:
    """A figure from what draws it on a light (False) or a dark page (True)."""
    light, dark = make(False), make(True)
    for one in (light, dark):
        one["description"] = alt
    return Figure(name, light, dark, alt, caption, native)


def over_time(projection: Projection, outcomes: Sequence[str], labels: tuple[str, str], *, dark: bool, size: tuple[int, int]) -> Spec:
    """Both arms of each outcome and, beside one or below several, the paired difference; size of each small chart in pixels."""
    width, height = size
    shared: Spec = {"weeks": projection.weeks, "dark": dark, "large": True, "width": width, "height": height}
    columns = 2 if len(outcomes) == 1 else len(outcomes)
    levels = panels.panel(outcomes, labels=labels, columns=columns, **shared).to_dict()
    differences = panels.difference_panel(outcomes, columns=columns, **shared).to_dict()
    levels["concat"] += differences["concat"]
    return filled(levels, projection)


def levels(projection: Projection, outcomes: Sequence[str], labels: tuple[str, str], *, dark: bool, size: tuple[int, int]) -> Spec:
    """Both arms of each outcome, side by side."""
    width, height = size
    chart = panels.panel(outcomes, weeks=projection.weeks, labels=labels, dark=dark, large=True, width=width, height=height)
    return filled(chart.to_dict(), projection)


def filled(spec: Spec, projection: Projection) -> Spec:
    """A chart without numbers, with those of a run, rounded to what can be seen."""
    rows = charts.rows(spec, projection.weekly)
    numbers = [name for name in rows.columns if rows[name].dtype.is_float()]
    spec["datasets"] = {panels.DATASET: rows.with_columns(pl.col(numbers).round_sig_figs(6)).to_dicts()}
    return spec


def native_lines(projection: Projection, outcome: str, labels: tuple[str, str]) -> Native:
    """Both arms of an outcome over the weeks, with the ends of their bands."""
    step = max(1, -(-projection.weeks // _POINTS))
    weeks = sorted({*range(0, projection.weeks + 1, step), projection.weeks})
    rows = projection.outcome(outcome).filter(pl.col("week").is_in(weeks))
    digits = BY_NAME[outcome].digits + 1
    series = []
    for arm, label in zip(("baseline", "scenario"), labels, strict=True):
        for column, end in ((arm, ""), (f"{arm}_low", LOW), (f"{arm}_high", HIGH)):
            if rows[column].null_count() == 0:
                series.append((label + end, tuple(round(float(one), digits) for one in rows[column])))
    title = f"{BY_NAME[outcome].label} by week"
    return Native("line", title, tuple(str(week) for week in weeks), tuple(series), spoken_unit(BY_NAME[outcome].unit))


def dots(rows: Sequence[Dot], outcomes: Sequence[str], *, dark: bool, what: str, width: int = 270) -> Spec:
    """Values with their bands, a panel for each outcome, and a line at zero. what: the words under each panel's title.

    Circles are told from zero, squares are not, diamonds stand for a whole.
    """
    size, style = type_size(True), theme(dark, True)
    order = list(dict.fromkeys(row.label for row in rows))
    colors = [CLEAR_DARK if dark else CLEAR, style["axis"]["labelColor"], WHOLE]
    domain = list(KINDS)
    color: Spec = {"field": "kind", "type": "nominal", "scale": {"domain": domain, "range": colors}, "legend": None}
    shape: Spec = {
        "field": "kind",
        "type": "nominal",
        "scale": {"domain": domain, "range": ["circle", "square", "diamond"]},
        "legend": None,
    }
    cells = []
    for place, name in enumerate(outcomes):
        outcome = BY_NAME[name]
        data = [_dot(row) for row in rows if row.outcome == name]
        axis: Spec = {"labels": place == 0, "ticks": False, "labelLimit": 420, "labelFontSize": size - 1, "title": None, "grid": True}
        y: Spec = {"field": "label", "type": "nominal", "sort": order, "axis": axis}
        x: Spec = {"field": "value", "type": "quantitative", "title": spoken_unit(outcome.unit), "axis": {"tickCount": 4}}
        ends: Spec = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": color}
        better = "" if outcome.better == "neither" else f"{outcome.better} is better"
        layers: list[Spec] = [
            {"mark": {"type": "rule", "style": "zero-line", "aria": False}, "encoding": {"x": {"datum": 0, "type": "quantitative"}}},
            {"transform": [{"filter": "isValid(datum.low)"}], "mark": {"type": "rule", "strokeWidth": 4}, "encoding": ends},
            {
                "mark": {"type": "point", "filled": True, "size": 190, "opacity": 1},
                "encoding": {"x": x, "y": y, "color": color, "shape": shape, "description": {"field": "words"}},
            },
        ]
        title = {"text": outcome.label, "subtitle": [what, better]}
        cells.append({"data": {"values": data}, "layer": layers, "width": width, "height": _ROW * len(order), "title": title})
    return {
        "$schema": SCHEMA,
        "config": style,
        "concat": cells,
        "columns": len(cells),
        "bounds": "flush",
        "spacing": {"column": 60},
        "usermeta": {"painlab": {"large": True}},
    }


def _dot(row: Dot) -> Spec:
    outcome = BY_NAME[row.outcome]
    words = f"{row.label}: {banded(row.value, row.low, row.high, outcome.digits)} {spoken_unit(outcome.unit)}, {row.kind}"
    numbers = {"value": row.value, "low": row.low, "high": row.high}
    return {"label": row.label, "kind": row.kind, "words": words} | {k: None if v is None else round(v, 6) for k, v in numbers.items()}


def native_bars(rows: Sequence[Dot], outcome: str, title: str) -> Native:
    """One outcome's dots as bars, with the ends of their bands."""
    mine = [row for row in rows if row.outcome == outcome]
    digits = BY_NAME[outcome].digits + 1
    series: list[tuple[str, tuple[float | None, ...]]] = [(title, tuple(round(row.value, digits) for row in mine))]
    if all(row.low is not None for row in mine):
        series.append((title + LOW, tuple(round(row.low or 0.0, digits) for row in mine)))
        series.append((title + HIGH, tuple(round(row.high or 0.0, digits) for row in mine)))
    return Native("bar", title, tuple(row.label for row in mine), tuple(series), spoken_unit(BY_NAME[outcome].unit))
