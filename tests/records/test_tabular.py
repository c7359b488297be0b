"""Tables of strangers: encodings, delimiters, headers, rows as a spreadsheet numbers them, and files that are no tables."""

import datetime
import gzip
import io
import os
import zipfile

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from painlab.errors import InputError
from painlab.records import tabular
from painlab.records.tabular import collected, date_order, day, number, scan, short_rows, sniff

GOOD = "person,date,drug,days\n1,2024-01-31,oxycodone é,30\n2,2024-02-01,morphine,10\n"
ROWS = [("1", "2024-01-31", "oxycodone é", "30", 2, None), ("2", "2024-02-01", "morphine", "10", 3, None)]


def held(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    return path


def values(function, cells, *options):
    return pl.DataFrame({"cell": cells}, schema={"cell": pl.String}).select(function(pl.col("cell"), *options))["cell"].to_list()


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"]
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_every_encoding_line_end_and_delimiter_reads_the_same(tmp_path, encoding, end, delimiter):
    path = held(tmp_path, GOOD.replace("\n", end).replace(",", delimiter).encode(encoding))
    assert scan(path).collect().rows() == ROWS
    layout = sniff(path)
    assert layout.encoding == {"latin-1": "cp1252"}.get(encoding, encoding)
    assert layout.delimiter == delimiter
    assert layout.header_row == 1


def test_bytes_that_windows_1252_has_not_are_latin_1(tmp_path):
    assert sniff(held(tmp_path, b"a,b\n\x81,1\n")).encoding == "latin-1"


def test_a_late_foreign_letter_is_found_and_read(tmp_path):
    rows = [b"%d,plain" % i for i in range(60_000)]
    path = held(tmp_path, b"person,drug\n" + b"\n".join([*rows, b"60000,caf\xe9"]) + b"\n")
    assert path.stat().st_size > 2 * 262_144
    assert scan(path).collect()["drug"][-1] == "café"


def test_utf8_and_windows_1252_in_one_file_are_both_read(tmp_path):
    path = held(tmp_path, "person,drug\n1,é\n".encode() + b"2,\xe9\n")
    assert sniff(path).encoding == "mixed"
    assert scan(path).collect()["drug"].to_list() == ["é", "é"]


def test_nul_bytes_are_left_out_and_counted(tmp_path):
    path = held(tmp_path, b"person,drug\n1,mor\0phine\0\n")
    assert sniff(path).nulls == 2
    assert scan(path).collect()["drug"].to_list() == ["morphine"]


def test_rows_are_those_a_spreadsheet_shows(tmp_path):
    path = held(tmp_path, b'Fills of 2024,,\n\n"person\nid",date,days\n1,"a\nb",3\n\n,,\n2,c,4\n')
    frame = scan(path).collect()
    assert sniff(path).header_row == 3
    assert sniff(path).names == ("person id", "date", "days")
    assert frame["row"].to_list() == [4, 7]
    assert frame.schema["row"] == pl.UInt32
    assert frame["date"].to_list() == ["a\nb", "c"]


def test_parquet_numbers_its_rows_alike(tmp_path):
    path = tmp_path / "fills.parquet"
    pl.DataFrame({"person": [1, 2], "row": ["a", "b"]}).write_parquet(path)
    frame = scan(path).collect()
    assert frame.columns == ["person", "row_2", "row", "surplus"]
    assert frame["row"].to_list() == [2, 3]
    assert frame.schema["person"] == pl.Int64


def test_a_header_with_missing_double_and_reserved_names(tmp_path):
    layout = sniff(held(tmp_path, b"dose,,dose,row,dose_2\n1,2,3,4,5\n"))
    assert layout.names == ("dose", "column_2", "dose_3", "row_2", "dose_2")


def test_a_table_without_a_header(tmp_path):
    path = held(tmp_path, b"1,2024-01-31,30\n2,2024-02-01,10\n")
    assert sniff(path).header_row == 0
    assert scan(path).collect().rows()[0] == ("1", "2024-01-31", "30", 1, None)


def test_what_excel_states_about_the_delimiter_is_heeded(tmp_path):
    path = held(tmp_path, b"sep=;\na,x;b\n1;2\n")
    assert sniff(path)[1:5] == (";", ".", 2, ("a,x", "b"))
    assert scan(path).collect().rows() == [("1", "2", 3, None)]


def test_cells_beyond_the_header_are_kept_and_short_rows_counted(tmp_path):
    path = held(tmp_path, b"a,b\n1,2,3,,4\n1\n1,2\n")
    assert scan(path).collect()["surplus"].to_list() == ["3,,4", None, None]
    assert short_rows(path) == (1, [3])


def test_a_quotation_mark_that_is_never_closed_takes_no_other_row_with_it(tmp_path):
    path = held(tmp_path, b'a,b\n1,"x\n' + b"2,y\n" * 100 + b'3,"5" needle"\n4,"p\nq"\n')
    frame = scan(path).collect()
    assert frame.height == 103
    assert sniff(path).stray_quotes == (2, 103)
    assert frame.row(0)[:2] == ("1", '"x')
    assert frame.row(-1) == ("4", "p\nq", 104, None)


def test_a_long_run_of_lines_in_one_quoted_cell_stays_a_cell(tmp_path):
    note = "\n".join(["word"] * 200)
    assert scan(held(tmp_path, f'a,b\n1,"{note}"\n2,c\n'.encode())).collect()["b"].to_list() == [note, "c"]


def archive(*names):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return held.getvalue()


NO_TABLES = {
    "empty": (b"", "the file is empty"),
    "blank": (b"\n \n\n", "only blank lines"),
    "only a mark": (b"\xff\xfe", "only blank lines"),
    "workbook": (archive("xl/workbook.xml"), "an Excel workbook"),
    "sheet": (archive("content.xml"), "OpenDocument"),
    "zip": (archive("a/fills.csv"), "name one of the tables inside (a/fills.csv)"),
    "damaged zip": (b"PK\x03\x04junk", "damaged"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
    "pdf": (b"%PDF-1.7\n", "a PDF"),
    "gzip": (gzip.compress(GOOD.encode()), "compressed by gzip"),
    "page": (b"\n<!DOCTYPE html><html>", "a web page"),
    "xml": (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "workbook written as XML"),
    "json": (b'[{"person": 1}]', "JSON"),
    "noise": (os.urandom(50_000), "not text"),
    "nothing but NUL": (b"\0" * 5_000, "not text"),
    "damaged parquet": (b"PAR1" + b"x" * 90 + b"PAR1", "Parquet file is damaged"),
    "a long line": (b"a,b\n" + b"x" * 3_000_000, "line 2 is longer than 1,000,000 bytes"),
    "many columns": (b"a" + b",b" * 200_000 + b"\n1\n", "at most 1,000"),
}


@pytest.mark.parametrize(("content", "said"), NO_TABLES.values(), ids=NO_TABLES.keys())
def test_what_is_no_table_is_called_by_its_name(tmp_path, content, said):
    with pytest.raises(InputError) as caught:
        sniff(held(tmp_path, content))
    assert said in str(caught.value)
    assert "table.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("path", "said"), [("/nowhere.csv", "no such file"), ("/", "a folder"), ("a\0b", "cannot be read"), ("x" * 5_000, "cannot be read")]
)
def test_what_cannot_be_opened(path, said):
    with pytest.raises(InputError, match=said):
        scan(path)


def test_a_file_that_changes_is_looked_at_again(tmp_path):
    path = held(tmp_path, b"a,b\n1,2\n")
    assert sniff(path).delimiter == ","
    path.write_bytes(b"a;b;c\n1;2;3\n")
    assert sniff(path).delimiter == ";"


def test_what_goes_wrong_later_names_the_file(tmp_path):
    frame = scan(held(tmp_path, b"a,b\n1,2\n")).with_columns(pl.col("nowhere"))
    with pytest.raises(InputError, match=r"table\.csv"):
        collected(frame, "table.csv")


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_paragraph(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("bytes") / "table.csv"
    path.write_bytes(content)
    try:
        collected(scan(path), path)
    except InputError:
        return


def test_numbers():
    assert values(number, ["1,234,567.5", "12,34", "- 5", "−5", "1 200", "1'200", "5-", ".5", "1e3"]) == [
        1234567.5, None, -5.0, -5.0, 1200.0, 1200.0, -5.0, 0.5, 1000.0
    ]  # fmt: skip
    assert values(number, ["1.234.567,5", "7,5", "7.5", "1.200"], ",") == [1234567.5, 7.5, None, 1200.0]
    assert values(number, ["inf", "NaN", "1e400", "9" * 400, "5 mg", "$5", "--5", "", None]) == [None] * 9


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_number_reads_as_it_was_written(value):
    assert values(number, [f"{value:,.6f}"]) == [float(f"{value:.6f}")]
    swapped = f"{value:,.6f}".translate(str.maketrans(",.", ".,"))
    assert values(number, [swapped], ",") == [float(f"{value:.6f}")]


@given(st.dates(datetime.date(1970, 1, 1), datetime.date(2064, 1, 1)))
def test_a_day_reads_as_it_was_written(when):
    serial = (when - datetime.date(1899, 12, 30)).days
    styles = ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d-%b-%Y", "%d%b%Y", "%B %d, %Y", "%Y-%m-%dT10:20:30Z"]
    assert values(day, [*(when.strftime(style) for style in styles), str(serial)]) == [when] * 9
    assert values(day, [when.strftime("%d/%m/%Y"), when.strftime("%d.%m.%y"), when.strftime("%d/%m/%Y 10:20")], "dmy") == [when] * 3
    assert values(day, [when.strftime("%m/%d/%Y"), when.strftime("%m-%d-%y")], "mdy") == [when] * 2
    assert values(day, [when.strftime("%d/%m/%Y")]) == [None]


def test_days_that_are_none():
    assert values(day, ["2024-02-30", "20241301", "99/99/9999", "soon", "12345", "25/03/2024"], "mdy") == [None] * 6


def test_the_order_of_day_and_month():
    assert date_order(pl.Series(["31/01/2024"])) == "dmy"
    assert date_order(pl.Series(["01/31/2024 10:00"])) == "mdy"
    assert date_order(pl.Series(["03/04/2024"])) == "ambiguous"
    assert date_order(pl.Series(["05/05/2024"])) == "dmy", "the same day in both orders"
    assert date_order(pl.Series(["31/01/2024", "01/31/2024"])) == "mixed"
    assert date_order(pl.Series(["2024-01-31", None])) == "iso"


def test_the_module_keeps_what_others_code_against():
    assert {"Layout", "collected", "date_order", "day", "number", "scan", "sniff"} <= set(tabular.__all__)
