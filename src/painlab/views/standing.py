"""A picture that stands in for a live widget where no kernel runs, as in a saved notebook that is opened again."""

from html import escape
from typing import Any, Final

from IPython.display import HTML, DisplayHandle, display

# A live widget hides its picture; where the widget is gone, its message of failure is hidden instead.
_STYLE: Final = (
    ".jp-OutputArea-child:has(.painlab-live-chart) + .jp-OutputArea-child:has(.painlab-standing) {display: none}"
    ".jp-OutputArea-child:has(+ .jp-OutputArea-child .painlab-standing):not(:has(.painlab-live-chart)) {display: none}"
    ".painlab-standing svg {max-width: 100%; height: auto}"
)


class Standing:
    """The output beside a widget's own that holds its last picture."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None
        self._shown = ""

    def display(self, widget: Any) -> None:
        """Show a widget, and beside it a place for its picture."""
        made = widget._repr_mimebundle_()
        data, metadata = made if isinstance(made, tuple) else (made, {})  # anywidget gives a pair, ipywidgets the data alone
        display(data, metadata=metadata, raw=True)
        self._handle = display(HTML(self._shown), display_id=True)

    def show(self, svg: str, headline: str, words: str) -> None:
        """Keep a picture and what it says; it replaces the one before."""
        told = "".join(f"<p>{escape(text)}</p>" for text in (headline, words) if text)
        note = "<p><em>A picture of the last state. Run the cell to move the levers.</em></p>"
        self._shown = f'<style>{_STYLE}</style><figure class="painlab-standing" role="img" aria-label="{escape(headline)}">{svg}</figure>'
        self._shown += f'<div class="painlab-standing">{told}{note}</div>'
        if self._handle:
            self._handle.update(HTML(self._shown))
