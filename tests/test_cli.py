"""The terminal, end to end."""

import inspect
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

import painlab
from painlab.cli import main
from painlab.cli.terminal import TRACEBACK_VARIABLE, Waiting
from painlab.projection import COLUMNS, check_folder

SMALL = {"patients": 40, "draws": 5, "weeks": 30, "seed": 3}
OPTIONS = [f"--{name}={value}" for name, value in SMALL.items()]
FILES = ["demand.png", "demand.svg", "provenance.json", "weekly.csv", "weekly.parquet"]


def run(*arguments: str | Path):
    return CliRunner().invoke(main, [str(one) for one in arguments])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    """A folder that `painlab project --out` has made."""
    folder = tmp_path_factory.mktemp("projected") / "deep" / "out"
    ended = run("project", "early-pt", *OPTIONS, "--out", folder)
    assert ended.exit_code == 0, ended.output
    return folder


@pytest.fixture(scope="module")
def projection() -> painlab.Projection:
    return painlab.simulate("early-pt", **SMALL)


def test_project_writes_numbers_pictures_and_how_they_were_made(out):
    assert sorted(path.name for path in out.iterdir()) == FILES


def test_weekly_csv_has_the_columns_in_their_order(out):
    header = (out / "weekly.csv").read_text().splitlines()[0]
    assert header == (
        "week,outcome,unit,baseline,baseline_low,baseline_high,scenario,scenario_low,scenario_high,difference,difference_low,difference_high"
    )
    assert header == ",".join(COLUMNS)


def test_the_terminal_and_python_give_the_same_numbers(out, projection):
    assert_frame_equal(pl.read_parquet(out / "weekly.parquet"), projection.weekly, check_exact=True)
    read = pl.read_csv(out / "weekly.csv", schema=projection.weekly.schema)
    assert_frame_equal(read, projection.weekly, check_exact=True)


def test_provenance_tells_how_to_repeat_a_run(out, projection):
    told = json.loads((out / "provenance.json").read_text())
    assert told["painlab"] == painlab.__version__
    assert told["seed"] == 3
    assert (told["patients_per_draw"], told["draws"], told["weeks"]) == (40, 5, 30)
    assert told["scenario_sha256"] == painlab.Scenario.load("early-pt").fingerprint()
    assert told["data_sha256"]["parameters.csv"] == projection.provenance["data_sha256"]["parameters.csv"]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in told["data_sha256"].values())
    assert painlab.Scenario.from_dict(tomllib.loads(told["scenario_toml"])) == painlab.Scenario.load("early-pt")


def test_the_picture_shows_demand_pain_and_function_and_states_the_finding(out, projection):
    svg = (out / "demand.svg").read_text()
    text = " ".join(re.findall(r">([^<>]+)</text>", svg))
    for words in ("Opioid demand", "Pain", "Function"):
        assert words in text
    assert projection.headline().split(",")[0] in text
    assert (out / "demand.png").read_bytes().startswith(b"\x89PNG")


def test_the_tables_show_demand_pain_and_function_with_difference_and_band(projection):
    ended = run("project", "early-pt", *OPTIONS)
    assert ended.exit_code == 0
    assert not ended.stderr
    for when in ("Mean over 30 weeks:", "In week 30:"):
        table = ended.stdout.partition(when)[2]
        places = [table.index(label) for label in ("Opioid demand", "Pain", "Function", "On opioids")]
        assert places == sorted(places)
    last = projection.difference("pain", 30)
    assert f"({last.low:+.2f} to {last.high:+.2f})".replace("+0.00", "0.00").replace("-0.00", "0.00") in ended.stdout
    assert " ".join(str(projection).split()) in " ".join(ended.stdout.split())


def test_one_draw_has_no_band_in_the_tables():
    ended = run("project", "early-pt", "--patients=40", "--draws=1", "--weeks=8")
    assert ended.exit_code == 0
    assert " to " not in ended.stdout.partition("Mean over")[2].partition("Early physical therapy, in")[0]
    assert "without a band" in " ".join(ended.stdout.split())


def test_an_open_cohort_is_shown_for_its_whole_population():
    ended = run("project", "clinic-early-pt", "--patients=300", "--draws=2", "--weeks=8")
    assert ended.exit_code == 0
    assert "Patients in care" in ended.stdout


def test_cutting_a_link_is_told_and_changes_the_numbers():
    whole, cut = (
        run("project", "early-pt", *OPTIONS, *more).stdout for more in ([], ["--cut", "weakness_to_pain", "--cut", "pain_to_activity"])
    )
    assert "Links cut: weakness_to_pain, pain_to_activity." in cut
    assert "Links cut" not in whole
    assert cut.partition("Mean over")[2] != whole.partition("Mean over")[2]


def test_threads_change_no_number():
    one, two = (run("project", "early-pt", *OPTIONS, f"--threads={threads}") for threads in (1, 2))
    assert one.exit_code == 0
    assert one.stdout == two.stdout


def test_a_second_run_into_the_same_folder_changes_nothing_without_force(out):
    before = contents(out)
    ended = run("project", "opioids-alone", *OPTIONS, "--out", out)
    assert ended.exit_code == 2
    assert contents(out) == before


def test_force_overwrites_what_painlab_writes_and_leaves_the_rest(tmp_path, out):
    (tmp_path / "notes.txt").write_text("mine")
    for scenario in ("opioids-alone", "early-pt"):
        assert run("project", scenario, *OPTIONS, "--out", tmp_path, "--force").exit_code == 0
    after = contents(tmp_path)
    assert after.pop("notes.txt") == b"mine"
    before = contents(out)
    # Vega numbers the clipping paths of a process on and on.
    pictures = [re.sub(rb"clip\d+", b"clip", files.pop("demand.svg")) for files in (before, after)]
    assert after == before
    assert pictures[0] == pictures[1]


def test_finding_out_whether_a_folder_can_be_written_leaves_nothing_behind(tmp_path):
    check_folder(tmp_path / "a" / "b")
    check_folder(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_means_over_the_horizon_have_the_bands_of_the_draws(projection):
    weekly = projection.weekly.group_by("outcome", "unit", maintain_order=True).agg(pl.exclude("week").mean())
    levels = ["outcome", "unit", "baseline", "scenario", "difference"]
    assert_frame_equal(projection.averages.select(levels), weekly.select(levels))
    width, wider = (frame["difference_high"] - frame["difference_low"] for frame in (projection.averages, weekly))
    assert (width <= wider + 1e-9).mean() > 0.8


def test_list_shows_every_scenario_that_ships_as_python_does():
    ended = run("list")
    assert ended.exit_code == 0
    said = " ".join(ended.stdout.split())
    places = []
    for one in painlab.scenarios().iter_rows(named=True):
        places.append(said.index(f"{one['name']}: {one['title']} ({one['condition']})"))
        assert " ".join(one["question"].split()) in said
    assert places == sorted(places)


def test_show_says_the_plan_in_words_and_as_toml():
    ended = run("show", "early-pt")
    said = " ".join(ended.stdout.split())
    assert "Early physical therapy" in said
    assert "Against the baseline:" in said
    assert ended.stdout.endswith(painlab.Scenario.load("early-pt").to_toml())


def test_what_show_prints_as_toml_can_be_projected(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(run("show", "coordinated-care", "--toml").stdout)
    assert painlab.Scenario.load(path) == painlab.Scenario.load("coordinated-care")
    assert run("project", path, "--patients=10", "--draws=1", "--weeks=4").exit_code == 0


def test_a_changed_copy_of_the_baseline_is_held_against_the_one_that_ships(tmp_path):
    path = tmp_path / "mine.toml"
    text = run("show", "usual-care", "--toml").stdout
    path.write_text(re.sub(r"opioid_start = [\d.]+", "opioid_start = 0.0", text))
    assert path.read_text() != text
    ended = run("project", path, "--patients=200", "--draws=1", "--weeks=8")
    assert "no opioid is prescribed" not in ended.stdout
    assert "less than in the baseline" in " ".join(ended.stdout.split())


def test_evidence_leads_from_a_number_to_its_source_and_its_equation():
    said = " ".join(run("evidence", "opioid_half_dose").stdout.split())
    assert "MME/day" in said
    assert "doi:" in said
    assert "painlab.dynamics.opioid_relief" in said


def test_version_is_the_packages():
    assert run("--version").stdout == f"painlab {painlab.__version__}\n"


@pytest.mark.parametrize(
    "command", [[], ["list"], ["show"], ["project"], ["evidence"], ["doctor"]], ids=lambda one: " ".join(one) or "painlab"
)
def test_help_has_an_example_of_each_command(command):
    ended = run(*command, "--help")
    assert ended.exit_code == 0
    assert f"  painlab {' '.join(command)}".rstrip() in ended.stdout.partition("Example")[2]
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_help_tells_the_defaults_that_simulate_has():
    said = " ".join(run("project", "--help").stdout.split())
    defaults = {name: one.default for name, one in inspect.signature(painlab.simulate).parameters.items()}
    for name in ("patients", "draws", "seed"):
        assert re.search(rf"--{name} N [^\[]*\[default: {defaults[name]}\]", said)


def test_an_unknown_command_or_option_is_a_usage_error():
    assert run("projct").exit_code == 2
    assert run("project", "early-pt", "--patient", "3").exit_code == 2


def test_an_interrupt_writes_nothing_and_says_so(tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("painlab.simulation.simulate", interrupted)
    ended = run("project", "early-pt", "--out", tmp_path / "out")
    assert ended.exit_code == 130
    assert ended.stderr == "painlab: stopped; nothing was written.\n"
    assert not (tmp_path / "out").exists()


def test_an_interrupt_does_not_wait_for_blocks_that_have_not_begun():
    seen = []

    def interrupt(done: int, total: int) -> None:
        seen.append(total)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        painlab.simulate("early-pt", patients=10_000_000, draws=1, weeks=20, threads=2, progress=interrupt)
    assert len(seen) == 1  # of some six hundred pieces
    assert seen[0] > 100


def test_a_failure_is_one_line_with_the_way_to_its_traceback(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("the model\nis broken")

    monkeypatch.setattr("painlab.simulation.simulate", broken)
    ended = run("project", "early-pt")
    assert ended.exit_code == 1
    assert ended.stderr.startswith("painlab: failed: RuntimeError: the model is broken. ")
    assert f"{TRACEBACK_VARIABLE}=1" in ended.stderr
    assert ended.stderr.count("\n") == 1
    monkeypatch.setenv(TRACEBACK_VARIABLE, "1")
    assert isinstance(run("project", "early-pt").exception, RuntimeError)


def test_a_run_of_more_than_a_second_shows_its_progress_and_takes_it_away(monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with Waiting() as waiting:
        waiting._timer.join()
        waiting.show(3, 4)
    shown = capsys.readouterr()
    assert not shown.out
    assert "compiles the model, once" in shown.err
    assert "75%" in shown.err
    assert shown.err.rstrip().endswith("\x1b[2K")  # the line is cleared


def test_a_quick_run_shows_no_progress(monkeypatch, capsys):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with Waiting() as waiting:
        waiting.show(3, 4)
    assert not capsys.readouterr().err


def subprocess_run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "painlab", *map(str, arguments)]
    plain = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR", "TTY_COMPATIBLE")}
    return subprocess.run(command, env=plain | environment, capture_output=True, encoding="utf-8", check=False)


def test_a_pipe_gets_plain_text_of_80_columns_and_whole_words(tmp_path):
    ended = subprocess_run("project", "early-pt", *OPTIONS, "--out", tmp_path / "out", COLUMNS="80")
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr
    assert "\x1b" not in ended.stdout
    assert "…" not in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == FILES


def test_a_terminal_without_unicode_is_served_too():
    ended = subprocess_run("project", "early-pt", "--patients=10", "--draws=2", "--weeks=4", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0, ended.stderr
    assert "Opioid demand" in ended.stdout


def test_bad_input_ends_a_process_with_2_and_one_paragraph():
    ended = subprocess_run("project", "../secret")
    assert ended.returncode == 2
    assert not ended.stdout
    assert ended.stderr.startswith('painlab: "../secret" is not the name of a scenario.')
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("command", ["--help", "list"])
def test_help_and_list_load_neither_the_compiler_nor_the_charts(command):
    program = "import sys; from painlab.cli import main; main([sys.argv[1]], standalone_mode=False); print(*sys.modules, file=sys.stderr)"
    ended = subprocess.run([sys.executable, "-c", program, command], capture_output=True, text=True, check=True)
    loaded = set(ended.stderr.split())
    assert not loaded & {"numba", "altair", "pydantic", "scipy", "vl_convert", "jupyterlab"}
