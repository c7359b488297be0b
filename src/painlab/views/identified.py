"""Prior against posterior of the parameters that the trials informed most, as a chart."""

from typing import Final

import altair as alt
import polars as pl

from painlab.views.appearance import theme, type_size

MOST: Final = 40
_PRIOR, _POSTERIOR = "#6b6b6b", "#0072B2"


def chart(table: pl.DataFrame, *, dark: bool = False, large: bool = False) -> alt.LayerChart | alt.FacetChart:
    """Draw the informed rows of `identification.table`, at most `MOST`: each parameter's posterior within its prior.

    The horizontal axis runs from the lower to the upper end of the prior's 95 % interval, so that all parameters can share it.
    """
    rows = table.filter(pl.col("informed")).head(MOST)
    width = pl.col("prior_high") - pl.col("prior_low")
    placed = rows.select(
        "parameter",
        *(
            ((pl.col(name) - pl.col("prior_low")) / width).alias(name)
            for name in ("prior_median", "posterior_median", "posterior_low", "posterior_high")
        ),
        start=pl.lit(0.0),
        end=pl.lit(1.0),
    )
    data = alt.Data(values=placed.to_dicts())
    size = type_size(large)
    y = alt.Y("parameter:N", sort=placed["parameter"].to_list(), title=None, axis=alt.Axis(labelLimit=460, labelFontSize=size - 1))
    axis = alt.Axis(
        values=[0, 0.5, 1], labelExpr="datum.value == 0 ? 'low' : datum.value == 1 ? 'high' : ''", title="Prior's 95 % interval"
    )
    x = alt.X("start:Q", scale=alt.Scale(domain=[-0.15, 1.15]), axis=axis)
    base = alt.Chart(data)
    prior = base.mark_rule(strokeWidth=9, opacity=0.3, color=_PRIOR).encode(x=x, x2="end:Q", y=y)
    middle = base.mark_tick(thickness=2, size=14, color=_PRIOR).encode(x="prior_median:Q", y=y)
    spread = base.mark_rule(strokeWidth=2.5, color=_POSTERIOR).encode(x="posterior_low:Q", x2="posterior_high:Q", y=y)
    mean = base.mark_point(filled=True, size=70, opacity=1, color=_POSTERIOR).encode(x="posterior_median:Q", y=y)
    title = alt.TitleParams("What the trials say of the parameters", subtitle="Gray: prior. Blue: posterior, median and 95 % interval")
    layers = alt.layer(prior, middle, spread, mean).properties(width=560, height=22 * rows.height, title=title)
    return layers.configure(**theme(dark, large))
