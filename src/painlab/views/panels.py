"""What a chart looks like, without its numbers: small charts of one outcome each, specified once and fed later.

Every panel draws the named dataset "weekly" (columns of `Projection.weekly`). The baseline is gray, the scenario blue.
"""

import textwrap
from collections.abc import Sequence
from typing import Any, Final, cast

import altair as alt

from painlab.errors import InputError
from painlab.outcomes import BY_NAME, Outcome
from painlab.tables import nearest
from painlab.views.appearance import theme, type_size

DATASET: Final = "weekly"
PINS: Final = "pins"
# Okabe and Ito's vermilion, green and purple; dashes and letters say it again.
PIN_COLORS: Final = {"A": "#D55E00", "B": "#009E73", "C": "#CC79A7"}
LABELS: Final = ("usual care", "this plan")
BESIDE_DEMAND: Final = ("mme_per_1000", "pain", "function")

_ARMS: Final = ("baseline", "scenario")
_LONGEST: Final = "+10,000"  # figure of a difference
_HEADROOM: Final = {"baseline": 1.15, "baseline_high": 1.15, "scenario": 1, "scenario_high": 1}
_FULL_SCALE: Final = {"pain": 10, "activity": 100, "strength": 100, "function": 100}


def panel(
    outcomes: Sequence[str],
    *,
    weeks: int = 104,
    title: str = "",
    subtitle: str = "",
    labels: tuple[str, str] = LABELS,
    dark: bool = False,
    large: bool = False,
    width: int | None = None,
    height: int | None = None,
    columns: int = 3,
    pins: bool = False,
) -> alt.ConcatChart:
    """One small chart for each outcome: baseline and scenario with their bands. Holds no numbers (see `charts.with_data`).

    Parameters
    ----------
    outcomes
        Names of outcomes in `painlab.outcomes`, drawn in this order, `columns` to a row.
    weeks
        Horizon, the right end of the time axis, in weeks.
    title, subtitle
        The finding in words, and a quieter line beneath it.
    labels
        What is written at the end of the baseline's line and of the scenario's; an empty label is left out.
    dark, large
        For a dark page; for a projector.
    width, height
        Of each small chart in pixels.
    pins
        Draw other plans too, from the dataset "pins": columns week, outcome, pin (A, B or C), scenario and difference.

    Raises InputError for an unknown outcome or a horizon below one week.
    """
    names = known(outcomes)
    size = _size(width, height, large)
    cells = [arms(name, weeks, labels, *size, large, pins=pins) for name in names]
    return _grid(cells, names, columns, room_at_right(labels, large), size[0], title, subtitle, dark, large)


def difference_panel(
    outcomes: Sequence[str],
    *,
    weeks: int = 104,
    title: str = "",
    subtitle: str = "",
    dark: bool = False,
    large: bool = False,
    width: int | None = None,
    height: int | None = None,
    columns: int = 3,
    pins: bool = False,
) -> alt.ConcatChart:
    """One small chart for each outcome: scenario minus baseline of the same patients, its band, and a line at zero.

    Parameters and errors are those of `panel`.
    """
    names = known(outcomes)
    size = _size(width, height, large)
    cells = [_difference(BY_NAME[name], weeks, *size, large, pins=pins) for name in names]
    return _grid(cells, names, columns, room_at_right((_LONGEST,), large), size[0], title, subtitle, dark, large)


def levels_and_differences(
    outcomes: Sequence[str],
    *,
    weeks: int = 104,
    title: str = "",
    subtitle: str = "",
    labels: tuple[str, str] = LABELS,
    dark: bool = False,
    large: bool = False,
) -> alt.ConcatChart:
    """A row of both arms, one small chart for each outcome, and under each its paired difference. Holds no numbers.

    Parameters and errors are those of `panel`.
    """
    names = known(outcomes)
    size = _size(None, None, large)
    cells = [arms(name, weeks, labels, *size, large) for name in names]
    cells += [_difference(BY_NAME[name], weeks, *size, large) for name in names]
    gap = room_at_right((*labels, _LONGEST), large)
    return _grid(cells, names, len(names), gap, size[0], title, subtitle, dark, large)


def dashboard(
    *,
    weeks: int = 104,
    title: str = "",
    subtitle: str = "",
    labels: tuple[str, str] = LABELS,
    dark: bool = False,
    large: bool = False,
    width: int | None = None,
    height: int | None = None,
) -> alt.ConcatChart:
    """Opioid demand, pain and function next to one another: the view of a live explorer. Holds no numbers.

    Parameters and errors are those of `panel`.
    """
    return panel(
        BESIDE_DEMAND, weeks=weeks, title=title, subtitle=subtitle, labels=labels, dark=dark, large=large, width=width, height=height
    )


def known(names: Sequence[str]) -> tuple[str, ...]:
    """The names, if there are any and all are outcomes; otherwise InputError with the nearest right one."""
    if not names:
        raise InputError("no outcome to draw", where="chart", expected="at least one outcome")
    for name in names:
        if name not in BY_NAME:
            raise InputError(f'unknown outcome "{name}"{nearest(name, BY_NAME)}', where="chart", expected=f"one of {', '.join(BY_NAME)}")
    return tuple(names)


def arms(name: str, weeks: int, labels: tuple[str, str], width: int, height: int, large: bool, *, pins: bool = False) -> alt.LayerChart:
    """Baseline and scenario of one outcome over `weeks`: bands, lines, and the labels at their right ends; sizes in pixels."""
    outcome = BY_NAME[name]
    full = _FULL_SCALE.get(name)
    scale = alt.Scale(domain=[0, full], nice=False) if full else alt.Scale(zero=True, nice=False)
    x = week_axis(weeks)

    def y(field: str) -> alt.Y:
        return _height(field, scale, height)

    lines = [
        alt.Chart(transform=[{"filter": f"isValid(datum.{arm})"}])
        .mark_line(style=f"{arm}-line", clip=True, description=f"{outcome.label}, {label or 'mean patient'}, {outcome.unit}")
        .encode(x=x, y=y(arm))
        for arm, label in zip(_ARMS, labels, strict=True)
    ]
    end = [{"filter": "datum.week == datum.last_week"}]
    words = [
        alt.Chart(transform=end).mark_text(style=f"{arm}-label", text=label, aria=False).encode(x=x, y=y(f"{arm}_label"))
        for arm, label in zip(_ARMS, labels, strict=True)
        if label
    ]
    # An unseen point holds the top of the scale at a round number, so that the axis stays still while a lever moves.
    top = alt.Chart(transform=end).mark_point(opacity=0, aria=False).encode(x=x, y=y("top"))
    bands = [_band(arm).encode(x=x, y=y(f"{arm}_low"), y2=f"{arm}_high") for arm in _ARMS]
    others = _pinned(outcome, x, y("scenario"), "scenario") if pins else []
    return _cell(
        [*bands, *others, *lines, *words, top], outcome, _label_places(outcome, full, type_size(large) / height), "", width, height
    )


def room_at_right(labels: Sequence[str], large: bool) -> int:
    """Pixels between two charts in a row: the longest label of the left one and the axis of the right one."""
    size = type_size(large)
    return int(size * (0.48 * max(len(label) for label in labels) + 4) + 14)


def room_below(large: bool) -> int:
    """Pixels between two rows of charts: the time axis of the upper one and the heading of the lower one."""
    return int(6.6 * type_size(large))


def dress(chart: Any, names: Sequence[str], title: str, subtitle: str, width: int, dark: bool, large: bool) -> Any:
    """Give a chart its title (wrapped to `width` pixels), colors and type, and note in `usermeta` what it draws and how large."""
    size = type_size(large) + (8 if large else 4)
    room = max(20, int(width / (0.52 * size)))
    if title or subtitle:
        lines = textwrap.wrap(title, room) or [""]
        chart = chart.properties(title=alt.Title(text=lines, subtitle=subtitle or alt.Undefined, fontSize=size, frame="bounds", offset=16))
    return chart.properties(
        config=alt.Config.from_dict(theme(dark, large), validate=False),
        usermeta={"painlab": {"outcomes": list(names), "large": large, "title_characters": room}},
        description=f"{title or 'Projection'}: {', '.join(BY_NAME[name].label.lower() for name in names)} over time.",
    )


def _difference(outcome: Outcome, weeks: int, width: int, height: int, large: bool, *, pins: bool = False) -> alt.LayerChart:
    """Scenario minus baseline of one outcome, its band, the zero line, and the last difference in figures."""
    ticks = _ticks(height)
    scale = alt.Scale(zero=True, nice=ticks)
    x, mean = week_axis(weeks), _height("difference", scale, height)
    last: list[dict[str, Any]] = [
        {"joinaggregate": [{"op": "max", "field": "week", "as": "last_week"}]},
        {"filter": "datum.week == datum.last_week"},
        # Rounded first: a difference that rounds to nothing has no sign.
        {"calculate": f"round(datum.difference * 1e{outcome.digits}) / 1e{outcome.digits} || 0", "as": "rounded"},
        {"calculate": f"format(datum.rounded, datum.rounded ? '+,.{outcome.digits}f' : '.0f')", "as": "figure"},
    ]
    once: list[dict[str, Any]] = [{"aggregate": [{"op": "count", "as": "weeks"}], "groupby": []}]
    layers = [
        _band("scenario", "difference").encode(x=x, y=_height("difference_low", scale, height), y2="difference_high"),
        alt.Chart(transform=once).mark_rule(style="zero-line", aria=False).encode(y=alt.YDatum(0)),
        alt.Chart()
        .mark_line(style="scenario-line", clip=True, description=f"{outcome.label}, difference from the baseline, {outcome.unit}")
        .encode(x=x, y=mean),
        alt.Chart(transform=last).mark_text(style="scenario-label", aria=False).encode(x=x, y=mean, text="figure:N"),
        # An unseen point keeps room for the longest figure: a picture that is fed does not grow with its figures.
        alt.Chart(transform=last)
        .mark_point(opacity=0, size=1, xOffset=0.6 * type_size(large) * len(_LONGEST), aria=False)
        .encode(x=x, y=mean),
    ]
    others = _pinned(outcome, x, mean, "difference") if pins else []
    return _cell([*others, *layers], outcome, [], "difference, ", width, height)


def _pinned(outcome: Outcome, x: alt.X, y: alt.Y, column: str) -> list[alt.Chart]:
    """Lines of other plans, each with its own color, dashes and letter."""
    mine = alt.NamedData(PINS)
    only = {"filter": f"datum.outcome == '{outcome.name}'"}
    color = alt.Color("pin:N", legend=None, scale=alt.Scale(domain=list(PIN_COLORS), range=list(PIN_COLORS.values())))
    dashes = alt.StrokeDash("pin:N", legend=None, scale=alt.Scale(domain=list(PIN_COLORS), range=[[8, 4], [3, 3], [12, 3, 3, 3]]))
    ends: list[dict[str, Any]] = [
        only,
        {"joinaggregate": [{"op": "max", "field": "week", "as": "last_week"}]},
        {"filter": "datum.week == floor(0.9 * datum.last_week)"},  # the line's end has the figure of the plan that levers move
    ]
    line = alt.Chart(mine, transform=[only]).mark_line(clip=True, strokeWidth=2.5, description=f"{outcome.label}, pinned plans")
    letter = alt.Chart(mine, transform=ends).mark_text(dy=-9, fontSize=14, fontWeight="bold", aria=False)
    return [line.encode(x=x, y=y, color=color, strokeDash=dashes), letter.encode(x=x, y=y, color=color, text="pin:N")]


def _band(arm: str, columns: str = "") -> alt.Chart:
    low, high = (f"isValid(datum.{columns or arm}_{end})" for end in ("low", "high"))
    return alt.Chart(transform=[{"filter": f"{low} && {high}"}]).mark_area(style=f"{arm}-band", clip=True, aria=False)


def _label_places(outcome: Outcome, full: int | None, type_share: float) -> list[dict[str, Any]]:
    """Transforms that find the top of the scale and the heights of the two labels, kept a line of type apart.

    `full` is the top of a scale that is always shown whole; `type_share` the size of type as a share of the chart's height.
    """
    aggregates = [{"op": "max", "field": field, "as": f"most_{field}"} for field in _HEADROOM]
    gap = f"datum.top * {1.15 * type_share:.4f}"
    formulas = {
        "most": "max(" + ", ".join(f"{room} * (datum.most_{field} || 0)" for field, room in _HEADROOM.items()) + ")",
        "power": "datum.most > 0 ? pow(10, floor(log(datum.most) / LN10)) : 1",
        "top": str(full) if full else _round_top(outcome),
        "middle": "isValid(datum.baseline) ? (datum.baseline + datum.scenario) / 2 : datum.scenario",
        "half": f"isValid(datum.baseline) ? max(abs(datum.baseline - datum.scenario), {gap}) / 2 : 0",
        # no higher than the axis's own highest number: beyond it the heading would give way
        "lower": f"max(min(datum.middle - datum.half, datum.top - 2 * datum.half), 0.4 * {gap})",
        "upper": "datum.lower + 2 * datum.half",
        "baseline_label": "datum.baseline >= datum.scenario ? datum.upper : datum.lower",
        "scenario_label": "datum.baseline >= datum.scenario ? datum.lower : datum.upper",
    }
    return [
        {"joinaggregate": [{"op": "max", "field": "week", "as": "last_week"}, *aggregates]},
        *({"calculate": formula, "as": name} for name, formula in formulas.items()),
    ]


def _round_top(outcome: Outcome) -> str:
    """Expression for the next round number at or above `datum.most`; a share stops at 100%."""
    share = "datum.most / datum.power"
    steps = " : ".join(f"{share} <= {step} ? {step}" for step in (1, 1.2, 2, 3, 4, 5, 6, 8))
    top = f"datum.most > 0 ? datum.power * ({steps} : 10) : 1"
    return f"min(100, {top})" if outcome.unit == "%" else top


def _cell(
    layers: list[alt.Chart], outcome: Outcome, transform: list[dict[str, Any]], before: str, width: int, height: int
) -> alt.LayerChart:
    better = "" if outcome.better == "neither" else f", {outcome.better} is better"
    chart = alt.layer(*layers).properties(
        transform=[{"filter": f"datum.outcome == '{outcome.name}'"}, *transform],
        title=alt.Title(text=outcome.label, subtitle=f"{before}{outcome.unit}{better}"),
        width=width,
        height=height,
    )
    return cast(alt.LayerChart, chart)


def _grid(
    cells: list[alt.LayerChart],
    names: Sequence[str],
    columns: int,
    gap: int,
    width: int,
    title: str,
    subtitle: str,
    dark: bool,
    large: bool,
) -> alt.ConcatChart:
    # Flush bounds keep every chart in its place when the numbers on an axis grow longer.
    chart = alt.concat(
        *cells, columns=columns, data=alt.NamedData(DATASET), bounds="flush", spacing=alt.RowColnumber(row=room_below(large), column=gap)
    )
    across = min(columns, len(cells))
    return cast(alt.ConcatChart, dress(chart, names, title, subtitle, across * (width + gap), dark, large))


def week_axis(weeks: int) -> alt.X:
    """Time axis in weeks, or in months and years when the horizon is longer than half a year."""
    if weeks < 1:
        raise InputError(f"the horizon is {weeks} weeks", where="chart", expected="1 or more")
    if weeks <= 26:
        step, words = (1 if weeks <= 4 else 2 if weeks <= 8 else 4), "datum.value + ' wk'"
    else:
        step = 13 if weeks <= 52 else 26 if weeks <= 156 else 52
        words = "datum.value == 0 ? '0' : datum.value % 52 == 0 ? datum.value / 52 + ' yr' : datum.value * 3 / 13 + ' mo'"
    axis = alt.Axis(values=list(range(0, weeks + 1, step)), labelExpr=words, labelOverlap=True, labelSeparation=10)
    return alt.X("week:Q", title=None, axis=axis, scale=alt.Scale(domain=[0, weeks], nice=False))


def _height(field: str, scale: alt.Scale, height: int) -> alt.Y:
    return alt.Y(f"{field}:Q", title=None, scale=scale, axis=alt.Axis(tickCount=_ticks(height), minExtent=48))


def _ticks(height: int) -> int:
    return 4 if height < 180 else 5


def _size(width: int | None, height: int | None, large: bool) -> tuple[int, int]:
    return width or (260 if large else 240), height or (230 if large else 200)
