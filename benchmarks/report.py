"""What is said of the results: a table in Markdown, which also reads well in a terminal, and a chart."""

from pathlib import Path
from typing import Any, Final

import altair as alt
import polars as pl

from benchmarks.contenders import LABELS
from painlab.views.appearance import theme, type_size
from painlab.views.charts import save

# What issue 4 set out to reach: the least ratio, or the most milliseconds, seconds and MB.
_RATIOS: Final = {
    "numpy_1_thread": ("one thread against NumPy", 12.0),
    "numpy_2_threads": ("two threads against NumPy", 22.0),
    "starsim": ("one thread against Starsim", 40.0),
    "mesa": ("one thread against Mesa", 300.0),
    "simpy": ("one thread against SimPy", 300.0),
    "c": ("one thread against C", 0.6),
}


IDLE: Final = 0.5
"""Load above which a machine is not idle."""


def table(results: dict[str, Any]) -> str:
    """All figures with what they were to reach."""
    lines = [*_heading(results), "", "| measure | figure | to reach | reached |", "| --- | ---: | ---: | --- |"]
    for name, (words, least) in _RATIOS.items():
        ratio = results["ratio"][name]
        if ratio is None:
            lines.append(f"| {words} | not measured | {least:g} x | {results['missing'][name]} |")
        else:
            lines.append(f"| {words} | {_short(ratio)} x | {least:g} x | {_reached(ratio >= least)} |")
    for name, ratio in results["ratio_at_interactive_size"].items():
        if ratio is not None:
            lines.append(f"| {_RATIOS[name][0]}, {results['sizes']['interactive'][0]:,} patients | {_short(ratio)} x | | |")
    peak = results["peak_mb_1e7"]
    largest = results["scale"]["sizes"][-1]["patients"]
    for words, figure, unit, most in (
        ("a lever moved: from call to frame, median", results["interactive_ms"], "ms", 30.0),
        ("both arms anew: from call to frame, median", results["interactive_both_arms_ms"], "ms", 30.0),
        ("draws with a band, median", results["psa_s"], "s", 2.5),
        (f"peak memory at {largest:,} patients", peak, "MB", 600.0),
    ):
        if figure is None:
            lines.append(f"| {words} | not measured | {most:g} {unit} | this system does not say |")
        else:
            lines.append(f"| {words} | {_short(figure)} {unit} | {most:g} {unit} | {_reached(figure <= most)} |")
    base = results["scale"]["base_mb"]
    if base is not None:
        lines.append(f"| of it before the first patient | {_short(base)} MB | | |")
    lines.append(f"| slope of log time on log patients | {results['slope']:.3f} | | |")
    for name, reduction in results["crn_variance_reduction"].items():
        lines.append(f"| variance of the difference in {name}, independent seeds against common ones | {_short(reduction)} x | | |")
    lines += ["", "| who | patients | million patient-weeks a second | ns a patient-week |", "| --- | ---: | ---: | ---: |"]
    for key, speed in results["patient_weeks_per_second"].items():
        name, _, patients = key.partition("@")
        lines.append(f"| {LABELS[name]} | {int(patients):,} | {_short(speed / 1e6)} | {_short(1e9 / speed)} |")
    lines += ["", "| patients | seconds | peak memory |", "| ---: | ---: | ---: |"]
    for one in results["scale"]["sizes"]:
        memory = "" if one["peak_mb"] is None else f"{_short(one['peak_mb'])} MB"
        lines.append(f"| {one['patients']:,} | {one['seconds']:.3g} | {memory} |")
    return "\n".join([*lines, *_profile(results["profile_c_ns"])]) + "\n"


def _profile(steps: dict[str, float] | None) -> list[str]:
    if steps is None:
        return []
    whole = sum(steps.values())
    rows = [f"| {step} | {_short(taken)} | {taken / whole:.0%} |" for step, taken in sorted(steps.items(), key=lambda one: -one[1])]
    return ["", "| step of the algorithm, in its version in C | ns a patient-week | share |", "| --- | ---: | ---: |", *rows]


def _heading(results: dict[str, Any]) -> list[str]:
    state, versions = results["machine"], results["versions"]
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    lines = ["# The engine's speed", ""]
    if results["quick"]:
        lines += ["A trial run at tiny sizes: the figures mean nothing.", ""]
    load = "" if state["load_before"] is None else f", load {state['load_before']:.1f} before and {state['load_after']:.1f} after"
    asked = f"Scenario {results['scenario']}, both arms, {results['weeks']} weeks, all outcomes."
    lines.append(f"{asked} {state['date']}, commit {state['commit']}.")
    lines.append(f"{state['processor']}, {state['cores']} cores, {state['system']}{load}. {named}.")
    if (state["load_before"] or 0.0) > IDLE:
        lines += [
            "",
            "The machine was busy with other things: all is slower than it can be, two threads above all. Measure again when it is idle.",
        ]
    return lines


def _reached(yes: bool) -> str:
    return "yes" if yes else "no"


def _short(figure: float) -> str:
    """Three digits, and no power of ten."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def draw(results: dict[str, Any], path: Path) -> Path:
    """Speeds as horizontal bars on a log scale, the engine's in color; each peer at its own size. Returns the path."""
    rows = []
    for name in LABELS:
        size = results["sizes"]["peers"].get(name, results["sizes"]["natural"])
        speed = results["patient_weeks_per_second"].get(f"{name}@{size}")
        if speed is not None:
            rows.append({"who": LABELS[name], "speed": speed, "ours": name.startswith("engine"), "label": _speed(speed)})
    frame = pl.DataFrame(rows).sort("speed", descending=True)
    low = 10.0 ** int(f"{frame['speed'].min():e}".partition("e")[2])
    high = 10.0 ** (int(f"{frame['speed'].max():e}".partition("e")[2]) + 1)
    style = theme()["style"]
    color = alt.condition("datum.ours", alt.value(style["scenario-line"]["color"]), alt.value(style["baseline-line"]["color"]))
    base = alt.Chart(frame.with_columns(start=low)).encode(
        y=alt.Y("who:N", sort=frame["who"].to_list(), title=None, axis=alt.Axis(labelLimit=300)),
        x=alt.X(
            "speed:Q",
            scale=alt.Scale(type="log", domain=[low, high], nice=False),
            title=None,
            axis=alt.Axis(labelExpr=_TICKS, values=_decades(low, high)),
        ),
    )
    bars = base.mark_bar(height=18).encode(x2="start", color=color)
    labels = base.mark_text(align="left", baseline="middle", dx=6, fontSize=type_size()).encode(text="label:N", color=color)
    chart = alt.layer(bars, labels).properties(width=520, height=34 * frame.height, title=_title(results))
    return save(chart.configure(**theme()), path)


_TICKS: Final = "datum.value >= 1e6 ? format(datum.value / 1e6, ',') + ' million' : format(datum.value, ',')"


def _decades(low: float, high: float) -> list[float]:
    found = [low]
    while found[-1] < high:
        found.append(found[-1] * 10.0)
    return found


def _speed(speed: float) -> str:
    return f"{_short(speed / 1e6)} million" if speed >= 1e6 else f"{speed / 1e3:,.0f} thousand"


def _title(results: dict[str, Any]) -> alt.TitleParams:
    ratio = results["ratio"]
    said = [f"{_short(ratio[name])} times {LABELS[name]}" for name in ("starsim", "mesa") if ratio[name] is not None]
    finding = f"On one thread PainLab runs {ratio['numpy_1_thread']:.2g} times as fast as NumPy"
    asked = f"the same model of {results['scenario']}, both arms, {results['machine']['processor']}"
    subtitle = [f"{', '.join(said)}; {asked}", "Patient-weeks a second, log scale"]
    return alt.TitleParams(finding, subtitle=subtitle)
