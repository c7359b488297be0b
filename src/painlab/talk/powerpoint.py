"""A talk as a PowerPoint presentation: charts and tables that can be edited, notes filled, and the scenario inside; and reading it back."""

import io
import re
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from painlab.errors import InputError
from painlab.tables import printable
from painlab.talk import layouts, typesetting
from painlab.talk.embedding import embedded, unpacked
from painlab.talk.layouts import Layouts
from painlab.talk.native_charts import add_chart, add_table, describe
from painlab.talk.paper import Block, Box
from painlab.talk.sheets import GAP, INDENT, Placed, Sheet, sheets
from painlab.talk.story import Story

MOST_BYTES: Final = 200_000_000
_MOST_RECORD: Final = 64_000_000
_SPACE: Final = "urn:painlab:talk"
_RELATIONS: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PROPERTIES: Final = "application/vnd.openxmlformats-officedocument.customXmlProperties+xml"
_ITEM: Final = "{6F0B1E52-5C0B-4B7B-9D7E-5041494E4C41}"  # names the part; any unique name does
_DOTS: Final = 220  # to an inch of a picture
_NOT_ADVICE: Final = "A model's answer, not advice for any patient"


def powerpoint(story: Story, template: str | Path | None = None) -> bytes:
    """A talk as the bytes of a .pptx file.

    Lines and bars are charts of PowerPoint's own and tables its tables, so they can be edited; what it has no form for is a picture of
    220 dots to the inch. Text is measured: it is shrunk down to a readable size, and then goes on over to a further slide. Notes hold what
    to say, all sources, and where each sentence comes from. The scenarios and how they were run are inside, for `read_pptx`.

    Parameters
    ----------
    story
        The talk (`painlab.talk.tell`).
    template
        A house's own .pptx or .potx, whose layouts "Title Slide" and "Title and Content" are used in place of PainLab's.

    Raises InputError for a template that is missing, is no presentation, or lacks a layout.
    """
    found = layouts.own() if template is None else layouts.house(template)
    for number, sheet in enumerate(sheets(story, found.geometry, native=True), start=1):
        if sheet.page.kind == "title":
            _first(found, sheet, story)
        else:
            _slide(found, sheet, story, number)
    _name(found.presentation, story)
    _embed(found.presentation, embedded(story))
    made = io.BytesIO()
    found.presentation.save(made)
    return made.getvalue()


def read_pptx(path: str | Path) -> dict[str, Any]:
    """The record that a presentation carries: `provenance`, that of the story, and `scenarios`, for `Scenario.from_dict`.

    Raises InputError if there is no such file, it is too large, it is no presentation of PainLab, or its record is damaged.
    """
    path = Path(path)
    where = printable(str(path))
    expected = "a presentation that `painlab slides` has made"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("the file is too large to be a deck", where=where, expected=f"at most {MOST_BYTES // 1_000_000} MB")
        with zipfile.ZipFile(path) as package:
            items = [one for one in package.infolist() if re.fullmatch(r"customXml/item\d+\.xml", one.filename)]
            texts = [package.read(one) for one in items[:50] if one.file_size <= _MOST_RECORD]
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else error.strerror or "it cannot be opened"
        raise InputError(f"the deck cannot be read: {reason}", where=where, expected="the path of a deck.pptx") from None
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError):
        raise InputError("the file is no presentation of PowerPoint, or it is damaged", where=where, expected=expected) from None
    for text in texts:
        # The record holds no < and no &, so what stands between the tags is it, letter by letter.
        if record := re.search(rb'<(?:\w+:)?talk\b[^>]*"urn:painlab:talk"[^>]*>([^<]*)</(?:\w+:)?talk>', text):
            return unpacked(record[1].decode("utf-8", "replace").replace("&gt;", ">").replace("&quot;", '"'), where)
    raise InputError("the presentation holds no talk of PainLab", where=where, expected=expected)


def _first(found: Layouts, sheet: Sheet, story: Story) -> None:
    slide = found.presentation.slides.add_slide(found.first)
    _title(slide, sheet, found)
    rest = [shape for shape in slide.placeholders if shape.placeholder_format.type.name not in ("TITLE", "CENTER_TITLE")]
    text = next((one for one in rest if one.placeholder_format.type.name in ("SUBTITLE", "BODY", "OBJECT")), None)
    for block in sheet.blocks:
        if text is None:
            text = slide.shapes.add_textbox(0, 0, 1, 1)
            _place(text, block.box)
        _write(text.text_frame, block)
    _drop(one for one in rest if one is not text or not sheet.blocks)
    _notes(slide, sheet, story)


def _slide(found: Layouts, sheet: Sheet, story: Story, number: int) -> None:
    slide = found.presentation.slides.add_slide(found.content)
    _title(slide, sheet, found)
    own = {shape.placeholder_format.idx: shape for shape in slide.placeholders}
    if found.own and layouts.KICKER in own:
        own[layouts.KICKER].text_frame.text = sheet.kicker or " "
    kinds = ("OBJECT", "BODY")
    bodies = [
        one
        for one in slide.placeholders
        if one.placeholder_format.type.name in kinds and not (found.own and one.placeholder_format.idx == 13)
    ]
    for place, block in enumerate(sheet.blocks):
        shape = bodies[0] if place == 0 and bodies else slide.shapes.add_textbox(0, 0, 1, 1)
        _place(shape, block.box)
        _write(shape.text_frame, block)
    used = bodies[:1] if sheet.blocks else []
    _drop(one for one in slide.placeholders if _unused(one, found, used))
    if sheet.placed is not None:
        _figure(slide, sheet.placed)
    if sheet.grid is not None:
        add_table(slide.shapes, sheet.grid, _in_words(sheet))
        if sheet.grid.caption:
            y = sheet.grid.y + sheet.grid.height + 4.0
            _small(slide, sheet.grid.caption, Box(sheet.grid.x, y, found.geometry.content.width, 14.0))
    if sheet.small is not None:
        _small(slide, sheet.small.paragraphs[0], sheet.small.box)
    _foot(slide, found, made_of(sheet, story), number)
    _notes(slide, sheet, story)


def _unused(shape: Any, found: Layouts, used: Sequence[Any]) -> bool:
    kind, index = shape.placeholder_format.type.name, shape.placeholder_format.idx
    keeps = kind in ("TITLE", "CENTER_TITLE", "FOOTER", "SLIDE_NUMBER", "DATE") or (found.own and index == layouts.KICKER)
    return not keeps and all(shape._element is not one._element for one in used)


def _drop(shapes: Any) -> None:
    for shape in list(shapes):
        shape._element.getparent().remove(shape._element)


def _title(slide: Any, sheet: Sheet, found: Layouts) -> None:
    from pptx.util import Pt

    words = slide.shapes.title.text_frame
    words.word_wrap = True
    words.text = sheet.heading.paragraphs[0]
    paragraph = words.paragraphs[0]
    paragraph.font.size = Pt(sheet.heading.size)
    for run in paragraph.runs:
        run.font.size = Pt(sheet.heading.size)
    _space(paragraph, 0.0)
    if typesetting.right_to_left(words.text):
        _turn(paragraph)


def _place(shape: Any, box: Box) -> None:
    """Put a shape where its text was measured, without insets."""
    from pptx.util import Pt

    shape.left, shape.top, shape.width, shape.height = (Pt(one) for one in box)
    words = shape.text_frame
    words.margin_left = words.margin_right = words.margin_top = words.margin_bottom = 0


def _write(words: Any, block: Block) -> None:
    from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE
    from pptx.util import Pt

    words.word_wrap = True
    words.auto_size = MSO_AUTO_SIZE.NONE
    if block.bullets:
        words.vertical_anchor = MSO_ANCHOR.TOP
    for place, text in enumerate(block.paragraphs):
        paragraph = words.paragraphs[0] if place == 0 else words.add_paragraph()
        run = paragraph.add_run()
        run.text = text
        run.font.size = Pt(block.size)
        last = place == len(block.paragraphs) - 1
        _space(paragraph, 0.0 if last else GAP * block.size)
        properties = paragraph._p.get_or_add_pPr()
        indent = round(INDENT * block.size * 12700) if block.bullets else 0
        properties.set("marL", str(indent))
        properties.set("indent", str(-indent))
        _bullet(properties, block.bullets)
        if typesetting.right_to_left(text):
            properties.set("marR", properties.attrib.pop("marL"))
            _turn(paragraph)


def _space(paragraph: Any, after: float) -> None:
    from pptx.util import Pt

    paragraph.line_spacing = 1.0
    paragraph.space_before = Pt(0)
    paragraph.space_after = Pt(after)


def _bullet(properties: Any, shown: bool) -> None:
    space = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
    from lxml import etree  # type: ignore[import-untyped]

    if shown:
        etree.SubElement(properties, f"{space}buFont").set("typeface", "Arial")
        etree.SubElement(properties, f"{space}buChar").set("char", "•")
    else:
        etree.SubElement(properties, f"{space}buNone")


def _turn(paragraph: Any) -> None:
    """Set a paragraph from right to left."""
    from pptx.enum.text import PP_ALIGN

    paragraph.alignment = PP_ALIGN.RIGHT
    paragraph._p.get_or_add_pPr().set("rtl", "1")


def _figure(slide: Any, placed: Placed) -> None:
    figure = placed.figure
    if placed.drawn is None and figure.native is not None:
        add_chart(slide.shapes, figure.native, placed.box, figure.alt)
        return
    import vl_convert
    from pptx.util import Pt

    assert placed.drawn is not None
    scale = placed.box.width / 72.0 * _DOTS / placed.drawn.width
    picture = io.BytesIO(vl_convert.svg_to_png(placed.drawn.svg, scale=scale))
    shape = slide.shapes.add_picture(picture, *(Pt(one) for one in placed.box))
    describe(shape, figure.name, figure.alt)


def _small(slide: Any, text: str, box: Box, size: float = 10.0) -> None:
    from pptx.dml.color import RGBColor
    from pptx.util import Pt

    shape = slide.shapes.add_textbox(0, 0, 1, 1)
    _place(shape, box)
    _write(shape.text_frame, Block(box, (text,), size, bullets=False))
    shape.text_frame.paragraphs[0].runs[0].font.color.rgb = RGBColor.from_string(layouts.QUIET)
    shape.text_frame.paragraphs[0].runs[0].font.size = Pt(size)


def made_of(sheet: Sheet, story: Story) -> str:
    """The line at a sheet's foot: how its figure was made, or who says it."""
    figure = sheet.placed.figure if sheet.placed else None
    return typesetting.clean(figure.caption if figure else f"{_NOT_ADVICE}. PainLab {story.provenance.get('painlab', '')}")


def _foot(slide: Any, found: Layouts, text: str, number: int) -> None:
    """Footer and number, in the layout's own places; the number is a field, so it stays right when slides are moved."""
    import copy

    kinds = {shape.placeholder_format.type.name: shape for shape in found.content.placeholders}
    if "SLIDE_NUMBER" in kinds:
        own = copy.deepcopy(kinds["SLIDE_NUMBER"]._element)
        _only_text(own, number=number)
        slide.shapes._spTree.append(own)
    if "FOOTER" in kinds:
        shape = kinds["FOOTER"]
        own = copy.deepcopy(shape._element)
        room = ((shape.width or 0) / 12700 / found.geometry.wide - (0 if found.own else 15), 12.3 if found.own else 24.6)
        _only_text(own, text=typesetting.cut(text, 10.0, room))
        slide.shapes._spTree.append(own)
    elif found.geometry.content.y + found.geometry.content.height + 16 < found.geometry.height:
        content = found.geometry.content
        _small(slide, typesetting.cut(text, 9.0, (content.width, 12.0)), Box(content.x, found.geometry.height - 15, content.width, 12), 9.0)


def _only_text(shape: Any, *, text: str = "", number: int | None = None) -> None:
    """Fill a copied placeholder's only paragraph."""
    from lxml import etree  # type: ignore[import-untyped]

    space = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
    body = shape.find("{http://schemas.openxmlformats.org/presentationml/2006/main}txBody")
    for old in body.findall(f"{space}p"):
        body.remove(old)
    paragraph = etree.SubElement(body, f"{space}p")
    if number is None:
        run = etree.SubElement(paragraph, f"{space}r")
        etree.SubElement(run, f"{space}rPr", {"lang": "en-US", "sz": "1000"})
    else:
        run = etree.SubElement(paragraph, f"{space}fld", {"id": "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", "type": "slidenum"})
        etree.SubElement(run, f"{space}rPr", {"lang": "en-US"})
    etree.SubElement(run, f"{space}t").text = text if number is None else str(number)


def _in_words(sheet: Sheet) -> str:
    """A table for those who cannot see it: what it is of and its heads; its cells are read one by one."""
    assert sheet.grid is not None
    return (
        f"{sheet.title}: table of {len(sheet.grid.rows)} rows with the columns {', '.join(sheet.grid.heads)}. {sheet.grid.caption}".strip()
    )


def notes_of(sheet: Sheet) -> str:
    """What the presenter reads: what to say, what was cut, all sources, and where each sentence comes from."""
    page = sheet.page
    parts: list[str] = []
    if sheet.heading.paragraphs[0] != sheet.title:
        parts.append(f"The whole title: {sheet.title}")
    if sheet.part > 1:
        return "\n\n".join([*parts, "Goes on from the slide before."])
    parts.append("\n".join(typesetting.clean(line) for line in page.notes.splitlines()))
    if page.kind == "title" and sheet.blocks and any(one.endswith("…") for one in sheet.blocks[0].paragraphs):
        parts.append("\n".join(typesetting.clean(one.text) for one in page.said))
    if sheet.grid is not None and sheet.grid.cut:
        parts.append("Cells that were too long, whole:\n" + "\n".join(sheet.grid.cut))
    if page.sources:
        parts.append("Sources:\n" + "\n".join(typesetting.clean(one) for one in page.sources))
    if traced := [f"{one.text} [{one.trace}]" for one in page.said if one.trace != "text"]:
        parts.append("Where it comes from:\n" + "\n".join(typesetting.clean(one) for one in traced))
    return "\n\n".join(part for part in parts if part)


def _notes(slide: Any, sheet: Sheet, story: Story) -> None:
    slide.notes_slide.notes_text_frame.text = notes_of(sheet)


def _name(deck: Any, story: Story) -> None:
    """The file's own properties."""
    from datetime import UTC, datetime

    made = deck.core_properties
    runs = story.provenance.get("runs", [])
    codes = ", ".join(str(run.get("code", "")) for run in runs)
    made.title = typesetting.clean(story.title)[:255]
    made.author = f"PainLab {story.provenance.get('painlab', '')}"[:255]
    made.last_modified_by = made.author
    made.subject = "; ".join(f"{run.get('scenario', '')}, seed {run.get('seed', '')}" for run in runs)[:255]
    made.keywords = codes[:255]
    made.comments = f"{_NOT_ADVICE}. Evidence of {story.provenance.get('evidence_date', '')}."[:255]
    made.category = "Model"
    made.language = "en-US"
    made.revision = 1
    made.created = made.modified = datetime.now(UTC).replace(microsecond=0, tzinfo=None)


def _embed(deck: Any, record: str) -> None:
    """Put the record into a part of custom XML, which PowerPoint keeps when it saves."""
    from pptx.opc.package import Part
    from pptx.opc.packuri import PackURI

    package = deck.part.package
    taken = {str(part.partname) for part in package.iter_parts()}
    number = next(one for one in range(1, 10_000) if f"/customXml/item{one}.xml" not in taken)
    head = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
    text = f'{head}<talk xmlns="{_SPACE}">{record}</talk>'
    item = Part(PackURI(f"/customXml/item{number}.xml"), "application/xml", package, text.encode("utf-8"))
    schema = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"
    own = (
        f'{head}<ds:datastoreItem ds:itemID="{_ITEM}" xmlns:ds="{schema}"><ds:schemaRefs><ds:schemaRef ds:uri="{_SPACE}"/>'
        "</ds:schemaRefs></ds:datastoreItem>"
    )
    properties = Part(PackURI(f"/customXml/itemProps{number}.xml"), _PROPERTIES, package, own.encode())
    item.relate_to(properties, f"{_RELATIONS}/customXmlProps")
    deck.part.relate_to(item, f"{_RELATIONS}/customXml")
