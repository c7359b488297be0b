"""What cannot be used is refused in one paragraph that names file, key, what was expected and the mend; in Python and in the terminal."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import painlab
from painlab.cli import main
from painlab.errors import InputError

NAME = "mine.toml"
GOOD = """
name = "mine"
title = "Mine"
question = "What changes?"
weeks = 26
baseline = "usual-care"

[population]
condition = "low_back_pain_acute"
distress = 0.3

[care]
coordination = 0.2

[care.physical_therapy]
start_week = 2
weeks = 6
sessions_per_week = 1.5
"""


def changed(old: str, new: str) -> bytes:
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new).encode()


def appended(text: str) -> bytes:
    return (GOOD + text).encode()


# name of the case: contents, the key that is named, and what else the paragraph says
FILES = {
    "an unknown key": (changed("weeks = 26", "wekks = 26"), "wekks", ['did you mean "weeks"', "Expected one of name", "Correct the key"]),
    "an unknown key of a treatment": (
        changed("sessions_per_week", "session_a_week"), "care.physical_therapy.session_a_week", ['did you mean "sessions_per_week"']),
    "an unknown treatment": (changed("care.physical_therapy", "care.fysical_therapy"), "care.fysical_therapy", ['"physical_therapy"']),
    "an unknown key of the population": (changed("distress =", "distres ="), "population.distres", ['did you mean "distress"']),
    "an unknown key of the taper": (appended("[care.taper]\nstart = 4\n"), "care.taper.start", ['did you mean "start_week"']),
    "a misspelt key that must be there": (
        appended("[population.arrivals]\npeople = 5000\nnew_patients_per_1000 = 3.0\n"), "population.arrivals.new_patients_per_1000",
        ['did you mean "new_patients_per_1000_per_year"']),
    "an unknown key of a baseline plan": (
        changed('"usual-care"', "{ coordinatio = 0.1 }"), "baseline.coordinatio", ['did you mean "coordination"']),
    "a text for a number": (
        changed("weeks = 26", 'weeks = "two years"'), "weeks", ['"two years" cannot stand here', "whole number", "1 to 520"]),
    "a number as a text": (changed("0.3", '"0.3"'), "population.distress", ['"0.3" cannot stand here', "a number from 0 to 1"]),
    "a truth value for a whole number": (changed("weeks = 26", "weeks = true"), "weeks", ["true cannot stand here", "whole number"]),
    "a truth value for a number": (changed("0.2", "false"), "care.coordination", ["false cannot stand here", "a number from 0 to 1"]),
    "a fraction of a week": (changed("weeks = 26", "weeks = 26.5"), "weeks", ["26.5 cannot stand here", "whole number"]),
    "a list for a number": (changed("0.2", "[0.2]"), "care.coordination", ["a list cannot stand here"]),
    "a date for a number": (changed("weeks = 26", "weeks = 2026-11-24"), "weeks", ["2026-11-24 cannot stand here"]),
    "a number for a treatment": (
        changed("[care.physical_therapy]", "epidural_steroid = 3\n[care.physical_therapy]"), "care.epidural_steroid",
        ["3 cannot stand here", "a table [care.epidural_steroid]"]),
    "a text for the population": (
        changed('[population]\ncondition = "low_back_pain_acute"\ndistress = 0.3\n', 'population = "everyone"\n'), "population",
        ["a table [population]"]),
    "a number for the baseline": (changed('"usual-care"', "3"), "baseline", ["the name of a scenario that ships"]),
    "a negative share": (changed("0.2", "-0.2"), "care.coordination", ["-0.2 is too small", "a number from 0 to 1"]),
    "a share above one": (changed("0.3", "1.3"), "population.distress", ["1.3 is too large", "a number from 0 to 1"]),
    "an impossible age": (changed("distress = 0.3", "age = 300.0"), "population.age", ["300.0 is too large", "18 to 95 (years)"]),
    "a negative week": (
        changed("start_week = 2", "start_week = -2"), "care.physical_therapy.start_week", ["-2 is too small", "0 to 104 (weeks)"]),
    "physical therapy of 500 weeks": (
        changed("weeks = 6", "weeks = 500"), "care.physical_therapy.weeks", ["500 is too large", "a whole number from 1 to 104 (weeks)"]),
    "a baseline's physical therapy of 500 weeks": (
        changed('"usual-care"', "{ physical_therapy = { weeks = 500 } }"), "baseline.physical_therapy.weeks", ["500 is too large"]),
    "an impossible value of a baseline plan": (
        changed('"usual-care"', "{ coordination = 2.0 }"), "baseline.coordination", ["2.0 is too large"]),
    "a number that is none": (changed("0.2", "nan"), "care.coordination", ["nan is not a finite number"]),
    "an infinite number": (changed("0.3", "-inf"), "population.distress", ["-inf is not a finite number"]),
    "a number of 300 digits": (changed("weeks = 26", "weeks = " + "9" * 300), "weeks", ["is too large"]),
    "a horizon of no weeks": (changed("weeks = 26", "weeks = 0"), "weeks", ["0 is too small", "1 to 520"]),
    "a horizon of 10,000 weeks": (changed("weeks = 26", "weeks = 10_000"), "weeks", ["10000 is too large", "1 to 520"]),
    "an unknown condition": (
        changed("low_back_pain_acute", "low_back_pain_acut"), "population.condition", ['did you mean "low_back_pain_acute"', "sciatica"]),
    "an unknown goal": (changed("distress = 0.3", 'goal = "drivee"'), "population.goal", ['did you mean "drive"']),
    "no baseline": (
        changed('baseline = "usual-care"\n', ""), "baseline", ['baseline" is missing', 'Name the comparison: baseline = "usual-care"']),
    "an unknown baseline": (changed('"usual-care"', '"usual-car"'), "baseline", ['did you mean "usual-care"', "`painlab list`"]),
    "a baseline outside the data folder": (
        changed('"usual-care"', '"../secret"'), "baseline", ['"../secret" is not the name of a scenario']),
    "a baseline with an absolute path": (changed('"usual-care"', '"/etc/passwd"'), "baseline", ['"/etc/passwd" is not the name']),
    "no condition": (changed('condition = "low_back_pain_acute"\n', ""), "population.condition", ['"condition" is missing', "Add it"]),
    "a name with a folder": (changed('"mine"', '"../mine"'), "name", ['"../mine" is not a plain name', "lower-case"]),
    "an empty title": (changed('"Mine"', '""'), "title", ["0 characters", "1 to 120 characters"]),
    "a title that a terminal would obey": (changed('"Mine"', '"\\u001b[2JMine"'), "title", ["control character"]),
    "an empty file": (b"", "", ["the file is empty", "Expected a scenario in TOML", "painlab show early-pt --toml"]),
    "a file of blanks": (b" \n\n", "", ["the file is empty"]),
    "a file of comments": (b"# nothing yet\n", "name", ['"name" is missing']),
    "a binary file": (bytes(range(256)) * 20, "", ["the file is not text", "UTF-8"]),
    "a file of nulls": (b"\0" * 64, "", ["the file is not TOML", "line 1"]),
    "a file that is not UTF-8": ('name = "m\xe9"'.encode("latin-1"), "", ["the file is not text", "UTF-8"]),
    "a file that is not TOML": (b'name = "mine\n', "", ["the file is not TOML", "line 1", "Mend the line"]),
    "lists nested without end": (b"name = " + b"[" * 20_000 + b"]" * 20_000, "", ["nested too deeply"]),
    "tables nested without end": (b"[" + b"a." * 3000 + b"a]\n", "", ["unknown key"]),
    "a number without end": (b"weeks = " + b"9" * 9000, "", ["Shorten the number"]),
}  # fmt: skip


def paragraph(run) -> str:
    """What the terminal says when it refuses: one paragraph on stderr, exit code 2, nothing on stdout."""
    assert run.exit_code == 2, run.output
    assert not run.stdout
    assert "Traceback" not in run.stderr
    assert run.stderr.startswith("painlab: ")
    assert run.stderr.count("\n") == 1
    return run.stderr.removeprefix("painlab: ").strip()


def terminal(*arguments: str | Path) -> str:
    return paragraph(CliRunner().invoke(main, [str(one) for one in arguments]))


def python(action, *arguments, **options) -> str:
    with pytest.raises(InputError) as refused:
        action(*arguments, **options)
    return str(refused.value)


def test_the_file_that_the_cases_change_is_good(tmp_path):
    path = tmp_path / NAME
    path.write_text(GOOD)
    assert painlab.Scenario.load(path).weeks == 26


@pytest.mark.parametrize(("contents", "key", "said"), FILES.values(), ids=FILES)
def test_a_bad_file_is_refused_by_file_and_key(tmp_path, contents, key, said):
    path = tmp_path / NAME
    path.write_bytes(contents)
    refused = [
        python(painlab.Scenario.load, str(path)),
        python(painlab.simulate, str(path), patients=2, draws=1),
        terminal("project", path, "--patients", "2"),
        terminal("show", path),
    ]
    for text in refused:
        assert NAME in text
        assert not key or f"key {key}: " in text
        assert all(words in text for words in said), text
        assert text.endswith(".")
        assert len(text) < 900
    assert len(set(refused)) == 1


def test_a_file_of_50_megabytes_is_not_read(tmp_path):
    path = tmp_path / NAME
    with path.open("wb") as file:
        file.truncate(50_000_000)
    for text in (python(painlab.Scenario.load, path), terminal("project", path)):
        assert re.search(r"mine\.toml: the file has 50,000,000 bytes\. Expected .* at most 1,000,000 bytes\.", text)


@pytest.mark.parametrize(
    "name", ["../secret", "/etc/passwd", "..", "", "early_pt", "Early-PT", "scenarios/early-pt", "early-pt.tml", "a\nb"]
)
def test_a_scenarios_name_cannot_lead_out_of_the_data_folder(name):
    for text in (python(painlab.Scenario.load, name), python(painlab.simulate, name), terminal("project", name), terminal("show", name)):
        assert "is not the name of a scenario" in text
        assert "Expected a plain name such as early-pt" in text
        assert "`painlab list`" in text


@pytest.mark.parametrize("name", ["early-p", "x" * 5000])
def test_an_unknown_scenario_is_met_with_those_that_ship(name):
    for text in (python(painlab.Scenario.load, name), terminal("project", name)):
        assert "there is no scenario" in text
        assert "usual-care" in text
        assert len(text) < 500
    assert 'did you mean "early-pt"' in terminal("project", "early-p")


@pytest.mark.parametrize("name", ["absent.toml", "folder.toml", "nul\0l.toml", "x" * 5000 + ".toml"])
def test_a_path_that_leads_to_no_file_is_named(tmp_path, name):
    (tmp_path / "folder.toml").mkdir()
    path = f"{tmp_path}/{name}"
    for text in (python(painlab.Scenario.load, path), terminal("project", path)):
        assert "no such file" in text or "the file cannot be read" in text
        assert "Expected a scenario in TOML" in text
        assert len(text) < 500


NUMBERS = {
    "weeks": (0, 10_000, -1),
    "patients": (0, 10**12, -5),
    "draws": (0, 10**9),
    "seed": (-1, 2**64),
    "threads": (0, -1, 10**6),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in NUMBERS.items() for value in values])
def test_an_impossible_number_is_refused_with_its_range(tmp_path, name, value):
    small = {"patients": 2, "draws": 1, "weeks": 2} | {name: value}
    options = [f"--{key}={number}" for key, number in small.items()]
    for text in (python(painlab.simulate, "early-pt", **small), terminal("project", "early-pt", *options, "--out", tmp_path / "out")):
        assert text.startswith(f"{name} is {value:,}. Expected a whole number from ")
        assert text.endswith(f"Change {name}.")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("value", [True, 2.5, "10", None, float("nan")])
def test_what_is_no_whole_number_is_refused_in_python(value):
    assert "Expected a whole number from 1 to 10,000,000" in python(painlab.simulate, "early-pt", patients=value)


def test_what_is_no_number_is_refused_in_the_terminal():
    run = CliRunner().invoke(main, ["project", "early-pt", "--patients", "many"])
    assert run.exit_code == 2
    assert "'many' is not a valid integer" in run.stderr


def test_an_unknown_link_is_refused_with_the_nearest():
    for text in (
        python(painlab.simulate, "early-pt", patients=2, draws=1, cut=["weaknes_to_pain"]),
        terminal("project", "early-pt", "--patients", "2", "--cut", "weaknes_to_pain"),
    ):
        assert 'unknown link "weaknes_to_pain" (did you mean "weakness_to_pain"?)' in text


def places(tmp_path: Path) -> list[Path]:
    """Places that no one can write to, not even the superuser."""
    file = tmp_path / "file"
    file.write_text("kept")
    kernel = [folder / "painlab" / "out" for folder in (Path("/proc"), Path("/sys")) if folder.is_dir()]
    return [file, file / "out", file / "deep" / "out", *kernel]


def test_a_folder_that_cannot_be_written_is_found_out_before_the_simulation(tmp_path, monkeypatch):
    small = painlab.simulate("early-pt", patients=2, draws=1, weeks=2)
    monkeypatch.setattr("painlab.simulation.simulate", lambda *_, **__: pytest.fail("it was simulated first"))
    for place in places(tmp_path):
        for text in (python(small.save, place), terminal("project", "early-pt", "--out", place)):
            assert text.startswith(f"{place}: the output folder ")
            assert "Expected a folder" in text
            assert "Name another" in text
    assert (tmp_path / "file").read_text() == "kept"


def test_an_output_folder_that_holds_files_is_left_alone_without_force(tmp_path, monkeypatch):
    kept = tmp_path / "weekly.csv"
    kept.write_text("mine")
    small = painlab.simulate("early-pt", patients=2, draws=1, weeks=2)
    monkeypatch.setattr("painlab.simulation.simulate", lambda *_, **__: pytest.fail("it was simulated first"))
    for text in (python(small.save, tmp_path), terminal("project", "early-pt", "--out", tmp_path)):
        assert text.startswith(f"{tmp_path}: the output folder is not empty.")
        assert "--force" in text
    assert [path.name for path in tmp_path.iterdir()] == ["weekly.csv"]
    assert kept.read_text() == "mine"


def test_a_folder_in_the_place_of_an_output_file_is_not_overwritten(tmp_path):
    (tmp_path / "weekly.csv").mkdir()
    small = painlab.simulate("early-pt", patients=2, draws=1, weeks=2)
    assert "cannot be written" in python(small.save, tmp_path, force=True)
    assert not list(tmp_path.glob(".unfinished*"))


def test_an_unknown_record_of_the_evidence_is_met_with_the_nearest():
    text = terminal("evidence", "opioid_half_dos")
    assert 'did you mean "opioid_half_dose"' in text
    assert "data/parameters.csv" in text
