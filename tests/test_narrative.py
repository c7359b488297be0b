"""Numbers to sentences: what is said of demand, pain and function, and what is not."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from painlab import narrative
from painlab.outcomes import BY_NAME

WEEKS = 104


def weekly(*, weeks=WEEKS, banded=True, extra=(), **differences):
    """A weekly frame in which each outcome's difference is (mean, low, high) in every week, or a function of the week that gives them."""
    levels = {"mme_per_1000": 2000.0, "pain": 3.0, "function": 70.0, "mme_total": 9000.0, "patients_in_care": 4000.0}
    rows = []
    for name in ("mme_per_1000", "pain", "function", *extra):
        given = differences.get(name, (0.0, 0.0, 0.0))
        for week in range(weeks + 1):
            mean, low, high = given(week) if callable(given) else given
            level = levels[name]
            row = {
                "week": week,
                "outcome": name,
                "unit": BY_NAME[name].unit,
                "baseline": level,
                "scenario": level + mean,
                "difference": mean,
            }
            rows.append(row | {"difference_low": low if banded else None, "difference_high": high if banded else None})
    return pl.DataFrame(rows, schema_overrides={"week": pl.Int32, "difference_low": pl.Float64, "difference_high": pl.Float64})


def summary(frame, **options):
    return narrative.summary(frame, "Early therapy", int(frame["week"].max()), 0.95, **options)


@pytest.mark.parametrize(
    ("weeks", "words"),
    [(1, "one week"), (2, "2 weeks"), (26, "26 weeks"), (52, "one year"), (104, "two years"), (105, "105 weeks"), (520, "ten years")],
)
def test_a_horizon_is_said_in_years_where_it_is_whole_years(weeks, words):
    assert narrative.horizon_words(weeks) == words


def test_a_difference_that_rounds_to_zero_has_no_sign():
    assert narrative.signed(-0.004, 2) == narrative.signed(0.004, 2) == narrative.signed(0.0, 2) == "0.00"
    assert narrative.signed(-1310.4, 0, "MME") == "-1,310 MME"
    assert narrative.signed(0.25, 1, "points") == "+0.2 points"


def test_demand_is_said_with_its_difference_in_amount_in_percent_and_with_its_band():
    said = summary(weekly(mme_per_1000=(-100.0, -160.0, -40.0)))
    assert "opioid demand averages 1,900 MME a day, 100 (5 %) less than in the baseline (likely 40 to 160 less)" in said
    assert "that adds up to 73,500 MME" in said  # 100 a day for 105 weeks


def test_demand_never_stands_without_pain_and_function():
    for change in ((-100.0, -160.0, -40.0), (0.0, 0.0, 0.0), (5.0, -9.0, 12.0)):
        frame = weekly(mme_per_1000=change)
        for text in (summary(frame), narrative.headline(frame)):
            assert "demand" in text
            assert "pain" in text
            assert "function" in text


def test_a_band_that_includes_zero_is_said_to_tell_nothing():
    said = summary(weekly(mme_per_1000=(-4.0, -30.0, 12.0), pain=(0.05, -0.1, 0.2)))
    assert "4 (0.2 %) less than in the baseline (likely between 30 less and 12 more)" in said
    assert "the model cannot tell whether demand falls or rises" in said
    assert "0.05 higher (likely between 0.10 lower and 0.20 higher, so not clear)" in said
    assert "Demand falls" not in said


def test_less_opioid_with_more_pain_is_not_called_better_health():
    said = summary(weekly(mme_per_1000=(-900.0, -1200.0, -500.0), pain=(0.4, 0.2, 0.6), function=(-3.0, -5.0, -1.0)))
    assert "Less opioid is not by itself better health: demand falls, and pain and function are worse." in said


def test_pain_that_is_worse_for_some_weeks_only_is_told_with_the_worst_week():
    def rapid(week):
        return (0.6, 0.3, 1.0) if week == 15 else (0.0, -0.1, 0.1)

    frame = weekly(mme_per_1000=(-900.0, -1200.0, -500.0), pain=rapid)
    said = summary(frame)
    assert "Pain differs most in week 15: 0.60 higher (likely 0.30 to 1.00 higher)." in said
    assert (
        "Less opioid is not by itself better health: demand falls, and pain is worse for a time, hardly or not clearly in the end." in said
    )
    assert "pain up to 0.60 higher" in narrative.headline(frame, narrative.horizon_averages(frame))


def test_health_that_is_better_only_later_is_better_in_the_end():
    def late(week):
        return (-0.5, -0.8, -0.3) if week >= 100 else (0.0, -0.1, 0.1)

    said = summary(weekly(mme_per_1000=(-900.0, -1200.0, -500.0), pain=late))
    assert "Demand falls, and pain is better in the end." in said


def test_less_opioid_with_better_health_is_said_plainly():
    said = summary(weekly(mme_per_1000=(-100.0, -160.0, -40.0), pain=(-0.3, -0.5, -0.1), function=(2.0, 1.0, 3.0)))
    assert "Demand falls, and pain and function are better." in said


def test_more_opioid_with_more_pain_is_said_plainly():
    said = summary(weekly(mme_per_1000=(100.0, 40.0, 160.0), pain=(0.3, 0.1, 0.5)))
    assert "Demand rises, and pain is worse." in said


def test_demand_that_falls_beside_unclear_health_is_said_to_be_just_that():
    said = summary(weekly(mme_per_1000=(-100.0, -160.0, -40.0), pain=(-0.01, -0.3, 0.3), function=(0.2, -1.0, 1.0)))
    assert "Demand falls without a clear change in pain or function." in said


def test_a_difference_too_small_to_see_is_no_ground_for_a_verdict():
    said = summary(weekly(mme_per_1000=(-100.0, -160.0, -40.0), pain=(0.012, 0.006, 0.02)))
    assert "worse" not in said


def test_one_draw_gives_no_band_and_says_so():
    frame = weekly(banded=False, mme_per_1000=(-100.0, None, None), pain=(0.2, None, None))
    said = summary(frame)
    assert "likely" not in said.lower()
    assert "one run with the central parameter values, without a band" in said
    assert narrative.headline(frame).endswith("(one run)")


def test_likely_is_defined_once_and_called_calibrated_only_of_the_posteriors_draws():
    frame = weekly(mme_per_1000=(-100.0, -160.0, -40.0))
    for kind in ("posterior", "prior", "other"):
        assert summary(frame, kind=kind).count('"Likely" means in 95 % of the draws of the parameters') == 1
    assert "calibrated to published trials" in summary(frame, kind="posterior")
    assert "prior ranges, not calibrated to trials" in summary(frame, kind="prior")
    for said in (summary(frame), summary(frame, kind="other")):
        assert "calibrated" not in said
        assert "prior" not in said


def test_a_baseline_against_itself_does_not_differ():
    said = summary(weekly())
    assert "nothing differs from the baseline" in said
    assert "2,000 MME a day" in said
    assert narrative.headline(weekly()) == "Over two years: opioid demand, pain and function as in the baseline"


def test_a_plan_without_opioids_has_no_demand_and_no_percentage():
    frame = weekly(pain=(0.2, 0.1, 0.3)).with_columns(
        pl.when(pl.col("outcome") == "mme_per_1000").then(0.0).otherwise(pl.col(arm)).alias(arm) for arm in ("baseline", "scenario")
    )
    assert "no opioid is prescribed" in summary(frame)
    assert narrative.demand_change_percent(frame) is None


def test_a_population_is_said_as_a_whole():
    change = {"mme_per_1000": (-100.0, -160.0, -40.0), "mme_total": (-400.0, -640.0, -160.0)}
    said = summary(weekly(extra=("mme_total", "patients_in_care"), **change))
    assert "for every 1,000 patients in care over two years" in said
    assert "Among the 4,000 patients in care in the whole population that is 8,600 MME a day, 400 less (likely 160 to 640 less)." in said


def test_a_horizon_of_one_week_has_no_middle():
    said = summary(weekly(weeks=1, mme_per_1000=(-100.0, -160.0, -40.0)))
    assert said.count("In week ") == 1
    assert "over one week" in said


def test_numbers_carry_no_false_precision():
    said = summary(weekly(mme_per_1000=(-1234.5, -1678.9, -987.6)))
    assert "1,230 (62 %) less than in the baseline (likely 988 to 1,680 less)" in said


def test_the_change_in_demand_is_a_share_of_the_baselines_mean():
    assert narrative.demand_change_percent(weekly(mme_per_1000=(-100.0, -160.0, -40.0))) == pytest.approx(-5.0)


def test_bands_of_the_mean_over_the_horizon_come_from_the_draws_if_they_are_given():
    frame = weekly(mme_per_1000=(-100.0, -250.0, 50.0))
    exact = narrative.horizon_averages(frame).with_columns(
        difference_low=pl.col("difference") - 20.0, difference_high=pl.col("difference") + 20.0
    )
    assert "cannot tell" in summary(frame)
    assert "likely 80 to 120 less" in summary(frame, averages=exact)


changes = st.tuples(
    st.floats(-1900, 1e6, allow_nan=False), st.floats(-3, 7), st.floats(-70, 30), st.floats(0, 2), st.booleans(), st.integers(1, 520)
)


@settings(max_examples=40)
@given(changes)
def test_whatever_the_numbers_the_sentences_stand(drawn):
    demand, pain, function, spread, banded, weeks = drawn
    weeks = min(weeks, 5) if weeks % 2 else weeks
    frame = weekly(weeks=weeks, banded=banded, **{
        name: (mean, mean - spread * abs(mean), mean + spread * abs(mean) / 2)
        for name, mean in (("mme_per_1000", demand), ("pain", pain), ("function", function))
    })  # fmt: skip
    title = narrative.headline(frame)
    assert len(title) <= 90
    said = summary(frame)
    assert said.endswith(".")
    for text in (title, said):
        assert "  " not in text
        assert "None" not in text
        assert "nan" not in text
        assert "-0" not in text
