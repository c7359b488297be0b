"""The virtual trials that ship: that they are the published figures, and what they cover."""

import math
import re

import pytest

from painlab import catalog, evidence, trials

SHIPPED = trials.shipped()
LEDGER = {row["id"]: row for row in evidence.estimates().iter_rows(named=True)}
READ_OTHERWISE = {
    "epidural-year": {"estimate"},  # the row prints -6.2 at two weeks; the note says that nothing is left
    "knee-steroid-months": {"estimate"},  # the row prints the gain at 4 to 6 weeks; the note says none later
    "acute-back-recovered-8-weeks": {"estimate", "low", "high"},  # a median time as half of the patients
    "muscle-strain-12-days": {"estimate", "low", "high"},  # a mean time as half of the patients
    "hip-course": {"estimate"},  # between the printed entry and ten years
}
"""Trials whose figure is not the one that the ledger prints; `rule` says what it is."""


def test_enough_trials_ship_and_enough_of_them_only_validate() -> None:
    assert len(SHIPPED) >= 45
    assert sum(trial.use == "validate" for trial in SHIPPED) >= 15
    by_use = [trial.id for use in ("calibrate", "validate") for trial in trials.shipped(use)]
    assert sorted(by_use) == sorted(trial.id for trial in SHIPPED)


def test_each_trial_has_a_name_of_its_own() -> None:
    ids = [trial.id for path in trials.files() for trial in trials.read(path)]
    assert len(set(ids)) == len(ids) == len(SHIPPED)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in ids)
    assert len({trial.title for trial in SHIPPED}) == len(SHIPPED)


def test_no_trials_source_is_a_figure_that_only_gives_context() -> None:
    assert [trial.id for trial in SHIPPED if trial.source not in LEDGER] == []
    assert [trial.id for trial in SHIPPED if LEDGER[trial.source]["use"] == "context"] == []


def test_a_trial_is_used_as_the_ledger_says() -> None:
    assert [trial.id for trial in SHIPPED if LEDGER[trial.source]["use"] != trial.use] == []


def test_printed_figures_are_the_ledgers() -> None:
    differing: dict[str, set[str]] = {}
    for trial in SHIPPED:
        for key in ("estimate", "low", "high"):
            ours, theirs = getattr(trial.published, key), LEDGER[trial.source][key]
            if ours is not None and theirs is not None and ours != theirs:
                differing.setdefault(trial.id, set()).add(key)
    assert differing == READ_OTHERWISE


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's interval of a share (0-1) of n people, in percent."""
    z = 1.959963984540054
    middle, width = (share + z * z / (2 * n)), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return 100 * (middle - width) / (1 + z * z / n), 100 * (middle + width) / (1 + z * z / n)


def test_wilson_intervals_are_those_of_the_people_behind_the_share() -> None:
    checked = 0
    for trial in SHIPPED:
        if "Wilson" not in trial.published.rule:
            continue
        of_n, counted = re.search(r"n = ([\d,]+)", trial.published.rule), re.search(r"(\d+) of (\d+)", trial.published.rule)
        if of_n:
            share, n = trial.published.estimate / 100, int(of_n[1].replace(",", ""))
            assert n == LEDGER[trial.source]["n"], trial.id
        else:
            assert counted, trial.id
            share, n = int(counted[1]) / int(counted[2]), int(counted[2])
        assert (trial.published.low, trial.published.high) == pytest.approx(wilson(share, n), abs=0.11), trial.id
        checked += 1
    assert checked >= 10


def test_a_figure_without_an_interval_has_the_general_tolerance_of_its_kind() -> None:
    """Pain levels 0.5 points, differences 0.3, everything else a quarter; on the model's scale."""
    for trial in SHIPPED:
        if trial.published.tolerance is None:
            continue
        tolerance = trial.published.tolerance * abs(trial.published.factor)
        if trial.outcome == "pain":
            expected = 0.5 if trial.kind == "level" else 0.3
            assert tolerance == pytest.approx(expected, rel=0.01), trial.id
        elif trial.kind == "difference":
            assert trial.published.tolerance == 0.3, trial.id
        else:
            assert trial.published.tolerance == pytest.approx(abs(trial.published.estimate) / 4, abs=0.051), trial.id


def test_the_trials_cover_each_kind_of_evidence_that_the_model_rests_on() -> None:
    covered = {
        "how pain goes by itself": {"acute-back-52-weeks", "neck-52-weeks", "shoulder-52-weeks", "knee-course", "surgery-26-weeks"},
        "opioids against placebo and other drugs": {"opioid-placebo-chronic", "opioid-placebo-acute", "opioid-year-pain"},
        "starting opioids and staying on them": {"first-opioid-30-days", "persistence-31-days", "surgery-new-persistent"},
        "doses and how many use them": {"mean-dose-2015", "high-dose-2015", "chronic-pain-users-2019", "dispensing-2019"},
        "tapering": {"taper-supported", "taper-usual"},
        "exercise, during a program and after it": {
            "exercise-back-pain",
            "exercise-knee-pain",
            "exercise-knee-later",
            "exercise-hip-later",
        },
        "function": {"exercise-back-function", "opioid-placebo-function"},
        "physical therapy against later opioids": {"therapy-30-days-use", "therapy-after-30-days-use", "therapy-90-days-dose"},
        "injections": {"epidural-weeks", "epidural-year", "knee-steroid-weeks", "shoulder-injection-1-week", "radiofrequency"},
        "an injection against physical therapy": {"knee-therapy-or-steroid"},
        "other care": {"anti-inflammatory", "acupuncture-sham", "manual-therapy", "psychology-pain", "multidisciplinary-year"},
        "loss and gain of strength": {"strength-bed-rest", "strength-cast", "strength-regained", "strength-knee"},
        "what strength has to do with pain": {"exercise-knee-through-strength"},
        "referral and attendance": {"therapy-referral-taken-up", "therapy-sciatica-sessions"},
    }
    known = {trial.id for trial in SHIPPED}
    assert {kind: sorted(names - known) for kind, names in covered.items() if names - known} == {}
    topics = {LEDGER[trial.source]["topic"] for trial in SHIPPED}
    assert topics >= {
        "natural_course", "opioid_efficacy", "persistence", "tapering", "exercise", "pt_and_opioids", "injections", "other_care",
        "deconditioning", "demand", "pathway",
    }  # fmt: skip


def test_every_condition_and_every_treatment_but_the_nerve_block_is_in_a_trial() -> None:
    assert {trial.population.condition for trial in SHIPPED} == set(catalog.conditions())
    given = {name for trial in SHIPPED for plan in trial.arms.values() for name in plan.treatments}
    assert set(catalog.treatments()) - given == {"nerve_block"}
