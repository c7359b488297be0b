"""What identifies what: prior against posterior, the cycle's gain, and what its links earn."""

import numpy as np
import polars as pl
import pytest

from painlab import identification, parameters, posterior
from painlab.calibration.ensemble import free_parameters, prior_scores
from painlab.calibration.run import as_table
from painlab.errors import InputError
from painlab.posterior import Posterior
from painlab.scenario import Scenario


def as_if_found(monkeypatch: pytest.MonkeyPatch, scores: np.ndarray) -> None:
    """Make an ensemble the current posterior."""
    found = Posterior(as_table(scores), {}, (), "none")
    monkeypatch.setattr(posterior, "load", lambda path=None: found)


def test_a_parameter_that_the_trials_left_alone_is_named_as_not_informed(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = prior_scores(400, 3)
    names = [one.name for one in free_parameters()]
    narrow, moved = names.index("weakness_pain"), names.index("activity_time")
    scores[:, narrow] *= 0.4
    scores[:, moved] += 1.0
    as_if_found(monkeypatch, scores)
    table = identification.table()
    informed = dict(zip(table["parameter"], table["informed"], strict=True))
    assert informed["weakness_pain"] and informed["activity_time"]
    assert not informed["hyperalgesia_pain"]
    assert sum(informed.values()) < 12  # the rest only by chance
    row = table.row(by_predicate=pl.col("parameter") == "weakness_pain", named=True)
    assert row["spread"] == pytest.approx(0.4, abs=0.05)
    assert row["prior_low"] < row["posterior_low"] < row["posterior_high"] < row["prior_high"]
    assert table["spread"].is_sorted()


def test_without_a_current_posterior_the_mend_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posterior, "load", lambda path=None: None)
    with pytest.raises(InputError, match="painlab calibrate"):
        identification.table()
    stale = Posterior(as_table(prior_scores(2, 1)), {}, ("trials",), "none")
    monkeypatch.setattr(posterior, "load", lambda path=None: stale)
    with pytest.raises(InputError, match="virtual trials changed"):
        identification.sets("posterior", 3)


def test_a_cycle_without_links_gives_nothing_back() -> None:
    scenario = Scenario.load("usual-care")
    central = dict(parameters.values())
    cut = central | dict.fromkeys(parameters.LINKS.values(), 0.0) | {"sensitization_pain": 0.0}
    whole = identification.cycle_gain(scenario, [central, cut])
    assert whole["part"].to_list() == ["strength", "sensitization", "whole", "most"]
    alone = identification.cycle_gain(scenario, [cut])
    assert alone["median"].to_list() == pytest.approx([0.0, 0.0, 0.0, 0.0], abs=1e-9)
    assert alone["zero"].to_list() == [1.0] * 4
    assert (whole["high"] >= whole["median"]).all()


def test_a_benefit_that_needs_no_link_is_the_same_without_it() -> None:
    values = [parameters.values(draw, 1) | {"weakness_pain": 0.0} for draw in range(3)]
    found = identification.benefit([Scenario.load("early-pt").change(weeks=30)], values, patients=60)
    assert found["cut"].unique(maintain_order=True).to_list() == list(identification.CUTS)
    pain = {row["cut"]: row["difference"] for row in found.filter(pl.col("outcome") == "pain").iter_rows(named=True)}
    assert pain["weakness_to_pain"] == pain["whole"]  # that link is zero already
    assert pain["direct"] != pain["no_cycle"]  # sensitization is eased in one of them
    assert pain["whole"] < 0.0


def test_a_change_of_one_outcome_is_that_of_the_benefit() -> None:
    scenario, values = Scenario.load("early-pt").change(weeks=20), [parameters.values(draw, 1) for draw in range(3)]
    found = identification.benefit([scenario], values, patients=40)
    row = found.row(by_predicate=(pl.col("cut") == "whole") & (pl.col("outcome") == "pain"), named=True)
    assert identification.change_of("pain", scenario, values, patients=40) == (row["difference"], row["low"], row["high"])
