"""What one week does to a body: pain, activity, strength, sensitization, tolerance, withdrawal and harms.

Each equation is one pure function that returns a level, a change per week or a chance, never an outcome. The compiled cohort compares a
chance with a draw, the mean patient multiplies by it, and a test works it out by hand. Units: pain 0-10 (numeric rating scale, NRS);
activity, strength, sensitization, tolerance 0-1; dose MME/day; time in weeks. Each coefficient's source stands in data/parameters.csv.
"""

from painlab.numerics import clip, compiled, exp, logistic
from painlab.parameters import Parameters

LN2 = 0.6931471805599453
WEEKS_PER_YEAR = 52.0


@compiled
def _relaxation(level: float, target: float, time_constant: float) -> float:
    """Change per week of a level that moves toward a target in about `time_constant` weeks: (target - level) / tau."""
    return (target - level) * (1.0 / time_constant)


@compiled
def _saturation(dose: float, half_dose: float) -> float:
    """Share of an effect's maximum that a dose reaches: d / (d + d50)."""
    return dose / (dose + half_dose)


@compiled
def nociception(weeks: float, initial: float, floor: float, time_constant: float) -> float:
    """Pain signal (0-10) from the tissue `weeks` after arrival: N(t) = floor + (N0 - floor) e^(-t/tau)."""
    return floor + (initial - floor) * exp(-weeks / time_constant)


@compiled
def flare_chance(flares_per_year: float, work_demand: float, p: Parameters) -> float:
    """Chance that a flare begins this week: Poisson onset, more often with heavy work (work demand 0-1)."""
    return 1.0 - exp(-flares_per_year / WEEKS_PER_YEAR * (1.0 + p.flare_work_demand * work_demand))


@compiled
def waned_in_a_week(half_life: float) -> float:
    """Share that is gone after a week of something that halves in half_life weeks: 1 - 2^(-1 / half-life)."""
    return 1.0 - exp(-LN2 / half_life)


@compiled
def flare_change(flare: float, p: Parameters) -> float:
    """Change per week of a flare's added pain (0-10): exponential decay."""
    return -waned_in_a_week(p.flare_half_life) * flare


@compiled
def unmodulated_pain(signal: float, source_relief: float, strength: float, sensitization: float, p: Parameters) -> float:
    """Pain before any damping: p0 = N (1 - source relief) + beta_w (1 - s) + beta_z z.

    `weakness_pain` (beta_w) closes the contested cycle; its range includes zero.
    """
    return signal * (1.0 - source_relief) + p.weakness_pain * (1.0 - strength) + p.sensitization_pain * sensitization


@compiled
def opioid_relief(dose: float, tolerance: float, response: float, p: Parameters) -> float:
    """Share of pain that an opioid takes away: response Emax d / (d + ED50 (1 + kappa k)), at most 1.

    An Emax curve whose half-maximal dose grows with tolerance k; response is the patient's own multiplier.
    """
    half_dose = p.opioid_half_dose * (1.0 + p.tolerance_shift * tolerance)
    return min(1.0, response * p.opioid_relief_max * _saturation(dose, half_dose))


@compiled
def felt_pain(
    unmodulated: float, opioid_share: float, other_share: float, tolerance: float, withdrawal: float, noise: float, p: Parameters
) -> float:
    """Felt pain (0-10): p = p0 (1 - r_opioid)(1 - r_other) + hyperalgesia k + withdrawal + noise min(1, level / 5).

    noise is the deviation at a level of 5 or more; below, it is smaller in proportion, so that those who have recovered feel no pain.
    """
    level = unmodulated * (1.0 - opioid_share) * (1.0 - other_share) + p.hyperalgesia_pain * tolerance + withdrawal
    return clip(level + noise * min(1.0, level * 0.2), 0.0, 10.0)


@compiled
def activity_target(pain: float, distress: float, comorbidity: float, sedation: float, lift: float, p: Parameters) -> float:
    """Activity (0-1) toward which a patient moves: a logistic of pain and distress, lowered by sedation, raised by care.

    `activity_pain_slope` (log-odds per pain point) is the first link of the cycle; lift is the share of missing activity that care wins.
    """
    target = logistic(
        p.activity_log_odds - p.activity_pain_slope * pain - p.activity_distress * distress - p.activity_comorbidity * comorbidity
    )
    target *= 1.0 - p.activity_sedation * sedation
    return target + (1.0 - target) * min(1.0, lift)


@compiled
def activity_change(activity: float, target: float, p: Parameters) -> float:
    """Change of activity per week: relaxation to the target in about `activity_time` weeks."""
    return _relaxation(activity, target, p.activity_time)


@compiled
def strength_change(strength: float, activity: float, p: Parameters) -> float:
    """Change of strength per week without training: it relaxes to what activity sustains, faster down than up.

    The sustained strength is 1 - slope (1 - a); `strength_activity_slope` is the second link of the cycle.
    """
    sustained = 1.0 - p.strength_activity_slope * (1.0 - activity)
    return _relaxation(strength, sustained, p.strength_gain_time if sustained > strength else p.strength_loss_time)


@compiled
def training_gain(strength: float, training: float, age: float, p: Parameters) -> float:
    """Gain of strength per week from training: (1 - s) x training, less with each decade after 50 years."""
    decades = max(0.0, (age - 50.0) * 0.1)
    return (1.0 - strength) * min(1.0, training * max(0.0, 1.0 - p.training_age_loss * decades))


@compiled
def sensitization_change(sensitization: float, pain: float, distress: float, poor_sleep: float, easing: float, p: Parameters) -> float:
    """Change of sensitization per week: it follows sustained pain in about half a year; care eases it.

    The target is the share of the scale above `sensitization_threshold`, raised by distress and poor sleep (each 0-1).
    """
    above = max(0.0, pain - p.sensitization_threshold) * (1.0 / (10.0 - p.sensitization_threshold))
    target = min(1.0, above * (1.0 + p.sensitization_distress * distress + p.sensitization_sleep * poor_sleep))
    return _relaxation(sensitization, target, p.sensitization_time) - min(1.0, easing) * sensitization


@compiled
def tolerance_change(tolerance: float, dose: float, p: Parameters) -> float:
    """Change of tolerance per week: it follows d / (d + k50) in about `tolerance_time` weeks."""
    return _relaxation(tolerance, _saturation(dose, p.tolerance_half_dose), p.tolerance_time)


@compiled
def withdrawal_onset(dose_before: float, dose_after: float, tolerance: float, support: float, p: Parameters) -> float:
    """Pain points that a fall of the dose adds in its first week.

    Grows with tolerance and with the part of the fall beyond `withdrawal_free_fall` (share of the dose per week); support (0-1) softens it.
    """
    if dose_before <= 0.0 or dose_after >= dose_before:
        return 0.0
    excess = max(0.0, (dose_before - dose_after) / dose_before - p.withdrawal_free_fall)
    return p.withdrawal_pain * tolerance * excess * (1.0 - p.withdrawal_support * support)


@compiled
def withdrawal_change(withdrawal: float, p: Parameters) -> float:
    """Change per week of withdrawal pain once begun: exponential decay."""
    return -waned_in_a_week(p.withdrawal_half_life) * withdrawal


@compiled
def sedation_chance(dose: float, p: Parameters) -> float:
    """Chance of sedation at a dose: max d / (d + d50)."""
    return p.sedation_max * _saturation(dose, p.side_effect_half_dose)


@compiled
def constipation_chance(dose: float, p: Parameters) -> float:
    """Chance of constipation at a dose: max d / (d + d50)."""
    return p.constipation_max * _saturation(dose, p.side_effect_half_dose)


@compiled
def overdose_hazard(dose: float, tapered: bool, p: Parameters) -> float:
    """Opioid overdoses per patient-year: base e^(slope (d - 10)) while on opioids, raised during and in the year after a taper.

    Log-linear through the dose groups of Dunn 2010; beyond `overdose_dose_cap` MME/day it is held, where no data are.
    """
    if dose <= 0.0 and not tapered:
        return 0.0
    hazard = p.overdose_base * exp(p.overdose_dose_slope * (min(max(dose, 10.0), p.overdose_dose_cap) - 10.0))
    return hazard * (p.overdose_taper_ratio if tapered else 1.0)


@compiled
def function_score(activity: float, strength: float, pain: float, p: Parameters) -> float:
    """Function (0-1): weighted mean of activity, strength and freedom from pain."""
    free = 1.0 - pain * 0.1
    total = p.function_activity + p.function_strength + p.function_pain
    return (p.function_activity * activity + p.function_strength * strength + p.function_pain * free) * (1.0 / total)
