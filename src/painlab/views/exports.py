"""What leaves the explorer: numbers, pictures, the scenario, a slide and talks, as bytes or as a folder of files."""

import io
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

from painlab.projection import Projection
from painlab.views import pictures


class Kind(NamedTuple):
    """A kind of export: words for a menu, the file's ending, its MIME type, and how its bytes are made."""

    words: str
    ending: str
    mime: str
    make: Callable[[Projection], bytes]


def _csv(projection: Projection) -> bytes:
    return projection.weekly.write_csv().encode()


def _parquet(projection: Projection) -> bytes:
    buffer = io.BytesIO()
    projection.weekly.write_parquet(buffer)
    return buffer.getvalue()


def _toml(projection: Projection) -> bytes:
    return projection.scenario.to_toml().encode()


def _svg(projection: Projection) -> bytes:
    return pictures.svg(projection).encode()


def slide(projection: Projection) -> bytes:
    """One 16:9 slide for PowerPoint: the finding, the picture, a sentence with its band, its origin; more in the notes."""
    from pptx import Presentation  # slow to import
    from pptx.util import Emu, Inches, Pt

    deck = Presentation()
    deck.slide_width, deck.slide_height = Inches(13.333), Inches(7.5)
    page = deck.slides.add_slide(deck.slide_layouts[5])  # a title only
    title = page.shapes.title
    title.left, title.top, title.width, title.height = Inches(0.6), Inches(0.35), Inches(12.1), Inches(1.1)
    title.text_frame.text = projection.headline()
    title.text_frame.word_wrap = True
    title.text_frame.paragraphs[0].runs[0].font.size = Pt(30)
    picture = page.shapes.add_picture(io.BytesIO(pictures.png(projection)), 0, 0)
    room = (Inches(12.1), Inches(4.75))
    share = min(room[0] / picture.width, room[1] / picture.height)
    picture.width, picture.height = Emu(int(picture.width * share)), Emu(int(picture.height * share))
    picture.left, picture.top = Emu(int((deck.slide_width - picture.width) / 2)), Inches(1.5)
    picture._element.nvPicPr.cNvPr.set("descr", str(projection))
    for text, top, size in (
        (projection.sentence(), 6.25, 16),
        (f"Model for teaching, not for patients. PainLab {projection.provenance['painlab']}, {projection.scenario.code()}", 6.95, 11),
    ):
        box = page.shapes.add_textbox(Inches(0.6), Inches(top), Inches(12.1), Inches(0.6)).text_frame
        box.word_wrap = True
        box.text = text
        box.paragraphs[0].runs[0].font.size = Pt(size)
    page.notes_slide.notes_text_frame.text = f"{projection}\n\n{projection.scenario}"
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


KINDS: Final = {
    "png": Kind("Picture (PNG)", "png", "image/png", pictures.png),
    "svg": Kind("Picture (SVG)", "svg", "image/svg+xml", _svg),
    "csv": Kind("Numbers (CSV)", "csv", "text/csv", _csv),
    "parquet": Kind("Numbers (Parquet)", "parquet", "application/vnd.apache.parquet", _parquet),
    "toml": Kind("Scenario (TOML)", "toml", "application/toml", _toml),
    "pptx": Kind("Slide (PowerPoint)", "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", slide),
}
"""Exports that are one file, by name."""


class TalkMaker(Protocol):
    """What makes a talk's bytes from a run (`painlab.talk.making.of_run`)."""

    def __call__(
        self,
        projection: Projection,
        ending: str,
        *,
        minutes: int,
        audience: str,
        progress: Callable[[int, int], None],
        cancelled: Callable[[], bool],
    ) -> bytes: ...


class Talk(NamedTuple):
    """A kind of talk: words for a menu, the file's ending and its MIME type."""

    words: str
    ending: str
    mime: str


TALKS: Final = {
    "talk-html": Talk("Talk, for a browser, with live charts (HTML)", "html", "text/html"),
    "talk-pptx": Talk("Talk, to edit (PowerPoint)", "pptx", KINDS["pptx"].mime),
    "talk-pdf": Talk("Talk, to hand out (PDF)", "pdf", "application/pdf"),
}
"""Talks, by name; they take longer to make than one file of `KINDS`."""


def talk_maker() -> TalkMaker:
    """What makes talks. They stand above the views, whose charts they draw: so it is looked up by its name when it is first wanted."""
    return cast(TalkMaker, import_module("painlab.talk.making").of_run)


def file_name(projection: Projection, kind: str) -> str:
    """Name of an exported file."""
    if kind in TALKS:
        return f"{projection.scenario.name}-talk.{TALKS[kind].ending}"
    return f"{projection.scenario.name}.{KINDS[kind].ending}"


def folder(projection: Projection, parent: str | Path = "exports") -> Path:
    """Save a projection, its scenario, the picture of demand and the slide into a new, numbered folder; returns the folder.

    Raises InputError if nothing can be written there.
    """

    def beside(made: Path) -> None:
        (made / "scenario.toml").write_text(projection.scenario.to_toml(), encoding="utf-8")
        (made / "slide.pptx").write_bytes(slide(projection))
        pictures.write(projection, made)

    number = 1
    while (chosen := Path(parent) / f"{projection.scenario.name}-{number}").exists():
        number += 1
    return projection.save(chosen, pictures=beside)
