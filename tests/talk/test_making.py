"""A talk as a file: what becomes of each wish, what is refused before anything is run, and that a deck gives its own numbers again."""

import json
from pathlib import Path

import pytest

import painlab
from painlab import InputError, Scenario
from painlab.engine.execution import Cancelled
from painlab.scenario import shipped
from painlab.talk import making, reopening
from painlab.talk.making import ENDINGS, slides

SMALL = {"minutes": 5, "patients": 30, "draws": 2}


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("decks")
    wish = {**SMALL, "seed": 3, "title": "Early therapy"}
    return {ending: slides(["early-pt", "opioids-alone"], folder / f"deck.{ending}", **wish) for ending in ENDINGS}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_ending_decides_what_the_file_becomes(decks: dict[str, Path], ending: str) -> None:
    begins = {"html": b"<!DOCTYPE html>", "pptx": b"PK\x03\x04", "pdf": b"%PDF-"}
    assert decks[ending].read_bytes().startswith(begins[ending])
    assert not list(decks[ending].parent.glob(".unfinished-*"))
    assert 10_000 < decks[ending].stat().st_size < 5_000_000


@pytest.mark.parametrize("name", [one.name for one in shipped()])
@pytest.mark.parametrize("ending", ["html", "pptx"])
def test_a_deck_of_each_scenario_that_ships_holds_that_scenario(tmp_path: Path, name: str, ending: str) -> None:
    deck = slides(name, tmp_path / f"deck.{ending}", **SMALL)
    [run] = reopening.runs_in(deck)
    assert run.scenario == Scenario.load(name)
    assert (run.setting.patients, run.setting.draws, run.setting.seed, run.setting.parameters) == (30, 2, 1, "posterior")
    assert run.changed == ()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_deck_opened_again_gives_the_numbers_it_was_made_of(decks: dict[str, Path], ending: str) -> None:
    again = reopening.projected(decks[ending])
    assert [one.scenario.name for one in again] == ["early-pt", "opioids-alone"]
    for one in again:
        assert one.weekly.equals(painlab.simulate(one.scenario, patients=30, draws=2, seed=3).weekly)


@pytest.mark.parametrize("ending", ENDINGS)
def test_weeks_cut_links_and_prior_of_a_run_come_back(tmp_path: Path, ending: str) -> None:
    run = painlab.simulate("late-pt", patients=30, draws=2, seed=9, weeks=13, cut=["weakness_to_pain"], parameters="prior")
    deck = slides(run, tmp_path / f"deck.{ending}", minutes=5)
    assert reopening.runs_in(deck)[0].setting == reopening.Setting(30, 2, 9, 13, ("weakness_to_pain",), "prior")
    assert reopening.projected(deck)[0].weekly.equals(run.weekly)


def test_a_deck_can_be_told_again_in_another_form(decks: dict[str, Path], tmp_path: Path) -> None:
    other = slides(str(decks["html"]), tmp_path / "other.pptx", minutes=5)
    assert [one[:2] for one in reopening.runs_in(other)] == [one[:2] for one in reopening.runs_in(decks["html"])]


def test_the_bytes_of_a_run_are_those_of_its_talk(tmp_path: Path) -> None:
    run = painlab.simulate("early-pt", patients=30, draws=2, weeks=8)
    told: list[tuple[int, int]] = []
    made = making.of_run(run, "html", minutes=5, progress=lambda done, total: told.append((done, total)))
    assert b'id="painlab-talk"' in made and told and told == sorted(told)


def test_progress_rises_to_its_end(tmp_path: Path) -> None:
    told: list[int] = []
    slides("early-pt", tmp_path / "deck.html", progress=lambda done, total: told.append(done), **SMALL)
    assert told == sorted(told) and told[-1] == 1000


# What is refused, and when


WRONG = {
    "no ending": ("deck", {}, "has no ending", ".html, .pptx, .pdf"),
    "an unknown ending": ("deck.docx", {}, 'cannot be written as ".docx"', ".html, .pptx, .pdf"),
    "no folder": ("nowhere/deck.html", {}, "folder to write into is not there", "a folder that exists"),
    "a folder": ("", {}, "has no ending", ".html"),
    "an unknown audience": ("deck.html", {"audience": "clinician"}, 'did you mean "clinicians"', "public"),
    "an unknown length": ("deck.html", {"minutes": 10}, "minutes is 10", "5, 15, 40"),
    "an unknown theme": ("deck.html", {"theme": "drak"}, 'did you mean "dark"', "light or dark"),
    "no title": ("deck.html", {"title": " "}, "the title cannot be shown", "1 to 500"),
    "too long a title": ("deck.html", {"title": "a" * 501}, "501 characters", "1 to 500"),
    "a title with a bell": ("deck.html", {"title": "a\a"}, "cannot be shown", "printed"),
    "a missing template": ("deck.pptx", {"template": "house.pptx"}, "the template cannot be read", "template"),
    "a template for a page": ("deck.html", {"template": "house.pptx"}, ".html takes none", ".pptx"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_made_is_refused_before_anything_is_run(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, wish, problem, expected = WRONG[case]
    monkeypatch.setattr(making, "tell", lambda *_, **__: pytest.fail("the talk was begun"))
    with pytest.raises(InputError) as caught:
        slides("early-pt", tmp_path / name, **wish)
    assert problem in str(caught.value) and expected in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("erly-pt", "did you mean"),
        (["early-pt"] * 5, "5 scenarios are given"),
        ([], "0 scenarios are given"),
        ("nowhere.toml", "no such file"),
        ("nowhere.html", "cannot be read"),
        ("PL1-nonsense", "damaged"),
    ],
)
def test_a_scenario_that_cannot_be_used_is_named_and_leaves_no_file(what: str | list[str], problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=problem):
        slides(what, tmp_path / "deck.html", **SMALL)
    assert list(tmp_path.iterdir()) == []


def test_a_template_that_is_no_presentation_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "tell", lambda *_, **__: pytest.fail("the talk was begun"))
    (tmp_path / "house.pptx").write_text("no presentation")
    with pytest.raises(InputError, match="the template cannot be read"):
        slides("early-pt", tmp_path / "deck.pptx", template=tmp_path / "house.pptx")


def test_a_file_that_is_there_stays_unless_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deck = tmp_path / "deck.html"
    deck.write_text("mine")
    with monkeypatch.context() as patched, pytest.raises(InputError, match="there already"):
        patched.setattr(making, "tell", lambda *_, **__: pytest.fail("the talk was begun"))
        slides("early-pt", deck)
    assert deck.read_text() == "mine"
    slides("early-pt", deck, force=True, **SMALL)
    first = deck.read_bytes()
    slides("early-pt", deck, force=True, **SMALL)
    assert deck.read_bytes() == first


def test_a_disk_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deck = tmp_path / "deck.html"
    deck.write_text("mine")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        making.write(b"new", deck)
    assert deck.read_text() == "mine" and [path.name for path in tmp_path.iterdir()] == ["deck.html"]


def test_a_talk_that_is_cancelled_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        slides("early-pt", tmp_path / "deck.html", cancelled=lambda: True, **SMALL)
    assert list(tmp_path.iterdir()) == []


# Decks that were damaged


def with_record(path: Path, change) -> Path:
    """A deck whose record is changed."""
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition('id="painlab-talk">')
    record, _, after = rest.partition("</script>")
    held = json.loads(record)
    change(held)
    path.write_text(before + 'id="painlab-talk">' + json.dumps(held) + "</script>" + after, encoding="utf-8")
    return path


DAMAGED = {
    "no runs": (lambda held: held["provenance"].pop("runs"), "of its runs is damaged"),
    "a run too few": (lambda held: held["provenance"]["runs"].pop(), "of its runs is damaged"),
    "no seed": (lambda held: held["provenance"]["runs"][0].pop("seed"), "run 1: what the talk says of its run is damaged"),
    "a run that is a text": (lambda held: held["provenance"]["runs"].__setitem__(0, "x"), "run is damaged"),
    "values of one's own": (lambda held: held["provenance"]["runs"][0].update(parameters_kind="other"), "its maker's own"),
    "a scenario of another kind": (lambda held: held["scenarios"][0].update(weeks="many"), "scenario 1"),
    "a newer version": (lambda held: held.update(version=99), "newer version"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_record_is_named(decks: dict[str, Path], tmp_path: Path, case: str) -> None:
    change, problem = DAMAGED[case]
    copy = tmp_path / "copy.html"
    copy.write_bytes(decks["html"].read_bytes())
    with pytest.raises(InputError, match=problem) as caught:
        reopening.runs_in(with_record(copy, change))
    assert "copy.html" in str(caught.value)


def test_what_has_changed_since_is_said(decks: dict[str, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy.html"
    copy.write_bytes(decks["html"].read_bytes())
    run = reopening.runs_in(with_record(copy, lambda held: held["provenance"].update(painlab="0.0.1", evidence_sha256="0")))[0]
    assert "not 0.0.1" in run.changed[0] and run.changed[1] == "the evidence table is another"
