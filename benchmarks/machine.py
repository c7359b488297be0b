"""On what the figures were measured: processor, system, load, versions, date and commit."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]


def described() -> dict[str, object]:
    """The machine and the moment, as plain values."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(terse=True),
        "load_before": load(),
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _said(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]),
    }


def load() -> float | None:
    """Processes at work on average in the last minute; None where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Versions of Python, of the C compiler and of packages; None where one is not installed."""
    compiler = shutil.which("gcc")
    found: dict[str, str | None] = {"python": platform.python_version(), "gcc": _said([compiler, "-dumpfullversion"]) if compiler else None}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.is_file():
        names = [line.partition(":")[2].strip() for line in told.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _said(command: list[str]) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
