"""What a file of a talk carries so that its numbers can be made again: the scenarios whole, and how each was run; and reading it back."""

import json
from typing import Any, Final

from painlab.errors import InputError
from painlab.talk.story import Story

FORMAT: Final = "painlab-talk"
VERSION: Final = 1
_MEND: Final = "Make the talk again with `painlab slides`."


def embedded(story: Story) -> str:
    """The record as JSON text: `format`, `version`, `provenance` (that of the story) and `scenarios`, each as a table of plain values.

    No `<` stands in it, so that no text of a user's ends the element that holds it in a page.
    """
    record = {
        "format": FORMAT,
        "version": VERSION,
        "provenance": story.provenance,
        "scenarios": [one.model_dump(mode="json", exclude_none=True) for one in story.scenarios],
    }
    return json_text(record)


def json_text(value: Any) -> str:
    """JSON for an element of a page, with every `<`, `>` and `&` written as a number."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode("utf-8", "replace").decode()


def unpacked(text: str | bytes, where: str) -> dict[str, Any]:
    """The record of `embedded`. Raises InputError, naming `where`, if it is damaged or from a newer version."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise InputError("what the talk says of its scenario is damaged", where=where, mend=_MEND) from None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise InputError("the file does not hold a talk of PainLab", where=where, mend=_MEND)
    if not isinstance(record.get("version"), int) or record["version"] > VERSION:
        raise InputError(
            "the talk was made by a newer version of PainLab", where=where, expected=f"version {VERSION}", mend="Update PainLab."
        )
    scenarios, provenance = record.get("scenarios"), record.get("provenance")
    whole = isinstance(provenance, dict) and isinstance(scenarios, list) and scenarios and all(isinstance(one, dict) for one in scenarios)
    if not whole:
        raise InputError("the talk does not say which scenario it is of", where=where, mend=_MEND)
    return record
