"""One week of a block of patients, in the order in which it happens; each step is a loop over the block's lanes.

The equations are those of `dynamics` and `care`, compiled into the loops. Conditions choose between values instead of branching, so that
the compiler can take many patients at once; `&` and `|` stand for "and" and "or" for the same reason. A name that ends with an underscore
is a record as an array (`layout.packed`), unpacked before the loop.
"""

import numpy as np

from painlab import care, dynamics
from painlab.care import OrderField, TreatmentField
from painlab.engine.layout import LANES, ROW, Given, Own, Shared, at, condition_of, order_of, parameters_of, people_of, plan_of, row_of
from painlab.numerics import clip, compiled_loop, standard_normal
from painlab.outcomes import Count
from painlab.randomness import DRAWS, Block, uniforms


@compiled_loop
def draw_week(seed: int, first: int, t: int, shared: np.ndarray) -> None:
    """Draw the week's chances of patients first ... first + LANES - 1 that all of them meet, the same for all arms."""
    for i in range(LANES):
        noise, flare, size, appointment, kept, sought = uniforms(seed, first + i, t, Block.BODY, 0)
        shared[at(Shared.U_NOISE, i)] = noise
        shared[at(Shared.U_FLARE, i)] = flare
        shared[at(Shared.U_FLARE_SIZE, i)] = size
        shared[at(Shared.U_APPOINTMENT, i)] = appointment
        shared[at(Shared.U_KEPT, i)] = kept
        shared[at(Shared.U_SOUGHT, i)] = sought


@compiled_loop
def draw_sessions(seed: int, first: int, t: int, six: int, sessions: np.ndarray) -> None:
    """Draw the week's chances of six treatments, numbers 6 six + 1 ... 6 six + 6; sessions has a row of LANES for each treatment."""
    rows = sessions[DRAWS * ROW * six : DRAWS * ROW * (six + 1)]
    for i in range(LANES):
        draws = uniforms(seed, first + i, t, Block.SESSION, six)
        rows[at(0, i)], rows[at(1, i)], rows[at(2, i)] = draws[0], draws[1], draws[2]
        rows[at(3, i)], rows[at(4, i)], rows[at(5, i)] = draws[3], draws[4], draws[5]


@compiled_loop
def hurt(week: float, shared: np.ndarray, p_: np.ndarray) -> None:
    """The signal from the tissue, its flares and noise: what no care changes."""
    p = parameters_of(p_)
    step = p.noise_size * np.sqrt(1.0 - p.noise_persistence * p.noise_persistence)
    later = week > 0.0
    for i in range(LANES):
        noise = p.noise_persistence * shared[at(Shared.NOISE, i)] + step * standard_normal(shared[at(Shared.U_NOISE, i)])
        flare = shared[at(Shared.FLARE, i)]
        flare += dynamics.flare_change(flare, p)
        begins = shared[at(Shared.U_FLARE, i)] < shared[at(Shared.FLARE_CHANCE, i)]
        flare += p.flare_size * 2.0 * shared[at(Shared.U_FLARE_SIZE, i)] if begins else 0.0
        shared[at(Shared.NOISE, i)] = noise if later else 0.0
        shared[at(Shared.FLARE, i)] = flare if later else 0.0
        start, floor, course = shared[at(Shared.SIGNAL_START, i)], shared[at(Shared.FLOOR, i)], shared[at(Shared.COURSE_WEEKS, i)]
        shared[at(Shared.SIGNAL, i)] = dynamics.nociception(week, start, floor, course) + (flare if later else 0.0)


@compiled_loop
def rest(mine: np.ndarray, counted: np.ndarray) -> None:
    """What treatments add up to this week, before any."""
    for i in range(LANES):
        counted[at(Count.SESSIONS, i)] = 0.0
        counted[at(Count.INJECTIONS, i)] = 0.0
        counted[at(Count.COST, i)] = 0.0
        mine[at(Own.TRAINING, i)] = 0.0
        mine[at(Own.SOURCE_KEPT, i)] = 1.0
        mine[at(Own.FELT_KEPT, i)] = 1.0
        mine[at(Own.LIFT, i)] = 0.0
        mine[at(Own.EASING, i)] = 0.0


@compiled_loop
def relieve(given: np.ndarray, row_: np.ndarray, condition_: np.ndarray, mine: np.ndarray) -> None:
    """What one treatment's present effect does: relief at the source and of felt pain, activity, sensitization."""
    condition = condition_of(condition_)
    row = row_of(row_)
    targeted = care.targeted_share(row, condition.mechanical, condition.inflammatory, condition.neuropathic, condition.muscular)
    for i in range(LANES):
        effect, responds = given[at(Given.EFFECT, i)], given[at(Given.RESPONDS, i)]
        mine[at(Own.SOURCE_KEPT, i)] *= 1.0 - care.source_relief(effect, responds, given[at(Given.POTENCY, i)], targeted, row)
        mine[at(Own.FELT_KEPT, i)] *= 1.0 - care.felt_relief(effect, responds, row)
        mine[at(Own.LIFT, i)] += care.activity_lift(effect, responds, row)
        mine[at(Own.EASING, i)] += care.sensitization_easing(effect, responds, row)


@compiled_loop
def feel(shared: np.ndarray, mine: np.ndarray, p_: np.ndarray) -> None:
    """What is felt this week, with the opioids of the week before."""
    p = parameters_of(p_)
    for i in range(LANES):
        tolerance, noise = mine[at(Own.TOLERANCE, i)], shared[at(Shared.NOISE, i)]
        unmodulated = dynamics.unmodulated_pain(
            shared[at(Shared.SIGNAL, i)], 1.0 - mine[at(Own.SOURCE_KEPT, i)], mine[at(Own.STRENGTH, i)], mine[at(Own.SENSITIZATION, i)], p
        )
        relief = dynamics.opioid_relief(mine[at(Own.TAKEN, i)], tolerance, shared[at(Shared.OPIOID_RESPONSE, i)], p)
        other = 1.0 - mine[at(Own.FELT_KEPT, i)]
        mine[at(Own.PAIN, i)] = dynamics.felt_pain(unmodulated, relief, other, tolerance, mine[at(Own.WITHDRAWAL, i)], noise, p)


@compiled_loop
def visit(week: float, shared: np.ndarray, mine: np.ndarray, plan_: np.ndarray, p_: np.ndarray) -> None:
    """The visit: the first, a planned one, or one that is sought because it hurts."""
    plan = plan_of(plan_)
    p = parameters_of(p_)
    first = week == 0.0
    kept = care.scheduled_visit_chance(plan.coordination, p)
    for i in range(LANES):
        planned = (week >= mine[at(Own.NEXT_VISIT, i)]) | first
        seen = first | (planned & (shared[at(Shared.U_KEPT, i)] < kept))
        seen = seen | (shared[at(Shared.U_SOUGHT, i)] < care.unscheduled_visit_chance(mine[at(Own.PAIN, i)], p))
        interval = care.weeks_to_next_visit(plan.reassessment_weeks, shared[at(Shared.U_APPOINTMENT, i)], p)
        mine[at(Own.NEXT_VISIT, i)] = week + interval if seen | planned else mine[at(Own.NEXT_VISIT, i)]
        mine[at(Own.SEEN, i)] = 1.0 if seen else 0.0


@compiled_loop
def coming(week: float, given: np.ndarray, order_: np.ndarray, mine: np.ndarray) -> int:
    """Number of patients whose course of a treatment begins or goes on this week; without any there is nothing to draw."""
    order = order_of(order_)
    span = order[OrderField.WEEKS] + max(0.0, order[OrderField.COURSES] - 1.0) * order[OrderField.INTERVAL]
    count = np.int32(0)
    for i in range(LANES):
        began = given[at(Given.BEGAN, i)]
        begins = (began < 0.0) & (week >= given[at(Given.DUE, i)]) & (mine[at(Own.PAIN, i)] >= order[OrderField.PAIN_THRESHOLD])
        runs = (began >= 0.0) & (week - began < span)
        count = np.int32(count + (np.int32(1) if begins | runs else np.int32(0)))
    return int(count)


@compiled_loop
def treat(
    week: float, drawn: np.ndarray, given: np.ndarray, row_: np.ndarray, order_: np.ndarray, shared: np.ndarray, mine: np.ndarray,
    counted: np.ndarray, plan_: np.ndarray, p_: np.ndarray,
) -> None:  # fmt: skip
    """A week of one treatment's courses: they begin, are attended, missed or left; its effect and the habit of exercise build and wane.

    drawn holds one uniform number a patient: below the chance of leaving the course is left, in the next part it is attended."""
    plan = plan_of(plan_)
    p = parameters_of(p_)
    row = row_of(row_)
    order = order_of(order_)
    real = 1.0 - order[OrderField.SHAM]
    repeated = order[OrderField.COURSES] > 1.0
    injection = row[TreatmentField.COUNTS_INJECTION] == 1.0
    sessions = order[OrderField.SESSIONS]
    a_course = 1.0 / order[OrderField.INTERVAL]
    for i in range(LANES):
        pain, adherence = mine[at(Own.PAIN, i)], shared[at(Shared.ADHERENCE, i)]
        due, began, left = given[at(Given.DUE, i)], given[at(Given.BEGAN, i)], given[at(Given.LEFT, i)]
        begins = (began < 0.0) & (week >= due) & (pain >= order[OrderField.PAIN_THRESHOLD])
        began = week if begins else began
        course = np.floor((week - began + 0.5) * a_course) if repeated else 0.0
        within = week - began - course * order[OrderField.INTERVAL]
        runs = (began >= 0.0) & (course < order[OrderField.COURSES]) & (within < order[OrderField.WEEKS]) & (left != course)
        leaving = care.dropout_chance(pain, adherence, plan.coordination, row, p)
        attending = leaving + (1.0 - leaving) * care.attendance_chance(pain, adherence, plan.coordination, row, p)
        leaves = runs & (drawn[i] < leaving)
        attends = runs & (drawn[i] >= leaving) & (drawn[i] < attending)
        attended, offered = 1.0 if attends else 0.0, sessions if runs else 0.0
        given[at(Given.BEGAN, i)] = began
        given[at(Given.LEFT, i)] = course if leaves else left
        counted[at(Count.SESSIONS, i)] += attended * sessions * row[TreatmentField.COUNTS_SESSION]
        counted[at(Count.INJECTIONS, i)] += attended * sessions * row[TreatmentField.COUNTS_INJECTION]
        counted[at(Count.COST, i)] += attended * sessions * row[TreatmentField.COST]
        met = 1.0 if mine[at(Own.FOUND, i)] > 0.0 else p.missed_driver_effect
        given[at(Given.POTENCY, i)] = met if attends & injection else given[at(Given.POTENCY, i)]
        effect, best, habit = given[at(Given.EFFECT, i)], given[at(Given.BEST, i)], given[at(Given.HABIT, i)]
        mine[at(Own.TRAINING, i)] += real * care.training_share(attended, offered, habit, row, p)
        effect += care.treatment_effect_change(effect, best, attended, sessions, habit, row, p)
        given[at(Given.EFFECT, i)] = effect
        given[at(Given.BEST, i)] = max(best, effect)
        given[at(Given.HABIT, i)] = habit + real * care.home_habit_change(habit, attended, sessions, adherence, row, p)


@compiled_loop
def wane(given: np.ndarray, row_: np.ndarray, order_: np.ndarray, shared: np.ndarray, mine: np.ndarray, p_: np.ndarray) -> None:
    """A week of one treatment in which nobody has a course: as `treat`, without what nobody meets."""
    p = parameters_of(p_)
    row = row_of(row_)
    order = order_of(order_)
    real = 1.0 - order[OrderField.SHAM]
    for i in range(LANES):
        effect, habit = given[at(Given.EFFECT, i)], given[at(Given.HABIT, i)]
        mine[at(Own.TRAINING, i)] += real * care.training_share(0.0, 0.0, habit, row, p)
        given[at(Given.EFFECT, i)] = effect + care.treatment_effect_change(effect, given[at(Given.BEST, i)], 0.0, 0.0, habit, row, p)
        given[at(Given.HABIT, i)] = habit + real * care.home_habit_change(habit, 0.0, 0.0, shared[at(Shared.ADHERENCE, i)], row, p)


@compiled_loop
def note(shared: np.ndarray, mine: np.ndarray, counted: np.ndarray, p_: np.ndarray) -> None:
    """The outcomes `NOTED_IN_ALL`, before the body changes."""
    p = parameters_of(p_)
    for i in range(LANES):
        pain, activity, strength = mine[at(Own.PAIN, i)], mine[at(Own.ACTIVITY, i)], mine[at(Own.STRENGTH, i)]
        met = (activity >= shared[at(Shared.GOAL_ACTIVITY, i)]) & (strength >= shared[at(Shared.GOAL_STRENGTH, i)])
        counted[at(Count.PAIN, i)] = pain
        counted[at(Count.ACTIVITY, i)] = activity
        counted[at(Count.STRENGTH, i)] = strength
        counted[at(Count.FUNCTION, i)] = dynamics.function_score(activity, strength, pain, p)
        counted[at(Count.GOAL_REACHED, i)] = 1.0 if met else 0.0
        counted[at(Count.NEW_PERSISTENT_USE, i)] = mine[at(Own.PERSISTENT, i)]
        counted[at(Count.COST, i)] += mine[at(Own.SEEN, i)] * p.cost_visit + 7.0 * mine[at(Own.TAKEN, i)] * p.cost_mme


@compiled_loop
def move(week: float, shared: np.ndarray, mine: np.ndarray, people_: np.ndarray, p_: np.ndarray) -> None:
    """One week on: activity follows pain, strength follows activity."""
    p, people = parameters_of(p_), people_of(people_)
    resting = week + 1.0 < people.rest_weeks
    for i in range(LANES):
        activity, strength = mine[at(Own.ACTIVITY, i)], mine[at(Own.STRENGTH, i)]
        distress, comorbidity, sedation = shared[at(Shared.DISTRESS, i)], shared[at(Shared.COMORBIDITY, i)], mine[at(Own.SEDATION, i)]
        target = dynamics.activity_target(mine[at(Own.PAIN, i)], distress, comorbidity, sedation, mine[at(Own.LIFT, i)], p)
        moved = clip(activity + dynamics.activity_change(activity, target, p), 0.0, 1.0)
        trained = dynamics.training_gain(strength, mine[at(Own.TRAINING, i)], shared[at(Shared.AGE, i)], p)
        mine[at(Own.ACTIVITY, i)] = 0.0 if resting else moved
        mine[at(Own.STRENGTH, i)] = clip(strength + dynamics.strength_change(strength, activity, p) + trained, 0.0, 1.0)


@compiled_loop
def adapt(shared: np.ndarray, mine: np.ndarray, p_: np.ndarray) -> None:
    """One week on: the nervous system follows pain and opioids."""
    p = parameters_of(p_)
    for i in range(LANES):
        sensitization, tolerance, withdrawal = mine[at(Own.SENSITIZATION, i)], mine[at(Own.TOLERANCE, i)], mine[at(Own.WITHDRAWAL, i)]
        distress, sleep, pain = shared[at(Shared.DISTRESS, i)], shared[at(Shared.POOR_SLEEP, i)], mine[at(Own.PAIN, i)]
        sensitized = dynamics.sensitization_change(sensitization, pain, distress, sleep, mine[at(Own.EASING, i)], p)
        tolerated = dynamics.tolerance_change(tolerance, mine[at(Own.TAKEN, i)], p)
        mine[at(Own.SENSITIZATION, i)] = clip(sensitization + sensitized, 0.0, 1.0)
        mine[at(Own.WITHDRAWAL, i)] = withdrawal + dynamics.withdrawal_change(withdrawal, p) + mine[at(Own.WITHDRAWN, i)]
        mine[at(Own.TOLERANCE, i)] = clip(tolerance + tolerated, 0.0, 1.0)
        mine[at(Own.WEEKS_ON, i)] += mine[at(Own.COVERED, i)]
        mine[at(Own.SEDATION, i)] = mine[at(Own.DROWSY, i)]
