"""The pictures of a projection are those of `charts.demand`, whether its specification was kept or built."""

import copy
import json

import platformdirs
import pytest

import painlab
from painlab.views import charts, pictures


@pytest.fixture(scope="module")
def projection() -> painlab.Projection:
    return painlab.simulate("early-pt", patients=30, draws=4, weeks=20)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """An empty cache folder."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: folder)
    return folder


def expected(projection):
    return json.loads(json.dumps(charts.demand(projection, title=projection.headline()).to_dict()))


def test_a_kept_specification_gives_the_chart_that_is_built_anew(projection, cache):
    assert not cache.exists()
    assert [pictures.specification(projection) for _ in range(2)] == [expected(projection)] * 2
    assert len(list(cache.iterdir())) == 1


def test_a_specification_is_kept_without_numbers_and_serves_another_run(projection, cache, monkeypatch):
    pictures.specification(projection)
    monkeypatch.setattr(pictures, "_built", lambda _: pytest.fail("it was built anew"))
    other = painlab.simulate("early-pt", patients=30, draws=4, weeks=20, seed=2)
    assert pictures.specification(other) == expected(other)
    assert "datasets" not in json.loads(next(cache.iterdir()).read_text())


@pytest.mark.parametrize("change", [{"weeks": 21}, {"draws": 1}])
def test_a_chart_that_looks_different_is_kept_by_itself(projection, cache, change):
    pictures.specification(projection)
    other = painlab.simulate("early-pt", **{"patients": 30, "draws": 4, "weeks": 20} | change)
    assert pictures.specification(other) == expected(other)
    assert len(list(cache.iterdir())) == 2


@pytest.mark.parametrize("spoiled", [b"", b"{", b"[]", b"\xff\xfe"])
def test_a_spoiled_cache_is_built_anew(projection, cache, monkeypatch, spoiled):
    built = {"title": {}, "description": ": a chart", "usermeta": {"painlab": {"outcomes": ["pain"], "title_characters": 40}}}
    monkeypatch.setattr(pictures, "_built", lambda _: copy.deepcopy(built))
    first = pictures.specification(projection)
    (kept,) = cache.iterdir()
    kept.write_bytes(spoiled)
    assert pictures.specification(projection) == first
    assert json.loads(kept.read_text()) == built


def test_without_a_cache_folder_the_pictures_are_drawn_all_the_same(projection, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda _: tmp_path / "file" / "cache")
    pictures.write(projection, tmp_path)
    assert "</svg>" in (tmp_path / "demand.svg").read_text()
    assert (tmp_path / "demand.png").read_bytes().startswith(b"\x89PNG")
