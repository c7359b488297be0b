"""Scenarios beside each other as a chart: demand, pain and function over time, and below how far each lies from the first."""

import math
import textwrap
from pathlib import Path
from typing import Any, Final, cast

import altair as alt
import polars as pl

from painlab.comparison import Comparison
from painlab.narrative import banded
from painlab.outcomes import BY_NAME
from painlab.verdicts import BESIDE
from painlab.views import charts
from painlab.views.appearance import theme, type_size
from painlab.views.panels import room_at_right, room_below, week_axis

# Okabe and Ito's colors, the first scenario in gray; letters and dashes say it again. Those for dark pages are lighter.
COLORS: Final = ("#6b6b6b", "#0072B2", "#D55E00", "#009E73", "#A0527D", "#8A6D00", "#2A7FA8", "#222222")
DARK: Final = ("#b0b0b0", "#56B4E9", "#E69F00", "#3CC79A", "#CC79A7", "#F0E442", "#8FD0F2", "#f2f2f2")
DASHES: Final = ([1, 0], [1, 0], [8, 4], [3, 3], [12, 3, 3, 3], [1, 0], [8, 4], [3, 3])
LETTERS: Final = "ABCDEFGH"
_SIZE: Final = (260, 210)
_LARGE: Final = (300, 250)
_ROW: Final = 34


def chart(comparison: Comparison, *, title: str = "", dark: bool = False, large: bool = False) -> alt.ConcatChart:
    """Draw a comparison: a line for each scenario in demand, pain and function, a letter at its end, and the letters' names below.

    Beneath stand the differences over the horizon with their bands: from the first scenario where the patients are the same (circles), else
    from the scenario's own baseline (squares). `title` states the finding; without one it is the comparison's headline.
    """
    width, height = _LARGE if large else _SIZE
    levels, differences = rows(comparison), intervals(comparison)
    letters = [LETTERS[place] for place in range(len(comparison.names))]
    domain = alt.Scale(domain=letters, range=list(DARK if dark else COLORS)[: len(letters)])
    dashes = alt.Scale(domain=letters, range=[list(one) for one in DASHES][: len(letters)])
    gap = room_at_right(("AA",), large)
    cells = [_lines(levels.filter(outcome=name), name, comparison.weeks, domain, dashes, (width, height), large) for name in BESIDE]
    cells += [_differences(differences.filter(outcome=name), name, letters, domain, width, dark, large) for name in BESIDE]
    whole = len(BESIDE) * (width + gap)
    size = type_size(large) + (8 if large else 4)
    lines = textwrap.wrap(title or comparison.headline, int(whole / (0.52 * size)), break_on_hyphens=False)
    names = [f"{letter}: {name}" for letter, name in zip(letters, comparison.names, strict=True)]
    heading = alt.Title(text=lines, subtitle=_key(names, int(whole / (0.5 * type_size(large)))), fontSize=size, frame="bounds", offset=16)
    spacing = alt.RowColnumber(row=room_below(large), column=gap)
    drawn = alt.concat(*cells, columns=len(BESIDE), bounds="flush", spacing=spacing)
    told = "Opioid demand, pain and function over time, and below each the differences over the horizon."
    said = f"{' '.join(lines)}. {'; '.join(names)}. {told}"
    config = alt.Config.from_dict(theme(dark, large), validate=False)
    return drawn.properties(title=heading, description=said, config=config)


def _key(names: list[str], characters: int) -> list[str]:
    """Letters and names in lines of so many characters, a name never broken."""
    lines = [names[0]]
    for name in names[1:]:
        longer = f"{lines[-1]}  |  {name}"
        if len(longer) <= characters:
            lines[-1] = longer
        else:
            lines.append(name)
    return lines


def rows(comparison: Comparison) -> pl.DataFrame:
    """What the lines are drawn from: columns letter, name, outcome, week, level, low and high (null without a band)."""
    letters = dict(zip(comparison.names, LETTERS, strict=False))
    frame = comparison.weekly.filter(pl.col("outcome").is_in(BESIDE))
    return frame.select(
        pl.col("name").replace_strict(letters, return_dtype=pl.String).alias("letter"), "name", "outcome", "week", level="scenario",
        low="scenario_low", high="scenario_high",
    )  # fmt: skip


def intervals(comparison: Comparison) -> pl.DataFrame:
    """What the differences are drawn from: columns letter, name, outcome, difference, low, high, against, paired and figure.

    The first scenario has no row where it has others' patients: it would be held against itself.
    """
    made: list[dict[str, Any]] = []
    letters = dict(zip(comparison.names, LETTERS, strict=False))
    alone = len(comparison.groups[0]) == 1
    for row in comparison.averages.filter(pl.col("outcome").is_in(BESIDE)).iter_rows(named=True):
        if row["name"] == comparison.names[0] and not alone:
            continue
        paired = row["paired"] and not alone
        difference, low, high = (row[f"{'from_first' if paired else 'difference'}{end}"] for end in ("", "_low", "_high"))
        digits = BY_NAME[row["outcome"]].digits
        against = letters[comparison.names[0]] if paired else "its own baseline"
        made.append(
            {"letter": letters[row["name"]], "name": row["name"], "outcome": row["outcome"], "difference": difference, "low": low,
             "high": high, "against": against, "paired": paired, "figure": banded(difference, low, high, digits)}
        )  # fmt: skip
    return pl.DataFrame(made, infer_schema_length=None)


def write(comparison: Comparison, folder: Path) -> None:
    """Write comparison.svg and comparison.png into a folder, which exists. Nothing is fetched from a network."""
    drawn = chart(comparison)
    for ending in ("svg", "png"):
        charts.save(drawn, folder / f"comparison.{ending}")


def _lines(
    frame: pl.DataFrame, name: str, weeks: int, color: alt.Scale, dashes: alt.Scale, size: tuple[int, int], large: bool
) -> alt.LayerChart:
    """Levels of one outcome over time, a line and a letter each."""
    outcome = BY_NAME[name]
    base = alt.Chart(alt.Data(values=frame.to_dicts()))
    x = week_axis(weeks)
    top = _top(frame, name)
    y = alt.Y("level:Q", title=None, scale=alt.Scale(domain=[0, top], nice=False), axis=alt.Axis(tickCount=5, minExtent=48))
    hue = alt.Color("letter:N", scale=color, legend=None)
    line = base.mark_line(strokeWidth=3 if large else 2.5, clip=True, description=f"{outcome.label}, {outcome.unit}").encode(
        x=x, y=y, color=hue, strokeDash=alt.StrokeDash("letter:N", scale=dashes, legend=None)
    )
    ends = alt.Data(values=_apart(frame, top, 1.1 * type_size(large) / size[1]))
    letter = alt.Chart(ends).mark_text(align="left", dx=6, fontSize=type_size(large), fontWeight="bold", aria=False)
    layers = [line, letter.encode(x=alt.X("week:Q"), y=alt.Y("place:Q"), color=hue, text="letter:N")]
    better = "" if outcome.better == "neither" else f", {outcome.better} is better"
    heading = alt.Title(text=outcome.label, subtitle=f"{outcome.unit}{better}")
    return cast(alt.LayerChart, alt.layer(*layers).properties(width=size[0], height=size[1], title=heading))


def _top(frame: pl.DataFrame, name: str) -> float:
    """Upper end of an axis: a round number at or above every level, or the whole scale of function."""
    if name == "function":
        return 100.0
    most = float(frame["level"].to_numpy().max(initial=0.0))
    if most <= 0.0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if most <= step * power * (1 + 1e-12))


def _apart(frame: pl.DataFrame, top: float, line: float) -> list[dict[str, Any]]:
    """Last week's levels with heights for their letters that keep a line of type (a share of the axis) between them.

    Letters that would touch form a stack about the mean of their levels.
    """
    last = frame.filter(pl.col("week") == frame["week"].max()).sort("level")
    room = line * top
    stacks: list[list[float]] = []  # each: its letters' levels, from the lowest
    for level in last["level"].to_list():
        stacks.append([level])
        while len(stacks) > 1 and _lowest(stacks[-1], room, top) < _lowest(stacks[-2], room, top) + room * len(stacks[-2]):
            stacks[-2:] = [stacks[-2] + stacks[-1]]
    places = [_lowest(stack, room, top) + room * place for stack in stacks for place in range(len(stack))]
    return [
        {"letter": letter, "week": week, "place": place} for letter, week, place in zip(last["letter"], last["week"], places, strict=True)
    ]


def _lowest(stack: list[float], room: float, top: float) -> float:
    """Height of a stack's lowest letter: in the middle of its levels, and inside the axis."""
    height = room * (len(stack) - 1)
    return max(0.0, min(sum(stack) / len(stack) - height / 2.0, top - height))


def _differences(
    frame: pl.DataFrame, name: str, letters: list[str], color: alt.Scale, width: int, dark: bool, large: bool
) -> alt.LayerChart:
    """Differences of one outcome over the horizon: a dot, its band, the figure, and a line at zero."""
    outcome = BY_NAME[name]
    shown = [letter for letter in letters if letter in set(frame["letter"])]
    base = alt.Chart(alt.Data(values=frame.to_dicts()))
    y = alt.Y("letter:N", sort=shown, title=None, axis=alt.Axis(labelFontSize=type_size(large), labelFontWeight="bold", minExtent=48))
    hue = alt.Color("letter:N", scale=color, legend=None)
    shape = alt.Shape("paired:N", scale=alt.Scale(domain=[True, False], range=["circle", "square"]), legend=None)
    x = alt.X("difference:Q", title=None, scale=alt.Scale(zero=True, nice=False, padding=34), axis=alt.Axis(tickCount=4, grid=True))
    band = base.transform_filter("isValid(datum.low)").mark_rule(strokeWidth=3).encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=hue)
    dot = base.mark_point(filled=True, size=110, opacity=1, description=f"{outcome.label}, difference, {outcome.unit}").encode(
        x=x, y=y, color=hue, shape=shape
    )
    words: dict[str, Any] = {"align": "center", "dy": -13, "fontSize": type_size(large) - 1, "aria": False}
    page = theme(dark, large)["background"]
    halo = base.mark_text(**words, stroke=page, strokeWidth=5, color=page).encode(x=x, y=y, text="figure:N")  # over the line at zero
    figure = base.mark_text(**words).encode(x=x, y=y, text="figure:N", color=hue)
    zero = alt.Chart(alt.Data(values=[{}])).mark_rule(style="zero-line", aria=False).encode(x=alt.XDatum(0))
    against = sorted(frame["against"].unique().to_list())  # a letter before "its own baseline"
    told = f"from {against[0]}" + ("; squares: own baseline" if against[1:] else "")
    heading = alt.Title(text=f"{outcome.label}, difference", subtitle=f"mean over the horizon {told}")
    height = (_ROW + (8 if large else 4)) * max(1, len(shown))
    return cast(alt.LayerChart, alt.layer(zero, halo, band, dot, figure).properties(width=width, height=height, title=heading))
