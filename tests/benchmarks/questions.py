"""What the peers are asked: shipped scenarios, and one with every rule in it."""

from painlab import Scenario

EVERYTHING = {
    "name": "everything",
    "title": "Everything at once",
    "question": "Does a plan with every rule in it run alike?",
    "weeks": 52,
    "population": {
        "condition": "sciatica",
        "minimum_pain": 3.0,
        "maximum_pain": 9.0,
        "diagnosed": 0.3,
        "rest_weeks": 3,
        "on_opioids": 0.4,
        "opioid_dose": 60.0,
        "prior_treatment": 0.5,
        "goal": "mixed",
    },
    "baseline": {
        "coordination": 0.6,
        "prescribing": {"assigned_weeks": 6, "start_dose": 30.0},
        "physical_therapy": {"start_week": 1, "weeks": 8, "sessions_per_week": 2.0, "sham": True},
        "manual_therapy": {"start_week": 2, "completed": 0.8, "wait_weeks": 2.5},
    },
    "care": {
        "coordination": 0.4,
        "prescribing": {"escalation": 2.0, "dose_cap": 90.0, "first_supply_days": 14.0},
        "reassessment": {"interval_weeks": 2, "review": 0.5},
        "taper": {"start_week": 6, "percent_per_month": 40.0, "support": 0.3, "offer": 4.0},
        "epidural_steroid": {"start_week": 1, "courses": 4, "interval_weeks": 9, "only_if_pain_at_least": 3.0},
        "radiofrequency_ablation": {"start_week": 8, "only_if_pain_at_least": 5.0},
        "physical_therapy": {"start_week": 4, "courses": 2, "interval_weeks": 20, "weeks": 8},
        "pain_psychology": {"start_week": 3},
        "acupuncture": {"start_week": 10, "weeks": 5},
        "anti_inflammatory": {"start_week": 0, "courses": 3},
    },
}
SCENARIOS = ("early-pt", "monitored-taper", "pt-plus-injection", "everything")


def scenario_named(name: str) -> Scenario:
    return Scenario.from_dict(EVERYTHING) if name == "everything" else Scenario.load(name)
