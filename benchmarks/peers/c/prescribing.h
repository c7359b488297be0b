/* One week of prescribing for those whom it concerns, as painlab.engine.prescribing has it. */

#define TAPER_PAUSE_WEEKS 26.0f
#define TAPER_RISK_WEEKS 52.0f
#define WEEKS_PER_MONTH (365.25f / 12.0f / 7.0f)

LOOP int gather(float week, Own *restrict a, int32_t *restrict lanes, Desk *restrict desk) {
    int count = 0;
    _Alignas(8) uint8_t concerned[LANES];
    EACH a->d.withdrawn[i] = a->d.drowsy[i] = 0.0f;
    EACH concerned[i] = (a->d.dose[i] > 0.0f) | (week <= a->d.risk_until[i]) | (a->d.seen[i] > 0.0f);
    for (int i = 0; i < LANES; i += 8) {
        uint64_t eight;
        memcpy(&eight, concerned + i, 8);
        for (; eight; eight &= eight - 1) lanes[count++] = i + __builtin_ctzll(eight) / 8;
    }
    const float *from = (const float *)&a->d;
    float *to = (float *)desk;
    for (int row = 0; row < (int)(sizeof(Desk) / sizeof(float) / ROW); row++)
        for (int k = 0; k < count; k++) to[row * ROW + k] = from[row * ROW + lanes[k]];
    return count;
}

LOOP void scatter(int count, const int32_t *restrict lanes, const Desk *restrict desk, Own *restrict a) {
    const float *from = (const float *)desk;
    float *to = (float *)&a->d;
    for (int row = 0; row < 14; row++)
        for (int k = 0; k < count; k++) to[row * ROW + lanes[k]] = from[row * ROW + k];
}

LOOP void prescribe(int t, int count, float (*restrict u)[ROW], Desk *restrict d, float (*restrict noted)[ROW], const Condition *restrict c, const Mix *restrict who, const Plan *restrict plan,
                      const Parameters *restrict p) {
    Parameters all = *p;
    Plan rules = *plan;
    p = &all, plan = &rules;
    float week = (float)t, usual = t == 0 ? c->opioid_start : p->start_later;
    float finds = p->diagnosis_fragmented + plan->coordination * (p->diagnosis_coordinated - p->diagnosis_fragmented);
    finds = t == 0 ? most_of(finds, who->diagnosed) : finds;
    int later = t > 0, assigned = week < plan->assigned_weeks, offered = week >= plan->taper_start;
    float accepted = p->taper_acceptance + plan->taper_support * (p->taper_acceptance_supported - p->taper_acceptance);
    float accepting = least(1.0f, plan->taper_offer * accepted);
    float pace = power(1.0f - least(plan->taper_pace, 99.9f) / 100.0f, 1.0f / WEEKS_PER_MONTH);
    float withdraws = p->withdrawal_pain * (1.0f - p->withdrawal_support * plan->taper_support);
    for (int i = 0, end = filled(count); i < end; i++) {
        float pain = d->pain[i], above = pain - 5.0f, distress = d->distress[i], before = d->dose[i];
        float weeks_on = d->weeks_on[i], supply = d->supply[i], return_dose = d->dose_before_taper[i], again = d->taper_again[i];
        float start_pain = d->pain_at_start[i], risk_until = d->risk_until[i], persistent = d->persistent[i], known = d->found[i];
        int seen = d->seen[i] > 0.0f, tapering = d->tapering[i] > 0.0f, user = before > 0.0f;
        int found = seen & (u[0][i] < finds);

        int moves = user & later & !assigned;
        float lower = before * pace;
        int completes = moves & tapering & (lower < p->taper_end_dose);
        float shift = p->taper_return_withdrawal * d->withdrawal[i] + p->taper_return_pain * above;
        int returns = moves & tapering & !completes
                      & (u[3][i] < shifted(p->taper_return, shift - p->taper_return_support * plan->taper_support));
        float fall = p->stop_decay * log_(weeks_on + 1.0f) + p->stop_pain * above + p->stop_distress * (distress - 0.3f);
        float stopping = 1.0f - exp_(-d->stop_ease[i] * p->stop_scale * exp_(-fall));
        int stops = moves & !tapering & (supply <= 0.0f) & (u[3][i] < stopping);
        float dose = (moves & tapering) ? lower : before;
        dose = returns ? return_dose : dose;
        dose = (completes | stops) ? 0.0f : dose;
        float felt_dose = completes ? lower : 0.0f;
        tapering &= !completes & !returns;
        again = returns ? week + TAPER_PAUSE_WEEKS : again;

        shift = p->start_pain * above + p->start_distress * (distress - 0.3f) + p->start_prior * d->prior[i];
        float starting = least(1.0f, shifted(usual, shift) * plan->opioid_start);
        int starts = seen & !user & ((u[2][i] < starting) | (assigned & !later));
        dose = starts ? least(plan->start_dose * d->dose_factor[i], plan->dose_cap) : dose;
        supply = starts ? least(90.0f, plan->first_supply_days * d->supply_factor[i]) * (1.0f / 7.0f) : supply;
        weeks_on = starts ? 0.0f : weeks_on;
        start_pain = starts ? pain : start_pain;

        int asked = seen & user & (dose > 0.0f) & !tapering & !assigned;
        int reviewed = asked & (u[1][i] < plan->review);
        int useless = (pain > 0.7f * start_pain) | (pain <= 3.0f);
        int ends = reviewed & useless & (u[5][i] < p->review_stop);
        float raising = least(1.0f, plan->escalation * shifted(p->escalation_usual, p->escalation_pain * above));
        int raised = asked & !reviewed & (u[2][i] < raising);
        int long_term = weeks_on >= LONG_TERM_WEEKS;
        dose = (ends & !long_term) ? 0.0f : dose;
        dose = raised ? most_of(dose, least(dose * (1.0f + p->escalation_step), plan->dose_cap)) : dose;
        int tapers = asked & long_term & (week >= again) & (ends | (offered & (u[4][i] < accepting)));

        int on = dose > 0.0f, supplied = supply > 0.0f;
        float covered = supplied ? least(1.0f, supply) : 1.0f;
        covered = on ? covered : 0.0f;
        risk_until = tapers ? week + TAPER_RISK_WEEKS : risk_until;
        int tapered = week <= risk_until;
        float hazard = p->overdose_base * exp_(p->overdose_dose_slope * (least(most_of(dose, 10.0f), p->overdose_dose_cap) - 10.0f));
        hazard *= tapered ? p->overdose_taper_ratio : 1.0f;
        float after = most_of(dose, felt_dose), fallen = most_of(0.0f, (before - after) / before - p->withdrawal_free_fall);
        d->dose[i] = dose;
        d->taken[i] = dose * covered;
        d->covered[i] = covered;
        d->weeks_on[i] = on ? weeks_on : 0.0f;
        d->supply[i] = on ? (supplied ? supply - 1.0f : supply) : 0.0f;
        d->pain_at_start[i] = start_pain;
        d->tapering[i] = (on & (tapering | tapers)) ? 1.0f : 0.0f;
        d->dose_before_taper[i] = tapers ? dose : return_dose;
        d->taper_again[i] = again;
        d->risk_until[i] = risk_until;
        d->persistent[i] = ((d->came_without[i] > 0.0f) & on & long_term) ? 1.0f : persistent;
        d->found[i] = found ? 1.0f : known;
        d->withdrawn[i] = (user & (after < before)) ? withdraws * d->tolerance[i] * fallen : 0.0f;
        float taken = dose * covered, share = saturating(taken, p->side_effect_half_dose);
        float drowsy = p->sedation_max * share, constipated = p->constipation_max * share;
        d->drowsy[i] = drowsy;
        noted[MME][i] = taken;
        noted[ON_OPIOIDS][i] = on ? 1.0f : 0.0f;
        noted[DOSE_50_PLUS][i] = dose >= 50.0f ? 1.0f : 0.0f;
        noted[DOSE_90_PLUS][i] = dose >= 90.0f ? 1.0f : 0.0f;
        noted[LONG_TERM_THERAPY][i] = (on & long_term) ? 1.0f : 0.0f;
        noted[SEDATION][i] = drowsy;
        noted[CONSTIPATION][i] = constipated;
        noted[SIDE_EFFECTS][i] = 1.0f - (1.0f - drowsy) * (1.0f - constipated);
        noted[OVERDOSE_HAZARD][i] = (on | tapered) ? hazard : 0.0f;
        noted[VISITS][i] = seen ? 1.0f : 0.0f;
    }
}
