"""Headlines follow what came out: better, worse, or not told apart; none claims what its band does not bear."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import painlab
from painlab import Projection, Scenario
from painlab.analysis.attribution import attribute
from painlab.talk import benefit
from painlab.talk.benefit import Trait
from painlab.talk.brief import Brief, as_run, side
from painlab.talk.doubts import shares_title, sure_title
from painlab.talk.findings import beside, body_title, compare_title, demand_title, verdict

BETTER = {"mme_per_1000": (-200, -300, -100), "pain": (-0.5, -0.7, -0.3), "function": (4, 2, 6)}
WORSE = {"mme_per_1000": (200, 100, 300), "pain": (0.5, 0.3, 0.7), "function": (-4, -6, -2)}
UNTOLD = {"mme_per_1000": (-50, -300, 200), "pain": (-0.02, -0.1, 0.06), "function": (0.3, -1, 2)}
SAME = dict.fromkeys(BETTER, (0, 0, 0))


@pytest.fixture(scope="module")
def run() -> Projection:
    return painlab.simulate("early-pt", patients=20, draws=2, weeks=8)


def made(run: Projection, came_out: dict[str, tuple[float, float, float]]) -> Projection:
    """The run with these differences and bands in every week."""

    def filled(frame: pl.DataFrame) -> pl.DataFrame:
        for name, (value, low, high) in came_out.items():
            mine = pl.col("outcome") == name
            frame = frame.with_columns(
                pl.when(mine).then(1000.0).otherwise("baseline").alias("baseline"),
                pl.when(mine).then(1000.0 + value).otherwise("scenario").alias("scenario"),
                *(
                    pl.when(mine).then(float(one)).otherwise(column).alias(column)
                    for column, one in (("difference", value), ("difference_low", low), ("difference_high", high))
                ),
            )
        return frame

    assert run.averages is not None
    return replace(run, weekly=filled(run.weekly), averages=filled(run.averages))


@pytest.mark.parametrize(
    ("came_out", "demand", "body"),
    [
        (BETTER, "20 % lower", "pain is 0.50 lower, function is 4.0 higher"),
        (WORSE, "20 % higher", "pain is 0.50 higher, function is 4.0 lower"),
        (UNTOLD, "No distinguishable change in opioid demand", "No distinguishable change in pain or function"),
        (SAME, "as in the baseline", "as in the baseline"),
        (BETTER | {"function": UNTOLD["function"]}, "20 % lower", "pain is 0.50 lower, function shows no distinguishable change"),
    ],
)
def test_the_headlines_say_what_came_out(run, came_out, demand, body):
    found = made(run, came_out)
    assert demand in demand_title(found)[0]
    assert body in body_title(found)[0]


def test_less_opioid_with_more_pain_is_not_called_better_health(run):
    found = made(run, BETTER | {"pain": WORSE["pain"]})
    assert verdict(found).text.startswith("Less opioid is not by itself better health: at the worst, pain in week")


def test_more_opioid_with_more_pain_says_both(run):
    assert verdict(made(run, WORSE)).text.startswith("There are weeks in which health is worse")


def test_what_cannot_be_told_is_not_given_a_direction(run):
    found = made(run, UNTOLD)
    for text in (verdict(found).text, beside(found).text, demand_title(found)[0], body_title(found)[0]):
        assert not any(word in text for word in (" lower", " higher", " falls", " rises")), text
    assert "cannot be told" in verdict(found).text and beside(found).text.count("not distinguishable") == 2


def test_without_a_band_nothing_is_called_distinguishable(run):
    one = painlab.simulate("opioids-alone", patients=200, draws=1, weeks=26)
    assert "without a band" in demand_title(one)[0] or "as in the baseline" in demand_title(one)[0]
    assert "without a band" in body_title(one)[0]


def test_plans_are_not_ranked_where_their_bands_overlap(run):
    apart = Brief((made(run, BETTER), made(run, WORSE)), "clinicians", 15)
    overlapping = Brief((made(run, BETTER), made(run, UNTOLD)), "clinicians", 15)
    alike = Brief((made(run, SAME), made(run, SAME)), "clinicians", 15)
    assert compare_title(apart) == "The plans differ in opioid demand"
    assert "does not rank" in compare_title(overlapping)
    assert "the same" in compare_title(alike)


def test_how_sure_the_direction_is_follows_the_band_and_the_error_of_the_mean():
    row = {"mean": -70.0, "low": -90.0, "high": -60.0, "below_zero": 1.0}

    def title(row, error, *, seen):
        return sure_title(row, error, "over two years", runs=200, seen=seen)[0]

    assert "opioid demand falls" in title(row, 6.0, seen=True)
    assert "Not sure that opioid demand" in title(row, 40.0, seen=False)
    assert "do not bear out" in title(row, 40.0, seen=True)
    up = {"mean": 70.0, "low": 60.0, "high": 90.0, "below_zero": 0.0}
    assert "opioid demand rises" in title(up, 6.0, seen=True)
    for other in (row, up):  # the run's own band holds zero, so slide 2 says that the model cannot tell
        assert "Single runs show no distinguishable change in opioid demand" in title(other, 6.0, seen=False)
    for end in (0.0, 20.0):
        assert title(row | {"high": end}, 6.0, seen=True).endswith("leaves open whether opioid demand falls or rises")


def _trait(second: float, spread: float, first: float = -0.1, outcome: int = 1) -> Trait:
    """Two groups whose pain differs by so much from the baseline, with draws spread evenly around."""
    draws = np.zeros((21, 2, 3))
    draws[:, 0, outcome] = first
    draws[:, 1, outcome] = second + np.linspace(-spread, spread, 21)
    people = ("in those with less pain at arrival", "in those with more pain at arrival")
    return Trait("pain", ("Less pain at arrival (under 5.0)", "More pain at arrival (5.0 or above)"), draws, (0.5, 0.5), people, 5.0)


def test_who_benefits_is_said_only_where_groups_are_told_apart():
    assert (
        benefit.headline([_trait(-0.4, 0.1)])[0] == "Most clearly, pain falls more in those with more pain at arrival (-0.40 against -0.10)"
    )
    assert (
        benefit.headline([_trait(-0.02, 0.01)])[0]
        == "Most clearly, pain falls more in those with less pain at arrival (-0.10 against -0.02)"
    )
    small = "The clearest difference between groups is small: pain falls more in those with more pain"
    assert benefit.headline([_trait(-0.12, 0.01)])[0].startswith(small)
    assert "cannot be told" in benefit.headline([_trait(-0.2, 0.3)])[0]
    assert "Too few patients" in benefit.headline([])[0]


def test_groups_with_the_same_printed_figures_are_not_ranked():
    title = benefit.headline([_trait(-0.1049, 0.001, first=-0.0951)])[0]
    assert title == "The clearest difference between groups, in pain by pain at arrival, is lost in rounding (-0.10 against -0.10)"


def test_a_group_whose_own_band_holds_zero_is_not_said_to_fall():
    title = benefit.headline([_trait(-0.3, 0.31, first=0.04)])[0]
    whom, others = "in those with more pain at arrival", "in those with less pain at arrival"
    assert title == f"Most clearly, the change in pain differs {whom} from that {others} (-0.30 against +0.04)"


def test_a_group_that_is_harmed_comes_first():
    assert benefit.headline([_trait(0.4, 0.1)])[0] == "Worse off, most in those with more pain at arrival: pain 0.40 higher"


def test_a_part_is_named_only_where_its_share_is_told_from_zero():
    scenario = Scenario.load("injection-then-pt").change(weeks=8)

    def clear(plans):
        return np.array([np.tile([1000.0 - 100.0 * k, 5.0, 50.0], (20, 1)) for k in range(len(plans))])

    def untold(plans):
        draws = np.linspace(-1.0, 1.0, 20)[:, None] * np.array([500.0, 0.5, 5.0])
        return np.array([np.array([1000.0, 5.0, 50.0]) + k * draws for k in range(len(plans))])

    assert shares_title(attribute(scenario, evaluate=clear))[0].startswith(
        "Opioid demand: the largest distinguishable share comes from physical therapy"
    )
    assert "No part's share" in shares_title(attribute(scenario, evaluate=untold))[0]
    gone = attribute(Scenario.load("opioids-alone").change(weeks=8), evaluate=clear)
    assert "leaving out anti-inflammatory drug" in shares_title(gone)[0]


def test_a_difference_in_words_has_its_band(run):
    found = made(run, BETTER)
    assert side(painlab.narrative.compared(found.weekly, "pain", 8)) == "0.50 lower (-0.70 to -0.30)"


def test_a_run_is_asked_about_as_it_was_run(run):
    cut = painlab.simulate("early-pt", patients=20, draws=2, weeks=8, cut=["weakness_to_pain"])
    asked = as_run(cut)
    assert asked.weeks == 8 and asked.assume is not None and asked.assume.links_cut == ["weakness_to_pain"]
    again = painlab.simulate(asked, patients=20, draws=2)
    assert again.weekly.equals(cut.weekly)
