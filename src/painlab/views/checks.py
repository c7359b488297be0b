"""Short tables and charts that put the model's answers to the test in a lesson: plans side by side, trials, what was learned, cuts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
from IPython.display import Markdown

from painlab import identification, lessons, trials, validation
from painlab.narrative import banded, plain
from painlab.outcomes import BY_NAME
from painlab.projection import Projection
from painlab.scenario import Scenario
from painlab.views import forest, identified, validity
from painlab.views.lessons import gains
from painlab.views.live_chart import LiveChart

Rows = Mapping[str, Mapping[str, Any]]
_USES: Final = {"calibrate": "the parameters were fitted to them", "validate": "held out"}
_METHODS: Final = {
    "last": "last month again",
    "seasonal_naive": "the same month last year",
    "constant": "mean of the last twelve months: what the patient model claims for unchanged care",
    "seasonal_trend": "season and trend by regression",
    "ets": "exponential smoothing",
}
_PARTS: Final = {
    "strength": "through strength",
    "sensitization": "through sensitization",
    "whole": "the whole cycle",
    "most": "the whole cycle, at the pain where it is largest",
}


def compare(scenario: Scenario | str, rows: Rows, *, week: int, outcomes: Sequence[str] = ("mme_per_1000", "pain", "function")) -> Markdown:
    """Differences from the baseline in one week for a scenario changed in several ways, a row for each, by its label.

    A row holds what `Scenario.change` takes. Its key `against` changes the care of the same plan into the baseline: with
    `{"physical_therapy": None}` the row is held against itself without that therapy. Raises InputError as `Scenario.change` does.
    """
    return gains({label: _run(scenario, row) for label, row in rows.items()}, week, outcomes)


def levels(scenario: Scenario | str, rows: Rows, outcome: str, *, week: int) -> Markdown:
    """One outcome in one week under baseline and plan, and their difference, for a scenario changed as in `compare`."""
    one = BY_NAME[outcome]
    lines = [f"| {one.label} in week {week} ({one.unit}) | baseline | this plan | difference |", "|:--|--:|--:|--:|"]
    for label, row in rows.items():
        projection = _run(scenario, row)
        before, after = (projection.level_of(outcome, week, arm).mean for arm in ("baseline", "scenario"))
        more = projection.difference(outcome, week)
        lines.append(f"| {label} | {plain(before, one.digits)} | {plain(after, one.digits)} | {banded(*more, one.digits)} |")
    return Markdown("\n".join(lines))


def _run(scenario: Scenario | str, row: Mapping[str, Any]) -> Projection:
    changes = dict(row)
    against = changes.pop("against", None)
    changed = (scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)).change(**changes)
    return lessons.run(changed if against is None else changed.change(baseline=changed.change(care=dict(against)).care.as_dict()))


def published(table: pl.DataFrame) -> LiveChart:
    """A table of `validation.table` as a forest plot that is drawn without a network."""
    inside = int(table["inside"].sum())
    said = f"{inside} of {table.height} predicted means lie inside the published interval."
    return LiveChart(forest.chart(table), description=f"Forest plot of virtual trials. {said}", summary=said)


def inside(table: pl.DataFrame) -> Markdown:
    """How many trials of each use the predicted mean meets."""
    lines = ["| Trials | how many | inside | share | wanted beforehand |", "|:--|--:|--:|--:|--:|"]
    for row in validation.summary(table).sort("use").iter_rows(named=True):
        wanted = f"{validity.WANTED[row['use']]:.0f} %"
        lines.append(f"| {_USES[row['use']]} | {row['trials']} | {row['inside']} | {row['share']:.0f} % | {wanted} |")
    return Markdown("\n".join(lines))


def misses(table: pl.DataFrame) -> Markdown:
    """Trials outside their interval, what we think the reason is, and the source."""
    known, reasons = {one.id: one for one in trials.shipped()}, validity.explanations()
    lines = ["| Trial | published | predicted | why, as far as we can guess | source |", "|:--|--:|--:|:--|:--|"]
    for row in table.filter(~pl.col("inside")).sort("use", "id").iter_rows(named=True):
        was, is_ = validation.figures(row)
        why = reasons.get(row["id"], {"why": "Not understood yet."})["why"]
        lines.append(f"| {row['title']} | {was} {row['unit']} | {is_} | {why} | {known[row['id']].source} |")
    return Markdown("\n".join(lines) if len(lines) > 2 else "No trial is outside its interval in this run.")


def learned(table: pl.DataFrame) -> LiveChart:
    """Prior and posterior of the parameters that the trials informed, from `identification.table`."""
    return LiveChart(identified.chart(table), description="Prior and posterior of the parameters that the trials informed most.")


def one_parameter(table: pl.DataFrame, *names: str) -> Markdown:
    """Prior and posterior of parameters by name, and whether the trials informed them."""
    lines = ["| Parameter | before the trials | after | informed |", "|:--|--:|--:|:--|"]
    for row in table.filter(pl.col("parameter").is_in(names)).sort("parameter").iter_rows(named=True):
        said = [f"{row[f'{when}_median']:.3g} ({row[f'{when}_low']:.3g} to {row[f'{when}_high']:.3g})" for when in ("prior", "posterior")]
        lines.append(
            f"| {row['parameter'].replace('_', ' ')} ({row['unit']}) | {said[0]} | {said[1]} | {'yes' if row['informed'] else 'no'} |"
        )
    return Markdown("\n".join(lines))


def uninformed(table: pl.DataFrame) -> Markdown:
    """Parameters about which the trials say nothing, and how many they are."""
    names = table.filter(~pl.col("informed"))["parameter"].sort()
    listed = ", ".join(name.replace("_", " ") for name in names)
    return Markdown(f"**{names.len()} of {table.height} parameters are not informed by any trial:** {listed}.")


def links(frame: pl.DataFrame) -> Markdown:
    """A frame of `identification.benefit`: what is left of each scenario's gain when links of the cycle are cut."""
    heads = [f"{BY_NAME[name].label} ({BY_NAME[name].unit})" for name in identification.SHOWN]
    lines = [f"| Scenario | what acts | {' | '.join(heads)} |", f"|:--|:--|{'--:|' * len(heads)}"]
    for (scenario, cut), rows in frame.group_by("scenario", "cut", maintain_order=True):
        by = {row["outcome"]: row for row in rows.iter_rows(named=True)}
        said = " | ".join(
            banded(by[name]["difference"], by[name]["low"], by[name]["high"], max(BY_NAME[name].digits, 2 * (name == "pain")))
            for name in identification.SHOWN
        )
        lines.append(f"| {scenario} | {identification.CUTS[str(cut)]} | {said} |")
    return Markdown("\n".join(lines))


def gain(before: pl.DataFrame, after: pl.DataFrame) -> Markdown:
    """Frames of `identification.cycle_gain` by prior and by posterior: the share of an added point of pain that comes back."""
    lines = ["| Part of the cycle | before the trials | after | sets in which it is next to nothing, after |", "|:--|--:|--:|--:|"]
    for old, new in zip(before.iter_rows(named=True), after.iter_rows(named=True), strict=True):
        said = [f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})" for one in (old, new)]
        lines.append(f"| {_PARTS[old['part']]} | {said[0]} | {said[1]} | {100 * new['zero']:.0f} % |")
    return Markdown("\n".join(lines))


def forecasts() -> Markdown:
    """How far forecasts of monthly demand were from what happened, from the last run that `painlab docs` has kept."""
    if not validity.forecasts_file().is_file():
        return Markdown("No forecasts have been kept yet: `painlab docs docs --monthly FOLDER` makes them from a folder of monthly demand.")
    kept = pl.read_csv(validity.forecasts_file()).sort("mase")
    lines = ["| Forecast of the next month | scaled error | median error | mean error | inside its interval |", "|:--|--:|--:|--:|--:|"]
    for row in kept.iter_rows(named=True):
        name = _METHODS.get(row["method"], row["method"])
        lines.append(f"| {name} | {row['mase']:.2f} | {row['median_ape']:.1f} % | {row['bias']:+.1f} % | {row['coverage']:.0f} % |")
    first = kept.row(0, named=True)
    months = f"{first['first'][:7]} to {first['last'][:7]}"
    what = f"{first['groups']} English commissioning groups, {months}; NHS prescribing data by OpenPrescribing.net"
    return Markdown("\n".join([*lines, "", f"*{what}. A scaled error of 1 is what the same month last year missed by in earlier months.*"]))
