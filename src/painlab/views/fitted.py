"""Charts of fits to data: courses, interruptions, forecasts, survival, and estimates with their intervals.

Series differ in color, in dash and in the label at their end; observed figures are points, fitted ones lines, intervals shaded.
"""

from typing import Any, Final, cast

import altair as alt
import polars as pl

from painlab.analysis.fit import Fit
from painlab.errors import InputError
from painlab.views.appearance import theme, type_size
from painlab.views.live_chart import LiveChart

# Okabe and Ito's, in an order in which neighbors differ most; each also has its own dash, and its name at the end of the line.
COLORS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
DASHES: Final = ([1, 0], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [12, 4])
_GRAY, _BLUE, _WIDTH, _HEIGHT = "#6b6b6b", "#0072B2", 620, 320
_DAY: Final = 86_400_000.0  # milliseconds


def chart(fit: Fit, *, dark: bool = False, large: bool = False) -> alt.LayerChart | alt.FacetChart:
    """Draw a fit in the form that its `kind` says; without anything predicted, its estimates with their intervals.

    Raises InputError if it is no fit.
    """
    if not isinstance(fit, Fit):
        raise InputError(f"a {type(fit).__name__} is no fit", expected="what a function of painlab.analysis that fits returns")
    drawn = terms(fit, large=large) if fit.predicted.is_empty() or fit.kind == "terms" else _lines(fit, large)
    subtitle = [_LEGEND["terms" if fit.predicted.is_empty() else fit.kind]]
    if fit.kind in ("course", "change", "interrupted", "forecast") and not fit.predicted.is_empty():
        subtitle.append("The vertical axis need not start at zero")
    title = alt.TitleParams(fit.title, subtitle=subtitle)
    description = f"{fit.title}. {fit.sentence}"
    return drawn.properties(title=title, description=description).configure(**theme(dark, large))


def terms(fit: Fit, *, large: bool = False) -> alt.LayerChart | alt.FacetChart:
    """Estimates as points with their 95 % intervals, one row each, by unit; the figures stand beside them."""
    rows = fit.estimates.with_columns(
        said=pl.format("{} ({} to {})", *(pl.col(name).round_sig_figs(3) for name in ("estimate", "low", "high")))
    )
    return _intervals(rows, large)


def show(fit: Fit) -> LiveChart:
    """The chart in a notebook, drawn without a network; screen readers get the sentence."""
    return LiveChart(chart(fit), description=f"Chart: {fit.title}", summary=fit.sentence)


_LEGEND: Final = {
    "course": "Points: observed means. Lines: fitted. Shaded: 95 % interval of the mean",
    "change": "Points: observed means. Lines: the first arm's mean plus the difference at equal baselines, with its 95 % interval",
    "interrupted": "Points: observed. Gray line: fitted. Blue dashed: without the change, with its 95 % interval",
    "forecast": "Points: observed. Blue: forecast, with its 80 % (darker) and 95 % interval",
    "survival": "Steps: share still going on. Shaded: 95 % interval",
    "terms": "Points: estimates. Lines: 95 % intervals",
}


def _lines(fit: Fit, large: bool) -> alt.LayerChart:
    rows = _placed(fit)
    names = rows["series"].unique(maintain_order=True).to_list()
    size = type_size(large)
    x = _x(fit, rows)
    y = alt.Y("value:Q", title=fit.y_title, scale=alt.Scale(zero=fit.kind == "survival", nice=True), axis=alt.Axis(tickCount=5))
    scale = alt.Scale(domain=names, range=_colors(fit.kind, names))
    color = alt.Color("series:N", scale=scale, legend=None)
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=_dashes(fit.kind, names)), legend=None)
    step: Any = "step-after" if fit.kind == "survival" else "linear"
    layers: list[Any] = []
    band = rows.filter(pl.col("low").is_not_null())
    if band.height:
        layers.append(
            alt.Chart(_data(band))
            .mark_area(opacity=0.18, interpolate=step)
            .encode(x=x, y=y.copy(deep=False), y2="high:Q", color=color)
            .transform_calculate(value="datum.low")
        )
    line = rows.filter(pl.col("predicted").is_not_null())
    layers.append(
        alt.Chart(_data(line))
        .mark_line(strokeWidth=2.5, interpolate=step)
        .encode(x=x, y=y, color=color, strokeDash=dash)
        .transform_calculate(value="datum.predicted")
    )
    seen = rows.filter(pl.col("observed").is_not_null())
    if seen.height:
        tips = [alt.Tooltip("series:N"), alt.Tooltip("when:N", title=fit.x_title), alt.Tooltip("observed:Q", format=",.4~g")]
        layers.append(
            alt.Chart(_data(seen))
            .mark_point(filled=True, size=34, opacity=0.9, strokeWidth=0)
            .encode(x=x, y=y, color=color, tooltip=tips)
            .transform_calculate(value="datum.observed")
        )
    if fit.kind == "interrupted":
        start = line.filter(pl.col("series") != "observed").head(1)
        layers.append(alt.Chart(_data(start)).mark_rule(strokeDash=[3, 3], color=_GRAY).encode(x=x))
    shown = [name for name in names if name != "forecast, 80 %"]
    if len(shown) > 1:
        named = line.filter(pl.col("series").is_in(shown))
        if fit.kind == "survival":  # where curves lie apart, not at the end, where they meet
            named = named.filter(pl.col("place") <= 0.25 * cast(float, line["place"].max()))
        ends = named.group_by("series", maintain_order=True).last()
        if fit.kind == "forecast":
            ends = ends.filter(pl.col("series") == "forecast")
        layers.append(
            alt.Chart(_data(ends))
            .mark_text(align="left", baseline="middle", dx=7, dy=-10 if fit.kind == "survival" else 0, fontSize=size, fontWeight="bold")
            .encode(x=x, y=y, text="series:N", color=color)
            .transform_calculate(value="datum.predicted")
        )
    return cast(alt.LayerChart, alt.layer(*layers).properties(width=_WIDTH, height=_HEIGHT))


def _intervals(rows: pl.DataFrame, large: bool) -> alt.LayerChart | alt.FacetChart:
    size = type_size(large)
    units = rows["unit"].unique(maintain_order=True).to_list()
    data = _data(rows)
    y = alt.Y("term:N", sort=rows["term"].to_list(), title=None, axis=alt.Axis(labelLimit=420, labelFontSize=size - 1))
    base = alt.Chart(data)
    x = alt.X("low:Q", title=units[0] if len(units) == 1 else "", scale=alt.Scale(zero=False, nice=True))
    none = 1.0 if all(one.startswith("times") for one in units) else 0.0
    layers = [
        alt.Chart(alt.InlineData(values=[{"none": none}])).mark_rule(strokeDash=[5, 4], color=_GRAY).encode(x="none:Q"),
        base.mark_rule(strokeWidth=2.5, color=_BLUE).encode(x=x, x2="high:Q", y=y),
        base.mark_point(filled=True, size=80, opacity=1, color=_BLUE).encode(x="estimate:Q", y=y),
        base.mark_text(align="left", baseline="bottom", dy=-5, fontSize=size - 1, color=_GRAY).encode(x="estimate:Q", y=y, text="said:N"),
    ]
    one = alt.layer(*layers).properties(width=_WIDTH - 80)
    if len(units) == 1:
        return cast(alt.LayerChart, one.properties(height=34 * rows.height))
    # Each unit has an axis of its own: percent and points do not share one.
    header = alt.Header(labelFontSize=size, labelAnchor="start", labelOrient="top", title=None)
    layered = alt.layer(*layers[1:], data=data).properties(width=_WIDTH - 80, height=alt.Step(34))
    facet = layered.facet(row=alt.Row("unit:N", sort=units, header=header))
    return cast(alt.FacetChart, facet.resolve_scale(x="independent", y="independent"))


def _placed(fit: Fit) -> pl.DataFrame:
    """What is predicted, with its place along the axis (milliseconds where it is a date) and a word for it."""
    rows = fit.predicted.sort("series", "x", maintain_order=True) if fit.kind == "survival" else fit.predicted
    if fit.dated:
        when = pl.from_epoch(pl.col("x").cast(pl.Int64), "d")
        return rows.with_columns(place=pl.col("x") * _DAY, when=when.dt.strftime("%Y-%m-%d"))
    return rows.with_columns(place="x", when=pl.col("x").cast(pl.String))


def _x(fit: Fit, rows: pl.DataFrame) -> alt.X:
    low, high = cast(float, rows["place"].min()), cast(float, rows["place"].max())
    room = 0.0 if fit.kind == "survival" or rows["series"].n_unique() == 1 else 0.2 * (high - low)  # for the names at the ends of the lines
    scale = alt.Scale(domain=[low, high + room], nice=False, type="utc" if fit.dated else "linear")
    axis = alt.Axis(tickCount=6, format="%Y-%m" if fit.dated else ",~f")
    return alt.X("place:T" if fit.dated else "place:Q", title=fit.x_title, scale=scale, axis=axis)


def _colors(kind: str, names: list[str]) -> list[str]:
    if kind in ("interrupted", "forecast"):
        return [_GRAY if name == "observed" else _BLUE for name in names]
    return [COLORS[n % len(COLORS)] for n in range(len(names))]


def _dashes(kind: str, names: list[str]) -> list[list[int]]:
    if kind in ("interrupted", "forecast"):
        return [[1, 0] if name in ("observed", "forecast", "forecast, 80 %") else [7, 4] for name in names]
    return [list(DASHES[n % len(DASHES)]) for n in range(len(names))]


def _data(frame: pl.DataFrame) -> alt.InlineData:
    return alt.InlineData(values=frame.to_dicts())
