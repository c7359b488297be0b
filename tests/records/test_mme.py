"""Doses by hand: days, weeks, overlaps, patches, bands and versions."""

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from painlab import records
from painlab.errors import InputError
from painlab.records.persons import by_person

MONDAY = datetime.date(2024, 1, 1)


def on(days: int) -> datetime.date:
    return MONDAY + datetime.timedelta(days=days)


def fills(*rows: tuple[str, int, str, float, float]) -> pl.LazyFrame:
    """person, day after a Monday, drug, quantity, days' supply"""
    people, days, drugs, quantities, supplies = zip(*rows, strict=True)
    table = pl.DataFrame({"person": people, "date": [on(day) for day in days], "drug": drugs, "quantity": quantities, "days": supplies})
    return records.read(table)


def daily(frame: pl.LazyFrame, **chosen: str) -> dict[tuple[str, int], float]:
    found = records.daily_mme(frame, **chosen).collect()
    return {(row["person"], (row["date"] - MONDAY).days): row["mme"] for row in found.iter_rows(named=True)}


def one(drug: str, quantity: float = 30, days: float = 30, factors: str = "CDC 2022") -> float:
    return daily(fills(("a", 0, drug, quantity, days)), factors=factors)["a", 0]


@pytest.mark.parametrize(
    ("drug", "quantity", "days", "factors", "mme"),
    [
        ("oxycodone 10 mg", 120, 30, "CDC 2018", 60.0),  # the example of the CDC's file of 2018
        ("fentanyl 25 mcg/h patch", 10, 30, "CDC 2018", 60.0),  # likewise: 25 x 10 / 30 x 7.2
        ("fentanyl 25 mcg/h patch", 10, 30, "CDC 2022", 60.0),
        ("hydromorphone 4 mg", 60, 30, "CDC 2018", 32.0),
        ("hydromorphone 4 mg", 60, 30, "CDC 2022", 40.0),
        ("tramadol 50 mg", 120, 30, "CDC 2018", 20.0),
        ("tramadol 50 mg", 120, 30, "CDC 2022", 40.0),
        ("methadone 10 mg", 30, 30, "CDC 2018", 30.0),
        ("methadone 10 mg", 30, 30, "CDC 2022", 47.0),
        ("methadone 10 mg", 60, 30, "CDC 2016", 80.0),  # 20 mg: factor 4
        ("methadone 10 mg", 90, 30, "CDC 2016", 240.0),  # 30 mg: factor 8
        ("methadone 10 mg", 210, 30, "CDC 2016", 840.0),  # 70 mg: factor 12
        ("Actiq 400 mcg lozenge", 30, 30, "CDC 2018", 52.0),  # 400 x 0.13
        ("Oramorph 10mg/5ml oral solution", 300, 30, "CDC 2022", 20.0),
    ],
)
def test_one_fill_by_hand(drug, quantity, days, factors, mme):
    assert one(drug, quantity, days, factors) == pytest.approx(mme)


def test_a_fill_counts_on_its_date_and_ends_with_its_supply():
    assert sorted(day for _, day in daily(fills(("a", 3, "oxycodone 5 mg", 8, 2)))) == [3, 4]


def test_overlapping_fills_add_up():
    found = daily(fills(("a", 0, "oxycodone 10 mg", 20, 10), ("a", 8, "oxycodone 10 mg", 20, 10)))
    assert [found["a", day] for day in (7, 8, 9, 10, 17)] == [30.0, 60.0, 60.0, 30.0, 30.0]


def test_an_early_refill_of_the_same_drug_is_pushed_on_by_extend():
    rows = (("a", 0, "oxycodone 10 mg", 20, 10), ("a", 8, "oxycodone 10 mg", 20, 10), ("a", 15, "oxycodone 10 mg", 20, 10))
    found = daily(fills(*rows), overlaps="extend")
    assert found == {("a", day): 30.0 for day in range(30)}


def test_a_late_refill_leaves_its_gap_under_extend():
    found = daily(fills(("a", 0, "oxycodone 10 mg", 20, 10), ("a", 12, "oxycodone 10 mg", 20, 10)), overlaps="extend")
    assert ("a", 11) not in found
    assert max(day for _, day in found) == 21


def test_another_drug_strength_or_person_still_adds_up_under_extend():
    rows = (("a", 0, "oxycodone 10 mg", 20, 10), ("a", 5, "oxycodone 20 mg", 20, 10), ("b", 5, "oxycodone 10 mg", 20, 10))
    found = daily(fills(*rows), overlaps="extend")
    assert found["a", 5] == 90.0
    assert found["b", 5] == 30.0


def test_methadone_takes_the_factor_of_the_whole_dose_of_the_day_in_2016():
    found = daily(fills(("a", 0, "methadone 10 mg", 10, 10), ("a", 5, "methadone 10 mg tablet", 20, 10)), factors="CDC 2016")
    assert [found["a", day] for day in (4, 5, 9, 10, 14)] == [40.0, 240.0, 240.0, 80.0, 80.0]  # 10 mg x 4, 30 mg x 8, 20 mg x 4
    assert ("a", 15) not in found


def test_buprenorphine_is_set_apart():
    found = records.daily_mme(fills(("a", 0, "Suboxone 8-2 mg film", 60, 30), ("b", 0, "BuTrans 10 mcg/hour patch", 4, 28))).collect()
    assert set(found["mme"]) == {0.0}
    doses = dict(found.filter(date=MONDAY).select("person", "buprenorphine_mg").iter_rows())
    assert doses == {"a": 16.0, "b": pytest.approx(0.24)}  # 10 mcg/h for 24 hours


def test_a_week_is_the_mean_of_its_seven_days():
    found = records.weekly_mme(fills(("a", 3, "oxycodone 5 mg", 56, 14))).collect()
    assert found["week"].to_list() == [on(0), on(7), on(14)]
    assert found["mme"].to_list() == pytest.approx([30 * 4 / 7, 30.0, 30 * 3 / 7])


ROWS = st.tuples(
    st.sampled_from("abc"),
    st.integers(0, 60),
    st.sampled_from(["oxycodone 5 mg", "methadone 10 mg", "fentanyl 25 mcg/h patch", "Suboxone 8-2 mg film", "hydromorphone 2 mg"]),
    st.integers(1, 90),
    st.integers(1, 40),
)


@settings(max_examples=20)
@given(st.lists(ROWS, min_size=1, max_size=15), st.sampled_from(["CDC 2016", "CDC 2022"]), st.sampled_from(["add", "extend"]))
def test_weeks_are_the_means_of_days_whatever_the_fills(rows, factors, overlaps):
    frame = fills(*rows)
    days = records.daily_mme(frame, factors, overlaps=overlaps).collect()
    monday = pl.col("date").dt.truncate("1w")
    by_week = days.group_by("person", week=monday).agg(pl.col("mme", "buprenorphine_mg").sum() / 7).sort("person", "week")
    weeks = records.weekly_mme(frame, factors, overlaps=overlaps).collect()
    assert weeks.select("person", "week").equals(by_week.select("person", "week"))
    for dose in ("mme", "buprenorphine_mg"):
        assert np.allclose(weeks[dose], by_week[dose], atol=1e-6)


@settings(max_examples=20)
@given(st.lists(ROWS, min_size=1, max_size=15))
def test_what_is_dispensed_in_all_does_not_hang_on_the_rule_for_overlaps(rows):
    frame = fills(*rows)
    totals = [records.daily_mme(frame, overlaps=rule).select(pl.col("mme").sum()).collect().item() for rule in ("add", "extend")]
    assert totals[0] == pytest.approx(totals[1], abs=1e-5)


def test_a_long_table_goes_by_person_to_disk_and_comes_to_the_same(monkeypatch):
    frame = records.sample_fills(people=300, seed=5).lazy()
    whole = records.weekly_mme(frame).collect().sort("person", "week")
    monkeypatch.setattr(by_person, "__kwdefaults__", {"held": 100})
    spilled = records.weekly_mme(frame).collect(engine="streaming").sort("person", "week")
    assert spilled.equals(whole)
    assert records.coverage(frame).counted == frame.collect().height


def test_pieces_hold_all_rows_of_a_person_whatever_their_size():
    table = pl.DataFrame({"person": [str(number % 7) for number in range(100)], "row": range(100)})
    for held in (10, 1000):
        pieces = list(by_person([table[:50], table[50:]], 12, held=held))
        assert sorted(row for piece in pieces for row in piece["row"]) == list(range(100))
        seen = [person for piece in pieces for person in piece["person"].unique()]
        assert len(seen) == len(set(seen)) == 7


def test_a_lazy_frame_can_be_filtered_cut_and_selected_like_any_other():
    weekly = records.weekly_mme(fills(("a", 0, "oxycodone 5 mg", 56, 14), ("b", 0, "oxycodone 5 mg", 56, 14)))
    assert weekly.filter(pl.col("person") == "b").select("mme").collect()["mme"].to_list() == [30.0, 30.0]
    assert weekly.head(1).collect().height == 1


def test_demand_counts_everyone_whom_the_records_cover():
    weekly = records.weekly_mme(
        fills(("a", 0, "oxycodone 10 mg", 42, 7), ("b", 0, "oxycodone 5 mg", 14, 7), ("a", 14, "oxycodone 5 mg", 7, 7))
    )
    found = records.demand(weekly, people=50)
    assert found["week"].to_list() == [on(0), on(7), on(14)]  # the week between has no row in weekly
    assert found["mme_per_1000"].to_list() == pytest.approx([(90 + 15) * 1000 / 50, 0.0, 7.5 * 1000 / 50])
    assert found["patients"].to_list() == [2, 0, 1]
    assert found["on_opioids"].to_list() == pytest.approx([4.0, 0.0, 2.0])
    assert found["dose_50_plus"].to_list() == found["dose_90_plus"].to_list() == pytest.approx([2.0, 0.0, 0.0])


def test_demand_refuses_fewer_people_than_patients():
    weekly = records.weekly_mme(fills(("a", 0, "oxycodone 10 mg", 42, 7), ("b", 0, "oxycodone 5 mg", 14, 7)))
    with pytest.raises(InputError, match="people is 1, but 2 had an opioid in one week"):
        records.demand(weekly, people=1)
    with pytest.raises(InputError, match="people is 0"):
        records.demand(weekly, people=0)
    assert records.demand(weekly.filter(pl.lit(False)), people=10).is_empty()


def test_what_cannot_be_asked_is_said():
    frame = fills(("a", 0, "oxycodone 10 mg", 42, 7))
    with pytest.raises(InputError, match="unknown version"):
        records.daily_mme(frame, "CDC 2023")
    with pytest.raises(InputError, match=r'overlaps is "extnd" .did you mean "extend"'):
        records.weekly_mme(frame, overlaps="extnd")
    with pytest.raises(InputError, match="the fills have no column date or ingredient"):
        records.daily_mme(pl.DataFrame({"person": ["a"], "strength": [1.0], "quantity": [1.0], "days_supply": [1.0]}))
