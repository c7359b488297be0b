"""Colors and type of every chart, on a light or a dark page, on a screen or a projector."""

from typing import Any, Final

FONT: Final = "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif"

# Okabe and Ito's blues, told apart from gray with every common color blindness; the lighter one is for dark pages.
_LIGHT: Final = {"page": "#ffffff", "ink": "#222222", "quiet": "#555555", "grid": "#e4e4e4", "baseline": "#6b6b6b", "scenario": "#0072B2"}
_DARK: Final = {"page": "#111111", "ink": "#f2f2f2", "quiet": "#bdbdbd", "grid": "#333333", "baseline": "#b0b0b0", "scenario": "#56B4E9"}


def type_size(large: bool = False) -> int:
    """Size of axis labels and line labels in pixels; headings are larger."""
    return 20 if large else 14


def theme(dark: bool = False, large: bool = False) -> dict[str, Any]:
    """Vega-Lite configuration of every chart of PainLab.

    Marks carry only the name of a style ("baseline-line", "scenario-band"), so another theme alone turns a chart dark.

    Parameters
    ----------
    dark
        For a dark page.
    large
        For a projector: type of 20 px instead of 14 px, and heavier lines.
    """
    color = _DARK if dark else _LIGHT
    size = type_size(large)
    label = {"fontSize": size, "align": "left", "baseline": "middle", "dx": 6}
    return {
        "background": color["page"],
        "font": FONT,
        "padding": 12,
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "gridColor": color["grid"],
            "labelColor": color["quiet"],
            "labelFontSize": size,
            "labelPadding": 6,
            "tickColor": color["quiet"],
            "ticks": False,
            "titleColor": color["quiet"],
            "titleFontSize": size,
            "titleFontWeight": "normal",
        },
        "axisX": {"domain": True, "domainColor": color["quiet"], "grid": False, "tickSize": 4, "ticks": True},
        "title": {
            "anchor": "start",
            "color": color["ink"],
            "fontSize": size + 2,
            "frame": "group",
            "offset": 12,
            "subtitleColor": color["quiet"],
            "subtitleFontSize": size,
            "subtitlePadding": 4,
        },
        "style": {
            "baseline-band": {"color": color["baseline"], "fillOpacity": 0.16},
            "scenario-band": {"color": color["scenario"], "fillOpacity": 0.2},
            "baseline-line": {"color": color["baseline"], "strokeWidth": 3 if large else 2.5},
            "scenario-line": {"color": color["scenario"], "strokeWidth": 4.5 if large else 3},
            "baseline-label": {**label, "color": color["baseline"]},
            "scenario-label": {**label, "color": color["scenario"], "fontWeight": "bold"},
            "zero-line": {"color": color["ink"], "strokeWidth": 2 if large else 1.5},
        },
    }
