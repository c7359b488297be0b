"""Charts of how sure an answer is: every number of a result is drawn, words stand beside colors, and type is large enough."""

import json
from dataclasses import replace

import polars as pl
import pytest

from painlab import InputError
from painlab.analysis import learning, one_at_a_time, probabilistic, separated, turning_points, variance_shares
from painlab.analysis.decision import Decision, Worth
from painlab.views import sureness
from painlab.views.live_chart import LiveChart

NAMES = ["physical_therapy.relief", "physical_therapy.build", "weakness_pain"]


@pytest.fixture(scope="module")
def results():
    decision = Decision("early-pt", Worth(pain=60.0, function=2.0))
    return {
        "tornado": one_at_a_time.tornado("early-pt", names=NAMES, patients=256),
        "sobol": variance_shares.sobol("early-pt", outcome="pain", names=NAMES, sets=200, patients=512),
        "learning": learning.value_of_information(decision, about=NAMES, draws=100, patients=256),
        "flips": turning_points.flips(decision=decision, names=NAMES, patients=512),
        "spread": separated.spread("early-pt", 300, draws=10, patients=128, lived=64),
        "draws": probabilistic.sensitivity("early-pt", draws=50, patients=128, most=3),
    }


def drawn(results, name, **given):
    return getattr(sureness, name)(results[name], **given)


def sizes(of):
    """All type sizes that a specification states."""
    if isinstance(of, dict):
        own = [value for key, value in of.items() if key.endswith("ontSize") and isinstance(value, int | float)]
        return own + [size for value in of.values() for size in sizes(value)]
    return [size for value in of for size in sizes(value)] if isinstance(of, list) else []


@pytest.mark.parametrize("name", ["tornado", "sobol", "learning", "flips", "spread", "draws"])
def test_a_chart_is_drawn_live_and_said_to_screen_readers(results, name):
    chart = drawn(results, name)
    assert isinstance(chart, LiveChart)
    assert chart.summary == str(results[name]) or chart.summary == results[name].sentence
    assert len(chart.description) > 20
    assert min(sizes(chart.spec) + sizes(chart.light_config)) >= 13
    assert max(sizes(drawn(results, name, large=True).light_config)) >= 20
    assert drawn(results, name, dark=True).light_config["background"] != chart.light_config["background"]


def test_demand_pain_and_function_stand_beside_each_other(results):
    for name in ("tornado", "spread", "draws"):
        text = json.dumps(drawn(results, name).spec)
        assert all(label in text for label in ("Opioid demand", "Pain", "Function"))


def test_every_parameter_is_named_in_plain_words(results):
    for name in ("tornado", "sobol", "learning", "flips"):
        text = json.dumps(drawn(results, name).spec)
        assert "physical therapy: relief" in text, name


def test_one_outcome_s_shares_can_be_drawn_alone(results):
    panels = drawn(results, "sobol", outcome="pain").spec["vconcat"]
    assert [panel["title"] for panel in panels] == ["Pain"]
    with pytest.raises(InputError, match="no shares"):
        drawn(results, "sobol", outcome="visits")


def test_a_parameter_that_no_set_holds_is_refused(results):
    assert "weakness pain" in json.dumps(drawn(results, "draws", parameter="weakness_pain").spec)
    with pytest.raises(InputError, match="no parameter"):
        drawn(results, "draws", parameter="weather")


def test_the_value_judgments_stand_on_the_chart_of_learning(results):
    assert "1 pain point less for a week is worth 60 USD" in json.dumps(drawn(results, "learning").spec)


def test_the_chart_of_flips_counts_as_the_words_do_and_pales_what_chance_could_explain(results):
    turned = results["flips"].table.with_columns(
        flips=pl.lit(True), clear=pl.Series([True, True, False]), at=(pl.col("low") + pl.col("high")) / 2, side=pl.lit("above"),
        turns_to=pl.lit("baseline is preferred"), mme_per_1000=pl.lit(-50.0), pain=pl.lit(-0.04), function=pl.lit(0.4),
    )  # fmt: skip
    found = replace(results["flips"], margin=40.0, standard_error=5.0, table=turned)
    chart = sureness.flips(found)
    assert "2 can flip it alone" in found.sentence and "1 more might" in found.sentence
    assert chart.spec["title"]["text"] == "2 parameters flip the conclusion alone; 1 more might (pale)"
    assert json.dumps(chart.spec).count('"not told from chance"') > 0


def test_a_chart_without_a_flip_says_so():
    found = turning_points.flips("early-pt", outcome="pain", names=NAMES, patients=512)
    assert found.found.is_empty()
    assert "No single assumption flips" in sureness.flips(found).description
