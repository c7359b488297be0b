"""What `painlab app` serves and when it refuses; tests/browser/test_app.py visits it."""

import asyncio
import json
import re
import socket
import sys

import nbformat
import pytest
from click.testing import CliRunner

from painlab import app
from painlab.cli import main
from painlab.errors import InputError


def run(*words: str):
    return CliRunner().invoke(main, ["app", "--no-browser", *words])


def test_the_served_notebook_is_one_line_and_has_no_output():
    notebook = nbformat.read(app.NOTEBOOK, as_version=4)
    (cell,) = notebook.cells
    assert len(cell.source.splitlines()) == 1
    assert cell.source.endswith("app.page()")
    assert cell.outputs == []
    assert cell.execution_count is None


@pytest.mark.usefixtures("no_event_loop")
def test_the_page_shows_the_explorer_of_the_scenario_after_its_full_run(monkeypatch):
    monkeypatch.setenv(app.SCENARIO_VARIABLE, "late-pt")
    explorer = asyncio.run(app.page())
    assert explorer.projection.scenario.name == "late-pt"
    assert explorer.sentence.value
    explorer.close()


def test_the_template_refers_to_nothing_outside():
    for path in app.HERE.rglob("*"):
        if path.is_file() and path.suffix in (".j2", ".json", ".html", ".css"):
            assert not re.search(r"https?:|//[a-z]+\.", path.read_text(encoding="utf-8")), path


def test_the_template_builds_on_a_template_that_voila_has():
    template = json.loads((app.HERE / "share/voila/templates/painlab/conf.json").read_text(encoding="utf-8"))
    assert template == {"base_template": "lab"}


def test_a_taken_port_is_refused_with_what_to_do():
    with socket.socket() as other:
        other.bind((app.ADDRESS, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port} is taken"):
            app.free_port(port)
        refused = run("--port", str(port))
    assert refused.exit_code == 2
    assert f"port {port} is taken" in refused.output
    assert "choose another" in refused.output


def test_without_a_port_another_one_is_found_where_the_usual_is_taken(monkeypatch):
    with socket.socket() as other:
        other.bind((app.ADDRESS, 0))
        other.listen()
        monkeypatch.setattr(app, "PORT", other.getsockname()[1])
        assert app.free_port(None) not in (0, app.PORT)


def test_a_scenario_that_does_not_exist_is_refused_before_anything_is_served():
    refused = run("--scenario", "no-such-plan")
    assert refused.exit_code == 2
    assert "no-such-plan" in refused.output


def test_where_voila_is_missing_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "voila", None)
    monkeypatch.setitem(sys.modules, "voila.app", None)
    monkeypatch.setenv("JUPYTER_PATH", "")
    monkeypatch.setenv(app.SCENARIO_VARIABLE, "")
    refused = run("--port", "0")
    assert refused.exit_code == 2
    assert "needs Voila" in refused.output
    assert "pip install voila" in refused.output
