"""A learner's guess beside what the run says: the outcome with its band up to the week that was asked, and the guess as a mark there."""

from typing import Any, Final, Literal, cast

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


def shown_weeks(of: Truth, weeks: int) -> int:
    """The last week that is drawn: a tenth beyond the week that was asked, for what comes later may be asked next."""
    return weeks if of.week == WHOLE_HORIZON else min(weeks, of.week + max(2, of.week // 10))


def chart(prediction: Prediction, guess: float) -> LiveChart:
    """The course of what was asked up to its week, with the guess there, or as a dashed line where the mean over all weeks was asked."""
    of, frame = prediction.truth, course(prediction.truth)
    horizon = int(frame["week"].to_list()[-1])
    weeks = shown_weeks(of, horizon)
    frame = frame.filter(pl.col("week") <= weeks)
    outcome = BY_NAME[of.outcome]
    step = next(step for most, step in ((6, 1), (13, 2), (26, 4), (52, 13), (156, 26), (weeks, 52)) if weeks <= most)
    axis = alt.Axis(values=list(range(0, weeks + 1, step)))
    x = alt.X("week:Q", title="week", axis=axis, scale=alt.Scale(domain=[0, weeks], nice=False))
    everywhere = of.week == WHOLE_HORIZON
    above = _is_above(frame, of, guess)
    y = alt.Y("value:Q", title=None, scale=alt.Scale(domain=_domain(frame, guess, above)), axis=alt.Axis(tickCount=5, minExtent=48))
    guessed = alt.Chart(alt.NamedData("guess"))
    align: Literal["left", "center", "right"] = (
        "left" if everywhere or of.week < weeks / 8 else "right" if of.week > 7 * weeks / 8 else "center"
    )
    layers: list[Any] = [
        alt.Chart(transform=[{"filter": "isValid(datum.low)"}])
        .mark_area(style="scenario-band", clip=True, aria=False)
        .encode(x=x, y=alt.Y("low:Q", title=None), y2="high"),
        alt.Chart(alt.NamedData("guess")).mark_rule(style="zero-line", aria=False).encode(y=alt.YDatum(0)),
        alt.Chart().mark_line(style="scenario-line", clip=True, description=f"{outcome.label}, what the model says").encode(x=x, y=y),
        guessed.mark_rule(color=_GUESS, strokeDash=[6, 4], strokeWidth=2, description="your guess").encode(y=y)
        if everywhere
        else guessed.mark_point(color=_GUESS, shape="diamond", filled=True, opacity=1, size=160, description="your guess").encode(x=x, y=y),
        guessed.mark_text(align=align, dx=6 if everywhere else 0, dy=-17 if above else 17, baseline="middle", fontSize=14)
        .encode(x=alt.XDatum(0) if everywhere else x, y=y, text=alt.TextValue("your guess"), color=alt.value(_GUESS)),
    ]  # fmt: skip
    said = _AGAINST[of.of].format(outcome.unit)
    until = f"all {weeks} weeks" if weeks == horizon else f"drawn to just after week {of.week}, the one asked"
    drawn = cast(Any, alt.layer(*layers, data=alt.NamedData("course"))).properties(
        title=alt.Title(text=outcome.label, subtitle=f"{said}; {until}"),
        width=_WIDTH,
        height=_HEIGHT,
        config=alt.Config.from_dict(theme(), validate=False),
        usermeta={"painlab": {"large": False, "title_characters": 70}},
    )
    mark = pl.DataFrame({"week": [float(weeks if everywhere else of.week)], "value": [float(guess)]})
    words = f"{outcome.label}, {said}, {until}, and your guess of {lessons.say(prediction, guess)}."
    return LiveChart(drawn, {"course": frame, "guess": mark}, description=words)


def _is_above(frame: pl.DataFrame, of: Truth, guess: float) -> bool:
    """Whether the words stand above the guess: on the side of it where the curve is not."""
    weeks = int(frame["week"].to_list()[-1])
    where = pl.col("week") <= weeks / 6 if of.week == WHOLE_HORIZON else pl.col("week") == of.week
    near = frame.filter(where)["value"].drop_nulls().to_list()
    return not near or guess >= sum(near) / len(near)


def _domain(frame: pl.DataFrame, guess: float, above: bool) -> list[float]:
    """Ends of the scale: the line, the guess with its words, zero, and the band but for its most extreme weeks.

    A percentage of a baseline that is almost nothing has a band that would leave no room for anything else.
    """
    line = frame["value"].drop_nulls()
    ends = [0.0, guess, *line.to_list()]
    if frame["low"].count():
        ends += [frame["low"].quantile(0.02, "higher"), frame["high"].quantile(0.98, "lower")]
    low, high = min(ends), max(ends)
    room = 0.13 * (high - low or 1.0)  # a line of type and the mark
    return [low if above else min(low, guess - room), max(high, guess + room) if above else high]
