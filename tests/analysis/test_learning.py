"""Value of information against closed forms of a linear net benefit with normal parameters."""

import numpy as np
import pytest
from scipy.stats import norm

import painlab
from painlab import InputError
from painlab.analysis import learning, paired
from painlab.analysis.decision import Decision, Worth

NAMES = ("weakness_pain", "flare_size", "noise_size", "noise_persistence")
SLOPES = np.array([3.0, 1.0, 0.5, 0.0])


def expected(mean, deviation):
    """E[max(0, x)] - max(0, E[x]) of a normal x."""
    return mean * norm.cdf(mean / deviation) + deviation * norm.pdf(mean / deviation) - max(mean, 0.0)


def linear(mean=0.8, deviation=4.0, sets=2000, seed=5):
    """Parameters, and net benefits of two options in two cohorts whose difference is linear, with noise."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((sets, 4))
    gain = mean + values @ SLOPES
    noise = deviation * generator.standard_normal((2, sets))
    return values, np.stack([np.zeros((2, sets)), gain + noise], axis=2)


def analyzed(values, benefits, groups=None):
    decision = Decision("early-pt", Worth(pain=1.0))
    return learning.of_benefits(decision, benefits, values, NAMES, groups, kind="posterior", patients=100, most=4, seed=1)


def test_perfect_information_has_its_closed_form_although_runs_are_noisy():
    found = analyzed(*linear())
    truth = expected(0.8, float(np.sqrt((SLOPES**2).sum())))
    assert found.perfect == pytest.approx(truth, abs=3 * found.standard_error)
    assert found.standard_error < 0.15
    assert found.lower < truth < found.upper


@pytest.mark.parametrize("group", [(0,), (1,), (0, 1)])
def test_partial_information_has_its_closed_form(group):
    found = analyzed(*linear(), groups=[tuple(NAMES[one] for one in group)]).table.row(0, named=True)
    truth = expected(0.8, float(np.sqrt((SLOPES[list(group)] ** 2).sum())))
    assert found["value"] == pytest.approx(truth, abs=3 * found["standard_error"])
    assert found["clear"] and found["value"] >= 0.0


def test_a_parameter_without_effect_is_worth_nothing():
    found = analyzed(*linear(), groups=[("noise_persistence",)]).table.row(0, named=True)
    assert found["value"] == pytest.approx(0.0, abs=0.01)
    assert not found["clear"]


def test_partial_values_lie_between_nothing_and_the_perfect_one():
    table = analyzed(*linear()).table
    assert table["value"].min() >= 0.0
    assert table["share"].max() <= 1.0
    assert table["parameters"][0] == "weakness pain"


def test_nothing_is_gained_where_one_option_is_always_best():
    values, benefits = linear(mean=100.0, deviation=1.0)
    found = analyzed(values, benefits)
    assert found.perfect == 0.0
    assert "does not wait" in found.sentence
    assert found.best == "early-pt"


def test_three_options_with_equal_means_gain_what_the_largest_of_three_normals_does():
    generator = np.random.default_rng(8)
    values = generator.standard_normal((4000, 4))
    benefits = values[:, :3] + 0.5 * generator.standard_normal((2, 4000, 3))
    decision = Decision(["early-pt", "late-pt"], Worth(pain=1.0))
    found = learning.of_benefits(decision, benefits, values, NAMES, [NAMES[:3]], kind="prior", patients=100, most=4, seed=1)
    assert found.perfect == pytest.approx(0.8463, abs=0.06)  # E[max of three standard normals] = 3 / (2 sqrt(pi))
    assert found.table["value"][0] == pytest.approx(0.8463, abs=0.08)


def test_net_benefit_is_the_worth_of_what_changes():
    decision = Decision("early-pt", Worth(mme=0.5, pain=10.0, function=2.0, cost=1.0))
    asked = paired.request("early-pt", "mme_per_1000", None, 100, 1)._replace(outcomes=("mme_per_1000", "pain", "function", "cost"))
    base = np.zeros((2, 1, 4))
    changed = base + np.array([-100.0, -0.5, 1.0, 3.0])
    found = decision.benefits(asked, {"baseline": base, "early-pt": changed})
    by_hand = 0.5 * 100 / 1000 * 7 * 104 + 10 * 0.5 * 104 + 2 * 1 * 104 - 3 * 104
    assert found[0, 0].tolist() == pytest.approx([0.0, by_hand])


def test_the_real_model_answers_and_names_the_judgments():
    decision = Decision("early-pt", Worth(pain=60.0, function=2.0), people=1000)
    found, again = (learning.value_of_information(decision, draws=100, patients=256, most=3, threads=one) for one in (1, 2))
    assert found.table.equals(again.table) and found.perfect == again.perfect
    assert found.options["option"].to_list() == ["baseline", "early-pt"]
    assert "Value judgments: 1 pain point less" in str(found)
    assert 0.0 <= found.lower <= found.upper


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Worth(pain=-1.0), "worth of pain"),
        (lambda: Worth(cost=0.0), "nothing is worth"),
        (lambda: Decision("early-pt", Worth(), with_baseline=False), "nothing to choose"),
        (lambda: Decision(["early-pt", "early-pt"], Worth()), "not one of its own"),
        (lambda: Decision([], Worth()), "nothing to choose"),
        (lambda: Decision(["early-pt", "rapid-taper"], Worth()), "differ in their patients"),
        (lambda: Decision("early-pt", Worth(), people=0), "people"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(make, said):
    with pytest.raises(InputError, match=said):
        make()


def test_a_group_that_cannot_be_asked_about_is_refused():
    decision = Decision("early-pt", Worth(pain=1.0))
    with pytest.raises(InputError, match="unknown parameter"):
        learning.value_of_information(decision, about=["pain_weakness"], draws=100)
    with pytest.raises(InputError, match="1 to 12"):
        learning.value_of_information(decision, about=[list(paired.free(painlab.Scenario.load("early-pt")))[:13]], draws=100)
