"""Being on opioids: odds ratios and percentage points that were put in are found, with honest errors, and thin data refused."""

import numpy as np
import polars as pl
import pytest

from painlab import InputError
from painlab.analysis import Refused, opioid_odds
from painlab.analysis.opioid_use import _marginal


def made(people: int = 300, weeks: int = 8, effect: float = -1.0, seed: int = 1) -> pl.DataFrame:
    """On opioids or not, by program, with people who lean one way throughout (so that rows of a person are alike)."""
    chance = np.random.Generator(np.random.Philox(key=seed))
    rows = []
    for n in range(people):
        lean = chance.normal() * 1.5
        for week in range(weeks):
            p = 1.0 / (1.0 + np.exp(-(-0.2 + effect * (n % 2) + lean)))
            rows.append({"person": n, "week": week, "on_opioids": chance.random() < p, "program": n % 2, "age": 40 + n % 11})
    return pl.DataFrame(rows)


def test_with_one_period_the_odds_ratio_and_points_are_those_of_the_two_by_two_table():
    on = [n < 60 if n < 100 else n < 130 for n in range(200)]
    frame = pl.DataFrame({"person": range(200), "week": 0, "on_opioids": on, "program": [n >= 100 for n in range(200)]})
    found = opioid_odds(frame, exposure="program", structure="independence")
    assert found.term("program, odds ratio").estimate == pytest.approx((30 * 40) / (70 * 60))
    points = found.term("program, average marginal effect")
    assert points.estimate == pytest.approx(-30.0)
    # Mancl and DeRouen's error for a proportion without covariates: sqrt(p q / (n - 1) * n / (n - 1)) in each group
    error = 100 * np.sqrt(sum(p * (1 - p) * 100 / 99**2 for p in (0.6, 0.3)))
    assert (points.high - points.low) / 2 == pytest.approx(1.972 * error, rel=0.01)


@pytest.mark.parametrize("structure", ["exchangeable", "ar1", "independence"])
def test_rows_of_one_person_do_not_count_as_people(structure):
    few, many = (opioid_odds(made(weeks=weeks), exposure="program", trend=False, structure=structure) for weeks in (4, 16))
    widths = [one.term("program, odds ratio").high / one.term("program, odds ratio").low for one in (few, many)]
    assert widths[1] > 0.75 * widths[0]  # four times the rows of the same people are not four times the information
    assert few.term("program, average marginal effect").high < 0.0
    assert "fewer were on opioids" in few.sentence


def test_intervals_hold_no_effect_about_as_often_as_they_say_with_few_people():
    hits = 0
    for seed in range(40):
        term = opioid_odds(made(40, 4, effect=0.0, seed=seed), exposure="program", trend=False).term("program, average marginal effect")
        hits += term.low < 0.0 < term.high
    assert hits >= 35


def test_without_a_settled_difference_the_sentence_says_so():
    found = opioid_odds(made(effect=0.0, seed=4), exposure="program")
    assert "cannot be told apart" in found.sentence
    assert found.term("trend over all weeks, odds ratio").low < 1.0 < found.term("trend over all weeks, odds ratio").high


def test_a_number_s_marginal_effect_is_the_slope_of_the_chance():
    coefficients, covariance = np.array([-0.3, 0.04]), np.diag([0.01, 0.0004])
    design = np.column_stack([np.ones(50), np.linspace(-10.0, 10.0, 50)])

    def mean(shift: float, b: np.ndarray) -> float:
        return float((1 / (1 + np.exp(-(b[0] + b[1] * (design[:, 1] + shift))))).mean())

    def slope(b: np.ndarray) -> float:
        return (mean(1e-5, b) - mean(-1e-5, b)) / 2e-5

    effect, error = _marginal(coefficients, covariance, design, 1)
    gradient = [(slope(coefficients + step) - slope(coefficients - step)) / 2e-4 for step in (np.array([1e-4, 0]), np.array([0, 1e-4]))]
    assert effect == pytest.approx(slope(coefficients), rel=1e-6)
    assert error == pytest.approx(np.sqrt(np.array(gradient) @ covariance @ np.array(gradient)), rel=1e-4)


def test_an_exposure_of_whole_clinics_needs_clinics():
    frame = made(240).with_columns(clinic=pl.col("person") % 6, program=pl.col("person") % 6 < 3)
    with pytest.raises(Refused, match=r"6 clusters.*10 or more"):
        opioid_odds(frame, exposure="program", cluster="clinic")
    frame = frame.with_columns(clinic=pl.col("person") % 24, program=pl.col("person") % 24 < 12)
    by_clinic = opioid_odds(frame, exposure="program", cluster="clinic", trend=False)
    assert "few" in by_clinic.checks[0].verdict
    assert by_clinic.checks[0].value == 24.0


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda frame: frame.filter(pl.col("person") < 8), {}, r"8 people.*10 or more"),
        (lambda frame: frame.with_columns(on_opioids=pl.col("person") < 6), {}, r"6 people were ever on opioids.*Peduzzi"),
        (lambda frame: frame.with_columns(on_opioids=pl.lit(True)), {}, "0 people were ever off"),
        (lambda frame: frame.with_columns(program=1), {}, '"program" never varies'),
        (lambda frame: frame.with_columns(on_opioids=pl.col("person") % 2 == 1), {}, "separation"),
        (lambda frame: frame.with_columns(on_opioids=pl.col("week")), {}, "more than 0 and 1"),
        (lambda frame: pl.concat([frame, frame.head(1)]), {}, "one week twice"),
        (lambda frame: frame, {"structure": "unstructured"}, "exchangeable, ar1"),
        (lambda frame: frame, {"covariates": ("same",)}, '"same" says nothing'),
    ],
)
def test_what_it_cannot_bear_is_refused_with_the_reason(change, options, words):
    frame = made().with_columns(same=pl.col("program") * 2)
    with pytest.raises(InputError, match=words):
        opioid_odds(change(frame), exposure="program", **options)
