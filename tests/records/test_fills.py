"""Fills from strangers' tables: every row counts or is listed with its row and the reason."""

import datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from painlab import records
from painlab.errors import InputError
from painlab.records import plausibility

GOOD = {"person": "a", "date": "2024-01-31", "drug": "oxycodone 5 mg tablet", "quantity": "60", "days_supply": "30"}


def table(*rows: dict[str, str | None]) -> pl.DataFrame:
    return pl.DataFrame([GOOD | row for row in rows], schema=dict.fromkeys(GOOD, pl.String))


def told(**changed: str | None) -> tuple[list[str], bool]:
    return records.read(table(changed)).select("problems", "usable").collect().row(0)


FATAL = [
    ({"person": " "}, plausibility.PERSON_MISSING),
    ({"date": "2024-02-30"}, plausibility.DATE_UNREADABLE),
    ({"date": "1989-12-31"}, plausibility.DATE_EARLY),
    ({"date": (datetime.date.today() + datetime.timedelta(days=2)).isoformat()}, plausibility.DATE_FUTURE),
    ({"drug": "lisinopril 10 mg"}, plausibility.NOT_OPIOID),
    ({"drug": "oxycodone"}, plausibility.STRENGTH_MISSING),
    ({"drug": "oxycodone 500 mg"}, plausibility.STRENGTH_RANGE),
    ({"quantity": "0"}, plausibility.QUANTITY_ZERO),
    ({"quantity": "-60"}, plausibility.QUANTITY_NEGATIVE),
    ({"quantity": "many"}, plausibility.QUANTITY_MISSING),
    ({"days_supply": "-1"}, plausibility.DAYS_NEGATIVE),
    ({"days_supply": "15000"}, plausibility.DAYS_LONG),
    ({"drug": "Sublocade 300 mg injection"}, plausibility.NO_DAILY_DOSE),
    ({"drug": "morphine 10 mg/ml injection"}, plausibility.NO_FACTOR),
    ({"quantity": "4000", "days_supply": "1"}, plausibility.DOSE_IMPOSSIBLE),
]
FLAGGED = [
    ({"days_supply": "0"}, plausibility.DAYS_ASSUMED),
    ({"days_supply": None}, plausibility.DAYS_ASSUMED),
    ({"days_supply": "121"}, plausibility.DAYS_UNUSUAL),
    ({"quantity": "5001", "days_supply": "120"}, plausibility.QUANTITY_LARGE),
    ({"quantity": "140", "days_supply": "1"}, plausibility.DOSE_HIGH),
]


@pytest.mark.parametrize(("changed", "problem"), FATAL, ids=[problem for _, problem in FATAL])
def test_an_impossible_row_is_set_aside_with_the_reason(changed, problem):
    problems, usable = told(**changed)
    assert problem in problems
    assert not usable


@pytest.mark.parametrize(("changed", "problem"), FLAGGED, ids=[f"{problem} {changed}" for changed, problem in FLAGGED])
def test_an_unusual_row_counts_and_is_flagged(changed, problem):
    problems, usable = told(**changed)
    assert problem in problems
    assert usable


def test_a_sound_row_has_no_problems():
    assert told() == ([], True)


def test_columns_are_recognized_by_common_names_and_mapped_by_stated_ones():
    frame = table({}).rename({"person": "PAT_ID", "date": "Fill Date", "drug": "Medication Name", "quantity": "Qty Dispensed"})
    assert records.read(frame).collect()["usable"].to_list() == [True]
    odd = frame.rename({"PAT_ID": "x1"})
    with pytest.raises(InputError, match=r"no column seems to hold person; the columns are x1, Fill Date.*columns=\{\"person\""):
        records.read(odd)
    assert records.read(odd, {"person": "x1"}).collect()["person"].to_list() == ["a"]
    with pytest.raises(InputError, match='no column "x2" for person'):
        records.read(odd, {"person": "x2"})
    with pytest.raises(InputError, match='unknown field "persn"'):
        records.read(odd, {"persn": "x1"})


def test_day_and_month_are_told_from_the_dates_and_never_guessed():
    clear = table({"date": "03/04/2024"}, {"date": "25/04/2024"})
    assert records.read(clear).collect()["date"][0] == datetime.date(2024, 4, 3)
    unclear = table({"date": "03/04/2024"})
    with pytest.raises(InputError, match="no date tells whether day or month stands first"):
        records.read(unclear)
    assert records.read(unclear, dates="mdy").collect()["date"][0] == datetime.date(2024, 3, 4)
    mixed = table({"date": "25/04/2024"}, {"date": "04/25/2024"})
    with pytest.raises(InputError, match="some dates have the day first"):
        records.read(mixed)
    assert records.read(mixed, dates="dmy").collect()["problems"].to_list() == [[], [plausibility.DATE_UNREADABLE]]
    with pytest.raises(InputError, match='dates is "ymd"'):
        records.read(mixed, dates="ymd")


def test_patches_without_days_supply_last_as_long_as_they_are_worn():
    fills = records.read(table({"drug": "fentanyl 25 mcg/h patch", "quantity": "10", "days_supply": None}))
    assert fills.collect()["days_supply"].to_list() == [30.0]
    weekly_worn = records.read(table({"drug": "BuTrans 10 mcg/hour patch", "quantity": "4", "days_supply": "0"}))
    assert weekly_worn.collect()["days_supply"].to_list() == [28.0]


def test_days_of_as_needed_use_can_be_stated_within_bounds():
    assert records.read(table({"days_supply": None}), as_needed_days=10).collect()["days_supply"].to_list() == [10.0]
    with pytest.raises(InputError, match="as_needed_days is 0"):
        records.read(table({}), as_needed_days=0)


def test_a_semicolon_file_with_decimal_commas_in_cp1252_reads_as_any_other(tmp_path):
    file = tmp_path / "abgabe.csv"
    lines = [
        "Person;Datum;Arzneimittel;Menge;Reichweite",
        "Müller;31.01.2024;Oxycodon 10 mg Retardtabletten;50;25",
        "Özil;15.02.2024;Morphin 10 mg;7,5;5",
    ]
    file.write_bytes("\r\n".join(lines).encode("cp1252"))
    fills = records.read(file).collect()
    assert fills["person"].to_list() == ["Müller", "Özil"]
    assert fills["quantity"].to_list() == [50.0, 7.5]
    assert fills["row"].to_list() == [2, 3]
    assert fills["usable"].all()


def test_parquet_with_types_reads_as_csv_does(tmp_path):
    typed = table({}, {"quantity": "30"}).with_columns(
        pl.col("date").str.to_date(), pl.col("quantity").cast(pl.Int32), pl.col("days_supply").cast(pl.Int64), person=pl.Series([7.0, 8.0])
    )
    typed.write_parquet(tmp_path / "fills.parquet")
    typed.with_columns(pl.col("person").cast(pl.Int64)).write_csv(tmp_path / "fills.csv")
    from_parquet, from_csv = (records.read(tmp_path / f"fills.{kind}").collect() for kind in ("parquet", "csv"))
    assert from_parquet.equals(from_csv)
    assert from_parquet["person"].to_list() == ["7", "8"]


def test_a_row_with_more_cells_than_the_header_is_not_believed(tmp_path):
    file = tmp_path / "fills.csv"
    file.write_text("person,date,drug,quantity\na,2024-01-31,oxycodone 5 mg,60\na,2024-02-28,oxycodone,5 mg,60\n")
    assert records.read(file).collect()["problems"][1].to_list()[-1] == plausibility.SHIFTED


def test_an_exact_duplicate_is_listed_and_counted_once():
    fills = records.read(table({}, {}, {"quantity": "61"}))
    assert records.problems(fills).select("row", "problem", "set_aside").rows() == [(3, plausibility.DUPLICATE, True)]
    covered = records.coverage(fills)
    assert (covered.rows, covered.counted, covered.set_aside) == (3, 2, 1)


def test_problems_hang_on_the_version_of_the_factors():
    fills = records.read(table({"drug": "butorphanol 10 mg/ml nasal spray"}), factors="CDC 2022")
    assert records.problems(fills)["problem"].to_list() == [plausibility.NO_FACTOR]
    assert records.problems(fills, "CDC 2018").is_empty()
    assert records.coverage(fills, "CDC 2018").counted == 1
    with pytest.raises(InputError, match="unknown version"):
        records.problems(fills, "CDC 2020")


def test_coverage_is_told_in_plain_sentences():
    fills = records.read(
        table({}, {"person": "b", "date": "2024-03-01"}, {"quantity": "0"}, {"drug": "aspirin"}, {"drug": "Suboxone 8-2 mg film"})
    )
    text = str(records.coverage(fills))
    assert "5 rows read; 3 count under CDC 2022; 2 are set aside." in text
    assert "What counts is of 2 people, filled from 2024-01-31 to 2024-03-01." in text
    assert "1 row of what counts is buprenorphine" in text
    assert "quantity is 0 (1 row)" in text
    assert "aspirin (1)" in text
    nothing = records.coverage(records.read(table({"quantity": "0"})))
    assert "No row counts" in str(nothing)
    assert str(records.coverage(records.read(table({}).clear()))).startswith("The table has no rows")


CELLS = {
    "person": st.sampled_from(["a", "b", None]),
    "date": st.sampled_from(["2024-01-31", "2024-02-28", "nonsense", "1950-01-01", None]),
    "drug": st.sampled_from(["oxycodone 5 mg", "Fentanyl 25 mcg/h patch", "aspirin", "Suboxone 8-2 mg film", "morphine", None]),
    "quantity": st.sampled_from(["60", "0", "-1", "x", None, "9999999"]),
    "days_supply": st.sampled_from(["30", "0", "-5", "15000", None]),
}


@settings(max_examples=20)
@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=12))
def test_every_row_is_counted_or_listed(rows):
    fills = records.read(pl.DataFrame(rows, schema=dict.fromkeys(CELLS, pl.String)))
    covered, listed = records.coverage(fills), records.problems(fills)
    aside = listed.filter("set_aside")["row"].unique()
    assert covered.rows == len(rows)
    assert covered.counted == len(rows) - len(aside)
    told_aside = {row["problem"]: row["rows"] for row in covered.reasons.filter("set_aside").iter_rows(named=True)}
    assert told_aside == dict(listed.filter("set_aside").group_by("problem").len().iter_rows())


def test_sample_fills_are_made_up_the_same_each_time_and_say_so():
    fills = records.sample_fills(people=50, seed=3)
    assert fills.equals(records.sample_fills(people=50, seed=3))
    assert not fills.equals(records.sample_fills(people=50, seed=4))
    assert fills["person"].str.starts_with("made-up-").all()
    assert fills["usable"].all()
    assert fills.columns == list(records.read(table({})).collect_schema())
    with pytest.raises(InputError, match="people is 0"):
        records.sample_fills(people=0)
