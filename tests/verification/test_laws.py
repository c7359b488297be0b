"""What must hold for any parameters in their ranges and any plan that a user may write."""

from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from painlab import Scenario, catalog, parameters, simulate
from painlab.outcomes import OUTCOMES
from painlab.plan import levers
from painlab.population import Population

SHARES = {one.name for one in OUTCOMES if one.unit == "%"} | {"activity", "strength", "function"}
LAWS = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
RECORDS = parameters.records()
CENTRAL = parameters.values()


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """Any care plan that the levers allow."""
    tables = {"prescribing", "reassessment"} | set(
        draw(st.lists(st.sampled_from(["taper", *catalog.treatments()]), unique=True, max_size=5))
    )
    plan: dict[str, Any] = {"coordination": draw(st.floats(0, 1))}
    for (table, *rest), lever in levers().items():
        if rest and table in tables:
            whole = float(lever.step).is_integer() and lever.unit in ("weeks", "courses")
            value = draw(st.integers(int(lever.low), int(lever.high)) if whole else st.floats(lever.low, lever.high))
            plan.setdefault(table, {})[rest[0]] = value
    return plan


@st.composite
def populations(draw: st.DrawFn) -> dict[str, Any]:
    """Any population, closed or open, with the traits' means anywhere."""
    traits = ("on_opioids", "distress", "poor_sleep", "work_demand", "comorbidity", "prior_treatment", "adherence")
    people: dict[str, Any] = {"condition": draw(st.sampled_from(sorted(catalog.conditions())))}
    people |= {trait: draw(st.floats(0, 1)) for trait in traits}
    people["minimum_pain"] = draw(st.floats(0, 9))
    if draw(st.booleans()):
        people["arrivals"] = {"people": 10_000, "new_patients_per_1000_per_year": 20.0, "follow_up_weeks": draw(st.integers(4, 40))}
    return people


@st.composite
def values(draw: st.DrawFn) -> dict[str, float]:
    """Any set of parameter values within their ranges."""
    return {name: draw(st.floats(one.low, one.high)) if one.low < one.high else one.value for name, one in RECORDS.items()}


def scenario(plan: dict[str, Any], baseline: dict[str, Any], population: dict[str, Any]) -> Scenario:
    given = {
        "name": "any",
        "title": "Any",
        "question": "Does it hold?",
        "weeks": 26,
        "population": population,
        "baseline": baseline,
        "care": plan,
    }
    return Scenario.from_dict(given)


def run(one: Scenario, chosen: dict[str, float], monkeypatch: pytest.MonkeyPatch, **choices: Any) -> pl.DataFrame:
    with monkeypatch.context() as patch:
        patch.setattr(parameters, "values", lambda draw=None, seed=1: chosen)
        return simulate(one, **({"patients": 30, "draws": 1} | choices)).weekly


@LAWS
@given(plan=plans(), baseline=plans(), population=populations(), chosen=values())
def test_every_outcome_stays_in_its_bounds(plan, baseline, population, chosen, monkeypatch) -> None:
    weekly = run(scenario(plan, baseline, population), chosen, monkeypatch)
    for arm in ("baseline", "scenario"):
        assert weekly[arm].is_finite().all() and (weekly[arm] >= 0.0).all()
        assert (weekly.filter(pl.col("outcome").is_in(SHARES))[arm] <= 100.0 + 1e-9).all()
        assert (weekly.filter(pl.col("outcome") == "pain")[arm] <= 10.0).all()
    wide = weekly.pivot("outcome", index="week", values="scenario")
    assert (wide["dose_90_plus"] <= wide["dose_50_plus"]).all()
    assert (wide["dose_50_plus"] <= wide["on_opioids"]).all()
    assert (wide["long_term_therapy"] <= wide["on_opioids"] + 1e-9).all()
    assert (wide["side_effects"] >= wide["sedation"] - 1e-4).all()


@LAWS
@given(plan=plans(), population=populations(), chosen=values())
def test_without_opioids_there_is_no_demand_and_no_opioid_harm(plan, population, chosen, monkeypatch) -> None:
    none = {**plan, "prescribing": {**plan["prescribing"], "opioid_start": 0.0}}
    weekly = run(scenario(none, none, {**population, "on_opioids": 0.0}), chosen, monkeypatch)
    of_opioids = (
        "mme_per_1000",
        "on_opioids",
        "dose_50_plus",
        "long_term_therapy",
        "new_persistent_use",
        "sedation",
        "constipation",
        "side_effects",
        "overdose_hazard",
    )
    assert (weekly.filter(pl.col("outcome").is_in(of_opioids))["scenario"] == 0.0).all()


@LAWS
@given(plan=plans(), population=populations(), chosen=values(), seed=st.integers(0, 2**63 - 1))
def test_the_same_seed_gives_the_same_bits_and_a_plan_against_itself_exactly_zero(plan, population, chosen, seed, monkeypatch) -> None:
    same = scenario(plan, plan, population)
    first = run(same, chosen, monkeypatch, seed=seed, threads=1)
    assert_frame_equal(first, run(same, chosen, monkeypatch, seed=seed, threads=2), check_exact=True)
    assert (first["difference"] == 0.0).all()


@LAWS
@given(plan=plans(), population=populations(), chosen=values())
def test_flares_and_noise_aside_a_stronger_relief_of_exercise_never_hurts(plan, population, chosen, monkeypatch) -> None:
    """In a plan without opioids, and with care that does not react to pain, pain can only fall with more relief."""
    deaf = dict.fromkeys(("attendance_pain", "unscheduled_visit_pain", "activity_pain_slope", "noise_size"), 0.0)
    given_always = {key: value for key, value in plan.items() if key not in catalog.treatments()}
    given_always |= {"prescribing": {**plan["prescribing"], "opioid_start": 0.0}, "physical_therapy": {"start_week": 0, "weeks": 10}}
    closed = {key: value for key, value in population.items() if key != "arrivals"} | {"on_opioids": 0.0}
    one = scenario(given_always, given_always, closed)
    weak = run(one, chosen | deaf | {"physical_therapy.relief": 0.0}, monkeypatch)
    strong = run(one, chosen | deaf | {"physical_therapy.relief": 0.3}, monkeypatch)
    pain = [frame.filter(pl.col("outcome") == "pain")["scenario"] for frame in (weak, strong)]
    assert (pain[1] <= pain[0] + 1e-6).all()


def test_populations_of_the_laws_are_what_users_may_write() -> None:
    assert set(Population.model_fields) > {"on_opioids", "distress", "arrivals"}
    assert CENTRAL.keys() == RECORDS.keys()
