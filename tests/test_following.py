"""Patients followed one by one: the same patients as in every other run, written part by part."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import painlab
from painlab import InputError, following
from painlab.durable import SetAside
from painlab.engine.execution import Cancelled
from painlab.engine.layout import LANES
from painlab.following import UNITS
from painlab.outcomes import BY_NAME, Recorded

PATIENTS = 2 * LANES + 188
SMALL: dict[str, Any] = {"patients": PATIENTS, "seed": 5, "weeks": 60, "parameters": "prior"}


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of one block of patients, so that a small cohort has several."""
    monkeypatch.setattr(following, "_ROWS", 1)


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    return painlab.trajectories("early-pt", tmp_path_factory.mktemp("followed"), **SMALL).collect()


def test_there_is_a_row_for_each_arm_patient_and_week(weeks: pl.DataFrame) -> None:
    assert weeks.columns == ["arm", "patient", "week", *UNITS]
    assert weeks.height == 2 * PATIENTS * 61
    assert weeks.select("arm", "patient", "week").is_unique().all()
    assert (weeks["patient"].min(), weeks["patient"].max(), weeks["week"].max()) == (0, PATIENTS - 1, 60)
    assert weeks.null_count().sum_horizontal().item() == 0


def test_every_column_has_its_unit_and_lies_in_its_range(weeks: pl.DataFrame) -> None:
    assert list(UNITS) == [one.name.lower() for one in Recorded]
    assert weeks["pain"].is_between(0, 10).all()
    for name in ("activity", "strength", "function", "tapered"):
        assert weeks[name].is_between(0, 1).all()
    assert (weeks["mme"] <= weeks["dose"]).all() and weeks["dose"].min() == 0 < weeks["dose"].max()


@pytest.mark.parametrize(
    ("column", "outcome"), [("pain", "pain"), ("activity", "activity"), ("mme", "mme_per_1000"), ("function", "function")]
)
@pytest.mark.parametrize("arm", ["baseline", "scenario"])
def test_the_patients_are_those_whose_means_simulate_gives(weeks: pl.DataFrame, column: str, outcome: str, arm: str) -> None:
    simulated = painlab.simulate("early-pt", draws=1, **SMALL).outcome(outcome)[arm]
    means = weeks.filter(arm=arm).group_by("week").agg(pl.col(column).cast(pl.Float64).mean()).sort("week")[column]
    # the engine's sums are in whole units, so that each patient's share is rounded a little
    assert (means * BY_NAME[outcome].scale).to_list() == pytest.approx(simulated.to_list(), rel=1e-5, abs=1e-5)


def test_patients_of_a_draw_are_those_of_that_draw(tmp_path: Path) -> None:
    found = painlab.trajectories("early-pt", tmp_path, draw=2, **(SMALL | {"patients": 300})).collect()
    assert (found["patient"].min(), found["patient"].max()) == (600, 899)
    made = painlab.sweep("early-pt", tmp_path / "swept", draws=3, **(SMALL | {"patients": 300})).means_by_draw("early-pt")
    wanted = made.filter(draw=2, outcome="pain").sort("week")["scenario"].to_list()
    means = found.filter(arm="scenario").group_by("week").agg(pl.col("pain").cast(pl.Float64).mean()).sort("week")["pain"]
    assert means.to_list() == pytest.approx(wanted, rel=1e-5)


def test_one_arm_can_be_asked_for_and_a_link_be_cut(tmp_path: Path, weeks: pl.DataFrame) -> None:
    one = painlab.trajectories("early-pt", tmp_path / "one", arms="scenario", **SMALL).collect()
    assert_frame_equal(one, weeks.filter(arm="scenario"), check_row_order=False, check_exact=True)
    cut = painlab.trajectories("early-pt", tmp_path / "cut", cut="pain_to_activity", **SMALL).collect()
    assert not cut["activity"].equals(weeks["activity"])


KILLED = """
import os, signal, sys
import painlab
from painlab import following

following._ROWS = 1

def progress(done, total):
    if done == total - 188:
        os.kill(os.getpid(), signal.SIGKILL)

painlab.trajectories("early-pt", sys.argv[1], patients=int(sys.argv[2]), seed=5, weeks=60, parameters="prior", progress=progress)
"""


def test_killed_and_begun_again_it_ends_with_the_same_weeks(tmp_path: Path, weeks: pl.DataFrame) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path, str(PATIENTS)], capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    there = {path: path.stat().st_mtime_ns for path in (tmp_path / "patients").iterdir()}
    assert len(there) == 2
    assert pl.scan_parquet(tmp_path / "patients").collect().height == 2 * 2 * LANES * 61
    found = painlab.trajectories("early-pt", tmp_path, **SMALL).collect()
    assert_frame_equal(found, weeks, check_row_order=False, check_exact=True)
    assert {path: path.stat().st_mtime_ns for path in there} == there


def test_a_damaged_part_is_set_aside_and_made_again(tmp_path: Path, weeks: pl.DataFrame) -> None:
    painlab.trajectories("early-pt", tmp_path, **SMALL)
    part = tmp_path / "patients" / "part-0000001.parquet"
    part.write_bytes(part.read_bytes()[:-10])
    with pytest.warns(SetAside, match="set aside"):
        found = painlab.trajectories("early-pt", tmp_path, **SMALL).collect()
    assert_frame_equal(found, weeks, check_row_order=False, check_exact=True)


def test_a_stop_says_how_to_go_on(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(
        KeyboardInterrupt, match=rf"{LANES} of {PATIENTS} patients are finished and kept in .*; to go on: painlab.trajectories\("
    ):
        painlab.trajectories("early-pt", tmp_path, progress=stop, **SMALL)
    with pytest.raises(Cancelled):
        painlab.trajectories("early-pt", tmp_path, cancelled=lambda: True, **SMALL)


def test_a_full_disk_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, []

    def full(fd: int) -> None:
        calls.append(fd)
        if len(calls) == 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match=f"the disk is full; {LANES} of {PATIENTS} patients are finished"):
        painlab.trajectories("early-pt", tmp_path, **SMALL)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"patients": PATIENTS + 1}, rf"patients \({PATIENTS} there, {PATIENTS + 1} in this request\)"),
        ({"draw": 1}, "parameters .central values there, draw 1 in this request"),
        ({"arms": ("scenario",)}, "arms .baseline, scenario there, scenario in this request"),
    ],
)
def test_another_request_in_the_same_folder_is_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    painlab.trajectories("early-pt", tmp_path, **SMALL)
    with pytest.raises(InputError, match=complaint):
        painlab.trajectories("early-pt", tmp_path, **(SMALL | change))
    painlab.trajectories("early-pt", tmp_path, **(SMALL | change), force=True)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"scenario": "clinic-early-pt"}, "patients of clinic-early-pt arrive week by week"),
        ({"patients": 0}, "patients is 0"),
        ({"draw": -1}, "draw is -1"),
        ({"arms": ()}, "the arms are none"),
        ({"arms": ("baseline", "placebo")}, "the arms are baseline, placebo"),
        ({"cut": "no_link"}, "no_link"),
        ({"weeks": 521}, "weeks is 521"),
        ({"parameters": "guess"}, "unknown kind"),
    ],
)
def test_what_cannot_be_followed_is_refused_before_a_folder_is_made(tmp_path: Path, asked: dict[str, Any], complaint: str) -> None:
    given = SMALL | {"scenario": "early-pt"} | asked
    with pytest.raises(InputError, match=complaint):
        painlab.trajectories(given.pop("scenario"), tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()
