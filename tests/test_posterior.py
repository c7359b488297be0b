"""Parameter sets that the evidence allows: their file, whether they still belong to the model, and how they are taken from it."""

import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from painlab import evidence, parameters, posterior, scenario, simulate, trials
from painlab.errors import InputError
from painlab.posterior import Posterior
from painlab.simulation import StalePosterior
from painlab.tables import data_folder

MADE = {"method": "by hand", "seed": "1"}
CACHES = (parameters.records, parameters.values, posterior.load, posterior.values, evidence.estimates, trials.shipped)


def forget() -> None:
    for one in CACHES:
        getattr(one, "cache_clear", lambda: None)()


def draws(count: int) -> pl.DataFrame:
    """A table of draws: each parameter at its prior's quantiles."""
    shares = (np.arange(count) + 0.5) / count
    return pl.DataFrame({name: one.quantiles(shares) for name, one in parameters.records().items()})


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    forget()
    path = tmp_path / posterior.FILE
    posterior.write(draws(5), MADE | posterior.fingerprints(), path)
    yield path
    forget()


def shipped(monkeypatch: pytest.MonkeyPatch, found: Posterior | None) -> None:
    """Let this be the posterior that ships."""
    monkeypatch.setattr(posterior, "load", lambda path=None: found)
    posterior.values.cache_clear()


# The file


def test_what_is_written_is_read_back(file: Path) -> None:
    found = posterior.load(file)
    assert found is not None
    assert found.draws.equals(draws(5))
    assert found.changed == () and found.complaint() == ""
    assert dict(found.made) == MADE | posterior.fingerprints()
    assert len(found.sha256) == 64
    assert [path.name for path in file.parent.iterdir()] == [file.name]  # nothing unfinished is left behind


def test_without_a_file_there_is_no_posterior(tmp_path: Path) -> None:
    assert posterior.load(tmp_path / "none.parquet") is None


@pytest.mark.parametrize("kind", ["text", "empty", "another table"])
def test_a_file_that_is_no_posterior_is_refused_with_the_mend(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "posterior.parquet"
    if kind == "another table":
        pl.DataFrame({"a": [1.0]}).write_parquet(path)
    else:
        path.write_text("not a table" if kind == "text" else "", encoding="utf-8")
    with pytest.raises(InputError, match="not a posterior") as refusal:
        posterior.load(path)
    assert refusal.value.where == str(path)
    assert "painlab calibrate" in refusal.value.mend


def test_draws_belong_to_what_they_were_made_from_and_not_to_what_is_there_when_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    posterior.write(draws(3), MADE | posterior.fingerprints() | {"trials": "earlier ones"}, path)
    found = posterior.load(path)
    assert found is not None and found.changed == ("trials",)


# Staleness


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the data and of the code of the equations, in which changes can be made."""
    data, code = tmp_path / "data", tmp_path / "painlab"
    shutil.copytree(data_folder(), data)
    shutil.copytree(Path(posterior.__file__).parent, code, ignore=shutil.ignore_patterns("__pycache__"))
    forget()
    for module in (posterior, parameters, evidence, trials, scenario):
        monkeypatch.setattr(module, "data_folder", lambda: data)
    monkeypatch.setattr(posterior, "__file__", str(code / "posterior.py"))
    yield tmp_path
    monkeypatch.undo()
    forget()


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def changed_by(copied: Path, change: Callable[[], None]) -> tuple[str, ...]:
    """What a posterior complains of after a change."""
    path = copied / "made.parquet"
    posterior.write(draws(3), MADE | posterior.fingerprints(), path)
    fresh = posterior.load(path)
    assert fresh is not None and fresh.changed == ()
    change()
    forget()
    found = posterior.load(path)
    assert found is not None
    assert bool(found.changed) == bool(found.complaint())
    return found.changed


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("data/parameters.csv", "noise_size,sd_e,1.0,", "noise_size,sd_e,1.1,", ("prior",)),
        ("data/conditions.toml", "weeks_before = 2\n", "weeks_before = 3\n", ("prior",)),
        ("data/treatments.toml", "referral = true", "referral = false", ("prior",)),
        ("data/trials/tapers.toml", "percent_per_month = 30", "percent_per_month = 20", ("trials",)),
        ("data/trials/tapers.toml", "low = 14.8", "low = 14.7", ("trials",)),
        ("painlab/dynamics.py", "min(1.0, level * 0.2)", "min(1.0, level * 0.25)", ("model",)),
        ("painlab/engine/prescribing.py", "TAPER_PAUSE_WEEKS = 26", "TAPER_PAUSE_WEEKS = 27", ("model",)),
    ],
)
def test_draws_are_stale_once_a_prior_a_trial_or_an_equation_changes(
    copied: Path, file: str, old: str, new: str, changed: tuple[str, ...]
) -> None:
    assert changed_by(copied, lambda: replace(copied / file, old, new)) == changed


def test_draws_are_stale_once_the_published_figure_of_a_trial_changes(copied: Path) -> None:
    def correct() -> None:
        path = copied / "data/evidence.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        place = next(i for i, line in enumerate(lines) if line.startswith("T05-01,"))
        assert ",-15" in lines[place]
        lines[place] = lines[place].replace(",-15", ",-14", 1)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert changed_by(copied, correct) == ("evidence",)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("data/trials/tapers.toml", "# Tapering long-term opioids.", "# How long-term opioids are tapered."),
        ("data/trials/tapers.toml", 'rule = "as printed"', 'rule = "as it is printed"'),
        ("data/conditions.toml", 'label = "Acute low back pain"', 'label = "Back pain"'),
        ("painlab/dynamics.py", '"""Change per week of a flare', '"""The change in a week of a flare'),
        ("painlab/care.py", "# share of patients in whom it works at all", "# share of responders"),
        ("painlab/engine/prescribing.py", "# a start", "# a beginning"),
    ],
)
def test_words_comments_and_docstrings_do_not_make_draws_stale(copied: Path, file: str, old: str, new: str) -> None:
    assert changed_by(copied, lambda: replace(copied / file, old, new)) == ()


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("data/scenarios/usual-care.toml", "coordination = 0.2", "coordination = 0.3"),  # arms named "usual-care"
        ("painlab/trials.py", '"pain_at_most": lambda: pain <= threshold', '"pain_at_most": lambda: pain < threshold'),
    ],
)
def test_draws_are_stale_once_the_care_or_the_outcomes_of_trials_change(copied: Path, file: str, old: str, new: str) -> None:
    """Trials name scenarios that ship, and take what they do not state from the defaults of population and plan."""
    assert changed_by(copied, lambda: replace(copied / file, old, new)) != ()


def test_what_a_trial_leaves_to_its_defaults_counts_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    before = posterior.fingerprints()["trials"]
    first, *others = trials.shipped()
    people = first.population.model_copy(update={"distress": 0.35})  # as if the default were another
    monkeypatch.setattr(trials, "shipped", lambda use=None: (first.model_copy(update={"population": people}), *others))
    assert posterior.fingerprints()["trials"] != before


def test_draws_of_other_parameters_are_stale(tmp_path: Path) -> None:
    forget()
    path = tmp_path / "made.parquet"
    posterior.write(draws(3).drop("noise_size"), MADE | posterior.fingerprints(), path)
    found = posterior.load(path)
    assert found is not None and found.changed == ("prior",)
    assert "the priors, conditions or treatments changed" in found.complaint()


# Draws


def of(count: int, changed: tuple[str, ...] = ()) -> Posterior:
    return Posterior(draws(count), MADE, changed, "0" * 64)


def taken(count: int, seed: int) -> list[float]:
    return [posterior.values(draw, seed)["noise_size"] for draw in range(count)]


@pytest.fixture
def five(monkeypatch: pytest.MonkeyPatch) -> Iterator[Posterior]:
    found = of(5)
    shipped(monkeypatch, found)
    yield found
    monkeypatch.undo()
    forget()


def test_each_draw_is_a_row_all_rows_come_once_and_then_they_begin_again(five: Posterior) -> None:
    rows = five.draws["noise_size"].to_list()
    first = taken(5, 1)
    assert sorted(first) == rows
    assert taken(12, 1) == (first * 3)[:12]
    one = posterior.values(2, 1)
    assert dict(one) in five.draws.to_dicts()


def test_another_seed_takes_the_rows_in_another_order_and_the_same_seed_in_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped(monkeypatch, of(20))
    assert taken(20, 1) == taken(20, 1)
    assert taken(20, 1) != taken(20, 2)
    assert sorted(taken(20, 1)) == sorted(taken(20, 2))
    monkeypatch.undo()
    forget()


def test_the_central_values_are_each_parameters_median(five: Posterior) -> None:
    central = posterior.values()
    assert set(central) == set(parameters.records())
    assert central["noise_size"] == five.draws["noise_size"].to_list()[2]


@pytest.mark.parametrize("found", [None, of(5, changed=("model",))])
def test_without_current_draws_the_prior_is_used(monkeypatch: pytest.MonkeyPatch, found: Posterior | None) -> None:
    shipped(monkeypatch, found)
    assert posterior.values(3, 2) == parameters.values(3, 2)
    assert posterior.values() == parameters.values()
    assert posterior.in_use() == "prior"
    monkeypatch.undo()
    forget()


def test_the_prior_can_be_asked_for_and_nothing_else(five: Posterior) -> None:
    assert posterior.values(3, 2, "prior") == parameters.values(3, 2)
    assert posterior.values(3, 2) != parameters.values(3, 2)
    assert (posterior.in_use(), posterior.in_use("prior")) == ("posterior", "prior")
    with pytest.raises(InputError, match=r'unknown kind of parameter draws "poster". Expected posterior or prior'):
        posterior.values(kind="poster")


def test_a_results_provenance_says_where_its_parameters_came_from(monkeypatch: pytest.MonkeyPatch, five: Posterior) -> None:
    assert posterior.words(40) == f"40 draws of the posterior in data/posterior.parquet, SHA-256 {'0' * 64}"
    assert posterior.words(1, "prior") == "central values of the prior in data/parameters.csv"
    shipped(monkeypatch, of(5, changed=("trials",)))
    assert posterior.words(2).startswith("2 draws of the prior in data/parameters.csv; data/posterior.parquet is stale (the virtual trials")


# In a run


def test_a_run_warns_of_a_stale_posterior_and_takes_the_prior(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped(monkeypatch, of(5, changed=("evidence", "model")))
    with pytest.warns(StalePosterior, match=r"stale \(the published figures, the model's equations changed") as warned:
        stale = simulate("early-pt", patients=10, draws=2, weeks=3)
    assert warned[0].filename == __file__  # the caller's line is named, not one of PainLab
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prior = simulate("early-pt", patients=10, draws=2, weeks=3, parameters="prior")
    assert stale.weekly.equals(prior.weekly)
    assert "stale" in stale.provenance["parameters"] and "stale" not in prior.provenance["parameters"]
    monkeypatch.undo()
    forget()


def test_a_run_takes_the_draws_of_a_current_posterior_without_a_word(five: Posterior) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = simulate("early-pt", patients=10, draws=2, weeks=3)
        prior = simulate("early-pt", patients=10, draws=2, weeks=3, parameters="prior")
    assert not found.weekly.equals(prior.weekly)
    assert "of the posterior" in found.provenance["parameters"]
