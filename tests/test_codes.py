"""Scenario codes: short, checked, and safe to read."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from painlab import InputError, Scenario, codes
from painlab.scenario import shipped

plain_tables = st.dictionaries(
    st.text(max_size=8),
    st.recursive(
        st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@given(plain_tables)
def test_a_table_comes_back_from_its_code(table):
    code = codes.pack(table)
    assert codes.is_code(code)
    assert codes.unpack(code) == table
    assert codes.unpack(f"  {code[:9]}\n {code[9:]} ") == table


@pytest.mark.parametrize("scenario", shipped(), ids=lambda one: one.name)
def test_every_shipped_scenario_and_a_change_of_it_come_back_equal(scenario):
    assert Scenario.load(scenario.code()) == scenario
    changed = scenario.change(**scenario.renamed()).change(care={"coordination": 0.85})
    assert Scenario.load(changed.code()) == changed
    assert len(changed.code()) < 120 or scenario.baseline == scenario.name


def test_a_scenario_of_ones_own_comes_back_equal():
    own = Scenario.load("early-pt").change(name="mine", title="Mine", care={"physical_therapy": None})
    assert Scenario.load(own.code()) == own


def test_a_treatment_taken_out_stays_out():
    scenario = Scenario.load("early-pt")
    changed = scenario.change(**scenario.renamed()).change(care={"physical_therapy": None}, assume={"links_cut": ["pain_to_activity"]})
    again = Scenario.load(changed.code())
    assert again == changed
    assert "physical_therapy" not in again.care.treatments


def test_each_letter_counts():
    code = Scenario.load("early-pt").change(name="early-pt-changed", title="Early physical therapy, changed").code()
    for place in range(len(codes.PREFIX), len(code)):
        other = "A" if code[place] != "A" else "B"
        wrong = code[:place] + other + code[place + 1 :]
        try:
            assert Scenario.load(wrong) == Scenario.load(code)  # the last letter holds bits that are not used
        except InputError:
            continue


@pytest.mark.parametrize("code", ["PL1-", "PL1-abc", "PL1-!!!!", "PL1-" + "A" * 5000, "PL1-" + "é" * 8])
def test_what_is_no_code_is_refused_in_words(code):
    with pytest.raises(InputError, match="scenario code"):
        Scenario.load(code)


def test_a_code_that_swells_is_refused():
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = squeeze.compress(b" " * 3_000_000) + squeeze.flush()
    with pytest.raises(InputError, match="scenario code"):
        codes.unpack(codes.PREFIX + base64.urlsafe_b64encode(b"abc" + bomb).decode())


def test_a_code_for_another_state_of_a_shipped_scenario_says_so():
    code = codes.pack({"of": "early-pt", "is": "000000"})
    with pytest.raises(InputError, match="not the same in the version"):
        Scenario.load(code)
    with pytest.raises(InputError, match="no scenario"):
        Scenario.load(codes.pack({"of": "early-ptt", "is": "000000"}))
