"""A lever as a widget: slider, exact entry, the baseline's value and its evidence, all from the lever's record."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import anywidget
import traitlets

from painlab import catalog, evidence
from painlab.fields import Lever

_ASSETS: Final = Path(__file__).parent / "assets"


class LeverControl(anywidget.AnyWidget):
    """A slider with exact entry and named levels for one lever.

    Both are native inputs, so that they have names for screen readers and all keys of a slider (arrows, page keys, Home, End).
    `baseline` marks the baseline's value beneath the slider; None marks nothing.
    """

    name = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode().tag(sync=True)
    unit = traitlets.Unicode().tag(sync=True)
    help = traitlets.Unicode().tag(sync=True)
    low = traitlets.Float().tag(sync=True)
    high = traitlets.Float().tag(sync=True)
    step = traitlets.Float().tag(sync=True)
    value = traitlets.Float().tag(sync=True, echo_update=False)  # an answer to each move would hold up the picture
    baseline = traitlets.Float(None, allow_none=True).tag(sync=True)
    disabled = traitlets.Bool(False).tag(sync=True)
    levels = traitlets.Dict().tag(sync=True)

    _esm = _ASSETS / "lever.js"  # its style comes with `Choice`: sent with each of fifty levers it would weigh half a megabyte

    def __init__(self, lever: Lever, asked: Callable[[str], None], held: Callable[[], None] = lambda: None) -> None:
        """Make the control of a lever; `asked(evidence)` is called when someone wants to see its evidence, with "" when it is no longer
        wanted; `held()` when the keyboard comes to it.
        """
        name = lever.section if lever.section.lower() == lever.label else f"{lever.section}: {lever.label}"
        unit = "" if lever.unit == "1" or lever.unit.rstrip("s") in lever.label else lever.unit
        super().__init__(
            name=name,
            label=lever.label[0].upper() + lever.label[1:],
            unit=unit,
            help=f"{name}. {evidence_text(lever.meaning, lever.source)}",
            low=lever.low,
            high=lever.high,
            step=lever.step,
            value=lever.low,
            levels=lever.levels,
        )
        heard = {"evidence": lambda: asked(self.help), "dismiss": lambda: asked(""), "held": held}
        self.on_msg(lambda _widget, content, _buffers: heard.get(content.get("event"), lambda: None)())


class Choice(anywidget.AnyWidget):
    """One of a few, by name: radio buttons that look like a row of tabs.

    `options` are pairs of value and words; `value` is the chosen one's.
    """

    name = traitlets.Unicode().tag(sync=True)
    options: traitlets.List[list[str]] = traitlets.List().tag(sync=True)
    value = traitlets.Unicode().tag(sync=True)

    _esm = _ASSETS / "choice.js"
    _css = _ASSETS / "explorer.css"

    def __init__(self, name: str, options: Mapping[str, str], value: str = "") -> None:
        """Make a choice from a mapping of values to words; the first is chosen if `value` is left out."""
        super().__init__(name=name, options=[list(pair) for pair in options.items()], value=value or next(iter(options)))


class Download(anywidget.AnyWidget):
    """Hands files to the browser, where a user without a file system of the server's finds them."""

    _esm = _ASSETS / "download.js"

    def serve(self, name: str, content: bytes, kind: str) -> None:
        """Have the browser save a file, of a MIME type `kind`."""
        self.send({"name": name, "type": kind}, [content])

    def copy(self, text: str) -> None:
        """Put a text on the clipboard, where the browser allows it."""
        self.send({"copy": text})


def evidence_text(meaning: str, source: str) -> str:
    """What something means and where its figure comes from: citations of the ids in `source`, how good each is, and what is an assumption.

    >>> evidence_text("Length of one course.", "assumption")
    'Length of one course. An assumption: no published figure sets it.'
    """
    ids, _, assumed = source.partition("assumption")
    grades: dict[str, dict[str, None]] = {}  # by publication, each once
    for key in filter(None, map(str.strip, ids.split(";"))):
        grades.setdefault(evidence.citation(key), {})[evidence.grade(key)] = None
    said = [f"{meaning[:1].upper()}{meaning[1:].rstrip('.')}."]
    if grades:
        told = [f"{publication} ({'; '.join(how)})" for publication, how in grades.items()]
        said.append(f"Evidence: {'; '.join(told)}.")
    if source != ids:
        said.append(f"An assumption: {assumed.removeprefix(':').strip() or 'no published figure sets it'}.")
    return " ".join(said)


def treatment_evidence(name: str) -> str:
    """What is known of a treatment, with its citations."""
    treatment = catalog.treatments()[name]
    return f"{treatment.label}. {evidence_text(treatment.known, treatment.evidence)}"
