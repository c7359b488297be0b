"""A deck is one file that asks for nothing outside, holds everything a talk says with markup escaped, and gives its scenario back."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from painlab.errors import InputError
from painlab.scenario import Scenario
from painlab.talk import embedding, html_deck

VOID = {"meta", "input", "br", "link", "img"}


class Page(HTMLParser):
    """The elements of a page with their attributes and texts, as a browser takes them apart."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[dict] = []
        self.open: list[dict] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        element = {"tag": tag, "text": "", **dict(attributes)}
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag):
        assert self.open[-1]["tag"] == tag, (tag, self.open[-1])
        self.open.pop()

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def all(self, tag, **attributes):
        names = {"class" if name == "class_" else name: value for name, value in attributes.items()}
        return [one for one in self.elements if one["tag"] == tag and all(one.get(name) == value for name, value in names.items())]


@pytest.fixture(scope="module")
def text(story):
    return html_deck.html(story)


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


@pytest.fixture(scope="module")
def hostile(hostile_story):
    return Page(html_deck.html(hostile_story))


def figures(page: Page) -> list[dict]:
    return json.loads(page.all("script", id="painlab-figures")[0]["text"])


def test_a_deck_is_one_file_under_five_megabytes_and_the_same_each_time(story, text):
    assert len(text.encode()) < 5_000_000
    assert html_deck.html(story) == text


def test_nothing_in_a_deck_has_an_address_to_fetch_from(page):
    for one in page.elements:
        assert not {"src", "href", "srcset", "data-src", "action", "poster"} & set(one) - {"tag", "text"}, one
    styles = "".join(one["text"] for one in page.all("style"))
    assert not re.search(r"@import|url\(\s*[\"']?(?!data:)", styles)


def test_the_policy_lets_only_the_decks_own_scripts_run_and_no_address_be_asked(page):
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["connect-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["img-src"] == "data:"
    scripts = [one["text"] for one in page.all("script") if one.get("type") != "application/json"]
    sums = [f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in scripts]
    assert rules["script-src"].split() == sums
    assert len(sums) == 3


def test_no_element_carries_code_of_its_own(page, hostile):
    for deck in (page, hostile):
        assert not [one for one in deck.elements if any(name.startswith("on") for name in one)]


def test_text_with_markup_stays_text(page, hostile, hostile_story):
    def count(deck):
        return {tag: len(deck.all(tag)) for tag in ("script", "style", "section", "h1", "h2", "li", "td", "dialog")}

    assert count(hostile) == count(page)
    assert not hostile.open
    assert hostile.all("title")[0]["text"] == hostile_story.title
    assert hostile.all("h1")[0]["text"] == hostile_story.title
    assert hostile.all("li")[1]["text"] == hostile_story.pages[1].said[0].text
    assert hostile_story.pages[1].said[0].text in [one["text"] for one in hostile.all("td")]


@settings(max_examples=20, deadline=None)
@given(title=st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=200))
def test_a_title_of_any_letters_is_shown_as_it_is(story, title):
    deck = Page(html_deck.html(replace(story, title=title, pages=(replace(story.pages[0], title=title),))))
    assert deck.all("h1")[0]["text"] == deck.all("title")[0]["text"] == title


def test_half_a_letter_and_control_characters_do_not_break_the_file(story):
    deck = html_deck.html(replace(story, pages=(replace(story.pages[0], title="a\ud800b\x00c\x1bd"),)))
    assert Page(deck).all("h1")[0]["text"] == "a?b\ufffdc\ufffdd"
    deck.encode("utf-8")


def test_every_sentence_is_in_the_deck_with_where_it_comes_from(story, page):
    said = [one for each in story.pages for one in each.said]
    assert [(one["text"], one["data-trace"]) for one in page.all("li")] == [(one.text, one.trace) for one in said]


def test_every_slide_has_its_title_its_notes_and_how_it_was_made(story, page):
    headlines = [one["text"] for one in page.elements if one["tag"] in ("h1", "h2") and one.get("class") == "headline"]
    assert headlines == [each.title for each in story.pages]
    notes = [one["text"] for one in page.all("aside", class_="notes")]
    assert len(notes) == len(story.pages)
    assert all(note.startswith("Say this.") for note in notes)
    live = next(each for each in story.pages if each.live)
    assert all(one.text in notes[story.pages.index(live)] for one in live.said)
    made = [one["text"] for one in page.all("span", class_="made")]
    assert len(made) == len(story.pages)
    assert made[0] == f"PainLab 0.0; early-pt; code {story.scenarios[0].code()}; seed 1; evidence of 2026-11-27"
    assert made[4] == story.pages[4].figure.caption


def test_every_chart_has_a_description(story, page):
    pictures = page.all("div", class_="picture")
    assert [one["aria-label"] for one in pictures] == [each.figure.alt for each in story.pages if each.figure]
    assert all(one["role"] == "img" for one in pictures)


def test_the_dark_chart_is_kept_as_what_it_has_otherwise(story, page):
    kept = figures(page)
    drawn = [each for each in story.pages if each.figure]
    assert len(kept) == len(drawn)
    for one, each in zip(kept, drawn, strict=True):
        if each.live is None:
            assert one["spec"] == each.figure.spec
            assert {**one["spec"], **one["dark"]} == each.figure.dark_spec
            assert "data" not in one["dark"]


def test_the_grid_of_the_levers_is_whole(story, page):
    grid = next(each.live for each in story.pages if each.live)
    (kept,) = [one["grid"] for one in figures(page) if "grid" in one]
    assert tuple(kept["headlines"]) == grid.headlines
    assert [lever["at"] for lever in kept["levers"]] == [lever.at for lever in grid.levers]
    for one, series in zip(kept["outcomes"], grid.outcomes, strict=True):
        for arm in ("baseline", "scenario", "difference", "low", "high"):
            rows = one[arm]
            for place in range(grid.combinations):
                assert tuple(rows[place] if place < len(rows) else rows[0]) == getattr(series, arm)[place], (one["name"], arm, place)
    assert len(kept["outcomes"][0]["baseline"]) == 1  # the same in every combination


def test_a_lever_of_two_values_is_a_choice_and_one_of_more_a_slider(story):
    live = next(each for each in story.pages if each.live)
    two, three = live.live.levers
    grid = replace(live.live, levers=(replace(two, values=two.values[:2], levels=two.levels[:2]), three), headlines=live.live.headlines[:6])
    deck = Page(html_deck.html(replace(story, pages=(replace(live, live=grid),))))
    radios, sliders = deck.all("input", type="radio"), deck.all("input", type="range")
    assert [one["value"] for one in radios] == ["0", "1"]
    assert ["checked" in one for one in radios] == [False, True]
    assert len({one["name"] for one in radios}) == 1
    assert [(one["min"], one["max"], one["value"], one["aria-valuetext"]) for one in sliders] == [("0", "2", "2", "many")]


def test_the_theme_asked_for_is_the_one_it_opens_with_and_another_is_refused(story):
    assert 'data-theme="dark"' in html_deck.html(story, "dark")[:200]
    with pytest.raises(InputError, match=r"pink.*light, dark"):
        html_deck.html(story, "pink")


def test_a_deck_gives_back_its_scenario_and_how_it_was_run(story, text, tmp_path):
    path = tmp_path / "deck.html"
    path.write_text(text, encoding="utf-8")
    record = html_deck.read_html(path)
    assert record["provenance"] == story.provenance
    assert [Scenario.from_dict(one) for one in record["scenarios"]] == list(story.scenarios)


def test_a_hostile_title_survives_the_way_through_the_file(hostile_story, tmp_path):
    path = tmp_path / "deck.html"
    path.write_text(html_deck.html(hostile_story), encoding="utf-8")
    assert html_deck.read_html(str(path))["provenance"]["title"] == hostile_story.title


def test_a_deck_that_a_browser_saved_anew_is_still_read(text, story, tmp_path):
    path = tmp_path / "deck.html"
    path.write_text(
        text.replace('<script type="application/json" id="painlab-talk">', "<script id='painlab-talk' type='application/json'>")
    )
    assert html_deck.read_html(path)["provenance"] == story.provenance


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<html><body>Something else</body></html>", "holds no talk of PainLab"),
        (b"\xff\xfe<html>", "not text in UTF-8"),
        (b'<script id="painlab-talk">{"format": </script>', "damaged"),
        (b'<script id="painlab-talk">' + b"[" * 100_000 + b"</script>", "damaged"),
        (b'<script id="painlab-talk">{"format": "other"}</script>', "does not hold a talk"),
        (b'<script id="painlab-talk">{"format": "painlab-talk", "version": 99}</script>', "newer version"),
        (b'<script id="painlab-talk">{"format": "painlab-talk", "version": 1, "provenance": {}}</script>', "which scenario"),
    ],
)
def test_what_is_no_deck_is_said_plainly(content, problem, tmp_path):
    path = tmp_path / "other.html"
    path.write_bytes(content)
    with pytest.raises(InputError, match=problem) as error:
        html_deck.read_html(path)
    assert "other.html" in str(error.value)


def test_a_missing_file_a_folder_and_a_huge_file_are_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError, match="No such file"):
        html_deck.read_html(tmp_path / "none.html")
    with pytest.raises(InputError, match="folder"):
        html_deck.read_html(tmp_path)
    path = tmp_path / "huge.html"
    path.write_text("x" * 101)
    monkeypatch.setattr(html_deck, "MOST_BYTES", 100)
    with pytest.raises(InputError, match="too large"):
        html_deck.read_html(path)


def test_json_in_a_page_holds_no_sign_that_would_end_its_element():
    value = {"a": "</script><!-- & \u2028 \u2029 é 😀 \ud800"}
    text = embedding.json_text(value)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text)["a"] == value["a"].replace("\ud800", "?")


def test_a_deck_carries_the_licenses_of_what_it_holds(text):
    (notice,) = re.findall(r"<!--(.*?)-->", text[:10_000], re.DOTALL)
    assert "Redistributions in binary form must reproduce" in notice
    assert "Hakim El Hattab" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_the_presentation_library_is_the_release_it_says_and_ships_with_its_license():
    folder = files("painlab") / "talk" / "assets" / "reveal"
    release = (folder / "VERSION").read_text(encoding="utf-8").split()[1]
    assert f"`{release}`" in (folder / "reveal.js").read_text(encoding="utf-8")
    assert "Permission is hereby granted, free of charge" in (folder / "LICENSE").read_text(encoding="utf-8")
