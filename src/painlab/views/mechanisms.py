"""A page for each mechanism, for a clinician to read in three minutes and judge: does this behave as patients do?

The words stand in data/mechanisms.toml, the numbers come from the functions of `painlab.dynamics` and `painlab.care`. The same values give
the same bytes.
"""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from painlab import care, dynamics, evidence, parameters, posterior
from painlab.errors import InputError
from painlab.projection import LEVEL
from painlab.tables import data_folder, nearest
from painlab.views import ledger, mechanism_body, mechanism_care
from painlab.views.mechanism_curves import DRAWS, Answer, Curve, described, svg, swept

FOLDER: Final = "mechanisms"
CURVES: Final[dict[str, tuple[Curve, ...]]] = mechanism_body.CURVES | mechanism_care.CURVES
"""Response curves by mechanism."""
ANSWERS: Final[dict[str, Answer]] = mechanism_body.ANSWERS | mechanism_care.ANSWERS
"""Numbers of the model by name, as questions ask for them."""

SIDES: Final = {"for": "For", "against": "Against", "limit": "Limits"}
_ROWS: Final = {"equations": ("function", "math"), "evidence": ("id", "side", "says"), "questions": ("ask",)}


class Mechanism(NamedTuple):
    """What one page says, apart from its numbers."""

    name: str
    title: str
    claim: str
    look: str
    known: str
    contested: str
    otherwise: str
    parameters: tuple[str, ...]
    equations: tuple[dict[str, str], ...]
    evidence: tuple[dict[str, str], ...]
    questions: tuple[dict[str, Any], ...]


@cache
def mechanisms(path: Path | None = None) -> dict[str, Mechanism]:
    """Read and check the words of all pages, in their order.

    Raises InputError with file and table for a missing or unknown key, and for an equation, parameter, evidence id, number or picture that
    does not exist.
    """
    path = path or data_folder() / "mechanisms.toml"
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not readable as TOML ({error})", where=path.name) from None
    found = {}
    for name, table in tables.items():
        where = f"{path.name}, [{name}]"
        _among([name], CURVES, "mechanism without a picture", where)
        _whole(table, Mechanism._fields[1:], where)
        for list_name, keys in _ROWS.items():
            for row in table[list_name]:
                _whole(row, keys, f"{where}, {list_name}", optional=("model", "published"))
        _among((row["function"] for row in table["equations"]), _equations(), "equation", where)
        _among(table["parameters"], parameters.records(), "parameter", where)
        _among((row["side"] for row in table["evidence"]), SIDES, "side", where)
        _among((name for row in table["questions"] for name in row.get("model", ())), ANSWERS, "number", where)
        cited = [row["id"] for row in table["evidence"]] + [key for row in table["questions"] for key in row.get("published", ())]
        _among(cited, set(evidence.estimates()["id"]), "evidence id", where)
        lists = {key: tuple(table[key]) for key in ("parameters", *_ROWS)}
        found[name] = Mechanism(name=name, **{**table, **lists})
    return found


def write_pages(folder: Path, values: Mapping[str, float] | None = None) -> list[Path]:
    """Write the pages and pictures of all mechanisms into `folder`/mechanisms, with an index, and return their paths.

    Parameters
    ----------
    folder
        Where the folder `mechanisms` is made, if need be.
    values
        Parameter values by name; the central ones if left out. The bands are always those of the parameter draws.

    Raises InputError if the folder cannot be written.
    """
    values = posterior.values() if values is None else values
    place = folder / FOLDER
    texts: dict[str, str] = {}
    for name, one in mechanisms().items():
        pictures = []
        for number, curve in enumerate(CURVES[name], start=1):
            rows = swept(curve, values)
            texts[f"{name}-{number}.svg"] = svg(curve, rows) + "\n"
            pictures.append(f"![{described(curve, rows)}]({name}-{number}.svg)")
        texts[f"{name}.md"] = page(one, values, pictures)
    texts["README.md"] = _index()
    try:
        place.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            (place / file).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"the pages cannot be written ({error.strerror})", where=str(place), expected="a folder that can be written"
        ) from None
    return [place / file for file in texts]


def page(one: Mechanism, values: Mapping[str, float], pictures: Iterable[str] = ()) -> str:
    """The page of a mechanism as Markdown, with its pictures as Markdown between claim and evidence."""
    parts = [
        f"# {one.title}",
        f"**Claim.** {one.claim}",
        *pictures,
        f"{one.look} {_BAND}",
        f"**Known.** {one.known}",
        f"**Contested.** {one.contested}",
        "## What the evidence says for and against",
        *_evidence(one),
        f"**What would convince us otherwise.** {one.otherwise}",
        "## Questions for a reviewer",
        "Each can be answered with yes, no or cannot say. Numbers in brackets are the range over the draws.",
        *(_question(number, row, values) for number, row in enumerate(one.questions, start=1)),
        "## Equations",
        "Each is one function; the simulation, these pictures and these numbers call the same one. Symbols are in the table below.",
        *(f"`painlab.{row['function']}`\n\n```math\n{row['math']}\n```" for row in one.equations),
        "## Parameters",
        _parameters(one, values),
        "*Written by the software from data/mechanisms.toml, data/parameters.csv and data/evidence.csv; do not edit.*",
    ]
    return "\n\n".join(parts) + "\n"


_BAND: Final = f"Lines: central values. Bands: {LEVEL * 100:g} % of {DRAWS} parameter draws. Diamonds: published figures, by evidence id."


def _question(number: int, row: Mapping[str, Any], values: Mapping[str, float]) -> str:
    lines = [f"{number}. {row['ask']}"]
    for name in row.get("model", ()):
        lines.append(f"   - Model: {ANSWERS[name].what}: **{ANSWERS[name].words(values)}**")
    for key in row.get("published", ()):
        lines.append(f"   - Published: {_finding(key)} ({key})")
    lines.append("   - ☐ yes ☐ no ☐ cannot say. Comment:")
    return "\n".join(lines)


def _evidence(one: Mechanism) -> list[str]:
    parts = []
    for side, heading in SIDES.items():
        rows = [row for row in one.evidence if row["side"] == side]
        items = [f"- {row['says']} *{_finding(row['id'])}* ({row['id']}: {evidence.citation(row['id'])})" for row in rows]
        parts.append("\n".join([f"{heading}:", "", *(items or ["- Nothing in the evidence table."])]))
    return parts


def _finding(key: str) -> str:
    return dict(ledger.record(key))["Finding"]


def _parameters(one: Mechanism, values: Mapping[str, float]) -> str:
    lines = ["| parameter | value | range | unit | meaning | source |", "| --- | --- | --- | --- | --- | --- |"]
    for name in one.parameters:
        record = parameters.record(name)
        symbol = f" (${_math(record.symbol)}$)" if record.symbol else ""
        extent = "fixed" if record.distribution == "fixed" else f"{record.low:g} to {record.high:g}"
        cells = [f"`{name}`{symbol}", f"{values[name]:.4g}", extent, record.unit, record.meaning, _source(record.source)]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _source(text: str) -> str:
    """A parameter's source with each id as a citation; what follows "assumption" is prose."""
    found: list[str] = []
    while text:
        if text.startswith("assumption"):
            found.append(text)
            break
        key, _, text = (part.strip() for part in text.partition(";"))
        found.append(f"{evidence.citation(key)} ({key})")
    return "; ".join(found)


_GREEK: Final = ("beta", "kappa", "tau", "rho")


def _math(symbol: str) -> str:
    """A symbol of parameters.csv in the notation of the equations: tau_s- as \\tau_{s-}."""
    base, _, below = symbol.partition("_")
    base = f"\\{base}" if base in _GREEK else base if len(base) == 1 else f"\\text{{{base}}}"
    return f"{base}_{{{below}}}" if below else base


def _index() -> str:
    lines = [
        "# The mechanisms, one page each",
        "A page can be read in three minutes. Its question to a clinician is: does this behave as patients do? What is doubtful, and what "
        "contradicts the claim, stands on the page it concerns.",
        "\n".join(f"- [{one.title}]({one.name}.md): {one.claim}" for one in mechanisms().values()),
        "*Written by the software; do not edit.*",
    ]
    return "\n\n".join(lines) + "\n"


def _equations() -> set[str]:
    """Public equations by module and name: compiled functions that these two modules define."""
    found = set()
    for module in (dynamics, care):
        for name, one in vars(module).items():
            if hasattr(one, "py_func") and one.py_func.__module__ == module.__name__ and not name.startswith("_"):
                found.add(f"{module.__name__.removeprefix('painlab.')}.{name}")
    return found


def _whole(table: Mapping[str, Any], keys: Iterable[str], where: str, optional: Iterable[str] = ()) -> None:
    keys, optional = tuple(keys), tuple(optional)
    for key in table:
        if key not in keys + optional:
            raise InputError(f'unknown key "{key}"{nearest(key, keys)}', where=where, expected=f"the keys {', '.join(keys)}")
    for key in keys:
        if not table.get(key):
            raise InputError(f"{key} is missing or empty", where=where, expected=f"the keys {', '.join(keys)}")


def _among(names: Iterable[str], known: Iterable[str], what: str, where: str) -> None:
    known = tuple(known)
    for name in names:
        if name not in known:
            raise InputError(f'unknown {what} "{name}"{nearest(name, known)}', where=where, mend="Correct the name, or add what it names.")
