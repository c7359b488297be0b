"""The model in plain NumPy: the whole cohort in arrays, one week at a time, double precision.

What concerns few patients in a week (opioids, visits, sessions) is worked out for those alone, by their indices.
"""

from collections.abc import Mapping

import numpy as np

from benchmarks.peers import equations
from benchmarks.peers.inputs import (
    LONG_TERM_WEEKS,
    MOST_RELIEF,
    OUTCOME_COUNT,
    TAPER_PAUSE_WEEKS,
    TAPER_RISK_WEEKS,
    Arm,
    Course,
    arms_of,
)
from painlab.outcomes import Count
from painlab.scenario import Scenario

NEVER = np.iinfo(np.int64).max // 2


def simulate(scenario: Scenario, values: Mapping[str, float], patients: int, seed: int, weeks: int) -> np.ndarray:
    """Weekly means of both arms, shape (2, outcomes, weeks + 1)."""
    chance = np.random.default_rng(seed)
    means = np.empty((2, OUTCOME_COUNT, weeks + 1))
    for number, arm in enumerate(arms_of(scenario, values)):
        cohort = Cohort(arm, patients, chance)
        for t in range(weeks + 1):
            means[number, :, t] = cohort.week(t)
    return means


class Treatment:
    """One treatment in all patients."""

    def __init__(self, course: Course, cohort: "Cohort") -> None:
        n, chance = cohort.patients, cohort.chance
        self.course = course
        wait = course.mean_wait * (0.5 + chance.random(n)) if course.mean_wait > 0.0 else np.zeros(n)
        self.due = course.start_week + wait
        self.waiting = np.flatnonzero(chance.random(n) < course.completed) if course.completed < 1.0 else np.arange(n)
        self.responds = np.where(chance.random(n) < course.responders, cohort.traits.response, 0.0)
        self.felt = self.responds * course.relief + course.contextual
        self.began = np.full(n, NEVER)
        self.last_week = -1  # after which no course can be on
        self.left = np.full(n, -1)
        self.effect, self.best, self.habit = np.zeros(n), np.zeros(n), np.zeros(n)
        self.potency: np.ndarray | float = np.ones(n) if course.injections > 0.0 else 1.0

    def begin(self, t: int, pain: np.ndarray) -> None:
        """Begin in those in whom it is due and who hurt enough."""
        if self.waiting.size == 0 or t < self.course.start_week:
            return
        begins = (self.due[self.waiting] <= t) & (pain[self.waiting] >= self.course.pain_threshold)
        if begins.any():
            self.began[self.waiting[begins]] = t
            self.waiting = self.waiting[~begins]
            self.last_week = int(t + (self.course.courses - 1) * self.course.interval + self.course.weeks)

    def on(self, t: int) -> tuple[np.ndarray, np.ndarray | int]:
        """Patients in a course this week, and which one it is."""
        if t > self.last_week:
            return np.empty(0, dtype=np.int64), 0
        course, since = self.course, t - self.began
        number: np.ndarray | int = (since // course.interval).astype(np.int64) if course.courses > 1 else 0
        running = (since >= 0) & (number < course.courses) & (since - number * course.interval < course.weeks)
        on = np.flatnonzero(running & (self.left != number))
        return on, number[on] if isinstance(number, np.ndarray) else number


class Cohort:
    """The patients of one arm."""

    def __init__(self, arm: Arm, patients: int, chance: np.random.Generator) -> None:
        self.arm, self.patients, self.chance = arm, patients, chance
        self.traits = traits = equations.draw_traits(arm, lambda _: chance.random(patients), lambda _: chance.standard_normal(patients))
        self.passing = traits.signal_passing.copy()
        self.activity, self.strength = traits.activity.copy(), traits.strength.copy()
        self.sensitization, self.tolerance = traits.sensitization.copy(), traits.tolerance.copy()
        self.noise, self.flare, self.withdrawal = np.zeros(patients), np.zeros(patients), np.zeros(patients)
        self.dose, self.taken = traits.dose.copy(), traits.dose.copy()
        self.came_without = traits.dose == 0.0
        self.weeks_on = np.where(self.came_without, 0.0, arm.people.opioid_weeks)
        self.supply, self.dose_before_taper = np.zeros(patients), np.zeros(patients)
        self.pain_at_start = traits.pain.copy()
        self.tapering, self.found, self.persistent = (np.zeros(patients, dtype=bool) for _ in range(3))
        self.taper_again, self.next_visit = np.zeros(patients, dtype=np.int64), np.zeros(patients, dtype=np.int64)
        self.taper_risk_until = np.full(patients, -1)
        self.treatments = [Treatment(course, self) for course in arm.courses]

    def week(self, t: int) -> np.ndarray:
        """Live week t; means of its outcomes, shape (outcomes,)."""
        before, on = self.dose.copy(), np.flatnonzero(self.dose > 0.0)
        sedation = self.arm.p.sedation_max * equations.saturating(self.taken[on], self.arm.p.side_effect_half_dose)
        lift, easing = self._feel(t, on)
        visitors = self._visit(t)
        after = self._prescribe(t, visitors, on)
        now_on, covered = self._supply(on)
        totals = np.zeros(OUTCOME_COUNT)
        training = self._attend(t, totals)
        totals[Count.COST] += visitors.size * self.arm.p.cost_visit
        self._count(t, visitors, now_on, totals)
        self._move_on(t, on, sedation, lift, easing, training)
        self._dose_moves_on(on, before, after, now_on, covered)
        return totals / self.patients

    def _feel(self, t: int, on: np.ndarray) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Work out this week's pain; returns the lift of activity and the easing of sensitization by care."""
        arm, p, traits, chance = self.arm, self.arm.p, self.traits, self.chance
        if t > 0:
            self.noise *= p.noise_persistence
            self.noise += arm.noise_step * chance.standard_normal(self.patients)
            self.flare *= arm.flare_kept
            flares = np.flatnonzero(chance.random(self.patients) < traits.flare_chance)
            self.flare[flares] += p.flare_size * 2.0 * chance.random(flares.size)
            self.passing *= traits.signal_kept
        signal = traits.signal_lasting + self.passing + self.flare
        kept: np.ndarray | None = None
        lift: np.ndarray | None = None
        easing: np.ndarray | None = None
        for one in self.treatments:
            if one.last_week < 0:
                continue
            course, effect = one.course, one.effect
            if course.source_relief > 0.0:
                signal *= 1.0 - equations.source_relief(effect, one.responds, one.potency, course)
            felt = 1.0 - np.minimum(effect * one.felt, MOST_RELIEF)
            kept = felt if kept is None else kept * felt
            if course.lift > 0.0:
                lift = (0.0 if lift is None else lift) + one.responds * effect * course.lift
            if course.easing > 0.0:
                easing = (0.0 if easing is None else easing) + one.responds * effect * course.easing
        level = signal + p.weakness_pain * (1.0 - self.strength) + p.sensitization_pain * self.sensitization
        level[on] *= 1.0 - equations.opioid_relief(self.taken[on], self.tolerance[on], traits.opioid_response[on], p)
        if kept is not None:
            level *= kept
        level += p.hyperalgesia_pain * self.tolerance
        level += self.withdrawal
        self.pain = equations.felt_pain(level, self.noise)
        return lift, easing

    def _visit(self, t: int) -> np.ndarray:
        """Patients who see the prescriber this week."""
        arm, p, chance = self.arm, self.arm.p, self.chance
        if t == 0:
            planned = visitors = np.arange(self.patients)
        else:
            visits = chance.random(self.patients) < equations.shifted(p.unscheduled_visit, p.unscheduled_visit_pain * (self.pain - 5.0))
            planned = np.flatnonzero(self.next_visit <= t)
            visits[planned] |= chance.random(planned.size) < arm.visit_kept
            visitors = np.flatnonzero(visits)
        for group in (planned, visitors):
            self.next_visit[group] = t + equations.weeks_to_visit(chance.random(group.size), arm)
        chances = max(arm.diagnosis, arm.people.diagnosed) if t == 0 else arm.diagnosis
        self.found[visitors] |= chance.random(visitors.size) < chances
        return visitors

    def _prescribe(self, t: int, visitors: np.ndarray, on: np.ndarray) -> np.ndarray:
        """Start, renew, raise, taper and stop; returns the dose that the body meets of those on an opioid before."""
        arm, p, plan, traits, chance = self.arm, self.arm.p, self.arm.plan, self.traits, self.chance
        dose, pain, tapering = self.dose, self.pain, self.tapering
        assigned = t < plan.assigned_weeks
        ended, fell_to = np.empty(0, dtype=np.int64), np.empty(0)
        users = dose[visitors] > 0.0
        new, old = visitors[~users], visitors[users]
        if t > 0 and not assigned:
            ending = on[~tapering[on] & (self.supply[on] <= 0.0)]
            chances = equations.stop_chance(self.weeks_on[ending], pain[ending], traits.distress[ending], traits.stop_ease[ending], p)
            dose[ending[chance.random(ending.size) < chances]] = 0.0
            tapers = on[tapering[on]]
            if tapers.size:
                lowered = dose[tapers] * arm.tapered_share
                done = lowered < p.taper_end_dose
                back = ~done & (chance.random(tapers.size) < equations.return_chance(self.withdrawal[tapers], pain[tapers], arm))
                dose[tapers] = np.where(done, 0.0, np.where(back, self.dose_before_taper[tapers], lowered))
                tapering[tapers[done | back]] = False
                self.taper_again[tapers[back]] = t + TAPER_PAUSE_WEEKS
                ended, fell_to = tapers[done], lowered[done]
        if not assigned:
            self._renew(t, old[(dose[old] > 0.0) & ~tapering[old]])
        if new.size:
            if assigned and t == 0:
                started = new
            else:
                usual = arm.condition.opioid_start if t == 0 else p.start_later
                chances = equations.start_chance(pain[new], traits.distress[new], traits.prior[new], usual, arm)
                started = new[chance.random(new.size) < chances]
            dose[started] = traits.start_dose[started]
            self.supply[started] = traits.first_supply[started]
            self.weeks_on[started] = 0.0
            self.pain_at_start[started] = pain[started]
        after = dose.copy()
        after[ended] = fell_to
        return after[on]

    def _renew(self, t: int, group: np.ndarray) -> None:
        """Visits of patients on an opioid, without a taper under way."""
        arm, p, plan, chance = self.arm, self.arm.p, self.arm.plan, self.chance
        dose, pain = self.dose, self.pain
        real = chance.random(group.size) < plan.review
        reviewed, renewed = group[real], group[~real]
        useless = (pain[reviewed] > 0.7 * self.pain_at_start[reviewed]) | (pain[reviewed] <= 3.0)
        ending = reviewed[useless & (chance.random(reviewed.size) < p.review_stop)]
        short = self.weeks_on[ending] < LONG_TERM_WEEKS
        dose[ending[short]] = 0.0
        begins = ending[~short]
        begins = begins[self.taper_again[begins] <= t]
        raised = renewed[chance.random(renewed.size) < equations.escalation_chance(pain[renewed], arm)]
        dose[raised] = np.maximum(dose[raised], np.minimum(dose[raised] * (1.0 + p.escalation_step), plan.dose_cap))
        if t >= plan.taper_start:
            offered = group[(dose[group] > 0.0) & (self.taper_again[group] <= t) & (self.weeks_on[group] >= LONG_TERM_WEEKS)]
            begins = np.concatenate([begins, offered[chance.random(offered.size) < arm.taper_acceptance]])
        self.tapering[begins] = True
        self.dose_before_taper[begins] = dose[begins]
        self.taper_risk_until[begins] = t + TAPER_RISK_WEEKS

    def _supply(self, on: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Those on an opioid now, and the share of the week that their supply covers."""
        off = on[self.dose[on] == 0.0]
        self.supply[off] = self.weeks_on[off] = self.taken[off] = 0.0
        self.tapering[off] = False
        now_on = np.flatnonzero(self.dose > 0.0)
        supply = self.supply[now_on]
        covered = np.where(supply > 0.0, np.minimum(supply, 1.0), 1.0)
        self.supply[now_on] = np.where(supply > 0.0, supply - 1.0, supply)
        self.taken[now_on] = self.dose[now_on] * covered
        return now_on, covered

    def _attend(self, t: int, totals: np.ndarray) -> np.ndarray | None:
        """Sessions of all treatments; returns the training won, in shares of the missing strength before age."""
        arm, p, traits = self.arm, self.arm.p, self.traits
        training: np.ndarray | None = None
        for one in self.treatments:
            course = one.course
            one.begin(t, self.pain)
            if one.last_week < 0:
                continue
            on, number = one.on(t)
            left, attended = equations.session(self.chance.random(on.size), self.pain[on], traits.willing[on], course, p)
            one.left[on[left]] = number[left] if isinstance(number, np.ndarray) else number
            here = on[attended]
            trains = course.training > 0.0 or course.habit_gain > 0.0
            if trains:
                training = (0.0 if training is None else training) + p.home_training * one.habit
                training[here] += course.training
            totals[Count.SESSIONS] += here.size * course.sessions
            totals[Count.INJECTIONS] += here.size * course.injections
            totals[Count.COST] += here.size * course.cost
            if isinstance(one.potency, np.ndarray):
                one.potency[here] = np.where(self.found[here], 1.0, p.missed_driver_effect)
            effect, habit = one.effect[here], one.habit[here]
            waning = course.waning * (1.0 - p.home_keeps * one.habit) if trains else course.waning
            one.effect -= np.maximum(one.effect - course.durable * one.best, 0.0) * waning
            one.effect[here] = effect + (1.0 - effect) * course.gain
            one.best[here] = np.maximum(one.best[here], one.effect[here])
            if trains:
                one.habit *= arm.habit_kept
                one.habit[here] = habit + course.habit_gain * np.maximum(traits.adherence[here] - habit, 0.0)
        return training

    def _count(self, t: int, visitors: np.ndarray, on: np.ndarray, totals: np.ndarray) -> None:
        p, traits = self.arm.p, self.traits
        dose, taken, long = self.dose[on], self.taken[on], self.weeks_on[on] >= LONG_TERM_WEEKS
        self.persistent[on[long & self.came_without[on]]] = True
        drowsy = p.sedation_max * equations.saturating(taken, p.side_effect_half_dose)
        constipated = p.constipation_max * equations.saturating(taken, p.side_effect_half_dose)
        at_risk = self.taper_risk_until >= t
        weight = p.function_activity + p.function_strength + p.function_pain
        pain, activity, strength = self.pain.sum(), self.activity.sum(), self.strength.sum()
        off_opioids = np.count_nonzero(at_risk) - np.count_nonzero(at_risk[on])
        hazard = equations.overdose_hazard(dose, at_risk[on], p).sum() + off_opioids * p.overdose_base * p.overdose_taper_ratio
        totals[Count.MME] = taken.sum()
        totals[Count.ON_OPIOIDS] = on.size
        totals[Count.DOSE_50_PLUS] = np.count_nonzero(dose >= 50.0)
        totals[Count.DOSE_90_PLUS] = np.count_nonzero(dose >= 90.0)
        totals[Count.LONG_TERM_THERAPY] = np.count_nonzero(long)
        totals[Count.NEW_PERSISTENT_USE] = np.count_nonzero(self.persistent)
        totals[Count.PAIN], totals[Count.ACTIVITY], totals[Count.STRENGTH] = pain, activity, strength
        function = p.function_activity * activity + p.function_strength * strength + p.function_pain * (self.patients - pain / 10.0)
        totals[Count.FUNCTION] = function / weight
        totals[Count.GOAL_REACHED] = np.count_nonzero((self.activity >= traits.goal_activity) & (self.strength >= traits.goal_strength))
        totals[Count.SEDATION], totals[Count.CONSTIPATION] = drowsy.sum(), constipated.sum()
        totals[Count.SIDE_EFFECTS] = (1.0 - (1.0 - drowsy) * (1.0 - constipated)).sum()
        totals[Count.OVERDOSE_HAZARD] = hazard
        totals[Count.VISITS] = visitors.size
        totals[Count.COST] += 7.0 * p.cost_mme * totals[Count.MME]

    def _move_on(
        self, t: int, on: np.ndarray, sedation: np.ndarray, lift: np.ndarray | None, easing: np.ndarray | None, training: np.ndarray | None
    ) -> None:
        """Where the week leaves activity, strength and sensitization."""
        p, traits = self.arm.p, self.traits
        target = equations.activity_target(self.pain, traits.readiness, p)
        target[on] *= 1.0 - p.activity_sedation * sedation
        if lift is not None:
            target += (1.0 - target) * np.minimum(lift, 1.0)
        change = equations.strength_change(self.strength, self.activity, p)
        if training is not None:
            change += (1.0 - self.strength) * np.minimum(training * traits.trainability, 1.0)
        self.strength = np.clip(self.strength + change, 0.0, 1.0)
        if t + 1 >= self.arm.people.rest_weeks:
            self.activity += (target - self.activity) / p.activity_time
        goes_to = equations.sensitized(self.pain, traits.sensitivity, p)
        change = (goes_to - self.sensitization) / p.sensitization_time
        if easing is not None:
            change -= np.minimum(easing, 1.0) * self.sensitization
        self.sensitization = np.clip(self.sensitization + change, 0.0, 1.0)

    def _dose_moves_on(self, on: np.ndarray, before: np.ndarray, after: np.ndarray, now_on: np.ndarray, covered: np.ndarray) -> None:
        """Where the week leaves withdrawal, tolerance and the weeks on opioids."""
        p = self.arm.p
        self.withdrawal *= self.arm.withdrawal_kept
        lower = after < before[on]
        fallen = on[lower]
        self.withdrawal[fallen] += equations.withdrawal_onset(before[fallen], after[lower], self.tolerance[fallen], self.arm)
        self.tolerance *= 1.0 - 1.0 / p.tolerance_time
        self.tolerance[now_on] += equations.saturating(self.taken[now_on], p.tolerance_half_dose) / p.tolerance_time
        self.weeks_on[now_on] += covered
