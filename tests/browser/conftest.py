"""A real Chromium without a network, a JupyterLab for it to visit, and the page of `painlab app`."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from benchmarks import servers
from benchmarks.servers import JupyterLab


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; without one the test is skipped, or fails if PAINLAB_REQUIRE_BROWSER=1."""
    try:
        with servers.chromium() as browser:
            yield browser
    except servers.NoBrowser as reason:
        if os.environ.get("PAINLAB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}, and PAINLAB_REQUIRE_BROWSER=1")
        pytest.skip(str(reason))


@pytest.fixture
def outside_requests() -> list[str]:
    """Addresses outside this machine that the page asked for; none was answered."""
    return []


@pytest.fixture
def page_errors() -> list[str]:
    """Uncaught errors of the page's scripts."""
    return []


@pytest.fixture
def page(chromium: Browser, outside_requests: list[str], page_errors: list[str]) -> Iterator[Page]:
    """A fresh page that can reach this machine only."""
    context = servers.enclosed(chromium, outside_requests)
    page = context.new_page()
    page.on("pageerror", lambda error: page_errors.append(str(error)))
    yield page
    context.close()


@pytest.fixture(scope="session")
def jupyterlab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab with token, without the user's settings; ended with the session."""
    with servers.jupyterlab(tmp_path_factory.mktemp("jupyter")) as running:
        yield running
