"""A calibration from start to file: it can be killed, it says what it made, and its draws lie in their priors."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from painlab import parameters, posterior, trials, validation
from painlab.calibration import run
from painlab.calibration.ensemble import FARTHEST, free_parameters, prior_scores, values_of
from painlab.calibration.run import as_table, calibrate, observations, scores_of
from painlab.errors import InputError
from painlab.trials import Trial
from painlab.validation import Predictions


def one(name: str, **changes: Any) -> Trial:
    given = {
        "id": name, "title": name, "source": "assumption", "use": "calibrate", "population": {"condition": "sciatica"}, "kind": "level",
        "outcome": "pain", "weeks": (6, 6), "arms": {"usual": {}},
        "published": {"estimate": 1.2, "tolerance": 0.1, "scale": "0-10", "rule": "by hand"},
    }  # fmt: skip
    return Trial.model_validate(given | changes)


CHOSEN = (one("noise"), one("weakness", published={"estimate": 0.5, "tolerance": 0.2, "scale": "any", "rule": "by hand"}))
SMALL: dict[str, Any] = {"members": 300, "patients": 50, "steps": 2, "seed": 4}
asked: list[int] = []
"""How many sets were predicted, by call."""


def answers(chosen: Sequence[Trial], values: Sequence[Any], *, first_set: int, **_: Any) -> Predictions:
    """Two parameters as they are, in place of the model; the step shows in the errors."""
    asked.append(len(values))
    names = ("noise_size", "weakness_pain")
    found = np.array([[of[name] for name in names] for of in values])
    return Predictions(found, np.full(found.shape, 0.01 * (1 + first_set)))


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked.clear()
    monkeypatch.setattr(validation, "predict", answers)
    monkeypatch.setattr(trials, "shipped", lambda use=None: CHOSEN if use == "calibrate" else ())
    monkeypatch.setattr(run.platformdirs, "user_cache_path", lambda name: tmp_path / "cache" / name)


def saved(folder: Path) -> list[Path]:
    return sorted((folder / "cache").rglob("*.npy"))


def killed_at(done: int) -> Callable[[int, int], None]:
    def progress(now: int, total: int) -> None:
        if now >= done:
            raise KeyboardInterrupt

    return progress


# Killed and called again


@pytest.mark.parametrize("done", [20, 380, 600])
def test_a_calibration_that_is_killed_goes_on_where_it_was_and_finds_the_same(tmp_path: Path, done: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        calibrate(**SMALL, path=tmp_path / "broken.parquet", progress=killed_at(done))
    assert sum(asked) == done
    assert not (tmp_path / "broken.parquet").exists()
    assert saved(tmp_path)

    again = calibrate(**SMALL, path=tmp_path / "broken.parquet")
    assert sum(asked) == 600  # each of 300 members in each of 2 steps once, in both calls together
    assert saved(tmp_path) == []

    unbroken = calibrate(**SMALL, path=tmp_path / "whole.parquet")
    assert sum(asked) == 1200  # nothing of a finished calibration is used again
    np.testing.assert_array_equal(again.scores, unbroken.scores)
    assert pl.read_parquet(tmp_path / "broken.parquet").equals(pl.read_parquet(tmp_path / "whole.parquet"))


def test_progress_counts_the_members_of_all_steps(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    calibrate(**SMALL, path=tmp_path / "made.parquet", progress=lambda done, total: said.append((done, total)))
    assert said[0] == (run.CHUNK, 600) and said[-1] == (600, 600)
    assert [done for done, _ in said] == sorted(done for done, _ in said)


@pytest.mark.parametrize("changed", [{"seed": 5}, {"patients": 51}, {"steps": 3}, {"members": 310}])
def test_work_that_was_saved_for_other_settings_is_not_used(tmp_path: Path, changed: dict[str, int]) -> None:
    with pytest.raises(KeyboardInterrupt):
        calibrate(**SMALL, path=tmp_path / "made.parquet", progress=killed_at(300))
    asked.clear()
    other = SMALL | changed
    calibrate(**other, path=tmp_path / "made.parquet")
    assert sum(asked) == other["members"] * other["steps"]


def test_work_that_was_saved_for_other_trials_of_the_same_name_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        calibrate(**SMALL, path=tmp_path / "made.parquet", chosen=CHOSEN, progress=killed_at(300))
    asked.clear()
    calibrate(**SMALL, path=tmp_path / "made.parquet", chosen=[one("noise", weeks=(7, 7)), CHOSEN[1]])
    assert sum(asked) == 600


def test_a_fresh_calibration_uses_nothing_that_was_saved(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        calibrate(**SMALL, path=tmp_path / "made.parquet", progress=killed_at(300))
    asked.clear()
    calibrate(**SMALL, path=tmp_path / "made.parquet", fresh=True)
    assert sum(asked) == 600


# What it makes


def test_the_file_holds_at_least_300_draws_of_every_parameter_all_inside_their_priors(tmp_path: Path) -> None:
    found = calibrate(**SMALL, path=tmp_path / "made.parquet")
    assert found.path == tmp_path / "made.parquet"
    draws = pl.read_parquet(tmp_path / "made.parquet")
    assert draws.height == 300 >= run.FEWEST_MEMBERS
    assert draws.columns == list(parameters.records())
    assert draws.null_count().sum_horizontal()[0] == 0
    share = 0.5 * math.erfc(FARTHEST / math.sqrt(2.0))
    for one in parameters.records().values():
        low, high = (one.low, one.high) if one.distribution != "lognormal" else (one.quantile(share), one.quantile(1.0 - share))
        assert draws[one.name].is_between(low - 1e-12, high + 1e-12).all(), one.name


def test_draws_go_to_the_published_figures_and_the_others_stay_at_the_prior(tmp_path: Path) -> None:
    found = calibrate(**SMALL | {"steps": 4}, path=tmp_path / "made.parquet")
    draws = pl.read_parquet(tmp_path / "made.parquet")
    prior = as_table(prior_scores(300, 4))
    assert abs(draws["noise_size"].mean() - 1.2) < abs(prior["noise_size"].mean() - 1.2)
    assert draws["noise_size"].mean() == pytest.approx(1.2, abs=0.05)
    assert draws["noise_size"].std() < 0.5 * prior["noise_size"].std()
    untouched = (found.scores == prior_scores(300, 4)).all(axis=0)
    assert untouched.mean() > 0.7  # what correlates with neither by more than chance did not move at all


def test_the_file_says_how_it_was_made_and_is_current(tmp_path: Path) -> None:
    calibrate(**SMALL, path=tmp_path / "made.parquet")
    made = json.loads(pl.read_parquet_metadata(tmp_path / "made.parquet")["painlab"])
    assert made == posterior.fingerprints() | {"method": "ES-MDA", "members": "300", "patients": "50", "steps": "2", "seed": "4"}
    found = posterior.load(tmp_path / "made.parquet")
    assert found is not None and found.changed == ()


@pytest.mark.parametrize("members", [0, 1, 299])
def test_an_ensemble_that_cannot_tell_information_from_chance_is_refused(tmp_path: Path, members: int) -> None:
    with pytest.raises(InputError, match=rf"the ensemble has {members} members. Expected at least 300"):
        calibrate(**SMALL | {"members": members}, path=tmp_path / "made.parquet")
    assert asked == []


def test_without_a_trial_there_is_nothing_to_calibrate_on(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no trial marked calibrate"):
        calibrate(**SMALL, path=tmp_path / "made.parquet", chosen=[])


# Scales


def test_observations_are_the_published_figures_and_their_standard_errors_odds_ratios_as_logarithms() -> None:
    arms = {"one": {}, "other": {}}
    ratio = one(
        "ratio", kind="odds_ratio", outcome="on_opioids", arms=arms,
        published={"estimate": 0.8, "low": 0.5, "high": 1.28, "scale": "odds ratio", "rule": "by hand"},
    )  # fmt: skip
    figures, errors = observations([CHOSEN[0], ratio])
    z = 1.959963984540054
    assert figures == pytest.approx([1.2, math.log(0.8)])
    assert errors == pytest.approx([0.1 / z, math.log(1.28 / 0.5) / (2 * z)])
    values, noise = run.on_the_scale_of_errors([CHOSEN[0], ratio], Predictions(np.array([[3.0, 2.0]]), np.array([[0.3, 0.1]])))
    assert values == pytest.approx(np.array([[3.0, math.log(2.0)]]))
    assert noise == pytest.approx(np.array([[0.3, 0.1 / 2.0]]))


def test_a_table_of_draws_and_its_scores_are_inverse() -> None:
    scores = np.clip(np.random.default_rng(1).standard_normal((40, len(free_parameters()))), -3.5, 3.5)
    draws = as_table(scores)
    assert draws.columns == list(parameters.records())
    assert scores_of(draws) == pytest.approx(scores, abs=1e-6)
    assert draws.to_dicts() == [dict(of) for of in values_of(scores)]
