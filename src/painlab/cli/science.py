"""The terminal's science: `painlab validate`, `painlab calibrate` and `painlab docs`."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from painlab.cli.terminal import Lines, Waiting, console_for_reading, table_with
from painlab.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from painlab.trials import Trial

IN_JSON: Final = (
    "id", "use", "kind", "week", "weeks", "published", "published_low", "published_high", "predicted", "predicted_low", "predicted_high",
    "gap", "inside", "source", "citation", "title", "outcome", "unit",
)  # fmt: skip


@click.command(
    short_help="Hold the model against published trials.",
    epilog="""\b
Examples:
  painlab validate
  painlab validate --use validate --plot forest.svg
  painlab validate my-trials.toml --draws 100 --json
  painlab validate --prior

\b
A trial is a table in a TOML file; data/README.md documents the keys.
inside: the predicted mean lies in the published interval. A row that fails
stays in the table, and the exit code is 0 even so, unless --strict.
In JSON, week is the trial's week, or the last one of its weeks.""",
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--draws", type=int, default=40, show_default=True, metavar="N", help="Sets of parameter values; one gives no interval.")
@click.option("--patients", type=int, default=1000, show_default=True, metavar="N", help="Patients in each arm and set.")
@click.option("--seed", type=int, default=1, show_default=True, metavar="N", help="Same seed, same numbers.")
@click.option("--use", type=click.Choice(["calibrate", "validate"]), help="Only trials of this use.")
@click.option("--prior", is_flag=True, help="Before calibration: draws of the prior.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Write a forest plot (.svg or .png).")
@click.option("--strict", is_flag=True, help="Exit with 1 if a trial is outside.")
@click.pass_context
def validate(
    ctx: click.Context, files: tuple[Path, ...], draws: int, patients: int, seed: int, use: str | None, prior: bool, as_json: bool,
    plot: Path | None, strict: bool,
) -> None:  # fmt: skip
    """Run virtual trials, ours or those of FILE, and print what was published beside what the model predicts."""
    if plot and plot.suffix not in (".svg", ".png"):
        raise InputError(f"the plot is to be {plot.name}", expected="a name that ends in .svg or .png", mend="Change --plot.")
    from painlab import posterior, trials, validation
    from painlab.simulation import parameter_sets, whole_number

    whole_number("draws", draws, 1, 2000)
    whole_number("patients", patients, 2, 1_000_000)
    whole_number("seed", seed, 0, 2**63 - 1)
    chosen = [trial for path in files for trial in trials.read(path)] if files else list(trials.shipped())
    chosen = [trial for trial in chosen if use in (None, trial.use)]
    if not chosen:
        raise InputError(f"no trial is marked {use}", expected="at least one trial", mend="Leave --use out, or name another file.")
    kind = "prior" if prior else "posterior"
    say_if_stale(kind)
    with Waiting() as waiting:
        found = validation.predict(chosen, parameter_sets(draws, seed, kind), patients=patients, seed=seed, progress=waiting.show)
    table = validation.table(chosen, found)
    if as_json:
        click.echo(json.dumps(records_for_json(chosen, table), indent=1))
    else:
        _print(chosen, table, validation.summary(table), draws, patients, posterior.in_use(kind))
    if plot:
        from painlab.views import charts, forest

        charts.save(forest.chart(table), plot)
        click.echo(f"Written to {plot}", err=as_json)
    ctx.exit(1 if strict and not table["inside"].all() else 0)


def records_for_json(chosen: "list[Trial]", table: "pl.DataFrame") -> list[dict[str, Any]]:
    """The table as objects with the keys `IN_JSON`; week is the trial's week, or the last one of its `weeks`."""
    found = []
    for trial, row in zip(chosen, table.iter_rows(named=True), strict=True):
        whole = row | {"source": trial.source, "citation": row["source"], "week": trial.weeks[1], "weeks": list(trial.weeks)}
        found.append({key: whole[key] for key in IN_JSON})
    return found


def _print(chosen: "list[Trial]", table: "pl.DataFrame", summary: "pl.DataFrame", draws: int, patients: int, kind: str) -> None:
    from painlab import validation

    console = console_for_reading()
    sets = f"{draws} {kind} sets of parameter values" if draws > 1 else f"the central values of the {kind}"
    console.print(f"{len(chosen)} virtual trials, {patients:,} patients in each arm, {sets}. Figures are on the model's scale.")
    for use in table["use"].unique(maintain_order=True):
        shown = table_with("trial", "week", "published", "predicted", "gap", "verdict")
        for column in shown.columns[1:]:
            column.justify, column.no_wrap = "right", True
        for trial, row in zip(chosen, table.iter_rows(named=True), strict=True):
            if row["use"] == use:
                published, predicted = validation.figures(row)
                gap = "" if row["gap"] is None else f"{row['gap']:+.1f}"
                verdict = "inside" if row["inside"] else "OUTSIDE"
                shown.add_row(f"{trial.title} ({trial.source})", row["week"], published, predicted, gap, verdict)
        console.print(f"\n[bold]{use}[/bold]")
        console.print(shown)
    console.print()
    for row in summary.iter_rows(named=True):
        console.print(f"{row['use']}: {row['inside']} of {row['trials']} inside the published interval ({row['share']:.0f} %).")
    console.print("gap: predicted less published, in standard errors of the published figure.")


@click.command(
    short_help="Calibrate the parameters on the trials.",
    epilog="""\b
Examples:
  painlab calibrate
  painlab calibrate --seed 2 --out other.parquet

\b
It takes up to half an hour on two cores, and saves its work as it goes:
the same command after a stop goes on where it was.""",
)
@click.option("--members", type=int, metavar="N", help="Parameter sets, at least 300. [default: 500]")
@click.option("--patients", type=int, metavar="N", help="Patients in each arm and set. [default: 400]")
@click.option("--steps", type=int, metavar="N", help="Steps of the smoother. [default: 8]")
@click.option("--seed", type=int, metavar="N", help="Same seed, same draws. [default: 1]")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to write. [default: data/posterior.parquet]")
@click.option("--fresh", is_flag=True, help="Begin anew, whatever was saved.")
@click.option("--recovery", is_flag=True, help="Test the method instead: do known parameters come back? Writes data/validity/recovery.csv.")
def calibrate(out: Path | None, fresh: bool, recovery: bool, **numbers: int | None) -> None:
    """Find parameter sets that the trials marked calibrate allow, and write them as the posterior."""
    from painlab.calibration import recovery as recovering
    from painlab.calibration import run
    from painlab.simulation import whole_number

    given = {name: value for name, value in numbers.items() if value is not None}
    limits = {"members": (run.FEWEST_MEMBERS, 10_000), "patients": (50, 100_000), "steps": (1, 50), "seed": (0, 2**63 - 1)}
    for name, value in given.items():
        whole_number(name, value, *limits[name])
    began = time.monotonic()
    with Waiting("calibrating") as waiting:
        show = Lines(waiting)
        if recovery:
            path: Path | None = recovering.write(progress=show, seed=given.get("seed", 1))
        else:
            path = run.calibrate(path=out, fresh=fresh, progress=show, **given).path  # type: ignore[arg-type]
    click.echo(f"Written to {path} after {(time.monotonic() - began) / 60.0:.1f} minutes.")


@click.command(
    short_help="Write the generated pages of the documentation.",
    epilog="""\b
Example:
  painlab docs docs""",
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--draws", type=int, default=100, show_default=True, metavar="N", help="Sets of parameter values behind the figures.")
@click.option("--monthly", type=click.Path(path_type=Path), metavar="DIR", help="Folder of monthly demand, to forecast anew.")
def docs(folder: Path, draws: int, monthly: Path | None) -> None:
    """Write validation.md with its plots and the pages of the mechanisms into FOLDER."""
    from painlab.simulation import whole_number
    from painlab.views import validity

    whole_number("draws", draws, 2, 2000)
    say_if_stale("posterior")
    with Waiting("writing pages") as waiting:
        written = validity.write_pages(folder, draws=draws, monthly=monthly, progress=waiting.show)
    click.echo(f"Written to {folder}: {len(written)} files.")


def say_if_stale(kind: str) -> None:
    """Say on stderr that the posterior is stale, if it was to be used; the run then takes the prior."""
    import warnings

    from painlab import posterior
    from painlab.simulation import StalePosterior

    found = posterior.load() if kind == "posterior" else None
    if found and found.changed:
        click.echo(f"painlab: {found.complaint()}", err=True)
        warnings.simplefilter("ignore", StalePosterior)
