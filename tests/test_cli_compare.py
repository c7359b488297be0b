"""`painlab compare` and `painlab levers`: what is printed is what Python gives, and what cannot be compared is refused in a paragraph."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from polars.testing import assert_frame_equal

import painlab
from painlab import lever_paths
from painlab.cli import main

OPTIONS = ("--patients=40", "--draws=3", "--seed=4", "--weeks=8", "--prior")
RUN = {"patients": 40, "draws": 3, "seed": 4, "weeks": 8, "parameters": "prior"}
NAMES = ("early-pt", "opioids-alone", "injection-alone")


def said(*words: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "110"}).invoke(main, [str(word) for word in words])


def plain(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("compare") / "out"
    ended = said("compare", *NAMES, *OPTIONS, "--out", folder)
    assert ended.exit_code == 0, ended.output
    return folder, ended.stdout


def test_numbers_pictures_and_provenance_are_written(out: tuple[Path, str]) -> None:
    folder, text = out
    files = ["comparison.csv", "comparison.parquet", "comparison.png", "comparison.svg", "provenance.json"]
    assert sorted(path.name for path in folder.iterdir()) == files
    found = painlab.compare(NAMES, **RUN)
    assert_frame_equal(pl.read_parquet(folder / "comparison.parquet"), found.weekly, check_exact=True)
    assert json.loads((folder / "provenance.json").read_text()) == json.loads(json.dumps(found.provenance))
    assert all(f"{letter}: {name}" in (folder / "comparison.svg").read_text() for letter, name in zip("ABC", NAMES, strict=True))
    assert plain(text).endswith(f"Written to {folder}: comparison.csv, comparison.parquet, comparison.svg, comparison.png, provenance.json")


def test_the_tables_show_levels_and_paired_differences_and_the_words_differences(out: tuple[Path, str]) -> None:
    text = plain(out[1])
    found = painlab.compare(NAMES, **RUN)
    for sentence in found.sentences:
        assert sentence in text
    assert f"Unlike early-pt: {' '.join(found.contrasts['injection-alone'])}" in text
    row = found.averages.row(by_predicate=(pl.col("name") == "opioids-alone") & (pl.col("outcome") == "pain"), named=True)
    assert f"{row['scenario']:.2f}" in text and f"{row['from_first']:+.2f}" in text
    assert "other patients" in text and "difference from its own baseline" in text
    for label in ("Opioid demand", "Pain", "Function", "On opioids", "Cost of care"):
        assert label in text


def test_scenarios_that_share_no_patients_are_held_against_their_own_baselines(tmp_path: Path) -> None:
    ended = said("compare", "early-pt", "injection-alone", *OPTIONS)
    assert ended.exit_code == 0
    assert "difference from early-pt" not in plain(ended.stdout)
    assert "no difference between them is paired and none is taken" in plain(ended.stdout)


def test_json_has_all_and_nothing_else_is_printed() -> None:
    ended = said("compare", "early-pt", "late-pt", *OPTIONS, "--json")
    told = json.loads(ended.stdout)
    assert set(told) == {"headline", "sentences", "scenarios", "same_patients", "averages", "pairs", "run"}
    found = painlab.compare(["early-pt", "late-pt"], **RUN)
    assert told["sentences"] == list(found.sentences)
    assert painlab.Scenario.load(told["scenarios"][1]["code"]) == painlab.Scenario.load("late-pt")
    assert told["scenarios"][1]["unlike_the_first"] == ["Physical therapy is ordered in week 26 instead of 0."]
    assert len(told["pairs"]) == found.pairs.height and told["run"]["seed"] == 4


def test_files_and_codes_are_compared_as_names_are(tmp_path: Path) -> None:
    mine = painlab.Scenario.load("early-pt").change(name="mine", care={"coordination": 1.0})
    (tmp_path / "mine.toml").write_text(mine.to_toml())
    ended = said("compare", painlab.Scenario.load("early-pt").code(), tmp_path / "mine.toml", *OPTIONS)
    assert ended.exit_code == 0, ended.output
    assert "Unlike early-pt: Coordination is 1 instead of 0.2." in plain(ended.stdout)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("compare",), "there is no scenario to compare"),
        (("compare", "early-pt"), "Expected 2 to 8 scenarios"),
        (("compare", *["early-pt"] * 9), "there are 9 to compare"),
        (("compare", "early-pt", "late-tp"), 'did you mean "late-pt"'),
        (("compare", "early-pt", "PL1-nonsense"), "the scenario code is damaged"),
        (("compare", "early-pt", "late-pt", "--draws", "0"), "draws is 0"),
        (("compare", "early-pt", "late-pt", "--cut", "nothing"), "unknown link"),
        (("compare", "early-pt", "late-pt", "--force"), "--force is given, but nothing is written"),
        (("levers", "erly-pt"), "did you mean"),
        (("levers", "--find", "unicorn"), 'no lever has "unicorn"'),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_paragraph(words: tuple[str, ...], complaint: str) -> None:
    ended = said(*words)
    assert ended.exit_code == 2
    assert complaint in plain(ended.output) and "Traceback" not in ended.output


def test_a_folder_that_holds_files_is_refused_before_anything_is_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    monkeypatch.setattr("painlab.comparison.simulate_draws", lambda *_, **__: pytest.fail("simulated"))
    ended = said("compare", "early-pt", "late-pt", *OPTIONS, "--out", tmp_path)
    assert ended.exit_code == 2 and "the output folder is not empty" in plain(ended.stderr)


def test_levers_are_listed_with_unit_range_levels_and_the_scenarios_value() -> None:
    every = plain(said("levers", "early-pt").stdout)
    assert f"{sum(not key.startswith('assume.') for key in lever_paths.known())} levers." in every
    found = plain(said("levers", "early-pt", "--find", "readiness to start").stdout)
    assert "prescribing.opioid_start 1 0 to 2 x usual none = 0, half as ready = 0.5, usual = 1" in found
    assert "5.5 (the condition's)" in plain(said("levers", "early-pt", "--find", "Center of pain").stdout)
    assert "not ordered" in plain(said("levers", "early-pt", "--find", "pain_psychology.start_week").stdout)
    assert "value" not in plain(said("levers").stdout).partition("population")[0]


def test_the_models_parameters_are_levers_too() -> None:
    text = plain(said("levers", "--model", "--find", "weakness_pain").stdout)
    record = painlab.levers(keys=["assume.weakness_pain"]).row(0, named=True)
    assert f"assume.weakness_pain {record['low']:g} to {record['high']:g} pain points" in text
    rows = json.loads(said("levers", "early-pt", "--model", "--json").stdout)
    assert all(row["lever"].startswith("assume.") and row["source"] for row in rows)


@pytest.mark.parametrize("command", ["compare", "levers", "sweep"])
def test_help_has_examples_and_fits_a_terminal(command: str) -> None:
    ended = said(command, "--help")
    assert f"painlab {command}" in ended.stdout.partition("Example")[2]
    plain_lines = CliRunner(env={"COLUMNS": "80"}).invoke(main, [command, "--help"]).stdout.splitlines()
    assert max(map(len, plain_lines)) <= 80
