"""Conditions, goals and treatments are read from data and checked."""

import re
from pathlib import Path

import pytest

from painlab import catalog, parameters
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
        (r"^pain = [\d.]+", "pain = nan", "pain is nan"),
        (r"^pain = [\d.]+", "pain = true", "pain is True"),
        (r"^flares_per_year = [\d.]+", "flares_per_year = -0.1", "flares_per_year is -0.1"),
        (r"^pain = [\d.]+", "pain = 5.0\nopioid_start = 0.1", 'unknown key "opioid_start"'),
        (r"^age = [\d.]+", "age = 44\nweight = 80", 'unknown key "weight"'),
        (r"^mechanical = [\d.]+", "mechanical = 0.99", "do not sum to 1"),
        (r"^mechanical = [\d.]+", "mechanical = 0.0", "do not sum to 1"),
        (r'^age = "[^"]*"\n', "", "missing key age"),
        (r'^age = "[^"]*"', 'age = "T99-99"', "T99-99"),
        (r'^age = "[^"]*"', 'age = "T05-17"', "kept for validation"),
        (r'^age = "[^"]*"', 'age = ""', "age: source is empty"),
    ],
)
def test_a_bad_condition_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        catalog.conditions(changed(tmp_path, "conditions.toml", old, new))
    assert "conditions.toml, [low_back_pain_acute]" in str(refusal.value)
    assert said in str(refusal.value)


def test_a_condition_whose_course_is_not_among_the_parameters_is_refused(tmp_path: Path) -> None:
    text = (data_folder() / "conditions.toml").read_text(encoding="utf-8")
    path = tmp_path / "conditions.toml"
    path.write_text(text.replace("[low_back_pain_acute", "[back_pain"), encoding="utf-8")
    with pytest.raises(InputError, match=r"conditions.toml, \[back_pain\]: the condition has no lasting_share.*back_pain.lasting_share"):
        catalog.conditions(path)


def test_a_condition_takes_what_is_uncertain_of_it_from_a_set_of_parameter_values() -> None:
    values = dict(parameters.values()) | {"sciatica.lasting_share": 0.123, "sciatica.course_weeks": 4.5}
    central, changed_one = catalog.conditions()["sciatica"], catalog.condition("sciatica", values)
    assert (changed_one.lasting_share, changed_one.course_weeks) == (0.123, 4.5)
    assert changed_one._replace(lasting_share=central.lasting_share, course_weeks=central.course_weeks) == central


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r'^kind = "program"', 'kind = "programm"', 'did you mean "program"'),
        (r"^targets = \[\]", 'targets = ["muscle"]', 'unknown target "muscle"'),
        (r"^exercise = true\n", "", "missing key exercise"),
        (r"^exercise = true\n", "exercise = true\nexercises = true\n", 'unknown key "exercises" (did you mean "exercise"'),
        (r'^evidence = "[^"]*"', 'evidence = ""', "source is empty"),
        (r'^evidence = "[^"]*"', 'evidence = "T99-99"', "T99-99"),
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


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r"^activity = [\d.]+", "activity = 1.5", "activity is 1.5"),
        (r"^strength = [\d.]+", "strength = -0.1", "strength is -0.1"),
        (r"^strength = [\d.]+", 'strength = "much"', "strength is 'much'"),
        (r"^activity = [\d.]+", "activty = 0.5", 'did you mean "activity"'),
        (r'^source = "assumption"', 'source = "guess"', 'unknown source "guess"'),
    ],
)
def test_a_bad_goal_is_refused_by_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        catalog.goals(changed(tmp_path, "goals.toml", old, new))
    assert "goals.toml, [sit_through_work]" in str(refusal.value)
    assert said in str(refusal.value)


def test_a_treatments_number_follows_its_place_in_the_file(tmp_path: Path) -> None:
    text = (data_folder() / "treatments.toml").read_text(encoding="utf-8")
    first, *rest = re.split(r"(?m)^(?=\[)", text)[1:]
    path = tmp_path / "treatments.toml"
    path.write_text("\n".join([*rest, first]), encoding="utf-8")
    turned = catalog.treatments(path)
    names = list(catalog.treatments())
    assert {name: one.number for name, one in turned.items()} == {name: n for n, name in enumerate([*names[1:], names[0]], start=1)}


def test_every_condition_and_treatment_has_a_label_and_numbers_in_their_bounds() -> None:
    assert list(catalog.labels("conditions")) == list(catalog.conditions())
    assert list(catalog.labels("goals")) == list(catalog.goals())
    for kind in ("conditions", "goals", "treatments"):
        assert len(set(catalog.labels(kind).values())) == len(catalog.labels(kind))
    for condition in catalog.conditions().values():
        assert all(isinstance(number, float) and number >= 0.0 for number in condition)
        assert condition.pain_sd > 0.0 and condition.course_weeks > 0.0


@pytest.mark.parametrize("name", list(catalog.treatments()))
def test_every_treatments_row_has_columns_targets_and_flags_in_their_places(name: str) -> None:
    treatment = catalog.treatments()[name]
    values = {f"{name}.{field.name.lower()}": 0.5 + 0.01 * field for field in PARAMETER_FIELDS}
    row = treatment.row(values, 0.25)
    assert row.shape == (len(TreatmentField),)
    for field in PARAMETER_FIELDS:
        scaled = treatment.exercise and field in (TreatmentField.RELIEF, TreatmentField.CONTEXTUAL)
        assert row[field] == pytest.approx((0.5 + 0.01 * field) * (0.25 if scaled else 1.0)), field.name
    flags = {
        TreatmentField.REFERRAL: treatment.referral,
        TreatmentField.COUNTS_SESSION: treatment.kind == "program",
        TreatmentField.COUNTS_INJECTION: treatment.kind == "injection",
        TreatmentField.EXERCISE: treatment.exercise,
        **{TreatmentField[f"TARGET_{driver.upper()}"]: driver in treatment.targets for driver in catalog.DRIVERS},
    }
    assert {field: row[field] for field in flags} == {field: float(flag) for field, flag in flags.items()}
    assert {*PARAMETER_FIELDS, *flags} == set(TreatmentField)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r"^referral = true", 'referral = "yes"', "referral is 'yes'"),
        (r"start_week = 2, weeks = 6", "start_wek = 2, weeks = 6", 'did you mean "start_week"'),
        (r"start_week = 2, weeks = 6", "start_week = 2, weeks = 600", "weeks is 600"),
        (r'^kind = "program"', "kind = 3", "unknown kind"),
    ],
)
def test_a_treatments_usual_order_and_flags_are_checked(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError, match=r"treatments\.toml, \[physical_therapy\]") as refusal:
        catalog.treatments(changed(tmp_path, "treatments.toml", old, new))
    assert said in str(refusal.value)
