"""Instructor's versions of the lessons: every answer is in them, none in the students' notebooks."""

import functools
import json
import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from click.testing import CliRunner, Result

from painlab import instructor, lessons, simulation
from painlab.cli import main
from painlab.errors import InputError

OUTLINES = lessons.shipped()
STEMS = [one.stem for one in OUTLINES]
WITH_ALL_KINDS = """
title = "A try"
question = "What is it about?"
minutes = 20
objectives = ["say it"]
against = ["T07-02"]
against_words = "Look at trials."
reading = ["T07-01"]

[facilitator]
before = "Ask who has had an injection."
after = "Draw out that relief wanes."
misconceptions = ["It heals."]

[[explorers]]
id = "bridge"
scenario = "injection-alone"
view = "difference"
try = "Move it."

[[predictions]]
id = "relief"
ask = "How much lower is pain?"
unit = "points of 10"
low = -3.0
high = 1.0
step = 0.1
truth = { scenario = "injection-alone", outcome = "pain", week = 4, of = "difference" }
close = 0.3
reveal = "It was {truth}, and you said {guess}."
note = "Ask for reasons first."

[[exercises]]
id = "stop"
kind = "choice"
ask = "What heals?"
options = ["Time", "A needle"]
answer = 0
why = "Most of it goes by itself."
hint = "Look at the gray line."

[[exercises]]
id = "level"
kind = "number"
ask = "Pain at the end?"
truth = { scenario = "injection-alone", outcome = "pain", week = 104, of = "scenario" }
close = 0.2
unit = "points of 10"
why = "It is read from the chart."

[[exercises]]
id = "plan"
kind = "plan"
ask = "Lower demand without more pain."
why = "Several plans do."

[exercises.goal]
explorer = "bridge"
outcome = "mme_per_1000"
week = 104
of = "percent"
at_most = -5.0
and_outcome = "pain"
and_at_most = 0.0
"""


@pytest.fixture
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of few patients: the figures mean nothing here."""
    monkeypatch.setattr(lessons, "simulate", functools.partial(simulation.simulate, patients=20, draws=3))
    monkeypatch.setattr(lessons, "_runs", type(lessons._runs)())


@pytest.fixture
def outline(tmp_path: Path) -> Any:
    path = tmp_path / "44_a_try.toml"
    path.write_text(WITH_ALL_KINDS, encoding="utf-8")
    return lessons.load(path)


def student(*sources: str) -> dict[str, Any]:
    """A notebook with these code cells, each with an output that must not stay."""
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# A try"), *(nbformat.v4.new_code_cell(source) for source in sources)],
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}},
    )
    for cell in made.cells[1:]:
        cell.outputs, cell.execution_count = [nbformat.v4.new_output("stream", text="out")], 3
    return json.loads(nbformat.writes(made))


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def added(notebook: dict[str, Any]) -> list[str]:
    return [source(cell) for cell in notebook["cells"] if instructor.TAG in cell["metadata"].get("tags", [])]


def said(*words: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "110"}).invoke(main, [str(word) for word in words])


def test_answers_stand_right_below_what_is_asked(small_runs: None, outline: Any) -> None:
    given = student('lesson.predict("relief")', 'lesson.explore("bridge")', "lesson.exercise('stop')")
    made = instructor.notebook(outline, given)
    nbformat.validate(nbformat.from_dict(made))
    texts = [source(cell) for cell in made["cells"]]
    assert "`relief`" in texts[texts.index('lesson.predict("relief")') + 1]
    assert "option 1, “Time”" in texts[texts.index("lesson.exercise('stop')") + 1]
    assert texts[texts.index('lesson.explore("bridge")') + 1] == "lesson.exercise('stop')"
    assert all(text.startswith(f"> **{instructor.MARK}**") for text in added(made))
    assert [cell for cell in made["cells"] if cell["cell_type"] == "code" and (cell["outputs"] or cell["execution_count"])] == []


def test_the_student_s_cells_stay_as_they_are_and_in_their_order(small_runs: None, outline: Any) -> None:
    given = student('lesson.predict("relief")', "1 + 1")
    made = instructor.notebook(outline, given)
    kept = [source(cell) for cell in made["cells"] if instructor.TAG not in cell["metadata"].get("tags", [])]
    assert kept == [source(cell) for cell in given["cells"]]
    assert len({cell["id"] for cell in made["cells"]}) == len(made["cells"])


def test_what_the_notebook_does_not_ask_stands_at_its_end(small_runs: None, outline: Any) -> None:
    made = added(instructor.notebook(outline, student("1 + 1")))
    assert "not asked in the notebook" in made[1]
    assert [re.findall("`([a-z]+)`$", text.splitlines()[0])[0] for text in made[2:6]] == ["relief", "stop", "level", "plan"]
    assert "Draw out that relief wanes." in made[-1] and "It heals." in made[0] and "seed 1" in made[0]


def test_figures_are_those_of_the_run_that_students_see(small_runs: None, outline: Any) -> None:
    by_id = {one.id: one for one in instructor.answers(outline)}
    relief = outline.predictions[0]
    found = lessons.truth(relief.truth)
    assert by_id["relief"].answer.startswith(f"{lessons.say(relief, found.mean)} points of 10 (likely {lessons.say(relief, found.low)} to")
    assert lessons.judge(relief, 0.0).truth == found
    assert f"It was {lessons.say(relief, found.mean)}, and you said (the guess)." in by_id["relief"].notes[2]
    assert by_id["plan"].answer.startswith("any plan with opioid demand") and "at most" in by_id["plan"].answer
    assert by_id["plan"].notes[0].startswith("The explorer “bridge” starts with opioid demand")


@pytest.mark.parametrize("outline", OUTLINES, ids=STEMS)
def test_an_instructor_s_version_is_a_valid_notebook_with_every_answer(small_runs: None, outline: Any) -> None:
    given = json.loads((instructor.notebooks_folder() / f"{outline.stem}.ipynb").read_text(encoding="utf-8"))
    found = instructor.answers(outline)
    made = instructor.notebook(outline, given, found)
    nbformat.validate(nbformat.from_dict(made))
    assert len({cell["id"] for cell in made["cells"]}) == len(made["cells"])
    whole = "\n".join(added(made))
    assert [one.id for one in found if f"**Answer**: {one.answer}" not in whole] == []
    assert len(found) == len(outline.predictions) + len(outline.exercises)
    assert "not asked in the notebook" not in whole


@pytest.mark.parametrize("outline", OUTLINES, ids=STEMS)
def test_a_student_s_notebook_holds_no_answer_and_no_note(outline: Any) -> None:
    text = (instructor.notebooks_folder() / f"{outline.stem}.ipynb").read_text(encoding="utf-8")
    cells = json.loads(text)["cells"]
    words = " ".join(" ".join(source(cell).split()) for cell in cells)
    notes = outline.facilitator
    secret = [notes.before, notes.after, *notes.misconceptions]
    secret += [part for one in outline.predictions for part in (*re.split(r"\{\w+\}", one.reveal), one.note)]
    secret += [part for one in outline.exercises for part in (one.why, one.hint, one.note)]
    secret += [one.options[one.answer] for one in outline.exercises if one.answer is not None]
    long = [" ".join(part.split()) for part in secret if len(part.split()) > 4]
    assert [part for part in long if part in words] == []
    assert instructor.MARK not in words and not any(instructor.TAG in cell["metadata"].get("tags", []) for cell in cells)


def test_every_lesson_has_a_notebook_and_every_notebook_a_lesson() -> None:
    assert sorted(path.stem for path in instructor.notebooks_folder().glob("*.ipynb")) == STEMS


def test_an_instructor_s_version_runs_to_its_end(small_runs: None, tmp_path: Path) -> None:
    made = instructor.write(tmp_path / "out", ["01"])
    notebook = nbformat.read(made[0], as_version=4)
    ran = nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": tmp_path}}).execute()
    outputs = [output for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]


def test_the_command_writes_notebooks_whose_links_resolve_and_a_page_of_answers(small_runs: None, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    done = said("lessons", "00", "01", "--instructor", "-o", folder)
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in folder.iterdir()) == ["00_welcome_instructor.ipynb", "01_the_cycle_instructor.ipynb", "answers.md"]
    assert "2 of the instructor's notebooks" in " ".join(done.stdout.split())
    for path in folder.glob("*.ipynb"):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            targets = re.findall(r"\]\(([^)#:\s]+)\)", source(cell)) if cell["cell_type"] == "markdown" else []
            assert [target for target in targets if not (folder / target).exists()] == []
    page = (folder / "answers.md").read_text(encoding="utf-8")
    assert page.count("\n## ") == 2 and len(page.splitlines()) > 10


def test_the_command_lists_the_lessons() -> None:
    rows = json.loads(said("lessons", "--json").stdout)
    assert [row["stem"] for row in rows] == STEMS and set(rows[0]) == {"number", "stem", "title", "question", "minutes"}
    shown = " ".join(said("lessons").stdout.split())
    assert all(row["title"] in shown for row in rows)
    assert [row["number"] for row in json.loads(said("lessons", "01", "--json").stdout)] == ["01"]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--instructor",), "--instructor is given without a folder"),
        (("-o", "out"), "a folder is given, but nothing to write into it"),
        (("--force",), "--force is given, but nothing is written"),
        (("99",), "99"),
    ],
)
def test_words_that_do_not_fit_together_are_refused(words: tuple[str, ...], problem: str) -> None:
    ended = said("lessons", *words)
    assert ended.exit_code == 2 and problem in " ".join(ended.stderr.split())


def test_a_folder_with_files_is_left_alone_unless_forced(small_runs: None, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    refused = said("lessons", "00", "--instructor", "-o", tmp_path)
    assert refused.exit_code == 2 and "not empty" in refused.stderr
    assert said("lessons", "00", "--instructor", "-o", tmp_path, "--force").exit_code == 0
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"


def test_the_students_folder_is_refused(small_runs: None) -> None:
    with pytest.raises(InputError, match="students' folder"):
        instructor.write(instructor.notebooks_folder(), ["00"], force=True)
