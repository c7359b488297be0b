"""What the lessons say in words still agrees with what the runs say in numbers, and every plan that is asked for can be made."""

import pytest

from painlab import lessons
from painlab.projection import Interval

SHIPPED = [one for one in lessons.shipped() if one.stem[:2] >= "04"]
BY_NUMBER = {one.stem[:2]: one for one in SHIPPED}
PREDICTIONS = [(one.stem[:2], asked.id) for one in SHIPPED for asked in one.predictions]
PLANS = [(one.stem[:2], asked.id) for one in SHIPPED for asked in one.exercises if asked.kind == "plan"]


def told(number: str, id_: str) -> Interval:
    return lessons.truth(BY_NUMBER[number].part("predictions", id_).truth)


@pytest.mark.parametrize(("number", "id_"), PREDICTIONS)
def test_the_answer_lies_in_the_range_that_can_be_guessed(number, id_):
    asked = BY_NUMBER[number].part("predictions", id_)
    assert asked.low < told(number, id_).mean < asked.high


BELOW = [
    ("04", "peak"), ("04", "year"), ("05", "acute"), ("05", "persistent"), ("06", "paper"), ("06", "booked"), ("06", "pain"),
    ("07", "dose"), ("08", "starts"), ("10", "whole"), ("10", "left"), ("10", "demand"), ("11", "worked"), ("11", "rival"),
    ("12", "demand"), ("12", "pain"), ("13", "weakest"), ("14", "pain"), ("15", "body"), ("15", "asked"),
]  # fmt: skip
ABOVE = [("04", "instead"), ("04", "attend"), ("07", "hurt"), ("09", "function"), ("10", "function"), ("13", "price")]
UNSETTLED = [
    ("06", "demand"), ("07", "later"), ("08", "half_year"), ("08", "two_years"), ("09", "zero"), ("13", "link"), ("14", "whole"),
    ("15", "headline"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "id_"), BELOW)
def test_what_is_said_to_fall_falls_in_the_whole_band(number, id_):
    assert told(number, id_).high < 0.0


@pytest.mark.parametrize(("number", "id_"), ABOVE)
def test_what_is_said_to_rise_rises_in_the_whole_band(number, id_):
    assert told(number, id_).low > 0.0


@pytest.mark.parametrize(("number", "id_"), UNSETTLED)
def test_what_is_said_to_be_unsettled_has_a_band_that_reaches_zero(number, id_):
    found = told(number, id_)
    assert found.low <= 0.0 <= found.high


def test_the_comparisons_that_the_lessons_draw_between_two_answers_hold():
    assert abs(told("04", "year").mean) < 0.1 * abs(told("04", "peak").mean)
    assert told("05", "persistent").mean < 2.0 * told("05", "acute").mean
    assert told("05", "distressed").mean > 1.2 * told("05", "calm").mean
    assert told("06", "booked").mean < 1.5 * told("06", "paper").mean
    assert told("07", "off").mean > -3.0
    assert told("08", "starts").mean < 5.0 * told("08", "two_years").mean
    assert told("10", "left").mean < 0.9 * told("10", "whole").mean < 0.0
    assert told("11", "rival").mean < told("11", "worked").mean


THERAPY = {"start_week": 0, "weeks": 12, "sessions_per_week": 2.0, "handover": 1.0, "only_if_pain_at_least": 0.0}
MADE = {
    ("04", "lasting"): {"physical_therapy": {**THERAPY, "start_week": 3}},
    ("06", "visits"): {"reassessment": {"interval_weeks": 13}},
    ("07", "kind"): {"reassessment": {"review": 0.7}},
    ("08", "plan"): {"prescribing": {"opioid_start": 0.6}},
    ("11", "design"): {"physical_therapy": THERAPY},
}
IN_VAIN = {
    ("04", "lasting"): {"epidural_steroid": {"courses": 8, "interval_weeks": 13}},
    ("06", "visits"): {"coordination": 1.0},
    ("07", "kind"): {"taper": {"percent_per_month": 60.0, "support": 0.0, "offer": 10.0}},
    ("08", "plan"): {"physical_therapy": {"weeks": 12, "handover": 1.0}},
    ("11", "design"): {"prescribing": {"opioid_start": 0.5}},
}


def reached(number: str, id_: str, care: dict) -> bool:
    exercise = BY_NUMBER[number].part("exercises", id_)
    start = BY_NUMBER[number].part("explorers", exercise.goal.explorer).asked()
    return lessons.check(exercise, lessons.run(start.change(care=care))).right


@pytest.mark.parametrize(("number", "id_"), PLANS)
def test_a_plan_that_is_asked_for_can_be_made_but_is_not_there_from_the_start(number, id_):
    assert reached(number, id_, MADE[number, id_])
    assert not reached(number, id_, {})


@pytest.mark.parametrize(("number", "id_"), PLANS)
def test_the_plan_that_a_learner_would_try_first_does_not_do(number, id_):
    assert not reached(number, id_, IN_VAIN[number, id_])


def test_coordination_by_itself_eases_pain_and_the_visits_give_demand_back():
    package = BY_NUMBER["06"].part("explorers", "coordinated").asked()
    fragmented = package.change(care={"coordination": 0.2}).care.as_dict()
    alone = lessons.run(package.change(baseline=fragmented))
    rarer = lessons.run(package.change(care={"reassessment": {"interval_weeks": 13}}))
    whole = lessons.run(package)
    assert lessons.measured(alone, "pain", -1, "difference").high < 0.0
    assert (
        lessons.measured(alone, "mme_per_1000", -1, "difference").high
        < 0.0
        < lessons.measured(alone, "mme_per_1000", 13, "difference").high
    )
    assert (
        lessons.measured(rarer, "mme_per_1000", -1, "difference").high
        < 0.0
        < lessons.measured(whole, "mme_per_1000", -1, "difference").high
    )


def test_an_injection_lowers_demand_against_nothing_but_not_against_the_therapy_that_it_replaces():
    bare = BY_NUMBER["04"].part("explorers", "alone").asked()
    assert lessons.measured(lessons.run(bare), "mme_per_1000", -1, "difference").high < 0.0
    instead = lessons.measured(lessons.run(BY_NUMBER["04"].part("explorers", "bridge").asked()), "mme_per_1000", -1, "difference")
    assert instead.low < 0.0 < instead.high


def test_waiting_leaves_pain_and_costs_demand_in_persistent_pain():
    early = BY_NUMBER["06"].part("explorers", "waiting").asked()
    soon, late = (lessons.run(early.change(care={"physical_therapy": {"start_week": week}})) for week in (0, 26))
    assert late.difference("pain", 52).mean < soon.difference("pain", 52).mean
    assert soon.difference("mme_per_1000", 52).high < 0.0 < late.difference("mme_per_1000", 52).high


def test_the_model_is_kind_to_a_fast_taper_with_full_support_as_lesson_07_warns():
    fast = BY_NUMBER["07"].part("explorers", "fast").asked().change(care={"taper": {"support": 1.0}})
    found = lessons.run(fast)
    assert lessons.measured(found, "overdose_hazard", -1, "difference").high < 0.0
    assert found.difference("pain", 13).low > 0.0 > found.difference("pain", 104).mean


def test_a_gain_without_the_injection_does_not_solve_the_exercise_on_the_injection():
    assert not reached("04", "lasting", MADE["04", "lasting"] | {"epidural_steroid": None})
