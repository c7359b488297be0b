"""A talk as a PDF for handing out, made without a browser: every page composed as an SVG of measured lines, then set by vl-convert."""

import io
import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape, unescape
from pathlib import Path
from typing import Any, Final

from painlab.errors import InputError
from painlab.tables import printable
from painlab.talk import layouts, typesetting
from painlab.talk.embedding import embedded, unpacked
from painlab.talk.grid_layout import PAD, Grid
from painlab.talk.paper import Block, Box, Geometry
from painlab.talk.powerpoint import made_of
from painlab.talk.sheets import GAP, INDENT, Placed, Sheet, sheets
from painlab.talk.story import Page, Said, Story
from painlab.views.appearance import FONT

ATTACHED: Final = "painlab-talk.json"
MOST_BYTES: Final = 200_000_000
_MOST_RECORD: Final = 64_000_000
_EXACT: Final = 0.965  # the fonts that are measured are those that are set, so most of the margin is not needed
_ASCENT: Final = 0.93  # of a line's type, above its base line
_REPLACED: Final = "Signs that no font here has are named in [brackets]."
_SVG: Final = re.compile(r"^.*?<svg\b[^>]*>(.*)</svg>\s*$", re.DOTALL)


def pdf(story: Story) -> bytes:
    """A talk as the bytes of a PDF of sheets of 13.3 by 7.5 inches (16:9), which print onto A4 or Letter.

    Text is text, so it can be searched and copied; charts are drawn as lines. Each page has a bookmark, and the scenarios and how they
    were run are attached, for `read_pdf`. Letters that no font of this machine has are named in brackets, and the page says so.
    """
    import vl_convert
    from pypdf import PdfReader, PdfWriter

    shown, changed = _drawable(story)
    geometry = Geometry(wide=_EXACT)
    writer = PdfWriter()
    laid = sheets(shown, geometry)
    for number, sheet in enumerate(laid, start=1):
        foot = made_of(sheet, story) + (f" {_REPLACED}" if sheet.page.key in changed else "")
        svg = compose(sheet, geometry, foot, number, len(laid))
        writer.add_page(PdfReader(io.BytesIO(vl_convert.svg_to_pdf(svg))).pages[0])
        writer.add_outline_item(title=sheet.title[:200], page_number=number - 1)
    made = story.provenance
    runs = made.get("runs", [])
    writer.add_metadata(
        {
            "/Title": typesetting.clean(story.title),
            "/Author": f"PainLab {made.get('painlab', '')}",
            "/Creator": f"PainLab {made.get('painlab', '')}",
            "/Subject": f"A model's answer, not advice for any patient. Evidence of {made.get('evidence_date', '')}.",
            "/Keywords": ", ".join(f"{run.get('scenario', '')} {run.get('code', '')} seed {run.get('seed', '')}" for run in runs),
        }
    )
    writer.add_attachment(ATTACHED, embedded(story).encode("utf-8"))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def read_pdf(path: str | Path) -> dict[str, Any]:
    """The record attached to a handout: `provenance`, that of the story, and `scenarios`, for `Scenario.from_dict`.

    Raises InputError if there is no such file, it is too large, it is no handout of PainLab, or its record is damaged.
    """
    from pypdf import PdfReader

    path = Path(path)
    where = printable(str(path))
    expected = "a handout that `painlab slides` has made"
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError("the file is too large to be a deck", where=where, expected=f"at most {MOST_BYTES // 1_000_000} MB")
        data = path.read_bytes()
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else error.strerror or "it cannot be opened"
        raise InputError(f"the deck cannot be read: {reason}", where=where, expected="the path of a deck.pdf") from None
    try:
        found = PdfReader(io.BytesIO(data)).attachments.get(ATTACHED, [])
    except Exception:  # a damaged file may break the reader anywhere
        raise InputError("the file is no PDF, or it is damaged", where=where, expected=expected) from None
    if not found or len(found[0]) > _MOST_RECORD:
        raise InputError("the PDF holds no talk of PainLab", where=where, expected=expected)
    return unpacked(found[0], where)


def _drawable(story: Story) -> tuple[Story, frozenset[str]]:
    """The talk with signs that cannot be drawn named, and the keys of pages in which there are some."""
    pages, changed = [], set()
    for page in story.pages:
        shown = _page(page)
        if shown != page:
            changed.add(page.key)
        pages.append(shown)
    return replace(story, pages=tuple(pages)), frozenset(changed)


def _page(page: Page) -> Page:
    show = typesetting.drawable
    table = page.table
    if table is not None:
        rows = tuple(tuple(show(cell) for cell in row) for row in table.rows)
        table = replace(table, heads=tuple(show(one) for one in table.heads), rows=rows, caption=show(table.caption))
    said = tuple(Said(show(one.text), one.trace) for one in page.said)
    return replace(page, title=show(page.title), said=said, table=table, sources=tuple(show(one) for one in page.sources))


def compose(sheet: Sheet, geometry: Geometry, foot: str, number: int, count: int) -> str:
    """One sheet as SVG. foot: the line at its foot; number and count: of the page and of all."""
    first = sheet.page.kind == "title"
    ink = "FFFFFF" if first else layouts.INK
    parts = [_rect(Box(0, 0, geometry.width, geometry.height), layouts.DEEP if first else "FFFFFF")]
    if first:
        parts += [_mark(Box(72, 56, 44, 44)), _rect(Box(72, 345, 96, 4), "56B4E9")]
    else:
        parts += [_rect(Box(0, 0, geometry.width, 7), layouts.ACCENT), _rect(Box(48, 498, 864, 0.75), layouts.RULE)]
        parts.append(_line(sheet.kicker, 48, 38, 13, layouts.ACCENT, bold=True))
        small = typesetting.cut(foot, 10, (780, 12.3))
        parts += [_line(small, 48, 518, 10, layouts.QUIET), _line(f"{number} / {count}", 912, 518, 11, layouts.QUIET, right=True)]
    parts.append(_block(sheet.heading, ink, bottom=first))
    parts += [_block(block, "E3EEF6" if first else ink) for block in sheet.blocks]
    if sheet.placed is not None:
        parts.append(_picture(sheet.placed))
    if sheet.grid is not None:
        parts.append(_grid(sheet.grid))
    if sheet.small is not None:
        parts.append(_block(sheet.small, layouts.QUIET))
    size = f'width="{geometry.width:g}" height="{geometry.height:g}" viewBox="0 0 {geometry.width:g} {geometry.height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {size}>{"".join(parts)}</svg>'


def _rect(box: Box, color: str) -> str:
    return f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" fill="#{color}"/>'


def _mark(box: Box) -> str:
    """The cycle: three arcs, each with a head."""
    arc = (
        '<path d="M -72.3 -48.8 A 87 87 0 0 1 60 -63" fill="none" stroke="#56B4E9" stroke-width="18"/>'
        '<path d="M 42 -76 L 82 -80 L 66 -40 Z" fill="#56B4E9"/>'
    )
    turned = "".join(f'<g transform="rotate({turn})">{arc}</g>' for turn in (0, 120, 240))
    return f'<g transform="translate({box.x + box.width / 2:g} {box.y + box.height / 2:g}) scale({box.width / 220:g})">{turned}</g>'


def _line(text: str, x: float, y: float, size: float, color: str, *, bold: bool = False, right: bool = False, turned: bool = False) -> str:
    """A line of text on its base line; turned: it runs from right to left."""
    if not text:
        return ""
    stretches = typesetting.runs(text, size, bold, turned=turned)
    whole = sum(run.width for stretch in stretches for run in stretch)
    left = x - whole if right or turned else x
    # Each piece is placed by itself: the renderer sets a line that lacks one letter in another font altogether.
    parts: list[str] = []
    for stretch in reversed(stretches) if turned else stretches:
        for run in stretch:
            parts.append(_run(run, left, y, size, color, bold))
            left += run.width
    return "".join(parts)


def _run(run: typesetting.Run, x: float, y: float, size: float, color: str, bold: bool) -> str:
    weight = ' font-weight="bold"' if bold else ""
    anchor = ' text-anchor="end"' if run.turned else ""
    # The renderer takes a direction from embedding marks alone.
    shown = f"\u202b{run.text}\u202c" if run.turned else run.text
    return (
        f'<text x="{x + (run.width if run.turned else 0.0):.2f}" y="{y:.2f}" font-family="{escape(run.family)}, {escape(FONT)}" '
        f'font-size="{size:g}" fill="#{color}"{weight}{anchor} xml:space="preserve">{escape(shown)}</text>'
    )


def _block(block: Block, color: str, *, bottom: bool = False) -> str:
    """Paragraphs as measured lines; bottom: at the bottom of their box."""
    box, size = block.box, block.size
    indent = INDENT * size if block.bullets else 0.0
    room = (box.width / _EXACT - indent) * (1.0 - typesetting.MARGIN)
    y = box.y
    if bottom:
        y += box.height - typesetting.height(block.paragraphs, size, box.width / _EXACT, bold=block.bold, gap=GAP)
    parts: list[str] = []
    for text in block.paragraphs:
        turned = typesetting.right_to_left(text)
        x = box.x + box.width - indent if turned else box.x + indent
        if block.bullets:
            parts.append(_line("•", box.x + box.width if turned else box.x, y + _ASCENT * size, size, color, right=turned))
        for line in typesetting.wrap(text, size, room, block.bold):
            parts.append(_line(line, x, y + _ASCENT * size, size, color, bold=block.bold, turned=turned))
            y += typesetting.LEADING * size
        y += GAP * size
    return "".join(parts)


def _picture(placed: Placed) -> str:
    assert placed.drawn is not None
    box, drawn = placed.box, placed.drawn
    inner = _SVG.sub(r"\1", drawn.svg)
    inner = re.sub(r">([^<>]+)<", lambda text: f">{escape(typesetting.drawable(unescape(text[1])), quote=False)}<", inner)
    return (
        f'<svg x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" viewBox="0 0 {drawn.width:g} {drawn.height:g}">'
        f"<title>{escape(typesetting.clean(placed.figure.alt))}</title>{inner}</svg>"
    )


def _grid(grid: Grid) -> str:
    parts: list[str] = []
    y, wide = grid.y, sum(grid.widths)
    for number, (row, height) in enumerate(zip((grid.heads, *grid.rows), grid.heights, strict=True)):
        parts.append(_rect(Box(grid.x, y, wide, height), layouts.ACCENT if number == 0 else "E4EDF5" if number % 2 else "F5F8FB"))
        parts.append(_cells(row, grid, y, number == 0))
        y += height
    if grid.caption:
        parts.append(_line(typesetting.cut(grid.caption, 10, (840, 12.3)), grid.x, y + 14, 10, layouts.QUIET))
    return "".join(parts)


def _cells(row: Sequence[str], grid: Grid, y: float, head: bool) -> str:
    parts: list[str] = []
    x = grid.x
    for place, (text, width) in enumerate(zip(row, grid.widths, strict=True)):
        turned = typesetting.right_to_left(text)
        right = turned or grid.numbers[place]
        room = (width - 2 * PAD[0]) / _EXACT * (1.0 - typesetting.MARGIN)
        line_y = y + PAD[1] + _ASCENT * grid.size
        for line in typesetting.wrap(text, grid.size, room, head):
            at = x + width - PAD[0] if right else x + PAD[0]
            parts.append(_line(line, at, line_y, grid.size, "FFFFFF" if head else layouts.INK, bold=head, right=right, turned=turned))
            line_y += typesetting.LEADING * grid.size
        x += width
    return "".join(parts)
