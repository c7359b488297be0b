"""The terminal's science: validate, calibrate and docs say what was found, and refuse what they cannot use."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from painlab.cli import main

MINE = """
[back-pain-at-four-weeks]
title = "Back pain after four weeks"
source = "A clinic of our own, 2026"
use = "validate"
population = { condition = "low_back_pain_acute" }
arms = { usual = "usual-care" }
kind = "level"
outcome = "pain"
week = 4
published = { estimate = 30, low = 0, high = 100, scale = "0-100", factor = 0.1, rule = "a tenth of 0-100" }

[nobody-hurts]
like = "back-pain-at-four-weeks"
title = "Nobody hurts in the first week"
week = 0
published = { estimate = 0, tolerance = 1, scale = "0-100", factor = 0.1, rule = "a tenth of 0-100" }
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(MINE, encoding="utf-8")
    return path


def said(*words: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "110"}).invoke(main, [str(word) for word in words])


SMALL = ("--draws", "2", "--patients", "30")


def test_a_strangers_trials_are_run_and_a_failing_row_stays_in_the_table(mine: Path) -> None:
    result = said("validate", mine, *SMALL)
    assert result.exit_code == 0, result.output
    assert "Nobody hurts in the first week" in result.output
    assert "OUTSIDE" in result.output and "inside" in result.output
    assert "validate: 1 of 2 inside the published interval (50 %)" in result.output


def test_only_strict_turns_a_failing_trial_into_an_exit_code(mine: Path) -> None:
    assert said("validate", mine, *SMALL, "--strict").exit_code == 1
    only = mine.with_name("only.toml")
    only.write_text(MINE.partition("[nobody")[0], encoding="utf-8")
    assert said("validate", only, *SMALL, "--strict").exit_code == 0


def test_json_is_a_list_of_objects_with_the_figures_on_the_models_scale(mine: Path) -> None:
    found = json.loads(said("validate", mine, *SMALL, "--json").stdout)
    assert [one["id"] for one in found] == ["back-pain-at-four-weeks", "nobody-hurts"]
    first = found[0]
    wanted = {
        "id", "use", "kind", "week", "published", "published_low", "published_high", "predicted", "predicted_low", "predicted_high",
        "inside", "source",
    }  # fmt: skip
    assert wanted <= set(first)
    assert (first["use"], first["kind"], first["week"], first["source"]) == ("validate", "level", 4, "A clinic of our own, 2026")
    assert (first["published"], first["published_low"], first["published_high"]) == (3.0, 0.0, 10.0)
    assert first["predicted_low"] <= first["predicted"] <= first["predicted_high"]
    assert first["inside"] is True and found[1]["inside"] is False


def test_one_set_of_values_has_no_interval(mine: Path) -> None:
    found = json.loads(said("validate", mine, "--draws", "1", "--patients", "30", "--json").stdout)
    assert found[0]["predicted_low"] is None and found[0]["predicted"] is not None


def test_the_same_seed_gives_the_same_predictions_and_another_gives_others(mine: Path) -> None:
    one, same, other = (said("validate", mine, *SMALL, "--json", "--seed", seed).stdout for seed in ("5", "5", "6"))
    assert one == same != other


def test_trials_of_one_use_can_be_asked_for(mine: Path) -> None:
    refused = said("validate", mine, *SMALL, "--use", "calibrate")
    assert refused.exit_code == 2 and "no trial is marked calibrate" in refused.output


@pytest.mark.parametrize("ending", ["svg", "png"])
def test_a_forest_plot_is_written_on_request(mine: Path, ending: str) -> None:
    plot = mine.with_name(f"forest.{ending}")
    assert said("validate", mine, *SMALL, "--plot", plot).exit_code == 0
    content = plot.read_bytes()
    assert (b"Back pain after four weeks" in content) if ending == "svg" else content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("validate", "missing.toml"), "there is no such file"),
        (("validate", "--plot", "forest.pdf"), "ends in .svg or .png"),
        (("validate", "--draws", "0"), "draws is 0"),
        (("validate", "--patients", "1"), "patients is 1"),
        (("calibrate", "--members", "10"), "members is 10"),
        (("calibrate", "--steps", "0"), "steps is 0"),
        (("docs", "pages", "--draws", "1"), "draws is 1"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_paragraph(words: tuple[str, ...], complaint: str) -> None:
    result = said(*words)
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert "Traceback" not in result.output


def test_a_plot_that_cannot_be_written_is_said_after_the_table(mine: Path) -> None:
    result = said("validate", mine, *SMALL, "--plot", mine.parent / "nowhere" / "forest.svg")
    assert result.exit_code == 2 and "the chart cannot be written" in result.output
