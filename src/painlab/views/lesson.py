"""A lesson in a notebook: its opening, predictions before their reveal, preset explorers, exercises that check themselves, and the score.

The words and numbers come from the lesson's file (`painlab.lessons`) and from runs; here they become widgets.
"""

from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

import anywidget
import ipywidgets
import traitlets
from IPython.display import HTML, display

from painlab import evidence, lessons
from painlab.errors import InputError
from painlab.projection import Projection
from painlab.syllabus import Exercise, Explorer, Prediction
from painlab.views import explorer, guesses, ledger
from painlab.views.standing import Standing

_ASSETS: Final = Path(__file__).parent / "assets"
_BOX: Final = (
    '<section aria-label="{label}" style="border:1px solid var(--jp-border-color1,#bbb);border-left:5px solid #d55e00;border-radius:4px;'
    'max-width:62em;padding:4px 16px 8px"><p><strong>{label}</strong></p>{body}</section>'
)


class Lesson:
    """One lesson by its number ("04") or stem; raises InputError for one that is not there or whose file has a fault.

    What a learner has answered stays while the kernel runs, also when cells are run again; `anew=True` begins again.
    """

    def __init__(self, name: str | Path, *, anew: bool = False) -> None:
        self.outline = lessons.load(name)
        self.record = lessons.record(self.outline, anew=anew)
        self.explorers: dict[str, explorer.Explorer] = {}

    def opening(self) -> HTML:
        """Title, question, minutes and objectives."""
        one = self.outline
        able = "".join(f"<li>{escape(text)}</li>" for text in one.objectives)
        said = f"<p><strong>{escape(one.title)}: {escape(one.question)}</strong></p><p>About {one.minutes} minutes. Afterward you can</p>"
        return HTML(f"{said}<ul>{able}</ul>")

    def predict(self, id_: str) -> "PredictionBox":
        """A prediction: slider, exact entry, a button that records it, and one that reveals and scores it, which works only after."""
        return PredictionBox(self.outline.part("predictions", id_), self.record)

    def explore(self, id_: str) -> explorer.Explorer:
        """The explorer that is preset for this lesson; the words that say what to try are shown above it."""
        preset: Explorer = self.outline.part("explorers", id_)
        if id_ in self.explorers:  # the cell is run again: the one before would go on computing unseen
            self.explorers[id_].close()
        display(HTML(f"<p><strong>Try this:</strong> {escape(preset.tries)}</p>"))
        self.explorers[id_] = explorer.explore(preset.asked(), view=preset.view, groups=preset.groups, cut=preset.cut)
        return self.explorers[id_]

    def exercise(self, id_: str) -> "ExerciseBox":
        """An exercise that checks itself; one of kind `plan` checks what the explorer above it holds."""
        one: Exercise = self.outline.part("exercises", id_)
        return ExerciseBox(one, self.record, lambda: self.plan(one))

    def plan(self, exercise: Exercise) -> Projection:
        """The full run of the plan that an exercise is about. Raises InputError if there is none yet."""
        assert exercise.goal is not None
        shown = self.explorers.get(exercise.goal.explorer)
        if shown is None:
            raise InputError("the explorer of this exercise is not on the page", mend="Run its cell above, then check again.")
        done = shown.projection
        if done is None or done.scenario != shown.exploration.scenario:
            raise InputError(
                "the plan is still being worked out", mend="Wait until the explorer says how many draws it has run, then check."
            )
        return done

    def against(self) -> HTML:
        """The box that says what the evidence holds against the lesson's story."""
        body = f"<p>{escape(self.outline.against_words)}</p>{found(self.outline.against)}"
        return HTML(_BOX.format(label="What the evidence says against this", body=body))

    def reading(self) -> HTML:
        """The publications to read on, each once."""
        sources = dict(evidence.estimates().select("id", "source").iter_rows())
        titles = dict(evidence.sources().select("id", "title").iter_rows())
        keys = dict.fromkeys(sources[one] for one in self.outline.reading)
        cited = {key: evidence.citation(key) for key in keys}
        items = [f"{'' if titles[key] in one else escape(titles[key]) + '. '}<em>{escape(one)}</em>" for key, one in cited.items()]
        return HTML(f"<p><strong>Further reading</strong></p><ul>{''.join(f'<li>{one}</li>' for one in items)}</ul>")

    def score(self) -> "Score":
        """What the learner has so far in this lesson; it follows further answers."""
        return Score(self.record)


def found(ids: Sequence[str]) -> str:
    """Published findings as a list in HTML, each with its figure, what to know about it, its source and its id."""
    told = ((one, *map(escape, ledger.finding(one))) for one in ids)
    return f"<ul>{''.join(f'<li>{what}. <em>{source}</em> [{escape(one)}]</li>' for one, what, source in told)}</ul>"


class Question(anywidget.AnyWidget):
    """What is asked, with native inputs, buttons, and a place where what is said to an answer is read out.

    `pressed(event)` is called for a button, by the first of its pair in `buttons`. `off` are the events whose buttons do not work yet:
    they can still be reached and pressed, and then say why.
    """

    kind = traitlets.Enum(("prediction", "choice", "number", "plan")).tag(sync=True)
    badge = traitlets.Unicode().tag(sync=True)
    ask = traitlets.Unicode().tag(sync=True)
    hint = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    low = traitlets.Float().tag(sync=True)
    high = traitlets.Float().tag(sync=True)
    step = traitlets.Float(0.1).tag(sync=True)
    value = traitlets.Float(None, allow_none=True).tag(sync=True)
    buttons = traitlets.List(traitlets.List(traitlets.Unicode())).tag(sync=True)
    off = traitlets.List(traitlets.Unicode()).tag(sync=True)
    locked = traitlets.Bool(False).tag(sync=True)
    said = traitlets.Unicode().tag(sync=True)
    tone = traitlets.Enum(("told", "right", "off"), "told").tag(sync=True)

    _esm = _ASSETS / "question.js"
    _css = _ASSETS / "question.css"

    def __init__(self, pressed: Callable[[str], None], **given: Any) -> None:
        super().__init__(**given)
        self.on_msg(lambda _widget, content, _buffers: pressed(content.get("event", "")))

    def say(self, text: str, tone: str = "told") -> None:
        """Show words beneath the buttons; screen readers read them out."""
        with self.hold_sync():
            self.tone, self.said = tone, text


class _Told(ipywidgets.VBox):
    """Widgets of a lesson. Beside them stand their words, which are seen only where the widgets are not: in a saved notebook, say."""

    def __init__(self, children: Sequence[ipywidgets.Widget]) -> None:
        self._standing = Standing()
        super().__init__(children)
        self.add_class("painlab-lesson")

    def text(self) -> list[str]:
        """The words of the widgets as they are now."""
        return []

    def keep(self) -> None:
        """Bring the words beside the widgets up to date."""
        self._standing.show("".join(f"<p>{escape(one)}</p>" for one in self.text() if one))

    def _ipython_display_(self) -> None:
        self.keep()
        self._standing.display(self)


class _Box(_Told):
    """A question with room beneath it."""

    def __init__(self, question: Question) -> None:
        self.question = question
        super().__init__([question])

    def text(self) -> list[str]:
        asked = f"{self.question.badge}: {self.question.ask}"
        return [asked, *(f"- {one}" for one in self.question.options), *self.question.said.split("\n\n")]

    def _attempt(self, act: Callable[[], None]) -> None:
        """Do something for a button; what is wrong with the input is said in place."""
        try:
            act()
        except InputError as error:
            self.question.say(f"{error.problem[0].upper()}{error.problem[1:]}. {_sentence(error.expected, 'Expected')}{error.mend}".strip())
        except Exception as error:
            self.question.say(f"This did not work ({type(error).__name__}: {error}). Run the cell again.")
        self.keep()


class PredictionBox(_Box):
    """A prediction and, once it has been recorded and revealed, its score and a chart of the run."""

    def __init__(self, prediction: Prediction, record: lessons.Record) -> None:
        self.prediction, self.record, self._drawn = prediction, record, False
        guess = record.guesses.get(prediction.id)  # none at first: where a slider happens to stand is nobody's prediction
        hint = "Move the slider or enter a number, and record it; it need not be right. Then the model's answer can be revealed."
        super().__init__(
            Question(
                self.pressed,
                kind="prediction",
                badge="Predict",
                ask=prediction.ask,
                hint=hint,
                unit=prediction.unit,
                low=prediction.low,
                high=prediction.high,
                step=prediction.step,
                value=None if guess is None else round(guess, lessons.decimals(prediction.step)),
                buttons=[["record", "Record my prediction"], ["reveal", "Reveal"]],
            )
        )
        self._show()

    def pressed(self, event: str) -> None:
        """What a button does: `record` or `reveal`."""
        self._attempt({"record": self.note, "reveal": self.reveal}.get(event, lambda: None))

    def note(self) -> None:
        """Record the value that was set. Raises InputError as `Record.predict` does, also if there is none."""
        value = self.question.value
        self.record.predict(self.prediction.id, float("nan") if value is None else value)
        self._show()

    def reveal(self) -> None:
        """Score the recorded prediction and draw the run. Raises InputError if none is recorded."""
        if self.prediction.id in self.record.guesses and self.prediction.id not in self.record.verdicts:
            self.question.say("Running the model.")
        self.record.reveal(self.prediction.id)
        self._show()

    def _show(self) -> None:
        id_, unit = self.prediction.id, f" {self.prediction.unit}".rstrip()
        guess, verdict = self.record.guesses.get(id_), self.record.verdicts.get(id_)
        self.question.off = ["record"] if verdict else [] if guess is not None else ["reveal"]
        if verdict is not None and guess is not None:
            with self.question.hold_sync():
                self.question.locked, self.question.value = True, guess
                self.question.say(verdict.words, "right" if verdict.points else "off")
            if not self._drawn:
                self._drawn, self.children = True, [self.question, guesses.chart(self.prediction, guess)]
        elif guess is not None:
            said = f"Recorded: {lessons.say(self.prediction, guess)}{unit}."
            self.question.say(f"{said} You can still change it and record again. Press Reveal when you are ready.")


class ExerciseBox(_Box):
    """An exercise and a button that checks the answer; it may be tried again."""

    def __init__(self, exercise: Exercise, record: lessons.Record, plan: Callable[[], Projection]) -> None:
        self.exercise, self.record, self._plan = exercise, record, plan
        hints = {
            "choice": "Choose one, then check. You may try again.",
            "number": "Enter a number, then check. You may try again.",
            "plan": "Move the levers of the explorer above until its full run reaches the goal, then check. You may try again.",
        }
        button = "Check my plan" if exercise.kind == "plan" else "Check"
        super().__init__(
            Question(
                self.pressed,
                kind=exercise.kind,
                badge="Exercise",
                ask=exercise.ask,
                hint=hints[exercise.kind],
                unit=exercise.unit,
                options=[exercise.options[place] for place in exercise.order()],
                step=exercise.step,
                buttons=[["check", button]],
            )
        )
        if exercise.id in record.solved:
            self.question.say(record.solved[exercise.id].words, "right")
            self.question.value = None if exercise.answer is None else float(exercise.order().index(exercise.answer))

    def pressed(self, event: str) -> None:
        """What the button does: `check`."""
        self._attempt(self.check if event == "check" else lambda: None)

    def check(self) -> None:
        """Check the answer and say what there is to say. Raises InputError if there is none that can be checked."""
        value = self.question.value
        if self.exercise.kind == "plan":
            checked = self.record.answer(self.exercise.id, self._plan())
        else:
            shown = self.exercise.order()
            chosen = value is not None and self.exercise.kind == "choice" and int(value) in range(len(shown))
            given = float("nan") if value is None else shown[int(value)] if chosen else value
            checked = self.record.answer(self.exercise.id, given)
        self.question.say(checked.words, "right" if checked.right else "off")


class Score(_Told):
    """The points of a lesson in words, which follow further answers; screen readers read out a change."""

    def __init__(self, record: lessons.Record) -> None:
        self.record = record
        self.words = ipywidgets.HTML().add_class("painlab-score")
        super().__init__([self.words])
        record.told.append(self._show)
        self._show()

    def text(self) -> list[str]:
        """The score in words."""
        return [self.record.words()]

    def close(self) -> None:
        """Stop following the record and take the widget away."""
        if self._show in self.record.told:
            self.record.told.remove(self._show)
        super().close()

    def _show(self) -> None:
        self.words.value = f'<p role="status" aria-live="polite">{escape(self.record.words())}</p>'
        self.keep()


def _sentence(text: str, start: str) -> str:
    return f"{start} {text.rstrip('.')}. " if text else ""
