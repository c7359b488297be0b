"""A deck opened from its file in a browser without a network: every slide fits, every chart is drawn, levers answer, all by keyboard."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Page

from benchmarks import servers
from painlab import talk
from painlab.scenario import scenarios
from painlab.talk import html_deck
from painlab.talk.story import AUDIENCES
from tests.talk.conftest import hostile_story, story  # noqa: F401

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
READY = "html[data-ready]"
NOW = ".slides section.present "

# Elements of the slide that stick out of it, that are cut without saying so, or that lie over one another.
MISFITS = """() => {
    const slide = document.querySelector(".slides section.present .page");
    const whole = slide.getBoundingClientRect();
    const scale = whole.width / 1280;
    const found = [];
    const name = (element) => `${element.tagName}.${element.className.baseVal ?? element.className}: ${element.textContent.slice(0, 60)}`;
    for (const element of slide.querySelectorAll("*")) {
        const box = element.getBoundingClientRect();
        if (!box.width || !box.height || element.closest(".mark, .unseen, aside")) continue;
        const out = Math.max(whole.left - box.left, whole.top - box.top, box.right - whole.right, box.bottom - whole.bottom) / scale;
        if (out > 1.5 && !(element.closest("defs, clipPath"))) found.push(`${out.toFixed(1)} px outside: ${name(element)}`);
    }
    const body = slide.querySelector(".body");
    if (body.scrollHeight > body.clientHeight + 1) found.push(`body ${body.scrollHeight} in ${body.clientHeight}`);
    for (const element of slide.querySelectorAll("header, .headline, li, td, th, .lever, .finding, .sources, .reading")) {
        if (element.closest(".clamped, .kicker")) continue;
        if (element.scrollWidth > element.clientWidth + 2 && element.clientWidth) found.push(`wider than its room: ${name(element)}`);
    }
    const stack = ["header", ".body", ".sources", ".meta", ".keys", "footer"];
    const parts = stack.map((each) => slide.querySelector(`:scope > ${each}`)).filter(Boolean);
    for (let place = 1; place < parts.length; place++) {
        const [above, below] = [parts[place - 1], parts[place]].map((each) => each.getBoundingClientRect());
        if (above.bottom > below.top + 1) found.push(`${name(parts[place - 1])} lies over ${name(parts[place])}`);
    }
    const seen = (text) => text.textContent.trim() && getComputedStyle(text).opacity > 0; // Vega hides labels that would touch
    const texts = [...slide.querySelectorAll(".picture svg text")].filter(seen);
    const boxes = texts.map((text) => text.getBoundingClientRect());
    for (let one = 0; one < boxes.length; one++) {
        for (let other = one + 1; other < boxes.length; other++) {
            const [a, b] = [boxes[one], boxes[other]];
            const over = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
            const share = (over[0] * over[1]) / Math.min(a.width * a.height, b.width * b.height);
            if (over[0] > 0 && over[1] > 0 && share > 0.2) found.push(`${texts[one].textContent} over ${texts[other].textContent}`);
        }
    }
    return found;
}"""

# Sizes of type in pixels of a slide of 1280 by 720: of its text by part, and the least in its charts.
TYPE = """() => {
    const slide = document.querySelector(".slides section.present .page");
    const size = (each) => parseFloat(getComputedStyle(each).fontSize);
    const least = (selector) => Math.min(...[...slide.querySelectorAll(selector)].map(size));
    const drawn = [...slide.querySelectorAll(".picture svg")].flatMap((svg) => {
        const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
        const scale = Math.min(svg.clientWidth / width, svg.clientHeight / height);
        return [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim()).map((text) => parseFloat(text.style.fontSize || getComputedStyle(text).fontSize) * scale);
    });
    return { kind: slide.className, headline: least(".headline"), said: least(".said:not([hidden]) > li, .finding"), table: least("td"), drawn: Math.min(...drawn) };
}"""  # noqa: E501


@pytest.fixture(scope="module")
def decks(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("decks")


@pytest.fixture
def problems() -> list[str]:
    """What the page's console, its scripts and its dialogs complained of."""
    return []


@pytest.fixture
def page(chromium, outside_requests, problems) -> Iterator[Page]:
    """A fresh page of the size of a slide; afterwards nothing outside was asked for, and nothing complained."""
    context = servers.enclosed(chromium, outside_requests, width=1280, height=720)
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("dialog", lambda dialog: (problems.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    yield page
    context.close()
    assert outside_requests == []
    assert problems == []


def opened(page: Page, folder: Path, told: talk.Story, theme: str = "light", query: str = "") -> Page:
    path = folder / f"{abs(hash((told.title, told.audience, told.minutes, theme)))}.html"
    if not path.exists():
        path.write_text(html_deck.html(told, theme), encoding="utf-8")
    page.goto(f"{path.as_uri()}{query}")
    page.wait_for_selector(READY)
    return page


def total(page: Page) -> int:
    return page.evaluate("() => Reveal.getTotalSlides()")


def walked(page: Page) -> Iterator[int]:
    """Each slide in turn, gone to with the key of a presenter's remote."""
    for number in range(total(page)):
        assert page.evaluate("() => Reveal.getIndices().h") == number
        assert page.locator(NOW + ".headline").is_visible()
        yield number
        page.keyboard.press("PageDown")
    assert page.evaluate("() => Reveal.isLastSlide()")


def check_slides(page: Page, problems: list[str]) -> None:
    """Everything on each slide fits, and its charts are drawn and large enough to read."""
    pictures = 0
    for _ in walked(page):
        headline = page.locator(NOW + ".headline").text_content()
        assert page.evaluate(MISFITS) == [], headline
        for picture in page.locator(NOW + ".picture").all():
            pictures += 1
            assert picture.locator("svg").count() == 1, headline
            assert picture.locator("path, text").count() > 5, headline
    assert pictures == page.evaluate("() => document.querySelectorAll('.slides .picture').length") > 0
    assert problems == []


def line_paths(page: Page) -> list[str]:
    return page.locator(NOW + ".picture svg g.mark-line > path").evaluate_all("nodes => nodes.map((node) => node.getAttribute('d'))")


def go_to_live(page: Page) -> None:
    place = page.evaluate("() => Reveal.getSlides().findIndex((slide) => slide.querySelector('.live'))")
    for _ in range(place):
        page.keyboard.press("ArrowRight")
    assert page.locator(NOW + ".live").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_slide_fits_and_each_chart_is_drawn(page, decks, story, theme, problems):  # noqa: F811
    check_slides(opened(page, decks, story, theme), problems)


def test_a_table_beside_a_chart_follows_on_the_next_slide(page, decks, story, problems):  # noqa: F811
    table = next(one.table for one in story.pages if one.table)
    pages = tuple(replace(one, table=table) if one.key == "demand" else one for one in story.pages)
    opened(page, decks, replace(story, title="Both", pages=pages))
    both = page.locator("section[data-key=demand]")
    assert [both.nth(place).locator("tbody tr").count() for place in range(both.count())] == [0, len(table.rows)]
    assert both.nth(0).locator(".picture svg").count() == 1
    assert both.nth(1).locator(".part").text_content() == " · 2 of 2"
    check_slides(page, problems)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_with_markup_and_right_to_left_letters_fits_and_does_nothing(page, decks, hostile_story, theme, problems):  # noqa: F811
    opened(page, decks, hostile_story, theme)
    assert page.locator("script").count() == 5
    check_slides(page, problems)
    assert page.locator("section[data-key=question] .headline").first.text_content() == hostile_story.title


@pytest.mark.parametrize("title", ["A", "Less pain " * 12, "Wide WORDS of MANY MMMM " * 9, "W" * 500, "a fairly long word here " * 21])
def test_a_title_of_any_length_fits(page, decks, story, title, problems):  # noqa: F811
    title = title.strip()[:500]
    longer = replace(story, title=title, pages=tuple(replace(one, title=title) for one in story.pages))
    check_slides(opened(page, decks, longer), problems)


def test_sentences_and_tables_of_any_length_go_on_on_a_next_slide_or_are_cut_openly(page, decks, story, problems):  # noqa: F811
    long = "This sentence goes on and on, with one thing after another, and does not come to its end. " * 120
    pages = []
    for one in story.pages:
        said = tuple(replace(each, text=long[:700]) for each in one.said) + tuple(replace(each, text=long) for each in one.said[:1])
        table = one.table and replace(one.table, rows=tuple(tuple(cell * 60 for cell in row) for row in one.table.rows[:4]))
        pages.append(replace(one, said=said, table=table))
    opened(page, decks, replace(story, title="Long sentences", pages=tuple(pages)))
    assert total(page) > len(pages)
    check_slides(page, problems)
    cut = page.locator(".page li.clamped").first
    assert cut.get_attribute("title") == long


def test_type_is_large_enough_for_a_room(page, decks, story):  # noqa: F811
    opened(page, decks, story)
    for _ in walked(page):
        sizes = page.evaluate(TYPE)
        small = "kind-appendix" in sizes["kind"]
        assert sizes["headline"] >= 24
        assert sizes["said"] is None or sizes["said"] >= (16 if small else 24), sizes
        assert sizes["table"] is None or sizes["table"] >= (16 if small else 22), sizes
        assert sizes["drawn"] is None or sizes["drawn"] >= 17.5, sizes


def test_a_lever_moved_by_keyboard_changes_numbers_headline_and_chart_and_goes_back(page, decks, story):  # noqa: F811
    opened(page, decks, story)
    go_to_live(page)
    grid = next(one.live for one in story.pages if one.live)
    finding, back = page.locator(NOW + ".finding"), page.locator(NOW + ".back")
    assert finding.text_content() == grid.headlines[grid.at]
    assert back.is_disabled()
    before, readings = line_paths(page), page.locator(NOW + ".reading").all_text_contents()
    assert len(before) == 6
    slider = page.locator(NOW + "input[type=range]").first
    for _ in range(12):
        page.keyboard.press("Tab")
        if slider.evaluate("node => node === document.activeElement"):
            break
    picture = page.locator(NOW + ".picture")
    drawn = int(picture.get_attribute("data-drawn"))
    page.keyboard.press("Home")
    page.wait_for_selector(f'{NOW}.picture:not([data-drawn="{drawn}"])')
    assert finding.text_content() == grid.headlines[grid.place(0, 2)]
    assert slider.get_attribute("aria-valuetext") == "at once"
    assert page.locator(NOW + ".reading").all_text_contents() != readings
    after = line_paths(page)
    assert len(after) == 6
    moved = [one != other for one, other in zip(before, after, strict=True)]
    assert moved == [False, True] * 3  # the baseline stays where it is, beside whatever is chosen
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    page.wait_for_selector(f'{NOW}.picture[data-drawn="{drawn + 2}"]')
    assert line_paths(page) == before
    assert finding.text_content() == grid.headlines[grid.at]


def test_readings_are_the_grids_last_differences_and_say_when_they_are_unclear(page, decks, story):  # noqa: F811
    opened(page, decks, story)
    go_to_live(page)
    page.locator(NOW + "input[type=range]").first.focus()
    page.keyboard.press("Home")
    page.locator(NOW + "input[type=range]").nth(1).focus()
    page.keyboard.press("Home")
    texts = page.locator(NOW + ".reading").all_text_contents()  # combination 0 has no difference, with a band of 1 about it
    assert [re.sub(r"^.*week 8", "", one) for one in texts] == ["0−1 to +1: unclear", "0−1.0 to +1.0: unclear", "0−1 to +1: unclear"]
    page.keyboard.press("End")
    page.locator(NOW + "input[type=range]").first.focus()
    page.keyboard.press("End")
    texts = page.locator(NOW + ".reading").all_text_contents()  # combination 8: -8 * 8 / 10
    assert [re.sub(r"^.*week 8", "", one) for one in texts] == ["−6−7 to −5", "−6.4−7.4 to −5.4", "−6−7 to −5"]


def test_two_values_are_chosen_with_buttons_and_the_remote_turns_slides_from_a_lever(page, decks, story):  # noqa: F811
    live = next(one for one in story.pages if one.live)
    first, second = live.live.levers
    levers = (replace(first, values=first.values[:2], levels=first.levels[:2]), second)
    grid = replace(live.live, levers=levers, headlines=live.live.headlines[:6])
    pages = tuple(replace(one, live=grid) if one.live else one for one in story.pages)
    opened(page, decks, replace(story, title="Two values", pages=pages))
    go_to_live(page)
    page.locator(NOW + "input[type=radio]:checked").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(NOW + ".finding").text_content() == grid.headlines[grid.place(0, 2)]
    at = page.evaluate("() => Reveal.getIndices().h")
    page.keyboard.press("PageDown")
    assert page.evaluate("() => Reveal.getIndices().h") == at + 1
    page.keyboard.press("PageUp")
    assert page.evaluate("() => Reveal.getIndices().h") == at


def test_the_speakers_view_opens_without_a_network_and_follows(page, decks, story, problems):  # noqa: F811
    opened(page, decks, story)
    page.keyboard.press("ArrowRight")
    with page.expect_popup() as opening:
        page.keyboard.press("s")
    view = opening.value
    view.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    view.wait_for_selector(".words p")
    assert view.locator(".words").inner_text() == story.pages[1].notes
    assert view.locator(".bar .place").text_content() == f"Slide 2 of {total(page)}"
    assert view.locator(".now .headline").text_content() == story.pages[1].title
    assert view.locator(".next svg").count() == 1
    assert [one.trace for one in story.pages[1].said] == view.locator(".from dd").all_text_contents()[:2]
    view.keyboard.press("ArrowRight")
    assert page.evaluate("() => Reveal.getIndices().h") == 2
    assert view.locator(".now svg").count() == 1
    page.bring_to_front()
    page.keyboard.press("End")
    assert view.locator(".next").inner_text() == "The end."
    assert re.fullmatch(r"\d\d:\d\d", view.locator(".time").text_content())


def test_where_no_window_may_open_notes_stand_below_the_slide(page, decks, story):  # noqa: F811
    page.add_init_script("window.open = () => null")
    opened(page, decks, story)
    page.keyboard.press("s")
    assert page.locator(".notes-below").inner_text() == story.pages[0].notes
    page.keyboard.press("s")
    assert page.locator(".notes-below").count() == 0


def test_overview_help_traces_and_theme_have_keys(page, decks, story):  # noqa: F811
    opened(page, decks, story)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert page.evaluate("() => Reveal.isOverview()")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    assert not page.evaluate("() => Reveal.isOverview()")
    assert page.evaluate("() => Reveal.getIndices().h") == 2
    page.keyboard.press("w")
    assert page.locator("dialog dd").first.inner_text() == "text"
    assert "run:mme_per_1000/week 8/scenario" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    page.keyboard.press("Shift+?")
    assert "Speaker’s view" in page.locator(".r-overlay").inner_text()
    page.keyboard.press("Escape")
    light = page.locator(NOW + ".picture svg text").first.evaluate("node => getComputedStyle(node).fill")
    page.keyboard.press("t")
    page.wait_for_selector(NOW + ".picture[data-theme=dark]")
    assert page.locator(NOW + ".picture svg text").first.evaluate("node => getComputedStyle(node).fill") != light


@pytest.mark.parametrize("query", ["?print-pdf", ""])
def test_it_prints_a_slide_a_page_from_the_print_view_and_from_the_menu(page, decks, story, query):  # noqa: F811
    opened(page, decks, story, "dark" if query else "light", query)
    slides = page.evaluate("() => Reveal.getSlides().length")
    assert page.locator(".slides .picture").count() == page.locator(".slides .picture svg").count() > 0
    assert page.locator("html").get_attribute("data-theme") == "light"
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == slides
    assert set(re.findall(rb"/MediaBox\s*\[0 0 (\d+)\S* (\d+)", pdf)) == {(b"960", b"540")}  # points: 1280 by 720 pixels


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_slide(page, decks, story, theme):  # noqa: F811
    opened(page, decks, story, theme)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = set()
    for number in walked(page):
        for one in page.evaluate("() => axe.run()")["violations"]:
            if one["impact"] in ("serious", "critical"):
                found |= {f"slide {number + 1}: {one['id']}: {node['html'][:200]}: {node['failureSummary']}" for node in one["nodes"]}
    assert not found, "\n".join(sorted(found))


def test_without_javascript_the_page_says_so(chromium, decks, story):  # noqa: F811
    path = decks / "without.html"
    path.write_text(html_deck.html(story), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator(".without").is_visible()
    context.close()


@pytest.mark.parametrize(("place", "name"), list(enumerate(scenarios()["name"])))
def test_a_deck_of_each_scenario_that_ships_fits_on_its_slides(page, decks, place, name, problems):
    told = talk.tell(name, audience=AUDIENCES[place % 3], minutes=(40, 15, 5)[place % 3], patients=20, draws=2, weeks=13)
    page = opened(page, decks, told, ("light", "dark")[place % 2])
    assert len(html_deck.html(told).encode()) < 5_000_000
    check_slides(page, problems)
