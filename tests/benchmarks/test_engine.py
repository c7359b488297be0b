"""`make bench` at tiny sizes: it runs, measures everybody who is there, and writes what it promises. Its figures mean nothing here."""

import json
import math
import os
import subprocess
import sys

import pytest

KEYS = {"ratio", "interactive_ms", "interactive_both_arms_ms", "psa_s", "peak_mb_1e7", "slope", "crn_variance_reduction"}
RATIOS = {"numpy_1_thread", "numpy_2_threads", "starsim", "mesa", "simpy", "c"}


@pytest.fixture(scope="module")
def written(root, tmp_path_factory, peer_module):
    for name in ("starsim", "mesa", "simpy"):
        peer_module(name)
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-m", "benchmarks.engine", "--quick", "--out", str(folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder / "engine.json").read_text(encoding="utf-8")), done.stdout


def test_the_results_hold_every_figure_of_the_issue(written):
    _, results, _ = written
    assert set(results) >= KEYS
    assert set(results["ratio"]) == RATIOS
    assert set(results["crn_variance_reduction"]) == {"mme", "pain", "function"}
    assert all(ratio is None or ratio > 0.0 for ratio in results["ratio"].values())
    assert all(reduction > 1.0 for reduction in results["crn_variance_reduction"].values())
    assert math.isfinite(results["slope"])


def test_only_c_may_be_missing_and_it_says_why(written):
    _, results, table = written
    assert set(results["missing"]) <= {"c"}
    assert (results["ratio"]["c"] is None) == ("c" in results["missing"])
    assert all(why in table for why in results["missing"].values())


def test_the_ratio_is_that_of_the_speeds_at_the_peers_size(written):
    _, results, _ = written
    speeds, size = results["patient_weeks_per_second"], results["sizes"]["peers"]["mesa"]
    assert results["ratio"]["mesa"] == pytest.approx(speeds[f"engine_1@{size}"] / speeds[f"mesa@{size}"])


def test_a_trial_run_says_that_its_figures_mean_nothing_and_leaves_the_real_ones_alone(written, root):
    folder, results, table = written
    assert results["quick"]
    assert "mean nothing" in table
    assert (folder / "engine.md").read_text(encoding="utf-8").strip() == table.strip()
    kept = root / "benchmarks" / "results" / "engine.json"
    assert not kept.exists() or not json.loads(kept.read_text(encoding="utf-8"))["quick"]


def test_the_chart_names_everybody_who_ran(written):
    folder, results, _ = written
    picture = (folder / "engine.svg").read_text(encoding="utf-8")
    for name in ("PainLab, one thread", "PainLab, two threads", "NumPy", "Starsim", "Mesa", "SimPy"):
        assert name in picture
    assert ("C, one thread" in picture) == (results["ratio"]["c"] is not None)
