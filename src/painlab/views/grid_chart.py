"""A sweep over one lever as lines with bands, over two as tables of shaded cells: demand, pain and function beside each other."""

import textwrap
from collections.abc import Mapping
from typing import Any, Final, cast

import altair as alt
import polars as pl

from painlab import lever_paths, narrative
from painlab.errors import InputError
from painlab.outcomes import BY_NAME
from painlab.responses import BESIDE
from painlab.swept import Sweep
from painlab.views import charts
from painlab.views.appearance import theme, type_size
from painlab.views.panels import room_at_right, room_below

# From Okabe and Ito's blue (below the baseline) over the page to vermilion (above it); the figure in the cell says it again.
SHADES: Final = ("#0072B2", "#ffffff", "#D55E00")
DARK: Final = ("#56B4E9", "#111111", "#E69F00")
MOST_CELLS: Final = 150
_STRONG: Final = 0.85  # share of the largest difference from which blue asks for light ink; vermilion never does
_STRONG_DARK: Final = 0.65  # on a dark page either color asks for dark ink
_CELL: Final = (78, 40)


def chart(made: Sweep, *, title: str = "", dark: bool = False, large: bool = False) -> alt.ConcatChart:
    """Draw a complete sweep of a grid with one or two levers and one origin: differences from the baseline over the horizon.

    One lever: a line with the band of the draws, and a line at zero. Two: a cell for each pair of values, shaded by its difference, with
    the figure in it; in parentheses where the band holds zero.

    Raises InputError for other sweeps, for a sample over two levers, and for more than 150 cells.
    """
    levers = drawable(made)
    keys = levers.columns[2:]
    frame = made.summary.filter(pl.col("outcome").is_in(BESIDE))
    size = type_size(large)
    if len(keys) == 1:
        width, height = (300, 240) if large else (260, 210)
        cells = [_line(frame.filter(outcome=name), name, keys[0], width, height, dark) for name in BESIDE]
    else:
        across, down = levers[keys[0]].n_unique(), levers[keys[1]].n_unique()
        scale = 1.3 if large else 1.0
        width, height = int(max(200, scale * _CELL[0] * across)), int(max(150, scale * _CELL[1] * down))
        cells = [_cells(frame.filter(outcome=name), name, (keys[0], keys[1]), (width, height), dark, large) for name in BESIDE]
    columns = 3 if 3 * width < 1500 else 1
    gap = room_at_right(("AAAA",), large) + 20
    heading = title or headline(made)
    room = int(columns * (width + gap) / (0.56 * size))
    note = "Difference from the baseline, mean over the horizon"
    banded = frame["difference_low"].null_count() == 0
    note += ("; shaded: 95 % of the parameter draws" if len(keys) == 1 else "; in parentheses where the band holds zero") if banded else ""
    spacing = alt.RowColnumber(row=room_below(large) + 20, column=gap)
    drawn = alt.concat(*cells, columns=columns, bounds="flush", spacing=spacing).resolve_scale(color="independent")
    lines = textwrap.wrap(heading, max(20, room), break_on_hyphens=False)
    said = f"{' '.join(lines)}. {note}. {' '.join(made.sentences)}"
    text = alt.Title(text=lines, subtitle=textwrap.wrap(note, room), fontSize=size + (8 if large else 4), frame="bounds", offset=16)
    return drawn.properties(title=text, description=said, config=alt.Config.from_dict(theme(dark, large), validate=False))


def drawable(made: Sweep) -> pl.DataFrame:
    """The levers of a sweep that `chart` draws. Raises InputError, with the reason, for one that it does not."""
    levers = made.levers
    reason = ""
    if levers is None or not made.complete:
        reason = "the sweep was not made from a grid" if levers is None else "the sweep is not complete"
    elif len(levers.columns) - 2 > 2:
        reason = f"the grid has {len(levers.columns) - 2} levers"
    elif levers["of"].n_unique() > 1:
        reason = f"the grid starts from {levers['of'].n_unique()} scenarios"
    elif len(levers.columns) == 4 and made.design != "full":
        reason = "two levers were sampled, so that their points form no table"
    elif len(levers.columns) == 4 and levers.height > MOST_CELLS:
        reason = f"the grid has {levers.height} cells"
    if levers is None or reason:
        wanted = f"a complete sweep of one scenario over one lever, or over two with at most {MOST_CELLS} cells"
        raise InputError(f"{reason}, which is not drawn", where=str(made.folder), expected=wanted, mend="effects.parquet has what it says.")
    return levers


def headline(made: Sweep) -> str:
    """What the levers do to demand, pain and function, in one line."""
    moved: dict[str, list[str]] = {}  # by what is moved, so that levers that do the same are said together
    for key in made.levers.columns[2:] if made.levers is not None else []:
        sides: dict[str, list[str]] = {"more": [], "less": []}
        for row in made.effects.filter(lever=key, quantity="difference").iter_rows(named=True):
            one = narrative.Compared(row["outcome"], 0.0, 0.0, row["change"], row["low"], row["high"])
            if one.direction:
                sides["more" if one.direction > 0 else "less"].append(BY_NAME[row["outcome"]].label.lower())
        said = ", ".join(f"{side} {' and '.join(labels)}" for side, labels in sides.items() if labels)
        if said:
            moved.setdefault(said, []).append(key)
    if not moved:
        return "No lever clearly moves demand, pain or function"
    told = [f"{' and '.join(keys)} rise{'' if keys[1:] else 's'}: {said}" for said, keys in moved.items()]
    return f"As {'; as '.join(told)}"


def write(made: Sweep) -> tuple[str, ...]:
    """Write levers.svg and levers.png into the sweep's folder and return their names. Nothing is fetched from a network."""
    drawn, names = chart(made), ("levers.svg", "levers.png")
    for name in names:
        charts.save(drawn, made.folder / name)
    return names


def _axis_title(key: str) -> list[str]:
    lever = lever_paths.find(key).lever
    unit = "" if lever.unit in ("0-1", "1") or lever.unit.rstrip("s") in lever.label else f" ({lever.unit})"
    return [f"{lever.label}{unit}"] if lever.section.lower() == lever.label else [f"{lever.section},", f"{lever.label}{unit}"]


def _heading(name: str) -> alt.TitleParams:
    outcome = BY_NAME[name]
    better = "" if outcome.better == "neither" else f", {outcome.better} is better"
    return alt.TitleParams(text=outcome.label, subtitle=f"{outcome.unit}{better}")


def _line(frame: pl.DataFrame, name: str, key: str, width: int, height: int, dark: bool) -> alt.LayerChart:
    """One outcome over one lever."""
    rows = frame.sort(key).select(value=key, difference="difference", low="difference_low", high="difference_high")
    base = alt.Chart(alt.Data(values=rows.to_dicts()))
    x = alt.X("value:Q", title=_axis_title(key), scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(tickCount=5))
    y = alt.Y("difference:Q", title=None, scale=alt.Scale(zero=True, nice=5), axis=alt.Axis(tickCount=5, minExtent=48))
    band = base.transform_filter("isValid(datum.low)").mark_area(style="scenario-band", aria=False)
    told = f"{BY_NAME[name].label}, difference from the baseline, {BY_NAME[name].unit}"
    color = theme(dark)["style"]["scenario-line"]["color"]
    line = base.mark_line(style="scenario-line", description=told, point=alt.OverlayMarkDef(size=60, color=color)).encode(x=x, y=y)
    zero = alt.Chart(alt.Data(values=[{}])).mark_rule(style="zero-line", aria=False).encode(y=alt.YDatum(0))
    layers = alt.layer(band.encode(x=x, y=alt.Y("low:Q"), y2="high:Q"), zero, line)
    return cast(alt.LayerChart, layers.properties(width=width, height=height, title=_heading(name)))


def _cells(frame: pl.DataFrame, name: str, keys: tuple[str, str], size: tuple[int, int], dark: bool, large: bool) -> alt.LayerChart:
    """One outcome over two levers: shaded cells with figures."""
    digits = BY_NAME[name].digits
    most = max(float(frame["difference"].abs().to_numpy().max()), 10.0**-digits)
    rows = [_cell(row, name, keys, digits, most, dark) for row in frame.iter_rows(named=True)]
    base = alt.Chart(alt.Data(values=rows))
    labels = alt.Axis(labelAngle=0, ticks=False, domain=False, titlePadding=8)
    x = alt.X("across:O", title=_axis_title(keys[0]), axis=labels, sort="ascending")
    y = alt.Y("down:O", title=_axis_title(keys[1]), axis=alt.Axis(minExtent=48), sort="descending")
    shades = alt.Scale(domain=[-most, 0, most], range=list(DARK if dark else SHADES), interpolate="rgb")
    told = f"{BY_NAME[name].label}, difference from the baseline, {BY_NAME[name].unit}"
    cell = base.mark_rect(stroke=theme(dark, large)["axis"]["gridColor"], description=told).encode(
        x=x, y=y, color=alt.Color("difference:Q", scale=shades, legend=None)
    )
    words: dict[str, Any] = {"fontSize": type_size(large) - 1, "aria": False}
    ink: Any = alt.condition("datum.strong", alt.value(theme(not dark)["title"]["color"]), alt.value(theme(dark)["title"]["color"]))
    figure = base.mark_text(**words).encode(x=x, y=y, text="figure:N", color=ink)
    return cast(alt.LayerChart, alt.layer(cell, figure).properties(width=size[0], height=size[1], title=_heading(name)))


def _cell(row: Mapping[str, Any], name: str, keys: tuple[str, str], digits: int, most: float, dark: bool) -> dict[str, Any]:
    one = narrative.Compared(name, 0.0, 0.0, row["difference"], row["difference_low"], row["difference_high"])
    figure = narrative.signed(one.difference, digits)
    return {
        "across": row[keys[0]],
        "down": row[keys[1]],
        "difference": one.difference,
        "figure": figure if one.low is None or one.direction else f"({figure})",
        "strong": abs(one.difference) > _STRONG_DARK * most if dark else one.difference < -_STRONG * most,
    }
