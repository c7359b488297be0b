"""Fields of what users write: bounds, slider, words, meaning and source of a value stand in one record."""

from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

SHARES: Final = {"low": 0.1, "middle": 0.3, "high": 0.7}
"""Named levels of traits on a scale of 0 to 1."""


def lever(
    low: float,
    high: float,
    step: float,
    *,
    label: str,
    unit: str,
    words: str,
    meaning: str,
    source: str = "assumption",
    levels: dict[str, float] | None = None,
) -> Any:
    """Pydantic field of a lever: bounds, slider step, label, unit, a phrase with {} for the value, meaning, source, and named levels.

    Without levels of its own a lever has its two ends as `least` and `most`.
    """
    extra: dict[str, Any] = {"low": low, "high": high, "step": step, "label": label, "unit": unit, "words": words, "source": source}
    extra["levels"] = levels or {"least": low, "most": high}
    return Field(ge=low, le=high, description=meaning, json_schema_extra=extra)


class Strict(BaseModel):
    """Frozen, no unknown keys, no numbers from text, no infinities."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True)


class Lever(NamedTuple):
    """What a slider needs: where its value goes in a plan, its range, words and evidence."""

    path: tuple[str, ...]  # e.g. ("physical_therapy", "start_week")
    section: str
    label: str
    low: float
    high: float
    step: float
    unit: str
    words: str
    meaning: str
    source: str
    levels: dict[str, float]

    def stepped(self, value: float, steps: float) -> float:
        """The value so many steps of the slider further, no further than the ends of its range.

        >>> Lever((), "", "", 0.0, 2.0, 0.05, "", "", "", "", {}).stepped(0.9, -3)
        0.75
        """
        place = round((value - self.low) / self.step) + steps
        return min(max(round(self.low + place * self.step, 10), self.low), self.high)  # rounded: 18 steps of 0.05 are 0.9


def lever_of(path: tuple[str, ...], section: str, field: FieldInfo) -> Lever:
    """The lever that a field describes, at a path of a plan."""
    extra: Any = field.json_schema_extra
    return Lever(path=path, section=section, meaning=field.description or "", **extra)
