"""What earned an effect: shares of games that can be worked out by hand, laws of the Shapley value, and the model's own coalitions."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import painlab
from painlab.analysis.attribution import attribute, coalition_plans, components
from painlab.analysis.coalitions import interaction_indices, shapley
from painlab.engine.execution import Cancelled
from painlab.errors import InputError
from painlab.scenario import Scenario

GLOVES = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
"""Player 0 has a left glove, 1 and 2 a right one each; a pair is worth 1."""
worths = st.integers(1, 4).flatmap(lambda n: hnp.arrays(float, 1 << n, elements=st.floats(-100, 100)))


def test_the_one_left_glove_is_worth_two_thirds():
    assert shapley(GLOVES) == pytest.approx([2 / 3, 1 / 6, 1 / 6])


def test_in_an_additive_game_everyone_gets_their_own_and_nobody_interacts():
    own = np.array([3.0, -1.0, 0.5, 7.0])
    worth = np.array([sum(own[i] for i in range(4) if s >> i & 1) for s in range(16)])
    assert shapley(worth) == pytest.approx(own)
    assert interaction_indices(worth) == pytest.approx(np.zeros((4, 4)), abs=1e-12)


def test_what_two_earn_only_together_is_halved_and_shown_as_their_interaction():
    worth = np.array([0.0, 1.0, 2.0, 7.0])
    assert shapley(worth).tolist() == [3.0, 4.0]
    assert interaction_indices(worth).tolist() == [[0.0, 4.0], [4.0, 0.0]]


@given(worths)
def test_shares_add_up_to_what_all_earn(worth):
    assert shapley(worth).sum() == pytest.approx(worth[-1] - worth[0], abs=1e-9)


@given(worths)
def test_a_player_who_never_adds_anything_gets_nothing(worth):
    joined = np.concatenate([worth, worth])  # one more player, the last, who changes nothing
    shares = shapley(joined)
    assert shares[-1] == pytest.approx(0.0, abs=1e-9)
    assert shares[:-1] == pytest.approx(shapley(worth), abs=1e-9)
    assert interaction_indices(joined)[-1] == pytest.approx(0.0, abs=1e-9)


@given(hnp.arrays(float, 8, elements=st.floats(-100, 100)))
def test_players_who_can_be_exchanged_get_the_same(worth):
    swapped = np.array([0, 2, 1, 3, 4, 6, 5, 7])  # bits 0 and 1 exchanged
    shares = shapley((worth + worth[swapped]) / 2)
    assert shares[0] == pytest.approx(shares[1], abs=1e-9)


@pytest.mark.parametrize("worth", [np.zeros(3), np.zeros(1), np.zeros(0), np.array(1.0)])
def test_a_game_needs_the_worth_of_every_coalition(worth):
    with pytest.raises(InputError, match="every coalition"):
        shapley(worth)


def bundle() -> Scenario:
    """Therapy, an injection, coordination and reassessment at once, and the anti-inflammatory drug left out."""
    return Scenario.load("pt-plus-injection").change(
        name="bundle", weeks=26, care={"coordination": 0.8, "reassessment": {"interval_weeks": 4, "review": 0.6}, "anti_inflammatory": None}
    )


def test_components_are_the_tables_that_differ_also_those_left_out():
    assert list(components(bundle()).values()) == [
        ("coordination",), ("reassessment",), ("physical_therapy",), ("epidural_steroid",), ("anti_inflammatory",),
    ]  # fmt: skip


def test_coalitions_run_from_the_baseline_to_the_whole_plan():
    asked = bundle()
    plans = coalition_plans(asked, components(asked))
    assert len(plans) == 32
    assert (plans[0], plans[-1]) == (asked.baseline_plan(), asked.care)
    assert plans[4].treatments["physical_therapy"].start_week == 0
    assert "epidural_steroid" not in plans[4].treatments
    assert plans[4].coordination == 0.2
    assert "anti_inflammatory" not in plans[16].treatments


def test_in_the_model_shares_add_up_to_what_simulate_says_in_every_draw():
    asked = bundle()
    found = attribute(asked, ("cost", "sessions"), patients=200, draws=4, seed=3)
    averages = painlab.simulate(asked, patients=200, draws=4, seed=3).averages
    assert averages is not None
    for name in found.outcomes:
        whole = averages.row(by_predicate=pl.col("outcome") == name, named=True)["difference"]
        assert found.whole.row(by_predicate=pl.col("outcome") == name, named=True)["difference"] == pytest.approx(whole, abs=1e-9)
        assert found.shares.filter(outcome=name)["share"].sum() == pytest.approx(whole, abs=1e-9)
    assert found.outcomes[:3] == ("mme_per_1000", "pain", "function")
    assert found.by_draw.shape == (5, 4, 5)


def test_alone_and_last_are_the_ends_of_the_orders():
    asked = Scenario.load("injection-then-pt").change(weeks=26)
    found = attribute(asked, patients=200, draws=3)
    row = found.shares.row(by_predicate=(pl.col("component") == "Physical therapy") & (pl.col("outcome") == "pain"), named=True)
    alone = painlab.simulate(asked.change(care={"epidural_steroid": None}), patients=200, draws=3)
    assert alone.averages is not None
    expected = alone.averages.row(by_predicate=pl.col("outcome") == "pain", named=True)["difference"]
    assert row["alone"] == pytest.approx(expected, abs=1e-9)
    assert row["share"] == pytest.approx((row["alone"] + row["last"]) / 2, abs=1e-9)  # of two components


def test_one_week_can_be_shared_out_and_draws_are_those_of_simulate():
    asked = Scenario.load("injection-then-pt").change(weeks=20)
    found = attribute(asked, week=13, patients=200, draws=3)
    projected = painlab.simulate(asked, patients=200, draws=3).difference("pain", 13)
    row = found.whole.row(by_predicate=pl.col("outcome") == "pain", named=True)
    assert (row["difference"], row["low"], row["high"]) == pytest.approx(tuple(projected), abs=1e-9)
    assert "in week 13" in str(found)


def test_shares_come_from_an_evaluator_of_the_callers_own():
    asked = Scenario.load("injection-then-pt")

    def evaluate(plans):
        has = np.array(
            [["epidural_steroid" in plan.treatments, plan.treatments["physical_therapy"].start_week == 3] for plan in plans], float
        )
        demand = -100.0 * has[:, 0] + 40.0 * has[:, 1] + 20.0 * has[:, 0] * has[:, 1]
        return np.stack([np.stack([demand + draw, -0.5 * has[:, 0], 0.0 * demand], axis=-1) for draw in range(5)], axis=1)

    found = attribute(asked, evaluate=evaluate)
    rows = {row["component"]: row for row in found.shares.filter(outcome="mme_per_1000").iter_rows(named=True)}
    assert rows["Epidural steroid injection"]["share"] == pytest.approx(-90.0)
    assert rows["Physical therapy"]["share"] == pytest.approx(50.0)
    assert found.interactions.filter(outcome="mme_per_1000")["interaction"].to_list() == pytest.approx([20.0])
    assert "Epidural steroid injection -90 (-90 to -90) and Physical therapy +50" in found.sentence
    assert "the share of Physical therapy is not distinguishable from zero" in found.sentence  # in pain
    assert "the shares of Epidural steroid injection and Physical therapy are not" in found.sentence  # in function


def test_a_band_that_holds_zero_is_said_to_tell_nothing():
    def evaluate(plans):
        whole = np.arange(len(plans), dtype=float)[:, None] * np.array([-1.0, 1.0])
        return np.repeat(whole[:, :, None], 3, axis=2)

    found = attribute("injection-then-pt", evaluate=evaluate)
    assert not found.shares["clear"].any()
    assert "not distinguishable from zero" in found.sentence
    assert "no two components" in str(found)


def test_components_can_be_taken_as_one():
    found = attribute(bundle(), groups={"visits": ["coordination", "reassessment"]}, patients=64, draws=2, weeks=8)
    assert next(iter(found.components)) == "visits"
    assert len(found.components) == 4
    with pytest.raises(InputError, match="no component"):
        attribute(bundle(), groups={"visits": ["coordinaton"]})
    with pytest.raises(InputError, match="two groups"):
        attribute(bundle(), groups={"a": ["coordination"], "b": ["coordination"]})


def test_a_plan_like_its_baseline_has_nothing_to_share_out():
    with pytest.raises(InputError, match="same as its baseline"):
        attribute("usual-care")


def test_more_than_eight_components_are_refused_with_a_way_out():
    every = {
        name: {} for name in ("manual_therapy", "acupuncture", "pain_psychology", "nerve_block", "joint_steroid", "radiofrequency_ablation")
    }
    with pytest.raises(InputError, match="groups="):
        attribute(bundle().change(care=every))


@pytest.mark.parametrize(("key", "value"), [("patients", 0), ("draws", 501), ("week", 105), ("seed", -1), ("outcomes", "mme")])
def test_numbers_and_names_are_checked(key, value):
    with pytest.raises(InputError):
        attribute("early-pt", **{key: value})


def test_a_run_can_be_watched_and_cancelled():
    seen = []
    attribute("injection-then-pt", patients=64, draws=2, weeks=4, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] == 8
    with pytest.raises(Cancelled):
        attribute("injection-then-pt", patients=64, draws=2, weeks=4, cancelled=lambda: True)


def test_one_draw_has_no_band_and_says_so():
    found = attribute("injection-then-pt", patients=64, draws=1, weeks=8)
    assert found.shares["low"].null_count() == found.shares.height
    assert "nothing says how sure" in str(found)
