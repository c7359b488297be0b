"""A cleaned copy: nothing is lost, each change is listed, and nothing that was there is written over."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from painlab.errors import InputError
from painlab.records.doctor import examine
from painlab.records.export import restored

MESS = """Apotheke Süd, Abgaben 2024;;;;;
PatNr;Abgabedatum;Medikament;Stärke;Menge;Reichdauer
001;31.01.2024;Oxycodon 10 mg;10,5;60 Tabletten;30
 1 ;45355;Tramadol;50;1.200;n/a
2;31 Jan 2024;=cmd;7,5;-30;10

3;30.02.2024;Morphin;20;30;10
4;03.04.2024;Morphin;20;30;10;a;b
;03.04.2024;Morphin;20;30;10
PatNr;Abgabedatum;Medikament;Stärke;Menge;Reichdauer
Summe;;;;1320;
"""


@pytest.fixture
def mess(tmp_path):
    path = tmp_path / "mess.csv"
    path.write_bytes(MESS.replace("\n", "\r\n").encode("cp1252"))
    return path


def test_what_can_be_read_is_written_in_one_way(mess):
    frame = examine(mess).cleaned().frame.collect()
    assert frame.rows() == [
        ("001", "2024-01-31", "Oxycodon 10 mg", "10.5", "60", "30", 3),
        ("1", "2024-03-04", "Tramadol", "50", "1200", None, 4),
        ("2", "2024-01-31", "=cmd", "7.5", "-30", "10", 5),
    ]
    assert frame.columns[-1] == "source_row"


def test_what_cannot_be_read_is_set_aside_with_its_reason(mess):
    aside = examine(mess).cleaned().set_aside.collect()
    assert aside["source_row"].to_list() == [7, 8, 9, 10, 11]
    for reason, said in zip(
        aside["reason"], ["no day of the calendar", "more cells", "no person", "header once more", "a total"], strict=True
    ):
        assert said in reason
    assert aside.row(1)[2:] == ("4", "03.04.2024", "Morphin", "20", "30", "10", "a;b")


def test_each_change_is_listed(mess):
    changes = examine(mess).cleaned().changes.collect()
    assert changes.filter(pl.col("source_row") == 4).rows() == [
        (4, "PatNr", " 1 ", "1"), (4, "Abgabedatum", "45355", "2024-03-04"), (4, "Menge", "1.200", "1200"), (4, "Reichdauer", "n/a", None)
    ]  # fmt: skip
    assert examine(mess).cleaned().summary().filter(pl.col("column") == "Stärke").row(0) == ("Stärke", 2, 3, "10,5", "10.5")


def test_three_files_are_written_and_none_is_written_over(mess, tmp_path):
    cleaned, out = examine(mess).cleaned(), tmp_path / "clean.csv"
    written = cleaned.write(out)
    assert {path.name: rows for path, rows in written.items()} == {"clean.csv": 3, "clean.set-aside.csv": 5, "clean.changes.csv": 9}
    assert "'=cmd" in out.read_text(encoding="utf-8")
    with pytest.raises(InputError, match="there already"):
        cleaned.write(out)
    cleaned.write(out, force=True)
    before = mess.read_bytes()
    with pytest.raises(InputError, match="the table itself"):
        cleaned.write(mess, force=True)
    assert mess.read_bytes() == before
    link = tmp_path / "link.csv"
    link.hardlink_to(mess)
    with pytest.raises(InputError, match="the table itself"):
        cleaned.write(link, force=True)


def test_a_cleaned_copy_needs_no_cleaning(mess, tmp_path):
    out = tmp_path / "clean.csv"
    examine(mess).cleaned().write(out)
    again = examine(out).cleaned()
    assert again.set_aside.collect().is_empty()
    assert again.changes.collect().is_empty()


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(*[st.text(alphabet=st.sampled_from("ab1290.,-/=Ü '\"\n\t"), max_size=8)] * 3), min_size=1, max_size=8
    )
)  # fmt: skip
def test_no_cell_is_lost(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("table")
    table = pl.DataFrame([("p", *row) for row in rows] + [("q", "1", "2", "3")], schema=["person", "qty", "note", "other"], orient="row")
    table.write_csv(folder / "table.csv", quote_style="always")
    cleaned = examine(folder / "table.csv").cleaned()
    cleaned.write(folder / "clean.csv")
    kept = pl.read_csv(folder / "clean.csv", infer_schema=False)
    aside = pl.read_csv(folder / "clean.set-aside.csv", infer_schema=False)
    changes = cleaned.changes.collect()
    assert kept.height + aside.height == table.height
    was = {(row, column): text for row, column, text, _ in changes.rows()}
    for name in ("note", "other"):
        for row, text in zip(kept["source_row"], kept.select(restored(pl.col(name)))[name], strict=True):
            original = table[name][int(row) - 2]
            assert was.get((int(row), name), text or "") == (original or "")
