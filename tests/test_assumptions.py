"""Assumptions of one's own: links cut and parameters set, in both arms and all draws."""

import pytest

import painlab
from painlab import InputError, Scenario, parameters
from painlab.engine import execution, mean_patient
from painlab.engine.setting import Setting


def test_an_assumed_value_stands_in_every_draw():
    scenario = Scenario.load("early-pt").change(assume={"values": {"weakness_pain": 0.05}})
    values = [parameters.values(), parameters.values(draw=3, seed=1)]
    place = list(parameters.records()).index("weakness_pain")
    assert [one.values[place] for one in execution.cohorts(scenario, values, patients=10, seed=1, weeks=2)] == [0.05, 0.05]


def test_links_cut_in_a_scenario_are_those_cut_in_the_call():
    cut = painlab.simulate("early-pt", patients=200, draws=2, weeks=20, cut=["pain_to_activity"])
    own = painlab.simulate(Scenario.load("early-pt").change(assume={"links_cut": ["pain_to_activity"]}), patients=200, draws=2, weeks=20)
    assert own.weekly.equals(cut.weekly)
    assert own.cut == cut.cut == ("pain_to_activity",)
    assert own.provenance["scenario_sha256"] != cut.provenance["scenario_sha256"]


def test_the_mean_patient_its_setting_and_patients_one_by_one_live_under_the_assumptions_too(tmp_path):
    plain = Scenario.load("early-pt")
    links = ["pain_to_activity", "weakness_to_pain"]
    values = {"weakness_pain": parameters.record("weakness_pain").high}
    cut, bent = plain.change(assume={"links_cut": links}), plain.change(assume={"values": values})
    assert mean_patient.trajectory(cut, weeks=20).equals(mean_patient.trajectory(plain, weeks=20, cut=links))
    more = parameters.values() | values
    assert mean_patient.trajectory(bent, weeks=20).equals(mean_patient.trajectory(plain, weeks=20, values=more))
    steep = plain.change(assume={"values": {"flare_size": parameters.record("flare_size").high}})
    assert Setting.of(steep) == Setting.of(plain, parameters.values() | {"flare_size": parameters.record("flare_size").high})
    assert Setting.of(steep) != Setting.of(plain)
    own = painlab.trajectories(cut, tmp_path / "own", patients=30, weeks=10).collect()
    asked = painlab.trajectories(plain, tmp_path / "asked", patients=30, weeks=10, cut=links).collect()
    assert own.equals(asked)
    assert not own.equals(painlab.trajectories(plain, tmp_path / "plain", patients=30, weeks=10).collect())
    assert not own.equals(painlab.trajectories(bent, tmp_path / "bent", patients=30, weeks=10).collect())


def test_a_scenario_without_assumptions_keeps_its_fingerprint():
    scenario = Scenario.load("early-pt")
    assert "assume" not in scenario.to_toml()
    assert scenario.change(assume=None).fingerprint() == scenario.fingerprint()


@pytest.mark.parametrize(
    ("assume", "complaint"),
    [
        ({"links_cut": ["pain_to_activty"]}, "pain_to_activity"),
        ({"values": {"weaknes_pain": 0.1}}, "weakness_pain"),
        ({"values": {"weakness_pain": 99.0}}, "range of its prior"),
        ({"links": []}, "links_cut"),
    ],
)
def test_what_cannot_be_assumed_is_named(assume, complaint):
    with pytest.raises(InputError, match=complaint):
        Scenario.load("early-pt").change(assume=assume)
