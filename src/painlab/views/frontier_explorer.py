"""The frontier of care plans to explore: set weights, see what they choose and how firmly, pick a plan, take it along."""

from html import escape
from pathlib import Path
from typing import Any, Final

import ipywidgets
import traitlets

from painlab.analysis.care_choice import COSTS, JUDGMENT, OBJECTIVES, Frontier
from painlab.fields import Lever
from painlab.outcomes import BY_NAME
from painlab.scenario import Scenario
from painlab.views import frontier_chart
from painlab.views.controls import Choice, Download, LeverControl
from painlab.views.live_chart import LiveChart
from painlab.views.standing import Standing, pictured

_ASSETS: Final = Path(__file__).parent / "assets"
_HELP: Final = {
    "cost": "What the whole range of costs among the plans counts.",
    "mme_per_1000": "What the whole range of opioid demand counts, less being taken as better. Less opioid is not by itself better health.",
    "pain": "What the whole range of pain counts.",
    "function": "What the whole range of function counts.",
}
STARTS: Final[dict[str, tuple[str, dict[str, float]]]] = {
    "alike": ("all alike", {"cost": 25, "mme_per_1000": 25, "pain": 25, "function": 25}),
    "health": ("pain and function first", {"cost": 10, "mme_per_1000": 10, "pain": 40, "function": 40}),
    "demand": ("opioid demand first", {"cost": 10, "mme_per_1000": 70, "pain": 10, "function": 10}),
    "cost": ("cost first", {"cost": 70, "mme_per_1000": 10, "pain": 10, "function": 10}),
}
"""Weights to start from, none of them right: words and numbers by name."""


class FrontierChart(LiveChart):
    """The scatter of plans; `picked` is the plan that was clicked or walked to with the arrow keys, `order` those that keys walk along."""

    picked = traitlets.Unicode().tag(sync=True)
    order: traitlets.List[str] = traitlets.List().tag(sync=True)

    # As text, because it is put together from two files.
    _esm: Any = (_ASSETS / "live_chart_loader.js").read_text(encoding="utf-8").replace("export default", "const chart =") + (
        _ASSETS / "frontier_picking.js"
    ).read_text(encoding="utf-8")


class FrontierExplorer(ipywidgets.VBox):
    """Charts of a frontier with the user's weights beside them.

    A plan is chosen by the weights, by a click, by the arrow keys in the chart, or from the list. Its words, its code and its TOML stand
    below. `scenario` is the plan picked last, as a Scenario.
    """

    def __init__(self, found: Frontier, weights: dict[str, float] | None = None) -> None:
        self.found = found
        choice = found.choose(STARTS["alike"][1] if weights is None else weights)
        self._setting = False
        self._standing = Standing()
        self.controls = {name: self._control(name, 100.0 * choice.weights[name]) for name in OBJECTIVES}
        front = found.on_frontier["name"].to_list()
        others = [name for name in found.table.filter(state="dominated")["name"].to_list() if not name.startswith("plan-")]
        self.chart = FrontierChart(frontier_chart.scatter(found, choice.name), summary=found.sentence)
        self.chart.order = front
        self.strips = LiveChart(frontier_chart.strips(found, choice.weights))
        self.plan = ipywidgets.Dropdown(
            options=[(f"{name}, on the frontier", name) for name in front] + [(f"{name}, dominated", name) for name in others],
            description="Plan",
            layout=ipywidgets.Layout(width="auto"),
        ).add_class("painlab-pick")
        self.words = ipywidgets.HTML()
        self.judgment = ipywidgets.HTML()
        self.told = ipywidgets.HTML()
        self.code = ipywidgets.Text(description="Code of this plan", layout=ipywidgets.Layout(width="auto")).add_class("painlab-code")
        self.copy = ipywidgets.Button(description="Copy code", tooltip="For `painlab project CODE`, the explorer, or a colleague")
        self.save = ipywidgets.Button(description="Save as TOML", tooltip="A scenario file")
        self.download = Download()
        self.again = ipywidgets.Button(description="Back to the weights' choice")
        for control in self.controls.values():
            control.observe(lambda _change: self._weigh(), "value")
        self.chart.observe(lambda change: self._pick(change["new"]), "picked")
        self.plan.observe(lambda change: self._pick(change["new"]), "value")
        self.copy.on_click(lambda _: self.download.copy(self.code.value))
        self.save.on_click(lambda _: self._save())
        self.again.on_click(lambda _: self._weigh())
        self.start = Choice("Start from weights of", {name: words for name, (words, _) in STARTS.items()})
        self.start.observe(lambda change: self._begin_from(change["new"]), "value")
        weights_box = ipywidgets.VBox([self.start, *self.controls.values()]).add_class("painlab-levers")
        row = ipywidgets.HBox([self.plan, self.again, self.copy, self.save, self.download]).add_class("painlab-line")
        notes = ipywidgets.HTML(f"<p>{escape(COSTS)} {escape(JUDGMENT)}</p>")
        super().__init__([self.chart, weights_box, self.judgment, self.strips, row, self.words, self.code, self.told, notes])
        self.add_class("painlab-explorer")
        self.chart.keep_picture(lambda svg: self._standing.show(pictured(svg, "", self.found.words(self.picked))))
        self._weigh()

    def _ipython_display_(self) -> None:
        self._standing.display(self)

    @property
    def weights(self) -> dict[str, float]:
        """The weights as set; only their proportions count."""
        return {name: control.value for name, control in self.controls.items()}

    @property
    def picked(self) -> str:
        """Name of the plan picked last."""
        return str(self.chart.picked)

    @property
    def scenario(self) -> Scenario:
        """The plan picked last as a Scenario, on the same patients and against the same baseline."""
        return self.found.scenario_of(self.picked)

    def _control(self, name: str, value: float) -> LeverControl:
        label = BY_NAME[name].label.lower()
        levels = {"nothing": 0.0, "half": 50.0, "most": 100.0}
        lever = Lever(("weight", name), "Weight", f"weight of {label}", 0.0, 100.0, 1.0, "", "{}", _HELP[name], "assumption: yours", levels)
        control = LeverControl(lever, lambda text: self._tell(text))
        control.value = float(round(value))
        return control

    def _weigh(self) -> None:
        """Show what the weights choose; without any above zero say so and leave the charts."""
        if self._setting:
            return
        weights = self.weights
        if sum(weights.values()) <= 0.0:
            self.judgment.value = "<p>All weights are zero: nothing is chosen. Raise one.</p>"
            return
        choice = self.found.choose(weights)
        self.judgment.value = f"<p>{escape(self.found.choice_words(weights))}</p>"
        self.strips.update(
            {frontier_chart.STRIPS: frontier_chart.strip_rows(self.found, weights)}, headline=frontier_chart.choice_headline(choice)
        )
        self._pick(choice.name)

    def _begin_from(self, name: str) -> None:
        """Set all weights to those of a start."""
        self._setting = True
        for objective, weight in STARTS[name][1].items():
            self.controls[objective].value = float(weight)
        self._setting = False
        self._weigh()

    def _pick(self, name: str | None) -> None:
        """Mark a plan and say what it is."""
        if not name:
            return
        self.chart.picked = name
        values: list[Any] = [value for _, value in self.plan.options]
        if name in values and self.plan.value != name:
            self.plan.value = name
        words = self.found.words(name)
        self.words.value = f"<p>{escape(words)}</p>"
        self.code.value = self.found.scenario_of(name).code()
        self.chart.update({frontier_chart.CHOSEN: frontier_chart.chosen_rows(self.found, name)}, summary=words)

    def _save(self) -> None:
        scenario = self.scenario
        self.download.serve(f"{scenario.name}.toml", scenario.to_toml().encode(), "application/toml")

    def _tell(self, text: str) -> None:
        self.told.value = f"<p>{escape(text)}</p>"
