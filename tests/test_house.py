"""The house rules that a machine can check: one-way imports, short files, nothing that ties PainLab to one machine or to the network."""

import ast
import graphlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import painlab

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "painlab"
MODULES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# A file imports only from files above its own line; CONTRIBUTING.md says what each is for.
ORDER = [
    "errors",
    "tables",
    "numerics",
    "randomness",
    "evidence",
    "parameters",
    "outcomes",
    "dynamics",
    "care",
    "catalog",
    "fields",
    "orders",
    "plan",
    "arrivals",
    "population",
    "assumptions",
    "codes",
    "phrases",
    "scenario",
    "engine",
    "trials",
    "posterior",
    "validation",
    "calibration",
    "forecasting",
    "narrative",
    "projection",
    "simulation",
    "contrasts",
    "verdicts",
    "comparison",
    "lever_paths",
    "grids",
    "responses",
    "durable",
    "swept",
    "sweeps",
    "following",
    "estimate",
    "lives",
    "identification",
    "records",
    "analysis",
    "syllabus",
    "lessons",
    "instructor",
    "views",
    "talk",
    "installation",
    "app",
    "__init__",
    "cli",
    "__main__",
]


def module_name(path: Path) -> str:
    """`care` or `engine.cohort`; a package's own file counts as the package, and painlab's own as `__init__`."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


def statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below, except what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
            continue
        yield child
        yield from statements(child)


def imported(path: Path) -> set[str]:
    """Modules of painlab that a file imports anywhere in it, inside functions too."""
    names = {module_name(other) for other in MODULES}
    package = ["painlab", *path.relative_to(PACKAGE).parts[:-1]]
    found: set[str] = set()

    def add(dotted: str) -> None:
        if dotted == "painlab":
            found.add("__init__")
        elif dotted.startswith("painlab."):
            inner = dotted.removeprefix("painlab.")
            while inner not in names and "." in inner:
                inner = inner.rpartition(".")[0]
            found.add(inner if inner in names else "__init__")

    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                add(alias.name)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            for alias in node.names:
                if alias.name != "__version__":
                    add(f"{base}.{alias.name}")
    return found - {module_name(path)}


def room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_one_way(path):
    mine = room(module_name(path))
    assert mine in ORDER, f"{path.name} has no place in ORDER: give it one, here and in CONTRIBUTING.md"
    later = sorted(other for other in imported(path) if ORDER.index(room(other)) > ORDER.index(mine))
    assert mine == "__init__" or not later, f"{module_name(path)} imports {later}, which stand below it"


def test_files_of_one_package_do_not_import_each_other_in_a_circle():
    graph = {module_name(path): imported(path) for path in MODULES if module_name(path) != "__init__"}
    tuple(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_400_lines(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{lines} lines: what second thing has it begun to do?"


def test_no_module_is_a_drawer_for_odds_and_ends():
    drawers = {"common", "helper", "helpers", "misc", "tools", "util", "utils"}
    assert not drawers & {part for path in MODULES for part in module_name(path).split(".")}


def test_no_module_has_the_name_of_a_public_function():
    names = {module_name(path) for path in MODULES}
    assert painlab.__all__
    hidden = [name for name in painlab.__all__ if name in names and not inspect.ismodule(getattr(painlab, name))]
    assert not hidden, f"after a second import painlab.{hidden} would be the module"


def test_nothing_in_the_source_is_left_for_later():
    words = "TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"
    pattern = re.compile(rf"\b({'|'.join(words)})\b")
    assert not [path.name for path in MODULES if pattern.search(path.read_text(encoding="utf-8"))]


# In pieces, so that this file does not find itself.
THIS_MACHINE = re.compile(r"(?<![\w.])/(" + "|".join(("wo" + "rk", "ro" + "ot", "fa" + "rm")) + ")/")
REGISTRIES = [f"{name}.org" for name in ("pypi", "pythonhosted", "npmjs", "debian", "anaconda")]
CDNS = "js" + "delivr", "un" + "pkg", "cdn" + "js", "sky" + "pack", "esm" + ".sh", "google" + "apis.com"


def texts(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """Files that are text, with their text."""
    for path in paths:
        try:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def test_no_file_holds_a_path_of_the_machine_it_was_written_on(repository_files):
    assert not [str(path) for path, text in texts(repository_files) if THIS_MACHINE.search(text)]


def test_no_file_names_a_package_registry(repository_files):
    assert not [str(path) for path, text in texts(repository_files) if any(host in text for host in REGISTRIES)]


def test_nothing_is_fetched_from_a_content_delivery_network(repository_files):
    shown = [path for path in repository_files if path.relative_to(ROOT).parts[0] in {"src", "notebooks"}]
    assert shown
    assert not [str(path) for path, text in texts(shown) if any(host in text for host in CDNS)]


def code_cells(path: Path) -> list[dict]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_notebooks_ship():
    assert [path.name for path in NOTEBOOKS][:2] == ["00_welcome.ipynb", "01_the_cycle.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_hold_no_outputs(path):
    assert not [cell for cell in code_cells(path) if cell["outputs"] or cell["execution_count"] is not None]
    assert "widgets" not in json.loads(path.read_text(encoding="utf-8"))["metadata"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_cells_are_short_because_the_logic_lives_in_the_package(path):
    assert max(len("".join(cell["source"]).splitlines()) for cell in code_cells(path)) <= 15
