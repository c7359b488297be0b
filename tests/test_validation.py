"""Virtual trials run by the model: what the numbers depend on, each kind by hand from patients' own weeks, and the verdict."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest

from painlab import parameters, trials, validation
from painlab.engine import execution
from painlab.outcomes import Recorded
from painlab.trials import Trial
from painlab.validation import COLUMNS, MORE_PATIENTS, Predictions, predict, table

SETS = [parameters.values(draw, 1) for draw in range(3)]
PATIENTS = 60
TRAINED = {
    "prescribing": {"opioid_start": 0.0},
    "physical_therapy": {"start_week": 0, "weeks": 6, "sessions_per_week": 2.0, "completed": 1.0, "wait_weeks": 0.0},
}
PRESCRIBED: dict[str, Any] = {"prescribing": {"opioid_start": 2.0, "first_supply_days": 30.0}}


def one(**changes: Any) -> Trial:
    given = {
        "id": "one", "title": "One", "source": "T05-01", "use": "validate", "population": {"condition": "sciatica"}, "kind": "difference",
        "outcome": "pain", "weeks": (4, 6), "arms": {"trained": TRAINED, "usual": {}},
        "published": {"estimate": -1.0, "low": -2.0, "high": -0.5, "scale": "0-10", "rule": "by hand"},
    }  # fmt: skip
    if changes.get("kind") == "odds_ratio":
        given["published"] = {"estimate": 0.8, "low": 0.5, "high": 1.28, "scale": "odds ratio", "rule": "by hand"}
    return Trial.model_validate(given | changes)


def lives(trial: Trial, arm: str, patients: int, *, place: int = 0, weeks: int = 6, **cut: float) -> np.ndarray:
    """Records of the patients of one set, as the engine gives them."""
    first = place * MORE_PATIENTS * PATIENTS
    values = {**SETS[place], **cut}
    return execution.follow(trial.population, trial.arms[arm], values, first=first, patients=patients, seed=5, weeks=weeks).astype(float)


def run(*chosen: Trial, **options: Any) -> Predictions:
    return predict(chosen, SETS, patients=PATIENTS, seed=5, **options)


# What the numbers depend on

DIFFERENCE = one()
LATER = one(id="later", weeks=(10, 12))
USERS = one(id="users", kind="level", outcome="mme", arms={"usual": PRESCRIBED}, among={"on_opioids": "any", "weeks": (0, 1)}, weeks=(0, 8))
RATIO = one(id="ratio", kind="odds_ratio", outcome="pain_at_most", threshold=4.0)


@pytest.fixture(scope="module")
def together() -> Predictions:
    return run(DIFFERENCE, LATER, USERS, RATIO, threads=1)


def same(found: Predictions, expected: Predictions) -> None:
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_each_set_and_trial_has_a_figure_and_a_standard_error(together: Predictions) -> None:
    assert together.values.shape == together.errors.shape == (3, 4)
    assert np.isfinite(together.values).all()
    assert (together.errors > 0.0).all()


def test_numbers_do_not_depend_on_the_number_of_threads(together: Predictions) -> None:
    same(run(DIFFERENCE, LATER, USERS, RATIO, threads=2), together)


def test_numbers_do_not_depend_on_which_other_trials_are_run(together: Predictions) -> None:
    for place, trial in enumerate((DIFFERENCE, LATER, USERS, RATIO)):
        alone = run(trial)
        same(alone, Predictions(together.values[:, [place]], together.errors[:, [place]]))


def test_numbers_do_not_depend_on_the_chunk_of_sets(together: Predictions) -> None:
    for d in range(3):
        part = predict([DIFFERENCE, RATIO], SETS[d : d + 1], patients=PATIENTS, seed=5, first_set=d)
        same(part, Predictions(together.values[d : d + 1, [0, 3]], together.errors[d : d + 1, [0, 3]]))


def test_sets_may_share_their_patients_so_that_they_differ_by_parameters_alone() -> None:
    alike = predict([DIFFERENCE], [SETS[0], SETS[0]], patients=PATIENTS, seed=5, same_patients=True)
    assert alike.values[0] == alike.values[1]
    apart = predict([DIFFERENCE], [SETS[0], SETS[0]], patients=PATIENTS, seed=5)
    assert apart.values[0] != apart.values[1]
    assert apart.values[0] == alike.values[0]


def test_another_seed_gives_other_patients(together: Predictions) -> None:
    other = predict([DIFFERENCE], SETS, patients=PATIENTS, seed=6)
    assert not np.isclose(other.values[:, 0], together.values[:, 0]).any()


def test_progress_counts_the_sets() -> None:
    said: list[tuple[int, int]] = []
    run(DIFFERENCE, progress=lambda done, total: said.append((done, total)))
    assert said == [(1, 3), (2, 3), (3, 3)]


# Each kind by hand


def test_a_difference_is_the_first_arm_less_the_second_on_the_same_patients(together: Predictions) -> None:
    for place in range(3):
        trained, usual = (lives(DIFFERENCE, arm, PATIENTS, place=place)[:, 4:7, Recorded.PAIN].mean(axis=1) for arm in ("trained", "usual"))
        assert together.values[place, 0] == pytest.approx((trained - usual).mean(), rel=1e-12)
        assert together.errors[place, 0] == pytest.approx((trained - usual).std(ddof=1) / math.sqrt(PATIENTS), rel=1e-12)


def test_an_odds_ratio_holds_the_first_arms_odds_against_the_seconds(together: Predictions) -> None:
    shares = [(lives(RATIO, arm, 4 * PATIENTS)[:, 4:7, Recorded.PAIN].mean(axis=1) <= 4.0).mean() for arm in ("trained", "usual")]
    assert 0.0 < shares[1] < shares[0] < 1.0
    by_hand = (shares[0] / (1 - shares[0])) / (shares[1] / (1 - shares[1]))
    assert together.values[0, 3] == pytest.approx(by_hand, rel=1e-9)


def test_the_standard_error_of_an_odds_ratio_is_that_of_repeated_cohorts() -> None:
    found = predict([RATIO], [SETS[0]] * 60, patients=400, seed=3)  # of which there are four times as many
    assert found.errors.mean() == pytest.approx(found.values.std(ddof=1), rel=0.35)


def test_a_percent_change_holds_two_arms_or_two_weeks_of_one_arm_against_each_other() -> None:
    two = one(kind="percent_change", outcome="strength", weeks=(6, 6))
    single = one(kind="percent_change", outcome="strength", weeks=(6, 6), from_week=2, arms={"usual": {}})
    trained, usual = (lives(two, arm, PATIENTS)[:, :, Recorded.STRENGTH] for arm in ("trained", "usual"))
    found = run(two, single)
    assert found.values[0, 0] == pytest.approx(100.0 * (trained[:, 6].mean() / usual[:, 6].mean() - 1.0), rel=1e-9)
    assert found.values[0, 1] == pytest.approx(100.0 * (usual[:, 6].mean() / usual[:, 2].mean() - 1.0), rel=1e-9)
    ratio = usual[:, 6].mean() / usual[:, 2].mean()
    by_hand = 100.0 * (usual[:, 6] - ratio * usual[:, 2]).std(ddof=1) / math.sqrt(PATIENTS) / usual[:, 2].mean()
    assert found.errors[0, 1] == pytest.approx(by_hand, rel=1e-9)


def test_the_share_that_goes_through_a_link_is_what_is_lost_when_it_is_cut() -> None:
    trial = one(kind="percent_through", through="weakness_to_pain", weeks=(6, 6))
    difference = {}
    for cut in ({}, {"weakness_pain": 0.0}):
        arms = [lives(trial, arm, PATIENTS, **cut)[:, 6, Recorded.PAIN].mean() for arm in ("trained", "usual")]
        difference[bool(cut)] = arms[0] - arms[1]
    by_hand = 100.0 * (1.0 - difference[True] / difference[False])
    assert by_hand != 0.0
    assert run(trial).values[0, 0] == pytest.approx(by_hand, rel=1e-9)


def test_levels_and_shares_are_those_of_the_one_arm() -> None:
    level = one(kind="level", arms={"usual": {}})
    share = one(kind="share", outcome="pain_at_most", threshold=4.0, arms={"usual": {}})
    pain = lives(level, "usual", PATIENTS)[:, 4:7, Recorded.PAIN].mean(axis=1)
    found = run(level, share)
    assert found.values[0] == pytest.approx([pain.mean(), 100.0 * (pain <= 4.0).mean()], rel=1e-12)


def test_nobody_in_the_subgroup_no_odds_and_no_difference_give_no_figure() -> None:
    free = {"prescribing": {"opioid_start": 0.0}}
    nobody = one(kind="level", outcome="pain", arms={"free": free}, among={"on_opioids": "any", "weeks": (0, 1)})
    no_odds = one(kind="odds_ratio", outcome="on_opioids", arms={"free": free, "usual": {}})
    no_change = one(kind="percent_change", outcome="mme", arms={"free": free, "none": free})
    nothing = one(kind="percent_through", through="weakness_to_pain", arms={"free": free, "none": free})
    assert np.isnan(run(nobody, no_odds, no_change, nothing).values).all()


# The table


def row(predicted: list[float], **changes: Any) -> dict[str, Any]:
    values = np.array(predicted)[:, None]
    return table([one(**changes)], Predictions(values, np.zeros_like(values))).row(0, named=True)


def test_the_table_has_its_columns_in_their_order_and_a_row_a_trial(together: Predictions) -> None:
    found = table([DIFFERENCE, LATER, USERS, RATIO], together)
    assert tuple(found.columns) == COLUMNS
    assert found["id"].to_list() == ["one", "later", "users", "ratio"]
    assert found["week"].to_list() == ["4-6", "10-12", "0-8", "4-6"]
    assert found["unit"].to_list() == ["0-10", "0-10", "MME/day", "odds ratio"]
    assert found.schema["inside"] == pl.Boolean
    assert {found.schema[name] for name in ("published", "predicted_low", "gap")} == {pl.Float64}
    assert found["source"][0] == trials.citation(DIFFERENCE)


def test_published_figures_stand_in_the_table_on_the_models_scale() -> None:
    found = row([1.0], published={"estimate": 15.0, "tolerance": 5.0, "scale": "0-100", "factor": -0.1, "rule": "a tenth"})
    assert (found["published"], found["published_low"], found["published_high"]) == pytest.approx((-1.5, -2.0, -1.0))


@pytest.mark.parametrize(("predicted", "inside"), [(-2.0, True), (-0.5, True), (-1.3, True), (-2.0001, False), (-0.4999, False)])
def test_a_trial_is_inside_up_to_the_very_ends_of_the_published_interval(predicted: float, inside: bool) -> None:
    assert row([predicted])["inside"] is inside


def test_the_mean_of_the_sets_decides_and_their_middle_95_percent_is_the_interval() -> None:
    values = np.linspace(-4.0, 1.0, 41)
    found = row(values.tolist())
    assert found["predicted"] == pytest.approx(-1.5)
    assert (found["predicted_low"], found["predicted_high"]) == pytest.approx((-4.0 + 0.025 * 5.0, -4.0 + 0.975 * 5.0))
    assert found["inside"] is True


def test_the_gap_counts_standard_errors_of_the_published_figure() -> None:
    standard_error = (-0.5 - -2.0) / (2 * 1.959963984540054)
    assert row([-0.3])["gap"] == pytest.approx((-0.3 - -1.0) / standard_error)
    ratio = row([1.0], kind="odds_ratio", outcome="on_opioids")
    error = math.log(1.28 / 0.5) / (2 * 1.959963984540054)
    assert ratio["gap"] == pytest.approx((math.log(1.0) - math.log(0.8)) / error)


def test_a_single_set_has_no_predicted_interval() -> None:
    found = row([-1.0])
    assert (found["predicted"], found["predicted_low"], found["predicted_high"]) == (-1.0, None, None)


def test_a_trial_that_the_model_cannot_answer_has_nothing_predicted_and_is_not_inside() -> None:
    found = row([math.nan, math.nan])
    assert [found[name] for name in ("predicted", "predicted_low", "predicted_high", "gap")] == [None] * 4
    assert found["inside"] is False


def test_sets_that_have_an_answer_speak_for_those_that_have_none() -> None:
    assert row([-1.0, math.nan, -2.0])["predicted"] == pytest.approx(-1.5)


def test_the_summary_counts_trials_and_those_inside_by_use() -> None:
    chosen = [one(id="a"), one(id="b"), one(id="c", use="calibrate"), one(id="d")]
    values = np.array([[-1.0, -3.0, -1.0, np.nan]])
    found = validation.summary(table(chosen, Predictions(values, values)))
    assert found.rows() == [("validate", 3, 1, pytest.approx(100 / 3)), ("calibrate", 1, 1, 100.0)]
    assert found.columns == ["use", "trials", "inside", "share"]
