"""What a care plan orders, as users write it: a treatment, prescribing, reassessment, a taper.

Each field states its range, unit, words, evidence and named levels once; sliders, tooltips, errors and sentences are made from it.
"""

from typing import Annotated

from painlab.fields import Strict, lever


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
            levels={"at once": 0, "after 2 weeks": 2, "after 2 months": 8, "after half a year": 26},
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
            levels={"short": 4, "usual": 6, "long": 12},
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
            levels={"every other week": 0.5, "weekly": 1, "twice a week": 2},
        ),
    ]
    courses: Annotated[
        int,
        lever(
            1,
            8,
            1,
            label="courses",
            unit="courses",
            words="is given in {} courses",
            meaning="How often the course is given.",
            levels={"once": 1, "three times": 3},
        ),
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
            levels={"a quarter": 13, "half a year": 26},
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
            levels={"for all": 0, "moderate pain": 4, "severe pain": 7},
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
            levels={"a slip of paper": 0, "some help": 0.5, "a booked session": 1},
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
            levels={"none": 0, "half as ready": 0.5, "usual": 1},
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
            levels={"low": 20, "usual": 40, "high": 60},
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
            levels={"3 days": 3, "5 days": 5, "a week": 7, "a month": 30},
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
            words="raises doses {} times as readily as usual",
            meaning="Chance that a visit raises the dose, relative to usual practice.",
            levels={"never": 0, "half as ready": 0.5, "usual": 1},
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
            levels={"50 MME": 50, "90 MME": 90, "120 MME": 120},
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
            levels={"monthly": 4, "quarterly": 13, "yearly": 52},
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
            levels={"hardly": 0.15, "half": 0.5, "always": 1},
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
            levels={"at once": 0, "after a month": 4, "after a quarter": 13},
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
            levels={"slow": 5, "10 % a month": 10, "rapid": 50},
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
            levels={"none": 0, "some": 0.5, "full": 1},
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
            words="is pressed {} times as hard as usual",
            meaning="1 is an offer that a patient may decline at each visit; 10 is a taper for nearly everyone within months.",
            levels={"an offer": 1, "pressed": 5, "nearly forced": 10},
        ),
    ] = 1.0
