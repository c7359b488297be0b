"""How patients come to an open cohort, as users write it."""

from typing import Annotated

from painlab.fields import Strict, lever


class Arrivals(Strict):
    """An open cohort: new patients arrive each week and stay for a follow-up, scaled to a stated population.

    Until week 0 everyone gets the baseline plan; the scenario's plan applies to those who arrive from then on.
    """

    people: Annotated[
        int,
        lever(
            1000,
            1_000_000_000,
            1000,
            label="population",
            unit="people",
            words="serves {} people",
            meaning="People whom the clinic or region serves.",
        ),
    ]
    new_patients_per_1000_per_year: Annotated[
        float,
        lever(
            0.1,
            500,
            0.1,
            label="new patients",
            unit="per 1,000 people per year",
            words="sees {} new patients per 1,000 people a year",
            meaning="People who come with this condition for the first time.",
        ),
    ]
    follow_up_weeks: Annotated[
        int,
        lever(
            4,
            260,
            1,
            label="follow-up",
            unit="weeks",
            words="follows each patient for {} weeks",
            meaning="Weeks for which a patient counts as in care.",
        ),
    ] = 52
