"""One record for each parameter, checked when it is read."""

import csv
from pathlib import Path

import pytest
from scipy import stats

from painlab import catalog, parameters
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


def test_dotted_rows_belong_to_a_treatment_and_one_of_its_columns() -> None:
    columns = {field.name.lower() for field in PARAMETER_FIELDS}
    for name in parameters.records():
        if "." in name:
            treatment, column = name.split(".")
            assert treatment in catalog.treatments() and column in columns


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
    alone = parameters.records(written(tmp_path, GOOD))
    before = alone["a"].quantile(parameters.parameter_uniform(1, 0, "a"))
    both = parameters.records(written(tmp_path / "", {**GOOD, "name": "first"}, GOOD).rename(tmp_path / "both.csv"))
    assert both["a"].quantile(parameters.parameter_uniform(1, 0, "a")) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"source": ""}, "source"),
        ({"source": "T99-99"}, "T99-99"),
        ({"source": "T04-01"}, "kept for validation"),
        ({"value": "3"}, "outside its range"),
        ({"value": "many"}, "finite number"),
        ({"low": "nan"}, "finite number"),
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
    with pytest.raises(InputError, match="missing column source"):
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
