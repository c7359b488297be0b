"""What the explorer's controls do, called as the browser would call them."""

import asyncio
import json

import polars as pl
import pytest

import painlab
from painlab import InputError, Scenario, catalog
from painlab.scenario import shipped
from painlab.views import deck as controls
from painlab.views import explorer as views
from painlab.views.controls import treatment_evidence
from painlab.views.exploration import Size, injections

THERAPY = "physical_therapy"


def columns(explorer, name: str) -> bytes:
    """What of a weekly column was sent to the chart."""
    return explorer.chart.data["weekly"][name]


def open_every_page(explorer) -> None:
    """Have all controls made; each group's are made when it is first shown."""
    for name in explorer.deck.groups:
        explorer.deck.tabs.value = name


def test_every_lever_of_the_explorer_shows_its_value_its_baseline_and_its_evidence(explorer):
    open_every_page(explorer)
    assert list(explorer.deck.levers) == [path for _, paths in controls.GROUPS.values() for path in paths]
    for path, control in explorer.deck.levers.items():
        whole = (injections()[0], *path[1:]) if path[0] == controls.INJECTION else path
        record = controls.record(whole)
        assert control.levels == record.levels
        assert all(record.low <= value <= record.high for value in record.levels.values())
        assert (control.low, control.high, control.step) == (record.low, record.high, record.step)
        assert control.value == explorer.exploration.value(whole)
        assert record.meaning in control.help
        assert ("An assumption" in control.help) == ("assumption" in record.source)
    assert explorer.deck.lever(("coordination",)).baseline == explorer.exploration.start.baseline_plan().coordination


def test_chart_sentence_and_screen_reader_say_the_same_run(explorer):
    words = str(explorer.projection)
    assert explorer.projection.scenario == explorer.exploration.scenario
    assert explorer.chart.summary == words
    assert explorer.chart.headline == explorer.projection.headline()
    assert words.split(":")[0] in explorer.sentence.value
    assert len(columns(explorer, "baseline")) == len(columns(explorer, "scenario")) == 8 * 3 * 9


@pytest.mark.parametrize("path", [path for _, paths in controls.GROUPS.values() for path in paths])
def test_each_lever_reaches_the_plan_and_the_chart(explorer, path):
    first = injections()[0]
    explorer.deck.injection.value = first
    if path[0] in explorer.deck.switches:
        explorer.deck.switches[path[0]].value = True
    control = explorer.deck.lever(path)
    control.value = control.low if control.value != control.low else control.high
    whole = (first, *path[1:]) if path[0] == controls.INJECTION else path
    assert explorer.exploration.value(whole) == control.value
    assert explorer.projection.scenario == explorer.exploration.scenario
    assert explorer.message.value == ""


def test_fewer_opioid_starts_move_the_line_and_leave_the_baseline(explorer):
    baseline, scenario = columns(explorer, "baseline"), columns(explorer, "scenario")
    explorer.deck.lever(("prescribing", "opioid_start")).value = 0.0
    assert columns(explorer, "baseline") == baseline
    assert columns(explorer, "scenario") != scenario


def test_therapy_switched_off_has_no_levers(explorer):
    explorer.deck.switches[THERAPY].value = False
    assert not explorer.exploration.ordered(THERAPY)
    assert explorer.deck.lever((THERAPY, "weeks")).disabled
    assert explorer.deck.lever((controls.INJECTION, "start_week")).disabled
    explorer.deck.switches[THERAPY].value = True
    assert not explorer.deck.lever((THERAPY, "weeks")).disabled


def test_the_kind_of_injection_switches_and_ends(explorer):
    for name in injections():
        explorer.deck.injection.value = name
        assert explorer.exploration.injection == name
    assert not explorer.deck.lever((controls.INJECTION, "start_week")).disabled
    explorer.deck.injection.value = controls.NO_INJECTION
    assert explorer.exploration.scenario == explorer.exploration.start


def test_reset_sets_every_control_back(explorer):
    open_every_page(explorer)
    values = {path: control.value for path, control in explorer.deck.levers.items()}
    explorer.deck.lever(("coordination",)).value = 0.95
    explorer.deck.switches[THERAPY].value = False
    explorer.deck.injection.value = injections()[1]
    explorer.reset.click()
    assert {path: control.value for path, control in explorer.deck.levers.items()} == values
    assert explorer.deck.switches[THERAPY].value
    assert explorer.deck.injection.value == controls.NO_INJECTION
    assert explorer.projection.scenario == explorer.exploration.start


def test_every_scenario_that_ships_can_be_the_start_and_its_own_comes_first(explorer, plain):
    titles = [label for label, _ in explorer.start.options]
    assert titles[0].startswith(plain.title)
    assert len(titles) == len(shipped()) + 1
    last = shipped()[-1]
    explorer.start.value = last
    assert explorer.exploration.start == last
    assert explorer.projection.scenario == last
    assert explorer._drawn.weeks == last.weeks


def test_undo_of_another_start_shows_the_first_one_again_and_the_choice_still_works(explorer, plain):
    last = shipped()[-1]
    explorer.start.value = last
    explorer.undo.click()
    assert explorer.start.value == plain
    assert explorer.exploration.start == plain
    explorer.start.value = last
    assert explorer.exploration.start == last


def test_a_scenario_opened_by_its_code_is_offered_first(explorer, plain):
    other = plain.change(name="other", title="Another")
    explorer.sharing.given.value = other.code()
    explorer.sharing.go.click()
    assert explorer.start.value == other
    assert explorer.start.options[0][0].startswith("Another")
    assert len(explorer.start.options) == len(shipped()) + 1


def test_differences_are_another_view_of_the_same_numbers(explorer):
    explorer.view.value = "difference"
    assert "difference" in json.dumps(explorer.chart.spec)
    shown = columns(explorer, "difference")
    explorer.deck.lever(("prescribing", "opioid_start")).value = 0.0
    assert columns(explorer, "difference") != shown


def test_an_entry_outside_the_range_is_explained_in_place_and_taken_back(explorer):
    control = explorer.deck.lever((THERAPY, "weeks"))
    before = control.value
    control.value = 500.0
    assert 'role="alert"' in explorer.message.value
    assert "weeks" in explorer.message.value
    assert control.value == before
    assert explorer.exploration.scenario is explorer.exploration.start
    control.value = 7.0
    assert explorer.message.value == ""


def test_an_unexpected_failure_is_named_without_a_traceback(explorer, monkeypatch):
    def broken(*_):
        raise RuntimeError("no <numbers>")

    monkeypatch.setattr(views, "project", broken)
    explorer.deck.lever(("coordination",)).value = 0.7
    assert "RuntimeError: no &lt;numbers&gt;" in explorer.message.value
    assert "Traceback" not in explorer.message.value
    explorer.sharing.export.click()
    assert "full run" in explorer.message.value


def test_evidence_is_shown_when_it_is_asked_for(explorer):
    control = explorer.deck.lever(("prescribing", "opioid_start"))
    control._handle_custom_msg({"event": "evidence"}, [])
    assert "doi:" in explorer.evidence.value or "PMID" in explorer.evidence.value
    name = injections()[1]
    explorer.deck.injection.value = name
    explorer._tell(treatment_evidence(name))
    assert catalog.treatments()[name].label in explorer.evidence.value


def test_evidence_goes_with_the_page_it_was_asked_on_and_with_escape(explorer):
    control = explorer.deck.lever(("prescribing", "opioid_start"))
    control._handle_custom_msg({"event": "evidence"}, [])
    explorer.deck.tabs.value = "cycle"
    assert explorer.evidence.value == ""
    control._handle_custom_msg({"event": "evidence"}, [])
    assert explorer.evidence.value
    control._handle_custom_msg({"event": "dismiss"}, [])
    assert explorer.evidence.value == ""


def in_a_folder(explorer):
    explorer.sharing.kind.value = "folder"
    explorer.sharing.export.click()


def test_two_exports_give_two_folders_and_nothing_is_overwritten(explorer, tmp_path):
    in_a_folder(explorer)
    first = tmp_path / "exports" / "plain-1"
    names = {path.name for path in first.iterdir()}
    assert names == {"weekly.csv", "weekly.parquet", "provenance.json", "scenario.toml", "demand.svg", "demand.png", "slide.pptx"}
    assert "plain-1" in explorer.message.value
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    explorer.deck.lever(("coordination",)).value = 0.95
    explorer.reset.click()
    in_a_folder(explorer)
    assert "plain-2" in explorer.message.value
    assert {path.name: path.read_bytes() for path in first.iterdir()} == kept


def test_an_export_can_be_opened_again(explorer, tmp_path):
    explorer.deck.lever(("coordination",)).value = 0.95
    in_a_folder(explorer)
    folder = tmp_path / "exports" / "plain-changed-1"
    assert Scenario.load(folder / "scenario.toml") == explorer.exploration.scenario
    assert pl.read_parquet(folder / "weekly.parquet").equals(explorer.projection.weekly)


def test_an_export_that_cannot_be_written_is_explained_in_place(explorer, tmp_path):
    (tmp_path / "exports").write_text("a file")
    in_a_folder(explorer)
    assert 'role="alert"' in explorer.message.value
    assert "exports" in explorer.message.value


def test_an_unknown_scenario_is_refused_before_anything_is_shown():
    with pytest.raises(InputError, match="early-pt"):
        painlab.explore("early-ptt")


def test_hurried_moves_in_a_notebook_end_with_the_last(plain, monkeypatch):
    monkeypatch.setattr(views, "FULL", Size(40, 6))
    monkeypatch.setattr(views, "PREVIEW", Size(20, 2))

    async def scene():
        explorer = painlab.explore(plain)
        assert explorer.projection is None
        assert explorer.chart.headline == views.PREPARING
        finished = []
        show = explorer._show_in_full
        monkeypatch.setattr(explorer, "_show_in_full", lambda projection: (show(projection), finished.append(projection.scenario)))
        for value in (0.0, 0.25, 0.5, 0.75, 1.0):
            explorer.deck.lever(("coordination",)).value = value
            await asyncio.sleep(0.002)
        while not (finished and finished[-1].care.coordination == 1.0):
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        explorer.close()
        return explorer, finished

    explorer, finished = asyncio.run(scene())
    assert explorer.projection.scenario.care.coordination == 1.0
    assert finished[-1] == explorer.exploration.scenario
    assert explorer.message.value == ""


def test_the_chart_is_told_ahead_what_the_next_moves_of_a_lever_would_show(plain, monkeypatch):
    monkeypatch.setattr(views, "FULL", Size(20, 2))
    monkeypatch.setattr(views, "PREVIEW", Size(20, 1))

    async def scene():
        explorer = painlab.explore(plain)
        told = []
        monkeypatch.setattr(explorer.chart, "send", lambda content, buffers: told.append((content, buffers)))
        control = explorer.deck.lever(("coordination",))
        while explorer.projection is None:
            await asyncio.sleep(0.005)
        start = control.value
        control._handle_custom_msg({"event": "held"}, [])  # as when the keyboard comes to it
        while len(told) < 4:
            await asyncio.sleep(0.005)
        at_focus = list(told)
        told.clear()
        control._handle_custom_msg({"event": "held"}, [])  # and again, after something else was touched: a browser has forgotten
        while len(told) < 4:
            await asyncio.sleep(0.005)
        assert told == at_focus
        control.value = at_focus[1][0]["value"]
        moved = list(explorer.chart.moved), columns(explorer, "scenario")
        explorer.close()
        return control, start, at_focus, moved

    control, start, told, moved = asyncio.run(scene())
    assert [content["ahead"] for content, _ in told] == [control.name] * 4
    assert [content["anew"] for content, _ in told] == [True, False, False, False]
    steps = [round((content["value"] - start) / control.step) for content, _ in told]
    assert steps == [1, 2, -1, 3]
    (content, buffers) = told[1]
    assert moved == ([control.name, content["value"]], buffers[content["tables"]["weekly"]["scenario"]])


def test_the_evidence_of_a_lever_says_how_good_it_is(explorer):
    control = explorer.deck.lever(("prescribing", "start_dose"))
    control._handle_custom_msg({"event": "evidence"}, [])
    assert "Guy 2017" in explorer.evidence.value
    assert "(counts, read in a summary)" in explorer.evidence.value
    assert "assumption" in controls.record(("taper", "offer")).source
    explorer.deck.lever(("taper", "offer"))._handle_custom_msg({"event": "evidence"}, [])
    assert "assumption" in explorer.evidence.value.lower()


def test_a_lever_at_its_end_has_no_further_moves_ahead(explorer):
    control = explorer.deck.lever(("coordination",))
    control.value = control.high
    assert [move.value for move in explorer.deck.likely()] == [control.high - control.step]
    assert explorer.deck.moved_in(explorer.exploration.start) == [
        control.name,
        explorer.exploration.value(("coordination",), explorer.exploration.start),
    ]
    explorer.deck.exploration.order(THERAPY, False)
    explorer.deck.lever((THERAPY, "weeks"))
    explorer.deck._take((THERAPY, "weeks"))
    assert list(explorer.deck.likely()) == []  # nothing to move in a treatment that is not ordered
