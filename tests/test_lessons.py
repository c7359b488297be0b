"""Lessons: the files that ship, faults that are named, what the model says to their questions, and what a learner is told."""

import shutil
import tomllib

import pytest
import tomli_w

import painlab
from painlab import InputError, lessons, syllabus
from painlab.projection import Interval
from painlab.syllabus import Exercise, Goal, Prediction, Truth
from painlab.tables import data_folder

SHIPPED = [path.stem for path in lessons.files()]
GOAL = {"explorer": "habit", "outcome": "pain", "week": 4, "at_most": 0.0}
GAIN = {"scenario": "early-pt", "outcome": "pain", "week": 26, "of": "difference"}


def prediction(**changes) -> Prediction:
    given = {
        "id": "one", "ask": "By how much?", "unit": "points", "low": -3.0, "high": 3.0, "step": 0.1, "truth": GAIN, "close": 0.2,
        "reveal": "It is {truth}, from {low} to {high}; you said {guess}.",
    }  # fmt: skip
    return Prediction.model_validate(given | changes)


def exercise(**changes) -> Exercise:
    return Exercise.model_validate({"id": "two", "kind": "choice", "ask": "Which?", "why": "Because.", "hint": "Look again."} | changes)


@pytest.fixture
def at(monkeypatch):
    """Set what the model says: at(mean, low, high)."""
    return lambda *values: monkeypatch.setattr(lessons, "truth", lambda of: Interval(*values))


# The files that ship


@pytest.mark.parametrize("stem", SHIPPED)
def test_a_lesson_that_ships_is_whole(stem):
    outline = lessons.load(stem)
    assert outline.stem == stem
    assert outline.predictions
    assert outline.explorers
    assert outline.exercises
    assert outline == lessons.load(stem.partition("_")[0])


@pytest.mark.parametrize("stem", SHIPPED)
def test_the_answer_to_a_prediction_lies_on_its_slider(stem):
    for one in lessons.load(stem).predictions:
        found = lessons.truth(one.truth).mean
        assert one.low <= found <= one.high, (one.id, found)


def test_the_right_option_does_not_always_stand_in_the_same_place():
    choices = [one for outline in lessons.shipped() for one in outline.exercises if one.kind == "choice"]
    places = [one.order().index(one.answer) for one in choices]
    assert all(sorted(one.order()) == list(range(len(one.options))) for one in choices)
    assert max(places.count(place) for place in places) < 0.6 * len(places)


def test_a_lesson_is_found_by_number_stem_or_path(tmp_path):
    path = shutil.copy(data_folder() / "lessons" / "01_the_cycle.toml", tmp_path)
    assert lessons.load("1") == lessons.load("01_the_cycle") == lessons.load(path)
    with pytest.raises(InputError, match="01_the_cycle"):
        lessons.load("01_the_cicle")


# Faults in a file


def write(folder, change):
    """A copy of a lesson that ships, changed by a function of its tables."""
    tables = tomllib.loads((data_folder() / "lessons" / "02_opioids_alone.toml").read_text(encoding="utf-8"))
    change(tables)
    path = folder / "my.toml"
    path.write_text(tomli_w.dumps(tables), encoding="utf-8")
    return path


def put(*keys, value):
    def change(tables):
        for key in keys[:-1]:
            tables = tables[key]
        tables[keys[-1]] = value

    return change


FAULTS = {
    "a misspelt key": (put("minuts", value=3), ('"minuts"', 'did you mean "minutes"', "Correct the key")),
    "a key that is missing": (lambda tables: tables.pop("title"), ('"title" is missing', "key title", "Add it")),
    "a lesson that is too long": (put("minutes", value=90), ("90", "key minutes", "20 to 40")),
    "an unknown finding": (put("against", value=["T02-991"]), ('"T02-991"', "key against", "painlab evidence")),
    "no objective": (put("objectives", value=[]), ("key objectives", "a list of texts")),
    "a table that is no list": (put("explorers", value={"id": "x"}), ("explorers is no list", "[[explorers]]")),
    "an unknown scenario": (put("explorers", 0, "scenario", value="opioid-alone"), ('"trial"', "opioids-alone", "one of")),
    "a scenario that is a file": (put("explorers", 0, "scenario", value="a.toml"), ("is a file", "a scenario that ships")),
    "a change that the scenario refuses": (put("explorers", 0, "change", value={"weeks": 0}), ("0 is too small", "1 to 520")),
    "an unknown view": (put("explorers", 0, "view", value="map"), ("'map'", "key view", "'difference'")),
    "an unknown group": (put("explorers", 0, "groups", value=["stop"]), ('"stop"', "key groups", "taper")),
    "an unknown link": (put("explorers", 0, "cut", value=["weakness"]), ('"weakness"', "weakness_to_pain")),
    "an unknown outcome": (put("predictions", 2, "truth", "outcome", value="pian"), ('"habit-share"', "key truth", 'did you mean "pain"')),
    "a week after the end": (put("predictions", 2, "truth", "week", value=500), ("week 500", "0 to 104")),
    "a comparison that is none": (put("predictions", 2, "truth", "of", value="ratio"), ("key truth.of", "'percent'")),
    "no link to cut": (put("predictions", 2, "truth", "of", value="cut"), ("no link is cut", "under the key cut")),
    "people in care without arrivals": (put("predictions", 2, "truth", "outcome", value="mme_total"), ("patients arrive", "arrivals")),
    "a range that is none": (put("predictions", 0, "low", value=9.0), ('"first"', "low < high")),
    "an unknown name in the reveal": (put("predictions", 0, "reveal", value="{mean}"), ('"{mean}"', "{truth}", "key reveal")),
    "a brace without its other": (put("predictions", 0, "reveal", value="{truth"), ("braces", "key reveal")),
    "a choice without an answer": (lambda tables: tables["exercises"][1].pop("answer"), ('"why-on"', "lacks the key answer")),
    "an answer that is no option": (put("exercises", 1, "answer", value=7), ("answer = 7", "counted from 0")),
    "a choice with a goal": (put("exercises", 1, "goal", value=GOAL), ("has the key goal",)),
    "a goal of an unknown explorer": (put("exercises", 0, "goal", "explorer", value="habits"), ('"habits"', 'did you mean "habit"')),
    "a goal without a limit": (lambda tables: tables["exercises"][0]["goal"].pop("at_most"), ("key goal", "at_most or at_least")),
    "a goal after the end": (put("exercises", 0, "goal", "week", value=400), ('"review"', "-1 to 104")),
    "an id that is there twice": (put("exercises", 0, "id", value="why-on"), ('"why-on" is there twice', "Rename one")),
    "no facilitator's words": (put("facilitator", "before", value=""), ("key facilitator.before", "a text")),
    "a stem": (put("stem", value="my"), ('"stem"', "the file's name")),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_by_file_and_key_with_what_was_expected_and_how_to_mend_it(fault, tmp_path):
    change, told = FAULTS[fault]
    with pytest.raises(InputError) as caught:
        lessons.load(write(tmp_path, change))
    assert caught.value.where.startswith("my.toml")
    assert caught.value.expected
    assert caught.value.mend
    assert not [words for words in told if words not in str(caught.value)], str(caught.value)


# What the model says


def test_false_takes_a_treatment_out_of_a_plan():
    asked = Truth.model_validate(GAIN | {"change": {"care": {"physical_therapy": False}}}).asked()
    assert "physical_therapy" not in asked.care.treatments


def test_the_same_question_is_not_run_twice(monkeypatch):
    runs = []
    monkeypatch.setattr(lessons, "_runs", type(lessons._runs)())
    real = lessons.simulate
    monkeypatch.setattr(lessons, "simulate", lambda *given, **named: runs.append(given) or real(*given, **named))
    gain, level = Truth.model_validate(GAIN), Truth.model_validate(GAIN | {"of": "baseline", "week": 3})
    assert lessons.truth(gain) == lessons.truth(gain)
    lessons.truth(level)
    assert len(runs) == 1
    lessons.truth(Truth.model_validate(GAIN | {"cut": ["weakness_to_pain"]}))
    assert len(runs) == 2


def test_runs_are_not_kept_without_end(monkeypatch):
    monkeypatch.setattr(lessons, "_RUNS_KEPT", 1)
    for week in (4, 5):
        lessons.run(Truth.model_validate(GAIN | {"change": {"weeks": week}, "week": 1}).asked())
    assert len(lessons._runs) == 1


def test_what_the_run_says_is_what_the_projection_holds():
    projection = lessons.run(Truth.model_validate(GAIN).asked())
    for of, expected in (
        ("difference", projection.difference("pain", 26)),
        ("scenario", projection.level_of("pain", 26)),
        ("baseline", projection.level_of("pain", 26, "baseline")),
    ):
        assert lessons.truth(Truth.model_validate(GAIN | {"of": of})) == expected
    percent = lessons.truth(Truth.model_validate(GAIN | {"of": "percent"}))
    assert percent.mean == pytest.approx(100 * projection.difference("pain", 26).mean / projection.level_of("pain", 26, "baseline").mean)
    over_all = lessons.truth(Truth.model_validate(GAIN | {"week": -1}))
    assert over_all.mean == pytest.approx(projection.outcome("pain")["difference"].mean())
    cut = Truth.model_validate(GAIN | {"of": "cut", "cut": ["weakness_to_pain"]})
    without = lessons.run(cut.asked(), cut.cut).level_of("pain", 26).mean
    assert lessons.truth(cut) == Interval(without - projection.level_of("pain", 26).mean, None, None)


def test_a_percentage_of_nothing_is_refused():
    none = {
        "scenario": "usual-care",
        "change": {"care": {"prescribing": {"opioid_start": 0.0}}, "baseline": {"prescribing": {"opioid_start": 0.0}}},
    }
    with pytest.raises(InputError, match="above zero"):
        lessons.truth(Truth.model_validate(GAIN | none | {"outcome": "mme_per_1000", "of": "percent"}))


# What a learner is told


@pytest.mark.parametrize(
    ("guess", "points", "words"), [(-0.5, 2, "Close: 2 points"), (-0.9, 1, "Inside the band: 1 point"), (2.0, 0, "Further off")]
)
def test_a_guess_is_scored_by_its_distance_and_the_band(guess, points, words, at):
    at(-0.4, -1.0, -0.1)
    verdict = lessons.judge(prediction(), guess)
    assert verdict.points == points
    assert words in verdict.words
    assert "It is -0.4, from -1.0 to -0.1; you said" in verdict.words
    assert not [word for word in ("wrong", "fail", "bad", "poor") if word in verdict.words.lower()]


def test_without_a_band_a_guess_within_thrice_the_distance_counts(at):
    at(-0.4, None, None)
    assert [lessons.judge(prediction(), guess).points for guess in (-0.5, 0.1, 0.9)] == [2, 1, 0]
    assert "no band" in lessons.judge(prediction(), 0.0).words


def test_a_prediction_is_recorded_before_it_is_revealed_and_then_stays(at):
    at(-0.4, -1.0, -0.1)
    record = lessons.Record(lessons.load("02"))
    with pytest.raises(InputError, match="no prediction yet"):
        record.reveal("first")
    with pytest.raises(InputError, match=r"-6 to 2"):
        record.predict("first", 3.0)
    for bad in (float("nan"), True, "2"):
        with pytest.raises(InputError, match="no number"):
            record.predict("first", bad)
    record.predict("first", -1.0)
    record.predict("first", -0.4)
    assert record.reveal("first").points == 2
    with pytest.raises(InputError, match="stays as it was"):
        record.predict("first", 0.0)


def test_an_exercise_counts_two_points_at_the_first_try_and_one_later():
    told = []
    outline = lessons.load("02")
    record = lessons.Record(outline)
    record.told.append(lambda: told.append(record.points()))
    assert not record.answer("why-on", 0).right
    with pytest.raises(InputError, match="no option"):
        record.answer("why-on", float("nan"))
    right = record.answer("why-on", 1)
    assert right.right
    assert outline.part("exercises", "why-on").why in right.words
    record.answer("why-on", 0)
    assert record.points() == 1
    assert told == [0, 1]
    assert record.possible() == 2 * (len(outline.predictions) + len(outline.exercises))
    assert "1 of" in record.words()
    assert "prediction first" in record.words()
    other = lessons.Record(outline)
    other.answer("why-on", 1)
    assert other.points() == 2


def test_a_number_is_right_within_the_distance(at):
    at(4.2, 4.0, 4.4)
    asked = exercise(kind="number", truth=GAIN | {"of": "baseline"}, close=0.2, unit="of 10")
    assert lessons.check(asked, 4.4).right
    assert "The run says 4.2 of 10." in lessons.check(asked, 4.4).words
    missed = lessons.check(asked, 5.0)
    assert not missed.right
    assert "4.2" not in missed.words
    assert "Look again." in missed.words
    with pytest.raises(InputError, match="no number"):
        lessons.check(asked, float("nan"))


def test_a_plan_is_held_against_every_limit():
    projection = lessons.run(Truth.model_validate(GAIN).asked())
    pain = projection.difference("pain", 26).mean
    goal = {
        "explorer": "x",
        "outcome": "pain",
        "week": 26,
        "at_most": pain + 0.01,
        "and_outcome": "mme_per_1000",
        "and_week": -1,
        "and_of": "percent",
    }
    reached = exercise(kind="plan", goal=goal | {"and_at_least": -99.0})
    missed = exercise(kind="plan", goal=goal | {"and_at_most": -99.0})
    assert lessons.check(reached, projection).right
    told = lessons.check(missed, projection)
    assert not told.right
    assert "in week 26" in told.words
    assert "not reached" in told.words
    assert "on average" in told.words
    with pytest.raises(InputError, match="a projection"):
        lessons.check(missed, 3)
    assert [part[:3] for part in Goal.model_validate(goal | {"and_at_most": 0.0}).parts()] == [
        ("pain", 26, "difference"),
        ("mme_per_1000", -1, "percent"),
    ]


def test_a_record_stays_through_a_session_unless_begun_anew():
    outline = lessons.load("03")
    kept = lessons.record(outline)
    assert lessons.record(lessons.load("03")) is kept
    assert lessons.record(outline, anew=True) is not kept


def test_a_lesson_has_only_the_parts_that_its_file_names():
    with pytest.raises(InputError, match="did you mean"):
        lessons.load("02").part("predictions", "frist")
    assert {field.alias for field in syllabus.Explorer.model_fields.values()} == {None, "try"}


@pytest.mark.parametrize(
    ("stem", "id_", "holds"),
    [
        ("00", "demand", lambda found: found.low < 0.0 < found.high and found.mean > -20.0),
        ("00", "harm", lambda found: found.low > 0.0),
        ("01", "link", lambda found: abs(found.mean) < 0.2),
        ("01", "strength", lambda found: found.mean > 5.0),
        ("01", "gain", lambda found: found.high < 0.0),
        ("02", "first", lambda found: found.high < -1.0),
        ("02", "year", lambda found: found.mean > -0.5),
        ("02", "habit-share", lambda found: 5.0 < found.mean < 25.0),
        ("02", "visits", lambda found: found.low > 0.0),
        ("03", "sessions", lambda found: found.high < 1000.0),
        ("03", "end", lambda found: found.high < 0.0),
        ("03", "lasting", lambda found: found.high < 0.0),
    ],
)
def test_what_a_reveal_says_in_words_holds_in_the_run(stem, id_, holds):
    assert holds(lessons.truth(lessons.load(stem).part("predictions", id_).truth))


@pytest.mark.parametrize(
    ("stem", "id_", "care"),
    [
        ("00", "plan", {"prescribing": {"opioid_start": 0.5}}),
        ("02", "review", {"reassessment": {"review": 0.8}}),
        ("02", "review", {"prescribing": {"opioid_start": 0.5}}),
        ("03", "attended", {"physical_therapy": {"handover": 1.0}}),
    ],
)
def test_a_goal_is_reached_by_moving_levers_and_not_reached_before(stem, id_, care):
    outline = lessons.load(stem)
    asked = outline.part("exercises", id_)
    start = outline.part("explorers", asked.goal.explorer).asked()
    assert not lessons.check(asked, lessons.run(start)).right
    assert lessons.check(asked, lessons.run(start.change(name="mine", care=care))).right


def test_a_plan_that_changes_what_is_assumed_does_not_count():
    lesson, exercise = next((lesson, one) for lesson in lessons.shipped() for one in lesson.exercises if one.kind == "plan")
    assert exercise.goal is not None
    start = next(one for one in lesson.explorers if one.id == exercise.goal.explorer).asked()
    bent = painlab.simulate(start.change(assume={"values": {"weakness_pain": 0.0}}), patients=50, draws=2)
    found = lessons.check(exercise, bent)
    assert not found.right
    assert "assumptions" in found.words
