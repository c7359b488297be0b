"""Text measured before it is set: how wide it is, where its lines break, how large it can be, and which letters a machine cannot draw.

Widths are those of Liberation Sans, which has Arial's, or of the widest face found instead; other machines have other fonts, so whoever
fits text to a box leaves `MARGIN` of it free.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

MARGIN: Final = 0.05  # of a line's width, for fonts of other machines
LEADING: Final = 1.22  # height of a line over the size of its type
_UNIT: Final = 200  # pixels at which fonts are measured: hinting no longer changes a width there
_SANS: Final = (
    ("Liberation Sans", "LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    ("Arial", "arial.ttf", "arialbd.ttf"),
    ("Arial", "Arial.ttf", "Arial Bold.ttf"),
)
_OTHERS: Final = (
    ("DejaVu Sans", "DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("Noto Sans", "NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
    ("Noto Sans Arabic", "NotoSansArabic-Regular.ttf", "NotoSansArabic-Bold.ttf"),
    ("Noto Sans Hebrew", "NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf"),
    ("Noto Sans Devanagari", "NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf"),
    ("Noto Sans CJK SC", "NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc"),
    ("Noto Emoji", "NotoEmoji-Regular.ttf", "NotoEmoji-Regular.ttf"),
    ("Arial Unicode MS", "Arial Unicode.ttf", "Arial Unicode.ttf"),
    ("Segoe UI Symbol", "seguisym.ttf", "seguisym.ttf"),
)
_MINUS: Final = re.compile(r"(?<![\w.\-−])-(?=\d)")
_JOINERS: Final = frozenset("\u200d\u200c\u200e\u200f\ufe0e\ufe0f")
_FLAGS: Final = range(0x1F1E6, 0x1F200)


class Face(NamedTuple):
    """A font found on this machine: the name of its family and its regular and bold cuts as Pillow has them."""

    family: str
    cuts: tuple[Any, Any]

    def has(self, sign: str) -> bool:
        """Whether the font has a letter."""
        return _drawn(self.family, sign)


@cache
def faces() -> tuple[Face, ...]:
    """Fonts found on this machine, the text's own first; Pillow's own font where there is none."""
    from PIL import ImageFont

    found: list[Face] = []
    for family, regular, bold in (*_SANS, *_OTHERS):
        if any(one.family == family for one in found):
            continue
        try:
            found.append(Face(family, (ImageFont.truetype(regular, _UNIT), ImageFont.truetype(bold, _UNIT))))
        except OSError:
            continue
    if not found:
        spare = ImageFont.load_default(_UNIT)
        found.append(Face("sans-serif", (spare, spare)))
    return tuple(found)


@lru_cache(maxsize=20_000)
def _drawn(family: str, sign: str) -> bool:
    cut = next(one for one in faces() if one.family == family).cuts[0]
    if sign.isspace():
        return True
    # A letter without a glyph is drawn as the font's own box, as is a noncharacter, which no font has.
    return bool(cut.getmask(sign).getbbox()) and _picture(cut, sign) != _picture(cut, "\uffff")


def _picture(cut: Any, sign: str) -> tuple[tuple[int, int], bytes]:
    mask = cut.getmask(sign)
    return mask.size, bytes(mask)


class Run(NamedTuple):
    """A piece of a line in one direction and one font: its text, the font's family, whether it runs from right to left, and its width."""

    text: str
    family: str
    turned: bool
    width: float


def runs(text: str, size: float, bold: bool = False, *, turned: bool = False) -> list[list[Run]]:
    """A line in stretches of one direction, in the order of reading, each in pieces of one font.

    What runs from right to left is one piece in the one font that has most of it, so that joined letters and the order of words stay.
    turned: whether the line's paragraph runs from right to left.
    """
    stretches: list[list[Run]] = []
    for back, stretch in _stretches(text, turned):
        pieces = [(_covering(stretch), stretch)] if back else _by_font(stretch)
        stretches.append([Run(piece, face.family, back, float(face.cuts[bold].getlength(piece)) / _UNIT * size) for face, piece in pieces])
    return stretches


def _stretches(text: str, line: bool) -> list[tuple[bool, str]]:
    """A line cut where its direction changes; what has none of its own goes with its neighbors if they agree, else with the line."""
    directions = [unicodedata.bidirectional(sign) for sign in text]
    strong: list[bool | None] = [None if one not in ("L", "R", "AL") else one != "L" for one in directions]
    found: list[tuple[bool, str]] = []
    for place, sign in enumerate(text):
        turned = strong[place]
        if turned is None:
            before = next((one for one in reversed(strong[:place]) if one is not None), line)
            after = next((one for one in strong[place:] if one is not None), line)
            turned = before if before == after else line
        if found and found[-1][0] == turned:
            found[-1] = (turned, found[-1][1] + sign)
        else:
            found.append((turned, sign))
    return found


def _covering(text: str) -> Face:
    """The font that has most of a text's letters; the text's own among equals."""
    signs = {sign for sign in text if sign not in _JOINERS and not unicodedata.combining(sign)}
    return max(faces(), key=lambda face: sum(face.has(sign) for sign in signs))


def _by_font(text: str) -> list[tuple[Face, str]]:
    known = faces()
    found: list[tuple[Face, str]] = []
    for sign in text:
        shapeless = sign in _JOINERS or unicodedata.category(sign) in ("Mn", "Mc", "Me", "Cf")
        face = found[-1][0] if found and shapeless else next((face for face in known if face.has(sign)), known[0])
        if found and found[-1][0] is face:
            found[-1] = (face, found[-1][1] + sign)
        else:
            found.append((face, sign))
    return found


def clean(text: str) -> str:
    """Text as one line without what no file of office software or SVG can hold: control characters and halves of characters.

    >>> clean("a\\x00b\\n c\\ud83d")
    'ab c\ufffd'
    """
    spaced = "".join(" " if sign in "\t\n\r\u2028\u2029" else sign for sign in text)
    kept = "".join(sign for sign in spaced if unicodedata.category(sign) != "Cc" and ord(sign) & 0xFFFE != 0xFFFE)
    return " ".join(kept.encode("utf-16", "surrogatepass").decode("utf-16", "replace").split())


def words(text: str) -> str:
    """A text as it is set: one line, its minus signs real ones, after which no line breaks.

    >>> words("pain -0.4 (-0.6 to -0.2), T06-29")
    'pain −0.4 (−0.6 to −0.2), T06-29'
    """
    return _MINUS.sub("−", clean(text))


def drawable(text: str) -> str:
    """Text in which letters that no font of this machine has are named in brackets.

    Marks that have no shape of their own (joiners, directions, variation selectors) stay.
    """
    parts: list[str] = []
    missing: list[str] = []

    def flush() -> None:
        if missing:
            parts.append(_named("".join(missing)))
            missing.clear()

    for sign in text:
        mark = sign in _JOINERS or unicodedata.category(sign) in ("Mn", "Mc", "Me")
        shapeless = not missing if mark else unicodedata.category(sign) in ("Cf", "Zs")
        if shapeless or (not (mark and missing) and any(face.has(sign) for face in faces())):
            flush()
            parts.append(sign)
        else:
            missing.append(sign)
    flush()
    return "".join(parts)


def _named(signs: str) -> str:
    """What stands for letters that cannot be drawn: an emoji's name, a flag's letters, or how many letters of which script."""
    signs = "".join(sign for sign in signs if sign not in _JOINERS)
    if not signs:
        return ""
    if all(ord(sign) in _FLAGS for sign in signs):
        letters = "".join(chr(ord(sign) - _FLAGS.start + ord("A")) for sign in signs)
        return f"[flag {' '.join(letters[place : place + 2] for place in range(0, len(letters), 2))}]"
    if all(unicodedata.category(sign) == "So" for sign in signs) and len(signs) <= 4:
        return f"[{', '.join(unicodedata.name(sign, 'unknown sign').lower() for sign in signs)}]"
    script = unicodedata.name(signs[0], "UNKNOWN").split()[0].split("-")[0].capitalize()
    return f"[{len(signs)} {'letter' if len(signs) == 1 else 'letters'}: {script}]"


def right_to_left(text: str) -> bool:
    """Whether a paragraph runs from right to left: its first letter with a direction does."""
    for sign in text:
        direction = unicodedata.bidirectional(sign)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def width(text: str, size: float, bold: bool = False) -> float:
    """Width of a line of text in the unit of its size."""
    return sum(_width(word, bold) for word in _pieces(text)) * size


def _pieces(text: str) -> list[str]:
    # Words with their spaces, so that what was measured once is found again.
    words = text.split(" ")
    return [f"{word} " for word in words[:-1]] + ([words[-1]] if words[-1] else [])


@lru_cache(maxsize=50_000)
def _width(text: str, bold: bool) -> float:
    own = faces()[0]
    if all(own.has(sign) for sign in text):
        return float(own.cuts[bold].getlength(text)) / _UNIT
    return sum(_sign_width(sign, bold) for sign in text)


@lru_cache(maxsize=20_000)
def _sign_width(sign: str, bold: bool) -> float:
    """Of a letter that the text's own font may lack: the widest that any font here draws, and never less than other machines may need."""
    if sign in _JOINERS or unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0.0
    known = [float(face.cuts[bold].getlength(sign)) / _UNIT for face in faces() if face.has(sign)]
    wide = unicodedata.east_asian_width(sign) in "WF" or unicodedata.category(sign) in ("So", "Cn", "Co")
    return max([1.3 if wide else 0.0, *known]) if known or wide else 0.8


def wrap(text: str, size: float, room: float, bold: bool = False) -> tuple[str, ...]:
    """Lines of at most `room` (in the unit of size); a word longer than a line is broken. An empty text is one empty line."""
    lines: list[str] = []
    line, used, space = "", 0.0, _width(" ", bold) * size
    for word in text.split(" "):
        for piece in _broken(word, size, room, bold):
            needs = _width(piece, bold) * size
            if line and used + space + needs > room:
                lines.append(line)
                line, used = piece, needs
            else:
                line, used = (f"{line} {piece}", used + space + needs) if line else (piece, needs)
    return (*lines, line)


def _broken(word: str, size: float, room: float, bold: bool) -> list[str]:
    """A word in pieces that each fit a line."""
    if _width(word, bold) * size <= room:
        return [word]
    pieces, piece, used = [], "", 0.0
    for sign in word:
        needs = _sign_width(sign, bold) * size
        if piece and used + needs > room and sign not in _JOINERS and not unicodedata.combining(sign):
            pieces.append(piece)
            piece, used = "", 0.0
        piece, used = piece + sign, used + needs
    return [*pieces, piece]


def height(paragraphs: Sequence[str], size: float, room: float, *, bold: bool = False, gap: float = 0.0) -> float:
    """Height of paragraphs set in lines of `room`; gap: between paragraphs, over the size of type."""
    lines = sum(len(wrap(one, size, room * (1.0 - MARGIN), bold)) for one in paragraphs)
    return size * (LEADING * lines + gap * max(0, len(paragraphs) - 1))


def largest(
    paragraphs: Sequence[str], sizes: Sequence[float], room: tuple[float, float], *, bold: bool = False, gap: float = 0.0
) -> float | None:
    """The first of `sizes` (falling) at which paragraphs fit a width and a height; None if none does."""
    return next((size for size in sizes if height(paragraphs, size, room[0], bold=bold, gap=gap) <= room[1]), None)


def cut(text: str, size: float, room: tuple[float, float], *, bold: bool = False) -> str:
    """A text shortened by an ellipsis to fit a width and a height, at a word where one ends; whole if it fits."""
    if height([text], size, room[0], bold=bold) <= room[1]:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if height([text[:middle].rstrip() + "…"], size, room[0], bold=bold) <= room[1]:
            low = middle
        else:
            high = middle - 1
    kept = text[:low]
    at = kept.rfind(" ")
    return (kept[:at] if at > 0.6 * low else kept).rstrip(" ,;:") + "…"
