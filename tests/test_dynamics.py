"""What one week does to a body: each equation by hand, then the law it states."""

import math

import numpy as np
import pytest

from painlab import dynamics
from painlab.parameters import Parameters

ZERO = Parameters(*(0.0 for _ in Parameters._fields))
"""Nothing is taken from the shipped values: each test states the parameters it needs."""

DOSES = np.linspace(0.0, 300.0, 61)
PAINS = np.linspace(0.0, 10.0, 41)


def given(**values: float) -> Parameters:
    return ZERO._replace(**values)


def in_single_precision(argument):
    """An argument as the cohort hands it over: numbers and records of them in single precision."""
    if isinstance(argument, tuple):
        return type(argument)(*(np.float32(one) for one in argument))
    return np.float32(argument) if isinstance(argument, float) else argument


def worked(function, *arguments) -> float:
    """Result of the compiled equation, after checking that the plain one says the same, and in single precision nearly the same."""
    found = function(*arguments)
    assert found == pytest.approx(function.py_func(*arguments), rel=1e-14, abs=1e-15)
    assert function(*(in_single_precision(one) for one in arguments)) == pytest.approx(found, rel=1e-5, abs=1e-6)
    return found


def rises(numbers) -> bool:
    return bool(np.all(np.diff(numbers) > 0.0))


def falls(numbers) -> bool:
    return bool(np.all(np.diff(numbers) < 0.0))


# Pain signal and flares


def test_the_pain_signal_decays_to_its_floor():
    assert worked(dynamics.nociception, 6.0, 5.0, 1.0, 3.0) == pytest.approx(1.0 + 4.0 * math.exp(-2.0), rel=1e-14)
    assert worked(dynamics.nociception, 0.0, 5.0, 1.0, 3.0) == 5.0
    assert worked(dynamics.nociception, 1e6, 5.0, 1.0, 3.0) == 1.0
    assert falls([dynamics.nociception(float(t), 5.0, 1.0, 3.0) for t in range(40)])


def test_flares_begin_at_their_yearly_rate_and_more_often_with_heavy_work():
    p = given(flare_work_demand=0.5)
    assert worked(dynamics.flare_chance, 5.2, 0.4, p) == pytest.approx(1.0 - math.exp(-0.1 * 1.2), rel=1e-13)
    assert worked(dynamics.flare_chance, 0.0, 1.0, p) == 0.0
    assert rises([dynamics.flare_chance(5.2, w, p) for w in np.linspace(0.0, 1.0, 11)])
    assert 52 * dynamics.flare_chance(0.01, 0.0, p) == pytest.approx(0.01, rel=1e-3)


def test_a_flare_halves_in_its_half_life():
    p = given(flare_half_life=4.0)
    assert worked(dynamics.flare_change, 2.0, p) == pytest.approx(-2.0 * (1.0 - 2.0**-0.25), rel=1e-13)
    flare = 2.0
    for _ in range(4):
        flare += dynamics.flare_change(flare, p)
    assert flare == pytest.approx(1.0, rel=1e-13)
    assert worked(dynamics.flare_change, 2.0, given(flare_half_life=0.1)) == pytest.approx(-2.0 * 1023 / 1024, rel=1e-13)


def test_what_halves_in_its_half_life_is_halved_whatever_the_step():
    assert worked(dynamics.waned_in_a_week, 1.0) == pytest.approx(0.5, rel=1e-14)
    assert worked(dynamics.waned_in_a_week, 0.5) == pytest.approx(0.75, rel=1e-14)
    assert worked(dynamics.waned_in_a_week, math.inf) == 0.0
    for half_life in (0.2, 1.0, 7.0, 60.0):
        assert (1.0 - dynamics.waned_in_a_week(half_life)) ** half_life == pytest.approx(0.5, rel=1e-12)
    assert falls([dynamics.waned_in_a_week(weeks) for weeks in np.linspace(0.5, 60.0, 40)])


# Pain


def test_pain_before_damping_adds_signal_weakness_and_sensitization():
    p = given(weakness_pain=0.8, sensitization_pain=1.5)
    assert worked(dynamics.unmodulated_pain, 5.0, 0.2, 0.75, 0.4, p) == pytest.approx(5.0 * 0.8 + 0.8 * 0.25 + 1.5 * 0.4, rel=1e-14)
    assert worked(dynamics.unmodulated_pain, 5.0, 1.0, 1.0, 0.0, p) == 0.0
    assert falls([dynamics.unmodulated_pain(5.0, 0.0, s, 0.4, p) for s in np.linspace(0.0, 1.0, 11)])


def test_a_cut_link_from_weakness_leaves_pain_alone():
    p = given(weakness_pain=0.0)
    assert dynamics.unmodulated_pain(5.0, 0.0, 0.1, 0.0, p) == dynamics.unmodulated_pain(5.0, 0.0, 1.0, 0.0, p)


def test_opioid_relief_follows_dose_and_tolerance():
    p = given(opioid_relief_max=0.6, opioid_half_dose=40.0, tolerance_shift=3.0)
    assert worked(dynamics.opioid_relief, 60.0, 0.5, 0.9, p) == pytest.approx(0.9 * 0.6 * 60.0 / (60.0 + 40.0 * 2.5), rel=1e-14)
    assert worked(dynamics.opioid_relief, 40.0, 0.0, 1.0, p) == pytest.approx(0.3, rel=1e-14)
    assert worked(dynamics.opioid_relief, 60.0, 0.0, 5.0, p) == 1.0


def test_zero_dose_gives_zero_relief():
    p = given(opioid_relief_max=0.6, opioid_half_dose=40.0, tolerance_shift=3.0)
    assert [worked(dynamics.opioid_relief, 0.0, k, 2.0, p) for k in (0.0, 0.5, 1.0)] == [0.0, 0.0, 0.0]


def test_tolerance_multiplies_the_half_dose():
    p = given(opioid_relief_max=0.6, opioid_half_dose=40.0, tolerance_shift=3.0)
    for tolerance in (0.0, 0.3, 1.0):
        half_dose = 40.0 * (1.0 + 3.0 * tolerance)
        assert dynamics.opioid_relief(half_dose, tolerance, 1.0, p) == pytest.approx(0.5 * 0.6, rel=1e-14)
    assert rises([dynamics.opioid_relief(d, 0.3, 1.0, p) for d in DOSES])
    assert falls([dynamics.opioid_relief(60.0, k, 1.0, p) for k in np.linspace(0.0, 1.0, 11)])
    assert dynamics.opioid_relief(1e9, 1.0, 1.0, p) == pytest.approx(0.6, rel=1e-6)


def test_felt_pain_damps_by_each_share_and_adds_hyperalgesia_withdrawal_and_noise():
    p = given(hyperalgesia_pain=0.9)
    level = 6.0 * 0.7 * 0.8 + 0.9 * 0.5 + 0.4  # 4.21, so that noise is 4.21 / 5 of its size
    by_hand = level - 0.3 * 4.21 / 5.0
    assert worked(dynamics.felt_pain, 6.0, 0.3, 0.2, 0.5, 0.4, -0.3, p) == pytest.approx(by_hand, rel=1e-14)
    assert worked(dynamics.felt_pain, 6.0, 0.0, 0.0, 0.0, 0.0, 0.0, p) == 6.0
    assert rises([dynamics.felt_pain(3.0, 0.1, 0.1, k, 0.0, 0.0, p) for k in np.linspace(0.0, 1.0, 11)])


def test_felt_pain_stays_on_its_scale():
    p = given(hyperalgesia_pain=0.9)
    assert worked(dynamics.felt_pain, 25.0, 0.0, 0.0, 1.0, 3.0, 2.0, p) == 10.0
    assert worked(dynamics.felt_pain, 1.0, 0.0, 0.0, 0.0, 0.0, -6.0, p) == 0.0


def test_noise_is_whole_from_a_pain_of_5_on_smaller_in_proportion_below_and_none_in_the_recovered():
    for level, share in ((8.0, 1.0), (5.0, 1.0), (2.5, 0.5), (1.0, 0.2), (0.0, 0.0)):
        for noise in (-0.7, 0.7):
            found = worked(dynamics.felt_pain, level, 0.0, 0.0, 0.0, 0.0, noise, ZERO)
            assert found == pytest.approx(max(0.0, level + share * noise), rel=1e-14)


# Activity and strength

ACTIVE = given(activity_log_odds=1.2, activity_pain_slope=0.2, activity_distress=0.6, activity_comorbidity=0.5, activity_sedation=0.25)


def test_the_activity_target_is_a_logistic_of_pain_and_distress_lowered_by_sedation_and_raised_by_care():
    logistic = 1.0 / (1.0 + math.exp(-(1.2 - 0.2 * 7.0 - 0.6 * 0.3 - 0.5 * 0.4)))
    drowsy = logistic * (1.0 - 0.25 * 0.2)
    by_hand = drowsy + (1.0 - drowsy) * 0.15
    assert worked(dynamics.activity_target, 7.0, 0.3, 0.4, 0.2, 0.15, ACTIVE) == pytest.approx(by_hand, rel=1e-13)
    assert worked(dynamics.activity_target, 7.0, 0.3, 0.4, 0.2, 3.0, ACTIVE) == 1.0


def test_pain_distress_comorbidity_and_sedation_lower_activity_and_care_raises_it():
    shares = np.linspace(0.0, 1.0, 11)
    assert falls([dynamics.activity_target(x, 0.3, 0.3, 0.1, 0.0, ACTIVE) for x in PAINS])
    assert falls([dynamics.activity_target(5.0, x, 0.3, 0.1, 0.0, ACTIVE) for x in shares])
    assert falls([dynamics.activity_target(5.0, 0.3, x, 0.1, 0.0, ACTIVE) for x in shares])
    assert falls([dynamics.activity_target(5.0, 0.3, 0.3, x, 0.0, ACTIVE) for x in shares])
    assert rises([dynamics.activity_target(5.0, 0.3, 0.3, 0.1, x, ACTIVE) for x in shares])


def test_a_cut_link_from_pain_leaves_activity_alone():
    p = ACTIVE._replace(activity_pain_slope=0.0)
    assert dynamics.activity_target(0.0, 0.3, 0.3, 0.1, 0.0, p) == dynamics.activity_target(10.0, 0.3, 0.3, 0.1, 0.0, p)


def test_activity_relaxes_to_its_target():
    p = given(activity_time=4.0)
    assert worked(dynamics.activity_change, 0.5, 0.9, p) == pytest.approx(0.1, rel=1e-14)
    assert worked(dynamics.activity_change, 0.9, 0.5, p) == pytest.approx(-0.1, rel=1e-14)
    assert worked(dynamics.activity_change, 0.7, 0.7, p) == 0.0


def test_strength_follows_activity_and_is_lost_faster_than_it_is_won():
    p = given(strength_activity_slope=0.8, strength_loss_time=10.0, strength_gain_time=25.0)
    assert worked(dynamics.strength_change, 0.9, 0.5, p) == pytest.approx((0.6 - 0.9) / 10.0, rel=1e-14)
    assert worked(dynamics.strength_change, 0.3, 0.7, p) == pytest.approx((0.76 - 0.3) / 25.0, rel=1e-14)
    assert worked(dynamics.strength_change, 0.6, 0.5, p) == pytest.approx(0.0, abs=1e-16)
    assert -dynamics.strength_change(0.8, 0.5, p) > dynamics.strength_change(0.4, 0.5, p)


def test_a_cut_link_from_activity_lets_strength_recover_whatever_the_activity():
    p = given(strength_activity_slope=0.0, strength_loss_time=10.0, strength_gain_time=25.0)
    assert dynamics.strength_change(0.9, 0.0, p) == dynamics.strength_change(0.9, 1.0, p) == pytest.approx(0.1 / 25.0, rel=1e-13)


def test_training_wins_a_share_of_missing_strength_and_less_with_age():
    p = given(training_age_loss=0.1)
    assert worked(dynamics.training_gain, 0.6, 0.05, 70.0, p) == pytest.approx(0.4 * 0.05 * 0.8, rel=1e-14)
    assert worked(dynamics.training_gain, 0.6, 0.05, 30.0, p) == pytest.approx(0.4 * 0.05, rel=1e-14)
    assert worked(dynamics.training_gain, 1.0, 0.05, 30.0, p) == 0.0
    assert worked(dynamics.training_gain, 0.6, 7.0, 30.0, p) == pytest.approx(0.4, rel=1e-14)
    assert worked(dynamics.training_gain, 0.6, 0.05, 170.0, p) == 0.0
    assert falls([dynamics.training_gain(0.6, 0.05, age, p) for age in range(50, 95, 5)])


# Sensitization, tolerance, withdrawal

SENSITIVE = given(sensitization_threshold=4.0, sensitization_distress=0.5, sensitization_sleep=0.4, sensitization_time=20.0)


def test_sensitization_follows_pain_above_its_threshold():
    target = (7.0 - 4.0) / 6.0 * (1.0 + 0.5 * 0.2 + 0.4 * 0.5)
    by_hand = (target - 0.3) / 20.0 - 0.1 * 0.3
    assert worked(dynamics.sensitization_change, 0.3, 7.0, 0.2, 0.5, 0.1, SENSITIVE) == pytest.approx(by_hand, rel=1e-13)
    assert worked(dynamics.sensitization_change, 0.0, 3.9, 1.0, 1.0, 0.0, SENSITIVE) == 0.0
    assert worked(dynamics.sensitization_change, 1.0, 10.0, 1.0, 1.0, 0.0, SENSITIVE) == 0.0
    assert worked(dynamics.sensitization_change, 0.3, 0.0, 0.0, 0.0, 9.0, SENSITIVE) == pytest.approx(-0.3 / 20.0 - 0.3, rel=1e-14)


def test_distress_and_poor_sleep_raise_sensitization_and_care_eases_it():
    shares = np.linspace(0.0, 1.0, 11)
    assert rises([dynamics.sensitization_change(0.3, 6.0, x, 0.5, 0.0, SENSITIVE) for x in shares])
    assert rises([dynamics.sensitization_change(0.3, 6.0, 0.5, x, 0.0, SENSITIVE) for x in shares])
    assert falls([dynamics.sensitization_change(0.3, 6.0, 0.5, 0.5, x, SENSITIVE) for x in shares])


def test_tolerance_follows_dose():
    p = given(tolerance_half_dose=30.0, tolerance_time=8.0)
    assert worked(dynamics.tolerance_change, 0.2, 60.0, p) == pytest.approx((60.0 / 90.0 - 0.2) / 8.0, rel=1e-14)
    assert worked(dynamics.tolerance_change, 0.5, 30.0, p) == 0.0
    assert worked(dynamics.tolerance_change, 0.4, 0.0, p) == pytest.approx(-0.4 / 8.0, rel=1e-14)
    assert rises([dynamics.tolerance_change(0.4, d, p) for d in DOSES])


WITHDRAWN = given(withdrawal_pain=6.0, withdrawal_free_fall=0.05, withdrawal_support=0.5, withdrawal_half_life=2.0)


def test_a_fall_of_the_dose_brings_withdrawal_beyond_the_free_fall():
    by_hand = 6.0 * 0.8 * ((60.0 - 45.0) / 60.0 - 0.05) * (1.0 - 0.5 * 0.4)
    assert worked(dynamics.withdrawal_onset, 60.0, 45.0, 0.8, 0.4, WITHDRAWN) == pytest.approx(by_hand, rel=1e-13)
    assert worked(dynamics.withdrawal_onset, 60.0, 0.0, 1.0, 0.0, WITHDRAWN) == pytest.approx(6.0 * 0.95, rel=1e-14)


def test_no_fall_a_slow_fall_or_no_tolerance_brings_no_withdrawal():
    assert worked(dynamics.withdrawal_onset, 0.0, 0.0, 1.0, 0.0, WITHDRAWN) == 0.0
    assert worked(dynamics.withdrawal_onset, 60.0, 60.0, 1.0, 0.0, WITHDRAWN) == 0.0
    assert worked(dynamics.withdrawal_onset, 60.0, 80.0, 1.0, 0.0, WITHDRAWN) == 0.0
    assert worked(dynamics.withdrawal_onset, 60.0, 58.0, 1.0, 0.0, WITHDRAWN) == 0.0
    assert worked(dynamics.withdrawal_onset, 60.0, 30.0, 0.0, 0.0, WITHDRAWN) == 0.0


def test_withdrawal_grows_with_the_fall_and_softens_with_support():
    assert falls([dynamics.withdrawal_onset(60.0, after, 0.8, 0.0, WITHDRAWN) for after in np.linspace(0.0, 56.0, 20)])
    assert falls([dynamics.withdrawal_onset(60.0, 20.0, 0.8, support, WITHDRAWN) for support in np.linspace(0.0, 1.0, 11)])


def test_withdrawal_wanes_with_its_half_life():
    assert worked(dynamics.withdrawal_change, 3.0, WITHDRAWN) == pytest.approx(-3.0 * (1.0 - 2.0**-0.5), rel=1e-13)
    fast = WITHDRAWN._replace(withdrawal_half_life=0.2)
    assert worked(dynamics.withdrawal_change, 3.0, fast) == pytest.approx(-3.0 * 31 / 32, rel=1e-13)


# Harms and function


@pytest.mark.parametrize(
    ("chance", "largest"), [(dynamics.sedation_chance, "sedation_max"), (dynamics.constipation_chance, "constipation_max")]
)
def test_side_effects_follow_dose(chance, largest):
    p = given(side_effect_half_dose=40.0, **{largest: 0.3})
    assert worked(chance, 60.0, p) == pytest.approx(0.3 * 60.0 / 100.0, rel=1e-14)
    assert worked(chance, 40.0, p) == pytest.approx(0.15, rel=1e-14)
    assert worked(chance, 0.0, p) == 0.0
    assert rises([chance(d, p) for d in DOSES])
    assert chance(1e9, p) == pytest.approx(0.3, rel=1e-6)


LETHAL = given(overdose_base=0.002, overdose_dose_slope=0.02, overdose_dose_cap=120.0, overdose_taper_ratio=1.3)


def test_overdose_hazard_is_log_linear_in_dose_between_10_mme_and_the_cap():
    assert worked(dynamics.overdose_hazard, 60.0, False, LETHAL) == pytest.approx(0.002 * math.exp(0.02 * 50.0), rel=1e-13)
    logs = [math.log(dynamics.overdose_hazard(d, False, LETHAL)) for d in np.arange(10.0, 121.0, 10.0)]
    assert np.allclose(np.diff(logs), 0.02 * 10.0, rtol=1e-9)
    assert worked(dynamics.overdose_hazard, 3.0, False, LETHAL) == worked(dynamics.overdose_hazard, 10.0, False, LETHAL) == 0.002
    assert worked(dynamics.overdose_hazard, 300.0, False, LETHAL) == worked(dynamics.overdose_hazard, 120.0, False, LETHAL)


def test_overdose_hazard_is_raised_by_a_taper_and_zero_without_opioids():
    assert worked(dynamics.overdose_hazard, 60.0, True, LETHAL) == pytest.approx(1.3 * 0.002 * math.exp(1.0), rel=1e-13)
    assert worked(dynamics.overdose_hazard, 0.0, True, LETHAL) == pytest.approx(1.3 * 0.002, rel=1e-14)
    assert worked(dynamics.overdose_hazard, 0.0, False, LETHAL) == 0.0


def test_function_is_a_weighted_mean_of_activity_strength_and_freedom_from_pain():
    p = given(function_activity=2.0, function_strength=1.0, function_pain=1.0)
    assert worked(dynamics.function_score, 0.6, 0.8, 3.0, p) == pytest.approx((2.0 * 0.6 + 0.8 + 0.7) / 4.0, rel=1e-14)
    assert worked(dynamics.function_score, 1.0, 1.0, 0.0, p) == 1.0
    assert worked(dynamics.function_score, 0.0, 0.0, 10.0, p) == 0.0
    assert falls([dynamics.function_score(0.6, 0.8, pain, p) for pain in PAINS])
