"""Bands by what they hold: the engine's loop with traits under a seed of their own, and variances of known size."""

import numpy as np
import pytest

import painlab
from painlab import InputError, posterior
from painlab.analysis import separated
from painlab.analysis.separated import COLUMNS, components, live, parted, spread
from painlab.engine import execution
from painlab.engine.execution import Cancelled
from painlab.outcomes import Recorded

EARLY = painlab.Scenario.load("early-pt").change(weeks=26)


def test_with_one_seed_for_both_lives_are_those_of_the_engine():
    values = posterior.values(0)
    mine = live(EARLY, values, first=512, traits=3, luck=3)
    theirs = execution.follow(EARLY.population, EARLY.care, values, first=512, patients=256, seed=3, weeks=26)
    for place, (row, scale) in enumerate(((Recorded.MME, 1000), (Recorded.PAIN, 1), (Recorded.FUNCTION, 100))):
        assert np.array_equal(mine[1, :, place], theirs[:, :, row].mean(axis=1, dtype=np.float64) * scale)


def test_the_same_patients_come_with_the_same_traits_and_other_luck():
    values = posterior.values()
    begin = EARLY.change(weeks=1)
    first, again, others = (live(begin, values, first=0, traits=seed, luck=luck) for seed, luck in ((1, 1), (1, 2), (2, 1)))
    assert np.corrcoef(first[0, :, 2], again[0, :, 2])[0, 1] > 0.95
    assert abs(np.corrcoef(first[0, :, 2], others[0, :, 2])[0, 1]) < 0.2
    assert not np.array_equal(first, again)


def test_components_of_known_variances_are_found_without_bias():
    generator = np.random.default_rng(1)
    sets, lives, patients = 300, 2, 200
    own = generator.normal(0.0, 2.0, (sets, 1, patients, 1))
    luck = generator.normal(0.0, 3.0, (sets, lives, patients, 1))
    level = generator.normal(0.0, 5.0, (sets, 1, 1, 1))  # what parameters do must not leak into the patients' part
    chance, among = components(level + own + luck)
    assert chance.mean() == pytest.approx(9.0, rel=0.03)
    assert among.mean() == pytest.approx(4.0, rel=0.05)


def run(own, luck, by_parameters, clinic=100, seed=2):
    generator = np.random.default_rng(seed)
    sets, patients = 400, 128
    lived = own * generator.normal(size=(sets, 1, patients, 3)) + luck * generator.normal(size=(sets, 2, patients, 3))
    between = by_parameters * generator.normal(size=(1, sets, 3)) + 0.7 * generator.normal(size=(2, sets, 3))
    return parted(EARLY, clinic, "difference", between, lived, "posterior", 1)


def test_a_clinic_s_parts_are_the_known_ones():
    found = run(own=2.0, luck=4.0, by_parameters=1.0)
    rows = {row["source"]: row for row in found.table.head(3).iter_rows(named=True)}
    assert rows["chance"]["variance"] == pytest.approx(0.16, rel=0.05)
    assert rows["patients"]["variance"] == pytest.approx(0.04, rel=0.15)
    assert rows["parameters"]["variance"] == pytest.approx(1.0, abs=3 * rows["parameters"]["standard_error"])
    assert sum(row["share"] for row in rows.values()) == pytest.approx(1.0)
    widths = [row["high"] - row["low"] for row in rows.values()]
    assert widths == sorted(widths)
    assert found.table.columns == list(COLUMNS)


def test_four_times_the_patients_halve_the_first_two_parts_only():
    small, large = (run(own=2.0, luck=4.0, by_parameters=1.0, clinic=clinic) for clinic in (100, 400))
    for source, ratio in (("chance", 2.0), ("patients", 2.0), ("parameters", 1.0)):
        assert small.deviation("pain", source) / large.deviation("pain", source) == pytest.approx(ratio)


def test_a_part_below_zero_counts_as_zero_and_is_noted():
    every = [run(own=0.0, luck=4.0, by_parameters=0.0, seed=seed) for seed in range(6)]
    noted = [one for one in every if one.notes]
    assert noted
    assert all(one.table["variance"].min() >= 0.0 for one in every)
    assert "counts as zero" in str(noted[0])


def test_the_words_tell_variances_from_widths_and_this_band_from_that_of_a_projection():
    words = str(run(own=2.0, luck=4.0, by_parameters=1.0))
    assert "variances of chance and of patients are a quarter" in words and "widths of their bands are halved" in words
    assert "each draw's mean is one of N patients" in words and "need not add up" in words


def test_the_real_model_gives_the_same_parts_again_and_names_all_three_outcomes():
    first, again = (spread(EARLY, 300, draws=12, patients=128, lived=200, threads=threads) for threads in (1, 2))
    assert first.table.equals(again.table)
    assert all(word in first.sentence for word in ("opioid demand", "pain", "function", "300 patients"))
    level = spread(EARLY, 300, arm="baseline", draws=12, patients=128, lived=200)
    assert level.means["mean"][1] > 0.3


def test_progress_is_told_and_a_cancelled_run_ends():
    seen = []
    spread(EARLY, 10, draws=10, patients=64, lived=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (30, 30)
    with pytest.raises(Cancelled):
        spread(EARLY, 10, draws=10, patients=64, cancelled=lambda: len(seen) > 0)


@pytest.mark.parametrize(
    ("scenario", "given", "said"),
    [
        ("early-pt", {"clinic": 0}, "clinic"),
        ("early-pt", {"arm": "both"}, "unknown arm"),
        ("early-pt", {"draws": 3}, "draws"),
    ],
)
def test_what_cannot_be_asked_is_refused(scenario, given, said):
    with pytest.raises(InputError, match=said):
        spread(scenario, **given)


def test_where_patients_go_on_arriving_those_of_the_clinic_are_followed_from_their_arrival():
    found = spread("clinic-early-pt", 300, draws=10, patients=64, lived=64)
    assert found.scenario.population.arrivals is None
    assert "follow" in found.notes[0] and str(found.scenario.weeks) in found.notes[0]


def test_an_unknown_part_is_refused():
    with pytest.raises(InputError, match="there is no"):
        run(1.0, 1.0, 1.0).deviation("pain", "weather")
    assert list(separated.SOURCES) == ["chance", "patients", "parameters"]
