"""What the documents say is true of the code and the data."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from painlab import care, dynamics
from painlab.evidence import estimates
from painlab.plan import SECTIONS, TreatmentOrder, levers
from painlab.population import Arrivals, Population
from painlab.tables import data_folder

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/model.md", "docs/follow-a-number.md", "data/README.md")


def test_the_tour_of_the_readme_runs(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1
    exec(compile(blocks[0], "README.md", "exec"), {})
    assert "Physical therapy is ordered in week 12 instead of 0." in capsys.readouterr().out


def test_the_commands_of_the_readme_exist(root: Path) -> None:
    commands = import_module("painlab.cli").main.commands
    used = re.findall(r"^painlab (\w+)", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert used and set(used) <= set(commands)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_between_documents_resolve(root: Path, name: str) -> None:
    page = root / name
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert "://" not in target and (page.parent / target).exists(), target


@pytest.mark.parametrize("module", [dynamics, care])
def test_every_equation_is_in_the_model_document(root: Path, module: object) -> None:
    text = (root / "docs/model.md").read_text(encoding="utf-8")
    equations = [name for name, one in vars(module).items() if hasattr(one, "py_func") and one.py_func.__module__ == module.__name__]
    assert len(equations) > 10
    assert [name for name in equations if f"`{name}`" not in text] == []


def test_each_place_that_the_number_passes_exists(root: Path) -> None:
    text = (root / "docs/follow-a-number.md").read_text(encoding="utf-8")
    places = re.findall(r"`(painlab(?:\.\w+)+)`", text)
    assert len(places) >= 9
    for place in places:
        module, _, name = place.rpartition(".")
        assert hasattr(import_module(module), name), place
    assert "stop_pain" in inspect.getsource(care.stop_chance.py_func)
    assert "care.stop_chance(" in (root / "src/painlab/engine/cohort.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["docs/model.md", "docs/follow-a-number.md", "notebooks/00_welcome.ipynb", "notebooks/01_the_cycle.ipynb"])
def test_evidence_that_is_cited_is_in_the_ledger(root: Path, name: str) -> None:
    cited = set(re.findall(r"T\d\d-\d\d[a-z]?", (root / name).read_text(encoding="utf-8")))
    assert cited and cited <= set(estimates()["id"])


def test_the_data_dictionary_names_every_file_and_every_key(root: Path) -> None:
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    for path in data_folder().rglob("*.*"):
        assert path.name in text or path.parent.name == "scenarios" or path.name == "README.md", path.name
    keys = [f"population.{name}" for name in Population.model_fields if name != "arrivals"]
    keys += [f"population.arrivals.{name}" for name in Arrivals.model_fields]
    keys += [f"care.{table}.{name}" for table, model in SECTIONS.items() for name in model.model_fields]
    keys += [f"care.TREATMENT.{name}" for name in TreatmentOrder.model_fields]
    assert [key for key in keys if f"| {key} |" not in text] == []
    for (table, *rest), lever in levers().items():
        if table in SECTIONS:
            assert f"| care.{table}.{rest[0]} | {lever.low:g} to {lever.high:g} | {lever.unit} |" in text
