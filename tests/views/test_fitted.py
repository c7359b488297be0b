"""Charts of fits draw without a network, say what they show, and tell series apart by more than color."""

import json

import polars as pl
import pytest

from painlab import InputError
from painlab.analysis.fit import KINDS, Check, Fit, Term, predicted_frame
from painlab.views import charts, fitted
from painlab.views.live_chart import LiveChart


def fit_of(kind: str, series: tuple[str, ...], dated: bool = False) -> Fit:
    rows = [
        {"series": name, "x": 19_000.0 + 30 * n, "observed": 2.0 + n, "predicted": 2.5 + n + place, "low": 1.5 + n, "high": 4.0 + n}
        for place, name in enumerate(series) for n in range(8)
    ]  # fmt: skip
    return Fit("A title", "What was found.", (Term("slope", 1.0, 0.5, 1.5, "points"), Term("odds", 2.0, 1.5, 3.0, "times the odds")),
               (Check("people", 8.0, "few"),), predicted_frame(rows), kind=kind, dated=dated, x_title="Week", y_title="Pain")  # fmt: skip


SERIES = {"interrupted": ("observed", "without the change"), "forecast": ("observed", "forecast", "forecast, 80 %")}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dated", [False, True])
def test_every_kind_of_fit_is_drawn(kind, dated, tmp_path):
    one = fit_of(kind, SERIES.get(kind, ("a", "b")), dated)
    drawn = fitted.chart(one)
    text = charts.save(drawn, tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert "A title" in text
    assert "What was found." in drawn.to_dict()["description"]  # for screen readers
    assert "NaN" not in text


def test_series_differ_in_dash_and_name_as_well_as_color():
    spec = fitted.chart(fit_of("course", ("a", "b", "c"))).to_dict()
    layers = [one for one in spec["layer"] if "strokeDash" in one["encoding"]]
    dashes = layers[0]["encoding"]["strokeDash"]["scale"]["range"]
    assert len({tuple(one) for one in dashes}) == 3
    assert any(one["mark"]["type"] == "text" for one in spec["layer"])
    assert set(layers[0]["encoding"]["color"]["scale"]["range"]) <= set(fitted.COLORS)


def test_type_is_fourteen_pixels_or_more_for_names_and_axes():
    text = json.dumps(fitted.chart(fit_of("survival", ("a", "b"))).to_dict())
    sizes = [int(part.split(",")[0].split("}")[0]) for part in text.split('FontSize": ')[1:]]
    assert min(sizes) >= 13


def test_a_fit_without_a_course_is_drawn_as_its_estimates_each_unit_on_its_own_axis(tmp_path):
    one = Fit("A title", "Found.", (Term("slope", 1.0, 0.5, 1.5, "points"), Term("odds", 2.0, 1.5, 3.0, "times the odds")), ())
    text = charts.save(fitted.chart(one), tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert "1.0 (0.5 to 1.5)" in text
    assert "times the odds" in text


def test_a_live_chart_says_the_sentence():
    shown = fitted.show(fit_of("course", ("a", "b")))
    assert isinstance(shown, LiveChart)
    assert shown.summary == "What was found."


def test_what_is_no_fit_is_refused():
    with pytest.raises(InputError, match="a DataFrame is no fit"):
        fitted.chart(pl.DataFrame())  # type: ignore[arg-type]
