"""The explorer's controls, in groups as a clinician thinks: levers, treatments on and off, people, links of the cycle, assumptions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, NamedTuple

import ipywidgets

from painlab import catalog, parameters
from painlab.errors import InputError
from painlab.fields import Lever, lever_of
from painlab.plan import levers
from painlab.population import Population
from painlab.scenario import Scenario
from painlab.tables import nearest
from painlab.views.controls import Choice, LeverControl, evidence_text, treatment_evidence
from painlab.views.exploration import ASSUMED, POPULATION, TAPER, Exploration, injections

THERAPY: Final = "physical_therapy"
INJECTION: Final = "injection"  # stands in a lever's path for whichever injection is chosen
NO_INJECTION: Final = ""
Path = tuple[str, ...]


def _other_care() -> tuple[str, ...]:
    return tuple(name for name in catalog.treatments() if name != THERAPY and name not in injections())


GROUPS: Final[dict[str, tuple[str, tuple[Path, ...]]]] = {
    "refer": (
        "Assess and refer",
        (("coordination",), (THERAPY, "handover"), (THERAPY, "only_if_pain_at_least"), (POPULATION, "diagnosed")),
    ),
    "move": (
        "Move and strengthen",
        ((THERAPY, "start_week"), (THERAPY, "weeks"), (THERAPY, "sessions_per_week"), (THERAPY, "courses")),
    ),
    "inject": ("Inject", ((INJECTION, "start_week"), (INJECTION, "courses"), (INJECTION, "interval_weeks"))),
    "prescribe": (
        "Prescribe",
        tuple(("prescribing", name) for name in ("opioid_start", "start_dose", "first_supply_days", "escalation", "dose_cap")),
    ),
    "taper": (
        "Reassess and taper",
        (
            ("reassessment", "interval_weeks"),
            ("reassessment", "review"),
            *((TAPER, name) for name in ("start_week", "percent_per_month", "support", "offer")),
        ),
    ),
    "other": ("Other care", tuple((name, field) for name in _other_care() for field in ("start_week", "weeks"))),
    "people": (
        "People",
        tuple(
            (POPULATION, name)
            for name in (
                "pain", "age", "distress", "poor_sleep", "work_demand", "comorbidity", "adherence", "on_opioids", "opioid_dose",
            )
        ),
    ),
}  # fmt: skip
"""Levers by group: a group's key, its heading, and paths of its levers."""

LINKS: Final = {
    "pain_to_activity": "Pain lowers activity",
    "activity_to_strength": "Less activity weakens",
    "weakness_to_pain": "Weakness brings pain",
}
ASSUMPTIONS: Final = (
    "weakness_pain", "activity_pain_slope", "strength_activity_slope", "sensitization_pain", "opioid_relief_max", "tolerance_shift",
    "home_half_life", "response_spread",
)  # fmt: skip
"""Parameters with levers of their own: the cycle's links, and what opioids and exercise do in the long run."""
AHEAD: Final = (1, 2, -1, 3)
"""Steps of the lever in hand that are worked out before they are asked for."""
_SWITCHES: Final = {"move": THERAPY, "taper": TAPER}


def record(path: Path) -> Lever:
    """The record of a lever; that of any injection stands for all of them, and a parameter's is made from its row."""
    if path[0] == POPULATION:
        return lever_of(path, "Patients", Population.model_fields[path[1]])
    if path[0] == ASSUMED:
        one = parameters.record(path[1])
        step = _step(one.low, one.value, one.high)
        words = {"low end": one.low, "central": one.value, "high end": one.high}
        return Lever(path, "Assumption", one.name.replace("_", " "), one.low, one.high, step, one.unit, "", one.meaning, one.source, words)
    if path == (THERAPY, "handover"):  # it stands among levers of the whole plan, and an injection has a handover too
        return levers()[path]._replace(label="handover to therapy")
    if path[0] != INJECTION:
        return levers()[path]
    return levers()[injections()[0], *path[1:]]._replace(path=path, section="Injection")


def _step(low: float, value: float, high: float) -> float:
    """About a fiftieth of a range, in one figure, so that central value and high end are whole steps up, if there is such a step."""
    figures = [float(f"{(high - low) / 50 * share:.1g}") for share in (1.0, 1.25, 0.8, 1.5, 0.75, 2.0, 0.5)]
    return next((one for one in figures if all(_is_whole((end - low) / one) for end in (value, high))), figures[0])


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6


def chosen_groups(groups: Sequence[str] | None) -> tuple[str, ...]:
    """The groups to show, all if none are named. Raises InputError for an unknown one."""
    for name in groups or ():
        if name not in GROUPS:
            raise InputError(f'unknown group of levers "{name}"{nearest(name, GROUPS)}', expected=f"some of {', '.join(GROUPS)}")
    return tuple(groups or GROUPS)


class Move(NamedTuple):
    """A move of the lever in hand that may well come next."""

    lever: str  # name of its control
    value: float
    scenario: Scenario  # that it makes
    rest: Scenario  # the same with the lever at its low end: all that any move of it leaves as it is


class Deck:
    """Controls over an exploration. `then(change)` is called with each change the user asks for, `tell(evidence)` with evidence asked for,
    `held()` when a lever has been taken in hand and others than before are `likely()`.

    `tabs` holds the group's name whose controls are shown; `box` is the widget.
    """

    def __init__(
        self,
        exploration: Exploration,
        then: Callable[[Callable[[], None]], None],
        tell: Callable[[str], None],
        groups: Sequence[str] | None,
        more: Mapping[str, tuple[str, ipywidgets.Widget]],
        held: Callable[[], None] = lambda: None,
    ) -> None:
        self.exploration, self._then, self._tell, self._held = exploration, then, tell, held
        self._hand: tuple[Path, float] | None = None  # the lever in hand, and 1 or -1 for where it was moved last
        self.groups = chosen_groups(groups)
        self._setting = False
        self.levers: dict[Path, LeverControl] = {}  # those that have been shown
        self.switches = {
            name: _check(label) for name, label in ((THERAPY, "Physical therapy"), (TAPER, "A taper for those on opioids"))
        } | {name: _check(catalog.treatments()[name].label) for name in _other_care()}
        kinds = [("No injection", NO_INJECTION)]
        kinds += [(catalog.treatments()[name].label.removesuffix(" injection"), name) for name in injections()]
        self.injection = ipywidgets.Dropdown(options=kinds, description="Kind", layout=_wide())
        self.people = {
            "condition": _pick("Condition", catalog.labels("conditions")),
            "goal": _pick("Goal", {catalog.MIXED_GOALS: "Goals of all kinds"} | catalog.labels("goals")),
        }
        self.links = {link: _check(f"Cut: {words.lower()}") for link, words in LINKS.items()}
        self.assumptions: dict[str, LeverControl] = {}
        self._pages = {name: page for name, (_, page) in more.items()}
        own = {"cycle": "Cut the cycle", "assumptions": "Assumptions"}
        words = {name: GROUPS[name][0] for name in self.groups} | own | {name: words for name, (words, _) in more.items()}
        self.tabs = Choice("Controls", words)
        self._shown = ipywidgets.Box([self.page(self.tabs.value)]).add_class("painlab-page")
        self.box = ipywidgets.VBox([self.tabs, self._shown]).add_class("painlab-deck")
        self._observe()

    def page(self, name: str) -> ipywidgets.Widget:
        """A group's page, made when it is first wanted: a browser takes long over hundreds of controls that nobody looks at."""
        if name not in self._pages:
            make = {"cycle": self._cycle, "assumptions": self._assumed}.get(name, partial(self._group, name))
            self._pages[name] = make()
        return self._pages[name]

    def lever(self, path: Path) -> LeverControl:
        """The control of a lever, on its group's page."""
        if path not in self.levers:
            self.page(next(name for name in self.groups if path in GROUPS[name][1]))
            self.show()
        return self.levers[path]

    def show(self) -> None:
        """Show the exploration's values in the controls, without taking that for a change by the user."""
        self._setting = True
        try:
            for name, switch in self.switches.items():
                switch.value = self.exploration.ordered(name)
            self.injection.value = self.exploration.injection or NO_INJECTION
            for trait, pick in self.people.items():
                pick.value = getattr(self.exploration.scenario.population, trait)
            for path, control in self.levers.items():
                whole = self.whole(path)
                with control.hold_sync():
                    control.value = self.exploration.value(whole)
                    control.baseline = self.exploration.baseline_value(whole)
                    control.disabled = path[0] != POPULATION and not self.exploration.ordered(whole[0])
            for link, check in self.links.items():
                check.value = link in self.exploration.cut
            for name, control in self.assumptions.items():
                with control.hold_sync():
                    control.value = self.exploration.value((ASSUMED, name))
                    control.baseline = self.exploration.baseline_value((ASSUMED, name))
        finally:
            self._setting = False

    def likely(self) -> Iterator[Move]:
        """The next moves of the lever in hand, the likeliest first: steps on in the direction in which it went, and one back."""
        if self._hand is None:
            return
        path, onward = self._hand
        lever, whole, name = record(path), self.whole(path), self._control(path).name
        value = self.exploration.value(whole)
        with suppress(InputError):  # there is no such scenario: the lever's treatment has been taken out of the plan
            rest = self.exploration.changed(whole, lever.low)
            for steps in AHEAD:
                wanted = lever.stepped(value, onward * steps)
                if wanted != value:
                    yield Move(name, wanted, self.exploration.changed(whole, wanted), rest)

    def moved_in(self, scenario: Scenario) -> list[Any]:
        """Name of the lever in hand and its value in a scenario; an empty list if no lever is in hand."""
        if self._hand is None:
            return []
        path, _ = self._hand
        return [self._control(path).name, self.exploration.value(self.whole(path), scenario)]

    def whole(self, path: Path) -> Path:
        """A lever's path with the injection's own name in it."""
        return (self.exploration.injection or injections()[0], *path[1:]) if path[0] == INJECTION else path

    def _observe(self) -> None:
        explore, on = self.exploration, self._on
        for name, switch in self.switches.items():
            on(switch, partial(explore.order, name))
        on(self.injection, lambda value: explore.choose_injection(value or None))
        for trait, pick in self.people.items():
            on(pick, partial(explore.choose, trait))
        for link, check in self.links.items():
            on(check, partial(explore.cut_link, link))
        self.tabs.observe(lambda change: self._turn(change["new"]), "value")

    def _turn(self, name: str) -> None:
        page = self.page(name)
        self.show()
        self._shown.children = [page]

    def _on(self, widget: Any, change: Callable[[Any], None]) -> None:
        widget.observe(lambda event: None if self._setting else self._then(lambda: change(event["new"])), "value")

    def _take(self, path: Path) -> None:
        if self._hand is None or self._hand[0] != path:
            self._hand = (path, 1.0)
        self._held()

    def _move(self, path: Path, value: float) -> None:
        whole = self.whole(path)
        self._hand = (path, 1.0 if value >= self.exploration.value(whole) else -1.0)
        self.exploration.change(whole, value)

    def _group(self, name: str) -> ipywidgets.Widget:
        controls: list[ipywidgets.Widget] = []
        if name in _SWITCHES:
            controls.append(self._with_evidence(self.switches[_SWITCHES[name]], lambda: self._known(_SWITCHES[name])))
        if name == "inject":
            controls.append(self._with_evidence(self.injection, lambda: self._known(self.exploration.injection or injections()[0])))
        if name == "people":
            controls += self.people.values()
        before = None
        for path in GROUPS[name][1]:
            if name == "other" and path[0] != before:
                before = path[0]
                controls.append(self._with_evidence(self.switches[path[0]], partial(self._known, path[0])))
            self.levers[path] = self._made(path)
            controls.append(self.levers[path])
        kind = ["painlab-controls", *(["painlab-threes"] if name == "other" else [])]
        return _classed(ipywidgets.Box(controls), *kind)

    def _cycle(self) -> ipywidgets.Widget:
        words = ipywidgets.HTML(
            "<p>Cut a link in both arms and see what of the plan's benefit is left: what remains is the treatments' direct effect.</p>"
        )
        return ipywidgets.VBox([words, _classed(ipywidgets.Box(list(self.links.values())), "painlab-controls")])

    def _assumed(self) -> ipywidgets.Widget:
        for name in ASSUMPTIONS:
            self.assumptions[name] = self._made((ASSUMED, name))
        every = parameters.records()
        held = [one for one in every.values() if "assumption" in one.source]
        words = ipywidgets.HTML(
            f"<p>{len(held)} of the model's {len(every)} parameters rest on an assumption, at least in part. Eight that matter most to the "
            "story have a lever here, over the range of their prior; moved, they hold in both arms and in all draws. All of them, with "
            "their reasons, are in data/parameters.csv; <code>painlab evidence NAME</code> tells of one.</p>"
        )
        return ipywidgets.VBox([words, _classed(ipywidgets.Box(list(self.assumptions.values())), "painlab-controls")])

    def _control(self, path: Path) -> LeverControl:
        return self.assumptions[path[1]] if path[0] == ASSUMED else self.levers[path]

    def _made(self, path: Path) -> LeverControl:
        control = LeverControl(record(path), self._tell, partial(self._take, path))
        self._on(control, partial(self._move, path))
        return control

    def _with_evidence(self, control: ipywidgets.Widget, evidence: Callable[[], str]) -> ipywidgets.Widget:
        ask = ipywidgets.Button(description="?", tooltip="What is known of it, and from where").add_class("painlab-ask")
        ask.on_click(lambda _: self._tell(evidence()))
        return ipywidgets.HBox([control, ask]).add_class("painlab-treatment")

    @staticmethod
    def _known(name: str) -> str:
        if name != TAPER:
            return treatment_evidence(name)
        told = [f"{one.label}: {evidence_text(one.meaning, one.source)}" for path, one in levers().items() if path[0] == TAPER]
        return "A taper. " + " ".join(told)


def _check(label: str) -> ipywidgets.Checkbox:
    return ipywidgets.Checkbox(description=label, indent=False, layout=_wide())


def _pick(label: str, options: Mapping[str, str]) -> ipywidgets.Dropdown:
    picked = ipywidgets.Dropdown(options=[(words, name) for name, words in options.items()], description=label, layout=_wide())
    return picked.add_class("painlab-pick")


def _wide() -> ipywidgets.Layout:
    return ipywidgets.Layout(width="auto")


def _classed(widget: Any, *names: str) -> Any:
    for name in names:
        widget.add_class(name)
    return widget
