"""Views, steps, links, pins, codes, files and exports of the explorer, called as the browser would call them."""

import io
import json
import tomllib

import polars as pl
import pytest

import painlab
from painlab import InputError, Scenario, parameters
from painlab.views import deck, exports
from painlab.views import explorer as views
from painlab.views.exploration import Size

START = ("prescribing", "opioid_start")


def columns(explorer, name: str) -> bytes:
    """What of a weekly column was sent to the chart."""
    return explorer.chart.data["weekly"][name]


def test_each_weekly_view_shows_the_same_run(explorer):
    for view, outcomes in (("demand", 3), ("body", 3), ("difference", 3)):
        explorer.view.value = view
        assert len(explorer.chart.data["weekly"]["scenario"]) == 8 * outcomes * 9
        assert explorer.chart.summary == str(explorer.projection)
        shown = columns(explorer, "scenario")
        explorer.deck.lever(("coordination",)).value = 1.0
        assert columns(explorer, "scenario") != shown
        explorer.reset.click()
        assert columns(explorer, "scenario") == shown


def test_one_patient_many_times_and_the_field_of_the_cycle_are_drawn_and_told(explorer):
    explorer.view.value = "lives"
    assert len(explorer.chart.data["lives"]["pain"]) == 8 * 200 * 3  # weeks 0, 4 and 8
    assert "only chance" in explorer.chart.headline
    assert "200" in explorer.sentence.value
    explorer.view.value = "phase"
    assert "Strength" in json.dumps(explorer.chart.spec)
    assert explorer.chart.data == {}
    assert "stable" in explorer.sentence.value
    explorer.deck.lever(("coordination",)).value = 0.9
    assert explorer.projection.scenario.care.coordination == 0.9
    explorer.view.value = "difference"
    assert explorer.chart.summary == str(explorer.projection)


def test_undo_redo_and_replay(explorer):
    start, first = explorer.exploration.scenario, columns(explorer, "scenario")
    assert explorer.undo.disabled
    assert explorer.redo.disabled
    assert explorer.replay.disabled
    explorer.deck.lever(START).value = 0.0
    changed = columns(explorer, "scenario")
    assert not explorer.undo.disabled
    explorer.undo.click()
    assert explorer.exploration.scenario == start
    assert columns(explorer, "scenario") == first
    assert explorer.deck.lever(START).value == 1.0
    explorer.redo.click()
    assert columns(explorer, "scenario") == changed
    seen = []
    explorer.chart.observe(lambda change: seen.append(change["new"]["weekly"]["scenario"]), "data")
    explorer.replay.click()
    assert seen == [first, changed]


def test_a_cut_link_and_an_assumption_hold_in_both_arms_and_are_said(explorer):
    baseline = columns(explorer, "baseline")
    explorer.deck.links["pain_to_activity"].value = True
    assert explorer.projection.cut == ("pain_to_activity",)
    assert columns(explorer, "baseline") != baseline
    assert "pain to activity" in explorer.sentence.value
    explorer.deck.links["pain_to_activity"].value = False
    assert columns(explorer, "baseline") == baseline
    explorer.deck.tabs.value = "assumptions"
    control = explorer.deck.assumptions["weakness_pain"]
    control.value = control.high
    assert explorer.exploration.assumed == {"weakness_pain": control.high}
    assert "weakness pain" in explorer.sentence.value
    control.value = control.baseline
    assert explorer.exploration.scenario == explorer.exploration.start


def test_the_central_value_of_an_assumption_lies_on_its_sliders_steps():
    for name in deck.ASSUMPTIONS:
        lever = deck.record((deck.ASSUMED, name))
        for steps in ((parameters.record(name).value - lever.low) / lever.step, (lever.high - lever.low) / lever.step):
            assert steps == pytest.approx(round(steps))
        assert 25 <= (lever.high - lever.low) / lever.step <= 100


def test_other_patients_are_said_to_be_in_both_arms(explorer):
    assert "In both arms" not in explorer.sentence.value
    explorer.deck.lever(("population", "diagnosed")).value = 0.5
    assert "In both arms: patients had a known driver of pain in a share of 0.5." in explorer.sentence.value


def test_three_plans_are_pinned_and_no_more(explorer):
    for letter, value in (("A", 0.0), ("B", 0.5), ("C", 0.75)):
        explorer.deck.lever(START).value = value
        explorer.pins.add.click()
        assert list(explorer.pins.kept)[-1] == letter
    explorer.pins.add.click()
    assert "Unpin" in explorer.message.value
    assert set(explorer.chart.data["pins"]["pin"]) == {"A", "B", "C"}
    assert explorer.pins.table.value.count("<tr>") == 5
    explorer.pins.drop["B"].click()
    assert set(explorer.chart.data["pins"]["pin"]) == {"A", "C"}
    for letter in ("A", "C"):
        explorer.pins.drop[letter].click()
    assert "pins" not in json.dumps(explorer.chart.spec)


def test_a_code_opens_the_same_scenario_elsewhere(explorer):
    explorer.deck.lever(("coordination",)).value = 0.9
    code, scenario = explorer.sharing.code.value, explorer.exploration.scenario
    assert Scenario.load(code) == scenario
    explorer.reset.click()
    explorer.sharing.given.value = code
    explorer.sharing.go.click()
    assert explorer.exploration.scenario == scenario
    assert explorer.projection.scenario == scenario
    explorer.sharing.given.value = code[:-4]
    explorer.sharing.go.click()
    assert 'role="alert"' in explorer.message.value
    assert explorer.exploration.scenario == scenario


def test_a_file_is_opened_or_refused_by_its_name(explorer):
    text = Scenario.load("late-pt").to_toml()
    explorer.sharing.take("mine.toml", text.encode())
    assert explorer.exploration.scenario == Scenario.load("late-pt")
    explorer.sharing.take("bad.toml", b"weeks = 0")
    assert "bad.toml" in explorer.message.value
    assert 'role="alert"' in explorer.message.value


@pytest.mark.parametrize("kind", list(exports.KINDS))
def test_each_export_is_a_file_that_opens(explorer, kind, monkeypatch):
    served = []
    monkeypatch.setattr(explorer.sharing.download, "send", lambda content, buffers=None: served.append((content, buffers)))
    explorer.sharing.kind.value = kind
    explorer.sharing.export.click()
    content, [body] = served[0]
    assert content["name"].endswith(f".{exports.KINDS[kind].ending}")
    opened = {
        "png": lambda: body.startswith(b"\x89PNG"),
        "svg": lambda: "<svg" in body.decode(),
        "csv": lambda: pl.read_csv(body).height == explorer.projection.weekly.height,
        "parquet": lambda: pl.read_parquet(body).equals(explorer.projection.weekly),
        "toml": lambda: tomllib.loads(body.decode())["name"] == "plain",
        "pptx": lambda: explorer.projection.headline() in slide_text(body),
    }
    assert opened[kind]()


def slide_text(body: bytes) -> str:
    from pptx import Presentation

    slides = Presentation(io.BytesIO(body)).slides
    return " ".join(shape.text_frame.text for slide in slides for shape in slide.shapes if shape.has_text_frame)


def test_large_type_a_chosen_view_groups_and_a_cut(plain, monkeypatch):
    monkeypatch.setattr(views, "FULL", Size(20, 2))
    monkeypatch.setattr(views, "PREVIEW", Size(20, 1))
    explorer = painlab.explore(plain, view="body", groups=["move"], cut="weakness_to_pain", large=True)
    assert explorer._drawn.view == "body"
    assert explorer._drawn.large
    assert [name for name, _ in explorer.deck.tabs.options] == ["move", "cycle", "assumptions", "compare", "share"]
    assert explorer.projection.cut == ("weakness_to_pain",)
    for wrong in ({"view": "pie"}, {"groups": ["pie"]}, {"cut": "pie"}):
        with pytest.raises(InputError, match="pie"):
            painlab.explore(plain, **wrong)


def test_callers_hear_of_each_full_run(explorer):
    heard = []
    explorer.on_settled(heard.append)
    explorer.deck.lever(("coordination",)).value = 0.9
    assert heard == [explorer.projection]
