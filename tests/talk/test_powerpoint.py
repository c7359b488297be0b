"""Talks as PowerPoint: what is in the file, whether text fits, house templates, and the scenario read back."""

import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from pptx import Presentation
from pptx.util import Pt

from painlab.errors import InputError
from painlab.scenario import Scenario
from painlab.talk import native_charts, typesetting
from painlab.talk.chart_size import draw, fitted
from painlab.talk.layouts import house, own
from painlab.talk.paper import Box
from painlab.talk.powerpoint import powerpoint, read_pptx
from painlab.talk.sheets import GAP, sheets, text_room
from painlab.talk.story import Story

SOFFICE = shutil.which("soffice")


@pytest.fixture(scope="session")
def deck(story: Story) -> bytes:
    return powerpoint(story)


@pytest.fixture(scope="session")
def hostile_deck(hostile_story: Story) -> bytes:
    return powerpoint(hostile_story)


def opened(content: bytes):
    return Presentation(io.BytesIO(content))


def within(inner: Box, outer: Box) -> bool:
    right, bottom = inner.x + inner.width, inner.y + inner.height
    fits = right <= outer.x + outer.width + 0.6 and bottom <= outer.y + outer.height + 0.6
    return inner.x >= outer.x - 0.6 and inner.y >= outer.y - 0.6 and fits


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("which", ["story", "hostile_story"])
def test_every_text_fits_its_box_and_every_box_the_slide(which, native, request):
    geometry = own().geometry
    laid = sheets(request.getfixturevalue(which), geometry, native=native)
    for sheet in laid:
        whole = Box(0, 0, geometry.width, geometry.height)
        head = sheet.heading
        assert typesetting.height(head.paragraphs, head.size, head.box.width, bold=True) <= head.box.height
        for block in sheet.blocks:
            width, height = text_room(block.box, block.size, geometry, block.bullets)
            assert typesetting.height(block.paragraphs, block.size, width, gap=GAP) <= height + 0.1
            assert within(block.box, whole)
        if sheet.grid:
            below = sheet.grid.y + sheet.grid.height
            assert below <= geometry.content.y + geometry.content.height
            assert sheet.grid.x + sum(sheet.grid.widths) <= geometry.content.x + geometry.content.width + 0.5
        if sheet.placed:
            assert within(sheet.placed.box, geometry.content._replace(y=40, height=450))


def test_text_is_shrunk_before_it_goes_on_over_and_none_is_lost(story):
    from dataclasses import replace

    from painlab.talk.story import Said

    page = story.page("question")
    few = replace(story, pages=(replace(page, said=(Said("One short sentence."),)),))
    some = replace(story, pages=(replace(page, said=tuple(Said(f"Sentence {n} of a middling length for a slide.") for n in range(12))),))
    many = tuple(Said(f"Sentence {n}: " + "and so on in many words " * 8) for n in range(20))
    (first,), (second,) = sheets(few), sheets(some)
    assert first.blocks[0].size > second.blocks[0].size >= 15
    laid = sheets(replace(story, pages=(replace(page, said=many),)))
    assert len(laid) > 2
    shown = [text for sheet in laid for text in sheet.blocks[0].paragraphs]
    assert shown == [typesetting.words(one.text) for one in many]
    assert laid[1].title.endswith("(continued)")


def test_a_sentence_longer_than_a_slide_is_broken_between_words(story):
    from dataclasses import replace

    from painlab.talk.story import Said

    words = " ".join(f"word{n}" for n in range(900))
    laid = sheets(replace(story, pages=(replace(story.page("limits"), said=(Said(words),)),)))
    assert len(laid) > 1
    assert " ".join(text for sheet in laid for block in sheet.blocks for text in block.paragraphs) == words


def test_charts_and_tables_are_powerpoints_own_and_can_be_edited(deck):
    slides = list(opened(deck).slides)
    charts = [shape.chart for slide in slides for shape in slide.shapes if shape.has_chart]
    tables = [shape.table for slide in slides for shape in slide.shapes if shape.has_table]
    assert len(charts) == 2
    assert tables[0].cell(0, 1).text == "Baseline"
    line = charts[0].plots[0] if charts[0].plots[0].categories[0] == "0" else charts[0].plots[1]
    names = [series.name for plot in charts[0].plots for series in plot.series]
    assert {"Baseline", "Plan"} <= set(names)
    values = {series.name: list(series.values) for plot in charts[0].plots for series in plot.series}
    assert values["Plan"] == [100.0, 92.0, 84.0]
    assert list(line.categories) == ["0", "4", "8"]
    with zipfile.ZipFile(io.BytesIO(charts[0].part.chart_workbook.xlsx_part.blob)) as book:
        assert "xl/worksheets/sheet1.xml" in book.namelist()


def test_two_bands_are_stacked_from_what_each_has_alone_and_both_share():
    layers = native_charts._layers(((0.0, 0.0), (2.0, 1.0)), ((1.0, 3.0), (3.0, 4.0)))
    heights = {name: values for name, _, values in layers}
    # Week 0: first 0 to 2, second 1 to 3: first alone 1, both 1, second alone 1. Week 1: first 0 to 1, second 3 to 4: a gap of 2.
    assert heights == {
        "bands begin": [0.0, 0.0],
        "first alone, below": [1.0, 1.0],
        "second alone, below": [0.0, 0.0],
        "both": [1.0, 0.0],
        "neither": [0.0, 2.0],
        "first alone, above": [0.0, 0.0],
        "second alone, above": [1.0, 1.0],
    }


def test_the_sheet_behind_a_banded_chart_holds_the_ends_and_formulas_of_them():
    from painlab.talk.story import HIGH, LOW, Native

    band = ((f"a{LOW}", (1.0, 2.0)), (f"a{HIGH}", (3.0, 5.0)))
    native = Native("line", "t", ("0", "1"), (("a", (2.0, 3.0)), *band), "u")
    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    frame = native_charts.add_chart(slide.shapes, native, Box(0, 0, 400, 300), "alt")
    with zipfile.ZipFile(io.BytesIO(frame.chart.part.chart_workbook.xlsx_part.blob)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    # Columns: A weeks, B line, C and D layers, E low, F high.
    assert re.findall(r'<c r="D2"[^>]*><f>([^<]*)</f><v>([^<]*)</v>', sheet) == [("F2-E2", "2.0")]
    assert re.findall(r'<c r="F3"[^>]*><v>([^<]*)</v>', sheet) == ["5"]


def test_everything_drawn_has_words_in_its_place_and_notes_say_where_it_comes_from(deck, story):
    for slide in opened(deck).slides:
        for shape in slide.shapes:
            if shape.has_chart or shape.has_table or shape.shape_type == 13:
                assert len(shape._element.xpath(".//p:cNvPr")[0].get("descr", "")) > 20
        assert slide.notes_slide.notes_text_frame.text.strip()
    notes = opened(deck).slides[1].notes_slide.notes_text_frame.text
    assert "Hayden 2021" in notes
    assert "Demand is 84 MME a day. [run:mme_per_1000/week 8/scenario]" in notes


def test_user_text_stays_text_letter_by_letter(hostile_deck, hostile_story):
    first, second = opened(hostile_deck).slides[0], opened(hostile_deck).slides[1]
    assert first.shapes.title.text_frame.text == typesetting.words(hostile_story.title)
    said = [shape.text_frame.text for shape in second.placeholders if shape.placeholder_format.idx == 1]
    assert typesetting.words(hostile_story.pages[1].said[0].text) in said[0]
    assert second.shapes.title.text_frame.text.endswith("…")
    assert typesetting.words(hostile_story.title) in second.notes_slide.notes_text_frame.text


def test_right_to_left_sentences_are_set_from_the_right(story):
    from dataclasses import replace

    from painlab.talk.story import Said

    page = replace(story.page("question"), title="مرحبا بالعالم", said=(Said("שלום עולם"),))
    slide = opened(powerpoint(replace(story, pages=(page,)))).slides[0]
    xml = [shape._element.xpath(".//a:pPr[@rtl='1']") for shape in slide.placeholders if shape.has_text_frame]
    assert sum(map(bool, xml)) >= 2


def test_the_scenario_comes_back_as_it_went_in(deck, story, tmp_path):
    path = tmp_path / "deck.pptx"
    path.write_bytes(deck)
    record = read_pptx(path)
    assert record["provenance"] == story.provenance
    assert Scenario.from_dict(record["scenarios"][0]).fingerprint() == story.scenarios[0].fingerprint()
    made = opened(deck).core_properties
    assert made.author == "PainLab 0.0"
    assert story.scenarios[0].code()[:200] in made.keywords


def test_the_scenario_survives_saving_by_another_program(deck, tmp_path):
    path = tmp_path / "again.pptx"
    opened(deck).save(path)
    assert read_pptx(path)["scenarios"]


def test_files_that_are_no_deck_are_clear_errors(tmp_path):
    other = tmp_path / "other.pptx"
    Presentation().save(other)
    text = tmp_path / "text.pptx"
    text.write_text("no zip")
    for path, words in ((other, "holds no talk"), (text, "damaged"), (tmp_path / "none.pptx", "cannot be read"), (tmp_path, "folder")):
        with pytest.raises(InputError, match=words):
            read_pptx(path)


def test_a_damaged_or_oversized_deck_is_a_clear_error(deck, tmp_path, monkeypatch):
    path = tmp_path / "deck.pptx"
    with zipfile.ZipFile(io.BytesIO(deck)) as package:
        item = package.getinfo("customXml/item1.xml")
    damaged = bytearray(deck)
    for place in range(item.header_offset + 60, item.header_offset + 60 + item.compress_size // 2):
        damaged[place] ^= 0x55
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="damaged"):
        read_pptx(path)
    monkeypatch.setattr("painlab.talk.powerpoint.MOST_BYTES", 10)
    with pytest.raises(InputError, match="too large"):
        read_pptx(path)


def template(path: Path, *, drop: str = "", wide: bool = True) -> Path:
    deck = Presentation()
    deck.slides.add_slide(deck.slide_layouts[0]).shapes.title.text = "The house's own slide"
    if wide:
        deck.slide_width, deck.slide_height = Pt(960), Pt(540)
    for layout in list(deck.slide_layouts):
        if drop and layout.name == drop:
            deck.slide_layouts.remove(layout)
    deck.save(path)
    return path


@pytest.mark.parametrize("wide", [True, False])
def test_a_house_template_gives_its_layouts_and_none_of_its_slides(hostile_story, tmp_path, wide):
    path = template(tmp_path / "house.pptx", wide=wide)
    made = opened(powerpoint(hostile_story, path))
    assert {slide.slide_layout.name for slide in made.slides} == {"Title Slide", "Title and Content"}
    assert "The house's own slide" not in "".join(
        shape.text_frame.text for slide in made.slides for shape in slide.shapes if shape.has_text_frame
    )
    geometry = house(path).geometry
    for sheet in sheets(hostile_story, geometry, native=True):
        for block in sheet.blocks:
            width, height = text_room(block.box, block.size, geometry, block.bullets)
            assert typesetting.height(block.paragraphs, block.size, width, gap=GAP) <= height + 0.1


def test_a_layout_is_found_by_its_kind_when_its_name_is_in_another_language(story, tmp_path):
    deck = Presentation()
    for layout in deck.slide_layouts:
        layout._element.cSld.set("name", f"Folie {layout.name.upper()[::-1]}")
    deck.save(tmp_path / "haus.pptx")
    assert house(tmp_path / "haus.pptx").content._element.get("type") == "obj"


def test_a_template_file_for_new_presentations_is_taken_too(story, tmp_path):
    path = template(tmp_path / "house.pptx")
    potx = tmp_path / "house.potx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(potx, "w") as new:
        for one in old.infolist():
            new.writestr(one, old.read(one).replace(b"presentation.main+xml", b"template.main+xml"))
    assert len(opened(powerpoint(story, potx)).slides) >= len(story.pages)


def test_a_template_that_cannot_be_used_is_a_clear_error(story, tmp_path):
    text = tmp_path / "notes.pptx"
    text.write_text("not a presentation")
    lacking = tmp_path / "lacking.pptx"
    deck = Presentation()
    for layout in list(deck.slide_layouts):
        if layout._element.get("type") == "obj":
            deck.slide_layouts.remove(layout)
    deck.save(lacking)
    cases = ((tmp_path / "none.pptx", "no such file"), (tmp_path, "folder"), (text, "no presentation"), (lacking, "Title and Content"))
    for path, words in cases:
        with pytest.raises(InputError, match=words) as error:
            powerpoint(story, path)
        assert str(path) in str(error.value)


def test_a_chart_is_made_narrower_without_shrinking_its_type(story):
    from painlab.talk.drawings import Dot, dots

    rows = [Dot(f"Group {n}", outcome, 1.0, 0.5, 1.5) for n in range(4) for outcome in ("mme_per_1000", "pain", "function")]
    spec = dots(rows, ("mme_per_1000", "pain", "function"), dark=False, what="difference from the baseline")
    wide = draw(spec)
    narrow = fitted(spec, wide.width * 0.8, 600)
    assert narrow is not None
    assert narrow.width == pytest.approx(wide.width * 0.8, abs=3.5)
    types = set(re.findall(r'font-size="(\d+)px"', narrow.svg))
    assert types == set(re.findall(r'font-size="(\d+)px"', wide.svg))
    assert fitted(spec, 300, 600) is None


@pytest.mark.skipif(SOFFICE is None, reason="LibreOffice (soffice) is not on this machine")
@pytest.mark.parametrize("which", ["deck", "hostile_deck"])
def test_libreoffice_shows_every_slide_with_its_text_above_the_foot(which, request, tmp_path):
    from pypdf import PdfReader

    path = tmp_path / "deck.pptx"
    path.write_bytes(request.getfixturevalue(which))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = [str(SOFFICE), profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(path)]
    done = subprocess.run(command, capture_output=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    pages = PdfReader(tmp_path / "deck.pdf").pages
    slides = list(opened(path.read_bytes()).slides)
    assert len(pages) == len(slides)
    for number, (page, slide) in enumerate(zip(pages, slides, strict=True), start=1):
        scale = 540 / float(page.mediabox.height)
        lows: list[float] = []

        def seen(text, matrix, place, font, size, lows=lows, scale=scale):
            if text.strip():
                lows.append(540 - scale * (place[5] * matrix[3] + matrix[5]))

        page.extract_text(visitor_text=seen)
        assert lows and min(lows) > 0
        allowed = 498 if number > 1 else 540
        body = [low for low in lows if not 500 < low < 530]
        assert max(body) < allowed, (number, max(body), slide.shapes.title.text_frame.text[:40])
