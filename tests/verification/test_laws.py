"""Laws that hold for every parameter within its range, every population and every care plan."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from painlab import catalog, parameters, posterior, simulate
from painlab.outcomes import OUTCOMES
from painlab.plan import SECTIONS, levers
from painlab.population import Population
from painlab.projection import Projection
from painlab.scenario import Scenario

ROUNDING = 2e-5  # patients live in single precision, and a dose is summed in steps of 2^-15
ALWAYS = ("coordination", "prescribing", "reassessment")
OPIOID_OUTCOMES = (
    "mme_per_1000", "on_opioids", "dose_50_plus", "dose_90_plus", "long_term_therapy", "new_persistent_use", "sedation", "constipation",
    "side_effects", "overdose_hazard",
)  # fmt: skip
few = settings(max_examples=25, deadline=None)


@st.composite
def parameter_values(draw: st.DrawFn) -> dict[str, float]:
    """All parameters: each at its low, its high, its value or in between."""
    records = list(parameters.records().values())
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1), label="parameters"))
    places = generator.choice([0.0, 1.0, np.nan, *generator.random(2)], size=len(records))
    return {
        one.name: one.value if np.isnan(place) else float(one.low + place * (one.high - one.low))
        for one, place in zip(records, places, strict=True)
    }


def on_the_slider(low: float, high: float, step: float) -> st.SearchStrategy[float]:
    """Any step of a lever, both ends included."""
    steps = round((high - low) / step)
    return st.one_of(st.sampled_from([low, high]), st.integers(0, steps).map(lambda n: min(low + n * step, high)))


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    """Care plans made from the levers: up to four treatments, real or as a sham, with or without a taper."""
    treatments = draw(st.lists(st.sampled_from(list(catalog.treatments())), max_size=4, unique=True))
    tables = {*ALWAYS, *treatments, *draw(st.sampled_from([(), ("taper",)]))}
    plan: dict[str, Any] = {}
    for path, lever in levers().items():
        if path[0] in tables:
            value = draw(on_the_slider(lever.low, lever.high, lever.step), label=".".join(path))
            if len(path) == 1:
                plan[path[0]] = value
            else:
                plan.setdefault(path[0], {})[path[1]] = value
    for name in treatments:
        plan[name]["sham"] = draw(st.booleans(), label=f"{name} is a sham")
    return plan


@st.composite
def populations(draw: st.DrawFn) -> dict[str, Any]:
    people: dict[str, Any] = {"condition": draw(st.sampled_from(list(catalog.conditions())))}
    for name, described in Population.model_fields.items():
        extra: Any = described.json_schema_extra
        if extra and draw(st.booleans(), label=f"states {name}"):
            people[name] = draw(on_the_slider(extra["low"], extra["high"], extra["step"]), label=name)
    if people.get("minimum_pain", 1.0) >= people.get("maximum_pain", 10.0):
        people["maximum_pain"] = people.get("minimum_pain", 1.0) + 1.0
    return people


def asked(population: dict[str, Any], care: dict[str, Any], baseline: dict[str, Any]) -> Scenario:
    return Scenario.from_dict(
        {
            "name": "law",
            "title": "Law",
            "question": "Does it hold?",
            "weeks": 26,
            "population": population,
            "care": care,
            "baseline": baseline,
        }
    )


@contextmanager
def shipped_with(values: dict[str, float]) -> Iterator[None]:
    with patch.object(posterior, "values", lambda draw=None, seed=1, kind="posterior": values):
        yield


def projected(scenario: Scenario, values: dict[str, float], seed: int = 1, patients: int = 40) -> Projection:
    with shipped_with(values):
        return simulate(scenario, patients=patients, draws=1, seed=seed, threads=1)


def arms(projection: Projection) -> Iterator[dict[str, np.ndarray]]:
    for arm in ("baseline", "scenario"):
        yield {one.name: projection.outcome(one.name)[arm].to_numpy() for one in OUTCOMES}


def no_opioids(plan: dict[str, Any]) -> dict[str, Any]:
    """Nobody is started on an opioid, by a visit or by a trial's protocol that assigns one."""
    return plan | {"prescribing": plan["prescribing"] | {"opioid_start": 0.0, "assigned_weeks": 0}}


@few
@given(values=parameter_values(), population=populations(), care=plans(), baseline=plans(), seed=st.integers(0, 2**63 - 1))
def test_every_outcome_stays_within_its_bounds(values, population, care, baseline, seed) -> None:
    projection = projected(asked(population, care, baseline), values, seed)
    for plan, levels in zip((baseline, care), arms(projection), strict=True):
        for outcome in OUTCOMES:
            level = levels[outcome.name]
            assert np.isfinite(level).all(), outcome.name
            assert (level >= 0.0).all(), outcome.name
            highest = {"%": 100.0, "% of habitual": 100.0, "% of healthy": 100.0, "0-100": 100.0, "0-10 NRS": 10.0}.get(
                outcome.unit, np.inf
            )
            assert (level <= highest + ROUNDING).all(), outcome.name
        assert (levels["visits"] <= 1000.0).all()
        assert levels["visits"][0] == 1000.0  # everyone's first visit
        assert (levels["dose_90_plus"] <= levels["dose_50_plus"]).all()
        assert (levels["dose_50_plus"] <= levels["on_opioids"]).all()
        assert (levels["long_term_therapy"] <= levels["on_opioids"]).all()
        assert (np.diff(levels["new_persistent_use"]) >= 0.0).all()
        assert (levels["side_effects"] >= np.maximum(levels["sedation"], levels["constipation"]) - 100 * ROUNDING).all()
        assert (levels["side_effects"] <= levels["sedation"] + levels["constipation"] + 100 * ROUNDING).all()
        if not population.get("on_opioids"):
            assert (levels["mme_per_1000"] <= plan["prescribing"]["dose_cap"] * levels["on_opioids"] * 10.0 + 1000 * ROUNDING).all()
            assert (levels["new_persistent_use"] >= levels["long_term_therapy"]).all()
        given = {name for name in plan if name in catalog.treatments()}
        kinds = {catalog.treatments()[name].kind for name in given}
        assert "program" in kinds or not levels["sessions"].any()
        assert "injection" in kinds or not levels["injections"].any()


@few
@given(values=parameter_values(), population=populations(), care=plans(), seed=st.integers(0, 2**32))
def test_without_opioids_at_the_start_and_after_there_is_no_demand_and_no_harm_from_them(values, population, care, seed) -> None:
    scenario = asked(population | {"on_opioids": 0.0}, no_opioids(care), no_opioids(care))
    for levels in arms(projected(scenario, values, seed)):
        for outcome in OPIOID_OUTCOMES:
            assert not levels[outcome].any(), outcome


@few
@given(values=parameter_values(), population=populations(), care=plans(), baseline=plans(), seed=st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_bits(values, population, care, baseline, seed) -> None:
    scenario = asked(population, care, baseline)
    assert projected(scenario, values, seed).weekly.equals(projected(scenario, values, seed).weekly)


@few
@given(values=parameter_values(), population=populations(), care=plans(), seed=st.integers(0, 2**32))
def test_a_plan_against_itself_differs_by_exactly_nothing(values, population, care, seed) -> None:
    weekly = projected(asked(population, care, care), values, seed).weekly
    assert (weekly["difference"] == 0.0).all()


@few
@given(values=parameter_values(), population=populations(), care=plans(), baseline=plans(), seed=st.integers(0, 2**32))
def test_the_arms_swap_when_the_plans_do(values, population, care, baseline, seed) -> None:
    one, other = (projected(asked(population, *two), values, seed).weekly for two in ((care, baseline), (baseline, care)))
    assert one["scenario"].equals(other["baseline"].rename("scenario"))
    assert one["baseline"].equals(other["scenario"].rename("baseline"))


@few
@given(
    values=parameter_values(), population=populations(), care=plans(), seed=st.integers(0, 2**32),
    data=st.data(),
    column=st.sampled_from(["relief", "contextual", "source_relief", "responders", "activity_lift", "strength_gain", "easing"]),
)  # fmt: skip
def test_a_stronger_effect_never_raises_pain_where_neither_opioids_nor_injections_play_a_part(
    values, population, care, seed, data, column
) -> None:
    """True of each patient in each week on the same random numbers.

    Less pain means more activity, strength and attendance. Opioids (less pain may keep a dose from being raised) and injections (less
    pain means fewer unplanned visits, and so a later diagnosis) are left out, and so is care that only those in pain get.
    """
    known = catalog.treatments()
    for name in [name for name in care if name in known and known[name].kind == "injection"]:
        del care[name]
    given = [name for name in care if name in known]
    assume(given)
    for name in given:
        care[name]["only_if_pain_at_least"] = 0.0
    raised = data.draw(st.sampled_from(given))
    weak = values.get(f"{raised}.{column}", 0.0)
    strong = data.draw(st.floats(weak, 0.5 if weak <= 0.5 else 1.0))
    assume(column != "strength_gain" or strong <= 0.05)  # beyond, a week's training would overshoot
    scenario = asked(population | {"on_opioids": 0.0}, no_opioids(care), no_opioids(care))
    before, after = (
        projected(scenario, values | {f"{raised}.{column}": size}, seed).outcome("pain")["scenario"] for size in (weak, strong)
    )
    assert (after - before).max() <= ROUNDING


@few
@given(values=parameter_values(), population=populations(), care=plans(), seed=st.integers(0, 2**32))
def test_opioids_that_do_nothing_leave_the_body_as_it_is(values, population, care, seed) -> None:
    """Without relief, tolerance's pain, withdrawal or sedation, pain and strength do not know whether an opioid is prescribed."""
    inert = dict.fromkeys(("opioid_relief_max", "hyperalgesia_pain", "withdrawal_pain", "activity_sedation"), 0.0)
    scenario = asked(population | {"on_opioids": 0.0}, care, no_opioids(care))
    weekly = projected(scenario, values | inert, seed).weekly
    for outcome in ("pain", "activity", "strength", "function", "goal_reached", "sessions", "injections", "visits"):
        assert (weekly.filter(outcome=outcome)["difference"] == 0.0).all(), outcome


@few
@given(values=parameter_values(), population=populations(), care=plans(), seed=st.integers(0, 2**32))
def test_with_every_link_of_the_cycle_cut_nobody_loses_strength(values, population, care, seed) -> None:
    bare = {name: table for name, table in care.items() if name in ALWAYS or name in SECTIONS}
    with shipped_with(values):
        cut = simulate(asked(population, bare, bare), patients=40, draws=1, seed=seed, threads=1, cut=list(parameters.LINKS))
    assert (cut.outcome("strength")["scenario"] >= 100.0 - ROUNDING).all()
