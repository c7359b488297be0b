"""The lock of the other simulators: it adds to the lock of PainLab and changes nothing of it."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def locked(root):
    def read(path: str) -> dict[str, set[str]]:
        """Versions by package; a package may have one for each platform."""
        found: dict[str, set[str]] = {}
        for line in re.findall(r"^[a-z0-9].*(?= \\$)", (root / path).read_text(encoding="utf-8"), re.MULTILINE):
            requirement = Requirement(line)
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found.setdefault(requirement.name, set()).add(pin.version)
        return found

    return read


def test_what_both_locks_hold_has_one_version(locked):
    ours, theirs = locked("requirements.lock"), locked("benchmarks/requirements.lock")
    assert "numpy" in theirs
    assert not {name: versions for name, versions in theirs.items() if name in ours and versions != ours[name]}


def test_every_simulator_is_locked_within_its_bounds(root, locked):
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    theirs = locked("benchmarks/requirements.lock")
    asked = [Requirement(text) for text in project["optional-dependencies"]["bench"]]
    assert {"mesa", "simpy", "starsim"} <= {one.name for one in asked}
    for one in asked:
        assert theirs.get(one.name), f"{one.name} is not in benchmarks/requirements.lock: make lock"
        assert all(one.specifier.contains(version) for version in theirs[one.name]), f"{one}: make lock"


def test_every_package_has_a_hash_and_none_an_address(root):
    text = (root / "benchmarks" / "requirements.lock").read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=[a-z0-9])", text) if not entry.startswith("#")]
    assert entries
    assert not [entry.splitlines()[0] for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)]
    assert "://" not in text
