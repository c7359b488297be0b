"""Parameter sets that the evidence allows: the draws of data/posterior.parquet, and whether they still belong to this model."""

import ast
import hashlib
import io
import json
import tokenize
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from painlab import evidence, parameters, trials
from painlab.errors import InputError
from painlab.randomness import parameter_uniform
from painlab.tables import data_folder

FILE: Final = "posterior.parquet"
KINDS: Final = ("posterior", "prior")
_EQUATIONS: Final[dict[str, tuple[str, ...]]] = {
    "numerics": (),
    "randomness": (),
    "dynamics": (),
    "care": (),
    "catalog": ("Condition", "Treatment", "condition"),
    "population": (),
    "outcomes": ("Count", "Recorded"),
    "engine/layout": (),
    "engine/arrival": (),
    "engine/week": (),
    "engine/prescribing": (),
    "engine/cohort": (),
    "trials": ("measured", "_per_patient"),
    "validation": ("_compared", "standard_error"),
}
_PROSE: Final[Any] = {"title": True, "why": True, "source": True, "published": {"rule", "scale"}}
_WHAT_CHANGED: Final = {
    "prior": "the priors, conditions or treatments",
    "evidence": "the published figures",
    "trials": "the virtual trials",
    "model": "the model's equations",
}


class Posterior(NamedTuple):
    """Draws of the calibration.

    draws: one row a draw, one column a parameter. changed: what has changed since they were made; empty if they are current.
    """

    draws: pl.DataFrame
    made: Mapping[str, str]  # hashes of what they came from, and how they were made
    changed: tuple[str, ...]
    sha256: str

    def complaint(self) -> str:
        """Say in one sentence what has changed since the draws were made; empty if nothing has."""
        if not self.changed:
            return ""
        what = ", ".join(_WHAT_CHANGED[one] for one in self.changed)
        return f"data/{FILE} is stale ({what} changed since it was made), so that the prior is used; `painlab calibrate` makes it anew."


def fingerprints() -> dict[str, str]:
    """SHA-256 of what a calibration depends on: priors, the figures that trials cite, the trials marked calibrate, and the model's
    equations.

    Trials count as they are run, with the care plans and defaults that they name. Equations are compared without comments, docstrings and
    spaces.
    """
    folder = data_folder()
    prior: list[Any] = [(one.name, one.value, one.low, one.high, one.distribution) for one in parameters.records().values()]
    for name in ("conditions", "goals", "treatments"):
        prior.append(_without_prose(tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))))
    chosen = trials.shipped("calibrate")
    cited = {trial.source for trial in chosen}
    figures = evidence.estimates().filter(pl.col("id").is_in(cited)).select("id", "estimate", "low", "high").rows()
    return {
        "prior": _sha256(prior),
        "evidence": _sha256(figures),
        "trials": _sha256([trial.model_dump(mode="json", exclude=_PROSE) for trial in chosen]),
        "model": _sha256([_equations(Path(__file__).parent / f"{name}.py", names) for name, names in _EQUATIONS.items()]),
    }


def _sha256(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _without_prose(tables: Any) -> Any:
    """A file's tables without the words that change no number."""
    words = ("label", "known", "evidence", "sources", "source")
    if isinstance(tables, dict):
        return {key: _without_prose(value) for key, value in tables.items() if key not in words}
    return tables


def _equations(path: Path, names: tuple[str, ...]) -> str:
    """Functions, classes and constants of a source file without comments, docstrings and spaces: the same text on every Python.

    With names, only those; otherwise all but the models of what users write, whose words are no equations.
    """
    source = path.read_text(encoding="utf-8")
    lines = [list(line) for line in source.splitlines()]
    spans = [(one.start, one.end) for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type == tokenize.COMMENT]
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            said = node.body[0]
            last = said.end_lineno or said.lineno
            spans.append(((said.lineno, said.col_offset), (last, len(lines[last - 1]))))
    for (first, start), (last, end) in spans:
        for number in range(first, last + 1):
            line = lines[number - 1]
            left, right = start if number == first else 0, end if number == last else len(line)
            line[left:right] = " " * (min(right, len(line)) - left)

    def counts(node: ast.stmt) -> bool:
        if names:
            return isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names
        written = isinstance(node, ast.ClassDef) and any(isinstance(base, ast.Name) and base.id == "Strict" for base in node.bases)
        return isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign) and not written

    text = [line for node in tree.body if counts(node) for line in lines[node.lineno - 1 : node.end_lineno]]
    return "".join("".join("".join(line) for line in text).split())


def write(draws: pl.DataFrame, made: Mapping[str, str], path: Path) -> None:
    """Write draws with `made`: the `fingerprints` of what they came from, and how; the file is replaced in one step."""
    unfinished = path.with_suffix(".unfinished")
    draws.write_parquet(unfinished, metadata={"painlab": json.dumps(dict(made))})
    unfinished.replace(path)


@cache
def load(path: Path | None = None) -> Posterior | None:
    """Read the posterior; None if there is no such file. Raises InputError for a file that is not one."""
    path = path or data_folder() / FILE
    if not path.is_file():
        return None
    try:
        content = path.read_bytes()
        draws = pl.read_parquet(path)
        made = json.loads(pl.read_parquet_metadata(path)["painlab"])
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        mend = "`painlab calibrate` makes it anew."
        raise InputError(f"not a posterior ({reason})", where=str(path), expected="a file of `painlab calibrate`", mend=mend) from None
    now = fingerprints()
    changed = tuple(key for key in _WHAT_CHANGED if made.get(key) != now[key])
    if "prior" not in changed and set(draws.columns) != set(parameters.records()):
        changed = ("prior", *changed)
    return Posterior(draws, MappingProxyType(made), changed, hashlib.sha256(content).hexdigest())


def current() -> Posterior | None:
    """The posterior if there is one that belongs to this model, its evidence and its trials."""
    found = load()
    return found if found is not None and not found.changed else None


@cache
def _order(seed: int, count: int) -> tuple[int, ...]:
    """Rows in the order in which a seed takes them."""
    return tuple(int(i) for i in np.argsort([parameter_uniform(seed, row, "posterior row") for row in range(count)], kind="stable"))


@cache
def values(draw: int | None = None, seed: int = 1, kind: str = "posterior") -> Mapping[str, float]:
    """Parameter values by name.

    Parameters
    ----------
    draw
        Number of the draw from 0, or None for the central values: the middle (median) draw of each parameter.
    seed
        Which draws come first; after the last row they begin again, with other patients.
    kind
        `posterior`, or `prior` for the ranges of data/parameters.csv. Without a current posterior both give the prior.

    Raises InputError for an unknown kind.
    """
    if kind not in KINDS:
        raise InputError(f'unknown kind of parameter draws "{kind}"', expected=" or ".join(KINDS))
    found = current() if kind == "posterior" else None
    if found is None:
        return parameters.values(draw, seed)
    if draw is None:
        return MappingProxyType(dict(found.draws.median().row(0, named=True)))
    return MappingProxyType(found.draws.row(_order(seed, found.draws.height)[draw % found.draws.height], named=True))


def in_use(kind: str = "posterior") -> str:
    """The kind of draws that `values` gives when this kind is asked for: the prior stands in for a posterior that is missing or stale."""
    return "posterior" if kind == "posterior" and current() is not None else "prior"


def words(draws: int, kind: str = "posterior") -> str:
    """Say where draws of a kind come from, for a result's provenance."""
    found = load() if kind == "posterior" else None
    many = "central values" if draws == 1 else f"{draws} draws"
    if found is not None and not found.changed:
        return f"{many} of the posterior in data/{FILE}, SHA-256 {found.sha256}"
    reason = f"; {found.complaint()}" if found else ""
    return f"{many} of the prior in data/parameters.csv{reason}"
