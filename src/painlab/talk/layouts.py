"""Slide layouts: PainLab's own, or those of a house's template, found by their names; and where on them text and figures go."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from painlab.errors import InputError
from painlab.tables import printable
from painlab.talk.paper import Box, Geometry

FIRST: Final = ("Title Slide", "title")
CONTENT: Final = ("Title and Content", "obj")
KICKER: Final = 13  # index of PainLab's own placeholder over the title
_MOST_BYTES: Final = 200_000_000
_EMU: Final = 12700  # a point
_INSETS: Final = (7.2, 3.6)
_LEAST: Final = (320.0, 180.0)
_TEMPLATE: Final = b"application/vnd.openxmlformats-officedocument.presentationml.template.main+xml"
_SLIDES: Final = b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
# Fonts no wider than the one that is measured, on every machine: another may be wider, or is replaced by a wider one where it is missing.
_MEASURED: Final = frozenset({"Arial", "Helvetica", "Helvetica Neue", "Liberation Sans", "Arial Narrow"})
_WIDER: Final = 1.16  # DejaVu Sans, which replaces missing fonts on Linux, over Arial
_P: Final = "http://schemas.openxmlformats.org/presentationml/2006/main"
_A: Final = "http://schemas.openxmlformats.org/drawingml/2006/main"
INK: Final = "16202A"
QUIET: Final = "56606A"
ACCENT: Final = "0072B2"
DEEP: Final = "0B2F4A"
RULE: Final = "D9DFE5"


class Layouts(NamedTuple):
    """A presentation without slides, its two layouts, where their parts are, and whether it is PainLab's own."""

    presentation: Any
    first: Any
    content: Any
    geometry: Geometry
    own: bool


def own() -> Layouts:
    """PainLab's layouts: python-pptx's empty presentation, made wide, with its colors, type and places changed."""
    from pptx import Presentation
    from pptx.util import Pt

    deck = Presentation()
    deck.slide_width, deck.slide_height = Pt(960), Pt(540)
    geometry = Geometry()
    kept = {"Title Slide", "Title and Content", "Title Only", "Blank"}
    for layout in list(deck.slide_layouts):
        if layout.name not in kept:
            deck.slide_layouts.remove(layout)
    _theme(deck)
    master = deck.slide_master
    _places(master, geometry.title, geometry.content)
    _type(master)
    by_name = {layout.name: layout for layout in deck.slide_layouts}
    for name in ("Title and Content", "Title Only"):
        _places(by_name[name], geometry.title, geometry.content)
        _furnish(by_name[name])
    first = by_name["Title Slide"]
    _places(first, geometry.first_title, geometry.first_words)
    _cover(first)
    return Layouts(deck, first, by_name["Title and Content"], geometry, True)


def _xml(text: str) -> Any:
    from pptx.oxml import parse_xml

    return parse_xml(re.sub(r"^(<[\w:]+)", rf'\1 xmlns:a="{_A}" xmlns:p="{_P}"', text, count=1))


def _theme(deck: Any) -> None:
    """Okabe and Ito's colors and a font that every machine has or can stand in for."""
    part = next(rel.target_part for rel in deck.slide_master.part.rels.values() if rel.reltype.endswith("/theme"))
    text = part.blob.decode("utf-8")
    colors = {
        "dk1": INK, "lt1": "FFFFFF", "dk2": DEEP, "lt2": "F3F6F9", "accent1": ACCENT, "accent2": "D55E00", "accent3": "009E73",
        "accent4": "CC79A7", "accent5": "E69F00", "accent6": "56B4E9", "hlink": ACCENT, "folHlink": QUIET,
    }  # fmt: skip
    for name, color in colors.items():
        text = re.sub(rf"<a:{name}>.*?</a:{name}>", f'<a:{name}><a:srgbClr val="{color}"/></a:{name}>', text, count=1, flags=re.DOTALL)
    text = re.sub(r"(<a:m(?:aj|in)orFont>\s*<a:latin typeface=\")[^\"]*", r"\1Arial", text)
    text = re.sub(r"<a:theme ([^>]*)name=\"[^\"]*\"", r'<a:theme \1name="PainLab"', text, count=1)
    part._blob = text.encode("utf-8")


def _places(layout: Any, title: Box, body: Box) -> None:
    """Move placeholders: title and body as given, date away, footer and number to the foot."""
    for shape in list(layout.placeholders):
        kind = shape.placeholder_format.type.name
        if kind in ("TITLE", "CENTER_TITLE"):
            _move(shape, title)
            _frame(shape, "b" if kind == "CENTER_TITLE" else "t")
        elif kind in ("BODY", "OBJECT", "SUBTITLE"):
            _move(shape, body)
            _frame(shape, "t")
        elif kind == "FOOTER":
            _move(shape, Box(48, 504, 780, 22))
            _frame(shape, "ctr")
            _run_style(shape, 10, "l")
        elif kind == "SLIDE_NUMBER":
            _move(shape, Box(848, 504, 64, 22))
            _frame(shape, "ctr")
            _run_style(shape, 11, "r")
        else:
            shape._element.getparent().remove(shape._element)


def _move(shape: Any, box: Box) -> None:
    from pptx.util import Pt

    shape.left, shape.top, shape.width, shape.height = (Pt(one) for one in box)


def _frame(shape: Any, anchor: str) -> None:
    """No insets, so that the measured room is the box; text from its anchor."""
    body = shape._element.txBody.bodyPr
    for name in ("lIns", "tIns", "rIns", "bIns"):
        body.set(name, "0")
    body.set("anchor", anchor)
    for child in list(body):
        body.remove(child)


def _run_style(shape: Any, points: int, align: str, color: str = QUIET) -> None:
    styles = shape._element.txBody.find(f"{{{_A}}}lstStyle")
    for child in list(styles):
        styles.remove(child)
    styles.append(
        _xml(
            f'<a:lvl1pPr algn="{align}"><a:defRPr sz="{points * 100}"><a:solidFill><a:srgbClr val="{color}"/></a:solidFill>'
            "</a:defRPr></a:lvl1pPr>"
        )
    )


def _type(master: Any) -> None:
    """Title bold and at the left; body without space before paragraphs."""
    title = master._element.find(f".//{{{_P}}}titleStyle/{{{_A}}}lvl1pPr")
    title.set("algn", "l")
    title.find(f"{{{_A}}}defRPr").set("b", "1")
    for level in master._element.find(f".//{{{_P}}}bodyStyle"):
        for space in level.findall(f"{{{_A}}}spcBef"):
            level.remove(space)


def _furnish(layout: Any) -> None:
    """What stands on every slide: a bar at the top, a rule over the foot, and the place of the words over the title."""
    tree = layout.shapes._spTree
    tree.insert(2, _shape(90, "Bar", Box(0, 0, 960, 7), ACCENT))
    tree.insert(3, _shape(91, "Rule", Box(48, 498, 864, 0.75), RULE))
    kicker = _xml(
        '<p:sp><p:nvSpPr><p:cNvPr id="92" name="Kicker"/><p:cNvSpPr><a:spLocks noGrp="1"/></p:cNvSpPr>'
        f'<p:nvPr><p:ph type="body" sz="quarter" idx="{KICKER}"/></p:nvPr></p:nvSpPr><p:spPr>{_xfrm(Box(48, 25, 864, 18))}</p:spPr>'
        '<p:txBody><a:bodyPr lIns="0" tIns="0" rIns="0" bIns="0" anchor="ctr"/><a:lstStyle>'
        '<a:lvl1pPr marL="0" indent="0" algn="l"><a:spcBef><a:spcPts val="0"/></a:spcBef><a:buNone/>'
        f'<a:defRPr sz="1300" b="1"><a:solidFill><a:srgbClr val="{ACCENT}"/></a:solidFill></a:defRPr></a:lvl1pPr>'
        "</a:lstStyle><a:p><a:r><a:rPr/><a:t>Topic</a:t></a:r></a:p></p:txBody></p:sp>"
    )
    tree.append(kicker)


def _xfrm(box: Box) -> str:
    x, y, width, height = (round(one * _EMU) for one in box)
    return f'<a:xfrm><a:off x="{x}" y="{y}"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'


def _shape(number: int, name: str, box: Box, color: str) -> Any:
    return _xml(
        f'<p:sp><p:nvSpPr><p:cNvPr id="{number}" name="{name}"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr>'
        f'<p:spPr>{_xfrm(box)}<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:solidFill><a:srgbClr val="{color}"/></a:solidFill>'
        "<a:ln><a:noFill/></a:ln></p:spPr></p:sp>"
    )


def _cover(layout: Any) -> None:
    """The first slide: deep blue, with the cycle as a mark of three arcs."""
    background = _xml(f'<p:bg><p:bgPr><a:solidFill><a:srgbClr val="{DEEP}"/></a:solidFill><a:effectLst/></p:bgPr></p:bg>')
    layout._element.cSld.insert(0, background)
    tree = layout.shapes._spTree
    mark = Box(72, 56, 44, 44)
    for number, turn in enumerate((200, 320, 80)):
        start, end = turn % 360 * 60000, (turn + 82) % 360 * 60000
        tree.insert(
            2 + number,
            _xml(
                f'<p:sp><p:nvSpPr><p:cNvPr id="{90 + number}" name="Arc {number + 1}"/><p:cNvSpPr/><p:nvPr userDrawn="1"/></p:nvSpPr>'
                f'<p:spPr>{_xfrm(mark)}<a:prstGeom prst="arc"><a:avLst><a:gd name="adj1" fmla="val {start}"/>'
                f'<a:gd name="adj2" fmla="val {end}"/></a:avLst></a:prstGeom><a:noFill/><a:ln w="50800"><a:solidFill>'
                '<a:srgbClr val="56B4E9"/></a:solidFill><a:tailEnd type="triangle" w="med" len="sm"/></a:ln></p:spPr></p:sp>'
            ),
        )
    tree.insert(5, _shape(95, "Bar", Box(72, 345, 96, 4), "56B4E9"))
    for shape in layout.placeholders:
        kind = shape.placeholder_format.type.name
        if kind in ("TITLE", "CENTER_TITLE"):
            _run_style(shape, 48, "l", "FFFFFF")
        elif kind == "SUBTITLE":
            _frame(shape, "t")
            styles = shape._element.txBody.find(f"{{{_A}}}lstStyle")
            for child in list(styles):
                styles.remove(child)
            styles.append(
                _xml(
                    '<a:lvl1pPr marL="0" indent="0" algn="l"><a:buNone/><a:defRPr sz="2200"><a:solidFill><a:srgbClr val="E3EEF6"/>'
                    "</a:solidFill></a:defRPr></a:lvl1pPr>"
                )
            )
        elif kind in ("FOOTER", "SLIDE_NUMBER"):
            shape._element.getparent().remove(shape._element)


def house(template: str | Path) -> Layouts:
    """The layouts of a house's template, a .pptx or .potx file; its slides are left out.

    They are found by the names "Title Slide" and "Title and Content", or by their kinds, which PowerPoint keeps in every language.
    Raises InputError if there is no such file, it is not a presentation, or a layout is missing or has no room.
    """
    path = Path(template)
    where = printable(str(path))
    deck = _opened(path, where)
    _empty(deck)
    layouts = [layout for master in deck.slide_masters for layout in master.slide_layouts]
    found = []
    for name, kind in (FIRST, CONTENT):
        by_name = [one for one in layouts if one.name.strip().casefold() == name.casefold()]
        by_kind = [one for one in layouts if one._element.get("type") == kind]
        if not by_name and not by_kind:
            names = ", ".join(f'"{printable(one.name, 40)}"' for one in layouts[:12]) or "none"
            raise InputError(
                f'the template has no layout "{name}"',
                where=where,
                expected=f'the layouts "{FIRST[0]}" and "{CONTENT[0]}"; it has {names}',
                mend="Name its layouts so in PowerPoint's slide master, or leave the template out.",
            )
        found.append((by_name or by_kind)[0])
    first, content = found
    wide = 1.0 if _typeface(content) in _MEASURED else _WIDER
    title, body = _box(content, ("TITLE", "CENTER_TITLE")), _box(content, ("OBJECT", "BODY"))
    first_title, first_words = _box(first, ("CENTER_TITLE", "TITLE")), _box(first, ("SUBTITLE", "BODY", "OBJECT"))
    for box, layout in ((title, CONTENT[0]), (body, CONTENT[0]), (first_title, FIRST[0])):
        if box is None:
            raise InputError(
                f'the layout "{layout}" has no {"text" if box is body and layout == CONTENT[0] else "title"}', where=where,
                expected="a title and a place for content", mend="Add it in PowerPoint's slide master.",
            )  # fmt: skip
    assert title and body and first_title
    if body.width < _LEAST[0] or body.height < _LEAST[1]:
        raise InputError(
            f'the content of the layout "{CONTENT[0]}" is {body.width:.0f} by {body.height:.0f} points, too small for a figure',
            where=where, expected=f"at least {_LEAST[0]:.0f} by {_LEAST[1]:.0f}", mend="Widen it in PowerPoint's slide master.",
        )  # fmt: skip
    width, height = deck.slide_width / _EMU, deck.slide_height / _EMU
    spare = Box(first_title.x, first_title.y + first_title.height + 8, first_title.width, 90)
    return Layouts(deck, first, content, Geometry(width, height, title, body, first_title, first_words or spare, wide, flows=False), False)


def _opened(path: Path, where: str) -> Any:
    from pptx import Presentation

    mend = "Give the path of a .pptx or .potx file that PowerPoint can open, or leave the template out."
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError("the template is larger than 200 MB", where=where, mend="Remove its pictures or films.")
        data = path.read_bytes()
    except OSError as error:
        reason = "it is a folder" if path.is_dir() else "there is no such file" if not path.exists() else error.strerror or "unreadable"
        raise InputError(f"the template cannot be read: {reason}", where=where, mend=mend) from None
    try:
        return Presentation(io.BytesIO(_as_slides(data)))
    except Exception as error:  # zip, XML and package each have errors of their own
        reason = f"it is no presentation of PowerPoint ({printable(type(error).__name__)})"
        raise InputError(f"the template cannot be read: {reason}", where=where, expected="a .pptx or .potx file", mend=mend) from None


def _as_slides(data: bytes) -> bytes:
    """A template (.potx) as a presentation: they differ in one line of the list of contents."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        if sum(one.file_size for one in package.infolist()) > 5 * _MOST_BYTES:
            raise ValueError("unpacked, it is too large")
        if _TEMPLATE not in package.read("[Content_Types].xml"):
            return data
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as changed:
            for one in package.infolist():
                blob = package.read(one)
                changed.writestr(one, blob.replace(_TEMPLATE, _SLIDES) if one.filename == "[Content_Types].xml" else blob)
    return made.getvalue()


def _empty(deck: Any) -> None:
    """Take the template's own slides away, and what names them."""
    slides = deck.slides._sldIdLst
    for slide in list(slides):
        deck.part.drop_rel(slide.rId)
        slides.remove(slide)
    root = deck.part._element
    for tag in ("custShowLst", "extLst"):  # shows and sections made of slides that are gone
        for one in root.findall(f"{{{_P}}}{tag}"):
            root.remove(one)


def _box(layout: Any, kinds: tuple[str, ...]) -> Box | None:
    """The room for text of a layout's first placeholder of some kinds, inherited from its master where it has none of its own."""
    for kind in kinds:
        for shape in layout.placeholders:
            if shape.placeholder_format.type.name == kind and shape.width:
                left, top, wide, high = (one / _EMU for one in (shape.left, shape.top, shape.width, shape.height))
                return Box(left + _INSETS[0], top + _INSETS[1], wide - 2 * _INSETS[0], high - 2 * _INSETS[1])
    return None


def _typeface(layout: Any) -> str:
    """The font of a theme's text."""
    for rel in layout.slide_master.part.rels.values():
        if rel.reltype.endswith("/theme"):
            found = re.search(rb"<a:minorFont>\s*<a:latin typeface=\"([^\"]*)", rel.target_part.blob)
            return found[1].decode("utf-8", "replace") if found else ""
    return ""
