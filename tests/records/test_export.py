"""CSV for others: no cell is a formula, what was written comes back, and the file is whole or not there."""

import datetime
import os

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from painlab.errors import InputError
from painlab.records.export import neutralized, restored, write_csv

BEGINS = "=+-@＝＋－＠\N{MINUS SIGN}"


def through(function, cells):
    return pl.DataFrame({"cell": cells}, schema={"cell": pl.String}).select(function(pl.col("cell")))["cell"].to_list()


@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "\u00a0", "\u200b", " \t ", "'", "''"])
@pytest.mark.parametrize("sign", BEGINS)
def test_a_formula_gets_an_apostrophe(before, sign):
    cell = f"{before}{sign}cmd|' /C calc'!A0"
    (safe,) = through(neutralized, [cell])
    assert safe.startswith("'")
    assert through(restored, [safe]) == [cell]


@pytest.mark.parametrize("cell", ["\tx", "\rx", "\nx", "x;=1", "x\n@sum", "x|+1", "x\t=1", "x; -1"])
def test_a_cell_that_another_country_may_break_in_two(cell):
    (safe,) = through(neutralized, [cell])
    assert safe != cell
    assert safe.count("'") == 1 or cell.startswith(("\t", "\r", "\n"))
    assert through(restored, [safe]) == [cell]


@pytest.mark.parametrize("cell", ["-5", "+1.5", "-1,200.50", "-2e-3", "plain", "a = b", "it's", "", None, "2024-01-31", "a-b", "x, -1"])
def test_what_is_harmless_stays(cell):
    assert through(neutralized, [cell]) == [cell]


@given(st.text(alphabet=st.sampled_from("=+-@＝'; |\t\r\n,\"ab1. \u200b"), max_size=12))
@example("'=1")
@example("'-5")
@example("\t\t=")
@example(";;=;=")
def test_taking_the_apostrophes_off_gives_what_was(cell):
    (safe,) = through(neutralized, [cell])
    assert through(restored, [safe]) == [cell]
    assert not safe.lstrip(" \u200b").startswith(("=", "@", "＝")), "no cell begins as a formula"


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20), min_size=1, max_size=5))
def test_a_table_comes_back_from_its_file(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("csv") / "out.csv"
    write_csv(pl.DataFrame({"n": range(len(cells)), "cell": cells}), path)
    again = pl.read_csv(path, schema={"n": pl.Int64, "cell": pl.String})
    assert again.select(restored(pl.col("cell")))["cell"].to_list() == cells


def test_numbers_dates_and_truth_values_are_written_as_they_are(tmp_path):
    frame = pl.DataFrame({"=sum": [-5.5], "n": [-3], "day": [datetime.date(2024, 1, 31)], "so": [True], "why": [["=a", "b"]]})
    written = write_csv(frame.lazy(), tmp_path / "out.csv")
    assert written.read_text(encoding="utf-8") == "'=sum,n,day,so,why\n-5.5,-3,2024-01-31,true,'=a; b\n"


def test_categories_are_text_too(tmp_path):
    frame = pl.DataFrame(
        {"kind": pl.Series(["=1", "b"], dtype=pl.Categorical), "fixed": pl.Series(["@a", "b"], dtype=pl.Enum(["@a", "b"]))}
    )
    assert write_csv(frame, tmp_path / "out.csv").read_text() == "kind,fixed\n'=1,'@a\nb,b\n"


def test_a_file_that_is_there_is_written_over_only_by_force(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match="there already"):
        write_csv(pl.DataFrame({"a": [1]}), path)
    assert path.read_text() == "mine"
    write_csv(pl.DataFrame({"a": [1]}), path, force=True)
    assert path.read_text() == "a\n1\n"


def test_what_fails_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.csv"
    path.write_text("mine")
    broken = pl.LazyFrame({"a": ["x"]}).with_columns(pl.col("a").str.to_integer(strict=True))
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(broken, path, force=True)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_places_where_nothing_can_be_written(tmp_path):
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(InputError, match="this is a folder"):
        write_csv(frame, tmp_path)
    with pytest.raises(InputError, match="is not there"):
        write_csv(frame, tmp_path / "nowhere" / "out.csv")
    with pytest.raises(InputError, match="cannot be written"):
        write_csv(frame, "a\0b")
    with pytest.raises(InputError, match='column "a" holds Struct'):
        write_csv(pl.DataFrame({"a": [{"b": 1}]}), tmp_path / "out.csv")


def test_the_file_may_be_read_as_the_umask_says(tmp_path):
    mask = os.umask(0o022)
    try:
        assert write_csv(pl.DataFrame({"a": [1]}), tmp_path / "out.csv").stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(mask)
