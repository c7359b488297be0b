"""Opioid episodes: spells by the gap rule, what is cut off at either end, curves and ratios worked out by hand."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from painlab import InputError
from painlab.analysis import Refused, episode_survival, opioid_episodes

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)


def days(person: str, *spans: tuple[int, int], mme: float = 20.0) -> list[dict]:
    return [{"person": person, "date": FIRST + timedelta(days=n), "mme": mme} for start, end in spans for n in range(start, end)]


def test_a_gap_of_thirty_days_goes_on_and_one_of_thirty_one_ends_an_episode():
    frame = pl.DataFrame([*days("a", (50, 60), (90, 100)), *days("b", (50, 60), (91, 101))])
    found = opioid_episodes(frame, first=FIRST, last=LAST)
    assert found.select("person", "days").rows() == [("a", 50), ("b", 10), ("b", 10)]
    assert opioid_episodes(frame, gap_days=29, first=FIRST, last=LAST).height == 4


def test_episodes_cut_off_by_the_records_are_told_apart():
    frame = pl.DataFrame([*days("early", (10, 40)), *days("late", (300, 340)), *days("whole", (100, 110))])
    found = opioid_episodes(frame, first=FIRST, last=LAST)
    told = {row["person"]: (row["began_before"], row["ended"]) for row in found.iter_rows(named=True)}
    assert told == {"early": (True, True), "late": (False, False), "whole": (False, True)}  # 365 days less 340 are within 30


def test_weeks_count_as_seven_days_and_weeks_without_dose_do_not_count():
    weeks = [FIRST + timedelta(weeks=n) for n in range(20)]
    frame = pl.DataFrame({"person": ["a"] * 20, "week": weeks, "mme": [0.0] * 6 + [30.0, 10.0] + [0.0] * 12})
    row = opioid_episodes(frame).row(0, named=True)
    assert (row["start"], row["end"], row["days"], row["ended"], row["mean_mme"]) == (
        weeks[6],
        weeks[8] - timedelta(days=1),
        14,
        True,
        20.0,
    )


def test_episodes_of_nobody_are_refused():
    with pytest.raises(Refused, match="nobody was on opioids"):
        opioid_episodes(pl.DataFrame(days("a", (0, 3), mme=0.0)))
    with pytest.raises(InputError, match="gap_days is 0"):
        opioid_episodes(pl.DataFrame(days("a", (0, 3))), gap_days=0)


def survival(count: int = 200, ratio: float = 2.0, seed: int = 1) -> pl.DataFrame:
    """Durations of exponential form whose hazard is `ratio` times as high in group b, cut off at 300 days."""
    chance = np.random.Generator(np.random.Philox(key=seed))
    group = np.arange(count) % 2
    drawn = chance.exponential(120.0 / np.where(group == 1, ratio, 1.0))
    observed = np.maximum(1.0, np.ceil(np.minimum(drawn, 300.0)))
    return pl.DataFrame({"person": range(count), "days": observed, "ended": drawn < 300.0, "group": ["ab"[g] for g in group], "b": group})


def test_the_curve_is_kaplan_and_meier_s_product_with_log_log_ends():
    lengths, ended = [5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45, 50], [1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1]
    frame = pl.DataFrame({"person": range(12), "days": lengths, "ended": [one == 1 for one in ended]})
    found = episode_survival(frame)
    shares = dict(found.predicted.select("x", "predicted").rows())
    by_hand = 1.0
    variance = 0.0
    for day in sorted(set(lengths)):
        at_risk = sum(one >= day for one in lengths)
        events = sum(one == day and over for one, over in zip(lengths, ended, strict=True))
        if not events:
            continue
        by_hand *= 1 - events / at_risk
        if at_risk > events:
            variance += events / (at_risk * (at_risk - events))
            assert shares[day] == pytest.approx(100 * by_hand)
            row = found.predicted.filter(pl.col("x") == day).row(0, named=True)
            half = 1.959964 * np.sqrt(variance) / abs(np.log(by_hand))
            assert row["low"] == pytest.approx(100 * by_hand ** np.exp(half), rel=1e-5)
            assert row["high"] == pytest.approx(100 * by_hand ** np.exp(-half), rel=1e-5)
    assert shares[50.0] == 0.0


def test_groups_that_differ_are_told_apart_and_cox_finds_the_ratio():
    found = episode_survival(survival(600), by="group", covariates=("b",))
    ratio = found.term("b, hazard ratio of ending")
    assert ratio.low < 2.0 < ratio.high
    assert ratio.low > 1.0
    checks = {one.check: one for one in found.checks}
    assert checks["log-rank p"].value < 0.001
    assert checks["proportional hazards p, b"].value > 0.05
    assert "differ by more than chance" in found.sentence
    assert "goes with ending sooner" in found.sentence


def test_groups_that_do_not_differ_are_not_told_apart():
    found = episode_survival(survival(200, ratio=1.0, seed=3), by="group", covariates=("b",))
    assert "cannot be told apart from chance" in found.sentence
    assert "no clear association" in found.sentence


def test_a_ratio_that_changes_with_time_is_found_out():
    chance = np.random.Generator(np.random.Philox(key=2))
    early = np.concatenate([chance.uniform(1, 60, 150), chance.uniform(1, 300, 150)])  # b: all within two months; a: evenly
    frame = pl.DataFrame({"person": range(300), "days": early, "ended": True, "b": [1] * 150 + [0] * 150})
    checks = {one.check: one for one in episode_survival(frame, covariates=("b",)).checks}
    assert checks["proportional hazards p, b"].value < 0.05
    assert "changes with time" in checks["proportional hazards p, b"].verdict


def test_what_is_left_out_is_counted():
    frame = survival().with_columns(began_before=pl.col("person") < 7, start=pl.lit(FIRST))
    again = pl.concat([frame, frame.filter(pl.col("person") > 190)])
    checks = {one.check: one for one in episode_survival(again).checks}
    assert checks["under way when the records begin"].value == 7.0
    assert checks["later episodes of a person"].value == 9.0
    assert episode_survival(again, all_episodes=True).checks[0].value == 202.0


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda frame: frame.head(9), {}, "9 episodes.*10 or more"),
        (lambda frame: frame.with_columns(ended=False), {}, "0 of which ended"),
        (lambda frame: frame.head(16), {"covariates": ("b", "age")}, r"ended, for 2 coefficients.*Peduzzi 1995"),
        (lambda frame: frame.with_columns(group=pl.col("person").cast(pl.String)), {"by": "group"}, "200 different values"),
        (lambda frame: frame.with_columns(group=(pl.col("person") < 3).cast(pl.String)), {"by": "group"}, '"true" ended'),
        (lambda frame: frame.with_columns(days=0.0), {}, "last 0 days or less"),
        (lambda frame: frame.with_columns(b=1), {"covariates": ("b",)}, '"b" never varies'),
    ],
)  # fmt: skip
def test_what_it_cannot_bear_is_refused_with_the_reason(change, options, words):
    with pytest.raises(InputError, match=words):
        episode_survival(change(survival().with_columns(age=pl.col("person") % 13)), **options)
