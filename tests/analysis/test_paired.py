"""Cohorts under many parameter sets: shapes, whole against parts, and what parameters cause apart from chance."""

import numpy as np
import pytest

import painlab
from painlab import InputError, parameters, posterior
from painlab.analysis import paired
from painlab.engine.execution import Cancelled


def asked(**changes):
    return paired.request(changes.pop("scenario", "early-pt"), changes.pop("outcome", "pain"), None, changes.pop("patients", 512), 1)


def test_differences_are_those_that_simulate_gives():
    request = asked(patients=512)
    runs = paired.levels(request, [posterior.values(draw, 1) for draw in range(3)], cohorts=1)
    found = paired.differences(runs)[0].mean(axis=0)
    averages = painlab.simulate("early-pt", patients=512, draws=3, seed=1).averages
    for place, name in enumerate(request.outcomes):
        assert found[place] == pytest.approx(averages.filter(averages["outcome"] == name)["difference"][0], rel=1e-12)


def test_common_patients_make_equal_sets_equal_and_own_patients_do_not():
    sets = [posterior.values()] * 2
    same = paired.differences(paired.levels(asked(), sets, common=True))
    own = paired.differences(paired.levels(asked(), sets))
    assert np.array_equal(same[:, 0], same[:, 1])
    assert not np.array_equal(own[:, 0], own[:, 1])
    assert not np.array_equal(same[0], same[1])


def test_numbers_do_not_depend_on_threads():
    sets = [posterior.values(draw) for draw in range(4)]
    assert np.array_equal(paired.levels(asked(), sets, threads=1), paired.levels(asked(), sets, threads=2))


def test_the_variance_that_parameters_cause_is_found_in_noise_of_four_times_its_size():
    generator = np.random.default_rng(3)
    truth = generator.normal(0.0, 2.0, 4000)
    runs = truth + generator.normal(0.0, 4.0, (2, 4000))
    assert float(paired.caused_by_parameters(runs)) == pytest.approx(4.0, abs=1.0)
    assert float(runs.mean(axis=0).var()) > 10.0
    by_hand = np.cov(runs[0], runs[1])[0, 1]
    assert float(paired.caused_by_parameters(runs)) == pytest.approx(by_hand)


def test_parameters_that_a_scenario_sets_are_not_free():
    scenario = painlab.Scenario.load("early-pt")
    held = scenario.change(assume={"values": {"weakness_pain": 1.0}, "links_cut": ["pain_to_activity"]})
    assert set(paired.free(scenario)) - set(paired.free(held)) == {"weakness_pain", "activity_pain_slope"}
    with pytest.raises(InputError, match="one value only"):
        paired.known_parameters(["weakness_pain"], held)
    with pytest.raises(InputError, match="did you mean"):
        paired.known_parameters(["weaknes_pain"], scenario)


def test_quantiles_come_from_the_prior_or_from_the_posterior_s_own_draws():
    middle = np.array([0.5])
    assert paired.quantiles("weakness_pain", middle, "prior")[0] == pytest.approx(parameters.record("weakness_pain").quantile(0.5))
    assert paired.quantiles("weakness_pain", middle, "posterior")[0] == pytest.approx(posterior.values()["weakness_pain"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"scenario": "early-ptt"}, "there is no scenario"),
        ({"outcome": "pian"}, 'did you mean "pain"'),
        ({"patients": 1}, "patients is 1"),
        ({"outcome": "mme_total"}, "unknown outcome"),
    ],
)
def test_a_request_that_cannot_be_run_is_refused(changes, said):
    with pytest.raises(InputError, match=said):
        asked(**changes)


def test_a_run_that_is_cancelled_has_no_result():
    with pytest.raises(Cancelled):
        paired.levels(asked(), [posterior.values()], cancelled=lambda: True)
