"""A projection's pictures as files: opioid demand with pain and function beside it, as SVG and PNG.

The chart is `charts.demand`. Building it takes two seconds, most of them for loading altair, and it holds no numbers: so its
specification is kept in the user's cache folder, and a later run only fills in the numbers and the headline.
"""

import hashlib
import json
import sys
import tempfile
import textwrap
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import platformdirs
import polars as pl
import vl_convert

from painlab.projection import Projection

if TYPE_CHECKING:
    from types import ModuleType

_SCALE: Final = 2  # pixels of the PNG for one of the SVG
_SOURCES: Final = ("appearance.py", "charts.py", "panels.py", "pictures.py", "../outcomes.py")


def write(projection: Projection, folder: Path) -> None:
    """Write demand.svg and demand.png into a folder, which exists. Nothing is fetched from a network."""
    drawn = svg(projection)
    (folder / "demand.svg").write_text(drawn, encoding="utf-8")
    (folder / "demand.png").write_bytes(vl_convert.svg_to_png(drawn, scale=_SCALE))


def svg(projection: Projection) -> str:
    """The picture as SVG."""
    return str(vl_convert.vegalite_to_svg(specification(projection), allowed_base_urls=[]))


def png(projection: Projection) -> bytes:
    """The picture as PNG, sharp on a projector."""
    return bytes(vl_convert.svg_to_png(svg(projection), scale=_SCALE))


def specification(projection: Projection) -> dict[str, Any]:
    """The Vega-Lite specification of `charts.demand` with the projection's headline as its title."""
    kept = platformdirs.user_cache_path("painlab") / f"demand-{_key(projection)}.json"
    spec = _read(kept)
    if spec is None:
        spec = _built(projection)
        _keep(kept, spec)
    notes = spec["usermeta"]["painlab"]
    headline = projection.headline()
    spec["title"]["text"] = textwrap.wrap(headline, notes["title_characters"])
    spec["description"] = headline + spec["description"]
    spec["datasets"] = {"weekly": projection.weekly.filter(pl.col("outcome").is_in(notes["outcomes"])).drop("unit").to_dicts()}
    return spec


def _key(projection: Projection) -> str:
    """All that the empty chart depends on."""
    digest = hashlib.sha256(version("altair").encode())
    for name in _SOURCES:
        digest.update((Path(__file__).parent / name).read_bytes())
    baseline = projection.scenario.baseline if isinstance(projection.scenario.baseline, str) else ""
    digest.update(json.dumps([projection.weeks, baseline, projection.level, projection.draws > 1]).encode())
    return digest.hexdigest()[:16]


def _built(projection: Projection) -> dict[str, Any]:
    title = "-"
    spec: dict[str, Any] = _charts().demand(projection, title=title).to_dict()
    spec["description"] = spec["description"].removeprefix(title)
    del spec["datasets"]
    return spec


def _charts() -> "ModuleType":
    """The charts, loaded without the grammar of web addresses: jsonschema would parse it for a second, and no chart needs it."""
    grammar = "rfc3987_syntax"
    left_out = grammar not in sys.modules
    if left_out:
        sys.modules[grammar] = None  # type: ignore[assignment]
    try:
        from painlab.views import charts
    finally:
        if left_out:
            del sys.modules[grammar]
    return charts


def _read(path: Path) -> dict[str, Any] | None:
    try:
        spec: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return spec if isinstance(spec, dict) and "usermeta" in spec else None


def _keep(path: Path, spec: dict[str, Any]) -> None:
    # Written beside and moved, so that another process never reads half a file. Without a writable folder it is built anew each time.
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".part", encoding="utf-8", delete=False) as file:
            json.dump(spec, file)
        Path(file.name).replace(path)
