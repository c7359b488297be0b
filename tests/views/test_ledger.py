"""A reader can follow a number from its record to its source and to the equation that uses it."""

import re

import pytest

from painlab import care, catalog, evidence, parameters
from painlab.errors import InputError
from painlab.views import ledger


def texts(name: str, term: str) -> list[str]:
    return [text for found, text in ledger.record(name) if found == term]


def test_a_parameter_is_told_with_value_prior_unit_meaning_and_source():
    one = parameters.record("opioid_half_dose")
    assert one.name in texts(one.name, "Parameter")[0]
    assert texts(one.name, "Value")[0].startswith(f"{one.value:g}, prior from {one.low:g} to {one.high:g}")
    assert texts(one.name, "Unit") == [one.unit]
    assert texts(one.name, "Meaning") == [one.meaning]
    assert texts(one.name, "Source")


@pytest.mark.parametrize("name", parameters.records())
def test_each_part_of_a_parameters_source_is_told(name):
    source = parameters.record(name).source
    cited = source.partition("assumption")[0].count(";") + ("assumption" in source or not source.endswith(";"))
    assert len(texts(name, "Source")) == cited


@pytest.mark.parametrize("name", parameters.Parameters._fields)
def test_each_scalar_parameter_leads_to_an_equation(name):
    assert texts(name, "Equation")


@pytest.mark.parametrize("field", care.PARAMETER_FIELDS, ids=lambda field: field.name)
def test_each_column_of_a_treatment_leads_to_where_it_is_used(field):
    known = [name for name in parameters.records() if name.endswith(f".{field.name.lower()}")]
    assert known
    assert texts(known[0], "Equation")


def test_a_treatment_is_told_with_what_is_known_of_it_and_its_parameters():
    known = catalog.treatments()["physical_therapy"]
    assert texts("physical_therapy", "Known") == [known.known]
    assert len(texts("physical_therapy", "Source")) == known.evidence.count(";") + 1
    assert any(text.startswith("physical_therapy.relief = ") for text in texts("physical_therapy", "Parameter"))


def test_every_published_estimate_can_be_told_in_a_line():
    for name in evidence.estimates()["id"]:
        (said,) = texts(name, "Finding")
        assert "None" not in said
        assert not re.search(r"\bnan\b", said)
        assert texts(name, "Source") == [evidence.citation(name)]


def test_a_source_is_told_by_its_citekey():
    assert "doi:" in texts("hayden2021", "Source")[0]


def test_an_unknown_name_is_met_with_the_nearest():
    with pytest.raises(InputError, match='did you mean "physical_therapy"'):
        ledger.record("physical_terapy")


def test_a_parameter_says_what_the_trials_made_of_it() -> None:
    from painlab import posterior

    found = posterior.current()
    assert found is not None
    said = dict(ledger.record("stop_pain"))
    assert said["Calibrated"].startswith(f"{found.draws['stop_pain'].median():.3g}, 95 % of the draws")
    assert "Calibrated" not in dict(ledger.record("overdose_dose_cap"))  # fixed: no trial can move it
