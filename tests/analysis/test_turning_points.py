"""Which assumption flips the conclusion: lines whose zero is known, options that change places, and a real scenario."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from painlab import InputError, parameters, posterior
from painlab.analysis import turning_points
from painlab.analysis.decision import Decision, Worth
from painlab.analysis.turning_points import COLUMNS, flips


def injected(monkeypatch, effect, deviation=0.0):
    """Put a function of a set, the scenario's level in every outcome, in place of the simulation; all sets share each cohort's luck."""

    def levels(asked, sets, *, cohorts, alone=False, **_):
        luck = deviation * np.random.default_rng(1).normal(size=(cohorts, 1))
        runs = np.array([[effect(asked.scenario.name, one) for one in sets]] * cohorts) + luck
        scenario = np.repeat(runs[:, :, None], len(asked.outcomes), axis=2)
        return np.stack([np.zeros_like(scenario), scenario], axis=2)

    monkeypatch.setattr(turning_points.paired, "levels", levels)


def row_of(found, name):
    return next(row for row in found.table.iter_rows(named=True) if row["parameter"] == name)


def test_the_zero_of_a_straight_line_is_found(monkeypatch):
    one = parameters.record("flare_size")
    zero = one.low + 0.8 * (one.high - one.low)
    injected(monkeypatch, lambda _name, values: 10.0 * (values["flare_size"] - zero), deviation=0.1)
    found = flips("early-pt", names=["flare_size", "noise_size"])
    row = row_of(found, "flare_size")
    assert row["flips"] and row["clear"] and row["side"] == "above"
    step = (one.high - one.low) / 4 / 2**turning_points.HALVINGS
    assert row["at"] == pytest.approx(zero, abs=step + 0.02)
    draws = posterior.current().draws["flare_size"].to_numpy()
    assert row["posterior_share"] == pytest.approx(float((draws > row["at"]).mean()))
    assert row["turns_to"] == "opioid demand is higher than the baseline's"
    assert not row_of(found, "noise_size")["flips"]
    assert "flare size above" in found.sentence


def test_an_error_of_the_value_is_that_of_chance_over_the_slope(monkeypatch):
    one = parameters.record("flare_size")
    injected(monkeypatch, lambda _name, values: 10.0 * (values["flare_size"] - 2.2), deviation=0.8)
    found = flips("early-pt", names=["flare_size"])
    luck = 0.8 * np.random.default_rng(1).normal(size=8)
    assert row_of(found, "flare_size")["standard_error"] == pytest.approx(luck.std(ddof=1) / 8**0.5 / 10.0, rel=0.3)
    assert one.low < row_of(found, "flare_size")["at"] < one.high


def test_a_dip_in_the_middle_of_the_range_is_found(monkeypatch):
    one = parameters.record("noise_size")
    width = one.high - one.low
    middle = posterior.values()["noise_size"]
    dip = one.low + 0.25 * width
    injected(monkeypatch, lambda _name, values: abs(values["noise_size"] - dip) - 0.08 * width)
    assert abs(middle - dip) > 0.08 * width
    row = row_of(flips("early-pt", names=["noise_size"]), "noise_size")
    assert row["flips"] and row["side"] == "below"
    assert row["at"] == pytest.approx(dip + 0.08 * width, abs=0.02 * width)


def test_an_option_takes_the_place_of_another_where_their_benefits_cross(monkeypatch):
    one = parameters.record("flare_size")
    cross = one.low + 0.9 * (one.high - one.low)

    def level(name, values):
        return -1.0 if name == "late-pt" else -1.0 + (values["flare_size"] - cross)

    injected(monkeypatch, level)
    decision = Decision(["early-pt", "late-pt"], Worth(mme=1000.0, cost=0.0), with_baseline=False)
    found = flips(decision=decision, names=["flare_size"])
    row = row_of(found, "flare_size")
    assert row["at"] == pytest.approx(cross, rel=0.02)
    assert row["turns_to"] == "late-pt is preferred"
    assert found.conclusion.startswith("early-pt is preferred")


def test_without_a_conclusion_nothing_can_flip_it(monkeypatch):
    injected(monkeypatch, lambda _name, values: 0.01 * values["flare_size"], deviation=5.0)
    found = flips("early-pt", names=["flare_size"])
    assert "not told from zero" in found.sentence
    assert found.table["flips"].to_list() == [None] and found.found.is_empty()


def test_the_sentence_counts_what_chance_could_explain_apart(monkeypatch):
    one = parameters.record("flare_size")
    injected(monkeypatch, lambda _name, values: 10.0 * (values["flare_size"] - one.low - 0.8 * (one.high - one.low)))
    found = flips("early-pt", names=["flare_size", "noise_size"])
    assert "Of the 2 parameters looked at, all of them assumptions, 1 can flip it alone" in found.sentence
    assert "might" not in found.sentence
    unclear = replace(found, table=found.table.with_columns(clear=pl.lit(False)))
    assert "is seen to flip it alone" in unclear.sentence and "1 might, but chance could explain that" in unclear.sentence
    many = replace(found, table=pl.concat([found.found] * 9 + [unclear.found] * 3))
    assert "9 can flip it" in many.sentence and "and 4 more. 3 more might" in many.sentence


def test_where_nothing_flips_the_sentence_says_so(monkeypatch):
    injected(monkeypatch, lambda _name, values: -5.0 - 0.1 * values["flare_size"])
    found = flips("early-pt")
    assert "None of the" in found.sentence and "Several together still could" in found.sentence
    assert found.assumptions == found.parameters > 150
    assert found.table.columns == list(COLUMNS)


def test_all_parameters_marked_as_assumptions_are_looked_at(monkeypatch):
    injected(monkeypatch, lambda _name, values: -5.0)
    names = set(flips("early-pt").table["parameter"])
    assert "flare_size" in names and "overdose_dose_cap" not in names
    assert all("assumption" in parameters.record(name).source for name in names)


def test_the_real_model_gives_the_same_answer_again():
    names = ["physical_therapy.relief", "weakness_pain"]
    first, again = (flips("early-pt", outcome="pain", names=names, patients=512, threads=threads) for threads in (1, 2))
    assert first.table.equals(again.table)
    assert first.conclusion.startswith("pain is lower")


def test_progress_never_passes_its_total():
    seen = []
    flips("early-pt", outcome="pain", names=["weakness_pain"], patients=64, progress=lambda done, total: seen.append((done, total)))
    assert seen and all(done <= total for done, total in seen)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "do not go together"),
        ({"scenario": "early-pt", "patients": 4}, "patients"),
        ({"scenario": "early-pt", "names": ["x"]}, "unknown"),
    ],
)
def test_what_cannot_be_asked_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        flips(**given)
