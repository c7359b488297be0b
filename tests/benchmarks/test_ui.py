"""`make bench-ui` with few moves: it runs, measures everything, and writes what it promises. Its figures mean nothing here."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks import servers, ui

KEYS = {"median_ms", "p95_ms", "unforeseen_median_ms", "ratio_to_interact", "app_median_ms", "first_chart_s", "kernel_mb"}


@pytest.fixture(scope="module")
def written(root, tmp_path_factory):
    try:
        servers.browser_path()
    except servers.NoBrowser as reason:
        if os.environ.get("PAINLAB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}, and PAINLAB_REQUIRE_BROWSER=1")
        pytest.skip(str(reason))
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-m", "benchmarks.ui", "--quick", "--out", str(folder)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads((folder / "ui.json").read_text(encoding="utf-8")), done.stdout


def test_the_results_hold_every_figure_of_the_issue(written):
    _, results, _ = written
    assert set(results) >= KEYS
    assert all(results[key] > 0.0 for key in KEYS - {"kernel_mb"})
    moves = results["sizes"]["moves"]
    leaps = results["raw_ms"].pop("unforeseen")
    assert ({len(taken) for taken in results["raw_ms"].values()}, len(leaps)) == ({moves}, moves // 2)


def test_the_ratio_is_against_the_quicker_form_of_interact(written):
    _, results, _ = written
    assert results["ratio_to_interact"] == pytest.approx(min(results["interact_median_ms"].values()) / results["median_ms"])


def test_a_trial_run_says_that_its_figures_mean_nothing(written):
    folder, results, said = written
    assert results["quick"]
    assert "mean nothing" in said
    assert (folder / "ui.md").read_text(encoding="utf-8").strip() == said.strip()


def test_a_percentile_is_one_of_the_values():
    assert ui.percentile([5.0], 0.95) == 5.0
    assert ui.percentile([float(i) for i in range(1, 61)], 0.95) == 57.0
