"""The terminal's data doctor: `painlab doctor FILE` says what a stranger's table holds, lacks and cannot mean."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from painlab.cli.terminal import Waiting, console_for_reading, table_with
from painlab.errors import InputError

if TYPE_CHECKING:
    import polars as pl

    from painlab.records.doctor import Examination


@click.command(
    short_help="Check the installation, or examine a table.",
    epilog="""\b
Examples:
  painlab doctor
  painlab doctor fills.csv
  painlab doctor fills.csv --dates dmy --clean clean.csv
  painlab doctor fills.csv --json

\b
Files written with --clean clean.csv:
  clean.csv            what can be read, written in one way
  clean.set-aside.csv  rows that cannot be read, with the reason
  clean.changes.csv    each cell that was changed: row, column, was, now

\b
FILE is CSV (any of the usual encodings and delimiters) or Parquet.
It is never written over.""",
)
@click.argument("file", required=False, metavar="[FILE]", type=click.Path(path_type=Path))
@click.option(
    "--clean", type=click.Path(path_type=Path), metavar="OUT", help="Write a cleaned copy, and beside it what was set aside and changed."
)
@click.option(
    "--dates", type=click.Choice(["dmy", "mdy"]), help="What stands first in 03/04/2024: day or month. [default: asked if unclear]"
)
@click.option("--force", is_flag=True, help="Overwrite OUT and the files beside it.")
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
@click.pass_context
def doctor(ctx: click.Context, file: Path | None, clean: Path | None, dates: str | None, force: bool, as_json: bool) -> None:
    """Check the installation; with FILE, examine a table that nobody has described.

    Of a table it says what each column seems to be, what is missing, which rows cannot be right, and how to mend them.
    """
    if file is None:
        if clean is not None or dates is not None or as_json or force:
            raise InputError("no table is named", expected="painlab doctor FILE with these options", mend="Name the table to examine")
        ctx.exit(_check_installation())
    if force and clean is None:
        raise InputError("--force is given, but nothing is written", expected="--force with --clean OUT", mend="Leave it out")
    _examine(file, clean, dates, force, as_json)


def _check_installation() -> int:
    """Print the checks of the installation; the exit code."""
    from painlab import installation

    table = table_with("check", "result", "found, and how to mend it")
    with Waiting("checking (a first run compiles the model, once: about half a minute)"):
        checks = installation.checks()
    for one in checks:
        table.add_row(one.name, one.result, f"{one.found}. {one.mend}" if one.result != "ok" and one.mend else one.found)
    console_for_reading().print(table)
    failed = sum(one.result == "failed" for one in checks)
    click.echo(f"{failed} of {len(checks)} checks failed." if failed else "PainLab is ready.")
    return 1 if failed else 0


def _examine(file: Path, clean: Path | None, dates: str | None, force: bool, as_json: bool) -> None:
    with Waiting(f"reading {_plain(file.name)}"):
        from painlab.records.doctor import examine

        examined = examine(file, dates=dates)
    if not as_json:
        _report(examined)
    written, changes = _cleaned(examined, clean, force) if clean is not None else ({}, None)
    if as_json:
        told = examined.as_dict()
        if changes is not None:
            told |= {"written": {str(path): rows for path, rows in written.items()}, "changes": changes.to_dicts()}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    elif changes is not None:
        _report_changes(changes, written)


def _cleaned(examined: "Examination", clean: Path, force: bool) -> "tuple[dict[Path, int], pl.DataFrame]":
    with Waiting(f"writing {_plain(clean.name)}"):
        cleaned = examined.cleaned()
        return cleaned.write(clean, force=force), cleaned.summary()


def _report_changes(changes: "pl.DataFrame", written: dict[Path, int]) -> None:
    console = console_for_reading()
    console.print("\nChanges" if changes.height else "\nNo cell had to be changed.", style="bold" if changes.height else None)
    table = table_with("column", "cells changed", "first in row", "was", "now")
    table.columns[1].justify = table.columns[2].justify = "right"
    for column, cells, row, was, now in changes.rows():
        table.add_row(_plain(column), f"{cells:,}", f"{row:,}", _plain(was or ""), _plain(now or "(empty)"))
    if changes.height:
        console.print(table)
    click.echo(
        "\nWritten: " + "; ".join(f"{_safe(str(path))} ({rows:,} row{'' if rows == 1 else 's'})" for path, rows in written.items()) + "."
    )


def _report(examined: "Examination") -> None:
    """Print an examination."""
    console = console_for_reading()
    console.print(_plain(examined.heading()) + "\n")
    table = table_with("column", "seems to be", "filled", "example")
    table.columns[2].justify = "right"
    for column, seems, filled, example, _ in examined.columns.rows():
        table.add_row(_plain(column), seems, f"{100.0 * filled:.0f} %", _plain(example))
    console.print(table)
    console.print("\nWhat it can be used for", style="bold")
    for line in examined.readiness():
        console.print(_plain(line))
    for title, grave in (("What cannot be right", True), ("Worth knowing", False)):
        lines = [str(one) for one in examined.found if one.grave is grave]
        if lines or grave:
            console.print(f"\n{title}", style="bold")
        for line in lines or (["Nothing was found."] if grave else []):
            console.print(_plain(line))


def _safe(text: str) -> str:
    """Text of a stranger's file in which no sign moves the cursor."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _plain(text: str) -> str:
    """The same for rich, in which no bracket is markup."""
    from rich.markup import escape

    return escape(_safe(text))
