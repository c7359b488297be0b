"""What is left to chance in the cohort: each patient's noise, flares, attendance, dropout and arrival, worked out from the draws."""

import math

import numpy as np
import pytest

from painlab import parameters
from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.engine.cohort import arrival_week, simulate_block
from painlab.numerics import FIXED_POINT, standard_normal
from painlab.outcomes import Count
from painlab.parameters import Parameters
from painlab.population import Mix
from painlab.randomness import Block, uniforms

SEED, WEEKS, PATIENTS = 11, 60, 300
STEADY = Condition(
    pain=5.0, pain_sd=1e-9, weeks_before=8.0, lasting_share=1.0, course_weeks=10.0, flares_per_year=0.0, mechanical=0.4, inflammatory=0.3,
    neuropathic=0.2, muscular=0.1, age=50.0, age_sd=0.0, opioid_start=0.0, opioid_response=1.0, opioid_stop=1.0, exercise_response=1.0,
)  # fmt: skip
"""Pain of 5 that stays, so that whatever moves is chance."""
PEOPLE = Mix(
    minimum_pain=0.0, on_opioids=0.0, opioid_dose=60.0, opioid_weeks=150.0, age=50.0, distress=0.3, poor_sleep=0.3, work_demand=0.4,
    comorbidity=0.3, prior_treatment=0.0, adherence=0.5,
)  # fmt: skip
PLAN = Plan(
    coordination=0.0, opioid_start=0.0, start_dose=40.0, first_supply_days=7.0, escalation=0.0, dose_cap=100.0, reassessment_weeks=13.0,
    review=0.0, taper_start=np.inf, taper_pace=10.0, taper_support=0.0, taper_offer=0.0,
)  # fmt: skip
CHANCE = "noise_size flare_size weakness_pain sensitization_pain trait_spread course_spread course_time_spread response_spread"
SILENT = dict.fromkeys(CHANCE.split(), 0.0)
NO_CARE = np.zeros((0, len(TreatmentField))), np.zeros((0, len(OrderField)))


def given(**values: float) -> Parameters:
    return parameters.scalars(parameters.values())._replace(**(SILENT | values))


def course(
    patient: int, p: Parameters, outcome: Count, condition: Condition = STEADY, care: tuple[np.ndarray, np.ndarray] = NO_CARE
) -> np.ndarray:
    """One patient's outcome in weeks 0 ... WEEKS."""
    sums, present = np.zeros((len(Count), WEEKS + 1), dtype=np.int64), np.zeros(WEEKS + 1, dtype=np.int64)
    rows, orders = care
    goals = np.array([[0.6, 0.6]])
    simulate_block(SEED, patient, 1, WEEKS, -1, condition, PEOPLE, goals, p, rows, orders, PLAN, orders, PLAN, sums, present)
    return sums[outcome] / FIXED_POINT


def draws(patient: int, block: Block, treatment: int = 0) -> np.ndarray:
    """A block's draws, shape (WEEKS + 1, 4)."""
    return np.array([uniforms(SEED, patient, week, block, treatment) for week in range(WEEKS + 1)])


def test_pain_wanders_about_its_course_and_remembers_the_week_before() -> None:
    p = given(noise_size=0.7, noise_persistence=0.6)
    paths = np.array([course(patient, p, Count.PAIN) for patient in range(PATIENTS)]) - 5.0
    for patient in range(20):
        noise, by_hand = 0.0, [0.0]
        for u in draws(patient, Block.BODY)[1:, 0]:
            noise = 0.6 * noise + 0.7 * math.sqrt(1.0 - 0.6**2) * standard_normal(u)
            by_hand.append(noise)
        assert paths[patient] == pytest.approx(by_hand, abs=1e-5)
    settled = paths[:, 15:]
    assert settled.mean() == pytest.approx(0.0, abs=0.03)
    assert settled.std() == pytest.approx(0.7, rel=0.05)
    assert np.corrcoef(settled[:, :-1].ravel(), settled[:, 1:].ravel())[0, 1] == pytest.approx(0.6, abs=0.04)


def test_pain_wanders_half_as_far_about_half_the_pain() -> None:
    p = given(noise_size=0.7, noise_persistence=0.6)
    mild = STEADY._replace(pain=2.5)
    for patient in range(20):
        severe = course(patient, p, Count.PAIN) - 5.0
        assert course(patient, p, Count.PAIN, mild) - 2.5 == pytest.approx(0.5 * np.maximum(severe, -5.0), abs=1e-5)


def test_a_flare_begins_by_chance_adds_pain_and_fades() -> None:
    condition = STEADY._replace(flares_per_year=6.0)
    p = given(flare_size=1.0, flare_half_life=2.0, flare_work_demand=0.5)
    chance = 1.0 - math.exp(-6.0 / 52.0 * (1.0 + 0.5 * PEOPLE.work_demand))
    begun = 0
    for patient in range(PATIENTS):
        flare, by_hand = 0.0, [5.0]
        for _, onset, size, _ in draws(patient, Block.BODY)[1:]:
            flare *= 2.0 ** (-1.0 / 2.0)
            if onset < chance:
                flare += 2.0 * size
                begun += 1
            by_hand.append(min(5.0 + flare, 10.0))
        assert course(patient, p, Count.PAIN, condition) == pytest.approx(by_hand, abs=1e-5)
    assert begun / PATIENTS == pytest.approx(WEEKS * chance, rel=0.06)


@pytest.mark.parametrize(("attendance", "dropout"), [(0.7, 0.0), (1.0, 0.1), (0.7, 0.1)])
def test_who_leaves_a_course_misses_the_rest_of_it_and_comes_back_for_the_next(attendance: float, dropout: float) -> None:
    p = given(attendance_pain=0.0, attendance_adherence=0.0, attendance_coordination=0.0)
    row, order = np.zeros(len(TreatmentField)), np.zeros(len(OrderField))
    row[[TreatmentField.HALF_LIFE, TreatmentField.COUNTS_SESSION]] = 1.0
    row[TreatmentField.ATTENDANCE], row[TreatmentField.DROPOUT] = attendance, dropout
    order[OrderField.ORDERED] = order[OrderField.SESSIONS] = 1.0
    order[OrderField.START_WEEK], order[OrderField.WEEKS], order[OrderField.COURSES], order[OrderField.INTERVAL] = 2.0, 12.0, 2.0, 20.0
    attended = 0
    for patient in range(PATIENTS):
        by_hand = np.zeros(WEEKS + 1)
        for start in (2, 22):
            for week, (attends, leaves, _, _) in enumerate(draws(patient, Block.SESSION, 1)[start : start + 12], start=start):
                if leaves < dropout:
                    break
                by_hand[week] = float(attends < attendance)
        assert course(patient, p, Count.SESSIONS, care=(row[None], order[None])).tolist() == by_hand.tolist()
        attended += int(by_hand.sum())
    still_there = sum((1.0 - dropout) ** week for week in range(1, 13))
    assert attended / PATIENTS == pytest.approx(2 * attendance * still_there, rel=0.05)


def test_patients_of_an_open_cohort_arrive_evenly_from_a_follow_up_before_week_0_to_the_horizon() -> None:
    arrivals = np.array([arrival_week(SEED, patient, 40, 20) for patient in range(12_000)])
    counts = np.bincount(arrivals + 20)
    assert counts.size == 61
    assert counts == pytest.approx(12_000 / 61, abs=5.0 * math.sqrt(12_000 / 61))
    assert {arrival_week(SEED, patient, 40, -1) for patient in range(20)} == {0}
