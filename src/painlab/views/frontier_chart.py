"""The frontier of care plans as charts: demand, pain and function against cost, and how the choice moves with the weights."""

from typing import Any, Final

import altair as alt
import polars as pl

from painlab.analysis.care_choice import OBJECTIVES, Choice, Frontier
from painlab.narrative import plain
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.views.appearance import type_size
from painlab.views.earned import CLEAR, UNCLEAR, WHOLE, dressed

PLANS: Final = "plans"
CHOSEN: Final = "chosen"
STRIPS: Final = "strips"
SHOWN: Final = ("mme_per_1000", "pain", "function")
_STATES: Final = ["frontier", "dominated", "dropped"]
_BASELINE: Final = "#009E73"  # Okabe and Ito's green
_PARTS: Final = {"the choice": "#56B4E9", "another": "#c9c9c9"}  # their sky blue for one plan only; each part carries its plan's name


def plan_rows(found: Frontier) -> pl.DataFrame:
    """Plans as the chart draws them: a row for each plan and shown outcome, with words for who cannot see it."""
    rows = []
    for one in found.table.sort(pl.col("state").replace_strict({"dropped": 0, "dominated": 1, "frontier": 2})).iter_rows(named=True):
        share = "" if one["share"] is None or found.draws == 1 else f", on the frontier in {100 * one['share']:.0f} % of the draws"
        for name in SHOWN:
            outcome = BY_NAME[name]
            value = f"{outcome.label.lower()} {plain(one[name], outcome.digits)}"
            words = f"{one['name']}, {one['state']}{share}: cost {plain(one['cost'], 2)}, {value}"
            label = one["name"] if _named(found, one) else ""
            rows.append((one["name"], one["state"], name, one["cost"], one[name], label, words))
    frame = pl.DataFrame(rows, schema=("name", "state", "outcome", "cost", "value", "label", "words"), orient="row")
    return frame.with_columns(side=_side(found, pl.col("cost")))


def _named(found: Frontier, row: dict[str, Any]) -> bool:
    """Whether a plan carries its name, chosen or not; not all that ship do: their names would lie upon each other."""
    if row["state"] == "dropped":
        return False
    return row["name"] in ("baseline", found.scenario.name) or (row["state"] == "frontier" and not row["name"].startswith("plan-"))


def _side(found: Frontier, cost: pl.Expr) -> pl.Expr:
    """How a name beside its plan is aligned: toward the middle of the costs, so that it does not run into the next panel."""
    ends: list[Any] = [found.table["cost"].min(), found.table["cost"].max()]
    return pl.when(cost > sum(ends) / 2).then(pl.lit("right")).otherwise(pl.lit("left"))


def chosen_rows(found: Frontier, name: str) -> pl.DataFrame:
    """The chosen plan's rows of `plan_rows`."""
    row = found.table.row(found.number(name), named=True)
    rows = pl.DataFrame([{"name": name, "outcome": outcome, "cost": row["cost"], "value": row[outcome]} for outcome in SHOWN])
    return rows.with_columns(side=_side(found, pl.col("cost")), label=pl.lit("" if _named(found, row) else name))


def scatter(found: Frontier, name: str = "", *, dark: bool = False, large: bool = False) -> alt.ConcatChart:
    """Opioid demand, pain and function of every plan against its cost; `name` is marked as the chosen one.

    Blue diamonds: on the frontier; gray circles: dominated; small gray dots: dropped as clearly dominated; a green square: the baseline; a
    vermilion ring: chosen. The baseline, the scenario's own plan and shipped plans on the frontier carry their names.
    """
    size = type_size(large)
    x = alt.X("cost:Q", title="Cost, USD per patient per week", scale=alt.Scale(zero=False, nice=True), axis=alt.Axis(tickCount=5))
    beside: Any = alt.ExprRef("datum.side")
    cells = []
    for outcome in SHOWN:
        one = BY_NAME[outcome]
        y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False, nice=5), axis=alt.Axis(tickCount=5, minExtent=48))
        only = {"filter": f"datum.outcome == '{outcome}'"}
        dots = (
            alt.Chart(alt.NamedData(PLANS), transform=[only])
            .mark_point(filled=True)
            .encode(
                x=x,
                y=y,
                color=alt.Color("state:N", legend=None, scale=alt.Scale(domain=_STATES, range=[CLEAR, UNCLEAR, UNCLEAR])),
                shape=alt.Shape("state:N", legend=None, scale=alt.Scale(domain=_STATES, range=["diamond", "circle", "circle"])),
                size=alt.Size("state:N", legend=None, scale=alt.Scale(domain=_STATES, range=[90, 34, 9])),
                opacity=alt.Opacity("state:N", legend=None, scale=alt.Scale(domain=_STATES, range=[0.95, 0.6, 0.35])),
                tooltip="words:N",
                description="words:N",
            )
        )
        baseline = (
            alt.Chart(alt.NamedData(PLANS), transform=[only, {"filter": "datum.name == 'baseline'"}])
            .mark_point(shape="square", filled=True, size=130, opacity=1, color=_BASELINE, aria=False)
            .encode(x=x, y=y, tooltip="words:N")
        )
        names = (
            alt.Chart(alt.NamedData(PLANS), transform=[only, {"filter": "datum.label"}])
            .mark_text(style="baseline-label", fontSize=size - 1, fontWeight="bold", align=beside, dy=-13, aria=False)
            .encode(x=x, y=y, text="label:N")
        )
        ring = (
            alt.Chart(alt.NamedData(CHOSEN), transform=[only])
            .mark_point(shape="circle", size=420, strokeWidth=3.5, color=WHOLE, opacity=1, aria=False)
            .encode(x=x, y=y)
        )
        mark = (
            alt.Chart(alt.NamedData(CHOSEN), transform=[only])
            .mark_text(color=WHOLE, fontSize=size, fontWeight="bold", align=beside, dy=-22, aria=False)
            .encode(x=x, y=y, text="label:N")
        )
        better = "less is taken as better" if OBJECTIVES[outcome] < 0 else "more is taken as better"
        title = alt.Title(text=one.label, subtitle=[spoken_unit(BY_NAME[outcome].unit), better])
        cells.append(
            alt.layer(dots, baseline, names, ring, mark).properties(width=300 if large else 260, height=300 if large else 260, title=title)
        )
    front = found.on_frontier.height
    heading = f"{front} of {found.table.height:,} care plans are beaten by no other in {_listed(found.objectives)}"
    note = "Blue diamond: on the frontier. Gray: dominated. Green square: the baseline. Vermilion ring: chosen. All costs are assumptions."
    chart = dressed(cells, 3, heading, note, found.sentence, dark=dark, large=large)
    chart.datasets = {PLANS: plan_rows(found).to_dicts(), CHOSEN: chosen_rows(found, name).to_dicts() if name else []}
    return chart


def strip_rows(found: Frontier, weights: dict[str, float]) -> pl.DataFrame:
    """Parts of each weight's range by the plan that they choose, in percent, as the chart draws them."""
    rows = found.sensitivity(weights)
    chosen = found.choose(weights).name
    labels = {name: BY_NAME[name].label for name in OBJECTIVES}
    return rows.with_columns(
        part=pl.when(pl.col("name") == chosen).then(pl.lit("the choice")).otherwise(pl.lit("another")),
        low=100 * pl.col("low"),
        high=100 * pl.col("high"),
        weight=100 * pl.col("weight"),
        # A name is written where there is room for it.
        text=pl.when(pl.col("high") - pl.col("low") >= 0.16).then(pl.col("name")).otherwise(pl.lit("")),
        words=pl.format(
            "{} at a weight of {} to {} % of the first", "name", (100 * pl.col("low")).round(0), (100 * pl.col("high")).round(0)
        ),
        outcome=pl.col("outcome").replace_strict(labels),
    ).with_columns(middle=(pl.col("low") + pl.col("high")) / 2)


def strips(found: Frontier, weights: dict[str, float], *, dark: bool = False, large: bool = False) -> alt.ConcatChart:
    """Which plan is chosen as one weight runs from 0 to 100 % and the others keep their proportions; a rule marks the weight of now."""
    size = type_size(large)
    order = [BY_NAME[name].label for name in OBJECTIVES]
    data = alt.NamedData(STRIPS)
    y = alt.Y("outcome:N", sort=order, title=None, axis=alt.Axis(ticks=False, labelFontSize=size - 1, labelLimit=200))
    scale = alt.Scale(domain=[0, 100], nice=False)
    x = alt.X("low:Q", title="Weight of one outcome, % of all; the others keep their proportions", scale=scale, axis=alt.Axis(tickCount=5))
    bars = (
        alt.Chart(data)
        .mark_bar(height={"band": 0.7}, stroke="#ffffff", strokeWidth=2)
        .encode(
            x=x,
            x2="high:Q",
            y=y,
            color=alt.Color("part:N", legend=None, scale=alt.Scale(domain=list(_PARTS), range=list(_PARTS.values()))),
            tooltip="words:N",
            description="words:N",
        )
    )
    names = (
        alt.Chart(data)
        .mark_text(color="#111111", fontSize=size - 1, aria=False)
        .encode(x=alt.X("middle:Q", scale=scale), y=y, text="text:N")
    )
    now = alt.Chart(data).mark_tick(thickness=4, size=34, color=WHOLE, opacity=1, aria=False).encode(x=alt.X("weight:Q", scale=scale), y=y)
    cell = alt.layer(bars, names, now).properties(width=900 if large else 760, height=170 if large else 150)
    heading = choice_headline(found.choose(weights))
    note = "Blue: this plan is chosen. Gray: another is. Vermilion: the weight of now. Weights are the user's value judgments."
    chart = dressed([cell], 1, heading, note, heading, dark=dark, large=large)
    chart.datasets = {STRIPS: strip_rows(found, weights).to_dicts()}
    return chart


def choice_headline(choice: Choice) -> str:
    """The choice in one short sentence."""
    often = f"{100 * choice.best_in:.0f} % of them"
    return f"With these weights {choice.name} is best on average over the draws, and the best plan in {often}"


def _listed(names: tuple[str, ...]) -> str:
    words: list[Any] = [BY_NAME[name].label.lower() for name in names]
    return f"{', '.join(words[:-1])} and {words[-1]} at once"
