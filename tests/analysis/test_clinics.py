"""My clinic: shares, doses and weeks are those of the records, every value has an origin, the gap is said, and thin records are refused."""

from datetime import date, timedelta

import polars as pl
import pytest

import painlab
from painlab import InputError, lessons, records
from painlab.analysis import Refused, clinic, condition_of_codes
from painlab.analysis.clinics import Clinic

START = date(2024, 1, 1)
UNTIL = date(2024, 12, 29)


def weekly(**spans: tuple[int, int, float]) -> pl.DataFrame:
    """People by name with first week, end (not included) and MME/day."""
    rows = [
        {"person": name, "week": START + timedelta(weeks=n), "mme": mme}
        for name, (first, end, mme) in spans.items()
        for n in range(first, end)
    ]
    return pl.DataFrame(rows)


FOUR = weekly(a=(0, 52, 60.0), b=(30, 52, 20.0), c=(20, 40, 90.0), d=(46, 52, 10.0))


def ours(table: pl.DataFrame = FOUR, **options) -> Clinic:
    return clinic(table, **{"patients": 100, "condition": "knee_osteoarthritis", "until": UNTIL, **options})


def origin(found: Clinic, what: str) -> tuple[str, str]:
    return found.mapping.row(by_predicate=pl.col("what") == what)[1:]


def test_long_term_users_their_dose_and_weeks_are_those_of_the_records():
    found = ours()
    people = found.scenario.population
    assert people.on_opioids == 0.02  # a and b; c has stopped, d is short of 90 days
    assert people.opioid_dose == 40.0  # median of 60 and 20
    assert people.opioid_weeks == 37  # median of 52 and 22
    value, source = origin(found, "on long-term opioids at the start")
    assert value == "2.0 %"
    assert "2 people" in source and "of 100" in source and "as you said" in source
    assert "50 % were on opioids when the records begin" in origin(found, "their weeks on opioids")[1]


def test_demand_now_is_the_mean_of_the_last_thirteen_weeks():
    found = ours()
    assert found.recent == (START + timedelta(weeks=39), START + timedelta(weeks=51))
    by_hand = (13 * 60.0 + 13 * 20.0 + 1 * 90.0 + 6 * 10.0) / 13 * 1000 / 100
    assert found.demand_now == pytest.approx(by_hand, rel=1e-6)
    assert found.on_opioids_now == pytest.approx((13 + 13 + 1 + 6) / 13)
    assert f"{by_hand:,.0f} MME/day" in str(found)


def test_weeks_after_the_records_end_do_not_count():
    fills = records.sample_fills(people=300, seed=2)
    found = clinic(fills, patients=1000, condition="knee_osteoarthritis")
    last = fills.filter(pl.col("usable"))["date"].max()
    assert found.observed["week"].max() + timedelta(days=6) <= last
    whole = records.demand(records.weekly_mme(fills), 1000)
    assert whole["week"].max() > found.observed["week"].max()  # supplies outlast the table
    by_weeks = clinic(records.weekly_mme(fills), patients=1000, condition="knee_osteoarthritis")
    assert abs((by_weeks.recent[1] - found.recent[1]).days) <= 14  # without fills the end is where doses last rose


def test_every_value_of_the_population_that_differs_from_the_model_s_is_in_the_mapping():
    found = ours(pain=pl.DataFrame({"person": range(20), "pain": [4.0, 6.0] * 10}), persons=pl.DataFrame({"age": [50, 60]}))
    people = found.scenario.population
    assert (people.pain, people.age) == (5.0, 55.0)
    assert found.pain == 5.0
    assert "20 people" in origin(found, "pain")[1]
    assert origin(found, "condition") == ("Knee osteoarthritis", "chosen by you")
    assert origin(found, "what is done now")[1].startswith("assumption")
    for row in found.mapping.iter_rows(named=True):
        assert row["value"] and row["source"]
        assert row["source"].startswith(
            ("records", "pain scores", "persons", "chosen", "assumption", "stated", "diagnoses", "patients in care")
        )


def test_a_scenario_of_a_clinic_can_be_written_and_run():
    found = ours()
    again = painlab.Scenario.from_code(found.scenario.code())
    assert again == found.scenario
    projection = painlab.simulate(found.scenario, patients=200, draws=2, weeks=26)
    said = found.agreement(projection)
    assert "nothing was tuned" in said
    assert "% higher" in said or "% lower" in said
    assert "Pain was not in the data" in said
    with pytest.raises(InputError, match="other people than this clinic's"):
        found.agreement(painlab.simulate("early-pt", patients=100, draws=1))


def test_levels_that_are_near_each_other_are_said_to_be():
    found = ours()
    projection = painlab.simulate(found.scenario, patients=200, draws=3, weeks=26)
    first = projection.weekly.filter(pl.col("week") <= 12)
    level = {name: first.filter(pl.col("outcome") == name)["baseline"].mean() for name in ("mme_per_1000", "on_opioids")}
    like = found.observed.with_columns(mme_per_1000=pl.lit(level["mme_per_1000"]), on_opioids=pl.lit(level["on_opioids"] * 1.04))
    near = Clinic(found.scenario, found.mapping, like, found.recent, found.patients)
    assert "within 10 %" in near.agreement(projection)
    assert ", the same." in near.agreement(projection)
    assert "4 % lower" in near.agreement(projection)


def test_new_patients_make_an_open_cohort_of_the_clinic_s_size():
    found = ours(new_patients_per_year=50)
    arrivals = found.scenario.population.arrivals
    assert arrivals.follow_up_weeks == 104  # 100 in care over 50 a year: two years each
    in_care = arrivals.people / 1000 * arrivals.new_patients_per_1000_per_year / 52 * arrivals.follow_up_weeks
    assert in_care == pytest.approx(100.0)
    assert "Little's law" in origin(found, "weeks in care")[1]
    for many in (3, 70_000):
        arrivals = ours(new_patients_per_year=many).scenario.population.arrivals
        assert arrivals.people / 1000 * arrivals.new_patients_per_1000_per_year == pytest.approx(many)


def test_the_most_frequent_known_diagnosis_is_the_condition():
    codes = pl.DataFrame({"person": [1, 2, 3, 3, 4], "code": ["M17.11", "M1712", "m17.9", "M54.5", "J45"]})
    found = condition_of_codes(codes)
    assert (found.condition, found.people, found.unknown) == ("knee_osteoarthritis", 3, 1)
    assert found.share == 1.0
    assert condition_of_codes(pl.DataFrame({"person": [1], "code": ["M54.16"]})).condition == "sciatica"  # longer than M54.1 alone
    assert condition_of_codes(pl.DataFrame({"person": [1], "code": ["S39.012A"]})).condition == "muscle_strain"  # not any S
    assert "1 people have no known code" in origin(ours(condition=None, diagnoses=codes), "condition")[1]
    with pytest.raises(Refused, match="none of the 1 codes"):
        condition_of_codes(pl.DataFrame({"person": [1], "code": ["J45"]}))


def test_a_dose_beyond_the_model_is_cut_and_said():
    found = ours(weekly(a=(0, 52, 260.0), b=(0, 52, 280.0)))
    assert found.scenario.population.opioid_dose == 200.0
    assert "the records have 270" in origin(found, "their dose")[1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"patients": 0}, "patients is 0"),
        ({"patients": 3}, "people is 3, but"),
        ({"condition": "knee"}, 'unknown condition "knee".*knee_osteoarthritis'),
        ({"condition": None}, "no condition is stated"),
        ({"until": date(2024, 5, 1)}, r"cover 17 whole weeks.*26 or more"),
        ({"pain": pl.DataFrame({"person": range(12), "pain": [50.0] * 12})}, "a pain score is 50.*0 to 10"),
        ({"persons": pl.DataFrame({"age": [1980]})}, "below 0 or above 120"),
        ({"new_patients_per_year": -4}, "new_patients_per_year is -4"),
        ({"care": "early-tp"}, 'did you mean "early-pt"'),
        ({"name": "My Clinic"}, "not a plain name"),
    ],
)
def test_what_makes_no_clinic_is_refused_with_the_reason(options, words):
    table = weekly(a=(0, 52, 60.0), b=(0, 52, 20.0), c=(0, 52, 90.0), d=(0, 52, 10.0))
    with pytest.raises(InputError, match=words):
        ours(table, **options)


def test_records_without_any_dose_are_refused():
    with pytest.raises(Refused, match="nobody was on opioids"):
        ours(FOUR.with_columns(mme=0.0))


def test_too_few_pain_scores_leave_the_condition_s_own_and_say_so():
    found = ours(pain=pl.DataFrame({"person": range(4), "pain": [9.0] * 4}))
    assert found.scenario.population.pain is None
    assert found.pain is None
    assert "4 people with a score are too few" in origin(found, "pain")[1]


def test_lesson_12_asks_about_the_patients_of_its_own_mapping():
    made_up = records.sample_fills(people=2_000).select("person", "date", "drug", "quantity", "days_supply")
    found = clinic(records.read(made_up), patients=5_000, condition="low_back_pain_persistent", care="early-pt")
    lesson = lessons.load("12")
    asked = [lesson.part("explorers", "panel").asked(), *(one.truth.asked() for one in lesson.predictions)]
    shown = {row["what"]: row["value"] for row in found.mapping.iter_rows(named=True)}
    for people in (one.population for one in asked):
        assert f"{100 * people.on_opioids:.1f} %" == shown["on long-term opioids at the start"]
        assert f"{people.opioid_dose:.0f} MME/day" == shown["their dose"]
        assert f"{people.opioid_weeks} weeks" == shown["their weeks on opioids"]
