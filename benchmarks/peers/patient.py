"""One patient in plain Python, as a user of Mesa or SimPy would write one: floats, `math`, a method for each part of the week.

Chance comes from outside: `draw(decision, week, treatment)` gives a uniform number strictly between 0 and 1. Decisions are

- once a patient (week 0, treatment 0): pain, lasting_share, course_time, age, response, opioid_response, stop_ease, distress, sleep,
  adherence, work_demand, comorbidity, prior_treatment, goal, on_opioids, dose, first_supply;
- once a patient and treatment (its number): completed, wait, responder;
- each week: noise, flare, flare_size (from week 1), appointment, kept, sought, diagnosed, reviewed, start, escalate, stop, accept,
  return, review_stop, each only where it is decided;
- each week and treatment in a course: session, which both leaves the course and attends.
"""

import math
from collections.abc import Callable
from statistics import NormalDist

from benchmarks.peers.inputs import (
    LONG_TERM_WEEKS,
    LONGEST_FIRST_SUPPLY,
    MOST_INHERITED_DOSE,
    MOST_RELIEF,
    OUTCOME_COUNT,
    TAPER_PAUSE_WEEKS,
    TAPER_RISK_WEEKS,
    Arm,
    Course,
)

Draw = Callable[[str, int, int], float]
_quantile = NormalDist().inv_cdf


def shifted(chance: float, log_odds: float) -> float:
    """A chance whose log-odds are moved."""
    return chance / (chance + (1.0 - chance) * math.exp(-log_odds))


def held(x: float, low: float, high: float) -> float:
    """x between low and high."""
    return low if x < low else high if x > high else x


class Treatment:
    """One treatment in one patient."""

    __slots__ = ("began", "best", "course", "due", "effect", "felt", "habit", "left", "potency", "responds")

    def __init__(self, course: Course, response: float, draw: Draw) -> None:
        self.course = course
        self.effect = self.habit = self.best = 0.0
        self.potency = 1.0
        self.began = self.left = -1
        self.due = math.inf
        if draw("completed", 0, course.number) < course.completed:
            self.due = course.start_week + course.mean_wait * (0.5 + draw("wait", 0, course.number))
        self.responds = response if draw("responder", 0, course.number) < course.responders else 0.0
        self.felt = self.responds * course.relief + course.contextual

    def round_in(self, t: int) -> int:
        """Number of the course that is on in week t, or -1."""
        since, course = t - self.began, self.course
        number = int(since / course.interval) if course.courses > 1.0 else 0
        on = number < course.courses and since - number * course.interval < course.weeks
        return number if on and number != self.left else -1


class Patient:
    """One patient of one arm; `live` takes the next week, `counts` then holds its outcomes in the order of OUTCOMES."""

    def __init__(self, arm: Arm, draw: Draw) -> None:
        self.arm, self.draw = arm, draw
        self.t = 0
        self.counts = [0.0] * OUTCOME_COUNT
        self._arrive()

    def _normal(self, decision: str, week: int = 0) -> float:
        return _quantile(self.draw(decision, week, 0))

    def _around(self, level: float, decision: str) -> float:
        return held(level + self.arm.p.trait_spread * self._normal(decision), 0.0, 1.0)

    def _activity_target(self, pain: float, sedation: float, lift: float) -> float:
        p = self.arm.p
        target = (1.0 - p.activity_sedation * sedation) / (1.0 + math.exp(p.activity_pain_slope * pain - self.readiness))
        return target + (1.0 - target) * min(1.0, lift)

    def _sensitized(self, pain: float) -> float:
        p = self.arm.p
        above = max(0.0, pain - p.sensitization_threshold) / (10.0 - p.sensitization_threshold)
        return min(1.0, above * self.sensitivity)

    def _opioid_relief(self, taken: float) -> float:
        p = self.arm.p
        half = p.opioid_half_dose * (1.0 + p.tolerance_shift * self.tolerance)
        return min(1.0, self.opioid_response * p.opioid_relief_max * taken / (taken + half))

    def _arrive(self) -> None:
        """Traits, and the state to which the weeks of pain before have brought the patient."""
        p, condition, people, draw = self.arm.p, self.arm.condition, self.arm.people, self.draw
        low, high = self.arm.pain_quantiles
        deviate = _quantile(held(low + draw("pain", 0, 0) * (high - low), 1e-9, 1.0 - 1e-9))
        pain = held(condition.pain + condition.pain_sd * deviate, people.minimum_pain, people.maximum_pain)
        lasting = shifted(condition.lasting_share, p.course_spread * self._normal("lasting_share"))
        self.signal_kept = math.exp(-1.0 / (condition.course_weeks * math.exp(p.course_time_spread * self._normal("course_time"))))
        self.stop_ease = condition.opioid_stop * math.exp(p.stop_spread * self._normal("stop_ease"))
        age = held(people.age + condition.age_sd * self._normal("age"), 18.0, 95.0)
        self.trainability = max(0.0, 1.0 - p.training_age_loss * max(0.0, (age - 50.0) / 10.0))
        response = math.exp(p.response_spread * self._normal("response") - 0.5 * p.response_spread**2)
        self.opioid_response = condition.opioid_response * math.exp(
            p.response_spread * self._normal("opioid_response") - 0.5 * p.response_spread**2
        )
        self.distress = self._around(people.distress, "distress")
        sleep = self._around(people.poor_sleep, "sleep")
        self.adherence = self._around(people.adherence, "adherence")
        work = self._around(people.work_demand, "work_demand")
        comorbidity = self._around(people.comorbidity, "comorbidity")
        self.prior = 1.0 if draw("prior_treatment", 0, 0) < people.prior_treatment else 0.0
        goals = self.arm.goals
        self.goal_activity, self.goal_strength = map(float, goals[int(draw("goal", 0, 0) * len(goals))])
        spread = math.exp(p.dose_spread * self._normal("dose"))
        inherits = draw("on_opioids", 0, 0) < people.on_opioids
        self.dose = min(people.opioid_dose * spread, MOST_INHERITED_DOSE) if inherits else 0.0
        self.start_dose = min(self.arm.plan.start_dose * spread, self.arm.plan.dose_cap)
        days = self.arm.plan.first_supply_days * math.exp(p.first_supply_spread * self._normal("first_supply"))
        self.first_supply = min(LONGEST_FIRST_SUPPLY, days) / 7.0

        self.readiness = p.activity_log_odds - p.activity_distress * self.distress - p.activity_comorbidity * comorbidity
        self.sensitivity = 1.0 + p.sensitization_distress * self.distress + p.sensitization_sleep * sleep
        self.willing = p.attendance_adherence * (self.adherence - 0.5) + p.attendance_coordination * self.arm.plan.coordination
        self.flare_chance = 1.0 - math.exp(-condition.flares_per_year / 52.0 * (1.0 + p.flare_work_demand * work))
        target, usual = self._activity_target(pain, 0.0, 0.0), self._activity_target(0.0, 0.0, 0.0)
        before = condition.weeks_before
        self.activity = target + (usual - target) * math.exp(-before / p.activity_time)
        sustained, healthy = 1.0 - p.strength_activity_slope * (1.0 - target), 1.0 - p.strength_activity_slope * (1.0 - usual)
        self.strength = sustained + (healthy - sustained) * math.exp(-before / p.strength_loss_time)
        self.sensitization = self._sensitized(pain) * (1.0 - math.exp(-before / p.sensitization_time))
        self.tolerance = 0.0
        if inherits:
            used = 1.0 - math.exp(-people.opioid_weeks / p.tolerance_time)
            self.tolerance = self.dose / (self.dose + p.tolerance_half_dose) * used
        undamped = max(0.0, pain - p.hyperalgesia_pain * self.tolerance) / (1.0 - min(self._opioid_relief(self.dose), MOST_RELIEF))
        signal = max(0.0, undamped - p.weakness_pain * (1.0 - self.strength) - p.sensitization_pain * self.sensitization)
        self.signal_lasting = lasting * signal
        self.signal_passing = (1.0 - lasting) * signal
        if people.rest_weeks > 0.0:
            self.activity = 0.0

        self.noise = self.flare = self.withdrawal = 0.0
        self.supply = self.dose_before_taper = 0.0
        self.taken = self.dose
        self.weeks_on = people.opioid_weeks if inherits else 0.0
        self.came_without = not inherits
        self.pain_at_start = pain
        self.persistent = self.tapering = self.found = False
        self.taper_again, self.taper_risk_until, self.next_visit = 0, -1, 0
        response *= 1.0 - p.prior_response_loss * self.prior
        self.treatments = [Treatment(course, response, draw) for course in self.arm.courses]

    def live(self) -> None:
        """Take the next week, and count it."""
        self._feel()
        visits = self._visits()
        self._prescribe(visits)
        self._attend()
        self._count(visits)
        self._move_on()
        self.t += 1

    def _feel(self) -> None:
        arm, p = self.arm, self.arm.p
        if self.t > 0:
            self.noise = p.noise_persistence * self.noise + arm.noise_step * self._normal("noise", self.t)
            self.flare *= arm.flare_kept
            if self.draw("flare", self.t, 0) < self.flare_chance:
                self.flare += p.flare_size * 2.0 * self.draw("flare_size", self.t, 0)
            self.signal_passing *= self.signal_kept
        source_kept = felt_kept = 1.0
        self.lift = self.easing = 0.0
        for one in self.treatments:
            effect = one.effect
            if effect > 0.0:
                course = one.course
                felt_kept *= 1.0 - min(MOST_RELIEF, effect * one.felt)
                if one.responds > 0.0:
                    kept = effect / (1.0 - course.plateau * (1.0 - effect))
                    source_kept *= 1.0 - min(MOST_RELIEF, one.responds * kept * one.potency * course.source_relief)
                    self.lift += one.responds * effect * course.lift
                    self.easing += one.responds * effect * course.easing
        unmodulated = (self.signal_lasting + self.signal_passing + self.flare) * source_kept
        unmodulated += p.weakness_pain * (1.0 - self.strength) + p.sensitization_pain * self.sensitization
        self.sedation = 0.0
        if self.taken > 0.0:
            self.sedation = p.sedation_max * self.taken / (self.taken + p.side_effect_half_dose)
            unmodulated *= 1.0 - self._opioid_relief(self.taken)
        level = unmodulated * felt_kept + p.hyperalgesia_pain * self.tolerance + self.withdrawal
        self.pain = held(level + self.noise * min(1.0, level / 5.0), 0.0, 10.0)

    def _visits(self) -> bool:
        """Whether the patient sees the prescriber this week: as planned, or because it hurts."""
        t, arm, p, draw = self.t, self.arm, self.arm.p, self.draw
        visits, planned = t == 0, t > 0 and t >= self.next_visit
        if planned:
            visits = draw("kept", t, 0) < arm.visit_kept
        if t > 0 and not visits:
            visits = draw("sought", t, 0) < shifted(p.unscheduled_visit, p.unscheduled_visit_pain * (self.pain - 5.0))
        if visits or planned:
            spread = 1.0 + p.visit_spread * (2.0 * draw("appointment", t, 0) - 1.0)
            self.next_visit = t + max(1, int(arm.plan.reassessment_weeks * spread + 0.5))
        if visits and not self.found:
            self.found = draw("diagnosed", t, 0) < (max(arm.diagnosis, arm.people.diagnosed) if t == 0 else arm.diagnosis)
        return visits

    def _prescribe(self, visits: bool) -> None:
        t, p, plan = self.t, self.arm.p, self.arm.plan
        self.dose_before = before = self.dose
        self.fell_to = 0.0
        assigned = t < plan.assigned_weeks
        if before > 0.0 and t > 0 and not assigned:
            self._run_on()
        if visits:
            if self.dose == 0.0 and before == 0.0:
                if (assigned and t == 0) or self.draw("start", t, 0) < self._start_chance():
                    self.dose, self.supply = self.start_dose, self.first_supply
                    self.weeks_on, self.pain_at_start = 0.0, self.pain
            elif self.dose > 0.0 and not self.tapering and not assigned:
                self._renew()
        covered = 1.0
        if self.dose > 0.0:
            if self.supply > 0.0:
                covered = min(1.0, self.supply)
                self.supply -= 1.0
            if self.came_without and self.weeks_on >= LONG_TERM_WEEKS:
                self.persistent = True
        else:
            self.supply = self.weeks_on = 0.0
            self.tapering = False
        self.covered, self.taken = covered, self.dose * covered
        self.cost = 7.0 * self.taken * p.cost_mme + (p.cost_visit if visits else 0.0)

    def _start_chance(self) -> float:
        p, usual = self.arm.p, self.arm.condition.opioid_start if self.t == 0 else self.arm.p.start_later
        shift = p.start_pain * (self.pain - 5.0) + p.start_distress * (self.distress - 0.3) + p.start_prior * self.prior
        return shifted(usual, shift) * self.arm.plan.opioid_start

    def _run_on(self) -> None:
        """An opioid from before: a taper's next step, or an end by itself once the supply is used up."""
        t, arm, p, draw = self.t, self.arm, self.arm.p, self.draw
        if self.tapering:
            self.dose *= arm.tapered_share
            if self.dose < p.taper_end_dose:
                self.fell_to, self.dose, self.tapering = self.dose, 0.0, False
                return
            shift = p.taper_return_withdrawal * self.withdrawal + p.taper_return_pain * (self.pain - 5.0)
            if draw("return", t, 0) < shifted(p.taper_return, shift - p.taper_return_support * arm.plan.taper_support):
                self.dose, self.tapering = self.dose_before_taper, False
                self.taper_again = t + TAPER_PAUSE_WEEKS
        elif self.supply <= 0.0:
            shift = p.stop_pain * (self.pain - 5.0) + p.stop_distress * (self.distress - 0.3)
            hazard = self.stop_ease * p.stop_scale * (self.weeks_on + 1.0) ** -p.stop_decay * math.exp(-shift)
            if draw("stop", t, 0) < 1.0 - math.exp(-hazard):
                self.dose = 0.0

    def _renew(self) -> None:
        """A visit of a patient on an opioid: reviewed, or renewed and perhaps raised; perhaps a taper begins."""
        t, p, plan, draw = self.t, self.arm.p, self.arm.plan, self.draw
        if draw("reviewed", t, 0) < plan.review:
            without_benefit = self.pain > 0.7 * self.pain_at_start or self.pain <= 3.0
            if without_benefit and draw("review_stop", t, 0) < p.review_stop:
                if self.weeks_on < LONG_TERM_WEEKS:
                    self.dose = 0.0
                else:
                    self.tapering = t >= self.taper_again
        elif draw("escalate", t, 0) < plan.escalation * shifted(p.escalation_usual, p.escalation_pain * (self.pain - 5.0)):
            self.dose = max(self.dose, min(self.dose * (1.0 + p.escalation_step), plan.dose_cap))
        offered = self.dose > 0.0 and t >= max(plan.taper_start, self.taper_again) and self.weeks_on >= LONG_TERM_WEEKS
        if offered and not self.tapering:
            self.tapering = draw("accept", t, 0) < self.arm.taper_acceptance
        if self.tapering:
            self.dose_before_taper = self.dose
            self.taper_risk_until = t + TAPER_RISK_WEEKS

    def _attend(self) -> None:
        t, arm, p = self.t, self.arm, self.arm.p
        self.sessions = self.injections = self.training = 0.0
        for one in self.treatments:
            course, attended = one.course, False
            if one.began < 0:
                if t < one.due or self.pain < course.pain_threshold:
                    continue
                one.began = t
            number = one.round_in(t)
            if number >= 0:
                u, odds = self.draw("session", t, course.number), math.exp(p.attendance_pain * (self.pain - 5.0) - self.willing)
                leaves = course.dropout / (course.dropout + (1.0 - course.dropout) / odds)
                attends = course.attendance / (course.attendance + (1.0 - course.attendance) * odds)
                if u < leaves:
                    one.left = number
                else:
                    attended = u < leaves + (1.0 - leaves) * attends
            self.training += one.habit * p.home_training
            if attended:
                self.sessions += course.sessions
                self.injections += course.injections
                self.cost += course.cost
                self.training += course.training
                if course.injections > 0.0:
                    one.potency = 1.0 if self.found else p.missed_driver_effect
                one.effect += (1.0 - one.effect) * course.gain
                one.best = max(one.best, one.effect)
                one.habit += course.habit_gain * max(0.0, self.adherence - one.habit)
            else:
                fleeting = max(0.0, one.effect - course.durable * one.best)
                one.effect -= fleeting * course.waning * (1.0 - p.home_keeps * one.habit)
                one.habit *= arm.habit_kept

    def _count(self, visits: bool) -> None:
        p, dose, taken = self.arm.p, self.dose, self.taken
        counts = self.counts
        drowsy = p.sedation_max * taken / (taken + p.side_effect_half_dose)
        constipated = p.constipation_max * taken / (taken + p.side_effect_half_dose)
        weight = p.function_activity + p.function_strength + p.function_pain
        function = p.function_activity * self.activity + p.function_strength * self.strength + p.function_pain * (1.0 - self.pain / 10.0)
        tapered, hazard = self.t <= self.taper_risk_until, 0.0
        if dose > 0.0 or tapered:
            hazard = p.overdose_base * math.exp(p.overdose_dose_slope * (held(dose, 10.0, p.overdose_dose_cap) - 10.0))
            hazard *= p.overdose_taper_ratio if tapered else 1.0
        counts[:] = (
            taken,
            dose > 0.0,
            dose >= 50.0,
            dose >= 90.0,
            self.weeks_on >= LONG_TERM_WEEKS,
            self.persistent,
            self.pain,
            self.activity,
            self.strength,
            function / weight,
            self.activity >= self.goal_activity and self.strength >= self.goal_strength,
            drowsy,
            constipated,
            1.0 - (1.0 - drowsy) * (1.0 - constipated),
            hazard,
            self.sessions,
            self.injections,
            visits,
            self.cost,
        )

    def _move_on(self) -> None:
        """Where the week leaves body and dose."""
        arm, p, pain = self.arm, self.arm.p, self.pain
        gap = 1.0 - p.strength_activity_slope * (1.0 - self.activity) - self.strength
        gain = (1.0 - self.strength) * min(1.0, self.training * self.trainability)
        target = self._activity_target(pain, self.sedation, self.lift)
        self.activity += (target - self.activity) / p.activity_time
        if self.t + 1 < arm.people.rest_weeks:
            self.activity = 0.0
        self.strength = held(self.strength + gap / (p.strength_gain_time if gap > 0.0 else p.strength_loss_time) + gain, 0.0, 1.0)
        z = self.sensitization
        z += (self._sensitized(pain) - z) / p.sensitization_time - min(1.0, self.easing) * z
        self.sensitization = held(z, 0.0, 1.0)
        self.withdrawal *= arm.withdrawal_kept
        before, after = self.dose_before, max(self.dose, self.fell_to)
        if before > 0.0 and after < before:
            self.withdrawal += arm.withdrawal_size * self.tolerance * max(0.0, (before - after) / before - p.withdrawal_free_fall)
        if self.taken > 0.0:
            self.tolerance += self.taken / (self.taken + p.tolerance_half_dose) / p.tolerance_time - self.tolerance / p.tolerance_time
            self.weeks_on += self.covered
        else:
            self.tolerance -= self.tolerance / p.tolerance_time
