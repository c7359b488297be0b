"""What stands in for live widgets where no kernel runs, as in a saved notebook that is opened again."""

from html import escape
from typing import Any, Final

from IPython.display import HTML, DisplayHandle, display

# Live widgets hide what stands in for them; where they are gone, what JupyterLab says in their place is hidden instead.
# A style holds for its whole page, so all kinds of widgets share these classes.
_LIVE: Final = "painlab-live"
_STYLE: Final = (
    f".jp-OutputArea-child:has(.{_LIVE}) + .jp-OutputArea-child:has(.painlab-standing) {{display: none}}"
    f".jp-OutputArea-child:has(+ .jp-OutputArea-child .painlab-standing):not(:has(.{_LIVE})) {{display: none}}"
    ".painlab-standing svg {max-width: 100%; height: auto}"
)


class Standing:
    """The output beside a widget's own that holds its last state."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None
        self._shown = ""

    def display(self, widget: Any) -> None:
        """Show a widget, and beside it a place for what stands in for it."""
        widget.add_class(_LIVE)
        made = widget._repr_mimebundle_()
        data, metadata = made if isinstance(made, tuple) else (made, {})  # anywidget gives a pair, ipywidgets the data alone
        display(data, metadata=metadata, raw=True)
        self._handle = display(HTML(self._shown), display_id=True)

    def show(self, html: str) -> None:
        """Keep what stands in, as HTML; it replaces what was kept before."""
        self._shown = f'<style>{_STYLE}</style><div class="painlab-standing">{html}</div>'
        if self._handle:
            self._handle.update(HTML(self._shown))


def pictured(svg: str, headline: str, words: str) -> str:
    """A picture with what it says, as HTML that stands in for a live chart."""
    told = "".join(f"<p>{escape(text)}</p>" for text in (headline, words) if text)
    note = "<p><em>A picture of the last state. Run the cell to have it live.</em></p>"
    return f'<figure role="img" aria-label="{escape(headline or words)}">{svg}</figure>{told}{note}'
