"""Where a sheet of a talk has its parts, and a text that fits its place; in points, from the upper left corner."""

from dataclasses import dataclass
from typing import Final, NamedTuple


class Box(NamedTuple):
    """A rectangle in points."""

    x: float
    y: float
    width: float
    height: float


_TITLE: Final = Box(48, 46, 864, 68)
_CONTENT: Final = Box(48, 126, 864, 358)
_FIRST_TITLE: Final = Box(72, 120, 816, 216)
_FIRST_WORDS: Final = Box(72, 360, 816, 112)


@dataclass(frozen=True)
class Geometry:
    """Where a sheet has its parts. first_title and first_words: of the title sheet; wide: how much wider than measured its font may
    be; flows: whether the content begins where the title ends, rather than at its own place."""

    width: float = 960.0
    height: float = 540.0
    title: Box = _TITLE
    content: Box = _CONTENT
    first_title: Box = _FIRST_TITLE
    first_words: Box = _FIRST_WORDS
    wide: float = 1.0
    flows: bool = True

    def fits(self, box: Box) -> tuple[float, float]:
        """The room of a box for text as it is measured here."""
        return box.width / self.wide, box.height


@dataclass(frozen=True)
class Block:
    """Paragraphs in a box, at a size at which they fit it."""

    box: Box
    paragraphs: tuple[str, ...]
    size: float
    bullets: bool = True
    bold: bool = False
