"""Where a number comes from: a parameter's or a treatment's record, its citations, and the equations that use it, as lines to read."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from painlab import catalog, evidence, parameters, posterior
from painlab.errors import InputError
from painlab.tables import nearest

_FIGURES: Final = {
    "count": "{}",
    "SMD": "{} standard deviations",
    "OR": "odds ratio {}",
    "RR": "risk ratio {}",
    "HR": "hazard ratio {}",
    "IRR": "rate ratio {}",
    "r": "correlation {}",
    "beta": "slope {}",
}
_EQUATIONS: Final = ("dynamics", "care", "population", "engine/week", "engine/prescribing", "engine/mean_patient")


def record(name: str) -> list[tuple[str, str]]:
    """What is known of a parameter (`physical_therapy.relief`), a treatment, an evidence id (`T05-01`) or a citekey.

    Returns pairs of a term and its text, in the order to read them. Raises InputError with the nearest name for an unknown one.
    """
    estimates = {row["id"]: row for row in evidence.estimates().iter_rows(named=True)}
    if name in parameters.records():
        return _parameter(parameters.records()[name], estimates)
    if name in catalog.treatments():
        return _treatment(catalog.treatments()[name], estimates)
    if name in estimates:
        return _estimate(estimates[name])
    cited = evidence.sources().filter(evidence.sources()["id"] == name)
    if cited.height:
        return [("Source", evidence.citation(name)), ("Title", cited["title"].item())]
    known = [*parameters.records(), *catalog.treatments(), *estimates]
    raise InputError(
        f'there is no record of "{name}"{nearest(name, known)}',
        expected="the name of a parameter, of a treatment or of a row of the evidence",
        mend="See the column name in data/parameters.csv, or the column id in data/evidence.csv.",
    )


def finding(id_: str) -> tuple[str, str]:
    """A published finding with its figure and what to know about it, as a sentence without its stop, and its source.

    Raises InputError with the nearest id for an unknown one.
    """
    rows = {row["id"]: row for row in evidence.estimates().iter_rows(named=True)}
    if id_ not in rows:
        raise InputError(f'unknown finding "{id_}"{nearest(id_, rows)}', expected="ids in data/evidence.csv")
    told, note = dict(record(id_)), rows[id_]["direction_note"]
    remark = f" ({note})" if rows[id_]["estimate"] is not None and note else ""
    return f"{told['Finding'][0].upper()}{told['Finding'][1:]}{remark}", told["Source"]


def _parameter(one: parameters.Parameter, estimates: dict[str, dict]) -> list[tuple[str, str]]:
    symbol = f" ({one.symbol})" if one.symbol else ""
    spread = "fixed" if one.distribution == "fixed" else f"prior from {one.low:g} to {one.high:g}, {one.distribution}"
    lines = [("Parameter", one.name + symbol), ("Meaning", one.meaning), ("Value", f"{one.value:g}, {spread}"), ("Unit", one.unit)]
    found = posterior.current()
    if found and spread != "fixed":
        low, middle, high = np.quantile(found.draws[one.name].to_numpy(), [0.025, 0.5, 0.975])
        lines.insert(3, ("Calibrated", f"{middle:.3g}, 95 % of the draws that the trials allow from {low:.3g} to {high:.3g}"))
    return lines + _sources(one.source, estimates) + [("Equation", text) for text in _equations(one.name)]


def _treatment(one: catalog.Treatment, estimates: dict[str, dict]) -> list[tuple[str, str]]:
    usual = ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in one.order.items())
    lines = [("Treatment", f"{one.label} ({one.name}, {one.kind})"), ("Known", one.known), ("Usual order", usual)]
    lines += _sources(one.evidence, estimates)
    parts = [record for name, record in parameters.records().items() if name.startswith(f"{one.name}.")]
    return lines + [
        ("Parameter", f"{part.name} = {part.value:g} ({part.low:g} to {part.high:g} {part.unit}), {part.meaning}") for part in parts
    ]


def _estimate(row: dict) -> list[tuple[str, str]]:
    lines = [("Evidence", row["id"]), ("Finding", _finding(row)), ("Source", evidence.citation(row["id"]))]
    return [*lines, ("Use", f"{row['use']}; read in: {row['checked']}")]


def _finding(row: dict) -> str:
    """One published figure in a line."""
    points = f"{{}} points on a scale of {row['scale']}" if row["scale"][:1].isdigit() else "{} points"
    words = points if row["unit"] == "points" else _FIGURES.get(row["unit"], f"{{}} {row['unit']}")
    figure = row["direction_note"] if row["estimate"] is None else words.format(f"{row['estimate']:g}")
    if row["low"] is not None and row["high"] is not None:
        figure += f" ({row['low']:g} to {row['high']:g})"
    if row["time_weeks"] is not None:
        figure += f" at {row['time_weeks']:g} week{'' if row['time_weeks'] == 1 else 's'}"
    arms = " against ".join(part for part in (row["intervention"], row["comparator"]) if part)
    return f"{', '.join(part for part in (row['condition'], arms, row['outcome']) if part and part != 'none')}: {figure}"


def _sources(text: str, estimates: dict[str, dict]) -> list[tuple[str, str]]:
    """A line for each source; what follows "assumption" is prose."""
    lines: list[tuple[str, str]] = []
    while text:
        if text.startswith("assumption"):
            return [*lines, ("Source", text)]
        key, _, text = (part.strip() for part in text.partition(";"))
        found = f"{_finding(estimates[key])}. " if key in estimates else ""
        lines.append(("Source", f"{key}: {found}{evidence.citation(key)}"))
    return lines


def _equations(name: str) -> Iterator[str]:
    """The functions that use a parameter, with the first line of what they say."""
    column = name.rpartition(".")[2]
    owner, attribute = ("TreatmentField", column.upper()) if "." in name else ("p", name)
    for module in _EQUATIONS:
        path = Path(__file__).parents[1] / f"{module}.py"
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, ast.FunctionDef) and any(
                isinstance(node, ast.Attribute) and node.attr == attribute and isinstance(node.value, ast.Name) and node.value.id == owner
                for node in ast.walk(function)
            ):
                said = (ast.get_docstring(function) or "").partition("\n")[0]
                yield f"painlab.{module.replace('/', '.')}.{function.name}{': ' if said else ''}{said}"
