"""What comes out: one weekly frame, paired differences, bands, provenance and files."""

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from painlab import InputError, Projection, Scenario, simulate
from painlab.outcomes import BY_NAME, OPEN_COHORT_OUTCOMES, OUTCOMES
from painlab.projection import COLUMNS


@pytest.fixture(scope="module")
def projection() -> Projection:
    return simulate("early-pt", patients=100, draws=8, weeks=30)


def test_the_weekly_frame_has_the_promised_columns_weeks_and_units(projection: Projection) -> None:
    weekly = projection.weekly
    assert weekly.columns == list(COLUMNS)
    arms = ("baseline", "scenario", "difference")
    assert weekly.columns == ["week", "outcome", "unit", *(f"{arm}{end}" for arm in arms for end in ("", "_low", "_high"))]
    assert weekly.schema["week"] == pl.Int32
    assert weekly["outcome"].unique(maintain_order=True).to_list() == [one.name for one in OUTCOMES]
    for name, rows in weekly.group_by("outcome"):
        assert rows["week"].to_list() == list(range(31))
        assert set(rows["unit"]) == {BY_NAME[name[0]].unit}


def test_a_difference_is_scenario_less_baseline_and_a_band_has_its_ends_in_order(projection: Projection) -> None:
    weekly = projection.weekly
    assert (weekly["scenario"] - weekly["baseline"] - weekly["difference"]).abs().max() < 1e-9
    for arm in ("baseline", "scenario", "difference"):
        assert (weekly[f"{arm}_low"] <= weekly[f"{arm}_high"]).all()
    assert weekly.null_count().sum_horizontal().item() == 0


def test_one_draw_has_no_band() -> None:
    one = simulate("early-pt", patients=50, draws=1, weeks=5)
    for arm in ("baseline", "scenario", "difference"):
        assert one.weekly[f"{arm}_low"].is_null().all() and one.weekly[f"{arm}_high"].is_null().all()
    interval = one.difference("pain", 5)
    assert interval.low is None and interval.high is None


def test_averages_are_means_over_the_weeks_with_narrower_bands(projection: Projection) -> None:
    averages = projection.averages
    assert averages.columns == [name for name in COLUMNS if name != "week"]
    by_week = projection.weekly.group_by("outcome", maintain_order=True).agg(pl.col("baseline", "scenario", "difference").mean())
    for arm in ("baseline", "scenario", "difference"):
        assert averages[arm].to_list() == pytest.approx(by_week[arm].to_list(), abs=1e-9)
    width = projection.outcome("mme_per_1000").select((pl.col("scenario_high") - pl.col("scenario_low")).mean()).item()
    demand = averages.row(by_predicate=pl.col("outcome") == "mme_per_1000", named=True)
    assert 0.0 < demand["scenario_high"] - demand["scenario_low"] <= width


def test_one_number_can_be_asked_for(projection: Projection) -> None:
    row = projection.outcome("pain").row(12, named=True)
    assert projection.difference("pain", 12) == (row["difference"], row["difference_low"], row["difference_high"])
    assert projection.level_of("pain", 12, "baseline").mean == row["baseline"]
    with pytest.raises(InputError, match='did you mean "mme_per_1000"'):
        projection.difference("mme_per_100", 12)
    with pytest.raises(InputError, match="0 to 30"):
        projection.difference("pain", 31)


def test_an_open_cohort_adds_the_stated_populations_demand() -> None:
    clinic = simulate("clinic-early-pt", patients=3000, draws=1, weeks=26)
    assert set(clinic.weekly["outcome"]) == {one.name for one in (*OUTCOMES, *OPEN_COHORT_OUTCOMES)}
    arrivals = clinic.scenario.population.arrivals
    a_week = arrivals.people / 1000 * arrivals.new_patients_per_1000_per_year / 52
    assert clinic.level_of("patients_in_care", 13).mean == pytest.approx(a_week * arrivals.follow_up_weeks, rel=0.06)
    demand = clinic.level_of("mme_per_1000", 13).mean / 1000 * clinic.level_of("patients_in_care", 13).mean
    assert clinic.level_of("mme_total", 13).mean == pytest.approx(demand)
    first, last = (clinic.level_of("pain", week, "baseline").mean for week in (0, 26))
    assert first == pytest.approx(last, abs=0.2)  # the panel was in balance before the change


def test_what_is_saved_reads_back_the_same(projection: Projection, tmp_path: Path) -> None:
    folder = projection.save(tmp_path / "new" / "out")
    assert sorted(path.name for path in folder.iterdir()) == ["provenance.json", "weekly.csv", "weekly.parquet"]
    assert_frame_equal(pl.read_parquet(folder / "weekly.parquet"), projection.weekly)
    assert_frame_equal(pl.read_csv(folder / "weekly.csv", schema_overrides={"week": pl.Int32}), projection.weekly)
    assert (folder / "weekly.csv").read_text(encoding="utf-8").splitlines()[0] == ",".join(COLUMNS)


def test_nothing_is_overwritten_without_force(projection: Projection, tmp_path: Path) -> None:
    kept = tmp_path / "weekly.csv"
    kept.write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="--force"):
        projection.save(tmp_path)
    assert kept.read_text(encoding="utf-8") == "mine" and len(list(tmp_path.iterdir())) == 1
    projection.save(tmp_path, force=True)
    assert kept.read_text(encoding="utf-8") != "mine"


def test_a_picture_that_fails_leaves_no_half_written_files(projection: Projection, tmp_path: Path) -> None:
    def fails(folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left"):
        projection.save(tmp_path, pictures=fails)
    assert list(tmp_path.iterdir()) == []


def test_provenance_says_how_the_numbers_were_made(projection: Projection) -> None:
    made = json.loads(json.dumps(projection.provenance))
    assert made["scenario_sha256"] == Scenario.load("early-pt").fingerprint()
    assert (made["seed"], made["draws"], made["patients_per_draw"], made["weeks"]) == (1, 8, 100, 30)
    assert {"parameters.csv", "evidence.csv", "scenarios/early-pt.toml"} <= set(made["data_sha256"])
    assert made["painlab"] and "prior" in made["parameters"]
    assert made == simulate("early-pt", patients=100, draws=8, weeks=30).provenance
