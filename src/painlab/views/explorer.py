"""The explorer: levers of care beside charts of demand, pain and function, on one screen of a notebook."""

from collections.abc import Callable
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, Final

import ipywidgets
import polars as pl

from painlab import catalog
from painlab.errors import InputError
from painlab.fields import Lever
from painlab.plan import levers
from painlab.projection import COLUMNS, Projection
from painlab.scenario import Scenario, shipped
from painlab.views import charts, pictures
from painlab.views.background import Background
from painlab.views.controls import LeverControl, treatment_evidence
from painlab.views.exploration import FULL, PREVIEW, Exploration, comparable, injections, moved, project
from painlab.views.live_chart import LiveChart, fitted
from painlab.views.panels import BESIDE_DEMAND

THERAPY: Final = "physical_therapy"
INJECTION: Final = "injection"  # stands in a lever's path for whichever injection is chosen
GROUPS: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "Assess and refer": (("coordination",), (THERAPY, "handover")),
    "Move and strengthen": ((THERAPY, "start_week"), (THERAPY, "weeks"), (THERAPY, "sessions_per_week")),
    "Inject": ((INJECTION, "start_week"),),
    "Prescribe": (("prescribing", "opioid_start"), ("prescribing", "dose_cap")),
    "Reassess": (("reassessment", "interval_weeks"), ("reassessment", "review")),
}
VIEWS: Final = {"Levels": False, "Differences": True}
NO_INJECTION: Final = ""
CHART_HEIGHT: Final = 180
EMPTY: Final = pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.Float64) | {"outcome": pl.String})
NOTE: Final = (
    "For teaching and exploring questions; it advises no individual patient. Bands hold 95% of the parameter sets "
    "that published trials allow; much of what no trial speaks of is assumed: press <b>?</b> at a lever to see which."
)
PREPARING: Final = "Preparing the model. The first time on a machine this takes about half a minute; afterwards a moment."


def explore(scenario: Scenario | str | Path = "early-pt") -> "Explorer":
    """Show a scenario with levers to change its care, against its baseline: opioid demand, pain and function, redrawn in place.

    Parameters
    ----------
    scenario
        A Scenario, the name of one that ships, or the path of a TOML file.

    Raises InputError as `Scenario.load` does.
    """
    return Explorer(Exploration(scenario))


class Explorer(ipywidgets.VBox):
    """Thin widgets over an `Exploration`; `exploration` holds the scenario, `projection` the last full run."""

    def __init__(self, exploration: Exploration) -> None:
        self.exploration = exploration
        self.projection: Projection | None = None
        self._preview: Projection | None = None  # of the scenario as it is now
        self._anchor: tuple[Projection, Projection] | None = None  # a full run and the preview of the same scenario
        self._frame: pl.DataFrame | None = None  # what is drawn
        self._setting = False
        self._background: Background[Scenario, Projection] = Background(
            (lambda asked, cancelled: project(asked, PREVIEW, cancelled), lambda asked, cancelled: project(asked, FULL, cancelled)),
            self._show,
            self._fail_to_project,
        )
        self._make_controls()
        self._drawn = self._wanted(exploration.scenario)
        self.chart = LiveChart(specification(*self._drawn), EMPTY, headline=PREPARING)
        self._picture = ipywidgets.Box([self.chart]).add_class("painlab-chart")
        super().__init__([self._head(), self.message, self._picture, self._deck(), self.evidence, self.sentence, self.note])
        self.add_class("painlab-explorer")
        self._set_controls()
        self._ask()

    def close(self) -> None:
        """End what runs behind and take the widgets away."""
        self._background.close()
        super().close()

    # Controls

    def _make_controls(self) -> None:
        wide = ipywidgets.Layout(width="auto")
        own = self.exploration.start
        starts = {f"{one.title} ({_condition(one)})": one for one in shipped()}
        if own not in starts.values():
            starts = {f"{own.title} ({_condition(own)})": own} | starts
        self.start = ipywidgets.Dropdown(options=list(starts.items()), value=own, description="Start from", layout=wide)
        self.reset = ipywidgets.Button(description="Reset", tooltip="Return every lever to where it started")
        self.export = ipywidgets.Button(description="Export", tooltip="Save numbers and pictures into a new folder", disabled=True)
        self.therapy = ipywidgets.Checkbox(description="Physical therapy", indent=False, layout=wide)
        self.view = ipywidgets.RadioButtons(options=list(VIEWS), orientation="horizontal", layout=wide).add_class("painlab-view")
        kinds = [
            ("No injection", NO_INJECTION),
            *((catalog.treatments()[name].label.removesuffix(" injection"), name) for name in injections()),
        ]
        self.injection = ipywidgets.Dropdown(options=kinds, description="Kind", layout=wide)
        self.status, self.message, self.sentence, self.evidence = (ipywidgets.HTML() for _ in range(4))
        self.note = ipywidgets.HTML(NOTE)
        for name in ("status", "message", "sentence", "evidence", "note"):
            getattr(self, name).add_class(f"painlab-{name}")
        self.levers = {path: LeverControl(_record(path), self._tell) for paths in GROUPS.values() for path in paths}
        self.start.observe(self._on_start, "value")
        self.view.observe(lambda _: self._draw(), "value")
        self.therapy.observe(self._on_therapy, "value")
        self.injection.observe(self._on_injection, "value")
        for path, control in self.levers.items():
            control.observe(lambda change, path=path: self._on_lever(path, change["new"]), "value")
        self.reset.on_click(lambda _: self._then(self.exploration.reset))
        self.export.on_click(lambda _: self._on_export())

    def _head(self) -> ipywidgets.Widget:
        buttons = ipywidgets.HBox([self.reset, self.export]).add_class("painlab-buttons")
        return ipywidgets.HBox([self.start, self.view, self.status, buttons]).add_class("painlab-head")

    def _deck(self) -> ipywidgets.Widget:
        before: dict[str, list[ipywidgets.Widget]] = {
            "Move and strengthen": [self._with_evidence(self.therapy, lambda: THERAPY)],
            "Inject": [self._with_evidence(self.injection, lambda: self.exploration.injection or injections()[0])],
        }
        groups = []
        for name, paths in GROUPS.items():
            controls = [*before.get(name, []), *(self.levers[path] for path in paths)]
            heading = ipywidgets.HTML(f"<h4>{name}</h4>").add_class("painlab-heading")
            body = ipywidgets.Box(controls).add_class("painlab-controls")
            group = ipywidgets.VBox([heading, body]).add_class("painlab-group")
            groups.append(group.add_class("painlab-wide") if len(controls) > 2 else group)
        return ipywidgets.Box(groups).add_class("painlab-deck")

    def _with_evidence(self, control: ipywidgets.Widget, treatment: Callable[[], str]) -> ipywidgets.Widget:
        ask = ipywidgets.Button(description="?", tooltip="What is known of it, and from where").add_class("painlab-ask")
        ask.on_click(lambda _: self._tell(treatment_evidence(treatment())))
        return ipywidgets.HBox([control, ask]).add_class("painlab-treatment")

    def _set_controls(self) -> None:
        """Show the scenario's values in the controls, without taking that for a change by the user."""
        self._setting = True
        try:
            self.therapy.value = self.exploration.ordered(THERAPY)
            self.injection.value = self.exploration.injection or NO_INJECTION
            for path, control in self.levers.items():
                whole = self._whole(path)
                with control.hold_sync():
                    control.value = self.exploration.value(whole)
                    control.baseline = self.exploration.baseline_value(whole)
                    control.disabled = path[0] in (THERAPY, INJECTION) and not self.exploration.ordered(whole[0])
        finally:
            self._setting = False

    def _whole(self, path: tuple[str, ...]) -> tuple[str, ...]:
        return (self.exploration.injection or injections()[0], *path[1:]) if path[0] == INJECTION else path

    # What the user does

    def _on_start(self, change: dict[str, Any]) -> None:
        def start() -> None:
            self.exploration.start_from(change["new"])
            self._preview = self._anchor = self._frame = None

        self._then(start)

    def _on_therapy(self, change: dict[str, Any]) -> None:
        self._then(lambda: self.exploration.order(THERAPY, change["new"]))

    def _on_injection(self, change: dict[str, Any]) -> None:
        self._then(lambda: self.exploration.choose_injection(change["new"] or None))

    def _on_lever(self, path: tuple[str, ...], value: float) -> None:
        self._then(lambda: self.exploration.change(self._whole(path), value))

    def _on_export(self) -> None:
        try:
            assert self.projection is not None
            folder = export(self.projection)
            self.message.value = _paragraph(f"Saved in the folder {folder}: {', '.join(sorted(path.name for path in folder.iterdir()))}.")
        except Exception as error:
            self._fail(error)

    def _then(self, change: Callable[[], None]) -> None:
        """Make a change, show it in the controls and ask for its projection; an error is shown in place."""
        if self._setting:
            return
        self.message.value = ""
        before = self.exploration.scenario
        try:
            change()
        except Exception as error:
            self._fail(error)
        self._set_controls()
        if self.exploration.scenario != before:
            self._ask()

    def _ask(self) -> None:
        self.export.disabled = True
        for shown in (self.sentence, self._picture):
            shown.add_class("painlab-waiting")
        self._background.ask(self.exploration.scenario)

    def _tell(self, evidence: str) -> None:
        self.evidence.value = _paragraph(evidence)

    # What comes back

    def _show(self, projection: Projection, last: bool) -> None:
        """Draw a preview or, at last, the full run of what was asked."""
        if not self._concerns(projection):  # a preview of where the levers were before another start
            return
        self._show_in_full(projection) if last else self._show_preview(projection)

    def _show_preview(self, preview: Projection) -> None:
        self._preview = preview
        known = self._anchor if self._anchor and comparable(self._anchor[0], preview) else None
        self._frame = moved(*known, preview) if known else preview.weekly
        self._draw()
        self.status.value = "Preview; full run follows"

    def _show_in_full(self, projection: Projection) -> None:
        if self._preview and self._preview.scenario == projection.scenario:
            self._anchor = (projection, self._preview)
        self.projection, self._frame = projection, projection.weekly
        words = str(projection)
        self._draw(headline=projection.headline(), summary=words)
        self.sentence.value = _paragraph(words) + _paragraph(self._plan_words())
        for shown in (self.sentence, self._picture):
            shown.remove_class("painlab-waiting")
        self.status.value = f"{projection.draws} draws of {projection.patients:,} patients"
        self.export.disabled = False

    def _draw(self, *, headline: str | None = None, summary: str | None = None) -> None:
        """Feed the chart; another view or another horizon takes its place."""
        if self._frame is None:
            return
        wanted = self._wanted(self.exploration.scenario)
        with self.chart.hold_sync():
            if wanted != self._drawn:
                self._drawn = wanted
                self.chart.replace(specification(*wanted))
            self.chart.update(self._frame, headline=headline, summary=summary)

    def _wanted(self, scenario: Scenario) -> tuple[bool, int, str]:
        baseline = self.exploration.start.baseline
        return VIEWS[self.view.value], scenario.weeks, baseline.replace("-", " ") if isinstance(baseline, str) else "baseline"

    def _plan_words(self) -> str:
        others = self.exploration.others()
        besides = f" Also in this plan: {', '.join(others)}." if others else ""
        return f"Against the baseline: {self.exploration.differences()}{besides}"

    def _concerns(self, projection: Projection) -> bool:
        asked = self.exploration.scenario
        return projection.scenario.population == asked.population and projection.weeks == asked.weeks

    def _fail(self, error: Exception) -> None:
        """Say what went wrong, where it can be seen and is read out."""
        words = str(error) if isinstance(error, InputError) else f"This did not work ({type(error).__name__}: {error})."
        self.message.value = f'<p role="alert">{escape(words)}</p>'

    def _fail_to_project(self, error: Exception) -> None:
        self.status.value = "Not projected"
        self._fail(error)


@cache
def specification(differences: bool, weeks: int, baseline: str) -> dict[str, Any]:
    """The chart without its numbers, made once; the browser fits it to the width there is. `baseline` is that line's label."""
    if differences:
        chart = charts.difference_panel(BESIDE_DEMAND, weeks=weeks, height=CHART_HEIGHT)
    else:
        chart = charts.dashboard(weeks=weeks, height=CHART_HEIGHT, labels=(baseline, "this plan"))
    return fitted(chart)


def export(projection: Projection, parent: str | Path = "exports") -> Path:
    """Save a projection, its scenario and the picture of demand into a new, numbered folder; returns the folder.

    Raises InputError if nothing can be written there.
    """

    def beside(folder: Path) -> None:
        (folder / "scenario.toml").write_text(projection.scenario.to_toml(), encoding="utf-8")
        pictures.write(projection, folder)

    number = 1
    while (folder := Path(parent) / f"{projection.scenario.name}-{number}").exists():
        number += 1
    return projection.save(folder, pictures=beside)


def _record(path: tuple[str, ...]) -> Lever:
    """The record of a lever; that of any injection stands for all of them."""
    if path[0] != INJECTION:
        return levers()[path]
    return levers()[injections()[0], *path[1:]]._replace(path=path, section="Injection")


def _condition(scenario: Scenario) -> str:
    return catalog.labels("conditions")[scenario.population.condition].lower()


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
