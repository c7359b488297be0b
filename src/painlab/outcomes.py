"""What is counted each week: name, unit and meaning, once, for the engine, the tables, the charts and the sentences."""

from enum import IntEnum
from typing import Final, NamedTuple


def spoken_unit(unit: str) -> str:
    """A unit as it stands after a number or on an axis: on a scale there are points.

    >>> spoken_unit("0-10 NRS"), spoken_unit("0-100"), spoken_unit("weeks")
    ('points of 10', 'points of 100', 'weeks')
    """
    return f"points of {_SCALES[unit]}" if unit in _SCALES else unit


_SCALES: Final = {"0-10 NRS": 10, "0-100": 100}  # units that are a scale, and its end


class Outcome(NamedTuple):
    """One weekly outcome of a cohort."""

    name: str
    label: str
    unit: str
    meaning: str
    better: str  # "lower", "higher" or "neither"
    scale: float  # reported value per patient's value
    digits: int
    most: float = 1.0  # largest value in one patient and week, in the patient's units


class Count(IntEnum):
    """Place of an outcome in the engine's sums, in the order of `OUTCOMES`."""

    MME = 0
    ON_OPIOIDS = 1
    DOSE_50_PLUS = 2
    DOSE_90_PLUS = 3
    LONG_TERM_THERAPY = 4
    NEW_PERSISTENT_USE = 5
    PAIN = 6
    ACTIVITY = 7
    STRENGTH = 8
    FUNCTION = 9
    GOAL_REACHED = 10
    SEDATION = 11
    CONSTIPATION = 12
    SIDE_EFFECTS = 13
    OVERDOSE_HAZARD = 14
    SESSIONS = 15
    INJECTIONS = 16
    VISITS = 17
    COST = 18


class Recorded(IntEnum):
    """What is kept of each patient and week where patients are followed one by one."""

    PAIN = 0  # 0-10
    ACTIVITY = 1  # 0-1
    STRENGTH = 2  # 0-1
    FUNCTION = 3  # 0-1
    DOSE = 4  # MME/day prescribed
    MME = 5  # MME/day taken, less in a week that the supply covers in part
    SESSIONS = 6  # attended
    TAPERED = 7  # 1 in a taper and the year after


OUTCOMES: Final = (
    Outcome(
        "mme_per_1000",
        "Opioid demand",
        "MME/day per 1,000 patients",
        "prescribed dose in morphine milligram equivalents",
        "neither",
        1000,
        0,
        most=400.0,
    ),
    Outcome("on_opioids", "On opioids", "%", "share of patients with a prescribed opioid this week", "neither", 100, 1),
    Outcome("dose_50_plus", "At or above 50 MME/day", "%", "share at the dose where CDC 2022 asks for more caution", "lower", 100, 1),
    Outcome("dose_90_plus", "At or above 90 MME/day", "%", "share at the dose that CDC 2016 said to avoid", "lower", 100, 1),
    Outcome(
        "long_term_therapy", "Long-term opioid therapy", "%", "share on opioids for 90 days or more without a break", "neither", 100, 1
    ),
    Outcome(
        "new_persistent_use", "New persistent use", "%", "share that came without opioids and had 90 days in a row since", "lower", 100, 1
    ),
    Outcome("pain", "Pain", "0-10 NRS", "mean felt pain on the numeric rating scale", "lower", 1, 2, most=10.0),
    Outcome("activity", "Activity", "% of habitual", "mean activity as a share of what was habitual before the pain", "higher", 100, 1),
    Outcome("strength", "Strength", "% of healthy", "mean strength as a share of healthy strength", "higher", 100, 1),
    Outcome("function", "Function", "0-100", "mean function, weighted from activity, strength and pain", "higher", 100, 1),
    Outcome(
        "goal_reached", "Personal goal reached", "%", "share of patients whose activity and strength meet their own goal", "higher", 100, 1
    ),
    Outcome("sedation", "Sedation", "%", "share of patients with opioid sedation", "lower", 100, 1),
    Outcome("constipation", "Constipation", "%", "share of patients with opioid constipation", "lower", 100, 1),
    Outcome("side_effects", "Side-effect burden", "%", "share of patients with sedation, constipation or both", "lower", 100, 1),
    Outcome(
        "overdose_hazard",
        "Overdose hazard",
        "per 1,000 patient-years",
        "hazard of opioid overdose by dose and recent taper",
        "lower",
        1000,
        2,
        most=4.0,
    ),
    Outcome(
        "sessions",
        "Sessions of care",
        "per 1,000 patients per week",
        "attended sessions of all programs of care",
        "neither",
        1000,
        0,
        most=100.0,
    ),
    Outcome("injections", "Injections", "per 1,000 patients per week", "injections and ablations given", "neither", 1000, 1, most=100.0),
    Outcome("visits", "Visits", "per 1,000 patients per week", "visits to the prescriber, planned or not", "neither", 1000, 0),
    Outcome(
        "cost",
        "Cost of care",
        "USD per patient per week",
        "visits, sessions, injections and drugs at the assumed unit costs",
        "neither",
        1,
        2,
        most=32_768.0,
    ),
)

OPEN_COHORT_OUTCOMES: Final = (
    Outcome(
        "mme_total",
        "Opioid demand of the population",
        "MME/day",
        "prescribed dose of everyone in care in the stated population",
        "neither",
        1,
        0,
    ),
    Outcome("patients_in_care", "Patients in care", "people", "patients of the stated population within their follow-up", "neither", 1, 0),
)

BY_NAME: Final = {outcome.name: outcome for outcome in (*OUTCOMES, *OPEN_COHORT_OUTCOMES)}
