"""A care plan as users write it and as the engine takes it."""

import numpy as np
import pytest
from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from painlab import catalog, evidence
from painlab.care import OrderField, Plan
from painlab.orders import TreatmentOrder
from painlab.plan import SECTIONS, CarePlan, levers


def test_every_field_of_a_plan_has_a_lever_with_the_range_that_is_enforced() -> None:
    known = levers()
    models = {**SECTIONS, **dict.fromkeys(catalog.treatments(), TreatmentOrder)}
    fields = {(table, key): field for table, model in models.items() for key, field in model.model_fields.items()}
    switches = {path for path, field in fields.items() if field.annotation is bool}  # a trial's sham is no lever
    assert set(known) == {("coordination",)} | set(fields) - switches
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
        OrderField.COMPLETED: -1.0, OrderField.WAIT: -1.0, OrderField.SHAM: 0.0,
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


def test_a_sliders_range_is_the_range_that_is_checked() -> None:
    models = {("coordination",): CarePlan, **{(table,): model for table, model in SECTIONS.items()}}
    models |= {(name,): TreatmentOrder for name in catalog.treatments()}
    for path, one in levers().items():
        field = models[path[:1]].model_fields[path[-1]]
        bounds = {key: getattr(limit, key) for limit in field.metadata for key in ("ge", "le") if hasattr(limit, key)}
        assert bounds == {"ge": one.low, "le": one.high}, path
        assert one.path == path
        assert one.low < one.high and 0 < one.step <= one.high - one.low
        assert field.default is PydanticUndefined or field.default is None or one.low <= field.default <= one.high
        evidence.check_source(one.source, ".".join(path))


def test_levers_of_a_treatment_stand_under_its_label() -> None:
    for path, one in levers().items():
        if path[0] in catalog.treatments():
            assert one.section == catalog.labels("treatments")[path[0]]


@pytest.mark.parametrize("name", list(catalog.treatments()))
def test_the_usual_order_of_every_treatment_is_one_that_can_be_written(name: str) -> None:
    usual = catalog.treatments()[name].order
    order = CarePlan.model_validate({name: {}}).treatments[name]
    assert set(usual) <= set(TreatmentOrder.model_fields)
    assert {key: getattr(order, key) for key in usual} == usual
    rest = {key: field.default for key, field in TreatmentOrder.model_fields.items() if key not in usual}
    assert {key: getattr(order, key) for key in rest} == rest


def test_a_handover_of_zero_is_a_handover() -> None:
    plan = CarePlan.model_validate({"coordination": 0.8, "acupuncture": {"handover": 0.0}, "joint_steroid": {}})
    handover = plan.engine_orders()[:, OrderField.HANDOVER]
    assert handover[catalog.treatments()["acupuncture"].number - 1] == 0.0
    assert handover[catalog.treatments()["joint_steroid"].number - 1] == 0.8


def test_the_orders_fields_are_the_engines_columns() -> None:
    """The engine's columns follow the fields of an order, after the one that says it is ordered."""
    assert len(TreatmentOrder.model_fields) == len(OrderField) - 1
    every = CarePlan.model_validate({name: {} for name in reversed(catalog.treatments())})
    assert every.engine_orders().shape == (len(catalog.treatments()), len(OrderField))
    assert every.engine_orders()[:, OrderField.ORDERED].all()
    starts = [one.order["start_week"] for one in catalog.treatments().values()]
    assert every.engine_orders()[:, OrderField.START_WEEK].tolist() == starts


def test_treatments_stand_beside_the_other_tables_in_writing() -> None:
    written = CarePlan.model_validate({"physical_therapy": {"weeks": 3}, "taper": {}}).as_dict()
    assert set(written) == {"coordination", "prescribing", "reassessment", "taper", "physical_therapy"}
    assert written["physical_therapy"]["weeks"] == 3
    assert "handover" not in written["physical_therapy"]


@pytest.mark.parametrize(
    "given",
    [
        {"physical_terapy": {}},
        {"physical_therapy": {"week": 3}},
        {"physical_therapy": {"weeks": 3.5}},
        {"physical_therapy": 3},
        {"coordination": True},
        {"coordination": float("inf")},
        {"treatments": {"leeches": {"start_week": 1, "weeks": 1, "sessions_per_week": 1.0}}},
        {"taper": {"percent_per_month": "10"}},
    ],
)
def test_what_no_plan_can_hold_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CarePlan.model_validate(given)


def test_a_plan_cannot_be_changed_in_place() -> None:
    plan = CarePlan.model_validate({"physical_therapy": {}})
    for model, key in ((plan, "coordination"), (plan.prescribing, "dose_cap"), (plan.treatments["physical_therapy"], "weeks")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(model, key, 1)
