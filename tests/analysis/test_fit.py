"""What all fits share: tables are gathered with their gaps counted, designs refused with the term at fault, and imports stay quick."""

import subprocess
import sys
import types

import numpy as np
import polars as pl
import pytest

from painlab import InputError, analysis
from painlab.analysis import fit


def test_a_row_with_a_gap_is_left_out_and_counted():
    frame, gaps = fit.gather(pl.DataFrame({"a": [1.0, None, float("nan")], "b": [1, 2, 3], "c": [None] * 3}), ["a", "b"], "here")
    assert (frame.height, frame.columns, gaps) == (1, ["a", "b"], 2)


def test_a_missing_column_is_named_with_the_nearest_one():
    with pytest.raises(InputError, match=r'here: there is no column "pain".*did you mean "pains"'):
        fit.gather(pl.DataFrame({"pains": [1]}), ["pain"], "here")


def test_a_table_that_is_too_long_is_refused_by_its_rows(monkeypatch):
    monkeypatch.setattr(fit, "MOST_ROWS", 3)
    with pytest.raises(InputError, match=r"more than 3 rows.*Sum it up"):
        fit.gather(pl.DataFrame({"a": range(4)}).lazy(), ["a"], "here")


def test_a_table_of_gaps_alone_is_refused():
    with pytest.raises(analysis.Refused, match="no row has all of a"):
        fit.gather(pl.DataFrame({"a": [None, None]}, schema={"a": pl.Float64}), ["a"], "here")


def test_what_is_no_finite_number_is_refused():
    with pytest.raises(InputError, match="infinite"):
        fit.gather(pl.DataFrame({"a": [1.0, float("inf")]}), ["a"], "here")
    with pytest.raises(InputError, match="no numbers"):
        fit.numbers_of(pl.DataFrame({"a": ["1"]}), "a", "here")
    with pytest.raises(InputError, match="Expected a polars frame"):
        fit.gather([1, 2], ["a"], "here")  # type: ignore[arg-type]


def test_texts_become_indicators_against_the_first_and_a_constant_is_refused():
    names, columns = fit.covariate_columns(pl.DataFrame({"c": ["b", "a", "c"], "n": [1, 2, 4]}), ["c", "n"], "here")
    assert names == ["c b", "c c", "n"]
    assert columns.tolist() == [[1, 0, 1], [0, 0, 2], [0, 1, 4]]
    with pytest.raises(analysis.Refused, match='"n" never varies'):
        fit.covariate_columns(pl.DataFrame({"n": [2, 2]}), ["n"], "here")
    with pytest.raises(InputError, match="21 different values"):
        fit.covariate_columns(pl.DataFrame({"c": [f"{n}" for n in range(21)]}), ["c"], "here")


def test_a_term_that_others_already_say_is_named():
    with pytest.raises(analysis.Refused, match=r'"twice" says nothing'):
        fit.full_rank(np.array([[1.0, 1.0, 2.0], [1.0, 2.0, 4.0], [1.0, 5.0, 10.0]]), ["level", "once", "twice"], "here")


def test_an_interval_is_student_s_t():
    low, high = fit.t_interval(1.0, 2.0, 5.0)
    assert (low, high) == pytest.approx((1.0 - 2.0 * 2.570582, 1.0 + 2.0 * 2.570582), abs=1e-5)


def test_an_estimate_is_found_by_its_name_and_nearest_name():
    one = fit.Fit("Title", "Said.", (fit.Term("slope", 1.0, 0.5, 1.5, "points"),), (fit.Check("people", None, "enough"),))
    assert one.term("slope").settled()
    assert not one.term("slope").settled(none=1.2)
    assert one.diagnostics.rows() == [("people", None, "enough")]
    with pytest.raises(InputError, match='did you mean "slope"'):
        one.term("slop")
    assert str(one).splitlines() == ["Title", "Said.", "slope: 1.00 (95 % interval 0.50 to 1.50) points", "people: enough"]


def test_every_public_name_of_analysis_is_what_it_says_and_no_module():
    for name in analysis.__all__:
        found = getattr(analysis, name)
        assert not isinstance(found, types.ModuleType), name
        assert (found.__doc__ and ">>>" in found.__doc__) or isinstance(found, type), name
        assert getattr(analysis, name) is found  # the second time too: no module has hidden it
    assert dir(analysis) == list(analysis.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = analysis.nothing


def test_importing_analysis_imports_nothing_heavy():
    code = "import sys, painlab.analysis; print([one for one in ('polars', 'scipy', 'statsmodels', 'altair') if one in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
