"""The terminal: `painlab list`, `show`, `project`, `sweep`, `trajectories` and the rest; `painlab --help` lists them all.

Exit codes: 0; 2 for input that cannot be used; 1 if PainLab itself fails; 130 if it is stopped by the keyboard.
"""

import threading
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from painlab.cli import app, compare, records, scale, science, talk, teach
from painlab.cli.terminal import Commands, Waiting, console_for_reading, table_with
from painlab.errors import InputError

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from painlab.projection import Projection

AVERAGED: Final = (
    "mme_per_1000", "pain", "function", "on_opioids", "dose_50_plus", "dose_90_plus", "activity", "strength", "side_effects",
    "overdose_hazard", "sessions", "injections", "visits", "cost", "mme_total", "patients_in_care",
)  # fmt: skip
AT_THE_END: Final = (
    "mme_per_1000", "pain", "function", "on_opioids", "long_term_therapy", "new_persistent_use", "activity", "strength", "goal_reached",
)  # fmt: skip


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
Examples:
  painlab list
  painlab show early-pt
  painlab project early-pt --out out

It teaches and explores; it advises no individual patient.""",
)
@click.version_option(package_name="painlab", message="painlab %(version)s")
def main() -> None:
    """Project opioid demand, with pain and function, under a care plan and its baseline."""


@main.command(
    "list",
    short_help="List the scenarios that ship.",
    epilog="""\b
Example:
  painlab list""",
)
def list_scenarios() -> None:
    """List the scenarios that ship: name, condition, title and the question each asks."""
    from painlab.tables import data_folder

    # Read directly: a validated Scenario brings the compiler, and a list should not take two seconds.
    every = [tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted((data_folder() / "scenarios").glob("*.toml"))]
    for one in sorted(every, key=lambda one: (one["baseline"] != one["name"], one["name"])):
        click.echo(f"{click.style(one['name'], bold=True)}: {one['title']} ({one['population']['condition']})")
        click.echo(click.wrap_text(one["question"], 78, "  ", "  ") + "\n")


@main.command(
    short_help="Show a scenario in words and as TOML.",
    epilog="""\b
Examples:
  painlab show early-pt
  painlab show early-pt --toml > mine.toml
  painlab project mine.toml""",
)
@click.argument("scenario", metavar="NAME_OR_FILE")
@click.option("--toml", is_flag=True, help="Print only the TOML, to be changed and projected.")
def show(scenario: str, toml: bool) -> None:
    """Show a scenario: its care plan in words, and the TOML to start one of your own from."""
    from painlab.scenario import Scenario

    chosen = Scenario.load(scenario)
    if not toml:
        console = console_for_reading()
        for paragraph in str(chosen).splitlines():
            console.print(paragraph, end="\n\n")
    click.echo(chosen.to_toml(), nl=False)


@main.command(
    short_help="Project a scenario against its baseline.",
    epilog="""\b
Examples:
  painlab project early-pt
  painlab project early-pt --out out
  painlab project mine.toml --weeks 52 --draws 200 --seed 7 --out out --force
  painlab project coordinated-care --cut weakness_to_pain
  painlab project PL1-...          a code from the explorer
  painlab project deck.html        a deck's own run, with its own settings

\b
Files written with --out:
  weekly.csv, weekly.parquet  both arms and their difference by week
  demand.svg, demand.png      opioid demand with pain and function beside it
  provenance.json             version, scenario, seed, hashes of data""",
)
@click.argument("scenario", metavar="NAME_OR_FILE")
@click.option("--patients", type=int, metavar="N", help="Patients in each parameter draw. [default: 1000]")
@click.option("--weeks", type=int, metavar="N", help="Horizon in weeks. [default: the scenario's]")
@click.option("--seed", type=int, metavar="N", help="Same seed, same numbers. [default: 1]")
@click.option("--draws", type=int, metavar="N", help="Parameter draws; 1 takes the central values, without a band. [default: 40]")
@click.option(
    "--cut",
    multiple=True,
    metavar="LINK",
    help="Cut a link of the cycle: pain_to_activity, activity_to_strength or weakness_to_pain. May be repeated.",
)
@click.option("--threads", type=int, metavar="N", help="Threads at work; they do not change the numbers. [default: all cores]")
@scale.elsewhere_options
@click.option("--prior", is_flag=True, help="Draws of the prior in place of the calibrated ones.")
@click.option("--run", type=int, metavar="N", help="Which run of a deck that has several. [default: the first]")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for numbers, pictures and provenance.")
@click.option("--force", is_flag=True, help="Overwrite files in DIR.")
def project(
    scenario: str, out: Path | None, force: bool, prior: bool, cut: tuple[str, ...], dask: str | None, processes: int | None,
    run: int | None, **numbers: int | None,
) -> None:  # fmt: skip
    """Project a scenario, or that of a deck, against its baseline, on the same patients."""
    if out:
        threading.Thread(target=_start_drawing_library).start()
    from painlab.projection import check_folder
    from painlab.scenario import Scenario
    from painlab.simulation import simulate

    given: dict[str, Any] = {name: value for name, value in numbers.items() if value is not None}
    given |= {**({"cut": cut} if cut else {}), **({"parameters": "prior"} if prior else {})}
    if scenario.lower().endswith((".html", ".pptx", ".pdf")):
        chosen, given = talk.opened(scenario, given, run)
    elif run is not None:
        raise InputError("--run is given, but this is no deck", expected="deck.html, .pptx or .pdf with --run N", mend="Leave it out.")
    else:
        chosen = Scenario.load(scenario)
    if out:
        check_folder(out, force=force)
    science.say_if_stale(given.get("parameters", "posterior"))
    with scale.elsewhere(dask, processes) as executor, Waiting() as waiting:
        projection = simulate(chosen, executor=executor, progress=waiting.show, **given)
    _report(projection)
    if out:
        from painlab.views import pictures

        projection.save(out, force=force, pictures=lambda folder: pictures.write(projection, folder))
        console_for_reading().print(f"\nWritten to {out}: weekly.csv, weekly.parquet, demand.svg, demand.png, provenance.json")


@main.command(
    short_help="Say where a number comes from.",
    epilog="""\b
Examples:
  painlab evidence opioid_half_dose
  painlab evidence physical_therapy
  painlab evidence T05-01""",
)
@click.argument("name")
def evidence(name: str) -> None:
    """Say where a number comes from: a parameter, a treatment, or a row of the evidence table."""
    from painlab.views import ledger

    table = table_with("", "")
    table.show_header = False
    for term, text in ledger.record(name):
        table.add_row(term, text)
    console_for_reading().print(table)


def _report(projection: "Projection") -> None:
    """Print the tables and the sentences of a projection."""
    from painlab import narrative

    console = console_for_reading()
    console.print(projection.scenario.title, style="bold")
    size = f"{projection.patients:,} patients in each of {projection.draws:,} parameter draws, seed {projection.seed}"
    console.print(f"{size}; scenario and baseline on the same patients.")
    if projection.cut:
        console.print(f"Links cut: {', '.join(projection.cut)}.")
    averages = narrative.horizon_averages(projection.weekly) if projection.averages is None else projection.averages
    console.print(f"\nMean over {narrative.horizon_words(projection.weeks)}:")
    console.print(_outcomes(averages, AVERAGED))
    console.print(f"\nIn week {projection.weeks}:")
    console.print(_outcomes(projection.weekly, AT_THE_END, projection.weeks))
    console.print(f"\n{projection}")


def _outcomes(frame: "pl.DataFrame", names: tuple[str, ...], week: int | None = None) -> "Table":
    """A table of outcomes in both arms; demand, pain and function stand first."""
    from painlab import narrative
    from painlab.outcomes import BY_NAME

    table = table_with("outcome", "unit", "baseline", "scenario", "difference")
    for column in table.columns[2:]:
        column.justify = "right"
    present = set(frame["outcome"])
    for name in (one for one in names if one in present):
        one, outcome = narrative.compared(frame, name, week), BY_NAME[name]
        band = narrative.interval(one.low, one.high, one.digits)
        difference = narrative.signed(one.difference, one.digits) + (f"\n({band})" if band else "")
        levels = (narrative.plain(one.baseline, one.digits), narrative.plain(one.scenario, one.digits))
        table.add_row(outcome.label, outcome.unit, *levels, difference)
    return table


def _start_drawing_library() -> None:
    """Draw nothing, once, so that the library has started when it is needed; it takes half a second beside other work."""
    import vl_convert

    vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"}, allowed_base_urls=[])


for _command in (
    compare.compare,
    compare.levers,
    scale.sweep,
    scale.trajectories,
    scale.plan,
    science.validate,
    science.calibrate,
    science.docs,
    records.doctor,
    talk.slides,
    talk.figure,
    teach.lessons,
    app.app,
):
    main.add_command(_command)
