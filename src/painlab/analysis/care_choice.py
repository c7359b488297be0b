"""A frontier of care plans as found: its table, the plan that a user's weights choose, and how that choice changes with the weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab import catalog, narrative
from painlab.errors import InputError
from painlab.narrative import Compared, banded, plain
from painlab.outcomes import BY_NAME, spoken_unit
from painlab.phrases import plan_difference, plan_words
from painlab.plan import CarePlan
from painlab.projection import LEVEL
from painlab.scenario import Scenario
from painlab.tables import nearest

OBJECTIVES: Final = {"cost": -1.0, "mme_per_1000": -1.0, "pain": -1.0, "function": 1.0}
"""What plans are judged by: 1 where more is taken as better, -1 where less is. For opioid demand and cost that is the user's judgment."""
COSTS: Final = (
    "Costs are visits, sessions, injections and drugs at the unit costs of data/parameters.csv, which are assumptions; coordination, "
    "booking, a taper's support and the time for a real review have none there and are free in the model."
)
JUDGMENT: Final = (
    "The weights are your value judgments: how much the whole range of each outcome among the plans counts. They are nothing that the "
    "model knows, and less opioid is not by itself better health."
)


class Choice(NamedTuple):
    """The plan that some weights choose: its name, how often it is best over the draws, the runner-up, and the weights (adding up to 1)."""

    name: str
    best_in: float
    runner_up: str
    runner_up_best_in: float
    weights: dict[str, float]


@dataclass(frozen=True)
class Frontier:
    """Care plans, and which of them no other one beats.

    table: one row a plan: plan (number from 0), name, state (`frontier`: no other plan is better in all objectives by the means of the last
    stage; `dominated`: in the last stage, but another is; `dropped`: clearly dominated in an earlier stage, whose means are given), stage
    (in which it was last simulated), share (of the draws in which it is on the frontier of its draw; null if dropped), and for each of
    cost, mme_per_1000, pain and function its mean, `_low`, `_high` and `_difference` from the baseline with its band.
    levels: shape (plans of the last stage, draws, 4), in the order of `OBJECTIVES`; last: their numbers.
    """

    scenario: Scenario
    table: pl.DataFrame
    plans: tuple[CarePlan, ...] = field(repr=False)
    last: np.ndarray = field(repr=False)
    levels: np.ndarray = field(repr=False)
    objectives: tuple[str, ...]
    left_out: int
    patients: int
    draws: int
    seed: int
    weeks: int
    level: float = LEVEL
    origin: str = field(default="", repr=False)

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        *,
        plans: tuple[CarePlan, ...],
        names: Sequence[str],
        last: np.ndarray,
        levels: np.ndarray,
        screened: np.ndarray,
        dropped: np.ndarray,
        free: np.ndarray,
        share: np.ndarray,
        **run: Any,
    ) -> "Frontier":
        """Gather a frontier from the stages of a race; plan 0 is the baseline and always in the last stage."""
        place = {int(plan): k for k, plan in enumerate(last)}
        final = int(dropped.max(initial=0)) + 1
        columns: dict[str, list[Any]] = {
            "plan": list(range(len(plans))),
            "name": list(names),
            "state": [("frontier" if free[place[k]] else "dominated") if k in place else "dropped" for k in range(len(plans))],
            "stage": [final if k in place else int(dropped[k]) for k in range(len(plans))],
            "share": [float(share[place[k]]) if k in place else None for k in range(len(plans))],
        }
        for number, name in enumerate(OBJECTIVES):
            columns[name] = list(screened[:, number])
            change = levels[:, :, number] - levels[place[0], :, number]
            for column, values in ((name, levels[:, :, number]), (f"{name}_difference", change)):
                if column != name:
                    columns[column] = [float(values[place[k]].mean()) if k in place else None for k in range(len(plans))]
                tails = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1) if values.shape[1] > 1 else None
                for end, side in enumerate(("low", "high")):
                    columns[f"{column}_{side}"] = [
                        None if tails is None or k not in place else float(tails[end, place[k]]) for k in range(len(plans))
                    ]
        kinds = {"plan": pl.Int64, "name": pl.String, "state": pl.String, "stage": pl.Int64}
        table = pl.DataFrame(columns, schema={name: kinds.get(name, pl.Float64) for name in columns})
        return cls(scenario, table, plans, last, levels, **run)

    @property
    def on_frontier(self) -> pl.DataFrame:
        """Rows of the table on the frontier, the cheapest first."""
        return self.table.filter(pl.col("state") == "frontier").sort("cost", "plan")

    def number(self, name: str | int) -> int:
        """Number of a plan by its name or number; raises InputError."""
        names = self.table["name"].to_list()
        if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < len(names):
            return name
        if name not in names:
            raise InputError(f'there is no plan "{name}"{nearest(str(name), names)}', expected="a name or number in the frontier's table")
        return names.index(name)

    def scenario_of(self, name: str | int) -> Scenario:
        """A plan as a Scenario on the same patients and against the same baseline; `.code()` and `.to_toml()` hand it on."""
        number = self.number(name)
        called = self.table["name"][number]
        plain_name = called if called != "baseline" else f"{self.scenario.name[:50]}-baseline"
        return self.scenario.model_copy(
            update={
                "name": plain_name,
                "title": f"{self.scenario.title[:90]}: {called.replace('-', ' ')}",
                "baseline": self.scenario.baseline_plan(),
                "care": self.plans[number],
            }
        )

    def words(self, name: str | int) -> str:
        """A plan in plain words: what it is, what sets it apart from the baseline, and its outcomes."""
        number = self.number(name)
        row, plan = self.table.row(number, named=True), self.plans[number]
        said = []
        for objective in ("mme_per_1000", "pain", "function", "cost"):
            outcome = BY_NAME[objective]
            text = f"{outcome.label} {plain(row[objective], outcome.digits)} {spoken_unit(BY_NAME[objective].unit)}"
            change = row[f"{objective}_difference"]
            if change is not None:
                low, high = row[f"{objective}_difference_low"], row[f"{objective}_difference_high"]
                clear = Compared(objective, 0.0, 0.0, change, low, high).direction != 0
                same = number == 0
                text += "" if same else f", {banded(change, low, high, outcome.digits)} from the baseline{'' if clear else ', not clear'}"
            said.append(text)
        states = {
            "frontier": "On the frontier",
            "dominated": "Dominated",
            "dropped": "Dropped as clearly dominated, with the figures of its stage",
        }
        share = f" (on it in {100 * row['share']:.0f} % of the draws)" if row["share"] is not None and self.draws > 1 else ""
        away = "It is the baseline." if number == 0 else f"Against the baseline: {plan_difference(plan, self.plans[0])}"
        return f"{row['name']}: {plan_words(plan)} {away} {states[row['state']]}{share}. {'; '.join(said)}."

    def choose(self, weights: Mapping[str, float]) -> Choice:
        """The plan with the best weighted sum of outcomes, each on a scale from the worst (0) to the best (1) plan of the last stage.

        weights: numbers from 0 by `cost`, `mme_per_1000`, `pain`, `function`; only their proportions count. They are the user's value
        judgments. Plans that a bulge of the frontier hides are chosen by no weights.

        Raises InputError for unknown names, negative weights, or none above zero.
        """
        shares = self._weights(weights)
        scores = self._scores(np.array([list(shares.values())]))[0]
        order = np.argsort(-scores.mean(axis=1), kind="stable")
        best = np.bincount(scores.argmax(axis=0), minlength=len(scores)) / scores.shape[1]
        names = self.table["name"].to_list()
        first, second = (int(k) for k in (order[0], order[min(1, len(order) - 1)]))
        return Choice(names[self.last[first]], float(best[first]), names[self.last[second]], float(best[second]), shares)

    def sensitivity(self, weights: Mapping[str, float], steps: int = 100) -> pl.DataFrame:
        """How the chosen plan changes as one weight runs from 0 to 1 and the others keep their proportions.

        Columns: outcome, low, high (range of its weight in which the plan is chosen, in steps of 1 / steps), name, weight (that of now).
        """
        shares = self._weights(weights)
        names, rows = self.table["name"].to_list(), []
        for place, outcome in enumerate(OBJECTIVES):
            others = np.array([0.0 if k == place else one for k, one in enumerate(shares.values())])
            if others.sum() == 0.0:
                others = np.array([0.0 if k == place else 1.0 for k in range(len(OBJECTIVES))])
            grid = np.linspace(0.0, 1.0, steps + 1)
            every = (1.0 - grid)[:, None] * others / others.sum()
            every[:, place] = grid
            chosen = self._scores(every).mean(axis=2).argmax(axis=1)
            starts = np.flatnonzero(np.r_[True, chosen[1:] != chosen[:-1]])
            for k, start in enumerate(starts):
                end = starts[k + 1] if k + 1 < len(starts) else steps
                rows.append((outcome, float(grid[start]), float(grid[end]), names[self.last[chosen[start]]], shares[outcome]))
        return pl.DataFrame(rows, schema=("outcome", "low", "high", "name", "weight"), orient="row")

    def choice_words(self, weights: Mapping[str, float]) -> str:
        """What the weights choose and how firmly, in sentences that say whose judgment it is."""
        found = self.choose(weights)
        shares = ", ".join(f"{BY_NAME[name].label.lower()} {100 * share:.0f} %" for name, share in found.weights.items())
        if self.draws > 1:
            sure = f"On average over the draws it scores best; taken one by one, it is the best plan in {100 * found.best_in:.0f} % of them"
            firm = "" if found.best_in >= 0.5 else ", so they do not agree on it"
            runner = f"; the runner-up on average is {found.runner_up}, the best in {100 * found.runner_up_best_in:.0f} %"
            if found.runner_up_best_in > found.best_in:
                runner += ", which is more often, but on average over all of them it scores lower"
            sure += f"{firm}{runner if found.runner_up != found.name else ''}."
        else:
            sure = "One run with central values: nothing says how sure that is."
        moves = []
        for outcome, rows in self.sensitivity(weights).group_by("outcome", maintain_order=True):
            mine = rows.filter(
                (pl.col("name") == found.name) & (pl.col("low") <= pl.col("weight") + 0.01) & (pl.col("high") >= pl.col("weight") - 0.01)
            )
            if rows.height > 1 and not mine.is_empty():
                low, high = mine.row(0, named=True)["low"], mine.row(-1, named=True)["high"]
                moves.append(f"{BY_NAME[str(outcome[0])].label.lower()} is {100 * low:.0f} to {100 * high:.0f} %")
        stays = (
            f" It stays the choice while the weight of {', or that of '.join(moves)}; one weight is moved, the others in proportion."
            if moves
            else " No weight alone changes it."
        )
        return f"With the weights {shares}, the choice is {found.name}. {sure}{stays} {JUDGMENT}"

    def _weights(self, weights: Mapping[str, float]) -> dict[str, float]:
        for name, value in weights.items():
            if name not in OBJECTIVES:
                raise InputError(f'unknown weight "{name}"{nearest(str(name), OBJECTIVES)}', expected=f"some of {', '.join(OBJECTIVES)}")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < float("inf"):
                raise InputError(f"the weight of {name} is {value!r}", expected="a number from 0")
        total = float(sum(weights.values()))
        if total <= 0.0:
            raise InputError("all weights are zero", expected="at least one above zero")
        return {name: float(weights.get(name, 0.0)) / total for name in OBJECTIVES}

    def _scores(self, weights: np.ndarray) -> np.ndarray:
        """Weighted sums, shape (sets of weights, plans of the last stage, draws), for weights of shape (sets, 4)."""
        signed = self.levels * np.array(list(OBJECTIVES.values()))
        means = signed.mean(axis=1)
        width = means.max(axis=0) - means.min(axis=0)
        scaled = (signed - means.min(axis=0)) / np.where(width > 0.0, width, np.inf)
        return np.einsum("wk,pdk->wpd", weights, scaled)

    @property
    def sentence(self) -> str:
        """How many plans there are, how many are left, and what they span."""
        front, final = self.on_frontier, self.table.filter(pl.col("state") != "dropped").height
        often = int((front["share"] >= 0.5).sum())
        known = [name for name in front["name"] if not name.startswith("plan-")]
        objectives = [BY_NAME[name].label.lower() for name in self.objectives]
        fewer = self.table.height - final - self.left_out
        dropped = f"{fewer:,} were dropped as clearly dominated, " if fewer else ""
        text = (
            f"Of {self.table.height:,} care plans {dropped}{final:,} were simulated in full, and {front.height:,} are on the frontier of "
        )
        text += ", ".join(objectives)
        text += f"; {often:,} of them in at least half of the {self.draws} draws." if self.draws > 1 else " (one run, central values)."
        if self.left_out:
            text += f" {self.left_out:,} more could not be told from the frontier and were left out for time (`most`)."
        spans = []
        for name in ("mme_per_1000", "pain", "function", "cost"):
            digits = BY_NAME[name].digits
            low, high = (plain(end, digits) for end in (front[name].min(), front[name].max()))  # type: ignore[arg-type]
            spans.append(f"{BY_NAME[name].label.lower()} from {low} to {high} {spoken_unit(BY_NAME[name].unit)}")
        text += f" On it {', '.join(spans)}, on average over {narrative.horizon_words(self.weeks)}."
        text += (
            f" Of the plans that ship, {', '.join(known)} {'are' if known[1:] else 'is'} on it."
            if known
            else " No plan that ships is on it."
        )
        return text

    def __str__(self) -> str:
        condition = catalog.labels("conditions")[self.scenario.population.condition]
        return f"{condition}. {self.sentence}\n{COSTS}\n{JUDGMENT}"
