"""A learner's guess beside what the run says: the outcome over time with its band, and the guess as a mark in its week."""

from typing import Any, Final, cast

import altair as alt
import polars as pl

from painlab import lessons
from painlab.outcomes import BY_NAME
from painlab.syllabus import WHOLE_HORIZON, Prediction, Truth
from painlab.views.appearance import theme
from painlab.views.live_chart import LiveChart

_WIDTH: Final = 560
_HEIGHT: Final = 220
_GUESS: Final = "#d55e00"  # Okabe and Ito's vermilion; a diamond says it again
_AGAINST: Final = {
    "difference": "difference from the baseline, {}",
    "percent": "difference from the baseline, % of the baseline",
    "scenario": "under this plan, {}",
    "baseline": "under the baseline, {}",
    "cut": "with the link cut, less the whole cycle, {}",
}


def course(of: Truth) -> pl.DataFrame:
    """What was asked, week by week: columns week, value, low, high; null where a week has no percentage, or there is no band."""
    rows = lessons.run(of.asked(), of.cut).outcome(of.outcome)
    if of.of == "cut":
        whole = lessons.run(of.asked()).outcome(of.outcome)
        none = pl.lit(None, dtype=pl.Float64)
        return rows.select("week", value=pl.col("scenario") - whole["scenario"], low=none, high=none)
    arm = "difference" if of.of == "percent" else of.of
    ends = {"value": pl.col(arm), "low": pl.col(f"{arm}_low"), "high": pl.col(f"{arm}_high")}
    if of.of == "percent":
        ends = {name: pl.when(pl.col("baseline") > 0.0).then(100.0 * one / pl.col("baseline")) for name, one in ends.items()}
    return rows.select("week", **ends)


def chart(prediction: Prediction, guess: float) -> LiveChart:
    """The course of what was asked, with the guess in its week, or as a dashed line where the mean over all weeks was asked."""
    of, frame = prediction.truth, course(prediction.truth)
    weeks = int(frame["week"].to_list()[-1])
    outcome = BY_NAME[of.outcome]
    step = 4 if weeks <= 26 else 13 if weeks <= 52 else 26 if weeks <= 156 else 52
    axis = alt.Axis(values=list(range(0, weeks + 1, step)))
    x = alt.X("week:Q", title="week", axis=axis, scale=alt.Scale(domain=[0, weeks], nice=False))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=5, minExtent=48))
    everywhere = of.week == WHOLE_HORIZON
    guessed = alt.Chart(alt.NamedData("guess"))
    layers: list[Any] = [
        alt.Chart(transform=[{"filter": "isValid(datum.low)"}])
        .mark_area(style="scenario-band", clip=True, aria=False)
        .encode(x=x, y=alt.Y("low:Q", title=None), y2="high"),
        alt.Chart(alt.NamedData("guess")).mark_rule(style="zero-line", aria=False).encode(y=alt.YDatum(0)),
        alt.Chart().mark_line(style="scenario-line", clip=True, description=f"{outcome.label}, what the model says").encode(x=x, y=y),
        guessed.mark_rule(color=_GUESS, strokeDash=[6, 4], strokeWidth=2, description="your guess").encode(y=y)
        if everywhere
        else guessed.mark_point(color=_GUESS, shape="diamond", filled=True, opacity=1, size=160, description="your guess").encode(x=x, y=y),
        guessed.mark_text(align="right" if of.week > weeks / 2 else "left", dx=-12 if of.week > weeks / 2 else 12, dy=-12, fontSize=14)
        .encode(x=alt.XDatum(0) if everywhere else x, y=y, text=alt.TextValue("your guess"), color=alt.value(_GUESS)),
    ]  # fmt: skip
    drawn = cast(Any, alt.layer(*layers, data=alt.NamedData("course"))).properties(
        title=alt.Title(text=outcome.label, subtitle=_AGAINST[of.of].format(outcome.unit)),
        width=_WIDTH,
        height=_HEIGHT,
        config=alt.Config.from_dict(theme(), validate=False),
        usermeta={"painlab": {"large": False, "title_characters": 70}},
    )
    mark = pl.DataFrame({"week": [float(weeks if everywhere else of.week)], "value": [float(guess)]})
    words = (
        f"{outcome.label}, {_AGAINST[of.of].format(outcome.unit)}, over {weeks} weeks, and your guess of {lessons.say(prediction, guess)}."
    )
    return LiveChart(drawn, {"course": frame, "guess": mark}, description=words)
