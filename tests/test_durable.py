"""Folders whose parts survive a kill: one run at a time, only its own files, and a manifest that can be trusted."""

import json
import os
from pathlib import Path

import polars as pl
import pytest

from painlab import InputError, durable
from painlab.durable import Kind, Manifest, NotWritten, opened, read_manifest, write_whole

KIND = Kind("work.json", "parts", ("results.parquet", "more"), "piece of work")
ASKED = Manifest({"patients": 10, "weeks": {"a": 5}}, {"size": 4}, {"painlab": "0.1.0"})
FRAME = pl.DataFrame({"week": [0, 1], "sum": [3, 4]})


def test_a_file_is_replaced_in_one_step_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    write_whole(path, b"first")
    write_whole(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.bin"
    write_whole(path, b"first")

    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(NotWritten, match=r"file.bin cannot be written \(Input/output error\)"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_part_comes_back_as_it_was_written(tmp_path: Path) -> None:
    with opened(tmp_path, KIND, ASKED) as (_, parts):
        assert not parts.keep(3, {"start": 0})
        parts.write(3, FRAME, {"start": 0})
        assert parts.keep(3, {"start": 0})
        found = parts.read(3, {"start": 0})
        assert found is not None and found.equals(FRAME)
        assert parts.read(3, {"start": 4}) is None
        assert parts.read(4, {"start": 0}) is None


def test_the_manifest_that_stands_decides_how_the_work_is_cut(tmp_path: Path) -> None:
    with opened(tmp_path, KIND, ASKED):
        pass
    with opened(tmp_path, KIND, ASKED._replace(cut={"size": 9}, about={"painlab": "0.2.0"})) as (stands, _):
        assert stands == read_manifest(tmp_path, KIND) == ASKED


def test_only_one_run_at_a_time_works_in_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="this system has no locks for folders")
    with opened(tmp_path, KIND, ASKED):
        with pytest.raises(InputError, match="another piece of work is at work in this folder"), opened(tmp_path, KIND, ASKED):
            pass
        assert read_manifest(tmp_path, KIND) == ASKED  # it can be read meanwhile
    with opened(tmp_path, KIND, ASKED):
        pass


def test_what_a_killed_run_left_half_written_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".work.json.123.unfinished").write_text("{")
    with opened(tmp_path, KIND, ASKED):
        left = tmp_path / "parts" / ".part-0000001.parquet.123.unfinished"
        left.write_text("half")
    with opened(tmp_path, KIND, ASKED):
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["parts", "work.json"]


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty, and no piece of work was begun in it"), opened(tmp_path, KIND, ASKED):
        pass
    with opened(tmp_path, KIND, ASKED, force=True):
        assert (tmp_path / "more" / "mine.txt").read_text() == "mine"


def test_force_takes_away_what_an_earlier_run_left(tmp_path: Path) -> None:
    with opened(tmp_path, KIND, ASKED) as (_, parts):
        parts.write(0, FRAME, {})
        write_whole(tmp_path / "results.parquet", b"old")
        write_whole(tmp_path / "more" / "one.parquet", b"old")
    other = ASKED._replace(request={"patients": 11})
    with opened(tmp_path, KIND, other, force=True) as (stands, parts):
        assert stands == other
        assert sorted(path.name for path in tmp_path.rglob("*")) == ["parts", "work.json"]


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(InputError, match="the output folder is a file"), opened(path, KIND, ASKED):
        pass


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="the output folder cannot be written"), opened(tmp_path / "file" / "out", KIND, ASKED):
        pass


def test_an_error_of_the_work_itself_is_not_taken_for_the_folders(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), opened(tmp_path, KIND, ASKED):
        raise ConnectionResetError


@pytest.mark.parametrize(
    ("request_now", "complaint"),
    [
        ({"patients": 1000, "weeks": {"a": 5}}, "patients (10 there, 1,000 in this request)"),
        ({"patients": 10, "weeks": {"a": 6}}, "weeks: a (5 there, 6 in this request)"),
        ({"patients": 10, "weeks": {"b": 5}}, "weeks: a (only there); weeks: b (only in this request)"),
        ({"patients": 10, "weeks": {"a": 5}, "links cut": []}, "links cut (only in this request)"),
    ],
)
def test_another_request_is_refused_by_what_differs(tmp_path: Path, request_now: dict, complaint: str) -> None:
    with opened(tmp_path, KIND, ASKED):
        pass
    with pytest.raises(InputError) as refused, opened(tmp_path, KIND, ASKED._replace(request=request_now)):
        pass
    assert complaint in str(refused.value)


def test_a_folder_without_a_manifest_holds_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no piece of work in this folder"):
        read_manifest(tmp_path, KIND)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 1}', "null"])
def test_a_manifest_that_was_changed_by_hand_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "work.json").write_text(content)
    with pytest.raises(InputError, match="the manifest cannot be read"), opened(tmp_path, KIND, ASKED):
        pass
    with opened(tmp_path, KIND, ASKED, force=True):
        assert read_manifest(tmp_path, KIND) == ASKED


def test_a_manifest_of_a_later_version_names_it(tmp_path: Path) -> None:
    later = {"format": durable.FORMAT + 1, **ASKED._asdict(), "about": {"painlab": "9.0"}}
    (tmp_path / "work.json").write_text(json.dumps(later))
    with pytest.raises(InputError, match=r"the version of PainLab that made it \(9\.0\)"):
        read_manifest(tmp_path, KIND)
