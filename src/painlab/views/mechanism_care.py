"""Mechanisms of care: response curves and single numbers from the functions of `painlab.care`, for the pages of `mechanisms`.

No equation is written again here. Weeks pass in the order of the cohort.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from painlab import care, catalog
from painlab.care import OrderField, TreatmentField
from painlab.parameters import scalars
from painlab.plan import CarePlan
from painlab.views.mechanism_body import signal
from painlab.views.mechanism_curves import (
    PAINS,
    PERSON,
    YEAR,
    Answer,
    At,
    Curve,
    Figure,
    Line,
    Values,
    of_parameters,
    span,
    sweep,
    treatment_row,
)

_PLAN: Final = CarePlan().engine_plan()
_BACK: Final = "low_back_pain_persistent"
_SHARES: Final = span(0, 1, 11)
_HALF_YEAR: Final = span(0, 26, 27)
_COORDINATION: Final = "coordination (0 fragmented, 1 coordinated)"


# Effect, waning, home exercise


def _program(of: Values, row: np.ndarray, weeks_on: int, *, home: bool, sessions: float = 2.0) -> list[float]:
    """Effect (0-1) of a treatment by week: every session attended for `weeks_on` weeks, then discharge."""
    p = scalars(of)
    habit, effects = 0.0, [0.0]
    for week in range(52):
        attended = 1.0 if week < weeks_on else 0.0
        effects.append(effects[-1] + care.treatment_effect_change(effects[-1], max(effects), attended, sessions, habit, row, p))
        habit += care.home_habit_change(habit, attended, sessions, PERSON.adherence, row, p) if home else 0.0
    return effects


def _exercise(condition: str, response: float = 1.0, *, home: bool = True) -> At:
    """Pain points less through 12 weeks of exercise, against no care (response 1) or of a sham (0)."""

    def at(of: Values) -> list[float]:
        row, pain = treatment_row(of, "physical_therapy", condition), catalog.condition(condition, of).pain
        return [pain * care.felt_relief(effect, response, row) for effect in _program(of, row, 12, home=home)]

    return at


def _beyond_sham(of: Values) -> list[float]:
    return [whole - sham for whole, sham in zip(_exercise(_BACK)(of), _exercise(_BACK, 0.0)(of), strict=True)]


def _injection(treatment: str, condition: str) -> At:
    """Pain points less through one injection against a sham, in the mean of responders and others; the driver was found."""

    def at(of: Values) -> list[float]:
        row, one = treatment_row(of, treatment, condition), catalog.condition(condition, of)
        targeted = care.targeted_share(row, *(getattr(one, driver) for driver in catalog.DRIVERS))
        shared = one.pain * row[TreatmentField.RESPONDERS]
        effects = _program(of, row, 1, home=False, sessions=1.0)
        return [float(shared * care.source_relief(effect, 1.0, 1.0, targeted, row)) for effect in effects]

    return at


def _left(of: Values, condition: str) -> float:
    course = _exercise(condition)(of)
    return 100.0 * course[12 + 17] / course[12]


def _activity_won(of: Values) -> float:
    row = treatment_row(of, "physical_therapy", _BACK)
    return 100.0 * care.activity_lift(_program(of, row, 12, home=True)[12], 1.0, row)


# Attendance and the bridge


def _attends(pain: float, of: Values, coordination: float = _PLAN.coordination) -> float:
    row = treatment_row(of, "physical_therapy", "shoulder_pain")
    return care.attendance_chance(pain, PERSON.adherence, coordination, row, scalars(of))


def _leaves(pain: float, of: Values) -> float:
    row = treatment_row(of, "physical_therapy", "shoulder_pain")
    return care.dropout_chance(pain, PERSON.adherence, _PLAN.coordination, row, scalars(of))


def _attendance(coordination: float) -> At:
    return lambda of: [100.0 * _attends(pain, of, coordination) for pain in PAINS]


def _sessions(pain: float, of: Values) -> float:
    """Sessions attended of 12 in six weeks."""
    attends, stays = _attends(pain, of), 1.0 - _leaves(pain, of)
    return sum(2.0 * attends * stays ** (week + 1) for week in range(6))


def _attended(relief: float) -> At:
    """Sessions attended by the pain before an injection that takes `relief` points."""
    return lambda of: [_sessions(max(0.0, pain - relief), of) for pain in PAINS]


def _misses_one(of: Values) -> float:
    return 100.0 * (1.0 - _attends(5.0, of) ** 6)


# Opioids start, go on and stop


def _starts(first: bool) -> At:
    def at(of: Values) -> list[float]:
        p = scalars(of)
        usual = catalog.condition("low_back_pain_acute", of).opioid_start if first else p.start_later
        return [100.0 * care.opioid_start_chance(pain, PERSON.distress, 0.0, usual, _PLAN, p) for pain in PAINS]

    return at


def _still_on(days: float, pain: float | None = None) -> At:
    """Per cent of those who started that are still on opioids, by week; nobody stops before the first supply is used up.

    Pain is held, or falls with the signal of acute back pain.
    """

    def at(of: Values) -> list[float]:
        p = scalars(of)
        pains = signal("low_back_pain_acute")(of) if pain is None else [pain] * len(YEAR)
        supply, weeks_on, share = days / 7.0, 0.0, [100.0]
        for week in range(52):
            weeks_on += min(1.0, supply) if supply > 0.0 else 1.0
            supply -= 1.0
            stops = care.stop_chance(weeks_on, pains[week + 1], PERSON.distress, 1.0, p) if supply <= 0.0 else 0.0
            share.append(share[-1] * (1.0 - stops))
        return share

    return at


def _less_by_one_point(of: Values) -> float:
    return 100.0 * (_still_on(7.0, 4.0)(of)[52] / _still_on(7.0, 5.0)(of)[52] - 1.0)


# Visits, referral, waits, diagnosis


def _order(handover: float) -> np.ndarray:
    order = np.zeros(len(OrderField))
    order[OrderField.HANDOVER] = handover
    order[OrderField.COMPLETED] = order[OrderField.WAIT] = -1.0
    return order


def _begun(handover: float) -> At:
    """Per cent of those referred who have had a first session, by weeks since the order (quarters of a week)."""

    def at(of: Values) -> list[float]:
        p, order = scalars(of), _order(handover)
        waits = [care.wait_weeks(order, u, p) for u in span(0.01, 0.99, 50)]
        completed = care.referral_chance(order, p)
        return [100.0 * completed * sum(wait <= week for wait in waits) / len(waits) for week in span(0, 12, 49)]

    return at


def _completed(handover: float) -> Callable[[Values], float]:
    return of_parameters(lambda p: care.referral_chance(_order(handover), p), 100.0)


def _unplanned(pain: float) -> Callable[[Values], float]:
    return of_parameters(lambda p: care.unscheduled_visit_chance(pain, p), 52.0)


def _found_by_third_visit(of: Values) -> float:
    return 100.0 * (1.0 - (1.0 - care.diagnosis_chance(0.0, scalars(of))) ** 3)


def _next_visit(of: Values, u: float) -> float:
    return float(care.weeks_to_next_visit(12.0, u, scalars(of)))


CURVES: Final[dict[str, tuple[Curve, ...]]] = {
    "treatment-effect": (
        Curve("Effect of 12 weeks of exercise, and of one injection", YEAR, "weeks since the first session", "effect (% of full)", 0, 100, (
            Line("with home exercise", lambda of: [100.0 * e for e in
                _program(of, treatment_row(of, "physical_therapy", _BACK), 12, home=True)]),
            Line("without", lambda of: [100.0 * e for e in _program(of, treatment_row(of, "physical_therapy", _BACK), 12, home=False)]),
            Line("epidural steroid", lambda of: [100.0 * e for e in
                _program(of, treatment_row(of, "epidural_steroid", "sciatica"), 1, home=False, sessions=1.0)]),
        )),
        Curve("Pain taken away, mean of patients", YEAR, "weeks since the first session", "pain points less (0-10)", 0, 3.5, (
            Line("exercise, unblinded", _exercise(_BACK)),
            Line("exercise, specific part", _beyond_sham),
            Line("epidural in sciatica", _injection("epidural_steroid", "sciatica")),
        ), (Figure("T05-01", 12, -0.1), Figure("T07-01", 12, -0.1))),
    ),
    "attendance-and-bridge": (
        Curve("Chance that a week's sessions are attended", PAINS, "pain (0-10)", "weeks attended (%)", 0, 100, (
            Line("coordinated", _attendance(1.0)), Line("fragmented", _attendance(0.0)),
        )),
        Curve("The bridge: sessions attended of 12", PAINS, "pain before the injection (0-10)", "sessions in six weeks", 0, 12, (
            Line("injection takes 2 points", _attended(2.0)), Line("no injection", _attended(0.0)),
        )),
    ),
    "opioid-starts-and-stops": (
        Curve("Chance that a visit starts an opioid, acute back pain", PAINS, "pain (0-10)", "chance (%)", 0, 60, (
            Line("first visit", _starts(True)), Line("later visit", _starts(False)),
        )),
        Curve("Still on opioids after a first supply", YEAR, "weeks since the first fill", "patients (%)", 0, 100, (
            Line("31 days, pain falls", _still_on(31.0)),
            Line("7 days, pain stays 5", _still_on(7.0, 5.0)),
            Line("7 days, pain falls", _still_on(7.0)),
        ), (Figure("T03-01", 52), Figure("T03-02", 52), Figure("T03-03", 52))),
    ),
    "visits-and-referral": (
        Curve("What coordination changes", _SHARES, _COORDINATION, "chance (%)", 0, 100, (
            Line("referral completed", sweep(_SHARES, lambda c, p: care.referral_chance(_order(c), p), 100.0)),
            Line("planned visit kept", sweep(_SHARES, care.scheduled_visit_chance, 100.0)),
            Line("driver found at a visit", sweep(_SHARES, care.diagnosis_chance, 100.0)),
        )),
        Curve("First session of a referral", span(0, 12, 49), "weeks since the order", "patients who began (%)", 0, 100, (
            Line("coordinated", _begun(1.0)), Line("fragmented", _begun(0.0)),
        ), (Figure("T12-01c", 12),)),
    ),
}  # fmt: skip

ANSWERS: Final[dict[str, Answer]] = {
    "exercise_unblinded": Answer("pain less after 12 weeks of exercise in persistent back pain, all effects", "points of 10", 1,
        lambda of: _exercise(_BACK)(of)[12]),
    "exercise_specific": Answer("the same beyond a sham", "points of 10", 1, lambda of: _beyond_sham(of)[12]),
    "exercise_left": Answer("effect on pain left four months after the last session, knee osteoarthritis", "%", 0,
        lambda of: _left(of, "knee_osteoarthritis")),
    "epidural_2": Answer("pain less 2 weeks after an epidural steroid in sciatica", "points of 10", 1,
        lambda of: _injection("epidural_steroid", "sciatica")(of)[2]),
    "epidural_12": Answer("the same at 12 weeks", "points of 10", 1, lambda of: _injection("epidural_steroid", "sciatica")(of)[12]),
    "knee_6": Answer("pain less 6 weeks after a knee steroid injection", "points of 10", 1,
        lambda of: _injection("joint_steroid", "knee_osteoarthritis")(of)[6]),
    "activity_won": Answer("missing activity that 12 weeks of exercise win", "%", 0, _activity_won),
    "attends_3": Answer("weeks attended at pain 3, usual coordination", "%", 0, lambda of: 100.0 * _attends(3.0, of)),
    "attends_8": Answer("weeks attended at pain 8, usual coordination", "%", 0, lambda of: 100.0 * _attends(8.0, of)),
    "misses_one": Answer("patients who miss a week or more of six at pain 5", "%", 0, _misses_one),
    "bridge": Answer("sessions gained of 12 when an injection takes pain from 7 to 5", "sessions", 1,
        lambda of: _sessions(5.0, of) - _sessions(7.0, of)),
    "leaves_8": Answer("patients at pain 8 who leave the course in one week", "%", 1, lambda of: 100.0 * _leaves(8.0, of)),
    "starts_5": Answer("opioid started at the first visit for acute back pain, pain 5", "%", 0, lambda of: _starts(True)(of)[10]),
    "starts_8": Answer("the same at pain 8", "%", 0, lambda of: _starts(True)(of)[16]),
    "year_7": Answer("still on opioids after a year: 7 days' supply, falling pain", "%", 0, lambda of: _still_on(7.0)(of)[52]),
    "year_31": Answer("the same after 31 days' supply", "%", 0, lambda of: _still_on(31.0)(of)[52]),
    "year_7_in_pain": Answer("the same after 7 days' supply, if pain stays at 5", "%", 0, lambda of: _still_on(7.0, 5.0)(of)[52]),
    "one_point": Answer("change of that share if pain stays at 4 instead of 5", "%", 0, _less_by_one_point),
    "escalates": Answer("visits without a review at which the dose is raised, at pain 8", "%", 0,
        of_parameters(lambda p: care.escalation_chance(8.0, _PLAN._replace(escalation=1.0), p), 100.0)),
    "raised": Answer("dose after a raise from 30 MME/day", "MME/day", 0, of_parameters(lambda p: care.raised_dose(30.0, _PLAN, p))),
    "review_stops": Answer("opioids without benefit that one real review ends or tapers", "%", 0,
        of_parameters(lambda p: care.review_stop_chance(6.0, 6.0, p), 100.0)),
    "completed_0": Answer("referrals completed in fragmented care", "%", 0, _completed(0.0)),
    "completed_1": Answer("referrals completed in coordinated care", "%", 0, _completed(1.0)),
    "wait_0": Answer("longest wait for a first session in fragmented care", "days", 0,
        of_parameters(lambda p: 7.0 * care.wait_weeks(_order(0.0), 1.0, p))),
    "wait_1": Answer("shortest wait for a first session in coordinated care", "days", 0,
        of_parameters(lambda p: 7.0 * care.wait_weeks(_order(1.0), 0.0, p))),
    "unplanned_3": Answer("unplanned visits a year at pain 3", "visits", 1, _unplanned(3.0)),
    "unplanned_8": Answer("unplanned visits a year at pain 8", "visits", 1, _unplanned(8.0)),
    "found_3": Answer("driver found by the third visit in fragmented care", "%", 0, _found_by_third_visit),
    "visit_early": Answer("earliest next visit when the interval is 12 weeks", "weeks", 0, lambda of: _next_visit(of, 0.0)),
    "visit_late": Answer("latest next visit when the interval is 12 weeks", "weeks", 0, lambda of: _next_visit(of, 1.0)),
}  # fmt: skip
