"""What a large sweep would take: the arithmetic from a measured speed, and how far chance among patients matters."""

import math
from typing import Any

import polars as pl
import pytest

import painlab
from painlab import InputError, estimate
from painlab.estimate import Chance, Estimate, Speed, duration
from painlab.outcomes import BY_NAME
from painlab.scenario import Scenario

ASKED: dict[str, Any] = {"weeks": 9, "parameters": "prior"}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests need no exact speed."""
    monkeypatch.setattr(estimate, "_SECONDS", 0.02)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Speed:
    """A machine with a known speed, so that the arithmetic can be checked by hand."""
    speed = Speed({"early-pt": 20e6, "late-pt": 30e6}, 2, 0.8, False, 300_000_000, 10_000.0, 5_000.0, 100_000.0, "a machine")
    monkeypatch.setattr(estimate, "measure", lambda scenarios, **_: speed)
    return speed


def test_work_time_and_cost_by_hand(measured: Speed) -> None:
    found = painlab.estimate.plan(1000, 50, 4, workers=3, threads_per_worker=2, cost_per_core_hour=36.0, **ASKED)
    assert found.patient_weeks == 4_000_000  # 1000 patients x 50 draws x 4 scenarios x 10 weeks x 2 arms
    assert found.core_seconds == pytest.approx(0.5 * (4e6 / 20e6 + 4e6 / 30e6) / 0.8)
    assert found.seconds == pytest.approx(found.core_seconds / 6)
    assert found.cost == pytest.approx(found.core_seconds * 0.01)
    assert found.disk == 4 * (50 * 15_000 + 100_000)
    assert found.memory == 300_000_000


def test_draws_that_are_cut_into_parts_take_more_of_the_disk(measured: Speed) -> None:
    small, large = (estimate.plan(patients, 2, 1, weeks=104, parameters="prior") for patients in (1_000, 500_000_000))
    assert small.disk == 2 * 15_000 + 100_000
    assert large.disk > small.disk


def test_more_workers_take_less_time_and_the_same_work(measured: Speed) -> None:
    one, ten = (estimate.plan(1000, 50, 4, workers=workers, **ASKED) for workers in (1, 10))
    assert ten.core_seconds == one.core_seconds
    assert ten.seconds == pytest.approx(one.seconds / 10)


def test_the_words_name_what_they_rest_on(measured: Speed) -> None:
    said = str(
        estimate.plan(50_000_000, 1000, 20, weeks=104, workers=100, threads_per_worker=4, cost_per_core_hour=0.05, parameters="prior")
    )
    assert "50,000,000 patients x 1,000 draws x 20 scenarios x 104 weeks, in both arms: 210,000,000,000,000 patient-weeks." in said
    assert (
        "Measured just now on this machine (a machine): 24 million patient-weeks a second on one thread (2 scenarios, from 20 to 30)"
        in said
    )
    assert "2 threads reach 80 % of 2 times that" in said
    assert "Work: 3,038.2 core-hours." in said
    assert "Time: 7.6 hours on 100 workers with 4 threads each. This assumes" in said
    assert "(no more than 2 could be tried)" in said
    assert "Memory: 300.0 MB in each worker" in said
    assert "Cost: 151.91 at 0.05 per core-hour, a price that you gave" in said
    assert "Chance: with 50,000,000 patients a draw, early-pt's mean difference of" in said
    assert "which widens its band by less than 0.1 %; about" in said


def test_a_plan_that_changes_nothing_has_no_chance_to_tell_of(measured: Speed) -> None:
    assert estimate.plan(10, 5, ["usual-care"], **ASKED).chance == ()


def test_a_busy_machine_is_told(measured: Speed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "busy" not in str(estimate.plan(10, 1, 1, **ASKED))
    monkeypatch.setattr(estimate, "measure", lambda scenarios, **_: measured._replace(busy=True))
    assert "This machine was busy with other work meanwhile" in str(estimate.plan(10, 1, 1, **ASKED))


def test_this_machine_is_measured() -> None:
    found = estimate.plan(100, 2, ["early-pt", Scenario.load("rapid-taper")], threads_per_worker=2, cost_per_core_hour=1.0, **ASKED)
    assert isinstance(found, Estimate)
    speed = found.measured
    assert list(speed.rates) == ["early-pt", "rapid-taper"]
    assert min(speed.rates.values()) > 1e4
    assert 0.0 < speed.efficiency <= 1.0
    assert speed.memory is None or 50e6 < speed.memory < 5e9
    assert 500 < speed.parts < 200_000 and 500 < speed.draws < 200_000
    assert [(one.scenario, one.outcome.name) for one in found.chance] == [("early-pt", "mme_per_1000"), ("early-pt", "pain")]


def test_a_number_of_scenarios_measures_all_that_ship() -> None:
    found = estimate.plan(100, 1, 3, threads_per_worker=1, **ASKED)
    assert len(found.measured.rates) == len(painlab.scenarios())
    assert found.scenarios == 3 and found.measured.efficiency == 1.0
    assert found.chance == () and found.cost is None


def test_patients_that_keep_chance_to_a_share_of_the_band() -> None:
    one = Chance("x", BY_NAME["mme_per_1000"], mean=-100.0, parameters=80.0, patient=2000.0)
    assert one.error(10_000) == 20.0
    assert one.wider(10_000) == pytest.approx(math.sqrt(1 + (20 / 80) ** 2) - 1)
    assert one.wider(round(one.enough(0.01))) == pytest.approx(0.01, rel=1e-3)
    assert one.wider(10_000_000) < one.wider(10_000)
    certain = one._replace(parameters=0.0)
    assert certain.enough() == certain.wider(10) == math.inf


def test_chance_and_parameters_are_told_apart() -> None:
    """Draws of few patients vary by both, as the two parts found with other draws say."""
    found, _ = estimate.chance(Scenario.load("coordinated-care"), weeks=30, parameters="prior")
    patients = 40
    swept = painlab.simulate("coordinated-care", patients=patients, draws=300, weeks=30, seed=9, parameters="prior").averages
    assert swept is not None
    row = swept.row(by_predicate=pl.col("outcome") == "mme_per_1000", named=True)
    spread = (row["difference_high"] - row["difference_low"]) / 3.92
    assert spread == pytest.approx(math.hypot(found.parameters, found.patient / math.sqrt(patients)), rel=0.35)
    assert found.patient > found.parameters > 0


@pytest.mark.parametrize(
    ("seconds", "words"), [(1.23, "1.2 seconds"), (119, "119.0 seconds"), (120, "2.0 minutes"), (7200, "2.0 hours"), (200_000, "2.3 days")]
)
def test_time_is_said_in_a_fitting_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"patients": 0}, "patients is 0"),
        ({"draws": 3000}, "draws is 3,000"),
        ({"scenarios": 0}, "scenarios is 0"),
        ({"scenarios": []}, "scenarios is 0"),
        ({"scenarios": "erly-pt"}, "did you mean"),
        ({"workers": 0}, "workers is 0"),
        ({"threads_per_worker": 5000}, "threads_per_worker is 5,000"),
        ({"cost_per_core_hour": -1.0}, "cost_per_core_hour is -1"),
        ({"cost_per_core_hour": math.nan}, "cost_per_core_hour is nan"),
    ],
)
def test_what_cannot_be_estimated_is_refused(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        estimate.plan(**asked)
