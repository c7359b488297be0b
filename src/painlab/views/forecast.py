"""Forecasts beside what happened: the course of a few groups with the 95 % interval, and how far each method was off.

Observed demand is gray, the forecast blue, as baseline and scenario are elsewhere; lines also differ in weight and label.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import altair as alt
import polars as pl

from painlab.errors import InputError
from painlab.forecasting import METHODS
from painlab.tables import nearest
from painlab.views.appearance import theme, type_size

_UNIT: Final = "MME/day per 1,000 people"
_FORECAST: Final = ("code", "month", "observed", "predicted", "low", "high", "method")
_SCORE: Final = ("groups", "method", "mase", "mase_10", "mase_90", "median_ape", "coverage")


def held_out(
    forecasts: pl.DataFrame,
    accuracy: pl.DataFrame,
    *,
    history: pl.DataFrame | None = None,
    codes: Sequence[str] = (),
    method: str = "ets",
    names: Mapping[str, str] | None = None,
    title: str = "",
    dark: bool = False,
    large: bool = False,
) -> alt.ConcatChart:
    """Forecast and observed demand of a few groups, and under them the accuracy of every method over all groups.

    Parameters
    ----------
    forecasts, accuracy
        Frames of `forecasting.one_step` (one or several methods) and `forecasting.accuracy`.
    history
        Frame of `forecasting.read_monthly`, to draw the two years before the first forecast as well.
    codes
        Groups to draw; without any, those with the lowest, middle and highest demand.
    method
        The method whose forecasts are drawn.
    names
        Names of groups by code; a code without one stands for itself.
    title
        The finding in words.
    dark, large
        For a dark page; for a projector.

    Raises InputError if a column is missing, or for a method or group that has no forecast.
    """
    _complete(forecasts, _FORECAST, "forecasts")
    _complete(accuracy, _SCORE, "accuracy")
    drawn = forecasts.filter(pl.col("method") == method)
    if drawn.is_empty():
        known = forecasts["method"].unique(maintain_order=True).to_list()
        raise InputError(f'no forecasts by method "{method}"{nearest(method, known)}', where="chart", expected=f"one of {', '.join(known)}")
    chosen = tuple(codes) or _lowest_middle_highest(drawn)
    for code in chosen:
        if code not in drawn["code"]:
            raise InputError(f'group "{code}" has no forecast', where="chart", expected="the code of a group that was forecast")
    width, gap = (270, 96) if large else (250, 72)
    courses = [_course(drawn.filter(pl.col("code") == code), history, (names or {}).get(code, code), width, gap, large) for code in chosen]
    whole = alt.concat(
        alt.hconcat(*courses, spacing=gap, bounds="flush"),
        _scores(accuracy, len(chosen) * (width + gap), large),
        columns=1,
        align="none",
        spacing=48 if large else 36,
    )
    subtitle = [
        f"Gray: observed. Blue: forecast one month ahead by {METHODS.get(method, method)}, with its 95 % interval.",
        "Vertical axes do not start at zero.",
    ]
    heading = alt.Title(text=title or "Demand forecast one month ahead, and what happened", subtitle=subtitle)
    return whole.properties(title=heading, config=theme(dark, large))


def _course(rows: pl.DataFrame, history: pl.DataFrame | None, name: str, width: int, gap: int, large: bool) -> alt.LayerChart:
    first = rows["month"].min()
    observed = rows.select("month", value="observed")
    if history is not None:
        before = pl.col("month").is_between(pl.lit(first).dt.offset_by("-24mo"), pl.lit(first), closed="left")
        earlier = history.filter((pl.col("code") == rows["code"][0]) & before).select("month", value="mme_per_1000")
        observed = pl.concat([earlier, observed]).sort("month")
    x = alt.X("month:T", title=None, axis=alt.Axis(format="%Y", tickCount={"interval": "year", "step": 1}))
    heights = pl.concat([observed["value"], rows["low"], rows["high"]])
    lowest, highest = cast(float, heights.min()), cast(float, heights.max())
    room = (highest - lowest) / 12  # so that no label stands at the very top, which would push this chart's title up
    scale = alt.Scale(domain=[max(0, lowest - room), highest + room], nice=False)
    axis = alt.Axis(tickCount=4, format=",.0f", minExtent=48)
    actual, expected = (
        alt.InlineData(values=_texts(observed)),
        alt.InlineData(values=_texts(rows.select("month", "predicted", "low", "high"))),
    )
    layers = [
        alt.Chart(expected)
        .mark_area(style="scenario-band", description=f"{name}: 95 % interval of the forecast")
        .encode(x=x, y=alt.Y("low:Q", title=None, scale=scale, axis=axis), y2="high:Q"),
        alt.Chart(actual)
        .mark_line(style="baseline-line", strokeJoin="round", description=f"{name}: observed demand, {_UNIT}")
        .encode(x=x, y=alt.Y("value:Q", title=None, scale=scale)),
        alt.Chart(actual)
        .mark_point(style="baseline-line", filled=True, size=28, strokeWidth=0, opacity=1)
        .encode(
            x=x, y=alt.Y("value:Q", scale=scale), tooltip=[alt.Tooltip("month:T", format="%B %Y"), alt.Tooltip("value:Q", format=",.0f")]
        ),
        alt.Chart(expected)
        .mark_line(style="scenario-line", strokeJoin="round", description=f"{name}: demand forecast one month ahead, {_UNIT}")
        .encode(x=x, y=alt.Y("predicted:Q", scale=scale)),
    ]
    chart = alt.layer(*layers).properties(
        title=alt.Title(text=name, subtitle=_UNIT, fontSize=type_size(large), limit=width + gap - 8),
        width=width,
        height=230 if large else 200,
    )
    return cast(alt.LayerChart, chart)


def _scores(accuracy: pl.DataFrame, width: int, large: bool) -> alt.LayerChart:
    overall = accuracy.filter(pl.col("groups") == "all").select(
        "mase",
        "mase_10",
        "mase_90",
        method=pl.col("method").replace(METHODS),
        words=pl.format("{} % off at the median, {} % inside", pl.col("median_ape").round(1), pl.col("coverage").round(1)),
    )
    size = type_size(large)
    across = max(20 * size, min(40 * size, width - 20 * size))  # what the words at the right leave
    data = alt.InlineData(values=overall.to_dicts())
    # Labels stand at the right, so that this chart begins where those above it do.
    y = alt.Y("method:N", sort=overall.sort("mase")["method"].to_list(), axis=None)
    x = alt.X(
        "mase:Q",
        title=None,
        scale=alt.Scale(domain=[0, max(1.2, cast(float, overall["mase_90"].max()))], nice=True),
        axis=alt.Axis(grid=True, tickCount=4, domain=False),
    )
    layers = [
        alt.Chart(alt.InlineData(values=[{"mase": 1}])).mark_rule(style="zero-line", strokeDash=[5, 4]).encode(x=x),
        alt.Chart(data)
        .mark_rule(style="scenario-line", opacity=0.45, description="From the 10th to the 90th percentile of the groups")
        .encode(x=alt.X("mase_10:Q"), x2="mase_90:Q", y=y),
        alt.Chart(data)
        .mark_point(style="scenario-line", filled=True, size=130, strokeWidth=0, opacity=1, description="Mean error over all groups")
        .encode(x=x, y=y, tooltip=["method:N", alt.Tooltip("mase:Q", format=".2f"), "words:N"]),
        alt.Chart(data)
        .mark_text(style="baseline-label", dy=-0.6 * size, fontWeight="bold")
        .encode(x=alt.value(across), y=y, text="method:N"),
        alt.Chart(data).mark_text(style="baseline-label", dy=0.6 * size).encode(x=alt.value(across), y=y, text="words:N"),
    ]
    subtitle = [
        "Mean absolute scaled error. Line: 10th to 90th percentile of the groups.",
        "Dashed: what “same month last year” was usually off by in the earlier months.",
    ]
    chart = alt.layer(*layers).properties(
        title=alt.Title(text="Error of each method over all groups, lower is better", subtitle=subtitle),
        width=across,
        height=3 * size * overall.height,
    )
    return cast(alt.LayerChart, chart)


def _lowest_middle_highest(rows: pl.DataFrame) -> tuple[str, ...]:
    ranked = rows.group_by("code").agg(pl.col("observed").mean()).sort("observed", "code")["code"].to_list()
    return tuple(dict.fromkeys((ranked[0], ranked[len(ranked) // 2], ranked[-1])))


def _texts(frame: pl.DataFrame) -> list[dict[str, Any]]:
    # With a clock time, so that the month is read in the reader's own time zone and not as midnight in London.
    return frame.with_columns(pl.col("month").dt.strftime("%Y-%m-%dT00:00:00")).to_dicts()


def _complete(frame: pl.DataFrame, columns: Sequence[str], name: str) -> None:
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InputError(f"missing column {', '.join(missing)}", where=name, expected=f"the columns {', '.join(columns)}")
