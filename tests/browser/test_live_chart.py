"""A live chart is drawn in JupyterLab without a network, and new numbers move its lines in place."""

import pytest

CHART = """
import altair as alt
import polars as pl
from painlab.views.live_chart import LiveChart

weeks = list(range(53))

def frame(slope):
    return pl.DataFrame({"week": weeks, "pain": [7.0 - slope * week for week in weeks]})

line = alt.Chart(alt.NamedData("trajectory")).mark_line(clip=True).encode(
    alt.X("week:Q", scale=alt.Scale(domain=[0, 52])), alt.Y("pain:Q", scale=alt.Scale(domain=[0, 10]))
)
chart = LiveChart(line, {"trajectory": frame(0.02)}, headline="Pain stays", description="Pain by week", summary="Pain ends at 6.")
"""

DASHBOARD = """
import numpy as np
import polars as pl
from painlab.outcomes import BY_NAME
from painlab.views.charts import dashboard
from painlab.views.live_chart import LiveChart

def weekly(effect):
    week = np.arange(105)
    frames = []
    for name, start, end in (("mme_per_1000", 14000, 23000), ("pain", 6.5, 3.6), ("function", 45, 68)):
        baseline = end + (start - end) * np.exp(-week / 14)
        columns = {"baseline": baseline, "scenario": baseline * (1 + effect), "difference": baseline * effect}
        bands = {f"{k}_{end}": v * f for k, v in columns.items() for end, f in (("low", 0.9), ("high", 1.1))}
        frames.append(pl.DataFrame({"week": week, **columns, **bands}).with_columns(outcome=pl.lit(name), unit=pl.lit(BY_NAME[name].unit)))
    return pl.concat(frames)

chart = LiveChart(dashboard(), weekly(-0.1), headline="Demand falls by a tenth", summary="Demand is a tenth lower.")
"""

LINES = ".painlab-picture svg g.mark-line > path"


NOTEBOOKS = {"chart.ipynb": CHART, "dashboard.ipynb": DASHBOARD}


@pytest.fixture
def opened(jupyterlab, page, request, outside_requests, page_errors):
    """The page with the notebook named by `request.param`, run; tests of the same notebook share its kernel, as visits of one reader do."""
    jupyterlab.write_notebook(request.param, NOTEBOOKS[request.param], "chart")
    jupyterlab.open_notebook(page, request.param)
    jupyterlab.run_all(page)
    page.wait_for_selector(LINES)
    yield page
    assert outside_requests == []
    assert page_errors == []


def drawn(page):
    """How often the picture has been drawn."""
    return int(page.locator(".painlab-picture").first.get_attribute("data-drawn"))


def paths(page, selector=LINES):
    return page.locator(selector).evaluate_all("nodes => nodes.map(node => node.getAttribute('d'))")


def sizes(page, selector=LINES):
    return page.locator(selector).evaluate_all(
        "nodes => nodes.map(node => { const box = node.getBoundingClientRect(); return [box.width, box.height]; })"
    )


@pytest.mark.parametrize("opened", ["chart.ipynb"], indirect=True)
def test_new_numbers_move_the_line_without_replacing_the_picture(opened, jupyterlab, outside_requests):
    page = opened
    (width, height), before = sizes(page)[0], paths(page)
    assert width > 100 and height > 1
    page.evaluate("document.querySelector('.painlab-picture svg').paintedOnce = true")
    count = drawn(page)
    jupyterlab.run_code(page, "chart.update({'trajectory': frame(0.1)}, headline='Pain falls', summary='Pain ends at 2.')")
    page.wait_for_function("before => document.querySelector('.painlab-picture').dataset.drawn > before", arg=count)
    assert page.evaluate("document.querySelector('.painlab-picture svg').paintedOnce") is True
    assert len(paths(page)) == len(before) == 1
    assert paths(page) != before
    assert sizes(page)[0][1] > height
    assert page.locator(".painlab-headline").inner_text() == "Pain falls"
    assert page.locator(".painlab-summary[aria-live=polite]").text_content() == "Pain ends at 2."
    assert page.locator(".painlab-picture").get_attribute("aria-label") == "Pain by week"
    assert outside_requests == []


@pytest.mark.parametrize("opened", ["chart.ipynb"], indirect=True)
def test_of_many_hurried_updates_the_newest_is_what_remains(opened, jupyterlab):
    page, count = opened, drawn(opened)
    hurry = "for i in range(60): chart.update({'trajectory': frame(0.001 * i)})"
    jupyterlab.run_code(page, f"{hurry}\nchart.update({{'trajectory': frame(0.12)}}, summary='done')")
    # The line falls by 0.12 a week for 52 weeks, on a scale of 10 points that is 300 px high.
    page.wait_for_function(
        """([lines, fall]) => {
            const line = document.querySelector(lines);
            const ends = [0, line.getTotalLength()].map((length) => line.getPointAtLength(length).y);
            return Math.abs(ends[1] - ends[0] - fall) < 0.1;
        }""",
        arg=[LINES, 300 * 0.12 * 52 / 10],
    )
    assert page.locator(".painlab-summary").text_content() == "done"
    assert drawn(page) - count <= 61


@pytest.mark.parametrize("opened", ["chart.ipynb"], indirect=True)
def test_a_canvas_shows_the_new_numbers_too(opened, jupyterlab):
    page = opened
    jupyterlab.run_code(page, "chart.renderer = 'canvas'")
    page.wait_for_selector(".painlab-picture canvas")
    picture = "document.querySelector('.painlab-picture canvas').toDataURL()"
    before = page.evaluate(picture)
    jupyterlab.run_code(page, "chart.update({'trajectory': frame(0.1)})")
    page.wait_for_function(f"before => {picture} !== before", arg=before)


@pytest.mark.parametrize("opened", ["dashboard.ipynb"], indirect=True)
def test_demand_pain_and_function_are_drawn_side_by_side_with_bands(opened, tmp_path):
    page = opened
    assert len(paths(page)) == 6
    assert all(width > 100 and height > 5 for width, height in sizes(page))
    bands = sizes(page, ".painlab-picture svg g.mark-area > path")
    assert len(bands) == 6
    assert all(width > 100 and height > 5 for width, height in bands)
    words = page.locator(".painlab-picture svg").text_content()
    for expected in ("Opioid demand", "MME/day per 1,000 patients", "Pain", "Function", "usual care", "this plan", "1 yr"):
        assert expected in words
    labels = page.locator(f"{LINES}").evaluate_all("nodes => nodes.map(node => node.getAttribute('aria-label'))")
    assert "Pain, this plan, 0-10 NRS" in labels
    page.screenshot(path=tmp_path / "dashboard.png")


@pytest.mark.parametrize("opened", ["dashboard.ipynb"], indirect=True)
def test_a_chart_turns_dark_with_the_page_and_keeps_its_lines(opened, tmp_path):
    page, before = opened, paths(opened)
    light = page.locator(LINES).first.evaluate("node => getComputedStyle(node).stroke")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_function("([lines, light]) => getComputedStyle(document.querySelector(lines)).stroke !== light", arg=[LINES, light])
    assert paths(page) == before
    page.screenshot(path=tmp_path / "dark.png")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    page.wait_for_function("([lines, light]) => getComputedStyle(document.querySelector(lines)).stroke === light", arg=[LINES, light])


@pytest.mark.parametrize("opened", ["dashboard.ipynb"], indirect=True)
def test_another_chart_takes_the_place_of_the_first(opened, jupyterlab, tmp_path):
    page = opened
    jupyterlab.run_code(page, "chart.replace(dashboard(large=True))")
    page.wait_for_function("Number(getComputedStyle(document.querySelector('.painlab-picture svg text')).fontSize.slice(0, -2)) >= 20")
    assert len(paths(page)) == 6
    page.screenshot(path=tmp_path / "large.png")


@pytest.mark.parametrize("opened", ["chart.ipynb"], indirect=True)
def test_the_library_is_sent_once_for_all_charts_of_a_notebook(opened, jupyterlab):
    page = opened
    jupyterlab.run_code(
        page,
        "others = [LiveChart(line, {'trajectory': frame(0.05)}) for _ in range(3)]\n"
        "assert len({id(each.library) for each in [chart, *others]}) == 1",
    )
    assert page.evaluate("window.painlabLibraries.size") == 1
