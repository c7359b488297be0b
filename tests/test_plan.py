"""A care plan as users write it and as the engine takes it."""

import numpy as np
import pytest
from pydantic import ValidationError

from painlab import catalog
from painlab.care import OrderField, Plan
from painlab.plan import SECTIONS, CarePlan, TreatmentOrder, levers


def test_every_field_of_a_plan_has_a_lever_with_the_range_that_is_enforced() -> None:
    known = levers()
    models = {**SECTIONS, **dict.fromkeys(catalog.treatments(), TreatmentOrder)}
    assert set(known) == {("coordination",)} | {(table, key) for table, model in models.items() for key in model.model_fields}
    for (table, *rest), one in known.items():
        for value, allowed in ((one.low, True), (one.high, True), (one.low - 1, False), (one.high + 1, False)):
            value = int(value) if float(one.step).is_integer() and float(value).is_integer() else value
            given = {table: {rest[0]: value}} if rest else {table: value}
            if table == "taper" and rest == ["start_week"]:
                given["taper"]["percent_per_month"] = 10.0
            if allowed:
                CarePlan.model_validate(given)
            else:
                with pytest.raises(ValidationError):
                    CarePlan.model_validate(given)
        assert one.label and one.unit and "{}" in one.words and one.meaning.endswith(".") and one.source


def test_an_order_is_completed_by_the_treatments_usual_order() -> None:
    plan = CarePlan.model_validate({"physical_therapy": {"weeks": 3}})
    usual = catalog.treatments()["physical_therapy"].order
    order = plan.treatments["physical_therapy"]
    assert (order.weeks, order.start_week, order.sessions_per_week) == (3, usual["start_week"], usual["sessions_per_week"])


def test_the_engine_gets_the_orders_columns_in_their_places() -> None:
    given = {"start_week": 4, "weeks": 9, "sessions_per_week": 1.5, "courses": 2, "interval_weeks": 20, "only_if_pain_at_least": 3.5}
    plan = CarePlan.model_validate({"coordination": 0.35, "acupuncture": given})
    orders = plan.engine_orders()
    place = catalog.treatments()["acupuncture"].number - 1
    expected = {
        OrderField.ORDERED: 1.0, OrderField.START_WEEK: 4, OrderField.WEEKS: 9, OrderField.SESSIONS: 1.5, OrderField.COURSES: 2,
        OrderField.INTERVAL: 20, OrderField.PAIN_THRESHOLD: 3.5, OrderField.HANDOVER: 0.35,
    }  # fmt: skip
    assert {field: orders[place, field] for field in OrderField} == expected
    assert not np.delete(orders, place, axis=0).any()


def test_a_handover_of_its_own_stands_in_for_the_plans_coordination() -> None:
    plan = CarePlan.model_validate({"coordination": 0.1, "acupuncture": {"handover": 0.9}})
    assert plan.engine_orders()[catalog.treatments()["acupuncture"].number - 1, OrderField.HANDOVER] == 0.9


def test_a_plan_without_a_taper_never_offers_one() -> None:
    without = CarePlan().engine_plan()
    assert without.taper_start == np.inf and without.taper_offer == 0.0
    taper = CarePlan.model_validate({"taper": {"start_week": 3, "percent_per_month": 25.0, "support": 0.5, "offer": 2.0}}).engine_plan()
    assert (taper.taper_start, taper.taper_pace, taper.taper_support, taper.taper_offer) == (3.0, 25.0, 0.5, 2.0)


def test_the_engines_plan_holds_what_was_written() -> None:
    prescribing = {"opioid_start": 0.5, "start_dose": 20.0, "first_supply_days": 3.0, "escalation": 0.25, "dose_cap": 60.0}
    reassessment = {"interval_weeks": 6, "review": 0.4}
    plan = CarePlan.model_validate({"coordination": 0.7, "prescribing": prescribing, "reassessment": reassessment}).engine_plan()
    assert plan._replace(taper_start=0.0, taper_pace=0.0, taper_support=0.0, taper_offer=0.0) == Plan(
        0.7, 0.5, 20.0, 3.0, 0.25, 60.0, 6.0, 0.4, 0.0, 0.0, 0.0, 0.0
    )


def test_a_plan_reads_back_from_its_own_dictionary() -> None:
    plan = CarePlan.model_validate({"taper": {}, "physical_therapy": {"handover": 0.5}, "joint_steroid": {}})
    assert CarePlan.model_validate(plan.as_dict()) == plan
    assert {"physical_therapy", "joint_steroid", "taper"} <= set(plan.as_dict())
    assert "taper" not in CarePlan().as_dict()
