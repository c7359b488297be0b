"""The explorer as a page of its own, without a notebook: what `painlab app` serves, on this machine only, behind a token."""

import asyncio
import os
import socket
import tempfile
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from html import escape
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

from painlab.errors import InputError

if TYPE_CHECKING:
    from voila.app import Voila

    from painlab.views.explorer import Explorer

HERE: Final = Path(__file__).parent
NOTEBOOK: Final = HERE / "cycle_lab.ipynb"
ADDRESS: Final = "127.0.0.1"
PORT: Final = 8866
SCENARIO_VARIABLE: Final = "PAINLAB_APP_SCENARIO"
FIRST_RUN_SECONDS: Final = 180
LEFT_SECONDS: Final = 120
"""A kernel whose page is gone ends after this time; a page that is closed properly ends its kernel at once."""

_EXTENSIONS: Final = ("@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8", "anywidget")

Say = Callable[[str], None]


def serve(scenario: str, *, port: int | None = None, browser: bool = True, say: Say = print) -> None:
    """Serve the explorer until the process is interrupted.

    Parameters
    ----------
    scenario
        Name of a shipped scenario, or path of a TOML file, with which each page begins.
    port
        Port on this machine; 0 takes any free one, None takes 8866 or, if that is taken, any free one.
    browser
        Whether to open the page in the user's browser.
    say
        Is called with a line for the user once the page can be opened.

    Raises InputError if the scenario does not exist, the port is taken, Voila is not installed, or the token is empty.
    """
    from painlab.scenario import Scenario

    Scenario.load(scenario)
    chosen = free_port(port)
    # Voila looks for templates in Jupyter's folders, and kernels inherit the environment.
    others = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(HERE / "share"), *([others] if others else [])])
    os.environ[SCENARIO_VARIABLE] = str(Path(scenario).resolve()) if Path(scenario).is_file() else scenario
    application = _voila()(say, config=_configuration(chosen, browser))
    application.initialize([])
    application.start()


async def page() -> "Explorer":
    """The explorer of a page, after its first full run: what changes while a browser is still building the page would be lost to it."""
    from painlab.views.explorer import explore

    explorer = explore(os.environ[SCENARIO_VARIABLE])
    done = asyncio.Event()
    explorer.on_settled(lambda _: done.set())
    if explorer.projection is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), FIRST_RUN_SECONDS)
    return explorer


def free_port(port: int | None) -> int:
    """The port to listen on.

    >>> free_port(None) > 0
    True

    Raises InputError if `port` is taken or not allowed.
    """
    wanted = PORT if port is None else port
    with socket.socket() as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was left a moment ago is free
        try:
            probe.bind((ADDRESS, wanted))
        except (OSError, OverflowError):
            if port is None:
                return free_port(0)
            problem = f"port {port} is taken by another program, or not allowed"
            raise InputError(problem, expected="a free port from 1024 to 65535", mend="Leave --port out, or choose another.") from None
        found: int = probe.getsockname()[1]
        return found


def _configuration(port: int, browser: bool) -> Any:
    from traitlets.config import Config

    culling = {"cull_idle_timeout": LEFT_SECONDS, "cull_interval": LEFT_SECONDS // 4, "cull_connected": False}
    page = {
        "template": "painlab",
        "allow_template_override": "NO",
        "allow_theme_override": "NO",
        "file_allowlist": [],
        "extension_allowlist": list(_EXTENSIONS),
        "multi_kernel_manager_class": "jupyter_server.services.kernels.kernelmanager.AsyncMappingKernelManager",
    }
    # Settings of the user's other Jupyter servers have no say here: they could take the token away.
    server = {"ip": ADDRESS, "port": port, "port_retries": 0, "auto_token": True, "open_browser": browser, "config_file_paths": []}
    # No pings: on one machine no connection is lost unnoticed, and Jupyter's first takes the time since the opening for a missing answer.
    web = {"allow_remote_access": False, "ws_ping_interval": 0}
    application = {"notebook_path": str(NOTEBOOK), "tornado_settings": web, "log_level": "ERROR"}
    encrypted = {"transport_encryption": "auto"}
    return Config(Voila={**server, **application}, VoilaConfiguration=page, MappingKernelManager=culling, KernelManager=encrypted)


def _voila() -> type["Voila"]:
    """Voila, with PainLab's words in place of its log. Raises InputError if it is not installed."""
    try:
        from voila.app import Voila
    except ImportError as error:
        problem = f"the page needs Voila, which cannot be loaded ({error})"
        raise InputError(problem, mend="Install it into the environment of PainLab: python -m pip install voila") from None
    from jupyter_core.paths import jupyter_runtime_dir
    from tornado.ioloop import IOLoop
    from tornado.web import HTTPError
    from voila.shutdown_kernel_handler import VoilaShutdownKernelHandler

    class Leaving(VoilaShutdownKernelHandler):  # type: ignore[misc]
        """Ends the kernel of a page that is left; Voila's own refuses, because what a leaving page sends cannot carry a token."""

        def check_xsrf_cookie(self) -> None:
            if not self.check_origin():  # besides, the kernel's name cannot be guessed
                raise HTTPError(404)

    class Page(Voila):  # type: ignore[misc]
        """Voila for one page, with a token always."""

        name = "voila"

        def __init__(self, say: Say, **options: Any) -> None:
            super().__init__(**options)
            self._say = say
            self._opened: Path | None = None

        @cached_property
        def page_url(self) -> str:
            """The address with its token."""
            return f"{self.connection_url}?token={self.identity_provider.token}"

        def init_settings(self) -> dict[str, Any]:
            settings: dict[str, Any] = super().init_settings()
            if not self.identity_provider.token:
                raise InputError("the token is empty", mend="Take JUPYTER_TOKEN and JUPYTER_TOKEN_FILE out of the environment.")
            return settings

        def init_handlers(self) -> list[Any]:
            return [(one[0], Leaving, *one[2:]) if one[1] is VoilaShutdownKernelHandler else one for one in super().init_handlers()]

        def listen(self) -> None:
            IOLoop.current().add_callback(lambda: self._say(f"PainLab is at {self.page_url}\nControl-C ends it."))
            super().listen()

        def launch_browser(self) -> None:
            # A file that leads on, as Jupyter does it: a token on a command line could be read by others.
            with suppress(webbrowser.Error, OSError):
                found = webbrowser.get()
                folder = Path(jupyter_runtime_dir())
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                handle, name = tempfile.mkstemp(suffix=".html", prefix="painlab-", dir=folder)
                os.close(handle)
                self._opened = Path(name)
                onward = f'<meta http-equiv="refresh" content="0; url={escape(self.page_url)}">'
                self._opened.write_text(f"<!DOCTYPE html>{onward}<title>PainLab</title>", encoding="utf-8")
                Thread(target=found.open, args=(self._opened.as_uri(),), kwargs={"new": 2}, daemon=True).start()

        def stop(self) -> None:
            if self._opened:
                self._opened.unlink(missing_ok=True)
            super().stop()

    return Page
