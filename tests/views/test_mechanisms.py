"""The pages of the mechanisms: their words hold, their numbers are the functions', and the same values give the same bytes."""

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from painlab import care, dynamics, parameters, posterior
from painlab.errors import InputError
from painlab.evidence import estimates
from painlab.tables import data_folder
from painlab.views import mechanisms as pages
from painlab.views.mechanism_curves import Curve, Line, described, specification, svg, swept

CENTRAL = parameters.values()
NAMES = list(pages.mechanisms())


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> list[Path]:
    return pages.write_pages(tmp_path_factory.mktemp("docs"))


def number(name: str, **changed: float) -> float:
    return float(pages.ANSWERS[name].number({**CENTRAL, **changed}))


# Numbers by hand


def test_two_weeks_of_bed_rest_cost_two_steps_toward_no_strength():
    assert number("rest_2", strength_loss_time=10.0, strength_activity_slope=1.0) == pytest.approx(100 * (1 - 0.9**2))


def test_weakness_adds_its_coefficient_times_the_strength_lost():
    assert number("weak_30", weakness_pain=2.0) == pytest.approx(0.6)
    assert number("weak_30", weakness_pain=0.0) == 0.0


def test_a_raise_of_a_third_takes_30_to_40_mme():
    assert number("raised", escalation_step=1 / 3) == 40.0


def test_ten_percent_a_month_takes_from_46_to_5_mme_in_92_weeks():
    # ln(46 / 5) / -ln(0.9) = 21.06 months of 4.348 weeks
    assert number("taper_weeks") == 92.0


def test_overdoses_on_a_page_are_those_of_the_lowest_dose_group():
    assert number("overdose_10", overdose_base=0.004) == pytest.approx(0.4)


# Laws


def test_the_cycle_adds_nothing_where_its_last_link_is_cut_and_less_where_another_is():
    whole = pages.ANSWERS["cycle_at_6"].of(CENTRAL)
    assert whole > 0.0
    assert pages.ANSWERS["cycle_at_6"].of({**CENTRAL, "weakness_pain": 0.0}) == 0.0
    for link in ("activity_pain_slope", "strength_activity_slope"):
        assert pages.ANSWERS["cycle_at_6"].of({**CENTRAL, link: 0.0}) < whole


def test_a_bridge_needs_attendance_that_falls_with_pain():
    assert number("bridge") > 0.0
    assert number("bridge", attendance_pain=0.0) == 0.0


def test_less_pain_lowers_opioid_use_only_through_the_hazard_of_stopping():
    assert number("one_point") < 0.0
    assert number("one_point", stop_pain=0.0) == 0.0


def test_support_softens_withdrawal_and_a_slow_pace_avoids_it_to_the_last_step():
    assert number("pace_30_supported") < number("pace_30") < number("stop_at_once")
    assert number("pace_10") < 0.1
    assert number("last_step_10") <= number("last_step_30") < number("pace_30")


@pytest.mark.parametrize("name", NAMES)
def test_every_central_line_starts_inside_the_axes_that_are_drawn(name):
    for curve in pages.CURVES[name]:
        assert 1 <= len(curve.lines) <= 3
        for line in curve.lines:
            heights = line.at(CENTRAL)
            assert len(heights) == len(curve.x)
            assert all(curve.low - 1e-9 <= height <= curve.high + 1e-9 for height in heights), (curve.title, line.label)


# Published figures


def test_bed_rest_of_two_weeks_agrees_with_its_published_figure_within_two_points():
    published = estimates().filter(estimates()["id"] == "T09-02")["estimate"].item()
    assert number("rest_2") == pytest.approx(-published, abs=2.0)


def test_strength_carries_about_as_little_of_the_relief_by_exercise_as_was_published():
    published = estimates().filter(estimates()["id"] == "T09-16")["estimate"].item()
    assert number("through_strength") == pytest.approx(published, abs=2.0)


# The words


def test_every_public_equation_is_on_a_page(written):
    text = "\n".join(path.read_text(encoding="utf-8") for path in written if path.suffix == ".md")
    equations = [
        f"{module.__name__}.{name}"
        for module in (dynamics, care)
        for name, one in vars(module).items()
        if hasattr(one, "py_func") and one.py_func.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert len(equations) > 40
    assert [name for name in equations if f"`{name}`" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_names_exists(name):
    one = pages.mechanisms()[name]
    assert set(one.parameters) <= set(parameters.records())
    cited = {row["id"] for row in one.evidence} | {key for row in one.questions for key in row.get("published", ())}
    typed = set(re.findall(r"T\d\d-\d\d[a-z]?", "".join(map(str, one))))
    assert cited | typed <= set(estimates()["id"])
    assert 3 <= len(one.questions) <= 5


@pytest.mark.parametrize("name", NAMES)
def test_each_page_holds_evidence_against_its_claim_and_says_what_would_refute_it(name):
    one = pages.mechanisms()[name]
    assert any(row["side"] == "against" for row in one.evidence)
    assert one.contested and one.otherwise


def test_every_number_is_asked_for_somewhere():
    asked = {name for one in pages.mechanisms().values() for row in one.questions for name in row.get("model", ())}
    assert asked == set(pages.ANSWERS)


def test_every_parameter_of_body_and_prescribing_is_on_a_page_or_is_a_cost_or_a_spread():
    shown = {name for one in pages.mechanisms().values() for name in one.parameters}
    left = set(parameters.Parameters._fields) - shown
    assert left <= {"cost_visit", "cost_mme", "trait_spread"}


SMALL = {"look": "It falls.", "known": "Some.", "contested": "All.", "otherwise": "A trial.", "title": "A", "claim": "B."}


def table(**changed: str) -> str:
    """A file with one mechanism, some of its lines changed."""
    lines = {key: f'"{text}"' for key, text in SMALL.items()} | {
        "parameters": '["flare_size"]',
        "equations": '[{ function = "dynamics.flare_change", math = "x" }]',
        "evidence": '[{ id = "T01-27", side = "for", says = "so" }]',
        "questions": '[{ ask = "Is it?", model = ["rest_2"], published = ["T09-02"] }]',
    }
    return "[tissue-and-flares]\n" + "\n".join(f"{key} = {text}" for key, text in (lines | changed).items() if text)


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"parameters": '["flare_sise"]'}, 'did you mean "flare_size"'),
        ({"equations": '[{ function = "dynamics.flare_chnge", math = "x" }]'}, 'did you mean "dynamics.flare_change"'),
        ({"evidence": '[{ id = "T01-277", side = "for", says = "so" }]'}, 'evidence id "T01-277"'),
        ({"evidence": '[{ id = "T01-27", side = "pro", says = "so" }]'}, 'side "pro"'),
        ({"questions": '[{ ask = "Is it?", model = ["rest_3"] }]'}, 'number "rest_3"'),
        ({"questions": '[{ ask = "Is it?", modle = ["rest_2"] }]'}, 'unknown key "modle"'),
        ({"claim": ""}, "claim is missing"),
        ({"claim": '"'}, "not readable as TOML"),
    ],
)
def test_words_that_name_what_does_not_exist_are_refused(tmp_path, changed, complaint):
    good = tmp_path / "good.toml"
    good.write_text(table())
    assert list(pages.mechanisms(good)) == ["tissue-and-flares"]
    bad = tmp_path / "bad.toml"
    bad.write_text(table(**changed))
    with pytest.raises(InputError, match=r"bad\.toml") as raised:
        pages.mechanisms(bad)
    assert complaint in str(raised.value)


# The files


def test_each_mechanism_has_a_page_and_the_pictures_that_it_shows(written):
    names = {path.name for path in written}
    assert {f"{name}.md" for name in NAMES} | {"README.md"} <= names
    for path in written:
        if path.suffix == ".md":
            shown = re.findall(r"\]\(([^)]+)\)", path.read_text(encoding="utf-8"))
            assert shown and set(shown) <= names
            names -= {name for name in shown if name.endswith(".svg")}
    assert not [name for name in names if name.endswith(".svg")]


def test_writing_again_gives_the_same_bytes(written, tmp_path):
    again = pages.write_pages(tmp_path)
    assert [path.name for path in again] == [path.name for path in written]
    assert [path.name for path, first in zip(again, written, strict=True) if path.read_bytes() != first.read_bytes()] == []


def test_other_values_change_the_number_and_the_picture_but_not_the_band(written):
    shown = posterior.values()
    changed = {**shown, "strength_loss_time": 20.0}
    one = pages.mechanisms()["activity-to-strength"]
    first = next(path for path in written if path.name == "activity-to-strength.md").read_text(encoding="utf-8")
    before = pages.ANSWERS["rest_2"].words(shown)
    after = pages.ANSWERS["rest_2"].words(changed)
    assert before in first and after in pages.page(one, changed) and after not in first
    assert before.partition("(")[2] == after.partition("(")[2]
    curve = pages.CURVES[one.name][0]
    assert svg(curve, swept(curve, changed)) != svg(curve, swept(curve, shown))


@pytest.mark.parametrize("name", NAMES)
def test_a_number_of_the_model_in_a_page_is_that_of_the_functions(name):
    one = pages.mechanisms()[name]
    text = pages.page(one, CENTRAL)
    for row in one.questions:
        for asked in row.get("model", ()):
            assert f"**{pages.ANSWERS[asked].words(CENTRAL)}**" in text


def test_no_question_has_a_number_of_the_model_typed_into_it():
    words = tomllib.loads((data_folder() / "mechanisms.toml").read_text(encoding="utf-8"))
    for table_ in words.values():
        for row in table_["questions"]:
            assert not re.search(r"\d\.\d", row["ask"])
            for name in row.get("model", ()):
                answer = pages.ANSWERS[name]
                if answer.unit == "%":  # a share that a question supposes stands in the answer's own words too
                    typed = set(re.findall(r"(\d+) %", row["ask"])) - set(re.findall(r"(\d+) %", answer.what))
                    assert answer.number(CENTRAL) not in typed


def test_pages_and_pictures_fetch_nothing(written):
    names = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}  # names of the SVG format, not addresses
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\w+://[^\"\s)]+", text)) <= names, path.name
        assert "<script" not in text and "<image" not in text and "@import" not in text


def test_every_axis_has_a_title_and_every_line_its_label_beside_it():
    for curves in pages.CURVES.values():
        for curve in curves:
            drawn = svg(curve, swept(curve, CENTRAL))
            for words in (curve.title, curve.x_title, curve.y_title, *(line.label for line in curve.lines)):
                assert words.replace("'", "&#39;") in drawn or words in drawn, words
            assert "role-legend" not in drawn


def test_a_curve_is_told_in_words_with_its_peak():
    curve = Curve("A spell", (0.0, 1.0, 2.0), "weeks", "pain (0-10)", 0, 10, (Line("pain", lambda _: [1.0, 5.0, 2.0]),))
    assert described(curve, swept(curve, CENTRAL)) == "A spell. pain (0-10) by weeks: pain from 1 to 2, at most 5."


def test_labels_of_lines_that_end_together_are_kept_apart_inside_the_chart():
    same = tuple(Line(label, lambda _: [0.0, 0.0]) for label in ("a", "b", "c"))
    curve = Curve("Three", (0.0, 1.0), "weeks", "share", 0, 10, same)
    spec = specification(curve, swept(curve, CENTRAL))
    heights = sorted(spec["datasets"][layer["data"]["name"]][0]["value"] for layer in spec["layer"] if layer["mark"]["type"] == "text")
    assert heights[0] >= 0.0 and heights[-1] <= 10.0
    assert min(upper - lower for lower, upper in pairwise(heights)) > 0.6


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(pages, "CURVES", dict.fromkeys(NAMES, ()))
    with pytest.raises(InputError, match="cannot be written"):
        pages.write_pages(tmp_path / "file")
