"""The cycle as a picture: pain, less movement, weakness, and back to pain; and where care acts on it."""

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from painlab import catalog
from painlab.plan import CarePlan
from painlab.talk.drawings import CLEAR, CLEAR_DARK, SCHEMA, Spec
from painlab.views.appearance import theme

WIDTH: Final = 960
HEIGHT: Final = 470


class _Box(NamedTuple):
    """A box by its middle and size, with up to two lines of words."""

    x: int
    y: int
    width: int
    height: int
    words: tuple[str, ...]


class _Arrow(NamedTuple):
    """An arrow from one point to another."""

    x: int
    y: int
    x2: int
    y2: int


_NODES: Final = {
    "pain": _Box(480, 70, 210, 76, ("Pain",)),
    "movement": _Box(735, 270, 250, 76, ("Less movement",)),
    "weakness": _Box(225, 270, 230, 76, ("Weakness",)),
}
_LINKS: Final = {"pain_to_activity": _Arrow(575, 112, 688, 221), "activity_to_strength": _Arrow(606, 270, 350, 270)}
_CONTESTED: Final = {"weakness_to_pain": _Arrow(272, 228, 376, 119)}
CARE: Final = {
    "opioids": _Box(125, 70, 230, 72, ("Opioids", "relief that fades with use")),
    "injections": _Box(835, 70, 230, 72, ("Injections, other care", "relief, mostly for weeks")),
    "therapy": _Box(480, 400, 270, 72, ("Physical therapy", "movement, strength, some relief")),
    "coordination": _Box(812, 400, 276, 72, ("Coordination", "whether care comes, and when")),
}
_ACTS: Final = {
    "opioids": (_Arrow(242, 70, 362, 70),),
    "injections": (_Arrow(718, 70, 598, 70),),
    "therapy": (_Arrow(540, 363, 655, 318), _Arrow(420, 363, 305, 318)),
    "coordination": (_Arrow(672, 400, 627, 400),),
}
_OPIOIDS: Final = ("prescribing", "reassessment", "taper")


def changed(plan: CarePlan, baseline: CarePlan) -> tuple[str, ...]:
    """Kinds of care (keys of `CARE`) in which a plan differs from its baseline."""
    ours, theirs = plan.as_dict(), baseline.as_dict()
    known = catalog.treatments()
    found = set()
    for key in dict.fromkeys([*ours, *theirs]):
        if ours.get(key) == theirs.get(key):
            continue
        if key in _OPIOIDS:
            found.add("opioids")
        elif key == "coordination":
            found.add("coordination")
        elif key in known and known[key].exercise:
            found.add("therapy")
            if _handover(ours.get(key)) != _handover(theirs.get(key)):
                found.add("coordination")
        else:
            found.add("injections")
    return tuple(name for name in CARE if name in found)


def _handover(order: dict[str, Any] | None) -> float | None:
    return None if order is None else order.get("handover")


def picture(of: Sequence[str], cut: Sequence[str], *, dark: bool) -> Spec:
    """The picture as Vega-Lite. of: kinds of care that the plan changes, drawn strong; cut: links of the cycle that the run cuts."""
    style = theme(dark, True)
    ink, quiet, page = style["title"]["color"], style["axis"]["labelColor"], style["background"]
    strong = CLEAR_DARK if dark else CLEAR
    whole = {name: arrow for name, arrow in _LINKS.items() if name not in cut}
    layers: list[Spec] = []
    layers += _arrows(list(whole.values()), ink, 4)
    layers += _arrows([arrow for name, arrow in _CONTESTED.items() if name not in cut], ink, 4, dash=[10, 7])
    for name, arrows in _ACTS.items():
        layers += _arrows(arrows, strong if name in of else quiet, 3 if name in of else 2, dash=[2, 4])
    layers += _boxes(list(_NODES.values()), stroke=ink, fill=page, words=ink, size=26, width=3)
    for name, box in CARE.items():
        mine = name in of
        layers += _boxes(
            [box], stroke=strong if mine else quiet, fill=page, words=ink if mine else quiet, size=19, width=4 if mine else 1.5
        )
    notes = [
        {"x": 292, "y": 150, "words": "contested:", "align": "right"},
        {"x": 292, "y": 174, "words": "may be zero", "align": "right"},
        *({"x": 480, "y": 215 + 24 * place, "words": f"cut in this run: {link.replace('_', ' ')}"} for place, link in enumerate(cut)),
    ]
    if of:
        notes.append({"x": 10, "y": 462, "words": "Strong frame: what this plan changes", "align": "left"})
    for note in notes:
        layers.append(_text([note], quiet, 18, str(note.get("align", "center"))))
    return {"$schema": SCHEMA, "config": style, "width": WIDTH, "height": HEIGHT, "layer": layers}


def _channels(**more: Spec) -> Spec:
    x: Spec = {"field": "x", "type": "quantitative", "axis": None, "scale": {"domain": [0, WIDTH], "nice": False}}
    y: Spec = {"field": "y", "type": "quantitative", "axis": None, "scale": {"domain": [HEIGHT, 0], "nice": False}}
    return {"x": x, "y": y, **more}


def _arrows(arrows: Sequence[_Arrow], color: str, width: float, dash: list[int] | None = None) -> list[Spec]:
    if not arrows:
        return []
    data = {"values": [one._asdict() | {"turn": math.degrees(math.atan2(one.x2 - one.x, one.y - one.y2))} for one in arrows]}
    line: Spec = {"type": "rule", "color": color, "strokeWidth": width, "aria": False}
    if dash:
        line["strokeDash"] = dash
    heads = {"values": [{"x": one["x2"], "y": one["y2"], "turn": one["turn"]} for one in data["values"]]}
    turn: Spec = {"field": "turn", "type": "quantitative", "scale": None}
    head: Spec = {
        "type": "point",
        "shape": "triangle",
        "filled": True,
        "size": 90 * width**0.7,
        "color": color,
        "opacity": 1,
        "aria": False,
    }
    return [
        {"data": data, "mark": line, "encoding": _channels(x2={"field": "x2"}, y2={"field": "y2"})},
        {"data": heads, "mark": head, "encoding": _channels(angle=turn)},
    ]


def _boxes(boxes: Sequence[_Box], *, stroke: str, fill: str, words: str, size: int, width: float) -> list[Spec]:
    corners = [{"x": b.x - b.width / 2, "x2": b.x + b.width / 2, "y": b.y - b.height / 2, "y2": b.y + b.height / 2} for b in boxes]
    rect: Spec = {"type": "rect", "cornerRadius": 14, "fill": fill, "stroke": stroke, "strokeWidth": width, "aria": False}
    layers: list[Spec] = [{"data": {"values": corners}, "mark": rect, "encoding": _channels(x2={"field": "x2"}, y2={"field": "y2"})}]
    for box in boxes:
        for place, text in enumerate(box.words):
            y = box.y if len(box.words) == 1 else box.y - 14 + 28 * place
            layers.append(_text([{"x": box.x, "y": y, "words": text}], words, size if place == 0 else size - 3, "center", bold=place == 0))
    return layers


def _text(rows: list[Spec], color: str, size: int, align: str, *, bold: bool = False) -> Spec:
    mark: Spec = {"type": "text", "color": color, "fontSize": size, "align": align, "baseline": "middle"}
    if bold:
        mark["fontWeight"] = "bold"
    values = [{key: one[key] for key in ("x", "y", "words")} for one in rows]
    return {"data": {"values": values}, "mark": mark, "encoding": _channels(text={"field": "words", "type": "nominal"})}
