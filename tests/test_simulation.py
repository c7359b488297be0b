"""The door into the engine."""

import numpy as np
import pytest
from polars.testing import assert_frame_equal

from painlab import InputError, Scenario, compare, simulate

SMALL = {"patients": 80, "draws": 3, "weeks": 26}


def test_the_same_seed_gives_the_same_bits_and_another_seed_other_numbers() -> None:
    first = simulate("coordinated-care", seed=5, **SMALL)
    assert_frame_equal(first.weekly, simulate("coordinated-care", seed=5, threads=1, **SMALL).weekly, check_exact=True)
    assert not first.weekly.equals(simulate("coordinated-care", seed=6, **SMALL).weekly)


@pytest.mark.parametrize("name", ["usual-care", "clinic-early-pt", "rapid-taper"])
def test_a_plan_against_itself_differs_by_exactly_zero(name: str) -> None:
    scenario = Scenario.load(name)
    weekly = simulate(scenario.change(name="same", baseline=scenario.care.as_dict()), **SMALL).weekly
    for column in ("difference", "difference_low", "difference_high"):
        assert (weekly[column] == 0.0).all()
    assert weekly["baseline"].equals(weekly["scenario"].alias("baseline"))


def test_arms_are_the_same_until_something_can_differ() -> None:
    late = Scenario.load("usual-care").change(name="late", baseline="usual-care", care={"acupuncture": {"start_week": 10}})
    pain = simulate(late, **SMALL).outcome("pain")
    assert (pain["difference"][:11] == 0.0).all()
    assert (pain["difference"][11:] != 0.0).any()


def test_common_random_numbers_tell_a_difference_more_sharply_than_new_ones() -> None:
    def differences(paired: bool) -> list[float]:
        found = []
        for seed in range(12):
            first = simulate("injection-then-pt", patients=100, draws=1, weeks=20, seed=seed)
            other = first if paired else simulate("injection-then-pt", patients=100, draws=1, weeks=20, seed=seed + 100)
            found.append(first.level_of("pain", 12).mean - other.level_of("pain", 12, "baseline").mean)
        return found

    assert np.var(differences(paired=True)) < 0.25 * np.var(differences(paired=False))


def test_a_cut_link_changes_the_result_and_is_kept_in_the_provenance() -> None:
    whole, cut = (simulate("coordinated-care", cut=links, **SMALL) for links in ((), "activity_to_strength"))
    assert cut.cut == ("activity_to_strength",) and cut.provenance["links_cut"] == ["activity_to_strength"]
    assert not whole.weekly.equals(cut.weekly)
    assert cut.level_of("strength", 26).mean == pytest.approx(100.0)


@pytest.mark.parametrize(
    "choice",
    [
        {"patients": 0},
        {"patients": 10**12},
        {"draws": 0},
        {"seed": -1},
        {"weeks": 0},
        {"weeks": 10_000},
        {"threads": 0},
        {"patients": 2.5},
        {"draws": True},
    ],
)
def test_an_impossible_number_is_refused(choice: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(choice))):
        simulate("early-pt", **(SMALL | choice))


def test_scenarios_are_compared_in_one_frame() -> None:
    frame = compare(["early-pt", Scenario.load("late-pt")], patients=20, draws=2, weeks=4)
    assert frame["name"].unique(maintain_order=True).to_list() == ["early-pt", "late-pt"]
    assert frame.columns[:3] == ["name", "week", "outcome"]
    alone = simulate("late-pt", patients=20, draws=2, weeks=4).weekly
    assert_frame_equal(frame.filter(frame["name"] == "late-pt").drop("name"), alone)
    with pytest.raises(InputError):
        compare([])
