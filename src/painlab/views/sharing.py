"""How a scenario leaves the explorer and comes back: a code, a TOML file, pictures, numbers, a slide, a talk."""

from collections.abc import Callable
from typing import Any, Final

import ipywidgets

from painlab.errors import InputError
from painlab.projection import Projection
from painlab.scenario import Scenario
from painlab.tables import parse_toml, printable
from painlab.views import exports
from painlab.views.controls import Download
from painlab.views.exploration import Exploration
from painlab.views.talks import TalkExport

_FOLDER: Final = "folder"


class Sharing:
    """Controls for codes and files; `open_(scenario)` is called with one that was given, `say` and `fail` with what to tell."""

    def __init__(
        self,
        exploration: Exploration,
        current: Callable[[], Projection | None],
        open_: Callable[[Scenario], None],
        say: Callable[[str], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._exploration, self._current, self._open, self._say, self._fail = exploration, current, open_, say, fail
        wide = ipywidgets.Layout(width="auto")
        self.code = ipywidgets.Text(description="Code of this scenario", disabled=False, layout=wide).add_class("painlab-code")
        self.copy = ipywidgets.Button(description="Copy code", tooltip="For a colleague, or for `painlab project CODE`")
        self.given = ipywidgets.Text(description="Open a code", placeholder="PL1-...", layout=wide).add_class("painlab-code")
        self.go = ipywidgets.Button(description="Open code")
        self.upload = ipywidgets.FileUpload(accept=".toml", multiple=False, description="Open a TOML file")
        kinds = [(one.words, name) for name, one in (exports.KINDS | exports.TALKS).items()] + [
            ("All of these but the talks, in a folder beside the notebook", _FOLDER)
        ]
        self.kind = ipywidgets.Dropdown(options=kinds, description="Export", layout=wide).add_class("painlab-pick")
        self.export = ipywidgets.Button(description="Export", tooltip="Save it", disabled=True)
        self.download = Download()
        self.talks = TalkExport(self.download.serve, say, fail)
        self.kind.observe(lambda change: self.talks.show(change["new"] in exports.TALKS), "value")
        self.copy.on_click(lambda _: self._on_copy())
        self.go.on_click(lambda _: self._try(lambda: self._open(Scenario.from_code(self.given.value))))
        self.upload.observe(self._on_upload, "value")
        self.export.on_click(lambda _: self._try(self._on_export))
        rows = ((self.kind, self.export), (self.talks.box,), (self.code, self.copy), (self.given, self.go), (self.upload, self.download))
        self.box = ipywidgets.VBox([ipywidgets.HBox(row).add_class("painlab-line") for row in rows]).add_class("painlab-sharing")

    def show(self) -> None:
        """Show the code of the scenario, and allow exports of the full run."""
        self.code.value = self._exploration.scenario.code()
        self.export.disabled = self._current() is None

    def _on_copy(self) -> None:
        self.download.copy(self.code.value)
        self._say("The code is on the clipboard, where the browser allows it; otherwise select and copy it.")

    def _on_upload(self, change: dict[str, Any]) -> None:
        if change["new"]:
            self.take(change["new"][0]["name"], bytes(change["new"][0]["content"]))
            self.upload.value = ()

    def take(self, name: str, content: bytes) -> None:
        """Open the scenario of a file that was handed in."""
        where = printable(name)
        self._try(lambda: self._open(Scenario.from_dict(parse_toml(content, where), where=where)))

    def _on_export(self) -> None:
        projection = self._current()
        if projection is None or projection.scenario != self._exploration.scenario:
            raise InputError("the full run is not there yet", mend="Export it in a moment, when the charts have come to rest.")
        if self.kind.value == _FOLDER:
            made = exports.folder(projection)
            self._say(f"Saved in the folder {made}: {', '.join(sorted(path.name for path in made.iterdir()))}.")
            return
        if self.kind.value in exports.TALKS:
            self.talks.begin(projection, self.kind.value)
            return
        kind, name = exports.KINDS[self.kind.value], exports.file_name(projection, self.kind.value)
        self.download.serve(name, kind.make(projection), kind.mime)
        self._say(f"{name} is among the browser's downloads.")

    def _try(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception as error:
            self._fail(error)
