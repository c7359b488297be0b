"""Charts of a projection: demand with pain and function beside it, grids of outcomes, paired differences, the cycle; and their files.

What is drawn is specified in `panels`, without numbers; here the numbers are put in.
"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

import altair as alt
import polars as pl
import vl_convert

from painlab.errors import InputError
from painlab.views.appearance import theme
from painlab.views.panels import (
    BESIDE_DEMAND,
    DATASET,
    LABELS,
    dashboard,
    difference_panel,
    known,
    levels_and_differences,
    panel,
)

__all__ = [
    "Projected",
    "cycle",
    "cycle_rows",
    "dashboard",
    "demand",
    "difference_panel",
    "differences",
    "outcomes",
    "panel",
    "rows",
    "save",
    "theme",
    "with_data",
]

_NUMBERS: Final = tuple(f"{arm}{end}" for arm in ("baseline", "scenario", "difference") for end in ("", "_low", "_high"))

# In a notebook altair's own way draws only with a network. A renderer that the user has chosen stays.
if "ipykernel" in sys.modules and alt.renderers.active == "default":
    alt.renderers.enable("svg")


class Projected(Protocol):
    """What a chart needs of a Projection: the weekly frame, the scenario's title and the level of the bands."""

    @property
    def weekly(self) -> pl.DataFrame: ...
    @property
    def scenario(self) -> Any: ...
    @property
    def level(self) -> float: ...


def rows(chart: alt.TopLevelMixin | dict[str, Any], frame: pl.DataFrame) -> pl.DataFrame:
    """The rows and columns of a weekly frame that a chart of this module draws, and no others.

    For any other chart, or a frame without a column `outcome`, the frame as it is.
    """
    outcomes = _notes(chart).get("outcomes")
    if outcomes is None or "outcome" not in frame.columns:
        return frame
    return frame.filter(pl.col("outcome").is_in(outcomes)).select(
        "week", "outcome", *(name for name in (*_NUMBERS, "pin") if name in frame.columns)
    )


def with_data(chart: alt.ConcatChart, frame: pl.DataFrame) -> alt.ConcatChart:
    """A copy of a chart with the rows it needs from a weekly frame (columns of `Projection.weekly`); the chart itself is left alone."""
    filled = chart.copy(deep=False)
    filled.datasets = {DATASET: rows(chart, frame).to_dicts()}
    return filled


def demand(
    projection: Projected, *, title: str = "", labels: tuple[str, str] | None = None, dark: bool = False, large: bool = False
) -> alt.ConcatChart:
    """Opioid demand over time with pain and function beside it, and the paired difference from the baseline under each.

    `title` states the finding; without one it is the scenario's title. `labels` name the baseline and the plan.
    """
    chart = levels_and_differences(
        BESIDE_DEMAND,
        weeks=_horizon(projection.weekly),
        title=title or _title(projection),
        subtitle=_band_note(projection),
        labels=labels or _labels(projection),
        dark=dark,
        large=large,
    )
    return with_data(chart, projection.weekly)


def outcomes(
    projection: Projected,
    names: Sequence[str] = BESIDE_DEMAND,
    *,
    title: str = "",
    labels: tuple[str, str] | None = None,
    dark: bool = False,
    large: bool = False,
) -> alt.ConcatChart:
    """A grid of outcomes, opioid demand, pain and function always first; `title` as in `demand`.

    Raises InputError for an unknown outcome.
    """
    chart = panel(
        _beside_demand(names),
        weeks=_horizon(projection.weekly),
        title=title or _title(projection),
        subtitle=_band_note(projection),
        labels=labels or _labels(projection),
        dark=dark,
        large=large,
    )
    return with_data(chart, projection.weekly)


def differences(
    projection: Projected, names: Sequence[str] = BESIDE_DEMAND, *, title: str = "", dark: bool = False, large: bool = False
) -> alt.ConcatChart:
    """Paired differences from the baseline with their bands, opioid demand, pain and function always first; `title` as in `demand`.

    Raises InputError for an unknown outcome.
    """
    chart = difference_panel(
        _beside_demand(names),
        weeks=_horizon(projection.weekly),
        title=title or _title(projection),
        subtitle=_band_note(projection),
        dark=dark,
        large=large,
    )
    return with_data(chart, projection.weekly)


def cycle(
    trajectory: pl.DataFrame,
    baseline: pl.DataFrame | None = None,
    *,
    title: str = "",
    labels: tuple[str, str] = LABELS,
    dark: bool = False,
    large: bool = False,
) -> alt.ConcatChart:
    """Pain, activity and strength of the mean patient side by side.

    Parameters
    ----------
    trajectory
        Columns week, pain (0-10), activity (% of habitual) and strength (% of healthy); one row for each time.
    baseline
        The same for the baseline plan, drawn in gray; without it one unlabeled line is drawn.

    Raises InputError if a column is missing.
    """
    frame = cycle_rows(trajectory, baseline)
    chart = panel(
        ("pain", "activity", "strength"),
        weeks=_horizon(frame),
        title=title,
        labels=labels if baseline is not None else ("", ""),
        dark=dark,
        large=large,
    )
    return with_data(chart, frame)


def cycle_rows(trajectory: pl.DataFrame, baseline: pl.DataFrame | None = None) -> pl.DataFrame:
    """Trajectories as in `cycle`, in the long form that `panel` draws: week, outcome, baseline (null without one), scenario."""
    long = _long(trajectory, "scenario")
    if baseline is None:
        return long.with_columns(baseline=pl.lit(None, dtype=pl.Float64))
    return long.join(_long(baseline, "baseline"), on=["week", "outcome"], how="full", coalesce=True).sort("outcome", "week")


def save(chart: alt.TopLevelMixin, path: str | Path) -> Path:
    """Write a chart as SVG or PNG (three pixels for one), by the suffix of `path`; nothing is fetched from a network. Returns the path.

    Raises InputError for another suffix and for a place that cannot be written.
    """
    path = Path(path)
    spec = chart.to_dict()
    if path.suffix == ".svg":
        picture = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode()
    elif path.suffix == ".png":
        picture = vl_convert.vegalite_to_png(spec, scale=3, allowed_base_urls=[])
    else:
        raise InputError(
            f'a chart cannot be written as "{path.suffix}"', where=str(path), expected=".svg or .png", mend="Change the suffix."
        )
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise InputError(
            f"the chart cannot be written ({error.strerror})", where=str(path), expected="a file in a folder that exists and can be written"
        ) from None
    return path


def _horizon(frame: pl.DataFrame) -> int:
    if frame.is_empty():
        raise InputError("there are no weeks to draw", expected="a weekly frame with at least one row")
    return max(1, math.ceil(cast(float, frame["week"].max())))


def _beside_demand(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*BESIDE_DEMAND, *known(names))))


def _labels(projection: Projected) -> tuple[str, str]:
    """The baseline by its name where it is a shipped scenario, and the plan."""
    baseline = projection.scenario.baseline
    return (baseline.replace("-", " ") if isinstance(baseline, str) else "baseline", LABELS[1])


def _title(projection: Projected) -> str:
    return str(projection.scenario.title)


def _band_note(projection: Projected) -> str:
    frame = projection.weekly
    if frame["difference_low"].null_count() == frame.height:
        return ""
    return f"Shaded: {projection.level:.0%} of the parameter draws"


def _notes(chart: alt.TopLevelMixin | dict[str, Any]) -> dict[str, Any]:
    meta = chart.get("usermeta") if isinstance(chart, dict) else getattr(chart, "usermeta", alt.Undefined)
    return cast(dict[str, Any], meta.get("painlab", {})) if isinstance(meta, dict) else {}


def _long(trajectory: pl.DataFrame, arm: str) -> pl.DataFrame:
    wanted = ("week", "pain", "activity", "strength")
    missing = [column for column in wanted if column not in trajectory.columns]
    if missing:
        raise InputError(f"missing column {', '.join(missing)}", where="trajectory", expected=f"the columns {', '.join(wanted)}")
    return trajectory.select(wanted).unpivot(index="week", variable_name="outcome", value_name=arm).cast({arm: pl.Float64})
