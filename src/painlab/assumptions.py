"""What a scenario assumes in place of the model: links of the cycle cut, and values of its parameters."""

from pydantic import Field, field_validator

from painlab import parameters
from painlab.fields import Strict
from painlab.tables import nearest


class Assumptions(Strict):
    """Assumptions of one's own, in both arms and every draw.

    links_cut: links of the cycle set to zero (`parameters.LINKS`). values: parameters by name, each within the range of its prior.
    """

    links_cut: list[str] = Field(default_factory=list)
    values: dict[str, float] = Field(default_factory=dict)

    @field_validator("links_cut")
    @classmethod
    def _known_links(cls, links: list[str]) -> list[str]:
        for link in links:
            if link not in parameters.LINKS:
                raise ValueError(f'unknown link "{link}"{nearest(link, parameters.LINKS)}; expected one of {", ".join(parameters.LINKS)}')
        return list(dict.fromkeys(links))

    @field_validator("values")
    @classmethod
    def _possible_values(cls, values: dict[str, float]) -> dict[str, float]:
        known = parameters.records()
        for name, value in values.items():
            if name not in known:
                raise ValueError(f'unknown parameter "{name}"{nearest(name, known)}; expected names from data/parameters.csv')
            one = known[name]
            if not one.low <= value <= one.high:
                raise ValueError(f"{name} is {value:g}; expected {one.low:g} to {one.high:g} ({one.unit}), the range of its prior")
        return values
