"""The care plan as users write it: what is ordered, how it is prescribed, reviewed, tapered and coordinated.

Each field states its range, unit, words and evidence once; sliders, tooltips, errors and sentences are made from it.
"""

from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field, field_serializer, field_validator, model_validator

from painlab import care, catalog
from painlab.care import OrderField
from painlab.fields import Lever, Strict, lever, lever_of
from painlab.orders import Prescribing, Reassessment, Taper, TreatmentOrder
from painlab.tables import nearest


class CarePlan(Strict):
    """A care plan. In TOML each treatment is a table beside the others: `[care.physical_therapy]`."""

    coordination: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="coordination",
            unit="0-1",
            words="is {}",
            meaning="From fragmented (0) to coordinated (1) care: waits, completed referrals, kept visits, the diagnosis, attendance.",
            source="T12-01; T12-06",
            levels={"fragmented": 0, "usual": 0.2, "good": 0.6, "full": 1},
        ),
    ] = 0.2
    prescribing: Prescribing = Prescribing()
    reassessment: Reassessment = Reassessment()
    taper: Taper | None = None
    treatments: dict[str, TreatmentOrder] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_treatments(cls, given: Any) -> Any:
        """Collect the treatments' tables, completed from their usual orders; unknown keys are left for pydantic to refuse."""
        if not isinstance(given, dict) or "treatments" in given:
            return given
        known = catalog.treatments()
        orders = {name: known[name].order | dict(table) for name, table in given.items() if name in known and isinstance(table, dict)}
        return {name: value for name, value in given.items() if name not in orders} | {"treatments": orders}

    @field_validator("treatments")
    @classmethod
    def _known_treatments(cls, orders: dict[str, TreatmentOrder]) -> dict[str, TreatmentOrder]:
        known = catalog.treatments()
        for name in orders:
            if name not in known:
                raise ValueError(f'unknown treatment "{name}"{nearest(name, known)}; expected one of {", ".join(known)}')
        return orders

    @field_serializer("treatments")
    def _serialize_treatments(self, treatments: dict[str, TreatmentOrder]) -> dict[str, Any]:
        return {name: order.model_dump(exclude_none=True) for name, order in treatments.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as it stands in TOML: treatments beside the other tables, no taper if there is none."""
        dumped = self.model_dump(exclude_none=True)
        return {**{name: value for name, value in dumped.items() if name != "treatments"}, **dumped["treatments"]}

    def engine_plan(self) -> care.Plan:
        """The scalar part as compiled code takes it; without a taper its start is infinite."""
        taper = self.taper
        return care.Plan(
            coordination=self.coordination,
            opioid_start=self.prescribing.opioid_start,
            start_dose=self.prescribing.start_dose,
            first_supply_days=self.prescribing.first_supply_days,
            escalation=self.prescribing.escalation,
            dose_cap=self.prescribing.dose_cap,
            reassessment_weeks=float(self.reassessment.interval_weeks),
            review=self.reassessment.review,
            taper_start=float(taper.start_week) if taper else np.inf,
            taper_pace=taper.percent_per_month if taper else 10.0,
            taper_support=taper.support if taper else 0.0,
            taper_offer=taper.offer if taper else 0.0,
            assigned_weeks=float(self.prescribing.assigned_weeks),
        )

    def engine_orders(self) -> np.ndarray:
        """Orders of all treatments, shape (treatments, len(OrderField)); rows of zeros are not ordered."""
        known = catalog.treatments()
        orders = np.zeros((len(known), len(OrderField)))
        for name, order in self.treatments.items():
            fields = order.model_dump()  # in the order of OrderField
            fields["handover"] = self.coordination if order.handover is None else order.handover
            stated = [-1.0 if value is None else value for value in fields.values()]
            orders[known[name].number - 1] = [1.0, *stated]
        return orders


SECTIONS: Final[dict[str, type[Strict]]] = {"prescribing": Prescribing, "reassessment": Reassessment, "taper": Taper}
SECTION_LABELS: Final = {"prescribing": "Prescribing", "reassessment": "Follow-up", "taper": "A taper", "coordination": "Coordination"}


def levers() -> dict[tuple[str, ...], Lever]:
    """Every lever of a care plan by its path, in the order of the model."""
    found: dict[tuple[str, ...], Lever] = {
        ("coordination",): lever_of(("coordination",), SECTION_LABELS["coordination"], CarePlan.model_fields["coordination"])
    }
    models = {name: (SECTION_LABELS[name], model) for name, model in SECTIONS.items()}
    models |= {name: (one.label, TreatmentOrder) for name, one in catalog.treatments().items()}
    for name, (label, model) in models.items():
        for key, field in model.model_fields.items():
            if field.json_schema_extra:  # a switch for trials is no lever
                found[name, key] = lever_of((name, key), label, field)
    return found
