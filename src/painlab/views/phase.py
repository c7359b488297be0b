"""Charts of the long run of the cycle: the phase portrait, and equilibria as one number moves. The numbers come from `engine.phase`."""

import math
import textwrap
from typing import Any, Final, cast

import altair as alt
import numpy as np
import polars as pl

from painlab import parameters
from painlab.engine import phase
from painlab.engine import setting as flow
from painlab.engine.setting import Setting
from painlab.parameters import Parameters
from painlab.views.appearance import theme, type_size

# Okabe and Ito's blue, vermilion and green, told apart with every common color blindness; lighter on dark pages. Dashes say it again.
_LIGHT: Final = {"strength": "#0072B2", "pain": "#D55E00", "boundary": "#222222", "path": "#8a8a8a", "prior": "#009E73", "page": "#ffffff"}
_DARK: Final = {"strength": "#56B4E9", "pain": "#E69F00", "boundary": "#f2f2f2", "path": "#9a9a9a", "prior": "#009E73", "page": "#111111"}
_STARTS: Final = ((1.0, 1.0), (0.75, 1.0), (0.5, 1.0), (0.5, 0.55), (0.5, 0.0), (1.0, 0.5), (0.65, 0.2))  # strength, sensitization
_SETTING_LABELS: Final = {"signal": "Pain signal from the tissue (0-10)", "dose": "Opioid dose (MME/day)"}
_PATH_WEEKS: Final = 520
_ARROW_WEEK: Final = 20
_ARROW_REACH: Final = 17  # pixels from an arrow's middle to its ends
_LEAST_RISE: Final = 1e-6  # points of pain


def portrait(
    setting: Setting,
    p: Parameters,
    *,
    title: str = "",
    width: int | None = None,
    height: int | None = None,
    dark: bool = False,
    large: bool = False,
) -> alt.LayerChart:
    """Phase portrait over strength and pain: nullclines, equilibria, a few starts followed for ten years, the basin boundary if any.

    Activity, which settles within weeks, stands where its pain leaves it at each start. A filled dot is a stable state, a hollow one is a
    saddle. Raises InputError as `phase.equilibria` does. `title` states the finding; without one it is the number of states.
    """
    color, size = _DARK if dark else _LIGHT, type_size(large)
    across, up = width or (760 if large else 560), height or (520 if large else 420)
    rest = phase.equilibria(setting, p)
    x = alt.X("percent:Q", title="Strength, % of healthy", scale=alt.Scale(domain=[0, 100], nice=False), axis=_axis(10, large))
    y = alt.Y("pain:Q", title="Pain, 0-10", scale=alt.Scale(domain=[0, 10], nice=False), axis=_axis(10, large))
    paths = _paths(setting, p)
    words = {"strength": "strength that this pain leaves", "pain": "pain that this strength leaves"}
    curves = phase.nullclines(setting, p).with_columns(percent=100 * pl.col("level"))
    named = {name: _place(name, text, curves.filter(pl.col("curve") == name), size) for name, text in words.items()}
    boundary = phase.basin_boundary(setting, p)
    if boundary is not None:
        boundary = boundary.with_columns(percent=100 * pl.col("strength"))
        words["boundary"] = "starts above end worse"
        named["boundary"] = boundary.row(0, named=True) | _box(words["boundary"], size) | {"align": "left", "dx": 8, "dy": -size}
    layers: list[alt.Chart] = [
        _chart(_field(setting, p, across, up, list(named.values())))
        .mark_point(style="baseline-line", shape="arrow", filled=True, opacity=1, description="way the cycle carries a body")
        .encode(x=x, y=y, angle=alt.Angle("angle:Q", scale=None), size=alt.Size("area:Q", legend=None, scale=None)),
        _chart(paths).mark_line(color=color["path"], strokeWidth=2).encode(x=x, y=y, order="week:Q", detail="start:N"),
        _chart(_arrows(paths, across, up))
        .mark_point(shape="triangle", filled=True, opacity=1, color=color["path"], size=9 * size)
        .encode(x=x, y=y, angle=alt.Angle("angle:Q", scale=None)),
    ]
    # A live chart gives styles the colors of its page, light or dark.
    looks: dict[str, dict[str, Any]] = {"strength": {"style": "scenario-line"}, "pain": {"color": color["pain"]}}
    for name, dashes in (("strength", []), ("pain", [10, 5])):
        look = looks[name]
        one = curves.filter(pl.col("curve") == name).sort("pain", "level")
        layers += [
            _chart(one)
            .mark_line(**look, strokeWidth=4.5 if large else 3.5, strokeDash=dashes, description=words[name])
            .encode(x=x, y=y, order=alt.Order("pain:Q")),
            _words(named[name], words[name], size, **look).encode(x=x, y=y),
        ]
    if boundary is not None:
        layers += [
            _chart(boundary)
            .mark_line(style="zero-line", strokeWidth=3, strokeDash=[2, 4], description="boundary of the basins")
            .encode(x=x, y=y, order="percent:Q", detail="saddle:N"),
            _words(named["boundary"], words["boundary"], size, style="zero-line").encode(x=x, y=y),
        ]
    dots = [{"percent": 100 * one.strength, "pain": one.pain, "stable": one.stable} for one in rest]
    for stable in (True, False):
        layers.append(
            _chart([dot for dot in dots if dot["stable"] is stable])
            .mark_point(
                style="zero-line",
                filled=stable,
                opacity=1,
                size=20 * size,
                strokeWidth=3,
                description="stable state" if stable else "saddle",
            )
            .encode(x=x, y=y)
        )
    ends = [f"{one.pain:.1f}" for one in rest if one.stable]
    finding = title or (
        f"One state in the long run, wherever the start: pain {ends[0]}"
        if len(ends) == 1
        else f"{'Two' if len(ends) == 2 else len(ends)} states in the long run, and the start decides: pain {' or '.join(ends)}"
    )
    note = ["Filled dot: stable." + (" Hollow dot: saddle. Dotted: what parts the starts." if boundary is not None else "")]
    note += ["Gray: ten years from a few starts. Arrows: which way the cycle carries a body, longer where faster.", *_warning(p)]
    return _dress(alt.layer(*layers).properties(width=across, height=up), finding, note, across, dark, large)


def bifurcation_chart(
    setting: Setting,
    p: Parameters,
    parameter: str,
    low: float,
    high: float,
    *,
    steps: int = 120,
    title: str = "",
    width: int | None = None,
    dark: bool = False,
    large: bool = False,
) -> alt.LayerChart:
    """Pain at the equilibria as one parameter, or one field of the setting, moves from `low` to `high`; the prior's range is shaded.

    Solid: stable; dashed: saddles; a diamond: a fold, where two equilibria appear or vanish. Everything else stays as it is, the tissue
    signal too. Raises InputError as `phase.bifurcation` does. `title` states the finding; without one it says where there are folds.
    """
    color, size = _DARK if dark else _LIGHT, type_size(large)
    across, up = width or (760 if large else 560), 420 if large else 340
    frame = phase.bifurcation(setting, p, parameter, low, high, steps=steps)
    folds = phase.fold(setting, p, parameter, low, high, steps=steps)
    record = parameters.record(parameter) if parameter in Parameters._fields else None
    scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    x = alt.X("value:Q", title=_axis_title(parameter), scale=scale, axis=_axis(6, large))
    y = alt.Y("pain:Q", title="Pain in the long run, 0-10", scale=alt.Scale(domain=[0, 10], nice=False), axis=_axis(5, large))
    layers: list[alt.Chart] = []
    if record is not None:
        left, right = max(low, record.low), min(high, record.high)
        if left < right:
            place = [{"value": left, "end": right, "pain": 0.0, "top": 10.0}]
            shade = _chart(place).mark_rect(color=color["prior"], opacity=0.25, description="range of the prior")
            layers.append(shade.encode(x=x, x2="end", y=y, y2="top"))
        if low <= getattr(p, parameter) <= high:
            now = [{"value": getattr(p, parameter)}]
            layers.append(_chart(now).mark_rule(color=color["prior"], strokeWidth=3, description="value in use").encode(x=x))
    ends = [{"value": one.value, "pain": one.pain} for one in folds]
    for stable, dashes in ((True, []), (False, [4, 5])):
        shown = _with_ends(frame.filter(pl.col("stable") == stable), folds)
        layers.append(
            _chart(shown)
            .mark_line(
                color=color["strength"] if stable else color["pain"],
                strokeWidth=5 if stable else 3.5,
                strokeDash=dashes,
                description="stable state" if stable else "saddle",
            )
            .encode(x=x, y=y, detail="branch:N", order="value:Q")
        )
    diamond: dict[str, Any] = {
        "shape": "diamond",
        "filled": True,
        "opacity": 1,
        "size": 16 * size,
        "color": color["boundary"],
        "description": "fold",
    }
    layers.append(_chart(ends).mark_point(**diamond).encode(x=x, y=y))
    note = ["Solid: stable." + (" Dashed: saddles. Diamond: a fold." if folds else "")]
    if record is not None:
        note.append(
            f"Shaded: range of the prior, {record.low:g} to {record.high:g}. Upright line: value in use, {getattr(p, parameter):.3g}."
        )
    note += _warning(p, parameter)
    finding = title or _finding(folds, parameter, low, high)
    return _dress(alt.layer(*layers).properties(width=across, height=up), finding, note, across, dark, large)


def _finding(folds: tuple[phase.Fold, ...], parameter: str, low: float, high: float) -> str:
    name = parameter.replace("_", " ")
    if not folds:
        return f"No tipping point: one state at any {name} from {low:g} to {high:g}"
    counts = [folds[0].below, *(one.above for one in folds)]
    places = {(1, 3): "from {}", (3, 1): "up to {}", (1, 3, 1): "from {} to {}"}
    place = places.get(tuple(counts), "").format(*(f"{one.value:.3g}" for one in folds))
    finding = f"Two stable states with {name} {place}" if place else f"The number of states changes {len(folds)} times with {name}"
    if all(one.within_prior is False for one in folds):
        finding += f", outside the prior's range of {folds[0].low:g} to {folds[0].high:g}"
    return finding


def _warning(p: Parameters, moved: str = "") -> list[str]:
    """A line that names the parameters outside their priors, if there are any beside the one that moves."""
    outside = [f"{name.replace('_', ' ')} {getattr(p, name):g}" for name in phase.outside_priors(p) if name != moved]
    return [f"Outside the priors: {', '.join(outside)}."] if outside else []


def _axis_title(parameter: str) -> list[str] | str:
    if parameter not in Parameters._fields:
        return _SETTING_LABELS.get(parameter, parameter.replace("_", " ").capitalize())
    record = parameters.record(parameter)
    unit = f" ({record.unit})" if record.unit != "1" else ""
    return textwrap.wrap(f"{parameter.replace('_', ' ').capitalize()}{unit}: {record.meaning}", 60)


def _with_ends(frame: pl.DataFrame, folds: tuple[phase.Fold, ...]) -> pl.DataFrame:
    """Branches drawn on to the folds at which they begin or end."""
    rows = [frame.select("value", "pain", "branch")]
    values = sorted(frame["value"].unique().to_list())
    for one in folds:
        inside = [value for value in values if (value > one.value) == (one.above > one.below)]
        nearest = min(inside, key=lambda value: abs(value - one.value), default=None)
        if nearest is None:
            continue
        there = frame.filter(pl.col("value") == nearest).sort((pl.col("pain") - one.pain).abs())
        beyond = frame.filter((pl.col("value") > one.value) != (one.above > one.below))["branch"].unique().to_list()
        for branch in [branch for branch in there["branch"].to_list() if branch not in beyond][:1]:
            rows.append(pl.DataFrame({"value": [one.value], "pain": [one.pain], "branch": [branch]}))
    return pl.concat(rows, how="vertical_relaxed").sort("branch", "value")


def _paths(setting: Setting, p: Parameters) -> pl.DataFrame:
    frames = []
    for number, (strength, sensitization) in enumerate(_STARTS):
        walked = phase.path(phase.start_at(strength, sensitization, setting, p), setting, p, weeks=_PATH_WEEKS)
        shown = walked.filter((pl.col("week") <= 52) | (pl.col("week") % 4 == 0))
        frames.append(shown.select("week", "pain", percent=100 * pl.col("strength"), start=pl.lit(number)))
    return pl.concat(frames)


def _arrows(paths: pl.DataFrame, across: int, up: int) -> list[dict[str, Any]]:
    """A triangle on each path that points the way it goes on the screen; none where it has hardly moved."""
    found = []
    for number in range(len(_STARTS)):
        one = paths.filter(pl.col("start") == number)
        here, there = (one.filter(pl.col("week") == week).row(0, named=True) for week in (_ARROW_WEEK, _ARROW_WEEK + 2))
        right, down = (there["percent"] - here["percent"]) * across / 100, -(there["pain"] - here["pain"]) * up / 10
        if math.hypot(right, down) > 0.5:
            found.append({"percent": here["percent"], "pain": here["pain"], "angle": math.degrees(math.atan2(right, -down)) % 360})
    return found


def _field(setting: Setting, p: Parameters, across: int, up: int, labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Which way a body at places of the whole plane is carried: an arrow's angle on the page and its area, more where it goes faster.

    A pain beyond what sensitization from 0 to 1 makes of a strength is read as sensitization beyond them: the equations go on straight.
    Places under `labels` are left free.
    """
    rows = []
    for strength in np.linspace(0.05, 0.95, 9):
        for pain in np.linspace(0.6, 9.4, max(5, up // 48)):
            right, rise = _carried(float(strength), float(pain), setting, p)
            right, rise = across * right, up * rise / 10.0
            place = {"percent": 100.0 * float(strength), "pain": float(pain), "angle": math.degrees(math.atan2(right, rise))}
            if not any(_covers(label, place, across, up) for label in labels):
                rows.append(place | {"speed": math.hypot(right, rise)})
    fastest = max((row["speed"] for row in rows), default=0.0) or 1.0
    return [row | {"area": (16.0 + 18.0 * math.sqrt(row["speed"] / fastest)) ** 2} for row in rows]


def _carried(strength: float, pain: float, setting: Setting, p: Parameters) -> tuple[float, float]:
    """Change of strength and of pain per week at a strength and a pain, with activity as this pain leaves it."""
    lowest, highest = (flow.felt(strength, share, setting, p) for share in (0.0, 1.0))
    if highest - lowest < _LEAST_RISE:  # sensitization adds no pain here, and pain is at once what strength leaves
        return 0.0, lowest - pain
    sensitization = (pain - lowest) / (highest - lowest)
    state = (flow.settled(pain, setting, p)[0], strength, sensitization)
    _, gained, eased = phase.change(state, setting, p)
    here, there = (flow.felt(strength + share * gained, sensitization + share * eased, setting, p) for share in (0.0, 0.5))
    return float(gained), float(there - here) / 0.5


def _covers(label: dict[str, Any], place: dict[str, Any], across: int, up: int) -> bool:
    """Whether an arrow at a place would touch words."""
    right = (place["percent"] - label["percent"]) * across / 100 - label["dx"]
    below = (label["pain"] - place["pain"]) * up / 10 - label["dy"]
    left, end = (0.0, label["length"]) if label["align"] == "left" else (-label["length"], 0.0)
    return left - _ARROW_REACH < right < end + _ARROW_REACH and abs(below) < label["height"] / 2 + _ARROW_REACH


def _chart(rows: pl.DataFrame | list[dict[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=rows.to_dicts() if isinstance(rows, pl.DataFrame) else rows))


def _place(name: str, text: str, curve: pl.DataFrame, size: int) -> dict[str, Any]:
    """Where words beside a curve stand: those of strength near the top of the scale, those of pain at the curve's left end."""
    box = _box(text, size)
    if name == "strength":
        place = curve.filter(pl.col("pain") <= 9.75).sort("pain").row(-1, named=True)
        right = place["percent"] < 60
        return place | box | {"align": "left" if right else "right", "dx": size if right else -size, "dy": 0}
    place = curve.sort("percent", "pain").row(0, named=True)
    return place | box | {"align": "left", "dx": 8, "dy": size if place["pain"] > 9 else -size}


def _box(text: str, size: int) -> dict[str, float]:
    """About how much room words take, in pixels."""
    return {"length": 0.56 * size * len(text), "height": 1.2 * size}


def _words(place: dict[str, Any], text: str, size: int, **looks: Any) -> alt.Chart:
    where = {name: place[name] for name in ("align", "dx", "dy")}
    return _chart([place]).mark_text(text=text, fontSize=size, fontWeight="bold", baseline="middle", aria=False, **where, **looks)


def _axis(ticks: int, large: bool) -> alt.Axis:
    return alt.Axis(tickCount=ticks, titleFontSize=type_size(large), titleFontWeight="normal", titlePadding=10)


def _dress(chart: Any, title: str, note: list[str], width: int, dark: bool, large: bool) -> alt.LayerChart:
    size = type_size(large) + (6 if large else 4)
    lines = textwrap.wrap(title, max(20, int(width / (0.52 * size))))
    config = theme(dark, large)
    config["axis"] |= {"titleColor": config["axis"]["labelColor"]}
    dressed = chart.properties(
        title=alt.Title(text=lines, subtitle=note, fontSize=size, offset=16),
        config=alt.Config.from_dict(config, validate=False),
        description=f"{title}. {' '.join(note)}",
    )
    return cast(alt.LayerChart, dressed)
