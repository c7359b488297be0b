"""What an explorer holds, without widgets or a browser."""

import pytest

from painlab import InputError, Scenario
from painlab.plan import CarePlan, levers
from painlab.views.exploration import Exploration, Size, comparable, injections, moved, project

THERAPY = "physical_therapy"
TINY = Size(20, 2)


@pytest.mark.parametrize("path", [path for path in levers() if path[0] in (THERAPY, "coordination", "prescribing", "reassessment")])
def test_a_lever_changes_its_own_place_in_the_plan_and_nothing_else(plain, path):
    exploration = Exploration(plain)
    exploration.change(path, levers()[path].low)
    value = levers()[path].low
    wanted = {path[0]: value if len(path) == 1 else {path[1]: int(value) if value == int(value) else value}}
    assert exploration.scenario.care == plain.change(care=wanted).care
    assert exploration.value(path) == value


def test_a_changed_plan_has_a_name_of_its_own_and_the_same_baseline(plain):
    exploration = Exploration(plain)
    exploration.change(("coordination",), 0.9)
    assert (exploration.scenario.name, exploration.scenario.title) == ("plain-changed", "Plain, changed")
    assert exploration.scenario.baseline_plan() == plain.baseline_plan()
    assert "Coordination" in exploration.differences()


def test_levers_moved_back_give_the_scenario_itself(plain):
    exploration = Exploration(plain)
    before = exploration.value(("coordination",))
    exploration.change(("coordination",), 0.9)
    exploration.change(("coordination",), before)
    assert exploration.scenario is plain


def test_a_changed_baseline_is_held_against_what_it_was():
    exploration = Exploration("usual-care")
    usual = exploration.scenario.care
    exploration.order(THERAPY, not exploration.ordered(THERAPY))
    assert exploration.scenario.care != usual
    assert exploration.scenario.baseline_plan() == usual


def test_a_value_outside_its_range_changes_nothing(plain):
    exploration = Exploration(plain)
    with pytest.raises(InputError, match="weeks"):
        exploration.change((THERAPY, "weeks"), 500)
    assert exploration.scenario is plain


def test_a_treatment_that_is_not_ordered_cannot_be_scheduled(plain):
    exploration = Exploration(plain)
    exploration.order(THERAPY, False)
    with pytest.raises(InputError, match="Physical therapy is not ordered"):
        exploration.change((THERAPY, "weeks"), 8)


def test_therapy_taken_out_and_back_is_ordered_as_before(plain):
    exploration = Exploration(plain)
    exploration.change((THERAPY, "weeks"), 9)
    exploration.order(THERAPY, False)
    assert not exploration.ordered(THERAPY)
    assert exploration.value((THERAPY, "weeks")) == 9
    exploration.order(THERAPY, True)
    assert exploration.value((THERAPY, "weeks")) == 9


def test_therapy_that_was_never_ordered_begins_with_its_usual_order(plain):
    exploration = Exploration(plain.change(care={THERAPY: None}, baseline={"coordination": 0.2}))
    exploration.order(THERAPY, True)
    usual = CarePlan.model_validate({THERAPY: {}}).treatments[THERAPY]
    assert exploration.scenario.care.treatments[THERAPY] == usual


def test_one_kind_of_injection_takes_the_place_of_another_in_the_same_week(plain):
    exploration = Exploration(plain)
    first, second, *_ = injections()
    exploration.choose_injection(first)
    exploration.change((first, "start_week"), 7)
    exploration.choose_injection(second)
    assert exploration.injection == second
    assert not exploration.ordered(first)
    assert exploration.value((second, "start_week")) == 7
    exploration.choose_injection(None)
    assert exploration.injection is None
    assert exploration.ordered(THERAPY)


def test_reset_returns_to_the_start(plain):
    exploration = Exploration(plain)
    exploration.choose_injection(injections()[0])
    exploration.reset()
    assert exploration.scenario is plain


def test_the_baseline_of_a_treatment_that_it_does_not_order_is_unknown(plain):
    exploration = Exploration(plain)
    assert exploration.baseline_value((injections()[0], "start_week")) is None
    assert exploration.baseline_value(("coordination",)) == plain.baseline_plan().coordination


def test_what_has_no_lever_is_named():
    both = {"epidural_steroid": {"start_week": 2}, "nerve_block": {"start_week": 4}}
    assert Exploration(Scenario.load("early-pt").change(care=both)).others() == ("nerve block",)


def test_a_preview_of_the_scenario_as_it_is_leaves_the_full_run_where_it_was(plain):
    full, preview = project(plain, Size(30, 3)), project(plain, TINY)
    assert moved(full, preview, preview).equals(full.weekly)
    changed = project(plain.change(care={"prescribing": {"opioid_start": 0.0}}), TINY)
    assert comparable(full, changed)
    drawn = moved(full, preview, changed)
    assert drawn["baseline"].equals(full.weekly["baseline"])
    fall = (drawn["scenario"] - full.weekly["scenario"]).filter(drawn["outcome"] == "on_opioids")
    assert fall.min() < 0
    assert drawn["scenario"].min() >= 0


def test_runs_with_other_patients_are_not_comparable(plain):
    other = plain.change(population={"condition": "neck_pain"})
    assert not comparable(project(plain, TINY), project(other, TINY))


def test_each_step_can_be_taken_back_and_made_again(plain):
    now = [0.0]
    exploration = Exploration(plain, clock=lambda: now[0])
    states = [exploration.scenario]
    for path, value in ((("coordination",), 0.5), (("prescribing", "opioid_start"), 0.5), (("population", "distress"), 0.9)):
        exploration.change(path, value)
        states.append(exploration.scenario)
    exploration.order("taper", True)
    states.append(exploration.scenario)
    assert exploration.scenario.care.taper is not None
    for expected in reversed(states[:-1]):
        exploration.undo()
        assert exploration.scenario == expected
    exploration.undo()
    assert exploration.scenario == plain
    for expected in states[1:]:
        exploration.redo()
        assert exploration.scenario == expected
    assert not exploration.can_redo


def test_what_a_change_would_make_is_what_it_makes(plain):
    exploration = Exploration(plain)
    for path, value in ((("coordination",), 0.5), (("prescribing", "opioid_start"), 0.5), (("population", "distress"), 0.9)):
        expected = exploration.changed(path, value)
        assert expected != exploration.scenario
        exploration.change(path, value)
        assert exploration.scenario == expected
        assert exploration.value(path, plain) == Exploration(plain).value(path)
    expected = exploration.changed(("assume", "weakness_pain"), 0.2)
    exploration.assume("weakness_pain", 0.2)
    assert exploration.scenario == expected
    assert exploration.value(("assume", "weakness_pain")) == 0.2
    exploration.change(("assume", "weakness_pain"), exploration.baseline_value(("assume", "weakness_pain")))
    assert exploration.assumed == {}  # the model's own again


def test_moves_of_one_lever_in_one_breath_are_one_step(plain):
    now = [0.0]
    exploration = Exploration(plain, clock=lambda: now[0])
    for value in (0.3, 0.4, 0.5):
        exploration.change(("coordination",), value)
        now[0] += 0.2
    now[0] += 60
    exploration.change(("coordination",), 0.9)
    exploration.undo()
    assert exploration.scenario.care.coordination == 0.5
    exploration.undo()
    assert exploration.scenario == plain


def test_a_new_step_ends_what_could_be_made_again(plain):
    exploration = Exploration(plain)
    exploration.change(("coordination",), 0.5)
    exploration.undo()
    exploration.change(("prescribing", "opioid_start"), 0.5)
    assert not exploration.can_redo


def test_traits_that_are_left_out_show_the_conditions_own(plain):
    exploration = Exploration(plain)
    assert exploration.value(("population", "age")) > 18
    exploration.change(("population", "age"), 70)
    assert exploration.value(("population", "age")) == exploration.scenario.population.age == 70
    assert exploration.baseline_value(("population", "age")) is None


def test_what_the_baseline_orders_is_ordered_as_there_so_that_nothing_else_changes(plain):
    exploration = Exploration(plain.change(care={THERAPY: None}))
    theirs = exploration.scenario.baseline_plan().treatments[THERAPY]
    assert exploration.value((THERAPY, "sessions_per_week")) == theirs.sessions_per_week  # what a grayed lever shows
    exploration.order(THERAPY, True)
    assert exploration.scenario.care.treatments[THERAPY] == theirs
    assert exploration.scenario.care.treatments[THERAPY].only_if_pain_at_least == 5.0  # not the catalog's "for all"


def test_a_handover_that_no_order_states_is_the_plans_coordination(plain):
    exploration = Exploration(plain.change(care={THERAPY: None, "coordination": 0.8}, baseline={"coordination": 0.2}))
    assert exploration.value((THERAPY, "handover")) == 0.8


def test_a_taper_that_the_baseline_has_is_taken_as_it_is_there(plain):
    slow = {"start_week": 6, "percent_per_month": 5.0}
    usual = plain.baseline_plan().as_dict()
    exploration = Exploration(plain.change(baseline=usual | {"taper": slow}))
    assert exploration.value(("taper", "percent_per_month")) == 5.0
    exploration.order("taper", True)
    assert exploration.scenario.care.taper == exploration.scenario.baseline_plan().taper


def test_other_patients_are_said_since_both_arms_have_them(plain):
    exploration = Exploration(plain)
    assert exploration.people() == ()
    exploration.change(("population", "diagnosed"), 0.5)
    exploration.choose("condition", "neck_pain")
    assert exploration.people() == ("have the condition neck pain", "had a known driver of pain in a share of 0.5")
