"""Response curves of a mechanism: what a curve and a number for a reviewer are, how they are swept, and how a curve is drawn.

A typical person is the mean of `population.Population`. A band holds `LEVEL` of `DRAWS` parameter draws. No drawing depends on the
widths of a machine's fonts, so that the same values give the same bytes.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np
import vl_convert

from painlab import catalog, evidence, population, posterior
from painlab.parameters import Parameters, scalars
from painlab.projection import LEVEL
from painlab.views.appearance import theme, type_size

Values = Mapping[str, float]
At = Callable[[Values], list[float]]
Rows = list[dict[str, Any]]

DRAWS: Final = 100
PERSON: Final = population.mix(population.Population(condition="low_back_pain_persistent"))
"""The typical person's traits."""

_WIDTH, _HEIGHT = 460, 240
_ROOM: Final = {"left": 64, "right": 176, "top": 44, "bottom": 60}  # 700 px with the curve
_STYLES: Final = ("scenario", "baseline", "third")


class Line(NamedTuple):
    """A response curve: its label, and its heights at the curve's places under a set of parameter values."""

    label: str
    at: At


class Figure(NamedTuple):
    """A published figure on a chart: evidence id, place, and how its unit becomes the chart's (offset + factor times estimate)."""

    evidence: str
    x: float
    factor: float = 1.0
    offset: float = 0.0


class Curve(NamedTuple):
    """A chart: places x, axes with units, range of heights, lines (at most three), published figures."""

    title: str
    x: tuple[float, ...]
    x_title: str
    y_title: str
    low: float
    high: float
    lines: tuple[Line, ...]
    published: tuple[Figure, ...] = ()


class Answer(NamedTuple):
    """One number of the model for a reviewer: what it is, unit, decimals, and how it follows from a set of parameter values."""

    what: str
    unit: str
    digits: int
    of: Callable[[Values], float]

    def words(self, values: Values) -> str:
        """The number and unit under a set of values, and in brackets its range over the parameter draws."""
        low, high = _range(self.of)
        return f"{self.number(values)} {self.unit} ({self._number(low)} to {self._number(high)})"

    def number(self, values: Values) -> str:
        """The number alone."""
        return self._number(self.of(values))

    def _number(self, value: float) -> str:
        rounded = round(float(value), self.digits) + 0.0  # no minus zero
        return f"{rounded:.{self.digits}f}"


_ENDS: Final = (0.5 - LEVEL / 2.0, 0.5 + LEVEL / 2.0)


@cache
def draws() -> tuple[Values, ...]:
    """The parameter draws of every band."""
    return tuple(posterior.values(draw, seed=1) for draw in range(DRAWS))


@cache
def _range(of: Callable[[Values], float]) -> tuple[float, float]:
    low, high = np.quantile([of(draw) for draw in draws()], _ENDS)
    return float(low), float(high)


@cache
def _band(at: At) -> tuple[list[float], list[float]]:
    low, high = np.quantile([at(draw) for draw in draws()], _ENDS, axis=0)
    return list(low), list(high)


def span(low: float, high: float, count: int) -> tuple[float, ...]:
    """`count` even places from low to high."""
    return tuple(float(x) for x in np.linspace(low, high, count))


YEAR: Final = span(0, 52, 53)
PAINS: Final = span(0, 10, 21)
DOSES: Final = span(0, 150, 31)


def sweep(places: tuple[float, ...], equation: Callable[[float, Parameters], float], factor: float = 1.0) -> At:
    """Heights of an equation of one quantity and the parameters at all places, times a factor."""

    def at(of: Values) -> list[float]:
        p = scalars(of)
        return [factor * equation(x, p) for x in places]

    return at


def of_parameters(equation: Callable[[Parameters], float], factor: float = 1.0) -> Callable[[Values], float]:
    """A number that follows from the scalar parameters, times a factor."""
    return lambda of: factor * equation(scalars(of))


def weekly(start: float, weeks: int, change: Callable[[float, int], float]) -> list[float]:
    """States of weeks 0 ... weeks under a change per week, given the state and the week."""
    states = [start]
    for week in range(weeks):
        states.append(states[-1] + change(states[-1], week))
    return states


def treatment_row(of: Values, treatment: str, condition: str) -> np.ndarray:
    """A treatment's row for a condition under a set of parameter values, shape (len(TreatmentField),)."""
    return catalog.treatments()[treatment].row(of, catalog.condition(condition, of).exercise_response)


def svg(curve: Curve, rows: Rows) -> str:
    """Draw a curve with its bands as SVG; nothing is fetched from a network."""
    drawn: str = vl_convert.vegalite_to_svg(specification(curve, rows), allowed_base_urls=[])
    ids = dict.fromkeys(re.findall(r'id="(clip\d+)"', drawn))  # counted through a process: number them within each picture
    places = {one: f"clip{place}" for place, one in enumerate(ids)}
    return re.sub(r"\bclip\d+\b", lambda match: places[match[0]], drawn)


def specification(curve: Curve, rows: Rows) -> dict[str, Any]:
    """The Vega-Lite specification of a curve, with its numbers."""
    import altair as alt

    x = alt.X("x:Q", title=curve.x_title, scale=alt.Scale(domain=[curve.x[0], curve.x[-1]], nice=False), axis=_axis(_ticks(curve.x), 30))
    scale = alt.Scale(domain=[curve.low, curve.high], nice=False, zero=False)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=curve.y_title, scale=scale, axis=_axis(5, 36))

    datasets: dict[str, Rows] = {}  # put in at the end: altair would copy and check each row several times
    heights = _label_heights(curve, rows)
    bands, lines = [], []
    for style, line in zip(_STYLES, curve.lines, strict=False):
        datasets[style] = [row for row in rows if row["line"] == line.label]
        datasets[f"{style} end"] = [{"x": curve.x[-1], "value": heights[line.label]}]
        data, end = alt.NamedData(style), alt.NamedData(f"{style} end")
        bands.append(alt.Chart(data).mark_area(style=f"{style}-band", clip=True).encode(x=x, y=y("low"), y2="high"))
        lines.append(alt.Chart(end).mark_text(style=f"{style}-label", text=line.label).encode(x=x, y=y("value")))
        lines.append(alt.Chart(data).mark_line(style=f"{style}-line", clip=True).encode(x=x, y=y("value")))
    layers = [*bands, *reversed(lines), *_figures(curve, rows, x, y, datasets)]
    chart = alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT, title=curve.title, padding=_ROOM)
    config = theme()
    del config["padding"]
    config["axis"] |= {"titleColor": config["axis"]["labelColor"], "titleFontSize": type_size(), "titleFontWeight": "normal"}
    third = {"color": "#A34700", "strokeWidth": 2.5, "strokeDash": [7, 4]}  # a brown that differs from blue and gray in lightness too
    config["style"] |= {
        "third-line": third,
        "third-band": {"color": third["color"], "fillOpacity": 0.12},
        "third-label": {**config["style"]["baseline-label"], "color": third["color"]},
        "published": {"color": "#222222", "size": 70, "filled": True, "shape": "diamond"},
        "published-range": {"color": "#222222", "strokeWidth": 1.5},
        "published-label": {"color": "#222222", "fontSize": 12, "align": "left", "baseline": "middle"},
    }
    # Axis labels take a fixed room and nothing fits itself to text, whose width differs among machines.
    autosize = alt.AutoSizeParams(type="none")
    chart = chart.properties(autosize=autosize, config=alt.Config.from_dict(config, validate=False))
    return {**chart.to_dict(validate=False), "datasets": datasets}


def described(curve: Curve, rows: Rows) -> str:
    """A curve in words, for those who cannot see it: each line's first and last value, and its extremes between them."""
    parts = []
    for line in curve.lines:
        own = [row["value"] for row in rows if row["line"] == line.label]
        between = f", at most {_said(max(own))}" if max(own) > max(own[0], own[-1]) else ""
        between += f", at least {_said(min(own))}" if min(own) < min(own[0], own[-1]) else ""
        parts.append(f"{line.label} from {_said(own[0])} to {_said(own[-1])}{between}")
    return f"{curve.title}. {curve.y_title} by {curve.x_title}: {'; '.join(parts)}."


def _said(value: float) -> str:
    return f"{round(value, 0 if abs(value) >= 10.0 else 1) + 0.0:g}"


def swept(curve: Curve, values: Values) -> Rows:
    """One row for each line and place: line, x, value, low, high; rounded to what can be seen."""
    rows: Rows = []
    for line in curve.lines:
        low, high = _band(line.at)
        for x, value, bottom, top in zip(curve.x, line.at(values), low, high, strict=True):
            rows.append({"line": line.label, "x": x, "value": _seen(value), "low": _seen(bottom), "high": _seen(top)})
    return rows


def _seen(value: float) -> float:
    return float(f"{float(value):.5g}") + 0.0


def _label_heights(curve: Curve, rows: Rows) -> dict[str, float]:
    """Heights of the lines' labels: at their ends, kept a line of type apart and inside the chart."""
    gap = 1.25 * type_size() / _HEIGHT * (curve.high - curve.low)
    ends = {row["line"]: min(max(row["value"], curve.low), curve.high) for row in rows if row["x"] == curve.x[-1]}
    order = sorted(ends, key=ends.__getitem__)
    for lower, upper in pairwise(order):
        ends[upper] = max(ends[upper], ends[lower] + gap)
    ends[order[-1]] = min(ends[order[-1]], curve.high)
    for upper, lower in pairwise(reversed(order)):
        ends[lower] = min(ends[lower], ends[upper] - gap)
    return {label: _seen(height) for label, height in ends.items()}


def _figures(curve: Curve, rows: Rows, x: Any, y: Callable[[str], Any], datasets: dict[str, Rows]) -> list[Any]:
    """Published figures as diamonds with their intervals and evidence ids; adds their rows to the datasets."""
    import altair as alt

    found = {row["id"]: row for row in evidence.estimates().iter_rows(named=True)}
    points: list[dict[str, Any]] = []
    for figure in curve.published:
        one = found[figure.evidence]
        at = {name: figure.offset + figure.factor * one[name] for name in ("estimate", "low", "high") if one[name] is not None}
        ends = sorted((at.get("low", at["estimate"]), at.get("high", at["estimate"])))
        points.append({"x": figure.x, "value": _seen(at["estimate"]), "low": _seen(ends[0]), "high": _seen(ends[1]), "id": figure.evidence})
    if not points:
        return []
    datasets["published"], data = points, alt.NamedData("published")
    layers: list[Any] = [
        alt.Chart(data).mark_rule(style="published-range").encode(x=x, y=y("low"), y2="high"),
        alt.Chart(data).mark_point(style="published").encode(x=x, y=y("value")),
    ]
    first = [row["value"] for row in rows if row["line"] == curve.lines[0].label]
    for point in points:  # beside an interval, otherwise on the side away from the first line; at the right end toward the middle
        beside = point["low"] < point["high"]
        away = 11 if point["value"] < np.interp(point["x"], curve.x, first) else -11
        mark: dict[str, Any] = {"dx": 8, "dy": 0} if beside else {"dx": 0, "dy": away}
        if point["x"] > 0.9 * curve.x[-1]:
            mark = {"align": "right", "dx": -8, "dy": -8}
        datasets[point["id"]] = [point]
        label = alt.Chart(alt.NamedData(point["id"])).mark_text(style="published-label", text=point["id"], **mark)
        layers.append(label.encode(x=x, y=y("value")))
    return layers


def _ticks(x: tuple[float, ...]) -> Any:
    return [0, 13, 26, 39, 52] if x[-1] == 52 else [0, 26, 52, 78, 104] if x[-1] == 104 else 6


def _axis(ticks: Any, room: int) -> Any:
    import altair as alt

    kept: dict[str, Any] = {"minExtent": room, "maxExtent": room, "labelOverlap": False, "labelBound": False, "labelFlush": False}
    return alt.Axis(values=ticks, **kept) if isinstance(ticks, list) else alt.Axis(tickCount=ticks, **kept)
