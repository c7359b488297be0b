"""What the explorer can show of a scenario, as specifications made once and tables fed to them."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import altair as alt
import polars as pl

from painlab import parameters
from painlab.engine.execution import inputs_of
from painlab.engine.setting import Setting
from painlab.lives import LIVES, lives
from painlab.projection import COLUMNS, Projection
from painlab.scenario import Scenario
from painlab.views import charts
from painlab.views.appearance import type_size
from painlab.views.live_chart import fitted
from painlab.views.panels import BESIDE_DEMAND, DATASET, PINS, dress, room_at_right, week_axis
from painlab.views.phase import portrait

VIEWS: Final = {
    "difference": "Difference",
    "demand": "Demand",
    "body": "Body",
    "lives": f"One patient, {LIVES} times",
    "phase": "The cycle's field",
}
WEEKLY: Final = ("difference", "demand", "body")
"""Views of the weekly frame, which are fed while a lever moves; the others are drawn when it rests."""
BODY: Final = ("pain", "activity", "strength")
HEIGHT: Final = 180
EMPTY: Final = pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.Float64) | {"outcome": pl.String})
_EVERY: Final = 4  # weeks between two points of a life: what is drawn, not what is lived
_LIVED: Final = {"mme": ("Opioid demand", "MME/day"), "pain": ("Pain", "0-10 NRS"), "function": ("Function", "0-100")}


class Wanted(NamedTuple):
    """All that the specification of a weekly view depends on."""

    view: str
    weeks: int
    baseline: str  # label of that line
    pins: bool
    large: bool


@cache
def specification(wanted: Wanted) -> dict[str, Any]:
    """The chart of a weekly view without its numbers, made once; the browser fits it to the width there is."""
    common: dict[str, Any] = {"weeks": wanted.weeks, "height": HEIGHT + 50 * wanted.large, "pins": wanted.pins, "large": wanted.large}
    if wanted.view == "difference":
        return fitted(charts.difference_panel(BESIDE_DEMAND, **common))
    return fitted(charts.panel(BODY if wanted.view == "body" else BESIDE_DEMAND, labels=(wanted.baseline, "this plan"), **common))


def pinned(pins: Mapping[str, Projection], view: str) -> pl.DataFrame:
    """The pinned plans' rows for a weekly view, by the pin's letter."""
    outcomes = BODY if view == "body" else BESIDE_DEMAND
    frames = [
        one.weekly.filter(pl.col("outcome").is_in(outcomes)).select(
            pl.col("week").cast(pl.Float64), "outcome", pl.lit(letter).alias("pin"), "scenario", "difference"
        )
        for letter, one in pins.items()
    ]
    return pl.concat(frames)


def weekly(frame: pl.DataFrame, pins: Mapping[str, Projection], view: str) -> dict[str, pl.DataFrame]:
    """Tables of a weekly view."""
    return {DATASET: frame, PINS: pinned(pins, view)} if pins else {DATASET: frame}


def lived(scenario: Scenario, *, large: bool = False) -> tuple[dict[str, Any], dict[str, pl.DataFrame], str]:
    """The typical patient lived many times under the plan: specification, tables, and what is seen in words."""
    mine, usual = (lives(scenario, arm=arm) for arm in ("scenario", "baseline"))
    kept = mine.filter((pl.col("week") % _EVERY == 0) | (pl.col("week") == scenario.weeks)).with_columns(
        pl.col("life").cast(pl.Float64), pl.col("week").cast(pl.Float64)
    )
    middle = usual.group_by("week", maintain_order=True).agg(pl.col("mme", "pain", "function").mean())
    return (
        _lived_specification(scenario.weeks, large),
        {"lives": kept, "usual": middle.cast(pl.Float64)},
        _lived_words(mine, scenario.weeks),
    )


@cache
def _lived_specification(weeks: int, large: bool) -> dict[str, Any]:
    size, names = type_size(large), ("mme_per_1000", "pain", "function")
    cells = []
    for (field, (label, unit)), full in zip(_LIVED.items(), (None, 10, 100), strict=True):
        x = week_axis(weeks)
        scale = (
            alt.Scale(domain=[0, full], nice=False) if full else alt.Scale(zero=True, nice=5)
        )  # a number at the top of each axis, so that headings stand on one line
        y = alt.Y(f"{field}:Q", title=None, scale=scale, axis=alt.Axis(tickCount=5, minExtent=48))
        each = alt.Chart(alt.NamedData("lives")).mark_line(style="scenario-line", strokeWidth=1, opacity=0.16, clip=True, aria=False)
        mean = alt.Chart(alt.NamedData("usual")).mark_line(
            style="baseline-line", clip=True, description=f"{label}, mean of the same patient under the baseline's plan, {unit}"
        )
        cells.append(
            alt.layer(each.encode(x=x, y=y, detail="life:N"), mean.encode(x=x, y=y)).properties(
                width=240, height=HEIGHT + 50 * large, title=alt.Title(text=label, subtitle=f"each line a life, {unit}")
            )
        )
    gap = room_at_right(("",), large)
    chart = alt.concat(*cells, columns=3, bounds="flush", spacing=alt.RowColnumber(row=6 * size, column=gap))
    chart = dress(chart, names, "", "", 3 * (240 + gap), False, large)
    return fitted(chart.properties(description=f"The same patient {LIVES} times: opioid demand, pain and function of each life."))


def _lived_words(mine: pl.DataFrame, weeks: int) -> str:
    last = mine.filter(pl.col("week") == weeks)
    low, high = (last["pain"].quantile(share) for share in (0.1, 0.9))
    on = int((last["mme"] > 0).sum())
    return (
        f"One and the same typical patient, lived {LIVES} times with the model's central values: nothing but chance differs. "
        f"In week {weeks}, {on} of {LIVES} lives are on opioids, and the middle 80 % have pain from {low:.1f} to {high:.1f}. "
        "Gray: the mean under the baseline's plan."
    )


def field(scenario: Scenario, *, large: bool = False) -> tuple[dict[str, Any], str]:
    """The phase portrait of the scenario's typical patient with the plan's treatments held up: specification, and its finding in words."""
    values, cut = scenario.assumed(parameters.values())
    p = inputs_of(scenario.population, values, cut).p
    held = tuple(scenario.care.treatments)
    chart = portrait(Setting.of(scenario, values, p=p, held=held), p, width=820, height=HEIGHT + 90 + 60 * large, large=large)
    spec = chart.to_dict(validate=False)
    title = spec.pop("title", {})
    lines = [title.get(part, []) if isinstance(title, dict) else [] for part in ("text", "subtitle")]
    finding, note = (" ".join(one) if isinstance(one, list) else str(one) for one in lines)
    spec["usermeta"] = {"painlab": {"large": large}}
    spec.pop("config", None)
    told = f"{finding}. {note}" + (" The plan's treatments are held up for good." if held else "")
    return spec, f"{told} The typical patient with the parameters' central values (data/parameters.csv)."
