"""The notebooks in a real JupyterLab without a network: charts are drawn, levers move them, and everything has a name."""

import re

import pytest

LINES = "svg g.mark-line > path"
SENTENCE = ".painlab-sentence:not(.painlab-waiting) p"
READINESS = "Prescribing: readiness to start"
# What the page shows of an explorer is current once its full run has been drawn.
SETTLED = """() => !document.querySelector('.painlab-waiting') && document.querySelector('.painlab-sentence p')"""


@pytest.fixture
def visit(jupyterlab, page, outside_requests, page_errors):
    """Open a notebook and run all of it; afterwards nothing outside was asked for, and no script of ours failed."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

    def run(name: str):
        jupyterlab.open_notebook(page, name)
        jupyterlab.run_all(page)
        page.wait_for_selector(SENTENCE)
        page.wait_for_function(SETTLED)
        return page

    yield run
    jupyterlab.close_notebook(page)
    assert outside_requests == []
    assert page_errors == []
    assert not [text for text in complaints if re.search("painlab|vega|widget|lever", text, re.IGNORECASE)]


def paths(page, arm: str) -> list[str]:
    """The drawn lines of an arm in the explorer, by the label that screen readers get."""
    lines = page.locator(f".painlab-explorer {LINES}[aria-label*='{arm}']")
    return lines.evaluate_all("nodes => nodes.map(node => node.getAttribute('d'))")


def sizes(page, selector: str) -> list[list[float]]:
    return page.locator(selector).evaluate_all(
        "nodes => nodes.map(node => { const box = node.getBoundingClientRect(); return [box.width, box.height]; })"
    )


def test_a_lever_moved_by_keyboard_in_the_welcome_notebook_moves_the_lines_in_place(visit):
    page = visit("00_welcome.ipynb")
    plan, usual = paths(page, "this plan"), paths(page, "usual care")
    assert len(plan) == len(usual) == 3
    assert all(width > 50 and height > 5 for width, height in sizes(page, f".painlab-explorer {LINES}"))
    bands = sizes(page, ".painlab-explorer svg g.mark-area > path")
    assert len(bands) == 6
    assert all(width > 50 and height > 1 for width, height in bands)
    sentence = page.locator(".painlab-sentence p").first.inner_text()
    page.evaluate("document.querySelector('.painlab-explorer svg').drawnOnce = true")

    lever = page.get_by_role("slider", name=READINESS)
    before = float(lever.input_value())
    lever.focus()
    page.keyboard.press("ArrowLeft")
    assert float(lever.input_value()) < before
    page.keyboard.press("Home")
    assert float(lever.input_value()) == 0.0
    page.wait_for_function(
        "([lines, before]) => document.querySelector(lines).getAttribute('d') !== before",
        arg=[f".painlab-explorer {LINES}[aria-label*='Opioid demand, this plan']", plan[0]],
    )
    page.wait_for_function(SETTLED)
    assert page.evaluate("document.querySelector('.painlab-explorer svg').drawnOnce") is True
    assert all(new != old for new, old in zip(paths(page, "this plan"), plan, strict=True))
    assert page.locator(".painlab-sentence p").first.inner_text() != sentence
    assert page.locator(".painlab-explorer .painlab-summary").text_content() == page.locator(".painlab-sentence p").first.inner_text()

    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("([lever, value]) => Number(lever.value) === value", arg=[lever.element_handle(), before])
    page.wait_for_function("before => document.querySelector('.painlab-sentence p').innerText === before", arg=sentence)
    assert paths(page, "this plan") == plan


def test_every_chart_of_the_cycle_notebook_is_drawn(visit):
    page = visit("01_the_cycle.ipynb")
    pictures = page.locator(".painlab-picture")
    assert pictures.count() == 5
    for i in range(pictures.count()):
        pictures.nth(i).locator(LINES).first.wait_for()
        drawn = pictures.nth(i).locator(LINES).evaluate_all("nodes => nodes.map(node => node.getBoundingClientRect().width)")
        assert len(drawn) in (3, 6)
        assert min(drawn) > 50
    assert "link cut" in pictures.nth(1).inner_text()


def test_every_control_has_a_name_and_nothing_is_wider_than_the_window(visit, jupyterlab):
    jupyterlab.write_notebook("explorer.ipynb", "import painlab\npainlab.explore('early-pt')")
    page = visit("explorer.ipynb")
    controls = page.locator(".painlab-explorer").aria_snapshot()
    found = re.findall(r"- '?(slider|spinbutton|combobox|checkbox|radio|button)( \"([^\"]+)\")?", controls)
    assert len([role for role, *_ in found if role == "slider"]) == 10
    assert not [role for role, _, name in found if not name]
    names = [name for role, _, name in found if role in ("slider", "spinbutton")]
    assert len(names) == len(set(names))

    for width, height in ((1440, 900), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(
            """() => {
                const explorer = document.querySelector('.painlab-explorer');
                const picture = explorer.querySelector('.painlab-picture svg');
                const shown = [explorer, explorer.closest('.jp-OutputArea-output'), explorer.closest('.jp-Notebook')].filter(Boolean);
                return shown.every((one) => one.scrollWidth <= one.clientWidth + 1)
                    && picture.getBoundingClientRect().width <= explorer.clientWidth;
            }"""
        )


def test_the_exact_entry_of_a_lever_explains_what_it_cannot_take(visit, jupyterlab):
    jupyterlab.write_notebook("entry.ipynb", "import painlab\npainlab.explore('early-pt')")
    page = visit("entry.ipynb")
    entry = page.get_by_role("spinbutton", name="Physical therapy: weeks in a course, exact value")
    before = entry.input_value()
    entry.fill("500")
    entry.press("Enter")
    page.wait_for_selector(".painlab-message [role=alert]")
    assert "weeks" in page.locator(".painlab-message").inner_text()
    assert "Traceback" not in page.locator(".painlab-explorer").inner_text()
    entry.blur()
    assert entry.input_value() == before
    page.get_by_role("button", name="Evidence for Physical therapy: weeks in a course").click()
    page.wait_for_selector(".painlab-evidence p")
    assert "doi:" in page.locator(".painlab-evidence").inner_text()
