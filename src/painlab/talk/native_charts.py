"""Charts and tables that PowerPoint draws itself, with their numbers in a sheet behind them, so that a presenter can edit them."""

import math
from collections.abc import Sequence
from typing import Any, Final

from painlab.talk.grid_layout import PAD, Grid
from painlab.talk.paper import Box
from painlab.talk.story import HIGH, LOW, Native
from painlab.talk.typesetting import right_to_left

_C: Final = "http://schemas.openxmlformats.org/drawingml/2006/chart"
_A: Final = "http://schemas.openxmlformats.org/drawingml/2006/main"
_LABELS: Final = 8  # on the time axis
_COLORS: Final = ("0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9")
_GRAY: Final = "6B6B6B"
_DASHES: Final = ("solid", "dash", "sysDot", "lgDashDot", "lgDash", "sysDash")
_TYPE: Final = 13
Band = tuple[Sequence[float], Sequence[float]]  # low and high ends


def add_chart(shapes: Any, native: Native, box: Box, alt: str) -> Any:
    """Put a line or bar chart on a slide; alt tells those who cannot see it what it shows. Returns the shape."""
    return (_add_lines if native.kind == "line" else _add_bars)(shapes, native, box, alt)


def _split(native: Native) -> list[tuple[str, tuple[float | None, ...], tuple[Any, Any] | None]]:
    """Each series with the ends of its band, or None where it has none or one with gaps."""
    by_name = dict(native.series)
    found = []
    for name, values in native.series:
        if name.endswith((LOW, HIGH)):
            continue
        low, high = by_name.get(name + LOW), by_name.get(name + HIGH)
        whole = low is not None and high is not None and None not in low and None not in high
        found.append((name, values, (low, high) if whole else None))
    return found


def _add_lines(shapes: Any, native: Native, box: Box, alt: str) -> Any:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Pt

    lines = _split(native)
    data = CategoryChartData()
    data.categories = list(native.categories)
    for name, values, _ in lines:
        data.add_series(name, values)
    banded = [place for place, line in enumerate(lines) if line[2] is not None][:2]  # of more, the others have dotted lines
    for place, (name, _, _) in enumerate(lines):
        if place not in banded:
            for end in (LOW, HIGH):
                if (edge := dict(native.series).get(name + end)) is not None:
                    data.add_series(name + end, edge)
    bands = [band for place in banded if (band := lines[place][2]) is not None]
    layers = _layers(bands[0], bands[1] if bands[1:] else None) if bands else []
    for name, _, heights in layers:
        data.add_series(name, heights)
    frame, chart = _frame(shapes, XL_CHART_TYPE.LINE, box, data, native, alt)
    if bands:
        ends = [
            (lines[place][0] + end, band[number])
            for place, band in zip(banded, bands, strict=True)
            for number, end in enumerate((LOW, HIGH))
        ]
        _sheet(chart, data, len(layers), ends)
    _value_axis(chart, *_ends(native))
    category = chart.category_axis
    category.has_title = True
    category.axis_title.text_frame.text = "Week"
    _small(category.axis_title.text_frame)
    category.format.line.color.rgb = _rgb(_GRAY)
    category.tick_labels.font.size = Pt(_TYPE - 1)
    for tag in ("tickLblSkip", "tickMarkSkip"):
        skip = category._element.find(f"{{{_C}}}{tag}")
        if skip is None:
            skip = category._element.makeelement(f"{{{_C}}}{tag}", {})
            _insert(category._element, skip, ("noMultiLvlLbl", "extLst"))
        skip.set("val", str(max(1, math.ceil(len(native.categories) / _LABELS))))
    series = list(chart.plots[0].series)
    at, above = _apart(lines)
    for place, (line, drawn) in enumerate(zip(lines, series, strict=False)):
        color = _color(place, len(lines))
        drawn.smooth = False
        _stroke(drawn, color, 3.5 if place else 2.25, _DASHES[place % len(_DASHES)] if place > 1 else "solid")
        _name_on_line(drawn, at[place], line[0], color, above[place])
    edges = series[len(lines) : len(series) - len(layers)]
    for drawn in edges:
        drawn.smooth = False
        owner = next((place for place, line in enumerate(lines) if drawn.name.startswith(line[0])), 0)
        _stroke(drawn, _color(owner, len(lines)), 1.25, "sysDot")
    if layers:
        colors = dict(zip(("a", "b"), (_color(place, len(lines)) for place in banded), strict=False))
        tints = {None: None, "a": (colors["a"], 20), "b": (colors.get("b"), 22), "both": (colors.get("b"), 38)}
        _bands(chart, [drawn._element for drawn in series[len(series) - len(layers) :]], [tints[kind] for _, kind, _ in layers])
    return frame


def _add_bars(shapes: Any, native: Native, box: Box, alt: str) -> Any:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION, XL_TICK_MARK

    bars = _split(native)
    data = CategoryChartData()
    # PowerPoint draws the first row lowest.
    data.categories = list(reversed(native.categories))
    for name, values, _ in bars:
        data.add_series(name, tuple(reversed(values)))
    frame, chart = _frame(shapes, XL_CHART_TYPE.BAR_CLUSTERED, box, data, native, alt)
    _value_axis(chart, *_ends(native))
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    chart.category_axis.format.line.color.rgb = _rgb(_GRAY)
    chart.category_axis.major_tick_mark = XL_TICK_MARK.NONE
    plot = chart.plots[0]
    plot.gap_width = 160
    for place, ((_, values, band), drawn) in enumerate(zip(bars, plot.series, strict=True)):
        drawn.format.fill.solid()
        drawn.format.fill.fore_color.rgb = _rgb(_COLORS[place % len(_COLORS)])
        drawn.invert_if_negative = False
        if band is not None:
            _whiskers(drawn._element, tuple(reversed(values)), tuple(reversed(band[0])), tuple(reversed(band[1])))
    if len(bars) > 1:
        chart.has_legend = True
        chart.legend.position = XL_LEGEND_POSITION.BOTTOM
        chart.legend.include_in_layout = False
    return frame


def _frame(shapes: Any, kind: Any, box: Box, data: Any, native: Native, alt: str) -> tuple[Any, Any]:
    from pptx.util import Pt

    frame = shapes.add_chart(kind, *(Pt(one) for one in box), data)
    chart = frame.chart
    chart.font.size = Pt(_TYPE)
    chart.has_legend = False
    chart.has_title = True
    chart.chart_title.include_in_layout = False
    words = chart.chart_title.text_frame
    words.text = f"{native.title}, {native.unit}" if native.unit else native.title
    words.paragraphs[0].runs[0].font.size = Pt(_TYPE + 1)
    words.paragraphs[0].runs[0].font.bold = True
    describe(frame, native.title, alt)
    return frame, chart


def describe(shape: Any, name: str, alt: str) -> None:
    """Give a shape its name and the words that are read in its place."""
    own = next(shape._element.iter("{http://schemas.openxmlformats.org/presentationml/2006/main}cNvPr"))
    own.set("name", name[:200] or "Figure")
    own.set("descr", alt)


def _ends(native: Native) -> tuple[float, float, float]:
    """Round ends of a value axis that holds zero and every value, and its step."""
    values = [value for _, row in native.series for value in row if value is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    if low == high:
        return 0.0, 1.0, 0.5
    step = 10.0 ** math.floor(math.log10((high - low) / 4.0))
    step *= next(times for times in (1.0, 2.0, 2.5, 5.0, 10.0) if (high - low) / (step * times) <= 6.0)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _value_axis(chart: Any, low: float, high: float, step: float) -> None:
    axis = chart.value_axis
    axis.minimum_scale, axis.maximum_scale, axis.major_unit = low, high, step
    axis.has_major_gridlines = True
    axis.major_gridlines.format.line.color.rgb = _rgb("D9D9D9")
    axis.format.line.fill.background()
    axis.tick_labels.number_format = "#,##0" if step >= 1 else "0.0" if step >= 0.1 else "0.00" if step >= 0.01 else "General"
    axis.tick_labels.number_format_is_linked = False


def _color(place: int, count: int) -> str:
    """The first of several is the baseline, gray as in every chart of PainLab."""
    return _GRAY if place == 0 and count > 1 else _COLORS[(place - 1 if count > 1 else place) % len(_COLORS)]


def _rgb(color: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(color)


def _stroke(drawn: Any, color: str, points: float, dash: str) -> None:
    from pptx.enum.chart import XL_MARKER_STYLE
    from pptx.util import Pt

    drawn.format.line.color.rgb = _rgb(color)
    drawn.format.line.width = Pt(points)
    drawn.marker.style = XL_MARKER_STYLE.NONE
    if dash != "solid":
        line = drawn.format.line._ln
        own = line.makeelement(f"{{{_A}}}prstDash", {"val": dash})
        _insert(line, own, ("round", "bevel", "miter", "headEnd", "tailEnd"), space=_A)


def _apart(lines: list[tuple[str, tuple[float | None, ...], Any]]) -> tuple[list[int], list[bool]]:
    """Where each line bears its name: where it is farthest from the others, and on the side away from them."""
    count = len(lines[0][1])
    inner = range(count // 4, max(count // 4 + 1, 3 * count // 4))
    at, above = [], []
    for place, (_, values, _) in enumerate(lines):
        others = [line[1] for number, line in enumerate(lines) if number != place]

        def gap(week: int, values: Any = values, others: Any = others) -> float:
            near = [abs(values[week] - one[week]) for one in others if values[week] is not None and one[week] is not None]
            return min(near, default=0.0)

        best = max(inner, key=gap)
        at.append(best)
        own = values[best]
        middle = [one[best] for one in others if one[best] is not None]
        mean = sum(one for one in middle if one is not None) / len(middle) if middle else None
        higher = own is None or mean is None or own > mean or (own == mean and place == 0)
        above.append(higher)
    return at, above


def _name_on_line(drawn: Any, point: int, name: str, color: str, above: bool) -> None:
    from pptx.enum.chart import XL_LABEL_POSITION
    from pptx.util import Pt

    label = drawn.points[point].data_label
    words = label.text_frame
    words.text = name
    words.paragraphs[0].runs[0].font.size = Pt(_TYPE + 1)
    words.paragraphs[0].runs[0].font.bold = True
    words.paragraphs[0].runs[0].font.color.rgb = _rgb(color)
    label.position = XL_LABEL_POSITION.ABOVE if above else XL_LABEL_POSITION.BELOW


def _small(words: Any) -> None:
    from pptx.util import Pt

    words.paragraphs[0].runs[0].font.size = Pt(_TYPE)
    words.paragraphs[0].runs[0].font.bold = False


def _insert(parent: Any, child: Any, before: tuple[str, ...], space: str = _C) -> None:
    """Put a child before the first of the elements that must follow it."""
    for one in parent:
        if one.tag in {f"{{{space}}}{tag}" for tag in before}:
            one.addprevious(child)
            return
    parent.append(child)


def _layers(first: Band, second: Band | None) -> list[tuple[str, str | None, list[float]]]:
    """Bands as areas stacked on each other: name, which bands they belong to (a, b, both) or None for unseen, and heights.

    Areas on one pair of axes all stack. Where two bands overlap, what belongs to both is a layer of its own.
    """
    if second is None:
        return [("band begins", None, list(first[0])), ("band", "a", [top - end for end, top in zip(*first, strict=True)])]
    names = (("bands begin", None), ("first alone, below", "a"), ("second alone, below", "b"), ("both", "both"), ("neither", None),
             ("first alone, above", "a"), ("second alone, above", "b"))  # fmt: skip
    columns: list[list[float]] = [[] for _ in names]
    for one, other in zip(zip(*first, strict=True), zip(*second, strict=True), strict=True):
        (low, high), (low2, high2) = one, other
        shared = min(high, high2) - max(low, low2)
        row = (
            min(low, low2), max(0.0, min(low2, high) - low), max(0.0, min(low, high2) - low2), max(0.0, shared), max(0.0, -shared),
            max(0.0, high - max(high2, low)), max(0.0, high2 - max(high, low2)),
        )  # fmt: skip
        for column, value in zip(columns, row, strict=True):
            column.append(value)
    return [(name, kind, column) for (name, kind), column in zip(names, columns, strict=True)]


# The same in the sheet behind the chart, so that it follows where somebody edits the ends of a band:
# {l} and {h} are the low and the high end, {m} and {i} the second band's.
_FORMULAS: Final = {
    2: ("{l}", "{h}-{l}"),
    7: (
        "MIN({l},{m})", "MAX(0,MIN({m},{h})-{l})", "MAX(0,MIN({l},{i})-{m})", "MAX(0,MIN({h},{i})-MAX({l},{m}))",
        "MAX(0,MAX({l},{m})-MIN({h},{i}))", "MAX(0,{h}-MAX({i},{l}))", "MAX(0,{i}-MAX({h},{m}))",
    ),
}  # fmt: skip


def _sheet(chart: Any, data: Any, layers: int, ends: list[tuple[str, Any]]) -> None:
    """The numbers behind a chart: its series as they are, the ends of its bands at the right, and its layers as formulas of these."""
    import io

    import xlsxwriter  # type: ignore[import-untyped]
    from xlsxwriter.utility import xl_rowcol_to_cell  # type: ignore[import-untyped]

    made = io.BytesIO()
    series = list(data)
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet("Sheet1")
        for row, category in enumerate(data.categories, start=1):
            sheet.write_string(row, 0, category.label)
        for column, (name, values) in enumerate(ends, start=1 + len(series)):
            sheet.write_string(0, column, name)
            for row, value in enumerate(values, start=1):
                sheet.write_number(row, column, value)
        for column, one in enumerate(series, start=1):
            sheet.write_string(0, column, one.name)
            layer = column - 1 - (len(series) - layers)
            for row, value in enumerate(one.values, start=1):
                if layer >= 0:
                    cells = [xl_rowcol_to_cell(row, 1 + len(series) + place) for place in range(len(ends))]
                    formula = _FORMULAS[layers][layer].format(**dict(zip("lhmi", cells, strict=False)))
                    sheet.write_formula(row, column, f"={formula}", None, value)
                elif value is not None:
                    sheet.write_number(row, column, value)
    chart.part.chart_workbook.update_from_xlsx_blob(made.getvalue())


def _bands(chart: Any, series: list[Any], fills: list[Any]) -> None:
    """Turn line series into areas stacked behind the lines, each filled or not."""
    from lxml import etree  # type: ignore[import-untyped]

    plot = chart._chartSpace.find(f".//{{{_C}}}plotArea")
    line = plot.find(f"{{{_C}}}lineChart")
    area = etree.Element(f"{{{_C}}}areaChart")
    etree.SubElement(area, f"{{{_C}}}grouping").set("val", "stacked")
    etree.SubElement(area, f"{{{_C}}}varyColors").set("val", "0")
    for own, fill in zip(series, fills, strict=True):
        for tag in ("marker", "smooth", "dLbls", "spPr"):
            for old in own.findall(f"{{{_C}}}{tag}"):
                own.remove(old)
        own.find(f"{{{_C}}}tx").addnext(_fill(fill))
        area.append(own)
    for axis in line.findall(f"{{{_C}}}axId"):
        etree.SubElement(area, f"{{{_C}}}axId").set("val", axis.get("val"))
    line.addprevious(area)
    for crossing in plot.findall(f".//{{{_C}}}crossBetween"):
        crossing.set("val", "midCat")


def _fill(tint: tuple[str | None, int] | None) -> Any:
    """No fill, or a color that lets so many percent of what is behind it be covered."""
    from lxml import etree  # type: ignore[import-untyped]

    shape = etree.Element(f"{{{_C}}}spPr")
    if tint is None:
        etree.SubElement(shape, f"{{{_A}}}noFill")
    else:
        solid = etree.SubElement(etree.SubElement(shape, f"{{{_A}}}solidFill"), f"{{{_A}}}srgbClr", {"val": str(tint[0])})
        etree.SubElement(solid, f"{{{_A}}}alpha", {"val": str(tint[1] * 1000)})
    etree.SubElement(etree.SubElement(shape, f"{{{_A}}}ln"), f"{{{_A}}}noFill")
    return shape


def _whiskers(series: Any, values: tuple[float | None, ...], low: tuple[float, ...], high: tuple[float, ...]) -> None:
    """Bands of bars as error bars."""
    from lxml import etree  # type: ignore[import-untyped]

    bars = etree.Element(f"{{{_C}}}errBars")
    for tag, setting in (("errBarType", "both"), ("errValType", "cust"), ("noEndCap", "0")):
        etree.SubElement(bars, f"{{{_C}}}{tag}").set("val", setting)
    for tag, ends, sign in (("plus", high, 1.0), ("minus", low, -1.0)):
        numbers = etree.SubElement(etree.SubElement(bars, f"{{{_C}}}{tag}"), f"{{{_C}}}numLit")
        etree.SubElement(numbers, f"{{{_C}}}formatCode").text = "General"
        etree.SubElement(numbers, f"{{{_C}}}ptCount").set("val", str(len(values)))
        for place, (value, end) in enumerate(zip(values, ends, strict=True)):
            point = etree.SubElement(numbers, f"{{{_C}}}pt", {"idx": str(place)})
            etree.SubElement(point, f"{{{_C}}}v").text = repr(round(max(0.0, sign * (end - (value or 0.0))), 9))
    line = etree.SubElement(etree.SubElement(bars, f"{{{_C}}}spPr"), f"{{{_A}}}ln", {"w": "25400"})
    etree.SubElement(etree.SubElement(line, f"{{{_A}}}solidFill"), f"{{{_A}}}srgbClr", {"val": "333333"})
    _insert(series, bars, ("cat", "val", "shape", "extLst"))


def add_table(shapes: Any, grid: Grid, alt: str) -> Any:
    """Put a table on a slide. Returns the shape."""
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Pt

    frame = shapes.add_table(1 + len(grid.rows), len(grid.heads), Pt(grid.x), Pt(grid.y), Pt(sum(grid.widths)), Pt(grid.height))
    table = frame.table
    for place, width in enumerate(grid.widths):
        table.columns[place].width = Pt(width)
    for number, (row, height) in enumerate(zip((grid.heads, *grid.rows), grid.heights, strict=True)):
        table.rows[number].height = Pt(height)
        for place, text in enumerate(row):
            cell = table.cell(number, place)
            cell.margin_left = cell.margin_right = Pt(PAD[0])
            cell.margin_top = cell.margin_bottom = Pt(PAD[1])
            cell.vertical_anchor = MSO_ANCHOR.TOP if number else MSO_ANCHOR.BOTTOM
            cell.text_frame.word_wrap = True
            cell.text_frame.text = text
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.font.size = Pt(grid.size)
            if right_to_left(text):
                paragraph._p.get_or_add_pPr().set("rtl", "1")
                paragraph.alignment = PP_ALIGN.RIGHT
            elif grid.numbers[place]:
                paragraph.alignment = PP_ALIGN.RIGHT
    describe(frame, "Table", alt)
    return frame
