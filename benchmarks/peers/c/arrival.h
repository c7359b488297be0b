/* Equations that arrival shares with the week, and arrivals, as painlab.engine.arrival has them. */

static inline float opioid_relief(float dose, float tolerance, float response, const Parameters *restrict p) {
    return least(1.0f, response * p->opioid_relief_max * dose / (dose + p->opioid_half_dose * (1.0f + p->tolerance_shift * tolerance)));
}

static inline float activity_target(float pain, float distress, float comorbidity, float sedation, float lift, const Parameters *restrict p) {
    float target = logistic(p->activity_log_odds - p->activity_pain_slope * pain - p->activity_distress * distress
                            - p->activity_comorbidity * comorbidity);
    target *= 1.0f - p->activity_sedation * sedation;
    return target + (1.0f - target) * least(1.0f, lift);
}

static inline float sensitized(float pain, float distress, float sleep, const Parameters *restrict p) {
    float above = most_of(0.0f, pain - p->sensitization_threshold) / (10.0f - p->sensitization_threshold);
    return least(1.0f, above * (1.0f + p->sensitization_distress * distress + p->sensitization_sleep * sleep));
}

static inline float around(float level, float u, const Parameters *restrict p) {
    return held(level + p->trait_spread * standard_normal(u), 0.0f, 1.0f);
}

static inline float multiplier(float u, const Parameters *restrict p) {
    return exp_(p->response_spread * standard_normal(u) - 0.5f * p->response_spread * p->response_spread);
}

LOOP void meet_patients(float (*restrict body)[ROW], float (*restrict mind)[ROW], float (*restrict opioid)[ROW], const Parameters *restrict p, const Condition *restrict c, const Mix *restrict who, const float *goals,
                          int goal_count, Shared *restrict s) {
    Parameters all = *p;
    Mix everyone = *who;
    p = &all, who = &everyone;
    float low = normal_share((who->minimum_pain - c->pain) / c->pain_sd), high = normal_share((who->maximum_pain - c->pain) / c->pain_sd);
    float fading = exp_(-c->weeks_before / p->activity_time), weakening = exp_(-c->weeks_before / p->strength_loss_time);
    float settling = 1.0f - exp_(-c->weeks_before / p->sensitization_time), used = 1.0f - exp_(-who->opioid_weeks / p->tolerance_time);
    EACH {
        float pain = held(c->pain + c->pain_sd * standard_normal(held(low + body[0][i] * (high - low), 2e-7f, 1.0f - 2e-7f)),
                          who->minimum_pain, who->maximum_pain);
        float lasting = shifted(c->lasting_share, p->course_spread * standard_normal(body[1][i]));
        float distress = around(who->distress, mind[0][i], p), sleep = around(who->poor_sleep, mind[1][i], p);
        float work = around(who->work_demand, mind[3][i], p), comorbidity = around(who->comorbidity, mind[4][i], p);
        float prior = mind[5][i] < who->prior_treatment ? 1.0f : 0.0f;
        float dose_factor = exp_(p->dose_spread * standard_normal(opioid[1][i]));
        float dose = opioid[0][i] < who->on_opioids ? least(who->opioid_dose * dose_factor, 400.0f) : 0.0f;
        int goal = (int)least(goal_count - 1.0f, opioid[4][i] * goal_count);
        float target = activity_target(pain, distress, comorbidity, 0.0f, 0.0f, p);
        float usual = activity_target(0.0f, distress, comorbidity, 0.0f, 0.0f, p);
        float sustained = 1.0f - p->strength_activity_slope * (1.0f - target), healthy = 1.0f - p->strength_activity_slope * (1.0f - usual);
        float strength = sustained + (healthy - sustained) * weakening, sensitization = sensitized(pain, distress, sleep, p) * settling;
        float tolerance = saturating(dose, p->tolerance_half_dose) * used;
        float opioid_response = c->opioid_response * multiplier(body[4][i], p);
        float undamped = most_of(0.0f, pain - p->hyperalgesia_pain * tolerance)
                         / (1.0f - least(opioid_relief(dose, tolerance, opioid_response, p), MOST_RELIEF));
        float signal = most_of(0.0f, undamped - p->weakness_pain * (1.0f - strength) - p->sensitization_pain * sensitization);
        s->distress[i] = distress;
        s->poor_sleep[i] = sleep;
        s->comorbidity[i] = comorbidity;
        s->prior[i] = prior;
        s->adherence[i] = around(who->adherence, mind[2][i], p);
        s->age[i] = held(who->age + c->age_sd * standard_normal(body[2][i]), 18.0f, 95.0f);
        s->response[i] = multiplier(body[3][i], p) * (1.0f - p->prior_response_loss * prior);
        s->opioid_response[i] = opioid_response;
        s->stop_ease[i] = c->opioid_stop * exp_(p->stop_spread * standard_normal(opioid[3][i]));
        s->goal_activity[i] = goals[2 * goal];
        s->goal_strength[i] = goals[2 * goal + 1];
        s->course_weeks[i] = c->course_weeks * exp_(p->course_time_spread * standard_normal(body[5][i]));
        s->signal_start[i] = signal;
        s->floor[i] = lasting * signal;
        s->flare_chance[i] = 1.0f - exp_(-c->flares_per_year / 52.0f * (1.0f + p->flare_work_demand * work));
        s->dose_factor[i] = dose_factor;
        s->supply_factor[i] = exp_(p->first_supply_spread * standard_normal(opioid[2][i]));
        s->came_without[i] = dose == 0.0f ? 1.0f : 0.0f;
        s->pain[i] = pain;
        s->dose[i] = dose;
        s->weeks_on[i] = dose > 0.0f ? who->opioid_weeks : 0.0f;
        s->activity[i] = who->rest_weeks > 0.0f ? 0.0f : target + (usual - target) * fading;
        s->strength[i] = strength;
        s->sensitization[i] = sensitization;
        s->tolerance[i] = tolerance;
        s->noise[i] = s->flare[i] = 0.0f;
    }
}

LOOP void begin_arm(const Shared *restrict s, Own *restrict a, const Parameters *restrict p) {
    memset(a, 0, sizeof *a);
    EACH {
        a->activity[i] = s->activity[i];
        a->strength[i] = s->strength[i];
        a->sensitization[i] = s->sensitization[i];
        a->d.tolerance[i] = s->tolerance[i];
        a->d.dose[i] = a->d.taken[i] = s->dose[i];
        a->d.weeks_on[i] = s->weeks_on[i];
        a->d.pain_at_start[i] = s->pain[i];
        a->d.risk_until[i] = NEVER;
        a->sedation[i] = p->sedation_max * saturating(s->dose[i], p->side_effect_half_dose);
    }
    memcpy(a->d.distress, s->distress, 6 * sizeof s->distress);
}

LOOP float refer(float (*restrict u)[ROW], const float *restrict row, const float *restrict order, const Shared *restrict s,
                   Given *restrict g, const Parameters *restrict p) {
    float chance = order[COMPLETED], mean = order[WAIT], earliest = NOT_DUE;
    if (chance < 0.0f) chance = p->referral_fragmented + order[HANDOVER] * (p->referral_coordinated - p->referral_fragmented);
    if (mean < 0.0f) mean = p->wait_fragmented + order[HANDOVER] * (p->wait_coordinated - p->wait_fragmented);
    int referral = row[NEEDS_REFERRAL] == 1.0f;
    float responders = order[SHAM] == 0.0f ? row[RESPONDERS] : 0.0f, start = order[START_WEEK];
    EACH {
        float wait = referral ? mean * (0.5f + u[1][i]) : 0.0f;
        g->responds[i] = u[2][i] < responders ? s->response[i] : 0.0f;
        g->due[i] = BOTH(referral, u[0][i] >= chance) ? NOT_DUE : start + wait;
        g->began[i] = g->left[i] = NEVER;
        g->effect[i] = g->habit[i] = g->best[i] = 0.0f;
        g->potency[i] = 1.0f;
    }
    EACH earliest = least(earliest, g->due[i]);
    return earliest;
}
