"""How a talk's numbers were made, in a line under each figure and as a table that is enough to make them again."""

import csv
from functools import cache
from typing import Any, Final

from painlab.projection import Projection, data_hashes
from painlab.scenario import Scenario
from painlab.tables import data_folder

_LONGEST_CODE: Final = 48
_LONGEST_SCENARIO_CODE: Final = 4_000


@cache
def validity() -> dict[str, str]:
    """The last line of data/validity/history.csv: date, state, and how many trials the model is inside of."""
    with (data_folder() / "validity" / "history.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[-1]


def evidence_date() -> str:
    """The day on which evidence, equations and calibration were last brought together, as YYYY-MM-DD."""
    return validity()["date"]


def code_of(scenario: Scenario) -> str:
    """The scenario's code, or an empty text for one too large to have one."""
    code = scenario.code()
    return code if len(code) <= _LONGEST_SCENARIO_CODE else ""


def caption(projection: Projection, *more: str) -> str:
    """The line under a figure: version, scenario, code, seed, size and evidence date."""
    code = code_of(projection.scenario)
    short = code if 0 < len(code) <= _LONGEST_CODE else f"SHA-256 {projection.scenario.fingerprint()[:12]}"
    size = f"{projection.draws:,} x {projection.patients:,} patients" if projection.draws > 1 else f"{projection.patients:,} patients"
    parts = [
        f"PainLab {projection.provenance['painlab']}", projection.scenario.name, short, f"seed {projection.seed}", size,
        f"evidence of {evidence_date()}", *more,
    ]  # fmt: skip
    return "; ".join(parts)


def run_record(projection: Projection) -> dict[str, Any]:
    """Enough of a run to make it again."""
    made = projection.provenance
    kept = (
        "painlab", "scenario", "scenario_sha256", "scenario_toml", "parameters", "parameters_kind", "seed", "patients_per_draw", "draws",
        "weeks", "band", "links_cut",
    )  # fmt: skip
    return {"title": projection.scenario.title, "code": code_of(projection.scenario)} | {key: made[key] for key in kept}


def record(projections: tuple[Projection, ...], *, title: str, audience: str, minutes: int) -> dict[str, Any]:
    """The talk's provenance as plain JSON, as `Story.provenance` describes it."""
    hashes = data_hashes()
    return {
        "painlab": projections[0].provenance["painlab"],
        "title": title,
        "audience": audience,
        "minutes": minutes,
        "evidence_date": evidence_date(),
        "evidence_sha256": hashes["evidence.csv"],
        "parameters_sha256": hashes["parameters.csv"],
        "runs": [run_record(one) for one in projections],
    }


def command(projection: Projection) -> str:
    """The command that makes a run's numbers again."""
    scenario = code_of(projection.scenario) or f"{projection.scenario.name}.toml"
    cut = "".join(f" --cut {link}" for link in projection.cut)
    prior = " --prior" if projection.kind == "prior" else ""
    size = f"--patients {projection.patients} --draws {projection.draws} --seed {projection.seed} --weeks {projection.weeks}"
    return f"painlab project {scenario} {size}{prior}{cut}"
