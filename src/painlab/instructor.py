"""Instructor's versions of the lessons: a student's notebook with facilitator's notes and answers between its cells.

They are made by a run and never kept beside the students' notebooks, so that answers cannot be handed out by mistake or grow stale.
"""

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final, NamedTuple

from painlab import lessons
from painlab.errors import InputError
from painlab.narrative import plain, signed
from painlab.outcomes import BY_NAME
from painlab.projection import Interval, check_folder
from painlab.syllabus import WHOLE_HORIZON, Exercise, Outline, Prediction, Truth
from painlab.tables import data_folder

TAG: Final = "instructor"
"""Tag of every cell that is not the student's."""
MARK: Final = "FOR THE INSTRUCTOR"
ENDING: Final = "_instructor"
ANSWERS: Final = "answers.md"
_ASKED: Final = re.compile(r"""\.(?:predict|exercise)\(\s*(["'])([a-z0-9_-]+)\1""")
_LINK: Final = re.compile(r"\]\(([^)#:\s]+)(#[^)\s]*)?\)")
_OF: Final = {
    "difference": "scenario less baseline",
    "percent": "scenario less baseline, as a percentage of the baseline",
    "scenario": "level under the scenario",
    "baseline": "level under the baseline",
    "cut": "the plan with the links cut less the same plan with the whole cycle",
}

Cell = dict[str, Any]


class Answer(NamedTuple):
    """What is asked in a lesson, and what the model or the lesson's author answers."""

    lesson: str
    id: str
    kind: str
    ask: str
    answer: str
    notes: tuple[str, ...]


def notebooks_folder() -> Path:
    """Folder of the students' notebooks: inside an installed package, or `notebooks/` beside `src/` in a checkout."""
    return data_folder().parent / "notebooks"


def chosen(names: Sequence[str] = ()) -> tuple[Outline, ...]:
    """Lessons by number or stem, in their order; all that ship where none is named. Raises InputError for an unknown one."""
    if not names:
        return lessons.shipped()
    wanted = {lessons.load(name).stem for name in names}
    return tuple(one for one in lessons.shipped() if one.stem in wanted)


def answers(outline: Outline) -> tuple[Answer, ...]:
    """Every prediction's and exercise's answer; figures come from runs of the model, of the size that students see."""
    predictions = (_of_prediction(outline, one) for one in outline.predictions)
    return *predictions, *(_of_exercise(outline, one) for one in outline.exercises)


def _of_prediction(outline: Outline, one: Prediction) -> Answer:
    found = lessons.truth(one.truth)
    ends = {"truth": found.mean, "low": found.low, "high": found.high}
    told = {name: lessons.say(one, value) for name, value in ends.items()}
    reveal = one.reveal.format(**told, guess="(the guess)", size=plain(abs(found.mean), lessons.decimals(one.step)))
    fair = "inside the band" if found.low is not None else "within three times that"
    notes = [
        f"What it is: {_words(one.truth)}.",
        f"Scored {lessons.CLOSE_POINTS} within {one.close:g} of the mean, {lessons.FAIR_POINTS} {fair}; "
        f"the scale goes from {one.low:g} to {one.high:g}.",
        f"Said after the answer: {reveal}",
    ]
    return Answer(outline.stem, one.id, "prediction", one.ask, _figure(one, found), (*notes, *_note(one.note)))


def _of_exercise(outline: Outline, one: Exercise) -> Answer:
    notes = [f"Said with the result: {one.why}", *([f"Said after a wrong answer: {one.hint}"] if one.hint else []), *_note(one.note)]
    if one.answer is not None:
        answer = f"option {one.answer + 1}, “{one.options[one.answer]}”"
    elif one.truth is not None:
        answer = _figure(one, lessons.truth(one.truth))
        notes.insert(0, f"What it is: {_words(one.truth)}. Taken as right within {one.close:g} of the mean.")
    else:
        answer, start = _goal(outline, one)
        notes.insert(0, start)
    return Answer(outline.stem, one.id, "exercise", one.ask, answer, tuple(notes))


def _goal(outline: Outline, one: Exercise) -> tuple[str, str]:
    """What a plan has to reach, and where its explorer starts."""
    assert one.goal is not None
    explorer = outline.part("explorers", one.goal.explorer)
    projection = lessons.run(explorer.asked(), explorer.cut)
    limits, starts = [], []
    for outcome, week, of, most, least in one.goal.parts():
        digits = 1 if of == "percent" else BY_NAME[outcome].digits
        number = plain if of == "scenario" else signed
        bounds = [f"at most {number(most, digits)}"] if most is not None else []
        bounds += [f"at least {number(least, digits)}"] if least is not None else []
        name = f"{BY_NAME[outcome].label.lower()} {_when(week)} ({_OF[of]}{'' if of == 'percent' else f', {BY_NAME[outcome].unit}'})"
        limits.append(f"{name} {' and '.join(bounds)}")
        starts.append(f"{name} {number(lessons.measured(projection, outcome, week, of).mean, digits)}")
    return f"any plan with {'; and '.join(limits)}", f"The explorer “{explorer.id}” starts with {'; '.join(starts)}."


def _note(text: str) -> tuple[str, ...]:
    return (f"Note: {text}",) if text else ()


def _figure(asked: Prediction | Exercise, found: Interval) -> str:
    """A figure of a run with its band and unit."""
    band = "" if found.low is None else f" (likely {lessons.say(asked, found.low)} to {lessons.say(asked, found.high)})"
    return f"{lessons.say(asked, found.mean)}{f' {asked.unit}' if asked.unit else ''}{band}"


def _words(of: Truth) -> str:
    changed = " with the lesson's changes" if of.change else ""
    links = f", links cut: {', '.join(of.cut)}" if of.cut else ""
    return f"{BY_NAME[of.outcome].label.lower()} {_when(of.week)}, {_OF[of.of]}; scenario `{of.scenario}`{changed}{links}"


def _when(week: int) -> str:
    return "as the mean over all weeks" if week == WHOLE_HORIZON else f"in week {week}"


def notebook(outline: Outline, student: dict[str, Any], found: Iterable[Answer] | None = None) -> dict[str, Any]:
    """A student's notebook with the instructor's cells between its own, which stay as they are, without outputs.

    `found` are the lesson's answers, where they are known already. What the notebook does not ask stands at its end.
    """
    left = {one.id: one for one in (answers(outline) if found is None else found)}
    cells = [_cell(0, _opening(outline))]
    for cell in student["cells"]:
        cells.append(_without_outputs(cell))
        if cell["cell_type"] != "code":
            continue
        asked = [match[2] for match in _ASKED.finditer("".join(cell["source"]))]
        for id_ in asked:
            if id_ in left:
                cells.append(_cell(len(cells), _told(left.pop(id_))))
    if left:
        cells.append(_cell(len(cells), [f"**{MARK}**: in the lesson's file, but not asked in the notebook"]))
        cells += [_cell(len(cells) + number, _told(one)) for number, one in enumerate(left.values())]
    cells.append(_cell(len(cells), [f"**{MARK}**: what to draw out", outline.facilitator.after]))
    return {**student, "cells": cells}


def _opening(outline: Outline) -> list[str]:
    notes = outline.facilitator
    believed = [f"**What students often believe**:\n{_listed(notes.misconceptions)}"] if notes.misconceptions else []
    return [
        f"**{MARK}**: {outline.title}, about {outline.minutes} minutes",
        "*Do not hand this notebook out: it holds the answers. Cells like this one are not in the student's notebook.*",
        f"*Made by PainLab {metadata.version('painlab')}{_sizes(outline)}. When PainLab or its data change, make it anew with* "
        "`painlab lessons --instructor -o FOLDER`*.*",
        f"**The question**: {outline.question}",
        f"**Before**: {notes.before}",
        *believed,
    ]


def _sizes(outline: Outline) -> str:
    """The size of the runs behind the figures, taken from one of them: all are alike."""
    asked: list[Prediction | Exercise] = [*outline.predictions, *outline.exercises]
    truth = next((one.truth for one in asked if one.truth is not None), None)
    if truth is None:
        return ""
    run = lessons.run(truth.asked(), truth.cut)
    return f" from runs with {run.patients:,} patients in each of {run.draws:,} parameter draws ({run.kind}), seed {run.seed}"


def _told(one: Answer) -> list[str]:
    return [f"**{MARK}**: {one.kind} `{one.id}`", f"**Answer**: {one.answer}", _listed(one.notes)]


def _listed(texts: Iterable[str]) -> str:
    return "\n".join(f"- {' '.join(text.split())}" for text in texts)


def _cell(place: int, paragraphs: Iterable[str]) -> Cell:
    """A quoted markdown cell with the tag of the instructor."""
    lines = "\n\n".join(text.strip() for text in paragraphs).splitlines()
    quoted = "\n".join(f"> {line}".rstrip() for line in lines)
    return {"cell_type": "markdown", "id": f"{TAG}-{place:02d}", "metadata": {"tags": [TAG]}, "source": quoted.splitlines(keepends=True)}


def _without_outputs(cell: Cell) -> Cell:
    return {**cell, "outputs": [], "execution_count": None} if cell["cell_type"] == "code" else dict(cell)


def write(
    folder: str | Path, names: Sequence[str] = (), *, force: bool = False, progress: Callable[[int, int], None] | None = None
) -> tuple[Path, ...]:
    """Write the instructor's notebooks of these lessons (all where none is named) and `answers.md` into a folder.

    `progress` is told how many lessons are done, of how many. Returns the files. Raises InputError for an unknown lesson, for one without a
    notebook, and for a folder that cannot be written, that is not empty (unless `force`), or that is the students' own.
    """
    outlines = chosen(names)
    students = {one.stem: _student(one.stem) for one in outlines}
    target = check_folder(folder, force=force)
    if target.resolve() == notebooks_folder().resolve():
        raise InputError("this is the students' folder", where=str(target), expected="another folder", mend="Keep the answers elsewhere.")
    made: dict[str, str] = {}
    every: list[tuple[Outline, tuple[Answer, ...]]] = []
    for number, outline in enumerate(outlines):
        if progress:
            progress(number, len(outlines))
        found = answers(outline)
        every.append((outline, found))
        whole = notebook(outline, students[outline.stem], found)
        linked = {**whole, "cells": [_relinked(cell, target, set(students)) for cell in whole["cells"]]}
        made[f"{outline.stem}{ENDING}.ipynb"] = json.dumps(linked, indent=1, ensure_ascii=False) + "\n"
    made[ANSWERS] = sheet(every)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".unfinished-") as unfinished:
            for name, text in made.items():
                (Path(unfinished) / name).write_text(text, encoding="utf-8")
                (Path(unfinished) / name).replace(target / name)
    except OSError as error:
        raise InputError(f"cannot be written ({error.strerror})", where=str(target), mend="Name another folder.") from None
    if progress:
        progress(len(outlines), len(outlines))
    return tuple(target / name for name in made)


def _student(stem: str) -> dict[str, Any]:
    path = notebooks_folder() / f"{stem}.ipynb"
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    except OSError as error:
        raise InputError(f"the lesson's notebook cannot be read ({error.strerror})", where=str(path)) from None
    except ValueError as error:
        raise InputError(f"this is no notebook ({error})", where=str(path), mend="Get the file back.") from None


def _relinked(cell: Cell, folder: Path, stems: set[str]) -> Cell:
    """Links of a student's cell as they must be in another folder; to another lesson's instructor version where it is made too."""
    if cell["cell_type"] != "markdown":
        return cell
    home = notebooks_folder()

    def moved(match: re.Match[str]) -> str:
        path = Path(match[1])
        if path.suffix == ".ipynb" and path.stem in stems:
            return f"]({path.stem}{ENDING}.ipynb{match[2] or ''})"
        if not (home / path).exists():
            return match[0]
        try:
            return f"]({Path(os.path.relpath(home / path, folder.resolve())).as_posix()}{match[2] or ''})"
        except ValueError:  # another drive, on Windows
            return match[0]

    return {**cell, "source": _LINK.sub(moved, "".join(cell["source"])).splitlines(keepends=True)}


def sheet(every: Iterable[tuple[Outline, Iterable[Answer]]]) -> str:
    """All answers on a page to print, by lesson."""
    lines = ["# Answers", "", f"For the instructor only. Made by PainLab {metadata.version('painlab')}; figures come from a run.", ""]
    for outline, found in every:
        lines += [f"## {outline.stem[:2]} {outline.title}", "", outline.question, "", "| asked | answer |", "| :-- | :-- |"]
        lines += [f"| {_in_a_cell(one.ask)} | {_in_a_cell(one.answer)} |" for one in found]
        lines += [""]
    return "\n".join(lines)


def _in_a_cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
