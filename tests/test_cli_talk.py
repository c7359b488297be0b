"""The terminal's talks: slides, figures, and a deck that is projected again, with everything that can be wrong in one paragraph."""

from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

import painlab
from painlab.cli import main

OPTIONS = ("--patients", "30", "--draws", "2", "--seed", "4")


def said(*words: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "110"}).invoke(main, [str(word) for word in words])


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("talks")
    for ending in ("html", "pptx", "pdf"):
        ended = said("slides", "early-pt", "late-pt", "-o", made / f"deck.{ending}", "--minutes", "5", *OPTIONS)
        assert ended.exit_code == 0, ended.output
        assert f"Written to {made / f'deck.{ending}'}" in plain(ended.stdout)
    return made


@pytest.mark.parametrize("ending", ["html", "pptx", "pdf"])
def test_a_deck_is_projected_to_the_numbers_that_it_shows(folder: Path, tmp_path: Path, ending: str) -> None:
    deck = folder / f"deck.{ending}"
    ended = said("project", deck, "--out", tmp_path / "first")
    assert ended.exit_code == 0, ended.output
    assert "the deck has 2 runs; this is the first, early-pt (--run 2 is late-pt)" in plain(ended.stderr)
    assert "30 patients in each of 2 parameter draws, seed 4" in plain(ended.stdout)
    wanted = painlab.simulate("early-pt", patients=30, draws=2, seed=4)
    assert pl.read_parquet(tmp_path / "first" / "weekly.parquet").equals(wanted.weekly)
    ended = said("project", deck, "--run", "2", "--out", tmp_path / "second")
    assert ended.exit_code == 0 and "the deck has" not in ended.stderr
    wanted = painlab.simulate("late-pt", patients=30, draws=2, seed=4)
    assert pl.read_parquet(tmp_path / "second" / "weekly.parquet").equals(wanted.weekly)


def test_what_is_given_beside_a_deck_takes_the_place_of_its_setting(folder: Path, tmp_path: Path) -> None:
    ended = said(
        "project", folder / "deck.html", "--weeks", "9", "--seed", "5", "--cut", "weakness_to_pain", "--prior", "--out", tmp_path / "o"
    )
    assert ended.exit_code == 0, ended.output
    wanted = painlab.simulate("early-pt", patients=30, draws=2, seed=5, weeks=9, cut=["weakness_to_pain"], parameters="prior")
    assert pl.read_parquet(tmp_path / "o" / "weekly.parquet").equals(wanted.weekly)


def test_a_run_s_folder_and_a_sweep_become_talks(tmp_path: Path) -> None:
    assert said("project", "early-pt", "--weeks", "9", *OPTIONS, "--out", tmp_path / "run").exit_code == 0
    ended = said("slides", tmp_path / "run", "-o", tmp_path / "deck.html", "--minutes", "5")
    assert ended.exit_code == 0, ended.output
    ended = said("project", tmp_path / "deck.html", "--out", tmp_path / "again")
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "again" / "weekly.parquet").read_bytes() == (tmp_path / "run" / "weekly.parquet").read_bytes()


def test_a_second_run_asks_before_it_writes_over_the_first(tmp_path: Path) -> None:
    words = ("slides", "early-pt", "-o", tmp_path / "deck.html", "--minutes", "5", *OPTIONS)
    assert said(*words).exit_code == 0
    first = (tmp_path / "deck.html").read_bytes()
    again = said(*words)
    assert again.exit_code == 2 and "the file is there already" in plain(again.stderr) and "--force" in again.stderr
    assert said(*words, "--force").exit_code == 0
    assert (tmp_path / "deck.html").read_bytes() == first


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("slides",), "there is no scenario to talk about"),
        (("slides", "early-pt"), "it is not said where to write the talk"),
        (("slides", "erly-pt", "-o", "deck.html"), "did you mean"),
        (
            ("slides", "early-pt", "-o", "deck.key"),
            'written as ".key". Expected a name that ends in one of .html, .pptx, .pdf',
        ),
        (("slides", "early-pt", "-o", "nowhere/deck.html"), "the folder to write into is not there"),
        (("slides", "early-pt", "-o", "deck.pptx", "--template", "house.pptx"), "the template cannot be read"),
        (("slides", "early-pt", "-o", "deck.pdf", "--template", "house.pptx"), ".pdf takes none"),
        (("slides", "early-pt", "-o", "deck.html", "--minutes", "20"), "minutes is 20"),
        (("slides", "early-pt", "-o", "deck.html", "--audience", "experts"), "unknown audience"),
        (("slides", "early-pt", "-o", "deck.html", "--theme", "pink"), "there is no theme"),
        (("slides", "early-pt", "-o", "deck.html", "--title", ""), "the title cannot be shown"),
        (("slides", "early-pt", "-o", "deck.html", "--draws", "0"), "draws is 0"),
        (("slides", *["early-pt"] * 5, "-o", "deck.html"), "5 scenarios are given"),
        (("figure",), "it is not said: the figure"),
        (("figure", "demand", "early-pt"), "it is not said: where to write it"),
        (("figure", "demnad", "early-pt", "-o", "x.svg"), 'did you mean "demand"'),
        (("figure", "demand", "early-pt", "-o", "x.bmp"), ".svg"),
        (("figure", "demand", "early-pt", "-o", "x.svg", "--size", "huge"), 'unknown size "huge"'),
        (("figure", "demand", "early-pt", "-o", "x.svg", "--size", "5x9000"), "the size is 5 by 9000 mm"),
        (("figure", "demand", "early-pt", "-o", "nowhere/x.svg"), "folder"),
        (("project", "nowhere.html"), "the deck cannot be read"),
        (("project", "nowhere.pptx"), "the deck cannot be read"),
        (("project", "nowhere.pdf"), "the deck cannot be read"),
        (("project", "early-pt", "--run", "2"), "this is no deck"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_paragraph(
    words: tuple[str, ...], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = said(*words)
    assert ended.exit_code == 2, ended.output
    assert complaint in plain(ended.output) and "Traceback" not in ended.output
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_deck_of_painlab_is_said(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html><script>alert(1)</script></html>")
    (tmp_path / "page.pptx").write_text("no zip")
    for name, complaint in (("page.html", "holds no talk of PainLab"), ("page.pptx", "no presentation")):
        ended = said("project", tmp_path / name)
        assert ended.exit_code == 2 and complaint in plain(ended.stderr) and name in ended.stderr
    ended = said("project", folder / "deck.html", "--run", "3")
    assert ended.exit_code == 2 and "the deck has no run 3. Expected 1 to 2" in plain(ended.stderr)


@pytest.mark.parametrize(("name", "begins"), [("x.svg", b"<svg"), ("x.png", b"\x89PNG"), ("x.pdf", b"%PDF")])
def test_a_figure_is_written_at_a_journals_size(tmp_path: Path, name: str, begins: bytes) -> None:
    ended = said("figure", "demand", "early-pt", "-o", tmp_path / name, "--size", "120x80", *OPTIONS)
    assert ended.exit_code == 0, ended.output
    assert begins in (tmp_path / name).read_bytes()[:200]
    again = said("figure", "demand", "early-pt", "-o", tmp_path / name, *OPTIONS)
    assert again.exit_code == 2 and "there already" in plain(again.stderr)


def test_a_figure_of_a_deck_has_the_decks_numbers(folder: Path, tmp_path: Path) -> None:
    assert said("figure", "demand", folder / "deck.html", "-o", tmp_path / "a.svg").exit_code == 0
    assert said("figure", "demand", "early-pt", *OPTIONS, "-o", tmp_path / "b.svg").exit_code == 0
    assert (tmp_path / "a.svg").read_text() == (tmp_path / "b.svg").read_text()


def test_figures_are_listed() -> None:
    from painlab.talk.figures import FIGURES

    text = said("figure", "--list").stdout
    assert FIGURES and all(name in text for name in FIGURES)


@pytest.mark.parametrize("command", ["slides", "figure", "project"])
def test_help_has_examples_and_fits_a_terminal(command: str) -> None:
    ended = CliRunner(env={"COLUMNS": "80"}).invoke(main, [command, "--help"])
    assert f"painlab {command}" in ended.stdout.partition("Example")[2]
    assert max(map(len, ended.stdout.splitlines())) <= 80
