"""Talks: from a scenario or a run to slides and figures, offline.

    story = painlab.talk.tell("early-pt", minutes=15)                  # pages, sentence by sentence, each with where it comes from
    painlab.slides("early-pt", "deck.html")                            # the same as a file to show

`tell` computes and words the talk; what turns it into a file draws only what is in the `Story`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from painlab.talk.story import Figure, LiveGrid, Native, Page, Said, Story, Table
    from painlab.talk.telling import tell

_HOMES = {
    "Figure": "story",
    "LiveGrid": "story",
    "Native": "story",
    "Page": "story",
    "Said": "story",
    "Story": "story",
    "Table": "story",
    "tell": "telling",
}

__all__ = ["Figure", "LiveGrid", "Native", "Page", "Said", "Story", "Table", "tell"]


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is first used, so that the import stays quick."""
    if name in _HOMES:
        return getattr(import_module(f"painlab.talk.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'painlab.talk' has no attribute '{name}'")


def __dir__() -> list[str]:
    return list(__all__)
