"""What earned the effect: the exact Shapley share of each component of a care plan in what it changes, with bands over the draws.

A component is a table of the plan that is not that of the baseline: a treatment, the coordination, prescribing, reassessment, a taper.
Every coalition of components is simulated on the same patients and random numbers. The share of a component is what it adds to those
before it, averaged over all orders in which the components could be added (Shapley 1953, doi 10.1515/9781400881970-018). Shares add up to
the whole difference in every draw; they may be negative, and nothing is scaled.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import polars as pl

from painlab import catalog, narrative, posterior
from painlab.analysis import side_by_side
from painlab.analysis.coalitions import interaction_indices, shapley
from painlab.errors import InputError
from painlab.narrative import Compared, banded
from painlab.outcomes import BY_NAME, OUTCOMES, spoken_unit
from painlab.plan import SECTION_LABELS, CarePlan
from painlab.projection import LEVEL
from painlab.scenario import MAX_WEEKS, Scenario
from painlab.simulation import MAX_PATIENTS, parameter_sets, whole_number
from painlab.tables import nearest

MOST_COMPONENTS: Final = 8
MOST_DRAWS: Final = 500
ALWAYS: Final = ("mme_per_1000", "pain", "function")
Evaluate = Callable[[Sequence[CarePlan]], np.ndarray]


def components(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Components in which a scenario's plan and its baseline differ: label and the keys of the plan's tables that make it.

    >>> components(Scenario.load("injection-then-pt"))
    {'Epidural steroid injection': ('epidural_steroid',), 'Physical therapy': ('physical_therapy',)}
    """
    plan, baseline = scenario.care.as_dict(), scenario.baseline_plan().as_dict()
    keys = [key for key in dict.fromkeys([*plan, *baseline]) if plan.get(key) != baseline.get(key)]
    return {_label(key): (key,) for key in keys}


def _label(key: str) -> str:
    known = catalog.treatments()
    return known[key].label if key in known else SECTION_LABELS[key]


def _grouped(scenario: Scenario, groups: Mapping[str, Sequence[str]] | None) -> dict[str, tuple[str, ...]]:
    """Components with those of a group as one; raises InputError for unknown keys, none, or more than can be worked out exactly."""
    alone = components(scenario)
    by_key = {keys[0]: label for label, keys in alone.items()}
    for label, keys in (groups or {}).items():
        if isinstance(keys, str) or not keys:
            raise InputError(f'the group "{label}" is not a list of keys', expected="keys of the plan, such as coordination")
        for key in keys:
            if key not in by_key:
                raise InputError(
                    f'"{key}" of the group "{label}" is no component{nearest(key, by_key)}, or stands in two groups',
                    expected=f"one of {', '.join(by_key)}",
                )
            del alone[by_key.pop(key)]
    found = {label: tuple(keys) for label, keys in (groups or {}).items()} | alone
    if not found:
        raise InputError(
            "the plan is the same as its baseline, so there is nothing to share out",
            where=scenario.name,
            mend="Change the plan, or hold it against another baseline.",
        )
    if len(found) > MOST_COMPONENTS:
        raise InputError(
            f"{len(found)} components differ, which makes {2 ** len(found):,} plans",
            where=scenario.name,
            expected=f"at most {MOST_COMPONENTS}",
            mend='Take some together: groups={"visits": ["reassessment", "coordination"]}.',
        )
    return found


def coalition_plans(scenario: Scenario, parts: Mapping[str, Sequence[str]]) -> list[CarePlan]:
    """The baseline plan with each coalition's components put in the place of its own, in the order that `shapley` takes."""
    plan, baseline = scenario.care.as_dict(), scenario.baseline_plan().as_dict()
    plans = []
    for s in range(1 << len(parts)):
        table: dict[str, Any] = dict(baseline)
        for i, keys in enumerate(parts.values()):
            for key in keys if s >> i & 1 else ():
                table.pop(key, None)
                if key in plan:
                    table[key] = plan[key]
        plans.append(CarePlan.model_validate(table))
    return plans


@dataclass(frozen=True)
class Attribution:
    """What each component of a plan earned.

    shares: one row a component and outcome: component, outcome, unit, share (what it earns of the difference, mean over the draws), low,
    high (95 % of the draws, null with one), alone (difference if it alone joins the baseline), last (difference if it is the last to
    join), clear (the band excludes zero and the share does not round to nothing). whole: outcome, unit, baseline, scenario,
    difference, low, high, clear. interactions: first, second, outcome, unit, interaction, low, high, clear. coalitions: the mean outcome
    of every coalition: components (a list), outcome, unit, mean.
    by_draw: shares of every draw, shape (components, draws, outcomes).
    """

    scenario: Scenario
    components: dict[str, tuple[str, ...]]
    shares: pl.DataFrame
    whole: pl.DataFrame
    interactions: pl.DataFrame
    coalitions: pl.DataFrame
    by_draw: np.ndarray = field(repr=False)
    patients: int
    draws: int
    seed: int
    weeks: int
    week: int | None = None
    level: float = LEVEL
    origin: str = field(default="", repr=False)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names of the outcomes, opioid demand, pain and function first."""
        return tuple(self.whole["outcome"].to_list())

    @property
    def when(self) -> str:
        """The time that the shares are of, in words."""
        return f"in week {self.week}" if self.week is not None else f"on average over {narrative.horizon_words(self.weeks)}"

    @property
    def sentence(self) -> str:
        """What earned the change in opioid demand, with pain and function beside it."""
        return " ".join(self._words(name) for name in ALWAYS)

    def _words(self, name: str) -> str:
        outcome, whole = BY_NAME[name], self.whole.row(by_predicate=pl.col("outcome") == name, named=True)
        rows = self.shares.filter(pl.col("outcome") == name).sort(pl.col("share").abs(), descending=True)
        amount = banded(whole["difference"], whole["low"], whole["high"], outcome.digits)
        clear = [row for row in rows.iter_rows(named=True) if row["clear"]]
        unclear = [row["component"] for row in rows.iter_rows(named=True) if not row["clear"]]
        said = [f"{row['component']} {banded(row['share'], row['low'], row['high'], outcome.digits)}" for row in clear]
        text = f"{outcome.label}: the whole plan changes it by {amount} {spoken_unit(BY_NAME[name].unit)}"
        if not whole["clear"] and self.draws > 1:
            text += ", not distinguishable from zero"
        if said:
            text += f"; of that {narrative.listed(said)}"
        if unclear and self.draws > 1:
            many = ("shares", "are") if unclear[1:] else ("share", "is")
            text += f"; the {many[0]} of {narrative.listed(unclear)} {many[1]} not distinguishable from zero"
        elif unclear:
            text += f"; {narrative.listed(unclear)}: nothing that shows in the digits given"
        return f"{text}."

    def _interaction_words(self) -> str:
        rows = self.interactions.filter((pl.col("outcome") == "mme_per_1000") & pl.col("clear"))
        if self.interactions.is_empty():
            return ""
        if rows.is_empty():
            return "In opioid demand no two components can be told to do more or less together than apart." if self.draws > 1 else ""
        row = rows.sort(pl.col("interaction").abs(), descending=True).row(0, named=True)
        amount = banded(row["interaction"], row["low"], row["high"], BY_NAME["mme_per_1000"].digits)
        amount += f" {spoken_unit(BY_NAME['mme_per_1000'].unit)}"
        return (
            f"The strongest interaction in opioid demand is between {row['first']} and {row['second']}: together {amount} "
            "beside what each does apart; the shares split it evenly."
        )

    def __str__(self) -> str:
        lines = [f"{self.scenario.title}, what earned the difference from the baseline {self.when}:", self.sentence]
        if words := self._interaction_words():
            lines.append(words)
        lines.append(
            f"Shares are exact Shapley values over {2 ** len(self.components)} plans on the same patients; they add up to the whole "
            "difference, and a share may work against it. "
            + (
                f"In parentheses {100 * self.level:.0f} % of {self.draws} draws of the parameters, {self.patients:,} patients in each."
                if self.draws > 1
                else "One run with central values, without a band: nothing says how sure it is."
            )
        )
        return "\n".join(lines)


def attribute(
    scenario: Scenario | str,
    outcomes: str | Sequence[str] = ALWAYS,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    week: int | None = None,
    patients: int = 1000,
    draws: int = 40,
    seed: int = 1,
    weeks: int | None = None,
    parameters: str = "posterior",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    evaluate: Evaluate | None = None,
) -> Attribution:
    """Share out a plan's difference from its baseline among its components.

    Parameters
    ----------
    scenario
        A Scenario, or the name or path of one. Its components are the tables in which its plan and the baseline differ.
    outcomes
        Outcomes to share out beside opioid demand, pain and function, which are always there.
    groups
        Components to take as one: label and keys of the plan. At most eight components remain (256 plans).
    week
        The week whose difference is shared out; the mean over all weeks if left out.
    patients, draws, seed, weeks, parameters, threads, progress, cancelled
        As in `painlab.simulate`; the whole difference is the one that it gives.
    evaluate
        Used in the engine's place: from plans (the baseline first, all components last) to outcomes, shape (plans, draws, outcomes), in
        the order asked for.

    Raises
    ------
    InputError
        For an unknown scenario, outcome or key, a plan equal to its baseline, more than eight components, or a number outside its range.
    Cancelled
        When `cancelled()` is true.

    >>> found = attribute("injection-then-pt", patients=100, draws=3)
    >>> whole = found.whole.row(0, named=True)["difference"]
    >>> abs(found.shares.filter(pl.col("outcome") == "mme_per_1000")["share"].sum() - whole) < 1e-9
    True
    """
    asked = scenario if isinstance(scenario, Scenario) else Scenario.load(scenario)
    names = _known((outcomes,) if isinstance(outcomes, str) else outcomes)
    horizon = whole_number("weeks", asked.weeks if weeks is None else weeks, 1, MAX_WEEKS)
    if week is not None:
        whole_number("week", week, 0, horizon)
    patients, seed = whole_number("patients", patients, 1, MAX_PATIENTS), whole_number("seed", seed, 0, 2**63 - 1)
    draws = whole_number("draws", draws, 1, MOST_DRAWS)
    parts = _grouped(asked, groups)
    plans = coalition_plans(asked, parts)
    origin = "an evaluator of the caller's own"
    if evaluate is None:
        values = parameter_sets(draws, seed, parameters)
        places = [next(k for k, one in enumerate(OUTCOMES) if one.name == name) for name in names]
        scales = np.array([OUTCOMES[k].scale for k in places])
        levels = np.empty((len(plans), draws, len(names)))
        every = side_by_side.parts_of(
            asked, plans, values, patients=patients, seed=seed, weeks=horizon, threads=threads, progress=progress, cancelled=cancelled
        )
        for plan, draw, part in every:
            means = side_by_side.means_of_plan(part)[places]
            levels[plan, draw] = scales * (means.mean(axis=1) if week is None else means[:, week])
        origin = posterior.words(draws, parameters)
    else:
        levels = np.asarray(evaluate(plans), dtype=float)
        if levels.ndim != 3 or (levels.shape[0], levels.shape[2]) != (len(plans), len(names)) or not np.isfinite(levels).all():
            raise InputError(
                f"the evaluator gave an array of shape {levels.shape}",
                expected=f"finite numbers of shape ({len(plans)}, draws, {len(names)})",
            )
        draws = levels.shape[1]
    return _gathered(asked, parts, names, levels, patients=patients, draws=draws, seed=seed, weeks=horizon, week=week, origin=origin)


def _known(names: Sequence[str]) -> tuple[str, ...]:
    every = [one.name for one in OUTCOMES]
    for name in names:
        if name not in every:
            raise InputError(f'unknown outcome "{name}"{nearest(str(name), every)}', expected=f"one of {', '.join(every)}")
    return tuple(dict.fromkeys((*ALWAYS, *names)))


def _gathered(asked: Scenario, parts: dict[str, tuple[str, ...]], names: tuple[str, ...], levels: np.ndarray, **run: Any) -> Attribution:
    shares, pairs = shapley(levels), interaction_indices(levels)
    labels, n = list(parts), len(parts)
    everyone = (1 << n) - 1
    rows, both, whole = [], [], []
    for k, name in enumerate(names):
        unit = BY_NAME[name].unit
        change = levels[everyone, :, k] - levels[0, :, k]
        low, high, clear = _band(name, change)
        whole.append((name, unit, levels[0, :, k].mean(), levels[everyone, :, k].mean(), change.mean(), low, high, clear))
        for i, label in enumerate(labels):
            low, high, clear = _band(name, shares[i, :, k])
            alone = (levels[1 << i, :, k] - levels[0, :, k]).mean()
            last = (levels[everyone, :, k] - levels[everyone ^ 1 << i, :, k]).mean()
            rows.append((label, name, unit, shares[i, :, k].mean(), low, high, alone, last, clear))
        for i in range(n):
            for j in range(i + 1, n):
                low, high, clear = _band(name, pairs[i, j, :, k])
                both.append((labels[i], labels[j], name, unit, pairs[i, j, :, k].mean(), low, high, clear))
    coalitions = [
        ([label for i, label in enumerate(labels) if s >> i & 1], name, BY_NAME[name].unit, float(levels[s, :, k].mean()))
        for s in range(1 << n)
        for k, name in enumerate(names)
    ]
    ends = {"low": pl.Float64, "high": pl.Float64}
    key = {"outcome": pl.String, "unit": pl.String}
    number = dict.fromkeys(("baseline", "scenario", "difference"), pl.Float64)
    return Attribution(
        asked,
        parts,
        shares=pl.DataFrame(
            rows,
            schema={
                "component": pl.String,
                **key,
                "share": pl.Float64,
                **ends,
                "alone": pl.Float64,
                "last": pl.Float64,
                "clear": pl.Boolean,
            },
            orient="row",
        ),
        whole=pl.DataFrame(whole, schema={**key, **number, **ends, "clear": pl.Boolean}, orient="row"),
        interactions=pl.DataFrame(
            both,
            schema={"first": pl.String, "second": pl.String, **key, "interaction": pl.Float64, **ends, "clear": pl.Boolean},
            orient="row",
        ),
        coalitions=pl.DataFrame(coalitions, schema={"components": pl.List(pl.String), **key, "mean": pl.Float64}, orient="row"),
        by_draw=shares,
        **run,
    )


def _band(name: str, values: np.ndarray) -> tuple[float | None, float | None, bool]:
    """Ends of the band over the draws, none with one draw, and whether it excludes zero in the digits that are shown."""
    low, high = (float(end) for end in np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])) if len(values) > 1 else (None, None)
    return low, high, Compared(name, 0.0, 0.0, float(values.mean()), low, high).direction != 0
