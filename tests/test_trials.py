"""Virtual trials: how a file is read, what is measured in patients, and what ships."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from painlab import evidence, trials
from painlab.errors import InputError
from painlab.outcomes import Recorded
from painlab.scenario import Scenario
from painlab.trials import MEASURES, Trial

ONE = """[exercise]
title = "Exercise against none"
source = "T05-01"
use = "validate"
population = { condition = "sciatica" }
kind = "difference"
outcome = "pain"
week = 6
published = { estimate = -10, low = -15, high = -5, scale = "0-100", factor = 0.1, rule = "a tenth" }
[exercise.arms.trained.prescribing]
opioid_start = 0
[exercise.arms.usual]
"""
DIFFERENCE = 'kind = "difference"\noutcome = "pain"'


def read(folder: Path, text: str = ONE) -> tuple[Trial, ...]:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return trials.read(path)


def changed(old: str, new: str) -> str:
    assert ONE.count(old) == 1, old
    return ONE.replace(old, new)


def one(**changes: Any) -> Trial:
    """A trial in which only the named keys matter."""
    given = {
        "id": "one", "title": "One", "source": "assumption", "use": "validate", "population": {"condition": "sciatica"}, "kind": "level",
        "outcome": "pain", "weeks": (1, 3), "arms": {"usual": {}},
        "published": {"estimate": 1.0, "tolerance": 1.0, "scale": "any", "rule": "none"},
    }  # fmt: skip
    return Trial.model_validate(given | changes)


# Reading


def test_a_trial_is_read_as_it_was_written(tmp_path: Path) -> None:
    (trial,) = read(tmp_path)
    assert (trial.id, trial.use, trial.kind, trial.outcome, trial.weeks) == ("exercise", "validate", "difference", "pain", (6, 6))
    assert list(trial.arms) == ["trained", "usual"]
    assert trial.arms["trained"].prescribing.opioid_start == 0.0
    assert trial.arms["usual"].prescribing.opioid_start == 1.0
    assert trial.last_week == 6


def test_the_weeks_that_must_be_simulated_reach_to_the_last_that_is_asked_for() -> None:
    assert one(weeks=(1, 3)).last_week == 3
    assert one(kind="percent_change", weeks=(1, 3), from_week=9).last_week == 9
    assert one(weeks=(1, 3), among={"on_opioids": "any", "weeks": (0, 20)}).last_week == 20


def test_an_arm_may_be_the_name_of_a_scenario_that_ships(tmp_path: Path) -> None:
    text = ONE.partition("[exercise.arms")[0] + '[exercise.arms]\nearly = "early-pt"\nusual = "usual-care"\n'
    (trial,) = read(tmp_path, text)
    assert trial.arms["early"] == Scenario.load("early-pt").care
    assert trial.arms["usual"] == Scenario.load("usual-care").care


def test_a_trial_that_is_like_another_takes_what_it_does_not_say_from_it(tmp_path: Path) -> None:
    later = '[later]\nlike = "exercise"\ntitle = "Later"\nweeks = [20, 30]\n[much-later]\nlike = "later"\nweek = 52\n'
    first, second, third = read(tmp_path, ONE + later)
    assert [trial.id for trial in (first, second, third)] == ["exercise", "later", "much-later"]
    assert (second.title, second.weeks) == ("Later", (20, 30))
    assert (third.title, third.weeks) == ("Later", (52, 52))
    same = {"id", "title", "weeks"}
    assert first.model_dump(exclude=same) == second.model_dump(exclude=same) == third.model_dump(exclude=same)


def test_a_trial_may_be_like_one_that_stands_below_it(tmp_path: Path) -> None:
    first, _ = read(tmp_path, f'[before]\nlike = "exercise"\nweek = 3\n{ONE}')
    assert (first.id, first.weeks, first.source) == ("before", (3, 3), "T05-01")


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('title = "Exercise against none"\n', "", "title", "missing"),
        ('title = "Exercise against none"', 'title = ""', "title", "1 to 120 characters"),
        ('title = "Exercise against none"', 'title = "A"\ntitel = "B"', "titel", 'did you mean "title"'),
        ('source = "T05-01"\n', "", "source", "missing"),
        ('condition = "sciatica"', 'condition = "sciatic"', "population.condition", 'did you mean "sciatica"'),
        ('condition = "sciatica"', 'condition = "sciatica", pian = 3', "population.pian", 'did you mean "pain"'),
        ('condition = "sciatica"', 'condition = "sciatica", pain = 12', "population.pain", "a number from 0 to 10"),
        ('{ condition = "sciatica" }', '"sciatica"', "population", "a table"),
        ('outcome = "pain"', 'outcome = "pian"', "outcome", 'did you mean "pain"'),
        ("low = -15, ", "", "published", "low and high"),
        ("low = -15, high = -5, ", "", "published", "tolerance"),
        ("low = -15", "tolerance = 2, low = -15", "published", "or else tolerance"),
        ("low = -15", "low = -9", "published", "low <= estimate <= high"),
        ("high = -5", "high = -11", "published", "low <= estimate <= high"),
        ("factor = 0.1", "factor = 0", "published", "what a printed unit is"),
        ("estimate = -10, ", "", "published.estimate", "missing"),
        ("[exercise.arms.usual]", "[exercise.arms.usual.taper]\nstart = 2", "taper.start", 'did you mean "start_week"'),
        ("[exercise.arms.usual]", "[exercise.arms.usual]\nacupunctur = {}", "acupunctur", 'did you mean "acupuncture"'),
        ("opioid_start = 0", "opioid_start = 3", "prescribing.opioid_start", "a number from 0 to 2"),
    ],
)
def test_a_fault_is_named_by_file_trial_key_and_what_was_expected(tmp_path: Path, old: str, new: str, key: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(tmp_path, changed(old, new))
    assert "mine.toml, [exercise]" in refusal.value.where
    assert refusal.value.where.endswith(f"key {key}")
    assert refusal.value.expected
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "key", "said"),
    [
        ('use = "validate"', 'use = "context"', "use", ("calibrate", "validate")),
        (DIFFERENCE, 'kind = "ratio"\noutcome = "pain"', "kind", ("difference", "odds_ratio")),
        ("week = 6\n", "", "week", ("week",)),
        ("week = 6", 'week = "six"', "week", ("whole number",)),
        ("week = 6", "week = 521", "week", ("0 to 520",)),
        ("week = 6", "weeks = [2]", "weeks", ("first", "last")),
        ("week = 6", "weeks = 6", "weeks", ("first", "last")),
        ("estimate = -10", "estimat = -10", "published.estimat", ('did you mean "estimate"',)),
        ("low = -15, high = -5", "tolerance = 0", "published.tolerance", ("above 0",)),
        ('rule = "a tenth"', 'rule = ""', "published.rule", ("text",)),
        ("week = 6", 'week = 6\namong = { on_opioids = "some", weeks = [0, 4] }', "among.on_opioids", ("any", "every")),
        ("week = 6", 'week = 6\namong = { on_opioids = "any", week = 4 }', "among.week", ('did you mean "weeks"',)),
        ("week = 6", 'week = 6\nlike = ["exercise"]', "", ("another trial",)),
        ("[exercise.arms.usual]", '[exercise.arms]\nusual = "usual-car"', "", ('did you mean "usual-care"',)),
    ],
)
def test_a_fault_says_what_would_have_been_accepted(tmp_path: Path, old: str, new: str, key: str, said: tuple[str, ...]) -> None:
    text = changed(old, new)
    if "usual-car" in new:
        text = ONE.partition("[exercise.arms")[0] + '[exercise.arms]\ntrained = "early-pt"\nusual = "usual-car"\n'
    with pytest.raises(InputError) as refusal:
        read(tmp_path, text)
    assert "mine.toml, [exercise]" in refusal.value.where
    assert key in refusal.value.where
    for one in said:
        assert one in str(refusal.value)
    assert "start_week" not in str(refusal.value), "keys of a treatment are no help here"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("week = 6", "week = 6\nweeks = [1, 2]", "both week and weeks"),
        ("week = 6", "weeks = [6, 2]", "run backward"),
        ("week = 6", 'week = 6\namong = { on_opioids = "any", weeks = [4, 0] }', "run backward"),
        (DIFFERENCE, 'kind = "difference"\noutcome = "improved"', "a threshold"),
        (DIFFERENCE, 'kind = "difference"\noutcome = "pain"\nthreshold = 3.0', "no threshold"),
        (DIFFERENCE, 'kind = "level"\noutcome = "pain"', "has 2 arms. Expected 1"),
        (DIFFERENCE, 'kind = "share"\noutcome = "on_opioids"', "has 2 arms. Expected 1"),
        ("[exercise.arms.usual]", "", "has 1 arms. Expected 2"),
        ("[exercise.arms.usual]", "[exercise.arms.usual]\n[exercise.arms.third]", "has 3 arms. Expected 2"),
        (DIFFERENCE, 'kind = "odds_ratio"\noutcome = "pain"', "Expected a share: on_opioids"),
        (DIFFERENCE, 'kind = "odds_ratio"\noutcome = "on_opioids"', "Expected ratios above 0"),
        (DIFFERENCE, 'kind = "percent_through"\noutcome = "pain"', "weakness_to_pain"),
        (DIFFERENCE, 'kind = "percent_through"\noutcome = "pain"\nthrough = "weakness"', "weakness_to_pain"),
        (DIFFERENCE, f'{DIFFERENCE}\nthrough = "weakness_to_pain"', "percent_through alone"),
        ('"sciatica" }', '"sciatica", arrivals = { people = 1000, new_patients_per_1000_per_year = 1.0 } }', "without arrivals"),
        ("week = 6", 'week = 6\nlike = "exercis"', 'like names "exercis"'),
        ("week = 6", 'week = 6\nlike = "exercise"', "Expected another trial of the same file"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused_by_file_and_trial(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        read(tmp_path, changed(old, new))
    assert "mine.toml, [exercise]" in refusal.value.where
    assert said in str(refusal.value)


def test_a_share_in_one_arm_is_of_kind_share() -> None:
    with pytest.raises(ValueError, match='expected kind "share"'):
        one(kind="level", outcome="on_opioids")
    assert one(kind="share", outcome="on_opioids").kind == "share"


@pytest.mark.parametrize("weeks", [0, 53])
def test_a_break_that_is_no_break_or_longer_than_the_weeks_is_refused(weeks: int) -> None:
    with pytest.raises(ValueError, match="threshold"):
        one(kind="share", outcome="persisting", threshold=float(weeks), weeks=(0, 51))


def test_a_ring_of_trials_that_are_like_each_other_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine.toml, \[a\].*another trial of the same file"):
        read(tmp_path, '[a]\nlike = "b"\n[b]\nlike = "c"\n[c]\nlike = "b"\n')


def test_a_file_without_a_trial_a_key_outside_of_one_and_a_trial_without_arms_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine.toml: the file holds no trial"):
        read(tmp_path, "# to come\n")
    with pytest.raises(InputError, match=r'mine.toml: the key "seed" stands outside of a trial'):
        read(tmp_path, f"seed = 3\n{ONE}")
    with pytest.raises(InputError, match=r"mine.toml, \[exercise\]: there are no arms. Expected one or two care plans"):
        read(tmp_path, ONE.partition("[exercise.arms")[0])
    with pytest.raises(InputError, match="there is no such file"):
        trials.read(tmp_path / "yours.toml")


# Scales


@pytest.mark.parametrize(
    ("published", "by_hand"),
    [
        ({"estimate": -15.0, "low": -18.0, "high": -12.0, "factor": 0.1}, (-1.5, -1.8, -1.2)),
        ({"estimate": 6.0, "low": 4.0, "high": 9.0, "factor": -0.1}, (-0.6, -0.9, -0.4)),
        ({"estimate": -30.0, "low": -56.0, "high": -10.0, "offset": 100.0}, (70.0, 44.0, 90.0)),
        ({"estimate": 2.0, "tolerance": 0.5, "factor": -10.0, "offset": 50.0}, (30.0, 25.0, 35.0)),
        ({"estimate": 3.5, "tolerance": 0.5}, (3.5, 3.0, 4.0)),
    ],
)
def test_a_printed_figure_is_brought_to_the_models_scale(published: dict[str, float], by_hand: tuple[float, float, float]) -> None:
    trial = one(published={"scale": "any", "rule": "by hand"} | published)
    assert trial.published.on_the_models_scale() == pytest.approx(by_hand, rel=1e-12)


# What is measured

WEEKLY = {
    Recorded.PAIN: ([8, 6, 4, 4, 2], [4, 4, 4, 4, 4]), Recorded.FUNCTION: ([1, 0.4, 0.5, 0.6, 1], [0, 0.7, 0.7, 0.7, 0]),
    Recorded.ACTIVITY: ([1, 0.5, 0.6, 0.7, 1], [0, 0.8, 0.8, 0.8, 0]), Recorded.STRENGTH: ([1, 0.9, 0.9, 0.9, 1], [0, 0.7, 0.7, 0.7, 0]),
    Recorded.DOSE: ([40, 40, 0, 0, 20], [0, 0, 0, 0, 0]), Recorded.MME: ([40, 20, 0, 0, 20], [0, 0, 0, 0, 0]),
    Recorded.SESSIONS: ([5, 1, 2, 0, 5], [0, 0, 0, 0, 0]),
}  # fmt: skip
TWO = np.zeros((2, 5, len(Recorded)))
"""Two patients in weeks 0 to 4: one improves and ends an opioid after week 1, the other stays as he is and has none."""
for _place, _lives in WEEKLY.items():
    TWO[:, :, _place] = _lives


@pytest.mark.parametrize(
    ("outcome", "threshold", "by_hand"),
    [
        ("pain", None, (14 / 3 + 4) / 2),
        ("function", None, (50 + 70) / 2),
        ("activity", None, (60 + 80) / 2),
        ("strength", None, (90 + 70) / 2),
        ("dose", None, 40.0),  # of the only user, in her only week on an opioid
        ("mme", None, (20 / 3 + 0) / 2),
        ("days_on_opioids", None, 7 / 2),
        ("sessions", None, 3 / 2),
        ("on_opioids", None, 50.0),
        ("kept_on_opioids", None, 0.0),
        ("off_opioids", None, 50.0),
        ("persisting", 3.0, 50.0),  # she pauses for two weeks, which is no break of three
        ("persisting", 2.0, 0.0),
        ("dose_at_least", 40.0, 100.0),  # of users
        ("dose_at_least", 41.0, 0.0),
        ("pain_at_least", 4.0, 100.0),
        ("pain_at_least", 4.5, 50.0),
        ("pain_at_most", 4.0, 50.0),
        ("pain_at_most", 5.0, 100.0),
        ("improved", 0.4, 50.0),  # from 8 to 14/3, a fall of 42 %
        ("improved", 0.5, 0.0),
        ("improved", 0.1, 50.0),  # he stays as he is
        ("attended", None, 50.0),
    ],
)
def test_each_outcome_by_hand_in_two_patients(outcome: str, threshold: float | None, by_hand: float) -> None:
    trial = one(kind="share" if MEASURES[outcome].share else "level", outcome=outcome, threshold=threshold)
    assert trials.measured(trial, TWO).mean == pytest.approx(by_hand, rel=1e-12)


def test_every_outcome_that_can_be_asked_for_was_worked_out_by_hand() -> None:
    marks = next(mark for mark in test_each_outcome_by_hand_in_two_patients.pytestmark if mark.name == "parametrize")
    assert {case[0] for case in marks.args[1]} == set(MEASURES)


def test_other_weeks_can_be_asked_for() -> None:
    assert trials.measured(one(), TWO, (0, 0)).mean == pytest.approx((8 + 4) / 2)


@pytest.mark.parametrize(("use", "weeks", "by_hand"), [("any", (0, 2), 14 / 3), ("every", (0, 1), 14 / 3), ("any", (4, 4), 14 / 3)])
def test_a_subgroup_holds_those_who_used_opioids(use: str, weeks: tuple[int, int], by_hand: float) -> None:
    assert trials.measured(one(among={"on_opioids": use, "weeks": weeks}), TWO).mean == pytest.approx(by_hand)


def test_without_anybody_in_the_subgroup_there_is_no_figure_and_no_influence() -> None:
    found = trials.measured(one(among={"on_opioids": "every", "weeks": (0, 2)}), TWO)
    assert math.isnan(found.mean)
    assert not found.influence.any()


def people(count: int, seed: int = 1) -> np.ndarray:
    """Records of many patients with pain and doses at random; about half use opioids."""
    generator = np.random.default_rng(seed)
    records = np.zeros((count, 5, len(Recorded)))
    records[:, :, Recorded.PAIN] = generator.normal(5.0, 2.0, (count, 5))
    records[:, :, Recorded.DOSE] = np.where(generator.random((count, 1)) < 0.5, 30.0, 0.0)
    return records


def test_influences_have_mean_0_and_give_the_standard_error_of_a_mean() -> None:
    records = people(500)
    found = trials.measured(one(), records)
    pain = records[:, 1:4, Recorded.PAIN].mean(axis=1)
    assert found.influence.mean() == pytest.approx(0.0, abs=1e-12)
    assert found.influence.std(ddof=1) / math.sqrt(500) == pytest.approx(pain.std(ddof=1) / math.sqrt(500), rel=1e-12)


def test_influences_of_a_subgroup_give_the_standard_error_of_its_own_mean() -> None:
    records = people(500)
    trial = one(among={"on_opioids": "every", "weeks": (0, 4)})
    found = trials.measured(trial, records)
    users = records[:, 0, Recorded.DOSE] > 0.0
    pain = records[users, 1:4, Recorded.PAIN].mean(axis=1)
    assert found.mean == pytest.approx(pain.mean())
    assert found.influence.mean() == pytest.approx(0.0, abs=1e-12)
    assert not found.influence[~users].any()
    by_hand = math.sqrt(((pain - pain.mean()) ** 2).sum()) / users.sum()  # 1/n in place of 1/(n - 1)
    assert found.influence.std(ddof=0) / math.sqrt(500) == pytest.approx(by_hand, rel=1e-12)


# The whole of a folder


def test_a_name_that_two_files_have_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(ONE, encoding="utf-8")
    monkeypatch.setattr(trials, "files", lambda: (tmp_path / "a.toml", tmp_path / "b.toml"))
    with pytest.raises(InputError, match=r'b.toml: the trial "exercise" is there twice'):
        trials.shipped.__wrapped__()


def test_a_source_is_cited_from_the_ledger_or_as_the_file_says_it() -> None:
    assert trials.citation(one(source="T05-01")) == evidence.citation("T05-01")
    assert trials.citation(one(source="Our own audit, 2025")) == "Our own audit, 2025"
