"""Who the patients are: traits drawn from condition, population and seed."""

import numpy as np
import pytest

from painlab import catalog, parameters
from painlab.dynamics import activity_target
from painlab.population import Population, Traits, draw_traits, goal_thresholds, mix

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
    shares = np.bincount(column(drawn(), "goal"), minlength=4) / 2000
    assert shares == pytest.approx([0.25] * 4, abs=0.04)
