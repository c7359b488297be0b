"""A talk tells what its runs found, in every length and for every audience, and each figure in it can be followed to where it stands."""

import json
import re
from dataclasses import asdict, replace

import pytest
import vl_convert

import painlab
from painlab import InputError, Scenario
from painlab.engine.execution import Cancelled
from painlab.talk import tell
from painlab.talk.origin import evidence_date
from painlab.talk.story import KEYS, KINDS, Story
from painlab.talk.tracing import resolve, sentences, unexplained, untraced

SMALL = {"patients": 60, "draws": 4, "weeks": 16}


@pytest.fixture(scope="module")
def early() -> Story:
    return tell("early-pt", minutes=15, **SMALL)


@pytest.fixture(scope="module")
def long() -> Story:
    return tell("coordinated-care", minutes=40, audience="analysts", **SMALL)


@pytest.fixture(scope="module")
def same() -> Story:
    return tell("usual-care", minutes=15, audience="public", **SMALL)


@pytest.fixture(scope="module")
def several() -> Story:
    return tell(["early-pt", "opioids-alone"], minutes=5, **SMALL)


@pytest.fixture(scope="module")
def panel() -> Story:
    return tell("clinic-early-pt", minutes=5, **SMALL)


@pytest.fixture(params=["early", "long", "same", "several", "panel"])
def any_story(request) -> Story:
    return request.getfixturevalue(request.param)


def base(key: str) -> str:
    return re.sub(r"-\d+$", "", key)


def test_pages_stand_in_the_order_of_a_talk(any_story):
    keys = [base(page.key) for page in any_story.pages]
    assert [KEYS.index(key) for key in keys] == sorted(KEYS.index(key) for key in keys)
    assert {page.kind for page in any_story.pages} <= set(KINDS)
    assert all(any_story.minutes in page.minutes for page in any_story.pages)


def test_longer_talks_hold_what_shorter_ones_do(early, long, several):
    five = {page.key for page in several.pages} - {"compare"}
    fifteen = {page.key for page in early.pages}
    assert five < fifteen < {page.key for page in long.pages}
    assert {"cycle", "patients", "care", "benefit", "earned", "evidence"} <= fifteen - five


def test_every_figure_in_a_sentence_stands_at_its_trace(any_story):
    assert untraced(any_story.pages, any_story) == {}


def test_every_trace_leads_somewhere(any_story):
    for page in any_story.pages:
        for said in sentences(page):
            found = resolve(said.trace, any_story)
            assert found or all(part.startswith(("text", "assumption")) for part in said.trace.split("; ")), said


def test_a_figure_that_is_not_the_runs_is_found_out(early):
    said = early.page("demand").said[0]
    level = re.search(r"is ([\d,]+) MME", said.text)
    assert level
    wrong = replace(said, text=said.text.replace(level[1], "98,765"))
    assert unexplained(said, early) == []
    assert unexplained(wrong, early) == ["98,765"]


def test_a_trace_that_leads_nowhere_is_refused(early):
    with pytest.raises(InputError, match="leads nowhere"):
        resolve("rumor:mme", early)


def test_demand_never_stands_without_pain_and_function(any_story):
    words = " ".join(said.text.lower() for said in any_story.page("demand").said)
    assert "pain" in words and "function" in words
    assert "opioid demand" in any_story.page("body").said[-1].text.lower()


def test_the_audience_changes_the_words_and_not_the_findings(early):
    public = tell(early.projections[0], minutes=15, audience="public")
    titles = {key: (early.page(key).title, public.page(key).title) for key in ("demand", "body", "benefit", "earned", "sure")}
    assert all(one == other for one, other in titles.values()), titles
    assert early.page("question").said != public.page("question").said
    assert "MME" not in public.page("demand").said[0].text


def test_the_public_is_told_what_mme_and_the_baseline_are_before_they_are_used(same, early):
    words = " ".join(said.text for said in same.page("question").said)
    assert "morphine milligram equivalents, MME" in words and "the baseline" in words
    assert any("usual care (the baseline)" in said.text for said in early.page("question").said)


def test_the_page_on_how_sure_says_why_its_figure_of_demand_is_another(early):
    said = early.page("sure").said[1].text
    assert "from 4 draws of 60 patients; here are 200 runs of 60 patients each" in said


def test_no_page_shows_markup_a_scale_as_a_unit_or_authors_nobody_has_seen(any_story):
    for page in any_story.pages:
        cells = [cell for row in page.table.rows for cell in row] if page.table else []
        levels = [level for lever in page.live.levers for level in lever.levels] if page.live else []
        for text in (page.title, *(said.text for said in page.said), *cells, *levels, *page.sources):
            assert "`" not in text and "Authors not seen" not in text, text
            assert not re.search(r"\d (0-10|0-100)\b", text), text


def test_a_level_says_its_number_and_its_words_once(early):
    levels = {lever.name: lever.levels for lever in early.page("live").live.levers}
    assert levels["physical_therapy.start_week"][0] == "0 (at once)"
    for words in levels.values():
        assert not any(re.fullmatch(r"(.+) \(\1\)", one) for one in words), words


def test_care_that_is_the_same_is_said_to_be(same):
    assert same.page("care").title == "Nothing changes in the care"
    assert same.page("demand").title.endswith("is as in the baseline")
    assert same.page("body").title.endswith("are as in the baseline")
    assert "nobody gains and nobody loses" in same.page("benefit").title
    assert same.page("earned").title == "Nothing differs, so nothing was earned"
    assert "the same" in same.page("sure").title
    assert "as in the baseline" in same.page("title").said[0].text


def test_opioids_alone_are_said_to_raise_demand_or_not_to_be_told_apart(several):
    worse = several.projections[1]
    said = several.page("compare").said[1]
    assert said.text == f"{worse.scenario.title}: {worse.headline()}."
    assert len(several.page("compare").table.rows) == 2


def test_few_draws_and_an_open_cohort_are_said(panel, early):
    words = [said.text for said in panel.page("demand").said]
    assert any("With only 4 draws" in text for text in words)
    assert any(text.startswith("In the whole population") for text in words)
    assert not any(said.text.startswith("In the whole population") for said in early.page("demand").said)


def test_cost_and_sessions_stand_beside_what_the_body_gains(early):
    page = early.page("body-2")
    assert {"Cost of care", "Sessions of care", "Overdose hazard"} <= {row[0] for row in page.table.rows}
    assert "assumed" in page.said[0].text or "as in the baseline" in page.said[0].text


def test_a_run_without_a_band_says_so():
    story = tell("early-pt", minutes=15, patients=60, draws=1, weeks=8)
    assert any("without a band" in said.text for said in story.page("demand").said)
    assert "one run" in story.page("benefit").title
    assert story.page("live").live.outcomes[0].low is None
    assert untraced(story.pages, story) == {}


def test_each_figure_has_its_provenance_its_words_and_can_be_drawn(any_story):
    drawn = [page for page in any_story.pages if page.figure]
    assert len(drawn) >= 3
    for page in drawn:
        figure, run = page.figure, any_story.provenance["runs"][0]
        for part in (run["painlab"], run["code"], f"seed {run['seed']}", evidence_date()):
            assert part in figure.caption, page.key
        assert len(figure.alt) > 60
        for spec in (figure.spec, figure.dark_spec):
            assert spec["description"] == figure.alt
            assert len(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])) > 2000
        assert figure.spec != figure.dark_spec
        if figure.native:
            assert all(len(values) == len(figure.native.categories) for _, values in figure.native.series)


def test_the_provenance_runs_again_to_the_same_numbers(early):
    run = early.provenance["runs"][0]
    scenario = Scenario.load(run["code"])
    assert scenario.fingerprint() == run["scenario_sha256"]
    again = painlab.simulate(
        scenario,
        patients=run["patients_per_draw"],
        draws=run["draws"],
        seed=run["seed"],
        weeks=run["weeks"],
        parameters=run["parameters_kind"],
    )
    assert again.weekly.equals(early.projections[0].weekly)
    assert json.loads(json.dumps(early.provenance)) == early.provenance


def test_a_deck_of_it_stays_small(any_story):
    held = json.dumps([asdict(page) for page in any_story.pages], default=list)
    assert len(held) < 1_500_000  # beside reveal.js and Vega, under 5 MB


def test_the_speaker_is_told_what_to_say_and_what_will_be_asked(early):
    told = {page.key: page.notes for page in early.pages}
    assert all(len(text) > 30 for text in told.values())
    assert sum("You will be asked" in text for text in told.values()) >= 9
    cited = {source for page in early.pages for source in page.sources}
    assert any("Sun 2018" in one for one in cited) and all(": " in one for one in cited)


def test_tables_have_a_cell_for_every_head(any_story):
    for page in any_story.pages:
        if page.table:
            assert page.table.rows
            assert all(len(row) == len(page.table.heads) and all(cell for cell in row) for row in page.table.rows), page.key


def test_the_work_tells_of_its_progress_and_can_be_stopped():
    seen: list[tuple[int, int]] = []
    tell("early-pt", minutes=5, progress=lambda done, total: seen.append((done, total)), **SMALL)
    shares = [done / total for done, total in seen]
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 10

    def enough() -> bool:
        return len(seen) >= 12

    seen.clear()
    with pytest.raises(Cancelled):
        tell("early-pt", minutes=5, progress=lambda done, total: seen.append((done, total)), cancelled=enough, **SMALL)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"audience": "experts"}, "unknown audience"),
        ({"minutes": 20}, "minutes is 20"),
        ({"title": " "}, "cannot be shown"),
        ({"title": "x" * 501}, "501 characters"),
        ({"title": "a\x1b[2J"}, "cannot be shown"),
        ({"what": []}, "0 scenarios"),
        ({"what": ["early-pt"] * 5}, "5 scenarios"),
        ({"what": "no-such-plan"}, "no scenario"),
        ({"patients": 0}, "patients is 0"),
    ],
)
def test_what_cannot_be_told_is_a_clear_error(asked, words):
    with pytest.raises(InputError, match=words):
        tell(**{"what": "early-pt", **asked})


def test_a_scenario_of_ones_own_with_many_parts_is_told():
    """Eleven parts differ, a link is cut, the words are hostile, and the baseline has no name."""
    treatments = ("physical_therapy", "joint_steroid", "acupuncture", "manual_therapy", "pain_psychology", "nerve_block")
    scenario = Scenario.from_dict(
        {
            "name": "own",
            "title": '<b>"Own"</b> & 😀',
            "question": "Why, </script>, and for whom? " * 15,
            "weeks": 10,
            "population": {"condition": "knee_osteoarthritis", "on_opioids": 0.4},
            "baseline": {"coordination": 0.0},
            "care": {name: {"start_week": 1} for name in treatments}
            | {
                "coordination": 0.9,
                "reassessment": {"interval_weeks": 4, "review": 0.5},
                "taper": {"start_week": 4, "percent_per_month": 10.0},
                "prescribing": {"opioid_start": 0.5},
            },
            "assume": {"links_cut": ["weakness_to_pain"], "values": {"home_half_life": 20.0}},
        }
    )
    story = tell(scenario, minutes=15, patients=40, draws=3)
    assert untraced(story.pages, story) == {}
    assert "How care is organized" in " ".join(said.text for said in story.page("earned").said)
    assert len(story.page("earned").figure.native.categories) <= 7
    assert "cut in this run" in json.dumps(story.page("cycle").figure.spec)
    assert not any(axis.name.startswith("cut.") for axis in story.page("live").live.levers)
    assert Scenario.load(story.provenance["runs"][0]["code"]) == scenario


def test_a_title_may_be_anything_that_can_be_printed():
    title = "<b>\"Opioids\" & 'pain'</b> 😀 مرحبا " + "x" * 400
    story = tell("early-pt", minutes=5, title=title, patients=20, draws=2, weeks=4)
    assert story.title == title == story.pages[0].title == story.provenance["title"]
