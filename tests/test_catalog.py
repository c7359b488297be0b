"""Conditions, goals and treatments are read from data and checked."""

import re
from pathlib import Path

import pytest

from painlab import catalog
from painlab.care import PARAMETER_FIELDS, TreatmentField
from painlab.errors import InputError
from painlab.tables import data_folder


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    """A copy of a shipped file with the first match of a pattern replaced."""
    text = (data_folder() / name).read_text(encoding="utf-8")
    mended, count = re.subn(old, new, text, count=1, flags=re.MULTILINE)
    assert count == 1
    path = folder / name
    path.write_text(mended, encoding="utf-8")
    return path


def test_the_drivers_of_each_condition_sum_to_one() -> None:
    for condition in catalog.conditions().values():
        assert sum(getattr(condition, driver) for driver in catalog.DRIVERS) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r"^pain = [\d.]+", "pian = 5.0", 'did you mean "pain"'),
        (r"^pain = [\d.]+\n", "", "missing key pain"),
        (r"^pain = [\d.]+", "pain = 14.0", "pain is 14.0"),
        (r"^pain = [\d.]+", 'pain = "much"', "pain is 'much'"),
        (r"^mechanical = [\d.]+", "mechanical = 0.99", "do not sum to 1"),
        (r'^age = "[^"]*"\n', "", "missing key age"),
        (r'^age = "[^"]*"', 'age = "T99-99"', "T99-99"),
    ],
)
def test_a_bad_condition_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        catalog.conditions(changed(tmp_path, "conditions.toml", old, new))
    assert "conditions.toml, [low_back_pain_acute]" in str(refusal.value)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r'^kind = "program"', 'kind = "programm"', 'did you mean "program"'),
        (r"^targets = \[\]", 'targets = ["muscle"]', 'unknown target "muscle"'),
        (r"^exercise = true\n", "", "missing key exercise"),
        (r'^evidence = "[^"]*"', 'evidence = ""', "physical_therapy"),
    ],
)
def test_a_bad_treatment_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        catalog.treatments(changed(tmp_path, "treatments.toml", old, new))
    assert "treatments.toml, [physical_therapy]" in str(refusal.value)
    assert said in str(refusal.value)


def test_goals_are_shares_with_a_source(tmp_path: Path) -> None:
    assert all(0.0 < share < 1.0 for goal in catalog.goals().values() for share in goal)
    with pytest.raises(InputError, match=r"goals.toml, \[sit_through_work\]"):
        catalog.goals(changed(tmp_path, "goals.toml", r'^source = "assumption"\n', ""))


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "conditions.toml"
    path.write_text("[a\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"conditions\.toml: not readable as TOML"):
        catalog.conditions(path)


def test_treatments_are_numbered_in_the_order_of_their_file() -> None:
    assert [one.number for one in catalog.treatments().values()] == list(range(1, len(catalog.treatments()) + 1))
    assert list(catalog.labels("treatments")) == list(catalog.treatments())


def test_a_row_holds_the_treatments_columns_targets_and_flags() -> None:
    epidural = catalog.treatments()["epidural_steroid"]
    values = {"epidural_steroid.source_relief": 0.4, "epidural_steroid.half_life": 6.0, "physical_therapy.relief": 0.9}
    row = epidural.row(values, 0.5)
    assert row[TreatmentField.SOURCE_RELIEF] == 0.4
    assert row[TreatmentField.HALF_LIFE] == 6.0
    assert row[TreatmentField.RELIEF] == 0.0  # not listed: the treatment has no such part
    targets = {driver: row[TreatmentField[f"TARGET_{driver.upper()}"]] for driver in catalog.DRIVERS}
    assert targets == {driver: float(driver in epidural.targets) for driver in catalog.DRIVERS}
    assert (row[TreatmentField.COUNTS_INJECTION], row[TreatmentField.COUNTS_SESSION], row[TreatmentField.REFERRAL]) == (1.0, 0.0, 1.0)


def test_the_conditions_response_to_exercise_scales_what_exercise_does_to_pain_only() -> None:
    values = {f"{name}.{field.name.lower()}": 0.2 for name in ("physical_therapy", "acupuncture") for field in PARAMETER_FIELDS}
    exercise = catalog.treatments()["physical_therapy"].row(values, 0.5)
    needles = catalog.treatments()["acupuncture"].row(values, 0.5)
    assert exercise[TreatmentField.RELIEF] == exercise[TreatmentField.CONTEXTUAL] == pytest.approx(0.1)
    assert exercise[TreatmentField.STRENGTH_GAIN] == needles[TreatmentField.RELIEF] == pytest.approx(0.2)
