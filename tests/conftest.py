"""What every test may ask for."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]

# The same examples on every machine, and no deadline: the first call of an equation compiles it.
settings.register_profile("painlab", deadline=None, derandomize=True)
settings.load_profile("painlab")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder that holds pyproject.toml."""
    return ROOT


@pytest.fixture(scope="session")
def repository_files() -> list[Path]:
    """Every file that is, or would be, committed; outside a git checkout every file but hidden folders and builds."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        return sorted({path for name in listed.split("\0") if name and (path := ROOT / name).is_file()})
    ignored = {"__pycache__", "dist", "out"}
    paths = [path for path in ROOT.rglob("*") if path.is_file()]
    return sorted(
        path
        for path in paths
        if not any(part in ignored or (part.startswith(".") and part != ".ci") for part in path.relative_to(ROOT).parts[:-1])
    )


@pytest.fixture
def no_event_loop() -> Iterator[None]:
    """No event loop runs at the start of a test: the browser's driver leaves one that counts as running in this thread."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    yield
    asyncio._set_running_loop(running)
