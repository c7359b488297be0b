"""The terminal's large runs: `painlab sweep`, `painlab trajectories`, `painlab plan`, and where any run's work is sent."""

import shlex
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from painlab.cli import science
from painlab.cli.terminal import Lines, Stopped, Waiting, console_for_reading, table_with
from painlab.errors import InputError

if TYPE_CHECKING:
    from painlab.swept import Sweep

AVERAGED: Final = ("mme_per_1000", "pain", "function")
_PROCESSES = click.option("--processes", type=int, metavar="N", help="Work in so many new processes of this machine in place of threads.")
_DASK = click.option(
    "--dask", metavar="ADDRESS", help="Work on the Dask cluster whose scheduler is there, such as tcp://10.0.0.5:8786, or its file (.json)."
)


@contextmanager
def elsewhere(dask: str | None, processes: int | None) -> Iterator[Executor | None]:
    """An executor for --dask or --processes, as long as it is needed; None for threads of this process. Raises InputError."""
    from painlab.engine import machines
    from painlab.simulation import whole_number

    if dask is not None and processes is not None:
        raise InputError("both --dask and --processes are given", expected="one of them", mend="Leave one out.")
    if dask is not None:
        with machines.connect(dask) as client:
            yield machines.executor_of(client)
    elif processes is not None:
        pool = machines.processes(whole_number("processes", processes, 1, machines.MOST_PROCESSES))
        try:
            yield pool
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
    else:
        yield None


def elsewhere_options(command: Any) -> Any:
    """Give a command the options --processes and --dask."""
    return _PROCESSES(_DASK(command))


@contextmanager
def _going_on() -> Iterator[None]:
    """Say what was set aside, and how a run goes on that was stopped or that failed."""
    from painlab.durable import SetAside

    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always", SetAside)
        try:
            yield
        except KeyboardInterrupt as error:
            raise Stopped(f"{error}" if error.args else "stopped; nothing was written.") from None
        except Exception as error:
            for note in getattr(error, "__notes__", ()):
                click.echo(f"painlab: {note}", err=True)
            raise
        finally:
            for one in noticed:
                if issubclass(one.category, SetAside):
                    click.echo(f"painlab: {one.message}", err=True)
                else:
                    warnings.showwarning(one.message, one.category, one.filename, one.lineno)


def _command(name: str, words: tuple[str, ...], options: dict[str, Any]) -> str:
    """The command line that asks for the same: its words, and the options that were given."""
    line = ["painlab", name, *words]
    for option, value in options.items():
        many = value if isinstance(value, tuple) else (value,)
        for one in many:
            if one is True:
                line.append(f"--{option}")
            elif one is not None and one is not False:
                line += [f"--{option}", str(one)]
    return shlex.join(line)


@click.command(
    short_help="Project many scenarios into a folder; survives a stop.",
    epilog="""\b
Examples:
  painlab sweep early-pt late-pt coordinated-care --out sweep
  painlab sweep early-pt --patients 1000000 --draws 200 --out large
  painlab sweep early-pt --out sweep --dask tcp://10.0.0.5:8786
  painlab sweep --out sweep --show
  painlab sweep early-pt --lever physical_therapy.start_week=0,2,8 \\
      --lever prescribing.opioid_start=0.5:1.5:5 --out grid
  painlab sweep early-pt --lever population.pain=mild:severe \\
      --lever coordination=0:1 --design latin:200 --out sample

\b
A lever takes values with commas between, low:high:count, or named levels;
`painlab levers` lists the levers. Every combination is a scenario, at most
2,000; with --design latin:N so many points are spread over low:high.
The same command after a stop, whatever stopped it, goes on where it was.
Files in DIR:
  results.parquet      both arms and their difference by scenario and week
  draws/NAME.parquet   means of every parameter draw
  parameters.parquet   parameter values of every draw
  sweep.json           what was asked, version, hashes of data
  parts/               what is finished so far
And with --lever:
  levers.parquet       values of the levers by scenario
  summary.parquet      means over the horizon by scenario and outcome
  effects.parquet      what each lever does to demand, pain and function
  levers.svg, .png     for one or two levers""",
)
@click.argument("scenarios", nargs=-1, metavar="[NAME_OR_FILE]...")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for finished parts and results.")
@click.option("--lever", "moves", multiple=True, metavar="LEVER=VALUES", help="Move a lever of each scenario. May be repeated.")
@click.option("--design", metavar="DESIGN", help="full, or latin:N for a sample of N points. [default: full]")
@click.option("--patients", type=int, metavar="N", help="Patients in each parameter draw. [default: 10000]")
@click.option("--draws", type=int, metavar="N", help="Parameter draws; 1 takes the central values, without a band. [default: 40]")
@click.option("--seed", type=int, metavar="N", help="Same seed, same numbers. [default: 1]")
@click.option("--weeks", type=int, metavar="N", help="Horizon in weeks. [default: each scenario's]")
@click.option("--cut", multiple=True, metavar="LINK", help="Cut a link of the cycle, as in `painlab project`. May be repeated.")
@click.option("--prior", is_flag=True, help="Draws of the prior in place of the calibrated ones.")
@click.option("--threads", type=int, metavar="N", help="Threads at work; they do not change the numbers. [default: all cores]")
@elsewhere_options
@click.option("--chunk", type=int, metavar="N", help="Patients in a finished part; changes no number. [default: fitting]")
@click.option("--force", is_flag=True, help="Begin anew, and take away what an earlier sweep left in DIR.")
@click.option("--show", is_flag=True, help="Only show what is in DIR, whole or not.")
def sweep(
    scenarios: tuple[str, ...], out: Path, prior: bool, force: bool, show: bool, threads: int | None, dask: str | None,
    processes: int | None, cut: tuple[str, ...], moves: tuple[str, ...], design: str | None, **numbers: int | None,
) -> None:  # fmt: skip
    """Project many scenarios, draws and patients into DIR, each scenario against its baseline."""
    from painlab import sweeps, swept
    from painlab.cli import levers

    if show:
        _report(swept.read(out))
        return
    if design is not None and not moves:
        raise InputError("--design is given without a lever", expected="--lever LEVER=VALUES with it", mend="Add one, or leave it out.")
    kind = "prior" if prior else "posterior"
    science.say_if_stale(kind)
    given = {name: value for name, value in numbers.items() if value is not None}
    wanted = levers.grid_of(scenarios, moves, design or "full", given.get("seed", 1)) if moves else scenarios
    request = sweeps.asked(wanted, parameters=kind, cut=cut, **given)  # type: ignore[arg-type]
    asked = {
        "out": out,
        "lever": moves,
        "design": design,
        **numbers,
        "cut": cut,
        "prior": prior,
        "threads": threads,
        "processes": processes,
        "dask": dask,
    }
    again = _command("sweep", scenarios, asked)
    with _going_on(), elsewhere(dask, processes) as executor, Waiting() as waiting:
        tell = Lines(waiting)
        made = sweeps.carry_out(request, out, executor=executor, threads=threads, progress=tell, force=force, again=again)
    _report(made)
    more = [] if made.levers is None else [*levers.TABLES, *levers.pictures(made)]
    files = ["results.parquet", "draws/", "parameters.parquet", *more, "sweep.json"]
    console_for_reading().print(f"\nWritten to {out}: {', '.join(files)}")


def _report(made: "Sweep") -> None:
    """Print what a sweep holds: how much of it is there, and each scenario's main differences."""
    from painlab import narrative
    from painlab.cli import levers
    from painlab.outcomes import BY_NAME

    console = console_for_reading()
    request = made.manifest.request
    size = f"{request['patients']:,} patients in each of {made.draws:,} parameter draws, seed {request['seed']}"
    console.print(f"{size}; each scenario and its baseline on the same patients.")
    if request["links cut"]:
        console.print(f"Links cut: {', '.join(request['links cut'])}.")
    if not made.complete:
        console.print(f"\n[bold]Not complete[/bold]: {len(made.finished):,} of {len(made.chunks):,} parts are finished.")
    if made.levers is not None:
        levers.report(made)
        return
    table = table_with("scenario", "draws", *(BY_NAME[name].label for name in AVERAGED))
    for column in table.columns[1:]:
        column.justify = "right"
    for name in made.names:
        cells = [""] * len(AVERAGED)
        if made.whole_draws[name]:
            averages = made.projection(name).averages
            assert averages is not None
            found = [narrative.compared(averages, outcome, None) for outcome in AVERAGED]
            bands = [narrative.interval(one.low, one.high, one.digits) for one in found]
            cells = [
                narrative.signed(one.difference, one.digits) + (f"\n({band})" if band else "")
                for one, band in zip(found, bands, strict=True)
            ]
        table.add_row(name, f"{made.whole_draws[name]:,} of {made.draws:,}", *cells)
    units = ", ".join(f"{BY_NAME[name].label.lower()} in {BY_NAME[name].unit}" for name in AVERAGED)
    console.print(f"\nDifference from the baseline, mean over the horizon ({units}):")
    console.print(table)


@click.command(
    short_help="Follow patients one by one into a folder.",
    epilog="""\b
Examples:
  painlab trajectories early-pt --out followed
  painlab trajectories rapid-taper --patients 100000 --arm scenario --out taper

\b
The same command after a stop goes on where it was. In Python
  polars.scan_parquet("followed/patients")
reads a row for each arm, patient and week; trajectories.json has the units.""",
)
@click.argument("scenario", metavar="NAME_OR_FILE")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Folder for the patients' weeks.")
@click.option("--patients", type=int, metavar="N", help="Patients to follow. [default: 1000]")
@click.option("--draw", type=int, metavar="N", help="Number of a parameter draw, from 0. [default: the central values]")
@click.option("--seed", type=int, metavar="N", help="Same seed, same numbers. [default: 1]")
@click.option("--weeks", type=int, metavar="N", help="Horizon in weeks. [default: the scenario's]")
@click.option("--arm", multiple=True, metavar="ARM", help="baseline or scenario. May be repeated. [default: both]")
@click.option("--cut", multiple=True, metavar="LINK", help="Cut a link of the cycle, as in `painlab project`. May be repeated.")
@click.option("--prior", is_flag=True, help="Of the prior in place of the calibrated values.")
@click.option("--force", is_flag=True, help="Begin anew, and take away what earlier trajectories left in DIR.")
def trajectories(
    scenario: str, out: Path, arm: tuple[str, ...], cut: tuple[str, ...], prior: bool, force: bool, **numbers: int | None
) -> None:
    """Follow patients one by one and write their weeks into DIR, as Parquet."""
    from painlab import following

    kind = "prior" if prior else "posterior"
    science.say_if_stale(kind)
    given = {name: value for name, value in numbers.items() if value is not None}
    chosen = {"arms": arm} if arm else {}
    request = following.asked(scenario, parameters=kind, cut=cut, **chosen, **given)  # type: ignore[arg-type]
    again = _command("trajectories", (scenario,), {"out": out, **numbers, "arm": arm, "cut": cut, "prior": prior})
    with _going_on(), Waiting() as waiting:
        following.carry_out(request, out, progress=Lines(waiting), force=force, again=again)
    people = f"{request.patients:,} patients, weeks 0 to {request.weeks}, {' and '.join(request.arms)}"
    console_for_reading().print(f"{people}.\nWritten to {out}: patients/, trajectories.json")


@click.command(
    short_help="Estimate time, memory and cost of a sweep.",
    epilog="""\b
Examples:
  painlab plan --patients 100000 --draws 1000 --scenarios 20
  painlab plan --scenarios early-pt,late-pt --draws 500
  painlab plan --patients 50000000 --draws 1000 --scenarios 20 \\
      --workers 100 --threads-per-worker 4 --cost-per-core-hour 0.05""",
)
@click.option("--patients", type=int, default=10_000, show_default=True, metavar="N", help="Patients in each parameter draw.")
@click.option("--draws", type=int, default=40, show_default=True, metavar="N", help="Parameter draws.")
@click.option(
    "--scenarios", default="1", show_default=True, metavar="N|NAMES", help="How many, or their names or files with commas between."
)
@click.option("--weeks", type=int, default=104, show_default=True, metavar="N", help="Horizon in weeks.")
@click.option("--workers", type=int, default=1, show_default=True, metavar="N", help="Machines or processes at work.")
@click.option("--threads-per-worker", type=int, metavar="N", help="Threads in each. [default: as many as there are cores here]")
@click.option("--cost-per-core-hour", type=float, metavar="PRICE", help="Price of an hour of one core, in your currency.")
@click.option("--prior", is_flag=True, help="With draws of the prior.")
def plan(scenarios: str, prior: bool, patients: int, draws: int, **numbers: Any) -> None:
    """Estimate time, memory, disk and cost of a sweep, from a few seconds of measuring on this machine."""
    from painlab import estimate

    kind = "prior" if prior else "posterior"
    science.say_if_stale(kind)
    which = int(scenarios) if scenarios.lstrip("-").isdigit() else [name.strip() for name in scenarios.split(",")]
    with Waiting("measuring (a first run compiles the model, once: about half a minute)"):
        made = estimate.plan(patients, draws, which, parameters=kind, **numbers)
    console = console_for_reading()
    for sentence in str(made).splitlines():
        console.print(sentence)
