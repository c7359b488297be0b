"""What a clinic does in a week: each equation by hand, then the law it states."""

import math

import numpy as np
import pytest

from painlab import care
from painlab.care import OrderField, Plan, TreatmentField
from painlab.parameters import Parameters

ZERO = Parameters(*(0.0 for _ in Parameters._fields))
"""Nothing is taken from the shipped values: each test states the parameters it needs."""
NO_PLAN = Plan(*(0.0 for _ in Plan._fields))
SHARES = np.linspace(0.0, 1.0, 11)
PAINS = np.linspace(0.0, 10.0, 41)


def given(**values: float) -> Parameters:
    return ZERO._replace(**values)


def plan(**values: float) -> Plan:
    return NO_PLAN._replace(**values)


def row(**columns: float) -> np.ndarray:
    """A treatment's row with only these columns."""
    made = np.zeros(len(TreatmentField))
    for name, value in columns.items():
        made[TreatmentField[name.upper()]] = value
    return made


def in_single_precision(argument):
    """An argument as the cohort hands it over: numbers and records of them in single precision, rows as tuples."""
    if isinstance(argument, np.ndarray):
        return tuple(np.float32(one) for one in argument)
    if isinstance(argument, tuple):
        return type(argument)(*(np.float32(one) for one in argument))
    return np.float32(argument) if isinstance(argument, float) else argument


def worked(function, *arguments) -> float:
    """Result of the compiled equation, after checking that the plain one says the same, and in single precision nearly the same."""
    found = function(*arguments)
    assert found == pytest.approx(function.py_func(*arguments), rel=1e-14, abs=1e-15)
    assert function(*(in_single_precision(one) for one in arguments)) == pytest.approx(found, rel=1e-5, abs=1e-6)
    return found


def chance(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def odds(share: float) -> float:
    return math.log(share / (1.0 - share))


def rises(numbers) -> bool:
    return bool(np.all(np.diff(numbers) > 0.0))


def falls(numbers) -> bool:
    return bool(np.all(np.diff(numbers) < 0.0))


# The row of a treatment


def test_the_row_of_a_treatment_has_parameters_first():
    assert [field.name for field in care.PARAMETER_FIELDS] == [field.name for field in TreatmentField][:15]
    assert care.PARAMETER_FIELDS[-1] is TreatmentField.COST
    assert [int(field) for field in TreatmentField] == list(range(len(TreatmentField)))


def test_each_session_adds_a_share_of_the_missing_effect():
    exercise = row(build=0.2, half_life=10.0)
    by_hand = (1.0 - 0.25) * (1.0 - 0.8**2)
    assert worked(care.treatment_effect_change, 0.25, 0.0, 1.0, 2.0, 0.0, exercise, ZERO) == pytest.approx(by_hand, rel=1e-14)
    assert worked(care.treatment_effect_change, 0.0, 0.0, 1.0, 1.0, 0.0, row(build=1.0, half_life=4.0), ZERO) == 1.0
    assert rises([care.treatment_effect_change(0.25, 0.0, 1.0, s, 0.0, exercise, ZERO) for s in (0.5, 1.0, 2.0, 3.0)])


def test_the_durable_share_of_the_best_effect_does_not_wane():
    lasting = row(build=0.2, half_life=2.0, durable=0.5)
    # best 0.8, half of it stays: of 0.6 only 0.2 can wane, and 1 - 2^(-1/2) of that goes
    by_hand = -0.2 * (1.0 - 0.5**0.5)
    assert worked(care.treatment_effect_change, 0.6, 0.8, 0.0, 2.0, 0.0, lasting, ZERO) == pytest.approx(by_hand, rel=1e-13)
    assert worked(care.treatment_effect_change, 0.4, 0.8, 0.0, 2.0, 0.0, lasting, ZERO) == 0.0
    assert worked(care.treatment_effect_change, 0.3, 0.8, 0.0, 2.0, 0.0, lasting, ZERO) == 0.0


def test_half_of_an_effect_wanes_in_its_half_life():
    by_hand = -0.6 * (1.0 - 2.0**-0.1)
    assert worked(care.treatment_effect_change, 0.6, 0.0, 0.0, 2.0, 0.0, row(build=0.2, half_life=10.0), ZERO) == pytest.approx(
        by_hand, rel=1e-13
    )
    fast = worked(care.treatment_effect_change, 0.6, 0.0, 0.0, 2.0, 0.0, row(build=0.2, half_life=0.1), ZERO)
    assert fast == pytest.approx(-0.6 * 1023 / 1024, rel=1e-13)


def test_home_exercise_slows_waning():
    p, exercise = given(home_keeps=0.5), row(build=0.2, half_life=10.0)
    by_hand = -0.6 * (1.0 - 2.0**-0.1) * (1.0 - 0.5 * 0.4)
    assert worked(care.treatment_effect_change, 0.6, 0.0, 0.0, 2.0, 0.4, exercise, p) == pytest.approx(by_hand, rel=1e-13)
    assert rises([care.treatment_effect_change(0.6, 0.0, 0.0, 2.0, habit, exercise, p) for habit in SHARES])


def test_the_mean_effect_of_partial_attendance_lies_between():
    """The mean patient multiplies by the chance that the cohort compares with a draw."""
    exercise = row(build=0.2, half_life=10.0)
    ends = [care.treatment_effect_change(0.3, 0.0, a, 2.0, 0.1, exercise, given(home_keeps=0.5)) for a in (0.0, 1.0)]
    found = worked(care.treatment_effect_change, 0.3, 0.0, 0.7, 2.0, 0.1, exercise, given(home_keeps=0.5))
    assert found == pytest.approx(0.3 * ends[0] + 0.7 * ends[1], rel=1e-13)


def test_a_treatment_targets_the_shares_of_its_drivers():
    targeted = row(target_inflammatory=1.0, target_neuropathic=1.0)
    assert worked(care.targeted_share, targeted, 0.4, 0.3, 0.2, 0.1) == pytest.approx(0.5, rel=1e-15)
    assert worked(care.targeted_share, row(target_mechanical=1.0, target_muscular=1.0), 0.4, 0.3, 0.2, 0.1) == pytest.approx(0.5, rel=1e-15)
    assert worked(care.targeted_share, row(), 0.4, 0.3, 0.2, 0.1) == 0.0
    every = row(target_mechanical=1.0, target_inflammatory=1.0, target_neuropathic=1.0, target_muscular=1.0)
    assert worked(care.targeted_share, every, 0.4, 0.3, 0.2, 0.1) == pytest.approx(1.0, rel=1e-15)


def test_relief_at_the_source_keeps_its_size_while_a_depot_wanes():
    depot = row(source_relief=0.6, plateau=0.5)
    assert worked(care.source_relief, 0.5, 1.0, 1.0, 1.0, depot) == pytest.approx(0.6 * 2.0 / 3.0, rel=1e-14)  # 0.5 / (1 - 0.5 x 0.5)
    assert worked(care.source_relief, 1.0, 1.0, 1.0, 1.0, depot) == pytest.approx(0.6, rel=1e-14)
    assert worked(care.source_relief, 0.0, 1.0, 1.0, 1.0, depot) == 0.0
    assert worked(care.source_relief, 0.5, 1.0, 1.0, 1.0, row(source_relief=0.6)) == pytest.approx(0.3, rel=1e-14)  # falls with the drug
    assert rises([care.source_relief(0.5, 1.0, 1.0, 1.0, row(source_relief=0.6, plateau=one)) for one in SHARES])
    assert rises([care.source_relief(left, 1.0, 1.0, 1.0, depot) for left in SHARES])


def test_sessions_build_a_habit_of_home_exercise_that_decays_after_discharge():
    p, exercise = given(home_half_life=8.0), row(home_habit=0.1)
    assert worked(care.home_habit_change, 0.2, 1.0, 2.0, 0.7, exercise, p) == pytest.approx(0.2 * (0.7 - 0.2), rel=1e-14)
    assert worked(care.home_habit_change, 0.2, 0.0, 2.0, 0.7, exercise, p) == pytest.approx(-0.2 * (1.0 - 2.0**-0.125), rel=1e-13)
    assert worked(care.home_habit_change, 0.8, 1.0, 2.0, 0.7, exercise, p) == 0.0
    assert worked(care.home_habit_change, 0.2, 1.0, 50.0, 0.7, exercise, p) == pytest.approx(0.5, rel=1e-14)
    assert rises([care.home_habit_change(0.0, 1.0, 2.0, adherence, exercise, p) for adherence in SHARES])


# Attendance and referral

BRIDGE = given(attendance_pain=0.15, attendance_adherence=2.0, attendance_coordination=0.6)


def test_attendance_falls_with_pain_and_rises_with_adherence_and_coordination():
    by_hand = chance(odds(0.8) - 0.15 * 2.0 + 2.0 * 0.2 + 0.6 * 0.5)
    assert worked(care.attendance_chance, 7.0, 0.7, 0.5, row(attendance=0.8), BRIDGE) == pytest.approx(by_hand, rel=1e-13)
    assert worked(care.attendance_chance, 5.0, 0.5, 0.0, row(attendance=0.8), BRIDGE) == pytest.approx(0.8, rel=1e-14)
    assert worked(care.attendance_chance, 5.0, 0.5, 0.0, row(attendance=1.0), BRIDGE) == 1.0
    assert falls([care.attendance_chance(x, 0.5, 0.2, row(attendance=0.8), BRIDGE) for x in PAINS])
    assert rises([care.attendance_chance(5.0, x, 0.2, row(attendance=0.8), BRIDGE) for x in SHARES])
    assert rises([care.attendance_chance(5.0, 0.5, x, row(attendance=0.8), BRIDGE) for x in SHARES])


def test_dropout_is_the_mirror_image_of_attendance():
    by_hand = chance(odds(0.05) + 0.15 * 2.0 - 2.0 * 0.2 - 0.6 * 0.5)
    assert worked(care.dropout_chance, 7.0, 0.7, 0.5, row(dropout=0.05), BRIDGE) == pytest.approx(by_hand, rel=1e-13)
    assert worked(care.dropout_chance, 5.0, 0.5, 0.0, row(dropout=0.05), BRIDGE) == pytest.approx(0.05, rel=1e-14)
    assert worked(care.dropout_chance, 9.0, 0.0, 0.0, row(dropout=0.0), BRIDGE) == 0.0
    both = row(attendance=0.8, dropout=0.2)
    for pain in PAINS:
        assert care.attendance_chance(pain, 0.6, 0.3, both, BRIDGE) + care.dropout_chance(pain, 0.6, 0.3, both, BRIDGE) == pytest.approx(
            1.0
        )


def referred(handover: float = 0.0, completed: float = -1.0, wait: float = -1.0) -> np.ndarray:
    """An order with a referral; negative values are left to the handover."""
    order = np.zeros(len(OrderField))
    order[OrderField.HANDOVER], order[OrderField.COMPLETED], order[OrderField.WAIT] = handover, completed, wait
    return order


@pytest.mark.parametrize(
    ("equation", "fragmented", "coordinated"),
    [
        (lambda c, p: care.referral_chance(referred(handover=c), p), "referral_fragmented", "referral_coordinated"),
        (care.diagnosis_chance, "diagnosis_fragmented", "diagnosis_coordinated"),
    ],
)
def test_referral_and_diagnosis_run_from_fragmented_to_coordinated_care(equation, fragmented, coordinated):
    p = given(**{fragmented: 0.3, coordinated: 0.7})
    assert equation(0.25, p) == pytest.approx(0.3 + 0.25 * 0.4, rel=1e-14)
    assert equation(0.0, p) == 0.3
    assert equation(1.0, p) == pytest.approx(0.7, rel=1e-15)


def test_waits_spread_about_a_mean_that_coordination_shortens():
    p = given(wait_fragmented=5.0, wait_coordinated=1.0)
    assert worked(care.wait_weeks, referred(handover=0.25), 0.75, p) == pytest.approx(4.0 * 1.25, rel=1e-14)
    assert worked(care.wait_weeks, referred(handover=0.0), 0.5, p) == 5.0
    assert [worked(care.wait_weeks, referred(handover=1.0), u, p) for u in (0.0, 1.0)] == [0.5, 1.5]
    assert falls([care.wait_weeks(referred(handover=c), 0.5, p) for c in SHARES])


def test_what_a_plan_states_of_a_referral_stands_in_for_its_handover():
    p = given(wait_fragmented=5.0, wait_coordinated=1.0, referral_fragmented=0.3, referral_coordinated=0.7)
    stated = referred(handover=1.0, completed=0.0, wait=0.0)
    assert worked(care.referral_chance, stated, p) == 0.0
    assert worked(care.wait_weeks, stated, 0.9, p) == 0.0
    assert worked(care.wait_weeks, referred(wait=2.0), 1.0, p) == 3.0


# Visits


def test_coordination_wins_back_missed_visits():
    p = given(visit_kept=0.7, visit_coordination=0.5)
    assert worked(care.scheduled_visit_chance, 0.4, p) == pytest.approx(0.7 + 0.4 * 0.3 * 0.5, rel=1e-14)
    assert worked(care.scheduled_visit_chance, 0.0, p) == 0.7
    assert worked(care.scheduled_visit_chance, 1.0, p._replace(visit_coordination=1.0)) == pytest.approx(1.0, rel=1e-15)


def test_unplanned_visits_rise_with_pain():
    p = given(unscheduled_visit=0.05, unscheduled_visit_pain=0.3)
    assert worked(care.unscheduled_visit_chance, 7.0, p) == pytest.approx(chance(odds(0.05) + 0.6), rel=1e-13)
    assert worked(care.unscheduled_visit_chance, 5.0, p) == pytest.approx(0.05, rel=1e-14)
    assert rises([care.unscheduled_visit_chance(x, p) for x in PAINS])


# Prescribing

STARTING = given(start_pain=0.2, start_distress=0.5, start_prior=0.3, start_later=0.1)


def test_opioids_are_started_more_with_pain_distress_and_earlier_treatment():
    by_hand = 0.5 * chance(odds(0.2) + 0.2 * 2.0 + 0.5 * 0.1 + 0.3)
    assert worked(care.opioid_start_chance, 7.0, 0.4, 1.0, 0.2, plan(opioid_start=0.5), STARTING) == pytest.approx(by_hand, rel=1e-13)
    usual = plan(opioid_start=1.0)
    assert worked(care.opioid_start_chance, 5.0, 0.3, 0.0, 0.2, usual, STARTING) == pytest.approx(0.2, rel=1e-14)
    assert rises([care.opioid_start_chance(x, 0.3, 0.0, 0.2, usual, STARTING) for x in PAINS])
    assert rises([care.opioid_start_chance(5.0, x, 0.0, 0.2, usual, STARTING) for x in SHARES])


def test_a_smaller_usual_chance_starts_fewer_opioids():
    usual = plan(opioid_start=1.0)
    assert worked(care.opioid_start_chance, 5.0, 0.3, 0.0, 0.03, usual, STARTING) == pytest.approx(0.03, rel=1e-13)
    assert rises([care.opioid_start_chance(6.0, 0.3, 0.0, x, usual, STARTING) for x in SHARES])


def test_a_plan_without_opioids_starts_none_and_no_plan_starts_more_than_everyone():
    assert worked(care.opioid_start_chance, 10.0, 1.0, 1.0, 0.9, plan(opioid_start=0.0), STARTING) == 0.0
    assert worked(care.opioid_start_chance, 10.0, 1.0, 1.0, 0.9, plan(opioid_start=2.0), STARTING) == 1.0


def test_doses_are_raised_more_with_pain_and_by_the_plans_readiness():
    p = given(escalation_usual=0.1, escalation_pain=0.3)
    assert worked(care.escalation_chance, 7.0, plan(escalation=1.5), p) == pytest.approx(1.5 * chance(odds(0.1) + 0.6), rel=1e-13)
    assert worked(care.escalation_chance, 7.0, plan(escalation=0.0), p) == 0.0
    assert worked(care.escalation_chance, 10.0, plan(escalation=2.0), p._replace(escalation_usual=0.9)) == 1.0
    assert rises([care.escalation_chance(x, plan(escalation=1.0), p) for x in PAINS])


STOPPING = given(stop_scale=0.8, stop_decay=1.2, stop_pain=0.1, stop_distress=0.4)


def test_the_hazard_of_stopping_falls_with_weeks_on_opioids_pain_and_distress():
    hazard = 0.8 * 4.0**-1.2 * math.exp(-0.1 * 2.0 - 0.4 * 0.2)
    assert worked(care.stop_chance, 3.0, 7.0, 0.5, 1.0, STOPPING) == pytest.approx(1.0 - math.exp(-hazard), rel=1e-12)
    assert worked(care.stop_chance, 0.0, 5.0, 0.3, 1.0, STOPPING) == pytest.approx(1.0 - math.exp(-0.8), rel=1e-13)
    double = worked(care.stop_chance, 0.0, 5.0, 0.3, 2.0, STOPPING)  # who stops twice as easily has twice the hazard
    assert double == pytest.approx(1.0 - math.exp(-2.0 * 0.8), rel=1e-13)
    assert falls([care.stop_chance(float(weeks), 5.0, 0.3, 1.0, STOPPING) for weeks in range(100)])
    assert falls([care.stop_chance(3.0, x, 0.3, 1.0, STOPPING) for x in PAINS])
    assert falls([care.stop_chance(3.0, 5.0, x, 1.0, STOPPING) for x in SHARES])


def test_a_longer_first_supply_persists_longer():
    def still_on(first_supply_weeks: int, week: int) -> float:
        return math.prod(1.0 - care.stop_chance(float(w), 5.0, 0.3, 1.0, STOPPING) for w in range(first_supply_weeks, week))

    assert rises([still_on(supply, 52) for supply in (1, 2, 4, 8)])


def test_a_review_ends_an_opioid_without_benefit_or_without_need():
    p = given(review_stop=0.25)
    assert worked(care.review_stop_chance, 5.7, 8.0, p) == 0.25  # fell by less than 30 %
    assert worked(care.review_stop_chance, 5.5, 8.0, p) == 0.0  # fell by more, and pain is not mild
    assert worked(care.review_stop_chance, 3.0, 8.0, p) == 0.25  # mild by now


# Tapering


def test_tapers_are_accepted_more_with_support_and_under_pressure():
    p = given(taper_acceptance=0.2, taper_acceptance_supported=0.5)
    assert worked(care.taper_acceptance_chance, 0.5, 1.0, p) == pytest.approx(0.35, rel=1e-14)
    assert worked(care.taper_acceptance_chance, 0.0, 2.0, p) == pytest.approx(0.4, rel=1e-14)
    assert worked(care.taper_acceptance_chance, 1.0, 4.0, p) == 1.0
    assert worked(care.taper_acceptance_chance, 1.0, 0.0, p) == 0.0


def test_a_taper_of_ten_percent_a_month_leaves_nine_tenths_after_a_month():
    months_a_week = 7.0 * 12.0 / 365.25
    assert worked(care.tapered_dose, 100.0, 10.0) == pytest.approx(100.0 * 0.9**months_a_week, rel=1e-13)
    dose = 100.0
    for _ in range(52):
        dose = care.tapered_dose(dose, 10.0)
    assert dose == pytest.approx(100.0 * 0.9 ** (12.0 * 364.0 / 365.25), rel=1e-12)
    assert 0.0 < worked(care.tapered_dose, 100.0, 100.0) < 25.0
    assert falls([care.tapered_dose(100.0, pace) for pace in (1.0, 5.0, 10.0, 50.0, 90.0)])


def test_tapers_are_given_up_with_withdrawal_and_pain_and_less_with_support():
    p = given(taper_return=0.03, taper_return_withdrawal=0.6, taper_return_pain=0.1, taper_return_support=1.0)
    by_hand = chance(odds(0.03) + 0.6 * 1.5 + 0.1 * 2.0 - 1.0 * 0.4)
    assert worked(care.taper_return_chance, 1.5, 7.0, 0.4, p) == pytest.approx(by_hand, rel=1e-13)
    assert worked(care.taper_return_chance, 0.0, 5.0, 0.0, p) == pytest.approx(0.03, rel=1e-14)
    assert rises([care.taper_return_chance(x, 5.0, 0.0, p) for x in np.linspace(0.0, 5.0, 11)])
    assert rises([care.taper_return_chance(1.0, x, 0.0, p) for x in PAINS])
    assert falls([care.taper_return_chance(1.0, 5.0, x, p) for x in SHARES])


def test_long_term_therapy_begins_at_ninety_days():
    assert care.LONG_TERM_WEEKS - 1 < 90 / 7 <= care.LONG_TERM_WEEKS


def test_planned_visits_come_about_their_interval_apart():
    p = given(visit_spread=0.25)
    assert [worked(care.weeks_to_next_visit, 12.0, u, p) for u in (0.0, 0.5, 1.0)] == [9, 12, 15]
    assert worked(care.weeks_to_next_visit, 1.0, 0.0, p) == 1


def test_an_unbroken_taper_takes_the_months_that_its_pace_needs():
    p = given(taper_end_dose=5.0)
    weeks = math.log(40.0 / 5.0) / -math.log(0.9) * 365.25 / 12 / 7
    assert worked(care.taper_weeks, 40.0, 10.0, p) == pytest.approx(weeks, rel=1e-12)
    assert worked(care.taper_weeks, 4.0, 10.0, p) == 1.0


def test_relief_is_the_treatments_own_in_responders_and_contextual_in_everyone() -> None:
    columns = row(relief=0.2, contextual=0.1, source_relief=0.5, activity_lift=0.4, easing=0.02)
    assert worked(care.felt_relief, 0.5, 1.2, columns) == pytest.approx(0.5 * 1.2 * 0.2 + 0.5 * 0.1)
    assert worked(care.felt_relief, 0.5, 0.0, columns) == pytest.approx(0.05)
    assert worked(care.source_relief, 0.5, 1.2, 0.4, 0.3, columns) == pytest.approx(0.5 * 1.2 * 0.4 * 0.3 * 0.5)
    assert worked(care.activity_lift, 0.5, 1.2, columns) == pytest.approx(0.24)
    assert worked(care.sensitization_easing, 0.5, 1.2, columns) == pytest.approx(0.012)
    assert worked(care.felt_relief, 1.0, 50.0, columns) == worked(care.source_relief, 1.0, 50.0, 1.0, 1.0, columns) == care.MOST_RELIEF


def test_training_comes_from_sessions_and_home_exercise() -> None:
    p = given(home_training=0.01)
    assert worked(care.training_share, 1.0, 2.0, 0.5, row(strength_gain=0.03), p) == pytest.approx(2.0 * 0.03 + 0.5 * 0.01)
    assert worked(care.training_share, 0.0, 2.0, 0.0, row(strength_gain=0.03), p) == 0.0


def test_a_raise_stops_at_the_cap_and_never_lowers_a_dose() -> None:
    p = given(escalation_step=0.3)
    assert worked(care.raised_dose, 40.0, plan(dose_cap=100.0), p) == pytest.approx(52.0)
    assert worked(care.raised_dose, 90.0, plan(dose_cap=100.0), p) == 100.0
    assert worked(care.raised_dose, 150.0, plan(dose_cap=100.0), p) == 150.0
