"""The phase portrait and the bifurcation chart show what `engine.phase` finds, and say what lies outside the priors."""

import json

import pytest
import vl_convert

from painlab import parameters
from painlab.engine import phase as engine
from painlab.engine.setting import Setting
from painlab.errors import InputError
from painlab.views import charts, phase

CENTRAL = parameters.scalars(parameters.values())
EXAGGERATED = CENTRAL._replace(weakness_pain=4.0, sensitization_pain=5.0)
BODY = Setting(2.5)


def picture(chart):
    return vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])


def marks(chart, description):
    """Rows of the layers whose mark has this description."""
    layers = chart.to_dict()["layer"]
    return [row for layer in layers if layer["mark"].get("description") == description for row in layer["data"]["values"]]


def test_the_portrait_marks_each_equilibrium_as_stable_or_saddle():
    chart = phase.portrait(BODY, EXAGGERATED)
    found = engine.equilibria(BODY, EXAGGERATED)
    assert [row["pain"] for row in marks(chart, "stable state")] == [one.pain for one in found if one.stable]
    assert [row["pain"] for row in marks(chart, "saddle")] == [one.pain for one in found if not one.stable]
    assert "Two states in the long run" in picture(chart)


def test_the_boundary_is_drawn_only_where_there_are_two_states():
    assert marks(phase.portrait(BODY, EXAGGERATED), "boundary of the basins")
    alone = phase.portrait(BODY, CENTRAL)
    assert not marks(alone, "boundary of the basins") and not marks(alone, "saddle")
    assert "One state in the long run" in picture(alone) and "Hollow" not in picture(alone)


def test_both_curves_are_named_in_words_and_told_apart_by_dashes_too():
    chart = phase.portrait(BODY, CENTRAL)
    names = "strength that this pain leaves", "pain that this strength leaves"
    for name in names:
        assert name in picture(chart)
    dashes = [layer["mark"]["strokeDash"] for layer in chart.to_dict()["layer"] if layer["mark"].get("description") in names]
    assert len(dashes) == 2 and dashes[0] != dashes[1]


def test_arrows_are_spread_over_the_whole_plane_point_home_and_leave_the_words_free():
    (state,) = engine.equilibria(BODY, CENTRAL)
    arrows = marks(phase.portrait(BODY, CENTRAL), "way the cycle carries a body")
    assert min(row["pain"] for row in arrows) < 1 and max(row["pain"] for row in arrows) > 9
    assert all(16**2 <= row["area"] <= 34**2 for row in arrows)  # long enough to be seen
    left = [row for row in arrows if row["percent"] < 50 and row["pain"] > 5]
    assert state.strength > 0.5 and state.pain < 5
    assert left and all(90 < row["angle"] < 180 for row in left)  # to the right and down
    assert not [row for row in arrows if row["percent"] < 40 and 0 < row["pain"] - state.pain < 1]  # there stand the curve's words


def test_a_body_in_which_sensitization_adds_no_pain_has_arrows_too():
    arrows = marks(phase.portrait(BODY, CENTRAL._replace(sensitization_pain=0.0)), "way the cycle carries a body")
    assert {row["angle"] for row in arrows if row["pain"] > 5} == {180.0}


def test_a_body_outside_the_priors_is_called_so_in_every_chart():
    for chart in (phase.portrait(BODY, EXAGGERATED), phase.bifurcation_chart(BODY, EXAGGERATED, "signal", 0, 5, steps=20)):
        assert "Outside the priors: weakness pain 4, sensitization pain 5." in picture(chart)
    assert "Outside the priors" not in picture(phase.portrait(BODY, CENTRAL))


def test_the_bifurcation_chart_shades_the_prior_and_marks_the_value_in_use():
    chart = phase.bifurcation_chart(BODY, CENTRAL, "sensitization_pain", 0, 8, steps=40)
    record = parameters.record("sensitization_pain")
    (shade,) = marks(chart, "range of the prior")
    assert (shade["value"], shade["end"]) == (record.low, record.high)
    assert [row["value"] for row in marks(chart, "value in use")] == [record.value]
    assert record.meaning[:20] in picture(chart)


def test_a_tipping_point_outside_the_prior_is_told_in_the_title_and_marked_by_a_diamond():
    chart = phase.bifurcation_chart(BODY, CENTRAL, "sensitization_pain", 0, 8, steps=40)
    (first,) = engine.fold(BODY, CENTRAL, "sensitization_pain", 0, 8, steps=40)
    assert "outside the prior" in " ".join(chart.to_dict()["title"]["text"])
    assert [row["value"] for row in marks(chart, "fold")] == [first.value]
    for branch in ("stable state", "saddle"):  # both new branches begin at the fold
        assert any(row["value"] == first.value and row["pain"] == first.pain for row in marks(chart, branch))


def test_without_a_tipping_point_the_title_says_so_and_no_saddle_is_drawn():
    chart = phase.bifurcation_chart(BODY, CENTRAL, "weakness_pain", 0, 2, steps=10)
    assert "No tipping point" in " ".join(chart.to_dict()["title"]["text"])
    assert not marks(chart, "saddle") and not marks(chart, "fold")


def test_a_field_of_the_setting_has_no_prior_to_shade():
    chart = phase.bifurcation_chart(BODY, EXAGGERATED, "signal", 0, 5, steps=20)
    assert not marks(chart, "range of the prior")
    assert "Two stable states with signal from" in picture(chart)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_charts_are_drawn_without_a_network_on_every_page(tmp_path, dark, large):
    for number, chart in enumerate(
        (
            phase.portrait(BODY, EXAGGERATED, dark=dark, large=large),
            phase.bifurcation_chart(BODY, CENTRAL, "weakness_pain", 0, 4, steps=10, dark=dark, large=large),
        )
    ):
        png = charts.save(chart, tmp_path / f"{number}.png").read_bytes()
        assert png.startswith(b"\x89PNG")
        assert "http" not in json.dumps({key: value for key, value in chart.to_dict().items() if key != "$schema"})


def test_an_unknown_parameter_is_answered_with_the_nearest_one():
    with pytest.raises(InputError, match='did you mean "signal"'):
        phase.bifurcation_chart(BODY, CENTRAL, "signl", 0, 5)
