"""Scenarios: files that load, change, speak and keep their fingerprint."""

import re
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

import painlab
from painlab import InputError, Scenario, catalog
from painlab.phrases import plan_difference, plan_words
from painlab.scenario import shipped
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


SENTENCES = re.compile(r"([A-Z][^{}\[\]]*?[a-z0-9%]\. )*[A-Z][^{}\[\]]*?[a-z0-9%]\.")


def test_a_scenario_stands_in_the_file_of_its_name() -> None:
    files = sorted((data_folder() / "scenarios").glob("*.toml"))
    assert [Scenario.load(path).name for path in files] == [path.stem for path in files]
    assert {path.stem for path in files} == set(NAMES)
    titles = [one.title for one in shipped()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", NAMES)
def test_every_plan_and_every_difference_reads_as_sentences(name: str) -> None:
    scenario = Scenario.load(name)
    title, question, plan, baseline = str(scenario).split("\n")
    assert title == f"{scenario.title} ({catalog.labels('conditions')[scenario.population.condition]}, {scenario.weeks} weeks)"
    assert question == scenario.question
    assert SENTENCES.fullmatch(plan.removeprefix("The plan: ")), plan
    assert SENTENCES.fullmatch(baseline.removeprefix("Against the baseline: ")), baseline
    for other in shipped():
        said = scenario.difference(other)
        assert SENTENCES.fullmatch(said), said
        assert "None" not in said and "_" not in said
        assert (said == "The care is the same.") == (scenario.care == other.care)


def test_a_handover_that_is_given_up_is_a_difference() -> None:
    booked = Scenario.load("usual-care").change(care={"physical_therapy": {"handover": 0.9}})
    plain = booked.change(care={"physical_therapy": {"handover": None}})
    assert plain.care.treatments["physical_therapy"].handover is None
    assert booked.difference(plain) == "Physical therapy has a handover of 0.9."
    assert plain.difference(booked) == "Physical therapy has the plan's handover instead of 0.9."


def test_only_what_is_not_usual_is_said_of_a_treatment() -> None:
    usual = Scenario.load("usual-care").change(care={"acupuncture": {"start_week": 7}}).care
    assert "Acupuncture is ordered in week 7." in plan_words(usual)
    longer = Scenario.load("usual-care").change(care={"acupuncture": {"start_week": 7, "courses": 3}}).care
    assert "Acupuncture is ordered in week 7, is given in 3 courses." in plan_words(longer)


def test_a_taper_and_arrivals_are_added_and_taken_out_by_a_change() -> None:
    usual = Scenario.load("usual-care")
    tapered = usual.change(care={"taper": {"start_week": 3}})
    assert tapered.care.taper is not None and tapered.care.taper.start_week == 3
    assert tapered.change(care={"taper": None}) == usual
    arrivals = {"people": 5000, "new_patients_per_1000_per_year": 12.0}
    opened = usual.change(population={"arrivals": arrivals})
    assert opened.population.arrivals is not None and opened.population.arrivals.people == 5000
    assert opened.change(population={"arrivals": None}) == usual


def test_a_change_takes_a_whole_plan_and_replaces_a_named_baseline() -> None:
    early, usual = Scenario.load("early-pt"), Scenario.load("usual-care")
    assert early.change(care=usual.care).care == usual.care
    assert early.change(baseline=usual.care).baseline_plan() == usual.care
    inline = early.change(baseline={"coordination": 0.5, "acupuncture": {"weeks": 5}})
    further = inline.change(baseline={"acupuncture": None, "taper": {"start_week": 2}})
    assert further.baseline_plan().coordination == 0.5
    assert not further.baseline_plan().treatments and further.baseline_plan().taper is not None
    assert further.change(baseline="usual-care").baseline == "usual-care"


def test_an_inline_baseline_survives_the_round_trip_through_toml(tmp_path: Path) -> None:
    own = Scenario.load("early-pt").change(
        name="mine", title='Ärzte "fragen"', baseline={"coordination": 0.5, "taper": {"support": 0.5}, "acupuncture": {"handover": 0.25}}
    )
    path = tmp_path / "mine.toml"
    path.write_text(own.to_toml(), encoding="utf-8")
    again = Scenario.load(path)
    assert again == own and again.baseline_plan() == own.baseline_plan()
    assert again.fingerprint() == own.fingerprint()
    assert again.difference(own) == "The care is the same."
    assert "Against the baseline: " in str(again)


def test_a_changed_copy_of_the_baseline_is_held_against_the_one_that_ships() -> None:
    usual = Scenario.load("usual-care")
    changed = usual.change(care={"coordination": 0.9})
    assert changed.baseline_plan() == usual.care
    assert "Coordination is 0.9 instead of" in changed.difference(usual)


def test_a_scenario_may_be_its_own_baseline_without_shipping() -> None:
    own = Scenario.load("early-pt").change(name="mine", baseline="mine")
    assert own.baseline_plan() == own.care


def test_equal_content_in_another_order_has_the_same_fingerprint() -> None:
    early = Scenario.load("early-pt")
    content = early.model_dump(exclude_none=True)
    turned = dict(reversed(content.items())) | {"care": dict(reversed(content["care"].items()))}
    assert Scenario.from_dict(turned).fingerprint() == early.fingerprint()
    prints = {one.fingerprint() for one in shipped()}
    assert len(prints) == len(NAMES)
    assert all(re.fullmatch(r"[0-9a-f]{64}", one) for one in prints)


@pytest.mark.parametrize(
    "change", [{"title": "Other"}, {"weeks": 1}, {"population": {"distress": 0.95}}, {"care": {"physical_therapy": None}}]
)
def test_a_fingerprint_changes_with_whatever_a_scenario_states(change: dict[str, object]) -> None:
    early = Scenario.load("early-pt")
    assert early.change(**change).fingerprint() != early.fingerprint()


def test_a_fingerprint_changes_with_the_content_of_a_baseline_that_keeps_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    early = Scenario.load("early-pt")
    before = early.fingerprint()
    shutil.copytree(data_folder() / "scenarios", tmp_path / "scenarios")
    monkeypatch.setattr("painlab.scenario.data_folder", lambda: tmp_path)
    assert early.fingerprint() == before
    other = Scenario.load("usual-care").change(care={"coordination": 0.95})
    (tmp_path / "scenarios" / "usual-care.toml").write_text(other.to_toml(), encoding="utf-8")
    assert early.fingerprint() != before


def test_unknown_names_are_met_with_the_nearest() -> None:
    early = Scenario.load("early-pt")
    for change, near in (
        ({"baseline": "usual-car"}, "usual-care"),
        ({"population": {"condition": "sciatca"}}, "sciatica"),
        ({"population": {"goal": "gymn"}}, "gym"),
        ({"care": {"taper": {"suport": 0.5}}}, "support"),
        ({"wekks": 3}, "weeks"),
    ):
        with pytest.raises(InputError, match=f'did you mean "{near}"'):
            early.change(**change)
    with pytest.raises(InputError, match='did you mean "early-pt"'):
        Scenario.load("early-pd")


def test_scenarios_are_listed_as_their_files_state_them() -> None:
    for row in painlab.scenarios().iter_rows(named=True):
        scenario = Scenario.load(row["name"])
        assert (row["condition"], row["title"], row["question"]) == (scenario.population.condition, scenario.title, scenario.question)


def test_a_trials_protocol_is_said_only_where_there_is_one() -> None:
    plain = Scenario.load("usual-care")
    assigned = plain.change(care={"prescribing": {"assigned_weeks": 12}})
    assert "assigns" not in str(plain)
    assert "assigns an opioid to everyone for 12 weeks" in str(assigned)
    assert "assigns an opioid to everyone for 0 weeks instead of 12" in plain.difference(assigned)
