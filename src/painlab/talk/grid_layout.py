"""Tables laid out: how wide each column is, how high each row, and which rows stand on which sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from painlab.talk import typesetting
from painlab.talk.story import Table

PAD: Final = (7.0, 3.5)  # points inside a cell, at the sides and above and below
_SIZES: Final = (16.0, 15.0, 14.0, 13.0, 12.0)
_FINE: Final = (12.0, 11.0, 10.0)
_CAPTION: Final = 10.0
_LONGEST: Final = 900  # letters of a cell; a longer one is cut and stands whole in the notes


@dataclass(frozen=True)
class Grid:
    """Rows of a table in a place: x, y, widths of columns and heights of rows (the heads first) in points, and the size of type."""

    x: float
    y: float
    widths: tuple[float, ...]
    heights: tuple[float, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    size: float
    caption: str
    numbers: tuple[bool, ...]
    cut: tuple[str, ...] = ()

    @property
    def height(self) -> float:
        """Of all rows together."""
        return sum(self.heights)


def lay_grid(table: Table, first: Any, further: Any, wide: float, *, fine: bool) -> tuple[Grid, ...]:
    """A table in a box, at the largest size at which it fits; else at the smallest, going on in further boxes with its heads repeated.

    first, further: boxes with x, y, width and height; wide: how much wider than measured the font may be.
    """
    heads = tuple(typesetting.words(one) for one in table.heads)
    rows = tuple(tuple(typesetting.words(cell) for cell in row) for row in table.rows)
    long = tuple(cell for row in rows for cell in row if len(cell) > _LONGEST)
    rows = tuple(tuple(f"{cell[:_LONGEST].rstrip()}…" if len(cell) > _LONGEST else cell for cell in row) for row in rows)
    caption = typesetting.clean(table.caption)
    below = typesetting.height([caption], _CAPTION, first.width / wide) + 6.0 if caption else 0.0
    numbers = tuple(all(_is_number(row[place]) for row in rows) and bool(rows) for place in range(len(heads)))
    sizes = _FINE if fine else _SIZES
    for size in sizes:
        widths = _widths(heads, rows, size, first.width, wide)
        heights = _heights((heads, *rows), widths, size, wide)
        if sum(heights) + below <= first.height:
            return (Grid(first.x, first.y, widths, heights, heads, rows, size, caption, numbers, long),)
    size = sizes[-1] if fine else sizes[-1] + 1.0
    widths = _widths(heads, rows, size, first.width, wide)
    heights = _heights((heads, *rows), widths, size, wide)
    made: list[Grid] = []
    start, box = 0, first
    while start < len(rows):
        used, end = heights[0] + below, start
        while end < len(rows) and used + heights[1 + end] <= box.height:
            used, end = used + heights[1 + end], end + 1
        if end == start and made:
            end = start + 1  # a row higher than a sheet; cells are cut so that this is rare
        if end > start:
            some = (heights[0], *heights[1 + start : 1 + end])
            made.append(Grid(box.x, box.y, widths, some, heads, rows[start:end], size, caption, numbers, () if made else long))
        elif box is not further:
            made.append(Grid(box.x, box.y, widths, heights[:1], heads, (), size, caption, numbers, long))
        start, box = end, further
    return tuple(one for one in made if one.rows) or tuple(made)


def _is_number(cell: str) -> bool:
    return bool(cell) and all(sign in "0123456789.,+-−%() to" for sign in cell)


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]], size: float, room: float, wide: float) -> tuple[float, ...]:
    """Columns as wide as their longest line where all fit; else at least as their longest word, the rest by how much stands in them."""
    factor, pad = wide * (1.0 + typesetting.MARGIN), 2.0 * PAD[0] + 1.0
    least, most = [], []
    for place, head in enumerate(heads):
        cells = [(head, True), *((row[place], False) for row in rows)]
        words = [typesetting.width(word, size, bold) for text, bold in cells for word in text.split(" ")]
        least.append(min(max(words, default=0.0), 0.45 * room) * factor + pad)
        most.append(max(typesetting.width(text, size, bold) for text, bold in cells) * factor + pad)
    if sum(most) <= room:
        # What is free goes to all alike, so that a table of few words is not stretched into its last column.
        free = min(room - sum(most), 0.35 * sum(most)) / len(most)
        return tuple(one + free for one in most)
    if sum(least) >= room:
        return tuple(one * room / sum(least) for one in least)
    wish = [(high - low) ** 0.7 for low, high in zip(least, most, strict=True)]
    free, total = room - sum(least), sum(wish) or 1.0
    given = [min(high, low + free * one / total) for low, high, one in zip(least, most, wish, strict=True)]
    rest = room - sum(given)
    open_ = [place for place, (one, high) in enumerate(zip(given, most, strict=True)) if one < high]
    for place in open_:
        given[place] += rest / len(open_)
    return tuple(given)


def _heights(rows: Sequence[Sequence[str]], widths: Sequence[float], size: float, wide: float) -> tuple[float, ...]:
    found = []
    for place, row in enumerate(rows):
        tall = [
            typesetting.height([cell], size, (width - 2.0 * PAD[0]) / wide, bold=place == 0)
            for cell, width in zip(row, widths, strict=True)
        ]
        found.append(max(tall) + 2.0 * PAD[1])
    return tuple(found)
