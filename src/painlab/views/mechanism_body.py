"""Mechanisms of the body: response curves and single numbers from the functions of `painlab.dynamics`, for the pages of `mechanisms`.

No equation is written again here. States step once a week, as in the cohort.
"""

from typing import Final, NamedTuple

import numpy as np

from painlab import care, catalog, dynamics
from painlab.care import TreatmentField
from painlab.parameters import Parameters, cut_links, scalars
from painlab.views.mechanism_curves import (
    DOSES,
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
    weekly,
)

_POINTS: Final = "pain points (0-10)"
_PAIN_AXIS: Final = "pain (0-10)"


# The course of the tissue signal, and flares


def signal(condition: str, weeks: int = 52) -> At:
    """Pain signal by week of a condition whose arrival pain is all signal."""

    def at(of: Values) -> list[float]:
        one = catalog.condition(condition, of)
        return [dynamics.nociception(float(w), one.pain, one.lasting_share * one.pain, one.course_weeks) for w in range(weeks + 1)]

    return at


def _flare(of: Values) -> list[float]:
    p = scalars(of)
    return weekly(p.flare_size, 8, lambda flare, _: dynamics.flare_change(flare, p))


def _weeks_of_a_flare(of: Values) -> float:
    return float(sum(pain >= 0.5 for pain in _flare(of)))


def _flare_in_a_year(of: Values) -> float:
    flares = catalog.condition("low_back_pain_acute", of).flares_per_year
    return float(100.0 * (1.0 - (1.0 - dynamics.flare_chance(flares, PERSON.work_demand, scalars(of))) ** 52))


# Pain to activity


def _target(pain: float, p: Parameters, distress: float = PERSON.distress) -> float:
    return dynamics.activity_target(pain, distress, PERSON.comorbidity, 0.0, 0.0, p)


def _spell(of: Values) -> list[float]:
    """Activity in per cent: pain 7 for eight weeks, then 2."""
    p = scalars(of)
    states = weekly(_target(2.0, p), 26, lambda a, week: dynamics.activity_change(a, _target(7.0 if week < 8 else 2.0, p), p))
    return [100.0 * a for a in states]


def _function(p: Parameters) -> float:
    return dynamics.function_score(_target(6.0, p), 0.8, 6.0, p)


# Activity to strength


def _bed_rest(of: Values) -> list[float]:
    p = scalars(of)
    return [100.0 * s for s in weekly(1.0, 6, lambda s, _: dynamics.strength_change(s, 0.0, p))]


def _regain(sessions: float) -> At:
    """Strength in per cent: twelve weeks at 40 % activity, then full activity, with or without training."""

    def at(of: Values) -> list[float]:
        p, row = scalars(of), treatment_row(of, "physical_therapy", "low_back_pain_persistent")
        training = care.training_share(1.0, sessions, 0.0, row, p)

        def change(s: float, week: int) -> float:
            if week < 12:
                return dynamics.strength_change(s, 0.4, p)
            return dynamics.strength_change(s, 1.0, p) + dynamics.training_gain(s, training, PERSON.age, p)

        return [100.0 * s for s in weekly(1.0, 52, change)]

    return at


def _regained(of: Values, sessions: float) -> float:
    course = _regain(sessions)(of)
    return 100.0 * (course[24] - course[12]) / (course[0] - course[12])


def _knee_weakness(of: Values) -> float:
    p, knee = scalars(of), catalog.condition("knee_osteoarthritis", of)
    return 100.0 * (1.0 - weekly(1.0, int(knee.weeks_before), lambda s, _: dynamics.strength_change(s, _target(knee.pain, p), p))[-1])


# Weakness to pain


def _cycle(signal: float, p: Parameters) -> float:
    """Pain points that the closed cycle adds to a steady signal in a year, against the same signal with the last link cut."""

    def pain(strength: float, q: Parameters) -> float:
        return dynamics.felt_pain(dynamics.unmodulated_pain(signal, 0.0, strength, 0.0, q), 0.0, 0.0, 0.0, 0.0, 0.0, q)

    activity = strength = 1.0
    for _ in range(52):
        target = _target(pain(strength, p), p)
        strength += dynamics.strength_change(strength, activity, p)
        activity += dynamics.activity_change(activity, target, p)
    return pain(strength, p) - pain(strength, cut_links(p, ("weakness_to_pain",)))


def _weakness(percent_lost: float, p: Parameters) -> float:
    weak = dynamics.unmodulated_pain(5.0, 0.0, 1.0 - percent_lost / 100.0, 0.0, p)
    return weak - dynamics.unmodulated_pain(5.0, 0.0, 1.0, 0.0, p)


def _share_through_strength(of: Values) -> float:
    """Per cent of exercise's relief in knee osteoarthritis that goes through strength: six weeks, from 30 % weakness."""
    p, row = scalars(of), treatment_row(of, "physical_therapy", "knee_osteoarthritis")
    knee = catalog.condition("knee_osteoarthritis", of)
    training = care.training_share(1.0, 2.0, 0.0, row, p)
    strength = weekly(0.7, 6, lambda s, _: dynamics.training_gain(s, training, knee.age, p))[-1]
    effect = weekly(0.0, 6, lambda e, _: care.treatment_effect_change(e, e, 1.0, 2.0, 0.0, row, p))[-1]
    through = _weakness(30.0, p) - _weakness(100.0 * (1.0 - strength), p)
    return 100.0 * through / (through + knee.pain * care.felt_relief(effect, 1.0, row))


# Sensitization


def _sensitized(pain: float) -> At:
    def at(of: Values) -> list[float]:
        p = scalars(of)
        change = dynamics.sensitization_change
        return [100.0 * z for z in weekly(0.0, 104, lambda z, _: change(z, pain, PERSON.distress, PERSON.poor_sleep, 0.0, p))]

    return at


def _eased(treatment: str) -> At:
    """Sensitization in per cent that began at 60, with pain down at 3, without care or under a treatment at full effect."""

    def at(of: Values) -> list[float]:
        p = scalars(of)
        row = treatment_row(of, treatment, "low_back_pain_persistent") if treatment else np.zeros(len(TreatmentField))
        easing, change = care.sensitization_easing(1.0, 1.0, row), dynamics.sensitization_change
        return [100.0 * z for z in weekly(0.6, 52, lambda z, _: change(z, 3.0, PERSON.distress, PERSON.poor_sleep, easing, p))]

    return at


def _added_by_sensitization(of: Values) -> float:
    """Pain points that sensitization adds after a year at pain 7."""
    p, z = scalars(of), _sensitized(7.0)(of)[52] / 100.0
    return dynamics.unmodulated_pain(5.0, 0.0, 1.0, z, p) - dynamics.unmodulated_pain(5.0, 0.0, 1.0, 0.0, p)


# Opioid relief, tolerance, hyperalgesia


def _opioid(dose: float, condition: str, *, falling: bool = False) -> At:
    """Felt pain under a steady dose less that of the same patient without it, by week; the signal is held or follows its course."""

    def at(of: Values) -> list[float]:
        p, one = scalars(of), catalog.condition(condition, of)
        signals = signal(condition)(of) if falling else [one.pain] * len(YEAR)
        tolerance = weekly(0.0, 52, lambda k, _: dynamics.tolerance_change(k, dose, p))
        return [
            dynamics.felt_pain(n, dynamics.opioid_relief(dose, k, one.opioid_response, p), 0.0, k, 0.0, 0.0, p)
            - dynamics.felt_pain(n, 0.0, 0.0, 0.0, 0.0, 0.0, p)
            for n, k in zip(signals, tolerance, strict=True)
        ]

    return at


# Withdrawal and tapering


class _Taper(NamedTuple):
    dose: list[float]
    withdrawal: list[float]
    hyperalgesia: list[float]


def _taper(of: Values, pace: float, support: float = 0.0) -> _Taper:
    """A taper from 60 MME/day by `pace` percent a month (100: stopped at once), after a year on that dose: by week, to its end."""
    p = scalars(of)
    tolerance = weekly(0.0, 52, lambda k, _: dynamics.tolerance_change(k, 60.0, p))[-1]
    doses, withdrawals, hyperalgesia = [60.0], [0.0], [p.hyperalgesia_pain * tolerance]
    while len(doses) <= 52 or doses[-1] > 0.0:
        after = 0.0 if pace >= 100.0 else care.tapered_dose(doses[-1], pace)
        fell_to = after  # as in the cohort, the last small step of a taper is no sudden stop
        after = after if after >= p.taper_end_dose else 0.0
        left = withdrawals[-1] + dynamics.withdrawal_change(withdrawals[-1], p)
        withdrawals.append(left + dynamics.withdrawal_onset(doses[-1], fell_to, tolerance, support, p))
        tolerance += dynamics.tolerance_change(tolerance, after, p)
        doses.append(after)
        hyperalgesia.append(p.hyperalgesia_pain * tolerance)
    return _Taper(doses, withdrawals, hyperalgesia)


def _peak(of: Values, pace: float, support: float = 0.0) -> float:
    """Most withdrawal while the dose still falls step by step, before the last step to none."""
    course = _taper(of, pace, support)
    return max(pain for dose, pain in zip(course.dose, course.withdrawal, strict=True) if dose > 0.0 or pace >= 100.0)


def _last_step(of: Values, pace: float) -> float:
    """Withdrawal that the last step of a taper, from the end dose to none, adds."""
    course = _taper(of, pace)
    end = course.dose.index(0.0)
    return course.withdrawal[end] - course.withdrawal[end - 1]


# Harms by dose


def _overdose(tapered: bool) -> At:
    return sweep(DOSES, lambda dose, p: dynamics.overdose_hazard(dose, tapered, p), 100.0)


CURVES: Final[dict[str, tuple[Curve, ...]]] = {
    "tissue-and-flares": (
        Curve("The pain signal after the first visit", YEAR, "weeks since the first visit", "pain signal (0-10)", 0, 7, (
            Line("acute back pain", signal("low_back_pain_acute")),
            Line("persistent back pain", signal("low_back_pain_persistent")),
            Line("neck pain", signal("neck_pain")),
        ), (Figure("T01-27", 6, 0.1), Figure("T01-03", 26, 0.1), Figure("T01-29b", 6, 0.1))),
        Curve("Pain that one flare adds", span(0, 8, 9), "weeks since the flare began", _POINTS, 0, 3, (Line("one flare", _flare),)),
    ),
    "pain-to-activity": (
        Curve("Where activity settles", PAINS, _PAIN_AXIS, "activity (% of habitual)", 0, 100, (
            Line("usual distress", sweep(PAINS, _target, 100.0)),
            Line("high distress", sweep(PAINS, lambda pain, p: _target(pain, p, 0.9), 100.0)),
            Line("link cut", sweep(PAINS, lambda pain, p: _target(pain, cut_links(p, ("pain_to_activity",))), 100.0)),
        )),
        Curve("Eight weeks at pain 7, then pain 2", span(0, 26, 27), "weeks", "activity (% of habitual)", 0, 100, (
            Line("activity", _spell),
        )),
    ),
    "activity-to-strength": (
        Curve("Complete rest", span(0, 6, 7), "weeks of rest", "strength (% of healthy)", 40, 100, (
            Line("no activity at all", _bed_rest),
        ), tuple(Figure(key, weeks, 1, 100) for key, weeks in (("T09-01", 0.7), ("T09-01b", 0.7), ("T09-02", 2), ("T09-04", 5)))),
        Curve("Twelve weeks at 40 % activity, then full activity", YEAR, "weeks", "strength (% of healthy)", 40, 100, (
            Line("training twice a week", _regain(2.0)),
            Line("no training", _regain(0.0)),
        )),
    ),
    "weakness-to-pain": (
        Curve("Pain that weakness adds", span(0, 60, 13), "strength lost (% of healthy)", _POINTS, 0, 1, (
            Line("pain added", sweep(span(0, 60, 13), _weakness)),
        )),
        Curve("Pain that the whole cycle adds in a year", span(0, 9, 7), "steady pain signal (0-10)", _POINTS, 0, 1, (
            Line("pain added", sweep(span(0, 9, 7), _cycle)),
        )),
    ),
    "sensitization": (
        Curve("Sensitization under steady pain", span(0, 104, 105), "weeks of steady pain", "sensitization (% of full)", 0, 100, (
            Line("pain 8", _sensitized(8.0)), Line("pain 6", _sensitized(6.0)), Line("pain 4", _sensitized(4.0)),
        )),
        Curve("Sensitization once pain is down at 3", YEAR, "weeks", "sensitization (% of full)", 0, 70, (
            Line("full physical therapy", _eased("physical_therapy")), Line("no care", _eased("")),
        )),
    ),
    "opioid-relief": (
        Curve("Share of pain that an opioid takes away", DOSES, "dose (MME/day)", "share of pain (%)", 0, 80, tuple(
            Line(label, sweep(DOSES, lambda dose, p, k=k: dynamics.opioid_relief(dose, k, 1.0, p), 100.0))  # type: ignore[misc]
            for label, k in (("no tolerance", 0.0), ("half tolerance", 0.5), ("full tolerance", 1.0))
        )),
        Curve("Opioid against placebo at 50 MME/day, steady pain", YEAR, "weeks on the dose", "difference (pain points, 0-10)", -3, 1, (
            Line("persistent back pain", _opioid(50.0, "low_back_pain_persistent")),
        ), (Figure("T02-01", 12), Figure("T02-08", 52))),
    ),
    "withdrawal-and-tapering": (
        Curve("Dose in a taper from 60 MME/day", YEAR, "weeks of the taper", "dose (MME/day)", 0, 60, (
            Line("30 % a month", lambda of: _taper(of, 30.0).dose[:53]),
            Line("stopped at once", lambda of: _taper(of, 100.0).dose[:53]),
            Line("10 % a month", lambda of: _taper(of, 10.0).dose[:53]),
        )),
        Curve("Pain that withdrawal adds", YEAR, "weeks of the taper", _POINTS, 0, 6, (
            Line("30 % a month", lambda of: _taper(of, 30.0).withdrawal[:53]),
            Line("stopped at once", lambda of: _taper(of, 100.0).withdrawal[:53]),
            Line("10 % a month", lambda of: _taper(of, 10.0).withdrawal[:53]),
        )),
    ),
    "harms-by-dose": (
        Curve("Opioid overdoses in a year", DOSES, "dose (MME/day)", "overdoses (% of patients a year)", 0, 5, (
            Line("no taper", _overdose(False)), Line("year after a taper", _overdose(True)),
        ), (Figure("T13-07", 10), Figure("T13-08", 75), Figure("T13-09", 120))),
        Curve("Side effects", DOSES, "dose (MME/day)", "patients (%)", 0, 60, (
            Line("constipation", sweep(DOSES, dynamics.constipation_chance, 100.0)),
            Line("sedation", sweep(DOSES, dynamics.sedation_chance, 100.0)),
        )),
    ),
}  # fmt: skip

ANSWERS: Final[dict[str, Answer]] = {
    "acute_at_6": Answer("pain signal of acute back pain at week 6", "of 10", 1, lambda of: signal("low_back_pain_acute")(of)[6]),
    "persistent_at_6": Answer(
        "pain signal of persistent back pain at week 6", "of 10", 1, lambda of: signal("low_back_pain_persistent")(of)[6]
    ),
    "flare_in_a_year": Answer("at least one flare within a year after acute back pain", "% of patients", 0, _flare_in_a_year),
    "flare_weeks": Answer("weeks for which a flare of usual size adds half a point or more", "weeks", 0, _weeks_of_a_flare),
    "flare_left": Answer("pain of a flare left after one week", "%", 0, lambda of: 100.0 * _flare(of)[1] / _flare(of)[0]),
    "activity_at_2": Answer("activity that pain 2 settles at", "% of habitual", 0, of_parameters(lambda p: _target(2.0, p), 100.0)),
    "activity_at_7": Answer("activity that pain 7 settles at", "% of habitual", 0, of_parameters(lambda p: _target(7.0, p), 100.0)),
    "activity_back": Answer("activity four weeks after pain fell from 7 to 2", "% of habitual", 0, lambda of: _spell(of)[12]),
    "function_at_6": Answer("function at pain 6 with 80 % strength", "of 100", 0, of_parameters(_function, 100.0)),
    "rest_2": Answer("strength lost in two weeks of bed rest", "%", 1, lambda of: 100.0 - _bed_rest(of)[2]),
    "rest_5": Answer("strength lost in five weeks of bed rest", "%", 1, lambda of: 100.0 - _bed_rest(of)[5]),
    "regained": Answer("loss regained after 12 weeks of full activity, no training", "%", 0, lambda of: _regained(of, 0.0)),
    "regained_trained": Answer("loss regained after 12 weeks with training twice a week", "%", 0, lambda of: _regained(of, 2.0)),
    "knee_weakness": Answer("strength lost in knee osteoarthritis at the first visit", "%", 0, _knee_weakness),
    "weak_30": Answer("pain added by the loss of 30 % of strength", "points of 10", 2, of_parameters(lambda p: _weakness(30.0, p))),
    "cycle_at_6": Answer("pain added by the cycle in a year to a signal of 6", "points of 10", 2, of_parameters(lambda p: _cycle(6.0, p))),
    "through_strength": Answer("share of exercise's relief that goes through strength", "%", 1, _share_through_strength),
    "sensitized": Answer("sensitization after 26 weeks at pain 8", "% of full", 0, lambda of: _sensitized(8.0)(of)[26]),
    "sensitized_at_4": Answer("sensitization after two years at pain 4", "% of full", 0, lambda of: _sensitized(4.0)(of)[104]),
    "sensitization_adds": Answer("pain that sensitization adds after a year at pain 7", "points of 10", 2, _added_by_sensitization),
    "half_left": Answer("sensitization left after 26 weeks at pain 3, from 60", "% of full", 0, lambda of: _eased("")(of)[26]),
    "opioid_first": Answer("difference from placebo on the first days at 50 MME/day", "points of 10", 1,
        lambda of: _opioid(50.0, "low_back_pain_persistent")(of)[0]),
    "opioid_12": Answer("difference from placebo at week 12", "points of 10", 1,
        lambda of: _opioid(50.0, "low_back_pain_persistent")(of)[12]),
    "opioid_52": Answer("difference from placebo at week 52", "points of 10", 1,
        lambda of: _opioid(50.0, "low_back_pain_persistent")(of)[52]),
    "opioid_acute": Answer("difference from placebo in acute back pain at week 6, 30 MME/day", "points of 10", 1,
        lambda of: _opioid(30.0, "low_back_pain_acute", falling=True)(of)[6]),
    "stop_at_once": Answer("pain that withdrawal adds when 60 MME/day is stopped at once", "points of 10", 1, lambda of: _peak(of, 100.0)),
    "pace_30": Answer("the most that withdrawal adds at 30 % a month, no support", "points of 10", 1, lambda of: _peak(of, 30.0)),
    "pace_30_supported": Answer("the same with full support", "points of 10", 1, lambda of: _peak(of, 30.0, 1.0)),
    "pace_10": Answer("the most that withdrawal adds at 10 % a month", "points of 10", 1, lambda of: _peak(of, 10.0)),
    "last_step_30": Answer("pain that the last step to none adds, at 30 % a month", "points of 10", 1, lambda of: _last_step(of, 30.0)),
    "last_step_10": Answer("the same at 10 % a month", "points of 10", 1, lambda of: _last_step(of, 10.0)),
    "hyperalgesia_goes": Answer("pain gone half a year after the stop, as hyperalgesia fades", "points of 10", 1,
        lambda of: _taper(of, 100.0).hyperalgesia[0] - _taper(of, 100.0).hyperalgesia[26]),
    "taper_weeks": Answer("weeks that 10 % a month takes from 46 to 5 MME/day", "weeks", 0,
        of_parameters(lambda p: care.taper_weeks(46.0, 10.0, p))),
    "accepts": Answer("patients who begin an offered, supported taper at one visit", "%", 0,
        of_parameters(lambda p: care.taper_acceptance_chance(1.0, 1.0, p), 100.0)),
    "gives_up": Answer("patients who give up a taper in one week at pain 7 with 1 point of withdrawal, no support", "%", 1,
        of_parameters(lambda p: care.taper_return_chance(1.0, 7.0, 0.0, p), 100.0)),
    "overdose_10": Answer("overdoses at 10 MME/day", "% a year", 2, lambda of: _overdose(False)(of)[2]),
    "overdose_75": Answer("overdoses at 75 MME/day", "% a year", 2, lambda of: _overdose(False)(of)[15]),
    "overdose_120": Answer("overdoses at 120 MME/day", "% a year", 2, lambda of: _overdose(False)(of)[24]),
    "constipation_50": Answer("constipation at 50 MME/day", "% of patients", 0,
        of_parameters(lambda p: dynamics.constipation_chance(50.0, p), 100.0)),
    "sedation_50": Answer("sedation at 50 MME/day", "% of patients", 0, of_parameters(lambda p: dynamics.sedation_chance(50.0, p), 100.0)),
}  # fmt: skip
