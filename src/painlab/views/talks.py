"""A talk about the explorer's last run, made behind it while the levers stay free, with its progress and a way to stop it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Final

import ipywidgets

from painlab.engine.execution import Cancelled
from painlab.projection import Projection
from painlab.views import exports

LENGTHS: Final = (("5 minutes", 5), ("15 minutes", 15), ("40 minutes", 40))
AUDIENCES: Final = (("For clinicians", "clinicians"), ("For everyone", "public"), ("For analysts", "analysts"))
Made = Callable[[str, bytes, str], None]


class TalkExport:
    """Length, audience, and the making of one talk at a time.

    serve(name, content, MIME type) is called with the file, say and fail with what to tell; all three in the thread that asked, so
    that they may change widgets. Without a running event loop, as in a plain script, `begin` makes the talk before it returns.
    """

    def __init__(self, serve: Made, say: Callable[[str], None], fail: Callable[[Exception], None]) -> None:
        self._serve, self._say, self._fail = serve, say, fail
        self._stopped = Event()
        short = ipywidgets.Layout(width="auto")
        self.minutes = ipywidgets.Dropdown(options=LENGTHS, value=15, description="Length", layout=short).add_class("painlab-pick")
        self.audience = ipywidgets.Dropdown(options=AUDIENCES, description="Audience", layout=short).add_class("painlab-pick")
        self.stop = ipywidgets.Button(description="Stop", tooltip="Stop making the talk")
        self.box = ipywidgets.HBox([self.minutes, self.audience, self.stop]).add_class("painlab-line")
        self.stop.on_click(lambda _: self._stopped.set())
        self._task: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="painlab-talk")
        self.show(False)
        self._rest()

    @property
    def working(self) -> bool:
        """Whether a talk is being made."""
        return self._task is not None and not self._task.done()

    def show(self, wanted: bool) -> None:
        """Show the choices, or hide them where no talk is chosen."""
        self.box.layout.display = "flex" if wanted else "none"

    def begin(self, projection: Projection, kind: str) -> None:
        """Make a talk of a kind in `exports.TALKS`; while one is being made, say so and leave it."""
        if self.working:
            self._say("A talk is being made. Stop it first, or wait for it.")
            return
        self._stopped = Event()
        minutes, audience = self.minutes.value, self.audience.value
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            try:
                self._hand_over(projection, kind, self._make(projection, kind, minutes, audience, lambda done, total: None))
            except Exception as error:
                self._fail(error)
            return
        self.stop.layout.display = "flex"
        self._say("Making the talk; the levers stay free.")

        def progress(done: int, total: int) -> None:
            loop.call_soon_threadsafe(self._tell, done, total)

        async def work() -> None:
            try:
                content = await loop.run_in_executor(self._pool, self._make, projection, kind, minutes, audience, progress)
                self._hand_over(projection, kind, content)
            except Cancelled:
                self._say("The talk was stopped; nothing was saved.")
            except Exception as error:
                self._fail(error)
            finally:
                self._rest()

        self._task = loop.create_task(work())

    def close(self) -> None:
        """End what runs."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _make(self, projection: Projection, kind: str, minutes: int, audience: str, progress: Callable[[int, int], None]) -> bytes:
        stopped, told = self._stopped, -1

        def now_and_then(done: int, total: int) -> None:
            nonlocal told
            if (percent := 100 * done // max(total, 1)) >= told + 5 or (done == total and percent > told):
                told = percent
                progress(done, total)

        made = exports.talk_maker()(
            projection, exports.TALKS[kind].ending, minutes=minutes, audience=audience, progress=now_and_then, cancelled=stopped.is_set
        )
        if stopped.is_set():
            raise Cancelled
        return made

    def _tell(self, done: int, total: int) -> None:
        if self.working and not self._stopped.is_set():
            self._say(f"Making the talk: {100 * done // max(total, 1)} %. The levers stay free.")

    def _hand_over(self, projection: Projection, kind: str, content: bytes) -> None:
        name = exports.file_name(projection, kind)
        self._serve(name, content, exports.TALKS[kind].mime)
        self._say(f"{name} is among the browser's downloads. `painlab project {name}` makes its numbers again.")

    def _rest(self) -> None:
        self.stop.layout.display = "none"
