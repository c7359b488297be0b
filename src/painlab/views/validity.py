"""The generated pages: docs/validation.md with its plots, by the five kinds of validity of ISPOR-SMDM, and the pages of the mechanisms.

Eddy 2012, doi:10.1016/j.jval.2012.04.012: face, verification, cross, external and predictive validity.
"""

import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from painlab import catalog, forecasting, identification, narrative, parameters, posterior, trials, validation
from painlab.calibration import recovery
from painlab.engine import phase
from painlab.engine.setting import Setting
from painlab.errors import InputError
from painlab.scenario import Scenario, shipped
from painlab.tables import data_folder
from painlab.views import charts, forest, identified, mechanisms
from painlab.views import phase as phase_charts

PAGE: Final = "validation.md"
WANTED: Final = {"calibrate": 85.0, "validate": 75.0}  # shares inside that were asked for before any trial was run
LONG_RUN_OF: Final = "low_back_pain_persistent"
GAIN_OF: Final = ("low_back_pain_persistent", "knee_osteoarthritis", "low_back_pain_acute")
Progress = Callable[[int, int], None]


def write_pages(
    folder: Path, *, draws: int = 100, patients: int = 1000, monthly: Path | None = None, progress: Progress | None = None
) -> list[Path]:
    """Write validation.md, its plots and the pages of the mechanisms into a folder, and return their paths.

    monthly is the folder of monthly demand for the forecasts; without it those of the last run, kept in data/validity, are shown. Raises
    InputError without a current posterior.
    """
    identification.table()  # refuses a stale posterior before the long work
    chosen = trials.shipped()
    values = identification.sets("posterior", draws)
    table = validation.table(chosen, validation.predict(chosen, values, patients=patients, progress=progress))
    folder.mkdir(parents=True, exist_ok=True)
    pictures = folder / "validation"
    pictures.mkdir(exist_ok=True)
    written = []
    for use in ("calibrate", "validate"):
        written.append(charts.save(forest.chart(table.filter(pl.col("use") == use)), pictures / f"{use}.svg"))
    informed = identification.table()
    written.append(charts.save(identified.chart(informed), pictures / "identification.svg"))
    if monthly is not None:
        keep_forecasts(monthly)
    page = folder / PAGE
    parts = [
        _head(table, draws, patients), _face(), _verification(), _cross(values), _external(table), _failures(table), _predictive(),
        _identification(informed, draws), _recovery(), _long_run(values, pictures),
    ]  # fmt: skip
    written += [pictures / f"{name}.svg" for name in ("portrait", "bifurcation")]
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return [page, *written, *mechanisms.write_pages(folder)]


def _head(table: pl.DataFrame, draws: int, patients: int) -> str:
    found = posterior.current()
    assert found is not None
    made = found.made
    lines = []
    for row in validation.summary(table).sort("use").iter_rows(named=True):
        verdict = "reached" if row["share"] >= WANTED[row["use"]] else "not reached"
        lines.append(f"| {row['use']} | {row['trials']} | {row['inside']} | {row['share']:.0f} % | {WANTED[row['use']]:.0f} %: {verdict} |")
    return f"""# Validation

This page is written by the software (`make docs`, or `painlab docs docs`) and says how far the model may be believed. Each row of the tables
is a published figure with the simulation that should reproduce it ([data/trials](../data/trials), format in [data/README.md](../data/README.md)).
Nothing here was edited by hand; failures stay.

| use | trials | inside | share | wanted |
| --- | --- | --- | --- | --- |
{chr(10).join(lines)}

*Inside*: the predicted mean lies in the published 95 % interval, or in the tolerance that the trial states where none was published. Tolerances
were written down before any trial was run, and were not changed after. Trials marked *calibrate* set the parameters; those marked *validate* set
nothing. Predictions are means over {draws} draws of the posterior, {patients:,} patients in each arm; no trial has a parameter of its own.

The posterior was made by {made["method"]} with {made["members"]} members, {made["patients"]} patients in each arm, {made["steps"]} steps and seed
{made["seed"]}; SHA-256 of the file {found.sha256[:16]}... . `painlab validate` prints these tables, for any file of trials.

### How it came to this

What was seen after each change of the model. The trials kept for validation were run for the first time when the table says so.

{_history()}"""


def _history() -> str:
    lines = ["| date | state | calibrate, inside | validate, inside |", "| --- | --- | --- | --- |"]
    for row in pl.read_csv(data_folder() / recovery.FOLDER / "history.csv").iter_rows(named=True):
        seen = "not looked at" if row["validate_inside"] is None else f"{row['validate_inside']} of {row['validate_trials']}"
        lines.append(f"| {row['date']} | {row['state']} | {row['calibrate_inside']} of {row['calibrate_trials']} | {seen} |")
    return "\n".join(lines)


def _face() -> str:
    pages = "\n".join(f"- [{one.title}](mechanisms/{name}.md)" for name, one in mechanisms.mechanisms().items())
    return f"""## Face validity

One page a mechanism, with its equation, its response curve, what speaks for and against it, and questions that a clinician can answer with yes or
no. No clinician outside of the team has answered them yet.

{pages}"""


def _verification() -> str:
    return """## Verification

Does the program compute what docs/model.md says? `make test ARGS="tests/verification tests/test_dynamics.py tests/test_care.py tests/engine"` runs:

- each equation against a number worked out by hand, and against the laws that it must obey;
- the compiled cohort against one patient stepped by hand in plain Python;
- laws for any plan, population and parameters: a plan against itself differs by nothing, outcomes stay in their bounds, demand is nothing without
  opioids, sums do not depend on threads or blocks;
- the mean patient against scipy's integrators, and against the cohort as spread goes to zero;
- calibration against the closed form of a linear model."""


def _cross(values: Sequence[identification.Values]) -> str:
    found = identification.benefit([Scenario.load("opioid-sparing-start")], values[:20], patients=300)
    rows = {row["outcome"]: row for row in found.filter(pl.col("cut") == "whole").iter_rows(named=True)}
    overdose = identification.change_of("overdose_hazard", Scenario.load("opioid-sparing-start"), values[:20])
    demand = rows["mme_per_1000"]
    agrees = "agrees" if overdose[2] < 0.0 else "is not settled" if overdose[0] < 0.0 else "disagrees"
    return f"""## Cross validity

Published models of opioid policy simulate a nation with misuse, heroin and deaths; PainLab simulates patients in care. Little can be compared:

| published model | what it found | here |
| --- | --- | --- |
| Pitt 2018 (T15-02) | less prescribing lowers deaths from prescribed opioids, and raises heroin deaths | opioid-sparing start: overdose hazard {overdose[0]:+.2f} ({overdose[1]:+.2f} to {overdose[2]:+.2f}) per 1,000 patient-years: the first part {agrees}; heroin is not in this model |
| Chen 2019 (T15-01) | less new misuse averts at most 3 to 5 % of overdose deaths in ten years | not comparable: no deaths and no misuse here; demand of those in care changes by {_interval(demand, 0)} MME/day per 1,000 |
| Stringfellow 2022 (T15-04) | harm reduction first, prescribing not among the first three | not comparable: treatment of addiction and naloxone are not in this model |"""


def _external(table: pl.DataFrame) -> str:
    parts = ["## External validity: the trials"]
    for use, words in (("validate", "### Trials kept for validation"), ("calibrate", "### Trials that the parameters were calibrated on")):
        rows = table.filter(pl.col("use") == use)
        parts += [words, f"![Forest plot of the {use} trials](validation/{use}.svg)", _table(rows)]
    return "\n\n".join(parts)


def _table(rows: pl.DataFrame) -> str:
    lines = ["| trial | week | published | predicted | gap | verdict | source |", "| --- | --- | --- | --- | --- | --- | --- |"]
    known = {trial.id: trial for trial in trials.shipped()}
    for row in rows.iter_rows(named=True):
        published, predicted = validation.figures(row)
        verdict = "inside" if row["inside"] else "**outside**"
        gap = "" if row["gap"] is None else f"{row['gap']:+.1f}"
        lines.append(
            f"| {row['title']} | {row['week']} | {published} {row['unit']} | {predicted} | {gap} | {verdict} | {known[row['id']].source} |"
        )
    return "\n".join(lines)


def explanations() -> dict[str, dict[str, str]]:
    """What is written of trials that fail, by id: `why` (what the model lacks) and `needs` (what it would take to explain the figure)."""
    path = data_folder() / recovery.FOLDER / "explanations.toml"
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    for name, one in found.items():
        if set(one) != {"why", "needs"}:
            raise InputError(f"{name} has the keys {', '.join(one)}", where=path.name, expected="why and needs")
    return found


def _failures(table: pl.DataFrame) -> str:
    failed = table.filter(~pl.col("inside"))
    if failed.is_empty():
        return "## Failures\n\nNo trial is outside its interval in this run."
    known = explanations()
    lines = [
        "## Failures, and what it would take to explain them",
        "",
        "| trial | gap | why | what it would take |",
        "| --- | --- | --- | --- |",
    ]
    for row in failed.sort("use", "id").iter_rows(named=True):
        said = known.get(row["id"], {"why": "not understood yet", "needs": "to be found out"})
        gap = "" if row["gap"] is None else f"{row['gap']:+.1f}"
        lines.append(f"| {row['title']} ({row['use']}) | {gap} | {said['why']} | {said['needs']} |")
    return "\n".join(lines)


def forecasts_file() -> Path:
    """Where the accuracy of the last forecasts is kept, for the page."""
    return data_folder() / recovery.FOLDER / "forecasts.csv"


def keep_forecasts(monthly: Path) -> pl.DataFrame:
    """Forecast the held-out months of a folder of monthly demand, and keep how accurate that was in data/validity."""
    found = forecasting.predictive_validity(monthly)
    kept = found.accuracy.filter(pl.col("groups") == "all").drop("groups")
    kept = kept.with_columns(groups=pl.lit(found.groups), first=pl.lit(str(found.months[0])), last=pl.lit(str(found.months[1])))
    kept.with_columns(pl.col(pl.Float64).round(4)).write_csv(forecasts_file())
    return kept


def _predictive() -> str:
    if not forecasts_file().is_file():
        return "## Predictive validity\n\nNot run yet: `painlab docs docs --monthly FOLDER` forecasts the monthly demand of a folder."
    kept = pl.read_csv(forecasts_file())
    words = {
        "last": "last month", "seasonal_naive": "same month last year", "constant": "mean of the last twelve months",
        "seasonal_trend": "season and trend by regression", "ets": "exponential smoothing (statsmodels)",
    }  # fmt: skip
    lines = ["| forecast | scaled error | median error | mean error | inside its 95 % interval |", "| --- | --- | --- | --- | --- |"]
    for row in kept.sort("mase").iter_rows(named=True):
        name = words.get(row["method"], row["method"])
        lines.append(f"| {name} | {row['mase']:.2f} | {row['median_ape']:.1f} % | {row['bias']:+.1f} % | {row['coverage']:.0f} % |")
    first = kept.row(0, named=True)
    return f"""## Predictive validity

Real outcomes that were held out: monthly opioid demand (oral morphine equivalent per 1,000 patients) of {first["groups"]} English commissioning groups,
{first["first"][:7]} to {first["last"][:7]}, each month forecast one step ahead from earlier months alone (`painlab.forecasting`; NHS prescribing data by
OpenPrescribing.net, not part of PainLab). Scaled error: mean absolute error over that of the same month a year before within the earlier months.

{chr(10).join(lines)}

This is a baseline of demand, not a test of causes. The patient model has no trend of its own: with care unchanged it claims constant demand, which
is the row "mean of the last twelve months". Demand fell in 2018, so that this was too high by the mean error; a scenario's difference from its
baseline says nothing of such a trend. Exponential smoothing did not do better by scaled error, and its intervals were too narrow."""


def _identification(informed: pl.DataFrame, draws: int) -> str:
    yes, no = informed.filter(pl.col("informed")), informed.filter(~pl.col("informed"))
    lines = ["| parameter | prior | posterior | spread | shift |", "| --- | --- | --- | --- | --- |"]
    for row in yes.iter_rows(named=True):
        prior = f"{row['prior_median']:.3g} ({row['prior_low']:.3g} to {row['prior_high']:.3g})"
        after = f"{row['posterior_median']:.3g} ({row['posterior_low']:.3g} to {row['posterior_high']:.3g})"
        lines.append(f"| {row['parameter']} | {prior} | {after} | {row['spread']:.2f} | {row['shift']:+.1f} |")
    names = ", ".join(f"`{name}`" for name in no["parameter"].sort())
    return f"""## What identifies what

Medians and 95 % intervals. *Spread* is the posterior's standard deviation where the prior's is 1; *shift* is how far the mean moved, in the prior's
standard deviations. A parameter counts as informed below a spread of {identification.INFORMED_SPREAD} or beyond a shift of
{identification.INFORMED_SHIFT}.

![Prior and posterior of the informed parameters](validation/identification.svg)

{chr(10).join(lines)}

**Not informed by these trials** ({no.height} of {informed.height}): {names}. What the model says about them is what was assumed.

{_gains(draws)}

{_links(draws)}"""


def _gains(draws: int) -> str:
    lines = ["| condition | part | prior | posterior | posterior below 0.01 |", "| --- | --- | --- | --- | --- |"]
    words = {
        "strength": "through strength",
        "sensitization": "through sensitization",
        "whole": "whole",
        "most": "whole, at the pain where it is largest",
    }
    for condition in GAIN_OF:
        scenario = Scenario.load("usual-care").change(name="gain", population={"condition": condition}, baseline={})
        before = identification.cycle_gain(scenario, identification.sets("prior", draws))
        after = identification.cycle_gain(scenario, identification.sets("posterior", draws))
        for old, new in zip(before.iter_rows(named=True), after.iter_rows(named=True), strict=True):
            said = [f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})" for one in (old, new)]
            lines.append(f"| {condition.replace('_', ' ')} | {words[old['part']]} | {said[0]} | {said[1]} | {100 * new['zero']:.0f} % |")
    return f"""### The cycle's gain

How much of an added point of pain comes back through the cycle in the long run, in the typical patient (`painlab.engine.phase`). At 0 there is no cycle;
from 1 on there would be a tipping point.

{chr(10).join(lines)}"""


def _links(draws: int) -> str:
    scenarios: Iterable[Scenario] = [one for one in shipped() if one.baseline != one.name]
    found = identification.benefit(scenarios, identification.sets("posterior", min(draws, 40)), patients=300)
    lines = ["| scenario | what acts | demand, MME/day per 1,000 | pain | function |", "| --- | --- | --- | --- | --- |"]
    for (scenario, cut), rows in found.group_by(["scenario", "cut"], maintain_order=True):
        by = {row["outcome"]: row for row in rows.iter_rows(named=True)}
        said = [_interval(by[name], digits) for name, digits in (("mme_per_1000", 0), ("pain", 2), ("function", 1))]
        lines.append(f"| {scenario} | {identification.CUTS[str(cut)]} | {' | '.join(said)} |")
    return f"""### What each link earns

Each scenario less its baseline, averaged over its horizon, with links of the cycle cut. What the whole model gains over the model without links is what
the cycle adds.

{chr(10).join(lines)}"""


def _interval(row: dict[str, Any], digits: int) -> str:
    return f"{narrative.signed(row['difference'], digits)} ({narrative.interval(row['low'], row['high'], digits)})"


def _long_run(values: Sequence[identification.Values], pictures: Path) -> str:
    """The section on the mean patient's long run; writes its two pictures."""
    center = posterior.values()
    p = parameters.scalars(center)
    scenario = Scenario.load("usual-care").change(name="long-run", population={"condition": LONG_RUN_OF}, baseline={})
    setting = Setting.of(scenario, center)
    end = 10.0  # four times what the prior allows, to show where a tipping point would be
    drawn = {
        "portrait": phase_charts.portrait(setting, p),
        "bifurcation": phase_charts.bifurcation_chart(setting, p, "sensitization_pain", 0.0, end),
    }
    for name, chart in drawn.items():
        charts.save(chart, pictures / f"{name}.svg")
    folds = phase.fold(setting, p, "sensitization_pain", 0.0, end)
    first = "no second state appears up to four times the prior's highest value"
    if folds:
        first = f"a second state would first appear at {folds[0].value:.2g}, {'within' if folds[0].within_prior else 'outside'} its prior"
    surveyed = phase.survey(scenario, values)
    two = 100.0 * float(np.mean(surveyed["stable_states"].to_numpy() > 1))
    most = float(surveyed["most_gain"].to_numpy().max())
    return f"""## The mean patient's long run

The typical patient of the condition {catalog.labels("conditions")[LONG_RUN_OF].lower()}, at the middle of the posterior, without treatment (`painlab.engine.phase`). {phase.in_words(setting, p)}

Over {surveyed.height} draws of the posterior {two:.0f} % have two stable states; the largest gain at any pain is {most:.2f}. As sensitization adds more pain,
{first}.

![Phase portrait of strength and pain: nullclines, the stable state, and paths toward it](validation/portrait.svg)

![Pain in the long run as sensitization adds more pain; the prior's range is shaded](validation/bifurcation.svg)"""


def _recovery() -> str:
    if not recovery.file().is_file():
        return "## Parameter recovery\n\nNot run yet: `painlab calibrate --recovery` tests the method."
    found = pl.read_csv(recovery.file())
    lines = ["| parameters | interval | covered | comparisons |", "| --- | --- | --- | --- |"]
    for row in recovery.coverage(found).iter_rows(named=True):
        covered = "" if row["covered"] is None else f"{100 * row['covered']:.0f} %"
        lines.append(f"| {row['parameters']} | {100 * row['level']:.0f} % | {covered} | {row['n']:,} |")
    return f"""## Parameter recovery

{found["truth"].n_unique()} sets of known parameters were drawn from the prior. From each, synthetic figures of the calibrate trials were made with the published
errors and calibrated in the same way ({recovery.MEMBERS} members, {recovery.STEPS} steps). If the method is sound, its intervals cover the known values at their nominal rate.
*Informed* are the comparisons in which the spread fell below nine tenths of the prior's.

{chr(10).join(lines)}"""
