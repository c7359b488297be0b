"""A talk may be about a scenario, a code, a run, or a folder that a run was written to."""

import json

import pytest

import painlab
from painlab import InputError, Scenario
from painlab.talk.runs import projections_of, stored

SMALL = {"patients": 40, "draws": 3, "seed": 4}


@pytest.fixture(scope="module")
def run() -> painlab.Projection:
    return painlab.simulate("early-pt", patients=40, draws=3, seed=4, weeks=8, cut=["weakness_to_pain"])


def test_a_scenario_its_name_and_its_code_give_the_same_run():
    early = Scenario.load("early-pt")
    found = [projections_of(what, weeks=6, **SMALL)[0].weekly for what in (early, "early-pt", early.code())]
    assert found[0].equals(found[1]) and found[0].equals(found[2])


def test_a_run_stays_what_it_was(run):
    assert projections_of(run, patients=9, draws=9, seed=9) == (run,)


def test_a_folder_gives_the_run_that_was_written_with_its_averages(run, tmp_path):
    run.save(tmp_path / "out")
    found = stored(tmp_path / "out")
    assert found.weekly.equals(run.weekly)
    assert found.averages is not None and found.averages.equals(run.averages)
    assert (found.seed, found.patients, found.draws, found.weeks, found.cut) == (4, 40, 3, 8, ("weakness_to_pain",))
    assert projections_of(tmp_path / "out", **SMALL)[0].weekly.equals(run.weekly)


def test_a_run_of_another_version_is_shown_as_it_was_written(run, tmp_path):
    run.save(tmp_path / "out")
    path = tmp_path / "out" / "provenance.json"
    made = json.loads(path.read_text())
    path.write_text(json.dumps(made | {"painlab": "0.0.1", "seed": 77}))
    found = stored(tmp_path / "out")
    assert found.weekly.equals(run.weekly) and found.averages is None
    assert found.provenance["painlab"] == "0.0.1"


def test_a_sweep_gives_a_run_for_each_of_its_scenarios(tmp_path):
    painlab.sweep(["early-pt", "opioids-alone"], tmp_path / "sweep", patients=30, draws=2, weeks=4)
    found = projections_of(tmp_path / "sweep", **SMALL)
    assert [one.scenario.name for one in found] == ["early-pt", "opioids-alone"]


@pytest.mark.parametrize("damage", ["{", "[]", '{"draws": 1}'])
def test_a_damaged_folder_is_a_clear_error(run, tmp_path, damage):
    run.save(tmp_path / "out")
    (tmp_path / "out" / "provenance.json").write_text(damage)
    with pytest.raises(InputError, match="cannot be read"):
        stored(tmp_path / "out")


def test_a_folder_without_a_run_is_a_clear_error(tmp_path):
    with pytest.raises(InputError, match="holds no run"):
        projections_of(tmp_path, **SMALL)


def test_numbers_of_a_folder_that_are_no_table_are_a_clear_error(run, tmp_path):
    run.save(tmp_path / "out")
    (tmp_path / "out" / "weekly.parquet").write_bytes(b"not parquet")
    with pytest.raises(InputError, match="cannot be read"):
        stored(tmp_path / "out")
