"""Figures for papers: size, type, resolution, and where they come from."""

import io
import re
import struct

import pytest
from PIL import Image
from pypdf import PdfReader

from painlab.errors import InputError
from painlab.simulation import simulate
from painlab.talk.figures import FIGURES, SIZES, dimensions, figure


@pytest.fixture(scope="module")
def run():
    return simulate("early-pt", patients=40, draws=2, seed=1, weeks=26)


def types(svg: str) -> set[float]:
    """Sizes of type in points at the final size."""
    scale = float(re.search(r"scale\(([\d.]+)\)", svg)[1])
    return {round(float(size) * scale, 2) for size in re.findall(r'font-size="([\d.]+)px"', svg)}


@pytest.mark.parametrize(("name", "size"), [("demand", "single"), ("demand", "double"), ("body", "single"), ("cycle", "double")])
def test_type_has_seven_to_nine_points_at_the_width_of_the_column(run, tmp_path, name, size):
    svg = figure(name, run, tmp_path / "x.svg", size).read_text()
    width, height = (float(one) for one in re.search(r'width="([\d.]+)mm" height="([\d.]+)mm"', svg).groups())
    assert width == SIZES[size][0]
    assert 30 < height <= 225
    assert types(svg)
    assert min(types(svg)) >= 7.0
    assert max(types(svg)) <= 9.05


def test_the_chart_fills_the_column(run, tmp_path):
    svg = figure("demand", run, tmp_path / "x.svg", "single").read_text()
    left = float(re.search(r"translate\(([\d.]+) 0\)", svg)[1])
    assert left < 0.03 * 85 / 25.4 * 72


def test_a_narrow_column_stacks_what_a_wide_one_sets_side_by_side(run, tmp_path):
    def height(size):
        svg = figure("demand", run, tmp_path / f"{size}.svg", size).read_text()
        return float(re.search(r'height="([\d.]+)mm"', svg)[1])

    assert height("single") > 1.5 * height("double")


def test_a_size_in_millimeters_is_kept(run, tmp_path):
    svg = figure("demand", run, tmp_path / "x.svg", (120, 100)).read_text()
    assert 'width="120mm" height="100.000mm"' in svg


def test_a_png_has_its_dots_to_the_inch_and_says_where_it_comes_from(run, tmp_path):
    path = figure("demand", run, tmp_path / "x.png", "single", 300)
    data = path.read_bytes()
    with Image.open(path) as image:
        assert image.size[0] == pytest.approx(85 / 25.4 * 300, abs=2)
        assert image.info["dpi"][0] == pytest.approx(300, abs=0.1)
        assert run.scenario.code() in image.text["Source"]
        image.load()
    # Every chunk's length leads to the next, to the end.
    at, kinds = 8, []
    while at < len(data):
        length = struct.unpack(">I", data[at : at + 4])[0]
        kinds.append(data[at + 4 : at + 8])
        at += 12 + length
    assert kinds[0] == b"IHDR"
    assert kinds[-1] == b"IEND"
    assert kinds.count(b"pHYs") == 1


def test_a_pdf_has_the_size_of_the_column_and_text_as_text(run, tmp_path):
    page = PdfReader(io.BytesIO(figure("demand", run, tmp_path / "x.pdf", "single").read_bytes()))
    assert float(page.pages[0].mediabox.width) == pytest.approx(85 / 25.4 * 72, abs=0.5)
    assert "Opioid demand" in page.pages[0].extract_text()
    assert "seed 1" in page.metadata.subject


def test_the_origin_is_drawn_unless_it_is_left_out_and_always_in_the_file(run, tmp_path):
    drawn = figure("demand", run, tmp_path / "a.svg", "double").read_text()
    without = figure("demand", run, tmp_path / "b.svg", "double", origin=False).read_text()
    assert drawn.count("seed 1") == 2
    assert without.count("seed 1") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "deman"}, "demand"),
        ({"path": "x.jpg"}, "svg"),
        ({"path": "x"}, "no ending"),
        ({"size": "singel"}, "single"),
        ({"size": (10, 10)}, "10 by 10"),
        ({"size": "ab"}, "unknown size"),
        ({"size": (1, 2, 3)}, "width and a height"),
        ({"dpi": 10}, "dpi"),
        ({"path": "missing/x.svg"}, "folder"),
        ({"name": "cycle"}, "double"),
        ({"name": "compare"}, "two to four"),
        ({"size": (60, 40)}, "does not fit"),
    ],
)
def test_a_wish_that_cannot_be_met_is_a_clear_error(run, tmp_path, change, words):
    wish = {"name": "demand", "path": "x.svg", "size": "single", "dpi": 600} | change
    with pytest.raises(InputError, match=words):
        figure(wish["name"], run, tmp_path / wish["path"], wish["size"], wish["dpi"])
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_only_when_asked(run, tmp_path):
    path = figure("demand", run, tmp_path / "x.svg")
    with pytest.raises(InputError, match="already"):
        figure("demand", run, path)
    figure("demand", run, path, force=True)


def test_every_figure_is_described_and_sizes_are_plain():
    assert all(len(words) > 15 for words in FIGURES.values())
    assert dimensions((100, 0)) == (100.0, 0.0)
