"""How quickly the explorer answers, in a real browser: `make bench-ui`.

A headless Chromium visits a real JupyterLab and the page of `painlab app`. A move is one arrow key on a lever: from the time stamp of the
browser's key event to the second animation frame after the explorer's picture was drawn anew. Beside it, in the same notebook and in turn,
`ipywidgets.interact` shows a new altair chart of the same numbers for each move of its slider.

An arrow key moves a lever by a step, which the explorer works out ahead while it is at rest. Leaps that it cannot have foreseen are
measured apart: there the kernel simulates 10,000 patients between key and picture.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from playwright.sync_api import Browser, Locator, Page

from benchmarks import hub, machine, servers

RESULTS: Final = machine.ROOT / "benchmarks" / "results"
READINESS: Final = "Prescribing: readiness to start"
DOSE: Final = "Prescribing: starting dose"
LESSON: Final = "01_the_cycle.ipynb"
FIRST: Final = "00_welcome.ipynb"
REST_MS: Final = 1500  # after an explorer is at rest: by then it has also handed its picture to the notebook
FOUND_MS: Final = 300  # from the focus on a lever to the first key: nobody is quicker
PACKAGES: Final = ("painlab", "jupyterlab", "voila", "ipywidgets", "anywidget", "altair", "vl-convert-python", "playwright")

_EXPLORER: Final = 'import painlab\nexplorer = painlab.explore("early-pt", groups=["prescribe"])\nexplorer'
_INTERACT: Final = """
import altair as alt, ipywidgets, polars as pl
from IPython.display import display
alt.JupyterChart.enable_offline()
start = painlab.Scenario.load("early-pt")

def chart(readiness):
    plan = start.change(care={"prescribing": {"opioid_start": readiness}})
    weekly = painlab.simulate(plan, patients=10_000, draws=1).weekly
    shown = weekly.filter(pl.col("outcome").is_in(["mme_per_1000", "pain", "function"])).select("week", "outcome", "difference")
    lines = alt.Chart(shown).mark_line().encode(x="week", y="difference", column="outcome").properties(width=260, height=180)
    return lines.resolve_scale(y="independent")

def slider():
    return ipywidgets.FloatSlider(value=1.0, min=0.0, max=2.0, step=0.05, description="readiness")
"""
_AS_SVG: Final = """
def as_svg(readiness):
    with alt.renderers.enable("svg"):
        display(chart(readiness))

ipywidgets.interact(as_svg, readiness=slider());
"""
_AS_WIDGET: Final = """
def as_widget(readiness):
    display(alt.JupyterChart(chart(readiness)))

ipywidgets.interact(as_widget, readiness=slider());
"""
_PEERS: Final = {
    "svg": (".jp-Cell:nth-of-type(3)", ".jp-OutputArea img, .jp-RenderedSVG svg"),
    "jupyter_chart": (".jp-Cell:nth-of-type(4)", ".vega-embed svg, .vega-embed canvas"),
}
# `paintedAfter(area, selector)` is armed before the key is pressed. Without a selector a new picture is one whose counter has moved.
_WATCH: Final = """() => {
    window.paintedAfter = (area, selector) => {
        const host = document.querySelector(area);
        const last = () => [...host.querySelectorAll(selector)].at(-1);
        const before = selector ? last() : host.dataset.drawn;
        window.painted = new Promise((resolve, reject) => {
            let start = null;
            document.addEventListener("keydown", (event) => (start = event.timeStamp), { capture: true, once: true });
            const timer = setTimeout(() => reject(new Error("nothing was drawn")), 60000);
            const done = () => requestAnimationFrame(() => requestAnimationFrame(() => {
                clearTimeout(timer);
                resolve(performance.now() - start);
            }));
            const watch = new MutationObserver(() => {
                const now = selector ? last() : host.dataset.drawn;
                if (start === null || now === undefined || now === before) return;
                watch.disconnect();
                if (now instanceof HTMLImageElement && !now.complete) now.addEventListener("load", done, { once: true });
                else done();
            });
            watch.observe(host, { attributes: true, childList: true, subtree: true });
        });
        window.painted.catch(() => {});
    };
}"""
_PICTURE: Final = ".painlab-explorer .painlab-picture"
_SETTLED: Final = f"() => !document.querySelector('.painlab-waiting') && document.querySelector('{_PICTURE}[data-drawn]')"

Say = Callable[[str], None]


class Sizes(NamedTuple):
    """How often each thing is measured."""

    warm: int
    moves: int
    starts: int


FULL: Final = Sizes(warm=5, moves=60, starts=3)
QUICK: Final = Sizes(warm=1, moves=3, starts=1)


def visible(lever: Locator) -> Locator:
    """A lever brought into view, with the keyboard's focus."""
    lever.scroll_into_view_if_needed()
    lever.focus()
    return lever


def settle(page: Page) -> None:
    """Wait until the explorer's full run has been drawn and nothing follows."""
    page.wait_for_function(_SETTLED)
    page.wait_for_timeout(REST_MS)
    page.wait_for_function(_SETTLED)


def moved(page: Page, lever: Locator, key: str, area: str, selector: str = "") -> float:
    """Milliseconds from a key on a lever to the new picture in `area`."""
    visible(lever)
    page.evaluate("([area, selector]) => paintedAfter(area, selector)", [area, selector])
    page.keyboard.press(key)
    return float(page.evaluate("window.painted"))


def keys() -> Iterator[str]:
    """Ten steps down, ten up, and so on: each move is to another value."""
    while True:
        yield from ["ArrowLeft"] * 10 + ["ArrowRight"] * 10


def held(page: Page, lever: Locator, sizes: Sizes) -> list[float]:
    """Moves in a row, each as soon as the one before is painted, as when a lever is held."""
    visible(lever)
    steps = keys()
    found = [moved(page, lever, next(steps), _PICTURE) for _ in range(sizes.warm + sizes.moves)]
    return found[sizes.warm :]


def unforeseen(page: Page, lever: Locator, sizes: Sizes) -> list[float]:
    """Leaps of a lever at rest (a page key: four steps of it or more) after another lever has made all known answers useless."""
    other = page.get_by_role("slider", name=DOSE)
    leaps, steps = cycle(["PageDown", "PageDown", "PageUp", "PageUp"]), cycle(["ArrowRight"] * 10 + ["ArrowLeft"] * 10)
    found = []
    for turn in range(sizes.warm + sizes.moves // 2):
        visible(other)
        page.keyboard.press(next(steps))
        settle(page)
        visible(lever)
        page.wait_for_timeout(FOUND_MS)
        took = moved(page, lever, next(leaps), _PICTURE)
        found += [took] if turn >= sizes.warm else []
        settle(page)
    return found


def interleaved(lab: servers.JupyterLab, page: Page, sizes: Sizes) -> dict[str, list[float]]:
    """Moves of the explorer at rest and of interact, in turn, in one notebook; then of a lever that is held, and leaps."""
    lab.write_notebook("bench.ipynb", _EXPLORER, f"{_INTERACT}", _AS_SVG, _AS_WIDGET)
    lab.open_notebook(page, "bench.ipynb")
    lab.run_all(page)
    page.evaluate(_WATCH)
    page.locator(_PEERS["jupyter_chart"][0]).locator(_PEERS["jupyter_chart"][1]).first.wait_for()
    own = page.get_by_role("slider", name=READINESS)
    found: dict[str, list[float]] = {"explorer": [], **{name: [] for name in _PEERS}}
    steps = keys()
    for turn in range(sizes.warm + sizes.moves):
        key = next(steps)
        settle(page)
        took = {"explorer": moved(page, own, key, _PICTURE)}
        settle(page)
        for name, (cell, picture) in _PEERS.items():
            took[name] = moved(page, page.locator(cell).get_by_role("slider"), key, f"{cell} .jp-OutputArea", picture)
            page.wait_for_timeout(300)
        if turn >= sizes.warm:
            for name, one in took.items():
                found[name].append(one)
    settle(page)
    found["held"] = held(page, own, sizes)
    found["unforeseen"] = unforeseen(page, own, sizes)
    lab.close_notebook(page)
    return found


def in_app(page: Page, url: str, token: str, sizes: Sizes) -> dict[str, list[float]]:
    """Moves of the explorer in the page of `painlab app`, at rest and held."""
    page.goto(f"{url}?token={token}")
    settle(page)
    page.evaluate(_WATCH)
    choice = page.locator(".painlab-choice").get_by_role("radio", name="Prescribe", exact=True)
    if choice.count():  # the groups of levers share a place
        choice.check(force=True)
    lever = page.get_by_role("slider", name=READINESS)
    steps = keys()
    rested = []
    for turn in range(sizes.warm + sizes.moves):
        settle(page)
        took = moved(page, lever, next(steps), _PICTURE)
        rested += [took] if turn >= sizes.warm else []
    settle(page)
    found = {"app": rested, "app_held": held(page, lever, sizes)}
    page.goto("about:blank")
    return found


def first_chart(browser: Browser) -> float:
    """Seconds from starting the server, as `make lab` does, to the first chart that a lever has moved."""
    begun = time.perf_counter()
    with fresh_lab() as lab, fresh_page(browser) as page:
        lab.open_notebook(page, FIRST)
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        picture = page.locator(f"{_PICTURE}[data-drawn]").first
        picture.wait_for()
        page.evaluate(_WATCH)
        visible(page.locator(".painlab-explorer").first.get_by_role("slider").first)
        page.evaluate("area => paintedAfter(area, '')", _PICTURE)
        page.keyboard.press("ArrowRight")
        page.evaluate("window.painted")
        return time.perf_counter() - begun


def kernel_mb(lab: servers.JupyterLab, page: Page) -> dict[str, float] | None:
    """Memory of a student's kernel after lesson 01 has run; None where the system does not say."""
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    lab.open_notebook(page, LESSON)
    lab.run_all(page)
    settle(page)
    lab.run_code(page, "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))")
    found = hub.memory_mb(int((lab.root / "pid").read_text(encoding="utf-8")))
    lab.close_notebook(page)
    return found


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder that goes away; a server that ends may still be writing into it."""
    with tempfile.TemporaryDirectory(prefix="painlab-ui-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextmanager
def fresh_lab() -> Iterator[servers.JupyterLab]:
    """A JupyterLab in a folder that goes away with it."""
    with fresh_folder() as folder, servers.jupyterlab(folder) as lab:
        yield lab


@contextmanager
def fresh_page(browser: Browser) -> Iterator[Page]:
    """A page without a network. Raises RuntimeError if something outside was asked for."""
    outside: list[str] = []
    context = servers.enclosed(browser, outside)
    try:
        yield context.new_page()
    finally:
        context.close()
    if outside:
        raise RuntimeError(f"asked for {', '.join(outside)}")


def percentile(taken: list[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed.

    >>> percentile([4.0, 1.0, 3.0, 2.0], 0.5)
    2.0
    """
    ordered = sorted(taken)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def measure(sizes: Sizes, say: Say) -> dict[str, Any]:
    """Everything that ui.json holds."""
    state = machine.described()
    raw: dict[str, list[float]] = {}
    with servers.chromium() as browser:
        with fresh_lab() as lab, fresh_page(browser) as page:
            say(f"{sizes.moves} moves of the explorer and of interact, in turn")
            raw |= interleaved(lab, page, sizes)
            say("memory of a kernel after lesson 01")
            memory = kernel_mb(lab, page)
        say("moves in painlab app")
        with fresh_folder() as folder, servers.app(folder) as served, fresh_page(browser) as page:
            raw |= in_app(page, *served, sizes)
        say("from the start of JupyterLab to the first moving chart")
        starts = [first_chart(browser) for _ in range(sizes.starts)]
        chromium = browser.version
    middle = {name: median(taken) for name, taken in raw.items()}
    ratios = {name: middle[name] / middle["explorer"] for name in _PEERS}
    return {
        "median_ms": middle["explorer"],
        "p95_ms": percentile(raw["explorer"], 0.95),
        "held_median_ms": middle["held"],
        "held_p95_ms": percentile(raw["held"], 0.95),
        "unforeseen_median_ms": middle["unforeseen"],
        "unforeseen_p95_ms": percentile(raw["unforeseen"], 0.95),
        "ratio_to_interact": min(ratios.values()),
        "ratios_to_interact": ratios,
        "interact_median_ms": {name: middle[name] for name in _PEERS},
        "app_median_ms": middle["app"],
        "app_p95_ms": percentile(raw["app"], 0.95),
        "app_held_median_ms": middle["app_held"],
        "app_held_p95_ms": percentile(raw["app_held"], 0.95),
        "first_chart_s": median(starts),
        "kernel_mb": memory["pss_mb"] if memory else None,
        "kernel": memory,
        "raw_ms": raw,
        "raw_first_chart_s": starts,
        "sizes": sizes._asdict(),
        "quick": sizes is QUICK,
        "machine": state | {"load_after": machine.load()},
        "versions": machine.versions(PACKAGES) | {"chromium": chromium},
    }


def table(results: dict[str, Any]) -> str:
    """All figures with what they were to reach, in Markdown."""
    state, versions = results["machine"], results["versions"]
    lines = ["# The explorer's speed in a browser", ""]
    if results["quick"]:
        lines += ["A trial run of few moves: the figures mean nothing.", ""]
    load = "" if state["load_before"] is None else f", load {state['load_before']:.1f} before and {state['load_after']:.1f} after"
    lines.append(f"10,000 patients, {results['sizes']['moves']} moves of each. {state['date']}, commit {state['commit']}.")
    named = ", ".join(f"{name} {version}" for name, version in versions.items() if version)
    lines.append(f"{state['processor']}, {state['cores']} cores, {state['system']}{load}. {named}.")
    if (state["load_before"] or 0.0) > 0.5:
        lines += ["", "The machine was busy with other things: all is slower than it can be. Measure again when it is idle."]
    lines += ["", "| measure | figure | to reach | reached |", "| --- | ---: | ---: | --- |"]
    memory = results["kernel_mb"]
    peers = results["interact_median_ms"]
    rows: list[tuple[str, float | None, str, str]] = [
        ("lever's key to new picture, JupyterLab, median", results["median_ms"], "ms", "< 45"),
        ("the same, 95th percentile", results["p95_ms"], "ms", "< 90"),
        ("a lever that is held, median", results["held_median_ms"], "ms", ""),
        ("the same, 95th percentile", results["held_p95_ms"], "ms", ""),
        ("a leap that was not foreseen, median", results["unforeseen_median_ms"], "ms", ""),
        ("the same, 95th percentile", results["unforeseen_p95_ms"], "ms", ""),
        ("interact with altair as SVG, median", peers["svg"], "ms", ""),
        ("interact with JupyterChart, median", peers["jupyter_chart"], "ms", ""),
        ("interact (the quicker of the two) against the explorer", results["ratio_to_interact"], "x", "> 3"),
        ("in `painlab app`, median", results["app_median_ms"], "ms", ""),
        ("the same, 95th percentile", results["app_p95_ms"], "ms", ""),
        ("in `painlab app`, a lever that is held, median", results["app_held_median_ms"], "ms", ""),
        ("from the start of `make lab` to a moved chart, warm", results["first_chart_s"], "s", ""),
        ("a student's kernel after lesson 01 (PSS)", memory, "MB", "< 400"),
    ]
    for words, figure, unit, wanted in rows:
        goal, reached = (f"{wanted} {unit}", _reached(figure, wanted)) if wanted else ("", "")
        said = "not measured" if figure is None else f"{_short(figure)} {unit}"
        lines.append(f"| {words} | {said} | {goal} | {reached} |")
    return "\n".join(lines) + "\n"


def _reached(figure: float | None, wanted: str) -> str:
    if figure is None:
        return "this system does not say"
    sign, _, goal = wanted.partition(" ")
    return "yes" if (figure < float(goal) if sign == "<" else figure > float(goal)) else "no"


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, write and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ui", description="Measure the explorer in a real browser.")
    parser.add_argument("--quick", action="store_true", help="few moves, to see that it works; the figures mean nothing")
    parser.add_argument("--out", type=Path, help="folder for ui.json and ui.md")
    given = parser.parse_args(arguments)
    begun = time.perf_counter()

    def say(line: str) -> None:
        print(f"{(time.perf_counter() - begun) / 60:5.1f} min  {line}", file=sys.stderr, flush=True)

    try:
        results = measure(QUICK if given.quick else FULL, say)
    except servers.NoBrowser as reason:
        sys.exit(f"bench-ui needs a browser: {reason}")
    folder = given.out or (machine.ROOT / "out" / "bench" if given.quick else RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    said = table(results)
    (folder / "ui.json").write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    (folder / "ui.md").write_text(said, encoding="utf-8")
    print(said)


if __name__ == "__main__":
    main()
