"""Pictures of pages in a browser that has no network: the deck and the explorer as their users see them."""

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from painlab.errors import InputError
from painlab.talk.html_deck import html
from painlab.talk.story import Story

_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PATIENCE: Final = 180.0  # seconds
_SLIDE: Final = {"width": 1280, "height": 720}
_WINDOW: Final = {"width": 1360, "height": 900}
_SETTLED: Final = """() => document.querySelector(".painlab-explorer .painlab-picture[data-drawn]")
  && !document.querySelector(".painlab-waiting")"""
_TURN: Final = """(key) => {
  const slides = [...document.querySelectorAll(".slides > section")];
  Reveal.slide(slides.findIndex((one) => one.dataset.key === key));
}"""


def deck(story: Story) -> dict[str, bytes]:
    """Pictures of a deck by name: its first page, the live page before and after a lever is moved, the dark theme and the overview."""
    found: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory() as folder, _page(_SLIDE) as page:
        path = Path(folder) / "deck.html"
        path.write_text(html(story), encoding="utf-8")

        def at(key: str) -> None:
            page.evaluate(_TURN, key)
            here = f'section.present[data-key="{key}"]'
            page.wait_for_selector(here, state="visible")
            if key != "title":
                page.wait_for_selector(f"{here} .picture svg, {here} .picture canvas", state="visible")
            page.wait_for_timeout(1200)

        page.goto(path.as_uri())
        page.wait_for_selector("section.present", state="visible")
        at("title")
        found["deck-title.png"] = page.screenshot()
        at("live")
        found["deck-live.png"] = page.screenshot()
        lever = page.locator("section.present .lever input").first
        if lever.get_attribute("type") == "range":
            lever.focus()
            page.keyboard.press("End" if lever.input_value() != lever.get_attribute("max") else "Home")
        else:
            page.locator("section.present .lever input:not(:checked)").first.check(force=True)
        page.wait_for_timeout(1200)
        found["deck-moved.png"] = page.screenshot()
        at("demand")
        page.keyboard.press("t")
        page.wait_for_timeout(1200)
        found["deck-dark.png"] = page.screenshot()
        page.keyboard.press("t")
        page.keyboard.press("Escape")
        page.wait_for_timeout(2000)
        found["deck-overview.png"] = page.screenshot()
    return found


def explorer() -> dict[str, bytes]:
    """Pictures of the explorer by name: as it opens, and the page where a scenario is shared and saved."""
    found: dict[str, bytes] = {}
    with _app() as address, _page(_WINDOW) as page:
        page.goto(address)
        page.wait_for_function(_SETTLED)
        found["explorer.png"] = page.screenshot()
        page.locator(".painlab-choice").get_by_role("radio", name="Share and save", exact=True).check(force=True)
        pick = page.locator(".painlab-sharing select").first
        pick.select_option(label="Talk, for a browser, with live charts (HTML)")
        page.wait_for_timeout(800)
        page.locator(".painlab-sharing").first.scroll_into_view_if_needed()
        page.wait_for_timeout(400)
        found["explorer-export.png"] = page.screenshot()
    return found


@contextmanager
def _page(size: Any) -> Iterator[Any]:
    """A page of a fresh, headless Chromium that reaches this machine only. Raises InputError without one."""
    path = next(filter(None, map(shutil.which, _BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        raise InputError("pictures of pages in a browser need Chromium and playwright", mend='Install them: pip install -e ".[dev]"')
    with sync_playwright() as playwright:
        rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", rules])
        page = browser.new_page(viewport=size)
        page.set_default_timeout(_PATIENCE * 1000.0)
        yield page
        browser.close()


@contextmanager
def _app() -> Iterator[str]:
    """The address of a `painlab app` that runs until it is no longer needed."""
    from socket import socket

    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "painlab", "app", "--no-browser", "--port", str(port)]
    with tempfile.TemporaryDirectory() as home:
        folders = {f"JUPYTER_{part}_DIR": str(Path(home) / part.lower()) for part in ("CONFIG", "DATA", "RUNTIME")}
        environment = {**os.environ, **folders, "IPYTHONDIR": str(Path(home) / "ipython"), "JUPYTER_TOKEN": token}
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + _PATIENCE
            while not _answers(f"http://127.0.0.1:{port}/login"):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError("`painlab app` did not start")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/?token={token}"
        finally:
            process.terminate()
            process.wait(30)


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=10):
            return True
    except (URLError, OSError):
        return False
