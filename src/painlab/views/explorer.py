"""The explorer: levers of care beside charts of demand, pain and function, on one screen of a notebook."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

import ipywidgets
import polars as pl

from painlab import catalog
from painlab.errors import InputError
from painlab.projection import Projection
from painlab.scenario import Scenario, shipped
from painlab.tables import nearest
from painlab.views import sights
from painlab.views.background import Background
from painlab.views.controls import Choice
from painlab.views.deck import Deck, Move
from painlab.views.exploration import FULL, PREVIEW, Exploration, comparable, moved, project
from painlab.views.live_chart import LiveChart
from painlab.views.pins import Pins
from painlab.views.sharing import Sharing
from painlab.views.sights import EMPTY, VIEWS, WEEKLY, Wanted
from painlab.views.standing import Standing, pictured

REPLAY_SECONDS: Final = 1.0
NOTE: Final = (
    "For teaching and exploring questions; it advises no individual patient. Bands hold 95% of the parameter sets "
    "that published trials allow; much of what no trial speaks of is assumed: press <b>?</b> at a lever to see which."
)
PREPARING: Final = "Preparing the model. The first time on a machine this takes about half a minute; afterwards a moment."


class Foreseen(NamedTuple):
    """What a chart was told ahead: for which values of a lever, and what these hold for: the lever, all else of the scenario, the chart."""

    basis: tuple[str, Scenario, Wanted] | None
    values: frozenset[float]


NOTHING: Final = Foreseen(None, frozenset())


def explore(
    scenario: Scenario | str | Path = "early-pt",
    *,
    view: str = "difference",
    groups: Sequence[str] | None = None,
    cut: Iterable[str] = (),
    large: bool = False,
) -> "Explorer":
    """Show a scenario with levers to change its care, against its baseline: opioid demand, pain and function, redrawn in place.

    Parameters
    ----------
    scenario
        A Scenario, the name of one that ships, its code, or the path of a TOML file.
    view
        What is shown first: `difference`, `demand`, `body`, `lives` or `phase`.
    groups
        Groups of levers to show, of `refer`, `move`, `inject`, `prescribe`, `taper`, `other` and `people`; all if left out.
    cut
        Links of the cycle that are cut at the start.
    large
        Large type, for a projector.

    Raises InputError as `Scenario.load` does, and for an unknown view, group or link.
    """
    if view not in VIEWS:
        raise InputError(f'unknown view "{view}"{nearest(view, VIEWS)}', expected=f"one of {', '.join(VIEWS)}")
    start = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    links = [cut] if isinstance(cut, str) else list(cut)
    if links:
        own = start.assume.model_dump() if start.assume else {}
        start = start.change(assume={**own, "links_cut": [*own.get("links_cut", ()), *links]})
    return Explorer(Exploration(start), view=view, groups=groups, large=large)


class Explorer(ipywidgets.VBox):
    """Thin widgets over an `Exploration`; `exploration` holds the scenario, `projection` the last full run."""

    def __init__(
        self, exploration: Exploration, *, view: str = "difference", groups: Sequence[str] | None = None, large: bool = False
    ) -> None:
        self.exploration = exploration
        self.projection: Projection | None = None
        self._preview: Projection | None = None  # of the scenario as it is now
        self._anchor: tuple[Projection, Projection] | None = None  # a full run and the preview of the same scenario
        self._frame: pl.DataFrame | None = None  # what is drawn
        self._frame_before: pl.DataFrame | None = None  # of the full run before the last
        self._stale = False  # whether controls await the next picture
        self._foreseen = NOTHING  # what the chart was told ahead
        self._settled: list[Callable[[Projection], None]] = []
        self._standing = Standing()
        self._background: Background[Scenario, Projection] = Background(
            (lambda asked, cancelled: project(asked, PREVIEW, cancelled), lambda asked, cancelled: project(asked, FULL, cancelled)),
            self._show,
            self._fail_to_project,
            self._likely,
        )
        self.status, self.message, self.sentence, self.evidence, self.note = (
            ipywidgets.HTML(value).add_class(f"painlab-{name}")
            for name, value in (("status", ""), ("message", ""), ("sentence", ""), ("evidence", ""), ("note", NOTE))
        )
        self._make_head(view, large)
        self.pins = Pins(lambda: self.projection, self._redraw, self._say)
        self.sharing = Sharing(exploration, lambda: self.projection, self._open, self._say, self._fail)
        more = {"compare": ("Compare", self.pins.box), "share": ("Share and save", self.sharing.box)}
        self.deck = Deck(exploration, self._then, self._tell, groups, more, self._take_in_hand)
        self.deck.tabs.observe(lambda _: self._tell(""), "value")  # it was about a control that is no longer shown
        self._drawn: Wanted | None = self._wanted()
        self.chart = LiveChart(sights.specification(self._drawn), EMPTY, headline=PREPARING, renderer="canvas")
        self.chart.keep_picture(lambda svg: self._standing.show(pictured(svg, self.chart.headline, self.chart.summary)))
        self._picture = ipywidgets.Box([self.chart]).add_class("painlab-chart")
        super().__init__([self.head, self.message, self._picture, self.sentence, self.deck.box, self.evidence, self.note])
        self.add_class("painlab-explorer")
        self._on_large()
        self._set_controls()
        self._ask()

    def _ipython_display_(self) -> None:
        self._standing.display(self)

    def on_settled(self, callback: Callable[[Projection], None]) -> None:
        """Have `callback(projection)` called after each full run."""
        self._settled.append(callback)

    def close(self) -> None:
        """End what runs behind and take the widgets away."""
        self._background.close()
        self.sharing.talks.close()
        super().close()

    # Controls

    def _make_head(self, view: str, large: bool) -> None:
        wide = ipywidgets.Layout(width="auto")
        self.start = ipywidgets.Dropdown(description="Start from", layout=wide)
        self._offer_starts()
        self.view = Choice("View", VIEWS, view)
        self.undo = ipywidgets.Button(description="Undo", tooltip="Take the last change back", disabled=True)
        self.redo = ipywidgets.Button(description="Redo", tooltip="Make the change again", disabled=True)
        self.replay = ipywidgets.Button(description="Replay", tooltip="Show the last change once more: before, then after", disabled=True)
        self.reset = ipywidgets.Button(description="Reset", tooltip="Return every lever to where it started")
        self.large = ipywidgets.Checkbox(value=large, description="Large type", indent=False, layout=wide)
        self.start.observe(self._on_start, "value")
        self.view.observe(lambda _: self._redraw(), "value")
        self.large.observe(lambda _: self._on_large(), "value")
        self.undo.on_click(lambda _: self._then(self.exploration.undo))
        self.redo.on_click(lambda _: self._then(self.exploration.redo))
        self.reset.on_click(lambda _: self._then(self.exploration.reset))
        self.replay.on_click(lambda _: self._on_replay())
        buttons = ipywidgets.HBox([self.undo, self.redo, self.replay, self.reset]).add_class("painlab-buttons")
        first = ipywidgets.HBox([self.start, self.status, self.large, buttons]).add_class("painlab-line")
        self.head = ipywidgets.VBox([first, self.view]).add_class("painlab-head")

    def _set_controls(self) -> None:
        """Show the exploration's state in the controls."""
        self.deck.show()
        self.undo.disabled, self.redo.disabled = self.exploration.before is None, not self.exploration.can_redo
        if self.start.value != self.exploration.start:  # undone, or from a code or a file
            self.start.unobserve(self._on_start, "value")
            self._offer_starts()
            self.start.observe(self._on_start, "value")

    def _offer_starts(self) -> None:
        """Offer the scenarios that ship, and first the one of one's own, if it is none of them."""
        own, every = self.exploration.start, shipped()
        offered = every if own in every else (own, *every)
        self.start.options = [(f"{one.title} ({_condition(one)})", one) for one in offered]
        self.start.value = own

    # What the user does

    def _on_start(self, change: dict[str, Any]) -> None:
        self._then(lambda: self.exploration.start_from(change["new"]))

    def _open(self, scenario: Scenario) -> None:
        """Go on with a scenario from a code or a file."""
        self._then(lambda: self.exploration.start_from(scenario))

    def _on_large(self) -> None:
        (self.add_class if self.large.value else self.remove_class)("painlab-large")
        self._redraw()

    def _on_replay(self) -> None:
        """Show the state before the last change for a moment, then the change."""
        if self._frame_before is None or self._frame is None or self.view.value not in WEEKLY:
            return
        self._feed(self._frame_before, None, headline="Before the last change")
        try:
            asyncio.get_running_loop().call_later(REPLAY_SECONDS, self._redraw)
        except RuntimeError:  # in a plain script nothing moves by itself
            self._redraw()

    def _then(self, change: Callable[[], None]) -> None:
        """Make a change, show it in the controls and ask for its projection; an error is shown in place."""
        if self.message.value:
            self.message.value = ""
        before = self.exploration.scenario
        try:
            change()
        except Exception as error:
            self._fail(error)
        if self.exploration.scenario != before:
            self._stale = True  # the other controls follow the picture, so that they do not hold it up
            self._ask()
        else:
            self._set_controls()

    def _ask(self) -> None:
        self._background.ask(self.exploration.scenario)

    def _tell(self, evidence: str) -> None:
        self.evidence.value = _paragraph(evidence) if evidence else ""

    def _say(self, words: str) -> None:
        self.message.value = f'<p role="status">{escape(words)}</p>'

    # What comes back

    def _show(self, projection: Projection, last: bool) -> None:
        """Draw a preview or, at last, the full run of what was asked."""
        asked = self.exploration.scenario
        if projection.scenario.population != asked.population or projection.weeks != asked.weeks:
            return  # a preview of other people, from before another start
        self._show_in_full(projection) if last else self._show_preview(projection)

    def _show_preview(self, preview: Projection) -> None:
        self._preview = preview
        self._frame = self._expected(preview)
        if self.view.value in WEEKLY:
            self._feed(self._frame, preview.scenario, waiting=True)
        self._follow()

    def _likely(self) -> Iterator[tuple[Scenario, Callable[[Projection], None]]]:
        for move in self.deck.likely():
            yield move.scenario, partial(self._foresee, move)

    def _foresee(self, move: Move, preview: Projection) -> None:
        """Tell the chart ahead what a move would show, so that a browser draws it without waiting for the kernel."""
        if self.view.value not in WEEKLY or self._drawn is None:
            return
        basis = (move.lever, move.rest, self._drawn)
        told = self._foreseen.values if self._foreseen.basis == basis else frozenset()
        if move.value not in told:
            self.chart.foresee(move.lever, move.value, sights.weekly(self._expected(preview), {}, self._drawn.view), anew=not told)
            self._foreseen = Foreseen(basis, told | {move.value})

    def _take_in_hand(self) -> None:
        """The keyboard comes to a lever: a browser has forgotten what it was told, if something else was touched before."""
        self._foreseen = NOTHING
        self._background.look_ahead()

    def _expected(self, preview: Projection) -> pl.DataFrame:
        """What is drawn of a preview: where there is one, the last full run, moved by what the preview says."""
        known = self._anchor if self._anchor and comparable(self._anchor[0], preview) else None
        return moved(*known, preview) if known else preview.weekly

    def _follow(self) -> None:
        """Show in the controls what a change has changed in others, once."""
        if self._stale:
            self._stale = False
            self._set_controls()

    def _show_in_full(self, projection: Projection) -> None:
        if self._preview and self._preview.scenario == projection.scenario:
            self._anchor = (projection, self._preview)
            self._foreseen = NOTHING
        if self.projection and comparable(self.projection, projection) and self.projection.scenario != projection.scenario:
            self._frame_before = self.projection.weekly
        elif self.projection and not comparable(self.projection, projection):
            self._frame_before = None
        self._follow()
        self.projection, self._frame = projection, projection.weekly
        self.replay.disabled = self._frame_before is None
        self._redraw()
        self.status.value = f"{projection.draws} draws of {projection.patients:,} patients"
        self.pins.show()
        self.sharing.show()
        for callback in self._settled:
            callback(projection)

    def _redraw(self) -> None:
        """Draw the chosen view of the last run."""
        if self._frame is None:
            return
        if self.view.value in WEEKLY:
            headline = self.projection.headline() if self.projection else None
            words = str(self.projection) if self.projection else ""
            self._feed(self._frame, self.projection.scenario if self.projection else None, headline=headline, summary=words or None)
            self._tell_finding(words)
            return
        self._drawn = None
        scenario, large = self.exploration.scenario, self.large.value
        if self.view.value == "lives":
            spec, data, words = sights.lived(scenario, large=large)
            headline = "The same patient, again and again: only chance differs"
        else:
            (spec, words), data = sights.field(scenario, large=large), {}
            headline = "Where the cycle carries a body"
        with self.chart.hold_sync():
            self.chart.replace(spec, data)
            self.chart.headline, self.chart.summary, self.chart.waiting = headline, words, False
        self._tell_finding(words)

    def _tell_finding(self, words: str) -> None:
        if words:
            self.sentence.value = _paragraph(words) + _paragraph(self._plan_words())

    def _feed(
        self, frame: pl.DataFrame, of: Scenario | None, *, headline: str | None = None, summary: str | None = None, waiting: bool = False
    ) -> None:
        """Feed a weekly view with a frame of a scenario; another view, horizon, type size or the first pin takes the chart's place."""
        wanted = self._wanted()
        with self.chart.hold_sync():
            if wanted != self._drawn:
                self._drawn = wanted
                self.chart.replace(sights.specification(wanted), {})
            self.chart.moved = self.deck.moved_in(of) if of else []
            self.chart.update(sights.weekly(frame, self.pins.kept, wanted.view), headline=headline, summary=summary, waiting=waiting)

    def _wanted(self) -> Wanted:
        scenario = self.exploration.scenario
        baseline = self.exploration.start.baseline
        label = baseline.replace("-", " ") if isinstance(baseline, str) else "baseline"
        view = self.view.value if self.view.value in WEEKLY else "difference"
        return Wanted(view, scenario.weeks, label, bool(self.pins.kept), self.large.value)

    def _plan_words(self) -> str:
        others = self.exploration.others()
        cut = [link.replace("_", " ") for link in self.exploration.cut]
        people = self.exploration.people()
        assumed = [f"{name.replace('_', ' ')} {value:g}" for name, value in self.exploration.assumed.items()]
        told = [f"Against the baseline: {self.exploration.differences()}"]
        told += [f"Also in this plan: {', '.join(others)}."] if others else []
        told += [f"In both arms: patients {', '.join(people)}."] if people else []
        told += [f"Cut in both arms: {'; '.join(cut)}."] if cut else []
        told += [f"Assumed in both arms: {', '.join(assumed)}."] if assumed else []
        return " ".join(told)

    def _fail(self, error: Exception) -> None:
        """Say what went wrong, where it can be seen and is read out."""
        words = str(error) if isinstance(error, InputError) else f"This did not work ({type(error).__name__}: {error})."
        self.message.value = f'<p role="alert">{escape(words)}</p>'

    def _fail_to_project(self, error: Exception) -> None:
        self._follow()
        self.status.value = "Not projected"
        self._fail(error)


def _condition(scenario: Scenario) -> str:
    return catalog.labels("conditions")[scenario.population.condition].lower()


def _paragraph(text: str) -> str:
    return f"<p>{escape(text)}</p>"
