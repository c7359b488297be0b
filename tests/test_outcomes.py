"""Outcomes have one record each, in the engine's order."""

from painlab.outcomes import BY_NAME, OPEN_COHORT_OUTCOMES, OUTCOMES, Count


def test_the_engine_counts_in_the_order_of_the_records() -> None:
    named = {"MME": "mme_per_1000"}
    assert [named.get(count.name, count.name.lower()) for count in Count] == [one.name for one in OUTCOMES]
    assert [int(count) for count in Count] == list(range(len(OUTCOMES)))


def test_each_outcome_has_its_own_name_label_unit_and_direction() -> None:
    every = (*OUTCOMES, *OPEN_COHORT_OUTCOMES)
    assert list(BY_NAME.items()) == [(one.name, one) for one in every]
    assert len({one.name for one in every}) == len(every)
    assert len({one.label for one in every}) == len(every)
    assert all(one.unit and one.meaning and one.scale > 0 and one.better in ("lower", "higher", "neither") for one in every)


def test_less_opioid_is_not_by_itself_better() -> None:
    assert BY_NAME["mme_per_1000"].better == BY_NAME["on_opioids"].better == "neither"


def test_shares_are_reported_in_percent_and_rates_per_thousand() -> None:
    for one in OUTCOMES:
        per_thousand = "1,000" in one.unit
        assert one.scale == (100 if one.unit.startswith("%") else 1000 if per_thousand else one.scale), one.name
        assert 0 <= one.digits <= 3
