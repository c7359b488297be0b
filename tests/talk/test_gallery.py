"""The gallery shows each kind of slide and figure there is, in pictures that are there, small, and described."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from painlab import InputError
from painlab.talk import gallery
from painlab.talk.figures import FIGURES
from painlab.talk.story import KEYS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / gallery.PAGE).read_text(encoding="utf-8")
SHOWN = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", TEXT)


def test_every_picture_is_there_small_and_described() -> None:
    assert SHOWN
    for alt, name in SHOWN:
        assert 0 < (DOCS / name).stat().st_size <= gallery.MOST_BYTES, name
        assert len(alt.split()) >= 2, name


def test_no_picture_lies_there_unused() -> None:
    assert {(DOCS / gallery.PICTURES / path.name) for path in (DOCS / gallery.PICTURES).iterdir()} == {DOCS / name for _, name in SHOWN}


def test_each_page_of_a_talk_and_each_figure_is_shown() -> None:
    names = {Path(name).stem for _, name in SHOWN}
    assert {f"slide-{key}" for key in KEYS if key != "compare"} <= names  # a talk of one scenario has nothing to compare
    assert {f"figure-{key}" for key in FIGURES if key != "compare"} <= names
    assert {"deck-live", "deck-moved", "deck-dark", "explorer", "explorer-export"} <= names


def test_a_moved_lever_changes_the_live_page() -> None:
    still, moved = (Image.open(DOCS / gallery.PICTURES / f"deck-{name}.png").convert("RGB") for name in ("live", "moved"))
    assert still.size == moved.size and still.tobytes() != moved.tobytes()


def test_links_of_the_gallery_resolve() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (DOCS / target).exists(), target


def test_a_picture_is_made_small() -> None:
    large = io.BytesIO()
    Image.effect_mandelbrot((3000, 2000), (-2, -1.5, 1, 1.5), 60).convert("RGB").save(large, "PNG")
    made = gallery.small(large.getvalue())
    assert len(made) <= gallery.MOST_BYTES and Image.open(io.BytesIO(made)).size == (960, 640)


def test_a_picture_that_cannot_be_made_small_is_not_written() -> None:
    noise = io.BytesIO()
    Image.effect_noise((960, 960), 250).convert("RGB").save(noise, "PNG")
    with pytest.raises(ValueError, match="960 by 960"):
        gallery.small(noise.getvalue())


def test_a_missing_folder_and_missing_pictures_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder of the documentation"):
        gallery.write(tmp_path / "nowhere")
    with pytest.raises(InputError, match="Chromium"):
        gallery._in_browser([gallery.Shown("deck-live.png", "The live page", "Moved.")], tmp_path, False, dict)
