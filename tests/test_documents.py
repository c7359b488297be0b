"""What the documents say is true of the code and the data."""

import inspect
import re
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from painlab import care, dynamics, parameters, validation
from painlab.arrivals import Arrivals
from painlab.care import PARAMETER_FIELDS
from painlab.catalog import UNCERTAIN, Condition, treatments
from painlab.evidence import estimates
from painlab.orders import TreatmentOrder
from painlab.parameters import LINKS
from painlab.plan import SECTIONS, levers
from painlab.population import Population
from painlab.tables import data_folder
from painlab.trials import KINDS, MEASURES, Among, Published, Trial, read, shipped

DOCUMENTS = (
    "README.md", "CONTRIBUTING.md", "docs/model.md", "docs/what-painlab-can-tell.md", "docs/follow-a-number.md", "data/README.md",
    "docs/gallery.md",
    *sorted(f"docs/how-to/{path.name}" for path in (Path(__file__).parents[1] / "docs/how-to").glob("*.md")),
)  # fmt: skip
EVIDENCE = re.compile(r"T\d\d-\d\d[a-z]?")
ODD = (
    "Purpose and patterns", "Entities, state variables, and scales", "Process overview and scheduling", "Design concepts",
    "Basic principles", "Emergence", "Adaptation", "Objectives", "Learning", "Prediction", "Sensing", "Interaction", "Stochasticity",
    "Collectives", "Observation", "Initialization", "Input data", "Submodels",
)  # fmt: skip
"""Elements and design concepts of the protocol (Grimm 2020)."""


def rows_with(root: Path, column: str) -> list[list[str]]:
    """Rows of the tables of docs/model.md that have a column of this name."""
    rows, inside = [], False
    for line in (root / "docs/model.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        inside = column in cells or (inside and bool(cells))
        if inside and column not in cells and set(cells) != {"---"}:
            rows.append(cells)
    return rows


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
def test_every_equation_is_in_the_model_document(root: Path, module: ModuleType) -> None:
    text = (root / "docs/model.md").read_text(encoding="utf-8")
    own = {name: one for name, one in vars(module).items() if hasattr(one, "py_func") and one.py_func.__module__ == module.__name__}
    equations = [name for name in own if not name.startswith("_")]
    assert len(equations) > 10
    assert [name for name in equations if f"| `{module.__name__.rpartition('.')[2]}.{name}` |" not in text] == []


def test_the_model_document_has_the_elements_of_odd_in_their_order(root: Path) -> None:
    headings = re.findall(r"^##+ (?:\d\. )?(.*)$", (root / "docs/model.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [one for one in headings if one in ODD] == list(ODD)


def test_each_equation_names_its_coefficients_and_all_evidence_that_they_cite(root: Path) -> None:
    by_symbol = {one.symbol: one for one in parameters.records().values() if one.symbol}
    columns = {*Condition._fields, *(field.name.lower() for field in PARAMETER_FIELDS)}
    used = set()
    for what, _, coefficients, source in rows_with(root, "coefficients"):
        names = set(re.findall(r"`([^`]+)`", coefficients))
        assert names <= by_symbol.keys() | columns, what
        cited = {one for name in names & by_symbol.keys() for one in EVIDENCE.findall(by_symbol[name].source)}
        assert cited <= set(EVIDENCE.findall(source)), what
        if any(by_symbol[name].source.startswith("assumption") for name in names & by_symbol.keys()):
            assert "assumption" in source or "by treatment" in source, what
        used |= names
    assert by_symbol.keys() <= used


def test_each_treatment_in_the_model_document_has_the_evidence_of_its_row(root: Path) -> None:
    found = {name.strip("`"): set(EVIDENCE.findall(cited)) for name, _, cited in rows_with(root, "evidence of its row")}
    assert found == {
        name: {id for key, one in parameters.records().items() if key.startswith(f"{name}.") for id in EVIDENCE.findall(one.source)}
        for name in treatments()
    }


def test_equations_are_typeset_so_that_markdown_leaves_them_alone(root: Path) -> None:
    text = re.sub(r"`[^`]*`", "", (root / "docs/model.md").read_text(encoding="utf-8"))
    assert all(line.count("$") % 2 == 0 for line in text.splitlines())  # none runs over the end of a line
    equations = re.findall(r"\$([^$]+)\$", text)
    assert len(equations) > 60
    for one in equations:
        # GitHub takes a backslash before punctuation as its own, and a bar as the end of a table's cell
        assert one == one.strip() and "|" not in one and not re.search(r"\\[^A-Za-z]", one), one
        assert one.count("{") == one.count("}") and one.count("(") == one.count(")"), one


def test_the_model_document_counts_the_trials_that_calibrate(root: Path) -> None:
    assert f"`calibrate`, {len(shipped('calibrate'))} of them" in (root / "docs/model.md").read_text(encoding="utf-8").replace("\n", " ")


@pytest.mark.parametrize("name", ["docs/model.md", "docs/what-painlab-can-tell.md"])
def test_commands_that_the_pages_name_exist(root: Path, name: str) -> None:
    from painlab.cli import main

    said = re.findall(r"`painlab (\w+)([^`]*)`", (root / name).read_text(encoding="utf-8"))
    assert said
    for command, rest in said:
        options = {option for parameter in main.commands[command].params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", rest)) <= options, command


def test_the_plain_page_fits_two_screens_and_advises_no_patient(root: Path) -> None:
    text = (root / "docs/what-painlab-can-tell.md").read_text(encoding="utf-8")
    assert len(text.split()) <= 800
    assert "advises no individual patient" in text
    assert "$" not in text


def test_each_place_that_the_number_passes_exists(root: Path) -> None:
    text = (root / "docs/follow-a-number.md").read_text(encoding="utf-8")
    places = re.findall(r"`(painlab(?:\.\w+)+)`", text)
    assert len(places) >= 9
    for place in places:
        module, _, name = place.rpartition(".")
        assert hasattr(import_module(module), name), place
    assert "stop_pain" in inspect.getsource(care.stop_chance.py_func)
    assert "care.stop_chance(" in (root / "src/painlab/engine/prescribing.py").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["docs/model.md", "docs/follow-a-number.md", "notebooks/00_welcome.ipynb", "notebooks/01_the_cycle.ipynb"])
def test_evidence_that_is_cited_is_in_the_ledger(root: Path, name: str) -> None:
    cited = set(re.findall(r"T\d\d-\d\d[a-z]?", (root / name).read_text(encoding="utf-8")))
    assert cited and cited <= set(estimates()["id"])


def test_the_data_dictionary_names_every_file_and_every_key(root: Path) -> None:
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    for path in data_folder().rglob("*.*"):
        assert path.name in text or path.parent.name in ("lessons", "scenarios", "trials") or path.name == "README.md", path.name
    keys = [f"population.{name}" for name in Population.model_fields if name != "arrivals"]
    keys += [f"population.arrivals.{name}" for name in Arrivals.model_fields]
    keys += [f"care.{table}.{name}" for table, model in SECTIONS.items() for name in model.model_fields]
    keys += [f"care.TREATMENT.{name}" for name in TreatmentOrder.model_fields]
    assert [key for key in keys if f"| {key} |" not in text] == []
    for (table, *rest), lever in levers().items():
        if table in SECTIONS:
            assert f"| care.{table}.{rest[0]} | {lever.low:g} to {lever.high:g} | {lever.unit} |" in text


def test_the_data_dictionary_documents_every_key_kind_and_outcome_of_a_trial() -> None:
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    said = {name.strip() for row in re.findall(r"^\| ([^|]+) \|", text.partition("## trials/")[2], re.MULTILINE) for name in row.split(",")}
    assert {"like", "week", *Trial.model_fields, *Published.model_fields} - {"id"} <= said
    for kind, meaning in KINDS.items():
        assert f"| {kind} | {meaning} |" in text
    for name, measure in MEASURES.items():
        assert f"| {name} | {measure.unit} | {measure.meaning}{'; needs `threshold`' if measure.threshold else ''} |" in text
    assert set(Among.model_fields) <= set(re.findall(r"\w+", re.search(r"^\| among .*$", text, re.MULTILINE)[0]))
    assert set(LINKS) <= set(re.findall(r"\w+", text))


def test_the_data_dictionarys_example_of_trials_can_be_copied_and_run(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", (data_folder() / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    path = tmp_path / "my-trials.toml"
    path.write_text(example, encoding="utf-8")
    chosen = read(path)
    assert [trial.id for trial in chosen] == ["clinic-sciatica", "clinic-sciatica-function", "clinic-first-opioid"]
    found = validation.table(chosen, validation.predict(chosen, [parameters.values()], patients=50))
    assert found["predicted"].null_count() == 0
    assert found["published"].to_list() == pytest.approx([-1.1, 6.0, 18.0])


def test_the_data_dictionary_says_which_columns_of_a_condition_are_parameters() -> None:
    text = (data_folder() / "README.md").read_text(encoding="utf-8")
    after = text.partition("`condition.column`")[2].partition("\n## ")[0]
    assert set(UNCERTAIN) <= set(re.findall(r"\w+", after))
    assert not set(UNCERTAIN) & set(re.findall(r"\w+", text.partition("## conditions.toml")[2].partition("`condition.column`")[0]))
