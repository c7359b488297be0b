"""Lessons: those that ship, what the model says to their questions, and what a learner has predicted and answered.

What a lesson's file may hold is in `syllabus`; widgets over this are in `views.lesson`.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import polars as pl

from painlab.errors import InputError
from painlab.narrative import horizon_averages, plain, signed
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.projection import Interval, Projection
from painlab.scenario import Scenario
from painlab.simulation import simulate
from painlab.syllabus import WHOLE_HORIZON, Exercise, Outline, Prediction, Truth, read
from painlab.tables import data_folder, nearest

CLOSE_POINTS: Final = 2
FAIR_POINTS: Final = 1
_RUNS_KEPT: Final = 64
_runs: OrderedDict[tuple[str, tuple[str, ...]], Projection] = OrderedDict()


def files() -> tuple[Path, ...]:
    """Files of the lessons that ship, in their order."""
    return tuple(sorted((data_folder() / "lessons").glob("*.toml")))


def load(name: str | Path) -> Outline:
    """One lesson by its number ("04"), its stem ("04_injections") or the path of a TOML file. Raises InputError."""
    text = str(name)
    path = Path(name) if text.endswith(".toml") else _shipped_path(text)
    return read(path)


def shipped() -> tuple[Outline, ...]:
    """The lessons that ship, in their order."""
    return tuple(read(path) for path in files())


def run(scenario: Scenario, cut: tuple[str, ...] = ()) -> Projection:
    """A projection as `simulate` gives by default; the same question is not run twice."""
    question = (scenario.fingerprint(), tuple(sorted(cut)))
    if question not in _runs:
        _runs[question] = simulate(scenario, cut=question[1])
    _runs.move_to_end(question)
    while len(_runs) > _RUNS_KEPT:
        _runs.popitem(last=False)
    return _runs[question]


def truth(of: Truth) -> Interval:
    """What the run says: mean and band. Without a band for `cut`, whose two runs share their draws but not their table."""
    projection = run(of.asked(), of.cut)
    if of.of != "cut":
        return measured(projection, of.outcome, of.week, of.of)
    whole = measured(run(of.asked()), of.outcome, of.week, "scenario")
    return Interval(measured(projection, of.outcome, of.week, "scenario").mean - whole.mean, None, None)


def measured(projection: Projection, outcome: str, week: int, of: str) -> Interval:
    """A value of a projection as in `Truth`; a percentage is of the baseline's mean. Raises InputError where there is none."""
    if week == WHOLE_HORIZON:
        rows = horizon_averages(projection.weekly) if projection.averages is None else projection.averages
        row = rows.filter(pl.col("outcome") == outcome)
    else:
        row = projection.outcome(outcome).filter(pl.col("week") == week)
    if row.is_empty():
        raise InputError(f"the run has no {outcome} in week {week}", expected=f"an outcome and a week of it, 0 to {projection.weeks}")
    arm = "difference" if of == "percent" else of
    found = Interval(*row.select(arm, f"{arm}_low", f"{arm}_high").row(0))
    if of != "percent":
        return found
    base = float(row["baseline"].item())
    if base == 0.0:
        raise InputError(f"the baseline has no {outcome} in week {week}", expected="a baseline above zero, to take a percentage of")
    return Interval(*(None if one is None else 100.0 * one / base for one in found))  # type: ignore[arg-type]


class Verdict(NamedTuple):
    """How near a guess came: its points, the run's figure, and both in words."""

    points: int
    truth: Interval
    words: str


def judge(prediction: Prediction, guess: float) -> Verdict:
    """Score a guess against the run: close to its mean 2 points, within its band 1, else none. Without a band, 1 within thrice `close`."""
    found = truth(prediction.truth)
    off, slack = abs(guess - found.mean), 1e-9
    unit = f" {prediction.unit}" if prediction.unit else ""
    band = "" if found.low is None else f" (likely {say(prediction, found.low)} to {say(prediction, found.high)})"
    said = f"You said {say(prediction, guess)}{unit}; the model's mean is {say(prediction, found.mean)}{unit}{band}."
    near = off <= 3.0 * prediction.close if found.low is None or found.high is None else found.low - slack <= guess <= found.high + slack
    if off <= prediction.close + slack:
        points, verdict = CLOSE_POINTS, "Close: 2 points."
    elif near:
        points, verdict = FAIR_POINTS, f"{'Not far off' if found.low is None else 'Inside the band'}: 1 point."
    else:
        points, verdict = (
            0,
            "Further off, so no points here. A surprise is worth a look: what does the model count that you did not?",
        )
    names = {"truth": found.mean, "low": found.low, "high": found.high, "guess": guess}
    filled = prediction.reveal.format(
        **{key: say(prediction, one) for key, one in names.items()}, size=plain(abs(found.mean), decimals(prediction.step))
    )
    return Verdict(points, found, f"{verdict} {said}\n\n{filled}")


def decimals(step: float) -> int:
    """Decimals that a step needs, at most three.

    >>> decimals(5), decimals(0.1), decimals(0.25)
    (0, 1, 2)
    """
    return next((digits for digits in range(3) if math.isclose(step, round(step, digits))), 3)


def say(asked: Prediction | Exercise, value: float | None) -> str:
    """A value with the decimals of the question's step, with its sign where it is a difference."""
    if value is None:
        return "no band"
    signs = asked.truth is not None and asked.truth.of not in ("scenario", "baseline")
    return (signed if signs else plain)(value, decimals(asked.step))


class Checked(NamedTuple):
    """Whether an answer is right, and what is said to it."""

    right: bool
    words: str


def check(exercise: Exercise, given: int | float | Projection) -> Checked:
    """Check an answer: the place of an option, a number, or the projection of a plan. Raises InputError for one that is none of these."""
    if isinstance(given, Projection) != (exercise.kind == "plan"):
        raise InputError("the answer does not fit the exercise", expected={"plan": "a projection"}.get(exercise.kind, "a number"))
    if isinstance(given, Projection):
        assert exercise.goal is not None
        if given.scenario.assume and given.scenario.assume.values:
            return Checked(
                False, "Not yet. Your plan changes what the model assumes. Put the assumptions back and change the care instead."
            )
        parts = [_reached(given, *part) for part in exercise.goal.parts()]
        right, said = all(met for met, _ in parts), f"Your plan: {'; '.join(words for _, words in parts)}."
    elif exercise.kind == "choice":
        if given not in range(len(exercise.options)):
            raise InputError("no option is chosen", expected="one of the options", mend="Choose one, then check.")
        right, said = given == exercise.answer, ""
    else:
        assert exercise.truth is not None and exercise.close is not None
        _finite(given)
        right = abs(given - truth(exercise.truth).mean) <= exercise.close + 1e-9
        said = f"The run says {say(exercise, truth(exercise.truth).mean)} {exercise.unit}".rstrip() + "." if right else ""
    words = f"That is right. {said} {exercise.why}" if right else f"Not yet. {said} {exercise.hint or 'Try again.'}"
    return Checked(right, " ".join(words.split()))


def _reached(projection: Projection, name: str, week: int, of: str, most: float | None, least: float | None) -> tuple[bool, str]:
    """Whether a plan keeps one limit, and that in words."""
    value, outcome = measured(projection, name, week, of).mean, BY_NAME[name]
    number = (plain if of == "scenario" else signed)(value, 1 if of == "percent" else outcome.digits)
    unit = "%" if of == "percent" else spoken_unit(outcome.unit)
    unit += "" if of == "scenario" else " against the baseline"
    when = "on average" if week == WHOLE_HORIZON else f"in week {week}"
    asked = " and ".join(f"at {word} {limit:g}" for word, limit in (("most", most), ("least", least)) if limit is not None)
    met = (most is None or value <= most) and (least is None or value >= least)
    return met, f"{outcome.label.lower()} {when} {number} {unit} (asked: {asked}, {'reached' if met else 'not reached'})"


class Record:
    """What a learner has predicted and answered in one lesson; `told` are called after each change.

    A prediction is recorded before it can be revealed, and stays as it is once it has been.
    """

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.guesses: dict[str, float] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.tries: dict[str, int] = {}
        self.solved: dict[str, Checked] = {}
        self.told: list[Callable[[], None]] = []

    def predict(self, id_: str, guess: float) -> None:
        """Record a prediction, or another in its place. Raises InputError outside the range, or once it has been revealed."""
        prediction: Prediction = self.outline.part("predictions", id_)
        if id_ in self.verdicts:
            raise InputError("the answer has been shown, so the prediction stays as it was", expected="a prediction before the reveal")
        if not prediction.low <= _finite(guess) <= prediction.high:
            limits = f"a number from {prediction.low:g} to {prediction.high:g}"
            raise InputError(f"the prediction is {guess:g}", expected=limits, mend="Change it, then record it.")
        self.guesses[id_] = float(guess)
        self._tell()

    def reveal(self, id_: str) -> Verdict:
        """Score a recorded prediction against the run. Raises InputError if none is recorded."""
        prediction: Prediction = self.outline.part("predictions", id_)
        if id_ not in self.guesses:
            raise InputError(
                "there is no prediction yet", expected="a recorded prediction", mend="Record yours first; it need not be right."
            )
        if id_ not in self.verdicts:
            self.verdicts[id_] = judge(prediction, self.guesses[id_])
            self._tell()
        return self.verdicts[id_]

    def answer(self, id_: str, given: int | float | Projection) -> Checked:
        """Check an answer and count the try. Raises InputError for one that cannot be checked, and does not count it."""
        checked = check(self.outline.part("exercises", id_), given)
        if id_ not in self.solved:
            self.tries[id_] = self.tries.get(id_, 0) + 1
            if checked.right:
                self.solved[id_] = checked
            self._tell()
        return checked

    def points(self) -> int:
        """Points so far: of predictions as `judge` gives them, of exercises 2 at the first try and 1 later."""
        at = {id_: CLOSE_POINTS if self.tries[id_] == 1 else FAIR_POINTS for id_ in self.solved}
        return sum(one.points for one in self.verdicts.values()) + sum(at.values())

    def possible(self) -> int:
        """Points that the whole lesson has."""
        return CLOSE_POINTS * (len(self.outline.predictions) + len(self.outline.exercises))

    def words(self) -> str:
        """The score in a sentence or two, and what is still open."""
        predictions, exercises = self.outline.predictions, self.outline.exercises
        done = f"{len(self.verdicts)} of {len(predictions)} predictions revealed, {len(self.solved)} of {len(exercises)} exercises solved"
        start = f"{self.points()} of {self.possible()} points so far: {done}."
        still = [f"prediction {one.id}" for one in predictions if one.id not in self.verdicts]
        still += [f"exercise {one.id}" for one in exercises if one.id not in self.solved]
        if still:
            return f"{start} Still open: {', '.join(still)}."
        return f"{start} You have done all of this lesson. Points tell how near your guesses were to the model, not how right the model is."

    def _tell(self) -> None:
        for told in self.told:
            told()


_records: dict[str, Record] = {}


def record(outline: Outline, *, anew: bool = False) -> Record:
    """The learner's record of a lesson in this session, so that a cell that is run again forgets nothing; `anew` starts another."""
    kept = _records.get(outline.stem)
    if anew or kept is None or kept.outline != outline:
        kept = _records[outline.stem] = Record(outline)
    return kept


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError("no number is entered", expected="a number", mend="Enter one, then press the button.")
    return float(value)


def _shipped_path(name: str) -> Path:
    known = {path.stem: path for path in files()}
    numbers = {stem.partition("_")[0]: path for stem, path in known.items()}
    path = known.get(name) or numbers.get(name.zfill(2))
    if path is None:
        raise InputError(
            f'there is no lesson "{name}"{nearest(name, known)}',
            expected=f"a number such as 04, or one of {', '.join(known)}",
            mend="Choose one of them, or name a file that ends in .toml.",
        )
    return path
