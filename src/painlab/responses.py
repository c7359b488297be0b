"""What the outcomes of a grid make of its levers: main effects with bands, and sentences on them."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import polars as pl

from painlab import narrative
from painlab.narrative import Compared
from painlab.outcomes import BY_NAME
from painlab.projection import LEVEL

BESIDE: Final = ("mme_per_1000", "pain", "function")
_HOW: Final = {"full": " (mean over the other levers)", "latin": " (slope of a straight line in all levers)"}
_SCHEMA: Final = {
    "lever": pl.String, "outcome": pl.String, "unit": pl.String, "quantity": pl.String, "from_value": pl.Float64, "to_value": pl.Float64,
    "change": pl.Float64, "low": pl.Float64, "high": pl.Float64, "share": pl.Float64,
}  # fmt: skip


def main_effects(table: pl.DataFrame, design: str, means: Mapping[str, Mapping[str, np.ndarray]]) -> pl.DataFrame:
    """What each lever of a grid does, by outcome, draw by draw.

    Parameters
    ----------
    table
        The grid's table: name, of, and a column for each lever.
    design
        `full`: the mean of all scenarios at the lever's highest value less that at its lowest. `latin`: the slope of a least-squares fit
        that is a straight line in all levers, over the lever's range.
    means
        By outcome and quantity (`difference` from the baseline, level of the `scenario`): means over the horizon, shape (scenarios, draws),
        in the table's order.

    Returns
    -------
    Columns lever, outcome, unit, quantity, from_value, to_value, change, low, high (the band of the draws, null for one), share (of the
    variance among the scenarios' means that this lever explains alone: for a full grid the correlation ratio, for a sample the squared
    standardized slope; null where nothing varies). No rows for a sample too small for a fit.
    """
    keys = table.columns[2:]
    levers = {key: table[key].cast(pl.Float64).to_numpy() for key in keys}
    levers = {key: values for key, values in levers.items() if np.ptp(values) > 0.0}
    origins = np.array([table["of"].to_numpy() == one for one in table["of"].unique(maintain_order=True)], dtype=float).T
    fit = None
    if design != "full":
        if table.height <= len(levers) + origins.shape[1]:
            return pl.DataFrame(schema=_SCHEMA)
        fit = np.linalg.pinv(np.column_stack([origins, *((values - values.mean()) / np.ptp(values) for values in levers.values())]))
    rows: list[dict[str, Any]] = []
    for outcome, quantities in means.items():
        for quantity, values in quantities.items():
            middle = values.mean(axis=1)
            for place, (key, at) in enumerate(levers.items()):
                if fit is None:
                    changes = values[at == at.max()].mean(axis=0) - values[at == at.min()].mean(axis=0)
                    explained = sum(float((at == one).sum()) * (middle[at == one].mean() - middle.mean()) ** 2 for one in np.unique(at))
                else:
                    changes = (fit @ values)[origins.shape[1] + place]
                    explained = len(at) * (float(changes.mean()) * at.std() / np.ptp(at)) ** 2
                total = float(((middle - middle.mean()) ** 2).sum())
                low, high = np.quantile(changes, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)) if len(changes) > 1 else (None, None)
                rows.append(
                    {"lever": key, "outcome": outcome, "unit": BY_NAME[outcome].unit, "quantity": quantity, "from_value": float(at.min()),
                     "to_value": float(at.max()), "change": float(changes.mean()), "low": low, "high": high,
                     "share": min(1.0, explained / total) if total > 0.0 else None}
                )  # fmt: skip
    return pl.DataFrame(rows, schema=_SCHEMA)


def sentences(table: pl.DataFrame, design: str, summary: pl.DataFrame, effects: pl.DataFrame) -> list[str]:
    """A grid's results in plain sentences: where demand is least and most with pain and function there, and what each lever moves.

    summary: columns name, outcome and those of `Projection.averages`. effects: as from `main_effects`.
    """
    rows = {outcome: summary.filter(outcome=outcome) for outcome in BESIDE}
    demand = rows["mme_per_1000"].sort("difference", maintain_order=True)
    if demand.is_empty():
        return []
    keys = table.columns[2:]
    said = []
    for name, word in ((demand["name"][0], "least"), (demand["name"][-1], "most"))[: min(2, demand.height)]:
        at = table.row(by_predicate=pl.col("name") == name, named=True)
        where = ", ".join(f"{key} {at[key]:.4g}" for key in keys)
        three = [_difference(narrative.compared(frame.filter(name=name), outcome)) for outcome, frame in rows.items()]
        said.append(f"Against the baseline, demand is {word} at {where}: {', '.join(three)}.")
    demanded, pain, function = (narrative.compared(frame.filter(name=demand["name"][0]), outcome) for outcome, frame in rows.items())
    if demanded.direction < 0 and (pain.leaning > 0 or function.leaning < 0):
        said[0] += " Less opioid is not by itself better health."
    if demand["difference_low"].null_count() == 0:
        unclear = [sum(_unclear(frame, outcome)) for outcome, frame in rows.items()]
        counted = ", ".join(f"{count} in {BY_NAME[outcome].label.lower()}" for outcome, count in zip(BESIDE, unclear, strict=True))
        said.append(f"Of {demand.height:,} scenarios, so many cannot be told from their baseline: {counted}.")
    else:
        said.append("This is one run with the central parameter values, without a band: nothing says which differences are clear.")
    for key in keys:
        found = effects.filter(lever=key, quantity="difference")
        if found.height:
            said.append(_effect(key, found, "" if keys == [key] else _HOW[design]))
    if design != "full" and effects.is_empty():
        said.append("The sample is too small for a straight line in all levers, so nothing is said of each lever alone.")
    return said


def _effect(key: str, found: pl.DataFrame, how: str) -> str:
    """What one lever moves; where its band holds zero it is said."""
    moved, still = [], []
    for row in found.iter_rows(named=True):
        one = Compared(row["outcome"], 0.0, 0.0, row["change"], row["low"], row["high"])
        if one.direction or one.low is None:
            moved.append(_difference(one))
        else:
            still.append(BY_NAME[row["outcome"]].label.lower())
    span = f"From {found['from_value'][0]:.4g} to {found['to_value'][0]:.4g}, {key}"
    parts = [f"moves the difference from the baseline by: {', '.join(moved)}"] if moved else []
    parts += [f"does not clearly move {narrative.listed(still, 'or')}"] if still else []
    return f"{span} {'; it '.join(parts)}{how}."


def _difference(one: Compared) -> str:
    return f"{BY_NAME[one.name].label.lower()} {narrative.banded(one.difference, one.low, one.high, one.digits)}"


def _unclear(frame: pl.DataFrame, outcome: str) -> list[bool]:
    rows = frame.select("baseline", "scenario", "difference", "difference_low", "difference_high").iter_rows()
    return [not Compared(outcome, *row).direction for row in rows]
