"""Talks as PDF without a browser: text that is text, letters that no font has, bookmarks, and the scenario read back."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from painlab.errors import InputError
from painlab.scenario import Scenario
from painlab.talk import typesetting
from painlab.talk.handout import compose, pdf, read_pdf
from painlab.talk.paper import Geometry
from painlab.talk.sheets import sheets


@pytest.fixture(scope="session")
def handout(story) -> bytes:
    return pdf(story)


def test_each_page_is_a_sheet_of_16_to_9_with_its_sentences_as_text(handout, story):
    pages = PdfReader(io.BytesIO(handout)).pages
    assert len(pages) >= len(story.pages)
    assert {tuple(map(float, page.mediabox[2:])) for page in pages} == {(960.0, 540.0)}
    words = " ".join(pages[1].extract_text().split())
    assert "Therapy starts in week 2." in words
    assert "Demand is 84 MME a day." in words
    assert "PainLab 0.0" in words
    assert "Hayden 2021" in words


def test_pages_have_bookmarks_and_the_file_says_what_it_is(handout, story):
    reader = PdfReader(io.BytesIO(handout))
    assert len(reader.outline) == len(reader.pages)
    assert reader.metadata is not None
    assert reader.metadata.title == story.title
    assert story.scenarios[0].code() in reader.metadata["/Keywords"]


def test_the_scenario_comes_back_as_it_went_in(handout, story, tmp_path):
    path = tmp_path / "deck.pdf"
    path.write_bytes(handout)
    record = read_pdf(path)
    assert record["provenance"] == story.provenance
    assert Scenario.from_dict(record["scenarios"][0]).fingerprint() == story.scenarios[0].fingerprint()


def test_files_that_are_no_handout_are_clear_errors(tmp_path):
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.write(tmp_path / "other.pdf")
    (tmp_path / "text.pdf").write_text("not a PDF")
    damaged = PdfWriter()
    damaged.add_blank_page(100, 100)
    damaged.add_attachment("painlab-talk.json", b"{")
    damaged.write(tmp_path / "damaged.pdf")
    for name, words in (("other", "holds no talk"), ("text", "no PDF"), ("none", "cannot be read"), ("damaged", "is damaged")):
        with pytest.raises(InputError, match=words):
            read_pdf(tmp_path / f"{name}.pdf")


def test_hostile_text_is_escaped_drawn_and_named_where_no_font_has_it(hostile_story):
    import xml.etree.ElementTree as Tree

    pages = PdfReader(io.BytesIO(pdf(hostile_story))).pages
    words = " ".join(pages[1].extract_text().split())
    assert '<script>alert("x")</script>' in words
    shown = typesetting.drawable("🇳🇴")
    assert shown == "🇳🇴" or "[flag NO]" in words
    for sheet in sheets(hostile_story, Geometry()):
        Tree.fromstring(compose(sheet, Geometry(), "foot & <foot>", 1, 2))


def test_letters_without_a_font_are_named_and_others_kept():
    assert typesetting.drawable("Greek Ωμ, → and ≥") == "Greek Ωμ, → and ≥"
    unknown = "\U0001f9ff\U00012000"  # an amulet and a sign of cuneiform: hardly any font has both
    shown = typesetting.drawable(f"a{unknown}b")
    if shown != f"a{unknown}b":
        assert "[" in shown
        assert shown.startswith("a")
        assert shown.endswith("b")


def test_a_line_in_two_directions_is_cut_where_the_direction_changes():
    def order(text, turned):
        return [("".join(run.text for run in stretch), stretch[0].turned) for stretch in typesetting.runs(text, 10, turned=turned)]

    assert order("say שלום עולם now", False) == [("say ", False), ("שלום עולם", True), (" now", False)]
    assert order("שלום 12 (abc)", True) == [("שלום 12 (", True), ("abc", False), (")", True)]
    assert typesetting.right_to_left("«مرحبا» abc")
    assert not typesetting.right_to_left("abc مرحبا")


def test_a_sentence_that_fits_no_page_goes_on_over(story):
    from painlab.talk.story import Said

    many = tuple(Said(f"Sentence {n}, and so on in many words, and so on in many words, to the end of it.") for n in range(40))
    page = replace(story.page("limits"), said=many)
    pages = PdfReader(io.BytesIO(pdf(replace(story, pages=(page,))))).pages
    words = " ".join(" ".join(one.extract_text().split()) for one in pages)
    assert len(pages) > 1
    assert all(f"Sentence {n}," in words for n in range(40))


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120), st.floats(6, 40), st.floats(30, 400))
def test_wrapping_keeps_every_letter_and_every_line_in_its_room(text, size, room):
    text = typesetting.clean(text)
    lines = typesetting.wrap(text, size, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        letters = [sign for sign in line if typesetting._sign_width(sign, False) > 0]
        assert (
            typesetting.width(line, size) <= room * 1.02
            or len(letters) <= 1
            or any(typesetting._sign_width(sign, False) * size > room for sign in letters)
        )


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_cut_text_fits_and_begins_as_the_whole(text):
    text = typesetting.clean(text)
    short = typesetting.cut(text, 20, (200, 60))
    assert short == text or (short.endswith("…") and text.startswith(short[:-1]))
    assert short == "…" or typesetting.height([short], 20, 200) <= 60
