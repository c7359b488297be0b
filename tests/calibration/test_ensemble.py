"""The smoother's step against what is known in closed form, and the scale on which it works."""

import math

import numpy as np
import pytest

from painlab import parameters
from painlab.calibration.ensemble import FARTHEST, assimilate, free_parameters, perturbations, prior_scores, values_of
from painlab.calibration.run import smooth

MEMBERS = 4000
G = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, -1.0], [0.7, 0.0, 0.7], [1.0, 1.0, 1.0]])
OBSERVED, ERRORS = np.array([1.0, -0.5, 0.8, 0.4]), np.array([0.5, 0.7, 0.4, 1.0])
NAMES = ("one", "two", "three", "four")


def normal(members: int, count: int, seed: int = 1) -> np.ndarray:
    """An ensemble with exactly the mean 0 and the covariance 1 of the prior."""
    drawn = np.random.default_rng(seed).standard_normal((members, count))
    drawn -= drawn.mean(axis=0)
    return drawn @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(drawn.T)))).T


# The step


def test_one_parameter_and_one_observation_by_hand() -> None:
    """Prior N(0, 1), observation 2 with an error of 1: the gain is one half, and each member moves half of the way it misses."""
    scores = normal(1000, 1)
    noise = np.zeros((1000, 1))
    moved = assimilate(scores, scores, np.array([2.0]), np.array([1.0]), 1.0, noise)
    assert moved == pytest.approx(scores + 0.5 * (2.0 - scores), rel=1e-9)


@pytest.mark.parametrize("steps", [1, 4, 16])
def test_for_a_linear_model_many_small_steps_reproduce_the_posterior_in_closed_form(steps: int) -> None:
    precision = np.eye(3) + G.T @ np.diag(ERRORS**-2.0) @ G
    covariance = np.linalg.inv(precision)
    mean = covariance @ G.T @ (OBSERVED / ERRORS**2)

    def predict(step: int, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return scores @ G.T, np.zeros((MEMBERS, 4))

    found = smooth(predict, normal(MEMBERS, 3), OBSERVED, ERRORS, NAMES, seed=1, steps=steps)
    assert found.mean(axis=0) == pytest.approx(mean, abs=4.0 * math.sqrt(covariance.max() / MEMBERS))
    assert np.cov(found.T) == pytest.approx(covariance, abs=5.0 * covariance.max() * math.sqrt(2.0 / MEMBERS))


def test_the_error_of_finite_cohorts_widens_the_posterior() -> None:
    """Prior N(0, 1), observed 4: published variance 1, and 2 from a step's patients, so 2/4 from those of four steps: 1.5 in all.

    The posterior variance is 1 / (1 + 1 / 1.5) = 0.6, its mean 0.6 x 4 / 1.5 = 1.6.
    """

    def predict(step: int, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return scores, np.full(scores.shape, math.sqrt(2.0))

    found = smooth(predict, normal(MEMBERS, 1), np.array([4.0]), np.array([1.0]), ("one",), seed=3, steps=4)
    assert found.mean() == pytest.approx(1.6, abs=0.05)
    assert found.var(ddof=1) == pytest.approx(0.6, rel=0.1)


def test_an_observation_that_is_correlated_with_nothing_moves_nothing() -> None:
    scores = normal(500, 3)
    alone = np.linalg.qr(np.column_stack([np.ones(500), scores, np.random.default_rng(2).standard_normal(500)]))[0][:, -1:]
    moved = assimilate(scores, alone * math.sqrt(500), np.array([50.0]), np.array([0.1]), 1.0, np.zeros((500, 1)))
    np.testing.assert_array_equal(moved, scores)


def test_an_observation_moves_only_the_parameters_that_it_depends_on() -> None:
    scores = normal(500, 3)
    moved = assimilate(scores, scores[:, :1], np.array([2.0]), np.array([0.5]), 1.0, np.zeros((500, 1)))
    np.testing.assert_array_equal(moved[:, 1:], scores[:, 1:])
    assert moved[:, 0].mean() == pytest.approx(2.0 / 1.25, rel=1e-6)


def test_the_same_prediction_from_all_members_says_nothing() -> None:
    scores = normal(400, 2)
    moved = assimilate(scores, np.full((400, 1), 3.0), np.array([5.0]), np.array([0.1]), 1.0, np.zeros((400, 1)))
    np.testing.assert_array_equal(moved, scores)


def test_an_observation_that_a_few_members_cannot_answer_still_informs_by_the_others() -> None:
    scores = normal(1000, 1)
    predicted = scores.copy()
    predicted[::100] = np.nan
    moved = assimilate(scores, predicted, np.array([2.0]), np.array([1.0]), 1.0, np.zeros((1000, 1)))
    assert np.isfinite(moved).all()
    assert moved.mean() == pytest.approx(1.0, abs=0.05)


def test_an_observation_that_no_member_can_answer_says_nothing() -> None:
    scores = normal(400, 2)
    predicted = np.column_stack([scores[:, 0], np.full(400, np.nan)])
    one = assimilate(scores, predicted[:, :1], np.array([2.0]), np.array([1.0]), 1.0, np.zeros((400, 1)))
    both = assimilate(scores, predicted, np.array([2.0, 7.0]), np.array([1.0, 1.0]), 1.0, np.zeros((400, 2)))
    assert both == pytest.approx(one, rel=1e-9)


# Chance


def test_perturbations_are_functions_of_what_they_are_for() -> None:
    drawn = perturbations(6, 1, 2, ("one", "two", "three"))
    np.testing.assert_array_equal(perturbations(3, 1, 2, ("one", "two", "three")), drawn[:3])
    np.testing.assert_array_equal(perturbations(6, 1, 2, ("three", "one")), drawn[:, [2, 0]])
    for other in (perturbations(6, 2, 2, ("one",)), perturbations(6, 1, 3, ("one",)), perturbations(6, 1, 2, ("four",))):
        assert not np.isclose(other[:, 0], drawn[:, 0]).any()


def test_perturbations_are_standard_normal_and_independent() -> None:
    drawn = perturbations(2000, 1, 0, ("one", "two"))
    assert drawn.mean(axis=0) == pytest.approx([0.0, 0.0], abs=0.08)
    assert np.cov(drawn.T) == pytest.approx(np.eye(2), abs=0.1)


# The scale


def test_free_are_the_parameters_that_have_a_range() -> None:
    free = {one.name for one in free_parameters()}
    for one in parameters.records().values():
        assert (one.name in free) == (one.distribution != "fixed" and one.low < one.high), one.name


def test_scores_of_the_prior_are_its_draws() -> None:
    scores = prior_scores(3, seed=7)
    for draw, values in enumerate(values_of(scores)):
        assert values == pytest.approx(dict(parameters.values(draw, 7)), rel=1e-9)
    np.testing.assert_array_equal(prior_scores(2, seed=7, first=1), scores[1:])


def test_a_score_of_0_is_the_median_and_scores_beyond_four_are_held() -> None:
    free = free_parameters()
    middle, far, farthest = values_of(np.array([[0.0] * len(free), [9.0] * len(free), [FARTHEST] * len(free)]))
    for one in free:
        assert middle[one.name] == pytest.approx(one.quantile(0.5), rel=1e-12)
        assert far[one.name] == farthest[one.name]
        if one.distribution == "lognormal":
            assert middle[one.name] == pytest.approx(one.value)
        else:
            assert one.low <= far[one.name] <= one.high
