"""The model in Starsim: the body as a disease, the clinic and each treatment as interventions, the outcomes as an analyzer.

A step is a week. Bodies move on from the last week and feel this one (`step_state`), then the clinic and the treatments act, then the
analyzer counts. One Sim an arm; both have the same random seed, and Starsim's own common random numbers.
"""

import os
from collections.abc import Mapping

os.environ.setdefault("STARSIM_INSTALL_FONTS", "0")  # it would write its fonts into Matplotlib's folder

import numpy as np
import starsim as ss

from benchmarks.peers import equations
from benchmarks.peers.inputs import (
    LONG_TERM_WEEKS,
    MOST_RELIEF,
    TAPER_PAUSE_WEEKS,
    TAPER_RISK_WEEKS,
    Arm,
    Course,
    arms_of,
)
from painlab.outcomes import OUTCOMES
from painlab.scenario import Scenario

NEVER = 1e9  # a week that does not come


def simulate(scenario: Scenario, values: Mapping[str, float], patients: int, seed: int, weeks: int) -> np.ndarray:
    """Weekly means of both arms, shape (2, outcomes, weeks + 1)."""
    means = []
    for arm in arms_of(scenario, values):
        sim = ss.Sim(
            n_agents=patients,
            diseases=Body(arm),
            interventions=[Clinic(arm), *(Treatment(arm, course) for course in arm.courses)],
            analyzers=Tally(arm),
            start=ss.weeks(0),
            dur=ss.weeks(weeks),
            dt=ss.weeks(1),
            rand_seed=seed,
            people_results=False,
            verbose=0,
            copy_inputs=False,
        )
        sim.run()
        means.append([np.array(sim.results.tally[one.name]) for one in OUTCOMES])
    return np.array(means)


class Body(ss.Disease):
    """Pain, activity, strength, sensitization, tolerance and withdrawal, with each patient's traits."""

    def __init__(self, arm: Arm) -> None:
        super().__init__()
        self.arm = arm
        # One of each for all traits: every distribution of a module is moved on in each step, used or not.
        self.uniform_trait, self.normal_trait = ss.random(), ss.normal()
        self.noise_draw, self.flare_draw, self.flare_size_draw = ss.normal(), ss.random(), ss.random()
        self.define_states(
            *(ss.FloatArr(name) for name in equations.Traits._fields),
            *(ss.FloatArr(name, default=0.0) for name in ("noise", "flare", "withdrawal", "sedation", "lift", "easing", "training")),
        )

    def init_post(self) -> None:
        """Draw the patients."""
        super().init_post()
        everyone = self.sim.people.auids
        traits = equations.draw_traits(self.arm, lambda _: self.uniform_trait.rvs(everyone), lambda _: self.normal_trait.rvs(everyone))
        for name, drawn in traits._asdict().items():
            self[name][:] = drawn
        for intervention in self.sim.interventions.values():  # whose own init_post runs before a disease's
            intervention.admit(self)

    def step_state(self) -> None:
        """From last week to this one, and what is felt."""
        if self.ti > 0:
            self.move_on()
        self.feel()

    def move_on(self) -> None:
        """Where last week left the body, and this week's chances."""
        arm, p, clinic, everyone = self.arm, self.arm.p, self.sim.interventions.clinic, self.sim.people.auids
        pain, activity, strength, sensitization = self.pain.values, self.activity.values, self.strength.values, self.sensitization.values
        target = equations.activity_target(pain, self.readiness.values, p) * (1.0 - p.activity_sedation * self.sedation.values)
        target += (1.0 - target) * np.minimum(self.lift.values, 1.0)
        trained = (1.0 - strength) * np.minimum(self.training.values * self.trainability.values, 1.0)
        self.strength[:] = np.clip(strength + equations.strength_change(strength, activity, p) + trained, 0.0, 1.0)
        if self.ti >= arm.people.rest_weeks:
            self.activity[:] = activity + (target - activity) / p.activity_time
        change = (equations.sensitized(pain, self.sensitivity.values, p) - sensitization) / p.sensitization_time
        change -= np.minimum(self.easing.values, 1.0) * sensitization
        self.sensitization[:] = np.clip(sensitization + change, 0.0, 1.0)
        self.withdrawal[:] = self.withdrawal.values * arm.withdrawal_kept
        fallen = (clinic.dose_after < clinic.dose_before).uids
        self.withdrawal[fallen] += equations.withdrawal_onset(
            clinic.dose_before[fallen], clinic.dose_after[fallen], self.tolerance[fallen], arm
        )
        self.tolerance[:] = self.tolerance.values * (1.0 - 1.0 / p.tolerance_time)
        on = (clinic.taken > 0.0).uids
        self.tolerance[on] += equations.saturating(clinic.taken[on], p.tolerance_half_dose) / p.tolerance_time
        self.noise[:] = p.noise_persistence * self.noise.values + arm.noise_step * self.noise_draw.rvs(everyone)
        self.flare[:] = self.flare.values * arm.flare_kept
        flares = everyone[self.flare_draw.rvs(everyone) < self.flare_chance.values]
        self.flare[flares] += p.flare_size * 2.0 * self.flare_size_draw.rvs(flares)
        self.signal_passing[:] = self.signal_passing.values * self.signal_kept.values

    def feel(self) -> None:
        """Work out this week's pain."""
        p, clinic = self.arm.p, self.sim.interventions.clinic
        signal = self.signal_lasting.values + self.signal_passing.values + self.flare.values
        kept, lift, easing = np.ones_like(signal), np.zeros_like(signal), np.zeros_like(signal)
        for one in self.sim.interventions.values():
            if isinstance(one, Treatment) and one.has_begun:
                course, effect, responds = one.course, one.effect.values, one.responds.values
                if course.source_relief > 0.0:
                    signal *= 1.0 - equations.source_relief(effect, responds, one.potency.values, course)
                kept *= 1.0 - np.minimum(effect * (responds * course.relief + course.contextual), MOST_RELIEF)
                lift += responds * effect * course.lift
                easing += responds * effect * course.easing
        level = signal + p.weakness_pain * (1.0 - self.strength.values) + p.sensitization_pain * self.sensitization.values
        relief = np.zeros_like(level)
        on = (clinic.taken > 0.0).uids
        taken = clinic.taken[on]
        relief[on] = equations.opioid_relief(taken, self.tolerance[on], self.opioid_response[on], p)
        self.sedation[:] = 0.0
        self.sedation[on] = p.sedation_max * equations.saturating(taken, p.side_effect_half_dose)
        level = level * (1.0 - relief) * kept + p.hyperalgesia_pain * self.tolerance.values + self.withdrawal.values
        self.pain[:] = equations.felt_pain(level, self.noise.values)
        self.lift[:], self.easing[:], self.training[:] = lift, easing, 0.0

    def step(self) -> None:
        """All is done in step_state."""


class Clinic(ss.Intervention):
    """Visits and opioids."""

    def __init__(self, arm: Arm) -> None:
        super().__init__(name="clinic")
        self.arm = arm
        decisions = "kept sought diagnosed appointment_planned appointment reviewed start escalate stop accept back review_stop"
        self.chance = {name: ss.random(name=f"chance_{name}") for name in decisions.split()}
        floats = "dose dose_before dose_after taken weeks_on supply dose_before_taper pain_at_start taper_again next_visit"
        self.define_states(
            *(ss.FloatArr(name, default=0.0) for name in floats.split()),
            ss.FloatArr("taper_risk_until", default=-1.0),
            *(ss.BoolArr(name, default=False) for name in ("tapering", "found", "persistent", "came_without", "visiting")),
        )

    def admit(self, body: Body) -> None:
        """Take over those who come with an opioid."""
        dose = body.dose.values
        self.dose[:], self.taken[:], self.pain_at_start[:] = dose, dose, body.pain.values
        self.came_without[:] = dose == 0.0
        self.weeks_on[:] = np.where(dose > 0.0, self.arm.people.opioid_weeks, 0.0)

    def happens(self, decision: str, uids: ss.uids, chances: np.ndarray | float) -> np.ndarray:
        """Whether a decision falls so, for each of some patients."""
        return self.chance[decision].rvs(uids) < chances

    def step(self) -> None:
        """One week of the clinic."""
        before = self.dose > 0.0
        self.dose_before[:] = self.dose.values
        self.visit()
        fell_to = None
        if self.ti >= self.arm.plan.assigned_weeks:
            old = (before & self.visiting).uids
            if self.ti > 0:
                fell_to = self.run_on(before.uids)
            self.renew(old[(self.dose[old] > 0.0) & ~self.tapering[old]])
        self.start((self.visiting & ~before).uids)
        self.dose_after[:] = self.dose.values
        if fell_to is not None:
            self.dose_after[fell_to[0]] = fell_to[1]
        off, on = (before & (self.dose <= 0.0)).uids, (self.dose > 0.0).uids
        self.supply[off], self.weeks_on[off], self.tapering[off] = 0.0, 0.0, False
        supply = self.supply[on]
        covered = np.where(supply > 0.0, np.minimum(supply, 1.0), 1.0)
        self.supply[on] = np.where(supply > 0.0, supply - 1.0, supply)
        self.taken[:] = 0.0
        self.taken[on] = self.dose[on] * covered
        self.sim.analyzers.tally.count_opioids(on)
        self.weeks_on[on] += covered

    def visit(self) -> None:
        """Who sees the prescriber this week."""
        arm, p, t, body, everyone = self.arm, self.arm.p, self.ti, self.sim.diseases.body, self.sim.people.auids
        if t == 0:
            self.visiting[:] = True
            planned = everyone
        else:
            chances = equations.shifted(p.unscheduled_visit, p.unscheduled_visit_pain * (body.pain.values - 5.0))
            self.visiting[:] = self.happens("sought", everyone, chances)
            planned = (self.next_visit <= t).uids
            self.visiting[planned] |= self.happens("kept", planned, arm.visit_kept)
        visitors = self.visiting.uids
        self.next_visit[planned] = t + equations.weeks_to_visit(self.chance["appointment_planned"].rvs(planned), arm)
        self.next_visit[visitors] = t + equations.weeks_to_visit(self.chance["appointment"].rvs(visitors), arm)
        chance = max(arm.diagnosis, arm.people.diagnosed) if t == 0 else arm.diagnosis
        self.found[visitors[self.happens("diagnosed", visitors, chance)]] = True

    def run_on(self, on: ss.uids) -> tuple[ss.uids, np.ndarray]:
        """Tapers take their step, other opioids may end; returns whose taper is complete, and the dose it ended at."""
        arm, p, body = self.arm, self.arm.p, self.sim.diseases.body
        ending = on[~self.tapering[on] & (self.supply[on] <= 0.0)]
        chances = equations.stop_chance(self.weeks_on[ending], body.pain[ending], body.distress[ending], body.stop_ease[ending], p)
        tapers = on[self.tapering[on]]
        self.dose[ending[self.happens("stop", ending, chances)]] = 0.0
        lowered = self.dose[tapers] * arm.tapered_share
        done = lowered < p.taper_end_dose
        back = ~done & self.happens("back", tapers, equations.return_chance(body.withdrawal[tapers], body.pain[tapers], arm))
        self.dose[tapers] = np.where(done, 0.0, np.where(back, self.dose_before_taper[tapers], lowered))
        self.tapering[tapers[done | back]] = False
        self.taper_again[tapers[back]] = self.ti + TAPER_PAUSE_WEEKS
        return tapers[done], lowered[done]

    def renew(self, group: ss.uids) -> None:
        """Visits of patients on an opioid, without a taper under way."""
        arm, p, plan, t, pain = self.arm, self.arm.p, self.arm.plan, self.ti, self.sim.diseases.body.pain
        real = self.happens("reviewed", group, plan.review)
        reviewed, renewed = group[real], group[~real]
        useless = (pain[reviewed] > 0.7 * self.pain_at_start[reviewed]) | (pain[reviewed] <= 3.0)
        ending = reviewed[useless & self.happens("review_stop", reviewed, p.review_stop)]
        short = self.weeks_on[ending] < LONG_TERM_WEEKS
        self.dose[ending[short]] = 0.0
        begins = ending[~short]
        begins = begins[self.taper_again[begins] <= t]
        raised = renewed[self.happens("escalate", renewed, equations.escalation_chance(pain[renewed], arm))]
        dose = self.dose[raised]
        self.dose[raised] = np.maximum(dose, np.minimum(dose * (1.0 + p.escalation_step), plan.dose_cap))
        if t >= plan.taper_start:
            offered = group[(self.dose[group] > 0.0) & (self.taper_again[group] <= t) & (self.weeks_on[group] >= LONG_TERM_WEEKS)]
            begins = begins.union(offered[self.happens("accept", offered, arm.taper_acceptance)])
        self.tapering[begins] = True
        self.dose_before_taper[begins] = self.dose[begins]
        self.taper_risk_until[begins] = t + TAPER_RISK_WEEKS

    def start(self, new: ss.uids) -> None:
        """Visits of patients without an opioid."""
        arm, t, body = self.arm, self.ti, self.sim.diseases.body
        if t > 0 or arm.plan.assigned_weeks <= 0:
            usual = arm.condition.opioid_start if t == 0 else arm.p.start_later
            new = new[self.happens("start", new, equations.start_chance(body.pain[new], body.distress[new], body.prior[new], usual, arm))]
        self.dose[new], self.supply[new] = body.start_dose[new], body.first_supply[new]
        self.weeks_on[new], self.pain_at_start[new] = 0.0, body.pain[new]


class Treatment(ss.Intervention):
    """One treatment."""

    def __init__(self, arm: Arm, course: Course) -> None:
        super().__init__(name=f"treatment_{course.number}")
        self.arm, self.course = arm, course
        self.completed, self.wait, self.responder, self.session = ss.random(), ss.random(), ss.random(), ss.random()
        self.has_begun, self.last_week = False, -1
        self.define_states(
            *(ss.FloatArr(name, default=0.0) for name in ("effect", "best", "habit", "responds")),
            ss.FloatArr("due", default=NEVER),
            ss.FloatArr("began", default=NEVER),
            ss.FloatArr("left", default=-1.0),
            ss.FloatArr("potency", default=1.0),
        )

    def admit(self, body: Body) -> None:
        """Refer the patients."""
        course, everyone = self.course, self.sim.people.auids
        comes = everyone[self.completed.rvs(everyone) < course.completed]
        self.due[comes] = course.start_week + course.mean_wait * (0.5 + self.wait.rvs(comes))
        responders = everyone[self.responder.rvs(everyone) < course.responders]
        self.responds[responders] = body.response[responders]

    def on(self) -> tuple[ss.uids, np.ndarray]:
        """Patients in a course this week, and which one it is."""
        course = self.course
        if self.ti > self.last_week:
            return ss.uids(), np.empty(0)
        since = self.ti - self.began.values
        number = np.floor(since / course.interval) if course.courses > 1 else np.zeros_like(since)
        inside = (since >= 0) & (number < course.courses) & (since - number * course.interval < course.weeks) & (self.left.values != number)
        return self.sim.people.auids[inside], number[inside]

    def step(self) -> None:
        """One week of it."""
        course, arm, p, body, clinic = self.course, self.arm, self.arm.p, self.sim.diseases.body, self.sim.interventions.clinic
        if self.ti >= course.start_week:
            begins = ((self.due <= self.ti) & (body.pain >= course.pain_threshold)).uids
            if len(begins):
                self.began[begins], self.due[begins], self.has_begun = self.ti, NEVER, True
                self.last_week = self.ti + (course.courses - 1) * course.interval + course.weeks
        if not self.has_begun:
            return
        on, number = self.on()
        left, attended = equations.session(self.session.rvs(on), body.pain[on], body.willing[on], course, p)
        self.left[on[left]] = number[left]
        here = on[attended]
        trains = course.training > 0.0 or course.habit_gain > 0.0
        if trains:
            body.training[:] = body.training.values + p.home_training * self.habit.values
            body.training[here] += course.training
        self.sim.analyzers.tally.count_sessions(len(here), course)
        if course.injections > 0.0:
            self.potency[here] = np.where(clinic.found[here], 1.0, p.missed_driver_effect)
        effect, habit, everyone_effect = self.effect[here], self.habit[here], self.effect.values
        waning = course.waning * (1.0 - p.home_keeps * self.habit.values) if trains else course.waning
        self.effect[:] = everyone_effect - np.maximum(everyone_effect - course.durable * self.best.values, 0.0) * waning
        self.effect[here] = effect + (1.0 - effect) * course.gain
        self.best[here] = np.maximum(self.best[here], self.effect[here])
        if trains:
            self.habit[:] = self.habit.values * arm.habit_kept
            self.habit[here] = habit + course.habit_gain * np.maximum(body.adherence[here] - habit, 0.0)


class Tally(ss.Analyzer):
    """The weekly means of all outcomes."""

    def __init__(self, arm: Arm) -> None:
        super().__init__(name="tally")
        self.arm = arm

    def init_results(self) -> None:
        """A result an outcome."""
        super().init_results()
        self.define_results(*(ss.Result(one.name, dtype=float, scale=False) for one in OUTCOMES))

    def count_opioids(self, on: ss.uids) -> None:
        """Count those on an opioid, before the week is added to their weeks on it."""
        p, ti, clinic, results, n = self.arm.p, self.ti, self.sim.interventions.clinic, self.results, len(self.sim.people)
        dose, taken, long = clinic.dose[on], clinic.taken[on], clinic.weeks_on[on] >= LONG_TERM_WEEKS
        clinic.persistent[on[long & clinic.came_without[on]]] = True
        drowsy = p.sedation_max * equations.saturating(taken, p.side_effect_half_dose)
        constipated = p.constipation_max * equations.saturating(taken, p.side_effect_half_dose)
        at_risk = clinic.taper_risk_until >= ti
        off_opioids = at_risk.count() - np.count_nonzero(at_risk[on])
        results.mme_per_1000[ti] = taken.sum() / n
        results.on_opioids[ti] = len(on) / n
        results.dose_50_plus[ti] = np.count_nonzero(dose >= 50.0) / n
        results.dose_90_plus[ti] = np.count_nonzero(dose >= 90.0) / n
        results.long_term_therapy[ti] = np.count_nonzero(long) / n
        results.new_persistent_use[ti] = clinic.persistent.count() / n
        results.sedation[ti], results.constipation[ti] = drowsy.sum() / n, constipated.sum() / n
        results.side_effects[ti] = (1.0 - (1.0 - drowsy) * (1.0 - constipated)).sum() / n
        hazard = equations.overdose_hazard(dose, at_risk[on], p).sum() + off_opioids * p.overdose_base * p.overdose_taper_ratio
        results.overdose_hazard[ti] = hazard / n
        results.visits[ti] = clinic.visiting.count() / n
        results.cost[ti] = 7.0 * p.cost_mme * results.mme_per_1000[ti] + p.cost_visit * results.visits[ti]

    def count_sessions(self, attended: int, course: Course) -> None:
        """Count the sessions of a treatment."""
        ti, results, n = self.ti, self.results, len(self.sim.people)
        results.sessions[ti] += attended * course.sessions / n
        results.injections[ti] += attended * course.injections / n
        results.cost[ti] += attended * course.cost / n

    def step(self) -> None:
        """Count bodies."""
        p, ti, body, results = self.arm.p, self.ti, self.sim.diseases.body, self.results
        weight = p.function_activity + p.function_strength + p.function_pain
        pain, activity, strength = body.pain.mean(), body.activity.mean(), body.strength.mean()
        results.pain[ti], results.activity[ti], results.strength[ti] = pain, activity, strength
        function = p.function_activity * activity + p.function_strength * strength + p.function_pain * (1.0 - pain / 10.0)
        results.function[ti] = function / weight
        results.goal_reached[ti] = ((body.activity >= body.goal_activity) & (body.strength >= body.goal_strength)).mean()
