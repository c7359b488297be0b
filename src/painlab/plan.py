"""The care plan as users write it: what is ordered, how it is prescribed, reviewed, tapered and coordinated.

Each field states its range, unit, words and evidence once; sliders, tooltips, errors and sentences are made from it.
"""

from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field, field_serializer, field_validator, model_validator

from painlab import care, catalog
from painlab.care import OrderField
from painlab.fields import Lever, Strict, lever, lever_of
from painlab.tables import nearest


class TreatmentOrder(Strict):
    """One treatment in a plan; fields that are left out take the treatment's usual order from data/treatments.toml."""

    start_week: Annotated[
        int,
        lever(
            0,
            104,
            1,
            label="ordered in week",
            unit="weeks",
            words="is ordered in week {}",
            meaning="Week after the first visit in which it is ordered; the first session follows after the wait.",
        ),
    ]
    weeks: Annotated[
        int,
        lever(
            1,
            104,
            1,
            label="weeks in a course",
            unit="weeks",
            words="lasts {} weeks",
            meaning="Length of one course. Trials of exercise run 4 to 16 weeks.",
            source="T05-01",
        ),
    ]
    sessions_per_week: Annotated[
        float,
        lever(
            0.25,
            5,
            0.25,
            label="sessions a week",
            unit="sessions",
            words="has {} sessions a week",
            meaning="Sessions offered in each week of a course.",
            source="T05-10",
        ),
    ]
    courses: Annotated[
        int, lever(1, 8, 1, label="courses", unit="courses", words="is given in {} courses", meaning="How often the course is given.")
    ] = 1
    interval_weeks: Annotated[
        int,
        lever(
            4,
            104,
            1,
            label="weeks between courses",
            unit="weeks",
            words="is repeated every {} weeks",
            meaning="Weeks from the start of one course to the start of the next.",
        ),
    ] = 13
    only_if_pain_at_least: Annotated[
        float,
        lever(
            0,
            10,
            0.5,
            label="only if pain is at least",
            unit="0-10 NRS",
            words="is given to those with pain of at least {}",
            meaning="Stepped care: begun when it is due or later, once pain is this high; 0 gives it to everyone.",
        ),
    ] = 0.0
    handover: Annotated[
        float | None,
        lever(
            0,
            1,
            0.05,
            label="handover",
            unit="0-1",
            words="has a handover of {}",
            meaning="Coordination of this referral alone, from a slip of paper (0) to a booked first session (1); the plan's if left out.",
            source="T12-01; T12-06",
        ),
    ] = None
    completed: Annotated[
        float | None,
        lever(
            0,
            1,
            0.05,
            label="referrals completed",
            unit="share",
            words="is taken up by a share of {}",
            meaning="Share of those referred who ever come, where it is known; that of the handover if left out.",
            source="T12-01; T05-10",
        ),
    ] = None
    wait_weeks: Annotated[
        float | None,
        lever(
            0,
            26,
            0.5,
            label="wait",
            unit="weeks",
            words="begins after {} weeks",
            meaning="Mean wait from order to first session, where it is known; that of the handover if left out.",
            source="T12-06",
        ),
    ] = None
    sham: bool = False
    """Given as a sham, as in a trial's placebo arm: only attention and expectation act."""


class Prescribing(Strict):
    """How opioids are started and raised."""

    opioid_start: Annotated[
        float,
        lever(
            0,
            2,
            0.05,
            label="readiness to start",
            unit="x usual",
            words="starts opioids {} times as often as usual",
            meaning="Chance of an opioid at a visit, relative to what is usual for the condition.",
            source="T03-06",
        ),
    ] = 1.0
    start_dose: Annotated[
        float,
        lever(
            5,
            90,
            5,
            label="starting dose",
            unit="MME/day",
            words="starts at {} MME a day",
            meaning="Median starting dose. The mean US prescription was 48 MME a day in 2015.",
            source="T03-09",
        ),
    ] = 40.0
    first_supply_days: Annotated[
        float,
        lever(
            1,
            30,
            1,
            label="first supply",
            unit="days",
            words="gives {} days at first",
            meaning="Median days' supply of the first prescription; longer first supplies go with longer use.",
            source="T03-02; T03-03",
        ),
    ] = 5.0
    escalation: Annotated[
        float,
        lever(
            0,
            2,
            0.05,
            label="readiness to raise the dose",
            unit="x usual",
            words="raises doses {} times as often as usual",
            meaning="Chance that a visit raises the dose, relative to usual practice.",
        ),
    ] = 1.0
    dose_cap: Annotated[
        float,
        lever(
            20,
            200,
            5,
            label="dose cap",
            unit="MME/day",
            words="caps the dose at {} MME a day",
            meaning="Highest dose that is prescribed. CDC 2022 asks for more caution at 50 MME a day.",
            source="cdc2022",
        ),
    ] = 120.0
    assigned_weeks: Annotated[
        int,
        lever(
            0,
            104,
            1,
            label="assigned for",
            unit="weeks",
            words="assigns an opioid to everyone for {} weeks",
            meaning="Weeks for which everyone is kept on an opioid from the first visit, as in a trial; 0 leaves it to the visits.",
        ),
    ] = 0


class Reassessment(Strict):
    """How often a patient is seen and whether benefit is really reviewed."""

    interval_weeks: Annotated[
        int,
        lever(
            1,
            52,
            1,
            label="planned visit every",
            unit="weeks",
            words="is planned every {} weeks",
            meaning="Weeks between planned visits. CDC 2022: at least every 3 months on long-term therapy.",
            source="T11-12",
        ),
    ] = 13
    review: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="visits with a real review",
            unit="share",
            words="reviews benefit in a share of {} of visits",
            meaning="Share of visits at which benefit is weighed and an opioid without benefit may end; the rest renew by inertia.",
        ),
    ] = 0.15


class Taper(Strict):
    """A taper offered to patients on long-term therapy."""

    start_week: Annotated[
        int,
        lever(
            0,
            104,
            1,
            label="offered from week",
            unit="weeks",
            words="is offered from week {}",
            meaning="Week from which visits offer a taper to patients on long-term therapy.",
        ),
    ] = 0
    percent_per_month: Annotated[
        float,
        lever(
            1,
            90,
            1,
            label="pace",
            unit="% a month",
            words="lowers the dose by {} % a month",
            meaning="Share of the dose taken away in a month. CDC 2022: 10 % a month or slower after a year of use.",
            source="T11-11",
        ),
    ] = 10.0
    support: Annotated[
        float,
        lever(
            0,
            1,
            0.05,
            label="support",
            unit="0-1",
            words="has support of {}",
            meaning="Groups, calls and a plan beside the taper, from none to that of the I-WOTCH trial.",
            source="T04-01",
        ),
    ] = 0.0
    offer: Annotated[
        float,
        lever(
            0,
            10,
            0.5,
            label="pressure to taper",
            unit="x usual",
            words="is pressed {} times as hard as a usual offer",
            meaning="1 is an offer that a patient may decline at each visit; 10 is a taper for nearly everyone within months.",
        ),
    ] = 1.0


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
