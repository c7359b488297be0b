"""The forest plot and the picture of prior and posterior show every row, and are drawn without a network."""

import polars as pl
import pytest

from painlab.validation import COLUMNS
from painlab.views import charts, forest, identified


def row(**values: object) -> dict[str, object]:
    usual = {
        "id": "x", "use": "calibrate", "kind": "level", "week": "6", "published": 2.0, "published_low": 1.0, "published_high": 3.0,
        "predicted": 2.5, "predicted_low": 2.0, "predicted_high": 3.0, "gap": 0.98, "inside": True, "source": "A 2020", "title": "A trial",
        "outcome": "pain", "unit": "0-10",
    }  # fmt: skip
    return usual | values


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None).select(COLUMNS)


def placed(one: dict[str, object]) -> dict[str, object]:
    spec = forest.chart(frame(one)).to_dict()
    return spec["vconcat"][0]["data"]["values"][0] if "data" in spec["vconcat"][0] else spec["data"]["values"][0]


def test_figures_are_placed_in_standard_errors_of_the_published_one() -> None:
    # an interval of 2 is 2 x 1.96 standard errors, so that half a point is 0.98 of one
    one = placed(row())
    assert one["predicted"] == pytest.approx(0.98, abs=1e-3)
    assert (one["published_low"], one["published_high"]) == (pytest.approx(-1.96, abs=1e-3), pytest.approx(1.96, abs=1e-3))


def test_an_odds_ratio_is_placed_by_its_logarithm() -> None:
    one = placed(
        row(kind="odds_ratio", published=1.0, published_low=0.5, published_high=2.0, predicted=2.0, predicted_low=1.0, predicted_high=4.0)
    )
    assert one["predicted"] == pytest.approx(1.96, abs=1e-3)


def test_what_lies_far_off_stays_in_the_picture_with_its_figure() -> None:
    one = placed(row(predicted=90.0, inside=False))
    assert one["predicted"] == forest.FARTHEST
    assert one["said"] == "90.00" and one["verdict"] == "outside"


def test_a_trial_without_a_prediction_keeps_its_row() -> None:
    one = placed(row(predicted=None, predicted_low=None, predicted_high=None, gap=None, inside=False))
    assert one["predicted"] is None and one["said"] == "no prediction"


def test_both_uses_are_drawn_with_how_many_are_inside(tmp_path) -> None:
    table = frame(row(), row(title="Another", inside=False), row(use="validate", title="A third"))
    charts.save(forest.chart(table), tmp_path / "forest.svg")
    text = (tmp_path / "forest.svg").read_text(encoding="utf-8")
    for words in ("A trial", "Another", "A third", "1 of 2 predicted means", "1 of 1 predicted means"):
        assert words in text
    assert "http" not in text.replace("http://www.w3.org", "")


def test_prior_and_posterior_share_an_axis(tmp_path) -> None:
    columns = ("parameter", "prior_median", "prior_low", "prior_high", "posterior_median", "posterior_low", "posterior_high", "informed")
    table = pl.DataFrame(
        [("slope", 2.0, 0.0, 4.0, 3.0, 2.0, 4.0, True), ("idle", 2.0, 0.0, 4.0, 2.0, 0.0, 4.0, False)], schema=columns, orient="row"
    )
    spec = identified.chart(table).to_dict()
    values = spec["data"]["values"]
    assert [one["parameter"] for one in values] == ["slope"]
    assert (values[0]["posterior_low"], values[0]["posterior_median"]) == (0.5, 0.75)
    charts.save(identified.chart(table), tmp_path / "one.svg")
    assert "slope" in (tmp_path / "one.svg").read_text(encoding="utf-8")
