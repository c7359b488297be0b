"""The project around the code: style and types, the lock, the conda environment, and what a wheel and a source archive hold."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
DIRECT = [Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]]

# Where conda-forge gives a package another name.
CONDA_NAMES = {"playwright": "playwright-python"}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a module of this Python; its output, or the test fails with it."""
    done = subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_ruff_finds_nothing():
    run("-m", "ruff", "check", "--no-fix", "--output-format=concise")


def test_ruff_would_format_nothing():
    run("-m", "ruff", "format", "--check")


def test_mypy_finds_nothing():
    run("-m", "mypy")


def locked() -> list[tuple[Requirement, str]]:
    """Each pinned requirement in the lock, with the lines that belong to it."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(Requirement(entry.splitlines()[0].rstrip(" \\")), entry) for entry in entries if entry.strip()]


def test_every_direct_dependency_is_locked_within_its_bounds():
    pins: dict[str, list[str]] = {}
    for requirement, _ in locked():
        (pin,) = requirement.specifier
        assert pin.operator == "==", requirement
        pins.setdefault(canonicalize_name(requirement.name), []).append(pin.version)
    for direct in DIRECT:
        versions = pins.get(canonicalize_name(direct.name))
        assert versions, f"{direct.name} is not in the lock: make lock"
        assert all(direct.specifier.contains(version) for version in versions), f"{direct} is locked at {versions}: make lock"


def test_every_locked_package_has_hashes():
    assert not [requirement.name for requirement, entry in locked() if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)]


def test_the_lock_says_what_to_install_and_not_where_from():
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_the_conda_environment_and_pyproject_ask_for_the_same_packages():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (by_pip,) = (entry["pip"] for entry in listed if isinstance(entry, dict))
    assert "-e ." in by_pip
    packages = [entry for entry in [*listed, *by_pip] if isinstance(entry, str) and entry != "-e ."]
    conda = {requirement.name: requirement.specifier for requirement in map(Requirement, packages)}
    wanted = {CONDA_NAMES.get(direct.name, direct.name): direct.specifier for direct in DIRECT}
    wanted |= {"python": SpecifierSet(PROJECT["requires-python"]), "pip": SpecifierSet()}
    assert conda == wanted


def test_the_version_is_the_same_wherever_it_is_written():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"] == metadata.version("painlab")
    assert citation["license"] == PROJECT["license"]


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> Path:
    """A folder with the wheel and the source archive, built without the network."""
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "hatchling", "build", "-d", folder)
    return folder


def test_the_source_archive_holds_every_file_of_the_repository(archives, repository_files):
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        held = {name.partition("/")[2] for name in tar.getnames()}
    assert not {path.relative_to(ROOT).as_posix() for path in repository_files} - held


def test_the_wheel_holds_the_code_the_data_and_the_notebooks(archives, repository_files):
    (wheel,) = archives.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    folders = {"src/painlab/": "painlab/", "data/": "painlab/data/", "notebooks/": "painlab/notebooks/"}
    names = [path.relative_to(ROOT).as_posix() for path in repository_files]
    for source, target in folders.items():
        assert not {target + name.removeprefix(source) for name in names if name.startswith(source)} - held


def test_painlab_installed_from_the_wheel_reads_its_own_data(archives, tmp_path):
    (wheel,) = archives.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path)  # a pure wheel is its installed form
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
import painlab
from painlab.tables import data_folder
print(painlab.__file__)
print(data_folder())
assert painlab.Scenario.load("early-pt").name in painlab.scenarios()["name"].to_list()
"""
    where = run("-I", "-c", program, cwd=tmp_path).splitlines()
    assert all(Path(line).is_relative_to(tmp_path) for line in where), where
