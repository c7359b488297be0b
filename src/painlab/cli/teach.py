"""The terminal's teaching kit: `painlab lessons` lists the lessons, and makes the instructor's versions of their notebooks."""

import json
from pathlib import Path

import click

from painlab.cli.terminal import Waiting, console_for_reading, table_with
from painlab.errors import InputError


@click.command(
    short_help="List the lessons; make instructor's versions.",
    epilog="""\b
Examples:
  painlab lessons
  painlab lessons --json
  painlab lessons --instructor -o instructor
  painlab lessons 01 04 --instructor -o instructor --force

\b
Files in FOLDER:
  NN_name_instructor.ipynb   the student's notebook with notes and answers
  answers.md                 all answers on a page to print

\b
Answers are worked out by a run, so they are made anew when the model changes.
Keep FOLDER away from the students' notebooks.""",
)
@click.argument("names", nargs=-1, metavar="[LESSON]...")
@click.option("--instructor", is_flag=True, help="Write the instructor's versions, with answers, into FOLDER.")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to; made if it is not there.")
@click.option("--force", is_flag=True, help="Write into FOLDER although it holds files.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def lessons(names: tuple[str, ...], instructor: bool, out: Path | None, force: bool, as_json: bool) -> None:
    """List the lessons, all or each LESSON (a number such as 04, or a notebook's name): title, question and minutes."""
    if instructor != (out is not None):
        raise InputError(
            "--instructor is given without a folder" if instructor else "a folder is given, but nothing to write into it",
            expected="--instructor and -o FOLDER together",
            mend="Add `-o instructor`." if instructor else "Add --instructor.",
        )
    if force and not instructor:
        raise InputError(
            "--force is given, but nothing is written", expected="--force with --instructor and -o FOLDER", mend="Leave it out."
        )
    if out is not None:
        _write(names, out, force, as_json)
    else:
        _list(names, as_json)


def _write(names: tuple[str, ...], out: Path, force: bool, as_json: bool) -> None:
    from painlab import instructor

    with Waiting() as waiting:
        made = instructor.write(out, names, force=force, progress=waiting.show)
    if as_json:
        click.echo(json.dumps([{"file": str(path)} for path in made], indent=2))
        return
    console = console_for_reading()
    for path in made:
        console.print(path.name)
    console.print(f"\nWritten to {out}: {len(made) - 1} of the instructor's notebooks and a page of answers. Not for students.")


def _list(names: tuple[str, ...], as_json: bool) -> None:
    with Waiting():
        from painlab import instructor

        found = instructor.chosen(names)
    told = ("stem", "title", "question", "minutes")
    rows = [{"number": one.stem.partition("_")[0]} | {name: getattr(one, name) for name in told} for one in found]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    table = table_with("lesson", "title", "minutes", "question")
    table.columns[2].justify = "right"
    for row in rows:
        table.add_row(*(str(row[name]) for name in ("number", "title", "minutes", "question")))
    console_for_reading().print(table)
