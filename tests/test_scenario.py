"""Scenarios: files that load, change, speak and keep their fingerprint."""

from pathlib import Path

import pytest
from pydantic import ValidationError

import painlab
from painlab import InputError, Scenario
from painlab.scenario import plan_difference, plan_words, shipped
from painlab.tables import data_folder

NAMES = [one.name for one in shipped()]


def test_the_scenarios_of_the_foundation_ship_with_usual_care_as_their_baseline() -> None:
    expected = {
        "opioids-alone", "early-pt", "late-pt", "injection-alone", "injection-then-pt", "pt-plus-injection", "coordinated-care",
        "monitored-taper", "rapid-taper", "opioid-sparing-start",
    }  # fmt: skip
    assert NAMES[0] == "usual-care"
    assert expected <= set(NAMES)
    assert {one.baseline for one in shipped()} == {"usual-care"}


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_survives_the_round_trip_through_toml(name: str, tmp_path: Path) -> None:
    scenario = Scenario.load(name)
    path = tmp_path / "again.toml"
    path.write_text(scenario.to_toml(), encoding="utf-8")
    assert Scenario.load(path) == scenario
    assert Scenario.load(str(path)).fingerprint() == scenario.fingerprint()
    assert (data_folder() / "scenarios" / f"{name}.toml").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_asks_a_question_and_says_its_plan(name: str) -> None:
    scenario = Scenario.load(name)
    assert scenario.question.endswith("?")
    said = str(scenario)
    assert scenario.title in said and "Against the baseline" in said
    assert plan_words(scenario.care).endswith(".")


def test_a_change_adds_changes_and_removes_and_leaves_the_original_alone() -> None:
    early = Scenario.load("early-pt")
    before = early.model_dump()
    changed = early.change(
        name="other", weeks=26, care={"physical_therapy": {"start_week": 8}, "joint_steroid": {"start_week": 3}, "anti_inflammatory": None}
    )
    assert changed.care.treatments["physical_therapy"].start_week == 8
    assert changed.care.treatments["physical_therapy"].weeks == early.care.treatments["physical_therapy"].weeks
    assert "joint_steroid" in changed.care.treatments and "anti_inflammatory" not in changed.care.treatments
    assert changed.weeks == 26 and early.model_dump() == before
    with pytest.raises(ValidationError):
        early.weeks = 3  # type: ignore[misc]


def test_a_bad_change_is_refused_by_key() -> None:
    with pytest.raises(InputError, match="start_week"):
        Scenario.load("early-pt").change(care={"physical_therapy": {"start_week": -1}})
    with pytest.raises(InputError, match='did you mean "physical_therapy"'):
        Scenario.load("early-pt").change(care={"physical_terapy": {"start_week": 1}})


def test_differences_are_said_in_words() -> None:
    early = Scenario.load("early-pt")
    late = early.change(name="late", care={"physical_therapy": {"start_week": 9}, "acupuncture": {}, "anti_inflammatory": None})
    said = late.difference(early)
    assert "Physical therapy is ordered in week 9 instead of 0." in said
    assert "Acupuncture is ordered in week" in said
    assert "Anti-inflammatory drug is left out." in said
    assert plan_difference(early.care, early.care) == "The care is the same."


def test_a_fingerprint_follows_the_content_of_plan_and_baseline() -> None:
    early = Scenario.load("early-pt")
    assert early.fingerprint() == Scenario.load("early-pt").fingerprint()
    assert early.change(care={"coordination": 0.9}).fingerprint() != early.fingerprint()
    assert early.change(baseline="opioids-alone").fingerprint() != early.fingerprint()


def test_a_baseline_may_be_a_plan_of_its_own() -> None:
    own = Scenario.load("early-pt").change(baseline={"coordination": 0.5, "acupuncture": {"weeks": 5}})
    assert own.baseline_plan().coordination == 0.5
    assert own.baseline_plan().treatments["acupuncture"].weeks == 5
    assert Scenario.load("early-pt").baseline_plan() == Scenario.load("usual-care").care
    assert Scenario.load("usual-care").baseline_plan() == Scenario.load("usual-care").care


def test_scenarios_are_listed_with_condition_and_question() -> None:
    frame = painlab.scenarios()
    assert frame.columns == ["name", "condition", "title", "question"]
    assert frame["name"].to_list() == NAMES
