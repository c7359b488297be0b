"""The terminal's comparisons: `painlab compare` puts scenarios beside each other, `painlab levers` lists what can be moved in one."""

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from painlab.cli import science
from painlab.cli.terminal import Waiting, console_for_reading, table_with
from painlab.errors import InputError

if TYPE_CHECKING:
    from painlab.comparison import Comparison

MAIN: Final = ("mme_per_1000", "pain", "function", "on_opioids", "cost")
MORE: Final = ("dose_50_plus", "long_term_therapy", "overdose_hazard", "side_effects", "goal_reached")


@click.command(
    short_help="Put scenarios beside each other.",
    epilog="""\b
Examples:
  painlab compare early-pt late-pt opioids-alone
  painlab compare early-pt mine.toml --out compared
  painlab compare PL1-... PL1-...  two codes from the explorer
  painlab compare usual-care early-pt --weeks 52 --draws 200 --json

\b
Scenarios of the same patients are compared on the same random numbers, so
that their differences are paired. Between others none is taken.
Files written with --out:
  comparison.csv, comparison.parquet  all outcomes by scenario and week
  comparison.svg, comparison.png      demand, pain and function
  provenance.json                     version, scenarios, seed, hashes of data""",
)
@click.argument("scenarios", nargs=-1, metavar="NAME_OR_FILE...")
@click.option("--patients", type=int, metavar="N", help="Patients in each parameter draw. [default: 1000]")
@click.option("--weeks", type=int, metavar="N", help="Horizon in weeks. [default: the shortest of the scenarios']")
@click.option("--seed", type=int, metavar="N", help="Same seed, same numbers. [default: 1]")
@click.option("--draws", type=int, metavar="N", help="Parameter draws; 1 takes the central values, without a band. [default: 40]")
@click.option("--cut", multiple=True, metavar="LINK", help="Cut a link of the cycle, as in `painlab project`. May be repeated.")
@click.option("--threads", type=int, metavar="N", help="Threads at work; they do not change the numbers. [default: all cores]")
@click.option("--prior", is_flag=True, help="Draws of the prior in place of the calibrated ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one object: scenarios, averages, pairs, sentences.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Folder for numbers, pictures and provenance.")
@click.option("--force", is_flag=True, help="Overwrite files in DIR.")
def compare(
    scenarios: tuple[str, ...], out: Path | None, force: bool, prior: bool, as_json: bool, cut: tuple[str, ...], **numbers: int | None
) -> None:
    """Put 2 to 8 scenarios beside each other; the first is what the others are held against."""
    if force and out is None:
        raise InputError("--force is given, but nothing is written", expected="--force with --out DIR", mend="Leave it out, or add --out.")
    if out:
        threading.Thread(target=_start_drawing_library).start()
    from painlab import comparison
    from painlab.projection import check_folder
    from painlab.scenario import Scenario

    chosen = [Scenario.load(one) for one in scenarios]
    if out:
        check_folder(out, force=force)
    given = {name: value for name, value in numbers.items() if value is not None}
    kind = "prior" if prior else "posterior"
    science.say_if_stale(kind)
    with Waiting() as waiting:
        found = comparison.compare(chosen, cut=cut, parameters=kind, progress=waiting.show, **given)  # type: ignore[arg-type]
    if as_json:
        click.echo(json.dumps(_object(found), indent=2, ensure_ascii=False))
    else:
        _report(found)
    if out:
        from painlab.views import comparison_chart

        found.save(out, force=force, pictures=lambda folder: comparison_chart.write(found, folder))
        files = "comparison.csv, comparison.parquet, comparison.svg, comparison.png, provenance.json"
        if not as_json:
            console_for_reading().print(f"\nWritten to {out}: {files}")


def _object(found: "Comparison") -> dict[str, Any]:
    """A comparison as JSON can hold it."""
    told = found.provenance
    scenarios = [
        {**one, "title": made.scenario.title, "code": made.scenario.code(), "unlike_the_first": list(found.contrasts.get(one["name"], ()))}
        for one, made in zip(told["compared"], found.projections, strict=True)
    ]
    return {
        "headline": found.headline,
        "sentences": list(found.sentences),
        "scenarios": scenarios,
        "same_patients": told["same_patients"],
        "averages": found.averages.to_dicts(),
        "pairs": found.pairs.to_dicts(),
        "run": {key: value for key, value in told.items() if key not in ("compared", "same_patients")},
    }


def _report(found: "Comparison") -> None:
    """Print what sets the scenarios apart, the tables, and what can be told apart."""
    from painlab import narrative

    console = console_for_reading()
    first = found.names[0]
    for name, one in zip(found.names, found.projections, strict=True):
        console.print(f"[bold]{name}[/bold]: ", end="")
        console.print(one.scenario.title, markup=False)
        if name != first:
            console.print(f"  Unlike {first}: {' '.join(found.contrasts[name])}", markup=False)
    if found.projections[0].cut:
        console.print(f"Links cut in all: {', '.join(found.projections[0].cut)}.")
    over = f"Mean over {narrative.horizon_words(found.weeks)}"
    paired = len(found.groups[0]) > 1
    for names in (MAIN, MORE):
        console.print(f"\n{over}, and difference from {first if paired else 'its own baseline'}:")
        console.print(_table(found, names, from_first=paired))
    if paired and len(found.groups) > 1:
        others = [name for place, name in enumerate(found.names) if place not in found.groups[0]]
        console.print(f"\n{over}, and difference from its own baseline:")
        console.print(_table(found, MAIN, from_first=False, only=others))
    console.print()
    for sentence in found.sentences:
        console.print(sentence, markup=False)


def _table(found: "Comparison", outcomes: Sequence[str], *, from_first: bool, only: Sequence[str] | None = None) -> Any:
    """A row for each scenario: level, and under it the difference with its band."""
    from painlab import narrative
    from painlab.outcomes import BY_NAME

    table = table_with("scenario", *(f"{BY_NAME[name].label}\n{BY_NAME[name].unit}" for name in outcomes))
    for heading in table.columns[1:]:
        heading.justify = "right"
    column = "from_first" if from_first else "difference"
    for place, name in enumerate(found.names):
        if only is not None and name not in only:
            continue
        cells = []
        for outcome in outcomes:
            row = found.averages.row(by_predicate=(_is(name, outcome)), named=True)
            digits = BY_NAME[outcome].digits
            cell = narrative.plain(row["scenario"], digits)
            if from_first and place == 0:
                cells.append(cell)
            elif row[column] is None:
                cells.append(f"{cell}\nother patients")
            else:
                band = narrative.interval(row[f"{column}_low"], row[f"{column}_high"], digits)
                cells.append(f"{cell}\n{narrative.signed(row[column], digits)}" + (f"\n({band})" if band else ""))
        table.add_row(name, *cells)
        table.add_section()
    return table


def _is(name: str, outcome: str) -> Any:
    import polars as pl

    return (pl.col("name") == name) & (pl.col("outcome") == outcome)


def _start_drawing_library() -> None:
    """Draw nothing, once, so that the library has started when it is needed; it takes half a second beside other work."""
    import vl_convert

    vl_convert.vegalite_to_svg({"data": {"values": []}, "mark": "point"}, allowed_base_urls=[])


@click.command(
    short_help="List what can be moved in a scenario.",
    epilog="""\b
Examples:
  painlab levers
  painlab levers early-pt
  painlab levers early-pt --find opioid
  painlab levers --model --find relief
  painlab levers early-pt --json

\b
The names are what `painlab sweep --lever` and `painlab.grid` take.""",
)
@click.argument("scenario", required=False, metavar="[NAME_OR_FILE]")
@click.option("--find", "word", metavar="TEXT", help="Only levers whose name, words or meaning hold TEXT.")
@click.option("--model", is_flag=True, help="The parameters of the model, in place of care, patients and horizon.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects, with meaning and source.")
def levers(scenario: str | None, word: str | None, model: bool, as_json: bool) -> None:
    """List all levers with unit, range and named levels, and their values in a scenario."""
    from painlab import lever_paths

    rows = lever_paths.levers(scenario).to_dicts()
    in_model = [row for row in rows if row["lever"].startswith("assume.")]
    rows = in_model if model else [row for row in rows if not row["lever"].startswith("assume.")]
    if word:
        told = [" ".join((row["lever"], row["section"], row["label"], row["meaning"])).lower() for row in rows]
        rows = [row for row, text in zip(rows, told, strict=True) if word.lower() in text]
    if as_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    if not rows:
        from painlab.tables import printable

        problem = f'no lever has "{printable(word or "", 60)}" in its name or meaning'
        raise InputError(problem, expected="another word", mend="`painlab levers --model` lists the parameters of the model.")
    table = table_with("lever", *(("value",) if scenario else ()), "range", "unit", "named levels" if not model else "low, central, high")
    for row in rows:
        value = () if not scenario else (f"{row['value']:,g}" if row["value"] is not None else row["remark"],)
        own = " (the condition's)" if scenario and row["value"] is not None and row["remark"] else ""
        span = f"{_figure(row['low'])} to {_figure(row['high'])}{', whole' if row['whole'] else ''}"
        table.add_row(row["lever"], *(f"{one}{own}" for one in value), span, row["unit"], row["levels"])
    console = console_for_reading()
    console.print(table)
    if not model:
        both = "Those that begin with population or weeks, and the model's, move the baseline's arm too."
        console.print(f"\n{len(rows)} levers. {both}\n{len(in_model)} parameters of the model: `painlab levers --model`.")


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:g}"
