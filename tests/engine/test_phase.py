"""The long run of the cycle: equilibria, their stability, what parts their basins, and where a second one would appear."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from painlab import Scenario, catalog, parameters
from painlab.engine import execution, phase
from painlab.engine.mean_patient import trajectory
from painlab.engine.phase import Setting
from painlab.errors import InputError
from painlab.parameters import LINKS, Parameters

CENTRAL = parameters.scalars(parameters.values())
BY_HAND = CENTRAL._replace(
    weakness_pain=0.5,
    sensitization_pain=1.2,
    opioid_relief_max=0.7,
    opioid_half_dose=50.0,
    tolerance_shift=7.0,
    tolerance_half_dose=40.0,
    hyperalgesia_pain=0.9,
    activity_log_odds=3.1,
    activity_pain_slope=0.28,
    activity_distress=0.6,
    activity_comorbidity=0.5,
    activity_sedation=0.25,
    activity_time=2.0,
    strength_activity_slope=1.0,
    strength_loss_time=13.0,
    strength_gain_time=26.0,
    sensitization_threshold=4.0,
    sensitization_distress=0.5,
    sensitization_sleep=0.5,
    sensitization_time=26.0,
    sedation_max=0.35,
    side_effect_half_dose=40.0,
)
CUT = BY_HAND._replace(weakness_pain=0.0, sensitization_pain=0.0)
# Far outside the priors, so that there are two stable states to part; of use to tests only.
EXAGGERATED = BY_HAND._replace(weakness_pain=4.0, sensitization_pain=5.0, strength_gain_time=20.0)
PARTED = Setting(2.5)
SPREADS = ("noise_size", "flare_size", *(name for name in Parameters._fields if name.endswith("_spread")))


def untreated(condition: str, weeks: int = 520) -> Scenario:
    """A condition without opioids, other care or earlier treatment."""
    return Scenario.from_dict(
        {
            "name": "untreated",
            "title": "Untreated",
            "question": "Where does the body end by itself?",
            "weeks": weeks,
            "population": {"condition": condition, "prior_treatment": 0.0},
            "baseline": {"prescribing": {"opioid_start": 0.0}},
            "care": {"prescribing": {"opioid_start": 0.0}},
        }
    )


def prior_draw(draw: int) -> Parameters:
    return parameters.scalars(parameters.values(draw, 7))


settings = st.builds(
    Setting,
    signal=st.floats(0, 10),
    distress=st.floats(0, 1),
    poor_sleep=st.floats(0, 1),
    comorbidity=st.floats(0, 1),
    age=st.floats(18, 95),
    dose=st.sampled_from([0.0, 20.0, 120.0]),
    opioid_response=st.floats(0, 2),
    source_relief=st.floats(0, 0.9),
    relief=st.floats(0, 0.9),
    lift=st.floats(0, 1.5),
    easing=st.floats(0, 0.05),
    training=st.sampled_from([0.0, 0.01, 0.05]),
)
sets = st.one_of(
    st.integers(0, 40).map(prior_draw),
    st.builds(lambda w, z, a: CENTRAL._replace(weakness_pain=w, sensitization_pain=z, activity_pain_slope=a), *[st.floats(0, 8)] * 3),
)


def test_without_links_back_to_pain_each_level_follows_from_the_signal_by_hand() -> None:
    (only,) = phase.equilibria(Setting(5.0, distress=0.0, poor_sleep=0.0, comorbidity=0.0), CUT)
    activity = 1 / (1 + math.exp(-(3.1 - 0.28 * 5)))
    assert only.pain == pytest.approx(5.0)
    assert (only.activity, only.strength) == pytest.approx((activity, activity))  # inactivity costs strength one for one
    assert only.sensitization == pytest.approx((5 - 4) / (10 - 4))
    assert only.stable and only.gain == 0.0
    assert [one.real for one in only.eigenvalues] == pytest.approx([-1 / 26, -1 / 13, -1 / 2])
    assert [one.real for one in only.eigenvalues_regaining] == pytest.approx([-1 / 26, -1 / 26, -1 / 2])


def test_dose_training_and_relief_enter_as_by_hand() -> None:
    held = Setting(5.0, distress=0.0, poor_sleep=0.0, comorbidity=0.0, dose=40.0, relief=0.2, source_relief=0.1, training=0.02, easing=0.01)
    (only,) = phase.equilibria(held, CUT)
    pain = 5 * 0.9 * (1 - 0.7 * 40 / (40 + 50 * (1 + 7 * 0.5))) * 0.8 + 0.9 * 0.5  # half of full tolerance at 40 MME a day
    activity = (1 - 0.25 * 0.35 * 0.5) / (1 + math.exp(-(3.1 - 0.28 * pain)))  # sedated half as often as at very high doses
    assert only.pain == pytest.approx(pain)
    assert only.activity == pytest.approx(activity)
    assert only.strength == pytest.approx((activity + 0.02 * 13) / (1 + 0.02 * 13))  # loss at 1/13 a week against training
    assert only.sensitization == pytest.approx(max(0, pain - 4) / 6 / (1 + 0.01 * 26))


def test_the_gain_by_way_of_strength_is_the_product_of_the_three_links() -> None:
    (only,) = phase.equilibria(Setting(3.0), BY_HAND)
    slope = 0.28 * only.activity * (1 - only.activity)  # of a logistic
    assert only.strength_gain == pytest.approx(0.5 * 1.0 * slope, rel=1e-6)
    assert only.sensitization_gain == 0.0  # below the threshold of sensitization
    (worse,) = phase.equilibria(Setting(5.0), BY_HAND)
    assert worse.sensitization_gain == pytest.approx(1.2 * (1 + 0.5 * 0.3 + 0.5 * 0.3) / 6, rel=1e-6)
    assert phase.cycle_gain(Setting(5.0), BY_HAND)["gain"].to_list() == [worse.strength_gain + worse.sensitization_gain]


@given(settings, sets)
def test_at_every_equilibrium_nothing_changes_and_shares_stay_shares(setting: Setting, p: Parameters) -> None:
    found = phase.equilibria(setting, p)
    assert len(found) % 2 == 1  # in a bounded system they come in pairs beside the first
    assert [one.pain for one in found] == sorted(one.pain for one in found)
    for one in found:
        state = (one.activity, one.strength, one.sensitization)
        assert np.abs(phase.change(state, setting, p)).max() < 1e-8
        assert all(0.0 <= level <= 1.0 for level in state)


@given(settings, sets)
def test_a_state_is_stable_when_less_than_a_point_comes_back_whatever_the_speed_of_strength(setting: Setting, p: Parameters) -> None:
    for one in phase.equilibria(setting, p):
        if abs(one.gain - 1.0) > 1e-3:  # at a fold itself neither holds
            assert one.stable == (one.gain < 1.0) == (max(value.real for value in one.eigenvalues_regaining) < 0.0)


@given(settings, sets)
def test_below_a_gain_of_one_at_every_pain_there_is_one_state_at_any_signal(setting: Setting, p: Parameters) -> None:
    if phase.most_gain(setting, p) < 1.0:
        for signal in (0.0, 2.0, 4.0, 6.0, 8.0):
            assert len(phase.equilibria(setting._replace(signal=signal), p)) == 1


@pytest.mark.parametrize("p", [CENTRAL, EXAGGERATED], ids=["central", "exaggerated"])
def test_eigenvalues_are_those_of_scipys_differences(p: Parameters) -> None:
    from scipy.optimize import approx_fprime

    setting = PARTED._replace(training=0.01)  # training keeps strength away from the kink between its two speeds
    for one in phase.equilibria(setting, p):
        jacobian = approx_fprime(np.array([one.activity, one.strength, one.sensitization]), phase.change, 1e-7, setting, p)
        expected = sorted(np.linalg.eigvals(jacobian), key=lambda value: -value.real)
        assert one.eigenvalues == pytest.approx(expected, abs=1e-6)
        assert one.eigenvalues_regaining == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("p", "states"), [(CENTRAL, 1), (EXAGGERATED, 2)], ids=["central", "exaggerated"])
def test_random_starts_come_to_rest_in_a_listed_stable_state_by_three_integrators(p: Parameters, states: int) -> None:
    from scipy.integrate import solve_ivp

    stable = [one for one in phase.equilibria(PARTED, p) if one.stable]
    reached = set()
    for start in np.random.default_rng(3).uniform(size=(16, 3)):
        explicit, implicit = (
            solve_ivp(lambda _, state: phase.change(state, PARTED, p), (0, 1500), start, method, [26, 1500], rtol=1e-8, atol=1e-10)
            for method in ("DOP853", "Radau")
        )
        assert explicit.y == pytest.approx(implicit.y, abs=1e-5)
        ours = phase.path(start, PARTED, p, weeks=1500).select(phase.STATES)
        assert ours.row(26) == pytest.approx(explicit.y[:, 0], abs=1e-4)
        ends = [np.abs(explicit.y[:, 1] - (one.activity, one.strength, one.sensitization)).max() for one in stable]
        assert min(ends) < 1e-5
        reached.add(int(np.argmin(ends)))
    assert len(stable) == len(reached) == states


def test_starts_on_the_two_sides_of_the_boundary_end_in_different_states() -> None:
    from scipy.integrate import solve_ivp

    boundary = phase.basin_boundary(PARTED, EXAGGERATED, points=5)
    better, saddle, worse = phase.equilibria(PARTED, EXAGGERATED)
    assert not saddle.stable and boundary is not None
    for row in boundary.iter_rows(named=True):
        for side, ends in ((-0.01, better), (0.01, worse)):
            start = phase.start_at(row["strength"], row["sensitization"] + side, PARTED, EXAGGERATED)
            solved = solve_ivp(lambda _, state: phase.change(state, PARTED, EXAGGERATED), (0, 2000), start, "LSODA", rtol=1e-8)
            assert solved.y[:, -1] == pytest.approx((ends.activity, ends.strength, ends.sensitization), abs=1e-3)


def test_the_boundary_passes_through_the_saddle() -> None:
    saddle = phase.equilibria(PARTED, EXAGGERATED)[1]
    boundary = phase.basin_boundary(PARTED, EXAGGERATED)
    assert boundary is not None
    at_saddle = np.interp(saddle.strength, boundary["strength"], boundary["sensitization"])
    assert at_saddle == pytest.approx(saddle.sensitization, abs=0.01)


def test_with_one_state_there_is_no_boundary() -> None:
    assert phase.basin_boundary(PARTED, CENTRAL) is None


@pytest.mark.parametrize("plane", phase.PLANES)
@pytest.mark.parametrize("p", [CENTRAL, EXAGGERATED, CUT], ids=["central", "exaggerated", "cut"])
@pytest.mark.parametrize("signal", [2.5, 3.0])  # in the exaggerated set the worse state of the second is at the end of the scale
def test_the_nullclines_cross_at_the_equilibria(p: Parameters, plane: str, signal: float) -> None:
    setting = Setting(signal)
    curves = phase.nullclines(setting, p, plane=plane)
    for one in phase.equilibria(setting, p):
        here = curves.filter((pl.col("pain") - one.pain).abs() < 1e-8)
        level = getattr(one, plane)
        assert here.filter(pl.col("curve") == plane)["level"].to_list() == pytest.approx([level])
        ends = here.filter(pl.col("curve") == "pain")["level"]
        assert ends.min() - 1e-6 <= level <= ends.max() + 1e-6


def test_two_states_appear_and_vanish_where_the_number_of_equilibria_changes() -> None:
    folds = phase.fold(PARTED, EXAGGERATED, "signal", 0.0, 5.0, steps=50)
    assert [(one.below, one.above) for one in folds] == [(1, 3), (3, 1)]
    for one in folds:
        assert one.within_prior is None  # a signal has no prior
        for side, count in ((-1e-6, one.below), (1e-6, one.above)):
            assert len(phase.equilibria(PARTED._replace(signal=one.value + side), EXAGGERATED)) == count


def test_at_a_smooth_fold_exactly_one_point_of_an_added_point_comes_back() -> None:
    steep = BY_HAND._replace(sensitization_pain=0.0, activity_pain_slope=2.0, weakness_pain=5.0, activity_log_odds=9.0)  # no kinks
    folds = phase.fold(PARTED, steep, "signal", 0.0, 5.0, steps=50)
    assert len(folds) == 2
    for one in folds:
        inside = one.value + (1e-6 if one.above > one.below else -1e-6)
        gains = [each.gain for each in phase.equilibria(PARTED._replace(signal=inside), steep)]
        assert min(abs(gain - 1.0) for gain in gains) < 0.01


def test_the_gain_says_how_much_larger_a_change_of_the_signal_becomes() -> None:
    low, high = (phase.equilibria(Setting(5.0 + step), CENTRAL)[0] for step in (-1e-4, 1e-4))
    gain = phase.equilibria(Setting(5.0), CENTRAL)[0].gain
    assert (high.pain - low.pain) / 2e-4 == pytest.approx(1 / (1 - gain), rel=1e-4)


def test_a_bifurcation_follows_its_branches_and_marks_the_range_of_the_prior() -> None:
    frame = phase.bifurcation(PARTED, EXAGGERATED, "sensitization_pain", 0.0, 6.0, steps=60)
    assert frame.filter(pl.col("value") <= 2.5)["within_prior"].all()
    assert not frame.filter(pl.col("value") > 2.51)["within_prior"].any()
    assert frame.group_by("branch").agg(pl.col("stable").n_unique())["stable"].to_list() == [1, 1, 1]
    jumps = frame.sort("branch", "value").select(pl.col("pain").diff().over("branch").abs()).to_series()
    assert jumps.max() < 1.5


@pytest.mark.parametrize("link", LINKS.values())
def test_at_central_values_no_link_of_the_cycle_has_a_tipping_point_in_its_prior(link: str) -> None:
    record = parameters.record(link)
    assert phase.fold(PARTED, CENTRAL, link, record.low, record.high, steps=20) == ()


def test_a_tipping_point_by_way_of_sensitization_lies_outside_its_prior_and_says_so() -> None:
    (first,) = phase.fold(PARTED, CENTRAL, "sensitization_pain", 0.0, 8.0, steps=80)
    assert first.value > parameters.record("sensitization_pain").high
    assert first.within_prior is False
    assert "outside the prior's range" in str(first)


def test_no_prior_draw_gives_a_typical_patient_two_states_at_any_signal() -> None:
    for condition in ("low_back_pain_persistent", "knee_osteoarthritis", "nerve_pain"):
        found = phase.survey(untreated(condition), [parameters.values(draw, 1) for draw in range(40)])
        assert found["stable_states"].to_list() == [1] * 40
        assert found["most_gain"].max() < 1.0
        assert (found["gain"] <= found["most_gain"] + 1e-6).all()


def test_the_furthest_corner_of_the_priors_does_hold_a_tipping_point() -> None:
    """All of these at the unfavorable ends of their ranges at once; no draw comes near, but the ranges do not exclude it."""
    corner = {name: parameters.record(name).high for name in ("weakness_pain", "activity_pain_slope", "sensitization_pain")}
    corner |= {name: parameters.record(name).high for name in ("sensitization_threshold", "sensitization_distress", "sensitization_sleep")}
    corner |= {name: parameters.record(name).high for name in ("activity_distress", "activity_comorbidity")}
    worst = CENTRAL._replace(activity_log_odds=parameters.record("activity_log_odds").low, **corner)
    assert phase.most_gain(Setting(3.0), worst) > 1.0
    assert phase.most_gain(Setting(3.0), CENTRAL) < 0.5


def test_the_mean_patient_without_care_ends_at_the_equilibrium() -> None:
    for condition in ("low_back_pain_persistent", "neck_pain"):
        scenario = untreated(condition)
        (rest,) = phase.equilibria(Setting.of(scenario), CENTRAL)
        last = trajectory(scenario, stepwise=True).row(520, named=True)  # a mean flare is what weekly steps leave of it
        assert last["pain"] == pytest.approx(rest.pain, abs=1e-3)
        assert (last["activity"], last["strength"]) == pytest.approx((100 * rest.activity, 100 * rest.strength), abs=0.02)


def test_the_cohorts_mean_meets_the_equilibrium_as_noise_and_spread_go_to_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    central, known = parameters.values(), catalog.conditions()
    name = "low_back_pain_persistent"
    scenario = untreated(name)
    gaps = []
    for share in (1.0, 0.5, 0.25, 0.0):
        values = {**central, **{spread: share * central[spread] for spread in SPREADS}}
        still = known[name]._replace(pain_sd=max(1e-6, share * known[name].pain_sd), age_sd=share * known[name].age_sd)
        monkeypatch.setattr(catalog, "conditions", lambda still=still: known | {name: still})
        records = execution.follow(scenario.population, scenario.care, values, first=0, patients=400, seed=1, weeks=520)
        late = records[:, 400:, [execution.Recorded.PAIN, execution.Recorded.ACTIVITY, execution.Recorded.STRENGTH]].mean(axis=(0, 1))
        (rest,) = phase.equilibria(Setting.of(scenario, values), parameters.scalars(values))
        gaps.append(np.abs(late - (rest.pain, rest.activity, rest.strength)))
        # the equilibrium is the typical patient's, which all of the spread moves a little: the gap goes with the spread, to nothing
        assert (gaps[-1] <= np.array([0.2, 0.04, 0.04]) * share + 1e-4).all()
    assert gaps[0][0] > 10 * gaps[-1][0] > 0.0


def test_treatment_held_up_leaves_less_pain_and_more_strength() -> None:
    scenario = untreated("low_back_pain_persistent")
    none, half, full = (Setting.of(scenario, held=held) for held in ({}, {"physical_therapy": 0.5}, ["physical_therapy"]))
    values = parameters.values()
    sessions = catalog.treatments()["physical_therapy"].order["sessions_per_week"]
    assert none.training == none.relief == 0.0
    home = scenario.population.adherence * values["home_training"]
    assert full.training == pytest.approx(sessions * values["physical_therapy.strength_gain"] + home)
    assert full.relief == pytest.approx(values["physical_therapy.relief"] + values["physical_therapy.contextual"])
    ends = [phase.equilibria(each, CENTRAL)[0] for each in (none, half, full)]
    assert ends[0].pain > ends[1].pain > ends[2].pain
    assert ends[0].strength < ends[1].strength < ends[2].strength


def test_the_words_say_whether_there_is_a_tipping_point() -> None:
    assert "no tipping point" in phase.in_words(PARTED, CENTRAL)
    assert "3 equilibria" in phase.in_words(PARTED, EXAGGERATED)
    assert "at another there may be more" in phase.in_words(Setting(0.0), EXAGGERATED)
    assert "outside the priors: weakness_pain, sensitization_pain." in phase.in_words(PARTED, EXAGGERATED)
    assert "outside" not in phase.in_words(PARTED, prior_draw(3))


def test_what_cannot_be_used_is_answered_with_the_mend() -> None:
    scenario = untreated("sciatica")
    with pytest.raises(InputError, match='did you mean "physical_therapy"'):
        Setting.of(scenario, held=["physical_terapy"])
    with pytest.raises(InputError, match="share from 0 to 1"):
        Setting.of(scenario, held={"physical_therapy": 1.5})
    with pytest.raises(InputError, match='did you mean "weakness_pain"'):
        phase.fold(PARTED, CENTRAL, "weakness_pian", 0, 1)
    with pytest.raises(InputError, match="low below the high"):
        phase.bifurcation(PARTED, CENTRAL, "signal", 2, 1)
    with pytest.raises(InputError, match="one of strength, activity"):
        phase.nullclines(PARTED, CENTRAL, plane="pain")
    with pytest.raises(InputError, match="at most 1"):
        phase.equilibria(PARTED, CENTRAL._replace(strength_activity_slope=1.2))
    with pytest.raises(InputError, match="at least 0"):
        phase.equilibria(PARTED, CENTRAL._replace(weakness_pain=-0.1))
    with pytest.raises(InputError, match="share from 0 to 1"):
        phase.equilibria(PARTED._replace(relief=2.0), CENTRAL)
