"""Where a block keeps its numbers: rows apart, records whole, and integers wide enough for what they add up."""

import ast
import inspect
import math
import textwrap

import numpy as np
import pytest

from painlab import catalog, parameters
from painlab.care import OrderField, Plan, TreatmentField
from painlab.catalog import Condition
from painlab.engine import layout, prescribing
from painlab.engine.cohort import simulate_patients
from painlab.engine.layout import (
    ADDED,
    CHANGED_AT_DESK,
    LANES,
    MADE_AT_DESK,
    MOST,
    OWN_AT_DESK,
    ROW,
    SCALES,
    SHARED_AT_DESK,
    Given,
    Own,
    Shared,
    at,
    packed,
)
from painlab.numerics import compiled
from painlab.outcomes import OUTCOMES, Count
from painlab.parameters import Parameters
from painlab.plan import CarePlan, levers
from painlab.population import Mix, Population, mix


@pytest.mark.parametrize("rows", [Shared, Own, Given, Count])
def test_rows_are_numbered_without_a_gap_and_do_not_overlap(rows):
    assert [int(one) for one in rows] == list(range(len(rows)))
    places = {at(row, lane) for row in rows for lane in range(LANES)}
    assert len(places) == len(rows) * LANES
    assert max(places) < len(rows) * ROW


# Records


@compiled
def _parameters_back(numbers):
    return layout.parameters_of(numbers)


@compiled
def _plan_back(numbers):
    return layout.plan_of(numbers)


@compiled
def _people_back(numbers):
    return layout.people_of(numbers)


@compiled
def _condition_back(numbers):
    return layout.condition_of(numbers)


@pytest.mark.parametrize(
    ("record", "back"), [(Parameters, _parameters_back), (Plan, _plan_back), (Mix, _people_back), (Condition, _condition_back)]
)
def test_compiled_code_takes_from_a_packed_record_what_was_put_in(record, back):
    given = record(*(float(place) + 0.5 for place in range(len(record._fields))))
    found = back(packed(given))
    assert isinstance(found, record)
    assert found == given


@compiled
def _some_of_a_row(numbers):
    row = layout.row_of(numbers)
    return row[TreatmentField.RESPONDERS], row[TreatmentField.COST], row[TreatmentField.EXERCISE]


@compiled
def _some_of_an_order(numbers):
    order = layout.order_of(numbers)
    return order[OrderField.ORDERED], order[OrderField.WEEKS], order[OrderField.SHAM]


def test_compiled_code_takes_a_treatments_columns_from_their_places():
    row = np.arange(len(TreatmentField), dtype=np.float32)
    order = np.arange(len(OrderField), dtype=np.float32)
    assert _some_of_a_row(row) == (TreatmentField.RESPONDERS, TreatmentField.COST, TreatmentField.EXERCISE)
    assert _some_of_an_order(order) == (OrderField.ORDERED, OrderField.WEEKS, OrderField.SHAM)


def test_a_packed_record_is_rounded_to_single_precision():
    p = parameters.scalars(parameters.values())
    assert packed(p).dtype == np.float32
    assert packed(p).tolist() == pytest.approx(list(p), rel=1e-7)
    assert packed(CarePlan().engine_plan())[Plan._fields.index("taper_start")] == math.inf  # there is no taper
    assert packed(mix(Population(condition="sciatica"))).shape == (len(Mix._fields),)
    assert packed(catalog.conditions()["sciatica"]).shape == (len(Condition._fields),)


# The desk


def rows_in(function, name: str) -> tuple[set[int], set[int]]:
    """Rows of an IntEnum that a function reads and that it writes, from its text."""
    read: set[int] = set()
    written: set[int] = set()
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function)))):
        if isinstance(node, ast.Subscript):
            for inner in ast.walk(node.slice):
                if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == name:
                    (written if isinstance(node.ctx, ast.Store) else read).add(int(getattr(layout, name)[inner.attr]))
    return read, written


def test_prescribing_deals_only_with_what_is_brought_to_the_desk_and_taken_back():
    read, written = rows_in(prescribing.prescribe.py_func, "Own")
    assert read <= set(range(MADE_AT_DESK, OWN_AT_DESK))
    assert written == set(range(CHANGED_AT_DESK))
    assert rows_in(prescribing.prescribe.py_func, "Shared") == (set(range(SHARED_AT_DESK)), set())


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_who_is_concerned_comes_to_the_desk_and_goes_back_to_the_same_place(share):
    numbers = np.random.default_rng(1)
    shared, mine = numbers.random((len(Shared), ROW), dtype=np.float32), numbers.random((len(Own), ROW), dtype=np.float32)
    on, tapered, seen = (numbers.random((3, ROW)) < share).astype(np.float32)
    mine[Own.DOSE], mine[Own.RISK_UNTIL], mine[Own.SEEN] = 30.0 * on, 100.0 * tapered - 1.0, seen
    lanes = np.zeros(LANES, dtype=np.uint32)
    shared_desk, desk = np.full(shared.size, -7.0, dtype=np.float32), np.full(mine.size, -7.0, dtype=np.float32)
    before = mine.copy()
    count = prescribing.gather(np.float32(20.0), shared.ravel(), mine.ravel(), lanes, shared_desk, desk)
    concerned = np.flatnonzero((on + tapered + seen)[:LANES] > 0.0)
    assert lanes[:count].tolist() == concerned.tolist()
    brought = slice(MADE_AT_DESK, OWN_AT_DESK)
    assert np.array_equal(desk.reshape(-1, ROW)[brought, :count], before[brought, concerned])
    assert np.array_equal(shared_desk.reshape(-1, ROW)[:SHARED_AT_DESK, :count], shared[:SHARED_AT_DESK, concerned])

    desk.reshape(-1, ROW)[:CHANGED_AT_DESK, :count] = np.arange(count) + 1000.0
    prescribing.scatter(count, lanes, desk, mine.ravel())
    assert np.array_equal(mine[:CHANGED_AT_DESK, concerned], np.tile(np.arange(count) + 1000.0, (CHANGED_AT_DESK, 1)))
    others = np.setdiff1d(np.arange(LANES), concerned)
    assert not mine[[Own.WITHDRAWN, Own.DROWSY]][:, others].any()  # nobody else has withdrawal or sedation
    kept = slice(int(Own.DOSE), CHANGED_AT_DESK)
    assert np.array_equal(mine[kept, others], before[kept, others])
    assert np.array_equal(mine[CHANGED_AT_DESK : Own.CONCERNED], before[CHANGED_AT_DESK : Own.CONCERNED])


# Integer units


def test_units_are_powers_of_two_as_small_as_32_bits_allow():
    for outcome, most, scale in zip(OUTCOMES, MOST.astype(float), SCALES.astype(float), strict=True):
        assert most == outcome.most
        assert math.log2(scale) == int(math.log2(scale))
        assert most * scale * ADDED < 2**31 <= most * scale * ADDED * 4, outcome.name
        assert most * scale <= 2**24, outcome.name  # beyond, single precision has no whole numbers


def test_units_are_finer_than_the_last_digit_that_is_reported():
    for outcome, scale in zip(OUTCOMES, SCALES.astype(float), strict=True):
        assert outcome.scale / scale < 10.0**-outcome.digits, outcome.name


def highest(name: str) -> float:
    return float(parameters.records()[name].high)


def test_no_outcome_can_be_more_than_its_integers_hold():
    """In any plan and with any parameters in their ranges."""
    treatments = catalog.treatments()
    a_week = sum(levers()[name, "sessions_per_week"].high for name in treatments)
    paid = sum(highest(f"{name}.cost") * levers()[name, "sessions_per_week"].high for name in treatments)
    dose = max(400.0, levers()["prescribing", "dose_cap"].high)  # nobody arrives with more than 400 MME/day
    hazard = highest("overdose_base") * math.exp(highest("overdose_dose_slope") * (highest("overdose_dose_cap") - 10.0))
    found = {
        Count.MME: dose,
        Count.PAIN: 10.0,
        Count.SESSIONS: a_week,
        Count.INJECTIONS: a_week,
        Count.COST: paid + highest("cost_visit") + 7.0 * dose * highest("cost_mme"),
        Count.OVERDOSE_HAZARD: hazard * highest("overdose_taper_ratio"),
    }
    for outcome in Count:
        assert found.get(outcome, 1.0) <= MOST[outcome], outcome.name


def test_what_is_more_all_the_same_is_held_and_the_sum_does_not_overflow():
    p = parameters.scalars(parameters.values())._replace(cost_visit=1e12)
    none = np.zeros((0, len(TreatmentField)), dtype=np.float32), np.zeros((1, 0, len(OrderField)), dtype=np.float32)
    sums, present = np.zeros((1, len(Count), 1), dtype=np.int64), np.zeros(1, dtype=np.int64)
    people = packed(catalog.conditions()["sciatica"]), packed(mix(Population(condition="sciatica")))
    goals, nobody = np.array([[0.6, 0.6]], dtype=np.float32), np.empty((0, 0, 0, 0), dtype=np.float32)
    plan, arrivals = packed(CarePlan().engine_plan())[None], np.zeros(3 * LANES, dtype=np.int64)
    simulate_patients(1, 0, arrivals, 1, *people, goals, packed(p), *none, plan, sums, present, nobody)
    assert sums[0, Count.COST, 0] == 3 * LANES * int(MOST[Count.COST] * SCALES[Count.COST])
