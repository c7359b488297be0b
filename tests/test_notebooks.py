"""The notebooks run from top to bottom, are short, and hold nothing that a run made."""

import re
import statistics
from collections import Counter
from pathlib import Path

import nbclient
import nbformat
import pytest

from painlab import lessons

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def sources(path: Path, kind: str) -> list[str]:
    return [cell.source for cell in read(path).cells if cell.cell_type == kind]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end_without_an_error(path, tmp_path):
    notebook = read(path)
    ran = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert [output for output in outputs if WIDGET in output.get("data", {})]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_as_its_author_wrote_it(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell.id for cell in cells if cell.outputs or cell.execution_count is not None or cell.metadata]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_more_words_than_code(path):
    lengths = [len(source.splitlines()) for source in sources(path, "code")]
    assert max(lengths) <= 15
    assert statistics.median(lengths) <= 5
    words = sum(len(source.split()) for source in sources(path, "markdown"))
    assert words > 2 * sum(len(source.split()) for source in sources(path, "code"))
    assert read(path).cells[0].cell_type == "markdown"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_figures_in_a_notebook_come_from_the_run_or_the_ledger(path):
    text = "\n".join(sources(path, "markdown"))
    assert not re.findall(r"\d+\.\d+|\d+ ?%", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_link_from_one_notebook_leads_to_another(path):
    linked = re.findall(r"\]\(([^)#]+\.ipynb)\)", "\n".join(sources(path, "markdown")))
    assert linked
    assert not [name for name in linked if not (path.parent / name).exists()]


def test_every_notebook_has_a_lesson_and_every_lesson_a_notebook():
    assert [path.stem for path in NOTEBOOKS] == [path.stem for path in lessons.files()]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_every_part_of_its_lesson_once_and_in_a_good_order(path):
    outline = lessons.load(path.stem)
    code = "\n".join(sources(path, "code"))
    assert re.findall(r'Lesson\("([^"]+)"\)', code) in ([path.stem[:2]], [path.stem])
    for call, parts in (("predict", outline.predictions), ("explore", outline.explorers), ("exercise", outline.exercises)):
        assert Counter(re.findall(rf'lesson\.{call}\("([^"]+)"\)', code)) == Counter(one.id for one in parts)
    whole = ["opening", "against", "reading", "score"]
    calls = re.findall(r"lesson\.(\w+)\(", code)
    assert [name for name in calls if name in whole] == whole
    for one in outline.exercises:
        if one.goal is not None:
            assert code.index(f'explore("{one.goal.explorer}")') < code.index(f'exercise("{one.id}")')


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_the_title_of_its_lesson(path):
    title = read(path).cells[0].source.splitlines()[0]
    assert lessons.load(path.stem).title.lower() in title.lower()
