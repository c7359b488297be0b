"""Charts drawn to a size: their small charts are widened, narrowed and stacked until the whole has it, while the type keeps its own."""

import copy
import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from painlab.talk import typesetting

Spec = dict[str, Any]
TYPE: Final = 20.0  # pixels of an axis label in a talk's chart
LARGEST_TYPE: Final = 22.0
NARROWEST: Final = 150.0  # small chart, in pixels of the chart's own type
LOWEST: Final = 110.0
TALLEST: Final = 420.0
_ROW: Final = (30.0, 52.0)  # of a chart of dots: the least and the most that a row takes
_SIZE: Final = re.compile(r'<svg[^>]*?\bwidth="([\d.]+)"[^>]*?\bheight="([\d.]+)"')
_TURNS: Final = 7
_NEAR: Final = 3.0  # pixels, which the last scaling takes up


class Drawn(NamedTuple):
    """A chart as SVG with its size in pixels, and the specification that it was drawn from."""

    svg: str
    width: float
    height: float
    spec: Spec


def draw(spec: Spec) -> Drawn:
    """Draw a chart as it is, without a network."""
    import json

    svg = _svg(json.dumps(spec, sort_keys=True))
    width, height = size_of(svg)
    return Drawn(svg, width, height, spec)


@lru_cache(maxsize=64)
def _svg(spec: str) -> str:
    import vl_convert

    return str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))


def size_of(svg: str) -> tuple[float, float]:
    """Width and height that an SVG states, in pixels."""
    found = _SIZE.search(svg)
    return (float(found[1]), float(found[2])) if found else (1.0, 1.0)


def fitted(spec: Spec, width: float, height: float, *, columns: int | None = None) -> Drawn | None:
    """A chart of small charts made as wide as `width` and at most as high as `height` pixels; None if its charts would become too small.

    columns: small charts in a row, if other than the specification's. A chart of one piece, as the cycle, is returned as it is.
    """
    if "concat" not in spec:
        return draw(spec)
    made = copy.deepcopy(spec)
    cells: list[Spec] = made["concat"]
    across = min(len(cells), columns or made.get("columns", len(cells)))
    rows = -(-len(cells) // across)
    _arrange(made, across)
    dots = [count for cell in cells if (count := _rows_of_dots(cell))]
    lowest, tallest = (LOWEST, TALLEST) if not dots else (max(_ROW[0] * max(dots), 60.0), max(_ROW[1] * max(dots), 60.0))
    for cell in cells:
        cell["height"] = min(tallest, max(lowest, cell["height"]))
    given = _subtitles(cells)
    best: Drawn | None = None
    for turn in range(_TURNS):
        _break_titles(given, cells, across, made)
        now = draw(copy.deepcopy(made))
        wider, higher = (width - now.width) / across, (height - now.height) / rows
        large = all(cell["width"] >= NARROWEST and cell["height"] >= lowest - 1 for cell in cells)
        fits = now.width <= width + _NEAR and now.height <= height + _NEAR
        if large and fits and (best is None or now.width > best.width):
            best = now
        at_most = all(cell["height"] >= tallest for cell in cells)
        if abs(wider) < _NEAR and (abs(higher) < _NEAR or (higher > 0 and at_most)):
            break
        # Labels come and go with the width, so the last turns take smaller steps.
        step = 1.0 if turn < 3 or wider < 0.0 else 0.5
        for cell in cells:
            cell["width"] = max(40.0, cell["width"] + step * wider)
            cell["height"] = min(tallest, max(20.0, cell["height"] + higher))
    return best


def has_rows(spec: Spec) -> bool:
    """Whether a chart's small charts are rows of dots, whose height follows from how many they are."""
    return any(_rows_of_dots(cell) for cell in spec.get("concat", []))


def _arrange(spec: Spec, across: int) -> None:
    """Put `across` small charts in a row; the first of each row names its rows."""
    spec["columns"] = across
    spacing = spec.get("spacing")
    spacing = spacing if isinstance(spacing, dict) else {"column": spacing or 60}
    spec["spacing"] = {"row": 132, **spacing}
    for place, cell in enumerate(spec["concat"]):
        for axis in _label_axes(cell):
            axis["labels"] = place % across == 0


def _label_axes(cell: Spec) -> list[Spec]:
    """Axes that name the rows of a chart of dots."""
    found = []
    for layer in cell.get("layer", []):
        channel = layer.get("encoding", {}).get("y", {})
        if channel.get("type") == "nominal" and isinstance(channel.get("axis"), dict):
            found.append(channel["axis"])
    return found


def _rows_of_dots(cell: Spec) -> int:
    if not _label_axes(cell):
        return 0
    return len({str(row.get("label")) for row in cell.get("data", {}).get("values", [])})


def _subtitles(cells: list[Spec]) -> list[list[str]]:
    """The words above each small chart, line by line as they are given."""
    found = []
    for cell in cells:
        title = cell.get("title")
        words = title.get("subtitle") if isinstance(title, dict) else None
        found.append([] if words is None else list(words) if isinstance(words, list) else [str(words)])
    return found


def _break_titles(given: list[list[str]], cells: list[Spec], across: int, spec: Spec) -> None:
    """Break the words above small charts so that they do not run into the next one's, and leave room for them between rows."""
    gap = float(spec["spacing"]["column"])
    highest = 0
    for start in range(0, len(cells), across):
        places = [place for place in range(start, min(start + across, len(cells))) if given[place]]
        broken = {}
        for place in places:
            room = max(60.0, cells[place]["width"] + gap - 16.0)
            broken[place] = [line for words in given[place] for line in typesetting.wrap(words, TYPE, room)]
        most = max((len(lines) for lines in broken.values()), default=0)
        highest = max(highest, most)
        for place, lines in broken.items():
            cells[place]["title"]["subtitle"] = lines + [""] * (most - len(lines)) if most > 1 else lines[0]
    if has_rows(spec) and across < len(cells):
        spec["spacing"]["row"] = 112.0 + 24.0 * highest
