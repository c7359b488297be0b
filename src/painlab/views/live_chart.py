"""A chart in a notebook that is drawn once and then fed new numbers: no flicker, no re-display, nothing from a network."""

import hashlib
import os
import stat
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import altair as alt
import anywidget
import ipywidgets
import numpy as np
import platformdirs
import polars as pl
import traitlets
import vl_convert

from painlab.errors import InputError
from painlab.views.appearance import theme
from painlab.views.charts import rows
from painlab.views.panels import DATASET
from painlab.views.standing import Standing, pictured

_ASSETS: Final = Path(__file__).parent / "assets"

Table = pl.DataFrame | Mapping[str, Sequence[Any]]


class VegaLibrary(anywidget.AnyWidget):
    """Vega and the drawing code as one model that all live charts of a kernel refer to, so that it is sent and stored once."""

    source = traitlets.Unicode().tag(sync=True)
    digest = traitlets.Unicode().tag(sync=True)
    _esm = "export default {};"


class LiveChart(anywidget.AnyWidget):
    """A Vega-Lite chart that is embedded once and updated in place.

    Parameters
    ----------
    chart
        An altair chart, or a Vega-Lite specification as a dict, whose data are named datasets (as from `charts.dashboard`).
        With a chart of `painlab.views.charts` the colors follow the page, light or dark; another chart keeps its own.
    data
        A polars frame for the dataset "weekly", or a mapping from the name of a dataset to a frame or to a dict of columns.
        Of a weekly frame only the rows that the chart draws are sent.
    headline
        The finding, shown above the chart.
    description
        What the chart shows, for screen readers; by default the description in the specification.
    summary
        What the numbers say now; screen readers read it out when it changes.
    renderer
        "svg" (marks and axes have labels for screen readers) or "canvas" (quicker with many marks).
    theme
        "auto" (as the page), "light" or "dark".

    Raises InputError if `chart` or `data` is something else.
    """

    spec = traitlets.Dict().tag(sync=True)
    data = traitlets.Dict().tag(sync=True)
    light_config = traitlets.Dict().tag(sync=True)
    dark_config = traitlets.Dict().tag(sync=True)
    headline = traitlets.Unicode().tag(sync=True)
    description = traitlets.Unicode().tag(sync=True)
    summary = traitlets.Unicode().tag(sync=True)
    renderer = traitlets.Enum(("svg", "canvas"), "svg").tag(sync=True)
    theme = traitlets.Enum(("auto", "light", "dark"), "auto").tag(sync=True)
    waiting = traitlets.Bool(False).tag(sync=True)  # what it says is of the run before
    moved: traitlets.List[Any] = traitlets.List().tag(sync=True)  # name and value of the lever that made the data; empty if none did
    keeps = traitlets.Bool(False).tag(sync=True)  # sends its picture when it rests
    library = traitlets.Instance(VegaLibrary).tag(sync=True, **ipywidgets.widget_serialization)

    _esm = _ASSETS / "live_chart_loader.js"
    _css = _ASSETS / "live_chart.css"

    def __init__(
        self,
        chart: alt.TopLevelMixin | dict[str, Any],
        data: Table | Mapping[str, Table] | None = None,
        *,
        headline: str = "",
        description: str = "",
        summary: str = "",
        renderer: str = "svg",
        theme: str = "auto",
    ) -> None:
        drawn = _drawn(chart)
        super().__init__(
            **drawn,
            data=_columns(drawn["spec"], data) if data is not None else _own_data(chart),
            headline=headline,
            description=description or drawn["spec"].get("description", "Chart"),
            summary=summary,
            renderer=renderer,
            theme=theme,
            library=_library(),
        )
        self._keep: Callable[[str], None] = lambda svg: None
        self.on_msg(self._on_message)

    def keep_picture(self, keep: Callable[[str], None]) -> None:
        """Have the browser send the picture as SVG whenever it has come to rest; `keep(svg)` is called with it."""
        self._keep, self.keeps = keep, True

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        if isinstance(content, dict) and isinstance(content.get("svg"), str):
            self._keep(content["svg"])

    def _ipython_display_(self) -> None:
        standing = Standing()
        self.keep_picture(lambda svg: standing.show(pictured(svg, self.headline, self.summary or self.description)))
        standing.display(self)

    def update(
        self,
        data: Table | Mapping[str, Table],
        *,
        headline: str | None = None,
        summary: str | None = None,
        waiting: bool = False,
    ) -> None:
        """Show new numbers in the chart as it stands, and with them a new headline and summary, in one message.

        `data` is as for the class; `waiting` says that headline and summary are still those of the run before. A browser that is still
        drawing skips to the newest numbers.
        """
        with self.hold_sync():
            self.data = {**self.data, **_columns(self.spec, data)}
            self.waiting = waiting
            if headline is not None:
                self.headline = headline
            if summary is not None:
                self.summary = summary

    def foresee(self, lever: str, value: float, data: Table | Mapping[str, Table], *, anew: bool) -> None:
        """Tell browsers what `update` will show if a lever is moved to a value: they draw it as the lever moves, before it is asked for.

        `lever` is the name of a control within the same explorer; `anew` has all forgotten that was told before. The widget's state, and so
        a saved notebook, holds nothing of it.
        """
        buffers: list[bytes] = []
        tables: dict[str, dict[str, Any]] = {}
        for table, columns in _columns(self.spec, data).items():
            tables[table] = dict(columns)
            for name, values in columns.items():
                if isinstance(values, bytes):
                    tables[table][name] = len(buffers)
                    buffers.append(values)
        self.send({"ahead": lever, "value": value, "anew": anew, "tables": tables}, buffers)

    def replace(self, chart: alt.TopLevelMixin | dict[str, Any], data: Table | Mapping[str, Table] | None = None) -> None:
        """Show another chart in the same place (another horizon, larger type), with new numbers or those shown now."""
        drawn = _drawn(chart)
        with self.hold_sync():
            for name, value in drawn.items():
                setattr(self, name, value)
            self.description = drawn["spec"].get("description", self.description)
            if data is not None:
                self.data = _columns(self.spec, data)


def fitted(chart: alt.ConcatChart) -> dict[str, Any]:
    """The specification of panels side by side, such as `charts.panel`, for a live chart that makes them as wide as the page allows.

    Type keeps its size; without it a chart that is too wide is drawn smaller as a whole.
    """
    spec = dict(chart.to_dict(validate=False))
    spec["usermeta"]["painlab"]["fit"] = spec["spacing"]["column"]
    return spec


def javascript() -> str:
    """The script that draws live charts, with Vega inside; made once, then kept in this process and in the user's cache folder."""
    return _javascript()


@cache
def _javascript() -> str:
    snippet = (_ASSETS / "live_chart.js").read_text(encoding="utf-8")
    key = hashlib.sha256(f"{version('vl-convert-python')}\n{snippet}".encode()).hexdigest()[:16]
    kept = platformdirs.user_cache_path("painlab") / f"live_chart-{key}.js"
    script = _kept(kept)
    if script is None:
        script = vl_convert.javascript_bundle(snippet)
        _keep(kept, script)
    return script


def _kept(path: Path) -> str | None:
    """The script kept earlier, unless someone else could have written it: it will run in the user's browser."""
    try:
        status = path.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)):
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _keep(path: Path, script: str) -> None:
    # Written beside and moved, so that another process never reads half a file. Without a writable folder it is made anew each time.
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(script)
            Path(draft).replace(path)
        except OSError:
            Path(draft).unlink(missing_ok=True)


_shared: VegaLibrary | None = None


def _library() -> VegaLibrary:
    """The one library of this kernel; made again if someone closed all widgets."""
    global _shared
    if _shared is None or _shared.comm is None:
        script = javascript()
        _shared = VegaLibrary(source=script, digest=hashlib.sha256(script.encode()).hexdigest())
    return _shared


def _drawn(chart: alt.TopLevelMixin | dict[str, Any]) -> dict[str, Any]:
    """Traits that say how the chart looks: its specification without data and colors, and the colors for light and dark pages."""
    spec = _spec(chart)
    own = spec.pop("config", {})
    spec.pop("datasets", None)
    notes = spec.get("usermeta", {}).get("painlab")
    if notes is None:
        return {"spec": spec, "light_config": own, "dark_config": own}
    return {"spec": spec, "light_config": theme(False, notes["large"]), "dark_config": theme(True, notes["large"])}


def _spec(chart: alt.TopLevelMixin | dict[str, Any]) -> dict[str, Any]:
    if isinstance(chart, dict):
        return dict(chart)
    if isinstance(chart, alt.TopLevelMixin):
        return dict(chart.to_dict())
    raise InputError(f"a live chart cannot show a {type(chart).__name__}", expected="an altair chart or a Vega-Lite specification")


def _own_data(chart: alt.TopLevelMixin | dict[str, Any]) -> dict[str, Any]:
    """The datasets a chart came with, as columns."""
    datasets = _spec(chart).get("datasets", {})
    return {name: _table(pl.DataFrame(records, infer_schema_length=None)) for name, records in datasets.items()}


def _columns(spec: dict[str, Any], data: Table | Mapping[str, Table]) -> dict[str, Any]:
    """Datasets by name, each a dict of columns: numbers as little-endian float64 bytes (NaN if missing), other values as a list."""
    if isinstance(data, pl.DataFrame):
        data = {DATASET: data}
    if not isinstance(data, Mapping) or not all(isinstance(table, pl.DataFrame | Mapping) for table in data.values()):
        raise InputError("the data of a live chart are not tables", expected="a polars frame, or a dict of polars frames by dataset name")
    frames = {name: table if isinstance(table, pl.DataFrame) else pl.DataFrame(table) for name, table in data.items()}
    return {name: _table(rows(spec, frame)) for name, frame in frames.items()}


def _table(frame: pl.DataFrame) -> dict[str, Any]:
    return {column.name: _values(column) for column in frame}


def _values(column: pl.Series) -> bytes | list[Any]:
    if not column.dtype.is_numeric():
        return column.to_list()
    return np.asarray(column.cast(pl.Float64).fill_null(float("nan")), dtype="<f8").tobytes()
