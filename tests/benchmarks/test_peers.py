"""Every peer of the benchmarks is the same model: its weekly means are ours, within sampling error.

Sampling errors come from our own patients, run in batches. Seeds are fixed, so that a failure after a change of seeds or versions can be
chance: the bounds below let one comparison in some millions fail by chance, and a test of their own says what they still catch.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest

from painlab import parameters
from painlab.engine import execution
from painlab.outcomes import OUTCOMES
from tests.benchmarks.questions import SCENARIOS, scenario_named

WEEKS = 52
BATCHES = 100
BATCH_PATIENTS = 1_500
MEAN_ERRORS = 5.5  # standard errors that the mean over all weeks may be off
WEEK_ERRORS = 6.0  # that one week may be off
RARE = 3.0  # patients' worth that one week may be off besides: a rare outcome is not normal
PATIENTS = {"numpy": 40_000, "starsim": 40_000, "mesa": 300, "simpy": 300}
"""The fast ones on enough patients to see a few percent, the slow ones on some hundred."""


class Ours(NamedTuple):
    """Our weekly means and variances among patients, shape (2 arms, outcomes, weeks + 1), the variance of a patient's mean over the weeks,
    and the number of patients behind them.
    """

    means: np.ndarray
    variances: np.ndarray
    variances_over_weeks: np.ndarray
    patients: int


@cache
def ours(name: str) -> Ours:
    central = parameters.values()
    batches = execution.run(scenario_named(name), [central] * BATCHES, patients=BATCH_PATIENTS, seed=11, weeks=WEEKS).means
    return Ours(
        batches.mean(axis=0),
        batches.var(axis=0, ddof=1) * BATCH_PATIENTS,
        batches.mean(axis=3).var(axis=0, ddof=1) * BATCH_PATIENTS,
        BATCHES * BATCH_PATIENTS,
    )


def disagreements(theirs: np.ndarray, our: Ours, patients: int) -> list[str]:
    """Outcomes in which weekly means are further apart than chance puts them, in words."""
    assert theirs.shape == our.means.shape
    share = 1.0 / patients + 1.0 / our.patients
    apart = np.abs(theirs - our.means)
    of_a_patient = (our.variances + our.means**2) / np.maximum(our.means, 1e-12)  # what it is in those who have it
    weekly = WEEK_ERRORS * np.sqrt(our.variances * share) + RARE * of_a_patient * share + 1e-6
    over_weeks = MEAN_ERRORS * np.sqrt(our.variances_over_weeks * share) + 1e-6
    found = []
    for arm, plan in enumerate(("baseline", "scenario")):
        for place, outcome in enumerate(OUTCOMES):
            here = f"{plan}, {outcome.name}"
            worst = int((apart[arm, place] / weekly[arm, place]).argmax())
            if apart[arm, place, worst] > weekly[arm, place, worst]:
                found.append(f"{here} in week {worst}: {theirs[arm, place, worst]:.5g}, ours {our.means[arm, place, worst]:.5g}")
            mean, our_mean = theirs[arm, place].mean(), our.means[arm, place].mean()
            if abs(mean - our_mean) > over_weeks[arm, place]:
                found.append(f"{here} over all weeks: {mean:.5g}, ours {our_mean:.5g} +- {over_weeks[arm, place]:.2g}")
    return found


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("peer", PATIENTS)
def test_a_peer_gives_our_weekly_means(peer_module, peer, scenario):
    patients = PATIENTS[peer]
    theirs = peer_module(peer).simulate(scenario_named(scenario), parameters.values(), patients, 5, WEEKS)
    assert not disagreements(theirs, ours(scenario), patients)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_c_gives_our_very_patients(peer_module, scenario):
    """It draws our random numbers, so that only rounding can part it from us: a few patients who stood on an edge."""
    patients, seed = 3_000, 7
    question, central = scenario_named(scenario), parameters.values()
    theirs = peer_module("c").simulate(question, central, patients, seed, WEEKS)
    means = execution.run(question, [central], patients=patients, seed=seed, weeks=WEEKS).means[0]
    largest = np.array([one.most for one in OUTCOMES])[:, None]
    assert (np.abs(theirs - means) <= 3e-4 * means + np.minimum(largest, 100.0) * 3.0 / patients).all()


@pytest.mark.parametrize(
    ("scenario", "outcome", "factor"),
    [
        ("early-pt", "pain", 1.05),
        ("early-pt", "activity", 0.99),
        ("early-pt", "function", 0.99),
        ("early-pt", "visits", 1.03),
        ("early-pt", "cost", 1.03),
        ("monitored-taper", "mme_per_1000", 0.97),
        ("monitored-taper", "on_opioids", 0.98),
        ("monitored-taper", "sedation", 1.03),
        ("pt-plus-injection", "pain", 1.04),
    ],
)
def test_an_outcome_a_few_percent_off_would_be_seen(peer_module, scenario, outcome, factor):
    patients = PATIENTS["numpy"]
    wrong = peer_module("numpy").simulate(scenario_named(scenario), parameters.values(), patients, 5, WEEKS)
    place = [one.name for one in OUTCOMES].index(outcome)
    wrong[:, place] = ours(scenario).means[:, place] * factor
    assert disagreements(wrong, ours(scenario), patients)


@pytest.mark.parametrize("peer", PATIENTS)
def test_a_peer_takes_any_set_of_parameter_values(peer_module, peer):
    values = parameters.values(3, 1)
    theirs = peer_module(peer).simulate(scenario_named("everything"), values, 50, 1, 12)
    assert theirs.shape == (2, len(OUTCOMES), 13)
    assert np.isfinite(theirs).all()


def test_the_same_seed_gives_a_peer_the_same_patients(peer_module):
    for peer in PATIENTS:
        first, second, other = (
            peer_module(peer).simulate(scenario_named("early-pt"), parameters.values(), 30, seed, 6) for seed in (1, 1, 2)
        )
        assert np.array_equal(first, second), peer
        assert not np.array_equal(first, other), peer


def test_an_open_cohort_is_none_of_the_peers_business(peer_module):
    with pytest.raises(ValueError, match="open cohort"):
        peer_module("numpy").simulate(scenario_named("clinic-early-pt"), parameters.values(), 10, 1, 4)
