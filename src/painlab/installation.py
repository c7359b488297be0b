"""Is this installation whole? Checks of packages, data, the compiled model, charts without a network, and Jupyter."""

import platform
import shutil
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final, NamedTuple

import platformdirs

from painlab.errors import InputError
from painlab.tables import data_folder

_REINSTALL: Final = "Set PainLab up again: `make clean setup` in its folder."


class Check(NamedTuple):
    """One check: its name, "ok", "failed" or "note" (which is no failure), what was found, and how to mend it."""

    name: str
    result: str
    found: str
    mend: str = ""


class _Failure(Exception):
    """A check has failed: what was found, and the mend if it is not the usual one."""

    def __init__(self, found: str, mend: str = "") -> None:
        super().__init__(found)
        self.mend = mend


class _Note(Exception):
    """Something to know that is no failure."""


def checks() -> list[Check]:
    """Run every check, in the order in which one needs the other; no exception of a check leaves this function."""
    return [_run(name, check, mend) for name, check, mend in _CHECKS]


def _run(name: str, check: Callable[[], str], mend: str) -> Check:
    try:
        return Check(name, "ok", check())
    except _Failure as failure:
        return Check(name, "failed", str(failure), failure.mend or mend)
    except _Note as note:
        return Check(name, "note", str(note))
    except InputError as error:
        return Check(name, "failed", str(error).rstrip("."), mend)
    except Exception as error:
        reason = " ".join(str(error).split()) or "no message"
        return Check(name, "failed", f"{type(error).__name__}: {reason}".rstrip("."), mend)


def python() -> str:
    """The version of Python is one that the project supports."""
    from packaging.specifiers import SpecifierSet

    wanted = metadata.metadata("painlab")["Requires-Python"]
    found = platform.python_version()
    if not SpecifierSet(wanted).contains(found, prereleases=True):
        raise _Failure(f"Python {found}; PainLab needs {wanted}")
    return f"Python {found} at {sys.executable}"


def packages() -> str:
    """Every package that the project needs is there, in a version that it was made for."""
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in metadata.requires("painlab") or []]
    needed = [one for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    wrong = []
    for one in needed:
        try:
            found = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{one} is missing")
            continue
        if not one.specifier.contains(found, prereleases=True):
            wrong.append(f"{one.name} is {found}, needed is {one.specifier}")
    if wrong:
        raise _Failure("; ".join(wrong))
    return f"painlab {metadata.version('painlab')} and the {len(needed)} packages it needs"


def data() -> str:
    """Every data file can be read and is what the model takes: evidence, parameters, conditions, treatments, scenarios."""
    from painlab import catalog, evidence, parameters, posterior, scenario, trials

    counts = {
        "published estimates": evidence.estimates().height,
        "sources": evidence.sources().height,
        "parameters": len(parameters.records()),
        "conditions": len(catalog.conditions()),
        "treatments": len(catalog.treatments()),
        "scenarios": len(scenario.shipped()),
        "virtual trials": len(trials.shipped()),
        "parameter sets": found.draws.height if (found := posterior.load()) else 0,
    }
    if found and found.changed:
        raise _Failure(found.complaint())
    for version in evidence.MME_VERSIONS:
        evidence.mme_factors(version)
    empty = [name for name, count in counts.items() if not count]
    if empty:
        raise _Failure(f"no {', no '.join(empty)} in {data_folder()}")
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def model() -> str:
    """The compiled model runs; a plan against itself differs by exactly zero, and threads change no bit."""
    from painlab.simulation import simulate

    one, two = (simulate("usual-care", patients=20, draws=3, weeks=12, threads=threads) for threads in (1, 2))
    if one.weekly["difference"].abs().sum() != 0.0:
        raise _Failure("the baseline differs from itself")
    if not one.weekly.equals(two.weekly):
        raise _Failure("one and two threads give different numbers")
    return "a plan against itself differs by exactly zero; one and two threads give the same bits"


def pictures() -> str:
    """Charts are drawn as SVG and PNG without a network."""
    from painlab.simulation import simulate
    from painlab.views import charts

    chart = charts.demand(simulate("usual-care", patients=20, draws=3, weeks=12))
    with tempfile.TemporaryDirectory() as folder:
        svg, png = (charts.save(chart, Path(folder) / name).read_bytes() for name in ("demand.svg", "demand.png"))
    if b"</svg>" not in svg or not png.startswith(b"\x89PNG"):
        raise _Failure("what was drawn is no picture")
    return f"SVG of {len(svg) // 1000} kB and PNG of {len(png) // 1000} kB, drawn without a network"


def live_chart() -> str:
    """The script of the live chart is made without a network, and fetches nothing."""
    from painlab.views import live_chart

    script = live_chart.javascript()
    if len(script) < 100_000:
        raise _Failure(f"the script has only {len(script)} characters: Vega is not in it")
    return f"script of {len(script) // 1000} kB with Vega inside"


def jupyter() -> str:
    """JupyterLab, its Python kernel and the browser side of the widgets are found."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_core.paths import jupyter_path

    if "python3" not in KernelSpecManager().find_kernel_specs():
        raise _Failure("JupyterLab has no Python kernel", "Install it: `python -m pip install ipykernel`.")
    folders = [Path(one) for one in jupyter_path("labextensions")]
    wanted = ("anywidget", "@jupyter-widgets/jupyterlab-manager")
    missing = [name for name in wanted if not any((folder / name).is_dir() for folder in folders)]
    if missing:
        raise _Failure(f"the extension {' and '.join(missing)} is not among JupyterLab's, so that levers and live charts stay empty")
    return f"JupyterLab {metadata.version('jupyterlab')} with a Python kernel and the widgets"


def cache() -> str:
    """The user's cache folder can be written; without it the model is compiled anew in each process."""
    folder = platformdirs.user_cache_path("painlab")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(dir=folder).cleanup()
    except OSError as error:
        raise _Failure(f"{folder} cannot be written ({error.strerror}): each run compiles the model anew") from None
    return str(folder)


def browser() -> str:
    """Chromium, which only the browser tests need."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))), None)
    if not found:
        raise _Note("no chromium, chromium-browser or google-chrome on the PATH; only the browser tests need one")
    return found


_CHECKS: Final[tuple[tuple[str, Callable[[], str], str], ...]] = (
    ("Python", python, "Install a supported Python and set PainLab up again with it: `make setup PYTHON=python3.12`."),
    ("packages", packages, _REINSTALL),
    ("cache folder", cache, "Make the folder writable, or set XDG_CACHE_HOME to one that is."),
    ("data", data, f"Correct the cell or key that is named, or get the file back. {_REINSTALL}"),
    ("model", model, f"Remove the folder {platformdirs.user_cache_path('painlab')} and try again. {_REINSTALL}"),
    ("pictures", pictures, f"The drawing library is vl-convert-python. {_REINSTALL}"),
    ("live chart", live_chart, f"The drawing library is vl-convert-python. {_REINSTALL}"),
    ("Jupyter", jupyter, _REINSTALL),
    ("browser", browser, ""),
)
