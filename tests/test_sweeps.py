"""Sweeps: however the work is cut, spread, killed or stopped, the end is what one undisturbed run gives, to the bit."""

import errno
import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import painlab
from painlab import InputError, Scenario, durable, sweeps, swept
from painlab.durable import SetAside
from painlab.engine.execution import Cancelled
from painlab.parameters import records

SCENARIOS = ["early-pt", "clinic-early-pt"]
SMALL: dict[str, Any] = {"patients": 600, "draws": 4, "seed": 5, "weeks": 12, "parameters": "prior"}
CHUNK = 250  # 3 parts for each draw
PARTS = len(SCENARIOS) * 4 * 3


def swept_into(folder: Path, **how: Any) -> painlab.swept.Sweep:
    return painlab.sweep(SCENARIOS, folder, **(SMALL | {"chunk": CHUNK} | how))


def results(folder: Path) -> dict[str, pl.DataFrame]:
    """Every result of a sweep, by its path."""
    paths = [folder / "results.parquet", folder / "parameters.parquet", *sorted((folder / "draws").iterdir())]
    return {path.relative_to(folder).as_posix(): pl.read_parquet(path) for path in paths}


def assert_same(folder: Path, other: Path) -> None:
    one, two = results(folder), results(other)
    assert list(one) == list(two)
    for name, frame in one.items():
        assert_frame_equal(frame, two[name], check_exact=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sweep that nothing disturbed, cut otherwise than the others."""
    folder = tmp_path_factory.mktemp("whole")
    painlab.sweep(SCENARIOS, folder, **SMALL, threads=1, chunk=1800)
    return folder


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_sweep_gives_what_simulate_gives_for_each_scenario(whole: Path, name: str) -> None:
    simulated = painlab.simulate(name, **SMALL)
    found = painlab.read_sweep(whole).projection(name)
    assert_frame_equal(found.weekly, simulated.weekly, check_exact=True)
    assert_frame_equal(found.averages, simulated.averages, check_exact=True)
    assert found.provenance == simulated.provenance
    assert_frame_equal(pl.read_parquet(whole / "results.parquet").filter(name=name).drop("name"), simulated.weekly, check_exact=True)


@pytest.mark.parametrize("name", SCENARIOS)
def test_means_of_the_draws_are_kept_for_analysts(whole: Path, name: str) -> None:
    simulated = painlab.simulate(name, **SMALL).weekly
    draws = pl.read_parquet(whole / "draws" / f"{name}.parquet")
    assert draws["draw"].unique().to_list() == [0, 1, 2, 3]
    means = draws.group_by("outcome", "week", maintain_order=True).agg(pl.col("baseline", "scenario").mean())
    assert_frame_equal(means, simulated.select("outcome", "week", "baseline", "scenario"), abs_tol=1e-9)
    there = draws["patients"].unique().to_list()
    assert there == [600] if name == "early-pt" else 0 < min(there) <= max(there) < 600


def test_the_parameter_values_of_each_draw_are_kept(whole: Path) -> None:
    table = pl.read_parquet(whole / "parameters.parquet")
    assert table.columns == ["draw", *records()]
    assert table.height == 4
    assert table[table.columns[1]].n_unique() == 4


@pytest.mark.parametrize(("chunk", "threads"), [(97, 1), (600, 3), (1200, 2), (10_000, None), (None, None)])
def test_neither_the_cut_nor_the_threads_change_a_bit(whole: Path, tmp_path: Path, chunk: int | None, threads: int | None) -> None:
    assert swept_into(tmp_path, chunk=chunk, threads=threads).complete
    assert_same(tmp_path, whole)


def test_a_part_may_hold_a_single_patient(tmp_path: Path) -> None:
    few: dict[str, Any] = {"patients": 7, "draws": 2, "weeks": 4, "parameters": "prior"}
    made = painlab.sweep("early-pt", tmp_path, **few, chunk=1, threads=2)
    assert len(made.chunks) == len(list((tmp_path / "parts").iterdir())) == 14
    assert_frame_equal(made.projection("early-pt").weekly, painlab.simulate("early-pt", **few).weekly, check_exact=True)


def test_any_executor_gives_the_same_bits(whole: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        swept_into(tmp_path, executor=pool)
        assert pool.submit(int).result() == 0  # it is the caller's, and is left running
    assert_same(tmp_path, whole)


def test_a_scenario_of_ones_own_with_a_cut_link_is_swept(tmp_path: Path) -> None:
    mine = Scenario.load("early-pt").change(name="mine", care={"physical_therapy": {"start_week": 3}})
    made = painlab.sweep(mine, tmp_path, **SMALL, cut="weakness_to_pain")
    simulated = painlab.simulate(mine, **SMALL, cut="weakness_to_pain")
    assert_frame_equal(made.projection("mine").weekly, simulated.weekly, check_exact=True)
    assert painlab.read_sweep(tmp_path).scenario("mine") == mine


# What a run does before it is killed: at the call of os.fsync with this number (the file's, then its folder's), or of progress.
KILLED = """
import os, signal, sys
import painlab

kind, at, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
fsync, calls = os.fsync, 0

def count(how):
    global calls
    if how in kind:
        calls += 1
        if calls == at:
            os.kill(os.getpid(), signal.SIGKILL)

def killing_fsync(fd):
    if kind == "half-written fsync" and calls + 1 == at:
        os.ftruncate(fd, os.fstat(fd).st_size // 2)
    count("fsync")
    fsync(fd)

if "fsync" in kind:
    os.fsync = killing_fsync
painlab.sweep(
    ["early-pt", "clinic-early-pt"], folder, patients=600, draws=4, seed=5, weeks=12, parameters="prior", chunk=250, threads=2,
    progress=lambda done, total: count("progress"),
)
print("not killed")
"""
MOMENTS = [
    ("half-written fsync", 1),  # the manifest
    ("fsync", 2),  # the manifest stands under its name
    ("half-written fsync", 3),  # the first part
    ("fsync", 7),  # a part is written and has no name yet
    ("progress", 5),
    ("fsync", 4),  # a part stands under its name
    ("progress", 9),
]
AT_THE_END = [("half-written fsync", 2 * PARTS + 3), ("fsync", 2 * PARTS + 7), ("half-written fsync", 2 * PARTS + 9)]


@pytest.mark.parametrize("moments", [MOMENTS[:4], MOMENTS[4:], AT_THE_END[:1], AT_THE_END[1:2], AT_THE_END[2:]])
def test_killed_at_any_moment_and_begun_again_it_ends_with_the_same_bits(
    whole: Path, tmp_path: Path, moments: list[tuple[str, int]]
) -> None:
    folder = tmp_path / "killed"
    for kind, at in moments:
        done = subprocess.run([sys.executable, "-c", KILLED, kind, str(at), folder], capture_output=True, text=True, timeout=300)
        assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
        if (folder / "sweep.json").exists():
            assert not painlab.read_sweep(folder).complete or moments[0] in AT_THE_END
    swept_into(folder)
    assert_same(folder, whole)
    assert not [path for path in folder.rglob("*") if "unfinished" in path.name]
    assert not (folder / durable.SET_ASIDE).exists()


def test_what_is_finished_is_not_done_again(tmp_path: Path) -> None:
    stop_after(tmp_path, 7)
    there = {path: path.stat().st_mtime_ns for path in (tmp_path / "parts").iterdir()}
    seen: list[tuple[int, int]] = []
    swept_into(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert {path: path.stat().st_mtime_ns for path in there} == there
    total = len(SCENARIOS) * 4 * 600
    assert seen[0][0] == sum(painlab.read_sweep(tmp_path).chunks[int(path.stem[-7:])].patients for path in there)
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def stop_after(folder: Path, calls: int, how: type[BaseException] = KeyboardInterrupt) -> str:
    """Run a sweep until its progress was told so often; what the exception says."""
    told = []

    def progress(done: int, total: int) -> None:
        told.append(done)
        if len(told) == calls:
            raise how

    with pytest.raises(how) as stopped:
        swept_into(folder, progress=progress)
    return "\n".join([str(stopped.value), *getattr(stopped.value, "__notes__", ())])


def test_ctrl_c_leaves_a_readable_part_and_says_how_to_go_on(whole: Path, tmp_path: Path) -> None:
    said = stop_after(tmp_path, 9)
    found = painlab.read_sweep(tmp_path)
    assert not found.complete
    assert f"{len(found.finished)} of {PARTS} parts are finished" in said
    assert f"painlab.sweep(scenarios, {str(tmp_path)!r}, patients=600, draws=4, seed=5" in said
    assert f"is not complete: {len(found.finished)} of {PARTS} parts" in str(found)
    name, draws = max(found.whole_draws.items(), key=lambda one: one[1])
    assert 1 <= draws < 4
    simulated = painlab.simulate(name, **(SMALL | {"draws": max(2, draws)}))
    if draws > 1:
        assert_frame_equal(found.projection(name).weekly, simulated.weekly, check_exact=True)
    assert found.projection(name).provenance["parameters"].startswith(f"the first {draws} of 4 draws of the prior")
    assert set(found.weekly["name"]) == {one for one, there in found.whole_draws.items() if there}
    assert not (tmp_path / "results.parquet").exists()
    swept_into(tmp_path)
    assert_same(tmp_path, whole)


def test_an_error_in_the_middle_keeps_its_kind_and_says_how_to_go_on(tmp_path: Path) -> None:
    assert f"of {PARTS} parts are finished and kept in {tmp_path}; to go on: painlab.sweep(" in stop_after(tmp_path, 4, ZeroDivisionError)


def test_a_cancelled_sweep_keeps_its_parts(tmp_path: Path) -> None:
    asked = iter([False] * 5)
    with pytest.raises(Cancelled):
        swept_into(tmp_path, cancelled=lambda: next(asked, True))
    assert painlab.read_sweep(tmp_path).finished


@pytest.mark.parametrize("writes", [0, 1, 6, PARTS + 1, PARTS + 3])
def test_a_full_disk_leaves_a_readable_part_and_says_how_to_go_on(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    real, files = os.fsync, []

    def full(fd: int) -> None:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            files.append(fd)
            if len(files) > writes:
                raise OSError(errno.ENOSPC, "No space left on device")
        real(fd)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(InputError, match="the disk is full") as said:
            swept_into(tmp_path)
    if not writes:
        assert "before anything was done" in str(said.value)
        assert not list(tmp_path.iterdir())
    else:
        assert f"{min(writes - 1, PARTS)} of {PARTS} parts are finished and kept in {tmp_path}; to go on: painlab.sweep(" in str(said.value)
        assert len(painlab.read_sweep(tmp_path).finished) == min(writes - 1, PARTS)
        assert not [path for path in tmp_path.rglob("*") if "unfinished" in path.name]
    swept_into(tmp_path)
    assert_same(tmp_path, whole)


def test_a_disk_that_is_really_full_says_so_too(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("a small file system can only be mounted by root")
    try:
        with pytest.raises(InputError, match=r"the disk is full.* parts are finished"):
            swept_into(disk / "out")
        there = painlab.read_sweep(disk / "out")
        assert 0 < len(there.finished) < PARTS
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_truncated_a_foreign_and_a_changed_part_are_set_aside_and_made_again(whole: Path, tmp_path: Path) -> None:
    swept_into(tmp_path)
    parts = sorted((tmp_path / "parts").iterdir())
    parts[0].write_bytes(parts[0].read_bytes()[:-100])
    parts[1].write_bytes(parts[2].read_bytes())
    parts[3].write_bytes(b"")
    metadata = pl.read_parquet_metadata(parts[4])
    changed = pl.read_parquet(parts[4]).with_columns(pl.col("sum") + 1)
    changed.write_parquet(parts[4], metadata={key: metadata[key] for key in ("painlab", "sha256")})
    assert len(painlab.read_sweep(tmp_path).finished) == PARTS - 4
    assert len(list((tmp_path / "parts").iterdir())) == PARTS  # reading changes nothing
    with pytest.warns(SetAside) as warned:
        swept_into(tmp_path)
    assert len(warned) == 4
    assert all(reason in str([str(one.message) for one in warned]) for reason in ("cannot be read", "another run", "have changed"))
    assert len(list((tmp_path / durable.SET_ASIDE).iterdir())) == 4
    assert_same(tmp_path, whole)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"patients": 601}, "patients (600 there, 601 in this request)"),
        ({"draws": 5}, "draws (4 there, 5 in this request)"),
        ({"seed": 6}, "seed (5 there, 6 in this request)"),
        ({"weeks": 13}, "weeks: early-pt (12 there, 13 in this request)"),
        ({"cut": "weakness_to_pain"}, "links cut (none there, weakness_to_pain in this request)"),
    ],
)
def test_another_request_in_the_same_folder_is_refused_by_what_differs(whole: Path, change: dict[str, Any], complaint: str) -> None:
    before = {path: path.read_bytes() for path in whole.rglob("*.parquet")}
    with pytest.raises(InputError) as refused:
        swept_into(whole, **change)
    assert complaint in str(refused.value)
    assert "Name another folder, or begin anew with --force" in str(refused.value)
    assert {path: path.read_bytes() for path in whole.rglob("*.parquet")} == before


def test_a_scenario_that_has_changed_is_another_request(whole: Path) -> None:
    changed = Scenario.load("early-pt").change(care={"physical_therapy": {"start_week": 3}})
    with pytest.raises(InputError, match=r"scenarios: early-pt \(changed since\)"):
        painlab.sweep([changed, "clinic-early-pt"], whole, **SMALL)
    with pytest.raises(InputError, match=r"scenarios: clinic-early-pt \(only there\); scenarios: late-pt \(only in this request\)"):
        painlab.sweep(["early-pt", "late-pt"], whole, **SMALL)


def test_another_model_is_another_request(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = durable.model_in_use
    monkeypatch.setattr(durable, "model_in_use", lambda values: real(values) | {"the model's equations": "0" * 64})
    with pytest.raises(InputError, match=r"the model's equations \(changed since\)"):
        swept_into(whole)


def test_force_begins_anew_and_takes_away_only_what_is_the_sweeps(tmp_path: Path) -> None:
    stop_after(tmp_path, 9)
    (tmp_path / "notes.txt").write_text("mine")
    made = swept_into(tmp_path, draws=2, force=True)
    assert made.complete and made.draws == 2
    assert len(list((tmp_path / "parts").iterdir())) == PARTS // 2
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"scenarios": []}, "there is no scenario to sweep"),
        ({"scenarios": ["early-pt", "early-pt"]}, "the scenario early-pt is named twice"),
        ({"scenarios": "erly-pt"}, "did you mean"),
        ({"patients": 0}, "patients is 0"),
        ({"draws": 2001}, "draws is 2,001"),
        ({"chunk": 0}, "chunk is 0"),
        ({"patients": 1_000_000, "chunk": 5}, "chunk is 5"),
        ({"cut": "no_link"}, "no_link"),
        ({"parameters": "guess"}, "unknown kind"),
        ({"threads": 0}, "threads is 0"),
        ({"executor": 3}, "the executor is 3"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_a_folder_is_made(tmp_path: Path, asked: dict[str, Any], complaint: str) -> None:
    given = SMALL | {"scenarios": "early-pt"} | asked
    with pytest.raises(InputError, match=complaint):
        painlab.sweep(given.pop("scenarios"), tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_an_unknown_scenario_of_a_sweep_is_named_with_the_nearest(whole: Path) -> None:
    with pytest.raises(InputError, match='no scenario "early"'):
        painlab.read_sweep(whole).projection("early")


def test_parts_are_neither_too_many_nor_too_large() -> None:
    for patients, draws in ((1_000, 40), (10_000_000, 40), (1_000, 2_000), (50_000_000, 1_000)):
        size = sweeps.fitting(patients, draws, [104] * 20)
        parts = 20 * (draws * -(-patients // size) if size < patients else -(-draws // min(swept.MOST_DRAWS, size // patients)))
        assert parts <= 10_000
        assert min(size, patients * draws) * 210 >= min(10_000_000, patients * draws * 210)
