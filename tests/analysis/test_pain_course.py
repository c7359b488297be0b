"""Mixed models of pain find what was put in, approach a published trial, and refuse what they cannot bear."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from painlab import InputError
from painlab.analysis import Refused, pain_change, pain_trajectories

TRIAL = Path(__file__).parents[3] / "shared" / "data" / "vickers_acupuncture_2004" / "acupuncture.csv"


def made(people: int = 150, times=(0, 4, 8, 12, 16), slope: float = -0.1, gain: float = -0.08, seed: int = 1) -> pl.DataFrame:
    """Pain of people in two arms: level 6 (spread 1), a slope by arm (spread 0.05 a week), and visits around the line (spread 0.6)."""
    chance = np.random.Generator(np.random.Philox(key=seed))
    rows = []
    for n in range(people):
        level, own = 6.0 + chance.normal(), 0.05 * chance.normal()
        arm = "ba"[n % 2]
        for t in times:
            pain = level + (slope + own + gain * (arm == "b")) * t + 0.6 * chance.normal()
            rows.append({"person": f"p{n}", "week": t, "pain": pain, "arm": arm, "age": 40.0 + n % 7})
    return pl.DataFrame(rows)


def test_a_course_has_the_slopes_and_spreads_that_were_put_in():
    found = pain_trajectories(made(400), arm="arm")
    assert found.term("level at week 0").estimate == pytest.approx(6.0, abs=0.2)
    assert found.term("slope per week").low < -0.1 < found.term("slope per week").high
    difference = found.term("b: slope per week")
    assert difference.low < -0.08 < difference.high < 0.0
    checks = {one.check: one for one in found.checks}
    assert checks["spread of people's levels"].value == pytest.approx(1.0, abs=0.12)
    assert checks["spread of people's slopes"].value == pytest.approx(0.05, abs=0.012)
    assert checks["spread within a person"].value == pytest.approx(0.6, abs=0.03)
    assert "no sign of a bend" in checks["is the course straight"].verdict
    assert "Pain in a fell by" in found.sentence
    assert "In b the slope was lower" in found.sentence
    assert found.predicted.height == 10


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    hits = 0
    for seed in range(24):
        term = pain_trajectories(made(40, times=(0, 6, 12), seed=seed)).term("slope per week")
        hits += term.low < -0.14 < term.high  # the mean of both arms
    assert hits >= 20


def test_the_unit_of_time_is_the_column_s_name_and_the_reference_can_be_chosen():
    found = pain_trajectories(made(60).rename({"week": "month"}), time="month", arm="arm", reference="b")
    assert found.term("a: slope per month").estimate > 0.0
    assert "a month" in found.sentence
    with pytest.raises(InputError, match='no arm "c"'):
        pain_trajectories(made(60), arm="arm", reference="c")


def test_people_who_do_not_differ_in_slope_get_a_level_alone_and_it_is_said():
    chance = np.random.Generator(np.random.Philox(key=3))
    rows = [{"person": n, "week": t, "pain": 5.0 + n % 3 - 0.1 * t + 0.3 * chance.normal()} for n in range(40) for t in (0, 5)]
    checks = {one.check: one for one in pain_trajectories(pl.DataFrame(rows)).checks}
    assert checks["spread of people's slopes"].value is None
    assert "two times" in checks["spread of people's slopes"].verdict


def test_without_a_clear_slope_the_sentence_says_so():
    found = pain_trajectories(made(60, slope=0.0, gain=0.0, seed=5))
    assert not found.term("slope per week").settled()
    assert "did not clearly rise or fall" in found.sentence


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.filter(pl.col("person").is_in([f"p{n}" for n in range(9)])), "9 of 9 people have two visits.*10 or more"),
        (lambda frame: frame.filter(pl.col("week") == 0), "0 of 150 people have two visits"),
        (lambda frame: frame.with_columns(pain=pl.lit(5.0)), '"pain" is 5 in every row'),
        (lambda frame: frame.with_columns(week=pl.col("week").cast(pl.String)), "no numbers"),
    ],
)
def test_what_a_course_cannot_bear_is_refused(change, words):
    with pytest.raises(InputError, match=words):
        pain_trajectories(change(made()))


def test_a_visit_that_comes_twice_and_a_person_in_two_arms_are_named():
    frame = made(20)
    with pytest.raises(InputError, match="person p0 has week 0 twice"):
        pain_trajectories(pl.concat([frame, frame.head(1)]))
    moved = frame.with_columns(arm=pl.when(pl.col("week") == 8).then(pl.lit("b")).otherwise("arm"))
    with pytest.raises(InputError, match="more than one arm"):
        pain_change(moved)


def test_one_later_visit_is_an_analysis_of_covariance():
    frame = made(80, times=(0, 12))
    found = pain_change(frame, covariates=("age",))
    wide = frame.pivot(on="week", index=["person", "arm", "age"], values="pain")
    design = np.column_stack([np.ones(80), wide["0"], (wide["arm"] == "b").cast(pl.Float64), wide["age"]])
    expected = np.linalg.lstsq(design, wide["12"].to_numpy(), rcond=None)[0][2]
    assert found.term("b less a at 12").estimate == pytest.approx(expected)


def test_change_says_who_is_missing_and_who_has_no_baseline():
    frame = made(60).filter(~((pl.col("person") == "p0") & (pl.col("week") == 0)))
    frame = frame.filter(~((pl.col("week") == 16) & (pl.col("arm") == "b") & pl.col("person").str.ends_with("0")))
    checks = {one.check: one for one in pain_change(frame).checks}
    assert checks["without a baseline"].value == 1.0
    assert checks["missing at 16, a"].value == 0.0
    assert checks["missing at 16, b"].value > 0.0


def test_change_is_refused_without_arms_or_a_known_visit():
    frame = made(40)
    with pytest.raises(Refused, match='everyone is in the arm "a"'):
        pain_change(frame.filter(pl.col("arm") == "a"))
    with pytest.raises(InputError, match=r"no later visit at 5.*one of 4, 8, 12, 16"):
        pain_change(frame, at=5)
    with pytest.raises(Refused, match='"double" says nothing'):
        pain_change(frame.with_columns(double=2 * pl.col("age")), covariates=("age", "double"))


@pytest.fixture(scope="module")
def trial() -> pl.DataFrame:
    """Headache scores of the trial, long: 0, 3 and 12 months; missing scores are left out by the fit."""
    if not TRIAL.is_file():
        pytest.skip("the trial's data are not in the repository (licence): no ../shared/data/vickers_acupuncture_2004 here")
    raw = pl.read_csv(TRIAL, infer_schema_length=500).with_columns(
        arm=pl.when(pl.col("group") == 1).then(pl.lit("acupuncture")).otherwise(pl.lit("control")), size=pl.len().over("practice_id")
    )
    long = raw.unpivot(["pk1", "pk2", "pk5"], index=["id", "arm", "age", "sex", "migraine", "chronicity", "size"], value_name="score")
    return long.with_columns(month=pl.col("variable").replace_strict({"pk1": 0, "pk2": 3, "pk5": 12}))


STRATA = ("age", "sex", "migraine", "chronicity", "size")


def test_the_published_difference_of_the_acupuncture_trial_is_approached(trial):
    """Vickers et al., BMJ 2004;328:744: 4.6 points at 12 months (95 % interval 2.2 to 7.0), 161 and 140 people."""
    asked = {"person": "id", "time": "month", "pain": "score", "reference": "control", "covariates": STRATA}
    found = pain_change(trial.filter(pl.col("month") != 3), **asked)
    term = found.term("acupuncture less control at 12")
    assert term.estimate == pytest.approx(-4.6, abs=0.1)
    assert (term.low, term.high) == pytest.approx((-7.0, -2.2), abs=0.15)
    assert found.checks[0].verdict == "control 140, acupuncture 161"
    both = pain_change(trial, **asked)  # with the visit at three months, which informs those who left later
    assert both.term("acupuncture less control at 12").estimate == pytest.approx(-4.6, abs=0.3)
    assert "lower than in control by" in both.sentence


def test_the_zeros_in_the_trial_s_file_are_no_days_without_headache(trial):
    raw = pl.read_csv(TRIAL, infer_schema_length=500)
    assert raw.filter(pl.col("f2") == 0)["pk2"].null_count() == 75
    assert raw.filter(pl.col("f5") == 0)["pk5"].null_count() == 100
