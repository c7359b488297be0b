"""A real Chromium without a network, and a JupyterLab for it to visit."""

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
PATIENCE = 180  # seconds; only a limit, nothing is timed
LOOPBACK = re.compile(r"^(wss?|https?)://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium; without one the test is skipped, or fails if PAINLAB_REQUIRE_BROWSER=1."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
    if found is None:
        reason = "no chromium, chromium-browser or google-chrome on the PATH"
        if os.environ.get("PAINLAB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}, and PAINLAB_REQUIRE_BROWSER=1")
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


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
    context = chromium.new_context(viewport={"width": 1500, "height": 1100}, service_workers="block")
    context.set_default_timeout(PATIENCE * 1000)
    outside = re.compile(rf"^(?!{LOOPBACK.pattern[1:]})(wss?|https?)://")

    def refuse(route):
        outside_requests.append(route.request.url)
        route.abort()

    def refuse_socket(socket):
        outside_requests.append(socket.url)
        socket.close()

    context.route(outside, refuse)
    context.route_web_socket(outside, refuse_socket)
    page = context.new_page()
    page.on("pageerror", lambda error: page_errors.append(str(error)))
    yield page
    context.close()


class JupyterLab:
    """A running JupyterLab over a temporary copy of notebooks/, and what a reader does in it."""

    def __init__(self, url: str, token: str, root: Path) -> None:
        self.url = url
        self.token = token
        self.root = root

    def write_notebook(self, name: str, *cells: str) -> None:
        """Write a notebook with these code cells into the served folder."""
        metadata = {"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}}
        code = [
            {"cell_type": "code", "id": f"cell-{i}", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
            for i, source in enumerate(cells)
        ]
        notebook = {"cells": code, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        (self.root / name).write_text(json.dumps(notebook), encoding="utf-8")

    def open_notebook(self, page: Page, name: str) -> None:
        """Open a notebook alone in the window and wait until its kernel is idle."""
        page.goto(f"{self.url}lab/workspaces/{secrets.token_hex(4)}/tree/{name}?token={self.token}")
        page.wait_for_function("window.jupyterapp !== undefined")
        page.evaluate("window.jupyterapp.restored")
        self.wait_until_idle(page)

    def wait_until_idle(self, page: Page) -> None:
        """Wait until the kernel of the notebook in front has nothing to do."""
        page.wait_for_function(
            """() => {
                const context = window.jupyterapp.shell.currentWidget?.context;
                return context?.isReady && context.sessionContext?.session?.kernel?.status === "idle";
            }"""
        )

    def run_all(self, page: Page) -> None:
        """Run all cells of the notebook in front, and wait until the last is done; a cell that fails is an AssertionError."""
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        self.wait_until_idle(page)
        errors = page.evaluate(
            """() => Array.from(window.jupyterapp.shell.currentWidget.content.widgets)
                .filter((cell) => cell.model.type === "code")
                .flatMap((cell) => cell.model.outputs.toJSON())
                .filter((output) => output.output_type === "error")
                .map((output) => `${output.ename}: ${output.evalue}`)"""
        )
        assert not errors, errors

    def run_code(self, page: Page, code: str) -> None:
        """Run code in the kernel of the notebook in front, outside its cells; an error there is an AssertionError."""
        status = page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
                const reply = await kernel.requestExecute({ code, stop_on_error: true }).done;
                return reply.content.status === "ok" ? "" : `${reply.content.ename}: ${reply.content.evalue}`;
            }""",
            code,
        )
        assert not status, status

    def close_notebook(self, page: Page) -> None:
        """End the kernel of the notebook in front, so that the next test has the machine to itself."""
        page.evaluate("window.jupyterapp.shell.currentWidget.context.sessionContext.shutdown()")


@pytest.fixture(scope="session")
def jupyterlab(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterLab]:
    """A JupyterLab with token, without the user's settings; ended with the session."""
    home = tmp_path_factory.mktemp("jupyter")
    root = home / "notebooks"
    shutil.copytree(ROOT / "notebooks", root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    folders = {name: home / name.lower() for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")}
    settings = home / "settings"
    # Every cell is in the document, also below the window's edge; nobody is asked about news.
    for plugin, choices in (
        ("notebook-extension/tracker", {"windowingMode": "none"}),
        ("apputils-extension/notification", {"fetchNews": "false"}),
    ):
        file = settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(choices), encoding="utf-8")
    environment = {
        **os.environ,
        **{f"JUPYTER_{name}": str(folder) for name, folder in folders.items()},
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
    }
    token = secrets.token_hex(16)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = (
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", f"--ServerApp.root_dir={root}", f"--IdentityProvider.token={token}"),
        *("--LabApp.extension_manager=readonly", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
    )
    log = home / "jupyterlab.log"
    with log.open("wb") as output:
        server = subprocess.Popen(command, env=environment, cwd=root, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield JupyterLab(_address(server, folders["RUNTIME_DIR"], log), token, root)
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _address(server: subprocess.Popen, runtime: Path, log: Path) -> str:
    """The server's address once it answers; it chooses another port if ours was taken meanwhile."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        for described in runtime.glob("jpserver-*.json"):
            try:
                facts = json.loads(described.read_text(encoding="utf-8"))
                with urlopen(f"{facts['url']}api", timeout=10):
                    return str(facts["url"])
            except (URLError, ValueError, OSError):
                continue
        time.sleep(0.2)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text(errors='replace')[-4000:]}")
