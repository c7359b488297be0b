"""Forest plot of virtual trials: what was published and what the model predicts, in standard errors of the published figure."""

import math
from typing import Any, Final

import altair as alt
import polars as pl

from painlab.validation import figures
from painlab.views.appearance import theme, type_size

FARTHEST: Final = 8.0  # gaps beyond this are drawn at the edge, with the figure beside them
_USES: Final = {"calibrate": "Trials that the parameters were calibrated on", "validate": "Trials kept for validation"}
_ROW: Final = 24
_INSIDE, _OUTSIDE, _PUBLISHED = "#0072B2", "#D55E00", "#6b6b6b"  # Okabe and Ito's blue and vermilion, told apart by every eye
_Z: Final = 1.959963984540054


def _standardized(row: dict[str, Any]) -> dict[str, Any]:
    """A row's intervals in standard errors of the published figure, around the published estimate."""
    log = row["kind"] == "odds_ratio"

    def scale(value: float | None) -> float | None:
        if value is None:
            return None
        return math.log(max(value, 1e-6)) if log else value

    low, high, estimate = scale(row["published_low"]), scale(row["published_high"]), scale(row["published"])
    assert low is not None and high is not None and estimate is not None
    error = (high - low) / (2.0 * _Z)
    held = {}
    for name in ("published_low", "published_high", "predicted", "predicted_low", "predicted_high"):
        value = scale(row[name])
        held[name] = None if value is None or error == 0.0 else max(-FARTHEST, min(FARTHEST, (value - estimate) / error))
    published, predicted = figures(row)
    return {
        "title": row["title"],
        "verdict": "inside" if row["inside"] else "outside",
        "figures": published,
        "said": "no prediction" if row["predicted"] is None else predicted.partition(" ")[0],
        **held,
    }


def chart(table: pl.DataFrame, *, dark: bool = False, large: bool = False) -> alt.VConcatChart:
    """Draw a table of `validation.table`, one panel for each use.

    Gray: the published estimate (0) and its interval. Color: the predicted mean and its interval, blue circles inside the published
    interval, vermilion squares outside.
    """
    panels = [_panel(table.filter(pl.col("use") == use), words, large) for use, words in _USES.items() if use in set(table["use"])]
    config = theme(dark, large)
    config["concat"] = {"spacing": 30}
    return alt.vconcat(*panels).configure(**config)


def _panel(rows: pl.DataFrame, words: str, large: bool) -> alt.LayerChart | alt.FacetChart:
    inside = int(rows["inside"].sum())
    data = alt.Data(values=[_standardized(row) for row in rows.iter_rows(named=True)])
    order = rows["title"].to_list()
    y = alt.Y("title:N", sort=order, title=None, axis=alt.Axis(labelLimit=620, ticks=False, grid=False, labelFontSize=type_size(large) - 1))
    x_title = "Distance from the published figure, in its standard errors"
    scale = alt.Scale(domain=[-FARTHEST, FARTHEST + 6.6])
    axis = alt.Axis(values=[-8, -6, -4, -2, 0, 2, 4, 6, 8], title=x_title, titleFontSize=type_size(large), orient="bottom")
    base = alt.Chart(data)
    color = alt.Color("verdict:N", scale=alt.Scale(domain=["inside", "outside"], range=[_INSIDE, _OUTSIDE]), legend=None)
    shape = alt.Shape("verdict:N", scale=alt.Scale(domain=["inside", "outside"], range=["circle", "square"]), legend=None)
    published = base.mark_rule(strokeWidth=9, opacity=0.3, color=_PUBLISHED).encode(
        x=alt.X("published_low:Q", scale=scale, axis=axis), x2="published_high:Q", y=y
    )
    estimate = base.mark_tick(thickness=2, color=_PUBLISHED, size=14).encode(x=alt.X(datum=0, type="quantitative"), y=y)
    spread = base.mark_rule(strokeWidth=2.5).encode(x=alt.X("predicted_low:Q", scale=scale), x2="predicted_high:Q", y=y, color=color)
    mean = base.mark_point(filled=True, size=80, opacity=1).encode(x=alt.X("predicted:Q", scale=scale), y=y, color=color, shape=shape)
    size = type_size(large) - 2
    figures = base.mark_text(align="left", fontSize=size, color=_PUBLISHED).encode(
        x=alt.X(datum=FARTHEST + 0.4, type="quantitative"), y=y, text="figures:N"
    )
    said = base.mark_text(align="left", fontSize=size, fontWeight="bold").encode(
        x=alt.X(datum=FARTHEST + 5.0, type="quantitative"), y=y, text="said:N", color=color
    )
    subtitle = f"{inside} of {rows.height} predicted means lie inside the published interval (gray; then printed, and predicted)"
    title = alt.TitleParams(words, subtitle=subtitle)
    return alt.layer(published, estimate, spread, mean, figures, said).properties(width=720, height=_ROW * rows.height, title=title)
