"""The terminal's large runs: a sweep that is stopped says the command that goes on, and that command ends it."""

import json
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result
from polars.testing import assert_frame_equal

import painlab
from painlab.cli import main

SMALL: dict[str, Any] = {"patients": 400, "draws": 3, "seed": 4, "weeks": 10}
OPTIONS = [*(f"--{name}={value}" for name, value in SMALL.items()), "--prior"]
FILES = ["draws", "parameters.parquet", "parts", "results.parquet", "sweep.json"]


def said(*words: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "110"}).invoke(main, [str(word) for word in words])


def plain(text: str) -> str:
    return " ".join(text.split())


def assert_same_as_python(folder: Path, name: str, **asked: Any) -> None:
    weekly = painlab.simulate(name, **asked, parameters="prior").weekly
    assert_frame_equal(pl.read_parquet(folder / "results.parquet").filter(name=name).drop("name"), weekly, check_exact=True)


def test_a_sweep_writes_its_results_and_shows_the_main_differences(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    ended = said("sweep", "early-pt", "clinic-early-pt", "--out", out, *OPTIONS)
    assert ended.exit_code == 0, ended.output
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert_same_as_python(out, "early-pt", **SMALL)
    assert_same_as_python(out, "clinic-early-pt", **SMALL)
    assert "400 patients in each of 3 parameter draws, seed 4" in ended.stdout
    assert "3 of 3" in ended.stdout and "Opioid demand" in ended.stdout and "Not complete" not in ended.stdout
    shown = said("sweep", "--out", out, "--show")
    assert shown.exit_code == 0
    assert shown.stdout == ended.stdout.partition("\nWritten to")[0]


def test_the_same_command_again_changes_nothing_and_another_is_refused(tmp_path: Path) -> None:
    assert said("sweep", "early-pt", "--out", tmp_path, *OPTIONS).exit_code == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()}
    assert said("sweep", "early-pt", "--out", tmp_path, *OPTIONS).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()} == before
    other = said("sweep", "early-pt", "--out", tmp_path, *OPTIONS, "--seed=5")
    assert other.exit_code == 2
    assert "seed (4 there, 5 in this request)" in plain(other.stderr)
    assert said("sweep", "early-pt", "--out", tmp_path, *OPTIONS, "--seed=5", "--force").exit_code == 0


LARGE = ["--patients=40000", "--draws=10", "--weeks=20", "--prior", "--chunk=20000"]


def started(folder: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "painlab", "sweep", "early-pt", "late-pt", "--out", str(folder), *LARGE, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_parts(run: subprocess.Popen[str], folder: Path, count: int) -> None:
    until = time.monotonic() + 300
    while len(list((folder / "parts").glob("part-*"))) < count:
        assert run.poll() is None, run.communicate()
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_sweep_killed_twice_ends_with_the_numbers_of_one_that_was_not(tmp_path: Path) -> None:
    for count in (1, 8):
        with started(tmp_path, "--threads=1") as run:
            wait_for_parts(run, tmp_path, count)
            run.kill()
        assert run.returncode == -signal.SIGKILL
        shown = said("sweep", "--out", tmp_path, "--show")
        assert shown.exit_code == 0
        assert "Not complete" in shown.stdout and "of 40 parts are finished" in shown.stdout
    ended = said("sweep", "early-pt", "late-pt", "--out", tmp_path, *LARGE)
    assert ended.exit_code == 0, ended.output
    for name in ("early-pt", "late-pt"):
        assert_same_as_python(tmp_path, name, patients=40_000, draws=10, weeks=20)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent as POSIX does")
@pytest.mark.parametrize("how", ["--threads=1", "--processes=1"])
def test_ctrl_c_says_the_command_that_goes_on(tmp_path: Path, how: str) -> None:
    folder = tmp_path / "my out"
    with started(folder, how) as run:
        wait_for_parts(run, folder, 2)
        run.send_signal(signal.SIGINT)
        stdout, stderr = run.communicate(timeout=300)
    assert run.returncode == 130
    assert not stdout and "Traceback" not in stderr
    words, _, command = plain(stderr).rpartition("to go on: ")
    assert "of 40 parts are finished and kept in" in words
    assert "--chunk 20000" in command and how.replace("=", " ") in command
    again = shlex.split(command)
    assert again[:4] == ["painlab", "sweep", "early-pt", "late-pt"]
    ended = said(*again[1:])
    assert ended.exit_code == 0, ended.output
    assert_same_as_python(folder, "late-pt", patients=40_000, draws=10, weeks=20)


def test_an_unexpected_error_says_the_command_that_goes_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr("painlab.sweeps.frame_of", fails)
    ended = said("sweep", "early-pt", "--out", tmp_path, *OPTIONS, "--force")
    assert ended.exit_code == 1
    command = "painlab sweep early-pt --out " + shlex.quote(str(tmp_path))
    assert f"0 of 1 parts are finished and kept in {tmp_path}; to go on: {command}" in plain(ended.stderr)
    assert "--force" not in ended.stderr
    assert "failed: MemoryError: no room" in ended.stderr


def test_a_damaged_part_is_told(tmp_path: Path) -> None:
    assert said("sweep", "early-pt", "--out", tmp_path, *OPTIONS).exit_code == 0
    (part,) = (tmp_path / "parts").iterdir()
    part.write_bytes(b"PAR1")
    ended = said("sweep", "early-pt", "--out", tmp_path, *OPTIONS)
    assert ended.exit_code == 0
    assert "was set aside as" in plain(ended.stderr)
    assert_same_as_python(tmp_path, "early-pt", **SMALL)


def test_processes_and_dask_give_the_numbers_of_threads(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    assert said("sweep", "early-pt", "--out", tmp_path / "a", *OPTIONS, "--processes=2").exit_code == 0
    assert_same_as_python(tmp_path / "a", "early-pt", **SMALL)
    threads = said("project", "early-pt", *OPTIONS)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0", silence_logs=40
    ) as cluster:
        ended = said("sweep", "early-pt", "--out", tmp_path / "b", *OPTIONS, "--dask", cluster.scheduler_address)
        assert ended.exit_code == 0, ended.output
        projected = said("project", "early-pt", *OPTIONS, "--dask", cluster.scheduler_address)
    assert_same_as_python(tmp_path / "b", "early-pt", **SMALL)
    assert projected.exit_code == 0 and projected.stdout == threads.stdout


GRID = ("--lever", "physical_therapy.start_week=at once,8", "--lever", "population.pain=3:7:2")


def test_a_sweep_over_levers_writes_its_tables_and_a_picture_and_says_what_they_do(tmp_path: Path) -> None:
    ended = said("sweep", "early-pt", *GRID, "--out", tmp_path, *OPTIONS)
    assert ended.exit_code == 0, ended.output
    more = ["effects.parquet", "levers.parquet", "levers.png", "levers.svg", "summary.parquet"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES + more)
    levers = pl.read_parquet(tmp_path / "levers.parquet")
    assert levers.select("physical_therapy.start_week", "population.pain").rows() == [(0, 3.0), (0, 7.0), (8, 3.0), (8, 7.0)]
    moved = painlab.Scenario.load("early-pt").change(care={"physical_therapy": {"start_week": 8}}, population={"pain": 7.0})
    weekly = painlab.simulate(moved, **SMALL, parameters="prior").weekly
    assert_frame_equal(pl.read_parquet(tmp_path / "results.parquet").filter(name=levers["name"][3]).drop("name"), weekly, check_exact=True)
    text = plain(ended.stdout)
    assert "From 0 to 8, physical_therapy.start_week" in text and "demand is least at physical_therapy.start_week" in text
    assert all(name in text for name in levers["name"])
    shown = said("sweep", "--out", tmp_path, "--show")
    assert shown.stdout == ended.stdout.partition("\nWritten to")[0]
    provenance = json.loads((tmp_path / "sweep.json").read_text())["about"]["grid"]
    assert provenance["design"] == "full" and provenance["levers"]["population.pain"]["unit"] == "0-10 NRS"


def test_a_stopped_sweep_over_levers_says_the_command_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: Any) -> None:
        raise KeyboardInterrupt

    words = ("sweep", "early-pt", *GRID, "--design", "latin:4", "--out", tmp_path, *OPTIONS)
    with monkeypatch.context() as patch:
        patch.setattr("painlab.sweeps.frame_of", stops)
        # a listed lever and a count have no place in a sample's range, but both are lists of values
        stopped = said(*words)
    assert stopped.exit_code == 130
    again = shlex.split(plain(stopped.stderr).rpartition("to go on: ")[2])
    assert again[3:7] == ["--out", str(tmp_path), "--lever", "physical_therapy.start_week=at once,8"]
    shown = said("sweep", "--out", tmp_path, "--show")
    assert "No scenario has a whole draw yet." in shown.stdout
    ended = said(*again[1:])
    assert ended.exit_code == 0, ended.output
    assert pl.read_parquet(tmp_path / "levers.parquet").height == painlab.read_sweep(tmp_path).summary["name"].n_unique()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--lever", "physical_terapy.start_week=0,2"), "--lever physical_terapy.start_week: there is no lever"),
        (("--lever", "population.pain=0:11:3"), "--lever population.pain: 11 is too large. Expected a number from 0 to 10 (0-10 NRS)"),
        (("--lever", "population.pain"), '--lever: "population.pain" has no value'),
        (("--lever", "=3"), '--lever: "=3" has no lever'),
        (("--lever", "weeks=3", "--lever", "weeks=4"), "the lever weeks is named twice"),
        (("--lever", "coordination=0:1:2001"), "Expected at most 2,000 scenarios"),
        (("--lever", "coordination=0:1", "--design", "latin"), '--design: the design is "latin"'),
        (("--design", "latin:20"), "--design is given without a lever"),
        (("--lever", "weeks=3,4", "--weeks", "5"), "weeks is a lever of the grid"),
        (("--lever", "coordination=0,1", "--seed", "-1"), "seed is -1"),
    ],
)
def test_a_lever_that_cannot_be_moved_is_refused_by_its_option(tmp_path: Path, options: tuple[str, ...], complaint: str) -> None:
    ended = said("sweep", "early-pt", *options, "--out", tmp_path / "out")
    assert ended.exit_code == 2
    assert complaint in plain(ended.stderr)
    assert not list(tmp_path.iterdir())


def test_trajectories_are_written_and_a_stop_says_the_command_that_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("trajectories", "early-pt", "--patients", "30", "--weeks", "8", "--arm", "scenario", "--prior", "--out", tmp_path / "out")
    ended = said(*words)
    assert ended.exit_code == 0, ended.output
    assert pl.scan_parquet(tmp_path / "out" / "patients").collect().height == 30 * 9
    assert "30 patients, weeks 0 to 8, scenario." in ended.stdout

    def stops(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("painlab.following._followed", stops)
    stopped = said(*words[:-1], tmp_path / "new")
    assert stopped.exit_code == 130
    command = f"painlab trajectories early-pt --out {tmp_path / 'new'} --patients 30 --weeks 8 --arm scenario --prior"
    assert f"0 of 30 patients are finished and kept in {tmp_path / 'new'}; to go on: {command}" in plain(stopped.stderr)


def test_a_plan_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("painlab.estimate._SECONDS", 0.02)
    asked = ("plan", "--patients", "1000", "--draws", "20", "--weeks", "10", "--prior", "--cost-per-core-hour", "0.1", "--workers", "2")
    ended = said(*asked, "--scenarios", "early-pt, late-pt", "--threads-per-worker", "1")
    assert ended.exit_code == 0, ended.output
    assert "1,000 patients x 20 draws x 2 scenarios x 10 weeks" in plain(ended.stdout)
    assert "on 2 workers with 1 thread each" in plain(ended.stdout)
    assert "at 0.1 per core-hour" in plain(ended.stdout)
    assert "x 7 scenarios" in said(*asked, "--scenarios", "7").stdout


@pytest.mark.parametrize("page", ["many-machines.md", "fifty-million.md"])
def test_what_the_pages_about_large_runs_tell_to_type_exists(root: Path, page: str) -> None:
    text = (root / "docs" / page).read_text(encoding="utf-8").replace("\\\n", " ")
    typed = re.findall(r"^    (?:srun )?painlab (\w+)(.*)$", text, re.MULTILINE) + re.findall(r"`painlab (\w+)([^`]*)`", text)
    assert typed
    for command, rest in typed:
        options = {option for parameter in main.commands[command].params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= options, command
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        compile(block, page, "exec")
        assert set(re.findall(r"\bpainlab\.(\w+)", block)) <= set(painlab.__all__)
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (root / "docs" / target).exists(), target


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("sweep", "--out", "OUT"), "there is no scenario to sweep"),
        (("sweep", "early-pt", "--out", "OUT", "--patients", "0"), "patients is 0"),
        (("sweep", "erly-pt", "--out", "OUT"), "did you mean"),
        (("sweep", "early-pt", "--out", "OUT", "--processes", "0"), "processes is 0"),
        (("sweep", "early-pt", "--out", "OUT", "--processes", "2", "--dask", "tcp://127.0.0.1:1"), "both --dask and --processes"),
        (("sweep", "early-pt", "--out", "OUT", "--dask", "tcp://127.0.0.1:1"), "no Dask scheduler answers (Connection refused)"),
        (("sweep", "early-pt"), "Missing option '--out'"),
        (("sweep", "--out", "OUT", "--show"), "there is no sweep in this folder"),
        (("project", "early-pt", "--dask", "nonsense"), "no Dask scheduler answers"),
        (("project", "early-pt", "--processes", "9999"), "processes is 9,999"),
        (("trajectories", "clinic-early-pt", "--out", "OUT"), "only those of a closed cohort"),
        (("trajectories", "early-pt", "--out", "OUT", "--arm", "placebo"), "the arms are placebo"),
        (("plan", "--scenarios", "0"), "scenarios is 0"),
        (("plan", "--scenarios", "-3"), "scenarios is -3"),
        (("plan", "--scenarios", "no-such"), "there is no scenario"),
        (("plan", "--workers", "0"), "workers is 0"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_paragraph(tmp_path: Path, words: tuple[str, ...], complaint: str) -> None:
    result = said(*(str(tmp_path / "out") if word == "OUT" else word for word in words))
    assert result.exit_code == 2
    assert complaint in plain(result.output)
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())
