"""The frontier of care plans in JupyterLab: a plan is picked by a click or with the arrow keys, and weights move the choice."""

import pytest

CODE = """
from painlab.analysis.frontier import care_frontier
from painlab.scenario import Scenario
from painlab.views.frontier_explorer import FrontierExplorer

found = care_frontier(Scenario.load("early-pt").change(weeks=26), 30, patients=64, draws=4)
explorer = FrontierExplorer(found)
"""
POINTS = ".painlab-picture svg g.mark-symbol path"
WORDS = ".painlab-explorer .widget-html"


@pytest.fixture
def opened(jupyterlab, page, outside_requests, page_errors):
    """The page with the explorer drawn."""
    jupyterlab.write_notebook("frontier.ipynb", CODE, "explorer")
    jupyterlab.open_notebook(page, "frontier.ipynb")
    jupyterlab.run_all(page)
    page.wait_for_selector(POINTS)
    yield page
    assert outside_requests == []
    assert page_errors == []


def said(page, name):
    """Wait until the words below the chart are about a plan."""
    page.wait_for_function(
        "([where, name]) => [...document.querySelectorAll(where)].some((node) => node.textContent.startsWith(name + ':'))",
        arg=[WORDS, name],
    )


def test_a_plan_is_picked_by_a_click_and_with_the_arrow_keys_and_by_weights(opened, tmp_path):
    page = opened
    label = "node => node.getAttribute('aria-label')"
    points = page.locator(POINTS)
    labels = points.evaluate_all(f"nodes => nodes.map({label})")
    place = next(k for k, text in enumerate(labels) if text and ", frontier," in text)
    points.nth(place).dispatch_event("click")
    said(page, labels[place].partition(",")[0])

    picture = page.locator(".painlab-picture").first
    picture.focus()
    for key in ("End", "Home", "ArrowRight"):
        page.keyboard.press(key)
    order = page.locator(".painlab-pick select option").all_text_contents()
    said(page, order[1].partition(",")[0])
    assert page.locator(".painlab-code input").first.input_value().startswith("PL1-")

    # Cost alone counts: the cheapest plan of all.
    for name, value in (("opioid demand", "0"), ("pain", "0"), ("function", "0"), ("cost of care", "100")):
        page.get_by_role("slider", name=f"Weight: weight of {name}").fill(value)
    said(page, order[0].partition(",")[0])
    page.screenshot(path=tmp_path / "frontier.png", full_page=True)
