"""Charts of what earned an effect and of what slots make of it: shares of components, a clinic's queue, slots against demand."""

import textwrap
from collections.abc import Sequence
from typing import Any, Final, cast

import altair as alt
import polars as pl

from painlab.analysis.attribution import Attribution
from painlab.analysis.clinic_capacity import LABELS, Capacity
from painlab.analysis.slot_target import SlotsNeeded
from painlab.narrative import banded
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.views.appearance import theme, type_size
from painlab.views.panels import week_axis

CLEAR, UNCLEAR, WHOLE = "#0072B2", "#8a8a8a", "#D55E00"  # Okabe and Ito's blue and vermilion, and gray; shapes say it again
_KINDS: Final = ["clear", "not clear", "whole plan"]
_WHOLE: Final = "Whole plan"


def shares(found: Attribution, *, dark: bool = False, large: bool = False) -> alt.ConcatChart:
    """Each component's share of the difference with its band, a panel for each outcome, and the whole difference beneath.

    Blue circles: distinguishable from zero; gray squares: not; vermilion diamond: the whole plan. Ticks: what the component does alone
    (short) and as the last to join (long); the further they lie apart, the more it depends on the others.
    """
    size = type_size(large)
    order = [*found.components, _WHOLE]
    cells = []
    for place, name in enumerate(found.outcomes):
        outcome = BY_NAME[name]
        data = alt.Data(values=_share_rows(found, name))
        axis = alt.Axis(labels=place == 0, ticks=False, labelLimit=300, labelFontSize=size - 1, title=None, grid=True)
        y = alt.Y("component:N", sort=order, axis=axis)
        x = alt.X("share:Q", title=spoken_unit(BY_NAME[name].unit), axis=alt.Axis(tickCount=4, labelOverlap="greedy", labelSeparation=8))
        color = alt.Color("kind:N", scale=alt.Scale(domain=_KINDS, range=[CLEAR, UNCLEAR, WHOLE]), legend=None)
        shape = alt.Shape("kind:N", scale=alt.Scale(domain=_KINDS, range=["circle", "square", "diamond"]), legend=None)
        base = alt.Chart(data)
        layers = [
            base.mark_rule(style="zero-line", aria=False).encode(x=alt.X(datum=0, type="quantitative")),
            base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q", y=y, color=color),
            base.transform_filter("isValid(datum.alone)").mark_tick(size=10, thickness=2, aria=False).encode(x="alone:Q", y=y, color=color),
            base.transform_filter("isValid(datum.last)").mark_tick(size=22, thickness=2, aria=False).encode(x="last:Q", y=y, color=color),
            base.mark_point(filled=True, size=110, opacity=1).encode(
                x=x, y=y, color=color, shape=shape, tooltip="words:N", description="words:N"
            ),
        ]
        better = "" if outcome.better == "neither" else f"; {outcome.better} is better"
        title = alt.Title(text=outcome.label, subtitle=f"difference it earns{better}")
        cells.append(alt.layer(*layers).properties(width=300 if large else 240, height=(34 if large else 30) * len(order), title=title))
    note = "Blue circle: clear. Gray square: not distinguishable from zero. Short tick: alone; long tick: last to join."
    return dressed(cells, len(cells), _headline(found), note, found.sentence, dark=dark, large=large)


def _share_rows(found: Attribution, name: str) -> list[dict[str, Any]]:
    outcome, rows = BY_NAME[name], []
    for row in found.shares.filter(pl.col("outcome") == name).iter_rows(named=True):
        kept = {key: row[key] for key in ("component", "share", "low", "high", "alone", "last")}
        rows.append(kept | {"kind": "clear" if row["clear"] else "not clear"})
    whole = found.whole.row(by_predicate=pl.col("outcome") == name, named=True)
    rows.append({"component": _WHOLE, "share": whole["difference"], "low": whole["low"], "high": whole["high"], "kind": "whole plan"})
    for one in rows:
        amount = f"{banded(one['share'], one['low'], one['high'], outcome.digits)} {spoken_unit(outcome.unit)}"
        one["words"] = f"{one['component']}: {amount}, {one['kind']}"
    return rows


def _headline(found: Attribution) -> str:
    rows = found.shares.filter((pl.col("outcome") == "mme_per_1000") & pl.col("clear")).sort(pl.col("share").abs(), descending=True)
    if rows.is_empty():
        return "No component's share of the change in opioid demand is distinguishable from zero"
    first = rows.row(0, named=True)
    amount = banded(first["share"], first["low"], first["high"], 0)
    return f"{first['component']} earns the largest clear share of the change in opioid demand, {amount} {BY_NAME['mme_per_1000'].unit}"


def queue(found: Capacity, *, dark: bool = False, large: bool = False) -> alt.ConcatChart:
    """Sessions asked for and used against the slots, and the wait in line, by week, for each kind of slots that is limited or asked for.

    Dashed gray: slots. Blue: used; vermilion, dashed: asked for. The wait has the band of the draws.
    """
    cells = []
    for kind, slots in zip(("therapy", "procedure"), found.slots, strict=True):
        rows = found.queue.filter(pl.col("kind") == kind)
        if slots is None and float(rows["asked"].sum()) == 0.0:
            continue
        x, label = week_axis(found.panel.weeks), LABELS[kind]
        lines = rows.select("week", "asked", "used").unpivot(index="week", variable_name="what", value_name="sessions")
        layers: list[alt.Chart] = [
            _chart(lines)
            .mark_line(strokeWidth=3, clip=True, description=f"{label} used and asked for, a week")
            .encode(
                x=x,
                y=alt.Y("sessions:Q", title=None, scale=alt.Scale(nice=5), axis=alt.Axis(tickCount=5, minExtent=48)),
                color=alt.Color("what:N", legend=None, scale=alt.Scale(domain=["used", "asked"], range=[CLEAR, WHOLE])),
                strokeDash=alt.StrokeDash("what:N", legend=None, scale=alt.Scale(domain=["used", "asked"], range=[[1, 0], [6, 4]])),
            )
        ]
        if slots is not None:
            layers.append(_chart([{"slots": slots}]).mark_rule(style="baseline-line", strokeDash=[2, 3]).encode(y="slots:Q"))
        title = alt.Title(text=label.capitalize(), subtitle="a week; dashed: asked for; dotted: slots")
        cells.append(_sized(alt.layer(*layers), large, title))
        if slots is not None:
            y = alt.Y("wait:Q", title=None, axis=alt.Axis(tickCount=5, minExtent=48), scale=alt.Scale(zero=True, nice=5))
            band = rows.filter(pl.col("wait_low").is_not_null())
            waits = [
                _chart(band.select("week", low="wait_low", high="wait_high"))
                .mark_area(style="scenario-band", aria=False)
                .encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q"),
                _chart(rows.select("week", "wait")).mark_line(style="scenario-line", description="weeks in line").encode(x=x, y=y),
            ]
            title = alt.Title(text="Wait in line", subtitle="weeks, beyond the referral's own wait")
            cells.append(_sized(alt.layer(*waits), large, title))
    note = f"Shaded: {found.level:.0%} of the parameter draws" if found.panel.draws > 1 else "One run with central values"
    if not cells:
        cells = [_sized(alt.layer(_chart([]).mark_point()), large, alt.Title("No slots are asked for"))]
    return dressed(cells, 2, _capacity_title(found), note, found.sentence, dark=dark, large=large)


def _capacity_title(found: Capacity) -> str:
    row = found.queue.filter((pl.col("kind") == "therapy") & (pl.col("week") == found.panel.weeks)).row(0, named=True)
    if row["slots"] is None:
        return f"{row['asked']:,.0f} therapy slots a week are asked for"
    low, high = row["wait_low"], row["wait_high"]
    ends = "" if low is None or high is None else f" ({low:,.0f} to {high:,.0f})"
    return f"With {row['slots']:,.0f} therapy slots a week the wait in line is {row['wait']:,.0f} weeks{ends} in week {found.panel.weeks}"


def slots(found: SlotsNeeded, *, dark: bool = False, large: bool = False) -> alt.ConcatChart:
    """Opioid demand, pain and function against the number of slots, with bands, and the wished fall of demand as a dashed line."""
    cells = []
    words = {
        "mme_percent": ("Opioid demand", "% change from today's plan"),
        "pain": ("Pain", "change, points of 10, lower is better"),
        "function": ("Function", "change, points of 100, higher is better"),
    }
    x = alt.X("slots:Q", title=f"{LABELS[found.kind]} a week", axis=alt.Axis(tickCount=5))
    for name, (title, subtitle) in words.items():
        rows = found.curve.select("slots", value=name, low=f"{name}_low", high=f"{name}_high")
        y = alt.Y("value:Q", title=None, scale=alt.Scale(nice=5), axis=alt.Axis(tickCount=5, minExtent=48))
        layers: list[alt.Chart] = [
            _chart(rows.filter(pl.col("low").is_not_null()))
            .mark_area(style="scenario-band", aria=False)
            .encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q"),
            _chart([{}]).mark_rule(style="zero-line", aria=False).encode(y=alt.YDatum(0)),
            _chart(rows)
            .mark_line(style="scenario-line", point={"filled": True, "size": 50}, description=f"{title} by slots")
            .encode(x=x, y=y),
        ]
        if name == "mme_percent":
            wish = [{"wish": -found.percent}]
            layers.append(
                _chart(wish).mark_rule(color=WHOLE, strokeWidth=2.5, strokeDash=[6, 4], description="the wish").encode(y="wish:Q")
            )
        cells.append(_sized(alt.layer(*layers), large, alt.Title(text=title, subtitle=subtitle)))
    reached = f"{found.slots:,} slots lower" if found.slots is not None else "No number of slots lowers"
    reached += f" demand by {found.percent:g} %"
    if found.panel.draws > 1:
        more = "they do" if found.slots is not None else "as many as are wanted do"
        reached += f" on average; {more} in {100 * found.reached_in:.0f} % of the draws"
    note = "Dashed: the wish. Shaded: 95 % of the parameter draws"
    return dressed(cells, 3, reached, note, found.sentence, dark=dark, large=large)


def dressed(cells: Sequence[Any], columns: int, title: str, note: str, description: str, *, dark: bool, large: bool) -> alt.ConcatChart:
    """Charts side by side with the finding as their title, themed for a page, or for a live chart that follows it."""
    size = type_size(large)
    lines = textwrap.wrap(title, 95 if not large else 70)
    # Flush bounds keep charts of one row level, whatever stands on their axes.
    gap = alt.RowColnumber(row=120 if large else 96, column=96 if large else 72)
    chart = alt.concat(*cells, columns=columns, bounds="flush", spacing=gap).properties(
        title=alt.Title(text=lines, subtitle=textwrap.wrap(note, 120), fontSize=size + 4, offset=16, anchor="start"),
        description=f"{title}. {description}",
        usermeta={"painlab": {"large": large}},
    )
    return cast(alt.ConcatChart, chart.configure(**theme(dark, large)))


def _sized(chart: Any, large: bool, title: alt.Title) -> Any:
    return chart.properties(width=300 if large else 270, height=230 if large else 200, title=title)


def _chart(rows: pl.DataFrame | list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=rows.to_dicts() if isinstance(rows, pl.DataFrame) else rows))
