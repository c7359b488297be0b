"""Single figures for papers, at the width of a journal's column and with type that is readable there."""

import copy
import io
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from painlab.errors import InputError
from painlab.records.export import check_target
from painlab.simulation import MAX_DRAWS, MAX_PATIENTS, whole_number
from painlab.tables import nearest, printable
from painlab.talk import benefit, chart_size, doubts, findings, opening, typesetting
from painlab.talk.brief import Brief
from painlab.talk.making import write
from painlab.talk.runs import What, projections_of
from painlab.talk.story import Figure, Page

FIGURES: Final = {
    "cycle": "the cycle of pain, inactivity and weakness, and where the plan acts on it",
    "demand": "opioid demand under both plans, and the difference on the same patients",
    "body": "pain and function under both plans, and the differences",
    "compare": "several plans beside each other; needs two to four scenarios",
    "benefit": "who benefits and who does not",
    "earned": "what earned the difference",
    "sure": "how sure the difference is",
}
"""Figures by name, with what each shows."""
SIZES: Final = {"single": (85.0, 0.0), "double": (174.0, 0.0), "full": (174.0, 225.0)}
"""Widths and heights in millimeters; a height of zero is as the figure needs.

A column is 85 mm and a page 174 mm: what fits the columns of Nature, 89 and 183 mm (research-figure-guide.nature.com, read 2026-11-27),
and the 84 to 176 mm of the Geological Society's journals to a millimeter (geolsoc.org.uk, Artwork 1). 225 mm is the height of a page
at Inter-Research (int-res.com, figure guidelines). Give the millimeters of your own journal for another.
"""
FORMATS: Final = ("svg", "png", "pdf")
LARGEST_TYPE: Final = 9.0  # points, of a small chart's title; axis labels have 8.2. 7 to 9 points: assumption, between the guides above
_SCALE: Final = LARGEST_TYPE / chart_size.LARGEST_TYPE  # points for a pixel of the chart
_MM: Final = 72.0 / 25.4
_WIDTHS: Final = (60.0, 400.0)
_HEIGHTS: Final = (40.0, 600.0)
_TALLEST: Final = 225.0
_DPI: Final = (72, 2400)
_CYCLE_WIDTH: Final = 130.0
_ORIGIN: Final = 7.0
_Maker = Callable[[Brief], Page | list[Page]]
_PAGES: Final[dict[str, _Maker]] = {
    "cycle": opening.cycle_page,
    "demand": findings.demand_page,
    "body": findings.body_page,
    "compare": findings.compare_page,
    "benefit": benefit.benefit_page,
    "earned": doubts.earned_pages,
    "sure": doubts.sure_page,
}


def figure(
    name: str,
    what: What | Sequence[What],
    path: str | Path,
    size: str | tuple[float, float] = "single",
    dpi: int = 600,
    *,
    origin: bool = True,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    force: bool = False,
) -> Path:
    """Save one figure of a talk for a paper, as SVG, PNG or PDF by the path's ending; returns the path.

    Type has 7 to 9 points at the final size: small charts are narrowed and stacked rather than shrunk. Where it comes from (version,
    scenario's code, seed, evidence date) is in the file, and under the figure as a line of 7 points.

    Parameters
    ----------
    name
        One of `FIGURES`.
    what
        A Scenario, the name, code or path of one, a Projection, a folder with a run, or a list of these for `compare`.
    size
        "single", "double" or "full" (`SIZES`), or width and height in millimeters; a height of zero is as the figure needs.
    dpi
        Dots to the inch of a PNG, 72 to 2,400.
    origin
        Whether the line under the figure is drawn.
    patients, draws, seed
        Of the runs, as in `painlab.simulate`; a Projection's stay what they were.
    force
        Replace a file that is there.

    Raises InputError for an unknown name, size, ending or dpi, a figure that does not fit the size, and a path that cannot be written.
    """
    path, (width, height) = Path(path), dimensions(size)
    ending = _check(name, path, dpi, force)
    if name == "cycle" and width < _CYCLE_WIDTH:
        mend = 'Choose size "double".'
        raise InputError("the picture of the cycle is not readable at this width", expected=f"at least {_CYCLE_WIDTH:.0f} mm", mend=mend)
    drawn = _figure(name, what, patients=whole_number("patients", patients, 1, MAX_PATIENTS), draws=draws, seed=seed)
    svg = at_size(drawn, width, height, origin=origin)
    write(rendered(svg, ending, dpi, drawn), path)
    return path


def dimensions(size: str | tuple[float, float]) -> tuple[float, float]:
    """Width and height in millimeters; a height of zero is as the figure needs. Raises InputError for others than `figure` takes.

    >>> dimensions("single")
    (85.0, 0.0)
    """
    if isinstance(size, str):
        if size not in SIZES:
            known = ", ".join(SIZES)
            raise InputError(f'unknown size "{printable(size)}"{nearest(size, SIZES)}', expected=f"{known}, or width and height in mm")
        return SIZES[size]
    expected = (
        f"{_WIDTHS[0]:.0f} to {_WIDTHS[1]:.0f} mm wide and {_HEIGHTS[0]:.0f} to {_HEIGHTS[1]:.0f} mm high, or 0 for the height it needs"
    )
    try:
        width, height = (float(one) for one in size)
    except (TypeError, ValueError):
        raise InputError("the size is not a width and a height", expected=expected) from None
    if not _WIDTHS[0] <= width <= _WIDTHS[1] or not (height == 0.0 or _HEIGHTS[0] <= height <= _HEIGHTS[1]):
        raise InputError(f"the size is {width:g} by {height:g} mm", expected=expected)
    return width, height


def _check(name: str, path: Path, dpi: int, force: bool) -> str:
    if name not in FIGURES:
        raise InputError(
            f'there is no figure "{printable(str(name))}"{nearest(str(name), FIGURES)}', expected=f"one of {', '.join(FIGURES)}"
        )
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        problem = f'the ending ".{printable(ending)}" is not one of a figure' if ending else "the file's name has no ending"
        raise InputError(problem, where=printable(str(path)), expected=f"one of {', '.join(f'.{one}' for one in FORMATS)}")
    if isinstance(dpi, bool) or not isinstance(dpi, int) or not _DPI[0] <= dpi <= _DPI[1]:
        raise InputError(f"dpi is {dpi!r}", expected=f"a whole number from {_DPI[0]} to {_DPI[1]:,}")
    check_target(path, force=force)
    return ending


def _figure(name: str, what: What | Sequence[What], *, patients: int, draws: int, seed: int) -> Figure:
    """The figure of a talk's page; only that page is worked out."""
    draws = whole_number("draws", draws, 1, MAX_DRAWS)
    runs = projections_of(what, patients=patients, draws=draws, seed=seed)
    if name == "compare" and len(runs) < 2:
        raise InputError("one scenario has nothing to stand beside", expected="two to four scenarios", mend="Name another one.")
    pages = _PAGES[name](Brief(runs, "analysts", 40))
    found = next((one.figure for one in (pages if isinstance(pages, list) else [pages]) if one.figure is not None), None)
    if found is None:
        raise InputError(f'this run has no figure "{name}"', expected="a plan that differs from its baseline")
    return found


def at_size(drawn: Figure, width: float, height: float, *, origin: bool = True) -> str:
    """A figure as SVG of a width and height in millimeters, 0 for the height it needs. Raises InputError if it does not fit."""
    room, most = width * _MM, (height or _TALLEST) * _MM
    caption = typesetting.drawable(typesetting.clean(drawn.caption)) if origin else ""
    lines = typesetting.wrap(caption, _ORIGIN, room * (1.0 - typesetting.MARGIN)) if caption else ()
    under = len(lines) * _ORIGIN * typesetting.LEADING + (4.0 if lines else 0.0)
    chart = _fitted(drawn.spec, room, most - under, bool(height))
    if chart is None:
        expected = f"more than {width:g} by {height or _TALLEST:g} mm, for its type must keep {7} to {LARGEST_TYPE:g} points"
        raise InputError(f'the figure "{drawn.name}" does not fit the size', expected=expected, mend='Choose size "double" or "full".')
    scale = min(room / chart.width, (most - under) / chart.height, _SCALE if "concat" in drawn.spec else 1e9)
    tall = chart.height * scale
    whole = height * _MM or tall + under
    inner = re.sub(r"^.*?<svg\b[^>]*>(.*)</svg>\s*$", r"\1", chart.svg, flags=re.DOTALL)
    words = "".join(
        f'<text x="2" y="{tall + 4.0 + _ORIGIN * (0.93 + typesetting.LEADING * place):.2f}" font-family="{typesetting.faces()[0].family}, '
        f'Arial, sans-serif" font-size="{_ORIGIN:g}" fill="#555555">{escape(line)}</text>'
        for place, line in enumerate(lines)
    )
    left = (room - chart.width * scale) / 2.0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width:g}mm" '
        f'height="{whole / _MM:.3f}mm" viewBox="0 0 {room:.3f} {whole:.3f}" role="img">'
        f"<title>{escape(typesetting.clean(drawn.alt))}</title>"
        f"<desc>{escape(typesetting.clean(drawn.caption))}</desc>"
        f'<rect width="{room:.3f}" height="{whole:.3f}" fill="#ffffff"/>'
        f'<g transform="translate({left:.3f} 0) scale({scale:.6f})">{inner}</g>{words}</svg>'
    )


def _fitted(spec: dict[str, Any], room: float, most: float, exact: bool) -> chart_size.Drawn | None:
    """The chart as wide as its room in the fewest rows of small charts that fit it; as high as it likes unless the height is given."""
    if "concat" not in spec:
        whole = chart_size.draw(_retyped(spec, room))
        return whole if whole.height * room / whole.width <= most + 1.0 else None
    cells = len(spec["concat"])
    usual = spec.get("columns", cells)
    heights = [cell["height"] for cell in spec["concat"]]
    for across in sorted({one for one in range(1, usual + 1) if cells % one == 0 or one == 1}, reverse=True):
        rows = -(-cells // across)
        # Without a given height lines keep about the shape that they have in a talk; dots take the room that their rows need.
        natural = rows * (max(heights) + 150.0)
        high = most / _SCALE if exact or chart_size.has_rows(spec) else min(most / _SCALE, natural)
        if (drawn := chart_size.fitted(spec, room / _SCALE, high, columns=across)) is not None:
            return drawn
    return None


def _retyped(spec: dict[str, Any], room: float) -> dict[str, Any]:
    """A picture of one piece whose words have 7 to 9 points where it is `room` points wide."""
    made = copy.deepcopy(spec)
    scale = room / (made["width"] + 24.0)

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("fontSize"), int | float):
                part["fontSize"] = min(LARGEST_TYPE, max(7.3, part["fontSize"] * scale)) / scale
            for one in part.values():
                walk(one)
        elif isinstance(part, list):
            for one in part:
                walk(one)

    walk(made.get("layer", []))
    return made


def rendered(svg: str, ending: str, dpi: int, drawn: Figure) -> bytes:
    """An SVG as the bytes of a file; PNG and PDF carry the alternative text and where the figure comes from."""
    import vl_convert

    if ending == "svg":
        return svg.encode("utf-8")
    points = re.sub(
        r'width="([\d.]+)mm" height="([\d.]+)mm"',
        lambda mm: f'width="{float(mm[1]) * _MM:.3f}" height="{float(mm[2]) * _MM:.3f}"',
        svg,
        count=1,
    )
    about = {"Title": typesetting.clean(drawn.alt), "Source": typesetting.clean(drawn.caption), "Software": "PainLab"}
    if ending == "png":
        return _with_words(vl_convert.svg_to_png(points, scale=dpi / 72.0), dpi, about)
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(vl_convert.svg_to_pdf(points)))
    writer.add_metadata({"/Title": about["Title"], "/Subject": about["Source"], "/Creator": "PainLab"})
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def _with_words(png: bytes, dpi: int, words: dict[str, str]) -> bytes:
    """A PNG with its dots to the inch and texts (chunks pHYs and iTXt of the PNG specification) right after its head."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    meter = round(dpi / 0.0254)
    added = chunk(b"pHYs", struct.pack(">IIB", meter, meter, 1))
    for key, text in words.items():
        added += chunk(b"iTXt", key.encode("latin-1") + b"\x00\x00\x00\x00\x00" + text.encode("utf-8"))
    head = 8 + 25  # signature and IHDR
    rest = png[head:]
    while rest[4:8] == b"pHYs":
        rest = rest[12 + struct.unpack(">I", rest[:4])[0] :]
    return png[:head] + added + rest
