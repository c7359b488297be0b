"""Tables of the OMOP common data model, as different sites write them."""

import datetime
import zipfile
from pathlib import Path

import polars as pl
import pytest

from painlab import records
from painlab.errors import InputError
from painlab.records import archive, plausibility

ROOT = Path(__file__).parents[2]
SYNTHEA = ROOT.parent / "shared" / "data" / "omop_synthea27nj" / "Synthea27Nj_5.4.zip"
synthea = pytest.mark.skipif(not SYNTHEA.is_file(), reason="../shared/data/omop_synthea27nj is not beside this checkout")

HEADER = "drug_exposure_id,person_id,drug_concept_id,drug_exposure_start_date,drug_exposure_end_date,quantity,days_supply,drug_source_value"
EXPOSURES = f"""{HEADER}
1,7,101,2024-01-01,2024-01-31,120,30,x
2,7,102,20240201,,10,,y
3,8,0,2024-02-01 00:00:00,2024-02-11,40,0,OXYCODONE HCL 5 MG PO TABS
4,8,103,2024-02-01,,60,30,OXYCODONE HCL 10 MG PO TABS
5,9,104,2024-02-01,,30,30,z
"""
CONCEPTS = [
    ("concept_id", "concept_name", "domain_id"),
    ("101", 'oxycodone "IR" 10 MG Oral Tablet', "Drug"),
    ("102", "72 HR fentanyl 0.025 MG/HR Transdermal System", "Drug"),
    ("103", "oxycodone", "Drug"),
    ("104", "lisinopril 10 MG Oral Tablet", "Drug"),
    ("0", "No matching concept", "Metadata"),
    ("900", "oxycodone", "Drug"),
]


def write(folder: Path, exposures: str = EXPOSURES) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "drug_exposure.csv").write_text(exposures)
    (folder / "CONCEPT.csv").write_text("\n".join("\t".join(row) for row in CONCEPTS) + "\n")
    return folder


def test_drugs_are_read_from_concepts_and_where_those_say_less_from_source_values(tmp_path):
    fills = records.omop(write(tmp_path / "cdm")).fills().collect()
    assert fills["ingredient"].to_list() == ["oxycodone", "fentanyl", "oxycodone", "oxycodone", None]
    assert fills["strength"].to_list() == [10.0, 25.0, 5.0, 10.0, None]
    assert fills["date"].to_list() == [datetime.date(2024, 1, 1), *[datetime.date(2024, 2, 1)] * 4]
    assert fills["days_supply"].to_list()[:4] == [30.0, 30.0, 10.0, 30.0]  # stated; three days a patch; from the end date; stated
    assert fills["problems"].to_list()[:4] == [[], [plausibility.DAYS_ASSUMED], [plausibility.DAYS_FROM_END], []]
    assert fills["drug"][0] == 'oxycodone "IR" 10 MG Oral Tablet'
    assert fills["row"].to_list() == [2, 3, 4, 5, 6]


def test_without_a_vocabulary_source_values_are_read(tmp_path):
    folder = write(tmp_path / "cdm")
    (folder / "CONCEPT.csv").unlink()
    data = records.omop(folder)
    assert data.fills().collect()["ingredient"].to_list() == [None, None, "oxycodone", "oxycodone", None]
    assert "no CONCEPT table" in str(data)


def test_drug_strength_counts_before_the_name(tmp_path):
    folder = write(tmp_path / "cdm")
    columns = "drug_concept_id\tingredient_concept_id\tamount_value\tamount_unit_concept_id\tnumerator_value\tnumerator_unit_concept_id\t"
    rows = ["103\t900\t7.5\t8576\t\t\t\t", "101\t900\t\t\t50\t8576\t5\t8587", "104\t905\t10\t8576\t\t\t\t"]
    (folder / "DRUG_STRENGTH.csv").write_text(columns + "denominator_value\tdenominator_unit_concept_id\n" + "\n".join(rows) + "\n")
    fills = records.omop(folder).fills().collect()
    assert fills["strength"].to_list()[:4] == [10.0, 25.0, 5.0, 7.5]
    assert fills["strength_unit"].to_list()[:4] == ["mg/mL", "mcg/h", "mg", "mg"]


def test_upper_case_zip_with_a_mac_s_hidden_files_reads_as_the_folder(tmp_path):
    folder = write(tmp_path / "cdm")
    with zipfile.ZipFile(tmp_path / "cdm.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.write(folder / "drug_exposure.csv", "omop/DRUG_EXPOSURE.csv")
        out.write(folder / "CONCEPT.csv", "omop/CONCEPT.csv")
        out.writestr("__MACOSX/omop/._DRUG_EXPOSURE.csv", b"\x00\x05\x16\x07")
    assert records.omop(tmp_path / "cdm.zip").fills().collect().equals(records.omop(folder).fills().collect())


def test_parquet_reads_as_csv_does_also_in_parts(tmp_path):
    folder = write(tmp_path / "cdm")
    plain = records.omop(folder).fills().collect()
    typed = pl.read_csv(folder / "drug_exposure.csv", schema_overrides={"drug_exposure_start_date": pl.String}).with_columns(
        pl.col("drug_concept_id").cast(pl.Float64)  # as pandas writes a column of whole numbers with gaps
    )
    for name, write_parts in (("one", False), ("parts", True)):
        target = tmp_path / name
        target.mkdir()
        (target / "concept.csv").write_bytes((folder / "CONCEPT.csv").read_bytes())
        if write_parts:
            (target / "drug_exposure").mkdir()
            typed[:2].write_parquet(target / "drug_exposure" / "part-0.parquet")
            typed[2:].write_parquet(target / "drug_exposure" / "part-1.parquet")
        else:
            typed.write_parquet(target / "drug_exposure.parquet")
        assert records.omop(target).fills().collect().equals(plain)


def test_a_missing_quantity_is_assumed_only_when_asked(tmp_path):
    folder = write(tmp_path / "cdm", EXPOSURES.replace(",120,30,", ",0,30,").replace(",10,,y", ",,30,y"))
    data = records.omop(folder)
    assert data.fills().collect()["usable"].to_list() == [False, False, True, True, False]
    assumed = data.fills(units_per_day=4).collect()
    assert assumed["quantity"].to_list()[:4] == [120.0, 10.0, 40.0, 60.0]  # a patch lasts three days whatever is said of tablets
    assert [plausibility.UNITS_ASSUMED in row for row in assumed["problems"]] == [True, True, False, False, False]
    with pytest.raises(InputError, match="units_per_day is -1"):
        data.fills(units_per_day=-1)


def test_people_and_events_come_in_plain_columns(tmp_path):
    folder = tmp_path / "cdm"
    folder.mkdir()
    (folder / "PERSON.csv").write_text("person_id,gender_concept_id,year_of_birth\n1,8507,1960\n2,0,\n")
    (folder / "death.csv").write_text("person_id,death_date\n2,2021-05-01\n")
    (folder / "CONDITION_OCCURRENCE.csv").write_text(
        "person_id,condition_concept_id,condition_start_datetime\n1,194133,2020-03-01 10:30:00\n"
    )
    (folder / "measurement.csv").write_text("person_id,measurement_date,value_as_number,unit_source_value\n1,2020-03-01,7,{score}\n")
    data = records.omop(folder)
    assert data.persons().select("person", "sex", "born", "died").collect().rows() == [
        ("1", "male", 1960, None),
        ("2", None, None, datetime.date(2021, 5, 1)),
    ]
    assert data.conditions().select("date", "concept_id", "name").collect().rows() == [(datetime.date(2020, 3, 1), 194133, None)]
    assert data.measurements().select("value", "unit").collect().rows() == [(7.0, "{score}")]
    with pytest.raises(InputError, match="there is no table VISIT_OCCURRENCE"):
        data.visits()
    with pytest.raises(InputError, match="there is no table DRUG_EXPOSURE"):
        data.fills()


def test_an_empty_table_gives_an_empty_result_that_says_so(tmp_path):
    fills = records.omop(write(tmp_path / "cdm", EXPOSURES.splitlines()[0] + "\n")).fills()
    assert fills.collect().is_empty()
    assert str(records.coverage(fills)) == "The table has no rows: there is nothing to count."
    assert records.demand(records.weekly_mme(fills), people=10).is_empty()


def test_what_is_no_omop_is_said(tmp_path):
    with pytest.raises(InputError, match="no such folder or file"):
        records.omop(tmp_path / "nowhere")
    with pytest.raises(InputError, match="none of the tables"):
        records.omop(tmp_path)
    (tmp_path / "text.zip").write_text("no zip")
    with pytest.raises(InputError, match="neither a folder nor a zip file"):
        records.omop(tmp_path / "text.zip")
    folder = write(tmp_path / "cdm", "drug_exposure_id,patient,quantity\n1,2,3\n")
    with pytest.raises(InputError, match=r"drug_exposure.csv: there is no column person_id"):
        records.omop(folder).fills()
    folder = write(tmp_path / "cdm", "drug_exposure_id,person_id,quantity\n1,2,3\n")
    with pytest.raises(InputError, match="there is no column drug_exposure_start_date"):
        records.omop(folder).fills()


def test_a_zip_bomb_is_refused_before_it_fills_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "RATIO_FROM", 100_000)
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("drug_exposure.csv", b"0" * 5_000_000)
    with pytest.raises(InputError, match="unpacks to far more than tables do"):
        records.omop(bomb).fills()


def test_a_damaged_zip_member_is_named(tmp_path):
    path = tmp_path / "cdm.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("drug_exposure.csv", EXPOSURES)
    path.write_bytes(path.read_bytes().replace(b"OXYCODONE", b"oxycodone"))  # the checksum no longer fits
    with pytest.raises(InputError, match=r"cdm.zip, drug_exposure.csv: it cannot be unpacked"):
        records.omop(path).fills()


@synthea
def test_synthea_s_opioids_are_found_and_their_missing_quantities_told():
    data = records.omop(SYNTHEA)
    covered = records.coverage(data.fills())
    assert (covered.rows, covered.counted) == (883, 0)  # every quantity in these tables is 0
    reasons = {row["problem"]: row["rows"] for row in covered.reasons.iter_rows(named=True)}
    assert reasons[plausibility.NOT_OPIOID] == 824
    assert reasons[plausibility.QUANTITY_ZERO] == 59
    fills = data.fills(units_per_day=4)
    assert records.coverage(fills).counted == 47
    assert set(fills.filter("usable").collect()["ingredient"]) == {"codeine", "fentanyl", "hydrocodone", "oxycodone", "tramadol"}
    patches = records.daily_mme(fills.filter(pl.col("ingredient") == "fentanyl")).collect()
    assert patches["mme"].min() == pytest.approx(60.0)  # 25 mcg/h


@synthea
def test_synthea_s_other_tables_read_whole():
    data = records.omop(SYNTHEA)
    heights = [
        frame.collect().height for frame in (data.persons(), data.conditions(), data.procedures(), data.measurements(), data.visits())
    ]
    assert heights == [28, 470, 1649, 10040, 1791]
    assert data.conditions().select(pl.col("name", "date").null_count()).collect().row(0) == (0, 0)
    pain = data.measurements().filter(pl.col("name").str.contains("Pain severity")).collect()
    assert pain["value"].is_between(0, 10).all()
