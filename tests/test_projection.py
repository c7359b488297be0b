"""A projection's tables, bands, provenance and files."""

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from painlab import InputError, Projection, Scenario, posterior, simulate
from painlab.engine import execution
from painlab.outcomes import BY_NAME, OPEN_COHORT_OUTCOMES, OUTCOMES, Count
from painlab.projection import check_folder, from_means
from painlab.tables import data_folder

ORDER = [
    "week", "outcome", "unit", "baseline", "baseline_low", "baseline_high", "scenario", "scenario_low", "scenario_high", "difference",
    "difference_low", "difference_high",
]  # fmt: skip
BANDS = [column for column in ORDER if column.endswith(("_low", "_high"))]
FILES = ["provenance.json", "weekly.csv", "weekly.parquet"]
RUN = {"patients": 60, "draws": 7, "seed": 3, "weeks": 20}


def means(scenario: Scenario) -> np.ndarray:
    """Weekly means of each draw of RUN, as the engine gives them."""
    values = [posterior.values(draw, 3) for draw in range(7)]
    return execution.run(scenario, values, patients=60, seed=3, weeks=20).means


@pytest.fixture(scope="module")
def projected() -> Projection:
    return simulate("coordinated-care", **RUN)


@pytest.fixture(scope="module")
def open_cohort() -> Projection:
    return simulate("clinic-early-pt", **RUN)


def gathered(scenario: str, means: np.ndarray, present: np.ndarray | None = None, **said: str) -> Projection:
    """A projection of 80 patients from weekly means made up in a test."""
    draws, weeks = means.shape[0], means.shape[3] - 1
    there = np.full((draws, weeks + 1), 80) if present is None else present
    about = {"origin": "by hand", **said}
    return from_means(Scenario.load(scenario), means, there, patients=80, seed=1, weeks=weeks, cut=(), **about)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# Tables


def test_the_weekly_table_has_the_columns_in_their_order_and_types(projected: Projection) -> None:
    assert projected.weekly.columns == ORDER
    types = projected.weekly.schema
    assert types["week"] == pl.Int32
    assert types["outcome"] == types["unit"] == pl.String
    assert {types[column] for column in ORDER[3:]} == {pl.Float64}


def test_every_outcome_has_a_row_in_each_week_from_0_to_the_horizon(projected: Projection, open_cohort: Projection) -> None:
    for projection, outcomes in ((projected, OUTCOMES), (open_cohort, (*OUTCOMES, *OPEN_COHORT_OUTCOMES))):
        expected = [(one.name, one.unit, week) for one in outcomes for week in range(21)]
        assert projection.weekly.select("outcome", "unit", "week").rows() == expected


def test_nothing_is_missing_and_the_low_end_of_a_band_is_not_above_its_high_end(projected: Projection, open_cohort: Projection) -> None:
    for projection in (projected, open_cohort):
        for frame in (projection.weekly, projection.averages):
            assert frame is not None
            assert sum(frame.null_count().row(0)) == 0
            for arm in ("baseline", "scenario", "difference"):
                assert frame[arm].is_finite().all()
                assert (frame[f"{arm}_low"] <= frame[f"{arm}_high"]).all()


def test_the_difference_is_scenario_less_baseline(projected: Projection, open_cohort: Projection) -> None:
    for projection in (projected, open_cohort):
        frame = projection.weekly
        np.testing.assert_allclose(frame["difference"], frame["scenario"] - frame["baseline"], rtol=1e-9, atol=1e-9)


def test_the_band_of_five_draws_leaves_a_tenth_of_a_step_at_each_end() -> None:
    means = np.zeros((5, 2, len(OUTCOMES), 3))
    means[:, 1, Count.PAIN] = np.array([4.0, 2.0, 0.0, 3.0, 1.0])[:, None]  # 0.025 of the way along four steps is 0.1 of the first
    projection = gathered("early-pt", means)
    assert projection.level_of("pain", 2) == projection.difference("pain", 2) == pytest.approx((2.0, 0.1, 3.9))
    assert projection.level_of("pain", 2, "baseline") == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("draws", [1, 2, 9, 23])
@pytest.mark.parametrize("name", ["early-pt", "clinic-early-pt"])
def test_both_tables_are_those_of_a_plain_computation_cell_by_cell(name: str, draws: int) -> None:
    weeks, chance = 6, np.random.default_rng(draws)
    made, present = chance.gamma(2.0, 1.0, (draws, 2, len(OUTCOMES), weeks + 1)), chance.integers(40, 80, (draws, weeks + 1))
    arms = {one: made[:, :, place] * one.scale for place, one in enumerate(OUTCOMES)}
    if arrivals := Scenario.load(name).population.arrivals:
        # The simulated week has 80 patients for the arrivals of all weeks and the follow-up before; the stated population has these:
        stated = arrivals.people / 1000 * arrivals.new_patients_per_1000_per_year / 52 * (weeks + 1 + arrivals.follow_up_weeks)
        people = np.stack([present / 80 * stated] * 2, axis=1)
        arms |= dict(zip(OPEN_COHORT_OUTCOMES, (made[:, :, 0] * people, people), strict=True))

    def rows(over_weeks: bool) -> pl.DataFrame:
        table = []
        for outcome, levels in arms.items():
            for week in range(1 if over_weeks else weeks + 1):
                row = {"week": week, "outcome": outcome.name, "unit": outcome.unit}
                baseline, scenario = (np.mean(levels, axis=2) if over_weeks else levels[:, :, week]).T
                for arm, values in (("baseline", baseline), ("scenario", scenario), ("difference", scenario - baseline)):
                    low, high = np.quantile(values, (0.025, 0.975)) if draws > 1 else (None, None)
                    row |= {arm: np.mean(values), f"{arm}_low": low, f"{arm}_high": high}
                table.append(row)
        return pl.DataFrame(
            table, schema={"week": pl.Int32, "outcome": pl.String, "unit": pl.String, **dict.fromkeys(ORDER[3:], pl.Float64)}
        )

    projection = gathered(name, made, present)
    assert projection.averages is not None
    for frame, expected in ((projection.weekly, rows(over_weeks=False)), (projection.averages, rows(over_weeks=True).drop("week"))):
        assert_frame_equal(frame, expected, rel_tol=1e-12, abs_tol=1e-9)


def test_a_draw_that_is_no_number_shows_in_its_week_and_nowhere_else() -> None:
    means = np.random.default_rng(1).gamma(2.0, 1.0, (4, 2, len(OUTCOMES), 3))
    means[2, 1, Count.PAIN, 1] = np.nan
    spoilt = gathered("early-pt", means).weekly.filter(pl.any_horizontal(pl.col(ORDER[3:]).is_nan()))
    assert spoilt.select("outcome", "week").rows() == [("pain", 1)]
    assert np.isnan(spoilt.row(0)[6:]).all()
    assert np.isfinite(spoilt.row(0)[3:6]).all()


def test_what_is_written_into_one_projections_table_does_not_reach_the_next(projected: Projection) -> None:
    means = np.zeros((1, 2, len(OUTCOMES), 21))
    for frame in (gathered("early-pt", means).weekly, gathered("early-pt", means).averages):
        assert frame is not None
        frame[0, "unit"], frame[0, "difference_low"] = "mine", 7.0
    again = gathered("early-pt", means)
    assert again.weekly["unit"].equals(projected.weekly["unit"])
    assert again.weekly["difference_low"].null_count() == again.weekly.height


def test_levels_and_bands_are_means_and_quantiles_over_the_draws(projected: Projection) -> None:
    draws = means(projected.scenario)
    for place, outcome in enumerate(OUTCOMES):
        arms = draws[:, :, place] * outcome.scale
        rows = projected.outcome(outcome.name)
        for arm, values in (("baseline", arms[:, 0]), ("scenario", arms[:, 1]), ("difference", arms[:, 1] - arms[:, 0])):
            np.testing.assert_allclose(rows[arm], values.mean(axis=0), rtol=1e-12, atol=1e-12)
            np.testing.assert_allclose(rows[f"{arm}_low"], np.quantile(values, 0.025, axis=0), rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(rows[f"{arm}_high"], np.quantile(values, 0.975, axis=0), rtol=1e-9, atol=1e-9)


def test_averages_are_means_over_the_weeks_with_bands_of_each_draws_own_mean(projected: Projection) -> None:
    averages = projected.averages
    assert averages is not None
    assert averages.columns == ORDER[1:]
    assert averages["outcome"].to_list() == [one.name for one in OUTCOMES]
    draws = means(projected.scenario).mean(axis=3)
    for place, outcome in enumerate(OUTCOMES):
        row = averages.row(place, named=True)
        rows = projected.outcome(outcome.name)
        difference = (draws[:, 1, place] - draws[:, 0, place]) * outcome.scale
        for arm in ("baseline", "scenario", "difference"):
            assert row[arm] == pytest.approx(rows[arm].mean(), rel=1e-9, abs=1e-9)
        assert row["difference_low"] == pytest.approx(np.quantile(difference, 0.025), rel=1e-9, abs=1e-9)
        assert row["difference_high"] == pytest.approx(np.quantile(difference, 0.975), rel=1e-9, abs=1e-9)


def test_one_draw_has_no_bands() -> None:
    projection = simulate("coordinated-care", patients=30, draws=1, weeks=6)
    for frame in (projection.weekly, projection.averages):
        assert frame is not None
        assert {frame[column].null_count() for column in BANDS} == {frame.height}
        assert {frame.schema[column] for column in BANDS} == {pl.Float64}
    interval = projection.difference("pain", 6)
    assert (interval.low, interval.high) == (None, None)
    assert interval.mean == projection.level_of("pain", 6).mean - projection.level_of("pain", 6, "baseline").mean


def test_the_open_cohorts_total_is_its_rate_times_the_patients_in_care(open_cohort: Projection) -> None:
    single = simulate("clinic-early-pt", patients=200, draws=1, weeks=20)
    people, rate = single.outcome("patients_in_care"), single.outcome("mme_per_1000")
    for arm in ("baseline", "scenario"):
        np.testing.assert_allclose(single.outcome("mme_total")[arm], rate[arm] / 1000 * people[arm], rtol=1e-9)
    assert (open_cohort.outcome("patients_in_care")["difference"] == 0.0).all()


# Asking


def test_an_interval_is_the_weeks_row(projected: Projection) -> None:
    row = projected.weekly.filter(outcome="strength", week=13).row(0, named=True)
    assert projected.difference("strength", 13) == (row["difference"], row["difference_low"], row["difference_high"])
    assert projected.level_of("strength", 13) == (row["scenario"], row["scenario_low"], row["scenario_high"])
    assert projected.level_of("strength", 13, "baseline") == (row["baseline"], row["baseline_low"], row["baseline_high"])


def test_an_unknown_outcome_is_refused_with_the_nearest_name(projected: Projection) -> None:
    with pytest.raises(InputError, match=r'unknown outcome "pian" \(did you mean "pain"\?\)'):
        projected.difference("pian", 3)
    with pytest.raises(InputError, match='did you mean "on_opioids"'):
        projected.outcome("on_opiods")


@pytest.mark.parametrize("outcome", [one.name for one in OPEN_COHORT_OUTCOMES])
def test_a_closed_cohort_has_no_totals(projected: Projection, outcome: str) -> None:
    with pytest.raises(InputError, match=f'unknown outcome "{outcome}"'):
        projected.outcome(outcome)


@pytest.mark.parametrize("week", [-1, 21, 1000])
def test_a_week_beyond_the_horizon_is_refused(projected: Projection, week: int) -> None:
    with pytest.raises(InputError, match=rf"there is no week {week}. Expected 0 to 20"):
        projected.level_of("pain", week)


def test_a_projection_is_said_in_words(projected: Projection) -> None:
    assert projected.scenario.title in str(projected)
    assert 0 < len(projected.headline()) <= 90


# Provenance


def test_provenance_says_what_the_numbers_were_made_from(projected: Projection) -> None:
    made = projected.provenance
    assert set(made) == {
        "painlab", "scenario", "scenario_sha256", "scenario_toml", "parameters", "parameters_kind", "seed", "patients_per_draw", "draws",
        "weeks", "band", "links_cut", "data_sha256", "python", "packages",
    }  # fmt: skip
    assert (made["seed"], made["patients_per_draw"], made["draws"], made["weeks"], made["band"]) == (3, 60, 7, 20, projected.level)
    assert made["scenario_sha256"] == projected.scenario.fingerprint()
    assert set(made["packages"]) == {"numba", "numpy", "polars"}


def test_provenance_has_the_hash_of_every_data_file_that_ships(projected: Projection) -> None:
    hashes = projected.provenance["data_sha256"]
    assert {"parameters.csv", "conditions.toml", "treatments.toml", "goals.toml", "scenarios/usual-care.toml"} <= set(hashes)
    for name, value in hashes.items():
        assert value == hashlib.sha256((data_folder() / name).read_bytes()).hexdigest()


def test_provenance_is_the_same_for_the_same_run_and_tells_another_apart(projected: Projection) -> None:
    assert simulate("coordinated-care", **RUN).provenance == projected.provenance
    other = simulate("early-pt", **{**RUN, "draws": 1}, cut="weakness_to_pain").provenance
    assert other["scenario_sha256"] != projected.provenance["scenario_sha256"]
    assert other["links_cut"] == ["weakness_to_pain"]
    assert other["parameters"] == posterior.words(1)
    assert projected.provenance["parameters"] == posterior.words(7)


def test_provenance_says_of_the_parameters_what_the_caller_says() -> None:
    made = gathered("early-pt", np.zeros((1, 2, len(OUTCOMES), 4)), origin="by hand", kind="prior").provenance
    assert (made["parameters"], made["parameters_kind"]) == ("by hand", "prior")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("posterior", "draws of the parameters, which are calibrated to published trials;"),
        ("prior", "draws of the parameters, which come from prior ranges, not calibrated to trials;"),
        ("other", "draws of the parameters;"),
    ],
)
def test_a_projection_says_calibrated_of_what_the_caller_calls_the_posterior_whatever_the_words(kind: str, said: str) -> None:
    means = np.random.default_rng(1).gamma(2.0, 1.0, (3, 2, len(OUTCOMES), 4))
    projection = gathered("early-pt", means, origin="nothing of the posterior in any file", kind=kind)
    assert projection.kind == kind
    assert said in str(projection)


def test_the_saved_scenario_gives_the_same_numbers_again(projected: Projection, tmp_path: Path) -> None:
    made = json.loads((projected.save(tmp_path / "out") / "provenance.json").read_text(encoding="utf-8"))
    file = tmp_path / "again.toml"
    file.write_text(made["scenario_toml"], encoding="utf-8")
    again = simulate(Scenario.load(file), patients=made["patients_per_draw"], draws=made["draws"], seed=made["seed"], weeks=made["weeks"])
    assert again.weekly.equals(projected.weekly)


# Files


def test_saving_writes_three_files_that_hold_the_same_table(projected: Projection, tmp_path: Path) -> None:
    folder = projected.save(tmp_path / "new" / "out")
    assert folder == tmp_path / "new" / "out"
    assert sorted(contents(folder)) == FILES
    parquet = pl.read_parquet(folder / "weekly.parquet")
    assert parquet.equals(projected.weekly)
    assert parquet.schema == projected.weekly.schema
    assert pl.read_csv(folder / "weekly.csv", schema=projected.weekly.schema).equals(projected.weekly)
    assert json.loads((folder / "provenance.json").read_text(encoding="utf-8")) == projected.provenance


def test_a_projection_without_bands_is_saved_with_empty_cells(tmp_path: Path) -> None:
    projection = simulate("early-pt", patients=20, draws=1, weeks=3)
    folder = projection.save(tmp_path / "out")
    assert pl.read_csv(folder / "weekly.csv", schema=projection.weekly.schema).equals(projection.weekly)
    assert pl.read_parquet(folder / "weekly.parquet").equals(projection.weekly)


def test_a_folder_that_holds_files_is_not_written_to_and_nothing_is_lost(projected: Projection, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "weekly.csv").write_text("older", encoding="utf-8")
    before = contents(tmp_path)
    with pytest.raises(InputError, match="not empty"):
        projected.save(tmp_path)
    assert contents(tmp_path) == before


def test_force_replaces_the_three_files_and_keeps_the_others(projected: Projection, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    simulate("early-pt", patients=20, draws=1, weeks=3).save(tmp_path, force=True)
    projected.save(tmp_path, force=True)
    assert sorted(contents(tmp_path)) == sorted([*FILES, "notes.txt"])
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert pl.read_parquet(tmp_path / "weekly.parquet").equals(projected.weekly)


def test_pictures_are_saved_beside_the_tables(projected: Projection, tmp_path: Path) -> None:
    def pictures(folder: Path) -> None:
        assert sorted(contents(folder)) == FILES
        (folder / "demand.svg").write_text("<svg/>", encoding="utf-8")

    folder = projected.save(tmp_path / "out", pictures=pictures)
    assert sorted(contents(folder)) == ["demand.svg", *FILES]


@pytest.mark.parametrize("error", [RuntimeError("no room for labels"), KeyboardInterrupt()])
def test_pictures_that_fail_leave_no_half_written_files(projected: Projection, tmp_path: Path, error: BaseException) -> None:
    def pictures(folder: Path) -> None:
        (folder / "demand.svg").write_text("<svg", encoding="utf-8")
        raise error

    with pytest.raises(type(error)):
        projected.save(tmp_path / "new", pictures=pictures)
    assert not (tmp_path / "new").exists() or not any((tmp_path / "new").iterdir())
    simulate("early-pt", patients=20, draws=1, weeks=3).save(tmp_path / "old")
    before = contents(tmp_path / "old")
    with pytest.raises(type(error)):
        projected.save(tmp_path / "old", force=True, pictures=pictures)
    assert contents(tmp_path / "old") == before
    assert sorted(path.name for path in (tmp_path / "old").iterdir()) == FILES


def test_a_file_in_the_place_of_the_folder_is_refused(projected: Projection, tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_text("mine", encoding="utf-8")
    for force in (False, True):
        with pytest.raises(InputError, match="the output folder is a file"):
            projected.save(place, force=force)
        with pytest.raises(InputError, match="cannot be written"):
            projected.save(place / "inside", force=force)
    assert place.read_text(encoding="utf-8") == "mine"


def test_looking_whether_a_folder_can_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    assert check_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []


def test_every_outcome_of_a_projection_has_a_record(open_cohort: Projection) -> None:
    assert open_cohort.weekly["outcome"].unique(maintain_order=True).to_list() == list(BY_NAME)


def test_the_long_form_holds_each_arm_and_the_difference_with_its_band(projected: Projection) -> None:
    long = projected.arms
    assert long.columns == ["week", "outcome", "unit", "arm", "mean", "low", "high"]
    assert long.height == 3 * projected.weekly.height
    for arm in ("baseline", "scenario", "difference"):
        rows = long.filter(pl.col("arm") == arm)
        assert rows["mean"].equals(projected.weekly[arm].alias("mean"))
        assert rows["low"].equals(projected.weekly[f"{arm}_low"].alias("low"))
        assert rows["high"].equals(projected.weekly[f"{arm}_high"].alias("high"))
