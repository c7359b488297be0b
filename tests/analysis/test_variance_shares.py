"""Sobol indices: SALib's wiring on a function with known indices, an emulator that is checked, and one that is refused."""

import numpy as np
import pytest

from painlab import InputError
from painlab.analysis import emulator, variance_shares
from painlab.analysis.variance_shares import COLUMNS, indices, sobol


def ishigami(shares):
    """Ishigami and Homma's function with a = 7, b = 0.1 on angles from -pi to pi."""
    x = np.pi * (2.0 * shares - 1.0)
    return np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def uniform(sets, parameters, seed=1):
    return np.random.default_rng(seed).random((sets, parameters))


def test_indices_of_the_ishigami_function_are_the_known_ones():
    first, second, third = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 49 / 8, 0.01 * np.pi**8 * 8 / 225
    whole = first + second + third
    found = indices(ishigami, 3, base=4096)
    assert found[0] == pytest.approx([first / whole, second / whole, 0.0], abs=0.01)
    assert found[1] == pytest.approx([(first + third) / whole, second / whole, third / whole], abs=0.01)


def test_indices_of_a_constant_are_zero():
    assert not indices(lambda shares: np.ones(len(shares)), 2, base=64).any()


def test_legendre_terms_are_orthonormal():
    chosen = emulator.terms(3, 3)
    made = emulator.design((np.arange(200) + 0.5).repeat(3).reshape(-1, 3) / 200, [term for term in chosen if len(term) < 2])
    assert made[:, [0, 1, 4, 7]].T @ made[:, [0, 1, 4, 7]] / 200 == pytest.approx(np.eye(4), abs=0.01)


def noisy(values, deviation, seed=2):
    return values + np.random.default_rng(seed).normal(0.0, deviation, (2, len(values)))


def test_the_polynomial_of_a_noisy_polynomial_has_its_terms_and_foretells_it():
    shares = uniform(1500, 40)
    x = 2.0 * shares - 1.0
    values = 3.0 * x[:, 0] + 2.0 * x[:, 7] ** 2 + 2.0 * x[:, 0] * x[:, 3]
    halves = noisy(values, 2.0)
    share, error = emulator.checked(shares, halves, 6, seed=1)
    assert share > 0.9 and error < 0.05
    places = emulator.screen(shares, halves.mean(axis=0), 6)
    assert {0, 3, 7} <= set(places), "the third acts only together with the first"


def test_what_is_foretold_counts_chance_neither_for_nor_against():
    shares = uniform(3000, 2)
    straight, hidden = shares[:, 0] - 0.5, np.random.default_rng(9).normal(0.0, 12**-0.5, 3000)
    share, error = emulator.checked(shares, noisy(straight + hidden, 1.0), 2, seed=1)
    assert share == pytest.approx(0.5, abs=3 * error)
    assert error < 0.1


def test_screening_takes_nothing_from_pure_chance_into_the_polynomial():
    shares = uniform(800, 10)
    fitted = emulator.fit(shares, np.random.default_rng(4).normal(size=800))
    assert fitted.terms == ((),)


def test_a_wild_function_is_not_foretold():
    shares = uniform(600, 3)
    values = np.sign(np.sin(40.0 * shares[:, 0]) * np.sin(40.0 * shares[:, 1]))
    assert emulator.checked(shares, np.array([values, values]), 3, seed=1)[0] < variance_shares.LEAST


def injected(monkeypatch, effect, deviation=0.0):
    """Put a function of named parameters' shares in place of the simulation, with noise of its own in each cohort."""

    def levels(asked, sets, **_):
        values = np.array([effect(one) for one in sets])
        runs = noisy(values, deviation) if deviation else np.array([values, values])
        scenario = np.repeat(runs[:, :, None], len(asked.outcomes), axis=2)
        return np.stack([np.zeros_like(scenario), scenario], axis=2)

    monkeypatch.setattr(variance_shares.paired, "levels", levels)
    monkeypatch.setattr(
        variance_shares.paired, "independent_sets", lambda names, shares, kind: [dict(zip(names, row, strict=True)) for row in shares]
    )


def test_shares_of_an_injected_model_are_those_of_its_formula(monkeypatch):
    injected(monkeypatch, lambda one: 3.0 * one["weakness_pain"] + 2.0 * one["flare_size"] + 1.0 * one["noise_size"], deviation=1.0)
    found = sobol("early-pt", sets=1500, most=6)
    rows = {row["parameter"]: row for row in found.of("mme_per_1000").iter_rows(named=True)}
    for name, share in (("weakness_pain", 9 / 14), ("flare_size", 4 / 14), ("noise_size", 1 / 14)):
        assert rows[name]["first"] == pytest.approx(share, abs=0.05)
        assert rows[name]["total_low"] <= rows[name]["total"] <= rows[name]["total_high"]
    assert rows["all others"]["total"] < 0.06
    assert "weakness pain 6" in found.sentence
    assert found.table.columns == list(COLUMNS)


def test_an_interaction_shows_in_the_total_alone(monkeypatch):
    injected(monkeypatch, lambda one: 12.0 * (one["weakness_pain"] - 0.5) * (one["flare_size"] - 0.5) + one["noise_size"])
    found = sobol("early-pt", sets=400, names=["weakness_pain", "flare_size", "noise_size", "noise_persistence"])
    rows = {row["parameter"]: row for row in found.of("mme_per_1000").iter_rows(named=True)}
    both, alone = 1.0, 1 / 12
    assert rows["noise_size"]["first"] == pytest.approx(alone / (both + alone), abs=0.03)
    if "weakness_pain" in rows:
        assert rows["weakness_pain"]["first"] < 0.05 and rows["weakness_pain"]["total"] > 0.8


def test_a_poor_emulator_is_refused_with_a_mend(monkeypatch):
    generator = np.random.default_rng(7)
    injected(monkeypatch, lambda one: generator.normal())
    with pytest.raises(InputError, match="more patients"):
        sobol("early-pt", sets=300)


def test_the_same_seed_gives_the_same_shares_of_the_real_model():
    names = ["physical_therapy.relief", "physical_therapy.build", "weakness_pain"]
    first, again = (sobol("early-pt", outcome="pain", sets=200, patients=512, names=names, threads=threads) for threads in (1, 2))
    assert first.table.equals(again.table)
    assert first.distribution.startswith("Parameters vary over their own posterior")
    assert "function" in str(first).lower()


def test_shares_say_which_distribution_they_are_of():
    found = sobol("early-pt", outcome="pain", sets=200, patients=512, names=["physical_therapy.build"], parameters="prior")
    assert found.kind == "prior" and "before any trial" in found.distribution


@pytest.mark.parametrize(("given", "said"), [({"sets": 10}, "sets"), ({"most": 0}, "most"), ({"names": []}, "no parameter")])
def test_numbers_out_of_range_are_refused(given, said):
    with pytest.raises(InputError, match=said):
        sobol("early-pt", **given)
