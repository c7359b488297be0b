"""The compiled cohort: a block of patients through the weeks, one care plan, sums by week and outcome.

Plain loops over the equations of `dynamics` and `care`: where they return a chance it is compared with a draw, where they return a change
it is added (one step a week). Sums are integers, so that neither the order of patients nor the number of threads changes a bit.
"""

import numpy as np

from painlab import care, dynamics
from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.numerics import clip, compiled, compiled_loop, exp, standard_normal, to_fixed
from painlab.outcomes import Count, Recorded
from painlab.parameters import Parameters
from painlab.population import Mix, Traits, draw_traits
from painlab.randomness import Block, uniforms

TAPER_PAUSE_WEEKS = 26  # a taper that was given up is not offered again for half a year (assumption)
COUNTED, RECORDED = len(Count), len(Recorded)
TAPER_RISK_WEEKS = 52  # the raised overdose hazard lasts for a year after a taper began, as in T04-05


@compiled
def arrival_week(seed: int, patient: int, weeks: int, follow_up: int) -> int:
    """Calendar week in which a patient of an open cohort arrives: evenly from -follow_up to the horizon; 0 in a closed cohort."""
    if follow_up < 0:
        return 0
    return int(uniforms(seed, patient, 0, Block.TRAITS_OPIOID, 0)[3] * (weeks + 1 + follow_up)) - follow_up


@compiled
def arrival_signal(traits: Traits, p: Parameters) -> float:
    """Pain signal (0-10) that, with the patient's weakness, sensitization and dose at arrival, gives the arrival pain."""
    relief = dynamics.opioid_relief(traits.dose, traits.tolerance, traits.opioid_response, p)
    unmodulated = max(0.0, traits.pain - p.hyperalgesia_pain * traits.tolerance) / (1.0 - min(relief, care.MOST_RELIEF))
    return max(0.0, unmodulated - dynamics.unmodulated_pain(0.0, 0.0, traits.strength, traits.sensitization, p))


@compiled_loop
def follow_patient(
    seed: int,
    patient: int,
    arrival: int,
    last_week: int,
    weeks: int,
    condition: Condition,
    people: Mix,
    goals: np.ndarray,
    p: Parameters,
    rows: np.ndarray,
    orders: np.ndarray,
    plan: Plan,
    sums: np.ndarray,
    present: np.ndarray,
    state: np.ndarray,
    record: np.ndarray,
) -> None:
    """Take one patient from arrival through `last_week` weeks and add each calendar week 0 ... weeks to the sums.

    Parameters
    ----------
    rows, orders
        Treatments' rows and orders, shapes (treatments, len(TreatmentField)) and (treatments, len(OrderField)).
    sums, present
        Integer sums by outcome and week, shape (len(Count), weeks + 1), and patients by week, shape (weeks + 1,); added to in place.
    state
        Room for the treatments' state, shape (treatments, 9); overwritten.
    record
        This patient's own weeks, shape (weeks + 1, len(Recorded)), or no rows where nobody asks; written in place.
    """
    traits = draw_traits(seed, patient, condition, people, goals.shape[0], p)
    targeted = state[:, 0]
    responds = state[:, 1]
    due = state[:, 2]
    began = state[:, 3]
    dropped = state[:, 4]
    effect = state[:, 5]
    habit = state[:, 6]
    potency = state[:, 7]
    best = state[:, 8]
    ordered = np.empty(rows.shape[0], dtype=np.int64)
    count = 0
    for j in range(rows.shape[0]):
        effect[j] = habit[j] = best[j] = 0.0
        began[j] = dropped[j] = -1.0
        potency[j] = 1.0
        if orders[j, OrderField.ORDERED] == 0.0:
            continue
        ordered[count] = j
        count += 1
        completed, waited, responder, _ = uniforms(seed, patient, 0, Block.REFERRAL, j + 1)
        needs_referral = rows[j, TreatmentField.REFERRAL] == 1.0
        refused = needs_referral and completed >= care.referral_chance(orders[j], p)
        wait = care.wait_weeks(orders[j], waited, p) if needs_referral else 0.0
        due[j] = np.inf if refused else orders[j, OrderField.START_WEEK] + wait
        works = responder < rows[j, TreatmentField.RESPONDERS] and orders[j, OrderField.SHAM] == 0.0
        responds[j] = traits.treatment_response if works else 0.0
        targeted[j] = care.targeted_share(rows[j], condition.mechanical, condition.inflammatory, condition.neuropathic, condition.muscular)

    activity, strength, sensitization, tolerance = traits.activity, traits.strength, traits.sensitization, traits.tolerance
    if people.rest_weeks > 0.0:
        activity = 0.0
    signal_start = arrival_signal(traits, p)
    floor = traits.lasting_share * signal_start
    flare_chance = dynamics.flare_chance(condition.flares_per_year, traits.work_demand, p)
    noise = flare = withdrawal = 0.0
    starting = escalating = stopping = accepting = returning = review_stops = 1.0
    noise_step = p.noise_size * np.sqrt(1.0 - p.noise_persistence**2)
    dose, weeks_on, covered = traits.dose, traits.weeks_on, 1.0
    supply = 0.0
    first_supply = min(
        90.0, plan.first_supply_days * exp(p.first_supply_spread * standard_normal(uniforms(seed, patient, 0, Block.TRAITS_OPIOID, 0)[2]))
    )
    dose_factor = exp(p.dose_spread * standard_normal(uniforms(seed, patient, 0, Block.TRAITS_OPIOID, 0)[1]))
    came_without = dose == 0.0
    persistent = False
    pain_at_start = traits.pain
    tapering = False
    dose_before_taper = 0.0
    taper_again = 0
    taper_risk_until = -1
    found = False
    next_visit = 0

    for t in range(last_week + 1):
        # the body: what is felt this week
        jitter, flares, flare_spread, appointment = uniforms(seed, patient, t, Block.BODY, 0)
        if t > 0:
            noise = p.noise_persistence * noise + noise_step * standard_normal(jitter)
            flare += dynamics.flare_change(flare, p)
            if flares < flare_chance:
                flare += p.flare_size * 2.0 * flare_spread
        source_kept = felt_kept = 1.0
        lift = easing = 0.0
        for j in ordered[:count]:
            if effect[j] > 0.0:
                source_kept *= 1.0 - care.source_relief(effect[j], responds[j], potency[j], targeted[j], rows[j])
                felt_kept *= 1.0 - care.felt_relief(effect[j], responds[j], rows[j])
                lift += care.activity_lift(effect[j], responds[j], rows[j])
                easing += care.sensitization_easing(effect[j], responds[j], rows[j])
        taken = dose * covered
        sedation = dynamics.sedation_chance(taken, p)
        signal = dynamics.nociception(float(t), signal_start, floor, traits.course_weeks) + flare
        unmodulated = dynamics.unmodulated_pain(signal, 1.0 - source_kept, strength, sensitization, p)
        relief = dynamics.opioid_relief(taken, tolerance, traits.opioid_response, p)
        pain = dynamics.felt_pain(unmodulated, relief, 1.0 - felt_kept, tolerance, withdrawal, noise, p)

        # the visit: planned, or sought because it hurts
        kept, sought, diagnosed, reviewed = uniforms(seed, patient, t, Block.VISIT, 0)
        visit = t == 0
        if t > 0 and t >= next_visit:
            visit = kept < care.scheduled_visit_chance(plan.coordination, p)
            next_visit = t + care.weeks_to_next_visit(plan.reassessment_weeks, appointment, p)
        if t > 0 and not visit:
            visit = sought < care.unscheduled_visit_chance(pain, p)
        if visit:
            found = found or diagnosed < care.diagnosis_chance(plan.coordination, p) or (t == 0 and diagnosed < people.diagnosed)
            next_visit = t + care.weeks_to_next_visit(plan.reassessment_weeks, appointment, p)

        # prescribing
        dose_last_week = dose
        fell_to = -1.0  # where a completed taper leaves the dose for the body: its last small step is no sudden stop
        if visit or dose > 0.0:  # nobody else meets these chances
            starting, escalating, stopping, accepting = uniforms(seed, patient, t, Block.PRESCRIBING, 0)
            returning, review_stops, _, _ = uniforms(seed, patient, t, Block.TAPER, 0)
        assigned = t < plan.assigned_weeks  # a trial's protocol keeps everyone on the opioid
        if dose > 0.0 and t > 0 and not assigned:
            if tapering:
                dose = care.tapered_dose(dose, plan.taper_pace)
                if dose < p.taper_end_dose:
                    fell_to = dose
                    dose = 0.0
                    tapering = False
                elif returning < care.taper_return_chance(withdrawal, pain, plan.taper_support, p):
                    dose = dose_before_taper
                    tapering = False
                    taper_again = t + TAPER_PAUSE_WEEKS
            elif supply <= 0.0 and stopping < care.stop_chance(weeks_on, pain, traits.distress, traits.stop_ease, p):
                dose = 0.0
        if visit and dose == 0.0 and dose_last_week == 0.0:
            usual = condition.opioid_start if t == 0 else p.start_later
            if (assigned and t == 0) or starting < care.opioid_start_chance(pain, traits.distress, traits.prior_treatment, usual, plan, p):
                dose = min(plan.start_dose * dose_factor, plan.dose_cap)
                supply = first_supply / 7.0
                weeks_on = 0.0
                pain_at_start = pain
        elif visit and dose > 0.0 and not tapering and not assigned:
            if reviewed < plan.review:  # a real review ends what does not help, and does not raise a dose by habit
                if review_stops < care.review_stop_chance(pain, pain_at_start, p):
                    if weeks_on < care.LONG_TERM_WEEKS:
                        dose = 0.0
                    else:
                        tapering = t >= taper_again
            elif escalating < care.escalation_chance(pain, plan, p):
                dose = care.raised_dose(dose, plan, p)
            if dose > 0.0 and t >= plan.taper_start and t >= taper_again and weeks_on >= care.LONG_TERM_WEEKS:
                tapering = tapering or accepting < care.taper_acceptance_chance(plan.taper_support, plan.taper_offer, p)
            if tapering:
                dose_before_taper = dose
                taper_risk_until = t + TAPER_RISK_WEEKS
        covered = 1.0
        if dose > 0.0:
            if supply > 0.0:
                covered = min(1.0, supply)
                supply -= 1.0
        else:
            supply = 0.0
            weeks_on = 0.0
            tapering = False
        persistent = persistent or (came_without and weeks_on >= care.LONG_TERM_WEEKS)

        # other care
        sessions = injections = training = 0.0
        cost = p.cost_visit if visit else 0.0
        for j in ordered[:count]:
            if began[j] < 0.0 and t >= due[j] and pain >= orders[j, OrderField.PAIN_THRESHOLD]:
                began[j] = t
            attended = offered = 0.0
            if began[j] >= 0.0:
                course = int((t - began[j]) / orders[j, OrderField.INTERVAL]) if orders[j, OrderField.COURSES] > 1.0 else 0
                within = t - began[j] - course * orders[j, OrderField.INTERVAL]
                if course < orders[j, OrderField.COURSES] and within < orders[j, OrderField.WEEKS] and dropped[j] != course:
                    offered = orders[j, OrderField.SESSIONS]
                    attends, leaves, _, _ = uniforms(seed, patient, t, Block.SESSION, j + 1)
                    if leaves < care.dropout_chance(pain, traits.adherence, plan.coordination, rows[j], p):
                        dropped[j] = course
                    elif attends < care.attendance_chance(pain, traits.adherence, plan.coordination, rows[j], p):
                        attended = 1.0
            if attended > 0.0:
                sessions += offered * rows[j, TreatmentField.COUNTS_SESSION]
                injections += offered * rows[j, TreatmentField.COUNTS_INJECTION]
                cost += offered * rows[j, TreatmentField.COST]
                if rows[j, TreatmentField.COUNTS_INJECTION] == 1.0:
                    potency[j] = 1.0 if found else p.missed_driver_effect
            real = 1.0 - orders[j, OrderField.SHAM]
            training += real * care.training_share(attended, offered, habit[j], rows[j], p)
            effect[j] += care.treatment_effect_change(effect[j], best[j], attended, offered, habit[j], rows[j], p)
            best[j] = max(best[j], effect[j])
            habit[j] += real * care.home_habit_change(habit[j], attended, offered, traits.adherence, rows[j], p)
        cost += 7.0 * dose * covered * p.cost_mme

        week = arrival + t
        if 0 <= week <= weeks:
            constipation = dynamics.constipation_chance(dose * covered, p)
            drowsy = dynamics.sedation_chance(dose * covered, p)
            goal_met = activity >= goals[traits.goal, 0] and strength >= goals[traits.goal, 1]
            present[week] += 1
            sums[Count.MME, week] += to_fixed(dose * covered)
            sums[Count.ON_OPIOIDS, week] += to_fixed(1.0 if dose > 0.0 else 0.0)
            sums[Count.DOSE_50_PLUS, week] += to_fixed(1.0 if dose >= 50.0 else 0.0)
            sums[Count.DOSE_90_PLUS, week] += to_fixed(1.0 if dose >= 90.0 else 0.0)
            sums[Count.LONG_TERM_THERAPY, week] += to_fixed(1.0 if weeks_on >= care.LONG_TERM_WEEKS else 0.0)
            sums[Count.NEW_PERSISTENT_USE, week] += to_fixed(1.0 if persistent else 0.0)
            sums[Count.PAIN, week] += to_fixed(pain)
            sums[Count.ACTIVITY, week] += to_fixed(activity)
            sums[Count.STRENGTH, week] += to_fixed(strength)
            sums[Count.FUNCTION, week] += to_fixed(dynamics.function_score(activity, strength, pain, p))
            sums[Count.GOAL_REACHED, week] += to_fixed(1.0 if goal_met else 0.0)
            sums[Count.SEDATION, week] += to_fixed(drowsy)
            sums[Count.CONSTIPATION, week] += to_fixed(constipation)
            sums[Count.SIDE_EFFECTS, week] += to_fixed(1.0 - (1.0 - drowsy) * (1.0 - constipation))
            sums[Count.OVERDOSE_HAZARD, week] += to_fixed(dynamics.overdose_hazard(dose, t <= taper_risk_until, p))
            sums[Count.SESSIONS, week] += to_fixed(sessions)
            sums[Count.INJECTIONS, week] += to_fixed(injections)
            sums[Count.VISITS, week] += to_fixed(1.0 if visit else 0.0)
            sums[Count.COST, week] += to_fixed(cost)
            if record.shape[0] > 0:
                record[week, Recorded.PAIN] = pain
                record[week, Recorded.ACTIVITY] = activity
                record[week, Recorded.STRENGTH] = strength
                record[week, Recorded.FUNCTION] = dynamics.function_score(activity, strength, pain, p)
                record[week, Recorded.DOSE] = dose
                record[week, Recorded.MME] = dose * covered
                record[week, Recorded.SESSIONS] = sessions
                record[week, Recorded.TAPERED] = 1.0 if t <= taper_risk_until else 0.0

        # one week on
        target = dynamics.activity_target(pain, traits.distress, traits.comorbidity, sedation, lift, p)
        strength_step = dynamics.strength_change(strength, activity, p) + dynamics.training_gain(strength, training, traits.age, p)
        activity = clip(activity + dynamics.activity_change(activity, target, p), 0.0, 1.0) if t + 1 >= people.rest_weeks else 0.0
        sensitization = clip(
            sensitization + dynamics.sensitization_change(sensitization, pain, traits.distress, traits.poor_sleep, easing, p), 0.0, 1.0
        )
        strength = clip(strength + strength_step, 0.0, 1.0)
        withdrawal += dynamics.withdrawal_change(withdrawal, p)
        withdrawal += dynamics.withdrawal_onset(dose_last_week, max(dose, fell_to), tolerance, plan.taper_support, p)
        tolerance = clip(tolerance + dynamics.tolerance_change(tolerance, dose * covered, p), 0.0, 1.0)
        if dose > 0.0:
            weeks_on += covered


@compiled_loop
def simulate_block(
    seed: int,
    first: int,
    count: int,
    weeks: int,
    follow_up: int,
    condition: Condition,
    people: Mix,
    goals: np.ndarray,
    p: Parameters,
    rows: np.ndarray,
    orders: np.ndarray,
    plan: Plan,
    earlier_orders: np.ndarray,
    earlier_plan: Plan,
    sums: np.ndarray,
    present: np.ndarray,
) -> None:
    """Add patients first ... first + count - 1 to the sums; those who arrived before week 0 get the earlier plan.

    follow_up is the open cohort's follow-up in weeks, or -1 for a closed cohort whose patients all arrive in week 0.
    """
    state = np.zeros((rows.shape[0], 9))
    no_record = np.zeros((0, RECORDED))
    for patient in range(first, first + count):
        arrival = arrival_week(seed, patient, weeks, follow_up)
        last_week = weeks if follow_up < 0 else min(follow_up - 1, weeks - arrival)
        if arrival < 0:
            follow_patient(
                seed,
                patient,
                arrival,
                last_week,
                weeks,
                condition,
                people,
                goals,
                p,
                rows,
                earlier_orders,
                earlier_plan,
                sums,
                present,
                state,
                no_record,
            )
        else:
            follow_patient(
                seed,
                patient,
                arrival,
                last_week,
                weeks,
                condition,
                people,
                goals,
                p,
                rows,
                orders,
                plan,
                sums,
                present,
                state,
                no_record,
            )


@compiled_loop
def follow_block(
    seed: int,
    first: int,
    weeks: int,
    condition: Condition,
    people: Mix,
    goals: np.ndarray,
    p: Parameters,
    rows: np.ndarray,
    orders: np.ndarray,
    plan: Plan,
    records: np.ndarray,
) -> None:
    """Follow a closed cohort's patients first ... first + len(records) - 1 one by one.

    records, shape (patients, weeks + 1, len(Recorded)), receives each patient's own weeks.
    """
    state = np.zeros((rows.shape[0], 9))
    sums = np.zeros((COUNTED, weeks + 1), dtype=np.int64)
    present = np.zeros(weeks + 1, dtype=np.int64)
    for i in range(records.shape[0]):
        follow_patient(
            seed,
            first + i,
            0,
            weeks,
            weeks,
            condition,
            people,
            goals,
            p,
            rows,
            orders,
            plan,
            sums,
            present,
            state,
            records[i],
        )
