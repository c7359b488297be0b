"""The teaching kit is true of the lessons: it names those there are, links resolve, minutes add up, the table is the measured one."""

import json
import re
import sys
from pathlib import Path

import pytest

from painlab import evidence, lessons
from painlab.cli import main

ROOT = Path(__file__).parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks import hub  # noqa: E402

PAGES = sorted((ROOT / "docs" / "teaching").glob("*.md"))
NAMES = [page.stem for page in PAGES]
SESSIONS = {20: "session-20.md", 50: "session-50.md", 90: "session-90.md"}


def text_of(name: str) -> str:
    return (ROOT / "docs" / "teaching" / name).read_text(encoding="utf-8")


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, as they are made on GitHub."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_of_the_teaching_kit_resolve(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        assert "://" not in target
        other = page.parent / target if target else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other.read_text(encoding="utf-8")), anchor


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_only_lessons_that_exist_are_named_and_by_their_titles(page: Path) -> None:
    titles = {one.stem: one.title for one in lessons.shipped()}
    named = re.findall(r"\[(\d\d) ([^\]]*)\]\(\.\./\.\./notebooks/(\w+)\.ipynb\)", page.read_text(encoding="utf-8"))
    assert [stem for number, _, stem in named if stem not in titles or not stem.startswith(number)] == []
    numbers = re.findall(r"painlab lessons ((?:\d\d )+)", page.read_text(encoding="utf-8"))
    known = {stem.partition("_")[0] for stem in titles}
    assert {number for words in numbers for number in words.split()} <= known


def test_the_map_of_the_kit_has_every_lesson_once_and_in_order() -> None:
    rows = re.findall(r"^\| \[\d\d [^\]]*\]\(\.\./\.\./notebooks/(\w+)\.ipynb\).*\|$", text_of("README.md"), re.MULTILINE)
    assert rows == [one.stem for one in lessons.shipped()]


@pytest.mark.parametrize(("minutes", "name"), SESSIONS.items())
def test_the_minutes_of_a_session_add_up(minutes: int, name: str) -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", text_of(name), re.MULTILINE)
    assert sum(int(row[0]) for row in rows) == minutes
    assert all(row[1].strip() and row[2].strip() for row in rows)


def test_the_rounds_of_the_debriefing_fill_the_session_s_time() -> None:
    rounds = re.findall(r"^\*\*[^*]+\*\* \((\d+) minutes\)", text_of("role-play.md"), re.MULTILINE)
    planned = re.search(r"^\| (\d+) \| \*\*Debrief", text_of("session-90.md"), re.MULTILINE)
    assert planned and len(rounds) == 4 and sum(map(int, rounds)) == int(planned[1])


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_and_evidence_that_the_kit_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert {word for word in re.findall(r"painlab (\w+)[^\n]*?`", text) if word in text} <= {*main.commands, "0"}
    ids = set(evidence.estimates()["id"])
    assert set(re.findall(r"painlab evidence (T\d\d-\d\d\w?)", text)) <= ids
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"^ {4}make (\w+)|`make (\w+)`", text, re.MULTILINE)) <= {(one, "") for one in targets} | {
        ("", one) for one in targets
    }


def test_no_answer_stands_in_the_teaching_kit() -> None:
    whole = " ".join(" ".join(page.read_text(encoding="utf-8").split()) for page in PAGES)
    for outline in lessons.shipped():
        told = [part for one in outline.predictions for part in re.split(r"\{\w+\}", one.reveal)]
        told += [one.why for one in outline.exercises]
        told += [one.options[one.answer] for one in outline.exercises if one.answer is not None]
        assert [part for part in told if len(part.split()) > 4 and " ".join(part.split()) in whole] == []


def test_the_table_of_the_hub_is_the_measured_one() -> None:
    results = json.loads(hub.RESULTS.read_text(encoding="utf-8"))
    text = hub.PAGE.read_text(encoding="utf-8")
    assert hub.with_page(text, results) == text
    assert [(row["students"], row["cache"]) for row in results["rows"]][:2] == [(1, "cold"), (1, "warm")]
    assert results["notebook"] == hub.NOTEBOOK.name and hub.NOTEBOOK.exists()
    assert all(row["pss_mb"] <= row["rss_mb"] + 0.5 <= row["peak_mb"] + 1.0 for row in results["rows"])


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        hub.with_page("no marks", {})
