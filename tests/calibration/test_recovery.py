"""Known parameters come back: intervals cover them at their nominal rate."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from painlab.calibration import recovery
from painlab.calibration.run import smooth

SENSITIVITY = np.random.default_rng(4).normal(size=(12, 6)) * (np.random.default_rng(5).random((12, 6)) < 0.5)


def test_coverage_counts_the_known_values_inside_central_intervals() -> None:
    found = pl.DataFrame({"truth": [0, 0, 0, 0], "parameter": list("abcd"), "rank": [0.5, 0.2, 0.05, 0.99], "spread": [0.5, 0.5, 1.0, 1.0]})
    covered = {(row["parameters"], row["level"]): row["covered"] for row in recovery.coverage(found).iter_rows(named=True)}
    assert covered["all", 0.5] == 0.25  # only the first lies in the middle half
    assert covered["all", 0.8] == 0.5
    assert covered["all", 0.95] == 0.75
    assert covered["informed", 0.8] == 1.0


def test_without_an_informed_parameter_there_is_no_rate() -> None:
    found = pl.DataFrame({"truth": [0], "parameter": ["a"], "rank": [0.5], "spread": [1.0]})
    informed = recovery.coverage(found).filter(pl.col("parameters") == "informed")
    assert informed["covered"].to_list() == [None, None, None]


@pytest.mark.parametrize(("name", "bend"), [("linear", 0.0), ("curved", 0.15)])
def test_the_smoother_covers_known_parameters_at_the_nominal_rate(name: str, bend: float) -> None:
    """A model of 12 parameters and 6 figures, half of the parameters without influence; 150 truths."""
    generator = np.random.default_rng(11)
    errors = np.full(6, 0.5)

    def model(scores: np.ndarray) -> np.ndarray:
        found = scores @ SENSITIVITY
        return found + bend * found**2

    below, spreads = [], []
    for truth in range(150):
        known = generator.normal(size=(1, 12))
        observed = model(known)[0] + errors * generator.normal(size=6)
        start = generator.normal(size=(300, 12))
        none = np.zeros((300, 6))
        after = smooth(lambda step, z, none=none: (model(z), none), start, observed, errors, list("abcdef"), seed=truth, steps=4)
        below.append((after < known).mean(axis=0))
        spreads.append(after.std(axis=0, ddof=1))
    rows = pl.DataFrame({"truth": 0, "rank": np.concatenate(below), "spread": np.concatenate(spreads), "parameter": "x"})
    covered = {(row["parameters"], row["level"]): row["covered"] for row in recovery.coverage(rows).iter_rows(named=True)}
    for level in recovery.LEVELS:
        assert covered["all", level] == pytest.approx(level, abs=0.05)
        assert covered["informed", level] == pytest.approx(level, abs=0.08)


def test_the_last_recovery_that_was_kept_held() -> None:
    """Over all parameters, each interval covers about as often as it says; figures of the last `painlab calibrate --recovery`."""
    found = pl.read_csv(recovery.file())
    assert found["truth"].n_unique() >= 8
    for row in recovery.coverage(found).iter_rows(named=True):
        if row["parameters"] == "all":
            assert row["covered"] == pytest.approx(row["level"], abs=0.06)


def test_a_recovery_is_written_with_a_row_for_each_truth_and_parameter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    few = recovery.trials.shipped("calibrate")[:3]
    monkeypatch.setattr(recovery.trials, "shipped", lambda use=None: few)
    monkeypatch.setattr(recovery, "file", lambda: tmp_path / "validity" / "recovery.csv")
    seen: list[tuple[int, int]] = []
    whole = recovery.ranks(truths=2, members=12, patients=20, steps=2, seed=3, progress=lambda done, total: seen.append((done, total)))
    assert whole.height == 2 * len(recovery.free_parameters())
    assert whole["rank"].is_between(0.0, 1.0).all()
    assert seen[-1] == (36, 36)
    again = recovery.ranks(truths=2, members=12, patients=20, steps=2, seed=3)
    assert again.equals(whole)
    monkeypatch.setattr(recovery, "ranks", lambda **how: whole)
    path = recovery.write(seed=3)
    assert pl.read_csv(path).height == whole.height
