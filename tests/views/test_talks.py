"""Talks as exports of the explorer: chosen, made behind it with progress, stopped, and handed to the browser."""

import asyncio
from html import unescape
from threading import Event

import pytest

import painlab
from painlab import InputError
from painlab.engine.execution import Cancelled
from painlab.views import explorer as views
from painlab.views import exports
from painlab.views.exploration import Size
from painlab.views.talks import TalkExport


@pytest.fixture
def run():
    return painlab.simulate("early-pt", patients=20, draws=2, weeks=8)


class Heard:
    """A talk export whose words and files are kept."""

    def __init__(self) -> None:
        self.files: list[tuple[str, bytes, str]] = []
        self.said: list[str] = []
        self.failed: list[Exception] = []
        self.export = TalkExport(lambda *file: self.files.append(file), self.said.append, self.failed.append)


@pytest.fixture
def heard():
    one = Heard()
    yield one
    one.export.close()


def making(monkeypatch: pytest.MonkeyPatch, make) -> None:
    monkeypatch.setattr(exports, "talk_maker", lambda: make)


@pytest.mark.parametrize(("kind", "begins"), [("talk-html", b"<!DOCTYPE html>"), ("talk-pptx", b"PK"), ("talk-pdf", b"%PDF")])
def test_a_talk_is_handed_to_the_browser(monkeypatch, kind, begins):
    monkeypatch.setattr(views, "FULL", Size(20, 2))
    explorer = painlab.explore(painlab.Scenario.load("early-pt").change(name="mine", weeks=8))
    served = []
    monkeypatch.setattr(explorer.sharing.download, "send", lambda content, buffers=None: served.append((content, buffers)))
    explorer.sharing.kind.value = kind
    explorer.sharing.talks.minutes.value = 5
    explorer.sharing.export.click()
    [(content, [body])] = served
    assert content["name"] == f"mine-talk.{exports.TALKS[kind].ending}" and content["type"] == exports.TALKS[kind].mime
    assert body.startswith(begins)
    assert f"painlab project {content['name']}" in unescape(explorer.message.value)
    explorer.close()


def test_length_and_audience_are_shown_where_a_talk_is_chosen_only(monkeypatch):
    monkeypatch.setattr(views, "FULL", Size(20, 1))
    sharing = painlab.explore("early-pt").sharing
    assert sharing.talks.box.layout.display == "none"
    sharing.kind.value = "talk-html"
    assert sharing.talks.box.layout.display == "flex"
    sharing.kind.value = "png"
    assert sharing.talks.box.layout.display == "none"


def test_the_choices_reach_the_maker(run, heard, monkeypatch):
    wished = {}

    def make(projection, ending, *, progress, cancelled, **wish):
        wished.update(wish, ending=ending)
        return b"talk"

    making(monkeypatch, make)
    heard.export.minutes.value, heard.export.audience.value = 40, "public"
    heard.export.begin(run, "talk-pptx")
    assert wished == {"minutes": 40, "audience": "public", "ending": "pptx"}
    assert heard.files == [("early-pt-talk.pptx", b"talk", exports.TALKS["talk-pptx"].mime)]


def test_the_loop_stays_free_while_a_talk_is_made_and_progress_is_told(run, heard, monkeypatch):
    go = Event()

    def make(projection, ending, *, progress, **_):
        for done in range(1001):
            progress(done, 1000)
        go.wait(10)
        return b"talk"

    making(monkeypatch, make)

    async def work():
        heard.export.begin(run, "talk-html")
        assert heard.export.working and heard.files == [] and heard.export.stop.layout.display == "flex"
        while not any("100 %" in words for words in heard.said):
            await asyncio.sleep(0.01)
        heard.export.begin(run, "talk-html")
        assert "A talk is being made" in heard.said[-1]
        go.set()
        while heard.export.working:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(work(), 20))
    assert [name for name, *_ in heard.files] == ["early-pt-talk.html"]
    assert 10 < sum("%" in words for words in heard.said) < 30  # not a thousand times
    assert heard.export.stop.layout.display == "none" and heard.failed == []


def test_a_talk_can_be_stopped(run, heard, monkeypatch):
    def make(projection, ending, *, cancelled, **_):
        while not cancelled():
            pass
        raise Cancelled

    making(monkeypatch, make)

    async def work():
        heard.export.begin(run, "talk-html")
        await asyncio.sleep(0.05)
        heard.export.stop.click()
        while heard.export.working:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(work(), 20))
    assert heard.files == [] and heard.said[-1] == "The talk was stopped; nothing was saved."


def test_what_goes_wrong_is_said(run, heard, monkeypatch):
    def make(*_, **__):
        raise InputError("no room")

    making(monkeypatch, make)

    async def work():
        heard.export.begin(run, "talk-html")
        while heard.export.working:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(work(), 20))
    heard.export.begin(run, "talk-html")
    assert [str(one) for one in heard.failed] == ["no room."] * 2 and heard.files == []
