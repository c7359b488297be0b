"""The ledgers that ship are sound, and every fault in a ledger is named by file and row."""

import csv

import polars as pl
import pytest

from painlab import evidence
from painlab.errors import InputError
from painlab.tables import data_folder

SOURCE = {
    "id": "hayden2021", "authors": "Hayden JA et al.", "year": "2021", "title": "Exercise", "journal": "Cochrane",
    "doi": "10.1002/14651858.CD009790.pub2", "pmid": "", "kind": "meta", "note": "",
}  # fmt: skip
ESTIMATE = {
    "id": "T05-01", "topic": "exercise", "population": "trials", "condition": "chronic low back pain", "intervention": "exercise",
    "comparator": "none", "outcome": "pain", "scale": "0-100", "time_weeks": "12", "n": "2746", "estimate": "-15", "low": "-18",
    "high": "-12", "unit": "points", "direction_note": "", "source": "hayden2021", "quality": "meta", "use": "calibrate",
    "checked": "table",
}  # fmt: skip
FACTOR = {
    "drug": "morphine", "factor": "1.0", "unit": "MME/mg", "version": "CDC 2022", "dose_from": "", "dose_to": "",
    "class": "full agonist", "route": "oral", "source": "hayden2021", "note": "",
}  # fmt: skip


@pytest.fixture
def ledger(tmp_path):
    """Write a table of rows; a row is a good one with some cells changed."""

    def write(name, good, *changes):
        file = tmp_path / name
        with file.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, list(good))
            writer.writeheader()
            writer.writerows([good | change for change in changes])
        return file

    return write


def factor(version, drug):
    table = evidence.mme_factors(version).filter((pl.col("drug") == drug) & (pl.col("unit") != "MME/mcg"))
    return table["factor"].to_list()


# What ships


def test_every_source_can_be_found_or_says_that_it_was_not():
    table = evidence.sources()
    unidentified = table.filter((pl.col("doi") == "") & (pl.col("pmid") == ""))
    assert table.height > 100
    assert all("publisher report" in note or "not found" in note for note in unidentified["note"])


def test_every_figure_has_a_source():
    assert set(evidence.estimates()["source"]) <= set(evidence.sources()["id"])


def test_every_source_is_used():
    factors = pl.concat([evidence.mme_factors(version) for version in evidence.MME_VERSIONS])
    assert set(evidence.sources()["id"]) == set(evidence.estimates()["source"]) | set(factors["source"])


def test_columns_are_typed():
    schema = evidence.estimates().schema
    assert [schema[column] for column in ("time_weeks", "estimate", "low", "high")] == [pl.Float64] * 4
    assert schema["n"] == pl.Int64
    assert evidence.sources().schema["year"] == pl.Int32


def test_a_figure_that_was_not_found_is_context_only():
    lost = evidence.estimates().filter(pl.col("checked") == "not found")
    assert lost.height > 0
    assert set(lost["use"]) == {"context"}


def test_first_provider_effects_never_calibrate():
    table = evidence.estimates().filter(pl.col("id").is_in(["T06-12", "T06-13", "T06-14"]))
    assert set(table["use"]) == {"context"}


def test_the_corrected_taper_risk_is_the_one_in_use():
    table = evidence.estimates()
    assert table.filter((pl.col("id") == "T04-05") & (pl.col("use") == "calibrate"))["estimate"].item() == 1.28
    assert table.filter((pl.col("id") == "T04-05d") & (pl.col("use") == "context"))["estimate"].item() == 1.68


def test_the_ledger_names_no_place_on_a_machine_and_no_address():
    for name in ("sources.csv", "evidence.csv", "mme_factors.csv"):
        text = (data_folder() / name).read_text(encoding="utf-8")
        assert "http" not in text and "/work" not in text


# MME factors, as the three versions print them


@pytest.mark.parametrize("version", evidence.MME_VERSIONS)
def test_morphine_is_the_measure_in_every_version(version):
    assert factor(version, "morphine") == [1.0]


@pytest.mark.parametrize("version", evidence.MME_VERSIONS)
def test_versions_agree_on_the_drugs_that_did_not_change(version):
    unchanged = {"codeine": 0.15, "hydrocodone": 1.0, "oxycodone": 1.5, "oxymorphone": 3.0, "tapentadol": 0.4, "fentanyl": 2.4}
    assert {drug: factor(version, drug) for drug in unchanged} == {drug: [value] for drug, value in unchanged.items()}


def test_hydromorphone_rose_from_four_to_five():
    assert [factor(version, "hydromorphone") for version in evidence.MME_VERSIONS] == [[4.0], [4.0], [5.0]]


def test_tramadol_doubled_and_is_absent_from_the_2016_table():
    assert [factor(version, "tramadol") for version in evidence.MME_VERSIONS] == [[], [0.1], [0.2]]


def test_methadone_went_by_dose_in_2016_only():
    assert [factor(version, "methadone") for version in evidence.MME_VERSIONS] == [[4.0, 8.0, 10.0, 12.0], [3.0], [4.7]]


def test_methadone_bands_of_2016_meet_without_gap():
    bands = evidence.mme_factors("CDC 2016").filter(pl.col("drug") == "methadone").select("dose_from", "dose_to").rows()
    assert bands == [(0.0, 20.0), (20.0, 40.0), (40.0, 60.0), (60.0, None)]


def test_factors_of_2022_are_those_of_the_ledger():
    table = evidence.estimates().filter(pl.col("unit").is_in(["MME/mg", "MME per mcg/h"]))
    published = {row["intervention"].removesuffix(" patch"): [row["estimate"]] for row in table.iter_rows(named=True)}
    assert published == {drug: factor("CDC 2022", drug) for drug in published}
    assert len(published) == evidence.mme_factors("CDC 2022").height == 10


def test_no_version_gives_buprenorphine_a_factor():
    assert all(factor(version, "buprenorphine") == [] for version in evidence.MME_VERSIONS)


def test_an_unknown_version_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r'"CDC 2021".*did you mean "CDC 20'):
        evidence.mme_factors("CDC 2021")


# Citations and sources of parameters


def test_a_figure_is_cited_by_its_paper():
    assert evidence.citation("T05-01") == evidence.citation("hayden2021")
    assert evidence.citation("hayden2021") == "Hayden 2021, Cochrane Database Syst Rev, doi:10.1002/14651858.CD009790.pub2"


def test_a_citation_keeps_a_family_name_of_several_words():
    assert evidence.citation("menezes2012").startswith("Menezes Costa 2012, CMAJ")
    assert evidence.citation("vanderwindt1996") == "van der Windt 1996, Br J Gen Pract, PMID 8917870"


def test_a_report_is_cited_by_its_title():
    assert "Oral morphine milligram equivalent" in evidence.citation("cdc2018")


def test_every_key_can_be_cited():
    keys = [*evidence.sources()["id"], *evidence.estimates()["id"]]
    assert all(len(evidence.citation(key)) > 10 for key in keys)


def test_an_unknown_citation_is_named_with_the_nearest():
    with pytest.raises(InputError, match=r'unknown source "haydn2021".*did you mean "hayden2021"'):
        evidence.citation("haydn2021")


@pytest.mark.parametrize(
    "text",
    [
        "T05-01",
        "hayden2021",
        "T05-01; T05-03;verville2023",
        "assumption",
        "assumption: a third; see the text",
        "T05-01; assumption for hips",
    ],
)
def test_a_parameter_may_cite_figures_papers_or_an_assumption(text):
    evidence.check_source(text, "parameters.csv, row 7")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "source is empty"),
        ("T05-01;", "source has an empty part"),
        ("hayden2020", 'unknown source "hayden2020".*did you mean "hayden2021"'),
        ("T05-01; T99-99", 'unknown source "T99-99"'),
        ("Assumed by us", "unknown source"),
    ],
)
def test_a_parameter_with_a_bad_source_is_named_by_file_and_row(text, problem):
    with pytest.raises(InputError, match=f"parameters.csv, row 7: {problem}"):
        evidence.check_source(text, "parameters.csv, row 7")


# Bad ledgers


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"source": ""}, "source is missing"),
        ({"source": "hayden2020"}, 'unknown source "hayden2020".*did you mean "hayden2021"'),
        ({"estimate": "-11"}, "outside -18 to -12"),
        ({"estimate": "-19"}, "outside -18 to -12"),
        ({"estimate": ""}, "estimate is missing"),
        ({"unit": "direction"}, "not wanted"),
        ({"estimate": "about -15"}, 'estimate is "about -15"'),
        ({"low": "nan"}, 'low is "nan"'),
        ({"unit": "point"}, 'unknown unit "point".*did you mean "points"'),
        ({"use": "calibration"}, 'unknown use "calibration".*did you mean "calibrate"'),
        ({"quality": "rct"}, 'unknown quality "rct"'),
        ({"topic": "exercises"}, 'unknown topic "exercises".*did you mean "exercise"'),
        ({"checked": "yes"}, 'unknown checked "yes"'),
        ({"checked": "not found"}, "was not found in its paper, yet its use is calibrate"),
        ({"time_weeks": "-1"}, "time_weeks is -1"),
        ({"n": "0"}, "n is 0"),
        ({"n": "12.5"}, "n is 12.5"),
        ({"outcome": ""}, "outcome is empty"),
        ({"id": ""}, "id is empty"),
        ({"id": "T00-00"}, '"T00-00" stands in row 2 already'),
    ],
)
def test_a_bad_figure_is_named_by_file_and_row(ledger, change, problem):
    known = ledger("sources.csv", SOURCE, {})
    with pytest.raises(InputError, match=f"evidence.csv, row 3: .*{problem}"):
        evidence.estimates(ledger("evidence.csv", ESTIMATE, {"id": "T00-00"}, change), known)


def test_a_figure_whose_paper_cannot_be_identified_does_not_calibrate(ledger):
    known = ledger("sources.csv", SOURCE, {"doi": "", "note": "DOI not found"})
    evidence.estimates(ledger("context.csv", ESTIMATE, {"use": "validate"}), known)
    with pytest.raises(InputError, match='row 2: T05-01 calibrates, but its source "hayden2021" has no identifier'):
        evidence.estimates(ledger("evidence.csv", ESTIMATE, {}), known)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"kind": "metaanalysis"}, 'unknown kind "metaanalysis".*did you mean "meta"'),
        ({"year": "two"}, 'year is "two"'),
        ({"year": "20211"}, "year is 20211"),
        ({"doi": ""}, "has no identifier"),
        ({"doi": "doi:10.1136/bmj.h444"}, "doi is"),
        ({"title": " "}, "title is empty"),
        ({"authors": ""}, "authors is empty"),
        ({"id": "sun2018"}, '"sun2018" stands in row 2 already'),
    ],
)
def test_a_bad_source_is_named_by_file_and_row(ledger, change, problem):
    with pytest.raises(InputError, match=f"sources.csv, row 3: .*{problem}"):
        evidence.sources(ledger("sources.csv", SOURCE, {"id": "sun2018"}, change))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"factor": "0"}, "factor is 0"),
        ({"factor": "one"}, 'factor is "one"'),
        ({"unit": "mg"}, 'unknown unit "mg"'),
        ({"version": "CDC 2020"}, 'unknown version "CDC 2020"'),
        ({"class": "agonist"}, 'unknown class "agonist"'),
        ({"source": ""}, "source is missing"),
        ({"source": "cdc"}, 'unknown source "cdc"'),
        ({"route": ""}, "route is empty"),
        ({"dose_from": "40", "dose_to": "20"}, "the dose band runs from 40 to 20"),
        ({"dose_from": "-1"}, "the dose band runs from -1"),
        ({"drug": "codeine"}, '"CDC 2022, codeine, oral" stands in row 2 already'),
    ],
)
def test_a_bad_factor_is_named_by_file_and_row(ledger, change, problem):
    known = ledger("sources.csv", SOURCE, {})
    with pytest.raises(InputError, match=f"mme_factors.csv, row 3: .*{problem}"):
        evidence.mme_factors("CDC 2022", ledger("mme_factors.csv", FACTOR, {"drug": "codeine"}, change), known)


def test_a_missing_ledger_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        evidence.sources(tmp_path / "sources.csv")
