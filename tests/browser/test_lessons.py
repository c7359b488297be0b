"""A lesson in a real JupyterLab: a prediction by keyboard alone, its reveal, a choice, and the score that follows."""

import re

import pytest

CELLS = (
    'from painlab.views.lesson import Lesson\n\nlesson = Lesson("02")\nlesson.opening()',
    'lesson.predict("first")',
    'lesson.exercise("why-on")',
    "lesson.against()",
    "lesson.score()",
)
SCORE = ".painlab-score [role=status]"


@pytest.fixture
def lesson(jupyterlab, page, outside_requests, page_errors):
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    jupyterlab.write_notebook("lesson.ipynb", *CELLS)
    jupyterlab.open_notebook(page, "lesson.ipynb")
    jupyterlab.run_all(page)
    page.wait_for_selector(SCORE)
    yield page
    jupyterlab.close_notebook(page)
    assert outside_requests == []
    assert page_errors == []
    # A notebook that is opened without its kernel asks for widgets that are gone; what the reader sees then is tested below.
    ours = [text for text in complaints if "widget model not found" not in text]
    assert not [text for text in ours if re.search("painlab|vega|widget|question", text, re.IGNORECASE)]


def test_a_prediction_is_made_recorded_and_revealed_by_keyboard_and_every_input_has_a_name(lesson):
    question = lesson.get_by_role("group", name="Predict")
    said = question.get_by_role("status")
    slider = question.get_by_role("slider")
    exact = question.get_by_role("spinbutton", name="Exactly")
    reveal = question.get_by_role("button", name="Reveal")
    assert reveal.get_attribute("aria-disabled") == "true"
    reveal.focus()
    lesson.keyboard.press("Enter")
    said.get_by_text("Record yours first").wait_for()
    assert lesson.locator(".painlab-live-chart").count() == 0

    slider.focus()
    start = float(slider.input_value())
    lesson.keyboard.press("ArrowRight")
    assert float(exact.input_value()) == pytest.approx(start + 0.1)
    assert slider.get_attribute("aria-valuetext").endswith("points of 10")
    for _ in range(3):  # on a busy machine JupyterLab may still take the focus while its cells settle
        slider.focus()
        lesson.keyboard.press("Tab")
        lesson.keyboard.press("Control+a")
        lesson.keyboard.type("-1.5")
        if exact.input_value() == "-1.5":
            break
    exact.press("Enter")
    said.get_by_text("Recorded: -1.5 points of 10").wait_for()
    assert float(slider.input_value()) == -1.5
    reveal.focus()
    lesson.keyboard.press("Space")
    said.get_by_text("You said -1.5").wait_for()
    lesson.locator(".painlab-live-chart svg").first.wait_for()
    assert slider.is_disabled()
    lesson.wait_for_function(f"document.querySelector('{SCORE}').innerText.includes('1 of 4 predictions')")

    choice = lesson.get_by_role("group", name="Exercise")
    choice.get_by_role("radio").first.focus()
    for _ in range(4):
        lesson.keyboard.press("ArrowDown")
        if choice.get_by_role("radio", name="It shows neither").is_checked():
            break
    check = choice.get_by_role("button", name="Check")
    check.focus()
    lesson.keyboard.press("Enter")
    choice.get_by_role("status").get_by_text("That is right").wait_for()
    lesson.wait_for_function(f"document.querySelector('{SCORE}').innerText.includes('1 of 2 exercises')")
    lesson.get_by_role("region", name="What the evidence says against this").wait_for()


def test_a_saved_lesson_that_is_opened_without_its_kernel_shows_its_words_and_no_failure(lesson, jupyterlab):
    assert not lesson.locator(".painlab-standing").first.is_visible()
    lesson.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    lesson.wait_for_function("!window.jupyterapp.shell.currentWidget.context.model.dirty")
    jupyterlab.close_notebook(lesson)
    jupyterlab.open_notebook(lesson, "lesson.ipynb")
    lesson.get_by_text("Predict: People with persistent low back pain").wait_for()
    lesson.get_by_text("0 of 12 points so far").wait_for()
    assert lesson.locator(".painlab-question").count() == 0
    failures = lesson.get_by_text(re.compile("Error displaying widget|Loading widget"))
    assert not [one for one in failures.all() if one.is_visible()]


def test_a_question_an_explorer_and_charts_are_seen_beside_each_other_in_one_notebook(jupyterlab, page, outside_requests):
    plain = 'import painlab\n\nchart = painlab.charts.demand(painlab.simulate("early-pt", patients=50, draws=2))\nchart'
    live = "from painlab.views import lessons\n\nlessons.show(chart)"
    jupyterlab.write_notebook("all_kinds.ipynb", CELLS[0], CELLS[1], plain, live, 'lesson.explore("trial")')
    jupyterlab.open_notebook(page, "all_kinds.ipynb")
    jupyterlab.run_all(page)
    for kind in (".painlab-question", ".jp-RenderedSVG", ".painlab-live-chart svg", ".painlab-explorer .painlab-picture"):
        one = page.locator(kind).first
        one.scroll_into_view_if_needed()
        one.wait_for(state="visible")
    page.wait_for_selector(".painlab-standing svg", state="attached")
    page.wait_for_timeout(500)  # what stands in has its style by now
    for kind in (".painlab-question", ".painlab-live-chart", ".painlab-explorer"):
        assert page.locator(kind).first.is_visible()
    assert not [one for one in page.locator(".painlab-standing").all() if one.is_visible()]
    assert outside_requests == []
    jupyterlab.close_notebook(page)
