"""The compiled cohort against one patient stepped by hand in plain Python, and what its sums may depend on."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from painlab import care, catalog, dynamics, parameters
from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.engine.cohort import simulate_patients
from painlab.engine.layout import ADDED, LANES, SCALES, packed
from painlab.engine.prescribing import TAPER_PAUSE_WEEKS, TAPER_RISK_WEEKS
from painlab.outcomes import Count
from painlab.parameters import Parameters
from painlab.population import Mix, draw_traits
from painlab.randomness import Block, uniforms

SPREADS = "trait_spread course_spread course_time_spread response_spread dose_spread first_supply_spread visit_spread"
WITHOUT_CHANCE = dict.fromkeys(["noise_size", "flare_size", *SPREADS.split()], 0.0)
CONDITION = Condition(
    pain=6.0, pain_sd=1e-9, weeks_before=8.0, lasting_share=0.4, course_weeks=10.0, flares_per_year=0.0, mechanical=0.4, inflammatory=0.3,
    neuropathic=0.2, muscular=0.1, age=64.0, age_sd=0.0, opioid_start=1.0, opioid_response=0.6, exercise_response=1.0, opioid_stop=1.0,
)  # fmt: skip
PEOPLE = Mix(
    minimum_pain=1.0, on_opioids=0.0, opioid_dose=60.0, opioid_weeks=150.0, age=64.0, distress=0.3, poor_sleep=0.4, work_demand=0.4,
    comorbidity=0.2, prior_treatment=0.0, adherence=0.6,
)  # fmt: skip
GOALS = np.array([[0.7, 0.8]])
PLAN = Plan(
    coordination=0.5, opioid_start=0.0, start_dose=40.0, first_supply_days=7.0, escalation=0.0, dose_cap=100.0, reassessment_weeks=1.0,
    review=0.0, taper_start=np.inf, taper_pace=10.0, taper_support=0.0, taper_offer=0.0,
)  # fmt: skip
STARTING = PLAN._replace(opioid_start=1.0)


def certain(**values: float) -> Parameters:
    """Parameters without spread or noise; visits are kept, nobody starts, stops or returns to opioids later unless stated."""
    settled = {"visit_kept": 1.0, "start_later": 0.0, "stop_scale": 0.0, "taper_return": 0.0}
    return parameters.scalars(parameters.values())._replace(**(WITHOUT_CHANCE | settled | values))


def row(**columns: float) -> np.ndarray:
    """A treatment's row; all respond, all attend and nobody leaves unless stated."""
    made = np.zeros(len(TreatmentField))
    for name, value in ({"responders": 1.0, "attendance": 1.0, "half_life": np.inf} | columns).items():
        made[TreatmentField[name.upper()]] = value
    return made


def order(**columns: float) -> np.ndarray:
    made = np.zeros(len(OrderField))
    usual = {"ordered": 1.0, "start_week": 2.0, "weeks": 1.0, "sessions": 1.0, "courses": 1.0, "interval": 13.0}
    unstated = {"completed": -1.0, "wait": -1.0}
    for name, value in (usual | unstated | columns).items():
        made[OrderField[name.upper()]] = value
    return made


def followed(
    p: Parameters,
    care_given: list[tuple[np.ndarray, np.ndarray]] | None = None,
    plan: Plan = PLAN,
    *,
    people: Mix = PEOPLE,
    condition: Condition = CONDITION,
    weeks: int = 30,
    seed: int = 1,
    patients: range = range(1),
    arrivals: list[int] | None = None,
    stay: int | None = None,
) -> np.ndarray:
    """The engine's integer sums of the patients, shape (outcomes, weeks + 1); all arrive in week 0 and stay unless stated."""
    rows = np.array([one for one, _ in care_given or []], dtype=np.float32).reshape(-1, len(TreatmentField))
    orders = np.array([one for _, one in care_given or []], dtype=np.float32).reshape(1, -1, len(OrderField))
    sums, present = np.zeros((1, len(Count), weeks + 1), dtype=np.int64), np.zeros(weeks + 1, dtype=np.int64)
    came = np.array(arrivals or [0] * len(patients), dtype=np.int64)
    simulate_patients(
        seed, patients.start, came, stay or weeks + 1, packed(condition), packed(people), GOALS.astype(np.float32), packed(p), rows, orders,
        packed(plan)[None], sums, present, np.empty((0, 0, 0, 0), dtype=np.float32),
    )  # fmt: skip
    assert present.tolist() == [_there(came, stay or weeks + 1, week) for week in range(weeks + 1)]
    return sums[0]


def _there(arrivals: np.ndarray, stay: int, week: int) -> int:
    """How many are in care in a week."""
    return int(((arrivals <= week) & (week < arrivals + stay)).sum())


def levels(sums: np.ndarray, outcome: Count) -> np.ndarray:
    """An outcome's sums by week, in patients' units."""
    return sums[outcome] / float(SCALES[outcome])


@dataclass
class ByHand:
    """One patient's body, stepped with the plain equations; the tests decide what is given."""

    p: Parameters
    people: Mix = PEOPLE
    withdrawal: float = 0.0
    weeks: dict[Count, list[float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.traits = draw_traits(1, 0, CONDITION, self.people, 1, self.p)
        self.activity, self.strength = self.traits.activity, self.traits.strength
        self.sensitization, self.tolerance = self.traits.sensitization, self.traits.tolerance
        p = self.p
        relief = dynamics.opioid_relief.py_func(self.traits.dose, self.tolerance, self.traits.opioid_response, p)
        unmodulated = (CONDITION.pain - p.hyperalgesia_pain * self.tolerance) / (1.0 - relief)
        self.signal = unmodulated - p.weakness_pain * (1.0 - self.strength) - p.sensitization_pain * self.sensitization

    def feels(self, week: int, taken: float = 0.0, source_relief: float = 0.0, relief: float = 0.0) -> float:
        tissue = dynamics.nociception.py_func(week, self.signal, CONDITION.lasting_share * self.signal, CONDITION.course_weeks)
        unmodulated = dynamics.unmodulated_pain.py_func(tissue, source_relief, self.strength, self.sensitization, self.p)
        by_opioid = dynamics.opioid_relief.py_func(taken, self.tolerance, self.traits.opioid_response, self.p)
        return dynamics.felt_pain.py_func(unmodulated, by_opioid, relief, self.tolerance, self.withdrawal, 0.0, self.p)

    def notes(self, **outcomes: float) -> None:
        for name, value in ({"strength": self.strength, "activity": self.activity} | outcomes).items():
            self.weeks.setdefault(Count[name.upper()], []).append(value)

    def lives(
        self, pain: float, sedation: float = 0.0, lift: float = 0.0, training: float = 0.0, easing: float = 0.0,
        doses: tuple[float, float] = (0.0, 0.0), taken: float = 0.0, support: float = 0.0,
    ) -> None:  # fmt: skip
        """One week on, for the felt pain and what was given."""
        p, traits = self.p, self.traits
        target = dynamics.activity_target.py_func(pain, traits.distress, traits.comorbidity, sedation, lift, p)
        stronger = dynamics.strength_change.py_func(self.strength, self.activity, p)
        stronger += dynamics.training_gain.py_func(self.strength, training, traits.age, p)
        self.sensitization += dynamics.sensitization_change.py_func(self.sensitization, pain, traits.distress, traits.poor_sleep, easing, p)
        self.activity += dynamics.activity_change.py_func(self.activity, target, p)
        self.strength += stronger
        self.withdrawal += dynamics.withdrawal_change.py_func(self.withdrawal, p)
        self.withdrawal += dynamics.withdrawal_onset.py_func(*doses, self.tolerance, support, p)
        self.tolerance += dynamics.tolerance_change.py_func(self.tolerance, taken, p)

    def agrees_with(self, sums: np.ndarray) -> None:
        for outcome, values in self.weeks.items():
            within = 1e-4 + 1.0 / float(SCALES[outcome])
            np.testing.assert_allclose(levels(sums, outcome), values, rtol=0.0, atol=within, err_msg=outcome.name)


# One patient by hand


def test_a_body_without_care_follows_the_equations_week_by_week() -> None:
    p = certain()
    hand = ByHand(p)
    for week in range(31):
        pain = hand.feels(week)
        met = hand.activity >= GOALS[0, 0] and hand.strength >= GOALS[0, 1]
        score = dynamics.function_score.py_func(hand.activity, hand.strength, pain, p)
        hand.notes(pain=pain, function=score, goal_reached=float(met), visits=1.0, cost=p.cost_visit, mme=0.0)
        hand.lives(pain)
    sums = followed(p)
    hand.agrees_with(sums)
    assert levels(sums, Count.PAIN)[0] == pytest.approx(CONDITION.pain, abs=1e-5)


@pytest.mark.parametrize("courses", [1, 2])
def test_a_course_of_therapy_that_all_attend_and_that_does_not_wane(courses: int) -> None:
    p = certain(home_training=0.01)
    therapy = row(
        relief=0.3, contextual=0.1, build=0.2, activity_lift=0.2, strength_gain=0.02, easing=0.01, home_habit=0.1, cost=80.0,
        counts_session=1.0,
    )  # fmt: skip
    hand = ByHand(p)
    effect = habit = 0.0
    for week in range(31):
        pain = hand.feels(week, relief=0.4 * effect)
        sessions = 2.0 if 2 <= week < 8 or (courses == 2 and 12 <= week < 18) else 0.0
        hand.notes(pain=pain, sessions=sessions, injections=0.0, cost=p.cost_visit + 80.0 * sessions)
        hand.lives(pain, lift=0.2 * effect, training=0.02 * sessions + 0.01 * habit, easing=0.01 * effect)
        attended = float(sessions > 0.0)
        effect, habit = (
            effect + care.treatment_effect_change.py_func(effect, effect, attended, 2.0, habit, therapy, p),
            habit + care.home_habit_change.py_func(habit, attended, sessions, PEOPLE.adherence, therapy, p),
        )
    hand.agrees_with(followed(p, [(therapy, order(weeks=6.0, sessions=2.0, courses=float(courses), interval=10.0))]))


@pytest.mark.parametrize(("found", "potency"), [(1.0, 1.0), (0.0, 0.3)])
def test_an_injection_acts_on_its_drivers_and_wanes(found: float, potency: float) -> None:
    p = certain(
        diagnosis_fragmented=found, diagnosis_coordinated=found, missed_driver_effect=0.3, referral_fragmented=1.0,
        referral_coordinated=1.0, wait_fragmented=0.0, wait_coordinated=0.0,
    )  # fmt: skip
    injection = row(
        source_relief=0.8, contextual=0.05, build=1.0, half_life=3.0, cost=500.0, target_neuropathic=1.0, target_inflammatory=1.0,
        referral=1.0, counts_injection=1.0,
    )  # fmt: skip
    hand = ByHand(p)
    effect = 0.0
    for week in range(31):
        targeted = CONDITION.neuropathic + CONDITION.inflammatory
        pain = hand.feels(week, source_relief=effect * potency * 0.8 * targeted, relief=effect * 0.05)
        given = float(week == 2)
        hand.notes(pain=pain, injections=given, sessions=0.0, cost=p.cost_visit + 500.0 * given)
        hand.lives(pain)
        effect = 1.0 if given else effect * 2.0 ** (-1.0 / 3.0)
    hand.agrees_with(followed(p, [(injection, order())]))


@pytest.mark.parametrize("ends", [False, True])
def test_an_opioid_start_with_a_first_supply_and_tolerance(ends: bool) -> None:
    p = certain(stop_scale=1e9 if ends else 0.0)  # ends as soon as the first ten days are used up
    hand = ByHand(p)
    dose = taken = 0.0
    supply = 10.0 / 7.0
    for week in range(31):
        pain, sedation = hand.feels(week, taken), dynamics.sedation_chance.py_func(taken, p)
        before = dose
        if week == 0:
            dose = 40.0
        elif ends and week == 2:
            dose = 0.0
        taken = dose * (supply - 1.0 if week == 1 else 1.0)
        drowsy, bound = dynamics.sedation_chance.py_func(taken, p), dynamics.constipation_chance.py_func(taken, p)
        hand.notes(
            pain=pain, mme=taken, on_opioids=float(dose > 0.0), sedation=drowsy, constipation=bound,
            side_effects=drowsy + bound - drowsy * bound, overdose_hazard=dynamics.overdose_hazard.py_func(dose, False, p),
            cost=p.cost_visit + 7.0 * taken * p.cost_mme,
        )  # fmt: skip
        hand.lives(pain, sedation=sedation, doses=(before, dose), taken=taken)
    hand.agrees_with(followed(p, plan=STARTING._replace(first_supply_days=10.0)))


def test_a_taper_without_return_ends_and_brings_withdrawal() -> None:
    p = certain(taper_acceptance=1.0, taper_acceptance_supported=1.0)
    people = PEOPLE._replace(on_opioids=1.0)
    hand = ByHand(p, people)
    dose = hand.traits.dose
    assert dose == pytest.approx(60.0)
    for week in range(71):
        pain, sedation = hand.feels(week, dose), dynamics.sedation_chance.py_func(dose, p)
        before = dose
        if week > 3:  # accepted at the visit in week 3
            dose *= (1.0 - 0.4) ** (1.0 / care.WEEKS_PER_MONTH)
        fell_to = dose  # the last small step of a completed taper is no sudden stop to the body
        dose = 0.0 if dose < p.taper_end_dose else dose
        recent = 3 <= week <= 3 + TAPER_RISK_WEEKS
        hand.notes(
            pain=pain, mme=dose, on_opioids=float(dose > 0.0), long_term_therapy=float(dose > 0.0), new_persistent_use=0.0,
            overdose_hazard=dynamics.overdose_hazard.py_func(dose, recent, p),
        )  # fmt: skip
        hand.lives(pain, sedation=sedation, doses=(before, fell_to), taken=dose, support=0.5)
    assert dose == 0.0
    plan = PLAN._replace(taper_start=3.0, taper_pace=40.0, taper_support=0.5, taper_offer=10.0)
    hand.agrees_with(followed(p, plan=plan, people=people, weeks=70))


def test_a_taper_that_is_given_up_returns_to_the_earlier_dose_and_is_not_offered_again_for_half_a_year() -> None:
    p = certain(
        taper_acceptance=1.0, taper_acceptance_supported=1.0, taper_return=0.3, taper_return_pain=0.0, taper_return_withdrawal=0.0
    )  # fmt: skip
    people = PEOPLE._replace(on_opioids=1.0)
    before = dose = ByHand(p, people).traits.dose
    expected = [dose]
    tapering, offered_again, returns = True, 0.0, 0
    assert TAPER_PAUSE_WEEKS == 26.0
    for week in range(1, 71):
        if tapering:
            dose *= (1.0 - 0.05) ** (1.0 / care.WEEKS_PER_MONTH)
            if uniforms(1, 0, week, Block.PRESCRIBING, 0)[3] < 0.3:
                dose, tapering, offered_again, returns = before, False, week + TAPER_PAUSE_WEEKS, returns + 1
        tapering = tapering or week >= offered_again
        expected.append(dose)
    assert returns >= 2
    found = followed(p, plan=PLAN._replace(taper_start=0.0, taper_pace=5.0, taper_offer=10.0), people=people, weeks=70)
    assert levels(found, Count.MME) == pytest.approx(expected, abs=1e-4)


# Referral, waiting and stepped care


def test_a_referral_waits_as_drawn_and_one_that_fails_is_never_met() -> None:
    visit = [(row(referral=1.0, counts_session=1.0, attendance=1.0), order(weeks=4.0))]
    waits = certain(referral_fragmented=1.0, referral_coordinated=1.0, wait_fragmented=5.0, wait_coordinated=5.0)
    for patient in range(5):
        wait = 5.0 * (0.5 + uniforms(1, patient, 0, Block.REFERRAL, 1)[1])
        sessions = followed(waits, visit, patients=range(patient, patient + 1))[Count.SESSIONS] > 0
        first = int(np.ceil(2.0 + wait))
        assert np.flatnonzero(sessions).tolist() == [first, first + 1, first + 2, first + 3]
    lost = certain(referral_fragmented=0.0, referral_coordinated=0.0)
    assert not followed(lost, visit, patients=range(20))[Count.SESSIONS].any()


def test_stepped_care_is_given_only_to_those_who_still_hurt_when_it_is_due() -> None:
    p = certain()
    pain = levels(followed(p), Count.PAIN)
    above_all, at_week_2 = float(pain[2:].max()) + 0.01, float(pain[2]) - 1e-4
    for threshold, weeks in ((above_all, []), (at_week_2, [2, 3, 4])):
        sums = followed(p, [(row(counts_session=1.0), order(start_week=2.0, weeks=3.0, pain_threshold=threshold))])
        assert np.flatnonzero(sums[Count.SESSIONS]).tolist() == weeks


# What is counted


def test_long_term_therapy_and_new_persistent_use_count_from_thirteen_weeks_without_a_break() -> None:
    p = certain(taper_acceptance=1.0, taper_acceptance_supported=1.0)
    plan = STARTING._replace(taper_start=20.0, taper_pace=90.0, taper_offer=10.0)
    sums = followed(p, plan=plan, weeks=40)
    on = sums[Count.ON_OPIOIDS] > 0
    long_term, new = sums[Count.LONG_TERM_THERAPY] > 0, sums[Count.NEW_PERSISTENT_USE] > 0
    end = int(np.flatnonzero(on)[-1])
    assert on[: end + 1].all()
    assert 20 < end < 40
    assert np.flatnonzero(long_term).tolist() == list(range(13, end + 1))
    assert np.flatnonzero(new).tolist() == list(range(13, 41))  # that it happened stays true after the taper


def test_days_without_supply_do_not_count_toward_long_term_therapy() -> None:
    sums = followed(certain(), plan=STARTING._replace(first_supply_days=10.0))
    assert np.flatnonzero(sums[Count.LONG_TERM_THERAPY]).tolist() == list(range(14, 31))


def test_those_who_came_on_opioids_are_long_term_at_once_and_never_new() -> None:
    sums = followed(certain(), people=PEOPLE._replace(on_opioids=1.0), patients=range(5))
    assert set(sums[Count.LONG_TERM_THERAPY].tolist()) == {5 * int(SCALES[Count.LONG_TERM_THERAPY])}
    assert not sums[Count.NEW_PERSISTENT_USE].any()


@pytest.mark.parametrize(("dose", "from_50", "from_90"), [(49.9, 0, 0), (50.0, 1, 0), (89.9, 1, 0), (90.0, 1, 1), (150.0, 1, 1)])
def test_doses_count_from_the_threshold_itself_on_and_are_capped(dose: float, from_50: int, from_90: int) -> None:
    sums = followed(certain(), plan=STARTING._replace(start_dose=dose))
    assert set(levels(sums, Count.DOSE_50_PLUS)) == {from_50}
    assert set(levels(sums, Count.DOSE_90_PLUS)) == {from_90}
    assert levels(sums, Count.MME) == pytest.approx(min(dose, 100.0), abs=1e-4)


def test_each_visit_that_raises_the_dose_adds_a_step_until_the_cap() -> None:
    p = certain(escalation_usual=1.0, escalation_step=0.25)
    sums = followed(p, plan=STARTING._replace(escalation=1.0), weeks=6)
    assert levels(sums, Count.MME) == pytest.approx([40.0, 50.0, 62.5, 78.125, 97.65625, 100.0, 100.0], abs=1e-4)


# What the sums may depend on


def test_sums_are_the_same_integers_however_the_patients_are_cut_and_ordered() -> None:
    p = parameters.scalars(parameters.values())
    condition = catalog.conditions()["sciatica"]
    therapy = [(row(relief=0.2, build=0.3, half_life=8.0, attendance=0.7, dropout=0.05, counts_session=1.0), order(weeks=6.0))]

    def sums(patients: range) -> np.ndarray:
        people = PEOPLE._replace(on_opioids=0.3)
        return followed(p, therapy, STARTING, people=people, condition=condition, patients=patients)

    count = LANES + ADDED + 37  # a whole block and a part of one, whose sums are taken in different ways
    whole = sums(range(count))
    for size in (1, 10, ADDED, LANES - 1, LANES, LANES + 1):
        parts = [sums(range(start, min(start + size, count))) for start in range(0, count, size)]
        assert np.array_equal(whole, sum(parts))
        assert np.array_equal(whole, sum(reversed(parts)))


# Arrival and follow-up


@pytest.mark.parametrize("arrival", [-20, -19, -5, -1, 0, 1, 17, 29, 30])
def test_a_patient_counts_from_arrival_to_the_end_of_follow_up(arrival: int) -> None:
    weeks, stay = 30, 20
    visits = followed(certain(), weeks=weeks, arrivals=[arrival], stay=stay)[Count.VISITS]  # every week is a visit
    present = range(max(arrival, 0), min(arrival + stay, weeks + 1))
    assert np.flatnonzero(visits).tolist() == list(present)


def test_a_life_does_not_depend_on_the_week_of_arrival() -> None:
    p, condition = parameters.scalars(parameters.values()), catalog.conditions()["sciatica"]
    for patient in range(5):
        one = {"patients": range(patient, patient + 1), "condition": condition, "plan": STARTING, "stay": 20}
        in_week_0 = followed(p, arrivals=[0], weeks=40, **one)
        for arrival in (-7, 12):
            later = followed(p, arrivals=[arrival], weeks=40, **one)
            low = max(arrival, 0)
            assert np.array_equal(later[:, low : arrival + 20], in_week_0[:, low - arrival : 20])


def test_patients_who_arrive_one_by_one_or_together_add_up_to_the_same_sums() -> None:
    p = parameters.scalars(parameters.values())
    condition = catalog.conditions()["sciatica"]
    arrivals = [-9, -9, -9, -4, 0, 0, 1, 5, 5, 5, 5, 30]
    usual = {"condition": condition, "plan": STARTING, "stay": 12}
    together = followed(p, patients=range(12), arrivals=arrivals, **usual)
    alone = sum(followed(p, patients=range(i, i + 1), arrivals=[week], **usual) for i, week in enumerate(arrivals))
    assert np.array_equal(together, alone)


def test_the_closed_cohort_is_whole_in_every_week() -> None:
    visits = followed(certain(), patients=range(9))[Count.VISITS]
    assert set((visits / SCALES[Count.VISITS]).tolist()) == {9.0}
