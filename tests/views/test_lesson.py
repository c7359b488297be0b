"""A lesson's widgets: what their buttons do, in which order, and what is said."""

import re
from types import SimpleNamespace

import ipywidgets
import pytest

from painlab import InputError, evidence, lessons
from painlab.projection import Interval
from painlab.syllabus import Truth
from painlab.views import explorer, guesses, standing
from painlab.views import lesson as views_of_lesson
from painlab.views.lesson import Lesson, Question


@pytest.fixture
def lesson():
    return Lesson("02", anew=True)


@pytest.fixture
def shown(monkeypatch):
    """Stand-ins for the explorers that a lesson opens, with what they were opened with."""
    opened = []

    class Shown(ipywidgets.VBox):
        def __init__(self, scenario, **named):
            super().__init__()
            self.exploration, self.projection, self.named, self.closed = SimpleNamespace(scenario=scenario), None, named, False
            opened.append(self)

        def close(self):
            self.closed = True
            super().close()

    monkeypatch.setattr(explorer, "explore", Shown)
    return opened


@pytest.fixture
def displayed(monkeypatch):
    """What was displayed, and what it was replaced by."""
    seen = []

    def show(what, **_named):
        seen.append(what)
        return SimpleNamespace(update=seen.append)

    monkeypatch.setattr(views_of_lesson, "display", show)
    monkeypatch.setattr(standing, "display", show)
    return seen


def press(box, event):
    box.question._handle_custom_msg({"event": event}, [])


def test_the_opening_says_the_question_and_every_objective(lesson):
    text = lesson.opening().data
    assert lesson.outline.question in text
    assert str(lesson.outline.minutes) in text
    assert text.count("<li>") == len(lesson.outline.objectives)


def test_nothing_is_revealed_before_a_prediction_is_recorded(lesson):
    box = lesson.predict("first")
    assert box.question.off == ["reveal"]
    press(box, "reveal")
    assert "no prediction yet" in box.question.said
    assert "Record yours first" in box.question.said
    assert len(box.children) == 1
    assert not lesson.record.verdicts


def test_a_recorded_prediction_is_revealed_with_points_words_and_a_chart(lesson):
    box = lesson.predict("first")
    truth = lessons.truth(box.prediction.truth)
    box.question.value = round(truth.mean, 1)
    press(box, "record")
    assert box.question.off == []
    assert "Recorded" in box.question.said
    assert lessons.say(box.prediction, truth.mean) not in box.question.said.replace(lessons.say(box.prediction, box.question.value), "")
    press(box, "reveal")
    assert box.question.tone == "right"
    assert "2 points" in box.question.said
    assert box.question.locked
    assert len(box.children) == 2
    press(box, "record")
    assert "stays as it was" in box.question.said
    assert lesson.record.guesses["first"] == box.question.value


def test_a_prediction_outside_its_range_or_without_a_number_is_not_recorded(lesson):
    box = lesson.predict("first")
    for value, words in ((9.0, "-6 to 2"), (None, "No number is entered")):
        box.question.value = value
        press(box, "record")
        assert words in box.question.said
        assert box.question.off == ["reveal"]


def test_a_cell_that_is_run_again_keeps_what_was_recorded_and_revealed(lesson):
    box = lesson.predict("first")
    box.question.value = -1.0
    press(box, "record")
    again = Lesson("02").predict("first")
    assert again.question.value == -1.0
    assert again.question.off == []
    press(box, "reveal")
    last = Lesson("02").predict("first")
    assert last.question.said == box.question.said
    assert last.question.locked
    assert len(last.children) == 2


def test_an_option_that_is_chosen_is_checked_by_what_it_says_and_not_by_its_place(lesson):
    box = lesson.exercise("why-on")
    asked = box.exercise
    assert sorted(box.question.options) == sorted(asked.options)
    press(box, "check")
    assert "No option is chosen" in box.question.said
    box.question.value = float(box.question.options.index(asked.options[0]))
    press(box, "check")
    assert asked.hint in box.question.said
    assert box.question.tone == "off"
    box.question.value = float(box.question.options.index(asked.options[asked.answer]))
    press(box, "check")
    assert asked.why in box.question.said
    assert box.question.tone == "right"
    assert lesson.exercise("why-on").question.said == box.question.said


def test_an_exercise_on_a_plan_looks_at_the_explorer_of_the_lesson(lesson, shown):
    box = lesson.exercise("review")
    press(box, "check")
    assert "Run its cell above" in box.question.said
    lesson.explore("habit")
    press(box, "check")
    assert "still being worked out" in box.question.said
    one = shown[0]
    one.projection = lessons.run(one.exploration.scenario)
    press(box, "check")
    assert "not reached" in box.question.said
    changed = one.exploration.scenario.change(name="fewer", care={"prescribing": {"opioid_start": 0.5}})
    one.exploration.scenario, one.projection = changed, lessons.run(changed)
    press(box, "check")
    assert box.question.tone == "right", box.question.said
    assert lesson.record.points() == 1


def test_a_preset_explorer_is_opened_as_the_file_says_and_closed_when_its_cell_is_run_again(lesson, shown, displayed):
    box = lesson.explore("trial")
    preset = lesson.outline.part("explorers", "trial")
    assert shown[0].exploration.scenario == preset.asked()
    assert shown[0].named == {"view": "body", "groups": ("prescribe",), "cut": ()}
    assert box is shown[0]
    assert "As in a trial" in displayed[0].data
    lesson.explore("trial")
    assert [one.closed for one in shown] == [True, False]


def test_the_score_follows_the_answers_and_is_read_out(lesson):
    score = lesson.score()
    assert score.words.value.count('aria-live="polite"') == 1
    assert "0 of 12 points" in score.words.value
    lesson.record.answer("why-on", 1)
    assert "2 of 12 points" in score.words.value
    score.close()
    lesson.record.predict("first", 0.0)
    assert not lesson.record.told


def test_the_box_against_the_story_holds_every_finding_with_its_source(lesson):
    text = lesson.against().data
    for one in lesson.outline.against:
        assert f"[{one}]" in text
        assert evidence.citation(one).partition(",")[0] in text
    assert "aria-label" in text
    cited = {evidence.citation(one) for one in lesson.outline.reading}
    assert lesson.reading().data.count("<li>") == len(cited)
    assert all(one in lesson.reading().data for one in cited)


def test_beside_the_widgets_stand_their_words_for_a_saved_notebook(lesson, displayed):
    box, score = lesson.exercise("why-on"), lesson.score()
    box._ipython_display_()
    score._ipython_display_()
    bundle, words, _, points = displayed
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert box.exercise.ask in words.data
    assert all(option in words.data for option in box.exercise.options)
    assert "0 of 12 points" in points.data
    box.question.value = float(box.exercise.order().index(1))
    press(box, "check")
    assert "That is right" in displayed[-1].data
    assert "2 of 12 points" in displayed[-2].data


def test_what_goes_wrong_is_said_in_place(lesson, monkeypatch):
    box = lesson.predict("first")
    press(box, "record")

    def fail(_id):
        raise ZeroDivisionError("no draws")

    monkeypatch.setattr(lesson.record, "reveal", fail)
    press(box, "reveal")
    assert "ZeroDivisionError: no draws" in box.question.said
    press(box, "dance")


def test_the_script_of_a_question_asks_only_for_traits_that_are_there(root):
    script = (root / "src/painlab/views/assets/question.js").read_text(encoding="utf-8")
    read = set(re.findall(r'model\.get\("(\w+)"\)', script))
    assert "said" in read
    assert read <= {name for name, trait in Question.class_traits().items() if trait.metadata.get("sync")}


@pytest.mark.parametrize("of", ["difference", "percent", "scenario", "baseline", "cut"])
def test_the_course_of_what_was_asked_passes_through_the_answer(of):
    truth = Truth.model_validate({"scenario": "early-pt", "outcome": "pain", "week": 13, "of": of, "cut": ["weakness_to_pain"]})
    frame = guesses.course(truth)
    row = frame.filter(frame["week"] == 13)
    assert Interval(*row.select("value", "low", "high").row(0)) == pytest.approx(lessons.truth(truth))


@pytest.mark.parametrize(("lesson_number", "id_"), [("00", "demand"), ("01", "link"), ("03", "sessions")])
def test_the_guess_is_drawn_in_its_week(lesson_number, id_):
    prediction = lessons.load(lesson_number).part("predictions", id_)
    chart = guesses.chart(prediction, prediction.low)
    sent = chart.data["guess"]
    week = 104 if prediction.truth.week == -1 else prediction.truth.week
    assert list(memoryview(sent["week"]).cast("d")) == [week]
    assert list(memoryview(sent["value"]).cast("d")) == [prediction.low]
    last = {52: 57, 4: 6, -1: 104}[prediction.truth.week]  # what comes later may be asked next
    assert max(memoryview(chart.data["course"]["week"]).cast("d")) == last
    assert str(prediction.truth.week if last < 104 else "all 104") in chart.description
    assert "your guess" in chart.description


def layer(chart, kind):
    """The layers of a chart with a mark of this kind."""
    return [one for one in chart.spec["layer"] if one["mark"]["type"] == kind]


@pytest.mark.parametrize("guess", [-3.0, 1.0])
def test_the_words_at_a_guess_stand_where_the_curve_is_not_and_inside_the_scale(guess):
    chart = guesses.chart(lessons.load("01").part("predictions", "link"), guess)
    (words,) = layer(chart, "text")
    assert (words["mark"]["dy"] < 0) == (guess > 0)
    low, high = words["encoding"]["y"]["scale"]["domain"]
    assert low < guess < high or (guess > 0 and low == 0 and high > guess)


def test_a_week_of_almost_no_baseline_does_not_press_the_curve_flat():
    prediction = lessons.load("04").part("predictions", "attend")
    frame = guesses.course(prediction.truth)
    chart = guesses.chart(prediction, 1.0)
    _, high = layer(chart, "line")[0]["encoding"]["y"]["scale"]["domain"]
    assert frame["value"].max() < high < frame["high"].max()
    assert layer(chart, "area")[0]["mark"]["clip"]


def test_a_prediction_that_nobody_has_set_is_not_recorded(lesson):
    for one in lesson.outline.predictions:
        box = lesson.predict(one.id)
        assert box.question.value is None
        box.pressed("record")
        assert "No number is entered" in box.question.said
    assert lesson.record.guesses == {}


def test_an_unknown_part_is_refused_with_the_nearest(lesson):
    with pytest.raises(InputError, match="did you mean"):
        lesson.predict("frist")
