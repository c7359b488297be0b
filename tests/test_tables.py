"""Tables are read as text, and a bad file or cell is named."""

import pytest

from painlab.errors import InputError
from painlab.tables import data_folder, nearest, number, read_table


def test_rows_are_counted_as_in_a_spreadsheet(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("drug,factor\nmorphine,1.0\ncodeine,0.15\n")
    assert read_table(file, ("drug", "factor")).rows() == [(2, "morphine", "1.0"), (3, "codeine", "0.15")]


def test_an_empty_cell_is_an_empty_text(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('drug,note\nmorphine,\ncodeine,""\n')
    assert read_table(file, ("drug", "note"))["note"].to_list() == ["", ""]


def test_columns_come_in_the_order_asked_for(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("factor,drug\n1.0,morphine\n")
    assert read_table(file, ("drug", "factor")).columns == ["row", "drug", "factor"]


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent.csv: no such file"):
        read_table(tmp_path / "absent.csv", ("drug",))


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe\x89PNG\r\n\x1a\n\x00\x80\x81"])
def test_a_file_that_is_no_table_is_refused(tmp_path, content):
    file = tmp_path / "t.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"t.csv"):
        read_table(file, ("drug",))


def test_a_ragged_table_is_refused(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("drug,factor\nmorphine,1.0,too,many\n")
    with pytest.raises(InputError, match=r"t.csv: not a readable CSV file"):
        read_table(file, ("drug", "factor"))


def test_an_unknown_column_is_named_with_the_nearest_one(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("drug,facter\nmorphine,1.0\n")
    with pytest.raises(InputError, match=r'row 1: unknown column "facter".*did you mean "factor"'):
        read_table(file, ("drug", "factor"))


def test_a_missing_column_is_named(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("drug\nmorphine\n")
    with pytest.raises(InputError, match="row 1: missing column factor"):
        read_table(file, ("drug", "factor"))


def test_the_nearest_word_is_offered_only_if_it_is_near():
    assert nearest("hayden2020", ["hayden2021", "sun2018"]) == ' (did you mean "hayden2021"?)'
    assert nearest("xyz", ["hayden2021", "sun2018"]) == ""


def test_a_number_is_read_from_a_cell():
    assert number("-0.69", where="t.csv, row 2", column="low") == -0.69


@pytest.mark.parametrize("cell", ["", "about 5", "nan", "inf", "-inf", "1,5"])
def test_a_cell_that_is_no_finite_number_is_named(cell):
    with pytest.raises(InputError, match=f't.csv, row 2: low is "{cell}"'):
        number(cell, where="t.csv, row 2", column="low")


def test_the_data_folder_holds_the_ledgers():
    assert {"sources.csv", "evidence.csv", "mme_factors.csv"} <= {file.name for file in data_folder().iterdir()}
