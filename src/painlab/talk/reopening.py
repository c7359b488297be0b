"""A deck opened again: the scenarios it was made of and how each was run, so that the same numbers can be made."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from painlab.errors import InputError
from painlab.projection import Projection, data_hashes
from painlab.scenario import Scenario
from painlab.simulation import simulate
from painlab.tables import printable

ENDINGS: Final = (".html", ".pptx", ".pdf")
_KINDS: Final = ("posterior", "prior")
_REMADE: Final = "Make the talk again with `painlab slides`."


class Setting(NamedTuple):
    """How a run of a deck was made; the names are those of `painlab.simulate`."""

    patients: int
    draws: int
    seed: int
    weeks: int
    cut: tuple[str, ...]
    parameters: str


class Run(NamedTuple):
    """A scenario of a deck, and how it was run. changed: what the numbers rest on and is otherwise today, in words; empty if nothing."""

    scenario: Scenario
    setting: Setting
    changed: tuple[str, ...]

    def again(self, *, cancelled: Callable[[], bool] | None = None) -> Projection:
        """Run it again."""
        return simulate(self.scenario, **self.setting._asdict(), cancelled=cancelled)


def is_deck(what: str | Path) -> bool:
    """Whether this is the name of a deck that could be opened: it ends in .html, .pptx or .pdf.

    >>> is_deck("deck.html"), is_deck("early-pt")
    (True, False)
    """
    return Path(what).suffix.lower() in ENDINGS


def runs_in(path: str | Path) -> tuple[Run, ...]:
    """The runs that a deck (.html, .pptx or .pdf) was made of, in their order.

    Nothing in the file is executed. Raises InputError naming the file if it is missing, too large, no deck of PainLab or damaged, or if
    the numbers came from parameter values of the maker's own, which no file can give again.
    """
    path = Path(path)
    where = printable(str(path))
    record = _record(path)
    made, scenarios = record["provenance"], record["scenarios"]
    runs = made.get("runs")
    if not isinstance(runs, list) or len(runs) != len(scenarios):
        raise InputError("what the talk says of its runs is damaged", where=where, mend=_REMADE)
    changed = _changed(made)
    return tuple(
        Run(Scenario.from_dict(scenario, where=f"{where}, scenario {number}"), _setting(run, f"{where}, run {number}"), changed)
        for number, (scenario, run) in enumerate(zip(scenarios, runs, strict=True), 1)
    )


def projected(path: str | Path, *, cancelled: Callable[[], bool] | None = None) -> tuple[Projection, ...]:
    """The runs of a deck, made again."""
    return tuple(run.again(cancelled=cancelled) for run in runs_in(path))


def _record(path: Path) -> dict[str, Any]:
    ending = path.suffix.lower()
    if ending == ".html":
        from painlab.talk.html_deck import read_html

        return read_html(path)
    if ending == ".pptx":
        from painlab.talk.powerpoint import read_pptx

        return read_pptx(path)
    if ending == ".pdf":
        from painlab.talk.handout import read_pdf

        return read_pdf(path)
    known = ", ".join(ENDINGS)
    raise InputError(
        f'a deck is not read from "{printable(path.suffix)}"', where=printable(str(path)), expected=f"a name that ends in {known}"
    )


def _setting(run: Any, where: str) -> Setting:
    """How a run was made, from its record; what simulate itself can refuse is left to it."""
    try:
        found = Setting(run["patients_per_draw"], run["draws"], run["seed"], run["weeks"], tuple(run["links_cut"]), run["parameters_kind"])
    except (KeyError, TypeError):
        raise InputError("what the talk says of its run is damaged", where=where, mend=_REMADE) from None
    if not all(isinstance(link, str) for link in found.cut) or not isinstance(found.parameters, str):
        raise InputError("what the talk says of its run is damaged", where=where, mend=_REMADE)
    if found.parameters not in _KINDS:
        raise InputError(
            "the run was made with parameter values of its maker's own, which the talk does not hold", where=where,
            expected=f"a run of the {' or the '.join(_KINDS)}", mend="Ask its maker for the values.",
        )  # fmt: skip
    return found


def _changed(made: dict[str, Any]) -> tuple[str, ...]:
    """What is otherwise today than when a talk was made."""
    from importlib.metadata import version

    hashes = data_hashes()
    now = {"painlab": version("painlab"), "evidence_sha256": hashes["evidence.csv"], "parameters_sha256": hashes["parameters.csv"]}
    words = {
        "painlab": f"PainLab is {now['painlab']}, not {printable(str(made.get('painlab')), 30)}",
        "evidence_sha256": "the evidence table is another",
        "parameters_sha256": "the parameters are others",
    }
    return tuple(words[key] for key, value in now.items() if key in made and made[key] != value)
