"""Up to three plans that are kept beside the one that levers move."""

from collections.abc import Callable
from html import escape

import ipywidgets

from painlab.errors import InputError
from painlab.narrative import banded, compared
from painlab.outcomes import BY_NAME
from painlab.projection import Projection
from painlab.views.panels import BESIDE_DEMAND, PIN_COLORS


class Pins:
    """Pinned projections by letter, with buttons and a table; `changed()` is called when one comes or goes."""

    def __init__(self, current: Callable[[], Projection | None], changed: Callable[[], None], tell: Callable[[str], None]) -> None:
        self.kept: dict[str, Projection] = {}
        self._current, self._changed, self._tell = current, changed, tell
        self.add = ipywidgets.Button(description="Pin this plan", tooltip="Keep this plan in the charts, to compare others with")
        self.add.on_click(lambda _: self.pin())
        self.drop = {letter: ipywidgets.Button(description=f"Unpin {letter}") for letter in PIN_COLORS}
        for letter, button in self.drop.items():
            button.on_click(lambda _, letter=letter: self.unpin(letter))
        self.table = ipywidgets.HTML().add_class("painlab-table")
        self._buttons = ipywidgets.HBox([self.add]).add_class("painlab-buttons")
        self.box = ipywidgets.VBox([self._buttons, self.table])
        self.show()

    def pin(self) -> None:
        """Keep the current plan's last full run; says why if it cannot."""
        projection = self._current()
        free = next((letter for letter in PIN_COLORS if letter not in self.kept), None)
        if projection is None:
            self._tell("The full run is not there yet; pin the plan in a moment.")
        elif free is None:
            self._tell("Three plans are pinned. Unpin one first.")
        elif any(one.weeks != projection.weeks for one in self.kept.values()):
            self._tell("Pinned plans share a horizon; this plan has another. Unpin the others first.")
        else:
            self.kept[free] = projection
            self.show()
            self._changed()

    def unpin(self, letter: str) -> None:
        """Let a pinned plan go."""
        if self.kept.pop(letter, None):
            self.show()
            self._changed()

    def show(self) -> None:
        """Show the table of the pinned plans and the current one."""
        self._buttons.children = [self.add, *(self.drop[letter] for letter in PIN_COLORS if letter in self.kept)]
        current = self._current()
        rows = [(letter, one, PIN_COLORS[letter]) for letter, one in self.kept.items()]
        if current is not None:
            rows.append(("now", current, "inherit"))
        if not self.kept:
            self.table.value = "<p>No plan is pinned. Pin this one, move the levers, and the charts show both.</p>"
            return
        heads = "".join(f'<th scope="col">{escape(BY_NAME[name].label)}, {escape(BY_NAME[name].unit)}</th>' for name in BESIDE_DEMAND)
        body = "".join(
            f'<tr><th scope="row" style="color:{color}">{letter}</th><td>{escape(_words(one))}</td>'
            + "".join(f"<td>{_cell(one, name)}</td>" for name in BESIDE_DEMAND)
            + "</tr>"
            for letter, one, color in rows
        )
        caption = "Mean difference from each plan's own baseline over the horizon, with its band"
        self.table.value = (
            f'<table><caption>{caption}</caption><thead><tr><th scope="col">Plan</th><th scope="col">What it is</th>{heads}</tr></thead>'
            f"<tbody>{body}</tbody></table>"
        )


def _words(projection: Projection) -> str:
    scenario = projection.scenario
    difference = scenario.difference(scenario.model_copy(update={"care": scenario.baseline_plan()}))
    return f"{scenario.title}. {difference}"


def _cell(projection: Projection, outcome: str) -> str:
    if projection.averages is None:
        raise InputError("the projection has no averages", expected="one made by simulate()")
    one = compared(projection.averages, outcome)
    return escape(banded(one.difference, one.low, one.high, one.digits))
