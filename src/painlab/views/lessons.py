"""What the notebooks show beside an explorer: findings from the ledger, where a number comes from, and two runs side by side."""

from collections.abc import Mapping, Sequence

import altair as alt
import polars as pl
from IPython.display import Markdown

from painlab.errors import InputError
from painlab.narrative import banded, compared
from painlab.outcomes import BY_NAME
from painlab.projection import Projection
from painlab.views import charts, ledger
from painlab.views.live_chart import LiveChart, fitted


def findings(*ids: str) -> Markdown:
    """Published findings as a list, each with its figure, what to know about it, and its source.

    `ids` are ids in data/evidence.csv. Raises InputError for an unknown one.
    """
    return Markdown("\n".join("- {}. *{}*".format(*ledger.finding(one)) for one in ids))


def source(name: str) -> Markdown:
    """Where a number comes from: the record of a parameter, such as `weakness_pain`, or of a treatment, and the equations that use it."""
    return Markdown("\n".join(f"- **{term}**: {text}" for term, text in ledger.record(name)))


def side_by_side(
    first: Projection, second: Projection, *, labels: tuple[str, str], outcomes: Sequence[str] = ("pain", "strength", "function")
) -> LiveChart:
    """The plan of one projection in gray and that of another in blue, with their bands: the same plan with a link cut, for example.

    Raises InputError if their horizons differ, or for an unknown outcome.
    """
    if first.weeks != second.weeks:
        raise InputError(f"one projection has {first.weeks} weeks, the other {second.weeks}", expected="two projections of one horizon")
    frame = second.weekly.select("week", "outcome", "unit", "scenario", "scenario_low", "scenario_high")
    plan = first.weekly.select("week", "outcome", *(pl.col(f"scenario{end}").alias(f"baseline{end}") for end in ("", "_low", "_high")))
    return show(charts.with_data(charts.panel(outcomes, weeks=first.weeks, labels=labels), frame.join(plan, on=["week", "outcome"])))


def gains(
    projections: Mapping[str, Projection], week: int, outcomes: Sequence[str] = ("mme_per_1000", "pain", "activity", "strength", "function")
) -> Markdown:
    """A table of differences from the baseline in one week, with their bands: a row for each projection, by its label."""
    heads = [f"{BY_NAME[name].label} ({BY_NAME[name].unit})" for name in outcomes]
    rows = [f"| Difference in week {week} | {' | '.join(heads)} |", f"|:--|{'--:|' * len(heads)}"]
    for label, projection in projections.items():
        cells = []
        for name in outcomes:
            one = compared(projection.weekly, name, week)
            cells.append(banded(one.difference, one.low, one.high, one.digits))
        rows.append(f"| {label} | {' | '.join(cells)} |")
    return Markdown("\n".join(rows))


def distance(trajectory: pl.DataFrame, other: pl.DataFrame) -> LiveChart:
    """How far pain, activity and strength of one mean patient lie from those of another: the first less the other."""
    gap = charts.cycle_rows(trajectory, other).with_columns(difference=pl.col("scenario") - pl.col("baseline"))
    empty = [pl.lit(None, dtype=pl.Float64).alias(f"difference_{end}") for end in ("low", "high")]
    weeks = int(gap["week"].to_list()[-1])
    return show(charts.with_data(charts.difference_panel(("pain", "activity", "strength"), weeks=weeks), gap.with_columns(empty)))


def words(of: object) -> Markdown:
    """A scenario or a projection in words, wrapped as the page is wide."""
    return Markdown("\n\n".join(str(of).splitlines()))


def table(frame: pl.DataFrame) -> Markdown:
    """A short frame as a table with whole sentences in it."""
    lines = [frame.columns, [":--"] * frame.width, *frame.rows()]
    return Markdown("\n".join(f"| {' | '.join(map(str, line))} |" for line in lines))


def show(chart: alt.ConcatChart) -> LiveChart:
    """Draw panels side by side in a notebook, as wide as it is, without a network."""
    return LiveChart(fitted(chart))
