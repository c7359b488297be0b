"""How sure an answer is, as charts: tornado, Sobol indices, value of information, turning points, and bands by what they hold.

Each takes a result of `painlab.analysis`, computes nothing, and returns a chart that is drawn in a notebook without a network. Shapes and
words stand beside colors (Okabe and Ito's), and the result's sentence is read out by screen readers.
"""

from typing import Any, Final

import altair as alt
import polars as pl

from painlab.analysis import paired
from painlab.analysis.learning import ValueOfInformation
from painlab.analysis.one_at_a_time import Tornado
from painlab.analysis.probabilistic import Sensitivity
from painlab.analysis.separated import SOURCES, Separated
from painlab.analysis.turning_points import TurningPoints
from painlab.analysis.variance_shares import VarianceShares
from painlab.errors import InputError
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.views.appearance import theme, type_size
from painlab.views.live_chart import LiveChart

_BLUE, _ORANGE, _GREEN, _GRAY = "#0072B2", "#E69F00", "#009E73", "#6b6b6b"
_ROW: Final = 26
_PANEL: Final = 250
_BANDS: Final = {"chance": _ORANGE, "patients": _GREEN, "parameters": _BLUE}
_TOLD: Final = ["told from chance", "not told from chance"]
_TITLES: Final = {
    "chance": "chance alone: the same patients again",
    "patients": "and other patients",
    "parameters": "and parameters: all of it",
}


def tornado(of: Tornado, *, dark: bool = False, large: bool = False) -> LiveChart:
    """Bars from the effect at a parameter's low end to that at its high end, demand, pain and function beside each other.

    A circle marks the low end, a square the high one; pale bars are not told from the patients' chance.
    """
    order = [paired.readable(name) for name in of.of(of.outcome)["parameter"]]
    panels = []
    for place, name in enumerate(of.table["outcome"].unique(maintain_order=True)):
        rows = of.of(name).with_columns(label=_readable("parameter"), said=_clear())
        center = of.central.filter(pl.col("outcome") == name)["difference"][0]
        y = alt.Y("label:N", sort=order, title=None, axis=_names(large) if place == 0 else None)
        # Differences in pain have long labels: few ticks, so that they do not touch.
        axis = alt.Axis(tickCount=3, labelOverlap="greedy", labelSeparation=8)
        x = alt.X("at_low:Q", title=_unit(name), scale=alt.Scale(zero=False), axis=axis)
        base = alt.Chart(_data(rows))
        opacity = alt.Opacity("said:N", scale=_scale(_TOLD, [0.9, 0.35]), legend=None)
        tips = ["label:N", "low_value:Q", "high_value:Q", "at_low:Q", "at_high:Q", "standard_error:Q", "said:N"]
        bars = base.mark_bar(height=14, color=_BLUE).encode(x=x, x2="at_high:Q", y=y, opacity=opacity, tooltip=tips)
        low = base.mark_point(filled=True, size=55, color=_ORANGE, shape="circle", opacity=1).encode(x="at_low:Q", y=y, tooltip=tips)
        high = base.mark_point(filled=True, size=55, color=_GRAY, shape="square", opacity=1).encode(x="at_high:Q", y=y, tooltip=tips)
        middle = alt.Chart(_data(pl.DataFrame({"x": [center]}))).mark_rule(strokeDash=[4, 3], color=_GRAY).encode(x="x:Q")
        panels.append(alt.layer(bars, low, high, middle).properties(width=_PANEL, height=_ROW * len(order), title=BY_NAME[name].label))
    low_share, high_share = (f"{100 * share:.0f}" for share in of.shares)
    subtitle = f"Difference from the baseline. Circle: percentile {low_share} of the parameter, square: {high_share}; dashes: all central"
    return _live(alt.hconcat(*panels, spacing=24), "One parameter at a time", subtitle, of.sentence, dark, large)


def sobol(of: VarianceShares, *, outcome: str | None = None, dark: bool = False, large: bool = False) -> LiveChart:
    """First-order and total shares of each parameter with their intervals, and what all others hold; one panel an outcome."""
    shown = [name for name in of.foretold["outcome"] if name not in of.left_out and outcome in (None, name)]
    if not shown:
        raise InputError(f'there are no shares of "{outcome}"', expected=f"one of {', '.join(of.foretold['outcome'])}")
    panels = []
    for name in shown:
        rows = of.of(name).with_columns(label=_readable("parameter"))
        order = rows["label"].to_list()
        long = pl.concat(
            [
                rows.select("label", share=kind, low=f"{kind}_low", high=f"{kind}_high", kind=pl.lit(words)).drop_nulls("share")
                for kind, words in (("first", "alone"), ("total", "with others"))
            ]
        )
        y = alt.Y("label:N", sort=order, title=None, axis=_names(large))
        both = ["alone", "with others"]
        offset = alt.YOffset("kind:N", sort=both)
        color = alt.Color("kind:N", scale=_scale(both, [_ORANGE, _BLUE]), legend=_legend(large))
        shape = alt.Shape("kind:N", scale=_scale(both, ["circle", "square"]), legend=_legend(large))
        x = alt.X("share:Q", title="Share of the variance that parameters cause", axis=alt.Axis(format=".0%", tickCount=5))
        base = alt.Chart(_data(long))
        tips = ["label:N", "kind:N", *(alt.Tooltip(f"{one}:Q", format=".1%") for one in ("share", "low", "high"))]
        bars = base.mark_bar(height=9, opacity=0.45).encode(x=x, y=y, yOffset=offset, color=color, tooltip=tips)
        lines = base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", y=y, yOffset=offset, color=color)
        points = base.mark_point(filled=True, size=50, opacity=1).encode(x="share:Q", y=y, yOffset=offset, color=color, shape=shape)
        panels.append(
            alt.layer(bars, lines, points).properties(width=2 * _PANEL, height=(_ROW + 4) * len(order), title=BY_NAME[name].label)
        )
    subtitle = f"Difference from the baseline {of.when}. Circle: alone, square: with all it acts together with; lines: 95 % intervals"
    return _live(alt.vconcat(*panels, spacing=26), "Which parameters make it uncertain", subtitle, str(of), dark, large)


def learning(of: ValueOfInformation, *, dark: bool = False, large: bool = False) -> LiveChart:
    """What it would be worth to know each parameter or group, with standard errors, beside what knowing all would be worth."""
    money = of.decision.worth.currency
    all_ = pl.DataFrame({"label": ["all parameters"], "value": [of.perfect], "standard_error": [of.standard_error], "clear": [True]})
    rows = pl.concat([all_, of.table.select(pl.col("parameters").alias("label"), "value", "standard_error", "clear")])
    rows = rows.with_columns(
        low=(pl.col("value") - pl.col("standard_error")).clip(0.0), high=pl.col("value") + pl.col("standard_error"), said=_clear()
    )
    y = alt.Y("label:N", sort=rows["label"].to_list(), title=None, axis=_names(large))
    opacity = alt.Opacity("said:N", scale=_scale(_TOLD, [0.85, 0.3]), legend=None)
    base = alt.Chart(_data(rows))
    tips = ["label:N", "value:Q", "standard_error:Q", "said:N"]
    bars = base.mark_bar(height=14, color=_BLUE).encode(
        x=alt.X("value:Q", title=f"{money} per patient"), y=y, opacity=opacity, tooltip=tips
    )
    lines = base.mark_rule(strokeWidth=2.5, color=_ORANGE).encode(x="low:Q", x2="high:Q", y=y)
    chart = alt.layer(bars, lines).properties(width=2 * _PANEL, height=_ROW * rows.height)
    subtitle = ["Gain of deciding after it is known; lines: one standard error. Value judgments:", *str(of.decision.worth).split("; ")]
    return _live(chart, "What learning would be worth", subtitle, str(of), dark, large)


def flips(of: TurningPoints, *, most: int = 15, dark: bool = False, large: bool = False) -> LiveChart:
    """Where in its prior range each parameter flips the conclusion: the range as a bar, its far side colored, the central value a tick.

    Where chance could explain it the far side is pale, so that as many bars are full as the words count. Without any such parameter those
    are shown that bring the conclusion nearest to it.
    """
    rows = of.found.head(most)
    sure = of.found.filter("clear").height
    unsure = of.found.height - sure
    one = "parameter flips" if sure == 1 else "parameters flip"
    title = f"{sure or 'No'} {one} the conclusion alone" + (f"; {unsure} {'more ' if sure else ''}might (pale)" if unsure else "")
    if of.found.height > most:
        title += f"; the first {most}"
    if rows.is_empty():
        side = 1.0 if of.margin >= 0.0 else -1.0
        nearest = (side * pl.min_horizontal(side * pl.col("at_low"), side * pl.col("at_high"))).abs()
        rows, title = of.table.sort(nearest).head(most), "No single assumption flips the conclusion; these come nearest"
    width = pl.col("high") - pl.col("low")
    placed = rows.with_columns(
        label=_readable("parameter"),
        **{f"{one}_place": (pl.col(one) - pl.col("low")) / width for one in ("central", "at")},
        zero=pl.lit(0.0),
        one=pl.lit(1.0),
        told=_clear(),
    ).with_columns(
        far_from=pl.when(pl.col("side") == "above").then("at_place").otherwise("zero"),
        far_to=pl.when(pl.col("side") == "above").then("one").when(pl.col("side") == "below").then("at_place").otherwise("zero"),
        said=pl.format("{} to {} {}", pl.col("low").round(3), pl.col("high").round(3), pl.col("unit").replace("1", "")),
    )
    y = alt.Y("label:N", sort=placed["label"].to_list(), title=None, axis=_names(large))
    axis = alt.Axis(
        values=[0, 0.5, 1], labelExpr="datum.value == 0 ? 'low' : datum.value == 1 ? 'high' : ''", title="The parameter's prior range"
    )
    base = alt.Chart(_data(placed.drop("source")))
    tips = ["label:N", "central:Q", "low:Q", "high:Q", "at:Q", "told:N", "turns_to:N", "posterior_share:Q", "at_low:Q", "at_high:Q"]
    opacity = alt.Opacity("told:N", scale=_scale(_TOLD, [0.85, 0.3]), legend=None)
    x = alt.X("zero:Q", axis=axis, scale=alt.Scale(domain=[0, 1]))
    whole = base.mark_bar(height=12, color=_GRAY, opacity=0.3).encode(x=x, x2="one:Q", y=y, tooltip=tips)
    far = base.mark_bar(height=12, color=_ORANGE).encode(x="far_from:Q", x2="far_to:Q", y=y, opacity=opacity, tooltip=tips)
    center = base.mark_tick(thickness=3, size=18, color=_BLUE).encode(x="central_place:Q", y=y, tooltip=tips)
    size = type_size(large) - 1
    words = base.mark_text(align="left", dx=8, fontSize=size, color=_GRAY).encode(x=alt.value(2 * _PANEL), y=y, text="said:N")
    chart = alt.layer(whole, far, center, words).properties(width=2 * _PANEL, height=_ROW * placed.height)
    subtitle = "Gray: prior range. Blue tick: central value. Orange: where the conclusion is another; pale: chance could explain it"
    return _live(chart, title, subtitle, str(of), dark, large)


def spread(of: Separated, *, dark: bool = False, large: bool = False) -> LiveChart:
    """Three bands around the mean, each holding one source more: chance, patients, parameters; a panel for each outcome."""
    panels = []
    for name in of.means["outcome"]:
        rows = of.table.filter(pl.col("outcome") == name).with_columns(label=pl.col("source").replace_strict(_TITLES))
        mean = of.means.filter(pl.col("outcome") == name)["mean"][0]
        y = alt.Y("label:N", sort=list(_TITLES.values()), title=None, axis=_names(large))
        color = alt.Color("source:N", scale=_scale(list(_BANDS), list(_BANDS.values())), legend=None)
        base = alt.Chart(_data(rows))
        tips = ["label:N", "low:Q", "high:Q", "deviation:Q", alt.Tooltip("share:Q", format=".1%", title="share of the variance")]
        x = alt.X("low:Q", title=_unit(name), scale=alt.Scale(zero=False))
        bars = base.mark_bar(height=16, opacity=0.75).encode(x=x, x2="high:Q", y=y, color=color, tooltip=tips)
        shares = base.mark_text(align="left", dx=6, fontSize=type_size(large) - 1, color=_GRAY).encode(
            x="high:Q", y=y, text=alt.Text("share:Q", format=".0%")
        )
        middle = alt.Chart(_data(pl.DataFrame({"x": [mean]}))).mark_rule(strokeDash=[4, 3], color=_GRAY).encode(x="x:Q")
        layers = alt.layer(bars, shares, middle)
        panels.append(layers.properties(width=2 * _PANEL, height=_ROW * len(SOURCES), title=BY_NAME[name].label))
    subtitle = "95 % bands, each with one source more; beside each, the source's share of the variance; dashes: mean"
    title = f"What a clinic of {of.clinic:,} patients does not know"
    return _live(alt.vconcat(*panels, spacing=22), title, subtitle, str(of), dark, large)


def draws(of: Sensitivity, *, parameter: str | None = None, dark: bool = False, large: bool = False) -> LiveChart:
    """Each parameter set as a point: one parameter across, the differences in demand, pain and function up, beside each other."""
    rows = of.table.filter(pl.col("outcome") == of.outcome)
    name = parameter or (str(rows["parameter"][0]) if rows.height else None)
    if name is None or name not in of.draws.columns:
        raise InputError(f'the sets hold no parameter "{name}"', expected="a parameter of data/parameters.csv with a range")
    panels = []
    for outcome in of.summary["outcome"]:
        points = of.draws.select(pl.col(name).alias("x"), pl.col(outcome).alias("y"))
        x = alt.X("x:Q", title=paired.readable(name), scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=4))
        y = alt.Y("y:Q", title=_unit(outcome), scale=alt.Scale(zero=False))
        dots = alt.Chart(_data(points)).mark_point(filled=True, size=22, opacity=0.5, color=_BLUE).encode(x=x, y=y, tooltip=["x:Q", "y:Q"])
        zero = alt.Chart(_data(pl.DataFrame({"y": [0.0]}))).mark_rule(strokeDash=[4, 3], color=_GRAY).encode(y="y:Q")
        panels.append(alt.layer(dots, zero).properties(width=_PANEL, height=_PANEL, title=BY_NAME[outcome].label))
    subtitle = "Difference from the baseline in each parameter set, with its patients' chance; dashes: no difference"
    return _live(alt.hconcat(*panels, spacing=24), f"{of.draws.height} parameter sets", subtitle, str(of), dark, large)


def _live(chart: Any, title: str, subtitle: str | list[str], said: str, dark: bool, large: bool) -> LiveChart:
    drawn = chart.properties(title=alt.TitleParams(title, subtitle=subtitle), description=f"{title}. {said}")
    return LiveChart(
        drawn.configure(**theme(dark, large)),
        description=f"{title}. {subtitle if isinstance(subtitle, str) else ' '.join(subtitle)}.",
        summary=said,
    )


def _data(frame: pl.DataFrame) -> alt.Data:
    return alt.Data(values=frame.to_dicts())


def _names(large: bool) -> alt.Axis:
    return alt.Axis(labelLimit=340, labelFontSize=type_size(large) - 1)


def _legend(large: bool) -> alt.Legend:
    return alt.Legend(title=None, orient="top", labelFontSize=type_size(large), symbolSize=90)


def _scale(domain: list[str], colors: list[Any]) -> alt.Scale:
    return alt.Scale(domain=domain, range=colors)


def _readable(column: str) -> pl.Expr:
    return pl.col(column).str.replace_all(".", ": ", literal=True).str.replace_all("_", " ", literal=True)


def _clear() -> pl.Expr:
    return pl.when("clear").then(pl.lit(_TOLD[0])).otherwise(pl.lit(_TOLD[1]))


def _unit(outcome: str) -> str:
    return spoken_unit(BY_NAME[outcome].unit)
