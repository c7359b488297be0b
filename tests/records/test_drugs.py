"""Names and strengths of drugs as clinics, pharmacies and vocabularies write them."""

import polars as pl
import pytest

from painlab import evidence
from painlab.records import drugs, names
from painlab.records.drugs import recognize

WRITTEN = [
    ("oxyCODONE 5 MG Oral Tablet", "oxycodone", "oral", 5.0, "mg"),
    ("HYDROCODONE-ACETAMINOPHEN 5-325 MG PO TABS", "hydrocodone", "oral", 5.0, "mg"),
    ("HYDROCODON-ACETAMINOPHN 10-325", "hydrocodone", "oral", 10.0, "mg"),
    ("acetaminophen-codeine 300-30 mg tablet", "codeine", "oral", 30.0, "mg"),
    ("acetaminophen 300 mg codeine 30 mg", "codeine", "oral", 30.0, "mg"),
    ("acetaminophen 325 MG / oxycodone hydrochloride 10 MG Oral Tablet [Percocet]", "oxycodone", "oral", 10.0, "mg"),
    ("Percocet 10-325", "oxycodone", "oral", 10.0, "mg"),
    ("Tylenol #3", "codeine", "oral", 30.0, "mg"),
    ("TYLENOL W/CODEINE #4 TABLET", "codeine", "oral", 60.0, "mg"),
    ("butalbital-acetaminophen-caffeine-codeine 50-325-40-30 mg capsule", "codeine", "oral", 30.0, "mg"),
    ("Abuse-Deterrent 12 HR oxycodone hydrochloride 10 MG Extended Release Oral Tablet [Oxycontin]", "oxycodone", "oral", 10.0, "mg"),
    ("72 HR fentanyl 0.025 MG/HR Transdermal System", "fentanyl", names.PATCH, 25.0, "mcg/h"),
    ("FENTANYL 50 MCG/HR TD PT72", "fentanyl", names.PATCH, 50.0, "mcg/h"),
    ("Fentanyl TTS 75 µg/h", "fentanyl", names.PATCH, 75.0, "mcg/h"),
    ("fentanyl 200 mcg buccal tablet", "fentanyl", names.TABLET, 0.2, "mg"),
    ("Actiq 400 mcg lozenge", "fentanyl", names.TABLET, 0.4, "mg"),
    ("Lazanda 100 mcg/spray", "fentanyl", names.NASAL_SPRAY, 0.1, "mg"),
    ("fentanyl citrate 0.05 mg/ml injection", "fentanyl", "injection", 0.05, "mg/mL"),
    ("co-codamol 30mg/500mg tablets", "codeine", "oral", 30.0, "mg"),
    ("Co-dydramol 10mg/500mg", "dihydrocodeine", "oral", 10.0, "mg"),
    ("MST Continus 30mg", "morphine", "oral", 30.0, "mg"),
    ("Oramorph 10mg/5ml oral solution", "morphine", "oral", 2.0, "mg/mL"),
    ("METHADONE HCL 10 MG/5 ML PO SOLN", "methadone", "oral", 2.0, "mg/mL"),
    ("Oxycodonhydrochlorid 10 mg Retardtabletten", "oxycodone", "oral", 10.0, "mg"),
    ("oxicodona 20 mg", "oxycodone", "oral", 20.0, "mg"),
    ("Suboxone 8-2 mg film", "buprenorphine", names.MUCOSAL, 8.0, "mg"),
    ("BuTrans 10 mcg/hour patch", "buprenorphine", names.PATCH, 10.0, "mcg/h"),
    ("pentazocine-naloxone 50-0.5 mg", "pentazocine", "oral", 50.0, "mg"),
    ("Targin 10/5", "oxycodone", "oral", 10.0, "mg"),
    ("tramadol 37.5-325", "tramadol", "oral", 37.5, "mg"),
    ("morphine 2 MG/ML Injection", "morphine", "injection", 2.0, "mg/mL"),
    ("morphine 10 mg suppository", "morphine", "rectal", 10.0, "mg"),
]


@pytest.mark.parametrize(("written", "ingredient", "route", "strength", "unit"), WRITTEN, ids=[row[0] for row in WRITTEN])
def test_a_name_says_what_it_holds(written, ingredient, route, strength, unit):
    product = recognize(written)
    assert (product.ingredient, product.route, product.unit) == (ingredient, route, unit)
    assert product.strength == pytest.approx(strength)


@pytest.mark.parametrize(
    "written", ["lisinopril 10 MG", "naloxone 4 mg nasal", "methylnaltrexone 150 mg", "Tylenol 325 mg", "loperamide", "", None]
)
def test_what_is_no_opioid_is_left_open(written):
    assert recognize(written).ingredient is None


@pytest.mark.parametrize(
    ("drug", "strength", "unit", "found"),
    [
        ("oxycodone", "5 mg", None, 5.0),
        ("hydrocodone-acetaminophen", "5-325 mg", None, 5.0),
        ("hydrocodone-acetaminophen", "325-5", None, 5.0),
        ("acetaminophen-codeine", "300-30", None, 30.0),
        ("oxycodone", "10,5", None, 10.5),
        ("oxycodone", "5", "mg/5 mL", 1.0),
        ("fentanyl", "25", "mcg/hr", 25.0),
        ("morphine", "0.1", "g", 100.0),
    ],
)
def test_a_strength_in_a_column_of_its_own_is_read_by_the_order_of_the_names(drug, strength, unit, found):
    assert recognize(drug, strength, unit=unit).strength == pytest.approx(found)


def test_a_route_in_a_column_of_its_own_counts_before_the_name():
    assert recognize("morphine 15 MG", route="Intravenous").route == "injection"
    assert recognize("morphine 15 MG", route="Oral").route == "oral"


def test_what_is_assumed_is_said():
    assert recognize("oxycodone", "5").notes == (drugs.UNIT_ASSUMED,)
    assert recognize("fentanyl 12 mcg patch").notes == (drugs.PATCH_UNIT_ASSUMED,)
    assert recognize("MORPHINE SULFATE 20 MG/ML").notes == (drugs.LIQUID_ASSUMED,)
    assert drugs.COUGH_PRODUCT in recognize("promethazine-codeine 6.25-10 mg/5 mL syrup").notes


def test_two_opioids_in_one_product_have_no_dose():
    product = recognize("morphine 10 mg / oxycodone 5 mg capsule")
    assert product.strength is None
    assert product.notes == (drugs.TWO_OPIOIDS,)


def test_a_patch_that_states_what_it_holds_in_all_has_no_rate():
    assert recognize("fentanyl patch 4.2 mg").strength is None


def test_every_drug_and_route_with_a_factor_can_be_recognized():
    spoken = {
        "transdermal patch": "patch", "buccal or sublingual tablet or lozenge": "buccal tablet", "film or oral spray": "film",
        "nasal spray": "nasal spray", "nasal": "nasal spray", "oral": "oral tablet",
    }  # fmt: skip
    for version in evidence.MME_VERSIONS:
        for row in evidence.mme_factors(version).iter_rows(named=True):
            product = recognize(f"{row['drug']} 0.1 mg {spoken[row['route']]}")
            assert (product.ingredient, product.route) == (row["drug"], row["route"])


def test_every_known_name_is_found_by_itself():
    missed = [name for name, named in names.known().items() if recognize(f"{name.replace('-', ' ')} 5 mg").ingredient != named.ingredient]
    assert not missed


def test_a_column_of_names_keeps_its_order_and_its_gaps():
    table = pl.DataFrame({"drug": ["oxycodone 5 mg", None, "aspirin", "oxycodone 5 mg"], "none": pl.Series([None] * 4, dtype=pl.String)})
    none = pl.col("none")
    read = table.lazy().select(drugs.recognized(pl.col("drug"), none, none, none).struct.unnest()).collect(engine="streaming")
    assert read["ingredient"].to_list() == ["oxycodone", None, None, "oxycodone"]
    assert read["strength"].to_list() == [5.0, None, None, 5.0]
