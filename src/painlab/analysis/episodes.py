"""Opioid episodes and how long they last: Kaplan-Meier curves, the log-rank test, and Cox regression with a check of its assumption."""

import warnings
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl

from painlab.analysis.fit import (
    FEWEST_PEOPLE,
    Array,
    Check,
    Fit,
    Refused,
    Table,
    Term,
    covariate_columns,
    full_rank,
    gather,
    left_out_check,
    numbers_of,
    predicted_frame,
)
from painlab.errors import InputError

GAP_DAYS: Final = 30
"""Days without an opioid that end an episode (assumption; studies take 7 to 90)."""
EVENTS_A_TERM: Final = 10
"""Endings for each coefficient of a Cox model (Peduzzi et al., Journal of Clinical Epidemiology 1995;48:1503-1510)."""
MARKS: Final = (30, 90, 180, 365)
MOST_ROWS: Final = 50_000_000
"""Rows of MME that are taken into memory."""

_WHERE: Final = "opioid episodes"
_Z: Final = 1.959963984540054


def opioid_episodes(mme: Table, *, gap_days: int = GAP_DAYS, first: date | None = None, last: date | None = None) -> pl.DataFrame:
    """Spells on opioids from MME by day or week: a spell ends when more than `gap_days` days follow without any.

    Parameters
    ----------
    mme
        One row a person and day (person, date, mme), as `painlab.records.daily_mme` gives, or a person and week (person, week, mme), as
        `weekly_mme` does; rows with no opioid may be there or not.
    first, last
        First and last day that the records cover; those of the table if left out.

    Returns person, start (date), end (last day with an opioid), days (from start to end, both counted), ended (false if the records stop
    within `gap_days` of the last day: how long it goes on is not known), began_before (true if it starts within `gap_days` of the
    first day of the records: how long it was under way is not known) and mean_mme (over days or weeks with an opioid), by person and start.

    Raises InputError for a missing column, and for a gap that is not 1 to 365 days.

    >>> from painlab.analysis.episodes import opioid_episodes
    >>> days = [date(2024, 3, 1) + timedelta(days=n) for n in (0, 1, 2, 50, 51)]
    >>> found = opioid_episodes(pl.DataFrame({"person": "a", "date": days, "mme": 20.0}), first=date(2024, 1, 1), last=date(2024, 12, 31))
    >>> found["days"].to_list(), found["ended"].to_list()
    ([3, 2], [True, True])
    """
    if isinstance(gap_days, bool) or not isinstance(gap_days, int) or not 1 <= gap_days <= 365:
        raise InputError(f"gap_days is {gap_days}", where=_WHERE, expected="a whole number from 1 to 365")
    lazy = mme.lazy()
    weekly = "week" in lazy.collect_schema() and "date" not in lazy.collect_schema()
    day, length = ("week", 7) if weekly else ("date", 1)
    frame, _ = gather(lazy, ["person", day, "mme"], _WHERE, MOST_ROWS)
    if not frame.schema[day].is_temporal():
        raise InputError(f'"{day}" holds {frame.schema[day]}', where=_WHERE, expected="dates")
    frame = frame.with_columns(pl.col(day).cast(pl.Date)).sort("person", day)
    begins, ends = first or frame[day].min(), last or frame[day].max() + timedelta(days=length - 1)  # type: ignore[operator]
    on = frame.filter(pl.col("mme") > 0.0)
    if on.is_empty():
        raise Refused("nobody was on opioids", where=_WHERE, expected="at least one day with an opioid")
    since = (pl.col(day) - pl.col(day).shift(1).over("person")).dt.total_days() - length
    spells = on.with_columns(spell=(since.fill_null(gap_days + 1) > gap_days).cum_sum())
    found = spells.group_by("person", "spell", maintain_order=True).agg(
        start=pl.col(day).min(), end=pl.col(day).max() + pl.duration(days=length - 1), mean_mme=pl.col("mme").mean()
    )
    return found.select(
        "person",
        "start",
        "end",
        days=(pl.col("end") - pl.col("start")).dt.total_days() + 1,
        ended=(pl.lit(ends) - pl.col("end")).dt.total_days() > gap_days,
        began_before=(pl.col("start") - pl.lit(begins)).dt.total_days() < gap_days,
        mean_mme="mean_mme",
    )


def episode_survival(
    episodes: Table,
    *,
    by: str | None = None,
    covariates: Sequence[str] = (),
    duration: str = "days",
    ended: str = "ended",
    all_episodes: bool = False,
) -> Fit:
    """How long opioid episodes last: the share still going on by day, by group if one is named, and what goes with ending sooner.

    Kaplan and Meier's curve with intervals of log(-log) form (Kalbfleisch and Prentice); the log-rank test for groups; with covariates Cox
    regression (Efron's ties, statsmodels PHReg), whose proportional hazards are checked by the correlation of Schoenfeld's residuals with
    the rank of time (Grambsch and Therneau, Biometrika 1994;81:515-526). Episodes under way when the records begin are left out, and
    counted: their start is not known. Only each person's first episode counts unless `all_episodes`; then curves take episodes for
    independent, and Cox errors are robust to a person's episodes being alike.

    Parameters
    ----------
    episodes
        A table as `opioid_episodes` gives it, with columns for group and covariates joined to it if needed.
    by
        Column of groups, 2 to 6 of them, each with 5 endings or more.

    Raises
    ------
    Refused
        Under 10 episodes, or 10 endings; under 10 endings for each Cox coefficient; a term that separates; no convergence.

    >>> from painlab.analysis.episodes import episode_survival
    >>> table = pl.DataFrame({"person": range(20), "days": [10 * n + 10 for n in range(20)], "ended": [n % 4 > 0 for n in range(20)]})
    >>> print(f"{episode_survival(table).term('still on opioids at 90 days').estimate:.2f}")
    67.37
    """
    lazy = episodes.lazy()
    there = lazy.collect_schema()
    extra = [name for name in ("person", "start", "began_before") if name in there]
    frame, gaps = gather(lazy, [duration, ended, *extra, *([by] if by else []), *covariates], _WHERE)
    before = 0
    if "began_before" in extra:
        before = int(frame["began_before"].sum())
        frame = frame.filter(~pl.col("began_before"))
    later = 0
    if "person" in extra and not all_episodes:
        order = frame.sort("person", "start") if "start" in extra else frame
        first = order.unique("person", keep="first", maintain_order=True)
        later, frame = frame.height - first.height, first
    days, over = numbers_of(frame, duration, _WHERE), numbers_of(frame, ended, _WHERE)
    if np.any(days <= 0.0):
        raise InputError(f"{int(np.sum(days <= 0.0))} episodes last 0 days or less", where=_WHERE, expected="days above zero")
    if len(days) < FEWEST_PEOPLE or over.sum() < FEWEST_PEOPLE:
        raise Refused(
            f"there are {len(days)} episodes whose start is known, {int(over.sum())} of which ended",
            where=_WHERE,
            expected=f"{FEWEST_PEOPLE} or more that ended (assumption)",
            mend="Take longer records, or a shorter gap that ends an episode.",
        )
    groups = _groups(frame, by, over)
    curves = {name: _kaplan_meier(days[mine], over[mine]) for name, mine in groups.items()}
    terms = [term for name, curve in curves.items() for term in _marks(curve, name if by else "", days[groups[name]].max())]
    checks = [
        Check("episodes", float(len(days)), f"{int(over.sum())} ended, {int((1 - over).sum())} still going on when the records end"),
        Check("under way when the records begin", float(before), "left out: their start is not known" if before else "none"),
        Check("later episodes of a person", float(later), "left out" if later else "none, or all counted"),
        *left_out_check(gaps),
    ]
    if by:
        statistic, p = _log_rank(days, over, groups)
        checks.append(
            Check("log-rank p", p, "the curves differ" if p < 0.05 else f"no difference told from chance (chi-square {statistic:.1f})")
        )
    if covariates:
        cox, proportional = _cox(frame, days, over, covariates, all_episodes)
        terms, checks = [*terms, *cox], [*checks, *proportional]
    return Fit(
        title="How long opioid episodes last" + (f", by {by}" if by else ""),
        sentence=_words(curves, days, over, checks, by, terms if covariates else []),
        terms=tuple(terms),
        checks=tuple(checks),
        predicted=predicted_frame([row for name, curve in curves.items() for row in _steps(name, curve)]),
        kind="survival",
        x_title="Days since the episode began",
        y_title="Still on opioids (%)",
        assumptions=(
            "whoever is still on opioids when the records end is like the others (censoring says nothing of the end)",
            "an episode ends after a gap without opioids; the gap's length is an assumption",
        ),
    )


def _groups(frame: pl.DataFrame, by: str | None, over: Array) -> dict[str, Any]:
    if by is None:
        return {"all": np.ones(frame.height, dtype=bool)}
    values = frame[by].cast(pl.String)
    names = values.unique().sort().to_list()
    if not 2 <= len(names) <= 6:
        raise InputError(f'"{by}" has {len(names)} different values', where=_WHERE, expected="2 to 6 groups")
    groups = {name: np.asarray(values == name) for name in names}
    for name, mine in groups.items():
        if over[mine].sum() < FEWEST_PEOPLE // 2:
            raise Refused(
                f'{int(over[mine].sum())} episodes of "{name}" ended', where=_WHERE, expected=f"{FEWEST_PEOPLE // 2} or more (assumption)"
            )
    return groups


def _kaplan_meier(days: Array, over: Array) -> dict[str, Array]:
    """Days at which episodes ended, the share going on after each, its interval, and how many were going on just before."""
    from statsmodels.duration.survfunc import SurvfuncRight

    found = SurvfuncRight(days, over)
    share, error = np.asarray(found.surv_prob), np.asarray(found.surv_prob_se)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = _Z * error / (share * np.abs(np.log(share)))
        low, high = share ** np.exp(half), share ** np.exp(-half)
    inside = (share > 0.0) & (share < 1.0)
    ends = [np.where(inside, one, share) for one in (low, high)]
    return {"days": np.asarray(found.surv_times, dtype=np.float64), "share": share, "low": ends[0], "high": ends[1]}


def _at(curve: dict[str, Array], day: float) -> tuple[float, float, float]:
    place = int(np.searchsorted(curve["days"], day, side="right")) - 1
    if place < 0:
        return 1.0, 1.0, 1.0
    return float(curve["share"][place]), float(curve["low"][place]), float(curve["high"][place])


def _marks(curve: dict[str, Array], name: str, longest: float) -> list[Term]:
    of = f", {name}" if name else ""
    terms = []
    for day in MARKS:
        if day <= longest:
            share, low, high = _at(curve, day)
            terms.append(Term(f"still on opioids at {day} days{of}", 100 * share, 100 * low, 100 * high, "%"))
    return terms


def _log_rank(days: Array, over: Array, groups: dict[str, Any]) -> tuple[float, float]:
    from statsmodels.duration.survfunc import survdiff

    label = np.zeros(len(days))
    for number, mine in enumerate(groups.values()):
        label[mine] = number
    statistic, p = survdiff(days, over, label)
    return float(statistic), float(p)


def _cox(frame: pl.DataFrame, days: Array, over: Array, covariates: Sequence[str], robust: bool) -> tuple[list[Term], list[Check]]:
    from scipy.stats import chi2, rankdata
    from statsmodels.duration.hazard_regression import PHReg

    names, columns = covariate_columns(frame, covariates, _WHERE)
    full_rank(np.column_stack([np.ones(len(days)), columns]), ["level", *names], _WHERE)
    if over.sum() < EVENTS_A_TERM * len(names):
        raise Refused(
            f"{int(over.sum())} episodes ended, for {len(names)} coefficients",
            where=_WHERE,
            expected=f"{EVENTS_A_TERM} or more for each (Peduzzi 1995)",
            mend="Take fewer covariates.",
        )
    centered = columns - columns.mean(axis=0)
    width = centered.std(axis=0)
    people = frame["person"].cast(pl.String).to_numpy() if robust and "person" in frame.columns else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = PHReg(days, centered / width, status=over, ties="efron").fit(groups=people)
        except np.linalg.LinAlgError:
            raise Refused("the Cox equations cannot be solved", where=_WHERE, mend="Take fewer covariates.") from None
    value, error = np.asarray(found.params) / width, np.asarray(found.bse) / width
    if not np.all(np.isfinite(error)) or np.any(np.abs(value * width) > 10.0) or np.any(error * width > 10.0):
        raise Refused("a covariate tells without a fault whose episode ends first (separation)", where=_WHERE, mend="Leave it out.")
    terms = [
        Term(f"{name}, hazard ratio of ending", float(np.exp(b)), float(np.exp(b - _Z * e)), float(np.exp(b + _Z * e)), "times the hazard")
        for name, b, e in zip(names, value, error, strict=True)
    ]
    checks = []
    left = np.asarray(found.schoenfeld_residuals)
    ends = np.flatnonzero(np.isfinite(left).all(axis=1) & (over == 1.0))
    ranks = rankdata(days[ends])
    for place, name in enumerate(names):
        r = float(np.corrcoef(ranks, left[ends, place])[0, 1]) if np.ptp(left[ends, place]) > 0.0 else 0.0
        p = float(chi2.sf(len(ends) * r * r, 1))
        said = "no sign against proportional hazards" if p >= 0.05 else "the ratio changes with time: it is an average, read the curves"
        checks.append(Check(f"proportional hazards p, {name}", p, f"{said} (correlation with time {r:.2f})"))
    return terms, checks


def _steps(name: str, curve: dict[str, Array]) -> list[dict[str, Any]]:
    rows = [{"series": name, "x": 0.0, "predicted": 100.0, "low": 100.0, "high": 100.0}]
    for day, share, low, high in zip(curve["days"], curve["share"], curve["low"], curve["high"], strict=True):
        rows.append({"series": name, "x": float(day), "predicted": 100 * share, "low": 100 * low, "high": 100 * high})
    return rows


def _median(curve: dict[str, Array]) -> str:
    below = np.flatnonzero(curve["share"] <= 0.5)
    return f"half had ended after {curve['days'][below[0]]:.0f} days" if below.size else "more than half were still going on at the end"


def _p(value: float) -> str:
    return "below 0.001" if value < 0.001 else f"{value:.2g}"


def _words(curves: dict[str, Any], days: Array, over: Array, checks: list[Check], by: str | None, terms: list[Term]) -> str:
    parts = [f"Of {len(days)} opioid episodes {int(over.sum())} ended in the records"]
    parts += [f"{f'{by} {name}: ' if by else ''}{_median(curve)}" for name, curve in curves.items()]
    said = "; ".join(parts) + "."
    rank = next((one for one in checks if one.check == "log-rank p"), None)
    if rank is not None and rank.value is not None:
        found = "differ by more than chance" if rank.value < 0.05 else "cannot be told apart from chance"
        said += f" The curves {found} (log-rank p {_p(rank.value)})."
    for term in terms:
        if "hazard ratio" in term.term:
            name = term.term.partition(",")[0]
            way = "sooner" if term.estimate > 1.0 else "later"
            told = f"goes with ending {way}" if term.settled(1.0) else "shows no clear association with the end"
            said += f" {name} {told}: hazard ratio {term.words(2)}."
    return said
