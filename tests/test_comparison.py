"""compare(): paired where patients are the same, silent where they are not, and sentences that follow the numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from painlab import InputError, Scenario, compare, simulate
from painlab.contrasts import ALIKE, contrast
from painlab.narrative import Compared
from painlab.projection import COLUMNS
from painlab.simulation import simulate_draws

RUN: dict[str, Any] = {"patients": 60, "draws": 4, "weeks": 10, "seed": 3}
EARLY = Scenario.load("early-pt")


@pytest.fixture(scope="module")
def found():
    return compare(["early-pt", "opioids-alone", "injection-alone"], **RUN)


def test_each_scenario_has_what_simulate_gives_for_it(found) -> None:
    for name in found.names:
        alone = simulate(name, **RUN)
        own = ["week", "outcome", *COLUMNS[2:]]
        assert_frame_equal(found.weekly.filter(name=name).select(own), alone.weekly.select(own), check_exact=True)
        assert alone.averages is not None
        assert_frame_equal(found.averages.filter(name=name).select(own[1:]), alone.averages.select(own[1:]), check_exact=True)


def test_the_difference_from_the_first_is_that_of_the_same_patients_draw_by_draw(found) -> None:
    first, second = (simulate_draws(name, **RUN).means[:, 1, 6] for name in found.names[:2])  # pain under each one's own care
    by_draw = second - first
    rows = found.weekly.filter(name="opioids-alone", outcome="pain")
    np.testing.assert_allclose(rows["from_first"], by_draw.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(rows["from_first_low"], np.quantile(by_draw, 0.025, axis=0), atol=1e-12)
    over = by_draw.mean(axis=1)
    pair = found.pair("opioids-alone", "early-pt", "pain")
    assert (pair.difference, pair.low, pair.high) == pytest.approx((over.mean(), *np.quantile(over, (0.025, 0.975))))
    assert found.pairs.filter(outcome="pain")["told_apart"].to_list() == [pair.direction != 0]


def test_the_common_baseline_makes_both_differences_add_up(found) -> None:
    """A less baseline, less B less baseline, is A less B where both have the same baseline and patients."""
    averages = {name: found.averages.filter(name=name) for name in ("early-pt", "opioids-alone")}
    between = averages["opioids-alone"]["difference"] - averages["early-pt"]["difference"]
    np.testing.assert_allclose(averages["opioids-alone"]["from_first"], between, atol=1e-9)


def test_a_pair_asked_the_other_way_round_has_the_other_sign(found) -> None:
    one, other = (found.pair(*names, "pain") for names in (("opioids-alone", "early-pt"), ("early-pt", "opioids-alone")))
    assert (other.difference, other.low, other.high) == (-one.difference, -one.high, -one.low)
    assert (other.baseline, other.scenario) == (one.scenario, one.baseline)


def test_no_difference_is_taken_between_other_patients(found) -> None:
    assert found.groups == ((0, 1), (2,))
    others = found.weekly.filter(name="injection-alone")
    assert not others["paired"].any()
    assert others["from_first"].null_count() == others.height
    assert found.pair("injection-alone", "early-pt", "pain") is None
    said = " ".join(found.sentences)
    assert "only these have the same patients, so that their differences are paired: early-pt and opioids-alone" in said
    assert "injection-alone has patients of its own" in said
    assert "among those with the same patients" in found.headline


def test_all_with_other_patients_is_said() -> None:
    made = compare(["early-pt", "clinic-early-pt"], patients=20, draws=2, weeks=4)
    assert "their patients differ, so that no difference between them is paired and none is taken" in made.sentences[0]
    assert made.pairs.is_empty() and "patients of its own" in made.headline
    assert "mme_total" in made.weekly.filter(name="clinic-early-pt")["outcome"].to_list()


def test_open_cohorts_of_one_population_are_paired() -> None:
    clinic = Scenario.load("clinic-early-pt")
    later = clinic.change(name="later", care={"physical_therapy": {"start_week": 8}})
    made = compare([clinic, later], patients=40, draws=2, weeks=6)
    assert made.groups == ((0, 1),)
    alone = simulate(later, patients=40, draws=2, weeks=6).level_of("mme_total", 6).mean
    before = simulate(clinic, patients=40, draws=2, weeks=6).level_of("mme_total", 6).mean
    row = made.weekly.row(by_predicate=(pl.col("name") == "later") & (pl.col("outcome") == "mme_total") & (pl.col("week") == 6), named=True)
    assert row["from_first"] == pytest.approx(alone - before)


def test_a_scenario_against_itself_is_the_same_and_told_so() -> None:
    made = compare([EARLY, EARLY], **RUN)
    assert made.names == ("early-pt", "early-pt-2")
    assert made.contrasts["early-pt-2"] == (ALIKE,)
    assert (made.averages.filter(name="early-pt-2")["from_first"] == 0.0).all()
    assert not made.pairs["told_apart"].any()
    assert "Pain is the same with both." in made.sentences
    assert made.headline.endswith("opioid demand, pain and function the same")


def test_a_name_given_to_a_second_one_is_no_other_scenarios_name() -> None:
    second = EARLY.change(name="early-pt-2")
    assert compare([EARLY, EARLY, second], patients=5, draws=1, weeks=1).names == ("early-pt", "early-pt-3", "early-pt-2")


def test_the_shortest_horizon_is_taken_and_said() -> None:
    made = compare([EARLY.change(weeks=9), "late-pt"], patients=10, draws=2)
    assert made.weeks == 9 and made.weekly["week"].max() == 9
    assert "the shortest of their horizons, which run from 9 to 104 weeks" in made.sentences[0]
    assert compare(["early-pt", "late-pt"], patients=10, draws=1, weeks=3).weekly["week"].max() == 3


def test_one_draw_says_that_nothing_is_known_of_chance() -> None:
    made = compare(["early-pt", "opioids-alone"], patients=20, draws=1, weeks=5)
    assert made.pairs["told_apart"].null_count() == made.pairs.height
    assert "nothing says which differences are clear" in made.sentences[-1]
    assert made.headline.endswith("(one run)")


@pytest.mark.parametrize(
    ("pain", "said"),
    [
        ((0.3, 0.2, 0.4), "Less opioid is not by itself better health."),
        ((-0.3, -0.4, -0.2), "less opioid demand goes with better pain or function in opioids-alone"),
        ((0.3, -0.1, 0.6), "less opioid demand goes with no clearly different pain or function in opioids-alone"),
    ],
)
def test_where_demand_falls_the_sentence_follows_pain_and_function(found, pain, said) -> None:
    fields = ("names", "projections", "groups", "weekly", "averages", "horizons")
    rows = [
        {"name": "opioids-alone", "against": "early-pt", "outcome": outcome, "unit": "", "difference": d, "low": low, "high": high,
         "told_apart": True}
        for outcome, (d, low, high) in {"mme_per_1000": (-50.0, -60.0, -40.0), "pain": pain, "function": (0.0, -0.1, 0.1)}.items()
    ]  # fmt: skip
    other = type(found)(**{name: getattr(found, name) for name in fields}, pairs=pl.DataFrame(rows))
    text = " ".join(other.sentences)
    assert said in text
    assert ("not by itself better health" in text) == (pain[1] > 0)


def test_a_clear_difference_too_small_to_matter_is_called_small(found) -> None:
    one = Compared("pain", 1.0, 1.02, 0.02, 0.01, 0.03)
    assert one.direction == 1 and one.leaning == 0
    from painlab.verdicts import _two

    assert _two("b", "a", one) == "Pain is higher with b than with a: +0.02 (+0.01 to +0.03) points of 10; clear, but small."
    assert _two("b", "a", one._replace(low=-0.01)).endswith("its band holds zero.")


# What sets them apart


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"weeks": 52}, "It runs over one year instead of two years."),
        ({"population": {"pain": 7.0}}, "The patients had pain of 7 instead of the condition's own."),
        ({"population": {"condition": "sciatica"}}, "The patients have sciatica instead of acute low back pain."),
        ({"population": {"goal": "walk"}}, 'The patients had the goal "walk half an hour" instead of mixed goals.'),
        ({"assume": {"values": {"weakness_pain": 1.0}}}, "It assumes weakness_pain of 1 instead of the model's (pain points)."),
        ({"assume": {"links_cut": ["pain_to_activity"]}}, "It cuts the link pain_to_activity."),
        ({"care": {"physical_therapy": None}}, "Physical therapy is left out."),
        ({"baseline": "opioids-alone"}, "It is held against opioids-alone instead of usual-care. In the baseline: Physical therapy is left "
         "out. Anti-inflammatory drug is left out."),
        ({"population": {"arrivals": {"people": 5000, "new_patients_per_1000_per_year": 30.0}}}, "Patients keep arriving (30 new patients "
         "per 1,000 people a year among 5,000 people), instead of one group from the first visit."),
        ({"name": "another", "title": "Another", "question": "Why?"}, ALIKE),
    ],
)  # fmt: skip
def test_every_part_of_a_scenario_that_differs_is_said(change: dict[str, Any], sentence: str) -> None:
    changed = EARLY.change(**change)
    assert contrast(changed, EARLY) == (sentence,)
    back = contrast(EARLY, changed)
    assert len(back) == 1 and (back == (sentence,)) == (sentence == ALIKE)
    assert contrast(changed, changed) == (ALIKE,)


# What is written


def test_saving_writes_the_weekly_frame_and_where_it_comes_from(tmp_path: Path, found) -> None:
    out = found.save(tmp_path / "out")
    assert sorted(path.name for path in out.iterdir()) == ["comparison.csv", "comparison.parquet", "provenance.json"]
    assert_frame_equal(pl.read_parquet(out / "comparison.parquet"), found.weekly)
    assert pl.read_csv(out / "comparison.csv").shape == found.weekly.shape
    told = json.loads((out / "provenance.json").read_text())
    assert [one["name"] for one in told["compared"]] == list(found.names)
    assert told["same_patients"] == [["early-pt", "opioids-alone"], ["injection-alone"]]
    assert (told["seed"], told["draws"], told["patients_per_draw"], told["weeks"]) == (3, 4, 60, 10)
    again = Scenario.load(tmp_path / "x.toml") if (tmp_path / "x.toml").write_text(told["compared"][1]["scenario_toml"]) else None
    assert again == Scenario.load("opioids-alone")
    with pytest.raises(InputError, match="not empty"):
        found.save(out)


# What is refused


def test_two_to_eight_scenarios_are_compared() -> None:
    for wrong, said in (([], "no scenario to compare"), (["early-pt"], "there is 1 to compare"), (["early-pt"] * 9, "there are 9")):
        with pytest.raises(InputError, match=said):
            compare(wrong)
    assert len(compare([EARLY] * 8, patients=2, draws=1, weeks=1).names) == 8


@pytest.mark.parametrize("name", ["patients", "draws", "seed", "weeks"])
def test_comparing_refuses_the_same_numbers_as_simulate(name: str) -> None:
    with pytest.raises(InputError, match=f"^{name} is -1"):
        compare(["early-pt", "late-pt"], **{"patients": 5, "draws": 1, name: -1})


def test_unknown_names_are_refused(found) -> None:
    with pytest.raises(InputError, match='did you mean "early-pt"'):
        compare(["erly-pt", "late-pt"])
    with pytest.raises(InputError, match="no scenario"):
        found.pair("late-pt", "early-pt", "pain")
    with pytest.raises(InputError, match="unknown outcome"):
        found.pair("opioids-alone", "early-pt", "pains")


def test_codes_and_files_are_taken_as_names_are(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(EARLY.change(name="mine").to_toml())
    assert compare([EARLY.code(), str(path)], patients=5, draws=1, weeks=1).names == ("early-pt", "mine")


def test_progress_runs_over_all_scenarios() -> None:
    seen: list[tuple[int, int]] = []
    compare(["early-pt", "late-pt"], patients=10, draws=2, weeks=2, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1] == (2000, 2000)
