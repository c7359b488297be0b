"""The notebooks in a real JupyterLab without a network: charts are drawn, levers move them, and everything has a name."""

import os
import re
import signal

import polars as pl
import pytest
from pptx import Presentation

from painlab import Scenario
from painlab.views.exports import KINDS

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


PICTURE = ".painlab-explorer .painlab-picture canvas"
COLORS = """picture => {
    const data = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height).data;
    const seen = new Map();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) {
        const color = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
        seen.set(color, (seen.get(color) ?? 0) + 1);
    }
    return [...seen.values()].filter((count) => count > 30).length;
}"""


def picture(page) -> str:
    """What the explorer's canvas shows."""
    return page.locator(PICTURE).evaluate("picture => picture.toDataURL()")


def settle(page) -> None:
    page.wait_for_timeout(400)
    page.wait_for_function(SETTLED)


def choose(page, words: str) -> None:
    """Choose a view or a group of controls."""
    page.locator(".painlab-explorer .painlab-choice").get_by_role("radio", name=words, exact=True).check(force=True)


@pytest.fixture
def explorer(visit, jupyterlab):
    jupyterlab.write_notebook("explorer.ipynb", "import painlab\npainlab.explore('early-pt')")
    return visit("explorer.ipynb")


def test_a_lever_moved_by_keyboard_moves_the_picture_in_place_and_undo_brings_it_back(explorer):
    page = explorer
    choose(page, "Prescribe")
    before = picture(page)
    sentence = page.locator(".painlab-sentence p").first.inner_text()
    page.evaluate("document.querySelector('.painlab-explorer canvas').drawnOnce = true")
    lever = page.get_by_role("slider", name=READINESS)
    start = float(lever.input_value())
    lever.focus()
    page.keyboard.press("ArrowLeft")
    assert float(lever.input_value()) < start
    page.keyboard.press("Home")
    assert float(lever.input_value()) == 0.0
    page.wait_for_function("before => document.querySelector('.painlab-sentence p').innerText !== before", arg=sentence)
    settle(page)
    assert page.evaluate("document.querySelector('.painlab-explorer canvas').drawnOnce") is True
    assert picture(page) != before
    assert page.locator(".painlab-explorer .painlab-summary").text_content() == page.locator(".painlab-sentence p").first.inner_text()

    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("([lever, value]) => Number(lever.value) === value", arg=[lever.element_handle(), start])
    page.wait_for_function("before => document.querySelector('.painlab-sentence p').innerText === before", arg=sentence)
    settle(page)
    assert picture(page) == before
    page.get_by_role("button", name="Redo").click()
    page.wait_for_function("([lever]) => Number(lever.value) === 0", arg=[lever.element_handle()])


DRAWN = "() => Number(document.querySelector('.painlab-explorer .painlab-picture').dataset.drawn)"


def test_a_step_of_a_lever_is_drawn_without_waiting_for_the_kernel(explorer, jupyterlab):
    page = explorer
    choose(page, "Prescribe")
    lever = page.get_by_role("slider", name=READINESS)
    lever.focus()
    page.keyboard.press("ArrowLeft")
    settle(page)
    page.wait_for_timeout(2000)  # the next steps are worked out ahead
    jupyterlab.run_code(page, "import os, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))")
    pid = int((jupyterlab.root / "pid").read_text())
    before, drawn = picture(page), page.evaluate(DRAWN)
    os.kill(pid, signal.SIGSTOP)
    try:
        page.keyboard.press("ArrowLeft")
        page.wait_for_function(f"drawn => ({DRAWN})() > drawn", arg=drawn)
        early = picture(page)
        assert early != before
        assert page.locator(".painlab-explorer").evaluate("root => root.classList.contains('painlab-waiting')")  # the words are older
    finally:
        os.kill(pid, signal.SIGCONT)
    settle(page)
    assert page.evaluate(DRAWN) == drawn + 2  # ahead, and after the full run: the kernel's own preview is the same picture
    page.get_by_role("button", name="Undo").click()
    settle(page)
    lever.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert picture(page) not in (before, early)


def test_every_view_is_drawn(explorer):
    page, seen = explorer, set()
    for words in ("Demand", "Body", "One patient, 200 times", "The cycle's field", "Difference"):
        drawn = page.locator(".painlab-explorer .painlab-picture").get_attribute("data-drawn")
        choose(page, words)
        page.wait_for_function("before => document.querySelector('.painlab-explorer .painlab-picture').dataset.drawn > before", arg=drawn)
        settle(page)
        assert page.locator(PICTURE).evaluate(COLORS) >= 3, words
        seen.add(picture(page))
    assert len(seen) == 5


def test_each_lever_moves_by_keyboard(explorer):
    page, moved = explorer, 0
    for words in (
        "Move and strengthen",
        "Assess and refer",
        "Inject",
        "Prescribe",
        "Reassess and taper",
        "Other care",
        "People",
        "Assumptions",
    ):
        choose(page, words)
        page.wait_for_timeout(300)
        for box in page.locator(".painlab-page input[type=checkbox]").all():
            box.check()
        if words == "Inject":
            page.get_by_label("Kind").select_option(index=1)
        settle(page)
        for slider in page.locator(".painlab-page").get_by_role("slider").all():
            assert slider.is_enabled(), slider.get_attribute("aria-label")
            before = slider.input_value()
            slider.focus()
            page.keyboard.press("ArrowRight")
            if slider.input_value() == before:
                page.keyboard.press("ArrowLeft")
            assert slider.input_value() != before, slider.get_attribute("aria-label")
            moved += 1
        settle(page)
        assert page.locator(".painlab-explorer [role=alert]").count() == 0
    assert moved >= 45


def test_exports_arrive_in_the_browser_and_open(explorer, tmp_path):
    page = explorer
    opened = {
        "png": lambda path: path.read_bytes().startswith(b"\x89PNG"),
        "svg": lambda path: "Opioid demand" in path.read_text(encoding="utf-8"),
        "csv": lambda path: pl.read_csv(path).height > 100,
        "parquet": lambda path: pl.read_parquet(path).height > 100,
        "toml": lambda path: Scenario.load(path) == Scenario.load("early-pt"),
        "pptx": lambda path: len(Presentation(path).slides) == 1,
    }
    assert set(opened) == set(KINDS)
    choose(page, "Share and save")
    for kind, opens in opened.items():
        page.get_by_label("Export", exact=True).select_option(value=KINDS[kind].words)
        with page.expect_download() as waiting:
            page.get_by_role("button", name="Export").click()
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        assert path.name == f"early-pt.{KINDS[kind].ending}"
        assert opens(path), kind


def test_a_saved_notebook_that_is_opened_again_shows_a_picture_and_no_broken_widget(explorer, jupyterlab):
    page = explorer
    page.wait_for_function("document.querySelector('.painlab-standing svg')")
    assert not page.locator(".painlab-standing svg").first.is_visible()
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    jupyterlab.close_notebook(page)
    jupyterlab.open_notebook(page, "explorer.ipynb")
    page.wait_for_selector(".painlab-standing svg")
    assert page.locator(".painlab-standing svg path").count() > 5
    assert page.locator(".painlab-standing p").first.inner_text()
    assert not page.get_by_text("Error displaying widget").first.is_visible()


def test_every_control_has_a_name_and_nothing_is_wider_than_the_window(explorer):
    page = explorer
    for words in ("Assess and refer", "People", "Share and save"):
        choose(page, words)
        page.wait_for_timeout(300)
        controls = page.locator(".painlab-explorer").aria_snapshot()
        found = re.findall(r"- '?(slider|spinbutton|combobox|checkbox|radio|button|textbox)( \"([^\"]+)\")?", controls)
        assert len(found) > 20
        assert not [role for role, _, name in found if not name]
        names = [name for role, _, name in found if role in ("slider", "spinbutton")]
        assert len(names) == len(set(names))

    for width, height in ((1440, 900), (1280, 720)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(
            """() => {
                const explorer = document.querySelector('.painlab-explorer');
                const picture = explorer.querySelector('.painlab-picture canvas');
                const shown = [explorer, explorer.closest('.jp-OutputArea-output'), explorer.closest('.jp-Notebook')].filter(Boolean);
                return shown.every((one) => one.scrollWidth <= one.clientWidth + 1)
                    && picture.getBoundingClientRect().width <= explorer.clientWidth;
            }"""
        )


def test_the_exact_entry_of_a_lever_explains_what_it_cannot_take(explorer):
    page = explorer
    choose(page, "Move and strengthen")
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
