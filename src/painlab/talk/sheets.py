"""A talk laid out on sheets of paper or slides, every text measured: it is shrunk until it fits, and goes on over to a further sheet.

All measures are points, from the upper left corner.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from painlab.talk import chart_size, typesetting
from painlab.talk.chart_size import Drawn
from painlab.talk.grid_layout import Grid, lay_grid
from painlab.talk.paper import Block, Box, Geometry
from painlab.talk.story import Figure, LiveGrid, Page, Story, Table

CHART_TYPE: Final = 12.0  # points of an axis label on a sheet of 960 by 540
GAP: Final = 0.5  # between paragraphs, over the size of type
INDENT: Final = 0.9  # of a bullet's text, over the size of type
_WORDS: Final = (24.0, 22.0, 20.0, 19.0, 18.0, 17.0, 16.0, 15.0)
_BESIDE: Final = (19.0, 18.0, 17.0, 16.0, 15.0, 14.0, 13.0)
_ABOVE: Final = (16.0, 15.0, 14.0)
_TITLES: Final = (30.0, 28.0, 26.0, 24.0, 22.0, 20.0, 18.0, 16.0, 15.0, 14.0)
_FIRST_TITLE: Final = (48.0, 44.0, 40.0, 36.0, 32.0, 28.0, 26.0, 24.0, 22.0, 20.0, 18.0, 16.0, 14.0, 12.0)
_SUBTITLE: Final = (22.0, 20.0, 18.0, 16.0, 15.0, 14.0, 13.0, 12.0)
_SMALL: Final = 10.0
_LEAST_BELOW: Final = 56.0  # for sentences under a picture that leaves room for some only
_SOURCE_LINES: Final = 2
_NATIVE_SHARES: Final = (0.64, 0.58, 0.52)
_SHARES: Final = (0.7, 0.66, 0.62, 0.58)  # of the width, for a picture beside text
_ONE_BY_ONE: Final = "One lever is moved at a time here; the HTML deck of this talk answers for every combination, and draws it."
KICKERS: Final = {
    "question": "The question",
    "cycle": "The cycle",
    "patients": "The patients",
    "care": "What changes in care",
    "demand": "Opioid demand",
    "body": "Pain and function",
    "compare": "Plans beside each other",
    "live": "What if?",
    "benefit": "Who benefits, who does not",
    "earned": "What earned it",
    "sure": "How sure",
    "evidence": "The evidence",
    "limits": "Limits",
}


@dataclass(frozen=True)
class Placed:
    """A figure in a box. drawn: as a picture, for what does not draw charts itself."""

    box: Box
    figure: Figure
    drawn: Drawn | None


@dataclass(frozen=True)
class Sheet:
    """One slide or sheet: of a page its part `part`, counted from 1; title is whole, heading what fits of it."""

    page: Page
    part: int
    title: str
    heading: Block
    blocks: tuple[Block, ...] = ()
    placed: Placed | None = None
    grid: Grid | None = None
    small: Block | None = None

    @property
    def kicker(self) -> str:
        """What the sheet is about, in two or three words; empty where the title says it."""
        return KICKERS.get(self.page.key.removesuffix("-2"), "Appendix" if self.page.kind == "appendix" else "")


def sheets(story: Story, geometry: Geometry | None = None, *, native: bool = False) -> tuple[Sheet, ...]:
    """A talk's pages on sheets. native: charts that office software draws are left to it.

    No text is lost: what does not fit stands on the next sheet, and a title that is cut by an ellipsis stands whole in the notes.
    """
    geometry = geometry or Geometry()
    made: list[Sheet] = []
    for page in story.pages:
        for part, sheet in enumerate(_sheets_of(page, geometry, native), start=1):
            made.append(replace(sheet, part=part))
    return tuple(made)


def _still(grid: LiveGrid) -> Table:
    """What the model says where one lever at a time goes to an end of its range: a page that answers, where nothing can move."""
    rows = [("As planned", "", grid.headlines[grid.at])]
    at = [lever.at for lever in grid.levers]
    for number, lever in enumerate(grid.levers):
        for end in dict.fromkeys((0, len(lever.values) - 1)):
            if end != lever.at:
                rows.append((lever.label, lever.levels[end], grid.headlines[grid.place(*at[:number], end, *at[number + 1 :])]))
    return Table(("One lever moved", "To", "What the model then says"), tuple(rows), grid.caption)


def _sheets_of(page: Page, geometry: Geometry, native: bool) -> list[Sheet]:
    said = [typesetting.words(one.text) for one in page.said if one.text.strip()]
    if page.kind == "title":
        return [_first(page, said, geometry)]
    geometry = _flowed(page, geometry)
    small = _sources(page, geometry)
    area = geometry.content
    if small is not None:
        area = area._replace(height=small.box.y - area.y - 8.0)
    if page.live is not None:
        said = [_ONE_BY_ONE]
        page = replace(page, table=_still(page.live), figure=None)
    native_table = native and page.figure is not None and page.figure.native is not None and page.figure.native.kind == "table"
    if native_table and page.table is None:
        page = replace(page, table=_as_table(page.figure), figure=None)
    if page.figure is not None:
        found, left = _with_figure(page, page.figure, said, area, geometry, native)
        found = replace(found, small=small)
        return [found, *(_words(page, left, geometry, part=2) if left else [])]
    if page.table is not None and page.table.heads:
        return _with_table(page, said, area, geometry, small)
    made = _words(page, said, geometry, area=area)
    return [replace(made[0], small=small), *made[1:]]


def _flowed(page: Page, geometry: Geometry, part: int = 1) -> Geometry:
    """The content moved up to the end of a short title."""
    if not geometry.flows:
        return geometry
    head = heading(page.title, geometry, part)[1]
    used = typesetting.height(head.paragraphs, head.size, geometry.fits(geometry.title)[0], bold=True)
    content, title = geometry.content, geometry.title
    top = title.y + min(title.height + 12.0, used + 16.0)
    return replace(geometry, content=content._replace(y=top, height=content.y + content.height - top))


def heading(text: str, geometry: Geometry, part: int = 1) -> tuple[str, Block]:
    """A page's title whole, and as a block that fits."""
    whole = typesetting.words(text)
    if part > 1 and not whole.endswith("continued"):
        whole += " (continued)"
    room = geometry.fits(geometry.title)
    size = typesetting.largest([whole], _TITLES, room, bold=True)
    shown = whole if size else typesetting.cut(whole, _TITLES[-1], room, bold=True)
    return whole, Block(geometry.title, (shown,), size or _TITLES[-1], bullets=False, bold=True)


def _first(page: Page, said: Sequence[str], geometry: Geometry) -> Sheet:
    whole = typesetting.words(page.title)
    room = geometry.fits(geometry.first_title)
    size = typesetting.largest([whole], _FIRST_TITLE, room, bold=True)
    shown = whole if size else typesetting.cut(whole, _FIRST_TITLE[-1], room, bold=True)
    head = Block(geometry.first_title, (shown,), size or _FIRST_TITLE[-1], bullets=False, bold=True)
    room = geometry.fits(geometry.first_words)
    size_of_words = typesetting.largest(said, _SUBTITLE, room, gap=GAP)
    if size_of_words is None:
        share = (room[0], room[1] / max(1, len(said)) - GAP * _SUBTITLE[-1])
        said = [typesetting.cut(one, _SUBTITLE[-1], share) for one in said]
    blocks = (Block(geometry.first_words, tuple(said), size_of_words or _SUBTITLE[-1], bullets=False),) if said else ()
    return Sheet(page, 1, whole, head, blocks)


def _sources(page: Page, geometry: Geometry) -> Block | None:
    """The page's sources in at most two small lines at the foot of the content; the notes have all of them."""
    if not page.sources:
        return None
    content, names = geometry.content, [typesetting.clean(one) for one in page.sources]
    room = (content.width / geometry.wide, _SOURCE_LINES * typesetting.LEADING * _SMALL + 0.1)
    for shown in range(len(names), 0, -1):
        rest = f"; {len(names) - shown} more in the notes" if shown < len(names) else ""
        text = f"Sources: {'; '.join(names[:shown])}{rest}"
        if typesetting.largest([text], (_SMALL,), room):
            break
    else:
        text = typesetting.cut(text, _SMALL, room)
    tall = typesetting.height([text], _SMALL, room[0])
    return Block(Box(content.x, content.y + content.height - tall, content.width, tall), (text,), _SMALL, bullets=False)


def text_room(box: Box, size: float, geometry: Geometry, bullets: bool = True) -> tuple[float, float]:
    """The room of a box for paragraphs at a size."""
    width, height = geometry.fits(box)
    return width - (INDENT * size if bullets else 0.0), height


def _size(paragraphs: Sequence[str], sizes: Sequence[float], box: Box, geometry: Geometry) -> float | None:
    return next((size for size in sizes if typesetting.largest(paragraphs, (size,), text_room(box, size, geometry), gap=GAP)), None)


def _portion(paragraphs: Sequence[str], size: float, box: Box, geometry: Geometry) -> tuple[list[str], list[str]]:
    """As many paragraphs as fit, and the rest; a paragraph that alone is too long is broken between words."""
    taken: list[str] = []
    room = text_room(box, size, geometry)
    for place, one in enumerate(paragraphs):
        if typesetting.height([*taken, one], size, room[0], gap=GAP) > room[1]:
            if taken:
                return taken, list(paragraphs[place:])
            lines = typesetting.wrap(one, size, room[0] * (1.0 - typesetting.MARGIN))
            fit = max(1, int(room[1] / (size * typesetting.LEADING)))
            rest = [" ".join(lines[fit:])] if lines[fit:] else []
            return [" ".join(lines[:fit])], [*rest, *paragraphs[place + 1 :]]
        taken.append(one)
    return taken, []


def _words(page: Page, said: Sequence[str], geometry: Geometry, *, part: int = 1, area: Box | None = None) -> list[Sheet]:
    """Sentences alone, on as many sheets as they need, evenly filled."""
    further = _flowed(page, geometry, part + 1)
    box = area or _flowed(page, geometry, part).content
    whole, head = heading(page.title, geometry, part)
    if size := _size(said, _WORDS, box, geometry):
        return [Sheet(page, part, whole, head, (Block(box, tuple(said), size),) if said else ())]
    size = _WORDS[-1]
    count, left = 0, list(said)
    while left:
        count, left = count + 1, _portion(left, size, further.content if count else box, geometry)[1]
    made, left = [], list(said)
    for number in range(count):
        box = further.content if number else box
        taken, rest = _portion(left, size, box, geometry)
        even = -(-len(left) // (count - number))
        if len(taken) > even:
            taken, rest = left[:even], left[even:]
        whole, head = heading(page.title, geometry, part + number)
        made.append(Sheet(page, part + number, whole, head, (Block(box, tuple(taken), size),)))
        left = rest
    return made


def _as_table(figure: Figure | None) -> Table:
    """A figure that is a table, with a row for each category."""
    assert figure is not None and figure.native is not None
    native = figure.native
    rows = [
        (name, *("" if one[1][place] is None else f"{one[1][place]:g}" for one in native.series))
        for place, name in enumerate(native.categories)
    ]
    return Table((native.unit, *(name for name, _ in native.series)), tuple(rows), figure.caption)


def _with_figure(page: Page, figure: Figure, said: list[str], area: Box, geometry: Geometry, native: bool) -> tuple[Sheet, list[str]]:
    """A figure with as many sentences as fit beside or below it, and the sentences left over."""
    whole, head = heading(page.title, geometry)
    sheet = Sheet(page, 1, whole, head)
    if native and figure.native is not None and figure.native.kind in ("line", "bar"):
        halves = [_beside(area, share) for share in _NATIVE_SHARES]
        tried = [
            (*half, size) for sizes in (_BESIDE[:-1], _BESIDE[-1:]) for half in halves if (size := _size(said, sizes, half[1], geometry))
        ]
        left, right, size = tried[0] if tried else (*halves[-1], None)
        taken, rest = (said, []) if size else _portion(said, _BESIDE[-1], right, geometry)
        block = Block(right, tuple(taken), size or _BESIDE[-1])
        return replace(sheet, blocks=(block,) if taken else (), placed=Placed(left, figure, None)), rest
    if not said:
        return replace(sheet, placed=_scaled(figure, area)), []
    shape = chart_size.draw(figure.spec)
    ways = (_below, _at_side) if shape.width / shape.height > 1.8 else (_at_side, _below)
    for way in ways:
        found = way(figure, said, area, geometry)
        if found is not None:
            return replace(sheet, placed=found[0], blocks=found[1]), []
    # Neither: the picture with as much as fits under it, and the rest on the next sheet.
    placed = _scaled(figure, area._replace(height=area.height - _LEAST_BELOW))
    under = _under(placed, area)
    size = _size(said, (*_ABOVE, _BESIDE[-1]), under, geometry) or _ABOVE[-1]
    taken, rest = _portion(said, size, under, geometry)
    return replace(sheet, placed=placed, blocks=(Block(under, tuple(taken), size),)), rest


def _under(placed: Placed, area: Box) -> Box:
    """What is left of an area below a figure."""
    y = placed.box.y + placed.box.height + 12.0
    return area._replace(y=y, height=area.y + area.height - y)


def _beside(area: Box, share: float) -> tuple[Box, Box]:
    first = area.width * share
    return area._replace(width=first), Box(area.x + first + 24.0, area.y, area.width - first - 24.0, area.height)


_Found = tuple[Placed, tuple[Block, ...]] | None


def _at_side(figure: Figure, said: list[str], area: Box, geometry: Geometry) -> _Found:
    for share in _SHARES:
        left, right = _beside(area, share)
        size = _size(said, _BESIDE, right, geometry)
        if size and (placed := _resized(figure, left)):
            return placed, (Block(right, tuple(said), size),)
    return None


def _below(figure: Figure, said: list[str], area: Box, geometry: Geometry) -> _Found:
    """Over the whole width, with the sentences in two columns below."""
    half = (area.width - 32.0) / 2.0
    size = _ABOVE[-1]
    parts, need = _halves(said, size, half, geometry)
    if need > 0.42 * area.height:
        return None
    placed = _resized(figure, area._replace(height=area.height - need - 12.0))
    if placed is None:
        return None
    under = _under(placed, area)
    for larger in _ABOVE:
        tried, need = _halves(said, larger, half, geometry)
        if need <= under.height:
            parts, size = tried, larger
            break
    boxes = [under._replace(width=half), under._replace(x=area.x + half + 32.0, width=half)]
    return placed, tuple(Block(box, tuple(part), size) for box, part in zip(boxes, parts, strict=False) if part)


def _halves(said: list[str], size: float, width: float, geometry: Geometry) -> tuple[tuple[list[str], list[str]], float]:
    """Sentences in two columns as even as can be, and the height of the higher one."""
    room = text_room(Box(0, 0, width, 0), size, geometry)[0]
    tall = [typesetting.height([one], size, room) + GAP * size for one in said]
    at = min(range(1, len(said) + 1), key=lambda place: max(sum(tall[:place]), sum(tall[place:])))
    return (said[:at], said[at:]), max(sum(tall[:at]), sum(tall[at:]))


def _resized(figure: Figure, box: Box) -> Placed | None:
    """The figure drawn for a box, its type of readable size; None where it would be too small."""
    scale = chart_size.TYPE / CHART_TYPE
    drawn = chart_size.fitted(figure.spec, box.width * scale, box.height * scale)
    if drawn is None:
        return None
    share = min(box.width / drawn.width, box.height / drawn.height)
    if share < 0.9 / scale:
        return None
    return Placed(_top(box, drawn, share), figure, drawn)


def _scaled(figure: Figure, box: Box) -> Placed:
    """The figure in a box, whatever that makes of its type."""
    if (found := _resized(figure, box)) is not None:
        return found
    drawn = chart_size.draw(figure.spec)
    return Placed(_top(box, drawn, min(box.width / drawn.width, box.height / drawn.height)), figure, drawn)


def _top(box: Box, drawn: Drawn, share: float) -> Box:
    width, height = drawn.width * share, drawn.height * share
    return Box(box.x + (box.width - width) / 2.0, box.y, width, height)


def _with_table(page: Page, said: list[str], area: Box, geometry: Geometry, small: Block | None) -> list[Sheet]:
    """Sentences over a table, which goes on over further sheets."""
    assert page.table is not None
    fine = page.kind == "appendix"
    if said and (beside := _table_beside(page, said, area, geometry, fine)) is not None:
        return [replace(beside, small=small)]
    blocks: tuple[Block, ...] = ()
    left: list[str] = []
    top = 0.0
    if said:
        size = _size(said, _ABOVE, area._replace(height=0.42 * area.height), geometry) or _ABOVE[-1]
        taken, left = _portion(said, size, area._replace(height=0.5 * area.height), geometry)
        tall = typesetting.height(taken, size, text_room(area, size, geometry)[0], gap=GAP)
        blocks = (Block(area._replace(height=tall), tuple(taken), size),)
        top = tall + 14.0
    first = Box(area.x, area.y + top, area.width, area.height - top)
    grids = lay_grid(page.table, first, _flowed(page, geometry, 2).content, geometry.wide, fine=fine)
    made = []
    for part, grid in enumerate(grids, start=1):
        whole, head = heading(page.title, geometry, part)
        made.append(Sheet(page, part, whole, head, blocks if part == 1 else (), grid=grid, small=small if part == 1 else None))
    return [*made, *(_words(page, left, geometry, part=len(made) + 1) if left else [])]


def _table_beside(page: Page, said: list[str], area: Box, geometry: Geometry, fine: bool) -> Sheet | None:
    """A narrow table with its sentences at its right, if all of it fits one sheet."""
    assert page.table is not None
    grids = lay_grid(page.table, area._replace(width=0.6 * area.width), geometry.content, geometry.wide, fine=fine)
    wide = sum(grids[0].widths)
    if len(grids) > 1 or wide > 0.56 * area.width or len(grids[0].rows) < 6:
        return None
    box = Box(area.x + wide + 28.0, area.y, area.width - wide - 28.0, area.height)
    size = _size(said, _BESIDE, box, geometry)
    if size is None:
        return None
    whole, head = heading(page.title, geometry)
    return Sheet(page, 1, whole, head, (Block(box, tuple(said), size),), grid=grids[0])
