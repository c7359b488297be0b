"""`painlab doctor`: a whole installation passes, and each fault is found and comes with its mend."""

import importlib.metadata
from dataclasses import replace

import platformdirs
import polars as pl
import pytest
from click.testing import CliRunner

import painlab
from painlab import installation, parameters
from painlab.cli import main
from painlab.tables import data_folder


@pytest.fixture(scope="module")
def whole() -> list[installation.Check]:
    return installation.checks()


def only(name: str) -> installation.Check:
    """Run one check as `checks` does."""
    return next(installation._run(*one) for one in installation._CHECKS if one[0] == name)


def test_this_installation_is_whole(whole):
    assert not [one for one in whole if one.result == "failed"]


def test_what_is_checked(whole):
    assert [one.name for one in whole] == [
        "Python",
        "packages",
        "cache folder",
        "data",
        "model",
        "pictures",
        "live chart",
        "Jupyter",
        "browser",
    ]


def test_doctor_prints_a_table_and_ends_with_0(whole, monkeypatch):
    monkeypatch.setattr(installation, "checks", lambda: whole)
    monkeypatch.setenv("COLUMNS", "80")
    ended = CliRunner().invoke(main, ["doctor"])
    assert ended.exit_code == 0
    assert all(one.name in ended.stdout for one in whole)
    assert ended.stdout.endswith("PainLab is ready.\n")
    assert max(map(len, ended.stdout.splitlines())) <= 80


def test_doctor_ends_with_1_and_says_the_mend_if_a_check_fails(whole, monkeypatch):
    broken = installation.Check("model", "failed", "the baseline differs from itself", "Throw it away.")
    monkeypatch.setattr(installation, "checks", lambda: [*whole, broken])
    ended = CliRunner().invoke(main, ["doctor"])
    assert ended.exit_code == 1
    said = " ".join(ended.stdout.split())
    assert "failed the baseline differs from itself. Throw it away." in said
    assert f"1 of {len(whole) + 1} checks failed." in said


def test_an_unsupported_python_is_found(monkeypatch):
    monkeypatch.setattr("platform.python_version", lambda: "3.9.1")
    found = only("Python")
    assert found.result == "failed"
    assert "Python 3.9.1; PainLab needs >=3.11" in found.found
    assert "make setup" in found.mend


def test_a_missing_package_and_one_of_another_version_are_found(monkeypatch):
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "rich":
            raise importlib.metadata.PackageNotFoundError(name)
        return "1.2.3" if name == "polars" else real(name)

    monkeypatch.setattr(installation.metadata, "version", version)
    found = only("packages")
    assert found.result == "failed"
    assert "rich>=14 is missing" in found.found
    assert "polars is 1.2.3, needed is" in found.found


def test_packages_for_developers_are_not_asked_for(monkeypatch):
    monkeypatch.setattr(installation.metadata, "requires", lambda _: ["click>=8", 'no-such-package; extra == "dev"'])
    assert only("packages").result == "ok"


def test_a_damaged_data_file_is_named_with_its_row(monkeypatch, tmp_path):
    lines = (data_folder() / "parameters.csv").read_text(encoding="utf-8").splitlines()
    lines[4] = lines[4].replace(",", ",many,", 1)
    path = tmp_path / "parameters.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    real = parameters.records
    monkeypatch.setattr(parameters, "records", lambda: real(path))
    found = only("data")
    assert found.result == "failed"
    assert "parameters.csv" in found.found
    assert "Correct the cell" in found.mend


def test_a_model_that_differs_from_itself_is_found(monkeypatch):
    one = painlab.simulate("usual-care", patients=2, draws=2, weeks=2)
    wrong = replace(one, weekly=one.weekly.with_columns(difference=pl.lit(1e-12)))
    monkeypatch.setattr("painlab.simulation.simulate", lambda *_, **__: wrong)
    assert only("model")[1:3] == ("failed", "the baseline differs from itself")


def test_threads_that_change_a_bit_are_found(monkeypatch):
    one = painlab.simulate("usual-care", patients=2, draws=2, weeks=2)

    def by_threads(*_, threads: int, **__) -> painlab.Projection:
        return replace(one, weekly=one.weekly.with_columns(scenario=pl.col("scenario") + 1e-12 * threads))

    monkeypatch.setattr("painlab.simulation.simulate", by_threads)
    assert only("model")[1:3] == ("failed", "one and two threads give different numbers")


def test_a_chart_that_cannot_be_drawn_is_found(monkeypatch):
    def refuse(*_, **__):
        raise ValueError("no\nfont")

    monkeypatch.setattr("painlab.views.charts.save", refuse)
    found = only("pictures")
    assert found[1:3] == ("failed", "ValueError: no font")
    assert "vl-convert" in found.mend


def test_a_live_chart_without_vega_is_found(monkeypatch):
    monkeypatch.setattr("painlab.views.live_chart.javascript", lambda: "export default {}")
    assert only("live chart").result == "failed"


def test_a_jupyter_without_the_widgets_is_found(monkeypatch):
    monkeypatch.setattr("jupyter_core.paths.jupyter_path", lambda *_: [])
    found = only("Jupyter")
    assert found.result == "failed"
    assert "anywidget" in found.found


def test_a_jupyter_without_a_kernel_is_found(monkeypatch):
    monkeypatch.setattr("jupyter_client.kernelspec.KernelSpecManager.find_kernel_specs", lambda _: {})
    assert "ipykernel" in only("Jupyter").mend


def test_a_cache_folder_that_cannot_be_written_is_found(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name: tmp_path / "file" / name)
    found = only("cache folder")
    assert found.result == "failed"
    assert "each run compiles the model anew" in found.found


def test_a_missing_browser_is_no_fault(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    found = only("browser")
    assert found.result == "note"
    assert "only the browser tests" in found.found
