"""`painlab app`: the explorer as a page of its own, behind a token, usable by keyboard and by screen reader, without a network."""

import json
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import axe_playwright_python
import pytest

from benchmarks import servers

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
READINESS = "Prescribing: readiness to start"
PINGED = 33.0  # seconds; Jupyter's servers ping a connection every thirty, unless they are told otherwise
SETTLED = (
    """() => document.querySelector('.painlab-explorer .painlab-picture[data-drawn]') && !document.querySelector('.painlab-waiting')"""
)


@pytest.fixture(scope="module")
def served(chromium, tmp_path_factory):
    """The address of the page without its token, and the token."""
    with servers.app(tmp_path_factory.mktemp("app"), "--scenario", "late-pt") as running:
        yield running


@pytest.fixture
def opened(served, page, outside_requests, page_errors):
    """The page with its explorer at rest; afterwards nothing outside was asked for, and no script failed."""
    url, token = served
    page.goto(f"{url}?token={token}")
    page.wait_for_function(SETTLED)
    yield page
    page.goto("about:blank")
    assert outside_requests == []
    assert page_errors == []


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def answer(url: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    """Status and place of an answer; a redirection is not followed."""
    try:
        with urllib.request.build_opener(NoRedirect).open(urllib.request.Request(url, headers=headers, method=method), timeout=60) as reply:
            return reply.status, ""
    except HTTPError as error:
        return error.code, error.headers.get("Location", "")


def serious(page) -> list[str]:
    """What axe-core calls serious or critical on the page as it is, a line for each element."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:300]}: {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def kernel(page) -> str:
    """The name of the page's kernel."""
    return json.loads(page.locator("#jupyter-config-data").text_content())["kernelId"]


def test_without_its_token_or_under_a_foreign_name_the_page_is_not_given(served):
    url, token = served
    for wrong in (url, f"{url}?token=0", f"{url}voila/render/cycle_lab.ipynb"):
        status, place = answer(wrong)
        assert (status == 302 and place.startswith("/login")) or status in (403, 404)
    assert answer(f"{url}api/kernels/00000000-0000-0000-0000-000000000000")[0] == 403
    assert answer(f"{url}?token={token}", Host="elsewhere.example")[0] == 403


def test_the_page_has_levers_and_charts_and_no_code_and_says_what_it_is(opened):
    page = opened
    assert "PainLab" in page.title()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("main").locator(".painlab-explorer .painlab-picture").locator("svg, canvas").count()
    assert page.get_by_role("heading", level=1).inner_text().startswith("PainLab")
    assert page.get_by_role("slider").count()
    picture = page.locator(".painlab-explorer .painlab-picture").bounding_box()
    middle = [picture["x"] + picture["width"] / 2, picture["y"] + picture["height"] / 2]
    inside = "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.painlab-picture'))"
    assert page.evaluate(inside, middle), "the picture is not where a mouse would find it"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "__import__" not in page.content()
    assert page.locator("#loading").count() == 0
    assert "patients" in page.locator(".painlab-sentence").inner_text()


def test_a_lever_moved_by_keyboard_moves_the_chart(opened):
    page = opened
    picture = page.locator(".painlab-explorer .painlab-picture").first
    before = int(picture.get_attribute("data-drawn"))
    looks = picture.screenshot()
    page.locator(".painlab-choice").get_by_role("radio", name="Prescribe", exact=True).check(force=True)
    lever = page.get_by_role("slider", name=READINESS)
    value = lever.input_value()
    lever.focus()
    page.keyboard.press("Home")
    assert lever.input_value() != value
    page.wait_for_function(
        "before => Number(document.querySelector('.painlab-explorer .painlab-picture').dataset.drawn) > before", arg=before
    )
    page.wait_for_function(SETTLED)
    assert picture.screenshot() != looks


def test_axe_finds_nothing_serious_on_the_page(opened):
    found = serious(opened)
    assert not found, "\n".join(found)


def test_axe_finds_nothing_serious_in_any_view_or_group_of_levers_and_the_connection_is_kept(opened):
    page = opened
    lost: list[str] = []
    page.on("console", lambda message: lost.append(message.text) if "onnection lost" in message.text else None)
    began = time.monotonic()
    found = set()
    for choice in ("View", "Controls"):
        radios = page.get_by_role("group", name=choice, exact=True).get_by_role("radio")
        assert radios.count() >= 5
        for number in range(radios.count()):
            radios.nth(number).check(force=True)
            page.wait_for_function(SETTLED)
            found |= set(serious(page))
    assert not found, "\n".join(sorted(found))
    page.wait_for_timeout(1000 * max(0.0, PINGED - (time.monotonic() - began)))
    assert lost == []


def test_axe_finds_nothing_serious_while_the_page_is_loading(served, page, outside_requests):
    url, token = served
    page.goto(f"{url}?token={token}", wait_until="commit")
    page.wait_for_selector("#loading")
    assert "Preparing" in page.get_by_role("status").inner_text()
    found = serious(page)
    assert not found, "\n".join(found)
    page.wait_for_function(SETTLED)
    page.goto("about:blank")
    assert outside_requests == []


def test_a_page_that_is_left_ends_its_kernel_and_one_whose_kernel_has_ended_says_so(served, page):
    url, token = served
    page.goto(f"{url}?token={token}")
    page.wait_for_function(SETTLED)
    address = f"{url}api/kernels/{kernel(page)}"
    headers = {"Authorization": f"token {token}"}
    assert answer(address, **headers)[0] == 200
    page.goto("about:blank")
    deadline = time.monotonic() + servers.PATIENCE
    while answer(address, **headers)[0] != 404 and time.monotonic() < deadline:  # what a leaving page sends arrives when it arrives
        time.sleep(0.1)
    assert answer(address, **headers)[0] == 404

    page.goto(f"{url}?token={token}")
    page.wait_for_function(SETTLED)
    assert not page.locator("#ended").is_visible()
    assert answer(f"{url}api/kernels/{kernel(page)}", "DELETE", **headers)[0] == 204
    page.locator("#ended").wait_for(state="visible")
