"""Who the patients are: traits drawn from condition, population and seed."""

import numpy as np
import pytest
from scipy import stats

from painlab import catalog, parameters
from painlab.dynamics import activity_target
from painlab.population import Mix, Population, Traits, draw_traits, goal_thresholds, mix, normal_share, patients_condition
from painlab.randomness import Block, uniforms

P = parameters.scalars(parameters.values())


def drawn(
    count: int = 2000, condition: str = "sciatica", seed: int = 4, p: parameters.Parameters = P, **population: object
) -> list[Traits]:
    people = mix(Population.model_validate({"condition": condition, **population}))
    return [draw_traits(seed, patient, catalog.conditions()[condition], people, 4, p) for patient in range(count)]


def column(patients: list[Traits], name: str) -> np.ndarray:
    return np.array([getattr(one, name) for one in patients])


def test_traits_and_states_stay_in_their_bounds() -> None:
    patients = drawn(on_opioids=0.5)
    for name in (
        "distress",
        "poor_sleep",
        "work_demand",
        "comorbidity",
        "adherence",
        "activity",
        "strength",
        "sensitization",
        "tolerance",
        "lasting_share",
    ):
        assert ((column(patients, name) >= 0.0) & (column(patients, name) <= 1.0)).all()
    assert ((column(patients, "age") >= 18) & (column(patients, "age") <= 95)).all()
    assert (column(patients, "treatment_response") > 0.0).all()
    assert set(column(patients, "goal")) == {0, 1, 2, 3}


def test_mean_pain_is_the_conditions_and_eligibility_is_kept() -> None:
    condition = catalog.conditions()["sciatica"]
    wide = column(drawn(minimum_pain=0.0), "pain")
    assert wide.mean() == pytest.approx(condition.pain, abs=0.15)
    assert wide.std() == pytest.approx(condition.pain_sd, rel=0.15)
    severe = column(drawn(minimum_pain=6.0), "pain")
    assert severe.min() >= 6.0 and severe.max() <= 10.0


def test_the_stated_share_is_on_opioids_at_the_stated_dose() -> None:
    patients = drawn(on_opioids=0.4, opioid_dose=30.0, opioid_weeks=80)
    dose = column(patients, "dose")
    assert (dose > 0).mean() == pytest.approx(0.4, abs=0.04)
    assert np.median(dose[dose > 0]) == pytest.approx(30.0, rel=0.1)
    assert set(column(patients, "weeks_on")) == {0.0, 80.0}
    assert not column(drawn(200), "dose").any()


def test_means_follow_what_the_population_states() -> None:
    low, high = drawn(500, distress=0.2, adherence=0.3), drawn(500, distress=0.7, adherence=0.8)
    assert column(high, "distress").mean() - column(low, "distress").mean() == pytest.approx(0.5, abs=0.05)
    assert column(high, "adherence").mean() - column(low, "adherence").mean() == pytest.approx(0.5, abs=0.05)
    assert column(drawn(500, age=70.0), "age").mean() == pytest.approx(70.0, abs=2.0)
    assert column(drawn(2000, prior_treatment=0.35), "prior_treatment").mean() == pytest.approx(0.35, abs=0.04)


def test_a_patient_does_not_depend_on_how_many_others_there_are() -> None:
    assert drawn(50)[:10] == drawn(10)
    assert drawn(10, seed=5) != drawn(10, seed=4)


def test_without_weeks_of_pain_before_a_patient_arrives_as_a_healthy_one_moves() -> None:
    fresh = catalog.conditions()["sciatica"]._replace(weeks_before=0.0)
    one = draw_traits(1, 0, fresh, mix(Population(condition="sciatica")), 1, P)
    assert one.activity == pytest.approx(activity_target(0.0, one.distress, one.comorbidity, 0.0, 0.0, P))
    assert one.sensitization == 0.0
    long = draw_traits(1, 0, fresh._replace(weeks_before=500.0), mix(Population(condition="sciatica")), 1, P)
    assert long.activity == pytest.approx(activity_target(one.pain, one.distress, one.comorbidity, 0.0, 0.0, P))
    assert long.strength < one.strength


def test_goals_are_mixed_or_one() -> None:
    assert goal_thresholds(Population(condition="sciatica")).shape == (len(catalog.goals()), 2)
    assert goal_thresholds(Population(condition="sciatica", goal="gym")).tolist() == [list(catalog.goals()["gym"])]
    shares = np.bincount(column(drawn(), "goal").astype(int), minlength=4) / 2000
    assert shares == pytest.approx([0.25] * 4, abs=0.04)


def test_a_plain_loop_draws_what_the_compiled_one_does() -> None:
    """In double and in single precision, as far as normal quantiles in single precision go."""
    people, condition = mix(Population(condition="sciatica", on_opioids=0.5)), catalog.conditions()["sciatica"]
    in_single = [type(one)(*map(np.float32, one)) for one in (condition, people, P)]
    for patient in range(40):
        plain = tuple(draw_traits.py_func(7, patient, condition, people, 4.0, P))
        assert tuple(draw_traits(7, patient, condition, people, 4.0, P)) == pytest.approx(plain, rel=1e-3, abs=1e-3)
        single = draw_traits(7, patient, *in_single[:2], np.float32(4.0), in_single[2])
        assert tuple(single) == pytest.approx(plain, rel=1e-3, abs=1e-3)


def test_pain_at_arrival_is_a_normal_distribution_cut_at_eligibility_and_at_ten() -> None:
    condition = catalog.conditions()["sciatica"]._replace(pain=6.0, pain_sd=2.0)
    people = mix(Population(condition="sciatica", minimum_pain=4.0))
    pain = [draw_traits(1, patient, condition, people, 1, P).pain for patient in range(4000)]
    assert stats.kstest(pain, stats.truncnorm(-1.0, 2.0, loc=6.0, scale=2.0).cdf).pvalue > 0.001
    assert min(pain) >= 4.0 and max(pain) <= 10.0


@pytest.mark.parametrize(("mean", "minimum"), [(0.0, 9.0), (10.0, 0.0), (1.0, 9.0)])
def test_pain_is_possible_even_where_eligibility_leaves_almost_no_one(mean: float, minimum: float) -> None:
    condition = catalog.conditions()["sciatica"]._replace(pain=mean, pain_sd=0.5)
    people = mix(Population(condition="sciatica", minimum_pain=minimum))
    for patient in range(200):
        one = draw_traits(1, patient, condition, people, 1, P)
        assert minimum <= one.pain <= 10.0
        assert all(np.isfinite(one))


def test_the_normal_share_is_the_normal_distribution_function() -> None:
    x = np.linspace(-6.0, 6.0, 241)
    assert [normal_share(one) for one in x] == pytest.approx(stats.norm.cdf(x), abs=7.5e-8)


def test_responses_vary_about_a_mean_of_one_and_the_conditions_response_to_opioids() -> None:
    p = P._replace(response_spread=0.4, prior_response_loss=0.25)
    condition = catalog.conditions()["sciatica"]._replace(opioid_response=0.6)
    for prior, mean in ((0.0, 1.0), (1.0, 0.75)):
        people = mix(Population(condition="sciatica", prior_treatment=prior))
        patients = [draw_traits(2, patient, condition, people, 1, p) for patient in range(4000)]
        assert column(patients, "treatment_response").mean() == pytest.approx(mean, rel=0.03)
        assert column(patients, "opioid_response").mean() == pytest.approx(0.6, rel=0.03)
        assert np.log(column(patients, "treatment_response")).std() == pytest.approx(0.4, rel=0.05)
        assert set(column(patients, "prior_treatment")) == {prior}


def test_traits_of_body_mind_and_life_are_drawn_apart() -> None:
    patients = drawn(3000, on_opioids=0.5, prior_treatment=0.5)
    names = ("pain", "lasting_share", "age", "distress", "poor_sleep", "work_demand", "comorbidity", "prior_treatment", "adherence", "goal")
    together = np.corrcoef([column(patients, name) for name in (*names, "opioid_response", "weeks_on")])
    assert np.abs(together - np.eye(len(together))).max() < 0.08


@pytest.mark.parametrize("name", ["distress", "poor_sleep", "work_demand", "comorbidity", "adherence"])
def test_each_trait_follows_the_mean_that_the_population_states_for_it_alone(name: str) -> None:
    p = P._replace(trait_spread=0.1)
    low, high = drawn(400, p=p, **{name: 0.3}), drawn(400, p=p, **{name: 0.6})
    assert column(high, name).mean() == pytest.approx(0.6, abs=0.03)
    others = {"distress", "poor_sleep", "work_demand", "comorbidity", "adherence", "pain", "age", "goal", "dose"} - {name}
    for other in others:
        assert (column(high, other) == column(low, other)).all(), other


def test_another_dose_or_share_on_opioids_leaves_every_other_trait_alone() -> None:
    """Common random numbers: a population that differs in one respect differs in that alone."""
    none, some = drawn(200), drawn(200, on_opioids=0.5)
    for name in ("pain", "age", "distress", "adherence", "goal", "opioid_response", "activity", "strength", "sensitization"):
        assert (column(none, name) == column(some, name)).all(), name
    more = drawn(200, on_opioids=0.7)
    assert ((column(more, "dose") > 0) >= (column(some, "dose") > 0)).all()


def test_tolerance_at_arrival_grows_with_weeks_and_dose_and_only_on_opioids() -> None:
    p = P._replace(dose_spread=0.0, tolerance_half_dose=60.0, tolerance_time=20.0)
    one = drawn(1, p=p, on_opioids=1.0, opioid_dose=60.0, opioid_weeks=40)[0]
    assert one.dose == pytest.approx(60.0)
    assert one.tolerance == pytest.approx(0.5 * (1.0 - np.exp(-2.0)))
    assert not column(drawn(50, p=p), "tolerance").any()
    assert not column(drawn(50, p=p), "weeks_on").any()
    assert column(drawn(50, p=P._replace(dose_spread=3.0), on_opioids=1.0, opioid_dose=200.0), "dose").max() == 400.0


def test_the_state_at_arrival_goes_from_healthy_to_settled_with_the_weeks_of_pain() -> None:
    base = catalog.conditions()["sciatica"]
    people = mix(Population(condition="sciatica", minimum_pain=6.0))
    p = P._replace(activity_time=4.0, strength_loss_time=20.0, sensitization_time=30.0, sensitization_threshold=4.0)
    p = p._replace(activity_pain_slope=0.3, strength_activity_slope=0.5)
    states = [draw_traits(1, 3, base._replace(weeks_before=float(weeks)), people, 1, p) for weeks in (0, 4, 30, 10_000)]
    start, some, _, settled = states
    for name, moved in (("activity", np.exp(-4 / 4)), ("strength", np.exp(-4 / 20)), ("sensitization", np.exp(-4 / 30))):
        values = [getattr(one, name) for one in states]
        assert np.all(np.diff(values) > 0) if name == "sensitization" else np.all(np.diff(values) < 0), name
        by_hand = getattr(settled, name) + (getattr(start, name) - getattr(settled, name)) * moved
        assert getattr(some, name) == pytest.approx(by_hand, rel=1e-9), name
    usual = activity_target(0.0, start.distress, start.comorbidity, 0.0, 0.0, p)
    assert start.strength == pytest.approx(1.0 - 0.5 * (1.0 - usual))
    assert settled.strength == pytest.approx(1.0 - 0.5 * (1.0 - settled.activity))


def test_goals_are_taken_equally_often_whatever_their_number() -> None:
    people, condition = mix(Population(condition="sciatica")), catalog.conditions()["sciatica"]
    for goals in (1, 3, 7):
        counts = np.bincount([int(draw_traits(3, patient, condition, people, goals, P).goal) for patient in range(3000)])
        assert len(counts) == goals
        assert stats.chisquare(counts).pvalue > 0.001 if goals > 1 else counts.tolist() == [3000]


def test_mixed_goals_hold_every_goals_own_thresholds() -> None:
    assert goal_thresholds(Population(condition="sciatica")).tolist() == [list(one) for one in catalog.goals().values()]
    for name, thresholds in catalog.goals().items():
        assert goal_thresholds(Population(condition="sciatica", goal=name)).tolist() == [list(thresholds)]


def test_the_mix_is_what_the_population_states_and_the_conditions_age_if_none_is() -> None:
    stated = {
        "minimum_pain": 3.5, "on_opioids": 0.15, "opioid_dose": 35.0, "opioid_weeks": 77, "age": 61.0, "distress": 0.35, "poor_sleep": 0.45,
        "work_demand": 0.55, "comorbidity": 0.65, "prior_treatment": 0.75, "adherence": 0.85, "maximum_pain": 8.5, "diagnosed": 0.9,
        "rest_weeks": 2,
    }  # fmt: skip
    assert mix(Population.model_validate({"condition": "sciatica", **stated})) == Mix(**{name: float(one) for name, one in stated.items()})
    for name, condition in catalog.conditions().items():
        assert mix(Population(condition=name)).age == condition.age


def test_the_course_of_the_pain_varies_about_the_conditions_by_a_draw_of_its_own() -> None:
    condition = catalog.conditions()["sciatica"]
    people = mix(Population(condition="sciatica"))
    p = P._replace(course_time_spread=0.6)
    patients = [draw_traits(5, patient, condition, people, 1, p) for patient in range(4000)]
    for patient in range(10):
        u = uniforms(5, patient, 0, Block.TRAITS_BODY, 0)[5]
        assert patients[patient].course_weeks == pytest.approx(condition.course_weeks * np.exp(0.6 * stats.norm.ppf(u)), rel=5e-4)
    logs = np.log(column(patients, "course_weeks") / condition.course_weeks)
    assert (logs.mean(), logs.std()) == pytest.approx((0.0, 0.6), abs=0.03)
    for other in ("pain", "lasting_share", "age", "treatment_response", "distress", "dose"):
        still = [getattr(draw_traits(5, patient, condition, people, 1, P._replace(course_time_spread=0.0)), other) for patient in range(50)]
        assert still == [getattr(one, other) for one in patients[:50]], other
    assert draw_traits(5, 0, condition, people, 1, P._replace(course_time_spread=0.0)).course_weeks == condition.course_weeks


def test_each_patient_has_a_factor_of_the_first_dose_and_of_the_first_supply() -> None:
    """Log-normal, by draws of their own; the dose of those already on opioids has the same factor."""
    p = P._replace(dose_spread=0.5, first_supply_spread=0.8)
    patients = drawn(3000, p=p, on_opioids=0.5, opioid_dose=30.0)
    for name, spread, place in (("dose_factor", 0.5, 1), ("supply_factor", 0.8, 2)):
        logs = np.log(column(patients, name))
        assert (logs.mean(), logs.std()) == pytest.approx((0.0, spread), abs=0.04)
        draws = [uniforms(4, patient, 0, Block.TRAITS_OPIOID, 0)[place] for patient in range(10)]
        assert logs[:10] == pytest.approx(spread * stats.norm.ppf(draws), abs=1e-3)
    on = column(patients, "dose") > 0.0
    assert column(patients, "dose")[on] == pytest.approx(30.0 * column(patients, "dose_factor")[on], rel=1e-6)
    assert abs(np.corrcoef(column(patients, "dose_factor"), column(patients, "supply_factor"))[0, 1]) < 0.08


def test_some_stop_opioids_more_easily_than_others_about_the_conditions_ease() -> None:
    condition = catalog.conditions()["sciatica"]._replace(opioid_stop=1.4)
    people, p = mix(Population(condition="sciatica")), P._replace(stop_spread=0.7)
    ease = np.log([draw_traits(6, patient, condition, people, 1, p).stop_ease / 1.4 for patient in range(3000)])
    assert (ease.mean(), ease.std()) == pytest.approx((0.0, 0.7), abs=0.05)


def test_a_trials_limits_of_pain_are_kept_on_both_sides() -> None:
    condition = catalog.conditions()["sciatica"]._replace(pain=6.0, pain_sd=2.0)
    people = mix(Population(condition="sciatica", minimum_pain=4.0, maximum_pain=7.0))
    pain = [draw_traits(1, patient, condition, people, 1, P).pain for patient in range(4000)]
    assert stats.kstest(pain, stats.truncnorm(-1.0, 0.5, loc=6.0, scale=2.0).cdf).pvalue > 0.001
    assert min(pain) >= 4.0 and max(pain) <= 7.0
    for low, high in ((5.0, 5.0), (6.0, 4.0)):
        with pytest.raises(ValueError, match=rf"minimum_pain is {low:g} and maximum_pain {high:g}; expected a range"):
            Population(condition="sciatica", minimum_pain=low, maximum_pain=high)


def test_a_population_may_state_its_own_pain_and_takes_the_rest_from_the_condition() -> None:
    central, values = catalog.conditions()["sciatica"], parameters.values()
    assert patients_condition(Population(condition="sciatica"), values) == central
    stated = patients_condition(Population(condition="sciatica", pain=3.5, pain_sd=1.1, weeks_before=26), values)
    assert (stated.pain, stated.pain_sd, stated.weeks_before) == (3.5, 1.1, 26.0)
    assert stated._replace(pain=central.pain, pain_sd=central.pain_sd, weeks_before=central.weeks_before) == central
    other = patients_condition(Population(condition="sciatica"), dict(values) | {"sciatica.course_weeks": 3.25})
    assert other == central._replace(course_weeks=3.25)
