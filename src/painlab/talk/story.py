"""What a talk holds: pages of sentences, figures and tables, each sentence with where it comes from. Whatever makes a file draws this."""

from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from painlab.projection import Projection
from painlab.scenario import Scenario

AUDIENCES: Final = ("clinicians", "public", "analysts")
LENGTHS: Final = (5, 15, 40)
KEYS: Final = (
    "title", "question", "cycle", "patients", "care", "demand", "body", "compare", "live", "benefit", "earned", "sure", "evidence",
    "limits", "appendix-parameters", "appendix-provenance",
)  # fmt: skip
"""Keys of the pages in the order of a talk; a page that goes on over another has `-2` after its key."""
KINDS: Final = ("title", "words", "figure", "table", "live", "appendix")
"""How a page is laid out: title and subtitle; sentences alone; a figure with sentences; a table with sentences; a figure that the
listener may change (drawn still, from `Page.figure`, where nothing can move); small type to look things up in."""
LOW: Final = " (low)"
HIGH: Final = " (high)"


@dataclass(frozen=True)
class Said:
    """One sentence or bullet, and where its figures come from.

    trace holds one or more places parted by "; " (`painlab.talk.tracing` finds what stands there): `run:OUTCOME/PLACE/COLUMN` with PLACE
    `week N` or `horizon` and COLUMN one of `projection.COLUMNS` or `percent`, `run:FIELD` (of a second scenario `run 2:...`),
    `scenario:FIELD`, `evidence:ID`, `source:CITEKEY`, `parameter:NAME`, `treatment:NAME`, `condition:NAME/FIELD`, `analysis:NAME/KEY`,
    `validity:COLUMN`, `provenance:KEY`, `assumption:WHAT`, or `text` for fixed words without figures of their own.
    """

    text: str
    trace: str = "text"


@dataclass(frozen=True)
class Native:
    """A chart or a table that office software draws itself and lets people edit.

    kind is `line`, `bar` or `table`. Each series has a value (or None) for each category. The ends of a series' band are series of its
    name with ` (low)` and ` (high)` after it.
    """

    kind: str
    title: str
    categories: tuple[str, ...]
    series: tuple[tuple[str, tuple[float | None, ...]], ...]
    unit: str


@dataclass(frozen=True)
class Figure:
    """A chart as Vega-Lite with its data inside, for a light and for a dark page.

    alt says in words what it shows, caption how it was made.
    """

    name: str
    spec: dict[str, Any]
    dark_spec: dict[str, Any]
    alt: str
    caption: str
    native: Native | None = None


@dataclass(frozen=True)
class Table:
    """Rows of text under heads; every row has a cell for every head."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class LeverAxis:
    """A lever of a grid: its values rising, in its unit, each with words of its own; `at` is the place of the scenario's value."""

    name: str
    label: str
    unit: str
    values: tuple[float, ...]
    levels: tuple[str, ...]
    at: int


@dataclass(frozen=True)
class Series:
    """One outcome in every combination of a grid: first index the combination, second the week of `LiveGrid.weeks`; rounded.

    low and high are the band of the difference; None with a single draw of the parameters. digits are those worth showing; better is
    -1 where less is better, 1 where more is, 0 where neither is.
    """

    name: str
    label: str
    unit: str
    digits: int
    better: int
    baseline: tuple[tuple[float, ...], ...]
    scenario: tuple[tuple[float, ...], ...]
    difference: tuple[tuple[float, ...], ...]
    low: tuple[tuple[float, ...], ...] | None
    high: tuple[tuple[float, ...], ...] | None


@dataclass(frozen=True)
class LiveGrid:
    """What the model says for every combination of a few levers, so that a slide can answer without the model.

    Combinations are in the order of nested loops over `levers`, the last fastest: the place of choice (i, j, k) among axes of n, m, p
    values is (i*m + j)*p + k. headlines has one sentence a combination, worded by what it shows (`narrative.headline`).
    """

    levers: tuple[LeverAxis, ...]
    weeks: tuple[int, ...]
    outcomes: tuple[Series, ...]
    headlines: tuple[str, ...]
    caption: str

    @property
    def combinations(self) -> int:
        """How many combinations there are."""
        return len(self.headlines)

    def place(self, *choice: int) -> int:
        """The place of a combination, given by each lever's place in turn."""
        place = 0
        for lever, one in zip(self.levers, choice, strict=True):
            place = place * len(lever.values) + one
        return place

    @property
    def at(self) -> int:
        """The place of the scenario itself."""
        return self.place(*(lever.at for lever in self.levers))


@dataclass(frozen=True)
class Page:
    """One page of a talk.

    key is one of `KEYS`, kind one of `KINDS`; minutes are the lengths of talk it is in; notes are for the speaker; title_trace is the
    title's own, as in `Said`.
    """

    key: str
    kind: str
    title: str
    said: tuple[Said, ...] = ()
    figure: Figure | None = None
    table: Table | None = None
    live: LiveGrid | None = None
    notes: str = ""
    sources: tuple[str, ...] = ()
    minutes: frozenset[int] = frozenset(LENGTHS)
    title_trace: str = "text"


@dataclass(frozen=True)
class Story:
    """A talk: its pages in order, how its numbers were made, and the scenarios and runs they come from; the first scenario leads.

    provenance is plain JSON: `painlab`, `title`, `audience`, `minutes`, `evidence_date`, and `runs`, one a scenario, each with `scenario`,
    `code`, `seed`, `patients_per_draw`, `draws`, `weeks`, `parameters_kind`, `links_cut` and `scenario_sha256`: enough to run it again.
    analyses: what was worked out beside the runs, by name; columns `key`, `value`, `low`, `high`.
    """

    title: str
    audience: str
    minutes: int
    pages: tuple[Page, ...]
    provenance: dict[str, Any]
    scenarios: tuple[Scenario, ...]
    projections: tuple[Projection, ...] = field(repr=False)
    analyses: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    def page(self, key: str) -> Page:
        """The page of a key. Raises KeyError if this length of talk has none."""
        for page in self.pages:
            if page.key == key:
                return page
        raise KeyError(key)
