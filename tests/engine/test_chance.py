"""What is left to chance in the cohort: each patient's noise, flares, attendance, dropout and arrival, worked out from the draws."""

import math

import numpy as np
import pytest

from painlab import parameters
from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.engine.cohort import simulate_patients
from painlab.engine.execution import arrival_weeks
from painlab.engine.layout import packed
from painlab.numerics import standard_normal
from painlab.outcomes import Count, Recorded
from painlab.parameters import Parameters
from painlab.population import Mix
from painlab.randomness import DRAWS, Block, uniforms

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


def lives(
    p: Parameters, condition: Condition = STEADY, care: tuple[np.ndarray, np.ndarray] = NO_CARE, first: int = 0, patients: int = PATIENTS
) -> np.ndarray:
    """Patients' own weeks 0 ... WEEKS, shape (patients, WEEKS + 1, len(Recorded))."""
    rows, orders = (one.astype(np.float32) for one in care)
    sums, present = np.zeros((1, len(Count), WEEKS + 1), dtype=np.int64), np.zeros(WEEKS + 1, dtype=np.int64)
    records = np.zeros((1, WEEKS + 1, len(Recorded), patients), dtype=np.float32)
    arrivals, goals = np.zeros(patients, dtype=np.int64), np.array([[0.6, 0.6]], dtype=np.float32)
    simulate_patients(
        SEED, first, arrivals, WEEKS + 1, packed(condition), packed(PEOPLE), goals, packed(p), rows, orders[None], packed(PLAN)[None],
        sums, present, records,
    )  # fmt: skip
    return np.moveaxis(records[0], 2, 0).astype(float)


def pains(p: Parameters, condition: Condition = STEADY) -> np.ndarray:
    return lives(p, condition)[:, :, Recorded.PAIN]


def draws(patient: int, block: Block, place: int = 0) -> np.ndarray:
    """A block's draws, shape (WEEKS + 1, 6)."""
    return np.array([uniforms(SEED, patient, week, block, place) for week in range(WEEKS + 1)])


def test_pain_wanders_about_its_course_and_remembers_the_week_before() -> None:
    p = given(noise_size=0.7, noise_persistence=0.6)
    paths = pains(p) - 5.0
    for patient in range(20):
        noise, by_hand = 0.0, [0.0]
        for u in draws(patient, Block.BODY)[1:, 0]:
            noise = 0.6 * noise + 0.7 * math.sqrt(1.0 - 0.6**2) * standard_normal(float(u))
            by_hand.append(noise)
        assert paths[patient] == pytest.approx(by_hand, abs=1e-4)
    settled = paths[:, 15:]
    assert settled.mean() == pytest.approx(0.0, abs=0.03)
    assert settled.std() == pytest.approx(0.7, rel=0.05)
    assert np.corrcoef(settled[:, :-1].ravel(), settled[:, 1:].ravel())[0, 1] == pytest.approx(0.6, abs=0.04)


def test_pain_wanders_half_as_far_about_half_the_pain() -> None:
    p = given(noise_size=0.7, noise_persistence=0.6)
    severe, mild = pains(p) - 5.0, pains(p, STEADY._replace(pain=2.5)) - 2.5
    assert mild == pytest.approx(0.5 * np.maximum(severe, -5.0), abs=1e-4)


def test_a_flare_begins_by_chance_adds_pain_and_fades() -> None:
    condition = STEADY._replace(flares_per_year=6.0)
    p = given(flare_size=1.0, flare_half_life=2.0, flare_work_demand=0.5)
    chance = 1.0 - math.exp(-6.0 / 52.0 * (1.0 + 0.5 * PEOPLE.work_demand))
    begun = 0
    found = pains(p, condition)
    for patient in range(PATIENTS):
        flare, by_hand = 0.0, [5.0]
        for onset, size in draws(patient, Block.BODY)[1:, 1:3]:
            flare *= 2.0 ** (-1.0 / 2.0)
            if onset < chance:
                flare += 2.0 * size
                begun += 1
            by_hand.append(min(5.0 + flare, 10.0))
        assert found[patient] == pytest.approx(by_hand, abs=1e-4)
    assert begun / PATIENTS == pytest.approx(WEEKS * chance, rel=0.06)


def courses(attendance: float, dropout: float, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Two courses of 12 weeks, from weeks 2 and 22, of the treatment with this number; those before it are not ordered."""
    rows, orders = np.zeros((number, len(TreatmentField))), np.zeros((number, len(OrderField)))
    rows[:, [TreatmentField.HALF_LIFE, TreatmentField.COUNTS_SESSION]] = 1.0
    row, order = rows[-1], orders[-1]
    row[TreatmentField.ATTENDANCE], row[TreatmentField.DROPOUT] = attendance, dropout
    order[OrderField.ORDERED] = order[OrderField.SESSIONS] = 1.0
    order[OrderField.START_WEEK], order[OrderField.WEEKS], order[OrderField.COURSES], order[OrderField.INTERVAL] = 2.0, 12.0, 2.0, 20.0
    return rows, orders


EVEN = {"attendance_pain": 0.0, "attendance_adherence": 0.0, "attendance_coordination": 0.0}


@pytest.mark.parametrize(("attendance", "dropout", "number"), [(0.7, 0.0, 1), (1.0, 0.1, 6), (0.7, 0.1, 7), (0.7, 0.1, 14)])
def test_who_leaves_a_course_misses_the_rest_of_it_and_comes_back_for_the_next(attendance: float, dropout: float, number: int) -> None:
    """One number decides: below the chance of leaving the course is left, in the next part the week is attended."""
    sessions = lives(given(**EVEN), care=courses(attendance, dropout, number))[:, :, Recorded.SESSIONS]
    attended = 0
    for patient in range(PATIENTS):
        by_hand = np.zeros(WEEKS + 1)
        drawn = draws(patient, Block.SESSION, (number - 1) // DRAWS)[:, (number - 1) % DRAWS]
        for start in (2, 22):
            for week in range(start, start + 12):
                if drawn[week] < dropout:
                    break
                by_hand[week] = float(drawn[week] < dropout + (1.0 - dropout) * attendance)
        assert sessions[patient].tolist() == by_hand.tolist()
        attended += int(by_hand.sum())
    still_there = sum((1.0 - dropout) ** week for week in range(1, 13))
    assert attended / PATIENTS == pytest.approx(2 * attendance * still_there, rel=0.05)


def test_sessions_of_two_treatments_are_met_independently() -> None:
    rows, orders = courses(0.5, 0.0, 7)
    rows[0], orders[0] = rows[6], orders[6]
    rows[6, TreatmentField.COUNTS_SESSION] = 4.0
    met = lives(given(**EVEN), care=(rows, orders))[:, 2:14, Recorded.SESSIONS]
    first, second = met % 4.0 > 0.0, met >= 4.0
    assert (first.mean(), second.mean()) == pytest.approx((0.5, 0.5), abs=4.0 * 0.5 / math.sqrt(first.size))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] == pytest.approx(0.0, abs=4.0 / math.sqrt(first.size))


def test_a_patients_chances_do_not_depend_on_who_else_is_followed() -> None:
    p, condition = given(noise_size=0.7, flare_size=1.0), STEADY._replace(flares_per_year=6.0)
    everyone = lives(p, condition, courses(0.7, 0.1, 7))
    for patient in (0, 1, 17, 255, 256, 299):
        alone = lives(p, condition, courses(0.7, 0.1, 7), first=patient, patients=1)
        assert np.array_equal(alone[0], everyone[patient])


# Arrival


def test_patients_of_an_open_cohort_arrive_evenly_from_a_follow_up_before_week_0_to_the_horizon() -> None:
    arrivals = arrival_weeks(0, 12_000, 12_000, 40, 20)
    assert (np.diff(arrivals) >= 0).all()
    counts = np.bincount(arrivals + 20)
    assert counts.size == 61
    assert counts.sum() == 12_000
    assert counts.max() - counts.min() <= 1
    assert set(arrival_weeks(0, 20, 20, 40, -1)) == {0}


@pytest.mark.parametrize("patients", [1, 5, 61, 100])
def test_few_patients_are_spread_over_the_weeks_too(patients: int) -> None:
    arrivals = arrival_weeks(0, patients, patients, 40, 20)
    assert arrivals[0] == -20
    assert arrivals[-1] <= 40
    gaps = np.diff(arrivals)
    assert patients == 1 or gaps.max() - gaps.min() <= 1


def test_when_a_patient_arrives_does_not_depend_on_how_the_work_is_cut() -> None:
    whole = arrival_weeks(0, 1000, 1000, 40, 20)
    parts = [arrival_weeks(start, min(7, 1000 - start), 1000, 40, 20) for start in range(0, 1000, 7)]
    assert np.concatenate(parts).tolist() == whole.tolist()
