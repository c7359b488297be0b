"""A queue against weeks worked out by hand and its limits; a clinic's slots against the open cohort that the engine simulates."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import painlab
from painlab.analysis.clinic_capacity import capacity
from painlab.analysis.course_delays import mixture, own_wait, treatments_of
from painlab.analysis.queueing import fluid_queue
from painlab.analysis.slot_target import slots_needed
from painlab.analysis.slots import panel_of
from painlab.engine.execution import Cancelled
from painlab.errors import InputError
from painlab.narrative import signed
from painlab.outcomes import Count
from painlab.scenario import Scenario
from painlab.simulation import parameter_sets

asked_for = hnp.arrays(float, st.integers(1, 40), elements=st.floats(0, 100))


def test_a_queue_worked_out_by_hand():
    line = fluid_queue(np.array([10.0, 14.0, 9.0, 0.0, 3.0]), slots=10.0, backlog=2.0)
    assert line.used.tolist() == pytest.approx([10.0, 10.0, 10.0, 5.0, 3.0])
    assert line.backlog.tolist() == pytest.approx([2.0, 6.0, 5.0, 0.0, 0.0])
    assert line.wait.tolist() == pytest.approx([0.2, 0.6, 0.5, 0.0, 0.0])


@given(asked_for, st.floats(0.5, 120), st.floats(0, 50))
def test_nothing_is_lost_and_no_slot_is_used_twice(asked, slots, backlog):
    line = fluid_queue(asked, slots, backlog)
    assert line.used.sum() + line.backlog[-1] == pytest.approx(backlog + asked.sum())
    assert (line.used <= slots).all() and (line.used >= -1e-9).all() and (line.backlog >= 0.0).all()
    idle = line.used < slots - 1e-6
    assert line.backlog[idle] == pytest.approx(0.0, abs=1e-6)  # no slot is empty while someone waits


def test_nobody_waits_while_there_are_more_slots_than_are_asked_for():
    line = fluid_queue(np.full(50, 99.0), 100.0)
    assert line.wait.max() == 0.0
    assert fluid_queue(np.full(5, 99.0), np.inf).used.tolist() == [99.0] * 5


def test_the_wait_grows_in_a_straight_line_where_slots_are_short():
    line = fluid_queue(np.full(50, 120.0), 100.0)
    assert line.wait == pytest.approx(0.2 * np.arange(1, 51))


def test_without_slots_whoever_asks_waits_for_ever():
    line = fluid_queue(np.array([0.0, 3.0]), 0.0)
    assert line.wait.tolist() == [0.0, np.inf]
    assert line.used.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("asked", "slots", "backlog"), [([-1.0], 1.0, 0.0), ([1.0], -1.0, 0.0), ([1.0], np.nan, 0.0), ([1.0], 1.0, -2.0), ([[1.0]], 1.0, 0.0)]
)
def test_a_queue_of_no_numbers_is_refused(asked, slots, backlog):
    with pytest.raises(InputError):
        fluid_queue(np.array(asked), slots, backlog)


def test_a_wait_is_a_mixture_of_the_delays_next_to_it():
    delays = np.array([0.0, 4.0, 8.0, 52.0])
    weights = mixture(delays, np.array([0.0, 1.0, 6.0, 30.0, 90.0]))
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert weights @ delays == pytest.approx([0.0, 1.0, 6.0, 30.0, 52.0])
    assert (weights > 0).sum(axis=1).max() == 2


def test_who_gives_up_never_begins():
    weights = mixture(np.array([0.0, 4.0, 52.0]), np.array([0.0, 2.0]), give_up=0.5)
    assert weights[0].tolist() == [1.0, 0.0, 0.0]
    assert weights[1] == pytest.approx([0.125, 0.125, 0.75])


def test_a_referrals_own_wait_is_that_of_its_handover():
    plan, values = Scenario.load("clinic-early-pt").care, parameter_sets(1, 1)[0]
    expected = 0.3 * values["wait_fragmented"] + 0.7 * values["wait_coordinated"]
    assert own_wait("therapy", plan, values) == pytest.approx(expected)
    assert own_wait("procedure", plan, values) == 0.0
    assert treatments_of("procedure", Scenario.load("pt-plus-injection").care) == ["epidural_steroid"]


@pytest.fixture(scope="module")
def panel():
    return panel_of("clinic-early-pt", patients=600, draws=6, weeks=78)


@pytest.fixture(scope="module")
def open_cohort():
    return painlab.simulate("clinic-early-pt", patients=6000, draws=6, weeks=78)


def test_with_as_many_slots_as_are_wanted_the_sum_over_arrival_weeks_is_the_engines_open_cohort(panel, open_cohort):
    found = capacity(panel)
    for name, near in (("pain", 0.02), ("function", 0.15)):
        for week in (0, 26, 78):
            engine = open_cohort.outcome(name).row(week, named=True)
            mine = found.weekly.filter((pl.col("outcome") == name) & (pl.col("week") == week)).row(0, named=True)
            assert mine["difference"] == pytest.approx(engine["difference"], abs=near)
            assert mine["scenario"] == pytest.approx(engine["scenario"], abs=4 * near)
    people = 100_000 / 1000 * 40.0 / 52.0 * 52
    engine_sessions = open_cohort.level_of("sessions", 78).mean * people / 1000
    assert found.queue.filter((pl.col("kind") == "therapy") & (pl.col("week") == 78))["asked"][0] == pytest.approx(
        engine_sessions, rel=0.05
    )
    assert found.weekly.equals(found.unlimited)
    assert found.queue["wait"].max() == 0.0


def test_more_slots_than_are_asked_for_change_nothing(panel):
    plenty = capacity(panel, pt_slots=10_000.0)
    assert plenty.weekly.equals(plenty.unlimited)
    assert plenty.queue["wait"].max() == 0.0
    assert "nobody waits" in plenty.sentence


def test_short_slots_are_used_up_and_waits_grow_until_patience_or_follow_up_ends(panel):
    short = capacity(panel, pt_slots=200.0)
    rows = short.queue.filter(kind="therapy")
    assert rows["used"].max() <= 200.0
    assert rows["utilization"][20:].min() > 0.98
    waits = rows["wait"].to_numpy()
    assert waits[10] < waits[30] < waits[60] <= 52.0
    solved = panel.solve((200.0, np.inf))
    assert solved.converged.all()
    # The sessions that patients have are those that the queue serves, once the first courses are over.
    later = slice(26, None)
    assert solved.held[0].mean(axis=0)[later].mean() == pytest.approx(solved.used[0].mean(axis=0)[later].mean(), rel=0.05)
    assert (
        short.weekly.filter((pl.col("outcome") == "pain") & (pl.col("week") == 78))["difference"][0]
        > short.unlimited.filter((pl.col("outcome") == "pain") & (pl.col("week") == 78))["difference"][0]
    )


def test_without_slots_the_plan_is_the_one_without_therapy(panel):
    none = capacity(panel, pt_slots=0.0)
    bare = panel_of(panel.scenario.change(care={"physical_therapy": None}), (False, False), patients=600, draws=6, weeks=78)
    mine = none.weekly.filter((pl.col("outcome") == "pain") & (pl.col("week") == 78))["scenario"][0]
    assert mine == pytest.approx(float(bare.new.outcomes[0, 0, :, Count.PAIN].mean()), abs=1e-4)
    assert "longer than the 52 weeks" in none.sentence


def test_patients_who_give_up_shorten_the_line(panel):
    patient, impatient = (capacity(panel, pt_slots=200.0, give_up=share) for share in (0.0, 0.1))
    last = (pl.col("kind") == "therapy") & (pl.col("week") == 78)
    assert impatient.queue.filter(last)["wait"][0] < patient.queue.filter(last)["wait"][0]
    assert "10 % of those in line give up" in str(impatient)
    assert "Nobody gives up" in str(patient)


def test_no_number_of_slots_does_what_the_plan_cannot(panel):
    found = slots_needed(panel, 60.0, steps=5)
    assert found.slots is None
    assert found.sentence.startswith("No number of therapy slots lowers opioid demand by 60 % in this model")
    assert f"changes by {signed(found.most[0], 1)} %" in found.sentence
    assert "pain changes" in found.sentence and "function changes" in found.sentence


def test_the_least_number_of_slots_that_does_it_is_found(panel):
    most = slots_needed(panel, 60.0, steps=5).most[0]
    assert most < 0.0
    wish = -most / 2
    found = slots_needed(panel, wish, steps=5)
    assert found.slots is not None

    def change(slots):
        rows = capacity(panel, pt_slots=float(slots)).weekly.filter((pl.col("outcome") == "mme_per_1000") & (pl.col("week") >= found.since))
        return rows["difference"].mean(), rows["baseline"][0]

    enough, today = change(found.slots)
    fewer, _ = change(found.slots - 1)
    assert enough < fewer
    assert 100 * enough / today == pytest.approx(-wish, abs=0.5)
    assert 0.0 < found.reached_in <= 1.0


def test_two_kinds_of_slots_can_be_short_at_once_and_other_programs_are_not_counted():
    asked = Scenario.load("pt-plus-injection").change(
        population={"arrivals": {"people": 10_000, "new_patients_per_1000_per_year": 52.0, "follow_up_weeks": 26}},
        weeks=30,
        care={"pain_psychology": {"start_week": 2}},
    )
    panel = panel_of(asked, (True, True), patients=64, draws=2)
    both = capacity(panel, pt_slots=20.0, procedure_slots=1.0)
    for kind, slots in (("therapy", 20.0), ("procedure", 1.0)):
        rows = both.queue.filter(kind=kind)
        assert rows["used"].max() <= slots and rows["wait"][-1] > 0.0
    alone = panel_of(asked.change(care={"pain_psychology": None}), (True, True), patients=64, draws=2)
    assert panel.today_sessions == pytest.approx(alone.today_sessions, rel=1e-6)
    with_it, without = (one.new.sessions[0, 0, 0].sum() for one in (panel, alone))
    assert with_it == pytest.approx(without, rel=0.1)


def test_a_capacity_can_be_watched_and_cancelled():
    seen = []
    capacity("clinic-early-pt", pt_slots=100.0, patients=32, draws=2, weeks=4, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1]
    with pytest.raises(Cancelled):
        capacity("clinic-early-pt", pt_slots=100.0, patients=32, draws=2, weeks=4, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"scenario": "early-pt"}, "arrivals"),
        ({"pt_slots": -1.0}, "slots a week"),
        ({"pt_slots": True}, "slots a week"),
        ({"give_up": 1.5}, "0 to 1"),
        ({"draws": 0}, "draws"),
    ],
)
def test_what_cannot_be_asked_of_a_clinic_is_refused(asked, words):
    with pytest.raises(InputError, match=words):
        capacity(**({"scenario": "clinic-early-pt"} | asked))


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"percent": 0.0}, "above 0"),
        ({"kind": "beds"}, "therapy or procedure"),
        ({"kind": "procedure"}, "orders nothing"),
        ({"since": 500}, "0 to 78"),
    ],
)
def test_what_cannot_be_wished_is_refused(panel, asked, words):
    with pytest.raises(InputError, match=words):
        slots_needed(panel, **asked)
