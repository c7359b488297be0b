"""The terminal's talks: `painlab slides`, `painlab figure`, and a deck that is opened again for `painlab project`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from painlab.cli import science
from painlab.cli.terminal import Waiting, console_for_reading, table_with
from painlab.errors import InputError

if TYPE_CHECKING:
    from painlab.scenario import Scenario


@click.command(
    short_help="Make a talk: HTML, PowerPoint or PDF.",
    epilog="""\b
Examples:
  painlab slides early-pt -o deck.html
  painlab slides early-pt late-pt -o deck.pptx --minutes 40
  painlab slides mine.toml -o deck.html --audience public --theme dark
  painlab slides out -o deck.pdf       a folder that `project --out` wrote
  painlab slides early-pt -o deck.pptx --template house.pptx

\b
deck.html opens by double click, without a network; its charts answer: arrow
keys turn pages, S opens the speaker's view, T changes light and dark.
deck.pptx has charts and tables that PowerPoint lets you edit.
deck.pdf is for handing out.
Each holds its scenario: `painlab project deck.html` (or deck.pptx, deck.pdf)
makes the same numbers again. Up to four scenarios; the first leads.""",
)
@click.argument("scenarios", nargs=-1, metavar="SCENARIO_OR_RUN...")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="deck.html, deck.pptx or deck.pdf.")
@click.option("--title", metavar="TEXT", help="Title of the talk. [default: the first scenario's]")
@click.option("--audience", default="clinicians", show_default=True, metavar="WHO", help="clinicians, public or analysts.")
@click.option("--minutes", type=int, default=15, show_default=True, metavar="N", help="Length: 5, 15 or 40.")
@click.option("--theme", default="light", show_default=True, metavar="NAME", help="light or dark, of an HTML talk.")
@click.option("--template", type=click.Path(path_type=Path), metavar="FILE", help="A .pptx of your house, for its layouts.")
@click.option("--seed", type=int, metavar="N", help="Same seed, same numbers. [default: 1]")
@click.option("--patients", type=int, metavar="N", help="Patients in each parameter draw. [default: 1000]")
@click.option("--draws", type=int, metavar="N", help="Parameter draws; 1 gives no bands. [default: 40]")
@click.option("--force", is_flag=True, help="Write over FILE.")
def slides(
    scenarios: tuple[str, ...], out: Path | None, title: str | None, audience: str, minutes: int, theme: str, template: Path | None,
    force: bool, **numbers: int | None,
) -> None:  # fmt: skip
    """Make a talk about one to four scenarios or runs, with notes, sources and provenance."""
    if not scenarios:
        raise InputError(
            "there is no scenario to talk about", expected="a name, file, code or run", mend="`painlab list` shows those that ship."
        )
    if out is None:
        raise InputError("it is not said where to write the talk", expected="-o deck.html, deck.pptx or deck.pdf", mend="Add it.")
    from painlab.talk.making import slides as make

    science.say_if_stale("posterior")
    given = {name: value for name, value in numbers.items() if value is not None}
    with Waiting() as waiting:
        made = make(
            list(scenarios), out, title=title, audience=audience, minutes=minutes, theme=theme, template=template, force=force,
            progress=waiting.show, **given,  # type: ignore[arg-type]
        )  # fmt: skip
    click.echo(f"Written to {made} ({_size(made)}).")


@click.command(
    short_help="Make one figure for a paper, at a journal's size.",
    epilog="""\b
Examples:
  painlab figure --list
  painlab figure demand early-pt -o demand.svg
  painlab figure demand early-pt -o demand.png --size double
  painlab figure body mine.toml -o body.pdf --size 120x80
  painlab figure compare early-pt late-pt -o both.pdf --size double

\b
single, double and full are the widths of a journal's column and page; type
has 7 to 9 points at that size. 120x0 is as high as the figure needs. SVG and
PDF can be scaled; a PNG has 600 dots an inch.""",
)
@click.argument("name", required=False, metavar="NAME")
@click.argument("scenarios", nargs=-1, metavar="SCENARIO_OR_RUN...")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="x.svg, x.png or x.pdf.")
@click.option("--size", default="single", show_default=True, metavar="SIZE", help="single, double, full, or WxH in millimeters.")
@click.option("--dpi", type=int, metavar="N", help="Dots an inch of a PNG. [default: 600]")
@click.option("--list", "as_list", is_flag=True, help="List the figures there are.")
@click.option("--seed", type=int, metavar="N", help="Same seed, same numbers. [default: 1]")
@click.option("--patients", type=int, metavar="N", help="Patients in each parameter draw. [default: 1000]")
@click.option("--draws", type=int, metavar="N", help="Parameter draws; 1 gives no bands. [default: 40]")
@click.option("--force", is_flag=True, help="Write over FILE.")
def figure(
    name: str | None, scenarios: tuple[str, ...], out: Path | None, size: str, as_list: bool, force: bool, **numbers: int | None
) -> None:
    """Make the figure NAME of a scenario or a run."""
    from painlab.records.export import check_target
    from painlab.talk import figures, reopening

    if as_list:
        table = table_with("figure", "what it shows")
        for key, words in figures.FIGURES.items():
            table.add_row(key, words)
        console_for_reading().print(table)
        return
    if name is None or not scenarios or out is None:
        missing = "the figure" if name is None else "the scenario" if not scenarios else "where to write it (-o FILE)"
        raise InputError(
            f"it is not said: {missing}", expected="painlab figure NAME SCENARIO -o x.svg", mend="`painlab figure --list` has the names."
        )
    measure = _measure(size)
    science.say_if_stale("posterior")
    given = {key: value for key, value in numbers.items() if value is not None}
    with Waiting("drawing (a first run compiles the model, once: about half a minute)"):
        figures.dimensions(measure)
        check_target(out, force=force)
        what = [one for word in scenarios for one in (reopening.projected(word) if reopening.is_deck(word) else (word,))]
        made = figures.figure(name, what, out, measure, force=force, **given)  # type: ignore[arg-type]
    click.echo(f"Written to {made} ({_size(made)}).")


def opened(deck: str, given: dict[str, Any], which: int | None) -> tuple["Scenario", dict[str, Any]]:
    """The scenario of a deck, and the settings of its run with those that are given in their place.

    which: the number of the run, from 1; None takes the first and says on stderr which others there are. What has changed since the deck
    was made is said there too. Raises InputError for a deck that cannot be read, and for a run that it has not.
    """
    from painlab.talk.reopening import runs_in

    runs = runs_in(deck)
    if not 1 <= (which or 1) <= len(runs):
        raise InputError(f"the deck has no run {which}", where=deck, expected=f"1 to {len(runs)}")
    run = runs[(which or 1) - 1]
    if which is None and len(runs) > 1:
        others = "; ".join(f"--run {number} is {one.scenario.name}" for number, one in enumerate(runs, 1) if number > 1)
        click.echo(f"painlab: the deck has {len(runs)} runs; this is the first, {run.scenario.name} ({others}).", err=True)
    if run.changed:
        click.echo(f"painlab: since the deck was made, something has changed: {'; '.join(run.changed)}. Numbers may differ.", err=True)
    return run.scenario, {**run.setting._asdict(), **given}


def _measure(size: str) -> str | tuple[float, float]:
    """`single`, `double`, `full`, or width and height in millimeters; whether these can be drawn, `figures` says. Raises InputError."""
    parts = size.lower().strip().removesuffix("mm").replace("×", "x").split("x")
    if len(parts) == 2:
        try:
            return float(parts[0]), float(parts[1])
        except ValueError:
            pass
    return size


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1_000_000 else f"{size / 1e3:.0f} kB"
