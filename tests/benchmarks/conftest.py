"""The benchmarks stand beside the package, not in it."""

import importlib
import os
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session")
def peer_module():
    """A peer's module by its name; the test is skipped without the tool, unless PAINLAB_REQUIRE_BENCH says that it must be there."""

    def found(name: str):
        if not os.environ.get("PAINLAB_REQUIRE_BENCH"):
            if name == "c":
                if not shutil.which("gcc"):
                    pytest.skip("there is no gcc")
            else:
                pytest.importorskip(name, reason="`make test` installs the other simulators")
        return importlib.import_module(f"benchmarks.peers.with_{name}")

    return found
