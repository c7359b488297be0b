"""The data doctor: what columns seem to be, which rows cannot be right, what is missing and what must be asked."""

import datetime

import polars as pl
import pytest

from painlab.errors import InputError
from painlab.records.doctor import examine, parts
from painlab.records.profiling import role_named

HEADER = "PAT_ID,Fill Date,Drug Name,Strength,Qty,Days Supply"
GOOD = ["1001,2024-01-31,oxycodone 5 mg tablet,5,60,30", "1002,2024-02-01,morphine ER 15 mg,15,30,15"]


@pytest.fixture
def table(tmp_path):
    def made(*rows, header=HEADER, encoding="utf-8"):
        path = tmp_path / "fills.csv"
        path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
        return path

    return made


def found(examined):
    return {(one.key, one.column): (one.rows, one.first_rows) for one in examined.found}


def test_a_good_table_is_told_so(table):
    examined = examine(table(*GOOD))
    assert examined.found == ()
    assert examined.columns["seems"].to_list() == ["person identifier", "date", "drug name", "strength", "quantity", "days' supply"]
    assert examined.columns["filled"].to_list() == [1.0] * 6
    assert examined.columns["example"][0] == "1001"
    assert examined.mapping == {
        "person": "PAT_ID", "date": "Fill Date", "drug": "Drug Name", "strength": "Strength", "quantity": "Qty",
        "days_supply": "Days Supply",
    }  # fmt: skip
    assert examined.uses.filter(pl.col("use") == "Prescriptions to MME")["ready"].item()
    assert "Nothing found." in examined.text()


# what stands in row 4 of the file, and the finding it makes: key and column
BROKEN = {
    "negative days": ("1,2024-01-31,oxycodone,5,60,-3", "negative", "Days Supply"),
    "days of 15,000": ("1,2024-01-31,oxycodone,5,60,15000", "too large", "Days Supply"),
    "zero quantity": ("1,2024-01-31,oxycodone,5,0,30", "zero", "Qty"),
    "a word for a number": ("1,2024-01-31,oxycodone,5,many,30", "unreadable number", "Qty"),
    "thousands or thousandths": ("1,2024-01-31,oxycodone,5,1.200,30", "thousands", "Qty"),
    "no person": (",2024-01-31,oxycodone,5,60,30", "no person", "PAT_ID"),
    "a mark for no person": ("N/A,2024-01-31,oxycodone,5,60,30", "no person", "PAT_ID"),
    "no date": ("1,,oxycodone,5,60,30", "no date", "Fill Date"),
    "no day of the calendar": ("1,2024-02-30,oxycodone,5,60,30", "unreadable date", "Fill Date"),
    "the future": ("1,2924-01-31,oxycodone,5,60,30", "future", "Fill Date"),
    "a placeholder": ("1,1900-01-01,oxycodone,5,60,30", "early", "Fill Date"),
    "a shortened identifier": ("1.23E+11,2024-01-31,oxycodone,5,60,30", "shortened", "PAT_ID"),
    "a wrong encoding before": ("1,2024-01-31,oxycodone cafÃ©,5,60,30", "mojibake", "Drug Name"),
    "a spreadsheet's error": ("1,2024-01-31,#REF!,5,60,30", "broken", "Drug Name"),
    "a formula": ("1,2024-01-31,=cmd|' /C calc'!A0,5,60,30", "formula", "Drug Name"),
    "shifted cells": ("1,2024-01-31,oxycodone, 5 mg,5,60,30", "surplus", ""),
    "totals": ("Total,,,,1234,", "totals", ""),
    "the header again": (HEADER, "header", ""),
    "an equal row": (GOOD[0], "equal rows", ""),
    "too few cells": ("1,2024-01-31,oxycodone,5", "short rows", ""),
    "the same person": ("01001,2024-01-31,oxycodone,5,60,30", "people alike", "PAT_ID"),
}


@pytest.mark.parametrize(("row", "key", "column"), BROKEN.values(), ids=BROKEN.keys())
def test_what_cannot_be_right_is_named_by_row(table, row, key, column):
    examined = examine(table(*GOOD, row))
    assert found(examined) == {(key, column): (1, (4,))}
    assert "row 4" in examined.text()


def test_two_decimal_signs_in_a_column(table):
    examined = examine(table("1,2024-01-31,a,2.5,60,30", "2,2024-01-31,a,7.5,60,30", '3,2024-01-31,a,"7,5",60,30'))
    assert found(examined) == {("decimal", "Strength"): (1, (4,))}


def test_rows_are_counted_and_the_first_five_named(table):
    examined = examine(table(*GOOD, *["1,2024-01-31,oxycodone,5,0,30"] * 3, *["1,2024-02-01,oxycodone,5,0,30"] * 6))
    assert found(examined)["zero", "Qty"] == (9, (4, 5, 6, 7, 8))
    line = next(str(one) for one in examined.found if one.key == "zero")
    assert line.startswith("Qty, 9 rows (4, 5, 6, 7, 8 and 4 more): 0 units in one fill.")


def test_rows_beyond_the_sample_are_examined_too(table):
    examined = examine(table(*[GOOD[0].replace("1001", f"{person}") for person in range(1, 25_001)], "9,2024-01-31,oxycodone,5,60,-1"))
    assert examined.rows == 25_001
    assert found(examined)["negative", "Days Supply"] == (1, (25_002,))


def test_dates_that_may_mean_two_days_are_asked_about(table):
    rows = ["1,03/04/2024,oxycodone,5,60,30", "2,05/06/2024,oxycodone,5,60,30"]
    examined = examine(table(*rows))
    assert len(examined.questions) == 1
    assert "03/04/2024" in examined.questions[0] and "--dates dmy" in examined.questions[0]
    with pytest.raises(InputError, match="waits for an answer"):
        examined.cleaned()
    days = {order: examine(table(*rows), dates=order).cleaned().frame.collect()["Fill Date"].to_list() for order in ("dmy", "mdy")}
    assert days == {"dmy": ["2024-04-03", "2024-06-05"], "mdy": ["2024-03-04", "2024-05-06"]}


def test_a_date_above_twelve_settles_the_order(table):
    examined = examine(table("1,03/04/2024,oxycodone,5,60,30", "2,25/06/2024,oxycodone,5,60,30"))
    assert examined.questions == ()
    assert 'dates="dmy"' in examined.reading()


def test_two_orders_in_a_column_are_not_guessed_at(table):
    examined = examine(table("1,25/04/2024,oxycodone,5,60,30", "2,04/25/2024,oxycodone,5,60,30"))
    assert ("mixed order", "Fill Date") in found(examined)
    with pytest.raises(InputError, match="Two sources were joined"):
        examined.cleaned()


def test_an_order_that_the_dates_contradict_makes_them_unreadable(table):
    examined = examine(table("1,25/04/2024,oxycodone,5,60,30", "2,04/05/2024,oxycodone,5,60,30"), dates="mdy")
    assert found(examined) == {("unreadable date", "Fill Date"): (1, (2,))}


def test_dates_in_several_styles_are_counted(table):
    rows = ["1,2024-01-31,a,5,60,30", "2,45323,a,5,60,30", "3,31/01/2024,a,5,60,30", "4,3 Feb 2024,a,5,60,30", "5,20240131,a,5,60,30"]
    finding = next(one for one in examine(table(*rows)).found if one.key == "date styles")
    for style in ("year first", "serial", "day and month as numbers", "month's name", "compact"):
        assert f"1 {style}" in finding.what or style in finding.what


def test_people_twice_in_a_table_of_people(table):
    rows = [f"{person},50,F" for person in range(1, 21)]
    assert found(examine(table(*rows, "7,51,F", header="person_id,age,sex"))) == {("people twice", "person_id"): (1, (8,))}


def test_private_columns_are_pointed_out(table):
    examined = examine(table("1,Ann,a@b.org,1950-01-31", "2,Bob,c@d.org,1960-01-31", header="person_id,first_name,contact,dob"))
    assert {column for key, column in found(examined) if key == "private"} == {"first_name", "contact", "dob"}


def test_a_stranger_without_names_is_told_by_content(table):
    rows = [f"p{n},2024-01-{n % 28 + 1:02},oxycodone 5 mg,M54.5,{'MF'[n % 2]},{n},,same" for n in range(1, 61)]
    examined = examine(table(*rows, header="a,b,c,d,e,f,g,h"))
    assert examined.columns["seems"].to_list() == [
        "code or identifier", "date", "drug name", "condition code", "sex", "row number", "empty", "constant (one value throughout)"
    ]  # fmt: skip
    lacking = dict(examined.uses.select("use", "lacks").rows())
    assert lacking["Prescriptions to MME"] == "person identifier, quantity, days' supply"


def test_a_table_of_pain(table):
    examined = examine(table("1,2024-01-31,7", "1,2024-02-28,-2", "2,2024-02-28,4", header="patient,visit_date,pain_score"))
    assert examined.uses.filter(pl.col("use") == "Pain over time")["ready"].item()
    assert found(examined) == {("negative", "pain_score"): (1, (3,))}


def test_parquet_is_examined_alike(tmp_path):
    path = tmp_path / "fills.parquet"
    frame = {
        "person_id": [1, 2, None],
        "fill_date": [datetime.date(2024, 1, 31)] * 3,
        "drug": ["oxycodone"] * 3,
        "qty": [60.0, -1.0, 30.0],
        "n": [[1]] * 3,
    }
    pl.DataFrame(frame).write_parquet(path)
    assert found(examine(path)) == {("no person", "person_id"): (1, (4,)), ("negative", "qty"): (1, (3,))}


def test_a_header_without_rows(table):
    with pytest.raises(InputError, match=r"a header and no row of data.*PAT_ID"):
        examine(table())


def test_an_unknown_order(table):
    with pytest.raises(InputError, match='dates is "ymd"'):
        examine(table(*GOOD), dates="ymd")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("PATIENT_ID", "person"), ("patid", "person"), ("Patienten-ID", "person"), ("DAYS_SUPPLY", "days"), ("daysSupply", "days"),
        ("Days’ Supply", "days"),
        ("Dispensed Date", "date"), ("Abgabedatum", "date"), ("QUANTITY_DISPENSED", "quantity"), ("Menge", "quantity"),
        ("Stärke", "strength"),
        ("NDC", "drug code"), ("Drug Name", "drug"), ("pain_nrs", "pain"), ("ICD10", "condition"), ("gender", "sex"),
        ("Date of Birth", "birth"),
        ("surname", "private"), ("weather", ""), ("", ""),
    ],
)  # fmt: skip
def test_names_that_systems_give(name, role):
    assert role_named(name) == role


def test_the_date_of_dispensing_is_taken_before_others():
    assert parts({"order_date": "date", "dispensed_date": "date", "dob": "birth"})["date"] == "dispensed_date"


def test_examining_leaves_the_file_as_it_was(table):
    path = table(*GOOD)
    before = path.read_bytes()
    examine(path).cleaned().frame.collect()
    assert path.read_bytes() == before
