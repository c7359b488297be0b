/* One week of a block, as painlab.engine.week has it. */

LOOP void hurt(float week, Shared *restrict s, const Parameters *restrict p) {
    float step = p->noise_size * sqrtf(1.0f - p->noise_persistence * p->noise_persistence), fades = waned(p->flare_half_life);
    if (week > 0.0f) EACH {
        s->noise[i] = p->noise_persistence * s->noise[i] + step * standard_normal(s->u[0][i]);
        float flare = s->flare[i] - fades * s->flare[i];
        s->flare[i] = flare + (s->u[1][i] < s->flare_chance[i] ? p->flare_size * 2.0f * s->u[2][i] : 0.0f);
    }
    EACH s->signal[i] = s->floor[i] + (s->signal_start[i] - s->floor[i]) * exp_(-week / s->course_weeks[i]) + s->flare[i];
}

LOOP void rest(Own *restrict a, float (*restrict counted)[ROW]) {
    EACH {
        counted[SESSIONS][i] = counted[INJECTIONS][i] = counted[COST][i] = 0.0f;
        a->training[i] = a->lift[i] = a->easing[i] = 0.0f;
        a->source_kept[i] = a->felt_kept[i] = 1.0f;
    }
}

LOOP void relieve(const Given *restrict g, const float *restrict row, const Condition *restrict c, Own *restrict a) {
    float targeted = row[TARGET_MECHANICAL] * c->mechanical + row[TARGET_INFLAMMATORY] * c->inflammatory
                     + row[TARGET_NEUROPATHIC] * c->neuropathic + row[TARGET_MUSCULAR] * c->muscular;
    float plateau = row[PLATEAU], source = row[SOURCE_RELIEF], relief = row[RELIEF], contextual = row[CONTEXTUAL];
    float lift = row[ACTIVITY_LIFT], easing = row[EASING];
    EACH {
        float effect = g->effect[i], works = g->responds[i] * effect, kept = effect / (1.0f - plateau * (1.0f - effect));
        a->source_kept[i] *= 1.0f - least(MOST_RELIEF, g->responds[i] * kept * g->potency[i] * source * targeted);
        a->felt_kept[i] *= 1.0f - least(MOST_RELIEF, works * relief + effect * contextual);
        a->lift[i] += works * lift;
        a->easing[i] += works * easing;
    }
}

LOOP void feel(const Shared *restrict s, Own *restrict a, const Parameters *restrict p) {
    EACH {
        float tolerance = a->d.tolerance[i];
        float unmodulated = s->signal[i] * a->source_kept[i] + p->weakness_pain * (1.0f - a->strength[i])
                            + p->sensitization_pain * a->sensitization[i];
        float left = 1.0f - opioid_relief(a->d.taken[i], tolerance, s->opioid_response[i], p);
        float level = unmodulated * left * a->felt_kept[i] + p->hyperalgesia_pain * tolerance + a->d.withdrawal[i];
        a->d.pain[i] = held(level + s->noise[i] * least(1.0f, level / 5.0f), 0.0f, 10.0f);
    }
}

LOOP void visit(float week, const Shared *restrict s, Own *restrict a, const Plan *restrict plan, const Parameters *restrict p) {
    float kept = p->visit_kept + plan->coordination * (1.0f - p->visit_kept) * p->visit_coordination;
    int first = week == 0.0f;
    EACH {
        float next = a->next_visit[i];
        int planned = (week >= next) | first;
        int seen = first | (planned & (s->u[4][i] < kept));
        seen |= s->u[5][i] < shifted(p->unscheduled_visit, p->unscheduled_visit_pain * (a->d.pain[i] - 5.0f));
        float interval = floorf(plan->reassessment_weeks * (1.0f + p->visit_spread * (2.0f * s->u[3][i] - 1.0f)) + 0.5f);
        a->next_visit[i] = next + ((seen | planned) ? week + most_of(1.0f, interval) - next : 0.0f); /* a sum: gcc would store under a mask */
        a->d.seen[i] = seen ? 1.0f : 0.0f;
    }
}

LOOP int coming(float week, const Given *restrict g, const float *restrict order, const Own *restrict a) {
    float span = order[WEEKS] + most_of(0.0f, order[COURSES] - 1.0f) * order[INTERVAL], threshold = order[PAIN_THRESHOLD];
    int count = 0;
    EACH count += ((g->began[i] < 0.0f) & (week >= g->due[i]) & (a->d.pain[i] >= threshold))
                  | ((g->began[i] >= 0.0f) & (week - g->began[i] < span));
    return count;
}

LOOP void treat(float week, const float *restrict u, Given *restrict g, const float *restrict row, const float *restrict order, const Shared *restrict s,
                 Own *restrict a, float (*restrict counted)[ROW], const Plan *restrict plan, const Parameters *restrict p) {
    Parameters all = *p;
    p = &all;
    float real = 1.0f - order[SHAM], sessions = order[SESSIONS_A_WEEK], interval = order[INTERVAL], courses = order[COURSES];
    float threshold = order[PAIN_THRESHOLD], weeks = order[WEEKS], a_course = 1.0f / interval;
    int repeated = courses > 1.0f, injection = row[COUNTS_INJECTION] == 1.0f;
    float counts_session = sessions * row[COUNTS_SESSION], counts_injection = sessions * row[COUNTS_INJECTION], costs = sessions * row[TREATMENT_COST];
    float missing = 1.0f - row[BUILD], built = 1.0f - (missing > 0.0f ? power(missing, sessions) : 0.0f), wanes = waned(row[HALF_LIFE]);
    float durable = row[DURABLE], trains = sessions * row[STRENGTH_GAIN], learns = least(1.0f, row[HOME_HABIT] * sessions);
    float forgets = waned(p->home_half_life), dropout = row[DROPOUT], attendance = row[ATTENDANCE];
    EACH {
        float pain = a->d.pain[i], adherence = s->adherence[i], due = g->due[i], began = g->began[i], left = g->left[i];
        began = BOTH(began < 0.0f, BOTH(week >= due, pain >= threshold)) ? week : began;
        float course = repeated ? floorf((week - began + 0.5f) * a_course) : 0.0f, within = week - began - course * interval;
        int runs = (began >= 0.0f) & (course < courses) & (within < weeks) & (left != course);
        float ready = p->attendance_adherence * (adherence - 0.5f) + p->attendance_coordination * plan->coordination;
        float shift = ready - p->attendance_pain * (pain - 5.0f);
        float leaving = shifted(dropout, -shift), attending = leaving + (1.0f - leaving) * shifted(attendance, shift);
        int leaves = runs & (u[i] < leaving), attends = runs & (u[i] >= leaving) & (u[i] < attending);
        float attended = attends ? 1.0f : 0.0f, potency = g->potency[i], effect = g->effect[i], best = g->best[i], habit = g->habit[i];
        g->began[i] = began;
        g->left[i] = leaves ? course : left;
        counted[SESSIONS][i] += attended * counts_session;
        counted[INJECTIONS][i] += attended * counts_injection;
        counted[COST][i] += attended * costs;
        float met = a->d.found[i] > 0.0f ? 1.0f : p->missed_driver_effect;
        g->potency[i] = (attends & injection) ? met : potency;
        a->training[i] += real * (attended * trains + habit * p->home_training);
        effect += attended * (1.0f - effect) * built
                  - (1.0f - attended) * most_of(0.0f, effect - durable * best) * wanes * (1.0f - p->home_keeps * habit);
        g->effect[i] = effect;
        g->best[i] = most_of(best, effect);
        g->habit[i] = habit + real * (learns * attended * most_of(0.0f, adherence - habit) - (1.0f - attended) * habit * forgets);
    }
}

LOOP void wane(Given *restrict g, const float *restrict row, const float *restrict order, Own *restrict a, const Parameters *restrict p) {
    float real = 1.0f - order[SHAM], wanes = waned(row[HALF_LIFE]), forgets = waned(p->home_half_life), durable = row[DURABLE];
    EACH {
        float effect = g->effect[i], habit = g->habit[i];
        a->training[i] += real * habit * p->home_training;
        g->effect[i] = effect - most_of(0.0f, effect - durable * g->best[i]) * wanes * (1.0f - p->home_keeps * habit);
        g->habit[i] = habit - real * habit * forgets;
    }
}

LOOP void note(const Shared *restrict s, const Own *restrict a, float (*restrict counted)[ROW], const Parameters *restrict p) {
    float weight = 1.0f / (p->function_activity + p->function_strength + p->function_pain);
    EACH {
        float pain = a->d.pain[i], activity = a->activity[i], strength = a->strength[i];
        float function = p->function_activity * activity + p->function_strength * strength + p->function_pain * (1.0f - pain / 10.0f);
        counted[NEW_PERSISTENT_USE][i] = a->d.persistent[i];
        counted[PAIN][i] = pain;
        counted[ACTIVITY][i] = activity;
        counted[STRENGTH][i] = strength;
        counted[FUNCTION][i] = function * weight;
        counted[GOAL_REACHED][i] = BOTH(activity >= s->goal_activity[i], strength >= s->goal_strength[i]) ? 1.0f : 0.0f;
        counted[COST][i] += a->d.seen[i] * p->cost_visit + 7.0f * a->d.taken[i] * p->cost_mme;
    }
}

static const int NOTED_IN_ALL[] = {NEW_PERSISTENT_USE, PAIN, ACTIVITY, STRENGTH, FUNCTION, GOAL_REACHED, SESSIONS, INJECTIONS, COST};
static const int NOTED_AT_DESK[] = {MME, ON_OPIOIDS, DOSE_50_PLUS, DOSE_90_PLUS, LONG_TERM_THERAPY, SEDATION, CONSTIPATION, SIDE_EFFECTS,
                                    OVERDOSE_HAZARD, VISITS};

LOOP void add(int rows, const int *restrict outcomes, float (*restrict from)[ROW], int count, const float *restrict most,
              const float *restrict scales, int64_t *restrict sums, int stride) {
    for (int row = 0; row < rows; row++) {
        int k = outcomes[row];
        float high = most[k], scale = scales[k];
        int32_t total = 0;
        if (count == LANES) EACH total += (int32_t)(least(from[k][i], high) * scale + 0.5f);
        else
            for (int i = 0; i < count; i++) total += (int32_t)(least(from[k][i], high) * scale + 0.5f);
        sums[(int64_t)k * stride] += total;
    }
}

LOOP void move_on(float week, const Shared *restrict s, Own *restrict a, const Mix *restrict who,
                    const Parameters *restrict p) {
    int resting = week + 1.0f < who->rest_weeks;
    float gains = 1.0f / p->strength_gain_time, loses = 1.0f / p->strength_loss_time, follows = 1.0f / p->activity_time;
    float withdraws = waned(p->withdrawal_half_life), adapts = 1.0f / p->tolerance_time, settles = 1.0f / p->sensitization_time;
    EACH {
        float activity = a->activity[i], strength = a->strength[i], pain = a->d.pain[i];
        float target = activity_target(pain, s->distress[i], s->comorbidity[i], a->sedation[i], a->lift[i], p);
        float moved = held(activity + (target - activity) * follows, 0.0f, 1.0f);
        float decades = most_of(0.0f, (s->age[i] - 50.0f) / 10.0f);
        float trained = (1.0f - strength) * least(1.0f, a->training[i] * most_of(0.0f, 1.0f - p->training_age_loss * decades));
        float gap = 1.0f - p->strength_activity_slope * (1.0f - activity) - strength;
        a->activity[i] = resting ? 0.0f : moved;
        a->strength[i] = held(strength + gap * (gap > 0.0f ? gains : loses) + trained, 0.0f, 1.0f);
    }
    EACH {
        float z = a->sensitization[i], tolerance = a->d.tolerance[i], withdrawal = a->d.withdrawal[i];
        float goes_to = sensitized(a->d.pain[i], s->distress[i], s->poor_sleep[i], p);
        a->sensitization[i] = held(z + (goes_to - z) * settles - least(1.0f, a->easing[i]) * z, 0.0f, 1.0f);
        a->d.withdrawal[i] = withdrawal - withdraws * withdrawal + a->d.withdrawn[i];
        a->d.tolerance[i] = held(tolerance + (saturating(a->d.taken[i], p->tolerance_half_dose) - tolerance) * adapts, 0.0f, 1.0f);
        a->d.weeks_on[i] += a->d.covered[i];
        a->sedation[i] = a->d.drowsy[i];
    }
}
