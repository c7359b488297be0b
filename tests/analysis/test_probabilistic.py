"""Rank correlations with their intervals, by hand and by simulation, and the answer of the real model over parameter sets."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from painlab import InputError
from painlab.analysis import paired, probabilistic
from painlab.analysis.probabilistic import COLUMNS, interval, of_draws, partial_correlations, ranked, sensitivity


def gathered(halves, values, names=("weakness_pain", "flare_size", "noise_size")):
    asked = paired.request("early-pt", "mme_per_1000", None, 100, 1)
    return of_draws(asked, values, np.repeat(halves[:, :, None], 3, axis=2), names, "posterior", len(names))


def test_ranks_give_spearman_s_correlation():
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=60), generator.integers(0, 5, 60).astype(float)
    by_hand = float(ranked(x[:, None])[:, 0] @ ranked(y[:, None])[:, 0] / 60)
    assert by_hand == pytest.approx(spearmanr(x, y).statistic)


def test_a_partial_correlation_is_that_of_the_residuals():
    generator = np.random.default_rng(2)
    x, z = generator.normal(size=(2, 300))
    y = x + 2.0 * z + generator.normal(size=300)
    columns = np.column_stack([x + z, z])
    rest = [one - np.poly1d(np.polyfit(z, one, 1))(z) for one in (columns[:, 0], y)]
    assert partial_correlations(columns, y)[0] == pytest.approx(np.corrcoef(*rest)[0, 1])


def test_the_interval_holds_the_truth_nineteen_times_in_twenty():
    generator = np.random.default_rng(3)
    truth = 6.0 / np.pi * np.arcsin(0.5 / 2.0)  # Spearman's of two normals with correlation 0.5
    held = 0
    for _ in range(400):
        x = generator.normal(size=(100, 2)) @ np.linalg.cholesky([[1.0, 0.5], [0.5, 1.0]]).T
        _, low, high = interval(float(spearmanr(*x.T).statistic), 100, 0)
        held += low <= truth <= high
    assert 0.92 < held / 400 < 0.98


def test_a_parameter_that_the_posterior_ties_to_another_loses_its_partial_correlation():
    generator = np.random.default_rng(4)
    cause = generator.normal(size=500)
    values = np.column_stack([cause, cause + 0.5 * generator.normal(size=500), generator.normal(size=500)])
    effect = cause + 0.3 * generator.normal(size=500)
    rows = {row["parameter"]: row for row in gathered(np.array([effect, effect]), values).table.head(3).iter_rows(named=True)}
    assert rows["flare_size"]["rank"] > 0.7
    assert abs(rows["flare_size"]["partial"]) < 0.15
    assert rows["weakness_pain"]["clear"] and not rows["noise_size"]["clear"]


def test_the_band_is_that_of_parameters_without_the_patients_chance():
    generator = np.random.default_rng(5)
    truth = generator.normal(-3.0, 1.0, 2000)
    found = gathered(truth + generator.normal(0.0, 2.0, (2, 2000)), generator.normal(size=(2000, 3))).summary.row(0, named=True)
    assert found["low"] == pytest.approx(-3.0 - 1.96, abs=0.35)
    assert found["run_low"] < found["low"] - 0.8
    assert found["by_parameters"] == pytest.approx(1.0 / 3.0, abs=0.07)


def test_where_nothing_is_told_from_chance_the_sentence_says_so():
    generator = np.random.default_rng(6)
    noise = generator.normal(size=(2, 200))
    found = gathered(noise, generator.normal(size=(200, 3)))
    assert "No parameter is told from chance" in found.sentence


def test_the_real_model_gives_one_row_a_set_and_the_same_numbers_again():
    first, again = (sensitivity("early-pt", draws=60, patients=256, most=4, threads=threads) for threads in (1, 2))
    assert first.draws.equals(again.draws) and first.table.equals(again.table)
    assert first.draws.height == 60 and first.draws.width == 4 + first.parameters
    assert first.table.columns == list(COLUMNS)
    assert first.summary["outcome"].to_list() == ["mme_per_1000", "pain", "function"]
    assert all(word in first.sentence for word in ("opioid demand", "pain", "function"))


def test_an_outcome_that_nothing_moves_has_no_rows():
    effect = np.zeros(100)
    found = gathered(np.array([effect, effect]), np.random.default_rng(7).normal(size=(100, 3)))
    assert found.table.is_empty()
    assert "the same in all sets" in found.sentence


@pytest.mark.parametrize(("given", "said"), [({"draws": 501}, "draws is 501"), ({"draws": 10}, "draws"), ({"most": 126}, "most")])
def test_numbers_out_of_range_such_as_more_sets_than_the_posterior_holds_are_refused(given, said):
    with pytest.raises(InputError, match=said):
        sensitivity("early-pt", **given)


def test_progress_counts_to_its_total():
    seen = []
    probabilistic.sensitivity("early-pt", draws=50, patients=64, most=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (100, 100) and [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert isinstance(seen, list) and pl.DataFrame(seen, orient="row").height == 100
