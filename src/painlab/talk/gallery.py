"""The gallery of the documentation: a picture of each kind of slide, figure, chart and view, all made by the software.

    python -m painlab.talk.gallery docs                # writes docs/gallery.md and docs/pictures/gallery/

Pictures of pages in a browser need Chromium and playwright, which are for developers; without them the pictures that are there stay.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from painlab.errors import InputError
from painlab.talk import figures, handout, screens
from painlab.talk.origin import caption
from painlab.talk.paper import Geometry
from painlab.talk.powerpoint import made_of
from painlab.talk.sheets import sheets
from painlab.talk.story import Story
from painlab.talk.telling import tell

PAGE: Final = "gallery.md"
PICTURES: Final = "pictures/gallery"
MOST_BYTES: Final = 100_000
WIDTH: Final = 960  # pixels
_SCENARIO: Final = "coordinated-care"
_BESIDE: Final = "opioid-sparing-start"
_COLORS: Final = (256, 128, 64, 32)


class Shown(NamedTuple):
    """A picture of the gallery: its file's name, what stands above it and what under it."""

    name: str
    title: str
    words: str


def write(folder: Path, *, patients: int = 500, draws: int = 40, browser: bool = True) -> list[Path]:
    """Write gallery.md and its pictures into a folder of documentation; returns the paths.

    Raises InputError if the folder is not there, and without a browser if pictures of pages in one are not there from an earlier time.
    """
    if not folder.is_dir():
        raise InputError("the folder of the documentation is not there", where=str(folder), mend="Make it first.")
    pictures = folder / PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    story = tell([_SCENARIO], minutes=40, patients=patients, draws=draws)
    sections = [
        ("Slides, as they are handed out", _INTRO_SLIDES, list(_slides(story, pictures))),
        ("The deck in a browser", _INTRO_DECK, _screens(story, pictures, browser)),
        ("Figures for papers", _INTRO_FIGURES, list(_figures(story, pictures))),
        ("Charts for notebooks", _INTRO_CHARTS, list(_charts(pictures, patients, draws))),
        ("The explorer", _INTRO_EXPLORER, _explorer(pictures, browser)),
    ]
    page = folder / PAGE
    page.write_text(_text(sections, story), encoding="utf-8")
    return [page, *(pictures / one.name for _, _, shown in sections for one in shown)]


def small(png: bytes, width: int = WIDTH) -> bytes:
    """A picture no wider than `width` pixels and no larger than `MOST_BYTES`: its colors are made fewer until it fits.

    Raises ValueError if it does not even then.
    """
    from PIL import Image

    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    for colors in _COLORS:
        made = io.BytesIO()
        picture.quantize(colors, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
        if made.tell() <= MOST_BYTES:
            return made.getvalue()
    raise ValueError(f"a picture of {picture.width} by {picture.height} pixels has {made.tell():,} bytes")


def _slides(story: Story, pictures: Path) -> Iterator[Shown]:
    """The first sheet of each page of the longest talk."""
    import vl_convert

    geometry, seen = Geometry(), set()
    laid = sheets(story, geometry)
    for number, sheet in enumerate(laid, start=1):
        if sheet.page.key in seen or sheet.page.key[-2:] == "-2":
            continue  # what a page did not hold, on a further one
        seen.add(sheet.page.key)
        svg = handout.compose(sheet, geometry, made_of(sheet, story), number, len(laid))
        name = f"slide-{sheet.page.key}.png"
        (pictures / name).write_bytes(small(vl_convert.svg_to_png(svg, scale=1.5)))
        yield Shown(name, sheet.page.key.replace("-", " ").capitalize(), sheet.page.title)


def _figures(story: Story, pictures: Path) -> Iterator[Shown]:
    with tempfile.TemporaryDirectory() as made:
        for key, words in figures.FIGURES.items():
            if key == "compare":
                continue  # it needs a second scenario; the chart of a comparison is below
            drawn = figures.figure(key, story.projections[0], Path(made) / f"{key}.png", "double", dpi=200)
            name = f"figure-{key}.png"
            (pictures / name).write_bytes(small(drawn.read_bytes()))
            yield Shown(name, f"`painlab figure {key} {_SCENARIO} -o {key}.pdf --size double`", f"{words[0].upper()}{words[1:]}.")


def _charts(pictures: Path, patients: int, draws: int) -> Iterator[Shown]:
    """Charts of the views, each with the line that makes it."""
    import vl_convert

    for name, code, words, make in _every_chart(patients, draws):
        png = vl_convert.vegalite_to_png(make(), scale=1.2, allowed_base_urls=[])
        (pictures / f"chart-{name}.png").write_bytes(small(png))
        yield Shown(f"chart-{name}.png", f"`{code}`", words)


def _every_chart(patients: int, draws: int) -> list[tuple[str, str, str, Callable[[], dict[str, Any]]]]:
    from painlab.analysis.attribution import attribute
    from painlab.comparison import compare
    from painlab.scenario import Scenario
    from painlab.simulation import simulate
    from painlab.views import charts, comparison_chart, earned, sights

    run = simulate(_SCENARIO, patients=patients, draws=draws)
    return [
        ("demand", "painlab.charts.demand(projection)", "Demand with pain and function, against the baseline.",
         lambda: charts.demand(run, title=run.headline()).to_dict()),
        ("differences", "painlab.charts.differences(projection)", "The differences on the same patients, with their bands.",
         lambda: charts.differences(run, title=run.headline()).to_dict()),
        ("comparison", "painlab compare early-pt late-pt opioid-sparing-start --out compared", "Scenarios beside each other.",
         lambda: comparison_chart.chart(compare(["early-pt", "late-pt", _BESIDE], patients=patients, draws=draws)).to_dict()),
        ("shares", "earned.shares(attribute(scenario))", "What each part of a plan earned; shares sum to the whole.",
         lambda: earned.shares(attribute(_SCENARIO, patients=min(patients, 200), draws=min(draws, 20))).to_dict()),
        ("field", 'painlab.explore("early-pt", view="phase")', "Where the cycle carries a body.",
         lambda: sights.field(Scenario.load("early-pt"))[0]),
    ]  # fmt: skip


def _screens(story: Story, pictures: Path, browser: bool) -> list[Shown]:
    """The deck in Chromium: the first page, the live page before and after a lever is moved, a dark page, the overview."""
    shown = [
        Shown("deck-title.png", "The first page", "The keys stand on it."),
        Shown("deck-live.png", "The live page", "The levers that matter, over runs made beforehand; usual care is always drawn."),
        Shown("deck-moved.png", "The same page, a lever moved", "The headline, the lines and the readings follow."),
        Shown("deck-dark.png", "Dark theme", "The key T, or `--theme dark`."),
        Shown("deck-overview.png", "The overview", "The key Esc."),
    ]
    return _in_browser(shown, pictures, browser, lambda: screens.deck(story))


def _explorer(pictures: Path, browser: bool) -> list[Shown]:
    shown = [
        Shown("explorer.png", "The explorer, as `painlab app` serves it", "Levers beside the chart; each has its evidence."),
        Shown("explorer-export.png", "Share and save", "Talks are exports: length and audience are chosen, and the levers stay free."),
    ]
    return _in_browser(shown, pictures, browser, screens.explorer)


def _in_browser(shown: list[Shown], pictures: Path, browser: bool, take: Callable[[], dict[str, bytes]]) -> list[Shown]:
    if browser:
        for name, png in take().items():
            (pictures / name).write_bytes(small(png))
    missing = [one.name for one in shown if not (pictures / one.name).is_file()]
    if missing:
        raise InputError(
            f"pictures of pages in a browser are missing: {', '.join(missing)}", where=str(pictures), expected="a run with Chromium",
            mend="Run `python -m painlab.talk.gallery` where Chromium and playwright are installed.",
        )  # fmt: skip
    return shown


def _text(sections: list[tuple[str, str, list[Shown]]], story: Story) -> str:
    parts = [f"# Gallery\n\n{_HEAD}\n\nThe talk's own line of origin: {caption(story.projections[0])}."]
    for title, intro, shown in sections:
        parts.append(f"## {title}\n\n{intro}")
        parts += [f"### {one.title}\n\n{one.words}\n\n![{_alt(one)}]({PICTURES}/{one.name})" for one in shown]
    return "\n\n".join(parts) + "\n"


def _alt(one: Shown) -> str:
    return f"{one.title.replace('`', '')}: {one.words}".replace("[", "(").replace("]", ")").rstrip(".")


_HEAD: Final = (
    "Written by the software, pictures and all: `python -m painlab.talk.gallery docs` makes this page anew. Do not edit it by hand.\n"
    f"Everything is of one scenario that ships, `{_SCENARIO}`, unless it says otherwise."
)
_INTRO_SLIDES: Final = (
    "The pages of a talk of 40 minutes, as in `deck.pdf`; a talk of 15 or 5 minutes leaves some out. Titles are worded by what came out.\n"
    f"`painlab slides {_SCENARIO} -o deck.pdf --minutes 40`; [how to make slides](how-to/slides.md) says more."
)
_INTRO_DECK: Final = f"`painlab slides {_SCENARIO} -o deck.html`: one file, opened by double click, without a network."
_INTRO_FIGURES: Final = "Single figures at the width of a journal's page, with type of 7 to 9 points at that size."
_INTRO_CHARTS: Final = "What notebooks draw. In a notebook they are live: point at a line to read it."
_INTRO_EXPLORER: Final = '`painlab.explore("early-pt")` in a notebook, `painlab app` without one.'


def main(words: list[str]) -> None:
    """Write the gallery into the folder that is named."""
    if len(words) != 1:
        raise SystemExit("usage: python -m painlab.talk.gallery FOLDER")
    try:
        written = write(Path(words[0]))
    except InputError as error:
        raise SystemExit(f"painlab: {error}") from None
    print(f"Written to {words[0]}: {len(written)} files.")


if __name__ == "__main__":
    main(sys.argv[1:])
