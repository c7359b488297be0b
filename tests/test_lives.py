"""One and the same patient, many times."""

import polars as pl

from painlab import Scenario
from painlab.engine import execution
from painlab.lives import lives

QUIET = Scenario.load("early-pt")


def test_all_lives_begin_alike_and_part():
    frame = lives(QUIET, number=60, weeks=26)
    assert frame.columns == ["life", "week", "mme", "pain", "function"]
    assert frame.height == 60 * 27
    first, last = (frame.filter(pl.col("week") == week) for week in (0, 26))
    assert first["pain"].max() - first["pain"].min() < 1e-4
    assert first["function"].max() - first["function"].min() < 1e-3
    assert last["pain"].std() > 0.05
    assert frame["function"].is_between(0, 100).all()


def test_they_differ_less_than_the_patients_of_a_population():
    typical = lives(QUIET, number=200, weeks=26).filter(pl.col("week") == 26)["pain"].std()
    people = execution.follow(QUIET.population, QUIET.care, _central(), first=0, patients=200, seed=1, weeks=26)[:, 26, 0].std()
    assert typical < people


def test_the_same_life_has_the_same_chance_under_both_plans():
    same = Scenario.load("usual-care")
    assert lives(same, arm="baseline", number=20, weeks=20).equals(lives(same, arm="scenario", number=20, weeks=20))
    assert lives(QUIET, number=20, weeks=20).equals(lives(QUIET, number=20, weeks=20))
    assert not lives(QUIET, number=20, weeks=20).equals(lives(QUIET, number=20, weeks=20, seed=2))


def test_assumptions_hold_in_each_life():
    cut = QUIET.change(assume={"links_cut": ["pain_to_activity"]})
    assert not lives(cut, number=20, weeks=20).equals(lives(QUIET, number=20, weeks=20))


def _central():
    from painlab import parameters

    return parameters.values()
