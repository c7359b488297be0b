"""Tornado: ends of ranges, an injected straight line, standard errors, and what is kept."""

import numpy as np
import pytest

from painlab import InputError, posterior
from painlab.analysis import one_at_a_time, paired
from painlab.analysis.one_at_a_time import COHORTS, COLUMNS, tornado


def injected(monkeypatch, effect, deviation=0.0):
    generator = np.random.default_rng(1)

    def levels(asked, sets, *, cohorts, **_):
        runs = np.array([[effect(one) for one in sets]] * cohorts) + deviation * generator.normal(size=(cohorts, len(sets)))
        scenario = np.repeat(runs[:, :, None], len(asked.outcomes), axis=2)
        return np.stack([np.zeros_like(scenario), scenario], axis=2)

    monkeypatch.setattr(one_at_a_time.paired, "levels", levels)


def test_ends_of_a_straight_line_are_its_slope_times_the_posterior_s_percentiles(monkeypatch):
    injected(monkeypatch, lambda one: 2.0 * one["weakness_pain"] - 10.0)
    row = tornado("early-pt", names=["weakness_pain"]).of("mme_per_1000").row(0, named=True)
    low, high = np.quantile(posterior.current().draws["weakness_pain"].to_numpy(), [0.05, 0.95])
    assert (row["low_value"], row["high_value"]) == pytest.approx((low, high))
    assert (row["at_low"], row["at_high"]) == pytest.approx((2 * low - 10, 2 * high - 10))
    assert row["swing"] == pytest.approx(2 * (high - low)) and row["standard_error"] == pytest.approx(0.0, abs=1e-12)


def test_the_prior_s_percentiles_are_used_when_the_prior_is_asked_for(monkeypatch):
    injected(monkeypatch, lambda one: one["weakness_pain"])
    row = tornado("early-pt", names=["weakness_pain"], parameters="prior", shares=(0.1, 0.9)).table.row(0, named=True)
    expected = paired.quantiles("weakness_pain", np.array([0.1, 0.9]), "prior")
    assert [row["low_value"], row["high_value"]] == pytest.approx(expected.tolist())


def test_the_largest_swing_leads_among_all_parameters(monkeypatch):
    injected(monkeypatch, lambda one: one["weakness_pain"] - 3.0 * one["flare_size"] + 0.1 * one["noise_size"], deviation=0.01)
    found = tornado("early-pt", most=3)
    assert found.of("mme_per_1000")["parameter"].to_list()[:2] in (["flare_size", "weakness_pain"], ["weakness_pain", "flare_size"])
    assert found.of("mme_per_1000").height == 3
    assert found.table["outcome"].unique(maintain_order=True).to_list() == ["mme_per_1000", "pain", "function"]


def test_a_swing_within_the_patients_chance_is_not_called_clear(monkeypatch):
    injected(monkeypatch, lambda one: 0.0, deviation=5.0)
    found = tornado("early-pt", names=["weakness_pain", "flare_size", "noise_size"])
    assert found.of("mme_per_1000")["clear"].sum() <= 1
    if not found.of("mme_per_1000")["clear"].any():
        assert "No single parameter moves" in found.sentence


def test_a_treatment_that_nobody_gets_swings_nothing():
    found = tornado("early-pt", outcome="pain", names=["acupuncture.relief", "physical_therapy.relief"], patients=COHORTS * 64)
    rows = {row["parameter"]: row for row in found.of("pain").iter_rows(named=True)}
    assert rows["acupuncture.relief"]["swing"] == 0.0 and not rows["acupuncture.relief"]["clear"]
    assert rows["physical_therapy.relief"]["swing"] < 0.0 and rows["physical_therapy.relief"]["clear"]
    assert found.table.columns == list(COLUMNS)
    assert "function" in found.sentence


def test_numbers_do_not_depend_on_threads():
    names = ["physical_therapy.relief", "weakness_pain"]
    first, again = (tornado("early-pt", names=names, patients=256, threads=threads) for threads in (1, 2))
    assert first.table.equals(again.table) and first.central.equals(again.central)


@pytest.mark.parametrize(
    ("given", "said"), [({"shares": (0.9, 0.1)}, "shares"), ({"patients": 4}, "patients"), ({"names": ["x"]}, "unknown")]
)
def test_what_cannot_be_asked_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        tornado("early-pt", **given)
