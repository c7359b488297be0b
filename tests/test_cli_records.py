"""`painlab doctor FILE`: what it prints, what it writes, and how it refuses."""

import json

import pytest
from click.testing import CliRunner

from painlab.cli.records import doctor
from painlab.cli.terminal import Commands

HEADER = "PAT_ID,Fill Date,Drug Name,Strength,Qty,Days Supply\n"
ROWS = "1,31/01/2024,oxycodone [red]5 mg,5,60,30\n2,01/02/2024,\x1b[31mmorphine,15,30,15000\n"


def ran(*arguments):
    group = Commands("painlab", commands={"doctor": doctor})
    return CliRunner().invoke(group, ["doctor", *map(str, arguments)])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "fills.csv"
    path.write_text(HEADER + ROWS)
    return path


def test_it_says_what_the_table_holds(table):
    result = ran(table)
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    for said in ("2 rows, 6 columns", "person identifier", "days' supply", "row 3: above 400 days' supply", "painlab.records.read("):
        assert said in text
    assert "[red]" in text, "no text of the file is markup"
    assert "\x1b" not in result.output


def test_json_is_whole(table, tmp_path):
    told = json.loads(ran(table, "--json", "--clean", tmp_path / "clean.csv").output)
    assert told["rows"] == 2
    assert told["roles"]["date"] == "Fill Date"
    assert [(one["key"], one["first_rows"]) for one in told["findings"]] == [("too large", [3])]
    assert list(told["written"].values()) == [2, 0, 2]


def test_a_cleaned_copy_only_when_asked(table, tmp_path):
    ran(table)
    assert [path.name for path in tmp_path.iterdir()] == ["fills.csv"]
    result = ran(table, "--clean", tmp_path / "clean.csv")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "clean.csv").read_text().splitlines()[1] == "1,2024-01-31,oxycodone [red]5 mg,5,60,30,2"
    again = ran(table, "--clean", tmp_path / "clean.csv")
    assert (again.exit_code, "there already" in again.output) == (2, True)
    assert ran(table, "--clean", tmp_path / "clean.csv", "--force").exit_code == 0
    own = ran(table, "--clean", table, "--force")
    assert (own.exit_code, "the table itself" in own.output) == (2, True)
    assert table.read_text() == HEADER + ROWS


def test_ambiguous_dates_are_asked_about(table, tmp_path):
    table.write_text(HEADER + "1,03/04/2024,oxycodone,5,60,30\n")
    assert "--dates dmy" in ran(table).output
    refused = ran(table, "--clean", tmp_path / "clean.csv")
    assert (refused.exit_code, "waits for an answer" in refused.output) == (2, True)
    assert ran(table, "--clean", tmp_path / "clean.csv", "--dates", "mdy").exit_code == 0
    assert "2024-03-04" in (tmp_path / "clean.csv").read_text()


@pytest.mark.parametrize("arguments", [["--clean", "out.csv"], ["--dates", "dmy"], ["--json"], ["--force"]])
def test_options_without_a_table(arguments):
    result = ran(*arguments)
    assert (result.exit_code, "no table is named" in result.output) == (2, True)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7", b"a,b\n", b"\xff\xfe"])
def test_no_table_is_one_paragraph(tmp_path, content):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    result = ran(path)
    assert result.exit_code == 2
    assert result.output.startswith("painlab: ")
    assert "Traceback" not in result.output


def test_a_missing_file(tmp_path):
    result = ran(tmp_path / "nowhere.csv")
    assert (result.exit_code, "there is no such file" in result.output) == (2, True)
