"""One record for each parameter, checked when it is read."""

import csv
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy import stats

from painlab import catalog, evidence, parameters
from painlab.care import PARAMETER_FIELDS
from painlab.errors import InputError
from painlab.parameters import COLUMNS, Parameter, Parameters

GOOD = dict(zip(COLUMNS, ("a", "A", "1", "0", "2", "pert", "weeks", "a meaning", "assumption"), strict=True))


def written(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    path = folder / "mine.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_scalar_parameters_are_the_undotted_rows_both_ways() -> None:
    assert list(Parameters._fields) == [name for name in parameters.records() if "." not in name]


def test_dotted_rows_belong_to_a_treatment_or_a_condition_and_one_of_its_columns() -> None:
    columns = {field.name.lower() for field in PARAMETER_FIELDS}
    for name in parameters.records():
        if "." in name:
            treatment, column = name.split(".")
            known = columns if treatment in catalog.treatments() else set(catalog.UNCERTAIN)
            assert (treatment in catalog.treatments() or treatment in catalog.conditions()) and column in known


def test_a_pert_prior_has_the_quantiles_of_a_scaled_beta() -> None:
    one = Parameter("x", "", 3.0, 2.0, 6.0, "pert", "1", "", "assumption")
    beta = stats.beta(1 + 4 * 0.25, 1 + 4 * 0.75, loc=2.0, scale=4.0)
    assert [one.quantile(u) for u in (0.01, 0.5, 0.99)] == pytest.approx(beta.ppf([0.01, 0.5, 0.99]), rel=1e-10)


def test_a_lognormal_prior_puts_95_percent_between_low_and_high() -> None:
    one = Parameter("x", "", 2.0, 1.0, 4.0, "lognormal", "1", "", "assumption")
    assert [one.quantile(u) for u in (0.025, 0.5, 0.975)] == pytest.approx([1.0, 2.0, 4.0], rel=1e-9)


def test_a_fixed_value_does_not_vary() -> None:
    assert Parameter("x", "", 2.0, 2.0, 2.0, "fixed", "1", "", "assumption").quantile(0.9) == 2.0


def test_draws_stay_in_their_ranges_and_differ() -> None:
    drawn = [parameters.values(draw, 3) for draw in range(20)]
    for name, one in parameters.records().items():
        seen = [values[name] for values in drawn]
        if one.distribution == "fixed" or one.low == one.high:
            assert set(seen) == {one.value}
        else:
            assert len(set(seen)) > 15
            if one.distribution == "pert":
                assert all(one.low <= value <= one.high for value in seen)


def test_another_row_shifts_no_other_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def draws(*names: str) -> list[dict[str, float]]:
        read = parameters.records.__wrapped__(written(tmp_path, *({**GOOD, "name": name} for name in names)))
        with monkeypatch.context() as patch:
            patch.setattr(parameters, "records", lambda: read)
            return [parameters.values.__wrapped__(draw, 5) for draw in range(3)]

    before, after = draws("a", "b"), draws("first", "b", "between", "a")
    assert [{name: values[name] for name in ("a", "b")} for values in after] == before
    assert all(len(set(values.values())) == 4 for values in after)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": ""}, "source"),
        ({"source": "T99-99"}, "T99-99"),
        ({"unit": ""}, "unknown unit"),
        ({"value": "3"}, "outside its range"),
        ({"value": "many"}, "finite number"),
        ({"value": "-1"}, "outside its range"),
        ({"low": "nan"}, "low is"),
        ({"high": ""}, "high is"),
        ({"unit": "week"}, 'did you mean "weeks"'),
        ({"distribution": "normal"}, "unknown distribution"),
        ({"distribution": "lognormal"}, "positive low"),
        ({"meaning": ""}, "no meaning"),
        ({"name": ""}, "empty"),
    ],
)
def test_a_bad_row_is_refused_by_file_and_row(tmp_path: Path, change: dict[str, str], said: str) -> None:
    path = written(tmp_path, {**GOOD, "name": "fine"}, {**GOOD, **change})
    with pytest.raises(InputError) as refusal:
        parameters.records(path)
    assert "mine.csv, row 3" in str(refusal.value)
    assert said in str(refusal.value)


def test_a_repeated_name_and_a_missing_column_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 3.*repeated"):
        parameters.records(written(tmp_path, GOOD, GOOD))
    with pytest.raises(InputError, match=r"short\.csv, row 1: missing column source"):
        parameters.records(written(tmp_path / "", GOOD, columns=COLUMNS[:-1]).rename(tmp_path / "short.csv"))


def test_a_cut_sets_one_link_to_zero_and_nothing_else() -> None:
    whole = parameters.scalars(parameters.values())
    for link, name in parameters.LINKS.items():
        cut = parameters.cut_links(whole, (link,))
        assert getattr(cut, name) == 0.0
        assert cut._replace(**{name: getattr(whole, name)}) == whole
    with pytest.raises(InputError, match="weakness_to_pain"):
        parameters.cut_links(whole, ("weakness_pain",))


def test_an_unknown_parameter_is_met_with_the_nearest() -> None:
    with pytest.raises(InputError, match='did you mean "stop_pain"'):
        parameters.record("stop_pains")
    assert parameters.table().height == len(parameters.records())


@pytest.mark.parametrize("form", ["{kept}", "{free}; {kept}", "{free};{kept}", " {kept} ;{free}", "{kept}; assumption: the size"])
def test_evidence_kept_for_validation_sets_no_parameter_however_it_is_written(tmp_path: Path, form: str) -> None:
    use = evidence.estimates()
    kept, free = (use.filter(pl.col("use") == one)["id"][0] for one in ("validate", "calibrate"))
    with pytest.raises(InputError, match=rf"mine.csv, row 2, a: the source cites {kept}, kept for validation"):
        parameters.records(written(tmp_path, {**GOOD, "source": form.format(kept=kept, free=free)}))
    assert parameters.records(written(tmp_path / "", {**GOOD, "source": f"{free}; assumption: the size"}).rename(tmp_path / "fine.csv"))


def test_no_shipped_parameter_rests_on_evidence_kept_for_validation() -> None:
    kept = set(evidence.estimates().filter(pl.col("use") == "validate")["id"])
    assert kept
    for one in parameters.records().values():
        assert not kept & {part.strip() for part in one.source.split(";")}, one.name


@pytest.mark.parametrize("mode", [2.0, 2.1, 4.0, 5.9, 6.0])
def test_a_pert_prior_keeps_its_shape_from_one_end_of_its_range_to_the_other(mode: float) -> None:
    one = Parameter("x", "", mode, 2.0, 6.0, "pert", "1", "", "assumption")
    beta = stats.beta(1.0 + (mode - 2.0), 1.0 + (6.0 - mode), loc=2.0, scale=4.0)
    for u in (1e-9, 0.025, 0.3, 0.5, 0.975, 1.0 - 1e-9):
        assert one.quantile(u) == pytest.approx(float(beta.ppf(u)), rel=1e-9)
        assert 2.0 <= one.quantile(u) <= 6.0
    assert beta.mean() == pytest.approx((2.0 + 4.0 * mode + 6.0) / 6.0)


def test_a_lognormal_prior_has_its_value_as_the_median_and_its_width_from_the_range() -> None:
    one = Parameter("x", "", 1.5, 1.0, 4.0, "lognormal", "1", "", "assumption")
    scipy = stats.lognorm(math.log(4.0) / (2.0 * stats.norm.ppf(0.975)), scale=1.5)
    for u in (0.001, 0.2, 0.5, 0.9, 0.999):
        assert one.quantile(u) == pytest.approx(float(scipy.ppf(u)), rel=1e-9)


def test_the_draws_of_a_prior_follow_it() -> None:
    """Across draws the uniform numbers behind a parameter are uniform, and two parameters share none."""
    uniform = [[parameters.parameter_uniform(1, draw, name) for draw in range(1000)] for name in ("a", "b")]
    for one in uniform:
        assert stats.kstest(one, "uniform").pvalue > 0.001
    assert abs(stats.pearsonr(*uniform).statistic) < 0.1


def test_a_draw_is_known_by_its_number_and_seed() -> None:
    assert parameters.values(3, 1) == parameters.values.__wrapped__(3, 1)
    assert parameters.values(3, 1) != parameters.values(4, 1)
    assert parameters.values(3, 1) != parameters.values(3, 2)
    assert parameters.values() == {name: one.value for name, one in parameters.records().items()}


def test_a_treatments_columns_stand_in_the_order_asked_for() -> None:
    values = {"a.relief": 0.1, "a.cost": 90.0, "b.relief": 0.7, "build": 0.9}
    assert parameters.treatment_values(values, "a", ("cost", "build", "relief")).tolist() == [90.0, 0.0, 0.1]


def test_several_links_are_cut_at_once_and_none_by_an_empty_cut() -> None:
    whole = Parameters(*(1.0 for _ in Parameters._fields))
    cut = parameters.cut_links(whole, tuple(parameters.LINKS))
    assert {name for name in Parameters._fields if getattr(cut, name) == 0.0} == set(parameters.LINKS.values())
    assert parameters.cut_links(whole, ()) == whole
    with pytest.raises(InputError, match=r"did you mean .pain_to_activity."):
        parameters.cut_links(whole, ("weakness_to_pain", "pain_to_activty"))


def test_the_share_below_a_value_is_the_inverse_of_the_quantile() -> None:
    shares = np.array([0.01, 0.25, 0.5, 0.9, 0.999])
    for one in parameters.records().values():
        if one.distribution == "fixed" or one.low == one.high:
            assert one.share_below(np.array([one.value])).tolist() == [0.5]
        else:
            assert one.share_below(one.quantiles(shares)) == pytest.approx(shares, abs=1e-9), one.name
