"""What browser tests and `make bench-ui` visit: a JupyterLab, the page of `painlab app`, and a real Chromium without a network."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, BrowserContext, Page, WebSocket, sync_playwright

from painlab.app import free_port

ROOT: Final = Path(__file__).parents[1]
PATIENCE: Final = 180  # seconds; only a limit
LOOPBACK: Final = re.compile(r"^(wss?|https?)://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)


class NoBrowser(RuntimeError):
    """There is no Chromium or Chrome on the PATH."""


def browser_path() -> str:
    """Where a browser is. Raises NoBrowser."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
    if found is None:
        raise NoBrowser("no chromium, chromium-browser or google-chrome on the PATH")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium that knows this machine's own addresses only. Raises NoBrowser."""
    found = browser_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def enclosed(browser: Browser, outside: list[str], *, width: int = 1500, height: int = 1100) -> BrowserContext:
    """A fresh profile whose pages reach this machine only; addresses elsewhere that they ask for are noted in `outside`."""
    context = browser.new_context(viewport={"width": width, "height": height}, service_workers="block")
    context.set_default_timeout(PATIENCE * 1000)
    elsewhere = re.compile(rf"^(?!{LOOPBACK.pattern[1:]})(wss?|https?)://")

    def refuse(route: Any) -> None:
        outside.append(route.request.url)
        route.abort()

    def note_socket(socket: WebSocket) -> None:
        if elsewhere.match(socket.url):
            outside.append(socket.url)

    context.route(elsewhere, refuse)
    # Routing sockets would put Playwright's own between page and kernel, and slow each message; Chromium's rules refuse them (`FLAGS`).
    context.on("page", lambda page: page.on("websocket", note_socket))
    return context


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


@contextmanager
def jupyterlab(home: Path) -> Iterator[JupyterLab]:
    """A JupyterLab with token over a copy of notebooks/ in the folder `home`, without the user's settings.

    Raises RuntimeError if it does not start.
    """
    root = home / "notebooks"
    shutil.copytree(ROOT / "notebooks", root, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    runtime = home / "runtime"
    settings = home / "settings"
    # Every cell is in the document, also below the window's edge; nobody is asked about news.
    for plugin, choices in (
        ("notebook-extension/tracker", {"windowingMode": "none"}),
        ("apputils-extension/notification", {"fetchNews": "false"}),
    ):
        file = settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(choices), encoding="utf-8")
    environment = {"JUPYTERLAB_SETTINGS_DIR": str(settings), "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces")}
    token = secrets.token_hex(16)
    command = (
        *("-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
        *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={free_port(0)}", f"--ServerApp.root_dir={root}"),
        *(f"--IdentityProvider.token={token}", "--LabApp.news_url=None"),  # the rest as `make lab` has it
        *("--LabApp.extension_manager=readonly", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
    )

    def address() -> str | None:
        for described in runtime.glob("jpserver-*.json"):
            try:
                url = str(json.loads(described.read_text(encoding="utf-8"))["url"])
            except (ValueError, OSError):
                continue
            if answers(f"{url}api"):
                return url
        return None

    with _server("JupyterLab", command, home, root, environment, address) as url:
        yield JupyterLab(url, token, root)


@contextmanager
def app(home: Path, *options: str) -> Iterator[tuple[str, str]]:
    """The page of `painlab app`: its address without a token, and the token. Raises RuntimeError if it does not start."""
    token = secrets.token_hex(16)
    url = f"http://127.0.0.1:{free_port(0)}/"
    command = ("-m", "painlab", "app", "--no-browser", "--port", url.rpartition(":")[2].strip("/"), *options)
    with _server("painlab app", command, home, home, {"JUPYTER_TOKEN": token}, lambda: url if answers(f"{url}login") else None):
        yield url, token


def answers(url: str) -> bool:
    """Whether a server is there."""
    try:
        with urlopen(url, timeout=10):
            return True
    except (URLError, OSError):
        return False


@contextmanager
def _server(
    name: str, command: tuple[str, ...], home: Path, folder: Path, variables: dict[str, str], address: Callable[[], str | None]
) -> Iterator[str]:
    """A server from its start until it is no longer needed; the address at which it answers."""
    folders = {f"JUPYTER_{part}_DIR": str(home / part.lower()) for part in ("CONFIG", "DATA", "RUNTIME")}
    environment = {**os.environ, **folders, "IPYTHONDIR": str(home / "ipython"), **variables}
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, *command], env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE
            while process.poll() is None and time.monotonic() < deadline:
                url = address()
                if url is not None:
                    break
                time.sleep(0.05)
            else:
                raise RuntimeError(f"{name} did not start:\n{log.read_text(errors='replace')[-4000:]}")
            yield url
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
