"""Short codes: a small table of plain values as text that survives mail and chat, with a check against typing errors."""

import base64
import binascii
import json
import re
import zlib
from typing import Any, Final

from painlab.errors import InputError

PREFIX: Final = "PL1-"
MOST: Final = 4_000  # characters
_MOST_BYTES: Final = 100_000
# Words that most codes hold; they cost next to nothing. It is part of the format: another list needs another prefix.
_WORDS: Final = (
    b'{"of":"usual-care","is":"","change":{"weeks":104,"population":{"condition":"low_back_pain_persistent","on_opioids":1.0,"opioid_dose":45.0,'
    b'"distress":0.5,"poor_sleep":0.5,"age":50},"assume":{"links_cut":["pain_to_activity","activity_to_strength","weakness_to_pain"],"values":{}},'
    b'"care":{"coordination":0.6,"reassessment":{"interval_weeks":4,"review":0.5},"taper":{"start_week":4,"percent_per_month":10.0,"support":1.0,'
    b'"offer":1.0},"treatments":{"pain_psychology":null,"epidural_steroid":null,"physical_therapy":{"start_week":0,"weeks":6,'
    b'"sessions_per_week":1.5,"handover":0.7}},"prescribing":{"start_dose":40.0,"first_supply_days":5.0,"escalation":1.0,"dose_cap":90.0,'
    b'"opioid_start":0.5}}}}'
)


def is_code(text: str) -> bool:
    """Whether a text is meant as a code."""
    return text.strip().upper().startswith(PREFIX)


def pack(table: dict[str, Any]) -> str:
    """A table of plain values as one word of letters, digits, `-` and `_`."""
    content = json.dumps(table, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=_WORDS)
    packed = squeeze.compress(content) + squeeze.flush()
    check = binascii.crc32(content).to_bytes(4, "big")[:3]
    return PREFIX + base64.urlsafe_b64encode(check + packed).rstrip(b"=").decode()


def unpack(code: str) -> dict[str, Any]:
    """The table of a code; spaces and line breaks in it do not matter.

    Raises InputError for anything that `pack` has not made, or that lost or changed a letter.
    """
    word = re.sub(r"\s", "", code)
    wanted = f"a code as the explorer shows it, which begins with {PREFIX}"
    if len(word) > MOST:
        raise InputError(f"the scenario code has {len(word):,} characters", expected=wanted, mend="Copy the code alone.")
    try:
        given = word[len(PREFIX) :]
        raw = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        spread = zlib.decompressobj(-15, zdict=_WORDS)
        content = spread.decompress(raw[3:], _MOST_BYTES)
        if not is_code(word) or spread.unconsumed_tail or not spread.eof or binascii.crc32(content).to_bytes(4, "big")[:3] != raw[:3]:
            raise ValueError
        table = json.loads(content)
        if not isinstance(table, dict):
            raise ValueError
    except (ValueError, zlib.error, RecursionError):
        mend = "Copy the whole code once more; letters and capitals count."
        raise InputError("the scenario code is damaged or incomplete", expected=wanted, mend=mend) from None
    return table
